"""Tags what people create with who made it, when and with what.

Takes a batch of its own queue (calls that make something, and its own messages to come back), or one EventBridge event.
"""

import json
import os
import time
from collections.abc import Mapping

from apprunner_guardrails import observe
from apprunner_guardrails.aws import sqs
from apprunner_guardrails.aws.clients import clients
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.events import Ignored, unpacked
from apprunner_guardrails.records import event_id
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import Created, parse
from apprunner_guardrails.tags.tagging import NotTagged, Planned, Retry, look, put


def handler(event: object, context: object) -> dict[str, object]:
    """Event → the tags that were put, by ARN, or why there are none.

    Of a batch, what cannot be tagged yet and what is not understood goes back to the queue by itself. Of one event,
    that is raised: BadEvent, Retry, NotTagged. Raises BadSettings, and BadEvent for a batch that is none of SQS's.
    """
    with observe.invocation(context):
        if isinstance(event, Mapping) and "Records" in event:
            return _batch(event["Records"])
        with observe.about(event_id(event)):
            return _answer([_tagged(event, parse(event))])


def _batch(records: object) -> dict[str, object]:
    """One after the other: whatever is raised about one keeps no other waiting."""
    done: list[Planned | Ignored] = []
    failures: list[str] = []
    messages = [(record, *unpacked([record], _understood)) for record in (records if isinstance(records, list) else [])]
    for record, understood, odd in messages:
        observe.not_understood(odd)
        failures += odd
        for event, created in understood:
            with observe.about(event_id(event)):
                try:
                    done.append(_tagged(event, created))
                except (Retry, NotTagged) as late:
                    failures.append(str(record.get("messageId")))
                    observe.put_off(failures[-1], str(late))
    return {**_answer(done), "batchItemFailures": [{"itemIdentifier": one} for one in failures]}


def _understood(event: object) -> tuple[object, Created | Ignored]:
    return event, parse(event)


def _tagged(event: object, created: Created | Ignored) -> Planned | Ignored:
    observe.count(Events=1)
    if isinstance(created, Ignored):
        observe.ignored([created.why])
        return created
    settings = Settings.from_env(os.environ)
    client, now = clients(), _now()
    reads = Reads(client)
    planned = put(look(created, reads, settings, now), client, reads, now)
    if planned.come_back and settings.tag_queue_url:
        _come_back(event, planned, settings.tag_queue_url)
    observe.tagged(planned)
    return planned


def _come_back(event: object, planned: Planned, queue_url: str) -> None:
    """The event itself is the message: the queue brings it again. Raises NotTagged."""
    failed = sqs.send(clients(), queue_url, json.dumps(event), planned.come_back)
    if failed:
        raise NotTagged(f"{planned.created.arn} cannot be come back to: {failed}")


def _answer(done: list[Planned | Ignored]) -> dict[str, object]:
    tagged = {one.created.arn: dict(one.tags) for one in done if isinstance(one, Planned) and one.tags}
    why = "; ".join(dict.fromkeys(one.why for one in done))
    return {"tagged": tagged} if tagged or not why else {"tagged": {}, "ignored": why}


def _now() -> int:
    return int(time.time())
