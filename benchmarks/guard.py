"""`make bench-guard`: whether an event costs more than benchmarks/recorded.json has it.

Times are compared as ratios to the bare script's of the same run, and may be worse by what a busy machine makes of
them; a ratio that is too large is measured again before it counts. What a machine has no part in has to be as it was.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from benchmarks.build import BuildFailed
from benchmarks.events import COLD, WARM, Subjects, subjects
from benchmarks.measure import (
    CPU,
    MODULES,
    PEAK,
    TO_ALERT,
    WARM_PUBLISHED,
    Bench,
    Measure,
    Measured,
    Unmeasurable,
    bench,
    compare,
    found,
    in_turns,
)
from benchmarks.page import MOST_CPU, MOST_FUNCTION, MOST_LAYER, MOST_MEMORY, MOST_WALL
from benchmarks.results import OURS, Counted, Events, Seen, recorded

_COLD_RUNS, _WARM_RUNS, _AGAIN = 7, 3, 4
_BUSY = 1.3  # times as much as was recorded, or as is promised, may be what else the machine does
_GROWN = 1.1  # of sizes and memory, which hardly differ from run to run
_MORE_IMPORTED = 1.05
_ANEW = "if it is meant, record it anew: make bench ARGS='--part events --write'"


@dataclass(frozen=True, kw_only=True)
class Check:
    """A figure that was recorded and is measured now. It may be `most` at most; where that is exact, no less either."""

    what: str
    recorded: float
    now: float
    most: float
    unit: Literal["", "ratio", "MB", "KB"]
    todo: str
    exact: bool = False
    timed: bool = False

    @property
    def holds(self) -> bool:
        return self.now == self.most if self.exact else self.now <= self.most

    def told(self, number: float) -> str:
        match self.unit:
            case "":
                return f"{number:.0f}"
            case "ratio":
                return f"{number:.3f}"
            case unit:
                return f"{number:.2f} {unit}"


def checks(before: Events, now: Seen) -> list[Check]:
    """Everything that is compared."""
    return [
        *_counted(before.counted, now.counted),
        *_sizes(before, now),
        *_of_a_start(before, now),
        *_timed(before, now),
    ]


def _counted(before: Sequence[Counted], now: Sequence[Counted]) -> list[Check]:
    todo = f"tests/contract/test_budget.py has who asks what; {_ANEW}"
    was = {one.event: one for one in before if one.program == OURS}
    made = []
    for one in now:
        if one.program == OURS and one.event in was:
            numbers = (
                ("calls", was[one.event].calls, one.calls),
                ("rounds to the alert", was[one.event].to_alert, one.to_alert),
                ("rounds", len(was[one.event].rounds), len(one.rounds)),
            )
            made += [
                Check(what=f"{one.event}: {what}", recorded=old, now=new, most=old, unit="", todo=todo, exact=True)
                for what, old, new in numbers
            ]
    return made


def _sizes(before: Events, now: Seen) -> list[Check]:
    made = []
    for name, size in now.sizes.items():
        is_layer = name == "layer"
        limit = MOST_LAYER if is_layer else MOST_FUNCTION
        old = before.sizes.get(name, limit)
        scale, unit = (1e6, "MB") if is_layer else (1e3, "KB")
        made.append(
            Check(
                what=f"{name}, zipped" if is_layer else f"function {name}, zipped",
                recorded=old / scale,
                now=size / scale,
                most=min(old * _GROWN, limit) / scale,
                unit="MB" if unit == "MB" else "KB",
                todo=f"layers/guardrails/prune.py says what is shipped; {_ANEW}",
            )
        )
    return made


def _of_a_start(before: Events, now: Seen) -> list[Check]:
    modules, was = found(now.cold, MODULES), found(before.cold, MODULES)
    made = [
        Check(
            what="modules imported",
            recorded=was.ours.median,
            now=modules.ours.median,
            most=was.ours.median * _MORE_IMPORTED,
            unit="",
            todo=f"import where it is used what this event does not need (python -X importtime); {_ANEW}",
        )
    ]
    if {PEAK[0]} <= {one.name for one in now.cold} & {one.name for one in before.cold}:
        peak, old = found(now.cold, PEAK).ours.median, found(before.cold, PEAK).ours.median
        made.append(
            Check(
                what=PEAK[0],
                recorded=old,
                now=peak,
                most=min(old * _GROWN, MOST_MEMORY),
                unit="MB",
                todo=f"see what is imported and kept; {_ANEW}",
            )
        )
    return made


def _timed(before: Events, now: Seen) -> list[Check]:
    return [
        _ratio("cold start: CPU by the script's", CPU, before.cold, now.cold, MOST_CPU),
        _ratio("cold start: time to the alert by the script's", TO_ALERT, before.cold, now.cold, MOST_WALL),
        _ratio("warm event: time until the alert is published by the script's", WARM_PUBLISHED, before.warm, now.warm),
    ]


def _ratio(
    what: str, measured: Measured, before: Sequence[Measure], now: Sequence[Measure], promised: float = 1.0
) -> Check:
    old, new = found(before, measured).ratio, found(now, measured).ratio
    return Check(
        what=what,
        recorded=old,
        now=new,
        most=min(old, promised) * _BUSY,
        unit="ratio",
        todo=f"python -m benchmarks.cold has the parts, python -X importtime the imports; {_ANEW}",
        timed=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__).parse_args(arguments)
    if not (before := recorded().events):
        print("benchmarks: nothing is recorded to compare with: run `make bench ARGS=--write`", file=sys.stderr)
        return 1
    try:
        with bench(built=True) as place, Console(stderr=True).status("building", refresh_per_second=2) as status:
            both = subjects(place, before.event, say=status.update)
            done = checks(before, _seen(place, both, before.delay_ms, more=1, say=status.update))
            if any(one.timed and not one.holds for one in done):
                done = checks(before, _seen(place, both, before.delay_ms, more=2, say=status.update))
    except (BuildFailed, Unmeasurable) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return tell(done)


def _seen(place: Bench, both: Subjects, delay_ms: int, *, more: int, say: Callable[[str], None]) -> Seen:
    """With so many times as many processes as usual."""
    pair = (both.ours, both.bare)
    cold = in_turns(place, pair, runs=more * _COLD_RUNS, delay=0, say=lambda what: say(f"cold: {what}"))
    warm = in_turns(
        place,
        pair,
        runs=more * _WARM_RUNS,
        delay=delay_ms / 1000,
        times=1 + _AGAIN,
        say=lambda what: say(f"warm: {what}"),
    )
    sizes = place.built.sizes if place.built else {}
    return Seen(counted=both.counted, sizes=sizes, cold=compare(COLD, *cold), warm=compare(WARM, *warm))


def tell(done: Sequence[Check]) -> int:
    """Print all, and what to do about those that do not hold. The exit status."""
    table = Table("what", "recorded", "now", "at most", "")
    for one in done:
        verdict = "" if one.holds else "WORSE" if one.now > one.most else "CHANGED"
        table.add_row(one.what, one.told(one.recorded), one.told(one.now), one.told(one.most), verdict)
    Console(highlight=False, width=120).print(table)
    failed = [one for one in done if not one.holds]
    for one in failed:
        print(f"{one.what}: {one.told(one.now)}, recorded were {one.told(one.recorded)}: {one.todo}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
