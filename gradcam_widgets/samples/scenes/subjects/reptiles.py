"""Iguana and alligator, with the same colors and size, so that they differ only in shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.samples.scenes.drawing.shapes import (
    Color,
    Piece,
    Points,
    Pose,
    ellipse,
    mix,
    normals,
    pose_at,
    scaled,
    smooth,
    stretched,
    tube,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

_PALETTE: tuple[Color, ...] = ((0.40, 0.47, 0.26), (0.46, 0.45, 0.36), (0.45, 0.39, 0.28), (0.33, 0.40, 0.31))


def _skin(rng: Generator) -> tuple[Color, Color, Color]:
    skin = mix(_PALETTE[rng.integers(4)], _PALETTE[rng.integers(4)], rng.uniform())
    skin = scaled(skin, rng.uniform(0.85, 1.2))
    return skin, scaled(skin, 0.5), mix(skin, (0.80, 0.78, 0.58), 0.5)


def _spine(path: Sequence[Sequence[float]], widths: Sequence[float]) -> tuple[Points, Points]:
    """Return the center line and the upper edge of a body along points from tail to head."""
    knots = np.column_stack([np.asarray(path), np.asarray(widths) / 2])
    curve = smooth(knots, closed=False, steps=12)
    return curve[:, :2], curve[:, :2] + normals(curve[:, :2]) * curve[:, 2:]


def _teeth(edge: Points, count: int, heights: Sequence[float], lean: float, width: float) -> tuple[Points, ...]:
    """Return pointed scales along an edge from tail to head, with interpolated heights."""
    at = np.linspace(0, len(edge) - 1, count)
    index = np.arange(len(edge))
    feet = np.stack([np.interp(at, index, edge[:, 0]), np.interp(at, index, edge[:, 1])], axis=1)
    up = normals(feet)
    along = np.stack([-up[:, 1], up[:, 0]], axis=1)
    tall = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(heights)), heights)[:, None]
    tips = feet + up * tall - along * tall * lean
    broad = np.minimum(width, tall * 0.7 + 0.004)
    below = up * 0.02
    return tuple(np.stack([feet - along * broad - below, tips, feet + along * broad - below], axis=1))


def _join(path: Sequence[Sequence[float]], shift: float) -> tuple[Sequence[float], Sequence[float]] | None:
    """Return the feather that joins a near leg to the body; None for a far leg."""
    x, y = path[0]
    return None if shift else ((x, y - 0.03), (x, y + 0.05))


def _limb(
    path: Sequence[tuple[float, float]], widths: Sequence[float], skin: Color, shift: float, *, roundness: float
) -> Piece:
    return Piece(
        (tube(path, widths),),
        skin,
        "legs",
        roundness=roundness,
        texture=(0.10, 45),
        shadow=0.4,
        feather=_join(path, shift),
    )


def iguana(rng: Generator) -> list[Piece]:
    """Draw an iguana that looks to the right, its feet at y = 0, about 2.1 units long."""
    skin, dark, pale = _skin(rng)
    lift = rng.uniform(0.0, 0.12)
    curl = rng.uniform(-1, 1)
    path = [
        (-1.30 + 0.10 * abs(curl), -0.10 - 0.16 * curl), (-1.02, -0.05 - 0.05 * curl), (-0.66, -0.09), (-0.32, -0.15),
        (-0.02, -0.19), (0.24, -0.26 - lift / 2), (0.40, -0.36 - lift), (0.50, -0.42 - lift),
    ]  # fmt: skip
    widths = [0.012, 0.045, 0.085, 0.15, 0.24, 0.20, 0.15, 0.13]
    _, edge = _spine(path, widths)
    body = tube(path, widths, steps=12)
    spikes = _teeth(edge[12:-2], 46, [0.02, 0.03, 0.05, 0.08, 0.10, 0.12, 0.13, 0.09], 0.5, 0.020)
    head = np.array((0.50, -0.42 - lift))
    pieces = [
        *_iguana_legs(scaled(skin, 0.62), 0.10, lift, rng),
        Piece(spikes, mix(pale, skin, 0.3), "spikes", roundness=0.0, fade=(dark, (0, -0.2), (0, -0.6))),
        Piece(
            (body,), skin, "body", roundness=0.07, texture=(0.22, 70), fade=(pale, (0, -0.20), (0, -0.08)), gloss=0.10
        ),
        *_bands(path, widths, dark, rng),
        *_iguana_head(head, skin, dark, pale, rng),
        *_iguana_legs(skin, 0.0, lift, rng),
    ]
    return stretched(pieces, rng.uniform(0.80, 1.0))


def _bands(path: Sequence[Sequence[float]], widths: Sequence[float], dark: Color, rng: Generator) -> list[Piece]:
    middle, _ = _spine(path, widths)
    side = normals(middle)
    tail = [np.stack([middle[k] - side[k] * 0.1, middle[k] + side[k] * 0.1]) for k in range(3, 40, 5)]
    flank = [np.stack([middle[k] - side[k] * 0.02, middle[k] + side[k] * 0.2]) for k in range(44, 66, 6)]
    return [
        Piece(tuple(tail), dark, "body", line=0.045, inside="body", opacity=rng.uniform(0.45, 0.8)),
        Piece(tuple(flank), dark, "body", line=0.035, inside="body", opacity=rng.uniform(0.15, 0.4)),
    ]


def _iguana_head(at: Points, skin: Color, dark: Color, pale: Color, rng: Generator) -> list[Piece]:
    x, y = at
    size = rng.uniform(0.95, 1.12)
    place = pose_at(x, y, size)
    skull = smooth(
        place(
            [
                (-0.09, -0.05),
                (-0.02, -0.10),
                (0.07, -0.085),
                (0.16, -0.03),
                (0.20, 0.02),
                (0.18, 0.065),
                (0.06, 0.085),
                (-0.07, 0.08),
            ]
        )
    )
    dewlap = smooth(
        place([(-0.09, 0.03), (0.10, 0.06), (0.13, 0.10), (0.10, 0.20), (0.03, 0.285), (-0.04, 0.25), (-0.10, 0.15)])
    )
    mouth = smooth(place([(0.19, 0.035), (0.10, 0.04), (0.02, 0.05), (-0.02, 0.035)]), closed=False)
    frill = _teeth(place([(0.0, 0.27), (0.06, 0.25), (0.10, 0.19), (0.13, 0.11)])[::-1], 6, [0.03, 0.03], 0.2, 0.012)
    return [
        Piece(frill, pale, "head"),
        Piece((dewlap,), mix(skin, pale, 0.45), "head", roundness=0.03, texture=(0.15, 60), shadow=0.4),
        Piece((skull,), skin, "head", roundness=0.05, texture=(0.12, 60), gloss=0.12),
        Piece((place(ellipse(-0.015, 0.055, 0.036, 0.034)),), mix(pale, (0.9, 0.9, 0.8), 0.4), "head", roundness=0.02),
        Piece((mouth,), dark, "head", line=0.012, opacity=0.8),
        Piece((place(ellipse(0.065, -0.025, 0.024, 0.022, count=16)),), (0.85, 0.62, 0.25), "head"),
        Piece((place(ellipse(0.067, -0.025, 0.011, 0.014, count=12)),), (0.05, 0.04, 0.03), "head"),
        Piece((place(ellipse(0.175, 0.005, 0.010, 0.008, count=10)),), dark, "head"),
    ]


def _iguana_legs(skin: Color, shift: float, lift: float, rng: Generator) -> list[Piece]:
    step = rng.uniform(-0.05, 0.05, size=2)
    fore, hind = 0.28 + shift, -0.24 + shift
    limbs = (
        ([(fore - 0.03, -0.22 - lift / 2), (fore - 0.02 + step[0], -0.10), (fore + 0.08 + step[0], -0.015)],
         [0.11, 0.07, 0.045]),
        ([(hind, -0.15), (hind + 0.15, -0.13), (hind + 0.05 + step[1], -0.05), (hind + 0.13 + step[1], -0.012)],
         [0.15, 0.10, 0.06, 0.04]),
    )  # fmt: skip
    result = [_limb(path, widths, skin, shift, roundness=0.035) for path, widths in limbs]
    toes = []
    for path, _ in limbs:
        x, y = path[-1]
        toes += [
            np.array([(x - 0.02, y), (x + 0.05, y - 0.012 + 0.006 * k), (x + 0.11 - 0.022 * k, y + 0.012)])
            for k in range(4)
        ]
    result.append(Piece(tuple(toes), scaled(skin, 0.85), "legs", line=0.016))
    return result


def alligator(rng: Generator) -> list[Piece]:
    """Draw an alligator that looks to the right, its feet at y = 0, about 2.1 units long."""
    skin, dark, pale = _skin(rng)
    curl = rng.uniform(-0.2, 1.3)
    path = [
        (-1.24 + 0.12 * abs(curl), -0.06 - 0.26 * max(curl, 0)), (-1.02, -0.06 - 0.09 * curl), (-0.70, -0.10),
        (-0.36, -0.15), (-0.04, -0.18), (0.24, -0.17), (0.44, -0.17),
    ]  # fmt: skip
    widths = [0.025, 0.08, 0.15, 0.24, 0.31, 0.26, 0.20]
    _, edge = _spine(path, widths)
    keel = _teeth(edge[4:-6], 30, [0.05, 0.075, 0.07, 0.05, 0.04, 0.035, 0.03], 0.25, 0.032)
    body = tube(path, widths, steps=12)
    gape = rng.uniform(0.0, 0.10) * (rng.uniform() < 0.45)
    pieces = [
        *_alligator_legs(scaled(skin, 0.6), 0.09, rng),
        Piece(keel, scaled(skin, 0.8), "scutes", fade=(dark, (0, -0.18), (0, -0.45))),
        Piece(
            (body,), skin, "body", roundness=0.09, texture=(0.22, 70), fade=(pale, (0, -0.15), (0, -0.02)), gloss=0.12
        ),
        *_scutes(path, widths, skin, dark),
        *_alligator_head(gape, rng.uniform(-0.02, 0.06), skin, dark, pale),
        *_alligator_legs(skin, 0.0, rng),
    ]
    return stretched(pieces, rng.uniform(0.68, 0.86))


def _scutes(path: Sequence[Sequence[float]], widths: Sequence[float], skin: Color, dark: Color) -> list[Piece]:
    middle, edge = _spine(path, widths)
    rows = []
    for depth, size in ((0.30, 0.026), (0.62, 0.024), (0.95, 0.020)):
        for k in range(16 + int(8 * depth), 66, 4):
            x, y = edge[k] + (middle[k] - edge[k]) * depth
            rows.append(ellipse(x, y, size * 1.1, size * 0.75, count=8))
    bands = [np.stack([edge[k], middle[k]]) for k in range(6, 40, 6)]
    return [
        Piece(tuple(rows), scaled(skin, 0.72), "body", inside="body", opacity=0.75),
        Piece(
            tuple(outline - (0.004, 0.008) for outline in rows),
            mix(skin, (0.8, 0.8, 0.65), 0.35),
            "body",
            inside="body",
            opacity=0.35,
        ),
        Piece(tuple(bands), dark, "body", line=0.03, inside="body", opacity=0.35),
    ]


def _alligator_head(gape: float, raise_: float, skin: Color, dark: Color, pale: Color) -> list[Piece]:
    x, y = 0.42, -0.15 - raise_
    place = pose_at(x, y, 1.0)
    upper = Pose(np.array([[1.0, 0.0], [-1.4 * gape, 1.0]]), place.origin, 1.0)  # the farther ahead, the higher
    jaw = smooth(
        place(
            [
                (-0.10, 0.0),
                (0.10, 0.03),
                (0.30, 0.035),
                (0.50, 0.035),
                (0.52, 0.065),
                (0.30, 0.085),
                (0.08, 0.095),
                (-0.10, 0.08),
            ]
        )
    )
    top = smooth(upper([
        (-0.12, -0.11), (0.0, -0.125), (0.07, -0.16), (0.13, -0.145), (0.17, -0.085), (0.34, -0.045), (0.46, -0.045),
        (0.51, -0.065), (0.55, -0.03), (0.55, 0.03), (0.40, 0.045), (0.20, 0.04), (0.05, 0.055), (-0.10, 0.06),
    ]))  # fmt: skip
    teeth = tuple(upper([(t, 0.035), (t + 0.012, 0.075), (t + 0.024, 0.035)]) for t in np.arange(0.18, 0.53, 0.045))
    low = (
        tuple(place([(t, 0.045), (t + 0.012, 0.0), (t + 0.024, 0.045)]) for t in np.arange(0.20, 0.50, 0.05))
        if gape > 0.02
        else ()
    )
    mouth = smooth(upper([(0.55, 0.03), (0.40, 0.045), (0.20, 0.038), (0.04, 0.06), (-0.04, 0.03)]), closed=False)
    lips = [
        Piece(
            (smooth(place([(-0.02, 0.04), (0.45, 0.0 - gape * 0.5), (0.47, 0.05), (0.1, 0.06)])),),
            (0.62, 0.36, 0.32),
            "head",
        )
    ]
    return [
        *(lips if gape > 0.02 else []),
        Piece((jaw,), mix(skin, pale, 0.7), "head", roundness=0.035, texture=(0.1, 60)),
        *([Piece(low, (0.93, 0.90, 0.80), "head")] if low else []),
        Piece(teeth, (0.93, 0.90, 0.80), "head"),
        Piece((top,), skin, "head", roundness=0.05, texture=(0.22, 70), gloss=0.12),
        Piece((mouth,), dark, "head", line=0.012, opacity=0.8),
        Piece((upper(ellipse(0.10, -0.115, 0.022, 0.019, count=16)),), (0.80, 0.66, 0.25), "head"),
        Piece((upper(ellipse(0.102, -0.115, 0.007, 0.016, count=12)),), (0.05, 0.04, 0.03), "head"),
        Piece((upper(ellipse(0.515, -0.040, 0.014, 0.010, count=10)),), dark, "head"),
    ]


def _alligator_legs(skin: Color, shift: float, rng: Generator) -> list[Piece]:
    step = rng.uniform(-0.05, 0.05, size=2)
    fore, hind = 0.26 + shift, -0.40 + shift
    limbs = (
        ([(fore, -0.14), (fore - 0.06, -0.08), (fore + 0.03 + step[0], -0.015)], [0.13, 0.10, 0.07]),
        ([(hind, -0.14), (hind + 0.10, -0.09), (hind + 0.0 + step[1], -0.04), (hind + 0.09 + step[1], -0.012)],
         [0.18, 0.13, 0.08, 0.06]),
    )  # fmt: skip
    result = [_limb(path, widths, skin, shift, roundness=0.04) for path, widths in limbs]
    toes = []
    for path, _ in limbs:
        x, y = path[-1]
        toes += [np.array([(x - 0.02, y), (x + 0.04, y - 0.008), (x + 0.075 - 0.02 * k, y + 0.010)]) for k in range(4)]
    result.append(Piece(tuple(toes), scaled(skin, 0.8), "legs", line=0.022))
    return result
