"""The guard finds what has become worse, and nothing that is only busy. No time is measured here."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.guard import Check, checks, tell
from benchmarks.measure import CPU, MODULES, PEAK, TO_ALERT, WARM_PUBLISHED, Measure, Measured, Spread
from benchmarks.results import OURS, Events, Seen, recorded

READ = "DescribeSubnets"


@pytest.fixture
def before() -> Events:
    events = recorded().events
    assert events is not None
    return events


def failed(before: Events, now: Seen) -> list[str]:
    return [one.what for one in checks(before, now) if not one.holds]


def slower(events: Events, which: Measured, times: float) -> Events:
    """With ours so many times as much of it."""
    return replace(events, cold=_slower(events.cold, which, times), warm=_slower(events.warm, which, times))


def _slower(measures: Sequence[Measure], which: Measured, times: float) -> list[Measure]:
    return [replace(one, ours=_times(one.ours, times)) if one.name == which[0] else one for one in measures]


def _times(one: Spread, times: float) -> Spread:
    return Spread(median=one.median * times, low=one.low * times, high=one.high * times, count=one.count)


def test_what_was_recorded_holds(before: Events) -> None:
    assert failed(before, before) == []


@pytest.mark.parametrize(
    ("which", "what"),
    [
        pytest.param(CPU, "cold start: CPU by the script's", id="CPU"),
        pytest.param(TO_ALERT, "cold start: time to the alert by the script's", id="time"),
        pytest.param(WARM_PUBLISHED, "warm event: time until the alert is published by the script's", id="warm"),
        pytest.param(PEAK, "most memory held", id="memory"),
        pytest.param(MODULES, "modules imported", id="modules"),
    ],
)
def test_what_takes_half_as_much_again_is_found_by_its_name(before: Events, which: Measured, what: str) -> None:
    assert failed(before, slower(before, which, 1.5)) == [what]


@pytest.mark.parametrize("which", [CPU, TO_ALERT, WARM_PUBLISHED])
def test_a_tenth_more_time_is_what_a_busy_machine_takes(before: Events, which: Measured) -> None:
    good = slower(before, which, 0.5)  # far below what is promised
    assert failed(good, slower(good, which, 1.1)) == []


def test_a_call_that_waits_for_another_is_found(before: Events) -> None:
    """As many calls as before, one of them in a round of its own."""
    name = before.event
    whole = next(one for one in before.counted if (one.event, one.program) == (name, OURS))
    rounds = [{key: times for key, times in one.items() if key != READ} for one in whole.rounds]
    later = replace(whole, rounds=[rounds[0], {READ: 1}, *rounds[1:]], to_alert=whole.to_alert + 1)
    assert later.calls == whole.calls
    now = replace(before, counted=[later if one is whole else one for one in before.counted])
    assert failed(before, now) == [f"{name}: rounds to the alert", f"{name}: rounds"]


def test_one_call_less_is_told_too_for_it_should_be_recorded(before: Events) -> None:
    whole = before.of(OURS)
    fewer = replace(whole, rounds=[{k: n for k, n in one.items() if k != READ} for one in whole.rounds])
    now = replace(before, counted=[fewer if one is whole else one for one in before.counted])
    assert failed(before, now) == [f"{before.event}: calls"]


@pytest.mark.parametrize(("name", "what"), [("layer", "layer, zipped"), ("validate_network", None)])
def test_what_has_grown_by_a_fifth_is_found(before: Events, name: str, what: str | None) -> None:
    now = replace(before, sizes={**before.sizes, name: round(before.sizes[name] * 1.2)})
    assert failed(before, now) == [what or f"function {name}, zipped"]


def test_a_limit_holds_whatever_was_recorded(before: Events) -> None:
    near = replace(before, sizes={**before.sizes, "layer": 5_900_000})
    assert failed(near, replace(near, sizes={**near.sizes, "layer": 6_100_000})) == ["layer, zipped"]


def test_what_does_not_hold_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    holds = Check(what="calls", recorded=15, now=15, most=15, unit="", todo="see there", exact=True)
    assert tell([holds]) == 0
    assert "see there" not in capsys.readouterr().out
    assert tell([holds, replace(holds, what="rounds", now=16)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "rounds: 16, recorded were 15: see there"
