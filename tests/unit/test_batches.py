"""What goes to AWS together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.batches import batched_by_size


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([0], [range(1)]),
        ([1, 1, 1], [range(3)]),
        ([1, 1, 1, 1], [range(3), range(3, 4)]),
        ([4, 6], [range(2)]),
        ([4, 7], [range(1), range(1, 2)]),
        ([11, 1], [range(1), range(1, 2)]),
        ([1, 11, 1], [range(1), range(1, 2), range(2, 3)]),
    ],
)
def test_as_much_goes_together_as_a_call_takes(sizes: list[int], expected: list[range]) -> None:
    assert list(batched_by_size(sizes, most=3, limit=10)) == expected


@given(st.lists(st.integers(0, 12)), st.integers(1, 4))
def test_everything_goes_once_in_its_order_and_within_the_limits(sizes: list[int], most: int) -> None:
    batches = list(batched_by_size(sizes, most=most, limit=10))
    assert [place for batch in batches for place in batch] == list(range(len(sizes)))
    assert all(1 <= len(batch) <= most for batch in batches)
    assert all(len(batch) == 1 or sum(sizes[place] for place in batch) <= 10 for batch in batches)
