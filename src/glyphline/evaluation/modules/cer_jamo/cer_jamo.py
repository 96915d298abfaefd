"""The character error rate with Hangul syllables split into jamo; lower is better."""

from glyphline.evaluation import modules


class JamoErrorRate(modules.LineMeasure):
    """The character error rate with Hangul syllables split into jamo; lower is better."""

    measure = "cer_jamo"
    description = __doc__
