"""The tables of docs/performance.md, made of what was recorded.

A table of the page stands between two markers with its name, as in docs/cost.md; so does it on the terminal.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import custodian, targets
from benchmarks.measure import CPU, PEAK, TO_ALERT, WARM_PUBLISHED, Measure, Spread, found
from benchmarks.results import BARE, OURS, Events, Lived, Results

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
# What issue and users were promised; each is the most that it may be.
MOST_CPU, MOST_WALL = 0.6, 0.45  # by the script's and by Custodian's; by the script's
MOST_ROUNDS = 5
MOST_LAYER, MOST_FUNCTION = 6_000_000, 20_000  # bytes
MOST_MEMORY = 60.0  # MB


@dataclass(frozen=True, kw_only=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    below: str = ""  # how it was measured


def spread_text(one: Spread, unit: str) -> str:
    around = f" ({one.low:.0f}-{one.high:.0f})" if one.count > 1 else ""
    return f"{one.median:.0f}{around} {unit}".rstrip()


def markdown(table: Table) -> str:
    lines = [table.head, ["---"] * len(table.head), *table.rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{text}\n\n{table.below}" if table.below else text


def tables(results: Results) -> Mapping[str, Table]:
    """By name; of the parts that there are."""
    made = {name: table for name, make in TABLES.items() if (table := make(results))}
    return dict(made)


def written(page: str, results: Results) -> str:
    """The page with its tables as they are now; one whose part was never measured stays. Raises KeyError for a table
    that there is not."""

    def put(found: re.Match[str]) -> str:
        table = TABLES[found["name"]](results)
        return f"{found[1]}{markdown(table)}\n{found[3]}" if table else found[0]

    return _MARKED.sub(put, page)


def named(page: str) -> Sequence[str]:
    return [found["name"] for found in _MARKED.finditer(page)]


_MARKED = re.compile(r"(<!-- benchmarks: (?P<name>(?!end)[^>]+) -->\n).*?(<!-- benchmarks: end -->)", re.DOTALL)


def _calls(results: Results) -> Table | None:
    if not (events := results.events):
        return None
    rows = []
    for one in events.counted:
        name = one.event if one.program == OURS else f"{one.event}, {one.program}"
        rows.append([name, str(one.calls), str(len(one.rounds)), str(one.to_alert), _told(one.rounds)])
    return Table(head=("event", "calls", "rounds", "to the alert", "calls of each round"), rows=rows)


def _cold(results: Results) -> Table | None:
    if not (events := results.events):
        return None
    return _with_custodian(events.cold, f"{_how(events)} Answers at once, over TLS.")


def _plain(results: Results) -> Table | None:
    if not (events := results.events):
        return None
    some = [found(events.plain, one) for one in (CPU, TO_ALERT)]
    return _with_custodian(some, "The same without TLS, in the same run.")


def _warm(results: Results) -> Table | None:
    if not (events := results.events):
        return None
    published = found(events.warm, WARM_PUBLISHED)
    share = published.ours.median / events.bound_ms
    bound = (
        f"The bound is {events.delay_ms} ms for each of the {events.of(OURS).to_alert} rounds and half of that once, "
        f"{events.bound_ms:.0f} ms: it took {published.ours.median:.0f} ms, {share:.2f} of it."
    )
    how = f"{events.again} events in each process after its first, {events.delay_ms} ms a call, over TLS."
    rows = [[one.name, *_pair(one)] for one in events.warm]
    return Table(head=("measured", OURS, BARE, "ratio"), rows=rows, below=f"{_how(events)} {how} {bound}")


def _sizes(results: Results) -> Table | None:
    if not (events := results.events):
        return None
    peak = found(events.cold, PEAK)
    functions = sorted((size, name) for name, size in events.sizes.items() if name != "layer")
    largest, name = functions[-1]
    rows = [
        ["layer, zipped", f"{events.sizes['layer'] / 1e6:.2f} MB", f"{MOST_LAYER / 1e6:.0f} MB"],
        [f"largest function ({name}), zipped", f"{largest / 1e3:.1f} KB", f"{MOST_FUNCTION / 1e3:.0f} KB"],
        ["most memory of one event", f"{peak.ours.median:.0f} MB", f"{MOST_MEMORY:.0f} MB"],
        [f"*the same, {BARE}*", f"{peak.bare.median:.0f} MB", ""],
    ]
    if peak.custodian:
        rows.append([f"*the same, {custodian.NAME}*", f"{peak.custodian.median:.0f} MB", ""])
    return Table(head=("what", "is", "at most"), rows=rows)


def _audit(results: Results) -> Table | None:
    if not (audit := results.audit):
        return None
    rows = [[one.name, *_pair(one)] for one in audit.measures]
    calls = ["calls", str(sum(audit.ours.values())), str(sum(audit.bare.values()))]
    calls.append(f"{sum(audit.ours.values()) / sum(audit.bare.values()):.2f}")
    runs = audit.measures[0]
    below = (
        f"The first audit of {audit.region}; {runs.ours.count} processes of ours and {runs.bare.count} of the "
        f"script's, whose loop sees the connectors only. Our calls: {_together(audit.ours)}. {audit.taken}."
    )
    return Table(head=("measured of the audit", OURS, BARE, "ratio"), rows=[calls, *rows], below=below)


def _rules(results: Results) -> Table | None:
    if not (audit := results.audit):
        return None
    rows = [[one.name, spread_text(one.cpu, "ms")] for one in audit.judged]
    below = "All rules for these connectors, whose VPCs have a route table a zone; no calls."
    return Table(head=("in the route tables", "CPU"), rows=rows, below=below)


def _targets(results: Results) -> Table | None:
    if not (found := results.targets):
        return None
    hours = targets.STEPS * targets.STEP_SECONDS // 3600
    rows = [
        ["steps without a healthy target", *_lost(found.lived)],
        ["the same, where no call fails and no event is lost", *_lost(found.calm)],
        ["runs", *(str(one.runs or "") for one in found.lived)],
        ["calls of a run", *(spread_text(one.calls, "") if one.calls else "" for one in found.lived)],
        ["time of a run", *(spread_text(one.milliseconds, "ms") if one.milliseconds else "" for one in found.lived)],
        ["calls that changed targets", *(str(one.changes or "") for one in found.lived)],
    ]
    below = (
        f"{targets.HISTORIES} histories of {hours} hours, the same for all, in steps of {targets.STEP_SECONDS} s, at "
        f"{found.delay_ms} ms an answer. At best: addresses are registered in the step in which the group's endpoint "
        "has them, without calls, and leave when they are dead."
    )
    return Table(head=("targets kept in step", *(one.name for one in found.lived)), rows=rows, below=below)


def _fleets(results: Results) -> Table | None:
    if not (found := results.targets):
        return None
    rows = [
        [
            str(one.groups),
            f"{one.calls} calls, at most {one.busiest} in a second, {one.seconds:.1f} s",
            f"{one.habit_calls} calls, {one.habit_seconds:.1f} s",
            f"{one.ratio:.2f}",
        ]
        for one in found.fleets
    ]
    below = "A run of the schedule: ours on the clock, the habit's calls one after the other. Ratios are of times."
    return Table(head=("target groups in step", targets.OURS, targets.FIRST, "ratio"), rows=rows, below=below)


def _growing(results: Results, name: str) -> Table | None:
    if not (scale := results.scale):
        return None
    one = scale.scaled.audit if name == "audit" else scale.scaled.sync
    things = "connectors" if name == "audit" else "bound target groups"
    rows = [
        [
            f"{row.size:,}{extra}",
            f"{row.resources:,}",
            f"{row.calls:,}",
            f"{row.cpu_ms:,.0f} ms",
            f"{row.wall_ms:,.0f} ms",
            "" if row.delayed_ms is None else f"{row.delayed_ms:,.0f} ms",
            "" if row.peak_mb is None else f"{row.peak_mb:.1f} MB",
        ]
        for row, extra in (
            (one.base, ", the base"),
            *((row, "") for row in one.rows),
            *((row, f", *{BARE}*") for row in (scale.looped if name == "audit" else ())),
        )
    ]
    smaller, largest = one.rows[-2:]
    memory = "" if one.bytes_a_resource is None else f", {one.bytes_a_resource / 1024:.1f} KB of memory a resource"
    below = (
        f"Above the base, from {smaller.size:,} to {largest.size:,}: CPU grows with the power {one.exponent:.2f}, "
        f"calls with {one.calls_exponent:.2f} (1 is linear){memory}. A resource is {one.resource}. {scale.taken}."
    )
    head = (things, "resources", "calls", "CPU", "time, no delay", "time, 20 ms a call", "most memory")
    return Table(head=head, rows=rows, below=below)


def _engine(results: Results) -> Table | None:
    if not (scale := results.scale):
        return None
    rows = [
        [
            one.name,
            f"{one.connectors:,}",
            f"{one.answers:,}",
            ", ".join(f"{times:,} {status}" for status, times in one.statuses.items()),
            f"{one.a_second:,.0f}",
        ]
        for one in scale.scaled.rules
    ]
    below = f"Rule answers a second of one process, without any call. {scale.taken}."
    return Table(head=("rules alone", "connectors", "answers", "of which", "a second"), rows=rows, below=below)


TABLES: Mapping[str, Callable[[Results], Table | None]] = {
    "calls": _calls,
    "cold": _cold,
    "cold without TLS": _plain,
    "warm": _warm,
    "sizes": _sizes,
    "audit": _audit,
    "rules": _rules,
    "targets": _targets,
    "fleets": _fleets,
    "growing audit": partial(_growing, name="audit"),
    "growing sync": partial(_growing, name="sync"),
    "engine": _engine,
}


def _with_custodian(measures: Sequence[Measure], below: str) -> Table:
    rows = []
    for one in measures:
        third = ["", ""]
        if one.custodian and one.custodian_ratio:
            third = [spread_text(one.custodian, one.unit), f"{one.custodian_ratio:.2f}"]
        rows.append([one.name, *_pair(one), *third])
    return Table(head=("measured", OURS, BARE, "ratio", custodian.NAME, "ratio"), rows=rows, below=below)


def _pair(one: Measure) -> Iterator[str]:
    yield spread_text(one.ours, one.unit)
    yield spread_text(one.bare, one.unit)
    yield f"{one.ratio:.2f}"


def _how(events: Events) -> str:
    return (
        f"{events.event}, {events.runs} processes of each in turns, {events.taken}, boto3 {events.sdk}, c7n "
        f"{events.custodian}. Medians, with the middle half of the runs in brackets; ratios are ours by theirs."
    )


def _lost(lived: Sequence[Lived]) -> list[str]:
    """The share; of others also the ratio of ours to theirs."""
    ours, *others = (one.lost_share for one in lived)
    return [f"{ours:.2%}", *(f"{share:.2%} (ratio {ours / share:.2f})" for share in others)]


def _told(rounds: Sequence[Mapping[str, int]]) -> str:
    """`A + B · C`: A and B go out together, C after them. A program that sends one at a time has little to show."""
    if all(sum(one.values()) == 1 for one in rounds):
        return "one each"
    return " · ".join(map(_together, rounds))


def _together(actions: Mapping[str, int]) -> str:
    return " + ".join(name if times == 1 else f"{times} {name}" for name, times in actions.items())
