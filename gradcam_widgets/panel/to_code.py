"""Python code that reproduces the panel's figure without the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.heatmaps.display import DisplayOptions
    from gradcam_widgets.heatmaps.heatmap import Heatmap
    from gradcam_widgets.images.edits import Edit


def to_code(
    image: str, classifier: str, edits: Sequence[Edit], heatmaps: Sequence[Heatmap], display: DisplayOptions
) -> str:
    """Return a script: image, classifier, edits, heatmaps and figure.

    Args:
        image: Lines that define `image`.
        classifier: Lines that define `classifier`.
        edits: Edits applied to the image.
        heatmaps: The maps to reproduce.
        display: Display options of the figure.
    """
    lines = [*image.split("\n"), *classifier.split("\n")]
    imports = sorted({line for line in lines if line.startswith("from ")} | _imports(edits))
    body = [line for line in lines if line and not line.startswith("from ")]
    if edits:
        edit_calls = ", ".join(f"Edit({edit.kind!r}, Box{tuple(edit.box)})" for edit in edits)
        body.append(f"image, _ = edited(image, [{edit_calls}])")
    layers = list(dict.fromkeys(heatmap.layer for heatmap in heatmaps))
    body.append(f"trace = classifier.trace(image, {layers!r})")
    heatmap_calls = "\n".join(
        f"    trace.heatmap({heatmap.class_index}, {heatmap.layer!r}, method={heatmap.method!r}),"
        f"  # {_comment(heatmap)}"
        for heatmap in heatmaps
    )
    body.append(f"heatmaps = [\n{heatmap_calls}\n]")
    arguments = "".join(f", {name}={value!r}" for name, value in display.changed().items())
    body.append(f"comparison_figure(heatmaps{arguments})")
    return "\n".join([*imports, "", *body]) + "\n"


def _imports(edits: Sequence[Edit]) -> set[str]:
    lines = {"from gradcam_widgets import comparison_figure"}
    return lines | {"from gradcam_widgets.images import Box, Edit, edited"} if edits else lines


def _comment(heatmap: Heatmap) -> str:
    """Return the map's title on one line; a class name may contain line breaks."""
    return " ".join(heatmap.title.split())
