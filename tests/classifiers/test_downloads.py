from __future__ import annotations

import dataclasses
import hashlib
import io
import re
import socket
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import pooch
import pytest

from gradcam_widgets.classifiers.downloads import REGISTRY, Download, cache_folder, fetch, is_cached
from gradcam_widgets.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"<html>Please log in to this model</html>"
CLOCK = "photos/clock.bin"


class Server(ThreadingHTTPServer):
    """Serves a folder, counts what it is asked for, and lets a test act before each answer."""

    daemon_threads = False  # so that closing the server waits for its answers

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.before_answer: Callable[[], None] = lambda: None
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, content: bytes) -> None:
        (self.folder / "clock.bin").write_bytes(content)


class Handler(SimpleHTTPRequestHandler):
    def __init__(self, request: Any, client_address: Any, server: Server) -> None:
        self.source = server
        super().__init__(request, client_address, server, directory=str(server.folder))

    def do_GET(self) -> None:
        self.source.asked.append(self.path)
        self.source.before_answer()
        if self.path == "/silent":
            self.source.over.wait(10)
            return
        if self.path == "/cut-off":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:1000])
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    with Server(folder) as running:
        running.put(CONTENT)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GRADCAM_WIDGETS_HOME", str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


def clock(address: str, page: str = "/clock.bin") -> Download:
    return Download(CLOCK, address + page, SHA256, len(CONTENT), "ours")


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def complaint(file: str | Download, **options: Any) -> str:
    with pytest.raises(DownloadError) as caught:
        fetch(file, **options)
    message = str(caught.value)
    assert message[-1] in ".?"
    assert not re.search(r"[.?!] ", message), "an error is one sentence"
    return message


# Success


def test_file_is_fetched_silently(server: Server, cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = fetch(clock(server.address))
    assert path == cache / CLOCK
    assert path.read_bytes() == CONTENT
    assert files_in(cache) == [CLOCK]
    assert server.asked == ["/clock.bin"]
    assert capfd.readouterr() == ("", "")


def test_cached_file_needs_no_server(server: Server) -> None:
    path = fetch(clock(server.address))
    assert fetch(clock(server.address)) == path
    assert server.asked == ["/clock.bin"]


def test_fetched_file_may_be_read_by_whoever_may_read_other_files(server: Server, tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    assert fetch(clock(server.address)).stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("digits", [8, 64])
def test_published_digits_of_a_hash_are_enough(digits: int, server: Server) -> None:
    download = dataclasses.replace(clock(server.address), sha256=SHA256[:digits])
    assert fetch(download).read_bytes() == CONTENT
    assert is_cached(download)
    assert fetch(download).read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_published_digits_of_a_hash_are_checked(server: Server, cache: Path) -> None:
    server.put(PAGE)
    with pytest.warns(UserWarning, match="^The download of .* is damaged"):
        complaint(dataclasses.replace(clock(server.address), sha256=SHA256[:8]))
    assert files_in(cache) == []


def test_absolute_path_stands_for_itself(server: Server, tmp_path: Path, cache: Path) -> None:
    target = tmp_path / "elsewhere" / "clock.bin"
    assert fetch(dataclasses.replace(clock(server.address), path=str(target))) == target
    assert target.read_bytes() == CONTENT
    assert not cache.exists()


# Damage


def test_damaged_cached_file_is_removed_and_fetched_again(server: Server, cache: Path) -> None:
    path = fetch(clock(server.address))
    path.write_bytes(CONTENT[:-1])
    with pytest.warns(UserWarning, match=r"clock\.bin' is damaged: downloading it again") as caught:
        assert fetch(clock(server.address)) == path
    assert [warning.filename for warning in caught] == [__file__]
    assert path.read_bytes() == CONTENT
    assert files_in(cache) == [CLOCK]
    assert len(server.asked) == 2


def test_damaged_cached_file_is_removed_even_when_the_server_is_gone(server: Server, cache: Path) -> None:
    path = fetch(clock(server.address))
    path.write_bytes(PAGE)
    (server.folder / "clock.bin").unlink()
    with pytest.warns(UserWarning, match="^The cached file .* is damaged: downloading it again"):
        assert "404" in complaint(clock(server.address))
    assert files_in(cache) == []


def test_damaged_download_is_tried_twice_and_then_named(server: Server, cache: Path) -> None:
    server.put(PAGE)
    with pytest.warns(UserWarning, match="^The download of .* from .* is damaged: downloading it again") as caught:
        message = complaint(clock(server.address))
    assert len(caught) == 1
    assert server.asked == ["/clock.bin"] * 2
    for part in (CLOCK, server.address, SHA256, hashlib.sha256(PAGE).hexdigest(), str(cache / CLOCK)):
        assert part in message
    assert files_in(cache) == []


def test_second_arrival_may_be_right(server: Server, cache: Path) -> None:
    server.before_answer = lambda: server.put(PAGE if len(server.asked) == 1 else CONTENT)
    with pytest.warns(UserWarning, match="^The download of .* is damaged") as caught:
        assert fetch(clock(server.address)).read_bytes() == CONTENT
    assert [warning.filename for warning in caught] == [__file__]
    assert len(server.asked) == 2
    assert files_in(cache) == [CLOCK]


def test_transfer_that_is_cut_off(server: Server, cache: Path) -> None:
    message = complaint(clock(server.address, "/cut-off"))
    assert message.startswith(f"Cannot download '{CLOCK}'")
    assert files_in(cache) == []


# No answer


def test_page_that_does_not_exist(server: Server, cache: Path) -> None:
    message = complaint(clock(server.address, "/gone.bin"))
    for part in (CLOCK, f"{server.address}/gone.bin", "404", str(cache / CLOCK)):
        assert part in message
    assert server.asked == ["/gone.bin"]
    assert files_in(cache) == []


def test_closed_port(cache: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(DownloadError) as caught:
        fetch(clock(address))
    assert isinstance(caught.value.__cause__, OSError)
    message = str(caught.value)
    for part in (CLOCK, address, "ConnectionError", str(cache / CLOCK)):
        assert part in message
    assert files_in(cache) == []


def test_silent_server(server: Server, cache: Path) -> None:
    assert "ReadTimeout" in complaint(clock(server.address, "/silent"), timeout=0.2)
    assert files_in(cache) == []


def test_address_that_is_none() -> None:
    assert complaint(clock("nowhere", "")).startswith(f"Cannot download '{CLOCK}' from nowhere")


# The cache


def test_cache_that_cannot_be_written(server: Server, cache: Path) -> None:
    cache.write_text("a file where the folder should be", encoding="utf-8")
    message = complaint(clock(server.address))
    for part in (CLOCK, server.address, str(cache / CLOCK), "GRADCAM_WIDGETS_HOME"):
        assert part in message
    assert server.asked == []
    assert cache.read_text(encoding="utf-8") == "a file where the folder should be"


def test_folder_where_the_file_should_be(server: Server, cache: Path) -> None:
    (cache / CLOCK).mkdir(parents=True)
    assert f"save the file as '{cache / CLOCK}' yourself" in complaint(clock(server.address))
    assert files_in(cache) == []


def test_is_cached_only_while_undamaged(server: Server) -> None:
    download = clock(server.address)
    assert not is_cached(download)
    path = fetch(download)
    assert is_cached(download)
    path.write_bytes(PAGE)
    assert not is_cached(download)
    assert path.read_bytes() == PAGE
    assert len(server.asked) == 1


def test_cache_folder_is_absolute_and_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("GRADCAM_WIDGETS_HOME", "~/kept")
    assert cache_folder() == tmp_path / "kept"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADCAM_WIDGETS_HOME", "here")
    assert cache_folder() == tmp_path / "here"


@pytest.mark.parametrize("unset", [True, False])
def test_cache_folder_of_the_system(unset: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if unset:
        monkeypatch.delenv("GRADCAM_WIDGETS_HOME")
    else:
        monkeypatch.setenv("GRADCAM_WIDGETS_HOME", "")
    assert cache_folder() == Path(pooch.os_cache("gradcam_widgets"))


# Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_leaves_a_clean_line(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    fetch(clock(server.address))
    *shown, blank, end = terminal.getvalue().split("\r")
    # 65,536 bytes a step of 256,000
    expected = ["", *(f"clock.bin: {share}" for share in ("26%", "51%", "77%", "100%", "100%"))]
    assert [text.rstrip() for text in shown][: len(expected)] == expected
    assert (blank.strip(), end) == ("", "")


def test_progress_line_is_cleared_on_failure(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    complaint(clock(server.address, "/cut-off"))
    assert terminal.getvalue().endswith("\r")


def test_progress_can_be_turned_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    fetch(clock(server.address), progress=False)
    assert terminal.getvalue() == ""


# The registry


def test_unknown_name_with_a_close_one() -> None:
    message = complaint("astronaut.png")
    assert message == "Unknown download 'astronaut.png': did you mean 'photos/astronaut.png'?"


def test_unknown_name_lists_what_there_is() -> None:
    message = complaint("zebra")
    assert all(path in message for path in REGISTRY)


def test_registry_is_pinned() -> None:
    assert len(REGISTRY) == 6
    for path, download in REGISTRY.items():
        assert path == download.path
        assert re.fullmatch(r"(models|photos)/[\w.]+", path)
        assert re.fullmatch("[0-9a-f]{64}", download.sha256)
        address = urlparse(download.url)
        assert address.scheme == "https"
        assert re.search("/[0-9a-f]{40}/", address.path), "an address without a commit may change"
        assert Path(address.path).name == Path(path).name
        assert download.terms


@pytest.mark.parametrize("path", REGISTRY)
def test_registry_fits_the_files(path: str, shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCAM_WIDGETS_HOME", str(shared_cache))
    assert (shared_cache / path).stat().st_size == REGISTRY[path].size
    assert is_cached(path), "never fetch here: it would remove the damaged file"
    assert fetch(path) == shared_cache / path


def test_import_does_not_pay_for_pooch() -> None:
    code = "import sys, gradcam_widgets.classifiers.downloads; sys.exit('pooch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
