"""Read calls whose answers are given up once their facts are made."""

import gc
import weakref
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from apprunner_guardrails.aws.parsed_reads import ParsedReads
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Unread


class Page(dict[str, Any]):
    """An answer that can be watched."""


class Aws:
    """Answers DescribeSubnets in pages, and watches what becomes of them."""

    def __init__(self, *pages: dict[str, Any], fails: str = "") -> None:
        self.asked = 0
        self.watched: list[weakref.ref[Page]] = []
        self._pages, self._fails = pages, fails

    def __call__(self, _service: str) -> Any:
        return SimpleNamespace(describe_subnets=self._subnets)

    def _subnets(self, **_: object) -> Page:
        self.asked += 1
        if self._fails:
            raise ClientError({"Error": {"Code": self._fails, "Message": ""}}, "DescribeSubnets")
        page = Page(self._pages[(self.asked - 1) % len(self._pages)])
        self.watched.append(weakref.ref(page))
        return page


def ids(pages: Sequence[Any]) -> tuple[str, ...]:
    return tuple(row for page in pages for row in page["Subnets"])


def ask(reads: Reads) -> Callable[[], tuple[str, ...] | Unread]:
    return reads.ask("ec2", "DescribeSubnets", ids, Filters=[])


PAGES = ({"Subnets": ["a", "b"], "NextToken": "more"}, {"Subnets": ["c"]})


def test_the_facts_are_of_all_pages_and_asked_for_once() -> None:
    aws = Aws(*PAGES)
    reads = ParsedReads(aws)
    first, second = ask(reads), ask(reads)
    assert [first(), first(), second()] == [("a", "b", "c")] * 3
    assert aws.asked == 2


def test_whoever_makes_something_else_of_the_answer_asks_for_himself() -> None:
    """An audit reads subnets once as they come and once by their ids: neither is given what the other made."""

    def of(count: int) -> Callable[[Sequence[Any]], tuple[str, ...]]:
        return lambda pages: ids(pages)[:count]

    aws = Aws({"Subnets": ["a", "b", "c"]})
    reads = ParsedReads(aws)
    asked = [reads.ask("ec2", "DescribeSubnets", parse, Filters=[]) for parse in (ids, of(1), of(2), of(1), ids, len)]
    assert [pending() for pending in asked] == [tuple("abc"), ("a",), ("a", "b"), ("a",), tuple("abc"), 1]
    assert aws.asked == 4


def test_answers_are_given_up_once_there_are_facts() -> None:
    aws = Aws(*PAGES)
    reads = ParsedReads(aws)
    pending = ask(reads)
    assert pending() == ("a", "b", "c")
    gc.collect()
    assert [watched() for watched in aws.watched] == [None, None]


def test_reads_that_serve_several_parsers_keep_their_answers() -> None:
    aws = Aws(*PAGES)
    pending = ask(Reads(aws))
    assert pending() == ("a", "b", "c")
    gc.collect()
    assert [watched() is None for watched in aws.watched] == [False, False]


def test_another_question_is_another_call() -> None:
    aws = Aws({"Subnets": ["a"]})
    reads = ParsedReads(aws)
    asked = [reads.ask("ec2", "DescribeSubnets", ids, Filters=[name]) for name in ("one", "other")]
    assert [pending() for pending in asked] == [("a",), ("a",)]
    assert aws.asked == 2


def test_a_call_that_failed_says_so() -> None:
    pending = ask(ParsedReads(Aws(fails="UnauthorizedOperation")))
    assert [pending(), pending()] == [Unread(call="ec2:DescribeSubnets", code="UnauthorizedOperation")] * 2


def test_an_answer_that_is_not_understood_says_so_and_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[dict[str, int]] = []
    monkeypatch.setattr("apprunner_guardrails.observe.count", lambda **counts: counted.append(counts))
    pending = ask(ParsedReads(Aws({"Other": []})))
    odd = Unread(call="ec2:DescribeSubnets", code="answer not understood: KeyError 'Subnets'")
    assert [pending(), pending()] == [odd] * 2
    assert counted == [{"ReadsFailed": 1}]


def test_each_call_waits_for_its_own_pace() -> None:
    waited: list[str] = []
    paces = {"ec2": lambda: waited.append("ec2")}
    ask(ParsedReads(Aws(*PAGES), lambda: waited.append("any"), paces=paces))()
    assert waited == ["ec2", "ec2"]
