"""Frozen snapshots of what AWS said at one moment. Nothing here knows the SDK, and nothing here changes.

A fact that could not be read is an `Unread` in its place. Rules look at facts through `known`, which raises
`NotKnown`; the engine turns that into the answer "unknown".
"""

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once

if TYPE_CHECKING:
    from apprunner_guardrails.reach import Destination

type FactName = Literal[
    "tags",
    "zones",
    "subnets",
    "route_tables",
    "prefix_lists",
    "nat_gateways",
    "network_acls",
    "security_groups",
    "group_interfaces",
    "endpoints",
    "dns_support",
    "dns_hostnames",
    "bindings",
    "target_groups",
    "target_health",
    "bound_endpoints",
    "vpc_connections",
    "vpc_groups",
    "destinations",
    "connectors",
    "services",
    "connector_quota",
    "managed_interfaces",
    "ingress_connections",
    "operations",
    "ingress_endpoints",
    "path_subnets",
    "path_groups",
    "target_group_attributes",
    "load_balancers",
    "load_balancer_attributes",
    "load_balancer_addresses",
    "listeners",
    "custom_domains",
    "vpc_links",
    "apis",
    "stages",
]

# The IAM actions behind each fact of whatever rules judge. The rules' permissions, docs/rules.md and the template
# follow from it.
READ_WITH: Mapping[FactName, tuple[str, ...]] = {
    "tags": ("apprunner:ListTagsForResource", "tag:GetResources"),
    "zones": ("ec2:DescribeAvailabilityZones",),
    "subnets": ("ec2:DescribeSubnets",),
    "route_tables": ("ec2:DescribeRouteTables",),
    "prefix_lists": ("ec2:GetManagedPrefixListEntries",),
    "nat_gateways": ("ec2:DescribeNatGateways",),
    "network_acls": ("ec2:DescribeNetworkAcls",),
    "security_groups": ("ec2:DescribeSecurityGroups",),
    "group_interfaces": ("ec2:DescribeNetworkInterfaces",),
    "endpoints": ("ec2:DescribeVpcEndpoints",),
    "dns_support": ("ec2:DescribeVpcAttribute",),
    "dns_hostnames": ("ec2:DescribeVpcAttribute",),
    "bindings": ("elasticloadbalancing:DescribeTags", "tag:GetResources"),
    "target_groups": ("elasticloadbalancing:DescribeTargetGroups",),
    "target_health": ("elasticloadbalancing:DescribeTargetHealth",),
    "bound_endpoints": ("ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcEndpoints"),
    "vpc_connections": ("ec2:DescribeTransitGatewayVpcAttachments", "ec2:DescribeVpcPeeringConnections"),
    "vpc_groups": ("ec2:DescribeSecurityGroups",),
    "destinations": (
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
    ),
    "connectors": ("apprunner:DescribeVpcConnector", "apprunner:ListVpcConnectors"),
    "services": ("apprunner:DescribeService", "apprunner:ListServices"),
    "connector_quota": ("servicequotas:GetServiceQuota",),
    "managed_interfaces": ("ec2:DescribeNetworkInterfaces",),
    "ingress_connections": ("apprunner:DescribeVpcIngressConnection", "apprunner:ListVpcIngressConnections"),
    "operations": ("apprunner:ListOperations",),
    "ingress_endpoints": ("ec2:DescribeVpcEndpoints",),
    "path_subnets": ("ec2:DescribeSubnets",),
    "path_groups": ("ec2:DescribeSecurityGroups",),
    "target_group_attributes": ("elasticloadbalancing:DescribeTargetGroupAttributes",),
    "load_balancers": ("elasticloadbalancing:DescribeLoadBalancers",),
    "load_balancer_attributes": ("elasticloadbalancing:DescribeLoadBalancerAttributes",),
    "load_balancer_addresses": ("ec2:DescribeNetworkInterfaces",),
    "listeners": ("elasticloadbalancing:DescribeListeners",),
    "custom_domains": ("apprunner:DescribeCustomDomains",),
    "vpc_links": ("apigateway:GET",),
    "apis": ("apigateway:GET",),
    "stages": ("apigateway:GET",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """A fact that AWS did not tell.

    `call` is the IAM action as users know it (`ec2:DescribeSubnets`), `code` AWS's error code, or the kind of network
    failure where no answer came.
    """

    call: str
    code: str

    def __str__(self) -> str:
        return f"{self.call} failed ({self.code})"


class NotKnown(Exception):
    """A rule needs something that this snapshot cannot tell; the text says what and why."""


class Moot(Exception):
    """A rule has nothing to judge while another finding stands, and that one tells. Nothing of it begins or ends."""


def known[T](fact: T | Unread) -> T:
    """The fact, or NotKnown with the failed call."""
    if isinstance(fact, Unread):
        raise NotKnown(str(fact))
    return fact


def if_read[T](fact: tuple[T, ...] | Unread | None) -> tuple[T, ...]:
    """What there is; nothing where it was not read, or not asked for."""
    return fact if isinstance(fact, tuple) else ()


def told[T](facts: Iterator[T]) -> tuple[tuple[T, ...], str]:
    """All that is yielded up to the first NotKnown, and its text; an empty text where nothing was unknown."""
    found: list[T] = []
    try:
        for fact in facts:
            found.append(fact)  # noqa: PERF402 - list() would lose them all where NotKnown comes up
    except NotKnown as why:
        return tuple(found), str(why)
    return tuple(found), ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Connector:
    """An App Runner VPC connector. It cannot be changed after it was made, only replaced."""

    arn: str
    name: str
    status: str  # ACTIVE, or INACTIVE once deleted
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    created: str = ""  # 2026-11-21T07:00:00Z; empty where App Runner does not say
    tags: Mapping[str, str] | Unread = field(default_factory=dict)

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]


QUOTAS_OF = "apprunner"  # Service Quotas' code of App Runner
CONNECTOR_QUOTA = "L-F7ADEB8C"  # of active connectors; docs.aws.amazon.com/general/latest/gr/apprunner.html
CONNECTOR_QUOTA_DEFAULT = 10  # the same page; it can only be raised
CONNECTOR_QUOTA_NEAR = 0.8  # the share of it from which on there is too little room


@dataclass(frozen=True, kw_only=True, slots=True)
class Egress:
    """Where a service's outbound traffic goes: EgressType VPC with a connector, or DEFAULT, the public internet."""

    kind: str  # VPC, DEFAULT
    connector_arn: str = ""

    def __str__(self) -> str:
        return f"{self.kind} through {self.connector_arn}" if self.connector_arn else self.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """An App Runner service, as far as its network and what policies ask for go.

    `connector_arn` is empty when EgressType is DEFAULT. The last four are not told by DescribeService: they are filled
    in where they were read, for a service that they concern.
    """

    arn: str
    name: str
    status: str
    connector_arn: str
    public: bool = True  # reachable from the internet
    url: str = ""  # a host name; a private service may have none
    address_type: str = ""  # IPV4, DUAL_STACK; empty where App Runner does not say
    observable: bool = False  # ObservabilityEnabled: traces go to X-Ray
    unhealthy_threshold: int | None = None  # failed health checks in a row; None where App Runner does not say
    created: str = ""  # 2026-11-21T07:00:00Z; empty where App Runner does not say
    tags: Mapping[str, str] | Unread = field(default_factory=dict)
    connector: "Connector | Unread | None" = None  # the one that it uses; None where it uses none
    ingress: "tuple[IngressConnection, ...] | Unread" = ()  # of a private service
    asked: Egress | None = None  # what the last finished update asked for; None where that is not known
    update_failed: bool | Unread = False  # that update was rolled back: then what was asked for cannot show

    @property
    def busy(self) -> bool:
        return self.status == "OPERATION_IN_PROGRESS"

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @property
    def egress(self) -> Egress:
        return Egress(kind="VPC" if self.connector_arn else "DEFAULT", connector_arn=self.connector_arn)


GONE = "ResourceNotFoundException"  # App Runner's answer where a resource is not there (any more): no read that failed


def is_gone(fact: object) -> bool:
    return isinstance(fact, Unread) and fact.code == GONE


def is_over(fact: object) -> bool:
    """Whether a connector, service or ingress connection is no more: gone, or told as deleted."""
    match fact:
        case Connector():
            return fact.status != "ACTIVE"
        case Service() | IngressConnection():
            return fact.status == "DELETED"
        case _:
            return is_gone(fact)


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """A zone of the Region. `id` (use1-az4) means the same in every account, `name` (us-east-1a) does not."""

    id: str
    name: str
    available: bool  # State is "available" and the account has opted in
    kind: str  # availability-zone, local-zone, wavelength-zone


@dataclass(frozen=True, kw_only=True, slots=True)
class Subnet:
    id: str
    vpc_id: str
    zone_id: str
    cidr: str  # empty for an IPv6-only subnet
    ipv6_cidrs: tuple[str, ...]  # those in state "associated"
    ipv6_native: bool
    free_addresses: int  # IPv4
    owner_id: str  # another account's where the subnet is shared with this one


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """`destination` is a CIDR or a prefix list id (pl-…); `target` an id whose prefix says what it is, or "local"."""

    destination: str
    target: str
    blackhole: bool = False
    propagated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteTable:
    id: str
    vpc_id: str
    main: bool
    subnet_ids: tuple[str, ...]  # explicit associations only
    routes: tuple[Route, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NatGateway:
    id: str
    vpc_id: str
    subnet_id: str  # empty for a regional NAT gateway, which spans the zones of its VPC
    state: str  # pending, failed, available, deleting, deleted
    connectivity: str  # public, private


@dataclass(frozen=True, kw_only=True, slots=True)
class AclEntry:
    """An entry of a network ACL. `protocol` is AWS's number as text, "-1" for all; ports are None where all count."""

    number: int
    egress: bool
    allow: bool
    protocol: str
    cidr: str
    from_port: int | None = None
    to_port: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkAcl:
    id: str
    subnet_ids: tuple[str, ...]
    entries: tuple[AclEntry, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRule:
    """A rule of a security group. `peers` are CIDRs, prefix list ids and group ids; ports are None where all count."""

    protocol: str  # tcp, udp, icmp, a number, or "-1" for all
    peers: tuple[str, ...]
    from_port: int | None = None
    to_port: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityGroup:
    id: str
    name: str  # "default" is reserved by AWS for the VPC's default group
    vpc_id: str
    ingress: tuple[GroupRule, ...]
    egress: tuple[GroupRule, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkInterface:
    id: str
    group_ids: tuple[str, ...]
    app_runner: bool  # made by App Runner: it carries the tag key AWSAppRunnerManaged


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A VPC endpoint. Gateway endpoints have route tables, interface endpoints subnets."""

    id: str
    vpc_id: str
    service: str  # com.amazonaws.<region>.<name>
    kind: str  # Interface, Gateway, GatewayLoadBalancer …
    state: str  # lower case; AWS's model and its answers differ in case
    route_table_ids: tuple[str, ...]


NOT_ASKED = Unread(call="", code="not asked for")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """What a connector is judged beside: the Region's other connectors and who uses them.

    `services` are by ARN, those that could not be described Unread; `read_at` is when they were read. `quota` is how
    many active connectors there may be.
    """

    connectors: tuple[Connector, ...] | Unread  # active ones, this one too
    services: Mapping[str, Service | Unread] | Unread
    quota: int | Unread
    read_at: str  # 2026-11-21T07:00:00Z


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """What rules may read about a connector: its VPC and the Region's zones.

    `subnets` and `route_tables` are all of the VPC; `security_groups` those of the connector, or the VPC's default
    group where it names none; `vpc_groups` all of the VPC; `group_interfaces` the interfaces that carry one of the
    connector's; `prefix_lists` only the lists whose content decides where internet-bound traffic goes. `vpc_groups` and
    `fleet` are read only where the rules that need them are asked.
    """

    account: str
    region: str
    vpc_id: str  # empty when no subnet of the connector exists any more
    zones: tuple[Zone, ...] | Unread
    subnets: tuple[Subnet, ...] | Unread
    route_tables: tuple[RouteTable, ...] | Unread
    prefix_lists: Mapping[str, tuple[str, ...] | Unread]
    nat_gateways: tuple[NatGateway, ...] | Unread
    network_acls: tuple[NetworkAcl, ...] | Unread
    security_groups: tuple[SecurityGroup, ...] | Unread
    group_interfaces: tuple[NetworkInterface, ...] | Unread
    endpoints: tuple[Endpoint, ...] | Unread
    dns_support: bool | Unread
    dns_hostnames: bool | Unread
    vpc_groups: tuple[SecurityGroup, ...] | Unread = NOT_ASKED
    destinations: "tuple[Destination, ...] | Unread" = ()
    fleet: Fleet | Unread = NOT_ASKED


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagedInterface:
    """A network interface that App Runner made for connectors; it is never touched. `connectors` are the Region's
    active ones."""

    id: str
    account: str
    region: str
    vpc_id: str
    subnet_id: str
    group_ids: tuple[str, ...]
    public_address: str  # of an Elastic IP address that somebody attached; empty for none
    connectors: tuple[Connector, ...] | Unread
    tags: Mapping[str, str] | Unread = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:ec2:{self.region}:{self.account}:network-interface/{self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Structure:
    """What tells which connectors a change concerns: all of the VPCs that hold connectors, whatever their number.

    `security_groups` are those that connectors name, and where one names none the default groups.
    """

    subnets: tuple[Subnet, ...] | Unread
    route_tables: tuple[RouteTable, ...] | Unread
    nat_gateways: tuple[NatGateway, ...] | Unread
    network_acls: tuple[NetworkAcl, ...] | Unread
    security_groups: tuple[SecurityGroup, ...] | Unread


def unread_network(account: str, region: str, why: Unread) -> Network:
    """A network of which nothing is known, and why: for what has none, and for what cannot be told."""
    return Network(
        account=account,
        region=region,
        vpc_id="",
        zones=why,
        subnets=why,
        route_tables=why,
        prefix_lists={},
        nat_gateways=why,
        network_acls=why,
        security_groups=why,
        group_interfaces=why,
        endpoints=why,
        dns_support=why,
        dns_hostnames=why,
    )


def connector_subnets(connector: Connector, network: Network) -> tuple[Subnet, ...]:
    """The connector's subnets that exist, by zone and id; those that are gone are AR113's concern alone."""
    return _subnets_by_zone(connector.subnet_ids, known(network.subnets))


@once
def _subnets_by_zone(ids: tuple[str, ...], subnets: tuple[Subnet, ...]) -> tuple[Subnet, ...]:
    by_id = subnets_indexed(subnets)
    found = [by_id[one] for one in set(ids) if one in by_id]
    return tuple(sorted(found, key=lambda subnet: (subnet.zone_id, subnet.id)))


@once
def subnets_indexed(subnets: tuple[Subnet, ...]) -> Mapping[str, Subnet]:
    return {subnet.id: subnet for subnet in subnets}


@dataclass(frozen=True, kw_only=True, slots=True)
class IngressConnection:
    """What makes a private service reachable through an interface endpoint: a VPC ingress connection."""

    arn: str
    name: str
    service_arn: str
    status: str  # AVAILABLE, PENDING_CREATION, FAILED_CREATION …, DELETED
    vpc_id: str
    endpoint_id: str
    domain: str = ""  # the host name by which the service is asked for
    endpoint: "InterfaceEndpoint | Unread | None" = None  # None: there is none of that id
    tags: Mapping[str, str] | Unread = field(default_factory=dict)

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]


@dataclass(frozen=True, kw_only=True, slots=True)
class InterfaceEndpoint:
    """A VPC interface endpoint, as far as private services and names go."""

    id: str
    vpc_id: str
    service: str  # com.amazonaws.<region>.<name>
    state: str  # lower case
    private_dns: bool
    subnet_ids: tuple[str, ...] = ()
    interface_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    policy: str = ""  # the policy document as AWS has it
    tags: Mapping[str, str] = field(default_factory=dict)
    managed: bool = False  # by the AWS service that has made it


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointInterface:
    """A network interface of an interface endpoint; its addresses do not change while it exists."""

    id: str
    vpc_id: str
    zone: str  # by its name: that is what load balancers call it, and one account's names mean one thing
    ipv4: str  # empty in a subnet of IPv6 only
    ipv6: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetGroup:
    """A target group. All but `load_balancer_arns` stays as it is while the group exists."""

    arn: str
    name: str
    vpc_id: str
    port: int
    target_type: str  # ip, instance, alb, lambda
    ipv6: bool  # its targets have IPv6 addresses
    load_balancer_arns: tuple[str, ...]
    protocol: str = "TCP"  # TCP, TLS, UDP, TCP_UDP, QUIC …; HTTP and HTTPS are no NLB's
    health_check_protocol: str = "TCP"  # TCP, HTTP, HTTPS

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """An address that a target group should have among its targets, with the port that it is to have there."""

    address: str
    port: int
    zone: str
    outside: bool = False  # of the group's VPC: then it is registered for all zones

    @property
    def key(self) -> str:
        return target_key(self.address, self.port)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A target as DescribeTargetHealth has it."""

    address: str
    port: int
    zone: str  # a zone's name, "all", or empty where AWS does not say
    state: str  # initial, healthy, unhealthy, unhealthy.draining, unused, draining, unavailable
    reason: str = ""  # Target.NotInUse …

    @property
    def key(self) -> str:
        return target_key(self.address, self.port)


def target_key(address: str, port: int) -> str:
    """What is one target to a load balancer, as 10.0.1.5:443."""
    return f"{address}:{port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A target that is no longer wanted and has to stay for now, and why: for traffic's sake, or by the policy."""

    target: Target
    why: str
    by_policy: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundGroup:
    """A target group that is bound to endpoints, as the sync left it.

    `broken` has a sentence for each thing that is wrong with the binding; while anything is that makes what is wanted
    unknown, `wanted` is empty and nothing was changed. `held` are targets that have to stay for traffic's sake,
    `settling` those that were registered and are not healthy yet, `preparing`: an endpoint is still being made or
    changed; `overdue` are targets of which that, or that they are not healthy, has lasted longer than it may. `in_use`:
    some load balancer's listener leads to the group. `failed` is the change that AWS refused, if it did one.
    """

    arn: str
    name: str
    endpoint_ids: tuple[str, ...]  # as the tag has them; empty where it cannot be understood
    broken: tuple[str, ...] | Unread
    wanted: tuple[Wanted, ...] | Unread
    registered: tuple[Target, ...] | Unread  # after the run; those that drain are left out
    held: tuple[Held, ...] = ()
    settling: tuple[str, ...] = ()
    preparing: bool = False
    overdue: frozenset[str] = frozenset()
    in_use: bool = True
    failed: str = ""
    tags: Mapping[str, str] | Unread = field(default_factory=dict)

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """A listener of a load balancer, and the target groups that it forwards to."""

    arn: str
    protocol: str  # TCP, TLS, UDP …
    port: int
    target_group_arns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BalancerZone:
    """A zone that a load balancer is in: it has a node in this subnet."""

    name: str  # us-east-1a
    subnet_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadBalancer:
    """A Network Load Balancer."""

    arn: str
    name: str
    vpc_id: str
    internal: bool
    dns_name: str
    zones: tuple[BalancerZone, ...]
    group_ids: tuple[str, ...]  # none: it can never have any
    guards_private_link: bool  # its groups' inbound rules count for PrivateLink traffic too; on unless switched off

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]


@dataclass(frozen=True, kw_only=True, slots=True)
class VpcLink:
    """A VPC link of API Gateway. `generation` 1 leads REST APIs to the NLBs of `target_arns` by PrivateLink; 2 has
    network interfaces in `subnet_ids`, and each integration names the listener, load balancer or service behind it."""

    id: str
    name: str
    generation: int
    status: str  # AVAILABLE, PENDING, DELETING, FAILED, INACTIVE
    why: str = ""  # API Gateway's message about the status
    target_arns: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    pending_minutes: int | None = None  # since when it has been seen pending; None where it is not


@dataclass(frozen=True, kw_only=True, slots=True)
class Integration:
    """What a method or route of an API hands its requests on to, as far as private paths go.

    `where` is as users see it: "ANY /{proxy+}". `id` is what commands name it by: of a REST API the resource's, of an
    HTTP API its own; empty where that is not known. `uri` is the integration's: of a REST API https://HOST/PATH, of an
    HTTP API the ARN of a listener. `target_arn` is what a second-generation link leads to: a listener's ARN, or a load
    balancer's. `declared` are the method's request parameters, `mapped` the integration's, both as API Gateway names
    them.
    The last five are joined from what else was read: the link, the ARN of the load balancer that it leads to (empty
    where that is not known), what its listeners lead to, the port of the one that requests come to, and the host names
    that services answer to behind that port.
    `endpoints` are the ids of App Runner's endpoints by the port of the NLB's listener that leads to them, none for a
    port that leads elsewhere; None where no NLB of a private path is behind the integration. `port` is None where a
    stage variable may hold it, or where the listener that is named is not there. Where nothing listens at the port, or
    there is none, `hosts` are those behind all ports.
    """

    where: str
    id: str = ""
    kind: str  # HTTP_PROXY, HTTP, AWS_PROXY, MOCK …
    uri: str = ""
    link_id: str = ""  # empty: not through a VPC link
    target_arn: str = ""
    server_name: str = ""  # HTTP API: TlsConfig.ServerNameToVerify
    declared: Mapping[str, bool] = field(default_factory=dict)
    mapped: Mapping[str, str] = field(default_factory=dict)
    authorization: str = "NONE"  # NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS, JWT
    api_key: bool = False
    link: VpcLink | Unread | None = None
    balancer_arn: str | Unread = ""
    endpoints: Mapping[int, tuple[str, ...] | Unread] | Unread | None = None
    port: int | None = None
    hosts: tuple[str, ...] | Unread = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A deployed stage of an API. HTTP APIs cannot trace: `traced` is None."""

    name: str
    logged: bool
    traced: bool | None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """An API of API Gateway that leads to private services. `integrations` are those of private paths alone.

    `path_balancers` are the ARNs of the NLBs whose targets are endpoints of App Runner.
    """

    id: str
    name: str
    kind: Literal["REST", "HTTP"]
    region: str
    integrations: tuple[Integration, ...] | Unread
    stages: tuple[Stage, ...] | Unread
    path_balancers: tuple[str, ...] | Unread = ()
    tags: Mapping[str, str] | Unread = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html"""
        return f"arn:aws:apigateway:{self.region}::/{'restapis' if self.kind == 'REST' else 'apis'}/{self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PathGroup:
    """A target group of a private path: endpoint interfaces are among its targets, or it is bound to an endpoint.

    `crosses_zones` is the group's own word: None where it leaves that to its load balancer.
    """

    group: TargetGroup
    endpoint_ids: tuple[str, ...]
    targets: tuple[Target, ...] | Unread
    preserves_client_ip: bool | Unread
    crosses_zones: bool | Unread | None
    tags: Mapping[str, str] | Unread = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return self.group.arn


@dataclass(frozen=True, kw_only=True, slots=True)
class PathBalancer:
    """An NLB of a private path: one of its listeners leads to a target group that has endpoint interfaces.

    `zone_ids` are by the name of the zone. `addresses` are those from which it asks its targets; `groups` its security
    groups, `prefix_lists` the entries of those that their inbound rules name. `links` are the VPC links of the first
    generation that lead to it.
    """

    balancer: LoadBalancer
    zone_ids: Mapping[str, str] | Unread
    groups: tuple[SecurityGroup, ...] | Unread
    addresses: tuple[str, ...] | Unread
    crosses_zones: bool | Unread
    listeners: tuple[Listener, ...] | Unread
    target_groups: tuple[PathGroup, ...] | Unread
    links: tuple[VpcLink, ...] | Unread
    tags: Mapping[str, str] | Unread = field(default_factory=dict)
    prefix_lists: Mapping[str, tuple[str, ...] | Unread] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return self.balancer.arn


@dataclass(frozen=True, kw_only=True, slots=True)
class PathEndpoint:
    """An interface endpoint of a private path: for App Runner's private services, or named by an ingress connection.

    `zone_ids` are those of its subnets, sorted. `balancers` have its interfaces among their targets. `prefix_lists` are
    the entries of those that inbound rules of its groups name.
    """

    endpoint: InterfaceEndpoint
    account: str
    region: str
    zone_ids: tuple[str, ...] | Unread
    groups: tuple[SecurityGroup, ...] | Unread
    balancers: tuple[PathBalancer, ...] | Unread
    prefix_lists: Mapping[str, tuple[str, ...] | Unread] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:ec2:{self.region}:{self.account}:vpc-endpoint/{self.endpoint.id}"

    @property
    def tags(self) -> Mapping[str, str]:
        return self.endpoint.tags


@dataclass(frozen=True, kw_only=True, slots=True)
class Paths:
    """The private paths of a Region, joined: from APIs to services. Of each kind what could be read; `unlisted` are
    the lists that failed, so that what is not here may be there all the same.

    `ingress` is by ARN, those that could not be described Unread.
    """

    ingress: Mapping[str, IngressConnection | Unread] = field(default_factory=dict)
    endpoints: tuple[PathEndpoint, ...] = ()
    groups: tuple[PathGroup, ...] = ()
    balancers: tuple[PathBalancer, ...] = ()
    apis: tuple[Api, ...] = ()
    domains: Mapping[str, tuple[str, ...] | Unread] = field(default_factory=dict)  # active custom ones, by service
    unlisted: tuple[Unread, ...] = ()
