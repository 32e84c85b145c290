"""The kinds of resources, by the ARNs that the facts themselves make of them."""

from dataclasses import replace

import pytest

from apprunner_guardrails.alerts.kinds import KINDS, kind_of, resource_name
from tests.cases import _healthy_path as path

HTTP_API = replace(path.API, kind="HTTP")

# What people call it, its name, the console that shows it and its type in Security Hub.
RESOURCES = {
    path.CONNECTOR.arn: ("VPC connector", "orders", "apprunner", "Other"),
    path.INTERFACE.arn: ("network interface", "eni-managed-1", "ec2", "AwsEc2NetworkInterface"),
    path.SERVICE.arn: ("service", "orders", "apprunner", "Other"),
    path.INGRESS.arn: ("VPC ingress connection", "orders", "apprunner", "Other"),
    path.ENDPOINT.arn: ("VPC endpoint", path.ENDPOINT_ID, "vpc", "Other"),
    path.GROUP.arn: ("target group", "orders", "ec2", "Other"),
    path.BALANCER.arn: ("load balancer", "orders", "ec2", "AwsElbv2LoadBalancer"),
    path.API.arn: ("API", "a1b2c3d4e5", "apigateway", "AwsApiGatewayRestApi"),
    HTTP_API.arn: ("API", "a1b2c3d4e5", "apigateway", "AwsApiGatewayV2Api"),
    "arn:aws:iam::210987654321:role/guardrails": ("member role", "guardrails", "iam", "AwsIamRole"),
}


@pytest.mark.parametrize("arn", RESOURCES)
def test_a_resource_is_told_by_its_arn(arn: str) -> None:
    kind = kind_of(arn)
    assert (kind.word, resource_name(arn), kind.console, kind.security_hub) == RESOURCES[arn]


def test_there_are_no_other_kinds() -> None:
    assert [kind for kind in KINDS.values() if kind not in map(kind_of, RESOURCES)] == []


@pytest.mark.parametrize("arn", RESOURCES)
def test_a_name_that_looks_like_another_kind_does_not_make_it_one(arn: str) -> None:
    name = resource_name(arn)
    for other in ("service", "targetgroup", "loadbalancer", "restapis", "vpc-endpoint"):
        assert kind_of(arn.replace(f"/{name}", f"/{other}")) == kind_of(arn)


@pytest.mark.parametrize("text", ["", "arn:x", "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net"])
def test_what_has_no_name_is_called_by_all_of_it(text: str) -> None:
    assert resource_name(text) == text
