"""Is a map right? In a rendered scene the exact place of every object is known, so it can be measured."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from gradcam_widgets.attribution.methods import METHODS
from gradcam_widgets.errors import MethodError
from gradcam_widgets.evaluation.localization import box_iou, energy_inside_mask, pointing_game_hit
from gradcam_widgets.samples.scenes.classes import CLASS_NAMES
from gradcam_widgets.samples.scenes.scene import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.classifiers.classifier import Classifier

    from .dataset import SceneSpec

MEASURES = ("pointing_game", "energy_inside_mask", "box_iou")


def evaluate(
    classifier: Classifier, specs: Sequence[SceneSpec], methods: Sequence[str] = tuple(METHODS)
) -> dict[str, Any]:
    """Measure a scene model on held-out scenes: accuracy, and for each method how right its maps are.

    Args:
        classifier: One of the scenes'.
        specs: What the held-out scenes show. Those in which the planted flaw misleads count apart.
        methods: Those whose maps to measure; one that the model does not allow is left out.

    Returns:
        "accuracy" without the flaw's conflict cases, "conflicts" and "conflict_accuracy", and by method
        "pointing_game", "energy_inside_mask" and "box_iou" of the main class, means over the scenes.
    """
    right: list[bool] = []
    conflicts: list[bool] = []
    measured: dict[str, list[tuple[float, float, float]]] = {}
    for spec in specs:
        scene = render(spec.class_names, spec.seed, photographer=spec.photographer)
        trace = classifier.trace(scene.image)
        answer = trace.predictions(1)[0].class_index == CLASS_NAMES.index(spec.class_names[0])
        (conflicts if spec.is_conflict else right).append(answer)
        main = scene.objects[0]
        for method in methods:
            try:
                heatmap = trace.heatmap(spec.class_names[0], method=method)
            except MethodError:
                continue
            measured.setdefault(method, []).append(
                (
                    pointing_game_hit(heatmap, main.mask),
                    energy_inside_mask(heatmap, main.mask),
                    box_iou(heatmap.box(), main.box),
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
