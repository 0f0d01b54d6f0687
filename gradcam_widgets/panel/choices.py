"""What the panel's menus offer, as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from gradcam_widgets.attribution.layers import main_layers
from gradcam_widgets.attribution.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.attribution.layers import Layer
    from gradcam_widgets.attribution.trace import Prediction

    from .inquiry import Inquiry, Question

COMPARISONS = ("nothing", "class", "layer", "method")
Options: TypeAlias = "list[tuple[str, Any]]"


def layer_options(layers: Sequence[Layer], named: Sequence[Any]) -> Options:
    """Offer the main layers and those named, with their grids, and say which one is the default.

    Args:
        layers: The layers that can carry a map, in call order.
        named: Names of layers that are to be there; one that is not among `layers` stands at the end.
    """
    main = {layer.name for layer in main_layers(layers)}
    offered = [layer for layer in layers if layer.name in main or layer.name in named]
    options: Options = [(f"{layer} (default)" if layer.default else str(layer), layer.name) for layer in offered]
    listed = [layer.name for layer in offered]
    return options + [(name, name) for name in dict.fromkeys(named) if name is not None and name not in listed]


def class_options(predictions: Sequence[Prediction]) -> Options:
    """Offer classes, named with their probability."""
    return [(f"{p.class_name or f'class {p.class_index}'} · {p.probability:.3f}", p.class_index) for p in predictions]


def with_asked(predictions: Sequence[Prediction], asked: Any, count: int) -> list[Prediction]:
    """Return the first classes, and in the last place the one asked for if it is not among them."""
    first = list(predictions[:count])
    if asked is None or any(p.class_index == asked for p in first):
        return first
    return first[:-1] + [p for p in predictions if p.class_index == asked]


def another(inquiry: Inquiry, question: Question, compare: str, predictions: Sequence[Prediction]) -> Any:
    """Choose what to compare with: the next class, an earlier layer, or another method."""
    if compare == "class":
        others = (p.class_index for p in predictions if p.class_index != question.target)
        return next(others, question.target)
    if compare == "layer":
        names = [layer.name for layer in main_layers(inquiry.layers) if layer.name != question.layer]
        return names[-1] if names else question.layer
    return next(name for name in reversed(METHODS) if name != question.method)
