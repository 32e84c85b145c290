"""Audits every VPC connector and service of the Region on a schedule, and tells once a day what stands."""

import os
import time
from collections.abc import Mapping

from apprunner_guardrails import observe
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.records import shown, text
from apprunner_guardrails.respond import audit_region
from apprunner_guardrails.settings import Settings

SCHEDULED = "Scheduled Event"


def handler(event: object, context: object) -> dict[str, object]:
    """Scheduled event → the rules' answers by resource and what was told.

    Raises BadSettings and what `audit_region` raises: then Lambda tries again, and the event ends in the dead-letter
    queue.
    """
    if not isinstance(event, Mapping) or event.get("detail-type") != SCHEDULED:
        kind = event.get("detail-type") if isinstance(event, Mapping) else None
        why = f"the audit takes events of the kind {SCHEDULED!r}; this one's is {shown(kind)}"
        observe.ignored(why)
        return {"ignored": why}
    settings = Settings.from_env(os.environ)
    with observe.logger().append_context_keys(correlation_id=text(event.get("id"))):
        report = audit_region(
            text(event.get("time")), client, settings, lambda: int(time.time()), observe.seconds_left(context)
        )
        observe.report(report)
        return {**report.as_json()}
