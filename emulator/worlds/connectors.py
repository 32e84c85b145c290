"""Worlds of VPC connectors and the services that use them."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from emulator.clock import CLOCK
from emulator.cloudtrail import calling_as
from emulator.worlds.parts import (
    EXEMPT,
    OPERATION_SECONDS,
    ZONES,
    Client,
    World,
    connector,
    connector_arn,
    connector_group,
    egress_through,
    group,
    group_named,
    nat_gateway,
    service,
    service_arn,
    subnet,
    subnets_of,
    tag_roles,
    vpc,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, IpPermissionTypeDef, TagTypeDef
NETWORK_WRONG = "network-wrong"


def _build_network(client: Client) -> None:
    tag_roles(client, vpc(client))


def _happen_healthy(client: Client) -> None:
    """The same name a second time is refused: App Runner keeps one revision a name."""
    with calling_as("assumed-role"):
        arn = connector(client, "healthy", subnets_of(client, "private"), [connector_group(client)])
        service(client, "healthy-orders", arn)
        with suppress(ClientError):
            connector(client, "healthy", subnets_of(client, "private"), [connector_group(client)])


def _build_public_subnets(client: Client) -> None:
    _build_network(client)
    service(client, "public-subnets-orders")
    CLOCK.advance(OPERATION_SECONDS)


def _happen_public_subnets(client: Client) -> None:
    """The connector can be made; the service that is to use it fails to update and rolls back."""
    with calling_as("cloudformation"):
        arn = connector(client, "public-subnets", subnets_of(client, "public"), [connector_group(client)])
        client("apprunner").update_service(
            ServiceArn=service_arn(client, "public-subnets-orders"), NetworkConfiguration=egress_through(arn)
        )


def _build_main_table(client: Client) -> None:
    """Two zones as they should be; in the third a subnet that nobody associated with a table."""
    made = vpc(client, zones=ZONES[:2])
    ec2: EC2Client = client("ec2")
    forgotten = subnet(ec2, made.id, "10.0.102.0/24", ZONES[2])
    filters: list[FilterTypeDef] = [
        {"Name": "vpc-id", "Values": [made.id]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    main = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0", GatewayId=made.internet_gateway)
    tag_roles(client, made)
    ec2.create_tags(Resources=[forgotten], Tags=[{"Key": "role", "Value": "private"}])


def _happen_main_table(client: Client) -> None:
    with calling_as("console"):
        connector(client, "main-table", subnets_of(client, "private"), [connector_group(client)])


def _happen_one_zone(client: Client) -> None:
    with calling_as("root"):
        connector(client, "one-zone", subnets_of(client, "private")[:1], [connector_group(client)])


def _build_isolated(client: Client) -> None:
    made = vpc(client, nat=False)
    connector(client, "isolated", list(made.private.values()), [made.group])


def _happen_isolated(client: Client) -> None:
    with calling_as("sso"):
        service(client, "isolated-reports", connector_arn(client, "isolated"))


def _build_nat_gone(client: Client) -> None:
    """A service that was paused for the night; meanwhile somebody saved on a NAT gateway."""
    made = vpc(client)
    arn = connector(client, "nat-gone", list(made.private.values()), [made.group])
    paused = service(client, "nat-gone-orders", arn)
    CLOCK.advance(OPERATION_SECONDS)
    client("apprunner").pause_service(ServiceArn=paused)
    CLOCK.advance(OPERATION_SECONDS)
    client("ec2").delete_nat_gateway(NatGatewayId=made.nats[ZONES[1]])
    CLOCK.advance(OPERATION_SECONDS)


def _happen_nat_gone(client: Client) -> None:
    with calling_as("cli"):
        client("apprunner").resume_service(ServiceArn=service_arn(client, "nat-gone-orders"))


def _build_mixed_address_types(client: Client) -> None:
    """App Runner refuses such a connector, but nobody stops a subnet from getting an IPv6 block later."""
    made = vpc(client)
    connector(client, "mixed-address-types", list(made.private.values()), [made.group])
    service(client, "mixed-address-types-orders")
    ec2: EC2Client = client("ec2")
    ec2.associate_vpc_cidr_block(VpcId=made.id, AmazonProvidedIpv6CidrBlock=True)
    described = ec2.describe_vpcs(VpcIds=[made.id])["Vpcs"][0]
    block = described["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    ec2.associate_subnet_cidr_block(SubnetId=made.private[ZONES[0]], Ipv6CidrBlock=block)
    CLOCK.advance(OPERATION_SECONDS)


def _happen_mixed_address_types(client: Client) -> None:
    network = egress_through(connector_arn(client, "mixed-address-types"))
    network["IngressConfiguration"] = {"IsPubliclyAccessible": False}
    with calling_as("terraform"):
        client("apprunner").update_service(
            ServiceArn=service_arn(client, "mixed-address-types-orders"),
            InstanceConfiguration={"Cpu": "1024", "Memory": "2048"},
            NetworkConfiguration=network,
        )


def _build_copilot(client: Client) -> None:
    """Two zones, one security group for all of the environment (open among itself), a database with its own."""
    made = vpc(client, zones=ZONES[:2])
    ec2: EC2Client = client("ec2")
    environment = ec2.create_security_group(
        GroupName="shop-test-EnvironmentSecurityGroup", Description="shop-test", VpcId=made.id
    )["GroupId"]
    itself: list[IpPermissionTypeDef] = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": environment}]}]
    ec2.authorize_security_group_ingress(GroupId=environment, IpPermissions=itself)
    database = group(ec2, made.id, "shop-test-database", ports=())
    admitted: list[IpPermissionTypeDef] = [
        {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": environment}]}
    ]
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=admitted)
    for zone, groups in ((ZONES[0], [environment]), (ZONES[1], [database])):  # an ECS task, and the database
        ec2.create_network_interface(SubnetId=made.private[zone], Groups=groups)
    tags: list[TagTypeDef] = [
        {"Key": "copilot-application", "Value": "shop"},
        {"Key": "copilot-environment", "Value": "test"},
    ]
    ec2.create_tags(Resources=[made.id, environment, database, *made.private.values()], Tags=tags)
    tag_roles(client, made)


def _happen_copilot(client: Client) -> None:
    filters = [{"Name": "group-name", "Values": ["shop-test-EnvironmentSecurityGroup"]}]
    environment = client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    with calling_as("cloudformation"):
        arn = connector(client, "copilot", subnets_of(client, "private"), [environment])
        service(client, "copilot-front", arn)


def _build_mended(client: Client) -> None:
    """Somebody has pointed the route table of one zone at the internet gateway."""
    made = vpc(client)
    tag_roles(client, made)
    client("ec2").replace_route(
        RouteTableId=made.tables[ZONES[2]], DestinationCidrBlock="0.0.0.0/0", GatewayId=made.internet_gateway
    )


def _happen_mended(client: Client) -> None:
    with calling_as("terraform"):
        connector(client, "mended", subnets_of(client, "private"), [connector_group(client)])


def _later_mended(client: Client) -> None:
    """The route goes back to the zone's NAT gateway."""
    ec2: EC2Client = client("ec2")
    private = subnets_of(client, "private")
    broken = next(
        one
        for one in ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": private}])[
            "RouteTables"
        ]
        if any(route.get("GatewayId", "").startswith("igw-") for route in one["Routes"])
    )
    zones = {one["SubnetId"]: one["AvailabilityZoneId"] for one in ec2.describe_subnets()["Subnets"]}
    zone = zones[broken["Associations"][0]["SubnetId"]]
    nat = next(one for one in ec2.describe_nat_gateways()["NatGateways"] if zones[one["SubnetId"]] == zone)
    with calling_as("sso"):
        ec2.replace_route(
            RouteTableId=broken["RouteTableId"],
            DestinationCidrBlock="0.0.0.0/0",
            NatGatewayId=nat["NatGatewayId"],
        )


def _build_exempted(client: Client) -> None:
    """A group as EC2 makes it: it lets everything out."""
    made = vpc(client)
    tag_roles(client, made)
    client("ec2").create_security_group(
        GroupName="exempted-partners", Description="partners choose their own ports", VpcId=made.id
    )


def _happen_exempted(client: Client) -> None:
    filters = [{"Name": "group-name", "Values": ["exempted-partners"]}]
    open_group = str(client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])
    tags = {
        f"{EXEMPT}AR203": "2099-12-31 @network partners choose their own ports",
        f"{EXEMPT}AR105": "until the migration is over",
    }
    with calling_as("terraform"):
        connector(client, "exempted", subnets_of(client, "private"), [open_group], tags)


def _later_exempted(client: Client) -> None:
    """The tag that exempted nothing gets a date, an owner and a reason."""
    tag: dict[str, str] = {"Key": f"{EXEMPT}AR105", "Value": "2026-12-31 @network until the migration is over"}
    with calling_as("sso"):
        client("apprunner").tag_resource(ResourceArn=connector_arn(client, "exempted"), Tags=[tag])


def _build_connector_in_use(client: Client) -> None:
    made = vpc(client)
    arn = connector(client, "connector-in-use", list(made.private.values()), [made.group])
    for name in ("connector-in-use-orders", "connector-in-use-reports"):
        service(client, name, arn)
    CLOCK.advance(OPERATION_SECONDS)


def _happen_connector_in_use(client: Client) -> None:
    """The connector of one service is to go; another service uses it too, and so does the first one still."""
    with calling_as("assumed-role"), suppress(ClientError):
        client("apprunner").delete_vpc_connector(VpcConnectorArn=connector_arn(client, "connector-in-use"))


def _happen_gone(client: Client) -> None:
    with calling_as("console"):
        connector(client, "gone", subnets_of(client, "private")[:2], [connector_group(client)])


def _later_gone(client: Client) -> None:
    """Whoever made it takes it away again."""
    with calling_as("console"):
        client("apprunner").delete_vpc_connector(VpcConnectorArn=connector_arn(client, "gone"))


def _build_network_wrong(client: Client) -> None:
    """One VPC, and what three teams have put their connectors in."""
    made = vpc(client, name=NETWORK_WRONG, zones=ZONES[:2])
    ec2: EC2Client = client("ec2")
    first, second = made.private.values()
    small = subnet(ec2, made.id, "10.0.110.0/28", ZONES[0])
    refused = subnet(ec2, made.id, "10.0.111.0/24", "use1-az3")
    doomed = subnet(ec2, made.id, "10.0.112.0/24", ZONES[2])
    ec2.create_tags(Resources=[doomed], Tags=[{"Key": "Name", "Value": f"{NETWORK_WRONG}-doomed"}])
    for one in (small, refused, doomed):
        ec2.associate_route_table(RouteTableId=made.tables[ZONES[0]], SubnetId=one)
    hidden = nat_gateway(ec2, first)
    CLOCK.advance(OPERATION_SECONDS)
    ec2.replace_route(RouteTableId=made.tables[ZONES[1]], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=hidden)
    for _ in range(4):
        ec2.create_network_interface(SubnetId=small, Groups=[made.group])
    called = group(ec2, made.id, f"{NETWORK_WRONG}-orders")
    everywhere: list[IpPermissionTypeDef] = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ]
    ec2.authorize_security_group_ingress(GroupId=called, IpPermissions=everywhere)
    silent, going = (group(ec2, made.id, f"{NETWORK_WRONG}-{name}", ports=()) for name in ("silent", "going"))
    connector(client, f"{NETWORK_WRONG}-orders", [first, small, refused], [called])
    connector(client, f"{NETWORK_WRONG}-reports", [first, second])
    connector(client, f"{NETWORK_WRONG}-search", [first, second, doomed], [silent, going])


def _happen_network_wrong(client: Client) -> None:
    """Somebody tidies the VPC up."""
    ec2: EC2Client = client("ec2")
    vpc_id, acl = _tidied(client)
    doomed = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": [f"{NETWORK_WRONG}-doomed"]}])["Subnets"][0]
    with calling_as("sso"):
        ec2.delete_subnet(SubnetId=doomed["SubnetId"])
        ec2.delete_security_group(GroupId=group_named(client, f"{NETWORK_WRONG}-going"))
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": False})
        ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=50, Protocol="-1", RuleAction="deny", Egress=True, CidrBlock="0.0.0.0/0"
        )


def _later_network_wrong(client: Client) -> None:
    """Names and the way out work again; what is deleted is gone."""
    ec2: EC2Client = client("ec2")
    vpc_id, acl = _tidied(client)
    with calling_as("sso"):
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": True})
        ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=50, Egress=True)


def _tidied(client: Client) -> tuple[str, str]:
    """The ids of the VPC and of its ACL."""
    ec2: EC2Client = client("ec2")
    silent = ec2.describe_security_groups(GroupIds=[group_named(client, f"{NETWORK_WRONG}-silent")])["SecurityGroups"][
        0
    ]
    acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [silent["VpcId"]]}])["NetworkAcls"]
    return silent["VpcId"], acls[0]["NetworkAclId"]


CONNECTORS: Sequence[World] = (
    World(
        name="healthy",
        summary="three private subnets in three zones, a NAT gateway in each",
        seed=101,
        build=_build_network,
        happen=_happen_healthy,
    ),
    World(
        name="public-subnets",
        summary="the connector of the CDK example: public subnets",
        seed=102,
        build=_build_public_subnets,
        happen=_happen_public_subnets,
    ),
    World(
        name="main-table",
        summary="a subnet without a route table of its own; the VPC's main table leads to an internet gateway",
        seed=103,
        build=_build_main_table,
        happen=_happen_main_table,
    ),
    World(
        name="one-zone",
        summary="all in one Availability Zone",
        seed=104,
        build=_build_network,
        happen=_happen_one_zone,
    ),
    World(
        name="isolated",
        summary="no default route",
        seed=105,
        build=_build_isolated,
        happen=_happen_isolated,
    ),
    World(
        name="nat-gone",
        summary="a NAT gateway was deleted: its zone's default route is a blackhole",
        seed=106,
        build=_build_nat_gone,
        happen=_happen_nat_gone,
    ),
    World(
        name="mixed-address-types",
        summary="one of three IPv4 subnets became dual-stack after the connector was made",
        seed=107,
        build=_build_mixed_address_types,
        happen=_happen_mixed_address_types,
    ),
    World(
        name="copilot",
        summary="an environment as AWS Copilot makes it: two zones, one open group for all",
        seed=108,
        build=_build_copilot,
        happen=_happen_copilot,
    ),
    World(
        name="mended",
        summary="a private subnet's table leads to an internet gateway, until its route is put back",
        seed=109,
        build=_build_mended,
        happen=_happen_mended,
        later=_later_mended,
    ),
    World(
        name="exempted",
        summary="an open group that a tag exempts, and another exemption tag that is malformed",
        seed=110,
        build=_build_exempted,
        happen=_happen_exempted,
        later=_later_exempted,
    ),
    World(
        name="connector-in-use",
        summary="a connector cannot be deleted: two services use it",
        seed=111,
        build=_build_connector_in_use,
        happen=_happen_connector_in_use,
    ),
    World(
        name="gone",
        summary="two zones only; the connector is deleted later",
        seed=112,
        build=_build_network,
        happen=_happen_gone,
        later=_later_gone,
    ),
    World(
        name=NETWORK_WRONG,
        summary="three connectors in a VPC with wrong zones, NAT gateways and groups, in which somebody then tidies up",
        seed=125,
        build=_build_network_wrong,
        happen=_happen_network_wrong,
        later=_later_network_wrong,
    ),
)
