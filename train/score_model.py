"""Score a model on line images with known text: the same as `glyphline score`."""

import sys

from glyphline.evaluation.run import main

if __name__ == "__main__":
    sys.exit(main())
