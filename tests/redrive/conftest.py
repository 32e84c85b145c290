"""A stack with dead-letter queues, and the program to redrive them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apprunner_guardrails.aws.clients import client as sdk
from redrive.command_line import Machine, main
from tests.redrive.deployed import NAME, Deployed, deployed


def redrive(made: Deployed, *arguments: str, client: Callable[[str], Any] = sdk) -> int:
    """The exit status."""
    machine = Machine(
        client=client, now=made.aws.clock.now, seconds=lambda: made.aws.clock.now().timestamp(), wait_seconds=0
    )
    return main(["--stack", NAME, *arguments], machine)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs it for programs; what it has told."""

    def run(made: Deployed, *arguments: str, ends: int = 0, client: Callable[[str], Any] = sdk) -> Any:
        assert redrive(made, *arguments, "--format", "json", client=client) == ends
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def place() -> Iterator[Deployed]:
    with deployed("public-subnets") as made:
        yield made
