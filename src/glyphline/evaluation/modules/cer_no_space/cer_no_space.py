"""The character error rate without any white space; lower is better."""

from glyphline.evaluation import modules


class SpacelessErrorRate(modules.LineMeasure):
    """The character error rate without any white space; lower is better."""

    measure = "cer_no_space"
    description = __doc__
