"""Argument parser of the command; imports neither torch nor matplotlib, so that --help is fast."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from gradcam_widgets import __version__
from gradcam_widgets.attribution.methods import METHODS
from gradcam_widgets.classifiers.provider import DEFAULT_NAME
from gradcam_widgets.heatmaps.display import Evidence
from gradcam_widgets.images.fitting import ResizeMode
from gradcam_widgets.samples.source import SAMPLE_NAMES

SAMPLE = "sample:"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; the parsed `module` names the module of this package whose `run` to call."""
    parser = argparse.ArgumentParser(prog="gradcam-widgets", description="See where a convolutional network looked.")
    parser.add_argument("--version", action="version", version=f"gradcam-widgets {__version__}")
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")

    explain = commands.add_parser("explain", help="show which regions of an image support a class")
    _add_question(explain)
    explain.add_argument("--layer", metavar="NAME", help="target layer; `gradcam-widgets layers MODEL` lists them")
    explain.add_argument("-o", "--output", metavar="OUT.png", type=Path, help="figure (default: IMAGE_gradcam.png)")
    explain.add_argument("--json", action="store_true", help="print a JSON report that includes the raw maps")
    explain.set_defaults(module="explain")

    export = commands.add_parser("export", help="write an HTML page with the image view that works without a kernel")
    _add_question(export)
    export.add_argument(
        "--layer",
        dest="layers",
        metavar="NAME",
        nargs="+",
        action="extend",
        help="layers to choose from (default: the last of each grid)",
    )
    export.add_argument("-o", "--output", metavar="OUT.html", type=Path, help="page (default: IMAGE_gradcam.html)")
    export.set_defaults(module="export")

    lab = commands.add_parser("lab", help="open JupyterLab on the tutorials")
    lab.add_argument(
        "notebook", metavar="NOTEBOOK", nargs="?", help="path of a notebook, or a tutorial's name such as 01"
    )
    lab.set_defaults(module="jupyter")

    demo = commands.add_parser("demo", help="open the panel alone, in Voila")
    demo.set_defaults(module="jupyter")
    for launcher, name in ((lab, "JupyterLab"), (demo, "Voila")):
        launcher.add_argument("options", metavar="-- OPTION", nargs="*", help=f"passed on to {name}")

    layers = commands.add_parser("layers", help="list the layers of a model that can carry a map")
    layers.add_argument("model", metavar="MODEL", help="any torchvision classifier; weights are not needed")
    layers.add_argument("--all", action="store_true", help="list every layer, not only blocks")
    layers.set_defaults(module="layers")

    fetch = commands.add_parser("fetch", help="download the 675 KB model and the photographs into the cache")
    fetch.set_defaults(module="fetch")
    return parser


def _add_question(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "image", metavar="IMAGE", help=f"an image file, or {SAMPLE}NAME with one of {', '.join(SAMPLE_NAMES)}"
    )
    command.add_argument(
        "--model",
        metavar="NAME",
        help=f"any torchvision classifier (default: {DEFAULT_NAME}, or the sample's own)",
    )
    command.add_argument(
        "--target",
        dest="targets",
        metavar="NAME",
        nargs="+",
        action="extend",
        help="one or more classes by index, name or part of a name (default: the top ones)",
    )
    command.add_argument("--method", metavar="NAME", default="grad-cam", help=f"one of {', '.join(METHODS)}")
    command.add_argument("--evidence", choices=get_args(Evidence), default="for", help="which sign of evidence to draw")
    command.add_argument(
        "--resize-mode",
        choices=get_args(ResizeMode),
        default="squash",
        help="squash the whole image, or crop its center",
    )
    command.add_argument("--colormap", metavar="NAME", help="any matplotlib colormap, such as jet")
