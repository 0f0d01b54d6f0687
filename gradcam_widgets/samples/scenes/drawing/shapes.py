"""Shapes of figures: smooth curves, tubes, ellipses, and their pose on the canvas."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Points: TypeAlias = NDArray[np.float64]
PointsLike: TypeAlias = "Points | Sequence[Sequence[float] | Points]"
Color: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Piece:
    """A shape of a figure, in the figure's coordinates (x to the right, y down, the ground at y = 0).

    Attributes:
        outlines: Closed outlines, or open lines if `line` is set; each `(points, 2)` float64 x and y.
        color: Unlit color, RGB, 0…1.
        part: Name of the part of the figure, or "".
        line: Width of the lines; 0 fills the outlines.
        roundness: Width of the rounded rim; 0 is flat.
        fade: A second color, and the two points between which the color changes to it.
        texture: Strength of the surface noise, 0…1, and its cells per unit.
        gloss: Strength of the highlight, 0…1.
        shadow: Strength of the soft shadow cast on the figure itself, 0…1.
        inside: Whether to paint only over the figure; a name limits it to that part.
        opacity: 0…1; pieces of at most 0.5 hide nothing and belong to no mask.
        glow: Fraction of the color that is independent of the light, 0…1.
        feather: Two points between which the piece changes from transparent to opaque, for soft joints.
    """

    outlines: tuple[Points, ...]
    color: Color
    part: str = ""
    line: float = 0.0
    roundness: float = 0.0
    fade: tuple[Color, Sequence[float], Sequence[float]] | None = None
    texture: tuple[float, float] = (0.0, 10.0)
    gloss: float = 0.0
    shadow: float = 0.0
    inside: bool | str = False
    opacity: float = 1.0
    glow: float = 0.0
    feather: tuple[Sequence[float], Sequence[float]] | None = None


@dataclass(frozen=True, eq=False)
class Pose:
    """Affine map from a figure's coordinates to canvas pixels.

    Attributes:
        matrix: Linear part, `(2, 2)` float64.
        origin: Position of the figure's (0, 0), x and y in canvas pixels.
        scale: Canvas pixels per unit of the figure.
    """

    matrix: Points
    origin: Points
    scale: float

    def __call__(self, points: PointsLike) -> Points:
        """Map points, `(N, 2)` x and y, to canvas pixels, float64."""
        result: Points = np.asarray(points, dtype=np.float64) @ self.matrix.T + self.origin
        return result


def pose_at(x: float, y: float, scale: float, *, flip: bool = False, angle: float = 0.0) -> Pose:
    """Return the pose at a position.

    Args:
        x: Column of the origin, in canvas pixels.
        y: Row of the origin, in canvas pixels.
        scale: Canvas pixels per unit.
        flip: Whether to mirror left and right.
        angle: Clockwise rotation after the flip, in radians.
    """
    sine, cosine = np.sin(angle), np.cos(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return Pose(scale * turn * np.array([-1.0 if flip else 1.0, 1.0]), np.array([x, y], dtype=np.float64), scale)


@cache
def _catmull_rom(steps: int) -> NDArray[np.float64]:
    """Return weights of four neighboring points, `(steps, 4)` float64."""
    t = np.arange(steps) / steps
    powers = np.stack([np.ones(steps), t, t**2, t**3], axis=1)
    weights = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    return powers @ weights


def smooth(points: PointsLike, *, closed: bool = True, steps: int = 8) -> Points:
    """Return a Catmull-Rom curve through points, `(N, D)`, with `steps` samples per segment."""
    p = np.asarray(points, dtype=np.float64)
    if closed:
        around = np.stack([np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)])
        curve: Points = np.einsum("sk,knd->nsd", _catmull_rom(steps), around).reshape(-1, p.shape[1])
        return curve
    padded = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    along = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]])
    curve = np.einsum("sk,knd->nsd", _catmull_rom(steps), along).reshape(-1, p.shape[1])
    return np.concatenate([curve, p[-1:]])


def normals(path: Points) -> Points:
    """Return unit normals of an open path, on its left side with y down; `(N, 2)` float64."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)


def tube(path: PointsLike, widths: Sequence[float], *, round_end: bool = True, steps: int = 8) -> Points:
    """Return the outline of a limb along a curve through points, with the full width at every point."""
    knots = np.column_stack([np.asarray(path, dtype=np.float64), np.asarray(widths, dtype=np.float64) / 2])
    curve = smooth(knots, closed=False, steps=steps)
    middle, half = curve[:, :2], np.maximum(curve[:, 2:], 0)
    side = normals(middle)
    left, right = middle + side * half, middle - side * half
    if not round_end:
        return np.concatenate([left, right[::-1]])
    return np.concatenate([left, _cap(middle[-1], side[-1], half[-1, 0]), right[::-1]])


def _cap(center: Points, side: Points, radius: float) -> Points:
    turn = np.linspace(0, np.pi, 7)[1:-1]
    ahead = np.array([-side[1], side[0]])
    result: Points = center + radius * (np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * ahead)
    return result


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, *, count: int = 28) -> Points:
    """Return the outline of an ellipse, `(count, 2)` float64."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    sine, cosine = np.sin(angle), np.cos(angle)
    flat = np.stack([rx * np.cos(turn), ry * np.sin(turn)], axis=1)
    result: Points = flat @ np.array([[cosine, sine], [-sine, cosine]]) + (x, y)
    return result


def stretched(pieces: Sequence[Piece], across: float) -> list[Piece]:
    """Scale a figure horizontally by the factor `across`."""
    wide = np.array([across, 1.0])
    result = []
    for piece in pieces:
        fade, feather = piece.fade, piece.feather
        if fade is not None:
            fade = (fade[0], np.asarray(fade[1]) * wide, np.asarray(fade[2]) * wide)
        if feather is not None:
            feather = (np.asarray(feather[0]) * wide, np.asarray(feather[1]) * wide)
        result.append(
            replace(piece, outlines=tuple(outline * wide for outline in piece.outlines), fade=fade, feather=feather)
        )
    return result


def mix(first: Sequence[float], second: Sequence[float], share: float) -> Color:
    """Interpolate from the first color (share 0) to the second (share 1)."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def scaled(color: Sequence[float], factor: float) -> Color:
    """Multiply a color by a factor, clipped to 0…1."""
    red, green, blue = (min(max(channel * factor, 0.0), 1.0) for channel in color)
    return red, green, blue
