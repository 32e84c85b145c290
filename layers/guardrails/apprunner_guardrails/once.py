"""What follows from facts alone, worked out once for all the resources that are judged by the same facts. Pure.

In an audit a hundred connectors are judged beside the same subnets, tables and services. Facts never change, so what
was worked out for these very objects holds for all of them. They are told apart by identity: to compare a VPC's subnets
would take as long as looking through them. Nothing is held when the judging is over: a warm function's next audit has
other facts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

KEPT = 4096  # results at most: where there are more, all are forgotten, as each is few resources' then

# Each result with the facts that it is of: as long as they are held, nothing else has their identity.
type _Results = dict[tuple[object, ...], tuple[object, ...]]


class _Judging:
    results: _Results | None = None


@contextmanager
def judging() -> Iterator[None]:
    """Until the end of the block, or of the one around it, what was worked out is remembered."""
    if _Judging.results is not None:
        yield
        return
    _Judging.results = {}
    try:
        yield
    finally:
        _Judging.results = None


def once[*Facts, T](work_out: Callable[[*Facts], T]) -> Callable[[*Facts], T]:
    """A function of facts that is worked out once in a `judging`; what it raises is not remembered."""

    def worked_out(*facts: *Facts) -> T:
        results = _Judging.results
        if results is None:
            return work_out(*facts)
        key = (work_out, *map(id, facts))
        held = results.get(key)
        if held is None:
            if len(results) >= KEPT:
                results.clear()
            held = results[key] = (work_out(*facts), facts)
        return held[0]  # type: ignore[return-value]  # as work_out gave it: its name is in the key

    worked_out.__doc__ = work_out.__doc__
    return worked_out
