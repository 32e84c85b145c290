"""The life of a wait: when somebody comes back to a group, what is recorded of it, and when it has been too long."""

from dataclasses import replace

import pytest

from apprunner_guardrails.findings import Severity
from apprunner_guardrails.ledger import KEPT_SECONDS, Record, State, is_finding
from apprunner_guardrails.targets.waiting import BACK_SECONDS, RULE, Wait, wait

NOW = 1_800_000_000
LIMIT = 900
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/orders/0123456789abcdef"
OLD, NEW = "10.0.1.5:443", "10.0.2.6:443"

BEGUN = Record(
    resource=GROUP,
    rule="waiting",
    state=State.RESOLVED,
    severity=Severity.INFO,
    messages=(f"{OLD} {NOW}",),
    faults=(),
    first_seen=NOW,
    last_seen=NOW,
    leased_until=NOW + 60,
    version=1,
)
OVER = replace(BEGUN, messages=(), first_seen=0, last_seen=NOW + 100, leased_until=0, version=2)
FINDING = replace(BEGUN, rule="AR517", state=State.OPEN, severity=Severity.HIGH, messages=("held", "for long"))


def waited(now: int, *records: Record, on: tuple[str, ...] = (OLD,), limit: int = LIMIT) -> Wait:
    return wait(GROUP, records, on, now=now, limit_seconds=limit)


def settled(now: int, *records: Record) -> Wait:
    return waited(now, *records, on=())


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
    assert waited(NOW + later, latest) == Wait(overdue=frozenset({OLD}))
    assert waited(NOW + later, BEGUN) == Wait(overdue=frozenset({OLD}))


def test_each_message_leads_to_the_next_until_the_limit() -> None:
    records: tuple[Record, ...] = ()
    comes: list[int] = []
    for later in range(0, 1000, 20):
        found = waited(NOW + later, *records, limit=240)
        assert bool(found.overdue) == (later >= 240)
        if found.come_back:
            comes.append(later)
        records = (found.record,) if found.record else records
    assert comes == [0, 60, 120, 180]
    assert records == (replace(BEGUN, last_seen=NOW + 180, leased_until=NOW + 240, version=4),)


def test_what_a_group_waits_for_anew_has_the_whole_time_though_something_else_is_overdue() -> None:
    found = waited(NOW + 1000, BEGUN, on=(NEW, OLD))
    both = (f"{OLD} {NOW}", f"{NEW} {NOW + 1000}")
    record = replace(BEGUN, messages=both, last_seen=NOW + 1000, leased_until=NOW + 1060, version=2)
    assert found == Wait(record=record, come_back=True, overdue=frozenset({OLD}))
    assert waited(NOW + 1899, record, on=(OLD, NEW)).overdue == frozenset({OLD})
    assert waited(NOW + 1900, record, on=(OLD, NEW)) == Wait(overdue=frozenset({OLD, NEW}))


def test_what_is_waited_for_beside_something_else_is_recorded_though_a_message_is_on_its_way() -> None:
    both = (f"{OLD} {NOW}", f"{NEW} {NOW + 30}")
    record = replace(BEGUN, messages=both, last_seen=NOW + 30, version=2)
    assert waited(NOW + 30, BEGUN, on=(OLD, NEW)) == Wait(record=record)


def test_what_came_and_is_waited_for_once_more_has_the_whole_time_again() -> None:
    other = replace(BEGUN, messages=(f"{NEW} {NOW + 800}",), first_seen=NOW + 800, last_seen=NOW + 800, version=2)
    came = waited(NOW + 800, BEGUN, on=(NEW,)).record
    assert came == replace(other, leased_until=NOW + 860)
    assert came is not None
    assert waited(NOW + 901, came, on=(NEW, OLD)).overdue == frozenset()


@pytest.mark.parametrize("later", [1, 100, 2000])
def test_a_wait_that_is_over_is_recorded_once(later: int) -> None:
    over = replace(OVER, last_seen=NOW + later, leased_until=NOW + 60 if later < 60 else 0)
    assert settled(NOW + later, BEGUN) == Wait(record=over)
    assert settled(NOW + later + 1, over) == Wait()


def test_a_group_that_never_waited_has_nothing_recorded() -> None:
    assert settled(NOW) == Wait()


def test_a_group_that_waits_anew_has_the_whole_time_again() -> None:
    again = replace(
        BEGUN,
        messages=(f"{OLD} {NOW + 5000}",),
        first_seen=NOW + 5000,
        last_seen=NOW + 5000,
        leased_until=NOW + 5060,
        version=3,
    )
    assert waited(NOW + 5000, OVER) == Wait(record=again, come_back=True)
    assert waited(NOW + 5000 + 899, again).overdue == frozenset()
    assert waited(NOW + 5000 + 900, again) == Wait(overdue=frozenset({OLD}))


@pytest.mark.parametrize("record", [BEGUN, OVER])
def test_a_record_of_a_wait_is_forgotten_like_a_finding_that_is_over(record: Record) -> None:
    assert is_finding(record)
    assert record.expires == record.last_seen + KEPT_SECONDS
