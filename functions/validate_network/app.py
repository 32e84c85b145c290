"""Validates the VPC connectors, services and private paths that calls concern, explains calls that failed, and alerts.

Takes an EventBridge event, or a batch of them from the queue that folds bursts of calls together.
"""

import os
import time
from collections.abc import Mapping

from apprunner_guardrails import observe
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.drift import parse_change
from apprunner_guardrails.events import Ignored, parse, unpacked
from apprunner_guardrails.paths.triggers import PATHS_ONLY, parse_path_change
from apprunner_guardrails.respond import Asked, Report, respond
from apprunner_guardrails.settings import Settings


def handler(event: object, context: object) -> dict[str, object]:
    """Event → the rules' answers by resource and what was told, or why the event asks for nothing.

    Of a batch, records that cannot be understood go back to the queue by themselves. Raises BadEvent, BadSettings and
    what `respond` raises: then it is tried again, and ends in a dead-letter queue.
    """
    if isinstance(event, Mapping) and "Records" in event:
        return _batch(event["Records"])
    parsed = _understood(event)
    return _ignored(parsed) if isinstance(parsed, Ignored) else _responded([parsed])


def _batch(records: object) -> dict[str, object]:
    parsed, odd = unpacked(records, _understood)
    observe.not_understood(odd)
    asked = [one for one in parsed if not isinstance(one, Ignored)]
    nothing = Ignored(why="the batch holds nothing to check")
    return {
        **(_responded(asked) if asked else _ignored(nothing)),
        "batchItemFailures": [{"itemIdentifier": one} for one in odd],
    }


def _understood(event: object) -> Asked | Ignored:
    """What the first says that understands the event; else why that one does not, whose business its source is.

    A call of EC2 is a change if it went through, else it may be one to explain.
    """
    source = event.get("source") if isinstance(event, Mapping) else None
    parsers = (parse_change, parse_path_change, parse) if source == "aws.ec2" else (parse, parse_path_change)
    whys: list[Ignored] = []
    for understood in parsers:
        one = understood(event)
        if not isinstance(one, Ignored):
            return one
        whys.append(one)
    return whys[-1] if source in PATHS_ONLY else whys[0]


def _responded(asked: list[Asked]) -> dict[str, object]:
    settings = Settings.from_env(os.environ)
    with observe.logger().append_context_keys(correlation_id=asked[0].id):
        answer = respond(asked, client, settings, lambda: int(time.time()))
        return _ignored(answer) if isinstance(answer, Ignored) else _told(answer)


def _ignored(ignored: Ignored) -> dict[str, object]:
    observe.ignored(ignored.why)
    return {"ignored": ignored.why}


def _told(report: Report) -> dict[str, object]:
    observe.report(report)
    return {**report.as_json()}
