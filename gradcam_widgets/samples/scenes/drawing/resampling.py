"""Enlarging, softening and sampling of float arrays, to the same bits on every machine.

OpenCV does this in float32, in an order and with instructions that depend on the processor and on its version, so that
here and there a pixel comes out one gray level higher. Here each value is either computed step by step in float32 or
summed in float64 and then rounded, where what another order changes is far below a float32's last bit. (What OpenCV
does to uint8 is exact as it is; exponentials and powers, of which numpy has several, are taken in float64 too.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sample(tile: NDArray[np.float32], rows: NDArray[np.floating], columns: NDArray[np.floating]) -> NDArray[np.float32]:
    """Read a square tile that continues over its edges at any places, linearly between its pixels.

    Args:
        tile: Axes (row, column), float32.
        rows: Where to read, in rows of the tile, any numbers; broadcast with `columns`.
        columns: Likewise, in columns.

    Returns:
        What is there, float32, in the shape of both together.
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
    """Enlarge an array (row, column, channel) linearly to rows and columns, edges continued; float32."""
    return _on_both_axes(_linear(len(values), shape[0]), values, _linear(values.shape[1], shape[1]))


def blur(values: NDArray[np.float32], sigma: float, *, mirror: bool = False) -> NDArray[np.float32]:
    """Blur an array (row, column) or (row, column, channel) by a Gaussian; float32.

    Args:
        values: What is blurred.
        sigma: Standard deviation, pixels.
        mirror: Whether the mirror image of what lies within lies beyond the edges, or nothing.
    """
    rows, columns = (_gaussian(length, sigma, mirror=mirror) for length in values.shape[:2])
    return _on_both_axes(rows, values, columns)


def _on_both_axes(
    rows: NDArray[np.float64], values: NDArray[np.float32], columns: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Multiply each of the first two axes by a matrix, in float64."""
    height, width = values.shape[:2]
    mixed = rows @ values.reshape(height, -1).astype(np.float64)
    mixed = columns @ mixed.reshape(len(rows), width, -1)
    return mixed.reshape(len(rows), len(columns), *values.shape[2:]).astype(np.float32)


@lru_cache(maxsize=256)
def _linear(length: int, wanted: int) -> NDArray[np.float64]:
    """Return how much each of the pixels adds to each one wanted, axes (wanted, pixel); centers lie half a pixel in."""
    at = np.clip((np.arange(wanted) + 0.5) * (length / wanted) - 0.5, 0, length - 1)
    matrix: NDArray[np.float64] = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(length)))
    matrix.setflags(write=False)
    return matrix


def _gaussian(length: int, sigma: float, *, mirror: bool) -> NDArray[np.float64]:
    """Return how much each pixel adds to each one, axes (blurred, pixel)."""
    reach = (round(8 * sigma + 1) | 1) // 2  # as far as OpenCV takes it for float32
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
