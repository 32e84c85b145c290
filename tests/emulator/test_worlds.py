"""Each named world shows what it is there to show, and is the same wherever it is built."""

import json
from collections.abc import Mapping

import pytest

from emulator.worlds import WORLDS
from replay.loop import Step, play_world
from replay.template import load

# What the rules say of each world's connector at its first event; all other rules pass.
FAILS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "healthy": {},
    "public-subnets": {"AR102": ("use1-az1", "use1-az2", "use1-az4")},
    "main-table": {"AR102": ("use1-az4",)},
    "one-zone": {"AR101": ("1 of 3 required",)},
    "isolated": {"AR107": ("use1-az1", "use1-az2", "use1-az4")},
    "nat-gone": {"AR108": ("use1-az2",)},
    "mixed-address-types": {"AR106": ("IPv4 and dual-stack",)},
    "copilot": {"AR101": ("2 of 3 required",), "AR203": ("0.0.0.0/0",)},
}


def told(steps: list[Step]) -> str:
    return json.dumps([[step.event, [vars(one) for one in step.invocations]] for step in steps])


def test_every_world_has_its_verdict_written_down() -> None:
    assert set(FAILS) == set(WORLDS)


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_fails_the_rules_that_it_is_there_to_show(name: str) -> None:
    steps = list(play_world(WORLDS[name], load()))
    first = next(one for step in steps for one in step.invocations)
    [answers] = [dict(one) for one in first.result["resources"].values()]  # type: ignore[attr-defined]
    assert {rule for rule, status in answers.items() if status == "fail"} == set(FAILS[name])
    assert {status for status in answers.values() if status != "fail"} == {"pass"}
    opened = {one["rule"]: sorted(one["messages"]) for one in first.result["opened"]}  # type: ignore[attr-defined]
    assert set(opened) == set(FAILS[name])
    for rule, parts in FAILS[name].items():
        assert len(opened[rule]) == len(parts)
        assert all(sum(part in message for message in opened[rule]) == 1 for part in parts), opened[rule]
    assert len(first.alerts) == bool(FAILS[name])
    assert not [one.error for step in steps for one in step.invocations if one.error]


def test_a_world_has_the_same_ids_and_answers_every_time() -> None:
    first, second = (told(list(play_world(WORLDS["nat-gone"], load()))) for _ in range(2))
    assert first == second
