"""The life of a wait: when somebody comes back to a group, what is recorded of it, and when it has been too long."""

from dataclasses import replace

import pytest

from apprunner_guardrails.findings import Severity
from apprunner_guardrails.ledger import KEPT_SECONDS, Record, State, is_finding
from apprunner_guardrails.targets.waiting import BACK_SECONDS, RULE, Wait, wait

NOW = 1_800_000_000
LIMIT = 900
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/orders/0123456789abcdef"

BEGUN = Record(
    resource=GROUP,
    rule="waiting",
    state=State.RESOLVED,
    severity=Severity.INFO,
    messages=(),
    faults=(),
    first_seen=NOW,
    last_seen=NOW,
    leased_until=NOW + 60,
    version=1,
)
OVER = replace(BEGUN, first_seen=0, last_seen=NOW + 100, leased_until=0, version=2)
FINDING = replace(BEGUN, rule="AR517", state=State.OPEN, severity=Severity.HIGH, first_seen=NOW - 86_400)


def waited(now: int, *records: Record, limit: int = LIMIT) -> Wait:
    return wait(GROUP, records, waits=True, now=now, limit_seconds=limit)


def settled(now: int, *records: Record) -> Wait:
    return wait(GROUP, records, waits=False, now=now, limit_seconds=LIMIT)


def test_a_wait_begins_with_a_message_and_a_record_of_both() -> None:
    assert (RULE, BACK_SECONDS) == ("waiting", 60)
    assert waited(NOW) == Wait(record=BEGUN, come_back=True)


def test_a_groups_findings_are_no_wait_of_it() -> None:
    assert waited(NOW, FINDING) == Wait(record=BEGUN, come_back=True)
    assert settled(NOW, FINDING) == Wait()


@pytest.mark.parametrize("later", [0, 1, 59])
def test_while_a_message_is_on_its_way_no_other_is_sent(later: int) -> None:
    assert waited(NOW + later, FINDING, BEGUN) == Wait()


@pytest.mark.parametrize("later", [60, 61, 899])
def test_once_a_message_came_or_was_lost_the_next_is_sent(later: int) -> None:
    record = replace(BEGUN, last_seen=NOW + later, leased_until=NOW + later + 60, version=2)
    assert waited(NOW + later, BEGUN, FINDING) == Wait(record=record, come_back=True)


@pytest.mark.parametrize("later", [900, 901, 86_400])
def test_at_the_limit_nobody_comes_back_and_it_is_said(later: int) -> None:
    latest = replace(BEGUN, last_seen=NOW + 899, leased_until=NOW + 959, version=15)
    assert waited(NOW + later, latest) == Wait(overdue=True)
    assert waited(NOW + later, BEGUN) == Wait(overdue=True)


def test_each_message_leads_to_the_next_until_the_limit() -> None:
    records: tuple[Record, ...] = ()
    comes: list[int] = []
    for later in range(0, 1000, 20):
        found = waited(NOW + later, *records, limit=240)
        assert found.overdue == (later >= 240)
        if found.come_back:
            comes.append(later)
        records = (found.record,) if found.record else records
    assert comes == [0, 60, 120, 180]
    assert records == (replace(BEGUN, last_seen=NOW + 180, leased_until=NOW + 240, version=4),)


def test_a_limit_below_a_minute_leaves_one_message() -> None:
    assert waited(NOW, limit=0) == Wait(record=BEGUN, come_back=True)
    assert waited(NOW, BEGUN, limit=0) == Wait(overdue=True)


@pytest.mark.parametrize("later", [1, 100, 2000])
def test_a_wait_that_is_over_is_recorded_once(later: int) -> None:
    over = replace(OVER, last_seen=NOW + later)
    assert settled(NOW + later, BEGUN) == Wait(record=over)
    assert settled(NOW + later + 1, over) == Wait()


def test_a_group_that_never_waited_has_nothing_recorded() -> None:
    assert settled(NOW) == Wait()


def test_a_group_that_waits_anew_has_the_whole_time_again() -> None:
    again = replace(BEGUN, first_seen=NOW + 5000, last_seen=NOW + 5000, leased_until=NOW + 5060, version=3)
    assert waited(NOW + 5000, OVER) == Wait(record=again, come_back=True)
    assert waited(NOW + 5000 + 899, again).overdue is False
    assert waited(NOW + 5000 + 900, again) == Wait(overdue=True)


@pytest.mark.parametrize("record", [BEGUN, OVER])
def test_a_record_of_a_wait_is_forgotten_like_a_finding_that_is_over(record: Record) -> None:
    assert is_finding(record)
    assert record.expires == record.last_seen + KEPT_SECONDS
