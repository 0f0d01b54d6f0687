"""Evaluation of the scene models: accuracy, and localization of their maps against exact masks."""

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
    """Measure a scene model's accuracy and the localization of its maps on held-out scenes.

    Args:
        classifier: A scene model.
        specs: The held-out scenes; those that contradict the planted bias are counted separately.
        methods: Names of the methods to measure; those that do not apply to the model are skipped.

    Returns:
        "accuracy" without conflicts, number of "conflicts", "conflict_accuracy", and "maps": for each method the mean
        "pointing_game", "energy_inside_mask" and "box_iou" of the main class.
    """
    hits: list[bool] = []
    conflicts: list[bool] = []
    measures: dict[str, list[tuple[float, float, float]]] = {}
    for spec in specs:
        scene = render(spec.class_names, spec.seed, photographer=spec.photographer)
        trace = classifier.trace(scene.image)
        is_right = trace.predictions(1)[0].class_index == CLASS_NAMES.index(spec.class_names[0])
        (conflicts if spec.is_conflict else hits).append(is_right)
        main = scene.objects[0]
        for method in methods:
            try:
                heatmap = trace.heatmap(spec.class_names[0], method=method)
            except MethodError:
                continue
            measures.setdefault(method, []).append(
                (
                    pointing_game_hit(heatmap, main.mask),
                    energy_inside_mask(heatmap, main.mask),
                    box_iou(heatmap.box(), main.box),
                )
            )
    return {
        "accuracy": round(fmean(hits), 4),
        "conflicts": len(conflicts),
        "conflict_accuracy": round(fmean(conflicts), 4) if conflicts else None,
        "maps": {
            method: {
                name: round(fmean(values), 4) for name, values in zip(MEASURES, zip(*rows, strict=True), strict=True)
            }
            for method, rows in measures.items()
        },
    }
