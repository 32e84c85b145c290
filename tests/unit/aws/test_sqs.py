"""Messages to our own queue: what is sent, and that a failure is told and not raised."""

import json
from collections.abc import Mapping

import pytest

from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.sqs import send
from tests.aws import FAULTS, Aws, Fault, refused
from tests.bound_groups import QUEUE


def test_a_message_is_sent_as_it_is_and_delivered_later() -> None:
    body = json.dumps({"say": "日本 <&\"'>"})
    with Aws({}) as aws:
        assert send(client, QUEUE, body, 60) == ""
    assert aws.sent("sqs:SendMessage") == [{"QueueUrl": QUEUE, "MessageBody": body, "DelaySeconds": 60}]


FAILURES: Mapping[str, tuple[Fault, str]] = {
    "denied": (
        refused("AccessDenied", 403),
        "An error occurred (AccessDenied) when calling the SendMessage operation: no",
    ),
    "no such queue": (
        refused("AWS.SimpleQueueService.NonExistentQueue"),
        "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the SendMessage operation: no",
    ),
    "no connection": (FAULTS["no connection"], 'Connect timeout on endpoint URL: "https://sqs.test"'),
    "no answer": (FAULTS["no answer"], 'Read timeout on endpoint URL: "https://sqs.test"'),
}


@pytest.mark.parametrize(("fault", "why"), FAILURES.values(), ids=FAILURES)
def test_what_went_wrong_is_told_with_the_queue(fault: Fault, why: str) -> None:
    with Aws({}, {"sqs:SendMessage": fault}):
        assert send(client, QUEUE, "{}", 60) == f"{QUEUE}: {why}"
