"""Gazelles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.samples.scenes.drawing.shapes import (
    Color,
    Piece,
    Points,
    ellipse,
    mix,
    pose_at,
    scaled,
    smooth,
    tube,
)

if TYPE_CHECKING:
    from numpy.random import Generator

_WHITE: Color = (0.94, 0.91, 0.84)
_DARK: Color = (0.20, 0.13, 0.09)


def gazelle(rng: Generator) -> list[Piece]:
    """Return a gazelle that faces right, about 0.75 units high at the shoulder."""
    coat = scaled(mix((0.74, 0.50, 0.28), (0.66, 0.48, 0.33), rng.uniform()), rng.uniform(0.88, 1.08))
    stride = rng.uniform(-0.10, 0.10, size=2)
    grazing = rng.uniform() < 0.2
    head = np.array((0.62, -0.34) if grazing else (0.56 + rng.uniform(-0.05, 0.05), -1.00 + rng.uniform(-0.05, 0.04)))
    tilt = 0.9 if grazing else rng.uniform(-0.15, 0.35)
    return [
        *_legs(scaled(coat, 0.66), -stride, 0.05),
        *_trunk(coat, rng),
        *_legs(coat, stride, 0.0),
        *_neck(coat, head, ((0.24, -0.60), (0.36, -0.60)) if grazing else ((0.22, -0.56), (0.34, -0.66))),
        *_head(coat, head, tilt, rng),
    ]


def _legs(coat: Color, stride: Points, shift: float) -> list[Piece]:
    fade = (mix(coat, _WHITE, 0.35), (0, -0.45), (0, -0.1))
    result = []
    for x, step, back in ((-0.30, stride[0], -0.075), (0.25, stride[1], 0.02)):
        at = x + shift
        path = [(at, -0.52), (at - back / 2 + step * 0.3, -0.38), (at + back + step * 0.6, -0.24), (at + step, -0.02)]
        widths = [0.22 if back < 0 else 0.15, 0.10, 0.045, 0.036]
        result.append(
            Piece(
                (tube(path, widths),),
                coat,
                "legs",
                roundness=0.03,
                fade=fade,
                feather=((at, -0.56), (at, -0.40)) if shift == 0 else None,
            )
        )
        hoof = smooth(
            [(at + step - 0.024, -0.045), (at + step + 0.022, -0.045), (at + step + 0.04, 0), (at + step - 0.026, 0)],
            steps=3,
        )
        result.append(Piece((hoof,), _DARK, "legs"))
    return result


def _trunk(coat: Color, rng: Generator) -> list[Piece]:
    body = smooth([
        (0.37, -0.71), (0.21, -0.755), (-0.04, -0.715), (-0.26, -0.755), (-0.39, -0.70), (-0.43, -0.58), (-0.37, -0.47),
        (-0.18, -0.455), (0.02, -0.415), (0.20, -0.385), (0.34, -0.44), (0.41, -0.57),
    ])  # fmt: skip
    belly = smooth([(-0.30, -0.49), (-0.05, -0.495), (0.30, -0.49), (0.34, -0.30), (-0.30, -0.30)])
    stripe = tube([(-0.36, -0.56), (-0.10, -0.535), (0.14, -0.515), (0.34, -0.57)], [0.02, 0.06, 0.07, 0.02])
    rump = ellipse(-0.42, -0.60, 0.07, 0.12, 0.15)
    tail = tube([(-0.40, -0.70), (-0.48, -0.62), (-0.50 + rng.uniform(-0.05, 0.03), -0.48)], [0.05, 0.04, 0.02])
    return [
        Piece(
            (body,), coat, "body", roundness=0.11, texture=(0.08, 60), fade=(scaled(coat, 0.86), (0, -0.55), (0, -0.75))
        ),
        Piece((rump,), _WHITE, "body", roundness=0.05, inside=True, opacity=0.9),
        Piece((belly,), _WHITE, "body", roundness=0.06, inside=True, opacity=0.95),
        Piece((stripe,), _DARK, "body", inside=True, opacity=0.92),
        Piece((tail,), _DARK, "body", roundness=0.02),
    ]


def _neck(coat: Color, head: Points, feather: tuple[tuple[float, float], tuple[float, float]]) -> list[Piece]:
    bend = np.array((0.33, -0.62)) * 0.45 + head * 0.55 + (0.03, 0.03)
    outline = tube([(0.27, -0.58), bend, head], [0.27, 0.145, 0.115])
    throat = tube([(0.40, -0.52), bend + np.array((0.05, 0.03)), head + np.array((0.03, 0.06))], [0.10, 0.05, 0.03])
    return [
        Piece((outline,), coat, "body", roundness=0.05, texture=(0.06, 60), feather=feather),
        Piece((throat,), _WHITE, "body", inside=True, opacity=0.7),
    ]


def _head(coat: Color, at: Points, tilt: float, rng: Generator) -> list[Piece]:
    place = pose_at(at[0], at[1], 1.0, angle=tilt)
    skull = place(
        smooth(
            [
                (-0.06, -0.06),
                (0.03, -0.075),
                (0.12, -0.035),
                (0.215, 0.025),
                (0.225, 0.065),
                (0.12, 0.075),
                (0.0, 0.075),
                (-0.07, 0.03),
            ]
        )
    )
    cheek = place(tube([(0.19, 0.03), (0.10, -0.005), (0.045, -0.02)], [0.02, 0.03, 0.03]))
    length = rng.uniform(0.85, 1.15)
    result = []
    for shift, tone in ((0.045, 0.7), (0.0, 1.0)):
        path = np.array([(0.0, 0.0), (-0.04, -0.13), (-0.13, -0.25), (-0.15, -0.36), (-0.10, -0.45)]) * (1, length) + (
            0.02 + shift,
            -0.05,
        )
        result.append(
            Piece(
                (place(tube(path, [0.05, 0.042, 0.034, 0.024, 0.008])),),
                scaled((0.24, 0.19, 0.16), tone),
                "head",
                roundness=0.015,
            )
        )
    ear = place(smooth([(-0.04, -0.05), (-0.13, -0.12), (-0.20, -0.12), (-0.14, -0.04), (-0.05, -0.01)]))
    return [
        *result,
        Piece((ear,), mix(coat, _WHITE, 0.15), "head", roundness=0.02),
        Piece((skull,), coat, "head", roundness=0.04),
        Piece((cheek,), _WHITE, "head", inside=True, opacity=0.85),
        Piece(
            (place(tube([(0.05, 0.005), (0.12, 0.04), (0.19, 0.06)], [0.02, 0.022, 0.01])),),
            _DARK,
            "head",
            inside=True,
            opacity=0.8,
        ),
        Piece((place(ellipse(0.045, -0.015, 0.019, 0.016, count=14)),), (0.06, 0.04, 0.03), "head"),
        Piece((place(ellipse(0.218, 0.045, 0.018, 0.02, count=14)),), _DARK, "head"),
    ]
