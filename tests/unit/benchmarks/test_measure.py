"""What is compared is comparable, and a run that went another way than the recorded one is no result."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.measure import TIMED, TRIGGERS, Bench, Program, Recording, Spread, Unmeasurable, bench, programs, spread
from benchmarks.standin import Call, Question


@pytest.fixture
def place() -> Iterator[Bench]:
    with bench() as made:
        yield made


@pytest.mark.parametrize("event", TIMED)
def test_the_bare_script_asks_what_our_handler_asks_but_one_after_the_other(place: Bench, event: str) -> None:
    ours, bare = (place.record(program, TRIGGERS[event]) for program in programs())
    assert bare.reads == ours.reads
    # Ours writes in transactions; of a service's event it wants to know what is recorded of its connector too.
    asks, script_asks = (
        ("dynamodb:Query",) * 2 if event == "CreateVpcConnector" else ("dynamodb:Scan", "dynamodb:Query")
    )
    of_memory = Counter({asks: 1, "dynamodb:TransactWriteItems": 2}), Counter({script_asks: 1, "dynamodb:PutItem": 2})
    assert (ours.actions - bare.actions, bare.actions - ours.actions) == (
        of_memory[0] - of_memory[1],
        of_memory[1] - of_memory[0],
    )
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


def test_a_spread_of_one_number_is_that_number() -> None:
    assert spread([5]) == Spread(median=5, low=5, high=5, count=1)


def test_rounds_to_the_alert_end_with_the_one_that_publishes_it() -> None:
    calls = [
        Call(
            question=Question(service=service, operation=name, path="/", headers=(), body=b""), arrived=at, answered=end
        )
        for service, name, at, end in (
            ("ec2", "DescribeSubnets", 0, 1),
            ("ec2", "DescribeVpcs", 0, 1),
            ("sns", "Publish", 1, 2),
            ("dynamodb", "PutItem", 2, 3),
        )
    ]
    recording = Recording(answers={}, calls=calls)
    assert (recording.rounds_to_alert, len(recording.rounds)) == (2, 3)


def test_cloud_custodian_that_is_not_installed_is_asked_for(
    place: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_C7N", tmp_path / "none")
    program = Program(name="c7n", file=tmp_path / "policy.py", environment={}, packages="c7n")
    with pytest.raises(Unmeasurable, match=r"run `make \.tools/c7n/\.ready`"):
        place.run(program, TRIGGERS["CreateVpcConnector"].event, Recording(answers={}, calls=[]), delay=0)
