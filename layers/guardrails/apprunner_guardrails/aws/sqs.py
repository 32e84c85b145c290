"""SQS: what is to come back to a function after a while."""

from apprunner_guardrails.aws.clients import FAILURES, Clients, said


def send(client: Clients, queue_url: str, body: str, delay_seconds: int) -> str:
    """Send a message that is delivered after `delay_seconds` (at most 900); what went wrong, empty if nothing did."""
    try:
        client("sqs").send_message(  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
            QueueUrl=queue_url, MessageBody=body, DelaySeconds=delay_seconds
        )
    except FAILURES as error:
        return f"{queue_url}: {said(error)}"
    return ""
