"""Shipped weights of the scene models, in half precision, and their preprocessing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gradcam_widgets.classifiers.classifier import Classifier
from gradcam_widgets.classifiers.preprocessing import Preprocessing
from gradcam_widgets.errors import ModelError
from gradcam_widgets.samples.scenes.classes import CLASS_NAMES

from .architectures import ARCHITECTURES

if TYPE_CHECKING:
    from torch import nn

FOLDER = Path(__file__).parent
MANIFEST = "manifest.json"
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def save_weights(name: str, model: nn.Module, folder: Path = FOLDER) -> Path:
    """Save a model's weights in half precision, without changing the model, and return the path."""
    path = folder / f"{name}.pth"
    state = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    torch.save(state, path)
    return path


def read_manifest(folder: Path = FOLDER) -> dict[str, Any]:
    """Return training settings and held-out accuracy of the models."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    return manifest


def load_scene_classifier(name: str, folder: Path = FOLDER) -> Classifier:
    """Load a model trained on rendered scenes.

    Args:
        name: "residual", "vgg_like" or "dense".
        folder: Folder of the weights.

    Raises:
        ModelError: If the model is unknown or its weights are missing.
    """
    if name not in ARCHITECTURES:
        raise ModelError(f"The scene model must be one of {', '.join(ARCHITECTURES)}, got {name!r}.")
    path = folder / f"{name}.pth"
    if not path.is_file():
        raise ModelError(f"Cannot find weights at '{path}'; run python -m gradcam_widgets.samples.training.train.")
    model = ARCHITECTURES[name](len(CLASS_NAMES))
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return Classifier(model.eval(), Preprocessing(mean=MEAN, std=STD), CLASS_NAMES, name=f"scene {name}")
