"""Logs and metrics: structured, without payloads, tied together by the event's id.

What is logged: ids, ARNs, rules, counts, names of calls, fields and tag keys, AWS's error codes. Not: events, tags'
values, callers, alerts. What a handler raises is logged by Lambda, with its text and the lines of code that it came
through, which have no values in them; that line has Lambda's request id, and so has each of these.

What is counted goes out once, when the invocation ends, however it ends: in CloudWatch's embedded metric format, on
standard output. The one dimension is the service, so that a new version, or another function, is no other metric.
"""

import math
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from apprunner_guardrails import __version__
from apprunner_guardrails.findings import NOT_JUDGED, Severity, Status
from apprunner_guardrails.ledger import OPENING, Kind, Transition, is_finding

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

    from apprunner_guardrails.events import Odd
    from apprunner_guardrails.respond import Report
    from apprunner_guardrails.tags.tagging import Planned
    from apprunner_guardrails.targets.sync import Synced
    from apprunner_guardrails.tell import Evaluation

# Unless POWERTOOLS_METRICS_NAMESPACE and POWERTOOLS_SERVICE_NAME say others, as the template does not.
NAMESPACE, SERVICE = "AppRunnerGuardrails", "apprunner-guardrails"
RESOURCES_LOGGED, WHYS_LOGGED = 20, 20

# The one table of metrics: name → what it counts. What is zero is not sent: CloudWatch bills a metric by the hours in
# which it is.
METRICS: Mapping[str, str] = {
    "Events": "events, and messages of queues, that were understood, whether they ask for something or not",
    "Ignored": "those of them that ask for nothing",
    "Evaluations": "resources that were judged",
    "NotJudged": "rules that could not answer for one of them (unknown or error)",
    "FindingsCritical": "findings of severity CRITICAL that opened, also anew",
    "FindingsHigh": "findings of severity HIGH that opened, also anew",
    "FindingsMedium": "findings of severity MEDIUM that opened, also anew",
    "FindingsLow": "findings of severity LOW that opened, also anew",
    "FindingsInfo": "findings of severity INFO that opened, also anew",
    "Resolved": "findings that are over",
    "Alerts": "messages that were published to the alert topic",
    "ReadsFailed": "reads that AWS refused or did not answer, or whose answer was not understood",
    "Audits": "audits of the deployment's own account and Region that were finished: all was read, judged and told",
    "MembersUnread": "member accounts in which nothing could be read",
    "TargetGroups": "bound target groups that were looked at",
    "TargetsRegistered": "targets that were registered",
    "TargetsDeregistered": "targets that were deregistered",
    "TargetsHeld": "stale targets that stay registered for now",
    "TargetGroupsRefused": "target groups that were left as they are for doubt",
    "ResourcesTagged": "resources that were given ownership tags",
}

_counted: Counter[str] = Counter()  # in this invocation
_events: set[str] = set()  # ids of what this invocation dealt with
_COUNTING = threading.Lock()  # reads are counted where they are made: in threads


# What each line has of the invocation, and of the event that is dealt with.
_keys: ContextVar[Mapping[str, object]] = ContextVar("keys", default=MappingProxyType({}))


def logger() -> "Logger":
    """The level comes from POWERTOOLS_LOG_LEVEL."""
    made = _logger()
    made.thread_safe_clear_keys()
    made.thread_safe_append_keys(**_keys.get())
    return made


@cache
def _logger() -> "Logger":
    # Here, not at the start: the first line is logged when the alert is out, which need not wait for this.
    from aws_lambda_powertools import Logger  # noqa: PLC0415

    return Logger(service=_service(), version=__version__)


@contextmanager
def _with_keys(keys: Mapping[str, object]) -> Iterator[None]:
    before = _keys.set({**_keys.get(), **keys})
    try:
        yield
    finally:
        _keys.reset(before)


@contextmanager
def invocation(context: object) -> Iterator[None]:
    """One invocation of a function, with Lambda's context: whatever it counted goes out at its end."""
    named = {
        "function_name": str(getattr(context, "function_name", "")),
        "function_request_id": str(getattr(context, "aws_request_id", "")),
    }
    known = {name: value for name, value in named.items() if value}
    _begin()
    with _with_keys(known):
        try:
            yield
        finally:
            _flush(known)


@contextmanager
def about(event_id: str, batch: Sequence[str] = ()) -> Iterator[None]:
    """The event that is dealt with: its id is on each line. Of a batch that is dealt with as one it is that of the
    newest event, if that is known, and each line has all ids.

    What is raised is logged by its type: the line that Lambda logs of it has no id of an event.
    """
    ids = [one for one in dict.fromkeys((event_id, *batch)) if one]
    keys: dict[str, object] = {"correlation_id": ids[0]} if event_id or len(ids) == 1 else {}
    if len(ids) > 1:
        keys["event_ids"] = ids
    _events.update(ids)
    with _with_keys(keys):
        try:
            yield
        except BaseException as error:
            logger().error("failed", extra={"error": type(error).__name__})
            raise


def count(**numbers: int) -> None:
    """Count for this invocation. The names are those of METRICS."""
    with _COUNTING:
        _counted.update(numbers)


def ignored(whys: Sequence[str]) -> None:
    """Log and count events that ask for nothing, in one line, by why each does not."""
    if whys:
        logger().info("ignored", extra={"why": "; ".join([*dict.fromkeys(whys)][:WHYS_LOGGED])})
        count(Ignored=len(whys))


def not_understood(messages: "Mapping[str, Odd]") -> None:
    """Log the messages of a batch that go back to the queue, by their ids, and why."""
    for message_id, odd in messages.items():
        with about(odd.id):
            logger().error("not understood", extra={"message_id": message_id, "why": odd.why})


def failed(messages: Mapping[str, Exception]) -> None:
    """Log the messages of a batch that go back to the queue, by their ids, and what failed: Lambda hears of none of
    these errors. What code an error came through is said once."""
    said: set[int] = set()
    for message_id, error in messages.items():
        why = f"{type(error).__name__}: {error}"
        trace = None if id(error) in said else error
        logger().error("failed", exc_info=trace, extra={"message_id": message_id, "why": why})
        said.add(id(error))


def put_off(message_id: str, why: str) -> None:
    """Log a message that goes back to the queue because what it asks for cannot be done yet."""
    logger().warning("put off", extra={"message_id": message_id, "why": why})


def members_unread(whys: Mapping[str, str]) -> None:
    """Log and count the member accounts in which nothing can be read, by their ids, and why."""
    for account, why in sorted(whys.items()):
        logger().warning("member not read", extra={"member": account, "why": why})
    count(MembersUnread=len(whys))


def seconds_left(context: object) -> Callable[[], float]:
    """Until Lambda ends the invocation with this context; for ever where nothing will."""
    milliseconds = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: milliseconds() / 1000) if callable(milliseconds) else (lambda: math.inf)


def judged(evaluations: "Iterable[Evaluation]") -> None:
    """Count what the rules were asked, and what they could not answer."""
    answers = [[finding.status for finding in one.findings] for one in evaluations]
    unanswered = sum(status in (Status.UNKNOWN, Status.ERROR) for one in answers for status in one)
    count(Evaluations=len(answers), NotJudged=unanswered)


def claimed(transitions: tuple[Transition, ...]) -> tuple[Transition, ...]:
    """Count what opened and what is over, once it is recorded, and give it back.

    What is only told again, as it did not get everywhere, was counted when it was recorded first.
    """
    for one in transitions:
        owed = one.before.owed if one.before else None
        if not is_finding(one.record) or one.finding.rule == NOT_JUDGED:
            continue
        if one.kind in OPENING and owed not in OPENING:
            count(**{OPENED[one.finding.severity]: 1})
        elif one.kind is Kind.RESOLVED and owed is not Kind.RESOLVED:
            count(Resolved=1)
    return transitions


OPENED: Mapping[Severity, str] = {one: f"Findings{one.value.title()}" for one in Severity}


def synced(synced: "Synced") -> None:
    """Log and count what an invocation did with target groups."""
    done = [one for one in synced.outcomes if one.registered or one.deregistered or one.held or one.refused]
    logger().info(
        "synced",
        extra={
            "target_groups": len(synced.outcomes),
            "done": {
                one.arn: {
                    "registered": one.registered,
                    "deregistered": one.deregistered,
                    "held": [held.target.key for held in one.held],
                    "refused": one.refused,
                }
                for one in done[:RESOURCES_LOGGED]
            },
            "alerts": synced.alerts,
        },
    )
    count(
        TargetGroups=len(synced.outcomes),
        TargetsRegistered=sum(len(one.registered) for one in synced.outcomes),
        TargetsDeregistered=sum(len(one.deregistered) for one in synced.outcomes),
        TargetsHeld=sum(len(one.held) for one in synced.outcomes),
        TargetGroupsRefused=sum(bool(one.refused) for one in synced.outcomes),
    )


def tagged(planned: "Planned") -> None:
    """Log and count the tags that a resource got, or log why it got none. Their values may name people: keys are
    logged."""
    extra = {"resource": planned.created.arn, "keys": list(planned.tags), "why": planned.why}
    logger().info("tagged" if planned.tags else "not tagged", extra=extra)
    count(ResourcesTagged=int(bool(planned.tags)))


def report(report: "Report") -> None:
    """Log what an invocation judged and told."""
    answers = [finding.status for one in report.evaluations for finding in one.findings]
    kinds = [one.kind for one in report.told]
    resources = [one.resource for one in report.evaluations]
    counts = {status.value: answers.count(status) for status in Status}
    transitions = {kind.value: kinds.count(kind) for kind in sorted(set(kinds))}
    logger().info(
        "evaluated",
        extra={
            "resources": resources[:RESOURCES_LOGGED],
            "evaluations": len(resources),
            "answers": counts,
            "transitions": transitions,
            "alerts": report.alerts,
        },
    )


def _begin() -> None:
    """A read of the invocation before may have come to its end since, which nobody waited for."""
    with _COUNTING:
        _counted.clear()
    _events.clear()


def _flush(known: Mapping[str, str]) -> None:
    with _COUNTING:
        counted = {name: number for name, number in _counted.items() if number}
        _counted.clear()
    if not counted:
        return
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415  # as the logger is

    metrics, beside = _metrics(), {"version": __version__, **known}
    if len(_events) == 1:
        beside["correlation_id"] = next(iter(_events))
    for name, number in counted.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
    for name, value in beside.items():
        metrics.add_metadata(name, value)
    metrics.flush_metrics()


@cache
def _metrics() -> "Metrics":
    from aws_lambda_powertools import Metrics  # noqa: PLC0415

    # Without a namespace Powertools raises, which after an alert went out would send it again.
    return Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE, service=_service())


def _service() -> str:
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or SERVICE
