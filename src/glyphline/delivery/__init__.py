"""What is done with a finished model: reading pictures with it and publishing it."""
