"""The face of the engine: one forward pass, then any question about it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from gradcam_widgets.errors import LayerError, ModelError

from .candidates import candidates, likely_default
from .layers import Grid, Layer, LayerName, as_list, find_layer
from .model_state import unwrap
from .recording import Recording, record
from .scored_model import ScoredModel
from .spatial_layout import SpatialLayout
from .trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gradcam_widgets.heatmaps.heatmap import Heatmap


class GradCAM:
    """Asks a model where it looked.

    Args:
        model: Any torch model that puts out class scores; it is given back exactly as it was after each call.
        class_names: Names of its classes, so that they can be asked for and shown by name.
        output: Reads the class scores, axes (image, class), from what the model returns; needed where
            that is neither a tensor nor a tuple, dict or object with a tensor first, under `logits` or `out`.
        token_grid: Rows and columns of a transformer's patches, where they cannot be inferred.
        name: What the model is called in captions.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        class_names: Sequence[str] | None = None,
        output: Callable[[Any], Tensor] | None = None,
        token_grid: Grid | None = None,
        name: str | None = None,
    ) -> None:
        """Remember the model; nothing is done to it."""
        if not isinstance(model, nn.Module):
            raise ModelError(f"GradCAM takes a torch.nn.Module, not {type(model).__name__}: give the model itself.")
        names = None if class_names is None else tuple(class_names)
        self._scored = ScoredModel(unwrap(model), names, name, output)
        self.token_grid = token_grid

    @property
    def model(self) -> nn.Module:
        """The model, without what it was wrapped in."""
        return self._scored.model

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes, or None."""
        return self._scored.class_names

    @property
    def name(self) -> str | None:
        """What the model is called in captions, or None."""
        return self._scored.name

    def trace(
        self,
        batch: Tensor,
        layers: Sequence[LayerName] | LayerName | None = None,
        *,
        images: Sequence[NDArray[np.uint8]] | None = None,
    ) -> Trace:
        """Run one forward pass and keep what is needed to answer any question about the chosen layers.

        Args:
            batch: Preprocessed images, axes (image, channel, row, column), floating point; brought to the
                model's device and dtype.
            layers: Layers by dotted path or as modules; by default the one that `candidate_layers` recommends
                (found in the same pass; only if the model calls its layers in another order than it defines
                them may that take a second one).
            images: What the model saw, one for each of the batch, axes (row, column, RGB), uint8, to come
                with the maps.

        Raises:
            ModelError: If batch, weights or output cannot be used.
            LayerError: If a layer does not exist, was not called or is not spatial.
        """
        ready = self._scored.prepare(batch)
        if images is not None and len(images) != len(ready):
            raise ModelError(f"{len(images)} images were given for a batch of {len(ready)}: give one each.")
        self._scored.check_batch(ready)
        record = self._record_default if layers is None else partial(self._record_named, layers)
        recording, chosen = record(ready)
        self._scored.check_scores(recording.logits, ready)
        return Trace(self._scored, recording, chosen, images)

    def layers(self, batch: Tensor) -> list[Layer]:
        """List the layers that can carry a map, in call order; see `candidate_layers`."""
        ready = self._scored.prepare(batch)
        recording = self._record(ready, self._all_modules(), lambda _name: False)
        return self._candidates(recording, self._layout(ready))

    def heatmap(
        self,
        batch: Tensor,
        target: int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Trace one image and ask once; the arguments are those of `trace` and `Trace.heatmap`."""
        return self.trace(batch, layer).heatmap(target, method=method)

    def heatmaps(
        self,
        batch: Tensor,
        targets: Sequence[int | str] | int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> list[Heatmap]:
        """Trace a batch and ask once; the arguments are those of `trace` and `Trace.heatmaps`."""
        return self.trace(batch, layer).heatmaps(targets, method=method)

    def _record_default(self, batch: Tensor) -> tuple[Recording, list[Layer]]:
        """Keep the layers among which the default is likely to be found; run again where it is none of them."""
        recording = self._record(batch, self._all_modules(), likely_default(self.model).__contains__)
        default = _default_of(self._candidates(recording, self._layout(batch)), self.model)
        if default.name not in recording.kept:
            recording = self._record(batch, {default.name: find_layer(self.model, default.name)[1]})
        return recording, [default]

    def _record_named(self, layers: Sequence[LayerName] | LayerName, batch: Tensor) -> tuple[Recording, list[Layer]]:
        wanted = as_list(layers)
        if not wanted:
            raise LayerError("An empty list of layers was given: name at least one, or leave it out.")
        named = dict(find_layer(self.model, layer) for layer in wanted)
        recording = self._record(batch, named)
        layout = self._layout(batch)
        return recording, [self._called_layer(name, recording, layout) for name in named]

    def _record(
        self, batch: Tensor, modules: dict[str, nn.Module], keep: Callable[[str], bool] = lambda _name: True
    ) -> Recording:
        return record(self.model, batch, modules, self._scored.read_scores, keep)

    def _layout(self, batch: Tensor) -> SpatialLayout:
        return SpatialLayout(self.model, len(batch), (batch.shape[2], batch.shape[3]), self.token_grid)

    def _all_modules(self) -> dict[str, nn.Module]:
        return {name: module for name, module in self.model.named_modules() if name}

    def _candidates(self, recording: Recording, layout: SpatialLayout) -> list[Layer]:
        return candidates(recording.outputs, layout, recording.logits.shape[1])

    def _called_layer(self, name: str, recording: Recording, layout: SpatialLayout) -> Layer:
        for output in recording.outputs:
            if output.name == name:
                return layout.layer(output)
        raise LayerError(
            f"Layer {name!r} was never called in the forward pass: choose one that candidate_layers lists."
        )


def candidate_layers(
    model: nn.Module,
    batch: Tensor,
    *,
    output: Callable[[Any], Tensor] | None = None,
    token_grid: Grid | None = None,
) -> list[Layer]:
    """List the layers of a model that can carry a map, by one traced pass, in call order.

    Args:
        model: The model.
        batch: Preprocessed images, axes (image, channel, row, column).
        output: As for `GradCAM`.
        token_grid: As for `GradCAM`.

    Returns:
        One entry for each distinct spatial output; exactly one is the default, and says why. Empty if the model
        has none.
    """
    return GradCAM(model, output=output, token_grid=token_grid).layers(batch)


def _default_of(layers: Sequence[Layer], model: nn.Module) -> Layer:
    for layer in layers:
        if layer.default:
            return layer
    raise LayerError(f"No layer of this {type(model).__name__} puts out rows and columns: it has nothing to map.")
