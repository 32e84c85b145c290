"""Read calls of one invocation: sent together, each at most once, all pages, failures as values."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError

from apprunner_guardrails.facts import Unread

if TYPE_CHECKING:
    from typing import Any

    type Page = Mapping[str, Any]  # an answer as botocore parsed it; each parser knows its shape

# An event's widest round has seven calls, and each prefix list is one more; a thread is started only when it is needed.
_THREADS = 10


# Where an answer says that there is more, and where the next question takes it. EC2 and App Runner page alike.
_PAGED: Mapping[str, tuple[str, str]] = {
    "dynamodb": ("LastEvaluatedKey", "ExclusiveStartKey"),
    "resourcegroupstaggingapi": ("PaginationToken", "PaginationToken"),
}


# A call that was sent: calling this waits and gives what AWS told, or Unread.
type Pending[T] = Callable[[], T | Unread]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="read")


def together[T](works: Sequence[Callable[[], T]]) -> list[T]:
    """Do all of them at once; their results in order."""
    return [sent.result() for sent in [_pool().submit(work) for work in works]]


class Reads:
    """Asks AWS, concurrently. The same question is sent once, so whoever may need an answer can ask early."""

    def __init__(self, client: Callable[[str], BaseClient]) -> None:
        self._client = client
        self._sent: dict[str, Future[Sequence[Page] | Unread]] = {}

    def ask[T](
        self, service: str, operation: str, parse: "Callable[[Sequence[Page]], T]", **parameters: object
    ) -> Pending[T]:
        """Send a call such as `ask("ec2", "DescribeSubnets", parse, Filters=[…])` unless it was already."""
        question = f"{service}:{operation} {sorted(parameters.items())}"
        if question not in self._sent:
            client = self._client(service)  # made here: botocore makes clients safely in one thread only
            self._sent[question] = _pool().submit(_all_pages, client, service, operation, parameters)
        sent = self._sent[question]

        def wait() -> T | Unread:
            pages = sent.result()
            if isinstance(pages, Unread):
                return pages
            try:
                return parse(pages)
            except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as odd:
                # A shape that AWS did not have when this was written; the other facts are still good.
                return Unread(call=f"{service}:{operation}", code=f"answer not understood: {type(odd).__name__} {odd}")

        return wait


def _all_pages(
    client: BaseClient, service: str, operation: str, parameters: Mapping[str, object]
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
            pages.append(send(**parameters, **({taken: token} if token else {})))
            token = pages[-1].get(said) or None
    except ClientError as failed:
        return Unread(call=f"{service}:{operation}", code=failed.response.get("Error", {}).get("Code", "no error code"))
    except (HTTPClientError, NoConnection, ResponseParserError) as failed:  # none is a kind of another
        return Unread(call=f"{service}:{operation}", code=type(failed).__name__)
    return pages
