"""The cases that the rules about APIs share: nothing of an API could be read."""

from apprunner_guardrails.facts import Unread
from tests.cases import Case, Change, unknown
from tests.cases._healthy import unread
from tests.cases._healthy_path import set_api

INTEGRATIONS_UNREAD = (
    Case(
        name="unknown: integrations cannot be read",
        changes=(set_api(integrations=Unread(call="apigateway:GET", code="TooManyRequestsException")),),
        expect=unknown("apigateway:GET failed (TooManyRequestsException)"),
    ),
    Case(
        name="unknown: APIs cannot be read",
        changes=(unread("apis"),),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
    ),
)


def stages_unread(required: Change) -> tuple[Case, ...]:
    """Where the policy is required by that change of the settings."""
    return (
        Case(
            name="unknown: stages cannot be read",
            changes=(required, unread("stages")),
            expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
        ),
        Case(
            name="unknown: APIs cannot be read",
            changes=(required, unread("apis")),
            expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
        ),
    )
