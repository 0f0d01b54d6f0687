"""The pinned files of the photos: where they come from, their SHA-256, and where they are kept."""

from __future__ import annotations

import difflib
import hashlib
import os
import sys
import uuid
import warnings
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradcam_widgets._paths import expanded, is_file
from gradcam_widgets.errors import DownloadError

HOME_VARIABLE = "GRADCAM_WIDGETS_HOME"

_CHUNK_BYTES = 1 << 16
_PROGRESS_WIDTH = 72


@dataclass(frozen=True)
class Download:
    """A file that is fetched once and then kept.

    Attributes:
        path: Its place in the cache folder, relative, with forward slashes; an absolute path stands for
            itself.
        url: The address that it is fetched from.
        sha256: The SHA-256 of its bytes in lower-case hexadecimal digits, or as many of the first as are
            published.
        size: Its length in bytes, or 0 where that is not published.
        terms: On what terms it may be used.
    """

    path: str
    url: str
    sha256: str
    size: int
    terms: str


_GITHUB = "https://raw.githubusercontent.com"

REGISTRY: dict[str, Download] = {
    download.path: download
    for download in (
        Download(
            path="models/compressed_SqueezeNet.net",
            url=f"{_GITHUB}/songhan/SqueezeNet-Deep-Compression/"
            "fb13faa2cf121ced9999f8a9d538ec6c56084733/compressed_SqueezeNet.net",
            sha256="e4ab6960ae8cd81505e1c2136921201507e930966c53deaf15862a395b3a3261",
            size=675_763,
            terms="BSD license of that repository; "
            "cite SqueezeNet (arXiv 1602.07360) and Deep Compression (arXiv 1510.00149)",
        ),
        Download(
            path="photos/submarine_and_aircraft_carrier.jpg",
            url=f"{_GITHUB}/gsurma/cnn_explainer/"
            "96ee8506f5d6dc60c0b90818de4f8533d7a96ec8/test_images/submarine_and_aircraft_carrier.jpg",
            sha256="d6b1593cb9d518cf03fe41a4a73bc15c4e769a5be307d32ca600cced9858cd94",
            size=9_747,
            terms="MIT repository of the first article",
        ),
        Download(
            path="photos/creative_commons_elephant.jpg",
            url=f"{_GITHUB}/luyimin714/DeepLearningWithPython/"
            "895aa167fa1652c2f803db6e797f7609d35a0f35/creative_commons_elephant.jpg",
            sha256="920dd73adff4627f5d4ef59a6f114fd88553931846730366a541feb1d1231038",
            size=55_490,
            terms="Creative Commons photograph used by Chollet's book",
        ),
        Download(
            path="photos/n01677366_common_iguana.JPEG",
            url=f"{_GITHUB}/EliSchwartz/imagenet-sample-images/"
            "bc69043e2862758a1906c6a24a792bb28c6bb2ff/n01677366_common_iguana.JPEG",
            sha256="80ae9e6fe0c21e441848f0f602b443eb38e6aba8e61f358158ab0375d897af95",
            size=51_753,
            terms="ImageNet sample, research and teaching use",
        ),
        Download(
            path="photos/both.png",
            url=f"{_GITHUB}/jacobgil/pytorch-grad-cam/084273b3f30b54ad0c64cf8020a4337d979a66e0/examples/both.png",
            sha256="8d30785a513e22a2f574c839c7e1751db943d0b5399347e7bb37736f6c5a95c2",
            size=90_226,
            terms="MIT repository; bull mastiff and tabby cat",
        ),
        Download(
            path="photos/astronaut.png",
            url="https://gitlab.com/scikit-image/data/-/raw/5c090b56df3988d988ff97928e2ef2d2cbe38e1b/astronaut.png",
            sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            size=791_555,
            terms="NASA, public domain",
        ),
    )
}

PHOTOS = {
    "submarine": "photos/submarine_and_aircraft_carrier.jpg",
    "elephants": "photos/creative_commons_elephant.jpg",
    "iguana": "photos/n01677366_common_iguana.JPEG",
    "dog_and_cat": "photos/both.png",
    "astronaut": "photos/astronaut.png",
}


def cache_folder() -> Path:
    """Say where downloads are kept: ``GRADCAM_WIDGETS_HOME``, or else this system's cache folder.

    Returns:
        The absolute path of the folder, which need not exist yet; a leading ``~`` is expanded.

    Raises:
        DownloadError: No variable names a folder, and this user has no home.
    """
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return expanded(home, DownloadError).absolute()
    import pooch  # noqa: PLC0415 - costs 0.1 s, which an import of the package should not

    try:
        return Path(pooch.os_cache("gradcam_widgets")).expanduser()  # older ones leave ~ to be a folder's name
    except RuntimeError:
        raise DownloadError(
            f"There is no home folder to keep downloads in: set {HOME_VARIABLE} to a folder that you may write in.",
        ) from None


def is_cached(file: str | Download) -> bool:
    """Say whether `fetch` would answer without the model: there is a cache, and in it the file, undamaged.

    Args:
        file: A key of `REGISTRY`, or a download of one's own.

    Raises:
        DownloadError: The registry has no such file, or the one in the cache cannot be read.
    """
    download = _registered(file)
    try:
        target = cache_folder() / download.path
    except DownloadError:
        return False
    return is_file(target) and _sha256(target).startswith(download.sha256)


def fetch(file: str | Download, *, timeout: float = 30.0, progress: bool = True) -> Path:
    """Return the path of a file in the cache, downloading it first where that is needed.

    A file whose SHA-256 is wrong, in the cache or as it arrives, is removed with a warning and downloaded
    again; after two damaged arrivals this gives up.

    Args:
        file: A key of `REGISTRY`, or a download of one's own.
        timeout: Seconds to wait for the server, at first and between any two pieces of its answer.
        progress: Show a line of progress on stderr, if that is a terminal.

    Returns:
        The path of the file, whose SHA-256 has just been checked.

    Raises:
        DownloadError: The registry has no such file; the server cannot be reached or refuses; the file
            arrived damaged twice; or the cache cannot be read or written.
    """
    download = _registered(file)
    target = cache_folder() / download.path
    if is_file(target):
        if _sha256(target).startswith(download.sha256):
            return target
        _remove(target)
        warnings.warn(f"'{target}' is damaged: it is removed and fetched again.", stacklevel=2)
    _make_folder(download, target)
    found = published_file(download, target, timeout=timeout, progress=progress)
    if not found.startswith(download.sha256):
        warnings.warn(
            f"'{download.path}' arrived damaged from {download.url}: it is removed and fetched again.",
            stacklevel=2,
        )
        found = published_file(download, target, timeout=timeout, progress=progress)
    if not found.startswith(download.sha256):
        raise DownloadError(
            f"'{download.path}' arrived damaged twice from {download.url} (SHA-256 {found}, expected "
            f"{download.sha256}): try another model, or put the right file at '{target}' by hand.",
        )
    return target


def _registered(file: str | Download) -> Download:
    if isinstance(file, Download):
        return file
    if file in REGISTRY:
        return REGISTRY[file]
    close = difflib.get_close_matches(file, REGISTRY)
    names = " or ".join(f"'{name}'" for name in close or REGISTRY)
    advice = f"did you mean {names}?" if close else f"give {names}."
    raise DownloadError(f"There is no download '{file}': {advice}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise DownloadError(
            f"'{path}' in the cache cannot be read ({_reason(error)}): "
            f"mend its permissions, or set {HOME_VARIABLE} to another folder.",
        ) from error
    return digest.hexdigest()


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise DownloadError(
            f"'{path}' is damaged and cannot be removed ({_reason(error)}): "
            f"remove it by hand, or set {HOME_VARIABLE} to another folder.",
        ) from error


def _make_folder(download: Download, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(
            f"'{download.path}' from {download.url} cannot be kept at '{target}' ({_reason(error)}): "
            f"set {HOME_VARIABLE} to a folder that you may write in.",
        ) from error


def published_file(download: Download, target: Path, *, timeout: float, progress: bool) -> str:
    """Move the file into place if it arrived undamaged, and return the SHA-256 that was found."""
    # Another process may be fetching the same file, so each writes to a name of its own.
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        _stream(download, part, timeout=timeout, progress=progress)
        found = _sha256(part)
        if found.startswith(download.sha256):
            part.replace(target)
    except OSError as error:  # so is every error of requests
        raise DownloadError(
            f"'{download.path}' could not be downloaded from {download.url} ({_reason(error)}): "
            f"check the model and that the folder can be written, or put the file at '{target}' by hand.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return found


def _stream(download: Download, part: Path, *, timeout: float, progress: bool) -> None:
    import pooch  # noqa: PLC0415 - likewise

    with ExitStack() as stack:

        def close_at_the_end(response: Any, **_: object) -> None:
            # pooch leaves the connection open when the server refuses
            stack.callback(response.close)

        bar = None
        if progress and _stderr_is_terminal():
            bar = stack.enter_context(closing(_ProgressLine(Path(download.path).name)))
        get = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=_CHUNK_BYTES,
            timeout=timeout,
            hooks={"response": close_at_the_end},
        )
        get(download.url, str(part), None)


def _stderr_is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


class _ProgressLine:
    """The least that pooch takes for a progress bar; pooch sets `total` and calls the methods."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.total = 0
        self._done = 0

    def update(self, step: int) -> None:
        self._done += step
        share = f"{min(self._done / self.total, 1):.0%}" if self.total else f"{self._done:,} bytes"
        self._show(f"{self.name}: {share}")

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        self._show("")
        sys.stderr.write("\r")

    def _show(self, text: str) -> None:
        sys.stderr.write(f"\r{text:<{_PROGRESS_WIDTH}}")
        sys.stderr.flush()


def _reason(error: OSError) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"{response.status_code} {response.reason or ''}".rstrip()
    return error.strerror or type(error).__name__
