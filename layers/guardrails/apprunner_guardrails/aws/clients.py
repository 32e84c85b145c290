"""SDK clients: made once for an environment, with the time-outs and retries that hold for every call."""

import os
import threading
from collections.abc import Callable
from functools import cache

from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session

type Clients = Callable[[str], BaseClient]  # a client by botocore's name of the service

# Three tries of at most 2 s + 5 s leave a 60 s function time to publish what it could not read.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=16,
    user_agent_extra="apprunner-guardrails",
)
_MAKING = threading.Lock()  # botocore's sessions make clients safely from one thread at a time only


def client(service: str) -> BaseClient:
    """The client of a service by botocore's name (`ec2`), for the Region, endpoint and credentials of the environment.

    A changed environment gets a client of its own, so that one process can serve several.
    """
    settings = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))
    with _MAKING:
        return _client(service, settings)


@cache
def _client(service: str, environment: tuple[tuple[str, str], ...]) -> BaseClient:
    return _session(environment).create_client(service, config=_CONFIG)


@cache
def _session(environment: tuple[tuple[str, str], ...]) -> Session:
    session = Session()
    chosen = dict(environment)
    # Lambda sets AWS_REGION; botocore itself reads AWS_DEFAULT_REGION only.
    session.set_config_variable("region", chosen.get("AWS_REGION") or chosen.get("AWS_DEFAULT_REGION"))
    return session
