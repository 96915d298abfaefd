"""Prepare a handwriting data set as line images: the same as `glyphline prepare`."""

import sys

from glyphline.handwriting.prepare import main

if __name__ == "__main__":
    sys.exit(main())
