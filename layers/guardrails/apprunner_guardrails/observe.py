"""Logs and metrics: structured, without payloads, tied together by the event's id."""

import os
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from apprunner_guardrails.findings import Status

if TYPE_CHECKING:
    from apprunner_guardrails.respond import Report

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
