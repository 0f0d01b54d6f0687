"""Grad-CAM heatmaps for PyTorch image classifiers, in notebooks and on the command line.

`GradCAM` explains any torch model; `load_classifier` loads a model with its preprocessing and class names.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
