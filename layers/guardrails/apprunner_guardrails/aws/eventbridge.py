"""EventBridge: transitions for machines, on the account's default bus."""

from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from apprunner_guardrails.aws.clients import Clients, said


def put_events(client: Clients, batch: Sequence[Mapping[str, object]]) -> Mapping[int, str]:
    """Put a batch of at most ten entries; what went wrong, by the entry's place. A part may fail in a success."""
    try:
        answer = client("events").put_events(Entries=list(batch))  # type: ignore[attr-defined]  # made from the model
    except (ClientError, BotoCoreError) as error:
        return dict.fromkeys(range(len(batch)), f"events:PutEvents: {said(error)}")
    return {
        place: f"events:PutEvents: {entry['ErrorCode']} {entry.get('ErrorMessage', '')}".strip()
        for place, entry in enumerate(answer.get("Entries", ()))
        if entry.get("ErrorCode")
    }
