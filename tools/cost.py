"""What the guardrails cost, and what limits them: the tables of docs/cost.md and docs/scale.md.

python -m tools.cost [--check]

Arithmetic and nothing else. Prices and quotas are AWS's, with where each was read. Calls and writes of an invocation
are those that tests/unit/tools/test_cost.py counts; CPU and memory are what `make bench` measured and recorded in
benchmarks/recorded.json. A table of the pages stands between two markers with its name, as in docs/performance.md.
"""

import json
import math
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from apprunner_guardrails.observe import METRICS as METRICS_SENT
from replay.template import load

FOLDER = Path(__file__).parent.parent / "docs"
RECORDED = Path(__file__).parent.parent / "benchmarks" / "recorded.json"
HOURS = 730  # of a month, as AWS's own calculator has it
SECONDS = HOURS * 3600
MB = 1024 * 1024
NEAR, FAR = 0.02, 0.05  # seconds from a call to its answer, in the same Region and in another
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"


# --- Prices and quotas ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """Dollars for `per` units in us-east-1; how many units of each month are free; AWS's page, and where the figure was
    read, for AWS's pages do not show theirs as text."""

    item: str
    dollars: float
    per: int
    free: int
    page: str
    read: str

    def of(self, units: float) -> float:
        return units / self.per * self.dollars

    def after_free(self, units: float) -> float:
        return self.of(max(0.0, units - self.free))


READ_ON = "2026-11-22"
LAMBDA_TIME = Price(
    item="Lambda: GB-second, x86_64",
    dollars=0.0000166667,
    per=1,
    free=400_000,
    page="https://aws.amazon.com/lambda/pricing/",
    read="https://cloudchipr.com/blog/aws-lambda-pricing",
)
LAMBDA_REQUESTS = Price(
    item="Lambda: request",
    dollars=0.20,
    per=1_000_000,
    free=1_000_000,
    page="https://aws.amazon.com/lambda/pricing/",
    read="https://cloudchipr.com/blog/aws-lambda-pricing",
)
EVENTS = Price(
    item="EventBridge: own event, or one that is sent to another account or Region",
    dollars=1.00,
    per=1_000_000,
    free=0,
    page="https://aws.amazon.com/eventbridge/pricing/",
    read="https://cloudburn.io/blog/amazon-eventbridge-pricing",
)
SCHEDULER = Price(
    item="EventBridge Scheduler: invocation",
    dollars=1.00,
    per=1_000_000,
    free=14_000_000,
    page="https://aws.amazon.com/eventbridge/pricing/",
    read="https://cloudburn.io/blog/amazon-eventbridge-pricing",
)
SQS = Price(
    item="SQS: request",
    dollars=0.40,
    per=1_000_000,
    free=1_000_000,
    page="https://aws.amazon.com/sqs/pricing/",
    read="https://awsnegotiations.com/sqs-sns-cost-optimization.html",
)
SNS = Price(
    item="SNS: publish",
    dollars=0.50,
    per=1_000_000,
    free=1_000_000,
    page="https://aws.amazon.com/sns/pricing/",
    read="https://www.factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols/",
)
MAIL = Price(
    item="SNS: e-mail",
    dollars=2.00,
    per=100_000,
    free=1_000,
    page="https://aws.amazon.com/sns/pricing/",
    read="https://www.factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols/",
)
READS = Price(
    item="DynamoDB: read request unit",
    dollars=0.125,
    per=1_000_000,
    free=0,
    page="https://aws.amazon.com/dynamodb/pricing/on-demand/",
    read="https://airbyte.com/data-engineering-resources/dynamodb-pricing",
)
WRITES = Price(
    item="DynamoDB: write request unit",
    dollars=0.625,
    per=1_000_000,
    free=0,
    page="https://aws.amazon.com/dynamodb/pricing/on-demand/",
    read="https://airbyte.com/data-engineering-resources/dynamodb-pricing",
)
METRICS = Price(
    item="CloudWatch: own metric",
    dollars=0.30,
    per=1,
    free=10,
    page=_CLOUDWATCH,
    read="https://signoz.io/guides/cloudwatch-pricing",
)
ALARMS = Price(
    item="CloudWatch: metric of an alarm",
    dollars=0.10,
    per=1,
    free=10,
    page=_CLOUDWATCH,
    read="https://signoz.io/guides/cloudwatch-pricing",
)
DASHBOARDS = Price(
    item="CloudWatch: dashboard",
    dollars=3.00,
    per=1,
    free=3,
    page=_CLOUDWATCH,
    read="https://signoz.io/guides/cloudwatch-pricing",
)
LOGS = Price(
    item="CloudWatch Logs: GB taken in",
    dollars=0.50,
    per=1,
    free=5,
    page=_CLOUDWATCH,
    read="https://signoz.io/guides/cloudwatch-pricing",
)
TRACES = Price(
    item="X-Ray: trace",
    dollars=5.00,
    per=1_000_000,
    free=100_000,
    page="https://aws.amazon.com/xray/pricing/",
    read="https://aws.amazon.com/xray/pricing/",
)
KEYS = Price(
    item="KMS: key",
    dollars=1.00,
    per=1,
    free=0,
    page="https://aws.amazon.com/kms/pricing/",
    read="https://cloudburn.io/blog/aws-kms-pricing",
)
TRAIL = Price(
    item="CloudTrail: event of a further copy of management events",
    dollars=2.00,
    per=100_000,
    free=0,
    page="https://aws.amazon.com/cloudtrail/pricing/",
    read="",
)
CONFIG_RULES = Price(
    item="AWS Config: evaluation of a rule, the first 100,000",
    dollars=0.001,
    per=1,
    free=0,
    page="https://aws.amazon.com/config/pricing/",
    read="https://www.vantage.sh/blog/aws-config-pricing",
)
CONFIG_ITEMS = Price(
    item="AWS Config: configuration item, continuously recorded",
    dollars=0.003,
    per=1,
    free=0,
    page="https://aws.amazon.com/config/pricing/",
    read="https://www.vantage.sh/blog/aws-config-pricing",
)
PRICES = (
    *(LAMBDA_TIME, LAMBDA_REQUESTS, EVENTS, SCHEDULER, SQS, SNS, MAIL, READS, WRITES, METRICS, ALARMS, DASHBOARDS),
    *(LOGS, TRACES, KEYS, TRAIL, CONFIG_RULES, CONFIG_ITEMS),
)

# Quotas, by the second where nothing else is said.
ASSUMED_A_SECOND = 600
READ_OF_A_NEW_TABLE = 12_000  # read request units
MAILS_A_SECOND = 10
DELIVERED_BY_RULES = 750  # in the smallest Regions; 18,750 in us-east-1
RUNNING_AT_ONCE = 1_000
DESCRIBED_A_SECOND = 20  # of one action of EC2, beyond a bucket of 100
QUOTA_PAGES: Mapping[str, str] = {
    "STS": "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
    "DynamoDB": "https://www.repost.aws/knowledge-center/on-demand-table-throttling-dynamodb",
    "SNS": "https://repost.aws/knowledge-center/sns-email-subscription-disabled",
    "EventBridge": "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
    "Lambda": "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
    "EC2": "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html",
}
# docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
CORE_MEMORY = 1769
# docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: five pollers where the concurrency is limited, each
# waiting up to 20 seconds, as long as a request can.
IDLE_POLLS = 5 * SECONDS // 20


# --- What was counted and measured ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One invocation: its calls of AWS, how many of them have to wait for another (`waits`), how it reads the findings
    table, how many items it writes, how many messages it publishes.

    `scans` are those of the whole table that hand out what is of home alone, `wholes` those that hand out everything,
    `by_place` queries of the index of places, `by_key` queries of one resource.
    `cpu` is the milliseconds of a core of an invocation after the first of its process, `cold` of that with the start
    of the process; `memory` what the function is given, in MB; `log` bytes, where they were measured.
    """

    name: str
    calls: int
    waits: int
    memory: int
    cpu: float
    cold: float
    scans: int = 0
    wholes: int = 0
    by_place: int = 0
    by_key: int = 0
    writes: int = 0
    publishes: int = 0
    log: int = 622

    @property
    def write_units(self) -> int:
        """Of an item up to 1 KB in a transaction; what is recorded of a member is written to the index too."""
        return WRITE_UNITS + (INDEX_UNITS if self.by_place else 0)


@cache
def _measured() -> Mapping[str, Any]:
    """What `make bench ARGS=--write` recorded last."""
    return cast("Mapping[str, Any]", json.loads(RECORDED.read_text(encoding="utf-8")))


def _took(name: str) -> tuple[float, float, float]:
    """Of an invocation of benchmarks/members.py: milliseconds of CPU, of that with the start of the process, MB."""
    took = _measured()["functions"]["took"][name]
    return took["cpu"], took["cold_cpu"], took["peak"]


def _event(part: str, name: str) -> float:
    return next(float(one["ours"]["median"]) for one in _measured()["events"][part] if one["name"] == name)


_MANY = 4000  # items of the findings table
SYNC_CPU, SYNC_COLD, _ = _took("target sync with nothing bound")
HOME_CPU, HOME_COLD, PROCESS_MEMORY = _took("audit at home, 0 items")
EMPTY_CPU, EMPTY_COLD, _ = _took("audit of a member, 0 connectors, 0 items of others")
ONE_CPU, ONE_COLD, _ = _took("audit of a member, 1 connectors, 0 items of others")
TEN_CPU, TEN_COLD, _ = _took("audit of a member, 10 connectors, 0 items of others")
_FULL_CPU, _, _FULL_MEMORY = _took(f"audit at home, {_MANY} items")
ITEM_CPU = (_FULL_CPU - HOME_CPU) / _MANY  # ms: an item of the findings table, to get it and to understand it
ITEM_MEMORY = (_FULL_MEMORY - PROCESS_MEMORY) * 1000 / _MANY  # KB that the process holds for it meanwhile
EVENT_CPU, EVENT_COLD = (
    _event("warm", "CPU of a warm event"),
    _event("cold", "CPU until the end of the first event"),
)
# A private path adds 20 calls to an audit. What a call takes that needs a connection, ten connectors more tell.
PATH_CPU = ONE_CPU + 20 * (TEN_CPU - ONE_CPU) / 10
PATH_COLD = PATH_CPU + EMPTY_COLD - EMPTY_CPU
_CLIENTS_CPU = EMPTY_CPU - HOME_CPU  # those of a member
# Bytes of an item as DynamoDB counts them: a member's last audit; a finding, as in the failing cases of the rules.
AUDITED_BYTES, FINDING_BYTES = 230, 500
WRITE_UNITS = 2  # of an item up to 1 KB in a transaction
INDEX_UNITS = 2  # in the index: the most, for nothing was found on whether a transaction's double price holds there

MEMBER_EMPTY = Work(
    name="audit of a member, nothing of App Runner",
    calls=12,
    waits=5,
    by_place=1,
    by_key=2,
    writes=1,
    memory=1024,
    cpu=EMPTY_CPU,
    cold=EMPTY_COLD,
)
MEMBER_ONE = replace(
    MEMBER_EMPTY, name="with a connector and a service", calls=22, waits=9, cpu=ONE_CPU, cold=ONE_COLD, log=1228
)
MEMBER_TOLD = replace(MEMBER_ONE, name="with one of each, findings are told", calls=26, waits=12, writes=3, publishes=1)
MEMBER_TEN = replace(MEMBER_ONE, name="with ten of each", calls=32, cpu=TEN_CPU, cold=TEN_COLD, log=2876)
MEMBER_PATH = replace(
    MEMBER_TEN, name="with one of each and a private path", calls=42, waits=15, cpu=PATH_CPU, cold=PATH_COLD
)
MEMBER_EVENT = Work(
    name="change of a network in a member without connectors",
    calls=4,
    waits=2,
    by_place=1,
    memory=512,
    cpu=EMPTY_CPU,
    cold=EMPTY_COLD,
)
MEMBER_SERVICE = Work(
    name="event of a service in a member",
    calls=13,
    waits=4,
    by_place=1,
    memory=512,
    cpu=ONE_CPU,
    cold=ONE_COLD,
    log=1228,
)
HOME_EMPTY = Work(
    name="audit at home, nothing of App Runner",
    calls=9,
    waits=2,
    scans=1,
    by_key=1,
    memory=1024,
    cpu=HOME_CPU,
    cold=HOME_COLD,
)
HOME_DIGEST = replace(
    HOME_EMPTY,
    name="with the digest of an organization, once a day",
    calls=13,
    waits=6,
    wholes=1,
    writes=2,
    publishes=1,
)
HOME_TEN = replace(
    HOME_EMPTY,
    name="with ten connectors and services",
    calls=29,
    waits=6,
    cpu=TEN_CPU - _CLIENTS_CPU,
    cold=TEN_COLD,
    log=2876,
)
HOME_PATH = replace(
    HOME_TEN,
    name="with one of each and a private path",
    calls=39,
    waits=12,
    cpu=PATH_CPU - _CLIENTS_CPU,
    cold=PATH_COLD,
)
SYNC_IDLE = Work(name="sync with nothing bound", calls=2, waits=1, scans=1, memory=1024, cpu=SYNC_CPU, cold=SYNC_COLD)
SYNC_ONE = replace(SYNC_IDLE, name="with a bound group in step", calls=5, waits=3, cpu=EVENT_CPU, cold=EVENT_COLD)
EVENT = Work(
    name="event of a service, nothing new",
    calls=12,
    waits=3,
    scans=1,
    memory=512,
    cpu=EVENT_CPU,
    cold=EVENT_COLD,
    log=1228,
)
EVENT_TOLD = replace(EVENT, name="event of a service, a finding is told", calls=16, waits=6, writes=2, publishes=1)


# --- Arithmetic -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The findings table: an item for the last audit of each member, and one for each finding that is open or was
    within 90 days, of members (`findings`) and of home."""

    audited: int = 0
    findings: int = 0
    at_home: int = 0

    @property
    def items(self) -> int:
        return self.audited + self.findings + self.at_home

    @property
    def bytes(self) -> int:
        return self.audited * AUDITED_BYTES + (self.findings + self.at_home) * FINDING_BYTES

    @property
    def units(self) -> int:
        """Read request units of a scan, which is strongly consistent: one for 4 KB."""
        return max(1, math.ceil(self.bytes / 4096))

    @property
    def pages(self) -> int:
        """Calls of a scan, one after the other: each looks at 1 MB."""
        return max(1, math.ceil(self.bytes / MB))

    @property
    def memory(self) -> float:
        """MB that a process holds when it has read all of it."""
        return PROCESS_MEMORY + self.items * ITEM_MEMORY / 1024

    @property
    def of_place(self) -> float:
        """Items of a member: the findings are spread evenly."""
        return (self.audited + self.findings) / max(1, self.audited)

    @property
    def place_units(self) -> float:
        """Read request units of a query of the index by place, which is eventually consistent: a half for 4 KB."""
        of_members = self.audited * AUDITED_BYTES + self.findings * FINDING_BYTES
        return max(1, math.ceil(of_members / max(1, self.audited) / 4096)) / 2


EMPTY = Table()


def understood(work: Work, table: Table) -> float:
    """Items that an invocation gets of the findings table."""
    return work.scans * table.at_home + work.wholes * table.items + work.by_place * table.of_place + work.by_key


def read_units(work: Work, table: Table) -> float:
    """A scan is charged for what it looks at, whatever it hands out."""
    return (work.scans + work.wholes) * table.units + work.by_place * table.place_units + work.by_key


def seconds(work: Work, latency: float, table: Table = EMPTY, *, is_cold: bool = False) -> float:
    """How long it takes: calls that wait for each other, and CPU at the function's share of a core."""
    waiting = (work.waits + (work.scans + work.wholes) * (table.pages - 1)) * latency
    cpu = (work.cold if is_cold else work.cpu) + understood(work, table) * ITEM_CPU
    return waiting + cpu / 1000 * CORE_MEMORY / work.memory


def scanning(work: Work) -> Work:
    """As it was at first, when it read the whole table for a member; what it asks by key it had of that."""
    return replace(work, by_place=0, by_key=0, calls=work.calls - work.by_key, wholes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a bill."""

    price: Price
    units: float
    what: str


def running(
    works: Mapping[Work, float], latency: float, table: Table = EMPTY, *, is_cold: bool = False
) -> Iterator[Line]:
    """What so many invocations of each kind cost."""
    time = sum(many * seconds(one, latency, table, is_cold=is_cold) * one.memory / 1024 for one, many in works.items())
    yield Line(price=LAMBDA_TIME, units=time, what="functions")
    yield Line(price=LAMBDA_REQUESTS, units=sum(works.values()), what="functions")
    yield Line(price=TRACES, units=sum(works.values()), what="every invocation traced, which is the most")
    yield Line(price=LOGS, units=sum(many * one.log for one, many in works.items()) / 1024**3, what="lines of our own")
    read = sum(many * read_units(one, table) for one, many in works.items())
    yield Line(price=READS, units=read, what="the findings table")
    yield Line(
        price=WRITES, units=sum(many * one.writes * one.write_units for one, many in works.items()), what="items"
    )
    told = sum(many * one.publishes for one, many in works.items())
    yield Line(price=SNS, units=told, what="alerts")
    yield Line(price=MAIL, units=told, what="alerts to one address")
    yield Line(price=EVENTS, units=told, what="alerts for machines")


@cache
def stands(*, organization: bool) -> tuple[Line, ...]:
    """What the stack costs when nothing happens, as template.yaml has it."""
    resources = {
        name: one for name, one in load().resources.items() if organization or one.get("Condition") != "HasOrganization"
    }
    kinds = [one["Type"] for one in resources.values()]
    watched = sum(
        _metrics(one["Properties"], organization=organization)
        for one in resources.values()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    )
    polled = kinds.count("AWS::Lambda::EventSourceMapping")
    return (
        Line(price=ALARMS, units=watched, what=f"{kinds.count('AWS::CloudWatch::Alarm')} alarms"),
        Line(price=METRICS, units=len(METRICS_SENT), what="all of them in every hour, which is the most"),
        Line(price=DASHBOARDS, units=kinds.count("AWS::CloudWatch::Dashboard"), what=""),
        Line(price=KEYS, units=kinds.count("AWS::KMS::Key"), what="OpsKey; none where KeyArn is given"),
        Line(price=SQS, units=polled * IDLE_POLLS, what=f"{polled} queues polled in vain"),
    )


def _metrics(alarm: Mapping[str, Any], *, organization: bool) -> int:
    """How many metrics an alarm is charged for."""
    found = 0
    for one in alarm.get("Metrics", ()):
        there = one["Fn::If"][1 if organization else 2] if "Fn::If" in one else one
        found += "MetricStat" in there
    return found or 1


# --- One account and Region -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Month:
    """What happens in a month in one account and Region."""

    name: str
    works: Mapping[Work, float]
    table: Table


AUDITS_AT_HOME, SYNCS = HOURS, HOURS * 12  # rate(1 hour), rate(5 minutes)
DIGESTS = HOURS / 24
MONTHS = (
    Month(name="idle", works={HOME_EMPTY: AUDITS_AT_HOME, SYNC_IDLE: SYNCS}, table=Table()),
    Month(
        name="1,000 events",
        works={HOME_TEN: AUDITS_AT_HOME, SYNC_ONE: SYNCS, EVENT: 950, EVENT_TOLD: 50},
        table=Table(at_home=50),
    ),
    Month(
        name="100,000 events",
        works={HOME_TEN: AUDITS_AT_HOME, SYNC_ONE: SYNCS, EVENT: 95_000, EVENT_TOLD: 5_000},
        table=Table(at_home=1000),
    ),
)


def bill_of(month: Month) -> tuple[Line, ...]:
    """Each invocation starts a process, which is the most: Lambda keeps them for as long as it likes."""
    return (*running(month.works, NEAR, month.table, is_cold=True), *stands(organization=False))


def _by_price(lines: Sequence[Line]) -> dict[Price, float]:
    units: dict[Price, float] = {}
    for line in lines:
        units[line.price] = units.get(line.price, 0) + line.units
    return units


def total(lines: Sequence[Line]) -> float:
    return sum(price.of(units) for price, units in _by_price(lines).items())


def after_free(lines: Sequence[Line]) -> float:
    """Where nothing else uses what is free."""
    return sum(price.after_free(units) for price, units in _by_price(lines).items())


# --- An organization --------------------------------------------------------------------------------------------------

ACCOUNTS, REGIONS = 1_000, 11
PLACES = ACCOUNTS * REGIONS
EVERY_HOURS = 6  # rate(6 hours), within the hour that follows: organization.yaml
ROUNDS = HOURS / EVERY_HOURS
CHANGES = 100  # of a member's network that its rules send on in a month
CONCURRENCY = 10  # of the event source of members' audits: template.yaml
EVENTS_AT_ONCE = 5  # of the event source of members' changes: there too
AUDIT_MEMORY, AUDIT_SECONDS = 1024, 900
NEEDED = PLACES / (EVERY_HOURS * 3600)  # audits a second
AT_PEAK = PLACES / 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Mix:
    """How many of the places have ten connectors and services, and how many findings are kept of each of those."""

    name: str
    using: int
    findings: int

    @property
    def table(self) -> Table:
        return Table(audited=PLACES, findings=self.using * self.findings)

    def audits(self, every_hours: float = EVERY_HOURS) -> dict[Work, float]:
        rounds = HOURS / every_hours
        return {MEMBER_EMPTY: (PLACES - self.using) * rounds, MEMBER_TEN: self.using * rounds}


NOBODY = Mix(name="nobody uses App Runner", using=0, findings=0)
TENTH = Mix(name="one place in ten does", using=PLACES // 10, findings=5)
ALL = Mix(name="all do", using=PLACES, findings=5)
MIXES = (NOBODY, TENTH, ALL)
AT_HOME: Mapping[Work, float] = {HOME_EMPTY: AUDITS_AT_HOME - DIGESTS, HOME_DIGEST: DIGESTS, SYNC_IDLE: SYNCS}


def bill(mix: Mix, latency: float, every_hours: float = EVERY_HOURS, *, scans: bool = False) -> tuple[Line, ...]:
    """Of the organization a month, each change handled by itself, which is the most. `scans`: as it was at first."""
    audits = mix.audits(every_hours)
    many = sum(audits.values())
    changes = PLACES * CHANGES
    works: dict[Work, float] = {
        **audits,
        MEMBER_EVENT: (PLACES - mix.using) * CHANGES,
        MEMBER_SERVICE: mix.using * CHANGES,
    }
    if scans:
        works = {scanning(one): number for one, number in works.items()}
    units = WRITE_UNITS if scans else WRITE_UNITS + INDEX_UNITS
    seen = mix.table.findings * HOURS / 24 * units
    return (
        *running(works, latency, mix.table),
        Line(price=WRITES, units=seen, what="findings that stand, once a day"),
        *running(AT_HOME, latency, mix.table, is_cold=True),
        Line(price=SCHEDULER, units=many, what="members' schedules; free there"),
        Line(price=EVENTS, units=2 * many, what="audits that are due: put, and sent on"),
        Line(price=EVENTS, units=changes, what="changes that are sent on"),
        Line(price=SQS, units=3 * (many + changes), what="sent, received and deleted"),
        *stands(organization=True),
    )


def a_second(mix: Mix, latency: float, *, scans: bool = False) -> float:
    """Audits that the event source's concurrency allows."""
    audits = mix.audits()
    spent = sum(many * seconds(scanning(one) if scans else one, latency, mix.table) for one, many in audits.items())
    return CONCURRENCY * sum(audits.values()) / spent


def findings_until(reached: Callable[[Table], bool]) -> int:
    """The fewest findings of an organization's table, in hundreds, at which that is reached."""
    return next(many for many in range(0, 10_000_000, 100) if reached(Table(audited=PLACES, findings=many)))


# --- Tables -----------------------------------------------------------------------------------------------------------

type Row = Sequence[str]


def _table(*rows: Row) -> Iterator[str]:
    head, *rest = rows
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    yield from (f"| {' | '.join(row)} |" for row in rest)


def _money(dollars: float) -> str:
    """Cents where they matter: below a hundred."""
    return f"${dollars:,.{0 if dollars >= 100 else 2}f}"  # noqa: PLR2004  # said above


def _link(page: str) -> str:
    return f"[{page.split('/')[2].removeprefix('www.')}]({page})" if page else ""


def _prices() -> Iterator[str]:
    rows = [
        (
            one.item,
            f"${one.dollars:.10f}".rstrip("0").rstrip(".") + (f" for {one.per:,}" if one.per > 1 else ""),
            f"{one.free:,}" if one.free else "",
            _link(one.page),
            _link(one.read) or "not read again",
        )
        for one in PRICES
    ]
    yield from _table(("unit", "us-east-1", "free a month", "AWS's page", "read at"), *rows)


_WORKS = (
    *(EVENT, EVENT_TOLD, SYNC_IDLE, SYNC_ONE, HOME_EMPTY, HOME_DIGEST, HOME_TEN, HOME_PATH),
    *(MEMBER_EMPTY, MEMBER_ONE, MEMBER_TOLD, MEMBER_TEN, MEMBER_PATH, MEMBER_EVENT, MEMBER_SERVICE),
)


def _works() -> Iterator[str]:
    head = (
        "invocation",
        "calls",
        "one after the other",
        "memory",
        "CPU",
        "at 20 ms a call",
        "at 50 ms",
        "1,000 of them",
    )
    rows = [
        (
            one.name,
            str(one.calls),
            str(one.waits),
            f"{one.memory:,} MB",
            f"{one.cpu:.0f} ms",
            f"{seconds(one, NEAR):.2f} s",
            f"{seconds(one, FAR):.2f} s",
            f"${1000 * LAMBDA_TIME.of(seconds(one, NEAR) * one.memory / 1024):.4f}",
        )
        for one in _WORKS
    ]
    yield from _table(head, *rows)


def _month() -> Iterator[str]:
    bills = [_by_price(bill_of(one)) for one in MONTHS]
    what = {line.price: line.what for line in (*running(MONTHS[1].works, NEAR), *stands(organization=False))}
    rows = [
        (price.item, what[price], *(_money(price.of(one.get(price, 0))) for one in bills))
        for price in PRICES
        if price in what
    ]
    totals = ("**together**", "", *(f"**{_money(total(bill_of(one)))}**" for one in MONTHS))
    free = ("less what is free", "where nothing else uses it", *(_money(after_free(bill_of(one))) for one in MONTHS))
    yield from _table(("line", "of what", *(one.name for one in MONTHS)), *rows, totals, free)


def _work() -> Iterator[str]:
    """What the functions alone cost in a month of 1,000 events: as far as processes are used again, and at the most."""
    month = MONTHS[1]
    rows = []
    for one, many in month.works.items():
        cells = []
        for is_cold in (False, True):
            took = seconds(one, NEAR, month.table, is_cold=is_cold)
            cells += [f"{took:.2f} s", _cents(_function(one, many, month.table, is_cold=is_cold))]
        rows.append((one.name, f"{many:,.0f}", f"{one.memory:,} MB", *cells))
    sums = [
        sum(_function(one, many, month.table, is_cold=is_cold) for one, many in month.works.items())
        for is_cold in (False, True)
    ]
    rows.append(("**together**", "", "", "", f"**{_cents(sums[0])}**", "", f"**{_cents(sums[1])}**"))
    yield from _table(
        ("in a month", "invocations", "memory", "each, warm", "dollars", "each with the start of a process", "dollars"),
        *rows,
    )


def _function(work: Work, many: float, table: Table, *, is_cold: bool) -> float:
    """Dollars of Lambda alone."""
    used = many * seconds(work, NEAR, table, is_cold=is_cold) * work.memory / 1024
    return LAMBDA_TIME.of(used) + LAMBDA_REQUESTS.of(many)


def _cents(dollars: float) -> str:
    return f"${dollars:.3f}"


def _organization() -> Iterator[str]:
    found = {(mix.name, late): _by_price(bill(mix, late)) for mix in MIXES for late in (NEAR, FAR)}
    rows = []
    for price in PRICES:
        units = [found[mix.name, NEAR].get(price, 0) for mix in MIXES]
        if any(units):
            rows.append((price.item, *(f"{many:,.0f} = {_money(price.of(many))}" for many in units)))
    totals = [
        (f"**together, at {late * 1000:.0f} ms a call**", *(f"**{_money(total(bill(mix, late)))}**" for mix in MIXES))
        for late in (NEAR, FAR)
    ]
    yield from _table(("a month", *(mix.name for mix in MIXES)), *rows, *totals)


def _short() -> Iterator[str]:
    rates = [f"{a_second(mix, NEAR):.1f}" for mix in MIXES]
    costs = [_money(total(bill(mix, NEAR))) for mix in MIXES]
    yield from textwrap.wrap(
        f"**In short.** {PLACES:,} places are audited every {EVERY_HOURS} hours, {PLACES * ROUNDS / 1e6:.1f} million"
        f" times a month. That costs {costs[0]} where nobody uses App Runner, {costs[1]} where one place in ten does,"
        f" and {costs[2]} where all do. {CONCURRENCY} audits at once are {rates[0]}, {rates[1]} and {rates[2]} a"
        f" second, and {NEEDED:.2f} are needed. **Of AWS's quotas that of mail binds first**, {MAILS_A_SECOND} a second"
        f" to an address; of our own limits the {CONCURRENCY} audits at once.",
        width=120,
        break_on_hyphens=False,
    )


def _formulas() -> Iterator[str]:
    table = ALL.table
    read = f"scan, read units  = ({PLACES:,} places x {AUDITED_BYTES} B + findings x {FINDING_BYTES} B) / 4,096 B"
    rows = [
        (
            "audit, read units = 2 by key + 1/2 for each 4 KB of the place by the index",
            read_units(MEMBER_EMPTY, table),
        ),
        (
            f"write units       = items x ({WRITE_UNITS} in the table + {INDEX_UNITS} in the index)",
            MEMBER_EMPTY.write_units,
        ),
        (read, table.units),
        ("scan, calls       = the same bytes / 1 MB", table.pages),
    ]
    yield "```text"
    yield f"{'':{len(read) + 4}}where all use App Runner"
    yield from (f"{formula:<{len(read) + 4}}{value:,g}" for formula, value in rows)
    yield "```"


def _calls() -> Iterator[str]:
    """Lambda time at 20 ms a call."""
    rows = []
    for mix in MIXES:
        audits = mix.audits()
        many = sum(audits.values())
        calls = sum(number * one.calls for one, number in audits.items())
        spent = sum(number * seconds(one, NEAR, mix.table) for one, number in audits.items())
        rows.append((mix.name, f"{many:,.0f}", f"{calls:,.0f}", f"{spent / 3600:,.0f} h", f"{spent / many:.2f} s"))
    yield from _table(("audits of a month", "audits", "calls", "Lambda time at 20 ms a call", "an audit"), *rows)


def _scan_and_index() -> Iterator[str]:
    head = ("members", "each reads", "a month", "of it for reads", "an audit", "audits a second", "memory of an audit")
    rows = []
    for mix in MIXES:
        for name, scans in (("the whole table", True), ("its place, by the index", False)):
            lines, rate = bill(mix, NEAR, scans=scans), a_second(mix, NEAR, scans=scans)
            read = READS.of(_by_price(lines)[READS])
            memory = mix.table.memory if scans else PROCESS_MEMORY
            rows.append(
                (
                    mix.name,
                    name,
                    _money(total(lines)),
                    _money(read),
                    f"{CONCURRENCY / rate:.1f} s",
                    f"{rate:.1f}",
                    f"{memory:,.0f} MB",
                )
            )
    yield from _table(head, *rows)


def _at_home() -> Iterator[str]:
    head = (
        *("findings of members", "MB", "read units", "calls", "a sync", "syncs and audits, reads a month"),
        *("1,000 events, reads", "events a second", "a digest", "memory of a digest"),
    )
    rows = []
    for findings in (0, 5_500, 55_000, 110_000, 550_000):
        table = Table(audited=PLACES, findings=findings)
        reads = sum(many * read_units(one, table) for one, many in AT_HOME.items())
        rows.append(
            (
                f"{findings:,}",
                f"{table.bytes / MB:.1f}",
                f"{table.units:,}",
                str(table.pages),
                f"{seconds(SYNC_IDLE, NEAR, table):.2f} s",
                _money(READS.of(reads)),
                _money(READS.of(1000 * read_units(EVENT, table))),
                f"{READ_OF_A_NEW_TABLE / read_units(EVENT, table):.2f}",
                f"{seconds(HOME_DIGEST, NEAR, table):.1f} s",
                f"{table.memory:,.0f} MB",
            )
        )
    yield from _table(head, *rows)


def _limits() -> Iterator[str]:
    """From how many findings on something is more than it may be."""
    rows = [
        (
            f"an event at home each second, from a fresh table: {READ_OF_A_NEW_TABLE:,} read units a second",
            findings_until(lambda table: read_units(EVENT, table) > READ_OF_A_NEW_TABLE),
        ),
        (f"the digest in {AUDIT_MEMORY:,} MB", findings_until(lambda table: table.memory > AUDIT_MEMORY)),
        (
            f"the digest in {AUDIT_SECONDS // 60} minutes",
            findings_until(lambda table: seconds(HOME_DIGEST, NEAR, table, is_cold=True) > AUDIT_SECONDS),
        ),
    ]
    ordered = sorted(rows, key=lambda row: row[1])
    yield from _table(
        ("what no longer holds", "from so many findings on, in 11,000 places", "for each place"),
        *((name, f"{many:,}", f"{many / PLACES:.2f}") for name, many in ordered),
    )


def _quotas() -> Iterator[str]:
    """Where all use App Runner, at 20 ms a call."""
    table = ALL.table
    late = CONCURRENCY / seconds(MEMBER_TOLD, NEAR, table)
    events = PLACES * CHANGES / SECONDS
    read = AT_PEAK * read_units(MEMBER_TEN, table) + events * read_units(MEMBER_SERVICE, table)
    syncs = SYNCS / SECONDS * table.units
    sources = CONCURRENCY + EVENTS_AT_ONCE + 2 + 2 + 2
    rows: list[tuple[str, str, float, float, str]] = [
        ("mails to one address", "audits are late, and each of them tells something", late, MAILS_A_SECOND, "SNS"),
        ("mails to one address", "each audit that is due tells something", AT_PEAK, MAILS_A_SECOND, "SNS"),
        (
            "audits at once",
            "in the hour in which they are due",
            AT_PEAK * seconds(MEMBER_TEN, NEAR, table),
            CONCURRENCY,
            "Lambda",
        ),
        (
            "events at once",
            "always, none of them in a batch",
            events * seconds(MEMBER_SERVICE, NEAR, table),
            EVENTS_AT_ONCE,
            "Lambda",
        ),
        ("EC2's DescribeSubnets", "in a member, by an audit with a path", 3, DESCRIBED_A_SECOND, "EC2"),
        ("functions at once", "all event sources at their most", sources, RUNNING_AT_ONCE, "Lambda"),
        ("AssumeRole", "in that hour", AT_PEAK + events, ASSUMED_A_SECOND, "STS"),
        (
            "deliveries by rules",
            "in that hour, in the smallest Region",
            AT_PEAK + events,
            DELIVERED_BY_RULES,
            "EventBridge",
        ),
        ("reads of a fresh table", "in that hour, and by syncs", read + syncs, READ_OF_A_NEW_TABLE, "DynamoDB"),
    ]
    ordered = sorted(rows, key=lambda row: -row[2] / row[3])
    yield from _table(
        ("what", "when", "needed", "quota", "share", "AWS's page"),
        *(
            (name, when, f"{needed:,.1f}", f"{quota:,}", f"{needed / quota:.1%}", _link(QUOTA_PAGES[page]))
            for name, when, needed, quota, page in ordered
        ),
    )


def _concurrency() -> Iterator[str]:
    """How long an audit may take, and how long audits do."""
    rows = [
        (f"a round is done within {EVERY_HOURS} hours", f"{CONCURRENCY / NEEDED:.1f} s"),
        ("those that are due in an hour are done in it", f"{CONCURRENCY / AT_PEAK:.1f} s"),
        *(
            (f"*{name}, at {late * 1000:.0f} ms a call*", f"*{seconds(one, late, ALL.table):.1f} s*")
            for name, one in (
                ("nothing of App Runner", MEMBER_EMPTY),
                ("ten of each", MEMBER_TEN),
                ("a path", MEMBER_PATH),
            )
            for late in (NEAR, FAR)
        ),
    ]
    yield from _table((f"with {CONCURRENCY} at once", "an audit"), *rows)


def _schedules() -> Iterator[str]:
    rows = []
    for hours in (1, 6, 24):
        name = f"every {hours} hours" if hours > 1 else "every hour"
        costs = (_money(total(bill(mix, NEAR, hours))) for mix in MIXES)
        rows.append((name, f"{PLACES / hours / 3600:.2f}", *costs))
    yield from _table(("audits", "a second", *(mix.name for mix in MIXES)), *rows)


def _beside() -> Iterator[str]:
    """What others charge for as much looking."""
    each = PLACES * ROUNDS
    stacks = PLACES * total(bill_of(MONTHS[0]))
    copy = each * (MEMBER_EMPTY.calls - 5)  # without AssumeRole and the findings table
    rows = [
        ("one deployment for the organization, nobody uses App Runner", total(bill(NOBODY, NEAR))),
        (
            "one rule of AWS Config in each place, evaluated every six hours, without its recorder",
            CONFIG_RULES.of(each),
        ),
        ("a stack of template.yaml in each place", stacks),
        ("a further copy of CloudTrail's management events, for the audits' calls in members", TRAIL.of(copy)),
    ]
    yield from _table(("what", "a month"), *((name, _money(dollars)) for name, dollars in rows))


def _beside_one() -> Iterator[str]:
    rows = [
        ("this stack, 1,000 events a month", total(bill_of(MONTHS[1]))),
        ("one rule of AWS Config, every hour", CONFIG_RULES.of(HOURS)),
        ("ten such rules", CONFIG_RULES.of(10 * HOURS)),
        ("one rule at 1,000 changes, with their configuration items", CONFIG_RULES.of(1000) + CONFIG_ITEMS.of(1000)),
        ("ten such rules", CONFIG_RULES.of(10 * 1000) + CONFIG_ITEMS.of(1000)),
    ]
    yield from _table(("what", "a month"), *((name, _money(dollars)) for name, dollars in rows))


TABLES: Mapping[str, Callable[[], Iterator[str]]] = {
    "prices": _prices,
    "invocations": _works,
    "month": _month,
    "work": _work,
    "beside a rule of AWS Config": _beside_one,
    "in short": _short,
    "calls": _calls,
    "formulas": _formulas,
    "organization": _organization,
    "scan and index": _scan_and_index,
    "at home": _at_home,
    "limits": _limits,
    "quotas": _quotas,
    "concurrency": _concurrency,
    "schedules": _schedules,
    "beside": _beside,
}
PAGES = ("cost.md", "scale.md", "performance.md")
_MARKED = re.compile(r"(<!-- cost: (?P<name>[^>]+) -->\n).*?(<!-- cost: end -->)", re.DOTALL)


def written(page: str) -> str:
    """The page with its tables as they are now. Raises KeyError for a table that there is not."""
    return _MARKED.sub(lambda found: found[1] + "\n".join((*TABLES[found["name"]](), found[3])), page)


def main(arguments: Sequence[str], folder: Path = FOLDER) -> int:
    """Write the tables, or with --check only say which pages are not what they should be. The exit status."""
    status = 0
    for name in PAGES:
        page = folder / name
        old = page.read_text(encoding="utf-8")
        if old == (new := written(old)):
            continue
        if "--check" in arguments:
            print(f"docs/{name} is out of date: run `make docs` and commit what it writes.")
            status = 1
        else:
            page.write_text(new, encoding="utf-8")
            print(f"wrote docs/{name}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
