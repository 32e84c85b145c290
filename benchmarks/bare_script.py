"""What a user would write without the guardrails: the same calls one after the other, and a message, but no rules.

It is measured beside our handlers. As they do, it tells the same thing once, people and machines, and keeps in a table
what it told: it asks what is there, claims what it is about to tell so that nobody else does, tells, and notes that it
is told. It writes with PutItem where ours has transactions; every other call of an event of a connector is ours too.

For a schedule it does for every connector what it does for an event: it is the same loop. It looks at no service.
"""

import hashlib
import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_apprunner.type_defs import VpcConnectorTypeDef
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef
    from mypy_boto3_sns import SNSClient


def handler(event: dict[str, Any], context: object) -> dict[str, int]:  # noqa: ARG001  # as Lambda calls it
    if event["detail-type"] == "Scheduled Event":
        found = {connector["VpcConnectorArn"]: _look_at(connector) for connector in _every_connector()}
        return {"alerts": _tell_once("every connector", found)}
    is_new = event["detail"]["eventName"] == "CreateVpcConnector"
    listed = list(_every_connector()) if is_new else []  # which tells how near the quota is, too
    connector = _connector_of(event["detail"], listed)
    seen = {**_look_at(connector), "connectors": len(listed)}
    return {"alerts": _tell_once(connector["VpcConnectorArn"], seen)}


def _connector_of(call: dict[str, Any], listed: "list[VpcConnectorTypeDef]") -> "VpcConnectorTypeDef":
    apprunner, *_ = _clients()
    answer = call["responseElements"]
    if call["eventName"] == "CreateVpcConnector":
        arn = answer["vpcConnector"]["vpcConnectorArn"]
        return next(one for one in listed if one["VpcConnectorArn"] == arn)
    service = apprunner.describe_service(ServiceArn=answer["service"]["serviceArn"])["Service"]
    arn = service["NetworkConfiguration"]["EgressConfiguration"]["VpcConnectorArn"]
    return apprunner.describe_vpc_connector(VpcConnectorArn=arn)["VpcConnector"]


def _every_connector() -> "Iterator[VpcConnectorTypeDef]":
    apprunner, *_ = _clients()
    page = apprunner.list_vpc_connectors(MaxResults=100)
    yield from page["VpcConnectors"]
    while token := page.get("NextToken"):
        page = apprunner.list_vpc_connectors(MaxResults=100, NextToken=token)
        yield from page["VpcConnectors"]


def _look_at(connector: "VpcConnectorTypeDef") -> dict[str, object]:
    apprunner, ec2, *_ = _clients()
    tags = apprunner.list_tags_for_resource(ResourceArn=connector["VpcConnectorArn"])["Tags"]
    groups = ec2.describe_security_groups(Filters=_is("group-id", connector["SecurityGroups"]))["SecurityGroups"]
    vpc_id = groups[0]["VpcId"]
    acls = ec2.describe_network_acls(Filters=_is("association.subnet-id", sorted(connector["Subnets"])))
    inside = _is("vpc-id", [vpc_id])
    return {
        "tags": len(tags),
        "zones": len(ec2.describe_availability_zones()["AvailabilityZones"]),
        "groups": len(groups),
        "acls": len(acls["NetworkAcls"]),
        "subnets": len(ec2.describe_subnets(Filters=inside)["Subnets"]),
        "tables": len(ec2.describe_route_tables(Filters=inside)["RouteTables"]),
        "nats": len(ec2.describe_nat_gateways(Filters=inside)["NatGateways"]),
        "dns support": ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsSupport")["EnableDnsSupport"],
        "dns names": ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")["EnableDnsHostnames"],
    }


def _tell_once(about: str, found: dict[str, Any]) -> int:
    _, _, dynamodb, sns, events = _clients()
    table, message = os.environ["FINDINGS_TABLE"], json.dumps(found)
    digest = hashlib.sha256(message.encode()).hexdigest()
    told = dynamodb.query(
        TableName=table,
        KeyConditionExpression="#of = :about",
        ExpressionAttributeNames={"#of": "resource"},
        ExpressionAttributeValues={":about": {"S": about}},
        ConsistentRead=True,
    )["Items"]
    if any(one["digest"]["S"] == digest for one in told):
        return 0
    item = {"resource": {"S": about}, "rule": {"S": "told"}, "digest": {"S": digest}}
    dynamodb.put_item(
        TableName=table,
        Item={**item, "state": {"S": "claimed"}},
        ConditionExpression="attribute_not_exists(#of) OR digest <> :digest",
        ExpressionAttributeNames={"#of": "resource"},
        ExpressionAttributeValues={":digest": {"S": digest}},
    )
    sns.publish(TopicArn=os.environ["ALERT_TOPIC_ARN"], Subject="VPC connectors", Message=message)
    events.put_events(Entries=[{"Source": "vpc-connectors", "DetailType": "VPC Connectors", "Detail": message}])
    dynamodb.put_item(TableName=table, Item={**item, "state": {"S": "told"}})
    return 1


@cache
def _clients() -> "tuple[AppRunnerClient, EC2Client, DynamoDBClient, SNSClient, Any]":
    apprunner, ec2, dynamodb = boto3.client("apprunner"), boto3.client("ec2"), boto3.client("dynamodb")
    return apprunner, ec2, dynamodb, boto3.client("sns"), boto3.client("events")


def _is(name: str, values: list[str]) -> "list[FilterTypeDef]":
    return [{"Name": name, "Values": values}]
