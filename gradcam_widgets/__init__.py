"""See where a convolutional network looked.

`GradCAM` asks any torch network; `load_classifier` gives a network with its preprocessing and categories.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    CategoryError,
    DownloadError,
    GradCAMError,
    LayerError,
    MethodError,
    ModelError,
    PictureError,
)
from .heatmap import Box, Heatmap, shared_limit
from .images import read_picture
from .wording import describe_difference

if TYPE_CHECKING:
    from .classifiers import Classifier, classifier_names, load_classifier, weights_at_hand
    from .figures import comparison_figure
    from .gradcam import GradCAM, candidate_layers
    from .layers import Layer
    from .methods import METHODS
    from .panel import GradCAMPanel
    from .preprocessing import Preprocessing
    from .trace import Prediction, Trace
    from .view import HeatmapView

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

# torch, torchvision, matplotlib and ipywidgets load with the first use of what needs them: importing the package stays
# cheap, and who only writes a page or draws maps made before does without them.
_LAZY = {
    "METHODS": "methods",
    "Classifier": "classifiers",
    "GradCAM": "gradcam",
    "GradCAMPanel": "panel",
    "HeatmapView": "view",
    "Layer": "layers",
    "Prediction": "trace",
    "Preprocessing": "preprocessing",
    "Trace": "trace",
    "candidate_layers": "gradcam",
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
