"""From a small map to colors over an image: upsample, color, blend, encode."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, get_args

import cv2
import numpy as np

from gradcam_widgets._choices import check_choice
from gradcam_widgets.errors import OptionError
from gradcam_widgets.heatmaps.display import DEFAULT_COLORMAPS, Evidence, Interpolation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .display import DisplayOptions


_CV2_INTERPOLATION = {"bilinear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def select(values: NDArray[np.float32], evidence: Evidence) -> NDArray[np.float32]:
    """Look at a signed map: the evidence for the class, that against it (turned positive), or both.

    Args:
        values: Signed map, axes (row, column).
        evidence: Which side to keep.
    """
    check_choice("evidence", evidence, get_args(Evidence))
    if evidence == "both":
        return values
    return np.maximum(values if evidence == "for" else -values, np.float32(0))


def upsample(
    values: NDArray[np.float32], size: tuple[int, int], interpolation: Interpolation = "bilinear"
) -> NDArray[np.float32]:
    """Bring a map to the size of an image, cell by cell over the same area (half-pixel centers, clamped edges).

    Args:
        values: Map, axes (row, column).
        size: Rows and columns wanted.
        interpolation: "cells" shows the grid as it is; "cubic" is clamped to the map's own range, which it would
            overshoot.

    Returns:
        Map of that size, float32.
    """
    check_choice("interpolation", interpolation, get_args(Interpolation))
    if interpolation == "cells":  # where a border lies on a pixel's center, OpenCV's versions and the browser part
        rows, columns = (
            (2 * np.arange(pixels) + 1) * cells // (2 * pixels)
            for cells, pixels in zip(values.shape, size, strict=True)
        )
        return values[np.ix_(rows, columns)].astype(np.float32, copy=False)
    large = cv2.resize(values, (size[1], size[0]), interpolation=_CV2_INTERPOLATION[interpolation])
    return np.clip(large, values.min(), values.max()).astype(np.float32, copy=False)


def colorize(
    values: NDArray[np.float32], vmax: float, evidence: Evidence = "for", colormap: str | None = None
) -> NDArray[np.uint8]:
    """Color a signed map on a scale from 0 (or −vmax, for "both") to vmax.

    Args:
        values: Signed map, axes (row, column).
        vmax: Value at the upper end of the scale, in raw units; what lies beyond takes the end's color.
        evidence: Which side to show.
        colormap: Any of matplotlib's; by default a perceptually uniform one, a diverging one for "both".

    Returns:
        Colors, axes (row, column, RGB), uint8.
    """
    share = _share(values, vmax, evidence)
    position = (share + 1) / 2 if evidence == "both" else share
    table = color_table(colormap or DEFAULT_COLORMAPS[evidence])
    return table[np.rint(position * 255).astype(np.uint8)]


def strength(values: NDArray[np.float32], vmax: float, evidence: Evidence = "for") -> NDArray[np.float32]:
    """Return how strong the evidence is on a scale that ends at vmax, axes (row, column), float32, 0…1."""
    return np.abs(_share(values, vmax, evidence))


def _share(values: NDArray[np.float32], vmax: float, evidence: Evidence) -> NDArray[np.float32]:
    seen = select(values, evidence)
    return np.clip(seen / np.float32(vmax), -1, 1) if vmax > 0 else np.zeros_like(seen)


def overlay(
    values: NDArray[np.float32], image: NDArray[np.uint8], display: DisplayOptions, vmax: float
) -> NDArray[np.uint8]:
    """Lay a colored map over an image: the grid is stretched over the whole of it.

    Args:
        values: Signed map, axes (row, column).
        image: Axes (row, column, RGB), uint8.
        display: How to show it; its own `vmax` is not read.
        vmax: Upper end of the scale, in raw units; 0 for a map without evidence.

    Returns:
        Like the image.
    """
    large = upsample(select(values, display.evidence), (image.shape[0], image.shape[1]), display.interpolation)
    side: Evidence = "both" if display.evidence == "both" else "for"  # evidence against was turned positive
    colors = colorize(large, vmax, side, display.colormap or DEFAULT_COLORMAPS[display.evidence])
    faded = strength(large, vmax, side) if display.fade else np.ones(large.shape, np.float32)
    opacity = np.float32(display.opacity) * faded
    if display.threshold > 0:
        opacity = np.where(np.abs(large) > display.threshold * np.abs(large).max(), opacity, np.float32(0))
    return blend(image, colors, opacity)


@cache
def color_table(colormap: str) -> NDArray[np.uint8]:
    """Return the 256 colors of one of matplotlib's color maps, axes (step, RGB), uint8."""
    from matplotlib import colormaps  # noqa: PLC0415 - only who draws pays for matplotlib

    check_choice("colormap", colormap, tuple(colormaps))
    table = colormaps[colormap](np.arange(256) / 255, bytes=True)[:, :3].copy()
    table.setflags(write=False)
    return table


def blend(
    image: NDArray[np.uint8], colors: NDArray[np.uint8], opacity: float | NDArray[np.float32] = 0.5
) -> NDArray[np.uint8]:
    """Lay colors over an image: image · (1 − opacity) + colors · opacity, rounded.

    Args:
        image: Axes (row, column, RGB), uint8.
        colors: Likewise, of the same size.
        opacity: Between 0 and 1, one for all or one for each pixel, axes (row, column).
    """
    check_opacity(opacity)
    share = np.asarray(opacity, dtype=np.float32)
    share = share[..., None] if share.ndim else share
    return np.rint(image * (1 - share) + colors * share).astype(np.uint8)


def check_opacity(opacity: float | NDArray[np.float32]) -> None:
    """Raise a `OptionError` if an opacity is outside of 0…1."""
    low, high = float(np.min(opacity)), float(np.max(opacity))
    if not (low >= 0 and high <= 1):
        raise OptionError(f"opacity must be between 0 and 1, got {low if low < 0 else high:g}.")
