import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest

from apprunner_guardrails.callers import Caller
from apprunner_guardrails.drift import CALLS, Change, Folded, concerned, folded, parse_change
from apprunner_guardrails.events import BadEvent, Ignored
from apprunner_guardrails.facts import (
    Connector,
    NatGateway,
    NetworkAcl,
    Route,
    RouteTable,
    SecurityGroup,
    Structure,
    Subnet,
    Unread,
)
from apprunner_guardrails.paths.triggers import PathChange
from emulator import emulate

type Event = dict[str, Any]

ACCOUNT, REGION = "123456789012", "us-east-1"
ALICE = Caller(name="alice", tool="AWS CLI", address="192.0.2.7")
UNREAD = Unread(call="ec2:DescribeRouteTables", code="UnauthorizedOperation")
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}


# Records


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[Event, str]]:
    """For every watched call its event, as the emulator makes it, and the id that it should be about."""
    with emulate() as aws:
        ids = _make_all_calls(cast("Any", boto3.client("ec2", region_name=REGION)))
        events = {event["detail"]["eventName"]: event for event in cast("list[Event]", aws.events)}
    # The emulator does not restore prefix lists; the record names them as that of a modification does.
    modified, restored = "ModifyManagedPrefixList", "RestoreManagedPrefixListVersion"
    events[restored] = json.loads(json.dumps(events[modified]).replace(modified, restored))
    ids[restored] = ids[modified]
    return {name: (events[name], ids[name]) for name in CALLS}


def _make_all_calls(ec2: Any) -> dict[str, str]:
    """Each watched call, by name, and the id that it should be about. Empty: it names none."""
    ids: dict[str, str] = {}

    def call(name: str, about: str = "", **params: object) -> Any:
        ids[name] = about
        operation = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)[1:]
        return getattr(ec2, operation)(**params)

    made = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    vpc, block = made["VpcId"], made["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    way_out = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    group = ec2.create_security_group(GroupName="app", Description="app", VpcId=vpc)["GroupId"]

    call("AttachInternetGateway", gateway, InternetGatewayId=gateway, VpcId=vpc)
    everywhere = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    call("CreateRoute", table, **everywhere, GatewayId=gateway)
    call("ReplaceRoute", table, **everywhere, GatewayId=gateway)
    call("DeleteRoute", table, **everywhere)
    learnt = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    call("AttachVpnGateway", vpc, VpcId=vpc, VpnGatewayId=learnt)
    call("EnableVgwRoutePropagation", table, RouteTableId=table, GatewayId=learnt)
    call("DisableVgwRoutePropagation", table, RouteTableId=table, GatewayId=learnt)
    call("DetachVpnGateway", vpc, VpcId=vpc, VpnGatewayId=learnt)
    hub = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    joined = {"TransitGatewayId": hub, "VpcId": vpc, "SubnetIds": [subnet]}
    attachment = call("CreateTransitGatewayVpcAttachment", vpc, **joined)["TransitGatewayVpcAttachment"]
    attachment_id = attachment["TransitGatewayAttachmentId"]
    call("DeleteTransitGatewayVpcAttachment", vpc, TransitGatewayAttachmentId=attachment_id)
    listed = ec2.create_managed_prefix_list(PrefixListName="out", MaxEntries=2, AddressFamily="IPv4")["PrefixList"]
    entries = {"PrefixListId": listed["PrefixListId"], "AddEntries": [{"Cidr": "0.0.0.0/1"}]}
    call("ModifyManagedPrefixList", listed["PrefixListId"], **entries, CurrentVersion=listed["Version"])
    one = call("AssociateRouteTable", subnet, RouteTableId=table, SubnetId=subnet)["AssociationId"]
    one = call("ReplaceRouteTableAssociation", table, AssociationId=one, RouteTableId=table)["NewAssociationId"]
    call("DisassociateRouteTable", AssociationId=one)
    nat = call("CreateNatGateway", SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    ids["CreateNatGateway"] = nat
    call("DeleteNatGateway", nat, NatGatewayId=nat)
    call("DetachInternetGateway", gateway, InternetGatewayId=gateway, VpcId=vpc)
    call("DeleteInternetGateway", gateway, InternetGatewayId=gateway)
    egress_only = way_out["EgressOnlyInternetGatewayId"]
    call("DeleteEgressOnlyInternetGateway", egress_only, EgressOnlyInternetGatewayId=egress_only)

    associated = call("AssociateSubnetCidrBlock", subnet, SubnetId=subnet, Ipv6CidrBlock=block)
    association = associated["Ipv6CidrBlockAssociation"]["AssociationId"]
    call("DisassociateSubnetCidrBlock", subnet, AssociationId=association)
    entry = {"NetworkAclId": acl, "RuleNumber": 90, "Egress": True}
    denied = {**entry, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}
    call("CreateNetworkAclEntry", acl, **denied)
    call("ReplaceNetworkAclEntry", acl, **denied)
    call("DeleteNetworkAclEntry", acl, **entry)
    serving = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    (one,) = (a for a in serving["NetworkAcls"][0]["Associations"] if a["SubnetId"] == subnet)
    call("ReplaceNetworkAclAssociation", acl, AssociationId=one["NetworkAclAssociationId"], NetworkAclId=acl)

    call("AuthorizeSecurityGroupEgress", group, GroupId=group, IpPermissions=[HTTPS])
    rules = call("AuthorizeSecurityGroupIngress", group, GroupId=group, IpPermissions=[HTTPS])["SecurityGroupRules"]
    update = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "10.0.0.0/8", "Description": "in"}
    changed = [{"SecurityGroupRuleId": rules[0]["SecurityGroupRuleId"], "SecurityGroupRule": update}]
    call("ModifySecurityGroupRules", group, GroupId=group, SecurityGroupRules=changed)
    call("RevokeSecurityGroupEgress", group, GroupId=group, IpPermissions=[HTTPS])
    revoked = [rules[0]["SecurityGroupRuleId"]]
    call("RevokeSecurityGroupIngress", group, GroupId=group, SecurityGroupRuleIds=revoked)
    call("DeleteSecurityGroup", group, GroupId=group)
    call("ModifyVpcAttribute", vpc, VpcId=vpc, EnableDnsSupport={"Value": False})
    call("DeleteSubnet", subnet, SubnetId=subnet)
    return ids


def _newer(value: object, number: int = 1) -> object:
    """A value of an older record as newer ones have it: names with a capital, lists as tagged entries."""
    if not isinstance(value, dict):
        return value
    if set(value) == {"items"}:
        entries = [{"tag": place, **cast("Event", _newer(one))} for place, one in enumerate(value["items"], start=1)]
        return entries[0] if len(entries) == 1 else entries
    return {name[:1].upper() + name[1:]: _newer(one) for name, one in value.items()}


def change(event: Event) -> Change:
    found = parse_change(event)
    assert isinstance(found, Change), found
    return found


def record(name: str, request: object, response: object = None, **more: object) -> Event:
    """A call of alice's."""
    detail = {
        "userIdentity": {"type": "IAMUser", "userName": "alice"},
        "eventTime": "2026-11-21T09:00:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.31.20",
        "requestParameters": request,
        "responseElements": response,
        "eventID": "event-1",
        "readOnly": False,
        **more,
    }
    kind = "AWS API Call via CloudTrail"
    return {"source": "aws.ec2", "detail-type": kind, "account": ACCOUNT, "region": REGION, "detail": detail}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_understood_as_the_emulator_records_it(name: str, made: dict[str, tuple[Event, str]]) -> None:
    event, about = made[name]
    detail = event["detail"]
    assert change(event) == Change(
        id=detail["eventID"],
        what=name,
        ids=(about,) if about else (),
        account=ACCOUNT,
        region=REGION,
        time="2026-11-02T09:00:00Z",
        caller=Caller(name="operations", tool=change(event).caller.tool, address=detail["sourceIPAddress"]),
        unnamed="" if about else "association",
    )


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_understood_alike_in_the_form_of_newer_records(name: str, made: dict[str, tuple[Event, str]]) -> None:
    event, _ = made[name]
    asked = event["detail"]["requestParameters"]
    if f"{name}Request" not in asked:
        newer = {f"{name}Request": _newer(asked)}
        assert change({**event, "detail": {**event["detail"], "requestParameters": newer}}) == change(event)
    else:
        inside = asked[f"{name}Request"]
        older = {key[:1].lower() + key[1:]: value for key, value in inside.items()}
        assert change({**event, "detail": {**event["detail"], "requestParameters": older}}) == change(event)


@pytest.mark.parametrize(
    ("name", "request_", "response", "expect"),
    [
        ("AuthorizeSecurityGroupIngress", {"groupName": "web"}, None, {"group_name": "web"}),
        ("AuthorizeSecurityGroupIngress", {"groupName": "sg-1"}, None, {"ids": ("sg-1",)}),
        ("DeleteSecurityGroup", {"groupName": "web"}, {"_return": True, "groupId": "sg-1"}, {"ids": ("sg-1",)}),
        (
            "AuthorizeSecurityGroupIngress",
            {"groupName": "web"},
            {"securityGroupRuleSet": {"items": [{"groupId": "sg-1"}, {"groupId": "sg-1"}]}},
            {"ids": ("sg-1",)},
        ),
        (
            "RevokeSecurityGroupIngress",
            {"securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-1"}]}},
            {"revokedSecurityGroupRuleSet": {"items": [{"groupId": "sg-2"}, {"groupId": "sg-1"}]}},
            {"ids": ("sg-1", "sg-2")},
        ),
        (
            "RevokeSecurityGroupEgress",
            {"RevokeSecurityGroupEgressRequest": {"SecurityGroupRuleId": {"tag": 1, "content": "sgr-1"}}},
            {"RevokeSecurityGroupEgressResponse": {"revokedSecurityGroupRuleSet": {"item": {"groupId": "sg-1"}}}},
            {"ids": ("sg-1",)},
        ),
        (
            "RevokeSecurityGroupIngress",
            {"ipPermissions": {}, "securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-1"}]}},
            {"_return": True},
            {"unnamed": "group"},
        ),
        ("AuthorizeSecurityGroupEgress", {"omitted": True}, None, {"unnamed": "group"}),
        ("AuthorizeSecurityGroupEgress", None, None, {"unnamed": "group"}),
        (
            "AuthorizeSecurityGroupEgress",
            None,
            {"securityGroupRuleSet": {"items": [{"groupId": "sg-1"}]}},
            {"ids": ("sg-1",)},
        ),
        ("DisassociateRouteTable", None, {"_return": True}, {"unnamed": "association"}),
        (
            "DeleteTransitGatewayVpcAttachment",
            {"DeleteTransitGatewayVpcAttachmentRequest": {"TransitGatewayAttachmentId": "tgw-attach-1"}},
            None,
            {"unnamed": "vpc"},
        ),
        ("DisassociateSubnetCidrBlock", {"associationId": "subnet-cidr-assoc-1"}, None, {"unnamed": "subnet"}),
        ("CreateNatGateway", {"CreateNatGatewayRequest": {"SubnetId": "subnet-1"}}, None, {"ids": ("subnet-1",)}),
        ("DeleteNatGateway", None, {"DeleteNatGatewayResponse": {"natGatewayId": "nat-1"}}, {"ids": ("nat-1",)}),
    ],
)
def test_what_a_call_does_not_name_plainly_is_found_elsewhere_or_said_to_be_unnamed(
    name: str, request_: object, response: object, expect: dict[str, Any]
) -> None:
    expected: dict[str, Any] = {"ids": (), **expect}
    assert change(record(name, request_, response)) == Change(
        id="event-1",
        what=name,
        account=ACCOUNT,
        region=REGION,
        time="2026-11-21T09:00:00Z",
        caller=ALICE,
        **expected,
    )


ROUTE = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("text", "not an EventBridge event: it is a str, not an object"),
        ({}, "not a call of EC2: missing of missing"),
        ({**record("DeleteRoute", ROUTE), "source": "aws.apprunner"}, "not a call of EC2: "),
        ({**record("DeleteRoute", ROUTE), "detail": None}, "not a call of EC2: "),
        (record("DeleteRoute", ROUTE, eventSource="vpc.amazonaws.com"), "'DeleteRoute' of 'vpc.amazonaws.com' is not"),
        (
            record("CreateVpc", {"cidrBlock": "10.0.0.0/16"}),
            "the call 'CreateVpc' of 'ec2.amazonaws.com' is not watched",
        ),
        (record("DeleteRoute", ROUTE, errorCode="Client.InvalidRoute.NotFound"), "failed with 'Client.InvalidRoute"),
        (record("DeleteRoute", {**ROUTE, "dryRun": True}), "the call DeleteRoute was a dry run: nothing was changed"),
        (record("DeleteNatGateway", {"DeleteNatGatewayRequest": {"DryRun": "true"}}), "DeleteNatGateway was a dry run"),
        (record("DeleteRoute", ROUTE, readOnly=True), "the call DeleteRoute only read: nothing was changed"),
        (record("DeleteRoute", {"omitted": True}), "the record of DeleteRoute names nothing to check: looked at"),
        (record("DeleteRoute", None), "looked at requestParameters.routeTableId"),
        (record("DeleteRoute", {"routeTableId": "HIDDEN_DUE_TO_SECURITY_REASONS"}), "names nothing to check"),
        (record("AssociateRouteTable", {"routeTableId": "rtb-1", "gatewayId": "igw-1"}), "names nothing to check"),
        (record("DisassociateRouteTable", {}), "looked at requestParameters.associationId"),
        (record("RevokeSecurityGroupIngress", {"ipPermissions": {}}), "names nothing to check"),
    ],
)
def test_what_changed_nothing_or_names_nothing_is_ignored_and_says_why(event: object, why: str) -> None:
    ignored = parse_change(event)
    assert isinstance(ignored, Ignored)
    assert why in ignored.why


def test_the_twin_of_what_is_ignored_is_a_change() -> None:
    assert change(record("DeleteRoute", ROUTE)).ids == ("rtb-1",)


@pytest.mark.parametrize("field", ["account", "region"])
def test_an_envelope_without_its_place_is_refused(field: str) -> None:
    with pytest.raises(BadEvent, match=f"the event's {field} should be"):
        parse_change({**record("DeleteRoute", ROUTE), field: None})


# Who is concerned. Orders leaves by a NAT gateway and by its VPC's main table; billing is in another VPC and names no
# group; old has lost a subnet and its group.

ORDERS, BILLING, OLD = (f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/{name}/1/0" for name in ("o", "b", "x"))


def _connector(arn: str, *ids: str) -> Connector:
    return Connector(
        arn=arn,
        name="orders",
        status="ACTIVE",
        subnet_ids=tuple(one for one in ids if one.startswith("subnet-")),
        security_group_ids=tuple(one for one in ids if one.startswith("sg-")),
    )


CONNECTORS = (
    _connector(ORDERS, "subnet-a", "subnet-b", "sg-app"),
    _connector(BILLING, "subnet-other"),
    _connector(OLD, "subnet-gone", "subnet-old", "sg-gone", "sg-web"),
)


def _subnet(subnet_id: str, vpc: str) -> Subnet:
    return Subnet(
        id=subnet_id,
        vpc_id=vpc,
        zone_id="use1-az1",
        cidr="10.0.0.0/24",
        ipv6_cidrs=(),
        ipv6_native=False,
        free_addresses=200,
        owner_id=ACCOUNT,
    )


def _table(table_id: str, vpc: str, *subnets: str, to: str = "", main: bool = False, of: str = "") -> RouteTable:
    """With a default route, and one of a prefix list."""
    routes = (
        Route(destination="10.0.0.0/16", target="local"),
        *(Route(destination="0.0.0.0/0", target=to) for _ in range(bool(to))),
        *(Route(destination=of, target="tgw-1") for _ in range(bool(of))),
    )
    return RouteTable(id=table_id, vpc_id=vpc, main=main, subnet_ids=subnets, routes=routes)


def _nat(nat_id: str, vpc: str, subnet: str) -> NatGateway:
    return NatGateway(id=nat_id, vpc_id=vpc, subnet_id=subnet, state="available", connectivity="public")


def _group(group_id: str, name: str, vpc: str) -> SecurityGroup:
    return SecurityGroup(id=group_id, name=name, vpc_id=vpc, ingress=(), egress=())


STRUCTURE = Structure(
    subnets=(
        *(_subnet(f"subnet-{name}", "vpc-1") for name in ("a", "b", "out", "unused")),
        _subnet("subnet-other", "vpc-2"),
        _subnet("subnet-old", "vpc-3"),
    ),
    route_tables=(
        _table("rtb-main", "vpc-1", to="eigw-1", main=True, of="pl-main"),
        _table("rtb-a", "vpc-1", "subnet-a", to="nat-1"),
        _table("rtb-out", "vpc-1", "subnet-out", to="igw-1", of="pl-out"),
        _table("rtb-unused", "vpc-1", "subnet-unused", to="igw-2", of="pl-unused"),
        _table("rtb-2", "vpc-2", "subnet-other", to="igw-3"),
        _table("rtb-3", "vpc-3", "subnet-old", to="nat-9", main=True),
    ),
    nat_gateways=(_nat("nat-1", "vpc-1", "subnet-out"), _nat("nat-2", "vpc-1", "subnet-unused")),
    network_acls=(
        NetworkAcl(id="acl-1", subnet_ids=("subnet-a", "subnet-b"), entries=()),
        NetworkAcl(id="acl-out", subnet_ids=("subnet-out", "subnet-unused"), entries=()),
        NetworkAcl(id="acl-2", subnet_ids=("subnet-other",), entries=()),
    ),
    security_groups=(
        _group("sg-app", "app", "vpc-1"),
        _group("sg-default-1", "default", "vpc-1"),
        _group("sg-default-2", "default", "vpc-2"),
        _group("sg-web", "web", "vpc-3"),
    ),
)


def a_change(number: int = 1, what: str = "DeleteRoute", **fields: Any) -> Change:
    return Change(
        id=f"event-{number}",
        what=what,
        account=ACCOUNT,
        region=REGION,
        time=f"2026-11-21T09:00:{number % 60:02}Z",
        **{"ids": (), "caller": ALICE, **fields},
    )


@pytest.mark.parametrize(
    ("ids", "expect"),
    [
        ("rtb-a", {ORDERS}),
        ("rtb-main", {ORDERS}),  # subnet-b's
        ("rtb-out", {ORDERS}),  # nat-1's
        ("rtb-unused", set()),
        ("rtb-2", {BILLING}),
        ("rtb-gone", set()),
        ("nat-1", {ORDERS}),
        ("nat-2", set()),
        ("nat-9", {OLD}),  # gone, and still in a route
        ("igw-1", {ORDERS}),  # behind nat-1
        ("igw-2", set()),
        ("igw-3", {BILLING}),
        ("eigw-1", {ORDERS}),
        ("subnet-a", {ORDERS}),
        ("subnet-out", {ORDERS}),  # nat-1's
        ("subnet-unused", set()),
        ("subnet-gone", {OLD}),
        ("acl-1", {ORDERS}),
        ("acl-out", set()),
        ("acl-2", {BILLING}),
        ("sg-app", {ORDERS}),
        ("sg-gone", {OLD}),
        ("sg-default-1", set()),
        ("sg-default-2", {BILLING}),
        ("vpc-1", {ORDERS}),
        ("vpc-2", {BILLING}),
        ("vpc-9", set()),
        ("pl-out", {ORDERS}),  # in nat-1's table
        ("pl-main", {ORDERS}),
        ("pl-unused", set()),
        ("rtb-a rtb-2", {ORDERS, BILLING}),
    ],
)
def test_a_change_concerns_those_who_depend_on_what_it_names(ids: str, expect: set[str]) -> None:
    one = a_change(ids=tuple(ids.split()))
    assert concerned([one], CONNECTORS, STRUCTURE) == dict.fromkeys(sorted(expect), (one,))


@pytest.mark.parametrize(
    ("fields", "expect"),
    [
        ({"unnamed": "association"}, {ORDERS}),  # subnet-b has no association of its own
        ({"unnamed": "group"}, {ORDERS, BILLING, OLD}),
        ({"unnamed": "subnet"}, {ORDERS, BILLING, OLD}),
        ({"unnamed": "vpc"}, {ORDERS, BILLING, OLD}),
        ({"group_name": "app"}, {ORDERS, OLD}),  # the group that old has lost may have had the name
        ({"group_name": "default"}, {BILLING, OLD}),
        ({"group_name": "spare"}, {OLD}),
    ],
)
def test_a_change_that_names_nothing_concerns_all_that_it_can_have_touched(
    fields: dict[str, Any], expect: set[str]
) -> None:
    one = a_change(**fields)
    assert concerned([one], CONNECTORS, STRUCTURE) == dict.fromkeys(sorted(expect), (one,))


def test_the_association_of_a_nat_gateways_subnet_counts_too() -> None:
    tables = cast("tuple[RouteTable, ...]", STRUCTURE.route_tables)
    leads_out = _table("rtb-main", "vpc-1", to="igw-1", main=True)
    others = [table for table in tables if table.id not in ("rtb-main", "rtb-out", "rtb-a")]
    own = _table("rtb-a", "vpc-1", "subnet-a", "subnet-b", to="nat-1")
    one = a_change(unnamed="association")
    found = concerned([one], CONNECTORS, replace(STRUCTURE, route_tables=(leads_out, own, *others)))
    assert found == {ORDERS: (one,)}
    with_own = _table("rtb-out", "vpc-1", "subnet-out", to="igw-1")
    found = concerned([one], CONNECTORS, replace(STRUCTURE, route_tables=(leads_out, own, with_own, *others)))
    assert found == {}


def test_the_vpc_of_a_connector_without_a_subnet_is_that_of_its_groups() -> None:
    lost = (_connector(ORDERS, "subnet-gone", "sg-app"), _connector(BILLING, "subnet-gone"))
    one, other = a_change(1, "ModifyVpcAttribute", ids=("vpc-1",)), a_change(2, "ModifyVpcAttribute", ids=("vpc-2",))
    assert concerned([one, other], lost, STRUCTURE) == {ORDERS: (one,)}


EVERY_KIND = ("rtb-unused", "pl-9", "nat-2", "igw-2", "eigw-9", "subnet-unused", "acl-out", "sg-default-1", "vpc-9")


@pytest.mark.parametrize(
    ("hidden", "orders", "billing"),
    [
        (
            "subnets",
            "rtb-unused pl-9 nat-2 igw-2 eigw-9 subnet-unused vpc-9 association",
            "rtb-unused pl-9 nat-2 igw-2 eigw-9 subnet-unused sg-default-1 vpc-9 association",
        ),
        (
            "route_tables",
            "rtb-unused pl-9 nat-2 igw-2 eigw-9 subnet-unused association",
            "rtb-unused pl-9 nat-2 igw-2 eigw-9 subnet-unused association",
        ),
        ("nat_gateways", "rtb-unused pl-9 igw-2 subnet-unused association", ""),  # billing's routes name none
        ("network_acls", "acl-out association", "acl-out"),
        ("security_groups", "name association", "sg-default-1"),
    ],
)
def test_what_was_not_read_could_concern_anybody_who_depends_on_such(hidden: str, orders: str, billing: str) -> None:
    changes = {one: a_change(number, ids=(one,)) for number, one in enumerate(EVERY_KIND)}
    changes |= {"association": a_change(20, unnamed="association"), "name": a_change(21, group_name="spare")}
    facts: dict[str, Unread] = {hidden: UNREAD}
    found = concerned(changes.values(), CONNECTORS, replace(STRUCTURE, **facts))
    assert set(found.get(ORDERS, ())) == {changes[one] for one in orders.split()}
    assert set(found.get(BILLING, ())) == {changes[one] for one in billing.split()}


def test_changes_are_in_the_order_of_time_and_each_is_there_once() -> None:
    first, second = a_change(1, ids=("rtb-a",)), a_change(2, ids=("subnet-a",))
    assert concerned([second, first, second], CONNECTORS, STRUCTURE) == {ORDERS: (first, second)}


def test_a_thousand_changes_and_a_hundred_connectors_take_well_under_a_second() -> None:
    connectors = [_connector(f"{ORDERS}{n}", *(f"subnet-{n}-{m}" for m in range(3)), "sg-app") for n in range(100)]
    subnets = tuple(_subnet(one, "vpc-1") for connector in connectors for one in connector.subnet_ids)
    tables = tuple(_table(f"rtb-{one.id}", "vpc-1", one.id, to=f"nat-{one.id}") for one in subnets)
    nats = tuple(_nat(f"nat-{one.id}", "vpc-1", one.id) for one in subnets)
    acl = NetworkAcl(id="acl-1", subnet_ids=tuple(one.id for one in subnets), entries=())
    structure = replace(STRUCTURE, subnets=subnets, route_tables=tables, nat_gateways=nats, network_acls=(acl,))
    ids = itertools.cycle(("acl-1", "sg-app", "vpc-1", "rtb-subnet-1-1", "nat-subnet-2-2"))
    changes = [a_change(number, ids=(next(ids),)) for number in range(1000)]
    start = time.process_time()
    found = concerned(changes, connectors, structure)
    assert time.process_time() - start < 0.8
    assert {len(changes) for changes in found.values()} == {600, 800}


# What is said of several


BOB = Caller(name="role deploy ci", tool="Terraform")


def _changes(*whats: str, callers: tuple[Caller, ...] = (ALICE,)) -> Iterator[Change]:
    for number, (what, caller) in enumerate(zip(whats, itertools.cycle(callers), strict=False), start=1):
        yield a_change(number, what, caller=caller)


@pytest.mark.parametrize(
    ("changes", "what", "caller"),
    [
        (_changes("DeleteRoute"), "DeleteRoute", ALICE),
        (_changes("ReplaceRoute", "DeleteRoute"), "2 changes (DeleteRoute, ReplaceRoute)", ALICE),
        (_changes("DeleteRoute", "DeleteRoute"), "2 changes (DeleteRoute)", ALICE),
        (
            _changes("DeleteRoute", "CreateRoute", callers=(ALICE, BOB)),
            "2 changes (CreateRoute, DeleteRoute), the last",
            BOB,
        ),
        (
            _changes("DeleteSubnet", "DeleteRoute", "CreateRoute", "ReplaceRoute"),
            "4 changes (CreateRoute, DeleteRoute, DeleteSubnet …)",
            ALICE,
        ),
    ],
)
def test_several_changes_are_told_as_one(changes: Iterator[Change], what: str, caller: Caller) -> None:
    made = tuple(changes)
    expected = Folded(id=made[-1].id, what=what, caller=caller, time=made[-1].time)
    assert {folded(order) for order in itertools.permutations(made)} == {expected}


def test_calls_of_another_kind_are_told_alike() -> None:
    """Those that change a private path, as PathChange has them."""
    calls = [
        PathChange(
            id=f"path-{number}",
            what=what,
            names=("vpce-1",),
            account=ACCOUNT,
            region=REGION,
            time=f"2026-11-21T09:00:0{number}Z",
            caller=caller,
        )
        for number, (what, caller) in enumerate([("ModifyListener", ALICE), ("ModifyVpcEndpoint", BOB)])
    ]
    said = "2 changes (ModifyListener, ModifyVpcEndpoint), the last"
    assert folded(calls) == Folded(id="path-1", what=said, caller=BOB, time="2026-11-21T09:00:01Z")
    first = Folded(id="path-0", what="ModifyListener", caller=ALICE, time="2026-11-21T09:00:00Z")
    assert folded(calls[:1]) == first
