"""STS: clients that read in a member account, with the role that organization.yaml makes there."""

import time
from collections.abc import Callable

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from apprunner_guardrails.aws.clients import Clients, Credentials, clients_with
from apprunner_guardrails.aws.reads import unread
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.members import Place, role_arn
from apprunner_guardrails.settings import Settings

# What is the deployment's own wherever it looks: its table, its topics, its queues, its bus.
_AT_HOME = frozenset({"dynamodb", "events", "securityhub", "sns", "sqs", "sts"})
_SECONDS = 3600  # the most that a role may be assumed for by a role: docs.aws.amazon.com/STS/latest/APIReference/
_SPARE = 960  # longer than an invocation may take: what is begun with them can be finished
_TRY_AGAIN = ("Throttl", "RequestLimitExceeded", "TooManyRequests", "ServiceUnavailable", "InternalFailure")


class NotAssumed(Exception):
    """STS gave no answer, or asked for patience: the invocation is to be tried again."""


_assumed: dict[tuple[str, str], Credentials] = {}  # by the role and the external id, across invocations


def clients_at(
    place: Place, client: Clients, settings: Settings, now: Callable[[], float] = time.time
) -> Clients | Unread:
    """The clients to look at a place with; Unread where its account lets nobody in. Raises NotAssumed."""
    if place.home:
        return client
    credentials = _credentials(place.account, client, settings, now)
    if isinstance(credentials, Unread):
        return credentials
    there = clients_with(credentials, place.region)

    def client_of(service: str) -> BaseClient:
        return client(service) if service in _AT_HOME else there(service)

    return client_of


def _credentials(account: str, client: Clients, settings: Settings, now: Callable[[], float]) -> Credentials | Unread:
    role = role_arn(account, settings)
    known = _assumed.get((role, settings.member_external_id))
    if known and known.expires - _SPARE > now():
        return known
    sts = client("sts")
    try:
        answer = sts.assume_role(  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
            RoleArn=role,
            RoleSessionName="apprunner-guardrails",
            DurationSeconds=_SECONDS,
            **({"ExternalId": settings.member_external_id} if settings.member_external_id else {}),
        )
    except ClientError as error:
        failed = unread("sts", "AssumeRole", error)
        if failed.code.startswith(_TRY_AGAIN):
            raise NotAssumed(f"the role {role} could not be assumed: {failed}") from error
        return failed
    except BotoCoreError as error:
        raise NotAssumed(f"the role {role} could not be assumed: {unread('sts', 'AssumeRole', error)}") from error
    given = answer["Credentials"]
    credentials = Credentials(
        access_key=given["AccessKeyId"],
        secret_key=given["SecretAccessKey"],
        token=given["SessionToken"],
        expires=int(given["Expiration"].timestamp()),
    )
    _assumed[role, settings.member_external_id] = credentials
    return credentials
