"""Keeps the targets of tagged target groups in step with the interface endpoints that they are bound to.

Takes an EventBridge event, a batch of its own queue (calls that changed targets, and its own messages to come back), or
a custom resource request of CloudFormation.
"""

import os
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import cache

from apprunner_guardrails import observe
from apprunner_guardrails.aws import sqs
from apprunner_guardrails.aws.clients import clients
from apprunner_guardrails.aws.http import put
from apprunner_guardrails.events import Ignored, unpacked
from apprunner_guardrails.facts import TargetGroup
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.records import event_id
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.custom_resource import Means, Request, handle, parse_request
from apprunner_guardrails.targets.reconcile import Outcome
from apprunner_guardrails.targets.sync import Synced, as_json, look, outcome_of, sync
from apprunner_guardrails.targets.triggers import Asked, folded, parse
from apprunner_guardrails.targets.waiting import BACK_SECONDS


def handler(event: object, context: object) -> dict[str, object]:
    """Event → what was done with each target group, or why the event asks for nothing.

    Of a batch, records that cannot be understood go back to the queue by themselves. Raises BadEvent, BadSettings and
    what `sync` raises: then it is tried again, and ends in a dead-letter queue. A request of CloudFormation is answered
    whatever happens, or comes back by the queue to be answered then.
    """
    with observe.invocation(context):
        if isinstance(event, Mapping) and "Records" in event:
            parsed, odd = unpacked(event["Records"], _understood)
            observe.not_understood(odd)
            failures = {"batchItemFailures": [{"itemIdentifier": one} for one in odd]}
            return {**_done(parsed, context), **failures}
        with observe.about(event_id(event)):
            understood = _understood(event)
        return _done([understood], context)


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """What an event asks for, and its id: of a request CloudFormation's, of our own message that of what began it."""

    id: str
    what: Asked | Request | Ignored


def _understood(event: object) -> Understood:
    what = parse_request(event) or parse(event, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""))
    match what:
        case Asked():
            return Understood(id=what.id, what=what)
        case Request():
            return Understood(id=what.request_id, what=what)
    return Understood(id=event_id(event), what=what)


def _done(parsed: list[Understood], context: object) -> dict[str, object]:
    """What several events ask for is done once; requests are answered one by one.

    What fails keeps nothing else waiting, and is raised at the end.
    """
    outcomes: list[Outcome] = []
    late: list[tuple[str, Exception]] = []
    observe.count(Events=len(parsed))
    whys = [one.what.why for one in parsed if isinstance(one.what, Ignored)]
    with observe.about("", [one.id for one in parsed if isinstance(one.what, Ignored)]):
        observe.ignored(whys)
    for request in (one.what for one in parsed if isinstance(one.what, Request)):  # first, as stacks wait for them
        with _held(late, request.request_id), observe.about(request.request_id):
            answer = _answered(request, context)
            if isinstance(answer, Ignored):
                whys.append(answer.why)
                observe.ignored([answer.why])
            else:
                outcomes.append(answer)
    asked = [one.what for one in parsed if isinstance(one.what, Asked)]
    if asked:
        whole = folded(asked)
        with _held(late, whole.id), observe.about(whole.id, [one.id for one in asked]):
            outcomes += _synced(whole, context).outcomes
    _raise_first(late)
    if outcomes or asked:
        return {"target_groups": as_json(outcomes)}
    if not whys:
        whys.append("the batch holds nothing to sync")
        observe.logger().info("ignored", extra={"why": whys[0]})
    return {"ignored": "; ".join(dict.fromkeys(whys))}


@contextmanager
def _held(late: list[tuple[str, Exception]], event: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, other stacks wait for their answers; it is raised then
        late.append((event, error))


def _raise_first(late: list[tuple[str, Exception]]) -> None:
    """Lambda logs what is raised; the others are logged here."""
    for event, other in late[1:]:
        with observe.about(event):
            observe.logger().error("failed as well", exc_info=other)
    if late:
        raise late[0][1]


def _synced(asked: Asked, context: object) -> Synced:
    settings = Settings.from_env(os.environ)
    return sync(asked, clients(), settings, _now, seconds_left=observe.seconds_left(context), known=_known())


def _answered(request: Request, context: object) -> Outcome | Ignored:
    def later(message: str) -> bool:
        url = os.environ.get("SYNC_QUEUE_URL", "")  # also where another setting cannot be used
        return bool(url) and not sqs.send(clients(), url, message, BACK_SECONDS)

    means = Means(
        put=put,
        later=later,
        look=lambda arn: _looked(arn, context),
        now=_now,
        seconds_left=observe.seconds_left(context),
    )
    return handle(request, lambda asked: outcome_of(_synced(asked, context), request.target_group), means)


def _looked(arn: str, context: object) -> Outcome | None:
    return look(arn, clients(), Settings.from_env(os.environ), observe.seconds_left(context), _known())


def _now() -> int:
    return int(time.time())


@cache
def _known() -> MutableMapping[str, TargetGroup]:
    """Target groups that were seen by this process."""
    return {}
