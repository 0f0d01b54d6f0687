"""A run through the package's features, which `test_systems.py` repeats in many environments and compares.

It runs in its own process and empty folder, and writes its results to `journey.json`, in ASCII, so that the report is
independent of the environment.
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
    """Emulate the environment set by the options, run, and write the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--read-only", nargs="+", default=[], help="folders that are read-only")
    parser.add_argument("--closed", nargs="+", default=[], help="folders that cannot even be entered")
    parser.add_argument("--other-device", help="folder on another device, across which renaming fails")
    for switch in ("strict", "local", "no-home", "own-fonts", "windows-line-ends"):
        parser.add_argument(f"--{switch}", action="store_true")
    options = parser.parse_args()
    for name in OTHERS:  # loaded first: their own warnings do not matter
        importlib.import_module(name)
    refused = guard(options.read_only, options.closed, options.other_device)
    if options.strict:
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", EncodingWarning)  # of other packages' files
        warnings.filterwarnings("error", category=EncodingWarning, module="gradcam_widgets")
    if options.local:
        use_german_locale()
    if options.no_home:
        hide_home()
    if options.own_fonts:
        keep_bundled_fonts()
    if options.windows_line_ends:
        use_windows_line_ends()
    report = {**journey(), "surroundings": surroundings(), "refused": refused}
    Path("journey.json").write_bytes(json.dumps(report, indent=1).encode("ascii"))


def journey() -> dict[str, Any]:
    """Use sample, maps, images, page, panel, commands and copies of the lessons, and return all results."""
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
        "local figure": size_with_user_settings(first),
        "panel": panel(None),
        "panel of a file": panel(file),
        "commands": commands(file),
        "lessons": lessons(),
        "downloads": downloads(),
        "no such image": complaint("~/nowhere.png"),
    }


def file_name() -> str:
    """Return a file name with special characters that the system allows."""
    name = "Übung {1} %s.png" if os.name == "nt" else "Übung\\neu: {1} 'a' \"b\" %s.png"
    return os.fsdecode(name.encode())


def panel(image: Any) -> dict[str, Any]:
    """Open a panel, and return all its results."""
    from gradcam_widgets import GradCAMPanel

    opened = GradCAMPanel(image, source="scenes")
    bundle, _ = opened._repr_mimebundle_()
    page = opened.export_html("panel.html")
    names: dict[str, Any] = {}
    exec(opened.code(), names)  # noqa: S102 - the code must run
    results = {
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
    return results


def commands(image: Path) -> dict[str, Any]:
    """Run the commands, and return their output in this process's encoding and the files they write."""
    arguments = [str(image), "--model", MODEL, "--target", "fox"]
    printed = {f"help {' '.join(command)}": command_prints([*command, "--help"]) for command in COMMANDS}
    printed["explain"] = command_prints(["explain", *arguments])
    printed["json"] = command_prints(["explain", *arguments, "--json"])
    printed["sample"] = command_prints(["explain", "sample:submarine", "-o", "sample.pdf"])
    printed["export"] = command_prints(["export", *arguments])
    printed["layers"] = command_prints(["layers", MODEL])
    written = [Path(f"{image.stem}_gradcam.png"), Path(f"{image.stem}_gradcam.html"), Path("sample.pdf")]
    return {**printed, "written": [summary(path.read_bytes()) for path in written]}


def command_prints(arguments: Sequence[str]) -> str:
    """Return a command's exit code and output, in the encoding of standard output."""
    from gradcam_widgets.cli import main as command

    raw = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(raw, sys.stdout.encoding, sys.stdout.errors, newline="\n")) as stream:
        try:
            status = command(arguments)
        except SystemExit as end:  # raised by --help
            status = int(end.code or 0)
        stream.flush()
    return f"{status}: {raw.getvalue().decode(sys.stdout.encoding)}"


def lessons() -> dict[str, Any]:
    """Copy the lessons like the command `lab`."""
    from gradcam_widgets.cli import jupyter

    copies = jupyter.copy_tutorials()
    contents = [json.loads(copy.read_bytes()) for copy in copies]
    return {
        "names": [copy.name for copy in copies],
        "contents": summary(json.dumps(contents).encode("ascii")),
        "same bytes": all(copy.read_bytes() == (jupyter.tutorials() / copy.name).read_bytes() for copy in copies),
        "writable": all(copy.stat().st_mode & stat.S_IWUSR for copy in copies),
    }


def downloads() -> dict[str, Any]:
    """Fetch a file from a local server, and select the samples' source where nothing can be downloaded."""
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
    download = downloads.Download(
        "clocks/clock.bin", f"http://127.0.0.1:{server.server_port}/clock.bin", summary(bytes(1000)), 1000, "ours"
    )
    fetched, again, place = "", False, ""
    try:
        path = downloads.fetch(download)
        fetched, again = summary(path.read_bytes()), downloads.is_cached(download)
        place = path.relative_to(downloads.cache_folder()).as_posix()
    except errors.DownloadError as error:
        fetched = f"refused: {error}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with redirect_stdout(io.StringIO()) as output:
        source = choose_source("auto")
    return {"fetched": fetched, "again": again, "place": place, "auto": [source, output.getvalue()]}


def complaint(path: str) -> str:
    """Return the type of the error for an unreadable image; its message contains the home folder."""
    from gradcam_widgets import errors, read_image

    try:
        read_image(path)
    except errors.ImageError as error:
        return type(error).__name__
    return ""


def size_with_user_settings(heatmap: Any) -> list[Any]:
    """Draw with user settings of matplotlib: localized numbers, and a font that lacks many characters."""
    import matplotlib as mpl

    from gradcam_widgets.heatmaps.figures import rendered

    with mpl.rc_context({"axes.formatter.use_locale": True, "font.family": "cmss10"}):
        figure = heatmap.figure(evidence="both")
        size = rendered(figure).size
        ticks = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
    return [size, ticks]


# Emulated environments


def guard(read_only: Sequence[str], closed: Sequence[str], other_device: str | None) -> list[str]:
    """Block access to folders by an audit hook, because permissions do not apply to an administrator.

    Returns:
        Blocked writes, a list that grows; without Python's compiled files.
    """
    blocked: list[str] = []
    read_only_paths, closed_paths = (
        tuple(os.path.realpath(folder) for folder in folders) for folders in (read_only, closed)
    )
    changing = ("os.mkdir", "os.rmdir", "os.remove", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime")
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def below(path: Any, folders: tuple[str, ...]) -> bool:
        if not folders or not isinstance(path, (str, bytes, os.PathLike)):
            return False
        real = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - pathlib would call the hook again
        return any(real == folder or real.startswith(folder + os.sep) for folder in folders)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename":
            source, target = arguments[:2]
            if other_device and below(source, (other_device,)) != below(target, (other_device,)):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, target)
            paths = [source, target]
        elif (event == "open" and arguments[2] & writing) or event in changing:
            paths = [arguments[0]]
        elif event in ("open", "os.listdir", "os.scandir") and below(arguments[0], closed_paths):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), arguments[0])
        else:
            return
        for path in paths:
            if below(path, read_only_paths + closed_paths):
                if "__pycache__" not in os.fsdecode(path):
                    blocked.append(f"{event} {os.fsdecode(path)}")
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    if read_only_paths or closed_paths or other_device:
        sys.addaudithook(hook)
    if closed_paths:
        os.stat = partial(stat_unless, lambda path: below(path, closed_paths), os.stat)
    return blocked


def stat_unless(closed: Any, plain: Any, path: Any, **options: Any) -> Any:
    """Call `os.stat`, except for closed paths."""
    if closed(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return plain(path, **options)


def use_german_locale() -> None:
    """Set a German locale, or at least its decimal comma if none is installed."""
    try:
        locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
    except locale.Error:
        german: Any = {**locale.localeconv(), "decimal_point": ",", "thousands_sep": ".", "grouping": [3, 3, 0]}
        locale.localeconv = lambda: german


def hide_home() -> None:
    """Emulate a user without an account, as in containers; the caller removes HOME."""
    with suppress(ImportError):
        import pwd

        def unknown(who: object) -> Any:
            raise KeyError(f"not found: {who!r}")

        pwd.getpwuid = pwd.getpwnam = unknown


def keep_bundled_fonts() -> None:
    """Hide all fonts except those bundled with matplotlib."""
    import matplotlib as mpl
    from matplotlib import font_manager

    bundled = Path(mpl.get_data_path())
    fonts: Any = font_manager.fontManager
    fonts.ttflist = [font for font in fonts.ttflist if Path(font.fname).is_relative_to(bundled)]
    fonts._findfont_cached.cache_clear()


def use_windows_line_ends() -> None:
    """Emulate the default line ends of Windows."""
    plain = io.open

    def windows_open(
        file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None, newline: Any = None
    ) -> Any:
        text = "b" not in mode and "r" not in mode
        return plain(file, mode, buffering, encoding, errors, "\r\n" if text and newline is None else newline)

    io.open = windows_open  # type: ignore[assignment]


def surroundings() -> dict[str, Any]:
    """Return the settings in force, to verify that the emulation works."""
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
