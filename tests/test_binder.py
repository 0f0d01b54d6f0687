"""Binder, as far as it can be tried without one: repo2docker's files, a build answered locally, lessons afterwards."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from gradcam_widgets.classifiers.downloads import REGISTRY
from tests.support import ROOT
from tests.support.lessons import LESSONS, MAX_BYTES_ABOVE_TORCH, memory_of_torch, run

pytestmark = pytest.mark.slow

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"
ITSELF = "-e .[lab]"
LARGEST = LESSONS[-1]  # that of one's own model, which is trained
MIB = 2**20
PYTHON = Path(sys.executable)


def lines(name: str) -> list[str]:
    """Return what a file says without its comments."""
    read = (BINDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in read if line and not line.startswith("#")]


# The files


def test_there_are_only_files_that_repo2docker_reads() -> None:
    assert {path.name for path in BINDER.iterdir()} == {"requirements.txt", "runtime.txt", "postBuild", "start"}


def test_the_package_says_what_is_installed_and_nothing_says_it_again() -> None:
    assert lines("requirements.txt") == [CPU_INDEX, ITSELF]
    assert {Requirement(each).name for each in PROJECT["optional-dependencies"]["lab"]} >= {"jupyterlab"}
    assert {Requirement(each).name for each in PROJECT["dependencies"]} >= {"torch", "torchvision", "anywidget"}


def test_python_is_one_that_the_package_is_made_for() -> None:
    (runtime,) = lines("runtime.txt")
    found = re.fullmatch(r"python-(3\.\d+)", runtime)
    assert found
    assert found[1] in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {found[1]}" in PROJECT["classifiers"]


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_can_be_run(name: str) -> None:
    path = BINDER / name
    assert os.access(path, os.X_OK)
    assert path.read_text(encoding="utf-8").startswith("#!/bin/bash\n")
    subprocess.run(["bash", "-n", str(path)], check=True)  # noqa: S603, S607 - ours


def test_start_passes_its_arguments_and_one_thread_a_library() -> None:
    told = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"
    done = subprocess.run(  # noqa: S603 - ours
        [str(BINDER / "start"), sys.executable, "-c", told, "two words", "*"],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    arguments, environment = json.loads(done.stdout)
    assert arguments == ["two words", "*"]
    assert {name: value for name, value in environment.items() if name.endswith("_NUM_THREADS")} == {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def test_the_badge_opens_a_lesson_in_jupyterlab() -> None:
    guide = (ROOT / "notebooks" / "guide" / "install.md").read_text(encoding="utf-8")
    opened = re.findall(r"https://mybinder\.org/v2/\S*\?urlpath=lab/tree/(\S+?)`", guide)
    assert opened
    for path in opened:
        assert (ROOT / path).is_file()


# What pip makes of them


def wheel(folder: Path, name: str, version: str, requires: Sequence[str] = (), extras: Sequence[str] = ()) -> None:
    """Write a wheel with nothing in it but its metadata."""
    said = Message()
    for key, value in [("Metadata-Version", "2.1"), ("Name", name), ("Version", version)]:
        said[key] = value
    for each in requires:
        said["Requires-Dist"] = each
    for extra in extras:
        said["Provides-Extra"] = extra
    stem = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as file:
        file.writestr(f"{stem}.dist-info/METADATA", said.as_string())
        file.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{stem}.dist-info/RECORD", "")


def chosen_by_pip(folder: Path, requirements: str) -> dict[str, str]:
    """Return the versions that pip would install from the wheels in a folder."""
    (folder / "requirements.txt").write_text(requirements, encoding="utf-8")
    options = ["--dry-run", "--ignore-installed", "--no-index", "--quiet", "--find-links", str(folder)]
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "pip", "install", *options, "--report", "-", "-r", str(folder / "requirements.txt")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    installed = [each["metadata"] for each in json.loads(done.stdout)["install"]]
    return {canonicalize_name(each["name"]): each["version"] for each in installed}


def test_pip_takes_builds_for_the_cpu_that_match(tmp_path: Path) -> None:
    """Both indexes in one folder, with a release of torch for which there is no torchvision yet."""
    lab = PROJECT["optional-dependencies"]["lab"]
    requires = [*PROJECT["dependencies"], *(f'{each}; extra == "lab"' for each in lab)]
    wheel(tmp_path, PROJECT["name"], "0.1", requires, ["lab"])
    for each in map(Requirement, [*PROJECT["dependencies"], *lab]):
        if each.name not in ("torch", "torchvision"):
            wheel(tmp_path, each.name, next(iter(each.specifier)).version)
    for local in ("", "+cpu"):
        for torch in ("2.14.0", "2.15.0", "2.16.0"):
            wheel(tmp_path, "torch", torch + local)
        for torch, torchvision in (("2.14.0", "0.29.0"), ("2.15.0", "0.30.0")):
            wheel(tmp_path, "torchvision", torchvision + local, [f"torch=={torch}"])
    requirements = (BINDER / "requirements.txt").read_text(encoding="utf-8")
    assert ITSELF in requirements
    chosen = chosen_by_pip(tmp_path, requirements.replace(ITSELF, f"{PROJECT['name']}[lab]"))
    assert (chosen["torch"], chosen["torchvision"]) == ("2.15.0+cpu", "0.30.0+cpu")
    named = {canonicalize_name(Requirement(each).name) for each in [*PROJECT["dependencies"], *lab]}
    assert set(chosen) == named | {canonicalize_name(PROJECT["name"])}


# What is built, and what runs afterwards


class Answers(ThreadingHTTPServer):
    """Answers for the addresses in the registry with the files of a cache folder, and notes what it is asked for."""

    def __init__(self, cache: Path) -> None:
        self.files = {download.url: cache / path for path, download in REGISTRY.items()}
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        url = self.path.removeprefix("/")
        self.server.asked.append(url)
        if url not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[url].read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def answers(shared_cache: Path) -> Iterator[Answers]:
    with Answers(shared_cache) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


REDIRECT = """
import requests

plain = requests.adapters.HTTPAdapter.send

def send(self, request, *arguments, **options):
    request.url = "http://127.0.0.1:{port}/" + request.url
    return plain(self, request, *arguments, **options)

requests.adapters.HTTPAdapter.send = send
"""


@pytest.fixture(scope="module")
def home(answers: Answers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder that postBuild leaves behind, in an environment that knows nothing else."""
    home, redirect = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("redirect")
    (redirect / "sitecustomize.py").write_text(REDIRECT.format(port=answers.server_port), encoding="utf-8")
    subprocess.run(  # noqa: S603 - ours
        [str(BINDER / "postBuild")],
        cwd=ROOT,
        env=clean(home) | {"PYTHONPATH": str(redirect)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return home


def clean(home: Path) -> dict[str, str]:
    return {"PATH": f"{PYTHON.parent}{os.pathsep}{os.defpath}", "HOME": str(home), "LANG": "C.UTF-8"}


def test_the_build_fetches_every_file_once(home: Path, answers: Answers) -> None:
    assert sorted(answers.asked) == sorted(download.url for download in REGISTRY.values())
    cache = home / ".cache" / "gradcam_widgets"
    found = {path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file()}
    assert found == set(REGISTRY)
    assert list((home / ".cache" / "matplotlib").glob("fontlist-*.json"))


def test_jupyterlab_asks_for_no_news(home: Path) -> None:
    settings = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    assert json.loads(settings.read_text(encoding="utf-8")) == {"fetchNews": "false", "checkForUpdates": False}


def test_a_build_that_cannot_fetch_fails(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REDIRECT.format(port=9), encoding="utf-8")  # where nobody answers
    done = subprocess.run(  # noqa: S603 - ours
        [str(BINDER / "postBuild")],
        cwd=ROOT,
        env=clean(tmp_path) | {"PYTHONPATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Cannot download" in done.stderr


def test_after_the_build_the_samples_are_photographs(home: Path) -> None:
    asked = "from gradcam_widgets.samples.source import choose_source; print(choose_source())"
    done = subprocess.run([sys.executable, "-c", asked], env=clean(home), check=True, capture_output=True, text=True)  # noqa: S603 - ours
    assert done.stdout.splitlines() == ["Samples: photographs (from the cache).", "photos"]


def test_after_the_build_a_lesson_needs_no_internet_nor_a_gibibyte(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_said = dict.fromkeys(("GRADCAM_WIDGETS_SOURCE", "GRADCAM_WIDGETS_HOME", "TORCH_HOME"), "")
    started = subprocess.run(  # noqa: S603 - ours
        [str(BINDER / "start"), "env"], env=clean(home), check=True, capture_output=True, text=True
    )
    environment = dict(line.split("=", 1) for line in started.stdout.splitlines()) | nothing_said
    done = run(LARGEST, tmp_path / "lesson", environment, compare=False)
    assert not done.failed, done.log
    assert done.passed > 0
    assert done.blocked == ()
    above = done.peak - memory_of_torch()
    with capsys.disabled():
        print(  # noqa: T201 - promised
            f"\n{LARGEST.stem} as on Binder: at most {done.peak / MIB:.0f} MiB, {above / MIB:.0f} MiB more than "
            f"`import torch`"
        )
    assert 0 < above < MAX_BYTES_ABOVE_TORCH
