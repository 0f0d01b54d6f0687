"""Packing of images, maps, classes and color tables for the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from gradcam_widgets.errors import GradCAMError, ImageError
from gradcam_widgets.heatmaps import captions
from gradcam_widgets.heatmaps.display import Evidence
from gradcam_widgets.heatmaps.rendering import color_table
from gradcam_widgets.images.encoding import encode_jpeg, shrink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.attribution.trace import Prediction
    from gradcam_widgets.heatmaps.heatmap import Heatmap
    from gradcam_widgets.images.box import Box

MAX_SIDE = 768  # largest side that browsers repaint at 60 Hz
MAX_MAPS = 2


def pack_image(heatmaps: Sequence[Heatmap], window: Box | None = None) -> dict[str, Any]:
    """Pack the image of maps: JPEG bytes, size in pixels, and window in the original image.

    Raises:
        GradCAMError: If there are not one or two maps.
        ImageError: If a map has no image.
    """
    if not 1 <= len(heatmaps) <= MAX_MAPS:
        raise GradCAMError(f"heatmaps must hold one or two maps, got {len(heatmaps)}.")
    if any(heatmap.image is None for heatmap in heatmaps):
        raise ImageError("Cannot show a heatmap without an image: add one with heatmap.with_image(image).")
    image = heatmaps[0].image
    assert image is not None  # noqa: S101 - for the type checker
    rows, columns = image.shape[:2]
    return {
        "jpeg": encode_jpeg(shrink(image, MAX_SIDE)),
        "size": [rows, columns],
        "window": list(window or (0, 0, columns, rows)),
    }


def pack_maps(heatmaps: Sequence[Heatmap], sequence_number: int) -> dict[str, Any]:
    """Pack maps into one trait, numbered so that outdated ones can be recognized."""
    return {"seq": sequence_number, "items": [pack_map(heatmap) for heatmap in heatmaps]}


def pack_map(heatmap: Heatmap) -> dict[str, Any]:
    """Pack a map: float32 values, grid and texts."""
    return {
        "values": heatmap.values.tobytes(),
        "grid": list(heatmap.grid),
        "title": heatmap.title,
        "layer": heatmap.layer,
        "method": heatmap.method,
        "caption": f"{captions.score(heatmap)}; {captions.origin(heatmap)}.",
        "note": captions.resolution(heatmap),
        "alt": {side: heatmap.description(side) for side in get_args(Evidence)},
        "caveats": list(heatmap.caveats),
    }


def pack_class(scored: Prediction | Heatmap, before: float | None = None) -> dict[str, Any]:
    """Pack a class's scores, with its probability `before` the image was edited."""
    return {
        "class_index": scored.class_index,
        "name": scored.class_name or f"class {scored.class_index}",
        "probability": scored.probability,
        "logit": scored.logit,
        "before": before,
    }


def table_bytes(colormap: str) -> bytes:
    """Return the 256 colors of a color map as RGB bytes."""
    return color_table(colormap).tobytes()
