"""Worlds of private services: API Gateway → VPC link → NLB → interface endpoint → App Runner.

The NLB's target group is bound to the endpoint by a tag, so its targets are the guardrails' to keep right.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from emulator.clock import CLOCK
from emulator.cloudtrail import calling_as
from emulator.worlds.parts import (
    OPERATION_SECONDS,
    REGION,
    Client,
    Vpc,
    World,
    connector,
    service,
    subnets_of,
    tag_roles,
    vpc,
)

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_elbv2.type_defs import TagTypeDef

BINDING = "apprunner-guardrails:endpoint"
ENDPOINT_SERVICE = f"com.amazonaws.{REGION}.apprunner.requests"
HTTPS = 443
PATH = "private-path"
GONE = "endpoint-gone"


def _endpoint(client: Client, made: Vpc, subnets: Sequence[str]) -> str:
    """The interface endpoint of App Runner's services in these subnets; it lets in HTTPS from the VPC."""
    ec2: EC2Client = client("ec2")
    group = ec2.create_security_group(GroupName="endpoint", Description="App Runner endpoint", VpcId=made.id)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": HTTPS, "ToPort": HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
        ],
    )
    endpoint = ec2.create_vpc_endpoint(
        VpcId=made.id,
        VpcEndpointType="Interface",
        ServiceName=ENDPOINT_SERVICE,
        SubnetIds=list(subnets),
        SecurityGroupIds=[group],
    )["VpcEndpoint"]["VpcEndpointId"]
    CLOCK.advance(OPERATION_SECONDS)
    return endpoint


def _load_balancer(client: Client, name: str, made: Vpc, endpoint: str, *, tag_later: bool = False) -> str:
    """An internal NLB in every zone, whose bound target group has the endpoint's addresses, not yet healthy ones; the
    NLB's ARN.

    `tag_later`: it is bound when it has its targets, as one that was there before the guardrails."""
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    binding: TagTypeDef = {"Key": BINDING, "Value": endpoint}
    balancer = elbv2.create_load_balancer(
        Name=name, Type="network", Scheme="internal", Subnets=list(made.private.values())
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = elbv2.create_target_group(
        Name=name,
        Protocol="TCP",
        Port=HTTPS,
        VpcId=made.id,
        TargetType="ip",
        HealthCheckProtocol="TCP",
        Tags=[{"Key": "team", "Value": "orders"}] if tag_later else [binding],
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="TCP",
        Port=HTTPS,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    addresses = _addresses(client, endpoint)
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": each, "Port": HTTPS} for each in addresses.values()])
    if tag_later:
        elbv2.add_tags(ResourceArns=[group], Tags=[binding])
    return balancer


def _private_service(client: Client, made: Vpc, endpoint: str) -> str:
    """A private service that the endpoint leads to; the domain name by which it is asked for."""
    apprunner: AppRunnerClient = client("apprunner")
    arn = service(
        client,
        f"{PATH}-orders",
        connector(client, PATH, list(made.private.values()), [made.group]),
        public=False,
    )
    CLOCK.advance(OPERATION_SECONDS)
    ingress = apprunner.create_vpc_ingress_connection(
        ServiceArn=arn,
        VpcIngressConnectionName=PATH,
        IngressVpcConfiguration={"VpcId": made.id, "VpcEndpointId": endpoint},
    )["VpcIngressConnection"]
    CLOCK.advance(OPERATION_SECONDS)
    return ingress["DomainName"]


def _rest_api(client: Client, balancer: str, domain: str) -> None:
    """A REST API that hands every path on through a VPC link. The certificate that the NLB's targets show is for the
    domain of the ingress connection, so the integration asks for that one."""
    apigateway: APIGatewayClient = client("apigateway")
    link = apigateway.create_vpc_link(name=PATH, targetArns=[balancer])["id"]
    api = apigateway.create_rest_api(name=PATH)["id"]
    root = apigateway.get_resources(restApiId=api)["items"][0]["id"]
    proxy = apigateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
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
    endpoint = _endpoint(client, made, list(made.private.values())[:2])
    domain = _private_service(client, made, endpoint)
    _rest_api(client, _load_balancer(client, PATH, made, endpoint), domain)
    CLOCK.advance(OPERATION_SECONDS)  # targets become healthy, and the VPC link available


def _happen_private_path(client: Client) -> None:
    """The endpoint gets a subnet in the third zone, and another address in one that it is in: EC2 replaces that
    interface by a new one at once (aws-facts 5)."""
    ec2: EC2Client = client("ec2")
    endpoint = _endpoint_id(client, PATH)
    addresses = _addresses(client, endpoint)
    [added] = set(_private_subnets(client, PATH)) - addresses.keys()
    moved, address = min(addresses.items(), key=lambda each: each[1])
    host = next(f"{address.rpartition('.')[0]}.{last}" for last in (77, 78) if not address.endswith(f".{last}"))
    with calling_as("terraform"):
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=[added])
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, SubnetConfigurations=[{"SubnetId": moved, "Ipv4": host}])


def _later_private_path(client: Client) -> None:
    """Somebody takes a target away that the endpoint still answers at."""
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    group = elbv2.describe_target_groups(Names=[PATH])["TargetGroups"][0]["TargetGroupArn"]
    address = max(_addresses(client, _endpoint_id(client, PATH)).values())
    with calling_as("console"):
        elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": HTTPS}])


def _build_endpoint_gone(client: Client) -> None:
    made = vpc(client)
    endpoint = _endpoint(client, made, list(made.private.values()))
    _load_balancer(client, GONE, made, endpoint, tag_later=True)
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


def _addresses(client: Client, endpoint: str) -> dict[str, str]:
    """The endpoint's addresses by subnet."""
    ec2: EC2Client = client("ec2")
    ids = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]["NetworkInterfaceIds"]
    interfaces = ec2.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"]
    return {one["SubnetId"]: one["PrivateIpAddress"] for one in interfaces}


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
