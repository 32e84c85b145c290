"""`make bench`: what an event and an audit cost beside a bare script, and what target sync costs and loses beside two
published habits."""

import argparse
import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import targets
from benchmarks.audit import Audited, audited
from benchmarks.measure import (
    TIMED,
    TRIGGERS,
    Measure,
    Recording,
    Spread,
    Unmeasurable,
    bench,
    measure,
    programs,
    spread,
)

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
_LEAST_RUNS = 2
_MOST_RUNS = 1000
_LONGEST_DELAY = 1000


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one run of the benchmarks found. The recordings are ours by trigger, and the bare script's."""

    event: str
    runs: int
    delay: float
    recordings: dict[str, Recording]
    bare: Recording
    measures: Sequence[Measure]
    audited: Audited
    kept: targets.Kept

    @property
    def how(self) -> str:
        return (
            f"{self.event}, {self.runs} processes of each in turns, {self.delay * 1000:.0f} ms an answer, "
            f"Python {platform.python_version()}, {os.process_cpu_count()} cores. "
            "Medians, with the middle half of the runs in brackets; the ratio is ours by the script's."
        )

    @property
    def how_audited(self) -> str:
        runs = self.audited.measures[0]
        return (
            f"The first audit of {self.audited.region}; {runs.ours.count} processes of ours and {runs.bare.count} of "
            "the script's, whose loop sees the connectors only."
        )

    @property
    def how_judged(self) -> str:
        return "All rules for these connectors, whose VPCs have a route table a zone; no calls."

    def as_json(self) -> dict[str, object]:
        return {
            "event": self.event,
            "runs": self.runs,
            "delay_seconds": self.delay,
            "python": platform.python_version(),
            "cores": os.process_cpu_count(),
            "calls": {
                **{name: _calls(recording) for name, recording in self.recordings.items()},
                "bare script": _calls(self.bare),
            },
            "measures": _measures(self.measures),
            "audit": {
                "region": self.audited.region,
                "calls": {
                    name: dict(sorted(recording.actions.items()))
                    for name, recording in (("guardrails", self.audited.ours), ("bare script", self.audited.bare))
                },
                "measures": _measures(self.audited.measures),
                "rules": [asdict(one) for one in self.audited.judged],
            },
            "targets": self.kept.as_json(),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        found = _bench(asked.event, runs=asked.runs, delay=asked.delay / 1000, again=asked.again)
        if asked.write:
            put_between_markers(DOCUMENT, _markdown(_tables(found)))
    except Unmeasurable as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps(found.as_json(), indent=2))
    elif sys.stdout.isatty():
        _show(found)
    else:
        print(_markdown(_tables(found)))
    return 0


def _bench(event: str, *, runs: int, delay: float, again: int) -> Found:
    ours, bare = programs()
    trigger = TRIGGERS[event]
    with bench() as place, Console(stderr=True).status("", refresh_per_second=2) as status:
        recordings: dict[str, Recording] = {}
        for name, one in TRIGGERS.items():
            status.update(f"recording {name}")
            recordings[name] = place.record(ours, one)
        status.update(f"recording {event} for the bare script")
        of_bare = place.record(bare, trigger)
        if different := recordings[event].reads ^ of_bare.reads:
            actions = ", ".join(sorted({one.action for one in different}))
            raise Unmeasurable(f"the bare script does not ask what our handler asks: see {actions}")
        status.update(f"measuring {event}")
        pairs = (ours, recordings[event]), (bare, of_bare)
        measures = measure(place, trigger, *pairs, runs=runs, delay=delay, again=again)
        audit = audited(place, delay=delay, say=status.update)
        kept = targets.kept(delay=delay, say=status.update)
    return Found(
        event=event,
        runs=runs,
        delay=delay,
        recordings=recordings,
        bare=of_bare,
        measures=measures,
        audited=audit,
        kept=kept,
    )


type _Table = tuple[Sequence[str], Sequence[Sequence[str]]]  # head and rows
type _Section = tuple[Sequence[_Table], str]  # tables, and what is said below them


def _tables(found: Found) -> list[_Section]:
    of_bare = (f"{found.event}, bare script", found.bare)
    counted = [
        [name, str(recording.actions.total()), str(len(recording.rounds)), _told(recording.rounds)]
        for name, recording in (*found.recordings.items(), of_bare)
    ]
    audits = [
        [name, str(recording.actions.total()), _together(recording.actions)]
        for name, recording in (("guardrails", found.audited.ours), ("bare script", found.audited.bare))
    ]
    judged = [[one.name, _spread(one.cpu, "ms")] for one in found.audited.judged]
    measured = "guardrails", "bare script", "ratio"
    return [
        (
            [
                (("event", "calls", "rounds", "calls of each round"), counted),
                (("measured", *measured), _compared(found.measures)),
            ],
            found.how,
        ),
        (
            [
                (("audit", "calls", "by action"), audits),
                (("measured of the audit", *measured), _compared(found.audited.measures)),
            ],
            found.how_audited,
        ),
        ([(("in the route tables", "CPU"), judged)], found.how_judged),
        *_of_targets(found.kept, delay=found.delay),
    ]


def _of_targets(kept: targets.Kept, *, delay: float) -> list[_Section]:
    hours = targets.STEPS * targets.STEP_SECONDS // 3600
    names = (one.name for one in kept.lived)
    how = (
        f"{targets.HISTORIES} histories of {hours} hours, the same for all, in steps of {targets.STEP_SECONDS} s, at "
        f"{delay * 1000:.0f} ms an answer. At best: addresses are registered in the step in which the group's endpoint "
        "has them, without calls, and leave when they are dead."
    )
    return [
        ([(("targets kept in step", *names), _kept(kept.lived, kept.calm))], how),
        (
            [(("target groups in step", targets.OURS, targets.FIRST, "ratio"), _in_step(kept.fleets))],
            "A run of the schedule: ours on the clock, the habit's calls one after the other. Ratios are of times.",
        ),
    ]


def _kept(lived: Sequence[targets.Lived], calm: Sequence[targets.Lived]) -> list[list[str]]:
    """The first is ours; one that makes no calls has little to show."""
    return [
        ["steps without a healthy target", *_lost(lived)],
        ["the same, where no call fails and no event is lost", *_lost(calm)],
        ["runs", *(str(len(one.calls) or "") for one in lived)],
        ["calls of a run", *(_ran(one.calls, "") for one in lived)],
        ["time of a run", *(_ran([1000 * each for each in one.seconds], "ms") for one in lived)],
        ["calls that changed targets", *(str(one.changes or "") for one in lived)],
    ]


def _lost(lived: Sequence[targets.Lived]) -> list[str]:
    """The share; of others also the ratio of ours to theirs."""
    ours, *others = (one.lost_share for one in lived)
    return [f"{ours:.2%}", *(f"{share:.2%} (ratio {ours / share:.2f})" for share in others)]


def _ran(numbers: Sequence[float], unit: str) -> str:
    return _spread(spread(numbers), unit) if numbers else ""


def _in_step(fleets: Sequence[targets.Fleet]) -> list[list[str]]:
    return [
        [
            str(one.groups),
            f"{one.calls} calls, at most {one.busiest} in a second, {one.seconds:.1f} s",
            f"{one.habit_calls} calls, {one.habit_seconds:.1f} s",
            f"{one.ratio:.2f}",
        ]
        for one in fleets
    ]


def _compared(measures: Sequence[Measure]) -> list[list[str]]:
    return [
        [one.name, _spread(one.ours, one.unit), _spread(one.bare, one.unit), f"{one.ratio:.2f}"] for one in measures
    ]


def _show(found: Found) -> None:
    console = Console(highlight=False)
    for tables, how in _tables(found):
        for head, rows in tables:
            table = Table(*head)
            for row in rows:
                table.add_row(*row)
            console.print(table)
        console.print(how)


def _markdown(sections: Sequence[_Section]) -> str:
    parts = []
    for tables, how in sections:
        for head, rows in tables:
            lines = [head, ["---"] * len(head), *rows]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
        parts.append(how)
    return "\n\n".join(parts)


def _told(rounds: Sequence[Counter[str]]) -> str:
    """`A + B · C`: A and B go out together, C after them. A program that sends one at a time has little to show."""
    if all(one.total() == 1 for one in rounds):
        return "one each"
    return " · ".join(map(_together, rounds))


def _together(actions: Counter[str]) -> str:
    return " + ".join(_times(action, times) for action, times in sorted(actions.items()))


def _times(action: str, times: int) -> str:
    name = action.partition(":")[2]
    return name if times == 1 else f"{times} {name}"


def _spread(one: Spread, unit: str) -> str:
    around = f" ({one.low:.0f}-{one.high:.0f})" if one.count > 1 else ""
    return f"{one.median:.0f}{around} {unit}".rstrip()


def _measures(measures: Sequence[Measure]) -> list[dict[str, object]]:
    return [{**asdict(one), "ratio": one.ratio} for one in measures]


def _calls(recording: Recording) -> dict[str, object]:
    rounds = [sorted(one.elements()) for one in recording.rounds]
    return {"calls": recording.actions.total(), "rounds": rounds}


def put_between_markers(document: Path, text: str) -> None:
    """Put the text between the document's markers."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Unmeasurable(f"{document.name} has no place for the tables: it should hold {BEGIN} and then {END}")
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what one event costs: AWS calls, rounds of them, time and memory of our handler, cold and "
        "warm, beside a bare script that reads the same, one call after the other. Then the same of an audit of a "
        "Region, and what its rules cost alone. All run in processes of their own against answers that were recorded "
        "from the emulator; nothing leaves this machine. Last, what target sync costs and what traffic is lost, beside "
        "two published habits.",
        epilog="Other work on the machine makes all numbers larger; it hits both programs alike, so trust the ratios.",
    )
    parser.add_argument(
        "--runs", type=_number(_LEAST_RUNS, _MOST_RUNS), default=15, metavar="N", help="processes of each program (15)"
    )
    parser.add_argument("--again", type=_number(1, 100), default=3, metavar="N", help="warm events in each process (3)")
    parser.add_argument(
        "--delay",
        type=_number(0, _LONGEST_DELAY),
        default=20,
        metavar="MS",
        help="milliseconds that each answer takes (20)",
    )
    parser.add_argument(
        "--event",
        choices=TIMED,
        default=TIMED[0],
        help=f"the event that is timed ({TIMED[0]}); calls are counted for all",
    )
    parser.add_argument("--json", action="store_true", help="print the same for programs")
    parser.add_argument("--write", action="store_true", help="also put the tables into docs/performance.md")
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return parse


if __name__ == "__main__":
    sys.exit(main())
