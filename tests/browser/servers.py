"""Jupyter servers for the tests, with private folders, no token and no external requests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_TO_START = 120
OPEN = (
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--IdentityProvider.token=",
    "--ServerApp.password=",
    "--ServerApp.disable_check_xsrf=True",
)
QUIET = {"fetchNews": "false", "checkForUpdates": False}
COMMANDS = {
    "lab": (
        "jupyter-lab",
        *OPEN,
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ),
    "notebook": (
        "jupyter-notebook",
        *OPEN,
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ),
    "voila": ("voila", "--no-browser", "--Voila.ip=127.0.0.1"),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def notebook(path: Path, *cells: str) -> Path:
    """Write a notebook that has not been run."""
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{i}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": cell,
            }
            for i, cell in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@contextmanager
def serving(kind: str, folder: Path, private: Path, theme: str = "JupyterLab Light") -> Iterator[str]:
    """Run a server on a folder, and yield its address."""
    settings = private / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET), encoding="utf-8")
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": theme}), encoding="utf-8")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_DATA_DIR": str(private / "data"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(private / "config" / "lab" / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces"),
        "IPYTHONDIR": str(private / "ipython"),
        "OMP_NUM_THREADS": "1",
    }
    port = free_port()
    program, *options = COMMANDS[kind]
    port_option = f"--Voila.port={port}" if kind == "voila" else f"--port={port}"
    root = [str(folder)] if kind == "voila" else [f"--ServerApp.root_dir={folder}"]
    log = (private / f"{kind}.log").open("w", encoding="utf-8")
    server = subprocess.Popen(  # noqa: S603 - our own command
        [str(Path(sys.executable).parent / program), *options, port_option, *root],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(server, f"{address}/voila/static/voila.js" if kind == "voila" else f"{address}/api", log.name)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


def _wait(server: subprocess.Popen[bytes], address: str, log: str) -> None:
    for _ in range(SECONDS_TO_START * 5):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own address
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(Path(log).read_text(encoding="utf-8")[-3000:])
