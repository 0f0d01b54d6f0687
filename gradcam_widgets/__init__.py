"""See where a convolutional network looked.

`GradCAM` asks any torch network; `load_classifier` gives a network with its preprocessing and categories.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradcam_widgets.heatmaps.comparison import describe_difference
from gradcam_widgets.heatmaps.heatmap import Heatmap, shared_limit
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.reading import read_picture

from .errors import CategoryError, DownloadError, GradCAMError, LayerError, MethodError, ModelError, PictureError
from .gradcam import GradCAM, candidate_layers
from .layers import Layer
from .methods import METHODS
from .trace import Prediction, Trace

if TYPE_CHECKING:
    from gradcam_widgets.heatmaps.figures import comparison_figure

    from .classifiers import Classifier, classifier_names, load_classifier, weights_at_hand
    from .panel import GradCAMPanel, HeatmapView
    from .preprocessing import Preprocessing

__version__ = "0.1.0"

__all__ = [
    "METHODS",
    "Box",
    "CategoryError",
    "Classifier",
    "DownloadError",
    "GradCAM",
    "GradCAMError",
    "GradCAMPanel",
    "Heatmap",
    "HeatmapView",
    "Layer",
    "LayerError",
    "MethodError",
    "ModelError",
    "PictureError",
    "Prediction",
    "Preprocessing",
    "Trace",
    "candidate_layers",
    "classifier_names",
    "comparison_figure",
    "describe_difference",
    "load_classifier",
    "read_picture",
    "shared_limit",
    "weights_at_hand",
]

# torchvision, matplotlib and ipywidgets load with the first use of what needs them: importing the package stays cheap.
_LAZY = {
    "GradCAMPanel": "panel",
    "HeatmapView": "panel",
    "Classifier": "classifiers",
    "Preprocessing": "preprocessing",
    "classifier_names": "classifiers",
    "comparison_figure": "figures",
    "load_classifier": "classifiers",
    "weights_at_hand": "classifiers",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
