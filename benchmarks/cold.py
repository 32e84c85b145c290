"""`python -m benchmarks.cold`: what a cold start takes, ours beside the bare script, for whoever wants to make it less.

`make bench` measures more, and takes longer.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import custodian
from benchmarks.build import BuildFailed
from benchmarks.events import COLD
from benchmarks.measure import (
    TIMED,
    TRIGGERS,
    WARM_CPU,
    WARM_PUBLISHED,
    WARM_ROUNDS,
    WARM_TO_ALERT,
    Measure,
    Subject,
    Unmeasurable,
    bench,
    compare,
    in_turns,
    programs,
)
from benchmarks.page import spread_text


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        measures = _measured(asked)
    except (BuildFailed, Unmeasurable) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    table = Table("measured", "guardrails", "bare script", "ratio", *((custodian.NAME, "ratio") if asked.c7n else ()))
    for one in measures:
        third = (spread_text(one.custodian, one.unit), f"{one.custodian_ratio:.3f}") if one.custodian else ()
        row = spread_text(one.ours, one.unit), spread_text(one.bare, one.unit), f"{one.ratio:.3f}"
        table.add_row(one.name, *row, *third)
    Console(width=160).print(table)
    return 0


def _measured(asked: argparse.Namespace) -> list[Measure]:
    trigger = TRIGGERS[asked.event]
    with bench(built=True, layer=asked.layer) as place, Console(stderr=True).status("building") as status:
        subjects = []
        for program in programs():
            status.update(f"recording {program.name}")
            subjects.append(Subject(program=program, event=trigger.event, recording=place.record(program, trigger)))
        if asked.c7n:
            subjects.append(custodian.custodian(place))
        runs = in_turns(
            place,
            subjects,
            runs=asked.runs,
            delay=asked.delay / 1000,
            times=1 + asked.again,
            tls=not asked.plain,
            say=status.update,
        )
    warm = (WARM_TO_ALERT, WARM_PUBLISHED, WARM_ROUNDS, WARM_CPU) if asked.again else ()
    return compare((*COLD, *warm), *runs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, metavar="N", help="processes of each program (15)")
    parser.add_argument("--plain", action="store_true", help="over HTTP without TLS")
    parser.add_argument("--delay", type=int, default=0, metavar="MS", help="milliseconds that each answer takes (0)")
    parser.add_argument("--again", type=int, default=0, metavar="N", help="warm events in each process (0)")
    parser.add_argument("--event", choices=TIMED, default=TIMED[0], help=f"the event ({TIMED[0]})")
    parser.add_argument("--c7n", action="store_true", help=f"{custodian.NAME} too")
    parser.add_argument("--layer", type=Path, metavar="FOLDER", help="a built layer's python/ in place of a new build")
    return parser


if __name__ == "__main__":
    sys.exit(main())
