"""What is said of a VPC against a model that sends one packet after the other through it (packet_model).

2400 VPCs are drawn in an ordinary run (900, 300 and 1200); HYPOTHESIS_PROFILE=explore draws more. Where the model's
packets come to something that the snapshot does not show, NotKnown is the only right answer, and elsewhere a wrong one.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from ipaddress import ip_address, ip_network
from math import floor

from hypothesis import event, given, settings

from apprunner_guardrails.facts import Network, NotKnown, Subnet, if_read, told
from apprunner_guardrails.reach import Arrival, stop
from apprunner_guardrails.routes import effective_table, is_public, leads_out, ways_out
from apprunner_guardrails.rules import connector_acl_blocks_egress
from tests.cases._healthy import healthy
from tests.property import packet_model as model
from tests.property.vpcs import SUBNETS, Errand, Vpc, errands, guarded_vpcs, routed_vpcs

type Way = tuple[str, bool]  # a target, and whether it is a black hole

NOT_KNOWN = "not known"
HEALTHY = healthy()

# What the documentation of routes means by "carries", and by "leads out" and "blocks".
A_FIFTH, THREE_QUARTERS = Fraction(1, 5), Fraction(3, 4)


def vpcs(count: int) -> settings:
    """As many as said, or more where the profile asks for more."""
    return settings(max_examples=max(count, settings().max_examples))


def _shares(subnet: Subnet, network: Network, family: int) -> dict[Way, Fraction]:
    """What each target gets of the internet's addresses."""
    first, last = model.INTERNET[family]
    shares: dict[Way, Fraction] = defaultdict(Fraction)
    for piece in model.over_the_internet(subnet, network, family):
        if piece.route is not None and piece.route.target != "local":
            shares[piece.route.target, piece.route.blackhole] += Fraction(piece.size, last - first + 1)
    return shares


def _carrying(shares: dict[Way, Fraction]) -> dict[Way, float]:
    return {way: round(float(share), 9) for way, share in shares.items() if share >= A_FIFTH}


def _leads_out(shares: dict[Way, Fraction]) -> bool:
    return sum(shares.values()) >= THREE_QUARTERS


def _modelled_routing(subnet: Subnet, network: Network) -> dict[str, object] | str:
    try:
        shares = {family: _shares(subnet, network, family) for family in (4, 6)}
    except model.Unseen:
        return NOT_KNOWN
    ways = {family: _carrying(shares[family]) for family in (4, 6)}
    gateways = [way for family in (4, 6) for way in ways[family] if way[0].startswith("igw-") and way[1] is False]
    return {"public": gateways != [], "leads out": _leads_out(shares[4]), "ways": ways}


def _our_routing(subnet: Subnet, network: Network) -> dict[str, object] | str:
    try:
        table = effective_table(subnet, network)
        return {
            "public": is_public(table, network),
            "leads out": leads_out(table, network),
            "ways": {
                4: {(way.target, way.blackhole): round(way.share, 9) for way in ways_out(table, network, 4)},
                6: {(way.target, way.blackhole): round(way.share, 9) for way in ways_out(table, network, 6)},
            },
        }
    except NotKnown:
        return NOT_KNOWN


@vpcs(900)
@given(vpc=routed_vpcs())
def test_the_internet_is_where_packets_find_it(vpc: Vpc) -> None:
    for subnet in SUBNETS:
        expected = _modelled_routing(subnet, vpc.network)
        assert _our_routing(subnet, vpc.network) == expected, subnet.id
        event(f"{subnet.id}: {_in_short(expected)}")


def _in_short(expected: dict[str, object] | str) -> str:
    if isinstance(expected, str):
        return expected
    return ", ".join(word if expected[word] else f"not {word}" for word in ("public", "leads out"))


DIRECTIONS = (  # whether it leaves, the port, and what AR112 calls it
    (True, 443, 443, "outbound TCP 443"),
    (False, 32768, 60999, "the answers to outbound calls (inbound TCP 32768-60999)"),
)


def _modelled_stops(subnet: Subnet, network: Network) -> tuple[list[str], bool]:
    """How AR112's messages about a subnet begin, and whether all could be told."""
    said: list[str] = []
    try:
        acl = model.network_acl(subnet, network)
        for family in (4, 6) if subnet.ipv6_cidrs else (4,):
            for out, first, last, what in DIRECTIONS:
                start, end = model.INTERNET[family]
                through, port = min(
                    (Fraction(model.acl_lets_of_the_internet(acl, family, port, out=out), end - start + 1), port)
                    for port in model.acl_ports(acl, first, last)
                )
                if through < THREE_QUARTERS and _would_go_somewhere(subnet, network, family, through):
                    at = "" if first == last else f" at port {port}"
                    part = f" for {floor((1 - float(through)) * 1000) / 10} % of IPv{family} addresses"
                    whole = "" if family == 4 else " over IPv6"
                    said.append(
                        f"{subnet.id} ({subnet.zone_id}): {acl.id} stops {what}{at}{part if through else whole}:"
                    )
    except model.Unseen:
        return said, False
    return said, True


def _would_go_somewhere(subnet: Subnet, network: Network, family: int, through: Fraction) -> bool:
    """What is stopped altogether would have gone into the VPC; the rest of IPv4 only where there is a way out."""
    if family == 6:
        return _carrying(_shares(subnet, network, 6)) != {}
    return through == 0 or _leads_out(_shares(subnet, network, 4))


@vpcs(300)
@given(vpc=guarded_vpcs())
def test_an_acl_stops_the_packets_that_it_is_said_to_stop(vpc: Vpc) -> None:
    modelled = [_modelled_stops(subnet, vpc.network) for subnet in SUBNETS[:2]]
    expected = [start for said, _ in modelled for start in said]
    connector = replace(HEALTHY.connector, subnet_ids=("subnet-1", "subnet-2"))
    messages, why = told(connector_acl_blocks_egress.check(connector, vpc.network, HEALTHY.settings))
    assert [one[: len(start)] for one, start in zip(messages, expected, strict=True)] == expected
    assert (why == "") is all(seen for _, seen in modelled)
    event(f"{len(expected)} stops, {'known' if why == '' else NOT_KNOWN}")


CLIENT_PORTS = (32768, 60999)
ALL_ANSWERED, SOME_ANSWERED, UNSEEN = "all answered", "some answered", "unseen"


def _calls(errand: Errand) -> Iterator[model.Call]:
    """A call from each source address and client port at which anything in the VPC begins or ends."""
    destination = ip_address(errand.address)
    cidrs = (*errand.subnet.ipv6_cidrs, errand.subnet.cidr)
    own = next((block for block in map(ip_network, cidrs) if block.version == destination.version), None)
    sources: list[model.Address | None] = [None]
    if own is not None:
        named = [block for block in _blocks_named(errand) if block.version == own.version]
        starts = model.borders(int(own.network_address), int(own.broadcast_address), named)
        sources = [model.address(own.version, start) for start in starts]
    for source in sources:
        for client_port in _client_ports(errand):
            yield model.Call(
                subnet=errand.subnet,
                groups=errand.groups,
                source=source,
                source_port=client_port,
                destination=destination,
                port=errand.port,
                there=errand.there,
                their_groups=errand.their_groups,
            )


def _blocks_named(errand: Errand) -> Iterator[model.Block]:
    """All that ACLs, lists and rules speak of."""
    for acl in if_read(errand.vpc.acls):
        yield from (model.block(entry.cidr) for entry in acl.entries)
    for entries in errand.vpc.lists.values():
        yield from map(model.block, if_read(entries))
    for group in errand.their_groups or ():
        for rule in group.ingress:
            yield from (model.block(peer) for peer in rule.peers if "/" in peer)


def _client_ports(errand: Errand) -> list[int]:
    found = {CLIENT_PORTS[0]}
    for acl in if_read(errand.vpc.acls):
        found.update(model.acl_ports(acl, *CLIENT_PORTS))
    return sorted(found)


def _modelled_stop(errand: Errand) -> str:
    """Where the last of the calls ends, if none is answered."""
    try:
        hops = {model.stopped_at(call, errand.vpc.network) for call in _calls(errand)}
    except model.Unseen:
        return UNSEEN
    if "" not in hops:
        return max(hops, key=model.HOPS.index)
    return ALL_ANSWERED if hops == {""} else SOME_ANSWERED


def _where(hop: str, errand: Errand) -> str:
    """The ids by which a user finds what stops a connection."""
    network, there = errand.vpc.network, errand.there or errand.subnet
    if "rules" in hop:
        groups = errand.groups if hop == "outbound rules" else errand.their_groups or ()
        return ", ".join(sorted(group.id for group in groups))
    if "ACL" in hop:
        return model.network_acl(there if hop.endswith("of the destination") else errand.subnet, network).id
    if ":" in errand.address and not errand.subnet.ipv6_cidrs:
        return errand.subnet.id
    read = {name: entries if isinstance(entries, tuple) else () for name, entries in network.prefix_lists.items()}
    unread = {route.destination: () for table in if_read(network.route_tables) for route in table.routes}
    return model.last_table(next(_calls(errand)), network, {**unread, **read})[0]


def _our_stop(errand: Errand) -> tuple[str, str] | str:
    """The hop and what is there; or else NOT_KNOWN, or ALL_ANSWERED."""
    in_sight = Arrival(subnet=errand.there, groups=errand.their_groups)
    arrival = None if in_sight == Arrival(subnet=None, groups=None) else in_sight
    try:
        found = stop(errand.subnet, errand.groups, errand.address, errand.port, arrival, errand.vpc.network)
    except NotKnown:
        return NOT_KNOWN
    return (found.hop, found.where) if found else ALL_ANSWERED


@vpcs(1200)
@given(errand=errands())
def test_a_connection_is_stopped_where_its_packets_are(errand: Errand) -> None:
    """A stop is where the last call ends; that only some get through, or that a fact decides which was not read, is no
    stop and no passage, but unknown."""
    ends = _modelled_stop(errand)
    event(ends)
    expected: tuple[str, str] | str = (ends, _where(ends, errand)) if ends in model.HOPS else ends
    assert _our_stop(errand) == (NOT_KNOWN if expected in (SOME_ANSWERED, UNSEEN) else expected), ends
