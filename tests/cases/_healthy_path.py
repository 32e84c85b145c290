"""The rest of what is judged without a fault: a fleet of connectors, a private service, and the path that leads to it.

The path of orders: REST API → VPC link → internal NLB → interface endpoint → ingress connection → service, in the zones
use1-az1, use1-az2 and use1-az4 of us-east-1. Ids end in the number of their zone.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from apprunner_guardrails.facts import (
    Api,
    BalancerZone,
    Connector,
    Fleet,
    GroupRule,
    IngressConnection,
    Integration,
    InterfaceEndpoint,
    Listener,
    LoadBalancer,
    ManagedInterface,
    PathBalancer,
    PathEndpoint,
    PathGroup,
    SecurityGroup,
    Service,
    Stage,
    Target,
    TargetGroup,
    Unread,
    VpcLink,
    known,
)
from tests.cases import Change, Snapshot

_ACCOUNT, _REGION, _VPC = "111122223333", "us-east-1", "vpc-1"
_HEX = "0123456789abcdef0123456789abcdef"
_APP_RUNNER = f"arn:aws:apprunner:{_REGION}:{_ACCOUNT}"
_ELB = f"arn:aws:elasticloadbalancing:{_REGION}:{_ACCOUNT}"

CONNECTOR_ARN = f"{_APP_RUNNER}:vpcconnector/orders/1/{_HEX}"
SERVICE_ARN = f"{_APP_RUNNER}:service/orders/{_HEX}"
INGRESS_ARN = f"{_APP_RUNNER}:vpcingressconnection/orders/{_HEX}"
BALANCER_ARN = f"{_ELB}:loadbalancer/net/orders/50dc6c495c0c9188"
LISTENER_ARN = f"{_ELB}:listener/net/orders/50dc6c495c0c9188/f2f7dc8efc522ab2"
GROUP_ARN = f"{_ELB}:targetgroup/orders/6d0ecf831eec9f09"
ENDPOINT_ID = "vpce-0a1b2c3d4e5f60718"
DOMAIN = f"psbqam834h.{_REGION}.awsapprunner.com"
SERVICE_URL = f"orders.{_REGION}.awsapprunner.com"
ZONES = {f"{_REGION}d": "use1-az1", f"{_REGION}b": "use1-az2", f"{_REGION}a": "use1-az4"}
_NUMBERS = (1, 2, 4)

DATABASE_GROUP = SecurityGroup(
    id="sg-database",
    name="database",
    vpc_id=_VPC,
    ingress=(GroupRule(protocol="tcp", peers=("sg-app",), from_port=5432, to_port=5432),),
    egress=(),
)
ENDPOINT_GROUP = SecurityGroup(
    id="sg-endpoint",
    name="endpoint",
    vpc_id=_VPC,
    ingress=(GroupRule(protocol="tcp", peers=("sg-balancer",), from_port=443, to_port=443),),
    egress=(),
)
BALANCER_GROUP = SecurityGroup(
    id="sg-balancer",
    name="balancer",
    vpc_id=_VPC,
    ingress=(GroupRule(protocol="tcp", peers=("0.0.0.0/0",), from_port=443, to_port=443),),
    egress=(GroupRule(protocol="tcp", peers=("sg-endpoint",), from_port=443, to_port=443),),
)

CONNECTOR = Connector(
    arn=CONNECTOR_ARN,
    name="orders",
    status="ACTIVE",
    subnet_ids=tuple(f"subnet-private-{number}" for number in _NUMBERS),
    security_group_ids=("sg-app",),
    created="2026-11-01T08:00:00Z",
)
OTHER_CONNECTOR = Connector(
    arn=CONNECTOR_ARN.replace("/orders/", "/billing/"),
    name="billing",
    status="ACTIVE",
    subnet_ids=CONNECTOR.subnet_ids,
    security_group_ids=("sg-billing",),
    created="2026-10-01T08:00:00Z",
)
INTERFACE = ManagedInterface(
    id="eni-managed-1",
    account=_ACCOUNT,
    region=_REGION,
    vpc_id=_VPC,
    subnet_id="subnet-private-1",
    group_ids=("sg-app",),
    public_address="",
    connectors=(CONNECTOR, OTHER_CONNECTOR),
)

_INGRESS = IngressConnection(
    arn=INGRESS_ARN,
    name="orders",
    service_arn=SERVICE_ARN,
    status="AVAILABLE",
    vpc_id=_VPC,
    endpoint_id=ENDPOINT_ID,
    domain=DOMAIN,
)
SERVICE = Service(
    arn=SERVICE_ARN,
    name="orders",
    status="RUNNING",
    connector_arn=CONNECTOR_ARN,
    public=False,
    url=SERVICE_URL,
    address_type="IPV4",
    observable=True,
    unhealthy_threshold=5,
    tags={"team": "orders"},
    connector=CONNECTOR,
    ingress=(_INGRESS,),
)
FLEET = Fleet(
    connectors=(CONNECTOR, OTHER_CONNECTOR),
    services={
        SERVICE_ARN: SERVICE,
        SERVICE_ARN.replace("/orders/", "/billing/"): replace(
            SERVICE,
            arn=SERVICE_ARN.replace("/orders/", "/billing/"),
            name="billing",
            connector_arn=OTHER_CONNECTOR.arn,
            connector=OTHER_CONNECTOR,
            public=True,
            ingress=(),
        ),
    },
    quota=10,
    read_at="2026-11-21T07:00:00Z",
)

_ENDPOINT = InterfaceEndpoint(
    id=ENDPOINT_ID,
    vpc_id=_VPC,
    service=f"com.amazonaws.{_REGION}.apprunner.requests",
    state="available",
    private_dns=False,
    subnet_ids=tuple(f"subnet-private-{number}" for number in _NUMBERS),
    interface_ids=tuple(f"eni-{number}" for number in _NUMBERS),
    group_ids=("sg-endpoint",),
)
INGRESS = replace(_INGRESS, endpoint=_ENDPOINT)

GROUP = PathGroup(
    group=TargetGroup(
        arn=GROUP_ARN,
        name="orders",
        vpc_id=_VPC,
        port=443,
        target_type="ip",
        ipv6=False,
        load_balancer_arns=(BALANCER_ARN,),
        protocol="TCP",
        health_check_protocol="TCP",
    ),
    endpoint_ids=(ENDPOINT_ID,),
    targets=tuple(
        Target(address=f"10.0.{number}.10", port=443, zone=name, state="healthy")
        for name, number in zip(ZONES, _NUMBERS, strict=True)
    ),
    preserves_client_ip=False,
    crosses_zones=None,
    tags={"apprunner-guardrails:endpoint": ENDPOINT_ID},
)
LINK = VpcLink(id="abc123", name="orders", generation=1, status="AVAILABLE", target_arns=(BALANCER_ARN,))
SECOND_LINK = VpcLink(
    id="vl2abc",
    name="orders",
    generation=2,
    status="AVAILABLE",
    subnet_ids=tuple(f"subnet-private-{number}" for number in _NUMBERS),
    group_ids=("sg-link",),
)
BALANCER = PathBalancer(
    balancer=LoadBalancer(
        arn=BALANCER_ARN,
        name="orders",
        vpc_id=_VPC,
        internal=True,
        dns_name=f"orders-50dc6c495c0c9188.elb.{_REGION}.amazonaws.com",
        zones=tuple(
            BalancerZone(name=name, subnet_id=f"subnet-private-{number}")
            for name, number in zip(ZONES, _NUMBERS, strict=True)
        ),
        group_ids=("sg-balancer",),
        guards_private_link=True,
    ),
    zone_ids=ZONES,
    groups=(BALANCER_GROUP,),
    addresses=tuple(f"10.0.{number}.20" for number in _NUMBERS),
    crosses_zones=False,
    listeners=(
        Listener(
            arn=LISTENER_ARN,
            protocol="TCP",
            port=443,
            target_group_arns=(GROUP_ARN,),
        ),
    ),
    target_groups=(GROUP,),
    links=(LINK,),
)
ENDPOINT = PathEndpoint(
    endpoint=_ENDPOINT,
    account=_ACCOUNT,
    region=_REGION,
    zone_ids=tuple(sorted(ZONES.values())),
    groups=(ENDPOINT_GROUP,),
    balancers=(BALANCER,),
)
INTEGRATION = Integration(
    where="ANY /{proxy+}",
    kind="HTTP_PROXY",
    uri=f"https://{DOMAIN}/{{proxy}}",
    link_id=LINK.id,
    declared={"method.request.path.proxy": True},
    mapped={"integration.request.path.proxy": "method.request.path.proxy"},
    authorization="AWS_IAM",
    link=LINK,
    balancer_arn=BALANCER_ARN,
    endpoints={443: (ENDPOINT_ID,)},
    port=443,
    hosts=tuple(sorted((DOMAIN, SERVICE_URL))),
)
API = Api(
    id="a1b2c3d4e5",
    name="orders",
    kind="REST",
    region=_REGION,
    integrations=(INTEGRATION,),
    stages=(Stage(name="live", logged=True, traced=True),),
    path_balancers=(BALANCER_ARN,),
)


# Changes: what fields of a part are to be.


def fleet_has(**fields: Any) -> Change:
    """Connectors, services, quota or time of the fleet."""

    def change(snapshot: Snapshot) -> Snapshot:
        return replace(
            snapshot, network=replace(snapshot.network, fleet=replace(known(snapshot.network.fleet), **fields))
        )

    return change


def _set(kind: str) -> Callable[..., Change]:
    def make(**fields: Any) -> Change:
        return lambda snapshot: replace(snapshot, **{kind: replace(known(getattr(snapshot, kind)), **fields)})

    return make


set_connector = _set("connector")
set_interface = _set("interface")
set_service = _set("service")
set_ingress = _set("ingress")
set_endpoint = _set("endpoint")
set_path_group = _set("path_group")
set_balancer = _set("balancer")
set_api = _set("api")


def set_the_endpoint(**fields: Any) -> Change:
    """Of the endpoint as EC2 tells it, where the rules of endpoints and of ingress connections look at it."""

    def change(snapshot: Snapshot) -> Snapshot:
        endpoint, ingress = known(snapshot.endpoint), known(snapshot.ingress)
        changed = replace(endpoint.endpoint, **fields)
        return replace(
            snapshot, endpoint=replace(endpoint, endpoint=changed), ingress=replace(ingress, endpoint=changed)
        )

    return change


def set_the_group(**fields: Any) -> Change:
    """Of the target group as its load balancer tells it."""

    def change(snapshot: Snapshot) -> Snapshot:
        group = known(snapshot.path_group)
        return replace(snapshot, path_group=replace(group, group=replace(group.group, **fields)))

    return change


def set_the_balancer(**fields: Any) -> Change:
    """Of the load balancer itself."""

    def change(snapshot: Snapshot) -> Snapshot:
        balancer = known(snapshot.balancer)
        return replace(snapshot, balancer=replace(balancer, balancer=replace(balancer.balancer, **fields)))

    return change


def set_balancer_before_endpoint(**fields: Any) -> Change:
    """Of the load balancer as the rules of endpoints see it."""

    def change(snapshot: Snapshot) -> Snapshot:
        endpoint = known(snapshot.endpoint)
        balancers = tuple(replace(one, **fields) for one in known(endpoint.balancers))
        return replace(snapshot, endpoint=replace(endpoint, balancers=balancers))

    return change


def set_integration(**fields: Any) -> Change:
    """Of every integration of the API."""

    def change(snapshot: Snapshot) -> Snapshot:
        api = known(snapshot.api)
        return replace(
            snapshot, api=replace(api, integrations=tuple(replace(one, **fields) for one in known(api.integrations)))
        )

    return change


def is_http_api() -> Change:
    """The same path behind an HTTP API with a VPC link of the second generation."""
    integration = Integration(
        where="$default",
        id="i1n2t3g",
        kind="HTTP_PROXY",
        uri=LISTENER_ARN,
        link_id=SECOND_LINK.id,
        target_arn=LISTENER_ARN,
        server_name=DOMAIN,
        mapped={"overwrite:header.Host": DOMAIN},
        authorization="AWS_IAM",
        link=SECOND_LINK,
        balancer_arn=BALANCER_ARN,
        endpoints=INTEGRATION.endpoints,
        port=INTEGRATION.port,
        hosts=INTEGRATION.hosts,
    )
    stage = Stage(name="$default", logged=True, traced=None)
    return set_api(kind="HTTP", integrations=(integration,), stages=(stage,))


def set_stage(**fields: Any) -> Change:
    """Of every stage of the API."""

    def change(snapshot: Snapshot) -> Snapshot:
        api = known(snapshot.api)
        return replace(snapshot, api=replace(api, stages=tuple(replace(one, **fields) for one in known(api.stages))))

    return change


def services(*of_fleet: Service | Unread) -> Mapping[str, Service | Unread]:
    """By ARN; one that could not be described goes by a made-up one."""
    return {
        one.arn if isinstance(one, Service) else f"{_APP_RUNNER}:service/unread-{number}/{_HEX}": one
        for number, one in enumerate(of_fleet)
    }
