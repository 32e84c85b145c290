"""SDK clients: made once for an environment, with the time-outs and retries that hold for every call."""

import logging
import os
import re
import threading
from collections.abc import Callable
from functools import cache

from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from apprunner_guardrails import __version__
from apprunner_guardrails.light import dataclass

type Clients = Callable[[str], BaseClient]  # a client by botocore's name of the service

# Three tries of at most 2 s + 5 s leave a 60 s function time to publish what it could not read.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=16,
    user_agent_extra=f"apprunner-guardrails/{__version__}",
)
# In amz-sdk-request, which botocore puts on every try: ttl=20260101T000000Z; attempt=2; max=3
_SENT_AGAIN = re.compile(r"\battempt=(?!1\b)")
_PACED = "apprunner-guardrails-paced-retries"
# How a call may fail. What is no answer in XML or JSON botocore tells by an error of another kind than all others.
FAILURES = (ClientError, BotoCoreError, ResponseParserError)
_MAKING = threading.Lock()  # botocore's sessions make clients safely from one thread at a time only


def client(service: str) -> BaseClient:
    """The client of a service by botocore's name (`ec2`), for the Region, endpoint and credentials of the environment.

    A changed environment gets a client of its own, so that one process can serve several.
    """
    settings = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))
    with _MAKING:
        return _client(service, settings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Of a role that was assumed. `expires` is in seconds since 1970."""

    access_key: str
    secret_key: str
    token: str
    expires: int


def clients_with(credentials: Credentials, region: str) -> Clients:
    """Clients for a Region that call with these credentials, each made once. They go when whoever holds this goes."""
    settings = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))

    @cache
    def made(service: str) -> BaseClient:
        return _session(settings).create_client(
            service,
            region_name=region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
            config=_CONFIG,
        )

    def client_of(service: str) -> BaseClient:
        with _MAKING:
            return made(service)

    return client_of


@cache
def _client(service: str, environment: tuple[tuple[str, str], ...]) -> BaseClient:
    return _session(environment).create_client(service, config=_CONFIG)


@cache
def _session(environment: tuple[tuple[str, str], ...]) -> Session:
    session = Session()
    # With DEBUG Lambda has every logger log all: botocore's would log answers whole, credentials of members among them.
    logging.getLogger("botocore").setLevel(logging.INFO)
    chosen = dict(environment)
    # Lambda sets AWS_REGION; botocore itself reads AWS_DEFAULT_REGION only.
    session.set_config_variable("region", chosen.get("AWS_REGION") or chosen.get("AWS_DEFAULT_REGION"))
    return session


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
