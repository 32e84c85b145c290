"""Alerts as EventBridge events for machines: entries of PutEvents. docs/events.md documents them, docs/schemas/ has
their JSON schemas.

Limits: an entry, and all of one call together, have to be under 256 KB; ten entries a call
(docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import Alert, Explanation, safe
from apprunner_guardrails.alerts._common import cause_id, cut, finding_id
from apprunner_guardrails.batches import batched_by_size
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.ledger import Record, Transition
from apprunner_guardrails.times import utc

SOURCE = "apprunner-guardrails"
TRANSITION = "Guardrail Finding Transition"
FAILED_CALL = "Guardrail Failed Call"
VERSION = "1"
ENTRIES = 10  # a call
CALL_LIMIT = 250_000  # bytes
MESSAGES_LIMIT, PREVIOUS_LIMIT, COMMAND_LIMIT, TEXT_LIMIT = 90_000, 40_000, 20_000, 2000  # bytes


class Entry(TypedDict):
    Source: str
    DetailType: str
    Resources: list[str]
    Detail: str


def entry(alert: Alert, transition: Transition) -> Entry:
    """One transition of an alert."""
    finding, record = transition.finding, transition.record
    messages, left_out = _within(finding.messages, MESSAGES_LIMIT)
    exemption = finding.exemption
    detail = {
        "version": VERSION,
        "guardrails_version": __version__,
        "transition": transition.kind.value,
        "at": utc(record.last_seen),
        "finding": {
            "id": finding_id(finding),
            "resource": _text(finding.resource),
            "resource_name": _text(alert.resource_name),
            "resource_type": alert.resource_type,
            "owner": _text(alert.owner),
            "rule": finding.rule,
            "rule_name": finding.name,
            "title": finding.title,
            "severity": finding.severity.value,
            "state": record.state.value,
            "first_seen": utc(record.first_seen),
            "opened_by": _text(record.who),
            "messages": messages,
            "messages_left_out": left_out,
            "unread": _text(finding.unread),
            "risk": finding.risk,
            "remediation": finding.remediation,
            "command": _command(finding.command),
            "reference": finding.reference,
        },
        "exemption": exemption
        and {"until": exemption.until, "owner": _text(exemption.owner), "reason": _text(exemption.reason)},
        "previous": transition.before and _previous(transition.before),
        "event": _event(alert.event_id, alert.what, alert.caller, alert.time),
    }
    return _entry(TRANSITION, alert.resource, detail)


def explanation_entry(explanation: Explanation) -> Entry:
    """A call or an operation that failed."""
    failed = explanation.failed
    causes, left_out = _within(explanation.causes, MESSAGES_LIMIT)
    detail = {
        "version": VERSION,
        "guardrails_version": __version__,
        "severity": explanation.severity.value,
        "title": _text(explanation.title),
        "what": _text(explanation.what),
        "cause_id": cause_id(explanation),
        "causes": causes,
        "causes_left_out": left_out,
        "command": _command(explanation.commands),
        "reference": explanation.reference,
        "unread": _within(explanation.unread, PREVIOUS_LIMIT)[0],
        "error": {"code": _text(failed.code), "message": _text(failed.message)},
        "resource": _text(failed.resource),
        "event": _event(failed.id, failed.what, failed.caller, failed.time),
    }
    return _entry(FAILED_CALL, failed.resource, detail)


def batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries in their order, as many together as one call of PutEvents takes."""
    for places in batched_by_size([size(one) for one in entries], most=ENTRIES, limit=CALL_LIMIT):
        yield entries[places.start : places.stop]


def size(one: Entry) -> int:
    """An entry's size in bytes, as EventBridge counts it."""
    texts = (one["Source"], one["DetailType"], one["Detail"], *one["Resources"])
    return sum(len(text.encode()) for text in texts)


def _entry(detail_type: str, resource: str, detail: object) -> Entry:
    return Entry(
        Source=SOURCE,
        DetailType=detail_type,
        Resources=[_text(resource)] if resource.startswith("arn:") else [],
        Detail=json.dumps(detail, ensure_ascii=False),
    )


def _previous(record: Record) -> dict[str, object]:
    return {
        "state": record.state.value,
        "severity": record.severity.value,
        "messages": _within(record.messages, PREVIOUS_LIMIT)[0],
    }


def _event(event_id: str, what: str, caller: Caller, time: str) -> dict[str, object]:
    return {
        "id": _text(event_id),
        "name": _text(what),
        "time": _text(time),
        "caller": {"name": _text(caller.name), "tool": _text(caller.tool), "address": _text(caller.address)},
    }


def _text(text: str) -> str:
    return cut(safe(text), TEXT_LIMIT)


def _command(command: str) -> str:
    """Whole, or empty: half a command is worse than none."""
    lines = "\n".join(safe(line, COMMAND_LIMIT) for line in command.split("\n"))
    return lines if _size(lines) <= COMMAND_LIMIT else ""


def _within(messages: Iterable[str], limit: int) -> tuple[list[str], int]:
    """The first of the messages, as many as have room in so many bytes of JSON, and the count of the others."""
    told, room = [_text(message) for message in messages], limit
    for number, message in enumerate(told):
        room -= _size(message) + len(", ")
        if room < 0:
            return told[:number], len(told) - number
    return told, 0


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())
