"""glyphline: handwriting/readers."""
