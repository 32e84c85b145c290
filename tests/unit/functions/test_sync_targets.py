"""The function as Lambda runs it: any event in, JSON or an error out, and answers to CloudFormation beside."""

import io
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.aws.http import NotAnswered
from apprunner_guardrails.events import BadEvent
from apprunner_guardrails.settings import BadSettings
from apprunner_guardrails.targets.reconcile import RESERVE_SECONDS
from apprunner_guardrails.targets.sync import NotSynced, Synced, sync
from apprunner_guardrails.targets.triggers import Asked
from apprunner_guardrails.tell import NotPublished
from apprunner_guardrails.validate import NotRead
from functions.sync_targets import app
from functions.sync_targets.app import handler
from tests.aws import CHANGING, NOW, Aws, Fault, refused
from tests.bound_groups import (
    ENDPOINT,
    ORDERS,
    OTHER_ENDPOINT,
    QUEUE,
    arn,
    endpoint,
    in_step,
    many,
    readdressed,
    states,
    targets,
)
from tests.samples import ACCOUNT, REGION, TABLE, TOPIC, Event, Rows, tag
from tests.unit.functions.conftest import lines

ELB = "elasticloadbalancing"
FUNCTION = "guardrails-SyncTargetsFunction-1"
QUIET: Mapping[str, Any] = {"registered": [], "deregistered": [], "held": [], "refused": None}
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/private-api/5b918d10-cd98-11ea-90d5-0a9cd3354c10"
SECRET = "X-Amz-Signature=0123456789abcdef"
AGAIN = "it is tried again at the next event and by the schedule"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has seen no group yet, and waits for nobody's pace."""
    monkeypatch.setenv("ALERT_TOPIC_ARN", TOPIC)
    monkeypatch.setenv("FINDINGS_TABLE", TABLE)
    monkeypatch.setenv("SYNC_QUEUE_URL", QUEUE)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", FUNCTION)
    monkeypatch.setattr(app, "sync", partial(sync, pace=lambda _: lambda: None))
    app._known.cache_clear()
    yield
    app._known.cache_clear()


def event(kind: str, source: str, detail: Mapping[str, object]) -> Event:
    return {
        "version": "0",
        "id": "66666666-6666-4666-8666-666666666666",
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-11-21T09:00:05Z",
        "region": REGION,
        "resources": [],
        "detail": detail,
    }


SCHEDULE = event("Scheduled Event", "aws.events", {})


def call(service: str, name: str, parameters: object, answer: object = None, **changes: object) -> Event:
    return event(
        "AWS API Call via CloudTrail",
        f"aws.{service}",
        {
            "eventVersion": "1.11",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice", "userName": "alice"},
            "eventTime": "2026-11-21T09:00:00Z",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": REGION,
            "requestParameters": parameters,
            "responseElements": answer,
            "eventID": "55555555-5555-4555-8555-555555555555",
            **changes,
        },
    )


MODIFIED = call("ec2", "ModifyVpcEndpoint", {"ModifyVpcEndpointRequest": {"VpcEndpointId": ENDPOINT}})
TAGGED = call(
    "elasticloadbalancing",
    "AddTags",
    {"resourceArns": [ORDERS], "tags": [{"key": "apprunner-guardrails:endpoint", "value": ENDPOINT}]},
)
REGISTERED = call(
    "elasticloadbalancing", "RegisterTargets", {"targetGroupArn": ORDERS, "targets": [{"id": "10.0.9.9"}]}
)
DEREGISTERED = call("elasticloadbalancing", "DeregisterTargets", {"targetGroupArn": ORDERS, "targets": []})
OWN = call(
    "elasticloadbalancing",
    "RegisterTargets",
    {"targetGroupArn": ORDERS},
    userIdentity={"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/sync/{FUNCTION}"},
)


def message(number: int, body: object) -> Event:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": f"message-{number}", "eventSource": "aws:sqs", "body": text}


def batch(*bodies: object) -> Event:
    return {"Records": [message(number, body) for number, body in enumerate(bodies)]}


COME_BACK = {"apprunner-guardrails": "come back", "target_groups": [ORDERS]}


def context(seconds: float) -> Any:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)


def stale() -> Rows:
    rows = readdressed(in_step())
    rows["Targets"] += targets("10.0.1.9:443")
    return rows


# Results -------------------------------------------------------------------------------------------------------------

TRIGGERS: Mapping[str, Event] = {
    "the schedule": SCHEDULE,
    "a call that changed the endpoint": MODIFIED,
    "a call that tagged the group": TAGGED,
    "a call of somebody who registered targets": REGISTERED,
}


@pytest.mark.parametrize("trigger", TRIGGERS.values(), ids=TRIGGERS)
def test_the_result_is_json_as_the_contract_has_it(trigger: Event) -> None:
    with Aws(stale()):
        result = handler(trigger, context(60))
    assert json.loads(json.dumps(result)) == {
        "target_groups": {
            ORDERS: {
                "registered": ["10.0.2.6:443"],
                "deregistered": ["10.0.1.9:443"],
                "held": ["10.0.2.5:443"],
                "refused": None,
            }
        }
    }


def test_the_same_event_again_changes_nothing_and_tells_nothing() -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", state="unhealthy")}
    with Aws(rows):
        first = handler(MODIFIED, None)
    with Aws(rows) as again:
        second = handler(MODIFIED, None)
    assert first == {"target_groups": {ORDERS: {**QUIET, "registered": ["10.0.2.5:443"]}}}
    assert (second, again.acted, again.published) == ({"target_groups": {ORDERS: QUIET}}, [], [])
    assert not set(CHANGING) & set(again.actions)


def test_a_group_that_is_refused_says_why() -> None:
    rows = {**in_step(), "VpcEndpoints": [endpoint(ENDPOINT, "eni-a", "eni-b", State="pending")]}
    with Aws(rows):
        result = handler(SCHEDULE, None)
    why = f"{ENDPOINT} is pending: refusing to change target group orders (2 registered); {AGAIN}"
    assert result == {"target_groups": {ORDERS: {**QUIET, "refused": why}}}


def test_where_nothing_is_bound_there_is_nothing_in_the_result() -> None:
    with Aws({}):
        assert handler(SCHEDULE, None) == {"target_groups": {}}


IGNORED: Mapping[str, tuple[object, str]] = {
    "nothing": (None, "not an EventBridge event: it is a NoneType, not an object"),
    "an empty object": ({}, "neither a call nor a schedule: missing of missing"),
    "another call": (
        call("ec2", "CreateVpc", {}),
        "the call 'CreateVpc' of 'ec2.amazonaws.com' is not watched",
    ),
    "its own call": (OWN, f"the call RegisterTargets was made by {FUNCTION} itself"),
    "an empty batch": ({"Records": []}, "the batch holds nothing to sync"),
    "a batch of its own calls": (batch(OWN, OWN), f"the call RegisterTargets was made by {FUNCTION} itself"),
}


@pytest.mark.parametrize(("given", "why"), IGNORED.values(), ids=IGNORED)
def test_an_event_that_asks_for_nothing_is_ignored_with_a_reason(
    given: object, why: str, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    """Also without settings: they are of no concern then. No call is made."""
    monkeypatch.delenv("ALERT_TOPIC_ARN")
    monkeypatch.delenv("FINDINGS_TABLE")
    with Aws({}) as aws:
        result = handler(given, None)
    failures: dict[str, object] = {"batchItemFailures": []} if isinstance(given, dict) and "Records" in given else {}
    assert (result, aws.calls) == ({"ignored": why, **failures}, [])
    assert [(line["message"], line["why"]) for line in lines(logged)] == [("ignored", why)]


# Batches -------------------------------------------------------------------------------------------------------------


def test_a_batch_is_one_run_over_all_groups_that_it_concerns() -> None:
    with Aws(stale()) as aws:
        result = handler(batch(REGISTERED, DEREGISTERED, COME_BACK, OWN), None)
    assert result == {
        "target_groups": {
            ORDERS: {
                "registered": ["10.0.2.6:443"],
                "deregistered": ["10.0.1.9:443"],
                "held": ["10.0.2.5:443"],
                "refused": None,
            }
        },
        "batchItemFailures": [],
    }
    assert len(aws.sent(f"{ELB}:RegisterTargets")) == 1


def test_only_messages_that_cannot_be_understood_go_back_to_the_queue(logged: io.StringIO) -> None:
    odd = {"apprunner-guardrails": "come back", "target_groups": ["orders"]}
    with Aws(in_step()):
        result = handler(batch("no JSON", COME_BACK, odd), None)
    assert result == {
        "target_groups": {ORDERS: QUIET},
        "batchItemFailures": [{"itemIdentifier": "message-0"}, {"itemIdentifier": "message-2"}],
    }
    assert [(line["message_id"], line["why"]) for line in lines(logged) if line["message"] == "not understood"] == [
        ("message-0", "Expecting value: line 1 column 1 (char 0)"),
        ("message-2", "the message's target_groups[0] should be the ARN of a target group, and is 'orders'"),
    ]


def test_a_batch_whose_run_fails_goes_back_as_a_whole() -> None:
    with Aws(stale(), {f"{ELB}:RegisterTargets": refused("AccessDenied", 403)}), pytest.raises(NotSynced):
        handler(batch(REGISTERED, COME_BACK), None)


def test_what_it_sends_to_its_queue_brings_it_back() -> None:
    rows = stale()
    with Aws(rows) as aws:
        handler(SCHEDULE, None)
    (sent,) = aws.sent("sqs:SendMessage")
    rows["Targets"] = targets("10.0.1.5:443", "10.0.2.5:443", "10.0.2.6:443")
    with Aws(rows):
        result = handler(batch(sent["MessageBody"]), None)
    assert result == {
        "target_groups": {ORDERS: {**QUIET, "deregistered": ["10.0.2.5:443"]}},
        "batchItemFailures": [],
    }


# Errors and settings -------------------------------------------------------------------------------------------------

FAILURES: Mapping[str, tuple[dict[str, Fault], type[Exception]]] = {
    "a change that is refused": ({f"{ELB}:RegisterTargets": refused("AccessDenied", 403)}, NotSynced),
    "an index that cannot be read": ({"tagging:GetResources": refused("AccessDeniedException")}, NotRead),
    "a ledger that cannot be read": ({"dynamodb:Scan": refused("AccessDeniedException")}, LedgerUnavailable),
    "a queue that takes nothing": ({"sqs:SendMessage": refused("AccessDenied", 403)}, NotSynced),
}


@pytest.mark.parametrize(("faults", "error"), FAILURES.values(), ids=FAILURES)
def test_work_that_was_not_done_is_an_error(faults: dict[str, Fault], error: type[Exception]) -> None:
    with Aws(stale(), faults), pytest.raises(error):
        handler(SCHEDULE, None)


def test_a_message_that_cannot_be_understood_is_an_error_that_names_the_field() -> None:
    why = r"^the message's target_groups should be a list of ARNs, and is 'x'$"
    with Aws({}) as aws, pytest.raises(BadEvent, match=why):
        handler({"apprunner-guardrails": "come back", "target_groups": "x"}, None)
    assert aws.calls == []


def test_a_setting_that_cannot_be_used_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_POLICY", "sink")
    with Aws({}) as aws, pytest.raises(BadSettings, match="SYNC_POLICY"):
        handler(SCHEDULE, None)
    assert aws.calls == []


def test_the_policy_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_POLICY", "report-only")
    with Aws(stale()) as aws:
        result = handler(SCHEDULE, None)
    assert result == {"target_groups": {ORDERS: {**QUIET, "held": ["10.0.1.9:443", "10.0.2.5:443"]}}}
    assert not set(CHANGING) & set(aws.actions)


def test_draining_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {**in_step(), "VpcEndpoints": [], "Targets": targets("10.0.1.5:443", state="unhealthy")}
    with Aws(rows):
        kept = handler(SCHEDULE, None)
    monkeypatch.setenv("DRAIN_DELETED_ENDPOINTS", "true")
    with Aws(rows):
        drained = handler(SCHEDULE, None)
    why = f"{ENDPOINT} does not exist: refusing to change target group orders (1 registered); {AGAIN}"
    assert (kept, drained) == (
        {"target_groups": {ORDERS: {**QUIET, "refused": why}}},
        {"target_groups": {ORDERS: {**QUIET, "deregistered": ["10.0.1.5:443"]}}},
    )


def test_nothing_is_begun_that_would_not_be_ended_in_time() -> None:
    with Aws(stale()) as aws:
        result: Any = handler(SCHEDULE, context(RESERVE_SECONDS - 1))
    assert result["target_groups"][ORDERS]["refused"] == f"no time was left for target group orders; {AGAIN}"
    assert not set(CHANGING) & set(aws.actions)
    assert len(aws.sent("sqs:SendMessage")) == 1


def test_a_process_remembers_groups_from_one_event_to_the_next() -> None:
    rows = in_step()
    with Aws(rows) as cold:
        handler(SCHEDULE, None)
    with Aws(rows) as warm:
        handler(SCHEDULE, None)
    assert sorted(set(cold.actions) - set(warm.actions)) == [f"{ELB}:DescribeTargetGroups"]


def test_logs_say_what_was_done_for_which_event_and_not_what_was_in_it(logged: io.StringIO) -> None:
    secret = "x9-secret-x9"
    given = call("ec2", "ModifyVpcEndpoint", {"vpcEndpointId": ENDPOINT, "policyDocument": secret})
    with Aws(stale()):
        handler(given, None)
    (line,) = lines(logged)
    assert (line["message"], line["correlation_id"]) == ("synced", given["detail"]["eventID"])
    assert line["done"] == {
        ORDERS: {
            "registered": ["10.0.2.6:443"],
            "deregistered": ["10.0.1.9:443"],
            "held": ["10.0.2.5:443"],
            "refused": "",
        }
    }
    assert secret not in logged.getvalue()


def test_metrics_count_what_was_done(capsys: pytest.CaptureFixture[str], logged: io.StringIO) -> None:
    with Aws(stale()):
        handler(SCHEDULE, None)
    printed = json.loads(capsys.readouterr().out)
    counted = {"TargetGroups": 1, "TargetsRegistered": 1, "TargetsDeregistered": 1, "TargetsHeld": 1}
    assert {name: printed[name] for name in counted} == {name: [number] for name, number in counted.items()}


# CloudFormation ------------------------------------------------------------------------------------------------------


class CloudFormation(BaseHTTPRequestHandler):
    """Takes answers, as the bucket does that CloudFormation signs URLs for."""

    status = 200
    answers: list[dict[str, Any]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answers.append({**json.loads(body), "path": self.path, "type": self.headers["Content-Type"]})
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Nothing."""


@contextmanager
def stack(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A URL to answer at, and the answers that have come."""
    answers: list[dict[str, Any]] = []
    kind = type("Answers", (CloudFormation,), {"status": status, "answers": answers})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/answer?{SECRET}", answers
        server.shutdown()


def request(kind: str, url: str, group: str = ORDERS, **properties: object) -> Event:
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": STACK,
        "RequestId": "request-1",
        "ResourceType": "Custom::EndpointTargets",
        "LogicalResourceId": "EndpointTargets",
        **({} if kind == "Create" else {"PhysicalResourceId": group}),
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:sync",
            "TargetGroupArn": group,
            "EndpointIds": [ENDPOINT],
            **properties,
        },
    }


def answer(**changes: object) -> dict[str, Any]:
    return {
        "Status": "SUCCESS",
        "PhysicalResourceId": ORDERS,
        "StackId": STACK,
        "RequestId": "request-1",
        "LogicalResourceId": "EndpointTargets",
        "NoEcho": False,
        "Data": {},
        "path": f"/answer?{SECRET}",
        "type": "",
        **changes,
    }


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_stack_gets_its_targets_and_is_answered(kind: str, logged: io.StringIO) -> None:
    rows = {**in_step(), "Targets": []}
    with stack() as (url, answers), Aws(rows):
        result = handler(request(kind, url), context(120))
    assert result == {"target_groups": {ORDERS: {**QUIET, "registered": ["10.0.1.5:443", "10.0.2.5:443"]}}}
    assert answers == [answer(Data={"Targets": "10.0.1.5:443 10.0.2.5:443"})]
    assert states(rows) == {"10.0.1.5:443": "initial", "10.0.2.5:443": "initial"}
    assert SECRET not in logged.getvalue()


def test_a_stack_whose_group_is_not_tagged_fails_and_the_group_is_not_touched() -> None:
    rows = {**in_step(), "Tags": [], "Targets": []}
    with stack() as (url, answers), Aws(rows) as aws:
        handler(request("Create", url), context(120))
    why = (
        f"Target group {ORDERS} has no tag apprunner-guardrails:endpoint, so that nothing is done with it. It should"
        f" have the tag apprunner-guardrails:endpoint = {ENDPOINT}."
    )
    assert answers == [answer(Status="FAILED", Reason=why)]
    assert not set(CHANGING) & set(aws.actions)


def test_a_stack_whose_group_does_not_exist_fails() -> None:
    with stack() as (url, answers), Aws({}):
        handler(request("Create", url), context(120))
    assert answers == [answer(Status="FAILED", Reason=f"target group {ORDERS} does not exist.")]


def test_a_stack_whose_group_has_a_tag_that_names_no_endpoint_hears_what_the_tag_should_be() -> None:
    rows = {**in_step(), "Tags": [tag(ORDERS, "apprunner-guardrails:endpoint", "none")]}
    with stack() as (url, answers), Aws(rows):
        handler(request("Create", url), context(120))
    (told,) = answers
    mend = f". Target group {ORDERS} should have the tag apprunner-guardrails:endpoint = {ENDPOINT}."
    assert (told["Status"], told["Reason"].endswith(mend)) == ("FAILED", True)


def test_a_stack_that_waits_for_an_endpoint_that_the_tag_does_not_name_fails() -> None:
    with stack() as (url, answers), Aws(in_step()):
        handler(request("Create", url, EndpointIds=[OTHER_ENDPOINT]), context(120))
    assert [(one["Status"], OTHER_ENDPOINT in one["Reason"]) for one in answers] == [("FAILED", True)]


def test_a_stack_that_is_deleted_is_answered_and_leaves_the_group_as_it_is() -> None:
    with stack() as (url, answers), Aws(stale()) as aws:
        result = handler(request("Delete", url), context(120))
    assert answers == [answer()]
    why = "EndpointTargets of type Custom::EndpointTargets was deleted: its target group stays as it is"
    assert (result, aws.calls) == ({"ignored": why}, [])


def test_a_stack_whose_endpoint_is_being_made_is_answered_when_it_is_there() -> None:
    rows = {**in_step(), "Targets": [], "VpcEndpoints": [endpoint(ENDPOINT, State="pending")]}
    with stack() as (url, answers):
        with Aws(rows) as early:
            handler(request("Create", url), context(120))
        assert answers == []
        bodies = [one["MessageBody"] for one in early.sent("sqs:SendMessage")]
        rows["VpcEndpoints"] = in_step()["VpcEndpoints"]
        with Aws(rows):
            result: Any = handler(batch(*bodies), context(120))
    assert answers == [answer(Data={"Targets": "10.0.1.5:443 10.0.2.5:443"})]
    assert (set(result["target_groups"]), result["batchItemFailures"]) == ({ORDERS}, [])
    assert states(rows) == {"10.0.1.5:443": "initial", "10.0.2.5:443": "initial"}


def test_a_stack_that_may_not_have_its_targets_comes_back_and_fails_when_that_does_not_pass() -> None:
    faults = {f"{ELB}:RegisterTargets": refused("AccessDenied", 403)}
    with stack() as (url, answers), Aws({**in_step(), "Targets": []}, faults) as aws:
        handler(request("Create", url), context(120))
        (sent,) = aws.sent("sqs:SendMessage")
        body = json.loads(sent["MessageBody"])
        assert (answers, body["apprunner-guardrails"]) == ([], "custom resource")
        handler(batch({**body, "since": body["since"] - 600}), context(120))
    (told,) = answers
    why = f"target group orders: {ELB}:RegisterTargets failed (AccessDenied). That did not pass in 60"
    assert (told["Status"], told["Reason"].startswith(why)) == ("FAILED", True)


def test_a_stack_that_cannot_be_looked_into_now_comes_back_by_the_queue() -> None:
    faults = {f"{ELB}:DescribeTags": refused("Throttling")}
    with stack() as (url, answers), Aws(in_step(), faults) as aws:
        handler(request("Create", url), context(120))
    (sent,) = aws.sent("sqs:SendMessage")
    assert (answers, json.loads(sent["MessageBody"])["apprunner-guardrails"]) == ([], "custom resource")


UNTOLD: Mapping[str, tuple[dict[str, Fault], str]] = {
    "a ledger that cannot be read": ({"dynamodb:Query": refused("AccessDeniedException")}, "dynamodb:Query failed"),
    "a ledger that cannot be written": ({"dynamodb:TransactWriteItems": refused("AccessDeniedException")}, "cannot be"),
    "a topic that takes nothing": ({"sns:Publish": refused("AuthorizationError", 403)}, "AuthorizationError"),
}


@pytest.mark.parametrize(("faults", "why"), UNTOLD.values(), ids=UNTOLD)
def test_a_stack_has_its_targets_though_nobody_could_be_told_of_them(
    faults: dict[str, Fault], why: str, logged: io.StringIO
) -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", "10.0.2.5:443", state="unhealthy")}
    with stack() as (url, answers), Aws(rows, faults) as aws:
        result: Any = handler(request("Create", url), context(120))
    assert answers == [answer(Data={"Targets": "10.0.1.5:443 10.0.2.5:443"})]
    assert why in result["ignored"]
    assert [json.loads(one["MessageBody"]) for one in aws.sent("sqs:SendMessage")][-1] == {
        **COME_BACK,
        "event_id": "request-1",
    }
    assert [why in line["why"] for line in lines(logged) if line["message"] == "not told"] == [True]
    with Aws(rows, faults), pytest.raises((LedgerUnavailable, NotPublished), match=why):
        handler(batch(COME_BACK), context(120))


def test_looking_how_a_group_is_after_its_sync_failed_changes_nothing() -> None:
    denied = {f"{ELB}:RegisterTargets": refused("AccessDenied", 403)}
    with stack() as (url, answers), Aws(stale(), denied) as aws:
        handler(request("Create", url), context(120))
    assert (answers, len(aws.sent(f"{ELB}:RegisterTargets"))) == ([], 1)
    assert [json.loads(one["MessageBody"])["apprunner-guardrails"] for one in aws.sent("sqs:SendMessage")][-1] == (
        "custom resource"
    )


def test_an_answer_that_cannot_be_given_comes_back_by_the_queue_and_the_url_is_not_logged(logged: io.StringIO) -> None:
    rows = in_step()
    with stack(status=500) as (url, lost), Aws(rows) as early:
        result = handler(request("Create", url), context(120))
    assert (result, len(lost)) == ({"target_groups": {ORDERS: QUIET}}, 3)
    why = "CloudFormation was not answered: HTTP 500, HTTP 500, HTTP 500"
    assert [line["why"] for line in lines(logged) if line["message"] == "not answered"] == [why]
    assert SECRET not in logged.getvalue()
    (sent,) = early.sent("sqs:SendMessage")
    body = json.loads(sent["MessageBody"])
    with stack() as (url, answers), Aws(rows):
        handler(batch({**body, "request": {**body["request"], "ResponseURL": url}}), context(120))
    assert (sent["DelaySeconds"], answers) == (60, [answer(Data={"Targets": "10.0.1.5:443 10.0.2.5:443"})])


NO_QUEUE: Mapping[str, tuple[Mapping[str, str], dict[str, Fault]]] = {
    "there is no queue": ({"SYNC_QUEUE_URL": ""}, {}),
    "the queue takes nothing": ({}, {"sqs:SendMessage": refused("AccessDenied", 403)}),
}


@pytest.mark.parametrize(("variables", "faults"), NO_QUEUE.values(), ids=NO_QUEUE)
def test_an_answer_that_cannot_be_given_is_an_error_without_the_url(
    variables: Mapping[str, str], faults: dict[str, Fault], logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with stack(status=500) as (url, answers), Aws(in_step(), faults), pytest.raises(NotAnswered) as raised:
        handler(request("Create", url), context(120))
    assert len(answers) == 3
    assert SECRET not in f"{raised.value}{logged.getvalue()}"


# Several of them in one batch

CAME_BACK = {"apprunner-guardrails": "custom resource", "since": NOW}


def came_back(url: str, kind: str = "Create", **changes: object) -> Event:
    return {**CAME_BACK, "request": {**request(kind, url), **changes}}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute after the requests first came."""
    monkeypatch.setattr(app, "_now", lambda: NOW + 60)


def both() -> tuple[Rows, str]:
    """The group of the stacks, in step, and another that lacks all its targets."""
    rows = many(1)
    rows = {key: [*rows[key], *in_step()[key]] for key in rows}
    rows["Targets"] = [row for row in rows["Targets"] if row["TargetGroupArn"] == ORDERS]
    return rows, arn("group-000")


@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_one_that_cannot_be_answered_keeps_no_other_of_its_batch_waiting(kind: str, soon: None) -> None:
    rows, other = both()
    follow_up = {"apprunner-guardrails": "come back", "target_groups": [other]}
    with stack(status=503) as (deaf, lost), stack() as (url, answers), Aws(rows) as aws:
        mute = came_back(deaf, kind, RequestId="request-0")
        result: Any = handler(batch(follow_up, mute, came_back(url)), context(120))
    assert (len(lost), answers) == (3, [answer(Data={"Targets": "10.0.1.5:443 10.0.2.5:443"})])
    registered = result["target_groups"][other]["registered"]
    assert registered == sorted(states(rows, other))
    assert registered != []
    assert result["batchItemFailures"] == []
    bodies = [json.loads(one["MessageBody"]) for one in aws.sent("sqs:SendMessage")]
    assert [one for one in bodies if one["apprunner-guardrails"] == "custom resource"] == [mute]


@pytest.mark.parametrize(("variables", "faults"), NO_QUEUE.values(), ids=NO_QUEUE)
def test_one_that_cannot_be_answered_nor_come_back_fails_the_batch_when_the_others_are_done(
    variables: Mapping[str, str],
    faults: dict[str, Fault],
    soon: None,
    monkeypatch: pytest.MonkeyPatch,
    logged: io.StringIO,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    rows, other = both()
    follow_up = {"apprunner-guardrails": "come back", "target_groups": [other]}
    with stack(status=503) as (deaf, _), stack() as (url, answers), Aws(rows, faults), pytest.raises(NotAnswered):
        handler(batch(follow_up, came_back(deaf), came_back(url)), context(120))
    assert answers == [answer(Data={"Targets": "10.0.1.5:443 10.0.2.5:443"})]
    assert states(rows, other) != {}
    late = [line["exception_name"] for line in lines(logged) if line["message"] == "failed as well"]
    assert late == (["NotSynced"] if faults else [])  # which could not send itself word either


def test_one_that_fails_for_a_reason_that_nobody_knows_keeps_no_other_of_its_batch_waiting(
    soon: None, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    def broken(asked: Asked, *arguments: Any, **means: Any) -> Synced:
        if asked.id in ("request-0", "request-2"):
            raise KeyError(asked.id)
        return sync(asked, *arguments, **means, pace=lambda _: lambda: None)

    monkeypatch.setattr(app, "sync", broken)
    rows, other = both()
    follow_up = {"apprunner-guardrails": "come back", "target_groups": [other]}
    with stack() as (url, answers), Aws(rows):
        requests = [came_back(url, RequestId=f"request-{number}") for number in range(4)]
        with pytest.raises(KeyError, match="request-0"):
            handler(batch(follow_up, *requests), context(120))
    assert [(one["RequestId"], one["Status"]) for one in answers] == [
        ("request-0", "FAILED"),
        ("request-1", "SUCCESS"),
        ("request-2", "FAILED"),
        ("request-3", "SUCCESS"),
    ]
    assert states(rows, other) != {}
    assert [line["exception"] for line in lines(logged) if line["message"] == "failed as well"] == [
        line["exception"] for line in lines(logged) if "KeyError: 'request-2'" in line.get("exception", "")
    ]


def test_a_setting_that_cannot_be_used_is_told_to_every_stack_now_or_in_a_minute(
    soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_POLICY", "sink")
    with (
        stack(status=503) as (deaf, _),
        stack() as (url, answers),
        Aws(in_step()) as aws,
        pytest.raises(BadSettings, match="SYNC_POLICY"),
    ):
        handler(batch(came_back(deaf), came_back(url)), context(120))
    why = "The function that syncs targets failed (BadSettings); its log says more."
    assert answers == [answer(Status="FAILED", Reason=why)]
    assert [json.loads(one["MessageBody"]) for one in aws.sent("sqs:SendMessage")] == [came_back(deaf)]


def test_a_stack_is_answered_before_calls_of_the_same_batch_are_dealt_with() -> None:
    rows, other = both()
    denied = refused("AccessDenied", 403, when=lambda parameters: parameters["TargetGroupArn"] == other)
    calls = call("elasticloadbalancing", "DeregisterTargets", {"targetGroupArn": other})
    with stack() as (url, answers), Aws(rows, {f"{ELB}:RegisterTargets": denied}), pytest.raises(NotSynced):
        handler(batch(calls, came_back(url)), context(120))
    assert [one["Status"] for one in answers] == ["SUCCESS"]


def test_time_is_the_functions_own(logged: io.StringIO) -> None:
    with Aws(stale()) as aws, patch("time.time", lambda: 1_800_000_000.9):
        handler(SCHEDULE, None)
    (put,) = (one["TransactItems"][0]["Put"]["Item"] for one in aws.sent("dynamodb:TransactWriteItems"))
    assert (put["rule"], put["first_seen"]) == ({"S": "waiting"}, {"N": "1800000000"})
