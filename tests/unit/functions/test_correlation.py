"""One id from an event to whatever is said of it, on every channel and line; and what an invocation counts."""

import io
import json
from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from apprunner_guardrails import __version__
from apprunner_guardrails.records import event_id
from apprunner_guardrails.targets.sync import NotSynced, sync
from apprunner_guardrails.tell import NotPublished
from functions.audit_region.app import handler as audit_region
from functions.sync_targets import app as sync_targets
from functions.validate_network.app import handler as validate_network
from tests.aws import FAULTS, Aws, Parameters, refused
from tests.bound_groups import ENDPOINT, QUEUE, in_step, readdressed
from tests.samples import (
    ACCOUNT,
    CHAT_TOPIC,
    CONNECTOR,
    REGION,
    TABLE,
    TOPIC,
    Event,
    busy,
    connector,
    created_connector,
    finished_update,
    healthy,
    public,
    refused_deletion,
    replaced_route,
    service_call,
)
from tests.unit.functions.conftest import counted, lines

CONTEXT = SimpleNamespace(function_name="guardrails", aws_request_id="request-1")
SCHEDULE: Event = {
    "id": "99999999-9999-4999-8999-999999999999",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": ACCOUNT,
    "region": REGION,
    "time": "2026-11-21T07:00:00Z",
    "detail": {},
}
MODIFIED: Event = {
    **replaced_route(number=7),
    "detail": {
        **replaced_route(number=7)["detail"],
        "eventName": "ModifyVpcEndpoint",
        "requestParameters": {"ModifyVpcEndpointRequest": {"VpcEndpointId": ENDPOINT}},
    },
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ALERT_TOPIC_ARN": TOPIC,
        "CHAT_TOPIC_ARN": CHAT_TOPIC,
        "SECURITY_HUB": "true",
        "FINDINGS_TABLE": TABLE,
        "SYNC_QUEUE_URL": QUEUE,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sync_targets, "sync", partial(sync, pace=lambda _: lambda: None))


def told(aws: Aws) -> set[str]:
    """By which id the event is known to whoever hears of it, on each channel and in each place."""
    found = set()
    for one in aws.published:
        found |= {line[10:] for line in one["Message"].splitlines() if line.startswith("Event id  ")}
        found |= _attribute(one)
    for asked in aws.sent("sns:PublishBatch"):
        for one in asked["PublishBatchRequestEntries"]:
            found |= _attribute(one) | {json.loads(one["Message"])["metadata"]["additionalContext"]["event_id"]}
    for asked in aws.sent("events:PutEvents"):
        found |= {json.loads(one["Detail"])["event"]["id"] for one in asked["Entries"]}
    for asked in aws.sent("securityhub:BatchImportFindings"):
        found |= {one["ProductFields"]["apprunner-guardrails/event-id"] for one in asked["Findings"]}
    return found


def _attribute(message: Parameters) -> set[str]:
    named = message["MessageAttributes"]["event_id"]
    return set(json.loads(named["StringValue"])) if named["DataType"] == "String.Array" else {named["StringValue"]}


def correlated(logged: io.StringIO) -> set[str]:
    return {str(line.get("correlation_id")) for line in lines(logged)}


def batch(*bodies: object) -> Event:
    return {
        "Records": [{"messageId": f"message-{number}", "body": json.dumps(one)} for number, one in enumerate(bodies)]
    }


JUDGED: Mapping[str, Event] = {
    "a call": created_connector(),
    "a call about a service": service_call("UpdateService"),
    "an operation": finished_update(),
    "a change of the network": replaced_route(number=3),
    "a call that failed": refused_deletion(),
}


@pytest.mark.parametrize("event", JUDGED.values(), ids=JUDGED)
@pytest.mark.parametrize("by_queue", [False, True], ids=["at once", "by the queue"])
def test_whatever_is_said_of_an_event_has_its_id(event: Event, by_queue: bool, logged: io.StringIO) -> None:
    with Aws(public()) as aws:
        validate_network(batch(event) if by_queue else event, CONTEXT)
    assert told(aws) == correlated(logged) == {event_id(event)}
    assert {"sns:Publish", "sns:PublishBatch", "events:PutEvents"} <= set(aws.actions)


def test_what_an_audit_says_and_its_digest_have_the_schedules_id(
    logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_HOUR", "7")
    with Aws(public()) as aws:
        audit_region(SCHEDULE, CONTEXT)
    assert [one["MessageAttributes"]["status"]["StringValue"] for one in aws.published] == ["fail", "digest"]
    assert told(aws) == correlated(logged) == {SCHEDULE["id"]}


def test_what_several_calls_led_to_has_the_id_of_the_last_and_the_log_has_all(logged: io.StringIO) -> None:
    calls = [replaced_route(number=number) for number in (2, 3, 1)]
    with Aws(public()) as aws:
        validate_network(batch(*calls, {"id": "of-no-concern"}), CONTEXT)
    idle, line = lines(logged)
    assert (idle["message"], idle["correlation_id"]) == ("ignored", "of-no-concern")
    assert told(aws) == {line["correlation_id"]} == {"change-3"}
    assert line["event_ids"] == ["change-3", "change-2", "change-1"]


def test_each_connector_is_told_of_with_the_last_call_that_concerns_it(logged: io.StringIO) -> None:
    other = CONNECTOR.replace("shop-web", "shop-api")
    rows = public()
    rows["VpcConnectors"].append(connector(other, Subnets=["subnet-private-c"]))
    of_both, of_one = replaced_route("rtb-private-c", number=1), replaced_route("rtb-private-a", number=2)
    with Aws(rows) as aws:
        validate_network(batch(of_one, of_both), CONTEXT)
    (put,) = aws.sent("events:PutEvents")
    details = [json.loads(one["Detail"]) for one in put["Entries"]]
    assert {(one["finding"]["resource_name"], one["event"]["id"]) for one in details} == {
        ("shop-web", "change-2"),
        ("shop-api", "change-1"),
    }
    (line,) = lines(logged)
    assert (line["correlation_id"], line["event_ids"]) == ("change-2", ["change-2", "change-1"])


def test_what_a_sync_puts_off_is_tied_to_the_event_that_began_it(logged: io.StringIO) -> None:
    rows = readdressed(in_step())
    with Aws(rows) as first:
        sync_targets.handler(MODIFIED, CONTEXT)
    (sent,) = first.sent("sqs:SendMessage")
    rows["VpcEndpoints"] = []
    with Aws(rows) as second:
        sync_targets.handler(batch(json.loads(sent["MessageBody"])), CONTEXT)
    assert told(second) == correlated(logged) == {"change-7"}
    assert [line["message"] for line in lines(logged)] == ["synced", "synced"]


def test_an_event_that_fails_is_logged_by_its_id_and_counts_for_what_was_done(
    logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    with Aws(public(), {"sns:Publish": FAULTS["denied"]}), pytest.raises(NotPublished):
        validate_network(created_connector(), CONTEXT)
    (line,) = lines(logged)
    assert (line["message"], line["error"], line["correlation_id"]) == (
        "failed",
        "NotPublished",
        event_id(created_connector()),
    )
    assert counted(capsys) == {"Events": 1, "Evaluations": 1, "FindingsHigh": 1}


def test_a_batch_counts_once_for_all_of_it(capsys: pytest.CaptureFixture[str], logged: io.StringIO) -> None:
    calls = [replaced_route(number=number) for number in range(3)]
    with Aws(public()):
        validate_network(batch(*calls, {"source": "aws.s3"}, "no event", {"account": 1}), CONTEXT)
    assert counted(capsys) == {"Events": 6, "Ignored": 3, "Evaluations": 1, "FindingsHigh": 1, "Alerts": 1}


def test_a_batch_that_concerns_nothing_is_all_ignored(capsys: pytest.CaptureFixture[str], logged: io.StringIO) -> None:
    calls = [replaced_route("rtb-of-another-vpc", number=number) for number in range(3)]
    with Aws(healthy()):
        validate_network(batch(*calls, {}), CONTEXT)
    assert counted(capsys) == {"Events": 4, "Ignored": 4}


def test_what_is_mended_is_counted_once(capsys: pytest.CaptureFixture[str], logged: io.StringIO) -> None:
    rows = public()
    with Aws(rows):
        validate_network(created_connector(), CONTEXT)
    capsys.readouterr()
    rows["RouteTables"] = healthy()["RouteTables"]
    expected: list[dict[str, Any]] = [
        {"Events": 1, "Evaluations": 1, "Resolved": 1, "Alerts": 1},
        {"Events": 1, "Evaluations": 1},
    ]
    for numbers in expected:
        with Aws(rows):
            validate_network(created_connector(), CONTEXT)
        assert counted(capsys) == numbers


def test_a_finished_audit_is_counted_and_one_that_is_not_is_not(
    capsys: pytest.CaptureFixture[str], logged: io.StringIO
) -> None:
    with Aws(healthy()):
        audit_region(SCHEDULE, CONTEXT)
    finished = counted(capsys)
    assert (finished["Audits"], finished["Events"], "ReadsFailed" in finished) == (1, 1, False)
    with (
        Aws(healthy(), {"apprunner:ListServices": FAULTS["denied"]}),
        pytest.raises(Exception, match="was not audited"),
    ):
        audit_region(SCHEDULE, CONTEXT)
    partial_ = counted(capsys)
    assert ("Audits" in partial_, partial_["Events"], partial_["ReadsFailed"]) == (False, 1, 1)


def test_reads_that_fail_are_counted_each_and_what_is_gone_is_none(
    capsys: pytest.CaptureFixture[str], logged: io.StringIO
) -> None:
    denied = {"ec2:DescribeNatGateways": FAULTS["denied"], "ec2:DescribeVpcAttribute": FAULTS["denied"]}
    with Aws(busy(), denied):
        validate_network(created_connector(), CONTEXT)
    assert counted(capsys)["ReadsFailed"] == 3  # the attributes of a VPC are two
    with Aws({**healthy(), "VpcConnectors": []}):
        validate_network(created_connector(), CONTEXT)
    assert counted(capsys) == {"Events": 1, "Ignored": 1}


def test_a_sync_that_fails_counts_for_what_it_did(capsys: pytest.CaptureFixture[str], logged: io.StringIO) -> None:
    denied = {"elasticloadbalancing:RegisterTargets": refused("AccessDenied", 403)}
    with Aws(readdressed(in_step()), denied), pytest.raises(NotSynced):
        sync_targets.handler(MODIFIED, CONTEXT)
    numbers = counted(capsys)
    assert {name: numbers[name] for name in ("Events", "TargetGroups", "TargetsHeld", "Evaluations")} == {
        "Events": 1,
        "TargetGroups": 1,
        "TargetsHeld": 1,
        "Evaluations": 1,
    }
    assert "TargetsRegistered" not in numbers


def test_every_channel_tells_the_version() -> None:
    with Aws(public()) as aws:
        validate_network(created_connector(), CONTEXT)
    (mail,) = aws.published
    assert mail["Message"].endswith(f"App Runner guardrails {__version__}")
    (chat,) = (json.loads(one["Message"]) for one in aws.sent("sns:PublishBatch")[0]["PublishBatchRequestEntries"])
    assert chat["metadata"]["additionalContext"]["version"] == __version__
    (event,) = (json.loads(one["Detail"]) for one in aws.sent("events:PutEvents")[0]["Entries"])
    assert event["guardrails_version"] == __version__
    (finding,) = aws.sent("securityhub:BatchImportFindings")[0]["Findings"]
    assert finding["ProductFields"]["apprunner-guardrails/version"] == __version__
