"""SNS: publishing alerts."""

from collections.abc import Mapping, Sequence

from apprunner_guardrails.alerts.text import Message
from apprunner_guardrails.aws.clients import FAILURES, Clients, said
from apprunner_guardrails.batches import batched_by_size

# Of a call: messages, and bytes with some room, as SNS takes 262,144 of all of them together
# (docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html).
BATCH, BYTES = 10, 250_000


def publish(client: Clients, topic_arn: str, message: Message) -> str:
    """Publish a message to the topic; what went wrong, empty if nothing did."""
    try:
        client("sns").publish(  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
            TopicArn=topic_arn, **_parameters(message)
        )
    except FAILURES as error:
        return f"{topic_arn}: {said(error)}"
    return ""


def publish_batch(client: Clients, topic_arn: str, messages: Sequence[Message]) -> Mapping[int, str]:
    """Publish messages, as many together as a call takes; what went wrong, by the message's place."""
    failed: dict[int, str] = {}
    for places in batched_by_size([_size(one) for one in messages], most=BATCH, limit=BYTES):
        entries = [{"Id": str(place), **_parameters(messages[place])} for place in places]
        try:
            answer = client("sns").publish_batch(  # type: ignore[attr-defined]  # as above
                TopicArn=topic_arn, PublishBatchRequestEntries=entries
            )
        except FAILURES as error:
            failed |= dict.fromkeys(places, f"{topic_arn}: {said(error)}")
            continue
        for refused in answer.get("Failed", ()):
            failed[int(refused["Id"])] = f"{topic_arn}: {refused.get('Code')} {refused.get('Message', '')}".strip()
    return failed


def _size(message: Message) -> int:
    attributes = (text for name, typed in message.attributes.items() for text in (name, *typed))
    return sum(len(text.encode()) for text in (message.subject, message.body, *attributes))


def _parameters(message: Message) -> Mapping[str, object]:
    attributes = {
        name: {"DataType": data_type, "StringValue": value} for name, (data_type, value) in message.attributes.items()
    }
    return {"Subject": message.subject, "Message": message.body, "MessageAttributes": attributes}
