"""What tests/conftest.py promises to every test."""

import os
import socket
from contextlib import suppress

import pytest

from apprunner_guardrails.aws.clients import client


def test_reaching_out_fails_the_test_though_the_caller_catches_every_exception() -> None:
    def careless() -> None:
        with suppress(Exception):
            client("ec2").describe_availability_zones()  # type: ignore[attr-defined]  # made from the service's model

    with pytest.raises(pytest.fail.Exception, match=r"^a test reached out to ec2\.us-east-1\.amazonaws\.com$"):
        careless()


def test_an_address_is_reached_no_more_than_a_name() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"^a test reached out to 192\.0\.2\.1$"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as here:
        assert here.getpeername() == server.getsockname()


def test_no_other_account_is_known() -> None:
    assert {name for name in os.environ if name.startswith("AWS_")} == {
        "AWS_ACCESS_KEY_ID",
        "AWS_CONFIG_FILE",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SHARED_CREDENTIALS_FILE",
    }
