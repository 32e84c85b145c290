"""What an audit of a Region costs, beside a loop that asks for each connector what the script asks for an event."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_network
from itertools import islice

from apprunner_guardrails.aws import apprunner, region
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Connector, Fleet, Network, Route, RouteTable, known
from apprunner_guardrails.judge import Terms, judge_connector
from apprunner_guardrails.once import judging
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.times import utc
from benchmarks.measure import (
    ACCOUNT,
    PEAK,
    TO_ALERT,
    TO_END,
    Bench,
    Measure,
    Measured,
    Recording,
    Run,
    Spread,
    compare,
    programs,
    spread,
)
from emulator import emulate, worlds
from emulator.worlds import sdk_client, stack_resources

CONNECTORS, SERVICES = 100, 300
ENTRIES = 1000
_PREFIX_LIST = "pl-0123456789abcdef0"
_NOW = 1_795_244_400  # 2026-11-21T07:00:00Z
_SCHEDULED = {
    "id": "5b2f7c1e-94d3-4f0a-8f57-2c9d6b1e7a40",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "time": utc(_NOW),  # the hour of the digest, which is told too
}
_AUDITED: Sequence[Measured] = (
    TO_ALERT,
    TO_END,
    ("CPU until the end", "ms", lambda run: [run.cpu * 1000]),
    PEAK,
)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The CPU that the rules take for all the connectors, in milliseconds."""

    name: str
    cpu: Spread


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A Region's first audit, and the bare script's; `judged` is what the rules alone take, without any call."""

    region: str
    ours: Recording
    bare: Recording
    measures: Sequence[Measure]
    judged: Sequence[Judged]


type _Networks = Sequence[tuple[Connector, Network]]


def audited(place: Bench, *, delay: float, say: Callable[[str], None]) -> Audited:
    """Make the Region, record what it answers, and measure. `say` is told what goes on."""
    event = place.folder / "audit.json"
    event.write_text(json.dumps(_SCHEDULED))
    ours, bare = programs("AuditRegionFunction")
    with emulate() as aws:
        say("making a Region")
        stack_resources(sdk_client)
        made = worlds.region(sdk_client, connectors=CONNECTORS, services=SERVICES)
        say("recording its audit")
        networks = _networks()
        of_ours, of_bare = (place.record_in(aws, program, event) for program in (ours, bare))
    say("measuring its audit")
    runs: list[Run] = [place.run(ours, event, of_ours, delay=delay)]
    loop = place.run(bare, event, of_bare, delay=delay)  # once: it takes half a minute, and has 900 calls to be odd in
    runs += [place.run(ours, event, of_ours, delay=delay) for _ in range(2)]
    say("measuring its rules")
    return Audited(
        region=f"{len(made.connectors)} connectors, {len(made.services)} services and {len(made.subnets)} subnets",
        ours=of_ours,
        bare=of_bare,
        measures=compare(_AUDITED, runs, [loop]),
        judged=judged(networks),
    )


def judged(networks: _Networks) -> list[Judged]:
    """Without and with a prefix list in the tables; and where no two connectors share one, so that each is weighed."""
    return [
        Judged(name="a default route", cpu=_cpu([networks] * 3)),
        Judged(
            name=f"a prefix list of {ENTRIES:,} entries in its place",
            cpu=_cpu([_with_a_list(networks, {}, turn) for turn in ("one", "two", "three")]),
        ),
        Judged(
            name="the same, each connector with tables of its own",
            cpu=_cpu([_with_a_list(networks, {one.arn: one.name for one, _ in networks})]),
        ),
    ]


def _networks() -> _Networks:
    """Of every connector in the emulated Region, as the audit reads them, beside its fleet."""
    reads = Reads(cache(sdk_client))
    connectors = known(apprunner.list_connectors(reads)())
    asked = {arn: apprunner.describe_service(reads, arn) for arn in known(apprunner.list_services(reads)())}
    services = {arn: pending() for arn, pending in asked.items()}
    fleet = Fleet(connectors=connectors, services=services, quota=2 * CONNECTORS, read_at=utc(_NOW))
    structure = region.read_structure(reads, connectors)
    networks = region.read_networks(reads, structure, connectors, ACCOUNT, _terms().settings)
    return [(one, replace(networks[one.arn], fleet=fleet)) for one in connectors]


def _terms() -> Terms:
    return Terms(settings=Settings(alert_topic_arn="", findings_table=""), now=_NOW)


def _cpu(turns: Sequence[_Networks]) -> Spread:
    """Milliseconds of CPU for all connectors, once for each of the turns."""
    terms, times = _terms(), []
    for networks in turns:
        began = time.process_time()
        with judging():
            for connector, network in networks:
                judge_connector(connector.arn, connector, network, {}, terms)
        times.append((time.process_time() - began) * 1000)
    return spread(times)


def _with_a_list(networks: _Networks, owners: Mapping[str, str], other: str = "") -> _Networks:
    """The NAT gateways behind a prefix list of nearly all addresses.

    `owners` has the owner of each connector's tables by its ARN, `other` is who owns the rest; tables of another owner
    are other tables.
    """
    entries = tuple(str(one) for one in islice(ip_network("0.0.0.0/0").subnets(new_prefix=10), ENTRIES))
    lists = {_PREFIX_LIST: entries}

    @cache  # connectors of one VPC share its tables, as they do in an audit
    def tables(network: int, owner: str) -> tuple[RouteTable, ...]:
        return tuple(_listed(one, owner) for one in known(by_identity[network]))

    by_identity = {id(network.route_tables): network.route_tables for _, network in networks}
    return [
        (
            connector,
            replace(
                network,
                prefix_lists=lists,
                route_tables=tables(id(network.route_tables), owners.get(connector.arn, other)),
            ),
        )
        for connector, network in networks
    ]


def _listed(table: RouteTable, owner: str) -> RouteTable:
    routes = tuple(_through_list(route) for route in table.routes)
    return replace(table, id=f"{table.id}-{owner}", routes=routes)


def _through_list(route: Route) -> Route:
    return replace(route, destination=_PREFIX_LIST) if route.target.startswith("nat-") else route
