"""docs/configuration.md: every parameter is found by what somebody wants to do."""

import re

import pytest

from replay.template import load
from tools.configuration import GOALS, PAGES, NoGoal, page

LINES = tuple(page())


def test_every_parameter_of_the_stack_has_a_line_with_what_it_is_good_for() -> None:
    rows = [line.strip("| ").split(" | ") for line in LINES if line.startswith("| ") and "`" in line]
    told = {row[1].strip("`"): row for row in rows if row[0] in GOALS.values()}
    assert told.keys() == load().parameters.keys()
    for name, parameter in load().parameters.items():
        goal, _, default, _, meaning = re.split(r" (?<!\\)\| ", " | ".join(told[name]))
        assert goal == GOALS[name]
        assert default == (f"`{parameter['Default']}`" if str(parameter["Default"]) else "empty")
        assert meaning == parameter["Description"]


def test_no_two_goals_are_the_same() -> None:
    assert len(set(GOALS.values())) == len(GOALS)


def test_groups_are_those_of_the_console() -> None:
    groups = load().metadata["AWS::CloudFormation::Interface"]["ParameterGroups"]
    headings = [line.removeprefix("## ") for line in LINES if line.startswith("## ")]
    assert headings == [*(group["Label"]["default"] for group in groups), "In the accounts of an organization"]
    assert PAGES.keys() <= set(headings)


def test_a_parameter_without_a_goal_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(GOALS, "DigestHour")
    with pytest.raises(NoGoal, match=r"tools/configuration\.py and the parameters of template\.yaml: DigestHour$"):
        list(page())
