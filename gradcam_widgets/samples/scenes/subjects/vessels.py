"""Submarine, aircraft carrier and buoy, seen from slightly above the sea."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.samples.scenes.drawing.shapes import (
    Color,
    Piece,
    Points,
    PointsLike,
    ellipse,
    mix,
    scaled,
    smooth,
    tube,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator


@dataclass(frozen=True)
class _View:
    """Projection of (along, across, height) to the image plane, with yaw and view from above."""

    yaw: float
    above: float

    def __call__(self, along: float, across: float, height: float) -> tuple[float, float]:
        """Project a point."""
        sine, cosine = np.sin(self.yaw), np.cos(self.yaw)
        near = along * sine + across * cosine
        size = 1 / (1 - 0.42 * near)
        return float((along * cosine - across * sine) * size), float((near * self.above - height) * size)

    def outline(self, points: Sequence[Sequence[float]]) -> Points:
        """Project points (along, across, height)."""
        return np.array([self(*point) for point in points])

    def profile(self, points: PointsLike) -> Points:
        """Project points (x, y) of the vertical plane through the keel."""
        return np.array([self(x, 0.0, -y) for x, y in np.asarray(points)])


def _turned(pieces: Sequence[Piece], view: _View) -> list[Piece]:
    result = []
    for piece in pieces:
        fade = piece.fade
        if fade is not None:
            fade = (fade[0], view.profile([fade[1]])[0], view.profile([fade[2]])[0])
        result.append(replace(piece, outlines=tuple(view.profile(outline) for outline in piece.outlines), fade=fade))
    return result


def submarine(rng: Generator) -> list[Piece]:
    """Draw a submarine on the surface, its bow to the right, the waterline at y = 0, at most 1 unit long."""
    steel = mix(mix((0.20, 0.22, 0.24), (0.15, 0.19, 0.23), rng.uniform()), (0.23, 0.23, 0.20), rng.uniform() * 0.6)
    steel = scaled(steel, rng.uniform(0.8, 1.25))
    light, dark = scaled(steel, 1.5), scaled(steel, 0.5)
    sail = rng.uniform(0.05, 0.17)
    hull = smooth([
        (-0.50, 0.010), (-0.47, -0.028), (-0.36, -0.066), (-0.15, -0.092), (0.15, -0.098), (0.34, -0.092),
        (0.45, -0.066), (0.50, -0.018), (0.492, 0.012), (0.30, 0.016), (0.0, 0.016), (-0.3, 0.014),
    ])  # fmt: skip
    seams = [np.array([(x, -0.085), (x, 0.0)]) for x in np.linspace(-0.3, 0.42, 7)]
    deck = smooth([(-0.30, -0.078), (-0.1, -0.096), (0.15, -0.101), (0.36, -0.092)], closed=False)
    pieces = [
        Piece(
            (smooth([(-0.46, 0.0), (-0.455, -0.13), (-0.425, -0.145), (-0.395, -0.13), (-0.38, 0.0)], steps=5),),
            steel,
            "rudder",
            roundness=0.02,
        ),
        *_masts(sail, dark, rng),
        *_sail(sail, steel, dark),
        Piece(
            (hull,),
            steel,
            "hull",
            roundness=0.055,
            gloss=0.45,
            texture=(0.07, 40),
            fade=(scaled(steel, 0.55), (0, -0.05), (0, 0.01)),
        ),
        Piece(tuple(seams), dark, "hull", line=0.004, inside="hull", opacity=0.35),
        Piece((deck,), light, "hull", line=0.008, inside="hull", opacity=0.4),
        Piece(
            tuple(ellipse(x, -0.028, 0.011, 0.004, count=8) for x in np.linspace(-0.26, 0.30, 9)),
            dark,
            "hull",
            inside="hull",
            opacity=0.4,
        ),
    ]
    return _turned(pieces, _View(rng.uniform(-1.0, 1.0), rng.uniform(0.04, 0.12)))


def _sail(x: float, steel: Color, dark: Color) -> list[Piece]:
    tower = smooth([
        (x - 0.118, -0.070), (x - 0.098, -0.105), (x - 0.088, -0.190), (x - 0.070, -0.212), (x + 0.02, -0.218),
        (x + 0.070, -0.206), (x + 0.088, -0.17), (x + 0.094, -0.105), (x + 0.122, -0.070),
    ], steps=6)  # fmt: skip
    plane = smooth(
        [(x - 0.03, -0.162), (x + 0.01, -0.172), (x + 0.055, -0.165), (x + 0.055, -0.150), (x - 0.02, -0.148)], steps=5
    )
    windows = tuple(ellipse(x + d, -0.198, 0.007, 0.006, count=8) for d in (0.022, 0.042, 0.060))
    return [
        Piece(
            (tower,),
            scaled(steel, 1.08),
            "sail",
            roundness=0.035,
            gloss=0.3,
            texture=(0.05, 40),
            fade=(scaled(steel, 0.75), (0, -0.15), (0, -0.07)),
        ),
        Piece((plane,), scaled(steel, 0.8), "sail", roundness=0.01, shadow=0.6),
        Piece(windows, mix(dark, (0.6, 0.7, 0.75), 0.35), "sail"),
    ]


def _masts(x: float, dark: Color, rng: Generator) -> list[Piece]:
    gray = mix(dark, (0.5, 0.5, 0.5), 0.35)
    top = -0.27 - rng.uniform(0.02, 0.10)
    periscope = np.array([(x + 0.02, -0.21), (x + 0.02, top)])
    head = smooth(
        [(x + 0.012, top + 0.014), (x + 0.012, top - 0.012), (x + 0.036, top - 0.012), (x + 0.036, top + 0.004)],
        steps=4,
    )
    second = np.array([(x - 0.02, -0.21), (x - 0.02, -0.25 - rng.uniform(0.0, 0.07))])
    third = np.array([(x - 0.05, -0.20), (x - 0.052, -0.25 - rng.uniform(0.0, 0.04))])
    return [
        Piece((periscope,), gray, "masts", line=0.010),
        Piece((head,), gray, "masts"),
        Piece((second,), scaled(gray, 0.8), "masts", line=0.013),
        Piece((third,), scaled(gray, 0.9), "masts", line=0.008),
    ]


_DECK = 0.095


def carrier(rng: Generator) -> list[Piece]:
    """Draw an aircraft carrier, its bow to the right, the waterline at y = 0, at most about 1 unit long."""
    gray = scaled(mix((0.52, 0.55, 0.58), (0.60, 0.60, 0.58), rng.uniform()), rng.uniform(0.82, 1.1))
    deck = mix(scaled(gray, 0.72), (0.36, 0.37, 0.38), 0.5)
    view = _View(rng.uniform(-0.95, 0.95), rng.uniform(0.26, 0.42))
    side = 1.0 if view.yaw >= 0 else 0.8
    pieces = [*_ends(view, gray), *_hull(view, scaled(gray, side)), *_flight_deck(view, gray, deck)]
    planes = np.sort(rng.uniform(-0.42, 0.42, size=rng.integers(5, 9)))
    pieces += _jets(view, planes, -0.075, rng)
    pieces += _island(view, scaled(gray, 1.1), rng.uniform(-0.08, 0.10))
    return [*pieces, *_jets(view, planes[::2] * 0.9 + 0.03, 0.07, rng)]


def _hull(view: _View, gray: Color) -> list[Piece]:
    top = [(x, z, _DECK - 0.01) for x, z in ((-0.49, 0.07), (0.2, 0.07), (0.40, 0.05), (0.49, 0.012))]
    water = [(0.44, 0.0, -0.012), (0.33, 0.035, -0.012), (0.1, 0.055, -0.012), (-0.47, 0.055, -0.012)]
    outline = view.outline([*top, *water])
    strakes = tuple(view.outline([(-0.48, 0.068, h), (0.2, 0.068, h), (0.40, 0.045, h)]) for h in (0.03, 0.06))
    ports = tuple(
        view.outline([(x, 0.07, 0.045), (x + 0.05, 0.07, 0.045), (x + 0.05, 0.07, 0.075), (x, 0.07, 0.075)])
        for x in (-0.35, -0.12, 0.1)
    )
    fade = (scaled(gray, 0.62), view(0, 0.06, 0.07), view(0, 0.06, 0.0))
    return [
        Piece((outline,), gray, "hull", roundness=0.02, fade=fade, texture=(0.05, 40)),
        Piece(ports, scaled(gray, 0.35), "hull", inside="hull", opacity=0.8),
        Piece(strakes, scaled(gray, 0.5), "hull", line=0.004, inside="hull", opacity=0.4),
    ]


def _ends(view: _View, gray: Color) -> list[Piece]:
    """Return the bow and the transom, which is visible if the stern is nearer."""
    stern = view.outline([(-0.49, 0.07, _DECK), (-0.49, -0.07, _DECK), (-0.47, -0.055, -0.012), (-0.47, 0.055, -0.012)])
    bow = view.outline([(0.49, 0.012, _DECK), (0.40, -0.05, _DECK), (0.33, -0.035, -0.01), (0.44, 0.0, -0.012)])
    return [
        Piece((bow,), scaled(gray, 0.75), "hull", texture=(0.05, 40)),
        Piece((stern,), scaled(gray, 0.6), "hull", texture=(0.05, 40)),
    ]


def _flight_deck(view: _View, gray: Color, deck: Color) -> list[Piece]:
    rim = [
        (-0.50, -0.085), (-0.50, 0.095), (-0.30, 0.125), (0.02, 0.125), (0.16, 0.085), (0.44, 0.07), (0.50, 0.05),
        (0.50, -0.045), (0.42, -0.065), (0.2, -0.10), (-0.2, -0.115),
    ]  # fmt: skip
    lower = view.outline([(x, z, _DECK - 0.020) for x, z in rim])
    upper = view.outline([(x, z, _DECK) for x, z in rim])
    runway = [
        view.outline([(x, -0.02 - 0.12 * x, _DECK), (x + 0.06, -0.02 - 0.12 * (x + 0.06), _DECK)])
        for x in np.arange(-0.45, 0.2, 0.1)
    ]
    edge = view.outline([(-0.49, 0.075, _DECK), (0.10, -0.005, _DECK)])
    catapult = view.outline([(0.12, 0.02, _DECK), (0.48, 0.01, _DECK)])
    return [
        Piece((lower,), scaled(gray, 0.42), "deck"),
        Piece((upper,), deck, "deck", texture=(0.08, 40), fade=(scaled(deck, 1.15), upper[0], upper[6])),
        Piece((edge, catapult), (0.85, 0.85, 0.82), "deck", line=0.005, inside="deck", opacity=0.6),
        Piece(tuple(runway), (0.90, 0.84, 0.55), "deck", line=0.006, inside="deck", opacity=0.7),
    ]


def _box(
    view: _View, along: Sequence[float], across: Sequence[float], height: Sequence[float], color: Color
) -> list[Piece]:
    (a, b), (c, d), (low, high) = along, across, height
    end = b if view.yaw > 0 else a
    front = view.outline([(a, d, low), (b, d, low), (b, d, high), (a, d, high)])
    flank = view.outline([(end, c, low), (end, d, low), (end, d, high), (end, c, high)])
    roof = view.outline([(a, c, high), (b, c, high), (b, d, high), (a, d, high)])
    return [
        Piece((flank,), scaled(color, 0.75), "island"),
        Piece((front,), color, "island", shadow=0.5, fade=(scaled(color, 0.8), view(a, d, high), view(a, d, low))),
        Piece((roof,), scaled(color, 1.15), "island"),
    ]


def _island(view: _View, gray: Color, x: float) -> list[Piece]:
    dark = scaled(gray, 0.3)
    base, top = _DECK, _DECK + 0.090
    glass = view.outline([(x + 0.018, -0.062, top + 0.022), (x + 0.072, -0.062, top + 0.022)])
    row = view.outline([(x + 0.01, -0.055, base + 0.062), (x + 0.09, -0.055, base + 0.062)])
    mast = view.outline([(x + 0.05, -0.075, top + 0.03), (x + 0.05, -0.075, top + 0.17)])
    yards = [
        view.outline([(x + 0.05 - w, -0.075, top + h), (x + 0.05 + w, -0.075, top + h)])
        for w, h in ((0.035, 0.09), (0.022, 0.13))
    ]
    radar = view.outline(
        [
            (x + 0.070, -0.075, top + 0.045),
            (x + 0.115, -0.075, top + 0.045),
            (x + 0.115, -0.075, top + 0.085),
            (x + 0.070, -0.075, top + 0.085),
        ]
    )
    dome_x, dome_y = view(x + 0.02, -0.075, top + 0.05)
    return [
        *_box(view, (x - 0.01, x + 0.11), (-0.10, -0.055), (base, base + 0.045), gray),
        *_box(view, (x + 0.0, x + 0.10), (-0.10, -0.055), (base + 0.045, top), gray),
        *_box(view, (x + 0.015, x + 0.075), (-0.095, -0.062), (top, top + 0.035), gray),
        Piece((row,), dark, "island", line=0.010, opacity=0.75),
        Piece((glass,), (0.16, 0.22, 0.27), "island", line=0.012),
        Piece((mast,), scaled(gray, 0.6), "island", line=0.009),
        Piece(tuple(yards), scaled(gray, 0.6), "island", line=0.008),
        Piece((radar,), scaled(gray, 0.7), "island"),
        Piece((ellipse(dome_x, dome_y, 0.015, 0.017, count=16),), scaled(gray, 1.3), "island", roundness=0.02),
    ]


def _jets(view: _View, places: Sequence[float] | Points, across: float, rng: Generator) -> list[Piece]:
    shape = np.array(
        [
            (0.042, 0),
            (0.020, 0.006),
            (-0.004, 0.034),
            (-0.016, 0.034),
            (-0.012, 0.008),
            (-0.030, 0.020),
            (-0.036, 0.018),
            (-0.034, 0),
        ]
    )
    shape = np.concatenate([shape, shape[-2:0:-1] * (1, -1)])
    tone = rng.uniform(0.62, 0.80)
    wings, fins, shadows = [], [], []
    for x in places:
        if across < 0 and -0.16 < x < 0.26:
            continue
        wings.append(view.outline([(x + 1.35 * a, across + 1.0 * b, _DECK + 0.012) for a, b in shape]))
        shadows.append(view.outline([(x + 1.35 * a + 0.006, across + b, _DECK + 0.001) for a, b in shape]))
        fins.append(
            view.outline(
                [
                    (x - 0.048, across, _DECK + 0.012),
                    (x - 0.022, across, _DECK + 0.012),
                    (x - 0.050, across, _DECK + 0.046),
                ]
            )
        )
    if not wings:
        return []
    return [
        Piece(tuple(shadows), (0.10, 0.10, 0.12), "jets", opacity=0.45),
        Piece(tuple(wings), (tone, tone, tone + 0.03), "jets"),
        Piece(tuple(fins), (tone * 0.8, tone * 0.8, tone * 0.84), "jets"),
    ]


def buoy(rng: Generator) -> list[Piece]:
    """Return a buoy about 1 unit high, used as clutter."""
    color = ((0.80, 0.20, 0.12), (0.20, 0.50, 0.30), (0.90, 0.70, 0.15))[rng.integers(3)]
    frame = [
        np.array([(-0.18, -0.2), (-0.05, -0.8)]),
        np.array([(0.18, -0.2), (0.05, -0.8)]),
        np.array([(-0.12, -0.5), (0.12, -0.5)]),
    ]
    return [
        Piece((tube([(-0.26, -0.12), (0.0, -0.14), (0.26, -0.12)], [0.22, 0.26, 0.22]),), color, roundness=0.1),
        Piece(tuple(frame), color, line=0.06),
        Piece((ellipse(0, -0.88, 0.09, 0.1),), color, roundness=0.05),
    ]
