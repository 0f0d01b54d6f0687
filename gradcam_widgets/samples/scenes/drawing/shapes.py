"""Outlines of drawn things: smooth curves, tubes, ellipses, and where they come to stand in an image."""

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
    """One shape of a figure, in the figure's own coordinates (x to the right, y down, the ground at y = 0).

    Attributes:
        outlines: Closed outlines, or open lines where `line` is set; each of axes (point, x and y), float64.
        color: Its own color (RGB, 0…1) before light falls on it.
        part: The part of the figure it belongs to; empty where it has no name.
        line: Width of the lines; 0 fills the outlines.
        roundness: How far from the rim the shape is rounded, as the light shows it; 0 is flat.
        fade: A second color and the two points between which the first goes over into it.
        texture: Strength of the surface's noise, 0…1, and cells of it per unit.
        gloss: Strength of the highlight, 0…1.
        shadow: Strength of the soft shadow on what the figure already shows, 0…1.
        inside: Paint only where the figure already is; with a name, only where that part is.
        opacity: 0…1; what is at most half opaque hides nothing and belongs to no mask.
        glow: Share of its color that needs no light, 0…1.
        feather: Two points: it grows from nothing at the first to opaque at the second, to join what is below it.
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
    """Where a figure stands: local points to pixels of the canvas.

    Attributes:
        matrix: Linear map, axes (x and y of the canvas, x and y of the figure), float64.
        origin: Where the figure's (0, 0) comes to lie, in pixels of the canvas.
        scale: Pixels of the canvas per unit of the figure.
    """

    matrix: Points
    origin: Points
    scale: float

    def __call__(self, points: PointsLike) -> Points:
        """Return the points, axes (point, x and y), on the canvas."""
        result: Points = np.asarray(points, dtype=np.float64) @ self.matrix.T + self.origin
        return result


def pose_at(x: float, y: float, scale: float, *, flip: bool = False, angle: float = 0.0) -> Pose:
    """Place a figure.

    Args:
        x: Column of its origin, in pixels of the canvas.
        y: Row of its origin.
        scale: Pixels per unit.
        flip: Turn left into right.
        angle: Turn clockwise, in radians, after the flip.
    """
    sine, cosine = np.sin(angle), np.cos(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return Pose(scale * turn * np.array([-1.0 if flip else 1.0, 1.0]), np.array([x, y], dtype=np.float64), scale)


@cache
def _catmull_rom(steps: int) -> NDArray[np.float64]:
    """Weights of four neighboring points, axes (step, point)."""
    t = np.arange(steps) / steps
    powers = np.stack([np.ones(steps), t, t**2, t**3], axis=1)
    weights = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    return powers @ weights


def smooth(points: PointsLike, *, closed: bool = True, steps: int = 8) -> Points:
    """Lead a Catmull-Rom curve through points, axes (point, coordinate), with so many steps from one to the next."""
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
    """Return unit normals of an open path, to the left of its direction as seen with y down."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)


def tube(path: PointsLike, widths: Sequence[float], *, round_end: bool = True, steps: int = 8) -> Points:
    """Return the outline of a limb along a curve through points, with a width (side to side) at each of them."""
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
    """Return an ellipse's outline."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    sine, cosine = np.sin(angle), np.cos(angle)
    flat = np.stack([rx * np.cos(turn), ry * np.sin(turn)], axis=1)
    result: Points = flat @ np.array([[cosine, sine], [-sine, cosine]]) + (x, y)
    return result


def stretched(pieces: Sequence[Piece], across: float) -> list[Piece]:
    """Make a figure wider (or narrower, as one seen at an angle), its height kept."""
    wide = np.array([across, 1.0])
    result = []
    for piece in pieces:
        fade, feather = piece.fade, piece.feather
        if fade is not None:
            fade = (fade[0], np.asarray(fade[1]) * wide, np.asarray(fade[2]) * wide)
        if feather is not None:
            feather = (np.asarray(feather[0]) * wide, np.asarray(feather[1]) * wide)
        result.append(replace(piece, outlines=tuple(one * wide for one in piece.outlines), fade=fade, feather=feather))
    return result


def mix(first: Sequence[float], second: Sequence[float], share: float) -> Color:
    """Go from the first color (share 0) to the second (share 1)."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def scaled(color: Sequence[float], factor: float) -> Color:
    """Make a color darker or lighter."""
    red, green, blue = (min(max(channel * factor, 0.0), 1.0) for channel in color)
    return red, green, blue
