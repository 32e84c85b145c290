"""VPC endpoints, through an EC2 client (emulator/endpoints.py). All tests share one emulated AWS; each has a VPC of its
own."""

from __future__ import annotations

import functools
import ipaddress
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_ec2.type_defs import NetworkInterfaceTypeDef, RouteTypeDef, VpcEndpointTypeDef

from emulator import Emulator, emulate

ACCOUNT, OTHER_ACCOUNT = "123456789012", "210987654321"
REGION = "us-east-1"
REQUESTS = "com.amazonaws.us-east-1.apprunner.requests"
S3 = "com.amazonaws.us-east-1.s3"
UNKNOWN = "vpce-0123456789abcdef0"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A VPC with a /24 in each of the zones a, b and c, and a second one in zone a."""

    ec2: EC2Client
    vpc: str
    a: str
    b: str
    c: str
    a_again: str
    default_group: str

    def endpoint(self, *subnets: str, **wanted: Any) -> str:
        settings = {"ServiceName": REQUESTS, "VpcEndpointType": "Interface", "SubnetIds": list(subnets), **wanted}
        made = self.ec2.create_vpc_endpoint(VpcId=self.vpc, **settings)
        return made["VpcEndpoint"]["VpcEndpointId"]

    def describe(self, endpoint: str) -> VpcEndpointTypeDef:
        return self.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]

    def state(self, endpoint: str) -> str:
        # The model spells the states otherwise than AWS answers them.
        return str(self.describe(endpoint)["State"])

    def interfaces(self, endpoint: str) -> dict[str, NetworkInterfaceTypeDef]:
        """The endpoint's interfaces by subnet."""
        ids = self.describe(endpoint).get("NetworkInterfaceIds", [])
        if not ids:
            return {}
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"]
        return {one["SubnetId"]: one for one in found}

    def addresses(self, endpoint: str) -> dict[str, str]:
        return {subnet: one["PrivateIpAddress"] for subnet, one in self.interfaces(endpoint).items()}

    def all_interfaces(self) -> list[str]:
        found = self.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])
        return [one["NetworkInterfaceId"] for one in found["NetworkInterfaces"]]

    def free(self, subnet: str) -> int:
        return self.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]

    def group(self, name: str) -> str:
        return self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]

    def prefix_routes(self, table: str) -> list[RouteTypeDef]:
        routes = self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        return [route for route in routes if "DestinationPrefixListId" in route]


@functools.cache
def client(region: str, account: str) -> EC2Client:
    def call_as_account(request: AWSRequest, **_: object) -> None:
        request.headers["x-moto-account-id"] = account

    ec2 = boto3.client("ec2", region)
    ec2.meta.events.register("before-sign", call_as_account)
    return ec2


def build(region: str = REGION, account: str = ACCOUNT, *, ipv6: bool = False) -> Network:
    ec2 = client(region, account)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]
    a, b, c, a_again = (
        ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{region}{letter}")[
            "Subnet"
        ]["SubnetId"]
        for number, letter in enumerate("abca")
    )
    if ipv6:
        block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        ec2.associate_subnet_cidr_block(SubnetId=a, Ipv6CidrBlock=block.replace("/56", "/64"))
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["SecurityGroups"][0]
    return Network(ec2=ec2, vpc=vpc["VpcId"], a=a, b=b, c=c, a_again=a_again, default_group=group["GroupId"])


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with emulate() as emulated:
        yield emulated


@pytest.fixture
def network(aws: Emulator) -> Network:
    return build()


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def within(address: str, block: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(block)


# --- Create ---------------------------------------------------------------------------------------------------------


def test_an_interface_endpoint_has_an_interface_in_each_subnet_with_an_address_of_it(network: Network) -> None:
    endpoint = network.endpoint(network.a, network.b)
    interfaces = network.interfaces(endpoint)
    assert set(interfaces) == {network.a, network.b}
    for subnet, block in ((network.a, "10.0.0.0/24"), (network.b, "10.0.1.0/24")):
        interface = interfaces[subnet]
        assert within(interface["PrivateIpAddress"], block)
        assert {
            name: interface.get(name)
            for name in ("InterfaceType", "RequesterManaged", "RequesterId", "Description", "Status", "VpcId")
        } == {
            "InterfaceType": "vpc_endpoint",
            "RequesterManaged": True,
            "RequesterId": ACCOUNT,
            "Description": f"VPC Endpoint Interface {endpoint}",
            "Status": "in-use",
            "VpcId": network.vpc,
        }
        assert interface["Groups"] == [{"GroupId": network.default_group, "GroupName": "default"}]
        assert interface["Attachment"]["InstanceOwnerId"] == "amazon-aws"
        assert network.free(subnet) == 250
    assert network.free(network.c) == 251


def test_an_interface_endpoint_is_pending_and_then_available(aws: Emulator, network: Network) -> None:
    endpoint = network.endpoint(network.a)
    assert network.state(endpoint) == "pending"
    aws.clock.advance(29)
    assert network.state(endpoint) == "pending"
    aws.clock.advance(1)
    assert network.state(endpoint) == "available"


def test_an_interface_endpoint_is_described_as_aws_describes_one(aws: Emulator, network: Network) -> None:
    group, now = network.group("callers"), aws.clock.now()
    endpoint = network.endpoint(
        network.a,
        SecurityGroupIds=[group],
        PrivateDnsEnabled=False,
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "apps"}]}],
    )
    described = dict(network.describe(endpoint))
    names = [entry["DnsName"] for entry in network.describe(endpoint)["DnsEntries"]]
    (interface,) = network.all_interfaces()
    del described["DnsEntries"]
    assert json.loads(str(described.pop("PolicyDocument")))["Statement"][0]["Effect"] == "Allow"
    assert described == {
        "VpcEndpointId": endpoint,
        "VpcEndpointType": "Interface",
        "VpcId": network.vpc,
        "ServiceName": REQUESTS,
        "ServiceRegion": REGION,
        "State": "pending",
        "RouteTableIds": [],
        "SubnetIds": [network.a],
        "Groups": [{"GroupId": group, "GroupName": "callers"}],
        "IpAddressType": "ipv4",
        "DnsOptions": {"DnsRecordIpType": "ipv4"},
        "PrivateDnsEnabled": False,
        "RequesterManaged": False,
        "NetworkInterfaceIds": [interface],
        "CreationTimestamp": now,
        "Tags": [{"Key": "Name", "Value": "apps"}],
        "OwnerId": ACCOUNT,
    }
    domain = "requests.apprunner.us-east-1.vpce.amazonaws.com"
    assert [name.removeprefix(endpoint)[10:] for name in names] == [domain, f"us-east-1a.{domain}"]


def test_one_subnet_for_each_zone(network: Network) -> None:
    code, message = refusal(lambda: network.endpoint(network.a, network.b, network.a_again))
    assert code == "DuplicateSubnetsInSameZone"
    assert message.startswith(f"Found another VPC endpoint subnet in the availability zone of {network.a_again}.")
    assert network.all_interfaces() == []


def test_an_address_designated_at_creation(network: Network) -> None:
    endpoint = network.endpoint(
        network.a, network.b, SubnetConfigurations=[{"SubnetId": network.a, "Ipv4": "10.0.0.77"}]
    )
    assert network.addresses(endpoint)[network.a] == "10.0.0.77"
    assert within(network.addresses(endpoint)[network.b], "10.0.1.0/24")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.0.1.77", "InvalidParameterValue"),
        ("10.0.0.3", "InvalidParameterValue"),
        ("10.0.0.255", "InvalidParameterValue"),
        ("10.0.0.50", "InvalidIPAddress.InUse"),
    ],
)
def test_an_address_that_cannot_be_designated_makes_no_endpoint(network: Network, address: str, code: str) -> None:
    network.ec2.create_network_interface(SubnetId=network.a, PrivateIpAddress="10.0.0.50")
    configuration = [{"SubnetId": network.a, "Ipv4": address}]
    assert refusal(lambda: network.endpoint(network.a, SubnetConfigurations=configuration))[0] == code
    assert len(network.all_interfaces()) == 1


def test_a_subnet_without_a_free_address_makes_no_endpoint(network: Network) -> None:
    small = network.ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.9.0/28", AvailabilityZone="us-east-1d")
    subnet = small["Subnet"]["SubnetId"]
    addresses = {
        network.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["PrivateIpAddress"] for _ in range(11)
    }
    assert addresses == {f"10.0.9.{last}" for last in range(4, 15)}
    assert network.free(subnet) == 0
    assert refusal(lambda: network.endpoint(subnet))[0] == "InsufficientFreeAddressesInSubnet"


def test_a_dual_stack_endpoint_has_addresses_of_both_kinds_and_can_give_up_one(aws: Emulator) -> None:
    network = build(ipv6=True)
    endpoint = network.endpoint(network.a, IpAddressType="dualstack")
    block = network.ec2.describe_subnets(SubnetIds=[network.a])["Subnets"][0]["Ipv6CidrBlockAssociationSet"][0]
    (interface,) = network.interfaces(endpoint).values()
    assert within(interface["Ipv6Addresses"][0]["Ipv6Address"], block["Ipv6CidrBlock"])
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, IpAddressType="ipv4")
    (changed,) = network.interfaces(endpoint).values()
    assert (changed["NetworkInterfaceId"], changed["Ipv6Addresses"]) == (interface["NetworkInterfaceId"], [])
    assert network.describe(endpoint)["IpAddressType"] == "ipv4"


def test_an_endpoint_without_an_address_type_has_no_ipv6_address(aws: Emulator) -> None:
    network = build(ipv6=True)
    (interface,) = network.interfaces(network.endpoint(network.a)).values()
    assert interface["Ipv6Addresses"] == []


@pytest.mark.parametrize("field", ["SubnetIds", "SecurityGroupIds"])
def test_an_unknown_subnet_or_group_makes_no_endpoint(network: Network, field: str) -> None:
    unknown = {"SubnetIds": "subnet-0123456789abcdef0", "SecurityGroupIds": "sg-0123456789abcdef0"}[field]
    code = {"SubnetIds": "InvalidSubnetID.NotFound", "SecurityGroupIds": "InvalidGroup.NotFound"}[field]
    assert refusal(lambda: network.endpoint(network.a, **{field: [unknown]}))[0] == code
    assert network.all_interfaces() == []


def test_a_zone_that_the_endpoint_service_lacks_is_refused(
    aws: Emulator, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, lacking = network.endpoint(network.a), network.b
    [subnet] = network.ec2.describe_subnets(SubnetIds=[lacking])["Subnets"]
    monkeypatch.setattr(aws.settings, "endpoint_unsupported_zone_ids", (subnet["AvailabilityZoneId"],))
    refused = (
        "InvalidParameter",
        f"The VPC endpoint service {REQUESTS} does not support the availability zone of the subnet: {lacking}.",
    )
    assert refusal(lambda: network.endpoint(lacking, PrivateDnsEnabled=False)) == refused
    modify = network.ec2.modify_vpc_endpoint
    assert refusal(lambda: modify(VpcEndpointId=first, AddSubnetIds=[lacking])) == refused
    [described] = network.ec2.describe_vpc_endpoint_services(ServiceNames=[REQUESTS])["ServiceDetails"]
    zones = {f"us-east-1{letter}" for letter in "abcdef"}
    assert zones - set(described["AvailabilityZones"]) == {subnet["AvailabilityZone"]}
    network.endpoint(lacking, ServiceName=f"com.amazonaws.{REGION}.ecr.api")


# --- Private DNS ----------------------------------------------------------------------------------------------------


def test_a_second_endpoint_of_a_service_with_private_dns_conflicts_with_the_first(
    aws: Emulator, network: Network
) -> None:
    first = network.endpoint(network.a)
    code, message = refusal(lambda: network.endpoint(network.b))
    assert code == "InvalidParameter"
    assert message.startswith("private-dns-enabled cannot be set because there is already a conflicting DNS domain")
    second = network.endpoint(network.b, PrivateDnsEnabled=False)

    def enable() -> object:
        return network.ec2.modify_vpc_endpoint(VpcEndpointId=second, PrivateDnsEnabled=True)

    assert refusal(enable)[0] == "InvalidParameter"
    network.ec2.modify_vpc_endpoint(VpcEndpointId=first, PrivateDnsEnabled=False)
    enable()
    enable()
    assert [network.describe(one)["PrivateDnsEnabled"] for one in (first, second)] == [False, True]
    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[second])
    network.endpoint(network.c)


def test_endpoints_of_another_service_or_vpc_do_not_conflict(network: Network) -> None:
    network.endpoint(network.a)
    network.endpoint(network.a, ServiceName=REQUESTS.removesuffix(".requests"))
    build().endpoint()


# --- Modify ---------------------------------------------------------------------------------------------------------


def test_adding_a_subnet_makes_an_interface_and_keeps_the_others(network: Network) -> None:
    endpoint = network.endpoint(network.a)
    before = network.addresses(endpoint)
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=[network.b, network.a])
    after = network.addresses(endpoint)
    assert set(after) == {network.a, network.b}
    assert after[network.a] == before[network.a]
    assert within(after[network.b], "10.0.1.0/24")
    assert network.describe(endpoint)["SubnetIds"] == [network.a, network.b]
    assert len(network.describe(endpoint)["DnsEntries"]) == 3


def test_removing_a_subnet_removes_its_interface(network: Network) -> None:
    endpoint = network.endpoint(network.a, network.b)
    kept = network.interfaces(endpoint)[network.b]["NetworkInterfaceId"]
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveSubnetIds=[network.a])
    assert network.describe(endpoint)["SubnetIds"] == [network.b]
    assert network.describe(endpoint)["NetworkInterfaceIds"] == [kept]
    assert network.all_interfaces() == [kept]
    assert network.free(network.a) == 251


def test_a_second_subnet_of_a_zone_is_refused_unless_the_first_leaves(network: Network) -> None:
    endpoint = network.endpoint(network.a)
    before = network.addresses(endpoint)

    def move(*leaving: str) -> object:
        return network.ec2.modify_vpc_endpoint(
            VpcEndpointId=endpoint, AddSubnetIds=[network.a_again], RemoveSubnetIds=leaving
        )

    assert refusal(move)[0] == "DuplicateSubnetsInSameZone"
    assert network.addresses(endpoint) == before
    move(network.a)
    assert list(network.addresses(endpoint)) == [network.a_again]


def test_designating_another_address_replaces_the_interface_of_that_subnet(network: Network) -> None:
    endpoint = network.endpoint(network.a, network.b)
    before = network.interfaces(endpoint)
    network.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, SubnetConfigurations=[{"SubnetId": network.a, "Ipv4": "10.0.0.88"}]
    )
    after = network.interfaces(endpoint)
    assert after[network.a]["PrivateIpAddress"] == "10.0.0.88"
    assert after[network.a]["NetworkInterfaceId"] != before[network.a]["NetworkInterfaceId"]
    assert after[network.b] == before[network.b]
    assert sorted(network.all_interfaces()) == sorted(one["NetworkInterfaceId"] for one in after.values())


def test_designating_the_address_that_it_has_changes_nothing(network: Network) -> None:
    endpoint = network.endpoint(network.a)
    before = network.interfaces(endpoint)
    address = before[network.a]["PrivateIpAddress"]
    network.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, SubnetConfigurations=[{"SubnetId": network.a, "Ipv4": address}]
    )
    assert network.interfaces(endpoint) == before


def test_an_address_that_cannot_be_designated_changes_nothing(network: Network) -> None:
    endpoint = network.endpoint(network.a)
    before = network.interfaces(endpoint)
    assert (
        refusal(
            lambda: network.ec2.modify_vpc_endpoint(
                VpcEndpointId=endpoint,
                AddSubnetIds=[network.b],
                SubnetConfigurations=[{"SubnetId": network.b, "Ipv4": "10.0.0.9"}],
            )
        )[0]
        == "InvalidParameterValue"
    )
    assert network.interfaces(endpoint) == before


def test_groups_follow_on_every_interface(network: Network) -> None:
    endpoint, group = network.endpoint(network.a, network.b), network.group("callers")
    network.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, AddSecurityGroupIds=[group], RemoveSecurityGroupIds=[network.default_group]
    )
    expected = [{"GroupId": group, "GroupName": "callers"}]
    assert network.describe(endpoint)["Groups"] == expected
    assert [one["Groups"] for one in network.interfaces(endpoint).values()] == [expected, expected]
    found = network.ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [group]}])
    assert len(found["NetworkInterfaces"]) == 2


def test_a_policy_is_set_and_reset(network: Network) -> None:
    endpoint, policy = network.endpoint(network.a), '{"Statement":[]}'
    default = network.describe(endpoint)["PolicyDocument"]
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy)
    assert network.describe(endpoint)["PolicyDocument"] == policy
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    assert network.describe(endpoint)["PolicyDocument"] == default


def test_an_unknown_endpoint_and_one_that_is_being_deleted_cannot_be_modified(network: Network) -> None:
    endpoint = network.endpoint(network.a)
    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    for one, code in ((UNKNOWN, "InvalidVpcEndpointId.NotFound"), (endpoint, "IncorrectState")):

        def modify(endpoint_id: str = one) -> object:
            return network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddSubnetIds=[network.b])

        assert refusal(modify)[0] == code
    assert network.all_interfaces() == []


# --- Delete ---------------------------------------------------------------------------------------------------------


def test_a_deleted_endpoint_loses_its_interfaces_and_is_unknown_later(aws: Emulator, network: Network) -> None:
    endpoint = network.endpoint(network.a, network.b)
    assert network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"] == []
    assert network.all_interfaces() == []
    aws.clock.advance(29)
    assert (network.state(endpoint), network.describe(endpoint)["NetworkInterfaceIds"]) == ("deleting", [])
    aws.clock.advance(1)
    assert refusal(lambda: network.describe(endpoint))[0] == "InvalidVpcEndpointId.NotFound"


def test_an_endpoint_deleted_while_pending_never_becomes_available(aws: Emulator, network: Network) -> None:
    endpoint = network.endpoint(network.a)
    aws.clock.advance(10)
    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    aws.clock.advance(20)
    assert network.state(endpoint) == "deleting"


def test_unknown_endpoints_are_named_while_the_others_are_deleted(network: Network) -> None:
    endpoint = network.endpoint(network.a)
    answer = network.ec2.delete_vpc_endpoints(VpcEndpointIds=[UNKNOWN, endpoint])
    assert answer["Unsuccessful"] == [
        {
            "ResourceId": UNKNOWN,
            "Error": {
                "Code": "InvalidVpcEndpointId.NotFound",
                "Message": f"The VpcEndPoint ID '{UNKNOWN}' does not exist",
            },
        }
    ]
    assert network.state(endpoint) == "deleting"


def test_an_interface_of_an_endpoint_cannot_be_deleted_by_hand(network: Network) -> None:
    endpoint = network.endpoint(network.a)
    (interface,) = network.all_interfaces()
    assert refusal(lambda: network.ec2.delete_network_interface(NetworkInterfaceId=interface)) == (
        "InvalidParameterValue",
        f"Network interface '{interface}' is currently in use.",
    )
    assert network.describe(endpoint)["NetworkInterfaceIds"] == [interface]


# --- Describe -------------------------------------------------------------------------------------------------------


def test_endpoints_are_filtered(aws: Emulator, network: Network) -> None:
    first = network.endpoint(network.a)
    aws.clock.advance(30)
    second = network.endpoint(network.b, ServiceName=REQUESTS.removesuffix(".requests"))
    table = network.ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    gateway = network.endpoint(ServiceName=S3, VpcEndpointType="Gateway", RouteTableIds=[table], SubnetIds=[])

    def found(name: str, *values: str) -> list[str]:
        answer = network.ec2.describe_vpc_endpoints(
            Filters=[{"Name": name, "Values": values}, {"Name": "vpc-id", "Values": [network.vpc]}]
        )
        return [one["VpcEndpointId"] for one in answer["VpcEndpoints"]]

    assert found("service-name", REQUESTS) == [first]
    assert found("vpc-endpoint-id", first, gateway) == [first, gateway]
    assert found("vpc-endpoint-type", "Interface") == [first, second]
    assert found("vpc-endpoint-state", "pending") == [second]
    assert found("vpc-endpoint-state", "available", "pending") == [first, second, gateway]
    assert found("vpc-endpoint-id", UNKNOWN) == []
    twice = network.ec2.describe_vpc_endpoints(VpcEndpointIds=[first, first])["VpcEndpoints"]
    assert [one["VpcEndpointId"] for one in twice] == [first]
    assert refusal(lambda: network.ec2.describe_vpc_endpoints(VpcEndpointIds=[first, UNKNOWN])) == (
        "InvalidVpcEndpointId.NotFound",
        f"The VpcEndPoint ID '{UNKNOWN}' does not exist",
    )


def test_endpoints_come_in_pages(network: Network) -> None:
    made = [network.endpoint(network.a, PrivateDnsEnabled=False) for _ in range(5)]
    pages = network.ec2.get_paginator("describe_vpc_endpoints").paginate(
        Filters=[{"Name": "vpc-id", "Values": [network.vpc]}], PaginationConfig={"PageSize": 2}
    )
    assert [[one["VpcEndpointId"] for one in page["VpcEndpoints"]] for page in pages] == [made[:2], made[2:4], made[4:]]


def test_interfaces_are_filtered(network: Network) -> None:
    endpoint = network.endpoint(network.a, network.b)
    interfaces = {subnet: one["NetworkInterfaceId"] for subnet, one in network.interfaces(endpoint).items()}
    network.ec2.create_tags(Resources=[interfaces[network.a]], Tags=[{"Key": "checked", "Value": "yes"}])

    def found(name: str, *values: str) -> set[str]:
        answer = network.ec2.describe_network_interfaces(
            Filters=[{"Name": name, "Values": values}, {"Name": "vpc-id", "Values": [network.vpc]}]
        )
        return {one["NetworkInterfaceId"] for one in answer["NetworkInterfaces"]}

    everything = set(interfaces.values())
    assert found("group-id", network.default_group, "sg-0123456789abcdef0") == everything
    assert found("subnet-id", network.a, network.c) == {interfaces[network.a]}
    assert found("description", f"VPC Endpoint Interface {endpoint[:8]}*") == everything
    assert found("description", "AWSAppRunner ENI*") == set()
    assert found("tag-key", "checked", "other") == {interfaces[network.a]}
    assert found("interface-type", "vpc_endpoint") == everything
    assert found("requester-managed", "true") == everything
    assert (
        refusal(lambda: network.ec2.describe_network_interfaces(NetworkInterfaceIds=["eni-0123456789abcdef0"]))[0]
        == "InvalidNetworkInterfaceID.NotFound"
    )


def test_the_services_of_app_runner_are_known(network: Network) -> None:
    control = REQUESTS.removesuffix(".requests")
    answer = network.ec2.describe_vpc_endpoint_services(ServiceNames=[control, REQUESTS])
    assert answer["ServiceNames"] == [control, REQUESTS]
    assert [one["VpcEndpointPolicySupported"] for one in answer["ServiceDetails"]] == [True, False]
    zones = [f"us-east-1{letter}" for letter in "abcdef"]
    assert [one["AvailabilityZones"] for one in answer["ServiceDetails"]] == [zones, zones]


# --- Gateway endpoints ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [{}, {"VpcEndpointType": "Gateway"}])
def test_a_gateway_endpoint_puts_a_route_into_its_tables(network: Network, kind: dict[str, Any]) -> None:
    tables = [network.ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]
    made = network.ec2.create_vpc_endpoint(VpcId=network.vpc, ServiceName=S3, RouteTableIds=tables[:1], **kind)
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]
    described = network.describe(endpoint)
    assert (described["VpcEndpointType"], described["PrivateDnsEnabled"]) == ("Gateway", False)
    assert network.state(endpoint) == "available"
    (route,) = network.prefix_routes(tables[0])
    assert (route["GatewayId"], route["State"]) == (endpoint, "active")
    prefix_list = network.ec2.describe_managed_prefix_lists(PrefixListIds=[route["DestinationPrefixListId"]])
    assert prefix_list["PrefixLists"][0]["PrefixListName"] == S3

    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=tables[1:], RemoveRouteTableIds=tables[:1])
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=tables[1:])
    assert network.prefix_routes(tables[0]) == []
    assert network.prefix_routes(tables[1]) == [route]
    assert network.describe(endpoint)["RouteTableIds"] == tables[1:]

    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert network.prefix_routes(tables[1]) == []
    assert refusal(lambda: network.describe(endpoint))[0] == "InvalidVpcEndpointId.NotFound"


def test_a_gateway_endpoint_outlives_its_route_table(network: Network) -> None:
    table = network.ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    made = network.ec2.create_vpc_endpoint(VpcId=network.vpc, ServiceName=S3, RouteTableIds=[table])
    network.ec2.delete_route_table(RouteTableId=table)
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]
    assert network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"] == []


# --- Accounts and Regions -------------------------------------------------------------------------------------------


def test_accounts_and_regions_do_not_see_each_other(aws: Emulator) -> None:
    networks = [build(account=OTHER_ACCOUNT), build("eu-central-1")]
    made = [network.endpoint(network.a) for network in networks]
    assert [network.describe(endpoint)["OwnerId"] for network, endpoint in zip(networks, made, strict=True)] == [
        OTHER_ACCOUNT,
        ACCOUNT,
    ]
    for network, endpoint in zip(networks, made, strict=True):
        found = network.ec2.describe_vpc_endpoints()["VpcEndpoints"]
        assert [one["VpcEndpointId"] for one in found] == [endpoint]
    aws.clock.advance(30)
    assert [networks[0].state(made[0]), networks[1].state(made[1])] == ["available"] * 2
