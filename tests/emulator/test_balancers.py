"""A Network Load Balancer has interfaces in its subnets, and security groups only if it was made with some."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

from emulator import Emulator, balancers, emulate
from emulator.clock import EPOCH
from emulator.worlds import sdk_client

ZONES = ("use1-az1", "use1-az2", "use1-az4")


@dataclass(frozen=True, kw_only=True)
class Network:
    aws: Emulator
    ec2: EC2Client
    elb: ElasticLoadBalancingv2Client
    subnets: Sequence[str]
    group: str
    other_group: str

    def balancer(self, **wanted: Any) -> "Balancer":
        settings = {"Name": "front", "Type": "network", "Scheme": "internal", "Subnets": self.subnets[:2], **wanted}
        made = self.elb.create_load_balancer(**settings)["LoadBalancers"][0]
        return Balancer(network=self, arn=made["LoadBalancerArn"])


@dataclass(frozen=True, kw_only=True)
class Balancer:
    network: Network
    arn: str

    def described(self) -> dict[str, Any]:
        return dict(self.network.elb.describe_load_balancers(LoadBalancerArns=[self.arn])["LoadBalancers"][0])

    def interfaces(self) -> dict[str, Any]:
        """By subnet."""
        description = f"ELB {self.arn.partition(':loadbalancer/')[2]}"
        filters: Any = [{"Name": "description", "Values": [description]}]
        found = self.network.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        return {one["SubnetId"]: one for one in found}

    def groups(self) -> list[list[str]]:
        return [[group["GroupId"] for group in one["Groups"]] for one in self.interfaces().values()]

    def listener(self, protocol: str, **wanted: Any) -> dict[str, Any]:
        """Its only listener, with that protocol."""
        elb: Any = self.network.elb
        for one in elb.describe_listeners(LoadBalancerArn=self.arn)["Listeners"]:
            return dict(
                elb.modify_listener(ListenerArn=one["ListenerArn"], Protocol=protocol, **wanted)["Listeners"][0]
            )
        vpc = self.described()["VpcId"]
        made = elb.create_target_group(Name="group", Protocol="TCP", Port=443, VpcId=vpc, TargetType="ip")
        action: Any = {"Type": "forward", "TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"]}
        return dict(
            elb.create_listener(
                LoadBalancerArn=self.arn, Protocol=protocol, Port=443, DefaultActions=[action], **wanted
            )["Listeners"][0]
        )


@pytest.fixture
def network() -> Iterator[Network]:
    with emulate() as aws:
        ec2: EC2Client = sdk_client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZoneId=zone)["Subnet"]["SubnetId"]
            for number, zone in enumerate(ZONES)
        ]
        group, other = (
            ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("one", "two")
        )
        yield Network(aws=aws, ec2=ec2, elb=sdk_client("elbv2"), subnets=subnets, group=group, other_group=other)


def code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"]


def test_it_is_described_as_a_network_load_balancer(network: Network) -> None:
    balancer = network.balancer(SecurityGroups=[network.group])
    name = balancer.arn.rpartition("/")[2]
    described = balancer.described()
    zones = {one["SubnetId"]: one["AvailabilityZone"] for one in network.ec2.describe_subnets()["Subnets"]}
    assert described.pop("CanonicalHostedZoneId")
    assert described == {
        "LoadBalancerArn": f"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/front/{name}",
        "DNSName": f"front-{name}.elb.us-east-1.amazonaws.com",
        "CreatedTime": EPOCH,
        "LoadBalancerName": "front",
        "Scheme": "internal",
        "VpcId": network.ec2.describe_subnets(SubnetIds=[network.subnets[0]])["Subnets"][0]["VpcId"],
        "State": {"Code": "active"},
        "Type": "network",
        "AvailabilityZones": [
            {"ZoneName": zones[subnet], "SubnetId": subnet, "LoadBalancerAddresses": []}
            for subnet in network.subnets[:2]
        ],
        "SecurityGroups": [network.group],
        "IpAddressType": "ipv4",
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on",
    }


def test_it_has_the_attributes_of_one(network: Network) -> None:
    answer = network.elb.describe_load_balancer_attributes(LoadBalancerArn=network.balancer().arn)["Attributes"]
    assert {one["Key"]: one["Value"] for one in answer} == balancers.NETWORK_ATTRIBUTES


def test_it_faces_the_internet_unless_it_is_told_not_to(network: Network) -> None:
    made = network.elb.create_load_balancer(Name="open", Type="network", Subnets=network.subnets[:1])
    assert made["LoadBalancers"][0]["Scheme"] == "internet-facing"


def test_it_has_an_interface_in_each_of_its_subnets(network: Network) -> None:
    interfaces = network.balancer(SecurityGroups=[network.group]).interfaces()
    assert sorted(interfaces) == sorted(network.subnets[:2])
    for subnet, one in interfaces.items():
        block = network.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CidrBlock"]
        assert one["PrivateIpAddress"].rpartition(".")[0] == block.rpartition(".")[0]
        assert {name: one[name] for name in ("InterfaceType", "RequesterId", "RequesterManaged", "Status")} == {
            "InterfaceType": "network_load_balancer",
            "RequesterId": "amazon-elb",
            "RequesterManaged": True,
            "Status": "in-use",
        }
        assert one["Groups"] == [{"GroupId": network.group, "GroupName": "one"}]
        delete = partial(network.ec2.delete_network_interface, NetworkInterfaceId=one["NetworkInterfaceId"])
        assert code(delete) == "InvalidParameterValue"


def test_its_interfaces_do_not_change_the_ids_of_what_is_made_after_it(network: Network) -> None:
    network.balancer()
    after = network.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    network.aws.reset()
    vpc = network.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for number, zone in enumerate(ZONES):
        network.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZoneId=zone)
    for name in ("one", "two"):
        network.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
    network.balancer(Subnets=network.subnets)
    assert network.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"] == after


def test_its_interfaces_follow_its_subnets(network: Network) -> None:
    balancer = network.balancer()
    before = balancer.interfaces()
    kept, left, joined = network.subnets
    network.elb.set_subnets(LoadBalancerArn=balancer.arn, Subnets=[kept, joined])
    after = balancer.interfaces()
    assert (sorted(after), after[kept]) == (sorted([kept, joined]), before[kept])
    network.elb.set_subnets(LoadBalancerArn=balancer.arn, Subnets=[kept])
    assert balancer.interfaces() == {kept: before[kept]}
    assert [one["SubnetId"] for one in balancer.described()["AvailabilityZones"]] == [kept]
    gone = before[left]["NetworkInterfaceId"]
    assert (
        code(lambda: network.ec2.describe_network_interfaces(NetworkInterfaceIds=[gone]))
        == "InvalidNetworkInterfaceID.NotFound"
    )


def test_two_subnets_of_a_zone_are_refused_and_change_nothing(network: Network) -> None:
    balancer = network.balancer()
    before = balancer.interfaces()
    asked = [network.subnets[2], network.subnets[2]]
    refused = code(lambda: network.elb.set_subnets(LoadBalancerArn=balancer.arn, Subnets=asked))
    assert (refused, balancer.interfaces()) == ("InvalidConfigurationRequest", before)


def test_an_address_can_be_chosen(network: Network) -> None:
    first, second, _ = network.subnets
    balancer = network.balancer(
        Subnets=[], SubnetMappings=[{"SubnetId": first, "PrivateIPv4Address": "10.0.0.77"}, {"SubnetId": second}]
    )
    assert balancer.interfaces()[first]["PrivateIpAddress"] == "10.0.0.77"
    assert [one["LoadBalancerAddresses"] for one in balancer.described()["AvailabilityZones"]] == [
        [{"PrivateIPv4Address": "10.0.0.77"}],
        [],
    ]


def test_a_deleted_one_takes_its_interfaces_along(network: Network) -> None:
    balancer = network.balancer()
    network.elb.delete_load_balancer(LoadBalancerArn=balancer.arn)
    assert balancer.interfaces() == {}


def test_security_groups_are_changed_with_whether_they_hold_for_private_link(network: Network) -> None:
    balancer = network.balancer(SecurityGroups=[network.group])
    answer: Any = network.elb.set_security_groups(
        LoadBalancerArn=balancer.arn,
        SecurityGroups=[network.other_group],
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off",
    )
    enforced = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    assert (answer["SecurityGroupIds"], answer[enforced]) == ([network.other_group], "off")
    described = balancer.described()
    assert (described["SecurityGroups"], described[enforced]) == ([network.other_group], "off")
    assert balancer.groups() == [[network.other_group]] * 2
    network.elb.set_security_groups(LoadBalancerArn=balancer.arn, SecurityGroups=[network.group])
    assert (balancer.described()[enforced], balancer.groups()) == ("off", [[network.group]] * 2)


def test_one_without_security_groups_never_gets_any(network: Network) -> None:
    balancer = network.balancer()
    change = network.elb.set_security_groups
    assert (
        code(lambda: change(LoadBalancerArn=balancer.arn, SecurityGroups=[network.group]))
        == "InvalidConfigurationRequest"
    )
    described = balancer.described()
    assert "SecurityGroups" not in described
    assert "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic" not in described
    assert balancer.groups() == [[], []]


def test_only_a_listener_that_ends_tls_has_a_policy(network: Network) -> None:
    certificate = sdk_client("acm").request_certificate(DomainName="orders.example.com")["CertificateArn"]
    balancer = network.balancer()
    plain = balancer.listener("TCP")
    secure = balancer.listener(
        "TLS", Certificates=[{"CertificateArn": certificate}], SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"
    )
    assert {"SslPolicy", "Certificates", "AlpnPolicy"}.isdisjoint(plain)
    assert (secure["Protocol"], secure["SslPolicy"], secure["Certificates"]) == (
        "TLS",
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        [{"CertificateArn": certificate}],
    )
    assert balancer.listener("TCP") == plain


def test_an_application_load_balancer_stays_as_moto_has_it(network: Network) -> None:
    made = network.balancer(Type="application", SecurityGroups=[network.group])
    described = made.described()
    assert (made.arn.split("/")[1], described["Type"], made.interfaces()) == ("app", "application", {})
    assert all("LoadBalancerAddresses" not in one for one in described["AvailabilityZones"])
