"""Each named world shows what it is there to show, and is the same wherever it is built; a Region is as asked for."""

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
import pytest

from emulator import Emulator
from emulator.worlds import REGION, WORLDS, region
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
    "mended": {"AR102": ("use1-az4",)},
    "exempted": {"AR901": ("exempt:AR105",)},
    "gone": {"AR101": ("2 of 3 required",)},
}
EXEMPT = {"exempted": {"AR203"}}
REFUSED = {"connector-in-use"}
"""Worlds in which nothing changes: a call is refused, and explained."""

RESOLVED = {"mended": {"AR102"}, "exempted": {"AR901"}, "gone": {"AR101"}}
"""What is resolved by what comes later in a world; nothing in the others."""


def results(steps: list[Step]) -> list[Any]:
    return [dict(one.result) for step in steps for one in step.invocations]


def told(steps: list[Step]) -> str:
    return json.dumps([[step.event, [vars(one) for one in step.invocations]] for step in steps])


def test_every_world_has_its_verdict_written_down() -> None:
    assert FAILS.keys() | REFUSED == set(WORLDS)


def test_every_world_in_which_something_comes_later_has_what_it_resolves_written_down() -> None:
    assert set(RESOLVED) == {world.name for world in WORLDS.values() if world.later is not None}


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_shows_what_it_is_there_to_show(name: str) -> None:
    steps = list(play_world(WORLDS[name], load()))
    first = results(steps)[0]
    assert first["alerts"] == (name in REFUSED or bool(FAILS[name]))
    if name in REFUSED:
        assert (first["resources"], first["opened"]) == ({}, [])
    else:
        [answers] = first["resources"].values()
        assert_fails(name, answers, {one["rule"]: sorted(one["messages"]) for one in first["opened"]})
    resolved = {one["rule"] for result in results(steps) for one in result.get("resolved", ())}
    assert resolved == RESOLVED.get(name, set())
    assert [one.error for step in steps for one in step.invocations if one.error] == []


def assert_fails(name: str, answers: Mapping[str, str], opened: Mapping[str, list[str]]) -> None:
    by_status = {status: {rule for rule in answers if answers[rule] == status} for status in answers.values()}
    assert by_status.pop("pass")
    assert by_status == {
        status: rules for status, rules in (("fail", set(FAILS[name])), ("exempt", EXEMPT.get(name))) if rules
    }
    assert set(opened) == set(FAILS[name])
    for rule, parts in FAILS[name].items():
        assert len(opened[rule]) == len(parts)
        assert all(sum(part in message for message in opened[rule]) == 1 for part in parts), opened[rule]


def test_a_world_has_the_same_ids_and_answers_every_time() -> None:
    first, second = (told(list(play_world(WORLDS["nat-gone"], load()))) for _ in range(2))
    assert first == second


def test_a_region_has_the_size_that_was_asked_for(aws: Emulator) -> None:
    """13 connectors are more than the quota; in each VPC ten of them share a security group."""
    made = region(_client, connectors=13, services=31, vpcs=2)
    apprunner, ec2 = _client("apprunner"), _client("ec2")
    connectors = {one["VpcConnectorArn"]: one for one in apprunner.list_vpc_connectors()["VpcConnectors"]}
    assert (set(made.connectors), len(made.services), len(made.subnets)) == (set(connectors), 31, 13 * 4)
    zones = {one["SubnetId"]: one["AvailabilityZoneId"] for one in ec2.describe_subnets()["Subnets"]}
    shapes = [
        (len(one["Subnets"]), len({zones[each] for each in one["Subnets"]}))
        for one in map(connectors.__getitem__, made.connectors)
    ]
    assert shapes == [(3, 3), (4, 4)] * 4 + [(3, 3), (1, 1), (3, 3), (4, 4), (3, 3)]
    services = [apprunner.describe_service(ServiceArn=arn)["Service"] for arn in made.services]
    assert {one["Status"] for one in services} == {"RUNNING"}
    egress = Counter(one["NetworkConfiguration"]["EgressConfiguration"]["EgressType"] for one in services)
    assert egress == {"VPC": 26, "DEFAULT": 5}
    assert len({one["VpcId"] for one in ec2.describe_nat_gateways()["NatGateways"]}) == 2
    assert aws.settings.quotas == {"services": 31, "connectors": 13, "connections": 10, "configurations": 10}


@cache
def _client(service: str) -> Any:
    make: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing").client
    return make(service, region_name=REGION)
