"""What is compared is comparable, and a run that went another way than the recorded one is no result."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.__main__ import BEGIN, DOCUMENT, END, put_between_markers
from benchmarks.measure import TIMED, TRIGGERS, Bench, Recording, Spread, Unmeasurable, bench, programs, spread


@pytest.fixture
def place() -> Iterator[Bench]:
    with bench() as made:
        yield made


@pytest.mark.parametrize("event", TIMED)
def test_the_bare_script_asks_what_our_handler_asks_but_one_after_the_other(place: Bench, event: str) -> None:
    ours, bare = (place.record(program, TRIGGERS[event]) for program in programs())
    assert bare.reads == ours.reads
    # Of a service's event, what is recorded of its connector too.
    recorded = "dynamodb:Query" if event == "CreateVpcConnector" else "dynamodb:Scan"
    assert ours.actions - bare.actions == Counter(
        {recorded: 1, "dynamodb:TransactWriteItems": 2, "events:PutEvents": 1}
    )
    assert bare.actions - ours.actions == Counter({"dynamodb:GetItem": 1, "dynamodb:PutItem": 1})
    assert [one.total() for one in bare.rounds] == [1] * bare.actions.total()
    *_, claimed, told, settled = ours.rounds
    assert [claimed, told, settled] == [
        Counter({"dynamodb:TransactWriteItems": 1}),
        Counter({"sns:Publish": 1, "events:PutEvents": 1}),
        Counter({"dynamodb:TransactWriteItems": 1}),
    ]


def test_a_program_that_asks_what_was_not_recorded_is_not_measured(place: Bench) -> None:
    ours, _ = programs()
    nothing = Recording(answers={}, calls=[])
    with pytest.raises(Unmeasurable, match=r"guardrails asked .* as it was never recorded"):
        place.run(ours, TRIGGERS["CreateVpcConnector"].event, nothing, delay=0)


def test_a_spread_is_the_median_and_the_middle_half() -> None:
    assert spread([5, 1, 2, 4, 3]) == Spread(median=3, low=2, high=4, count=5)


def test_the_tables_go_between_the_markers_of_the_document(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put_between_markers(document, "new")
    assert document.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_document_without_markers_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("before\n")
    with pytest.raises(Unmeasurable, match=r"performance\.md has no place for the tables"):
        put_between_markers(document, "new")
    assert document.read_text() == "before\n"


def test_our_document_has_markers() -> None:
    text = DOCUMENT.read_text()
    assert 0 <= text.find(BEGIN) < text.find(END)
