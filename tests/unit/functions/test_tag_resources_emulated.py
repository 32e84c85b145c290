"""The function on the emulated AWS: each watched call as CloudTrail tells of it, what is tagged, and what never is."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from apprunner_guardrails.aws import clients
from apprunner_guardrails.tags.tagging import NotTagged, Retry
from emulator import Emulator, emulate
from emulator.endpoints import DELETING_SECONDS
from emulator.worlds import OPERATION_SECONDS, Vpc, sdk_client, service, stack_resources, vpc
from emulator.worlds.parts import TAG_QUEUE
from functions.tag_resources import app
from functions.tag_resources.app import handler
from tests.samples import ACCOUNT, REGION, Event

BINDING = "apprunner-guardrails:endpoint"
ENDPOINTS = f"com.amazonaws.{REGION}.apprunner"
TAGGING = ("AddTags", "CreateTags", "TagResource")
MINUTE, HOUR = 60, 3600
LEFT: Mapping[str, object] = {"tagged": {}, "ignored": "it was deleted"}

client = cache(sdk_client)  # somebody's; the function has its own


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What surrounds the function: a VPC, its queue, and every request that it has sent."""

    aws: Emulator
    vpc: Vpc
    queue: str
    asked: list[tuple[str, str]] = field(default_factory=list)  # operation, and the request as JSON

    @property
    def subnets(self) -> list[str]:
        return list(self.vpc.private.values())

    def run(self, event: object) -> Any:
        return handler(json.loads(json.dumps(event)), None)

    def event(self, name: str) -> Event:
        """The last call of this name."""
        return next(one for one in reversed(self.aws.events) if _call(one) == name)

    def delivered(self) -> list[Any]:
        """Hand the function what its queue delivers by now, as Lambda does: what fails stays there."""
        sqs, done = client("sqs"), []
        while found := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            done.append(self.run({"Records": [{"messageId": one["MessageId"], "body": one["Body"]} for one in found]}))
            failed = {one["itemIdentifier"] for one in done[-1]["batchItemFailures"]}
            for one in found:
                if one["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
        return done

    def writes(self) -> list[str]:
        """The operations that put tags, of the requests since the last time."""
        found = [operation for operation, _ in self.asked if operation in TAGGING]
        self.asked.clear()
        return found

    def told(self, who: str) -> dict[str, str]:
        """The tags that are expected of somebody's call now."""
        person, tool = CALLERS[who]
        return {"created-by": person, "created-at": f"{self.aws.clock.now():%Y-%m-%dT%H:%M:%SZ}", "created-with": tool}


def _call(event: Mapping[str, Any]) -> object:
    return event["detail"].get("eventName")


# Of the emulator's callers: what tags say of them.
CALLERS: Mapping[str, tuple[str, str]] = {
    "assumed-role": ("NetworkEngineer/jonas.weber", "CLI"),
    "ci-role": ("deploy-pipeline", "SDK"),
    "console": ("mara.lind", "console"),
    "email-user": ("lena.aho", "CLI"),
    "terraform": ("terraform", "Terraform"),
}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with emulate() as aws:
        made = stack_resources(client)
        monkeypatch.setenv("ALERT_TOPIC_ARN", made["AlertTopic"])
        monkeypatch.setenv("FINDINGS_TABLE", made["FindingsTable"])
        monkeypatch.setenv("TAG_QUEUE_URL", made[TAG_QUEUE])
        monkeypatch.setattr(app, "_now", lambda: int(aws.clock.now().timestamp()))
        found = Stack(aws=aws, vpc=vpc(client, nat=False), queue=made[TAG_QUEUE])
        aws.events.clear()
        every: list[str] = []

        def remember(model: Any, params: Mapping[str, Any], **_: object) -> None:
            found.asked.append((model.name, json.dumps(params, default=str)))
            every.append(found.asked[-1][1])

        for name in ("apprunner", "ec2", "elbv2", "sqs"):
            clients.client(name).meta.events.register_first("before-call", remember)
        yield found
        for name in ("apprunner", "ec2", "elbv2", "sqs"):
            clients.client(name).meta.events.unregister("before-call", remember)
        assert [one for one in every if "eni-" in one] == []


@contextmanager
def crash(service_name: str, when: str) -> Iterator[None]:
    """Inside, the function dies at a call: before-call, which AWS then never gets, or after-call."""

    def die(**_: object) -> None:
        raise KeyboardInterrupt

    events = clients.client(service_name).meta.events
    events.register_last(when, die)
    try:
        yield
    finally:
        events.unregister(when, die)


# What people make ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Made:
    """Something that was made: its ARN, the call, and by what its service knows it."""

    arn: str
    call: str
    name: str


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def make(stack: Stack, call: str, given: Mapping[str, str] | None = None) -> Made:
    """Make the call; whatever it needs was there before, and what it makes is bound where that can be."""
    tags = {"Tags": listed(given)} if given else {}
    match call:
        case "CreateVpcConnector":
            made = client("apprunner").create_vpc_connector(
                VpcConnectorName="orders", Subnets=stack.subnets, SecurityGroups=[stack.vpc.group], **tags
            )
            arn = name = made["VpcConnector"]["VpcConnectorArn"]
        case "CreateService":
            source = {
                "ImageRepository": {"ImageIdentifier": "public.ecr.aws/x/y:z", "ImageRepositoryType": "ECR_PUBLIC"}
            }
            made = client("apprunner").create_service(ServiceName="orders", SourceConfiguration=source, **tags)
            arn = name = made["Service"]["ServiceArn"]
        case "CreateVpcIngressConnection":
            private, place = service(client, "private", "", public=False), endpoint(stack)
            stack.aws.clock.advance(OPERATION_SECONDS)
            made = client("apprunner").create_vpc_ingress_connection(
                ServiceArn=private,
                VpcIngressConnectionName="orders",
                IngressVpcConfiguration={"VpcId": stack.vpc.id, "VpcEndpointId": place},
                **tags,
            )
            arn = name = made["VpcIngressConnection"]["VpcIngressConnectionArn"]
        case "CreateVpcEndpoint":
            name = endpoint(stack, given)
            arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{name}"
        case "CreateTargetGroup":
            arn = name = group(stack, {BINDING: "vpce-0a1b2c3d4e5f60718", **(given or {})})
        case "CreateLoadBalancer":
            bound = group(stack, {BINDING: "vpce-0a1b2c3d4e5f60718"}, "behind")
            arn = name = balancer(stack, given)
            listen(arn, bound)
        case _:
            raise AssertionError(call)
    return Made(arn=arn, call=call, name=name)


MADE = (
    "CreateVpcConnector",
    "CreateService",
    "CreateVpcIngressConnection",
    "CreateVpcEndpoint",
    "CreateTargetGroup",
    "CreateLoadBalancer",
)
OF_APP_RUNNER = MADE[:3]


def endpoint(stack: Stack, given: Mapping[str, str] | None = None, of: str = f"{ENDPOINTS}.requests") -> str:
    tags = {"TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": listed(given)}]} if given else {}
    made = client("ec2").create_vpc_endpoint(
        VpcId=stack.vpc.id,
        ServiceName=of,
        VpcEndpointType="Interface",
        SubnetIds=stack.subnets[:2],
        PrivateDnsEnabled=False,
        **tags,
    )
    name: str = made["VpcEndpoint"]["VpcEndpointId"]
    return name


def group(stack: Stack, given: Mapping[str, str], name: str = "orders") -> str:
    tags = {"Tags": listed(given)} if given else {}
    made = client("elbv2").create_target_group(
        Name=name, Protocol="TCP", Port=443, VpcId=stack.vpc.id, TargetType="ip", **tags
    )
    arn: str = made["TargetGroups"][0]["TargetGroupArn"]
    return arn


def balancer(stack: Stack, given: Mapping[str, str] | None = None) -> str:
    tags = {"Tags": listed(given)} if given else {}
    made = client("elbv2").create_load_balancer(
        Name="orders", Type="network", Scheme="internal", Subnets=stack.subnets, **tags
    )
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def listen(load_balancer: str, target_group: str, port: int = 443) -> None:
    forward = [{"Type": "forward", "TargetGroupArn": target_group}]
    client("elbv2").create_listener(LoadBalancerArn=load_balancer, Protocol="TCP", Port=port, DefaultActions=forward)


def tags_of(made: Made) -> dict[str, str]:
    if made.call in OF_APP_RUNNER:
        rows = client("apprunner").list_tags_for_resource(ResourceArn=made.arn)["Tags"]
    elif made.call == "CreateVpcEndpoint":
        rows = client("ec2").describe_vpc_endpoints(VpcEndpointIds=[made.name])["VpcEndpoints"][0]["Tags"]
    else:
        rows = client("elbv2").describe_tags(ResourceArns=[made.arn])["TagDescriptions"][0]["Tags"]
    return {row["Key"]: row["Value"] for row in rows}


def tag(made: Made, tags: Mapping[str, str]) -> None:
    """As somebody does by hand."""
    if made.call in OF_APP_RUNNER:
        client("apprunner").tag_resource(ResourceArn=made.arn, Tags=listed(tags))
    elif made.call == "CreateVpcEndpoint":
        client("ec2").create_tags(Resources=[made.name], Tags=listed(tags))
    else:
        client("elbv2").add_tags(ResourceArns=[made.arn], Tags=listed(tags))


def delete(made: Made) -> None:
    apprunner, elbv2 = client("apprunner"), client("elbv2")
    match made.call:
        case "CreateVpcConnector":
            apprunner.delete_vpc_connector(VpcConnectorArn=made.arn)
        case "CreateService":
            apprunner.delete_service(ServiceArn=made.arn)
        case "CreateVpcIngressConnection":
            apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=made.arn)
        case "CreateVpcEndpoint":
            client("ec2").delete_vpc_endpoints(VpcEndpointIds=[made.name])
        case "CreateTargetGroup":
            elbv2.delete_target_group(TargetGroupArn=made.arn)
        case _:
            elbv2.delete_load_balancer(LoadBalancerArn=made.arn)


# What is tagged -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("call", MADE)
def test_what_somebody_creates_tells_who_made_it_when_and_with_what(call: str, who: str, stack: Stack) -> None:
    with stack.aws.caller(who):
        made = make(stack, call)
    tags, before = stack.told(who), tags_of(made)
    assert stack.run(stack.event(call)) == {"tagged": {made.arn: tags}}
    assert (tags_of(made), len(stack.writes())) == (before | tags, 1)


@pytest.mark.parametrize("call", MADE)
def test_a_second_and_a_third_delivery_write_nothing(call: str, stack: Stack) -> None:
    made = make(stack, call)
    event = stack.event(call)
    stack.run(event)
    after = tags_of(made)
    stack.asked.clear()
    stack.aws.clock.advance(3 * HOUR)
    for _ in range(2):
        assert stack.run(event) == {"tagged": {}, "ignored": "it has every tag"}
        assert (len(stack.asked), stack.writes(), tags_of(made)) == (1, [], after)


@pytest.mark.parametrize("call", MADE)
def test_no_tag_of_anybodys_is_overwritten_nor_taken_off(call: str, stack: Stack) -> None:
    made = make(stack, call, {"created-by": "the call", "team": "orders"})
    tag(made, {"created-with": "by hand"})
    before = tags_of(made)
    event = stack.event(call)
    added = {"created-at": event["detail"]["eventTime"]}
    assert stack.run(event) == {"tagged": {made.arn: added}}
    assert tags_of(made) == before | added
    tag(made, {"created-at": "once"})
    assert stack.run(event) == {"tagged": {}, "ignored": "it has every tag"}
    assert tags_of(made) == before | {"created-at": "once"}


@pytest.mark.parametrize("call", MADE)
def test_its_own_call_is_none_that_makes_something(call: str, stack: Stack) -> None:
    make(stack, call)
    event = stack.event(call)
    stack.aws.events.clear()
    stack.run(event)
    (own,) = [one for one in stack.aws.events if _call(one) in TAGGING]
    stack.asked.clear()
    result = stack.run(own)
    assert (result["tagged"], "makes nothing that is tagged" in result["ignored"], stack.asked) == ({}, True, [])


@pytest.mark.parametrize("call", MADE)
def test_a_call_that_fails_tags_nothing(call: str, stack: Stack) -> None:
    prefix = {"CreateVpcEndpoint": "ec2"}.get(call, "apprunner" if call in OF_APP_RUNNER else "elasticloadbalancing")
    with stack.aws.deny(f"{prefix}:{call}"), pytest.raises(client("ec2").exceptions.ClientError):
        make(stack, call)
    result = stack.run(stack.event(call))
    assert (result["tagged"], stack.asked) == ({}, [])


def interface_tags() -> dict[str, list[str]]:
    """The keys on every network interface."""
    found = client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    return {one["NetworkInterfaceId"]: sorted(tag["Key"] for tag in one["TagSet"]) for one in found}


def test_network_interfaces_stay_as_aws_made_them(stack: Stack) -> None:
    """Those of an endpoint, of a load balancer and of App Runner; the fixture sees that no request names one."""
    arn = make(stack, "CreateVpcConnector").arn
    service(client, "leaving", arn)
    stack.aws.clock.advance(OPERATION_SECONDS)
    for call in MADE[1:]:
        make(stack, call)
    stack.aws.clock.advance(OPERATION_SECONDS)
    before = interface_tags()
    assert {tuple(keys) for keys in before.values()} == {(), ("AWSAppRunnerManaged",)}
    for event in [one for one in stack.aws.events if _call(one) in MADE]:
        stack.run(event)
    assert set(stack.writes()) == set(TAGGING)
    assert interface_tags() == before


def test_an_endpoint_of_another_service_is_left(stack: Stack) -> None:
    name = endpoint(stack, of=f"com.amazonaws.{REGION}.secretsmanager")
    assert stack.run(stack.event("CreateVpcEndpoint"))["tagged"] == {}
    assert (stack.asked, client("ec2").describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]["Tags"]) == (
        [],
        [],
    )


def test_an_endpoint_of_another_service_whose_name_is_hidden_is_left(stack: Stack) -> None:
    endpoint(stack, of=f"com.amazonaws.{REGION}.secretsmanager")
    event = stack.event("CreateVpcEndpoint")
    text = json.dumps(event).replace(f"com.amazonaws.{REGION}.secretsmanager", "HIDDEN_DUE_TO_SECURITY_REASONS")
    result = stack.run(json.loads(text))
    why = f"it is an endpoint of com.amazonaws.{REGION}.secretsmanager, not of App Runner"
    assert (result, stack.writes()) == ({"tagged": {}, "ignored": why}, [])


def test_no_more_than_fifty_tags_come_together(stack: Stack) -> None:
    made = make(stack, "CreateVpcConnector", {f"key-{number:02}": "" for number in range(48)})
    result = stack.run(stack.event("CreateVpcConnector"))
    assert list(result["tagged"][made.arn]) == ["created-by", "created-at"]
    assert len(tags_of(made)) == 50


@pytest.mark.parametrize("call", MADE)
def test_where_others_put_tags_between_the_read_and_the_write_the_next_delivery_finds_no_room(
    call: str, stack: Stack
) -> None:
    made = make(stack, call)
    room = 50 - len(tags_of(made))
    once: list[str] = []

    def meanwhile(model: Any, **_: object) -> None:
        if model.name in TAGGING and not once:
            once.append(model.name)
            tag(made, {f"key-{number:02}": "" for number in range(room)})

    events = {"CreateVpcEndpoint": "ec2"}.get(call, "apprunner" if call in OF_APP_RUNNER else "elbv2")
    clients.client(events).meta.events.register("before-call", meanwhile)
    try:
        with pytest.raises(NotTagged, match=made.arn):
            stack.run(stack.event(call))
    finally:
        clients.client(events).meta.events.unregister("before-call", meanwhile)
    result = stack.run(stack.event(call))
    assert result == {"tagged": {}, "ignored": "it has 50 tags, and AWS takes no more than 50"}


# Not there yet, or no more ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", MADE)
def test_what_is_not_found_yet_is_tried_again_and_tagged_once_it_is(call: str, stack: Stack) -> None:
    made = make(stack, call)
    stack.aws.settings.appears_after = 10 * MINUTE
    event = stack.event(call)
    for records in ([event], [event, event]):
        batch = {"Records": [{"messageId": f"{n}", "body": json.dumps(one)} for n, one in enumerate(records)]}
        failures = [{"itemIdentifier": f"{number}"} for number in range(len(records))]
        assert stack.run(batch) == {"tagged": {}, "batchItemFailures": failures}
    with pytest.raises(Retry, match=made.arn):
        stack.run(event)
    assert stack.writes() == []
    stack.aws.clock.advance(10 * MINUTE)
    assert set(stack.run(event)["tagged"]) == {made.arn}
    assert tags_of(made).keys() >= {"created-by", "created-at", "created-with"}


@pytest.mark.parametrize("call", MADE)
def test_what_was_deleted_is_left(call: str, stack: Stack) -> None:
    made = make(stack, call)
    stack.aws.clock.advance(OPERATION_SECONDS)
    delete(made)
    stack.aws.clock.advance(OPERATION_SECONDS + HOUR)
    why = "it was deleted" if call in OF_APP_RUNNER else "it no longer exists"
    assert (stack.run(stack.event(call)), stack.writes()) == ({"tagged": {}, "ignored": why}, [])


def test_what_was_deleted_at_once_is_left_when_that_is_certain(stack: Stack) -> None:
    made = make(stack, "CreateTargetGroup")
    delete(made)
    with pytest.raises(Retry):
        stack.run(stack.event("CreateTargetGroup"))
    stack.aws.clock.advance(15 * MINUTE + 1)
    assert stack.run(stack.event("CreateTargetGroup")) == {"tagged": {}, "ignored": "it no longer exists"}


def test_an_endpoint_that_is_being_deleted_is_left(stack: Stack) -> None:
    made = make(stack, "CreateVpcEndpoint")
    delete(made)
    stack.aws.clock.advance(DELETING_SECONDS / 2)
    assert (stack.run(stack.event("CreateVpcEndpoint")), stack.writes()) == (
        {"tagged": {}, "ignored": "it is deleting"},
        [],
    )


def test_a_service_that_app_runner_is_busy_with_is_tagged_later(stack: Stack) -> None:
    stack.aws.settings.refuses_tags_during_operation = True
    with stack.aws.caller("console"):
        made = make(stack, "CreateService")
    tags, event = stack.told("console"), stack.event("CreateService")
    with pytest.raises(Retry, match="InvalidStateException"):
        stack.run(event)
    body = {"Records": [{"messageId": "a", "body": json.dumps(event)}]}
    assert stack.run(body) == {"tagged": {}, "batchItemFailures": [{"itemIdentifier": "a"}]}
    stack.aws.clock.advance(OPERATION_SECONDS)
    assert stack.run(body) == {"tagged": {made.arn: tags}, "batchItemFailures": []}
    assert tags_of(made) == tags


def test_a_service_that_is_deleted_while_it_waits_is_left(stack: Stack) -> None:
    stack.aws.settings.refuses_tags_during_operation = True
    made = make(stack, "CreateService")
    event = stack.event("CreateService")
    stack.aws.clock.advance(OPERATION_SECONDS)
    delete(made)
    with pytest.raises(Retry):
        stack.run(event)
    stack.aws.clock.advance(OPERATION_SECONDS)
    assert stack.run(event) == LEFT


# Denied, throttled, dead --------------------------------------------------------------------------------------------

DENIED: Mapping[str, Sequence[str]] = {
    "CreateVpcConnector": ("apprunner:ListTagsForResource", "apprunner:TagResource"),
    "CreateService": ("apprunner:ListTagsForResource", "apprunner:TagResource"),
    "CreateVpcIngressConnection": ("apprunner:ListTagsForResource", "apprunner:TagResource"),
    "CreateVpcEndpoint": ("ec2:DescribeVpcEndpoints", "ec2:CreateTags"),
    "CreateTargetGroup": ("elasticloadbalancing:DescribeTags", "elasticloadbalancing:AddTags"),
    "CreateLoadBalancer": (
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:AddTags",
    ),
}


@pytest.mark.parametrize(("call", "action"), [(call, action) for call, some in DENIED.items() for action in some])
def test_what_is_denied_is_raised_and_keeps_no_other_from_its_tags(call: str, action: str, stack: Stack) -> None:
    other = endpoint(stack) if call in OF_APP_RUNNER else make(stack, "CreateVpcConnector").arn
    events = [stack.event("CreateVpcEndpoint" if call in OF_APP_RUNNER else "CreateVpcConnector")]
    made = make(stack, call)
    events.insert(0, stack.event(call))
    before = tags_of(made)
    batch = {"Records": [{"messageId": f"{n}", "body": json.dumps(one)} for n, one in enumerate(events)]}
    with stack.aws.deny(action):
        with pytest.raises(NotTagged, match=action):
            stack.run(events[0])
        result = stack.run(batch)
    assert ([one.rpartition("/")[2] for one in result["tagged"]], result["batchItemFailures"]) == (
        [other.rpartition("/")[2]],
        [{"itemIdentifier": "0"}],
    )
    assert tags_of(made) == before
    assert set(stack.run(batch)["tagged"]) == {made.arn}


@pytest.mark.parametrize("when", ["before-call", "after-call"])
@pytest.mark.parametrize("call", MADE)
def test_wherever_it_dies_the_same_event_again_ends_in_the_same_tags(call: str, when: str, stack: Stack) -> None:
    with stack.aws.caller("terraform"):
        made = make(stack, call)
    tags, before, event = stack.told("terraform"), tags_of(made), stack.event(call)
    name, operation = {
        "CreateVpcEndpoint": ("ec2", "CreateTags"),
        "CreateTargetGroup": ("elbv2", "AddTags"),
        "CreateLoadBalancer": ("elbv2", "AddTags"),
    }.get(call, ("apprunner", "TagResource"))
    service_id = clients.client(name).meta.service_model.service_id.hyphenize()
    with crash(name, f"{when}.{service_id}.{operation}"), pytest.raises(KeyboardInterrupt):
        stack.run(event)
    assert tags_of(made) == (before if when == "before-call" else before | tags)
    stack.aws.clock.advance(MINUTE)
    assert stack.run(event)["tagged"] == ({made.arn: tags} if when == "before-call" else {})
    assert tags_of(made) == before | tags


# Bound later, or never ----------------------------------------------------------------------------------------------


def test_a_target_group_that_is_bound_later_is_tagged_then(stack: Stack) -> None:
    with stack.aws.caller("console"):
        made = Made(arn=group(stack, {}), call="CreateTargetGroup", name="orders")
    tags = stack.told("console")
    assert stack.run(stack.event("CreateTargetGroup"))["tagged"] == {}
    assert stack.delivered() == []
    stack.aws.clock.advance(20 * MINUTE)
    tag(made, {BINDING: "vpce-0a1b2c3d4e5f60718"})
    assert stack.delivered() == [{"tagged": {made.arn: tags}, "batchItemFailures": []}]
    stack.aws.clock.advance(HOUR)
    assert (stack.delivered(), tags_of(made)) == ([], {BINDING: "vpce-0a1b2c3d4e5f60718", **tags})


def test_a_load_balancer_is_tagged_when_a_listener_leads_to_a_bound_group(stack: Stack) -> None:
    with stack.aws.caller("ci-role"):
        arn = balancer(stack)
    tags = stack.told("ci-role")
    stack.run(stack.event("CreateLoadBalancer"))
    stack.aws.clock.advance(MINUTE)
    listen(arn, group(stack, {}, "foreign"))
    assert [one["tagged"] for one in stack.delivered()] == [{}]
    listen(arn, group(stack, {BINDING: "vpce-0a1b2c3d4e5f60718"}, "bound"), 8443)
    stack.aws.clock.advance(5 * MINUTE)
    assert [one["tagged"] for one in stack.delivered()] == [{arn: tags}]


@pytest.mark.parametrize("call", ["CreateTargetGroup", "CreateLoadBalancer"])
def test_what_is_never_bound_is_left_after_an_hour(call: str, stack: Stack) -> None:
    arn = group(stack, {}) if call == "CreateTargetGroup" else balancer(stack)
    assert stack.run(stack.event(call))["tagged"] == {}
    looks = 0
    for _ in range(2 * 60):
        stack.aws.clock.advance(MINUTE)
        results = stack.delivered()
        assert [one["tagged"] for one in results] == [{}] * len(results)
        looks += len(results)
    assert (looks, stack.writes()) == (8, [])
    assert tags_of(Made(arn=arn, call=call, name=arn)) == {}
