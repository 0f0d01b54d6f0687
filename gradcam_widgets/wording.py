"""What is said of a map in words and numbers: digest, caption, and the text that stands for its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GradCAMError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .heatmap import Heatmap
    from .overlay import Evidence

SIDES = {"for": "Evidence for", "against": "Evidence against", "both": "Evidence for and against"}
STRONG = 0.5
PLACES = (
    ("the upper left", "the top", "the upper right"),
    ("the left", "the middle", "the right"),
    ("the lower left", "the bottom", "the lower right"),
)


def three(number: float) -> str:
    """Write a number with three significant figures, without exponent where it can be read, and no -0."""
    text = f"{number:#.3g}"
    if "e" not in text:
        return text.rstrip(".") if float(text) else "0"
    return f"{number:.3g}" if abs(number) < 1 else f"{float(text):.0f}" if abs(number) < 1e6 else text


def decimal(number: float, decimals: int) -> str:
    """Write a number with a fixed number of decimals, and without the sign of -0."""
    return f"{round(number, decimals) + 0.0:.{decimals}f}"


def of_scale(number: float, scale: float) -> str:
    """Write a number to a thousandth of a scale or finer, so that noise far below the scale is written as zero."""
    exponent = int(f"{scale:.3e}".partition("e")[2])
    if -4 <= exponent < 4:
        return decimal(number, max(1, 3 - exponent))
    return f"{decimal(number / 10.0**exponent, 3)}e{exponent:+03d}"


def digest(heatmap: Heatmap) -> str:
    """Describe a map in one line; its values are written to a thousandth of the largest or finer."""
    low, high = (of_scale(float(v), heatmap.limit("both")) for v in (heatmap.values.min(), heatmap.values.max()))
    peak, centroid = heatmap.peak(), heatmap.centroid()
    if peak is None or centroid is None:
        where = "no positive evidence"
    else:
        where = (
            f"peak {peak} | centroid ({decimal(centroid[0], 3)}, {decimal(centroid[1], 3)}) | "
            f"{decimal(100 * heatmap.share_for(), 2)} % positive"
        )
    return f"{heatmap.title} | {heatmap.layer} {grid(heatmap)} {heatmap.method} | {low} to {high} | {where}"


def describe_difference(values: NDArray[Any], reference: NDArray[Any], tolerance: float = 1e-5) -> str:
    """Say how far two maps are apart, in units of the reference's range.

    Sums in float32 that are added up in another order differ by some 1e-7 of the range; such differences are called
    equal and not printed.

    Args:
        values: The map, any shape.
        reference: What it is compared with, the same shape; its range, largest less smallest value, is the unit.
        tolerance: Share of the range up to which two maps are called equal.

    Returns:
        "equal to 1e-5 of the range" or "up to 0.354 of the range apart".

    Raises:
        GradCAMError: If the shapes differ, a value is not finite, or the reference is the same everywhere.
    """
    one, other = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    if one.shape != other.shape:
        raise GradCAMError(f"Maps of one shape can be compared, not {one.shape} with {other.shape}.")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise GradCAMError("Maps that hold NaN or infinity cannot be compared: give finite ones.")
    span = float(np.ptp(other)) if other.size else 0.0
    if not span:
        raise GradCAMError("The reference is the same everywhere, so its range cannot be a unit: give another map.")
    apart = float(np.abs(one - other).max()) / span
    if apart <= tolerance:
        return f"equal to {f'{tolerance:g}'.replace('e-0', 'e-')} of the range"
    return f"up to {three(apart)} of the range apart"


def grid(heatmap: Heatmap) -> str:
    """Write rows and columns as "7×7"."""
    return f"{heatmap.grid[0]}×{heatmap.grid[1]}"


def score(heatmap: Heatmap) -> str:
    """Name the class with its score."""
    return f"{heatmap.title}, logit {three(heatmap.logit)}, probability {three(heatmap.probability)}"


def origin(heatmap: Heatmap) -> str:
    """Name network, layer and method."""
    network = f"{heatmap.network}, " if heatmap.network else ""
    return f"{network}layer {heatmap.layer}, {heatmap.method}"


def scale(limit: float, evidence: Evidence) -> str:
    """Say which raw values a scale spans."""
    top = three(limit)
    return f"scale -{top} to {top}" if evidence == "both" else f"scale 0 to {top}, evidence {evidence} the class"


def resolution(heatmap: Heatmap) -> str:
    """Say how coarse a map is, and what it does not tell."""
    cell = ""
    if heatmap.picture is not None:
        sides = zip(heatmap.picture.shape[:2], heatmap.grid, strict=True)
        height, width = (round(side / cells) for side, cells in sides)
        cell = f", one cell ≈ {width}×{height} px" if width != height else f", one cell ≈ {width} px"
    return f"{grid(heatmap)} grid{cell}; what a cell has seen is larger. Where evidence came from, not why."


def description(heatmap: Heatmap, evidence: Evidence) -> str:
    """Say for who does not see it where the heat lies and how much of the picture it covers."""
    what = f"{SIDES[evidence]} {heatmap.title} at layer {heatmap.layer}"
    centre = heatmap.centroid(evidence)
    if centre is None:
        return f"{what}: none."
    down, across = ((at + 0.5) / cells for at, cells in zip(centre, heatmap.grid, strict=True))
    row, column = (int(min(share * 3, 2)) for share in (down, across))
    large = np.abs(heatmap.upsampled(evidence=evidence))
    covered = float((large > STRONG * large.max()).mean())
    where = f"centred on {PLACES[row][column]}"
    return f"{what}: {where}, more than half its maximum on {100 * covered:.0f} % of the picture."
