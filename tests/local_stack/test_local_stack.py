"""What `make deploy-local` says before anything runs. What it then does, tests/e2e/test_deployment.py shows."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack import __main__ as program
from local_stack import servers
from local_stack.servers import Unusable, environment, running


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if ministack were: no test here comes so far as to start it."""
    monkeypatch.setattr(servers, "MINISTACK", Path(sys.executable))


@pytest.fixture
def same_signals() -> Iterator[None]:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(("argument", "name"), [("guarded_port", "PORT"), ("others_port", "AWS_PORT")])
def test_a_port_that_is_taken_is_named_with_what_chooses_another(
    installed: None, taken: int, argument: str, name: str
) -> None:
    said = f"port {taken} of 127.0.0.1 is taken: end what listens there, or choose another with {name}={taken + 1}"
    with pytest.raises(Unusable) as raised, running(**{argument: taken}):
        pass
    assert str(raised.value) == said


def test_without_ministack_it_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "MINISTACK", servers.ROOT / ".tools/none/bin/python")
    with pytest.raises(Unusable) as raised, running():
        pass
    assert str(raised.value) == ".tools/none/bin/python is not there: `make deploy-local` and `make e2e` install it"


def test_a_server_that_does_not_start_is_quoted(installed: None) -> None:
    with pytest.raises(Unusable) as raised, running():  # Python without ministack
        pass
    assert "a server does not start; it says:\n" in str(raised.value)
    assert "ModuleNotFoundError: No module named 'hypercorn'" in str(raised.value)


def test_what_cannot_be_used_ends_the_program_with_one_line(
    installed: None, same_signals: None, taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["--port", "0", "--aws-port", str(taken)]) == 2
    said = capsys.readouterr()
    assert said.err == (
        f"deploy-local: port {taken} of 127.0.0.1 is taken: end what listens there, or choose another with"
        f" AWS_PORT={taken + 1}\n"
    )


@pytest.mark.parametrize("port", ["-1", "65536", "web"])
def test_a_port_is_a_number_that_there_is(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        program.main([f"--port={port}"])
    assert raised.value.code == 2
    assert f"'{port}' is not a port: they go from 0 to 65535" in capsys.readouterr().err


def test_nothing_of_a_persons_aws_and_of_our_packages_gets_into_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "PYTHONPATH"):
        monkeypatch.setenv(name, "a person's")
    given = environment()
    assert {name: value for name, value in given.items() if name.startswith("AWS_")} == servers.CREDENTIALS
    assert "PYTHONPATH" not in given
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_what_is_left_behind_is_named_by_kind() -> None:
    before = {"queues": ["a"], "topics": ["t"]}
    assert program._left(before, {"queues": ["a"], "topics": []}) == ""
    assert program._left(before, {"queues": ["a", "c", "b"], "topics": ["u"]}) == "queues: b, c; topics: u"
