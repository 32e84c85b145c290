"""Which calls had to wait for which others, and when answers leave."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.standin import Answer, Call, Question, StandIn, rounds

ANSWER = Answer(status=200, headers={}, body=b"")


def question(operation: str) -> Question:
    return Question(service="ec2", operation=operation, path="/", headers=(), body=b"")


def call(operation: str, arrived: float, answered: float) -> Call:
    return Call(question=question(operation), arrived=arrived, answered=answered)


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        pytest.param([], [], id="no calls"),
        pytest.param([call("A", 0, 2), call("B", 1, 3)], [["A", "B"]], id="B came before A was answered"),
        pytest.param([call("B", 2, 3), call("A", 0, 2)], [["A"], ["B"]], id="B came when A was answered"),
        pytest.param(
            [call("A", 0, 2), call("A", 1, 9), call("B", 3, 5), call("C", 6, 7)],
            [["A", "A"], ["B"], ["C"]],
            id="a slow call holds up nobody who did not wait for it",
        ),
    ],
)
def test_rounds_are_the_longest_chain_of_calls_one_after_the_other(calls: list[Call], told: list[list[str]]) -> None:
    assert rounds(calls) == [Counter(f"ec2:{operation}" for operation in one) for one in told]


def test_an_answer_leaves_after_the_delay() -> None:
    stand_in = StandIn(answers=lambda _: ANSWER, delay=0.02)
    assert stand_in.answer(question("A")) == ANSWER
    [seen] = stand_in.calls
    assert (seen.action, seen.answered - seen.arrived >= 0.02) == ("ec2:A", True)


def test_a_held_answer_waits_for_whoever_still_asks() -> None:
    stand_in = StandIn(answers=lambda _: ANSWER, delay=0.2, hold=True)
    with ThreadPoolExecutor() as pool:
        pool.submit(stand_in.answer, question("A"))
        time.sleep(0.1)
        pool.submit(stand_in.answer, question("B"))
    first, second = sorted(stand_in.calls, key=lambda one: one.arrived)
    assert (first.action, second.action) == ("ec2:A", "ec2:B")
    assert min(first.answered, second.answered) >= second.arrived + 0.2


def test_a_question_without_an_answer_is_told_apart() -> None:
    stand_in = StandIn(answers={question("A"): ANSWER}.get, delay=0)
    assert stand_in.answer(question("B")) is None
    assert (stand_in.calls, stand_in.unanswered) == ([], [question("B")])
