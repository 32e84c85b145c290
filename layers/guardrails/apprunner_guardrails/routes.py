"""Where the internet-bound traffic of a subnet goes: effective route tables and longest-prefix matching. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from apprunner_guardrails.facts import Network, NotKnown, Route, RouteTable, Subnet, Unread, known
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once

type Family = Literal[4, 6]
type Cidr = IPv4Network | IPv6Network
type Lists = Mapping[str, tuple[str, ...] | Unread]  # the entries of prefix lists, by id

# The addresses that count as "the internet": all of IPv4, and IPv6's global unicast block.
INTERNET: dict[Family, Cidr] = {4: IPv4Network("0.0.0.0/0"), 6: IPv6Network("2000::/3")}

# A target carries internet-bound traffic when it wins at least this share of the addresses. A fifth catches the default
# route, its halves and its quarters, less what the VPC's own block and other narrow routes take out of them. What a
# list of all public ranges leaves to the default route (14 %), or one vendor's range (a /8 is 1/256), is a detour.
CARRIES = 1 / 5

# Routes together lead to the internet when they cover this share. Lists of "all public ranges" leave out private,
# multicast and reserved blocks, about 14 % of IPv4; one half alone must not pass.
COVERS = 3 / 4


@dataclass(frozen=True, kw_only=True, slots=True)
class WayOut:
    """A target that internet-bound traffic of one family is sent to.

    `share` is the part of the internet's addresses that it wins by longest prefix; `destinations` the routes that
    name it, as they stand in the table.
    """

    target: str
    blackhole: bool
    destinations: tuple[str, ...]
    share: float


def families(subnet: Subnet) -> tuple[Family, ...]:
    """The address families that the subnet's interfaces speak; IPv6-only subnets are refused to connectors."""
    return (4, 6) if subnet.ipv6_cidrs else (4,)


def effective_table(subnet: Subnet, network: Network) -> RouteTable:
    """The subnet's explicitly associated route table, else the main table of its own VPC.

    NotKnown where neither can be seen: each VPC has a main table, so it exists but is not ours to read (a subnet
    shared from another account).
    """
    table = table_of(subnet, known(network.route_tables))
    if table is None:
        owner = f" (shared by account {subnet.owner_id})" if subnet.owner_id != network.account else ""
        raise NotKnown(f"no route table of {subnet.id}{owner} can be seen from this account")
    return table


def table_of(subnet: Subnet, tables: tuple[RouteTable, ...]) -> RouteTable | None:
    """The table among these, of one VPC or several, that the subnet uses; None where it is not among them."""
    by_subnet, main_by_vpc = _tables_by_user(tables)
    return by_subnet.get(subnet.id) or main_by_vpc.get(subnet.vpc_id)


@once
def _tables_by_user(tables: tuple[RouteTable, ...]) -> tuple[Mapping[str, RouteTable], Mapping[str, RouteTable]]:
    """By the subnets that they are associated with, and the main ones by their VPC."""
    by_subnet: dict[str, RouteTable] = {}
    main_by_vpc: dict[str, RouteTable] = {}
    for table in tables:
        for subnet_id in table.subnet_ids:
            by_subnet.setdefault(subnet_id, table)
        if table.main:
            main_by_vpc.setdefault(table.vpc_id, table)
    return by_subnet, main_by_vpc


def ways_out(table: RouteTable, network: Network, family: Family) -> tuple[WayOut, ...]:
    """The targets that carry internet-bound traffic by this table, sorted by target. Empty where none does."""
    return carrying(table, network.prefix_lists, family)


def carrying(table: RouteTable, lists: Lists, family: Family) -> tuple[WayOut, ...]:
    """The same, by the prefix lists that were read."""
    return _weighed(table, lists, family).carrying


def leads_out(table: RouteTable, network: Network) -> bool:
    """Whether the table routes (nearly) all of IPv4's internet somewhere, wherever that is."""
    return _weighed(table, network.prefix_lists, 4).covered >= COVERS


def is_public(table: RouteTable, network: Network) -> bool:
    """Whether internet-bound traffic goes straight to an internet gateway."""
    return any(is_internet_gateway(way) for family in (4, 6) for way in ways_out(table, network, family))


def is_internet_gateway(way: WayOut) -> bool:
    """An egress-only gateway (eigw-…) is none, and a detached gateway (blackhole) carries nothing."""
    return way.target.startswith("igw-") and not way.blackhole


def prefix_lists_to_read(tables: Iterable[RouteTable]) -> tuple[str, ...]:
    """The prefix lists whose content can decide where internet-bound traffic goes, sorted.

    Those that lead to a VPC endpoint cannot: gateway endpoints put the lists of S3 and DynamoDB into most tables, and
    reading them would cost a call for each and tell nothing.
    """
    return tuple(sorted({name for table in tables for name in _lists_that_matter(table)}))


@once
def _lists_that_matter(table: RouteTable) -> frozenset[str]:
    return frozenset(route.destination for route in table.routes if _list_matters(route))


def _list_matters(route: Route) -> bool:
    return route.destination.startswith("pl-") and not route.target.startswith("vpce-")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Weighed:
    """What a table makes of the internet's addresses of a family: what share of them goes anywhere, and the targets
    that carry them."""

    covered: float
    carrying: tuple[WayOut, ...]


@once
def _weighed(table: RouteTable, lists: Lists, family: Family) -> _Weighed:
    """Once for all who ask: each rule does, and in an audit so do all the connectors behind the same table."""
    won: dict[tuple[str, bool], int] = defaultdict(int)
    names: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for route, count in _won(table, lists, family):
        if route.target != "local":
            won[route.target, route.blackhole] += count
            names[route.target, route.blackhole].add(route.destination)
    addresses = INTERNET[family].num_addresses
    ways = [
        WayOut(
            target=target,
            blackhole=blackhole,
            destinations=tuple(sorted(names[target, blackhole])),
            share=count / addresses,
        )
        for (target, blackhole), count in sorted(won.items())
    ]
    return _Weighed(covered=sum(way.share for way in ways), carrying=tuple(way for way in ways if way.share >= CARRIES))


def _won(table: RouteTable, lists: Lists, family: Family) -> Iterator[tuple[Route, int]]:
    """Routes with the number of internet addresses that each wins: its own less those of narrower routes.

    CIDRs nest or are apart, so sorting by address and length puts each block right after the blocks around it. Blocks
    are numbers here: a prefix list may have a thousand of them.
    """
    named = [(route, blocks) for route in table.routes if (blocks := _blocks(route, table, lists, family))]
    named.sort(key=lambda one: precedence((0, None, one[0])))
    best: dict[tuple[int, int], tuple[int, int]] = {}  # of each block: its length before the cut, its place in `named`
    for place, (_, blocks) in enumerate(named):
        for first, length, uncut in blocks:
            if (first, length) not in best or uncut > best[first, length][0]:
                best[first, length] = uncut, place
    won: dict[int, int] = {}
    around: list[tuple[int, int]] = []  # where each block that is around ends, and its route's place
    bits = INTERNET[family].max_prefixlen
    for (first, length), (_, place) in sorted(best.items()):
        count = 1 << (bits - length)
        while around and around[-1][0] <= first:
            around.pop()
        if around:
            won[around[-1][1]] -= count
        won[place] = won.get(place, 0) + count
        around.append((first + count, place))
    for place, count in won.items():
        yield named[place][0], count


def precedence(block: tuple[int, object, Route]) -> tuple[int, int, str, str]:
    """Of routes to the same block the longest prefix wins (::/0 and 2000::/3 are both cut to 2000::/3), then static
    routes, prefix lists, propagated routes (docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html).

    Between two prefix lists AWS chooses at random, and sticks to it; here the order of names decides.
    """
    length, _, route = block
    rank = 2 if route.propagated else int(route.destination.startswith("pl-"))
    return -length, rank, route.destination, route.target


type _Block = tuple[int, int, int]  # its first address, the length of its prefix, and that before it was cut


def _blocks(route: Route, table: RouteTable, lists: Lists, family: Family) -> tuple[_Block, ...]:
    """The route's destinations, cut to the internet's addresses."""
    if not route.destination.startswith("pl-"):
        block = _cut(route.destination, family)
        return () if block is None else (block,)
    if not _list_matters(route):
        return ()
    entries = lists.get(route.destination)
    if entries is None:
        raise NotKnown(f"the entries of prefix list {route.destination} in {table.id} were not read")
    return _all_cut(known(entries), family)


@once
def _all_cut(entries: tuple[str, ...], family: Family) -> tuple[_Block, ...]:
    return tuple(block for text in entries if (block := _cut(text, family)) is not None)


@lru_cache(maxsize=4096)
def _cut(text: str, family: Family) -> _Block | None:
    """None for what has none of the internet's addresses of the family."""
    internet, cidr = INTERNET[family], ip_network(text, strict=False)
    if cidr.version != family:
        return None
    if _inside(cidr, internet):
        return int(cidr.network_address), cidr.prefixlen, cidr.prefixlen
    if _inside(internet, cidr):
        return int(internet.network_address), internet.prefixlen, cidr.prefixlen
    return None


def _inside(inner: Cidr, outer: Cidr) -> bool:
    return inner.prefixlen >= outer.prefixlen and (
        int(inner.network_address) >> (inner.max_prefixlen - outer.prefixlen)
        == int(outer.network_address) >> (outer.max_prefixlen - outer.prefixlen)
    )
