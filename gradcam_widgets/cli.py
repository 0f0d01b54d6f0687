"""The command `gradcam-widgets`: explain a picture, list layers, fill the cache, export a page, open the notebooks."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from . import __version__, launch
from .classifiers import SQUEEZENET_675KB, load_classifier, skeleton
from .downloads import REGISTRY, fetch, is_cached
from .errors import GradCAMError, PictureError
from .images import read_picture
from .layers import last_of_each_grid, main_layers
from .methods import METHODS
from .overlay import Evidence
from .paths import is_file, legible
from .preprocessing import Geometry
from .samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from .classifiers import Classifier
    from .heatmap import Heatmap
    from .layers import Layer
    from .trace import Prediction

SAMPLE = "sample:"
DEFAULT_CLASSES, CLASSES_ON_A_PAGE = 2, 6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: As on the command line; by default those.

    Returns:
        0, or 2 after bad input, which is told in one sentence on stderr; for `lab` and `demo` what the server returns.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console that knows no × shows ? for it
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _tell  # type: ignore[assignment]  # its file and line are left out
        try:
            result = options.run(options) or 0
            sys.stdout.flush()
        except GradCAMError as error:
            print(f"gradcam-widgets: {error}", file=sys.stderr)
            return 2
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return int(result)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gradcam-widgets", description="See where a convolutional network looked.")
    parser.add_argument("--version", action="version", version=f"gradcam-widgets {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    explain = commands.add_parser("explain", help="show which regions of a picture spoke for a class")
    _add_question(explain)
    explain.add_argument("--layer", metavar="NAME", help="target layer; `gradcam-widgets layers MODEL` lists them")
    explain.add_argument("-o", "--output", metavar="OUT.png", type=Path, help="figure (default: PICTURE_gradcam.png)")
    explain.add_argument("--json", action="store_true", help="print everything, the raw maps too, as JSON")
    explain.set_defaults(run=_explain)

    export = commands.add_parser("export", help="write a page with the picture view that works without a kernel")
    _add_question(export)
    export.add_argument(
        "--layer",
        dest="layers",
        metavar="NAME",
        nargs="+",
        action="extend",
        help="layers to choose from (default: the last of each grid)",
    )
    export.add_argument("-o", "--output", metavar="OUT.html", type=Path, help="page (default: PICTURE_gradcam.html)")
    export.set_defaults(run=_export)

    lab = commands.add_parser("lab", help="open JupyterLab on the tutorials")
    lab.add_argument("notebook", metavar="NOTEBOOK", nargs="?", help="a notebook, or a tutorial's name such as 01")
    lab.set_defaults(run=_lab)

    demo = commands.add_parser("demo", help="open the panel alone, in Voila")
    demo.set_defaults(run=lambda options: launch.demo(options.options))
    for launcher, name in ((lab, "JupyterLab"), (demo, "Voila")):
        launcher.add_argument("options", metavar="-- OPTION", nargs="*", help=f"handed on to {name}")

    layers = commands.add_parser("layers", help="list the layers of a network that can carry a map")
    layers.add_argument("model", metavar="MODEL", help="any torchvision classifier; its weights are not needed")
    layers.add_argument("--all", action="store_true", help="list every layer, not only blocks")
    layers.set_defaults(run=_layers)

    fill = commands.add_parser("fetch", help="download the 675 KB network and the photographs into the cache")
    fill.set_defaults(run=_fetch)
    return parser


def _add_question(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "picture", metavar="PICTURE", help=f"a picture file, or {SAMPLE}NAME with one of {', '.join(SAMPLES)}"
    )
    command.add_argument(
        "--model",
        metavar="NAME",
        help=f"any torchvision classifier (default: {SQUEEZENET_675KB}, or what goes with the sample)",
    )
    command.add_argument(
        "--class",
        dest="classes",
        metavar="NAME",
        nargs="+",
        action="extend",
        help="index, name or part of a name, one or several (default: the top ones)",
    )
    command.add_argument("--method", metavar="NAME", default="grad-cam", help=f"one of {', '.join(METHODS)}")
    command.add_argument("--evidence", choices=get_args(Evidence), default="for", help="which side to draw")
    command.add_argument(
        "--geometry",
        choices=get_args(Geometry),
        default="squash",
        help="show the whole picture, or crop the middle",
    )
    command.add_argument("--colormap", metavar="NAME", help="any of matplotlib's, such as jet")


def _explain(options: argparse.Namespace) -> None:
    question = _question(options)
    output = _output(options, question, ".png")
    classifier = question.classifier()
    trace = classifier.trace(question.picture, options.layer)
    predictions = trace.predictions(5)
    classes = options.classes or [prediction.class_index for prediction in predictions[:DEFAULT_CLASSES]]
    heatmaps = trace.compare(classes, method=options.method)
    _save(heatmaps, output, options)
    if options.json:
        report = {
            "picture": question.name,
            "network": classifier.name,
            "predictions": [prediction._asdict() for prediction in predictions],
            "maps": [_as_json(heatmap) for heatmap in heatmaps],
            "figure": legible(output),
        }
        print(json.dumps(report, indent=1))  # ASCII, which is the same on every console
        return
    print(f"{question.name}, seen by {classifier.name}")
    print(_table(predictions))
    for heatmap in heatmaps:
        print(heatmap.digest())
        for remark in heatmap.remarks:
            print(f"  {remark}")
    print(f"figure: {legible(output)}")


def _export(options: argparse.Namespace) -> None:
    from .view.page import write_page  # noqa: PLC0415 - only who exports reads the page's script
    from .view.traits import DEFAULT_LOOK  # noqa: PLC0415

    question = _question(options)
    output = _output(options, question, ".html")
    classifier = question.classifier()
    layers = options.layers or [layer.name for layer in last_of_each_grid(classifier.layers(question.picture))]
    trace = classifier.trace(question.picture, layers)
    heatmaps = trace.compare(
        options.classes or [p.class_index for p in trace.predictions(CLASSES_ON_A_PAGE)], method=options.method
    )
    look = DEFAULT_LOOK | {"evidence": options.evidence, "colormap": options.colormap or ""}
    write_page(
        output,
        heatmaps,
        look,
        layer=trace.layers[-1].name,
        title=f"{question.name}: where the network looked",
    )
    print(f"page: {legible(output)} ({output.stat().st_size / 1000:.0f} kB)")


class _Question(NamedTuple):
    picture: NDArray[np.uint8]
    name: str
    stem: str
    file: Path | None
    classifier: Callable[[], Classifier]


def _question(options: argparse.Namespace) -> _Question:
    """Read the picture, and find the network that is to be asked."""
    if not options.picture.startswith(SAMPLE):
        file = Path(options.picture)
        name = options.model or SQUEEZENET_675KB
        return _Question(
            read_picture(options.picture),
            legible(file.name),
            file.stem,
            file,
            lambda: load_classifier(name, geometry=options.geometry),
        )
    stem = options.picture.removeprefix(SAMPLE)
    if stem not in SAMPLES:
        raise PictureError(f"There is no sample {stem!r}: choose one of {', '.join(SAMPLES)}.")
    with contextlib.redirect_stdout(sys.stderr):  # what is said of the world is not part of the answer
        sample = SAMPLES[stem]()
    own = sample.classifier if options.model is None else None
    return _Question(
        sample.picture,
        f"{stem} ({sample.world} world)",
        stem,
        None,
        lambda: own or load_classifier(options.model, geometry=options.geometry),
    )


def _output(options: argparse.Namespace, question: _Question, ending: str) -> Path:
    output: Path = options.output or Path(f"{question.stem}_gradcam{ending}")
    if question.file is not None and is_file(output) and output.samefile(question.file):
        raise PictureError(f"'{output}' is the picture itself: give another name.")
    return output


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


def _lab(options: argparse.Namespace) -> int:
    given = [options.notebook, *options.options] if options.notebook else options.options
    is_named = bool(given) and not given[0].startswith("-")  # behind `--` an option may stand in the notebook's place
    return launch.lab(given[0] if is_named else None, given[1:] if is_named else given)


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
        print(f"{state:8} {download.size / 1000:7.0f} kB  {legible(fetch(name))}  ({download.terms})")


def _tell(message: Warning | str, *_: object) -> None:
    print(f"gradcam-widgets: {message}", file=sys.stderr)
