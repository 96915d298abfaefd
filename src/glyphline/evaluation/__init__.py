"""glyphline: evaluation."""
