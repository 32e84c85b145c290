"""What the benchmarks found, in plain numbers; benchmarks/recorded.json has those that were written last.

Tables, plots and bills are made from it, and the guard compares with it. Each part was measured in one go, so ratios
within a part are of one run; parts may be of different days.
"""

import json
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks import audit, scale, targets
from benchmarks.measure import Measure, Recording, Spread, spread
from benchmarks.members import Took

RECORDED = Path(__file__).parent / "recorded.json"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """When a part was measured, and on what."""

    day: str
    python: str
    cores: int

    def __str__(self) -> str:
        return f"{self.day}, Python {self.python}, {self.cores} cores"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The calls that a program makes for an event by their round, and in which round it publishes its alert."""

    event: str
    program: str
    rounds: Sequence[Mapping[str, int]]
    to_alert: int

    @property
    def calls(self) -> int:
        return sum(sum(one.values()) for one in self.rounds)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is measured of one event whenever it is; see Events."""

    counted: Sequence[Counted]
    cold: Sequence[Measure]
    warm: Sequence[Measure]
    sizes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Events(Seen):
    """One event. `cold` is over TLS and `plain` without it, both answered at once; `warm` is over TLS, each answer
    after the delay; its first rows are of the first event there. Sizes are bytes as they are uploaded."""

    taken: Taken
    event: str
    runs: int
    again: int
    delay_ms: int
    sdk: str
    custodian: str
    plain: Sequence[Measure]

    def of(self, program: str) -> Counted:
        """What a program was counted to do for the event that is timed."""
        return next(one for one in self.counted if (one.event, one.program) == (self.event, program))

    @property
    def bound_ms(self) -> float:
        """What a warm event may take to its alert: its rounds, and half of one for all the rest."""
        return (self.of(OURS).to_alert + 0.5) * self.delay_ms


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The first audit of a Region; calls by action."""

    taken: Taken
    region: str
    ours: Mapping[str, int]
    bare: Mapping[str, int]
    measures: Sequence[Measure]
    judged: Sequence[audit.Judged]


@dataclass(frozen=True, kw_only=True)
class Lived:
    """What came of all histories (targets.Lived), the runs as spreads; none where nothing is called."""

    name: str
    lost_share: float
    changes: int
    runs: int
    calls: Spread | None
    milliseconds: Spread | None


@dataclass(frozen=True, kw_only=True)
class Targets:
    taken: Taken
    delay_ms: int
    lived: Sequence[Lived]
    calm: Sequence[Lived]
    fleets: Sequence[targets.Fleet]


@dataclass(frozen=True, kw_only=True)
class Functions:
    """What invocations of the schedules take, by their names in benchmarks.members; tools/cost.py bills it."""

    taken: Taken
    delay_ms: int
    took: Mapping[str, Took]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How audit, sync and rules grow (benchmarks.scale), and how the bare script's loop does."""

    taken: Taken
    scaled: scale.Scaled
    looped: Sequence[scale.Row]


@dataclass(frozen=True, kw_only=True)
class Results:
    """Parts that were measured."""

    events: Events | None = None
    audit: Audit | None = None
    targets: Targets | None = None
    functions: Functions | None = None
    scale: Scale | None = None


OURS, BARE = "guardrails", "bare script"
_STORED = TypeAdapter(Results)


def taken() -> Taken:
    return Taken(
        day=datetime.now(UTC).date().isoformat(),
        python=platform.python_version(),
        cores=os.process_cpu_count() or 1,
    )


def recorded(path: Path = RECORDED) -> Results:
    return _STORED.validate_json(path.read_bytes()) if path.exists() else Results()


def as_json(results: Results) -> str:
    parts = _STORED.dump_python(results, mode="json")
    return json.dumps({name: part for name, part in parts.items() if part is not None}, indent=1)


def record(results: Results, path: Path = RECORDED) -> Results:
    """Keep it; a part that was not measured stays as it was. Everything that is kept then."""
    measured = {name: part for name, part in vars(results).items() if part is not None}
    kept = Results(**{**vars(recorded(path)), **measured})
    path.write_text(as_json(kept) + "\n", encoding="utf-8")
    return kept


def counted(event: str, program: str, recording: Recording) -> Counted:
    return Counted(
        event=event,
        program=program,
        rounds=[_by_name(one) for one in recording.rounds],
        to_alert=recording.rounds_to_alert,
    )


def audited(found: audit.Audited) -> Audit:
    return Audit(
        taken=taken(),
        region=found.region,
        ours=_by_name(found.ours.actions),
        bare=_by_name(found.bare.actions),
        measures=found.measures,
        judged=found.judged,
    )


def kept(found: targets.Kept, delay: float) -> Targets:
    return Targets(
        taken=taken(),
        delay_ms=round(delay * 1000),
        lived=[_lived(one) for one in found.lived],
        calm=[_lived(one) for one in found.calm],
        fleets=found.fleets,
    )


def _lived(one: targets.Lived) -> Lived:
    return Lived(
        name=one.name,
        lost_share=one.lost_share,
        changes=one.changes,
        runs=len(one.calls),
        calls=spread(one.calls) if one.calls else None,
        milliseconds=spread([1000 * each for each in one.seconds]) if one.seconds else None,
    )


def _by_name(actions: Counter[str]) -> dict[str, int]:
    """Without the service: DescribeSubnets."""
    return {action.partition(":")[2]: times for action, times in sorted(actions.items())}
