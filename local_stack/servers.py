"""The two servers that stand for AWS, as processes of this one's that end with it."""

import errno
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).parent.parent
MINISTACK = ROOT / ".tools/ministack/bin/python"
HOST = "127.0.0.1"
REGION = "us-east-1"  # of the emulator's worlds
ACCOUNT = "123456789012"
_READY_SECONDS = 60
_END_SECONDS = 10
# What the functions and SAM are given: no account, no configuration of whoever runs this.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Unusable(Exception):
    """Something that it takes is not there, or failed; the text says what, and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Aws:
    """AWS on this machine: the addresses of the emulator (what is guarded) and of ministack (all else), and its log."""

    guarded: str
    others: str
    log: Path

    def client(self, service: str) -> Any:  # its type hangs on a literal
        """The SDK's client of one of ministack's services."""
        return _client(service, self.others)

    def guarded_client(self, service: str) -> Any:
        """The SDK's client of one of the services that are guarded."""
        return _client(service, self.guarded)

    def build(self, world: str) -> None:
        """Let one of the emulator's named worlds come into being, and what happens in it happen."""
        _ask(f"{self.guarded}/emulator/worlds/{world}", "POST")

    def happened(self, since: int) -> list[Mapping[str, Any]]:
        """The events that the guarded services have sent, without the first `since`."""
        events: list[Mapping[str, Any]] = _ask(f"{self.guarded}/emulator/events?since={since}", "GET")
        return events


@cache
def _client(service: str, address: str) -> Any:
    make: Any = _session().client
    return make(service, endpoint_url=address)


@cache
def _session() -> boto3.Session:
    """One for all: each reads the SDK's models anew."""
    return boto3.Session("testing", "testing", region_name=REGION)


def environment() -> dict[str, str]:
    """Ours, without the AWS set-up of whoever runs this, and without our packages on Python's path."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "PYTHONPATH"}
    return {**own, **CREDENTIALS, "SAM_CLI_TELEMETRY": "0"}


@contextmanager
def running(*, guarded_port: int = 0, others_port: int = 0) -> Iterator[Aws]:
    """Both servers on the loopback, until the end of the block; a port of 0 is any that is free.

    Raises Unusable if a port is taken, or a server does not start.
    """
    if not MINISTACK.exists():
        raise Unusable(f"{MINISTACK.relative_to(ROOT)} is not there: `make deploy-local` and `make e2e` install it")
    with (
        tempfile.TemporaryDirectory(prefix="apprunner-guardrails-") as name,
        _listener(others_port, "AWS_PORT") as listener,
    ):
        with _listener(guarded_port, "PORT") as free:
            guarded = _port(free)  # where the emulator then listens by itself
        folder = Path(name)
        aws = Aws(
            guarded=f"http://{HOST}:{guarded}",
            others=f"http://{HOST}:{_port(listener)}",
            log=folder / "ministack.log",
        )
        with _ministack(listener, aws.log) as others, _emulator(guarded, folder / "emulator.log") as emulator:
            listener.close()  # so that a connection is refused when the server has ended
            _await(f"{aws.others}/_ministack/health", others, aws.log)
            _await(f"{aws.guarded}/emulator/settings", emulator, folder / "emulator.log")
            yield aws


def _listener(port: int, name: str) -> socket.socket:
    """A socket that listens on a port of the loopback. `name` is what chooses the port: PORT."""
    try:
        return socket.create_server((HOST, port), backlog=128)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise Unusable(f"cannot listen on port {port} of {HOST}: {error.strerror or error}") from error
        raise Unusable(
            f"port {port} of {HOST} is taken: end what listens there, or choose another with {name}={port + 1}"
        ) from error


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _ministack(listener: socket.socket, log: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    own = {
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": HOST,  # of what it calls queues by
        "GATEWAY_PORT": str(_port(listener)),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",  # a minute in AWS, a second as ministack has it
        "TMPDIR": str(log.parent),
        "LOG_LEVEL": "WARNING",
        # What it would listen to on ports of its own.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    command = [str(MINISTACK), "-P", str(ROOT / "local_stack/cloud.py"), str(listener.fileno())]
    return _process(command, log, {**environment(), **own}, [listener.fileno()])


def _emulator(port: int, log: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/guardrails", "."))
    command = [sys.executable, "-m", "emulator", "--port", str(port)]
    return _process(command, log, {**environment(), "PYTHONPATH": path}, [])


@contextmanager
def _process(
    command: list[str], log: Path, environment: Mapping[str, str], sockets: list[int]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that Ctrl-C at the terminal does not reach: what is deployed there is deleted first."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=sockets,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _await(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _READY_SECONDS
    while True:
        try:
            _ask(address, "GET")
        except OSError as error:
            if server.poll() is not None or time.monotonic() > ends:
                raise Unusable(f"a server does not start; it says:\n{log.read_text(errors='replace')}") from error
            time.sleep(0.1)
        else:
            return


def _ask(address: str, method: str) -> Any:  # JSON
    request = urllib.request.Request(address, method=method)  # noqa: S310  # one of ours, on the loopback
    with urllib.request.urlopen(request, timeout=_READY_SECONDS) as answer:  # nosec B310  # noqa: S310  # as above
        return json.load(answer)
