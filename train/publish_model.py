"""Make a trained model ready for the hub and upload it: the same as `glyphline publish`."""

import sys

from glyphline.delivery.publish import main

if __name__ == "__main__":
    sys.exit(main())
