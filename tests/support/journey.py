"""One ordinary journey through the package; `test_systems.py` sends it through many surroundings and compares.

It runs in a process and an empty folder of its own, and writes there what it saw: `journey.json` is plain ASCII, so
that the report itself asks nothing of its surroundings.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import importlib
import io
import json
import locale
import os
import stat
import sys
import tempfile
import threading
import warnings
from contextlib import redirect_stdout, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

OTHERS = ("torch", "torchvision", "cv2", "PIL.Image", "matplotlib.figure", "pooch", "anywidget", "ipywidgets")
MODEL = "squeezenet1_1"
COMMANDS = [[], ["explain"], ["export"], ["lab"], ["demo"], ["layers"], ["fetch"]]


def main() -> None:
    """Play what the options name, go, and write the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--read-only", nargs="+", default=[], help="folders where nothing can be written")
    parser.add_argument("--closed", nargs="+", default=[], help="folders that may not even be entered")
    parser.add_argument("--other-device", help="a folder that files cannot be renamed out of")
    for switch in ("strict", "local", "no-home", "own-fonts", "windows-line-ends"):
        parser.add_argument(f"--{switch}", action="store_true")
    options = parser.parse_args()
    for name in OTHERS:  # what they warn of while they load is theirs
        importlib.import_module(name)
    refused = guard(options.read_only, options.closed, options.other_device)
    if options.strict:
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", EncodingWarning)  # of others' files
        warnings.filterwarnings("error", category=EncodingWarning, module="gradcam_widgets")
    if options.local:
        speak_german()
    if options.no_home:
        forget_home()
    if options.own_fonts:
        keep_own_fonts()
    if options.windows_line_ends:
        write_windows_line_ends()
    report = {**journey(), "surroundings": surroundings(), "refused": refused}
    Path("journey.json").write_bytes(json.dumps(report, indent=1).encode("ascii"))


def journey() -> dict[str, Any]:
    """Go from a sample to maps, images, a page, the panel, the command and the copies of the lessons."""
    import torch

    from gradcam_widgets import __file__, read_image, samples

    torch.set_num_threads(1)
    sample = samples.submarine(source="scenes")
    first, second = sample.classifier.trace(sample.image).compare(sample.class_names)
    file = Path(file_name())
    image(first.overlay()).save(file)
    first.export("map.png")
    first.export("map.pdf")
    first.export("values.npy")
    return {
        "package": str(Path(__file__).parent),
        "sample": [repr(sample), summary(sample.image)],
        "maps": [first.summary(), second.summary(), first.caption(), first.description(), repr(first)],
        "overlay": summary(first.overlay()),
        "read again": summary(read_image(file)),
        "figure": summary(read_image("map.png")),
        "pdf": summary(Path("map.pdf").read_bytes()),
        "values": summary(Path("values.npy").read_bytes()),
        "local figure": size_as_chosen(first),
        "panel": panel(None),
        "panel of a file": panel(file),
        "commands": commands(file),
        "lessons": lessons(),
        "downloads": downloads(),
        "no such image": complaint("~/nowhere.png"),
    }


def file_name() -> str:
    """Return a name with what file names may hold: on Windows that is less."""
    name = "Übung {1} %s.png" if os.name == "nt" else "Übung\\neu: {1} 'a' \"b\" %s.png"
    return os.fsdecode(name.encode())


def panel(given: Any) -> dict[str, Any]:
    """Open a panel, and take along all that it gives."""
    from gradcam_widgets import GradCAMPanel

    opened = GradCAMPanel(given, source="scenes")
    bundle, _ = opened._repr_mimebundle_()
    page = opened.export_html("panel.html")
    names: dict[str, Any] = {}
    exec(opened.code(), names)  # noqa: S102 - that it runs is promised
    seen = {
        "repr": repr(opened),
        "text": bundle["text/plain"],
        "image": summary(bundle["image/jpeg"].encode("ascii")),
        "snapshot": [opened.snapshot().size, summary(opened.snapshot().tobytes())],
        "page": summary(page.read_bytes()),
        "script": summary(f"{opened.view._esm}{opened.view._css}".encode()),
        "summary": opened.summary(),
        "code": [heatmap.summary() for heatmap in names["heatmaps"]],
    }
    opened.close()
    return seen


def commands(image: Path) -> dict[str, Any]:
    """Give the commands, and keep what they print as this process would print it, and what they write."""
    asked = [str(image), "--model", MODEL, "--target", "fox"]
    printed = {f"help {' '.join(command)}": command_prints([*command, "--help"]) for command in COMMANDS}
    printed["explain"] = command_prints(["explain", *asked])
    printed["json"] = command_prints(["explain", *asked, "--json"])
    printed["sample"] = command_prints(["explain", "sample:submarine", "-o", "sample.pdf"])
    printed["export"] = command_prints(["export", *asked])
    printed["layers"] = command_prints(["layers", MODEL])
    written = [Path(f"{image.stem}_gradcam.png"), Path(f"{image.stem}_gradcam.html"), Path("sample.pdf")]
    return {**printed, "written": [summary(path.read_bytes()) for path in written]}


def command_prints(arguments: Sequence[str]) -> str:
    """Return a command's output, through the encoding that standard output has here."""
    from gradcam_widgets.cli import main as command

    raw = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(raw, sys.stdout.encoding, sys.stdout.errors, newline="\n")) as stream:
        try:
            status = command(arguments)
        except SystemExit as end:  # how --help ends
            status = int(end.code or 0)
        stream.flush()
    return f"{status}: {raw.getvalue().decode(sys.stdout.encoding)}"


def lessons() -> dict[str, Any]:
    """Copy the lessons as the command `lab` does."""
    from gradcam_widgets.cli import jupyter as launch

    copies = launch.copy_tutorials()
    contents = [json.loads(copy.read_bytes()) for copy in copies]
    return {
        "names": [copy.name for copy in copies],
        "contents": summary(json.dumps(contents).encode("ascii")),
        "same bytes": all(copy.read_bytes() == (launch.tutorials() / copy.name).read_bytes() for copy in copies),
        "writable": all(copy.stat().st_mode & stat.S_IWUSR for copy in copies),
    }


def downloads() -> dict[str, Any]:
    """Fetch a file from a server here, and let the samples choose their source where nothing can be downloaded."""
    from gradcam_widgets import errors
    from gradcam_widgets.classifiers import downloads
    from gradcam_widgets.samples.source import choose_source

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    Path("server").mkdir()
    Path("server/clock.bin").write_bytes(bytes(1000))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory="server"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    wanted = downloads.Download(
        "clocks/clock.bin", f"http://127.0.0.1:{server.server_port}/clock.bin", summary(bytes(1000)), 1000, "ours"
    )
    fetched, again, place = "", False, ""
    try:
        path = downloads.fetch(wanted)
        fetched, again = summary(path.read_bytes()), downloads.is_cached(wanted)
        place = path.relative_to(downloads.cache_folder()).as_posix()
    except errors.DownloadError as error:
        fetched = f"refused: {error}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with redirect_stdout(io.StringIO()) as said:
        source = choose_source("auto")
    return {"fetched": fetched, "again": again, "place": place, "auto": [source, said.getvalue()]}


def complaint(path: str) -> str:
    """Say how an image that cannot be had is refused, home folders aside."""
    from gradcam_widgets import errors, read_image

    try:
        read_image(path)
    except errors.ImageError as error:
        return type(error).__name__
    return ""


def size_as_chosen(heatmap: Any) -> list[Any]:
    """Draw as a person may have asked matplotlib to: numbers as here, in a font without many a sign."""
    import matplotlib as mpl

    from gradcam_widgets.heatmaps.figures import rendered

    with mpl.rc_context({"axes.formatter.use_locale": True, "font.family": "cmss10"}):
        figure = heatmap.figure(evidence="both")
        size = rendered(figure).size
        ticks = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
    return [size, ticks]


# What is played


def guard(read_only: Sequence[str], closed: Sequence[str], other_device: str | None) -> list[str]:
    """Refuse to write below some folders, whoever asks: permissions mean nothing to an administrator.

    Returns:
        What was refused, as it happens; Python's own compiled files are left out.
    """
    refused: list[str] = []
    frozen, shut = (tuple(os.path.realpath(folder) for folder in folders) for folders in (read_only, closed))
    changing = ("os.mkdir", "os.rmdir", "os.remove", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime")
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def below(path: Any, folders: tuple[str, ...]) -> bool:
        if not folders or not isinstance(path, (str, bytes, os.PathLike)):
            return False
        real = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - pathlib would ask the hook again
        return any(real == folder or real.startswith(folder + os.sep) for folder in folders)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename":
            source, target = arguments[:2]
            if other_device and below(source, (other_device,)) != below(target, (other_device,)):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, target)
            paths = [source, target]
        elif (event == "open" and arguments[2] & writing) or event in changing:
            paths = [arguments[0]]
        elif event in ("open", "os.listdir", "os.scandir") and below(arguments[0], shut):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), arguments[0])
        else:
            return
        for path in paths:
            if below(path, frozen + shut):
                if "__pycache__" not in os.fsdecode(path):
                    refused.append(f"{event} {os.fsdecode(path)}")
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    if frozen or shut or other_device:
        sys.addaudithook(hook)
    if shut:
        os.stat = partial(stat_unless, lambda path: below(path, shut), os.stat)
    return refused


def stat_unless(closed: Any, plain: Any, path: Any, **options: Any) -> Any:
    """Refuse to look into a folder that may not be entered."""
    if closed(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return plain(path, **options)


def speak_german() -> None:
    """Set the locale as toolkits do; where no German one is installed, at least its decimal comma."""
    try:
        locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
    except locale.Error:
        german: Any = {**locale.localeconv(), "decimal_point": ",", "thousands_sep": ".", "grouping": [3, 3, 0]}
        locale.localeconv = lambda: german


def forget_home() -> None:
    """Be a user whom the system does not know, as containers have them; HOME is left out by who starts this."""
    with suppress(ImportError):
        import pwd

        def unknown(who: object) -> Any:
            raise KeyError(f"not found: {who!r}")

        pwd.getpwuid = pwd.getpwnam = unknown


def keep_own_fonts() -> None:
    """Leave only the fonts that matplotlib brings along."""
    import matplotlib as mpl
    from matplotlib import font_manager

    brought = Path(mpl.get_data_path())
    fonts: Any = font_manager.fontManager
    fonts.ttflist = [font for font in fonts.ttflist if Path(font.fname).is_relative_to(brought)]
    fonts._findfont_cached.cache_clear()


def write_windows_line_ends() -> None:
    """Write text as Python does on Windows: where no line end is named, each is two characters."""
    plain = io.open

    def windows_open(
        file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None, newline: Any = None
    ) -> Any:
        text = "b" not in mode and "r" not in mode
        return plain(file, mode, buffering, encoding, errors, "\r\n" if text and newline is None else newline)

    io.open = windows_open  # type: ignore[assignment]


def surroundings() -> dict[str, Any]:
    """Say what is in force, so that nothing is compared that was only meant to be played."""
    import matplotlib as mpl
    from matplotlib import font_manager

    return {
        "asserts": __debug__,
        "docstrings": journey.__doc__ is not None,
        "dev mode": sys.flags.dev_mode,
        "encoding warnings": sys.flags.warn_default_encoding,
        "file names": sys.getfilesystemencoding(),
        "standard output": sys.stdout.encoding.lower(),
        "warnings are errors": ("error", None, Warning, None, 0) in warnings.filters,
        "decimal point": locale.localeconv()["decimal_point"],
        "font": mpl.rcParams["font.family"],
        "system fonts": any(not f.fname.startswith(mpl.get_data_path()) for f in font_manager.fontManager.ttflist),
        "temporary": os.fsencode(tempfile.gettempdir()).decode(),
        "home": os.fsencode(os.path.expanduser("~")).decode(),  # noqa: PTH111 - pathlib raises where there is none
    }


def image(image: Any) -> Any:
    """Return an array as a PIL image."""
    from PIL import Image

    return Image.fromarray(image)


def summary(data: Any) -> str:
    """Return the SHA-256 of bytes or an array."""
    return hashlib.sha256(bytes(data)).hexdigest()


if __name__ == "__main__":
    main()
