"""Reading private paths: what is asked in which round, what it comes to, and what becomes of a call that fails."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.aws import ec2, elbv2
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.paths import read_paths
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import (
    Api,
    BalancerZone,
    IngressConnection,
    Integration,
    InterfaceEndpoint,
    Listener,
    LoadBalancer,
    PathBalancer,
    PathEndpoint,
    PathGroup,
    Paths,
    SecurityGroup,
    Service,
    Stage,
    Target,
    TargetGroup,
    Unread,
    VpcLink,
)
from apprunner_guardrails.targets.binding import TAG
from tests.aws import FAULTS, Aws, Fault, Parameters, refused
from tests.bound_groups import (
    BALANCER,
    ENDPOINT,
    ORDERS,
    OTHER_ENDPOINT,
    REQUESTS,
    arn,
    endpoint,
    target_group,
    targets,
)
from tests.private_path import (
    DOMAIN,
    HTTP_API,
    INGRESS,
    LINK,
    LISTENER,
    REST_API,
    SECOND_LINK,
    SERVICE_URL,
    SUBNETS,
    balancer_interface,
    http_api,
    http_integration,
    ingress,
    load_balancer,
    private_path,
    private_service,
    resource,
    rest_stage,
    with_http_api,
)
from tests.samples import ACCOUNT, REGION, SERVICE, VPC, Rows, healthy, tag

ELB = "elasticloadbalancing"


def read(
    rows: Rows,
    faults: Mapping[str, Fault] | None = None,
    services: Mapping[str, Service | Unread] | None = None,
    pages: Mapping[str, int] | None = None,
) -> tuple[Paths, Aws]:
    with Aws(rows, faults, pages) as aws:
        return read_paths(Reads(client), account=ACCOUNT, region=REGION, services=services), aws


# What there is -------------------------------------------------------------------------------------------------------

THE_ENDPOINT = InterfaceEndpoint(
    id=ENDPOINT,
    vpc_id=VPC,
    service=REQUESTS,
    state="available",
    private_dns=False,
    subnet_ids=SUBNETS,
    interface_ids=("eni-a", "eni-b"),
    group_ids=("sg-endpoint",),
    tags={"team": "shop"},
)
THE_INGRESS = IngressConnection(
    arn=INGRESS,
    name="shop",
    service_arn=SERVICE,
    status="AVAILABLE",
    vpc_id=VPC,
    endpoint_id=ENDPOINT,
    domain=DOMAIN,
    endpoint=THE_ENDPOINT,
)
THE_GROUP = PathGroup(
    group=TargetGroup(
        arn=ORDERS,
        name="orders",
        vpc_id=VPC,
        port=443,
        target_type="ip",
        ipv6=False,
        load_balancer_arns=(BALANCER,),
    ),
    endpoint_ids=(ENDPOINT,),
    targets=tuple(
        Target(address=address, port=443, zone=zone, state="healthy")
        for address, zone in (("10.0.1.5", "us-east-1a"), ("10.0.2.5", "us-east-1b"))
    ),
    preserves_client_ip=False,
    crosses_zones=None,
    tags={TAG: ENDPOINT},
)
THE_LINK = VpcLink(id=LINK, name="shop", generation=1, status="AVAILABLE", target_arns=(BALANCER,))
THE_BALANCER = PathBalancer(
    balancer=LoadBalancer(
        arn=BALANCER,
        name="orders",
        vpc_id=VPC,
        internal=True,
        dns_name="orders-0123456789abcdef.elb.us-east-1.amazonaws.com",
        zones=tuple(
            BalancerZone(name=f"us-east-1{letter}", subnet_id=subnet)
            for letter, subnet in zip("ab", SUBNETS, strict=True)
        ),
        group_ids=("sg-balancer",),
        guards_private_link=True,
    ),
    zone_ids={"us-east-1a": "use1-az1", "us-east-1b": "use1-az2"},
    groups=(),
    addresses=("10.0.1.20", "10.0.2.20"),
    crosses_zones=False,
    listeners=(Listener(arn=LISTENER, protocol="TCP", port=443, target_group_arns=(ORDERS,)),),
    target_groups=(THE_GROUP,),
    links=(THE_LINK,),
)
THE_INTEGRATION = Integration(
    where="ANY /{proxy+}",
    kind="HTTP_PROXY",
    uri=f"https://{DOMAIN}/{{proxy}}",
    link_id=LINK,
    declared={"method.request.path.proxy": True},
    mapped={"integration.request.path.proxy": "method.request.path.proxy"},
    authorization="AWS_IAM",
    link=THE_LINK,
    balancer_arn=BALANCER,
    hosts=(DOMAIN, SERVICE_URL),
)
THE_API = Api(
    id=REST_API,
    name="shop",
    kind="REST",
    region=REGION,
    integrations=(THE_INTEGRATION,),
    stages=(Stage(name="live", logged=False, traced=True),),
    path_balancers=(BALANCER,),
    tags={"team": "shop"},
)
THE_SECOND_LINK = VpcLink(
    id=SECOND_LINK,
    name="shop",
    generation=2,
    status="AVAILABLE",
    subnet_ids=SUBNETS,
    group_ids=("sg-link",),
)
THE_HTTP_API = Api(
    id=HTTP_API,
    name="shop",
    kind="HTTP",
    region=REGION,
    integrations=(
        Integration(
            where="$default",
            kind="HTTP_PROXY",
            uri=LISTENER,
            link_id=SECOND_LINK,
            target_arn=LISTENER,
            server_name=DOMAIN,
            mapped={"overwrite:header.Host": DOMAIN},
            link=THE_SECOND_LINK,
            balancer_arn=BALANCER,
            hosts=(DOMAIN, SERVICE_URL),
        ),
    ),
    stages=(Stage(name="$default", logged=False, traced=None),),
    path_balancers=(BALANCER,),
)


def security_group(rows: Rows, name: str) -> SecurityGroup:
    row: Any = next(row for row in rows["SecurityGroups"] if row["GroupId"] == name)
    return ec2.security_group(row)


def whole(balancer: PathBalancer = THE_BALANCER, **changes: Any) -> Paths:
    """The private path, with the groups that its rows have."""
    rows = private_path()
    balancer = replace(
        balancer, groups=(security_group(rows, "sg-balancer"),) if balancer.groups == () else balancer.groups
    )
    paths = Paths(
        ingress={INGRESS: THE_INGRESS},
        endpoints=(
            PathEndpoint(
                endpoint=THE_ENDPOINT,
                account=ACCOUNT,
                region=REGION,
                zone_ids=("use1-az1", "use1-az2"),
                groups=(security_group(rows, "sg-endpoint"),),
                balancers=(balancer,),
            ),
        ),
        groups=if_path_groups(balancer),
        balancers=(balancer,),
        apis=(THE_API,),
        domains={SERVICE: ()},
    )
    return replace(paths, **changes)


def if_path_groups(balancer: PathBalancer) -> tuple[PathGroup, ...]:
    return balancer.target_groups if isinstance(balancer.target_groups, tuple) else (THE_GROUP,)


def with_endpoint(paths: Paths, **changes: Any) -> Paths:
    return replace(paths, endpoints=tuple(replace(one, **changes) for one in paths.endpoints))


def with_integration(paths: Paths, **changes: Any) -> Paths:
    api = replace(THE_API, integrations=(replace(THE_INTEGRATION, **changes),))
    return replace(paths, apis=(api,))


def test_a_private_path_is_read_whole_and_joined() -> None:
    assert read(private_path())[0] == whole()


def test_a_private_path_by_both_kinds_of_apis_is_read_whole() -> None:
    assert read(with_http_api(private_path()))[0] == whole(apis=(THE_HTTP_API, THE_API))


def test_many_pages_come_to_the_same() -> None:
    rows = with_http_api(private_path())
    pages = dict.fromkeys(
        (
            "apigateway:GetResources",
            "apigateway:GetRestApis",
            "apigateway:GetVpcLinks",
            "apigatewayv2:GetApis",
            "apigatewayv2:GetVpcLinks",
            "apprunner:ListVpcIngressConnections",
            f"{ELB}:DescribeListeners",
            f"{ELB}:DescribeTargetGroups",
        ),
        1,
    )
    rows["TargetGroups"].insert(0, target_group("before"))
    rows["RestVpcLinks"].insert(0, {"id": "a0link", "status": "AVAILABLE"})
    rows["RestApis"].insert(0, {"id": "a0", "name": "before"})
    rows["RestResources"].insert(0, {"restApiId": REST_API, "id": "root", "path": "/"})
    rows["HttpApis"].insert(0, http_api("a0"))
    rows["HttpVpcLinks"].insert(0, {**rows["HttpVpcLinks"][0], "VpcLinkId": "b0link"})
    rows["VpcIngressConnections"].insert(0, ingress(VpcIngressConnectionArn=f"{INGRESS}0", Status="DELETED"))
    rows["Listeners"].append({**rows["Listeners"][0], "ListenerArn": f"{LISTENER}0", "Port": 80, "DefaultActions": []})
    balancer = replace(
        THE_BALANCER,
        listeners=(
            Listener(arn=f"{LISTENER}0", protocol="TCP", port=80, target_group_arns=()),
            Listener(arn=LISTENER, protocol="TCP", port=443, target_group_arns=(ORDERS,)),
        ),
    )
    assert read(rows, pages=pages)[0] == whole(balancer, apis=(THE_HTTP_API, THE_API))


# What it takes -------------------------------------------------------------------------------------------------------

LISTS = ["apprunner:ListVpcIngressConnections", "ec2:DescribeVpcEndpoints"]


def test_a_region_without_private_paths_takes_two_calls() -> None:
    paths, aws = read(healthy())
    assert (paths, aws.rounds) == (Paths(), [LISTS])


def test_a_path_takes_twenty_two_calls_in_eight_rounds() -> None:
    """Ten threads send what is asked for at once; two rounds are what the tenth one leaves over."""
    _, aws = read(private_path())
    assert aws.rounds == [
        LISTS,
        [
            "apigateway:GetVpcLinks",
            "apigatewayv2:GetVpcLinks",
            "apprunner:DescribeVpcIngressConnection",
            "ec2:DescribeNetworkInterfaces",
            f"{ELB}:DescribeTargetGroups",
        ],
        ["apigateway:GetRestApis", "apprunner:DescribeService", f"{ELB}:DescribeTags", f"{ELB}:DescribeTargetHealth"],
        [
            "apigateway:GetResources",
            "apprunner:DescribeCustomDomains",
            "ec2:DescribeNetworkInterfaces",
            f"{ELB}:DescribeListeners",
            f"{ELB}:DescribeLoadBalancerAttributes",
            f"{ELB}:DescribeLoadBalancers",
            f"{ELB}:DescribeTags",
            f"{ELB}:DescribeTargetGroupAttributes",
        ],
        ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"],
        ["apigateway:GetStages"],
    ]
