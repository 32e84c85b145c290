"""What is shown where: on a terminal, and of names that somebody chose to be nasty."""

import io
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from apprunner_guardrails.callers import Who
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import Created, Kind
from backfill import show
from backfill.history import CALLS, Page
from backfill.run import INTERRUPTED, Run, Target
from backfill.settle import Answer, Outcome

TARGET = Target(
    account="123456789012",
    region="us-east-1",
    stack="",
    settings=Settings(alert_topic_arn="", findings_table=""),
    apply=False,
)


def outcome(name: str, answer: Answer, *, who: str = "mara.lind", why: str = "", **tags: str) -> Outcome:
    made = Created(
        id=name,
        what="CreateVpcConnector",
        kind=Kind.APP_RUNNER,
        arn=f"arn:{name}",
        given={},
        by=Who(kind="IAMUser", name=who),
        tool="console",
        time="2026-11-02T09:00:00Z",
    )
    return Outcome(created=made, answer=answer, tags=tags, why=why)


def a_run(*outcomes: Outcome, ignored: Mapping[str, int] | None = None, odd: Mapping[str, str] | None = None) -> Run:
    page = Page(call="CreateService", ids=("one", "two"), is_last=True, ignored=ignored or {}, odd=odd or {})
    return Run(target=TARGET, pages=[page], outcomes=outcomes, not_reached=0, stopped="", progress_file="kept.jsonl")


def shown(run: Run, *, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None, highlight=False)
    show.results(console, run)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_a_table() -> None:
    run = a_run(outcome("orders", Answer.WOULD_TAG, team="platform", owner="mara"), outcome("two", Answer.WOULD_TAG))
    lines = [line.rstrip() for line in shown(run, terminal=True).splitlines()]
    assert lines == [
        "would tag   tags           who        when",
        "arn:orders  team=platform  mara.lind  2026-11-02T09:00:00Z",
        "            owner=mara",
        "arn:two                    mara.lind  2026-11-02T09:00:00Z",
        "2 resources in 2 events, 1 page, 1 of 6 calls: 2 would be tagged",
        "nothing was changed: APPLY=1 puts these tags; what was read is used for a day, and kept.jsonl may be deleted",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_that_somebody_chose_a_name_for_forges_a_line(terminal: bool) -> None:
    nasty = "a\x1b[2J\nb[red]"
    run = a_run(
        outcome("one", Answer.WOULD_TAG, who=nasty),
        outcome("two", Answer.LEFT, why=nasty),
        outcome("three", Answer.FAILED, why=nasty),
        ignored={nasty: 1},
        odd={nasty: nasty},
    )
    said = shown(run, terminal=terminal)
    assert "\x1b[2J" not in said
    assert said.count("a?[2J?b[red]") == 6


def test_of_many_reasons_the_most_frequent_are_told() -> None:
    run = a_run(ignored={f"reason {number:02}": 20 - number for number in range(20)})
    lines = shown(run).splitlines()
    assert lines[0] == "  ignored       20 events: reason 00"
    assert lines[11:] == [
        "  ignored       9 events: reason 11",
        "  ignored       36 events: for 8 further reasons",
        "0 resources in 2 events, 1 page, 1 of 6 calls",
    ]


def test_what_was_not_reached_is_told() -> None:
    run = replace(a_run(outcome("one", Answer.TAGGED, team="a")), stopped=INTERRUPTED, not_reached=3)
    assert shown(run).splitlines()[1:] == [
        "4 resources in 2 events, 1 page, 1 of 6 calls: 1 tagged, 3 not reached",
        "interrupted: run it again to continue; what was read is used for a day, and kept.jsonl may be deleted",
    ]


@pytest.mark.parametrize(
    ("answer", "stopped", "said"),
    [
        (Answer.LATER, "", "APPLY=1 tries again what could not be tagged"),
        (Answer.FAILED, "", "APPLY=1 tries again what could not be tagged"),
        (Answer.TAGGED, "the credentials have expired", "stopped: run it again to continue"),
    ],
)
def test_while_something_is_left_to_do_it_tells_what_is_kept_and_until_when(
    answer: Answer, stopped: str, said: str
) -> None:
    run = replace(a_run(outcome("one", answer)), stopped=stopped)
    last = f"{said}; what was read is used for a day, and kept.jsonl may be deleted"
    assert shown(run).splitlines()[-1] == last
    assert "what was read" not in shown(replace(run, progress_file=""))


def test_elsewhere_than_on_a_terminal_it_tells_how_far_it_is_now_and_then() -> None:
    clock, console = [0.0], Console(file=io.StringIO(), width=100)
    pages = [Page(call=CALLS[0], ids=("one",), is_last=False)]
    with show.progression(console, lambda: clock[0]) as tell:
        for second in (1, 4.9, 5, 6, 9.9, 10):
            clock[0] = second
            pages.append(Page(call=CALLS[0], ids=(str(second),), is_last=False))
            tell(pages, (), 0)
        tell([*pages, *(Page(call=call, is_last=True) for call in CALLS)], (), 0)
        tell(pages, [outcome("one", Answer.LEFT)], 2)
        tell(pages, [outcome("one", Answer.LEFT)] * 2, 2)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        "  read 4 events, 4 pages, 0 of 6 calls",
        "  read 7 events, 7 pages, 0 of 6 calls",
        "  read 7 events, 13 pages, 6 of 6 calls",
        "  looked at 2 of 2 resources",
    ]


def test_a_terminal_has_a_bar_instead() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with show.progression(console, lambda: 0.0) as tell:
        tell([Page(call=CALLS[0], ids=("one",), is_last=True)], (), 0)
    assert isinstance(console.file, io.StringIO)
    assert "read 1 event, 1 page, 1 of 6 calls" in console.file.getvalue()
