"""What worlds are made of: a VPC as it should be, connectors, services, and what the stack deploys."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import boto3

from emulator import ids
from emulator.clock import CLOCK
from emulator.settings import SETTINGS

if TYPE_CHECKING:
    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_apprunner.type_defs import (
        CreateServiceRequestTypeDef,
        CreateVpcConnectorRequestTypeDef,
        NetworkConfigurationTypeDef,
        TagTypeDef,
    )
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import IpPermissionTypeDef, IpRangeTypeDef

type Client = Callable[[str], Any]  # "ec2" → the SDK's client of EC2

REGION = "us-east-1"
ZONES = ("use1-az1", "use1-az2", "use1-az4")
REGION_ZONES = (*ZONES, "use1-az6")
ALERT_TOPIC = "AlertTopic"
CHAT_TOPIC = "ChatTopic"
FINDINGS_TABLE = "FindingsTable"
SYNC_QUEUE = "SyncQueue"
TAG_QUEUE = "TagQueue"
POSTGRESQL = 5432
EXEMPT = "apprunner-guardrails:exempt:"
OPERATION_SECONDS = 180  # long enough for an operation of a service to end


@dataclass(frozen=True, kw_only=True)
class Member:
    """An account's Region that organization.yaml is deployed to: its events are sent to the guardrails, and its audits
    are asked for."""

    account: str
    region: str


@dataclass(frozen=True, kw_only=True)
class World:
    """`build` makes what stood there before, `happen` makes the calls whose events the guardrails get; `later`, where
    there is one, makes those that come when the guardrails have answered, and that change their answer. `parameters`
    are those of the template with which the guardrails are deployed there; others have their defaults. `members` are
    the other accounts and Regions that they guard."""

    name: str
    summary: str
    seed: int
    build: Callable[[Client], None]
    happen: Callable[[Client], None]
    later: Callable[[Client], None] | None = None
    parameters: Mapping[str, str] = MappingProxyType({})
    members: Sequence[Member] = ()


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


def stack_resources(client: Client) -> Mapping[str, str]:
    """Make what the stack deploys beside its functions, and every world therefore has: logical id → what a !Ref of it
    gives: the ARN of a topic, the name of the table, the URL of a queue. What is there already stays as it is."""
    return {
        ALERT_TOPIC: alert_topic(client),
        CHAT_TOPIC: str(client("sns").create_topic(Name=CHAT_TOPIC)["TopicArn"]),
        FINDINGS_TABLE: findings_table(client),
        **{name: str(client("sqs").create_queue(QueueName=name)["QueueUrl"]) for name in (SYNC_QUEUE, TAG_QUEUE)},
    }


def alert_topic(client: Client) -> str:
    """The stack's topic, which every world has; its ARN."""
    return str(client("sns").create_topic(Name=ALERT_TOPIC)["TopicArn"])


def findings_table(client: Client, name: str = FINDINGS_TABLE) -> str:
    """The stack's table, as the template has it; its name."""
    dynamodb: DynamoDBClient = client("dynamodb")
    if name not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "S"} for key in ("resource", "rule", "place")
            ],
            KeySchema=[
                {"AttributeName": "resource", "KeyType": "HASH"},
                {"AttributeName": "rule", "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "places",
                    "KeySchema": [{"AttributeName": "place", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True}
        )
    return name


def vpc(client: Client, *, name: str = "orders", zones: Sequence[str] = ZONES, nat: bool = True) -> Vpc:
    """A VPC as the documentation draws it: per zone a public subnet with a NAT gateway, and a private one behind it.

    The main route table leads nowhere; the group NAME-connector lets out HTTPS and PostgreSQL and admits nothing, and
    the group NAME-database admits it.
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
    connectors = group(ec2, vpc_id, f"{name}-connector")
    with ids.aside(vpc_id):
        database = group(ec2, vpc_id, f"{name}-database", ports=())
        ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[postgresql(connectors)])
    return Vpc(
        id=vpc_id,
        internet_gateway=gateway,
        private=private,
        public=public,
        tables=tables,
        nats=nats,
        group=connectors,
    )


def postgresql(peer: str) -> "IpPermissionTypeDef":
    """What lets a group reach a database."""
    return {
        "IpProtocol": "tcp",
        "FromPort": POSTGRESQL,
        "ToPort": POSTGRESQL,
        "UserIdGroupPairs": [{"GroupId": peer}],
    }


def subnet(ec2: "EC2Client", vpc_id: str, cidr: str, zone: str) -> str:
    return ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZoneId=zone)["Subnet"]["SubnetId"]


def table(ec2: "EC2Client", vpc_id: str) -> str:
    return ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]


def nat_gateway(ec2: "EC2Client", subnet_id: str) -> str:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    return ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address)["NatGateway"]["NatGatewayId"]


def group(ec2: "EC2Client", vpc_id: str, name: str, ports: Sequence[int] = (443, POSTGRESQL)) -> str:
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
        request["Tags"] = _listed(tags)
    return apprunner.create_vpc_connector(**request)["VpcConnector"]["VpcConnectorArn"]


def _listed(tags: Mapping[str, str]) -> "list[TagTypeDef]":
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def egress_through(connector_arn: str) -> "NetworkConfigurationTypeDef":
    return {"EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": connector_arn}}


def service(
    client: Client,
    name: str,
    connector_arn: str = "",
    *,
    public: bool = True,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A service from a public image, with secrets in its environment that CloudTrail must not show."""
    apprunner: AppRunnerClient = client("apprunner")
    network = egress_through(connector_arn) if connector_arn else {}
    if not public:
        network["IngressConfiguration"] = {"IsPubliclyAccessible": False}
    request: CreateServiceRequestTypeDef = {
        "ServiceName": name,
        "SourceConfiguration": {
            "ImageRepository": {
                "ImageIdentifier": "public.ecr.aws/aws-containers/hello-app-runner:latest",
                "ImageRepositoryType": "ECR_PUBLIC",
                "ImageConfiguration": {"Port": "8000", "RuntimeEnvironmentVariables": {"API_KEY": "not-for-the-trail"}},
            }
        },
        "NetworkConfiguration": network,
    }
    if tags:
        request["Tags"] = _listed(tags)
    return apprunner.create_service(**request)["Service"]["ServiceArn"]


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


def connector_arn(client: Client, name: str) -> str:
    connectors = client("apprunner").list_vpc_connectors()["VpcConnectors"]
    return next(str(one["VpcConnectorArn"]) for one in connectors if one["VpcConnectorName"] == name)


def service_arn(client: Client, name: str) -> str:
    services = client("apprunner").list_services()["ServiceSummaryList"]
    return next(str(one["ServiceArn"]) for one in services if one["ServiceName"] == name)


def tag_roles(client: Client, made: Vpc) -> None:
    """Tag what the world's event will need, so that `happen` finds it again by ordinary calls."""
    ec2: EC2Client = client("ec2")
    for role, by_zone in (("private", made.private), ("public", made.public)):
        for one in by_zone.values():
            ec2.create_tags(Resources=[one], Tags=[{"Key": "role", "Value": role}])


def subnets_of(client: Client, role: str) -> list[str]:
    filters = [{"Name": "tag:role", "Values": [role]}]
    return sorted(str(one["SubnetId"]) for one in client("ec2").describe_subnets(Filters=filters)["Subnets"])


def subnets_beside(client: Client, group_name: str, role: str) -> list[str]:
    """Those of the VPC that a security group is in: worlds may share a Region."""
    ec2: EC2Client = client("ec2")
    group_vpc = ec2.describe_security_groups(GroupIds=[group_named(client, group_name)])["SecurityGroups"][0]["VpcId"]
    inside = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [group_vpc]}])["Subnets"]
    return sorted({one["SubnetId"] for one in inside} & set(subnets_of(client, role)))


def connector_group(client: Client) -> str:
    return group_named(client, "orders-connector")


def group_named(client: Client, name: str) -> str:
    """The id of a security group."""
    filters = [{"Name": "group-name", "Values": [name]}]
    return str(client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])
