"""What is worked out once while resources are judged, and forgotten after that."""

import pytest

from apprunner_guardrails.once import KEPT, judging, once


class Counted:
    """A function of facts that counts how often it was worked out."""

    def __init__(self) -> None:
        self.times = 0
        self.of = once(self._of)

    def _of(self, facts: tuple[str, ...]) -> str | None:
        self.times += 1
        return facts[0] if facts else None


FACTS = ("a fact", "another")


def test_what_follows_from_the_same_facts_is_worked_out_once() -> None:
    counted = Counted()
    with judging():
        assert [counted.of(FACTS) for _ in range(3)] == ["a fact"] * 3
    assert counted.times == 1


def test_nothing_is_remembered_where_nobody_judges() -> None:
    counted = Counted()
    assert [counted.of(FACTS) for _ in range(3)] == ["a fact"] * 3
    assert counted.times == 3


def test_the_next_judging_begins_with_nothing() -> None:
    counted = Counted()
    for _ in range(2):
        with judging():
            counted.of(FACTS)
    assert counted.times == 2


def test_nothing_is_left_of_a_judging_that_failed() -> None:
    counted = Counted()

    @judging()
    def broken() -> None:
        counted.of(FACTS)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with judging():
        counted.of(FACTS)
    assert counted.times == 2


def test_a_judging_within_another_remembers_for_it() -> None:
    counted = Counted()
    with judging():
        for _ in range(2):
            with judging():
                counted.of(FACTS)
        counted.of(FACTS)
    assert counted.times == 1


def test_facts_are_told_apart_though_they_are_equal() -> None:
    counted, alike = Counted(), (*FACTS,)[:1] + FACTS[1:]
    assert (alike == FACTS, alike is FACTS) == (True, False)
    with judging():
        counted.of(FACTS)
        counted.of(alike)
    assert counted.times == 2


def test_facts_that_nobody_else_holds_are_held_so_that_no_others_take_their_place() -> None:
    counted = Counted()
    with judging():
        told = [counted.of((f"fact {number}",)) for number in range(KEPT // 2)]
    assert told == [f"fact {number}" for number in range(KEPT // 2)]


def test_that_nothing_follows_is_remembered_too() -> None:
    counted, nothing = Counted(), ()
    with judging():
        assert [counted.of(nothing) for _ in range(3)] == [None] * 3
    assert counted.times == 1


def test_two_functions_of_the_same_facts_do_not_meet() -> None:
    length, first = once(len), once(lambda facts: facts[0])
    with judging():
        assert (length(FACTS), first(FACTS), length(FACTS)) == (2, "a fact", 2)


def test_what_cannot_be_told_is_asked_again() -> None:
    times = []

    @once
    def refused(facts: tuple[str, ...]) -> str:
        times.append(facts)
        raise LookupError

    with judging():
        for _ in range(2):
            with pytest.raises(LookupError):
                refused(FACTS)
    assert len(times) == 2


def test_no_more_is_held_than_was_meant_to_be() -> None:
    counted = Counted()
    others = [(f"fact {number}",) for number in range(KEPT)]
    with judging():
        for facts in (FACTS, *others, FACTS):
            counted.of(facts)
    assert counted.times == KEPT + 2
