"""Endpoints, target groups and what happens to them, in memory and fast, at the level of botocore's clients.

`FakeAws().client("elbv2")` has methods named as botocore's, with answers and errors as botocore parses them.
The clock moves only when `advance` moves it, and everything follows from it whenever somebody asks:

    an endpoint   pending, for PENDING_SECONDS → available → (deleted) deleting, for DELETING_SECONDS → unknown
                  Its interfaces go as soon as it is deleted, or as soon as their subnet leaves it.
    a target      unused (no listener uses its group, or its zone is not enabled) or initial, for INITIAL_SECONDS
                  → healthy or unhealthy, as its address answers or not; that it changed is seen CHECK_SECONDS later
                  → (deregistered) draining, for the group's delay → gone; registered again meanwhile, it starts anew
    an index      the Tagging API's GetResources shows tags as they were INDEX_SECONDS ago

`wanted`, `states` and `serving` are the truth of it, told to nobody but the test. Before each call that changes
something the `watchers` are told, while things still are as they were; `calls` has every call with what went wrong.
`faults` are what goes wrong: each is for an operation, perhaps only about one resource, and for so many of its calls.
"""

import ipaddress
import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, cast

from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

type Parameters = Mapping[str, Any]
type Row = dict[str, Any]

REGION, ACCOUNT = "us-east-1", "123456789012"
TAG = "apprunner-guardrails:endpoint"
REQUESTS = f"com.amazonaws.{REGION}.apprunner.requests"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
EVERY_ZONE = "all"
PENDING_SECONDS = 60
DELETING_SECONDS = 30
INITIAL_SECONDS = 180
CHECK_SECONDS = 30  # three health checks
INDEX_SECONDS = 120
QUOTA = 1000  # targets of a group
_TAGS_AT_ONCE = 20  # botocore's model of DescribeTags
_PRIVATE = tuple(
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)
_CROSS_ZONE = "load_balancing.cross_zone.enabled"


class Kind(StrEnum):
    """What goes wrong with a call. The last four are answers: a success that has not, or not yet, all rows."""

    THROTTLED = "throttled"
    BROKEN = "broken"
    DENIED = "denied"
    UNREACHED = "unreached"
    TIMED_OUT = "timed out"  # after the call took effect
    EMPTY = "empty"
    CUT = "cut"  # the first half of the rows is said to be all
    EMPTY_PAGE = "empty page"  # with a token: the rows come with the next page
    SHORT_PAGE = "short page"  # likewise


_ANSWERED = (Kind.EMPTY, Kind.CUT, Kind.EMPTY_PAGE, Kind.SHORT_PAGE)
_CODES: Mapping[Kind, Mapping[str, str]] = {
    Kind.THROTTLED: {
        "ec2": "RequestLimitExceeded",
        "elbv2": "Throttling",
        "resourcegroupstaggingapi": "ThrottledException",
        "dynamodb": "ProvisionedThroughputExceededException",
        "events": "ThrottlingException",
        "sns": "Throttled",
        "sqs": "RequestThrottled",
    },
    Kind.BROKEN: {
        "ec2": "InternalError",
        "elbv2": "InternalFailure",
        "resourcegroupstaggingapi": "InternalServiceException",
        "dynamodb": "InternalServerError",
        "events": "InternalException",
        "sns": "InternalError",
        "sqs": "InternalError",
    },
    Kind.DENIED: {
        "ec2": "UnauthorizedOperation",
        "elbv2": "AccessDenied",
        "resourcegroupstaggingapi": "AccessDeniedException",
        "dynamodb": "AccessDeniedException",
        "events": "AccessDeniedException",
        "sns": "AuthorizationError",
        "sqs": "AccessDenied",
    },
}
_CHANGES = ("DeregisterTargets", "RegisterTargets")
_STATUS = {Kind.THROTTLED: 400, Kind.BROKEN: 500, Kind.DENIED: 403}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """For calls of `operation` whose parameters mention `about`: each question's calls number `after` to
    `after + times` go wrong. Counted by question, for threads ask different ones in any order."""

    kind: Kind
    operation: str = ""  # any
    about: str = ""
    after: int = 0
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call. `lost` names the rows that an answer left out and never tells; `error` is the code of a failed one."""

    at: float
    service: str
    operation: str
    parameters: Parameters
    error: str = ""
    lost: tuple[str, ...] = ()

    @property
    def mutates(self) -> bool:
        """Whether it changes anything of a user's."""
        return self.operation in _CHANGES

    def mentions(self, name: str) -> bool:
        return name in str(self.parameters)


# What there is ----------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Interface:
    id: str
    endpoint: str
    subnet: str
    zone: str
    vpc: str
    ipv4: str
    ipv6: str = ""


@dataclass(kw_only=True)
class Endpoint:
    id: str
    vpc: str
    service: str
    ip_type: str
    available_at: float
    interfaces: dict[str, Interface] = field(default_factory=dict)  # by zone
    gone_at: float | None = None  # set when it was deleted


@dataclass(kw_only=True)
class LoadBalancer:
    arn: str
    zones: tuple[str, ...]
    cross_zone: bool


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A target of a group; its address and port are its key."""

    zone: str
    since: float
    gone_at: float | None = None  # when it will have drained; None while it is registered


@dataclass(kw_only=True)
class Group:
    arn: str
    name: str
    vpc: str
    port: int
    ipv6: bool
    load_balancer: str | None  # its ARN
    kind: str = "ip"
    delay: float = 300
    quota: int = QUOTA
    cross_zone: str = "use_load_balancer_configuration"
    targets: dict[tuple[str, int], Registration] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    history: list[tuple[float, dict[str, str]]] = field(default_factory=list)  # of tags
    gone_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """What was sent to a queue, and when it may be received."""

    due: float
    body: str


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Whether an address answers, and since when."""

    answers: bool
    since: float


def key(address: str, port: int) -> str:
    return f"{address}:{port}"


class FakeAws:
    """One account and Region with VPCs of three subnets each, one a zone: `vpc-0` has 10.0.0.0/24 in the first."""

    def __init__(self, *, page_size: int = 1000) -> None:
        self.now = 1_800_000_000.0
        self.page_size = page_size
        self.endpoints: dict[str, Endpoint] = {}
        self.groups: dict[str, Group] = {}
        self.load_balancers: dict[str, LoadBalancer] = {}
        self.peerings: list[tuple[str, str]] = []
        self.gateways: list[tuple[str, ...]] = []  # the VPCs of a transit gateway
        self.messages: list[Message] = []  # to all queues
        self.items: dict[tuple[str, str], Row] = {}  # of the findings table, by resource and rule
        self.calls: list[Call] = []
        self.faults: Sequence[Fault] = ()
        self.watchers: list[Callable[[Call], None]] = []
        self._asked: Counter[tuple[int, str]] = Counter()
        self._heard: dict[str, _Seen] = {}  # by address
        self._ids = itertools.count(1)
        self._working = threading.Lock()
        self._clients = {
            service: cast(
                "BaseClient",
                SimpleNamespace(
                    **{xform_name(name): self._method(service, name, answer) for name, answer in operations.items()}
                ),
            )
            for service, operations in _OPERATIONS.items()
        }

    def client(self, service: str) -> BaseClient:
        return self._clients[service]

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def wrong(self, *faults: Fault) -> None:
        """Let these go wrong from now on, and no others."""
        self.faults = faults
        self._asked.clear()

    # What users do: these never fail, and nobody is told ---------------------------------------------------------

    def create_endpoint(
        self,
        vpc: str = "vpc-0",
        zones: Iterable[str] = ZONES[:2],
        *,
        service: str = REQUESTS,
        ip_type: str = "ipv4",
        pending_seconds: float = PENDING_SECONDS,
    ) -> str:
        made = Endpoint(
            id=f"vpce-{next(self._ids):017x}",
            vpc=vpc,
            service=service,
            ip_type=ip_type,
            available_at=self.now + pending_seconds,
        )
        self.endpoints[made.id] = made
        for zone in zones:
            self.add_subnet(made.id, zone)
        return made.id

    def add_subnet(self, endpoint_id: str, zone: str) -> None:
        """Give the endpoint an interface in the zone, in place of the one that it may have there."""
        endpoint = self.endpoints[endpoint_id]
        made = self._interface(endpoint, zone)
        self.remove_subnet(endpoint_id, zone)
        endpoint.interfaces[zone] = made
        for address in filter(None, (made.ipv4, made.ipv6)):
            self.hear(address, answers=True)

    def remove_subnet(self, endpoint_id: str, zone: str) -> None:
        removed = self.endpoints[endpoint_id].interfaces.pop(zone, None)
        if removed:
            for address in filter(None, (removed.ipv4, removed.ipv6)):
                self.hear(address, answers=False)

    def delete_endpoint(self, endpoint_id: str) -> None:
        endpoint = self.endpoints[endpoint_id]
        for zone in tuple(endpoint.interfaces):
            self.remove_subnet(endpoint_id, zone)
        if endpoint.gone_at is None:
            endpoint.gone_at = self.now + DELETING_SECONDS

    def hear(self, address: str, *, answers: bool) -> None:
        """Let the address answer health checks, or not any more."""
        if self._seen(address).answers != answers:
            self._heard[address] = _Seen(answers=answers, since=self.now)

    def create_load_balancer(self, zones: Iterable[str] = ZONES, *, cross_zone: bool = False) -> str:
        number = next(self._ids)
        arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/lb-{number}/{number:016x}"
        self.load_balancers[arn] = LoadBalancer(arn=arn, zones=tuple(zones), cross_zone=cross_zone)
        return arn

    def create_group(
        self,
        load_balancer: str | None,
        tag: str | None = None,
        *,
        vpc: str = "vpc-0",
        port: int = 443,
        ipv6: bool = False,
        quota: int = QUOTA,
        delay: float = 300,
        kind: str = "ip",
    ) -> str:
        number = next(self._ids)
        made = Group(
            arn=f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/group-{number}/{number:016x}",
            name=f"group-{number}",
            vpc=vpc,
            port=port,
            ipv6=ipv6,
            load_balancer=load_balancer,
            quota=quota,
            delay=delay,
            kind=kind,
        )
        self.groups[made.arn] = made
        if tag is not None:
            self.bind(made.arn, tag)
        return made.arn

    def bind(self, arn: str, tag: str | None) -> None:
        """Tag the group; None takes the tag away."""
        group = self.groups[arn]
        group.tags = {} if tag is None else {TAG: tag}
        group.history.append((self.now, group.tags))

    def delete_group(self, arn: str) -> None:
        self.groups[arn].gone_at = self.now
        self.groups[arn].targets.clear()

    def put_target(self, arn: str, address: str, port: int | None = None, zone: str | None = None) -> None:
        """Somebody else registers it."""
        group = self.groups[arn]
        self._put(group, (address, port or group.port), zone or self._subnet_zone(group, address) or EVERY_ZONE)

    def take_target(self, arn: str, target: str) -> None:
        """Somebody else deregisters it."""
        address, _, port = target.rpartition(":")
        self._take(self.groups[arn], (address, int(port)))

    # What is true ------------------------------------------------------------------------------------------------

    def states(self, arn: str) -> dict[str, str]:
        """The state of each target, as the load balancer has it: also of those that drain."""
        group = self.groups[arn]
        return {key(*one): self._state(group, one)[0] for one in self._targets(group)}

    def registered(self, arn: str) -> dict[str, Registration]:
        """The targets that do not drain."""
        return {key(*one): made for one, made in self._targets(self.groups[arn]).items() if made.gone_at is None}

    def serving(self, arn: str) -> frozenset[str]:
        """The targets that the load balancer has for healthy and that do answer."""
        return frozenset(
            one
            for one, state in self.states(arn).items()
            if state == "healthy" and self._seen(one.rpartition(":")[0]).answers
        )

    def state(self, endpoint_id: str) -> str:
        """What DescribeVpcEndpoints would say of it; empty if it does not know it."""
        endpoint = self.endpoints.get(endpoint_id)
        if endpoint is None:
            return ""
        if endpoint.gone_at is not None:
            return "deleting" if self.now < endpoint.gone_at else ""
        return "available" if self.now >= endpoint.available_at else "pending"

    def bound(self, arn: str) -> list[str]:
        """The endpoints that the group's tag names; none if there is none, or it cannot be understood."""
        group = self.groups[arn]
        ids = group.tags.get(TAG, "").split()
        understood = group.gone_at is None and all(re.fullmatch("vpce-[0-9a-f]{17}", one) for one in ids)
        return sorted(set(ids)) if understood else []

    def wanted(self, arn: str) -> dict[str, str] | None:
        """The addresses (with port) that the group is bound to, and the zone that each serves (`all` from outside of
        the VPC). None where that cannot be said: see `bound`; an endpoint that is there and not available, or of
        another service, or without an address of the group's type; a group of instances. Endpoints that do not exist
        do no harm beside one that does."""
        group = self.groups[arn]
        there = [self.endpoints[one] for one in self.bound(arn) if self.state(one)]
        if group.kind != "ip" or not there:
            return None
        wanted: dict[str, str] = {}
        for one in there:
            interfaces = [(inner.ipv6 if group.ipv6 else inner.ipv4, inner.zone) for inner in one.interfaces.values()]
            found = {
                key(address, group.port): zone if one.vpc == group.vpc else EVERY_ZONE
                for address, zone in interfaces
                if address
            }
            if self.state(one.id) != "available" or one.service != REQUESTS or not found:
                return None
            wanted |= found
        return wanted

    def reaches(self, group: Group, endpoint: Endpoint) -> bool:
        """Whether the group's VPC is the endpoint's or has a peering, or a transit gateway, in common with it."""
        both = {group.vpc, endpoint.vpc}
        return len(both) == 1 or any(both <= set(one) for one in (*self.peerings, *self.gateways))

    def is_cross_zone(self, arn: str) -> bool:
        group = self.groups[arn]
        balancer = self.load_balancers.get(group.load_balancer or "")
        return group.cross_zone == "true" or (
            group.cross_zone.startswith("use") and balancer is not None and balancer.cross_zone
        )

    # How it works ------------------------------------------------------------------------------------------------

    def _seen(self, address: str) -> _Seen:
        return self._heard.get(address, _Seen(answers=False, since=0))

    def _interface(self, endpoint: Endpoint, zone: str) -> Interface:
        """Its address is the lowest that is free, so that an address comes back on another interface."""
        vpc, place = endpoint.vpc.removeprefix("vpc-"), ZONES.index(zone)
        used = {one.ipv4 for other in self.endpoints.values() for one in other.interfaces.values()}
        host = next(number for number in range(4, 255) if f"10.{vpc}.{place}.{number}" not in used)
        return Interface(
            id=f"eni-{next(self._ids):017x}",
            endpoint=endpoint.id,
            subnet=f"subnet-{vpc}{place}",
            zone=zone,
            vpc=endpoint.vpc,
            ipv4=f"10.{vpc}.{place}.{host}",
            ipv6=f"fd00:{vpc}:0:{place}::{host:x}" if endpoint.ip_type == "dualstack" else "",
        )

    def _targets(self, group: Group) -> dict[tuple[str, int], Registration]:
        group.targets = {
            one: made for one, made in group.targets.items() if made.gone_at is None or made.gone_at > self.now
        }
        return group.targets

    def _put(self, group: Group, one: tuple[str, int], zone: str) -> None:
        made = self._targets(group).get(one)
        if made is None or made.gone_at is not None:
            group.targets[one] = Registration(zone=zone, since=self.now)

    def _take(self, group: Group, one: tuple[str, int]) -> None:
        made = self._targets(group).get(one)
        if made is not None and made.gone_at is None:
            group.targets[one] = replace(made, gone_at=self.now + group.delay)

    def _state(self, group: Group, one: tuple[str, int]) -> tuple[str, str]:
        """State and reason."""
        made, balancer = self._targets(group).get(one), self.load_balancers.get(group.load_balancer or "")
        if made is None:
            return "unused", "Target.NotRegistered"
        if made.gone_at is not None:
            return "draining", "Target.DeregistrationInProgress"
        if balancer is None or made.zone not in (*balancer.zones, EVERY_ZONE):
            return "unused", "Target.NotInUse"
        if self.now < made.since + INITIAL_SECONDS:
            return "initial", "Elb.RegistrationInProgress"
        seen = self._seen(one[0])
        noticed = self.now >= seen.since + CHECK_SECONDS
        return ("healthy", "") if seen.answers == noticed else ("unhealthy", "Target.FailedHealthChecks")

    def _subnet_zone(self, group: Group, address: str) -> str | None:
        """The zone of the VPC's subnet that the address lies in."""
        vpc = group.vpc.removeprefix("vpc-")
        for place, zone in enumerate(ZONES):
            if address.startswith((f"10.{vpc}.{place}.", f"fd00:{vpc}:0:{place}:")):
                return zone
        return None

    # Calls -------------------------------------------------------------------------------------------------------

    def _method(self, service: str, operation: str, answer: "_Answer") -> Callable[..., Row]:
        def method(**parameters: Any) -> Row:
            with self._working:
                return self._call(service, operation, answer, parameters)

        return method

    def _call(self, service: str, operation: str, answer: "_Answer", parameters: Parameters) -> Row:
        call = Call(at=self.now, service=service, operation=operation, parameters=dict(parameters))
        if call.mutates:
            for watch in self.watchers:
                watch(call)
        fault = self._fault(call)
        try:
            told = self._told(call, answer, fault)
        except ClientError as refused:
            self.calls.append(replace(call, error=refused.response["Error"]["Code"]))
            raise
        except (EndpointConnectionError, ReadTimeoutError) as failed:
            self.calls.append(replace(call, error=type(failed).__name__))
            raise
        page = self._page(parameters, told, fault) if isinstance(told, _Rows) else _Page(answer=told)
        self.calls.append(replace(call, lost=page.lost))
        return {**page.answer, "ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0}}

    def _told(self, call: Call, answer: "_Answer", fault: Kind | None) -> "Row | _Rows":
        url = f"https://{call.service}.{REGION}.test"
        if fault is not None and fault in _CODES:
            raise _error(_CODES[fault][call.service], call.operation, _STATUS[fault])
        if fault == Kind.UNREACHED:
            raise EndpointConnectionError(endpoint_url=url, error="no route")
        told = answer(self, call.parameters)
        if fault == Kind.TIMED_OUT:
            raise ReadTimeoutError(endpoint_url=url, error="no answer")
        return told

    def _fault(self, call: Call) -> Kind | None:
        happens: Kind | None = None
        for number, fault in enumerate(self.faults):
            if fault.operation in ("", call.operation) and fault.about in str(call.parameters):
                asked = number, f"{call.operation}{sorted(call.parameters.items())}"
                self._asked[asked] += 1
                if happens is None and fault.after < self._asked[asked] <= fault.after + fault.times:
                    happens = fault.kind
        return happens

    def _page(self, parameters: Parameters, told: "_Rows", fault: Kind | None) -> "_Page":
        token = parameters.get(told.taken) if told.taken else None
        start = int(str(token).removeprefix("from-")) if token else 0
        size = min(parameters.get(told.sized, self.page_size), self.page_size) if told.taken else len(told.rows)
        end = min(start + size, len(told.rows))
        if fault in (Kind.EMPTY, Kind.EMPTY_PAGE):
            end = start
        if fault in (Kind.CUT, Kind.SHORT_PAGE):
            end = start + (end - start) // 2
        silent = fault in (Kind.EMPTY, Kind.CUT) or not told.taken
        lost = told.rows[end:] if silent else []
        more = {told.said: f"from-{end}"} if end < len(told.rows) and not silent else {}
        ends = {told.said: ""} if told.said == "PaginationToken" else {}
        return _Page(
            answer={told.member: [row for _, row in told.rows[start:end]], **ends, **more},
            lost=tuple(name for name, _ in lost),
        )


@dataclass(frozen=True, kw_only=True)
class _Page:
    answer: Row
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The whole of what an operation tells, each row with its name; `taken` is empty where it knows no pages."""

    member: str
    rows: Sequence[tuple[str, Row]]
    taken: str = ""
    said: str = ""
    sized: str = ""


type _Answer = Callable[[FakeAws, Parameters], Row | _Rows]


def _error(
    code: str, operation: str, status: int = 400, message: str = "no", reasons: Iterable[str] = ()
) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": one} for one in reasons],
    }
    return ClientError(answer, operation)


# The Tagging API --------------------------------------------------------------------------------------------------


def _get_resources(aws: FakeAws, asked: Parameters) -> _Rows:
    """Tags as the index has them, also of groups that are gone since."""
    if asked.get("ResourceTypeFilters", ["elasticloadbalancing:targetgroup"]) != ["elasticloadbalancing:targetgroup"]:
        raise AssertionError(f"nothing of {asked['ResourceTypeFilters']} is here")
    rows = []
    for group in aws.groups.values():
        indexed: dict[str, str] = {}
        if group.gone_at is None or aws.now < group.gone_at + INDEX_SECONDS:
            for since, tags in group.history:
                indexed = tags if since + INDEX_SECONDS <= aws.now else indexed
        if indexed and all(_admits(one, indexed) for one in asked.get("TagFilters", ())):
            rows.append((group.arn, {"ResourceARN": group.arn, "Tags": _tags(indexed)}))
    return _Rows(
        member="ResourceTagMappingList",
        rows=rows,
        taken="PaginationToken",
        said="PaginationToken",
        sized="ResourcesPerPage",
    )


def _admits(tag_filter: Parameters, tags: Mapping[str, str]) -> bool:
    values = tag_filter.get("Values")
    return tag_filter["Key"] in tags and (not values or tags[tag_filter["Key"]] in values)


def _tags(tags: Mapping[str, str]) -> list[Row]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]


# Elastic Load Balancing -------------------------------------------------------------------------------------------


def _found(aws: FakeAws, operation: str, arn: str) -> Group:
    group = aws.groups.get(arn)
    if group is None or group.gone_at is not None:
        raise _error("TargetGroupNotFound", operation, message=f"Target groups '{arn}' not found")
    return group


def _describe_tags(aws: FakeAws, asked: Parameters) -> _Rows:
    """One group that is gone refuses the call."""
    arns = asked["ResourceArns"]
    if len(arns) > _TAGS_AT_ONCE:
        raise _error("ValidationError", "DescribeTags", message=f"more than {_TAGS_AT_ONCE} resources")
    groups = [_found(aws, "DescribeTags", arn) for arn in arns]
    rows = [(one.arn, {"ResourceArn": one.arn, "Tags": _tags(one.tags)}) for one in groups]
    return _Rows(member="TagDescriptions", rows=rows)


def _describe_target_groups(aws: FakeAws, asked: Parameters) -> _Rows:
    arns = asked.get("TargetGroupArns")
    if arns:
        groups = [_found(aws, "DescribeTargetGroups", arn) for arn in arns]
    else:
        groups = [group for group in aws.groups.values() if group.gone_at is None]
    return _Rows(
        member="TargetGroups",
        rows=[(one.arn, _target_group(one)) for one in groups],
        taken="Marker",
        said="NextMarker",
        sized="PageSize",
    )


def _target_group(group: Group) -> Row:
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": "TCP",
        "Port": group.port,
        "VpcId": group.vpc,
        "HealthCheckProtocol": "TCP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 10,
        "HealthCheckTimeoutSeconds": 10,
        "HealthyThresholdCount": 3,
        "UnhealthyThresholdCount": 3,
        "LoadBalancerArns": [group.load_balancer] if group.load_balancer else [],
        "TargetType": group.kind,
        "IpAddressType": "ipv6" if group.ipv6 else "ipv4",
    }


def _describe_target_health(aws: FakeAws, asked: Parameters) -> _Rows:
    group = _found(aws, "DescribeTargetHealth", asked["TargetGroupArn"])
    keys = [_key(group, one) for one in asked.get("Targets", ())] or sorted(aws._targets(group))
    return _Rows(member="TargetHealthDescriptions", rows=[(key(*one), _health(aws, group, one)) for one in keys])


def _health(aws: FakeAws, group: Group, one: tuple[str, int]) -> Row:
    state, reason = aws._state(group, one)
    made = group.targets.get(one)
    return {
        "Target": {"Id": one[0], "Port": one[1], **({"AvailabilityZone": made.zone} if made else {})},
        "HealthCheckPort": str(one[1]),
        "TargetHealth": {"State": state, **({"Reason": reason, "Description": reason} if reason else {})},
    }


def _key(group: Group, target: Parameters) -> tuple[str, int]:
    return target["Id"], int(target.get("Port", group.port))


def _register(aws: FakeAws, asked: Parameters) -> Row:
    """What refuses one target refuses the call; those that drain do not count against the quota."""
    group = _found(aws, "RegisterTargets", asked["TargetGroupArn"])
    zones = {_key(group, one): _zone(aws, group, one) for one in asked["Targets"]}
    present = {one for one, made in aws._targets(group).items() if made.gone_at is None}
    if len(present | zones.keys()) > group.quota:
        raise _error("TooManyTargets", "RegisterTargets", message=f"more than {group.quota} targets")
    for one, zone in zones.items():
        aws._put(group, one, zone)
    return {}


def _zone(aws: FakeAws, group: Group, target: Parameters) -> str:
    """The zone of a target that may be registered."""
    address, asked = ipaddress.ip_address(target["Id"]), target.get("AvailabilityZone")
    inside = aws._subnet_zone(group, target["Id"])
    private = address.version == 6 or any(address in block for block in _PRIVATE)
    if (
        (address.version == 6) != group.ipv6
        or not private
        or (inside and asked not in (None, inside))
        or (not inside and asked not in (*ZONES, EVERY_ZONE))
    ):
        raise _error("ValidationError", "RegisterTargets", message=f"'{address}' in {asked}")
    return inside or str(asked)


def _deregister(aws: FakeAws, asked: Parameters) -> Row:
    """What is not registered is deregistered successfully, as AWS documents."""
    group = _found(aws, "DeregisterTargets", asked["TargetGroupArn"])
    for one in asked["Targets"]:
        aws._take(group, _key(group, one))
    return {}


def _group_attributes(aws: FakeAws, asked: Parameters) -> _Rows:
    group = _found(aws, "DescribeTargetGroupAttributes", asked["TargetGroupArn"])
    attributes = {
        "deregistration_delay.timeout_seconds": str(int(group.delay)),
        _CROSS_ZONE: group.cross_zone,
        "preserve_client_ip.enabled": "false",
    }
    return _Rows(member="Attributes", rows=[(row["Key"], row) for row in _tags(attributes)])


def _balancer_attributes(aws: FakeAws, asked: Parameters) -> _Rows:
    balancer = aws.load_balancers.get(asked["LoadBalancerArn"])
    if balancer is None:
        raise _error("LoadBalancerNotFound", "DescribeLoadBalancerAttributes")
    attributes = {"deletion_protection.enabled": "false", _CROSS_ZONE: str(balancer.cross_zone).lower()}
    return _Rows(member="Attributes", rows=[(row["Key"], row) for row in _tags(attributes)])


# EC2 --------------------------------------------------------------------------------------------------------------


def _of_ec2(member: str, rows: Sequence[tuple[str, Row]]) -> _Rows:
    return _Rows(member=member, rows=rows, taken="NextToken", said="NextToken", sized="MaxResults")


def _describe_vpc_endpoints(aws: FakeAws, asked: Parameters) -> _Rows:
    """An unknown id is an error where it is asked for by id, and no row where it is a filter's value."""
    there = {one: endpoint for one, endpoint in aws.endpoints.items() if aws.state(one)}
    ids = asked.get("VpcEndpointIds") or []
    unknown = [one for one in ids if one not in there]
    if unknown:
        raise _error("InvalidVpcEndpointId.NotFound", "DescribeVpcEndpoints", message=f"{unknown} does not exist")
    rows = [(one, _endpoint(aws, endpoint)) for one, endpoint in there.items() if one in ids or not ids]
    return _of_ec2("VpcEndpoints", _filtered(rows, asked))


def _endpoint(aws: FakeAws, endpoint: Endpoint) -> Row:
    interfaces = endpoint.interfaces.values()
    return {
        "VpcEndpointId": endpoint.id,
        "VpcEndpointType": "Interface",
        "VpcId": endpoint.vpc,
        "ServiceName": endpoint.service,
        "State": aws.state(endpoint.id),
        "SubnetIds": [one.subnet for one in interfaces],
        "NetworkInterfaceIds": [one.id for one in interfaces],
        "IpAddressType": endpoint.ip_type,
        "Groups": [],
        "RouteTableIds": [],
        "PrivateDnsEnabled": False,
        "RequesterManaged": False,
        "OwnerId": ACCOUNT,
        "Tags": [],
    }


def _describe_network_interfaces(aws: FakeAws, asked: Parameters) -> _Rows:
    there = {one.id: one for endpoint in aws.endpoints.values() for one in endpoint.interfaces.values()}
    ids = asked.get("NetworkInterfaceIds") or []
    if ids and "MaxResults" in asked:
        raise _error("InvalidParameterCombination", "DescribeNetworkInterfaces")
    unknown = [one for one in ids if one not in there]
    if unknown:
        raise _error("InvalidNetworkInterfaceID.NotFound", "DescribeNetworkInterfaces", message=f"{unknown}")
    rows = [(one, _network_interface(interface)) for one, interface in there.items() if one in ids or not ids]
    return _of_ec2("NetworkInterfaces", _filtered(rows, asked))


def _network_interface(interface: Interface) -> Row:
    return {
        "NetworkInterfaceId": interface.id,
        "InterfaceType": "vpc_endpoint",
        "Description": f"VPC Endpoint Interface {interface.endpoint}",
        "VpcId": interface.vpc,
        "SubnetId": interface.subnet,
        "AvailabilityZone": interface.zone,
        "AvailabilityZoneId": f"use1-az{ZONES.index(interface.zone) + 1}",
        "PrivateIpAddress": interface.ipv4,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": interface.ipv4}],
        "Ipv6Addresses": [{"Ipv6Address": interface.ipv6}] if interface.ipv6 else [],
        "RequesterManaged": True,
        "Status": "in-use",
        "Groups": [],
        "TagSet": [],
    }


def _describe_peerings(aws: FakeAws, asked: Parameters) -> _Rows:
    rows = [
        (
            f"pcx-{number:017x}",
            {
                "VpcPeeringConnectionId": f"pcx-{number:017x}",
                "RequesterVpcInfo": {"VpcId": requester, "OwnerId": ACCOUNT, "Region": REGION},
                "AccepterVpcInfo": {"VpcId": accepter, "OwnerId": ACCOUNT, "Region": REGION},
                "Status": {"Code": "active", "Message": "Active"},
            },
        )
        for number, (requester, accepter) in enumerate(aws.peerings)
    ]
    return _of_ec2("VpcPeeringConnections", _filtered(rows, asked))


def _describe_attachments(aws: FakeAws, asked: Parameters) -> _Rows:
    rows = [
        (
            f"tgw-attach-{gateway}-{vpc}",
            {
                "TransitGatewayAttachmentId": f"tgw-attach-{gateway:08x}{vpc.removeprefix('vpc-'):0>9}",
                "TransitGatewayId": f"tgw-{gateway:017x}",
                "VpcId": vpc,
                "State": "available",
            },
        )
        for gateway, vpcs in enumerate(aws.gateways)
        for vpc in vpcs
    ]
    return _of_ec2("TransitGatewayVpcAttachments", _filtered(rows, asked))


def _filtered(rows: Sequence[tuple[str, Row]], asked: Parameters) -> Sequence[tuple[str, Row]]:
    return [
        (name, row)
        for name, row in rows
        if all(_FILTERED[one["Name"]](row) in one["Values"] for one in asked.get("Filters", ()))
    ]


_FILTERED: Mapping[str, Callable[[Row], str]] = {
    "accepter-vpc-info.vpc-id": lambda row: row["AccepterVpcInfo"]["VpcId"],
    "description": lambda row: row["Description"],
    "network-interface-id": lambda row: row["NetworkInterfaceId"],
    "requester-vpc-info.vpc-id": lambda row: row["RequesterVpcInfo"]["VpcId"],
    "service-name": lambda row: row["ServiceName"],
    "state": lambda row: row["State"],
    "status-code": lambda row: row["Status"]["Code"],
    "transit-gateway-id": lambda row: row["TransitGatewayId"],
    "vpc-endpoint-id": lambda row: row["VpcEndpointId"],
    "vpc-endpoint-type": lambda row: row["VpcEndpointType"],
    "vpc-id": lambda row: row["VpcId"],
}


# What sync records, tells and sends -------------------------------------------------------------------------------


def _items(aws: FakeAws, asked: Parameters) -> _Rows:
    """Of one resource, or of all."""
    named = asked.get("ExpressionAttributeValues", {}).get(":resource")
    rows = [(" ".join(one), item) for one, item in aws.items.items() if named in (None, item["resource"])]
    return _Rows(member="Items", rows=rows)


def _transact(aws: FakeAws, asked: Parameters) -> Row:
    """All or nothing. A Put's condition is that there is no item, or that its version is the one that was read."""
    puts = {(put["Item"]["resource"]["S"], put["Item"]["rule"]["S"]): put for put in _puts(asked)}
    held = [
        aws.items.get(one, {}).get("version") == put.get("ExpressionAttributeValues", {}).get(":before")
        for one, put in puts.items()
    ]
    if not all(held):
        codes = ["None" if one else "ConditionalCheckFailed" for one in held]
        raise _error("TransactionCanceledException", "TransactWriteItems", reasons=codes)
    aws.items |= {one: put["Item"] for one, put in puts.items()}
    return {}


def _puts(asked: Parameters) -> list[Row]:
    return [one["Put"] for one in asked["TransactItems"]]


def _publish(aws: FakeAws, asked: Parameters) -> Row:
    return {"MessageId": "00000000-0000-4000-8000-000000000000"}


def _publish_batch(aws: FakeAws, asked: Parameters) -> Row:
    return {"Successful": [{"Id": one["Id"], **_publish(aws, one)} for one in asked["PublishBatchRequestEntries"]]}


def _put_events(aws: FakeAws, asked: Parameters) -> Row:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": str(place)} for place, _ in enumerate(asked["Entries"])]}


def _send_message(aws: FakeAws, asked: Parameters) -> Row:
    aws.messages.append(Message(due=aws.now + asked.get("DelaySeconds", 0), body=asked["MessageBody"]))
    return {"MessageId": f"00000000-0000-4000-8000-{len(aws.messages):012}", "MD5OfMessageBody": ""}


_OPERATIONS: Mapping[str, Mapping[str, _Answer]] = {
    "dynamodb": {"Query": _items, "Scan": _items, "TransactWriteItems": _transact},
    "ec2": {
        "DescribeNetworkInterfaces": _describe_network_interfaces,
        "DescribeTransitGatewayVpcAttachments": _describe_attachments,
        "DescribeVpcEndpoints": _describe_vpc_endpoints,
        "DescribeVpcPeeringConnections": _describe_peerings,
    },
    "events": {"PutEvents": _put_events},
    "elbv2": {
        "DeregisterTargets": _deregister,
        "DescribeLoadBalancerAttributes": _balancer_attributes,
        "DescribeTags": _describe_tags,
        "DescribeTargetGroupAttributes": _group_attributes,
        "DescribeTargetGroups": _describe_target_groups,
        "DescribeTargetHealth": _describe_target_health,
        "RegisterTargets": _register,
    },
    "resourcegroupstaggingapi": {"GetResources": _get_resources},
    "sns": {"Publish": _publish, "PublishBatch": _publish_batch},
    "sqs": {"SendMessage": _send_message},
}
