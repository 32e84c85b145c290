"""The function on the emulated AWS: an endpoint's life, the events and messages that it leads to, what is served."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from emulator import Emulator, emulate
from emulator.endpoints import DELETING_SECONDS
from emulator.targets import INITIAL_SECONDS, set_health, set_quota
from emulator.worlds import Vpc, alert_topic, findings_table, vpc
from emulator.worlds import sdk_client as client
from functions.sync_targets import app
from functions.sync_targets.app import handler
from tests.samples import ACCOUNT, REGION, Event

TAG = "apprunner-guardrails:endpoint"
SERVICE = f"com.amazonaws.{REGION}.apprunner.requests"
MINUTE = 60
FUNCTION = "guardrails-SyncTargetsFunction-1"


@dataclass(frozen=True)
class Stack:
    """What surrounds the function: a VPC with an NLB, the topic, the queue that gets the alerts, and its own queue."""

    aws: Emulator
    vpc: Vpc
    balancer: str
    alerts_queue: str
    queue: str

    def endpoint(self, *zones: int, service: str = SERVICE) -> str:
        made = client("ec2").create_vpc_endpoint(
            VpcId=self.vpc.id,
            ServiceName=service,
            VpcEndpointType="Interface",
            PrivateDnsEnabled=False,  # two of one service could not both have it
            SubnetIds=[self.subnets[zone] for zone in zones],
        )
        endpoint_id: str = made["VpcEndpoint"]["VpcEndpointId"]
        return endpoint_id

    def group(self, name: str, tag: str | None) -> str:
        elbv2 = client("elbv2")
        tags = {} if tag is None else {"Tags": [{"Key": TAG, "Value": tag}]}
        made = elbv2.create_target_group(
            Name=name, Protocol="TCP", Port=443, VpcId=self.vpc.id, TargetType="ip", **tags
        )
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        port = 443 + len(elbv2.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"])
        elbv2.create_listener(
            LoadBalancerArn=self.balancer,
            Protocol="TCP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        return arn

    @property
    def subnets(self) -> list[str]:
        return list(self.vpc.private.values())

    def addresses(self, endpoint_id: str) -> list[str]:
        (found,) = client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
        interfaces = client("ec2").describe_network_interfaces(NetworkInterfaceIds=found["NetworkInterfaceIds"])
        return sorted(f"{one['PrivateIpAddress']}:443" for one in interfaces["NetworkInterfaces"])

    def states(self, group: str) -> dict[str, str]:
        told = client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {f"{one['Target']['Id']}:{one['Target']['Port']}": one["TargetHealth"]["State"] for one in told}

    def run(self, event: object) -> Any:
        return handler(json.loads(json.dumps(event)), None)

    def results(self) -> list[Any]:
        """Hand the function every event that was not handed to it yet. What it does itself causes events too."""
        done = []
        while self.aws.events:
            done.append(self.run(self.aws.events.pop(0)))
        return [one for one in done if "ignored" not in one]

    def come_back(self) -> list[Any]:
        """Hand the function what its queue delivers by now."""
        sqs = client("sqs")
        done = []
        while found := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            batch = {"Records": [{"messageId": one["MessageId"], "body": one["Body"]} for one in found]}
            done.append(self.run(batch))
            for one in found:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
        return done

    def alerts(self) -> list[str]:
        """The subjects of the alerts that have come since."""
        sqs = client("sqs")
        subjects = []
        while found := sqs.receive_message(QueueUrl=self.alerts_queue, MaxNumberOfMessages=10).get("Messages"):
            subjects += [json.loads(one["Body"])["Subject"] for one in found]
            for one in found:
                sqs.delete_message(QueueUrl=self.alerts_queue, ReceiptHandle=one["ReceiptHandle"])
        return subjects


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    app._known.cache_clear()
    with emulate() as aws:
        sqs, sns, elbv2 = client("sqs"), client("sns"), client("elbv2")
        topic = alert_topic(client)
        alerts_queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
        own_queue = sqs.create_queue(QueueName="sync")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=alerts_queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        monkeypatch.setenv("ALERT_TOPIC_ARN", topic)
        monkeypatch.setenv("FINDINGS_TABLE", findings_table(client))
        monkeypatch.setenv("SYNC_QUEUE_URL", own_queue)
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", FUNCTION)
        monkeypatch.setattr(app, "_now", lambda: int(aws.clock.now().timestamp()))
        made = vpc(client)
        balancer = elbv2.create_load_balancer(
            Name="private", Type="network", Scheme="internal", Subnets=list(made.private.values())
        )["LoadBalancers"][0]["LoadBalancerArn"]
        aws.events.clear()
        yield Stack(aws, made, balancer, alerts_queue, own_queue)
    app._known.cache_clear()


def schedule() -> Event:
    return {
        "version": "0",
        "id": "66666666-6666-4666-8666-666666666666",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": "2026-11-21T09:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {},
    }


def done(**changes: object) -> Mapping[str, object]:
    return {"registered": [], "deregistered": [], "held": [], "refused": None, **changes}


def settle(stack: Stack) -> None:
    """Let everything that was begun come to an end, minute by minute."""
    for _ in range(10):
        stack.aws.clock.advance(MINUTE)
        stack.results()
        stack.come_back()


def served(stack: Stack, zones: tuple[int, ...] = (0, 1)) -> tuple[str, str]:
    """An endpoint and its group, in step and healthy."""
    endpoint_id = stack.endpoint(*zones)
    group = stack.group("orders", endpoint_id)
    settle(stack)
    assert stack.states(group) == dict.fromkeys(stack.addresses(endpoint_id), "healthy")
    assert stack.alerts() == []
    return endpoint_id, group


def staying(stack: Stack, group: str) -> dict[str, str]:
    return {key: state for key, state in stack.states(group).items() if state != "draining"}


def test_a_new_endpoint_and_its_group_get_healthy_without_a_schedule_and_without_a_word(stack: Stack) -> None:
    served(stack)
    assert (stack.results(), stack.come_back()) == ([], [])


def test_an_endpoint_that_moves_to_another_subnet_is_followed_and_no_zone_is_left_without_a_target(
    stack: Stack,
) -> None:
    endpoint_id, group = served(stack)
    stack.aws.clock.advance(MINUTE)
    before = stack.addresses(endpoint_id)
    client("ec2").modify_vpc_endpoint(
        VpcEndpointId=endpoint_id, AddSubnetIds=[stack.subnets[2]], RemoveSubnetIds=[stack.subnets[0]]
    )
    after = stack.addresses(endpoint_id)
    (new,), (old,) = set(after) - set(before), set(before) - set(after)
    first, *_ = stack.results()
    assert first == {"target_groups": {group: done(registered=[new], held=[old])}}
    settle(stack)
    assert (staying(stack, group), stack.alerts()) == (dict.fromkeys(after, "healthy"), [])


def test_one_endpoint_takes_over_from_another_by_the_tag_alone(stack: Stack) -> None:
    old, group = served(stack)
    new, elbv2 = stack.endpoint(0, 1), client("elbv2")
    elbv2.add_tags(ResourceArns=[group], Tags=[{"Key": TAG, "Value": f"{old} {new}"}])
    settle(stack)
    assert stack.states(group) == dict.fromkeys(sorted(stack.addresses(old) + stack.addresses(new)), "healthy")
    elbv2.add_tags(ResourceArns=[group], Tags=[{"Key": TAG, "Value": new}])
    settle(stack)
    assert (staying(stack, group), stack.alerts()) == (dict.fromkeys(stack.addresses(new), "healthy"), [])


def test_targets_that_somebody_else_changed_are_put_right(stack: Stack) -> None:
    endpoint_id, group = served(stack)
    one, other = stack.addresses(endpoint_id)
    elbv2 = client("elbv2")
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.100.250", "Port": 443}])
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": one.partition(":")[0], "Port": 443}])
    results = stack.results()
    assert {key for result in results for key in result["target_groups"][group]["registered"]} == {one}
    settle(stack)
    assert staying(stack, group) == {one: "healthy", other: "healthy"}


def test_an_endpoint_that_is_deleted_leaves_the_group_as_it_is_and_is_told_once(stack: Stack) -> None:
    endpoint_id, group = served(stack)
    before = set(stack.states(group))
    client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    settle(stack)
    stack.aws.clock.advance(DELETING_SECONDS)
    stack.run(schedule())
    refused = stack.run(schedule())["target_groups"][group]["refused"]
    assert refused.startswith(f"{endpoint_id} does not exist: refusing to change target group orders (2 registered)")
    assert set(stack.states(group)) == before
    assert len([one for one in stack.alerts() if "AR516" in one]) == 1
    stack.run(schedule())
    assert stack.alerts() == []


def test_where_groups_are_drained_those_of_a_deleted_endpoint_go_once_they_no_longer_answer(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_id, group = served(stack)
    monkeypatch.setenv("DRAIN_DELETED_ENDPOINTS", "true")
    client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    settle(stack)
    stack.run(schedule())
    settle(stack)
    assert staying(stack, group) == {}


def test_a_group_without_the_tag_is_left_alone_whatever_happens(stack: Stack) -> None:
    endpoint_id = stack.endpoint(0, 1)
    group = stack.group("foreign", None)
    client("elbv2").register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.100.250", "Port": 443}])
    before = set(stack.states(group))
    settle(stack)
    client("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveSubnetIds=[stack.subnets[0]])
    settle(stack)
    stack.run(schedule())
    assert set(stack.states(group)) == before


def test_findings_are_over_once_the_tag_is_gone(stack: Stack) -> None:
    group = stack.group("orders", "none")
    stack.results()
    opened = stack.alerts()
    client("elbv2").remove_tags(ResourceArns=[group], TagKeys=[TAG])
    results = stack.results()
    assert (results, len(opened)) == ([{"target_groups": {}}], 1)
    assert [one for one in stack.alerts() if "AR516" in one and "resolved" in one.lower()] != []


def test_a_new_address_that_does_not_get_healthy_is_told_after_the_wait_and_its_end_too(stack: Stack) -> None:
    endpoint_id, group = served(stack)
    client("ec2").modify_vpc_endpoint(
        VpcEndpointId=endpoint_id, SubnetConfigurations=[{"SubnetId": stack.subnets[0], "Ipv4": "10.0.100.77"}]
    )
    new = "10.0.100.77:443"
    stack.results()
    set_health(group, new, "unhealthy", reason="Target.Timeout")
    settle(stack)
    assert (stack.states(group)[new], stack.alerts()) == ("unhealthy", [])
    settle(stack)
    opened = stack.alerts()
    assert ["AR517" in one for one in opened] == [True]
    set_health(group, new, "healthy")
    stack.run(schedule())
    settle(stack)
    assert staying(stack, group) == dict.fromkeys(stack.addresses(endpoint_id), "healthy")
    assert ["AR517" in one for one in stack.alerts()] == [True]


def test_at_the_quota_the_old_target_makes_room_once_it_no_longer_answers(stack: Stack) -> None:
    endpoint_id, group = served(stack)
    set_quota(group, 2)
    client("ec2").modify_vpc_endpoint(
        VpcEndpointId=endpoint_id, AddSubnetIds=[stack.subnets[2]], RemoveSubnetIds=[stack.subnets[0]]
    )
    settle(stack)
    stack.run(schedule())
    settle(stack)
    assert staying(stack, group) == dict.fromkeys(stack.addresses(endpoint_id), "healthy")


def test_targets_of_a_new_group_are_healthy_as_soon_as_the_load_balancer_finds_them_so(stack: Stack) -> None:
    endpoint_id, group = stack.endpoint(0, 1), stack.group("orders", None)
    stack.aws.clock.advance(5 * MINUTE)
    stack.results()
    client("elbv2").add_tags(ResourceArns=[group], Tags=[{"Key": TAG, "Value": endpoint_id}])
    stack.results()
    assert set(stack.states(group).values()) == {"initial"}
    stack.aws.clock.advance(INITIAL_SECONDS)
    assert stack.states(group) == dict.fromkeys(stack.addresses(endpoint_id), "healthy")
