"""Enlarging, blurring and sampling of float arrays, bit-identical on all machines.

OpenCV's float32 results depend on its version and on the processor, which changes some pixels by one gray level. Here
every value is either computed elementwise in float32, or summed in float64 and then rounded, where the order of
summation is far below the last bit of a float32. (OpenCV's uint8 operations are exact; exponentials and powers are
computed in float64, too.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sample(tile: NDArray[np.float32], rows: NDArray[np.floating], columns: NDArray[np.floating]) -> NDArray[np.float32]:
    """Sample a periodic square tile by bilinear interpolation.

    Args:
        tile: `(S, S)` float32.
        rows: Row coordinates, any numbers; broadcast with `columns`.
        columns: Column coordinates.

    Returns:
        Samples, float32, in the broadcast shape.
    """
    side = len(tile)
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    down, right = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    top, left = top % side, left % side
    bottom, other = (top + 1) % side, (left + 1) % side
    upper: NDArray[np.float32] = tile[top, left]
    lower = tile[bottom, left]
    upper += (tile[top, other] - upper) * right
    lower += (tile[bottom, other] - lower) * right
    lower -= upper
    lower *= down
    upper += lower
    return upper


def enlarge(values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Enlarge an `(H, W, C)` float32 array bilinearly to `shape` (rows, columns), replicating edges."""
    return _on_both_axes(_linear(len(values), shape[0]), values, _linear(values.shape[1], shape[1]))


def blur(values: NDArray[np.float32], sigma: float, *, mirror: bool = False) -> NDArray[np.float32]:
    """Blur a float32 array with a Gaussian.

    Args:
        values: `(H, W)` or `(H, W, C)` float32.
        sigma: Standard deviation in pixels.
        mirror: Whether to reflect the array at its edges instead of padding with zeros.
    """
    rows, columns = (_gaussian(length, sigma, mirror=mirror) for length in values.shape[:2])
    return _on_both_axes(rows, values, columns)


def _on_both_axes(
    rows: NDArray[np.float64], values: NDArray[np.float32], columns: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Multiply both of the first two axes by a matrix, in float64."""
    height, width = values.shape[:2]
    mixed = rows @ values.reshape(height, -1).astype(np.float64)
    mixed = columns @ mixed.reshape(len(rows), width, -1)
    return mixed.reshape(len(rows), len(columns), *values.shape[2:]).astype(np.float32)


@lru_cache(maxsize=256)
def _linear(length: int, target: int) -> NDArray[np.float64]:
    """Return bilinear weights, `(target, length)` float64, with half-pixel centers."""
    at = np.clip((np.arange(target) + 0.5) * (length / target) - 0.5, 0, length - 1)
    matrix: NDArray[np.float64] = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(length)))
    matrix.setflags(write=False)
    return matrix


def _gaussian(length: int, sigma: float, *, mirror: bool) -> NDArray[np.float64]:
    """Return Gaussian weights, `(length, length)` float64."""
    reach = (round(8 * sigma + 1) | 1) // 2  # OpenCV's radius for float32
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    if not mirror:
        middle, near = length - 1, min(reach, length - 1)
        shifted = np.zeros(2 * length - 1)
        shifted[middle - near : middle + near + 1] = weights[reach - near : reach + near + 1]
        return np.ascontiguousarray(sliding_window_view(shifted, length)[::-1])
    places = np.arange(length)
    period = max(1, 2 * (length - 1))
    within = np.abs(places[:, None] + np.arange(-reach, reach + 1)) % period
    matrix = np.zeros((length, length))
    np.add.at(matrix, (places[:, None], np.minimum(within, period - within)), weights)
    return matrix
