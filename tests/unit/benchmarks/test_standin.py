"""Which calls had to wait for which others, and when answers leave."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.standin import Answer, Call, Question, StandIn, replayed, rounds

ANSWER = Answer(status=200, headers={}, body=b"")


def question(operation: str, *, service: str = "ec2", body: bytes = b"", place: int = 0) -> Question:
    return Question(service=service, operation=operation, path="/", headers=(), body=body, place=place)


def write(body: bytes = b"", *, place: int = 0) -> Question:
    return question("TransactWriteItems", service="dynamodb", body=body, place=place)


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
    stand_in = StandIn(answers=lambda _, __: ANSWER, delay=0.02)
    assert stand_in.answer(question("A")) == ANSWER
    [seen] = stand_in.calls
    assert (seen.action, seen.answered - seen.arrived >= 0.02) == ("ec2:A", True)


def test_a_held_answer_waits_for_whoever_still_asks() -> None:
    stand_in = StandIn(answers=lambda _, __: ANSWER, delay=0.2, hold=True)
    with ThreadPoolExecutor() as pool:
        pool.submit(stand_in.answer, question("A"))
        time.sleep(0.1)
        pool.submit(stand_in.answer, question("B"))
    first, second = sorted(stand_in.calls, key=lambda one: one.arrived)
    assert (first.action, second.action) == ("ec2:A", "ec2:B")
    assert min(first.answered, second.answered) >= second.arrived + 0.2


def test_a_question_without_an_answer_is_told_apart() -> None:
    stand_in = StandIn(answers=replayed({question("A"): ANSWER}), delay=0)
    assert stand_in.answer(question("B")) is None
    assert (stand_in.calls, stand_in.unanswered) == ([], [question("B")])


def test_a_read_is_known_by_its_whole_body() -> None:
    stand_in = StandIn(answers=replayed({question("A", body=b"this"): ANSWER}), delay=0)
    assert stand_in.answer(question("A", body=b"this")) == ANSWER
    assert stand_in.answer(question("A", body=b"that")) is None


def test_a_write_is_known_by_its_place_since_the_last_read_and_not_by_its_body() -> None:
    claimed, settled = (Answer(status=200, headers={}, body=body) for body in (b"claimed", b"settled"))
    recorded = {question("A"): ANSWER, write(place=1): claimed, write(place=2): settled}
    stand_in = StandIn(answers=replayed(recorded), delay=0)
    for clock in (b"12:00", b"13:00"):
        asked = (question("A"), write(clock), question("Publish", service="sns"), write(clock + b":01"))
        assert [stand_in.answer(one) for one in asked] == [ANSWER, claimed, None, settled]


def test_one_write_too_many_has_no_answer() -> None:
    stand_in = StandIn(answers=replayed({write(place=1): ANSWER}), delay=0)
    assert [stand_in.answer(write()), stand_in.answer(write())] == [ANSWER, None]


def test_whoever_answers_a_write_sees_its_body() -> None:
    seen: list[tuple[Question, bytes]] = []

    def answers(asked: Question, body: bytes) -> Answer:
        seen.append((asked, body))
        return ANSWER

    StandIn(answers=answers, delay=0).answer(write(b"12:00"))
    assert seen == [(write(place=1), b"12:00")]
