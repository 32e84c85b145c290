"""Event → what was created: each watched call in the forms that its records have, and what is left alone, with why."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apprunner_guardrails.callers import Who
from apprunner_guardrails.events import BadEvent, Ignored
from apprunner_guardrails.tags.created import CALLS, Created, Kind, parse
from apprunner_guardrails.targets.binding import TAG
from tests.creations import MADE, creation

type Json = Mapping[str, Any]

ACCOUNT = "111122223333"
REGION = "eu-west-1"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
SERVICE_NAME = f"com.amazonaws.{REGION}.apprunner.requests"
CONNECTOR = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/orders/1/{'a' * 32}"
SERVICE = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/orders/{'b' * 32}"
INGRESS = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcingressconnection/orders/{'c' * 32}"
GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/orders/0123456789abcdef"
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/orders/0123456789abcdef"
SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parents[3] / "events").glob("*"))}

# What each watched call sends and is answered, as far as it matters, and what it has made.
RECORDS: Mapping[str, tuple[str, Json, Json, str, Kind]] = {
    "CreateVpcConnector": (
        "apprunner.amazonaws.com",
        {"vpcConnectorName": "orders", "subnets": ["subnet-1"]},
        {"vpcConnector": {"vpcConnectorArn": CONNECTOR, "status": "ACTIVE"}},
        CONNECTOR,
        Kind.APP_RUNNER,
    ),
    "CreateService": (
        "apprunner.amazonaws.com",
        {"serviceName": "orders"},
        {"service": {"serviceArn": SERVICE, "status": "OPERATION_IN_PROGRESS"}, "operationId": "operation-1"},
        SERVICE,
        Kind.APP_RUNNER,
    ),
    "CreateVpcIngressConnection": (
        "apprunner.amazonaws.com",
        {"serviceArn": SERVICE, "vpcIngressConnectionName": "orders"},
        {"vpcIngressConnection": {"vpcIngressConnectionArn": INGRESS, "serviceArn": SERVICE}},
        INGRESS,
        Kind.APP_RUNNER,
    ),
    "CreateVpcEndpoint": (
        "ec2.amazonaws.com",
        {"CreateVpcEndpointRequest": {"VpcId": "vpc-1", "ServiceName": SERVICE_NAME, "VpcEndpointType": "Interface"}},
        {"CreateVpcEndpointResponse": {"xmlns": "…", "vpcEndpoint": {"vpcEndpointId": ENDPOINT, "ownerId": 1}}},
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{ENDPOINT}",
        Kind.ENDPOINT,
    ),
    "CreateTargetGroup": (
        "elasticloadbalancing.amazonaws.com",
        {"name": "orders", "protocol": "TCP", "port": 443, "targetType": "ip"},
        {"targetGroups": [{"targetGroupArn": GROUP, "targetType": "ip"}]},
        GROUP,
        Kind.TARGET_GROUP,
    ),
    "CreateLoadBalancer": (
        "elasticloadbalancing.amazonaws.com",
        {"name": "orders", "type": "network", "subnets": ["subnet-1"]},
        {"loadBalancers": [{"loadBalancerArn": BALANCER, "type": "network"}]},
        BALANCER,
        Kind.LOAD_BALANCER,
    ),
}


def event(name: str, /, **detail: object) -> dict[str, Any]:
    """The event of a call by alice; what is given replaces or adds fields of its CloudTrail record."""
    source, request, response, _, _ = RECORDS[name]
    record = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": "alice"},
        "eventTime": "2026-11-02T09:00:00Z",
        "eventSource": source,
        "eventName": name,
        "awsRegion": REGION,
        "userAgent": "aws-cli/2.31.0 md/awscrt#0.28.2",
        "requestParameters": request,
        "responseElements": response,
        "eventID": "event-1",
        "readOnly": False,
    }
    return {
        "version": "0",
        "id": "envelope-1",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source.partition('.')[0]}",
        "account": ACCOUNT,
        "time": "2026-11-02T09:00:09Z",
        "region": REGION,
        "resources": [],
        "detail": {**record, **detail},
    }


def asked(name: str, **members: object) -> dict[str, Any]:
    """The same with further members of the request."""
    request = RECORDS[name][1]
    if name == "CreateVpcEndpoint":
        return event(name, requestParameters={f"{name}Request": {**request[f"{name}Request"], **members}})
    return event(name, requestParameters={**request, **members})


def answered(name: str, **members: object) -> dict[str, Any]:
    """The same with other members of what the answer says was made."""
    response = RECORDS[name][2]
    if name == "CreateVpcEndpoint":
        endpoint = {**response[f"{name}Response"]["vpcEndpoint"], **members}
        return event(name, responseElements={f"{name}Response": {"vpcEndpoint": endpoint}})
    part = next(iter(response))
    made: object = (
        [{**response[part][0], **members}] if isinstance(response[part], list) else {**response[part], **members}
    )
    return event(name, responseElements={**response, part: made})


def created(name: str, **fields: Any) -> Created:
    """What `event(name)` says."""
    _, _, _, arn, kind = RECORDS[name]
    said: dict[str, Any] = {
        "id": "event-1",
        "what": name,
        "kind": kind,
        "arn": arn,
        "given": {},
        "by": Who(kind="IAMUser", name="alice"),
        "tool": "AWS CLI",
        "time": "2026-11-02T09:00:00Z",
    }
    return Created(**{**said, **fields})


def test_every_watched_call_has_a_record_here() -> None:
    assert {(source, name) for name, (source, *_) in RECORDS.items()} == set(CALLS)


@pytest.mark.parametrize("name", RECORDS)
def test_a_call_that_creates_something_says_what_by_whom_with_what_and_when(name: str) -> None:
    assert parse(event(name)) == created(name)


@pytest.mark.parametrize("name", MADE)
def test_the_records_that_the_emulator_writes_say_the_same(name: str) -> None:
    parsed = parse(creation(name, {"team": "shop", "Name": ""}))
    assert isinstance(parsed, Created)
    assert (parsed.what, parsed.arn) == (name, MADE[name][0])
    assert parsed.given == {"team": "shop", "Name": ""}


# The partitions that App Runner is in, or might be.
@pytest.mark.parametrize(
    ("partition", "region"), [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1"), ("aws", "ap-southeast-7")]
)
@pytest.mark.parametrize("name", RECORDS)
def test_what_is_made_in_another_partition_has_its_arn(name: str, partition: str, region: str) -> None:
    said = json.dumps(event(name)).replace("arn:aws:", f"arn:{partition}:").replace(REGION, region)
    arn = RECORDS[name][3].replace("arn:aws:", f"arn:{partition}:").replace(REGION, region)
    assert parse(json.loads(said)) == created(name, arn=arn)


# Tags that the call gave ----------------------------------------------------------------------------------------------

TEAM, NAME = {"key": "team", "value": "shop"}, {"key": "Name", "value": "orders"}
BOTH = {"team": "shop", "Name": "orders"}


@pytest.mark.parametrize(
    ("tags", "given"),
    [
        pytest.param([TEAM, NAME], BOTH, id="two"),
        pytest.param([TEAM], {"team": "shop"}, id="one"),
        pytest.param([{"key": "team"}, {"key": "Name", "value": ""}], {"team": "", "Name": ""}, id="without a value"),
        pytest.param([{"key": "team", "value": HIDDEN}], {"team": HIDDEN}, id="a value that is hidden"),
        pytest.param([{"key": HIDDEN, "value": "x"}, {"key": ""}, {}, "team", None], {}, id="none that is known"),
        pytest.param(
            [{"key": "aws:cloudformation:stack-name", "value": "orders"}, {"key": TAG, "value": ENDPOINT}],
            {"aws:cloudformation:stack-name": "orders", TAG: ENDPOINT},
            id="AWS's own, and one of ours",
        ),
        pytest.param([], {}, id="an empty list"),
        pytest.param(None, {}, id="null"),
        pytest.param(HIDDEN, {}, id="hidden"),
        pytest.param({"team": "shop"}, {}, id="in a form that is none"),
    ],
)
@pytest.mark.parametrize("name", [name for name in RECORDS if name != "CreateVpcEndpoint"])
def test_the_tags_that_a_call_gives_are_known(name: str, tags: object, given: Json) -> None:
    assert parse(asked(name, tags=tags)) == created(name, given=given)


# docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-cloudtrail-logs.html has this form of TagSpecification.
@pytest.mark.parametrize(
    ("specification", "given"),
    [
        pytest.param(
            {"ResourceType": "vpc-endpoint", "tag": 1, "Tag": {"Value": "shop", "tag": 1, "Key": "team"}},
            {"team": "shop"},
            id="one tag",
        ),
        pytest.param(
            {
                "ResourceType": "vpc-endpoint",
                "tag": 1,
                "Tag": [{"tag": 1, "Key": "team", "Value": "shop"}, {"tag": 2, "Key": "Name", "Value": "orders"}],
            },
            BOTH,
            id="two tags",
        ),
        pytest.param(
            [
                {"ResourceType": "vpc-endpoint", "tag": 1, "Tag": {"tag": 1, "Key": "team", "Value": "shop"}},
                {"ResourceType": "vpc-endpoint", "tag": 2, "Tag": {"tag": 1, "Key": "Name", "Value": "orders"}},
            ],
            BOTH,
            id="two specifications",
        ),
        pytest.param({"tag": 1, "Tag": {"tag": 1, "Key": "team"}}, {"team": ""}, id="without a value"),
        pytest.param({"tag": 1, "ResourceType": "vpc-endpoint"}, {}, id="no tags"),
        pytest.param({"tag": 1, "Tag": HIDDEN}, {}, id="hidden tags"),
        pytest.param("", {}, id="an empty set"),
    ],
)
def test_the_tags_that_ec2_is_given_are_known(specification: object, given: Json) -> None:
    assert parse(asked("CreateVpcEndpoint", TagSpecification=specification)) == created(
        "CreateVpcEndpoint", given=given
    )


@pytest.mark.parametrize(
    ("tags", "given"),
    [
        pytest.param({"item": TEAM}, {"team": "shop"}, id="one"),
        pytest.param({"item": [TEAM, NAME]}, BOTH, id="two"),
        pytest.param("", {}, id="none"),
        pytest.param(None, {}, id="null"),
        pytest.param(HIDDEN, {}, id="hidden"),
    ],
)
def test_the_tags_that_ec2_answers_are_known(tags: object, given: Json) -> None:
    assert parse(answered("CreateVpcEndpoint", tagSet=tags)) == created("CreateVpcEndpoint", given=given)


# What is left alone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        pytest.param(None, "not an EventBridge event: it is a NoneType, not an object", id="nothing"),
        pytest.param([], "not an EventBridge event: it is a list, not an object", id="a list"),
        pytest.param({}, "not a call: missing of missing", id="an empty object"),
        pytest.param(
            {**event("CreateService"), "detail": HIDDEN},
            "not a call: 'AWS API Call via CloudTrail' of 'aws.apprunner'",
            id="no record",
        ),
        pytest.param(
            {**event("CreateService"), "detail-type": "AWS Service Event via CloudTrail"},
            "not a call: 'AWS Service Event via CloudTrail' of 'aws.apprunner'",
            id="no call",
        ),
        pytest.param(
            {**event("CreateService"), "detail": {}}, "the call missing of missing makes nothing that is tagged"
        ),
        pytest.param(
            event("CreateService", eventName="UpdateService"),
            "the call 'UpdateService' of 'apprunner.amazonaws.com' makes nothing that is tagged",
            id="another call",
        ),
        pytest.param(
            event("CreateLoadBalancer", eventSource="lightsail.amazonaws.com"),
            "the call 'CreateLoadBalancer' of 'lightsail.amazonaws.com' makes nothing that is tagged",
            id="another service's call of the same name",
        ),
        pytest.param(
            event("CreateService", eventName=["CreateService"]),
            "the call missing of 'apprunner.amazonaws.com' makes nothing that is tagged",
            id="a name that is no text",
        ),
        pytest.param(
            asked("CreateVpcEndpoint", DryRun=True),
            "the call CreateVpcEndpoint was a dry run: nothing was changed",
            id="a dry run",
        ),
    ],
)
def test_what_creates_nothing_is_left_alone_with_a_reason(odd: object, why: str) -> None:
    assert parse(odd) == Ignored(why=why)


@pytest.mark.parametrize("code", ["AccessDenied", "Client.DryRunOperation", "", 7, HIDDEN])
@pytest.mark.parametrize("name", RECORDS)
def test_a_call_that_failed_or_only_tried_has_made_nothing(name: str, code: object) -> None:
    why = f"the call {name} failed with {code!r}: nothing was changed"
    assert parse(event(name, errorCode=code, responseElements=None)) == Ignored(why=why)
    assert parse(event(name, errorCode=code)) == Ignored(why=why)


@pytest.mark.parametrize("name", RECORDS)
def test_a_call_that_only_read_has_made_nothing(name: str) -> None:
    assert parse(event(name, readOnly=True)) == Ignored(why=f"the call {name} only read: nothing was changed")


@pytest.mark.parametrize("name", RECORDS)
def test_no_error_is_no_failure(name: str) -> None:
    assert parse(event(name, errorCode=None, errorMessage=None)) == created(name)


@pytest.mark.parametrize("response", [None, HIDDEN, {"omitted": True, "originalSize": 150000}, [], ""], ids=repr)
@pytest.mark.parametrize("name", RECORDS)
def test_an_answer_that_is_left_out_or_hidden_names_nothing_to_tag(name: str, response: object) -> None:
    why = f"responseElements of the {name} record was omitted or redacted: it names nothing to tag"
    assert parse(event(name, responseElements=response)) == Ignored(why=why)


@pytest.mark.parametrize("request_", [None, HIDDEN, {"omitted": True, "originalSize": 150000}, {}], ids=repr)
@pytest.mark.parametrize("name", RECORDS)
def test_a_request_that_is_left_out_or_hidden_takes_no_more_than_its_tags(name: str, request_: object) -> None:
    assert parse(event(name, requestParameters=request_)) == created(name)


@pytest.mark.parametrize(
    ("service", "mine"),
    [
        (f"com.amazonaws.{REGION}.apprunner.requests", True),
        (f"com.amazonaws.{REGION}.apprunner", True),
        ("cn.com.amazonaws.cn-north-1.apprunner.requests", True),
        (HIDDEN, True),  # which AWS can tell
        (None, True),
        (7, True),
        (f"com.amazonaws.{REGION}.s3", False),
        (f"com.amazonaws.{REGION}.notapprunner", False),
        (f"com.amazonaws.{REGION}.apprunner.requests.other", False),
        (f"com.amazonaws.vpce.{REGION}.vpce-svc-0123456789abcdef0", False),
        (f"aws.sagemaker.{REGION}.notebook", False),
    ],
)
def test_only_endpoints_of_app_runner_are_tagged(service: object, mine: bool) -> None:
    asked_for = asked("CreateVpcEndpoint", ServiceName=service)
    told = answered("CreateVpcEndpoint", serviceName=service)
    told["detail"]["requestParameters"] = {"CreateVpcEndpointRequest": {"ServiceName": HIDDEN}}
    why = f"the call CreateVpcEndpoint made an endpoint of {service!r}, not of App Runner"
    expected = created("CreateVpcEndpoint") if mine else Ignored(why=why)
    assert (parse(asked_for), parse(told)) == (expected, expected)


@pytest.mark.parametrize("kind", ["app", "gwy"])
def test_no_other_kind_of_load_balancer_is_tagged(kind: str) -> None:
    other = BALANCER.replace("/net/", f"/{kind}/")
    why = f"the call CreateLoadBalancer made {other!r}, which is no Network Load Balancer"
    assert parse(answered("CreateLoadBalancer", loadBalancerArn=other)) == Ignored(why=why)


def test_a_classic_load_balancer_is_left_alone() -> None:
    classic = event(
        "CreateLoadBalancer",
        apiVersion="2012-06-01",
        requestParameters={"loadBalancerName": "orders", "listeners": [], "tags": [TEAM]},
        responseElements={"dNSName": "orders-1.eu-west-1.elb.amazonaws.com"},
    )
    assert parse(classic) == Ignored(why="the call CreateLoadBalancer made a Classic Load Balancer")


@pytest.mark.parametrize("targets", ["instance", "lambda", "alb"])
def test_a_target_group_that_takes_no_addresses_is_tagged_only_if_it_is_bound(targets: str) -> None:
    why = f"the call CreateTargetGroup made a target group for {targets!r} targets, not for addresses"
    told = answered("CreateTargetGroup", targetType=targets)
    assert parse(told) == Ignored(why=why)
    told["detail"]["requestParameters"] = {"tags": [{"key": TAG, "value": ENDPOINT}]}
    assert parse(told) == created("CreateTargetGroup", given={TAG: ENDPOINT})


@pytest.mark.parametrize("targets", [None, HIDDEN, 7, ""])
def test_what_targets_a_group_takes_the_request_tells_if_the_answer_does_not(targets: object) -> None:
    told = answered("CreateTargetGroup", targetType=targets)
    assert parse(told) == created("CreateTargetGroup")
    told["detail"]["requestParameters"] = {"targetType": "lambda"}
    why = "the call CreateTargetGroup made a target group for 'lambda' targets, not for addresses"
    assert parse(told) == Ignored(why=why)
    told["detail"]["requestParameters"] = {"targetType": targets}
    assert parse(told) == created("CreateTargetGroup")


# What cannot be read --------------------------------------------------------------------------------------------------

FIELDS = {
    "CreateVpcConnector": ("vpcConnectorArn", "vpcConnector.vpcConnectorArn", "App Runner resource"),
    "CreateService": ("serviceArn", "service.serviceArn", "App Runner resource"),
    "CreateVpcIngressConnection": (
        "vpcIngressConnectionArn",
        "vpcIngressConnection.vpcIngressConnectionArn",
        "App Runner resource",
    ),
    "CreateVpcEndpoint": ("vpcEndpointId", "vpcEndpoint.vpcEndpointId", "VPC endpoint"),
    "CreateTargetGroup": ("targetGroupArn", "targetGroups.targetGroupArn", "target group"),
    "CreateLoadBalancer": ("loadBalancerArn", "loadBalancers.loadBalancerArn", "load balancer"),
}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda made: HIDDEN, id="hidden"),
        pytest.param(lambda made: f"{made}\n", id="with a line break"),
        pytest.param(lambda made: f" {made}", id="with a space"),
        pytest.param(lambda made: made.replace("/", ":").replace("-", "_"), id="in another form"),
        pytest.param(lambda made: made.replace("arn:aws:", "arn:aws1:").replace("vpce", "vpcx"), id="of another kind"),
        pytest.param(lambda made: "arn:aws:s3:::orders", id="of something else"),
        pytest.param(lambda made: "", id="empty"),
    ],
)
@pytest.mark.parametrize("name", FIELDS)
def test_a_name_that_cannot_be_one_is_an_error_that_names_the_field(name: str, change: Any) -> None:
    last, path, what = FIELDS[name]
    odd = change(ENDPOINT if name == "CreateVpcEndpoint" else RECORDS[name][3])
    with pytest.raises(BadEvent) as bad:
        parse(answered(name, **{last: odd}))
    field = f"detail.responseElements.{path} of {name}"
    assert str(bad.value) == f"{field} should name the {what} that it made, and is {odd!r}"


@pytest.mark.parametrize("odd", [None, 7, {}, []], ids=repr)
@pytest.mark.parametrize("name", FIELDS)
def test_a_name_that_is_not_there_is_an_error_that_names_the_field(name: str, odd: object) -> None:
    last, path, what = FIELDS[name]
    says = f"detail.responseElements.{path} of {name} should name the {what} that it made, and is missing"
    for told in (
        answered(name, **{last: odd}),
        event(name, responseElements={}),
        event(name, responseElements={"x": 1}),
    ):
        with pytest.raises(BadEvent) as bad:
            parse(told)
        assert str(bad.value) == says


def test_a_long_value_is_cut_in_the_error() -> None:
    with pytest.raises(BadEvent) as bad:
        parse(answered("CreateService", serviceArn="x" * 5000))
    assert str(bad.value).endswith(f"and is '{'x' * 199}")


@pytest.mark.parametrize(
    ("envelope", "says"),
    [
        ({"account": None}, "the event's account should be twelve digits, and is missing"),
        ({"account": 111122223333}, "the event's account should be twelve digits, and is 111122223333"),
        ({"region": ""}, "the event's region should be the name of a Region, and is ''"),
        ({"region": None}, "the event's region should be the name of a Region, and is missing"),
    ],
)
def test_an_endpoint_has_its_account_and_region_from_the_envelope(envelope: Json, says: str) -> None:
    with pytest.raises(BadEvent) as bad:
        parse({**event("CreateVpcEndpoint"), **envelope})
    assert str(bad.value) == says
    assert parse({**event("CreateService"), **envelope}) == created("CreateService")  # an ARN has them itself


# The moment, and the id -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_event", "at_envelope", "time"),
    [
        ("2026-11-02T09:00:00Z", "2026-11-02T09:00:09Z", "2026-11-02T09:00:00Z"),
        (None, "2026-11-02T09:00:09Z", "2026-11-02T09:00:09Z"),
        (HIDDEN, "2026-11-02T09:00:09Z", "2026-11-02T09:00:09Z"),
        ("Nov 2, 2026 9:00:00 AM", "2026-11-02T09:00:09Z", "2026-11-02T09:00:09Z"),
        (1793000000, "2026-11-02T09:00:09.250Z", "2026-11-02T09:00:09.250Z"),
        ("alice@example.com", "2026-11-02", ""),
        ("2026-11-02T09:00:00Z\n", "٢٠٢٦-11-02T09:00:00Z", ""),
        ("2026-13-02T09:00:00Z", "2026-11-02T24:00:00Z", ""),
        ("2026-11-32T09:00:00Z", "2026-11-02T09:60:00Z", ""),
        (None, None, ""),
    ],
)
def test_the_moment_is_the_calls_and_else_the_events(at_event: object, at_envelope: object, time: str) -> None:
    told = {**event("CreateService", eventTime=at_event), "time": at_envelope}
    assert parse(told) == created("CreateService", time=time)


def test_the_id_is_the_calls_and_else_the_events() -> None:
    assert parse(event("CreateService", eventID=None)) == created("CreateService", id="envelope-1")


# The sample events ----------------------------------------------------------------------------------------------------

LEFT_ALONE = {
    "apprunner-CreateService-omitted": (
        "responseElements of the CreateService record was omitted or redacted: it names nothing to tag"
    ),
    "apprunner-CreateVpcConnector-healthy-failed": (
        "the call CreateVpcConnector failed with 'InvalidRequestException': nothing was changed"
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_of_the_sample_events_those_are_understood_in_which_something_is_made(name: str) -> None:
    parsed, call = parse(SAMPLES[name]), name.split("-")[1]
    if call in RECORDS and name not in LEFT_ALONE:
        assert isinstance(parsed, Created)
        assert (parsed.what, parsed.kind) == (call, RECORDS[call][4])
    else:
        assert isinstance(parsed, Ignored)
        assert parsed.why == LEFT_ALONE.get(name, parsed.why)


def test_a_sample_of_each_kind_is_understood_whole() -> None:
    target_group = parse(SAMPLES["elasticloadbalancing-CreateTargetGroup-private-path"])
    assert target_group == Created(
        id="99673f94-bbfb-4145-9658-17b0746b9a3d",
        what="CreateTargetGroup",
        kind=Kind.TARGET_GROUP,
        arn="arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/private-path/e68532044b57d04c",
        given={TAG: "vpce-8c0573694538b8f82"},
        by=Who(kind="IAMUser", name="operations", account="123456789012", principal="AIDAEXAMPLEUSER000001"),
        tool="AWS CLI",
        time="2026-11-02T09:12:00Z",
    )
    endpoint = parse(SAMPLES["ec2-CreateVpcEndpoint-private-path"])
    assert endpoint == Created(
        id="ecc2e723-a00f-4527-a532-eb13a8a61629",
        what="CreateVpcEndpoint",
        kind=Kind.ENDPOINT,
        arn="arn:aws:ec2:us-east-1:123456789012:vpc-endpoint/vpce-8c0573694538b8f82",
        given={},
        by=Who(kind="IAMUser", name="operations", account="123456789012", principal="AIDAEXAMPLEUSER000001"),
        tool="AWS CLI",
        time="2026-11-02T09:03:00Z",
    )
