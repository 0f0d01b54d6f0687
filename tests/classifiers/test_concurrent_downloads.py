from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from gradcam_widgets.classifiers.downloads import Download, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 2000
FOUND = "photos/clock.bin"
PATIENCE = 60  # seconds until a test that hangs fails


class Server(ThreadingHTTPServer):
    """Holds each answer open, half sent, until as many requests as the test wants have come as far."""

    daemon_threads = False  # so that closing the server waits for its answers

    def __init__(self, cache: Path, at_once: int) -> None:
        self.parts: list[str] = []
        self.begun = threading.Barrier(at_once, action=lambda: self.parts.extend(files_in(cache)))
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def download(self) -> Download:
        address = f"http://127.0.0.1:{self.server_port}/clock.bin"
        return Download(FOUND, address, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "ours")


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        half = len(CONTENT) // 2
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:half])
        self.server.begun.wait(PATIENCE)
        self.wfile.write(CONTENT[half:])

    def log_message(self, *_: Any) -> None:
        pass


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GRADCAM_WIDGETS_HOME", str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def server(cache: Path) -> Iterator[Server]:
    with Server(cache, at_once=2) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.begun.abort()
        running.shutdown()
        thread.join()


def test_two_downloads_of_one_file_at_once_both_arrive(server: Server, cache: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(fetch, server.download, progress=False) for _ in range(2)]
        paths = [answer.result(PATIENCE) for answer in answers]
    assert paths == [cache / FOUND] * 2
    assert (cache / FOUND).read_bytes() == CONTENT
    assert files_in(cache) == [FOUND]


def test_two_downloads_at_once_write_into_files_of_their_own(server: Server) -> None:
    with ThreadPoolExecutor(2) as pool:
        for answer in [pool.submit(fetch, server.download, progress=False) for _ in range(2)]:
            answer.result(PATIENCE)
    assert len(server.parts) == 2
    assert all(name.startswith(f"{FOUND}.") for name in server.parts), "the file itself is not there half"
