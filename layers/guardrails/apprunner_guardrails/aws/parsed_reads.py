"""Read calls about a whole Region: what is kept is the facts, and not the answers that they are made of.

An answer as the SDK parses it takes some ten times the memory of its facts. Reads keeps it, for an event may want other
facts of the same answer. Here an answer is parsed as soon as it is there; whoever wants other facts asks again.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from apprunner_guardrails import observe
from apprunner_guardrails.aws import reads
from apprunner_guardrails.aws.reads import Pending, Reads, action
from apprunner_guardrails.facts import Unread

if TYPE_CHECKING:
    from typing import Any

    from apprunner_guardrails.aws.reads import Page


class _Told:
    """Facts that are there; what was used to wait for them takes more memory than most."""

    __slots__ = ("facts",)

    def __init__(self, facts: "Any") -> None:
        self.facts = facts


class ParsedReads(Reads):
    """As Reads, without what is not wanted of the answers."""

    def __init__(self, *means: "Any", **named: "Any") -> None:
        super().__init__(*means, **named)
        self._told: dict[tuple[object, ...], Future[Any] | _Told] = {}
        self._parsers: list[object] = []  # held, so that nothing else takes their identity

    def ask[T](
        self, service: str, operation: str, parse: "Callable[[Sequence[Page]], T]", **parameters: object
    ) -> Pending[T]:
        question = (f"{service}:{operation} {sorted(parameters.items())}", *_what_it_makes(parse))
        if question not in self._told:
            self._parsers.append(parse)
            read = self._call(service, operation, parameters)
            self._told[question] = reads._pool().submit(_facts, read, parse, action(service, operation))  # noqa: SLF001 - one pool

        def wait() -> T | Unread:
            told = self._told[question]
            if isinstance(told, Future):
                told = self._told[question] = _Told(told.result())
            facts: T | Unread = told.facts
            return facts

        return wait


def _what_it_makes(parse: "Callable[[Sequence[Page]], object]") -> tuple[object, ...]:
    """What two parsers have in common that make the same of an answer: their code, and what it was made for."""
    cells: Sequence[Any] = getattr(parse, "__closure__", None) or ()
    return (getattr(parse, "__code__", parse), *(id(cell.cell_contents) for cell in cells))


def _facts[T](
    read: "Callable[[], Sequence[Page] | Unread]", parse: "Callable[[Sequence[Page]], T]", call: str
) -> T | Unread:
    pages = read()
    if isinstance(pages, Unread):
        return pages
    try:
        return parse(pages)
    except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as odd:
        # A shape that AWS did not have when this was written; the other facts are still good.
        observe.count(ReadsFailed=1)
        return Unread(call=call, code=f"answer not understood: {type(odd).__name__} {odd}")
