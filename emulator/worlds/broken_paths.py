"""Worlds of private services that cannot be reached as they should: each has faults of one part of the path.

Nothing but the path is in them: a VPC without a way out, and services that use no VPC connector.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from emulator.clock import CLOCK
from emulator.cloudtrail import calling_as
from emulator.settings import SETTINGS
from emulator.worlds.parts import (
    EXEMPT,
    OPERATION_SECONDS,
    ZONES,
    Client,
    World,
    group_named,
    service,
    service_arn,
    vpc,
)
from emulator.worlds.path_parts import (
    BINDING,
    CONTROL_PLANE,
    HTTPS,
    VPC_BLOCK,
    addresses,
    admitting_group,
    balancer_named,
    endpoint,
    endpoint_named,
    ingress,
    ingress_named,
    load_balancer,
    private_path,
    private_service,
    proxy_resource,
    target_group_named,
    vpc_link,
)

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_elbv2.type_defs import LoadBalancerAttributeTypeDef, TagTypeDef

INGRESS = "ingress-broken"
ENDPOINT = "endpoint-wrong"
GROUP = "group-wrong"
BALANCER = "balancer-wrong"
API = "api-wrong"

CROSS_ZONE = "load_balancing.cross_zone.enabled"
CERTIFIED = "orders.example.com"
TLS_PORT = 8443
LOG_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:api-wrong"
LOG_FORMAT = "$context.requestId $context.httpMethod $context.path $context.status"

# Ingress connections --------------------------------------------------------------------------------------------------


def _build_ingress_broken(client: Client) -> None:
    """Both endpoints of App Runner, its services' and its own API's; one service is connected, the other not yet."""
    made = vpc(client, name=INGRESS, zones=ZONES[:2], nat=False)
    subnets = list(made.private.values())
    requests = endpoint(client, made.id, subnets, name=INGRESS)
    endpoint(client, made.id, subnets, name=f"{INGRESS}-control", of_service=CONTROL_PLANE)
    service(client, f"{INGRESS}-reports", public=False)
    private_service(client, INGRESS, made.id, requests)


def _happen_ingress_broken(client: Client) -> None:
    """The new connection names the wrong endpoint, and the right one is taken for a leftover. The events come when App
    Runner has tried."""
    ec2: EC2Client = client("ec2")
    control = endpoint_named(client, f"{INGRESS}-control")
    with calling_as("terraform"):
        reports = service_arn(client, f"{INGRESS}-reports")
        ingress(client, f"{INGRESS}-reports", reports, control["VpcId"], control["VpcEndpointId"])
    with calling_as("console"):
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_named(client, INGRESS)["VpcEndpointId"]])
    CLOCK.advance(OPERATION_SECONDS)


def _later_ingress_broken(client: Client) -> None:
    """An endpoint for services again, and the new connection leads to it; the other service is to be public now."""
    apprunner: AppRunnerClient = client("apprunner")
    control = endpoint_named(client, f"{INGRESS}-control")
    reports = ingress_named(client, f"{INGRESS}-reports")
    with calling_as("terraform"):
        made = endpoint(client, control["VpcId"], control["SubnetIds"], name=f"{INGRESS}-again")
        apprunner.update_vpc_ingress_connection(
            VpcIngressConnectionArn=reports,
            IngressVpcConfiguration={"VpcId": control["VpcId"], "VpcEndpointId": made},
        )
        apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=ingress_named(client, INGRESS))
        apprunner.update_service(
            ServiceArn=service_arn(client, f"{INGRESS}-orders"),
            NetworkConfiguration={"IngressConfiguration": {"IsPubliclyAccessible": True}},
        )
    CLOCK.advance(OPERATION_SECONDS)


# Endpoints ------------------------------------------------------------------------------------------------------------


def _build_endpoint_wrong(client: Client) -> None:
    """A VPC link goes through the NLB, whose group leaves what it brings alone."""
    made = private_path(client, ENDPOINT, grouped=True)
    _guard_private_link(client, ENDPOINT, made.balancer, "off")
    vpc_link(client, ENDPOINT, made.balancer)


def _happen_endpoint_wrong(client: Client) -> None:
    """The path moves to a new endpoint, which is in one zone only and has a policy that nobody heeds. It lets in the
    NLB's group: that is enough for health checks, but what the VPC link brings comes from the NLB's addresses."""
    apprunner: AppRunnerClient = client("apprunner")
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    before = endpoint_named(client, ENDPOINT)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    with calling_as("terraform"):
        made = endpoint(
            client,
            before["VpcId"],
            [min(before["SubnetIds"])],
            name=f"{ENDPOINT}-next",
            admits=group_named(client, ENDPOINT),
            private_dns=False,
            policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
        )
        apprunner.update_vpc_ingress_connection(
            VpcIngressConnectionArn=ingress_named(client, ENDPOINT),
            IngressVpcConfiguration={"VpcId": before["VpcId"], "VpcEndpointId": made},
        )
        apprunner.tag_resource(
            ResourceArn=ingress_named(client, ENDPOINT),
            Tags=[{"Key": f"{EXEMPT}AR503", "Value": "2026-11-30 @platform the path moves"}],
        )
        binding: TagTypeDef = {"Key": BINDING, "Value": made}
        elbv2.add_tags(ResourceArns=[target_group_named(client, ENDPOINT)], Tags=[binding])
    CLOCK.advance(OPERATION_SECONDS)


def _later_endpoint_wrong(client: Client) -> None:
    """The new endpoint gets what the old one had."""
    ec2: EC2Client = client("ec2")
    before, after = endpoint_named(client, ENDPOINT), endpoint_named(client, f"{ENDPOINT}-next")
    with calling_as("sso"):
        ec2.modify_vpc_endpoint(
            VpcEndpointId=after["VpcEndpointId"],
            AddSubnetIds=[max(before["SubnetIds"])],
            AddSecurityGroupIds=[group["GroupId"] for group in before["Groups"]],
            ResetPolicy=True,
        )


# Target groups --------------------------------------------------------------------------------------------------------


def _build_group_wrong(client: Client) -> None:
    """Beside the path as it should be, a bound target group for plain HTTP."""
    made = private_path(client, GROUP)
    client("elbv2").create_target_group(
        Name=f"{GROUP}-plain",
        Protocol="TCP",
        Port=80,
        VpcId=made.vpc.id,
        TargetType="ip",
        Tags=[{"Key": BINDING, "Value": made.endpoint}],
    )


def _happen_group_wrong(client: Client) -> None:
    """Somebody wants to see clients' addresses and to check more than TCP, and takes out a target by hand."""
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    group, target = target_group_named(client, GROUP), _some_address(client, GROUP)
    with calling_as("terraform"):
        _preserve_addresses(client, group, "true")
        elbv2.modify_target_group(TargetGroupArn=group, HealthCheckProtocol="HTTPS", HealthCheckPath="/health")
    with calling_as("console"):
        elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": target, "Port": HTTPS}])


def _later_group_wrong(client: Client) -> None:
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    group, target = target_group_named(client, GROUP), _some_address(client, GROUP)
    with calling_as("sso"):
        _preserve_addresses(client, group, "false")
        elbv2.modify_target_group(TargetGroupArn=group, HealthCheckProtocol="TCP")
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": target, "Port": HTTPS}])
        elbv2.delete_target_group(TargetGroupArn=target_group_named(client, f"{GROUP}-plain"))


def _some_address(client: Client, name: str) -> str:
    return max(addresses(client, endpoint_named(client, name)["VpcEndpointId"]).values())


def _preserve_addresses(client: Client, group: str, value: Literal["true", "false"]) -> None:
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "preserve_client_ip.enabled", "Value": value}]
    )


# Load balancers -------------------------------------------------------------------------------------------------------


def _build_balancer_wrong(client: Client) -> None:
    """The NLB is in public subnets of three zones, the endpoint in two of them; traffic crosses zones."""
    made = vpc(client, name=BALANCER, zones=ZONES, nat=False)
    wanted = endpoint(client, made.id, list(made.private.values())[:2], name=BALANCER)
    private_service(client, BALANCER, made.id, wanted)
    group = admitting_group(client, made.id, BALANCER, VPC_BLOCK)
    public = list(made.public.values())
    balancer = load_balancer(client, BALANCER, made.id, public, wanted, internal=False, groups=[group])
    _guard_private_link(client, BALANCER, balancer, "off")
    _cross_zones(client, balancer, "true")
    vpc_link(client, BALANCER, balancer)
    client("acm").request_certificate(DomainName=CERTIFIED)
    CLOCK.advance(OPERATION_SECONDS)


def _happen_balancer_wrong(client: Client) -> None:
    """It is "hardened": no traffic between zones, groups that apply to the VPC link too, TLS that ends at the NLB."""
    balancer = balancer_named(client, BALANCER)
    certificates = client("acm").list_certificates()["CertificateSummaryList"]
    certificate = next(one["CertificateArn"] for one in certificates if one["DomainName"] == CERTIFIED)
    with calling_as("terraform"):
        _cross_zones(client, balancer, "false")
        _guard_private_link(client, BALANCER, balancer, "on")
        client("elbv2").create_listener(
            LoadBalancerArn=balancer,
            Protocol="TLS",
            Port=TLS_PORT,
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group_named(client, BALANCER)}],
        )


def _later_balancer_wrong(client: Client) -> None:
    """All of it is taken back; the zone without the endpoint is accepted, and internet-facing the NLB stays."""
    ec2: EC2Client = client("ec2")
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    balancer = balancer_named(client, BALANCER)
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    with calling_as("terraform"):
        _cross_zones(client, balancer, "true")
        _guard_private_link(client, BALANCER, balancer, "off")
        elbv2.delete_listener(ListenerArn=next(one["ListenerArn"] for one in listeners if one["Protocol"] == "TLS"))
        ec2.create_tags(
            Resources=[endpoint_named(client, BALANCER)["VpcEndpointId"]],
            Tags=[{"Key": f"{EXEMPT}AR504", "Value": "2026-12-31 @edge traffic crosses zones"}],
        )


def _cross_zones(client: Client, balancer: str, value: Literal["true", "false"]) -> None:
    attribute: LoadBalancerAttributeTypeDef = {"Key": CROSS_ZONE, "Value": value}
    client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[attribute])


def _guard_private_link(client: Client, group: str, balancer: str, value: Literal["on", "off"]) -> None:
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    elbv2.set_security_groups(
        LoadBalancerArn=balancer,
        SecurityGroups=[group_named(client, group)],
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic=value,
    )


# APIs -----------------------------------------------------------------------------------------------------------------


def _build_api_wrong(client: Client) -> None:
    """An HTTP API that nobody has called for long: its VPC link is inactive."""
    made = private_path(client, API)
    http: Any = client("apigatewayv2")
    link = http.create_vpc_link(Name=API, SubnetIds=list(made.vpc.private.values()), SecurityGroupIds=[made.vpc.group])[
        "VpcLinkId"
    ]
    listener = client("elbv2").describe_listeners(LoadBalancerArn=made.balancer)["Listeners"][0]["ListenerArn"]
    api = http.create_api(Name=f"{API}-http", ProtocolType="HTTP")["ApiId"]
    integration = http.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri=listener,
        ConnectionType="VPC_LINK",
        ConnectionId=link,
        PayloadFormatVersion="1.0",
    )["IntegrationId"]
    http.create_route(ApiId=api, RouteKey="ANY /{proxy+}", Target=f"integrations/{integration}")
    http.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    CLOCK.advance(OPERATION_SECONDS)
    SETTINGS.states[link] = "INACTIVE"


def _happen_api_wrong(client: Client) -> None:
    """A REST API that asks the NLB by the NLB's own name, and hands on no path."""
    rest: APIGatewayClient = client("apigateway")
    balancer = balancer_named(client, API)
    name = client("elbv2").describe_load_balancers(Names=[API])["LoadBalancers"][0]["DNSName"]
    with calling_as("cloudformation"):
        link = vpc_link(client, API, balancer)
        api = rest.create_rest_api(name=API)["id"]
        proxy = proxy_resource(client, api)
        rest.put_method(restApiId=api, resourceId=proxy, httpMethod="ANY", authorizationType="NONE")
        rest.put_integration(
            restApiId=api,
            resourceId=proxy,
            httpMethod="ANY",
            type="HTTP_PROXY",
            integrationHttpMethod="ANY",
            connectionType="VPC_LINK",
            connectionId=link,
            uri=f"http://{name}/{{proxy}}",
        )
        rest.create_deployment(restApiId=api, stageName="live")


def _later_api_wrong(client: Client) -> None:
    """The REST API is put right; of the HTTP API only the integration is."""
    rest: APIGatewayClient = client("apigateway")
    api = next(one["id"] for one in rest.get_rest_apis()["items"] if one["name"] == API)
    proxy = next(one["id"] for one in rest.get_resources(restApiId=api)["items"] if one["path"] == "/{proxy+}")
    domain = _domain(client)
    with calling_as("cloudformation"):
        rest.update_method(
            restApiId=api,
            resourceId=proxy,
            httpMethod="ANY",
            patchOperations=[
                {"op": "add", "path": "/requestParameters/method.request.path.proxy", "value": "true"},
                {"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"},
            ],
        )
        rest.update_integration(
            restApiId=api,
            resourceId=proxy,
            httpMethod="ANY",
            patchOperations=[
                {"op": "replace", "path": "/uri", "value": f"https://{domain}/{{proxy}}"},
                {
                    "op": "add",
                    "path": "/requestParameters/integration.request.path.proxy",
                    "value": "method.request.path.proxy",
                },
            ],
        )
        rest.create_deployment(restApiId=api, stageName="live")
        rest.update_stage(
            restApiId=api,
            stageName="live",
            patchOperations=[
                {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": LOG_GROUP},
                {"op": "replace", "path": "/accessLogSettings/format", "value": LOG_FORMAT},
                {"op": "replace", "path": "/tracingEnabled", "value": "true"},
            ],
        )
    with calling_as("cli"):
        _mend_http_integration(client, domain)


def _domain(client: Client) -> str:
    apprunner: AppRunnerClient = client("apprunner")
    arn = ingress_named(client, API)
    return apprunner.describe_vpc_ingress_connection(VpcIngressConnectionArn=arn)["VpcIngressConnection"]["DomainName"]


def _mend_http_integration(client: Client, domain: str) -> None:
    http: Any = client("apigatewayv2")
    api = next(one["ApiId"] for one in http.get_apis()["Items"] if one["Name"] == f"{API}-http")
    [integration] = http.get_integrations(ApiId=api)["Items"]
    http.update_integration(
        ApiId=api,
        IntegrationId=integration["IntegrationId"],
        TlsConfig={"ServerNameToVerify": domain},
        RequestParameters={"overwrite:header.Host": domain},
    )


BROKEN_PATHS: Sequence[World] = (
    World(
        name=INGRESS,
        summary="a private service is connected to the endpoint of App Runner's own API; that of another is deleted",
        seed=120,
        build=_build_ingress_broken,
        happen=_happen_ingress_broken,
        later=_later_ingress_broken,
    ),
    World(
        name=ENDPOINT,
        summary="a path moves to an endpoint in one zone that shuts the VPC link out",
        seed=121,
        build=_build_endpoint_wrong,
        happen=_happen_endpoint_wrong,
        later=_later_endpoint_wrong,
        parameters={"SyncWaitMinutes": "5"},
    ),
    World(
        name=GROUP,
        summary="target groups that an endpoint cannot be behind, and guardrails that may only report",
        seed=122,
        build=_build_group_wrong,
        happen=_happen_group_wrong,
        later=_later_group_wrong,
        parameters={"SyncPolicy": "report-only"},
    ),
    World(
        name=BALANCER,
        summary="an internet-facing load balancer that ends TLS, shuts out its VPC link, and lacks a target in a zone",
        seed=123,
        build=_build_balancer_wrong,
        happen=_happen_balancer_wrong,
        later=_later_balancer_wrong,
    ),
    World(
        name=API,
        summary="a REST API that asks for the load balancer's name by HTTP, an HTTP API whose VPC link is inactive",
        seed=124,
        build=_build_api_wrong,
        happen=_happen_api_wrong,
        later=_later_api_wrong,
        parameters={
            "RequireApiAccessLogs": "true",
            "RequireApiTracing": "true",
            "RequireApiAuthorization": "true",
        },
    ),
)
