"""Validates the VPC connector that an App Runner call or event concerns, and alerts on what is wrong with it."""

import os
from functools import partial

from apprunner_guardrails import observe
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.aws.sns import publish
from apprunner_guardrails.events import Ignored, Trigger, parse
from apprunner_guardrails.findings import Status
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.validate import Report, validate


def handler(event: object, context: object) -> dict[str, object]:
    """EventBridge event → the rules' answers by resource, or why the event asks for nothing.

    Raises BadEvent, BadSettings and NotPublished: then Lambda tries again, and the event ends in the dead-letter queue.
    """
    trigger = parse(event)
    if isinstance(trigger, Ignored):
        return _ignored(trigger)
    settings = Settings.from_env(os.environ)
    with observe.logger().append_context_keys(correlation_id=trigger.id):
        report = validate(trigger, settings, Reads(client), partial(publish, client, settings.alert_topic_arn))
        return _ignored(report) if isinstance(report, Ignored) else _told(report, trigger)


def _ignored(ignored: Ignored) -> dict[str, object]:
    observe.logger().info("ignored", extra={"why": ignored.why})
    return {"ignored": ignored.why}


def _told(report: Report, trigger: Trigger) -> dict[str, object]:
    answers = [finding.status for finding in report.findings]
    counts = {status.value: answers.count(status) for status in Status}
    observe.logger().info("evaluated", extra={"resource": trigger.resource, "answers": counts, "alerts": report.alerts})
    not_judged = answers.count(Status.UNKNOWN) + answers.count(Status.ERROR)
    observe.count(Evaluations=1, Alerts=report.alerts, Failed=answers.count(Status.FAIL), NotJudged=not_judged)
    return report.as_json()
