"""EC2 for many connectors at once: the networks of a whole Region in a few calls, in place of ten calls each."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from apprunner_guardrails.aws import ec2
from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.facts import (
    Connector,
    Endpoint,
    NatGateway,
    Network,
    NetworkInterface,
    RouteTable,
    SecurityGroup,
    Structure,
    Subnet,
    Unread,
    Zone,
    if_read,
    subnets_indexed,
)
from apprunner_guardrails.light import replace
from apprunner_guardrails.once import judging, once
from apprunner_guardrails.settings import Settings

if TYPE_CHECKING:
    from apprunner_guardrails.aws.reads import Page


def read_structure(reads: Reads, connectors: Iterable[Connector]) -> Structure:
    """Subnets, routes, gateways, ACLs and groups of every VPC that has a connector: two rounds."""
    connectors = tuple(connectors)
    wanted = {subnet for one in connectors for subnet in one.subnet_ids}
    named = {group for one in connectors for group in one.security_group_ids}
    rows = ec2.rows_of("Subnets", ec2.subnet)
    few = len(wanted) <= ec2.FILTER_VALUES  # where one call cannot name them, all of the Region are read
    placed = (
        _all(reads, "DescribeSubnets", rows, "subnet-id", wanted) if few else reads.ask("ec2", "DescribeSubnets", rows)
    )
    groups = _all(reads, "DescribeSecurityGroups", ec2.rows_of("SecurityGroups", ec2.security_group), "group-id", named)
    subnets = placed()
    vpcs = {subnet.vpc_id for subnet in if_read(subnets) if subnet.id in wanted}
    tables = _all(reads, "DescribeRouteTables", ec2.rows_of("RouteTables", ec2.route_table), "vpc-id", vpcs)
    nats = _all(reads, "DescribeNatGateways", ec2.rows_of("NatGateways", ec2.nat_gateway), "vpc-id", vpcs)
    acls = _all(reads, "DescribeNetworkAcls", ec2.rows_of("NetworkAcls", ec2.network_acl), "vpc-id", vpcs)
    inside = _all(reads, "DescribeSubnets", rows, "vpc-id", vpcs) if few else placed
    defaults = _default_groups(reads, vpcs if any(not one.security_group_ids for one in connectors) else ())
    if isinstance(subnets, Unread):
        return Structure(
            subnets=subnets,
            route_tables=subnets,
            nat_gateways=subnets,
            network_acls=subnets,
            security_groups=_joined(groups(), ()),
        )
    return Structure(
        subnets=inside(),
        route_tables=tables(),
        nat_gateways=nats(),
        network_acls=acls(),
        security_groups=_joined(groups(), defaults()),
    )


@judging()
def read_networks(
    reads: Reads, structure: Structure, connectors: Iterable[Connector], account: str, settings: Settings
) -> Mapping[str, Network]:
    """The network of each connector, by its ARN: two more rounds; DNS attributes are the only calls for each VPC.

    What cannot be read is Unread in its place, in every network that it concerns.
    """
    connectors = tuple(connectors)
    vpc_of = {one.arn: _vpc_of(one, structure) for one in connectors}
    vpcs = {vpc for vpc in vpc_of.values() if isinstance(vpc, str) and vpc}
    asked_zones = ec2.read_zones(reads)
    asked_interfaces = _interfaces(reads, structure.security_groups, connectors)
    asked_endpoints = _endpoints(reads, vpcs, settings)
    asked_groups = _all(
        reads, "DescribeSecurityGroups", ec2.rows_of("SecurityGroups", ec2.security_group), "vpc-id", vpcs
    )
    attributes = {
        (vpc, name): ec2.read_vpc_attribute(reads, vpc, name)
        for vpc in sorted(vpcs)
        for name in ("EnableDnsSupport", "EnableDnsHostnames")
    }
    if not connectors:
        return {}  # and nothing is waited for
    # Each answer is looked at once, whatever the number of connectors: what is of one VPC, its connectors share.
    zones, interfaces, endpoints, every_group = asked_zones(), asked_interfaces(), asked_endpoints(), asked_groups()
    dns = {key: pending() for key, pending in attributes.items()}
    networks: dict[str, Network] = {}
    for one in connectors:
        vpc = vpc_of[one.arn]
        if isinstance(vpc, Unread) or not vpc:
            networks[one.arn] = _without_vpc(one, structure, zones, account, vpc)
            continue
        networks[one.arn] = Network(
            account=account,
            region=one.region,
            vpc_id=vpc,
            zones=zones,
            subnets=_in(vpc, structure.subnets),
            route_tables=_in(vpc, structure.route_tables),
            prefix_lists={},
            nat_gateways=_in(vpc, structure.nat_gateways),
            network_acls=structure.network_acls,
            security_groups=_groups_of(one, vpc, structure),
            group_interfaces=interfaces,
            endpoints=_in(vpc, endpoints),
            dns_support=dns[vpc, "EnableDnsSupport"],
            dns_hostnames=dns[vpc, "EnableDnsHostnames"],
            vpc_groups=_in(vpc, every_group),
        )
    return _with_prefix_lists(reads, connectors, networks)


def _with_prefix_lists(
    reads: Reads, connectors: Iterable[Connector], networks: Mapping[str, Network]
) -> Mapping[str, Network]:
    in_play = {
        one.arn: tuple(
            sorted({*ec2.lists_in_play(one, networks[one.arn]), *_lists_admitted(networks[one.arn].vpc_groups)})
        )
        for one in connectors
    }
    asked = {name: ec2.read_prefix_list(reads, name) for name in dict.fromkeys(chain.from_iterable(in_play.values()))}
    content = {name: pending() for name, pending in asked.items()}
    shared = {names: {name: content[name] for name in names} for names in set(in_play.values())}
    return {arn: replace(networks[arn], prefix_lists=shared[names]) for arn, names in in_play.items()}


@once
def _lists_admitted(groups: tuple[SecurityGroup, ...] | Unread) -> frozenset[str]:
    """The prefix lists from which groups of the VPC admit anything."""
    rules = (rule for group in if_read(groups) for rule in group.ingress)
    return frozenset(peer for rule in rules for peer in rule.peers if peer.startswith("pl-"))


def _vpc_of(connector: Connector, structure: Structure) -> str | Unread:
    """Empty where none of its subnets exists any more."""
    if isinstance(structure.subnets, Unread):
        return structure.subnets
    by_id = subnets_indexed(structure.subnets)
    return next((by_id[one].vpc_id for one in connector.subnet_ids if one in by_id), "")


def _without_vpc(
    connector: Connector, structure: Structure, zones: tuple[Zone, ...] | Unread, account: str, why: str | Unread
) -> Network:
    named, unplaced = connector.security_group_ids, ec2.unplaced_network(connector, account, why)
    return replace(
        unplaced,
        zones=zones,
        security_groups=_groups_of(connector, "", structure) if named else unplaced.security_groups,
    )


def _in[T: (Subnet, RouteTable, NatGateway, Endpoint, SecurityGroup)](
    vpc: str, facts: tuple[T, ...] | Unread
) -> tuple[T, ...] | Unread:
    return facts if isinstance(facts, Unread) else _by_vpc(facts).get(vpc, ())


@once
def _by_vpc[T: (Subnet, RouteTable, NatGateway, Endpoint, SecurityGroup)](
    facts: tuple[T, ...],
) -> Mapping[str, tuple[T, ...]]:
    found: dict[str, list[T]] = defaultdict(list)
    for fact in facts:
        found[fact.vpc_id].append(fact)
    return {vpc: tuple(inside) for vpc, inside in found.items()}


def _groups_of(connector: Connector, vpc: str, structure: Structure) -> tuple[SecurityGroup, ...] | Unread:
    groups = structure.security_groups
    if isinstance(groups, Unread):
        return groups
    if not connector.security_group_ids:
        return tuple(group for group in _by_vpc(groups).get(vpc, ()) if group.name == "default")
    places = _places(groups)
    return tuple(groups[one] for one in sorted(places[name] for name in connector.security_group_ids if name in places))


@once
def _places(groups: tuple[SecurityGroup, ...]) -> Mapping[str, int]:
    return {group.id: place for place, group in enumerate(groups)}


def _default_groups(reads: Reads, vpcs: Iterable[str]) -> Pending[tuple[SecurityGroup, ...]]:
    rows = ec2.rows_of("SecurityGroups", ec2.security_group)
    return _all(reads, "DescribeSecurityGroups", rows, "vpc-id", vpcs, also=("group-name", ("default",)))


def _interfaces(
    reads: Reads, groups: tuple[SecurityGroup, ...] | Unread, connectors: Iterable[Connector]
) -> Pending[tuple[NetworkInterface, ...]]:
    """Who carries the groups that have inbound rules."""
    if isinstance(groups, Unread):
        return lambda: groups
    used = {group for one in connectors for group in one.security_group_ids}
    inbound = {one.id for one in groups if one.ingress and (one.id in used or one.name == "default")}
    rows = ec2.rows_of("NetworkInterfaces", ec2.network_interface)
    return _all(reads, "DescribeNetworkInterfaces", rows, "group-id", inbound, managed=True)


def _endpoints(reads: Reads, vpcs: Iterable[str], settings: Settings) -> Pending[tuple[Endpoint, ...]]:
    if not settings.required_endpoint_services:
        return lambda: ()
    return _all(reads, "DescribeVpcEndpoints", ec2.rows_of("VpcEndpoints", ec2.endpoint), "vpc-id", vpcs)


def _all[T](
    reads: Reads,
    operation: str,
    rows: "Callable[[Sequence[Page]], tuple[T, ...]]",
    name: str,
    values: Iterable[str],
    *,
    also: tuple[str, tuple[str, ...]] | None = None,
    managed: bool = False,
) -> Pending[tuple[T, ...]]:
    """What has one of the values, in as few calls as filters allow; Unread as a whole if one of them fails."""
    member = "Filter" if operation == "DescribeNatGateways" else "Filters"
    every = {"IncludeManagedResources": True} if managed else {}

    def ask(some: tuple[str, ...]) -> Pending[tuple[T, ...]]:
        filters = {member: ec2.where((name, some), *((also,) if also else ()))}
        return reads.ask("ec2", operation, rows, **filters, **every)

    return ec2.any_of(values, ask)


def _joined[T](one: tuple[T, ...] | Unread, other: tuple[T, ...] | Unread) -> tuple[T, ...] | Unread:
    if isinstance(one, Unread) or isinstance(other, Unread):
        return one if isinstance(one, Unread) else other
    return tuple(dict.fromkeys((*one, *other)))
