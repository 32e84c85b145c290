import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address
from typing import Literal, get_args

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import (
    AclEntry,
    Connector,
    Network,
    NetworkAcl,
    NotKnown,
    RouteTable,
    Subnet,
    Unread,
    known,
    told,
)
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.reach import (
    FOR_ALL_CLIENTS,
    REACHES,
    Arrival,
    Destination,
    Hop,
    Stop,
    acl_of,
    blocks_of,
    cidr,
    is_private,
    parts_of,
    stop,
)
from apprunner_guardrails.routes import Family, effective_table
from apprunner_guardrails.rules._common import (
    allow_in_acl,
    each,
    each_subnet,
    free_number,
    listed,
    replace_connector,
    set_route,
)
from apprunner_guardrails.settings import Settings

_FORM = "sg-…:PORT or CIDR:PORT, an IPv6 CIDR as [2001:db8::/32]:443, several separated by spaces"
_HOPS: tuple[Hop, ...] = get_args(Hop.__value__)
_PLACES = 3  # as many as a message names


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """What has to be reached by one of several ways, each an address and what is in sight of it.

    `place` names it where it is not all of the destination: a subnet's id, or CIDRs.
    """

    ways: tuple[tuple[str, Arrival], ...]
    place: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stopped:
    """A hop that stops what a subnet of the connector sends to a destination, or to places of it.

    `arrivals` are the subnets of the interfaces that are not reached, as far as they are in sight.
    """

    destination: Destination
    port: int
    subnet: Subnet
    family: Family
    stop: Stop
    places: tuple[str, ...]  # all that is not reached
    whole: bool  # which is all of the destination
    arrivals: tuple[Subnet, ...]


# What is stopped -----------------------------------------------------------------------------------------------------


def _stopped(connector: Connector, network: Network) -> Iterator[_Stopped]:
    named = (one for one in known(network.destinations) if not one.malformed)
    destinations = sorted(named, key=lambda one: (one.peer, one.ports, one.origin))
    return each(destinations, lambda one: _on_ports(one, connector, _with(one, network)))


def _with(destination: Destination, network: Network) -> Network:
    """The network with what was read for the destination alone."""
    acls = [network.network_acls, destination.acls]
    unread = next((one for one in acls if isinstance(one, Unread)), None)
    return replace(
        network,
        network_acls=unread or tuple(acl for some in acls for acl in known(some)),
        prefix_lists={**network.prefix_lists, **destination.prefix_lists},
    )


def _on_ports(destination: Destination, connector: Connector, network: Network) -> Iterator[_Stopped]:
    """Nothing where one of the ports is reached."""

    def on_port(port: int) -> Iterator[_Stopped]:
        return each_subnet(connector, network, lambda subnet: _from(subnet, destination, port, network))

    ports = [told(on_port(port)) for port in destination.ports]
    open_ports = {why for stops, why in ports if not stops}
    if "" in open_ports:
        return
    if not open_ports:
        for stops, _ in ports:
            yield from stops
    unknown = (open_ports or {why for _, why in ports}) - {""}
    if unknown:
        raise NotKnown("; ".join(sorted(unknown)))


def _from(subnet: Subnet, destination: Destination, port: int, network: Network) -> Iterator[_Stopped]:
    """One for each hop that stops anything."""
    targets = tuple(_targets(subnet, destination, network))
    found, why = told(each(targets, lambda target: _stop_of(target, subnet, port, network)))
    by_stop: dict[Stop, list[tuple[_Target, str, Arrival]]] = defaultdict(list)
    before: dict[Stop, int] = {}
    for target, address, arrival, one in found:
        alike = replace(one, before=0)
        by_stop[alike].append((target, address, arrival))
        before[alike] = min(one.before, before.get(alike, one.before))
    for one, stopped in by_stop.items():
        yield _Stopped(
            destination=destination,
            port=port,
            subnet=subnet,
            family=ip_address(stopped[0][1]).version,
            stop=replace(one, before=before[one]),
            places=_collapsed(place for target, _, _ in stopped for place in target.place),
            whole=len(stopped) == len(targets),
            arrivals=tuple({arrival.subnet.id: arrival.subnet for _, _, arrival in stopped if arrival.subnet}.values()),
        )
    if why:
        raise NotKnown(why)


def _targets(subnet: Subnet, destination: Destination, network: Network) -> Iterator[_Target]:
    groups = known(network.security_groups)
    if not groups:
        raise NotKnown("no security group of the connector can be seen")
    if not destination.is_group:
        for address, inside, cidrs in parts_of(destination.peer, subnet, groups, network):
            yield _Target(ways=((address, Arrival(subnet=inside, groups=None)),), place=cidrs)
        return
    interfaces = known(destination.interfaces)
    for one in interfaces:
        arrival = Arrival(subnet=one.subnet, groups=one.groups)
        yield _Target(ways=tuple((address, arrival) for address in one.addresses), place=(one.subnet.id,))
    if not interfaces:
        yield _anywhere(subnet, destination, network)


def _anywhere(subnet: Subnet, destination: Destination, network: Network) -> _Target:
    """A group that nothing carries yet: what will may be in any subnet of the VPC."""
    group = known(destination.group)
    if group is None:
        raise NotKnown(f"{destination.peer} cannot be seen from this account: it is gone, or another account's")
    if group.vpc_id != network.vpc_id:
        raise NotKnown(f"nothing carries {group.id} of {group.vpc_id}, so that it has no address to try")
    arrival = Arrival(subnet=None, groups=(group,))
    blocks = (str(block) for other in known(network.subnets) for family in (4, 6) for block in blocks_of(other, family))
    parts = (part for block in blocks for part in parts_of(block, subnet, known(network.security_groups), network))
    return _Target(ways=tuple((address, arrival) for address, _, _ in parts), place=())


def _stop_of(
    target: _Target, subnet: Subnet, port: int, network: Network
) -> Iterator[tuple[_Target, str, Arrival, Stop]]:
    """What stops the way that gets furthest, the first of those; nothing where one leads there."""
    stops: list[tuple[_Target, str, Arrival, Stop]] = []
    unknown: set[str] = set()
    for address, arrival in target.ways:
        try:
            found = stop(subnet, known(network.security_groups), address, port, arrival, network)
        except NotKnown as why:
            unknown.add(str(why))
            continue
        if found is None:
            return
        stops.append((target, address, arrival, found))
    if unknown:
        raise NotKnown("; ".join(sorted(unknown)))
    yield max(stops, key=lambda one: _HOPS.index(one[3].hop))


def _collapsed(places: Iterable[str]) -> tuple[str, ...]:
    """Subnets by id, sorted; CIDRs as few as can be, by address."""
    named = set(places)
    blocks = [cidr(place) for place in named if "/" in place]
    ipv4 = collapse_addresses(block for block in blocks if isinstance(block, IPv4Network))
    ipv6 = collapse_addresses(block for block in blocks if isinstance(block, IPv6Network))
    return (*sorted(place for place in named if "/" not in place), *map(str, ipv4), *map(str, ipv6))


# What is said --------------------------------------------------------------------------------------------------------


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for destination in known(network.destinations):
        if destination.malformed:
            word = f"{destination.peer!r}: {destination.malformed}"
            yield f"tag {REACHES} ({destination.origin}) has {word}; it takes {_FORM}"
    stopped, why = told(_stopped(connector, network))
    sources: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in stopped:
        sources[_said(one)].add(_source(one))
    for (not_reached, because), subnets in sources.items():
        yield f"{not_reached} from {listed(subnets)}: {because}"
    if why:
        raise NotKnown(why)


def _said(one: _Stopped) -> tuple[str, str]:
    """What is not reached, and what stops it: subnets of which both are the same are told in one message."""
    peer = f"[{one.destination.peer}]" if ":" in one.destination.peer else one.destination.peer
    some = f"{listed(one.places[:_PLACES])}{_more(one.places)}"
    where = "" if one.whole else f" in {some}"
    reached = f"{peer}:{one.port} ({one.destination.origin}) is not reached{where}"
    return reached, f"{one.stop.hop}, {one.stop.where} {one.stop.why}"


def _more(places: tuple[str, ...]) -> str:
    return f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""


def _source(one: _Stopped) -> str:
    blocks = listed(map(str, blocks_of(one.subnet, one.family)), nothing="")
    return f"{one.subnet.id} ({blocks})" if blocks else one.subnet.id


# What mends it -------------------------------------------------------------------------------------------------------


def command(connector: Connector, network: Network, settings: Settings) -> str:
    stopped, _ = told(_stopped(connector, network))
    acls: dict[str, NetworkAcl] = {}
    lines = [line for one in stopped for line in _mends(one, connector, _with(one.destination, network), acls)]
    if any(one.malformed for one in known(network.destinations)):
        lines.append(
            f"aws apprunner tag-resource --region {shlex.quote(connector.region)} --resource-arn RESOURCE_ARN"
            f" --tags Key={REACHES},Value=DESTINATION:PORT"
        )
    return "\n".join(dict.fromkeys(lines))


def _mends(one: _Stopped, connector: Connector, network: Network, acls: dict[str, NetworkAcl]) -> Iterator[str]:
    """`acls` by id, with the entries that commands have added before."""
    ours, theirs = [str(block) for block in blocks_of(one.subnet, one.family)], _blocks_there(one)
    group, called = min(group.id for group in known(network.security_groups)), (one.port, one.port)
    match one.stop.hop:
        case "outbound rules":
            yield _authorize(one, network, "egress", group, peer=one.destination.peer, blocks=theirs)
        case "inbound rules of the destination":
            yield _authorize(one, network, "ingress", one.destination.peer, peer=group, blocks=ours)
        case "outbound ACL":
            yield from _entries(one, [one.subnet], network, acls, blocks=theirs, ports=called, egress=True)
        case "inbound ACL":
            yield from _entries(one, [one.subnet], network, acls, blocks=theirs, ports=FOR_ALL_CLIENTS, egress=False)
        case "inbound ACL of the destination":
            yield from _entries(one, one.arrivals, network, acls, blocks=ours, ports=called, egress=False)
        case "outbound ACL of the destination":
            yield from _entries(one, one.arrivals, network, acls, blocks=ours, ports=FOR_ALL_CLIENTS, egress=True)
        case "route" if one.stop.where == one.subnet.id:
            yield replace_connector(
                connector, (), connector.security_group_ids, note=f"it takes subnets with IPv{one.family} addresses"
            )
        case "route":
            for block in theirs:
                yield from _lead(block, effective_table(one.subnet, network), network)


def _blocks_there(one: _Stopped) -> list[str]:
    """CIDRs that have what is not reached."""
    if not one.destination.is_group:
        return list(one.places) if len(one.places) <= _PLACES else [one.destination.peer]
    blocks = [str(block) for subnet in one.arrivals for block in blocks_of(subnet, one.family)]
    return sorted(blocks) or ["DESTINATION_CIDR"]


def _authorize(
    one: _Stopped,
    network: Network,
    direction: Literal["egress", "ingress"],
    group_id: str,
    *,
    peer: str,
    blocks: Iterable[str],
) -> str:
    """By group where both ends are in one VPC and nothing is between; not every peering takes rules by group."""
    inside = one.destination.is_group and all(subnet.vpc_id == network.vpc_id for subnet in one.arrivals)
    if inside and not one.stop.by_address:
        peers = f"UserIdGroupPairs=[{{GroupId={peer}}}]"
    elif one.family == 6:  # noqa: PLR2004 - IPv6
        peers = f"Ipv6Ranges=[{','.join(f'{{CidrIpv6={block}}}' for block in blocks)}]"
    else:
        peers = f"IpRanges=[{','.join(f'{{CidrIp={block}}}' for block in blocks)}]"
    allowed = f"IpProtocol=tcp,FromPort={one.port},ToPort={one.port},{peers}"
    return (
        f"aws ec2 authorize-security-group-{direction} --region {shlex.quote(network.region)}"
        f" --group-id {shlex.quote(group_id)} --ip-permissions {shlex.quote(allowed)}"
    )


def _entries(
    one: _Stopped,
    subnets: Iterable[Subnet],
    network: Network,
    acls: dict[str, NetworkAcl],
    *,
    blocks: Iterable[str],
    ports: tuple[int, int],
    egress: bool,
) -> Iterator[str]:
    """Entries in the subnets' ACLs, each with a number of its own."""
    before = one.stop.before
    for subnet in subnets:
        for block in blocks:
            acl = acl_of(subnet, network)
            acl = acls.get(acl.id, acl)
            first, last = ports
            entry = AclEntry(
                number=0, egress=egress, allow=True, protocol="6", cidr=block, from_port=first, to_port=last
            )
            if any(replace(other, number=0) == entry and other.number < before for other in acl.entries):
                continue
            entry = replace(entry, number=free_number(acl, egress=egress, before=before))
            acls[acl.id] = replace(acl, entries=(*acl.entries, entry))
            yield allow_in_acl(network, acl, entry)


def _lead(block: str, table: RouteTable, network: Network) -> Iterator[str]:
    """To the internet by a NAT gateway; elsewhere by what this snapshot does not know.

    From the connector's own subnet, though it may be behind a NAT gateway that the way ends: most of those lead to the
    internet, and what has a way of its own keeps its address.
    """
    verb: Literal["create-route", "replace-route"] = "create-route"
    if any(route.destination == block for route in table.routes):
        verb = "replace-route"
    if "/" in block and not is_private(cidr(block)):
        yield set_route(network, verb, table.id, block)
        return
    option = "--destination-ipv6-cidr-block" if ":" in block else "--destination-cidr-block"
    yield "# or --transit-gateway-id: whatever leads there"
    yield (
        f"aws ec2 {verb} --region {shlex.quote(network.region)} --route-table-id {shlex.quote(table.id)}"
        f" {option} {shlex.quote(block)} --vpc-peering-connection-id VPC_PEERING_CONNECTION_ID"
    )


RULE = Rule(
    id="AR306",
    name="connector_destination_blocked",
    title="What the VPC connector is there for cannot be reached",
    severity=Severity.HIGH,
    risk="The service depends on it, and its calls there time out.",
    remediation="Open the hop that the message names. Security groups remember connections; network ACLs do not, and"
    " need the ports of the answers (1024-65535) open on the way back.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/troubleshooting.vpc-outbound-connect-failure.html",
    reports=(
        "https://github.com/aws/copilot-cli/issues/3504",
        "https://github.com/aws/copilot-cli/issues/5397",
        "https://github.com/aws/copilot-cli/issues/5814",
    ),
    needs=(
        "subnets",
        "route_tables",
        "prefix_lists",
        "nat_gateways",
        "network_acls",
        "security_groups",
        "destinations",
    ),
    check=check,
    command=command,
)
