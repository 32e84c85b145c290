"""`make bench`: what an event and an audit cost beside what one would use otherwise, and what target sync costs and
loses beside two published habits."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import custodian, events, looped, members, page, plots, results, scale, targets
from benchmarks.audit import audited
from benchmarks.build import BuildFailed
from benchmarks.measure import TIMED, Bench, Unmeasurable, bench
from benchmarks.results import Functions, Results

_LEAST_RUNS = 2
_MOST_RUNS = 1000
_LONGEST_DELAY = 1000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asks for; the delay is in seconds."""

    event: str
    runs: int
    again: int
    delay: float
    parts: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    asked = Asked(
        event=given.event,
        runs=given.runs,
        again=given.again,
        delay=given.delay / 1000,
        parts=given.part or [*PARTS],
    )
    try:
        if given.draw:
            _put(results.recorded())
            return 0
        found = _measured(asked)
        if given.write:
            _put(results.record(found))
            print("It is recorded. `make docs` makes the bills of it.", file=sys.stderr)
    except (BuildFailed, Unmeasurable) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if given.json:
        print(results.as_json(found))
    else:
        _show(found)
    return 0


def _measured(asked: Asked) -> Results:
    found: dict[str, object] = {}
    with Console(stderr=True).status("building", refresh_per_second=2) as status, bench(built=True) as place:
        for part in asked.parts:

            def say(what: str, part: str = part) -> None:
                status.update(f"{part}: {what}")

            say("begins")
            found[part] = PARTS[part](place, asked, say)
    return Results(**found)  # type: ignore[arg-type]  # each part has the name of its field


type _Say = Callable[[str], None]


def _events(place: Bench, asked: Asked, say: _Say) -> results.Events:
    return events.measured(place, asked.event, runs=asked.runs, again=asked.again, delay=asked.delay, say=say)


def _audit(place: Bench, asked: Asked, say: _Say) -> results.Audit:
    return results.audited(audited(place, delay=asked.delay, say=say))


def _targets(_: Bench, asked: Asked, say: _Say) -> results.Targets:
    return results.kept(targets.kept(delay=asked.delay, say=say), asked.delay)


def _functions(place: Bench, _: Asked, say: _Say) -> Functions:
    return Functions(
        taken=results.taken(), delay_ms=round(members.DELAY * 1000), took=dict(members.measured(place, say=say))
    )


def _scale(place: Bench, _: Asked, say: _Say) -> results.Scale:
    return results.Scale(
        taken=results.taken(), scaled=scale.scaled(place, say=say), looped=looped.looped(place, say=say)
    )


PARTS: Mapping[str, Callable[[Bench, Asked, _Say], object]] = {
    "events": _events,
    "audit": _audit,
    "functions": _functions,
    "targets": _targets,
    "scale": _scale,
}


def _put(recorded: Results) -> None:
    """Into docs/: the tables between their markers, and the plots."""
    old = page.DOCUMENT.read_text(encoding="utf-8")
    page.DOCUMENT.write_text(page.written(old, recorded), encoding="utf-8")
    plots.draw(recorded)


def _show(found: Results) -> None:
    if not sys.stdout.isatty():
        print("\n\n".join(page.markdown(one) for one in page.tables(found).values()))
        return
    console = Console(highlight=False)
    for one in page.tables(found).values():
        table = Table(*one.head, box=box.ROUNDED)
        for row in one.rows:
            table.add_row(*row)
        console.print(table)
        if one.below:
            console.print(one.below)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what one event costs: AWS calls, rounds of them, time, memory and size of our handler as "
        "it is built for Lambda, cold and warm, beside a bare script that makes the same calls one after the other, "
        f"and beside {custodian.NAME} on an event of its own. Then the same of an audit of a Region, what its rules "
        "cost alone, what invocations by the schedules take, and how audit, sync and rules grow. All run in processes "
        "of their own against answers that were recorded from the emulator, or made up; nothing leaves this machine. "
        "Then what target sync costs and what traffic is lost, beside two published habits.",
        epilog="Other work on the machine makes all numbers larger; it hits all programs alike, so trust the ratios.",
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
        help="milliseconds that each answer takes where calls are not answered at once (20)",
    )
    parser.add_argument(
        "--event",
        choices=TIMED,
        default=TIMED[0],
        help=f"the event that is timed ({TIMED[0]}); calls are counted for all",
    )
    parser.add_argument(
        "--part", action="append", choices=tuple(PARTS), help="only this part; may be given again (all parts)"
    )
    parser.add_argument("--json", action="store_true", help="print what was found for programs")
    parser.add_argument(
        "--write",
        action="store_true",
        help="also put it into benchmarks/recorded.json, and tables and plots into docs/",
    )
    parser.add_argument(
        "--draw", action="store_true", help="measure nothing: put tables and plots of what is recorded into docs/"
    )
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return parse


if __name__ == "__main__":
    sys.exit(main())
