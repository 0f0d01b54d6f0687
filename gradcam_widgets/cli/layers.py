"""`gradcam-widgets layers`: list the layers of a model that can carry a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcam_widgets.attribution.layers import Layer, main_layers
from gradcam_widgets.classifiers.loading import list_layers_without_weights

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> None:
    """Print layers with grid, output shape and kind; a star marks the default."""
    layers, size = list_layers_without_weights(options.model)
    shown = layers if options.all else main_layers(layers)
    hidden = f", {len(shown)} shown: --all for every one" if len(shown) < len(layers) else ""
    print(f"{options.model}, input {size[0]}×{size[1]}: {len(layers)} layers can carry a map{hidden}")
    width = max(len(layer.name) for layer in shown)
    print(f"    {'layer':{width}}  {'grid':>9}  {'output':>14}  kind")
    for layer in shown:
        print(_layer_line(layer, width))


def _layer_line(layer: Layer, width: int) -> str:
    grid, shape = "×".join(map(str, layer.grid)), "×".join(map(str, layer.shape))
    line = f"  {'*' if layer.default else ' '} {layer.name:{width}}  {grid:>9}  {shape:>14}  {layer.kind}"
    return f"{line}  <- default: {layer.why}" if layer.default else line
