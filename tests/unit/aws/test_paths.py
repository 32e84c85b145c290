"""Reading private paths: what is asked in which round, what it comes to, and what becomes of a call that fails."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from apprunner_guardrails.aws import elbv2
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.paths import read_paths
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.facts import (
    NOT_ASKED,
    Api,
    BalancerZone,
    GroupRule,
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
    known,
    unread_network,
)
from apprunner_guardrails.findings import Status
from apprunner_guardrails.rules import by_id
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.binding import TAG
from tests.aws import FAULTS, Aws, Fault, Parameters, refused
from tests.bound_groups import (
    BALANCER,
    ENDPOINT,
    ORDERS,
    OTHER_ENDPOINT,
    REQUESTS,
    arn,
    target_group,
    targets,
)
from tests.private_path import (
    DOMAIN,
    HTTP_API,
    INGRESS,
    LINK,
    LISTENER,
    OTHER_LISTENER,
    REST_API,
    SECOND_LINK,
    SERVICE_URL,
    SUBNETS,
    balancer_interface,
    http_api,
    http_integration,
    ingress,
    load_balancer,
    one_balancer_for_two,
    other,
    private_path,
    private_service,
    renamed,
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


def group_fact(name: str, admitted: str) -> SecurityGroup:
    rule = GroupRule(protocol="tcp", peers=(admitted,), from_port=443, to_port=443)
    return SecurityGroup(id=f"sg-{name}", name=name, vpc_id=VPC, ingress=(rule,), egress=())


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
    groups=(group_fact("balancer", "0.0.0.0/0"),),
    addresses=("10.0.1.20", "10.0.2.20"),
    crosses_zones=False,
    listeners=(Listener(arn=LISTENER, protocol="TCP", port=443, target_group_arns=(ORDERS,)),),
    target_groups=(THE_GROUP,),
    links=(THE_LINK,),
)
THE_INTEGRATION = Integration(
    where="ANY /{proxy+}",
    id="res1",
    kind="HTTP_PROXY",
    uri=f"https://{DOMAIN}/{{proxy}}",
    link_id=LINK,
    declared={"method.request.path.proxy": True},
    mapped={"integration.request.path.proxy": "method.request.path.proxy"},
    authorization="AWS_IAM",
    link=THE_LINK,
    balancer_arn=BALANCER,
    endpoints={443: (ENDPOINT,)},
    port=443,
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
            id="i1",
            kind="HTTP_PROXY",
            uri=LISTENER,
            link_id=SECOND_LINK,
            target_arn=LISTENER,
            server_name=DOMAIN,
            mapped={"overwrite:header.Host": DOMAIN},
            link=THE_SECOND_LINK,
            balancer_arn=BALANCER,
            endpoints={443: (ENDPOINT,)},
            port=443,
            hosts=(DOMAIN, SERVICE_URL),
        ),
    ),
    stages=(Stage(name="$default", logged=False, traced=None),),
    path_balancers=(BALANCER,),
)


WHOLE = Paths(
    ingress={INGRESS: THE_INGRESS},
    endpoints=(
        PathEndpoint(
            endpoint=THE_ENDPOINT,
            account=ACCOUNT,
            region=REGION,
            zone_ids=("use1-az1", "use1-az2"),
            groups=(group_fact("endpoint", "10.0.0.0/16"),),
            balancers=(THE_BALANCER,),
        ),
    ),
    groups=(THE_GROUP,),
    balancers=(THE_BALANCER,),
    apis=(THE_API,),
    domains={SERVICE: ()},
)


def with_balancer(**changes: Any) -> Paths:
    """The whole, with another load balancer wherever it stands."""
    balancer = replace(THE_BALANCER, **changes)
    paths = with_endpoint(balancers=(balancer,))
    return replace(paths, balancers=(balancer,))


def with_group(**changes: Any) -> Paths:
    """The same of the target group."""
    group = replace(THE_GROUP, **changes)
    return replace(with_balancer(target_groups=(group,)), groups=(group,))


def with_endpoint(**changes: Any) -> Paths:
    return replace(WHOLE, endpoints=tuple(replace(one, **changes) for one in WHOLE.endpoints))


def with_api(**changes: Any) -> tuple[Api, ...]:
    return (replace(THE_API, **changes),)


def with_integration(**changes: Any) -> tuple[Integration, ...]:
    return (replace(THE_INTEGRATION, **changes),)


def test_a_private_path_is_read_whole_and_joined() -> None:
    assert read(private_path())[0] == WHOLE


def test_a_private_path_by_both_kinds_of_apis_is_read_whole() -> None:
    assert read(with_http_api(private_path()))[0] == replace(WHOLE, apis=(THE_HTTP_API, THE_API))


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
    first = Listener(arn=f"{LISTENER}0", protocol="TCP", port=80, target_group_arns=())
    expected = with_balancer(listeners=(first, *known(THE_BALANCER.listeners)))
    behind = {80: (), 443: (ENDPOINT,)}
    apis = tuple(
        replace(api, integrations=tuple(replace(one, endpoints=behind) for one in known(api.integrations)))
        for api in (THE_HTTP_API, THE_API)
    )
    assert read(rows, pages=pages)[0] == replace(expected, apis=apis)


# What it takes -------------------------------------------------------------------------------------------------------

LISTS = ["apprunner:ListVpcIngressConnections", "ec2:DescribeVpcEndpoints"]


def test_a_region_without_private_paths_takes_two_calls() -> None:
    paths, aws = read(healthy())
    assert (paths, aws.rounds) == (Paths(), [LISTS])


def test_a_path_takes_twenty_two_calls_in_six_rounds() -> None:
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


def test_the_same_by_an_http_api_takes_four_calls_more() -> None:
    one, both = read(private_path())[1], read(with_http_api(private_path()))[1]
    assert sorted(set(both.actions) - set(one.actions)) == [
        "apigatewayv2:GetApis",
        "apigatewayv2:GetIntegrations",
        "apigatewayv2:GetRoutes",
        "apigatewayv2:GetStages",
    ]
    assert len(both.actions) == len(one.actions) + 4


def paths_of(count: int) -> Rows:
    """So many paths like the one, each with an API, an NLB, an endpoint and a service of its own."""
    rows = private_path()
    shared = {"AvailabilityZones", "SecurityGroups", "Subnets"}
    own = {name: list(some) for name, some in rows.items() if name not in shared}
    balancer = BALANCER.partition(":loadbalancer/")[2]

    def another(text: str, number: int) -> str:
        text = text.replace("10.0.1.5", f"10.0.1.{100 + number}").replace("10.0.2.5", f"10.0.2.{100 + number}")
        for name in (ENDPOINT, INGRESS, SERVICE, balancer, ORDERS, LINK, REST_API, "eni-", DOMAIN):
            text = text.replace(name, f"{name}{number:02}")
        return text

    for number in range(1, count):
        for name, some in renamed(own, partial(another, number=number)).items():
            rows[name] += some
    return rows


@pytest.mark.parametrize("count", [1, 5, 20])
def test_each_path_more_takes_nine_calls(count: int) -> None:
    paths, aws = read(paths_of(count))
    assert [len(some) for some in (paths.endpoints, paths.groups, paths.balancers, paths.apis)] == [count] * 4
    assert len(aws.calls) == 13 + 9 * count


def test_nothing_is_asked_twice() -> None:
    _, aws = read(with_http_api(paths_of(5)))
    asked = [(one.action, json.dumps(one.parameters, sort_keys=True)) for one in aws.calls]
    assert len(set(asked)) == len(asked)


# Calls that fail -----------------------------------------------------------------------------------------------------


def failed(action: str) -> Unread:
    return Unread(call=action, code="AccessDenied")


def without_groups(why: Unread) -> Paths:
    apis = with_api(integrations=with_integration(endpoints=why, hosts=why), path_balancers=why)
    return replace(with_endpoint(balancers=why), groups=(), balancers=(), apis=apis, unlisted=(why,))


def without_names(why: Unread, **changes: Any) -> Paths:
    return replace(WHOLE, apis=with_api(integrations=with_integration(hosts=why)), **changes)


# What is left of the whole where a call fails, whatever it is asked.
FAILED: Mapping[str, Callable[[Unread], Paths]] = {
    "apprunner:ListVpcIngressConnections": lambda why: without_names(why, ingress={}, domains={}, unlisted=(why,)),
    "apprunner:DescribeVpcIngressConnection": lambda why: without_names(why, ingress={INGRESS: why}, domains={}),
    "apprunner:DescribeService": lambda why: without_names(why, domains={SERVICE: why}, unlisted=(why,)),
    "apprunner:DescribeCustomDomains": lambda why: without_names(why, domains={SERVICE: why}, unlisted=(why,)),
    "ec2:DescribeVpcEndpoints": lambda why: replace(
        WHOLE, ingress={INGRESS: replace(THE_INGRESS, endpoint=why)}, endpoints=(), unlisted=(why,)
    ),
    "ec2:DescribeNetworkInterfaces": lambda why: with_balancer(addresses=why),
    "ec2:DescribeSubnets": lambda why: replace(
        with_balancer(zone_ids=why),
        endpoints=tuple(replace(one, zone_ids=why) for one in with_balancer(zone_ids=why).endpoints),
    ),
    "ec2:DescribeSecurityGroups": lambda why: replace(
        with_balancer(groups=why),
        endpoints=tuple(replace(one, groups=why) for one in with_balancer(groups=why).endpoints),
    ),
    f"{ELB}:DescribeTargetGroups": without_groups,
    f"{ELB}:DescribeTags": lambda why: replace(
        with_balancer(tags=why, target_groups=(replace(THE_GROUP, tags=why),)), groups=(replace(THE_GROUP, tags=why),)
    ),
    f"{ELB}:DescribeTargetHealth": lambda why: with_group(targets=why),
    f"{ELB}:DescribeTargetGroupAttributes": lambda why: with_group(preserves_client_ip=why, crosses_zones=why),
    f"{ELB}:DescribeLoadBalancers": lambda why: replace(with_endpoint(balancers=why), balancers=(), unlisted=(why,)),
    f"{ELB}:DescribeLoadBalancerAttributes": lambda why: with_balancer(crosses_zones=why),
    f"{ELB}:DescribeListeners": lambda why: replace(
        with_balancer(listeners=why), apis=with_api(integrations=with_integration(endpoints=why, hosts=why))
    ),
    "apigateway:GetVpcLinks": lambda why: replace(with_balancer(links=why), apis=(), unlisted=(why,)),
    "apigatewayv2:GetVpcLinks": lambda why: replace(WHOLE, unlisted=(why,)),
    "apigateway:GetRestApis": lambda why: replace(WHOLE, apis=(), unlisted=(why,)),
    "apigateway:GetResources": lambda why: replace(WHOLE, apis=with_api(integrations=why, stages=why)),
    "apigateway:GetStages": lambda why: replace(WHOLE, apis=with_api(stages=why)),
}


@pytest.mark.parametrize("action", FAILED)
def test_a_call_that_fails_leaves_its_facts_unread_and_no_others(action: str) -> None:
    paths, _ = read(private_path(), {action: refused("AccessDenied", 403)})
    assert paths == FAILED[action](failed(action))


def test_every_call_is_seen_to_fail() -> None:
    assert set(read(private_path())[1].actions) == set(FAILED)


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("apigatewayv2:GetVpcLinks", lambda why: replace(WHOLE, unlisted=(why,))),
        ("apigatewayv2:GetApis", lambda why: replace(WHOLE, unlisted=(why,))),
        ("apigatewayv2:GetIntegrations", lambda why: with_http_changed(integrations=why, stages=why)),
        ("apigatewayv2:GetRoutes", lambda why: with_http_changed(integrations=why, stages=why)),
        ("apigatewayv2:GetStages", lambda why: with_http_changed(stages=why)),
    ],
)
def test_a_call_about_an_http_api_that_fails_leaves_its_facts_unread(
    action: str, left: Callable[[Unread], Paths]
) -> None:
    paths, _ = read(with_http_api(private_path()), {action: refused("AccessDenied", 403)})
    assert paths == left(failed(action))


def with_http_changed(**changes: Any) -> Paths:
    return replace(WHOLE, apis=(replace(THE_HTTP_API, **changes), THE_API))


@pytest.mark.parametrize("fault", FAULTS)
def test_however_both_lists_fail_nothing_more_is_asked(fault: str) -> None:
    paths, aws = read(private_path(), dict.fromkeys(LISTS, FAULTS[fault]))
    assert (paths, aws.actions) == (
        Paths(unlisted=tuple(Unread(call=action, code=FAULTS[fault].code) for action in LISTS)),
        LISTS,
    )


# Endpoints and ingress connections -----------------------------------------------------------------------------------


def test_an_endpoint_that_only_an_ingress_connection_names_is_none_if_two_reads_tell_so() -> None:
    rows = private_path()
    rows["VpcIngressConnections"] = [ingress(IngressVpcConfiguration={"VpcId": VPC, "VpcEndpointId": OTHER_ENDPOINT})]
    paths, aws = read(rows)
    lost = replace(THE_INGRESS, endpoint_id=OTHER_ENDPOINT, endpoint=None)
    assert paths == replace(WHOLE, ingress={INGRESS: lost}, apis=with_api(integrations=with_integration(hosts=())))
    asked = [one for one in aws.sent("ec2:DescribeVpcEndpoints") if OTHER_ENDPOINT in str(one)]
    assert asked == [
        {"Filters": [{"Name": "vpc-endpoint-id", "Values": [OTHER_ENDPOINT]}]},
        {"VpcEndpointIds": [OTHER_ENDPOINT]},
    ]


def test_an_endpoint_of_which_the_second_read_fails_is_unread() -> None:
    rows = private_path()
    rows["VpcIngressConnections"] = [ingress(IngressVpcConfiguration={"VpcId": VPC, "VpcEndpointId": OTHER_ENDPOINT})]

    def by_id(asked: Parameters) -> bool:
        return "VpcEndpointIds" in asked

    paths, _ = read(rows, {"ec2:DescribeVpcEndpoints": refused("RequestLimitExceeded", 503, by_id)})
    why = Unread(call="ec2:DescribeVpcEndpoints", code="RequestLimitExceeded")
    (found,) = paths.ingress.values()
    assert (found, paths.unlisted) == (replace(THE_INGRESS, endpoint_id=OTHER_ENDPOINT, endpoint=why), (why,))


def test_an_endpoint_of_another_service_is_read_with_its_interfaces_for_the_connection_that_names_it() -> None:
    """The mix-up of App Runner's own API with that of its services: AR502 is to tell it."""
    rows = private_path()
    other = rows["VpcEndpoints"][0] | {"ServiceName": f"com.amazonaws.{REGION}.apprunner"}
    rows["VpcEndpoints"] = [other]
    rows["Tags"] = []
    paths, aws = read(rows)
    mixed_up = replace(THE_ENDPOINT, service=f"com.amazonaws.{REGION}.apprunner")
    group = replace(THE_GROUP, tags={})
    balancer = replace(THE_BALANCER, target_groups=(group,))
    assert paths == replace(
        WHOLE,
        ingress={INGRESS: replace(THE_INGRESS, endpoint=mixed_up)},
        endpoints=(replace(WHOLE.endpoints[0], endpoint=mixed_up, balancers=(balancer,)),),
        groups=(group,),
        balancers=(balancer,),
    )
    assert aws.sent("ec2:DescribeNetworkInterfaces")[0] == {"NetworkInterfaceIds": ["eni-a", "eni-b"]}


@pytest.mark.parametrize("gone", ["deleted", "forgotten"])
def test_an_ingress_connection_that_is_no_more_is_none(gone: str) -> None:
    rows = private_path()
    if gone == "deleted":
        rows["VpcIngressConnections"] = [ingress(Status="DELETED")]
        faults: dict[str, Fault] = {}
    else:
        faults = {"apprunner:DescribeVpcIngressConnection": refused("ResourceNotFoundException")}
    apis = with_api(integrations=with_integration(hosts=()))
    assert read(rows, faults)[0] == replace(WHOLE, ingress={}, domains={}, apis=apis)


# Services ------------------------------------------------------------------------------------------------------------


def test_services_that_were_described_are_not_asked_for_again() -> None:
    described = Service(arn=SERVICE, name="shop", status="RUNNING", connector_arn="", public=False, url=SERVICE_URL)
    paths, aws = read(private_path(), services={SERVICE: described})
    assert (paths, "apprunner:DescribeService" in aws.actions) == (WHOLE, False)


def test_a_service_that_the_audit_could_not_describe_is_not_asked_for_again() -> None:
    why = Unread(call="apprunner:DescribeService", code="Throttling")
    paths, aws = read(private_path(), services={SERVICE: why})
    assert (paths, "apprunner:DescribeService" in aws.actions) == (FAILED["apprunner:DescribeService"](why), False)


def test_a_service_that_is_newer_than_the_audits_list_is_described() -> None:
    paths, aws = read(private_path(), services={})
    assert (paths, aws.sent("apprunner:DescribeService")) == (WHOLE, [{"ServiceArn": SERVICE}])


def test_custom_domains_that_are_active_are_names_of_a_private_service() -> None:
    rows = private_path()
    rows["CustomDomains"] = [
        {"ServiceArn": SERVICE, "DomainName": name, "EnableWWWSubdomain": False, "Status": status}
        for name, status in (("shop.example.com", "ACTIVE"), ("new.example.com", "BINDING_CERTIFICATE"))
    ]
    hosts = (DOMAIN, SERVICE_URL, "shop.example.com")
    assert read(rows)[0] == replace(
        WHOLE,
        domains={SERVICE: ("shop.example.com",)},
        apis=with_api(integrations=with_integration(hosts=hosts)),
    )


def test_a_public_service_is_not_asked_for_custom_domains() -> None:
    rows = private_path()
    rows["Services"] = [private_service() | {"NetworkConfiguration": {}}]
    paths, aws = read(rows)
    assert (paths, "apprunner:DescribeCustomDomains" in aws.actions) == (WHOLE, False)


def test_a_service_that_is_gone_has_no_names() -> None:
    rows = private_path()
    rows["Services"] = []
    apis = with_api(integrations=with_integration(hosts=(DOMAIN,)))
    assert read(rows)[0] == replace(WHOLE, domains={}, apis=apis)


# Target groups and load balancers ------------------------------------------------------------------------------------


def test_a_group_without_a_binding_is_on_a_path_by_its_targets() -> None:
    rows = private_path()
    rows["Tags"] = []
    assert read(rows)[0] == with_group(tags={})


def test_a_group_that_nobody_uses_is_on_a_path_by_its_binding_and_asked_for_its_targets() -> None:
    rows = private_path()
    rows["TargetGroups"] = [target_group(), target_group("spare", LoadBalancerArns=[])]
    rows["Tags"].append(tag(arn("spare"), TAG, ENDPOINT))
    rows["Targets"] += targets("10.0.9.9:443", group=arn("spare"))
    spare = PathGroup(
        group=elbv2.target_group(target_group("spare", LoadBalancerArns=[])),  # type: ignore[arg-type]  # such a row
        endpoint_ids=(ENDPOINT,),
        targets=(Target(address="10.0.9.9", port=443, zone="all", state="healthy"),),
        preserves_client_ip=False,
        crosses_zones=False,
        tags={TAG: ENDPOINT},
    )
    assert read(rows)[0] == replace(WHOLE, groups=(THE_GROUP, spare))


def test_targets_are_asked_for_only_where_they_matter() -> None:
    rows = private_path()
    application = BALANCER.replace("/net/", "/app/")
    rows["TargetGroups"] += [
        target_group("http", Protocol="HTTP"),
        target_group("instances", TargetType="instance"),
        target_group("unused", LoadBalancerArns=[]),
        target_group("gateway", Protocol="GENEVE", LoadBalancerArns=[]),
        target_group("application", LoadBalancerArns=[application]),
    ]
    paths, aws = read(rows)
    assert (paths, aws.sent(f"{ELB}:DescribeTargetHealth")) == (WHOLE, [{"TargetGroupArn": ORDERS}])
    (tagged, _) = aws.sent(f"{ELB}:DescribeTags")
    assert sorted(tagged["ResourceArns"]) == sorted([ORDERS, arn("instances"), arn("unused")])


@pytest.mark.parametrize("operation", ["DescribeTags", "DescribeTargetHealth"])
def test_a_group_that_may_be_on_a_path_leaves_what_hangs_on_it_unread(operation: str) -> None:
    """The other group of the same load balancer: its targets may be an endpoint's, its tags may bind it."""
    rows = private_path()
    rows["TargetGroups"].append(target_group("other"))
    why = Unread(call=f"{ELB}:{operation}", code="Throttling")

    def other(asked: Parameters) -> bool:
        return arn("other") in str(asked)

    paths, _ = read(rows, {f"{ELB}:{operation}": refused("Throttling", when=other)})
    group = replace(THE_GROUP, tags=why) if operation == "DescribeTags" else THE_GROUP  # asked for in one call
    balancer = replace(THE_BALANCER, target_groups=why)
    assert paths == replace(
        with_endpoint(balancers=why),
        groups=(group,),
        balancers=(balancer,),
        unlisted=(why,),
    )


@pytest.mark.parametrize("operation", ["DescribeTags", "DescribeTargetHealth"])
def test_a_group_that_was_deleted_meanwhile_is_none(operation: str) -> None:
    rows = private_path()
    rows["TargetGroups"].append(target_group("other"))

    def other(asked: Parameters) -> bool:
        return asked.get("TargetGroupArn") == arn("other") or arn("other") in asked.get("ResourceArns", ())

    assert read(rows, {f"{ELB}:{operation}": refused(elbv2.NO_GROUP, when=other)})[0] == WHOLE


def test_a_load_balancer_that_was_deleted_meanwhile_is_none() -> None:
    paths, _ = read(private_path(), {f"{ELB}:DescribeLoadBalancers": refused(elbv2.NO_BALANCER)})
    assert paths == replace(with_endpoint(balancers=()), balancers=())


def test_a_load_balancer_of_which_an_interface_is_missing_has_unread_addresses() -> None:
    rows = private_path()
    rows["NetworkInterfaces"] = [one for one in rows["NetworkInterfaces"] if one["NetworkInterfaceId"] != "eni-lb-b"]
    why = f"no interface of load balancer orders in {SUBNETS[1]} is in the answer"
    assert read(rows)[0] == with_balancer(addresses=Unread(call="ec2:DescribeNetworkInterfaces", code=why))


def test_interfaces_of_another_load_balancer_are_not_its_addresses() -> None:
    rows = private_path()
    rows["NetworkInterfaces"].append(balancer_interface("eni-x", SUBNETS[0], "10.0.1.99", f"{BALANCER}0"))
    assert read(rows)[0] == WHOLE


def test_security_groups_that_cannot_be_seen_are_left_out() -> None:
    rows = private_path()
    rows["LoadBalancers"] = [load_balancer(SecurityGroups=["sg-balancer", "sg-of-the-owner"])]
    balancer = replace(THE_BALANCER.balancer, group_ids=("sg-balancer", "sg-of-the-owner"))
    assert read(rows)[0] == with_balancer(balancer=balancer)


LIST_CALL = "ec2:GetManagedPrefixListEntries"


def lists_admitted() -> Rows:
    """The private path, where the endpoint's group admits pl-clients and pl-shared, the load balancer's pl-shared."""
    rows = private_path()
    names = {"sg-endpoint": ("pl-clients", "pl-shared"), "sg-balancer": ("pl-shared",)}
    for row in rows["SecurityGroups"]:
        if row["GroupId"] in names:
            named = [{"PrefixListId": name} for name in names[row["GroupId"]]]
            row["IpPermissions"] = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": named}]
    rows["PrefixLists"] = [
        {"PrefixListId": "pl-clients", "Cidrs": ["10.0.2.0/24", "10.0.1.0/24"]},
        {"PrefixListId": "pl-shared", "Cidrs": ["0.0.0.0/0"]},
    ]
    return rows


def with_lists(clients: tuple[str, ...] | Unread, shared: tuple[str, ...] | Unread) -> Paths:
    def naming(group: SecurityGroup, *names: str) -> SecurityGroup:
        return replace(group, ingress=tuple(replace(one, peers=names) for one in group.ingress))

    group = naming(group_fact("balancer", ""), "pl-shared")
    paths = with_balancer(groups=(group,), prefix_lists={"pl-shared": shared})
    (end,) = paths.endpoints
    end = replace(
        end,
        groups=(naming(group_fact("endpoint", ""), "pl-clients", "pl-shared"),),
        prefix_lists={"pl-clients": clients, "pl-shared": shared},
    )
    return replace(paths, endpoints=(end,))


def test_prefix_lists_that_groups_admit_are_read_once_each_while_stages_are() -> None:
    paths, aws = read(lists_admitted())
    assert paths == with_lists(("10.0.1.0/24", "10.0.2.0/24"), ("0.0.0.0/0",))
    assert aws.rounds == [*read(private_path())[1].rounds[:-1], ["apigateway:GetStages", LIST_CALL, LIST_CALL]]
    asked = sorted(one["PrefixListId"] for one in aws.sent(LIST_CALL))
    assert asked == ["pl-clients", "pl-shared"]


def test_a_prefix_list_of_many_pages_is_read_whole() -> None:
    paths, _ = read(lists_admitted(), pages={LIST_CALL: 1})
    assert paths == with_lists(("10.0.1.0/24", "10.0.2.0/24"), ("0.0.0.0/0",))


def test_a_prefix_list_that_cannot_be_read_is_unread_and_the_other_is_not() -> None:
    def shared(asked: Parameters) -> bool:
        return "pl-shared" in str(asked)

    paths, _ = read(lists_admitted(), {LIST_CALL: refused("AccessDenied", 403, shared)})
    assert paths == with_lists(("10.0.1.0/24", "10.0.2.0/24"), failed(LIST_CALL))


def test_prefix_lists_of_groups_that_cannot_be_read_are_not_asked_for() -> None:
    _, aws = read(lists_admitted(), {"ec2:DescribeSecurityGroups": refused("AccessDenied", 403)})
    assert list(aws.sent(LIST_CALL)) == []


def test_attributes_are_the_groups_own_word() -> None:
    rows = private_path()
    rows["Attributes"] = [
        {"Arn": ORDERS, "Key": elbv2.CROSS_ZONE, "Value": "true"},
        {"Arn": ORDERS, "Key": elbv2.CLIENT_IP, "Value": "true"},
        {"Arn": BALANCER, "Key": elbv2.CROSS_ZONE, "Value": "true"},
    ]
    group = replace(THE_GROUP, preserves_client_ip=True, crosses_zones=True)
    expected = replace(with_balancer(target_groups=(group,), crosses_zones=True), groups=(group,))
    assert read(rows)[0] == expected


# APIs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("links", "lists"),
    [
        ((), []),
        (("RestVpcLinks",), ["apigateway:GetRestApis"]),
        (("HttpVpcLinks",), ["apigateway:GetRestApis", "apigatewayv2:GetApis"]),
        (("RestVpcLinks", "HttpVpcLinks"), ["apigateway:GetRestApis", "apigatewayv2:GetApis"]),
    ],
    ids=["no link", "the first generation", "the second generation", "both"],
)
def test_apis_are_read_where_there_are_links_that_they_can_use(links: tuple[str, ...], lists: list[str]) -> None:
    rows = with_http_api(private_path())
    for member in {"RestVpcLinks", "HttpVpcLinks"} - set(links):
        rows[member] = []
    _, aws = read(rows)
    assert sorted(action for action in aws.actions if action.endswith("Apis")) == lists


def test_only_apis_that_may_lead_to_a_service_are_asked_for_stages() -> None:
    rows = with_http_api(private_path())
    rows["RestApis"].append({"id": "other", "name": "other"})
    rows["RestResources"].append({**resource("https://example.com", connectionType="INTERNET"), "restApiId": "other"})
    rows["HttpApis"] += [http_api("idle"), http_api("socket", "WEBSOCKET")]
    paths, aws = read(rows)
    assert paths == replace(WHOLE, apis=(THE_HTTP_API, THE_API))
    assert list(aws.sent("apigateway:GetStages")) == [{"restApiId": REST_API}]
    assert list(aws.sent("apigatewayv2:GetStages")) == [{"ApiId": HTTP_API}]
    assert [one["ApiId"] for one in aws.sent("apigatewayv2:GetRoutes")] == [HTTP_API, "idle"]


def test_an_integration_whose_link_and_host_are_told_by_stages_is_one_for_each() -> None:
    rows = private_path()
    rows["RestResources"] = [resource("https://${stageVariables.host}/{proxy}", "${stageVariables.link}")]
    rows["RestStages"] = [
        rest_stage("live", host=DOMAIN, link=LINK),
        rest_stage("test", host="test.example.com", link=LINK),
    ]
    test = replace(THE_INTEGRATION, where="ANY /{proxy+} (stage test)", uri="https://test.example.com/{proxy}")
    stages = tuple(
        Stage(name=name, logged=False, traced=True, variables={"host": host, "link": LINK})
        for name, host in (("live", DOMAIN), ("test", "test.example.com"))
    )
    assert read(rows)[0] == replace(
        WHOLE,
        apis=with_api(integrations=(replace(THE_INTEGRATION, where="ANY /{proxy+} (stage live)"), test), stages=stages),
    )


def test_a_link_that_stages_tell_is_unread_with_them() -> None:
    rows = private_path()
    rows["RestResources"] = [resource(link="${stageVariables.link}")]
    why = failed("apigateway:GetStages")
    unknown = replace(
        THE_INTEGRATION,
        link_id="${stageVariables.link}",
        port=None,
        link=why,
        balancer_arn=why,
        endpoints=why,
        hosts=why,
    )
    paths, _ = read(rows, {"apigateway:GetStages": refused("AccessDenied", 403)})
    assert paths == replace(WHOLE, apis=with_api(integrations=(unknown,), stages=why))


def test_a_rest_api_through_a_link_of_the_second_generation_names_the_listener_itself() -> None:
    rows = with_http_api(private_path())
    rows["RestVpcLinks"], rows["HttpApis"] = [], []
    rows["RestResources"] = [resource(link=SECOND_LINK, integrationTarget=LISTENER)]
    integration = replace(THE_INTEGRATION, link_id=SECOND_LINK, target_arn=LISTENER, link=THE_SECOND_LINK)
    paths, _ = read(rows)
    assert paths == replace(with_balancer(links=()), apis=with_api(integrations=(integration,)))


# Of an NLB that two services share: the first is behind its port 443, the other behind 8443.
OTHER_DOMAIN = other(DOMAIN)
BY_SECOND_LINK = {"link": SECOND_LINK, "integrationTarget": BALANCER}
BY_LISTENER = {"link": SECOND_LINK, "integrationTarget": OTHER_LISTENER}


def failing(rows: Rows) -> set[str]:
    """What fails of the rules that ask where the one API leads."""
    (api,) = read(rows)[0].apis
    rules = tuple(by_id()[name] for name in ("AR601", "AR602", "AR604"))
    network, settings = unread_network(ACCOUNT, REGION, NOT_ASKED), Settings(alert_topic_arn="", findings_table="")
    findings = evaluate(rules, api.arn, api, network, settings)
    assert {one.status for one in findings} <= {Status.PASS, Status.FAIL}
    return {one.rule for one in findings if one.status is Status.FAIL}


@pytest.mark.parametrize(
    ("uri", "link", "expected"),
    [
        (f"https://{DOMAIN}/{{proxy}}", {}, set()),
        (f"https://{OTHER_DOMAIN}:8443/{{proxy}}", {}, set()),
        (f"https://{OTHER_DOMAIN}/{{proxy}}", {}, {"AR601"}),
        (f"https://{DOMAIN}:8443/{{proxy}}", {}, {"AR601"}),
        (f"https://{DOMAIN}:9443/{{proxy}}", {}, {"AR602"}),
        (f"https://{OTHER_DOMAIN}:8443/{{proxy}}", BY_SECOND_LINK, set()),
        (f"https://{OTHER_DOMAIN}/{{proxy}}", BY_SECOND_LINK, {"AR601"}),
        (f"https://{OTHER_DOMAIN}/{{proxy}}", BY_LISTENER, set()),
        (f"https://{DOMAIN}/{{proxy}}", BY_LISTENER, {"AR601"}),
    ],
)
def test_a_rest_api_comes_to_the_listener_of_its_port_or_to_the_one_that_it_names(
    uri: str, link: dict[str, str], expected: set[str]
) -> None:
    rows = with_http_api(one_balancer_for_two())
    rows["HttpApis"] = []
    rows["RestResources"] = [resource(uri, **link)]
    assert failing(rows) == expected


def test_a_port_without_a_listener_fails_though_the_load_balancer_has_others() -> None:
    rows = private_path()
    rows["Listeners"] = [{**rows["Listeners"][0], "Port": 8443}]
    assert failing(rows) == {"AR602"}
    rows["RestResources"] = [resource(f"https://{DOMAIN}:8443/{{proxy}}")]
    assert failing(rows) == set()


@pytest.mark.parametrize(
    ("listener", "host", "expected"),
    [
        (LISTENER, DOMAIN, set()),
        (OTHER_LISTENER, OTHER_DOMAIN, set()),
        (LISTENER, OTHER_DOMAIN, {"AR601"}),
        (OTHER_LISTENER, DOMAIN, {"AR601"}),
        (f"{LISTENER}0", DOMAIN, {"AR604"}),
        (LISTENER.replace("/net/", "/app/"), DOMAIN, set()),
    ],
    ids=[
        "its own",
        "the other",
        "the other's host",
        "its host, at the other",
        "none",
        "an Application Load Balancer's",
    ],
)
def test_an_http_api_comes_to_the_listener_that_it_names(listener: str, host: str, expected: set[str]) -> None:
    rows = with_http_api(one_balancer_for_two())
    rows["RestVpcLinks"], rows["RestApis"] = [], []
    mapped = {"overwrite:header.Host": host}
    rows["HttpIntegrations"] = [
        http_integration(listener, RequestParameters=mapped, TlsConfig={"ServerNameToVerify": host})
    ]
    assert failing(rows) == expected


def test_a_link_to_another_load_balancer_counts_where_the_service_is_asked_for_by_name() -> None:
    """AR604 is to tell it: what is behind that load balancer is nobody's endpoint."""
    rows = private_path()
    other = f"{BALANCER}0"
    rows["RestVpcLinks"] = [{"id": LINK, "name": "shop", "targetArns": [other], "status": "AVAILABLE"}]
    link = replace(THE_LINK, target_arns=(other,))
    integration = replace(THE_INTEGRATION, link=link, balancer_arn=other, endpoints=None, hosts=())
    assert read(rows)[0] == replace(with_balancer(links=()), apis=with_api(integrations=(integration,)))


def test_an_api_that_leads_elsewhere_is_none_of_ours() -> None:
    rows = with_http_api(private_path())
    other = f"{BALANCER}0"
    rows["RestVpcLinks"].append({"id": "c3link", "name": "other", "targetArns": [other], "status": "AVAILABLE"})
    rows["RestApis"].append({"id": "other", "name": "other"})
    rows["RestResources"].append({**resource("https://example.com", "c3link"), "restApiId": "other"})
    rows["HttpIntegrations"] = [
        http_integration(LISTENER.replace("/net/", "/app/"), RequestParameters={}, TlsConfig={})
    ]
    assert read(rows)[0] == WHOLE
