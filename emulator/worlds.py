"""Named worlds: small AWS accounts, each with one thing wrong, built by ordinary SDK calls with repeatable ids.

A world is first built (the network, and what stood there before), then something happens in it: the call that the
guardrails are woken by. In some, more happens later, when they have told of it: somebody mends it, or deletes it. All
are plain functions of `client`, which gives the SDK's client of a service by name. Connectors and services are named
for their world, so an event says which world it belongs to, if it names one of them at all.

`region` builds no named world, but a Region of any size.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError
from moto.moto_api._internal import mock_random

from emulator.clock import CLOCK
from emulator.cloudtrail import calling_as
from emulator.settings import SETTINGS

if TYPE_CHECKING:
    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_apprunner.type_defs import CreateVpcConnectorRequestTypeDef, NetworkConfigurationTypeDef
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, IpPermissionTypeDef, IpRangeTypeDef, TagTypeDef

type Client = Callable[[str], Any]  # "ec2" → the SDK's client of EC2

REGION = "us-east-1"
ZONES = ("use1-az1", "use1-az2", "use1-az4")
REGION_ZONES = (*ZONES, "use1-az6")
ALERT_TOPIC = "AlertTopic"
CHAT_TOPIC = "ChatTopic"
FINDINGS_TABLE = "FindingsTable"
EXEMPT = "apprunner-guardrails:exempt:"
OPERATION_SECONDS = 180  # long enough for an operation of a service to end


@dataclass(frozen=True, kw_only=True)
class World:
    """`build` makes what stood there before, `happen` makes the calls whose events the guardrails get; `later`, where
    there is one, makes those that come when the guardrails have answered, and that change their answer."""

    name: str
    summary: str
    seed: int
    build: Callable[[Client], None]
    happen: Callable[[Client], None]
    later: Callable[[Client], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """The ids of a VPC that `vpc` made; subnets, route tables and NAT gateways by zone id."""

    id: str
    internet_gateway: str
    private: Mapping[str, str]
    public: Mapping[str, str]
    tables: Mapping[str, str]
    nats: Mapping[str, str]
    group: str


@dataclass(frozen=True, kw_only=True)
class Region:
    """What `region` made: ARNs, and the ids of the private subnets."""

    connectors: tuple[str, ...]
    services: tuple[str, ...]
    subnets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _RegionVpc:
    id: str
    subnets: Sequence[str]


def sdk_client(service: str) -> Any:
    """The SDK's client in the worlds' Region, by a name that only the caller knows; its type hangs on a literal."""
    make: Any = boto3.client
    return make(service, region_name=REGION)


def build(world: World, client: Client) -> None:
    """Make what stands in the world before anything happens. Ids are the same wherever it is built."""
    mock_random.seed(world.seed)
    with calling_as("cli"):
        world.build(client)


def happen(world: World, client: Client) -> None:
    """Make the world's calls. Ids do not depend on what was done since `build`; operations are under way after it."""
    mock_random.seed(world.seed + 1000)
    world.happen(client)


def later(world: World, client: Client) -> None:
    """Make the world's later calls, if it has any. Ids do not depend on what was done since `happen`."""
    if world.later is not None:
        mock_random.seed(world.seed + 2000)
        world.later(client)


def make(world: World, client: Client) -> None:
    """Build the world and what the stack deploys, let the world's event happen, and its operations end. What comes
    later in it is left to the caller."""
    build(world, client)
    stack_resources(client)
    happen(world, client)
    CLOCK.advance(OPERATION_SECONDS)


def stack_resources(client: Client) -> Mapping[str, str]:
    """Make what the stack deploys beside its functions, and every world therefore has: logical id → ARN of the topics,
    name of the table. What is there already stays as it is."""
    made = {ALERT_TOPIC: alert_topic(client), CHAT_TOPIC: str(client("sns").create_topic(Name=CHAT_TOPIC)["TopicArn"])}
    return {**made, FINDINGS_TABLE: findings_table(client)}


def alert_topic(client: Client) -> str:
    """The stack's topic, which every world has; its ARN."""
    return str(client("sns").create_topic(Name=ALERT_TOPIC)["TopicArn"])


def findings_table(client: Client, name: str = FINDINGS_TABLE) -> str:
    """The stack's table, as the template has it; its name."""
    dynamodb: DynamoDBClient = client("dynamodb")
    if name not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("resource", "rule")],
            KeySchema=[
                {"AttributeName": "resource", "KeyType": "HASH"},
                {"AttributeName": "rule", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True}
        )
    return name


def vpc(client: Client, *, zones: Sequence[str] = ZONES, nat: bool = True) -> Vpc:
    """A VPC as the documentation draws it: per zone a public subnet with a NAT gateway, and a private one behind it.

    The main route table leads nowhere; the connector's group lets out HTTPS and PostgreSQL and admits nothing.
    """
    ec2: EC2Client = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    open_table = table(ec2, vpc_id)
    ec2.create_route(RouteTableId=open_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    public: dict[str, str] = {}
    private: dict[str, str] = {}
    tables: dict[str, str] = {}
    nats: dict[str, str] = {}
    for number, zone in enumerate(zones):
        public[zone] = subnet(ec2, vpc_id, f"10.0.{number}.0/24", zone)
        private[zone] = subnet(ec2, vpc_id, f"10.0.{100 + number}.0/24", zone)
        ec2.associate_route_table(RouteTableId=open_table, SubnetId=public[zone])
        tables[zone] = table(ec2, vpc_id)
        ec2.associate_route_table(RouteTableId=tables[zone], SubnetId=private[zone])
        if nat:
            nats[zone] = nat_gateway(ec2, public[zone])
            ec2.create_route(RouteTableId=tables[zone], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nats[zone])
    CLOCK.advance(OPERATION_SECONDS)  # NAT gateways become available
    return Vpc(
        id=vpc_id,
        internet_gateway=gateway,
        private=private,
        public=public,
        tables=tables,
        nats=nats,
        group=group(ec2, vpc_id, "orders-connector"),
    )


def subnet(ec2: "EC2Client", vpc_id: str, cidr: str, zone: str) -> str:
    return ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZoneId=zone)["Subnet"]["SubnetId"]


def table(ec2: "EC2Client", vpc_id: str) -> str:
    return ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]


def nat_gateway(ec2: "EC2Client", subnet_id: str) -> str:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    return ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address)["NatGateway"]["NatGatewayId"]


def group(ec2: "EC2Client", vpc_id: str, name: str, ports: Sequence[int] = (443, 5432)) -> str:
    """A security group that lets out these ports only: EC2 adds a rule for everything, which goes."""
    made = ec2.create_security_group(GroupName=name, Description="App Runner connector", VpcId=vpc_id)["GroupId"]
    everywhere: IpRangeTypeDef = {"CidrIp": "0.0.0.0/0"}
    ec2.revoke_security_group_egress(GroupId=made, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [everywhere]}])
    let_out: list[IpPermissionTypeDef] = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [everywhere]} for port in ports
    ]
    if let_out:
        ec2.authorize_security_group_egress(GroupId=made, IpPermissions=let_out)
    return made


def connector(
    client: Client,
    name: str,
    subnets: Sequence[str],
    groups: Sequence[str] = (),
    tags: Mapping[str, str] = MappingProxyType({}),
) -> str:
    apprunner: AppRunnerClient = client("apprunner")
    request: CreateVpcConnectorRequestTypeDef = {"VpcConnectorName": name, "Subnets": list(subnets)}
    if groups:
        request["SecurityGroups"] = list(groups)
    if tags:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return apprunner.create_vpc_connector(**request)["VpcConnector"]["VpcConnectorArn"]


def egress_through(connector_arn: str) -> "NetworkConfigurationTypeDef":
    return {"EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": connector_arn}}


def service(client: Client, name: str, connector_arn: str = "") -> str:
    """A service from a public image, with secrets in its environment that CloudTrail must not show."""
    apprunner: AppRunnerClient = client("apprunner")
    made = apprunner.create_service(
        ServiceName=name,
        SourceConfiguration={
            "ImageRepository": {
                "ImageIdentifier": "public.ecr.aws/aws-containers/hello-app-runner:latest",
                "ImageRepositoryType": "ECR_PUBLIC",
                "ImageConfiguration": {"Port": "8000", "RuntimeEnvironmentVariables": {"API_KEY": "not-for-the-trail"}},
            }
        },
        NetworkConfiguration=egress_through(connector_arn) if connector_arn else {},
    )
    return made["Service"]["ServiceArn"]


def region(client: Client, *, connectors: int = 100, services: int = 300, vpcs: int = 2) -> Region:
    """A Region of that size, made by the API, with quotas raised for it and every operation over.

    Each connector has four subnets of its own in four zones (up to 256 of them in a VPC), behind NAT gateways that
    those of a VPC share, and uses four or three of them; every tenth only one, which fails AR101. Ten connectors share
    a security group. Services take the connectors in turn, and every sixth has none."""
    client = cache(client)  # 400 clients would take longer than the calls
    per_vpc = -(-connectors // vpcs)
    quotas = SETTINGS.quotas
    SETTINGS.quotas = {
        **quotas,
        "connectors": max(connectors, quotas["connectors"]),
        "services": max(services, quotas["services"]),
    }
    subnets: list[str] = []
    arns: list[str] = []
    for number in range(vpcs):
        numbers = range(number * per_vpc, min((number + 1) * per_vpc, connectors))
        made = _region_vpc(client, number, len(numbers))
        groups = [group(client("ec2"), made.id, f"connectors-{ten}") for ten in range(-(-len(numbers) // 10))]
        for place, one in enumerate(numbers):
            own = made.subnets[place * len(REGION_ZONES) : (place + 1) * len(REGION_ZONES)]
            used = own[: 3 + one % 2] if (one + 1) % 10 else own[:1]
            tags = {"team": f"team-{one % 7}", "stage": "production"}
            arns.append(connector(client, f"connector-{one:03}", used, groups[place // 10 : place // 10 + 1], tags))
        subnets += made.subnets
    made_services = [
        service(client, f"service-{number:03}", arns[number % len(arns)] if (number + 1) % 6 else "")
        for number in range(services)
    ]
    CLOCK.advance(OPERATION_SECONDS)
    return Region(connectors=tuple(arns), services=tuple(made_services), subnets=tuple(subnets))


def _region_vpc(client: Client, number: int, connectors: int) -> _RegionVpc:
    """One of a Region's VPCs: a public subnet with a NAT gateway in each zone, and a private one for each connector."""
    ec2: EC2Client = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    open_table = table(ec2, vpc_id)
    ec2.create_route(RouteTableId=open_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    blocks = ipaddress.ip_network(f"10.{number}.0.0/16").subnets(new_prefix=26)
    tables: dict[str, str] = {}
    for zone in REGION_ZONES:
        public = subnet(ec2, vpc_id, str(next(blocks)), zone)
        ec2.associate_route_table(RouteTableId=open_table, SubnetId=public)
        tables[zone] = table(ec2, vpc_id)
        nat = nat_gateway(ec2, public)
        ec2.create_route(RouteTableId=tables[zone], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    subnets: list[str] = []
    for _ in range(connectors):
        for zone in REGION_ZONES:
            subnets.append(subnet(ec2, vpc_id, str(next(blocks)), zone))
            ec2.associate_route_table(RouteTableId=tables[zone], SubnetId=subnets[-1])
    CLOCK.advance(OPERATION_SECONDS)  # NAT gateways become available
    return _RegionVpc(id=vpc_id, subnets=subnets)


def _connector_arn(client: Client, name: str) -> str:
    connectors = client("apprunner").list_vpc_connectors()["VpcConnectors"]
    return next(str(one["VpcConnectorArn"]) for one in connectors if one["VpcConnectorName"] == name)


def _service_arn(client: Client, name: str) -> str:
    services = client("apprunner").list_services()["ServiceSummaryList"]
    return next(str(one["ServiceArn"]) for one in services if one["ServiceName"] == name)


def _tag_roles(client: Client, made: Vpc) -> None:
    """Tag what the world's event will need, so that `happen` finds it again by ordinary calls."""
    ec2: EC2Client = client("ec2")
    for role, ids in (("private", made.private), ("public", made.public)):
        for one in ids.values():
            ec2.create_tags(Resources=[one], Tags=[{"Key": "role", "Value": role}])


def _subnets(client: Client, role: str) -> list[str]:
    filters = [{"Name": "tag:role", "Values": [role]}]
    return sorted(str(one["SubnetId"]) for one in client("ec2").describe_subnets(Filters=filters)["Subnets"])


def _group(client: Client) -> str:
    filters = [{"Name": "group-name", "Values": ["orders-connector"]}]
    return str(client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])


def _build_network(client: Client) -> None:
    _tag_roles(client, vpc(client))


def _happen_healthy(client: Client) -> None:
    """The same name a second time is refused: App Runner keeps one revision a name."""
    with calling_as("assumed-role"):
        arn = connector(client, "healthy", _subnets(client, "private"), [_group(client)])
        service(client, "healthy-orders", arn)
        with suppress(ClientError):
            connector(client, "healthy", _subnets(client, "private"), [_group(client)])


def _build_public_subnets(client: Client) -> None:
    _build_network(client)
    service(client, "public-subnets-orders")
    CLOCK.advance(OPERATION_SECONDS)


def _happen_public_subnets(client: Client) -> None:
    """The connector can be made; the service that is to use it fails to update and rolls back."""
    with calling_as("cloudformation"):
        arn = connector(client, "public-subnets", _subnets(client, "public"), [_group(client)])
        client("apprunner").update_service(
            ServiceArn=_service_arn(client, "public-subnets-orders"), NetworkConfiguration=egress_through(arn)
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
    _tag_roles(client, made)
    ec2.create_tags(Resources=[forgotten], Tags=[{"Key": "role", "Value": "private"}])


def _happen_main_table(client: Client) -> None:
    with calling_as("console"):
        connector(client, "main-table", _subnets(client, "private"), [_group(client)])


def _happen_one_zone(client: Client) -> None:
    with calling_as("root"):
        connector(client, "one-zone", _subnets(client, "private")[:1], [_group(client)])


def _build_isolated(client: Client) -> None:
    made = vpc(client, nat=False)
    connector(client, "isolated", list(made.private.values()), [made.group])


def _happen_isolated(client: Client) -> None:
    with calling_as("sso"):
        service(client, "isolated-reports", _connector_arn(client, "isolated"))


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
        client("apprunner").resume_service(ServiceArn=_service_arn(client, "nat-gone-orders"))


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
    network = egress_through(_connector_arn(client, "mixed-address-types"))
    network["IngressConfiguration"] = {"IsPubliclyAccessible": False}
    with calling_as("terraform"):
        client("apprunner").update_service(
            ServiceArn=_service_arn(client, "mixed-address-types-orders"),
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
    _tag_roles(client, made)


def _happen_copilot(client: Client) -> None:
    filters = [{"Name": "group-name", "Values": ["shop-test-EnvironmentSecurityGroup"]}]
    environment = client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    with calling_as("cloudformation"):
        arn = connector(client, "copilot", _subnets(client, "private"), [environment])
        service(client, "copilot-front", arn)


def _build_mended(client: Client) -> None:
    """Somebody has pointed the route table of one zone at the internet gateway."""
    made = vpc(client)
    _tag_roles(client, made)
    client("ec2").replace_route(
        RouteTableId=made.tables[ZONES[2]], DestinationCidrBlock="0.0.0.0/0", GatewayId=made.internet_gateway
    )


def _happen_mended(client: Client) -> None:
    with calling_as("terraform"):
        connector(client, "mended", _subnets(client, "private"), [_group(client)])


def _later_mended(client: Client) -> None:
    """The route goes back to the zone's NAT gateway."""
    ec2: EC2Client = client("ec2")
    private = _subnets(client, "private")
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
    _tag_roles(client, made)
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
        connector(client, "exempted", _subnets(client, "private"), [open_group], tags)


def _later_exempted(client: Client) -> None:
    """The tag that exempted nothing gets a date, an owner and a reason."""
    tag: dict[str, str] = {"Key": f"{EXEMPT}AR105", "Value": "2026-12-31 @network until the migration is over"}
    with calling_as("sso"):
        client("apprunner").tag_resource(ResourceArn=_connector_arn(client, "exempted"), Tags=[tag])


def _build_connector_in_use(client: Client) -> None:
    made = vpc(client)
    arn = connector(client, "connector-in-use", list(made.private.values()), [made.group])
    for name in ("connector-in-use-orders", "connector-in-use-reports"):
        service(client, name, arn)
    CLOCK.advance(OPERATION_SECONDS)


def _happen_connector_in_use(client: Client) -> None:
    """The connector of one service is to go; another service uses it too, and so does the first one still."""
    with calling_as("assumed-role"), suppress(ClientError):
        client("apprunner").delete_vpc_connector(VpcConnectorArn=_connector_arn(client, "connector-in-use"))


def _happen_gone(client: Client) -> None:
    with calling_as("console"):
        connector(client, "gone", _subnets(client, "private")[:2], [_group(client)])


def _later_gone(client: Client) -> None:
    """Whoever made it takes it away again."""
    with calling_as("console"):
        client("apprunner").delete_vpc_connector(VpcConnectorArn=_connector_arn(client, "gone"))


_ALL = (
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
)

WORLDS: Mapping[str, World] = {world.name: world for world in _ALL}
