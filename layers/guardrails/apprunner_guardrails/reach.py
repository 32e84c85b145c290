"""Whether a TCP connection gets from a connector's subnet to an address and back, and what first stops it. Pure.

    from the connector's subnet                            in the destination's subnet, where that is in sight
    outbound rules → outbound ACL → route           →      inbound ACL → inbound rules
                     inbound ACL                    ←      outbound ACL

Security groups remember connections: what they let out, or in, is answered. Network ACLs remember nothing, so that the
answers need entries of their own, on the ports that clients choose.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range
from itertools import pairwise
from typing import Literal

from apprunner_guardrails.facts import (
    AclEntry,
    GroupRule,
    Network,
    NetworkAcl,
    NotKnown,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Unread,
    known,
)
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once
from apprunner_guardrails.routes import Cidr, Family, effective_table, precedence

REACHES = "apprunner-guardrails:reaches"  # the tag by which connectors and services declare what they depend on
_TO_THE_INTERNET = ("igw-", "nat-", "eigw-")
_APPLIANCES = ("eni-", "i-", "vpce-")
# The answers come back to the client ports of Linux. AWS documents none for App Runner; its guide to ACLs names
# 1024-65535 for all clients (docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html), but an ACL that opens only the
# range that Linux uses lets the answers through.
ANSWERS = (32768, 60999)
FOR_ALL_CLIENTS = (1024, 65535)  # what to open
FINAL = 32767  # AWS's number of an ACL's "*" entry, which denies the rest

# What the internet carries nothing to (iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry).
# Blocks for documentation are left out: no network uses them, and examples mean the internet by them.
PRIVATE: tuple[Cidr, ...] = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
        *("100.64.0.0/10", "169.254.0.0/16", "198.18.0.0/15", "240.0.0.0/4"),  # RFC 6598, 3927, 2544 and 1112
        *("fc00::/7", "fe80::/10"),  # RFC 4193 and 4291
    )
)

type Hop = Literal[
    "outbound rules",
    "outbound ACL",
    "route",
    "inbound ACL of the destination",
    "inbound rules of the destination",
    "outbound ACL of the destination",
    "inbound ACL",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class DestinationInterface:
    """A network interface that carries a destination's group. Its addresses: IPv4 before IPv6."""

    id: str
    addresses: tuple[str, ...]
    subnet: Subnet
    groups: tuple[SecurityGroup, ...]  # all that it carries


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """What a connector's services depend on, and what of it is in sight.

    `peer` is a security group's id or a CIDR; it has to be reached on one of the `ports`. `origin` says who told of
    it: "declared on service orders". `malformed`: why the word `peer` names no destination; then nothing else counts.
    `interfaces` are those that carry the group, but App Runner's own; none are looked for in a CIDR. `acls` and
    `prefix_lists` are those on the way that the connector's network leaves out.
    """

    peer: str
    ports: tuple[int, ...]
    origin: str
    malformed: str = ""
    group: SecurityGroup | Unread | None = None  # None where it cannot be seen, and for a CIDR
    interfaces: tuple[DestinationInterface, ...] | Unread = ()
    acls: tuple[NetworkAcl, ...] | Unread = ()
    prefix_lists: Mapping[str, tuple[str, ...] | Unread] = field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        return self.peer.startswith("sg-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """What is to be reached, as far as it is in sight. What is None is not judged."""

    subnet: Subnet | None
    groups: tuple[SecurityGroup, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """What stops a connection. `where` and `why` read as one: "sg-0db admits nothing on TCP 5432 from sg-app".

    What lets the connection through: `before`, of an ACL, is the number that an entry has to come before; `by_address`:
    of security groups only rules that name addresses count.
    """

    hop: Hop
    where: str  # ids, sorted: of security groups, of an ACL, of a route table; of the subnet where that has no IPv6
    why: str
    before: int = 0
    by_address: bool = False


# Declarations --------------------------------------------------------------------------------------------------------


class Malformed(ValueError):
    """A word names no destination; the text says why."""


type _Word = tuple[str, tuple[int, ...], str]  # whom it names, on which port, or why it names nobody

_PORTS = range(1, 65536)


def declared(tags: Mapping[str, Mapping[str, str]]) -> tuple[Destination, ...]:
    """The destinations that tags name, sorted: nothing of them has been looked at yet.

    `tags` by whom they are on: "connector orders", "service api". What is named by several is one destination.
    """
    origins: dict[_Word, list[str]] = {}
    for on, held in sorted(tags.items()):
        for word in (held[REACHES].split() or [""]) if REACHES in held else ():
            said = origins.setdefault(_word(word), [])
            said += [on] * (on not in said)
    return tuple(
        Destination(peer=peer, ports=ports, origin=f"declared on {', '.join(ons)}", malformed=malformed)
        for (peer, ports, malformed), ons in sorted(origins.items())
    )


def _word(word: str) -> _Word:
    try:
        peer, port = parsed(word)
    except Malformed as why:
        return word, (), str(why)
    return peer, (port,), ""


def parsed(word: str) -> tuple[str, int]:
    """The security group or CIDR that a word of the tag names, and the port. Raises Malformed: nothing is guessed at.

    The brackets around an IPv6 CIDR may be left out, for not everything that sets tags lets them through.
    """
    if not word:
        raise Malformed("the tag is empty")
    peer, colon, port = word.rpartition(":")
    if not colon or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) not in _PORTS:
        raise Malformed("it should end in a port from 1 to 65535")
    if re.fullmatch(r"sg-[0-9a-z]+", peer):
        return peer, int(port)
    text = peer[1:-1] if re.fullmatch(r"\[.*:.*\]", peer) else peer
    if not re.fullmatch(r"[0-9A-Fa-f.:]+/[0-9]{1,3}", text):
        raise Malformed("before the port there should be a security group's id or a CIDR")
    try:
        loose = ip_network(text, strict=False)
    except ValueError:
        raise Malformed(f"{text} is no CIDR") from None
    if ip_address(text.partition("/")[0]) != loose.network_address:
        raise Malformed(f"{text} is an address with a mask: the block around it is {loose}")
    return str(loose), int(port)


# The way -------------------------------------------------------------------------------------------------------------

type _Range = tuple[int, int]  # the first and the last
type _Piece = tuple[_Range, _Range]  # of addresses in the subnet, and of ports that answers come to
type _Packet = tuple[int, int]  # of those the address and the port
type _Address = IPv4Address | IPv6Address


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refusal:
    why: str
    before: int = 0
    by_address: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Check:
    """What a hop does. `judge` says why it refuses a packet, and says the same of all packets between two borders,
    which are where something begins."""

    hop: Hop
    where: str
    judge: Callable[[_Packet], _Refusal | None]
    address_borders: frozenset[int] = frozenset()
    port_borders: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """A connection from any address of the subnet."""

    subnet: Subnet
    groups: tuple[SecurityGroup, ...]
    address: _Address
    port: int
    arrival: Arrival
    network: Network

    @property
    def family(self) -> Family:
        return self.address.version

    @property
    def sources(self) -> tuple[Cidr, ...]:
        return blocks_of(self.subnet, self.family)

    @property
    def on_the_internet(self) -> bool:
        return not is_private(cidr(str(self.address)))

    @property
    def stays(self) -> bool:
        """Whether the packets never leave their subnet: then no ACL sees them."""
        if self.arrival.subnet is not None:
            return self.arrival.subnet.id == self.subnet.id
        return _among(self.sources, int(self.address))


def stop(  # noqa: PLR0917 - the packet's way, in order
    subnet: Subnet,
    groups: tuple[SecurityGroup, ...],
    address: str,
    port: int,
    arrival: Arrival | None,
    network: Network,
) -> Stop | None:
    """What stops a TCP connection from any address of the subnet, by an interface with the groups; None if all goes
    through.

    Of several hops it is the first after which nothing is left. What is beyond a gateway or a peering is out of sight
    and taken to let it through; so is what a NAT gateway does with packets to the internet. Raises NotKnown where a
    fact that decides was not read, and where some of the subnet's addresses or of the client ports get through and
    others do not.
    """
    arrival = arrival or Arrival(subnet=None, groups=None)
    call = _Call(subnet=subnet, groups=groups, address=ip_address(address), port=port, arrival=arrival, network=network)
    left: list[_Piece] = [(_range(block), ANSWERS) for block in call.sources] or [((0, 0), ANSWERS)]
    partial = ""
    for check in _checks(call):
        judged = [(piece, check.judge((piece[0][0], piece[1][0]))) for one in left for piece in _split(one, check)]
        refusals = [refusal for _, refusal in judged if refusal]
        if len(refusals) == len(judged):
            before = min(refusal.before for refusal in refusals)
            first = refusals[0]
            return Stop(hop=check.hop, where=check.where, why=first.why, before=before, by_address=first.by_address)
        if refusals:
            partial = partial or f"{check.hop}, {check.where} {refusals[0].why}"
        left = [piece for piece, refusal in judged if not refusal]
    if partial:
        raise NotKnown(
            f"only a part of what {subnet.id} sends to TCP {port} of {address} gets there and back: {partial}"
        )
    return None


def _checks(call: _Call) -> Iterator[_Check]:
    """The hops in the order that packets meet them. Facts are looked at when it is a hop's turn."""
    there = None if call.stays else call.arrival.subnet
    yield _outbound_rules(call)
    if not call.stays:
        yield _acl("outbound ACL", call.subnet, call, egress=True, answers=False)
    yield _route(call)
    if there:
        yield _acl("inbound ACL of the destination", there, call, egress=False, answers=False)
    if call.arrival.groups is not None:
        yield _inbound_rules(call, call.arrival.groups)
    if there:
        yield _acl("outbound ACL of the destination", there, call, egress=True, answers=True)
    if not call.stays:
        yield _acl("inbound ACL", call.subnet, call, egress=False, answers=True)


def _split(piece: _Piece, check: _Check) -> Iterator[_Piece]:
    addresses, ports = piece
    for some in _cut(addresses, check.address_borders):
        for few in _cut(ports, check.port_borders):
            yield some, few


def _cut(whole: _Range, borders: Iterable[int]) -> Iterator[_Range]:
    first, last = whole
    starts = sorted({first, *(border for border in borders if first < border <= last)})
    for start, end in pairwise([*starts, last + 1]):
        yield start, end - 1


# Security groups -----------------------------------------------------------------------------------------------------


def _outbound_rules(call: _Call) -> _Check:
    def lets_out() -> bool:
        unknown: set[str] = set()
        unseen: set[str] = set()
        for peer in peers_on((rule for group in call.groups for rule in group.egress), call.port):
            if not peer.startswith("sg-"):
                matches = _matches(peer, call.address, call.network)
                if matches is True:
                    return True
                unknown |= {matches} if matches else set()
            elif call.arrival.groups is None:
                unseen.add(f"whether {call.address} carries {peer} is not in sight")
            elif any(group.id == peer for group in call.arrival.groups):
                return True
        if unseen and _may_carry_groups(call):  # the route table is asked where nothing else has told
            unknown |= unseen
        if unknown:
            raise NotKnown("; ".join(sorted(unknown)))
        return False

    refusal = (
        None if lets_out() else _Refusal(why=f"{_verb(call.groups, 'let')} nothing out on TCP {call.port} to there")
    )
    return _Check(hop="outbound rules", where=_ids(call.groups), judge=lambda _: refusal)


def _may_carry_groups(call: _Call) -> bool:
    """Not what is on the internet: only interfaces of this VPC, and of those that it is connected with, do."""
    return call.stays or any(
        route is not None and not route.blackhole and not route.target.startswith(_TO_THE_INTERNET)
        for route in _ways(call)
    )


def _inbound_rules(call: _Call, groups: tuple[SecurityGroup, ...]) -> _Check:
    """What an appliance on the way hands on is no longer from who sent it: then rules by group do not mean it
    (docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html)."""
    peers = tuple(peers_on((rule for group in groups for rule in group.ingress), call.port))
    appliances = {False} if call.stays else {_is_appliance(route) for route in _ways(call)}
    own = frozenset[str]() if True in appliances else {group.id for group in call.groups}
    why = f"{_verb(groups, 'admit')} nothing on TCP {call.port} from"
    refusal = _Refusal(why=f"{why} {_ids(call.groups)} or from there")
    if True in appliances:
        refusal = _Refusal(why=f"{why} there; through an appliance rules by group do not count", by_address=True)

    def judge(packet: _Packet) -> _Refusal | None:
        source = _address(call.family, packet[0])
        matches = [peer in own if peer.startswith("sg-") else _matches(peer, source, call.network) for peer in peers]
        if True in matches:
            return None
        unknown = {one for one in matches if isinstance(one, str)}
        if len(appliances) > 1 and any(group.id in peers for group in call.groups):
            unknown |= _unread_routes(call)
        if unknown:
            raise NotKnown("; ".join(sorted(unknown)))
        return refusal

    blocks = [block for peer in peers for block in blocks_named(peer, call.network, call.family)]
    return _Check(
        hop="inbound rules of the destination", where=_ids(groups), judge=judge, address_borders=_borders(blocks)
    )


def _is_appliance(route: Route | None) -> bool:
    """Whether a route leads through a firewall or the like, and not to a service behind its gateway endpoint."""
    return route is not None and route.target.startswith(_APPLIANCES) and not route.destination.startswith("pl-")


def peers_on(rules: Iterable[GroupRule], port: int) -> Iterator[str]:
    """Whom the rules mean on a TCP port."""
    for rule in rules:
        if rule.protocol == "-1" or (rule.protocol in ("tcp", "6") and on_port(rule, port)):
            yield from rule.peers


def _matches(peer: str, address: _Address, network: Network) -> bool | str:
    """Whether a CIDR or prefix list has the address; a text where the list was not read."""
    if why := unread_list(peer, network):
        return why
    return any(_holds(block, int(address)) for block in blocks_named(peer, network, address.version))


def unread_list(peer: str, network: Network) -> str:
    """Why nothing is known of the blocks of a peer of rules, or of a route's destination; empty where it is."""
    entries = network.prefix_lists.get(peer)
    if not peer.startswith("pl-") or isinstance(entries, tuple):
        return ""
    return f"the entries of prefix list {peer} were not read{f': {entries}' if entries else ''}"


def blocks_named(peer: str, network: Network, family: Family) -> Iterator[Cidr]:
    """The blocks of a CIDR or of a prefix list that was read; none of a group."""
    listed = network.prefix_lists.get(peer, ()) if peer.startswith("pl-") else (peer,)
    for text in listed if isinstance(listed, tuple) else ():
        if not text.startswith("sg-") and cidr(text).version == family:
            yield cidr(text)


def _ids(groups: Iterable[SecurityGroup]) -> str:
    return ", ".join(sorted(group.id for group in groups))


def _verb(groups: tuple[SecurityGroup, ...], verb: str) -> str:
    return verb if len(groups) > 1 else f"{verb}s"


# Network ACLs --------------------------------------------------------------------------------------------------------


def acl_of(subnet: Subnet, network: Network) -> NetworkAcl:
    acl = _acls_by_subnet(known(network.network_acls)).get(subnet.id)
    if acl is not None:
        return acl
    raise NotKnown(f"the network ACL of {subnet.id} cannot be seen from this account")


@once
def _acls_by_subnet(acls: tuple[NetworkAcl, ...]) -> Mapping[str, NetworkAcl]:
    return {subnet_id: acl for acl in reversed(acls) for subnet_id in acl.subnet_ids}  # the first, if it is in several


def tcp_entries(acl: NetworkAcl, family: Family, *, egress: bool) -> tuple[tuple[AclEntry, Cidr], ...]:
    """The entries that can decide about TCP in a direction, in the order in which they do."""
    entries = sorted(acl.entries, key=lambda entry: entry.number)
    return tuple(
        (entry, cidr(entry.cidr))
        for entry in entries
        if entry.egress == egress and entry.protocol in ("-1", "6") and cidr(entry.cidr).version == family
    )


def on_port(rule: AclEntry | GroupRule, port: int) -> bool:
    """Whether an entry, or a group's rule, for TCP or for all protocols means the port."""
    return (
        rule.protocol == "-1"
        or rule.from_port is None
        or rule.to_port is None
        or (rule.from_port <= port <= rule.to_port)
    )


def _acl(hop: Hop, subnet: Subnet, call: _Call, *, egress: bool, answers: bool) -> _Check:
    """The ACL of one of the two subnets. Its entries name the other end: the address called, or one that calls."""
    acl = acl_of(subnet, call.network)
    entries = tcp_entries(acl, call.family, egress=egress)
    calling = subnet.id == call.subnet.id
    what = (
        f"the answers {'out' if egress else 'in'} (TCP {ANSWERS[0]}-{ANSWERS[1]})"
        if answers
        else (f"TCP {call.port} {'out' if egress else 'in'}")
    )

    def judge(packet: _Packet) -> _Refusal | None:
        other, used = int(call.address) if calling else packet[0], packet[1] if answers else call.port
        decides = (entry for entry, block in entries if on_port(entry, used) and _holds(block, other))
        entry = next(decides, None)
        if entry and entry.allow:
            return None
        if entry is None or entry.number == FINAL:
            return _Refusal(why=f"does not let {what}: no entry allows it, so the final one denies it", before=FINAL)
        return _Refusal(why=f"does not let {what}: entry {entry.number} denies {entry.cidr}", before=entry.number)

    ports = {bound for entry, _ in entries for bound in (entry.from_port or 0, (entry.to_port or 0) + 1)}
    return _Check(
        hop=hop,
        where=acl.id,
        judge=judge,
        address_borders=frozenset() if calling else _borders(block for _, block in entries),
        port_borders=frozenset(ports) if answers else frozenset(),
    )


# Routes --------------------------------------------------------------------------------------------------------------


type _Guess = tuple[frozenset[str], frozenset[str]]  # unread prefix lists: those that have the address, and have not
type _End = tuple[tuple[RouteTable, ...], _Refusal | None]  # the tables that led there, and why nothing goes on

_NO_GUESS: _Guess = (frozenset(), frozenset())


def _route(call: _Call) -> _Check:
    """Within a subnet nothing is routed; but without an address of the family nothing is sent either."""
    if not call.sources:
        why = _Refusal(why=f"has no IPv{call.family} addresses")
        return _Check(hop="route", where=call.subnet.id, judge=lambda _: why)
    if call.stays:
        return _Check(hop="route", where=call.subnet.id, judge=lambda _: None)
    ends = tuple(_ends((effective_table(call.subnet, call.network),), call))
    refusals = [refusal for _, refusal in ends]
    if None in refusals and any(refusals):
        asked = (table for tables, _ in ends for table in tables)
        raise NotKnown("; ".join(sorted({why for table in asked for why in _unread_in(table, call.network)})))
    by_what_was_read, refusal = ends[-1]
    return _Check(hop="route", where=by_what_was_read[-1].id, judge=lambda _: refusal)


def _ends(tables: tuple[RouteTable, ...], call: _Call, nat: str = "", guess: _Guess = _NO_GUESS) -> Iterator[_End]:
    """Where packets to the address end that have come to the last of the tables, by the NAT gateway if one is named.

    One end, and more where prefix lists were not read; the last is by those that were. What a NAT gateway sends on goes
    by the table of its own subnet (docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html). On the way to the
    internet that is not looked at here: AR110 judges it.
    """
    for route, guessed in _guesses(tables[-1], call, guess):
        if route is None or route.blackhole or call.on_the_internet or not route.target.startswith("nat-"):
            refusal = _dead_end(route, call)
        else:
            onward = table_of_nat(route.target, call.network)
            if onward not in tables:
                yield from _ends((*tables, onward), call, route.target, guessed)
                continue
            refusal = f"sends {route.destination} to {route.target}, from where it comes back"
        clause = f"is what {nat} goes on by, and {refusal}" if nat else refusal
        yield tables, _Refusal(why=clause) if refusal else None


def _guesses(table: RouteTable, call: _Call, guess: _Guess) -> Iterator[tuple[Route | None, _Guess]]:
    """The routes that packets may take, each with what it takes to be in lists that were not read; last: none."""
    held, others = guess
    unread = [route for route in table.routes if unread_list(route.destination, call.network)]
    for route in sorted(unread, key=lambda one: precedence(_as_narrow_as_can_be(one, call))):
        if route.destination in others:
            continue
        yield _taken(table, call, route), (held | {route.destination}, others)
        if route.destination in held:
            return
        others |= {route.destination}
    yield _taken(table, call, None), (held, others)


def _ways(call: _Call) -> tuple[Route | None, ...]:
    """The routes of the connector's subnet that packets may take: one, and more where prefix lists were not read."""
    return tuple(route for route, _ in _guesses(effective_table(call.subnet, call.network), call, _NO_GUESS))


def _unread_routes(call: _Call) -> set[str]:
    return _unread_in(effective_table(call.subnet, call.network), call.network)


def _unread_in(table: RouteTable, network: Network) -> set[str]:
    return {f"{table.id}: {why}" for route in table.routes if (why := unread_list(route.destination, network))}


def table_of_nat(nat_id: str, network: Network) -> RouteTable:
    """The route table by which a NAT gateway goes on, its subnet's. Raises NotKnown where that is out of sight."""
    nat = next((one for one in known(network.nat_gateways) if one.id == nat_id), None)
    if nat is None:
        raise NotKnown(f"where {nat_id} goes on is not known: no such NAT gateway of the VPC can be seen")
    if not nat.subnet_id:
        raise NotKnown(f"where {nat_id} goes on is not known: the route table of a regional NAT gateway is not read")
    for subnet in known(network.subnets):
        if subnet.id == nat.subnet_id:
            return effective_table(subnet, network)
    raise NotKnown(f"where {nat_id} goes on is not known: its subnet {nat.subnet_id} cannot be seen from this account")


def tables_on_the_way(subnet: Subnet, network: Network) -> tuple[RouteTable, ...]:
    """The subnet's route table, and those in sight by which the NAT gateways that it leads to go on.

    Raises NotKnown where the first is out of sight.
    """
    found: dict[str, RouteTable] = {}
    left = [effective_table(subnet, network)]
    while left:
        table = left.pop()
        if table.id in found:
            continue
        found[table.id] = table
        for nat_id in {route.target for route in table.routes if route.target.startswith("nat-")}:
            try:
                left.append(table_of_nat(nat_id, network))
            except NotKnown:
                continue  # `stop` will say so for the addresses that go there
    return tuple(found.values())


def _taken(table: RouteTable, call: _Call, also: Route | None) -> Route | None:
    """The route of packets to the address, by the prefix lists that were read and if `also` has it; None for none.

    No propagated route takes what is local, however narrow it is
    (docs.aws.amazon.com/vpn/latest/s2svpn/vpn-route-priority.html).
    """
    fitting = [
        (block.prefixlen, block, route)
        for route in table.routes
        for block in blocks_named(route.destination, call.network, call.family)
        if _holds(block, int(call.address))
    ]
    if also:
        fitting.append(_as_narrow_as_can_be(also, call))
    if any(route.target == "local" for _, _, route in fitting):
        fitting = [one for one in fitting if not one[2].propagated]
    return min(fitting, key=precedence)[2] if fitting else None


def _as_narrow_as_can_be(route: Route, call: _Call) -> tuple[int, Cidr, Route]:
    itself = cidr(str(call.address))
    return itself.prefixlen, itself, route


def _dead_end(route: Route | None, call: _Call) -> str:
    """Why a route brings nothing to the address; empty where it goes on."""
    if route is None:
        return "has no route to there"
    sends = f"sends {route.destination} to {route.target}"
    if route.blackhole:
        return f"{sends}, which is gone"
    if route.target.startswith(("igw-", "eigw-")) and not call.on_the_internet:
        return f"{sends}, which leads to the internet only"
    if route.target.startswith("igw-"):
        return f"{sends}, and a connector's interfaces have no public address"
    return ""


# Blocks --------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def cidr(text: str) -> Cidr:
    return ip_network(text, strict=False)


def blocks_of(subnet: Subnet, family: Family) -> tuple[Cidr, ...]:
    texts = subnet.ipv6_cidrs if family == 6 else (subnet.cidr,)  # noqa: PLR2004 - IPv6
    return tuple(cidr(text) for text in texts if text)


def is_private(block: Cidr) -> bool:
    """Whether none of it is on the internet."""
    return any(
        block.version == private.version
        and block.prefixlen >= private.prefixlen
        and _holds(private, int(block.network_address))
        for private in PRIVATE
    )


def parts_of(
    block: str, subnet: Subnet, groups: tuple[SecurityGroup, ...], network: Network
) -> Iterator[tuple[str, Subnet | None, tuple[str, ...]]]:
    """The parts of a CIDR that everything on the way from the subnet treats alike, in order.

    Of each an address, the VPC's subnet that it is in, and the CIDRs that make it up. What was not read draws no
    border: `stop` will say so for the address. Who names more than private addresses means the internet: then those
    that neither a subnet of the VPC nor a route of their own leads to are left out.
    """
    whole = cidr(block)
    family: Family = whole.version
    subnets = network.subnets if isinstance(network.subnets, tuple) else ()
    routed = tuple(_route_blocks(subnet, network, family))
    private = tuple(one for one in PRIVATE if one.version == family and not is_private(whole))
    borders = _borders(
        (
            *(
                one
                for group in groups
                for rule in group.egress
                for peer in rule.peers
                for one in blocks_named(peer, network, family)
            ),
            *_acl_blocks(subnet, network, family),
            *routed,
            *private,
            *(one for other in subnets for one in blocks_of(other, family)),
        )
    )
    meant = tuple(one for one in routed if is_private(one))
    for first, last in _cut(_range(whole), borders):
        start, end = _address(family, first), _address(family, last)
        held = (other for other in subnets if _among(blocks_of(other, family), first))
        inside = next(held, None)
        if inside is None and _among(private, first) and not _among(meant, first):
            continue
        yield str(start), inside, tuple(map(str, summarize_address_range(start, end)))


def _acl_blocks(subnet: Subnet, network: Network, family: Family) -> Iterator[Cidr]:
    for acl in network.network_acls if isinstance(network.network_acls, tuple) else ():
        if subnet.id in acl.subnet_ids:
            yield from (block for egress in (True, False) for _, block in tcp_entries(acl, family, egress=egress))


def _route_blocks(subnet: Subnet, network: Network, family: Family) -> Iterator[Cidr]:
    try:
        tables = tables_on_the_way(subnet, network)
    except NotKnown:
        return
    for table in tables:
        for route in table.routes:
            yield from blocks_named(route.destination, network, family)


def _borders(blocks: Iterable[Cidr]) -> frozenset[int]:
    return frozenset(border for block in blocks for border in (_range(block)[0], _range(block)[1] + 1))


def _range(block: Cidr) -> _Range:
    return int(block.network_address), int(block.broadcast_address)


def _holds(block: Cidr, address: int) -> bool:
    length = block.max_prefixlen - block.prefixlen
    return int(block.network_address) >> length == address >> length


def overlap(one: Cidr, other: Cidr) -> bool:
    """Of blocks of one family, which nest or are apart."""
    return _holds(one, int(other.network_address)) or _holds(other, int(one.network_address))


def _among(blocks: Iterable[Cidr], address: int) -> bool:
    return any(_holds(block, address) for block in blocks)


def _address(family: Family, number: int) -> _Address:
    return IPv4Address(number) if family == 4 else IPv6Address(number)  # noqa: PLR2004 - IPv4
