"""Logs and metrics: structured, without payloads, tied together by the event's id."""

import math
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from apprunner_guardrails.findings import Status

if TYPE_CHECKING:
    from apprunner_guardrails.respond import Report
    from apprunner_guardrails.tags.tagging import Planned
    from apprunner_guardrails.targets.sync import Synced

RESOURCES_LOGGED = 20


@cache
def logger() -> Logger:
    """Service name and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL."""
    return Logger()


def count(**numbers: int) -> None:
    """Emit counts as CloudWatch metrics, by the embedded metric format on standard output."""
    metrics = _metrics()
    for name, number in numbers.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
    metrics.flush_metrics()


def ignored(why: str) -> None:
    logger().info("ignored", extra={"why": why})


def not_understood(messages: Mapping[str, str]) -> None:
    """Log the messages of a batch that go back to the queue, by their ids, and why."""
    for message_id, why in messages.items():
        logger().error("not understood", extra={"message_id": message_id, "why": why})


def put_off(message_id: str, why: str) -> None:
    """Log a message that goes back to the queue because what it asks for cannot be done yet."""
    logger().warning("put off", extra={"message_id": message_id, "why": why})


def seconds_left(context: object) -> Callable[[], float]:
    """Until Lambda ends the invocation with this context; for ever where nothing will."""
    milliseconds = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: milliseconds() / 1000) if callable(milliseconds) else (lambda: math.inf)


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
        Alerts=synced.alerts,
    )


def tagged(planned: "Planned") -> None:
    """Log and count the tags that a resource got, or log why it got none. Their values may name people: keys are
    logged."""
    extra = {"resource": planned.created.arn, "keys": list(planned.tags), "why": planned.why}
    logger().info("tagged" if planned.tags else "not tagged", extra=extra)
    count(ResourcesTagged=int(bool(planned.tags)))


def report(report: "Report") -> None:
    """Log and count what an invocation judged and told."""
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
    count(
        Evaluations=len(resources),
        Alerts=report.alerts,
        Failed=answers.count(Status.FAIL),
        NotJudged=answers.count(Status.UNKNOWN) + answers.count(Status.ERROR),
    )


@cache
def _metrics() -> Metrics:
    # Without a namespace Powertools raises, which after an alert went out would send it again.
    return Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "AppRunnerGuardrails")
