"""The local event loop: what EventBridge, SQS, Lambda and SNS do between a call and an alert, on one machine."""

import json
import os
import runpy
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from itertools import batched
from math import inf
from types import MappingProxyType, SimpleNamespace
from typing import Any, Literal, cast
from unittest.mock import patch
from uuid import UUID

from moto.core.models import DEFAULT_ACCOUNT_ID

from apprunner_guardrails.audit import Audit, judge_region, path_report, read_region
from apprunner_guardrails.aws import findings_table
from apprunner_guardrails.aws.clients import client as function_client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.judge import Terms
from apprunner_guardrails.ledger import Record
from apprunner_guardrails.paths.report import Report
from apprunner_guardrails.settings import Settings
from emulator import Emulator, cloudtrail, emulate
from emulator.worlds import (
    ALERT_TOPIC,
    CHAT_TOPIC,
    OPERATION_SECONDS,
    REGION,
    Client,
    Member,
    World,
    audit_due,
    build,
    happen,
    later,
    sdk_client,
    stack_resources,
)
from replay.template import Function, Stack, matches, sent_by_members

type Event = Mapping[str, Any]  # JSON
type Moment = Literal["happens", "later", "audit", "event"]

SCHEDULED = "Scheduled Event"
PARAMETERS = {"ChatNotifications": "true"}  # so that what chat gets shows; worlds have others
ROUNDS = 10  # of events that come of events; nothing of ours should need more than two
STEP_SECONDS = 30  # what functions put off comes up to so much later than they asked for
LONGEST_SECONDS = 7200  # a function may come back to the same work for half of it
AUDIT = "AuditRegionFunction"


class Endless(Exception):
    """What our functions do wakes our functions, time and again; the text says by what."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One function's answer to one event: what it returned, or the error that Lambda would have tried again.

    `alerts` went to the alert topic (subject, body, attributes), `chat` to the topic for chat (the messages' JSON),
    `put` to the default event bus.
    """

    function: str
    result: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    alerts: Sequence[Mapping[str, object]] = ()
    chat: Sequence[Mapping[str, object]] = ()
    put: Sequence[Event] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event and every function that was invoked for it (none, if no rule of the template matched).

    `queues` are those that the event waits in; or, of a batch that a function is invoked with, the one it comes from.
    `come_back` of a batch: the function itself has put off all of it. `delivery` is 2 for what is delivered once more.
    """

    event: Event
    invocations: Sequence[Invocation]
    queues: Sequence[str] = ()
    come_back: bool = False
    moment: Moment = "happens"
    delivery: Literal[1, 2] = 1

    @property
    def is_repeated(self) -> bool:
        return self.delivery > 1


class Loop:
    """Routes events to the functions of a stack inside a running emulator.

    Also those that the functions cause themselves: where a function wakes itself, it shows. What a function sends to a
    queue that it takes from comes back to it, at the emulated time that it asked for. `parameters` are the stack's,
    beside PARAMETERS; `members` the other accounts and Regions, from which events come by organization.yaml.
    """

    def __init__(
        self,
        stack: Stack,
        aws: Emulator,
        client: Client,
        parameters: Mapping[str, str] = MappingProxyType({}),
        members: Sequence[Member] = (),
    ) -> None:
        self._stack = stack
        self._aws = aws
        self._parameters = {**PARAMETERS, **parameters}
        self._members = members
        self._sqs = client("sqs")
        self._refs = stack_resources(client)
        self._inbox = _subscribed(client, self._refs[ALERT_TOPIC], self._refs[CHAT_TOPIC])
        self._seen, self._put = len(aws.events), len(aws.put_events)
        self._ours: list[Event] = []  # put by our functions, and not delivered yet
        self._waiting: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        """By function and queue: ids and bodies of messages."""
        self._received: list[str] = []
        """Ids of those that functions have sent to their own queues."""
        self._credentials: dict[object, object] = {}
        """Of other accounts' roles, as functions keep them."""

    def settle(self) -> Iterator[Step]:
        """Deliver what has happened since, then what came of that, until nothing comes any more. No time passes.
        Raises Endless."""
        for _ in range(ROUNDS):
            events = self._new()
            self._receive()
            if not events and not self._waiting:
                return
            for event in events:
                yield self._arrive(event)
            yield from self._batches()
        still = sorted(set(map(_kind, events))) or ["messages to their own queue"]
        raise Endless(f"after {ROUNDS} rounds there are still events: {', '.join(still)}")

    def wait(self, seconds: float) -> Iterator[Step]:
        """Let so much emulated time pass, and deliver what happens and what functions had put off until then."""
        while seconds > 0:
            step = min(seconds, STEP_SECONDS) if self._is_something_put_off() else seconds
            seconds -= step
            self._aws.clock.advance(step)
            yield from self.settle()

    def until_over(self) -> Iterator[Step]:
        """Deliver what has happened, then let time pass until functions have put off nothing more. Raises Endless."""
        yield from self.settle()
        for _ in range(LONGEST_SECONDS // STEP_SECONDS):
            if not self._is_something_put_off():
                return
            yield from self.wait(STEP_SECONDS)
        raise Endless(f"after {LONGEST_SECONDS // 60} minutes functions still put something off")

    def deliver(self, event: Event) -> Iterator[Step]:
        """Deliver an event from elsewhere: EventBridge's, a schedule's, a batch as SQS gives it to Lambda, or a custom
        resource request of CloudFormation."""
        yield self._arrive(event)
        yield from self._batches()
        yield from self.until_over()

    def again(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Invoke the same functions with the same events, as if they had been delivered twice."""
        for step in steps:
            functions = [self._stack.functions[one.function] for one in step.invocations]
            if functions:
                yield replace(step, invocations=[self._invoke(function, step.event) for function in functions])
        yield from self.until_over()

    def audit(self) -> Iterator[Step]:
        """What each of the template's schedules leads to at this time, and each member's, however often they are due
        otherwise."""
        for function in self._stack.functions.values():
            for rule in function.schedules:
                event = _scheduled(rule, self._aws.clock.now())
                yield Step(event=event, invocations=[self._invoke(function, event)])
        for member in self._members:
            yield self._arrive(audit_due(member))
        yield from self._batches()
        yield from self.until_over()

    def paths(self) -> Report:
        """The path report of the Region as it is now: what the audit reads and judges, with nothing told."""
        with self._running(self._stack.functions[AUDIT]):
            settings, now = Settings.from_env(os.environ), self._aws.clock.now()
            audit = Audit(
                account=DEFAULT_ACCOUNT_ID,
                region=REGION,
                event_id="",
                time=f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                terms=Terms(settings=settings, now=int(now.timestamp())),
                seconds_left=lambda: inf,
            )
            reads = Reads(function_client)
            recorded: dict[str, tuple[Record, ...]] = defaultdict(tuple)
            for record in findings_table.all_recorded(reads, settings.findings_table, None)().records:
                recorded[record.resource] += (record,)
            found = read_region(audit, reads, lambda: recorded)
            judged = judge_region(audit, reads, found, recorded)
            return path_report(audit, found, judged, recorded)

    def forget(self) -> None:
        """What has happened until now is not delivered."""
        self._seen = len(self._aws.events)

    def _new(self) -> list[Event]:
        events = [*self._aws.events[self._seen :], *self._ours]
        self._seen, self._ours = len(self._aws.events), []
        return events

    def _arrive(self, event: Event) -> Step:
        is_sent = _is_elsewhere(event)
        if is_sent and not any(matches(pattern, event) for pattern in sent_by_members().values()):
            return Step(event=event, invocations=[])
        queues: list[str] = []
        for function in self._stack.functions.values():
            for name, queue in function.queues.items():
                patterns = queue.member_patterns if is_sent else queue.patterns
                if any(matches(pattern, event) for pattern in patterns.values()):
                    self._waiting[function.logical_id, name].append((str(event.get("id")), json.dumps(event)))
                    queues.append(name)
        targets = [] if is_sent else _targets(self._stack, event)
        return Step(event=event, invocations=[self._invoke(one, event) for one in targets], queues=queues)

    def _batches(self) -> Iterator[Step]:
        """Invoke the functions with what waits in their queues; whatever came in one go is there together."""
        waiting, self._waiting = self._waiting, defaultdict(list)
        for (function_id, queue_id), messages in waiting.items():
            function = self._stack.functions[function_id]
            for some in batched(messages, function.queues[queue_id].batch_size, strict=False):
                batch = {"Records": [_record(queue_id, *message) for message in some]}
                own = all(message_id in self._received for message_id, _ in some)
                yield Step(event=batch, invocations=[self._invoke(function, batch)], queues=[queue_id], come_back=own)

    def _own_queues(self) -> Iterator[tuple[Function, str]]:
        """The queues that functions can both send to and take from; the others are only fed by rules."""
        for function in self._stack.functions.values():
            for queue in function.queues.keys() & self._refs.keys():
                yield function, queue

    def _receive(self) -> None:
        """Take what functions have sent to their own queues and what is due by now."""
        for function, queue in self._own_queues():
            for message in self._taken(self._refs[queue]):
                self._received.append(str(UUID(int=len(self._received) + 1)))
                self._waiting[function.logical_id, queue].append((self._received[-1], message["Body"]))

    def _is_something_put_off(self) -> bool:
        name = "ApproximateNumberOfMessagesDelayed"
        urls = [self._refs[queue] for _, queue in self._own_queues()]
        answers = [self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name]) for url in urls]
        return any(int(answer["Attributes"][name]) for answer in answers)

    def _taken(self, url: str) -> Iterator[Mapping[str, Any]]:
        while messages := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield message

    def _invoke(self, function: Function, event: Event) -> Invocation:
        result: Mapping[str, object] = {}
        error = ""
        with self._running(function), redirect_stdout(StringIO()):
            try:
                # Through JSON and back, as Lambda does it: what is not JSON fails here too.
                result = json.loads(json.dumps(_handler(function)(json.loads(json.dumps(event)), _CONTEXT)))
            except Exception as raised:  # noqa: BLE001 - a handler may raise anything; Lambda reports it, and so do we
                error = f"{type(raised).__name__}: {raised}"
        alerts, chat = self._take_messages()
        put = self._take_put()
        return Invocation(function=function.logical_id, result=result, error=error, alerts=alerts, chat=chat, put=put)

    @contextmanager
    def _running(self, function: Function) -> Iterator[None]:
        """The function's environment, role and time."""
        environment = {
            **function.environment(self._parameters, self._refs),
            "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
            "AWS_REGION": REGION,
            **_QUIET,
        }
        who = cloudtrail.lambda_function(function.logical_id, function.role)
        with cloudtrail.running(who), patch.dict(os.environ, environment), self._emulated_time(), self._let_in():
            yield

    def _let_in(self) -> AbstractContextManager[object]:
        """What functions keep of other accounts' credentials is good in the emulated AWS that gave them."""
        return patch("apprunner_guardrails.aws.members._assumed", self._credentials)

    @contextmanager
    def _emulated_time(self) -> Iterator[None]:
        """A finding's age is a matter of the world that it is in."""
        with patch("time.time", lambda: self._aws.clock.now().timestamp()):
            yield

    def _take_put(self) -> Sequence[Event]:
        """What the function put on the bus, with ids of ours: theirs are drawn while other channels draw too, and would
        be others in every run."""
        put: list[Event] = []
        for event in self._aws.put_events[self._put :]:
            self._put += 1
            put.append({**event, "id": str(UUID(int=self._put))})
        self._ours += put
        return put

    def _take_messages(self) -> tuple[Sequence[Mapping[str, object]], Sequence[Mapping[str, object]]]:
        """What was published to the topics: alerts, and messages for chat."""
        alerts: list[Mapping[str, object]] = []
        chat: list[Mapping[str, object]] = []
        for message in self._taken(self._inbox):
            body = json.loads(message["Body"])
            if body["TopicArn"] == self._refs[CHAT_TOPIC]:
                chat.append(json.loads(body["Message"]))
                continue
            values = {name: one["Value"] for name, one in body.get("MessageAttributes", {}).items()}
            alerts.append({"subject": body.get("Subject", ""), "body": body["Message"], "attributes": values})
        return alerts, chat


type AtEnd = Callable[[Loop], None]  # what is to be done while the world still stands


def play_world(world: World, stack: Stack, at_end: AtEnd = lambda _: None) -> Generator[Step]:
    """Build the world and deliver all that comes of what happens in it: at first, later, and to an audit a week on.

    Each time the same events are then delivered once more.
    """
    client = cache(sdk_client)
    with emulate() as aws:
        build(world, client)
        loop = Loop(stack, aws, client, world.parameters, world.members)
        happen(world, client)
        yield from _twice("happens", _until_over(loop), loop)
        if world.later is not None:
            later(world, client)
            yield from _twice("later", _until_over(loop), loop)
        aws.clock.advance(_until_audit(aws.clock.now(), stack))
        yield from _twice("audit", loop.audit(), loop)
        at_end(loop)


def play_event(event: Event, world: World, stack: Stack) -> Step:
    """Deliver one event in the world as it is after its own event happened."""
    with _standing(event, world, stack) as loop:
        return next(loop.deliver(event))


def play_event_twice(event: Event, world: World, stack: Stack, at_end: AtEnd = lambda _: None) -> Generator[Step]:
    """Deliver one event in the world as it is after its own event happened, and then once more."""
    with _standing(event, world, stack) as loop:
        yield from _twice("event", loop.deliver(event), loop)
        at_end(loop)


@contextmanager
def _standing(event: Event, world: World, stack: Stack) -> Iterator[Loop]:
    """The world at the time of the event. Of what happens later in it, all that was before has been told."""
    is_later = not _ids(event).isdisjoint(_later_ids(world))
    client = cache(sdk_client)
    with emulate() as aws:
        build(world, client)
        loop = Loop(stack, aws, client, world.parameters, world.members)
        happen(world, client)
        if is_later:
            for _ in _until_over(loop):
                pass
            later(world, client)
        loop.forget()
        yield loop


def _until_over(loop: Loop) -> Iterator[Step]:
    """Events of calls are delivered while their operations run, those of the operations when they have ended."""
    yield from loop.settle()
    yield from loop.wait(OPERATION_SECONDS)
    yield from loop.until_over()


def _twice(moment: Moment, first: Iterable[Step], loop: Loop) -> Iterator[Step]:
    steps: list[Step] = []
    for step in first:
        steps.append(step)
        yield replace(step, moment=moment)
    for step in loop.again(steps):
        yield replace(step, moment=moment, delivery=2)


def _ids(event: Event) -> set[object]:
    """The ids of an event, or of those in a batch."""
    records = event.get("Records")
    if not isinstance(records, list):
        return {event.get("id")}
    return {found for one in records for found in _ids_in(one)}


def _ids_in(record: object) -> set[object]:
    try:
        event = json.loads(str(record.get("body"))) if isinstance(record, Mapping) else None
    except ValueError:
        return set()
    return {event.get("id")} if isinstance(event, Mapping) else set()


def _later_ids(world: World) -> set[object]:
    """The ids of the events of what happens later in the world, which are the same every time."""
    if world.later is None:
        return set()
    client = cache(sdk_client)
    with emulate() as aws:
        build(world, client)
        happen(world, client)
        aws.clock.advance(OPERATION_SECONDS)
        before = len(aws.events)
        later(world, client)
        return {event["id"] for event in aws.events[before:]}


def _until_audit(now: datetime, stack: Stack) -> float:
    """Seconds until the first daily digest that comes when reminders are due, by the template's defaults."""
    defaults = {name: str(one.get("Default", "")) for name, one in stack.parameters.items()}
    due = now + timedelta(days=int(defaults["ReminderDays"]))
    hour = defaults["DigestHour"]
    at = due.replace(hour=int(hour), minute=0, second=0, microsecond=0) if hour.isdecimal() else due
    return (at + timedelta(days=at < due) - now).total_seconds()


def _is_elsewhere(event: Event) -> bool:
    """Whether another account or Region sends it."""
    home = (DEFAULT_ACCOUNT_ID, REGION)
    return (event.get("account", home[0]), event.get("region", home[1])) != home


def _targets(stack: Stack, event: Event) -> list[Function]:
    """The functions that are invoked with the event as it is."""
    functions = list(stack.functions.values())
    if "RequestType" in event:  # CloudFormation's, which invokes a function by its ARN: that of the custom resource
        return [one for one in functions if "SYNC_QUEUE_URL" in one.variables]
    if "Records" in event:
        return _named(functions, lambda one: one.queues, event)
    if (event.get("source"), event.get("detail-type")) == ("aws.events", SCHEDULED):
        return _named(functions, lambda one: one.schedules, event)
    return [one for one in functions if any(matches(pattern, event) for pattern in one.patterns.values())]


def _named(
    functions: Sequence[Function], sources: Callable[[Function], Mapping[str, object]], event: Event
) -> list[Function]:
    """Those with a queue or schedule that an ARN in the event names; all that have one, if it names none of them."""
    arns = json.dumps([one.get("eventSourceARN") for one in _records(event)] + [event.get("resources")])
    return [one for one in functions if any(name in arns for name in sources(one))] or [
        one for one in functions if sources(one)
    ]


def _records(event: Event) -> list[Mapping[str, object]]:
    records = event.get("Records")
    return [one for one in records if isinstance(one, Mapping)] if isinstance(records, list) else []


def _record(queue: str, message_id: str, body: str) -> Mapping[str, object]:
    """A record of a batch, as Lambda has it from SQS (docs.aws.amazon.com/lambda/latest/dg/with-sqs.html)."""
    return {
        "messageId": message_id,
        "receiptHandle": "replay",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{DEFAULT_ACCOUNT_ID}:{queue}",
        "awsRegion": REGION,
    }


def _scheduled(rule: str, at: datetime) -> Event:
    """What EventBridge sends when a schedule is due."""
    return {
        "version": "0",
        "id": str(UUID(int=int(at.timestamp()))),
        "detail-type": SCHEDULED,
        "source": "aws.events",
        "account": DEFAULT_ACCOUNT_ID,
        "time": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{DEFAULT_ACCOUNT_ID}:rule/{rule}"],
        "detail": {},
    }


def _kind(event: Event) -> str:
    return f"{event.get('detail-type')} from {event.get('source')}"


def _subscribed(client: Client, *topics: str) -> str:
    """The URL of a new queue that gets what is published to the topics."""
    sqs, sns = client("sqs"), client("sns")
    url = str(sqs.create_queue(QueueName="replay")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for topic in topics:
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


# Function code reports by return value and alerts here; its logs would drown them. Metrics stay on, and go where its
# output goes: those that are switched off are kept for ever, and Powertools complains of the hundredth.
_QUIET = {"POWERTOOLS_LOG_LEVEL": "CRITICAL"}
_CONTEXT = SimpleNamespace(function_name="replay", memory_limit_in_mb=256, invoked_function_arn="", aws_request_id="")


def _handler(function: Function) -> Callable[[object, object], object]:
    module, _, name = function.handler.rpartition(".")
    return cast("Callable[[object, object], object]", runpy.run_path(str(function.code / f"{module}.py"))[name])
