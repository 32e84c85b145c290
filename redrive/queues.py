"""The stack's dead-letter queues, what is in them, and the calls that send it back or drop it.

A message that is looked at is hidden from everybody else until it is released, or for HIDDEN_SECONDS: whatever ends
this program, nothing is gone that was not deleted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from apprunner_guardrails.aws.clients import Clients
from programs.aws import Refused, Unusable, ask
from programs.stack import ask_of
from redrive.letters import Destination, Letter, Place, Places

HIDDEN_SECONDS = 600
SUFFIX = "DeadLetterQueue"  # what the logical ids of dead-letter queues end with
_BATCH = 10  # the most that SQS takes or gives at once
_SYSTEM = ("SentTimestamp", "DeadLetterQueueSourceArn")
_QUEUE, _FUNCTION = "AWS::SQS::Queue", "AWS::Lambda::Function"


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """A dead-letter queue: ValidateNetworkDeadLetterQueue is `name`d ValidateNetwork."""

    name: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    queues: tuple[Queue, ...]
    places: Places


@dataclass(frozen=True, kw_only=True, slots=True)
class Depth:
    """About how many messages a queue has, how many more of them are hidden just now, and how long it keeps them."""

    waiting: int
    hidden: int
    kept_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A message that is hidden for us. `hidden_until` is by our own clock."""

    queue: Queue
    letter: Letter
    handle: str = field(repr=False)
    hidden_until: float


def stack(client: Clients, name: str, account: str, region: str, chosen: str) -> Stack:
    """The dead-letter queues of the stack of this name, all or the `chosen` one, and where letters may be sent to.

    Raises Unusable.
    """
    queues: list[Queue] = []
    places: dict[Place, Destination] = {}
    for logical_id, kind, physical_id in _resources(client, name):
        if kind == _QUEUE and logical_id.endswith(SUFFIX):
            queues.append(Queue(name=logical_id.removesuffix(SUFFIX), url=physical_id))
        elif kind == _QUEUE:
            place = ("sqs", region, account, physical_id.rpartition("/")[2])
            places[place] = Destination(kind="queue", logical_id=logical_id, address=physical_id)
        elif kind == _FUNCTION:
            place = ("lambda", region, account, physical_id)
            places[place] = Destination(kind="function", logical_id=logical_id, address=physical_id)
    names = sorted(one.name for one in queues)
    if not names:
        raise Unusable(f"the stack {name} has no dead-letter queue: it is another stack")
    if chosen and chosen.removesuffix(SUFFIX) not in names:
        raise Unusable(f"the stack {name} has no dead-letter queue {chosen}; there are {', '.join(names)}")
    wanted = {chosen.removesuffix(SUFFIX)} if chosen else set(names)
    found = sorted((one for one in queues if one.name in wanted), key=lambda one: one.name)
    return Stack(queues=tuple(found), places=places)


def _resources(client: Clients, name: str) -> list[tuple[str, str, str]]:
    """Logical id, type and physical id of each resource."""
    found: list[Mapping[str, str]] = []
    token: dict[str, str] = {}
    is_last = False
    while not is_last:
        answer = ask_of(client, name, "list_stack_resources", **token)
        found += answer["StackResourceSummaries"]
        token = {"NextToken": answer.get("NextToken") or ""}
        is_last = not token["NextToken"]
    return [
        (one["LogicalResourceId"], one["ResourceType"], one["PhysicalResourceId"])
        for one in found
        if one["ResourceType"] in (_QUEUE, _FUNCTION) and one.get("PhysicalResourceId")
    ]


def depth(client: Clients, queue: Queue) -> Depth:
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "MessageRetentionPeriod")
    said = ask(client, "sqs", "get_queue_attributes", QueueUrl=queue.url, AttributeNames=list(names))["Attributes"]
    waiting, hidden, kept = (int(said[name]) for name in names)
    return Depth(waiting=waiting, hidden=hidden, kept_seconds=kept)


def receive(client: Clients, queue: Queue, most: int, wait_seconds: int, now: float) -> list[Held]:
    """Hide and give at most `most` messages, and at most ten; none if the queue has no more.

    `wait_seconds` of 1 or more have all of SQS's servers asked: few messages are easily missed otherwise.
    """
    answer = ask(
        client,
        "sqs",
        "receive_message",
        QueueUrl=queue.url,
        MaxNumberOfMessages=min(most, _BATCH),
        VisibilityTimeout=HIDDEN_SECONDS,
        WaitTimeSeconds=wait_seconds,
        MessageSystemAttributeNames=list(_SYSTEM),
        MessageAttributeNames=["All"],
    )
    until = now + HIDDEN_SECONDS
    return [
        Held(queue=queue, letter=_letter(one), handle=one["ReceiptHandle"], hidden_until=until)
        for one in answer.get("Messages", ())
    ]


def _letter(message: Mapping[str, Any]) -> Letter:
    system = message.get("Attributes", {})
    said = message.get("MessageAttributes", {})
    return Letter(
        id=message["MessageId"],
        body=message["Body"],
        sent=int(system.get("SentTimestamp", 0)) // 1000,
        attributes={name: str(one["StringValue"]) for name, one in said.items() if "StringValue" in one},
        source=system.get("DeadLetterQueueSourceArn", ""),
    )


def send(client: Clients, to: Destination, payload: str) -> None:
    """Raises Refused."""
    if to.kind == "queue":
        ask(client, "sqs", "send_message", QueueUrl=to.address, MessageBody=payload)
    else:
        ask(client, "lambda", "invoke", FunctionName=to.address, InvocationType="Event", Payload=payload.encode())


def delete(client: Clients, held: Held) -> None:
    """Raises Refused."""
    ask(client, "sqs", "delete_message", QueueUrl=held.queue.url, ReceiptHandle=held.handle)


def release(client: Clients, held: Collection[Held]) -> int:
    """Let everybody see them again; how many could not be released, and come back by themselves."""
    failed = 0
    by_url: dict[str, list[Held]] = {}
    for one in held:
        by_url.setdefault(one.queue.url, []).append(one)
    for url, ours in by_url.items():
        for some in batched(ours, _BATCH, strict=False):
            try:
                answer = ask(client, "sqs", "change_message_visibility_batch", QueueUrl=url, Entries=_entries(some))
                # Our fault it is where it is hidden no more: it is gone, or its time was over.
                failed += sum(not one["SenderFault"] for one in answer.get("Failed", ()))
            except Refused:
                failed += len(some)
    return failed


def _entries(held: Sequence[Held]) -> list[dict[str, object]]:
    return [{"Id": str(place), "ReceiptHandle": one.handle, "VisibilityTimeout": 0} for place, one in enumerate(held)]
