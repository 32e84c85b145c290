"""What connectors' services depend on, as far as EC2 shows it: the groups, interfaces and ACLs of the other end.

Nothing is asked where nothing is declared. Else a round for the groups' interfaces and one for what is around them,
whatever the number of connectors; one before both where AWS Copilot's databases are looked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from apprunner_guardrails.aws import ec2
from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.facts import (
    Connector,
    Network,
    NetworkAcl,
    NotKnown,
    SecurityGroup,
    Subnet,
    Unread,
    connector_subnets,
    if_read,
    known,
)
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.reach import (
    REACHES,
    Destination,
    DestinationInterface,
    blocks_of,
    cidr,
    declared,
    peers_on,
    tables_on_the_way,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import NetworkInterfaceTypeDef, SecurityGroupTypeDef

type Found = tuple[Destination, ...] | Unread

# AWS Copilot's tags, and how the database groups of its templates are told from the groups of workloads, which have the
# same tags (github.com/aws/copilot-cli, internal/pkg/template/templates/addons/aurora).
_APPLICATION, _ENVIRONMENT, _SERVICE = "copilot-application", "copilot-environment", "copilot-service"
_LOGICAL_ID, _DATABASE = "aws:cloudformation:logical-id", "DBClusterSecurityGroup"
_DESCRIPTIONS = (
    "The Security Group for the Aurora Serverless v2 cluster.",
    "The Security Group for the database cluster.",
)
_DATABASE_PORTS = (3306, 5432)  # Aurora's, of MySQL and of PostgreSQL


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A connector whose destinations are asked for.

    `tags` are its own and those of the services that use it, by what messages call them: "connector orders",
    "service api".
    """

    connector: Connector
    network: Network
    tags: Mapping[str, Mapping[str, str] | Unread]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Interface:
    """A network interface as EC2 tells of it."""

    id: str
    addresses: tuple[str, ...]
    subnet_id: str
    group_ids: tuple[str, ...]
    app_runner: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Database:
    """A security group that Copilot's tags are on."""

    group: SecurityGroup
    tags: Mapping[str, str]
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Around:
    """What was read about the other ends, by id."""

    interfaces: tuple[_Interface, ...] | Unread
    groups: Mapping[str, SecurityGroup | Unread]
    subnets: Mapping[str, Subnet | Unread]
    acls: tuple[NetworkAcl, ...] | Unread


def is_declaring(tags: Mapping[str, str]) -> bool:
    """Whether a service's tags can lead to a destination: by our own tag, or by Copilot's."""
    return REACHES in tags or bool(tags.get(_APPLICATION) and tags.get(_ENVIRONMENT))


def read_destinations(reads: Reads, asked: Mapping[str, Asked]) -> Mapping[str, Found]:
    """The destinations of each connector, by its ARN; Unread where its tags, or a service's, were not read.

    Where nobody declares any, the databases that Copilot made for the same environment.
    """
    found = {arn: _declared(one) for arn, one in asked.items()}
    found |= _databases(reads, {arn: one for arn, one in asked.items() if found[arn] == ()})
    wanted = {arn: of_it for arn, of_it in found.items() if isinstance(of_it, tuple) and any(d.ports for d in of_it)}
    return {**found, **_seen(reads, asked, wanted)} if wanted else found


def _declared(one: Asked) -> Found:
    tags: dict[str, Mapping[str, str]] = {}
    for on, held in sorted(one.tags.items()):
        if isinstance(held, Unread):
            return held
        tags[on] = held
    return declared(tags)


# AWS Copilot ---------------------------------------------------------------------------------------------------------


def _databases(reads: Reads, asked: Mapping[str, Asked]) -> Mapping[str, Found]:
    """One call for all connectors that have a VPC and, or their services, the tags of an environment."""
    wanted = {arn: of_it for arn, one in asked.items() if one.network.vpc_id and (of_it := _environments(one))}
    if not wanted:
        return {}
    pairs = {pair for of_it in wanted.values() for pair in of_it}
    filters = ec2.where(
        ("vpc-id", tuple(sorted({asked[arn].network.vpc_id for arn in wanted}))),
        (f"tag:{_APPLICATION}", tuple(sorted({application for application, _ in pairs}))),
        (f"tag:{_ENVIRONMENT}", tuple(sorted({environment for _, environment in pairs}))),
    )
    told = reads.ask("ec2", "DescribeSecurityGroups", ec2.rows_of("SecurityGroups", _database), Filters=filters)()
    if isinstance(told, Unread):
        return dict.fromkeys(wanted, told)
    return {
        arn: tuple(
            _destination(one, pair)
            for one in sorted(told, key=lambda one: one.group.id)
            for pair, services in sorted(of_it.items())
            if one.group.vpc_id == asked[arn].network.vpc_id and _is_of(one, pair, services)
        )
        for arn, of_it in wanted.items()
    }


def _environments(one: Asked) -> Mapping[tuple[str, str], frozenset[str]]:
    """The applications and environments that the connector and its services are of, and Copilot's names of those."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for tags in one.tags.values():
        if isinstance(tags, Mapping) and tags.get(_APPLICATION) and tags.get(_ENVIRONMENT):
            pair = tags[_APPLICATION], tags[_ENVIRONMENT]
            found[pair] = found.get(pair, frozenset()) | ({tags[_SERVICE]} if _SERVICE in tags else frozenset())
    return found


def _is_of(one: _Database, pair: tuple[str, str], services: frozenset[str]) -> bool:
    """Whether it is a database's, and of the environment or of one of the services."""
    named = one.tags.get(_LOGICAL_ID)
    database = named.endswith(_DATABASE) if named else one.description in _DESCRIPTIONS
    ours = (one.tags.get(_APPLICATION), one.tags.get(_ENVIRONMENT)) == pair
    return database and ours and (_SERVICE not in one.tags or one.tags[_SERVICE] in services)


def _destination(one: _Database, pair: tuple[str, str]) -> Destination:
    """On the port that its inbound rules name; on either where they name none, for EC2 does not tell the engine."""
    named = {
        rule.from_port
        for rule in one.group.ingress
        if rule.protocol == "tcp" and rule.from_port == rule.to_port and rule.from_port in _DATABASE_PORTS
    }
    ports = tuple(port for port in _DATABASE_PORTS if port in named) if len(named) == 1 else _DATABASE_PORTS
    application, environment = pair
    return Destination(
        peer=one.group.id,
        ports=ports,
        origin=f"a database that AWS Copilot made in {application!r}, environment {environment!r}",
        group=one.group,
    )


# What is there -------------------------------------------------------------------------------------------------------


def _seen(
    reads: Reads, asked: Mapping[str, Asked], wanted: Mapping[str, tuple[Destination, ...]]
) -> Mapping[str, Found]:
    around = _around(reads, [(asked[arn].network, of_it) for arn, of_it in wanted.items()])
    filled = {
        arn: tuple(_filled(one, asked[arn].network, around) if one.ports else one for one in of_it)
        for arn, of_it in wanted.items()
    }
    needed = {arn: _lists(asked[arn], of_it) for arn, of_it in filled.items()}
    lists = {name: ec2.read_prefix_list(reads, name) for names in needed.values() for name in names}
    return {
        arn: tuple(replace(one, prefix_lists={name: lists[name]() for name in needed[arn]}) for one in of_it)
        for arn, of_it in filled.items()
    }


def _around(reads: Reads, wanted: Sequence[tuple[Network, tuple[Destination, ...]]]) -> _Around:
    """Who carries the groups; then the groups, subnets and ACLs around them that no network has."""
    destinations = [one for _, of_it in wanted for one in of_it]
    networks = [network for network, _ in wanted]
    groups: dict[str, SecurityGroup | Unread] = {
        one.id: one for network in networks for one in (*if_read(network.vpc_groups), *if_read(network.security_groups))
    }
    groups |= {one.peer: one.group for one in destinations if one.group}
    subnets = {one.id: one for network in networks for one in if_read(network.subnets)}
    named = sorted({one.peer for one in destinations if one.ports and one.is_group})
    carrying, elsewhere = _interfaces(reads, named), _groups(reads, named, groups)
    interfaces = _that_answer(carrying())
    groups |= elsewhere()
    near = if_read(interfaces)
    beside = _groups(reads, {one for it in near for one in it.group_ids} - set(named), groups)
    strange = ec2.subnets_by_id(reads, sorted({one.subnet_id for one in near} - subnets.keys()))
    acls = _acls(reads, {one for network, of_it in wanted for one in _unguarded(network, of_it, near)})
    return _Around(
        interfaces=interfaces,
        groups={**groups, **beside()},
        subnets={**subnets, **strange()},
        acls=acls(),
    )


def _that_answer(interfaces: tuple[_Interface, ...] | Unread) -> tuple[_Interface, ...] | Unread:
    """Without App Runner's own, which only call."""
    if isinstance(interfaces, Unread):
        return interfaces
    return tuple(one for one in interfaces if one.addresses and not one.app_runner)


def _filled(one: Destination, network: Network, around: _Around) -> Destination:
    unguarded = _unguarded(network, (one,), if_read(around.interfaces))
    acls: tuple[NetworkAcl, ...] | Unread = ()
    if unguarded:
        acls = around.acls
    if isinstance(acls, tuple):
        acls = tuple(acl for acl in acls if not unguarded.isdisjoint(acl.subnet_ids))
    if not one.is_group:
        return replace(one, acls=acls)
    interfaces = _carriers(one.peer, around)
    return replace(one, group=around.groups.get(one.peer), interfaces=interfaces, acls=acls)


def _carriers(group_id: str, around: _Around) -> tuple[DestinationInterface, ...] | Unread:
    if isinstance(around.interfaces, Unread):
        return around.interfaces
    found = []
    for one in around.interfaces:
        if group_id not in one.group_ids:
            continue
        subnet = around.subnets[one.subnet_id]
        groups = [around.groups.get(name, _left_out(name)) for name in one.group_ids]
        unread = next((fact for fact in (subnet, *groups) if isinstance(fact, Unread)), None)
        if unread:
            return unread
        found.append(_carrier(one, subnet, groups))
    return tuple(sorted(found, key=lambda one: one.id))


def _carrier(
    one: _Interface, subnet: Subnet | Unread, groups: Iterable[SecurityGroup | Unread]
) -> DestinationInterface:
    return DestinationInterface(
        id=one.id, addresses=one.addresses, subnet=known(subnet), groups=tuple(map(known, groups))
    )


def _left_out(group_id: str) -> Unread:
    return Unread(call="ec2:DescribeSecurityGroups", code=f"{group_id} is not in the answer")


def _unguarded(network: Network, destinations: Iterable[Destination], interfaces: Iterable[_Interface]) -> set[str]:
    """The subnets at the other end whose ACLs the network leaves out. None where it could not read its own."""
    if isinstance(network.network_acls, Unread):
        return set()
    peers = {one.peer for one in destinations if one.ports}
    carrying = {one.subnet_id for one in interfaces if not peers.isdisjoint(one.group_ids)}
    blocks = [cidr(peer) for peer in peers if "/" in peer]
    inside = {
        subnet.id
        for subnet in if_read(network.subnets)
        for block in blocks
        if any(one.overlaps(block) for one in blocks_of(subnet, block.version))
    }
    return (carrying | inside) - {subnet_id for acl in network.network_acls for subnet_id in acl.subnet_ids}


def _lists(asked: Asked, destinations: Iterable[Destination]) -> tuple[str, ...]:
    """The prefix lists that rules and routes on the way name and that were not read, sorted."""
    network, named = asked.network, set[str]()
    for one in destinations:
        if isinstance(one.group, SecurityGroup):
            named |= _peers(one, [one.group], ingress=True)
        named |= _peers(one, if_read(network.security_groups), ingress=False)
        named |= {peer for it in if_read(one.interfaces) for peer in _peers(one, it.groups, ingress=True)}
        beyond = any(it.subnet.vpc_id != network.vpc_id for it in if_read(one.interfaces))
        if one.ports and (beyond or not one.is_group):
            named |= _routed(asked)
    read = {name for name, entries in network.prefix_lists.items() if isinstance(entries, tuple)}
    return tuple(sorted({name for name in named if name.startswith("pl-")} - read))


def _peers(one: Destination, groups: Iterable[SecurityGroup], *, ingress: bool) -> set[str]:
    rules = [rule for group in groups for rule in (group.ingress if ingress else group.egress)]
    return {peer for port in one.ports for peer in peers_on(rules, port)}


def _routed(asked: Asked) -> set[str]:
    """What the connector's tables route, and those of the NAT gateways on the way: gateway endpoints put the lists of
    S3 and DynamoDB there."""
    try:
        subnets = connector_subnets(asked.connector, asked.network)
        tables = [table for subnet in subnets for table in tables_on_the_way(subnet, asked.network)]
    except NotKnown:
        return set()  # the rule will say so
    return {route.destination for table in tables for route in table.routes}


# Calls ---------------------------------------------------------------------------------------------------------------


def _interfaces(reads: Reads, group_ids: Iterable[str]) -> Pending[tuple[_Interface, ...]]:
    rows = ec2.rows_of("NetworkInterfaces", _interface)

    def ask(some: tuple[str, ...]) -> Pending[tuple[_Interface, ...]]:
        # The interfaces of ECS and others, which are what is to be reached, are hidden from lists by default.
        every = {"Filters": ec2.where(("group-id", some)), "IncludeManagedResources": True}
        return reads.ask("ec2", "DescribeNetworkInterfaces", rows, **every)

    return ec2.any_of(group_ids, ask)


def _acls(reads: Reads, subnet_ids: Iterable[str]) -> Pending[tuple[NetworkAcl, ...]]:
    rows = ec2.rows_of("NetworkAcls", ec2.network_acl)
    return ec2.any_of(
        subnet_ids,
        lambda some: reads.ask("ec2", "DescribeNetworkAcls", rows, Filters=ec2.where(("association.subnet-id", some))),
    )


def _groups(
    reads: Reads, ids: Iterable[str], have: Mapping[str, SecurityGroup | Unread]
) -> Callable[[], Mapping[str, SecurityGroup | Unread]]:
    """Those that nobody has yet; what cannot be seen is left out."""
    wanted = sorted(set(ids) - have.keys())
    told = ec2.find_security_groups(reads, wanted)

    def wait() -> Mapping[str, SecurityGroup | Unread]:
        found = told()
        return dict.fromkeys(wanted, found) if isinstance(found, Unread) else dict(found)

    return wait


def _interface(row: "NetworkInterfaceTypeDef") -> _Interface:
    """Its first IPv4 address, which is what names resolve to, and all of IPv6."""
    ipv6 = sorted(one["Ipv6Address"] for one in row.get("Ipv6Addresses", ()))
    return _Interface(
        id=row["NetworkInterfaceId"],
        addresses=tuple(filter(None, (row.get("PrivateIpAddress", ""), *ipv6))),
        subnet_id=row["SubnetId"],
        group_ids=tuple(sorted(group["GroupId"] for group in row.get("Groups", ()))),
        app_runner=ec2.network_interface(row).app_runner,
    )


def _database(row: "SecurityGroupTypeDef") -> _Database:
    return _Database(
        group=ec2.security_group(row),
        tags={tag["Key"]: tag.get("Value", "") for tag in row.get("Tags", ())},
        description=row.get("Description", ""),
    )
