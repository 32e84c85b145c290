"""Asking AWS: each question once, sent at once, with failures as values."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError, SSLError
from botocore.parsers import ResponseParserError

from apprunner_guardrails import observe
from apprunner_guardrails.aws import ec2
from apprunner_guardrails.aws.reads import Pace, Pending, Reads, each_of
from apprunner_guardrails.facts import Unread
from tests.unit.functions.conftest import counted

CALL = "ec2:DescribeSubnets"

type Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Client:
    """Has the one method that these tests call."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.threads: set[int] = set()
        self._answer = answer

    def describe_subnets(self, **parameters: object) -> Mapping[str, Any]:
        self.asked.append(parameters)
        self.threads.add(threading.get_ident())
        return self._answer(parameters)


def reads(client: Client) -> Reads:
    return Reads(lambda service: client)  # type: ignore[arg-type,return-value]  # a client as far as it is used


def ask(asking: Reads, **parameters: object) -> object:
    return asking.ask("ec2", "DescribeSubnets", list, **parameters)()


def failing(error: Exception) -> Client:
    def answer(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise error

    return Client(answer)


def test_a_question_is_sent_once_and_another_one_beside_it() -> None:
    client = Client(lambda asked: {"Subnets": [asked["Filters"]]})
    asking = reads(client)
    answers = [ask(asking, Filters="a"), ask(asking, Filters="b"), ask(asking, Filters="a")]
    assert answers == [[{"Subnets": ["a"]}], [{"Subnets": ["b"]}], [{"Subnets": ["a"]}]]
    assert client.asked == [{"Filters": "a"}, {"Filters": "b"}]


def test_a_question_may_be_read_in_two_ways() -> None:
    client = Client(lambda _: {"Subnets": [1, 2]})
    asking = reads(client)
    count = asking.ask("ec2", "DescribeSubnets", lambda pages: len(pages[0]["Subnets"]))
    first = asking.ask("ec2", "DescribeSubnets", lambda pages: pages[0]["Subnets"][0])
    assert (count(), first(), len(client.asked)) == (2, 1, 1)


def test_two_events_ask_anew() -> None:
    client = Client(lambda _: {})
    ask(reads(client))
    ask(reads(client))
    assert client.asked == [{}, {}]


def test_calls_are_sent_from_threads_and_clients_made_outside_of_them() -> None:
    client = Client(lambda _: {})
    made_in: set[int] = set()

    def make(service: str) -> Client:
        made_in.add(threading.get_ident())
        return client

    ask(Reads(make))  # type: ignore[arg-type]  # a client as far as it is used
    assert made_in == {threading.get_ident()}
    assert threading.get_ident() not in client.threads


def test_an_empty_token_is_the_end() -> None:
    client = Client(lambda _: {"Subnets": [], "NextToken": ""})
    assert ask(reads(client)) == [{"Subnets": [], "NextToken": ""}]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClientError({"Error": {"Code": "Throttling", "Message": "no"}}, "DescribeSubnets"), "Throttling"),
        (ClientError({}, "DescribeSubnets"), "no error code"),
        (ReadTimeoutError(endpoint_url="https://ec2.test"), "ReadTimeoutError"),
        (SSLError(endpoint_url="https://ec2.test", error=ValueError("bad certificate")), "SSLError"),
        (ResponseParserError("no XML"), "ResponseParserError"),
    ],
    ids=["refused", "refused without a code", "no answer", "no trust", "an answer that is no XML"],
)
def test_a_call_that_fails_is_unread(error: Exception, code: str) -> None:
    assert ask(reads(failing(error))) == Unread(call="ec2:DescribeSubnets", code=code)


@pytest.mark.parametrize("error", [NoCredentialsError(), TypeError("no such parameter")], ids=repr)
def test_what_is_wrong_with_the_function_itself_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        ask(reads(failing(error)))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}], ()),
        ([{"DestinationToCome": "x"}], "answer not understood: RuntimeError generator raised StopIteration"),
        ([None], "answer not understood: AttributeError 'NoneType' object has no attribute 'items'"),
    ],
    ids=["known", "a route to a new kind of destination", "no route at all"],
)
def test_an_answer_that_is_not_understood_is_unread(rows: list[Any], said: object) -> None:
    table = {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": rows}
    asking = reads(Client(lambda _: {"Subnets": [table]}))
    told = asking.ask("ec2", "DescribeSubnets", lambda pages: tuple(map(ec2.route_table, pages[0]["Subnets"])))()
    if isinstance(told, Unread):
        assert (told.call, told.code) == ("ec2:DescribeSubnets", said)
    else:
        assert [table.routes[0].target for table in told] == ["local"]
        assert said == ()


@pytest.mark.parametrize(
    ("code", "failed"),
    [
        ("Throttling", 1),
        ("AccessDenied", 1),
        *((code, 0) for code in ("ResourceNotFoundException", "TargetGroupNotFound", "InvalidVpcEndpointId.NotFound")),
    ],
)
def test_a_read_that_fails_is_counted_once_and_that_something_is_gone_is_an_answer(
    code: str, failed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    client = failing(ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeSubnets"))
    asking = reads(client)
    with observe.invocation(None):
        assert [ask(asking, Filters=name) for name in ("a", "a", "b")] == 3 * [Unread(call=CALL, code=code)]
    assert counted(capsys) == ({"ReadsFailed": 2 * failed} if failed else {})


def test_an_answer_that_is_not_understood_is_counted_once_however_often_it_is_looked_at(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asking = reads(Client(lambda _: {}))
    with observe.invocation(None):
        pending = asking.ask("ec2", "DescribeSubnets", lambda pages: pages[0]["Subnets"])
        assert pending() == pending()
        assert isinstance(asking.ask("ec2", "DescribeSubnets", lambda pages: pages[1])(), Unread)
    assert counted(capsys) == {"ReadsFailed": 1}


# At a pace -----------------------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """Time that passes only when somebody sleeps; each thread has its own, as they sleep at once."""

    start: float = 100.0
    slept: dict[int, float] = field(default_factory=dict)  # by thread

    def now(self) -> float:
        return self.start + self.slept.get(threading.get_ident(), 0.0)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept[threading.get_ident()] = self.slept.get(threading.get_ident(), 0.0) + seconds


def test_the_first_call_does_not_wait_and_the_next_wait_an_interval_each() -> None:
    clock = Clock()
    pace, at = Pace(4, clock.now, clock.sleep), []
    for _ in range(4):
        pace()
        at.append(clock.now())
    assert at == [100.0, 100.25, 100.5, 100.75]


def test_who_comes_later_than_its_turn_does_not_wait_and_saves_nothing_up() -> None:
    clock = Clock()
    pace, at = Pace(4, clock.now, clock.sleep), []
    for pause in (0, 10, 0, 0.1):
        clock.start += pause
        pace()
        at.append(clock.now())
    assert at == pytest.approx([100.0, 110.0, 110.25, 110.5])


def test_threads_that_come_at_once_go_one_by_one_never_two_within_the_interval() -> None:
    clock, threads, each = Clock(), 8, 25
    pace, start = Pace(50, clock.now, clock.sleep), threading.Barrier(threads, timeout=10)

    def work() -> Sequence[float]:
        start.wait()
        at = []
        for _ in range(each):
            pace()
            at.append(clock.now())
        return at

    with ThreadPoolExecutor(threads) as pool:
        found = sorted(one for sent in [pool.submit(work) for _ in range(threads)] for one in sent.result())
    assert found == pytest.approx([100 + number / 50 for number in range(threads * each)])


def test_every_page_waits_for_its_turn() -> None:
    turns: list[str] = []
    tokens = ["2", "3", ""]
    client = Client(lambda _: {"NextToken": tokens[len(turns) - 1]})
    asking = Reads(lambda service: client, lambda: turns.append("turn"))  # type: ignore[arg-type,return-value]  # as above
    ask(asking, Filters="a")
    assert (len(client.asked), turns) == (3, ["turn"] * 3)


def test_what_a_service_or_one_of_its_operations_has_a_pace_of_its_own_for_waits_for_that_alone() -> None:
    turns: list[str] = []
    client = Balancing()
    asking = Reads(
        lambda service: client,  # type: ignore[arg-type,return-value]  # as above
        lambda: turns.append("any"),
        {"elbv2": lambda: turns.append("elbv2"), "elbv2:GetResources": lambda: turns.append("its own")},
    )
    for service, operation in (("elbv2", "DescribeTargetGroups"), ("elbv2", "GetResources"), ("tag", "GetResources")):
        asking.ask(service, operation, list, Marker="m", PaginationToken="p")()
    assert turns == ["elbv2", "its own", "any"]


# Pages and names of other services -----------------------------------------------------------------------------------


class Balancing:
    """Answers in two pages, as each service has them."""

    def __init__(self, error: ClientError | None = None) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self._error = error

    def describe_target_groups(self, **asked: object) -> Mapping[str, Any]:
        return self._answer(asked, {"Marker": "m"}, {"NextMarker": "m"})

    def get_resources(self, **asked: object) -> Mapping[str, Any]:
        return self._answer(asked, {"PaginationToken": "p"}, {"PaginationToken": "p"}, {"PaginationToken": ""})

    def get_rest_apis(self, **asked: object) -> Mapping[str, Any]:
        return self._answer(asked, {"position": "q"}, {"position": "q"})

    def list_operations(self, **asked: object) -> Mapping[str, Any]:
        return self._answer(asked, {"NextToken": "n"}, {"NextToken": "n"})

    def _answer(
        self,
        asked: Mapping[str, Any],
        second: Mapping[str, Any],
        more: Mapping[str, Any],
        last: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        self.asked.append(asked)
        if self._error:
            raise self._error
        return {**(last or {}), "Rows": [2]} if second.items() <= asked.items() else {**more, "Rows": [1]}


@pytest.mark.parametrize(
    ("service", "operation", "second"),
    [
        ("elbv2", "DescribeTargetGroups", {"Marker": "m"}),
        ("resourcegroupstaggingapi", "GetResources", {"PaginationToken": "p"}),
        ("apigateway", "GetRestApis", {"position": "q"}),
    ],
)
def test_pages_are_asked_for_as_the_service_has_them(service: str, operation: str, second: Mapping[str, str]) -> None:
    client = Balancing()
    asking = Reads(lambda service: client)  # type: ignore[arg-type,return-value]  # as above
    rows = asking.ask(service, operation, lambda pages: [row for page in pages for row in page["Rows"]], Size=1)()
    assert (rows, client.asked) == ([1, 2], [{"Size": 1}, {"Size": 1, **second}])


def test_of_a_list_without_an_end_one_page_is_asked_for() -> None:
    client = Balancing()
    asking = Reads(lambda service: client)  # type: ignore[arg-type,return-value]  # as above
    rows = asking.ask("apprunner", "ListOperations", lambda pages: [row for page in pages for row in page["Rows"]])()
    assert (rows, client.asked) == ([1], [{}])


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("elbv2", "DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroups"),
        ("resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
    ],
)
def test_a_call_that_failed_has_the_name_that_iam_has_for_it(service: str, operation: str, action: str) -> None:
    client = Balancing(ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation))
    asking = Reads(lambda service: client)  # type: ignore[arg-type,return-value]  # as above
    assert asking.ask(service, operation, list)() == Unread(call=action, code="AccessDenied")


# Many ids ------------------------------------------------------------------------------------------------------------


@dataclass
class Shelf:
    """Has things by id. Asked for what it has not, it refuses the whole question with `code`."""

    things: Mapping[str, object]
    code: str = "Gone"
    left_out: frozenset[str] = frozenset()
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def ask(self, ids: tuple[str, ...]) -> Pending[Mapping[str, object]]:
        self.asked.append(ids)
        if not set(ids) <= self.things.keys():
            return lambda: Unread(call="shelf:Look", code=self.code)
        return lambda: {one: self.things[one] for one in ids if one not in self.left_out}


def found(shelf: Shelf, *ids: str, most: int = 4) -> Mapping[str, object]:
    return each_of(ids, shelf.ask, call="shelf:Look", most=most, gone="Gone")()


GONE = Unread(call="shelf:Look", code="Gone")


def test_ids_are_asked_for_as_many_at_a_time_as_a_call_takes() -> None:
    shelf = Shelf({one: one.upper() for one in "abcde"})
    assert found(shelf, *"abcde", most=2) == {one: one.upper() for one in "abcde"}
    assert shelf.asked == [("a", "b"), ("c", "d"), ("e",)]


def test_nothing_is_asked_where_there_are_no_ids() -> None:
    shelf = Shelf({})
    assert (found(shelf), shelf.asked) == ({}, [])


def test_all_calls_are_sent_before_an_answer_is_waited_for() -> None:
    shelf = Shelf({"a": 1, "b": 2})
    wait = each_of(("a", "b"), shelf.ask, call="shelf:Look", most=1, gone="Gone")
    assert shelf.asked == [("a",), ("b",)]
    assert wait() == {"a": 1, "b": 2}


def test_a_call_refused_for_one_that_is_gone_is_asked_in_halves_and_no_other_suffers() -> None:
    shelf = Shelf({"a": 1, "b": 2, "d": 4, "e": 5})
    assert found(shelf, *"abcde") == {"a": 1, "b": 2, "c": GONE, "d": 4, "e": 5}
    assert shelf.asked == [("a", "b", "c", "d"), ("e",), ("a", "b"), ("c", "d"), ("c",), ("d",)]


def test_all_of_them_may_be_gone() -> None:
    assert found(Shelf({}), *"abc") == dict.fromkeys("abc", GONE)


def test_a_call_refused_for_another_reason_is_not_asked_again() -> None:
    shelf = Shelf({"a": 1, "b": 2, "e": 5}, code="AccessDenied")
    denied = Unread(call="shelf:Look", code="AccessDenied")
    assert found(shelf, *"abcde") == {**dict.fromkeys("abcd", denied), "e": 5}
    assert shelf.asked == [("a", "b", "c", "d"), ("e",)]


def test_what_an_answer_leaves_out_is_unread_and_what_is_empty_is_not() -> None:
    shelf = Shelf({"a": 1, "b": {}, "c": 3}, left_out=frozenset("c"))
    assert found(shelf, *"abc") == {"a": 1, "b": {}, "c": Unread(call="shelf:Look", code="c is not in the answer")}
