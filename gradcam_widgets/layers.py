"""Which layers can carry a map, in call order, with their grids; and which one to take by default, and why."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from torch import Tensor, nn

from .errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .capture import Output

Layout = Literal["channels first", "channels last", "tokens"]
Grid = tuple[int, int]

CHANNELS_FIRST_KINDS = ("convolution", "pooling")
FEWEST_BLOCKS = 3
MOST_PREFIX_TOKENS = 8  # a class token, a distillation token, registers


@dataclass(frozen=True)
class Layer:
    """A layer that can carry a map.

    Attributes:
        name: Dotted path of the module.
        kind: What the module is: block, convolution, normalization, activation, attention, pooling, …
        shape: Shape of what it puts out for one picture, in its own layout.
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
        """Bring what the layer put out, or its gradient, into axes (picture, channel, row, column)."""
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
    return blocks if len(blocks) >= FEWEST_BLOCKS else layers


def last_of_each_grid(layers: Sequence[Layer], most: int = 4) -> list[Layer]:
    """Return from the main layers the last one of each grid up to the default, coarse grids before fine ones."""
    names = [layer.name for layer in layers]
    default = next(i for i, layer in enumerate(layers) if layer.default)
    usable = [layer for layer in main_layers(layers) if names.index(layer.name) <= default]
    by_grid = {layer.grid: layer for layer in usable}
    by_grid[layers[default].grid] = layers[default]
    return list(by_grid.values())[-most:]


LayerName: TypeAlias = str | nn.Module | Layer


@dataclass(frozen=True)
class Geometry:
    """What has to be known of a network's input to read a grid out of a shape.

    Attributes:
        model: The network.
        pictures: How many there are in the batch.
        picture: Rows and columns of its input.
        token_grid: The grid of its tokens, if the caller gave it.
    """

    model: nn.Module
    pictures: int
    picture: Grid
    token_grid: Grid | None = None

    def layer(self, output: Output) -> Layer:
        """Read a layer's grid from the shape that it put out.

        Raises:
            LayerError: If the shape holds no grid, or more than one.
        """
        shape = output.shape[1:]
        if len(shape) in (2, 3) and output.shape[0] != self.pictures:
            raise LayerError(
                f"The first axis of what layer {output.name!r} puts out, {_shown(output.shape)}, is not that of the "
                f"{self.pictures} pictures: choose another layer, or give the network batch_first=True."
            )
        if len(shape) == 3:
            last = _is_channels_last(output, self.picture)
            grid = shape[:2] if last else shape[1:]
            layout: Layout = "channels last" if last else "channels first"
        elif len(shape) == 2 and _kind(output.module) not in CHANNELS_FIRST_KINDS:
            grid, layout = self._token_grid(output), "tokens"
        else:
            what = f"its output has shape {_shown(output.shape)}" if output.shape else "it puts out no such tensor"
            raise LayerError(
                f"Layer {output.name!r} is not spatial ({what}): choose one whose output has rows and columns, "
                "as listed by candidate_layers."
            )
        if grid[0] * grid[1] < 2:
            raise LayerError(
                f"Layer {output.name!r} is not spatial (its output of shape {_shown(output.shape)} is pooled to "
                "one cell): choose an earlier one."
            )
        return Layer(output.name, _kind(output.module), shape, (grid[0], grid[1]), layout, output.calls)

    def _token_grid(self, output: Output) -> Grid:
        tokens = output.shape[1]
        if not _works_along_the_last_axis(output.module, output.shape[2]) and self._grids(output.shape[2]):
            raise LayerError(
                f"Layer {output.name!r} may put out {tokens} tokens or {tokens} channels (shape "
                f"{_shown(output.shape)}): choose the layer before or behind it."
            )
        if self.token_grid is not None:
            if 0 < self.token_grid[0] * self.token_grid[1] <= tokens:
                return self.token_grid
            raise LayerError(
                f"Layer {output.name!r} puts out {tokens} tokens, fewer than the {_shown(self.token_grid)} of "
                "token_grid: give the rows and columns of its patches."
            )
        fitting = self._grids(tokens)
        patches = self._patches()
        if patches and 0 <= tokens - patches[0] * patches[1] <= MOST_PREFIX_TOKENS:
            return patches
        if len(fitting) == 1:
            return fitting.pop()
        found = "no grid" if not fitting else " or ".join(map(_shown, sorted(fitting)))
        raise LayerError(
            f"The {tokens} tokens of layer {output.name!r} (shape {_shown(output.shape)}) form {found} over a picture "
            f"of {_shown(self.picture)}: give GradCAM(model, token_grid=(rows, columns))."
        )

    def _grids(self, tokens: int) -> set[Grid]:
        """Return the grids of whole patches that so many tokens can form, with some before them."""
        return {
            grid
            for stride in range(1, min(self.picture) + 1)
            if not (self.picture[0] % stride or self.picture[1] % stride)
            for grid in [(self.picture[0] // stride, self.picture[1] // stride)]
            if grid[0] * grid[1] >= 2 and 0 <= tokens - grid[0] * grid[1] <= MOST_PREFIX_TOKENS
        }

    def _patches(self) -> Grid | None:
        """Return the grid of the patch embedding, a convolution whose stride is its kernel."""
        for module in self.model.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size == module.stride and module.stride[0] > 1:
                return self.picture[0] // module.stride[0], self.picture[1] // module.stride[1]
        return None


def candidates(outputs: Sequence[Output], geometry: Geometry, categories: int) -> list[Layer]:
    """List the layers that can carry a map, in call order, one for each distinct output.

    A block that hands on what its last layer put out stands for it; the default is marked.

    Args:
        outputs: All modules' outputs in call order.
        geometry: The network's input.
        categories: Number of class scores.
    """
    found: list[tuple[Layer, Output]] = []
    for group in _distinct(outputs):
        # A pooled map is named after its pooling; anything else after the innermost block that puts it out.
        blocks = [output for output in group if _kind(output.module) == "block"]
        chosen = blocks[0] if blocks and _kind(group[0].module) != "pooling" else group[0]
        try:
            found.append((geometry.layer(chosen), chosen))
        except LayerError:
            continue
    # So do a transformer's attention matrices.
    tokens = {output.shape[1] for output in outputs if len(output.shape) == 3}
    found = [pair for pair in found if not (pair[0].grid[0] == pair[0].grid[1] and pair[0].grid[0] in tokens)]
    # Windows of a transformer look like rows and columns, too, but do not have the picture's aspect.
    found = [pair for pair in found if _fits(pair[0].grid, geometry.picture)] or found
    if not found:
        return []
    default, why = _default(found, outputs, categories)
    return [replace(layer, default=True, why=why) if layer is default else layer for layer, _ in found]


def likely_default(model: nn.Module) -> set[str]:
    """Name the modules among which the default will almost surely be found: those that end late.

    They are all that end with or after the last but one convolution or attention, in order of definition.
    """
    order = list(_by_end(model))
    operators = [i for i, (_, is_operator) in enumerate(order) if is_operator]
    start = operators[-2] if len(operators) > 1 else 0
    return {name for name, _ in order[start:]}


def as_list(layers: Sequence[LayerName] | LayerName) -> list[LayerName]:
    """Return what was given as a list, one layer as a list of one."""
    if isinstance(layers, (str, nn.Module, Layer)) or not isinstance(layers, Iterable):
        return [layers]
    return list(layers)


def find_layer(model: nn.Module, layer: LayerName) -> tuple[str, nn.Module]:
    """Resolve a dotted path, a module of the network or an entry of `candidate_layers`.

    Raises:
        LayerError: If the network has no such layer; with suggestions.
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
    raise LayerError(f"The network has no layer {layer!r}: {hint}")


def _default(found: Sequence[tuple[Layer, Output]], outputs: Sequence[Output], categories: int) -> tuple[Layer, str]:
    position = {output.name: i for i, output in enumerate(outputs)}
    last_linear = max((i for i, o in enumerate(outputs) if isinstance(o.module, nn.Linear)), default=-1)

    def is_map_per_class(layer: Layer) -> bool:
        channels = layer.shape[0] if layer.layout == "channels first" else layer.shape[-1]
        return channels == categories and position[layer.name] > last_linear

    features = [pair for pair in found if not is_map_per_class(pair[0])] or list(found)
    features = [pair for pair in features if pair[0].kind != "pooling"] or features
    blocks = [layer for layer, output in features if _is_transformer_block(layer, output.module)]
    blocks = [block for block in blocks if not any(block.name.startswith(f"{other.name}.") for other in blocks)]
    if len(blocks) > 1:
        return blocks[-2], (
            f"second-to-last transformer block, {_shown(blocks[-2].grid)} tokens: "
            "after the last one the class token may be all that counts"
        )
    last = features[-1][0]
    behind = [layer for layer, _ in found if position[layer.name] > position[last.name]]
    if not behind:
        return last, f"last spatial output, {_shown(last.grid)}"
    what = "one map per class" if is_map_per_class(behind[0]) else behind[0].kind
    return last, f"last spatial output, {_shown(last.grid)}, before {behind[0].name} ({what})"


def _distinct(outputs: Sequence[Output]) -> list[list[Output]]:
    groups: list[list[Output]] = []
    for output in outputs:
        if output.same_as_previous and groups:
            groups[-1].append(output)
        else:
            groups.append([output])
    return groups


def _is_channels_last(output: Output, picture: Grid) -> bool:
    first, second, third = output.shape[1:]
    if _kind(output.module) in CHANNELS_FIRST_KINDS or isinstance(output.module, nn.BatchNorm2d):
        return False
    last_fits, first_fits = _fits((first, second), picture), _fits((second, third), picture)
    if last_fits != first_fits:
        return last_fits
    # A cube, or a picture of no aspect: only layers that work along the last axis tell.
    return _works_along_the_last_axis(output.module, third)


def _works_along_the_last_axis(module: nn.Module, width: int) -> bool:
    parts = list(module.modules())
    return not any(isinstance(part, nn.Conv2d) for part in parts) and any(
        (isinstance(part, nn.Linear) and part.out_features == width)
        or (isinstance(part, nn.LayerNorm) and part.normalized_shape == (width,))
        for part in parts
    )


def _fits(grid: Grid, picture: Grid) -> bool:
    """Say whether a grid has the picture's aspect, up to what padding and rounding do."""
    scale = (grid[0] * grid[1] / (picture[0] * picture[1])) ** 0.5
    return all(abs(cells - side * scale) <= 1.5 for cells, side in zip(grid, picture, strict=True))


def _kind(module: nn.Module) -> str:
    kind = type(module)
    has_parts = bool(module._modules)  # noqa: SLF001 - `children()` takes ten times as long
    name = kind.__name__.lower()
    return _kind_of(name, kind.__module__, has_parts=has_parts, has_weights=_pools_with_weights(module))


def _pools_with_weights(module: nn.Module) -> bool:
    return "pool" in type(module).__name__.lower() and next(module.parameters(), None) is not None


@cache
def _kind_of(name: str, home: str, *, has_parts: bool, has_weights: bool) -> str:
    if "attention" in name:
        return "attention"
    if "pool" in name and not has_weights:
        return "pooling"
    if has_parts:
        return "block"
    for word, said in (("conv", "convolution"), ("norm", "normalization"), ("linear", "linear")):
        if word in name:
            return said
    if home == nn.ReLU.__module__:
        return "activation"
    return name


def _is_operator(module: nn.Module) -> bool:
    return _kind(module) in ("convolution", "attention")


def _is_transformer_block(layer: Layer, module: nn.Module) -> bool:
    return (
        layer.layout != "channels first"
        and not isinstance(module, (nn.Sequential, nn.ModuleList))
        and any(_kind(child) == "attention" for child in module.children())
    )


def _by_end(module: nn.Module, name: str = "", *, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """Walk a network so that a module's name comes after its parts', with whether it is an outermost operator."""
    operator = not inside and _is_operator(module)
    for child_name, child in module._modules.items():  # noqa: SLF001 - `named_children()` takes ten times as long
        if child is None:
            continue
        yield from _by_end(child, f"{name}.{child_name}" if name else child_name, inside=inside or operator)
    yield name, operator


def _shown(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
