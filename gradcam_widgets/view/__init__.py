"""The heatmap view: maps over their image, as a widget and as a page that needs no kernel."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
