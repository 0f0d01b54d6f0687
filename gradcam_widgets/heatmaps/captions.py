"""Text descriptions of a heatmap: one-line summary, caption and alt text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .formatting import decimal, format_significant, of_scale

if TYPE_CHECKING:
    from .display import Evidence
    from .heatmap import Heatmap

SIDES = {"for": "Evidence for", "against": "Evidence against", "both": "Evidence for and against"}
STRONG = 0.5
PLACES = (
    ("at the upper left", "at the top", "at the upper right"),
    ("at the left", "in the middle", "at the right"),
    ("at the lower left", "at the bottom", "at the lower right"),
)


def summary(heatmap: Heatmap) -> str:
    """Return a one-line summary, with values to a thousandth of the largest or finer."""
    low, high = (of_scale(float(v), heatmap.vmax("both")) for v in (heatmap.values.min(), heatmap.values.max()))
    peak, centroid = heatmap.peak(), heatmap.centroid()
    if peak is None or centroid is None:
        where = "no positive evidence"
    else:
        where = (
            f"peak {peak} | centroid ({decimal(centroid[0], 3)}, {decimal(centroid[1], 3)}) | "
            f"{decimal(100 * heatmap.positive_fraction(), 2)} % positive"
        )
    return f"{heatmap.title} | {heatmap.layer} {grid(heatmap)} {heatmap.method} | {low} to {high} | {where}"


def grid(heatmap: Heatmap) -> str:
    """Return rows and columns as text, "7×7"."""
    return f"{heatmap.grid[0]}×{heatmap.grid[1]}"


def score(heatmap: Heatmap) -> str:
    """Return the class with its logit and probability."""
    logit, probability = format_significant(heatmap.logit), format_significant(heatmap.probability)
    return f"{heatmap.title}, logit {logit}, probability {probability}"


def origin(heatmap: Heatmap) -> str:
    """Return model, layer and method."""
    model = f"{heatmap.model}, " if heatmap.model else ""
    return f"{model}layer {heatmap.layer}, {heatmap.method}"


def scale(vmax: float, evidence: Evidence) -> str:
    """Return the range of a scale in raw units."""
    top = format_significant(vmax)
    return f"scale -{top} to {top}" if evidence == "both" else f"scale 0 to {top}, evidence {evidence} the class"


def resolution(heatmap: Heatmap) -> str:
    """Return the resolution of a map, and its limits."""
    cell = ""
    if heatmap.image is not None:
        sides = zip(heatmap.image.shape[:2], heatmap.grid, strict=True)
        height, width = (round(side / cells) for side, cells in sides)
        cell = f", one cell ≈ {width}×{height} px" if width != height else f", one cell ≈ {width} px"
    return f"{grid(heatmap)} grid{cell}; receptive fields are larger. A map says where evidence is, not why."


def description(heatmap: Heatmap, evidence: Evidence) -> str:
    """Return the alt text: place of the peak, and fraction of the image above half the maximum."""
    subject = f"{SIDES[evidence]} {heatmap.title} at layer {heatmap.layer}"
    peak = heatmap.peak(evidence)
    if peak is None:
        return f"{subject}: none."
    row, column = (int((cell + 0.5) / cells * 3) for cell, cells in zip(peak, heatmap.grid, strict=True))
    upsampled = np.abs(heatmap.upsampled(evidence=evidence))
    covered = float((upsampled > STRONG * upsampled.max()).mean())
    place = PLACES[row][column]
    return f"{subject}: strongest {place}, more than half its maximum on {100 * covered:.0f} % of the image."
