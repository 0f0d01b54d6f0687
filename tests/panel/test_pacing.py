from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from gradcam_widgets.errors import ImageError
from gradcam_widgets.panel import pacing
from gradcam_widgets.panel.pacing import QUIET_SECONDS, LatestWins

CHANGES = 20


@dataclass
class Clock:
    now: float = 100.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Asked:
    """What changes, the answers that were given, and who paces them."""

    value: int = 0
    answers: list[int] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.at_rest = asyncio.Event()
        self.pace = LatestWins(self.answer, self.from_timer)

    def answer(self) -> None:
        self.answers.append(self.value)
        if self.error:
            raise self.error

    def from_timer(self) -> None:
        self.pace.settle()
        self.at_rest.set()

    def change(self, value: int) -> None:
        self.value = value
        self.pace.request()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that stands still unless the test moves it; the event loop keeps its own."""
    clock = Clock()
    monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def asked(clock: Clock) -> Asked:
    assert clock.now
    return Asked()


def test_the_first_change_is_answered_at_once(asked: Asked) -> None:
    asked.change(1)
    assert asked.answers == [1]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_without_a_loop_a_flood_waits_until_it_is_asked_for(asked: Asked, clock: Clock, share: float) -> None:
    for value in range(1, 1 + CHANGES):
        asked.change(value)
        clock.now += share * QUIET_SECONDS
    assert asked.answers == [1]
    asked.pace.settle()
    assert asked.answers == [1, CHANGES]
    asked.pace.settle()
    assert asked.answers == [1, CHANGES]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_in_a_loop_a_flood_costs_two_answers_and_ends_on_the_last_value(
    asked: Asked, clock: Clock, share: float
) -> None:
    async def flood() -> None:
        for value in range(1, 1 + CHANGES):
            asked.change(value)
            clock.now += share * QUIET_SECONDS
            await asyncio.sleep(0)
        await asked.at_rest.wait()

    asyncio.run(flood())
    assert asked.answers == [1, CHANGES]


def test_in_a_loop_who_reads_meanwhile_has_the_last_value_and_nothing_is_answered_twice(asked: Asked) -> None:
    async def flood() -> None:
        for value in (1, 2, 3):
            asked.change(value)
        asked.pace.settle()
        assert asked.pace._timer is None
        await asyncio.sleep(2 * QUIET_SECONDS)

    asyncio.run(flood())
    assert asked.answers == [1, 3]


def test_changes_that_come_one_by_one_are_each_answered_at_once(asked: Asked, clock: Clock) -> None:
    for value in range(5):
        asked.change(value)
        clock.now += 2 * QUIET_SECONDS
    assert asked.answers == [0, 1, 2, 3, 4]


def test_a_slow_answer_does_not_count_as_rest(clock: Clock) -> None:
    answers: list[float] = []

    def slow() -> None:
        clock.now += 10 * QUIET_SECONDS
        answers.append(clock.now)

    pace = LatestWins(slow, lambda: None)
    pace.request()
    pace.request()
    assert len(answers) == 1


def test_an_error_reaches_who_changed_and_the_next_change_is_answered(asked: Asked, clock: Clock) -> None:
    asked.error = ImageError("No.")
    with pytest.raises(ImageError):
        asked.change(1)
    asked.pace.settle()
    assert asked.answers == [1]
    clock.now += 2 * QUIET_SECONDS
    asked.error = None
    asked.change(2)
    assert asked.answers == [1, 2]


def test_stopping_drops_what_waits(asked: Asked) -> None:
    async def flood() -> None:
        asked.change(1)
        asked.change(2)
        asked.pace.stop()
        asked.pace.settle()
        await asyncio.sleep(2 * QUIET_SECONDS)

    asyncio.run(flood())
    assert asked.answers == [1]
