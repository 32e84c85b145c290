"""Which calls had to wait for which others, and when answers leave."""

import os
import ssl
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.standin import Answer, Call, Question, StandIn, processor_seconds, replayed, rounds, serving
from benchmarks.trust import certificate, trusted

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


def test_what_the_caller_had_spent_is_noted_with_its_call() -> None:
    before = time.process_time()
    stand_in = StandIn(answers=lambda _, __: ANSWER, delay=0, caller=os.getpid())
    stand_in.answer(question("A"))
    [seen] = stand_in.calls
    if seen.caller_cpu is None:
        pytest.fail("this machine does not tell: only Linux does")
    assert before <= seen.caller_cpu <= time.process_time()


def test_of_a_process_that_is_no_more_nothing_is_told() -> None:
    assert processor_seconds(2**22 + 1) is None  # the kernel's largest number of a process is below


def asked_over_http(stand_in: StandIn, context: ssl.SSLContext | None = None) -> bytes:
    request = urllib.request.Request(stand_in.url, data=b"Action=A", method="POST")  # noqa: S310  # our own server
    with urllib.request.urlopen(request, context=context) as answer:  # noqa: S310
        return bytes(answer.read())


def test_it_speaks_http_where_it_has_no_certificate() -> None:
    stand_in = StandIn(answers=lambda _, __: Answer(status=200, headers={}, body=b"plain"), delay=0)
    with serving(stand_in, None):
        assert (stand_in.url.startswith("http://"), asked_over_http(stand_in)) == (True, b"plain")


@pytest.mark.parametrize("by_folder", [False, True])
def test_whoever_has_our_list_of_authorities_trusts_it_and_nobody_else(tmp_path: Path, *, by_folder: bool) -> None:
    """The list as botocore has it, and as the layer has it for OpenSSL to look up by name."""
    mine = certificate()
    (tmp_path / "cacert.pem").write_text("")
    (tmp_path / "cacert").mkdir()
    trusted(tmp_path, mine)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if by_folder:
        context.load_verify_locations(capath=tmp_path / "cacert")
    else:
        context.load_verify_locations(cafile=tmp_path / "cacert.pem")
    stand_in = StandIn(answers=lambda _, __: Answer(status=200, headers={}, body=b"over TLS"), delay=0)
    with serving(stand_in, mine):
        assert asked_over_http(stand_in, context) == b"over TLS"
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            asked_over_http(stand_in, ssl.create_default_context())


def test_an_installed_list_that_is_linked_to_stays_as_it_is(tmp_path: Path) -> None:
    installed, linked = tmp_path / "installed.pem", tmp_path / "sdk"
    installed.write_text("as it was")
    linked.mkdir()
    (linked / "cacert.pem").symlink_to(installed)
    trusted(linked, certificate())
    assert (installed.read_text(), (linked / "cacert.pem").read_text().startswith("as it was\n-----BEGIN")) == (
        "as it was",
        True,
    )
