"""Edits over words parted by white space, divided by the references' words; lower is better."""

from glyphline.evaluation import modules


class WordErrorRate(modules.LineMeasure):
    """Edits over words parted by white space, divided by the references' words; lower is better."""

    measure = "wer"
    description = __doc__
