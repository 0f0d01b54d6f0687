"""The riverbank: foliage, water, mud, and supports such as logs and rocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from gradcam_widgets.samples.scenes.drawing.resampling import blur, enlarge
from gradcam_widgets.samples.scenes.drawing.shading import Stroke
from gradcam_widgets.samples.scenes.drawing.shapes import Color, Piece, Points, mix, pose_at, scaled, smooth, tube
from gradcam_widgets.samples.scenes.drawing.textures import TILE, between, cut, ease, plane

from .landscapes import blades, leaves

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from gradcam_widgets.samples.scenes.drawing.canvas import Canvas
    from gradcam_widgets.samples.scenes.drawing.shading import Light


def riverbank(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> Color:
    """Paint foliage above the horizon (fraction of the image), water and a bank, and return the color of the plants."""
    size = canvas.size
    green = mix((0.20, 0.38, 0.14), (0.38, 0.45, 0.15), rng.uniform())
    colors = np.empty((size, size, 3), np.float32)
    top = round(size * horizon)
    bank = min(size - 8, round(size * (horizon + rng.uniform(0.10, 0.18))))
    colors[:] = _thicket(size, rng, light, green)
    colors[top:bank] = _water(colors[:top], (bank - top, size), rng, light)
    _mud(colors, rng, light, bank)
    canvas.backdrop(colors)
    _trunks(canvas, rng, light, horizon)
    _shore(canvas, rng, light, green, horizon)
    _sprays(canvas, rng, light, green, horizon)
    count = rng.integers(60, 160)
    feet = np.stack([rng.uniform(0, 1, count), rng.uniform(horizon - 0.005, horizon + 0.015, count)], axis=1)
    blades(
        canvas,
        rng,
        light,
        scaled(green, 1.1),
        feet,
        heights=np.full(count, rng.uniform(0.03, 0.06)),
        hides=False,
        fog=0.15,
    )
    return scaled(green, 1.3)


def _thicket(size: int, rng: Generator, light: Light, green: Color) -> NDArray[np.float32]:
    """Return blurred foliage, `(size, size, 3)` float32 RGB."""
    small = size // 2
    mass = cut("cloud", (small, small), 260 / small, (rng.uniform(0, TILE), rng.uniform(0, TILE)))
    leaf = cut("skin", (small, small), 330 / small, (rng.uniform(0, TILE), rng.uniform(0, TILE)))
    bright = np.clip(0.62 + 0.42 * mass + 0.26 * leaf, 0.16, 1.3).astype(np.float32)
    lit = np.asarray(green, np.float32) * (light.sky * 0.85 + light.sun * 0.95)
    colors = bright[..., None] * lit
    bare = np.float32(rng.uniform(0.25, 0.6))
    gap = ease((mass + np.float32(0.5) * leaf - bare) * np.float32(2.2)) * np.float32(0.85)
    colors += gap[..., None] * (light.haze * np.array([0.95, 1.0, 0.86], np.float32) - colors)
    haze = np.float32(0.12 + 0.22 * light.density)
    colors += haze * (light.haze - colors)
    return enlarge(blur(np.asarray(colors, np.float32), 0.009 * small, mirror=True), (size, size))


def _water(above: NDArray[np.float32], shape: tuple[int, int], rng: Generator, light: Light) -> NDArray[np.float32]:
    """Return still water that reflects the rows above it, `(H, W, 3)` float32 RGB."""
    rows = np.clip(len(above) - 1 - np.arange(shape[0]) * 2, 0, None)
    mirror = cv2.blur(np.ascontiguousarray(above[rows]), (9, 1))
    ripple = plane("waves", shape, rng, 10, wide=2.2, far=0.08)
    depth = ((np.arange(shape[0], dtype=np.float32) + 0.5) / shape[0])[:, None]
    share = np.clip(0.45 + 0.34 * ripple - 0.12 * depth, 0, 1).astype(np.float32)
    return between(
        mirror * 0.72 + np.array([0.06, 0.07, 0.05], np.float32),
        light.haze * 0.6 + light.zenith * 0.3,
        share * np.float32(0.8),
    )


def _mud(colors: NDArray[np.float32], rng: Generator, light: Light, bank: int) -> None:
    size = len(colors)
    shape = (size - bank, size)
    mud = mix((0.58, 0.46, 0.33), (0.52, 0.48, 0.38), rng.uniform())
    moss = mix((0.40, 0.47, 0.22), (0.55, 0.52, 0.30), rng.uniform())
    patch = plane("cloud", shape, rng, 6, wide=1.3, far=0.2)
    grit = plane("grain", shape, rng, 13, wide=1.2, far=0.2)
    ground = between(mud, moss, ease(patch * np.float32(1.5) + np.float32(rng.uniform(0.1, 0.7))))
    lit = light.ground * 0.3 + light.sky * 0.65 + light.sun * 0.62
    ground *= lit * (0.95 + 0.14 * grit + 0.14 * patch)[..., None]
    line = 3.0 * np.sin(np.linspace(0, rng.uniform(5, 14), size) + rng.uniform(0, 6)) * size / 224
    line = line.astype(np.float32)
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    share = np.clip((rows - 4 * size / 224 + line[None]) * 0.5, 0, 1).astype(np.float32)
    wet = np.clip(1 - (rows - 4 * size / 224 + line[None]) / (9 * size / 224), 0, 1).astype(np.float32)
    ground *= (1 - 0.45 * wet)[..., None]
    colors[bank:] = colors[bank - 1] + share[..., None] * (ground - colors[bank - 1])


def _shore(canvas: Canvas, rng: Generator, light: Light, green: Color, horizon: float) -> None:
    """Draw bushes on the far shore."""
    for x in np.linspace(0, 1, rng.integers(4, 7)):
        if rng.uniform() < 0.75:
            tone = scaled(mix(green, (0.46, 0.48, 0.20), rng.uniform(0, 0.7)), rng.uniform(0.8, 1.35))
            wide = rng.uniform(0.08, 0.16)
            tall = wide * rng.uniform(0.5, 0.9)
            leaves(
                canvas,
                rng,
                light,
                (float(x) + rng.normal(0, 0.06), horizon - 0.6 * tall),
                (wide, tall),
                color=tone,
                fog=0.10 + 0.2 * light.density,
            )


def _trunks(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> None:
    for _ in range(rng.integers(0, 4)):
        x, width = rng.uniform(-0.02, 1.02), rng.uniform(0.02, 0.06)
        lean = rng.uniform(-0.08, 0.08)
        path = np.array([(x, horizon + 0.01), (x + lean * 0.4, horizon * 0.5), (x + lean, -0.05)])
        outline = tube(path, [width * 1.2, width, width * 0.85], round_end=False)
        bark = mix((0.30, 0.25, 0.19), (0.42, 0.38, 0.32), rng.uniform())
        _stand(canvas, Piece((outline,), bark, roundness=0.015, texture=(0.18, 12)), light, 0.30, rng)


def _stand(canvas: Canvas, piece: Piece, light: Light, fog: float, rng: Generator) -> None:
    canvas.piece(piece, pose_at(0, 0, canvas.side), Stroke(light, fog, (rng.uniform(0, TILE), rng.uniform(0, TILE))))


def _leaf(length: float, width: float) -> Points:
    return np.array(
        [
            (0, 0),
            (0.3 * length, -width),
            (0.7 * length, -0.7 * width),
            (length, 0),
            (0.7 * length, 0.7 * width),
            (0.3 * length, width),
        ]
    )


def _sprays(canvas: Canvas, rng: Generator, light: Light, green: Color, horizon: float) -> None:
    """Draw leaves that hang into the image from above."""
    count = int(rng.integers(40, 130))
    x = rng.uniform(0, 1) + rng.normal(0, 0.33, count)
    y = np.abs(rng.normal(0, 0.16, count)) * horizon
    turn = rng.uniform(0.2, 2.9, count)
    size = rng.uniform(0.035, 0.075, count)
    leaf = _leaf(1.0, 0.22)
    sine, cosine = np.sin(turn) * size, np.cos(turn) * size
    shapes = (
        leaf[None] @ np.stack([np.stack([cosine, sine], 1), np.stack([-sine, cosine], 1)], 1)
        + np.stack([x, y], 1)[:, None]
    )
    fixed = np.rint(shapes * canvas.side * 16).astype(np.int32)
    tones = rng.uniform(0.5, 1.25, count)
    lit = np.asarray(green, np.float32) * (light.sky * 0.55 + light.sun * 0.7)
    for outline, tone in zip(fixed, tones, strict=True):
        cv2.fillConvexPoly(canvas.color, outline, canvas.shade(lit * tone), cv2.LINE_AA, 4)
        cv2.polylines(
            canvas.color,
            [outline[[0, 3]]],
            isClosed=False,
            color=canvas.shade(lit * tone * 0.8),
            lineType=cv2.LINE_AA,
            shift=4,
        )


def support(kind: str, width: float, rng: Generator) -> list[Piece]:
    """Return the support of a reptile or person, its top at y = 0.

    Args:
        kind: "log", "rock" or "quay"; "mud" has no pieces.
        width: Width of the supported figure, in its units.
        rng: Random generator for color and shape.
    """
    makers = {"log": _log, "rock": _rock, "quay": _quay}
    return makers[kind](width / 2, rng) if kind in makers else []


def _log(half: float, rng: Generator) -> list[Piece]:
    color = mix((0.40, 0.32, 0.24), (0.50, 0.45, 0.38), rng.uniform())
    tilt = rng.uniform(-0.03, 0.03)
    path = [(-half * 1.12, 0.10 - tilt), (0.0, 0.095), (half * 1.12, 0.11 + tilt)]
    grain = [smooth([(x, y + dy) for x, y in path], closed=False) for dy in (-0.085, -0.05, -0.015, 0.02, 0.06, 0.09)]
    return [
        Piece((tube(path, [0.24, 0.25, 0.20]),), color, roundness=0.07, texture=(0.12, 9)),
        Piece(tuple(grain), scaled(color, 0.55), line=0.012, opacity=0.4),
    ]


def _rock(half: float, rng: Generator) -> list[Piece]:
    color = mix((0.52, 0.50, 0.47), (0.45, 0.42, 0.36), rng.uniform())
    points = np.array([
        (-half * 1.1, 0.12), (-half * 0.95, 0.0), (-half * 0.4, -0.02), (half * 0.3, -0.01), (half * 0.95, 0.0),
        (half * 1.1, 0.10), (half * 0.9, 0.22), (0.0, 0.26), (-half * 0.9, 0.23),
    ])  # fmt: skip
    outline = smooth(points + rng.normal(0, 0.012, (9, 2)) * (1, 0.5))
    fade = (scaled(color, 0.6), (0, 0.03), (0, 0.25))
    return [Piece((outline,), color, roundness=0.10, texture=(0.12, 9), fade=fade)]


def _quay(half: float, rng: Generator) -> list[Piece]:
    color = mix((0.52, 0.50, 0.47), (0.45, 0.42, 0.36), rng.uniform())
    right = np.array([(half * 0.9, -0.02), (half, 0.012), (half * 1.02, 0.6)])
    outline = np.concatenate([right, right[::-1] * (-1, 1)])
    rows = tuple(np.array([(-half, y), (half, y)]) for y in (0.05, 0.13, 0.21))
    joints = tuple(np.array([(x * half, 0.05), (x * half, 0.13)]) for x in (-0.6, 0.1, 0.7))
    fade = (scaled(color, 0.6), (0, 0.0), (0, 0.3))
    return [
        Piece((outline,), color, roundness=0.02, texture=(0.12, 14), fade=fade),
        Piece((*rows, *joints), scaled(color, 0.5), line=0.006, opacity=0.5),
    ]
