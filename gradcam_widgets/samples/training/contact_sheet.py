"""Draw contact sheets: `python -m gradcam_widgets.samples.training.contact_sheet OUT.jpg [--walkthroughs SOURCE]`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gradcam_widgets.heatmaps.figures import export_figure
from gradcam_widgets.samples.sample import Sample, elephants, iguana, submarine
from gradcam_widgets.samples.scenes.classes import CLASS_NAMES
from gradcam_widgets.samples.scenes.scene import render
from gradcam_widgets.samples.source import SOURCES

from .dataset import draw_specs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gradcam_widgets import Heatmap
    from gradcam_widgets.samples.scenes.scene import Scene

SHEET_SEED, SHEET_ROWS = 60_000_000, 4
WIDTH, GAP = 12.0, 0.04  # inches
ON_IMAGE = "#ffffff"


def scene_sheet(first_seed: int = SHEET_SEED, rows: int = SHEET_ROWS) -> Figure:
    """Draw scenes like those of the training set, one column per class.

    Args:
        first_seed: Seed of the first scene; the others are consecutive.
        rows: Scenes per class.
    """
    columns = len(CLASS_NAMES)
    scenes = [
        render(spec.class_names, spec.seed, photographer=spec.photographer)
        for spec in draw_specs(rows * columns, first_seed)
    ]
    figure, axes = _grid([[1.0] * columns] * rows, title_inches=0.0, top_inches=0.22)
    for index, (place, scene) in enumerate(zip(axes, scenes, strict=True)):
        _show(place, scene.image, CLASS_NAMES[index] if index < columns else "")
        _describe(place, scene)
    return figure


def walkthrough_sheet(source: str | None = None) -> Figure:
    """Draw the three walkthroughs: image, map of each target class, and the iguana without the person.

    Args:
        source: "auto", "photos" or "scenes".
    """
    samples = [submarine(source=source), elephants(source=source), iguana(source=source)]
    rows = []
    for sample in samples:
        trace = sample.classifier.trace(sample.image)
        first = trace.predictions(1)[0]
        rows.append(
            [
                (sample.image, f"{sample.classifier.name}: {first.class_name} {first.probability:.2f}"),
                *_overlays(trace.heatmap(class_name) for class_name in sample.class_names),
            ]
        )
        if sample.crop_box is not None:
            rows[-1] += _overlays([sample.classifier.heatmap(sample.crop(), sample.class_names[-1])], "cropped: ")
    aspects = [[image.shape[1] / image.shape[0] for image, _ in row] for row in rows]
    figure, axes = _grid(aspects, title_inches=0.26, top_inches=0.0)
    panels = iter(axes)
    for sample, row in zip(samples, rows, strict=True):
        for column, (image, title) in enumerate(row):
            place = next(panels)
            _show(place, image, title)
            if column == 0:
                _outline(place, sample)
    return figure


def _overlays(heatmaps: Iterable[Heatmap], prefix: str = "") -> list[tuple[NDArray[np.uint8], str]]:
    return [(heatmap.overlay(), f"{prefix}{heatmap.class_name} {heatmap.probability:.2f}") for heatmap in heatmaps]


def _grid(aspects: Sequence[Sequence[float]], *, title_inches: float, top_inches: float) -> tuple[Figure, list[Axes]]:
    """Lay out rows of panels; all panels of a row have the same height and fill the width."""
    heights = [(WIDTH - GAP * (len(row) + 1)) / sum(row) for row in aspects]
    height = top_inches + sum(heights) + len(aspects) * (title_inches + GAP) + GAP
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = []
    bottom = height - top_inches
    for row, row_height in zip(aspects, heights, strict=True):
        bottom -= title_inches + row_height + GAP
        left = GAP
        for aspect in row:
            width = row_height * aspect
            axes.append(figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, row_height / height)))
            left += width + GAP
    return figure, axes


def _show(axes: Axes, image: NDArray[np.uint8], title: str) -> None:
    axes.imshow(image, interpolation="bilinear", aspect="auto")
    axes.set_axis_off()
    axes.set_title(title, fontsize=8.5, pad=4, parse_math=False)


def _describe(axes: Axes, scene: Scene) -> None:
    """Name the objects beside the main one."""
    beside = ", ".join(item.name for item in scene.objects[1:])
    if beside:
        axes.text(
            0.03, 0.03, f"+ {beside}", transform=axes.transAxes, fontsize=6.5, color=ON_IMAGE,
            bbox={"facecolor": "black", "alpha": 0.45, "pad": 1.5, "linewidth": 0},
        )  # fmt: skip


def _outline(axes: Axes, sample: Sample) -> None:
    for left, top, right, bottom in sample.boxes.values():
        axes.add_patch(
            Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=ON_IMAGE, linewidth=0.8)
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw and export a contact sheet."""
    parser = argparse.ArgumentParser(
        prog="python -m gradcam_widgets.samples.training.contact_sheet", description=__doc__
    )
    parser.add_argument("out", type=Path, metavar="OUT.jpg")
    parser.add_argument("--walkthroughs", choices=SOURCES, metavar="SOURCE", help=f"one of {', '.join(SOURCES)}")
    options = parser.parse_args(arguments)
    export_figure(walkthrough_sheet(options.walkthroughs) if options.walkthroughs else scene_sheet(), options.out)


if __name__ == "__main__":
    main()
