"""All live through the same histories, the habits do what they are known for, and the figures are of what was done."""

from collections.abc import Callable, Sequence

import pytest

from benchmarks import targets
from benchmarks.habits import Client, deregister_first, empty_means_remove
from tests.fake_aws import ZONES, FakeAws, Fault, Kind

type Habit = Callable[[Client, str, Sequence[str]], None]

HABITS = [deregister_first, empty_means_remove]


class World:
    """A group in step with an endpoint of one zone."""

    def __init__(self) -> None:
        self.aws = FakeAws()
        self.endpoint = self.aws.create_endpoint(zones=ZONES[:1], pending_seconds=0)
        self.group = self.aws.create_group(self.aws.create_load_balancer(), self.endpoint)
        self.aws.put_target(self.group, self.address)
        self.aws.advance(3600)

    @property
    def address(self) -> str:
        return self.aws.endpoints[self.endpoint].interfaces[ZONES[0]].ipv4

    def run(self, habit: Habit) -> None:
        habit(self.aws.client, self.group, [self.endpoint])

    @property
    def changes(self) -> list[tuple[str, list[str]]]:
        return [
            (call.operation, [one["Id"] for one in call.parameters["Targets"]])
            for call in self.aws.calls
            if call.mutates
        ]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_leaves_a_group_that_is_in_step_alone(world: World, habit: Habit) -> None:
    world.run(habit)
    assert world.changes == []


def test_one_habit_deregisters_first(world: World) -> None:
    old = world.address
    world.aws.add_subnet(world.endpoint, ZONES[0])
    world.run(deregister_first)
    assert world.changes == [("DeregisterTargets", [old]), ("RegisterTargets", [world.address])]


@pytest.mark.parametrize("kind", [Kind.EMPTY, Kind.THROTTLED, Kind.DENIED, Kind.TIMED_OUT])
def test_the_other_habit_removes_what_it_cannot_find(world: World, kind: Kind) -> None:
    world.aws.wrong(Fault(kind=kind, operation="DescribeNetworkInterfaces"))
    world.run(empty_means_remove)
    assert world.changes == [("DeregisterTargets", [world.address])]


def test_a_history_is_the_same_for_the_same_seed_only() -> None:
    assert targets.history(1) == targets.history(1)
    assert targets.history(1) != targets.history(2)


def test_a_calm_history_has_the_same_changes_and_no_trouble() -> None:
    troubled, calm = (
        [step for seed in range(6) for step in targets.history(seed, calm=calm)] for calm in (False, True)
    )
    assert [step.changes for step in calm] == [step.changes for step in troubled]
    assert [step.fault for step in calm if step.fault] == []
    assert sum(len(step.events) for step in calm) > sum(len(step.events) for step in troubled)


def test_everybody_lives_through_what_happens_in_a_history() -> None:
    """Histories have something of everything; and none of them goes wrong by itself."""
    histories = [targets.history(seed) for seed in range(targets.HISTORIES)]
    changes = {name for steps in histories for step in steps for name, _ in step.changes}
    assert changes == {
        "add_subnet",
        "bind",
        "create_endpoint",
        "delete_endpoint",
        "put_target",
        "remove_subnet",
        "take_target",
    }
    assert {step.fault.kind for steps in histories for step in steps if step.fault} == set(targets.KINDS)


def test_sync_loses_less_than_the_habits_and_not_less_than_the_best() -> None:
    histories = [targets.history(seed) for seed in range(6)]
    ours, first, empty = (targets.lived(name, histories, delay=0.02) for name in targets.PROGRAMS)
    best = targets.at_best(histories)
    assert [one.name for one in (ours, first, empty, best)] == [
        "guardrails",
        "deregister first",
        "empty means remove",
        "at best",
    ]
    assert {one.steps for one in (ours, first, empty, best)} == {6 * targets.STEPS}
    assert 0 < best.lost <= ours.lost < min(first.lost, empty.lost)


def test_a_quiet_history_costs_a_run_at_each_turn_of_the_schedule() -> None:
    """Five calls, of which interfaces have to wait for endpoints, and those for the groups."""
    quiet = [targets.Step() for _ in range(2 * targets.SCHEDULE_STEPS)]
    ours = targets.lived(targets.OURS, [quiet], delay=0.02)
    assert (ours.lost, ours.changes) == (0, 0)
    assert list(ours.calls) == [6, 5]  # the first time the group itself is not known yet
    assert list(ours.seconds) == pytest.approx([0.06, 0.06])
    habit = targets.lived(targets.FIRST, [quiet], delay=0.02)
    assert list(habit.calls) == [3, 3]
    assert list(habit.seconds) == pytest.approx([0.06, 0.06])


@pytest.mark.parametrize("groups", [1, 45])
def test_a_fleet_in_step_costs_a_call_a_group_and_few_more(groups: int) -> None:
    fleet = targets.fleet(groups, delay=0)
    assert fleet.calls <= groups + groups / 20 + 6
    assert fleet.busiest <= fleet.calls
    assert fleet.habit_calls == 3 * groups


def test_calls_a_second_are_counted_at_their_busiest() -> None:
    assert targets.busiest([0.0, 0.1, 0.9, 1.05, 1.09, 9.0]) == 4
