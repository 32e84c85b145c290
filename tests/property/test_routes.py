"""Routes against a plain model that looks at one packet at a time."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.facts import Network, Route, RouteTable
from apprunner_guardrails.routes import CARRIES, COVERS, Family, leads_out, ways_out
from tests.cases._healthy import VPC, healthy
from tests.property.strategies import IPV4_CIDRS, IPV6_CIDRS, weighted

type Carrier = tuple[str, bool]

INTERNET = {4: (0, 2**32), 6: (0x2000 << 112, 0x4000 << 112)}
LISTS = ("pl-1", "pl-2")

prefix_lists = st.fixed_dictionaries({one: st.lists(IPV4_CIDRS | IPV6_CIDRS, max_size=6).map(tuple) for one in LISTS})


def _tables(mostly: st.SearchStrategy[str], now_and_then: st.SearchStrategy[str]) -> st.SearchStrategy[list[Route]]:
    """Routes of a table. EC2 takes one static route to a destination; a propagated one may stand beside it."""
    route = st.builds(
        Route,
        destination=weighted((8, mostly), (1, now_and_then), (1, st.sampled_from(LISTS))),
        target=st.sampled_from(("igw-1", "nat-1", "nat-2", "tgw-1", "eigw-1", "vpce-1", "local")),
        blackhole=st.booleans(),
        propagated=st.sampled_from((False, False, True)),
    )
    return st.lists(route, min_size=2, max_size=12, unique_by=lambda route: (route.destination, route.propagated))


TABLES = {4: _tables(IPV4_CIDRS, IPV6_CIDRS), 6: _tables(IPV6_CIDRS, IPV4_CIDRS)}


def _entries(table: RouteTable, network: Network) -> Iterator[tuple[IPv4Network | IPv6Network, Route]]:
    for route in table.routes:
        listed = network.prefix_lists.get(route.destination, (route.destination,))
        assert isinstance(listed, tuple)
        if route.destination in LISTS and route.target.startswith("vpce-"):
            continue  # a gateway endpoint's list, which nobody reads
        for cidr in listed:
            yield ip_network(cidr), route


def _next_hop(packet: int, family: Family, entries: list[tuple[IPv4Network | IPv6Network, Route]]) -> Route | None:
    """The route that EC2 takes for a packet to this address."""
    address = ip_address(packet) if family == 4 else ip_address(packet.to_bytes(16))
    best: tuple[int, bool, bool, str, Route] | None = None
    for cidr, route in entries:
        if address not in cidr:
            continue
        from_list = route.destination in LISTS
        bid = (cidr.prefixlen, route.propagated, from_list, route.destination, route)
        if best is None or _is_better(bid, best):
            best = bid
    return best and best[-1]


def _is_better(bid: tuple[int, bool, bool, str, Route], best: tuple[int, bool, bool, str, Route]) -> bool:
    if bid[0] != best[0]:
        return bid[0] > best[0]  # the longest prefix
    if bid[1] != best[1]:
        return best[1]  # then what is not propagated
    if bid[2] != best[2]:
        return best[2]  # then what is not from a list
    return (bid[3], bid[4].target) < (best[3], best[4].target)


def _shares(
    table: RouteTable, network: Network, family: Family
) -> tuple[dict[Carrier, Fraction], dict[Carrier, set[str]]]:
    """What each target gets of the internet, and by which routes.

    One packet stands for each range of addresses that all routes treat alike.
    """
    first, last = INTERNET[family]
    entries = list(_entries(table, network))
    own = [cidr for cidr, _ in entries if cidr.version == family]
    bounds = {first, last}
    bounds |= {int(cidr.network_address) for cidr in own} | {int(cidr.broadcast_address) + 1 for cidr in own}
    shares: dict[Carrier, Fraction] = defaultdict(Fraction)
    winners: dict[Carrier, set[str]] = defaultdict(set)
    ranges = sorted(bound for bound in bounds if first <= bound <= last)
    for start, end in itertools.pairwise(ranges):
        route = _next_hop(start, family, entries)
        if route and route.target != "local":
            carrier = (route.target, route.blackhole)
            shares[carrier] += Fraction(end - start, last - first)
            winners[carrier].add(route.destination)
    return shares, winners


def _network(lists: dict[str, tuple[str, ...]]) -> Network:
    return replace(healthy().network, prefix_lists=lists)


@pytest.mark.parametrize("family", [4, 6])
@given(lists=prefix_lists, data=st.data())
def test_targets_get_what_they_would_packet_by_packet(
    family: Family, lists: dict[str, tuple[str, ...]], data: st.DataObject
) -> None:
    rows = data.draw(TABLES[family])
    table = RouteTable(id="rtb-1", vpc_id=VPC, main=False, subnet_ids=(), routes=tuple(rows))
    network = _network(lists)
    shares, winners = _shares(table, network, family)
    ways = {(way.target, way.blackhole): way for way in ways_out(table, network, family)}
    assert {carrier: way.share for carrier, way in ways.items()} == pytest.approx(
        {carrier: float(share) for carrier, share in shares.items() if share >= CARRIES}
    )
    for (target, blackhole), way in ways.items():
        naming = {r.destination for r in rows if (r.target, r.blackhole) == (target, blackhole)}
        assert winners[target, blackhole] <= set(way.destinations) <= naming


@given(rows=TABLES[4], lists=prefix_lists)
def test_a_table_leads_out_when_most_packets_would_leave(rows: list[Route], lists: dict[str, tuple[str, ...]]) -> None:
    table = RouteTable(id="rtb-1", vpc_id=VPC, main=False, subnet_ids=(), routes=tuple(rows))
    shares, _ = _shares(table, _network(lists), 4)
    assert leads_out(table, _network(lists)) is (sum(shares.values()) >= COVERS)


@given(rows=TABLES[4] | TABLES[6], lists=prefix_lists, data=st.data())
def test_the_order_of_routes_and_entries_changes_nothing(
    rows: list[Route], lists: dict[str, tuple[str, ...]], data: st.DataObject
) -> None:
    table = RouteTable(id="rtb-1", vpc_id=VPC, main=False, subnet_ids=(), routes=tuple(rows))
    shuffled = replace(table, routes=tuple(data.draw(st.permutations(rows))))
    backwards = {name: tuple(reversed(entries)) for name, entries in lists.items()}
    for family in (4, 6):
        assert ways_out(shuffled, _network(backwards), family) == ways_out(table, _network(lists), family)
