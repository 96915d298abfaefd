"""glyphline: render/layouts."""
