"""Registry of classifiers by name: listing, loading and offline availability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradcam_widgets._choices import suggestion
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
    """Return the names for `load_classifier`: the 675 KB SqueezeNet and torchvision's classification models."""
    return [name for provider in PROVIDERS for name in provider.names()]


def load_classifier(
    name: str = DEFAULT_NAME, *, resize_mode: ResizeMode = "squash", weights: str = "DEFAULT"
) -> Classifier:
    """Load a model by name, with its preprocessing and class names.

    Weights come, in this order, from `NAME.pth` in the folder set by the environment variable
    `GRADCAM_WIDGETS_CHECKPOINTS`, from the cache, or from the internet (once, with a progress bar). `NAME.pth` contains
    a state dict, or a dict with the keys "state_dict" and "class_names".

    Args:
        name: "squeezenet_675kb" or the name of a torchvision classification model.
        resize_mode: "squash" resizes the whole image, "crop" takes the center as torchvision does.
        weights: Name of torchvision's published weights, such as "IMAGENET1K_V1".

    Raises:
        ModelError: If the name or the weights are unknown, or a file does not fit the model.
        DownloadError: If the weights cannot be downloaded.
    """
    return _provider(name).load(name, resize_mode=resize_mode, weights=weights)


def list_layers_without_weights(name: str) -> tuple[list[Layer], Grid]:
    """Return the spatial layers of a model by name, without loading weights (on torch's meta device).

    Args:
        name: As for `load_classifier`.

    Returns:
        The layers with a spatial output, and rows and columns of the model's input.
    """
    model, size = _provider(name).build_on_meta(name)
    return GradCAM(model).layers(torch.empty(1, 3, *size)), size


def is_available_offline(name: str, weights: str = "DEFAULT") -> bool:
    """Return whether `load_classifier` can load a model without internet access.

    Args:
        name: As for `load_classifier`.
        weights: As for `load_classifier`.

    Raises:
        ModelError: If the name or the weights are unknown.
    """
    return _provider(name).is_available_offline(name, weights)


def _provider(name: str) -> Provider:
    for provider in PROVIDERS:
        if name in provider.names():
            return provider
    hint = suggestion(name, classifier_names(), "choose a name listed by gradcam_widgets.classifier_names().")
    raise ModelError(f"Unknown model {name!r}: {hint}")
