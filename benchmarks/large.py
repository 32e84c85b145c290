"""What AWS answers about a Region of any size, made up: the emulator would take minutes to make a thousand connectors.

Each answer is written as AWS writes it, from the service's model, and paged as AWS pages it. What is asked for by
filters or ids is answered by them; of writes nothing is kept.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from apprunner_guardrails.targets.binding import TAG
from benchmarks.standin import Answer, Question
from emulator.worlds import REGION

ACCOUNT = "123456789012"
ZONES = ("use1-az1", "use1-az2", "use1-az4")
IN_A_VPC = 50  # connectors, whose 150 subnets and three public ones are fewer than the 200 that a VPC may have
EC2_PAGE = 1000
_MADE = "2026-11-01T07:00:00Z"

type _Row = dict[str, Any]  # as botocore parses it
type _Parameters = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Region:
    """A Region with so many connectors of three subnets each, a service and three network interfaces for each; and
    with so many target groups that are bound to an endpoint of three zones each and in step with it.

    Every tenth connector uses the default security group, which is a finding (AR201).
    """

    connectors: int = 0
    bound_groups: int = 0

    @property
    def audited(self) -> int:
        """Connectors, subnets, services and network interfaces: what an audit reads of each connector, and judges."""
        return self.connectors * (1 + len(ZONES) + 1 + len(ZONES))

    @property
    def synced(self) -> int:
        """Target groups, endpoints and their network interfaces: what a sync reads of each group."""
        return self.bound_groups * (1 + 1 + len(ZONES))

    @property
    def vpcs(self) -> Sequence[str]:
        return [f"vpc-{number:017x}" for number in range(-(-self.connectors // IN_A_VPC))]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Answers questions about a Region; each is written once."""

    region: Region
    _written: dict[Question, Answer] = field(default_factory=dict)

    def __call__(self, question: Question, body: bytes) -> Answer | None:
        found = self._written.get(question)
        if found is None:
            told = _OPERATIONS.get(question.action)
            if told is None:
                return None
            parameters = _parameters(question, body)
            found = self._written[question] = _written(question, told(self.region, parameters))
        return found


def _parameters(question: Question, body: bytes) -> _Parameters:
    """Of JSON as they are; of forms the filters by name under "Filters", and lists under their names."""
    if "json" in dict(question.headers).get("Content-Type", ""):
        return dict(json.loads(body or b"{}"))
    flat = dict(parse_qsl(body.decode()))
    names = {key.rpartition(".")[0]: value for key, value in flat.items() if re.fullmatch(r"Filter\.\d+\.Name", key)}
    filters = {
        name: [value for key, value in flat.items() if key.startswith(f"{prefix}.Value.")]
        for prefix, name in names.items()
    }
    lists: dict[str, list[str]] = {}
    for key, value in flat.items():
        if listed := re.fullmatch(r"(\w+)(?:\.member)?\.\d+", key):
            lists.setdefault(listed[1], []).append(value)
    return {**flat, **lists, "Filters": filters}


# What a service signs as is not always what the SDK calls it.
_SDK_NAMES = {"elasticloadbalancing": "elbv2", "tagging": "resourcegroupstaggingapi", "servicequotas": "service-quotas"}


def _written(question: Question, told: Mapping[str, Any]) -> Answer:
    service = get_service_model(_SDK_NAMES.get(question.service, question.service))
    serializer = get_serializer_class(service.service_name, service.resolved_protocol)(
        service.operation_model(question.operation)
    )
    written = serializer.serialize(told)
    text = written["body"]
    return Answer(
        status=written["status_code"],
        headers={"Content-Type": written["headers"]["Content-Type"]},
        body=text if isinstance(text, bytes) else text.encode(),
    )


def _page(rows: Sequence[_Row], asked: _Parameters, member: str, size: int, token: str = "NextToken") -> _Row:  # noqa: S107 - a field's name  # nosec B107  # a member's name
    first = int(asked.get(token) or 0)
    more = {token: str(first + size)} if first + size < len(rows) else {}
    return {member: list(rows[first : first + size]), **more}


# App Runner ----------------------------------------------------------------------------------------------------------


def _connector_arn(number: int) -> str:
    return f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/connector-{number:05}/1/{number:032x}"


def _service_arn(number: int) -> str:
    return f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/service-{number:05}/{number:032x}"


def _subnet_ids(number: int) -> list[str]:
    return [f"subnet-{number * len(ZONES) + zone:017x}" for zone in range(len(ZONES))]


def _group_id(number: int) -> str:
    """Ten connectors share a group; every tenth connector has the VPC's default one."""
    return _default_group(number // IN_A_VPC) if number % 10 == 9 else f"sg-{number // 10:017x}"  # noqa: PLR2004


def _default_group(vpc: int) -> str:
    return f"sg-d{vpc:016x}"


def _connectors(region: Region) -> list[_Row]:
    return [
        {
            "VpcConnectorName": f"connector-{number:05}",
            "VpcConnectorArn": _connector_arn(number),
            "VpcConnectorRevision": 1,
            "Subnets": _subnet_ids(number),
            "SecurityGroups": [_group_id(number)],
            "Status": "ACTIVE",
            "CreatedAt": _MADE,
        }
        for number in range(region.connectors)
    ]


def _list_connectors(region: Region, asked: _Parameters) -> _Row:
    return _page(_connectors(region), asked, "VpcConnectors", asked["MaxResults"])


def _list_services(region: Region, asked: _Parameters) -> _Row:
    rows = [
        {"ServiceName": f"service-{number:05}", "ServiceArn": _service_arn(number), "Status": "RUNNING"}
        for number in range(region.connectors)
    ]
    return _page(rows, asked, "ServiceSummaryList", asked["MaxResults"])


def _describe_service(_: Region, asked: _Parameters) -> _Row:
    number = int(asked["ServiceArn"].rpartition("/")[2], 16)
    return {
        "Service": {
            "ServiceName": f"service-{number:05}",
            "ServiceId": f"{number:032x}",
            "ServiceArn": asked["ServiceArn"],
            "ServiceUrl": f"{number:010x}.us-east-1.awsapprunner.com",
            "CreatedAt": _MADE,
            "UpdatedAt": _MADE,
            "Status": "RUNNING",
            "SourceConfiguration": {
                "ImageRepository": {
                    "ImageIdentifier": "public.ecr.aws/aws-containers/hello-app-runner:latest",
                    "ImageRepositoryType": "ECR_PUBLIC",
                    "ImageConfiguration": {"Port": "8000", "RuntimeEnvironmentVariables": {"STAGE": "production"}},
                },
                "AutoDeploymentsEnabled": False,
            },
            "InstanceConfiguration": {"Cpu": "1024", "Memory": "2048"},
            "HealthCheckConfiguration": {
                "Protocol": "TCP",
                "Path": "/",
                "Interval": 5,
                "Timeout": 2,
                "HealthyThreshold": 1,
                "UnhealthyThreshold": 5,
            },
            "AutoScalingConfigurationSummary": {
                "AutoScalingConfigurationArn": f"arn:aws:apprunner:{REGION}:{ACCOUNT}:autoscalingconfiguration/d/1/1",
                "AutoScalingConfigurationName": "DefaultConfiguration",
                "AutoScalingConfigurationRevision": 1,
            },
            "NetworkConfiguration": {
                "EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": _connector_arn(number)},
                "IngressConfiguration": {"IsPubliclyAccessible": True},
                "IpAddressType": "IPV4",
            },
            "ObservabilityConfiguration": {"ObservabilityEnabled": True},
        }
    }


_TAGS = [{"Key": "team", "Value": "orders"}, {"Key": "stage", "Value": "production"}]


# Tags ----------------------------------------------------------------------------------------------------------------


def _get_resources(region: Region, asked: _Parameters) -> _Row:
    if "elasticloadbalancing:targetgroup" in asked["ResourceTypeFilters"]:
        numbers = range(region.bound_groups)
        rows = [
            {"ResourceARN": _group_arn(number), "Tags": [{"Key": TAG, "Value": _endpoint_id(number)}, *_TAGS]}
            for number in numbers
        ]
    else:
        arns = (arn(number) for arn in (_connector_arn, _service_arn) for number in range(region.connectors))
        rows = [{"ResourceARN": arn, "Tags": _TAGS} for arn in arns]
    size, token = asked["ResourcesPerPage"], "PaginationToken"
    return {token: "", **_page(rows, asked, "ResourceTagMappingList", size, token)}


# EC2 -----------------------------------------------------------------------------------------------------------------


def _ec2(member: str, rows: Callable[[Region], Iterable[_Row]]) -> "_Tell":
    """Answers by filters that name a row's own field (subnet-id, vpc-id, group-name …), and by ids."""

    def told(region: Region, asked: _Parameters) -> _Row:
        filters = {_FIELDS[name]: set(values) for name, values in asked["Filters"].items() if name in _FIELDS}
        ids = set(asked.get("NetworkInterfaceId", ()))
        found = [
            row
            for row in _rows_of(region, rows)
            if all(_values(row, name) & values for name, values in filters.items())
            and (not ids or row["NetworkInterfaceId"] in ids)
            and ("tag-key" not in asked["Filters"] or row.get("TagSet"))
        ]
        return _page(found, asked, member, EC2_PAGE)

    return told


@cache
def _rows_of(region: Region, rows: Callable[[Region], Iterable[_Row]]) -> Sequence[_Row]:
    return list(rows(region))


_FIELDS = {
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
    "group-id": "GroupId",
    "group-name": "GroupName",
    "vpc-endpoint-id": "VpcEndpointId",
    "service-name": "ServiceName",
}


def _values(row: _Row, name: str) -> set[str]:
    if name == "GroupId" and "Groups" in row:
        return {one["GroupId"] for one in row["Groups"]}
    return {row[name]}


def _subnet(subnet_id: str, vpc: int, zone: int, place: int) -> _Row:
    return {
        "SubnetId": subnet_id,
        "SubnetArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/{subnet_id}",
        "VpcId": f"vpc-{vpc:017x}",
        "AvailabilityZone": f"us-east-1{'abd'[zone]}",
        "AvailabilityZoneId": ZONES[zone],
        "CidrBlock": f"10.{vpc % 256}.{place // 4}.{place % 4 * 64}/26",
        "AvailableIpAddressCount": 50,
        "OwnerId": ACCOUNT,
        "State": "available",
        "DefaultForAz": False,
        "MapPublicIpOnLaunch": False,
        "AssignIpv6AddressOnCreation": False,
        "Ipv6CidrBlockAssociationSet": [],
        "Ipv6Native": False,
        "EnableDns64": False,
        "Tags": _TAGS,
    }


def _subnets(region: Region) -> Iterable[_Row]:
    for number in range(region.connectors):
        vpc, place = divmod(number, IN_A_VPC)
        for zone, subnet_id in enumerate(_subnet_ids(number)):
            yield _subnet(subnet_id, vpc, zone, place * len(ZONES) + zone)
    for vpc in range(len(region.vpcs)):
        for zone in range(len(ZONES)):
            yield _subnet(_public_subnet(vpc, zone), vpc, zone, IN_A_VPC * len(ZONES) + zone)


def _public_subnet(vpc: int, zone: int) -> str:
    return f"subnet-f{vpc * len(ZONES) + zone:016x}"


def _nat_id(vpc: int, zone: int) -> str:
    return f"nat-{vpc * len(ZONES) + zone:017x}"


def _nat_gateways(region: Region) -> Iterable[_Row]:
    for vpc, vpc_id in enumerate(region.vpcs):
        for zone in range(len(ZONES)):
            yield {
                "NatGatewayId": _nat_id(vpc, zone),
                "VpcId": vpc_id,
                "SubnetId": _public_subnet(vpc, zone),
                "State": "available",
                "ConnectivityType": "public",
                "CreateTime": _MADE,
                "NatGatewayAddresses": [
                    {"PublicIp": "203.0.113.7", "PrivateIp": "10.0.0.7", "AllocationId": f"eipalloc-{vpc:017x}"}
                ],
                "Tags": _TAGS,
            }


def _route_tables(region: Region) -> Iterable[_Row]:
    """One a zone, which leads to the zone's NAT gateway, and one that leads to the internet gateway."""
    for vpc, vpc_id in enumerate(region.vpcs):
        numbers = range(vpc * IN_A_VPC, min((vpc + 1) * IN_A_VPC, region.connectors))
        gateway = {"GatewayId": f"igw-{vpc:017x}"}
        public = [_public_subnet(vpc, zone) for zone in range(len(ZONES))]
        yield _route_table(f"rtb-f{vpc:016x}", vpc_id, gateway, public, main=True)
        for zone in range(len(ZONES)):
            private = [_subnet_ids(number)[zone] for number in numbers]
            yield _route_table(
                f"rtb-{vpc * len(ZONES) + zone:017x}", vpc_id, {"NatGatewayId": _nat_id(vpc, zone)}, private, main=False
            )


def _route_table(table_id: str, vpc_id: str, way: _Row, subnets: Iterable[str], *, main: bool) -> _Row:
    associations = [
        {
            "RouteTableAssociationId": f"rtbassoc-{subnet_id[7:]}",
            "RouteTableId": table_id,
            "SubnetId": subnet_id,
            "Main": False,
            "AssociationState": {"State": "associated"},
        }
        for subnet_id in subnets
    ]
    itself = {"RouteTableAssociationId": f"rtbassoc-m{table_id[5:]}", "RouteTableId": table_id, "Main": True}
    return {
        "RouteTableId": table_id,
        "VpcId": vpc_id,
        "OwnerId": ACCOUNT,
        "Associations": [*associations, *([itself] if main else [])],
        "PropagatingVgws": [],
        "Tags": _TAGS,
        "Routes": [
            {
                "DestinationCidrBlock": "10.0.0.0/16",
                "GatewayId": "local",
                "Origin": "CreateRouteTable",
                "State": "active",
            },
            {"DestinationCidrBlock": "0.0.0.0/0", **way, "Origin": "CreateRoute", "State": "active"},
        ],
    }


def _network_acls(region: Region) -> Iterable[_Row]:
    """The default one of each VPC, which lets everything through."""
    for vpc, vpc_id in enumerate(region.vpcs):
        numbers = range(vpc * IN_A_VPC, min((vpc + 1) * IN_A_VPC, region.connectors))
        subnets = [subnet_id for number in numbers for subnet_id in _subnet_ids(number)]
        subnets += [_public_subnet(vpc, zone) for zone in range(len(ZONES))]
        yield {
            "NetworkAclId": f"acl-{vpc:017x}",
            "VpcId": vpc_id,
            "OwnerId": ACCOUNT,
            "IsDefault": True,
            "Associations": [
                {
                    "NetworkAclAssociationId": f"aclassoc-{subnet_id[7:]}",
                    "NetworkAclId": f"acl-{vpc:017x}",
                    "SubnetId": subnet_id,
                }
                for subnet_id in subnets
            ],
            "Entries": [
                {
                    "CidrBlock": "0.0.0.0/0",
                    "Egress": egress,
                    "Protocol": "-1",
                    "RuleAction": action,
                    "RuleNumber": number,
                }
                for egress in (True, False)
                for number, action in ((100, "allow"), (32767, "deny"))
            ],
            "Tags": [],
        }


def _security_groups(region: Region) -> Iterable[_Row]:
    """Of ten connectors each, the default one of each VPC, and a database's, which admits the VPC."""
    for number in range(-(-region.connectors // 10)):
        yield _security_group(f"sg-{number:017x}", f"connectors-{number}", number * 10 // IN_A_VPC)
    for vpc in range(len(region.vpcs)):
        yield _security_group(_default_group(vpc), "default", vpc, inbound={"UserIdGroupPairs": [_pair(vpc)]})
        everyone = {"IpRanges": [{"CidrIp": f"10.{vpc % 256}.0.0/16"}]}
        yield _security_group(f"sg-e{vpc:016x}", "database", vpc, inbound=everyone)


def _pair(vpc: int) -> _Row:
    return {"GroupId": _default_group(vpc), "UserId": ACCOUNT}


def _security_group(group_id: str, name: str, vpc: int, inbound: _Row | None = None) -> _Row:
    to_everywhere = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }
    return {
        "GroupId": group_id,
        "GroupName": name,
        "Description": f"what {name} may do",
        "VpcId": f"vpc-{vpc:017x}",
        "OwnerId": ACCOUNT,
        "IpPermissions": [{"IpProtocol": "-1", **inbound}] if inbound else [],
        "IpPermissionsEgress": [to_everywhere],
        "Tags": _TAGS,
    }


def _network_interfaces(region: Region) -> Iterable[_Row]:
    """Those of connectors in each of their subnets, and those of bound groups' endpoints."""
    managed = [{"Key": "AWSAppRunnerManaged", "Value": "true"}]
    for number in range(region.connectors):
        for zone, subnet_id in enumerate(_subnet_ids(number)):
            yield _network_interface(
                f"eni-{number * len(ZONES) + zone:017x}",
                number // IN_A_VPC,
                zone,
                subnet_id,
                groups=[_group_id(number)],
                address=f"10.0.{number % 256}.{zone + 4}",
                tags=managed,
            )
    for number in range(region.bound_groups):
        for zone, interface_id in enumerate(_endpoint_interfaces(number)):
            yield _network_interface(
                interface_id,
                0,
                zone,
                _public_subnet(0, zone),
                groups=["sg-e0000000000000000"],
                address=_endpoint_address(number, zone),
                tags=[],
            )


def _network_interface(
    interface_id: str, vpc: int, zone: int, subnet_id: str, *, groups: Sequence[str], address: str, tags: list[_Row]
) -> _Row:
    return {
        "NetworkInterfaceId": interface_id,
        "VpcId": f"vpc-{vpc:017x}",
        "SubnetId": subnet_id,
        "AvailabilityZone": f"us-east-1{'abd'[zone]}",
        "OwnerId": ACCOUNT,
        "Description": "made by an AWS service",
        "InterfaceType": "interface",
        "MacAddress": "0a:1b:2c:3d:4e:5f",
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address}],
        "Ipv6Addresses": [],
        "RequesterManaged": True,
        "SourceDestCheck": True,
        "Status": "in-use",
        "Groups": [{"GroupId": one, "GroupName": "named"} for one in groups],
        "Attachment": {"AttachmentId": f"eni-attach-{interface_id[4:]}", "DeviceIndex": 1, "Status": "attached"},
        "TagSet": tags,
    }


def _zones(_: Region, asked: _Parameters) -> _Row:  # noqa: ARG001 - as all answers
    return {
        "AvailabilityZones": [
            {
                "ZoneName": f"us-east-1{'abd'[number]}",
                "ZoneId": zone_id,
                "State": "available",
                "OptInStatus": "opt-in-not-required",
                "RegionName": REGION,
                "ZoneType": "availability-zone",
            }
            for number, zone_id in enumerate(ZONES)
        ]
    }


def _vpc_attribute(_: Region, asked: _Parameters) -> _Row:
    name = asked["Attribute"]
    return {"VpcId": asked["VpcId"], f"{name[0].upper()}{name[1:]}": {"Value": True}}


# Bound target groups -------------------------------------------------------------------------------------------------


def _group_arn(number: int) -> str:
    place = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
    return f"{place}:targetgroup/group-{number:05}/{number:016x}"


def _endpoint_id(number: int) -> str:
    return f"vpce-{number:017x}"


def _endpoint_interfaces(number: int) -> list[str]:
    return [f"eni-e{number * len(ZONES) + zone:016x}" for zone in range(len(ZONES))]


def _endpoint_address(number: int, zone: int) -> str:
    return f"10.{100 + zone}.{number // 250}.{number % 250 + 4}"


def _endpoints(region: Region) -> Iterable[_Row]:
    for number in range(region.bound_groups):
        yield {
            "VpcEndpointId": _endpoint_id(number),
            "VpcEndpointType": "Interface",
            "VpcId": f"vpc-{0:017x}",
            "ServiceName": f"com.amazonaws.{REGION}.apprunner.requests",
            "State": "available",
            "PolicyDocument": '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}',
            "SubnetIds": [_public_subnet(0, zone) for zone in range(len(ZONES))],
            "NetworkInterfaceIds": _endpoint_interfaces(number),
            "Groups": [{"GroupId": "sg-e0000000000000000", "GroupName": "endpoints"}],
            "PrivateDnsEnabled": False,
            "RequesterManaged": False,
            "IpAddressType": "ipv4",
            "DnsEntries": [
                {"DnsName": f"{_endpoint_id(number)}-{zone}.apprunner.vpce.amazonaws.com", "HostedZoneId": "Z7HUB22U"}
                for zone in range(len(ZONES) + 1)
            ],
            "CreationTimestamp": _MADE,
            "OwnerId": ACCOUNT,
            "Tags": _TAGS,
        }


def _target_groups(region: Region, asked: _Parameters) -> _Row:
    named = asked.get("TargetGroupArns")
    rows = [_target_group(number) for number in range(region.bound_groups)]
    if named:
        return {"TargetGroups": [row for row in rows if row["TargetGroupArn"] in set(named)]}
    first, size = int(asked.get("Marker") or 0), int(asked["PageSize"])
    more = {"NextMarker": str(first + size)} if first + size < len(rows) else {}
    return {"TargetGroups": rows[first : first + size], **more}


def _target_group(number: int) -> _Row:
    return {
        "TargetGroupArn": _group_arn(number),
        "TargetGroupName": f"group-{number:05}",
        "Protocol": "TCP",
        "Port": 443,
        "VpcId": f"vpc-{0:017x}",
        "TargetType": "ip",
        "IpAddressType": "ipv4",
        "HealthCheckProtocol": "TCP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 10,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "LoadBalancerArns": [
            f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/balancer/{number // 50:016x}"
        ],
    }


def _target_health(_: Region, asked: _Parameters) -> _Row:
    number = int(asked["TargetGroupArn"].rpartition("/")[2], 16)
    return {
        "TargetHealthDescriptions": [
            {
                "Target": {
                    "Id": _endpoint_address(number, zone),
                    "Port": 443,
                    "AvailabilityZone": f"us-east-1{'abd'[zone]}",
                },
                "HealthCheckPort": "443",
                "TargetHealth": {"State": "healthy"},
                "AdministrativeOverride": {
                    "State": "no_override",
                    "Reason": "AdministrativeOverride.NoOverride",
                    "Description": "No override is currently active on target",
                },
            }
            for zone in range(len(ZONES))
        ]
    }


# What is told, and kept nowhere --------------------------------------------------------------------------------------


def _nothing(**told: object) -> "_Tell":
    return lambda _region, _asked: dict(told)


def _put_events(_: Region, asked: _Parameters) -> _Row:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in asked["Entries"]]}


type _Tell = Callable[[Region, _Parameters], Mapping[str, Any]]

_OPERATIONS: Mapping[str, _Tell] = {
    "apprunner:ListVpcConnectors": _list_connectors,
    "apprunner:ListServices": _list_services,
    "apprunner:DescribeService": _describe_service,
    "apprunner:ListVpcIngressConnections": _nothing(VpcIngressConnectionSummaryList=[]),
    "apprunner:ListTagsForResource": _nothing(Tags=_TAGS),
    "tagging:GetResources": _get_resources,
    "ec2:DescribeSubnets": _ec2("Subnets", _subnets),
    "ec2:DescribeRouteTables": _ec2("RouteTables", _route_tables),
    "ec2:DescribeNatGateways": _ec2("NatGateways", _nat_gateways),
    "ec2:DescribeNetworkAcls": _ec2("NetworkAcls", _network_acls),
    "ec2:DescribeSecurityGroups": _ec2("SecurityGroups", _security_groups),
    "ec2:DescribeNetworkInterfaces": _ec2("NetworkInterfaces", _network_interfaces),
    "ec2:DescribeVpcEndpoints": _ec2("VpcEndpoints", _endpoints),
    "ec2:DescribeAvailabilityZones": _zones,
    "ec2:DescribeVpcAttribute": _vpc_attribute,
    "servicequotas:GetServiceQuota": _nothing(Quota={"Value": 5000.0}),
    "elasticloadbalancing:DescribeTargetGroups": _target_groups,
    "elasticloadbalancing:DescribeTargetHealth": _target_health,
    "dynamodb:Scan": _nothing(Items=[], Count=0, ScannedCount=0),
    "dynamodb:Query": _nothing(Items=[], Count=0, ScannedCount=0),
    "dynamodb:TransactWriteItems": _nothing(),
    "events:PutEvents": _put_events,
    "sns:Publish": _nothing(MessageId="0000"),
}
