"""glyphline: corpus."""
