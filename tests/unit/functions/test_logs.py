"""What functions log, print and raise, whatever is in an event: ids and counts, nothing that somebody wrote into it.

Each sample event goes through each function, by itself and in a batch, with secrets wherever a call may carry some: in
environment variables and their names, the values of tags, descriptions, messages, names and addresses of callers.
"""

import io
import json
import re
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from apprunner_guardrails import __version__
from apprunner_guardrails.aws import apigateway
from apprunner_guardrails.records import event_id
from apprunner_guardrails.targets.sync import sync
from functions.audit_region.app import handler as audit_region
from functions.sync_targets import app as sync_targets
from functions.tag_resources.app import handler as tag_resources
from functions.validate_network.app import handler as validate_network
from tests.aws import FAULTS, Aws, Fault
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS
from tests.private_path import INGRESS, private_path, with_http_api
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    REGION,
    SERVICE,
    TABLE,
    TOPIC,
    Event,
    Rows,
    public,
)
from tests.unit.functions.conftest import emitted, lines

# What events name, as tests have it: then there is something to do for most of them.
OURS = {
    r"arn:aws:apprunner:[^\"]+:vpcconnector/[^\"]+": CONNECTOR,
    r"arn:aws:apprunner:[^\"]+:service/[^\"]+": SERVICE,
    r"arn:aws:apprunner:[^\"]+:vpcingressconnection/[^\"]+": INGRESS,
    r"arn:aws:elasticloadbalancing:[^\"]+:targetgroup/[^\"]+": ORDERS,
    r"arn:aws:elasticloadbalancing:[^\"]+:loadbalancer/net/[^\"]+": BALANCER,
    r"vpce-[0-9a-f]{17}": ENDPOINT,
}


def ours(text: str) -> Event:
    for form, name in OURS.items():
        text = re.sub(form, name, text)
    event: Event = json.loads(text)
    return event


FILES = sorted((Path(__file__).parents[3] / "events").glob("*.json"))
EVENTS = {path.stem: ours(path.read_text()) for path in FILES} | {
    "schedule": {
        "id": "99999999-9999-4999-8999-999999999999",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "region": REGION,
        "time": "2026-11-21T09:00:00Z",
        "detail": {},
    }
}
SECRET = "x9-secret-x9"
MAIL = f"{SECRET}@example.com"
BESIDE = {
    "runtimeEnvironmentVariables": {f"{SECRET}_PASSWORD": SECRET},
    "description": SECRET,
    "clientToken": SECRET,
}
HANDLERS: Mapping[str, Callable[[object, object], object]] = {
    "validate_network": validate_network,
    "audit_region": audit_region,
    "sync_targets": sync_targets.handler,
    "tag_resources": tag_resources,
}
CONTEXT = SimpleNamespace(
    function_name="guardrails", aws_request_id="request-1", get_remaining_time_in_millis=lambda: 600_000
)
CLOSED = ("sns:Publish", "events:PutEvents", "apprunner:TagResource", "elasticloadbalancing:AddTags")
UNREACHABLE: Mapping[str, Fault] = dict.fromkeys(CLOSED, FAULTS["denied"])
# All that each function logs of an event.
LOGGED: Mapping[str, set[str]] = {
    "validate_network": {"evaluated", "failed", "ignored"},
    "audit_region": {"failed", "ignored"},
    "sync_targets": {"ignored", "synced"},
    "tag_resources": {"failed", "ignored", "put off", "tagged"},
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_TOPIC_ARN", TOPIC)
    monkeypatch.setenv("FINDINGS_TABLE", TABLE)
    monkeypatch.setenv("EMAILS_IN_TAGS", "true")
    monkeypatch.setattr(sync_targets, "sync", partial(sync, pace=lambda _: lambda: None))
    monkeypatch.setattr(apigateway, "paces", lambda _: {})


def laced(event: Event) -> Event:
    """The event with secrets in it, as a call may have them."""
    detail = {name: _laced(value) for name, value in event["detail"].items()} | BESIDE
    if "userIdentity" in detail:
        detail["userIdentity"] = _by_somebody(detail["userIdentity"])
    for name in ("sourceIPAddress", "userAgent", "errorMessage", "message"):
        if name in detail:
            detail[name] = SECRET
    return {**event, "detail": detail}


def _laced(value: Any) -> Any:
    if isinstance(value, list):
        return [_laced(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _laced(one) for name, one in value.items()} | BESIDE
    for name in {"value", "Value"} & found.keys():  # a tag's
        found[name] = MAIL
    if isinstance(found.get("tags"), dict):  # API Gateway's
        found["tags"] = dict.fromkeys(found["tags"], MAIL)
    return found


def _by_somebody(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: one if name in ("type", "accountId") else _by_somebody(one) for name, one in value.items()}
    return f"{value.rpartition('/')[0]}/{MAIL}" if str(value).startswith("arn:") else MAIL


def said(handler: Callable[[object, object], object], event: object, rows: Rows, faults: Mapping[str, Fault]) -> str:
    """What the function raises, as Lambda logs it: the text, and the lines of code."""
    try:
        with Aws(rows, faults):
            handler(event, CONTEXT)
    except Exception as error:  # noqa: BLE001 - whatever it is, Lambda logs it
        return "".join(traceback.format_exception(error))
    return ""


def everything() -> Rows:
    """Something for each function to find: a private path, and a connector in public subnets."""
    return {**public(), **with_http_api(private_path()), "RouteTables": public()["RouteTables"]}


def message(number: int, event: object) -> Event:
    return {"messageId": f"message-{number}", "eventSource": "aws:sqs", "body": json.dumps(event)}


@pytest.mark.parametrize("faults", [{}, UNREACHABLE], ids=["all is well", "nothing gets through"])
@pytest.mark.parametrize("function", HANDLERS)
def test_no_log_metric_or_error_has_anything_that_somebody_wrote_into_a_call(
    function: str, faults: Mapping[str, Fault], logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    handled = 0
    for event in map(laced, EVENTS.values()):
        assert SECRET in json.dumps(event)
        for given in (event, {"Records": [message(0, event)]}):
            raised = said(HANDLERS[function], given, everything(), faults)
            handled += not raised
            assert SECRET not in raised, raised
    assert SECRET not in logged.getvalue()
    assert SECRET not in capsys.readouterr().out
    assert handled > len(EVENTS)


def test_the_secrets_are_there_to_be_told() -> None:
    """The twin of the test above: alerts name callers, and tags people, by the same events."""
    event = laced(EVENTS["apprunner-CreateVpcConnector-ownership"])
    with Aws(everything()) as aws:
        validate_network(event, CONTEXT)
        tag_resources(event, CONTEXT)
    assert MAIL in aws.published[0]["Message"]
    assert MAIL in json.dumps(aws.sent("apprunner:TagResource"))


@pytest.mark.parametrize("function", HANDLERS)
def test_every_line_of_an_event_has_its_id_and_the_version(
    function: str, logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    messages: set[str] = set()
    for event in EVENTS.values():
        for given in (event, {"Records": [message(0, event)]}):
            logged.seek(logged.truncate(0))
            said(HANDLERS[function], given, everything(), UNREACHABLE)
            found = lines(logged)
            messages |= {line["message"] for line in found}
            assert found != []
            assert {line.get("correlation_id") for line in found} == {event_id(event)}
            assert {(line["version"], line["function_request_id"]) for line in found} == {(__version__, "request-1")}
            for one in emitted(capsys):
                assert (one["correlation_id"], one["version"]) == (event_id(event), __version__)
    assert messages == LOGGED[function]
