"""`python -m gradcam_widgets` is the command `gradcam-widgets`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
