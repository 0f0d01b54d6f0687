from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from gradcam_widgets.errors import OptionError
from gradcam_widgets.heatmaps.rendering import blend, color_table, colorize, select, upsample
from gradcam_widgets.images.encoding import encode_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcam_widgets.heatmaps.display import Evidence, Interpolation

RED = (255, 0, 0)
SIZES = [(224, 320), (35, 50), (101, 67), (7, 10), (4, 6)]


def one_hot(row: int, column: int, grid: tuple[int, int] = (7, 10)) -> NDArray[np.float32]:
    values = np.zeros(grid, np.float32)
    values[row, column] = 1
    return values


def noise(grid: tuple[int, int] = (7, 10)) -> NDArray[np.float32]:
    return np.random.default_rng(3).normal(size=grid).astype(np.float32)


def half_pixel_weights(cells: int, pixels: int) -> NDArray[np.float64]:
    """Each pixel's share of each cell where centers lie at halves and the edges are clamped."""
    centers = (np.arange(pixels) + 0.5) * cells / pixels - 0.5
    return np.stack([np.interp(centers, np.arange(cells), one) for one in np.eye(cells)], axis=1)


def by_torch(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    large = functional.interpolate(torch.from_numpy(values)[None, None], size, mode="bicubic", align_corners=False)
    result: NDArray[np.float32] = large[0, 0].numpy()
    return result


@pytest.mark.parametrize("interpolation", ["cells", "bilinear", "cubic"])
@pytest.mark.parametrize(("row", "column"), list(itertools.product([0, 3, 6], [0, 4, 9])))
def test_a_cell_lands_on_its_pixels_of_an_image_that_is_not_square(
    row: int, column: int, interpolation: Interpolation
) -> None:
    large = upsample(one_hot(row, column), (224, 320), interpolation)
    assert large.shape == (224, 320)
    assert large.max() > 0.9
    rows, columns = np.nonzero(large > 0.7)
    assert len(rows) > 50
    assert rows.min() >= 32 * row
    assert rows.max() < 32 * (row + 1)
    assert columns.min() >= 32 * column
    assert columns.max() < 32 * (column + 1)


@pytest.mark.parametrize("interpolation", ["cells", "bilinear", "cubic"])
def test_an_inner_cells_center_of_mass_is_the_middle_of_its_pixels(interpolation: Interpolation) -> None:
    large = upsample(one_hot(3, 4), (224, 320), interpolation).astype(np.float64)
    assert large.sum(axis=1) @ np.arange(224) / large.sum() == pytest.approx(32 * 3 + 15.5, abs=0.01)
    assert large.sum(axis=0) @ np.arange(320) / large.sum() == pytest.approx(32 * 4 + 15.5, abs=0.01)


def test_cells_are_repeated_exactly() -> None:
    values = noise()
    assert np.array_equal(upsample(values, (224, 320), "cells"), np.kron(values, np.ones((32, 32), np.float32)))


def test_a_pixel_shows_the_cell_over_its_center() -> None:
    values = noise((3, 4))
    rows = [0, 0, 1, 1, 1, 2, 2]  # centers at 3/14, 9/14, 15/14, 21/14, 27/14, 33/14, 39/14 of a cell
    columns = [0, 1, 2, 2, 3]  # at 2/5, 6/5, 2, 14/5, 18/5; the third lies on a border, and goes right
    assert np.array_equal(upsample(values, (7, 5), "cells"), values[rows][:, columns])


@pytest.mark.parametrize("pixels", [7, 15, 21, 23, 65])
def test_a_border_on_a_pixels_center_belongs_to_the_next_cell(pixels: int) -> None:
    before, after = pixels // 2, pixels // 2 + 1
    line = np.repeat(np.array([1, 2], np.float32), [before, after])
    values = np.array([[1, 2]], np.float32)
    assert np.array_equal(upsample(values, (1, pixels), "cells"), line[np.newaxis])
    assert np.array_equal(upsample(values.T, (pixels, 1), "cells"), line[:, np.newaxis])


@pytest.mark.parametrize("size", SIZES)
def test_bilinear_is_the_half_pixel_formula(size: tuple[int, int]) -> None:
    values = noise()
    expected = half_pixel_weights(7, size[0]) @ values @ half_pixel_weights(10, size[1]).T
    assert np.ptp(expected) > 1
    seen = upsample(values, size, "bilinear")
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, expected, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_cubic_is_torchs_clamped_to_the_maps_own_range(size: tuple[int, int]) -> None:
    values = noise()
    expected = by_torch(values, size)
    assert np.ptp(expected) > 1
    seen = upsample(values, size, "cubic")
    np.testing.assert_allclose(seen, expected.clip(values.min(), values.max()), atol=1e-5)


def test_cubic_makes_no_evidence_that_is_not_in_the_map() -> None:
    values = one_hot(3, 4)
    assert by_torch(values, (224, 320)).min() < -0.05
    large = upsample(values, (224, 320), "cubic")
    assert large.min() == 0
    assert large.max() <= 1


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ("for", [[0, 0, 3], [0.5, 0, 0]]),
        ("against", [[2, 0, 0], [0, 0, 1]]),
        ("both", [[-2, 0, 3], [0.5, 0, -1]]),
    ],
)
def test_evidence_is_seen_from_either_side(evidence: Evidence, expected: list[list[float]]) -> None:
    values = np.array([[-2, 0, 3], [0.5, 0, -1]], np.float32)
    assert select(values, evidence).tolist() == expected


@pytest.mark.parametrize(
    ("evidence", "steps"),
    [
        ("for", [0, 0, 0, 64, 255, 255]),  # 0.5 / 2 · 255 = 63.75
        ("against", [255, 128, 0, 0, 0, 0]),  # 1 / 2 · 255 = 127.5
        ("both", [0, 64, 128, 159, 255, 255]),  # (1 + v / 2) / 2 · 255 = 63.75, 127.5, 159.375
    ],
)
def test_values_take_their_step_of_the_color_map(evidence: Evidence, steps: list[int]) -> None:
    values = np.array([[-3, -1, 0, 0.5, 2, 9]], np.float32)
    colors = colorize(values, 2.0, evidence, "viridis")
    assert colors.dtype == np.uint8
    assert colors.shape == (1, 6, 3)
    assert np.array_equal(colors[0], color_table("viridis")[steps])


@pytest.mark.parametrize(
    ("colormap", "low", "high"),
    [
        ("inferno", (0.001462, 0.000466, 0.013866), (0.988362, 0.998364, 0.644924)),
        ("jet", (0, 0, 0.5), (0.5, 0, 0)),
        ("RdBu_r", (5 / 255, 48 / 255, 97 / 255), (103 / 255, 0, 31 / 255)),
    ],
)
def test_color_maps_are_the_published_ones_in_rgb(
    colormap: str, low: tuple[float, ...], high: tuple[float, ...]
) -> None:
    table = color_table(colormap)
    np.testing.assert_allclose(table[[0, -1]] / 255, [low, high], atol=1 / 255)
    assert np.array_equal(table, mpl.colormaps[colormap](np.linspace(0, 1, 256), bytes=True)[:, :3])
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 0


@pytest.mark.parametrize(("evidence", "step"), [("for", 0), ("against", 0), ("both", 128)])
def test_without_a_scale_all_is_nothing(evidence: Evidence, step: int) -> None:
    colors = colorize(np.zeros((2, 3), np.float32), 0.0, evidence, "viridis")
    assert (colors == color_table("viridis")[step]).all()


@pytest.mark.parametrize(
    ("opacity", "expected"),
    [(0.0, [200, 10, 0]), (0.25, [150, 58, 64]), (0.5, [100, 105, 128]), (1.0, [0, 200, 255])],
)
def test_blending_is_the_arithmetic_it_says(opacity: float, expected: list[int]) -> None:
    # 0.25: 200·0.75 = 150, 10·0.75 + 200·0.25 = 57.5, 255·0.25 = 63.75
    image = np.full((2, 3, 3), [200, 10, 0], np.uint8)
    colors = np.full((2, 3, 3), [0, 200, 255], np.uint8)
    blended = blend(image, colors, opacity)
    assert blended.dtype == np.uint8
    assert (blended == expected).all()


def test_each_pixel_can_have_its_opacity() -> None:
    image, colors = np.zeros((1, 3, 3), np.uint8), np.full((1, 3, 3), 200, np.uint8)
    assert blend(image, colors, np.array([[0, 0.5, 1]], np.float32))[0, :, 0].tolist() == [0, 100, 200]


@pytest.mark.parametrize("opacity", [-0.25, 1.5, float("nan")])
def test_an_opacity_beyond_its_range_is_refused(opacity: float) -> None:
    gray = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(OptionError, match=r"^opacity must be between 0 and 1, got .*\.$"):
        blend(gray, gray, opacity)


def test_red_stays_red_in_the_file() -> None:
    image = np.full((3, 5, 3), RED, np.uint8)
    image[:, 3:] = (0, 20, 250)
    decoded = np.asarray(Image.open(io.BytesIO(encode_png(image))))
    assert tuple(decoded[0, 0]) == RED
    assert np.array_equal(decoded, image)


def test_unknown_choices_are_named_with_those_that_there_are() -> None:
    values = noise()
    with pytest.raises(OptionError, match=r"^evidence must be 'for', 'against' or 'both', got 'pro'\.$"):
        select(values, "pro")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"^interpolation must be 'cells', 'bilinear' or 'cubic', got 'nearest'\.$"):
        upsample(values, (8, 8), "nearest")  # type: ignore[arg-type]
    with pytest.raises(
        OptionError, match=r"a name in matplotlib\.colormaps, got 'rainbows'; did you mean 'rainbow'.*\?$"
    ):
        colorize(values, 1.0, colormap="rainbows")
