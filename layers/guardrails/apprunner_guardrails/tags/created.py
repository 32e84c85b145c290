"""Event → what somebody created, or why there is nothing to tag. Pure.

CreateVpcConnector, CreateService, CreateVpcIngressConnection     always
CreateVpcEndpoint                                                 of a service of App Runner
CreateTargetGroup, CreateLoadBalancer                             on a bound path: that is for AWS to tell
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from apprunner_guardrails.callers import Who, tool, who
from apprunner_guardrails.events import CLOUDTRAIL, BadEvent, Ignored, account, idle, no_event, region
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.records import HIDDEN, Json, body, entries_at, event_id, member, shown, text, texts_at
from apprunner_guardrails.targets.binding import TAG
from apprunner_guardrails.times import seconds

# How the names of App Runner's endpoint services end: of its API, and of private services.
ENDPOINT_SERVICES = (".apprunner", ".apprunner.requests")


class Kind(StrEnum):
    """What tells and takes the tags of a resource in a way of its own."""

    APP_RUNNER = "App Runner resource"
    ENDPOINT = "VPC endpoint"
    TARGET_GROUP = "target group"
    LOAD_BALANCER = "load balancer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """What a call has made, by whom, and the tags that the call gave it."""

    id: str  # of the event
    what: str  # CreateVpcConnector …
    kind: Kind
    arn: str
    given: Mapping[str, str]
    by: Who
    tool: str
    time: str  # 2026-11-21T09:00:00Z; empty where the record does not tell


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Where a call's record names what it made, and the form that this has; where it names the tags."""

    kind: Kind
    made: str
    form: re.Pattern[str]
    tags: tuple[str, ...] = ("requestParameters.tags",)


def _apprunner(made: str, kind: str) -> Call:
    form = re.compile(rf"arn:aws[a-z-]*:apprunner:[a-z0-9-]+:[0-9]{{12}}:{kind}/[A-Za-z0-9/_-]+")
    return Call(kind=Kind.APP_RUNNER, made=f"responseElements.{made}", form=form)


_ELB_ARN = r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:"

# The one table of watched calls, by (event source, call).
CALLS: Mapping[tuple[str, str], Call] = {
    ("apprunner.amazonaws.com", "CreateVpcConnector"): _apprunner("vpcConnector.vpcConnectorArn", "vpcconnector"),
    ("apprunner.amazonaws.com", "CreateService"): _apprunner("service.serviceArn", "service"),
    ("apprunner.amazonaws.com", "CreateVpcIngressConnection"): _apprunner(
        "vpcIngressConnection.vpcIngressConnectionArn", "vpcingressconnection"
    ),
    ("ec2.amazonaws.com", "CreateVpcEndpoint"): Call(
        kind=Kind.ENDPOINT,
        made="responseElements.vpcEndpoint.vpcEndpointId",
        form=re.compile(r"vpce-[0-9a-f]{8,32}"),
        # With a capital: "tag" there is an entry's number.
        tags=("requestParameters.tagSpecification.Tag", "responseElements.vpcEndpoint.tagSet"),
    ),
    ("elasticloadbalancing.amazonaws.com", "CreateTargetGroup"): Call(
        kind=Kind.TARGET_GROUP,
        made="responseElements.targetGroups.targetGroupArn",
        form=re.compile(rf"{_ELB_ARN}targetgroup/[A-Za-z0-9-]{{1,32}}/[A-Za-z0-9]{{1,64}}"),
    ),
    ("elasticloadbalancing.amazonaws.com", "CreateLoadBalancer"): Call(
        kind=Kind.LOAD_BALANCER,
        made="responseElements.loadBalancers.loadBalancerArn",
        form=re.compile(rf"{_ELB_ARN}loadbalancer/net/[A-Za-z0-9-]{{1,32}}/[A-Za-z0-9]{{1,64}}"),
    ),
}


def parse(event: object) -> Created | Ignored:
    """What an event says was made. Raises BadEvent for a watched call whose record does not name what it has made."""
    if not isinstance(event, Mapping):
        return no_event(event)
    kind, detail = event.get("detail-type"), event.get("detail")
    if kind != CLOUDTRAIL or not isinstance(detail, Mapping):
        return Ignored(why=f"not a call: {shown(kind)} of {shown(event.get('source'))}")
    source, name = text(detail.get("eventSource")), text(detail.get("eventName"))
    call = CALLS.get((source, name))
    if call is None:
        return Ignored(why=f"the call {shown(name or None)} of {shown(source or None)} makes nothing that is tagged")
    return idle(name, detail) or _elsewhere(name, call, detail) or _created(name, call, event, detail)


def _elsewhere(name: str, call: Call, detail: Json) -> Ignored | None:
    """Whether the record itself says that what was made is nothing of App Runner's, or does not say what was made."""
    response = body(detail, "responseElements")
    if not isinstance(response, Mapping) or response.get("omitted") is True:
        return Ignored(why=f"responseElements of the {name} record was omitted or redacted: it names nothing to tag")
    match call.kind:
        case Kind.ENDPOINT:
            return _of_another_service(name, detail)
        case Kind.LOAD_BALANCER:
            return _of_another_type(name, call, detail)
        case Kind.TARGET_GROUP if TAG not in _given(call, detail):
            return _of_other_targets(name, detail)
    return None


def _of_another_service(name: str, detail: Json) -> Ignored | None:
    """Where the name is hidden, AWS tells which service it is."""
    service = _said(detail, "requestParameters.serviceName", "responseElements.vpcEndpoint.serviceName")
    if not service or service.endswith(ENDPOINT_SERVICES):
        return None
    return Ignored(why=f"the call {name} made an endpoint of {shown(service)}, not of App Runner")


def _of_another_type(name: str, call: Call, detail: Json) -> Ignored | None:
    """Application and Gateway Load Balancers are on no path; the classic ones, of the call's first version, have no
    ARN."""
    made = _said(detail, call.made)
    if re.search(r":loadbalancer/(?:app|gwy)/", made):
        return Ignored(why=f"the call {name} made {shown(made)}, which is no Network Load Balancer")
    if not made and _said(detail, "responseElements.dNSName"):
        return Ignored(why=f"the call {name} made a Classic Load Balancer")
    return None


def _of_other_targets(name: str, detail: Json) -> Ignored | None:
    targets = _said(detail, "responseElements.targetGroups.targetType", "requestParameters.targetType")
    if targets in ("", "ip"):
        return None
    return Ignored(why=f"the call {name} made a target group for {shown(targets)} targets, not for addresses")


def _said(detail: Json, *paths: str) -> str:
    """The first text at the paths; what is hidden says nothing."""
    return next((one for path in paths for one in texts_at(detail, path) if one not in ("", HIDDEN)), "")


def _created(name: str, call: Call, event: Json, detail: Json) -> Created:
    made = next(texts_at(detail, call.made), None)
    if made is None or not call.form.fullmatch(made):
        raise BadEvent(f"detail.{call.made} of {name} should name the {call.kind} that it made, and is {shown(made)}")
    return Created(
        id=event_id(event),
        what=name,
        kind=call.kind,
        arn=_endpoint_arn(made, event) if call.kind is Kind.ENDPOINT else made,
        given=_given(call, detail),
        by=who(detail),
        tool=tool(detail),
        time=next((one for one in _times(event, detail) if seconds(one) is not None), ""),
    )


def _times(event: Json, detail: Json) -> tuple[str, str]:
    return text(detail.get("eventTime")), text(event.get("time"))


def _endpoint_arn(endpoint_id: str, event: Json) -> str:
    place = region(event)
    return f"arn:{partition(place)}:ec2:{place}:{account(event)}:vpc-endpoint/{endpoint_id}"


def partition(place: str) -> str:
    """The partition that a Region is in (docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html)."""
    known = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for start, name in known.items() if place.startswith(start)), "aws")


def _given(call: Call, detail: Json) -> Mapping[str, str]:
    """The tags that the call gave. A tag without a value has an empty one."""
    entries = (entry for path in call.tags for entry in entries_at(detail, path))
    found = ((text(member(entry, "key")), text(member(entry, "value"))) for entry in entries)
    return {key: value for key, value in found if key not in ("", HIDDEN)}
