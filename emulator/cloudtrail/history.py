"""LookupEvents, which moto 5.2.5 lacks: what CloudTrail recorded in an account and Region in the last 90 days, the
newest first. By the API model and its documentation; what they leave open is done so:

    Username         of a role's session the name that it was given, of the root user "root", of a service none
    Resources        always empty, so ResourceName and ResourceType are refused: UnsupportedOperationException
    insights         there are none
    NextToken        names the last record that was told: what comes later moves nothing, and it does not expire
    throttling       SETTINGS.lookups_per_second. Seconds are emulated ones: a client whose sleep advances the clock
                     waits for nothing in tests
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from emulator.clock import CLOCK
from emulator.settings import SETTINGS

KEPT = timedelta(days=90)
PAGE = 50
VALUE_CHARACTERS = 2000
THROTTLED = "ThrottlingException"

type Record = Mapping[str, Any]
"""A CloudTrail record."""

type Request = Mapping[str, Any]


class Refused(ServiceException):
    """moto looks for an error's shape by the module of its class: not ServiceException itself."""


@dataclass(frozen=True, order=True, kw_only=True)
class _Told:
    """A record at its place: by time, then by the order in which they came."""

    at: datetime
    number: int
    record: Record = field(compare=False)

    @property
    def place(self) -> tuple[float, int]:
        return self.at.timestamp(), self.number


@dataclass(kw_only=True)
class _History:
    """Of one account in one Region."""

    records: list[_Told] = field(default_factory=list)
    lookups: deque[datetime] = field(default_factory=deque)
    """When those were made that still count for throttling."""


_lock = threading.Lock()
_histories: dict[tuple[str, str], _History] = {}


def keep(account: str, region: str, record: Record) -> None:
    with _lock:
        records = _of(account, region).records
        at = datetime.fromisoformat(record["eventTime"])
        records.append(_Told(at=at, number=len(records), record=record))


def forget() -> None:
    """Nothing was ever recorded, or looked up."""
    with _lock:
        _histories.clear()


def install() -> None:
    """Idempotent."""
    if THROTTLED not in COMMON_ERROR_CODES:
        COMMON_ERROR_CODES.append(THROTTLED)
    cast(Any, CloudTrailResponse).lookup_events = _lookup_events


def _of(account: str, region: str) -> _History:
    return _histories.setdefault((account, region), _History())


def _lookup_events(response: CloudTrailResponse) -> ActionResult:
    with _lock:
        history = _of(response.current_account, response.region)
        _throttle(history.lookups)
        records = tuple(history.records)
    request: Request = json.loads(response.body or "{}")
    if _wants_insights(request):
        records = ()
    size = _size(request)
    digest = hashlib.sha256(json.dumps({**request, "NextToken": None}, sort_keys=True).encode()).hexdigest()[:16]
    since, until = _time_range(request)
    fits = _attribute(request)
    token = request.get("NextToken")
    before = (math.inf, 0) if token is None else _last_place(token, digest)
    rest = sorted(
        (each for each in records if since <= each.at <= until and each.place < before and fits(each.record)),
        reverse=True,
    )
    more = {"NextToken": _token(rest[size - 1].place, digest)} if len(rest) > size else {}
    return ActionResult({"Events": [_row(each) for each in rest[:size]], **more})


def _throttle(lookups: deque[datetime]) -> None:
    """At most that many in any second; of a rate below one, one in a longer while. What is refused does not count."""
    rate = SETTINGS.lookups_per_second
    if not rate:
        return
    now, most = CLOCK.now(), max(1, math.floor(rate))
    while lookups and lookups[0] <= now - timedelta(seconds=most / rate):
        lookups.popleft()
    if len(lookups) >= most:
        raise Refused(THROTTLED, "Rate exceeded")
    lookups.append(now)


# --- Records --------------------------------------------------------------------------------------------------------


def _read_only(record: Record) -> str:
    return str(record["readOnly"]).lower()


def _username(identity: Mapping[str, Any]) -> str | None:
    match identity["type"]:
        case "Root":
            return "root"
        case "AssumedRole" | "FederatedUser":
            name: str = identity["principalId"].partition(":")[2]
            return name
    return identity.get("userName")


# --- What is asked for ----------------------------------------------------------------------------------------------


def _size(request: Request) -> int:
    size = request.get("MaxResults")
    if size is None:
        return PAGE
    if type(size) is not int or not 1 <= size <= PAGE:
        raise Refused("InvalidMaxResultsException", f"MaxResults must be 1 to {PAGE}, and is {size!r}.")
    return size


def _time_range(request: Request) -> tuple[datetime, datetime]:
    """The first and the last moment, cut to the days that are kept."""
    now = CLOCK.now()
    since, until = (_moment(request, name) for name in ("StartTime", "EndTime"))
    if since and until and since > until:
        raise Refused("InvalidTimeRangeException", f"StartTime {since} is after EndTime {until}.")
    return max(since or now - KEPT, now - KEPT), until or now


def _moment(request: Request, name: str) -> datetime | None:
    seconds = request.get(name)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Refused("InvalidTimeRangeException", f"{name} is no time: {seconds!r}.") from error


_ATTRIBUTES: Mapping[str, Callable[[Record], object]] = {
    "AccessKeyId": lambda record: record["userIdentity"].get("accessKeyId"),
    "EventId": lambda record: record["eventID"],
    "EventName": lambda record: record["eventName"],
    "EventSource": lambda record: record["eventSource"],
    "ReadOnly": _read_only,
    "Username": lambda record: _username(record["userIdentity"]),
}
_ATTRIBUTES_OF_RESOURCES = frozenset({"ResourceName", "ResourceType"})


def _attribute(request: Request) -> Callable[[Record], bool]:
    """Whether a record has the attribute that is looked up, if one is."""
    attributes = request.get("LookupAttributes") or []
    if not attributes:
        return lambda record: True
    if len(attributes) > 1:
        raise Refused("InvalidLookupAttributesException", f"One lookup attribute at most, not {len(attributes)}.")
    [attribute] = attributes
    key, value = attribute.get("AttributeKey"), attribute.get("AttributeValue")
    if key in _ATTRIBUTES_OF_RESOURCES:
        raise Refused("UnsupportedOperationException", f"The emulator knows no resources of events: {key}.")
    if key not in _ATTRIBUTES:
        raise Refused("InvalidLookupAttributesException", f"There is no lookup attribute {key!r}.")
    if not isinstance(value, str) or not 1 <= len(value) <= VALUE_CHARACTERS:
        raise Refused(
            "InvalidLookupAttributesException", f"The value of {key} must have 1 to {VALUE_CHARACTERS} characters."
        )
    return lambda record: _ATTRIBUTES[key](record) == value


def _wants_insights(request: Request) -> bool:
    category = request.get("EventCategory")
    if category not in (None, "insight"):
        raise Refused("InvalidEventCategoryException", f"There is no event category {category!r}.")
    return category is not None


def _token(place: tuple[float, int], digest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, *place]).encode()).decode()


def _last_place(token: str, digest: str) -> tuple[float, int]:
    try:
        of_request, at, number = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise Refused("InvalidNextTokenException", "The NextToken is not valid.") from error
    if of_request != digest:
        raise Refused("InvalidNextTokenException", "The NextToken belongs to a request with other parameters.")
    return at, number


# --- What is told ---------------------------------------------------------------------------------------------------


def _row(told: _Told) -> dict[str, object]:
    record = told.record
    row = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": _read_only(record),
        "AccessKeyId": record["userIdentity"].get("accessKeyId"),
        "EventTime": told.at,
        "EventSource": record["eventSource"],
        "Username": _username(record["userIdentity"]),
        "Resources": [],
        "CloudTrailEvent": json.dumps(record),
    }
    return {member: value for member, value in row.items() if value is not None}
