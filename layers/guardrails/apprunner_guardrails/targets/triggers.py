"""Event → what to bring into step with its endpoints, or why nothing. Events are hints: none is lost because it does
not name what it is about. Then everything is asked for.

    Scheduled Event                                                                 everything
    message of the function's own queue: come back                                  the target groups that it names
    CreateVpcEndpoint (of App Runner's), ModifyVpcEndpoint, DeleteVpcEndpoints      groups bound to the endpoints
    Create-, Update-, DeleteVpcIngressConnection                                    groups bound to its endpoint
    CreateTargetGroup; AddTags, RemoveTags with a tag of ours                       these groups
    RegisterTargets, DeregisterTargets by anyone but this function                  this group
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from apprunner_guardrails.callers import Caller, caller
from apprunner_guardrails.events import CLOUDTRAIL, BadEvent, Ignored, no_event, not_watched
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.records import Json, at, event_id, shown, text, texts_at
from apprunner_guardrails.targets.binding import SERVICE

SCHEDULED = "Scheduled Event"
MARK = "apprunner-guardrails"  # the key of the function's messages to itself that says what they are
COME_BACK = "come back"
TAGS = "apprunner-guardrails:"  # what the keys of our tags begin with
TARGET_GROUP = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/[A-Za-z0-9-]{1,32}/[A-Za-z0-9]{1,64}"
)
NAMES_SHOWN = 3

_ENDPOINT = re.compile(r"vpce-[A-Za-z0-9-]{1,64}")
_SERVICE_NAME = re.compile(r"[a-z0-9-]+(?:\.[A-Za-z0-9-]+){2,}")  # what stands in the place of a hidden one is none
_SERVICE_NAMES = ("requestParameters.serviceName", "responseElements.vpcEndpoint.serviceName")
_CAME_BACK = "Follow-up"
_NOBODY = (SCHEDULED, _CAME_BACK)  # what happens though nobody called


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What an event asks to be brought into step."""

    id: str
    what: str  # ModifyVpcEndpoint, Scheduled Event …
    time: str  # in ISO form; empty for a message of our own
    caller: Caller
    target_groups: tuple[str, ...] = ()  # ARNs, sorted: these, whether the index of tags knows them or not
    endpoints: tuple[str, ...] = ()  # sorted: the groups that are bound to one of these
    everything: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What a call's record names, and where: paths in the lower camel case of older records."""

    names: Literal["target_groups", "endpoints"]
    paths: tuple[str, ...]


_EC2, _APP_RUNNER, _ELB = "ec2.amazonaws.com", "apprunner.amazonaws.com", "elasticloadbalancing.amazonaws.com"
_ENDPOINTS = Call(names="endpoints", paths=("requestParameters.vpcEndpointId",))
# Its member is vpcEndpointId, as in the API; a page of App Runner's guide has VpceId.
_INGRESS = Call(
    names="endpoints",
    paths=(
        "requestParameters.ingressVpcConfiguration.vpcEndpointId",
        "responseElements.vpcIngressConnection.ingressVpcConfiguration.vpcEndpointId",
    ),
)
_TAGGED = Call(names="target_groups", paths=("requestParameters.resourceArns",))
_TARGETS = Call(names="target_groups", paths=("requestParameters.targetGroupArn",))

# The one table of watched calls, by (event source, call).
CALLS: Mapping[tuple[str, str], Call] = {
    (_EC2, "CreateVpcEndpoint"): Call(names="endpoints", paths=("responseElements.vpcEndpoint.vpcEndpointId",)),
    (_EC2, "ModifyVpcEndpoint"): _ENDPOINTS,
    (_EC2, "DeleteVpcEndpoints"): _ENDPOINTS,
    (_APP_RUNNER, "CreateVpcIngressConnection"): _INGRESS,
    (_APP_RUNNER, "UpdateVpcIngressConnection"): _INGRESS,
    (_APP_RUNNER, "DeleteVpcIngressConnection"): _INGRESS,
    (_ELB, "CreateTargetGroup"): Call(names="target_groups", paths=("responseElements.targetGroups.targetGroupArn",)),
    (_ELB, "AddTags"): _TAGGED,
    (_ELB, "RemoveTags"): _TAGGED,
    (_ELB, "RegisterTargets"): _TARGETS,
    (_ELB, "DeregisterTargets"): _TARGETS,
}

# Where the calls that change tags name their keys.
_KEYS: Mapping[str, str] = {"AddTags": "requestParameters.tags.key", "RemoveTags": "requestParameters.tagKeys"}


def parse(event: object, function: str) -> Asked | Ignored:
    """What an event, or a message of our own queue, asks for. `function` is this function's name, empty if not known.

    Raises BadEvent where a message of our own cannot be read.
    """
    if not isinstance(event, Mapping):
        return no_event(event)
    if MARK in event:
        return _come_back(event)
    kind, detail = event.get("detail-type"), event.get("detail")
    if kind == SCHEDULED:
        return Asked(
            id=event_id(event),
            what=SCHEDULED,
            time=text(event.get("time")),
            caller=Caller(),
            everything=True,
        )
    if kind != CLOUDTRAIL or not isinstance(detail, Mapping):
        return Ignored(why=f"neither a call nor a schedule: {shown(kind)} of {shown(event.get('source'))}")
    source, name = text(detail.get("eventSource")), text(detail.get("eventName"))
    call = CALLS.get((source, name))
    if call is None:
        return not_watched(source, name)
    return _idle(name, detail, function) or _asked(name, call, event, detail)


def message(target_groups: Iterable[str], cause: str) -> str:
    """The body of a message to our own queue: come back to these target groups, of which there is at least one.

    `cause` is the id of the event that began it: what is done and told then is tied to that too.
    """
    return json.dumps({MARK: COME_BACK, "target_groups": sorted(set(target_groups)), "event_id": cause})


def _come_back(event: Json) -> Asked:
    if event[MARK] != COME_BACK:
        raise BadEvent(f"the message's {MARK!r} should be {COME_BACK!r}, and is {shown(event[MARK])}")
    named = event.get("target_groups")
    if not isinstance(named, list) or not named:
        raise BadEvent(f"the message's target_groups should be a list of ARNs, and is {shown(named)}")
    arns = {_target_group(one, f"target_groups[{place}]") for place, one in enumerate(named)}
    return Asked(
        id=text(event.get("event_id")),  # empty in messages of older versions
        what=_CAME_BACK,
        time="",
        caller=Caller(),
        target_groups=tuple(sorted(arns)),
    )


def _target_group(value: object, field: str) -> str:
    if not isinstance(value, str) or not TARGET_GROUP.fullmatch(value):
        raise BadEvent(f"the message's {field} should be the ARN of a target group, and is {shown(value)}")
    return value


def _idle(name: str, detail: Json, function: str) -> Ignored | None:
    """A call that changed nothing that matters."""
    if detail.get("errorCode") is not None:
        return Ignored(why=f"the call {name} failed with {shown(detail['errorCode'])}: nothing was changed")
    if name == "CreateVpcEndpoint":
        return _of_another_service(name, detail)
    if name in _KEYS:
        return _without_our_tags(name, detail)
    if name in ("RegisterTargets", "DeregisterTargets") and _is_own(detail, function):
        return Ignored(why=f"the call {name} was made by {function} itself")
    return None


def _of_another_service(name: str, detail: Json) -> Ignored | None:
    services = [one for path in _SERVICE_NAMES for one in texts_at(detail, path) if _SERVICE_NAME.fullmatch(one)]
    if not services or any(one.endswith(SERVICE) for one in services):
        return None
    return Ignored(why=f"the call {name} made an endpoint of {services[0]}, not of App Runner's private services")


def _without_our_tags(name: str, detail: Json) -> Ignored | None:
    keys = tuple(texts_at(detail, _KEYS[name]))
    if keys and not any(key.lower().startswith(TAGS) for key in keys):
        return Ignored(why=f"the call {name} names no tag that begins with {TAGS}")
    arns = tuple(texts_at(detail, "requestParameters.resourceArns"))
    if arns and all(one.startswith("arn:") and ":targetgroup/" not in one for one in arns):
        return Ignored(why=f"the call {name} is about {', '.join(sorted(arns))}, none of which is a target group")
    return None


def _is_own(detail: Json, function: str) -> bool:
    """Whether this function made the call. Lambda names a function's session after the function."""
    is_role = at(detail, "userIdentity.type") == "AssumedRole"
    session = text(at(detail, "userIdentity.arn")).rpartition("/")[2]
    return is_role and function != "" and session == function


def _asked(name: str, call: Call, event: Json, detail: Json) -> Asked:
    known = TARGET_GROUP if call.names == "target_groups" else _ENDPOINT
    named = {one for path in call.paths for one in texts_at(detail, path) if known.fullmatch(one)}
    found = tuple(sorted(named))
    return Asked(
        id=event_id(event),
        what=name,
        time=text(detail.get("eventTime")) or text(event.get("time")),
        caller=caller(detail),
        target_groups=found if call.names == "target_groups" else (),
        endpoints=found if call.names == "endpoints" else (),
        everything=not found,
    )


def folded(asked: Sequence[Asked]) -> Asked:
    """A batch (one at least) as one, whatever its order: all that any of it asks for. What was named stays named where
    everything is asked for too, as the index of tags may not know it yet.

    What and who are the last call's: "DeregisterTargets"; "12 calls (DeregisterTargets, RegisterTargets)"; with ", the
    last" where several callers made them: the caller's name is to follow. Schedules and messages of our own are named
    only where there is no call.
    """
    calls = {one for one in asked if one.what not in _NOBODY} or set(asked)
    last = max(calls, key=lambda one: (one.time, one.id, one.what))
    return Asked(
        id=last.id,
        what=last.what if last.what in _NOBODY else _what(calls, last),
        time=last.time,
        caller=last.caller,
        target_groups=tuple(sorted({arn for one in asked for arn in one.target_groups})),
        endpoints=tuple(sorted({name for one in asked for name in one.endpoints})),
        everything=any(one.everything for one in asked),
    )


def _what(calls: Iterable[Asked], last: Asked) -> str:
    made = list(calls)
    if len(made) == 1:
        return last.what
    names = sorted({one.what for one in made})
    more = " …" if len(names) > NAMES_SHOWN else ""
    several = ", the last" if len({one.caller.name for one in made}) > 1 else ""
    return f"{len(made)} calls ({', '.join(names[:NAMES_SHOWN])}{more}){several}"
