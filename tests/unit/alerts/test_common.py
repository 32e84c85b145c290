"""Times, spans, names and cuts."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apprunner_guardrails.alerts._common import cut, identity, span
from apprunner_guardrails.times import utc


@given(st.integers(0, 253_402_300_799))
@example(951_782_400)  # 2000-02-29, in a century that has one
@example(4_107_542_400)  # 2100-03-01, in one that has not
@example(1_798_761_599)
@example(1_798_761_600)  # a year begins
def test_a_time_is_written_as_the_standard_library_does(seconds: int) -> None:
    assert utc(seconds) == datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (86_399, "23 hours"),
        (86_400, "1 day"),
        (10 * 86_400 - 1, "9 days"),
    ],
)
def test_how_long_is_said_in_the_largest_unit_that_fits(seconds: int, said: str) -> None:
    assert span(seconds) == said


@given(st.text(), st.integers(3, 50))
def test_what_is_cut_fits_and_says_so(text: str, limit: int) -> None:
    left = cut(text, limit)
    whole = text.encode("utf-8", "replace").decode()
    assert len(left.encode()) <= limit
    assert left == whole if len(whole.encode()) <= limit else left.endswith("…") and whole.startswith(left[:-1])


@given(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4), st.text(max_size=4))
def test_two_findings_share_no_thread(resource: str, rule: str, other: str, other_rule: str) -> None:
    assert (identity(resource, rule) == identity(other, other_rule)) is ((resource, rule) == (other, other_rule))
