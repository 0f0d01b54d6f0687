"""The README's commands install the CPU's PyTorch where its index answers, and go on without it where it does not."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT
from tests.test_binder import wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [block for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "python3 -m venv" in block]
INDEX = "https://download.pytorch.org/whl/cpu"
ANNOUNCED, GAVE_UP = "Installs PyTorch for the CPU", "PyTorch could not be installed from the CPU index"
# In place of .venv/bin/pip: what asks an index is answered by pip itself, and all else is written down.
PIP = """#!/bin/sh
case "$*" in
*--index-url*) exec "{python}" -m pip "$@" --dry-run --ignore-installed --no-deps ;;
*) echo "then: pip $*" ;;
esac
"""
OTHER = '#!/bin/sh\necho "then: {name} $*"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder where the commands can run: `python3 -m venv .venv` finds everything there."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (tmp_path / "path").mkdir()
    texts = {programs / "pip": PIP.format(python=sys.executable), tmp_path / "path" / "python3": "#!/bin/sh\n"}
    texts |= {programs / name: OTHER.format(name=name) for name in ("python", "gradcam-widgets")}
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return tmp_path


def run(command: str, folder: Path, index: str) -> list[str]:
    """Run a command of the README with another address for the index and one second of patience."""
    assert command.count(INDEX) == command.count("--timeout 10") == 1
    done = subprocess.run(  # noqa: S603 - the README's, and everything that it calls is ours
        ["bash", "-euo", "pipefail", "-c", command.replace(INDEX, index).replace("--timeout 10", "--timeout 1")],  # noqa: S607
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        | {"PATH": f"{folder / 'path'}{os.pathsep}{os.environ['PATH']}", "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """An index with builds for the CPU and none of anything else."""
    for name, version in (("torch", "2.15.0+cpu"), ("torchvision", "0.30.0+cpu")):
        place = tmp_path / "index" / name
        place.mkdir(parents=True)
        wheel(place, name, version)
        (place / "index.html").write_text(
            "".join(f'<a href="{each.name}">x</a>' for each in place.glob("*.whl")), encoding="utf-8"
        )
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_there_are_two_commands() -> None:
    lessons, tests = COMMANDS
    assert lessons.rstrip().endswith(".venv/bin/gradcam-widgets lab")
    assert tests.rstrip().endswith(".venv/bin/python -m pytest")


@pytest.mark.parametrize("command", COMMANDS, ids=["lab", "test"])
def test_where_the_index_answers_its_builds_are_installed(command: str, folder: Path, index: str) -> None:
    said = run(command, folder, index)
    assert said[0].startswith(ANNOUNCED)
    (installed,) = (line for line in said if line.startswith("Would install"))
    assert installed.split()[2:] == ["torch-2.15.0+cpu", "torchvision-0.30.0+cpu"]
    assert not any(line.startswith(GAVE_UP) for line in said)
    assert sum(line.startswith("then: ") for line in said) == 2


@pytest.mark.parametrize("silent", [False, True], ids=["refuses", "never answers"])
@pytest.mark.parametrize("command", COMMANDS, ids=["lab", "test"])
def test_where_it_does_not_answer_the_command_goes_on(command: str, folder: Path, *, silent: bool) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if silent:
            server.listen()
        said = run(command, folder, f"http://127.0.0.1:{server.getsockname()[1]}")
    assert said[0].startswith(ANNOUNCED)
    gave_up = next(i for i, line in enumerate(said) if line.startswith(GAVE_UP))
    assert sum(line.startswith("then: ") for line in said[gave_up:]) == 2
    assert not any(line.startswith("Would install") for line in said)
