"""What is sent to the browser: images, maps, classes and color maps packed as its modules read them."""

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

MAX_SIDE = 768  # what the browser repaints at 60 Hz
MAX_MAPS = 2


def pack_image(heatmaps: Sequence[Heatmap], window: Box | None = None) -> dict[str, Any]:
    """Encode the image that maps lie over: JPEG bytes, its own size, and which part of the whole it shows.

    Raises:
        GradCAMError: If there is no map, or more than two.
        ImageError: If a map came without its image.
    """
    if not 1 <= len(heatmaps) <= MAX_MAPS:
        raise GradCAMError(f"A view shows one map or compares two, not {len(heatmaps)}: choose among them.")
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
    """Put maps into one trait, numbered so that a late one can be told."""
    return {"seq": sequence_number, "items": [pack_map(heatmap) for heatmap in heatmaps]}


def pack_map(heatmap: Heatmap) -> dict[str, Any]:
    """Put a map into what the browser reads: its float32 values, its grid, and what is said of it."""
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
    """Put a class's scores into what the browser reads, with its probability before the image was changed, if any."""
    return {
        "class_index": scored.class_index,
        "name": scored.class_name or f"class {scored.class_index}",
        "probability": scored.probability,
        "logit": scored.logit,
        "before": before,
    }


def table_bytes(colormap: str) -> bytes:
    """Return a color map's 256 colors as bytes R, G, B."""
    return color_table(colormap).tobytes()
