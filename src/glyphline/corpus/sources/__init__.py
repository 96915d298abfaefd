"""glyphline: corpus/sources."""
