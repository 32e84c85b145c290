"""No EC2 call changes a rule's answer about a connector that it is not said to concern; most calls concern few."""

import itertools
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from apprunner_guardrails.drift import CALLS, Change, concerned, parse_change
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.facts import (
    AclEntry,
    Connector,
    GroupRule,
    NatGateway,
    Network,
    NetworkAcl,
    Route,
    RouteTable,
    SecurityGroup,
    Structure,
    Subnet,
    Unread,
    Zone,
    unread_network,
)
from apprunner_guardrails.findings import Status
from apprunner_guardrails.rules import RULES
from apprunner_guardrails.settings import Settings

ACCOUNT, REGION = "111122223333", "us-east-1"
VPCS = ("vpc-1", "vpc-2")
ZONES = {"a": "use1-az1", "b": "use1-az2", "c": "use1-az4"}
TELLS = ("subnets", "route_tables", "nat_gateways", "network_acls", "security_groups")
INNER = ("main", "in-1", "in-2")
ENOUGH = 5  # worlds in which a call changes an answer
EVERYWHERE = ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "10.9.0.0/16", "pl-all")
LISTS = (("0.0.0.0/0",), ("0.0.0.0/1", "128.0.0.0/1"), ("10.9.0.0/16",), ())
HIDDEN = Unread(call="ec2:Describe", code="UnauthorizedOperation")
ALLOW, DENY = (
    tuple(
        AclEntry(number=number, egress=egress, allow=number < 32767 and allowed, protocol="-1", cidr=cidr)
        for egress in (True, False)
        for cidr in ("0.0.0.0/0", "::/0")
        for number in (100 + (":" in cidr), 32767 + (":" in cidr))
    )
    for allowed in (True, False)
)
OUT = GroupRule(protocol="tcp", peers=("0.0.0.0/0",), from_port=443, to_port=443)
ALL = GroupRule(protocol="-1", peers=("0.0.0.0/0",))

type Request = Mapping[str, object]
type Answers = Mapping[str, Mapping[str, tuple[Status, frozenset[str]]]]


@dataclass(kw_only=True)
class World:
    """Two VPCs as EC2 has them: subnet-1-a is one of vpc-1. What routes lead to says whether they are blackholes."""

    subnets: dict[str, Subnet]
    tables: dict[str, RouteTable]
    nats: dict[str, NatGateway]
    acls: dict[str, NetworkAcl]
    groups: dict[str, SecurityGroup]
    gateways: set[str]  # internet, virtual private and transit gateways that are attached, egress-only ones that exist
    lists: dict[str, tuple[str, ...]]  # prefix lists
    dns: dict[str, tuple[bool, bool]]
    connectors: tuple[Connector, ...]
    settings: Settings


def _subnet(vpc: str, name: str) -> Subnet:
    return Subnet(
        id=f"subnet-{vpc[-1]}-{name}",
        vpc_id=vpc,
        zone_id=ZONES[name[-1]],
        cidr="10.0.0.0/24",
        ipv6_cidrs=(),
        ipv6_native=False,
        free_addresses=200,
        owner_id=ACCOUNT,
    )


def _routes(*targets: str) -> tuple[tuple[Route, ...], ...]:
    """Tables to choose from: most have a default route only, some two routes, a propagated one or none."""
    one = tuple((Route(destination="0.0.0.0/0", target=target),) for target in targets)
    two = tuple(
        (Route(destination=first, target=target), Route(destination=second, target=other))
        for first, second in (
            ("0.0.0.0/1", "128.0.0.0/1"),
            ("0.0.0.0/0", "::/0"),
            ("0.0.0.0/0", "10.9.0.0/16"),
            ("pl-all", "10.9.0.0/16"),
        )
        for target, other in itertools.product(dict.fromkeys(targets), repeat=2)
    )
    learnt = (Route(destination="0.0.0.0/0", target="vgw-learnt", propagated=True),)
    return (*one * (len(two) // len(one)), *two, *((learnt, ()) * (len(two) // 2)))


def _mostly[T](often: T, *seldom: T) -> st.SearchStrategy[T]:
    return st.sampled_from((*(often,) * 4, *seldom))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Small, and mostly healthy, for a change is to matter."""
    world = World(
        subnets={},
        tables={},
        nats={},
        acls={},
        groups={},
        gateways=set(),
        lists={"pl-all": draw(st.sampled_from(LISTS))},
        dns=dict.fromkeys(VPCS, (True, True)),
        connectors=tuple(draw(_connectors(f"arn-{number}", vpc)) for number, vpc in enumerate((*VPCS, VPCS[0]))),
        settings=Settings(
            alert_topic_arn="",
            findings_table="",
            require_internet_egress=draw(_mostly(True, False)),
        ),
    )
    for vpc in VPCS:
        _furnish(world, vpc, draw)
    return world


def _furnish(world: World, vpc: str, draw: st.DrawFn) -> None:
    n = vpc[-1]
    ipv6 = draw(st.sampled_from(((), ("2600:1f18::/64",))))
    subnets = [replace(_subnet(vpc, name), ipv6_cidrs=ipv6) for name in ("a", "b", "c", "out-a", "out-b")]
    ids = [one.id for one in subnets]
    world.subnets |= {one.id: one for one in subnets}
    for name, home in (("x", ids[3]), ("y", ids[4])):
        state, connectivity = draw(_mostly(("available", "public"), ("available", "private"), ("deleted", "public")))
        world.nats[f"nat-{n}-{name}"] = NatGateway(
            id=f"nat-{n}-{name}",
            vpc_id=vpc,
            subnet_id=draw(_mostly(home, *ids)),
            state=state,
            connectivity=connectivity,
        )
    used = dict(zip(ids, draw(st.tuples(*[st.sampled_from(INNER)] * 3, *[_mostly("out", *INNER)] * 2)), strict=True))
    inner = _routes(f"nat-{n}-x", f"nat-{n}-y", f"nat-{n}-x", f"eigw-{n}", f"igw-{n}", f"tgw-{n}", f"vgw-{n}")
    outer = _routes(f"igw-{n}", f"igw-{n}", f"igw-{n}", f"tgw-{n}", f"nat-{n}-y")
    for name in (*INNER, "out"):
        world.tables[f"rtb-{n}-{name}"] = RouteTable(
            id=f"rtb-{n}-{name}",
            vpc_id=vpc,
            main=name == "main",
            subnet_ids=tuple(one for one in ids if used[one] == name and name != "main"),
            routes=draw(st.sampled_from(outer if name == "out" else inner)),
        )
    shut = draw(_mostly((), *((one,) for one in ids)))
    for name, entries in (("open", ALLOW), ("shut", DENY)):
        served = tuple(one for one in ids if (one in shut) == (name == "shut"))
        world.acls[f"acl-{n}-{name}"] = NetworkAcl(id=f"acl-{n}-{name}", subnet_ids=served, entries=entries)
    for name in ("default", "app", "spare"):
        ingress, egress = draw(_mostly(((), (OUT,)), ((), (ALL,)), ((), ()), ((OUT,), (OUT,))))
        world.groups[f"sg-{n}-{name}"] = SecurityGroup(
            id=f"sg-{n}-{name}", name=name, vpc_id=vpc, ingress=ingress, egress=egress
        )
    world.gateways |= {f"eigw-{n}", *draw(st.sets(st.sampled_from((f"igw-{n}", f"tgw-{n}", f"vgw-{n}"))))}


@st.composite
def _connectors(draw: st.DrawFn, arn: str, vpc: str) -> Connector:
    n = vpc[-1]
    subnets = draw(st.lists(st.sampled_from(("a", "b", "c", "out-a", "gone")), min_size=1, max_size=3, unique=True))
    groups = draw(st.lists(st.sampled_from(("app", "spare", "default", "gone")), max_size=2, unique=True))
    return Connector(
        arn=arn,
        name="orders",
        status="ACTIVE",
        subnet_ids=tuple(f"subnet-{n}-{name}" for name in subnets),
        security_group_ids=tuple(f"sg-{n}-{name}" for name in groups),
    )


# What EC2 does, and what its record tells of it. None: the call is not possible here.

type Act = Callable[[World, str, st.DrawFn], tuple[Request, Request] | None]


def _pick(draw: st.DrawFn, ids: Collection[str]) -> str:
    """One of the ids, of which there is at least one."""
    return draw(st.sampled_from(sorted(ids)))


def _of[T: (Subnet, RouteTable, NatGateway, SecurityGroup)](things: Mapping[str, T], vpc: str) -> dict[str, T]:
    return {one: thing for one, thing in things.items() if thing.vpc_id == vpc}


def _any_table(world: World, vpc: str, draw: st.DrawFn) -> RouteTable:
    return world.tables[_pick(draw, _of(world.tables, vpc))]


def _targets(world: World, vpc: str) -> list[str]:
    return [*_of(world.nats, vpc), *(f"{kind}-{vpc[-1]}" for kind in ("igw", "eigw", "tgw", "vgw"))]


def create_route(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    table = _any_table(world, vpc, draw)
    free = set(EVERYWHERE) - {route.destination for route in table.routes}
    route = Route(destination=_pick(draw, free), target=_pick(draw, _targets(world, vpc)))
    world.tables[table.id] = replace(table, routes=(*table.routes, route))
    return {"routeTableId": table.id, "destinationCidrBlock": route.destination}, {"_return": True}


def replace_route(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    table = _any_table(world, vpc, draw)
    if not table.routes:
        return None
    first, *others = draw(st.permutations(table.routes))
    route = Route(destination=first.destination, target=_pick(draw, _targets(world, vpc)))
    world.tables[table.id] = replace(table, routes=(*others, route))
    return {"routeTableId": table.id, "destinationCidrBlock": route.destination}, {"_return": True}


def delete_route(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    table = _any_table(world, vpc, draw)
    if not table.routes:
        return None
    gone, *others = draw(st.permutations(table.routes))
    world.tables[table.id] = replace(table, routes=tuple(others))
    return {"routeTableId": table.id, "destinationCidrBlock": gone.destination}, {"_return": True}


def enable_propagation(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    bare = [one.id for one in _of(world.tables, vpc).values() if not one.routes] or list(_of(world.tables, vpc))
    table = world.tables[_pick(draw, bare)]
    learnt = Route(destination="0.0.0.0/0", target="vgw-learnt", propagated=True)
    world.tables[table.id] = replace(table, routes=(*table.routes, learnt))
    return {"routeTableId": table.id, "gatewayId": "vgw-1"}, {"_return": True}


def disable_propagation(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    taught = [table.id for table in _of(world.tables, vpc).values() if any(one.propagated for one in table.routes)]
    if not taught:
        return None
    table = world.tables[_pick(draw, taught)]
    kept = tuple(route for route in table.routes if not route.propagated)
    world.tables[table.id] = replace(table, routes=kept)
    return {"routeTableId": table.id, "gatewayId": "vgw-1"}, {"_return": True}


def attach_vpn_gateway(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    world.gateways.add(f"vgw-{vpc[-1]}")
    return {"vpcId": vpc, "vpnGatewayId": f"vgw-{vpc[-1]}"}, {"attachment": {"vpcId": vpc, "state": "attaching"}}


def detach_vpn_gateway(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    """What it has taught the tables goes with it."""
    world.gateways.discard(f"vgw-{vpc[-1]}")
    for table in _of(world.tables, vpc).values():
        kept = tuple(route for route in table.routes if not route.propagated)
        world.tables[table.id] = replace(table, routes=kept)
    return {"vpcId": vpc, "vpnGatewayId": f"vgw-{vpc[-1]}"}, {"_return": True}


def attach_transit_gateway(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    world.gateways.add(f"tgw-{vpc[-1]}")
    return {"CreateTransitGatewayVpcAttachmentRequest": {"TransitGatewayId": f"tgw-{vpc[-1]}", "VpcId": vpc}}, {}


def detach_transit_gateway(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    world.gateways.discard(f"tgw-{vpc[-1]}")
    asked = {"DeleteTransitGatewayVpcAttachmentRequest": {"TransitGatewayAttachmentId": "tgw-attach-1"}}
    told = {"transitGatewayVpcAttachment": {"vpcId": vpc, "state": "deleting"}}
    return asked, {"DeleteTransitGatewayVpcAttachmentResponse": told} if draw(st.booleans()) else {}


def _relist(call: str) -> Act:
    def act(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
        """A prefix list belongs to no VPC: tables of both may have it."""
        world.lists["pl-all"] = draw(st.sampled_from(LISTS))
        return {f"{call}Request": {"PrefixListId": "pl-all", "CurrentVersion": 1}}, {}

    return act


def _use(world: World, vpc: str, subnet_id: str, table_id: str) -> None:
    for table in _of(world.tables, vpc).values():
        others = tuple(one for one in table.subnet_ids if one != subnet_id)
        world.tables[table.id] = replace(table, subnet_ids=(*others, subnet_id) if table.id == table_id else others)


def _explicit(world: World, vpc: str) -> set[str]:
    return {one for table in _of(world.tables, vpc).values() for one in table.subnet_ids}


def associate_table(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    loose = _of(world.subnets, vpc).keys() - _explicit(world, vpc)
    if not loose:
        return None
    subnet, table = _pick(draw, loose), _any_table(world, vpc, draw)
    _use(world, vpc, subnet, table.id)
    return {"routeTableId": table.id, "subnetId": subnet}, {"associationId": "rtbassoc-1"}


def disassociate_table(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    explicit = _explicit(world, vpc)
    if not explicit:
        return None
    _use(world, vpc, _pick(draw, explicit), "")
    return {"associationId": "rtbassoc-1"}, {"_return": True}


def replace_table_association(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    """Of a subnet, or of the VPC: then another table becomes the main one."""
    table, moved = _any_table(world, vpc, draw), _explicit(world, vpc) if draw(st.booleans()) else set[str]()
    if moved:
        _use(world, vpc, _pick(draw, moved), table.id)
    else:
        for one in _of(world.tables, vpc).values():
            world.tables[one.id] = replace(one, main=one.id == table.id)
    return {"associationId": "rtbassoc-1", "routeTableId": table.id}, {"newAssociationId": "rtbassoc-2"}


def create_nat(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    subnets = _of(world.subnets, vpc)
    if not subnets:
        return None
    nat = NatGateway(
        id=f"nat-{vpc[-1]}-new{len(world.nats)}",
        vpc_id=vpc,
        subnet_id=_pick(draw, subnets),
        state=draw(st.sampled_from(("pending", "available"))),
        connectivity=draw(st.sampled_from(("public", "private"))),
    )
    world.nats[nat.id] = nat
    told = {"natGatewayId": nat.id, "subnetId": nat.subnet_id, "vpcId": vpc}
    return (
        {"CreateNatGatewayRequest": {"SubnetId": nat.subnet_id}},
        {"CreateNatGatewayResponse": {"natGateway": told}},
    )


def delete_nat(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    nat = world.nats[_pick(draw, _of(world.nats, vpc))]
    world.nats[nat.id] = replace(nat, state=draw(st.sampled_from(("deleting", "deleted"))))
    return {"DeleteNatGatewayRequest": {"NatGatewayId": nat.id}}, {"DeleteNatGatewayResponse": {}}


def attach_gateway(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    world.gateways.add(f"igw-{vpc[-1]}")
    return {"internetGatewayId": f"igw-{vpc[-1]}", "vpcId": vpc}, {"_return": True}


def detach_gateway(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    world.gateways.discard(f"igw-{vpc[-1]}")
    return {"internetGatewayId": f"igw-{vpc[-1]}", "vpcId": vpc}, {"_return": True}


def delete_gateway(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    """One that was detached before; its routes stay."""
    if f"igw-{vpc[-1]}" in world.gateways:
        return None
    return {"internetGatewayId": f"igw-{vpc[-1]}"}, {"_return": True}


def delete_egress_gateway(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    world.gateways.discard(f"eigw-{vpc[-1]}")
    asked = {"EgressOnlyInternetGatewayId": f"eigw-{vpc[-1]}"}
    return {"DeleteEgressOnlyInternetGatewayRequest": asked}, {"DeleteEgressOnlyInternetGatewayResponse": {}}


def delete_subnet(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    subnets = _of(world.subnets, vpc)
    if not subnets:
        return None
    subnet = _pick(draw, subnets)
    if any(nat.subnet_id == subnet and nat.state in ("pending", "available") for nat in world.nats.values()):
        return None  # a NAT gateway's interface is in it
    del world.subnets[subnet]
    _use(world, vpc, subnet, "")
    _serve(world, subnet, "")
    return {"subnetId": subnet}, {"_return": True}


def _set_ipv6(world: World, subnet_id: str, *cidrs: str) -> None:
    world.subnets[subnet_id] = replace(world.subnets[subnet_id], ipv6_cidrs=cidrs)


def associate_cidr(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    subnets = [one.id for one in _of(world.subnets, vpc).values() if not one.ipv6_cidrs]
    if not subnets:
        return None
    subnet = _pick(draw, subnets)
    _set_ipv6(world, subnet, "2600:1f18:1::/64")
    return {"AssociateSubnetCidrBlockRequest": {"SubnetId": subnet, "Ipv6CidrBlock": "2600:1f18:1::/64"}}, {}


def disassociate_cidr(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    subnets = [one.id for one in _of(world.subnets, vpc).values() if one.ipv6_cidrs]
    if not subnets:
        return None
    subnet = _pick(draw, subnets)
    _set_ipv6(world, subnet)
    asked = {"DisassociateSubnetCidrBlockRequest": {"AssociationId": "subnet-cidr-assoc-1"}}
    return asked, {"DisassociateSubnetCidrBlockResponse": {"subnetId": subnet}} if draw(st.booleans()) else {}


def _acl(world: World, vpc: str, draw: st.DrawFn) -> NetworkAcl:
    return world.acls[_pick(draw, [one for one in world.acls if one.startswith(f"acl-{vpc[-1]}")])]


def create_entry(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    acl, egress = _acl(world, vpc, draw), draw(st.booleans())
    if any(entry.number == 10 and entry.egress == egress for entry in acl.entries):
        return None
    entry = AclEntry(number=10, egress=egress, allow=draw(st.booleans()), protocol="-1", cidr="0.0.0.0/0")
    world.acls[acl.id] = replace(acl, entries=(entry, *acl.entries))
    return {"networkAclId": acl.id, "ruleNumber": entry.number, "egress": egress}, {"_return": True}


def replace_entry(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    acl = _acl(world, vpc, draw)
    entries = list(acl.entries)
    number = draw(st.integers(0, len(entries) - 1))
    entries[number] = replace(entries[number], allow=entries[number].number < 32767 and not entries[number].allow)
    world.acls[acl.id] = replace(acl, entries=tuple(entries))
    return {"networkAclId": acl.id, "ruleNumber": entries[number].number}, {"_return": True}


def delete_entry(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    acl = _acl(world, vpc, draw)
    entries = [entry for entry in acl.entries if entry.number < 32767]
    if not entries:
        return None
    gone = draw(st.sampled_from(entries))
    world.acls[acl.id] = replace(acl, entries=tuple(entry for entry in acl.entries if entry != gone))
    return {"networkAclId": acl.id, "ruleNumber": gone.number}, {"_return": True}


def _serve(world: World, subnet_id: str, acl_id: str) -> None:
    for acl in tuple(world.acls.values()):
        others = tuple(one for one in acl.subnet_ids if one != subnet_id)
        world.acls[acl.id] = replace(acl, subnet_ids=(*others, subnet_id) if acl.id == acl_id else others)


def replace_acl_association(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    subnets = _of(world.subnets, vpc)
    if not subnets:
        return None
    acl = _acl(world, vpc, draw)
    _serve(world, _pick(draw, subnets), acl.id)
    return {"associationId": "aclassoc-1", "networkAclId": acl.id}, {"newAssociationId": "aclassoc-2"}


def _name_group(group: SecurityGroup, draw: st.DrawFn) -> Request:
    """Most calls name the group by id; in a default VPC they may do so by name."""
    return draw(_mostly({"groupId": group.id}, {"groupName": group.name}))


def _some_group(world: World, vpc: str, draw: st.DrawFn) -> SecurityGroup:
    return world.groups[_pick(draw, _of(world.groups, vpc))]


type Rules = tuple[GroupRule, ...]


def _egress(group: SecurityGroup, change: Callable[[Rules], Rules]) -> SecurityGroup:
    return replace(group, egress=change(group.egress))


def _ingress(group: SecurityGroup, change: Callable[[Rules], Rules]) -> SecurityGroup:
    return replace(group, ingress=change(group.ingress))


def _authorize(changed: Callable[[SecurityGroup, Callable[[Rules], Rules]], SecurityGroup]) -> Act:
    def act(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
        group, rule = _some_group(world, vpc, draw), draw(st.sampled_from((OUT, ALL)))
        world.groups[group.id] = changed(group, lambda rules: (*rules, rule))
        return {"ipPermissions": {"items": []}, **_name_group(group, draw)}, {"_return": True}

    return act


def _revoke(changed: Callable[[SecurityGroup, Callable[[Rules], Rules]], SecurityGroup]) -> Act:
    def act(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
        group = _some_group(world, vpc, draw)
        world.groups[group.id] = changed(group, lambda rules: rules[1:])
        if draw(st.booleans()):
            return {"ipPermissions": {"items": []}, **_name_group(group, draw)}, {"_return": True}
        asked = {"securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-1"}]}}
        revoked = {"revokedSecurityGroupRuleSet": {"items": [{"groupId": group.id, "isEgress": True}]}}
        return asked, revoked if draw(st.booleans()) else {"_return": True}

    return act


def modify_rules(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    group = _some_group(world, vpc, draw)
    world.groups[group.id] = replace(group, egress=tuple(ALL if rule == OUT else OUT for rule in group.egress))
    return {"ModifySecurityGroupRulesRequest": {"GroupId": group.id}}, {}


def delete_group(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    groups = [one.id for one in _of(world.groups, vpc).values() if one.name != "default"]
    if not groups:
        return None
    group = world.groups.pop(_pick(draw, groups))
    return _name_group(group, draw), {"_return": True}


def modify_attribute(world: World, vpc: str, draw: st.DrawFn) -> tuple[Request, Request] | None:
    world.dns[vpc] = draw(st.tuples(st.booleans(), st.booleans()))
    return {"enableDnsSupport": {"value": world.dns[vpc][0]}, "vpcId": vpc}, {"_return": True}


ACTS: Mapping[str, Act] = {
    "CreateRoute": create_route,
    "ReplaceRoute": replace_route,
    "DeleteRoute": delete_route,
    "AssociateRouteTable": associate_table,
    "DisassociateRouteTable": disassociate_table,
    "ReplaceRouteTableAssociation": replace_table_association,
    "EnableVgwRoutePropagation": enable_propagation,
    "DisableVgwRoutePropagation": disable_propagation,
    "AttachVpnGateway": attach_vpn_gateway,
    "DetachVpnGateway": detach_vpn_gateway,
    "CreateTransitGatewayVpcAttachment": attach_transit_gateway,
    "DeleteTransitGatewayVpcAttachment": detach_transit_gateway,
    "ModifyManagedPrefixList": _relist("ModifyManagedPrefixList"),
    "RestoreManagedPrefixListVersion": _relist("RestoreManagedPrefixListVersion"),
    "CreateNatGateway": create_nat,
    "DeleteNatGateway": delete_nat,
    "AttachInternetGateway": attach_gateway,
    "DetachInternetGateway": detach_gateway,
    "DeleteInternetGateway": delete_gateway,
    "DeleteEgressOnlyInternetGateway": delete_egress_gateway,
    "DeleteSubnet": delete_subnet,
    "AssociateSubnetCidrBlock": associate_cidr,
    "DisassociateSubnetCidrBlock": disassociate_cidr,
    "CreateNetworkAclEntry": create_entry,
    "ReplaceNetworkAclEntry": replace_entry,
    "DeleteNetworkAclEntry": delete_entry,
    "ReplaceNetworkAclAssociation": replace_acl_association,
    "AuthorizeSecurityGroupEgress": _authorize(_egress),
    "AuthorizeSecurityGroupIngress": _authorize(_ingress),
    "RevokeSecurityGroupEgress": _revoke(_egress),
    "RevokeSecurityGroupIngress": _revoke(_ingress),
    "ModifySecurityGroupRules": modify_rules,
    "DeleteSecurityGroup": delete_group,
    "ModifyVpcAttribute": modify_attribute,
}


def _event(name: str, number: int, asked: Request, told: Request) -> Mapping[str, object]:
    detail = {
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "eventID": f"event-{number}",
        "eventTime": "2026-11-21T09:00:00Z",
        "requestParameters": asked,
        "responseElements": told,
    }
    kind = "AWS API Call via CloudTrail"
    return {"source": "aws.ec2", "detail-type": kind, "account": ACCOUNT, "region": REGION, "detail": detail}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A world, and what it is after some changes."""

    before: World
    after: World
    changes: tuple[Change, ...]


@st.composite
def scenarios(
    draw: st.DrawFn, names: tuple[str, ...] = tuple(ACTS), vpcs: tuple[str, ...] = VPCS, most: int = 1
) -> Scenario:
    before = draw(worlds())
    after = replace(
        before,
        subnets=dict(before.subnets),
        tables=dict(before.tables),
        nats=dict(before.nats),
        acls=dict(before.acls),
        groups=dict(before.groups),
        gateways=set(before.gateways),
        lists=dict(before.lists),
        dns=dict(before.dns),
    )
    changes: list[Change] = []
    for number in range(draw(st.integers(1, most))):
        name = draw(st.sampled_from(names))
        record = ACTS[name](after, draw(st.sampled_from(vpcs)), draw)
        if record is not None:
            change = parse_change(_event(name, number, *record))
            assert isinstance(change, Change)
            changes.append(change)
    return Scenario(before=before, after=after, changes=tuple(changes))


def _is_dead(world: World, target: str) -> bool:
    if target.startswith("nat-"):
        return target not in world.nats or world.nats[target].state not in ("pending", "available")
    attached = target.startswith(("igw-", "eigw-", "tgw-", "vgw-")) and target != "vgw-learnt"
    return attached and target not in world.gateways


def _structure(world: World) -> Structure:
    def seen(table: RouteTable) -> RouteTable:
        return replace(table, routes=tuple(replace(one, blackhole=_is_dead(world, one.target)) for one in table.routes))

    return Structure(
        subnets=tuple(world.subnets.values()),
        route_tables=tuple(seen(table) for table in world.tables.values()),
        nat_gateways=tuple(world.nats.values()),
        network_acls=tuple(world.acls.values()),
        security_groups=tuple(world.groups.values()),
    )


def _inside[T: (Subnet, RouteTable, NatGateway, SecurityGroup)](
    vpc: str, things: tuple[T, ...] | Unread
) -> tuple[T, ...]:
    assert not isinstance(things, Unread)
    return tuple(thing for thing in things if thing.vpc_id == vpc)


def _vpc_of(world: World, connector: Connector) -> str:
    found = [world.subnets[one].vpc_id for one in connector.subnet_ids if one in world.subnets]
    found += [world.groups[one].vpc_id for one in connector.security_group_ids if one in world.groups]
    return next(iter(found), "")


def _network(world: World, connector: Connector) -> Network:
    """As the reader of one connector makes it."""
    structure, vpc = _structure(world), _vpc_of(world, connector)
    named = tuple(world.groups[one] for one in connector.security_group_ids if one in world.groups)
    zones = tuple(Zone(id=one, name=one, available=True, kind="availability-zone") for one in ZONES.values())
    network = replace(
        unread_network(ACCOUNT, REGION, HIDDEN),
        zones=zones,
        prefix_lists=dict(world.lists),
        group_interfaces=(),
        endpoints=(),
    )
    if not vpc:
        return replace(
            network, subnets=(), network_acls=(), security_groups=named if connector.security_group_ids else HIDDEN
        )
    defaults = tuple(group for group in _inside(vpc, structure.security_groups) if group.name == "default")
    return replace(
        network,
        vpc_id=vpc,
        subnets=_inside(vpc, structure.subnets),
        route_tables=_inside(vpc, structure.route_tables),
        nat_gateways=_inside(vpc, structure.nat_gateways),
        network_acls=structure.network_acls,
        security_groups=named if connector.security_group_ids else defaults,
        dns_support=world.dns[vpc][0],
        dns_hostnames=world.dns[vpc][1],
    )


def _answers(world: World) -> Answers:
    """Statuses and faults; which subnets are offered to mend AR101's is no fault."""
    return {
        connector.arn: {
            finding.rule: (
                finding.status,
                frozenset(fault.partition("; private subnets that would")[0] for fault in finding.faults),
            )
            for finding in evaluate(RULES, connector.arn, connector, _network(world, connector), world.settings)
        }
        for connector in world.connectors
    }


def _answered_anew(scenario: Scenario) -> set[str]:
    """The connectors about which some rule answers otherwise after the changes."""
    before, after = _answers(scenario.before), _answers(scenario.after)
    return {arn for arn in after if before[arn] != after[arn]}


def _concerned(scenario: Scenario) -> Mapping[str, tuple[Change, ...]]:
    return concerned(scenario.changes, scenario.after.connectors, _structure(scenario.after))


WORDS = (
    "items",
    "item",
    "content",
    "omitted",
    "groupId",
    "GroupName",
    "subnetId",
    "associationId",
    "dryRun",
    "SubnetId",
)
WRAPPERS = ("CreateNatGatewayRequest", "CreateNatGatewayResponse", "natGateway", "natGatewayId", "securityGroupRuleSet")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(("sg-1", "nat-1", "subnet-1")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from((*WORDS, *WRAPPERS)), inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@given(name=st.sampled_from(sorted(CALLS)), asked=anything, told=anything)
def test_whatever_a_record_holds_is_a_change_of_something_or_ignored(name: str, asked: Request, told: Request) -> None:
    found = parse_change(_event(name, 1, asked, told))
    if isinstance(found, Change):
        assert [bool(found.ids), bool(found.group_name), bool(found.unnamed)].count(True) == 1
        assert found.ids == tuple(sorted(set(found.ids)))
    else:
        assert found.why != ""


def test_every_watched_call_is_tried() -> None:
    assert set(ACTS) == set(CALLS)


# A new NAT gateway is not in any route yet, and of a detached internet gateway all was said when it was detached.
@pytest.mark.parametrize("name", sorted(ACTS.keys() - {"CreateNatGateway", "DeleteInternetGateway"}))
def test_a_call_concerns_every_connector_whose_answers_it_changes(name: str) -> None:
    """In as many worlds as it takes for some answer to change in several of them."""
    mattered: list[Scenario] = []

    def matters_again(scenario: Scenario) -> bool:
        anew = _answered_anew(scenario)
        assert anew <= _concerned(scenario).keys()
        mattered.extend([scenario] * bool(anew))
        return len(mattered) >= ENOUGH

    few = settings(phases=[Phase.generate], max_examples=2000, database=None, deadline=None)
    find(scenarios(names=(name,)), matters_again, settings=few, random=random.Random(7))  # noqa: S311


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(scenario=scenarios(most=5))
def test_a_burst_concerns_every_connector_whose_answers_it_changes(scenario: Scenario) -> None:
    assert _answered_anew(scenario) <= _concerned(scenario).keys()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(scenario=scenarios(most=2), hidden=st.sets(st.sampled_from(TELLS), min_size=1))
def test_what_was_not_read_makes_a_change_concern_more_and_never_less(scenario: Scenario, hidden: set[str]) -> None:
    facts: dict[str, Unread] = dict.fromkeys(hidden, HIDDEN)
    blind = replace(_structure(scenario.after), **facts)
    found = concerned(scenario.changes, scenario.after.connectors, blind)
    for arn, changes in _concerned(scenario).items():
        assert set(changes) <= set(found.get(arn, ()))


@settings(max_examples=100)
@given(scenario=scenarios(vpcs=("vpc-2",), most=4))
def test_a_change_that_names_something_of_another_vpc_concerns_nobody_here(scenario: Scenario) -> None:
    here = {one.arn for one in scenario.after.connectors if one.subnet_ids[0].startswith("subnet-1")}
    told = {arn: changes for arn, changes in _concerned(scenario).items() if arn in here}
    assert [one for changes in told.values() for one in changes if one.ids not in ((), ("pl-all",))] == []


def _used(world: World, subnet_ids: tuple[str, ...]) -> Iterator[RouteTable]:
    """The tables that the subnets use, told again from EC2's own rule."""
    for subnet_id in subnet_ids:
        explicit = [table for table in world.tables.values() if subnet_id in table.subnet_ids]
        mains = [table for table in world.tables.values() if table.main and table.id[4] == subnet_id[7]]
        if subnet_id in world.subnets:
            yield (explicit or mains)[0]


@settings(max_examples=100)
@given(scenario=scenarios(names=("CreateRoute", "ReplaceRoute", "DeleteRoute", "EnableVgwRoutePropagation"), most=4))
def test_a_route_concerns_only_those_who_leave_by_its_table_or_by_a_nat_gateway_that_does(scenario: Scenario) -> None:
    world, found = scenario.after, _concerned(scenario)
    for connector in world.connectors:
        own = tuple(_used(world, connector.subnet_ids))
        nats = {route.target for table in own for route in table.routes} & world.nats.keys()
        beyond = _used(world, tuple(world.nats[one].subnet_id for one in nats))
        touched = {(table.id,) for table in (*own, *beyond)}
        assert {change.ids for change in found.get(connector.arn, ())} == touched & {
            change.ids for change in scenario.changes
        }


@settings(max_examples=100)
@given(scenario=scenarios(most=5), data=st.data())
def test_the_order_of_changes_connectors_and_facts_does_not_matter(scenario: Scenario, data: st.DataObject) -> None:
    structure, connectors = _structure(scenario.after), scenario.after.connectors
    facts = {name: tuple(data.draw(st.permutations(getattr(structure, name)))) for name in TELLS}
    twice = data.draw(st.permutations(scenario.changes * 2))
    shuffled = concerned(twice, data.draw(st.permutations(connectors)), Structure(**facts))
    assert list(shuffled.items()) == list(_concerned(scenario).items())
