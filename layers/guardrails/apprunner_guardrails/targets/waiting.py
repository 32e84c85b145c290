"""How long a target group has been waiting for its targets, and when somebody comes back to it. Pure.

It is recorded beside the group's findings, as something that is over and that nobody is told of: since when the group
waits (`first_seen`, 0 if it does not), and until when a message to come back is on its way (`leased_until`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from apprunner_guardrails.findings import Severity
from apprunner_guardrails.ledger import Record, State

RULE = "waiting"  # in the place of a rule's id
BACK_SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """What follows for a group: what to record, whether to come back in BACK_SECONDS, and whether that has gone on for
    longer than it may (then only events and the schedule lead back)."""

    record: Record | None = None
    come_back: bool = False
    overdue: bool = False


def wait(arn: str, records: Iterable[Record], *, waits: bool, now: int, limit_seconds: int) -> Wait:
    """What follows from whether the group waits now; `records` are those of the group."""
    before = next((one for one in records if one.rule == RULE), None)
    since = before.first_seen if before else 0
    if not waits:
        return Wait(record=_after(before, now, since=0) if before and since else None)
    if since and now - since >= limit_seconds:
        return Wait(overdue=True)
    if since and before and before.leased_until > now:
        return Wait()  # whoever sent the message will be back
    record = _after(before, now, since=since or now) if before else _first(arn, now)
    return Wait(record=replace(record, leased_until=now + BACK_SECONDS), come_back=True)


def _after(before: Record, now: int, *, since: int) -> Record:
    return replace(before, first_seen=since, last_seen=now, leased_until=0, version=before.version + 1)


def _first(arn: str, now: int) -> Record:
    return Record(
        resource=arn,
        rule=RULE,
        state=State.RESOLVED,
        severity=Severity.INFO,
        messages=(),
        faults=(),
        first_seen=now,
        last_seen=now,
    )
