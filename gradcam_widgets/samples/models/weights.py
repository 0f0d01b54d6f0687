"""The scene world's networks as they are shipped: half-precision weights, and how pictures are shown to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gradcam_widgets.classifiers.classifier import Classifier
from gradcam_widgets.classifiers.preprocessing import Preprocessing
from gradcam_widgets.errors import ModelError
from gradcam_widgets.samples.scenes.classes import CATEGORIES

from .architectures import NETWORKS

if TYPE_CHECKING:
    from torch import nn

FOLDER = Path(__file__).parent
MANIFEST = "manifest.json"
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def save_weights(name: str, model: nn.Module, folder: Path = FOLDER) -> Path:
    """Write a network's state in half precision; its own weights are left alone."""
    path = folder / f"{name}.pth"
    state = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    torch.save(state, path)
    return path


def load_scene_classifier(name: str, folder: Path = FOLDER) -> Classifier:
    """Load one of the scene world's networks.

    Args:
        name: "residual", "vgg_like" or "dense".
        folder: Where its weights lie.

    Raises:
        ModelError: If there is no such network, or its weights are missing.
    """
    if name not in NETWORKS:
        raise ModelError(f"There is no network {name!r} in the scene world: choose one of {', '.join(NETWORKS)}.")
    path = folder / f"{name}.pth"
    if not path.is_file():
        raise ModelError(f"There are no weights at '{path}': run python -m gradcam_widgets.samples.training.train.")
    model = NETWORKS[name](len(CATEGORIES))
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return Classifier(model.eval(), Preprocessing(mean=MEAN, std=STD), CATEGORIES, name=f"scene {name}")
