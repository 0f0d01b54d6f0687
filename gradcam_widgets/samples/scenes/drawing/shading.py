"""Shading: the colors of a piece under the light, before blending."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .resampling import blur, enlarge
from .textures import cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .shapes import Piece, Points, Pose


@dataclass(frozen=True, eq=False)
class Light:
    """Light of a scene; colors are float32 RGB, about 0…1.

    Attributes:
        toward: Unit vector toward the sun: right, down, toward the viewer.
        sun: Color of the sunlight.
        sky: Color of the light from above.
        ground: Color of the light from below.
        haze: Color of distant objects and of the sky at the horizon.
        zenith: Color of the sky at the zenith.
        density: Density of the haze, 0…1.
        shadow: Strength of cast shadows, 0…1.
        weather: Name of the weather.
    """

    toward: tuple[float, float, float]
    sun: NDArray[np.float32]
    sky: NDArray[np.float32]
    ground: NDArray[np.float32]
    haze: NDArray[np.float32]
    zenith: NDArray[np.float32]
    density: float
    shadow: float
    weather: str


@dataclass(frozen=True, eq=False)
class Stroke:
    """Settings for painting pieces on the canvas.

    Attributes:
        light: Light of the scene.
        fog: Fraction of haze in front of the piece, 0…1.
        at: Offset of the textures on their tiles.
        base: First label of the object; 0 for clutter, which hides objects.
        labels: Label of each part relative to `base`, by name.
    """

    light: Light
    fog: float = 0.0
    at: tuple[float, float] = (0.0, 0.0)
    base: int = 0
    labels: Mapping[str, int] | None = None


def lit(
    cover: NDArray[np.uint8], corner: tuple[int, int], piece: Piece, pose: Pose, stroke: Stroke
) -> NDArray[np.float32]:
    """Return the colors of a piece under the light.

    Args:
        cover: Coverage, `(H, W)` uint8.
        corner: Row and column of its first pixel on the canvas.
        piece: The piece.
        pose: Pose of its figure.
        stroke: Light and haze.

    Returns:
        `(H, W, 3)` float32 RGB, about 0…1; `(1, 1, 3)` if all pixels have the same color.
    """
    rows, columns = cover.shape
    if not (piece.roundness or piece.fade or piece.texture[0]):
        return _plain(piece, stroke)
    short = min(rows, columns)
    factor = 4 if short >= 40 else 2 if short >= 12 else 1
    small = (max(1, -(-columns // factor)), max(1, -(-rows // factor)))
    light = stroke.light
    own = _own_color(piece, pose, corner, small, (columns / small[0], rows / small[1]))
    if piece.roundness > 0:
        shading = _relief(cover, small, piece.roundness * pose.scale * small[0] / columns, light, piece.gloss)
    else:
        shading = _level(light)
    shading = piece.glow + (1 - piece.glow) * shading
    colors = own * shading
    if stroke.fog:
        colors += np.float32(stroke.fog) * (light.haze - colors)
    colors = np.asarray(colors, np.float32)
    large = enlarge(colors, (rows, columns)) if factor > 1 else colors
    strength, cells = piece.texture
    if strength:
        step = 16 * cells / pose.scale
        at = (stroke.at[0] + corner[1] * step, stroke.at[1] + corner[0] * step)
        noise = cut("skin" if cells < 40 else "grain", (rows, columns), step, at)
        noise *= np.float32(strength * (1 - stroke.fog))
        noise += 1
        large = large * noise[..., None]
    return np.asarray(large, np.float32)


def _level(light: Light) -> NDArray[np.float32]:
    """Return the light on a flat, half upright surface."""
    return np.asarray(light.ground * 0.35 + light.sky * 0.65 + light.sun * 0.55, np.float32)


def _plain(piece: Piece, stroke: Stroke) -> NDArray[np.float32]:
    """Return the uniform color of a flat piece, `(1, 1, 3)` float32 RGB."""
    color = np.asarray(piece.color, np.float32) * (piece.glow + (1 - piece.glow) * _level(stroke.light))
    return np.asarray(color + stroke.fog * (stroke.light.haze - color), np.float32)[None, None]


def _own_color(
    piece: Piece, pose: Pose, corner: tuple[int, int], small: tuple[int, int], step: tuple[float, float]
) -> NDArray[np.float32]:
    color = np.asarray(piece.color, np.float32)
    if piece.fade is None:
        return np.broadcast_to(color, (small[1], small[0], 3))
    second, start, end = piece.fade
    share = along(pose([start, end]), corner, small, step)
    return color + share[..., None] * (np.asarray(second, np.float32) - color)


def along(
    ends: Points, corner: tuple[int, int], size: tuple[int, int], step: tuple[float, float] = (1.0, 1.0)
) -> NDArray[np.float32]:
    """Return a smoothstep gradient between two points.

    Args:
        ends: Start and end, `(2, 2)` float64 x and y in canvas pixels.
        corner: Row and column of the first pixel on the canvas.
        size: Number of columns and rows.
        step: Canvas pixels per column and row.

    Returns:
        `(rows, columns)` float32, 0 at the start to 1 at the end.
    """
    (x0, y0), (x1, y1) = ends
    dx, dy = x1 - x0, y1 - y0
    length = max(dx * dx + dy * dy, 1e-9)
    across = (corner[1] + (np.arange(size[0]) + 0.5) * step[0] - x0) * (dx / length)
    down = (corner[0] + (np.arange(size[1]) + 0.5) * step[1] - y0) * (dy / length)
    share = np.clip(across[None] + down[:, None], 0, 1).astype(np.float32)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _relief(
    cover: NDArray[np.uint8], small: tuple[int, int], radius: float, light: Light, gloss: float
) -> NDArray[np.float32]:
    """Return the light on a shape with a rounded rim, `(H, W, 3)` float32 RGB."""
    height = cv2.resize(cover, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    height /= 255
    radius = max(radius, 0.6)
    wide = blur(height, min(radius, 12))
    fine = blur(height, min(radius, 12) * 0.35 + 0.3)
    height = wide * np.float32(2.2 * radius) + fine * np.float32(0.5 * radius)
    x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=-0.125)
    y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=-0.125)
    inverse = 1 / np.sqrt(x * x + y * y + 1)
    tx, ty, tz = light.toward
    facing = (tx * x + ty * y + tz) * inverse
    up = np.float32(0.5) - np.float32(0.5) * y * inverse
    shading = light.ground + up[..., None] * (light.sky - light.ground)
    shading += np.maximum(facing, 0)[..., None] * light.sun
    if gloss:
        shine = np.clip((facing - np.float32(0.78)) * np.float32(4.5), 0, 1) ** 2
        shading += (shine * np.float32(1.6 * gloss))[..., None] * (light.sun + np.float32(0.3) * light.sky)
    return np.asarray(shading, np.float32)
