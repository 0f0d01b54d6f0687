"""`gradcam-widgets export`: an HTML page that works without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcam_widgets._paths import legible
from gradcam_widgets.attribution.layers import last_of_each_grid
from gradcam_widgets.heatmaps.display import DisplayOptions
from gradcam_widgets.view.page import export_page

from .question import CLASSES_ON_A_PAGE, output_path, read_question

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> None:
    """Export the page and print its path and size."""
    question = read_question(options)
    output = output_path(options, question, ".html")
    classifier = question.classifier()
    layers = options.layers or [layer.name for layer in last_of_each_grid(classifier.layers(question.image))]
    trace = classifier.trace(question.image, layers)
    heatmaps = trace.compare(
        options.targets or [p.class_index for p in trace.predictions(CLASSES_ON_A_PAGE)], method=options.method
    )
    export_page(
        output,
        heatmaps,
        DisplayOptions(evidence=options.evidence, colormap=options.colormap),
        layer=trace.layers[-1].name,
        title=f"{question.name}: where the model looked",
    )
    print(f"page: {legible(output)} ({output.stat().st_size / 1000:.0f} kB)")
