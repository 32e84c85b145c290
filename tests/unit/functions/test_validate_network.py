"""The function as Lambda runs it: any event in, JSON or an error out, logs and metrics beside."""

import io
import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from apprunner_guardrails import drift, events, observe
from apprunner_guardrails.drift import Change
from apprunner_guardrails.events import BadEvent, FailedCall, Trigger
from apprunner_guardrails.findings import Status
from apprunner_guardrails.paths import triggers as paths
from apprunner_guardrails.paths.triggers import PathChange
from apprunner_guardrails.settings import BadSettings
from apprunner_guardrails.tell import NotPublished
from functions.validate_network.app import handler
from tests.aws import FAULTS, Aws, asked_of
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS
from tests.path_events import REST_ARN, tagging, watched
from tests.private_path import INGRESS, private_path
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    REGION,
    SERVICE,
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
    service,
    service_call,
    tagged,
)
from tests.template.asked import actions_asked_for
from tests.unit.functions.conftest import counted, lines

HANDLERS = sorted((Path(__file__).parents[3] / "functions").glob("*/app.py"))
ENDPOINT_ARN = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{ENDPOINT}"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_TOPIC_ARN", TOPIC)
    monkeypatch.setenv("FINDINGS_TABLE", TABLE)


def changed(event: Event, **changes: object) -> Event:
    return {**event, **changes}


def detail(event: Event, **changes: object) -> Event:
    return {**event, "detail": {**event["detail"], **changes}}


CREATED = created_connector()
IGNORED: Mapping[str, tuple[object, str]] = {
    "nothing": (None, "not an EventBridge event: it is a NoneType, not an object"),
    "a list": ([CREATED], "not an EventBridge event: it is a list, not an object"),
    "a text": (json.dumps(CREATED), "not an EventBridge event: it is a str, not an object"),
    "an empty object": ({}, "the source missing is not watched"),
    "another source": (changed(CREATED, source="aws.ecs"), "the source 'aws.ecs' is not watched"),
    "a call of EC2's that is of no concern": (
        detail(replaced_route(), eventName="CreateVpc"),
        "the call 'CreateVpc' of 'ec2.amazonaws.com' is not watched",
    ),
    "a call of EC2's that failed": (
        detail(replaced_route(), errorCode="Client.RouteNotFound"),
        "the call ReplaceRoute failed with 'Client.RouteNotFound': nothing was changed",
    ),
    "a source that is no text": (
        changed(CREATED, source=["aws.apprunner"]),
        "the source ['aws.apprunner'] is not watched",
    ),
    "no detail": ({key: value for key, value in CREATED.items() if key != "detail"}, "the event has no detail"),
    "an empty detail": (changed(CREATED, detail={}), "the event has no detail"),
    "a detail that is no object": (changed(CREATED, detail="x"), "the event has no detail"),
    "another detail-type": (
        changed(CREATED, **{"detail-type": "AppRunner Service Status Change"}),
        "the detail-type 'AppRunner Service Status Change' is not watched",
    ),
    "another call": (
        detail(CREATED, eventName="DeleteService"),
        "the call 'DeleteService' of 'apprunner.amazonaws.com' is not watched",
    ),
    "a call that has no name": (
        detail(CREATED, eventName=None),
        "the call missing of 'apprunner.amazonaws.com' is not watched",
    ),
    "a call that failed and that nobody asks about": (
        detail(service_call("ResumeService"), errorCode="InvalidRequestException"),
        "the call 'ResumeService' failed with 'InvalidRequestException': nothing was changed",
    ),
    "an omitted request": (
        detail(CREATED, requestParameters=None),
        "requestParameters of the CreateVpcConnector record was omitted or redacted: it names nothing to check",
    ),
    "a redacted response": (
        detail(CREATED, responseElements="HIDDEN_DUE_TO_SECURITY_REASONS"),
        "responseElements of the CreateVpcConnector record was omitted or redacted: it names nothing to check",
    ),
    "an operation that goes on": (
        finished_update("UpdateServiceStarted"),
        "the operation status 'UpdateServiceStarted' is neither a finished update or deletion nor a failure",
    ),
}


@pytest.mark.parametrize(("event", "why"), IGNORED.values(), ids=IGNORED)
def test_an_event_that_asks_for_nothing_is_ignored_with_a_reason(
    event: object, why: str, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    """Also without settings: they are of no concern then. No call is made."""
    monkeypatch.delenv("ALERT_TOPIC_ARN")
    monkeypatch.delenv("FINDINGS_TABLE")
    with Aws({}) as aws:
        assert handler(event, None) == {"ignored": why}
    assert aws.calls == []
    assert [(line["message"], line["why"]) for line in lines(logged)] == [("ignored", why)]


def test_a_connector_that_is_gone_is_ignored_with_a_reason(logged: io.StringIO) -> None:
    why = f"the VPC connector {CONNECTOR} no longer exists"
    with Aws({**healthy(), "VpcConnectors": []}):
        assert handler(CREATED, None) == {"ignored": why}
    assert [(line["message"], line["why"]) for line in lines(logged)] == [("ignored", why)]


CONNECTOR_PATH = "responseElements.vpcConnector.vpcConnectorArn"
AN_ARN = "the ARN of an App Runner"
BAD: Mapping[str, tuple[Event, str]] = {
    "no ARN in the response": (
        detail(CREATED, responseElements={"vpcConnector": {}}),
        f"detail.{CONNECTOR_PATH} of CreateVpcConnector should be {AN_ARN} vpcconnector, and is missing",
    ),
    "something else for the ARN": (
        detail(service_call("UpdateService"), requestParameters={"serviceArn": {"x": 1}}),
        f"detail.requestParameters.serviceArn of UpdateService should be {AN_ARN} service, and is {{'x': 1}}",
    ),
    "no resource": (
        changed(finished_update(), resources=[]),
        f"resources[0] of AppRunner Service Operation Status Change should be {AN_ARN} service, and is missing",
    ),
    "no account": (changed(CREATED, account=None), "the event's account should be twelve digits, and is missing"),
    "a Region that is no text": (
        changed(CREATED, region=1),
        "the event's region should be the name of a Region, and is 1",
    ),
}


@pytest.mark.parametrize(("event", "why"), BAD.values(), ids=BAD)
def test_an_event_that_cannot_be_understood_is_an_error_that_names_the_field(event: Event, why: str) -> None:
    with Aws({}) as aws, pytest.raises(BadEvent) as raised:
        handler(event, None)
    assert (str(raised.value), aws.calls) == (why, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALERT_TOPIC_ARN", ""),
        ("FINDINGS_TABLE", ""),
        ("CHAT_TOPIC_ARN", "chat"),
        ("SECURITY_HUB", "perhaps"),
        ("REMINDER_DAYS", "-1"),
        ("DIGEST_HOUR", "noon"),
        ("RULE_OVERRIDES", "AR101=off"),
        ("RULE_OVERRIDES", '{"AR199": "off"}'),  # no such rule
        ("MIN_CONNECTOR_ZONES", "none"),
        ("UNSUPPORTED_ZONE_IDS", "us-east-1a"),
        ("MIN_FREE_ADDRESSES", "-1"),
        ("REQUIRED_ENDPOINT_SERVICES", "Secrets Manager"),
        ("REQUIRE_INTERNET_EGRESS", "perhaps"),
    ],
)
def test_a_setting_that_cannot_be_used_is_an_error_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with Aws({}) as aws, pytest.raises(BadSettings, match=f"^environment variable {name}[: ]"):
        handler(CREATED, None)
    assert aws.calls == []


def test_settings_are_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIN_FREE_ADDRESSES", "201")
    with Aws(healthy()):
        result: Any = handler(CREATED, None)
    failed = [transition["rule"] for transition in result["opened"]]
    assert failed == ["AR105"]


def test_the_result_is_json_as_the_contract_has_it() -> None:
    with Aws(public()) as aws:
        result = handler(CREATED, None)
    read = json.loads(json.dumps(result))
    assert read == result
    answers = read["resources"].pop(CONNECTOR)
    assert {rule for rule, answer in answers.items() if answer == "fail"} == {"AR102"}
    assert {answer for rule, answer in answers.items() if rule != "AR102"} == {"pass"}
    assert read == {
        "resources": {},
        "opened": [
            {
                "resource": CONNECTOR,
                "rule": "AR102",
                "severity": "HIGH",
                "messages": [
                    "subnet-private-a (use1-az1) is public: its route table rtb-private-a sends 0.0.0.0/0 to igw-1",
                    "subnet-private-b (use1-az2) is public: its route table rtb-private-b sends 0.0.0.0/0 to igw-1",
                    "subnet-private-c (use1-az4) is public: its route table rtb-private-c sends 0.0.0.0/0 to igw-1",
                ],
            }
        ],
        "changed": [],
        "resolved": [],
        "alerts": 1,
    }
    assert [published["TopicArn"] for published in aws.published] == [TOPIC]


def test_a_healthy_connector_opens_nothing() -> None:
    with Aws(healthy()):
        result: Any = handler(service_call("CreateService"), None)
    answers = result.pop("resources")[CONNECTOR]
    assert (set(answers.values()), result) == (
        {"pass"},
        {"opened": [], "changed": [], "resolved": [], "alerts": 0},
    )


def test_an_alert_that_cannot_be_published_is_an_error() -> None:
    with Aws(public(), {"sns:Publish": FAULTS["denied"]}), pytest.raises(NotPublished):
        handler(CREATED, None)


def test_logs_say_what_was_done_for_which_event_and_not_what_was_in_it(logged: io.StringIO) -> None:
    secret = "x9-secret-x9"
    event = detail(CREATED, requestParameters={**CREATED["detail"]["requestParameters"], "tags": [{"key": secret}]})
    with Aws(busy()):
        result: Any = handler(event, None)
    (line,) = lines(logged)
    statuses = list(result["resources"][CONNECTOR].values())
    assert (line["message"], line["correlation_id"]) == ("evaluated", CREATED["detail"]["eventID"])
    assert (line["resources"], line["evaluations"], line["alerts"]) == ([CONNECTOR], 1, 1)
    assert line["answers"] == {status.value: statuses.count(status.value) for status in Status}
    assert line["transitions"] == {"opened": statuses.count("fail")}
    for content in (secret, "alice", "192.0.2.7", "aws-cli", "subnet-private-a"):
        assert content not in logged.getvalue()


def test_logs_name_no_more_resources_than_fit_a_line(logged: io.StringIO) -> None:
    several = [one for _, one in zip(range(observe.RESOURCES_LOGGED + 1), arns(), strict=False)]
    rows = {**healthy(), "VpcConnectors": [connector(arn) for arn in several]}
    with Aws(rows):
        handler(replaced_route(), None)
    (line,) = lines(logged)
    assert (line["resources"], line["evaluations"]) == (several[:-1], len(several))


def arns() -> Iterator[str]:
    """ARNs of connectors, in the order that they are judged in."""
    for number in itertools.count(1):
        yield CONNECTOR.replace("/shop-web/1/1111", f"/shop-web/1/{number:04}")


def test_an_event_is_not_logged_under_the_id_of_the_one_before(logged: io.StringIO) -> None:
    with Aws(healthy()):
        handler(CREATED, None)
    with Aws(public(), {"sns:Publish": FAULTS["denied"]}), pytest.raises(NotPublished):
        handler(CREATED, None)
    handler({}, None)
    assert [(line["message"], "correlation_id" in line) for line in lines(logged)] == [
        ("evaluated", True),
        ("failed", True),
        ("ignored", False),
    ]


def test_metrics_count_what_was_found(capsys: pytest.CaptureFixture[str], logged: io.StringIO) -> None:
    with Aws(busy(), {"ec2:DescribeNatGateways": FAULTS["denied"]}):
        result: Any = handler(CREATED, None)
    statuses = list(result["resources"][CONNECTOR].values())
    opened = [one["severity"] for one in result["opened"]]
    assert counted(capsys) == {
        "Events": 1,
        "Evaluations": 1,
        "Alerts": 1,
        "NotJudged": statuses.count("unknown"),
        "ReadsFailed": 1,
        **{f"Findings{one.title()}": opened.count(one) for one in set(opened)},
    }
    assert statuses.count("fail") == len(opened) > 0 < statuses.count("unknown")


def test_metrics_of_a_second_event_are_its_own(capsys: pytest.CaptureFixture[str], logged: io.StringIO) -> None:
    with Aws(public()):
        handler(CREATED, None)
    capsys.readouterr()
    with Aws(healthy()):
        handler(CREATED, None)
    assert counted(capsys) == {"Events": 1, "Evaluations": 1}  # what is zero is not sent


class AppRunner(BaseHTTPRequestHandler):
    """Knows one service, which was deleted, and an empty findings table."""

    answer: Mapping[str, object] = {"Service": {"ServiceArn": SERVICE, "ServiceName": "shop", "Status": "DELETED"}}
    status = 200

    def do_POST(self) -> None:
        of_table = self.headers["X-Amz-Target"].startswith("DynamoDB")
        body = json.dumps({"Items": []} if of_table else self.answer).encode()
        self.send_response(200 if of_table else self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Tests are silent."""


class EmptyAppRunner(AppRunner):
    """Knows no service, and an empty findings table."""

    answer: Mapping[str, object] = {"__type": "ResourceNotFoundException", "Message": "none"}
    status = 400


@contextmanager
def serving(answers: type[AppRunner]) -> Iterator[str]:
    """An endpoint on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_each_event_goes_to_the_endpoint_that_the_environment_has_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process may serve several worlds, one after the other."""
    answers = []
    with serving(AppRunner) as one, serving(EmptyAppRunner) as other:
        for endpoint in (one, other, one):
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
            answers.append(handler(finished_update(), None)["ignored"])
    gone, deleted = f"the service {SERVICE} no longer exists", f"the service {SERVICE} was deleted"
    assert answers == [deleted, gone, deleted]


def test_a_service_without_a_connector_is_judged_alone() -> None:
    with Aws({**healthy(), "Services": [service("")]}):
        result: Any = handler(finished_update(), None)
    assert {resource: set(answers.values()) for resource, answers in result["resources"].items()} == {SERVICE: {"pass"}}


def message(number: int, body: object) -> Event:
    """A message as SQS hands it to Lambda."""
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "x",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": "x",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:drift",
        "awsRegion": REGION,
    }


def batch(*bodies: object) -> Event:
    return {"Records": [message(number, body) for number, body in enumerate(bodies)]}


def test_a_batch_is_one_evaluation_of_each_connector_that_it_concerns() -> None:
    with Aws(public()) as aws:
        result: Any = handler(batch(*(replaced_route(number=number) for number in range(10))), None)
    assert [(one["resource"], one["rule"]) for one in result["opened"]] == [(CONNECTOR, "AR102")]
    assert (list(result["resources"]), result["alerts"], result["batchItemFailures"]) == ([CONNECTOR], 1, [])
    assert (len(aws.sent("apprunner:ListVpcConnectors")), len(aws.published)) == (1, 1)
    assert "ReplaceRoute" in aws.published[0]["Message"]


def test_only_messages_that_cannot_be_understood_go_back_to_the_queue(logged: io.StringIO) -> None:
    bad = changed(replaced_route(number=2), account="none")
    mixed = batch("{", replaced_route(), bad, CREATED, {"source": "aws.s3"}, "null", "[" * 9)
    with Aws(public()):
        result: Any = handler(mixed, None)
    failed = ["message-0", "message-2", "message-6"]
    assert result["batchItemFailures"] == [{"itemIdentifier": one} for one in failed]
    assert [one["rule"] for one in result["opened"]] == ["AR102"]
    errors = [(line["message_id"], line["why"]) for line in lines(logged) if line["level"] == "ERROR"]
    assert [message_id for message_id, _ in errors] == failed
    assert errors[1][1] == "the event's account should be twelve digits, and is 'none'"


def test_a_batch_with_nothing_to_check_is_ignored_and_what_is_bad_in_it_goes_back() -> None:
    with Aws({}) as aws:
        assert handler(batch("{}", "x"), None) == {
            "ignored": "the batch holds nothing to check",
            "batchItemFailures": [{"itemIdentifier": "message-1"}],
        }
        assert handler({"Records": []}, None) == {
            "ignored": "the batch holds nothing to check",
            "batchItemFailures": [],
        }
    assert aws.calls == []


def test_a_batch_that_concerns_no_connector_is_done_with() -> None:
    with Aws(healthy()):
        assert handler(batch(replaced_route("rtb-of-another-vpc")), None) == {
            "ignored": "no VPC connector depends on what ReplaceRoute changed",
            "batchItemFailures": [],
        }


@pytest.mark.parametrize("records", [[None], [{"messageId": "1"}], [{"messageId": "1", "body": {}}]], ids=repr)
def test_what_is_no_batch_of_sqs_is_an_error(records: list[object]) -> None:
    with Aws({}) as aws, pytest.raises(BadEvent, match=r"^a record of the batch should be a message of SQS"):
        handler({"Records": records}, None)
    assert aws.calls == []


def test_a_batch_that_could_not_be_worked_on_goes_back_as_a_whole() -> None:
    """Lambda hands the queue all of it where the function fails."""
    with Aws(public(), {"sns:Publish": FAULTS["denied"]}), pytest.raises(NotPublished):
        handler(batch("{", replaced_route()), None)


def test_a_call_that_failed_is_explained_and_judges_nothing() -> None:
    with Aws(healthy()) as aws:
        result = handler(refused_deletion(), None)
    assert result == {"resources": {}, "opened": [], "changed": [], "resolved": [], "alerts": 1}
    (published,) = aws.published
    assert published["Subject"].startswith("[MEDIUM] DeleteVpcConnector: ")


def test_the_same_event_again_is_no_news() -> None:
    rows = public()
    with Aws(rows):
        first: Any = handler(CREATED, None)
    with Aws(rows) as aws:
        second: Any = handler(CREATED, None)
    assert second == {**first, "opened": [], "alerts": 0}
    assert aws.published == []


# Nothing that the guardrails do sets them off again.


def test_no_call_that_any_function_makes_is_one_that_is_watched_but_for_tags() -> None:
    tables = (events.CALLS, paths.CALLS, paths.TAGGING)
    watched = {(source, name) for table in tables for source, name in table}
    watched |= {("apprunner.amazonaws.com", name) for name in events.TAGGING}
    watched |= {(drift.SOURCE, name) for name in drift.CALLS}
    asked = {one for handler in HANDLERS for one in actions_asked_for(handler)}
    assert "elasticloadbalancing:RegisterTargets" in asked
    own = {f"{source.partition('.')[0]}:{name}" for source, name in watched} & asked
    # Anybody's tags may matter, but not those of the function that tags: the rules leave its role out, which
    # tests/template/test_loops.py holds.
    assert own == {"apprunner:TagResource", "ec2:CreateTags", "elasticloadbalancing:AddTags"}


def test_what_is_put_on_the_bus_asks_for_nothing() -> None:
    with Aws(public()) as aws:
        handler(CREATED, None)
    (asked,) = aws.sent("events:PutEvents")
    for entry in asked["Entries"]:
        event = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
        with Aws({}) as idle:
            assert set(handler(event, None)) == {"ignored"}
        assert idle.calls == []


# Calls of other services, in the order in which they are understood.


def test_a_change_of_a_private_path_is_judged_alone_or_in_a_batch() -> None:
    event = watched("elbv2", "ModifyListener")
    with Aws(private_path()):
        alone: Any = handler(event, None)
    with Aws(private_path()):
        together: Any = handler(batch(event, event), None)
    assert set(alone["resources"]) == {SERVICE, INGRESS, ENDPOINT_ARN, ORDERS, BALANCER, REST_ARN}
    assert together == {**alone, "batchItemFailures": []}


UNDERSTOOD: Mapping[str, tuple[Event, type]] = {
    "a change of a network": (replaced_route(), Change),
    "a change of an endpoint": (watched("ec2", "ModifyVpcEndpoint"), PathChange),
    "an endpoint that was refused": (
        detail(watched("ec2", "CreateVpcEndpoint"), errorCode="Client.InvalidParameter", responseElements=None),
        FailedCall,
    ),
    "a new connector": (CREATED, Trigger),
    "a new ingress connection": (watched("apprunner", "CreateVpcIngressConnection"), PathChange),
    "an ingress connection that was refused": (
        detail(watched("apprunner", "CreateVpcIngressConnection"), errorCode="InvalidRequestException"),
        FailedCall,
    ),
    "tags of a connector": (tagged(CONNECTOR), Trigger),
    "tags of an ingress connection": (tagging("apprunner", INGRESS), PathChange),
    "tags of an endpoint": (tagging("ec2", ENDPOINT), PathChange),
    "tags of a load balancer": (tagging("elbv2", BALANCER), PathChange),
    "tags of an API": (tagging("apigateway", REST_ARN), PathChange),
}


@pytest.mark.parametrize(("event", "kind"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_each_event_is_understood_by_whose_business_it_is(event: Event, kind: type) -> None:
    assert isinstance(asked_of(event), kind)


REFUSALS: Mapping[str, tuple[Event, str]] = {
    "an API call of no concern": (
        detail(watched("apigateway", "CreateDeployment"), eventName="CreateApiKey"),
        "the call 'CreateApiKey' of 'apigateway.amazonaws.com' is not watched",
    ),
    "an API call that names nothing": (
        detail(watched("apigateway", "CreateDeployment"), requestParameters=None, responseElements=None),
        (
            "the record of CreateDeployment names nothing to check: looked at requestParameters.restApiId,"
            " requestParameters.apiId, responseElements.restApiId, responseElements.apiId"
        ),
    ),
    "tags of others on a load balancer": (
        tagging("elbv2", BALANCER, "team"),
        "the call AddTags names no tag that begins with apprunner-guardrails:",
    ),
    "a failed call of Elastic Load Balancing's": (
        detail(watched("elbv2", "ModifyListener"), errorCode="AccessDenied"),
        "the call ModifyListener failed with 'AccessDenied': nothing was changed",
    ),
}


@pytest.mark.parametrize(("event", "why"), REFUSALS.values(), ids=REFUSALS)
def test_a_call_of_another_service_that_asks_for_nothing_says_why(event: Event, why: str) -> None:
    with Aws({}) as aws:
        assert handler(event, None) == {"ignored": why}
    assert aws.calls == []
