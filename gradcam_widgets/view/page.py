"""One page with the view that works from a file: no kernel, no model."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from dataclasses import asdict
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
    from collections.abc import Sequence
    from pathlib import Path

    from gradcam_widgets.heatmaps.heatmap import Heatmap

MAX_STEP = np.iinfo(np.int16).max
SCRIPT, STYLE = lean(page_script()), lean(styles("view.css", "page.css"))
EXPLANATION = (
    "Where the evidence of a convolutional network came from, not why: choose a layer and a class, point at the "
    "image for a cell's value, drag to mark a part. This page works without a network connection."
)


def export_page(
    path: Path,
    heatmaps: Sequence[Heatmap],
    display: DisplayOptions | None = None,
    *,
    layer: str | None = None,
    guessing: bool = False,
    title: str = "Where the model looked",
) -> Path:
    """Write the page.

    Args:
        path: Where to.
        heatmaps: Maps of one image, for every class at every layer that the page is to offer; the first class is
            shown first.
        display: How maps are shown at first.
        layer: The layer that is shown first.
        guessing: Whether the page asks for a guess before it shows a map.
        title: The page's title.

    Returns:
        The path.

    Raises:
        GradCAMError: If there is no map.
        ImageError: If a map came without its image, or the file cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise ExportError(f"A page cannot be saved as '{path}': end its name on .html.")
    if not heatmaps:
        raise GradCAMError("A page needs at least one map, and none was given: name a class and a layer.")
    text = page(heatmaps, display or DisplayOptions(), layer or heatmaps[0].layer, title, guessing=guessing)
    with writing(path):
        path.write_bytes(text.encode("utf-8", "replace"))  # the same bytes on every system, whatever a title holds
    return path


def page(
    heatmaps: Sequence[Heatmap], display: DisplayOptions, layer: str, title: str, *, guessing: bool = False
) -> str:
    """Return the page's text; its policy lets its own script and style run, and nothing else."""
    first = heatmaps[0]
    asked = {heatmap.class_index: heatmap for heatmap in heatmaps}
    colormaps = dict.fromkeys([*COLORMAPS, *([display.colormap] if display.colormap else [])])
    data = {
        "image": _in_base64(pack_image([first]), "jpeg"),
        "maps": [_pack(heatmap) for heatmap in heatmaps],
        "notes": {heatmap.layer: captions.resolution(heatmap) for heatmap in heatmaps},
        "classes": [pack_class(heatmap) for heatmap in asked.values()],
        "tables": {name: _base64(table_bytes(name)) for name in colormaps},
        "display": asdict(display),
        "guessing": guessing,
        "layer": layer,
        "target": first.class_index,
    }
    policy = f"default-src 'none'; script-src {_hash(SCRIPT)}; style-src {_hash(STYLE)}; base-uri 'none'"
    name = html.escape(title)
    # "<" cannot stand in the data, so that no name can end the element that holds them.
    facts = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}; form-action \'none\'">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{name}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<main class="gcw-view gcw-page"><h1>{name}</h1>\n<p>{html.escape(EXPLANATION)}</p>\n'
        '<div id="view"></div>\n<noscript>This page draws its maps with JavaScript: allow it here.</noscript>\n'
        f'</main>\n<script type="application/json" id="data">{facts}</script>\n'
        f'<script type="module">{SCRIPT}</script>\n</body>\n</html>\n'
    )


def _pack(heatmap: Heatmap) -> dict[str, Any]:
    """Pack a map with 16 bits a value: 0 stays 0, and the error is at most 1/65534 of the largest value."""
    step = heatmap.vmax("both") / MAX_STEP or 1.0
    values = np.rint(heatmap.values.astype(np.float64) / step).astype("<i2")
    packed = pack_map(heatmap) | {"values": values.tobytes(), "step": step, "class_index": heatmap.class_index}
    del packed["note"]  # one for each layer is enough
    return _in_base64(packed, "values")


def _in_base64(packed: dict[str, Any], name: str) -> dict[str, Any]:
    return packed | {name: _base64(packed[name])}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
