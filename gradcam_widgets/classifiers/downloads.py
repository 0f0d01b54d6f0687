"""Cached downloads of pinned files, verified by SHA-256."""

from __future__ import annotations

import hashlib
import os
import sys
import uuid
import warnings
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradcam_widgets._choices import suggestion
from gradcam_widgets._paths import expanded, is_file
from gradcam_widgets.errors import DownloadError

HOME_VARIABLE = "GRADCAM_WIDGETS_HOME"

_CHUNK_BYTES = 1 << 16
_PROGRESS_WIDTH = 72


@dataclass(frozen=True)
class Download:
    """A file that is downloaded once and then cached.

    Attributes:
        path: Absolute path, or path relative to the cache folder with forward slashes.
        url: Address of the file.
        sha256: SHA-256 of the file in lower-case hexadecimal digits, or the published prefix of it.
        size: Size in bytes, or 0 if unknown.
        terms: License or terms of use.
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
    """Return the cache folder: `GRADCAM_WIDGETS_HOME`, or else the system's cache folder.

    Returns:
        Absolute path of the folder, which may not exist yet; a leading `~` is expanded.

    Raises:
        DownloadError: If the variable is not set and the home folder is unknown.
    """
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return expanded(home, DownloadError).absolute()
    import pooch  # noqa: PLC0415 - takes 0.1 s, too long for an import of the package

    try:
        return Path(pooch.os_cache("gradcam_widgets")).expanduser()  # old versions of pooch do not expand ~
    except RuntimeError:
        raise DownloadError(
            f"Cannot cache downloads in an unknown home folder: set {HOME_VARIABLE} to a writable folder.",
        ) from None


def is_cached(file: str | Download) -> bool:
    """Return whether the cache contains an undamaged copy of the file, so that `fetch` needs no internet access.

    Args:
        file: A key of `REGISTRY` or a custom `Download`.

    Raises:
        DownloadError: If the registry has no such file, or the cached copy cannot be read.
    """
    download = _registered(file)
    try:
        target = cache_folder() / download.path
    except DownloadError:
        return False
    return is_file(target) and _sha256(target).startswith(download.sha256)


def fetch(file: str | Download, *, timeout: float = 30.0, progress: bool = True) -> Path:
    """Return the path of a verified file in the cache, after downloading it if necessary.

    A cached or downloaded file with a wrong SHA-256 is removed with a warning and downloaded again, once.

    Args:
        file: A key of `REGISTRY` or a custom `Download`.
        timeout: Seconds to wait for the connection, and for each part of the response.
        progress: Whether to show a progress line on stderr, if that is a terminal.

    Raises:
        DownloadError: If the registry has no such file, the server fails, two downloads in a row are damaged, or the
            cache cannot be read or written.
    """
    download = _registered(file)
    target = cache_folder() / download.path
    if is_file(target):
        if _sha256(target).startswith(download.sha256):
            return target
        _remove(target)
        warnings.warn(f"The cached file '{target}' is damaged: downloading it again.", stacklevel=2)
    _make_folder(download, target)
    sha256 = _download_to(target, download, timeout=timeout, progress=progress)
    if not sha256.startswith(download.sha256):
        warnings.warn(
            f"The download of '{download.path}' from {download.url} is damaged: downloading it again.",
            stacklevel=2,
        )
        sha256 = _download_to(target, download, timeout=timeout, progress=progress)
    if not sha256.startswith(download.sha256):
        raise DownloadError(
            f"Two downloads of '{download.path}' from {download.url} were damaged (SHA-256 {sha256}, expected "
            f"{download.sha256}): try another network, or save the file as '{target}' yourself.",
        )
    return target


def _registered(file: str | Download) -> Download:
    if isinstance(file, Download):
        return file
    if file in REGISTRY:
        return REGISTRY[file]
    hint = suggestion(file, REGISTRY, f"choose one of {', '.join(REGISTRY)}.")
    raise DownloadError(f"Unknown download {file!r}: {hint}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise DownloadError(
            f"Cannot read '{path}' in the cache ({_reason(error)}): "
            f"change its permissions, or set {HOME_VARIABLE} to another folder.",
        ) from error
    return digest.hexdigest()


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise DownloadError(
            f"Cannot remove the damaged '{path}' ({_reason(error)}): "
            f"remove it yourself, or set {HOME_VARIABLE} to another folder.",
        ) from error


def _make_folder(download: Download, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(
            f"Cannot save '{download.path}' from {download.url} as '{target}' ({_reason(error)}): "
            f"set {HOME_VARIABLE} to a writable folder.",
        ) from error


def _download_to(target: Path, download: Download, *, timeout: float, progress: bool) -> str:
    """Download the file, move it to the target if its checksum is right, and return its SHA-256."""
    # A unique name, as another process may be downloading the same file.
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        _stream(download, part, timeout=timeout, progress=progress)
        sha256 = _sha256(part)
        if sha256.startswith(download.sha256):
            part.replace(target)
    except OSError as error:  # the base class of requests' errors, too
        raise DownloadError(
            f"Cannot download '{download.path}' from {download.url} ({_reason(error)}): "
            f"check the network and the folder's permissions, or save the file as '{target}' yourself.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return sha256


def _stream(download: Download, part: Path, *, timeout: float, progress: bool) -> None:
    import pooch  # noqa: PLC0415 - as above

    with ExitStack() as stack:

        def close_on_exit(response: Any, **_: object) -> None:
            # pooch does not close the connection after an HTTP error
            stack.callback(response.close)

        bar = None
        if progress and _stderr_is_terminal():
            bar = stack.enter_context(closing(_ProgressLine(Path(download.path).name)))
        downloader = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=_CHUNK_BYTES,
            timeout=timeout,
            hooks={"response": close_on_exit},
        )
        downloader(download.url, str(part), None)


def _stderr_is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


class _ProgressLine:
    """Minimal progress bar for pooch, which sets `total` and calls the methods."""

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
