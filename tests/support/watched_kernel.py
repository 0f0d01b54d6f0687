"""Runs in the kernel of a lesson under test: keeps it off the internet, and writes down what nbval does not see."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

KIB = 1024
THREADS = "TESTS_THREADS"  # set where this machine plays another one: rows.py
LOCAL = ("localhost", "127.0.0.1", "::1", "", None)


def watch(shell: Any) -> None:
    """Begin to watch an IPython shell.

    Args:
        shell: What `get_ipython()` returns.
    """
    report = Path(os.environ["LESSON_REPORT"])
    _refuse_the_internet(report / "asked")
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
    """Return the most memory that this process has had so far, bytes; that of its parent does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) * KIB
    import resource  # macOS, where ru_maxrss is in bytes

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _refuse_the_internet(asked: Path) -> None:
    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            host = arguments[0]
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        else:
            return
        host = host.decode() if isinstance(host, bytes) else host
        if host not in LOCAL:
            with asked.open("a") as file:
                file.write(f"{host}\n")
            raise socket.gaierror(f"{host} is out of reach: lessons run without the internet")

    sys.addaudithook(refuse)


def _keep_images(shell: Any, report: Path) -> None:
    formatter = shell.display_formatter
    plain = type(formatter).format
    shown = [0]

    def keep(self: Any, shown_object: Any, *arguments: Any, **options: Any) -> Any:
        data, metadata = plain(self, shown_object, *arguments, **options)
        image = data.get("image/jpeg") or data.get("image/png")
        if image:
            shown[0] += 1
            _write(report / f"image-{shown[0]:03}", image)
        return data, metadata

    type(formatter).format = keep


def _write(path: Path, image: bytes | str) -> None:
    import base64

    path.write_bytes(base64.b64decode(image) if isinstance(image, str) else image)
