"""What is shown where: on a terminal, elsewhere, and of messages that somebody wrote to be nasty."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from redrive import show
from redrive.letters import Destination, Kind, Letter, Understood
from redrive.queues import Depth, Held, Queue
from redrive.run import INTERRUPTED, Answer, Outcome, Run, Target

NOW = 1_800_000_000
TARGET = Target(account="123456789012", region="us-east-1", stack="guardrails", apply=False, most=1000)
QUEUE = Queue(name="SyncTargets", url="https://sqs/SyncTargetsDeadLetterQueue")
TO = Destination(kind="queue", logical_id="SyncQueue", address="https://sqs/SyncQueue")
DEPTH = Depth(waiting=2, hidden=0, kept_seconds=1_209_600)


def outcome(
    name: str,
    answer: Answer,
    *,
    age: int = 60,
    why: str = "",
    once_with: str = "",
    what: str = "RegisterTargets of elb",
) -> Outcome:
    letter = Letter(id=f"m-{name}", body="secret", sent=NOW - age)
    said = Understood(
        kind=Kind.UNKNOWN if answer is Answer.STAYS else Kind.GIVEN_UP,
        what=what,
        id=f"e-{name}",
        reason="" if answer is Answer.STAYS else "too often",
        to=None if answer is Answer.STAYS else TO,
    )
    held = Held(queue=QUEUE, letter=letter, handle="", hidden_until=0)
    return Outcome(held=held, said=said, answer=answer, why=why, once_with=once_with)


def a_run(*outcomes: Outcome, depth: Depth = DEPTH) -> Run:
    return Run(
        target=TARGET,
        depths={"SyncTargets": depth},
        is_whole=True,
        outcomes=outcomes,
        not_reached=0,
        not_found=(),
        still_hidden=0,
        stopped="",
        now=NOW,
    )


def shown(run: Run, *, terminal: bool = False, width: int = 150) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=width, color_system=None, highlight=False)
    show.results(console, run)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_what_is_alike_is_a_line() -> None:
    run = a_run(
        *(
            outcome(str(number), Answer.WOULD_SEND, age=7200 * number, once_with="m-1" * (number > 1))
            for number in range(1, 6)
        ),
        outcome("odd", Answer.STAYS, what="", why="look at it"),
    )
    assert shown(run) == [
        "  SyncTargets     2 messages, the oldest 10 hours old",
        (
            "  would send    SyncTargets: 5 x RegisterTargets of elb; 10 hours old; queue gave up: too often; to"
            " SyncQueue, once for all that ask for the same; events e-1, e-2, e-3 and 2 more; messages m-1, m-2, m-3"
            " and 2 more"
        ),
        "  stays         SyncTargets: a message; 1 minute old; not understood; look at it; event e-odd; message m-odd",
        "6 messages in 1 queue: 5 would be sent back, 1 to be looked at",
        "nothing was changed: mend the cause first, then APPLY=1 sends them back",
    ]


def test_a_terminal_shows_a_table_and_ids_that_can_be_copied_below_it() -> None:
    run = a_run(outcome("one", Answer.SENT), outcome("two", Answer.FAILED, why="access denied"))
    assert shown(run, terminal=True, width=110) == [
        "  SyncTargets     2 messages, the oldest 1 minute old",
        "#             queue        number  oldest    event                   why it is there           then",
        "1  sent back  SyncTargets  1       1 minute  RegisterTargets of elb  queue gave up: too often  to SyncQueue",
        "2  failed     SyncTargets  1       1 minute  RegisterTargets of elb  queue gave up: too often  access denied",
        "  #1            event e-one; message m-one",
        "  #2            event e-two; message m-two",
        "2 messages in 1 queue: 1 sent back, 1 failed",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_that_a_message_holds_forges_a_line(terminal: bool) -> None:
    nasty = "a\x1b[2J\nb[red]"
    run = a_run(outcome(nasty, Answer.STAYS, what=nasty, why=nasty))
    said = "\n".join(shown(run, terminal=terminal, width=300))
    assert ("\x1b[2J" in said, said.count("a?[2J?b[red]")) == (False, 4)


@pytest.mark.parametrize(
    ("depth", "age", "said"),
    [
        (Depth(waiting=0, hidden=0, kept_seconds=1), 0, "empty"),
        (Depth(waiting=0, hidden=3, kept_seconds=1), 0, "empty, 3 hidden, as somebody is looking at them"),
        (replace(DEPTH, waiting=1), 30, "1 message, the oldest less than a minute old"),
        (DEPTH, 1_209_600 - 86_400, "2 messages, the oldest 13 days old"),
        (DEPTH, 1_209_600 - 7_200, "2 messages, the oldest 13 days old, which SQS deletes in 2 hours"),
        (DEPTH, 1_209_700, "2 messages, the oldest 14 days old, which SQS deletes in less than a minute"),
    ],
)
def test_each_queue_tells_how_much_it_has_and_for_how_long(depth: Depth, age: int, said: str) -> None:
    outcomes = [outcome("one", Answer.WOULD_SEND, age=age)] if age else []
    assert shown(a_run(*outcomes, depth=depth))[0] == f"  SyncTargets     {said}"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (replace(a_run(), stopped=INTERRUPTED), ["interrupted: nothing is lost; run it again to continue"]),
        (
            replace(a_run(), stopped="no credentials", not_reached=2, is_whole=False),
            ["stopped (no credentials): nothing is lost; run it again to continue"],
        ),
        (replace(a_run(), is_whole=False), ["there may be more: no more than 1000 messages a run (MAX)"]),
        (a_run(outcome("one", Answer.WOULD_DROP)), ["nothing was changed: APPLY=1 drops them, for good"]),
        (replace(a_run(), still_hidden=1), ["1 message cannot be seen for up to 10 minutes more"]),
        (a_run(outcome("one", Answer.DROPPED)), []),
    ],
    ids=["interrupted", "stopped", "more", "drop", "hidden", "done"],
)
def test_what_comes_next_is_said(run: Run, said: list[str]) -> None:
    lines = shown(run)
    assert lines[[line.split(" ")[0].isdecimal() for line in lines].index(True) + 1 :] == said


def test_nothing_of_what_is_understood_is_in_what_programs_read() -> None:
    told = show.as_json(a_run(outcome("one", Answer.SENT), outcome("odd", Answer.STAYS)))
    assert [one["body"] for one in told["messages"]] == [None, "secret"]  # type: ignore[attr-defined]  # JSON


def test_a_terminal_has_a_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with show.progression(console) as tell:
        tell(0, 12)
    with show.progression(console) as tell:
        tell(3, 12)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert ("looked at 12 messages" in said, "dealt with 3 of 12 messages" in said) == (True, True)
