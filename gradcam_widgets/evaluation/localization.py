"""Does a map lie on the object? Measures for images whose objects' exact places are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.heatmaps.rendering import upsample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcam_widgets.heatmaps.heatmap import Heatmap
    from gradcam_widgets.images.box import Box


CELLS_OF_TOLERANCE = 1


def pointing_game_hit(heatmap: Heatmap, mask: NDArray[np.bool_]) -> bool:
    """Play the pointing game: does the map's peak lie on the object, give or take one cell?

    Zhang et al. 2018, arXiv 1608.00507, with the map's own cells for pixels.

    Args:
        heatmap: The map.
        mask: Where the object is, axes (row, column).
    """
    peak = heatmap.peak()
    if peak is None:
        return False
    edges = [np.linspace(0, side, cells + 1) for side, cells in zip(mask.shape, heatmap.grid, strict=True)]
    near = [
        slice(
            round(edge[max(0, at - CELLS_OF_TOLERANCE)]), round(edge[min(len(edge) - 1, at + 1 + CELLS_OF_TOLERANCE)])
        )
        for edge, at in zip(edges, peak, strict=True)
    ]
    return bool(mask[near[0], near[1]].any())


def energy_inside_mask(heatmap: Heatmap, mask: NDArray[np.bool_]) -> float:
    """Return the part of the evidence for the class that lies on the object, in 0…1 (the map laid over it bilinearly).

    Wang et al. 2020, arXiv 1910.01279 call it the energy-based pointing game.
    """
    evidence = upsample(heatmap.evidence("for"), (mask.shape[0], mask.shape[1]))
    total = float(evidence.sum())
    return float(evidence[mask].sum()) / total if total else 0.0


def density(heatmap: Heatmap, mask: NDArray[np.bool_]) -> float:
    """Return the evidence for the class on a part of the image relative to an even spread: chance gives 1."""
    return energy_inside_mask(heatmap, mask) / float(mask.mean())


def box_iou(one: Box | None, other: Box | None) -> float:
    """Return the area that two boxes share as a part of the area they cover together, in 0…1."""
    if one is None or other is None:
        return 0.0
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0, wide) * max(0, high)
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (one, other)]
    return shared / (sum(areas) - shared)
