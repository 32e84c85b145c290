"""A VPC as one packet meets it, step by step: the model that routes, ACL and reachability rules are compared with.

Nothing here is shared with the code under test but the records of `facts`. It asks of one packet at a time which
entry, rule or route applies, in loops over all of them, and it is sent wherever the answer can change: `borders` are
the first addresses (or ports) of the pieces that all blocks treat alike.

What AWS documents, in the VPC user guide (docs.aws.amazon.com/vpc/latest/userguide/) unless said otherwise:
- a subnet uses the table that is associated with it, else the main table of its VPC (subnet-route-tables.html);
- the longest prefix wins, then static routes, then prefix lists, then propagated routes (route-tables-priority.html);
- but no propagated route takes what is local (docs.aws.amazon.com/vpn/latest/s2svpn/vpn-route-priority.html);
- a NAT gateway sends on by the table of its own subnet (nat-gateway-basics.html);
- an internet gateway, egress-only or not, leads to addresses of the internet alone (VPC_Internet_Gateway.html);
- no table is asked, and no ACL, for what stays in its subnet (gateway-route-tables.html, nacl-basics.html);
- an ACL's entries count in the order of their numbers, each way on its own (nacl-rules.html);
- a security group admits what one of its rules admits, and the answer to it; a rule that names a group means the
  interfaces that carry it, by their private addresses (security-group-rules.html), but not what reaches it through an
  appliance (docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html).

Not modelled: what is beyond a gateway, a peering or an appliance lets everything through, and so does a NAT gateway on
the way to the internet; answers find their way back; the interfaces that send have no public addresses.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from apprunner_guardrails.facts import (
    AclEntry,
    GroupRule,
    Network,
    NetworkAcl,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Unread,
)

type Address = IPv4Address | IPv6Address
type Block = IPv4Network | IPv6Network
type Lists = Mapping[str, tuple[str, ...] | Unread]  # the entries of prefix lists, as far as they were read


class Unseen(Exception):
    """The packet comes to something that the snapshot does not show."""


@lru_cache(maxsize=4096)
def block(text: str) -> Block:
    return ip_network(text)


def address(family: int, number: int) -> Address:
    return IPv4Address(number) if family == 4 else IPv6Address(number)


def borders(first: int, last: int, blocks: Iterable[Block]) -> list[int]:
    """The first addresses of the pieces of `first` to `last`: at `first`, and where a block begins or has ended."""
    found = {first}
    for one in blocks:
        for number in (int(one.network_address), int(one.broadcast_address) + 1):
            if first < number <= last:
                found.add(number)
    return sorted(found)


def route_table(subnet: Subnet, network: Network) -> RouteTable:
    if not isinstance(network.route_tables, tuple):
        raise Unseen
    for table in network.route_tables:
        for subnet_id in table.subnet_ids:
            if subnet_id == subnet.id:
                return table
    for table in network.route_tables:
        if table.main and table.vpc_id == subnet.vpc_id:
            return table
    raise Unseen


def blocks_of(route: Route, lists: Lists) -> Iterator[Block]:
    if not route.destination.startswith("pl-"):
        yield block(route.destination)
        return
    entries = lists.get(route.destination)
    if not isinstance(entries, tuple):
        raise Unseen
    for entry in entries:
        yield block(entry)


def next_hop(destination: Address, routes: Iterable[Route], lists: Lists) -> Route | None:
    """The route that a packet takes; None where no route fits, and it is dropped."""
    fitting = [
        (one.prefixlen, route)
        for route in routes
        for one in blocks_of(route, lists)
        if one.version == destination.version and destination in one
    ]
    if any(route.target == "local" for _, route in fitting):
        fitting = [(length, route) for length, route in fitting if not route.propagated]
    best: tuple[int, Route] | None = None
    for candidate in fitting:
        if best is None or _is_preferred(candidate, best):
            best = candidate
    return best[1] if best else None


def _is_preferred(one: tuple[int, Route], other: tuple[int, Route]) -> bool:
    if one[0] != other[0]:
        return one[0] > other[0]
    if _kind(one[1]) != _kind(other[1]):
        return _kind(one[1]) < _kind(other[1])
    # Between two lists AWS chooses at random and sticks to it: here, as in the code under test, by their names.
    return one[1].destination < other[1].destination


def _kind(route: Route) -> int:
    if route.propagated:
        return 3
    if route.destination.startswith("pl-"):
        return 2
    return 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Addresses that every block treats alike, and the route that a packet to the first of them takes."""

    size: int
    route: Route | None


INTERNET = {4: (0, 2**32 - 1), 6: (0x2000 << 112, (0x4000 << 112) - 1)}


def over_the_internet(subnet: Subnet, network: Network, family: int) -> Iterator[Piece]:
    """Where packets from the subnet go, one for each piece of the internet.

    The lists of endpoints (of S3, say) are left out, as they are by definition: nobody reads them.
    """
    table = route_table(subnet, network)
    routes = [one for one in table.routes if not (one.destination.startswith("pl-") and one.target.startswith("vpce-"))]
    first, last = INTERNET[family]
    blocks = [one for route in routes for one in blocks_of(route, network.prefix_lists) if one.version == family]
    starts = borders(first, last, blocks)
    for start, end in zip(starts, [*starts[1:], last + 1], strict=True):
        yield Piece(size=end - start, route=next_hop(address(family, start), routes, network.prefix_lists))


def network_acl(subnet: Subnet, network: Network) -> NetworkAcl:
    if not isinstance(network.network_acls, tuple):
        raise Unseen
    for acl in network.network_acls:
        for subnet_id in acl.subnet_ids:
            if subnet_id == subnet.id:
                return acl
    raise Unseen


def acl_lets(acl: NetworkAcl, peer: Address, port: int, *, out: bool) -> bool:
    """Whether a TCP packet may leave to (or enter from) the peer; `port` is the one that it is sent to."""
    first: AclEntry | None = None
    for entry in acl.entries:
        if entry.egress == out and _is_about(entry, peer, port) and (first is None or entry.number < first.number):
            first = entry
    return first is not None and first.allow


def _is_about(entry: AclEntry, peer: Address, port: int) -> bool:
    if entry.protocol not in ("-1", "6"):
        return False
    if entry.from_port is not None and port < entry.from_port:
        return False
    if entry.to_port is not None and port > entry.to_port:
        return False
    return holds(entry.cidr, peer)


def acl_lets_of_the_internet(acl: NetworkAcl, family: int, port: int, *, out: bool) -> int:
    """How many of the internet's addresses a packet may leave to (or enter from), one packet for each piece."""
    first, last = INTERNET[family]
    blocks = [block(entry.cidr) for entry in acl.entries]
    starts = borders(first, last, [one for one in blocks if one.version == family])
    through = 0
    for start, end in zip(starts, [*starts[1:], last + 1], strict=True):
        if acl_lets(acl, address(family, start), port, out=out):
            through += end - start
    return through


def acl_ports(acl: NetworkAcl, first: int, last: int) -> list[int]:
    """The ports of a range at which an ACL's answer can change."""
    found = {first}
    for entry in acl.entries:
        for port in (entry.from_port, None if entry.to_port is None else entry.to_port + 1):
            if port is not None and first < port <= last:
                found.add(port)
    return sorted(found)


def holds(cidr: str, peer: Address) -> bool:
    return block(cidr).version == peer.version and peer in block(cidr)


def groups_let(
    groups: tuple[SecurityGroup, ...],
    peer: Address,
    its_groups: tuple[SecurityGroup, ...] | None,
    port: int,
    network: Network,
    *,
    out: bool,
) -> bool:
    """Whether a call may leave to (or come in from) the peer; what answers it needs no rule."""
    unseen = False
    for group in groups:
        for rule in group.egress if out else group.ingress:
            for named in rule.peers if _is_for(rule, port) else ():
                meant = _means(named, peer, its_groups, network)
                if meant is True:
                    return True
                if meant is None:
                    unseen = True
    if unseen:
        raise Unseen
    return False


def _is_for(rule: GroupRule, port: int) -> bool:
    if rule.protocol not in ("-1", "tcp", "6"):
        return False
    if rule.from_port is not None and port < rule.from_port:
        return False
    return rule.to_port is None or port <= rule.to_port


def _means(named: str, peer: Address, its_groups: tuple[SecurityGroup, ...] | None, network: Network) -> bool | None:
    """Whether a rule means the peer; None where that is out of sight."""
    if named.startswith("sg-"):
        return None if its_groups is None else any(group.id == named for group in its_groups)
    if named.startswith("pl-"):
        entries = network.prefix_lists.get(named)
        return any(holds(entry, peer) for entry in entries) if isinstance(entries, tuple) else None
    return holds(named, peer)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A TCP connection that an interface in a subnet opens.

    `source` is None where the subnet has no address of the destination's family. `there` is the destination's subnet,
    `their_groups` are its groups; each is None where it is out of sight, and then it lets everything through.
    """

    subnet: Subnet
    groups: tuple[SecurityGroup, ...]
    source: Address | None
    source_port: int
    destination: Address
    port: int
    there: Subnet | None
    their_groups: tuple[SecurityGroup, ...] | None

    @property
    def within(self) -> bool:
        """Whether the call never leaves the subnet."""
        if self.there is not None:
            return self.there.id == self.subnet.id
        return any(holds(cidr, self.destination) for cidr in (self.subnet.cidr, *self.subnet.ipv6_cidrs) if cidr)


HOPS = (
    "outbound rules",
    "outbound ACL",
    "route",
    "inbound ACL of the destination",
    "inbound rules of the destination",
    "outbound ACL of the destination",
    "inbound ACL",
)


def stopped_at(call: Call, network: Network) -> str:
    """The hop that drops the first packet of a call, or its answer; empty where the answer arrives.

    A list in the route table that nobody read may hold the destination or not: Unseen where that makes a difference.
    """
    hops = {_first_refusal(call, network, lists) for lists in _possible_lists(call, network)}
    if len(hops) > 1:
        raise Unseen
    return hops.pop()


def _possible_lists(call: Call, network: Network) -> list[Lists]:
    """What the lists may be, as far as the way to the destination goes."""
    possible: list[Lists] = [network.prefix_lists]
    for table in network.route_tables if isinstance(network.route_tables, tuple) else ():
        for name in {route.destination for route in table.routes if route.destination.startswith("pl-")}:
            if not isinstance(possible[0].get(name), tuple):
                possible = [{**lists, name: held} for lists in possible for held in ((), (str(call.destination),))]
    return possible


def _first_refusal(call: Call, network: Network, lists: Lists) -> str:
    for hop, lets_through in _hops(call, network, lists):
        if not lets_through:
            return hop
    return ""


def _hops(call: Call, network: Network, lists: Lists) -> Iterator[tuple[str, bool]]:
    yield "outbound rules", _is_let_out(call, network, lists)
    own = None if call.within else network_acl(call.subnet, network)
    if own:
        yield "outbound ACL", acl_lets(own, call.destination, call.port, out=True)
    if call.source is None:
        yield "route", False
        return
    if own:
        yield "route", last_table(call, network, lists)[1]
    beyond = network_acl(call.there, network) if own and call.there else None
    if beyond:
        yield "inbound ACL of the destination", acl_lets(beyond, call.source, call.port, out=False)
    if call.their_groups is not None:
        known_as = () if _by_an_appliance(call, network, lists) else call.groups
        admitted = groups_let(call.their_groups, call.source, known_as, call.port, network, out=False)
        yield "inbound rules of the destination", admitted
    if beyond:
        yield "outbound ACL of the destination", acl_lets(beyond, call.source, call.source_port, out=True)
    if own:
        yield "inbound ACL", acl_lets(own, call.destination, call.source_port, out=False)


def _way(call: Call, network: Network, lists: Lists) -> Route | None:
    return next_hop(call.destination, route_table(call.subnet, network).routes, lists)


def _is_let_out(call: Call, network: Network, lists: Lists) -> bool:
    """What is on the internet, or nowhere, carries no groups that a rule could mean."""
    try:
        return groups_let(call.groups, call.destination, call.their_groups, call.port, network, out=True)
    except Unseen:
        if call.their_groups is not None or call.within:
            raise
        way = _way(call, network, lists)
        if way is not None and not way.blackhole and not way.target.startswith(("igw-", "nat-", "eigw-")):
            raise
        return groups_let(call.groups, call.destination, (), call.port, network, out=True)


def _by_an_appliance(call: Call, network: Network, lists: Lists) -> bool:
    """Whether an appliance stands between: rules that name the groups of who calls do not mean what comes from it."""
    way = None if call.within else _way(call, network, lists)
    return way is not None and way.target.startswith(("eni-", "vpce-")) and not way.destination.startswith("pl-")


def last_table(call: Call, network: Network, lists: Lists) -> tuple[str, bool]:
    """The last table that a packet is sent by, and whether that sends it on.

    An internet gateway drops what comes from an address that is not public, as are all of a connector's. A NAT gateway
    gives it a public one; but what is not an address of the internet it does not get rid of there.
    """
    table = route_table(call.subnet, network)
    asked: list[str] = []
    while True:
        asked.append(table.id)
        route = next_hop(call.destination, table.routes, lists)
        if route is None or route.blackhole or route.target.startswith("igw-"):
            return table.id, False
        if call.destination.is_global:
            return table.id, True
        if not route.target.startswith("nat-"):
            return table.id, not route.target.startswith("eigw-")
        onward = route_table(_home(route.target, network), network)
        if onward.id in asked:  # it would be sent around for ever
            return table.id, False
        table = onward


def _home(nat_gateway: str, network: Network) -> Subnet:
    """The subnet that a NAT gateway sits in; a regional one sits in none, and its table is not read."""
    if isinstance(network.nat_gateways, tuple) and isinstance(network.subnets, tuple):
        for nat in network.nat_gateways:
            for subnet in network.subnets:
                if nat.id == nat_gateway and nat.subnet_id == subnet.id:
                    return subnet
    raise Unseen
