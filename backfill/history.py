"""What CloudTrail remembers of the calls that make something: LookupEvents, 50 events a page, the newest first.

It answers two lookups a second for an account and Region, each by one attribute only: the call's name. So other
services' calls of the same name come along (ECS has a CreateService too). Events that it keeps are up to 90 days old;
no start is asked for, or the oldest might be out of the range that it takes.
docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.events import CLOUDTRAIL, BadEvent, Ignored
from apprunner_guardrails.records import text
from apprunner_guardrails.tags import created
from apprunner_guardrails.tags.created import Created
from programs.aws import Refused, Unusable, ask

CALLS = tuple(sorted({name for _, name in created.CALLS}))
DAYS = 90
PER_SECOND = 2
_PAGE = 50
_THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
_WAITS = (1, 2, 4, 8, 15, 30, 60)  # seconds; by then somebody else looks up all the time
_BAD_TOKEN = "InvalidNextTokenException"  # noqa: S105  # an error code

type Row = Mapping[str, Any]  # as botocore parsed it
type Lookup = Callable[[Mapping[str, object]], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What a lookup told that none before had: the ids of its events, and what these say."""

    call: str
    ids: tuple[str, ...] = ()
    to: str = ""  # the time of the oldest event so far; empty if there was none
    is_last: bool
    created: tuple[Created, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)  # how many events, by the reason
    odd: Mapping[str, str] = field(default_factory=dict)  # why an event could not be read, by its id


def lookup(client: Clients, pace: Callable[[], None], sleep: Callable[[float], None]) -> Lookup:
    """Asks at that pace, and waits longer and longer while CloudTrail says that it is asked too often.

    Raises Unusable.
    """

    def asked(question: Mapping[str, object]) -> Mapping[str, Any]:
        for wait in _WAITS:
            pace()
            try:
                answer: Mapping[str, Any] = ask(client, "cloudtrail", "lookup_events", **question)
            except Refused as error:
                if error.code not in _THROTTLED:
                    raise
                sleep(wait)
            else:
                return answer
        raise Unusable(
            f"CloudTrail was asked {len(_WAITS)} times over {sum(_WAITS) // 60} minutes and still says: too often. Its"
            " two lookups a second are for everybody in the account and Region; a later run continues here"
        )

    return asked


def pages(call: str, before: Sequence[Page], ask_for: Lookup, account: str, region: str) -> Iterator[Page]:
    """The pages of a call that are still to be read, after those that were read before."""
    known = {one for page in before for one in page.ids}
    to = next((page.to for page in reversed(before)), "")
    token, restarted_at = "", None
    question = _question(call, to)
    while True:
        try:
            answer = ask_for({**question, **({"NextToken": token} if token else {})})
        except Refused as error:
            if error.code != _BAD_TOKEN or not token or restarted_at == to:
                raise
            token, restarted_at, question = "", to, _question(call, to)  # as after an interruption
            continue
        rows = [row for row in answer.get("Events", ()) if row.get("EventId") not in known]
        known |= {str(row.get("EventId")) for row in rows}
        to = _time(rows[-1]) if rows else to
        token = answer.get("NextToken") or ""
        yield page_of(rows, account, region, call=call, to=to, is_last=not token)
        if not token:
            return


def page_of(rows: Iterable[Row], account: str, region: str, *, call: str, to: str, is_last: bool) -> Page:
    """What the rows say was made, by the same parser that the function has. Pure."""
    made: list[Created] = []
    ignored: Counter[str] = Counter()
    odd: dict[str, str] = {}
    ids = []
    for row in rows:
        name = str(row.get("EventId"))
        ids.append(name)
        try:
            said = created.parse(_event(row, account, region))
        except BadEvent as error:
            odd[name] = str(error)
            continue
        except ValueError as error:
            odd[name] = f"CloudTrailEvent is no JSON: {error}"
            continue
        if isinstance(said, Ignored):
            ignored[said.why] += 1
        else:
            made.append(said)
    return Page(call=call, ids=tuple(ids), to=to, is_last=is_last, created=tuple(made), ignored=dict(ignored), odd=odd)


def oldest(pages: Iterable[Page]) -> list[Created]:
    """What was made, each once, by time: of calls that found what an earlier one had made, the earlier counts. Pure."""
    by_arn: dict[str, Created] = {}
    for one in (one for page in pages for one in page.created):
        by_arn[one.arn] = min(by_arn.get(one.arn, one), one, key=_age)
    return sorted(by_arn.values(), key=lambda one: (one.time, one.arn))


def _age(one: Created) -> tuple[str, str]:
    return one.time, one.id


def _question(call: str, to: str) -> dict[str, object]:
    """Events of one second may be on two pages, so the last second is asked for again."""
    until = {"EndTime": datetime.fromisoformat(to) + timedelta(seconds=1)} if to else {}
    return {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": call}],
        "MaxResults": _PAGE,
        **until,
    }


def _time(row: Row) -> str:
    at: datetime = row["EventTime"]
    return at.astimezone(UTC).isoformat()


def _event(row: Row, account: str, region: str) -> object:
    """The record as EventBridge would have brought it. Raises BadEvent, and ValueError where it is no JSON."""
    record = json.loads(text(row.get("CloudTrailEvent")))
    if not isinstance(record, dict):
        raise BadEvent(f"CloudTrailEvent should be an object, and is a {type(record).__name__}")
    return {
        "version": "0",
        "id": row.get("EventId"),
        "detail-type": CLOUDTRAIL,
        "source": f"aws.{text(record.get('eventSource')).removesuffix('.amazonaws.com')}",
        "account": account,
        "time": record.get("eventTime"),
        "region": region,
        "resources": [],
        "detail": record,
    }
