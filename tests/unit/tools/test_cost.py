"""What docs/cost.md and docs/scale.md count with is what happens; their tables are what follows from it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any
from unittest.mock import patch

import pytest

from apprunner_guardrails.aws import clients, findings_table, members
from apprunner_guardrails.facts import TargetGroup
from apprunner_guardrails.findings import Status
from apprunner_guardrails.ledger import Channel, Record, Terms, plan, remembered, settled
from apprunner_guardrails.members import Place, place_of
from apprunner_guardrails.respond import respond
from apprunner_guardrails.scheduled import audit_region
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.times import utc
from replay.template import MEMBER_TEMPLATE, load
from tests.aws import NOW, WRITES, Aws, asked_of, synced
from tests.bound_groups import SCHEDULE, in_step
from tests.cases import ALL_RULES, answer, cases_of
from tests.cases._healthy import healthy as whole
from tests.private_path import private_path
from tests.samples import (
    CONNECTOR,
    REGION,
    SERVICE,
    SETTINGS,
    Event,
    Rows,
    connector,
    healthy,
    public,
    replaced_route,
    service,
    service_call,
)
from tests.unit.test_respond_members import OTHER, in_account
from tools import cost
from tools.cost import Table, Work

GUARDING = replace(SETTINGS, member_role_name="guardrails-member", digest_hour=None)
SCANS, QUERIES = "dynamodb:Scan", "dynamodb:Query"
MEMBER = place_of(OTHER, REGION, GUARDING)
DAY = 86_400


def nothing() -> Rows:
    return {**healthy(), "VpcConnectors": [], "Services": []}


def ten() -> Rows:
    """Connectors in the same subnets, each with a service of its own."""
    rows = healthy()
    arns = [CONNECTOR.replace("/shop-web/", f"/connector-{number}/") for number in range(10)]
    rows["VpcConnectors"] = [connector(one) for one in arns]
    rows["Services"] = [
        service(one, ServiceArn=SERVICE.replace("/shop/", f"/shop-{number}/"), ServiceName=f"shop-{number}")
        for number, one in enumerate(arns)
    ]
    return rows


AUDITS: dict[str, tuple[Work, Rows, Place | None]] = {
    "a member's, nothing": (cost.MEMBER_EMPTY, nothing(), MEMBER),
    "a member's, one": (cost.MEMBER_ONE, healthy(), MEMBER),
    "a member's, ten": (cost.MEMBER_TEN, ten(), MEMBER),
    "a member's, a path": (cost.MEMBER_PATH, private_path(), MEMBER),
    "at home, nothing": (cost.HOME_EMPTY, nothing(), None),
    "at home, ten": (cost.HOME_TEN, ten(), None),
    "at home, a path": (cost.HOME_PATH, private_path(), None),
}
EVENTS: dict[str, tuple[Work, Rows, Event]] = {
    "at home": (cost.EVENT, healthy(), service_call("UpdateService")),
    "at home, told": (cost.EVENT_TOLD, public(), service_call("UpdateService")),
    "a member's service": (cost.MEMBER_SERVICE, in_account(healthy()), in_account(service_call("UpdateService"))),
    "a member's network": (cost.MEMBER_EVENT, in_account(nothing()), in_account(replaced_route())),
}


@pytest.fixture(autouse=True)
def _assumed() -> Iterator[None]:
    """Members' clients are those at home, which the rows answer; no role was assumed yet."""
    members._assumed.clear()
    with patch.object(members, "clients_with", lambda *_: clients.client):
        yield
    members._assumed.clear()


def counted(work: Work, aws: Aws) -> Work:
    """The work, with what really happened."""
    scans, queries = aws.sent(SCANS), aws.sent(QUERIES)
    of_members = [one for one in scans if "FilterExpression" not in one]
    by_place = [one for one in queries if one.get("IndexName") == findings_table.PLACES]
    return replace(
        work,
        calls=len(aws.calls),
        waits=round(aws.seconds(1)),
        scans=len(scans) - len(of_members),
        wholes=len(of_members),
        by_place=len(by_place),
        by_key=len(queries) - len(by_place),
        writes=sum(len(one["TransactItems"]) for one in aws.sent(WRITES)),
        publishes=len(aws.published),
    )


@pytest.mark.parametrize(("work", "rows", "place"), AUDITS.values(), ids=AUDITS)
def test_an_audit_takes_what_the_pages_count_with(work: Work, rows: Rows, place: Place | None) -> None:
    """Once everything that there is to tell was told."""
    audited(rows, place, NOW)
    members._assumed.clear()
    assert counted(work, audited(rows, place, NOW + 3600)) == work


def test_an_audit_that_tells_what_is_new_takes_what_the_pages_count_with() -> None:
    assert counted(cost.MEMBER_TOLD, audited(in_account(public()), MEMBER, NOW)) == cost.MEMBER_TOLD


def test_the_digest_of_an_organization_takes_what_the_pages_count_with() -> None:
    rows, daily = nothing(), replace(GUARDING, digest_hour=0)
    audited(rows, None, NOW, daily)
    assert counted(cost.HOME_DIGEST, audited(rows, None, NOW + DAY, daily)) == cost.HOME_DIGEST


def audited(rows: Rows, place: Place | None, now: int, settings: Settings = GUARDING) -> Aws:
    with Aws(rows) as aws:
        audit_region(utc(now), clients.client, settings, lambda: now, lambda: 900, place=place, pace=at_once)
    return aws


def at_once(per_second: float) -> Callable[[], None]:
    return lambda: None


@pytest.mark.parametrize(("work", "rows", "event"), EVENTS.values(), ids=EVENTS)
def test_an_event_takes_what_the_pages_count_with(work: Work, rows: Rows, event: Event) -> None:
    with Aws(rows) as aws:
        respond([asked_of(event)], clients.client, GUARDING, lambda: NOW, pace=at_once)
    assert counted(work, aws) == work


@pytest.mark.parametrize(
    ("work", "rows"),
    [(cost.SYNC_IDLE, {**in_step(), "TargetGroups": [], "Tags": []}), (cost.SYNC_ONE, in_step())],
    ids=["nothing bound", "one group"],
)
def test_a_tick_of_target_sync_takes_what_the_pages_count_with(work: Work, rows: Rows) -> None:
    known: dict[str, TargetGroup] = {}
    for _ in range(2):
        aws = synced(rows, SCHEDULE, settings=GUARDING, known=known).aws
    assert counted(work, aws) == work


def test_an_item_is_as_large_as_the_pages_count_with() -> None:
    audited = remembered(f"member/{OTHER}/{REGION}", "audited", (), None, first_seen=1, last_seen=NOW)
    sizes = [item_bytes(one) for one in findings()]
    assert [item_bytes(audited), mean(sizes)] == pytest.approx([cost.AUDITED_BYTES, cost.FINDING_BYTES], rel=0.05)
    assert max(sizes) <= 1024  # so that WRITE_UNITS holds


def findings() -> Iterator[Record]:
    """As they are recorded when they were told, one for each failing case of the rules."""
    terms = Terms(
        now=NOW, who="alice with Terraform", channels=(Channel.TEXT, Channel.EVENTS), reminder_seconds=0, owner="alice"
    )
    for rule in ALL_RULES:
        for case in cases_of(rule.name):
            if case.expect.status is Status.FAIL:
                found = replace(answer(rule, case.snapshot(whole())), resource=in_account(CONNECTOR))
                (told,) = plan([found], (), terms).transitions
                yield replace(settled(told, told.channels, NOW), place=MEMBER.key)


def item_bytes(record: Record) -> int:
    """As docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html counts."""
    return sum(len(name) + value_bytes(one) for name, one in findings_table._item(record).items())


def value_bytes(value: Any) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content) // 2 + 2
        case _:
            return 3 + sum(1 + value_bytes(one) for one in content)


def test_what_the_templates_say_is_what_the_pages_count_with() -> None:
    resources = load().resources
    functions = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}
    memory = {name: one["MemorySize"] for name, one in functions.items()}
    assert memory["AuditRegionFunction"] == cost.AUDIT_MEMORY == cost.MEMBER_EMPTY.memory == cost.HOME_EMPTY.memory
    assert memory["ValidateNetworkFunction"] == cost.EVENT.memory == cost.MEMBER_EVENT.memory
    assert memory["SyncTargetsFunction"] == cost.SYNC_ONE.memory
    source = resources["AuditRegionFunctionMembers"]["Properties"]
    assert (source["BatchSize"], source["ScalingConfig"]) == (1, {"MaximumConcurrency": cost.CONCURRENCY})
    assert functions["AuditRegionFunction"]["Timeout"] == cost.AUDIT_SECONDS
    events = resources["ValidateNetworkFunctionMembers"]["Properties"]["ScalingConfig"]
    assert events == {"MaximumConcurrency": cost.EVENTS_AT_ONCE}
    indexes = resources["FindingsTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert [(one["IndexName"], one["Projection"]) for one in indexes] == [
        (findings_table.PLACES, {"ProjectionType": "ALL"})
    ]
    assert load().parameters["AuditSchedule"]["Default"] == "rate(1 hour)"
    assert load().parameters["SyncSchedule"]["Default"] == "rate(5 minutes)"
    of_members = load(MEMBER_TEMPLATE)
    assert of_members.parameters["AuditSchedule"]["Default"] == f"rate({cost.EVERY_HOURS} hours)"
    window = of_members.resources["AuditDueSchedule"]["Properties"]["FlexibleTimeWindow"]
    assert window == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}


def test_a_scan_is_charged_by_4_kb_and_answered_by_1_mb() -> None:
    tables = [Table(), Table(audited=11_000), Table(audited=11_000, findings=11_000)]
    assert [(one.items, one.units, one.pages) for one in tables] == [(0, 1, 1), (11_000, 618, 3), (22_000, 1961, 8)]


def test_what_is_read_of_the_table_is_charged_by_how_it_is_read() -> None:
    few, many = (Table(audited=11_000, findings=number) for number in (0, 55_000))
    works = (cost.MEMBER_EMPTY, cost.HOME_EMPTY, cost.HOME_DIGEST, cost.scanning(cost.MEMBER_EMPTY))
    assert [cost.read_units(one, few) for one in works] == [2.5, 619, 1237, 618]
    assert [cost.read_units(one, many) for one in works] == [2.5, 7333, 14665, 7332]
    assert [cost.understood(one, many) for one in works] == [8, 1, 66_001, 66_000]


def test_what_is_recorded_of_a_member_is_written_to_the_index_too() -> None:
    assert [cost.MEMBER_EMPTY.write_units, cost.HOME_DIGEST.write_units] == [4, 2]


def test_a_member_that_is_read_by_the_index_costs_less_and_is_audited_sooner() -> None:
    for mix in cost.MIXES:
        assert cost.total(cost.bill(mix, 0.02)) < cost.total(cost.bill(mix, 0.02, scans=True))
        assert cost.a_second(mix, 0.02) > cost.a_second(mix, 0.02, scans=True)


def test_what_is_free_is_taken_off_once() -> None:
    lines = [cost.Line(price=cost.SQS, units=800_000, what="") for _ in range(2)]
    assert [cost.total(lines), cost.after_free(lines)] == pytest.approx([0.64, 0.24])


def test_the_tables_in_docs_are_what_the_arithmetic_makes_of_them() -> None:
    assert cost.main(["--check"]) == 0


def test_every_table_is_on_one_of_the_pages() -> None:
    pages = "".join((cost.FOLDER / name).read_text() for name in cost.PAGES)
    assert [pages.count(f"<!-- cost: {name} -->") for name in cost.TABLES] == [1] * len(cost.TABLES)
    assert pages.count("<!-- cost: end -->") == len(cost.TABLES)


def test_a_table_that_is_out_of_date_is_told_and_then_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in cost.PAGES:
        shutil.copy(cost.FOLDER / name, tmp_path)
    page = tmp_path / "scale.md"
    right = page.read_text()
    page.write_text(right.replace("11,000", "12,000"))
    assert cost.main(["--check"], tmp_path) == 1
    assert cost.main([], tmp_path) == 0
    assert cost.main(["--check"], tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        "docs/scale.md is out of date: run `make docs` and commit what it writes.",
        "wrote docs/scale.md",
    ]
