"""Inference of the spatial grid and channel axis from a layer's output shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from gradcam_widgets.errors import LayerError

from .kinds import kind_of
from .layers import Grid, Layer, Layout

if TYPE_CHECKING:
    from .recording import ModuleOutput

CHANNELS_FIRST_KINDS = ("convolution", "pooling")


MAX_PREFIX_TOKENS = 8  # a class token, a distillation token, registers


@dataclass(frozen=True)
class SpatialLayout:
    """Input geometry used to infer the spatial grid from an output shape.

    Attributes:
        model: The model.
        images: Number of images in the batch.
        image: Rows and columns of the input.
        token_grid: Rows and columns of the patch tokens, or None to infer them.
    """

    model: nn.Module
    images: int
    image: Grid
    token_grid: Grid | None = None

    def layer(self, output: ModuleOutput) -> Layer:
        """Return the layer description inferred from an output's shape.

        Raises:
            LayerError: If the shape allows no grid, or more than one.
        """
        shape = output.shape[1:]
        if len(shape) in (2, 3) and output.shape[0] != self.images:
            raise LayerError(
                f"The output of layer {output.name!r} has shape {shape_text(output.shape)}, whose first axis is not "
                f"the batch of {self.images} images: choose another layer, or build the model with batch_first=True."
            )
        if len(shape) == 3:
            is_channels_last = _is_channels_last(output, self.image)
            grid = shape[:2] if is_channels_last else shape[1:]
            layout: Layout = "channels last" if is_channels_last else "channels first"
        elif len(shape) == 2 and kind_of(output.module) not in CHANNELS_FIRST_KINDS:
            grid, layout = self._token_grid(output), "tokens"
        else:
            reason = f"output shape {shape_text(output.shape)}" if output.shape else "output is not a float tensor"
            raise LayerError(
                f"Layer {output.name!r} is not spatial ({reason}): choose a layer listed by candidate_layers."
            )
        if grid[0] * grid[1] < 2:
            raise LayerError(
                f"Layer {output.name!r} is not spatial (output shape {shape_text(output.shape)} is pooled to one "
                "cell): choose an earlier layer."
            )
        return Layer(output.name, kind_of(output.module), shape, (grid[0], grid[1]), layout, output.calls)

    def _token_grid(self, output: ModuleOutput) -> Grid:
        tokens = output.shape[1]
        if not _acts_on_last_axis(output.module, output.shape[2]) and self._grids(output.shape[2]):
            raise LayerError(
                f"The output of layer {output.name!r} may have {tokens} tokens or {tokens} channels (shape "
                f"{shape_text(output.shape)}): choose the layer before or after it."
            )
        if self.token_grid is not None:
            if 0 < self.token_grid[0] * self.token_grid[1] <= tokens:
                return self.token_grid
            raise LayerError(
                f"token_grid must fit into the {tokens} tokens of layer {output.name!r}, got "
                f"{shape_text(self.token_grid)}: set the rows and columns of its patches."
            )
        possible = self._grids(tokens)
        patches = self._patches()
        if patches and 0 <= tokens - patches[0] * patches[1] <= MAX_PREFIX_TOKENS:
            return patches
        if len(possible) == 1:
            return possible.pop()
        grids = "no grid" if not possible else " or ".join(map(shape_text, sorted(possible)))
        raise LayerError(
            f"The {tokens} tokens of layer {output.name!r} (shape {shape_text(output.shape)}) form {grids} over an "
            f"image of {shape_text(self.image)}: set GradCAM(model, token_grid=(rows, columns))."
        )

    def _grids(self, tokens: int) -> set[Grid]:
        """Return the grids of whole patches for a number of tokens, which may include class and register tokens."""
        return {
            grid
            for stride in range(1, min(self.image) + 1)
            if not (self.image[0] % stride or self.image[1] % stride)
            for grid in [(self.image[0] // stride, self.image[1] // stride)]
            if grid[0] * grid[1] >= 2 and 0 <= tokens - grid[0] * grid[1] <= MAX_PREFIX_TOKENS
        }

    def _patches(self) -> Grid | None:
        """Return the grid of the patch embedding, a convolution whose stride equals its kernel size."""
        for module in self.model.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size == module.stride and module.stride[0] > 1:
                return self.image[0] // module.stride[0], self.image[1] // module.stride[1]
        return None


def _is_channels_last(output: ModuleOutput, image: Grid) -> bool:
    first, second, third = output.shape[1:]
    if kind_of(output.module) in CHANNELS_FIRST_KINDS or isinstance(output.module, nn.BatchNorm2d):
        return False
    last_fits, first_fits = fits((first, second), image), fits((second, third), image)
    if last_fits != first_fits:
        return last_fits
    # Both layouts have the image's aspect ratio: only a layer that acts on the last axis decides.
    return _acts_on_last_axis(output.module, third)


def _acts_on_last_axis(module: nn.Module, width: int) -> bool:
    submodules = list(module.modules())
    return not any(isinstance(submodule, nn.Conv2d) for submodule in submodules) and any(
        (isinstance(submodule, nn.Linear) and submodule.out_features == width)
        or (isinstance(submodule, nn.LayerNorm) and submodule.normalized_shape == (width,))
        for submodule in submodules
    )


def fits(grid: Grid, image: Grid) -> bool:
    """Return whether a grid has the image's aspect ratio, within 1.5 cells for padding and rounding."""
    scale = (grid[0] * grid[1] / (image[0] * image[1])) ** 0.5
    return all(abs(cells - side * scale) <= 1.5 for cells, side in zip(grid, image, strict=True))


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as text, "64×7×7"."""
    return "×".join(map(str, shape))
