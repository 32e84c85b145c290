"""AWS on this machine: moto, with App Runner added and what moto gets wrong put right.

with emulate() as aws:                  in process: any SDK client made inside talks to the emulator
python -m emulator --port 5000          over HTTP: any SDK client with endpoint_url
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import wraps
from unittest.mock import patch

from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.responses import BaseResponse

from emulator import (
    appearance,
    apprunner,
    balancers,
    cloudtrail,
    denials,
    endpoints,
    gateway,
    ids,
    roles,
    routes,
    support,
    tags,
    targets,
)
from emulator.clock import CLOCK, EPOCH, PENDING_SECONDS, Clock
from emulator.settings import SETTINGS, Settings

__all__ = ["Emulator", "emulate", "install"]

_MARK = "keeps_the_emulated_time"
_active = threading.Lock()


def install() -> None:
    """Put everything of ours into moto. Idempotent; what it changes stays changed."""
    _run_the_clock_at_every_request()
    ids.install()
    apprunner.install()
    routes.install()
    tags.install()
    endpoints.install()
    balancers.install()
    targets.install()
    appearance.install()
    gateway.install()
    support.install()
    denials.install()
    roles.install()
    cloudtrail.install()


class Emulator:
    """One emulated AWS. Accounts and Regions are those of the requests: see `roles` for how to get into others."""

    def __init__(self, *, seed: int, speed: float, start: datetime, pending_seconds: float) -> None:
        self._seed, self._speed, self._start, self._pending_seconds = seed, speed, start, pending_seconds
        self._subscriptions: list[Callable[[], None]] = []
        self.clock: Clock = CLOCK
        self.settings: Settings = SETTINGS
        """Quotas, and what AWS does not document."""
        self.events: list[cloudtrail.Event] = []
        """Everything that EventBridge would have been sent by AWS's services, in order."""
        self.put_events: list[cloudtrail.Event] = support.PUT_EVENTS
        """What PutEvents has put on default buses, in order."""
        self.subscribe(self._keep)

    def subscribe(self, listener: cloudtrail.Listener) -> Callable[[], None]:
        """Hand every later event to `listener`, on the thread of the request that caused it; returns what ends it.

        A listener may call AWS in process. In the server it may not wait for a request to the server: one is answered
        at a time."""
        unsubscribe = cloudtrail.subscribe(listener)
        self._subscriptions.append(unsubscribe)
        return unsubscribe

    def caller(self, identity_name: str) -> AbstractContextManager[None]:
        """Inside, calls are made by that one of `cloudtrail.IDENTITIES`."""
        return cloudtrail.calling_as(identity_name)

    def deny(self, *actions: str, recorded_as: str = "AccessDenied") -> AbstractContextManager[None]:
        """Inside, calls of these IAM actions are denied, whoever makes them: "apprunner:CreateVpcConnector", "ec2:*".
        `recorded_as`: CloudTrail's errorCode, which is not known for App Runner; EC2 has its own."""
        return denials.denied(*actions, recorded_as=recorded_as)

    def reset(self) -> None:
        """An empty AWS again: no resources, no events, nothing set, the clock at its start, ids from the seed."""
        SETTINGS.reset()
        CLOCK.reset(start=self._start, speed=self._speed, pending_seconds=self._pending_seconds)
        BackendDict.reset()
        reset_model_data()
        ids.seed(self._seed)
        cloudtrail.forget()
        self.events.clear()
        self.put_events.clear()

    def close(self) -> None:
        for unsubscribe in self._subscriptions:
            unsubscribe()
        SETTINGS.reset()
        CLOCK.reset()
        cloudtrail.forget()

    def _keep(self, event: cloudtrail.Event) -> None:
        self.events.append(event)


@contextmanager
def emulate(
    *, seed: int = 0, speed: float = 0.0, start: datetime = EPOCH, pending_seconds: float = PENDING_SECONDS
) -> Iterator[Emulator]:
    """An empty AWS in this process, with false credentials and us-east-1 unless the environment says otherwise.

    `seed`: ids are the same for the same calls. `speed`: emulated seconds per second; 0 stands still until
    `aws.clock.advance(seconds)`. `pending_seconds`: how long new NAT gateways, interface endpoints and VPC links are
    pending."""
    if not _active.acquire(blocking=False):
        raise RuntimeError("emulate() is active already: there is one emulated AWS in a process")
    try:
        install()
        with _environment(), mock_aws(), ids.in_turn():
            aws = Emulator(seed=seed, speed=speed, start=start, pending_seconds=pending_seconds)
            aws.reset()
            try:
                yield aws
            finally:
                aws.close()
    finally:
        _active.release()


@contextmanager
def _environment() -> Iterator[None]:
    """Nothing of the caller's own AWS set-up is to lead a client anywhere else. mock_aws sets the credentials."""
    ours = {
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # 1,300 images that nobody asks for, 0.3 s for every account and Region
    }
    with patch.dict(os.environ, ours):
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        yield


def _run_the_clock_at_every_request() -> None:
    """moto has no seam for this: every service's requests pass BaseResponse.setup_class."""
    setup_class = BaseResponse.setup_class
    if _MARK in vars(setup_class):
        return

    @wraps(setup_class)
    def with_clock(self: BaseResponse, *args: object, **kwargs: object) -> None:
        CLOCK.run_due()
        setup_class(self, *args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    vars(with_clock)[_MARK] = True
    setattr(BaseResponse, "setup_class", with_clock)  # noqa: B010  # mypy lets nobody assign to a method
