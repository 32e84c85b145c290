"""What an update asked for, remembered: in whatever order its events come, and until it shows."""

import itertools
from collections.abc import Sequence

import pytest

from apprunner_guardrails.asked_egress import RULE, Asked, newest, note, remembered
from apprunner_guardrails.facts import Egress
from apprunner_guardrails.findings import Severity, Status
from apprunner_guardrails.ledger import SEEN_SECONDS, Kind, Record, State
from tests.samples import CONNECTOR, OTHER_CONNECTOR, SERVICE

NOW = 1_795_000_000
FIRST, SECOND, THIRD = (f"2026-11-21T09:0{minute}:00Z" for minute in range(3))
THROUGH = Egress(kind="VPC", connector_arn=CONNECTOR)
OTHER = Egress(kind="VPC", connector_arn=OTHER_CONNECTOR)
PUBLIC = Egress(kind="DEFAULT")


def record(*messages: str, time: str = FIRST, version: int = 1, last_seen: int = NOW) -> Record:
    return Record(
        resource=SERVICE,
        rule=RULE,
        state=State.RESOLVED,
        severity=Severity.INFO,
        messages=messages,
        faults=(),
        first_seen=last_seen,
        last_seen=last_seen,
        who=time,
        version=version,
    )


KNOWN = record("VPC", CONNECTOR)
OVER = record()


def test_what_is_written_is_what_is_remembered() -> None:
    for egress in (THROUGH, PUBLIC):
        asked = Asked(egress=egress, time=FIRST)
        (written,) = note(SERVICE, asked, (), NOW)
        assert remembered([written.record]) == asked
        assert written.record == record(egress.kind, egress.connector_arn)
        assert (written.kind, written.before, written.channels) == (Kind.SEEN, None, ())
        assert (written.finding.resource, written.finding.rule, written.finding.status) == (SERVICE, RULE, Status.PASS)


def test_of_other_records_nothing_is_remembered() -> None:
    assert remembered(()) is None
    assert remembered([OVER]) is None
    assert remembered([Record(**{name: getattr(KNOWN, name) for name in KNOWN.__slots__} | {"rule": "AR410"})]) is None


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param((), Asked(egress=OTHER, time=SECOND), id="nothing is known"),
        pytest.param((KNOWN,), Asked(egress=OTHER, time=SECOND), id="an older one is known"),
        pytest.param((OVER,), Asked(egress=OTHER, time=SECOND), id="an older one is over"),
        pytest.param(
            (record("VPC", CONNECTOR, time=THIRD),), Asked(egress=THROUGH, time=THIRD), id="a newer one is known"
        ),
        pytest.param((record(time=THIRD),), None, id="a newer one is over"),
        pytest.param((record("VPC", OTHER_CONNECTOR, time=SECOND),), Asked(egress=OTHER, time=SECOND), id="known"),
        pytest.param((record(time=SECOND),), None, id="it is over itself"),
    ],
)
def test_of_two_calls_the_later_one_counts(records: Sequence[Record], expected: Asked | None) -> None:
    assert newest(OTHER, SECOND, records) == expected


def test_an_event_that_asks_for_nothing_changes_nothing() -> None:
    assert newest(None, THIRD, ()) is None
    assert newest(None, THIRD, [KNOWN]) == Asked(egress=THROUGH, time=FIRST)
    assert newest(None, THIRD, [OVER]) is None


def test_nothing_is_written_where_it_is_so_already() -> None:
    asked = Asked(egress=THROUGH, time=FIRST)
    assert note(SERVICE, asked, [KNOWN], NOW) == ()
    assert note(SERVICE, None, [OVER], NOW, time=FIRST) == ()
    assert note(SERVICE, None, [OVER], NOW) == ()
    assert note(SERVICE, None, (), NOW) == ()


def test_of_what_is_over_the_time_stays() -> None:
    (after,) = note(SERVICE, None, [KNOWN], NOW + 60)
    assert after.record == record(version=2, last_seen=NOW + 60)
    assert after.before == KNOWN
    (at_once,) = note(SERVICE, None, (), NOW, time=FIRST)  # it showed when its event came
    assert at_once.record == OVER


def test_what_does_not_show_is_written_again_after_a_day_so_that_it_is_not_forgotten() -> None:
    asked = Asked(egress=THROUGH, time=FIRST)
    assert note(SERVICE, asked, [KNOWN], NOW + SEEN_SECONDS - 1) == ()
    (again,) = note(SERVICE, asked, [KNOWN], NOW + SEEN_SECONDS)
    assert again.record == record("VPC", CONNECTOR, version=2, last_seen=NOW + SEEN_SECONDS)
    assert note(SERVICE, None, [OVER], NOW + SEEN_SECONDS) == ()


@pytest.mark.parametrize("order", list(itertools.permutations([(PUBLIC, FIRST), (THROUGH, SECOND), (OTHER, THIRD)])))
@pytest.mark.parametrize("done", [False, True], ids=["none of them shows", "the last one shows"])
def test_in_whatever_order_events_come_and_however_often_the_last_call_is_what_is_left(
    order: Sequence[tuple[Egress, str]], done: bool
) -> None:
    records: tuple[Record, ...] = ()
    for egress, time in (*order, *order):
        asked = newest(egress, time, records)
        over = done and asked is not None and asked.egress == OTHER
        written = note(SERVICE, None if over else asked, records, NOW, time=asked.time if asked else "")
        records = tuple(one.record for one in written) or records
    assert remembered(records) == (None if done else Asked(egress=OTHER, time=THIRD))
    assert records[0].who == THIRD
