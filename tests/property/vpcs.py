"""VPCs as people build them and as they break: what the differential tests draw.

Much of what is drawn are the shapes that decide an answer (a default route, its halves, a list of all public ranges, an
ACL without the way back); the rest is anything near their edges.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from hypothesis import strategies as st

from apprunner_guardrails.facts import (
    AclEntry,
    GroupRule,
    NatGateway,
    Network,
    NetworkAcl,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Unread,
    unread_network,
)
from tests.cases._healthy import ACCOUNT, OTHER_ACCOUNT, PUBLIC_RANGES, REGION
from tests.property.strategies import IPV4_CIDRS, IPV6_CIDRS, weighted

DENIED = Unread(call="ec2:DescribeSomething", code="UnauthorizedOperation")

VPC, PEER, SHARED = "vpc-1", "vpc-2", "vpc-3"
LOCALS = {VPC: ("10.0.0.0/16", "2600:1f18:1::/56"), PEER: ("10.2.0.0/16", "2600:1f18:2::/56")}

PUBLIC_LIST, OFFICE_LIST, GATEWAY_LIST = "pl-public", "pl-office", "pl-s3"

# How people send the internet somewhere; the halves and quarters are what VPN clients and firewalls make of a default.
DEFAULTS = (
    ("0.0.0.0/0",),
    ("0.0.0.0/0", "::/0"),
    ("::/0",),
    ("0.0.0.0/1", "128.0.0.0/1"),
    ("0.0.0.0/1",),
    ("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2"),
    ("128.0.0.0/1", "64.0.0.0/2"),  # three quarters to the address
    ("32.0.0.0/3", "64.0.0.0/4", "80.0.0.0/6"),  # just above a fifth
    ("32.0.0.0/3", "64.0.0.0/4", "80.0.0.0/7"),  # just below
    ("2000::/3",),
    ("2000::/4", "3000::/4"),
    ("2000::/5", "2800::/6"),
    (PUBLIC_LIST,),
    (OFFICE_LIST,),
    (),
)
_targets = st.sampled_from(("igw-1", "igw-1", "nat-1", "nat-2", "eigw-1", "tgw-1", "pcx-1", "eni-1", "vpce-firewall"))
_targeted = st.tuples(_targets, st.sampled_from((False, False, False, True)))
_cidrs = weighted((4, IPV4_CIDRS), (2, IPV6_CIDRS))
_seldom = st.sampled_from((False, False, False, False, True))

_static = st.tuples(
    st.lists(st.tuples(st.sampled_from(DEFAULTS), _targeted), min_size=1, max_size=3),
    st.lists(st.tuples(_cidrs.map(lambda cidr: (cidr,)), _targeted), max_size=4),
).map(lambda parts: [*parts[0], *parts[1]])
# None of them is a part of the VPC: what AWS does with such is no question of where the internet is.
_propagated = st.lists(
    st.sampled_from(
        ("0.0.0.0/0", "::/0", "0.0.0.0/1", "2000::/3", "2000::/4", "128.0.0.0/2", "10.0.0.0/8", "192.168.0.0/16")
    ),
    max_size=2,
    unique=True,
)


@st.composite
def _routes(draw: st.DrawFn, vpc_id: str) -> tuple[Route, ...]:
    """Routes of a table in any order: EC2 takes one static route to a destination, and a propagated one beside it."""
    routes = {destination: Route(destination=destination, target="local") for destination in LOCALS[vpc_id]}
    for destinations, (target, blackhole) in draw(_static):
        for one in destinations:
            routes.setdefault(one, Route(destination=one, target=target, blackhole=blackhole))
    if draw(_seldom):
        routes[GATEWAY_LIST] = Route(destination=GATEWAY_LIST, target="vpce-s3")
    for one in draw(_propagated):
        routes[f"{one} by VPN"] = Route(destination=one, target="vgw-1", propagated=True)
    return tuple(draw(st.permutations(list(routes.values()))))


def _read[T](fact: st.SearchStrategy[T]) -> st.SearchStrategy[T | Unread]:
    """A fact that now and then was denied."""
    return weighted((12, fact), (1, st.just(DENIED)))


_prefix_lists = st.fixed_dictionaries(
    {PUBLIC_LIST: _read(st.just(PUBLIC_RANGES)), OFFICE_LIST: _read(st.lists(_cidrs, max_size=5).map(tuple))}
)


def _subnet(number: int, vpc_id: str = VPC, owner: str = ACCOUNT) -> Subnet:
    return Subnet(
        id=f"subnet-{number}",
        vpc_id=vpc_id,
        zone_id=f"use1-az{number}",
        cidr=f"10.{2 if vpc_id == PEER else 0}.{number}.0/24",
        ipv6_cidrs=(f"2600:1f18:1:{number}::/64",) if number == 2 else (),
        ipv6_native=False,
        free_addresses=200,
        owner_id=owner,
    )


def _table(name: str, vpc_id: str, routes: Iterable[Route], *subnet_ids: str) -> RouteTable:
    main = name == "main"
    return RouteTable(id=f"rtb-{name}-{vpc_id}", vpc_id=vpc_id, main=main, subnet_ids=subnet_ids, routes=tuple(routes))


# Two of the VPC, of which the second speaks IPv6 too; one of the peer; one whose tables only another account sees.
SUBNETS = (_subnet(1), _subnet(2), _subnet(3, PEER), _subnet(4, SHARED, OTHER_ACCOUNT))


@dataclass(frozen=True, kw_only=True, slots=True)
class Vpc:
    """What a test is about of a network; nothing else of it was read."""

    tables: tuple[RouteTable, ...] | Unread
    lists: Mapping[str, tuple[str, ...] | Unread]
    acls: tuple[NetworkAcl, ...] | Unread = DENIED
    subnets: tuple[Subnet, ...] = SUBNETS
    nats: tuple[NatGateway, ...] | Unread = DENIED

    @property
    def network(self) -> Network:
        return replace(
            unread_network(ACCOUNT, REGION, DENIED),
            vpc_id=VPC,
            subnets=self.subnets,
            route_tables=self.tables,
            network_acls=self.acls,
            prefix_lists=self.lists,
            nat_gateways=self.nats,
        )


@st.composite
def routed_vpcs(draw: st.DrawFn) -> Vpc:
    """A VPC and its peer, with their tables in any order, of which some may be missing."""
    owned = draw(st.sampled_from((("subnet-1",), ("subnet-1",), ("subnet-1", "subnet-2"), ())))
    tables = [
        _table("own", VPC, draw(_routes(VPC)), *owned),
        _table("main", VPC, draw(_routes(VPC))),
        _table("main", PEER, draw(_routes(PEER))),
    ]
    if draw(_seldom):
        tables.pop(draw(st.integers(1, 2)))
    return Vpc(tables=draw(_read(st.permutations(tables).map(tuple))), lists=draw(_prefix_lists))


# What an entry of an ACL is about: a protocol, and its ports.
MATCHED = (
    *((("-1", None, None),) * 5),
    ("6", 443, 443),
    ("6", 0, 65535),
    ("6", 1024, 65535),
    ("6", 32768, 60999),
    ("6", 32769, 65535),
    ("6", 1024, 60998),
    ("6", 40000, 50000),
    ("6", 80, 442),
    ("6", 444, 32767),
    ("6", 5432, 5432),
    ("17", 0, 65535),
    ("17", 443, 443),
)
type Row = tuple[str, bool, str, int | None, int | None]  # the CIDR, whether it is allowed, the protocol, the ports

_verdicts = st.sampled_from([(allow, *matched) for matched in MATCHED for allow in (False, True)])
_ALLOWED: tuple[Row, ...] = (("0.0.0.0/0", True, "-1", None, None), ("::/0", True, "-1", None, None))


def _rows(cidrs: st.SearchStrategy[str], fewest: int, *ends: tuple[Row, ...]) -> st.SearchStrategy[tuple[Row, ...]]:
    """Entries of one direction by their numbers; at the end those that AWS makes, or what people left of them."""
    entries = st.lists(
        st.tuples(cidrs, _verdicts).map(lambda entry: (entry[0], *entry[1])), min_size=fewest, max_size=3
    )
    return st.tuples(entries, st.sampled_from(ends)).map(lambda parts: (*parts[0], *parts[1]))


@st.composite
def _acl(draw: st.DrawFn, name: str, subnet_id: str, leaving: tuple[Row, ...], entering: tuple[Row, ...]) -> NetworkAcl:
    """Entries in any order, whatever their numbers: the number is what counts."""
    entries = [
        AclEntry(number=number, egress=out, allow=allow, protocol=protocol, cidr=cidr, from_port=first, to_port=last)
        for out, rows in ((True, leaving), (False, entering))
        for number, (cidr, allow, protocol, first, last) in enumerate(rows, 1)
    ]
    return NetworkAcl(id=name, subnet_ids=(subnet_id,), entries=tuple(draw(st.permutations(entries))))


_on_the_internet = _rows(
    weighted((4, st.just("0.0.0.0/0")), (2, st.just("::/0")), (3, IPV4_CIDRS), (1, IPV6_CIDRS)),
    0,
    *(_ALLOWED, _ALLOWED, _ALLOWED[:1], ()),
)


@st.composite
def guarded_vpcs(draw: st.DrawFn) -> Vpc:
    """The same, with network ACLs at its two subnets."""
    acls = tuple(
        draw(_acl(f"acl-{number}", f"subnet-{number}", draw(_on_the_internet), draw(_on_the_internet)))
        for number in (1, 2)
    )
    return replace(draw(routed_vpcs()), acls=draw(_read(st.just(acls))))


# What is to be reached ------------------------------------------------------------------------------------------------

CALLED = (443, 5432)


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """A connection that is to be made from a subnet; what is None of the destination is out of sight."""

    subnet: Subnet
    groups: tuple[SecurityGroup, ...]
    address: str
    port: int
    there: Subnet | None
    their_groups: tuple[SecurityGroup, ...] | None
    vpc: Vpc


HERE, THERE = SUBNETS[0], SUBNETS[1]
OUT = _subnet(5)  # where NAT gateways belong
# An address, the subnet that it is in, whether its groups are in sight.
_DESTINATIONS = (
    *((("10.0.2.10", THERE, True),) * 9),
    *((("10.0.2.10", THERE, False),) * 3),
    ("10.0.2.200", None, True),
    *((("2600:1f18:1:2::10", THERE, True),) * 2),
    ("10.0.1.20", HERE, True),
    ("10.0.1.20", HERE, False),
    ("10.0.1.20", None, False),
    ("10.2.3.10", None, True),
    *((("10.2.3.10", None, False),) * 3),
    *((("192.168.1.5", None, False),) * 2),
    ("172.20.0.1", None, False),
    ("100.64.7.1", None, False),
    ("fd00:9::10", None, False),
    ("2600:1f18:9::10", None, False),
    ("52.0.0.1", None, False),
)
_places = weighted(
    (3, st.sampled_from(("0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/16", "::/0", "2600:1f18:1::/56"))),
    (1, st.sampled_from(("10.0.1.0/24", "10.0.2.0/24", "2600:1f18:1:1::/64", "2600:1f18:1:2::/64"))),
    (1, st.sampled_from(("10.0.1.0/25", "10.0.1.128/26", "10.0.1.20/32", "10.0.1.255/32", "2600:1f18:1:1:8000::/65"))),
    (1, st.sampled_from(("10.0.2.0/25", "10.0.2.10/32", "10.2.3.10/32", "2600:1f18:1:2::10/128"))),
    (1, st.sampled_from(("10.2.0.0/16", "192.168.0.0/16", "52.0.0.0/8"))),
)
_peers = weighted(
    (5, _places),
    (4, st.sampled_from(("sg-app", "sg-extra", "sg-db"))),
    (1, st.sampled_from((OFFICE_LIST, PUBLIC_LIST))),
)
_meant = st.sampled_from(
    (
        *((("-1", None, None), ("tcp", 0, 65535), ("6", 443, 5432), ("tcp", 443, 443), ("tcp", 5432, 5432)) * 2),
        ("tcp", 444, 5431),
        ("udp", 0, 65535),
    )
)
_rules = st.lists(st.tuples(_meant, st.lists(_peers, min_size=1, max_size=2)), max_size=3).map(
    lambda rules: tuple(
        GroupRule(protocol=protocol, peers=tuple(peers), from_port=first, to_port=last)
        for (protocol, first, last), peers in rules
    )
)
_ANYWHERE = (GroupRule(protocol="-1", peers=("0.0.0.0/0", "::/0")),)
_FROM_APP = (GroupRule(protocol="tcp", peers=("sg-app",), from_port=0, to_port=65535),)


def _group(name: str, egress: tuple[GroupRule, ...] = (), ingress: tuple[GroupRule, ...] = ()) -> SecurityGroup:
    return SecurityGroup(id=name, name=name, vpc_id=VPC, egress=egress, ingress=ingress)


_NARROW = (
    Route(destination="10.2.0.0/16", target="pcx-1"),
    Route(destination="10.2.0.0/16", target="pcx-1", blackhole=True),
    Route(destination="10.2.3.0/24", target="igw-1"),
    Route(destination="192.168.0.0/16", target="tgw-1"),
    Route(destination="192.168.0.0/16", target="vgw-1", propagated=True),
    Route(destination="192.168.1.0/24", target="vgw-1", propagated=True, blackhole=True),
    *([Route(destination="10.0.2.0/24", target="eni-1")] * 3),
    Route(destination="10.0.2.0/24", target="eni-1", blackhole=True),
    Route(destination="10.0.2.0/25", target="vgw-1", propagated=True, blackhole=True),
    Route(destination="10.0.1.0/24", target="eni-1", blackhole=True),
    Route(destination="2600:1f18:1:2::/64", target="vpce-firewall"),
    Route(destination="2600:1f18:1:2::/64", target="vpce-firewall", blackhole=True),
    Route(destination="10.2.0.0/16", target="nat-1"),
    Route(destination="10.0.2.0/24", target="nat-1"),
    Route(destination="192.168.0.0/16", target="nat-2"),
    Route(destination="172.16.0.0/12", target="tgw-1"),
    Route(destination="100.64.0.0/10", target="tgw-1", blackhole=True),
    Route(destination="fd00::/8", target="pcx-1"),
    Route(destination="::/0", target="eigw-1"),
    Route(destination=OFFICE_LIST, target="nat-1"),
    Route(destination="52.0.0.0/8", target="nat-1"),
    Route(destination="52.0.0.0/8", target="igw-1"),
    Route(destination=OFFICE_LIST, target="tgw-1"),
    Route(destination=OFFICE_LIST, target="tgw-1", blackhole=True),
    Route(destination=PUBLIC_LIST, target="nat-1"),
    Route(destination=PUBLIC_LIST, target="igw-1"),
    Route(destination=GATEWAY_LIST, target="vpce-s3"),
)
_narrow = st.lists(st.sampled_from(_NARROW), max_size=4, unique_by=lambda route: (route.destination, route.propagated))
_DEFAULTS_OF_IPV4 = (
    (),
    (Route(destination="0.0.0.0/0", target="nat-1"),),
    (Route(destination="0.0.0.0/0", target="nat-1", blackhole=True),),
    (Route(destination="0.0.0.0/0", target="igw-1"),),
    (Route(destination="0.0.0.0/0", target="tgw-1"),),
)
_LOCAL = {vpc: [Route(destination=one, target="local") for one in own] for vpc, own in LOCALS.items()}
_TO_THE_INTERNET_V6 = Route(destination="::/0", target="eigw-1")
_TO_NAT = [*_LOCAL[VPC], *_DEFAULTS_OF_IPV4[1], _TO_THE_INTERNET_V6]
_TO_GATEWAY = [*_LOCAL[VPC], *_DEFAULTS_OF_IPV4[3], _TO_THE_INTERNET_V6]


@st.composite
def _ways(draw: st.DrawFn, vpc_id: str) -> list[Route]:
    default = draw(st.sampled_from(_DEFAULTS_OF_IPV4))
    return draw(st.permutations([*_LOCAL[vpc_id], *default, *draw(_narrow)]))


def _nats(homes: Iterable[tuple[str, str]]) -> tuple[NatGateway, ...]:
    return tuple(
        NatGateway(id=name, vpc_id=VPC, subnet_id=home, state="available", connectivity="public")
        for name, home in homes
    )


_NATS = _nats((("nat-1", "subnet-5"), ("nat-2", "subnet-2")))
# Where they belong, in each other's way or the connector's, in a subnet that is out of sight, or in none (regional).
_home = st.sampled_from(("subnet-5", "subnet-5", "subnet-5", "subnet-1", "subnet-2", "subnet-9", ""))
_anywhere = st.dictionaries(st.sampled_from(("nat-1", "nat-1", "nat-2")), _home, min_size=1).map(
    lambda homes: _nats(homes.items())
)


_near_lists = st.fixed_dictionaries(
    {PUBLIC_LIST: _read(st.just(PUBLIC_RANGES)), OFFICE_LIST: _read(st.lists(_places, max_size=3).map(tuple))}
)


# What stops connections: one thing, two at once, or anything anywhere. The rest lets everything through.
_SPOTS = ("rules out", "ACL out", "way", "way beyond", "ACL in there", "rules in there", "ACL out there", "ACL in")
_TROUBLE = st.sampled_from(
    [
        *((spot,) for spot in (*_SPOTS * 3, *_SPOTS[6:] * 4, *["way", "way beyond"] * 5)),
        *combinations(_SPOTS, 2),
        _SPOTS,
        _SPOTS,
    ]
)


@st.composite
def errands(draw: st.DrawFn) -> Errand:
    """A connection inside the VPC, to its peer or further, with ACLs and groups at both ends."""
    trouble = draw(_TROUBLE)
    address, there, groups_seen = draw(st.sampled_from(_DESTINATIONS))
    here = draw(st.sampled_from((replace(HERE, ipv6_cidrs=("2600:1f18:1:1::/64",)), HERE)))

    def at[T](spot: str, drawn: st.SearchStrategy[T], healthy: T) -> T:
        return draw(drawn) if spot in trouble else healthy

    app = _group("sg-app", egress=at("rules out", _rules, _ANYWHERE))
    extra = _group("sg-extra", egress=at("rules out", _rules, ()), ingress=at("rules in there", _rules, _FROM_APP))
    db = _group("sg-db", ingress=at("rules in there", _rules, _FROM_APP))
    owned = draw(st.sampled_from((("subnet-1",), ("subnet-1",), ("subnet-2",), ())))
    tables = [
        _table("own", VPC, at("way", _ways(VPC), _TO_NAT), *owned),
        _table("main", VPC, at("way", _ways(VPC), _TO_NAT)),
        _table("out", VPC, at("way beyond", _ways(VPC), _TO_GATEWAY), "subnet-5"),
        _table("main", PEER, at("way", _ways(PEER), _LOCAL[PEER])),
    ]
    near = _rows(_places, 1, _ALLOWED, _ALLOWED[:1], (), ())
    acls = (
        draw(_acl("acl-1", "subnet-1", at("ACL out", near, _ALLOWED), at("ACL in", near, _ALLOWED))),
        draw(_acl("acl-2", "subnet-2", at("ACL out there", near, _ALLOWED), at("ACL in there", near, _ALLOWED))),
    )
    seen: list[tuple[NetworkAcl, ...] | Unread] = [*([acls] * 12), acls[:1], DENIED]
    return Errand(
        subnet=here,
        groups=draw(st.sampled_from(((app,), (app, extra)))),
        address=address,
        port=draw(st.sampled_from(CALLED)),
        there=here if there is HERE else there,
        their_groups=draw(st.sampled_from(((db,), (db, extra), (extra, app)))) if groups_seen else None,
        vpc=Vpc(
            tables=draw(_read(st.permutations(tables).map(tuple))),
            acls=draw(st.sampled_from(seen)),
            lists=draw(_near_lists),
            subnets=(here, THERE, OUT),
            nats=at("way beyond", _read(_anywhere), _NATS),
        ),
    )
