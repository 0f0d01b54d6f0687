"""A core that is broken on purpose turns a lesson red, and the tests of its maps: each mutation, and what caught it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.samples.test_baselines import check, check_overlay
from tests.support.lessons import SCENE, changed_images, numbered, run, two_at_a_time
from tests.support.mutations import MUTATIONS, TIMES, WALKTHROUGHS, mutate
from tests.tools.make_baselines import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from tests.support.lessons import Run

# Of the elephants' model: hidden layers follow its map, so that no two of the methods are the same there.
LESSON = numbered("02")
OF_LOOKS_ONLY = {"map's colors swapped", "overlay's colors swapped"}
UNBROKEN = ""
SCENES = [name for source, name in TARGETS if source == "scenes"]


@dataclass(frozen=True)
class Caught:
    """What turned red, by what saw it."""

    cells: tuple[int, ...]
    images: tuple[int, ...]
    maps: tuple[str, ...]
    overlays: tuple[str, ...]


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Run]]]:
    wanted = test_what_is_broken_turns_red.__name__
    items = [
        item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == wanted
    ]
    chosen = [UNBROKEN, *(str(item.callspec.params["name"]) for item in items)]
    with two_at_a_time(
        {
            name: partial(run, LESSON, tmp_path_factory.mktemp("broken"), SCENE, compare=True, mutation=name)
            for name in chosen
        }
    ) as started:
        yield started


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[dict[str, Caught]]:
    """What caught which mutation, printed at the end."""
    caught: dict[str, Caught] = {}
    yield caught
    lines = [f"{'broken':32}{'cells of ' + LESSON.stem:26}{'its images':16}{'maps':32}overlays"]
    lines += [
        f"{name:32}{listed(found.cells):26}{listed(found.images):16}{listed(found.maps):32}{listed(found.overlays)}"
        for name, found in caught.items()
    ]
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        print("", *lines, sep="\n")  # noqa: T201 - the table is the point


def listed(what: tuple[object, ...]) -> str:
    return ", ".join(map(str, what)) or "-"


def red(check_one: Callable[[str, str], None]) -> tuple[str, ...]:
    """Return the walkthroughs that fail a check."""
    return tuple(name for name in SCENES if fails(check_one, name))


def fails(check_one: Callable[[str, str], None], name: str) -> bool:
    try:
        check_one("scenes", name)
    except AssertionError:
        return True
    return False


def test_nothing_is_red_while_nothing_is_broken(runs: Mapping[str, Future[Run]]) -> None:
    done = runs[UNBROKEN].result()
    assert not done.failed, done.log
    assert done.passed > 0
    assert changed_images(done, LESSON) == {}
    assert red(check) == red(check_overlay) == ()


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_broken_turns_red(name: str, runs: Mapping[str, Future[Run]], table: dict[str, Caught]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        mutate(name, patch)
        maps, overlays = red(check), red(check_overlay)
    done = runs[name].result()
    assert done.passed + len(done.failed) > 0, done.log
    caught = table[name] = Caught(done.failed, tuple(changed_images(done, LESSON)), maps, overlays)
    if name in OF_LOOKS_ONLY:
        # nbval compares no images, and no number changes: test_notebooks.py and test_baselines.py look at colors
        assert caught.cells == ()
        assert caught.maps == ()
        assert caught.images
        assert caught.overlays == tuple(SCENES)
    else:
        assert caught.cells
        assert caught.maps


@pytest.mark.parametrize("model", WALKTHROUGHS)
def test_a_channel_scaled_by_a_fiftieth_turns_its_lesson_red(model: str, tmp_path: Path) -> None:
    """tools/sensitivity.py measures the smallest change that is seen."""
    number, *_ = WALKTHROUGHS[model]
    done = run(numbered(number), tmp_path, SCENE, compare=True, mutation=f"{model}{TIMES}1.02")
    assert done.failed
    assert done.passed
    assert ": differs by " in done.log


def test_mutations_are_undone() -> None:
    for name in [*MUTATIONS, *(f"{model}{TIMES}2" for model in WALKTHROUGHS)]:
        with pytest.MonkeyPatch.context() as patch:
            mutate(name, patch)
    assert red(check) == red(check_overlay) == ()
