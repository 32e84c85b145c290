from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import get_args

import pytest

from apprunner_guardrails.facts import (
    AclEntry,
    GroupRule,
    NatGateway,
    Network,
    NetworkAcl,
    NotKnown,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Unread,
    known,
    unread_network,
)
from apprunner_guardrails.reach import (
    PRIVATE,
    REACHES,
    Arrival,
    Destination,
    Hop,
    Malformed,
    Stop,
    cidr,
    declared,
    is_private,
    parsed,
    parts_of,
    stop,
    tables_on_the_way,
)
from tests.cases._healthy import OTHER_ACCOUNT, private_subnet, public_subnet

OURS, THEIRS = private_subnet(1), replace(private_subnet(2), id="subnet-db")
DENIED = Unread(call="ec2:DescribeSomething", code="UnauthorizedOperation")
DB = "10.0.2.9"
HOPS: tuple[Hop, ...] = get_args(Hop.__value__)

# What each hop needs so that a call from OURS to TCP 5432 of DB gets through, and nothing more.
APP = SecurityGroup(
    id="sg-app",
    name="app",
    vpc_id="vpc-1",
    ingress=(),
    egress=(GroupRule(protocol="tcp", peers=("10.0.2.0/24",), from_port=5432, to_port=5432),),
)
DATABASE = SecurityGroup(
    id="sg-db",
    name="db",
    vpc_id="vpc-1",
    ingress=(GroupRule(protocol="tcp", peers=("sg-app",), from_port=5432, to_port=5432),),
    egress=(),
)


def entry(number: int, cidr: str, *ports: int, egress: bool, allow: bool = True, protocol: str = "6") -> AclEntry:
    first, last = ports or (None, None)
    return AclEntry(
        number=number, egress=egress, allow=allow, protocol=protocol, cidr=cidr, from_port=first, to_port=last
    )


OUT = entry(100, "10.0.2.0/24", 5432, 5432, egress=True)
BACK_IN = entry(100, "10.0.2.0/24", 1024, 65535, egress=False)
IN = entry(100, "10.0.1.0/24", 5432, 5432, egress=False)
BACK_OUT = entry(100, "10.0.1.0/24", 1024, 65535, egress=True)
LOCAL = Route(destination="10.0.0.0/16", target="local")


def acl(acl_id: str, subnet: Subnet, *entries: AclEntry) -> NetworkAcl:
    return NetworkAcl(id=acl_id, subnet_ids=(subnet.id,), entries=entries)


def network(
    *routes: Route,
    ours: tuple[AclEntry, ...] = (OUT, BACK_IN),
    theirs: tuple[AclEntry, ...] = (IN, BACK_OUT),
    lists: Mapping[str, tuple[str, ...] | Unread] | None = None,
) -> Network:
    table = RouteTable(id="rtb-1", vpc_id="vpc-1", main=True, subnet_ids=(), routes=routes)
    return replace(
        unread_network("1", "us-east-1", DENIED),
        vpc_id="vpc-1",
        subnets=(OURS, THEIRS),
        route_tables=(table,),
        network_acls=(acl("acl-ours", OURS, *ours), acl("acl-theirs", THEIRS, *theirs)),
        prefix_lists=lists or {},
    )


OPEN = network(LOCAL)
THERE = Arrival(subnet=THEIRS, groups=(DATABASE,))


def stopped(
    where: Network = OPEN,
    *,
    groups: tuple[SecurityGroup, ...] = (APP,),
    arrival: Arrival | None = THERE,
    address: str = DB,
    subnet: Subnet = OURS,
) -> Stop | None:
    return stop(subnet, groups, address, 5432, arrival, where)


# stop: the hops and their order


def test_what_is_needed_is_enough() -> None:
    assert stopped() is None


SHUT = {
    "outbound rules": (replace(APP, egress=()), DATABASE, OPEN, "sg-app"),
    "outbound ACL": (APP, DATABASE, network(LOCAL, ours=(BACK_IN,)), "acl-ours"),
    "route": (APP, DATABASE, network(), "rtb-1"),
    "inbound ACL of the destination": (APP, DATABASE, network(LOCAL, theirs=(BACK_OUT,)), "acl-theirs"),
    "inbound rules of the destination": (APP, replace(DATABASE, ingress=()), OPEN, "sg-db"),
    "outbound ACL of the destination": (APP, DATABASE, network(LOCAL, theirs=(IN,)), "acl-theirs"),
    "inbound ACL": (APP, DATABASE, network(LOCAL, ours=(OUT,)), "acl-ours"),
}


@pytest.mark.parametrize("hop", HOPS)
def test_each_hop_stops_what_it_does_not_let_through(hop: Hop) -> None:
    app, database, where, name = SHUT[hop]
    found = stopped(where, groups=(app,), arrival=Arrival(subnet=THEIRS, groups=(database,)))
    assert found is not None
    assert (found.hop, found.where) == (hop, name)


@pytest.mark.parametrize("first", range(len(HOPS)), ids=HOPS)
def test_of_all_hops_from_one_on_the_first_is_told(first: int) -> None:
    shut = set(HOPS[first:])
    where = network(
        *(() if "route" in shut else (LOCAL,)),
        ours=(OUT,) * ("outbound ACL" not in shut) + (BACK_IN,) * ("inbound ACL" not in shut),
        theirs=(IN,) * ("inbound ACL of the destination" not in shut)
        + (BACK_OUT,) * ("outbound ACL of the destination" not in shut),
    )
    app = replace(APP, egress=()) if "outbound rules" in shut else APP
    database = replace(DATABASE, ingress=()) if "inbound rules of the destination" in shut else DATABASE
    found = stopped(where, groups=(app,), arrival=Arrival(subnet=THEIRS, groups=(database,)))
    assert found is not None
    assert found.hop == HOPS[first]


def test_a_stop_is_told_though_what_comes_after_it_was_not_read() -> None:
    where = replace(OPEN, route_tables=DENIED, network_acls=DENIED)
    assert stopped(where, groups=(replace(APP, egress=()),)) == Stop(
        hop="outbound rules", where="sg-app", why="lets nothing out on TCP 5432 to there"
    )
    with pytest.raises(NotKnown, match="DescribeSomething failed"):
        stopped(where)


def test_what_is_not_in_sight_is_not_judged() -> None:
    shut = network(LOCAL, theirs=())
    closed = replace(DATABASE, ingress=())
    assert stopped(shut, arrival=None) is None
    assert stopped(shut, arrival=Arrival(subnet=None, groups=(DATABASE,))) is None
    assert stopped(OPEN, arrival=Arrival(subnet=THEIRS, groups=None)) is None
    found = stopped(shut, arrival=Arrival(subnet=None, groups=(closed,)))
    assert found is not None
    assert found.hop == "inbound rules of the destination"


# Security groups remember, ACLs do not


def test_answers_need_no_rule_of_a_security_group() -> None:
    assert (APP.ingress, DATABASE.egress) == ((), ())
    assert stopped() is None


@pytest.mark.parametrize(
    ("where", "hop"),
    [
        (network(LOCAL, ours=(OUT, entry(100, "10.0.2.0/24", 443, 443, egress=False))), "inbound ACL"),
        (
            network(LOCAL, theirs=(IN, entry(100, "10.0.1.0/24", 443, 443, egress=True))),
            "outbound ACL of the destination",
        ),
    ],
    ids=["ours", "theirs"],
)
def test_answers_need_their_own_entries_in_both_acls(where: Network, hop: str) -> None:
    found = stopped(where)
    assert found is not None
    assert found.hop == hop


def test_within_a_subnet_neither_acls_nor_routes_count() -> None:
    here = Arrival(subnet=OURS, groups=(DATABASE,))
    app = replace(APP, egress=(GroupRule(protocol="-1", peers=("0.0.0.0/0",)),))
    shut = network(ours=(), theirs=())
    assert stopped(shut, groups=(app,), arrival=here, address="10.0.1.9") is None
    assert stopped(shut, groups=(app,), arrival=None, address="10.0.1.9") is None
    assert stopped(shut, groups=(app,), arrival=None, address="10.0.2.9") is not None


# ACLs


def test_the_lowest_number_decides_wherever_it_stands() -> None:
    deny = entry(50, "0.0.0.0/0", egress=True, allow=False, protocol="-1")
    assert stopped(network(LOCAL, ours=(OUT, deny, BACK_IN))) == Stop(
        hop="outbound ACL",
        where="acl-ours",
        why="does not let TCP 5432 out: entry 50 denies 0.0.0.0/0",
        before=50,
    )
    assert stopped(network(LOCAL, ours=(replace(deny, number=150), OUT, BACK_IN))) is None


@pytest.mark.parametrize(
    "other",
    [
        entry(50, "0.0.0.0/0", egress=True, allow=False, protocol="17"),
        entry(50, "::/0", egress=True, allow=False, protocol="-1"),
        entry(50, "10.0.2.0/24", 443, 443, egress=True, allow=False),
        entry(50, "10.0.3.0/24", egress=True, allow=False),
        entry(50, "10.0.2.0/24", 5432, 5432, egress=False, allow=False, protocol="17"),
    ],
    ids=["UDP", "IPv6", "another port", "another block", "the other direction's UDP"],
)
def test_an_entry_about_something_else_decides_nothing(other: AclEntry) -> None:
    assert stopped(network(LOCAL, ours=(other, OUT, BACK_IN))) is None


def test_of_several_entries_that_deny_the_lowest_has_to_be_come_before() -> None:
    denies = (
        entry(70, "10.0.1.128/25", egress=False, allow=False),
        entry(60, "10.0.1.0/25", egress=False, allow=False),
    )
    found = stopped(network(LOCAL, theirs=(*denies, IN, BACK_OUT)))
    assert found == Stop(
        hop="inbound ACL of the destination",
        where="acl-theirs",
        why="does not let TCP 5432 in: entry 60 denies 10.0.1.0/25",
        before=60,
    )


# Parts


@pytest.mark.parametrize(
    ("where", "groups"),
    [
        (network(LOCAL, theirs=(replace(IN, cidr="10.0.1.0/25"), BACK_OUT)), (DATABASE,)),
        (network(LOCAL, theirs=(IN, replace(BACK_OUT, cidr="10.0.1.128/25"))), (DATABASE,)),
        (network(LOCAL, theirs=(IN, replace(BACK_OUT, from_port=32769))), (DATABASE,)),
        (network(LOCAL, ours=(OUT, replace(BACK_IN, to_port=60998))), (DATABASE,)),
        (OPEN, (replace(DATABASE, ingress=(GroupRule(protocol="-1", peers=("10.0.1.7/32",)),)),)),
    ],
    ids=["inbound ACL", "outbound ACL", "outbound ACL's ports", "our inbound ACL's ports", "inbound rules"],
)
def test_what_lets_a_part_through_is_not_known(where: Network, groups: tuple[SecurityGroup, ...]) -> None:
    with pytest.raises(NotKnown, match=r"^only a part of what subnet-private-1 sends to TCP 5432 of 10\.0\.2\.9 gets"):
        stopped(where, arrival=Arrival(subnet=THEIRS, groups=groups))


def test_hops_that_let_other_parts_through_stop_everything_together() -> None:
    lower, upper = "10.0.1.0/25", "10.0.1.128/25"
    where = network(LOCAL, theirs=(replace(IN, cidr=lower), replace(BACK_OUT, cidr=upper)))
    found = stopped(where)
    assert found is not None
    assert (found.hop, found.where) == ("outbound ACL of the destination", "acl-theirs")


def test_ports_that_one_acl_lets_out_and_the_other_does_not_let_in_come_to_nothing() -> None:
    where = network(LOCAL, ours=(OUT, replace(BACK_IN, from_port=40000)), theirs=(IN, replace(BACK_OUT, to_port=39999)))
    found = stopped(where)
    assert found is not None
    assert (found.hop, found.where) == ("inbound ACL", "acl-ours")


def test_parts_that_are_let_through_one_by_one_are_the_whole() -> None:
    lower, upper = replace(IN, cidr="10.0.1.0/25"), replace(IN, number=101, cidr="10.0.1.128/25")
    low, high = replace(BACK_OUT, to_port=39999), replace(BACK_OUT, number=101, from_port=40000)
    assert stopped(network(LOCAL, theirs=(lower, upper, low, high))) is None


# Security groups


@pytest.mark.parametrize(
    ("peers", "through"),
    [
        (("sg-db",), True),
        (("sg-other",), False),
        (("10.0.2.9/32",), True),
        (("10.0.2.8/32",), False),
        (("pl-db",), True),
        (("pl-other",), False),
        (("::/0",), False),
        (("sg-other", "10.0.0.0/8"), True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_outbound_rules_name_groups_blocks_and_lists(peers: tuple[str, ...], through: bool) -> None:
    app = replace(APP, egress=(GroupRule(protocol="tcp", peers=peers, from_port=5000, to_port=6000),))
    lists = {"pl-db": ("192.168.0.0/16", "10.0.2.0/24"), "pl-other": ("10.0.3.0/24",)}
    assert (stopped(network(LOCAL, lists=lists), groups=(app,)) is None) == through


@pytest.mark.parametrize(
    ("rule", "through"),
    [
        (GroupRule(protocol="-1", peers=("sg-app",)), True),
        (GroupRule(protocol="-1", peers=("sg-app",), from_port=-1, to_port=-1), True),
        (GroupRule(protocol="6", peers=("sg-app",), from_port=0, to_port=65535), True),
        (GroupRule(protocol="udp", peers=("sg-app",), from_port=5432, to_port=5432), False),
        (GroupRule(protocol="tcp", peers=("sg-app",), from_port=5433, to_port=65535), False),
        (GroupRule(protocol="tcp", peers=("sg-app",), from_port=0, to_port=5431), False),
        (GroupRule(protocol="icmp", peers=("sg-app",), from_port=-1, to_port=-1), False),
        (GroupRule(protocol="tcp", peers=(), from_port=5432, to_port=5432), False),
    ],
    ids=lambda value: value.protocol if isinstance(value, GroupRule) else None,
)
def test_rules_count_by_protocol_and_port(rule: GroupRule, through: bool) -> None:
    there = Arrival(subnet=THEIRS, groups=(replace(DATABASE, ingress=(rule,)),))
    assert (stopped(arrival=there) is None) == through


def test_all_groups_of_an_interface_count_together() -> None:
    closed = replace(DATABASE, id="sg-closed", ingress=())
    assert stopped(groups=(replace(APP, id="sg-shut", egress=()), APP)) is None
    assert stopped(arrival=Arrival(subnet=THEIRS, groups=(closed, DATABASE))) is None
    assert stopped(
        groups=(APP, replace(APP, id="sg-a")),
        arrival=Arrival(subnet=THEIRS, groups=(closed, replace(closed, id="sg-b"))),
    ) == Stop(
        hop="inbound rules of the destination",
        where="sg-b, sg-closed",
        why="admit nothing on TCP 5432 from sg-a, sg-app or from there",
    )


def test_who_carries_a_group_out_of_sight_is_not_known_but_on_the_internet_nobody_does() -> None:
    app = replace(APP, egress=(GroupRule(protocol="-1", peers=("sg-db",)),))
    where = network(
        LOCAL, Route(destination="0.0.0.0/0", target="nat-1"), Route(destination="10.9.0.0/16", target="pcx-1")
    )
    for address in (DB, "10.9.0.5", "10.0.1.9"):
        with pytest.raises(NotKnown, match=f"^whether {address} carries sg-db is not in sight$"):
            stopped(where, groups=(app,), arrival=None, address=address)
    found = stopped(where, groups=(app,), arrival=None, address="198.51.100.7")
    assert found is not None
    assert found.hop == "outbound rules"


@pytest.mark.parametrize(
    ("route", "by_group"),
    [
        (Route(destination="10.0.2.0/24", target="eni-1"), False),
        (Route(destination="10.0.2.0/24", target="vpce-firewall"), False),
        (Route(destination="10.0.2.0/24", target="pcx-1"), True),
        (Route(destination="pl-s3", target="vpce-s3"), True),
    ],
    ids=lambda value: value.target if isinstance(value, Route) else None,
)
def test_through_an_appliance_nothing_is_from_the_callers_group(route: Route, by_group: bool) -> None:
    where = network(LOCAL, route, lists={"pl-s3": ("10.0.2.0/24",)})
    assert (stopped(where) is None) == by_group
    by_address = replace(DATABASE, ingress=(GroupRule(protocol="tcp", peers=("10.0.1.0/24",)),))
    assert stopped(where, arrival=Arrival(subnet=THEIRS, groups=(by_address,))) is None


# Routes


def through(*routes: Route, lists: Mapping[str, tuple[str, ...] | Unread] | None = None, address: str = DB) -> str:
    """Why nothing gets to the address; empty where it does."""
    app = replace(APP, egress=(GroupRule(protocol="-1", peers=("0.0.0.0/0", "::/0")),))
    both = tuple(
        entry(number, cidr, egress=egress, protocol="-1")
        for number, cidr in ((1, "0.0.0.0/0"), (2, "::/0"))
        for egress in (True, False)
    )
    ours = replace(OURS, ipv6_cidrs=("2600:1f18:1:1::/64",))
    where = network(*routes, ours=both, lists=lists)
    found = stopped(where, groups=(app,), arrival=None, address=address, subnet=ours)
    assert found is None or (found.hop, found.where) == ("route", "rtb-1")
    return found.why if found else ""


def to(destination: str, target: str = "pcx-1", *, blackhole: bool = False, propagated: bool = False) -> Route:
    return Route(destination=destination, target=target, blackhole=blackhole, propagated=propagated)


@pytest.mark.parametrize("target", ["local", "pcx-1", "tgw-1", "vgw-1", "eni-1", "vpce-1", "lgw-1"])
def test_whatever_carries_packets_on_is_taken_to_bring_them_there(target: str) -> None:
    assert through(to("10.0.0.0/8", target)) == ""
    assert through(to("10.0.0.0/8", target, blackhole=True)) == f"sends 10.0.0.0/8 to {target}, which is gone"


@pytest.mark.parametrize(
    ("gateway", "address"),
    [
        ("igw-1", "10.9.0.5"),
        ("igw-1", "172.31.255.255"),
        ("igw-1", "192.168.0.1"),
        ("igw-1", "100.64.0.1"),
        ("igw-1", "169.254.169.254"),
        ("igw-1", "198.19.0.1"),
        ("igw-1", "240.0.0.1"),
        ("eigw-1", "fd00:9::5"),
        ("eigw-1", "fe80::5"),
        ("eigw-1", "fc00::1"),
    ],
)
def test_gateways_to_the_internet_carry_nothing_to_private_addresses(gateway: str, address: str) -> None:
    """The subnet speaks both families; a route that is narrower than the default one makes no difference."""
    for default in (("0.0.0.0/0", "::/0"), ("0.0.0.0/1", "128.0.0.0/1", "f000::/4")):
        found = through(*(to(one, gateway) for one in default), address=address)
        taken = next(one for one in default if ip_address(address) in ip_network(one))
        assert found == f"sends {taken} to {gateway}, which leads to the internet only"


@pytest.mark.parametrize("address", ["9.255.255.255", "11.0.0.0", "172.32.0.0", "100.128.0.0", "2600:1f18::5"])
def test_what_is_beside_private_addresses_is_on_the_internet(address: str) -> None:
    assert through(to("0.0.0.0/0", "nat-1"), to("::/0", "eigw-1"), address=address) == ""


def test_an_internet_gateway_carries_nothing_from_private_addresses() -> None:
    why = "and a connector's interfaces have no public address"
    assert through(to("0.0.0.0/0", "igw-1"), address="198.51.100.7") == f"sends 0.0.0.0/0 to igw-1, {why}"


def test_the_longest_prefix_wins() -> None:
    gone = to("10.0.2.0/24", blackhole=True)
    assert through(to("10.0.0.0/16"), gone, to("0.0.0.0/0")) == "sends 10.0.2.0/24 to pcx-1, which is gone"
    assert through(to("10.0.0.0/16", blackhole=True), to("10.0.2.0/24")) == ""
    assert through(to("10.0.3.0/24"), to("::/0")) == "has no route to there"


def test_of_equal_prefixes_static_routes_come_before_lists_and_lists_before_propagated_ones() -> None:
    lists = {"pl-1": ("10.0.2.0/24",)}
    static, listed, learnt = to("10.0.2.0/24"), to("pl-1", "tgw-1"), to("10.0.2.0/24", "vgw-1", propagated=True)
    assert through(static, replace(listed, blackhole=True), replace(learnt, blackhole=True), lists=lists) == ""
    assert through(replace(learnt, blackhole=True), listed, lists=lists) == ""
    assert through(replace(listed, blackhole=True), learnt, lists=lists) == "sends pl-1 to tgw-1, which is gone"


def test_no_propagated_route_takes_what_is_local() -> None:
    learnt = to("10.0.2.0/24", "vgw-1", propagated=True, blackhole=True)
    assert through(LOCAL, learnt) == ""
    assert through(to("10.0.0.0/16", "tgw-1"), learnt) == "sends 10.0.2.0/24 to vgw-1, which is gone"


@pytest.mark.parametrize("entries", [None, DENIED], ids=["not asked for", "denied"])
def test_a_list_that_was_not_read_matters_where_it_makes_a_difference(entries: Unread | None) -> None:
    lists = {"pl-1": entries} if entries else {}
    said = f"rtb-1: the entries of prefix list pl-1 were not read{f': {entries}' if entries else ''}"
    for routes in ((to("pl-1"),), (to("10.0.0.0/8"), to("pl-1", blackhole=True))):
        with pytest.raises(NotKnown) as caught:
            through(*routes, lists=lists)
        assert str(caught.value) == said
    assert through(to("10.0.0.0/8"), to("pl-1", "vpce-s3"), lists=lists) == ""
    assert through(to("pl-1", blackhole=True), lists=lists) == "has no route to there"
    assert through(to(f"{DB}/32"), to("pl-1", blackhole=True), lists=lists) == ""


# NAT gateways

OUT_1, OUT_2 = public_subnet(1), public_subnet(2)
TO_NAT_1, TO_NAT_2, TO_THE_INTERNET = to("0.0.0.0/0", "nat-1"), to("0.0.0.0/0", "nat-2"), to("0.0.0.0/0", "igw-1")
BEYOND = "10.9.0.5"


def nat(number: int, home: str) -> NatGateway:
    return NatGateway(id=f"nat-{number}", vpc_id="vpc-1", subnet_id=home, state="available", connectivity="public")


def nats_go_on_by(
    *first: Route,
    then: tuple[Route, ...] = (),
    ours: tuple[Route, ...] = (LOCAL, TO_NAT_1),
    lists: Mapping[str, tuple[str, ...] | Unread] | None = None,
) -> Network:
    """nat-1, to which the connector's subnet leads, sits in OUT_1, which has the first routes; nat-2 in OUT_2."""
    found = network(*ours, ours=(entry(1, "0.0.0.0/0", egress=True), entry(1, "0.0.0.0/0", egress=False)), lists=lists)
    tables = [
        RouteTable(id=f"rtb-out-{number}", vpc_id="vpc-1", main=False, subnet_ids=(home.id,), routes=routes)
        for number, home, routes in ((1, OUT_1, first), (2, OUT_2, then))
    ]
    return replace(
        found,
        subnets=(OURS, THEIRS, OUT_1, OUT_2),
        route_tables=(*known(found.route_tables), *tables),
        nat_gateways=(nat(1, OUT_1.id), nat(2, OUT_2.id)),
    )


def by_nat(where: Network, address: str = BEYOND, arrival: Arrival | None = None) -> Stop | None:
    app = replace(APP, egress=(GroupRule(protocol="-1", peers=("0.0.0.0/0",)),))
    return stopped(where, groups=(app,), arrival=arrival, address=address)


def at_route(table: str, why: str) -> Stop:
    return Stop(hop="route", where=table, why=why)


@pytest.mark.parametrize(
    ("routes", "why"),
    [
        ((LOCAL, TO_THE_INTERNET), "sends 0.0.0.0/0 to igw-1, which leads to the internet only"),
        (
            (LOCAL, TO_THE_INTERNET, to("10.9.0.0/16", "igw-2")),
            "sends 10.9.0.0/16 to igw-2, which leads to the internet only",
        ),
        ((LOCAL,), "has no route to there"),
        (
            (LOCAL, TO_THE_INTERNET, to("10.9.0.0/16", "tgw-1", blackhole=True)),
            "sends 10.9.0.0/16 to tgw-1, which is gone",
        ),
        ((LOCAL, TO_NAT_1), "sends 0.0.0.0/0 to nat-1, from where it comes back"),
    ],
    ids=["internet gateway", "narrow route to one", "no route", "black hole", "itself"],
)
def test_what_a_nat_gateway_sends_on_ends_by_the_table_of_its_subnet(routes: tuple[Route, ...], why: str) -> None:
    assert by_nat(nats_go_on_by(*routes)) == at_route("rtb-out-1", f"is what nat-1 goes on by, and {why}")


@pytest.mark.parametrize("target", ["tgw-1", "pcx-1", "vgw-1", "eni-1", "vpce-1", "local"])
def test_what_a_nat_gateways_table_leads_anywhere_else_goes_on(target: str) -> None:
    assert by_nat(nats_go_on_by(LOCAL, TO_THE_INTERNET, to("10.9.0.0/16", target))) is None


def test_public_addresses_are_no_matter_of_the_nat_gateways_table() -> None:
    for routes in ((LOCAL, TO_THE_INTERNET), (LOCAL,), (LOCAL, TO_NAT_1), (to("0.0.0.0/0", "tgw-1", blackhole=True),)):
        where = nats_go_on_by(*routes)
        assert by_nat(where, "52.0.0.1") is None
        assert by_nat(replace(where, nat_gateways=DENIED), "52.0.0.1") is None


def test_a_nat_gateway_whose_subnet_leads_to_another_goes_on_by_that() -> None:
    assert by_nat(nats_go_on_by(TO_NAT_2, then=(to("10.9.0.0/16", "tgw-1"),))) is None
    assert by_nat(nats_go_on_by(TO_NAT_2, then=(TO_THE_INTERNET,))) == at_route(
        "rtb-out-2", "is what nat-2 goes on by, and sends 0.0.0.0/0 to igw-1, which leads to the internet only"
    )
    assert by_nat(nats_go_on_by(TO_NAT_2, then=(TO_NAT_1,))) == at_route(
        "rtb-out-2", "is what nat-2 goes on by, and sends 0.0.0.0/0 to nat-1, from where it comes back"
    )


def test_a_nat_gateway_by_the_connectors_own_table_leads_nowhere() -> None:
    where = replace(nats_go_on_by(), nat_gateways=(nat(1, OURS.id),))
    assert by_nat(where) == at_route("rtb-1", "sends 0.0.0.0/0 to nat-1, from where it comes back")


def test_without_a_route_of_its_own_what_is_peered_is_stopped_before_its_rules_are() -> None:
    shut = Arrival(subnet=replace(THEIRS, vpc_id="vpc-9"), groups=(replace(DATABASE, ingress=()),))
    where = nats_go_on_by(LOCAL, TO_THE_INTERNET)
    found = by_nat(where, arrival=shut)
    assert found is not None
    assert (found.hop, found.where) == ("route", "rtb-out-1")
    peered = replace(where, route_tables=network(LOCAL, TO_NAT_1, to("10.9.0.0/16")).route_tables)
    found = by_nat(peered, arrival=shut)
    assert found is not None
    assert found.hop == "inbound rules of the destination"


UNKNOWN_WAY = "where nat-1 goes on is not known"
GOES_ON = nats_go_on_by(LOCAL, to("10.9.0.0/16", "tgw-1"))
LENT = replace(OUT_1, vpc_id="vpc-9", owner_id=OTHER_ACCOUNT)


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (replace(GOES_ON, nat_gateways=DENIED), str(DENIED)),
        (replace(GOES_ON, nat_gateways=()), f"{UNKNOWN_WAY}: no such NAT gateway of the VPC can be seen"),
        (
            replace(GOES_ON, nat_gateways=(nat(1, ""),)),
            f"{UNKNOWN_WAY}: the route table of a regional NAT gateway is not read",
        ),
        (
            replace(GOES_ON, nat_gateways=(nat(1, "subnet-9"),)),
            f"{UNKNOWN_WAY}: its subnet subnet-9 cannot be seen from this account",
        ),
        (replace(GOES_ON, subnets=DENIED), str(DENIED)),
        (
            replace(GOES_ON, subnets=(LENT,), route_tables=known(GOES_ON.route_tables)[:1]),
            f"no route table of subnet-public-1 (shared by account {OTHER_ACCOUNT}) can be seen from this account",
        ),
    ],
    ids=["unread", "not listed", "regional", "subnet not listed", "subnets unread", "table not listed"],
)
def test_where_a_nat_gateway_goes_on_out_of_sight_is_not_known(where: Network, why: str) -> None:
    assert by_nat(GOES_ON) is None
    with pytest.raises(NotKnown) as caught:
        by_nat(where)
    assert str(caught.value) == why
    assert by_nat(replace(where, route_tables=GOES_ON.route_tables), "52.0.0.1") is None


def test_a_list_that_was_not_read_in_a_nat_gateways_table_matters_where_it_makes_a_difference() -> None:
    may_lead_on = (LOCAL, TO_THE_INTERNET, to("pl-1", "tgw-1"))
    with pytest.raises(NotKnown) as caught:
        by_nat(nats_go_on_by(*may_lead_on))
    assert str(caught.value) == "rtb-out-1: the entries of prefix list pl-1 were not read"
    assert by_nat(nats_go_on_by(*may_lead_on, lists={"pl-1": ("10.9.0.0/24",)})) is None
    stops = nats_go_on_by(LOCAL, TO_THE_INTERNET, to("pl-1", "tgw-1", blackhole=True))
    assert by_nat(stops) == at_route(
        "rtb-out-1", "is what nat-1 goes on by, and sends 0.0.0.0/0 to igw-1, which leads to the internet only"
    )
    read = replace(stops, prefix_lists={"pl-1": ("10.9.0.0/24",)})
    assert by_nat(read) == at_route("rtb-out-1", "is what nat-1 goes on by, and sends pl-1 to tgw-1, which is gone")


def test_one_list_that_was_not_read_holds_the_same_wherever_it_is_routed() -> None:
    """It has the address, and is a black hole; or has not, and the NAT gateway's subnet has no other way."""
    gone = to("pl-1", "pcx-1", blackhole=True)
    where = nats_go_on_by(LOCAL, TO_THE_INTERNET, to("pl-1", "tgw-1"), ours=(LOCAL, TO_NAT_1, gone))
    found = by_nat(where)
    assert found is not None
    assert (found.hop, found.where) == ("route", "rtb-out-1")
    on = nats_go_on_by(LOCAL, TO_THE_INTERNET, to("pl-1", "tgw-1"), ours=(to("0.0.0.0/0"), to("pl-1", "nat-1")))
    assert by_nat(on) is None
    leads_by_both = nats_go_on_by(LOCAL, TO_THE_INTERNET, to("pl-2", "tgw-1"), ours=(LOCAL, gone, to("pl-2", "nat-1")))
    with pytest.raises(NotKnown, match=r"^rtb-1: .* pl-1 .*; rtb-1: .* pl-2 .*; rtb-out-1: .* pl-2 "):
        by_nat(leads_by_both)


def test_the_tables_on_the_way_are_the_subnets_own_and_those_of_the_nat_gateways_in_sight() -> None:
    where = nats_go_on_by(TO_NAT_2, to("10.9.0.0/16", "nat-1"), then=(TO_NAT_1, to("10.8.0.0/16", "nat-9")))
    assert [one.id for one in tables_on_the_way(OURS, where)] == ["rtb-1", "rtb-out-1", "rtb-out-2"]
    assert [one.id for one in tables_on_the_way(OURS, replace(where, nat_gateways=DENIED))] == ["rtb-1"]


def test_over_ipv6_only_ipv6_counts() -> None:
    ours = replace(OURS, ipv6_cidrs=("2600:1f18:1:1::/64", "2600:1f18:1:f::/64"))
    there = Arrival(subnet=replace(THEIRS, ipv6_cidrs=("2600:1f18:1:2::/64",)), groups=(DATABASE,))
    address = "2600:1f18:1:2::9"
    app = replace(APP, egress=(GroupRule(protocol="tcp", peers=("2600:1f18:1::/48",)),))
    both = tuple(entry(100, "2600:1f18:1::/48", egress=egress, protocol="-1") for egress in (True, False))
    where = network(LOCAL, to("2600:1f18:1::/56", "local"), ours=both, theirs=both)
    assert stopped(where, groups=(app,), subnet=ours, arrival=there, address=address) is None
    some = replace(DATABASE, ingress=(GroupRule(protocol="tcp", peers=("2600:1f18:1:1::/64",)),))
    with pytest.raises(NotKnown, match="only a part"):
        stopped(where, groups=(app,), subnet=ours, arrival=replace(there, groups=(some,)), address=address)
    assert stopped(where, groups=(app,), arrival=there, address=address) == Stop(
        hop="route", where="subnet-private-1", why="has no IPv6 addresses"
    )
    native = replace(ours, cidr="", ipv6_native=True)
    assert stopped(subnet=native) == Stop(hop="route", where="subnet-private-1", why="has no IPv4 addresses")


# parts_of


def test_a_cidr_falls_into_parts_where_anything_on_the_way_begins_or_ends() -> None:
    app = replace(APP, egress=(GroupRule(protocol="-1", peers=("10.0.0.0/15", "pl-1", "sg-db", "::/0")),))
    where = network(LOCAL, to("10.0.2.128/25"), ours=(OUT,), lists={"pl-1": ("10.0.2.192/26",)})
    assert list(parts_of("10.0.1.128/23", OURS, (app,), where)) == [
        ("10.0.0.0", None, ("10.0.0.0/24",)),
        ("10.0.1.0", OURS, ("10.0.1.0/24",)),
    ]
    assert list(parts_of("10.0.2.0/23", OURS, (app,), where)) == [
        ("10.0.2.0", THEIRS, ("10.0.2.0/25",)),
        ("10.0.2.128", THEIRS, ("10.0.2.128/26",)),
        ("10.0.2.192", THEIRS, ("10.0.2.192/26",)),
        ("10.0.3.0", None, ("10.0.3.0/24",)),
    ]


def test_the_tables_of_nat_gateways_draw_borders_too() -> None:
    where = nats_go_on_by(LOCAL, TO_THE_INTERNET, to("10.9.64.0/18", "tgw-1"))
    assert [cidrs for _, _, cidrs in parts_of("10.9.0.0/16", OURS, (APP,), where)] == [
        ("10.9.0.0/18",),
        ("10.9.64.0/18",),
        ("10.9.128.0/17",),
    ]


def test_who_names_the_internet_means_of_private_addresses_those_that_have_a_route_of_their_own() -> None:
    where = nats_go_on_by(LOCAL, TO_THE_INTERNET, ours=(LOCAL, TO_NAT_1, to("172.20.0.0/16")))
    parts = list(parts_of("0.0.0.0/0", OURS, (), where))
    meant = [one for _, _, cidrs in parts for one in cidrs if is_private(cidr(one))]
    assert all(one.startswith("10.0.") for one in meant[:-1])
    assert meant[-1] == "172.20.0.0/16"
    public = [cidr(one).num_addresses for _, _, cidrs in parts for one in cidrs if not is_private(cidr(one))]
    assert sum(public) == 2**32 - sum(one.num_addresses for one in PRIVATE if one.version == 4)
    assert [address for address, _, _ in parts_of("172.16.0.0/12", OURS, (), where)] == [
        "172.16.0.0",
        "172.20.0.0",
        "172.21.0.0",
    ]


def test_what_was_not_read_draws_no_border() -> None:
    where = replace(OPEN, subnets=DENIED, route_tables=DENIED, network_acls=DENIED)
    app = replace(APP, egress=(GroupRule(protocol="-1", peers=("pl-1",)),))
    assert list(parts_of("2001:db8::/32", OURS, (app,), where)) == [("2001:db8::", None, ("2001:db8::/32",))]


# declared


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sg-0123456789abcdef0:5432", ("sg-0123456789abcdef0", 5432)),
        ("10.0.0.0/16:443", ("10.0.0.0/16", 443)),
        ("10.0.1.5/32:65535", ("10.0.1.5/32", 65535)),
        ("0.0.0.0/0:1", ("0.0.0.0/0", 1)),
        ("[2001:db8::/32]:443", ("2001:db8::/32", 443)),
        ("[2001:DB8:0::/48]:443", ("2001:db8::/48", 443)),
        ("2001:db8::/32:443", ("2001:db8::/32", 443)),
        ("::/0:443", ("::/0", 443)),
    ],
)
def test_a_word_names_a_group_or_a_cidr_and_a_port(word: str, expected: tuple[str, int]) -> None:
    assert parsed(word) == expected


NO_PORT = "it should end in a port from 1 to 65535"
NO_PEER = "before the port there should be a security group's id or a CIDR"


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("", "the tag is empty"),
        ("sg-0db", NO_PORT),
        ("sg-0db:", NO_PORT),
        ("sg-0db:0", NO_PORT),
        ("sg-0db:65536", NO_PORT),
        ("sg-0db:05432", NO_PORT),
        ("sg-0db:5432-5433", NO_PORT),
        ("sg-0db:\N{ARABIC-INDIC DIGIT FIVE}", NO_PORT),
        ("10.0.0.0/16", NO_PORT),
        (":5432", NO_PEER),
        ("sg-:5432", NO_PEER),
        ("SG-0DB:5432", NO_PEER),
        ("db.example.com:5432", NO_PEER),
        ("10.0.1.5:5432", NO_PEER),
        ("[10.0.0.0/8]:5432", NO_PEER),
        ("[2001:db8::/32:443", NO_PEER),
        ("10.0.0.0/33:443", "10.0.0.0/33 is no CIDR"),
        ("10.0.0.256/32:443", "10.0.0.256/32 is no CIDR"),
        ("2001:db8/32:443", "2001:db8/32 is no CIDR"),
        ("10.0.1.5/24:443", "10.0.1.5/24 is an address with a mask: the block around it is 10.0.1.0/24"),
        ("[2001:db8::1/32]:443", "2001:db8::1/32 is an address with a mask: the block around it is 2001:db8::/32"),
    ],
)
def test_any_other_word_is_malformed(word: str, why: str) -> None:
    with pytest.raises(Malformed) as caught:
        parsed(word)
    assert str(caught.value) == why


def test_what_several_declare_is_one_destination() -> None:
    tags = {
        "service orders": {REACHES: "sg-0db:5432  10.0.0.0/16:443 sg-0db:5432"},
        "connector orders": {REACHES: "sg-0db:5432 sg-0db:6432", "team": "orders"},
        "service api": {"team": "api"},
        "service web": {REACHES: " "},
    }
    assert declared(tags) == (
        Destination(peer="", ports=(), origin="declared on service web", malformed="the tag is empty"),
        Destination(peer="10.0.0.0/16", ports=(443,), origin="declared on service orders"),
        Destination(peer="sg-0db", ports=(5432,), origin="declared on connector orders, service orders"),
        Destination(peer="sg-0db", ports=(6432,), origin="declared on connector orders"),
    )
    assert declared({"service api": {"team": "api"}}) == ()
