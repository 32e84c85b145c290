"""Each call that makes something that is tagged, as CloudTrail records it: of the path in tests/private_path.py.

bob makes it on the command line, at 09:00:01 on 2026-11-21. What AWS has by then is in `rows`: of these resources none
has a tag but the endpoint (team = shop) and the target group, which is bound.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

from apprunner_guardrails.events import BadEvent
from apprunner_guardrails.settings import BadSettings
from apprunner_guardrails.tags.tagging import NotTagged, Retry
from emulator.cloudtrail.shapes import EC2_XML_NAMESPACE
from functions.tag_resources import app
from tests.aws import TAGGING, Aws, Fault
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS, REQUESTS
from tests.path_events import call
from tests.private_path import INGRESS, SUBNETS, private_path
from tests.samples import ACCOUNT, CONNECTOR, GROUP, REGION, SERVICE, TABLE, TOPIC, VPC, Event, Row, Rows

ENDPOINT_ARN = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{ENDPOINT}"
TIME = "2026-11-21T09:00:01Z"
MADE_AT = int(datetime.fromisoformat(TIME).timestamp())
TAGS = {"created-by": "bob", "created-at": TIME, "created-with": "CLI"}
QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/tag"

# What each call makes, by its ARN; the call by which its tags are read, and that by which they are put.
MADE: Mapping[str, tuple[str, str, str]] = {
    "CreateVpcConnector": (CONNECTOR, "apprunner:ListTagsForResource", "apprunner:TagResource"),
    "CreateService": (SERVICE, "apprunner:ListTagsForResource", "apprunner:TagResource"),
    "CreateVpcIngressConnection": (INGRESS, "apprunner:ListTagsForResource", "apprunner:TagResource"),
    "CreateVpcEndpoint": (ENDPOINT_ARN, "ec2:DescribeVpcEndpoints", "ec2:CreateTags"),
    "CreateTargetGroup": (ORDERS, "elasticloadbalancing:DescribeTags", "elasticloadbalancing:AddTags"),
    "CreateLoadBalancer": (BALANCER, "elasticloadbalancing:DescribeTags", "elasticloadbalancing:AddTags"),
}
OF_APP_RUNNER = ("CreateVpcConnector", "CreateService", "CreateVpcIngressConnection")
OF_OTHERS = ("CreateVpcEndpoint", "CreateTargetGroup", "CreateLoadBalancer")


def rows() -> Rows:
    return private_path()


def creation(name: str, given: Mapping[str, str] | None = None, *, service_name: str = REQUESTS) -> Event:
    """The event of a call that gives what it makes these tags; `service_name` is what an endpoint is made for."""
    tags = _listed(given or {})
    if name == "CreateVpcEndpoint":
        return _endpoint(tags, service_name)
    answers: Mapping[str, tuple[Row, Row]] = {
        "CreateVpcConnector": (
            {"VpcConnectorName": "shop-web", "Subnets": list(SUBNETS), "SecurityGroups": [GROUP]},
            {"VpcConnector": {"VpcConnectorArn": CONNECTOR, "Status": "ACTIVE"}},
        ),
        "CreateService": (
            {"ServiceName": "shop"},
            {"Service": {"ServiceArn": SERVICE, "Status": "OPERATION_IN_PROGRESS"}, "OperationId": "operation-1"},
        ),
        "CreateVpcIngressConnection": (
            {"ServiceArn": SERVICE, "VpcIngressConnectionName": "shop"},
            {"VpcIngressConnection": {"VpcIngressConnectionArn": INGRESS, "Status": "PENDING_CREATION"}},
        ),
        "CreateTargetGroup": (
            {"Name": "orders", "Protocol": "TCP", "Port": 443, "VpcId": VPC, "TargetType": "ip"},
            {"TargetGroups": [{"TargetGroupArn": ORDERS, "TargetType": "ip"}]},
        ),
        "CreateLoadBalancer": (
            {"Name": "orders", "Type": "network", "Subnets": list(SUBNETS)},
            {"LoadBalancers": [{"LoadBalancerArn": BALANCER, "Type": "network"}]},
        ),
    }
    asked, told = answers[name]
    asked |= {"Tags": tags} if tags else {}
    return call("apprunner" if name in OF_APP_RUNNER else "elbv2", name, asked, told)


def _endpoint(tags: Sequence[Row], service_name: str) -> Event:
    asked: Row = {"VpcId": VPC, "ServiceName": service_name, "VpcEndpointType": "Interface"}
    if tags:
        asked["TagSpecifications"] = [{"ResourceType": "vpc-endpoint", "Tags": tags}]
    made = {
        "vpcEndpointId": ENDPOINT,
        "serviceName": service_name,
        "networkInterfaceIdSet": {"item": ["eni-a", "eni-b"]},
        "tagSet": {"item": [{"key": one["Key"], "value": one["Value"]} for one in tags]} if tags else "",
    }
    told = {"CreateVpcEndpointResponse": {"xmlns": EC2_XML_NAMESPACE, "vpcEndpoint": made}}
    return call("ec2", "CreateVpcEndpoint", asked, told)


def changed(event: Event, **changes: object) -> Event:
    """The event with something else in CloudTrail's record."""
    return {**event, "detail": {**event["detail"], **changes}}


def _listed(tags: Mapping[str, str]) -> list[Row]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def have(rows: Rows, arn: str, tags: Mapping[str, str]) -> Rows:
    """The rows, where the resource has these tags beside those that it has."""
    if arn == ENDPOINT_ARN:
        (row,) = rows["VpcEndpoints"]
        row["Tags"] = row.get("Tags", []) + _listed(tags)
    else:
        rows["Tags"] = rows["Tags"] + [{"ResourceArn": arn, **one} for one in _listed(tags)]
    return rows


def tags_in(rows: Rows, arn: str) -> dict[str, str]:
    """The tags that a resource has."""
    found = [row for row in rows["Tags"] if row["ResourceArn"] == arn]
    if arn == ENDPOINT_ARN:
        found = [one for row in rows["VpcEndpoints"] for one in row.get("Tags", ())]
    return {one["Key"]: one["Value"] for one in found}


def put(name: str, tags: Mapping[str, str]) -> tuple[str, Row]:
    """The call that puts these tags on what a call has made."""
    arn, _, action = MADE[name]
    named: Mapping[str, Row] = {
        "apprunner:TagResource": {"ResourceArn": arn},
        "ec2:CreateTags": {"Resources": [ENDPOINT]},
        "elasticloadbalancing:AddTags": {"ResourceArns": [arn]},
    }
    return action, {**named[action], "Tags": _listed(tags)}


def written(aws: Aws) -> list[tuple[str, Row]]:
    """The calls that put tags, and that no call has named a network interface: those are never touched."""
    assert [one for one in aws.calls if "eni-" in str(one.parameters)] == []
    return [(one.action, dict(one.parameters)) for one in aws.calls if one.action in TAGGING]


ENVIRONMENT = {"ALERT_TOPIC_ARN": TOPIC, "FINDINGS_TABLE": TABLE, "TAG_QUEUE_URL": QUEUE}


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What the function has answered, or raised, and what it asked of AWS."""

    answer: dict[str, Any] | None
    raised: Exception | None
    aws: Aws

    @property
    def result(self) -> dict[str, Any]:
        assert self.answer is not None, self.raised
        return self.answer

    @property
    def writes(self) -> list[tuple[str, Row]]:
        return written(self.aws)

    @property
    def sent(self) -> list[Row]:
        """The messages to the function's own queue."""
        return [dict(one) for one in self.aws.sent("sqs:SendMessage")]


def delivered(
    event: object,
    there: Rows,
    faults: Mapping[str, Fault] | None = None,
    *,
    now: int = MADE_AT + 5,
    environment: Mapping[str, str] = ENVIRONMENT,
) -> Delivered:
    """Let the function have an event, with AWS as the rows have it. What it puts stays in them."""
    with patch.dict(os.environ, environment), patch.object(app, "_now", lambda: now), Aws(there, faults) as aws:
        try:
            return Delivered(answer=app.handler(event, None), raised=None, aws=aws)
        except (BadEvent, BadSettings, NotTagged, Retry) as error:
            return Delivered(answer=None, raised=error, aws=aws)
        finally:
            written(aws)
