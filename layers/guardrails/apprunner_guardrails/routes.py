"""Where the internet-bound traffic of a subnet goes: effective route tables and longest-prefix matching. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from apprunner_guardrails.facts import Network, NotKnown, Route, RouteTable, Subnet, Unread, known
from apprunner_guardrails.light import dataclass

type Family = Literal[4, 6]
type Cidr = IPv4Network | IPv6Network

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


def table_of(subnet: Subnet, tables: Iterable[RouteTable]) -> RouteTable | None:
    """The table among these, of one VPC or several, that the subnet uses; None where it is not among them."""
    main = None
    for table in tables:
        if subnet.id in table.subnet_ids:
            return table
        if table.main and table.vpc_id == subnet.vpc_id:
            main = main or table
    return main


def ways_out(table: RouteTable, network: Network, family: Family) -> tuple[WayOut, ...]:
    """The targets that carry internet-bound traffic by this table, sorted by target. Empty where none does."""
    return tuple(way for way in _winners(table, network, family) if way.share >= CARRIES)


def leads_out(table: RouteTable, network: Network) -> bool:
    """Whether the table routes (nearly) all of IPv4's internet somewhere, wherever that is."""
    return sum(way.share for way in _winners(table, network, 4)) >= COVERS


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
    return tuple(sorted({route.destination for table in tables for route in table.routes if _list_matters(route)}))


def _list_matters(route: Route) -> bool:
    return route.destination.startswith("pl-") and not route.target.startswith("vpce-")


type Lists = tuple[tuple[str, tuple[str, ...] | Unread | None], ...]  # prefix lists that matter; None: not asked for


def _winners(table: RouteTable, network: Network, family: Family) -> tuple[WayOut, ...]:
    """Every target that wins any of the internet's addresses."""
    lists = {
        route.destination: network.prefix_lists.get(route.destination) for route in table.routes if _list_matters(route)
    }
    return _weighed(table, tuple(lists.items()), family)


@lru_cache(maxsize=512)
def _weighed(table: RouteTable, lists: Lists, family: Family) -> tuple[WayOut, ...]:
    """Remembered, for each rule asks anew, and in an audit so do all the connectors behind the same table."""
    shares: dict[tuple[str, bool], float] = defaultdict(float)
    names: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for route, won in _won(table, lists, family):
        if route.target != "local":
            shares[route.target, route.blackhole] += won / INTERNET[family].num_addresses
            names[route.target, route.blackhole].add(route.destination)
    return tuple(
        WayOut(target=target, blackhole=blackhole, destinations=tuple(sorted(names[target, blackhole])), share=share)
        for (target, blackhole), share in sorted(shares.items())
    )


def _won(table: RouteTable, lists: Lists, family: Family) -> Iterator[tuple[Route, int]]:
    """Each route with the number of internet addresses that it wins: its own less those of narrower routes.

    CIDRs nest or are apart, so sorting by address and length puts each block right after the blocks around it.
    """
    blocks: dict[Cidr, Route] = {}
    for _, cidr, route in sorted(_blocks(table, lists, family), key=precedence):
        blocks.setdefault(cidr, route)
    won: dict[Cidr, int] = {}
    around: list[Cidr] = []
    for cidr in sorted(blocks, key=lambda cidr: (int(cidr.network_address), cidr.prefixlen)):
        while around and not _inside(cidr, around[-1]):
            around.pop()
        if around:
            won[around[-1]] -= cidr.num_addresses
        won[cidr] = cidr.num_addresses
        around.append(cidr)
    for cidr, count in won.items():
        yield blocks[cidr], count


def precedence(block: tuple[int, Cidr, Route]) -> tuple[int, int, str, str]:
    """Of routes to the same block the longest prefix wins (::/0 and 2000::/3 are both cut to 2000::/3), then static
    routes, prefix lists, propagated routes (docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html).

    Between two prefix lists AWS chooses at random, and sticks to it; here the order of names decides.
    """
    length, _, route = block
    rank = 2 if route.propagated else int(route.destination.startswith("pl-"))
    return -length, rank, route.destination, route.target


def _blocks(table: RouteTable, lists: Lists, family: Family) -> Iterator[tuple[int, Cidr, Route]]:
    """The routes' destinations, cut to the internet's addresses, with the length of their prefix before the cut."""
    internet, entries = INTERNET[family], dict(lists)
    for route in table.routes:
        for text in _destinations(route, table, entries):
            cidr = ip_network(text, strict=False)
            if cidr.version == family and _inside(cidr, internet):
                yield cidr.prefixlen, cidr, route
            elif cidr.version == family and _inside(internet, cidr):
                yield cidr.prefixlen, internet, route


def _destinations(
    route: Route, table: RouteTable, lists: Mapping[str, tuple[str, ...] | Unread | None]
) -> tuple[str, ...]:
    if not route.destination.startswith("pl-"):
        return (route.destination,)
    if not _list_matters(route):
        return ()
    entries = lists.get(route.destination)
    if entries is None:
        raise NotKnown(f"the entries of prefix list {route.destination} in {table.id} were not read")
    return known(entries)


def _inside(inner: Cidr, outer: Cidr) -> bool:
    return inner.prefixlen >= outer.prefixlen and (
        int(inner.network_address) >> (inner.max_prefixlen - outer.prefixlen)
        == int(outer.network_address) >> (outer.max_prefixlen - outer.prefixlen)
    )
