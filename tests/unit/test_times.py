"""Times as text, and back."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apprunner_guardrails.times import seconds, utc


@given(st.integers(0, 253_402_300_799))
@example(951_782_400)  # 2000-02-29, in a century that has one
@example(4_107_542_400)  # 2100-03-01, in one that has not
def test_a_time_is_read_as_the_standard_library_does(since: int) -> None:
    text = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (seconds(text), seconds(utc(since))) == (since, since)


def test_a_fraction_of_a_second_is_left_out() -> None:
    assert seconds("1970-01-02T00:00:01.999Z") == 86_401


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-21",
        "2026-11-21T09:00:00",
        "2026-11-21T09:00:00+01:00",
        "2026-13-21T09:00:00Z",
        "2026-02-30T09:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T09:60:00Z",
        "2026-11-21T09:00:00.1234567Z",
        "0000-01-01T00:00:00Z",
        " 2026-11-21T09:00:00Z",
        "2026-11-21T09:00:00Z\n",
        "2026-11-21T09:00:0\u0665Z",
    ],
)
def test_what_is_no_time_in_utc_is_none(text: str) -> None:
    assert seconds(text) is None
