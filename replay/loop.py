"""The local event loop: what EventBridge, Lambda and SNS do between a call and an alert, on one machine."""

import json
import os
import runpy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from types import SimpleNamespace
from typing import cast
from unittest.mock import patch

from emulator import emulate
from emulator.worlds import OPERATION_SECONDS, REGION, World, alert_topic, build, happen, sdk_client
from replay.template import Function, Stack, matches

type Event = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One function's answer to one event: what it returned, or the error that Lambda would have tried again."""

    function: str
    result: Mapping[str, object] = field(default_factory=dict)
    error: str = ""
    alerts: Sequence[Mapping[str, object]] = ()  # subject, body, attributes


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event and every function that a rule of the template invoked for it (none, if no pattern matched)."""

    event: Event
    invocations: Sequence[Invocation]


class Loop:
    """Routes events to the functions of a stack inside a running emulator."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._topic = alert_topic(sdk_client)
        queue = sdk_client("sqs").create_queue(QueueName="replay-alerts")["QueueUrl"]
        queue_arn = sdk_client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
        sdk_client("sns").subscribe(TopicArn=self._topic, Protocol="sqs", Endpoint=queue_arn["QueueArn"])
        self._queue = queue

    def deliver(self, event: Event) -> Step:
        """Invoke each function with a rule whose pattern matches the event."""
        matching = (
            function
            for function in self._stack.functions.values()
            if any(matches(pattern, event) for pattern in function.patterns.values())
        )
        return Step(event=event, invocations=[self._invoke(function, event) for function in matching])

    def _invoke(self, function: Function, event: Event) -> Invocation:
        environment = function.environment({}, {"AlertTopic": self._topic})
        result: Mapping[str, object] = {}
        error = ""
        with patch.dict(os.environ, {**environment, "AWS_REGION": REGION, **_QUIET}), redirect_stdout(StringIO()):
            try:
                # Through JSON and back, as Lambda does it: what is not JSON fails here too.
                result = json.loads(json.dumps(_handler(function)(json.loads(json.dumps(event)), _CONTEXT)))
            except Exception as raised:  # noqa: BLE001 - a handler may raise anything; Lambda reports it, and so do we
                error = f"{type(raised).__name__}: {raised}"
        return Invocation(function=function.logical_id, result=result, error=error, alerts=self._take_alerts())

    def _take_alerts(self) -> list[Mapping[str, object]]:
        alerts: list[Mapping[str, object]] = []
        sqs = sdk_client("sqs")
        while messages := sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                body = json.loads(message["Body"])
                values = {name: one["Value"] for name, one in body.get("MessageAttributes", {}).items()}
                alerts.append({"subject": body.get("Subject", ""), "body": body["Message"], "attributes": values})
        return alerts


def play_world(world: World, stack: Stack) -> Iterator[Step]:
    """Build the world, let its event happen, and deliver every event that comes of it, in order.

    Those of the calls are delivered while their operations run, those of the operations when they have ended.
    """
    with emulate() as aws:
        build(world, sdk_client)
        loop = Loop(stack)
        built = len(aws.events)
        happen(world, sdk_client)
        called = len(aws.events)
        for event in aws.events[built:called]:
            yield loop.deliver(event)
        aws.clock.advance(OPERATION_SECONDS)
        for event in aws.events[called:]:
            yield loop.deliver(event)


def play_event(event: Event, world: World, stack: Stack) -> Step:
    """Deliver one event in the world as it is after its own event happened."""
    with emulate():
        build(world, sdk_client)
        loop = Loop(stack)
        happen(world, sdk_client)
        return loop.deliver(event)


# Function code reports by return value and alerts here; its logs and metrics would drown them.
_QUIET = {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "POWERTOOLS_METRICS_DISABLED": "true"}
_CONTEXT = SimpleNamespace(function_name="replay", memory_limit_in_mb=256, invoked_function_arn="", aws_request_id="")


def _handler(function: Function) -> Callable[[object, object], object]:
    module, _, name = function.handler.rpartition(".")
    return cast("Callable[[object, object], object]", runpy.run_path(str(function.code / f"{module}.py"))[name])
