"""Resources that are too new to be found by their ARN or id, everywhere but in lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.emulator.conftest import Cloud

SESSION = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
TAGS: Any = [{"Key": "team", "Value": "shop"}]

type Calls = dict[str, Callable[[], object]]


def answers(calls: Calls) -> dict[str, str]:
    """The code of the error that each call gets, or "found"."""
    return {name: _answer(call) for name, call in calls.items()}


def _answer(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "found"


def endpoint(cloud: Cloud) -> str:
    made = cloud.ec2.create_vpc_endpoint(
        VpcId=cloud.network.vpc,
        ServiceName="com.amazonaws.us-east-1.apprunner.requests",
        VpcEndpointType="Interface",
        SubnetIds=cloud.network.private[:1],
        PrivateDnsEnabled=False,
    )
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def tagging(cloud: Cloud, arn: str) -> Calls:
    client = cloud.apprunner
    return {
        "list tags": lambda: client.list_tags_for_resource(ResourceArn=arn),
        "tag": lambda: client.tag_resource(ResourceArn=arn, Tags=TAGS),
        "untag": lambda: client.untag_resource(ResourceArn=arn, TagKeys=["team"]),
    }


def of_a_service(cloud: Cloud) -> Calls:
    arn = cloud.service(wait=False)
    return {"describe": lambda: cloud.apprunner.describe_service(ServiceArn=arn), **tagging(cloud, arn)}


def of_a_connector(cloud: Cloud) -> Calls:
    arn = cloud.connector()
    return {"describe": lambda: cloud.apprunner.describe_vpc_connector(VpcConnectorArn=arn), **tagging(cloud, arn)}


def of_an_ingress_connection(cloud: Cloud) -> Calls:
    made = cloud.apprunner.create_vpc_ingress_connection(
        ServiceArn=cloud.service(public=False),
        VpcIngressConnectionName="orders",
        IngressVpcConfiguration={"VpcId": cloud.network.vpc, "VpcEndpointId": endpoint(cloud)},
    )
    arn = made["VpcIngressConnection"]["VpcIngressConnectionArn"]
    return {
        "describe": lambda: cloud.apprunner.describe_vpc_ingress_connection(VpcIngressConnectionArn=arn),
        **tagging(cloud, arn),
    }


def of_an_endpoint(cloud: Cloud) -> Calls:
    one = endpoint(cloud)
    return {
        "describe": lambda: cloud.ec2.describe_vpc_endpoints(VpcEndpointIds=[one]),
        "tag": lambda: cloud.ec2.create_tags(Resources=[cloud.network.vpc, one], Tags=TAGS),
        "untag": lambda: cloud.ec2.delete_tags(Resources=[one], Tags=TAGS),
    }


def of_a_target_group(cloud: Cloud) -> Calls:
    elb = SESSION.client("elbv2")
    made = elb.create_target_group(Name="orders", Protocol="TCP", Port=443, TargetType="ip", VpcId=cloud.network.vpc)[
        "TargetGroups"
    ]
    arn = made[0]["TargetGroupArn"]
    return {
        "describe": lambda: elb.describe_target_groups(TargetGroupArns=[arn]),
        "describe attributes": lambda: elb.describe_target_group_attributes(TargetGroupArn=arn),
        "describe health": lambda: elb.describe_target_health(TargetGroupArn=arn),
        "describe tags": lambda: elb.describe_tags(ResourceArns=[arn]),
        "tag": lambda: elb.add_tags(ResourceArns=[arn], Tags=TAGS),
        "untag": lambda: elb.remove_tags(ResourceArns=[arn], TagKeys=["team"]),
    }


def of_a_load_balancer(cloud: Cloud) -> Calls:
    elb = SESSION.client("elbv2")
    made = elb.create_load_balancer(Name="orders", Type="network", Subnets=cloud.network.private)["LoadBalancers"]
    arn = made[0]["LoadBalancerArn"]
    return {
        "describe": lambda: elb.describe_load_balancers(LoadBalancerArns=[arn]),
        "describe attributes": lambda: elb.describe_load_balancer_attributes(LoadBalancerArn=arn),
        "describe listeners": lambda: elb.describe_listeners(LoadBalancerArn=arn),
        "describe tags": lambda: elb.describe_tags(ResourceArns=[arn]),
        "tag": lambda: elb.add_tags(ResourceArns=[arn], Tags=TAGS),
        "untag": lambda: elb.remove_tags(ResourceArns=[arn], TagKeys=["team"]),
    }


KINDS = {
    of_a_service: "ResourceNotFoundException",
    of_a_connector: "ResourceNotFoundException",
    of_an_ingress_connection: "ResourceNotFoundException",
    of_an_endpoint: "InvalidVpcEndpointId.NotFound",
    of_a_target_group: "TargetGroupNotFound",
    of_a_load_balancer: "LoadBalancerNotFound",
}


@pytest.mark.parametrize(("make", "code"), KINDS.items(), ids=[make.__name__ for make in KINDS])
def test_what_is_new_is_not_found_for_a_while(cloud: Cloud, make: Callable[[Cloud], Calls], code: str) -> None:
    cloud.aws.settings.appears_after = 5
    calls = make(cloud)
    assert answers(calls) == dict.fromkeys(calls, code)
    cloud.aws.clock.advance(4.9)
    assert answers(calls) == dict.fromkeys(calls, code)
    cloud.aws.clock.advance(0.1)
    assert answers(calls) == dict.fromkeys(calls, "found")


@pytest.mark.parametrize("make", KINDS, ids=[make.__name__ for make in KINDS])
def test_it_is_found_at_once_when_nothing_is_set(cloud: Cloud, make: Callable[[Cloud], Calls]) -> None:
    calls = make(cloud)
    assert answers(calls) == dict.fromkeys(calls, "found")


def test_lists_have_it_at_once(cloud: Cloud) -> None:
    cloud.aws.settings.appears_after = 5
    connector, one = cloud.connector(), endpoint(cloud)
    listed = cloud.apprunner.list_vpc_connectors()["VpcConnectors"]
    described = cloud.ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert [each["VpcConnectorArn"] for each in listed] == [connector]
    assert [each["VpcEndpointId"] for each in described] == [one]


def test_a_call_that_did_not_find_it_has_changed_nothing_and_is_recorded(cloud: Cloud) -> None:
    connector = cloud.connector()
    cloud.aws.settings.appears_after = 5
    code, _ = cloud.refusal(lambda: cloud.apprunner.tag_resource(ResourceArn=connector, Tags=TAGS))
    detail: Any = cloud.aws.events[-1]["detail"]
    assert (code, detail["eventName"], detail["errorCode"]) == (code, "TagResource", code)
    cloud.aws.settings.appears_after = 0
    assert cloud.apprunner.list_tags_for_resource(ResourceArn=connector)["Tags"] == []
