"""Descriptions of a model's spatial layers, and their lookup by name or module."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from torch import Tensor, nn

from gradcam_widgets._choices import suggestion
from gradcam_widgets.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Sequence


Layout = Literal["channels first", "channels last", "tokens"]
Grid = tuple[int, int]

MIN_BLOCKS = 3


@dataclass(frozen=True)
class Layer:
    """A layer with a spatial output.

    Attributes:
        name: Dotted path of the module.
        kind: Kind of the module: block, convolution, normalization, activation, attention, pooling, …
        shape: Shape of its output for one image, in its own layout.
        grid: Rows and columns of its map.
        layout: Order of the output's axes; "tokens" has axes (token, channel).
        calls: Number of calls in the pass; a map explains the last one.
        default: Whether it is the recommended target layer.
        why: Reason for the recommendation; empty for other layers.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    grid: Grid
    layout: Layout
    calls: int = 1
    default: bool = False
    why: str = ""

    def __str__(self) -> str:
        """Return the label for menus, "layer4.1 · 7×7"."""
        return f"{self.name} · {self.grid[0]}×{self.grid[1]}"

    def maps(self, tensor: Tensor) -> Tensor:
        """Return the layer's output, or its gradient, as an `(N, C, H, W)` tensor, without class or register tokens."""
        if self.layout == "channels first":
            return tensor
        if self.layout == "channels last":
            return tensor.movedim(-1, 1)
        rows, columns = self.grid
        patches = tensor[:, tensor.shape[1] - rows * columns :]
        return patches.movedim(-1, 1).reshape(len(tensor), -1, rows, columns)


def main_layers(layers: Sequence[Layer]) -> Sequence[Layer]:
    """Return the blocks and the default layer, or all layers if these are fewer than `MIN_BLOCKS`."""
    blocks = [layer for layer in layers if layer.default or layer.kind == "block"]
    return blocks if len(blocks) >= MIN_BLOCKS else layers


def last_of_each_grid(layers: Sequence[Layer], most: int = 4) -> list[Layer]:
    """Return the last main layer of each grid up to the default layer, at most `most`, preferring later ones."""
    names = [layer.name for layer in layers]
    default = next(i for i, layer in enumerate(layers) if layer.default)
    usable = [layer for layer in main_layers(layers) if names.index(layer.name) <= default]
    by_grid = {layer.grid: layer for layer in usable}
    by_grid[layers[default].grid] = layers[default]
    return list(by_grid.values())[-most:]


LayerName: TypeAlias = str | nn.Module | Layer


def as_list(layers: Sequence[LayerName] | LayerName) -> list[LayerName]:
    """Return the layers as a list; a single layer becomes a list of one."""
    if isinstance(layers, (str, nn.Module, Layer)) or not isinstance(layers, Iterable):
        return [layers]
    return list(layers)


def find_layer(model: nn.Module, layer: LayerName) -> tuple[str, nn.Module]:
    """Return the name and module for a dotted path, a module of the model or an entry of `candidate_layers`.

    Raises:
        LayerError: If the model has no such layer; the message suggests similar names.
    """
    if isinstance(layer, Layer):
        layer = layer.name
    if isinstance(layer, nn.Module):
        for name, module in model.named_modules():
            if module is layer and name:
                return name, module
        raise LayerError(
            f"layer must be a submodule of the {type(model).__name__}, got an unrelated {type(layer).__name__}."
        )
    if not isinstance(layer, str):
        raise LayerError(f"layer must be a dotted path or a module, got {type(layer).__name__}.")
    try:
        if layer:
            return layer, model.get_submodule(layer)
    except AttributeError:
        pass
    names = [name for name, _ in model.named_modules() if name]
    hint = suggestion(layer, names, "choose a name listed by candidate_layers.")
    raise LayerError(f"The model has no layer {layer!r}: {hint}")
