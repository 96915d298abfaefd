"""glyphline: render/executors."""
