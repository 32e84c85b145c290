"""Calls that change something of a user's: what went wrong is a value, as it is with reads."""

from collections.abc import Callable

from apprunner_guardrails.aws.clients import FAILURES
from apprunner_guardrails.aws.reads import unread
from apprunner_guardrails.facts import Unread


def tried(service: str, operation: str, call: Callable[[], object]) -> Unread | None:
    """Make the call; what went wrong, if something did."""
    try:
        call()
    except FAILURES as error:
        return unread(service, operation, error)
    return None
