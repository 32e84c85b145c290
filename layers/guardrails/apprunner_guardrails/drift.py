"""EC2 calls that can break a connector: event → Change | Ignored, and changes + network → the connectors concerned.

The network is read after the changes. That is enough: a call either names what it touched, or moves a subnet to where
the network now shows it. A change concerns a connector when what it touched could have changed a rule's answer. Left to
the audit, as calls tell too little of it: free addresses, what is offered to mend a fault, who else carries a group
(AR204), instances and network interfaces that routes lead to (AR108), and the endpoints of AR107.

Some calls do not name what they touched. They concern more:

    call                             names                        concerns
    DisassociateRouteTable           an association that is gone  subnets that have none of their own now
    DisassociateSubnetCidrBlock      an association; the subnet   without the answer: every connector
                                     is in the answer
    DeleteTransitGatewayVpcAttach…   an attachment; the VPC is    without the answer: every connector
                                     in the answer
    …SecurityGroup…, default VPC     a group by its name          groups that have the name, or are gone
    …SecurityGroup…, rules by id     rules; newer answers name    without such an answer: every connector
                                     the group

The same goes where CloudTrail left such a call's request out.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, Protocol

from apprunner_guardrails.callers import Caller, caller
from apprunner_guardrails.events import CLOUDTRAIL, Ignored, account, idle, no_event, not_watched, region
from apprunner_guardrails.facts import Connector, RouteTable, Structure, Subnet, known, told
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.records import Json, event_id, member, shown, text, texts_at
from apprunner_guardrails.routes import table_of

SOURCE = "ec2.amazonaws.com"
NAMES_SHOWN = 3

_ID = re.compile(r"(?:rtb|subnet|nat|igw|eigw|acl|sg|vpc|pl)-[A-Za-z0-9-]{1,64}")

type Unnamed = Literal["", "association", "group", "subnet", "vpc"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Where a call's record names what it touched: the first of `ids` that leads to some counts.

    Paths are in the lower camel case of older records. `clues` lead to what is named instead, and then some thing of
    the kind `unnamed` was touched.
    """

    ids: tuple[str, ...]
    clues: tuple[str, ...] = ()
    unnamed: Unnamed = ""


_TABLE = Call(ids=("requestParameters.routeTableId",))
_INTERNET_GATEWAY = Call(ids=("requestParameters.internetGatewayId",))
_SUBNET = Call(ids=("requestParameters.subnetId", "responseElements.subnetId"))
_VPC = Call(ids=("requestParameters.vpcId",))
_PREFIX_LIST = Call(ids=("requestParameters.prefixListId",))
_ACL = Call(ids=("requestParameters.networkAclId",))
_GROUP_NAME = "requestParameters.groupName"
_GROUP = Call(
    ids=(
        "requestParameters.groupId",
        _GROUP_NAME,  # takes an id too
        "responseElements.groupId",
        "responseElements.securityGroupRuleSet.groupId",
        "responseElements.revokedSecurityGroupRuleSet.groupId",
    ),
    clues=(
        "requestParameters.securityGroupRuleIds.securityGroupRuleId",
        "requestParameters.securityGroupRuleId",
        "requestParameters.securityGroupRule.securityGroupRuleId",
    ),
    unnamed="group",
)
_ASSOCIATION = ("requestParameters.associationId",)

# The one table of watched calls. An association is judged by its new end: what it left shows there no more.
CALLS: Mapping[str, Call] = {
    "CreateRoute": _TABLE,
    "ReplaceRoute": _TABLE,
    "DeleteRoute": _TABLE,
    "AssociateRouteTable": Call(ids=("requestParameters.subnetId",)),
    "DisassociateRouteTable": Call(ids=(), clues=_ASSOCIATION, unnamed="association"),
    "ReplaceRouteTableAssociation": _TABLE,
    "EnableVgwRoutePropagation": _TABLE,
    "DisableVgwRoutePropagation": _TABLE,
    # What routes go to, or come from, is attached to a VPC as a whole: which of its tables have them shows no more.
    "AttachVpnGateway": _VPC,
    "DetachVpnGateway": _VPC,
    "CreateTransitGatewayVpcAttachment": _VPC,
    "DeleteTransitGatewayVpcAttachment": Call(
        ids=("responseElements.transitGatewayVpcAttachment.vpcId",),
        clues=("requestParameters.transitGatewayAttachmentId",),
        unnamed="vpc",
    ),
    "ModifyManagedPrefixList": _PREFIX_LIST,
    "RestoreManagedPrefixListVersion": _PREFIX_LIST,
    "CreateNatGateway": Call(ids=("responseElements.natGateway.natGatewayId", "requestParameters.subnetId")),
    "DeleteNatGateway": Call(ids=("requestParameters.natGatewayId", "responseElements.natGatewayId")),
    "AttachInternetGateway": _INTERNET_GATEWAY,
    "DetachInternetGateway": _INTERNET_GATEWAY,
    "DeleteInternetGateway": _INTERNET_GATEWAY,
    "DeleteEgressOnlyInternetGateway": Call(ids=("requestParameters.egressOnlyInternetGatewayId",)),
    "DeleteSubnet": _SUBNET,
    "AssociateSubnetCidrBlock": _SUBNET,
    "DisassociateSubnetCidrBlock": Call(ids=_SUBNET.ids, clues=_ASSOCIATION, unnamed="subnet"),
    "CreateNetworkAclEntry": _ACL,
    "ReplaceNetworkAclEntry": _ACL,
    "DeleteNetworkAclEntry": _ACL,
    "ReplaceNetworkAclAssociation": _ACL,
    "AuthorizeSecurityGroupEgress": _GROUP,
    "AuthorizeSecurityGroupIngress": _GROUP,
    "RevokeSecurityGroupEgress": _GROUP,
    "RevokeSecurityGroupIngress": _GROUP,
    "ModifySecurityGroupRules": _GROUP,
    "DeleteSecurityGroup": _GROUP,
    "ModifyVpcAttribute": _VPC,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A call that changed something of a network.

    `ids` are sorted (rtb-…, pl-…, subnet-…, nat-…, igw-…, eigw-…, acl-…, sg-…, vpc-…). Where the record has none, it
    has the `group_name` of a group of the default VPC, or `unnamed` says what it is that was touched: the route table
    association of a subnet, a security group, a subnet, a VPC.
    """

    id: str
    what: str  # DeleteRoute …
    ids: tuple[str, ...]
    account: str
    region: str
    time: str
    caller: Caller
    group_name: str = ""
    unnamed: Unnamed = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Folded:
    """Several changes as one: for a reader, `what` by the caller at the time. They and the id are the last change's."""

    id: str
    what: str
    caller: Caller
    time: str


def parse_change(event: object) -> Change | Ignored:
    """What an EC2 call changed. Raises BadEvent where the envelope's account or Region cannot be read."""
    if not isinstance(event, Mapping):
        return no_event(event)
    source, kind, detail = event.get("source"), event.get("detail-type"), event.get("detail")
    if (source, kind) != ("aws.ec2", CLOUDTRAIL) or not isinstance(detail, Mapping):
        return Ignored(why=f"not a call of EC2: {shown(kind)} of {shown(source)}")
    service, name = text(detail.get("eventSource")), text(detail.get("eventName"))
    call = CALLS.get(name)
    if service != SOURCE or call is None:
        return not_watched(service, name)
    return idle(name, detail) or _change(name, call, event, detail)


def _change(name: str, call: Call, event: Json, detail: Json) -> Change | Ignored:
    ids = next(filter(None, (_ids(detail, path) for path in call.ids)), ())
    group_name = "" if ids or _GROUP_NAME not in call.ids else next(texts_at(detail, _GROUP_NAME), "")
    unnamed: Unnamed = "" if ids or group_name or not _is_told_of(call, detail) else call.unnamed
    if not (ids or group_name or unnamed):
        return Ignored(why=f"the record of {name} names nothing to check: looked at {', '.join(call.ids + call.clues)}")
    return Change(
        id=event_id(event),
        what=name,
        ids=ids,
        account=account(event),
        region=region(event),
        time=text(detail.get("eventTime")) or text(event.get("time")),
        caller=caller(detail),
        group_name=group_name,
        unnamed=unnamed,
    )


def _ids(detail: Json, path: str) -> tuple[str, ...]:
    return tuple(sorted({found for found in texts_at(detail, path) if _ID.fullmatch(found)}))


def _is_told_of(call: Call, detail: Json) -> bool:
    """CloudTrail omits a request over 100 KB (older records: {"omitted": true}): hundreds of rules in one call can be
    that long. No watched call has an empty one."""
    request = detail.get("requestParameters")
    omitted = not isinstance(request, Mapping) or member(request, "omitted") is True
    return omitted or any(True for clue in call.clues for _ in texts_at(detail, clue))


# What a connector depends on and what a change touches are compared as keys. A key is an id, the kind of ids ("rtb-",
# where it is not known on which of them a connector depends), or one of these.
_NO_TABLE_OF_ITS_OWN = "association"
_SOME_GROUP, _SOME_SUBNET, _SOME_VPC = "group", "subnet", "vpc"
_NAMELESS_GROUP = "group whose name is not known"


def concerned(
    changes: Iterable[Change], connectors: Iterable[Connector], structure: Structure
) -> Mapping[str, tuple[Change, ...]]:
    """The connectors whose answers the changes could have changed: by ARN, sorted, their changes in order of time.

    Where what would tell was not read, a connector counts as concerned. A change that is there twice counts once.
    """
    depending: dict[str, set[str]] = defaultdict(set)
    for connector in connectors:
        for key in _depends_on(connector, structure):
            depending[key].add(connector.arn)
    found: dict[str, list[Change]] = defaultdict(list)
    for change in sorted(set(changes), key=_order):
        for arn in set[str]().union(*(depending.get(key, ()) for key in _touches(change))):
            found[arn].append(change)
    return {arn: tuple(found[arn]) for arn in sorted(found)}


def _touches(change: Change) -> Iterator[str]:
    for one in change.ids:
        yield one
        yield _kind(one)
    if change.group_name:
        yield from (_named(change.group_name), _NAMELESS_GROUP)
    if change.unnamed:
        yield change.unnamed


def _kind(resource_id: str) -> str:
    return resource_id[: resource_id.index("-") + 1]


def _named(group_name: str) -> str:
    return f"group {group_name!r}"


def _depends_on(connector: Connector, structure: Structure) -> Iterator[str]:
    yield from (*connector.subnet_ids, *connector.security_group_ids, _SOME_GROUP, _SOME_SUBNET, _SOME_VPC)
    routing = ("rtb-", "pl-", "nat-", "igw-", "eigw-", "subnet-", _NO_TABLE_OF_ITS_OWN)
    yield from _or_any(_routing(connector, structure), *routing)
    yield from _or_any(_acls(connector, structure), "acl-")
    yield from _or_any(_vpcs(connector, structure), "vpc-")
    if connector.security_group_ids:
        yield from _or_any(_group_names(connector, structure), _NAMELESS_GROUP)
    else:
        yield from _or_any(_default_group(connector, structure), "sg-")


def _or_any(keys: Iterator[str], *kinds: str) -> Iterator[str]:
    """The keys, and all of these kinds where one of the facts behind the keys was not read."""
    found, unread = told(keys)
    yield from found
    if unread:
        yield from kinds


def _routing(connector: Connector, structure: Structure) -> Iterator[str]:
    """What the ways out go through, up to the tables of the NAT gateways' subnets and the internet gateways there."""
    tables = tuple(_tables(connector.subnet_ids, structure))
    yield from _tables_and_targets(tables, ("nat-", "igw-", "eigw-"))
    nats = {route.target for _, table in tables for route in table.routes if route.target.startswith("nat-")}
    if nats:
        yield from _or_any(_homes(nats, structure), "rtb-", "pl-", "igw-", "subnet-", _NO_TABLE_OF_ITS_OWN)


def _homes(nats: Collection[str], structure: Structure) -> Iterator[str]:
    """A regional NAT gateway has no subnet, and one that is gone needs none."""
    homes = {nat.subnet_id for nat in known(structure.nat_gateways) if nat.id in nats} - {""}
    yield from homes
    yield from _tables_and_targets(_tables(homes, structure), ("igw-",))


def _tables(subnet_ids: Collection[str], structure: Structure) -> Iterator[tuple[Subnet, RouteTable]]:
    """The subnets that exist with the tables that they use; another account's tables are not seen, nor its calls."""
    tables = known(structure.route_tables)
    for subnet in known(structure.subnets):
        table = table_of(subnet, tables) if subnet.id in subnet_ids else None
        if table is not None:
            yield subnet, table


def _tables_and_targets(tables: Iterable[tuple[Subnet, RouteTable]], targets: tuple[str, ...]) -> Iterator[str]:
    for subnet, table in tables:
        yield table.id
        if subnet.id not in table.subnet_ids:
            yield _NO_TABLE_OF_ITS_OWN
        for route in table.routes:
            if route.target.startswith(targets):
                yield route.target
            if route.destination.startswith("pl-"):
                yield route.destination


def _acls(connector: Connector, structure: Structure) -> Iterator[str]:
    for acl in known(structure.network_acls):
        if not set(acl.subnet_ids).isdisjoint(connector.subnet_ids):
            yield acl.id


def _vpcs(connector: Connector, structure: Structure) -> Iterator[str]:
    """The connector's one VPC, as its subnets tell it, or its groups where none of them is left."""
    vpcs = {subnet.vpc_id for subnet in known(structure.subnets) if subnet.id in connector.subnet_ids}
    if not vpcs and connector.security_group_ids:
        groups = known(structure.security_groups)
        vpcs = {group.vpc_id for group in groups if group.id in connector.security_group_ids}
    yield from vpcs


def _group_names(connector: Connector, structure: Structure) -> Iterator[str]:
    """For the calls that name a group so; one that was deleted is seen no more."""
    names = {group.id: group.name for group in known(structure.security_groups)}
    for group_id in connector.security_group_ids:
        yield _named(names[group_id]) if group_id in names else _NAMELESS_GROUP


def _default_group(connector: Connector, structure: Structure) -> Iterator[str]:
    """Of the connector's VPC: what it uses where it names none."""
    yield _named("default")
    vpcs = set(_vpcs(connector, structure))
    for group in known(structure.security_groups):
        if group.name == "default" and group.vpc_id in vpcs:
            yield group.id


class Called(Protocol):
    """A call as an event tells of it."""

    @property
    def id(self) -> str: ...

    @property
    def what(self) -> str: ...

    @property
    def time(self) -> str: ...

    @property
    def caller(self) -> Caller: ...


def folded(changes: Collection[Called]) -> Folded:
    """What to say of the changes (one at least) that concern a resource, whatever their order.

    "DeleteRoute"; "2 changes (DeleteRoute, ReplaceRoute)"; "12 changes (CreateRoute, DeleteNatGateway, DeleteRoute …),
    the last" where several callers made them: the caller's name is to follow.
    """
    last = newest(changes)
    names = sorted({change.what for change in changes})
    what = last.what
    if len(changes) > 1:
        more = " …" if len(names) > NAMES_SHOWN else ""
        several = len({change.caller.name for change in changes}) > 1
        what = f"{len(changes)} changes ({', '.join(names[:NAMES_SHOWN])}{more}){', the last' if several else ''}"
    return Folded(id=last.id, what=what, caller=last.caller, time=last.time)


def newest[T: Called](calls: Iterable[T]) -> T:
    """The last of them (one at least), whatever their order."""
    return max(calls, key=_order)


def _order(change: Called) -> tuple[str, str, str]:
    return change.time, change.id, change.what
