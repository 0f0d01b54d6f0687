"""Which layers can carry a map, in call order, with their grids; and which one to take by default, and why."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from torch import Tensor, nn

from gradcam_widgets.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Sequence


Layout = Literal["channels first", "channels last", "tokens"]
Grid = tuple[int, int]

MIN_BLOCKS = 3


@dataclass(frozen=True)
class Layer:
    """A layer that can carry a map.

    Attributes:
        name: Dotted path of the module.
        kind: What the module is: block, convolution, normalization, activation, attention, pooling, …
        shape: Shape of what it puts out for one image, in its own layout.
        grid: Rows and columns of its map.
        layout: Where the channels stand; tokens have axes (token, channel).
        calls: How often it was called in the pass; a map explains the last call.
        default: Whether it is the layer that is taken when none is named.
        why: Why it is the default; empty otherwise.
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
        """Return name and grid as a menu shows them, "layer4.1 · 7×7"."""
        return f"{self.name} · {self.grid[0]}×{self.grid[1]}"

    def maps(self, tensor: Tensor) -> Tensor:
        """Bring what the layer put out, or its gradient, into axes (image, channel, row, column)."""
        if self.layout == "channels first":
            return tensor
        if self.layout == "channels last":
            return tensor.movedim(-1, 1)
        rows, columns = self.grid
        patches = tensor[:, tensor.shape[1] - rows * columns :]
        return patches.movedim(-1, 1).reshape(len(tensor), -1, rows, columns)


def main_layers(layers: Sequence[Layer]) -> Sequence[Layer]:
    """Return the blocks and the default, which is what a menu shows first; all layers where there are hardly blocks."""
    blocks = [layer for layer in layers if layer.default or layer.kind == "block"]
    return blocks if len(blocks) >= MIN_BLOCKS else layers


def last_of_each_grid(layers: Sequence[Layer], most: int = 4) -> list[Layer]:
    """Return from the main layers the last one of each grid up to the default, coarse grids before fine ones."""
    names = [layer.name for layer in layers]
    default = next(i for i, layer in enumerate(layers) if layer.default)
    usable = [layer for layer in main_layers(layers) if names.index(layer.name) <= default]
    by_grid = {layer.grid: layer for layer in usable}
    by_grid[layers[default].grid] = layers[default]
    return list(by_grid.values())[-most:]


LayerName: TypeAlias = str | nn.Module | Layer


def as_list(layers: Sequence[LayerName] | LayerName) -> list[LayerName]:
    """Return what was given as a list, one layer as a list of one."""
    if isinstance(layers, (str, nn.Module, Layer)) or not isinstance(layers, Iterable):
        return [layers]
    return list(layers)


def find_layer(model: nn.Module, layer: LayerName) -> tuple[str, nn.Module]:
    """Resolve a dotted path, a module of the model or an entry of `candidate_layers`.

    Raises:
        LayerError: If the model has no such layer; with suggestions.
    """
    if isinstance(layer, Layer):
        layer = layer.name
    if isinstance(layer, nn.Module):
        for name, module in model.named_modules():
            if module is layer and name:
                return name, module
        raise LayerError(f"The {type(layer).__name__} given is not a part of this {type(model).__name__}.")
    if not isinstance(layer, str):
        raise LayerError(f"A layer is named by its dotted path or given as a module, not as {type(layer).__name__}.")
    try:
        if layer:
            return layer, model.get_submodule(layer)
    except AttributeError:
        pass
    names = [name for name, _ in model.named_modules() if name]
    close = difflib.get_close_matches(layer, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "candidate_layers lists what there is."
    raise LayerError(f"The model has no layer {layer!r}: {hint}")
