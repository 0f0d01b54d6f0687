"""The walkthroughs' samples in two sources: rendered scenes with known answers, and the articles' photographs.

`GRADCAM_WIDGETS_SOURCE=auto|photos|scenes` or a `source=` argument chooses. "auto" takes the photographs where they are
cached or can be downloaded now, else the scenes, and says which.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
