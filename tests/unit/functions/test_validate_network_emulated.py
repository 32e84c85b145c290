"""The function on the emulated AWS: the events that calls there cause, and what is left when they come."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from apprunner_guardrails.events import CLOUDTRAIL
from apprunner_guardrails.records import event_id
from emulator import Emulator, emulate
from emulator.worlds import OPERATION_SECONDS, Vpc, alert_topic, connector, egress_through, findings_table, service, vpc
from functions.validate_network.app import handler


def client(service_name: str) -> Any:
    return boto3.client(service_name)  # type: ignore[call-overload]  # the name is not a literal


@dataclass(frozen=True)
class Stack:
    """The function's surroundings: a VPC as it should be, the topic, and a queue that gets the alerts."""

    aws: Emulator
    vpc: Vpc
    queue: str

    def results(self) -> list[Any]:
        """Hand the function every event that was not handed to it yet."""
        events = list(self.aws.events)
        self.aws.events.clear()
        return [handler(json.loads(json.dumps(event)), None) for event in events]

    def alerts(self) -> list[dict[str, Any]]:
        received = client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in received.get("Messages", ())]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with emulate() as aws:
        sqs, sns = client("sqs"), client("sns")
        topic = alert_topic(client)
        queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
        queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
        monkeypatch.setenv("ALERT_TOPIC_ARN", topic)
        monkeypatch.setenv("FINDINGS_TABLE", findings_table(client))
        made = vpc(client)
        database(made)
        aws.events.clear()
        yield Stack(aws, made, queue)


def database(made: Vpc) -> None:
    """A group that lets the connectors in: else there would be nothing for them to reach."""
    ec2 = client("ec2")
    group = ec2.create_security_group(VpcId=made.id, GroupName="database", Description="x")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[_from(made.group)])


def _from(group: str) -> Any:
    return {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": group}]}


def failed(result: Any) -> dict[str, set[str]]:
    """The rules that fail, by resource."""
    return {
        resource: {rule for rule, answer in answers.items() if answer == "fail"}
        for resource, answers in result["resources"].items()
    }


def test_a_connector_in_public_subnets_is_alerted_on_by_a_message_that_says_who_made_it(stack: Stack) -> None:
    with stack.aws.caller("iam-user"):
        arn = connector(client, "shop-web", list(stack.vpc.public.values()), [stack.vpc.group])
    (made,) = list(stack.aws.events)
    (result,) = stack.results()
    (alert,) = stack.alerts()
    assert failed(result) == {arn: {"AR102"}}
    assert alert["Subject"] == "[HIGH] AR102 public subnet: VPC connector shop-web in 123456789012 us-east-1"
    lines = alert["Message"].splitlines()
    assert lines[0] == "VPC connector shop-web breaks 1 guardrail"
    event, named = (line for line in lines if line.startswith("Event "))
    assert event.startswith("Event     CreateVpcConnector by ")
    assert named == f"Event id  {event_id(made)}"
    for zone, subnet_id in stack.vpc.public.items():
        assert any(line.startswith(f"  - {subnet_id} ({zone}) is public: ") for line in lines)


def test_a_connector_as_it_should_be_and_its_service_are_alerted_on_by_nothing(stack: Stack) -> None:
    arn = connector(client, "shop-web", list(stack.vpc.private.values()), [stack.vpc.group])
    made = service(client, "shop-front", arn)
    stack.aws.clock.advance(OPERATION_SECONDS)
    results = [result for result in stack.results() if "ignored" not in result]
    assert [failed(result) for result in results] == [{arn: set()}, {arn: set(), made: set()}]
    assert stack.alerts() == []


def test_a_connector_for_which_no_group_was_named_has_the_default_group(stack: Stack) -> None:
    arn = connector(client, "shop-web", list(stack.vpc.private.values()))
    (result,) = stack.results()
    assert failed(result) == {arn: {"AR201", "AR203", "AR204"}}


def test_of_a_service_whose_update_was_rolled_back_nothing_fails_and_the_failed_update_is_explained(
    stack: Stack,
) -> None:
    """The events come when the update is over: they speak of what is there then. What was asked for is not missed."""
    arn = connector(client, "shop-web", list(stack.vpc.public.values()), [stack.vpc.group])
    made = service(client, "shop-front")
    stack.aws.clock.advance(OPERATION_SECONDS)
    stack.aws.events.clear()
    apprunner = client("apprunner")
    apprunner.update_service(ServiceArn=made, NetworkConfiguration=egress_through(arn))
    stack.aws.clock.advance(OPERATION_SECONDS)
    kinds = [event["detail-type"] for event in stack.aws.events]
    assert apprunner.describe_service(ServiceArn=made)["Service"]["NetworkConfiguration"]["EgressConfiguration"] == {
        "EgressType": "DEFAULT"  # rolled back: App Runner cannot work in public subnets
    }
    results = stack.results()
    asked, explained = (result for result in results if "ignored" not in result)
    assert [asked] == [result for kind, result in zip(kinds, results, strict=True) if kind == CLOUDTRAIL]
    assert (failed(asked), asked["alerts"]) == ({made: set()}, 0)
    assert asked["resources"][made]["AR410"] == "pass"
    assert (failed(explained), explained["opened"], explained["alerts"]) == ({made: set()}, [], 1)
    (alert,) = stack.alerts()
    assert alert["Subject"].startswith("[HIGH] UpdateServiceFailed: ")


def test_a_connector_that_was_deleted_before_its_event_came_is_left_alone(stack: Stack) -> None:
    arn = connector(client, "shop-web", list(stack.vpc.public.values()), [stack.vpc.group])
    created = list(stack.aws.events)
    client("apprunner").delete_vpc_connector(VpcConnectorArn=arn)
    stack.aws.events[:] = created
    (result,) = stack.results()
    assert result == {"ignored": f"the VPC connector {arn} was deleted: it is INACTIVE"}
    assert stack.alerts() == []


def test_a_service_that_was_deleted_before_its_event_came_is_left_alone(stack: Stack) -> None:
    arn = connector(client, "shop-web", list(stack.vpc.private.values()), [stack.vpc.group])
    made = service(client, "shop-front", arn)
    created = stack.aws.events[-1:]
    stack.aws.clock.advance(OPERATION_SECONDS)
    client("apprunner").delete_service(ServiceArn=made)
    stack.aws.clock.advance(OPERATION_SECONDS)
    stack.aws.events[:] = created
    (result,) = stack.results()
    assert result == {"ignored": f"the service {made} was deleted"}


def test_a_subnet_that_was_deleted_since_is_missed(stack: Stack) -> None:
    lost = client("ec2").create_subnet(VpcId=stack.vpc.id, CidrBlock="10.0.200.0/24", AvailabilityZoneId="use1-az6")[
        "Subnet"
    ]["SubnetId"]
    arn = connector(client, "shop-web", [*stack.vpc.private.values(), lost], [stack.vpc.group])
    client("ec2").delete_subnet(SubnetId=lost)
    results = [result for result in stack.results() if "ignored" not in result]
    assert [failed(result) for result in results] == [{arn: {"AR113"}}] * 2  # of the creation, and of the deletion
    assert [[one["rule"] for one in result["opened"]] for result in results] == [["AR113"], []]
    assert len(stack.alerts()) == 1


def test_a_connector_that_was_mended_is_told_to_be_and_its_deletion_ends_what_is_open(stack: Stack) -> None:
    ec2, apprunner = client("ec2"), client("apprunner")
    lost = ec2.create_subnet(VpcId=stack.vpc.id, CidrBlock="10.0.200.0/24", AvailabilityZoneId="use1-az6")["Subnet"][
        "SubnetId"
    ]
    arn = connector(client, "shop-web", [*stack.vpc.private.values(), lost], [stack.vpc.group])
    (created,) = [result for result in stack.results() if "ignored" not in result]
    assert [one["rule"] for one in created["opened"]] == ["AR107"]  # the main table leads nowhere
    ec2.delete_subnet(SubnetId=lost)
    zone, table = next(iter(stack.vpc.tables.items()))
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    told = [
        [[one["rule"] for one in result[kind]] for kind in ("opened", "changed", "resolved")]
        for result in stack.results()
    ]
    assert told == [[["AR113"], ["AR107"], []], [[], [], []]]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=stack.vpc.nats[zone])
    (mended,) = stack.results()
    assert [(one["resource"], one["rule"]) for one in mended["resolved"]] == [(arn, "AR107")]
    apprunner.delete_vpc_connector(VpcConnectorArn=arn)
    (deleted,) = stack.results()
    assert ([one["rule"] for one in deleted["resolved"]], deleted["resources"]) == (["AR113"], {arn: {}})
    assert [alert["Subject"].partition(":")[0] for alert in stack.alerts()] == [
        "[HIGH] AR107 no way out",
        "[HIGH] AR107 AR113",
        "[RESOLVED] AR107 no way out",
        "[RESOLVED] AR113 subnet gone",
    ]
