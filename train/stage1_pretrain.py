"""Stage 1, pretraining on rendered lines: the same as `glyphline train`; the stage is in the configuration."""

import sys

from glyphline.training.run import main

if __name__ == "__main__":
    sys.exit(main())
