"""glyphline: render."""
