"""What a target group is waiting for and since when, and when somebody comes back to it. Pure.

It is recorded beside the group's findings, as something that is over and that nobody is told of: each thing that the
group waits for with the time since when it does (`messages`, as "10.0.1.5:443 1795284884"), and until when a message to
come back is on its way (`leased_until`).
"""

from collections.abc import Iterable, Mapping

from apprunner_guardrails.ledger import Record, remembered
from apprunner_guardrails.light import dataclass

RULE = "waiting"  # in the place of a rule's id
BINDING = "binding"  # what a group waits for whose endpoint is on its way; the other things are targets
BACK_SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """What follows for a group: what to record, whether to come back in BACK_SECONDS, and what it has waited for too
    long: for that only events and the schedule lead back."""

    record: Record | None = None
    come_back: bool = False
    overdue: frozenset[str] = frozenset()


def wait(arn: str, records: Iterable[Record], waiting: Iterable[str], *, now: int, limit_seconds: int) -> Wait:
    """What follows from what the group waits for now; `records` are those of the group."""
    before = next((one for one in records if one.rule == RULE), None)
    known = _since(before)
    since = {one: known.get(one, now) for one in sorted(set(waiting))}
    overdue = frozenset(one for one, at in since.items() if now - at >= limit_seconds)
    on_its_way = before is not None and before.leased_until > now
    come_back = len(overdue) < len(since) and not on_its_way
    if since == known and not come_back:
        return Wait(overdue=overdue)
    lease = before.leased_until if before is not None and on_its_way else 0
    record = remembered(
        arn,
        RULE,
        tuple(f"{one} {at}" for one, at in since.items()),
        before,
        first_seen=min(since.values(), default=0),
        last_seen=now,
        leased_until=now + BACK_SECONDS if come_back else lease,
    )
    return Wait(record=record, come_back=come_back, overdue=overdue)


def _since(record: Record | None) -> Mapping[str, int]:
    found = (one.rpartition(" ") for one in record.messages) if record else ()
    return {name: int(at) for name, _, at in found}
