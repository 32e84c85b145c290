"""The stack's own queues and functions in an emulated CloudFormation, and what EventBridge, SQS and Lambda do between
them where something fails: retries, dead-letter queues, records of what failed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config

from emulator import Emulator, emulate
from emulator.worlds import WORLDS, build, happen, sdk_client
from replay.loop import Invocation, Loop
from replay.template import Function, load, matches
from tests.samples import ACCOUNT, REGION

NAME = "guardrails"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}-SomeRule-1A"
_RETRIED_AFTER = (0, 60, 120)  # seconds, each after the last try: as Lambda does it, up to MaximumRetryAttempts
_LONGEST_SECONDS = 86_400
_OF_QUEUES = ("VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy")  # who may encrypt what is no matter here
_STEP_SECONDS = 300  # a little late, for what is hidden for a time that this does not divide

type Event = Mapping[str, Any]

stack = cache(load)


@dataclass
class Deployed:
    """`urls` and `arns` are those of the stack's queues and functions, by logical id. `asked` has what functions were
    invoked with asynchronously, and have not dealt with yet."""

    aws: Emulator
    loop: Loop
    urls: Mapping[str, str]
    arns: Mapping[str, str]
    asked: list[tuple[str, Event]] = field(default_factory=list)
    answers: list[Invocation] = field(default_factory=list)

    @property
    def subjects(self) -> list[str]:
        """Of the alerts so far."""
        return [str(alert["subject"]) for one in self.answers for alert in one.alerts]

    def depth(self, queue: str) -> int:
        """What AWS/SQS ApproximateNumberOfMessagesVisible says, which the alarms look at."""
        name = "ApproximateNumberOfMessages"
        said = sdk_client("sqs").get_queue_attributes(QueueUrl=self.urls[queue], AttributeNames=[name])
        return int(said["Attributes"][name])

    def alarms(self) -> list[str]:
        """The template's alarms whose condition the depth of a queue fulfils."""
        alarms = stack().of_type("AWS::CloudWatch::Alarm")
        of_depth = {
            name: (one["Dimensions"][0]["Value"]["Fn::GetAtt"][0], one)
            for name, one in alarms.items()
            if one.get("MetricName") == "ApproximateNumberOfMessagesVisible"
        }
        assert {one["ComparisonOperator"] for _, one in of_depth.values()} == {"GreaterThanThreshold"}
        return [name for name, (queue, one) in of_depth.items() if self.depth(queue) > one["Threshold"]]

    def depths(self) -> dict[str, int]:
        """Of the queues that are not empty."""
        found = {name: self.depth(name) for name in self.urls}
        return {name: number for name, number in found.items() if number}

    def happens(self, *events: Event) -> None:
        """The rules bring the events to their targets, and these deal with them, as often as it takes."""
        for event in events:
            for function in stack().functions.values():
                if _is_watched(function.patterns, event):
                    self.asked.append((function.logical_id, event))
                for name, queue in function.queues.items():
                    if _is_watched(queue.patterns, event):
                        self.put(name, json.dumps(event))
        self.work()

    def work(self) -> None:
        """Until nothing is asked, and no working queue has a message any more."""
        for _ in range(0, _LONGEST_SECONDS, _STEP_SECONDS):
            while self.asked:
                self._invoked(*self.asked.pop(0))
            busy = [one for one in stack().functions.values() if self._has_messages(one)]
            if not busy:
                return
            for one in busy:
                self._taken(one)
            self.aws.clock.advance(_STEP_SECONDS)
        raise AssertionError(f"after {_LONGEST_SECONDS} seconds there is still something in {self.depths()}")

    def put(self, queue: str, body: str, **attributes: str) -> str:
        """The message's id."""
        said = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        sent = sdk_client("sqs").send_message(QueueUrl=self.urls[queue], MessageBody=body, MessageAttributes=said)
        return str(sent["MessageId"])

    def not_delivered(self, queue: str, event: Event, target: str, **more: str) -> str:
        """What EventBridge puts into a dead-letter queue where it may not call the target; the message's id."""
        why = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "not authorized", "RETRY_ATTEMPTS": "0"}
        arn = self.arns.get(target, target)
        return self.put(queue, json.dumps(event), **{"RULE_ARN": RULE, "TARGET_ARN": arn, **why, **more})

    def _invoked(self, name: str, event: Event) -> None:
        """As Lambda does it that was asked to invoke a function asynchronously."""
        config = _invoke_config(name)
        tries = config.get("MaximumRetryAttempts", 2) + 1
        for number in range(tries):
            self.aws.clock.advance(_RETRIED_AFTER[number])
            answer = self._answer(name, event)
            if not answer.error:
                return
        destination = config["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
        self.put(destination, json.dumps(record(self.arns[name], event, answer.error, tries)))

    def _has_messages(self, function: Function) -> bool:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        said = [
            sdk_client("sqs").get_queue_attributes(QueueUrl=self.urls[name], AttributeNames=list(names))["Attributes"]
            for name in function.queues
        ]
        return any(int(one[name]) for one in said for name in names)

    def _taken(self, function: Function) -> None:
        """As Lambda does it with a queue: what the function does not fail at is deleted."""
        sqs = sdk_client("sqs")
        for name, queue in function.queues.items():
            most = min(10, queue.batch_size)
            messages = sqs.receive_message(QueueUrl=self.urls[name], MaxNumberOfMessages=most).get("Messages", ())
            if not messages:
                continue
            records = [{"messageId": one["MessageId"], "body": one["Body"]} for one in messages]
            answer = self._answer(function.logical_id, {"Records": records})
            failed = {one["itemIdentifier"] for one in answer.result.get("batchItemFailures", ())}
            for message in () if answer.error else messages:
                if message["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=self.urls[name], ReceiptHandle=message["ReceiptHandle"])

    def _answer(self, name: str, event: Event) -> Invocation:
        self.answers.append(self.loop._invoke(stack().functions[name], event))
        return self.answers[-1]


def record(arn: str, event: object, error: str, tries: int = 3) -> dict[str, object]:
    """What Lambda sends to a destination on failure."""
    kind, _, message = error.partition(": ")
    return {
        "version": "1.0",
        "timestamp": "2026-11-02T09:03:00.000Z",
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": f"{arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": tries,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": message, "errorType": kind, "stackTrace": []},
    }


def _is_watched(patterns: Mapping[str, Any], event: Event) -> bool:
    return any(matches(pattern, event) for pattern in patterns.values())


def _invoke_config(function: str) -> Mapping[str, Any]:
    configs = stack().of_type("AWS::Lambda::EventInvokeConfig").values()
    return next((one for one in configs if one["FunctionName"] == {"Ref": function}), {})


@contextmanager
def deployed(world: str) -> Iterator[Deployed]:
    """The stack in a world in which nothing has happened yet."""
    with patch.dict(default_user_config, {"lambda": {"use_docker": False}}), emulate() as aws:
        build(WORLDS[world], sdk_client)
        loop = Loop(stack(), aws, sdk_client)
        resources = _create()
        urls = {name: one for name, one in resources.items() if one.startswith("https:")}
        arns = {name: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{resources[name]}" for name in stack().functions}
        queues = {name: f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}" for name, url in urls.items()}
        loop._refs = {**loop._refs, **urls}
        made = Deployed(aws=aws, loop=loop, urls=urls, arns={**arns, **queues})
        with patch.object(LambdaSimpleBackend, "invoke", _asking(made)):
            yield made


def _asking(made: Deployed) -> Any:
    def invoke(_: object, function_name: str, qualifier: object, body: bytes, headers: Any, answer: object) -> bytes:
        assert headers["X-Amz-Invocation-Type"] == "Event"
        [name] = [name for name, arn in made.arns.items() if arn.endswith(f":function:{function_name}")]
        made.asked.append((name, json.loads(body)))
        return b""

    return invoke


def _create() -> dict[str, str]:
    """Queues as the template has them, and a function for each of its functions; physical ids by logical ones."""
    queues = {
        name: {"Type": "AWS::SQS::Queue", "Properties": {key: one[key] for key in _OF_QUEUES if key in one}}
        for name, one in stack().of_type("AWS::SQS::Queue").items()
    }
    code = {"Code": {"ZipFile": "def handler(event, context): ..."}, "Runtime": "python3.13", "Handler": "app.handler"}
    functions = {
        name: {"Type": "AWS::Lambda::Function", "Properties": {**code, "Role": {"Fn::GetAtt": ["Role", "Arn"]}}}
        for name in stack().functions
    }
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17"}}}
    cloudformation = sdk_client("cloudformation")
    body = {"Resources": {"Role": role, **queues, **functions}}
    cloudformation.create_stack(StackName=NAME, TemplateBody=json.dumps(body))
    rows = cloudformation.list_stack_resources(StackName=NAME)["StackResourceSummaries"]
    return {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows}


def happened(made: Deployed, world: str) -> list[Event]:
    """Let the world's event happen; what EventBridge would have been sent of it."""
    before = len(made.aws.events)
    happen(WORLDS[world], sdk_client)
    return list(made.aws.events[before:])
