"""The parsers on what no recording has: rows that the API models allow, each with the whole fact made of it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.model import StructureShape
from botocore.session import Session
from botocore.validate import validate_parameters

from apprunner_guardrails.aws import apigateway, apprunner, ec2, elbv2
from apprunner_guardrails.facts import (
    NOT_ASKED,
    AclEntry,
    Api,
    BalancerZone,
    Connector,
    Endpoint,
    EndpointInterface,
    GroupRule,
    IngressConnection,
    Integration,
    InterfaceEndpoint,
    Listener,
    LoadBalancer,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    Route,
    RouteTable,
    SecurityGroup,
    Service,
    Stage,
    Subnet,
    Target,
    TargetGroup,
    VpcLink,
    Zone,
)
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS, REQUESTS, endpoint, interface, target_group
from tests.samples import ACCOUNT, CONNECTOR, GROUP, REGION, SERVICE, SUBNETS, VPC, connector, service

if TYPE_CHECKING:
    from botocore.model import ServiceModel

type Row = dict[str, Any]

LISTENER = f"{BALANCER.replace(':loadbalancer/', ':listener/')}/f2f7dc8efc522ab2"

# Shape of the row in the API model (where it has two parsers, with a word on which), the service, and the parser.
PARSERS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "Api": ("apigatewayv2", lambda row: apigateway.http_api(row, REGION)),
    "AvailabilityZone": ("ec2", ec2.zone),
    "CustomDomain": ("apprunner", apprunner.names_of_domain),
    "Integration": ("apigatewayv2", lambda row: apigateway.http_route({"RouteKey": "$default"}, row)),
    "Listener": ("elbv2", elbv2.listener),
    "LoadBalancer": ("elbv2", elbv2.load_balancer),
    "Resource": ("apigateway", lambda row: tuple(apigateway.rest_methods(row))),
    "RestApi": ("apigateway", lambda row: apigateway.rest_api(row, REGION)),
    "Stage of a REST API": ("apigateway", apigateway.rest_stage),
    "Stage of an HTTP API": ("apigatewayv2", apigateway.http_stage),
    "Route of an HTTP API": ("apigatewayv2", lambda row: apigateway.http_route(row, {"IntegrationId": "i1"})),
    "VpcIngressConnection": ("apprunner", apprunner.ingress_connection),
    "VpcLink of the first generation": ("apigateway", apigateway.first_link),
    "VpcLink of the second generation": ("apigatewayv2", apigateway.second_link),
    "IpPermission": ("ec2", ec2.group_rule),
    "NatGateway": ("ec2", ec2.nat_gateway),
    "NetworkAcl": ("ec2", ec2.network_acl),
    "NetworkAclEntry": ("ec2", ec2.acl_entry),
    "NetworkInterface": ("ec2", ec2.network_interface),
    "NetworkInterface of an endpoint": ("ec2", ec2.endpoint_interface),
    "NetworkInterface with addresses": ("ec2", ec2.interface_addresses),
    "Route": ("ec2", ec2.route),
    "RouteTable": ("ec2", ec2.route_table),
    "SecurityGroup": ("ec2", ec2.security_group),
    "Service": ("apprunner", apprunner.service),
    "Subnet": ("ec2", ec2.subnet),
    "TargetGroup": ("elbv2", elbv2.target_group),
    "TargetHealthDescription": ("elbv2", elbv2.target),
    "VpcConnector": ("apprunner", apprunner.connector),
    "VpcEndpoint": ("ec2", ec2.endpoint),
    "VpcEndpoint with interfaces": ("ec2", ec2.interface_endpoint),
}


def zone(**changes: str) -> Row:
    ordinary = {
        "ZoneId": "euc1-az1",
        "ZoneName": "eu-central-1a",
        "State": "available",
        "OptInStatus": "opt-in-not-required",
        "ZoneType": "availability-zone",
    }
    return {**ordinary, **changes}


def subnet(**changes: object) -> Row:
    ordinary = {
        "SubnetId": "subnet-1",
        "VpcId": "vpc-1",
        "AvailabilityZone": "eu-central-1a",
        "AvailabilityZoneId": "euc1-az2",
        "CidrBlock": "10.1.0.0/24",
        "Ipv6CidrBlockAssociationSet": [],
        "AvailableIpAddressCount": 251,
        "Ipv6Native": False,
        "OwnerId": ACCOUNT,
    }
    return {**ordinary, **changes}


def ipv6(cidr: str, state: str) -> Row:
    return {"AssociationId": "x", "Ipv6CidrBlock": cidr, "Ipv6CidrBlockState": {"State": state}}


def subnet_fact(**changes: Any) -> Subnet:
    ordinary: dict[str, Any] = {
        "id": "subnet-1",
        "vpc_id": "vpc-1",
        "zone_id": "euc1-az2",
        "cidr": "10.1.0.0/24",
        "ipv6_cidrs": (),
        "ipv6_native": False,
        "free_addresses": 251,
        "owner_id": ACCOUNT,
    }
    return Subnet(**{**ordinary, **changes})


def table(*associations: Row) -> Row:
    return {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": list(associations), "Routes": []}


def table_fact(*subnet_ids: str, main: bool = False) -> RouteTable:
    return RouteTable(id="rtb-1", vpc_id="vpc-1", main=main, subnet_ids=subnet_ids, routes=())


def associated(state: str, **whom: object) -> Row:
    return {"RouteTableAssociationId": "x", "AssociationState": {"State": state}, **whom}


def everywhere(**target: str) -> Row:
    return {"DestinationCidrBlock": "0.0.0.0/0", "Origin": "CreateRoute", "State": "active", **target}


def route_to(target: str) -> Route:
    return Route(destination="0.0.0.0/0", target=target)


def domain(status: str, name: str = "orders.example.com", *, www: bool = False) -> Row:
    return {"DomainName": name, "EnableWWWSubdomain": www, "Status": status, "CertificateValidationRecords": []}


def listener(action: Row) -> Row:
    return {
        "ListenerArn": LISTENER,
        "LoadBalancerArn": BALANCER,
        "Port": 443,
        "Protocol": "TCP",
        "DefaultActions": [action],
    }


INGRESS = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcingressconnection/orders/44444444444444444444444444444444"
CORE_NETWORK = "arn:aws:networkmanager::123456789012:core-network/core-network-1"
ODB_NETWORK = "arn:aws:odb:us-east-1:123456789012:odb-network/odbnet_1"
MADE = "2026-09-21T13:46:40Z"  # LONG_AGO

CASES: Mapping[str, tuple[str, Row, object]] = {
    "a zone": (
        "AvailabilityZone",
        zone(),
        Zone(id="euc1-az1", name="eu-central-1a", available=True, kind="availability-zone"),
    ),
    "a zone that is impaired": (
        "AvailabilityZone",
        zone(State="impaired"),
        Zone(id="euc1-az1", name="eu-central-1a", available=False, kind="availability-zone"),
    ),
    "a local zone that the account has not opted in to": (
        "AvailabilityZone",
        zone(ZoneId="euc1-ham1-az1", OptInStatus="not-opted-in", ZoneType="local-zone"),
        Zone(id="euc1-ham1-az1", name="eu-central-1a", available=False, kind="local-zone"),
    ),
    "a wavelength zone that the account has opted in to": (
        "AvailabilityZone",
        zone(OptInStatus="opted-in", ZoneType="wavelength-zone"),
        Zone(id="euc1-az1", name="eu-central-1a", available=True, kind="wavelength-zone"),
    ),
    "a dual-stack subnet, whose old IPv6 block is on its way out": (
        "Subnet",
        subnet(
            Ipv6CidrBlockAssociationSet=[
                ipv6("2001:db8:0:2::/64", "associated"),
                ipv6("2001:db8:0:1::/64", "associated"),
                ipv6("2001:db8:0:3::/64", "disassociating"),
                ipv6("2001:db8:0:4::/64", "disassociated"),
            ]
        ),
        subnet_fact(ipv6_cidrs=("2001:db8:0:1::/64", "2001:db8:0:2::/64")),
    ),
    "an IPv6-only subnet, which has no IPv4 block": (
        "Subnet",
        {
            key: value
            for key, value in subnet(
                Ipv6Native=True,
                AvailableIpAddressCount=0,
                Ipv6CidrBlockAssociationSet=[ipv6("2001:db8:0:1::/64", "associated")],
            ).items()
            if key != "CidrBlock"
        },
        subnet_fact(cidr="", ipv6_native=True, ipv6_cidrs=("2001:db8:0:1::/64",), free_addresses=0),
    ),
    "a subnet that another account shares": (
        "Subnet",
        subnet(OwnerId="999999999999"),
        subnet_fact(owner_id="999999999999"),
    ),
    "a table's subnets, sorted": (
        "RouteTable",
        table(associated("associated", SubnetId="subnet-2"), associated("associated", SubnetId="subnet-1")),
        table_fact("subnet-1", "subnet-2"),
    ),
    "a subnet that is about to leave its table, and one that is about to come": (
        "RouteTable",
        table(associated("disassociating", SubnetId="subnet-1"), associated("associating", SubnetId="subnet-2")),
        table_fact("subnet-2"),
    ),
    "a subnet that could not be associated": (
        "RouteTable",
        table(associated("failed", SubnetId="subnet-1"), associated("disassociated", SubnetId="subnet-2")),
        table_fact(),
    ),
    "a table that is no more the main one": (
        "RouteTable",
        table(associated("disassociated", Main=True)),
        table_fact(),
    ),
    "a main table that subnets name too": (
        "RouteTable",
        table(associated("associated", Main=True), associated("associated", Main=False, SubnetId="subnet-1")),
        table_fact("subnet-1", main=True),
    ),
    "a gateway's table, which is no subnet's": (
        "RouteTable",
        table(associated("associated", Main=False, GatewayId="igw-1")),
        table_fact(),
    ),
    "the local route": (
        "Route",
        {"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local", "State": "active"},
        Route(destination="10.1.0.0/16", target="local"),
    ),
    "a route to an internet gateway": ("Route", everywhere(GatewayId="igw-1"), route_to("igw-1")),
    "a route to a virtual private gateway": ("Route", everywhere(GatewayId="vgw-1"), route_to("vgw-1")),
    "a route to a firewall's endpoint": ("Route", everywhere(GatewayId="vpce-1"), route_to("vpce-1")),
    "a route to a NAT gateway": ("Route", everywhere(NatGatewayId="nat-1"), route_to("nat-1")),
    "a route to a transit gateway": ("Route", everywhere(TransitGatewayId="tgw-1"), route_to("tgw-1")),
    "a route to a peer": ("Route", everywhere(VpcPeeringConnectionId="pcx-1"), route_to("pcx-1")),
    "a route to an instance, told by its interface": (
        "Route",
        everywhere(InstanceId="i-1", InstanceOwnerId=ACCOUNT, NetworkInterfaceId="eni-1"),
        route_to("eni-1"),
    ),
    "a route to an instance that is stopped": (
        "Route",
        everywhere(InstanceId="i-1", InstanceOwnerId=ACCOUNT, State="blackhole"),
        Route(destination="0.0.0.0/0", target="i-1", blackhole=True),
    ),
    "a route to a local gateway": ("Route", everywhere(LocalGatewayId="lgw-1"), route_to("lgw-1")),
    "a route to a carrier gateway": ("Route", everywhere(CarrierGatewayId="cagw-1"), route_to("cagw-1")),
    "a route to a core network": ("Route", everywhere(CoreNetworkArn=CORE_NETWORK), route_to(CORE_NETWORK)),
    "a route to a database network": ("Route", everywhere(OdbNetworkArn=ODB_NETWORK), route_to(ODB_NETWORK)),
    "a route to something that the SDK cannot name yet": ("Route", everywhere(), route_to("an unknown target")),
    "an IPv6 route to an egress-only gateway": (
        "Route",
        {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "State": "active"},
        Route(destination="::/0", target="eigw-1"),
    ),
    "a prefix list's route": (
        "Route",
        {"DestinationPrefixListId": "pl-1", "TransitGatewayId": "tgw-1", "State": "active", "Origin": "CreateRoute"},
        Route(destination="pl-1", target="tgw-1"),
    ),
    "a route that a virtual private gateway propagates": (
        "Route",
        everywhere(GatewayId="vgw-1", Origin="EnableVgwRoutePropagation"),
        Route(destination="0.0.0.0/0", target="vgw-1", propagated=True),
    ),
    "a route that VPC Route Server made": (
        "Route",
        everywhere(NetworkInterfaceId="eni-1", IpAddress="10.1.0.4", Origin="Advertisement"),
        Route(destination="0.0.0.0/0", target="eni-1", propagated=True),
    ),
    "a blackhole": (
        "Route",
        everywhere(NatGatewayId="nat-1", State="blackhole"),
        Route(destination="0.0.0.0/0", target="nat-1", blackhole=True),
    ),
    "a private NAT gateway": (
        "NatGateway",
        {
            "NatGatewayId": "nat-1",
            "VpcId": "vpc-1",
            "SubnetId": "subnet-1",
            "State": "pending",
            "ConnectivityType": "private",
            "AvailabilityMode": "zonal",
        },
        NatGateway(id="nat-1", vpc_id="vpc-1", subnet_id="subnet-1", state="pending", connectivity="private"),
    ),
    "a regional NAT gateway": (
        "NatGateway",
        {
            "NatGatewayId": "nat-1",
            "VpcId": "vpc-1",
            "State": "available",
            "ConnectivityType": "public",
            "AvailabilityMode": "regional",
            "RouteTableId": "rtb-1",
        },
        NatGateway(id="nat-1", vpc_id="vpc-1", subnet_id="", state="available", connectivity="public"),
    ),
    "a network ACL of two subnets": (
        "NetworkAcl",
        {
            "NetworkAclId": "acl-1",
            "VpcId": "vpc-1",
            "Associations": [
                {"NetworkAclAssociationId": "b", "NetworkAclId": "acl-1", "SubnetId": "subnet-2"},
                {"NetworkAclAssociationId": "a", "NetworkAclId": "acl-1", "SubnetId": "subnet-1"},
            ],
            "Entries": [],
        },
        NetworkAcl(id="acl-1", subnet_ids=("subnet-1", "subnet-2"), entries=()),
    ),
    "an entry for ports": (
        "NetworkAclEntry",
        {
            "RuleNumber": 110,
            "Egress": False,
            "RuleAction": "deny",
            "Protocol": "6",
            "CidrBlock": "10.0.0.0/8",
            "PortRange": {"From": 1024, "To": 65535},
        },
        AclEntry(number=110, egress=False, allow=False, protocol="6", cidr="10.0.0.0/8", from_port=1024, to_port=65535),
    ),
    "an entry for IPv6": (
        "NetworkAclEntry",
        {"RuleNumber": 101, "Egress": True, "RuleAction": "allow", "Protocol": "-1", "Ipv6CidrBlock": "::/0"},
        AclEntry(number=101, egress=True, allow=True, protocol="-1", cidr="::/0"),
    ),
    "an entry for ICMP, which has no ports": (
        "NetworkAclEntry",
        {
            "RuleNumber": 120,
            "Egress": True,
            "RuleAction": "allow",
            "Protocol": "1",
            "CidrBlock": "0.0.0.0/0",
            "IcmpTypeCode": {"Code": -1, "Type": 8},
        },
        AclEntry(number=120, egress=True, allow=True, protocol="1", cidr="0.0.0.0/0"),
    ),
    "a rule of IPv4 and IPv6 blocks, a prefix list and groups, also of a peer's": (
        "IpPermission",
        {
            "IpProtocol": "tcp",
            "FromPort": 5432,
            "ToPort": 5433,
            "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "office"}],
            "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}],
            "PrefixListIds": [{"PrefixListId": "pl-1"}],
            "UserIdGroupPairs": [
                {"GroupId": "sg-9", "UserId": ACCOUNT},
                {"GroupId": "sg-1", "UserId": "999999999999", "VpcPeeringConnectionId": "pcx-1"},
            ],
        },
        GroupRule(
            protocol="tcp",
            peers=("10.0.0.0/8", "2001:db8::/32", "pl-1", "sg-1", "sg-9"),
            from_port=5432,
            to_port=5433,
        ),
    ),
    "a rule for ICMP, which has types where others have ports": (
        "IpPermission",
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        GroupRule(protocol="icmp", peers=("0.0.0.0/0",), from_port=-1, to_port=-1),
    ),
    "a rule for a protocol by number": (
        "IpPermission",
        {"IpProtocol": "50", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        GroupRule(protocol="50", peers=("::/0",)),
    ),
    "a group's rules, each way": (
        "SecurityGroup",
        {
            "GroupId": "sg-1",
            "GroupName": "web",
            "VpcId": "vpc-1",
            "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}],
            "IpPermissionsEgress": [{"IpProtocol": "udp", "FromPort": 53, "ToPort": 53}],
        },
        SecurityGroup(
            id="sg-1",
            name="web",
            vpc_id="vpc-1",
            ingress=(GroupRule(protocol="-1", peers=("sg-1",)),),
            egress=(GroupRule(protocol="udp", peers=(), from_port=53, to_port=53),),
        ),
    ),
    "an interface that App Runner made, by the tag's key alone": (
        "NetworkInterface",
        {
            "NetworkInterfaceId": "eni-1",
            "Groups": [{"GroupId": "sg-2", "GroupName": "b"}, {"GroupId": "sg-1", "GroupName": "a"}],
            "TagSet": [{"Key": "AWSAppRunnerManaged", "Value": ""}],
        },
        NetworkInterface(id="eni-1", group_ids=("sg-1", "sg-2"), app_runner=True),
    ),
    "an interface that only says that it is App Runner's": (
        "NetworkInterface",
        {
            "NetworkInterfaceId": "eni-1",
            "Description": "AWSAppRunner ENI - x",
            "Groups": [],
            "TagSet": [{"Key": "Name", "Value": "AWSAppRunnerManaged"}],
        },
        NetworkInterface(id="eni-1", group_ids=(), app_runner=False),
    ),
    "an endpoint's state in the case of the model": (
        "VpcEndpoint",
        {
            "VpcEndpointId": "vpce-1",
            "VpcId": "vpc-1",
            "ServiceName": "com.amazonaws.us-east-1.sts",
            "VpcEndpointType": "Interface",
            "State": "Available",
        },
        Endpoint(
            id="vpce-1",
            vpc_id="vpc-1",
            service="com.amazonaws.us-east-1.sts",
            kind="Interface",
            state="available",
            route_table_ids=(),
        ),
    ),
    "an endpoint's state in the case of the answers": (
        "VpcEndpoint",
        {
            "VpcEndpointId": "vpce-1",
            "ServiceName": "com.amazonaws.us-east-1.s3",
            "VpcEndpointType": "Gateway",
            "State": "pendingAcceptance",
            "RouteTableIds": ["rtb-2", "rtb-1"],
        },
        Endpoint(
            id="vpce-1",
            vpc_id="",
            service="com.amazonaws.us-east-1.s3",
            kind="Gateway",
            state="pendingacceptance",
            route_table_ids=("rtb-1", "rtb-2"),
        ),
    ),
    "a connector": (
        "VpcConnector",
        connector(CONNECTOR, Subnets=["subnet-2", "subnet-1", "subnet-2"], SecurityGroups=["sg-2", "sg-1"]),
        Connector(
            arn=CONNECTOR,
            name="shop-web",
            status="ACTIVE",
            subnet_ids=("subnet-1", "subnet-2"),
            security_group_ids=("sg-1", "sg-2"),
        ),
    ),
    "a connector that was made in the evening of another time zone": (
        "VpcConnector",
        connector(CONNECTOR, CreatedAt=datetime(2026, 11, 20, 23, 0, 5, tzinfo=timezone(timedelta(hours=-8)))),
        Connector(
            arn=CONNECTOR,
            name="shop-web",
            status="ACTIVE",
            subnet_ids=SUBNETS,
            security_group_ids=(GROUP,),
            created="2026-11-21T07:00:05Z",
        ),
    ),
    "a connector that names no group": (
        "VpcConnector",
        {"VpcConnectorName": "shop-web", "VpcConnectorArn": CONNECTOR, "Subnets": ["subnet-1"], "Status": "INACTIVE"},
        Connector(arn=CONNECTOR, name="shop-web", status="INACTIVE", subnet_ids=("subnet-1",), security_group_ids=()),
    ),
    "a service with a connector": (
        "Service",
        service(CONNECTOR),
        Service(arn=SERVICE, name="shop", status="RUNNING", connector_arn=CONNECTOR, created=MADE),
    ),
    "a service without a connector": (
        "Service",
        service("", Status="PAUSED"),
        Service(arn=SERVICE, name="shop", status="PAUSED", connector_arn="", created=MADE),
    ),
    "a service whose connector is named but not used": (
        "Service",
        service(
            "",
            NetworkConfiguration={"EgressConfiguration": {"EgressType": "DEFAULT", "VpcConnectorArn": CONNECTOR}},
        ),
        Service(arn=SERVICE, name="shop", status="RUNNING", connector_arn="", created=MADE),
    ),
    "a private service, with all that policies ask about": (
        "Service",
        service(
            "",
            ServiceUrl="psbqam834h.us-east-1.awsapprunner.com",
            HealthCheckConfiguration={"UnhealthyThreshold": 7},
            ObservabilityConfiguration={"ObservabilityEnabled": True},
            NetworkConfiguration={
                "EgressConfiguration": {"EgressType": "DEFAULT"},
                "IngressConfiguration": {"IsPubliclyAccessible": False},
                "IpAddressType": "DUAL_STACK",
            },
        ),
        Service(
            arn=SERVICE,
            name="shop",
            status="RUNNING",
            connector_arn="",
            public=False,
            url="psbqam834h.us-east-1.awsapprunner.com",
            address_type="DUAL_STACK",
            observable=True,
            unhealthy_threshold=7,
            created=MADE,
        ),
    ),
    "a service that is not observed": (
        "Service",
        service("", ObservabilityConfiguration={"ObservabilityEnabled": False}),
        Service(arn=SERVICE, name="shop", status="RUNNING", connector_arn="", created=MADE),
    ),
    "an ingress connection": (
        "VpcIngressConnection",
        {
            "VpcIngressConnectionArn": INGRESS,
            "VpcIngressConnectionName": "orders",
            "ServiceArn": SERVICE,
            "Status": "AVAILABLE",
            "AccountId": ACCOUNT,
            "DomainName": "psbqam834h.us-east-1.awsapprunner.com",
            "IngressVpcConfiguration": {"VpcId": VPC, "VpcEndpointId": ENDPOINT},
        },
        IngressConnection(
            arn=INGRESS,
            name="orders",
            service_arn=SERVICE,
            status="AVAILABLE",
            vpc_id=VPC,
            endpoint_id=ENDPOINT,
            domain="psbqam834h.us-east-1.awsapprunner.com",
        ),
    ),
    "an ingress connection of which little is told": (
        "VpcIngressConnection",
        {"VpcIngressConnectionArn": INGRESS},
        IngressConnection(arn=INGRESS, name="", service_arn="", status="", vpc_id="", endpoint_id=""),
    ),
    "a custom domain": ("CustomDomain", domain("ACTIVE"), ("orders.example.com",)),
    "a custom domain that is asked for with www too": (
        "CustomDomain",
        domain("ACTIVE", www=True),
        ("orders.example.com", "www.orders.example.com"),
    ),
    "a custom domain for all names below another": (
        "CustomDomain",
        domain("ACTIVE", "*.example.com", www=True),
        ("*.example.com",),
    ),
    "a custom domain that waits for its certificate": (
        "CustomDomain",
        domain("PENDING_CERTIFICATE_DNS_VALIDATION"),
        (),
    ),
    "a load balancer": (
        "LoadBalancer",
        {
            "LoadBalancerArn": BALANCER,
            "LoadBalancerName": "orders",
            "DNSName": "orders-0123456789abcdef.elb.us-east-1.amazonaws.com",
            "Scheme": "internal",
            "Type": "network",
            "VpcId": VPC,
            "AvailabilityZones": [
                {"ZoneName": "us-east-1b", "SubnetId": "subnet-b", "LoadBalancerAddresses": []},
                {"ZoneName": "us-east-1a", "SubnetId": "subnet-a", "LoadBalancerAddresses": []},
            ],
            "SecurityGroups": ["sg-2", "sg-1"],
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off",
        },
        LoadBalancer(
            arn=BALANCER,
            name="orders",
            vpc_id=VPC,
            internal=True,
            dns_name="orders-0123456789abcdef.elb.us-east-1.amazonaws.com",
            zones=(
                BalancerZone(name="us-east-1a", subnet_id="subnet-a"),
                BalancerZone(name="us-east-1b", subnet_id="subnet-b"),
            ),
            group_ids=("sg-1", "sg-2"),
            guards_private_link=False,
        ),
    ),
    "a load balancer on the internet whose groups guard everything": (
        "LoadBalancer",
        {"LoadBalancerArn": BALANCER, "LoadBalancerName": "orders", "Scheme": "internet-facing"},
        LoadBalancer(
            arn=BALANCER,
            name="orders",
            vpc_id="",
            internal=False,
            dns_name="",
            zones=(),
            group_ids=(),
            guards_private_link=True,
        ),
    ),
    "a listener that forwards to a target group": (
        "Listener",
        listener({"Type": "forward", "TargetGroupArn": ORDERS}),
        Listener(arn=LISTENER, protocol="TCP", port=443, target_group_arns=(ORDERS,)),
    ),
    "a listener that forwards to several, and to one no more": (
        "Listener",
        listener(
            {
                "Type": "forward",
                "TargetGroupArn": "arn:idle",
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": "arn:idle", "Weight": 0},
                        {"TargetGroupArn": ORDERS, "Weight": 1},
                        {"TargetGroupArn": "arn:another"},
                    ]
                },
            }
        ),
        Listener(arn=LISTENER, protocol="TCP", port=443, target_group_arns=("arn:another", ORDERS)),
    ),
    "the addresses of an interface, secondary ones and IPv6 too": (
        "NetworkInterface with addresses",
        {
            "NetworkInterfaceId": "eni-1",
            "PrivateIpAddress": "10.0.1.20",
            "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.21"}, {"PrivateIpAddress": "10.0.1.20"}],
            "Ipv6Addresses": [{"Ipv6Address": "2600:db8::5"}],
        },
        ("10.0.1.20", "10.0.1.21", "2600:db8::5"),
    ),
    "a VPC link of the first generation": (
        "VpcLink of the first generation",
        {
            "id": "abc123",
            "name": "orders",
            "targetArns": [BALANCER],
            "status": "FAILED",
            "statusMessage": "NLB is already associated with another VPC Endpoint Service",
        },
        VpcLink(
            id="abc123",
            name="orders",
            generation=1,
            status="FAILED",
            why="NLB is already associated with another VPC Endpoint Service",
            target_arns=(BALANCER,),
        ),
    ),
    "a VPC link of the second generation": (
        "VpcLink of the second generation",
        {
            "VpcLinkId": "def456",
            "Name": "orders",
            "SecurityGroupIds": ["sg-2", "sg-1"],
            "SubnetIds": ["subnet-b", "subnet-a"],
            "VpcLinkStatus": "INACTIVE",
            "VpcLinkStatusMessage": "no traffic",
            "VpcLinkVersion": "V2",
        },
        VpcLink(
            id="def456",
            name="orders",
            generation=2,
            status="INACTIVE",
            why="no traffic",
            subnet_ids=("subnet-a", "subnet-b"),
            group_ids=("sg-1", "sg-2"),
        ),
    ),
    "a REST API": (
        "RestApi",
        {"id": "a1b2c3d4e5", "name": "orders", "tags": {"team": "orders"}},
        Api(
            id="a1b2c3d4e5",
            name="orders",
            kind="REST",
            region=REGION,
            integrations=NOT_ASKED,
            stages=NOT_ASKED,
            tags={"team": "orders"},
        ),
    ),
    "an HTTP API": (
        "Api",
        {
            "ApiId": "f6g7h8i9j0",
            "Name": "orders",
            "ProtocolType": "HTTP",
            "RouteSelectionExpression": "$request.method $request.path",
        },
        Api(id="f6g7h8i9j0", name="orders", kind="HTTP", region=REGION, integrations=NOT_ASKED, stages=NOT_ASKED),
    ),
    "a resource with methods through a link, to the internet, and without an integration": (
        "Resource",
        {
            "id": "5m14zq",
            "path": "/{proxy+}",
            "resourceMethods": {
                "POST": {"httpMethod": "POST"},
                "GET": {
                    "authorizationType": "NONE",
                    "methodIntegration": {
                        "type": "HTTP",
                        "uri": "https://example.com",
                        "connectionType": "INTERNET",
                        "connectionId": "left over",
                    },
                },
                "ANY": {
                    "authorizationType": "COGNITO_USER_POOLS",
                    "apiKeyRequired": True,
                    "requestParameters": {"method.request.path.proxy": True},
                    "methodIntegration": {
                        "type": "HTTP_PROXY",
                        "uri": "https://orders.example.com/{proxy}",
                        "connectionType": "VPC_LINK",
                        "connectionId": "def456",
                        "integrationTarget": LISTENER,
                        "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
                    },
                },
            },
        },
        (
            Integration(
                where="ANY /{proxy+}",
                id="5m14zq",
                kind="HTTP_PROXY",
                uri="https://orders.example.com/{proxy}",
                link_id="def456",
                target_arn=LISTENER,
                declared={"method.request.path.proxy": True},
                mapped={"integration.request.path.proxy": "method.request.path.proxy"},
                authorization="COGNITO_USER_POOLS",
                api_key=True,
            ),
            Integration(where="GET /{proxy+}", id="5m14zq", kind="HTTP", uri="https://example.com"),
        ),
    ),
    "a resource without methods": ("Resource", {"id": "yxv4xe21ka", "path": "/"}, ()),
    "an integration of an HTTP API through a link": (
        "Integration",
        {
            "IntegrationId": "i1",
            "IntegrationType": "HTTP_PROXY",
            "IntegrationUri": LISTENER,
            "ConnectionType": "VPC_LINK",
            "ConnectionId": "def456",
            "RequestParameters": {"overwrite:header.Host": "orders.example.com"},
            "TlsConfig": {"ServerNameToVerify": "orders.example.com"},
        },
        Integration(
            where="$default",
            id="i1",
            kind="HTTP_PROXY",
            uri=LISTENER,
            link_id="def456",
            target_arn=LISTENER,
            server_name="orders.example.com",
            mapped={"overwrite:header.Host": "orders.example.com"},
        ),
    ),
    "an integration of an HTTP API on the internet": (
        "Integration",
        {
            "IntegrationId": "i2",
            "IntegrationType": "HTTP_PROXY",
            "IntegrationUri": "https://example.com",
            "ConnectionType": "INTERNET",
        },
        Integration(where="$default", id="i2", kind="HTTP_PROXY", uri="https://example.com"),
    ),
    "a route of an HTTP API": (
        "Route of an HTTP API",
        {"RouteKey": "ANY /{proxy+}", "AuthorizationType": "JWT", "Target": "integrations/i1"},
        Integration(where="ANY /{proxy+}", id="i1", kind="", authorization="JWT"),
    ),
    "a stage of a REST API": (
        "Stage of a REST API",
        {
            "stageName": "live",
            "accessLogSettings": {"destinationArn": "arn:log", "format": "x"},
            "tracingEnabled": True,
            "variables": {"host": "orders.example.com"},
        },
        Stage(name="live", logged=True, traced=True, variables={"host": "orders.example.com"}),
    ),
    "a stage of a REST API that tells nobody": (
        "Stage of a REST API",
        {"stageName": "live", "accessLogSettings": {"format": "x"}},
        Stage(name="live", logged=False, traced=False),
    ),
    "a stage of an HTTP API, which cannot trace": (
        "Stage of an HTTP API",
        {
            "StageName": "$default",
            "AccessLogSettings": {"DestinationArn": "arn:log", "Format": "x"},
            "StageVariables": {"host": "orders.example.com"},
        },
        Stage(name="$default", logged=True, traced=None, variables={"host": "orders.example.com"}),
    ),
    "a stage of an HTTP API that tells nobody": (
        "Stage of an HTTP API",
        {"StageName": "$default"},
        Stage(name="$default", logged=False, traced=None),
    ),
    "an interface endpoint": (
        "VpcEndpoint with interfaces",
        endpoint(
            ENDPOINT,
            "eni-b",
            "eni-a",
            State="Available",
            PrivateDnsEnabled=True,
            Groups=[{"GroupId": "sg-2", "GroupName": "b"}, {"GroupId": "sg-1", "GroupName": "a"}],
            PolicyDocument='{"Statement": []}',
            Tags=[{"Key": "team", "Value": "orders"}, {"Key": "bare"}],
        ),
        InterfaceEndpoint(
            id=ENDPOINT,
            vpc_id=VPC,
            service=REQUESTS,
            state="available",
            private_dns=True,
            subnet_ids=("subnet-eni-a", "subnet-eni-b"),
            interface_ids=("eni-a", "eni-b"),
            group_ids=("sg-1", "sg-2"),
            policy='{"Statement": []}',
            tags={"team": "orders", "bare": ""},
        ),
    ),
    "an interface endpoint that is just being made": (
        "VpcEndpoint with interfaces",
        {"VpcEndpointId": ENDPOINT, "ServiceName": REQUESTS, "State": "PendingAcceptance"},
        InterfaceEndpoint(id=ENDPOINT, vpc_id="", service=REQUESTS, state="pendingacceptance", private_dns=False),
    ),
    "an interface endpoint that an AWS service made for itself": (
        "VpcEndpoint with interfaces",
        endpoint(ENDPOINT, RequesterManaged=True),
        InterfaceEndpoint(
            id=ENDPOINT, vpc_id=VPC, service=REQUESTS, state="available", private_dns=False, managed=True
        ),
    ),
    "an endpoint's interface": (
        "NetworkInterface of an endpoint",
        interface("eni-a", "10.0.1.5"),
        EndpointInterface(id="eni-a", vpc_id=VPC, zone="us-east-1a", ipv4="10.0.1.5", ipv6=()),
    ),
    "an endpoint's interface in a subnet with two kinds of addresses": (
        "NetworkInterface of an endpoint",
        interface("eni-a", "10.0.1.5", "2600:db8::9", "2600:db8::5"),
        EndpointInterface(
            id="eni-a", vpc_id=VPC, zone="us-east-1a", ipv4="10.0.1.5", ipv6=("2600:db8::5", "2600:db8::9")
        ),
    ),
    "an endpoint's interface in a subnet of IPv6 only": (
        "NetworkInterface of an endpoint",
        {"NetworkInterfaceId": "eni-a", "Ipv6Addresses": [{"Ipv6Address": "2600:db8::5"}]},
        EndpointInterface(id="eni-a", vpc_id="", zone="", ipv4="", ipv6=("2600:db8::5",)),
    ),
    "a target group": (
        "TargetGroup",
        target_group(Port=8443, LoadBalancerArns=["arn:b", BALANCER]),
        TargetGroup(
            arn=ORDERS,
            name="orders",
            vpc_id=VPC,
            port=8443,
            target_type="ip",
            ipv6=False,
            load_balancer_arns=(BALANCER, "arn:b"),
        ),
    ),
    "a target group of IPv6 addresses that no load balancer uses": (
        "TargetGroup",
        target_group(IpAddressType="ipv6", LoadBalancerArns=[]),
        TargetGroup(
            arn=ORDERS, name="orders", vpc_id=VPC, port=443, target_type="ip", ipv6=True, load_balancer_arns=()
        ),
    ),
    "a target group of Lambda functions, which has neither port nor VPC": (
        "TargetGroup",
        {"TargetGroupArn": ORDERS, "TargetGroupName": "orders", "TargetType": "lambda"},
        TargetGroup(
            arn=ORDERS,
            name="orders",
            vpc_id="",
            port=0,
            target_type="lambda",
            ipv6=False,
            load_balancer_arns=(),
            protocol="",
            health_check_protocol="",
        ),
    ),
    "a target": (
        "TargetHealthDescription",
        {
            "Target": {"Id": "10.0.1.5", "Port": 443, "AvailabilityZone": "us-east-1a"},
            "HealthCheckPort": "443",
            "TargetHealth": {"State": "unused", "Reason": "Target.NotInUse", "Description": "no load balancer"},
        },
        Target(address="10.0.1.5", port=443, zone="us-east-1a", state="unused", reason="Target.NotInUse"),
    ),
    "a target of which AWS tells neither zone nor reason": (
        "TargetHealthDescription",
        {"Target": {"Id": "10.0.1.5", "Port": 443}, "TargetHealth": {"State": "healthy"}},
        Target(address="10.0.1.5", port=443, zone="", state="healthy"),
    ),
    "a target of which AWS tells nothing, a function": (
        "TargetHealthDescription",
        {"Target": {"Id": "arn:aws:lambda:us-east-1:123456789012:function:f"}},
        Target(address="arn:aws:lambda:us-east-1:123456789012:function:f", port=0, zone="", state="unavailable"),
    ),
}


@pytest.fixture(scope="module")
def models() -> "Mapping[str, ServiceModel]":
    session = Session()
    return {service: session.get_service_model(service) for service in sorted({one for one, _ in PARSERS.values()})}


@pytest.mark.parametrize(("shape", "row", "expected"), CASES.values(), ids=CASES)
def test_a_row_is_read_whole(shape: str, row: Row, expected: object, models: "Mapping[str, ServiceModel]") -> None:
    service_name, parse = PARSERS[shape]
    validate_parameters(row, models[service_name].shape_for(shape.partition(" ")[0]))
    assert parse(row) == expected


def test_every_parser_has_a_case() -> None:
    assert {shape for shape, _, _ in CASES.values()} == set(PARSERS)


def test_every_member_of_a_route_is_known(models: "Mapping[str, ServiceModel]") -> None:
    """A new kind of destination or target, come with a new SDK, is not overlooked."""
    known = {
        *("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"),
        *ec2.TARGETS,
        *("InstanceOwnerId", "Origin", "State"),
    }
    route = models["ec2"].shape_for("Route")
    assert isinstance(route, StructureShape)
    assert set(route.members) == known
