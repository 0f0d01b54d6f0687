"""Debounce: run at once, then once more after a burst of changes has ended."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET_SECONDS = 0.05


class Debouncer:
    """Run a callback at once on the first change of a burst, and once more `QUIET_SECONDS` after the last.

    Without a running event loop (plain Python) the second run waits for `flush`.

    Args:
        callback: The work to do.
        on_timer: Called when the quiet time is over; should call `flush` and handle its errors.
    """

    def __init__(self, callback: Callable[[], None], on_timer: Callable[[], None]) -> None:
        """Store the callbacks."""
        self._callback, self._on_timer = callback, on_timer
        self._is_pending = False
        self._last = float("-inf")  # time of the last change or run
        self._timer: asyncio.TimerHandle | None = None

    def request(self) -> None:
        """Run the callback now, or later if this change is part of a burst."""
        self._is_pending = True
        self._cancel_timer()
        is_first = time.monotonic() - self._last >= QUIET_SECONDS
        self._last = time.monotonic()
        if is_first:
            self.flush()
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(QUIET_SECONDS, self._on_timer)

    def flush(self) -> None:
        """Run the callback now if a run is pending."""
        self._cancel_timer()
        if not self._is_pending:
            return
        self._is_pending = False
        try:
            self._callback()
        finally:
            self._last = time.monotonic()

    def cancel(self) -> None:
        """Drop the pending run."""
        self._cancel_timer()
        self._is_pending = False

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
