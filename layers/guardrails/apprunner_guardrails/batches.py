"""What goes to AWS together: as much as one call takes. Pure."""

from collections.abc import Iterator, Sequence


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
