"""Noise that is made once: tiles to cut surfaces, clouds and waves from."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from .resampling import sample

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

Noise = Literal["cloud", "grain", "skin", "waves", "scales"]

TILE = 512
_SEEDS: dict[Noise, int] = {"cloud": 11, "grain": 12, "skin": 13, "waves": 14, "scales": 15}


@cache
def tile(kind: Noise) -> NDArray[np.float32]:
    """Return a tile of noise that continues over its edges, axes (row, column), float32, about −1…1, mean 0.

    One feature is about 16 of its 512 pixels wide ("cloud" holds all sizes).
    """
    random = np.random.Generator(np.random.PCG64(_SEEDS[kind])).normal(size=(TILE, TILE))
    row = np.asarray(np.fft.fftfreq(TILE)[:, None] * TILE, np.float64)
    column = np.asarray(np.fft.rfftfreq(TILE)[None] * TILE, np.float64)
    values = np.fft.irfft2(np.fft.rfft2(random) * _spectrum(kind, row, column), s=(TILE, TILE))
    values /= values.std()
    if kind == "skin":  # smooth patches between creases
        values = 4.4 * np.minimum(np.abs(values), 0.5 + 0.25 * np.abs(values))
    values = np.clip((values - values.mean()) / 2.2, -1.2, 1.2)
    result: NDArray[np.float32] = values.astype(np.float32)
    result.setflags(write=False)
    return result


def _spectrum(kind: Noise, row: NDArray[np.float64], column: NDArray[np.float64]) -> NDArray[np.float64]:
    radius = np.hypot(row, column)
    if kind == "cloud":
        return np.where(radius > 0, np.maximum(radius, 1) ** -1.7, 0)
    if kind == "grain":
        return radius * np.exp(-((radius / 60) ** 2))
    if kind == "waves":  # crests lie across the line of sight
        tall = np.hypot(row, 2.6 * column)
        return tall**1.5 * np.exp(-((tall / 30) ** 2)) + 0.35 * tall * np.exp(-((tall / 75) ** 2))
    if kind == "scales":
        return np.exp(-(((radius - 48) / 7) ** 2))
    return radius * np.exp(-((radius / 26) ** 2))


def cut(
    kind: Noise, shape: tuple[int, int], step: float, at: tuple[float, float], stretch: float = 1.0
) -> NDArray[np.float32]:
    """Cut a piece of noise.

    Args:
        kind: Which noise.
        shape: Rows and columns wanted.
        step: Pixels of the tile per pixel wanted.
        at: Where to begin, column and row of the tile; any numbers.
        stretch: How much wider than high its features become.

    Returns:
        Axes (row, column), float32, about −1…1.
    """
    across, down = min(step / stretch, 2 * TILE / shape[1]), min(step, 2 * TILE / shape[0])
    rows, columns = down * np.arange(shape[0]) + at[1] % TILE, across * np.arange(shape[1]) + at[0] % TILE
    return sample(tile(kind), rows[:, None], columns[None])


def ease(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut values to 0…1 and take the kinks out of their ends; float32."""
    share = np.clip(values, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def between(first: ArrayLike, second: ArrayLike, share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return colors from the first (share 0) to the second (share 1), axes (row, column, RGB), float32."""
    low = np.asarray(first, np.float32)
    return np.asarray(low + share[..., None] * (np.asarray(second, np.float32) - low), np.float32)


def plane(
    kind: Noise, shape: tuple[int, int], rng: Generator, cells: float, *, wide: float = 1.0, far: float = 0.06
) -> NDArray[np.float32]:
    """Lay noise on level ground that goes off to the horizon at its upper edge.

    Args:
        kind: Which noise.
        shape: Rows and columns wanted.
        rng: Where on its tile it begins.
        cells: How many features there are about one image's width before the viewer.
        wide: How much wider than deep they look.
        far: How far below the horizon the ground begins, in shares of the image.

    Returns:
        Axes (row, column), float32, about −1…1.
    """
    rows, columns = shape
    y = (np.arange(rows) + 0.5) / columns + far
    x = (np.arange(columns, dtype=np.float32) + np.float32(0.5)) / np.float32(columns) - np.float32(0.5)
    across = x[None] * (cells * 8 / wide / y).astype(np.float32)[:, None]
    across += np.float32(rng.uniform(0, TILE))
    down = np.mod(np.log(y) * cells * 16 + rng.uniform(0, TILE), TILE).astype(np.float32)[:, None]
    return sample(tile(kind), down, across)
