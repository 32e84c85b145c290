"""Asking AWS for one thing, where a refusal ends the program in words that say what to do."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from apprunner_guardrails.alerts import safe
from apprunner_guardrails.aws.clients import FAILURES, Clients
from apprunner_guardrails.aws.reads import unread

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
# Calls that IAM has another name for.
_PERMITTED_BY = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
# By the SDK's exception, or by AWS's error code.
_KNOWN = {
    "NoRegionError": "no Region is set: put it into AWS_REGION, or into the profile",
    "NoCredentialsError": "no credentials are found: sign in, or choose a profile with AWS_PROFILE",
    **dict.fromkeys(
        (
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "SSOTokenLoadError",
            "TokenRetrievalError",
            "UnauthorizedSSOTokenError",
        ),
        "the credentials have expired: sign in, and run it again",
    ),
    **dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidSignatureException", "SignatureDoesNotMatch"),
        "AWS does not know these credentials: sign in, or choose a profile with AWS_PROFILE",
    ),
}


class Unusable(Exception):
    """It cannot go on; the text says why, and what to do."""


class Refused(Unusable):
    """A call failed; `code` is AWS's error code, or the kind of failure where it did not answer."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


def usable(clients: Clients) -> Clients:
    """The same clients. They raise Unusable for a setting that botocore cannot use, such as an address that is none."""

    def client(service: str) -> Any:
        try:
            made = clients(service)
            _ = urlsplit(made.meta.endpoint_url).port  # which botocore does not look at before a call
        except FAILURES:
            raise
        except ValueError as error:
            raise Unusable(
                f"no call can be made ({safe(str(error))}): look at AWS_ENDPOINT_URL and its like, in the environment"
                " and the profile"
            ) from error
        return made

    return client


def ask(client: Clients, service: str, method: str, **parameters: object) -> Any:
    """The answer of `ask(client, "sts", "get_caller_identity")` as botocore parsed it. Raises Refused."""
    try:
        call: Callable[..., Any] = getattr(client(service), method)
        return call(**parameters)
    except FAILURES as error:
        raise refused(service, method, error) from error


def region(client: Clients, service: str) -> str:
    """The Region that calls of the service go to. Raises Refused where none is chosen: not every service minds, STS
    does not."""
    try:
        name: str = client(service).meta.region_name
    except FAILURES as error:
        raise unsent(error) from error
    return name


def account(client: Clients) -> str:
    """Whose credentials these are. Raises Refused."""
    return str(ask(client, "sts", "get_caller_identity")["Account"])


def refused(service: str, method: str, error: Exception) -> Refused:
    failed = unread(service, method.title().replace("_", ""), error)
    if failed.code in DENIED:
        return Refused(
            f"these credentials lack the permission {_PERMITTED_BY.get(failed.call, failed.call)}", failed.code
        )
    return Refused(_KNOWN.get(failed.code) or f"{failed}: {safe(str(error))}", failed.code)


def unsent(error: Exception) -> Refused:
    """Of a failure on this side of AWS, whichever call it was."""
    code = type(error).__name__
    return Refused(_KNOWN.get(code) or f"no call can be made ({code}): {safe(str(error))}", code)
