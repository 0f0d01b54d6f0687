"""The face of the engine: one forward pass, then any question about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from .capture import Capture, forward, gradients, unwrap
from .categories import find_category
from .errors import CategoryError, LayerError, ModelError
from .heatmap import Heatmap
from .layers import Geometry, Grid, Layer, candidates, find_layer, likely_default
from .methods import find_method

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

OUTPUT_NAMES = ("logits", "out")


class Prediction(NamedTuple):
    """One class of a prediction: index, name or None, softmax probability, logit."""

    class_index: int
    category: str | None
    probability: float
    logit: float


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

    def trace(self, batch: Tensor, layers: Sequence[str | nn.Module] | str | nn.Module | None = None) -> Trace:
        """Run one forward pass and keep what is needed to answer any question about the chosen layers.

        Args:
            batch: Preprocessed pictures, axes (picture, channel, row, column), floating point; brought to the
                network's device and dtype.
            layers: Layers by dotted path or as modules; by default the one that `candidate_layers` recommends
                (found in the same pass; only if the network calls its layers in another order than it defines
                them may that take a second one).

        Raises:
            ModelError: If batch, weights or output cannot be used.
            LayerError: If a layer does not exist, was not called or is not spatial.
        """
        ready = self._prepare(batch)
        geometry = self._geometry(ready)
        if layers is None:
            capture = forward(
                self.model, ready, self._all_modules(), self._scores, likely_default(self.model).__contains__
            )
            default = _default_of(self._candidates(capture, geometry), self.model)
            if default.name not in capture.kept:
                capture = forward(self.model, ready, {default.name: find_layer(self.model, default.name)[1]}, self._scores)
            chosen = [default]
        else:
            wanted = [layers] if isinstance(layers, (str, nn.Module)) else list(layers)
            if not wanted:
                raise LayerError("An empty list of layers was given: name at least one, or leave it out.")
            named = dict(find_layer(self.model, layer) for layer in wanted)
            capture = forward(self.model, ready, named, self._scores)
            chosen = [self._called_layer(name, capture, geometry) for name in named]
        self._check_finite(capture.logits, ready)
        return Trace(self, capture, chosen)

    def layers(self, batch: Tensor) -> list[Layer]:
        """List the layers that can carry a map, in call order; see `candidate_layers`."""
        ready = self._prepare(batch)
        capture = forward(self.model, ready, self._all_modules(), self._scores, lambda _name: False)
        return self._candidates(capture, self._geometry(ready))

    def heatmap(
        self,
        batch: Tensor,
        class_index: int | str | None = None,
        layer: str | nn.Module | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Trace one picture and ask once; the arguments are those of `trace` and `Trace.heatmap`."""
        return self.trace(batch, layer).heatmap(class_index, method=method)

    def heatmaps(
        self,
        batch: Tensor,
        class_indices: Sequence[int | str] | int | str | None = None,
        layer: str | nn.Module | None = None,
        method: str = "grad-cam",
    ) -> list[Heatmap]:
        """Trace a batch and ask once; the arguments are those of `trace` and `Trace.heatmaps`."""
        return self.trace(batch, layer).heatmaps(class_indices, method=method)

    def _geometry(self, batch: Tensor) -> Geometry:
        return Geometry(self.model, (batch.shape[2], batch.shape[3]), self.token_grid)

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
        if not isinstance(scores, Tensor) or scores.ndim != 2 or 0 in scores.shape:
            what = f"of shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else f"in a {type(scores).__name__}"
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
        for name, tensor in self.model.state_dict(keep_vars=True).items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise ModelError(f"The weights {name!r} hold NaN or infinity: load the network again.")
        raise ModelError(f"The class scores are not finite in {logits.dtype}: run the network in float32.")


class Trace:
    """What one forward pass left behind: asks no further pass of the network.

    Attributes:
        logits: Class scores, axes (picture, category), detached.
        probabilities: Their softmax (sigmoid for one logit), same axes, float32 or wider, 0…1.
        layers: The traced layers, in the order asked for.
    """

    def __init__(self, engine: GradCAM, capture: Capture, layers: Sequence[Layer]) -> None:
        """Made by `GradCAM.trace`."""
        self._engine = engine
        self._scores = capture.logits
        self._kept = {layer.name: capture.kept[layer.name] for layer in layers}
        self.layers: tuple[Layer, ...] = tuple(layers)
        self.logits = capture.logits.detach()
        self._looks_like_probabilities = _are_probabilities(self.logits)
        self.probabilities = self._probabilities()

    def __repr__(self) -> str:
        """Return one line that is the same on every machine."""
        pictures, categories = self.logits.shape
        return f"Trace({pictures} × {categories} scores, {', '.join(map(str, self.layers))})"

    @property
    def activations(self) -> Mapping[str, Tensor]:
        """What each traced layer put out, by name: axes (picture, channel, row, column), detached."""
        return {layer.name: layer.maps(self._kept[layer.name].detach()) for layer in self.layers}

    def predictions(self, k: int = 5, picture: int = 0) -> list[Prediction]:
        """Return the k most probable classes of one picture of the batch, best first."""
        _, order = self.logits[picture].float().sort(descending=True, stable=True)
        return [
            Prediction(i, self._category(i), float(self.probabilities[picture, i]), float(self.logits[picture, i]))
            for i in order[:k].tolist()
        ]

    def heatmap(
        self,
        class_index: int | str | None = None,
        layer: str | nn.Module | None = None,
        method: str = "grad-cam",
        *,
        picture: NDArray[np.uint8] | None = None,
    ) -> Heatmap:
        """Say where in the one picture of this trace a class's evidence lies.

        Args:
            class_index: Index or name; by default the class with the highest score.
            layer: One of the traced layers; needed only where there are several.
            method: Name of the method.
            picture: What the network saw, axes (row, column, RGB), uint8, to come with the map.

        Raises:
            CategoryError: If there is no such class.
            LayerError: If the layer was not traced, or the class score does not depend on it.
            MethodError: If the method is unknown or its conditions are not met.
            ModelError: If the batch holds several pictures.
        """
        self._check_single("heatmap", "heatmaps")
        return self._ask([self._index(class_index, 0)], [self._layer(layer)], method, [picture])[0]

    def heatmaps(
        self,
        class_indices: Sequence[int | str] | int | str | None = None,
        layer: str | nn.Module | None = None,
        method: str = "grad-cam",
        *,
        pictures: Sequence[NDArray[np.uint8] | None] | None = None,
    ) -> list[Heatmap]:
        """Say for every picture of the batch where a class's evidence lies.

        Args:
            class_indices: One class for all pictures, or one for each; by default each one's own first.
            layer: As for `heatmap`.
            method: As for `heatmap`.
            pictures: What the network saw, one for each.

        Raises:
            CategoryError: If there is no such class, or their number is not that of the pictures.
        """
        count = len(self.logits)
        wanted: Sequence[int | str | None]
        if class_indices is None or isinstance(class_indices, (int, str)):
            wanted = [class_indices] * count
        else:
            wanted = list(class_indices)
        for what, given in (("classes", wanted), ("pictures", pictures)):
            if given is not None and len(given) != count:
                raise CategoryError(
                    f"{len(given)} {what} were given for a batch of {count} pictures: give one each, or one for all."
                )
        indices = [self._index(class_index, i) for i, class_index in enumerate(wanted)]
        return self._ask(indices, [self._layer(layer)], method, pictures or [None] * count)

    def compare(
        self,
        class_indices: Sequence[int | str | None],
        layers: Sequence[str | nn.Module] | None = None,
        method: str = "grad-cam",
        *,
        picture: NDArray[np.uint8] | None = None,
    ) -> list[Heatmap]:
        """Ask for several classes at several layers of one picture; one backward pass serves all layers of a class.

        Args:
            class_indices: Indices or names.
            layers: Some of the traced layers; by default all.
            method: As for `heatmap`.
            picture: As for `heatmap`.

        Returns:
            One map for each class and layer: all layers of the first class, then of the second, and so on.
        """
        self._check_single("compare", "heatmaps for each class")
        chosen = list(self.layers) if layers is None else [self._layer(layer) for layer in layers]
        return [
            heatmap
            for class_index in class_indices
            for heatmap in self._ask([self._index(class_index, 0)], chosen, method, [picture])
        ]

    def _ask(
        self,
        class_indices: list[int],
        layers: Sequence[Layer],
        method: str,
        pictures: Sequence[NDArray[np.uint8] | None],
    ) -> list[Heatmap]:
        """Return the maps of all layers for each picture, layer by layer."""
        found = find_method(method)
        classes = torch.tensor(class_indices, device=self.logits.device)
        heatmaps = []
        for layer, gradient in zip(
            layers, gradients(self._scores, classes, [self._kept[layer.name] for layer in layers]), strict=True
        ):
            if gradient is None:
                raise LayerError(
                    f"The class scores do not depend on what layer {layer.name!r} put out: choose another layer."
                )
            activations = layer.maps(_at_least_float32(self._kept[layer.name].detach()))
            inputs: dict[str, Tensor | None] = {
                "activations": activations,
                "gradients": layer.maps(_at_least_float32(gradient)),
            }
            if "class_weights" in found.needs:
                inputs["class_weights"] = self._class_weights(classes, activations)
            maps = found.function(**{name: inputs[name] for name in found.needs})
            heatmaps += [
                self._heatmap(maps[i].float().cpu().numpy(), class_index, i, layer, found.name, pictures[i])
                for i, class_index in enumerate(class_indices)
            ]
        return heatmaps

    def _heatmap(
        self,
        values: NDArray[np.float32],
        class_index: int,
        i: int,
        layer: Layer,
        method: str,
        picture: NDArray[np.uint8] | None,
    ) -> Heatmap:
        remarks = []
        if layer.calls > 1:
            remarks.append(f"Layer {layer.name} was called {layer.calls} times in the pass: this explains the last call.")
        if self._looks_like_probabilities:
            remarks.append("The network's outputs look like probabilities: give output=… that returns logits.")
        return Heatmap(
            values=values,
            class_index=class_index,
            category=self._category(class_index),
            logit=float(self.logits[i, class_index]),
            probability=float(self.probabilities[i, class_index]),
            layer=layer.name,
            method=method,
            network=self._engine.name,
            picture=picture,
            noted=tuple(remarks),
        )

    def _probabilities(self) -> Tensor:
        scores = _at_least_float32(self.logits)
        if self._looks_like_probabilities:
            return scores
        return scores.sigmoid() if scores.shape[1] == 1 else scores.softmax(dim=1)

    def _class_weights(self, classes: Tensor, activations: Tensor) -> Tensor | None:
        weight = _last_linear(self._engine.model)
        if weight is None or weight.shape != (self.logits.shape[1], activations.shape[1]):
            return None
        return weight.detach()[classes].to(activations)

    def _category(self, class_index: int) -> str | None:
        names = self._engine.categories
        return names[class_index] if names and len(names) == self.logits.shape[1] else None

    def _index(self, class_index: int | str | None, picture: int) -> int:
        if class_index is None:
            return self.predictions(1, picture)[0].class_index
        return find_category(class_index, self.logits.shape[1], self._engine.categories)

    def _layer(self, layer: str | nn.Module | None) -> Layer:
        if layer is None:
            if len(self.layers) == 1:
                return self.layers[0]
            raise LayerError(f"Several layers were traced: name one of {', '.join(self._kept)}.")
        name = layer if layer in self._kept else find_layer(self._engine.model, layer)[0]
        for traced in self.layers:
            if traced.name == name:
                return traced
        raise LayerError(f"Layer {name!r} was not traced, only {', '.join(self._kept)}: name it in trace(layers=…).")

    def _check_single(self, method: str, instead: str) -> None:
        if len(self.logits) != 1:
            raise ModelError(f"{method} answers for one picture, and the batch holds {len(self.logits)}: use {instead}.")


def candidate_layers(
    model: nn.Module, batch: Tensor, *, output: Callable[[Any], Tensor] | None = None, token_grid: Grid | None = None
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


def _last_linear(model: nn.Module) -> Tensor | None:
    weights = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    return weights[-1] if weights else None


def _are_probabilities(scores: Tensor) -> bool:
    wide = _at_least_float32(scores)
    inside = bool(((wide >= 0) & (wide <= 1)).all())
    return inside and scores.shape[1] > 1 and torch.allclose(wide.sum(dim=1), wide.new_ones(()), atol=1e-3)


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
