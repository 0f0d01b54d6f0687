"""Placement of figures, with their shadows, wakes and surrounding clutter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from gradcam_widgets.samples.scenes.backgrounds.landscapes import blades, leaves
from gradcam_widgets.samples.scenes.drawing.canvas import PARTS_PER_OBJECT, Canvas
from gradcam_widgets.samples.scenes.drawing.shading import Light, Stroke
from gradcam_widgets.samples.scenes.drawing.shapes import (
    Color,
    Piece,
    Points,
    Pose,
    ellipse,
    mix,
    pose_at,
    scaled,
    smooth,
)
from gradcam_widgets.samples.scenes.drawing.textures import TILE
from gradcam_widgets.samples.scenes.subjects.vessels import buoy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

MARGIN = 0.025
GAP = 0.085
MIN_HEIGHT = 0.118
MAX_HEIGHT = 0.74


@dataclass(frozen=True, eq=False)
class Actor:
    """A figure before placement; lengths are fractions of the image's side.

    Attributes:
        name: Class name, or "photographer".
        pieces: Shapes of the figure.
        width: Preferred width.
        height: Maximum height.
        ground: Row of the ground below it.
        flip: Whether it faces left.
        angle: Clockwise rotation in radians.
        fog: Fraction of haze in front of it, 0…1.
        far: Whether it is the second, farther figure.
    """

    name: str
    pieces: Sequence[Piece]
    width: float
    height: float
    ground: float
    flip: bool
    angle: float
    fog: float
    far: bool = False


@dataclass(frozen=True, eq=False)
class Placed:
    """A placed figure; `box` is left, top, right, bottom in canvas pixels."""

    actor: Actor
    pose: Pose
    box: tuple[float, float, float, float]
    base: int
    labels: dict[str, int]


def extent(actor: Actor) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the flipped and rotated figure, in its own units."""
    pose = pose_at(0, 0, 1, flip=actor.flip, angle=actor.angle)
    opaque = [piece for piece in actor.pieces if piece.opacity > 0.5 and not piece.inside]
    outlines = [(pose(np.concatenate(piece.outlines)), piece.line / 2) for piece in opaque]
    left, top = np.min([points.min(axis=0) - margin for points, margin in outlines], axis=0)
    right, bottom = np.max([points.max(axis=0) + margin for points, margin in outlines], axis=0)
    return float(left), float(top), float(right), float(bottom)


def place(actors: Sequence[Actor], order: Sequence[int], side: int, rng: Generator) -> list[Placed]:
    """Place figures side by side, in the given order from left to right, without horizontal overlap."""
    extents = [extent(actor) for actor in actors]
    widths = []
    for actor, (left, top, right, bottom) in zip(actors, extents, strict=True):
        aspect = (bottom - top) / (right - left)
        widths.append(
            min(max(actor.width, MIN_HEIGHT / aspect), actor.height / aspect, (actor.ground - MARGIN) / aspect)
        )
    if len(actors) > 1 and actors[1].far:
        widths[1] = min(widths[1], 0.8 * widths[0])
    room = 1 - 2 * MARGIN - GAP * (len(actors) - 1)
    shrink = min(1.0, room / sum(widths))
    widths = [width * shrink for width in widths]
    shares = rng.uniform(0.05, 1, len(actors) + 1)
    spare = (room - sum(widths)) * shares / shares.sum()
    x = MARGIN
    placements: list[Placed | None] = [None] * len(actors)
    for slot, index in enumerate(order):
        x += spare[slot]
        actor, (left, top, right, bottom) = actors[index], extents[index]
        scale = widths[index] / (right - left)
        pose = pose_at((x - left * scale) * side, actor.ground * side, scale * side, flip=actor.flip, angle=actor.angle)
        box = (
            x * side,
            (actor.ground + top * scale) * side,
            (x + widths[index]) * side,
            (actor.ground + bottom * scale) * side,
        )
        names = dict.fromkeys(piece.part for piece in actor.pieces if piece.part)
        labels = {name: number + 1 for number, name in enumerate(names)}
        placements[index] = Placed(actor, pose, box, PARTS_PER_OBJECT * (index + 1), labels)
        x += widths[index] + GAP
    return [placed for placed in placements if placed is not None]


def stroke(placed: Placed, light: Light, at: tuple[float, float]) -> Stroke:
    """Return the stroke that paints a placed figure."""
    return Stroke(light, placed.actor.fog, at, placed.base, placed.labels)


def ground_shadow(canvas: Canvas, placed: Placed, light: Light) -> None:
    """Paint a figure's shadow on level ground, opposite the sun, softer under clouds."""
    scale = placed.pose.scale
    slant, flat = -1.1 * light.toward[0] / max(-light.toward[1], 0.35), -0.16 - 0.22 * light.toward[2]
    origin = placed.pose.origin
    outlines = []
    for piece in placed.actor.pieces:
        if piece.opacity > 0.5 and not piece.inside and not piece.line:
            for outline in piece.outlines:
                points = placed.pose(outline)
                height = origin[1] - points[:, 1]
                outlines.append(
                    np.stack([points[:, 0] + slant * height * 0.55, origin[1] + flat * height * 0.6], axis=1)
                )
    soft = 0.02 * scale if light.weather in {"clear", "dusk"} else 0.06 * scale
    _soft_shadow(canvas, outlines, soft, 0.75 * light.shadow)
    x0, _, x1, _ = placed.box
    contact = ellipse((x0 + x1) / 2, origin[1], (x1 - x0) * 0.36, 0.025 * (x1 - x0) + 0.02 * scale)
    _soft_shadow(canvas, [contact], 0.05 * scale, 0.45)


def _soft_shadow(canvas: Canvas, outlines: Sequence[Points], soft: float, strength: float) -> None:
    points = np.concatenate(outlines)
    pad = int(3 * soft) + 4
    left, top = (int(value) - pad for value in np.floor(points.min(axis=0)))
    right, bottom = (int(value) + pad for value in np.ceil(points.max(axis=0)))
    left, top, right, bottom = (
        max(left, -pad),
        max(top, -pad),
        min(right, canvas.side + pad),
        min(bottom, canvas.side + pad),
    )
    if right - left < 4 or bottom - top < 4:
        return
    factor = 4 if soft > 5 else 2
    small = np.zeros((max(1, (bottom - top) // factor), max(1, (right - left) // factor)), np.uint8)
    for outline in outlines:
        cv2.fillPoly(small, [np.rint((outline - (left, top)) * (16 / factor)).astype(np.int32)], 255, cv2.LINE_AA, 4)
    softened = cv2.GaussianBlur(small, (0, 0), max(soft / factor, 0.5))
    cover = cv2.resize(softened, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    canvas.darken(cover * np.float32(strength / 255), (top, left), (0.16, 0.15, 0.20))


def wake(canvas: Canvas, rng: Generator, light: Light, placed: Placed) -> None:
    """Paint a ship's reflection and the wake behind it."""
    x0, y0, x1, _ = placed.box
    water = placed.pose.origin[1]
    height = (water - y0) * 0.5
    dark = ellipse((x0 + x1) / 2, water + 0.25 * height, (x1 - x0) * 0.46, 0.34 * height)
    _soft_shadow(canvas, [dark], 0.10 * height, 0.55)
    astern = x1 if placed.actor.flip else x0
    away = 1 if placed.actor.flip else -1
    count = 90
    along = rng.uniform(-0.3, 1, count)
    x = astern + away * along * 0.16 * (x1 - x0)
    y = water + (rng.normal(0, 0.012, count) * (1 + np.clip(along, 0, 1)) + 0.004) * (x1 - x0)
    _foam(canvas, rng, light, np.stack([x, y], 1), 0.022 * (x1 - x0), white=0.6, hides=False)


def bow_wave(canvas: Canvas, rng: Generator, light: Light, placed: Placed) -> None:
    """Paint foam over the hull along a ship's waterline, thicker at the bow."""
    x0, _, x1, _ = (round(value) for value in placed.box)
    own = (canvas.labels[:, x0:x1] >= placed.base) & (canvas.labels[:, x0:x1] < placed.base + PARTS_PER_OBJECT)
    rows = canvas.side - 1 - np.argmax(own[::-1], axis=0)
    columns = np.flatnonzero(own.any(axis=0))
    if not len(columns):
        return
    count = 260
    share = rng.uniform(0, 1, count)
    share[: count // 2] = 1 - 0.30 * share[: count // 2] ** 1.6
    if placed.actor.flip:
        share = 1 - share
    at = columns[np.minimum((share * len(columns)).astype(int), len(columns) - 1)]
    bow = np.exp(-np.abs((at / max(len(rows), 1)) - (0.0 if placed.actor.flip else 1.0)) * 7)
    spread = (x1 - x0) * (0.006 + 0.012 * bow)
    y = rows[at] - 0.002 * (x1 - x0) + rng.normal(0, 1, count) * spread * 0.7
    _foam(canvas, rng, light, np.stack([x0 + at, y], 1), 0.017 * (x1 - x0), white=1.0, hides=True)


def _foam(
    canvas: Canvas, rng: Generator, light: Light, at: Points, length: float, *, white: float, hides: bool
) -> None:
    count = len(at)
    half = length * rng.uniform(0.3, 1.2, count)
    drop = rng.normal(0, 0.12, count) * half
    lines = np.stack([at - np.stack([half, drop], 1), at + np.stack([half, drop], 1)], axis=1)
    canvas.spray(np.array_split(lines, 4), np.minimum(light.sky * 0.55 + light.sun * 0.55, 1.0), white, hides=hides)


def birds(canvas: Canvas, rng: Generator, light: Light, horizon: float, color: Color) -> None:
    """Draw up to five birds in the sky."""
    count = int(rng.integers(0, 6))
    center = rng.uniform(0.1, 0.9), rng.uniform(0.05, max(0.08, horizon * 0.7))
    lines = []
    for _ in range(count):
        x, y = center[0] + rng.normal(0, 0.12), center[1] + rng.normal(0, 0.04)
        span, lift = rng.uniform(0.010, 0.026), rng.uniform(0.2, 0.6)
        wing = [
            (-span, -span * lift * 0.4),
            (-span * 0.5, -span * lift),
            (0, 0),
            (span * 0.5, -span * lift),
            (span, -span * lift * 0.3),
        ]
        lines.append(smooth([(x + dx, y + dy) for dx, dy in wing], closed=False, steps=4) * canvas.side)
    shade = np.asarray(color) * (light.sky * 0.7 + light.sun * 0.3)
    canvas.lines(lines, [float(c) for c in shade], canvas.side / 448, hides=False)


def sea_clutter(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> None:
    """Draw gulls over the sea, and sometimes a buoy or rocks."""
    birds(canvas, rng, light, horizon, (0.85, 0.85, 0.85) if rng.uniform() < 0.6 else (0.25, 0.25, 0.28))
    if rng.uniform() < 0.3:
        y = rng.uniform(horizon + 0.05, 0.97)
        pose = pose_at(
            rng.uniform(0.05, 0.95) * canvas.side,
            y * canvas.side,
            (0.02 + 0.12 * (y - horizon)) * canvas.side,
            angle=rng.uniform(-0.2, 0.2),
        )
        canvas.figure(buoy(rng), pose, Stroke(light, 0.3 * (1 - y)))
    if rng.uniform() < 0.25:
        _rocks(canvas, rng, light, (horizon + 0.02, 1.0), (0.30, 0.29, 0.28))


def land_clutter(
    canvas: Canvas, rng: Generator, light: Light, horizon: float, plants: Color, *, birds_too: bool
) -> None:
    """Draw rocks, bushes and birds behind the animals."""
    if birds_too:
        birds(canvas, rng, light, horizon, (0.2, 0.18, 0.18))
        for y in np.sort(rng.uniform(horizon + 0.06, horizon + 0.28, rng.integers(0, 4))):
            near = float(y) - horizon
            width = 0.03 + near * rng.uniform(0.15, 0.45)
            leaves(
                canvas,
                rng,
                light,
                (rng.uniform(0, 1), float(y)),
                (width, width * 0.6),
                color=scaled(mix(plants, (0.3, 0.36, 0.18), 0.7), 0.95),
                fog=0.4 - near,
            )
    if rng.uniform() < 0.6:
        _rocks(
            canvas,
            rng,
            light,
            (horizon + (0.08 if birds_too else 0.22), 0.97),
            mix((0.5, 0.46, 0.42), (0.52, 0.40, 0.30), rng.uniform()),
        )


def _rocks(canvas: Canvas, rng: Generator, light: Light, rows: tuple[float, float], color: Color) -> None:
    for y in np.sort(rng.uniform(*rows, rng.integers(1, 5))):
        size = 0.012 + (float(y) - rows[0]) * rng.uniform(0.04, 0.14)
        turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
        radius = rng.uniform(0.75, 1.15, 8)
        outline = smooth(
            np.stack([np.cos(turn) * radius * 1.4, np.minimum(np.sin(turn) * radius * 0.8, 0.35)], axis=1), steps=5
        )
        pose = pose_at(rng.uniform(0, 1) * canvas.side, float(y) * canvas.side, size * canvas.side)
        at = (rng.uniform(0, TILE), rng.uniform(0, TILE))
        _soft_shadow(canvas, [pose(ellipse(0, 0.3, 1.6, 0.3))], size * canvas.side * 0.15, 0.4)
        canvas.piece(
            Piece((outline,), scaled(color, rng.uniform(0.8, 1.15)), roundness=0.5, texture=(0.12, 3)),
            pose,
            Stroke(light, 0.25 * (1 - float(y)), at),
        )


def foreground(canvas: Canvas, rng: Generator, light: Light, plants: Color, ground: float) -> None:
    """Draw grass in front of the figures, over their feet."""
    clumps = rng.integers(2, 6)
    feet, heights = [], []
    for _ in range(clumps):
        count = int(rng.integers(14, 30))
        x, y = rng.uniform(0, 1), rng.uniform(ground + 0.01, 1.02)
        feet.append(np.stack([x + rng.normal(0, 0.04, count), y + rng.normal(0, 0.008, count)], axis=1))
        heights.append(np.full(count, rng.uniform(0.03, 0.065)))
    blades(canvas, rng, light, plants, np.concatenate(feet), heights=np.concatenate(heights), hides=True)
