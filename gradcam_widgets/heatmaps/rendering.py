"""Rendering of maps over images: upsampling, coloring and blending."""

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
    """Return the evidence for the class, against it (as positive values), or both (signed).

    Args:
        values: Signed `(H, W)` float32 map.
        evidence: Sign of the evidence.
    """
    check_choice("evidence", evidence, get_args(Evidence))
    if evidence == "both":
        return values
    return np.maximum(values if evidence == "for" else -values, np.float32(0))


def upsample(
    values: NDArray[np.float32], size: tuple[int, int], interpolation: Interpolation = "bilinear"
) -> NDArray[np.float32]:
    """Upsample a map with half-pixel centers and clamped edges.

    Args:
        values: `(H, W)` float32 map.
        size: Rows and columns of the result.
        interpolation: "cells" (nearest neighbor), "bilinear", or "cubic", whose overshoot is clamped to the map's
            range.

    Returns:
        Float32 map of that size.
    """
    check_choice("interpolation", interpolation, get_args(Interpolation))
    if interpolation == "cells":  # where a border lies on a pixel's center, OpenCV's versions and the browser differ
        rows, columns = (
            (2 * np.arange(pixels) + 1) * cells // (2 * pixels)
            for cells, pixels in zip(values.shape, size, strict=True)
        )
        return values[np.ix_(rows, columns)].astype(np.float32, copy=False)
    upsampled = cv2.resize(values, (size[1], size[0]), interpolation=_CV2_INTERPOLATION[interpolation])
    return np.clip(upsampled, values.min(), values.max()).astype(np.float32, copy=False)


def colorize(
    values: NDArray[np.float32], vmax: float, evidence: Evidence = "for", colormap: str | None = None
) -> NDArray[np.uint8]:
    """Map a signed map to colors on a scale from 0 (or −vmax, for "both") to vmax.

    Args:
        values: Signed `(H, W)` float32 map.
        vmax: Upper end of the scale in raw units; larger values take its color.
        evidence: Sign of the evidence.
        colormap: Name of a matplotlib colormap; None for a perceptually uniform one, or a diverging one for "both".

    Returns:
        `(H, W, 3)` uint8 RGB array.
    """
    scaled = _scaled(values, vmax, evidence)
    position = (scaled + 1) / 2 if evidence == "both" else scaled
    table = color_table(colormap or DEFAULT_COLORMAPS[evidence])
    return table[np.rint(position * 255).astype(np.uint8)]


def strength(values: NDArray[np.float32], vmax: float, evidence: Evidence = "for") -> NDArray[np.float32]:
    """Return the evidence as a fraction of vmax, an `(H, W)` float32 array in 0…1."""
    return np.abs(_scaled(values, vmax, evidence))


def _scaled(values: NDArray[np.float32], vmax: float, evidence: Evidence) -> NDArray[np.float32]:
    selected = select(values, evidence)
    return np.clip(selected / np.float32(vmax), -1, 1) if vmax > 0 else np.zeros_like(selected)


def overlay(
    values: NDArray[np.float32], image: NDArray[np.uint8], display: DisplayOptions, vmax: float
) -> NDArray[np.uint8]:
    """Blend a colored map, stretched over the whole image, with the image.

    Args:
        values: Signed `(h, w)` float32 map.
        image: `(H, W, 3)` uint8 RGB array.
        display: Display options; their `vmax` is ignored.
        vmax: Upper end of the scale in raw units; 0 for a map without evidence.

    Returns:
        `(H, W, 3)` uint8 RGB array.
    """
    upsampled = upsample(select(values, display.evidence), (image.shape[0], image.shape[1]), display.interpolation)
    side: Evidence = "both" if display.evidence == "both" else "for"  # `select` made evidence against positive
    colors = colorize(upsampled, vmax, side, display.colormap or DEFAULT_COLORMAPS[display.evidence])
    fading = strength(upsampled, vmax, side) if display.fade else np.ones(upsampled.shape, np.float32)
    opacity = np.float32(display.opacity) * fading
    if display.threshold > 0:
        magnitude = np.abs(upsampled)
        opacity = np.where(magnitude > display.threshold * magnitude.max(), opacity, np.float32(0))
    return blend(image, colors, opacity)


@cache
def color_table(colormap: str) -> NDArray[np.uint8]:
    """Return the colors of a matplotlib colormap, a read-only `(256, 3)` uint8 RGB array."""
    from matplotlib import colormaps  # noqa: PLC0415 - slow to import

    check_choice("colormap", colormap, tuple(colormaps), registry="matplotlib.colormaps")
    table = colormaps[colormap](np.arange(256) / 255, bytes=True)[:, :3].copy()
    table.setflags(write=False)
    return table


def blend(
    image: NDArray[np.uint8], colors: NDArray[np.uint8], opacity: float | NDArray[np.float32] = 0.5
) -> NDArray[np.uint8]:
    """Return image · (1 − opacity) + colors · opacity, rounded.

    Args:
        image: `(H, W, 3)` uint8 RGB array.
        colors: `(H, W, 3)` uint8 RGB array.
        opacity: Number in 0…1, or an `(H, W)` float32 array of one per pixel.

    Raises:
        OptionError: If an opacity is out of range.
    """
    check_opacity(opacity)
    alpha = np.asarray(opacity, dtype=np.float32)
    alpha = alpha[..., None] if alpha.ndim else alpha
    return np.rint(image * (1 - alpha) + colors * alpha).astype(np.uint8)


def check_opacity(opacity: float | NDArray[np.float32]) -> None:
    """Raise an `OptionError` if an opacity is outside 0…1."""
    low, high = float(np.min(opacity)), float(np.max(opacity))
    if not (low >= 0 and high <= 1):
        raise OptionError(f"opacity must be between 0 and 1, got {low if low < 0 else high:g}.")
