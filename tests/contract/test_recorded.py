"""The parsers on answers that AWS really gave.

The recordings stay outside of this repository, beside its checkout or wherever GUARDRAILS_RECORDED says. They are in
placebo's format: `data` holds an answer as the SDK parsed it, with dates as objects of a class.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import Session
from botocore.validate import validate_parameters

from apprunner_guardrails.aws import apigateway, ec2, elbv2
from apprunner_guardrails.facts import (
    AclEntry,
    Endpoint,
    EndpointInterface,
    GroupRule,
    Integration,
    InterfaceEndpoint,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Target,
    TargetGroup,
)

if TYPE_CHECKING:
    from botocore.model import ServiceModel

RECORDED = Path(os.environ.get("GUARDRAILS_RECORDED") or Path(__file__).resolve().parents[3] / "shared" / "recorded")

# Every recording of a call that the function makes, with the member of the answer and the parser of its rows.
RECORDINGS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "ec2.DescribeNatGateways/nat_gateways_tag.json": ("NatGateways", ec2.nat_gateway),
    "ec2.DescribeNetworkAcls/network_acl_s3_present.json": ("NetworkAcls", ec2.network_acl),
    "ec2.DescribeNetworkInterfaces/interface_detach_primary_nic_2.json": ("NetworkInterfaces", ec2.network_interface),
    "ec2.DescribeNetworkInterfaces/network_location_match_in_mismatch.json": (
        "NetworkInterfaces",
        ec2.network_interface,
    ),
    "ec2.DescribeRouteTables/eni_private_subnet.json": ("RouteTables", ec2.route_table),
    "ec2.DescribeRouteTables/peer_miss_route_filter_not_found.json": ("RouteTables", ec2.route_table),
    "ec2.DescribeSecurityGroups/only_ports_and_cidr_ingress.json": ("SecurityGroups", ec2.security_group),
    "ec2.DescribeSubnets/subnet_delete_with_dependencies.json": ("Subnets", ec2.subnet),
    "ec2.DescribeSubnets/subnet_endpoint_filter.json": ("Subnets", ec2.subnet),
    "ec2.DescribeVpcEndpoints/vpc_endpoint_filter.json": ("VpcEndpoints", ec2.endpoint),
    "ec2.DescribeVpcEndpoints/vpc_endpoint_service_details_live.json": ("VpcEndpoints", ec2.endpoint),
    "elasticloadbalancing.DescribeTargetGroups/appelb_target_group_filter.json": ("TargetGroups", elbv2.target_group),
    "elasticloadbalancing.DescribeTargetHealth/appelb_instance_count_non_zero.json": (
        "TargetHealthDescriptions",
        elbv2.target,
    ),
}
MODELS = {
    "apigateway": "apigateway",
    "ec2": "ec2",
    "elasticloadbalancing": "elbv2",
}  # by the service in a recording's name

LOCAL = Route(destination="10.0.0.0/21", target="local")
GATEWAY_ENDPOINTS = (
    Route(destination="pl-00a54069", target="vpce-09dde693c87e2b557"),
    Route(destination="pl-68a54001", target="vpce-0a3093e2a8e039953"),
)
EVERYTHING_OUT = GroupRule(protocol="-1", peers=("0.0.0.0/0",))

# Rows of every kind, with all that is made of them.
FACTS: Mapping[str, tuple[str, object]] = {
    "a NAT gateway from before there were private ones": (
        "ec2.DescribeNatGateways/nat_gateways_tag.json",
        NatGateway(
            id="nat-0000000000000000",
            vpc_id="vpc-0000000",
            subnet_id="subnet-0000000",
            state="available",
            connectivity="public",
        ),
    ),
    "a network ACL, open both ways": (
        "ec2.DescribeNetworkAcls/network_acl_s3_present.json",
        NetworkAcl(
            id="acl-2495b15d",
            subnet_ids=(),
            entries=tuple(
                AclEntry(number=number, egress=egress, allow=allow, protocol="-1", cidr="0.0.0.0/0")
                for egress in (True, False)
                for number, allow in ((100, True), (32767, False))
            ),
        ),
    ),
    "the interface of a NAT gateway, which has no group": (
        "ec2.DescribeNetworkInterfaces/interface_detach_primary_nic_2.json",
        NetworkInterface(id="eni-0a97f5badf0f2b1db", group_ids=(), app_runner=False),
    ),
    "an interface with two groups": (
        "ec2.DescribeNetworkInterfaces/network_location_match_in_mismatch.json",
        NetworkInterface(
            id="eni-0d7371899c021c60f", group_ids=("sg-065a2edad041c289c", "sg-08398fd5994d8971d"), app_runner=False
        ),
    ),
    "an interface with a tag that is not App Runner's": (
        "ec2.DescribeNetworkInterfaces/network_location_match_in_mismatch.json",
        NetworkInterface(id="eni-0693b0567e9fb7401", group_ids=("sg-0c4399ec62930489d",), app_runner=False),
    ),
    "the route table of a public subnet, with gateway endpoints": (
        "ec2.DescribeRouteTables/eni_private_subnet.json",
        RouteTable(
            id="rtb-091022547181ef961",
            vpc_id="vpc-003377c0084c5bcd5",
            main=False,
            subnet_ids=("subnet-08f4d99d9fd07ee45",),
            routes=(LOCAL, Route(destination="0.0.0.0/0", target="igw-078ca7ffe93afa56b"), *GATEWAY_ENDPOINTS),
        ),
    ),
    "the route table of a private subnet": (
        "ec2.DescribeRouteTables/eni_private_subnet.json",
        RouteTable(
            id="rtb-00d80b09c32f7e42d",
            vpc_id="vpc-003377c0084c5bcd5",
            main=False,
            subnet_ids=("subnet-0616e6e6a767403e1",),
            routes=(LOCAL, Route(destination="0.0.0.0/0", target="nat-01e6556a25454e5f2"), *GATEWAY_ENDPOINTS),
        ),
    ),
    "a main route table": (
        "ec2.DescribeRouteTables/eni_private_subnet.json",
        RouteTable(
            id="rtb-0ba4ba0fab842cad5", vpc_id="vpc-003377c0084c5bcd5", main=True, subnet_ids=(), routes=(LOCAL,)
        ),
    ),
    "a main route table that a subnet names too, recorded before associations had a state": (
        "ec2.DescribeRouteTables/peer_miss_route_filter_not_found.json",
        RouteTable(
            id="rtb-e888328d",
            vpc_id="vpc-cb3e8cae",
            main=True,
            subnet_ids=("subnet-3766a96e",),
            routes=(
                Route(destination="10.244.1.0/24", target="eni-961cc8ce", blackhole=True),
                Route(destination="10.244.2.0/24", target="eni-a91cc8f1", blackhole=True),
                Route(destination="10.244.3.0/24", target="eni-4a1dc912", blackhole=True),
                Route(destination="10.244.4.0/24", target="eni-6a1dc932", blackhole=True),
                Route(destination="172.20.0.0/16", target="local"),
                Route(destination="10.0.0.0/16", target="pcx-36096b5f"),
                Route(destination="0.0.0.0/0", target="igw-5bce113e"),
            ),
        ),
    ),
    "a security group with no outbound rule": (
        "ec2.DescribeSecurityGroups/only_ports_and_cidr_ingress.json",
        SecurityGroup(
            id="sg-0d40e803b8b644e79",
            name="sg_jantmantest_1",
            vpc_id="vpc-6b7e9b0c",
            ingress=tuple(
                GroupRule(protocol="tcp", peers=("0.0.0.0/0",), from_port=port, to_port=port) for port in (80, 22, 443)
            ),
            egress=(),
        ),
    ),
    "a default security group, which admits itself": (
        "ec2.DescribeSecurityGroups/only_ports_and_cidr_ingress.json",
        SecurityGroup(
            id="sg-0828f69f583e2cd6b",
            name="default",
            vpc_id="vpc-0d706a6a97fee8752",
            ingress=(GroupRule(protocol="-1", peers=("sg-0828f69f583e2cd6b",)),),
            egress=(EVERYTHING_OUT,),
        ),
    ),
    "a subnet of today": (
        "ec2.DescribeSubnets/subnet_delete_with_dependencies.json",
        Subnet(
            id="subnet-006ee56b4320c50ab",
            vpc_id="vpc-090e9b45d510e7a02",
            zone_id="use1-az3",
            cidr="10.4.2.0/24",
            ipv6_cidrs=(),
            ipv6_native=False,
            free_addresses=250,
            owner_id="644160558196",
        ),
    ),
    "a subnet from before there were IPv6-only ones": (
        "ec2.DescribeSubnets/subnet_endpoint_filter.json",
        Subnet(
            id="subnet-03ec1a55eadb55221",
            vpc_id="vpc-072f438c953672ace",
            zone_id="use1-az6",
            cidr="10.0.2.0/24",
            ipv6_cidrs=(),
            ipv6_native=False,
            free_addresses=247,
            owner_id="644160558196",
        ),
    ),
    "a gateway endpoint": (
        "ec2.DescribeVpcEndpoints/vpc_endpoint_service_details_live.json",
        Endpoint(
            id="vpce-056fff30475955130",
            vpc_id="vpc-03c66c266923c5427",
            service="com.amazonaws.us-east-1.s3",
            kind="Gateway",
            state="available",
            route_table_ids=("rtb-01ab2c397a777eb7b", "rtb-025de1f331d524a17"),
        ),
    ),
    "an interface endpoint of AWS": (
        "ec2.DescribeVpcEndpoints/vpc_endpoint_filter.json",
        Endpoint(
            id="vpce-08ff0494faf0210d3",
            vpc_id="vpc-072f438c953672ace",
            service="com.amazonaws.us-east-1.athena",
            kind="Interface",
            state="available",
            route_table_ids=(),
        ),
    ),
    "an interface endpoint of somebody's own service": (
        "ec2.DescribeVpcEndpoints/vpc_endpoint_filter.json",
        Endpoint(
            id="vpce-04a4c8e2145cb966e",
            vpc_id="vpc-d2d616b5",
            service="com.amazonaws.vpce.us-east-1.vpce-svc-0caf1c7342f032f18",
            kind="Interface",
            state="available",
            route_table_ids=(),
        ),
    ),
}


def recorded(name: str) -> dict[str, Any]:
    """The answer in a recording, as the SDK gave it."""
    if not RECORDED.is_dir():
        pytest.skip(f"no recorded answers of AWS in {RECORDED}: set GUARDRAILS_RECORDED to where they are")
    read: dict[str, Any] = json.loads((RECORDED / name).read_text(), object_hook=_placebo)
    answer: dict[str, Any] = read["data"]
    return answer


def _placebo(value: dict[str, Any]) -> object:
    if value.pop("__class__", "") == "datetime":
        return datetime(**value, tzinfo=UTC)
    return value


@pytest.fixture(scope="module")
def models() -> "Mapping[str, ServiceModel]":
    session = Session()
    return {name: session.get_service_model(model) for name, model in MODELS.items()}


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recorded_answer_is_one_that_the_api_model_knows(name: str, models: "Mapping[str, ServiceModel]") -> None:
    """What holds for the rows that other tests make holds for AWS's own, and nothing is said twice in them."""
    answer = recorded(name)
    answer.pop("ResponseMetadata")
    service, _, operation = name.partition("/")[0].partition(".")
    shape = models[service].operation_model(operation).output_shape
    assert shape is not None
    validate_parameters(answer, shape)
    member, parse = RECORDINGS[name]
    facts = [parse(row) for row in answer[member]]
    assert len({repr(fact) for fact in facts}) == len(facts) > 0


@pytest.mark.parametrize(("name", "expected"), FACTS.values(), ids=FACTS)
def test_a_recorded_row_is_read_whole(name: str, expected: Any) -> None:
    member, parse = RECORDINGS[name]
    parsed: list[Any] = [parse(row) for row in recorded(name)[member]]
    assert [fact for fact in parsed if fact.id == expected.id] == [expected]


def test_a_recorded_vpc_attribute_is_read() -> None:
    assert ec2.vpc_attribute("EnableDnsHostnames")([recorded("ec2.DescribeVpcAttribute/vpc_attributes.json")]) is False


OF_BALANCERS = tuple(
    f"arn:aws:elasticloadbalancing:us-west-2:644160558196:loadbalancer/app/{name}"
    for name in ("alb-1/1e0ac88a139a5177", "alb-2/4dec284f036410cb")
)
# What EC2 gives an endpoint that is made without a policy, in the words of 2018.
EVERYTHING_ALLOWED = (
    '{\n    "Statement": [\n        {\n            "Action": "*",\n            "Effect": "Allow",\n'
    '            "Resource": "*",\n            "Principal": "*"\n        }\n    ]\n}'
)
# What target sync makes of recorded answers that have rows of it.
OF_SYNC: Mapping[str, tuple[str, Callable[[Any], object], object]] = {
    "target groups from before there were kinds of targets": (
        "elasticloadbalancing.DescribeTargetGroups/appelb_target_group_filter.json",
        elbv2._groups,
        {
            one.arn: one
            for one in (
                TargetGroup(
                    arn=f"arn:aws:elasticloadbalancing:us-west-2:644160558196:targetgroup/{name}/{number}",
                    name=name,
                    vpc_id=vpc,
                    port=port,
                    target_type="instance",
                    ipv6=False,
                    load_balancer_arns=OF_BALANCERS,
                    protocol=protocol,
                    health_check_protocol=protocol,
                )
                for name, number, vpc, port, protocol in (
                    ("target-group-1", "f9e509bf6804a101", "vpc-47b2b823", 80, "HTTP"),
                    ("target-group-2", "9c84115056e192c4", "vpc-4a9ff72e", 443, "HTTPS"),
                )
            )
        },
    ),
    "targets of which nothing is told": (
        "elasticloadbalancing.DescribeTargetHealth/appelb_instance_count_non_zero.json",
        elbv2._targets,
        (
            Target(address="i-123456", port=123, zone="", state="unavailable"),
            Target(address="i-7890", port=456, zone="", state="unavailable"),
        ),
    ),
    "the attributes of a target group": (
        "elasticloadbalancing.DescribeTargetGroupAttributes/target_group_attributes_filter_action.json",
        lambda pages: elbv2._attributes(pages)[elbv2.CROSS_ZONE],
        elbv2.OF_BALANCER,
    ),
    "an interface endpoint of AWS": (
        "ec2.DescribeVpcEndpoints/vpc_endpoint_filter.json",
        lambda pages: ec2._endpoints_by_id(pages)["vpce-08ff0494faf0210d3"],
        InterfaceEndpoint(
            id="vpce-08ff0494faf0210d3",
            vpc_id="vpc-072f438c953672ace",
            service="com.amazonaws.us-east-1.athena",
            state="available",
            private_dns=False,
            subnet_ids=("subnet-03ec1a55eadb55221", "subnet-068dfbf3f275a6ae8"),
            interface_ids=("eni-01704d489bb6aeb98", "eni-029615f8fb7a39561"),
            group_ids=("sg-0d30141b566cfa039",),
            policy=EVERYTHING_ALLOWED,
        ),
    ),
    "a network interface of an endpoint": (
        "ec2.DescribeNetworkInterfaces/interface_detach_primary_nic_2.json",
        lambda pages: ec2._interfaces_by_id(pages)["eni-099fba10036bb0b1b"],
        EndpointInterface(
            id="eni-099fba10036bb0b1b",
            vpc_id="vpc-08bbc74c36b8a08dd",
            zone="us-east-1b",
            ipv4="10.146.96.21",
            ipv6=(),
        ),
    ),
}


@pytest.mark.parametrize(("name", "parse", "expected"), OF_SYNC.values(), ids=OF_SYNC)
def test_what_target_sync_makes_of_a_recorded_answer(
    name: str, parse: Callable[[Any], object], expected: object
) -> None:
    assert parse([recorded(name)]) == expected


def of_a_method(pages: list[Any]) -> object:
    """An integration as GetResources embeds it."""
    return tuple(
        apigateway.rest_methods({"id": "r", "path": "/", "resourceMethods": {"GET": {"methodIntegration": pages[0]}}})
    )


# What becomes of recorded answers on private paths.
OF_PATHS: Mapping[str, tuple[str, Callable[[Any], object], object]] = {
    "methods that were not asked for": (
        "apigateway.GetResources/rest_resource_resource.json",
        apigateway._rest_integrations,
        (),
    ),
    "an integration of a service of AWS": (
        "apigateway.GetIntegration/rest_integration_filter.json",
        of_a_method,
        (
            Integration(
                where="GET /",
                id="r",
                kind="AWS",
                uri="arn:aws:apigateway:us-east-1:cloudcustodiantestdomain.com.ecs:action/",
            ),
        ),
    ),
    "whether client addresses are preserved": (
        "elasticloadbalancing.DescribeTargetGroupAttributes/target_group_attributes_filter_action.json",
        lambda pages: elbv2._attributes(pages)[elbv2.CLIENT_IP],
        "false",
    ),
    "the private addresses of a NAT gateway's interface": (
        "ec2.DescribeNetworkInterfaces/interface_detach_primary_nic_2.json",
        lambda pages: ec2._addresses_by_description(pages)["Interface for NAT Gateway nat-001ede673d090598b"],
        {"subnet-028fbebec8e1d710f": ("10.146.96.24",)},
    ),
}


@pytest.mark.parametrize(("name", "parse", "expected"), OF_PATHS.values(), ids=OF_PATHS)
def test_what_becomes_of_a_recorded_answer_on_private_paths(
    name: str, parse: Callable[[Any], object], expected: object, models: "Mapping[str, ServiceModel]"
) -> None:
    answer = recorded(name)
    answer.pop("ResponseMetadata")
    answer.pop("integrationResponses", None)  # AWS tells null in a map of text there, which no model knows
    service, _, operation = name.partition("/")[0].partition(".")
    shape = models[service].operation_model(operation).output_shape
    assert shape is not None
    validate_parameters(answer, shape)
    assert parse([answer]) == expected
