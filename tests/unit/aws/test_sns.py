"""Publishing: what leaves is what was rendered, and what does not leave is an error."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from apprunner_guardrails.alerts.text import Message
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.sns import NotPublished, publish

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MESSAGES = {
    "plain": Message(
        subject="[HIGH] AR102: VPC connector shop-web in 123456789012 us-east-1",
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

    def received(self) -> list[dict[str, object]]:
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
    publish(client, topic.arn, message)
    (received,) = topic.received()
    assert (received["Subject"], received["Message"]) == (message.subject, message.body)
    assert received["MessageAttributes"] == {
        name: {"Type": data_type, "Value": value} for name, (data_type, value) in message.attributes.items()
    }


def test_a_topic_that_is_not_there_is_an_error_that_names_it(topic: Topic) -> None:
    with pytest.raises(NotPublished, match=f"did not reach {topic.arn}-gone: .*NotFound"):
        publish(client, f"{topic.arn}-gone", MESSAGES["plain"])
    assert topic.received() == []


def test_a_message_that_sns_would_refuse_is_an_error(topic: Topic) -> None:
    """The limits that rendering keeps to are SNS's: beyond them nothing is sent."""
    for message in (
        Message(subject="s" * 101, body="x", attributes={}),
        Message(subject="s", body="x" * 262_145, attributes={}),
        Message(subject="s", body="x", attributes={"empty": ("String", "")}),
    ):
        with pytest.raises(NotPublished):
            publish(client, topic.arn, message)
    assert topic.received() == []
