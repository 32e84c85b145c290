"""Read calls of one invocation: sent together, each at most once, all pages, failures as values."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from itertools import batched
from types import MappingProxyType
from typing import TYPE_CHECKING

from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError

from apprunner_guardrails import observe
from apprunner_guardrails.facts import Unread

if TYPE_CHECKING:
    from typing import Any

    type Page = Mapping[str, Any]  # an answer as botocore parsed it; each parser knows its shape

# An event's widest round has seven calls, and each prefix list is one more; a thread is started only when it is needed.
_THREADS = 10


# Where an answer says that there is more, and where the next question takes it. EC2, App Runner and the second
# generation of API Gateway page alike.
_PAGED: Mapping[str, tuple[str, str]] = {
    "apigateway": ("position", "position"),
    "dynamodb": ("LastEvaluatedKey", "ExclusiveStartKey"),
    "elbv2": ("NextMarker", "Marker"),
    "resourcegroupstaggingapi": ("PaginationToken", "PaginationToken"),
}

# Lists that grow for ever and are told newest first: a page is all that is asked for.
_FIRST_PAGE = frozenset({("apprunner", "ListOperations")})

# Where IAM, and therefore users, have another name for a service than botocore. API Gateway's reads keep the SDK's
# names (apigatewayv2:GetApis): to IAM they are all apigateway:GET, which tells nobody what failed.
_KNOWN_AS: Mapping[str, str] = {"elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}


# A call that was sent: calling this waits and gives what AWS told, or Unread.
type Pending[T] = Callable[[], T | Unread]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="read")


def together[T](works: Sequence[Callable[[], T]]) -> list[T]:
    """Do all of them at once; their results in order."""
    return [sent.result() for sent in [_pool().submit(work) for work in works]]


class Pace:
    """Lets callers through one by one, at most `per_second`, evenly: bursts are what AWS throttles."""

    def __init__(
        self,
        per_second: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval, self._now, self._sleep = 1 / per_second, now, sleep
        self._next = 0.0
        self._turn = threading.Lock()

    def __call__(self) -> None:
        """Wait for one's turn."""
        with self._turn:
            at = max(self._now(), self._next)
            self._next = at + self._interval
        if (wait := at - self._now()) > 0:
            self._sleep(wait)


class Reads:
    """Asks AWS, concurrently. The same question is sent once, so whoever may need an answer can ask early.

    `pace` is waited for before each call; without one they go out as they come. `paces` are what calls of a service
    ("apigateway") or of an operation ("apigateway:GetResources") wait for in its place. What fails is counted, each
    question once; that something is not there (any more) is an answer.
    """

    def __init__(
        self,
        client: Callable[[str], BaseClient],
        pace: Callable[[], None] = lambda: None,
        paces: Mapping[str, Callable[[], None]] = MappingProxyType({}),
    ) -> None:
        self._client = client
        self._pace = pace
        self._paces = paces
        self._sent: dict[str, Future[Sequence[Page] | Unread]] = {}
        self._odd: set[str] = set()  # questions whose answer was not understood

    def ask[T](
        self, service: str, operation: str, parse: "Callable[[Sequence[Page]], T]", **parameters: object
    ) -> Pending[T]:
        """Send a call such as `ask("ec2", "DescribeSubnets", parse, Filters=[…])` unless it was already."""
        question = f"{service}:{operation} {sorted(parameters.items())}"
        if question not in self._sent:
            self._sent[question] = _pool().submit(self._call(service, operation, parameters))
        sent = self._sent[question]

        def wait() -> T | Unread:
            pages = sent.result()
            if isinstance(pages, Unread):
                return pages
            try:
                return parse(pages)
            except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as odd:
                # A shape that AWS did not have when this was written; the other facts are still good.
                observe.count(ReadsFailed=int(question not in self._odd))
                self._odd.add(question)
                return Unread(
                    call=action(service, operation), code=f"answer not understood: {type(odd).__name__} {odd}"
                )

        return wait

    def _call(
        self, service: str, operation: str, parameters: Mapping[str, object]
    ) -> "Callable[[], Sequence[Page] | Unread]":
        client = self._client(service)  # made here: botocore makes clients safely in one thread only
        pace = self._paces.get(f"{service}:{operation}", self._paces.get(service, self._pace))
        return partial(_all_pages, client, pace, service, operation, parameters)


def _all_pages(
    client: BaseClient, pace: Callable[[], None], service: str, operation: str, parameters: Mapping[str, object]
) -> "Sequence[Page] | Unread":
    """Every page, or Unread: a part is never given out as the whole.

    botocore has no paginators for App Runner.
    """
    send: Callable[..., Page] = getattr(client, xform_name(operation))
    said, taken = _PAGED.get(service, ("NextToken", "NextToken"))
    pages: list[Page] = []
    token: object = ""
    try:
        while token is not None:
            pace()
            pages.append(send(**parameters, **({taken: token} if token else {})))
            token = None if (service, operation) in _FIRST_PAGE else pages[-1].get(said) or None
    except (ClientError, HTTPClientError, NoConnection, ResponseParserError) as failed:  # none is a kind of another
        told = unread(service, operation, failed)
        observe.count(ReadsFailed=int("NotFound" not in told.code))
        return told
    return pages


def unread(service: str, operation: str, error: Exception) -> Unread:
    """A call that failed, with AWS's code, or the kind of failure where AWS did not answer."""
    code = type(error).__name__
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "no error code")
    return Unread(call=action(service, operation), code=code)


def action(service: str, operation: str) -> str:
    """The call as IAM and users know it: elasticloadbalancing:DescribeTags."""
    return f"{_KNOWN_AS.get(service, service)}:{operation}"


def each_of[T](
    ids: Sequence[str], ask: Callable[[tuple[str, ...]], Pending[Mapping[str, T]]], *, call: str, most: int, gone: str
) -> Callable[[], Mapping[str, T | Unread]]:
    """What AWS tells of each id, asked for `most` in a call; `call` is what users know it by.

    AWS refuses a call for the sake of one id that is gone, with the code `gone`: then the others are asked for in
    halves, so that none of them suffers. What an answer leaves out without a word is Unread: a part is not the whole.
    """
    chunks = list(batched(ids, most, strict=False))
    asked = [ask(chunk) for chunk in chunks]

    def wait() -> Mapping[str, T | Unread]:
        found: dict[str, T | Unread] = {}
        for chunk, pending in zip(chunks, asked, strict=True):
            found |= _each(chunk, pending(), ask, call, gone)
        return found

    return wait


def _each[T](
    ids: tuple[str, ...],
    answer: Mapping[str, T] | Unread,
    ask: Callable[[tuple[str, ...]], Pending[Mapping[str, T]]],
    call: str,
    gone: str,
) -> Mapping[str, T | Unread]:
    if not isinstance(answer, Unread):
        return {
            one: answer[one] if one in answer else Unread(call=call, code=f"{one} is not in the answer") for one in ids
        }
    if answer.code != gone or len(ids) == 1:
        return dict.fromkeys(ids, answer)
    half = len(ids) // 2
    parts = [(some, ask(some)) for some in (ids[:half], ids[half:])]
    return {one: told for some, pending in parts for one, told in _each(some, pending(), ask, call, gone).items()}
