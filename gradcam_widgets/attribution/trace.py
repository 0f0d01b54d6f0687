"""Heatmaps and predictions from one recorded forward pass."""

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
    """One predicted class: index, name or None, probability in 0…1, logit."""

    class_index: int
    class_name: str | None
    probability: float
    logit: float

    def __repr__(self) -> str:
        """Return a one-line representation; its numbers agree between machines except for the last digit."""
        name = f"class {self.class_index}" if self.class_name is None else f"{self.class_name} ({self.class_index})"
        return f"Prediction({name}, probability {decimal(self.probability, 3)}, logit {decimal(self.logit, 3)})"


class Trace:
    """The recorded activations and graph of one forward pass; heatmaps need no further pass (not `torch.jit.trace`).

    Attributes:
        logits: `(N, classes)` float tensor of class scores, detached.
        probabilities: `(N, classes)` float32 or float64 tensor in 0…1: softmax of the logits, or sigmoid of a single
            logit.
        layers: The traced layers, in the requested order.
    """

    def __init__(
        self,
        scored: ScoredModel,
        recording: Recording,
        layers: Sequence[Layer],
        images: Sequence[NDArray[np.uint8]] | None = None,
    ) -> None:
        """Select the layers from a recording; use `GradCAM.trace` instead."""
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
        """Return a deterministic one-line representation."""
        images, classes = self.logits.shape
        return f"Trace({images} × {classes} scores, {', '.join(map(str, self.layers))})"

    @property
    def is_current(self) -> bool:
        """Whether the model's weights and buffers are unchanged since the pass."""
        return self._recording.is_current

    @property
    def activations(self) -> Mapping[str, Tensor]:
        """Output of each traced layer by name, a detached `(N, C, H, W)` float tensor."""
        return {layer.name: layer.maps(self._kept[layer.name].detach()) for layer in self.layers}

    def predictions(self, k: int = 5, image: int = 0) -> list[Prediction]:
        """Return the k most probable classes of one image of the batch, best first."""
        _, order = self.logits[image].float().sort(descending=True, stable=True)
        top = order[:k]
        scores = (values[image, top].tolist() for values in (self.probabilities, self.logits))
        return [
            Prediction(i, self._scored.class_name(i), probability, logit)
            for i, probability, logit in zip(top.tolist(), *scores, strict=True)
        ]

    def heatmap(
        self,
        target: int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Compute the heatmap of one class for a trace of a single image.

        Args:
            target: Class index or name; by default the class with the highest score.
            layer: A traced layer; optional if only one was traced.
            method: Name of the method.

        Raises:
            TargetError: If the class does not exist.
            LayerError: If the layer was not traced, or the class score does not depend on it.
            MethodError: If the method is unknown, or the model does not meet its requirements.
            ModelError: If the batch holds several images.
        """
        self._check_single("heatmap", "heatmaps")
        return self._compute([self._class_index(target, 0)], [self._traced_layer(layer)], method)[0]

    def heatmaps(
        self,
        targets: Sequence[int | str] | int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> list[Heatmap]:
        """Compute one heatmap for each image of the batch.

        Args:
            targets: One class for all images, or one class per image; by default each image's top class.
            layer: As for `heatmap`.
            method: As for `heatmap`.

        Raises:
            TargetError: If a class does not exist, or the number of classes differs from the number of images.
        """
        count = len(self.logits)
        per_image: Sequence[int | str | None]
        if _is_scalar(targets):
            per_image = [cast("int | str | None", targets)] * count
        else:
            per_image = list(cast("Sequence[int | str | None]", targets))
        if len(per_image) != count:
            raise TargetError(
                f"targets must be one class or one class per image, got {len(per_image)} classes for {count} images."
            )
        indices = [self._class_index(target, i) for i, target in enumerate(per_image)]
        return self._compute(indices, [self._traced_layer(layer)], method)

    def compare(
        self,
        targets: Sequence[int | str | None] | int | str,
        layers: Sequence[LayerName] | LayerName | None = None,
        method: str = "grad-cam",
    ) -> list[Heatmap]:
        """Compute heatmaps of several classes and layers for one image, with one backward pass per class.

        Args:
            targets: Class indices or names.
            layers: Traced layers; by default all.
            method: As for `heatmap`.

        Returns:
            One heatmap per class and layer: all layers of the first class, then all layers of the second, and so on.
        """
        self._check_single("compare", "heatmaps once per class")
        selected = list(self.layers) if layers is None else [self._traced_layer(layer) for layer in as_list(layers)]
        classes = cast("Sequence[int | str | None]", [targets] if _is_scalar(targets) else targets)
        return [
            heatmap for target in classes for heatmap in self._compute([self._class_index(target, 0)], selected, method)
        ]

    def _compute(self, class_indices: list[int], layers: Sequence[Layer], method_name: str) -> list[Heatmap]:
        """Return one heatmap per layer and image: all images of the first layer, then of the second, and so on."""
        method = find_method(method_name)
        classes = torch.tensor(class_indices, device=self.logits.device)
        heatmaps = []
        layer_gradients = gradients(self._scored.model, self._recording, classes, [layer.name for layer in layers])
        for layer, gradient in zip(layers, layer_gradients, strict=True):
            if gradient is None:
                raise LayerError(
                    f"The class scores do not depend on the output of layer {layer.name!r}: choose another layer."
                )
            activations = layer.maps(_at_least_float32(self._kept[layer.name].detach()))
            inputs: dict[str, Tensor | None] = {
                "activations": activations,
                "gradients": layer.maps(_at_least_float32(gradient)),
            }
            if "class_weights" in method.needs:
                inputs["class_weights"] = self._class_weights(classes, activations)
            maps = method.function(**{name: inputs[name] for name in method.needs})
            if not maps.isfinite().all():
                self._scored.check_weights_are_finite()
            heatmaps += [
                self._heatmap(maps[i].float().cpu().numpy(), class_index, i, layer, method.name)
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
                f"Layer {layer.name} was called {layer.calls} times in the pass: this map explains the last call."
            )
        if self._looks_like_probabilities:
            caveats.append("The model's outputs look like probabilities: set output=… to return logits.")
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

    def _class_index(self, target: int | str | None, image: int) -> int:
        if target is None:
            return self.predictions(1, image)[0].class_index
        return find_class(target, self.logits.shape[1], self._scored.class_names)

    def _traced_layer(self, layer: LayerName | None) -> Layer:
        if layer is None:
            if len(self.layers) == 1:
                return self.layers[0]
            raise LayerError(f"layer is required for a trace of several layers: choose one of {', '.join(self._kept)}.")
        name = layer if layer in self._kept else find_layer(self._scored.model, layer)[0]
        for traced in self.layers:
            if traced.name == name:
                return traced
        raise LayerError(
            f"Layer {name!r} was not traced: choose one of {', '.join(self._kept)}, or add it to trace(layers=…)."
        )

    def _check_single(self, method: str, alternative: str) -> None:
        if len(self.logits) != 1:
            raise ModelError(
                f"{method} takes a trace of one image, but the batch holds {len(self.logits)} images: "
                f"use {alternative}."
            )


def _is_scalar(targets: object) -> bool:
    """Return whether this is a single class, NumPy and torch scalars included, rather than a sequence of classes."""
    return targets is None or isinstance(targets, (int, str)) or getattr(targets, "ndim", 1) == 0


def _last_linear(model: nn.Module) -> Tensor | None:
    weights = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    return weights[-1] if weights else None


def _are_probabilities(scores: Tensor) -> bool:
    values = _at_least_float32(scores)
    in_range = bool(((values >= 0) & (values <= 1)).all())
    return in_range and scores.shape[1] > 1 and torch.allclose(values.sum(dim=1), values.new_ones(()), atol=1e-3)


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
