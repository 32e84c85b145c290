"""Clients for whatever environment the process has at the moment, and how long they try."""

from collections.abc import Iterator
from typing import Any

import pytest

from apprunner_guardrails.aws import clients
from apprunner_guardrails.aws.clients import client
from tests.aws import FAULTS, refused, validated
from tests.samples import created_connector, healthy

FUNCTION_TIMEOUT = 60


@pytest.fixture
def new_clients() -> Iterator[None]:
    """Clients whose retries nobody has used up: botocore grants a client only so many."""
    clients._client.cache_clear()
    yield
    clients._client.cache_clear()


def test_one_environment_has_one_client_a_service() -> None:
    assert client("ec2") is client("ec2")
    assert client("ec2") is not client("sns")


def test_a_changed_environment_has_a_client_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before = client("sns")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:5001")
    emulated = client("sns")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert (before.meta.endpoint_url, emulated.meta.endpoint_url, client("sns") is before) == (
        "https://sns.us-east-1.amazonaws.com",
        "http://localhost:5001",
        True,
    )


def test_a_service_may_have_an_endpoint_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:5001")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://localhost:5002")
    assert [client(service).meta.endpoint_url for service in ("apprunner", "ec2", "sns")] == [
        "http://localhost:5001",
        "http://localhost:5002",
        "http://localhost:5001",
    ]


def test_an_empty_endpoint_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """SAM passes an empty parameter on as an empty variable."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    assert client("apprunner").meta.endpoint_url == "https://apprunner.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
    ],
    ids=["Lambda's variable wins", "that of the command line will do"],
)
def test_the_region_is_that_of_the_environment(
    variables: dict[str, str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert client("ec2").meta.region_name == region


@pytest.mark.usefixtures("new_clients")
@pytest.mark.parametrize("fault", ["throttled", "no answer", "no connection", "broken"])
def test_a_call_is_tried_three_times(fault: str) -> None:
    aws = validated(created_connector(), healthy(), faults={"ec2:DescribeSubnets": FAULTS[fault]}).aws
    assert aws.tries == ["ec2:DescribeSubnets"] * 3
    assert len(aws.slept) == 2
    assert sum(aws.slept) <= 3


@pytest.mark.usefixtures("new_clients")
def test_a_denied_call_is_not_tried_again() -> None:
    denied = refused("UnauthorizedOperation", 403)
    aws = validated(created_connector(), healthy(), faults={"ec2:DescribeSubnets": denied}).aws
    assert (aws.tries, aws.slept) == (["ec2:DescribeSubnets"], [])


def test_two_reads_that_hang_one_after_the_other_leave_time_to_say_so() -> None:
    config: Any = client("ec2").meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    longest = 3 * (config.connect_timeout + config.read_timeout) + 3  # and what is waited between tries
    assert 2 * longest + config.connect_timeout + config.read_timeout < FUNCTION_TIMEOUT
