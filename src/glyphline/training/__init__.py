"""glyphline: training."""
