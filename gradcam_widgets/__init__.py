"""See where a convolutional network looked."""

from __future__ import annotations

from .errors import (
    CategoryError,
    DownloadError,
    GradCAMError,
    LayerError,
    MethodError,
    ModelError,
    PictureError,
)
from .gradcam import GradCAM, candidate_layers
from .heatmap import Box, Heatmap, shared_limit
from .layers import Layer
from .methods import METHODS
from .trace import Prediction, Trace

__version__ = "0.1.0"

__all__ = [
    "METHODS",
    "Box",
    "CategoryError",
    "DownloadError",
    "GradCAM",
    "GradCAMError",
    "Heatmap",
    "Layer",
    "LayerError",
    "MethodError",
    "ModelError",
    "PictureError",
    "Prediction",
    "Trace",
    "candidate_layers",
    "shared_limit",
]
