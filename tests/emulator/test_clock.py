from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from emulator.clock import EPOCH, Clock


def seconds(clock: Clock) -> float:
    return (clock.now() - EPOCH).total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of this machine's clock, in the one element of a list."""
    reading = [1000.0]
    monkeypatch.setattr("emulator.clock.time.monotonic", lambda: reading[0])
    return reading


def test_it_stands_still_until_it_is_advanced(clock: Clock) -> None:
    assert clock.now() == clock.now() == datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    clock.advance(90)
    assert clock.now() == datetime(2026, 11, 2, 9, 1, 30, tzinfo=UTC)


def test_at_speed_60_a_second_here_is_a_minute_there(real: list[float]) -> None:
    clock = Clock()
    clock.reset(speed=60)
    real[0] += 2
    assert seconds(clock) == 120


def test_a_change_of_speed_keeps_the_time_that_has_passed(real: list[float]) -> None:
    clock = Clock()
    clock.reset(speed=60)
    real[0] += 1
    clock.speed = 0
    real[0] += 5
    assert seconds(clock) == 60
    clock.speed = 2
    real[0] += 5
    assert (seconds(clock), clock.speed) == (70, 2)


def test_callbacks_run_at_their_times_and_in_order(clock: Clock) -> None:
    ran: list[tuple[str, float]] = []

    def note(what: str) -> None:
        ran.append((what, seconds(clock)))

    clock.schedule(30, lambda: note("later"))
    clock.schedule(timedelta(seconds=10), lambda: note("first"))
    clock.schedule(EPOCH + timedelta(seconds=10), lambda: note("second of the same time"))
    clock.schedule(31, lambda: note("not yet"))
    clock.advance(30)
    assert ran == [("first", 10), ("second of the same time", 10), ("later", 30)]
    assert seconds(clock) == 30


def test_what_a_callback_schedules_within_the_time_advanced_runs_too(clock: Clock) -> None:
    ran: list[float] = []

    def first() -> None:
        ran.append(seconds(clock))
        clock.schedule(15, lambda: ran.append(seconds(clock)))
        clock.schedule(100, lambda: ran.append(seconds(clock)))

    clock.schedule(5, first)
    clock.advance(20)
    assert ran == [5, 20]


def test_a_callback_that_is_run_late_sees_the_time_it_was_due(real: list[float]) -> None:
    clock = Clock()
    clock.reset(speed=60)
    ran: list[float] = []
    clock.schedule(60, lambda: ran.append(seconds(clock)))
    clock.run_due()
    assert ran == []
    real[0] += 10
    clock.run_due()
    assert ran == [60]
    assert seconds(clock) == 600


def test_what_is_cancelled_does_not_run(clock: Clock) -> None:
    ran: list[str] = []
    cancel = clock.schedule(1, lambda: ran.append("cancelled"))
    clock.schedule(1, lambda: ran.append("kept"))
    cancel()
    clock.advance(1)
    assert ran == ["kept"]


def test_a_callback_may_wait_for_a_thread_that_uses_the_clock(clock: Clock) -> None:
    """The listeners of events call AWS from pools of threads, and each request looks at the clock."""
    seen: list[float] = []

    def request() -> None:
        clock.run_due()
        seen.append(seconds(clock))

    def callback() -> None:
        thread = Thread(target=request)
        thread.start()
        thread.join(timeout=5)

    clock.schedule(7, callback)
    clock.advance(10)
    assert seen == [7]


def test_after_a_callback_that_fails_the_clock_goes_on(clock: Clock) -> None:
    ran: list[float] = []

    def fail() -> None:
        raise LookupError("no such service")

    clock.schedule(1, fail)
    clock.schedule(2, lambda: ran.append(seconds(clock)))
    with pytest.raises(LookupError, match="no such service"):
        clock.advance(5)
    clock.advance(1)
    assert ran == [2]


def test_a_reset_forgets_what_was_scheduled(clock: Clock) -> None:
    ran: list[str] = []
    clock.schedule(1, lambda: ran.append("forgotten"))
    clock.advance(0.5)
    start = datetime(2020, 2, 29, tzinfo=UTC)
    clock.reset(start=start, speed=0)
    clock.advance(10)
    assert ran == []
    assert clock.now() == start + timedelta(seconds=10)


def test_time_does_not_run_backwards(clock: Clock) -> None:
    with pytest.raises(ValueError, match="does not run backwards"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="cannot be negative"):
        clock.speed = -1
