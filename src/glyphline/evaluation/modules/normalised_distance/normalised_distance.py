"""Mean over lines of edits divided by the longer text; lower is better."""

from glyphline.evaluation import modules


class NormalisedDistance(modules.LineMeasure):
    """Mean over lines of edits divided by the longer text; lower is better."""

    measure = "normalised_distance"
    description = __doc__
