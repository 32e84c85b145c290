"""Audits every VPC connector and service of the Region on a schedule, and tells once a day what stands.

Takes the event of its own schedule, or a batch of such events from the queue of those that members send.
"""

import os
import time
from collections.abc import Mapping
from functools import partial

from apprunner_guardrails import observe
from apprunner_guardrails.aws.clients import clients
from apprunner_guardrails.batches import apart
from apprunner_guardrails.events import Ignored, account, region, unpacked
from apprunner_guardrails.members import place_of
from apprunner_guardrails.records import event_id, shown, text
from apprunner_guardrails.scheduled import audit_region
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tell import Result, merged

SCHEDULED = "Scheduled Event"
DUE = "Audit Due"  # of a member: organization.yaml


def handler(event: object, context: object) -> dict[str, object]:
    """Scheduled event → the rules' answers by resource and what was told.

    Of a batch, audits that fail go back to the queue by themselves. Raises BadEvent, BadSettings and what
    `audit_region` raises: then Lambda tries again, and the event ends in the dead-letter queue.
    """
    with observe.invocation(context):
        if isinstance(event, Mapping) and "Records" in event:
            return _batch(event["Records"], context)
        answer = _audited(event, context)
        return {"ignored": answer.why} if isinstance(answer, Ignored) else {**answer}


def _batch(records: object, context: object) -> dict[str, object]:
    """One after the other, each by what time the others leave."""
    failures: list[str] = []
    seen: list[str] = []
    works = []
    for record in records if isinstance(records, list) else []:
        events, odd = unpacked([record], lambda event: event)
        observe.not_understood(odd)
        failures += odd
        seen += map(event_id, events)
        works += [([str(record.get("messageId"))], partial(_audited, event, context)) for event in events]
    done, failed = apart(works)
    with observe.about("", seen):
        observe.failed(failed)
    results = [one for one in done if not isinstance(one, Ignored)]
    whys = [one.why for one in done if isinstance(one, Ignored)]
    return {
        **(merged(results) if results or not whys else {"ignored": "; ".join(dict.fromkeys(whys))}),
        "batchItemFailures": [{"itemIdentifier": one} for one in (*failures, *failed)],
    }


def _audited(event: object, context: object) -> Result | Ignored:
    observe.count(Events=1)
    with observe.about(event_id(event)):
        return _answer(event, context)


def _answer(event: object, context: object) -> Result | Ignored:
    if not isinstance(event, Mapping) or event.get("detail-type") not in (SCHEDULED, DUE):
        kind = event.get("detail-type") if isinstance(event, Mapping) else None
        ignored = Ignored(
            why=f"the audit takes events of the kind {SCHEDULED!r} or {DUE!r}; this one's is {shown(kind)}"
        )
        observe.ignored([ignored.why])
        return ignored
    settings = Settings.from_env(os.environ)
    place = place_of(account(event), region(event), settings) if settings.member_role_name else None
    report = audit_region(
        text(event.get("time")),
        clients(),
        settings,
        lambda: int(time.time()),
        observe.seconds_left(context),
        event_id=event_id(event),
        place=place,
    )
    observe.count(Audits=int(place is None or place.home))
    observe.report(report)
    return report.as_json()
