"""Questions about one image and one model, each asked once: what the panel needs of the engine, without widgets."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from gradcam_widgets.attribution.layers import find_layer
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
    from gradcam_widgets.images.box import Box

    T = TypeVar("T")

CACHED_TRACES, CACHED_HEATMAPS = 4, 256
Edits = tuple[Edit, ...]


class Question(NamedTuple):
    """Which map is wanted: of which class, at which layer, by which method, and what was done to the image."""

    target: int
    layer: str
    method: str
    edits: Edits = ()


class Inquiry:
    """Answers about one image and one model, and remembers the last of them.

    Args:
        classifier: The model.
        image: Axes (row, column, RGB), uint8.

    Attributes:
        layers: The layers that can carry a map, in call order.
        default: The layer that is taken when none is named.
    """

    def __init__(self, classifier: Classifier, image: NDArray[np.uint8]) -> None:
        """Find the layers, in one pass."""
        self.classifier, self.image = classifier, image
        self.layers: list[Layer] = classifier.layers(image)
        self.default: Layer = next(layer for layer in self.layers if layer.default)
        self._traces: OrderedDict[Hashable, Trace] = OrderedDict()
        self._predictions: OrderedDict[Hashable, list[Prediction]] = OrderedDict()
        self._heatmaps: OrderedDict[Hashable, Heatmap] = OrderedDict()

    def layer_name(self, wanted: str) -> str:
        """Resolve a layer's name.

        Raises:
            LayerError: If there is no such layer.
        """
        return find_layer(self.classifier.model, wanted)[0]

    def predictions(self, edits: Edits, layer: str) -> list[Prediction]:
        """Return all classes of the changed image, best first; free where the layer was traced."""

        def predictions() -> list[Prediction]:
            trace = self._trace(edits, layer)
            return trace.predictions(trace.logits.shape[1])

        return _remembered(self._predictions, (edits, layer), predictions, CACHED_TRACES)

    def heatmap(self, question: Question) -> Heatmap:
        """Answer a question, without a pass where its layer and image were asked about lately."""
        trace = self._trace(question.edits, question.layer)
        return _remembered(
            self._heatmaps,
            question,
            lambda: trace.heatmap(question.target, method=question.method),
            CACHED_HEATMAPS,
        )

    def heatmaps(self, targets: Sequence[int], layers: Sequence[str], method: str, edits: Edits) -> list[Heatmap]:
        """Answer for every class at every layer, in one pass: all layers of the first class, then of the second."""
        shown, _ = edited(self.image, edits)
        return self.classifier.trace(shown, layers).compare(targets, method=method)

    def forget_if_changed(self) -> bool:
        """Forget all answers if the model's weights have changed since, and say whether that was so."""
        if all(trace.is_current for trace in self._traces.values()):
            return False
        self._traces.clear()
        self._predictions.clear()
        self._heatmaps.clear()
        return True

    def window(self, edits: Edits) -> Box:
        """Return which part of the whole image the model saw, rounded to its pixels."""
        from gradcam_widgets.images.box import Box  # noqa: PLC0415 - for typing above

        shown, window = edited(self.image, edits)
        left, top, right, bottom = self.classifier.window(shown)
        return Box(
            window.left + round(left), window.top + round(top), window.left + round(right), window.top + round(bottom)
        )

    def _trace(self, edits: Edits, layer: str) -> Trace:
        def trace() -> Trace:
            shown, _ = edited(self.image, edits)
            return self.classifier.trace(shown, layer)

        return _remembered(self._traces, (edits, layer), trace, CACHED_TRACES)


def _remembered(memory: OrderedDict[Hashable, T], key: Hashable, make: Callable[[], T], most: int) -> T:
    """Return what was made for a key lately, or make it and forget what was not used for longest."""
    if key not in memory:
        memory[key] = make()
        while len(memory) > most:
            memory.popitem(last=False)
    memory.move_to_end(key)
    return memory[key]
