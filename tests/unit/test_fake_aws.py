"""The fake AWS that sync is judged against says what the emulator says of the same life; its faults are as told."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from emulator import emulate
from emulator.worlds import REGION
from tests.fake_aws import REQUESTS, ZONES, FakeAws, Fault, Kind

type Row = dict[str, Any]

INSIDE, OUTSIDE = "10.0.0.4", "10.1.0.9"


class World(Protocol):
    """A group of a load balancer in two zones, and an endpoint in all three."""

    group: str
    endpoint: str

    def client(self, service: str) -> Any: ...

    def advance(self, seconds: float) -> None: ...

    def delete_endpoint(self) -> None: ...


class Fake:
    def __init__(self) -> None:
        self.aws = FakeAws()
        self.endpoint = self.aws.create_endpoint(zones=ZONES)
        self.group = self.aws.create_group(self.aws.create_load_balancer(ZONES[:2]), quota=1000)
        self.advance = self.aws.advance

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def delete_endpoint(self) -> None:
        self.aws.delete_endpoint(self.endpoint)


class Emulated:
    def __init__(self, advance: Callable[[float], None]) -> None:
        self.advance = advance
        ec2, elb = self.client("ec2"), self.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{place}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for place, zone in enumerate(ZONES)
        ]
        balancer = elb.create_load_balancer(Name="front", Type="network", Scheme="internal", Subnets=subnets[:2])
        self.group = elb.create_target_group(
            Name="orders",
            Protocol="TCP",
            Port=443,
            TargetType="ip",
            VpcId=vpc,
            HealthCheckIntervalSeconds=10,
            UnhealthyThresholdCount=3,
        )["TargetGroups"][0]["TargetGroupArn"]
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="TCP",
            Port=443,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )
        self.endpoint = ec2.create_vpc_endpoint(
            VpcId=vpc,
            ServiceName=REQUESTS,
            VpcEndpointType="Interface",
            SubnetConfigurations=[
                {"SubnetId": subnet, "Ipv4": f"10.0.{place}.4"} for place, subnet in enumerate(subnets)
            ],
            SubnetIds=subnets,
        )["VpcEndpoint"]["VpcEndpointId"]

    def client(self, service: str) -> Any:
        return boto3.client(service, REGION)  # type: ignore[call-overload]  # any of those that it knows

    def delete_endpoint(self) -> None:
        self.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[self.endpoint])


@pytest.fixture
def emulated() -> Iterator[Emulated]:
    with emulate() as aws:
        yield Emulated(aws.clock.advance)


def life(world: World) -> list[object]:
    """What is told of targets and of an endpoint from beginning to end."""
    elb, ec2 = world.client("elbv2"), world.client("ec2")
    seen: list[object] = []

    def look() -> None:
        rows = elb.describe_target_health(TargetGroupArn=world.group)["TargetHealthDescriptions"]
        targets = {
            f"{row['Target']['Id']}:{row['Target']['Port']} {row['Target']['AvailabilityZone']}": (
                row["TargetHealth"]["State"],
                row["TargetHealth"].get("Reason"),
            )
            for row in rows
        }
        named = [{"Name": "vpc-endpoint-id", "Values": [world.endpoint]}]
        states = [one["State"] for one in ec2.describe_vpc_endpoints(Filters=named)["VpcEndpoints"]]
        seen.append((targets, states))

    def do(operation: str, *targets: Row) -> None:
        try:
            getattr(elb, operation)(TargetGroupArn=world.group, Targets=list(targets))
        except ClientError as refused:
            seen.append(refused.response["Error"]["Code"])
        look()

    here, elsewhere = {"Id": INSIDE, "Port": 443}, {"Id": "10.0.2.4", "Port": 443}
    do("register_targets", here, elsewhere)
    do("register_targets", {"Id": OUTSIDE, "Port": 443})
    do("register_targets", {"Id": OUTSIDE, "Port": 443, "AvailabilityZone": "all"})
    do("register_targets", {"Id": INSIDE, "Port": 443, "AvailabilityZone": ZONES[1]})
    do("register_targets", {"Id": "8.8.8.8", "Port": 443, "AvailabilityZone": "all"})
    do("deregister_targets", {"Id": "10.0.1.77", "Port": 443})
    do("deregister_targets", {"Id": OUTSIDE, "Port": 443})
    for seconds in (100, 79, 1):
        world.advance(seconds)
        look()
    do("deregister_targets", here)
    world.advance(299)
    do("register_targets", here)
    world.advance(180)
    look()
    world.delete_endpoint()
    for seconds in (1, 28, 1, 1):
        world.advance(seconds)
        look()
    with pytest.raises(ClientError) as unknown:
        ec2.describe_vpc_endpoints(VpcEndpointIds=[world.endpoint])
    seen.append(unknown.value.response["Error"]["Code"])
    return seen


def test_the_fake_and_the_emulator_tell_of_the_same_life(emulated: Emulated) -> None:
    assert life(Fake()) == life(emulated)


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        (Kind.THROTTLED, ClientError, "Throttling"),
        (Kind.BROKEN, ClientError, "InternalFailure"),
        (Kind.DENIED, ClientError, "AccessDenied"),
        (Kind.UNREACHED, EndpointConnectionError, "EndpointConnectionError"),
        (Kind.TIMED_OUT, ReadTimeoutError, "ReadTimeoutError"),
    ],
)
def test_a_call_that_fails_is_in_the_log_and_took_effect_only_if_it_timed_out(
    kind: Kind, error: type[Exception], code: str
) -> None:
    world = Fake()
    world.aws.wrong(Fault(kind=kind, operation="RegisterTargets", about=world.group))
    with pytest.raises(error):
        world.client("elbv2").register_targets(TargetGroupArn=world.group, Targets=[{"Id": INSIDE, "Port": 443}])
    assert [(call.operation, call.error, call.mutates) for call in world.aws.calls] == [("RegisterTargets", code, True)]
    assert list(world.aws.registered(world.group)) == ([f"{INSIDE}:443"] if kind is Kind.TIMED_OUT else [])


@pytest.mark.parametrize(
    ("kind", "told", "more", "lost"),
    [
        (Kind.EMPTY, 0, False, 3),
        (Kind.CUT, 1, False, 2),
        (Kind.EMPTY_PAGE, 0, True, 0),
        (Kind.SHORT_PAGE, 1, True, 0),
    ],
)
def test_an_answer_has_not_all_rows_and_says_so_or_does_not(kind: Kind, told: int, more: bool, lost: int) -> None:
    world = Fake()
    world.aws.wrong(Fault(kind=kind, operation="DescribeNetworkInterfaces"))
    answer = world.client("ec2").describe_network_interfaces()
    assert (len(answer["NetworkInterfaces"]), "NextToken" in answer) == (told, more)
    assert [len(call.lost) for call in world.aws.calls] == [lost]
    if more:
        world.aws.wrong()
        rest = world.client("ec2").describe_network_interfaces(NextToken=answer["NextToken"])
        assert len(rest["NetworkInterfaces"]) == 3 - told


def test_a_fault_hits_so_many_calls_of_each_question() -> None:
    world = Fake()
    world.aws.wrong(Fault(kind=Kind.THROTTLED, operation="DescribeTargetHealth", after=1, times=1))
    told = []
    for _ in range(3):
        try:
            world.client("elbv2").describe_target_health(TargetGroupArn=world.group)
        except ClientError as refused:
            told.append(refused.response["Error"]["Code"])
        else:
            told.append("")
    assert told == ["", "Throttling", ""]


def test_the_index_of_tags_lags_behind() -> None:
    aws = FakeAws()
    arn = aws.create_group(None, "vpce-1")

    def indexed() -> list[str]:
        rows = aws.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]  # type: ignore[attr-defined]  # made from the model
        return [row["ResourceARN"] for row in rows]

    told = [indexed()]
    aws.advance(120)
    told.append(indexed())
    aws.bind(arn, None)
    told.append(indexed())
    aws.advance(120)
    assert [*told, indexed()] == [[], [arn], [arn], []]
