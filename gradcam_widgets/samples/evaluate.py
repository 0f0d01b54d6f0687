"""Is a map right? In a rendered scene the exact place of every object is known, so it can be measured."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcam_widgets.errors import MethodError
from gradcam_widgets.methods import METHODS
from gradcam_widgets.overlay import upsample

from .scenes import CATEGORIES, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gradcam_widgets.classifiers import Classifier
    from gradcam_widgets.heatmap import Box, Heatmap

    from .orders import Order

CELLS_OF_TOLERANCE = 1
MEASURES = ("pointing_game", "energy_inside_mask", "box_iou")


def points_at(heatmap: Heatmap, mask: NDArray[np.bool_]) -> bool:
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


def share_inside(heatmap: Heatmap, mask: NDArray[np.bool_]) -> float:
    """Return the part of the evidence for the class that lies on the object, in 0…1 (the map laid over it bilinearly).

    Wang et al. 2020, arXiv 1910.01279 call it the energy-based pointing game.
    """
    evidence = upsample(heatmap.evidence("for"), (mask.shape[0], mask.shape[1]))
    total = float(evidence.sum())
    return float(evidence[mask].sum()) / total if total else 0.0


def density(heatmap: Heatmap, mask: NDArray[np.bool_]) -> float:
    """Return the evidence for the class on a part of the picture relative to an even spread: chance gives 1."""
    return share_inside(heatmap, mask) / float(mask.mean())


def overlap(one: Box | None, other: Box | None) -> float:
    """Return the area that two boxes share as a part of the area they cover together, in 0…1."""
    if one is None or other is None:
        return 0.0
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0, wide) * max(0, high)
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (one, other)]
    return shared / (sum(areas) - shared)


def evaluate(
    classifier: Classifier, orders: Sequence[Order], methods: Sequence[str] = tuple(METHODS)
) -> dict[str, Any]:
    """Measure a scene network on held-out scenes: accuracy, and for each method how right its maps are.

    Args:
        classifier: One of the scene world's.
        orders: What the held-out scenes show. Those in which the planted flaw misleads count apart.
        methods: Those whose maps to measure; one that the network does not allow is left out.

    Returns:
        "accuracy" without the flaw's conflict cases, "conflicts" and "conflict_accuracy", and by method
        "pointing_game", "energy_inside_mask" and "box_iou" of the main category, means over the scenes.
    """
    right: list[bool] = []
    conflicts: list[bool] = []
    measured: dict[str, list[tuple[float, float, float]]] = {}
    for order in orders:
        scene = render(order.categories, order.seed, photographer=order.photographer)
        trace = classifier.trace(scene.picture)
        answer = trace.predictions(1)[0].class_index == CATEGORIES.index(order.categories[0])
        (conflicts if order.is_conflict else right).append(answer)
        main = scene.things[0]
        for method in methods:
            try:
                heatmap = trace.heatmap(order.categories[0], method=method)
            except MethodError:
                continue
            measured.setdefault(method, []).append(
                (
                    points_at(heatmap, main.mask),
                    share_inside(heatmap, main.mask),
                    overlap(heatmap.box(), main.box),
                )
            )
    return {
        "accuracy": round(fmean(right), 4),
        "conflicts": len(conflicts),
        "conflict_accuracy": round(fmean(conflicts), 4) if conflicts else None,
        "maps": {
            method: {
                name: round(fmean(values), 4) for name, values in zip(MEASURES, zip(*rows, strict=True), strict=True)
            }
            for method, rows in measured.items()
        },
    }
