"""What several renderings share: marks, history, names of threads and findings, times and cuts."""

import hashlib
import json
from collections.abc import Iterator

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import Explanation, counted, safe
from apprunner_guardrails.alerts.kinds import kind_of
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.findings import NOT_JUDGED, Exemption, Finding
from apprunner_guardrails.ledger import MESSAGE_LENGTH, MESSAGES_KEPT, OPENING, Kind, Record, State, Transition
from apprunner_guardrails.times import DAY_SECONDS, utc

FAILING = (*sorted(OPENING), Kind.CHANGED)  # what people should act on now
BY_TAG = "(by its tag)"  # how an owner is known
TOLD_BY = f"App Runner guardrails {__version__}"
_MARKS = {Kind.REMINDED: "REMINDER", Kind.RESOLVED: "RESOLVED", Kind.EXEMPTED: "EXEMPT"}


def mark(transition: Transition) -> str:
    """What a subject or title begins with."""
    if transition.finding.rule == NOT_JUDGED and transition.kind is not Kind.RESOLVED:
        return "UNKNOWN"
    return _MARKS.get(transition.kind) or transition.finding.severity.value


def story(transition: Transition) -> Iterator[str]:
    """The finding's past and its exemption, a sentence each; none for one that has just opened.

    With text from outside, but never at the beginning.
    """
    record, before, finding = transition.record, transition.before, transition.finding
    by = f", opened by {record.who}" if record.who else ""
    since = f"since {utc(record.first_seen)}, for {span(record.last_seen - record.first_seen)}{by}"
    match transition.kind:
        case Kind.REOPENED:
            yield f"Reopened: {_before_reopening(before)}"
        case Kind.EXPIRED:
            yield f"Exemption expired: {_expired(finding.exemption)}"
        case Kind.CHANGED if before is not None and before.severity is not finding.severity:
            yield f"Changed: it was {before.severity} before, open {since}"
        case Kind.CHANGED:
            yield f"Changed: open {since}"
        case Kind.REMINDED:
            yield f"Still open: {since}"
        case Kind.RESOLVED:
            yield f"Over: it was open {since}"
            if not finding.reference and finding.rule != NOT_JUDGED:  # no rule's answer
                over = kind_of(finding.resource).over
                yield f"Not judged any more: the resource is {over}, or the guardrail is switched off"
        case Kind.EXEMPTED:
            exemption = finding.exemption
            until, owner = (exemption.until, exemption.owner) if exemption else (record.exempt_until, record.exempt_by)
            yield f"Exempt: until the end of {until} (UTC), by {owner}"
            yield f"Reason: {(exemption and exemption.reason) or 'see the tag on the resource'}"


def _before_reopening(before: Record | None) -> str:
    if before is not None and before.state is State.EXEMPT:
        return f"the exemption until {before.exempt_until} by {before.exempt_by} was taken off"
    if before is not None and before.state is State.RESOLVED:
        return f"it had been resolved at {utc(before.last_seen)}"
    return "it had been resolved, or exempt"


def _expired(exemption: Exemption | None) -> str:
    if exemption is None:
        return "see the tag on the resource"
    return f"until the end of {exemption.until} (UTC), by {exemption.owner}, reason: {exemption.reason}"


def marked(transition: Transition) -> Iterator[str]:
    """The finding's messages: what is over is marked, and of a change what is new and what is no longer so.

    What the record had no room for cannot be compared: nothing is marked as new then.
    """
    messages, before = transition.finding.messages, transition.before
    if transition.kind is Kind.RESOLVED:
        yield from (f"over: {message}" for message in messages)
    elif transition.kind is not Kind.CHANGED or before is None or len(before.messages) >= MESSAGES_KEPT:
        yield from messages
    else:
        now = [message[:MESSAGE_LENGTH] for message in messages]
        yield from (
            message if kept in before.messages else f"new: {message}"
            for message, kept in zip(messages, now, strict=True)
        )
        yield from (f"no longer: {message}" for message in before.messages if message not in now)


def led_here(what: str, caller: Caller, time: str) -> str:
    """The call, who made it and how, as far as that is known."""
    parts = [safe(what)]
    if caller.name:
        parts.append(f"by {safe(caller.name, 200)}")
    if caller.tool and caller.tool != caller.name:
        parts.append(f"with {safe(caller.tool, 100)}")
    if caller.address:
        parts.append(f"from {safe(caller.address, 100)}")
    return f"{' '.join(parts)} at {safe(time, 40)}"


def identity(*parts: str) -> str:
    """The same for the same parts, always: chat's thread, the event's and Security Hub's finding."""
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:32]


def finding_id(finding: Finding) -> str:
    return identity(finding.resource, finding.rule)


def cause_id(explanation: Explanation) -> str:
    failed = explanation.failed
    return identity(failed.account, failed.region, failed.caller.name, explanation.cause)


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8, with an ellipsis where something is missing."""
    raw = text.encode("utf-8", "replace")
    return raw.decode() if len(raw) <= limit else raw[: limit - len("…".encode())].decode("utf-8", "ignore") + "…"


def span(seconds: int) -> str:
    """How long, in the largest unit that fits: "3 days"."""
    for unit, length in (("day", DAY_SECONDS), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return counted(seconds // length, unit)
    return "less than a minute"
