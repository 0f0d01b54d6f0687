"""Training and evaluation of the scene models: `python -m gradcam_widgets.samples.training.train`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
