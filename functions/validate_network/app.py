"""Validates the VPC connector that an App Runner call or event concerns, and alerts on what is wrong with it."""

import os
from functools import partial

from apprunner_guardrails import observe
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.aws.sns import publish
from apprunner_guardrails.events import Ignored, parse
from apprunner_guardrails.findings import Status
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.validate import validate


def handler(event: object, context: object) -> dict[str, object]:
    """EventBridge event → the rules' answers by resource, or why the event asks for nothing.

    Raises BadEvent, BadSettings and NotPublished: then Lambda tries again, and the event ends in the dead-letter queue.
    """
    log = observe.logger()
    trigger = parse(event)
    if isinstance(trigger, Ignored):
        log.info("ignored", extra={"why": trigger.why})
        return {"ignored": trigger.why}
    settings = Settings.from_env(os.environ)
    log.append_keys(correlation_id=trigger.id)
    report = validate(trigger, settings, Reads(client), partial(publish, client, settings.alert_topic_arn))
    if isinstance(report, Ignored):
        log.info("ignored", extra={"why": report.why})
        return {"ignored": report.why}
    statuses = [finding.status for finding in report.findings]
    counts = {status: statuses.count(status) for status in Status}
    log.info("evaluated", extra={"resource": trigger.resource, "answers": counts, "alerts": report.alerts})
    observe.count(Evaluations=1, Alerts=report.alerts, Failed=counts[Status.FAIL], NotJudged=counts[Status.UNKNOWN])
    return report.as_json()
