"""What private paths are made of: endpoint, load balancer, ingress connection, VPC link; and how they are found again.

Endpoints and ingress connections are made for a name, as load balancers and target groups are: worlds may share a
Region.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.clock import CLOCK
from emulator.worlds.parts import OPERATION_SECONDS, REGION, ZONES, Client, Vpc, service, vpc

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import CreateVpcEndpointRequestTypeDef, FilterTypeDef, IpPermissionTypeDef
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_elbv2.type_defs import CreateLoadBalancerInputTypeDef, TagTypeDef

BINDING = "apprunner-guardrails:endpoint"
CONTROL_PLANE = f"com.amazonaws.{REGION}.apprunner"
ENDPOINT_SERVICE = f"{CONTROL_PLANE}.requests"
HTTPS = 443
VPC_BLOCK = "10.0.0.0/16"


@dataclass(frozen=True, kw_only=True)
class Path:
    """A private path as it should be, without an API; `domain` is what the service is asked for by."""

    vpc: Vpc
    endpoint: str
    domain: str
    balancer: str


def private_path(client: Client, name: str, *, grouped: bool = False) -> Path:
    """NLB → endpoint → private service, all in the same two zones of a VPC that leads nowhere else. Targets are
    healthy. `grouped`: the NLB has a security group, of its name."""
    made = vpc(client, name=name, zones=ZONES[:2], nat=False)
    subnets = list(made.private.values())
    made_endpoint = endpoint(client, made.id, subnets, name=name)
    _, domain = private_service(client, name, made.id, made_endpoint)
    groups = [admitting_group(client, made.id, name, VPC_BLOCK)] if grouped else []
    balancer = load_balancer(client, name, made.id, subnets, made_endpoint, groups=groups)
    CLOCK.advance(OPERATION_SECONDS)
    return Path(vpc=made, endpoint=made_endpoint, domain=domain, balancer=balancer)


def admitting_group(client: Client, vpc_id: str, name: str, peer: str) -> str:
    """A security group that lets in HTTPS from a CIDR, or from another group by its id."""
    ec2: EC2Client = client("ec2")
    group = ec2.create_security_group(GroupName=name, Description="App Runner endpoint", VpcId=vpc_id)["GroupId"]
    https: IpPermissionTypeDef = {"IpProtocol": "tcp", "FromPort": HTTPS, "ToPort": HTTPS}
    if peer.startswith("sg-"):
        https["UserIdGroupPairs"] = [{"GroupId": peer}]
    else:
        https["IpRanges"] = [{"CidrIp": peer}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[https])
    return group


def endpoint(
    client: Client,
    vpc_id: str,
    subnets: Sequence[str],
    *,
    name: str = "",
    of_service: str = ENDPOINT_SERVICE,
    admits: str = VPC_BLOCK,
    policy: str = "",
    private_dns: bool = True,
) -> str:
    """An interface endpoint in these subnets, by default that of App Runner's services; it lets in HTTPS. One alone of
    a service and VPC has private DNS."""
    ec2: EC2Client = client("ec2")
    group = admitting_group(client, vpc_id, f"{name}-endpoint" if name else "endpoint", admits)
    request: CreateVpcEndpointRequestTypeDef = {
        "VpcId": vpc_id,
        "VpcEndpointType": "Interface",
        "ServiceName": of_service,
        "SubnetIds": list(subnets),
        "SecurityGroupIds": [group],
    }
    if name:
        request["TagSpecifications"] = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": name}]}]
    if not private_dns:
        request["PrivateDnsEnabled"] = False
    if policy:
        request["PolicyDocument"] = policy
    made = ec2.create_vpc_endpoint(**request)["VpcEndpoint"]["VpcEndpointId"]
    CLOCK.advance(OPERATION_SECONDS)
    return made


def private_service(
    client: Client, name: str, vpc_id: str, endpoint_id: str, connector_arn: str = ""
) -> tuple[str, str]:
    """A private service that the endpoint leads to; its ARN and the domain name by which it is asked for."""
    arn = service(client, f"{name}-orders", connector_arn, public=False)
    CLOCK.advance(OPERATION_SECONDS)
    domain = ingress(client, name, arn, vpc_id, endpoint_id)
    CLOCK.advance(OPERATION_SECONDS)
    return arn, domain


def ingress(client: Client, name: str, service_arn: str, vpc_id: str, endpoint_id: str) -> str:
    """An ingress connection that is not yet available; its domain name."""
    apprunner: AppRunnerClient = client("apprunner")
    return apprunner.create_vpc_ingress_connection(
        ServiceArn=service_arn,
        VpcIngressConnectionName=name,
        IngressVpcConfiguration={"VpcId": vpc_id, "VpcEndpointId": endpoint_id},
    )["VpcIngressConnection"]["DomainName"]


def load_balancer(
    client: Client,
    name: str,
    vpc_id: str,
    subnets: Sequence[str],
    endpoint_id: str,
    *,
    tag_later: bool = False,
    internal: bool = True,
    groups: Sequence[str] = (),
) -> str:
    """An NLB whose bound target group has the endpoint's addresses, not yet healthy ones; the NLB's ARN.

    `tag_later`: it is bound when it has its targets, as one that was there before the guardrails."""
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    binding: TagTypeDef = {"Key": BINDING, "Value": endpoint_id}
    request: CreateLoadBalancerInputTypeDef = {
        "Name": name,
        "Type": "network",
        "Scheme": "internal" if internal else "internet-facing",
        "Subnets": list(subnets),
    }
    if groups:
        request["SecurityGroups"] = list(groups)
    balancer = elbv2.create_load_balancer(**request)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elbv2.create_target_group(
        Name=name,
        Protocol="TCP",
        Port=HTTPS,
        VpcId=vpc_id,
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
    found = addresses(client, endpoint_id)
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": each, "Port": HTTPS} for each in found.values()])
    if tag_later:
        elbv2.add_tags(ResourceArns=[group], Tags=[binding])
    return balancer


def vpc_link(client: Client, name: str, balancer: str) -> str:
    """A VPC link for REST APIs, not yet available; its id."""
    apigateway: APIGatewayClient = client("apigateway")
    return apigateway.create_vpc_link(name=name, targetArns=[balancer])["id"]


def proxy_resource(client: Client, api: str) -> str:
    """A REST API's resource for every path; its id."""
    apigateway: APIGatewayClient = client("apigateway")
    root = apigateway.get_resources(restApiId=api)["items"][0]["id"]
    return apigateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]


# How they are found again ---------------------------------------------------------------------------------------------


def addresses(client: Client, endpoint_id: str) -> Mapping[str, str]:
    """The endpoint's addresses by subnet."""
    ec2: EC2Client = client("ec2")
    ids = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0]["NetworkInterfaceIds"]
    interfaces = ec2.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"]
    return {one["SubnetId"]: one["PrivateIpAddress"] for one in interfaces}


def endpoint_named(client: Client, name: str) -> Mapping[str, Any]:
    """As EC2 describes it."""
    filters: list[FilterTypeDef] = [{"Name": "tag:Name", "Values": [name]}]
    found: Mapping[str, Any] = client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"][0]
    return found


def balancer_named(client: Client, name: str) -> str:
    """The ARN of a load balancer."""
    return str(client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"])


def target_group_named(client: Client, name: str) -> str:
    """The ARN of a target group."""
    return str(client("elbv2").describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"])


def ingress_named(client: Client, name: str) -> str:
    """The ARN of an ingress connection."""
    listed = client("apprunner").list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"]
    arns = (str(one["VpcIngressConnectionArn"]) for one in listed)
    return next(arn for arn in arns if f":vpcingressconnection/{name}/" in arn)
