"""SNS: publishing alerts."""

from collections.abc import Callable

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from apprunner_guardrails.alerts.text import Message


class NotPublished(Exception):
    """An alert did not reach its topic. The invocation must fail, so that it is tried again."""


def publish(client: Callable[[str], BaseClient], topic_arn: str, message: Message) -> None:
    """Publish to the topic, or raise NotPublished."""
    attributes = {
        name: {"DataType": data_type, "StringValue": value} for name, (data_type, value) in message.attributes.items()
    }
    try:
        client("sns").publish(  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
            TopicArn=topic_arn, Subject=message.subject, Message=message.body, MessageAttributes=attributes
        )
    except (ClientError, BotoCoreError) as error:
        raise NotPublished(f"the alert {message.subject!r} did not reach {topic_arn}: {error}") from error
