"""See where a convolutional network looked.

`GradCAM` asks any torch model; `load_classifier` gives a model with its preprocessing and classes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
