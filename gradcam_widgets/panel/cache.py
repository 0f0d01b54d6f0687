"""Cache of traces and heatmaps for one image and one classifier, free of widgets."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from gradcam_widgets.attribution.layers import find_layer
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.edits import Edit, edited

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import TypeVar

    import numpy as np
    from numpy.typing import NDArray

    from gradcam_widgets.attribution.layers import Layer
    from gradcam_widgets.attribution.trace import Prediction, Trace
    from gradcam_widgets.classifiers.classifier import Classifier
    from gradcam_widgets.heatmaps.heatmap import Heatmap

    T = TypeVar("T")

CACHED_TRACES, CACHED_HEATMAPS = 4, 256
Edits = tuple[Edit, ...]


class Question(NamedTuple):
    """Everything that determines one map of an image: target class, layer, method and edits."""

    target: int
    layer: str
    method: str
    edits: Edits = ()


class ExplanationCache:
    """Least-recently-used cache of traces, predictions and heatmaps.

    Args:
        classifier: The classifier.
        image: `(H, W, 3)` uint8 RGB.

    Attributes:
        layers: Layers that can carry a map, in call order.
        default_layer: Layer used when none is named.
    """

    def __init__(self, classifier: Classifier, image: NDArray[np.uint8]) -> None:
        """Find the layers, in one forward pass."""
        self.classifier, self.image = classifier, image
        self.layers: list[Layer] = classifier.layers(image)
        self.default_layer: Layer = next(layer for layer in self.layers if layer.default)
        self._traces: OrderedDict[Hashable, Trace] = OrderedDict()
        self._predictions: OrderedDict[Hashable, list[Prediction]] = OrderedDict()
        self._heatmaps: OrderedDict[Hashable, Heatmap] = OrderedDict()

    def layer_name(self, layer: str) -> str:
        """Return the full name of a layer.

        Raises:
            LayerError: If there is no such layer.
        """
        return find_layer(self.classifier.model, layer)[0]

    def predictions(self, edits: Edits, layer: str) -> list[Prediction]:
        """Return predictions of all classes for the edited image, best first; free if `layer` is traced."""

        def compute() -> list[Prediction]:
            trace = self._trace(edits, layer)
            return trace.predictions(trace.logits.shape[1])

        return _get_or_compute(self._predictions, (edits, layer), compute, CACHED_TRACES)

    def heatmap(self, question: Question) -> Heatmap:
        """Return a map; needs no forward pass while the trace of its layer and edits is cached."""
        trace = self._trace(question.edits, question.layer)
        return _get_or_compute(
            self._heatmaps,
            question,
            lambda: trace.heatmap(question.target, method=question.method),
            CACHED_HEATMAPS,
        )

    def heatmaps(self, targets: Sequence[int], layers: Sequence[str], method: str, edits: Edits) -> list[Heatmap]:
        """Compute the map of every class at every layer in one forward pass, ordered by class, then layer."""
        image, _ = edited(self.image, edits)
        return self.classifier.trace(image, layers).compare(targets, method=method)

    def clear_if_stale(self) -> bool:
        """Clear the cache if the model's weights have changed, and return whether they have."""
        if all(trace.is_current for trace in self._traces.values()):
            return False
        self._traces.clear()
        self._predictions.clear()
        self._heatmaps.clear()
        return True

    def window(self, edits: Edits) -> Box:
        """Return the part of the original image that reaches the model, in pixels."""
        image, window = edited(self.image, edits)
        left, top, right, bottom = self.classifier.window(image)
        return Box(
            window.left + round(left), window.top + round(top), window.left + round(right), window.top + round(bottom)
        )

    def _trace(self, edits: Edits, layer: str) -> Trace:
        def compute() -> Trace:
            image, _ = edited(self.image, edits)
            return self.classifier.trace(image, layer)

        return _get_or_compute(self._traces, (edits, layer), compute, CACHED_TRACES)


def _get_or_compute(cache: OrderedDict[Hashable, T], key: Hashable, compute: Callable[[], T], max_size: int) -> T:
    """Return the cached value of a key, or compute it and evict the least recently used ones."""
    if key not in cache:
        cache[key] = compute()
        while len(cache) > max_size:
            cache.popitem(last=False)
    cache.move_to_end(key)
    return cache[key]
