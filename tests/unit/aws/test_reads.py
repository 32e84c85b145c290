"""Asking AWS: each question once, sent at once, with failures as values."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError, SSLError
from botocore.parsers import ResponseParserError

from apprunner_guardrails.aws import ec2
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Unread

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
