"""A connector and a target group without a fault, and the small changes that make cases of them.

Three private subnets in three zones of us-east-1, each with a route table that leads to its zone's NAT gateway in a
public subnet. Ids end in the number of their zone: subnet-private-4 and nat-4 are in use1-az4.

The target group has the three addresses of its endpoint: 10.0.1.10 in us-east-1d (use1-az1), 10.0.2.10 in us-east-1b,
10.0.4.10 in us-east-1a. All are registered and healthy.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from apprunner_guardrails.facts import (
    READ_WITH,
    AclEntry,
    BoundGroup,
    Connector,
    Endpoint,
    FactName,
    GroupRule,
    Held,
    NatGateway,
    Network,
    NetworkAcl,
    NetworkInterface,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Target,
    Unread,
    Wanted,
    Zone,
    known,
)
from apprunner_guardrails.settings import Policy, Settings
from tests.cases import Change, Snapshot, _healthy_path

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
REGION = "us-east-1"
VPC = "vpc-1"
CONNECTOR_ARN = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/orders/1/0123456789abcdef0123456789abcdef"
GROUP_ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/orders/6d0ecf831eec9f09"
ENDPOINT_ID = "vpce-0a1b2c3d4e5f60718"

# Where in a snapshot a fact is, if not in the network under its own name; `*` is each record of a tuple.
PLACES: Mapping[FactName, tuple[str, ...]] = {
    "tags": ("connector.tags", "service.tags", "ingress.tags"),
    "connectors": ("network.fleet.connectors", "interface.connectors", "service.connector"),
    "services": ("network.fleet.services", "service"),
    "connector_quota": ("network.fleet.quota",),
    "managed_interfaces": ("interface",),
    "ingress_connections": ("service.ingress", "ingress", "api.integrations.*.hosts"),
    "operations": ("service.update_failed",),
    "ingress_endpoints": ("ingress.endpoint", "endpoint"),
    "bindings": ("group.tags", "group.broken", "group.wanted", "path_group.tags", "balancer.tags"),
    "target_groups": (
        *("group.broken", "group.wanted", "path_group", "balancer.target_groups"),
        *("api.integrations.*.endpoints", "api.integrations.*.hosts"),
    ),
    "bound_endpoints": ("group.broken", "group.wanted"),
    "vpc_connections": ("group.broken",),
    "target_health": ("group.registered", "path_group.targets", "balancer.target_groups.*.targets"),
    "target_group_attributes": (
        "path_group.preserves_client_ip",
        "path_group.crosses_zones",
        "balancer.target_groups.*.crosses_zones",
    ),
    "path_subnets": ("endpoint.zone_ids", "endpoint.balancers.*.zone_ids", "balancer.zone_ids"),
    "prefix_lists": ("network.prefix_lists", "endpoint.prefix_lists", "balancer.prefix_lists"),
    "path_groups": ("endpoint.groups", "endpoint.balancers.*.groups", "balancer.groups"),
    "load_balancers": ("endpoint.balancers", "balancer", "api.path_balancers"),
    "load_balancer_attributes": ("endpoint.balancers.*.crosses_zones", "balancer.crosses_zones"),
    "load_balancer_addresses": ("endpoint.balancers.*.addresses", "balancer.addresses"),
    "listeners": ("balancer.listeners", "api.integrations.*.endpoints", "api.integrations.*.hosts"),
    "custom_domains": ("api.integrations.*.hosts",),
    "vpc_links": (
        "endpoint.balancers.*.links",
        "balancer.links",
        "api.integrations.*.link",
        "api.integrations.*.balancer_arn",
        "api.integrations.*.endpoints",
        "api.integrations.*.hosts",
    ),
    "apis": ("api",),
    "stages": ("api.stages",),
}
NOT_THERE = object()  # what is in a place of something that is unread itself

IPV6 = "2600:1f18:1:1::/64"

# All of IPv4 but private, shared, multicast and reserved blocks, as a prefix list would have it (86 % of IPv4).
PUBLIC_RANGES = (
    *("1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3"),
    *("64.0.0.0/3", "96.0.0.0/6", "100.0.0.0/10", "100.128.0.0/9", "101.0.0.0/8", "102.0.0.0/7", "104.0.0.0/5"),
    *("112.0.0.0/5", "120.0.0.0/6", "124.0.0.0/7", "126.0.0.0/8", "128.0.0.0/3", "160.0.0.0/5", "168.0.0.0/6"),
    *("172.0.0.0/12", "172.32.0.0/11", "172.64.0.0/10", "172.128.0.0/9", "173.0.0.0/8", "174.0.0.0/7"),
    *("176.0.0.0/4", "192.0.0.0/9", "192.128.0.0/11", "192.160.0.0/13", "192.169.0.0/16", "192.170.0.0/15"),
    *("192.172.0.0/14", "192.176.0.0/12", "192.192.0.0/10", "193.0.0.0/8", "194.0.0.0/7", "196.0.0.0/6"),
    *("200.0.0.0/5", "208.0.0.0/4"),
)

LOCAL = Route(destination="10.0.0.0/16", target="local")

ALLOW_ALL = (
    AclEntry(number=100, egress=True, allow=True, protocol="-1", cidr="0.0.0.0/0"),
    AclEntry(number=32767, egress=True, allow=False, protocol="-1", cidr="0.0.0.0/0"),
    AclEntry(number=100, egress=False, allow=True, protocol="-1", cidr="0.0.0.0/0"),
    AclEntry(number=32767, egress=False, allow=False, protocol="-1", cidr="0.0.0.0/0"),
)

HTTPS_OUT = GroupRule(protocol="tcp", peers=("0.0.0.0/0",), from_port=443, to_port=443)
HTTPS_IN = GroupRule(protocol="tcp", peers=("10.0.0.0/16",), from_port=443, to_port=443)
ALL_OUT = GroupRule(protocol="-1", peers=("0.0.0.0/0",))


class SubnetFields(TypedDict, total=False):
    """What a change may set on a subnet."""

    zone_id: str
    cidr: str
    ipv6_cidrs: tuple[str, ...]
    ipv6_native: bool
    free_addresses: int
    owner_id: str


class NatFields(TypedDict, total=False):
    """What a change may set on a NAT gateway."""

    subnet_id: str
    state: str
    connectivity: str


class GroupFields(TypedDict, total=False):
    """What a change may set on a security group."""

    name: str
    ingress: tuple[GroupRule, ...]
    egress: tuple[GroupRule, ...]


class SettingsFields(TypedDict, total=False):
    """What a change may set of the settings."""

    min_connector_zones: int
    unsupported_zone_ids: tuple[str, ...]
    min_free_addresses: int
    required_endpoint_services: tuple[str, ...]
    require_internet_egress: bool
    sync_policy: Policy
    require_vpc_egress: bool
    require_private_ingress: bool
    require_observability: bool
    max_unhealthy_threshold: int
    required_address_type: str
    required_tags: tuple[str, ...]
    require_api_access_logs: bool
    require_api_tracing: bool
    require_api_authorization: bool
    vpc_link_wait_minutes: int


class TargetFields(TypedDict, total=False):
    """What a change may set on a registered target."""

    state: str
    reason: str


def wanted(number: int) -> Wanted:
    return Wanted(address=f"10.0.{number}.10", port=443, zone=zone(number).name)


def target(address: str, zone_name: str, state: str = "healthy", reason: str = "", *, port: int = 443) -> Target:
    return Target(address=address, port=port, zone=zone_name, state=state, reason=reason)


def _target_group(numbers: tuple[int, ...]) -> BoundGroup:
    due = tuple(wanted(number) for number in numbers)
    return BoundGroup(
        arn=GROUP_ARN,
        name="orders",
        endpoint_ids=(ENDPOINT_ID,),
        broken=(),
        wanted=due,
        registered=tuple(target(one.address, one.zone) for one in due),
        tags={"apprunner-guardrails:endpoint": ENDPOINT_ID},
    )


def zone(number: int, *, available: bool = True) -> Zone:
    """Names and ids of zones go apart, as they do in real accounts: us-east-1a is use1-az4 here."""
    letter = "dbcafe"[number - 1]
    return Zone(id=f"use1-az{number}", name=f"{REGION}{letter}", available=available, kind="availability-zone")


def private_subnet(number: int, **fields: Unpack[SubnetFields]) -> Subnet:
    made = Subnet(
        id=f"subnet-private-{number}",
        vpc_id=VPC,
        zone_id=f"use1-az{number}",
        cidr=f"10.0.{number}.0/24",
        ipv6_cidrs=(),
        ipv6_native=False,
        free_addresses=200,
        owner_id=ACCOUNT,
    )
    return replace(made, **fields)


def public_subnet(number: int) -> Subnet:
    return replace(private_subnet(number), id=f"subnet-public-{number}", cidr=f"10.0.{100 + number}.0/24")


def _nat_gateway(number: int) -> NatGateway:
    return NatGateway(
        id=f"nat-{number}",
        vpc_id=VPC,
        subnet_id=f"subnet-public-{number}",
        state="available",
        connectivity="public",
    )


def _private_table(number: int) -> RouteTable:
    return RouteTable(
        id=f"rtb-private-{number}",
        vpc_id=VPC,
        main=False,
        subnet_ids=(f"subnet-private-{number}",),
        routes=(LOCAL, Route(destination="0.0.0.0/0", target=f"nat-{number}")),
    )


def _security_group(group_id: str) -> SecurityGroup:
    return SecurityGroup(id=group_id, name=group_id.removeprefix("sg-"), vpc_id=VPC, ingress=(), egress=(HTTPS_OUT,))


def healthy() -> Snapshot:
    numbers = (1, 2, 4)
    return Snapshot(
        connector=Connector(
            arn=CONNECTOR_ARN,
            name="orders",
            status="ACTIVE",
            subnet_ids=tuple(f"subnet-private-{number}" for number in numbers),
            security_group_ids=("sg-app",),
            created="2026-11-01T08:00:00Z",
        ),
        network=Network(
            account=ACCOUNT,
            region=REGION,
            vpc_id=VPC,
            zones=(
                *(zone(number) for number in range(1, 7)),
                Zone(id="use1-bos1-az1", name="us-east-1-bos-1a", available=True, kind="local-zone"),
                Zone(id="use1-wl1-nyc-wlz1", name="us-east-1-wl1-nyc-wlz-1", available=False, kind="wavelength-zone"),
            ),
            subnets=(
                *(private_subnet(number) for number in numbers),
                *(public_subnet(number) for number in numbers),
            ),
            route_tables=(
                RouteTable(id="rtb-main", vpc_id=VPC, main=True, subnet_ids=(), routes=(LOCAL,)),
                *(_private_table(number) for number in numbers),
                RouteTable(
                    id="rtb-public",
                    vpc_id=VPC,
                    main=False,
                    subnet_ids=tuple(f"subnet-public-{number}" for number in numbers),
                    routes=(LOCAL, Route(destination="0.0.0.0/0", target="igw-1")),
                ),
            ),
            prefix_lists={},
            nat_gateways=tuple(_nat_gateway(number) for number in numbers),
            network_acls=(
                NetworkAcl(
                    id="acl-1",
                    subnet_ids=tuple(f"subnet-private-{number}" for number in numbers),
                    entries=ALLOW_ALL,
                ),
            ),
            security_groups=(_security_group("sg-app"),),
            group_interfaces=(),
            endpoints=(),
            dns_support=True,
            dns_hostnames=True,
            vpc_groups=(_security_group("sg-app"), _healthy_path.DATABASE_GROUP),
            fleet=_healthy_path.FLEET,
        ),
        interface=_healthy_path.INTERFACE,
        service=_healthy_path.SERVICE,
        ingress=_healthy_path.INGRESS,
        endpoint=_healthy_path.ENDPOINT,
        group=_target_group(numbers),
        path_group=_healthy_path.GROUP,
        balancer=_healthy_path.BALANCER,
        api=_healthy_path.API,
        settings=Settings(alert_topic_arn=f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts", findings_table="FindingsTable"),
    )


# Changes. Each is a function that makes one; in a case they read as a list of what is different.


def connector_has_subnets(*subnet_ids: str) -> Change:
    return _connector(lambda connector: replace(connector, subnet_ids=subnet_ids))


def connector_names_groups(*group_ids: str) -> Change:
    return _connector(lambda connector: replace(connector, security_group_ids=group_ids))


def connector_is_named(name: str) -> Change:
    return _connector(lambda connector: replace(connector, name=name))


def tagged(tags: Mapping[str, str]) -> Change:
    """The connector, and the target group too."""
    return lambda snapshot: replace(
        snapshot,
        connector=replace(snapshot.connector, tags=tags),
        group=replace(snapshot.group, tags=tags),
    )


def region_has_zones(*zones: Zone) -> Change:
    return _network(lambda network: replace(network, zones=zones))


def add_subnet(subnet: Subnet) -> Change:
    return _network(lambda network: replace(network, subnets=(*known(network.subnets), subnet)))


def set_subnet(subnet_id: str, **fields: Unpack[SubnetFields]) -> Change:
    def change(network: Network) -> Network:
        subnets = known(network.subnets)
        return replace(network, subnets=tuple(replace(s, **fields) if s.id == subnet_id else s for s in subnets))

    return _network(change)


def subnets_are_gone(*subnet_ids: str) -> Change:
    def change(network: Network) -> Network:
        return replace(network, subnets=tuple(s for s in known(network.subnets) if s.id not in subnet_ids))

    return _network(change)


def vpc_is_unknown() -> Change:
    """As the reader leaves it when no subnet of the connector exists."""

    def change(network: Network) -> Network:
        why = Unread(call="ec2:DescribeSubnets", code="no subnet of the connector exists")
        return replace(
            network,
            vpc_id="",
            subnets=(),
            network_acls=(),
            route_tables=why,
            nat_gateways=why,
            group_interfaces=why,
            endpoints=why,
            dns_support=why,
            dns_hostnames=why,
        )

    return _network(change)


def add_route_table(table: RouteTable) -> Change:
    """First in the list, where a careless search would find it."""
    return _network(lambda network: replace(network, route_tables=(table, *known(network.route_tables))))


def add_route(
    table_id: str, destination: str, target: str, *, blackhole: bool = False, propagated: bool = False
) -> Change:
    route = Route(destination=destination, target=target, blackhole=blackhole, propagated=propagated)
    return _table(table_id, lambda table: replace(table, routes=(*table.routes, route)))


def remove_route(table_id: str, destination: str) -> Change:
    return _table(
        table_id,
        lambda table: replace(table, routes=tuple(r for r in table.routes if r.destination != destination)),
    )


def associate(subnet_id: str, table_id: str) -> Change:
    """In place of the association that the subnet had."""

    def change(table: RouteTable) -> RouteTable:
        others = tuple(one for one in table.subnet_ids if one != subnet_id)
        return replace(table, subnet_ids=(*others, subnet_id) if table.id == table_id else others)

    return _tables(lambda tables: tuple(map(change, tables)))


def disassociate(subnet_id: str) -> Change:
    """Leave the subnet to its VPC's main table."""
    return associate(subnet_id, "")


def hide_route_tables(*table_ids: str) -> Change:
    return _tables(lambda tables: tuple(table for table in tables if table.id not in table_ids))


def prefix_list_has(list_id: str, *cidrs: str) -> Change:
    return _network(lambda network: replace(network, prefix_lists={**network.prefix_lists, list_id: cidrs}))


def prefix_list_is_unread(list_id: str) -> Change:
    why = Unread(call="ec2:GetManagedPrefixListEntries", code="UnauthorizedOperation")
    return _network(lambda network: replace(network, prefix_lists={**network.prefix_lists, list_id: why}))


def set_nat_gateway(nat_id: str, **fields: Unpack[NatFields]) -> Change:
    def change(network: Network) -> Network:
        nats = known(network.nat_gateways)
        return replace(network, nat_gateways=tuple(replace(n, **fields) if n.id == nat_id else n for n in nats))

    return _network(change)


def nat_gateways_are_gone(*nat_ids: str) -> Change:
    def change(network: Network) -> Network:
        return replace(network, nat_gateways=tuple(n for n in known(network.nat_gateways) if n.id not in nat_ids))

    return _network(change)


def add_acl(acl_id: str, subnet_id: str, *entries: AclEntry) -> Change:
    """An ACL of the subnet's own, in place of the one that it had."""

    def change(network: Network) -> Network:
        others = tuple(
            replace(acl, subnet_ids=tuple(one for one in acl.subnet_ids if one != subnet_id))
            for acl in known(network.network_acls)
        )
        return replace(network, network_acls=(*others, NetworkAcl(id=acl_id, subnet_ids=(subnet_id,), entries=entries)))

    return _network(change)


def hide_acl_of(subnet_id: str) -> Change:
    def change(network: Network) -> Network:
        acls = known(network.network_acls)
        return replace(
            network,
            network_acls=tuple(
                replace(acl, subnet_ids=tuple(one for one in acl.subnet_ids if one != subnet_id)) for acl in acls
            ),
        )

    return _network(change)


def add_group(group_id: str, **fields: Unpack[GroupFields]) -> Change:
    group = replace(_security_group(group_id), **fields)
    return _network(lambda network: replace(network, security_groups=(*known(network.security_groups), group)))


def set_group(group_id: str, **fields: Unpack[GroupFields]) -> Change:
    def change(network: Network) -> Network:
        groups = known(network.security_groups)
        return replace(network, security_groups=tuple(replace(g, **fields) if g.id == group_id else g for g in groups))

    return _network(change)


def groups_are_gone(*group_ids: str) -> Change:
    def change(network: Network) -> Network:
        groups = known(network.security_groups)
        return replace(network, security_groups=tuple(g for g in groups if g.id not in group_ids))

    return _network(change)


def add_interface(interface_id: str, *group_ids: str, app_runner: bool) -> Change:
    interface = NetworkInterface(id=interface_id, group_ids=group_ids, app_runner=app_runner)
    return _network(lambda network: replace(network, group_interfaces=(*known(network.group_interfaces), interface)))


def add_endpoint(
    endpoint_id: str, service: str, *, kind: str = "Interface", state: str = "available", tables: tuple[str, ...] = ()
) -> Change:
    endpoint = Endpoint(
        id=endpoint_id,
        vpc_id=VPC,
        service=f"com.amazonaws.{REGION}.{service}",
        kind=kind,
        state=state,
        route_table_ids=tables,
    )
    return _network(lambda network: replace(network, endpoints=(*known(network.endpoints), endpoint)))


def dns(*, support: bool = True, hostnames: bool = True) -> Change:
    return _network(lambda network: replace(network, dns_support=support, dns_hostnames=hostnames))


def binding_is_broken(*why: str) -> Change:
    """So that what is wanted is not known."""
    return _group(lambda group: replace(group, broken=why, wanted=()))


def binding_is_doubtful(*why: str) -> Change:
    """Though what is wanted is known."""
    return _group(lambda group: replace(group, broken=why))


def nothing_is_wanted() -> Change:
    return _group(lambda group: replace(group, wanted=()))


def want(*targets: Wanted) -> Change:
    return _group(lambda group: replace(group, wanted=(*known(group.wanted), *targets)))


def no_longer_wanted(*addresses: str) -> Change:
    def change(group: BoundGroup) -> BoundGroup:
        return replace(group, wanted=tuple(one for one in known(group.wanted) if one.address not in addresses))

    return _group(change)


def register(*targets: Target) -> Change:
    return _group(lambda group: replace(group, registered=(*known(group.registered), *targets)))


def not_registered(*addresses: str) -> Change:
    def change(group: BoundGroup) -> BoundGroup:
        return replace(group, registered=tuple(one for one in known(group.registered) if one.address not in addresses))

    return _group(change)


def nothing_is_registered() -> Change:
    return _group(lambda group: replace(group, registered=()))


def set_target(address: str, **fields: Unpack[TargetFields]) -> Change:
    def change(group: BoundGroup) -> BoundGroup:
        found = known(group.registered)
        return replace(
            group, registered=tuple(replace(one, **fields) if one.address == address else one for one in found)
        )

    return _group(change)


def set_targets(**fields: Unpack[TargetFields]) -> Change:
    """All that are registered."""

    def change(group: BoundGroup) -> BoundGroup:
        return replace(group, registered=tuple(replace(one, **fields) for one in known(group.registered)))

    return _group(change)


def held(held_target: Target, why: str) -> Change:
    """A target that is registered, not wanted, and has to stay."""

    def change(group: BoundGroup) -> BoundGroup:
        return replace(
            group,
            registered=(*known(group.registered), held_target),
            held=(*group.held, Held(target=held_target, why=why)),
        )

    return _group(change)


def settling(*keys: str) -> Change:
    return _group(lambda group: replace(group, settling=(*group.settling, *keys)))


def preparing() -> Change:
    return _group(lambda group: replace(group, preparing=True))


def overdue() -> Change:
    """Whatever the group waits for has taken too long."""

    def change(group: BoundGroup) -> BoundGroup:
        waiting = (*(one.target.key for one in group.held), *group.settling)
        unwell = (one.key for one in known(group.registered) if one.state != "healthy")
        return replace(group, overdue=frozenset((*waiting, *unwell)))

    return _group(change)


def leads_nowhere() -> Change:
    """No load balancer uses the group."""
    return _group(lambda group: replace(group, in_use=False))


def refused_by_aws(why: str) -> Change:
    return _group(lambda group: replace(group, failed=why))


def unread(*facts: FactName) -> Change:
    """Access to the facts is denied. Of prefix lists, to those that are there."""

    def change(snapshot: Snapshot) -> Snapshot:
        for fact in facts:
            why = Unread(call=READ_WITH[fact][0], code="UnauthorizedOperation")
            found = fact_of(snapshot, fact)
            part = _entries_unread_in if fact == "prefix_lists" else _unread_in
            snapshot = with_facts(snapshot, {fact: tuple(part(value, why) for value in found)})
        return snapshot

    return change


def _entries_unread_in(lists: object, why: Unread) -> object:
    return dict.fromkeys(lists, why) if isinstance(lists, Mapping) else lists


def _unread_in(value: object, why: Unread) -> object:
    return tuple(_unread_in(one, why) for one in value) if isinstance(value, Several) else why


def fact_of(snapshot: Snapshot, fact: FactName) -> tuple[object, ...]:
    """What is in each of the fact's places."""
    return tuple(_at(snapshot, place.split(".")) for place in places(fact))


def with_facts(snapshot: Snapshot, facts: Mapping[FactName, tuple[object, ...]]) -> Snapshot:
    for fact, values in facts.items():
        for place, value in zip(places(fact), values, strict=True):
            snapshot = _put(snapshot, place.split("."), value)
    return snapshot


def places(fact: FactName) -> tuple[str, ...]:
    return PLACES.get(fact, (f"network.{fact}",))


class Several(tuple[object, ...]):
    """What is in a place of each of several records."""

    __slots__ = ()


def _at(record: Any, steps: Sequence[str]) -> object:
    if not steps:
        return record
    if steps[0] == "*":
        return Several(_at(one, steps[1:]) for one in record) if isinstance(record, tuple) else Several()
    return NOT_THERE if isinstance(record, Unread) else _at(getattr(record, steps[0]), steps[1:])


def _put(record: Any, steps: Sequence[str], value: Any) -> Any:
    """The record with the value in that place; as it is where something on the way is unread."""
    if value is NOT_THERE or isinstance(record, Unread):
        return record if steps else value
    if not steps:
        return value
    if steps[0] != "*":
        return replace(record, **{steps[0]: _put(getattr(record, steps[0]), steps[1:], value)})
    if not isinstance(record, tuple):
        return record
    put = tuple(_put(one, steps[1:], part) for one, part in zip(record, value, strict=False))
    return (*put, *record[len(put) :])


def settings_have(**fields: Unpack[SettingsFields]) -> Change:
    return lambda snapshot: replace(snapshot, settings=replace(snapshot.settings, **fields))


def _connector(change: Callable[[Connector], Connector]) -> Change:
    return lambda snapshot: replace(snapshot, connector=change(snapshot.connector))


def _group(change: Callable[[BoundGroup], BoundGroup]) -> Change:
    return lambda snapshot: replace(snapshot, group=change(snapshot.group))


def _network(change: Callable[[Network], Network]) -> Change:
    return lambda snapshot: replace(snapshot, network=change(snapshot.network))


def _tables(change: Callable[[tuple[RouteTable, ...]], tuple[RouteTable, ...]]) -> Change:
    return _network(lambda network: replace(network, route_tables=change(known(network.route_tables))))


def _table(table_id: str, change: Callable[[RouteTable], RouteTable]) -> Change:
    return _tables(lambda tables: tuple(change(table) if table.id == table_id else table for table in tables))
