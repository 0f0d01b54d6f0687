"""Enlarging, blurring and sampling, beside OpenCV, which does the same in less precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from gradcam_widgets.samples.scenes.drawing.resampling import blur, enlarge, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLOSE = 2e-6


def noise(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(7).uniform(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(26, 18), (29, 35), (14, 9), (13, 9)])
@pytest.mark.parametrize("small", [(13, 9, 3), (1, 4, 3), (1, 1, 3)])
def test_enlarging_matches_opencv(small: tuple[int, ...], shape: tuple[int, int]) -> None:
    values = noise(*small)
    expected = cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(enlarge(values, shape), expected.reshape(*shape, 3), rtol=0, atol=CLOSE)


@pytest.mark.parametrize("sigma", [0.51, 0.6, 1.0, 4.5, 12.0])
@pytest.mark.parametrize("shape", [(16, 41), (3, 2), (1, 7), (12, 30, 3)])
def test_blurring_matches_opencv(shape: tuple[int, ...], sigma: float) -> None:
    values = noise(*shape)
    expected = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    np.testing.assert_allclose(blur(values, sigma), expected, rtol=0, atol=CLOSE)
    assert np.abs(values - expected).max() > 0.1


@pytest.mark.parametrize("sigma", [0.6, 1.0, 4.5])
def test_blurring_with_reflected_edges_matches_opencv(sigma: float) -> None:
    values = noise(40, 30, 3)
    expected = cv2.GaussianBlur(values, (0, 0), sigma)
    np.testing.assert_allclose(blur(values, sigma, mirror=True), expected, rtol=0, atol=CLOSE)


def test_sampling_reads_between_pixels_and_over_the_edges() -> None:
    tile = np.array([[0, 10, 20, 30], [40, 50, 60, 70], [80, 90, 100, 110], [120, 130, 140, 150]], np.float32)
    rows, columns = np.array([0, 1, 0.5, 3.5, -0.25, 1e4]), np.array([0, 2, 0.25, 0, 3.5, 2.0])
    # by hand: (3.5, 0) lies between 120 and 0; (-0.25, 3.5) is a quarter of row 3 and three of row 0, columns 3 and 0
    expected = [0, 60, 22.5, 60, 0.25 * 135 + 0.75 * 15, 20]
    assert sample(tile, rows, columns).tolist() == expected
    together = sample(tile, np.array([[0.0], [1.5]]), np.array([[0.0, 3.0, 3.5]]))
    assert together.tolist() == [[0, 30, 15], [60, 90, 75]]
