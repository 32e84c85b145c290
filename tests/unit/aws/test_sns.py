"""Publishing: what leaves is what was rendered, and what does not leave is told."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from apprunner_guardrails.alerts.text import Message
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.sns import BATCH, publish, publish_batch
from tests.aws import Aws, Fault, answered, refused
from tests.samples import TOPIC

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MESSAGES = {
    "plain": Message(
        subject="[HIGH] AR102 public subnet: VPC connector shop-web in 123456789012 us-east-1",
        body="VPC connector shop-web breaks 1 guardrail\n\n  - subnet-1 is public",
        attributes={
            "severity": ("String", "HIGH"),
            "rules": ("String.Array", '["AR102", "AR203"]'),
            "account": ("String", "123456789012"),
        },
    ),
    "odd": Message(
        subject="[UNKNOWN] 1 guardrail not judged: service ?$(x)<&\"'> in ? ?",
        body="日本 \U0001f600 <&\"'> %0A \\n & ?\n" + "x" * 100_000,
        attributes={"resource_type": ("String", "VPC connector"), "region": ("String", "?")},
    ),
    "as long as it gets": Message(subject="s" * 99, body="ü" * 100_000, attributes={"status": ("String", "fail")}),
}


@dataclass(frozen=True)
class Topic:
    """A topic with a queue that gets all that is published to it."""

    arn: str
    queue: str
    sqs: "SQSClient"

    def received(self) -> list[dict[str, Any]]:
        messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture
def topic() -> Iterator[Topic]:
    with mock_aws():
        sns, sqs = boto3.client("sns"), boto3.client("sqs")
        arn = sns.create_topic(Name="alerts")["TopicArn"]
        queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
        queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
        yield Topic(arn, queue, sqs)


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_message_arrives_as_it_was_rendered(message: Message, topic: Topic) -> None:
    assert publish(client, topic.arn, message) == ""
    (received,) = topic.received()
    assert (received["Subject"], received["Message"]) == (message.subject, message.body)
    assert received["MessageAttributes"] == {
        name: {"Type": data_type, "Value": value} for name, (data_type, value) in message.attributes.items()
    }


def test_a_topic_that_is_not_there_is_named_in_what_went_wrong(topic: Topic) -> None:
    why = publish(client, f"{topic.arn}-gone", MESSAGES["plain"])
    assert re.fullmatch(f"{topic.arn}-gone: .*NotFound.*", why)
    assert topic.received() == []


BEYOND = {
    "a long subject": Message(subject="s" * 101, body="x", attributes={}),
    "a long message": Message(subject="s", body="x" * 262_145, attributes={}),
    "an empty attribute": Message(subject="s", body="x", attributes={"empty": ("String", "")}),
}


@pytest.mark.parametrize("message", BEYOND.values(), ids=BEYOND)
def test_a_message_that_sns_would_refuse_has_not_been_published(message: Message, topic: Topic) -> None:
    """The limits that rendering keeps to are SNS's: beyond them nothing is sent."""
    assert publish(client, topic.arn, message).startswith(f"{topic.arn}: ")
    assert topic.received() == []


def small(number: int) -> Message:
    return Message(subject=f"subject {number}", body=f"body {number}", attributes={"number": ("String", str(number))})


def test_messages_arrive_each_as_it_was_rendered_ten_a_call(topic: Topic) -> None:
    messages = [small(number) for number in range(2 * BATCH + 1)]
    assert publish_batch(client, topic.arn, messages) == {}
    received = [one for _ in range(3) for one in topic.received()]
    assert sorted((one["Subject"], one["Message"], one["MessageAttributes"]) for one in received) == sorted(
        (
            message.subject,
            message.body,
            {name: {"Type": kind, "Value": value} for name, (kind, value) in message.attributes.items()},
        )
        for message in messages
    )


def test_nothing_is_published_where_there_is_nothing(topic: Topic) -> None:
    assert publish_batch(client, topic.arn, []) == {}
    assert topic.received() == []


def test_no_message_of_a_batch_reaches_a_topic_that_is_not_there(topic: Topic) -> None:
    failed = publish_batch(client, f"{topic.arn}-gone", [small(0), small(1)])
    assert set(failed) == {0, 1}
    assert re.fullmatch(f"{topic.arn}-gone: .*NotFound.*", failed[1])


def test_of_two_calls_the_one_that_fails_is_told_by_the_places_of_its_messages() -> None:
    second = refused("BatchRequestTooLong", when=lambda asked: asked["PublishBatchRequestEntries"][0]["Id"] == "10")
    with Aws({}, {"sns:PublishBatch": second}) as aws:
        failed = publish_batch(client, TOPIC, [small(number) for number in range(BATCH + 2)])
    assert set(failed) == {10, 11}
    assert failed[10].startswith(f"{TOPIC}: An error occurred (BatchRequestTooLong)")
    assert [len(asked["PublishBatchRequestEntries"]) for asked in aws.sent("sns:PublishBatch")] == [BATCH, 2]


def test_a_call_has_no_more_bytes_than_sns_takes_of_all_messages_together(topic: Topic) -> None:
    """What is too long together is refused as a whole, by this topic too."""
    long = [Message(subject="s", body="ü" * 50_000, attributes={"n": ("String", str(number))}) for number in range(5)]
    assert publish_batch(client, topic.arn, long) == {}
    assert sorted(one["MessageAttributes"]["n"]["Value"] for _ in range(3) for one in topic.received()) == list("01234")
    with Aws({}, {"sns:PublishBatch": refusing()}) as aws:
        publish_batch(client, TOPIC, [*long, *map(small, range(11))])
    sent = [asked["PublishBatchRequestEntries"] for asked in aws.sent("sns:PublishBatch")]
    assert [len(entries) for entries in sent] == [2, 2, 10, 2]
    assert [one["Id"] for entries in sent for one in entries] == [str(number) for number in range(16)]


def garbled(service: str) -> AWSResponse:
    raw = SimpleNamespace(stream=lambda *_, **__: iter([b"<!DOCTYPE html><p>Bad gateway"]))
    return AWSResponse("https://aws.test", 502, HTTPHeaders(), raw)


def test_an_answer_that_is_not_snss_is_no_success() -> None:
    fault = Fault(code="", respond=garbled)
    with Aws({}, {"sns:Publish": fault, "sns:PublishBatch": fault}):
        whys = [publish(client, TOPIC, small(0)), *publish_batch(client, TOPIC, [small(0), small(1)]).values()]
    assert [why.partition(" (")[0] for why in whys] == [f"{TOPIC}: Unable to parse response"] * 3


def refusing(*ids: str) -> Fault:
    return answered(
        lambda asked: {
            "Successful": [],
            "Failed": [
                {"Id": one, "Code": "InternalError", "Message": "try again", "SenderFault": False} for one in ids
            ],
        }
    )


def test_a_message_that_fails_in_a_call_that_succeeds_has_not_been_published() -> None:
    with Aws({}, {"sns:PublishBatch": refusing("1")}):
        assert publish_batch(client, TOPIC, [small(number) for number in range(3)]) == {
            1: f"{TOPIC}: InternalError try again"
        }
