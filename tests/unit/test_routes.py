from dataclasses import replace

import pytest

from apprunner_guardrails.facts import Network, NotKnown, Route, RouteTable, Subnet, Unread, known
from apprunner_guardrails.routes import (
    WayOut,
    effective_table,
    is_internet_gateway,
    is_public,
    leads_out,
    prefix_lists_to_read,
    ways_out,
)
from tests.cases._healthy import PUBLIC_RANGES, VPC, healthy, private_subnet

SUBNET: Subnet = private_subnet(1)
DENIED = Unread(call="ec2:GetManagedPrefixListEntries", code="UnauthorizedOperation")


def table(*routes: Route, table_id: str = "rtb-1", main: bool = False, vpc: str = VPC, of: str = "") -> RouteTable:
    return RouteTable(id=table_id, vpc_id=vpc, main=main, subnet_ids=(of,) if of else (), routes=routes)


def route(destination: str, target: str, *, blackhole: bool = False, propagated: bool = False) -> Route:
    return Route(destination=destination, target=target, blackhole=blackhole, propagated=propagated)


def network(*tables: RouteTable, **prefix_lists: tuple[str, ...] | Unread) -> Network:
    lists = {name.replace("_", "-"): entries for name, entries in prefix_lists.items()}
    return replace(healthy().network, route_tables=tables, prefix_lists=lists)


def way(target: str, share: float, *destinations: str, blackhole: bool = False) -> WayOut:
    return WayOut(target=target, blackhole=blackhole, destinations=destinations, share=share)


# effective_table


def test_a_subnet_follows_the_table_that_it_is_associated_with() -> None:
    own, main = table(table_id="rtb-own", of=SUBNET.id), table(table_id="rtb-main", main=True)
    assert effective_table(SUBNET, network(main, own)) == own


def test_a_subnet_without_an_association_follows_the_main_table_of_its_vpc() -> None:
    other = table(table_id="rtb-other", main=True, vpc="vpc-2")
    spare = table(table_id="rtb-spare")
    main = table(table_id="rtb-main", main=True, of="subnet-of-somebody-else")
    assert effective_table(SUBNET, network(other, spare, main)) == main


def test_the_main_table_of_another_vpc_is_not_followed() -> None:
    with pytest.raises(NotKnown, match=r"^no route table of subnet-private-1 can be seen from this account$"):
        effective_table(SUBNET, network(table(main=True, vpc="vpc-2"), table()))


def test_the_table_of_a_shared_subnet_that_is_not_seen_is_not_known() -> None:
    shared = replace(SUBNET, owner_id="444455556666")
    with pytest.raises(NotKnown, match=r"^no route table of subnet-private-1 \(shared by account 444455556666\) can"):
        effective_table(shared, network())


# ways_out


def test_a_default_route_wins_what_is_not_local() -> None:
    routes = table(route("10.0.0.0/16", "local"), route("0.0.0.0/0", "nat-1"))
    assert ways_out(routes, network(), 4) == (way("nat-1", 1 - 2**-16, "0.0.0.0/0"),)
    assert ways_out(routes, network(), 6) == ()


def test_the_longest_prefix_wins() -> None:
    routes = table(
        route("0.0.0.0/0", "igw-1"),
        route("128.0.0.0/1", "nat-1"),
        route("0.0.0.0/1", "tgw-1"),
        route("64.0.0.0/2", "nat-1"),
    )
    assert ways_out(routes, network(), 4) == (
        way("nat-1", 0.75, "128.0.0.0/1", "64.0.0.0/2"),
        way("tgw-1", 0.25, "0.0.0.0/1"),
    )


def test_nested_routes_take_from_the_route_right_around_them_only() -> None:
    routes = table(
        route("0.0.0.0/0", "a"),
        route("0.0.0.0/1", "b"),
        route("0.0.0.0/2", "a"),
        route("0.0.0.0/4", "b"),
        route("128.0.0.0/1", "c"),
    )
    assert ways_out(routes, network(), 4) == (
        way("b", 0.25 + 1 / 16, "0.0.0.0/1", "0.0.0.0/4"),
        way("c", 0.5, "128.0.0.0/1"),
    )


def test_a_route_that_is_wholly_shadowed_carries_nothing() -> None:
    routes = table(route("0.0.0.0/0", "igw-1"), route("0.0.0.0/1", "nat-1"), route("128.0.0.0/1", "nat-1"))
    assert ways_out(routes, network(), 4) == (way("nat-1", 1.0, "0.0.0.0/1", "128.0.0.0/1"),)


def test_live_and_dead_routes_to_one_target_are_told_apart() -> None:
    routes = table(route("0.0.0.0/1", "nat-1", blackhole=True), route("128.0.0.0/1", "nat-1"))
    assert ways_out(routes, network(), 4) == (
        way("nat-1", 0.5, "128.0.0.0/1"),
        way("nat-1", 0.5, "0.0.0.0/1", blackhole=True),
    )


@pytest.mark.parametrize(
    ("routes", "winner"),
    [
        ((route("0.0.0.0/0", "vgw-1", propagated=True), route("0.0.0.0/0", "nat-1")), "nat-1"),
        ((route("pl-1", "tgw-1"), route("0.0.0.0/0", "nat-1")), "nat-1"),
        ((route("0.0.0.0/0", "vgw-1", propagated=True), route("pl-1", "tgw-1")), "tgw-1"),
        ((route("pl-2", "nat-1"), route("pl-1", "tgw-1")), "tgw-1"),
    ],
    ids=[
        "static before propagated",
        "static before prefix list",
        "prefix list before propagated",
        "two prefix lists, by name",
    ],
)
def test_of_routes_to_the_same_block_one_wins(routes: tuple[Route, ...], winner: str) -> None:
    lists = network(pl_1=("0.0.0.0/0",), pl_2=("0.0.0.0/0",))
    for order in (routes, tuple(reversed(routes))):
        assert [one.target for one in ways_out(table(*order), lists, 4)] == [winner]


def test_a_propagated_route_that_is_narrower_wins() -> None:
    routes = table(route("0.0.0.0/0", "nat-1"), route("0.0.0.0/1", "vgw-1", propagated=True))
    assert ways_out(routes, network(), 4) == (way("nat-1", 0.5, "0.0.0.0/0"), way("vgw-1", 0.5, "0.0.0.0/1"))


def test_of_ipv6_only_the_public_block_counts() -> None:
    routes = table(route("::/0", "igw-1"), route("2000::/3", "eigw-1"), route("fd00::/8", "tgw-1"))
    assert ways_out(routes, network(), 6) == (way("eigw-1", 1.0, "2000::/3"),)


def test_wider_ipv6_blocks_count_for_the_public_block_too() -> None:
    assert ways_out(table(route("::/1", "igw-1")), network(), 6) == (way("igw-1", 1.0, "::/1"),)
    assert ways_out(table(route("8000::/1", "igw-1")), network(), 6) == ()
    both = table(route("::/0", "igw-1"), route("::/1", "eigw-1"))
    assert ways_out(both, network(), 6) == (way("eigw-1", 1.0, "::/1"),)


@pytest.mark.parametrize(
    ("routes", "carries"),
    [
        ((route("0.0.0.0/2", "x"),), True),
        ((route("0.0.0.0/2", "x"), route("10.0.0.0/8", "local")), True),
        ((route("0.0.0.0/3", "x"), route("32.0.0.0/4", "x")), False),
        ((route("52.0.0.0/8", "x"),), False),
    ],
    ids=["a quarter", "a quarter less the VPC", "three sixteenths", "a vendor's range"],
)
def test_a_target_carries_internet_traffic_from_a_fifth_of_it_on(routes: tuple[Route, ...], carries: bool) -> None:
    assert bool(ways_out(table(*routes), network(), 4)) is carries


# prefix lists


def test_a_prefix_list_counts_with_its_entries_of_each_family() -> None:
    routes = table(route("pl-1", "nat-1"))
    lists = network(pl_1=("0.0.0.0/1", "128.0.0.0/1", "2000::/4"))
    assert ways_out(routes, lists, 4) == (way("nat-1", 1.0, "pl-1"),)
    assert ways_out(routes, lists, 6) == (way("nat-1", 0.5, "pl-1"),)


def test_a_list_of_all_public_ranges_leads_out_and_leaves_the_rest_to_no_way() -> None:
    routes = table(route("0.0.0.0/0", "igw-1"), route("pl-1", "nat-1"))
    assert [one.target for one in ways_out(routes, network(pl_1=PUBLIC_RANGES), 4)] == ["nat-1"]


@pytest.mark.parametrize("family", [4, 6])
def test_a_list_that_was_not_read_leaves_the_table_unknown(family: int) -> None:
    routes = table(route("0.0.0.0/0", "nat-1"), route("pl-1", "igw-1"))
    with pytest.raises(NotKnown, match=r"^ec2:GetManagedPrefixListEntries failed \(UnauthorizedOperation\)$"):
        ways_out(routes, network(pl_1=DENIED), 4 if family == 4 else 6)
    with pytest.raises(NotKnown, match=r"^the entries of prefix list pl-1 in rtb-1 were not read$"):
        ways_out(routes, network(), 4 if family == 4 else 6)


def test_the_list_of_an_endpoint_is_not_missed() -> None:
    routes = table(route("0.0.0.0/0", "nat-1"), route("pl-63a5400a", "vpce-1"))
    assert ways_out(routes, network(), 4) == (way("nat-1", 1.0, "0.0.0.0/0"),)


def test_only_lists_that_can_decide_are_to_be_read() -> None:
    tables = (
        table(route("pl-3", "tgw-1"), route("pl-63a5400a", "vpce-1"), route("0.0.0.0/0", "nat-1")),
        table(route("pl-1", "igw-1", blackhole=True), route("pl-3", "nat-1")),
    )
    assert prefix_lists_to_read(tables) == ("pl-1", "pl-3")


# leads_out and is_public


@pytest.mark.parametrize(
    ("routes", "leads"),
    [
        ((), False),
        ((route("0.0.0.0/0", "local"),), False),
        ((route("0.0.0.0/0", "nat-1"), route("10.0.0.0/8", "local")), True),
        ((route("0.0.0.0/0", "nat-1", blackhole=True),), True),
        ((route("0.0.0.0/1", "nat-1"),), False),
        ((route("0.0.0.0/1", "nat-1"), route("128.0.0.0/2", "nat-2")), True),
        ((route("0.0.0.0/1", "nat-1"), route("128.0.0.0/3", "nat-2"), route("160.0.0.0/4", "nat-2")), False),
        ((route("::/0", "eigw-1"),), False),
    ],
    ids=[
        "no route",
        "all of it local",
        "a default route",
        "a blackhole",
        "a half",
        "three quarters",
        "less than three quarters",
        "IPv6 alone",
    ],
)
def test_a_table_leads_out_when_it_routes_nearly_all_of_ipv4(routes: tuple[Route, ...], leads: bool) -> None:
    assert leads_out(table(*routes), network()) is leads


def test_many_small_ways_lead_out_together() -> None:
    routes = table(*(route(f"{number * 16}.0.0.0/4", f"tgw-{number}") for number in range(16)))
    assert ways_out(routes, network(), 4) == ()
    assert leads_out(routes, network())


@pytest.mark.parametrize(
    ("target", "blackhole", "internet_gateway"),
    [("igw-1", False, True), ("igw-1", True, False), ("eigw-1", False, False), ("nat-1", False, False)],
)
def test_an_internet_gateway_is_told_by_its_id_unless_it_is_detached(
    target: str, blackhole: bool, internet_gateway: bool
) -> None:
    assert is_internet_gateway(way(target, 1.0, blackhole=blackhole)) is internet_gateway
    assert is_public(table(route("0.0.0.0/0", target, blackhole=blackhole)), network()) is internet_gateway
    assert is_public(table(route("::/0", target, blackhole=blackhole)), network()) is internet_gateway


def test_the_healthy_tables_are_what_they_are_named() -> None:
    snapshot = healthy().network
    kinds = {one.id: is_public(one, snapshot) for one in known(snapshot.route_tables)}
    assert {name for name, public in kinds.items() if public} == {"rtb-public"}
