"""Logs and metrics: structured, without payloads, tied together by the event's id."""

import os
from functools import cache

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit


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


@cache
def _metrics() -> Metrics:
    # Without a namespace Powertools raises, which after an alert went out would send it again.
    return Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "AppRunnerGuardrails")
