"""Clients for whatever environment the process has at the moment, and how long they try."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import botocore.httpsession
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails import __version__
from apprunner_guardrails.aws import clients
from apprunner_guardrails.aws.clients import client, said, with_paced_retries
from tests.aws import FAULTS, refused, validated
from tests.samples import created_connector, healthy

FUNCTION_TIMEOUT = 60


@pytest.fixture
def new_clients() -> Iterator[None]:
    """Clients whose retries nobody has used up: botocore grants a client only so many."""
    clients._clients.cache_clear()
    yield
    clients._clients.cache_clear()


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


def test_each_call_names_the_guardrails_and_their_version() -> None:
    """CloudTrail has it as userAgent: whose calls these are, and which version made them."""
    agents: list[str] = []

    def sent(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        agent: Any = request.headers["User-Agent"]
        agents.append(agent.decode())
        return FAULTS["denied"].respond("ec2")

    ec2: Any = client("ec2")
    ec2.meta.events.register("before-send.ec2", sent)
    try:
        with pytest.raises(ClientError):
            ec2.describe_subnets()
    finally:
        ec2.meta.events.unregister("before-send.ec2", sent)
    (agent,) = agents
    assert f"apprunner-guardrails/{__version__}" in agent.split()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ClientError({"Error": {"Code": "AuthorizationError", "Message": "alice may not"}}, "Publish"),
            "An error occurred (AuthorizationError) when calling the Publish operation: alice may not",
        ),
        (ReadTimeoutError(endpoint_url="https://sns.test"), 'Read timeout on endpoint URL: "https://sns.test"'),
        (
            ParamValidationError(report="Invalid type for parameter Message, value: x9-secret-x9"),
            "ParamValidationError",
        ),
    ],
    ids=["AWS's words", "the SDK's words", "what quotes a parameter"],
)
def test_what_a_call_failed_with_is_told_without_its_parameters(error: Exception, told: str) -> None:
    assert said(error) == told


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


# What is sent again ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Throttling:
    """AWS at a port of this machine, which answers nothing but that it is too much; `log` has what happened, in order,
    and `said` the header of each try that says which it is."""

    log: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def pace_of(self, operation: str) -> Callable[[], None]:
        return lambda: self.log.append(f"waited for {operation}")


@pytest.fixture
def throttling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Throttling]:
    aws = Throttling()

    class TooMuch(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            aws.log.append("sent")
            aws.said.append(self.headers["amz-sdk-request"])
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    backing_off = SimpleNamespace(sleep=lambda _: aws.log.append("backed off"))
    with ThreadingHTTPServer(("127.0.0.1", 0), TooMuch) as server, patch("botocore.endpoint.time", backing_off):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield aws
        server.shutdown()


def describe(made: BaseClient) -> None:
    balancing: Any = made
    with pytest.raises(ClientError, match="reached max retries: 2"):
        balancing.describe_target_health(TargetGroupArn="orders")


def register(made: BaseClient) -> None:
    balancing: Any = made
    with pytest.raises(ClientError, match="reached max retries: 2"):
        balancing.register_targets(TargetGroupArn="orders", Targets=[{"Id": "10.0.1.5", "Port": 443}])


@pytest.mark.parametrize(("call", "operation"), [(describe, "DescribeTargetHealth"), (register, "RegisterTargets")])
def test_each_try_but_the_first_waits_for_the_turn_of_its_operation_after_backing_off(
    call: Callable[[BaseClient], None], operation: str, throttling: Throttling
) -> None:
    call(with_paced_retries(client, throttling.pace_of)("elbv2"))
    assert throttling.log == ["sent", *["backed off", f"waited for {operation}", "sent"] * 2]
    assert [re.sub(r"ttl=\w+", "ttl=…", one) for one in throttling.said] == [
        "attempt=1",
        "ttl=…; attempt=2; max=3",
        "ttl=…; attempt=3; max=3",
    ]


def test_a_client_waits_for_the_run_that_asked_for_it_last(throttling: Throttling) -> None:
    earlier: list[str] = []
    first = with_paced_retries(client, lambda operation: lambda: earlier.append(operation))
    first("elbv2")
    register(with_paced_retries(client, throttling.pace_of)("elbv2"))
    assert (earlier, throttling.log.count("waited for RegisterTargets")) == ([], 2)


def test_however_many_ask_for_a_client_at_once_each_try_waits_once(throttling: Throttling) -> None:
    paced, at_once = with_paced_retries(client, throttling.pace_of), threading.Barrier(4, timeout=10)

    def work() -> None:
        at_once.wait()
        register(paced("elbv2"))

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work) for _ in range(4)]:
            done.result()
    assert (throttling.log.count("sent"), throttling.log.count("waited for RegisterTargets")) == (12, 8)


def test_what_is_no_client_of_the_sdk_is_given_out_as_it_is() -> None:
    stand_in = cast("BaseClient", SimpleNamespace())
    assert with_paced_retries(lambda _: stand_in, lambda _: lambda: None)("elbv2") is stand_in


# Connections ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Contexts of TLS that this test makes, where nobody has set whom to trust."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    clients._trusting.cache_clear()
    clients._clients.cache_clear()
    yield
    clients._trusting.cache_clear()
    clients._clients.cache_clear()


def session_of(service: str) -> Any:
    made: Any = client(service)
    return made._endpoint.http_session


@pytest.mark.usefixtures("trusting")
def test_the_authorities_are_read_once_for_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    read: list[object] = []
    load = ssl.SSLContext.load_verify_locations

    def loaded(context: ssl.SSLContext, *places: Any, **named: Any) -> None:
        read.append((*places, *named.values()))
        load(context, *places, **named)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", loaded)
    sessions = [session_of(service) for service in ("ec2", "sns")]
    pools = [one._manager.connection_from_url("https://aws.test") for one in sessions]
    for session, pool in zip(sessions, pools, strict=True):
        session._setup_ssl_cert(pool, "https://aws.test", session._verify)
    assert [(pool.ca_certs, pool.cert_reqs) for pool in pools] == [(None, "CERT_REQUIRED")] * 2
    assert len(read) == 1
    (context,) = {session._manager.connection_pool_kw["ssl_context"] for session in sessions}
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) > 100


@pytest.mark.usefixtures("trusting")
def test_a_list_of_authorities_of_ones_own_is_the_one_that_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    first = Path(botocore.httpsession.DEFAULT_CA_BUNDLE).read_text().partition("-----END CERTIFICATE-----")
    own = tmp_path / "own.pem"
    own.write_text(first[0] + first[1] + "\n")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(own))
    assert len(session_of("ec2")._manager.connection_pool_kw["ssl_context"].get_ca_certs()) == 1


@pytest.mark.usefixtures("trusting")
def test_authorities_that_are_laid_out_one_by_one_are_read_when_they_are_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    (tmp_path / "cacert").mkdir()
    monkeypatch.setattr(clients, "get_cert_path", lambda _: str(tmp_path / "cacert.pem"))
    context = session_of("ec2")._manager.connection_pool_kw["ssl_context"]
    assert (context.verify_mode, context.get_ca_certs()) == (ssl.CERT_REQUIRED, [])


@pytest.mark.usefixtures("trusting")
def test_requests_leave_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body are sent apart, and Linux would keep the second back."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    options = session_of("sns")._manager.connection_pool_kw["socket_options"]
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in options


@given(st.integers(10**7, 4 * 10**9), st.integers(0, 999))
def test_times_are_read_as_botocore_reads_them(seconds: int, milliseconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=1000 * milliseconds)
    forms: tuple[Any, ...] = (
        moment.isoformat(),
        moment.isoformat().replace("+00:00", "Z"),
        moment.timestamp(),
        int(moment.timestamp()),
    )
    for told in forms:
        assert clients._moment(told) == parse_timestamp(told)
    assert clients._moment(moment.strftime("%a, %d %b %Y %H:%M:%S GMT")) == moment.replace(microsecond=0)
    assert clients._moment(moment.replace(tzinfo=None).isoformat()) == moment
