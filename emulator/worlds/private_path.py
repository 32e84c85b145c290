"""Worlds of private services: API Gateway → VPC link → NLB → interface endpoint → App Runner.

The NLB's target group is bound to the endpoint by a tag, so its targets are the guardrails' to keep right.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from emulator.clock import CLOCK
from emulator.cloudtrail import calling_as
from emulator.worlds.parts import OPERATION_SECONDS, Client, World, connector, subnets_of, tag_roles, vpc
from emulator.worlds.path_parts import (
    ENDPOINT_SERVICE,
    HTTPS,
    addresses,
    endpoint,
    load_balancer,
    private_service,
    proxy_resource,
    target_group_named,
    vpc_link,
)

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

PATH = "private-path"
GONE = "endpoint-gone"


def _rest_api(client: Client, link: str, domain: str) -> None:
    """A REST API that hands every path on through a VPC link. The certificate that the NLB's targets show is for the
    domain of the ingress connection, so the integration asks for that one."""
    apigateway: APIGatewayClient = client("apigateway")
    api = apigateway.create_rest_api(name=PATH)["id"]
    proxy = proxy_resource(client, api)
    apigateway.put_method(
        restApiId=api,
        resourceId=proxy,
        httpMethod="ANY",
        authorizationType="NONE",
        requestParameters={"method.request.path.proxy": True},
    )
    apigateway.put_integration(
        restApiId=api,
        resourceId=proxy,
        httpMethod="ANY",
        type="HTTP_PROXY",
        integrationHttpMethod="ANY",
        connectionType="VPC_LINK",
        connectionId=link,
        uri=f"https://{domain}/{{proxy}}",
        requestParameters={"integration.request.path.proxy": "method.request.path.proxy"},
    )
    apigateway.create_deployment(restApiId=api, stageName="live")


def _build_private_path(client: Client) -> None:
    """The endpoint is in two of the three zones that the NLB is in."""
    made = vpc(client)
    tag_roles(client, made)
    subnets = list(made.private.values())
    made_endpoint = endpoint(client, made.id, subnets[:2])
    arn = connector(client, PATH, subnets, [made.group])
    _, domain = private_service(client, PATH, made.id, made_endpoint, arn)
    balancer = load_balancer(client, PATH, made.id, subnets, made_endpoint)
    _rest_api(client, vpc_link(client, PATH, balancer), domain)
    CLOCK.advance(OPERATION_SECONDS)  # targets become healthy, and the VPC link available


def _happen_private_path(client: Client) -> None:
    """The endpoint gets a subnet in the third zone, and another address in one that it is in: EC2 replaces that
    interface by a new one at once (aws-facts 5)."""
    ec2: EC2Client = client("ec2")
    changed = _endpoint_id(client, PATH)
    found = addresses(client, changed)
    [added] = set(_private_subnets(client, PATH)) - found.keys()
    moved, address = min(found.items(), key=lambda each: each[1])
    host = next(f"{address.rpartition('.')[0]}.{last}" for last in (77, 78) if not address.endswith(f".{last}"))
    with calling_as("terraform"):
        ec2.modify_vpc_endpoint(VpcEndpointId=changed, AddSubnetIds=[added])
        ec2.modify_vpc_endpoint(VpcEndpointId=changed, SubnetConfigurations=[{"SubnetId": moved, "Ipv4": host}])


def _later_private_path(client: Client) -> None:
    """Somebody takes a target away that the endpoint still answers at."""
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    group = target_group_named(client, PATH)
    address = max(addresses(client, _endpoint_id(client, PATH)).values())
    with calling_as("console"):
        elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": HTTPS}])


def _build_endpoint_gone(client: Client) -> None:
    made = vpc(client)
    subnets = list(made.private.values())
    load_balancer(client, GONE, made.id, subnets, endpoint(client, made.id, subnets), tag_later=True)
    CLOCK.advance(OPERATION_SECONDS)


def _happen_endpoint_gone(client: Client) -> None:
    """An event may take minutes to come: when it does, the endpoint is gone and the checks of its targets fail."""
    with calling_as("console"):
        client("ec2").delete_vpc_endpoints(VpcEndpointIds=[_endpoint_id(client, GONE)])
    CLOCK.advance(OPERATION_SECONDS)


def _vpc_of(client: Client, group: str) -> str:
    """The VPC of a target group by its name: worlds may share a Region."""
    return str(client("elbv2").describe_target_groups(Names=[group])["TargetGroups"][0]["VpcId"])


def _private_subnets(client: Client, group: str) -> list[str]:
    ec2: EC2Client = client("ec2")
    inside = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [_vpc_of(client, group)]}])["Subnets"]
    private = set(subnets_of(client, "private"))
    return [one["SubnetId"] for one in inside if one["SubnetId"] in private]


def _endpoint_id(client: Client, group: str) -> str:
    filters = [
        {"Name": "service-name", "Values": [ENDPOINT_SERVICE]},
        {"Name": "vpc-id", "Values": [_vpc_of(client, group)]},
    ]
    return str(client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"][0]["VpcEndpointId"])


PRIVATE_PATHS: Sequence[World] = (
    World(
        name=PATH,
        summary="the whole private path: API Gateway → VPC link → NLB → endpoint → private service, whose endpoint"
        " gets another subnet and then a replaced interface",
        seed=113,
        build=_build_private_path,
        happen=_happen_private_path,
        later=_later_private_path,
    ),
    World(
        name=GONE,
        summary="the endpoint that a target group is bound to is deleted",
        seed=114,
        build=_build_endpoint_gone,
        happen=_happen_endpoint_gone,
    ),
)
