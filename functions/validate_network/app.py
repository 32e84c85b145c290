"""Validates the VPC connectors, services and private paths that calls concern, explains calls that failed, and alerts.

Takes an EventBridge event, or a batch of them from the queue that folds bursts of calls together.
"""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial

from apprunner_guardrails import observe
from apprunner_guardrails.aws.clients import clients
from apprunner_guardrails.batches import NotBegun, apart
from apprunner_guardrails.drift import newest, parse_change
from apprunner_guardrails.events import Ignored, parse, unpacked
from apprunner_guardrails.paths.triggers import PATHS_ONLY, parse_path_change
from apprunner_guardrails.records import event_id
from apprunner_guardrails.respond import Asked, respond
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tell import Result, merged

LONGEST_SECONDS = 300  # what the events of one account and Region may take: 500 REST APIs do


def handler(event: object, context: object) -> dict[str, object]:
    """Event → the rules' answers by resource and what was told, or why the event asks for nothing.

    Of a batch, records that cannot be understood go back to the queue by themselves. Raises BadEvent, BadSettings and
    what `respond` raises: then it is tried again, and ends in a dead-letter queue.
    """
    with observe.invocation(context):
        if isinstance(event, Mapping) and "Records" in event:
            return _batch(event["Records"], observe.seconds_left(context))
        with observe.about(event_id(event)):
            parsed = _understood(event)
            observe.count(Events=1)
            if isinstance(parsed, Ignored):
                observe.ignored([parsed.why])
            answer = parsed if isinstance(parsed, Ignored) else _responded([parsed])
            return {"ignored": answer.why} if isinstance(answer, Ignored) else {**answer}


def _batch(records: object, seconds_left: Callable[[], float]) -> dict[str, object]:
    """Accounts and Regions one after the other, each as a whole. What fails goes back to the queue, and so does what
    there is no time to begin."""
    failures: list[str] = []
    idle: list[tuple[str, str]] = []
    named: dict[str, str] = {}
    places: dict[tuple[str, str], list[tuple[str, Asked]]] = {}
    for record in records if isinstance(records, list) else []:
        parsed, odd = unpacked([record], lambda event: (event_id(event), _understood(event)))
        observe.not_understood(odd)
        failures += odd
        for event, one in parsed:
            if isinstance(one, Ignored):
                idle.append((event, one.why))
            else:
                named[str(record.get("messageId"))] = event
                places.setdefault((one.account, one.region), []).append((str(record.get("messageId")), one))
    observe.count(Events=len(idle) + len(named))
    with observe.about("", [event for event, _ in idle]):
        observe.ignored([why for _, why in idle])
    works = [
        ([name for name, _ in some], partial(_answer, some, seconds_left if number else lambda: LONGEST_SECONDS))
        for number, some in enumerate(places.values())  # the first is begun in any case
    ]
    done, failed = apart(works)
    with observe.about("", [named[one] for one in failed]):
        observe.failed(failed)
    results = [one for one in done if not isinstance(one, Ignored)]
    whys = [one.why for one in done if isinstance(one, Ignored)] or ["the batch holds nothing to check"]
    return {
        **(merged(results) if results else {"ignored": "; ".join(dict.fromkeys(whys))}),
        "batchItemFailures": [{"itemIdentifier": one} for one in (*failures, *failed)],
    }


def _answer(messages: list[tuple[str, Asked]], seconds_left: Callable[[], float]) -> Result | Ignored:
    if seconds_left() < LONGEST_SECONDS:
        raise NotBegun(f"{messages[0][1].account} {messages[0][1].region} was not begun: too little time is left")
    asked = [one for _, one in messages]
    with observe.about(newest(asked).id, [one.id for one in asked]):
        return _responded(asked)


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


def _responded(asked: list[Asked]) -> Result | Ignored:
    answer = respond(asked, clients(), Settings.from_env(os.environ), lambda: int(time.time()))
    if isinstance(answer, Ignored):
        observe.ignored([answer.why] * len(asked))
        return answer
    observe.report(answer)
    return answer.as_json()
