"""Options of the panel's menus, as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from gradcam_widgets.attribution.layers import main_layers
from gradcam_widgets.attribution.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.attribution.layers import Layer
    from gradcam_widgets.attribution.trace import Prediction

    from .cache import Question

COMPARISONS = ("nothing", "class", "layer", "method")
Options: TypeAlias = "list[tuple[str, Any]]"


def layer_options(layers: Sequence[Layer], extra_names: Sequence[Any]) -> Options:
    """Return options for the main layers and extra ones, labeled with grid and "(default)".

    Args:
        layers: Layers that can carry a map, in call order.
        extra_names: Names of further layers to include, or None; those not in `layers` are appended.
    """
    main = {layer.name for layer in main_layers(layers)}
    listed = [layer for layer in layers if layer.name in main or layer.name in extra_names]
    options: Options = [(f"{layer} (default)" if layer.default else str(layer), layer.name) for layer in listed]
    listed_names = [layer.name for layer in listed]
    return options + [
        (name, name) for name in dict.fromkeys(extra_names) if name is not None and name not in listed_names
    ]


def class_options(predictions: Sequence[Prediction]) -> Options:
    """Return one option per prediction, labeled with class name and probability."""
    return [(f"{p.class_name or f'class {p.class_index}'} · {p.probability:.3f}", p.class_index) for p in predictions]


def top_predictions_including(predictions: Sequence[Prediction], class_index: Any, count: int) -> list[Prediction]:
    """Return the top `count` predictions, replacing the last one by the given class if it is missing."""
    top = list(predictions[:count])
    if class_index is None or any(p.class_index == class_index for p in top):
        return top
    return top[:-1] + [p for p in predictions if p.class_index == class_index]


def default_comparison(
    question: Question, compare: str, layers: Sequence[Layer], predictions: Sequence[Prediction]
) -> Any:
    """Return the default second class index, layer name or method name to compare with."""
    if compare == "class":
        others = (p.class_index for p in predictions if p.class_index != question.target)
        return next(others, question.target)
    if compare == "layer":
        names = [layer.name for layer in main_layers(layers) if layer.name != question.layer]
        return names[-1] if names else question.layer
    return next(name for name in reversed(METHODS) if name != question.method)
