"""What people are told, cell by cell of the ledger's table, and what is recorded of it."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from apprunner_guardrails import ledger
from apprunner_guardrails.findings import EXPLAINED, NOT_JUDGED, Exemption, Finding, Severity, Status
from apprunner_guardrails.ledger import (
    LEASE_SECONDS,
    MACHINES,
    Channel,
    Kind,
    Plan,
    Record,
    State,
    Terms,
    Transition,
    failed_call,
    is_finding,
    plan,
    plan_once,
    settled,
)

NOW = 1_800_000_000
HOUR, DAY = 3600, 86_400
SHOP = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/shop/1/0123456789abcdef0123456789abcdef"
ALL = tuple(Channel)
PEOPLE = (Channel.TEXT, Channel.CHAT)
TO_MACHINES = (Channel.EVENTS, Channel.SECURITY_HUB)
TERMS = Terms(now=NOW, who="bob with Terraform", channels=ALL, reminder_seconds=7 * DAY)


def hashes(*texts: str) -> tuple[str, ...]:
    return tuple(sorted(sha256(text.encode()).hexdigest()[:16] for text in texts))


EXEMPTION = Exemption(rule="AR102", until="2026-12-31", owner="@carol", reason="a demo")
FAILS = Finding(
    resource=SHOP,
    rule="AR102",
    name="connector_public_subnet",
    title="A subnet is public",
    severity=Severity.HIGH,
    status=Status.FAIL,
    messages=("subnet-1 is public",),
    faults=("subnet-1 is public",),
    risk="No way out.",
)
FAILS_OTHERWISE = replace(FAILS, messages=("subnet-2 is public",), faults=("subnet-2 is public",))
PASSES = replace(FAILS, status=Status.PASS, messages=(), faults=())
EXEMPT = replace(FAILS, status=Status.EXEMPT, exemption=EXEMPTION)
RUN_OUT = replace(FAILS, exemption=replace(EXEMPTION, until="2026-01-31"))
UNKNOWN = replace(PASSES, status=Status.UNKNOWN, unread="ec2:DescribeSubnets failed (Throttling)")
BROKEN = replace(PASSES, status=Status.ERROR, unread="KeyError: 'x'")
IN_PART = replace(FAILS_OTHERWISE, unread="subnet-1: ec2:DescribeRouteTables failed (Throttling)")

OPEN = Record(
    resource=SHOP,
    rule="AR102",
    state=State.OPEN,
    severity=Severity.HIGH,
    messages=("subnet-1 is public",),
    faults=hashes("subnet-1 is public"),
    first_seen=NOW - 3 * HOUR,
    last_seen=NOW - 2 * HOUR,
    last_alerted=NOW - 3 * HOUR,
    who="alice",
    version=7,
)
RESOLVED = replace(OPEN, state=State.RESOLVED)
ACCEPTED = replace(OPEN, state=State.EXEMPT, exempt_until="2026-12-31", exempt_by="@carol")
FORGOTTEN = replace(RESOLVED, last_seen=NOW - 90 * DAY)  # DynamoDB deletes within days of the time

# What a transition writes, less what its kind and what was recorded before say.
WRITTEN: Mapping[str, Any] = {
    "resource": SHOP,
    "rule": "AR102",
    "severity": Severity.HIGH,
    "messages": ("subnet-1 is public",),
    "faults": hashes("subnet-1 is public"),
    "last_seen": NOW,
    "leased_until": NOW + LEASE_SECONDS,
}
ANEW: dict[str, Any] = {"first_seen": NOW, "who": "bob with Terraform"}
AS_BEFORE: dict[str, Any] = {"first_seen": NOW - 3 * HOUR, "last_alerted": NOW - 3 * HOUR, "who": "alice", "version": 8}
ANEW_AFTER: dict[str, Any] = ANEW | {"last_alerted": NOW - 3 * HOUR, "version": 8}
UNTIL: dict[str, Any] = {"exempt_until": "2026-12-31", "exempt_by": "@carol"}


def told(
    kind: Kind,
    finding: Finding,
    before: Record | None,
    state: State,
    channels: tuple[Channel, ...] = ALL,
    **record: Any,
) -> Plan:
    """The plan with one transition to tell."""
    written = Record(**(dict(WRITTEN) | {"state": state, "owed": kind, "owed_to": channels} | record))
    return Plan(transitions=(Transition(kind=kind, finding=finding, record=written, before=before, channels=channels),))


NOTHING = Plan(transitions=())
IS_OVER = replace(FAILS, status=Status.PASS, faults=())  # with the messages that it had
SECOND: dict[str, Any] = {"messages": ("subnet-2 is public",), "faults": hashes("subnet-2 is public")}
BOTH = ("subnet-1 is public", "subnet-2 is public")
BOTH_FAULTS: dict[str, Any] = {"messages": BOTH, "faults": hashes(*BOTH)}

CELLS: Mapping[str, tuple[Record | None, Finding, Plan]] = {
    "nothing: pass": (None, PASSES, NOTHING),
    "nothing: fail": (None, FAILS, told(Kind.OPENED, FAILS, None, State.OPEN, **ANEW)),
    "nothing: fail, in part": (None, IN_PART, told(Kind.OPENED, IN_PART, None, State.OPEN, **ANEW, **SECOND)),
    "nothing: fail, exemption expired": (None, RUN_OUT, told(Kind.OPENED, RUN_OUT, None, State.OPEN, **ANEW)),
    "nothing: exempt": (
        None,
        EXEMPT,
        told(Kind.EXEMPTED, EXEMPT, None, State.EXEMPT, TO_MACHINES, **ANEW, **UNTIL),
    ),
    "nothing: unknown": (None, UNKNOWN, NOTHING),
    "nothing: error": (None, BROKEN, NOTHING),
    "resolved: pass": (RESOLVED, PASSES, NOTHING),
    "resolved: fail, same": (RESOLVED, FAILS, told(Kind.REOPENED, FAILS, RESOLVED, State.OPEN, **ANEW_AFTER)),
    "resolved: fail, others": (
        RESOLVED,
        FAILS_OTHERWISE,
        told(Kind.REOPENED, FAILS_OTHERWISE, RESOLVED, State.OPEN, **ANEW_AFTER, **SECOND),
    ),
    "resolved: fail, in part": (  # what was over is not told again
        RESOLVED,
        IN_PART,
        told(Kind.REOPENED, IN_PART, RESOLVED, State.OPEN, **ANEW_AFTER, **SECOND),
    ),
    "resolved: exempt": (
        RESOLVED,
        EXEMPT,
        told(Kind.EXEMPTED, EXEMPT, RESOLVED, State.EXEMPT, TO_MACHINES, **ANEW_AFTER, **UNTIL),
    ),
    "resolved: unknown": (RESOLVED, UNKNOWN, NOTHING),
    "resolved: error": (RESOLVED, BROKEN, NOTHING),
    "forgotten: pass": (FORGOTTEN, PASSES, NOTHING),
    "forgotten: fail": (FORGOTTEN, FAILS, told(Kind.OPENED, FAILS, FORGOTTEN, State.OPEN, **ANEW_AFTER)),
    "forgotten: exempt": (
        FORGOTTEN,
        EXEMPT,
        told(Kind.EXEMPTED, EXEMPT, FORGOTTEN, State.EXEMPT, TO_MACHINES, **ANEW_AFTER, **UNTIL),
    ),
    "open: pass": (OPEN, PASSES, told(Kind.RESOLVED, IS_OVER, OPEN, State.RESOLVED, **AS_BEFORE)),
    "open: fail, same": (OPEN, FAILS, NOTHING),
    "open: fail, same but for what may change": (OPEN, replace(FAILS, messages=("subnet-1 is as public",)), NOTHING),
    "open: fail, others": (
        OPEN,
        FAILS_OTHERWISE,
        told(Kind.CHANGED, FAILS_OTHERWISE, OPEN, State.OPEN, **AS_BEFORE, **SECOND),
    ),
    "open: fail, more": (
        OPEN,
        replace(FAILS, messages=BOTH, faults=BOTH),
        told(Kind.CHANGED, replace(FAILS, messages=BOTH, faults=BOTH), OPEN, State.OPEN, **AS_BEFORE, **BOTH_FAULTS),
    ),
    "open: fail, fewer": (
        replace(OPEN, **BOTH_FAULTS),
        FAILS,
        told(Kind.CHANGED, FAILS, replace(OPEN, **BOTH_FAULTS), State.OPEN, **AS_BEFORE),
    ),
    "open: fail, fewer in part": (replace(OPEN, **BOTH_FAULTS), IN_PART, NOTHING),
    "open: fail, others in part": (  # what is not said any more is not known to be over
        OPEN,
        IN_PART,
        told(Kind.CHANGED, replace(IN_PART, messages=BOTH), OPEN, State.OPEN, **AS_BEFORE, **BOTH_FAULTS),
    ),
    "open: fail, worse": (
        OPEN,
        replace(FAILS, severity=Severity.CRITICAL),
        told(
            Kind.CHANGED,
            replace(FAILS, severity=Severity.CRITICAL),
            OPEN,
            State.OPEN,
            **AS_BEFORE,
            severity=Severity.CRITICAL,
        ),
    ),
    "open: exempt": (OPEN, EXEMPT, told(Kind.EXEMPTED, EXEMPT, OPEN, State.EXEMPT, **AS_BEFORE, **UNTIL)),
    "open: fail, tags unread": (OPEN, replace(FAILS, tags_unread=True), NOTHING),
    "open: unknown": (OPEN, UNKNOWN, NOTHING),
    "open: error": (OPEN, BROKEN, NOTHING),
    "exempt: pass": (
        ACCEPTED,
        PASSES,
        told(Kind.RESOLVED, IS_OVER, ACCEPTED, State.RESOLVED, TO_MACHINES, **AS_BEFORE),
    ),
    "exempt: fail, exemption expired": (
        ACCEPTED,
        RUN_OUT,
        told(Kind.EXPIRED, RUN_OUT, ACCEPTED, State.OPEN, **ANEW_AFTER),
    ),
    "exempt: fail, tag gone": (ACCEPTED, FAILS, told(Kind.REOPENED, FAILS, ACCEPTED, State.OPEN, **ANEW_AFTER)),
    "exempt: fail, tags unread": (ACCEPTED, replace(FAILS, tags_unread=True), NOTHING),
    "exempt: exempt": (ACCEPTED, EXEMPT, NOTHING),
    "exempt: exempt, others": (ACCEPTED, replace(EXEMPT, messages=BOTH, faults=BOTH), NOTHING),
    "exempt: unknown": (ACCEPTED, UNKNOWN, NOTHING),
    "exempt: error": (ACCEPTED, BROKEN, NOTHING),
}


@pytest.mark.parametrize(("record", "answer", "expected"), CELLS.values(), ids=CELLS)
def test_each_cell_of_the_table(record: Record | None, answer: Finding, expected: Plan) -> None:
    assert plan([answer], [record] if record else [], TERMS) == expected


def test_each_rule_has_its_own_record_and_the_order_is_that_of_the_answers() -> None:
    others = [replace(OPEN, rule="AR104"), replace(OPEN, rule="AR103")]
    answers = [replace(FAILS_OTHERWISE, rule=rule) for rule in ("AR101", "AR103", "AR102", "AR104")]
    transitions = plan(answers, [OPEN, *others], TERMS).transitions
    assert [(one.finding.rule, one.record.rule, one.kind) for one in transitions] == [
        ("AR101", "AR101", Kind.OPENED),
        ("AR103", "AR103", Kind.CHANGED),
        ("AR102", "AR102", Kind.CHANGED),
        ("AR104", "AR104", Kind.CHANGED),
    ]
    assert plan([], [OPEN, *others], TERMS) == NOTHING


# Leases ----------------------------------------------------------------------------------------------------------

CLAIMED = replace(OPEN, owed=Kind.OPENED, owed_to=ALL, leased_until=NOW + 1)


@pytest.mark.parametrize(
    ("answer", "busy"),
    [
        (FAILS, ()),
        (UNKNOWN, ()),
        (BROKEN, ()),
        (PASSES, ("AR102",)),
        (FAILS_OTHERWISE, ("AR102",)),
        (EXEMPT, ("AR102",)),
    ],
    ids=["same", "unknown", "error", "over", "others", "exempt"],
)
def test_what_somebody_is_telling_is_theirs_and_what_has_changed_since_has_to_wait(
    answer: Finding, busy: tuple[str, ...]
) -> None:
    assert plan([answer], [CLAIMED], TERMS) == Plan(transitions=(), busy=busy)


def test_no_reminder_is_due_of_what_is_just_being_told() -> None:
    assert plan([FAILS], [replace(CLAIMED, last_alerted=NOW - 8 * DAY)], TERMS) == NOTHING


def test_a_busy_rule_does_not_keep_the_others_from_being_told() -> None:
    found = plan([PASSES, replace(FAILS, rule="AR103")], [CLAIMED], TERMS)
    assert found.busy == ("AR102",)
    assert [one.finding.rule for one in found.transitions] == ["AR103"]


@pytest.mark.parametrize("answer", [FAILS, UNKNOWN, BROKEN], ids=["same", "unknown", "error"])
def test_when_the_lease_is_over_the_same_is_told_again(answer: Finding) -> None:
    record = replace(CLAIMED, leased_until=NOW, owed_to=(Channel.CHAT, Channel.EVENTS))
    # Whatever cannot be judged again just now, it is told as it was.
    finding = replace(answer, status=Status.FAIL, messages=FAILS.messages)
    again = replace(record, leased_until=NOW + LEASE_SECONDS, version=8)
    channels = (Channel.CHAT, Channel.EVENTS)
    assert plan([answer], [record], TERMS) == Plan(
        transitions=(Transition(kind=Kind.OPENED, finding=finding, record=again, before=record, channels=channels),)
    )


def test_an_end_that_is_owed_is_told_again_as_an_end() -> None:
    record = replace(RESOLVED, owed=Kind.RESOLVED, owed_to=(Channel.TEXT,))
    again = replace(record, leased_until=NOW + LEASE_SECONDS, version=8)
    for answer in (PASSES, UNKNOWN):
        assert plan([answer], [record], TERMS) == Plan(
            transitions=(
                Transition(
                    kind=Kind.RESOLVED,
                    finding=replace(answer, status=Status.PASS, messages=FAILS.messages),
                    record=again,
                    before=record,
                    channels=(Channel.TEXT,),
                ),
            )
        )


def test_an_exemption_that_is_owed_is_told_again_from_the_record() -> None:
    record = replace(ACCEPTED, owed=Kind.EXEMPTED, owed_to=(Channel.TEXT,))
    (transition,) = plan([UNKNOWN], [record], TERMS).transitions
    recorded = Exemption(rule="AR102", until="2026-12-31", owner="@carol", reason="")
    assert transition.finding == replace(UNKNOWN, status=Status.EXEMPT, messages=FAILS.messages, exemption=recorded)


def test_a_channel_that_is_switched_off_is_owed_nothing() -> None:
    record = replace(CLAIMED, leased_until=0, owed_to=(Channel.CHAT, Channel.EVENTS))
    found = plan([FAILS], [record], replace(TERMS, channels=(Channel.TEXT, Channel.EVENTS)))
    assert found.transitions[0].channels == found.transitions[0].record.owed_to == (Channel.EVENTS,)
    (written,) = plan([FAILS], [record], replace(TERMS, channels=(Channel.TEXT,))).transitions
    assert written == Transition(
        kind=Kind.OPENED,
        finding=FAILS,
        record=replace(record, owed=None, owed_to=(), version=8),
        before=record,
        channels=(),
    )


@pytest.mark.parametrize("opening", [Kind.OPENED, Kind.REOPENED, Kind.EXPIRED])
def test_an_opening_that_was_never_told_and_has_changed_is_told_as_one_to_everybody(opening: Kind) -> None:
    record = replace(CLAIMED, owed=opening, owed_to=(Channel.TEXT,), leased_until=0)
    expected = told(opening, FAILS_OTHERWISE, record, State.OPEN, **AS_BEFORE, **SECOND)
    assert plan([FAILS_OTHERWISE], [record], TERMS) == expected


def test_a_change_that_was_never_told_gives_way_to_the_next() -> None:
    record = replace(CLAIMED, owed=Kind.CHANGED, owed_to=(Channel.TEXT,), leased_until=0)
    expected = told(Kind.CHANGED, FAILS_OTHERWISE, record, State.OPEN, **AS_BEFORE, **SECOND)
    assert plan([FAILS_OTHERWISE], [record], TERMS) == expected


def test_what_was_never_told_and_is_over_is_told_as_over() -> None:
    record = replace(CLAIMED, leased_until=0)
    assert plan([PASSES], [record], TERMS) == told(Kind.RESOLVED, IS_OVER, record, State.RESOLVED, **AS_BEFORE)


def test_people_who_were_not_told_of_an_exemption_hear_how_it_ended() -> None:
    """What they know is that it is open."""
    record = replace(ACCEPTED, owed=Kind.EXEMPTED, owed_to=(Channel.TEXT, Channel.EVENTS))
    assert plan([PASSES], [record], TERMS) == told(
        Kind.RESOLVED, IS_OVER, record, State.RESOLVED, (Channel.TEXT, *TO_MACHINES), **AS_BEFORE
    )


def test_people_who_were_not_told_of_an_end_hear_of_the_exemption_after_it() -> None:
    record = replace(RESOLVED, owed=Kind.RESOLVED, owed_to=(Channel.CHAT,))
    assert plan([EXEMPT], [record], TERMS) == told(
        Kind.EXEMPTED, EXEMPT, record, State.EXEMPT, (Channel.CHAT, *TO_MACHINES), **ANEW_AFTER, **UNTIL
    )


# Settling --------------------------------------------------------------------------------------------------------

(OPENED,) = told(Kind.OPENED, FAILS, None, State.OPEN, **ANEW).transitions


def test_what_reached_every_channel_is_owed_no_more() -> None:
    assert settled(OPENED, ALL, NOW + 2) == replace(
        OPENED.record, owed=None, owed_to=(), leased_until=0, last_alerted=NOW + 2, version=2
    )


def test_what_did_not_reach_a_channel_is_owed_there_and_anybodys() -> None:
    assert settled(OPENED, (Channel.TEXT, Channel.EVENTS), NOW + 2) == replace(
        OPENED.record, owed_to=(Channel.CHAT, Channel.SECURITY_HUB), leased_until=0, last_alerted=NOW + 2, version=2
    )


@pytest.mark.parametrize("reached", [(), TO_MACHINES, (Channel.EVENTS,)], ids=["nobody", "machines", "one machine"])
def test_what_reached_no_people_alerted_nobody(reached: tuple[Channel, ...]) -> None:
    left = tuple(one for one in ALL if one not in reached)
    assert settled(OPENED, reached, NOW + 2) == replace(OPENED.record, owed_to=left, leased_until=0, version=2)


def test_a_channel_that_was_owed_nothing_changes_nothing() -> None:
    only = replace(OPENED, record=replace(OPENED.record, owed_to=(Channel.EVENTS,)), channels=(Channel.EVENTS,))
    assert settled(only, (Channel.TEXT,), NOW + 2) == replace(only.record, leased_until=0, version=2)


def test_what_was_told_again_is_settled_where_it_was_owed() -> None:
    record = replace(CLAIMED, leased_until=0, owed_to=(Channel.CHAT,))
    (again,) = plan([FAILS], [record], TERMS).transitions
    assert settled(again, (Channel.CHAT,), NOW + 2) == replace(
        record, owed=None, owed_to=(), leased_until=0, last_alerted=NOW + 2, version=9
    )


# Reminders and what is only written ------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", Severity)
def test_what_is_severe_is_reminded_of_and_only_people_are(severity: Severity) -> None:
    record = replace(OPEN, severity=severity, last_alerted=NOW - 7 * DAY)
    answer = replace(FAILS, severity=severity)
    reminded = told(
        Kind.REMINDED,
        answer,
        record,
        State.OPEN,
        PEOPLE,
        **(AS_BEFORE | {"last_alerted": NOW - 7 * DAY}),
        severity=severity,
    )
    severe = severity in (Severity.CRITICAL, Severity.HIGH)
    assert plan([answer], [record], TERMS) == (reminded if severe else NOTHING)
    assert plan([answer], [replace(record, last_alerted=NOW - 7 * DAY + 1)], TERMS) == NOTHING
    assert plan([answer], [record], replace(TERMS, reminder_seconds=0)) == NOTHING


@pytest.mark.parametrize("answer", [UNKNOWN, BROKEN, PASSES, EXEMPT], ids=lambda one: one.status.value)
def test_nobody_is_reminded_of_what_does_not_fail_now(answer: Finding) -> None:
    found = plan([answer], [replace(OPEN, last_alerted=NOW - 8 * DAY)], TERMS).transitions
    assert Kind.REMINDED not in [one.kind for one in found]


def test_a_reminder_is_owed_like_anything_else() -> None:
    record = replace(OPEN, owed=Kind.REMINDED, owed_to=(Channel.CHAT,), last_alerted=NOW - DAY)
    (again,) = plan([FAILS], [record], TERMS).transitions
    assert (again.kind, again.channels) == (Kind.REMINDED, (Channel.CHAT,))


@pytest.mark.parametrize(("record", "answer"), [(OPEN, FAILS), (ACCEPTED, EXEMPT)], ids=["open", "exempt"])
def test_once_a_day_what_stands_is_written_as_seen(record: Record, answer: Finding) -> None:
    old = replace(record, last_seen=NOW - DAY)
    seen = replace(old, last_seen=NOW, version=8)
    assert plan([answer], [old], TERMS) == Plan(
        transitions=(Transition(kind=Kind.SEEN, finding=answer, record=seen, before=old, channels=()),)
    )
    assert plan([answer], [replace(record, last_seen=NOW - DAY + 1)], TERMS) == NOTHING


@pytest.mark.parametrize(
    ("record", "answer"),
    [(OPEN, UNKNOWN), (OPEN, BROKEN), (RESOLVED, PASSES), (ACCEPTED, UNKNOWN), (None, PASSES)],
    ids=["unknown", "error", "over", "exempt and unknown", "nothing"],
)
def test_what_is_not_seen_is_not_written(record: Record | None, answer: Finding) -> None:
    assert plan([answer], [replace(record, last_seen=NOW - 2 * DAY)] if record else [], TERMS) == NOTHING


def test_an_exemption_that_was_moved_is_written_at_once_and_told_to_nobody() -> None:
    moved = replace(EXEMPT, exemption=replace(EXEMPTION, until="2027-06-30", owner="@dave"))
    seen = replace(ACCEPTED, last_seen=NOW, exempt_until="2027-06-30", exempt_by="@dave", version=8)
    assert plan([moved], [ACCEPTED], TERMS) == Plan(
        transitions=(Transition(kind=Kind.SEEN, finding=moved, record=seen, before=ACCEPTED, channels=()),)
    )


# Owners ----------------------------------------------------------------------------------------------------------

OWED = replace(OPEN, owed=Kind.OPENED, owed_to=(Channel.CHAT,))
YESTERDAY: dict[str, Any] = {"last_seen": NOW - DAY}
WRITTEN_AS: Mapping[str, tuple[Kind, Record | None, Finding]] = {
    "opened": (Kind.OPENED, None, FAILS),
    "reopened": (Kind.REOPENED, RESOLVED, FAILS),
    "exemption expired": (Kind.EXPIRED, ACCEPTED, RUN_OUT),
    "changed": (Kind.CHANGED, OPEN, FAILS_OTHERWISE),
    "reminded": (Kind.REMINDED, replace(OPEN, last_alerted=NOW - 8 * DAY), FAILS),
    "resolved": (Kind.RESOLVED, OPEN, PASSES),
    "exempted": (Kind.EXEMPTED, OPEN, EXEMPT),
    "told again": (Kind.OPENED, OWED, FAILS),
    "seen": (Kind.SEEN, replace(OPEN, **YESTERDAY), FAILS),
    "seen and exempt": (Kind.SEEN, replace(ACCEPTED, **YESTERDAY), EXEMPT),
}


@pytest.mark.parametrize(
    ("recorded", "known", "written"),
    [("", "mara", "mara"), ("jonas", "mara", "mara"), ("jonas", "", "jonas"), ("jonas", "x" * 300, "x" * 256)],
    ids=["known now", "another", "not known now", "longer than a tag's value"],
)
@pytest.mark.parametrize(("kind", "record", "answer"), WRITTEN_AS.values(), ids=WRITTEN_AS)
def test_the_owner_is_written_with_whatever_is_written_and_nothing_else_is_new(
    *, kind: Kind, record: Record | None, answer: Finding, recorded: str, known: str, written: str
) -> None:
    before = replace(record, owner=recorded) if record else None
    (nobodys,) = plan([answer], [record] if record else [], TERMS).transitions
    (found,) = plan([answer], [before] if before else [], replace(TERMS, owner=known)).transitions
    expected = written if before or known else ""
    assert found == replace(nobodys, record=replace(nobodys.record, owner=expected), before=before)
    assert (found.kind, settled(found, ALL, NOW).owner) == (kind, expected)


@pytest.mark.parametrize(
    ("record", "answer"),
    [(OPEN, FAILS), (ACCEPTED, EXEMPT), (RESOLVED, PASSES), (OPEN, UNKNOWN), (None, PASSES)],
    ids=["open", "exempt", "over", "unknown", "nothing"],
)
def test_another_owner_is_no_reason_to_write(record: Record | None, answer: Finding) -> None:
    records = [replace(record, owner="jonas")] if record else []
    assert plan([answer], records, replace(TERMS, owner="mara")) == NOTHING


# AR902 -----------------------------------------------------------------------------------------------------------

UNJUDGED = replace(FAILS, rule=NOT_JUDGED, unread="some reads failed")
JUDGED = replace(PASSES, rule=NOT_JUDGED)


def channels(answer: Finding, record: Record | None) -> list[tuple[Kind, tuple[Channel, ...]]]:
    records = [replace(record, rule=NOT_JUDGED)] if record else []
    return [(one.kind, one.channels) for one in plan([answer], records, TERMS).transitions]


def test_everybody_hears_that_something_cannot_be_judged_and_machines_that_it_can() -> None:
    assert channels(UNJUDGED, None) == [(Kind.OPENED, ALL)]
    assert channels(JUDGED, OPEN) == [(Kind.RESOLVED, TO_MACHINES)]


def test_people_hear_of_reads_that_fail_now_and_then_once_a_day() -> None:
    assert channels(UNJUDGED, RESOLVED) == [(Kind.REOPENED, TO_MACHINES)]
    assert channels(UNJUDGED, replace(RESOLVED, last_alerted=NOW - DAY + 1)) == [(Kind.REOPENED, TO_MACHINES)]
    assert channels(UNJUDGED, replace(RESOLVED, last_alerted=NOW - DAY)) == [(Kind.REOPENED, ALL)]


def test_what_cannot_be_judged_is_as_bad_as_the_worst_of_it_until_all_can_be() -> None:
    """Other reads fail from time to time: a list that is shorter this time is no news."""
    standing = replace(OPEN, rule=NOT_JUDGED, **BOTH_FAULTS)
    assert plan([replace(UNJUDGED, severity=Severity.LOW)], [standing], TERMS) == NOTHING
    long_ago = replace(standing, last_alerted=NOW - 8 * DAY)
    (reminded,) = plan([replace(UNJUDGED, severity=Severity.LOW)], [long_ago], TERMS).transitions
    assert (reminded.kind, reminded.record.severity) == (Kind.REMINDED, Severity.HIGH)
    (worse,) = plan([replace(UNJUDGED, severity=Severity.CRITICAL)], [standing], TERMS).transitions
    assert (worse.kind, worse.record.severity) == (Kind.CHANGED, Severity.CRITICAL)
    more = replace(UNJUDGED, severity=Severity.LOW, messages=("subnet-3",), faults=("subnet-3",))
    (longer,) = plan([more], [standing], TERMS).transitions
    assert (longer.kind, longer.finding.severity, longer.record.severity) == (
        Kind.CHANGED,
        Severity.HIGH,
        Severity.HIGH,
    )
    assert longer.record.messages == (*BOTH, "subnet-3")


def test_reads_that_fail_every_other_hour_are_told_to_people_every_day() -> None:
    """What machines hear does not put off what people are to hear."""
    records: list[Record] = []
    heard: list[int] = []
    for hour in range(72):
        answer = JUDGED if hour % 2 else UNJUDGED
        for one in plan([answer], records, replace(TERMS, now=NOW + hour * HOUR)).transitions:
            records = [settled(one, one.channels, NOW + hour * HOUR)]
            heard += [hour] if Channel.TEXT in one.channels else []
    assert heard == [0, 24, 48]


# How long it is kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "expires"),
    [
        (RESOLVED, RESOLVED.last_seen + 90 * DAY),
        (replace(RESOLVED, owed=Kind.RESOLVED, owed_to=(Channel.TEXT,)), 0),
        (OPEN, 0),
        (ACCEPTED, 0),
    ],
    ids=["over and told", "over and owed", "open", "exempt"],
)
def test_only_what_is_over_and_was_told_is_forgotten(record: Record, expires: int) -> None:
    assert record.expires == expires


def test_an_item_has_room_for_what_a_finding_says() -> None:
    messages = tuple(f"{number:03} " + "x" * 2000 for number in range(100))
    answer = replace(FAILS, messages=messages, faults=messages)
    (transition,) = plan([answer], [], replace(TERMS, who="w" * 5000)).transitions
    assert transition.finding == answer
    assert transition.record.messages == tuple(message[:1000] for message in messages[:20])
    assert transition.record.faults == hashes(*messages)
    assert transition.record.who == "w" * 1000
    assert plan([answer], [settled(transition, ALL, NOW)], TERMS) == NOTHING


def test_a_fingerprint_is_of_the_severity_and_the_faults() -> None:
    same = replace(OPEN, messages=(), version=9, state=State.EXEMPT)
    assert same.fingerprint == OPEN.fingerprint
    others = {replace(OPEN, severity=Severity.LOW).fingerprint, replace(OPEN, faults=()).fingerprint}
    assert len({OPEN.fingerprint, *others}) == 3


def test_a_message_that_is_no_utf8_is_a_fault_like_another() -> None:
    odd = replace(FAILS, messages=("subnet \ud800",), faults=())
    (transition,) = plan([odd], [], TERMS).transitions
    assert plan([odd], [settled(transition, ALL, NOW)], TERMS) == NOTHING


# Failed calls ----------------------------------------------------------------------------------------------------

FAILED = replace(
    FAILS, resource="", rule=EXPLAINED, name="failed_call", messages=("shop cannot be deleted: services use it",)
)
KEY = failed_call("alice", "DeleteVpcConnector", "in use: shop")
REMEMBERED = Record(
    resource=KEY[0],
    rule=KEY[1],
    state=State.RESOLVED,
    severity=Severity.HIGH,
    messages=FAILED.messages,
    faults=(),
    first_seen=NOW - 10,
    last_seen=NOW - 10,
    last_alerted=NOW - 5,
    who="alice",
    version=2,
)
LISTENING = tuple(one for one in ALL if one is not Channel.SECURITY_HUB)


def explained(before: Record | None, **record: Any) -> Transition:
    told_now: dict[str, Any] = {
        "first_seen": NOW,
        "last_seen": NOW,
        "last_alerted": 0,
        "who": "bob with Terraform",
        "version": 1,
    }
    owed: dict[str, Any] = {"owed": Kind.OPENED, "owed_to": LISTENING, "leased_until": NOW + LEASE_SECONDS}
    return Transition(
        kind=Kind.OPENED,
        finding=FAILED,
        record=replace(REMEMBERED, **(told_now | owed | record)),
        before=before,
        channels=LISTENING,
    )


def test_a_failed_call_is_explained_to_everybody_but_security_hub() -> None:
    assert plan_once(FAILED, KEY, [], TERMS) == explained(None)
    assert plan_once(FAILED, KEY, [replace(REMEMBERED, rule="AR903-other")], TERMS) == explained(None)


def test_where_nobody_listens_it_is_only_written_that_the_hour_has_begun() -> None:
    nobody = plan_once(FAILED, KEY, [], replace(TERMS, channels=()))
    silent = explained(None, owed=None, owed_to=(), leased_until=0)
    assert nobody == replace(silent, channels=())


def test_it_is_explained_once_an_hour() -> None:
    told_before = replace(REMEMBERED, last_seen=NOW - HOUR + 1)
    assert plan_once(FAILED, KEY, [told_before], TERMS) is None
    told_before = replace(REMEMBERED, last_seen=NOW - HOUR)
    assert plan_once(FAILED, KEY, [told_before], TERMS) == explained(told_before, last_alerted=NOW - 5, version=3)
    assert plan_once(FAILED, KEY, [told_before], TERMS, every_seconds=HOUR + 1) is None


def test_what_is_counted_by_another_time_is_leased_by_the_clock() -> None:
    """A digest belongs to the hour of its schedule, however late it is told and tried again."""
    by_schedule = explained(None, first_seen=NOW - 100, last_seen=NOW - 100)
    assert plan_once(FAILED, KEY, [], TERMS, at=NOW - 100) == by_schedule
    assert by_schedule.record.leased_until == NOW + LEASE_SECONDS
    crashed = [by_schedule.record]
    early, late = (replace(TERMS, now=NOW + LEASE_SECONDS - left) for left in (1, 0))
    assert plan_once(FAILED, KEY, crashed, early, at=NOW - 100) is None
    again = plan_once(FAILED, KEY, crashed, late, at=NOW - 100)
    assert again is not None
    assert (again.channels, again.record.last_seen) == (LISTENING, NOW - 100)


def test_a_clock_that_is_a_little_behind_explains_nothing_again() -> None:
    assert plan_once(FAILED, KEY, [replace(REMEMBERED, last_seen=NOW + 5)], TERMS) is None


def test_an_explanation_that_is_just_being_told_is_theirs_who_tell_it() -> None:
    claimed = replace(REMEMBERED, owed=Kind.OPENED, owed_to=LISTENING, leased_until=NOW + 1, last_seen=NOW - DAY)
    assert plan_once(FAILED, KEY, [claimed], TERMS) is None


def test_an_explanation_is_told_again_where_it_is_owed() -> None:
    owed = replace(REMEMBERED, owed=Kind.OPENED, owed_to=(Channel.CHAT,), leased_until=NOW)
    assert plan_once(FAILED, KEY, [owed], TERMS) == Transition(
        kind=Kind.OPENED,
        finding=FAILED,
        record=replace(owed, leased_until=NOW + LEASE_SECONDS, version=3),
        before=owed,
        channels=(Channel.CHAT,),
    )


def test_what_is_owed_for_an_hour_is_told_to_everybody_anew() -> None:
    owed = replace(REMEMBERED, owed=Kind.OPENED, owed_to=(Channel.CHAT,), last_seen=NOW - HOUR)
    assert plan_once(FAILED, KEY, [owed], TERMS) == explained(owed, last_alerted=NOW - 5, version=3)


def test_an_explanation_is_remembered_for_a_week_whether_it_was_told_or_not() -> None:
    first = explained(None)
    assert first.record.expires == NOW + 7 * DAY
    assert settled(first, LISTENING, NOW).expires == NOW + 7 * DAY


def test_what_is_told_once_is_no_finding() -> None:
    digest = replace(REMEMBERED, resource="digest")
    assert [is_finding(one) for one in (REMEMBERED, digest, OPEN, RESOLVED)] == [False, False, True, True]


def test_callers_calls_and_causes_are_told_apart_and_nothing_of_them_is_in_the_key() -> None:
    keys = [
        failed_call(*named)
        for named in (("alice", "a", "b"), ("bob", "a", "b"), ("alice", "b", "b"), ("alice", "a", "c"))
    ]
    assert len(set(keys)) == 4
    assert keys[0][0] == keys[2][0] == keys[3][0] != keys[1][0]
    hostile = failed_call("x\n\ud800" * 5000, "y" * 5000, "")
    assert all(len(part) < 50 and part.isascii() and part.isprintable() for part in hostile)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("role Deployer botocore-session-1712345678", "role Deployer botocore-session-1812345679"),
        ("role Build AWSCodeBuild-0b9f6c1e-7a51-4a55-9e5d", "role Build AWSCodeBuild-f00df00d-0001-4a55-9e5d"),
        ("role App i-0123456789abcdef0", "role App i-0fedcba9876543210"),
        ("role CI GitHubActions", "role CI GitHubActions"),
    ],
)
def test_sessions_that_a_tool_named_are_one_caller(one: str, other: str) -> None:
    assert failed_call(one, "a", "b") == failed_call(other, "a", "b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("role Deployer botocore-session-1712345678", "role Reader botocore-session-1712345678"),
        ("role AWSReservedSSO_Admin_0a1b2c3d4e5f6789 dana", "role AWSReservedSSO_Admin_0a1b2c3d4e5f6789 jonas"),
        ("role Admin user1", "role Admin user2"),
        ("role Admin adeace", "role Admin facade"),
    ],
)
def test_people_who_share_a_role_are_several_callers(one: str, other: str) -> None:
    assert failed_call(one, "a", "b") != failed_call(other, "a", "b")


def test_machines_are_the_channels_that_no_person_reads() -> None:
    assert frozenset(TO_MACHINES) == MACHINES
    assert ledger.MACHINES.isdisjoint(PEOPLE)
