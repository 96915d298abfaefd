"""Edits over grapheme clusters, divided by the references' length; lower is better."""

from glyphline.evaluation import modules


class CharacterErrorRate(modules.LineMeasure):
    """Edits over grapheme clusters, divided by the references' length; lower is better."""

    measure = "cer"
    description = __doc__
