from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gradcam_widgets.classifiers.downloads import REGISTRY
from tests.support.rows import set_torch

HOME_AT_START = os.environ.get("GRADCAM_WIDGETS_HOME")
FOLDER_AT_START = Path.cwd()


MARKS = {"browser": ("browser", "slow"), "notebooks": ("notebooks", "slow")}  # of the tests in a folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in MARKS.get(item.path.parent.name, ()):
            item.add_marker(mark)


@pytest.fixture(scope="session", autouse=True)
def torch_as_set() -> None:
    set_torch()


@pytest.fixture(scope="session")
def shared_cache() -> Path:
    """Where the photos' files already are: tests read from it and never write into it."""
    if not HOME_AT_START:
        absent = "GRADCAM_WIDGETS_HOME is not set: the photos are not tested here"
        if os.environ.get("GRADCAM_WIDGETS_REQUIRE_PHOTOS") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    folder = (FOLDER_AT_START / Path(HOME_AT_START).expanduser()).resolve()
    missing = [path for path in REGISTRY if not (folder / path).is_file()]
    if missing:
        pytest.fail(f"GRADCAM_WIDGETS_HOME is {folder}, which lacks {', '.join(missing)}")
    return folder


@pytest.fixture
def photo_source(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The photos, wherever the test goes."""
    monkeypatch.setenv("GRADCAM_WIDGETS_HOME", str(shared_cache))
    return shared_cache


@pytest.fixture
def imagenet_sample(shared_cache: Path) -> Path:
    """59 photographs of 59 ImageNet classes, beside the cache."""
    folder = shared_cache.parent / "imagenet_sample"
    if not (folder / "labels.csv").is_file():
        absent = f"{folder} has no labels.csv: the accuracy on photographs is not tested here"
        if os.environ.get("GRADCAM_WIDGETS_REQUIRE_PHOTOS") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    return folder


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        absent = "node is not installed: the image view's own code is not tested here"
        if os.environ.get("GRADCAM_WIDGETS_REQUIRE_BROWSER") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    return found
