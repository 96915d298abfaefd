"""glyphline: handwriting."""
