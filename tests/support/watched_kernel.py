"""Startup code for the kernel of a lesson under test: blocks the internet and records what nbval cannot see."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

KIB = 1024
THREADS = "TESTS_THREADS"  # set when this machine emulates another: rows.py
LOCAL = ("localhost", "127.0.0.1", "::1", "", None)


def watch(shell: Any) -> None:
    """Watch an IPython shell.

    Args:
        shell: The shell, from `get_ipython()`.
    """
    report = Path(os.environ["LESSON_REPORT"])
    _block_internet(report / "blocked")
    _keep_images(shell, report)
    shell.events.register("post_run_cell", lambda _result: (report / "peak").write_text(str(peak()), encoding="utf-8"))
    if THREADS in os.environ:
        from tests.support.rows import set_torch

        set_torch()
    if os.environ.get("LESSON_DECISIONS"):
        from tests.support.decisions import record

        record(shell, report / "decisions.json")
    if mutation := os.environ["LESSON_MUTATION"]:
        import pytest

        from tests.support.mutations import mutate

        mutate(mutation, pytest.MonkeyPatch())


def peak() -> int:
    """Return the peak memory of this process, without its parent's, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) * KIB
    import resource  # macOS, where ru_maxrss is in bytes

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _block_internet(log: Path) -> None:
    def block(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            host = arguments[0]
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        else:
            return
        host = host.decode() if isinstance(host, bytes) else host
        if host not in LOCAL:
            with log.open("a") as file:
                file.write(f"{host}\n")
            raise socket.gaierror(f"{host} is unreachable: lessons run without the internet")

    sys.addaudithook(block)


def _keep_images(shell: Any, report: Path) -> None:
    formatter = shell.display_formatter
    plain = type(formatter).format
    count = [0]

    def keep(self: Any, displayed: Any, *arguments: Any, **options: Any) -> Any:
        data, metadata = plain(self, displayed, *arguments, **options)
        image = data.get("image/jpeg") or data.get("image/png")
        if image:
            count[0] += 1
            _write(report / f"image-{count[0]:03}", image)
        return data, metadata

    type(formatter).format = keep


def _write(path: Path, image: bytes | str) -> None:
    import base64

    path.write_bytes(base64.b64decode(image) if isinstance(image, str) else image)
