"""What a user would write without the guardrails: the same calls one after the other, and a message. No rules.

It is measured beside our handler, which asks the same questions.
"""

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef
    from mypy_boto3_sns import SNSClient


def handler(event: dict[str, Any], context: object) -> dict[str, int]:  # noqa: ARG001  # as Lambda calls it
    apprunner, ec2, sns = _clients()
    answer = event["detail"]["responseElements"]
    if event["detail"]["eventName"] == "CreateVpcConnector":
        connector_arn = answer["vpcConnector"]["vpcConnectorArn"]
    else:
        service = apprunner.describe_service(ServiceArn=answer["service"]["serviceArn"])["Service"]
        connector_arn = service["NetworkConfiguration"]["EgressConfiguration"]["VpcConnectorArn"]
    connector = apprunner.describe_vpc_connector(VpcConnectorArn=connector_arn)["VpcConnector"]

    groups = ec2.describe_security_groups(Filters=_is("group-id", connector["SecurityGroups"]))["SecurityGroups"]
    vpc_id = groups[0]["VpcId"]
    acls = ec2.describe_network_acls(Filters=_is("association.subnet-id", sorted(connector["Subnets"])))
    inside = _is("vpc-id", [vpc_id])
    found = {
        "zones": len(ec2.describe_availability_zones()["AvailabilityZones"]),
        "groups": len(groups),
        "acls": len(acls["NetworkAcls"]),
        "subnets": len(ec2.describe_subnets(Filters=inside)["Subnets"]),
        "tables": len(ec2.describe_route_tables(Filters=inside)["RouteTables"]),
        "nats": len(ec2.describe_nat_gateways(Filters=inside)["NatGateways"]),
        "dns support": ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsSupport")["EnableDnsSupport"],
        "dns names": ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")["EnableDnsHostnames"],
    }
    sns.publish(
        TopicArn=os.environ["ALERT_TOPIC_ARN"],
        Subject=f"VPC connector {connector['VpcConnectorName']}",
        Message=json.dumps(found),
    )
    return {"alerts": 1}


@cache
def _clients() -> "tuple[AppRunnerClient, EC2Client, SNSClient]":
    return boto3.client("apprunner"), boto3.client("ec2"), boto3.client("sns")


def _is(name: str, values: list[str]) -> "list[FilterTypeDef]":
    return [{"Name": name, "Values": values}]
