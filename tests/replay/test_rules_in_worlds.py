"""Every rule fails in some world, played as `make replay` plays it; and each world tells what is written down here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from apprunner_guardrails.findings import MEMBER_UNREAD
from apprunner_guardrails.rules import by_id
from emulator.worlds import WORLDS
from replay.loop import Step, play_world
from replay.template import load

stack = cache(load)


@dataclass(frozen=True, kw_only=True)
class Told:
    """Ids of the rules of which a world's findings open, in whatever moment, and of those that are over in the end, by
    event or by audit. A rule that fails and never opens is exempted."""

    opened: str = ""
    resolved: str = ""
    exempted: str = ""


IN_A_WRONG_NETWORK = [
    "AR101",
    "AR103",
    "AR104",
    "AR105",
    "AR109",
    "AR110",
    "AR111",
    "AR112",
    "AR113",
    "AR201",
    "AR202",
    "AR203",
    "AR204",
    "AR205",
    "AR206",
    "AR301",
]

TOLD: Mapping[str, Told] = {
    "healthy": Told(),
    "public-subnets": Told(opened="AR102 AR301"),
    "main-table": Told(opened="AR102 AR301"),
    "one-zone": Told(opened="AR101 AR301"),
    "isolated": Told(opened="AR107"),
    "nat-gone": Told(opened="AR108"),
    "mixed-address-types": Told(opened="AR106 AR403"),
    "copilot": Told(opened="AR101 AR203"),
    "mended": Told(opened="AR102 AR301", resolved="AR102"),
    "exempted": Told(opened="AR205 AR301 AR901", resolved="AR901", exempted="AR203"),
    "connector-in-use": Told(),
    "gone": Told(opened="AR101", resolved="AR101"),
    "network-wrong": Told(
        opened=" ".join(sorted(IN_A_WRONG_NETWORK)),
        resolved="AR111 AR112",
    ),
    "private-path": Told(),
    "endpoint-gone": Told(opened="AR511 AR516"),
    "fleet": Told(opened="AR301 AR302 AR303 AR304 AR305", resolved="AR302 AR303 AR305"),
    "policies": Told(
        opened="AR401 AR402 AR404 AR405 AR406 AR407 AR408", resolved="AR401 AR404 AR405 AR406 AR407 AR408"
    ),
    "service-broken": Told(opened="AR403 AR409 AR410", resolved="AR403 AR409 AR410"),
    "database-blocked": Told(opened="AR205 AR306", resolved="AR205 AR306"),
    "ingress-broken": Told(opened="AR403 AR501 AR502 AR503", resolved="AR403 AR501 AR502 AR503"),
    "endpoint-wrong": Told(opened="AR504 AR505 AR506 AR517", resolved="AR504 AR505 AR506 AR517"),
    "group-wrong": Told(opened="AR507 AR508 AR509 AR510 AR512", resolved="AR507 AR508 AR509 AR510 AR512"),
    "balancer-wrong": Told(opened="AR504 AR512 AR513 AR514 AR515", resolved="AR512 AR514 AR515", exempted="AR504"),
    "api-wrong": Told(
        opened="AR601 AR602 AR603 AR604 AR605 AR606 AR607", resolved="AR601 AR602 AR603 AR605 AR606 AR607"
    ),
    "ownership": Told(),
    "organization": Told(opened="AR101 AR102 AR301 AR904", resolved="AR101 AR904", exempted="AR101"),
}

# What the first event of a world of one connector opens of it: parts of the messages.
FIRST: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "healthy": {},
    "public-subnets": {"AR102": ("use1-az1", "use1-az2", "use1-az4")},
    "main-table": {"AR102": ("use1-az4",)},
    "one-zone": {"AR101": ("1 of 3 required",)},
    "isolated": {"AR107": ("use1-az1", "use1-az2", "use1-az4")},
    "nat-gone": {"AR108": ("use1-az2",)},
    "mixed-address-types": {"AR106": ("IPv4 and dual-stack",)},
    "copilot": {"AR101": ("2 of 3 required",), "AR203": ("0.0.0.0/0",)},
    "mended": {"AR102": ("use1-az4",)},
    "exempted": {"AR901": ("exempt:AR105",)},
    "gone": {"AR101": ("2 of 3 required",)},
    "ownership": {},
}
EXEMPT_AT_FIRST = {"exempted": {"AR203"}}


def test_every_rule_fails_in_some_world() -> None:
    """What the worlds tell is true, as the test below says."""
    failing = {rule for told in TOLD.values() for rule in told.opened.split()} - {MEMBER_UNREAD}
    assert sorted(failing) == sorted(by_id())


def test_every_world_has_what_it_tells_written_down() -> None:
    assert set(TOLD) == set(WORLDS)
    assert set(FIRST) <= set(WORLDS)


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_a_world_tells_what_it_is_there_to_tell(name: str) -> None:
    steps = list(play_world(WORLDS[name], stack()))
    found = {kind: " ".join(sorted(rules)) for kind, rules in transitions(steps).items()}
    told = TOLD[name]
    assert found == {
        kind: rules
        for kind, rules in (("opened", told.opened), ("resolved", told.resolved), ("exempted", told.exempted))
        if rules
    }
    assert [one.error for step in steps for one in step.invocations if one.error] == []
    assert [one.alerts for step in steps if step.is_repeated for one in step.invocations if one.alerts] == []
    if name in FIRST:
        assert_first(name, next(one.result for step in steps for one in step.invocations))


def transitions(steps: list[Step]) -> Mapping[str, set[str]]:
    """Rules by what became of their findings, for whatever resource."""
    found: dict[str, set[str]] = {}
    for kind, rule in _transitions(steps):
        if kind != "reminded":
            found.setdefault(kind, set()).add(rule)
    return found


def _transitions(steps: list[Step]) -> Iterator[tuple[str, str]]:
    for step in steps:
        for one in step.invocations:
            for event in one.put:
                if "finding" in event["detail"]:
                    yield event["detail"]["transition"], event["detail"]["finding"]["rule"]


def assert_first(name: str, result: Mapping[str, Any]) -> None:
    assert result["alerts"] == bool(FIRST[name])
    [answers] = [answers for arn, answers in result["resources"].items() if ":vpcconnector/" in arn]
    by_status = {status: {rule for rule in answers if answers[rule] == status} for status in answers.values()}
    assert by_status.pop("pass")
    assert by_status == {
        status: rules for status, rules in (("fail", set(FIRST[name])), ("exempt", EXEMPT_AT_FIRST.get(name))) if rules
    }
    opened = {one["rule"]: sorted(one["messages"]) for one in result["opened"]}
    assert set(opened) == set(FIRST[name])
    for rule, parts in FIRST[name].items():
        assert len(opened[rule]) == len(parts)
        assert all(sum(part in message for message in opened[rule]) == 1 for part in parts), opened[rule]
