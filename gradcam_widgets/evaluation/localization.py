"""Localization metrics for heatmaps of images with known object masks or boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.heatmaps.rendering import upsample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcam_widgets.heatmaps.heatmap import Heatmap
    from gradcam_widgets.images.box import Box


TOLERANCE_CELLS = 1


def pointing_game_hit(heatmap: Heatmap, mask: NDArray[np.bool_]) -> bool:
    """Return whether the heatmap's peak lies within one cell of the object: the pointing game.

    Zhang et al. 2018, arXiv 1608.00507, with a tolerance in cells instead of pixels.

    Args:
        heatmap: The heatmap.
        mask: `(H, W)` bool array, True on the object.
    """
    peak = heatmap.peak()
    if peak is None:
        return False
    axis_edges = [np.linspace(0, side, cells + 1) for side, cells in zip(mask.shape, heatmap.grid, strict=True)]
    rows, columns = (
        slice(
            round(edges[max(0, cell - TOLERANCE_CELLS)]), round(edges[min(len(edges) - 1, cell + 1 + TOLERANCE_CELLS)])
        )
        for edges, cell in zip(axis_edges, peak, strict=True)
    )
    return bool(mask[rows, columns].any())


def energy_inside_mask(heatmap: Heatmap, mask: NDArray[np.bool_]) -> float:
    """Return the fraction of the evidence for the class that lies on the object, in 0…1.

    The energy-based pointing game of Wang et al. 2020, arXiv 1910.01279, on the bilinearly upsampled map.

    Args:
        heatmap: The heatmap.
        mask: `(H, W)` bool array, True on the object.
    """
    evidence = upsample(heatmap.evidence("for"), (mask.shape[0], mask.shape[1]))
    total = float(evidence.sum())
    return float(evidence[mask].sum()) / total if total else 0.0


def density(heatmap: Heatmap, mask: NDArray[np.bool_]) -> float:
    """Return `energy_inside_mask` divided by the mask's area fraction; an even spread gives 1."""
    return energy_inside_mask(heatmap, mask) / float(mask.mean())


def box_iou(one: Box | None, other: Box | None) -> float:
    """Return the intersection over union of two boxes, in 0…1; 0 if either is None."""
    if one is None or other is None:
        return 0.0
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    intersection = max(0, width) * max(0, height)
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (one, other)]
    return intersection / (sum(areas) - intersection)
