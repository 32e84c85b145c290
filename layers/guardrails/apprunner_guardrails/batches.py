"""What goes to AWS together, as much as one call takes; and what comes from a queue together. Pure."""

from collections.abc import Callable, Iterator, Sequence


def batched_by_size(sizes: Sequence[int], *, most: int, limit: int) -> Iterator[range]:
    """The places of what goes together, in order: at most `most`, of at most `limit` together; what is larger than that
    goes alone."""
    start = total = 0
    for place, size in enumerate(sizes):
        if place > start and (place - start == most or total + size > limit):
            yield range(start, place)
            start, total = place, 0
        total += size
    if sizes:
        yield range(start, len(sizes))


class NotBegun(Exception):
    """A part of a batch that there was no time for, after the others: it goes back to the queue as it is."""


def apart[T](works: Sequence[tuple[Sequence[str], Callable[[], T]]]) -> tuple[list[T], dict[str, Exception]]:
    """Do the parts of a batch of messages one after the other, each with the ids of its messages: what fails keeps
    nothing else waiting, and comes back by those ids. Where every part fails the first error is raised."""
    done: list[T] = []
    failed: list[tuple[Sequence[str], Exception]] = []
    for ids, work in works:
        try:
            done.append(work())
        except Exception as error:  # noqa: BLE001 - whatever it is, its messages go back to the queue
            failed.append((ids, error))
    if failed and not done:
        raise failed[0][1]
    return done, {one: error for ids, error in failed for one in ids}
