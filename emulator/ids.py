"""Ids that are the same for the same calls, though code under test calls from several threads at once.

moto draws every id from one seeded sequence, and the id of each request too, character by character, as often as it
takes. Threads that do so at the same time leave the sequence now here, now there. So requests of threads other than the
one that the emulated AWS was made in get an id from elsewhere, and so do events that are put on a bus.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any
from uuid import uuid4

from moto.core import responses
from moto.events import models as events_models
from moto.moto_api._internal import mock_random

_in_turn: ContextVar[bool] = ContextVar("emulator_in_turn", default=False)
"""A new thread starts without it."""

EVENT_IDS = type(mock_random)()


@contextmanager
def in_turn() -> Iterator[None]:
    """Inside, calls of this thread come one after the other."""
    token = _in_turn.set(True)
    try:
        yield
    finally:
        _in_turn.reset(token)


@contextmanager
def aside(seed: str) -> Iterator[None]:
    """Inside, ids are drawn from a sequence of their own: what is made on the side changes no ids of what is made
    later."""
    state = mock_random.getstate()
    mock_random.seed(seed)
    try:
        yield
    finally:
        mock_random.setstate(state)


def seed(number: int) -> None:
    mock_random.seed(number)
    EVENT_IDS.seed(number)


@cache
def install() -> None:
    drawn = vars(responses)["gen_amzn_requestid_long"]

    def request_id(headers: dict[str, Any] | None = None) -> str:
        if _in_turn.get():
            return str(drawn(headers))
        made = str(uuid4())
        if headers is not None:
            headers["x-amzn-requestid"] = made
        return made

    vars(responses).update(gen_amzn_requestid_long=request_id)
    vars(events_models).update(random=EVENT_IDS)
