"""glyphline: models/families."""
