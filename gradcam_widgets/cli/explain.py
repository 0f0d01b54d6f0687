"""`gradcam-widgets explain`: predictions, summaries and a figure, or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gradcam_widgets._paths import legible
from gradcam_widgets.heatmaps.display import DisplayOptions

from .question import DEFAULT_CLASSES, output_path, read_question

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from gradcam_widgets.attribution.trace import Prediction
    from gradcam_widgets.heatmaps.heatmap import Heatmap


def run(options: argparse.Namespace) -> None:
    """Print predictions and summaries, or a JSON report, and export the figure."""
    question = read_question(options)
    output = output_path(options, question, ".png")
    classifier = question.classifier()
    trace = classifier.trace(question.image, options.layer)
    predictions = trace.predictions(5)
    classes = options.targets or [prediction.class_index for prediction in predictions[:DEFAULT_CLASSES]]
    heatmaps = trace.compare(classes, method=options.method)
    _export_figure(heatmaps, output, DisplayOptions(evidence=options.evidence, colormap=options.colormap))
    if options.json:
        report = {
            "image": question.name,
            "model": classifier.name,
            "predictions": [prediction._asdict() for prediction in predictions],
            "maps": [_as_json(heatmap) for heatmap in heatmaps],
            "figure": legible(output),
        }
        print(json.dumps(report, indent=1))  # ASCII, for any console encoding
        return
    print(f"{question.name}, seen by {classifier.name}")
    print(_table(predictions))
    for heatmap in heatmaps:
        print(heatmap.summary())
        for caveat in heatmap.caveats:
            print(f"  {caveat}")
    print(f"figure: {legible(output)}")


def _export_figure(heatmaps: Sequence[Heatmap], output: Path, display: DisplayOptions) -> None:
    from gradcam_widgets.heatmaps import figures  # noqa: PLC0415 - slow to import, so only after the input is valid

    single = len(heatmaps) == 1
    figure = (
        figures.single_figure(heatmaps[0], display) if single else figures.comparison_figure(heatmaps, display=display)
    )
    figures.export_figure(figure, output)


def _table(predictions: Sequence[Prediction]) -> str:
    rows = [f"  {p.probability:11.3f} {p.logit:8.2f}  {p.class_name} ({p.class_index})" for p in predictions]
    return "\n".join(["  probability    logit  class", *rows])


def _as_json(heatmap: Heatmap) -> dict[str, Any]:
    box = heatmap.box()
    return {
        "class_index": heatmap.class_index,
        "class_name": heatmap.class_name,
        "logit": heatmap.logit,
        "probability": heatmap.probability,
        "layer": heatmap.layer,
        "method": heatmap.method,
        "grid": heatmap.grid,
        "peak": heatmap.peak(),
        "centroid": heatmap.centroid(),
        "positive_fraction": heatmap.positive_fraction() if heatmap.values.any() else None,
        "box": box._asdict() if box else None,
        "summary": heatmap.summary(),
        "caveats": heatmap.caveats,
        "values": heatmap.values.tolist(),
    }
