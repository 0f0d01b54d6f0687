from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from gradcam_widgets.errors import ImageError
from gradcam_widgets.panel import debounce
from gradcam_widgets.panel.debounce import QUIET_SECONDS, Debouncer

CHANGES = 20


@dataclass
class Clock:
    now: float = 100.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Recorder:
    """A value, and the values at which the debounced callback ran."""

    value: int = 0
    runs: list[int] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.finished = asyncio.Event()
        self.debouncer = Debouncer(self.run, self.on_timer)

    def run(self) -> None:
        self.runs.append(self.value)
        if self.error:
            raise self.error

    def on_timer(self) -> None:
        self.debouncer.flush()
        self.finished.set()

    def change(self, value: int) -> None:
        self.value = value
        self.debouncer.request()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that only the test advances; the event loop keeps its own."""
    clock = Clock()
    monkeypatch.setattr(debounce, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def recorder(clock: Clock) -> Recorder:
    assert clock.now
    return Recorder()


def test_the_first_change_runs_at_once(recorder: Recorder) -> None:
    recorder.change(1)
    assert recorder.runs == [1]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_without_a_loop_a_burst_waits_for_flush(recorder: Recorder, clock: Clock, share: float) -> None:
    for value in range(1, 1 + CHANGES):
        recorder.change(value)
        clock.now += share * QUIET_SECONDS
    assert recorder.runs == [1]
    recorder.debouncer.flush()
    assert recorder.runs == [1, CHANGES]
    recorder.debouncer.flush()
    assert recorder.runs == [1, CHANGES]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_in_a_loop_a_burst_runs_twice_and_ends_on_the_last_value(
    recorder: Recorder, clock: Clock, share: float
) -> None:
    async def burst() -> None:
        for value in range(1, 1 + CHANGES):
            recorder.change(value)
            clock.now += share * QUIET_SECONDS
            await asyncio.sleep(0)
        await recorder.finished.wait()

    asyncio.run(burst())
    assert recorder.runs == [1, CHANGES]


def test_flush_during_a_burst_runs_once_with_the_last_value(recorder: Recorder) -> None:
    async def burst() -> None:
        for value in (1, 2, 3):
            recorder.change(value)
        recorder.debouncer.flush()
        assert recorder.debouncer._timer is None
        await asyncio.sleep(2 * QUIET_SECONDS)

    asyncio.run(burst())
    assert recorder.runs == [1, 3]


def test_separate_changes_each_run_at_once(recorder: Recorder, clock: Clock) -> None:
    for value in range(5):
        recorder.change(value)
        clock.now += 2 * QUIET_SECONDS
    assert recorder.runs == [0, 1, 2, 3, 4]


def test_the_time_of_a_slow_run_is_not_quiet_time(clock: Clock) -> None:
    runs: list[float] = []

    def slow() -> None:
        clock.now += 10 * QUIET_SECONDS
        runs.append(clock.now)

    debouncer = Debouncer(slow, lambda: None)
    debouncer.request()
    debouncer.request()
    assert len(runs) == 1


def test_an_error_reaches_the_caller_and_the_next_change_runs(recorder: Recorder, clock: Clock) -> None:
    recorder.error = ImageError("No.")
    with pytest.raises(ImageError):
        recorder.change(1)
    recorder.debouncer.flush()
    assert recorder.runs == [1]
    clock.now += 2 * QUIET_SECONDS
    recorder.error = None
    recorder.change(2)
    assert recorder.runs == [1, 2]


def test_cancel_drops_the_pending_run(recorder: Recorder) -> None:
    async def burst() -> None:
        recorder.change(1)
        recorder.change(2)
        recorder.debouncer.cancel()
        recorder.debouncer.flush()
        await asyncio.sleep(2 * QUIET_SECONDS)

    asyncio.run(burst())
    assert recorder.runs == [1]
