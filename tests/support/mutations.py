"""Mutations: deliberate faults of the core that tests and lessons must detect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradcam_widgets.attribution import gradcam, methods, trace
from gradcam_widgets.heatmaps import figures, heatmap
from gradcam_widgets.heatmaps import rendering as overlay
from gradcam_widgets.samples import SAMPLES
from gradcam_widgets.samples.models.architectures import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from torch import Tensor, nn


TIMES = " × "
WALKTHROUGHS = {  # scene model: its lesson, sample and last stage
    "residual": ("01", "submarine", "layer4"),
    "vgg_like": ("02", "elephants", "features"),
    "dense": ("03", "iguana", "features"),
}


def mutate(name: str, patch: pytest.MonkeyPatch) -> None:
    """Apply a mutation until the patch is undone.

    Args:
        name: A key of `MUTATIONS`, or a scaled channel such as "residual × 1.02".
        patch: The patch that undoes it.
    """
    model, times, factor = name.partition(TIMES)
    if times:
        scale_channel(model, float(factor), patch)
    else:
        MUTATIONS[name](patch)


def scale_channel(model: str, factor: float, patch: pytest.MonkeyPatch) -> None:
    """Scale the last stage's channel that contributes most to the walkthrough's first map."""
    _, _, layer = WALKTHROUGHS[model]
    channel, build = heaviest_channel(model), ARCHITECTURES[model]

    def scaled(_module: object, _inputs: object, output: Tensor) -> Tensor:
        output = output.clone()
        output[:, channel] *= factor
        return output

    def changed(classes: int) -> nn.Module:
        built = build(classes)
        built.get_submodule(layer).register_forward_hook(scaled)
        return built

    patch.setitem(ARCHITECTURES, model, changed)


def heaviest_channel(model: str) -> int:
    """Return the channel with the largest sum of mean gradient times activations, computed by plain torch."""
    _, name, layer = WALKTHROUGHS[model]
    sample = SAMPLES[name](source="scenes")
    built, kept = sample.classifier.model, []

    def keep(_module: object, _inputs: object, output: Tensor) -> Tensor:
        kept.append(output)
        return output.clone()  # because an in-place layer may overwrite it

    handle = built.get_submodule(layer).register_forward_hook(keep)
    scores = built(sample.classifier.preprocess(sample.image))
    handle.remove()
    (gradient,) = torch.autograd.grad(scores[0, sample.classifier.class_index(sample.class_names[0])], kept[0])
    contributions = (gradient.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=(2, 3))[0]
    return int(contributions.abs().argmax())


def no_relu(patch: pytest.MonkeyPatch) -> None:
    def select(values: Any, evidence: str) -> Any:
        return -values if evidence == "against" else values

    for module in (overlay, heatmap):
        patch.setattr(module, "select", select)


def wrong_class(patch: pytest.MonkeyPatch) -> None:
    plain = vars(trace)["gradients"]

    def gradients(model: Any, capture: Any, class_indices: Tensor, names: list[str]) -> Any:
        return plain(model, capture, (class_indices + 1) % capture.logits.shape[1], names)

    patch.setattr(trace, "gradients", gradients)


def wrong_layer(patch: pytest.MonkeyPatch) -> None:
    plain = gradcam._default_of

    def earlier(layers: Any, model: Any) -> Any:
        right = plain(layers, model)
        finer = [layer for layer in layers if layer.grid[0] > right.grid[0]]
        return finer[-1]

    patch.setattr(gradcam, "_default_of", earlier)


def not_averaged(patch: pytest.MonkeyPatch) -> None:
    _weigh(patch, lambda activations, gradients: (gradients * activations).sum(dim=1))


def summed(patch: pytest.MonkeyPatch) -> None:
    _weigh(
        patch,
        lambda activations, gradients: (gradients.sum(dim=(2, 3), keepdim=True) * activations).sum(dim=1),
    )


def transposed(patch: pytest.MonkeyPatch) -> None:
    plain = methods.grad_cam
    _weigh(patch, lambda activations, gradients: plain(activations, gradients).transpose(1, 2))


def sign_turned(patch: pytest.MonkeyPatch) -> None:
    plain = methods.grad_cam
    _weigh(patch, lambda activations, gradients: -plain(activations, gradients))


def colors_swapped(patch: pytest.MonkeyPatch) -> None:
    plain = overlay.color_table

    def bgr(colormap: str) -> Any:
        return np.ascontiguousarray(plain(colormap)[:, ::-1])

    for module in (overlay, figures):
        patch.setattr(module, "color_table", bgr)


def image_swapped(patch: pytest.MonkeyPatch) -> None:
    plain = overlay.blend

    def bgr(*arguments: Any) -> Any:
        return np.ascontiguousarray(plain(*arguments)[..., ::-1])

    patch.setattr(overlay, "blend", bgr)


def _weigh(patch: pytest.MonkeyPatch, function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Replace the function of Grad-CAM, keeping its name."""
    name = "grad-cam"
    patch.setitem(methods.METHODS, name, replace(methods.METHODS[name], function=function))


MUTATIONS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "no ReLU": no_relu,
    "wrong class": wrong_class,
    "wrong layer": wrong_layer,
    "gradients not averaged": not_averaged,
    "gradients summed, not averaged": summed,
    "map transposed": transposed,
    "evidence's sign turned": sign_turned,
    "map's colors swapped": colors_swapped,
    "overlay's colors swapped": image_swapped,
}
