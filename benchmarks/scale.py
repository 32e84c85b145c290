"""What becomes of an audit, of a sync and of the rules as there is more to look at.

    python -m benchmarks.scale

An audit of 10, 100 and 1,000 connectors with three subnets, a service and three network interfaces each, and a sync of
1, 10, 100 and 1,000 bound target groups, each in processes of their own against a stand-in that makes its answers up
(benchmarks/large.py); both also with nothing there, which is the base that the others are compared with.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from math import log
from pathlib import Path
from statistics import median

from botocore.client import BaseClient
from botocore.session import get_session

from apprunner_guardrails.aws import apprunner, region
from apprunner_guardrails.aws.parsed_reads import ParsedReads
from apprunner_guardrails.facts import Connector, Fleet, Network, Unread, known
from apprunner_guardrails.judge import Terms, judge_connector
from apprunner_guardrails.once import judging
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.times import utc
from benchmarks.large import ACCOUNT, ZONES, Answers, Region
from benchmarks.measure import Bench, Program, bench, programs
from benchmarks.standin import StandIn, serving
from emulator.worlds import ALERT_TOPIC, REGION
from replay import template

CONNECTORS = (10, 100, 1000)
GROUPS = (1, 10, 100, 1000)
DELAY = 0.02  # seconds that a call takes where that is measured too
_TURNS = 3
_LONG_MS = 20_000
_ANSWERED_TIMES = 15
_UNREAD = Unread(call="ec2:DescribeRouteTables", code="RequestLimitExceeded")
_NOW = 1_795_244_400  # 2026-11-21T07:00:00Z, the hour of the digest, which is told too
_SCHEDULED = {
    "id": "5b2f7c1e-94d3-4f0a-8f57-2c9d6b1e7a40",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "time": utc(_NOW),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """So many connectors or target groups: what a run of the function does about them, in a new process."""

    size: int
    resources: int  # that were looked at
    calls: int
    cpu_ms: float  # until the event was done, the start of the process included
    wall_ms: float  # where calls take no time
    delayed_ms: float | None  # where each takes `DELAY`; None where that was not tried, as a run takes long
    peak_mb: float | None  # None where the machine does not tell


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How a function's work grows. `base` is with next to nothing to look at.

    `exponent`: with n times as much to look at the CPU above the base is multiplied by n to the power of it, between
    the last two sizes; 1 is linear. `calls_exponent` says the same of calls. `bytes_a_resource` is the memory of the
    largest above the base, by its resources.
    """

    name: str
    resource: str  # what is counted as one
    base: Row
    rows: Sequence[Row]
    exponent: float
    calls_exponent: float
    bytes_a_resource: float | None


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How many rule answers a second the rules give of that many connectors, without any call, in one process."""

    name: str
    connectors: int
    answers: int
    a_second: float
    statuses: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Scaled:
    audit: Growth
    sync: Growth
    rules: Sequence[Answered]


def scaled(place: Bench, *, say: Callable[[str], None]) -> Scaled:
    """Measure. `say` is told what goes on."""
    event = place.folder / "scale.json"
    event.write_text(json.dumps(_SCHEDULED))
    of_audit, of_sync = programs("AuditRegionFunction")[0], _of_sync()

    def audit(size: int, delay: float) -> Row:
        say(f"auditing {size:,} connectors")
        made = Region(connectors=size)
        return _run(place, of_audit, event, made, size=size, resources=made.audited, delay=delay)

    def sync(size: int, delay: float) -> Row:
        say(f"looking at {size:,} target groups")
        made = Region(bound_groups=size)
        return _run(place, of_sync, event, made, size=size, resources=made.synced, delay=delay)

    return Scaled(
        audit=_growth("audit", "a connector, subnet, service or network interface", 0, CONNECTORS, audit),
        # With no group at all no client is made of the services that have them.
        sync=_growth("sync", "a bound target group, its endpoint, or one of its network interfaces", 1, GROUPS, sync),
        rules=answered(say=say),
    )


def _of_sync() -> Program:
    function = template.load().functions["SyncTargetsFunction"]
    refs = {ALERT_TOPIC: f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts", "SyncQueue": "https://sqs.test/sync"}
    return Program(
        name="guardrails",
        file=function.code / f"{function.handler.partition('.')[0]}.py",
        environment=function.environment({}, refs),
    )


# Functions -----------------------------------------------------------------------------------------------------------


def _growth(name: str, resource: str, base: int, sizes: Sequence[int], run: Callable[[int, float], Row]) -> Growth:
    least, *rows = (_middle(size, run) for size in (base, *sizes))
    *_, smaller, largest = rows
    times = largest.size / smaller.size
    more = None if largest.peak_mb is None or least.peak_mb is None else largest.peak_mb - least.peak_mb
    return Growth(
        name=name,
        resource=resource,
        base=least,
        rows=rows,
        exponent=log((largest.cpu_ms - least.cpu_ms) / (smaller.cpu_ms - least.cpu_ms), times),
        calls_exponent=log((largest.calls - least.calls) / (smaller.calls - least.calls), times),
        bytes_a_resource=None if more is None else more * 1e6 / (largest.resources - least.resources),
    )


def _middle(size: int, run: Callable[[int, float], Row]) -> Row:
    """Of several runs; one that takes long, as a paced one does, is done once, and tells of itself what there is."""
    turns = [run(size, 0)]
    while len(turns) < _TURNS and turns[0].wall_ms < _LONG_MS:
        turns.append(run(size, 0))
    peaks = [one.peak_mb for one in turns if one.peak_mb is not None]
    return replace(
        turns[0],
        cpu_ms=median(one.cpu_ms for one in turns),
        wall_ms=median(one.wall_ms for one in turns),
        delayed_ms=run(size, DELAY).wall_ms if turns[0].wall_ms < _LONG_MS else None,
        peak_mb=median(peaks) if peaks else None,
    )


def _run(place: Bench, program: Program, event: Path, made: Region, *, size: int, resources: int, delay: float) -> Row:
    stand_in = StandIn(answers=Answers(region=made), delay=delay)
    told = place._run(program, event, stand_in, times=1)  # noqa: SLF001
    (done,) = told["events"]
    return Row(
        size=size,
        resources=resources,
        calls=len(stand_in.calls),
        cpu_ms=(told["import_cpu_seconds"] + done["cpu_seconds"]) * 1000,
        wall_ms=(done["ended"] - told["started"]) * 1000,
        delayed_ms=None,
        peak_mb=None if told["peak_bytes"] is None else told["peak_bytes"] / 1e6,
    )


# Rules ---------------------------------------------------------------------------------------------------------------

type _Networks = Sequence[tuple[Connector, Network]]


def answered(*, connectors: int = 100, say: Callable[[str], None]) -> Sequence[Answered]:
    """What the rules alone give of an audit's connectors, and where many of them fail or cannot be judged."""
    say("counting the rules' answers")
    networks = _networks(connectors)
    return [_answers("as the audit finds them", networks), _answers("many fail, or cannot be judged", _mixed(networks))]


def _answers(name: str, networks: _Networks) -> Answered:
    terms = Terms(settings=Settings(alert_topic_arn="", findings_table=""), now=_NOW)
    seconds: list[float] = []
    statuses: Counter[str] = Counter()
    for _ in range(_ANSWERED_TIMES):
        began = time.process_time()
        with judging():
            answers = [judge_connector(one.arn, one, network, {}, terms).findings for one, network in networks]
        seconds.append(time.process_time() - began)
        statuses = Counter(finding.status.value for findings in answers for finding in findings)
    count = statuses.total()
    return Answered(
        name=name, connectors=len(networks), answers=count, a_second=count / median(seconds), statuses=dict(statuses)
    )


def _networks(connectors: int) -> _Networks:
    """Of every connector, as the audit reads them, beside its fleet."""
    stand_in = StandIn(answers=Answers(region=Region(connectors=connectors)), delay=0)
    with serving(stand_in, None):
        reads = ParsedReads(cache(partial(_client, stand_in.url)))
        found = known(apprunner.list_connectors(reads)())
        asked = {arn: apprunner.describe_service(reads, arn) for arn in known(apprunner.list_services(reads)())}
        services = {arn: pending() for arn, pending in asked.items()}
        fleet = Fleet(connectors=found, services=services, quota=2 * connectors, read_at=utc(_NOW))
        settings = Settings(alert_topic_arn="", findings_table="")
        structure = region.read_structure(reads, found)
        networks = region.read_networks(reads, structure, found, ACCOUNT, settings)
        return [(one, replace(networks[one.arn], fleet=fleet)) for one in found]


def _client(url: str, service: str) -> BaseClient:
    return _session().create_client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="benchmarks",
        aws_secret_access_key="benchmarks",  # nosec B106  # noqa: S106  # nobody asks for it
    )


_session = cache(get_session)


def _mixed(networks: _Networks) -> _Networks:
    """Of every three connectors one has a subnet that is gone and others in one zone, and of one no table was read."""
    mixed: list[tuple[Connector, Network]] = []
    for number, (connector, network) in enumerate(networks):
        if number % 3 == 1:
            one_zone = [one.id for one in known(network.subnets) if one.zone_id == ZONES[0]][:2]
            connector = replace(connector, subnet_ids=(*one_zone, "subnet-gone"))  # noqa: PLW2901
        if number % 3 == 2:  # noqa: PLR2004
            network = replace(network, route_tables=_UNREAD)  # noqa: PLW2901
        mixed.append((connector, network))
    return mixed


# What is printed -----------------------------------------------------------------------------------------------------


def _lines(found: Scaled) -> Iterator[str]:
    for growth in (found.audit, found.sync):
        yield f"{growth.name}: {growth.resource} counts as one"
        yield f"  {'size':>6} {'counted':>7} {'calls':>6} {'CPU ms':>8} {'wall ms':>8} {'if 20 ms':>8} {'peak MB':>8}"
        for row in (growth.base, *growth.rows):
            delayed = "" if row.delayed_ms is None else f"{row.delayed_ms:,.0f}"
            peak = "" if row.peak_mb is None else f"{row.peak_mb:.1f}"
            yield (
                f"  {row.size:>6,} {row.resources:>7,} {row.calls:>6,} {row.cpu_ms:>8,.0f} {row.wall_ms:>8,.0f}"
                f" {delayed:>8} {peak:>8}"
            )
        memory = "" if growth.bytes_a_resource is None else f"; memory: {growth.bytes_a_resource:,.0f} bytes each"
        grows = f"CPU by n^{growth.exponent:.2f}, calls by n^{growth.calls_exponent:.2f}"
        yield f"  above the first line: {grows}{memory}"
    for one in found.rules:
        said = ", ".join(f"{count:,} {status}" for status, count in sorted(one.statuses.items()))
        yield f"rules, {one.name}: {one.a_second:,.0f} answers a second ({one.connectors:,} connectors: {said})"


def main() -> None:
    with bench() as place:
        found = scaled(place, say=lambda what: print(what, file=sys.stderr))
    print("\n".join(_lines(found)))


if __name__ == "__main__":
    main()
