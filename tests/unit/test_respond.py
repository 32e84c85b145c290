"""From events to what people hear, with what is recorded between one invocation and the next: who hears what, and once.

Also what fails on the way: the table, a channel, a part of a channel's call, the function itself.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.ledger import LEASE_SECONDS, Busy
from apprunner_guardrails.respond import Report, respond
from apprunner_guardrails.rules import by_id
from apprunner_guardrails.settings import BadSettings, Settings
from apprunner_guardrails.tell import NotPublished
from apprunner_guardrails.validate import NotRead
from tests.aws import FAULTS, NOW, WRITES, Aws, Fault, Parameters, answered, asked_of, audited, refused, validated
from tests.samples import (
    CHAT_TOPIC,
    CONNECTOR,
    EVERYWHERE,
    GROUP,
    OTHER_CONNECTOR,
    SERVICE,
    SETTINGS,
    SUBNETS,
    TABLE,
    TOPIC,
    Event,
    Row,
    Rows,
    connector,
    created_connector,
    deleted_connector,
    exempt,
    find,
    finished_update,
    healthy,
    public,
    refused_deletion,
    replaced_route,
    service,
    service_call,
    tagged,
)

DAY = 86_400
HOUR = 3600
LATER = NOW + 60  # when Lambda tries again
NO_DIGEST = replace(SETTINGS, digest_hour=None)


def told(aws: Aws) -> dict[str, list[str]]:
    """What was told, by channel: rule and transition; of mail the subject's beginning."""
    events = [json.loads(one["Detail"]) for asked in aws.sent("events:PutEvents") for one in asked["Entries"]]
    said = [one for asked in aws.sent("sns:PublishBatch") for one in asked["PublishBatchRequestEntries"]]
    imported = [one for asked in aws.sent("securityhub:BatchImportFindings") for one in asked["Findings"]]
    found = {
        "text": [mark_and_rules(one["Subject"]) for one in aws.published],
        "chat": [mark_and_rules(one["Subject"]) for one in said],
        "events": [f"{one['finding']['rule']} {one['transition']}" for one in events],
        "securityhub": [
            f"{one['GeneratorId'].rpartition('/')[2]} {one['ProductFields']['apprunner-guardrails/transition']}"
            for one in imported
        ],
    }
    return {channel: heard for channel, heard in found.items() if heard}


def mark_and_rules(subject: str) -> str:
    """[HIGH] AR102, without what it is in words and where."""
    return re.sub(r"(\] AR[0-9]{3}) [a-z].*", r"\1", subject.partition(": ")[0])


OPENED = {
    "text": ["[HIGH] AR102"],
    "chat": ["[HIGH] AR102"],
    "events": ["AR102 opened"],
    "securityhub": ["AR102 opened"],
}


def mended(rows: Rows) -> Rows:
    """All as it should be, and what is recorded of before."""
    return {**healthy(), "Items": rows["Items"]}


def broken(rows: Rows) -> Rows:
    return {**public(), "Items": rows["Items"]}


def record(rows: Rows, rule: str, resource: str = CONNECTOR) -> Row:
    (item,) = (one for one in rows["Items"] if (one["resource"], one["rule"]) == ({"S": resource}, {"S": rule}))
    return item


# The life of a finding.


def test_a_finding_is_told_once_on_every_channel_and_its_end_too() -> None:
    rows = public()
    assert told(validated(created_connector(), rows, settings=EVERYWHERE).aws) == OPENED
    for event in (created_connector(), service_call("UpdateService"), replaced_route(), finished_update()):
        outcome = validated(event, rows, settings=EVERYWHERE, now=LATER)
        assert (outcome.rules("fail", CONNECTOR), told(outcome.aws), outcome.report.alerts) == ({"AR102"}, {}, 0)
    rows = mended(rows)
    assert told(validated(replaced_route(), rows, settings=EVERYWHERE, now=LATER).aws) == {
        "text": ["[RESOLVED] AR102"],
        "chat": ["[RESOLVED] AR102"],
        "events": ["AR102 resolved"],
        "securityhub": ["AR102 resolved"],
    }
    assert told(validated(replaced_route(), rows, settings=EVERYWHERE, now=LATER).aws) == {}


def test_what_comes_back_is_told_as_that() -> None:
    rows = public()
    validated(created_connector(), rows)
    rows = mended(rows)
    validated(replaced_route(), rows, now=LATER)
    rows = broken(rows)
    assert told(validated(replaced_route(), rows, now=LATER + 60).aws)["events"] == ["AR102 reopened"]


def test_a_finding_that_changes_is_told_as_that() -> None:
    rows = public()
    validated(created_connector(), rows)
    find(rows, "RouteTables", "rtb-private-a")["Routes"][1] = {
        "DestinationCidrBlock": "0.0.0.0/0",
        "NatGatewayId": "nat-a",
        "Origin": "CreateRoute",
        "State": "active",
    }
    outcome = validated(replaced_route(), rows, now=LATER)
    assert told(outcome.aws) == {"text": ["[HIGH] AR102"], "events": ["AR102 changed"]}
    assert [one["rule"] for one in outcome.report.as_json()["changed"]] == ["AR102"]


def test_a_serious_finding_that_stays_open_is_reminded_of_people_alone() -> None:
    rows = public()
    validated(created_connector(), rows, settings=EVERYWHERE)
    assert told(validated(created_connector(), rows, settings=EVERYWHERE, now=NOW + 7 * DAY - 1).aws) == {}
    reminded = validated(created_connector(), rows, settings=EVERYWHERE, now=NOW + 7 * DAY)
    assert told(reminded.aws) == {"text": ["[REMINDER] AR102"], "chat": ["[REMINDER] AR102"]}
    never = replace(EVERYWHERE, reminder_days=0)
    assert told(validated(created_connector(), rows, settings=never, now=NOW + 70 * DAY).aws) == {}


def test_a_read_that_fails_resolves_nothing_and_is_told_once() -> None:
    rows = public()
    validated(created_connector(), rows)
    denied = {"ec2:DescribeRouteTables": FAULTS["denied"]}
    blind = validated(replaced_route(), rows, faults=denied, now=LATER)
    not_judged = blind.rules("unknown")
    assert "AR102" in not_judged
    assert told(blind.aws) == {
        "text": [f"[UNKNOWN] {len(not_judged)} guardrails not judged"],
        "events": ["AR902 opened"],
    }
    assert blind.report.as_json()["opened"] == []
    assert told(validated(replaced_route(), rows, faults=denied, now=LATER).aws) == {}
    seeing = validated(replaced_route(), rows, now=LATER)
    assert told(seeing.aws) == {"events": ["AR902 resolved"]}  # people are not told that all is as it was
    assert told(validated(replaced_route(), mended(rows), now=LATER).aws)["events"] == ["AR102 resolved"]


@pytest.mark.parametrize(
    "gone", [{"VpcConnectors": []}, {"VpcConnectors": [connector(CONNECTOR, Status="INACTIVE")]}], ids=["gone", "old"]
)
def test_the_end_of_a_connector_is_the_end_of_its_findings(gone: Rows) -> None:
    rows = public()
    validated(created_connector(), rows)
    outcome = validated(deleted_connector(), {**rows, **gone}, now=LATER)
    assert told(outcome.aws) == {"text": ["[RESOLVED] AR102"], "events": ["AR102 resolved"]}
    assert outcome.report.as_json()["resources"] == {CONNECTOR: {}}
    again = validated(deleted_connector(), {**rows, **gone}, now=LATER)
    assert "the VPC connector" in again.ignored
    assert told(again.aws) == {}


def test_what_could_not_be_judged_and_is_gone_is_over_by_its_own_title() -> None:
    rows = public()
    validated(created_connector(), rows, faults={"ec2:DescribeVpcAttribute": FAULTS["denied"]})
    aws = validated(deleted_connector(), {**rows, "VpcConnectors": []}, now=LATER).aws
    details = [json.loads(one["Detail"]) for asked in aws.sent("events:PutEvents") for one in asked["Entries"]]
    assert {one["finding"]["rule"]: (one["transition"], one["finding"]["title"]) for one in details} == {
        "AR102": ("resolved", by_id()["AR102"].title),
        "AR902": ("resolved", "Some guardrails could not be judged"),
    }


@pytest.mark.parametrize(
    "services", [[], [service(CONNECTOR, Status="DELETED")]], ids=["forgotten", "still remembered"]
)
def test_the_end_of_a_service_is_the_end_of_its_findings(services: list[Row]) -> None:
    rows = {**healthy(), "Tags": [exempt(SERVICE, "AR101", "for ever")]}
    assert told(validated(tagged(SERVICE), rows).aws)["events"] == ["AR901 opened"]
    ended = finished_update("DeleteServiceCompletedSuccessfully")
    outcome = validated(ended, {**rows, "Services": services}, now=LATER)
    assert told(outcome.aws)["events"] == ["AR901 resolved"]
    assert told(validated(ended, {**rows, "Services": services}, now=LATER).aws) == {}


@pytest.mark.parametrize(
    ("gone", "settings"),
    [({"VpcConnectors": []}, EVERYWHERE), ({}, replace(EVERYWHERE, rule_overrides={"AR102": None}))],
    ids=["the connector is gone", "the rule is switched off"],
)
def test_the_end_of_what_nobody_judges_any_more_is_owed_like_anything_else(gone: Rows, settings: Settings) -> None:
    rows = public()
    validated(created_connector(), rows, settings=EVERYWHERE)
    rows = {**rows, **gone}
    missing = {"sns:PublishBatch": refused("NotFound", 404)}
    with pytest.raises(NotPublished, match=f"AR102 of {CONNECTOR} did not reach chat: "):
        validated(created_connector(), rows, settings=settings, faults=missing, now=LATER)
    retry = validated(created_connector(), rows, settings=settings, now=LATER + 60)
    assert told(retry.aws) == {"chat": ["[RESOLVED] AR102"]}
    assert told(validated(created_connector(), rows, settings=settings, now=LATER + 120).aws) == {}


def test_reads_that_fail_by_turns_are_told_once_each() -> None:
    """AR902 is HIGH by the rules over routes, and MEDIUM by the one over the VPC's DNS."""
    rows, heard = healthy(), []
    routes, dns = ({action: FAULTS["throttled"]} for action in ("ec2:DescribeRouteTables", "ec2:DescribeVpcAttribute"))
    for number, faults in enumerate((routes, dns, routes | dns, dns, routes, dns)):
        heard.append(told(validated(created_connector(), rows, faults=faults, now=NOW + 60 * number).aws))
    assert [one.get("events") for one in heard] == [["AR902 opened"], ["AR902 changed"], None, None, None, None]


# Exemptions.


def test_an_exempt_finding_is_none_of_peoples_concern() -> None:
    rows = {**public(), "Tags": [exempt(CONNECTOR, "AR102")]}
    outcome = validated(created_connector(), rows, settings=EVERYWHERE)
    assert outcome.statuses["AR102"] == "exempt"
    assert told(outcome.aws) == {"events": ["AR102 exempted"], "securityhub": ["AR102 exempted"]}
    assert (outcome.report.as_json()["opened"], outcome.report.alerts) == ([], 0)


def test_an_exemption_of_what_was_told_is_told_and_its_end_too() -> None:
    rows = public()
    validated(created_connector(), rows)
    rows["Tags"] = [exempt(CONNECTOR, "AR102", "2026-11-20 @net ticket 7")]
    assert told(validated(tagged(CONNECTOR), rows, now=LATER).aws) == {
        "text": ["[EXEMPT] AR102"],
        "events": ["AR102 exempted"],
    }
    last_day = NOW - NOW % DAY + 2 * DAY  # 2026-11-20
    assert told(validated(created_connector(), rows, now=last_day + DAY - 1).aws) == {}
    expired = validated(created_connector(), rows, now=last_day + DAY)
    assert told(expired.aws) == {"text": ["[HIGH] AR102"], "events": ["AR102 exemption expired"]}
    assert [one["rule"] for one in expired.report.as_json()["opened"]] == ["AR102"]


def test_an_exemption_that_is_taken_off_opens_the_finding_again() -> None:
    rows = {**public(), "Tags": [exempt(CONNECTOR, "AR102")]}
    validated(created_connector(), rows)
    rows["Tags"] = []
    assert told(validated(tagged(CONNECTOR), rows, now=LATER).aws)["events"] == ["AR102 reopened"]


def test_tags_that_cannot_be_read_open_nothing_again() -> None:
    rows = {**public(), "Tags": [exempt(CONNECTOR, "AR102")]}
    validated(created_connector(), rows)
    denied = {"apprunner:ListTagsForResource": refused("AccessDeniedException")}
    blind = validated(created_connector(), rows, faults=denied, now=LATER)
    assert (blind.statuses["AR102"], blind.rules("unknown")) == ("fail", {"AR306", "AR901"})
    assert told(blind.aws) == {"text": ["[UNKNOWN] 2 guardrails not judged"], "events": ["AR902 opened"]}


def test_tags_that_cannot_be_read_hide_nothing_new() -> None:
    denied = {"apprunner:ListTagsForResource": refused("AccessDeniedException")}
    outcome = validated(created_connector(), public(), faults=denied)
    assert told(outcome.aws)["events"] == ["AR102 opened", "AR902 opened"]


def test_a_malformed_exemption_exempts_nothing_and_is_a_finding() -> None:
    rows = {**public(), "Tags": [exempt(CONNECTOR, "AR102", "2026-12-31 net")]}
    assert told(validated(tagged(CONNECTOR), rows).aws)["events"] == ["AR102 opened", "AR901 opened"]


# Rules that are switched off, and of another severity.


def test_a_rule_that_is_switched_off_is_not_judged_and_what_is_open_of_it_ends() -> None:
    rows = public()
    validated(created_connector(), rows)
    off = replace(SETTINGS, rule_overrides={"AR102": None})
    outcome = validated(created_connector(), rows, settings=off, now=LATER)
    assert "AR102" not in outcome.statuses
    assert told(outcome.aws) == {"text": ["[RESOLVED] AR102"], "events": ["AR102 resolved"]}


def test_a_rule_of_another_severity_is_told_by_that_and_a_change_of_it_too() -> None:
    rows = public()
    low = replace(SETTINGS, rule_overrides={"AR102": Severity.LOW})
    assert told(validated(created_connector(), rows, settings=low).aws)["text"] == ["[LOW] AR102"]
    assert told(validated(created_connector(), rows, now=LATER).aws) == {
        "text": ["[HIGH] AR102"],
        "events": ["AR102 changed"],
    }


def test_an_override_of_no_rule_is_refused_before_anything_is_asked() -> None:
    settings = replace(SETTINGS, rule_overrides={"AR199": None, "AR101": None})
    with Aws(healthy()) as aws, pytest.raises(BadSettings, match=r"RULE_OVERRIDES: AR199 is no rule; there are AR101,"):
        respond([asked_of(created_connector())], client, settings, lambda: NOW)
    assert aws.calls == []


# What an update asked for, and does not show.

FINISHED, UPDATED = finished_update(), service_call("UpdateService", connector_arn="", asks=CONNECTOR)


def on(
    connector_arn: str, status: str = "RUNNING", operation: str = "SUCCEEDED", items: list[Row] | None = None
) -> Rows:
    """The healthy rows with a service that leaves by a connector, or by none; and how its last update went."""
    update = {"ServiceArn": SERVICE, "Id": "7" * 36, "Type": "UPDATE_SERVICE", "Status": operation}
    rows = {**healthy(), "Services": [service(connector_arn, Status=status)], "Operations": [update]}
    return {**rows, "Items": [] if items is None else items}


BUSY = "OPERATION_IN_PROGRESS"


def asked_for(rows: Rows) -> list[str] | None:
    """What is remembered of the service's last update; None where nothing is noted at all."""
    found = [one for one in rows["Items"] if one["rule"] == {"S": "asked"}]
    return [said["S"] for said in found[0]["messages"]["L"]] if found else None


def test_what_an_update_asks_for_is_remembered_while_it_is_at_work_and_forgotten_once_it_shows() -> None:
    rows = on("", BUSY)
    begun = validated(UPDATED, rows)
    assert (begun.rules("fail"), begun.statuses["AR410"]) == (set(), "unknown")
    assert (begun.aws.acted, asked_for(rows)) == ([WRITES], ["VPC", CONNECTOR])
    assert told(begun.aws) == {}
    rows = on(CONNECTOR, items=rows["Items"])
    done = validated(FINISHED, rows, now=LATER)
    assert done.of(SERVICE)["AR410"] == "pass"
    assert (done.aws.acted, asked_for(rows)) == ([WRITES], [])
    assert "apprunner:ListOperations" not in begun.aws.actions + done.aws.actions


def test_what_a_finished_update_does_not_show_is_told_until_it_does() -> None:
    rows = on("", BUSY)
    validated(UPDATED, rows)
    rows = on("", items=rows["Items"])
    missed = validated(FINISHED, rows, now=LATER)
    assert len(missed.aws.sent("apprunner:ListOperations")) == 1
    assert (missed.rules("fail"), told(missed.aws)["events"]) == ({"AR410"}, ["AR410 opened"])
    assert f"asked for egress VPC through {CONNECTOR}" in missed.alert
    assert asked_for(rows) == ["VPC", CONNECTOR]
    again = validated(FINISHED, rows, now=LATER + 60)
    assert (again.rules("fail"), again.aws.acted) == ({"AR410"}, [])
    rows = on(CONNECTOR, items=rows["Items"])
    mended_ = validated(FINISHED, rows, now=LATER + 120)
    assert told(mended_.aws)["events"] == ["AR410 resolved"]
    assert (asked_for(rows), mended_.aws.acted.count(WRITES)) == ([], 2)  # with the claim, and then what was told


@pytest.mark.parametrize("operation", ["ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED", "FAILED"])
@pytest.mark.parametrize("event", [finished_update("UpdateServiceFailed"), FINISHED], ids=["failed", "finished"])
def test_what_was_taken_back_is_not_missed(event: Event, operation: str) -> None:
    rows = on("", BUSY)
    validated(UPDATED, rows)
    rows = on("", operation=operation, items=rows["Items"])
    outcome = validated(event, rows, now=LATER)
    assert (outcome.rules("fail"), asked_for(rows)) == (set(), [])


def test_an_update_that_was_over_before_its_event_came_is_judged_at_once() -> None:
    rows = on("")
    assert validated(UPDATED, rows).rules("fail") == {"AR410"}
    assert validated(FINISHED, rows, now=LATER).rules("fail") == {"AR410"}
    rows = on(CONNECTOR)
    assert validated(UPDATED, rows).failing == {SERVICE: set(), CONNECTOR: set()}
    assert asked_for(rows) == []


def test_a_late_event_of_an_update_that_another_came_after_opens_nothing() -> None:
    """The first asked for public egress, the second for the connector, which shows."""
    first = service_call("UpdateService", asks="", time="2026-11-21T08:00:00Z")
    for seen_at_work in (True, False):
        rows = on("", BUSY)
        if seen_at_work:
            validated(UPDATED, rows)
        rows = on(CONNECTOR, items=rows["Items"])
        validated(UPDATED, rows, now=LATER)
        late = validated(first, rows, now=LATER + 60)
        assert (late.failing, late.aws.acted) == ({SERVICE: set(), CONNECTOR: set()}, [])


def test_the_same_events_again_write_nothing_again() -> None:
    rows = on("", BUSY)
    for event in (UPDATED, UPDATED):
        first = validated(event, rows)
    assert first.aws.acted == []
    rows = on(CONNECTOR, items=rows["Items"])
    for event in (FINISHED, FINISHED, UPDATED):
        last = validated(event, rows, now=LATER)
    assert (last.aws.acted, asked_for(rows)) == ([], [])


def test_an_update_about_something_else_asks_for_nothing_and_changes_nothing() -> None:
    rows = on("", BUSY)
    validated(service_call("UpdateService", connector_arn=""), rows)
    assert rows["Items"] == []
    validated(UPDATED, rows)
    validated(service_call("UpdateService", connector_arn="", time="2026-11-21T09:30:00Z"), rows)
    assert asked_for(rows) == ["VPC", CONNECTOR]


def test_operations_that_cannot_be_read_make_it_unknown_and_forget_nothing() -> None:
    rows = on("", BUSY)
    validated(UPDATED, rows)
    rows = on("", items=rows["Items"])
    outcome = validated(FINISHED, rows, faults={"apprunner:ListOperations": FAULTS["denied"]}, now=LATER)
    assert outcome.rules("unknown") == {"AR410"}
    assert told(outcome.aws) == {"text": ["[UNKNOWN] 1 guardrail not judged"], "events": ["AR902 opened"]}
    assert asked_for(rows) == ["VPC", CONNECTOR]


def test_what_was_asked_of_a_service_that_cannot_be_read_is_remembered_all_the_same() -> None:
    rows = on("", BUSY)
    validated(UPDATED, rows, faults={"apprunner:DescribeService": FAULTS["throttled"]})
    rows = on("", items=rows["Items"])
    assert validated(FINISHED, rows, now=LATER).rules("fail") == {"AR410"}


def test_what_is_remembered_is_written_with_what_is_told() -> None:
    rows = {**public(), "Services": [service(CONNECTOR, Status=BUSY)], "Items": []}
    outcome = validated(service_call("UpdateService", asks=""), rows)
    claim, settle = outcome.aws.sent(WRITES)
    written = [[one["Put"]["Item"]["rule"]["S"] for one in asked["TransactItems"]] for asked in (claim, settle)]
    assert written == [["AR102", "asked"], ["AR102"]]
    assert asked_for(rows) == ["DEFAULT", ""]


def test_the_end_of_a_service_leaves_nothing_to_tell_of_what_was_asked_for() -> None:
    rows = on("", BUSY)
    validated(UPDATED, rows)
    gone = validated(finished_update("DeleteServiceCompletedSuccessfully"), {**rows, "Services": []}, now=LATER)
    assert (gone.ignored, gone.aws.acted) == (f"the service {SERVICE} no longer exists", [])


def test_who_lost_what_a_later_call_asked_for_tries_again() -> None:
    """Two events at once, each of which reads that nothing is remembered: the older one must not be what is left."""
    rows = on("", BUSY)
    later = service_call("UpdateService", connector_arn="", asks=OTHER_CONNECTOR, time="2026-11-21T09:30:00Z")
    with pytest.raises(Busy, match=f"asked of {SERVICE}"):
        racing(rows, lambda: at_once(UPDATED, NOW), later)
    validated(later, rows, now=LATER)
    assert asked_for(rows) == ["VPC", OTHER_CONNECTOR]


def test_of_two_events_of_one_call_at_once_one_writes_and_the_other_has_nothing_to_say() -> None:
    rows = on("", BUSY)
    report, aws = racing(rows, lambda: at_once(UPDATED, NOW), UPDATED)
    assert (report.told, told(aws), asked_for(rows)) == ((), {}, ["VPC", CONNECTOR])


# What an event leaves to the audit.


def unused(rows: Rows) -> Rows:
    return {**rows, "Services": []}


def test_an_event_does_not_end_what_only_the_audit_judges() -> None:
    rows = unused(healthy())
    assert told(audited(rows, settings=NO_DIGEST).aws)["events"] == ["AR301 opened"]
    for event in (created_connector(), replaced_route(), tagged(CONNECTOR)):
        outcome = validated(event, rows, now=LATER)
        assert ("AR301" in outcome.statuses, outcome.aws.acted) == (False, [])
    outcome = validated(replaced_route(), {**rows, **routes_of(public())}, now=LATER)
    assert told(outcome.aws)["events"] == ["AR102 opened"]
    assert told(audited({**healthy(), "Items": rows["Items"]}, settings=NO_DIGEST, now=LATER + 60).aws)["events"] == [
        "AR102 resolved",
        "AR301 resolved",
    ]


def routes_of(rows: Rows) -> Rows:
    return {"RouteTables": rows["RouteTables"]}


def test_a_rule_that_is_switched_off_ends_though_an_event_would_leave_it() -> None:
    rows = unused(healthy())
    audited(rows, settings=NO_DIGEST)
    off = replace(SETTINGS, rule_overrides={"AR301": None})
    assert told(validated(created_connector(), rows, settings=off, now=LATER).aws)["events"] == ["AR301 resolved"]


def test_the_end_of_a_connector_is_the_end_of_what_events_leave_too() -> None:
    rows = unused(healthy())
    audited(rows, settings=NO_DIGEST)
    outcome = validated(deleted_connector(), {**rows, "VpcConnectors": []}, now=LATER)
    assert told(outcome.aws)["events"] == ["AR301 resolved"]


DENIED_SERVICES = {"apprunner:DescribeService": FAULTS["denied"]}


def test_what_the_audit_could_not_judge_is_not_over_by_an_event_that_leaves_it() -> None:
    """AR301 needs every service; AR205 and AR306 are left by some events and judged by others."""
    rows = healthy()
    heard = [told(audited(rows, settings=NO_DIGEST, faults=DENIED_SERVICES).aws)]
    item = record(rows, "AR902")
    events = (created_connector(), replaced_route(), service_call("CreateService"), tagged(CONNECTOR))
    for number, event in enumerate((*events, *events)):
        heard.append(told(validated(event, rows, now=LATER + number).aws))
        heard.append(told(audited(rows, settings=NO_DIGEST, faults=DENIED_SERVICES, now=LATER + number).aws))
    assert [sorted(one.get("events", ())) for one in heard] == [["AR902 opened", "AR902 opened"]] + [[]] * 16
    assert record(rows, "AR902") == item
    over = told(audited(rows, settings=NO_DIGEST, now=LATER + 60).aws)
    assert over == {"events": ["AR902 resolved", "AR902 resolved"]}


def test_what_an_event_could_not_judge_beside_that_is_told_and_then_over_by_itself() -> None:
    rows = healthy()
    audited(rows, settings=NO_DIGEST, faults=DENIED_SERVICES)
    throttled = {"ec2:DescribeVpcAttribute": FAULTS["throttled"]}
    worse = validated(replaced_route(), rows, faults=throttled, now=LATER)
    assert told(worse.aws)["events"] == ["AR902 changed"]
    said = [one["S"][:5] for one in record(rows, "AR902")["messages"]["L"]]
    assert said == ["AR111", "AR301"]
    assert validated(replaced_route(), rows, now=LATER + 60).aws.acted == []


def test_a_severity_that_settings_lower_is_not_raised_by_what_an_event_leaves() -> None:
    rows = healthy()
    low = replace(NO_DIGEST, rule_overrides={"AR301": Severity.INFO})
    audited(rows, settings=low, faults=DENIED_SERVICES)
    assert record(rows, "AR902")["severity"] == {"S": "INFO"}
    assert validated(created_connector(), rows, settings=low, now=LATER).aws.acted == []


# Calls that failed.


def explained(rows: Rows, now: int = NOW, event: Event | None = None, **options: Any) -> Aws:
    outcome = validated(event or refused_deletion(), rows, settings=EVERYWHERE, now=now, **options)
    assert outcome.report.evaluations == ()
    return outcome.aws


def test_a_call_that_failed_is_explained_to_all_but_security_hub() -> None:
    aws = explained(healthy())
    (published,) = aws.published
    (event,) = (one for asked in aws.sent("events:PutEvents") for one in asked["Entries"])
    ((said,),) = (asked["PublishBatchRequestEntries"] for asked in aws.sent("sns:PublishBatch"))
    assert published["Subject"].startswith("[MEDIUM] DeleteVpcConnector: ")
    assert json.loads(said["Message"])["version"] == "1.0"
    assert (event["DetailType"], event["Resources"]) == ("Guardrail Failed Call", [CONNECTOR])
    assert aws.sent("securityhub:BatchImportFindings") == []


def test_it_is_explained_once_an_hour_to_a_caller() -> None:
    rows = healthy()
    assert len(explained(rows).published) == 1
    assert explained(rows, NOW + HOUR - 1).published == []
    another = refused_deletion()
    another["detail"]["userIdentity"] = {**another["detail"]["userIdentity"], "userName": "bob"}
    assert len(explained(rows, NOW + 1, another).published) == 1
    assert len(explained(rows, NOW + HOUR).published) == 1


def test_another_cause_is_explained_at_once() -> None:
    rows = healthy()
    explained(rows)
    assert len(explained(rows, NOW + 1, refused_deletion("AccessDeniedException")).published) == 1


def test_an_explanation_that_did_not_reach_a_channel_is_owed_there_alone() -> None:
    rows = healthy()
    with pytest.raises(NotPublished, match=f"did not reach chat: {CHAT_TOPIC}: "):
        explained(rows, faults={"sns:PublishBatch": refused("NotFound", 404)})
    aws = explained(rows, LATER)
    assert (len(aws.published), len(aws.sent("events:PutEvents")), len(aws.sent("sns:PublishBatch"))) == (0, 0, 1)
    assert explained(rows, LATER + 60).acted == []


def test_an_operation_that_failed_is_explained_and_its_connector_judged() -> None:
    rows = public()
    outcome = validated(finished_update("UpdateServiceFailed"), rows)
    assert (outcome.failing, outcome.report.alerts) == ({CONNECTOR: {"AR102"}, SERVICE: set()}, 2)
    assert [mark_and_rules(one["Subject"]) for one in outcome.aws.published] == [
        "[HIGH] AR102",
        "[HIGH] UpdateServiceFailed",
    ]
    again = validated(finished_update("UpdateServiceFailed"), rows, now=LATER)
    assert (again.failing, again.aws.published) == (outcome.failing, [])


def test_a_channel_that_is_down_keeps_no_explanation_waiting() -> None:
    rows = public()
    missing = refused("NotFound", 404)
    with Aws(rows, {"sns:PublishBatch": missing}) as aws, pytest.raises(NotPublished) as raised:
        respond([asked_of(finished_update("UpdateServiceFailed"))], client, EVERYWHERE, lambda: NOW)
    assert [mark_and_rules(one["Subject"]) for one in aws.published] == ["[HIGH] AR102", "[HIGH] UpdateServiceFailed"]
    said = str(raised.value)
    assert said.startswith(f"AR102 of {CONNECTOR} did not reach chat: ")
    assert re.search("; AR903-[0-9a-f]+ of failed-call/[0-9a-f]+ did not reach chat: ", said)
    retry = validated(finished_update("UpdateServiceFailed"), rows, settings=EVERYWHERE, now=LATER)
    assert told(retry.aws) == {"chat": ["[HIGH] AR102", "[HIGH] UpdateServiceFailed"]}


def test_an_operation_that_says_nothing_about_a_network_is_explained_alone() -> None:
    outcome = validated(finished_update("PauseServiceFailed"), public())
    assert (outcome.report.evaluations, outcome.report.alerts) == ((), 1)


def test_an_operation_that_failed_on_a_service_without_a_connector_is_explained() -> None:
    outcome = validated(finished_update("UpdateServiceFailed"), {**healthy(), "Services": [service("")]})
    assert (outcome.failing, outcome.report.alerts) == ({SERVICE: set()}, 1)


# The table that fails.

TABLE_FAULTS: Mapping[str, tuple[Fault, str]] = {
    "throttled": (refused("ThrottlingException"), "ThrottlingException"),
    "denied": (refused("AccessDeniedException"), "AccessDeniedException"),
    "missing": (refused("ResourceNotFoundException"), "ResourceNotFoundException"),
    "no answer": (FAULTS["no answer"], "ReadTimeoutError"),
}


def claims(asked: Parameters) -> bool:
    """Whether it is written before the alert: what is settled is leased by nobody."""
    return any(one["Put"]["Item"]["leased_until"] != {"N": "0"} for one in asked["TransactItems"])


def settles(asked: Parameters) -> bool:
    return not claims(asked)


@pytest.mark.parametrize(("fault", "code"), TABLE_FAULTS.values(), ids=TABLE_FAULTS)
def test_nothing_is_told_without_knowing_what_was_told(fault: Fault, code: str) -> None:
    rows = public()
    with Aws(rows, {"dynamodb:Query": fault}) as aws, pytest.raises(LedgerUnavailable) as raised:
        respond([asked_of(created_connector())], client, EVERYWHERE, lambda: NOW)
    assert str(raised.value) == f"the findings table {TABLE} cannot be read: dynamodb:Query failed ({code})"
    assert aws.acted == []
    assert told(validated(created_connector(), rows, settings=EVERYWHERE, now=LATER).aws) == OPENED


@pytest.mark.parametrize(("fault", "code"), TABLE_FAULTS.values(), ids=TABLE_FAULTS)
def test_nothing_is_told_that_cannot_be_claimed(fault: Fault, code: str) -> None:
    rows = public()
    with Aws(rows, {WRITES: replace(fault, when=claims)}) as aws, pytest.raises(LedgerUnavailable) as raised:
        respond([asked_of(created_connector())], client, EVERYWHERE, lambda: NOW)
    assert str(raised.value) == f"the findings table {TABLE} cannot be written: {WRITES} failed ({code})"
    assert aws.acted == [WRITES]
    assert told(validated(created_connector(), rows, settings=EVERYWHERE, now=LATER).aws) == OPENED


@pytest.mark.parametrize(("fault", "code"), TABLE_FAULTS.values(), ids=TABLE_FAULTS)
def test_what_was_told_and_could_not_be_settled_is_told_again_when_the_lease_is_over(fault: Fault, code: str) -> None:
    """Nobody knows whether it was told: better twice than not at all."""
    rows = public()
    with Aws(rows, {WRITES: replace(fault, when=settles)}) as aws, pytest.raises(LedgerUnavailable):
        respond([asked_of(created_connector())], client, EVERYWHERE, lambda: NOW)
    assert told(aws) == OPENED
    leased = validated(created_connector(), rows, settings=EVERYWHERE, now=NOW + LEASE_SECONDS - 1)
    assert told(leased.aws) == {}
    assert told(validated(created_connector(), rows, settings=EVERYWHERE, now=LATER).aws) == OPENED
    assert told(validated(created_connector(), rows, settings=EVERYWHERE, now=LATER + 60).aws) == {}


def test_an_item_that_cannot_be_read_fails_the_invocation_by_its_name() -> None:
    rows = public()
    validated(created_connector(), rows)
    record(rows, "AR102")["state"] = {"S": "dormant"}
    with pytest.raises(LedgerUnavailable, match=f"the findings table's item {CONNECTOR} AR102 cannot be"):
        validated(created_connector(), rows, now=LATER)


# A channel that fails.

CHANNELS: Mapping[str, tuple[str, str]] = {
    "text": ("sns:Publish", TOPIC),
    "chat": ("sns:PublishBatch", CHAT_TOPIC),
    "events": ("events:PutEvents", "events:PutEvents"),
    "securityhub": ("securityhub:BatchImportFindings", "securityhub:BatchImportFindings"),
}
CHANNEL_FAULTS: Mapping[str, Fault] = {
    "missing": refused("NotFound", 404),
    "denied": refused("AccessDeniedException", 403),
    "throttled": refused("ThrottlingException"),
    "no answer": FAULTS["no answer"],
    "no address": FAULTS["no address"],
}


@pytest.mark.parametrize("fault", CHANNEL_FAULTS.values(), ids=CHANNEL_FAULTS)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_that_is_down_keeps_no_other_waiting_and_is_owed(channel: str, fault: Fault) -> None:
    rows = public()
    action, named = CHANNELS[channel]
    with Aws(rows, {action: fault}) as aws, pytest.raises(NotPublished) as raised:
        respond([asked_of(created_connector())], client, EVERYWHERE, lambda: NOW)
    assert str(raised.value).startswith(f"AR102 of {CONNECTOR} did not reach {channel}: {named}: ")
    assert {one: heard for one, heard in told(aws).items() if one != channel} == {
        one: heard for one, heard in OPENED.items() if one != channel
    }
    assert record(rows, "AR102")["owed_to"] == {"L": [{"S": channel}]}
    retry = validated(created_connector(), rows, settings=EVERYWHERE, now=NOW + 1)
    assert told(retry.aws) == {channel: OPENED[channel]}
    assert told(validated(created_connector(), rows, settings=EVERYWHERE, now=LATER).aws) == {}


def test_two_channels_that_are_down_are_both_named_and_owed() -> None:
    rows = public()
    missing = refused("NotFound", 404)
    with Aws(rows, {"sns:Publish": missing, "sns:PublishBatch": missing}), pytest.raises(NotPublished) as raised:
        respond([asked_of(created_connector())], client, EVERYWHERE, lambda: NOW)
    assert f"did not reach text: {TOPIC}: " in str(raised.value)
    assert f"did not reach chat: {CHAT_TOPIC}: " in str(raised.value)
    retry = validated(created_connector(), rows, settings=EVERYWHERE, now=NOW + 1)
    assert told(retry.aws) == {"text": OPENED["text"], "chat": OPENED["chat"]}


def test_what_ends_before_a_channel_heard_of_it_is_told_there_as_over() -> None:
    rows = public()
    with pytest.raises(NotPublished):
        validated(created_connector(), rows, settings=EVERYWHERE, faults={"sns:PublishBatch": refused("NotFound", 404)})
    assert told(validated(replaced_route(), mended(rows), settings=EVERYWHERE, now=LATER).aws) == {
        "text": ["[RESOLVED] AR102"],
        "chat": ["[RESOLVED] AR102"],
        "events": ["AR102 resolved"],
        "securityhub": ["AR102 resolved"],
    }


def test_a_channel_that_is_switched_off_is_owed_nothing() -> None:
    rows = public()
    with pytest.raises(NotPublished):
        validated(created_connector(), rows, settings=EVERYWHERE, faults={"sns:PublishBatch": refused("NotFound", 404)})
    outcome = validated(created_connector(), rows, now=LATER)
    assert told(outcome.aws) == {}
    assert record(rows, "AR102")["owed_to"] == {"L": []}


# A call that succeeds, and in which a part fails. Two findings are told; the second of them does not get there.


def two_faults() -> Rows:
    rows = public()
    find(rows, "SecurityGroups", GROUP)["IpPermissionsEgress"] = []
    return rows


def second_event_fails(asked: Parameters) -> Row:
    entries = [{"EventId": "1"}, {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}]
    return {"FailedEntryCount": 1, "Entries": entries[: len(asked["Entries"])]}


def second_message_fails(asked: Parameters) -> Row:
    failed = {"Id": "1", "Code": "InternalError", "Message": "slow down", "SenderFault": False}
    return {"Successful": [{"Id": "0", "MessageId": "x"}], "Failed": [failed]}


def second_import_fails(asked: Parameters) -> Row:
    name = asked["Findings"][1]["Id"]
    failed = {"Id": name, "ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
    return {"FailedCount": 1, "SuccessCount": 1, "FailedFindings": [failed]}


@pytest.mark.parametrize(
    ("channel", "partly"),
    [("events", second_event_fails), ("chat", second_message_fails), ("securityhub", second_import_fails)],
)
def test_what_fails_in_a_call_that_succeeds_is_owed_and_nothing_else(
    channel: str, partly: Callable[[Parameters], Row]
) -> None:
    rows = two_faults()
    action, named = CHANNELS[channel]
    with Aws(rows, {action: answered(partly)}), pytest.raises(NotPublished) as raised:
        respond([asked_of(created_connector())], client, EVERYWHERE, lambda: NOW)
    code = "InternalError" if channel == "chat" else "ThrottlingException"
    assert str(raised.value) == f"AR202 of {CONNECTOR} did not reach {channel}: {named}: {code} slow down"
    retry = told(validated(created_connector(), rows, settings=EVERYWHERE, now=NOW + 1).aws)
    assert {one: [said.rpartition(" ")[0] for said in heard] for one, heard in retry.items()} in (
        {channel: ["AR202"]},
        {channel: ["[HIGH]"]},
    )
    assert record(rows, "AR102")["owed_to"] == {"L": []}


def test_an_import_that_fails_without_saying_which_is_owed_as_a_whole() -> None:
    rows = two_faults()
    silent = answered(lambda asked: {"FailedCount": 1, "SuccessCount": 1, "FailedFindings": []})
    with pytest.raises(NotPublished, match=f"AR102 of {CONNECTOR}, AR202 of {CONNECTOR} did not reach securityhub: "):
        validated(created_connector(), rows, settings=EVERYWHERE, faults={"securityhub:BatchImportFindings": silent})
    retry = validated(created_connector(), rows, settings=EVERYWHERE, now=NOW + 1)
    assert told(retry.aws) == {"securityhub": ["AR102 opened", "AR202 opened"]}


# The function that ends in the middle, and two of them at once.


def interrupted(asked: Parameters) -> Row:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("action", "when"),
    [("sns:Publish", lambda _: True), (WRITES, settles)],
    ids=["while it is told", "after it was told"],
)
def test_a_crash_repeats_what_was_claimed_when_the_lease_is_over_and_loses_nothing(
    action: str, when: Callable[[Parameters], bool]
) -> None:
    rows = public()
    with Aws(rows, {action: replace(answered(interrupted), when=when)}) as aws, pytest.raises(KeyboardInterrupt):
        respond([asked_of(created_connector())], client, SETTINGS, lambda: NOW)
    assert len(aws.published) == 1
    assert told(validated(created_connector(), rows, now=NOW + LEASE_SECONDS - 1).aws) == {}
    assert told(validated(replaced_route(), rows, now=NOW + LEASE_SECONDS).aws) == {
        "text": ["[HIGH] AR102"],
        "events": ["AR102 opened"],
    }
    assert told(validated(created_connector(), rows, now=LATER + 60).aws) == {}


def test_what_is_over_while_somebody_may_be_telling_it_is_to_be_tried_again() -> None:
    """Else the end of it could be heard before its beginning, or never."""
    rows = public()
    with pytest.raises(KeyboardInterrupt):
        validated(created_connector(), rows, faults={"sns:Publish": answered(interrupted)})
    with pytest.raises(Busy, match=f"^another evaluation is just telling of AR102 of {CONNECTOR}, and"):
        validated(replaced_route(), mended(rows), now=NOW + 1)
    over = validated(replaced_route(), mended(rows), now=LATER)
    assert told(over.aws)["events"] == ["AR102 resolved"]


def racing(rows: Rows, rival: Callable[[], object], event: Event | None = None) -> tuple[Report, Aws]:
    """Answer the event while a rival is at work: it begins and ends between this one's reads and its claim."""
    first: list[bool] = []

    def overtaken(asked: Parameters) -> Row:
        if not first:
            first.append(True)
            rival()
        return {}  # as the rows are then

    with Aws(rows, {WRITES: answered(overtaken)}) as aws:
        return at_once(event or created_connector(), NOW), aws


def at_once(event: Event, now: int) -> Report:
    answer = respond([asked_of(event)], client, EVERYWHERE, lambda: now)
    assert isinstance(answer, Report)
    return answer


def test_of_two_invocations_that_read_the_same_one_tells_and_the_other_has_nothing_to_say() -> None:
    rows = public()
    winners: list[Report] = []
    loser, aws = racing(rows, lambda: winners.append(at_once(created_connector(), NOW)))
    assert told(aws) == OPENED
    (winner,) = winners
    assert loser.as_json() == {**winner.as_json(), "opened": [], "alerts": 0}
    assert [one["rule"] for one in winner.as_json()["opened"]] == ["AR102"]
    assert record(rows, "AR102")["version"] == {"N": "2"}


def test_who_lost_a_part_tells_the_other_part_alone() -> None:
    """The rival judges all but AR202."""
    rows = two_faults()
    other = replace(EVERYWHERE, rule_overrides={"AR202": None})
    loser, aws = racing(rows, lambda: respond([asked_of(created_connector())], client, other, lambda: NOW))
    assert [one["rule"] for one in loser.as_json()["opened"]] == ["AR202"]
    assert told(aws) == {
        "text": ["[HIGH] AR102", "[HIGH] AR202"],
        "chat": ["[HIGH] AR102", "[HIGH] AR202"],
        "events": ["AR102 opened", "AR202 opened"],
        "securityhub": ["AR102 opened", "AR202 opened"],
    }


def test_who_lost_to_somebody_that_saw_something_else_tries_again() -> None:
    """What this one read is older than what the other one told: it must neither be told nor be forgotten."""
    rows = public()

    def rival() -> None:
        at_once(created_connector(), NOW)
        rows.update(mended(rows))
        at_once(replaced_route(), NOW + 1)

    with pytest.raises(Busy, match=f"AR102 of {CONNECTOR}"):
        racing(rows, rival)
    assert record(rows, "AR102")["state"] == {"S": "resolved"}


def test_a_batch_that_read_the_network_before_somebody_told_its_end_tells_nothing_old() -> None:
    rows = public()
    validated(created_connector(), rows, settings=EVERYWHERE)
    old = list(rows["RouteTables"])

    def slow(asked: Parameters) -> Row:
        """Somebody is told that it is mended before this answer, which is older, arrives."""
        if rows["RouteTables"] != old:
            return {}
        rows.update(mended(rows))
        at_once(created_connector(), NOW + 1)
        return {"RouteTables": old}

    with Aws(rows, {"ec2:DescribeRouteTables": answered(slow)}) as aws:
        assert at_once(replaced_route(), NOW + 2).as_json()["opened"] == []
        assert told(aws)["events"] == ["AR102 resolved"]


# Several events at once.


def responded(rows: Rows, *events: Event, **faults: Fault) -> tuple[Any, Aws]:
    with Aws(rows) as aws:
        return respond([asked_of(event) for event in events], client, SETTINGS, lambda: NOW), aws


def test_many_changes_are_one_evaluation_of_each_connector() -> None:
    rows = public()
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR, Subnets=[SUBNETS[0]]))
    tables = [f"rtb-private-{letter}" for letter in "abc"]
    events = [replaced_route(tables[number % 3], number=number) for number in range(200)]
    report, aws = responded(rows, *events)
    assert sorted(report.as_json()["resources"]) == sorted([CONNECTOR, OTHER_CONNECTOR])
    assert (report.alerts, len(aws.sent("ec2:DescribeRouteTables"))) == (2, 1)
    # A third of them is about the one subnet of the other connector.
    for published, said in zip(
        aws.published, ("67 changes (ReplaceRoute) by", "200 changes (ReplaceRoute) by"), strict=True
    ):
        assert said in published["Message"]


def test_a_deleted_connector_that_is_still_listed_is_not_judged() -> None:
    deleted = answered(lambda asked: {"VpcConnectors": [connector(CONNECTOR, Status="INACTIVE")]})
    outcome = validated(replaced_route(), public(), faults={"apprunner:ListVpcConnectors": deleted})
    assert outcome.ignored == "no VPC connector depends on what ReplaceRoute changed"


def test_changes_that_concern_nobody_ask_for_nothing() -> None:
    report, aws = responded(healthy(), replaced_route("rtb-1"), replaced_route("rtb-2"))
    assert report.why == "no VPC connector depends on what a batch of 2 changes changed"
    assert aws.acted == []


def test_changes_that_nobody_can_tell_whom_they_concern_are_tried_again() -> None:
    denied = {"apprunner:ListVpcConnectors": refused("AccessDeniedException")}
    with pytest.raises(NotRead) as raised:
        validated(replaced_route(), healthy(), faults=denied)
    assert str(raised.value) == (
        "which VPC connectors ReplaceRoute concerns cannot be told: apprunner:ListVpcConnectors failed"
        " (AccessDeniedException)"
    )


def test_two_events_about_one_connector_are_told_once() -> None:
    report, aws = responded(public(), created_connector(), service_call("CreateService"), replaced_route())
    assert (sorted(report.as_json()["resources"]), report.alerts) == ([SERVICE, CONNECTOR], 1)
    assert (len(aws.sent("dynamodb:Query")), len(aws.sent("dynamodb:Scan"))) == (1, 1)


def test_a_call_that_failed_is_explained_beside_what_is_judged() -> None:
    report, _ = responded(public(), created_connector(), refused_deletion())
    assert ([one["rule"] for one in report.as_json()["opened"]], report.alerts) == (["AR102"], 2)
