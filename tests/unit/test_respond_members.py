"""Events and audits of members: read with the member's role, told and recorded at home, apart from each other."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pytest

from apprunner_guardrails import respond as respond_module
from apprunner_guardrails.aws import clients, members
from apprunner_guardrails.aws.clients import Clients, Credentials
from apprunner_guardrails.aws.members import NotAssumed
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.events import Ignored
from apprunner_guardrails.members import Place
from apprunner_guardrails.paths.triggers import PathChange
from apprunner_guardrails.respond import Report, respond
from apprunner_guardrails.scheduled import SILENT_SECONDS, audit_region
from functions.validate_network import app as validate
from tests.aws import FAULTS, NOW, Aws, Fault, asked_of, refused
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    REGION,
    SERVICE,
    SETTINGS,
    Event,
    Rows,
    created_connector,
    deleted_connector,
    healthy,
    public,
    replaced_route,
    service_call,
)

EVENTS = Path(__file__).parents[2] / "events"
OTHER, THIRD = "210987654321", "345678901234"
DAY = 86_400
ROLE = f"arn:aws:iam::{OTHER}:role/guardrails-member"
GUARDING = replace(SETTINGS, member_role_name="guardrails-member", member_external_id="x-1", digest_hour=None)
MEMBER = Place(account=OTHER, region=REGION, home=False)
CLOSED = {"sts:AssumeRole": refused("AccessDenied", 403)}


@pytest.fixture(autouse=True)
def assumed() -> Iterator[list[str]]:
    """Members' clients are those at home, which the rows answer; gives the Regions that they were made for."""
    made: list[str] = []

    def clients_with(credentials: Credentials, region: str) -> Clients:
        made.append(region)
        return clients.client

    members._assumed.clear()
    with patch.object(members, "clients_with", clients_with):
        yield made
    members._assumed.clear()


def in_account[T](value: T, account: str = OTHER, region: str = REGION) -> T:
    """The rows or the event, of another account or Region."""
    moved: object = value
    match value:
        case dict():
            moved = {key: in_account(one, account, region) for key, one in value.items()}
        case list():
            moved = [in_account(one, account, region) for one in value]
        case str():
            moved = value.replace(ACCOUNT, account).replace(REGION, region)
    return cast(T, moved)


def came(event: Event, rows: Rows, faults: Mapping[str, Fault] | None = None) -> tuple[Report | Ignored, Aws]:
    with Aws(rows, faults) as aws:
        return respond([asked_of(event)], clients.client, GUARDING, lambda: NOW, pace=lambda _: lambda: None), aws


def audited(
    rows: Rows, place: Place | None = MEMBER, faults: Mapping[str, Fault] | None = None, now: int = NOW, **settings: Any
) -> tuple[Report, Aws]:
    time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with Aws(rows, faults) as aws:
        chosen = replace(GUARDING, **settings)
        report = audit_region(
            time, clients.client, chosen, lambda: now, lambda: 900, place=place, pace=lambda _: lambda: None
        )
        return report, aws


def recorded(rows: Rows) -> dict[tuple[str, str], str]:
    """The place under which each finding is recorded."""
    return {
        (one["resource"]["S"], one["rule"]["S"]): one.get("place", {}).get("S", "") for one in rows.get("Items", ())
    }


def test_an_event_of_a_member_is_judged_by_what_its_own_role_reads_and_told_at_home() -> None:
    rows = in_account(public())
    report, aws = came(in_account(created_connector()), rows)
    assert isinstance(report, Report)
    connector = in_account(CONNECTOR)
    assert {one.resource for one in report.evaluations} == {connector}
    assert [one.finding.rule for one in report.told] == ["AR102"]
    assert aws.sent("sts:AssumeRole")[0]["RoleArn"] == ROLE
    assert recorded(rows) == {(connector, "AR102"): f"{OTHER}/{REGION}"}
    (published,) = aws.published
    assert published["TopicArn"] == SETTINGS.alert_topic_arn
    assert f"account {OTHER}, Region {REGION}" in published["Message"]


def test_at_home_no_role_is_assumed_and_nothing_says_where() -> None:
    rows = public()
    _, aws = came(created_connector(), rows)
    assert aws.sent("sts:AssumeRole") == []
    assert set(recorded(rows).values()) == {""}


def test_security_hub_is_told_at_home_only() -> None:
    settings = replace(GUARDING, security_hub=True)
    for event, rows, imports in (
        (created_connector(), public(), 1),
        (in_account(created_connector()), in_account(public()), 0),
    ):
        with Aws(rows) as aws:
            respond([asked_of(event)], clients.client, settings, lambda: NOW)
        assert len(aws.sent("securityhub:BatchImportFindings")) == imports


@pytest.mark.parametrize("event", [created_connector(), service_call("UpdateService")], ids=["connector", "service"])
def test_a_member_that_lets_nobody_in_makes_unknowns_and_one_alert(event: Event) -> None:
    rows = in_account(public())
    report, aws = came(in_account(event), rows, CLOSED)
    assert isinstance(report, Report)
    role, *named = report.evaluations
    assert {one.rule: one.status.value for one in role.findings} == {"AR904": "fail"}
    (resource,) = named
    assert resource.resource == in_account(CONNECTOR if event == created_connector() else SERVICE)
    assert {one.status.value for one in resource.findings} == {"unknown"}
    assert [one.finding.rule for one in report.told] == ["AR904"]
    (alert,) = aws.published
    assert alert["Subject"].startswith("[HIGH] AR904 ")
    assert f"the role {ROLE} cannot be assumed: sts:AssumeRole failed (AccessDenied)" in alert["Message"]
    assert recorded(rows) == {(ROLE, "AR904"): OTHER}
    later, again = came(in_account(replaced_route(), OTHER, "eu-west-1"), rows, CLOSED)
    assert isinstance(later, Report)
    assert (later.told, again.published) == ((), [])  # once for the account, whatever the Region
    over, told = audited(rows)
    assert ("AR904", "resolved") in [(one.finding.rule, one.kind.value) for one in over.told]
    (ended,) = [one["Message"] for one in told.published if "[RESOLVED]" in one["Subject"]]
    assert "Over: it was open since" in ended
    assert "Not judged any more" not in ended


def test_what_was_found_in_a_member_stays_while_it_lets_nobody_in() -> None:
    rows = in_account(public())
    came(in_account(created_connector()), rows)
    before = [one for one in rows["Items"] if one["rule"]["S"] == "AR102"]
    members._assumed.clear()  # as after an hour
    report, _ = audited(rows, faults=CLOSED)
    assert [one.finding.rule for one in report.told] == ["AR904"]
    assert [one for one in rows["Items"] if one["rule"]["S"] == "AR102"] == before


@pytest.mark.parametrize("fault", ["throttled", "no connection"])
def test_where_sts_gives_no_answer_the_event_is_tried_again(fault: str) -> None:
    with pytest.raises(NotAssumed):
        came(in_account(created_connector()), in_account(public()), {"sts:AssumeRole": FAULTS[fault]})


def test_a_member_says_nothing_of_what_is_another_ones() -> None:
    """It can put an event, but not one whose account is another's: what is at home stays as it is recorded."""
    rows = public()
    came(created_connector(), rows)
    forged = {**deleted_connector(), "account": OTHER}
    before = json.dumps(rows["Items"])
    answer, aws = came(forged, rows)
    assert isinstance(answer, Ignored)
    assert answer.why == f"what the events name is not in {OTHER} {REGION}, which tells of it"
    assert (aws.calls, json.dumps(rows["Items"])) == ([], before)


def test_of_what_a_change_of_a_path_names_only_the_members_own_is_looked_at() -> None:
    own, others = in_account(SERVICE), SERVICE.replace("shop", "till")
    change = PathChange(
        id="1",
        what="CreateVpcIngressConnection",
        names=(others, own),
        account=OTHER,
        region=REGION,
        time="2026-11-21T09:00:00Z",
        caller=Caller(),
    )
    with Aws(in_account(healthy())) as aws:
        answer = respond([change], clients.client, GUARDING, lambda: NOW, pace=lambda _: lambda: None)
    assert isinstance(answer, Report)
    assert [one.resource for one in answer.evaluations] == [own]
    assert not [one for one in aws.calls if others in str(one.parameters)]


@pytest.mark.parametrize("file", sorted(EVENTS.glob("[ae]*-*.json")), ids=lambda one: one.stem)
def test_a_member_is_heard_as_home_is(file: Path) -> None:
    """Whatever a call names, by ARN, id or name: of its own a member is asked for all that home would be."""
    event = json.loads(file.read_text())
    if "organization" in file.stem or "Records" in event:
        return
    at_home, there = validate._understood(event), validate._understood(in_account(event))
    assert isinstance(at_home, Ignored) is isinstance(there, Ignored)
    if not isinstance(there, Ignored):
        assert respond_module._own(there, MEMBER) == there


def test_an_audit_ends_what_is_gone_in_its_own_place_only() -> None:
    rows = public()
    came(created_connector(), rows)
    came(in_account(created_connector()), {**in_account(public()), "Items": rows["Items"]})
    assert set(recorded(rows).values()) == {"", f"{OTHER}/{REGION}"}
    nothing = {**healthy(), "VpcConnectors": [], "Services": [], "Items": rows["Items"]}
    report, _ = audited(nothing, place=None)
    assert [(one.finding.resource, one.kind.value) for one in report.told] == [(CONNECTOR, "resolved")]
    assert not any(resource.startswith("member/") for resource, _ in recorded(nothing))
    report, _ = audited(nothing)
    assert [(one.finding.resource, one.kind.value) for one in report.told] == [(in_account(CONNECTOR), "resolved")]


def test_what_was_found_in_members_stays_where_there_are_none_any_more() -> None:
    rows = in_account(public())
    came(in_account(created_connector()), rows)
    nothing = {**healthy(), "VpcConnectors": [], "Services": [], "Items": rows["Items"]}
    report, aws = audited(nothing, place=None, member_role_name="")
    assert (report.told, aws.published) == ((), [])


def test_an_audit_of_a_member_finds_what_an_event_would_and_sends_no_digest() -> None:
    rows = in_account(public())
    report, aws = audited(rows, digest_hour=datetime.fromtimestamp(NOW, UTC).hour)
    assert "AR102" in [one.finding.rule for one in report.told]
    assert [one["Subject"] for one in aws.published if "DIGEST" in one["Subject"]] == []
    assert ("digest", "daily") not in recorded(rows)
    assert (f"member/{OTHER}/{REGION}", "audited") in recorded(rows)


def test_the_digest_at_home_tells_what_is_open_everywhere_and_which_member_is_silent() -> None:
    rows = in_account(public())
    audited(rows)
    hour = datetime.fromtimestamp(NOW, UTC).hour
    at_home = {**healthy(), "Items": rows["Items"]}
    for now, silent in ((NOW, False), (NOW + SILENT_SECONDS, False), (NOW + SILENT_SECONDS + DAY, True)):
        _, aws = audited(at_home, place=None, now=now, digest_hour=hour)
        (digest,) = [one["Message"] for one in aws.published if "DIGEST" in one["Subject"]]
        assert f"{in_account(CONNECTOR)} in {OTHER}/{REGION}: " in digest
        assert (f"- member {OTHER} {REGION}: the last audit was finished at" in digest) is silent


def test_an_audit_that_could_not_list_everything_is_not_remembered_as_finished() -> None:
    rows = in_account(public())
    with pytest.raises(Exception, match=f"a part of {OTHER} {REGION} was not audited"):
        audited(rows, faults={"apprunner:ListServices": FAULTS["denied"]})
    assert (f"member/{OTHER}/{REGION}", "audited") not in recorded(rows)


def test_an_audit_that_was_just_finished_is_not_done_again() -> None:
    rows = in_account(public())
    audited(rows)
    for minutes, done in ((0, False), (29, False), (31, True)):
        report, aws = audited(rows, now=NOW + minutes * 60)
        assert (bool(report.evaluations), bool(aws.sent("apprunner:ListServices"))) == (done, done)


def test_a_member_cannot_put_its_last_audit_into_the_future() -> None:
    rows = in_account(public())
    time = datetime.fromtimestamp(NOW + 365 * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with Aws(rows):
        audit_region(
            time, clients.client, GUARDING, lambda: NOW, lambda: 900, place=MEMBER, pace=lambda _: lambda: None
        )
    (last,) = [one for one in rows["Items"] if one["resource"]["S"].startswith("member/")]
    assert last["last_seen"]["N"] == str(NOW)
