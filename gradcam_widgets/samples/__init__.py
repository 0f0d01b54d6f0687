"""Samples of the walkthroughs from two sources: rendered scenes with exact masks, and the articles' photographs.

Select by `source=` or `GRADCAM_WIDGETS_SOURCE`: "photos", "scenes" or "auto". "auto" uses the photographs if they are
cached or downloadable now, else the scenes, and prints which.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
