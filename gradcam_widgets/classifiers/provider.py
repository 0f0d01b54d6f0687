"""What a source of classifiers offers."""

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
    """Load a model by its name, with its preprocessing and class names."""

    def __call__(self, name: str, *, resize_mode: ResizeMode, weights: str) -> Classifier:
        """Return the classifier."""
        ...


@dataclass(frozen=True)
class Provider:
    """A source of classifiers; a new one is a module with one of these, listed in `loading.PROVIDERS`.

    Attributes:
        names: Lists the names of its models.
        load: Loads one.
        build_on_meta: Builds one by its name without weights, on torch's meta device; with rows and columns of its
            input.
        is_available_offline: Returns whether a name's weights are on this machine.
    """

    names: Callable[[], list[str]]
    load: Load
    build_on_meta: Callable[[str], tuple[nn.Module, Grid]]
    is_available_offline: Callable[[str, str], bool]
