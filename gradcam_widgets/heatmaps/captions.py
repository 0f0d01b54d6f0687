"""What is said of a map in words and numbers: digest, caption, and the text that stands for its image."""

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
    ("the upper left", "the top", "the upper right"),
    ("the left", "the middle", "the right"),
    ("the lower left", "the bottom", "the lower right"),
)


def summary(heatmap: Heatmap) -> str:
    """Describe a map in one line; its values are written to a thousandth of the largest or finer."""
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
    """Write rows and columns as "7×7"."""
    return f"{heatmap.grid[0]}×{heatmap.grid[1]}"


def score(heatmap: Heatmap) -> str:
    """Name the class with its score."""
    logit, probability = format_significant(heatmap.logit), format_significant(heatmap.probability)
    return f"{heatmap.title}, logit {logit}, probability {probability}"


def origin(heatmap: Heatmap) -> str:
    """Name model, layer and method."""
    model = f"{heatmap.model}, " if heatmap.model else ""
    return f"{model}layer {heatmap.layer}, {heatmap.method}"


def scale(vmax: float, evidence: Evidence) -> str:
    """Say which raw values a scale spans."""
    top = format_significant(vmax)
    return f"scale -{top} to {top}" if evidence == "both" else f"scale 0 to {top}, evidence {evidence} the class"


def resolution(heatmap: Heatmap) -> str:
    """Say how coarse a map is, and what it does not tell."""
    cell = ""
    if heatmap.image is not None:
        sides = zip(heatmap.image.shape[:2], heatmap.grid, strict=True)
        height, width = (round(side / cells) for side, cells in sides)
        cell = f", one cell ≈ {width}×{height} px" if width != height else f", one cell ≈ {width} px"
    return f"{grid(heatmap)} grid{cell}; what a cell has seen is larger. Where evidence came from, not why."


def description(heatmap: Heatmap, evidence: Evidence) -> str:
    """Say for who does not see it where the heat lies and how much of the image it covers."""
    what = f"{SIDES[evidence]} {heatmap.title} at layer {heatmap.layer}"
    center = heatmap.centroid(evidence)
    if center is None:
        return f"{what}: none."
    down, across = ((at + 0.5) / cells for at, cells in zip(center, heatmap.grid, strict=True))
    row, column = (int(min(share * 3, 2)) for share in (down, across))
    large = np.abs(heatmap.upsampled(evidence=evidence))
    covered = float((large > STRONG * large.max()).mean())
    where = f"centered on {PLACES[row][column]}"
    return f"{what}: {where}, more than half its maximum on {100 * covered:.0f} % of the image."
