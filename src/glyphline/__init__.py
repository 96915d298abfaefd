"""glyphline: from text in any language to a trained, measured and published reader of text lines."""

__version__ = "0.1.0"
