"""The face of the engine: one forward pass, then any question about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .capture import Capture, forward, unwrap
from .errors import LayerError, ModelError
from .layers import Geometry, Grid, Layer, LayerName, as_list, candidates, find_layer, likely_default
from .trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gradcam_widgets.heatmaps.heatmap import Heatmap

OUTPUT_NAMES = ("logits", "out")


class GradCAM:
    """Asks a network where it looked.

    Args:
        model: Any torch network that puts out class scores; it is given back exactly as it was after each call.
        categories: Names of its classes, so that they can be asked for and shown by name.
        output: Reads the class scores, axes (picture, category), from what the network returns; needed where
            that is neither a tensor nor a tuple, dict or object with a tensor first, under `logits` or `out`.
        token_grid: Rows and columns of a transformer's patches, where they cannot be inferred.
        name: What the network is called in captions.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        categories: Sequence[str] | None = None,
        output: Callable[[Any], Tensor] | None = None,
        token_grid: Grid | None = None,
        name: str | None = None,
    ) -> None:
        """Remember the network; nothing is done to it."""
        if not isinstance(model, nn.Module):
            raise ModelError(f"GradCAM takes a torch.nn.Module, not {type(model).__name__}: give the network itself.")
        self.model = unwrap(model)
        self.categories = None if categories is None else tuple(categories)
        self.output = output
        self.token_grid = token_grid
        self.name = name

    def trace(
        self,
        batch: Tensor,
        layers: Sequence[LayerName] | LayerName | None = None,
        *,
        pictures: Sequence[NDArray[np.uint8]] | None = None,
    ) -> Trace:
        """Run one forward pass and keep what is needed to answer any question about the chosen layers.

        Args:
            batch: Preprocessed pictures, axes (picture, channel, row, column), floating point; brought to the
                network's device and dtype.
            layers: Layers by dotted path or as modules; by default the one that `candidate_layers` recommends
                (found in the same pass; only if the network calls its layers in another order than it defines
                them may that take a second one).
            pictures: What the network saw, one for each of the batch, axes (row, column, RGB), uint8, to come
                with the maps.

        Raises:
            ModelError: If batch, weights or output cannot be used.
            LayerError: If a layer does not exist, was not called or is not spatial.
        """
        ready = self._prepare(batch)
        if pictures is not None and len(pictures) != len(ready):
            raise ModelError(f"{len(pictures)} pictures were given for a batch of {len(ready)}: give one each.")
        if len(ready) > 1 and any(_mixes_pictures(module) for module in self.model.modules()):
            raise ModelError(
                "The network normalises over the pictures of a batch (track_running_stats=False), so that one would "
                "explain another: trace them one by one."
            )
        geometry = self._geometry(ready)
        if layers is None:
            capture = forward(
                self.model, ready, self._all_modules(), self._scores, likely_default(self.model).__contains__
            )
            default = _default_of(self._candidates(capture, geometry), self.model)
            if default.name not in capture.kept:
                capture = forward(
                    self.model, ready, {default.name: find_layer(self.model, default.name)[1]}, self._scores
                )
            chosen = [default]
        else:
            wanted = as_list(layers)
            if not wanted:
                raise LayerError("An empty list of layers was given: name at least one, or leave it out.")
            named = dict(find_layer(self.model, layer) for layer in wanted)
            capture = forward(self.model, ready, named, self._scores)
            chosen = [self._called_layer(name, capture, geometry) for name in named]
        if len(capture.logits) != len(ready):
            raise ModelError(
                f"The network put out scores for {len(capture.logits)} pictures, but the batch holds {len(ready)}: "
                "give GradCAM(model, output=…), a function that returns axes (picture, category)."
            )
        self._check_finite(capture.logits, ready)
        if self.categories is not None and len(self.categories) != capture.logits.shape[1]:
            raise ModelError(
                f"{len(self.categories)} categories were given for a network with {capture.logits.shape[1]} class "
                "scores: give one name for each."
            )
        return Trace(self, capture, chosen, pictures)

    def layers(self, batch: Tensor) -> list[Layer]:
        """List the layers that can carry a map, in call order; see `candidate_layers`."""
        ready = self._prepare(batch)
        capture = forward(self.model, ready, self._all_modules(), self._scores, lambda _name: False)
        return self._candidates(capture, self._geometry(ready))

    def heatmap(
        self,
        batch: Tensor,
        class_index: int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Trace one picture and ask once; the arguments are those of `trace` and `Trace.heatmap`."""
        return self.trace(batch, layer).heatmap(class_index, method=method)

    def heatmaps(
        self,
        batch: Tensor,
        class_indices: Sequence[int | str] | int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> list[Heatmap]:
        """Trace a batch and ask once; the arguments are those of `trace` and `Trace.heatmaps`."""
        return self.trace(batch, layer).heatmaps(class_indices, method=method)

    def refuse_weights_that_are_not_finite(self) -> None:
        """Raise a `ModelError` that names the first weights with NaN or infinity, if there are any."""
        for name, tensor in self.model.state_dict(keep_vars=True).items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise ModelError(f"The weights {name!r} hold NaN or infinity: load the network again.")

    def _geometry(self, batch: Tensor) -> Geometry:
        return Geometry(self.model, len(batch), (batch.shape[2], batch.shape[3]), self.token_grid)

    def _all_modules(self) -> dict[str, nn.Module]:
        return {name: module for name, module in self.model.named_modules() if name}

    def _candidates(self, capture: Capture, geometry: Geometry) -> list[Layer]:
        return candidates(capture.outputs, geometry, capture.logits.shape[1])

    def _prepare(self, batch: Tensor) -> Tensor:
        if not isinstance(batch, Tensor):
            raise ModelError(f"A batch is a torch tensor, not {type(batch).__name__}: preprocess the picture first.")
        if batch.ndim == 3:
            raise ModelError(f"A batch has four axes, not {tuple(batch.shape)}: add that of pictures by batch[None].")
        if batch.ndim != 4 or 0 in batch.shape:
            raise ModelError(
                f"A batch has axes (picture, channel, row, column), none of them empty, not {tuple(batch.shape)}."
            )
        if not batch.is_floating_point():
            raise ModelError(f"A batch holds floating-point numbers, not {batch.dtype}: preprocess the picture first.")
        reference = next((p for p in self.model.parameters() if p.is_floating_point()), batch)
        return batch.detach().to(reference.device, reference.dtype)

    def _scores(self, output: Any) -> Tensor:
        scores = self.output(output) if self.output else _find_scores(output)
        if isinstance(scores, Tensor) and scores.ndim == 1 and self.output is None:
            scores = scores[:, None]
        if not isinstance(scores, Tensor) or scores.ndim != 2 or 0 in scores.shape or not scores.is_floating_point():
            what = f"in a {type(scores).__name__}"
            if isinstance(scores, Tensor):
                what = f"as {str(scores.dtype).removeprefix('torch.')} of shape {tuple(scores.shape)}"
            raise ModelError(
                f"Class scores have axes (picture, category), but the network's come {what}: "
                "give GradCAM(model, output=…), a function that reads them from what the network returns."
            )
        return scores

    def _called_layer(self, name: str, capture: Capture, geometry: Geometry) -> Layer:
        for output in capture.outputs:
            if output.name == name:
                return geometry.layer(output)
        raise LayerError(
            f"Layer {name!r} was never called in the forward pass: choose one that candidate_layers lists."
        )

    def _check_finite(self, logits: Tensor, batch: Tensor) -> None:
        if logits.isfinite().all():
            return
        if not batch.isfinite().all():
            raise ModelError("The batch holds NaN or infinity: check how the picture was preprocessed.")
        self.refuse_weights_that_are_not_finite()
        raise ModelError(f"The class scores are not finite in {logits.dtype}: run the network in float32.")


def candidate_layers(
    model: nn.Module,
    batch: Tensor,
    *,
    output: Callable[[Any], Tensor] | None = None,
    token_grid: Grid | None = None,
) -> list[Layer]:
    """List the layers of a network that can carry a map, by one traced pass, in call order.

    Args:
        model: The network.
        batch: Preprocessed pictures, axes (picture, channel, row, column).
        output: As for `GradCAM`.
        token_grid: As for `GradCAM`.

    Returns:
        One entry for each distinct spatial output; exactly one is the default, and says why. Empty if the network
        has none.
    """
    return GradCAM(model, output=output, token_grid=token_grid).layers(batch)


def _mixes_pictures(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.running_mean is None


def _default_of(layers: Sequence[Layer], model: nn.Module) -> Layer:
    for layer in layers:
        if layer.default:
            return layer
    raise LayerError(f"No layer of this {type(model).__name__} puts out rows and columns: it has nothing to map.")


def _find_scores(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output
    for name in OUTPUT_NAMES:
        found = output.get(name) if hasattr(output, "get") else getattr(output, name, None)
        if isinstance(found, Tensor):
            return found
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
        return output[0]
    return output
