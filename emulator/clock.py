"""The emulated clock: one for the whole emulator, so that minutes of AWS cost no minutes here.

    speed 0    stands still until `advance` (tests: every timestamp is repeatable)
    speed 60   an emulated minute is a second of this machine (the server)

What happens later is scheduled, and runs when the clock has passed its time: inside `advance`, or at the next request
(`run_due`). No thread ticks in the background.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
"""Where a clock that stands still starts: a Monday morning, the same in every run."""


PENDING_SECONDS = 30.0


@dataclass(order=True, kw_only=True)
class _Entry:
    due: datetime
    number: int
    callback: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)


class Clock:
    """Safe to use from several threads. No lock is held while a callback runs, so a callback may call AWS and wait
    for other threads that do; what it schedules for a time already passed runs in the same sweep."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._running = threading.Lock()
        self._callback = threading.local()
        self.reset()

    def reset(self, *, start: datetime = EPOCH, speed: float = 0.0, pending_seconds: float = PENDING_SECONDS) -> None:
        """Forget what is scheduled and start again at `start` (timezone-aware).

        `pending_seconds` is how long new NAT gateways and interface endpoints are pending; 0: until the next request.
        """
        with self._lock:
            self.pending_seconds = pending_seconds
            self._base = start.astimezone(UTC)
            self._base_real = time.monotonic()
            self._speed = _checked_speed(speed)
            self._entries: list[_Entry] = []
            self._number = 0

    @property
    def speed(self) -> float:
        """Emulated seconds per second of this machine."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        with self._lock:
            self._base, self._base_real = self._current(), time.monotonic()
            self._speed = _checked_speed(speed)

    def now(self) -> datetime:
        """The emulated time, in UTC; inside a callback the time that it was scheduled for, however late it runs."""
        at: datetime | None = getattr(self._callback, "at", None)
        if at is not None:
            return at
        with self._lock:
            return self._current()

    def schedule(self, at: datetime | timedelta | float, callback: Callable[[], object]) -> Callable[[], None]:
        """Run `callback` at a time, or after a delay (timedelta or emulated seconds) from now. Callbacks of the same
        time run in the order in which they were scheduled. Returns a function that cancels it."""
        due = at if isinstance(at, datetime) else self.now() + _delay(at)
        with self._lock:
            self._number += 1
            entry = _Entry(due=due.astimezone(UTC), number=self._number, callback=callback)
            heapq.heappush(self._entries, entry)

        def cancel() -> None:
            entry.cancelled = True

        return cancel

    def advance(self, seconds: float) -> None:
        """Move the clock on, stopping at every scheduled time on the way to run what is due then."""
        if seconds < 0:
            raise ValueError(f"the clock does not run backwards: advance({seconds})")
        with self._lock:
            target = self._current() + timedelta(seconds=seconds)
        self._run(until=target)
        with self._lock:
            self._move_to(target)

    def run_due(self) -> None:
        """Run what is due by now. Called at every request."""
        with self._lock:
            if not self._entries:
                return
            now = self._current()
        self._run(until=now)

    def _run(self, until: datetime) -> None:
        # A callback may make requests, and each request calls run_due: the sweep in progress takes up what is new.
        if not self._running.acquire(blocking=False):
            return
        try:
            while entry := self._take(until):
                self._callback.at = entry.due
                try:
                    entry.callback()
                finally:
                    self._callback.at = None
        finally:
            self._running.release()

    def _take(self, until: datetime) -> _Entry | None:
        with self._lock:
            while self._entries and self._entries[0].due <= until:
                entry = heapq.heappop(self._entries)
                if not entry.cancelled:
                    self._move_to(entry.due)
                    return entry
            return None

    def _move_to(self, moment: datetime) -> None:
        if moment > self._current():
            self._base, self._base_real = moment, time.monotonic()

    def _current(self) -> datetime:
        if not self._speed:
            return self._base
        return self._base + timedelta(seconds=(time.monotonic() - self._base_real) * self._speed)


def _checked_speed(speed: float) -> float:
    if speed < 0:
        raise ValueError(f"the speed of the clock cannot be negative: {speed}")
    return float(speed)


def _delay(delay: timedelta | float) -> timedelta:
    return delay if isinstance(delay, timedelta) else timedelta(seconds=delay)


CLOCK = Clock()
