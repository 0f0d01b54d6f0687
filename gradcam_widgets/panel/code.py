"""The Python lines that make what the panel shows, without the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.heatmaps.display import DisplayOptions
    from gradcam_widgets.heatmaps.heatmap import Heatmap
    from gradcam_widgets.images.edits import Edit


def code(
    image: str, classifier: str, edits: Sequence[Edit], heatmaps: Sequence[Heatmap], display: DisplayOptions
) -> str:
    """Write the lines: image and model, what was done to the image, the questions, the figure.

    Args:
        image: Lines that define `image`.
        classifier: Lines that define `classifier`.
        edits: What was done to the image.
        heatmaps: What is shown.
        display: How it is shown.
    """
    lines = [*image.split("\n"), *classifier.split("\n")]
    imports = sorted({line for line in lines if line.startswith("from ")} | _imports(edits))
    body = [line for line in lines if line and not line.startswith("from ")]
    if edits:
        shown = ", ".join(f"Edit({edit.kind!r}, Box{tuple(edit.box)})" for edit in edits)
        body.append(f"image, _ = edited(image, [{shown}])")
    layers = list(dict.fromkeys(heatmap.layer for heatmap in heatmaps))
    body.append(f"trace = classifier.trace(image, {layers!r})")
    asked = "\n".join(
        f"    trace.heatmap({heatmap.class_index}, {heatmap.layer!r}, method={heatmap.method!r}),  # {_name(heatmap)}"
        for heatmap in heatmaps
    )
    body.append(f"heatmaps = [\n{asked}\n]")
    arguments = "".join(f", {name}={value!r}" for name, value in display.changed().items())
    body.append(f"comparison_figure(heatmaps{arguments})")
    return "\n".join([*imports, "", *body]) + "\n"


def _imports(edits: Sequence[Edit]) -> set[str]:
    lines = {"from gradcam_widgets import comparison_figure"}
    return lines | {"from gradcam_widgets.images import Box, Edit, edited"} if edits else lines


def _name(heatmap: Heatmap) -> str:
    """Name the class in one line, whatever its name holds."""
    return " ".join(heatmap.title.split())
