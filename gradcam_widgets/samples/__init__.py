"""The walkthroughs' samples in two worlds: rendered scenes with known answers, and the articles' photographs.

`GRADCAM_WIDGETS_WORLD=auto|photo|scene` or a `world=` argument chooses. "auto" takes the photographs where they are
cached or can be downloaded now, else the scenes, and says which.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
