"""glyphline: models."""
