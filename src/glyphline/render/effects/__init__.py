"""glyphline: render/effects."""
