"""`python -m gradcam_widgets` is the command `gradcam-widgets`."""

import sys

from gradcam_widgets.cli import main

if __name__ == "__main__":
    sys.exit(main())
