import json
from collections.abc import Mapping
from typing import Any

import pytest

from apprunner_guardrails.callers import Caller, Who
from apprunner_guardrails.events import (
    CALLS,
    EXPLAINED,
    FAILED,
    FINISHED,
    BadEvent,
    FailedCall,
    Ignored,
    Odd,
    Trigger,
    concerns_rules,
    parse,
    unpacked,
)
from apprunner_guardrails.facts import Egress
from apprunner_guardrails.records import event_id

type Json = Mapping[str, Any]

ACCOUNT = "111122223333"
REGION = "eu-west-1"
CONNECTOR = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/orders/1/{'a' * 32}"
SERVICE = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/orders/{'b' * 32}"
SERVICE_ON_CONNECTOR: Json = {
    "service": {
        "serviceArn": SERVICE,
        "networkConfiguration": {"egressConfiguration": {"egressType": "VPC", "vpcConnectorArn": CONNECTOR}},
    },
    "operationId": "op-1",
}
SERVICE_ON_INTERNET: Json = {
    "service": {
        "serviceArn": SERVICE,
        "networkConfiguration": {"egressConfiguration": {"egressType": "DEFAULT"}},
    }
}
ALICE: Json = {"type": "IAMUser", "userName": "alice", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice"}

# What each watched call sends and is answered.
RECORDS: Mapping[str, tuple[Json, Json]] = {
    "CreateVpcConnector": (
        {"vpcConnectorName": "orders", "subnets": ["subnet-2", "subnet-1"], "securityGroups": ["sg-1"]},
        {"vpcConnector": {"vpcConnectorArn": CONNECTOR, "status": "ACTIVE"}},
    ),
    "DeleteVpcConnector": (
        {"vpcConnectorArn": CONNECTOR},
        {"vpcConnector": {"vpcConnectorArn": CONNECTOR, "status": "INACTIVE"}},
    ),
    "CreateService": ({"serviceName": "orders"}, SERVICE_ON_CONNECTOR),
    "UpdateService": ({"serviceArn": SERVICE}, SERVICE_ON_CONNECTOR),
    "ResumeService": ({"serviceArn": SERVICE}, SERVICE_ON_CONNECTOR),
}


def api_call(name: str, /, **detail: object) -> dict[str, Any]:
    """The event of a call by alice; what is given replaces or adds fields of its CloudTrail record."""
    request, response = RECORDS.get(name, ({}, {}))
    record = {
        "eventVersion": "1.11",
        "userIdentity": ALICE,
        "eventTime": "2026-11-02T09:00:00Z",
        "eventSource": "apprunner.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.31.0 md/awscrt#0.28.2",
        "requestParameters": request,
        "responseElements": response,
        "eventID": "event-1",
    }
    return {
        "version": "0",
        "id": "envelope-1",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.apprunner",
        "account": ACCOUNT,
        "time": "2026-11-02T09:00:09Z",
        "region": REGION,
        "resources": [],
        "detail": {**record, **detail},
    }


def operation(status: object, **envelope: object) -> dict[str, Any]:
    """App Runner's own event at the end of an operation."""
    event = {
        "version": "0",
        "id": "envelope-2",
        "detail-type": "AppRunner Service Operation Status Change",
        "source": "aws.apprunner",
        "account": ACCOUNT,
        "time": "2026-11-02T09:05:00Z",
        "region": REGION,
        "resources": [SERVICE],
        "detail": {"operationStatus": status, "serviceName": "orders", "message": "", "severity": "INFO"},
    }
    return {**event, **envelope}


def trigger(what: str, **fields: Any) -> Trigger:
    """The trigger of `api_call(what)`, for a call about the service."""
    expected: dict[str, Any] = {
        "id": "event-1",
        "what": what,
        "resource": SERVICE,
        "account": ACCOUNT,
        "region": REGION,
        "time": "2026-11-02T09:00:00Z",
        "caller": Caller(name="alice", tool="AWS CLI", address="192.0.2.7"),
        "by": Who(kind="IAMUser", name="alice"),
        "connector": CONNECTOR,
    }
    return Trigger(**{**expected, **fields})


def test_every_watched_call_has_a_record_here() -> None:
    assert {name for _, name in CALLS} == set(RECORDS)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(
            api_call("CreateVpcConnector"),
            trigger("CreateVpcConnector", resource=CONNECTOR, subnets=("subnet-2", "subnet-1"), groups=("sg-1",)),
            id="CreateVpcConnector",
        ),
        pytest.param(
            api_call("CreateVpcConnector", requestParameters={"vpcConnectorName": "orders", "subnets": ["subnet-1"]}),
            trigger("CreateVpcConnector", resource=CONNECTOR, subnets=("subnet-1",)),
            id="CreateVpcConnector without security groups",
        ),
        pytest.param(
            api_call(
                "CreateVpcConnector",
                requestParameters={"vpcConnectorName": "orders", "subnets": ["subnet-1"]},
                responseElements={
                    "vpcConnector": {
                        "vpcConnectorArn": CONNECTOR,
                        "subnets": ["subnet-1"],
                        "securityGroups": ["sg-default"],
                    }
                },
            ),
            trigger("CreateVpcConnector", resource=CONNECTOR, subnets=("subnet-1",), groups=("sg-default",)),
            id="the default group that App Runner chose is a hint",
        ),
        pytest.param(
            api_call("DeleteVpcConnector"),
            trigger("DeleteVpcConnector", resource=CONNECTOR),
            id="DeleteVpcConnector",
        ),
        pytest.param(
            api_call("DeleteVpcConnector", responseElements=None),
            trigger("DeleteVpcConnector", resource=CONNECTOR),
            id="a deletion whose response was omitted",
        ),
        pytest.param(api_call("CreateService"), trigger("CreateService"), id="CreateService"),
        pytest.param(api_call("UpdateService"), trigger("UpdateService"), id="UpdateService"),
        pytest.param(api_call("ResumeService"), trigger("ResumeService"), id="ResumeService"),
        pytest.param(
            api_call("UpdateService", responseElements=SERVICE_ON_INTERNET),
            trigger("UpdateService", connector=""),
            id="a service that leaves its connector",
        ),
        pytest.param(
            api_call("UpdateService", responseElements={"service": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
            trigger("UpdateService", connector=""),
            id="a hint that is hidden is no hint",
        ),
        pytest.param(
            api_call("UpdateService", responseElements=None),
            trigger("UpdateService", connector=""),
            id="a response omitted where the request names the service",
        ),
        pytest.param(
            api_call("CreateVpcConnector", requestParameters={"subnets": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
            trigger("CreateVpcConnector", resource=CONNECTOR),
            id="subnets that are hidden are no hint",
        ),
        pytest.param(
            api_call("CreateVpcConnector", requestParameters={"subnets": ["subnet-1", None, 7]}),
            trigger("CreateVpcConnector", resource=CONNECTOR, subnets=("subnet-1",)),
            id="subnets that are no texts are no hints",
        ),
        pytest.param(
            api_call("UpdateService", eventID=None, eventTime=None, sourceIPAddress=None),
            trigger(
                "UpdateService",
                id="envelope-1",
                time="2026-11-02T09:00:09Z",
                caller=Caller(name="alice", tool="AWS CLI", address=""),
            ),
            id="what the record leaves out the envelope says",
        ),
        pytest.param(
            api_call("UpdateService", errorCode=None, errorMessage=None), trigger("UpdateService"), id="no error"
        ),
    ],
)
def test_a_watched_call_names_its_resource_and_what_can_be_read_early(event: dict[str, Any], expected: Trigger) -> None:
    assert parse(event) == expected


@pytest.mark.parametrize("status", FINISHED)
def test_a_finished_operation_names_its_service(status: str) -> None:
    assert parse(operation(status)) == Trigger(
        id="envelope-2",
        what=status,
        resource=SERVICE,
        account=ACCOUNT,
        region=REGION,
        time="2026-11-02T09:05:00Z",
        caller=Caller(name="App Runner", tool="App Runner"),
        by=Who(kind=""),
    )


def tagging(name: str, resource: object, *keys: str) -> dict[str, Any]:
    """The event of a TagResource or UntagResource call."""
    tags: Json = (
        {"tags": [{"key": key, "value": "x"} for key in keys]} if name == "TagResource" else {"tagKeys": list(keys)}
    )
    return api_call(name, requestParameters={"resourceArn": resource, **tags})


@pytest.mark.parametrize("name", ["TagResource", "UntagResource"])
@pytest.mark.parametrize(
    "keys",
    [
        ("apprunner-guardrails:exempt:AR101",),
        ("Name", "AppRunner-Guardrails:Exempt:AR101"),
        ("apprunner-guardrails:exempt:",),
    ],
    ids=["an exemption", "one of two keys, in other letters", "one of no rule"],
)
def test_a_call_that_changes_tags_names_what_may_be_judged_anew_and_the_keys(name: str, keys: tuple[str, ...]) -> None:
    said = tuple(sorted(keys))
    assert parse(tagging(name, CONNECTOR, *keys)) == trigger(name, resource=CONNECTOR, tag_keys=said)
    assert parse(tagging(name, SERVICE, *keys)) == trigger(name, resource=SERVICE, connector="", tag_keys=said)


@pytest.mark.parametrize(
    "tags",
    [
        {"tags": "HIDDEN_DUE_TO_SECURITY_REASONS", "tagKeys": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        {"tags": {"apprunner-guardrails:exempt:AR101": "x"}},
        {"tags": [{"key": ""}, {"key": None}, {}, 7], "tagKeys": ["", None, 7]},
        {},
    ],
    ids=["hidden", "in another form", "that are none", "left out"],
)
def test_of_tags_that_cannot_be_read_no_keys_are_known(tags: Json) -> None:
    for name in ("TagResource", "UntagResource"):
        event = api_call(name, requestParameters={"resourceArn": CONNECTOR, **tags})
        assert parse(event) == trigger(name, resource=CONNECTOR)


@pytest.mark.parametrize(
    ("keys", "required", "expected"),
    [
        pytest.param(("Name",), (), False, id="a tag that no rule looks at"),
        pytest.param((), (), False, id="none that is known"),
        pytest.param(("Name", "AppRunner-Guardrails:Exempt:AR101"), (), True, id="an exemption among others"),
        pytest.param(("apprunner-guardrails:reaches",), (), True, id="another of ours"),
        pytest.param(("Name", "team"), ("cost", "team"), True, id="one that has to be there"),
        pytest.param(("Team",), ("team",), False, id="one in other letters than has to be there"),
        pytest.param(("Name",), ("*",), True, id="any, where one has to be there"),
        pytest.param((), ("*",), True, id="none that is known, where one has to be there"),
    ],
)
def test_of_tags_only_ours_and_those_that_have_to_be_there_matter(
    keys: tuple[str, ...], required: tuple[str, ...], expected: bool
) -> None:
    for name in ("TagResource", "UntagResource"):
        assert concerns_rules(trigger(name, tag_keys=keys), required) is expected


def test_whatever_else_happens_concerns_rules() -> None:
    assert concerns_rules(trigger("UpdateService"), ())


THROUGH = {"egressType": "VPC", "vpcConnectorArn": CONNECTOR}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(THROUGH, Egress(kind="VPC", connector_arn=CONNECTOR), id="a connector"),
        pytest.param({"egressType": "DEFAULT"}, Egress(kind="DEFAULT"), id="public egress"),
        pytest.param(
            {**THROUGH, "egressType": "DEFAULT"},
            Egress(kind="DEFAULT"),
            id="public egress, with a connector that it has no use for",
        ),
        pytest.param(None, None, id="nothing of it"),
        pytest.param({}, None, id="an empty part"),
        pytest.param({"egressType": "VPC"}, None, id="no connector is named"),
        pytest.param({"vpcConnectorArn": CONNECTOR}, None, id="no type is named"),
        pytest.param({**THROUGH, "vpcConnectorArn": "HIDDEN_DUE_TO_SECURITY_REASONS"}, None, id="a hidden connector"),
        pytest.param({**THROUGH, "vpcConnectorArn": {"x": 1}}, None, id="a connector that is no text"),
        pytest.param({**THROUGH, "egressType": "HIDDEN_DUE_TO_SECURITY_REASONS"}, None, id="a hidden type"),
        pytest.param("HIDDEN_DUE_TO_SECURITY_REASONS", None, id="all of it hidden"),
    ],
)
def test_an_update_says_what_egress_it_asks_for_if_it_does(asked: object, expected: Egress | None) -> None:
    part = {} if asked is None else {"networkConfiguration": {"egressConfiguration": asked}}
    event = api_call("UpdateService", requestParameters={"serviceArn": SERVICE, **part})
    assert parse(event) == trigger("UpdateService", egress=expected)


@pytest.mark.parametrize("name", ["CreateService", "ResumeService"])
def test_no_other_call_asks_for_egress_that_could_be_missing(name: str) -> None:
    request, _ = RECORDS[name]
    part = {"networkConfiguration": {"egressConfiguration": THROUGH}}
    assert parse(api_call(name, requestParameters={**request, **part})) == trigger(name)


def failed(what: str, resource: str, request: Json, **fields: Any) -> FailedCall:
    """What `api_call(what, errorCode="InvalidRequestException", errorMessage="no")` asks to explain."""
    expected: dict[str, Any] = {
        "id": "event-1",
        "what": what,
        "source": "apprunner.amazonaws.com",
        "code": "InvalidRequestException",
        "message": "no",
        "resource": resource,
        "request": request,
        "account": ACCOUNT,
        "region": REGION,
        "time": "2026-11-02T09:00:00Z",
        "caller": Caller(name="alice", tool="AWS CLI", address="192.0.2.7"),
    }
    return FailedCall(**{**expected, **fields})


INGRESS = SERVICE.replace(":service/", ":vpcingressconnection/")
ENDPOINT: Json = {
    "CreateVpcEndpointRequest": {"VpcId": "vpc-1", "ServiceName": f"com.amazonaws.{REGION}.apprunner.requests"}
}
# What each call that is explained sends, and what it is about.
REQUESTS: Mapping[str, tuple[Json, str]] = {
    "CreateVpcConnector": ({"vpcConnectorName": "orders", "subnets": ["subnet-1"]}, "orders"),
    "DeleteVpcConnector": ({"vpcConnectorArn": CONNECTOR}, CONNECTOR),
    "CreateService": ({"serviceName": "orders"}, "orders"),
    "UpdateService": ({"serviceArn": SERVICE}, SERVICE),
    "DeleteService": ({"serviceArn": SERVICE}, SERVICE),
    "CreateVpcIngressConnection": ({"serviceArn": SERVICE, "vpcIngressConnectionName": "orders"}, SERVICE),
    "DeleteVpcIngressConnection": ({"vpcIngressConnectionArn": INGRESS}, INGRESS),
    "CreateVpcEndpoint": (ENDPOINT, "vpc-1"),
}


def refused(name: str, request: object, **detail: object) -> dict[str, Any]:
    event = api_call(
        name,
        **{
            "errorCode": "InvalidRequestException",
            "errorMessage": "no",
            "requestParameters": request,
            "responseElements": None,
            "eventSource": "ec2.amazonaws.com" if name == "CreateVpcEndpoint" else "apprunner.amazonaws.com",
            **detail,
        },
    )
    return {**event, "source": "aws.ec2"} if name == "CreateVpcEndpoint" else event


def test_every_call_that_is_explained_has_a_request_here() -> None:
    assert {name for _, name in EXPLAINED} == set(REQUESTS)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_call_that_failed_is_to_be_explained(name: str) -> None:
    request, resource = REQUESTS[name]
    source = "ec2.amazonaws.com" if name == "CreateVpcEndpoint" else "apprunner.amazonaws.com"
    assert parse(refused(name, request)) == failed(name, resource, request, source=source)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(
            refused("CreateService", None, errorCode="AccessDenied", errorMessage=None),
            failed("CreateService", "", {}, code="AccessDenied", message=""),
            id="a denied call, of which nothing is told",
        ),
        pytest.param(
            refused("UpdateService", {"omitted": True, "originalSize": 150000}),
            failed("UpdateService", "", {}),
            id="a request that was omitted",
        ),
        pytest.param(
            refused("UpdateService", "HIDDEN_DUE_TO_SECURITY_REASONS"),
            failed("UpdateService", "", {}),
            id="a request that is hidden",
        ),
        pytest.param(
            refused("DeleteVpcConnector", {"vpcConnectorArn": 7}, errorCode=7, errorMessage=["x"]),
            failed("DeleteVpcConnector", "", {"vpcConnectorArn": 7}, code="", message=""),
            id="values that are no texts",
        ),
    ],
)
def test_a_call_that_failed_is_told_as_far_as_its_record_goes(event: object, expected: FailedCall) -> None:
    assert parse(event) == expected


@pytest.mark.parametrize("status", FAILED)
def test_an_operation_that_failed_is_to_be_explained(status: str) -> None:
    event = operation(status)
    event["detail"]["message"] = "Failed to deploy"
    assert parse(event) == FailedCall(
        id="envelope-2",
        what=status,
        source="aws.apprunner",
        code="",
        message="Failed to deploy",
        resource=SERVICE,
        request={},
        account=ACCOUNT,
        region=REGION,
        time="2026-11-02T09:05:00Z",
        caller=Caller(name="App Runner", tool="App Runner"),
    )


OMITTED = "of the UpdateService record was omitted or redacted: it names nothing to check"
NEITHER = "is neither a finished update or deletion nor a failure"


@pytest.mark.parametrize(
    ("event", "why"),
    [
        pytest.param(None, "not an EventBridge event: it is a NoneType, not an object", id="nothing"),
        pytest.param([], "not an EventBridge event: it is a list, not an object", id="a list"),
        pytest.param("x", "not an EventBridge event: it is a str, not an object", id="a text"),
        pytest.param({}, "the source missing is not watched", id="an empty object"),
        pytest.param(
            {**api_call("CreateService"), "source": "aws.ecs"},
            "the source 'aws.ecs' is not watched",
            id="another source",
        ),
        pytest.param(
            {**api_call("CreateService"), "source": ["aws.apprunner"]},
            "the source ['aws.apprunner'] is not watched",
            id="a source that is no text",
        ),
        pytest.param({**api_call("CreateService"), "detail": None}, "the event has no detail", id="no detail"),
        pytest.param({**api_call("CreateService"), "detail": {}}, "the event has no detail", id="an empty detail"),
        pytest.param({**api_call("CreateService"), "detail": "{}"}, "the event has no detail", id="a text as detail"),
        pytest.param(
            {**api_call("CreateService"), "detail-type": "AppRunner Service Status Change"},
            "the detail-type 'AppRunner Service Status Change' is not watched",
            id="another detail-type",
        ),
        pytest.param(
            api_call("DeleteService"),
            "the call 'DeleteService' of 'apprunner.amazonaws.com' is not watched",
            id="another call",
        ),
        pytest.param(
            api_call("CreateService", eventSource="ecs.amazonaws.com"),
            "the call 'CreateService' of 'ecs.amazonaws.com' is not watched",
            id="another service's call of the same name",
        ),
        pytest.param(
            api_call("CreateService", eventName=["CreateService"]),
            "the call missing of 'apprunner.amazonaws.com' is not watched",
            id="a name that is no text",
        ),
        pytest.param(
            api_call("ResumeService", errorCode="InvalidRequestException", responseElements=None),
            "the call 'ResumeService' failed with 'InvalidRequestException': nothing was changed",
            id="a failed call that is not explained",
        ),
        pytest.param(
            api_call("CreateService", errorCode="AccessDenied", eventSource="ecs.amazonaws.com"),
            "the call 'CreateService' failed with 'AccessDenied': nothing was changed",
            id="another service's failed call of the same name",
        ),
        pytest.param(
            refused("CreateVpcEndpoint", {"CreateVpcEndpointRequest": {"ServiceName": "com.amazonaws.x.s3"}}),
            "the call CreateVpcEndpoint failed with 'InvalidRequestException': it was not for an endpoint of"
            " App Runner",
            id="an endpoint of another service",
        ),
        pytest.param(
            refused("CreateVpcEndpoint", None, errorCode="Client.UnauthorizedOperation"),
            "the call CreateVpcEndpoint failed with 'Client.UnauthorizedOperation': it was not for an endpoint of App"
            " Runner",
            id="an endpoint of nobody knows what",
        ),
        pytest.param(
            api_call("UntagResource", requestParameters=None),
            "the call UntagResource is about '', neither a VPC connector nor a service",
            id="tags of an omitted request",
        ),
        pytest.param(
            tagging("TagResource", INGRESS, "apprunner-guardrails:exempt:AR101"),
            f"the call TagResource is about '{INGRESS}', neither a VPC connector nor a service",
            id="an exemption of something else",
        ),
        pytest.param(
            refused("CreateVpcEndpoint", REQUESTS["CreateVpcEndpoint"][0], errorCode="Client.DryRunOperation"),
            "the call CreateVpcEndpoint was a dry run, which would have gone through",
            id="a dry run that would have gone through",
        ),
        pytest.param(
            api_call("UpdateService", requestParameters=None), f"requestParameters {OMITTED}", id="request omitted"
        ),
        pytest.param(
            api_call("UpdateService", requestParameters={"omitted": True, "originalSize": 150000}),
            f"requestParameters {OMITTED}",
            id="request omitted, in so many words",
        ),
        pytest.param(
            api_call("UpdateService", requestParameters="HIDDEN_DUE_TO_SECURITY_REASONS"),
            f"requestParameters {OMITTED}",
            id="request redacted",
        ),
        pytest.param(
            api_call("CreateService", responseElements=None),
            f"responseElements {OMITTED.replace('UpdateService', 'CreateService')}",
            id="response omitted that alone names the service",
        ),
        pytest.param(
            operation("UpdateServiceStarted"),
            f"the operation status 'UpdateServiceStarted' {NEITHER}",
            id="an update that begins",
        ),
        pytest.param(
            operation("CreateServiceCompletedSuccessfully"),
            f"the operation status 'CreateServiceCompletedSuccessfully' {NEITHER}",
            id="a creation that finished: its call is watched",
        ),
        pytest.param(
            operation(["UpdateServiceFailed"]),
            f"the operation status ['UpdateServiceFailed'] {NEITHER}",
            id="a status that is no text",
        ),
    ],
)
def test_what_asks_for_nothing_is_ignored_with_a_reason(event: object, why: str) -> None:
    assert parse(event) == Ignored(why=why)


CONNECTOR_EXPECTED = "should be the ARN of an App Runner vpcconnector, and is"
SERVICE_EXPECTED = "should be the ARN of an App Runner service, and is"


@pytest.mark.parametrize(
    ("event", "says"),
    [
        pytest.param(
            api_call("CreateVpcConnector", responseElements={"vpcConnector": {}}),
            f"detail.responseElements.vpcConnector.vpcConnectorArn of CreateVpcConnector {CONNECTOR_EXPECTED} missing",
            id="a connector without its ARN",
        ),
        pytest.param(
            api_call("CreateVpcConnector", responseElements={}),
            f"detail.responseElements.vpcConnector.vpcConnectorArn of CreateVpcConnector {CONNECTOR_EXPECTED} missing",
            id="an answer without a connector",
        ),
        pytest.param(
            api_call("CreateVpcConnector", responseElements={"vpcConnector": {"vpcConnectorArn": SERVICE}}),
            f"detail.responseElements.vpcConnector.vpcConnectorArn of CreateVpcConnector {CONNECTOR_EXPECTED}"
            f" '{SERVICE}'",
            id="a service in the place of a connector",
        ),
        pytest.param(
            api_call("CreateService", responseElements={"service": {"serviceArn": 7}}),
            f"detail.responseElements.service.serviceArn of CreateService {SERVICE_EXPECTED} 7",
            id="an ARN that is a number",
        ),
        pytest.param(
            api_call("UpdateService", requestParameters={"serviceArn": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
            f"detail.requestParameters.serviceArn of UpdateService {SERVICE_EXPECTED} 'HIDDEN_DUE_TO_SECURITY_REASONS'",
            id="an ARN that is hidden",
        ),
        pytest.param(
            api_call("ResumeService", requestParameters={"serviceArn": f"{SERVICE}\n"}),
            f"detail.requestParameters.serviceArn of ResumeService {SERVICE_EXPECTED} '{SERVICE}\\n'",
            id="an ARN with a line break",
        ),
        pytest.param(
            api_call("ResumeService", requestParameters={"serviceArn": SERVICE.replace("service", "connection")}),
            f"detail.requestParameters.serviceArn of ResumeService {SERVICE_EXPECTED}"
            f" '{SERVICE.replace('service', 'connection')}'",
            id="the ARN of something else",
        ),
        pytest.param(
            operation("UpdateServiceFailed", resources=[]),
            f"resources[0] of AppRunner Service Operation Status Change {SERVICE_EXPECTED} missing",
            id="an operation on nothing",
        ),
        pytest.param(
            operation("UpdateServiceFailed", resources=SERVICE),
            f"resources[0] of AppRunner Service Operation Status Change {SERVICE_EXPECTED} missing",
            id="resources that are no list",
        ),
        pytest.param(
            tagging("TagResource", f"{CONNECTOR}\n", "apprunner-guardrails:exempt:AR101"),
            "detail.requestParameters.resourceArn of TagResource should be the ARN of an App Runner vpcconnector or"
            f" service, and is '{CONNECTOR}\\n'",
            id="an exemption of an ARN with a line break",
        ),
        pytest.param(
            {**refused("DeleteService", {"serviceArn": SERVICE}), "account": 1},
            "the event's account should be twelve digits, and is 1",
            id="a failed call of no account",
        ),
        pytest.param(
            {**api_call("UpdateService"), "account": None},
            "the event's account should be twelve digits, and is missing",
            id="no account",
        ),
        pytest.param(
            operation("UpdateServiceFailed", region=""),
            "the event's region should be the name of a Region, and is ''",
            id="an empty Region",
        ),
    ],
)
def test_a_watched_event_that_cannot_be_read_is_an_error_that_names_the_field(event: object, says: str) -> None:
    with pytest.raises(BadEvent) as bad:
        parse(event)
    assert str(bad.value) == says


def test_a_long_value_is_cut_in_the_error() -> None:
    with pytest.raises(BadEvent) as bad:
        parse(api_call("UpdateService", requestParameters={"serviceArn": "x" * 5000}))
    assert str(bad.value).endswith(f"{SERVICE_EXPECTED} '{'x' * 199}")


# Batches of SQS -------------------------------------------------------------------------------------------------------


def _messages(*bodies: object) -> list[Json]:
    return [{"messageId": f"message-{number}", "body": body} for number, body in enumerate(bodies)]


def _doubled(value: object) -> int:
    if not isinstance(value, int):
        raise BadEvent(f"should be a number, and is {value!r}")
    return value * 2


def test_messages_are_understood_one_by_one_and_the_others_named_with_why() -> None:
    understood, odd = unpacked(_messages("1", "no JSON", '"one"', "2", ""), _doubled)
    assert understood == [2, 4]
    assert odd == {
        "message-1": Odd(why="Expecting value: line 1 column 1 (char 0)"),
        "message-2": Odd(why="should be a number, and is 'one'"),
        "message-4": Odd(why="Expecting value: line 1 column 1 (char 0)"),
    }


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"id": "own", "detail": {"eventID": "call"}}, "call"),
        ({"id": "own", "detail": {"eventID": 7}}, "own"),
        ({"id": "own", "detail": []}, "own"),
        ({"id": "x" * 500}, "x" * 100),
        ({"id": {"x": 1}}, ""),
        ([], ""),
    ],
    ids=["a call", "an odd id of a call", "no call", "long", "no text", "no object"],
)
def test_what_an_event_is_known_by_is_the_calls_id_else_its_own(event: object, named: str) -> None:
    assert event_id(event) == named
    assert unpacked(_messages(json.dumps(event)), _doubled)[1]["message-0"].id == named


def test_a_message_that_is_nested_without_end_is_not_understood() -> None:
    understood, odd = unpacked(_messages("1", "[" * 100_000), _doubled)
    assert (understood, list(odd)) == ([2], ["message-1"])


@pytest.mark.parametrize("records", [[], {}, None, "records"], ids=repr)
def test_no_messages_are_nothing_to_understand(records: object) -> None:
    assert unpacked(records, _doubled) == ([], {})


@pytest.mark.parametrize("record", [None, "message", {}, {"body": None}, {"body": {"x": 1}}], ids=repr)
def test_what_is_no_message_fails_the_batch(record: object) -> None:
    with pytest.raises(BadEvent, match=r"^a record of the batch should be a message of SQS with a body$"):
        unpacked([*_messages("1"), record], _doubled)


def test_what_breaks_on_a_message_is_not_taken_for_an_odd_one() -> None:
    def broken(_: object) -> int:
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        unpacked(_messages("1"), broken)
