"""A healthy connector as AWS tells of it, the events that lead to it, and settings: tests change one thing of these.

The rows are in the shapes of the API models (the double in tests/aws.py checks that), with values of our own.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from apprunner_guardrails.settings import Settings

type Row = dict[str, Any]
type Rows = dict[str, list[Row]]
type Event = dict[str, Any]

ACCOUNT = "123456789012"
REGION = "us-east-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
CONNECTOR = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/shop-web/1/11111111111111111111111111111111"
OTHER_CONNECTOR = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/shop-api/1/22222222222222222222222222222222"
SERVICE = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/shop/33333333333333333333333333333333"
VPC = "vpc-1"
ZONES = {"a": "use1-az1", "b": "use1-az2", "c": "use1-az4"}
SUBNETS = tuple(f"subnet-private-{letter}" for letter in ZONES)
GROUP = "sg-egress"
LONG_AGO = datetime(2026, 9, 21, 13, 46, 40, tzinfo=UTC)

TABLE = "FindingsTable"
SETTINGS = Settings(alert_topic_arn=TOPIC, findings_table=TABLE)
NEEDS_ENDPOINTS = replace(SETTINGS, required_endpoint_services=("secretsmanager",))
CHAT_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:chat"
EVERYWHERE = replace(SETTINGS, chat_topic_arn=CHAT_TOPIC, security_hub=True)  # every channel


def healthy() -> Rows:
    """Three private subnets, each with a NAT gateway in its zone and a group that lets HTTPS out: no rule fails."""
    return {
        "VpcConnectors": [connector(CONNECTOR)],
        "Services": [service(CONNECTOR)],
        "AvailabilityZones": [_zone(letter, zone_id) for letter, zone_id in ZONES.items()],
        "Subnets": [
            _subnet(kind, letter, number * 10 + count)
            for number, kind in enumerate(("private", "public"))
            for count, letter in enumerate(ZONES)
        ],
        "RouteTables": [_main_table(), _table("public", list(ZONES), GatewayId="igw-1")]
        + [_table(f"private-{letter}", [letter], NatGatewayId=f"nat-{letter}") for letter in ZONES],
        "NatGateways": [
            {
                "NatGatewayId": f"nat-{letter}",
                "VpcId": VPC,
                "SubnetId": f"subnet-public-{letter}",
                "State": "available",
                "ConnectivityType": "public",
            }
            for letter in ZONES
        ],
        "NetworkAcls": [_acl()],
        "SecurityGroups": [
            group(GROUP, "egress", egress=[https("10.0.0.0/8")]),
            group("sg-default", "default", ingress=[_itself("sg-default")], egress=[anything()]),
            group("sg-database", "database", ingress=[tcp(5432, "10.0.0.0/16")]),
        ],
        "NetworkInterfaces": [],
        "VpcEndpoints": [],
        "VpcAttributes": [{"VpcId": VPC, "EnableDnsSupport": True, "EnableDnsHostnames": True}],
        "PrefixLists": [],
    }


def public() -> Rows:
    """The healthy rows, but the private subnets' default routes lead to the internet gateway."""
    rows = healthy()
    for table in rows["RouteTables"]:
        if table["RouteTableId"].startswith("rtb-private"):
            table["Routes"][1] = _everywhere(GatewayId="igw-1")
    return rows


def busy() -> Rows:
    """Every read matters: one subnet leaves by a NAT gateway and a prefix list, one is public, one has endpoints only.

    The group has inbound rules, which nothing but App Runner's interfaces could use, and the VPC has no host names.
    """
    rows = healthy()
    find(rows, "RouteTables", "rtb-private-a")["Routes"].append(list_route("pl-partners", TransitGatewayId="tgw-1"))
    find(rows, "RouteTables", "rtb-private-b")["Routes"][1] = _everywhere(GatewayId="igw-1")
    find(rows, "RouteTables", "rtb-private-c")["Routes"].pop()
    find(rows, "SecurityGroups", GROUP)["IpPermissions"] = [https("10.0.0.0/8")]
    find(rows, "VpcAttributes", VPC)["EnableDnsHostnames"] = False
    rows["NetworkInterfaces"] = [interface(f"eni-{letter}", GROUP, "AWSAppRunnerManaged") for letter in ZONES]
    rows["VpcEndpoints"] = [endpoint("vpce-1", "secretsmanager"), endpoint("vpce-2", "sts")]
    rows["PrefixLists"] = [{"PrefixListId": "pl-partners", "Cidrs": ["198.51.100.0/24", "203.0.113.0/24"]}]
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR, Subnets=["subnet-public-a"]))
    return rows


def tag(arn: str, key: str, value: str) -> Row:
    """A row of `Tags`."""
    return {"ResourceArn": arn, "Key": key, "Value": value}


def exempt(arn: str, rule: str, value: str = "2026-12-31 @net ticket 7") -> Row:
    return tag(arn, f"apprunner-guardrails:exempt:{rule}", value)


def find(rows: Rows, member: str, value: str) -> Row:
    """The one row of a member that has the value in a field of its own."""
    (row,) = (row for row in rows[member] if value in row.values())
    return row


def connector(arn: str, **changes: object) -> Row:
    return {
        "VpcConnectorName": arn.split("/")[1],
        "VpcConnectorArn": arn,
        "VpcConnectorRevision": 1,
        "Subnets": list(SUBNETS),
        "SecurityGroups": [GROUP],
        "Status": "ACTIVE",
        **changes,
    }


def service(connector_arn: str, **changes: object) -> Row:
    """A service as DescribeService tells of it; without a connector, traffic leaves by App Runner's own way."""
    egress = {"EgressType": "VPC", "VpcConnectorArn": connector_arn} if connector_arn else {"EgressType": "DEFAULT"}
    return {
        "ServiceName": "shop",
        "ServiceId": "33333333333333333333333333333333",
        "ServiceArn": SERVICE,
        "Status": "RUNNING",
        "CreatedAt": LONG_AGO,
        "UpdatedAt": LONG_AGO,
        "SourceConfiguration": {},
        "InstanceConfiguration": {},
        "AutoScalingConfigurationSummary": {},
        "NetworkConfiguration": {"EgressConfiguration": egress},
        **changes,
    }


def group(group_id: str, name: str, ingress: list[Row] | None = None, egress: list[Row] | None = None) -> Row:
    return {
        "GroupId": group_id,
        "GroupName": name,
        "VpcId": VPC,
        "IpPermissions": ingress or [],
        "IpPermissionsEgress": egress or [],
    }


def interface(interface_id: str, group_id: str, *tag_keys: str) -> Row:
    return {
        "NetworkInterfaceId": interface_id,
        "VpcId": VPC,
        "Groups": [{"GroupId": group_id, "GroupName": "x"}],
        "TagSet": [{"Key": key, "Value": "x"} for key in tag_keys],
    }


def endpoint(endpoint_id: str, name: str) -> Row:
    return {
        "VpcEndpointId": endpoint_id,
        "VpcId": VPC,
        "VpcEndpointType": "Interface",
        "ServiceName": f"com.amazonaws.{REGION}.{name}",
        "State": "available",
    }


def list_route(list_id: str, **target: str) -> Row:
    return {"DestinationPrefixListId": list_id, "Origin": "CreateRoute", "State": "active", **target}


def https(cidr: str) -> Row:
    return tcp(443, cidr)


def tcp(port: int, cidr: str) -> Row:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


def anything() -> Row:
    return {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def _itself(group_id: str) -> Row:
    return {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group_id, "UserId": ACCOUNT}]}


def _zone(letter: str, zone_id: str) -> Row:
    return {
        "ZoneId": zone_id,
        "ZoneName": f"{REGION}{letter}",
        "State": "available",
        "OptInStatus": "opt-in-not-required",
        "ZoneType": "availability-zone",
    }


def _subnet(kind: str, letter: str, number: int) -> Row:
    return {
        "SubnetId": f"subnet-{kind}-{letter}",
        "VpcId": VPC,
        "AvailabilityZone": f"{REGION}{letter}",
        "AvailabilityZoneId": ZONES[letter],
        "CidrBlock": f"10.0.{number}.0/24",
        "Ipv6CidrBlockAssociationSet": [],
        "AvailableIpAddressCount": 200,
        "MapPublicIpOnLaunch": kind == "public",
        "OwnerId": ACCOUNT,
    }


_LOCAL = {
    "DestinationCidrBlock": "10.0.0.0/16",
    "GatewayId": "local",
    "Origin": "CreateRouteTable",
    "State": "active",
}


def _main_table() -> Row:
    return {"RouteTableId": "rtb-main", "VpcId": VPC, "Associations": [{"Main": True}], "Routes": [_LOCAL]}


def _table(name: str, letters: list[str], **target: str) -> Row:
    kind = name.partition("-")[0]
    return {
        "RouteTableId": f"rtb-{name}",
        "VpcId": VPC,
        "Associations": [
            {"Main": False, "SubnetId": f"subnet-{kind}-{letter}", "AssociationState": {"State": "associated"}}
            for letter in letters
        ],
        "Routes": [_LOCAL, _everywhere(**target)],
    }


def _everywhere(**target: str) -> Row:
    return {"DestinationCidrBlock": "0.0.0.0/0", "Origin": "CreateRoute", "State": "active", **target}


def _acl() -> Row:
    everything = {"CidrBlock": "0.0.0.0/0", "Protocol": "-1"}
    return {
        "NetworkAclId": "acl-1",
        "VpcId": VPC,
        "Associations": [{"SubnetId": subnet_id, "NetworkAclId": "acl-1"} for subnet_id in SUBNETS],
        "Entries": [
            {**everything, "Egress": egress, "RuleAction": action, "RuleNumber": number}
            for egress in (True, False)
            for action, number in (("allow", 100), ("deny", 32767))
        ],
    }


def created_connector(*, subnets: tuple[str, ...] = SUBNETS, groups: tuple[str, ...] = (GROUP,)) -> Event:
    """The event of a CreateVpcConnector call. The groups that it names may be other than what AWS has now."""
    asked: Row = {"vpcConnectorName": "shop-web", "subnets": list(subnets)}
    if groups:
        asked["securityGroups"] = list(groups)
    return _api_call("CreateVpcConnector", asked, {"vpcConnector": {**asked, "vpcConnectorArn": CONNECTOR}})


def service_call(
    name: str, *, connector_arn: str = CONNECTOR, asks: str | None = None, time: str = "2026-11-21T09:00:00Z"
) -> Event:
    """The event of a CreateService, UpdateService or ResumeService call, with the connector that the answer named.

    `asks` is the connector that the request asks for, empty for none; None where it says nothing of it.
    """
    told = {"serviceArn": SERVICE, "networkConfiguration": _egress(connector_arn)}
    asked: Row = {"serviceName": "shop"} if name == "CreateService" else {"serviceArn": SERVICE}
    if asks is not None:
        asked["networkConfiguration"] = _egress(asks)
    event = _api_call(name, asked, {"service": told, "operationId": "44444444"})
    return {**event, "detail": {**event["detail"], "eventTime": time}}


def _egress(connector_arn: str) -> Row:
    way = {"egressType": "VPC", "vpcConnectorArn": connector_arn} if connector_arn else {"egressType": "DEFAULT"}
    return {"egressConfiguration": way}


def finished_update(status: str = "UpdateServiceCompletedSuccessfully") -> Event:
    """App Runner's own event at the end of an update: it names the service and no connector."""
    detail = {"operationStatus": status, "serviceName": "shop", "serviceId": "33333333", "severity": "INFO"}
    return _envelope("AppRunner Service Operation Status Change", [SERVICE], detail)


def deleted_connector() -> Event:
    told = {"vpcConnector": {"vpcConnectorArn": CONNECTOR, "status": "INACTIVE"}}
    return _api_call("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR}, told)


def tagged(arn: str, rule: str = "AR102") -> Event:
    """The event of a TagResource call by which an exemption was put on a resource, or changed."""
    tags = [{"key": f"apprunner-guardrails:exempt:{rule}", "value": "x"}]
    return _api_call("TagResource", {"resourceArn": arn, "tags": tags}, {})


def refused_deletion(code: str = "InvalidRequestException") -> Event:
    """The event of a DeleteVpcConnector call that App Runner refused."""
    event = _api_call("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR}, {})
    return {**event, "detail": {**event["detail"], "errorCode": code, "errorMessage": "no", "responseElements": None}}


def replaced_route(table_id: str = "rtb-private-a", *, number: int = 1) -> Event:
    """The event of a ReplaceRoute call of EC2's; calls of different numbers are different calls."""
    asked = {"routeTableId": table_id, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}
    event = _api_call("ReplaceRoute", asked, {"_return": True})
    detail = {**event["detail"], "eventSource": "ec2.amazonaws.com", "eventID": f"change-{number}"}
    return {**event, "source": "aws.ec2", "detail": detail}


def _api_call(name: str, asked: Mapping[str, object], told: Mapping[str, object]) -> Event:
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
            "accountId": ACCOUNT,
            "userName": "alice",
        },
        "eventTime": "2026-11-21T09:00:00Z",
        "eventSource": "apprunner.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": asked,
        "responseElements": told,
        "eventID": "55555555-5555-4555-8555-555555555555",
    }
    return _envelope("AWS API Call via CloudTrail", [], detail)


def _envelope(kind: str, resources: list[str], detail: Mapping[str, object]) -> Event:
    return {
        "version": "0",
        "id": "66666666-6666-4666-8666-666666666666",
        "detail-type": kind,
        "source": "aws.apprunner",
        "account": ACCOUNT,
        "time": "2026-11-21T09:00:05Z",
        "region": REGION,
        "resources": resources,
        "detail": detail,
    }
