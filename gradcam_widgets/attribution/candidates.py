"""Which layers can carry a map, in call order; which one to take by default, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import nn

from gradcam_widgets.errors import LayerError

from .kinds import is_operator, kind_of
from .spatial_layout import SpatialLayout, fits, shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .layers import Layer
    from .recording import ModuleOutput


def candidates(outputs: Sequence[ModuleOutput], layout: SpatialLayout, class_names: int) -> list[Layer]:
    """List the layers that can carry a map, in call order, one for each distinct output.

    A block that hands on what its last layer put out stands for it; the default is marked.

    Args:
        outputs: All modules' outputs in call order.
        layout: The model's input.
        class_names: Number of class scores.
    """
    found: list[tuple[Layer, ModuleOutput]] = []
    for group in _distinct(outputs):
        # A pooled map is named after its pooling; anything else after the innermost block that puts it out.
        blocks = [output for output in group if kind_of(output.module) == "block"]
        chosen = blocks[0] if blocks and kind_of(group[0].module) != "pooling" else group[0]
        try:
            found.append((layout.layer(chosen), chosen))
        except LayerError:
            continue
    # So do a transformer's attention matrices.
    tokens = {output.shape[1] for output in outputs if len(output.shape) == 3}
    found = [pair for pair in found if not (pair[0].grid[0] == pair[0].grid[1] and pair[0].grid[0] in tokens)]
    # Windows of a transformer look like rows and columns, too, but do not have the image's aspect.
    found = [pair for pair in found if fits(pair[0].grid, layout.image)] or found
    if not found:
        return []
    default, why = _default(found, outputs, class_names)
    return [replace(layer, default=True, why=why) if layer is default else layer for layer, _ in found]


def likely_default(model: nn.Module) -> set[str]:
    """Name the modules among which the default will almost surely be found: those that end late.

    They are all that end with or after the last but one convolution or attention, in order of definition.
    """
    order = list(_by_end(model))
    operators = [i for i, (_, is_operator) in enumerate(order) if is_operator]
    start = operators[-2] if len(operators) > 1 else 0
    return {name for name, _ in order[start:]}


def _default(
    found: Sequence[tuple[Layer, ModuleOutput]], outputs: Sequence[ModuleOutput], class_names: int
) -> tuple[Layer, str]:
    position = {output.name: i for i, output in enumerate(outputs)}
    last_linear = max((i for i, o in enumerate(outputs) if isinstance(o.module, nn.Linear)), default=-1)

    def is_map_per_class(layer: Layer) -> bool:
        channels = layer.shape[0] if layer.layout == "channels first" else layer.shape[-1]
        return channels == class_names and position[layer.name] > last_linear

    features = [pair for pair in found if not is_map_per_class(pair[0])] or list(found)
    features = [pair for pair in features if pair[0].kind != "pooling"] or features
    blocks = [layer for layer, output in features if _is_transformer_block(layer, output.module)]
    blocks = [block for block in blocks if not any(block.name.startswith(f"{other.name}.") for other in blocks)]
    if len(blocks) > 1:
        return blocks[-2], (
            f"second-to-last transformer block, {shape_text(blocks[-2].grid)} tokens: "
            "after the last one the class token may be all that counts"
        )
    last = features[-1][0]
    behind = [layer for layer, _ in found if position[layer.name] > position[last.name]]
    if not behind:
        return last, f"last spatial output, {shape_text(last.grid)}"
    what = "one map per class" if is_map_per_class(behind[0]) else behind[0].kind
    return last, f"last spatial output, {shape_text(last.grid)}, before {behind[0].name} ({what})"


def _distinct(outputs: Sequence[ModuleOutput]) -> list[list[ModuleOutput]]:
    groups: list[list[ModuleOutput]] = []
    for output in outputs:
        if output.same_as_previous and groups:
            groups[-1].append(output)
        else:
            groups.append([output])
    return groups


def _is_transformer_block(layer: Layer, module: nn.Module) -> bool:
    return (
        layer.layout != "channels first"
        and not isinstance(module, (nn.Sequential, nn.ModuleList))
        and any(kind_of(child) == "attention" for child in module.children())
    )


def _by_end(module: nn.Module, name: str = "", *, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """Walk a model so that a module's name comes after its parts', with whether it is an outermost operator."""
    operator = not inside and is_operator(module)
    for child_name, child in module._modules.items():  # noqa: SLF001 - `named_children()` takes ten times as long
        if child is None:
            continue
        yield from _by_end(child, f"{name}.{child_name}" if name else child_name, inside=inside or operator)
    yield name, operator
