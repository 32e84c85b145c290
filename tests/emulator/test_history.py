"""LookupEvents: what CloudTrail recorded, looked up again."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator import Emulator, cloudtrail, emulate
from emulator.server import Application, listen, serving

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SESSION: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def aws() -> Iterator[Emulator]:
    with emulate() as aws:
        yield aws


@pytest.fixture(scope="module")
def trail() -> Any:
    return SESSION.client("cloudtrail", config=ONE_ATTEMPT)


@pytest.fixture(scope="module")
def sns() -> Any:
    return SESSION.client("sns")


def topics(trail: Any, **asked: Any) -> list[str]:
    """The names of the topics whose calls are on one page."""
    return [name(row) for row in trail.lookup_events(**asked)["Events"]]


def name(row: Any) -> str:
    return str(json.loads(row["CloudTrailEvent"])["requestParameters"]["name"])


def code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def attribute(key: str, value: str) -> list[dict[str, str]]:
    return [{"AttributeKey": key, "AttributeValue": value}]


class TestRows:
    def test_a_call_is_told_with_its_record(self, aws: Emulator, sns: Any, trail: Any) -> None:
        sns.create_topic(Name="alerts")
        record: Any = aws.events[0]["detail"]
        answer = trail.lookup_events()
        [row] = answer["Events"]
        assert json.loads(row.pop("CloudTrailEvent")) == record
        assert row == {
            "EventId": record["eventID"],
            "EventName": "CreateTopic",
            "ReadOnly": "false",
            "AccessKeyId": "AKIAEXAMPLEUSER00001",
            "EventTime": START,
            "EventSource": "sns.amazonaws.com",
            "Username": "operations",
            "Resources": [],
        }
        assert "NextToken" not in answer

    @pytest.mark.parametrize(
        ("caller", "username"),
        [
            ("iam-user", "operations"),
            ("email-user", "lena.aho@example.com"),
            ("assumed-role", "jonas.weber"),
            ("instance-role", "i-0c51d7e2a94b6f380"),
            ("federated-user", "tomas.berg"),
            ("root", "root"),
            ("root-alias", "root"),
            ("saml-user", "ines.falk"),
            ("service", None),
            ("identity-center", None),
            ("unknown", None),
        ],
    )
    def test_the_user_is_named_where_there_is_a_name(
        self, aws: Emulator, sns: Any, trail: Any, caller: str, username: str | None
    ) -> None:
        with aws.caller(caller):
            sns.create_topic(Name="alerts")
        [row] = trail.lookup_events()["Events"]
        assert row.get("Username") == username

    def test_a_call_that_failed_is_told(self, aws: Emulator, trail: Any) -> None:
        apprunner = SESSION.client("apprunner")
        with aws.deny("apprunner:*"):
            code(lambda: apprunner.create_connection(ConnectionName="main", ProviderType="GITHUB"))
        [row] = trail.lookup_events()["Events"]
        assert json.loads(row["CloudTrailEvent"])["errorCode"] == "AccessDenied"

    def test_a_lookup_can_be_denied(self, aws: Emulator, trail: Any) -> None:
        with aws.deny("cloudtrail:LookupEvents"):
            assert code(trail.lookup_events) == "AccessDeniedException"

    def test_neither_reads_nor_lookups_nor_the_services_own_events_are(self, aws: Emulator, trail: Any) -> None:
        SESSION.client("ec2").describe_vpcs()
        trail.lookup_events()
        aws_event = cloudtrail.envelope(
            source="aws.apprunner",
            detail_type="AppRunner Service Status Change",
            region="us-east-1",
            account="123456789012",
            resources=[],
            detail={},
        )
        cloudtrail.emit(aws_event)
        assert (trail.lookup_events()["Events"], aws.events) == ([], [aws_event])

    def test_a_record_that_eventbridge_is_not_sent_is(self, aws: Emulator, sns: Any, trail: Any) -> None:
        sns.create_topic(Name="alerts")
        sent: Any = aws.events[0]
        cloudtrail.emit({**sent, "detail": {**sent["detail"], "requestParameters": {"name": "x" * 256 * 1024}}})
        assert len(aws.events) == 1
        assert [len(each) for each in topics(trail)] == [256 * 1024, len("alerts")]

    def test_only_the_account_and_the_region_that_ask_are(self, aws: Emulator, sns: Any, trail: Any) -> None:
        def as_another_account(request: AWSRequest, **_: object) -> None:
            request.headers["x-moto-account-id"] = "210987654321"

        there = {service: SESSION.client(service, region_name="eu-west-1") for service in ("sns", "cloudtrail")}
        others = {service: SESSION.client(service) for service in ("sns", "cloudtrail")}
        for client in others.values():
            client.meta.events.register("before-sign", as_another_account)
        sns.create_topic(Name="here")
        there["sns"].create_topic(Name="there")
        others["sns"].create_topic(Name="theirs")
        assert [topics(each) for each in (trail, there["cloudtrail"], others["cloudtrail"])] == [
            ["here"],
            ["there"],
            ["theirs"],
        ]

    def test_nothing_is_left_after_a_reset(self, aws: Emulator, sns: Any, trail: Any) -> None:
        sns.create_topic(Name="alerts")
        aws.reset()
        assert trail.lookup_events()["Events"] == []

    def test_nothing_is_left_of_the_aws_before(self, sns: Any, trail: Any) -> None:
        with emulate():
            sns.create_topic(Name="alerts")
        with emulate():
            assert trail.lookup_events()["Events"] == []


class TestPages:
    def test_the_newest_is_first_and_of_one_second_the_later_one(self, aws: Emulator, sns: Any, trail: Any) -> None:
        for second in ("a", "b"):
            sns.create_topic(Name=f"{second}-1")
            sns.create_topic(Name=f"{second}-2")
            aws.clock.advance(1)
        assert topics(trail) == ["b-2", "b-1", "a-2", "a-1"]

    def test_a_page_has_fifty_and_the_last_no_token(self, aws: Emulator, sns: Any, trail: Any) -> None:
        for number in range(101):
            sns.create_topic(Name=f"topic-{number}")
        pages = [page["Events"] for page in trail.get_paginator("lookup_events").paginate()]
        assert [len(page) for page in pages] == [50, 50, 1]
        assert [name(row) for page in pages for row in page] == [f"topic-{number}" for number in reversed(range(101))]

    def test_a_page_that_is_just_full_is_the_last(self, aws: Emulator, sns: Any, trail: Any) -> None:
        sns.create_topic(Name="one")
        sns.create_topic(Name="two")
        assert "NextToken" not in trail.lookup_events(MaxResults=2)
        assert "NextToken" in trail.lookup_events(MaxResults=1)

    def test_what_comes_in_between_moves_nothing(self, aws: Emulator, sns: Any, trail: Any) -> None:
        for each in ("one", "two", "three"):
            sns.create_topic(Name=each)
        first = trail.lookup_events(MaxResults=2)
        sns.create_topic(Name="same-second")
        aws.clock.advance(1)
        sns.create_topic(Name="later")
        rest = trail.lookup_events(MaxResults=2, NextToken=first["NextToken"])
        assert [[name(row) for row in page["Events"]] for page in (first, rest)] == [["three", "two"], ["one"]]

    def test_a_token_is_good_for_its_own_request_only(self, aws: Emulator, sns: Any, trail: Any) -> None:
        sns.create_topic(Name="one")
        sns.create_topic(Name="two")
        token = trail.lookup_events(MaxResults=1)["NextToken"]
        lookup = partial(trail.lookup_events, NextToken=token, MaxResults=1)
        assert topics(trail, NextToken=token, MaxResults=1) == ["one"]
        assert [
            code(lambda: lookup(LookupAttributes=attribute("EventName", "CreateTopic"))),
            code(lambda: lookup(StartTime=START)),
            code(lambda: lookup(NextToken="no-token")),
            code(lambda: lookup(NextToken="bm8gdG9rZW4=")),
            code(lambda: lookup(NextToken="")),
        ] == ["InvalidNextTokenException"] * 5


class TestTimes:
    @pytest.fixture(autouse=True)
    def calls(self, aws: Emulator, sns: Any) -> None:
        for minute in range(3):
            sns.create_topic(Name=f"minute-{minute}")
            aws.clock.advance(60)

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({}, [2, 1, 0]),
            ({"StartTime": 60}, [2, 1]),
            ({"StartTime": 61}, [2]),
            ({"EndTime": 60}, [1, 0]),
            ({"EndTime": 59}, [0]),
            ({"StartTime": 60, "EndTime": 60}, [1]),
            ({"StartTime": 1000}, []),
        ],
    )
    def test_both_ends_belong_to_the_range(self, trail: Any, asked: dict[str, int], found: list[int]) -> None:
        times = {end: START + timedelta(seconds=seconds) for end, seconds in asked.items()}
        assert topics(trail, **times) == [f"minute-{minute}" for minute in found]

    def test_a_start_after_the_end_is_refused(self, trail: Any) -> None:
        late = START + timedelta(seconds=1)
        assert code(lambda: trail.lookup_events(StartTime=late, EndTime=START)) == "InvalidTimeRangeException"

    def test_after_ninety_days_it_is_forgotten(self, aws: Emulator, trail: Any) -> None:
        aws.clock.advance(timedelta(days=90).total_seconds() - 120)
        long_ago = START - timedelta(days=365)
        assert topics(trail, StartTime=long_ago) == ["minute-2", "minute-1"]
        aws.clock.advance(1)
        assert topics(trail, StartTime=long_ago, EndTime=aws.clock.now()) == ["minute-2"]


class TestAttributes:
    @pytest.fixture(autouse=True)
    def calls(self, aws: Emulator, sns: Any) -> None:
        with aws.caller("root"):
            SESSION.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
        sns.create_topic(Name="alerts")

    @pytest.mark.parametrize(
        ("key", "value", "found"),
        [
            ("EventName", "CreateVpc", ["CreateVpc"]),
            ("EventName", "createvpc", []),
            ("EventSource", "sns.amazonaws.com", ["CreateTopic"]),
            ("Username", "root", ["CreateVpc"]),
            ("AccessKeyId", "AKIAEXAMPLEUSER00001", ["CreateTopic"]),
            ("ReadOnly", "false", ["CreateTopic", "CreateVpc"]),
            ("ReadOnly", "true", []),
        ],
    )
    def test_only_the_calls_that_have_it_are_told(self, trail: Any, key: str, value: str, found: list[str]) -> None:
        rows = trail.lookup_events(LookupAttributes=attribute(key, value))["Events"]
        assert [row["EventName"] for row in rows] == found

    def test_an_event_is_found_by_its_id(self, aws: Emulator, trail: Any) -> None:
        wanted = trail.lookup_events()["Events"][1]
        assert trail.lookup_events(LookupAttributes=attribute("EventId", wanted["EventId"]))["Events"] == [wanted]

    def test_there_are_no_insights(self, trail: Any) -> None:
        assert trail.lookup_events(EventCategory="insight")["Events"] == []

    @pytest.mark.parametrize(
        ("asked", "refused"),
        [
            (
                {"LookupAttributes": [*attribute("EventName", "CreateVpc"), *attribute("ReadOnly", "false")]},
                "InvalidLookupAttributesException",
            ),
            ({"LookupAttributes": attribute("EventType", "AwsApiCall")}, "InvalidLookupAttributesException"),
            ({"LookupAttributes": attribute("EventName", "")}, "InvalidLookupAttributesException"),
            ({"LookupAttributes": attribute("EventName", "x" * 2001)}, "InvalidLookupAttributesException"),
            ({"LookupAttributes": attribute("ResourceName", "alerts")}, "UnsupportedOperationException"),
            ({"LookupAttributes": attribute("ResourceType", "Topic")}, "UnsupportedOperationException"),
            ({"EventCategory": "data"}, "InvalidEventCategoryException"),
            ({"MaxResults": 0}, "InvalidMaxResultsException"),
            ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ],
    )
    def test_what_cannot_be_looked_up_is_refused(self, asked: dict[str, object], refused: str) -> None:
        unchecked = SESSION.client("cloudtrail", config=ONE_ATTEMPT.merge(Config(parameter_validation=False)))
        assert code(lambda: unchecked.lookup_events(**asked)) == refused


class TestThrottling:
    def test_by_default_there_is_none(self, aws: Emulator, trail: Any) -> None:
        assert [trail.lookup_events()["Events"] for _ in range(20)] == [[]] * 20

    def test_at_most_so_many_are_answered_in_any_second(self, aws: Emulator, trail: Any) -> None:
        aws.settings.lookups_per_second = 2
        trail.lookup_events()
        aws.clock.advance(0.5)
        trail.lookup_events()
        with pytest.raises(ClientError) as refused:
            trail.lookup_events()
        assert refused.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        aws.clock.advance(0.49)
        assert code(trail.lookup_events) == "ThrottlingException"
        aws.clock.advance(0.01)
        trail.lookup_events()
        assert code(trail.lookup_events) == "ThrottlingException"

    def test_below_one_a_second_it_takes_longer(self, aws: Emulator, trail: Any) -> None:
        aws.settings.lookups_per_second = 0.1
        trail.lookup_events()
        aws.clock.advance(9.9)
        assert code(trail.lookup_events) == "ThrottlingException"
        aws.clock.advance(0.1)
        trail.lookup_events()

    def test_regions_are_counted_apart(self, aws: Emulator, trail: Any) -> None:
        aws.settings.lookups_per_second = 1
        trail.lookup_events()
        SESSION.client("cloudtrail", region_name="eu-west-1", config=ONE_ATTEMPT).lookup_events()

    @pytest.mark.parametrize(("pause", "answered"), [(0.5, "++++++++"), (0.25, "++--++--")])
    def test_a_client_whose_sleep_advances_the_clock_needs_no_time(
        self, aws: Emulator, trail: Any, pause: float, answered: str
    ) -> None:
        aws.settings.lookups_per_second = 2

        def lookup() -> str:
            try:
                trail.lookup_events()
            except trail.exceptions.ClientError:
                return "-"
            finally:
                aws.clock.advance(pause)
            return "+"

        assert "".join(lookup() for _ in range(8)) == answered


def test_it_is_served_to_any_client(aws: Emulator) -> None:
    with listen("127.0.0.1", 0) as listener, serving(Application(aws), listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        sns, trail, other = (
            SESSION.client(service, region_name=region, endpoint_url=url, config=ONE_ATTEMPT)
            for service, region in (("sns", "us-east-1"), ("cloudtrail", "us-east-1"), ("cloudtrail", "eu-west-1"))
        )
        for each in ("one", "two", "three"):
            sns.create_topic(Name=each)
        pages = trail.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 2})
        assert [[name(row) for row in page["Events"]] for page in pages] == [["three", "two"], ["one"]]
        assert topics(other) == []
        aws.settings.lookups_per_second = 1
        trail.lookup_events()
        assert code(trail.lookup_events) == "ThrottlingException"
