"""Target groups of type ip, through an ELBv2 client (emulator/targets.py). All tests share one emulated AWS; each has a
target group of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
from mypy_boto3_elbv2.type_defs import ActionTypeDef, TagTypeDef, TargetDescriptionTypeDef

from emulator import Emulator, emulate, targets

ACCOUNT, OTHER_ACCOUNT = "123456789012", "210987654321"
REGION, OTHER_REGION = "us-east-1", "eu-west-1"
ADDRESS, OTHER_ADDRESS = "10.0.0.10", "10.0.1.10"
NOT_REGISTERED = ("unused", "Target.NotRegistered")
NOT_IN_USE = ("unused", "Target.NotInUse")
INITIAL = ("initial", "Elb.RegistrationInProgress")
DRAINING = ("draining", "Target.DeregistrationInProgress")
HEALTHY = ("healthy", None)

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A load balancer in zones a and b, of a VPC that also has a subnet in zone c."""

    elb: ElasticLoadBalancingv2Client
    vpc_id: str
    subnets: list[str]
    balancer: str

    def group(self, **wanted: Any) -> Group:
        settings: dict[str, Any] = {"Protocol": "TCP", "Port": 443, "TargetType": "ip", **wanted}
        name = f"group-{next(_numbers)}"
        made = self.elb.create_target_group(Name=name, VpcId=self.vpc_id, **settings)["TargetGroups"][0]
        return Group(elb=self.elb, balancer=self.balancer, arn=made["TargetGroupArn"])


@dataclass(frozen=True, kw_only=True)
class Group:
    elb: ElasticLoadBalancingv2Client
    balancer: str
    arn: str

    def attach(self) -> str:
        made = self.elb.create_listener(
            LoadBalancerArn=self.balancer,
            Protocol="TCP",
            Port=1000 + next(_numbers),
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.arn}],
        )
        return made["Listeners"][0]["ListenerArn"]

    def register(self, *wanted: TargetDescriptionTypeDef) -> None:
        self.elb.register_targets(TargetGroupArn=self.arn, Targets=list(wanted))

    def deregister(self, *unwanted: TargetDescriptionTypeDef) -> None:
        self.elb.deregister_targets(TargetGroupArn=self.arn, Targets=list(unwanted))

    def health(self, *asked: TargetDescriptionTypeDef) -> dict[str, tuple[str, str | None]]:
        """By "address:port": state and reason."""
        answer = self.elb.describe_target_health(TargetGroupArn=self.arn, Targets=asked)
        return {
            f"{one['Target']['Id']}:{one['Target']['Port']}": (
                one["TargetHealth"]["State"],
                one["TargetHealth"].get("Reason"),
            )
            for one in answer["TargetHealthDescriptions"]
        }

    def balancers(self) -> list[str]:
        group = self.elb.describe_target_groups(TargetGroupArns=[self.arn])["TargetGroups"][0]
        return list(group.get("LoadBalancerArns", []))


def clients(region: str, account: str) -> tuple[EC2Client, ElasticLoadBalancingv2Client]:
    def call_as_account(request: AWSRequest, **_: object) -> None:
        request.headers["x-moto-account-id"] = account

    ec2, elb = boto3.client("ec2", region), boto3.client("elbv2", region)
    for client in (ec2, elb):
        client.meta.events.register("before-sign", call_as_account)
    return ec2, elb


def build(region: str = REGION, account: str = ACCOUNT) -> Network:
    ec2, elb = clients(region, account)
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{region}{letter}")[
            "Subnet"
        ]["SubnetId"]
        for number, letter in enumerate("abc")
    ]
    made = elb.create_load_balancer(
        Name=f"front-{next(_numbers)}",
        Type="network",
        Scheme="internal",
        Subnets=subnets[:2],
        Tags=[{"Key": "team", "Value": "edge"}],
    )
    return Network(elb=elb, vpc_id=vpc_id, subnets=subnets, balancer=made["LoadBalancers"][0]["LoadBalancerArn"])


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    targets.install()
    with emulate() as emulated:
        yield emulated


@pytest.fixture(scope="module")
def network(aws: Emulator) -> Network:
    return build()


@pytest.fixture
def group(network: Network) -> Group:
    return network.group()


@pytest.fixture
def attached(group: Group) -> Group:
    group.attach()
    return group


def target(address: str = ADDRESS, port: int = 0, zone: str = "") -> TargetDescriptionTypeDef:
    described: TargetDescriptionTypeDef = {"Id": address}
    if port:
        described["Port"] = port
    if zone:
        described["AvailabilityZone"] = zone
    return described


def refusal(group: Group, *wanted: TargetDescriptionTypeDef) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        group.register(*wanted)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# --- Registration ---------------------------------------------------------------------------------------------------


def test_a_registered_target_is_initial_for_three_minutes_and_then_healthy(aws: Emulator, attached: Group) -> None:
    attached.register(target())
    assert attached.health() == {f"{ADDRESS}:443": INITIAL}
    aws.clock.advance(179)
    assert attached.health() == {f"{ADDRESS}:443": INITIAL}
    aws.clock.advance(1)
    assert attached.health() == {f"{ADDRESS}:443": HEALTHY}


def test_a_target_of_a_group_without_a_listener_is_unused_until_there_is_one(aws: Emulator, group: Group) -> None:
    group.register(target())
    aws.clock.advance(600)
    assert group.health() == {f"{ADDRESS}:443": NOT_IN_USE}
    listener = group.attach()
    assert group.health() == {f"{ADDRESS}:443": INITIAL}
    aws.clock.advance(180)
    assert group.health() == {f"{ADDRESS}:443": HEALTHY}
    group.elb.delete_listener(ListenerArn=listener)
    assert group.health() == {f"{ADDRESS}:443": NOT_IN_USE}


def test_a_listener_that_is_pointed_at_another_group_leaves_the_first_unused(network: Network, group: Group) -> None:
    listener, other = group.attach(), network.group()
    group.register(target())
    network.elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": other.arn}])
    assert (group.balancers(), other.balancers()) == ([], [network.balancer])
    assert group.health() == {f"{ADDRESS}:443": NOT_IN_USE}


def test_a_target_in_a_zone_that_the_load_balancer_is_not_in_is_unused(aws: Emulator, attached: Group) -> None:
    attached.register(target("10.0.2.10"), target())
    aws.clock.advance(180)
    assert attached.health() == {"10.0.2.10:443": NOT_IN_USE, f"{ADDRESS}:443": HEALTHY}


def test_a_target_is_used_once_the_load_balancer_has_a_subnet_in_its_zone(aws: Emulator) -> None:
    network = build()
    group = network.group()
    group.attach()
    group.register(target("10.0.2.10"))
    assert group.health() == {"10.0.2.10:443": NOT_IN_USE}
    network.elb.set_subnets(LoadBalancerArn=network.balancer, Subnets=[network.subnets[0], network.subnets[2]])
    assert group.health() == {"10.0.2.10:443": INITIAL}


def test_a_group_that_only_a_rule_forwards_to_is_in_use(network: Network) -> None:
    balancer = network.elb.create_load_balancer(Name="rules", Subnets=network.subnets[:2])["LoadBalancers"][0]
    fixed: ActionTypeDef = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = network.elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[fixed]
    )["Listeners"][0]["ListenerArn"]
    one, other = network.group(Protocol="HTTP"), network.group(Protocol="HTTP")
    one.register(target())
    other.register(target())

    def states() -> list[tuple[str, str | None]]:
        return [group.health()[f"{ADDRESS}:443"] for group in (one, other)]

    forward: ActionTypeDef = {"Type": "forward", "TargetGroupArn": one.arn}
    rule = network.elb.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=[forward],
    )["Rules"][0]["RuleArn"]
    assert states() == [INITIAL, NOT_IN_USE]
    network.elb.modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "TargetGroupArn": other.arn}])
    assert states() == [NOT_IN_USE, INITIAL]
    network.elb.delete_rule(RuleArn=rule)
    assert states() == [NOT_IN_USE, NOT_IN_USE]


def test_registering_a_target_twice_changes_nothing(aws: Emulator, attached: Group) -> None:
    attached.register(target())
    aws.clock.advance(180)
    attached.register(target(), target(port=443))
    assert attached.health() == {f"{ADDRESS}:443": HEALTHY}


def test_a_target_is_an_address_and_a_port(aws: Emulator, attached: Group) -> None:
    attached.register(target(), target(port=8443))
    assert attached.health() == {f"{ADDRESS}:443": INITIAL, f"{ADDRESS}:8443": INITIAL}
    attached.deregister(target())
    assert attached.health() == {f"{ADDRESS}:443": DRAINING, f"{ADDRESS}:8443": INITIAL}


def test_the_answer_has_zone_health_check_port_and_description(aws: Emulator, attached: Group) -> None:
    attached.register(target())
    answer = attached.elb.describe_target_health(TargetGroupArn=attached.arn)
    assert answer["TargetHealthDescriptions"] == [
        {
            "Target": {"Id": ADDRESS, "Port": 443, "AvailabilityZone": f"{REGION}a"},
            "HealthCheckPort": "443",
            "TargetHealth": {
                "State": "initial",
                "Reason": "Elb.RegistrationInProgress",
                "Description": "Target registration is in progress",
            },
        }
    ]


# --- Deregistration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delay", [300, 120])
def test_a_deregistered_target_drains_for_the_delay_of_its_group_and_is_gone(
    aws: Emulator, attached: Group, delay: int
) -> None:
    if delay != 300:
        attached.elb.modify_target_group_attributes(
            TargetGroupArn=attached.arn,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}],
        )
    attached.register(target())
    attached.deregister(target())
    aws.clock.advance(delay - 1)
    assert attached.health() == {f"{ADDRESS}:443": DRAINING}
    aws.clock.advance(1)
    assert attached.health() == {}


def test_deregistering_again_does_not_prolong_the_draining(aws: Emulator, attached: Group) -> None:
    attached.register(target())
    attached.deregister(target())
    aws.clock.advance(200)
    attached.deregister(target())
    aws.clock.advance(100)
    assert attached.health() == {}


def test_a_draining_target_that_is_registered_again_is_initial(aws: Emulator, attached: Group) -> None:
    attached.register(target())
    aws.clock.advance(180)
    attached.deregister(target())
    attached.register(target())
    assert attached.health() == {f"{ADDRESS}:443": INITIAL}
    aws.clock.advance(400)
    assert attached.health() == {f"{ADDRESS}:443": HEALTHY}


def test_deregistering_what_is_not_there_succeeds_and_changes_nothing(aws: Emulator, attached: Group) -> None:
    attached.register(target(port=8443))
    attached.deregister(target(), target(OTHER_ADDRESS, port=8443))
    assert attached.health() == {f"{ADDRESS}:8443": INITIAL}


def test_the_health_of_named_targets_only(aws: Emulator, attached: Group) -> None:
    attached.register(target(), target(OTHER_ADDRESS))
    assert attached.health(target(port=443), target("10.0.1.99")) == {
        f"{ADDRESS}:443": INITIAL,
        "10.0.1.99:443": NOT_REGISTERED,
    }


# --- What is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (target("8.8.8.8"), "The IP address '8.8.8.8' is not of a range that a target may have"),
        (
            target("10.9.0.5"),
            "The Availability Zone is required for IP address '10.9.0.5' because it is not in the VPC",
        ),
        (
            target("10.0.3.5"),
            "The Availability Zone is required for IP address '10.0.3.5' because it is not in the VPC",
        ),
        (
            target("10.9.0.5", zone="eu-west-1a"),
            (
                "You must specify a valid Availability Zone or select 'all' for all enabled Availability zones,"
                " since the IP address '10.9.0.5' is outside the VPC"
            ),
        ),
        (
            target(zone="all"),
            (
                f"The IP address '{ADDRESS}' is within the VPC, and cannot have its Availability Zone overridden"
                f" to 'all' from '{REGION}a'"
            ),
        ),
        (
            target(zone=f"{REGION}b"),
            (
                f"The IP address '{ADDRESS}' is within the VPC, and cannot have its Availability Zone overridden"
                f" to '{REGION}b' from '{REGION}a'"
            ),
        ),
        (target("fd00::5"), "The IP address 'fd00::5' is not a valid IPv4 address"),
        (target("i-0123456789abcdef0"), "The IP address 'i-0123456789abcdef0' is not a valid IPv4 address"),
    ],
)
def test_an_address_that_cannot_be_a_target_is_refused_with_all_that_came_with_it(
    attached: Group, wanted: TargetDescriptionTypeDef, message: str
) -> None:
    assert refusal(attached, target(OTHER_ADDRESS), wanted) == ("ValidationError", message)
    assert attached.health() == {}


@pytest.mark.parametrize("address", ["10.9.0.5", "100.64.0.5", "172.31.0.5", "192.168.0.5"])
def test_a_private_address_outside_the_vpc_needs_a_zone_and_is_used_in_all_of_them(
    aws: Emulator, group: Group, address: str
) -> None:
    group.register(target(address, zone="all"))
    assert group.health() == {f"{address}:443": NOT_IN_USE}
    group.attach()
    aws.clock.advance(180)
    assert group.health() == {f"{address}:443": HEALTHY}


def test_a_group_takes_no_more_targets_than_its_quota(aws: Emulator, attached: Group) -> None:
    targets.set_quota(attached.arn, 2)
    attached.register(target(), target(OTHER_ADDRESS))
    assert refusal(attached, target("10.0.0.11")) == (
        "TooManyTargets",
        "You cannot have more than 2 targets per target group",
    )
    attached.register(target())
    attached.deregister(target(OTHER_ADDRESS))
    attached.register(target("10.0.0.11"))
    assert attached.health() == {
        f"{ADDRESS}:443": INITIAL,
        f"{OTHER_ADDRESS}:443": DRAINING,
        "10.0.0.11:443": INITIAL,
    }


def test_a_group_takes_a_thousand_targets_and_not_one_more(attached: Group) -> None:
    addresses = [f"10.0.{number // 200}.{number % 200 + 10}" for number in range(400)]
    everything = [target(address, port) for port in (443, 444, 445) for address in addresses]
    attached.register(*everything[:1000])
    assert refusal(attached, everything[1000])[0] == "TooManyTargets"


def test_targets_of_a_group_that_is_not_there(attached: Group) -> None:
    gone = attached.arn[:-1] + "x"
    for call in (attached.elb.register_targets, attached.elb.deregister_targets, attached.elb.describe_target_health):
        with pytest.raises(ClientError) as caught:
            call(TargetGroupArn=gone, Targets=[target()])
        assert caught.value.response["Error"]["Code"] == "TargetGroupNotFound"


# --- Health that a test or a world sets -------------------------------------------------------------------------------


def test_a_target_is_as_unhealthy_as_it_is_said_to_be_until_it_drains(aws: Emulator, attached: Group) -> None:
    attached.register(target())
    targets.set_health(attached.arn, f"{ADDRESS}:443", "unhealthy", reason="Target.FailedHealthChecks")
    assert attached.health() == {f"{ADDRESS}:443": ("unhealthy", "Target.FailedHealthChecks")}
    targets.set_health(attached.arn, f"{ADDRESS}:443", "healthy")
    assert attached.health() == {f"{ADDRESS}:443": HEALTHY}
    attached.deregister(target())
    assert attached.health() == {f"{ADDRESS}:443": DRAINING}


@pytest.mark.parametrize("unwanted", [[], [target()]])
def test_the_health_of_a_target_that_is_not_registered_cannot_be_set(
    attached: Group, unwanted: list[TargetDescriptionTypeDef]
) -> None:
    attached.register(target())
    attached.deregister(target())
    with pytest.raises(ValueError, match=f"{ADDRESS}:443 is not registered"):
        targets.set_health(attached.arn, f"{ADDRESS}:443", "unhealthy")


# --- Addresses that network interfaces had ---------------------------------------------------------------------------

NOTICED_SECONDS = 60  # two checks, 30 s apart
FAILED = ("unhealthy", "Target.FailedHealthChecks")


def interface(ec2: EC2Client, subnet: str, address: str = "") -> tuple[str, str]:
    """The id and the address of a new network interface."""
    asked: dict[str, Any] = {"PrivateIpAddress": address} if address else {}
    made = ec2.create_network_interface(SubnetId=subnet, **asked)["NetworkInterface"]
    return made["NetworkInterfaceId"], made["PrivateIpAddress"]


@pytest.fixture
def ec2(aws: Emulator) -> EC2Client:
    return clients(REGION, ACCOUNT)[0]


def test_a_target_whose_interface_is_gone_is_unhealthy_once_the_checks_have_noticed(
    aws: Emulator, network: Network, attached: Group, ec2: EC2Client
) -> None:
    gone, address = interface(ec2, network.subnets[0])
    _, staying = interface(ec2, network.subnets[0])
    attached.register(target(address), target(staying))
    aws.clock.advance(targets.INITIAL_SECONDS)
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    aws.clock.advance(NOTICED_SECONDS - 1)
    assert attached.health() == {f"{address}:443": HEALTHY, f"{staying}:443": HEALTHY}
    aws.clock.advance(1)
    assert attached.health() == {f"{address}:443": FAILED, f"{staying}:443": HEALTHY}


def test_how_soon_is_a_matter_of_the_checks_of_the_group(aws: Emulator, network: Network, ec2: EC2Client) -> None:
    slow = network.group(HealthCheckIntervalSeconds=10, UnhealthyThresholdCount=7)
    slow.attach()
    gone, address = interface(ec2, network.subnets[0])
    slow.register(target(address))
    aws.clock.advance(targets.INITIAL_SECONDS)
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    aws.clock.advance(69)
    assert slow.health() == {f"{address}:443": HEALTHY}
    aws.clock.advance(1)
    assert slow.health() == {f"{address}:443": FAILED}


def test_a_target_that_is_registered_too_late_never_becomes_healthy(
    aws: Emulator, network: Network, attached: Group, ec2: EC2Client
) -> None:
    gone, address = interface(ec2, network.subnets[0])
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    aws.clock.advance(3600)
    attached.register(target(address))
    assert attached.health() == {f"{address}:443": INITIAL}
    aws.clock.advance(NOTICED_SECONDS)
    assert attached.health() == {f"{address}:443": FAILED}


def test_a_target_that_was_still_initial_when_its_interface_went_is_never_healthy(
    aws: Emulator, network: Network, ec2: EC2Client
) -> None:
    """Checks so slow that they have not noticed when a target is healthy otherwise."""
    slow = network.group(HealthCheckIntervalSeconds=300)
    slow.attach()
    gone, address = interface(ec2, network.subnets[0])
    slow.register(target(address))
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    aws.clock.advance(targets.INITIAL_SECONDS)
    assert slow.health() == {f"{address}:443": INITIAL}
    aws.clock.advance(600 - targets.INITIAL_SECONDS)
    assert slow.health() == {f"{address}:443": FAILED}


def test_an_address_that_another_interface_gets_answers_again(
    aws: Emulator, network: Network, attached: Group, ec2: EC2Client
) -> None:
    gone, address = interface(ec2, network.subnets[0])
    attached.register(target(address))
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    aws.clock.advance(3600)
    assert attached.health() == {f"{address}:443": FAILED}
    interface(ec2, network.subnets[0], address)
    assert attached.health() == {f"{address}:443": HEALTHY}


def test_an_address_that_is_taken_from_an_interface_answers_no_more(
    aws: Emulator, network: Network, attached: Group, ec2: EC2Client
) -> None:
    """The other addresses of the interface still do."""
    there = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [network.subnets[0]]}])
    taken = {one["PrivateIpAddress"] for one in there["NetworkInterfaces"]}
    wanted, other = [one for number in range(100, 200) if (one := f"10.0.0.{number}") not in taken][:2]
    first, address = interface(ec2, network.subnets[0], wanted)
    ec2.assign_private_ip_addresses(NetworkInterfaceId=first, PrivateIpAddresses=[other])
    attached.register(target(address), target(other))
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=first, PrivateIpAddresses=[other])
    aws.clock.advance(targets.INITIAL_SECONDS)
    assert attached.health() == {f"{address}:443": HEALTHY, f"{other}:443": FAILED}


def test_interfaces_of_another_vpc_count_only_for_addresses_outside_of_the_groups_own(
    aws: Emulator, attached: Group, ec2: EC2Client
) -> None:
    """One of the other VPCs has the same addresses."""
    for block, address, zone in (("10.0.0.0/24", "10.0.0.99", ""), ("10.7.0.0/24", "10.7.0.99", "all")):
        other = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=other, CidrBlock=block)["Subnet"]["SubnetId"]
        gone, _ = interface(ec2, subnet, address)
        attached.register(target(address, zone=zone))
        ec2.delete_network_interface(NetworkInterfaceId=gone)
    aws.clock.advance(targets.INITIAL_SECONDS)
    assert attached.health() == {"10.0.0.99:443": HEALTHY, "10.7.0.99:443": FAILED}


def test_an_interface_of_another_vpc_does_not_answer_for_an_address_of_the_groups_own(
    aws: Emulator, network: Network, attached: Group, ec2: EC2Client
) -> None:
    other = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    elsewhere = ec2.create_subnet(VpcId=other, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gone, address = interface(ec2, network.subnets[0])
    interface(ec2, elsewhere, address)
    attached.register(target(address))
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    aws.clock.advance(NOTICED_SECONDS)
    assert attached.health() == {f"{address}:443": FAILED}


@pytest.mark.parametrize("change", ["remove", "replace", "delete"])
def test_the_targets_of_an_endpoint_follow_its_interfaces(
    aws: Emulator, network: Network, attached: Group, ec2: EC2Client, change: str
) -> None:
    endpoint = ec2.create_vpc_endpoint(
        VpcId=network.vpc_id,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{REGION}.apprunner.requests",
        SubnetIds=network.subnets[:2],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]
    described = ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])
    first, second = sorted(one["PrivateIpAddress"] for one in described["NetworkInterfaces"])
    attached.register(target(first), target(second))
    aws.clock.advance(targets.INITIAL_SECONDS)
    assert attached.health() == {f"{first}:443": HEALTHY, f"{second}:443": HEALTHY}
    endpoint_id = endpoint["VpcEndpointId"]
    if change == "remove":
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveSubnetIds=network.subnets[:1])
    elif change == "replace":
        ec2.modify_vpc_endpoint(
            VpcEndpointId=endpoint_id,
            SubnetConfigurations=[{"SubnetId": network.subnets[0], "Ipv4": "10.0.0.222"}],
        )
    else:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    aws.clock.advance(NOTICED_SECONDS)
    assert attached.health() == {f"{first}:443": FAILED, f"{second}:443": FAILED if change == "delete" else HEALTHY}


def test_what_is_said_of_a_target_is_stronger_than_its_interface(
    aws: Emulator, network: Network, attached: Group, ec2: EC2Client
) -> None:
    gone, address = interface(ec2, network.subnets[0])
    attached.register(target(address))
    targets.set_health(attached.arn, f"{address}:443", "healthy")
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    aws.clock.advance(3600)
    assert attached.health() == {f"{address}:443": HEALTHY}


# --- Pages and tags -------------------------------------------------------------------------------------------------

UNKNOWN_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/gone/0123456789abcdef"
UNKNOWN_BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/gone/0123456789abcdef"


def code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"]


def test_groups_of_one_name_in_two_accounts_have_ids_of_their_own(aws: Emulator) -> None:
    networks = [build(account=account) for account in (ACCOUNT, OTHER_ACCOUNT)]
    made = [
        one.elb.create_target_group(Name="same", Protocol="TCP", Port=443, VpcId=one.vpc_id, TargetType="ip")
        for one in networks
    ]
    ids = [one["TargetGroups"][0]["TargetGroupArn"].rpartition("/")[2] for one in made]
    assert len(set(ids)) == 2


def test_groups_are_described_in_pages(network: Network) -> None:
    made = sorted(network.group().arn for _ in range(5))
    pages = network.elb.get_paginator("describe_target_groups").paginate(
        TargetGroupArns=made, PaginationConfig={"PageSize": 2}
    )
    found = [[one["TargetGroupArn"] for one in page["TargetGroups"]] for page in pages]
    assert found == [made[:2], made[2:4], made[4:]]
    assert "NextMarker" not in network.elb.describe_target_groups(TargetGroupArns=made, PageSize=5)


def test_a_page_has_up_to_four_hundred(network: Network) -> None:
    made = {network.group().arn for _ in range(401)}
    first = network.elb.describe_target_groups(TargetGroupArns=sorted(made))
    rest = network.elb.describe_target_groups(TargetGroupArns=sorted(made), Marker=first["NextMarker"])
    assert [len(page["TargetGroups"]) for page in (first, rest)] == [400, 1]
    assert {one["TargetGroupArn"] for page in (first, rest) for one in page["TargetGroups"]} == made
    assert code(lambda: network.elb.describe_target_groups(PageSize=401)) == "ValidationError"
    assert code(lambda: network.elb.describe_target_groups(Marker="%")) == "ValidationError"


def test_load_balancers_are_described_in_pages(network: Network) -> None:
    made = sorted([network.balancer, *(build().balancer for _ in range(2))])
    pages = network.elb.get_paginator("describe_load_balancers").paginate(
        LoadBalancerArns=made, PaginationConfig={"PageSize": 2}
    )
    assert [[one["LoadBalancerArn"] for one in page["LoadBalancers"]] for page in pages] == [made[:2], made[2:]]


def test_a_load_balancer_of_a_name_that_is_taken_is_refused(network: Network) -> None:
    made = network.elb.describe_load_balancers(LoadBalancerArns=[network.balancer])["LoadBalancers"][0]
    name, subnets = made["LoadBalancerName"], network.subnets[2:]
    again = code(lambda: network.elb.create_load_balancer(Name=name, Type="network", Subnets=subnets))
    assert again == "DuplicateLoadBalancerName"


def test_a_network_load_balancer_does_not_balance_across_zones_unless_it_is_told_to(network: Network) -> None:
    def across_zones() -> str:
        answer = network.elb.describe_load_balancer_attributes(LoadBalancerArn=network.balancer)["Attributes"]
        return {one["Key"]: one["Value"] for one in answer}["load_balancing.cross_zone.enabled"]

    assert across_zones() == "false"
    network.elb.modify_load_balancer_attributes(
        LoadBalancerArn=network.balancer,
        Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}],
    )
    assert across_zones() == "true"


def test_tags_of_groups_are_described_changed_and_taken_off(network: Network) -> None:
    groups = [network.group(Tags=[{"Key": "team", "Value": "edge"}]).arn for _ in range(20)]

    def described() -> dict[str, dict[str, str]]:
        answer = network.elb.describe_tags(ResourceArns=groups)["TagDescriptions"]
        return {one["ResourceArn"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in answer}

    assert described() == {group: {"team": "edge"} for group in groups}
    network.elb.add_tags(
        ResourceArns=groups[:1], Tags=[{"Key": "team", "Value": "core"}, {"Key": "stage", "Value": "test"}]
    )
    network.elb.remove_tags(ResourceArns=groups[1:], TagKeys=["team", "never-there"])
    assert described() == {group: {} for group in groups} | {groups[0]: {"team": "core", "stage": "test"}}


def test_a_group_takes_fifty_tags_and_not_one_more(network: Network, group: Group) -> None:
    tags: list[TagTypeDef] = [{"Key": f"key-{number}", "Value": "x"} for number in range(51)]
    network.elb.add_tags(ResourceArns=[group.arn], Tags=tags[:50])
    assert code(lambda: network.elb.add_tags(ResourceArns=[group.arn], Tags=tags[50:])) == "TooManyTags"
    network.elb.add_tags(ResourceArns=[group.arn], Tags=[{"Key": "key-0", "Value": "y"}])
    [answer] = network.elb.describe_tags(ResourceArns=[group.arn])["TagDescriptions"]
    assert answer["Tags"] == [{"Key": "key-0", "Value": "y"}, *tags[1:50]]


def test_what_is_not_there_is_refused_with_all_that_came_with_it(network: Network, group: Group) -> None:
    elb, tag = network.elb, TagTypeDef(Key="team", Value="edge")
    asked = [group.arn, UNKNOWN_GROUP]
    refused: dict[str, list[Callable[[], object]]] = {
        "TargetGroupNotFound": [
            lambda: elb.describe_target_groups(TargetGroupArns=asked),
            lambda: elb.describe_tags(ResourceArns=asked),
            lambda: elb.add_tags(ResourceArns=[UNKNOWN_GROUP], Tags=[tag]),
            lambda: elb.remove_tags(ResourceArns=asked, TagKeys=["team"]),
            lambda: elb.describe_target_group_attributes(TargetGroupArn=UNKNOWN_GROUP),
        ],
        "LoadBalancerNotFound": [
            lambda: elb.describe_load_balancers(LoadBalancerArns=[network.balancer, UNKNOWN_BALANCER]),
            lambda: elb.describe_load_balancer_attributes(LoadBalancerArn=UNKNOWN_BALANCER),
            lambda: elb.describe_tags(ResourceArns=[UNKNOWN_BALANCER]),
        ],
        "ValidationError": [
            lambda: elb.describe_tags(ResourceArns=[group.arn] * 21),
            lambda: elb.add_tags(ResourceArns=[group.arn, network.balancer], Tags=[tag]),
        ],
    }
    assert {name: [code(call) for call in calls] for name, calls in refused.items()} == {
        name: [name] * len(calls) for name, calls in refused.items()
    }
    assert elb.describe_tags(ResourceArns=[group.arn])["TagDescriptions"][0]["Tags"] == []


# --- Around it ------------------------------------------------------------------------------------------------------


def test_a_deleted_load_balancer_leaves_its_group_without_one(aws: Emulator) -> None:
    group = build().group()
    group.attach()
    group.register(target())
    group.elb.delete_load_balancer(LoadBalancerArn=group.balancer)
    assert group.balancers() == []
    assert group.health() == {f"{ADDRESS}:443": NOT_IN_USE}


def test_a_network_load_balancer_says_so_in_its_arn_and_has_its_tags(network: Network) -> None:
    assert network.balancer.startswith(f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/front-")
    described = network.elb.describe_load_balancers(LoadBalancerArns=[network.balancer])["LoadBalancers"]
    assert [one["LoadBalancerArn"] for one in described] == [network.balancer]
    assert network.elb.describe_tags(ResourceArns=[network.balancer])["TagDescriptions"] == [
        {"ResourceArn": network.balancer, "Tags": [{"Key": "team", "Value": "edge"}]}
    ]


@pytest.mark.parametrize(
    ("settings", "keeps_client_address"),
    [
        ({}, "false"),
        ({"Protocol": "TLS"}, "false"),
        ({"Protocol": "UDP"}, "true"),
        ({"TargetType": "instance"}, "true"),
    ],
)
def test_a_group_has_the_attributes_of_a_network_load_balancer(
    network: Network, settings: dict[str, str], keeps_client_address: str
) -> None:
    group = network.group(**settings)
    answer = group.elb.describe_target_group_attributes(TargetGroupArn=group.arn)["Attributes"]
    assert {one["Key"]: one["Value"] for one in answer} == {
        **targets.NETWORK_ATTRIBUTES,
        "preserve_client_ip.enabled": keeps_client_address,
    }


def test_accounts_and_regions_do_not_see_each_other(network: Network) -> None:
    groups = [network.group(), build(OTHER_REGION).group(), build(account=OTHER_ACCOUNT).group()]
    for group in groups:
        group.attach()
    groups[1].register(target())
    groups[2].register(target(OTHER_ADDRESS))
    targets.set_health(groups[2].arn, f"{OTHER_ADDRESS}:443", "unhealthy", reason="Target.Timeout")
    assert [group.health() for group in groups] == [
        {},
        {f"{ADDRESS}:443": INITIAL},
        {f"{OTHER_ADDRESS}:443": ("unhealthy", "Target.Timeout")},
    ]


def test_instances_stay_as_moto_has_them(network: Network) -> None:
    group, unknown = network.group(TargetType="instance"), target("i-0123456789abcdef0")
    group.register(unknown)
    assert group.health() == {"i-0123456789abcdef0:443": HEALTHY}
    group.deregister(unknown)
    assert group.health() == {}
