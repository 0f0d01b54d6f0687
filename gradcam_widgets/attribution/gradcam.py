"""Grad-CAM for PyTorch image classifiers: the entry point of the engine."""

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
    """Compute Grad-CAM heatmaps for a PyTorch image classifier.

    Args:
        model: Any torch model that returns class scores; every call leaves its state unchanged.
        class_names: Names of its classes, for lookup and display.
        output: Extracts the `(N, classes)` float class scores from the model's output; required unless that is a
            tensor, a tuple with a tensor first, or a dict or object with a tensor named `logits` or `out`.
        token_grid: Rows and columns of a transformer's patches, if they cannot be inferred.
        name: Name of the model in captions.

    Raises:
        ModelError: If the model is not a `torch.nn.Module`.
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
        """Store the unwrapped model; it is not modified."""
        if not isinstance(model, nn.Module):
            raise ModelError(f"model must be an instance of torch.nn.Module, got {type(model).__name__}.")
        names = None if class_names is None else tuple(class_names)
        self._scored = ScoredModel(unwrap(model), names, name, output)
        self.token_grid = token_grid

    @property
    def model(self) -> nn.Module:
        """The model, without wrappers such as `DataParallel`."""
        return self._scored.model

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes, or None."""
        return self._scored.class_names

    @property
    def name(self) -> str | None:
        """Name of the model in captions, or None."""
        return self._scored.name

    def trace(
        self,
        batch: Tensor,
        layers: Sequence[LayerName] | LayerName | None = None,
        *,
        images: Sequence[NDArray[np.uint8]] | None = None,
    ) -> Trace:
        """Run one forward pass and record the chosen layers.

        Args:
            batch: `(N, C, H, W)` float tensor of preprocessed images; moved to the model's device and dtype.
            layers: Layers as dotted paths or modules; by default the one recommended by `candidate_layers`. A model
                that calls its layers in another order than it defines them may need a second pass to find it.
            images: The images the model saw, one `(H, W, 3)` uint8 array per image of the batch, for overlays.

        Raises:
            ModelError: If the batch, the weights or the output are unusable.
            LayerError: If a layer does not exist, was not called or is not spatial.
        """
        prepared = self._scored.prepare(batch)
        if images is not None and len(images) != len(prepared):
            raise ModelError(f"images must have one entry per batch image, got {len(images)} for {len(prepared)}.")
        self._scored.check_batch(prepared)
        record = self._record_default if layers is None else partial(self._record_named, layers)
        recording, traced = record(prepared)
        self._scored.check_scores(recording.logits, prepared)
        return Trace(self._scored, recording, traced, images)

    def layers(self, batch: Tensor) -> list[Layer]:
        """Return the layers with a spatial output, in call order; see `candidate_layers`."""
        prepared = self._scored.prepare(batch)
        recording = self._record(prepared, self._all_modules(), lambda _name: False)
        return self._candidates(recording, self._layout(prepared))

    def heatmap(
        self,
        batch: Tensor,
        target: int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Trace one image and compute one heatmap; see `trace` and `Trace.heatmap`."""
        return self.trace(batch, layer).heatmap(target, method=method)

    def heatmaps(
        self,
        batch: Tensor,
        targets: Sequence[int | str] | int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> list[Heatmap]:
        """Trace a batch and compute one heatmap per image; see `trace` and `Trace.heatmaps`."""
        return self.trace(batch, layer).heatmaps(targets, method=method)

    def _record_default(self, batch: Tensor) -> tuple[Recording, list[Layer]]:
        """Record the likely default layers, and run again if the default is not among them."""
        recording = self._record(batch, self._all_modules(), likely_default(self.model).__contains__)
        default = _default_of(self._candidates(recording, self._layout(batch)), self.model)
        if default.name not in recording.kept:
            recording = self._record(batch, {default.name: find_layer(self.model, default.name)[1]})
        return recording, [default]

    def _record_named(self, layers: Sequence[LayerName] | LayerName, batch: Tensor) -> tuple[Recording, list[Layer]]:
        if not as_list(layers):
            raise LayerError("layers must name at least one layer, got an empty list.")
        modules = dict(find_layer(self.model, layer) for layer in as_list(layers))
        recording = self._record(batch, modules)
        layout = self._layout(batch)
        return recording, [self._called_layer(name, recording, layout) for name in modules]

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
            f"Layer {name!r} was never called in the forward pass: choose a layer listed by candidate_layers."
        )


def candidate_layers(
    model: nn.Module,
    batch: Tensor,
    *,
    output: Callable[[Any], Tensor] | None = None,
    token_grid: Grid | None = None,
) -> list[Layer]:
    """Return a model's layers with a spatial output, in call order, using one forward pass.

    Args:
        model: The model.
        batch: `(N, C, H, W)` float tensor of preprocessed images.
        output: As for `GradCAM`.
        token_grid: As for `GradCAM`.

    Returns:
        One entry per distinct spatial output, exactly one of them the default; empty if the model has none.
    """
    return GradCAM(model, output=output, token_grid=token_grid).layers(batch)


def _default_of(layers: Sequence[Layer], model: nn.Module) -> Layer:
    for layer in layers:
        if layer.default:
            return layer
    raise LayerError(
        f"No layer of this {type(model).__name__} has an output with rows and columns: use a model with spatial layers."
    )
