"""Runs that are interrupted again and again, against a CloudTrail and resources that are only pretended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import Created
from backfill.history import CALLS, Page
from backfill.journal import opened
from backfill.run import INTERRUPTED, Run, Target, run
from backfill.settle import Answer, Outcome
from tests.backfill.test_history import ARN, CloudTrail, row
from tests.samples import ACCOUNT, REGION

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
SETTINGS = Settings(alert_topic_arn="", findings_table="")
CALL = "CreateVpcConnector"


@dataclass
class World:
    """What was made, what of it is tagged by whom, and how often each was tagged; it interrupts at a point."""

    rows: Sequence[Mapping[str, Any]]
    apply: bool = True
    tagged: dict[str, str] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    lookups: int = 0
    points: int = -1  # how many points are passed before it interrupts

    def point(self) -> None:
        self.points -= 1
        if self.points == -1:
            raise KeyboardInterrupt

    def look_up(self, question: Mapping[str, object]) -> Mapping[str, Any]:
        self.point()
        rows = self.rows if CALL in str(question["LookupAttributes"]) else []
        answer = CloudTrail(rows)(question)
        self.lookups += 1
        self.point()
        return answer

    def settle(self, one: Created) -> Outcome:
        self.point()
        if one.arn in self.tagged:
            return Outcome(created=one, answer=Answer.LEFT, why="it has every tag")
        if not self.apply:
            return Outcome(created=one, answer=Answer.WOULD_TAG, tags={"created-by": one.by.name})
        self.tagged[one.arn] = one.by.name
        self.times[one.arn] = self.times.get(one.arn, 0) + 1
        self.point()
        return Outcome(created=one, answer=Answer.TAGGED, tags={"created-by": one.by.name})

    def tell(self, pages: Sequence[Page], outcomes: Sequence[Outcome], resources: int) -> None:
        self.point()

    def run(self, folder: Path, points: int = -1, *, apply: bool = True) -> Run:
        self.points, self.apply = points, apply
        target = Target(account=ACCOUNT, region=REGION, stack="", settings=SETTINGS, apply=apply)
        with opened(folder, ACCOUNT, REGION, NOW, fresh=False) as (journal, _):
            done = run(target, journal, self.look_up, self.settle, self.tell)
            if not done.progress_file:
                journal.remove()
            return done


def rows(seconds: Sequence[int]) -> list[dict[str, Any]]:
    """Two calls in three make something of their own, every third finds what another has made."""
    return [
        row(number, at=at, arn=ARN.format(f"c{number - number % 3 // 2}"), who=f"person{number}")
        for number, at in enumerate(seconds)
    ]


def file(folder: Path) -> Path:
    return folder / f"{ACCOUNT}-{REGION}.jsonl"


def cut_off(path: Path, size: int) -> None:
    """What was written last is lost, as where the power fails."""
    if path.exists():
        content = path.read_bytes()
        path.write_bytes(content[: max(0, len(content) - size)])


@given(
    seconds=st.lists(st.integers(0, 9), max_size=130),
    runs=st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.sampled_from([0, 0, 1, 60, 5000])), max_size=4),
)
def test_a_run_after_any_interruptions_ends_as_one_that_never_was(
    seconds: list[int], runs: list[tuple[int, bool, int]]
) -> None:
    straight, other = World(rows(seconds)), World(rows(seconds))
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        whole = straight.run(Path(one))
        assert (whole.stopped, whole.not_reached, file(Path(one)).exists()) == ("", 0, False)
        for points, apply, lost in runs:
            part = other.run(Path(two), points, apply=apply)
            assert part.stopped in ("", INTERRUPTED)
            cut_off(file(Path(two)), lost)
        last = other.run(Path(two))
        assert (last.stopped, file(Path(two)).exists()) == ("", False)
    assert other.tagged == straight.tagged
    assert set(other.times.values()) <= {1}
    assert [outcome.created for outcome in last.outcomes] == [outcome.created for outcome in whole.outcomes]
    assert sum(len(page.ids) for page in last.pages) == len(seconds)


@given(number=st.integers(1, 260), points=st.integers(0, 40))
def test_an_interruption_costs_two_lookups_at_most(number: int, points: int) -> None:
    """One whose page was not kept, and one for what the seconds that are asked for again move to a further page."""
    straight, other = World(rows(range(number))), World(rows(range(number)))
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        straight.run(Path(one))
        other.run(Path(two), points, apply=False)
        other.run(Path(two), apply=True)
    assert straight.lookups <= other.lookups <= straight.lookups + 2


def test_without_apply_nothing_is_done_and_all_is_kept(tmp_path: Path) -> None:
    world = World(rows(range(60)))
    dry = world.run(tmp_path, apply=False)
    assert (world.tagged, {one.answer for one in dry.outcomes}) == ({}, {Answer.WOULD_TAG})
    lookups = world.lookups
    assert lookups == len(CALLS) + 1
    assert {one.answer for one in world.run(tmp_path).outcomes} == {Answer.TAGGED}
    assert (world.lookups, len(world.tagged)) == (lookups, 40)


def test_what_is_done_is_not_looked_at_again_by_the_run_that_goes_on(tmp_path: Path) -> None:
    world = World(rows(range(9)))
    first = world.run(tmp_path, 3 * len(CALLS) + 4)
    assert [one.answer for one in first.outcomes] == [Answer.TAGGED]
    assert (first.stopped, first.not_reached) == (INTERRUPTED, 5)
    with patch.object(world, "settle", wraps=world.settle) as settle:
        again = world.run(tmp_path)
    assert [one.answer for one in again.outcomes] == [Answer.BEFORE, Answer.LEFT, *[Answer.TAGGED] * 4]
    looked = [ARN.format(f"c{number}") for number in (1, 3, 4, 6, 7)]
    assert [call.args[0].arn for call in settle.call_args_list] == looked
