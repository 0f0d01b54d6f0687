"""Export of the view as one HTML file that needs no kernel and no model."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcam_widgets._paths import writing
from gradcam_widgets.errors import ExportError, GradCAMError
from gradcam_widgets.heatmaps import captions
from gradcam_widgets.heatmaps.display import DisplayOptions

from .modules import lean, page_script, styles
from .traits import COLORMAPS
from .wire import pack_class, pack_image, pack_map, table_bytes

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from gradcam_widgets.heatmaps.heatmap import Heatmap

MAX_STEP = np.iinfo(np.int16).max
SCRIPT, STYLE = lean(page_script()), lean(styles("view.css", "page.css"))
EXPLANATION = (
    "Where the evidence of a convolutional network came from, not why: choose a layer and a class, point at the "
    "image for a cell's value, drag to mark a part. This page works without a network connection."
)


def export_page(
    path: str | os.PathLike[str],
    heatmaps: Sequence[Heatmap],
    display: DisplayOptions | None = None,
    *,
    layer: str | None = None,
    guessing: bool = False,
    title: str = "Where the model looked",
) -> Path:
    """Export maps as an interactive HTML page.

    Args:
        path: The file to write, ending in .html or .htm.
        heatmaps: Maps of one image, one for every combination of class and layer; the page opens with the first class.
        display: Initial display options.
        layer: Initial layer.
        guessing: Whether the map is hidden until a guess is drawn.
        title: Title of the page.

    Returns:
        The path.

    Raises:
        GradCAMError: If there is no map.
        ImageError: If a map has no image.
        ExportError: If the extension is unsupported or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ExportError(f"Cannot export the page as '{path}': unsupported extension; use .html.")
    if not heatmaps:
        raise GradCAMError("heatmaps must hold at least one map, got none; pass at least one class and one layer.")
    text = page(heatmaps, display or DisplayOptions(), layer or heatmaps[0].layer, title, guessing=guessing)
    with writing(path):
        path.write_bytes(text.encode("utf-8", "replace"))  # bytes, so that line ends are the same on every system
    return path


def page(
    heatmaps: Sequence[Heatmap], display: DisplayOptions, layer: str, title: str, *, guessing: bool = False
) -> str:
    """Return the page's HTML; its content security policy allows only its own script and style."""
    first = heatmaps[0]
    classes = {heatmap.class_index: heatmap for heatmap in heatmaps}
    colormaps = dict.fromkeys([*COLORMAPS, *([display.colormap] if display.colormap else [])])
    data = {
        "image": _in_base64(pack_image([first]), "jpeg"),
        "maps": [_pack(heatmap) for heatmap in heatmaps],
        "notes": {heatmap.layer: captions.resolution(heatmap) for heatmap in heatmaps},
        "classes": [pack_class(heatmap) for heatmap in classes.values()],
        "tables": {name: _base64(table_bytes(name)) for name in colormaps},
        "display": asdict(display),
        "guessing": guessing,
        "layer": layer,
        "target": first.class_index,
    }
    policy = f"default-src 'none'; script-src {_hash(SCRIPT)}; style-src {_hash(STYLE)}; base-uri 'none'"
    escaped_title = html.escape(title)
    # Escape "<", so that no name in the data can close the script element.
    json_data = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}; form-action \'none\'">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escaped_title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<main class="gcw-view gcw-page"><h1>{escaped_title}</h1>\n<p>{html.escape(EXPLANATION)}</p>\n'
        '<div id="view"></div>\n<noscript>This page draws its maps with JavaScript; please enable it.</noscript>\n'
        f'</main>\n<script type="application/json" id="data">{json_data}</script>\n'
        f'<script type="module">{SCRIPT}</script>\n</body>\n</html>\n'
    )


def _pack(heatmap: Heatmap) -> dict[str, Any]:
    """Pack a map as int16: 0 stays 0, and the error is at most 1/65534 of the largest absolute value."""
    step = heatmap.vmax("both") / MAX_STEP or 1.0
    values = np.rint(heatmap.values.astype(np.float64) / step).astype("<i2")
    packed = pack_map(heatmap) | {"values": values.tobytes(), "step": step, "class_index": heatmap.class_index}
    del packed["note"]  # sent once per layer instead
    return _in_base64(packed, "values")


def _in_base64(packed: dict[str, Any], name: str) -> dict[str, Any]:
    return packed | {name: _base64(packed[name])}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
