"""EventBridge event → Trigger | Ignored. Events are hints: they name a resource, and AWS is then read afresh.

Shapes: CloudTrail's record is `detail` of the envelope, every key in lower camel case; App Runner's own events carry
the service's ARN in `resources` (docs.aws.amazon.com/apprunner/latest/dg/monitor-ct.html and monitor-ev.html).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from apprunner_guardrails.callers import Caller, Who, caller, who
from apprunner_guardrails.facts import Egress
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.records import Json, at, body, event_id, member, shown, text, texts

TAGS = "apprunner-guardrails:"  # what the keys of our tags begin with
EXEMPTION = f"{TAGS}exempt:"  # what the keys of exemption tags begin with
CLOUDTRAIL = "AWS API Call via CloudTrail"
OPERATION = "AppRunner Service Operation Status Change"
FINISHED = ("UpdateServiceCompletedSuccessfully", "DeleteServiceCompletedSuccessfully")
FAILED = (
    "CreateServiceFailed",
    "UpdateServiceFailed",
    "DeleteServiceFailed",
    "PauseServiceFailed",
    "ResumeServiceFailed",
    "DeploymentFailed",
)

_NOBODY = Who(kind="")
_ARN = re.compile(r"arn:aws[a-z-]*:apprunner:[a-z0-9-]+:[0-9]{12}:(vpcconnector|service)/[A-Za-z0-9/_-]+")


type Kind = Literal["vpcconnector", "service"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Where a watched call's record names the resource (`arn`, of a `kind`) and, as a hint, the connector it uses."""

    kind: Kind
    arn: str
    connector: str


_CONNECTOR = "responseElements.vpcConnector.vpcConnectorArn"
_DELETED = "requestParameters.vpcConnectorArn"
_SERVICE_CONNECTOR = "responseElements.service.networkConfiguration.egressConfiguration.vpcConnectorArn"

_CREATE_SERVICE = Call(kind="service", arn="responseElements.service.serviceArn", connector=_SERVICE_CONNECTOR)
_CHANGE_SERVICE = Call(kind="service", arn="requestParameters.serviceArn", connector=_SERVICE_CONNECTOR)

# The one table of watched calls: (event source, call) → paths inside the CloudTrail record.
CALLS: Mapping[tuple[str, str], Call] = {
    ("apprunner.amazonaws.com", "CreateVpcConnector"): Call(kind="vpcconnector", arn=_CONNECTOR, connector=_CONNECTOR),
    ("apprunner.amazonaws.com", "DeleteVpcConnector"): Call(kind="vpcconnector", arn=_DELETED, connector=_DELETED),
    ("apprunner.amazonaws.com", "CreateService"): _CREATE_SERVICE,
    ("apprunner.amazonaws.com", "UpdateService"): _CHANGE_SERVICE,
    ("apprunner.amazonaws.com", "ResumeService"): _CHANGE_SERVICE,
}

# Calls that change which exemptions a resource has, if they name such a tag: where the keys are.
TAGGING: Mapping[str, str] = {"TagResource": "requestParameters.tags", "UntagResource": "requestParameters.tagKeys"}

# Calls that are explained when they fail → where their record names what they are about.
EXPLAINED: Mapping[tuple[str, str], str] = {
    ("apprunner.amazonaws.com", "CreateVpcConnector"): "requestParameters.vpcConnectorName",
    ("apprunner.amazonaws.com", "DeleteVpcConnector"): "requestParameters.vpcConnectorArn",
    ("apprunner.amazonaws.com", "CreateService"): "requestParameters.serviceName",
    ("apprunner.amazonaws.com", "UpdateService"): "requestParameters.serviceArn",
    ("apprunner.amazonaws.com", "DeleteService"): "requestParameters.serviceArn",
    ("apprunner.amazonaws.com", "CreateVpcIngressConnection"): "requestParameters.serviceArn",
    ("apprunner.amazonaws.com", "DeleteVpcIngressConnection"): "requestParameters.vpcIngressConnectionArn",
    ("ec2.amazonaws.com", "CreateVpcEndpoint"): "requestParameters.CreateVpcEndpointRequest.VpcId",
}
_ENDPOINT_SERVICE = "requestParameters.CreateVpcEndpointRequest.ServiceName"


class BadEvent(ValueError):
    """A watched event that cannot be read; the text names the field, what it holds and what it should."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ignored:
    """An event that asks for nothing, and why."""

    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """What an event says happened. `connector`, `subnets` and `groups` are hints that let reads start early."""

    id: str
    what: str  # CreateVpcConnector, UpdateServiceCompletedSuccessfully …
    resource: str  # ARN of the connector or service
    account: str
    region: str
    time: str
    caller: Caller
    by: Who = _NOBODY  # who made the call, in parts; of App Runner's own events nobody did
    connector: str = ""
    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tag_keys: tuple[str, ...] = ()  # those that were set or taken off
    egress: Egress | None = None  # what an update asked for, if it was about that


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedCall:
    """A call that AWS refused, or an operation of App Runner that failed after it was accepted.

    `request` is the call's requestParameters as CloudTrail has them, empty where it omitted them; hidden values are
    strings in the place of whatever was there.
    """

    id: str
    what: str  # DeleteVpcConnector, or the status: UpdateServiceFailed
    source: str  # apprunner.amazonaws.com, ec2.amazonaws.com; "aws.apprunner" for an operation
    code: str  # CloudTrail's errorCode; empty for an operation
    message: str  # CloudTrail's errorMessage, or the operation's message
    resource: str  # the ARN or id that the call is about, empty where it names none
    request: Json
    account: str
    region: str
    time: str
    caller: Caller


def parse(event: object) -> Trigger | FailedCall | Ignored:
    """What an event asks for. Raises BadEvent for an event that is watched and cannot be understood."""
    if not isinstance(event, Mapping):
        return no_event(event)
    source, kind, detail = event.get("source"), event.get("detail-type"), event.get("detail")
    if source not in ("aws.apprunner", "aws.ec2"):
        return Ignored(why=f"the source {shown(source)} is not watched")
    if not isinstance(detail, Mapping) or not detail:
        return Ignored(why="the event has no detail")
    if kind == CLOUDTRAIL:
        return _api_call(event, detail)
    if kind == OPERATION:
        return _operation(event, detail)
    return Ignored(why=f"the detail-type {shown(kind)} is not watched")


def no_event(event: object) -> Ignored:
    return Ignored(why=f"not an EventBridge event: it is a {type(event).__name__}, not an object")


def not_watched(source: str, name: str) -> Ignored:
    return Ignored(why=f"the call {shown(name or None)} of {shown(source or None)} is not watched")


def concerns_rules(trigger: Trigger, required_tags: Sequence[str]) -> bool:
    """Whether rules look at what changed: of tags at our own, and at those that a resource must have (* is any)."""
    if trigger.what not in TAGGING or "*" in required_tags:
        return True
    return any(key.lower().startswith(TAGS) or key in required_tags for key in trigger.tag_keys)


def _api_call(event: Json, detail: Json) -> Trigger | FailedCall | Ignored:
    source, name = text(detail.get("eventSource")), text(detail.get("eventName"))
    if "errorCode" in detail and detail["errorCode"] is not None:
        return _failed_call(source, name, event, detail)
    if source == "apprunner.amazonaws.com" and name in TAGGING:
        return _tagging(name, event, detail)
    call = CALLS.get((source, name))
    if call is None:
        return not_watched(source, name)
    for part in ("requestParameters", call.arn.partition(".")[0]):
        # CloudTrail omits what is over 100 KB (older records: {"omitted": true}) and puts a string for what is hidden.
        value = detail.get(part)
        if not isinstance(value, Mapping) or value.get("omitted") is True:
            return Ignored(why=f"{part} of the {name} record was omitted or redacted: it names nothing to check")
    return Trigger(
        id=event_id(event),
        what=name,
        resource=_arn(at(detail, call.arn), (call.kind,), f"detail.{call.arn} of {name}"),
        account=account(event),
        region=region(event),
        time=text(detail.get("eventTime")) or text(event.get("time")),
        caller=caller(detail),
        by=who(detail),
        connector=text(at(detail, call.connector)),
        subnets=_placed(detail, "subnets"),
        groups=_placed(detail, "securityGroups"),
        egress=_egress(detail) if name == "UpdateService" else None,
    )


def _egress(detail: Json) -> Egress | None:
    """What the request of an update says of outbound traffic, which is all that the caller sent; hidden values say
    nothing."""
    asked = at(detail, "requestParameters.networkConfiguration.egressConfiguration")
    kind, arn = text(at(asked, "egressType")), text(at(asked, "vpcConnectorArn"))
    if kind == "DEFAULT":
        return Egress(kind=kind)
    return Egress(kind=kind, connector_arn=arn) if kind == "VPC" and ":vpcconnector/" in arn else None


def _failed_call(source: str, name: str, event: Json, detail: Json) -> FailedCall | Ignored:
    code = shown(detail["errorCode"])
    if (source, name) not in EXPLAINED:
        return Ignored(why=f"the call {shown(name or None)} failed with {code}: nothing was changed")
    if text(detail["errorCode"]).endswith("DryRunOperation"):
        return Ignored(why=f"the call {name} was a dry run, which would have gone through")
    service = text(at(detail, _ENDPOINT_SERVICE))
    if source == "ec2.amazonaws.com" and not service.removesuffix(".requests").endswith(".apprunner"):
        return Ignored(why=f"the call {name} failed with {code}: it was not for an endpoint of App Runner")
    request = detail.get("requestParameters")
    return FailedCall(
        id=event_id(event),
        what=name,
        source=source,
        code=text(detail["errorCode"]),
        message=text(detail.get("errorMessage")),
        resource=text(at(detail, EXPLAINED[source, name])),
        request=request if isinstance(request, Mapping) and request.get("omitted") is not True else {},
        account=account(event),
        region=region(event),
        time=text(detail.get("eventTime")) or text(event.get("time")),
        caller=caller(detail),
    )


def _tagging(name: str, event: Json, detail: Json) -> Trigger | Ignored:
    """Tags are exemptions, or have to be there: the resource may be judged anew."""
    tags = at(detail, TAGGING[name])
    keys = (
        [text(at(one, "key")) if isinstance(one, Mapping) else text(one) for one in tags]
        if isinstance(tags, list)
        else []
    )
    resource = text(at(detail, "requestParameters.resourceArn"))
    if not re.search(r":(vpcconnector|service)/", resource):
        return Ignored(why=f"the call {name} is about {shown(resource)}, neither a VPC connector nor a service")
    return Trigger(
        id=event_id(event),
        what=name,
        resource=_arn(resource, ("vpcconnector", "service"), f"detail.requestParameters.resourceArn of {name}"),
        account=account(event),
        region=region(event),
        time=text(detail.get("eventTime")) or text(event.get("time")),
        caller=caller(detail),
        by=who(detail),
        connector=resource if ":vpcconnector/" in resource else "",
        tag_keys=tuple(sorted(filter(None, keys))),
    )


def _placed(detail: Json, member: str) -> tuple[str, ...]:
    """Where a new connector was placed. The answer may name the default group that the request left out."""
    made, asked = (at(detail, f"{part}.{member}") for part in ("responseElements.vpcConnector", "requestParameters"))
    return texts(made) or texts(asked)


def _operation(event: Json, detail: Json) -> Trigger | FailedCall | Ignored:
    status = detail.get("operationStatus")
    if status not in (*FINISHED, *FAILED):
        return Ignored(
            why=f"the operation status {shown(status)} is neither a finished update or deletion nor a failure"
        )
    resources = event.get("resources")
    first = resources[0] if isinstance(resources, list) and resources else None
    resource = _arn(first, ("service",), f"resources[0] of {OPERATION}")
    if status in FAILED:
        return FailedCall(
            id=event_id(event),
            what=str(status),
            source="aws.apprunner",
            code="",
            message=text(detail.get("message")),
            resource=resource,
            request={},
            account=account(event),
            region=region(event),
            time=text(event.get("time")),
            caller=_APP_RUNNER,
        )
    return Trigger(
        id=event_id(event),
        what=str(status),
        resource=resource,
        account=account(event),
        region=region(event),
        time=text(event.get("time")),
        caller=_APP_RUNNER,
    )


_APP_RUNNER = Caller(name="App Runner", tool="App Runner")


def _arn(value: object, kinds: tuple[Kind, ...], field: str) -> str:
    found = _ARN.fullmatch(value) if isinstance(value, str) else None
    if found is not None and found[1] in kinds:
        return found[0]
    raise BadEvent(f"{field} should be the ARN of an App Runner {' or '.join(kinds)}, and is {shown(value)}")


def idle(name: str, detail: Json) -> Ignored | None:
    """Why a call changed nothing, if it did not."""
    if detail.get("errorCode") is not None:
        return Ignored(why=f"the call {name} failed with {shown(detail['errorCode'])}: nothing was changed")
    if detail.get("readOnly") is True:
        return Ignored(why=f"the call {name} only read: nothing was changed")
    if member(body(detail, "requestParameters"), "dryRun") in (True, "true"):
        return Ignored(why=f"the call {name} was a dry run: nothing was changed")
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Odd:
    """A message that cannot be understood, and why; `id` is that of the event in it, as far as there is one."""

    why: str
    id: str = ""


def unpacked[T](records: object, parse: Callable[[object], T]) -> tuple[list[T], dict[str, Odd]]:
    """What the messages of a batch of SQS say, and, by the id of the message, why others cannot be understood.

    Raises BadEvent where a record is no message.
    """
    understood: list[T] = []
    odd: dict[str, Odd] = {}
    for one in records if isinstance(records, list) else []:
        if not isinstance(one, Mapping) or not isinstance(one.get("body"), str):
            raise BadEvent("a record of the batch should be a message of SQS with a body")
        event: object = None
        try:
            event = json.loads(one["body"])
            understood.append(parse(event))
        except (ValueError, RecursionError) as error:  # no JSON, or nested without end; or a BadEvent
            odd[str(one.get("messageId"))] = Odd(why=str(error), id=event_id(event))
    return understood, odd


def account(event: Json) -> str:
    value = event.get("account")
    if isinstance(value, str) and re.fullmatch(r"[0-9]{12}", value):
        return value
    raise BadEvent(f"the event's account should be twelve digits, and is {shown(value)}")


def region(event: Json) -> str:
    value = event.get("region")
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9-]+", value):
        return value
    raise BadEvent(f"the event's region should be the name of a Region, and is {shown(value)}")
