"""glyphline: render/engines."""
