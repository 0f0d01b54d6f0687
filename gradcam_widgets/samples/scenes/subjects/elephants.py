"""Elephants, which differ only in ears, head, back and tusks; everything else is random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    tube,
)

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

PARTS = ("body", "head", "ears", "trunk", "tusks", "legs")

_HEADS = {
    "flat": [
        (-0.17, -0.16), (-0.04, -0.20), (0.08, -0.18), (0.16, -0.08), (0.19, 0.06), (0.17, 0.17),
        (0.06, 0.22), (-0.08, 0.20), (-0.18, 0.10), (-0.21, -0.04),
    ],
    "domed": [
        (-0.18, -0.17), (-0.12, -0.28), (-0.02, -0.30), (0.04, -0.245), (0.10, -0.25), (0.16, -0.16), (0.165, -0.04),
        (0.19, 0.08), (0.17, 0.17), (0.06, 0.22), (-0.08, 0.20), (-0.18, 0.10), (-0.21, -0.04),
    ],
}  # fmt: skip
_EARS = {
    "large": [
        (0.00, -0.15), (-0.10, -0.25), (-0.26, -0.29), (-0.42, -0.21), (-0.49, -0.04), (-0.46, 0.15),
        (-0.37, 0.29), (-0.27, 0.42), (-0.19, 0.36), (-0.13, 0.20), (-0.05, 0.08),
    ],
    "small": [
        (-0.03, -0.09), (-0.10, -0.15), (-0.20, -0.13), (-0.25, -0.03), (-0.23, 0.09), (-0.17, 0.20), (-0.10, 0.17),
        (-0.05, 0.06),
    ],
}  # fmt: skip
_FAR_EAR = [(0.02, -0.17), (0.16, -0.26), (0.33, -0.24), (0.43, -0.08), (0.40, 0.14), (0.28, 0.30), (0.16, 0.22)]
_TRUNKS = (
    [(0.12, 0.00), (0.19, 0.20), (0.21, 0.43), (0.19, 0.63), (0.25, 0.71)],
    [(0.12, 0.00), (0.19, 0.22), (0.20, 0.44), (0.11, 0.59), (-0.01, 0.53)],
    [(0.12, 0.00), (0.22, 0.19), (0.32, 0.38), (0.45, 0.47), (0.56, 0.41)],
    [(0.12, 0.00), (0.25, 0.12), (0.40, 0.16), (0.51, 0.03), (0.49, -0.14)],
    [(0.12, 0.00), (0.18, 0.22), (0.19, 0.44), (0.26, 0.62), (0.38, 0.66)],
)


@dataclass(frozen=True)
class _Kind:
    """Distinguishing features of a class, in units of the shoulder height."""

    ears: str
    ear_scale: tuple[float, float]
    head: str
    back: tuple[float, float, float]  # heights of shoulder, middle and hip
    tusk: tuple[float, float]
    heavy: float


_KINDS = {
    "African elephant": _Kind("large", (0.92, 1.08), "flat", (-0.98, -0.865, -0.95), (0.14, 0.27), 0.050),
    "Indian elephant": _Kind("small", (0.90, 1.10), "domed", (-0.90, -0.985, -0.90), (-0.10, 0.06), 0.030),
    "tusker": _Kind("large", (0.62, 0.72), "domed", (-0.94, -0.95, -0.93), (0.44, 0.58), 0.072),
}


def elephant(name: str, rng: Generator) -> list[Piece]:
    """Return an elephant that faces right, one unit high at the shoulder.

    Args:
        name: "African elephant", "Indian elephant" or "tusker".
        rng: Random generator for pose and color.
    """
    kind = _KINDS[name]
    skin = scaled(mix((0.50, 0.48, 0.48), (0.60, 0.49, 0.41), rng.uniform()), rng.uniform(0.78, 1.08))
    dark = scaled(skin, 0.62)
    turn = rng.uniform(0, 1)
    tilt = rng.uniform(-0.16, 0.16)
    head = pose_at(0.50 + rng.uniform(-0.03, 0.03), -0.76 + rng.uniform(-0.04, 0.04), 1.0, angle=tilt)
    stride = rng.uniform(-0.09, 0.09, size=2)
    return [
        *_legs(dark, stride[::-1], shift=0.07),
        _tail(skin, dark, rng),
        _body(kind, skin),
        *_legs(skin, stride, shift=0.0, near=True),
        *_head(kind, head, skin, turn, rng),
    ]


def _body(kind: _Kind, skin: Color) -> Piece:
    shoulder, middle, hip = kind.back
    outline = smooth([
        (0.44, shoulder + 0.10), (0.24, shoulder), (0.06, (shoulder + middle) / 2), (-0.12, middle), (-0.36, hip),
        (-0.53, hip + 0.10), (-0.63, -0.62), (-0.61, -0.42), (-0.46, -0.33), (-0.10, -0.29), (0.24, -0.33),
        (0.42, -0.46), (0.50, -0.66),
    ])  # fmt: skip
    fade = (scaled(skin, 0.72), (0.0, -0.62), (0.0, -0.28))
    return Piece((outline,), skin, "body", roundness=0.13, fade=fade, texture=(0.06, 22))


def _legs(skin: Color, stride: NDArray[np.float64], *, shift: float, near: bool = False) -> list[Piece]:
    result = []
    for hip, step, knee in ((-0.44, stride[0], -0.02), (0.30, stride[1], 0.02)):
        x = hip + shift
        path = [(x, -0.64), (x + 0.35 * step + knee, -0.30), (x + 0.8 * step, -0.10), (x + step, 0.0)]
        outline = tube(path, [0.29, 0.18, 0.15, 0.175], round_end=False)
        fade = (scaled(skin, 0.78), (0, -0.40), (0, 0))
        result.append(
            Piece(
                (outline,),
                skin,
                "legs",
                roundness=0.06,
                fade=fade,
                texture=(0.07, 30),
                shadow=0.3 if near else 0.0,
                feather=((x, -0.62), (x, -0.36)) if near else None,
            )
        )
        if near:
            nails = tuple(ellipse(x + step + d, -0.022, 0.020, 0.022, count=12) for d in (-0.035, 0.020, 0.068))
            result.append(Piece(nails, mix(skin, (0.86, 0.80, 0.70), 0.55), "legs", inside=True))
    return result


def _tail(skin: Color, dark: Color, rng: Generator) -> Piece:
    swing = rng.uniform(-0.10, 0.05)
    path = [(-0.58, -0.74), (-0.68, -0.62), (-0.70 + swing / 2, -0.44), (-0.69 + swing, -0.27), (-0.70 + swing, -0.20)]
    return Piece((tube(path, [0.05, 0.035, 0.022, 0.030, 0.045]),), mix(skin, dark, 0.5), "body", roundness=0.02)


def _head(kind: _Kind, place: Pose, skin: Color, turn: float, rng: Generator) -> list[Piece]:
    dark, pale = scaled(skin, 0.62), mix(skin, (0.78, 0.66, 0.58), 0.35)
    ear_scale = rng.uniform(*kind.ear_scale)
    spread = rng.uniform(0.86, 1.06)
    tusk = rng.uniform(*kind.tusk)
    trunk_points = np.array(_TRUNKS[rng.integers(len(_TRUNKS))]) + rng.normal(0, 0.012, size=(5, 2))
    trunk_points[:, 0] -= 0.05 * turn
    result = []
    if turn > 0.25:
        outline = np.array(_FAR_EAR if kind.ears == "large" else np.array(_FAR_EAR) * (0.62, 0.62))
        outline = outline * (ear_scale * (0.35 + 0.65 * turn), ear_scale) + (0.02, 0)
        result.append(
            Piece((place(smooth(outline)),), mix(pale, dark, 0.45), "ears", roundness=0.04, texture=(0.06, 24))
        )
    if tusk > 0.02:
        result.append(_tusk(place, tusk, kind.heavy, (0.055 - 0.09 * turn, -0.025), 0.86))
    result.append(
        Piece((place(smooth(_HEADS[kind.head])),), skin, "head", roundness=0.10, texture=(0.07, 26), shadow=0.3)
    )
    jaw = smooth([(-0.02, 0.14), (0.08, 0.16), (0.13, 0.215), (0.09, 0.26), (0.02, 0.235)])
    result.append(Piece((place(jaw),), mix(skin, pale, 0.6), "head", roundness=0.03, texture=(0.06, 26)))
    result += _trunk(place, trunk_points, skin, dark)
    if tusk > 0.02:
        result.append(_tusk(place, tusk, kind.heavy, (-0.02 - 0.05 * turn, 0.0), 1.0))
    result += _eye(place, dark, pale, turn)
    ear = np.array(_EARS[kind.ears]) * (ear_scale * spread * (1 - 0.15 * turn), ear_scale) + (-0.01 - 0.02 * turn, 0)
    inner = mix(skin, (0.74, 0.56, 0.50), 0.28)
    outline = place(smooth(ear))
    result.append(
        Piece((outline,), skin, "ears", roundness=0.045, shadow=0.75, texture=(0.06, 26),
              fade=(inner, place([ear[-1]])[0], place([ear[len(ear) // 2]])[0]))
    )  # fmt: skip
    folds = []
    for share, end in ((0.2, 3), (0.5, len(ear) // 2), (0.8, len(ear) - 4)):
        start = ear[0] * (1 - share) + ear[-1] * share
        middle = ear.mean(axis=0) * 0.75 + ear[end] * 0.25
        folds.append(place(smooth([start, middle, ear[end] * 0.9], closed=False)))
    result.append(Piece(tuple(folds), dark, "ears", line=0.010, opacity=0.35, inside="ears"))
    return result


def _trunk(place: Pose, points: Points, skin: Color, dark: Color) -> list[Piece]:
    outline = place(tube(points, [0.22, 0.150, 0.110, 0.080, 0.060], steps=10))
    half = (len(outline) - 5) // 2
    left, right = outline[:half], outline[: half + 4 : -1][:half]
    rings = tuple(
        np.stack([left[k], (left[k] + right[k]) / 2 + (0, 0.012), right[k]]) for k in range(half // 6, half - 2, 3)
    )
    return [
        Piece(
            (outline,),
            skin,
            "trunk",
            roundness=0.05,
            texture=(0.06, 30),
            shadow=0.35,
            feather=(place([(0.06, -0.05)])[0], place([(0.13, 0.05)])[0]),
        ),
        Piece(rings, dark, "trunk", line=0.009, opacity=0.32, inside="trunk"),
    ]


def _tusk(place: Pose, length: float, width: float, shift: tuple[float, float], tone: float) -> Piece:
    path = np.array([(0.0, 0.0), (0.30, 0.44), (0.74, 0.62), (1.10, 0.42)]) * length + (0.115, 0.145) + shift
    width = width * (0.8 + 0.4 * length)
    outline = place(tube(path, [width, width * 0.9, width * 0.66, width * 0.16]))
    fade = (scaled((0.80, 0.70, 0.52), tone), place(path[-1:])[0], place(path[:1])[0])
    return Piece(
        (outline,), scaled((0.97, 0.93, 0.82), tone), "tusks", roundness=0.025, gloss=0.4, shadow=0.5, fade=fade
    )


def _eye(place: Pose, dark: Color, pale: Color, turn: float) -> list[Piece]:
    x, y = 0.075 - 0.03 * turn, -0.055
    return [
        Piece((place(ellipse(x, y, 0.040, 0.030, 0.3)),), mix(dark, pale, 0.25), "head", opacity=0.5),
        Piece((place(ellipse(x, y, 0.020, 0.016)),), (0.10, 0.06, 0.04), "head"),
        Piece((place(ellipse(x + 0.005, y - 0.005, 0.004, 0.004, count=8)),), (0.85, 0.85, 0.8), "head", glow=0.5),
    ]
