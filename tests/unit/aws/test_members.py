"""Clients for a member: whose credentials, which calls stay at home, and what is refused."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from apprunner_guardrails.aws import members
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.members import NotAssumed, clients_at
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.members import Place
from tests.samples import ACCOUNT, REGION, SETTINGS

NOW = 1_795_000_000
ROLE = "arn:aws:iam::210987654321:role/guardrails-member"
GUARDING = replace(SETTINGS, member_role_name="guardrails-member", member_external_id="x-1")
MEMBER = Place(account="210987654321", region="eu-west-1", home=False)


class Sts:
    """STS at home, with what it was asked; other services are their names."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.error = error

    def __call__(self, service: str) -> BaseClient:
        return cast(
            BaseClient, SimpleNamespace(assume_role=self.assume_role) if service == "sts" else f"home {service}"
        )

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self.error:
            raise self.error
        number = len(self.asked)
        expiration = datetime.fromtimestamp(NOW + 3600 * number, UTC)
        given = {"AccessKeyId": f"ASIA{number}", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": expiration}
        return {"Credentials": given}


@pytest.fixture(autouse=True)
def _nothing_assumed() -> Iterator[None]:
    members._assumed.clear()
    yield
    members._assumed.clear()


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "AssumeRole")


def key_of(made: Any) -> str:
    key: str = made._request_signer._credentials.access_key
    return key


def at(client: Sts, now: int = NOW, settings: Any = GUARDING, place: Place = MEMBER) -> Clients:
    found = clients_at(place, client, settings, lambda: now)
    assert not isinstance(found, Unread)
    return found


def test_at_home_nothing_is_assumed() -> None:
    client = Sts()
    assert clients_at(Place(account=ACCOUNT, region=REGION), client, GUARDING, lambda: NOW) is client
    assert client.asked == []


def test_a_member_is_read_with_its_own_role_in_its_own_region_and_told_of_at_home() -> None:
    client = Sts()
    there = at(client)
    assert client.asked == [
        {
            "RoleArn": ROLE,
            "RoleSessionName": "apprunner-guardrails",
            "DurationSeconds": 3600,
            "ExternalId": "x-1",
        }
    ]
    for service in ("apprunner", "ec2", "elbv2", "apigateway", "apigatewayv2", "service-quotas"):
        made = there(service)
        assert made is there(service)
        assert made.meta.region_name == "eu-west-1"
        assert key_of(made) == "ASIA1"
    for service in ("dynamodb", "sns", "sqs", "events", "securityhub"):
        assert cast(object, there(service)) == f"home {service}"


def test_without_an_external_id_none_is_sent() -> None:
    client = Sts()
    at(client, settings=replace(GUARDING, member_external_id=""))
    assert "ExternalId" not in client.asked[0]


def test_credentials_serve_all_regions_of_an_account_until_they_would_not_last_an_invocation() -> None:
    client = Sts()
    keys = [
        key_of(at(client, now, place=replace(MEMBER, region=region))("ec2"))
        for now, region in ((NOW, "eu-west-1"), (NOW + 2600, "us-east-1"), (NOW + 2700, "eu-west-1"))
    ]
    assert keys == ["ASIA1", "ASIA1", "ASIA2"]
    at(client, place=replace(MEMBER, account="345678901234"))
    at(client, settings=replace(GUARDING, member_external_id="x-2"))
    assert len(client.asked) == 4


@pytest.mark.parametrize(
    "code", ["AccessDenied", "AccessDeniedException", "RegionDisabledException", "ValidationError"]
)
def test_an_account_that_lets_nobody_in_is_a_fact_and_no_error(code: str) -> None:
    assert clients_at(MEMBER, Sts(refusal(code)), GUARDING) == Unread(call="sts:AssumeRole", code=code)


@pytest.mark.parametrize(
    "error",
    [
        *map(refusal, ("Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable")),
        *map(refusal, ("InternalFailure", "TooManyRequestsException")),
        EndpointConnectionError(endpoint_url="https://sts.test"),
    ],
    ids=lambda error: error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__,
)
def test_what_may_pass_is_tried_again(error: ClientError | BotoCoreError) -> None:
    with pytest.raises(NotAssumed, match=f"the role {ROLE} could not be assumed: sts:AssumeRole failed"):
        clients_at(MEMBER, Sts(error), GUARDING)


def test_a_refusal_is_not_remembered() -> None:
    assert isinstance(clients_at(MEMBER, Sts(refusal("AccessDenied")), GUARDING), Unread)
    assert callable(at(Sts()))


def test_botocore_logs_no_credentials_whatever_level_lambda_sets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    at(Sts())("sts")
    assert not logging.getLogger("botocore.parsers").isEnabledFor(logging.DEBUG)
