"""The lessons: what is committed, and that it comes out again in both sources."""

from __future__ import annotations

import base64
import copy
import io
import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest
from PIL import Image

from tests.support.lessons import (
    LESSONS,
    MAX_BYTES,
    MAX_BYTES_ABOVE_TORCH,
    SANITIZERS,
    SCENE,
    changed_images,
    complaints,
    memory_of_torch,
    read,
    run,
    two_at_a_time,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from tests.support.lessons import Run

MAX_SANITIZERS = 3
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def chosen(request: pytest.FixtureRequest, test: str) -> list[Path]:
    """Return the lessons that a test was selected for, so that no other is run."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == test]
    return [cast("Path", item.callspec.params["lesson"]) for item in items]


@pytest.fixture(scope="module")
def in_scenes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[Path, Future[Run]]]:
    """All lessons with the scenes, as somebody has it who has just cloned the repository and is offline."""
    with two_at_a_time(
        {
            lesson: partial(run, lesson, tmp_path_factory.mktemp("scenes"), SCENE, compare=True)
            for lesson in chosen(request, test_the_scene_source_puts_out_what_is_committed.__name__)
        }
    ) as runs:
        yield runs


@pytest.fixture(scope="module")
def in_photos(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_cache: Path
) -> Iterator[Mapping[Path, Future[Run]]]:
    """All lessons with the photos, every cell with its assertions."""
    environment = {"GRADCAM_WIDGETS_SOURCE": "photos", "GRADCAM_WIDGETS_HOME": str(shared_cache)}
    with two_at_a_time(
        {
            lesson: partial(run, lesson, tmp_path_factory.mktemp("photos"), environment, compare=False)
            for lesson in chosen(request, test_every_claim_holds_in_the_photo_source.__name__)
        }
    ) as runs:
        yield runs


def cells(lesson: Path) -> int:
    return sum(cell["cell_type"] == "code" for cell in read(lesson)["cells"])


def check(done: Run, lesson: Path) -> None:
    assert not done.failed, done.log
    assert done.passed == cells(lesson) > 0, done.log
    assert done.blocked == ()
    assert 0 < done.peak - memory_of_torch() < MAX_BYTES_ABOVE_TORCH


@every_lesson
def test_the_scene_source_puts_out_what_is_committed(lesson: Path, in_scenes: Mapping[Path, Future[Run]]) -> None:
    done = in_scenes[lesson].result()
    check(done, lesson)
    assert changed_images(done, lesson) == {}


@every_lesson
def test_every_claim_holds_in_the_photo_source(lesson: Path, in_photos: Mapping[Path, Future[Run]]) -> None:
    check(in_photos[lesson].result(), lesson)


def test_there_are_lessons() -> None:
    assert LESSONS


@every_lesson
def test_a_committed_lesson_holds_what_it_should_and_nothing_else(lesson: Path) -> None:
    assert complaints(read(lesson)) == []
    assert lesson.stat().st_size < MAX_BYTES


# What nbval sees of a run, and what is looked at besides


def flat(color: tuple[int, int, int]) -> str:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), color).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


SHOW_RED = "from PIL import Image\nImage.new('RGB', (32, 32), (200, 60, 60))"
ASK = """
import urllib.request
try:
    urllib.request.urlopen("http://example.org/weights.pth", timeout=1)
except OSError:
    print("never mind")
"""


def test_a_run_tells_what_differs_from_what_is_committed(tmp_path: Path) -> None:
    def cell(source: str, output: dict[str, Any]) -> Any:
        return {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": source, "outputs": [output]}

    def said(text: str) -> Any:
        return {"output_type": "stream", "name": "stdout", "text": text}

    def shown(color: tuple[int, int, int]) -> dict[str, Any]:
        data = {"text/plain": "<PIL.Image.Image image mode=RGB size=32x32>", "image/png": flat(color)}
        return {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}

    cells = [
        cell("print(0.25)", said("0.25\n")),
        cell("print(0.25)", said("0.75\n")),
        cell("assert False", said("")),
        cell(ASK, said("never mind\n")),
        cell(SHOW_RED, shown((200, 60, 60))),
        cell(SHOW_RED, shown((60, 60, 200))),
    ]
    lesson = tmp_path / "wrong.ipynb"
    lesson.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}), encoding="utf-8"
    )
    done = run(lesson, tmp_path / "run", {}, compare=True)
    assert done.failed == (2, 3), done.log
    assert done.passed == 4
    assert done.blocked == ("example.org",)
    assert set(changed_images(done, lesson)) == {2}
    lax = run(lesson, tmp_path / "lax", {}, compare=False)
    assert lax.failed == (3,), lax.log


# Each way to spoil a lesson is seen


def image_of(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


def state(lesson: Any) -> None:
    lesson["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}


def live_view(lesson: Any) -> None:
    first_output(lesson)["data"] = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}


def path_in_an_output(lesson: Any) -> None:
    first_output(lesson)["data"] = {"text/plain": ["PosixPath('/home/ada/lesson.png')"]}


def path_in_the_source(lesson: Any) -> None:
    code(lesson)[0]["source"] += "\nopen('/mnt/data.csv')"


def path_of_windows(lesson: Any) -> None:
    code(lesson)[0]["source"] += "\nopen(r'C:\\Users\\ada\\data.csv')"


def cell_run_twice(lesson: Any) -> None:
    code(lesson)[0]["execution_count"] = 7


def cell_not_run(lesson: Any) -> None:
    code(lesson)[-1]["execution_count"] = None


def error(lesson: Any) -> None:
    broken = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}
    code(lesson)[0]["outputs"].append(broken)


def warning(lesson: Any) -> None:
    code(lesson)[0]["outputs"].append({"output_type": "stream", "name": "stderr", "text": ["UserWarning: 1.0"]})


def too_large(lesson: Any) -> None:
    first_output(lesson)["data"]["image/png"] = image_of(MAX_BYTES)


def vector_graphics(lesson: Any) -> None:
    first_output(lesson)["data"]["image/svg+xml"] = "<svg/>"


def page_of_text(lesson: Any) -> None:
    first_output(lesson)["data"]["text/html"] = "<p>long</p>" * 10_000


def without_images(lesson: Any) -> None:
    for cell in code(lesson):
        for output in cell["outputs"]:
            for kind in ("image/jpeg", "image/png"):
                output.get("data", {}).pop(kind, None)


def without_numbers(lesson: Any) -> None:
    for cell in code(lesson):
        cell["outputs"] = [output for output in cell["outputs"] if "image/jpeg" in output.get("data", {})]
        for output in cell["outputs"]:
            output["data"]["text/plain"] = "an image, scenes"
            output["metadata"] = {}


def photographs(lesson: Any) -> None:
    first_output(lesson)["data"]["text/plain"] = "Sample(photos, 224×224, squeezenet_675kb, submarine)"


def no_source(lesson: Any) -> None:
    for cell in code(lesson):
        for output in cell["outputs"]:
            if "data" in output:
                output["data"]["text/plain"] = "Sample"


def ignored(lesson: Any) -> None:
    code(lesson)[0]["source"] = "# NBVAL_IGNORE_OUTPUT\n1"


def ignored_by_tag(lesson: Any) -> None:
    code(lesson)[0]["metadata"]["tags"] = ["nbval-skip"]


def code(lesson: Any) -> list[Any]:
    return [cell for cell in lesson["cells"] if cell["cell_type"] == "code"]


def first_output(lesson: Any) -> Any:
    return next(output for cell in code(lesson) for output in cell["outputs"] if "data" in output)


@pytest.fixture(scope="module")
def sound() -> Any:
    """A small lesson without a flaw."""

    def cell(number: int, source: str, *shown: dict[str, Any]) -> dict[str, Any]:
        return {
            "cell_type": "code",
            "metadata": {},
            "execution_count": number,
            "source": source,
            "outputs": list(shown),
        }

    data = {"text/plain": "Sample(scenes, 224×224)", "image/jpeg": image_of(100)}
    return {
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": "See https://example.org/home/ and / and 7/9."},
            cell(
                1,
                "samples.submarine()",
                {"output_type": "execute_result", "metadata": {"image/jpeg": {"alt": "a map"}}, "data": data},
            ),
            cell(2, "print(0.25)", {"output_type": "stream", "name": "stdout", "text": ["0.25\n"]}),
        ],
    }


def test_a_sound_lesson_raises_no_complaint(sound: Any) -> None:
    assert complaints(sound) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (state, "widget state"),
        (live_view, "widget-view"),
        (path_in_an_output, "a path of one machine: /home/"),
        (path_in_the_source, "a path of one machine in the text: /mnt/"),
        (path_of_windows, "a path of one machine in the text: C:"),
        (cell_run_twice, "not executed from top to bottom"),
        (cell_not_run, "not executed from top to bottom"),
        (error, "an error, ValueError"),
        (warning, "stderr"),
        (too_large, "bytes"),
        (vector_graphics, "image/svg"),
        (page_of_text, "characters of text"),
        (without_images, "no image"),
        (without_numbers, "no numbers"),
        (photographs, "photos"),
        (no_source, "nothing that says it is the scenes'"),
        (ignored, "hidden from the comparison"),
        (ignored_by_tag, "hidden from the comparison"),
    ],
)
def test_a_spoilt_lesson_is_rejected(spoil: Callable[[Any], None], said: str, sound: Any) -> None:
    spoilt = copy.deepcopy(sound)
    spoil(spoilt)
    assert any(said in complaint for complaint in complaints(spoilt)), complaints(spoilt)


def test_sanitizers_are_few_and_each_says_why() -> None:
    lines = [line for line in SANITIZERS.read_text(encoding="utf-8").splitlines() if line]
    sections = [i for i, line in enumerate(lines) if re.fullmatch(r"\[\w+\]", line)]
    assert len(sections) == sum(line.startswith("regex:") for line in lines) <= MAX_SANITIZERS
    for i in sections:
        assert re.match(r"# \w+", lines[i + 1]), f"{lines[i]} does not say why"
