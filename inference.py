"""Read the text in pictures of lines: the same as `glyphline read`."""

import sys

from glyphline.delivery.read import main

if __name__ == "__main__":
    sys.exit(main())
