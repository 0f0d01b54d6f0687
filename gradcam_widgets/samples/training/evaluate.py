"""Is a map right? In a rendered scene the exact place of every object is known, so it can be measured."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from gradcam_widgets.attribution.methods import METHODS
from gradcam_widgets.errors import MethodError
from gradcam_widgets.evaluation.localization import overlap, points_at, share_inside
from gradcam_widgets.samples.scenes.classes import CATEGORIES
from gradcam_widgets.samples.scenes.scene import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.classifiers.classifier import Classifier

    from .dataset import Order

MEASURES = ("pointing_game", "energy_inside_mask", "box_iou")


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
