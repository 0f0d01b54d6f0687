"""Interface of a source of classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from gradcam_widgets.attribution.layers import Grid
    from gradcam_widgets.images.fitting import ResizeMode

    from .classifier import Classifier


DEFAULT_NAME = "squeezenet_675kb"


class Load(Protocol):
    """Function that loads a classifier by name."""

    def __call__(self, name: str, *, resize_mode: ResizeMode, weights: str) -> Classifier:
        """Return the classifier."""
        ...


@dataclass(frozen=True)
class Provider:
    """A source of classifiers, registered in `loading.PROVIDERS`.

    Attributes:
        names: Returns the names of its models.
        load: Loads a classifier.
        build_on_meta: Builds a model by name on torch's meta device; also returns rows and columns of its input.
        is_available_offline: Returns whether the weights of a model, both by name, are on this machine.
    """

    names: Callable[[], list[str]]
    load: Load
    build_on_meta: Callable[[str], tuple[nn.Module, Grid]]
    is_available_offline: Callable[[str, str], bool]
