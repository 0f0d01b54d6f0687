"""Latest wins: a flood of changes costs at most two answers, and the last one stands."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET_SECONDS = 0.05


class LatestWins:
    """Answers the first change at once, and what follows close upon it when it has come to rest.

    Where no event loop runs (plain Python) what follows close upon waits until it is asked for by `settle`.

    Args:
        answer: What to do; called without arguments.
        from_timer: Likewise, for the answers that nobody waits for.
    """

    def __init__(self, answer: Callable[[], None], from_timer: Callable[[], None]) -> None:
        """Remember what to do; nothing is done yet."""
        self._answer, self._from_timer = answer, from_timer
        self._stale = False
        self._last = float("-inf")  # when something changed or was answered
        self._timer: asyncio.TimerHandle | None = None

    def request(self) -> None:
        """Say that something changed."""
        self._stale = True
        self._stop_timer()
        at_rest = time.monotonic() - self._last >= QUIET_SECONDS
        self._last = time.monotonic()
        if at_rest:
            self.settle()
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(QUIET_SECONDS, self._from_timer)

    def settle(self) -> None:
        """Answer now if anything changed since the last answer."""
        self._stop_timer()
        if not self._stale:
            return
        self._stale = False
        try:
            self._answer()
        finally:
            self._last = time.monotonic()

    def stop(self) -> None:
        """Drop what has not been answered."""
        self._stop_timer()
        self._stale = False

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
