"""Where rows, columns and channels stand in a layer's output."""

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
    """What has to be known of a model's input to read a grid out of a shape.

    Attributes:
        model: The model.
        images: How many there are in the batch.
        image: Rows and columns of its input.
        token_grid: The grid of its tokens, if the caller gave it.
    """

    model: nn.Module
    images: int
    image: Grid
    token_grid: Grid | None = None

    def layer(self, output: ModuleOutput) -> Layer:
        """Read a layer's grid from the shape that it put out.

        Raises:
            LayerError: If the shape holds no grid, or more than one.
        """
        shape = output.shape[1:]
        if len(shape) in (2, 3) and output.shape[0] != self.images:
            raise LayerError(
                f"The first axis of what layer {output.name!r} puts out, {shape_text(output.shape)}, is not that of "
                f"the {self.images} images: choose another layer, or give the model batch_first=True."
            )
        if len(shape) == 3:
            last = _is_channels_last(output, self.image)
            grid = shape[:2] if last else shape[1:]
            layout: Layout = "channels last" if last else "channels first"
        elif len(shape) == 2 and kind_of(output.module) not in CHANNELS_FIRST_KINDS:
            grid, layout = self._token_grid(output), "tokens"
        else:
            what = f"its output has shape {shape_text(output.shape)}" if output.shape else "it puts out no such tensor"
            raise LayerError(
                f"Layer {output.name!r} is not spatial ({what}): choose one whose output has rows and columns, "
                "as listed by candidate_layers."
            )
        if grid[0] * grid[1] < 2:
            raise LayerError(
                f"Layer {output.name!r} is not spatial (its output of shape {shape_text(output.shape)} is pooled to "
                "one cell): choose an earlier one."
            )
        return Layer(output.name, kind_of(output.module), shape, (grid[0], grid[1]), layout, output.calls)

    def _token_grid(self, output: ModuleOutput) -> Grid:
        tokens = output.shape[1]
        if not _works_along_the_last_axis(output.module, output.shape[2]) and self._grids(output.shape[2]):
            raise LayerError(
                f"Layer {output.name!r} may put out {tokens} tokens or {tokens} channels (shape "
                f"{shape_text(output.shape)}): choose the layer before or behind it."
            )
        if self.token_grid is not None:
            if 0 < self.token_grid[0] * self.token_grid[1] <= tokens:
                return self.token_grid
            raise LayerError(
                f"Layer {output.name!r} puts out {tokens} tokens, fewer than the {shape_text(self.token_grid)} of "
                "token_grid: give the rows and columns of its patches."
            )
        fitting = self._grids(tokens)
        patches = self._patches()
        if patches and 0 <= tokens - patches[0] * patches[1] <= MAX_PREFIX_TOKENS:
            return patches
        if len(fitting) == 1:
            return fitting.pop()
        found = "no grid" if not fitting else " or ".join(map(shape_text, sorted(fitting)))
        raise LayerError(
            f"The {tokens} tokens of layer {output.name!r} (shape {shape_text(output.shape)}) form {found} over an "
            f"image of {shape_text(self.image)}: give GradCAM(model, token_grid=(rows, columns))."
        )

    def _grids(self, tokens: int) -> set[Grid]:
        """Return the grids of whole patches that so many tokens can form, with some before them."""
        return {
            grid
            for stride in range(1, min(self.image) + 1)
            if not (self.image[0] % stride or self.image[1] % stride)
            for grid in [(self.image[0] // stride, self.image[1] // stride)]
            if grid[0] * grid[1] >= 2 and 0 <= tokens - grid[0] * grid[1] <= MAX_PREFIX_TOKENS
        }

    def _patches(self) -> Grid | None:
        """Return the grid of the patch embedding, a convolution whose stride is its kernel."""
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
    # A cube, or an image of no aspect: only layers that work along the last axis tell.
    return _works_along_the_last_axis(output.module, third)


def _works_along_the_last_axis(module: nn.Module, width: int) -> bool:
    parts = list(module.modules())
    return not any(isinstance(part, nn.Conv2d) for part in parts) and any(
        (isinstance(part, nn.Linear) and part.out_features == width)
        or (isinstance(part, nn.LayerNorm) and part.normalized_shape == (width,))
        for part in parts
    )


def fits(grid: Grid, image: Grid) -> bool:
    """Say whether a grid has the image's aspect, up to what padding and rounding do."""
    scale = (grid[0] * grid[1] / (image[0] * image[1])) ** 0.5
    return all(abs(cells - side * scale) <= 1.5 for cells, side in zip(grid, image, strict=True))


def shape_text(shape: tuple[int, ...]) -> str:
    """Write a shape as "64×7×7"."""
    return "×".join(map(str, shape))
