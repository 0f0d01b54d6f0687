from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from gradcam_widgets import LayerError
from gradcam_widgets.attribution.recording import ModuleOutput
from gradcam_widgets.attribution.spatial_layout import SpatialLayout, fits, shape_text

if TYPE_CHECKING:
    from gradcam_widgets.attribution.layers import Grid, Layer


def read(shape: tuple[int, ...], image: Grid, module: nn.Module | None = None, token_grid: Grid | None = None) -> Layer:
    """Read what a module without weights put out for one image, in a model without a patch embedding."""
    output = ModuleOutput("here", module or nn.GELU(), shape, 1, same_as_previous=False)
    return SpatialLayout(nn.Identity(), 1, image, token_grid).layer(output)


# -- which grids have an image's aspect


@pytest.mark.parametrize(
    ("grid", "image", "expected"),
    [  # a grid of the image's own aspect has √(rows · columns) cells over the root of the image's pixels
        ((7, 7), (224, 224), True),
        ((10, 12), (100, 100), True),  # 10.95 each: 0.95 and 1.05 off
        ((9, 16), (64, 128), True),  # 8.49 and 16.97: 0.51 and 0.97 off
        ((9, 12), (100, 100), False),  # 10.39 each: 1.39 and 1.61 off
        ((8, 12), (96, 96), False),  # 9.80 each: 1.80 and 2.20 off
        ((10, 14), (100, 100), False),  # 11.83 each: 1.83 and 2.17 off
        ((12, 12), (32, 64), False),  # 8.49 and 16.97: 3.51 and 4.97 off
        ((16, 9), (64, 128), False),
    ],
)
def test_a_grid_fits_within_one_and_a_half_cells(grid: Grid, image: Grid, expected: bool) -> None:
    assert fits(grid, image) is expected


@pytest.mark.parametrize("image", [(224, 224), (224, 320), (320, 224), (64, 128), (75, 99)])
@pytest.mark.parametrize("kernels", [[(3, 2)], [(7, 2), (3, 2)], [(11, 4), (3, 2)], [(3, 2), (3, 2), (3, 2)]])
def test_what_convolutions_without_padding_put_out_fits(kernels: list[tuple[int, int]], image: Grid) -> None:
    layers = nn.Sequential(*(nn.Conv2d(1, 1, kernel, stride) for kernel, stride in kernels)).to("meta")
    rows, columns = layers(torch.zeros(1, 1, *image, device="meta")).shape[2:]
    assert min(rows, columns) >= 2
    assert fits((rows, columns), image)


# -- where the channels stand


def test_channels_as_many_as_nearly_fit_are_not_a_side() -> None:
    # 12×8 is not quite the aspect of a square image, so that 12×12×8 has eight channels, and they stand last.
    last = read((1, 12, 12, 8), (96, 96))
    assert (last.grid, last.layout) == ((12, 12), "channels last")
    first = read((1, 8, 12, 12), (96, 96))
    assert (first.grid, first.layout) == ((12, 12), "channels first")


@pytest.mark.parametrize(
    ("module", "layout", "grid"),
    [
        (nn.Conv2d(12, 12, 1), "channels first", (12, 12)),
        (nn.BatchNorm2d(12), "channels first", (12, 12)),
        (nn.GELU(), "channels first", (12, 12)),
        (nn.Linear(12, 12), "channels last", (12, 12)),
        (nn.LayerNorm(12), "channels last", (12, 12)),
        (nn.Sequential(nn.Conv2d(12, 12, 1), nn.LayerNorm(12)), "channels first", (12, 12)),
    ],
)
def test_a_cube_is_read_by_what_its_module_works_on(module: nn.Module, layout: str, grid: Grid) -> None:
    found = read((1, 12, 12, 12), (96, 96), module)
    assert (found.layout, found.grid) == (layout, grid)


# -- tokens


@pytest.mark.parametrize(
    ("tokens", "image", "grid"),
    [
        (5, (224, 224), (2, 2)),  # a class token before four; one cell behind four tokens would be no grid
        (4, (96, 96), (2, 2)),
        (9, (64, 64), (2, 2)),  # behind five
        (3, (32, 64), (1, 2)),
        (197, (224, 224), (14, 14)),
        (37, (32, 64), (4, 8)),
    ],
)
def test_tokens_form_a_grid_of_more_than_one_cell(tokens: int, image: Grid, grid: Grid) -> None:
    found = read((1, tokens, 768), image, nn.LayerNorm(768))
    assert (found.grid, found.layout, found.shape) == (grid, "tokens", (tokens, 768))


@pytest.mark.parametrize("tokens", [1, 2, 3])
def test_tokens_too_few_for_two_cells_form_no_grid(tokens: int) -> None:
    with pytest.raises(LayerError, match=rf"^The {tokens} tokens of layer 'here' .* form no grid over an image of 64"):
        read((1, tokens, 768), (64, 64), nn.LayerNorm(768))


def test_a_grid_that_was_given_is_taken_for_the_tokens() -> None:
    assert read((1, 11, 768), (12, 12), nn.LayerNorm(768), token_grid=(3, 3)).grid == (3, 3)
    with pytest.raises(LayerError, match="token_grid must fit into the 11 tokens of layer 'here', got 3×4"):
        read((1, 11, 768), (12, 12), nn.LayerNorm(768), token_grid=(3, 4))


# -- what has no grid


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 5, 1, 1), r"output shape 1×5×1×1 is pooled to one cell"),
        ((1, 5), r"output shape 1×5"),
        ((), r"output is not a float tensor"),
        ((3, 5, 4, 4), r"The output of layer 'here' has shape 3×5×4×4, whose first axis is not the batch of 1 images"),
    ],
)
def test_a_shape_without_a_grid_is_told(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(LayerError, match=said):
        read(shape, (32, 32))


def test_a_shape_is_written_with_times_signs() -> None:
    assert shape_text((64, 7, 7)) == "64×7×7"
