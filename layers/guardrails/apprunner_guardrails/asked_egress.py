"""What an update asked of a service's outbound traffic, remembered until the update has finished. Pure.

An update takes minutes, and no call of App Runner tells afterwards what was asked for. It is recorded beside the
service's findings, as something that is over and that nobody is told of: the kind and the connector (`messages`), and
the time of the call (`who`: of a caller there is nothing to remember). Once it shows, or was taken back, only the time
stays: the event of an older call may still come.
"""

from collections.abc import Iterable

from apprunner_guardrails.facts import Egress
from apprunner_guardrails.ledger import SEEN_SECONDS, Record, Transition, untold
from apprunner_guardrails.ledger import remembered as kept
from apprunner_guardrails.light import dataclass

RULE = "asked"  # in the place of a rule's id


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    egress: Egress
    time: str  # 2026-11-21T07:00:00Z


def remembered(records: Iterable[Record]) -> Asked | None:
    record = _record(records)
    match record.messages if record else ():
        case (kind, arn):
            return Asked(egress=Egress(kind=kind, connector_arn=arn), time=record.who if record else "")
    return None


def newest(asked: Egress | None, time: str, records: Iterable[Record]) -> Asked | None:
    """Of what a call asked for and what is remembered: events come late, twice, and in any order."""
    before = _record(records)
    if asked is None or (before is not None and before.who >= time):
        return remembered(records)
    return Asked(egress=asked, time=time)


def note(
    service: str, asked: Asked | None, records: Iterable[Record], now: int, *, time: str = ""
) -> tuple[Transition, ...]:
    """What to write so that this is what is remembered; None: nothing but `time`, that of the last call.

    Nothing where it is so already; once a day again, as what is over is forgotten after a while.
    """
    before = _record(records)
    messages = (asked.egress.kind, asked.egress.connector_arn) if asked else ()
    last = max(asked.time if asked else time, before.who if before else "")
    is_old = before is not None and asked is not None and now - before.last_seen >= SEEN_SECONDS
    if (messages, last) == ((before.messages, before.who) if before else ((), "")) and not is_old:
        return ()
    record = kept(service, RULE, messages, before, first_seen=now, last_seen=now, who=last)
    return (untold(record, before),)


def _record(records: Iterable[Record]) -> Record | None:
    return next((one for one in records if one.rule == RULE), None)
