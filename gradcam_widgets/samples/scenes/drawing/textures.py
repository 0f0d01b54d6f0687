"""Noise textures: cached periodic tiles for surfaces, clouds and waves."""

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
    """Return a periodic tile of noise, `(512, 512)` float32, about −1…1, mean 0.

    Features are about 16 pixels wide ("cloud" has all sizes).
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
    """Resample a rectangle of noise.

    Args:
        kind: Kind of noise.
        shape: Number of rows and columns.
        step: Tile pixels per output pixel.
        at: Column and row of the tile at the first pixel; any numbers.
        stretch: Horizontal stretch of the features.

    Returns:
        `(rows, columns)` float32, about −1…1.
    """
    across, down = min(step / stretch, 2 * TILE / shape[1]), min(step, 2 * TILE / shape[0])
    rows, columns = down * np.arange(shape[0]) + at[1] % TILE, across * np.arange(shape[1]) + at[0] % TILE
    return sample(tile(kind), rows[:, None], columns[None])


def ease(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clip values to 0…1 and apply smoothstep; float32."""
    share = np.clip(values, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def between(first: ArrayLike, second: ArrayLike, share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Interpolate colors by `share`, `(H, W)` float32 0…1; `(H, W, 3)` float32 RGB."""
    low = np.asarray(first, np.float32)
    return np.asarray(low + share[..., None] * (np.asarray(second, np.float32) - low), np.float32)


def plane(
    kind: Noise, shape: tuple[int, int], rng: Generator, cells: float, *, wide: float = 1.0, far: float = 0.06
) -> NDArray[np.float32]:
    """Project noise onto level ground whose horizon is at the upper edge.

    Args:
        kind: Kind of noise.
        shape: Number of rows and columns.
        rng: Random generator for the offset.
        cells: Number of features across the image's width in the foreground.
        wide: Width of the features relative to their depth.
        far: Distance of the first row below the horizon, as a fraction of the image.

    Returns:
        `(rows, columns)` float32, about −1…1.
    """
    rows, columns = shape
    y = (np.arange(rows) + 0.5) / columns + far
    x = (np.arange(columns, dtype=np.float32) + np.float32(0.5)) / np.float32(columns) - np.float32(0.5)
    across = x[None] * (cells * 8 / wide / y).astype(np.float32)[:, None]
    across += np.float32(rng.uniform(0, TILE))
    down = np.mod(np.log(y) * cells * 16 + rng.uniform(0, TILE), TILE).astype(np.float32)[:, None]
    return sample(tile(kind), down, across)
