"""What a message of a dead-letter queue is, why it is there, and where it belongs. Pure.

not delivered     EventBridge's: the event, with message attributes RULE_ARN, TARGET_ARN, ERROR_CODE, ERROR_MESSAGE,
                  RETRY_ATTEMPTS and, if retries ran out, EXHAUSTED_RETRY_CONDITION
                  docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
function failed   Lambda's record of an asynchronous invocation: requestContext (functionArn, condition,
                  approximateInvokeCount), requestPayload, responsePayload
                  docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
queue gave up     a message of a working queue, as it was there; SQS's DeadLetterQueueSourceArn names that queue
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from apprunner_guardrails.records import at, text
from apprunner_guardrails.targets.custom_resource import WAITED_FOR_SECONDS
from apprunner_guardrails.targets.triggers import MARK, SCHEDULED

_DUE = (SCHEDULED, "Audit Due")  # of a timetable, and of a member's
_DROP = "look at it in the console of SQS, and drop it (DELETE=id) if nobody misses it"


class Kind(StrEnum):
    UNDELIVERED = "not delivered"
    FAILED = "function failed"
    GIVEN_UP = "queue gave up"
    UNKNOWN = "not understood"


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A message as SQS gave it. `attributes` are the sender's, `source` is SQS's DeadLetterQueueSourceArn, or empty."""

    id: str
    body: str = field(repr=False)
    sent: int  # seconds since 1970; of what a queue gave up, when it was sent to that queue
    attributes: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """A working queue or a function of the stack. `address` is the queue's URL, or the function's name."""

    kind: Literal["queue", "function"]
    logical_id: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """What a letter says. `what` it is about ("CreateVpcConnector of apprunner.amazonaws.com") and the event's `id`, as
    the function's log has it.

    `payload` goes `to` where it belongs; without `to` the letter stays, and `advice` says why and what to do. Letters
    with the `same` ask for the same: one of them does for all.
    """

    kind: Kind
    what: str
    id: str
    reason: str
    to: Destination | None = None
    payload: str = field(default="", repr=False)
    same: str = ""
    advice: str = ""


type Place = tuple[str, str, str, str]  # service, Region, account and name, as an ARN has them
type Places = Mapping[Place, Destination]


def understand(letter: Letter, places: Places, now: int) -> Understood:
    """`places` are the stack's own: nothing is ever sent elsewhere, whatever a letter says."""
    found = _read(letter)
    if not found.payload:
        return _staying(found, f"{found.advice}: {_DROP}")
    event = _object(found.payload)
    if event is None:
        return _staying(found, f"what should be an event is no JSON object, and would come back: {_DROP}")
    what, name = _about(event)
    asks = event.get("request") if event.get(MARK) and isinstance(event.get("request"), Mapping) else event
    if isinstance(asks, Mapping) and "RequestType" in asks and now - letter.sent > WAITED_FOR_SECONDS:
        advice = (
            "CloudFormation waits for an answer for an hour and has given up since: update that stack again, and drop"
            " this (DELETE=id)"
        )
        return Understood(kind=found.kind, what=what, id=name, reason=found.reason, advice=advice)
    to = places.get(place(found.arn))
    if to is None:
        advice = f"{found.arn or 'where it belongs'} is no queue or function of the stack: {_DROP}"
        return Understood(kind=found.kind, what=what, id=name, reason=found.reason, advice=advice)
    return Understood(
        kind=found.kind,
        what=what,
        id=name,
        reason=found.reason,
        to=to,
        payload=found.payload,
        same=_same(to, event),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    kind: Kind
    reason: str = ""
    arn: str = ""  # of where it belongs
    payload: str = ""
    advice: str = ""  # why there is no payload


def _read(letter: Letter) -> _Found:
    if letter.source:
        queue = letter.source.rpartition(":")[2]
        reason = f"{queue} gave it out as often as it may; the function's log says why, by message_id"
        return _Found(kind=Kind.GIVEN_UP, reason=reason, arn=letter.source, payload=letter.body)
    if letter.attributes.get("TARGET_ARN"):
        arn = letter.attributes["TARGET_ARN"]
        return _Found(kind=Kind.UNDELIVERED, reason=_undelivered(letter.attributes), arn=arn, payload=letter.body)
    record = _object(letter.body)
    arn = text(at(record, "requestContext.functionArn"))
    if record is None or not arn:
        advice = "it is neither an event that could not be delivered, nor Lambda's record, nor from a working queue"
        return _Found(kind=Kind.UNKNOWN, advice=advice)
    payload = record.get("requestPayload")
    if payload is None:
        advice = "Lambda's record is without the event, as when both are too long together; the next audit looks at all"
        return _Found(kind=Kind.FAILED, reason=_failed(record), arn=arn, advice=advice)
    return _Found(kind=Kind.FAILED, reason=_failed(record), arn=arn, payload=json.dumps(payload))


def _staying(found: _Found, advice: str) -> Understood:
    return Understood(kind=found.kind, what="", id="", reason=found.reason, advice=advice)


def _undelivered(attributes: Mapping[str, str]) -> str:
    said = ": ".join(filter(None, (attributes.get(name, "") for name in ("ERROR_CODE", "ERROR_MESSAGE"))))
    retries = attributes.get("RETRY_ATTEMPTS")
    more = [attributes.get("EXHAUSTED_RETRY_CONDITION", ""), f"{retries} retries" if retries else ""]
    return _with(said or "EventBridge does not say why", more)


def _failed(record: Mapping[str, object]) -> str:
    answer = record.get("responsePayload")
    said = ": ".join(filter(None, (text(at(answer, name)) for name in ("errorType", "errorMessage"))))
    tries = at(record, "requestContext.approximateInvokeCount")
    more = [text(at(record, "requestContext.condition")), f"{tries} tries" if isinstance(tries, int) else ""]
    return _with(said or "the function's answer is not in the record", more)


def _with(said: str, more: list[str]) -> str:
    known = ", ".join(filter(None, more))
    return f"{said} ({known})" if known else said


def _about(event: Mapping[str, object]) -> tuple[str, str]:
    """What the event is, and its id; of our own messages to come back there is none."""
    if MARK in event:
        groups = event.get("target_groups")
        request = event.get("request")
        if isinstance(request, Mapping):
            return _about(request)
        return f"{event[MARK]}: {', '.join(map(str, groups)) if isinstance(groups, list) else 'unknown'}", ""
    if "RequestType" in event:
        what = f"{event['RequestType']} of {text(event.get('LogicalResourceId'))} of CloudFormation"
        return what, text(event.get("RequestId"))
    detail = event.get("detail")
    name = text(at(detail, "eventID")) or text(event.get("id"))
    call = text(at(detail, "eventName")) or text(at(detail, "operationStatus")) or text(event.get("detail-type"))
    source = text(at(detail, "eventSource")) or text(event.get("source"))
    return f"{call or 'an event without a name'} of {source or 'an unknown source'}", name


def _same(to: Destination, event: Mapping[str, object]) -> str:
    """What is due time and again differs by its id and time alone: each asks for all there is when it is dealt with."""
    is_due = event.get("detail-type") in _DUE
    asked = {name: value for name, value in event.items() if not (is_due and name in ("id", "time"))}
    return hashlib.sha256(f"{to.logical_id} {json.dumps(asked, sort_keys=True)}".encode()).hexdigest()


def place(arn: str) -> Place:
    """arn:aws:lambda:us-east-1:123456789012:function:name:$LATEST → ("lambda", "us-east-1", "123456789012", "name")."""
    parts = arn.split(":", 5)
    if len(parts) < len(("arn", "partition", "service", "region", "account", "name")):
        return "", "", "", ""
    service, region, account, name = parts[2:]
    return service, region, account, name.removeprefix("function:").partition(":")[0]


def _object(body: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # no JSON, or nested without end
        return None
    return found if isinstance(found, Mapping) else None
