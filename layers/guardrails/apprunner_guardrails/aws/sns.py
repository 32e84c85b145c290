"""SNS: publishing alerts."""

from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from apprunner_guardrails.alerts.text import Message
from apprunner_guardrails.aws.clients import Clients

BATCH = 10  # messages a call (docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html)


def publish(client: Clients, topic_arn: str, message: Message) -> str:
    """Publish a message to the topic; what went wrong, empty if nothing did."""
    try:
        client("sns").publish(  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
            TopicArn=topic_arn, **_parameters(message)
        )
    except (ClientError, BotoCoreError) as error:
        return f"{topic_arn}: {error}"
    return ""


def publish_batch(client: Clients, topic_arn: str, messages: Sequence[Message]) -> Mapping[int, str]:
    """Publish messages, ten a call; what went wrong, by the message's place."""
    failed: dict[int, str] = {}
    for start in range(0, len(messages), BATCH):
        places = range(start, min(start + BATCH, len(messages)))
        entries = [{"Id": str(place), **_parameters(messages[place])} for place in places]
        try:
            answer = client("sns").publish_batch(  # type: ignore[attr-defined]  # as above
                TopicArn=topic_arn, PublishBatchRequestEntries=entries
            )
        except (ClientError, BotoCoreError) as error:
            failed |= dict.fromkeys(places, f"{topic_arn}: {error}")
            continue
        for refused in answer.get("Failed", ()):
            failed[int(refused["Id"])] = f"{topic_arn}: {refused.get('Code')} {refused.get('Message', '')}".strip()
    return failed


def _parameters(message: Message) -> Mapping[str, object]:
    attributes = {
        name: {"DataType": data_type, "StringValue": value} for name, (data_type, value) in message.attributes.items()
    }
    return {"Subject": message.subject, "Message": message.body, "MessageAttributes": attributes}
