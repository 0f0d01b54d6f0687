"""Classifiers by name: which there are, what they load from, and which of their layers can carry a map."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import torch

from gradcam_widgets.attribution.gradcam import GradCAM
from gradcam_widgets.errors import ModelError

from . import squeezenet, torchvision_models
from .provider import DEFAULT_NAME

if TYPE_CHECKING:
    from gradcam_widgets.attribution.layers import Grid, Layer
    from gradcam_widgets.images.fitting import ResizeMode

    from .classifier import Classifier
    from .provider import Provider

PROVIDERS: tuple[Provider, ...] = (squeezenet.PROVIDER, torchvision_models.PROVIDER)


def classifier_names() -> list[str]:
    """List the names that `load_classifier` knows: the 675 KB SqueezeNet and torchvision's classification models."""
    return [name for provider in PROVIDERS for name in provider.names()]


def load_classifier(
    name: str = DEFAULT_NAME, *, resize_mode: ResizeMode = "squash", weights: str = "DEFAULT"
) -> Classifier:
    """Load a model by its name, with its preprocessing and classes.

    Weights come, in this order, from the file `NAME.pth` in the folder that the environment variable
    `GRADCAM_WIDGETS_CHECKPOINTS` names, from the cache, or from the model (once, with a progress bar). A file of
    one's own holds a state dict, or a dict of it as "state_dict" and the names of its classes as "classes".

    Args:
        name: "squeezenet_675kb" or any of torchvision's classification models.
        resize_mode: "squash" shows the model the whole image, "crop" the middle as torchvision does.
        weights: Which of torchvision's published weights, such as "IMAGENET1K_V1".

    Raises:
        ModelError: If the name or the weights are unknown, or a file does not fit the model.
        DownloadError: If the weights cannot be downloaded.
    """
    return _provider(name).load(name, resize_mode=resize_mode, weights=weights)


def list_layers_without_weights(name: str) -> tuple[list[Layer], Grid]:
    """List the layers of a model by its name, without weights, memory or arithmetic (on torch's meta device).

    Args:
        name: As for `load_classifier`.

    Returns:
        The layers that can carry a map, and rows and columns of the model's input.
    """
    model, size = _provider(name).build_on_meta(name)
    return GradCAM(model).layers(torch.empty(1, 3, *size)), size


def is_available_offline(name: str, weights: str = "DEFAULT") -> bool:
    """Say whether `load_classifier` could load a model without the internet.

    Args:
        name: As for `load_classifier`.
        weights: Likewise.

    Raises:
        ModelError: If the name or the weights are unknown.
    """
    return _provider(name).is_available_offline(name, weights)


def _provider(name: str) -> Provider:
    for provider in PROVIDERS:
        if name in provider.names():
            return provider
    close = difflib.get_close_matches(name.lower(), classifier_names(), n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "gradcam_widgets.classifier_names() lists them."
    raise ModelError(f"There is no model {name!r}: {hint}")
