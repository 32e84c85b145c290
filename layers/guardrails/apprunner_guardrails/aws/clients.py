"""SDK clients: made once for an environment, with the time-outs and retries that hold for every call."""

import logging
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.httpsession import URLLib3Session, create_urllib3_context, get_cert_path
from botocore.parsers import ResponseParserError
from botocore.session import Session
from botocore.utils import get_environ_proxies, parse_timestamp
from urllib3.util.ssl_ import ALPN_PROTOCOLS

from apprunner_guardrails import __version__
from apprunner_guardrails.light import dataclass

type Clients = Callable[[str], BaseClient]  # a client by botocore's name of the service

# Three tries of at most 2 s + 5 s leave a 60 s function time to publish what it could not read.
_CONNECT_SECONDS, _READ_SECONDS, _CONNECTIONS = 2, 5, 16
# botocore sends the head and the body of a request apart. Unless told, Linux keeps the second back until the first is
# acknowledged, which receivers put off for up to 40 ms.
_AT_ONCE: Any = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
# In amz-sdk-request, which botocore puts on every try: ttl=20260101T000000Z; attempt=2; max=3
_SENT_AGAIN = re.compile(r"\battempt=(?!1\b)")
_PACED = "apprunner-guardrails-paced-retries"
# How a call may fail. What is no answer in XML or JSON botocore tells by an error of another kind than all others.
FAILURES = (ClientError, BotoCoreError, ResponseParserError)
_MAKING = threading.Lock()  # botocore's sessions make clients safely from one thread at a time only


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Of a role that was assumed. `expires` is in seconds since 1970."""

    access_key: str
    secret_key: str
    token: str
    expires: int


def client(service: str) -> BaseClient:
    """The client of a service by botocore's name (`ec2`), for the Region, endpoint and credentials of the environment.

    A changed environment gets a client of its own, so that one process can serve several.
    """
    return clients()(service)


def clients() -> Clients:
    """Clients for the environment as it is now, each made once."""
    return _clients(_settings())


def _settings() -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))


@cache
def _clients(environment: tuple[tuple[str, str], ...]) -> Clients:
    return _each_once(partial(_made, _session(environment)))


def _each_once(make: Clients) -> Clients:
    made: dict[str, BaseClient] = {}

    def client_of(service: str) -> BaseClient:
        if service not in made:
            with _MAKING:
                if service not in made:
                    made[service] = make(service)
        return made[service]

    return client_of


def clients_with(credentials: Credentials, region: str) -> Clients:
    """Clients for a Region that call with these credentials, each made once. They go when whoever holds this goes."""
    session = _session(_settings())
    return _each_once(lambda service: _made(session, service, region, credentials))


def _made(session: Session, service: str, region: str = "", credentials: Credentials | None = None) -> BaseClient:
    """A client of botocore's that costs little for each call and connection. What is not given is the session's."""
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=_CONNECTIONS,
        # Said whole: what botocore pieces together for each call, twice, is the same each time.
        user_agent=f"{session.user_agent()} apprunner-guardrails/{__version__}",
        # AWS checks what it is asked as well, and says so in a form that is dealt with like any other answer.
        parameter_validation=False,
    )
    client = session.create_client(
        service,
        region_name=region or None,
        aws_access_key_id=credentials.access_key if credentials else None,
        aws_secret_access_key=credentials.secret_key if credentials else None,
        aws_session_token=credentials.token if credentials else None,
        config=config,
    )
    endpoint: Any = client._endpoint  # type: ignore[attr-defined]  # noqa: SLF001  # nothing public takes a session
    timeout: Any = (_CONNECT_SECONDS, _READ_SECONDS)
    url = client.meta.endpoint_url
    endpoint.http_session = _HttpSession(
        verify=url.startswith("https:") and endpoint.http_session._verify,  # noqa: SLF001
        proxies=get_environ_proxies(url),
        timeout=timeout,
        max_pool_connections=_CONNECTIONS,
        socket_options=_AT_ONCE,
    )
    return client


class _HttpSession(URLLib3Session):
    """botocore's own, except that all connections of the process share what was read of the authorities.

    urllib3 reads the whole list anew for each connection, which costs more than all else about it:
    github.com/urllib3/urllib3/issues/3623.
    """

    def _get_ssl_context(self) -> ssl.SSLContext:
        return _trusting(self._verify)  # type: ignore[attr-defined]  # the stubs leave it out

    def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
        super()._setup_ssl_cert(conn, url, verify)  # type: ignore[misc]  # and this
        conn.ca_certs = None  # the context has them


@cache
def _trusting(verify: Any) -> ssl.SSLContext:
    """A context that trusts the authorities of a file, or of botocore's (True); with a falsy one none is asked."""
    context: Any = create_urllib3_context()
    if verify:
        path = Path(str(get_cert_path(verify)))
        one_by_one = path.with_suffix("")  # the layer has botocore's also so: OpenSSL then reads the one that it needs
        if verify is True and one_by_one.is_dir():
            context.load_verify_locations(capath=one_by_one)
        else:
            context.load_verify_locations(path)
    # What every connection sets anew, for all to have, while another may be reading it.
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    context.set_alpn_protocols = lambda _: None
    return cast("ssl.SSLContext", context)


@cache
def _session(environment: tuple[tuple[str, str], ...]) -> Session:
    session = Session()
    # With DEBUG Lambda has every logger log all: botocore's would log answers whole, credentials of members among them.
    logging.getLogger("botocore").setLevel(logging.INFO)
    chosen = dict(environment)
    # Lambda sets AWS_REGION; botocore itself reads AWS_DEFAULT_REGION only.
    session.set_config_variable("region", chosen.get("AWS_REGION") or chosen.get("AWS_DEFAULT_REGION"))
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return session


def _moment(told: Any) -> datetime:
    """When AWS says that something was, in UTC. botocore reads more forms, with a library that costs 5 ms to import."""
    try:
        moment = (
            datetime.fromisoformat(told) if isinstance(told, str) else datetime.fromtimestamp(float(str(told)), UTC)
        )
    except (OverflowError, ValueError):
        return parse_timestamp(told)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def said(error: Exception) -> str:
    """What a call failed with, for logs: in AWS's words, or the SDK's. The SDK's checks of parameters quote what they
    refuse, and are named only."""
    return type(error).__name__ if isinstance(error, ParamValidationError) else str(error)


def with_paced_retries(clients: Clients, pace_of: Callable[[str], Callable[[], None]]) -> Clients:
    """The same clients, except that what botocore sends again waits for its turn as well, after its own back-off.

    `pace_of` has what to wait for, by the operation (`RegisterTargets`). First tries do not wait here: that is for
    whoever makes the call. A client waits on the pace of the run that asked for it last: runs of a process do not
    overlap. Nothing takes the last pace off again, because target sync, which alone has one, shares its process with no
    other function. What is no client of botocore's is given out as it is.
    """

    def wait(request: AWSPreparedRequest, event_name: str, **_: object) -> None:
        said = request.headers.get("amz-sdk-request", b"")
        if _SENT_AGAIN.search(said if isinstance(said, str) else bytes(said).decode()):  # bytes, once it is prepared
            pace_of(event_name.rpartition(".")[2])()

    @cache
    def paced(service: str) -> BaseClient:
        made = clients(service)
        if hasattr(made, "meta"):
            # Emitted for each try. By now it is signed, which holds for minutes; a turn is a few seconds away.
            event = f"before-send.{made.meta.service_model.service_id.hyphenize()}"
            made.meta.events.unregister(event, unique_id=_PACED)  # or botocore keeps the handler that it has
            made.meta.events.register(event, wait, unique_id=_PACED)
        return made

    hooking = threading.Lock()

    def client_of(service: str) -> BaseClient:
        with hooking:  # nobody has a client before its handler is in place, and none has two
            return paced(service)

    return client_of
