"""The command `gradcam-widgets`: explain a picture, list layers, fill the cache."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from . import __version__
from .classifiers import SQUEEZENET_675KB, load_classifier, skeleton
from .downloads import PHOTOS, REGISTRY, fetch, is_cached
from .errors import GradCAMError, PictureError
from .images import read_picture
from .layers import main_layers
from .methods import METHODS
from .overlay import Evidence
from .preprocessing import Geometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .heatmap import Heatmap
    from .layers import Layer
    from .trace import Prediction

SAMPLE = "sample:"
DEFAULT_CLASSES = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: As on the command line; by default those.

    Returns:
        0, or 2 after bad input, which is told in one sentence on stderr.
    """
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console that knows no × shows ? for it
    with warnings.catch_warnings():
        warnings.showwarning = _tell  # type: ignore[assignment]  # its file and line are left out
        try:
            options.run(options)
            sys.stdout.flush()
        except GradCAMError as error:
            print(f"gradcam-widgets: {error}", file=sys.stderr)
            return 2
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gradcam-widgets", description="See where a convolutional network looked.")
    parser.add_argument("--version", action="version", version=f"gradcam-widgets {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    explain = commands.add_parser("explain", help="show which regions of a picture spoke for a class")
    explain.add_argument(
        "picture", metavar="PICTURE", help=f"a picture file, or {SAMPLE}NAME with one of {', '.join(PHOTOS)}"
    )
    explain.add_argument(
        "--model",
        metavar="NAME",
        default=SQUEEZENET_675KB,
        help="any torchvision classifier (default: %(default)s)",
    )
    explain.add_argument(
        "--class",
        dest="classes",
        metavar="NAME",
        nargs="+",
        action="extend",
        help=f"index, name or part of a name, one or several (default: the top {DEFAULT_CLASSES})",
    )
    explain.add_argument("--layer", metavar="NAME", help="target layer; `gradcam-widgets layers MODEL` lists them")
    explain.add_argument("--method", metavar="NAME", default="grad-cam", help=f"one of {', '.join(METHODS)}")
    explain.add_argument("--evidence", choices=get_args(Evidence), default="for", help="which side to draw")
    explain.add_argument(
        "--geometry",
        choices=get_args(Geometry),
        default="squash",
        help="show the whole picture, or crop the middle",
    )
    explain.add_argument("--colormap", metavar="NAME", help="any of matplotlib's, such as jet")
    explain.add_argument("-o", "--output", metavar="OUT.png", type=Path, help="figure (default: PICTURE_gradcam.png)")
    explain.add_argument("--json", action="store_true", help="print everything, the raw maps too, as JSON")
    explain.set_defaults(run=_explain)

    layers = commands.add_parser("layers", help="list the layers of a network that can carry a map")
    layers.add_argument("model", metavar="MODEL", help="any torchvision classifier; its weights are not needed")
    layers.add_argument("--all", action="store_true", help="list every layer, not only blocks")
    layers.set_defaults(run=_layers)

    fill = commands.add_parser("fetch", help="download the 675 KB network and the photographs into the cache")
    fill.set_defaults(run=_fetch)
    return parser


def _explain(options: argparse.Namespace) -> None:
    source, stem = _picture(options.picture)
    picture = read_picture(source)
    output = options.output or Path(f"{stem}_gradcam.png")
    if output.exists() and output.samefile(source):
        raise PictureError(f"'{output}' is the picture itself: give another name for the figure.")
    classifier = load_classifier(options.model, geometry=options.geometry)
    trace = classifier.trace(picture, options.layer)
    predictions = trace.predictions(5)
    classes = options.classes or [prediction.class_index for prediction in predictions[:DEFAULT_CLASSES]]
    heatmaps = trace.compare(classes, method=options.method)
    _save(heatmaps, output, options)
    if options.json:
        report = {
            "picture": str(source),
            "network": classifier.name,
            "predictions": [prediction._asdict() for prediction in predictions],
            "maps": [_as_json(heatmap) for heatmap in heatmaps],
            "figure": str(output),
        }
        print(json.dumps(report, indent=1, ensure_ascii=False))
        return
    print(f"{Path(source).name}, seen by {classifier.name}")
    print(_table(predictions))
    for heatmap in heatmaps:
        print(heatmap.digest())
        for remark in heatmap.remarks:
            print(f"  {remark}")
    print(f"figure: {output}")


def _picture(given: str) -> tuple[Path | str, str]:
    if not given.startswith(SAMPLE):
        return given, Path(given).stem
    name = given.removeprefix(SAMPLE)
    if name not in PHOTOS:
        raise PictureError(f"There is no sample {name!r}: choose one of {', '.join(PHOTOS)}.")
    return fetch(PHOTOS[name]), name


def _save(heatmaps: Sequence[Heatmap], output: Path, options: argparse.Namespace) -> None:
    from .figures import comparison_figure, save_figure, single_figure  # noqa: PLC0415 - after the input was checked

    look = {"evidence": options.evidence, "colormap": options.colormap}
    figure = single_figure(heatmaps[0], **look) if len(heatmaps) == 1 else comparison_figure(heatmaps, **look)
    save_figure(figure, output)


def _table(predictions: Sequence[Prediction]) -> str:
    rows = [f"  {p.probability:11.3f} {p.logit:8.2f}  {p.category} ({p.class_index})" for p in predictions]
    return "\n".join(["  probability    logit  category", *rows])


def _as_json(heatmap: Heatmap) -> dict[str, Any]:
    box = heatmap.box()
    return {
        "class_index": heatmap.class_index,
        "category": heatmap.category,
        "logit": heatmap.logit,
        "probability": heatmap.probability,
        "layer": heatmap.layer,
        "method": heatmap.method,
        "grid": heatmap.grid,
        "peak": heatmap.peak(),
        "centroid": heatmap.centroid(),
        "share_for": heatmap.share_for() if heatmap.values.any() else None,
        "box": box._asdict() if box else None,
        "digest": heatmap.digest(),
        "remarks": heatmap.remarks,
        "values": heatmap.values.tolist(),
    }


def _layers(options: argparse.Namespace) -> None:
    layers, size = skeleton(options.model)
    shown = layers if options.all else main_layers(layers)
    hidden = f", {len(shown)} shown: --all for every one" if len(shown) < len(layers) else ""
    print(f"{options.model}, input {size[0]}×{size[1]}: {len(layers)} layers can carry a map{hidden}")
    width = max(len(layer.name) for layer in shown)
    print(f"    {'layer':{width}}  {'grid':>9}  {'output':>14}  kind")
    for layer in shown:
        print(_layer_line(layer, width))


def _layer_line(layer: Layer, width: int) -> str:
    grid, shape = "×".join(map(str, layer.grid)), "×".join(map(str, layer.shape))
    line = f"  {'*' if layer.default else ' '} {layer.name:{width}}  {grid:>9}  {shape:>14}  {layer.kind}"
    return f"{line}  <- default: {layer.why}" if layer.default else line


def _fetch(_options: argparse.Namespace) -> None:
    for name, download in REGISTRY.items():
        state = "cached" if is_cached(name) else "fetched"
        print(f"{state:8} {download.size / 1000:7.0f} kB  {fetch(name)}  ({download.terms})")


def _tell(message: Warning | str, *_: object) -> None:
    print(f"gradcam-widgets: {message}", file=sys.stderr)
