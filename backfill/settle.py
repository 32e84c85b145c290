"""What becomes of one resource: its tags are planned as the function plans them, and put if that is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from apprunner_guardrails.aws.clients import FAILURES, Clients
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import Created
from apprunner_guardrails.tags.tagging import NotTagged, Planned, Retry, look, put
from programs.aws import unsent


class Answer(StrEnum):
    WOULD_TAG = "would tag"
    TAGGED = "tagged"
    LEFT = "left"
    LATER = "left for now"
    FAILED = "failed"
    BEFORE = "tagged before"  # by a run that left something to do


# There is nothing left to do.
SETTLED = frozenset({Answer.TAGGED, Answer.LEFT, Answer.BEFORE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    created: Created
    answer: Answer
    tags: Mapping[str, str] = field(default_factory=dict)
    why: str = ""  # where there are no tags


def settle(
    created: Created, client: Clients, pace: Callable[[], None], settings: Settings, now: datetime, *, apply: bool
) -> Outcome:
    """Look, and with `apply` put what is missing. Raises Refused where no call can be made any more."""
    reads, seconds = Reads(client, pace), int(now.timestamp())
    try:
        planned = look(created, reads, settings, seconds)
        if apply and planned.tags:
            pace()
            planned = put(planned, client, reads, seconds)
    except Retry as later:
        return Outcome(created=created, answer=Answer.LATER, why=str(later))
    except NotTagged as failed:
        return Outcome(created=created, answer=Answer.FAILED, why=str(failed))
    except FAILURES as error:  # such as of credentials that cannot be renewed
        raise unsent(error) from error
    return _told(planned, apply=apply)


def _told(planned: Planned, *, apply: bool) -> Outcome:
    if not planned.tags:
        return Outcome(created=planned.created, answer=Answer.LEFT, why=planned.why)
    answer = Answer.TAGGED if apply else Answer.WOULD_TAG
    return Outcome(created=planned.created, answer=answer, tags=planned.tags)
