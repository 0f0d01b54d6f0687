"""Speed of Grad-CAM and its peers, in multiples of a plain forward pass.

Run `python -m tests.benchmarks.speed [--models NAME …] [--runs N]`. Random weights, one image of 224 × 224, all tools
interleaved in one process. Every tool has its own copy of the model, because the hooks of torch-cam and
pytorch-grad-cam stay on it and would slow the others down.
"""

from __future__ import annotations

import argparse
import copy
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import captum.attr
import numpy as np
import pytorch_grad_cam
import torch
import torchcam.methods
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torchvision.models import get_model

from gradcam_widgets import GradCAM
from tests.benchmarks._table import interleave, print_machine, print_table, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ask = Callable[[Tensor, list[int]], NDArray[np.float32]]

ARCHITECTURES = ("resnet18", "resnet50", "vgg16", "vgg19", "densenet201", "mobilenet_v3_large", "squeezenet1_0")
LAYERS = ["layer1", "layer2", "layer3", "layer4"]
SIZE = 224


def model(name: str) -> nn.Module:
    """Create a torchvision model with fixed random weights, in eval mode."""
    torch.manual_seed(0)
    model: nn.Module = get_model(name, weights=None)
    return model.eval()


def plain(model: nn.Module) -> Ask:
    """Return the plain forward pass, the unit of all ratios."""

    @torch.no_grad()
    def ask(batch: Tensor, _classes: list[int]) -> NDArray[np.float32]:
        return np.asarray(model(batch))

    return ask


def ours(model: nn.Module, layer: str | None) -> Ask:
    """Return a function that computes maps with a new `GradCAM` per call; None selects the default layer."""
    return lambda batch, classes: np.stack([m.values for m in GradCAM(model).heatmaps(batch, classes, layer)])


def torch_cam(model: nn.Module, layer: str) -> Ask:
    """Use torch-cam as in its README, but with persistent hooks and without normalization."""
    extractor = torchcam.methods.GradCAM(model, layer)

    def ask(batch: Tensor, classes: list[int]) -> NDArray[np.float32]:
        return np.asarray(extractor(classes, model(batch), normalized=False)[0])

    return ask


def captum_(model: nn.Module, layer: str) -> Ask:
    """Use captum as in its documentation, by default without ReLU."""
    explainer = captum.attr.LayerGradCam(model, model.get_submodule(layer))
    return lambda batch, classes: np.asarray(explainer.attribute(batch, classes).detach()[:, 0])


def pytorch_grad_cam_(model: nn.Module, layer: str) -> Ask:
    """Use pytorch-grad-cam as in its README; it always applies ReLU, normalizes and upsamples."""
    explainer = pytorch_grad_cam.GradCAM(model, [model.get_submodule(layer)])
    return lambda batch, classes: np.asarray(explainer(batch, [ClassifierOutputTarget(c) for c in classes]))


TOOLS: dict[str, Callable[[nn.Module, str], Ask]] = {
    "plain pass": lambda model, _layer: plain(model),
    "ours": ours,
    "ours, layer found": lambda model, _layer: ours(model, None),
    "torch-cam": torch_cam,
    "captum": captum_,
    "pytorch-grad-cam": pytorch_grad_cam_,
}


def reference(model: nn.Module, layer: str, batch: Tensor, class_index: int) -> dict[str, NDArray[np.float32]]:
    """Compute each tool's expected map by plain torch.

    If an in-place operation follows the layer (a ReLU after DenseNet's `features`), torch-cam uses activations and
    gradients after it, and pytorch-grad-cam mixes activations after with gradients before it. Otherwise both agree
    with ours, except for ReLU and scaling.

    Returns:
        Map of the image by tool, `(1, rows, columns)`.
    """

    def record(*, keep_in_place: bool) -> tuple[Tensor, Tensor]:
        kept: list[Tensor] = []

        def keep(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
            kept.append(output)
            return output if keep_in_place else output.clone()

        with model.get_submodule(layer).register_forward_hook(keep):
            score = model(batch)[0, class_index]
        return kept[0], torch.autograd.grad(score, kept)[0]

    def weigh(activations: Tensor, gradients: Tensor) -> NDArray[np.float32]:
        return np.asarray((gradients.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1).detach())

    before, after = record(keep_in_place=False), record(keep_in_place=True)
    true = weigh(*before)
    mixed = np.maximum(weigh(after[0], before[1]), 0)
    return {
        "ours": true,
        "ours, layer found": true,
        "captum": true,
        "torch-cam": np.maximum(weigh(*after), 0),
        "pytorch-grad-cam": scale_cam_image(scale_cam_image(mixed, (SIZE, SIZE))),
    }


def strong_classes(model: nn.Module, layers: list[str], batch: Tensor, count: int) -> list[int]:
    """Return top classes with positive evidence at every layer, so that no ReLU hides a wrong map."""
    classes: list[int] = []
    for class_index in model(batch)[0].argsort(descending=True).tolist():
        maps = [reference(model, layer, batch, class_index)["ours"] for layer in layers]
        if all(m.max() > 0.1 * np.abs(m).max() > 0 for m in maps):
            classes.append(class_index)
        if len(classes) == count:
            return classes
    raise SystemExit(
        f"Only {len(classes)} of {count} classes have positive evidence at {layers}; choose another model."
    )


def check(tool: str, actual: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """Exit if a tool's map is wrong, so that no wrong result is timed."""
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    if not error <= 1e-5:
        raise SystemExit(f"{tool} differs by {error:.1e} of the range; check its usage and version.")


def image(seed: int) -> Tensor:
    """Return a batch with one noise image, `(1, 3, 224, 224)` float32."""
    return torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


def cold(name: str, runs: int) -> list[str]:
    """Time a map of a new image, and a second class of the same trace, and return a table row."""
    built = model(name)
    first = image(0)
    layer = GradCAM(built).trace(first).layers[0].name
    (class_index,) = strong_classes(built, [layer], first, 1)
    expected = reference(built, layer, first, class_index)
    asks = {tool: make(copy.deepcopy(built), layer) for tool, make in TOOLS.items()}
    for tool, right in expected.items():
        check(f"{tool} on {name}", asks[tool](first, [class_index]), right)
    off = np.abs(np.maximum(expected["ours"], 0) - expected["torch-cam"]).max() / np.abs(expected["ours"]).max()

    batches = [image(number) for number in range(1, runs + 2)]

    def another_class(number: int) -> Callable[[], object]:
        trace = GradCAM(built).trace(batches[number], layer)
        trace.heatmap(class_index)
        return lambda: trace.heatmap((class_index + 1) % trace.logits.shape[1])

    cases: dict[str, Callable[[int], Callable[[], object]]] = {
        tool: lambda number, ask=ask: partial(ask, batches[number], [class_index])  # type: ignore[misc] # binds ask
        for tool, ask in asks.items()
    }
    cases["plain again"] = lambda number: partial(asks["plain pass"], batches[number], [])
    cases["another class"] = another_class
    seconds = interleave(cases, runs)
    unit = seconds["plain pass"]
    columns = ("plain again", "ours", "ours, layer found", "another class", "torch-cam", "captum", "pytorch-grad-cam")
    return [
        f"{name} {layer}",
        f"{1000 * median(unit):.1f} ms",
        *(f"{ratio(seconds[column], unit):.{3 if column == 'another class' else 2}f}" for column in columns),
        f"{off:.0%}",
    ]


def four_by_five(runs: int) -> list[list[str]]:
    """Time four layers × five classes on ResNet-18, and return the table rows."""
    built = model("resnet18")
    first = image(0)
    classes = strong_classes(built, LAYERS, first, 5)
    expected = [[reference(built, layer, first, c) for layer in LAYERS] for c in classes]
    models = {tool: copy.deepcopy(built) for tool in TOOLS}

    run_plain = plain(models["plain pass"])
    extractor = torchcam.methods.GradCAM(models["torch-cam"], list(LAYERS))
    # captum needs a pass per layer and class; five classes as a batch of five images are no faster.
    captums = [captum_(models["captum"], layer) for layer in LAYERS]
    # One pass per class, although that gives only the mean of the scaled layers; 20 passes would be needed.
    averager = pytorch_grad_cam.GradCAM(
        models["pytorch-grad-cam"], [models["pytorch-grad-cam"].get_submodule(layer) for layer in LAYERS]
    )

    def ask_ours(batch: Tensor) -> list[NDArray[np.float32]]:
        return [m.values for m in GradCAM(models["ours"]).trace(batch, LAYERS).compare(classes)]

    def ask_torch_cam(batch: Tensor) -> list[NDArray[np.float32]]:
        scores = models["torch-cam"](batch)
        return [
            np.asarray(m[0])
            for c in classes
            for m in extractor(c, scores, normalized=False, retain_graph=c != classes[-1])
        ]

    def ask_captum(batch: Tensor) -> list[NDArray[np.float32]]:
        return [ask(batch, [c])[0] for c in classes for ask in captums]

    def ask_pytorch_grad_cam(batch: Tensor) -> list[NDArray[np.float32]]:
        return [averager(batch, [ClassifierOutputTarget(c)])[0] for c in classes]

    asks: dict[str, Callable[[Tensor], object]] = {
        "plain pass": lambda batch: run_plain(batch, []),
        "ours": ask_ours,
        "torch-cam": ask_torch_cam,
        "captum": ask_captum,
        "pytorch-grad-cam": ask_pytorch_grad_cam,
    }
    for tool, ask in (("ours", ask_ours), ("torch-cam", ask_torch_cam), ("captum", ask_captum)):
        for actual, right in zip(ask(first), (maps[tool] for row in expected for maps in row), strict=True):
            check(f"{tool} at four layers", actual, right[0])
    for actual, row in zip(ask_pytorch_grad_cam(first), expected, strict=True):
        scaled = [scale_cam_image(np.maximum(maps["ours"], 0), (SIZE, SIZE)) for maps in row]
        check("pytorch-grad-cam at four layers", actual, scale_cam_image(np.mean(scaled, axis=0))[0])

    batches = [image(number) for number in range(1, runs + 2)]
    cases: dict[str, Callable[[int], Callable[[], object]]] = {
        tool: lambda number, ask=ask: partial(ask, batches[number])  # type: ignore[misc] # binds ask
        for tool, ask in asks.items()
    }
    seconds = interleave(cases, runs)
    return [
        [
            tool,
            f"{1000 * median(values):.0f} ms",
            *(f"{ratio(values, seconds[other]):.2f}" for other in ("plain pass", "torch-cam", "captum")),
        ]
        for tool, values in seconds.items()
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Time Grad-CAM beside its peers.")
    parser.add_argument("--models", nargs="*", default=ARCHITECTURES, metavar="NAME")
    parser.add_argument("--runs", type=int, default=15, metavar="N")
    options = parser.parse_args()
    print_machine()
    print_table(
        f"One map of a new image, in multiples of the plain pass (medians of {options.runs} rounds)",
        [
            "model, layer",
            "plain pass",
            "plain again (noise)",
            "ours",
            "ours, layer found",
            "another class",
            "torch-cam",
            "captum",
            "pytorch-grad-cam",
            "torch-cam's error (ReLU in place)",
        ],
        (cold(name, options.runs) for name in options.models),
    )
    if "resnet18" in options.models:
        print_table(
            f"Four layers × five classes on ResNet-18 (medians of {options.runs} rounds)",
            ["tool", "time", "÷ plain pass", "÷ torch-cam", "÷ captum"],
            four_by_five(options.runs),
        )


if __name__ == "__main__":
    main()
