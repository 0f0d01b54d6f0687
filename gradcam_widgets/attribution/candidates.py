"""Search for a model's spatial layers, and choice of the default target layer."""

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


def candidates(outputs: Sequence[ModuleOutput], layout: SpatialLayout, class_count: int) -> list[Layer]:
    """Return the layers with a spatial output, in call order, one per distinct output; the default is marked.

    A block that returns the output of its last layer unchanged represents that layer.

    Args:
        outputs: Outputs of all modules in call order.
        layout: The model's input geometry.
        class_count: Number of class scores.
    """
    spatial: list[tuple[Layer, ModuleOutput]] = []
    for group in _distinct(outputs):
        # A pooled map is named after its pooling layer, any other one after the innermost block that returns it.
        blocks = [output for output in group if kind_of(output.module) == "block"]
        named = blocks[0] if blocks and kind_of(group[0].module) != "pooling" else group[0]
        try:
            spatial.append((layout.layer(named), named))
        except LayerError:
            continue
    # Attention matrices of a transformer look like square maps.
    tokens = {output.shape[1] for output in outputs if len(output.shape) == 3}
    spatial = [pair for pair in spatial if not (pair[0].grid[0] == pair[0].grid[1] and pair[0].grid[0] in tokens)]
    # A transformer's windows look like rows and columns, too, but do not have the image's aspect ratio.
    spatial = [pair for pair in spatial if fits(pair[0].grid, layout.image)] or spatial
    if not spatial:
        return []
    default, why = _default(spatial, outputs, class_count)
    return [replace(layer, default=True, why=why) if layer is default else layer for layer, _ in spatial]


def likely_default(model: nn.Module) -> set[str]:
    """Return the names of the modules that very probably include the default layer.

    These are all modules that end with or after the last but one convolution or attention layer, in order of
    definition.
    """
    order = list(_by_end(model))
    operators = [i for i, (_, is_outermost_operator) in enumerate(order) if is_outermost_operator]
    start = operators[-2] if len(operators) > 1 else 0
    return {name for name, _ in order[start:]}


def _default(
    spatial: Sequence[tuple[Layer, ModuleOutput]], outputs: Sequence[ModuleOutput], class_count: int
) -> tuple[Layer, str]:
    position = {output.name: i for i, output in enumerate(outputs)}
    last_linear = max((i for i, o in enumerate(outputs) if isinstance(o.module, nn.Linear)), default=-1)

    def is_map_per_class(layer: Layer) -> bool:
        channels = layer.shape[0] if layer.layout == "channels first" else layer.shape[-1]
        return channels == class_count and position[layer.name] > last_linear

    features = [pair for pair in spatial if not is_map_per_class(pair[0])] or list(spatial)
    features = [pair for pair in features if pair[0].kind != "pooling"] or features
    blocks = [layer for layer, output in features if _is_transformer_block(layer, output.module)]
    blocks = [block for block in blocks if not any(block.name.startswith(f"{other.name}.") for other in blocks)]
    if len(blocks) > 1:
        return blocks[-2], (
            f"second-to-last transformer block, {shape_text(blocks[-2].grid)} tokens: "
            "after the last one the scores may depend on the class token alone"
        )
    last = features[-1][0]
    later = [layer for layer, _ in spatial if position[layer.name] > position[last.name]]
    if not later:
        return last, f"last spatial output, {shape_text(last.grid)}"
    kind = "one map per class" if is_map_per_class(later[0]) else later[0].kind
    return last, f"last spatial output, {shape_text(last.grid)}, before {later[0].name} ({kind})"


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
    """Yield module names after those of their children, with whether the module is an outermost operator."""
    operator = not inside and is_operator(module)
    for child_name, child in module._modules.items():  # noqa: SLF001 - `named_children()` takes ten times as long
        if child is None:
            continue
        yield from _by_end(child, f"{name}.{child_name}" if name else child_name, inside=inside or operator)
    yield name, operator
