from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional

from gradcam_widgets.classifiers.preprocessing import Preprocessing
from gradcam_widgets.images.fitting import center_crop, resized, window

SHAPES = [(300, 417), (417, 300), (256, 256), (57, 91), (101, 33), (40, 61)]
INPUTS = [((224, 224), 256), ((64, 64), 71), ((64, 64), 64), ((17, 17), 20), ((30, 40), 45)]


def places(shape: tuple[int, int]) -> Tensor:
    """Return each pixel's row and column at its center_crop, axes (row or column, row, column)."""
    down, across = torch.meshgrid(*(torch.arange(side, dtype=torch.float64) + 0.5 for side in shape), indexing="ij")
    return torch.stack([down, across])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "shorter_side"), INPUTS)
def test_the_size_is_torchvisions(shape: tuple[int, int], size: tuple[int, int], shorter_side: int) -> None:
    expected = tuple(functional.resize(places(shape), [shorter_side]).shape[1:])
    assert min(expected) == shorter_side
    assert resized(shape, (1, 1), shorter_side) == expected
    assert resized(shape, size, shorter_side) == (max(size[0], expected[0]), max(size[1], expected[1]))


@pytest.mark.parametrize("shape", [(256, 341), (341, 256), (65, 64), (64, 67), (20, 31), (45, 70)])
@pytest.mark.parametrize("size", [(64, 64), (17, 20), (16, 16), (20, 31)])
def test_the_middle_is_torchvisions(shape: tuple[int, int], size: tuple[int, int]) -> None:
    if shape[0] < size[0] or shape[1] < size[1]:
        size = (min(shape[0], size[0]), min(shape[1], size[1]))
    seen = functional.center_crop(places(shape), list(size))
    top, left = (seen[:, 0, 0] - 0.5).tolist()
    bottom, right = (seen[:, -1, -1] + 0.5).tolist()
    assert (bottom - top, right - left) == size
    assert center_crop(shape, size) == (left, top, right, bottom)


@pytest.mark.parametrize("shape", [(300, 417), (417, 300), (400, 401), (403, 301)])
@pytest.mark.parametrize(("size", "shorter_side"), [((64, 64), 90), ((48, 48), 61), ((30, 40), 70)])
def test_the_window_is_what_torchvisions_crop_shows(
    shape: tuple[int, int], size: tuple[int, int], shorter_side: int
) -> None:
    # Resampling is linear, so that each pixel of the crop holds its own place in the image, up to its kernel's steps.
    small = functional.resize(places(shape), [shorter_side], antialias=True)
    seen = functional.center_crop(small, list(size))
    step = [(seen[0, -1, 0] - seen[0, 0, 0]) / (size[0] - 1), (seen[1, 0, -1] - seen[1, 0, 0]) / (size[1] - 1)]
    assert min(step) > 3
    top, left = (float(seen[i, 0, 0] - step[i] / 2) for i in (0, 1))
    bottom, right = (float(seen[i, -1, -1] + step[i] / 2) for i in (0, 1))
    assert window(shape, size, shorter_side) == pytest.approx((left, top, right, bottom), abs=0.05)


def test_a_window_may_end_between_pixels() -> None:
    # 40×61 becomes 20×30; the center_crop 17×17 begins at row 2 (1.5) and column 6 (6.5), both rounded to even.
    left, top, right, bottom = window((40, 61), (17, 17), 20)
    assert (left, right) == pytest.approx((6 * 61 / 30, 23 * 61 / 30))
    assert (top, bottom) == (4, 38)


# -- what is seen through it


@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_seen_begins_between_pixels_where_its_window_does(axis: int) -> None:
    shape = (40, 61) if axis else (61, 40)
    ramp = np.arange(61) * 4  # four gray levels a pixel
    image = np.broadcast_to(ramp if axis else ramp[:, None], shape)[:, :, None].repeat(3, axis=2).astype(np.uint8)
    seen = Preprocessing((17, 17), resize_mode="crop", resize=20).seen(image)
    assert seen.shape[axis] == 35  # 17 of 30 pixels, 61 / 30 each: 34.57
    begin, end = 6 * 61 / 30, 23 * 61 / 30
    middles = begin + (np.arange(35) + 0.5) * (end - begin) / 35
    expected = np.interp(middles, np.arange(61) + 0.5, ramp)
    assert np.ptp(expected) > 100
    found = seen[:, :, 0].mean(axis=1 - axis)
    inner = slice(1, -1)  # antialiasing is cut off at the ends
    np.testing.assert_allclose(found[inner], expected[inner], atol=0.75)
