"""glyphline: delivery."""
