"""The scenes' models as they are shipped: half-precision weights, and how images are shown to them."""

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
    """Write a model's state in half precision; its own weights are left alone."""
    path = folder / f"{name}.pth"
    state = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    torch.save(state, path)
    return path


def read_manifest(folder: Path = FOLDER) -> dict[str, Any]:
    """Return how the models came about and what was measured of them on held-out scenes."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    return manifest


def load_scene_classifier(name: str, folder: Path = FOLDER) -> Classifier:
    """Load one of the scenes' models.

    Args:
        name: "residual", "vgg_like" or "dense".
        folder: Where its weights lie.

    Raises:
        ModelError: If there is no such model, or its weights are missing.
    """
    if name not in ARCHITECTURES:
        raise ModelError(f"There is no model {name!r} in the scenes: choose one of {', '.join(ARCHITECTURES)}.")
    path = folder / f"{name}.pth"
    if not path.is_file():
        raise ModelError(f"There are no weights at '{path}': run python -m gradcam_widgets.samples.training.train.")
    model = ARCHITECTURES[name](len(CLASS_NAMES))
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return Classifier(model.eval(), Preprocessing(mean=MEAN, std=STD), CLASS_NAMES, name=f"scene {name}")
