"""Reading CloudTrail: pages, the pace, what is asked again, and what rows say."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.aws.reads import Pace
from backfill.history import CALLS, Page, lookup, oldest, page_of, pages
from programs.aws import Refused, Unusable
from tests.samples import ACCOUNT, REGION

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
ARN = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/{{}}/1/0123456789abcdef0123456789abcdef"


def row(number: int, *, at: int | None = None, arn: str = "", who: str = "mara.lind", **more: object) -> dict[str, Any]:
    """An event of CreateVpcConnector, so many seconds after the start."""
    time = START + timedelta(seconds=number if at is None else at)
    record = {
        "userIdentity": {"type": "IAMUser", "userName": who},
        "eventTime": f"{time:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "apprunner.amazonaws.com",
        "eventName": "CreateVpcConnector",
        "userAgent": "aws-cli/2.31.20",
        "responseElements": {"vpcConnector": {"vpcConnectorArn": arn or ARN.format(f"c{number}")}},
        "eventID": f"event-{number}",
        **more,
    }
    return {"EventId": f"event-{number}", "EventTime": time, "CloudTrailEvent": json.dumps(record)}


class CloudTrail:
    """The events of one call, the newest first; tokens can be made to be of no use."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = sorted(rows, key=lambda row: row["EventTime"], reverse=True)
        self.asked: list[Mapping[str, Any]] = []
        self.bad_tokens: set[str] = set()

    def __call__(self, question: Mapping[str, object]) -> Mapping[str, Any]:
        self.asked.append(question)
        token, until = str(question.get("NextToken", "0")), question.get("EndTime")
        if token in self.bad_tokens:
            raise Refused("no", "InvalidNextTokenException")
        rows = [row for row in self.rows if until is None or row["EventTime"] <= until]
        begin = int(token)
        more = {"NextToken": str(begin + 50)} if len(rows) > begin + 50 else {}
        return {"Events": rows[begin : begin + 50], **more}


def read(trail: CloudTrail, before: Sequence[Page] = ()) -> list[Page]:
    return list(pages("CreateVpcConnector", before, trail, ACCOUNT, REGION))


def ids(found: Sequence[Page]) -> list[str]:
    return [one for page in found for one in page.ids]


def test_the_calls_of_the_function_are_looked_up() -> None:
    assert CALLS == (
        "CreateLoadBalancer",
        "CreateService",
        "CreateTargetGroup",
        "CreateVpcConnector",
        "CreateVpcEndpoint",
        "CreateVpcIngressConnection",
    )


def test_pages_are_read_to_the_last_the_newest_first() -> None:
    trail = CloudTrail([row(number) for number in range(120)])
    found = read(trail)
    assert [(len(page.ids), page.to, page.is_last) for page in found] == [
        (50, "2026-11-02T09:01:10+00:00", False),
        (50, "2026-11-02T09:00:20+00:00", False),
        (20, "2026-11-02T09:00:00+00:00", True),
    ]
    assert ids(found) == [f"event-{number}" for number in reversed(range(120))]
    asked = {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateVpcConnector"}],
        "MaxResults": 50,
    }
    assert trail.asked == [asked, {**asked, "NextToken": "50"}, {**asked, "NextToken": "100"}]


def test_a_call_that_nobody_made_is_one_empty_page() -> None:
    assert read(CloudTrail([])) == [Page(call="CreateVpcConnector", is_last=True)]


@given(
    seconds=st.lists(st.integers(0, 4), max_size=180),
    stop=st.integers(0, 4),
    again=st.integers(0, 4),
    new=st.booleans(),
)
def test_wherever_it_stops_it_goes_on_with_what_is_left(seconds: list[int], stop: int, again: int, new: bool) -> None:
    """Also where more than a page is of one second, and where events have come since."""
    trail = CloudTrail([row(number, at=at) for number, at in enumerate(seconds)])
    whole = read(trail)
    part = read(trail)[: min(stop, len(whole) - 1)]
    if new and part:
        trail.rows.insert(0, row(999))
    more = read(trail, part)[:again]
    rest = [] if more and more[-1].is_last else read(trail, [*part, *more])
    together = [*part, *more, *rest]
    assert sorted(ids(together)) == sorted(ids(whole))
    assert oldest(together) == oldest(whole)


def test_a_token_that_is_of_no_use_any_more_is_done_without() -> None:
    trail = CloudTrail([row(number) for number in range(120)])
    trail.bad_tokens = {"100"}
    found = read(trail)
    assert ids(found) == [f"event-{number}" for number in reversed(range(120))]
    assert [question.get("EndTime") for question in trail.asked] == [None] * 3 + [START + timedelta(seconds=21)]


def test_tokens_that_are_never_of_use_end_it() -> None:
    trail = CloudTrail([row(number, at=0) for number in range(120)])
    trail.bad_tokens = {"50"}
    with pytest.raises(Refused, match="no"):
        read(trail)
    assert len(trail.asked) == 4


# --- What is asked too often ----------------------------------------------------------------------------------------


class Time:
    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def throttled(code: str, times: int) -> tuple[Any, list[object]]:
    """A client of which the first so many lookups are refused; what it was asked."""
    asked: list[object] = []

    def look(**question: object) -> dict[str, object]:
        asked.append(question)
        if len(asked) <= times:
            raise ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, "LookupEvents")
        return {"Events": []}

    return lambda _: SimpleNamespace(lookup_events=look), asked


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException"])
def test_it_waits_longer_and_longer_where_cloudtrail_is_asked_too_often(code: str) -> None:
    time, (client, asked) = Time(), throttled(code, 3)
    look_up = lookup(client, Pace(2, lambda: time.now, time.sleep), time.sleep)
    assert look_up({"MaxResults": 50}) == {"Events": []}
    assert (asked, time.slept) == ([{"MaxResults": 50}] * 4, [1, 2, 4])


def test_it_gives_up_in_the_end_and_says_why() -> None:
    time, (client, asked) = Time(), throttled("ThrottlingException", 100)
    with pytest.raises(Unusable, match=r"^CloudTrail was asked 7 times over 2 minutes and still says: too often"):
        lookup(client, Pace(2, lambda: time.now, time.sleep), time.sleep)({})
    assert (len(asked), time.slept) == (7, [1, 2, 4, 8, 15, 30, 60])


def test_another_refusal_is_not_tried_again() -> None:
    client, asked = throttled("AccessDeniedException", 1)
    with pytest.raises(Refused, match=r"^these credentials lack the permission cloudtrail:LookupEvents$"):
        lookup(client, lambda: None, lambda _: pytest.fail("it slept"))({})
    assert len(asked) == 1


def test_lookups_keep_to_two_a_second() -> None:
    time, (client, _) = Time(), throttled("", 0)
    look_up, at = lookup(client, Pace(2, lambda: time.now, time.sleep), time.sleep), []
    for _ in range(5):
        look_up({})
        at.append(time.now)
    assert at == [0.0, 0.5, 1.0, 1.5, 2.0]


# --- What rows say --------------------------------------------------------------------------------------------------


def told(*rows: Mapping[str, Any]) -> Page:
    return page_of(rows, ACCOUNT, REGION, call="CreateVpcConnector", to="", is_last=True)


def test_what_was_made_is_kept_with_who_made_it() -> None:
    [made] = told(row(1)).created
    assert (made.arn, made.by.name, made.tool, made.time) == (
        ARN.format("c1"),
        "mara.lind",
        "AWS CLI",
        "2026-11-02T09:00:01Z",
    )


def test_what_changed_nothing_is_counted_by_its_reason() -> None:
    page = told(
        row(1, errorCode="AccessDenied"),
        row(2, errorCode="AccessDenied"),
        row(3, eventSource="ecs.amazonaws.com"),
        row(4, requestParameters={"dryRun": True}),
        row(5, readOnly=True),
    )
    assert (page.created, page.odd) == ((), {})
    assert page.ignored == {
        "the call CreateVpcConnector failed with 'AccessDenied': nothing was changed": 2,
        "the call 'CreateVpcConnector' of 'ecs.amazonaws.com' makes nothing that is tagged": 1,
        "the call CreateVpcConnector was a dry run: nothing was changed": 1,
        "the call CreateVpcConnector only read: nothing was changed": 1,
    }


def test_what_cannot_be_read_is_named_and_the_rest_goes_on() -> None:
    page = told(
        {**row(1), "CloudTrailEvent": "{"},
        {**row(2), "CloudTrailEvent": "[]"},
        {"EventId": "event-3", "EventTime": START},
        row(4, responseElements={"vpcConnector": {"vpcConnectorArn": "arn:of:another"}}),
        row(5),
    )
    assert [one.arn for one in page.created] == [ARN.format("c5")]
    assert {name: why.partition(":")[0] for name, why in page.odd.items()} == {
        "event-1": "CloudTrailEvent is no JSON",
        "event-2": "CloudTrailEvent should be an object, and is a list",
        "event-3": "CloudTrailEvent is no JSON",
        "event-4": "detail.responseElements.vpcConnector.vpcConnectorArn of CreateVpcConnector should name the App"
        " Runner resource that it made, and is 'arn",
    }


def test_the_oldest_creation_counts_whatever_comes_first() -> None:
    arn = ARN.format("twice")
    rows = [row(2, arn=arn, who="second"), row(1, arn=arn, who="first"), row(0)]
    for these in (rows, rows[::-1]):
        assert [(one.arn, one.by.name) for one in oldest([told(*these)])] == [
            (ARN.format("c0"), "mara.lind"),
            (arn, "first"),
        ]
