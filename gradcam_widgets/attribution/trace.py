"""What one forward pass left behind, and the questions that can be asked of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import Tensor, nn

from gradcam_widgets.errors import LayerError, ModelError, TargetError
from gradcam_widgets.heatmaps.formatting import decimal
from gradcam_widgets.heatmaps.heatmap import Heatmap

from .class_names import find_class
from .layers import Layer, LayerName, as_list, find_layer
from .methods import find_method
from .recording import Recording, gradients

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from .scored_model import ScoredModel


class Prediction(NamedTuple):
    """One class of a prediction: index, name or None, softmax probability, logit."""

    class_index: int
    class_name: str | None
    probability: float
    logit: float

    def __repr__(self) -> str:
        """Return one line; between machines, at most the last digit of a number differs."""
        name = f"class {self.class_index}" if self.class_name is None else f"{self.class_name} ({self.class_index})"
        return f"Prediction({name}, probability {decimal(self.probability, 3)}, logit {decimal(self.logit, 3)})"


class Trace:
    """What one forward pass left behind: asks no further pass of the model.

    Attributes:
        logits: Class scores, axes (image, class), detached.
        probabilities: Their softmax (sigmoid for one logit), same axes, float32 or wider, 0…1.
        layers: The traced layers, in the order asked for.
    """

    def __init__(
        self,
        scored: ScoredModel,
        recording: Recording,
        layers: Sequence[Layer],
        images: Sequence[NDArray[np.uint8]] | None = None,
    ) -> None:
        """Made by `GradCAM.trace`."""
        self._images = images
        self._scored = scored
        names = [layer.name for layer in layers]
        self._recording = replace(recording, kept={name: recording.kept[name] for name in names}, outputs=[])
        self._kept = self._recording.kept
        self.layers: tuple[Layer, ...] = tuple(layers)
        self.logits = recording.logits.detach()
        self._looks_like_probabilities = _are_probabilities(self.logits)
        self.probabilities = self._probabilities()

    def __repr__(self) -> str:
        """Return one line that is the same on every machine."""
        images, class_names = self.logits.shape
        return f"Trace({images} × {class_names} scores, {', '.join(map(str, self.layers))})"

    @property
    def is_current(self) -> bool:
        """Whether the model's weights and buffers are still those of the pass."""
        return self._recording.is_current

    @property
    def activations(self) -> Mapping[str, Tensor]:
        """What each traced layer put out, by name: axes (image, channel, row, column), detached."""
        return {layer.name: layer.maps(self._kept[layer.name].detach()) for layer in self.layers}

    def predictions(self, k: int = 5, image: int = 0) -> list[Prediction]:
        """Return the k most probable classes of one image of the batch, best first."""
        _, order = self.logits[image].float().sort(descending=True, stable=True)
        best = order[:k]
        scores = (values[image, best].tolist() for values in (self.probabilities, self.logits))
        return [
            Prediction(i, self._scored.class_name(i), probability, logit)
            for i, probability, logit in zip(best.tolist(), *scores, strict=True)
        ]

    def heatmap(
        self,
        target: int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Say where in the one image of this trace a class's evidence lies.

        Args:
            target: Index or name; by default the class with the highest score.
            layer: One of the traced layers; needed only where there are several.
            method: Name of the method.

        Raises:
            TargetError: If there is no such class.
            LayerError: If the layer was not traced, or the class score does not depend on it.
            MethodError: If the method is unknown or its conditions are not met.
            ModelError: If the batch holds several images.
        """
        self._check_single("heatmap", "heatmaps")
        return self._ask([self._index(target, 0)], [self._layer(layer)], method)[0]

    def heatmaps(
        self,
        targets: Sequence[int | str] | int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> list[Heatmap]:
        """Say for every image of the batch where a class's evidence lies.

        Args:
            targets: One class for all images, or one for each; by default each one's own first.
            layer: As for `heatmap`.
            method: As for `heatmap`.

        Raises:
            TargetError: If there is no such class, or their number is not that of the images.
        """
        count = len(self.logits)
        wanted: Sequence[int | str | None]
        if _is_one(targets):
            wanted = [cast("int | str | None", targets)] * count
        else:
            wanted = list(cast("Sequence[int | str | None]", targets))
        if len(wanted) != count:
            raise TargetError(
                f"{len(wanted)} classes were given for a batch of {count} images: give one each, or one for all."
            )
        indices = [self._index(target, i) for i, target in enumerate(wanted)]
        return self._ask(indices, [self._layer(layer)], method)

    def compare(
        self,
        targets: Sequence[int | str | None] | int | str,
        layers: Sequence[LayerName] | LayerName | None = None,
        method: str = "grad-cam",
    ) -> list[Heatmap]:
        """Ask for several classes at several layers of one image; one backward pass serves all layers of a class.

        Args:
            targets: Indices or names.
            layers: Some of the traced layers; by default all.
            method: As for `heatmap`.

        Returns:
            One map for each class and layer: all layers of the first class, then of the second, and so on.
        """
        self._check_single("compare", "heatmaps for each class")
        chosen = list(self.layers) if layers is None else [self._layer(layer) for layer in as_list(layers)]
        wanted = cast("Sequence[int | str | None]", [targets] if _is_one(targets) else targets)
        return [heatmap for target in wanted for heatmap in self._ask([self._index(target, 0)], chosen, method)]

    def _ask(self, class_indices: list[int], layers: Sequence[Layer], method: str) -> list[Heatmap]:
        """Return the maps of all layers for each image, layer by layer."""
        found = find_method(method)
        classes = torch.tensor(class_indices, device=self.logits.device)
        heatmaps = []
        found_gradients = gradients(self._scored.model, self._recording, classes, [layer.name for layer in layers])
        for layer, gradient in zip(layers, found_gradients, strict=True):
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
            if not maps.isfinite().all():
                self._scored.check_weights_are_finite()
            heatmaps += [
                self._heatmap(maps[i].float().cpu().numpy(), class_index, i, layer, found.name)
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
    ) -> Heatmap:
        caveats = []
        if layer.calls > 1:
            caveats.append(
                f"Layer {layer.name} was called {layer.calls} times in the pass: this explains the last call."
            )
        if self._looks_like_probabilities:
            caveats.append("The model's outputs look like probabilities: give output=… that returns logits.")
        return Heatmap(
            values=values,
            class_index=class_index,
            class_name=self._scored.class_name(class_index),
            logit=float(self.logits[i, class_index]),
            probability=float(self.probabilities[i, class_index]),
            layer=layer.name,
            method=method,
            model=self._scored.name,
            image=self._images[i] if self._images is not None else None,
            notes=tuple(caveats),
        )

    def _probabilities(self) -> Tensor:
        scores = _at_least_float32(self.logits)
        if self._looks_like_probabilities:
            return scores
        return scores.sigmoid() if scores.shape[1] == 1 else scores.softmax(dim=1)

    def _class_weights(self, classes: Tensor, activations: Tensor) -> Tensor | None:
        weight = _last_linear(self._scored.model)
        if weight is None or weight.shape != (self.logits.shape[1], activations.shape[1]):
            return None
        return weight.detach()[classes].to(activations)

    def _index(self, target: int | str | None, image: int) -> int:
        if target is None:
            return self.predictions(1, image)[0].class_index
        return find_class(target, self.logits.shape[1], self._scored.class_names)

    def _layer(self, layer: LayerName | None) -> Layer:
        if layer is None:
            if len(self.layers) == 1:
                return self.layers[0]
            raise LayerError(f"Several layers were traced: name one of {', '.join(self._kept)}.")
        name = layer if layer in self._kept else find_layer(self._scored.model, layer)[0]
        for traced in self.layers:
            if traced.name == name:
                return traced
        raise LayerError(f"Layer {name!r} was not traced, only {', '.join(self._kept)}: name it in trace(layers=…).")

    def _check_single(self, method: str, instead: str) -> None:
        if len(self.logits) != 1:
            raise ModelError(f"{method} answers for one image, and the batch holds {len(self.logits)}: use {instead}.")


def _is_one(targets: object) -> bool:
    """Say whether this is one class for all, a scalar of numpy or torch included, and not one for each."""
    return targets is None or isinstance(targets, (int, str)) or getattr(targets, "ndim", 1) == 0


def _last_linear(model: nn.Module) -> Tensor | None:
    weights = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    return weights[-1] if weights else None


def _are_probabilities(scores: Tensor) -> bool:
    wide = _at_least_float32(scores)
    inside = bool(((wide >= 0) & (wide <= 1)).all())
    return inside and scores.shape[1] > 1 and torch.allclose(wide.sum(dim=1), wide.new_ones(()), atol=1e-3)


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
