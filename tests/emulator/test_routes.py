"""Routes, NAT gateways, subnets and what else makes up a VPC, through an EC2 client (emulator/routes.py). All tests
share one emulated AWS; each has a VPC of its own."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_ec2.type_defs import FilterTypeDef, NatGatewayTypeDef, RouteTableTypeDef, SubnetTypeDef

from emulator import Emulator, emulate

ACCOUNT, OTHER_ACCOUNT = "123456789012", "210987654321"
REGION = "us-east-1"
ANYWHERE, ANYWHERE_IPV6 = "0.0.0.0/0", "::/0"
UNKNOWN_NAT = "nat-0123456789abcdef0"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A VPC with a /24 in zones a and b by its main table, a table of its own, and an attached internet gateway."""

    ec2: EC2Client
    vpc: str
    a: str
    b: str
    table: str
    internet_gateway: str

    @property
    def here(self) -> FilterTypeDef:
        return {"Name": "vpc-id", "Values": [self.vpc]}

    def subnet(self, subnet: str) -> SubnetTypeDef:
        return self.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]

    def new_table(self) -> str:
        return self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]

    def described(self, table: str) -> RouteTableTypeDef:
        return self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]

    def route(self, destination: str = ANYWHERE, **target: str) -> None:
        kind = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
        if destination.startswith("pl-"):
            kind = "DestinationPrefixListId"
        request: dict[str, Any] = {kind: destination, **target}
        self.ec2.create_route(RouteTableId=self.table, **request)

    def states(self) -> dict[str, str]:
        """The state of each route that somebody made, by destination."""
        return {
            str(
                route.get("DestinationCidrBlock")
                or route.get("DestinationIpv6CidrBlock")
                or route.get("DestinationPrefixListId")
            ): route["State"]
            for route in self.described(self.table)["Routes"]
            if route["Origin"] == "CreateRoute"
        }

    def tables(self, *filters: FilterTypeDef) -> set[str]:
        found = self.ec2.describe_route_tables(Filters=[self.here, *filters])["RouteTables"]
        return {table["RouteTableId"] for table in found}

    def main(self) -> RouteTableTypeDef:
        main: FilterTypeDef = {"Name": "association.main", "Values": ["true"]}
        (table,) = self.ec2.describe_route_tables(Filters=[self.here, main])["RouteTables"]
        return table

    def nat(self, subnet: str = "", *, private: bool = False) -> str:
        if private:
            made = self.ec2.create_nat_gateway(SubnetId=subnet or self.a, ConnectivityType="private")
        else:
            address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
            made = self.ec2.create_nat_gateway(SubnetId=subnet or self.a, AllocationId=address)
        return made["NatGateway"]["NatGatewayId"]

    def nat_gateway(self, gateway: str) -> NatGatewayTypeDef:
        return self.ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"][0]


@functools.cache
def client(region: str, account: str) -> EC2Client:
    def call_as_account(request: AWSRequest, **_: object) -> None:
        request.headers["x-moto-account-id"] = account

    ec2 = boto3.client("ec2", region)
    ec2.meta.events.register("before-sign", call_as_account)
    return ec2


def build(region: str = REGION, account: str = ACCOUNT, *, ipv6: bool = False) -> Network:
    ec2 = client(region, account)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    a, b = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{region}{letter}")["Subnet"]
        for number, letter in enumerate("ab")
    )
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return Network(ec2=ec2, vpc=vpc, a=a["SubnetId"], b=b["SubnetId"], table=table, internet_gateway=gateway)


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with emulate() as emulated:
        yield emulated


@pytest.fixture
def network(aws: Emulator) -> Network:
    return build()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


# --- Blackholes -----------------------------------------------------------------------------------------------------


def test_a_route_to_a_nat_gateway_is_a_blackhole_once_the_gateway_is_deleted(aws: Emulator, network: Network) -> None:
    kept, gone = network.nat(), network.nat(network.b)
    network.route(NatGatewayId=gone)
    network.route("192.168.0.0/16", NatGatewayId=kept)
    aws.clock.advance(30)
    assert network.states() == {ANYWHERE: "active", "192.168.0.0/16": "active"}
    network.ec2.delete_nat_gateway(NatGatewayId=gone)
    assert network.states() == {ANYWHERE: "blackhole", "192.168.0.0/16": "active"}
    aws.clock.advance(2 * 3600)
    assert network.states() == {ANYWHERE: "blackhole", "192.168.0.0/16": "active"}
    network.ec2.replace_route(RouteTableId=network.table, DestinationCidrBlock=ANYWHERE, NatGatewayId=kept)
    assert network.states() == {ANYWHERE: "active", "192.168.0.0/16": "active"}


def test_a_route_to_an_internet_gateway_is_a_blackhole_while_that_is_detached(network: Network) -> None:
    gateway = network.internet_gateway
    network.route(GatewayId=gateway)
    network.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    assert network.states() == {ANYWHERE: "blackhole"}
    network.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    assert network.states() == {ANYWHERE: "active"}
    network.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    network.ec2.delete_internet_gateway(InternetGatewayId=gateway)
    assert network.states() == {ANYWHERE: "blackhole"}
    assert {route.get("GatewayId") for route in network.described(network.table)["Routes"]} == {"local", gateway}


def test_a_route_to_an_internet_gateway_of_another_vpc_is_a_blackhole(network: Network) -> None:
    network.route(GatewayId=network.internet_gateway)
    network.ec2.detach_internet_gateway(InternetGatewayId=network.internet_gateway, VpcId=network.vpc)
    other = network.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    network.ec2.attach_internet_gateway(InternetGatewayId=network.internet_gateway, VpcId=other)
    assert network.states() == {ANYWHERE: "blackhole"}


def test_a_route_to_a_deleted_egress_only_gateway_is_a_blackhole(aws: Emulator) -> None:
    network = build(ipv6=True)
    made = network.ec2.create_egress_only_internet_gateway(VpcId=network.vpc)
    gateway = made["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    network.route(ANYWHERE_IPV6, EgressOnlyInternetGatewayId=gateway)
    assert network.states() == {ANYWHERE_IPV6: "active"}
    network.ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=gateway)
    assert network.states() == {ANYWHERE_IPV6: "blackhole"}


def test_a_route_to_a_deleted_peering_is_a_blackhole(network: Network) -> None:
    other = network.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = network.ec2.create_vpc_peering_connection(VpcId=network.vpc, PeerVpcId=other)
    peering = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    network.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    network.route("10.9.0.0/16", VpcPeeringConnectionId=peering)
    assert network.states() == {"10.9.0.0/16": "active"}
    network.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    assert network.states() == {"10.9.0.0/16": "blackhole"}


def test_a_route_to_a_transit_gateway_is_a_blackhole_once_the_attachment_is_gone(network: Network) -> None:
    gateway = network.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]

    def attach() -> str:
        made = network.ec2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=gateway, VpcId=network.vpc, SubnetIds=[network.a]
        )
        return made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]

    network.route("10.8.0.0/14", TransitGatewayId=gateway)
    assert network.states() == {"10.8.0.0/14": "active"}
    attachment = attach()
    assert network.states() == {"10.8.0.0/14": "active"}
    network.ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=attachment)
    assert network.states() == {"10.8.0.0/14": "blackhole"}
    attach()
    assert network.states() == {"10.8.0.0/14": "active"}


def test_a_route_to_a_deleted_network_interface_is_a_blackhole(network: Network) -> None:
    made = network.ec2.create_network_interface(SubnetId=network.a)
    interface = made["NetworkInterface"]["NetworkInterfaceId"]
    network.route("10.8.0.0/16", NetworkInterfaceId=interface)
    assert network.states() == {"10.8.0.0/16": "active"}
    network.ec2.delete_network_interface(NetworkInterfaceId=interface)
    assert network.states() == {"10.8.0.0/16": "blackhole"}


# --- Routes and route tables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("destination", "target", "code"),
    [
        (ANYWHERE, {"NatGatewayId": UNKNOWN_NAT}, "InvalidNatGatewayID.NotFound"),
        (ANYWHERE, {"GatewayId": UNKNOWN_NAT}, "InvalidGatewayID.NotFound"),
        (ANYWHERE, {"GatewayId": "igw-0123456789abcdef0"}, "InvalidInternetGatewayID.NotFound"),
        (ANYWHERE, {"TransitGatewayId": "tgw-0123456789abcdef0"}, "InvalidTransitGatewayID.NotFound"),
        ("pl-0123456789abcdef0", {}, "InvalidPrefixListID.NotFound"),
    ],
)
def test_a_route_to_what_does_not_exist_is_refused(
    network: Network, destination: str, target: dict[str, str], code: str
) -> None:
    assert refusal(lambda: network.route(destination, **(target or {"GatewayId": network.internet_gateway}))) == code
    assert network.states() == {}


def test_a_route_to_a_deleted_nat_gateway_is_refused(network: Network) -> None:
    gateway = network.nat()
    network.ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert refusal(lambda: network.route(NatGatewayId=gateway)) == "InvalidNatGatewayID.NotFound"
    network.route(GatewayId=network.internet_gateway)

    def replace() -> object:
        return network.ec2.replace_route(
            RouteTableId=network.table, DestinationCidrBlock=ANYWHERE, NatGatewayId=gateway
        )

    assert refusal(replace) == "InvalidNatGatewayID.NotFound"
    assert network.states() == {ANYWHERE: "active"}


def test_a_destination_has_one_route(aws: Emulator) -> None:
    network = build(ipv6=True)
    made = network.ec2.create_managed_prefix_list(PrefixListName="sites", MaxEntries=5, AddressFamily="IPv4")
    for destination in (ANYWHERE, ANYWHERE_IPV6, made["PrefixList"]["PrefixListId"]):
        network.route(destination, GatewayId=network.internet_gateway)
        assert network.states()[destination] == "active"
        with pytest.raises(ClientError, match="RouteAlreadyExists"):
            network.route(destination, GatewayId=network.internet_gateway)


def test_a_route_to_a_prefix_list_is_replaced_and_deleted(aws: Emulator, network: Network) -> None:
    made = network.ec2.create_managed_prefix_list(PrefixListName="sites", MaxEntries=5, AddressFamily="IPv4")
    prefix_list, gateway = made["PrefixList"]["PrefixListId"], network.nat()
    network.route(prefix_list, GatewayId=network.internet_gateway)
    network.ec2.replace_route(RouteTableId=network.table, DestinationPrefixListId=prefix_list, NatGatewayId=gateway)
    (route,) = (route for route in network.described(network.table)["Routes"] if "DestinationPrefixListId" in route)
    assert route == {
        "DestinationPrefixListId": prefix_list,
        "NatGatewayId": gateway,
        "Origin": "CreateRoute",
        "State": "active",
    }
    network.ec2.delete_route(RouteTableId=network.table, DestinationPrefixListId=prefix_list)
    assert network.states() == {}


def test_a_table_is_described_as_aws_describes_one(network: Network) -> None:
    association = network.ec2.associate_route_table(RouteTableId=network.table, SubnetId=network.a)["AssociationId"]
    assert network.described(network.table) == {
        "Associations": [
            {
                "Main": False,
                "RouteTableAssociationId": association,
                "RouteTableId": network.table,
                "SubnetId": network.a,
                "AssociationState": {"State": "associated"},
            }
        ],
        "PropagatingVgws": [],
        "RouteTableId": network.table,
        "Routes": [
            {
                "DestinationCidrBlock": "10.0.0.0/16",
                "GatewayId": "local",
                "Origin": "CreateRouteTable",
                "State": "active",
            }
        ],
        "Tags": [],
        "VpcId": network.vpc,
        "OwnerId": ACCOUNT,
    }
    main = network.main()["Associations"][0]
    assert (main["Main"], "SubnetId" in main) == (True, False)


def test_tables_are_found_by_any_of_several_subnets(network: Network) -> None:
    other = network.new_table()
    third = network.ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.2.0/24", AvailabilityZone="us-east-1c")
    c = third["Subnet"]["SubnetId"]
    network.ec2.associate_route_table(RouteTableId=network.table, SubnetId=network.a)
    network.ec2.associate_route_table(RouteTableId=network.table, SubnetId=c)
    network.ec2.associate_route_table(RouteTableId=other, SubnetId=network.b)

    def of(*subnets: str) -> set[str]:
        return network.tables({"Name": "association.subnet-id", "Values": subnets})

    assert of(network.a) == {network.table}
    assert of(network.a, "subnet-0123456789abcdef0") == {network.table}
    assert of(network.a, network.b) == {network.table, other}
    assert of("subnet-0123456789abcdef0") == set()
    assert network.tables({"Name": "association.main", "Values": ["true"]}) == {network.main()["RouteTableId"]}
    assert network.tables() == {network.table, other, network.main()["RouteTableId"]}


def test_an_associated_subnet_is_not_associated_with_another_table(network: Network) -> None:
    association = network.ec2.associate_route_table(RouteTableId=network.table, SubnetId=network.a)["AssociationId"]
    other = network.new_table()

    def associate(table: str) -> str:
        return network.ec2.associate_route_table(RouteTableId=table, SubnetId=network.a)["AssociationId"]

    assert associate(network.table) == association
    assert refusal(lambda: associate(other)) == "Resource.AlreadyAssociated"
    assert refusal(lambda: associate("rtb-0123456789abcdef0")) == "InvalidRouteTableID.NotFound"
    network.ec2.replace_route_table_association(AssociationId=association, RouteTableId=other)
    assert network.described(network.table)["Associations"] == []
    assert [one["SubnetId"] for one in network.described(other)["Associations"]] == [network.a]


def test_another_table_becomes_the_main_table_which_cannot_be_deleted(network: Network) -> None:
    before = network.main()
    association = before["Associations"][0]["RouteTableAssociationId"]
    network.ec2.replace_route_table_association(AssociationId=association, RouteTableId=network.table)
    assert network.main()["RouteTableId"] == network.table
    assert refusal(lambda: network.ec2.delete_route_table(RouteTableId=network.table)) == "DependencyViolation"
    network.ec2.delete_route_table(RouteTableId=before["RouteTableId"])
    assert network.tables() == {network.table}


def test_a_deleted_subnet_takes_its_associations_along(network: Network) -> None:
    network.ec2.associate_route_table(RouteTableId=network.table, SubnetId=network.a)
    network.ec2.delete_subnet(SubnetId=network.a)
    assert network.described(network.table)["Associations"] == []
    (acl,) = network.ec2.describe_network_acls(Filters=[network.here])["NetworkAcls"]
    assert [one["SubnetId"] for one in acl["Associations"]] == [network.b]


# --- NAT gateways ---------------------------------------------------------------------------------------------------


def test_a_nat_gateway_is_available_at_once_where_nothing_is_to_be_pending(
    aws: Emulator, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws.clock, "pending_seconds", 0.0)
    assert network.nat_gateway(network.nat())["State"] == "available"


def test_a_public_nat_gateway_is_pending_then_available_with_an_address_of_its_subnet(
    aws: Emulator, network: Network
) -> None:
    now, gateway = aws.clock.now(), network.nat()
    assert network.nat_gateway(gateway)["State"] == "pending"
    aws.clock.advance(30)
    described = network.nat_gateway(gateway)
    assert {name: described[name] for name in ("State", "ConnectivityType", "SubnetId", "VpcId", "CreateTime")} == {
        "State": "available",
        "ConnectivityType": "public",
        "SubnetId": network.a,
        "VpcId": network.vpc,
        "CreateTime": now,
    }
    (address,) = described["NatGatewayAddresses"]
    assert ipaddress.ip_address(address["PrivateIp"]) in ipaddress.ip_network("10.0.0.0/24")
    found = network.ec2.describe_network_interfaces(NetworkInterfaceIds=[address["NetworkInterfaceId"]])
    interface = found["NetworkInterfaces"][0]
    assert interface["Association"]["AllocationId"] == address["AllocationId"]
    assert (interface["PrivateIpAddress"], interface["Groups"]) == (address["PrivateIp"], [])
    assert interface["Description"] == f"Interface for NAT Gateway {gateway}"
    assert str(interface["InterfaceType"]) == "nat_gateway"
    assert network.subnet(network.a)["AvailableIpAddressCount"] == 250


def test_a_private_nat_gateway_needs_no_internet_gateway(aws: Emulator, network: Network) -> None:
    network.ec2.detach_internet_gateway(InternetGatewayId=network.internet_gateway, VpcId=network.vpc)
    gateway = network.nat(private=True)
    aws.clock.advance(30)
    described = network.nat_gateway(gateway)
    assert (described["State"], described["ConnectivityType"]) == ("available", "private")
    assert "PublicIp" not in described["NatGatewayAddresses"][0]


def test_a_public_nat_gateway_fails_in_a_vpc_without_internet_gateway(aws: Emulator, network: Network) -> None:
    network.ec2.detach_internet_gateway(InternetGatewayId=network.internet_gateway, VpcId=network.vpc)
    gateway = network.nat()
    network.route(NatGatewayId=gateway)
    aws.clock.advance(30)
    described = network.nat_gateway(gateway)
    assert (described["State"], described["FailureCode"]) == ("failed", "Gateway.NotAttached")
    assert described["FailureMessage"] == f"Network {network.vpc} has no Internet gateway attached"
    assert network.states() == {ANYWHERE: "blackhole"}
    assert network.subnet(network.a)["AvailableIpAddressCount"] == 251


def test_a_deleted_nat_gateway_is_seen_for_an_hour(aws: Emulator, network: Network) -> None:
    gateway = network.nat()
    aws.clock.advance(30)
    allocation = network.nat_gateway(gateway)["NatGatewayAddresses"][0]["AllocationId"]
    network.ec2.delete_nat_gateway(NatGatewayId=gateway)
    deleted_at = aws.clock.now()
    assert network.nat_gateway(gateway)["State"] == "deleting"
    aws.clock.advance(30)
    described = network.nat_gateway(gateway)
    assert (described["State"], described["DeleteTime"]) == ("deleted", deleted_at)
    assert network.subnet(network.a)["AvailableIpAddressCount"] == 251
    assert "AssociationId" not in network.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]
    aws.clock.advance(3599)
    assert network.nat_gateway(gateway)["State"] == "deleted"
    aws.clock.advance(1)
    assert refusal(lambda: network.nat_gateway(gateway)) == "NatGatewayNotFound"


def test_a_nat_gateway_deleted_while_pending_never_becomes_available(aws: Emulator, network: Network) -> None:
    gateway = network.nat()
    aws.clock.advance(10)
    network.ec2.delete_nat_gateway(NatGatewayId=gateway)
    aws.clock.advance(20)
    assert network.nat_gateway(gateway)["State"] == "deleting"
    aws.clock.advance(10)
    assert network.nat_gateway(gateway)["State"] == "deleted"


def test_nat_gateways_are_filtered(aws: Emulator, network: Network) -> None:
    first, second = network.nat(), network.nat(network.b)
    aws.clock.advance(30)
    third = network.nat(network.b, private=True)
    network.ec2.create_tags(Resources=[second], Tags=[{"Key": "team", "Value": "edge"}])

    def found(name: str, *values: str) -> list[str]:
        answer = network.ec2.describe_nat_gateways(Filters=[network.here, {"Name": name, "Values": values}])
        return [one["NatGatewayId"] for one in answer["NatGateways"]]

    assert found("state", "available") == [first, second]
    assert found("state", "available", "pending") == [first, second, third]
    assert found("nat-gateway-id", third, UNKNOWN_NAT) == [third]
    assert found("subnet-id", network.b) == [second, third]
    assert found("tag:team", "edge") == [second]
    assert found("tag-key", "other") == []


def test_unknown_nat_gateways_are_refused(network: Network) -> None:
    assert refusal(lambda: network.nat_gateway(UNKNOWN_NAT)) == "NatGatewayNotFound"
    assert refusal(lambda: network.ec2.delete_nat_gateway(NatGatewayId=UNKNOWN_NAT)) == "NatGatewayNotFound"


# --- Subnets and zones ----------------------------------------------------------------------------------------------


def test_a_subnet_by_zone_id_is_in_that_zone_and_not_public(network: Network) -> None:
    made = network.ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.7.0/24", AvailabilityZoneId="use1-az3")
    subnet = network.subnet(made["Subnet"]["SubnetId"])
    assert (subnet["AvailabilityZone"], subnet["AvailabilityZoneId"]) == ("us-east-1e", "use1-az3")
    assert (subnet["MapPublicIpOnLaunch"], subnet["DefaultForAz"], subnet["Ipv6Native"]) == (False, False, False)


@pytest.mark.parametrize("zone", [{"AvailabilityZone": "eu-west-1a"}, {"AvailabilityZoneId": "euw1-az1"}])
def test_a_zone_of_another_region_has_no_subnets(network: Network, zone: dict[str, str]) -> None:
    def create() -> object:
        return network.ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.7.0/24", **zone)  # type: ignore[arg-type]

    assert refusal(create) == "InvalidParameterValue"


def test_subnets_by_id_and_by_filter(network: Network) -> None:
    unknown = "subnet-0123456789abcdef0"

    def by_filter(*ids: str) -> set[str]:
        found = network.ec2.describe_subnets(Filters=[{"Name": "subnet-id", "Values": ids}])["Subnets"]
        return {one["SubnetId"] for one in found}

    assert by_filter(unknown) == set()
    assert by_filter(network.a, unknown) == {network.a}
    found = network.ec2.describe_subnets(SubnetIds=[network.a, network.b, network.a])["Subnets"]
    assert sorted(one["SubnetId"] for one in found) == sorted([network.a, network.b])
    with pytest.raises(ClientError, match=f"InvalidSubnetID.NotFound.*'{unknown}'"):
        network.ec2.describe_subnets(SubnetIds=[network.a, unknown])


def test_ipv6_blocks_and_an_ipv6_only_subnet(aws: Emulator) -> None:
    network = build(ipv6=True)
    vpc = network.ec2.describe_vpcs(VpcIds=[network.vpc])["Vpcs"][0]
    block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    made = network.ec2.create_subnet(
        VpcId=network.vpc, Ipv6CidrBlock=block, Ipv6Native=True, AvailabilityZone="us-east-1c"
    )
    subnet = network.subnet(made["Subnet"]["SubnetId"])
    (association,) = subnet["Ipv6CidrBlockAssociationSet"]
    assert (association["Ipv6CidrBlock"], association["Ipv6CidrBlockState"]) == (block, {"State": "associated"})
    assert (subnet["Ipv6Native"], subnet["AvailableIpAddressCount"], "CidrBlock" in subnet) == (True, 0, False)
    interface = network.ec2.create_network_interface(SubnetId=subnet["SubnetId"], Ipv6AddressCount=1)
    assert "PrivateIpAddress" not in interface["NetworkInterface"]
    address = interface["NetworkInterface"]["Ipv6Addresses"][0]["Ipv6Address"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(block)


def test_zones_say_what_they_are(network: Network) -> None:
    zones = network.ec2.describe_availability_zones()["AvailabilityZones"]
    assert {(zone["ZoneType"], zone["OptInStatus"], zone["State"]) for zone in zones} == {
        ("availability-zone", "opt-in-not-required", "available")
    }
    assert sorted(zone["ZoneId"] for zone in zones) == [f"use1-az{number}" for number in range(1, 7)]


def test_local_zones_are_seen_when_asked_for_and_after_opting_in(aws: Emulator) -> None:
    ec2 = client("us-west-2", ACCOUNT)
    zone = "us-west-2-lax-1a"

    def seen(**asked: Any) -> dict[str, str]:
        zones = ec2.describe_availability_zones(**asked)["AvailabilityZones"]
        return {one["ZoneName"]: one["OptInStatus"] for one in zones if one["ZoneType"] != "availability-zone"}

    assert seen() == {}
    assert seen(AllAvailabilityZones=True) == {zone: "not-opted-in"}
    ec2.modify_availability_zone_group(GroupName="us-west-2-lax-1", OptInStatus="opted-in")
    assert seen() == {zone: "opted-in"}
    assert seen(Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]) == {}
    assert seen(Filters=[{"Name": "zone-type", "Values": ["local-zone"]}]) == {zone: "opted-in"}
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=zone)
    assert made["Subnet"]["AvailabilityZoneId"] == "usw2-lax1-az1"
    ec2.modify_availability_zone_group(GroupName="us-west-2-lax-1", OptInStatus="not-opted-in")
    assert seen() == {}
    assert (
        refusal(lambda: ec2.modify_availability_zone_group(GroupName="us-east-1-bos-1", OptInStatus="opted-in"))
        == "InvalidParameterValue"
    )


# --- VPCs, network ACLs, groups, prefix lists -----------------------------------------------------------------------


def entries(network: Network, acl: str) -> list[tuple[bool, int, str, str]]:
    (described,) = network.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    return [
        (one["Egress"], one["RuleNumber"], one["RuleAction"], one.get("CidrBlock") or one["Ipv6CidrBlock"])
        for one in described["Entries"]
    ]


IPV4_ENTRIES = [(100, "allow", ANYWHERE), (32767, "deny", ANYWHERE)]
IPV6_ENTRIES = [(101, "allow", ANYWHERE_IPV6), (32768, "deny", ANYWHERE_IPV6)]


@pytest.mark.parametrize(("ipv6", "expected"), [(False, IPV4_ENTRIES), (True, sorted([*IPV4_ENTRIES, *IPV6_ENTRIES]))])
def test_a_default_network_acl_allows_everything_and_then_denies(
    aws: Emulator, ipv6: bool, expected: list[tuple[int, str, str]]
) -> None:
    network = build(ipv6=ipv6)
    (acl,) = network.ec2.describe_network_acls(
        Filters=[network.here, {"Name": "association.subnet-id", "Values": [network.a, "subnet-0123456789abcdef0"]}]
    )["NetworkAcls"]
    assert acl["IsDefault"]
    assert {one["SubnetId"] for one in acl["Associations"]} == {network.a, network.b}
    assert entries(network, acl["NetworkAclId"]) == [(egress, *entry) for egress in (True, False) for entry in expected]


def test_a_network_acl_of_ones_own_denies_and_learns_of_ipv6_later(network: Network) -> None:
    acl = network.ec2.create_network_acl(VpcId=network.vpc)["NetworkAcl"]["NetworkAclId"]
    assert entries(network, acl) == [(True, 32767, "deny", ANYWHERE), (False, 32767, "deny", ANYWHERE)]
    network.ec2.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=90, Protocol="6", RuleAction="allow", Egress=True, CidrBlock="10.0.0.0/8"
    )
    network.ec2.associate_vpc_cidr_block(VpcId=network.vpc, AmazonProvidedIpv6CidrBlock=True)
    assert entries(network, acl) == [
        (True, 90, "allow", "10.0.0.0/8"),
        (True, 32767, "deny", ANYWHERE),
        (True, 32768, "deny", ANYWHERE_IPV6),
        (False, 32767, "deny", ANYWHERE),
        (False, 32768, "deny", ANYWHERE_IPV6),
    ]
    unknown = ["acl-0123456789abcdef0"]
    assert refusal(lambda: network.ec2.describe_network_acls(NetworkAclIds=unknown)) == "InvalidNetworkAclID.NotFound"


def test_the_default_vpc_leads_to_the_internet(aws: Emulator) -> None:
    ec2 = client("ap-south-1", ACCOUNT)
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    here: FilterTypeDef = {"Name": "vpc-id", "Values": [vpc["VpcId"]]}
    (table,) = ec2.describe_route_tables(Filters=[here])["RouteTables"]
    (route,) = (one for one in table["Routes"] if one.get("DestinationCidrBlock") == ANYWHERE)
    (gateway,) = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}])[
        "InternetGateways"
    ]
    assert (route["GatewayId"], route["State"]) == (gateway["InternetGatewayId"], "active")
    subnets = ec2.describe_subnets(Filters=[here])["Subnets"]
    assert {(one["DefaultForAz"], one["MapPublicIpOnLaunch"]) for one in subnets} == {(True, True)}


def test_the_default_group_allows_itself_and_lets_everything_out(network: Network) -> None:
    default: FilterTypeDef = {"Name": "group-name", "Values": ["default"]}
    (group,) = network.ec2.describe_security_groups(Filters=[network.here, default])["SecurityGroups"]
    assert group["IpPermissions"] == [
        {
            "IpProtocol": "-1",
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [{"GroupId": group["GroupId"], "UserId": ACCOUNT}],
        }
    ]
    assert group["IpPermissionsEgress"] == [
        {
            "IpProtocol": "-1",
            "IpRanges": [{"CidrIp": ANYWHERE}],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [],
        }
    ]


def test_groups_by_id_and_by_filter(network: Network) -> None:
    made = [
        network.ec2.create_security_group(GroupName=name, Description=name, VpcId=network.vpc)["GroupId"]
        for name in ("one", "two")
    ]
    unknown = "sg-0123456789abcdef0"
    found = network.ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": [*made, unknown]}])
    assert {one["GroupName"] for one in found["SecurityGroups"]} == {"one", "two"}
    assert network.ec2.describe_security_groups(GroupIds=[made[0], made[0]])["SecurityGroups"][0]["GroupName"] == "one"
    with pytest.raises(ClientError, match=f"InvalidGroup.NotFound.*'{unknown}' does not exist"):
        network.ec2.describe_security_groups(GroupIds=[made[0], unknown])


def test_the_dns_attributes_of_a_vpc(network: Network) -> None:
    def attributes() -> tuple[bool | None, bool | None]:
        support = network.ec2.describe_vpc_attribute(VpcId=network.vpc, Attribute="enableDnsSupport")
        hostnames = network.ec2.describe_vpc_attribute(VpcId=network.vpc, Attribute="enableDnsHostnames")
        return support["EnableDnsSupport"].get("Value"), hostnames["EnableDnsHostnames"].get("Value")

    assert attributes() == (True, False)
    network.ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    network.ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsSupport={"Value": False})
    assert attributes() == (False, True)


def test_an_unknown_prefix_list(network: Network) -> None:
    unknown = "pl-0123456789abcdef0"
    for call in (
        lambda: network.ec2.get_managed_prefix_list_entries(PrefixListId=unknown),
        lambda: network.ec2.describe_managed_prefix_lists(PrefixListIds=[unknown]),
    ):
        assert refusal(call) == "InvalidPrefixListID.NotFound"


# --- Pages ----------------------------------------------------------------------------------------------------------


def test_the_entries_of_a_prefix_list_come_in_pages(network: Network) -> None:
    blocks = [f"10.{number}.0.0/16" for number in range(25)]
    made = network.ec2.create_managed_prefix_list(
        PrefixListName="sites", MaxEntries=30, AddressFamily="IPv4", Entries=[{"Cidr": block} for block in blocks]
    )
    pages = network.ec2.get_paginator("get_managed_prefix_list_entries").paginate(
        PrefixListId=made["PrefixList"]["PrefixListId"], PaginationConfig={"PageSize": 10}
    )
    assert [[one["Cidr"] for one in page["Entries"]] for page in pages] == [blocks[:10], blocks[10:20], blocks[20:]]


def test_every_list_that_the_guardrails_read_comes_in_pages(aws: Emulator) -> None:
    networks = [build("sa-east-1") for _ in range(6)]
    ec2 = networks[0].ec2
    for network in networks:
        ec2.create_network_interface(SubnetId=network.a)
        ec2.create_vpc_peering_connection(VpcId=networks[0].vpc, PeerVpcId=network.vpc)
    reads: dict[str, Callable[..., Any]] = {
        "InternetGateways": ec2.describe_internet_gateways,
        "NetworkAcls": ec2.describe_network_acls,
        "NetworkInterfaces": ec2.describe_network_interfaces,
        "PrefixLists": ec2.describe_managed_prefix_lists,
        "RouteTables": ec2.describe_route_tables,
        "SecurityGroupRules": ec2.describe_security_group_rules,
        "SecurityGroups": ec2.describe_security_groups,
        "Subnets": ec2.describe_subnets,
        "VpcPeeringConnections": ec2.describe_vpc_peering_connections,
        "Vpcs": ec2.describe_vpcs,
    }
    for key, read in reads.items():
        first = read(MaxResults=5)
        rest = read(NextToken=first["NextToken"])
        assert len(first[key]) == 5
        assert [*first[key], *rest[key]] == read()[key], key


@pytest.mark.parametrize("total", [5, 7, 10])
def test_a_page_says_where_the_next_one_begins_unless_it_is_the_last(network: Network, total: int) -> None:
    made = {network.nat(private=True) for _ in range(total)}
    first = network.ec2.describe_nat_gateways(Filters=[network.here], MaxResults=5)
    seen = {one["NatGatewayId"] for one in first["NatGateways"]}
    assert len(seen) == 5
    assert ("NextToken" in first) == (total > 5)
    if "NextToken" in first:
        last = network.ec2.describe_nat_gateways(Filters=[network.here], MaxResults=5, NextToken=first["NextToken"])
        assert "NextToken" not in last
        seen |= {one["NatGatewayId"] for one in last["NatGateways"]}
    assert seen == made


def test_a_token_of_another_call_or_of_nobody_is_refused(network: Network) -> None:
    token = network.ec2.describe_subnets(MaxResults=5)["NextToken"]
    for bad in (token, "nonsense", "bm9uc2Vuc2U="):

        def describe(next_token: str = bad) -> object:
            return network.ec2.describe_route_tables(NextToken=next_token)

        assert refusal(describe) == "InvalidPaginationToken"


def test_interfaces_are_not_asked_for_by_id_in_pages(network: Network) -> None:
    made = network.ec2.create_network_interface(SubnetId=network.a)["NetworkInterface"]["NetworkInterfaceId"]

    def describe() -> object:
        return network.ec2.describe_network_interfaces(NetworkInterfaceIds=[made], MaxResults=5)

    assert refusal(describe) == "InvalidParameterCombination"


# --- Network interfaces ---------------------------------------------------------------------------------------------


def test_a_network_interface_has_a_free_address_of_its_subnet(network: Network) -> None:
    made = network.ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.9.0/28", AvailabilityZone="us-east-1c")
    subnet = made["Subnet"]["SubnetId"]
    network.ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.9.7")
    addresses = [
        network.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["PrivateIpAddress"] for _ in range(10)
    ]
    assert sorted([*addresses, "10.0.9.7"]) == sorted(f"10.0.9.{last}" for last in range(4, 15))
    assert network.subnet(subnet)["AvailableIpAddressCount"] == 0
    with pytest.raises(ClientError, match="InsufficientFreeAddressesInSubnet"):
        network.ec2.create_network_interface(SubnetId=subnet)


def test_an_interface_of_ones_own_can_be_deleted_and_one_of_a_nat_gateway_cannot(network: Network) -> None:
    mine = network.ec2.create_network_interface(SubnetId=network.a)["NetworkInterface"]["NetworkInterfaceId"]
    network.ec2.delete_network_interface(NetworkInterfaceId=mine)
    address = network.nat_gateway(network.nat())["NatGatewayAddresses"][0]["NetworkInterfaceId"]
    assert refusal(lambda: network.ec2.delete_network_interface(NetworkInterfaceId=address)) == "InvalidParameterValue"


def test_interfaces_are_filtered_by_address_zone_kind_and_holder(network: Network) -> None:
    network.ec2.create_network_interface(SubnetId=network.b)
    public = network.nat_gateway(network.nat())["NatGatewayAddresses"][0]
    held = network.ec2.describe_network_interfaces(NetworkInterfaceIds=[public["NetworkInterfaceId"]])
    (interface,) = held["NetworkInterfaces"]

    def found(name: str, *values: str) -> set[str]:
        filters: list[FilterTypeDef] = [network.here, {"Name": name, "Values": list(values)}]
        answer = network.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        return {one["NetworkInterfaceId"] for one in answer}

    theirs = {interface["NetworkInterfaceId"]}
    assert found("association.public-ip", public["PublicIp"], "192.0.2.1") == theirs
    assert found("availability-zone-id", interface["AvailabilityZoneId"]) == theirs
    assert found("interface-type", "nat_*") == theirs
    assert found("requester-id", interface["RequesterId"]) >= theirs
    assert found("requester-managed", "true") == theirs
    assert found("status", "in-use") == theirs
    assert found("association.public-ip", "192.0.2.1") == set()


# --- Accounts and Regions -------------------------------------------------------------------------------------------


def test_accounts_and_regions_have_their_own_gateways_and_zones(aws: Emulator) -> None:
    networks = [build(account=OTHER_ACCOUNT), build("eu-west-1", OTHER_ACCOUNT)]
    gateways = [network.nat() for network in networks]
    networks[0].ec2.delete_nat_gateway(NatGatewayId=gateways[0])
    aws.clock.advance(30)
    assert [
        [(one["NatGatewayId"], one["State"]) for one in network.ec2.describe_nat_gateways()["NatGateways"]]
        for network in networks
    ] == [[(gateways[0], "deleted")], [(gateways[1], "available")]]
    assert [network.subnet(network.a)["AvailabilityZone"] for network in networks] == ["us-east-1a", "eu-west-1a"]


# --- Peering and transit gateways -----------------------------------------------------------------------------------


def peered(ec2: EC2Client, vpc: str, *, accepted: bool = True) -> tuple[str, str]:
    """The ids of a peering connection and of the VPC at its other end."""
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
    if accepted:
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made["VpcPeeringConnectionId"])
    return made["VpcPeeringConnectionId"], other


def test_peering_connections_are_found_by_either_end_and_by_their_state(network: Network) -> None:
    ec2 = network.ec2
    active, accepter = peered(ec2, network.vpc)
    pending, _ = peered(ec2, network.vpc, accepted=False)

    def found(*filters: tuple[str, str]) -> set[str]:
        asked: list[FilterTypeDef] = [{"Name": name, "Values": [value]} for name, value in filters]
        answer = ec2.describe_vpc_peering_connections(Filters=asked)["VpcPeeringConnections"]
        return {one["VpcPeeringConnectionId"] for one in answer}

    ours = ("requester-vpc-info.vpc-id", network.vpc)
    assert found(ours) == {active, pending}
    assert found(("accepter-vpc-info.vpc-id", network.vpc)) == set()
    assert found(("accepter-vpc-info.vpc-id", accepter)) == {active}
    assert found(ours, ("status-code", "active")) == {active}
    assert found(ours, ("status-code", "pending-acceptance")) == {pending}
    assert found(ours, ("accepter-vpc-info.cidr-block", "10.9.*"), ("accepter-vpc-info.owner-id", ACCOUNT)) == {
        active,
        pending,
    }
    assert found(ours, ("requester-vpc-info.owner-id", OTHER_ACCOUNT)) == set()
    assert found(("vpc-peering-connection-id", pending)) == {pending}
    ec2.create_tags(Resources=[pending], Tags=[{"Key": "team", "Value": "edge"}])
    assert found(ours, ("tag:team", "edge")) == {pending}


def test_a_peering_connection_that_is_not_there_is_refused(network: Network) -> None:
    active, _ = peered(network.ec2, network.vpc)
    ids = [active, "pcx-0123456789abcdef0"]
    with pytest.raises(ClientError) as refused:
        network.ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=ids)
    assert refused.value.response["Error"] == {
        "Code": "InvalidVpcPeeringConnectionID.NotFound",
        "Message": "The vpcPeeringConnection ID 'pcx-0123456789abcdef0' does not exist",
    }


def test_the_attachments_of_transit_gateways_are_found_by_vpc_and_gateway_in_pages(network: Network) -> None:
    ec2 = network.ec2
    gateways = [ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"] for _ in range(6)]
    attached = [
        ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=network.vpc, SubnetIds=[network.a])[
            "TransitGatewayVpcAttachment"
        ]["TransitGatewayAttachmentId"]
        for gateway in gateways
    ]
    pages = ec2.get_paginator("describe_transit_gateway_vpc_attachments").paginate(
        Filters=[network.here], PaginationConfig={"PageSize": 5}
    )
    found = [[one["TransitGatewayAttachmentId"] for one in page["TransitGatewayVpcAttachments"]] for page in pages]
    assert found == [attached[:5], attached[5:]]
    [one] = ec2.describe_transit_gateway_vpc_attachments(
        Filters=[network.here, {"Name": "transit-gateway-id", "Values": gateways[:1]}]
    )["TransitGatewayVpcAttachments"]
    assert (one["TransitGatewayAttachmentId"], one["VpcId"], one["State"]) == (attached[0], network.vpc, "available")


def test_an_attachment_that_is_not_there_is_refused(network: Network) -> None:
    with pytest.raises(ClientError) as refused:
        network.ec2.describe_transit_gateway_vpc_attachments(
            TransitGatewayAttachmentIds=["tgw-attach-0123456789abcdef0"]
        )
    assert refused.value.response["Error"]["Code"] == "InvalidTransitGatewayAttachmentID.NotFound"
