"""The deployed stack that a program is about."""

from typing import Any

from apprunner_guardrails.aws.clients import Clients
from programs.aws import Refused, Unusable, ask

_NO_STACK = "ValidationError"  # CloudFormation's answer for a name that no stack has


def ask_of(client: Clients, stack: str, method: str, otherwise: str = "", **parameters: object) -> Any:
    """What CloudFormation tells of the stack of this name. Raises Refused, and Unusable where there is none."""
    try:
        return ask(client, "cloudformation", method, StackName=stack, **parameters)
    except Refused as error:
        if error.code != _NO_STACK:
            raise
        raise Unusable(
            f"there is no stack {stack} in this account and Region: name the one that sam deploy has made"
            f" (STACK=name){otherwise}"
        ) from error
