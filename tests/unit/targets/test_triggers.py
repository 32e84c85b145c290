import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from apprunner_guardrails.callers import Caller
from apprunner_guardrails.events import BadEvent, Ignored
from apprunner_guardrails.targets.triggers import CALLS, Asked, folded, message, parse
from emulator import Emulator, emulate

if TYPE_CHECKING:
    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_apprunner.type_defs import IngressVpcConfigurationTypeDef
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

type Event = dict[str, Any]

ACCOUNT, REGION = "123456789012", "us-east-1"
FUNCTION = "guardrails-SyncTargets"
SERVICE = f"com.amazonaws.{REGION}.apprunner.requests"
GROUP, OTHER = (f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/0123456789abcdef" for name in "ab")
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/orders/0123456789abcdef"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
ALICE = Caller(name="alice", tool="AWS CLI", address="192.0.2.7")
OURS = "apprunner-guardrails:endpoint"
SOURCES = {name: source for source, name in CALLS}


def record(name: str, request: object, response: object = None, **more: object) -> Event:
    """A call of alice's."""
    source = SOURCES.get(name, "ec2.amazonaws.com")
    detail = {
        "userIdentity": {"type": "IAMUser", "userName": "alice"},
        "eventTime": "2026-11-21T09:00:00Z",
        "eventSource": source,
        "eventName": name,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.31.20",
        "requestParameters": request,
        "responseElements": response,
        "eventID": "event-1",
        **more,
    }
    return {
        "source": f"aws.{source.partition('.')[0]}",
        "detail-type": "AWS API Call via CloudTrail",
        "account": ACCOUNT,
        "region": REGION,
        "detail": detail,
    }


def asked(what: str, **named: Any) -> Asked:
    """What one of alice's calls asks for."""
    fields: Event = {"id": "event-1", "time": "2026-11-21T09:00:00Z", "caller": ALICE, **named}
    return Asked(what=what, **fields)


def assert_ignored(event: object, why: str, function: str = FUNCTION) -> None:
    ignored = parse(event, function)
    assert isinstance(ignored, Ignored)
    assert ignored.why == why


# As the emulator records them


@pytest.fixture(scope="module")
def made() -> Mapping[str, tuple[Event, Mapping[str, tuple[str, ...]]]]:
    """For every watched call its event, as the emulator makes it, and what it names."""
    with emulate() as aws:
        endpoint, group = _make_all_calls(aws)
        events = {event["detail"].get("eventName"): event for event in cast("list[Event]", aws.events)}
    names = {"endpoints": (endpoint,), "target_groups": (group,)}
    return {name: (events[name], {call.names: names[call.names]}) for (_, name), call in CALLS.items()}


def _make_all_calls(aws: Emulator) -> tuple[str, str]:
    ec2: EC2Client = boto3.client("ec2", region_name=REGION)
    elb: ElasticLoadBalancingv2Client = boto3.client("elbv2", region_name=REGION)
    apprunner: AppRunnerClient = boto3.client("apprunner", region_name=REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    first, second = ([one["SubnetId"]] for one in subnets)
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=SERVICE, VpcEndpointType="Interface", SubnetIds=first, PrivateDnsEnabled=False
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=second)
    service = apprunner.create_service(
        ServiceName="orders",
        SourceConfiguration={
            "ImageRepository": {"ImageIdentifier": "public.ecr.aws/x/y:1", "ImageRepositoryType": "ECR_PUBLIC"}
        },
        NetworkConfiguration={"IngressConfiguration": {"IsPubliclyAccessible": False}},
    )["Service"]["ServiceArn"]
    aws.clock.advance(3600)
    place: IngressVpcConfigurationTypeDef = {"VpcId": vpc, "VpcEndpointId": endpoint}
    connection = apprunner.create_vpc_ingress_connection(
        ServiceArn=service, VpcIngressConnectionName="orders", IngressVpcConfiguration=place
    )["VpcIngressConnection"]["VpcIngressConnectionArn"]
    aws.clock.advance(3600)
    apprunner.update_vpc_ingress_connection(VpcIngressConnectionArn=connection, IngressVpcConfiguration=place)
    aws.clock.advance(3600)
    apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=connection)
    group = elb.create_target_group(Name="orders", Protocol="TCP", Port=443, VpcId=vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.add_tags(ResourceArns=[arn], Tags=[{"Key": OURS, "Value": endpoint}])
    elb.remove_tags(ResourceArns=[arn], TagKeys=[OURS])
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9", "Port": 443}])
    elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9", "Port": 443}])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    return endpoint, arn


@pytest.mark.parametrize("name", SOURCES)
def test_a_call_is_understood_as_the_emulator_records_it(
    name: str, made: Mapping[str, tuple[Event, Mapping[str, tuple[str, ...]]]]
) -> None:
    event, named = made[name]
    detail = event["detail"]
    found = parse(event, FUNCTION)
    assert isinstance(found, Asked)
    expected: Event = dict(named)
    assert found == Asked(
        id=detail["eventID"],
        what=name,
        time=detail["eventTime"],
        caller=Caller(name="operations", tool=found.caller.tool, address=detail["sourceIPAddress"]),
        **expected,
    )


# What they name, in every form that records have


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"DeleteVpcEndpointsRequest": {"VpcEndpointId": {"tag": 1, "content": "vpce-1"}}}, ("vpce-1",)),
        (
            {
                "DeleteVpcEndpointsRequest": {
                    "VpcEndpointId": [{"tag": 1, "content": "vpce-2"}, {"tag": 2, "content": "vpce-1"}]
                }
            },
            ("vpce-1", "vpce-2"),
        ),
        ({"DeleteVpcEndpointsRequest": {"VpcEndpointId": "vpce-1"}}, ("vpce-1",)),
        ({"DeleteVpcEndpointsRequest": {"VpcEndpointId": {"item": ["vpce-1", "vpce-2"]}}}, ("vpce-1", "vpce-2")),
        ({"vpcEndpointId": {"items": [{"content": "vpce-1"}]}}, ("vpce-1",)),
        ({"vpcEndpointId": ["vpce-1", "vpce-1"]}, ("vpce-1",)),
    ],
)
def test_endpoints_are_found_in_whatever_form_a_list_has(request_: object, named: tuple[str, ...]) -> None:
    found = parse(record("DeleteVpcEndpoints", request_), FUNCTION)
    assert found == asked("DeleteVpcEndpoints", endpoints=named)


@pytest.mark.parametrize(
    ("name", "request_", "response", "named"),
    [
        (
            "CreateVpcEndpoint",
            {"serviceName": SERVICE},
            {"vpcEndpoint": {"vpcEndpointId": "vpce-1"}},
            {"endpoints": ("vpce-1",)},
        ),
        (
            "CreateVpcEndpoint",
            {"omitted": True},
            {"CreateVpcEndpointResponse": {"vpcEndpoint": {"vpcEndpointId": "vpce-1", "serviceName": SERVICE}}},
            {"endpoints": ("vpce-1",)},
        ),
        ("CreateVpcEndpoint", None, {"vpcEndpoint": {"vpcEndpointId": "vpce-1"}}, {"endpoints": ("vpce-1",)}),
        ("ModifyVpcEndpoint", {"vpcEndpointId": "vpce-1"}, None, {"endpoints": ("vpce-1",)}),
        (
            "UpdateVpcIngressConnection",
            {"ingressVpcConfiguration": {"vpcEndpointId": "vpce-2"}},
            {"vpcIngressConnection": {"ingressVpcConfiguration": {"vpcEndpointId": "vpce-1"}}},
            {"endpoints": ("vpce-1", "vpce-2")},
        ),
        (
            "DeleteVpcIngressConnection",
            {"vpcIngressConnectionArn": "arn:aws:apprunner:…"},
            {"vpcIngressConnection": {"ingressVpcConfiguration": {"vpcEndpointId": "vpce-1"}}},
            {"endpoints": ("vpce-1",)},
        ),
        (
            "CreateTargetGroup",
            {"name": "a"},
            {"targetGroups": [{"targetGroupArn": OTHER}, {"targetGroupArn": GROUP}]},
            {"target_groups": (GROUP, OTHER)},
        ),
        (
            "AddTags",
            {"resourceArns": [BALANCER, GROUP], "tags": [{"key": "team"}, {"key": "AppRunner-Guardrails:Endpoint"}]},
            None,
            {"target_groups": (GROUP,)},
        ),
        ("AddTags", {"resourceArns": [GROUP]}, None, {"target_groups": (GROUP,)}),
        (
            "RemoveTags",
            {"resourceArns": [OTHER, GROUP], "tagKeys": ["apprunner-guardrails:exempt:AR510"]},
            None,
            {"target_groups": (GROUP, OTHER)},
        ),
        ("DeregisterTargets", {"targetGroupArn": GROUP, "targets": [{"id": "a"}]}, None, {"target_groups": (GROUP,)}),
    ],
)
def test_a_call_asks_for_what_its_record_names(
    name: str, request_: object, response: object, named: dict[str, object]
) -> None:
    assert parse(record(name, request_, response), FUNCTION) == asked(name, **named)


HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("request_", [None, "", HIDDEN, {}, {"omitted": True}])
@pytest.mark.parametrize("response", [None, HIDDEN, {"omitted": True}])
def test_a_call_that_does_not_name_what_it_touched_asks_for_everything(
    name: str, request_: object, response: object
) -> None:
    assert parse(record(name, request_, response), FUNCTION) == asked(name, everything=True)


@pytest.mark.parametrize(
    ("name", "request_", "response"),
    [
        ("RegisterTargets", {"targetGroupArn": HIDDEN}, None),
        ("RegisterTargets", {"targetGroupArn": BALANCER}, None),
        ("AddTags", {"resourceArns": HIDDEN, "tags": [{"key": OURS}]}, None),
        ("ModifyVpcEndpoint", {"vpcEndpointId": ""}, None),
        ("CreateVpcEndpoint", {"serviceName": HIDDEN}, {"vpcEndpoint": HIDDEN}),
    ],
)
def test_what_is_hidden_is_no_name(name: str, request_: object, response: object) -> None:
    assert parse(record(name, request_, response), FUNCTION) == asked(name, everything=True)


# What is nobody's business


def test_an_endpoint_of_another_service_is_ignored() -> None:
    other = f"com.amazonaws.{REGION}.s3"
    why = f"the call CreateVpcEndpoint made an endpoint of {other}, not of App Runner's private services"
    answer = {"CreateVpcEndpointResponse": {"vpcEndpoint": {"vpcEndpointId": ENDPOINT, "serviceName": other}}}
    assert_ignored(record("CreateVpcEndpoint", {"CreateVpcEndpointRequest": {"ServiceName": other}}, answer), why)
    assert_ignored(record("CreateVpcEndpoint", {"omitted": True}, answer), why)


def test_an_endpoint_of_app_runners_own_interface_is_one_of_another_service() -> None:
    control = SERVICE.removesuffix(".requests")
    why = f"the call CreateVpcEndpoint made an endpoint of {control}, not of App Runner's private services"
    assert_ignored(record("CreateVpcEndpoint", {"serviceName": control}), why)


def test_tags_of_others_are_ignored() -> None:
    why = "names no tag that begins with apprunner-guardrails:"
    added = {"resourceArns": [GROUP], "tags": [{"key": "team", "value": "apprunner-guardrails:endpoint"}]}
    assert_ignored(record("AddTags", added), f"the call AddTags {why}")
    removed = {"resourceArns": [GROUP], "tagKeys": ["apprunner"]}
    assert_ignored(record("RemoveTags", removed), f"the call RemoveTags {why}")


def test_tags_of_load_balancers_are_ignored() -> None:
    why = f"the call AddTags is about {BALANCER}, none of which is a target group"
    assert_ignored(record("AddTags", {"resourceArns": [BALANCER], "tags": [{"key": OURS}]}), why)


@pytest.mark.parametrize("name", SOURCES)
def test_a_call_that_failed_is_ignored(name: str) -> None:
    why = f"the call {name} failed with 'AccessDenied': nothing was changed"
    assert_ignored(record(name, None, None, errorCode="AccessDenied"), why)


def by_session(session: str, kind: str = "AssumedRole") -> Event:
    identity = {"type": kind, "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/guardrails-role/{session}"}
    return record("RegisterTargets", {"targetGroupArn": GROUP}, userIdentity=identity)


def test_targets_that_this_function_registered_are_ignored() -> None:
    assert_ignored(by_session(FUNCTION), f"the call RegisterTargets was made by {FUNCTION} itself")


@pytest.mark.parametrize(
    ("event", "function"),
    [
        (by_session("alice"), FUNCTION),
        (by_session(f"{FUNCTION}-2"), FUNCTION),
        (by_session(FUNCTION, kind="FederatedUser"), FUNCTION),
        (by_session(FUNCTION), ""),
        (by_session(""), ""),
    ],
)
def test_targets_that_anyone_else_may_have_registered_are_asked_for(event: Event, function: str) -> None:
    found = parse(event, function)
    assert isinstance(found, Asked)
    assert (found.target_groups, found.everything) == ((GROUP,), False)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("text", "not an EventBridge event: it is a str, not an object"),
        ([], "not an EventBridge event: it is a list, not an object"),
        ({}, "neither a call nor a schedule: missing of missing"),
        (
            {"detail-type": "AWS API Call via CloudTrail"},
            "neither a call nor a schedule: 'AWS API Call via CloudTrail'",
        ),
        (record("CreateSubnet", {}), "the call 'CreateSubnet' of 'ec2.amazonaws.com' is not watched"),
        (record("AddTags", {}, eventSource="ec2.amazonaws.com"), "the call 'AddTags' of 'ec2.amazonaws.com' is not"),
        (record("AddTags", {}, eventName=7), "the call missing of 'elasticloadbalancing.amazonaws.com' is not watched"),
    ],
)
def test_what_is_not_watched_is_ignored_and_says_why(event: object, why: str) -> None:
    ignored = parse(event, FUNCTION)
    assert isinstance(ignored, Ignored)
    assert ignored.why.startswith(why)


@pytest.mark.parametrize("field", ["account", "region"])
def test_where_an_event_comes_from_does_not_matter(field: str) -> None:
    for event in (record("RegisterTargets", {"targetGroupArn": GROUP}), SCHEDULED):
        assert parse({**event, field: None}, FUNCTION) == parse(event, FUNCTION)


# Schedules and messages of our own

SCHEDULED = {
    "id": "event-0",
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "account": ACCOUNT,
    "region": REGION,
    "time": "2026-11-21T09:05:00Z",
    "detail": {},
}
BY_SCHEDULE = Asked(
    id="event-0",
    what="Scheduled Event",
    time="2026-11-21T09:05:00Z",
    caller=Caller(),
    everything=True,
)


def came_back(*groups: str) -> Asked:
    return Asked(id="", what="Follow-up", time="", caller=Caller(), target_groups=groups)


def test_a_schedule_asks_for_everything() -> None:
    assert parse(SCHEDULED, FUNCTION) == BY_SCHEDULE


def test_a_message_of_our_own_asks_for_the_groups_that_it_names() -> None:
    body = {"apprunner-guardrails": "come back", "target_groups": [OTHER, GROUP, OTHER]}
    assert parse(body, FUNCTION) == came_back(GROUP, OTHER)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"apprunner-guardrails": "go away"}, "'apprunner-guardrails' should be 'come back', and is 'go away'"),
        ({"apprunner-guardrails": "come back"}, "target_groups should be a list of ARNs, and is missing"),
        ({"apprunner-guardrails": "come back", "target_groups": []}, r"should be a list of ARNs, and is \[\]"),
        ({"apprunner-guardrails": "come back", "target_groups": GROUP}, "should be a list of ARNs, and is 'arn:"),
        (
            {"apprunner-guardrails": "come back", "target_groups": [GROUP, BALANCER]},
            rf"target_groups\[1\] should be the ARN of a target group, and is '{BALANCER}'",
        ),
        (
            {"apprunner-guardrails": "come back", "target_groups": [f"{GROUP}\n"]},
            r"target_groups\[0\] should be the ARN",
        ),
        ({"apprunner-guardrails": "come back", "target_groups": [7]}, r"target_groups\[0\] should be .*, and is 7"),
    ],
)
def test_a_message_that_cannot_be_read_is_refused_by_the_field(body: object, why: str) -> None:
    with pytest.raises(BadEvent, match=why):
        parse(body, FUNCTION)


def test_a_message_is_the_same_in_whatever_order_its_groups_are_given() -> None:
    assert message([OTHER, GROUP, OTHER], "event-1") == message((GROUP, OTHER), "event-1")


def test_what_a_message_brings_back_is_tied_to_the_event_that_began_it() -> None:
    assert parse(json.loads(message([GROUP], "event-1")), FUNCTION) == asked(
        "Follow-up", id="event-1", time="", caller=Caller(), target_groups=(GROUP,)
    )


# Batches


def call(number: int, what: str = "RegisterTargets", caller: Caller = ALICE, **named: Any) -> Asked:
    return asked(what, id=f"event-{number}", time=f"2026-11-21T09:00:{number:02}Z", caller=caller, **named)


def test_one_folded_is_itself() -> None:
    for one in (call(1, target_groups=(GROUP,)), BY_SCHEDULE, came_back(GROUP)):
        assert folded([one]) == one


def test_a_batch_asks_for_all_that_any_of_it_asks_for() -> None:
    batch = [
        call(2, target_groups=(OTHER,)),
        call(1, "DeregisterTargets", target_groups=(GROUP, OTHER)),
        call(3, "ModifyVpcEndpoint", endpoints=("vpce-2",)),
        call(4, "DeleteVpcEndpoints", endpoints=("vpce-1", "vpce-2")),
    ]
    assert folded(batch) == asked(
        "4 calls (DeleteVpcEndpoints, DeregisterTargets, ModifyVpcEndpoint …)",
        id="event-4",
        time="2026-11-21T09:00:04Z",
        target_groups=(GROUP, OTHER),
        endpoints=("vpce-1", "vpce-2"),
    )


def test_a_batch_is_the_same_in_whatever_order_it_comes() -> None:
    batch = [call(2, target_groups=(OTHER,)), came_back(GROUP), call(1, everything=True), BY_SCHEDULE]
    assert folded(batch) == folded(batch[::-1])


def test_a_batch_with_everything_in_it_keeps_the_names_that_the_index_of_tags_may_not_know_yet() -> None:
    batch = [call(1, "CreateTargetGroup", target_groups=(GROUP,)), BY_SCHEDULE]
    assert folded(batch) == call(1, "CreateTargetGroup", target_groups=(GROUP,), everything=True)


def test_the_last_caller_is_named_and_said_to_be_the_last_where_there_are_several() -> None:
    bob = Caller(name="bob")
    batch = [call(1, caller=ALICE), call(2, "DeregisterTargets", caller=bob), call(2, "DeregisterTargets", caller=bob)]
    assert folded(batch) == call(2, "2 calls (DeregisterTargets, RegisterTargets), the last", bob)


def test_messages_of_our_own_are_named_only_where_there_is_no_call() -> None:
    assert folded([came_back(GROUP), came_back(OTHER)]) == came_back(GROUP, OTHER)
    assert folded([came_back(OTHER), call(1, target_groups=(GROUP,))]) == call(1, target_groups=(GROUP, OTHER))
