"""Share of lines read without an error; higher is better."""

from glyphline.evaluation import modules


class ExactMatch(modules.LineMeasure):
    """Share of lines read without an error; higher is better."""

    measure = "exact"
    description = __doc__
