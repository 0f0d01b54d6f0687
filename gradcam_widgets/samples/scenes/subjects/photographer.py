"""The photographer, who belongs to no class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.samples.scenes.drawing.shapes import Color, Piece, ellipse, mix, pose_at, scaled, smooth, tube

if TYPE_CHECKING:
    from numpy.random import Generator

_JACKETS: tuple[Color, ...] = (
    (0.80, 0.16, 0.12), (0.90, 0.46, 0.08), (0.14, 0.30, 0.68), (0.90, 0.74, 0.14), (0.62, 0.16, 0.34),
    (0.10, 0.50, 0.62),
)  # fmt: skip
_TROUSERS: tuple[Color, ...] = ((0.20, 0.24, 0.36), (0.36, 0.31, 0.24), (0.22, 0.22, 0.23), (0.50, 0.44, 0.33))
_SKINS: tuple[Color, ...] = ((0.88, 0.68, 0.55), (0.72, 0.50, 0.36), (0.45, 0.29, 0.20), (0.94, 0.76, 0.64))
_BLACK: Color = (0.09, 0.09, 0.10)


def photographer(rng: Generator) -> list[Piece]:
    """Return a photographer who faces right, feet at y = 0, 1 unit high when standing."""
    jacket = scaled(_JACKETS[rng.integers(len(_JACKETS))], rng.uniform(0.85, 1.1))
    trousers, skin = _TROUSERS[rng.integers(4)], _SKINS[rng.integers(4)]
    kneels = rng.uniform() < 0.4
    drop = 0.27 if kneels else 0.0
    lean = rng.uniform(0.0, 0.05)
    tripod = rng.uniform() < 0.35
    return [
        *(_tripod(drop) if tripod else []),
        *(_backpack(drop, rng) if rng.uniform() < 0.5 else []),
        *_arm(scaled(jacket, 0.6), skin, drop, lean, far=True),
        *(_kneeling(trousers) if kneels else _standing(trousers, rng)),
        *_torso(jacket, drop, lean),
        *_head(skin, drop, lean, rng),
        *_camera(drop, lean),
        *_arm(jacket, skin, drop, lean, far=False),
    ]


def _standing(color: Color, rng: Generator) -> list[Piece]:
    wide = rng.uniform(0.03, 0.08)
    result = []
    for x, tone in ((wide, 0.7), (-wide, 1.0)):
        leg = tube([(0.0, -0.50), (x * 0.8 + 0.01, -0.27), (x, -0.03)], [0.145, 0.105, 0.082])
        shoe = smooth(
            [(x - 0.045, -0.035), (x + 0.02, -0.045), (x + 0.085, -0.015), (x + 0.08, 0.0), (x - 0.045, 0.0)], steps=5
        )
        result += [
            Piece((leg,), scaled(color, tone), "legs", roundness=0.03, texture=(0.05, 30)),
            Piece((shoe,), scaled((0.24, 0.17, 0.12), tone), "legs", roundness=0.01),
        ]
    return result


def _kneeling(color: Color) -> list[Piece]:
    back = tube([(-0.01, -0.23), (0.01, -0.06), (-0.08, -0.035), (-0.20, -0.035)], [0.14, 0.11, 0.085, 0.07])
    front = tube([(0.0, -0.23), (0.16, -0.245), (0.165, -0.12), (0.155, -0.02)], [0.14, 0.12, 0.095, 0.08])
    shoes = tuple(
        smooth(
            [(x - 0.045, -0.035), (x + 0.02, -0.045), (x + 0.085, -0.015), (x + 0.08, 0.0), (x - 0.045, 0.0)], steps=5
        )
        for x in (0.155, -0.23)
    )
    return [
        Piece((back,), scaled(color, 0.7), "legs", roundness=0.03),
        Piece(shoes, (0.24, 0.17, 0.12), "legs", roundness=0.01),
        Piece((front,), color, "legs", roundness=0.03, texture=(0.05, 30), shadow=0.3),
    ]


def _torso(color: Color, drop: float, lean: float) -> list[Piece]:
    d = drop
    outline = smooth([
        (-0.075 + lean, -0.815 + d), (0.04 + lean, -0.82 + d), (0.085 + lean, -0.76 + d), (0.085 + lean / 2, -0.62 + d),
        (0.08, -0.455 + d), (-0.075, -0.455 + d), (-0.095 + lean / 2, -0.62 + d), (-0.11 + lean, -0.76 + d),
    ])  # fmt: skip
    hem = np.array([(-0.09, -0.475 + d), (0.09, -0.475 + d)])
    return [
        Piece(
            (outline,),
            color,
            "body",
            roundness=0.05,
            texture=(0.05, 16),
            fade=(scaled(color, 0.8), (0, -0.7 + d), (0, -0.45 + d)),
        ),
        Piece((hem,), scaled(color, 0.6), "body", line=0.012, inside="body", opacity=0.7),
    ]


def _head(skin: Color, drop: float, lean: float, rng: Generator) -> list[Piece]:
    x, y = 0.015 + lean * 1.3, -0.905 + drop
    neck = tube([(x - 0.012, y + 0.11), (x - 0.008, y + 0.04)], [0.065, 0.06])
    face = smooth(
        [
            (x - 0.06, y - 0.01),
            (x - 0.03, y - 0.07),
            (x + 0.03, y - 0.07),
            (x + 0.058, y - 0.02),
            (x + 0.068, y + 0.012),
            (x + 0.05, y + 0.055),
            (x + 0.01, y + 0.068),
            (x - 0.04, y + 0.05),
        ],
        steps=5,
    )
    hair_color = ((0.16, 0.10, 0.07), (0.42, 0.27, 0.13), (0.62, 0.60, 0.58), (0.75, 0.58, 0.30))[rng.integers(4)]
    hair = smooth(
        [
            (x - 0.03, y + 0.055),
            (x - 0.068, y + 0.02),
            (x - 0.07, y - 0.05),
            (x - 0.01, y - 0.09),
            (x + 0.05, y - 0.065),
            (x + 0.045, y - 0.045),
            (x - 0.01, y - 0.04),
            (x - 0.022, y + 0.01),
        ],
        steps=5,
    )
    result = [
        Piece((neck,), scaled(skin, 0.85), "head", roundness=0.02),
        Piece((face,), skin, "head", roundness=0.03),
        Piece((hair,), hair_color, "head", roundness=0.015),
        Piece((ellipse(x - 0.012, y + 0.008, 0.012, 0.018, count=14),), scaled(skin, 0.85), "head"),
    ]
    if rng.uniform() < 0.6:
        hat = mix((0.72, 0.63, 0.44), _TROUSERS[rng.integers(4)], rng.uniform(0, 0.7))
        crown = smooth(
            [
                (x - 0.068, y - 0.03),
                (x - 0.055, y - 0.095),
                (x + 0.0, y - 0.108),
                (x + 0.05, y - 0.09),
                (x + 0.06, y - 0.035),
            ],
            steps=5,
        )
        brim = ellipse(x + 0.004, y - 0.036, 0.105, 0.017, 0.04)
        result += [
            Piece((crown,), hat, "head", roundness=0.02),
            Piece((brim,), scaled(hat, 0.85), "head", roundness=0.01, shadow=0.5),
        ]
    return result


def _camera(drop: float, lean: float) -> list[Piece]:
    x, y = 0.105 + lean * 1.3, -0.905 + drop
    body = np.array(
        [
            (x - 0.02, y - 0.035),
            (x + 0.0, y - 0.055),
            (x + 0.025, y - 0.055),
            (x + 0.035, y - 0.036),
            (x + 0.05, y - 0.03),
            (x + 0.05, y + 0.04),
            (x - 0.02, y + 0.04),
        ]
    )
    lens = tube(
        [(x + 0.045, y + 0.003), (x + 0.10, y + 0.003), (x + 0.165, y + 0.004)], [0.05, 0.052, 0.064], round_end=False
    )
    ring = np.array([(x + 0.11, y - 0.03), (x + 0.11, y + 0.034)])
    return [
        Piece((lens,), (0.13, 0.13, 0.14), "camera", roundness=0.02, gloss=0.5),
        Piece((ring,), (0.75, 0.75, 0.75), "camera", line=0.008, inside="camera"),
        Piece((body,), _BLACK, "camera", roundness=0.008, gloss=0.3),
        Piece((ellipse(x + 0.166, y + 0.004, 0.008, 0.030, count=14),), (0.35, 0.42, 0.55), "camera"),
    ]


def _arm(color: Color, skin: Color, drop: float, lean: float, *, far: bool) -> list[Piece]:
    d, shift = drop, 0.05 if far else 0.0
    x = -0.02 + lean
    elbow = (x + 0.135 + shift, -0.655 + d)
    hand = (0.135 + lean * 1.3 + shift * 1.4, -0.865 + d)
    sleeve = tube(
        [(x, -0.765 + d), elbow, (hand[0] * 0.9 + elbow[0] * 0.1, hand[1] * 0.8 + elbow[1] * 0.2)],
        [0.095, 0.075, 0.052],
    )
    return [
        Piece((sleeve,), color, "body", roundness=0.025, texture=(0.05, 16), shadow=0.0 if far else 0.5),
        Piece((ellipse(*hand, 0.027, 0.024, count=16),), scaled(skin, 0.7 if far else 1.0), "body", roundness=0.015),
    ]


def _backpack(drop: float, rng: Generator) -> list[Piece]:
    color = _TROUSERS[rng.integers(4)]
    place = pose_at(0, drop, 1.0)
    outline = smooth([(-0.07, -0.80), (-0.15, -0.80), (-0.20, -0.72), (-0.20, -0.56), (-0.14, -0.51), (-0.06, -0.52)])
    strap = place([(-0.20, -0.64), (-0.07, -0.64)])
    return [
        Piece((place(outline),), color, "body", roundness=0.03, texture=(0.1, 30)),
        Piece((strap,), scaled(color, 0.5), "body", line=0.012, inside=True, opacity=0.7),
    ]


def _tripod(drop: float) -> list[Piece]:
    x, y = 0.155, -0.86 + drop
    legs = tuple(np.array([(x, y + 0.1), (x + dx, 0.0)]) for dx in (-0.10, 0.035, 0.155))
    return [
        Piece((np.array([(x, y), (x, y + 0.18)]),), (0.16, 0.16, 0.17), "camera", line=0.022),
        Piece(legs, (0.16, 0.16, 0.17), "camera", line=0.016),
    ]
