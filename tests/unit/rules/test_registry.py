"""What holds for every rule in the registry, whatever it checks."""

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from apprunner_guardrails import rules
from apprunner_guardrails.engine import Rule, evaluate
from apprunner_guardrails.facts import READ_WITH, Connector, FactName, RouteTable
from apprunner_guardrails.findings import Finding
from apprunner_guardrails.rules import RULES
from tests.cases import PASS, Case, Change, Snapshot, cases_of
from tests.cases._healthy import (
    HTTPS_IN,
    add_interface,
    add_subnet,
    connector_has_subnets,
    fact_of,
    healthy,
    private_subnet,
    set_group,
    set_subnet,
    unread,
    with_facts,
)

FACTS: tuple[FactName, ...] = get_args(FactName.__value__)

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def answer(rule: Rule[Connector], snapshot: Snapshot) -> Finding:
    findings = evaluate((rule,), "arn", snapshot.connector, snapshot.network, snapshot.settings)
    return findings[0]


def without(snapshot: Snapshot, *facts: FactName) -> Snapshot:
    return unread(*facts)(snapshot)


def test_ids_are_unique_and_in_order() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert [rule_id for rule_id in ids if not re.fullmatch(r"AR\d{3}", rule_id)] == []


def test_every_module_of_the_package_is_a_rule_of_the_registry() -> None:
    modules = {path.stem for path in Path(str(rules.__file__)).parent.glob("[!_]*.py")}
    assert modules == {rule.name for rule in RULES}


@each_rule
def test_a_rule_is_named_as_its_module(rule: Rule[Connector]) -> None:
    module = sys.modules[f"apprunner_guardrails.rules.{rule.name}"]
    assert getattr(module, "RULE", rule) is rule  # the rule about exemptions is made for each kind of resource
    assert rule.check.__module__ == rule.command.__module__ == f"apprunner_guardrails.rules.{rule.name}"


@each_rule
def test_a_rule_says_why_it_matters_and_how_to_mend_it(rule: Rule[Connector]) -> None:
    assert rule.reference.startswith("https://docs.aws.amazon.com/")
    assert [text for text in (rule.title, rule.risk, rule.remediation) if not text] == []
    assert [url for url in rule.reports if not url.startswith("https://github.com/")] == []


def test_titles_are_unique() -> None:
    assert len({rule.title for rule in RULES}) == len(RULES)


@each_rule
def test_needs_are_facts_of_a_connector_and_its_network(rule: Rule[Connector]) -> None:
    assert set(rule.needs) <= set(FACTS)
    assert len(set(rule.needs)) == len(rule.needs)


def test_permissions_are_the_actions_behind_the_needs() -> None:
    asked = {rule.id: rule.permissions for rule in RULES}
    assert asked["AR111"] == ("ec2:DescribeVpcAttribute",)
    assert asked["AR901"] == ("apprunner:ListTagsForResource", "tag:GetResources")
    assert asked["AR102"] == ("ec2:DescribeRouteTables", "ec2:DescribeSubnets", "ec2:GetManagedPrefixListEntries")


def test_every_fact_says_how_it_is_read_and_is_needed_by_a_rule() -> None:
    assert set(READ_WITH) == set(FACTS) == {need for rule in RULES for need in rule.needs}


ALL = tuple((rule, case) for rule in RULES for case in cases_of(rule.name))


@pytest.mark.parametrize(("rule", "case"), ALL, ids=[f"{rule.id} {case.name}" for rule, case in ALL])
def test_facts_that_a_rule_does_not_need_change_nothing(rule: Rule[Connector], case: Case) -> None:
    snapshot = case.snapshot(healthy())
    others = tuple(fact for fact in FACTS if fact not in rule.needs)
    assert answer(rule, without(snapshot, *others)) == answer(rule, snapshot)


NEEDS = tuple((rule, need) for rule in RULES for need in rule.needs)


@pytest.mark.parametrize(("rule", "need"), NEEDS, ids=[f"{rule.id} {need}" for rule, need in NEEDS])
def test_a_fact_that_a_rule_needs_matters_in_one_of_its_cases(rule: Rule[Connector], need: FactName) -> None:
    snapshots = (case.snapshot(healthy()) for case in cases_of(rule.name))
    changed = [one for one in snapshots if answer(rule, without(one, need)) != answer(rule, one)]
    assert changed != []


@pytest.mark.parametrize(("rule", "case"), ALL, ids=[f"{rule.id} {case.name}" for rule, case in ALL])
def test_the_order_of_what_aws_lists_changes_nothing(rule: Rule[Connector], case: Case) -> None:
    snapshot = case.snapshot(healthy())
    assert answer(rule, _reversed(snapshot)) == answer(rule, snapshot)


# Two snapshots that differ in what a message tells beside the fault.
SAME_FAULT: Mapping[str, tuple[tuple[Change, ...], tuple[Change, ...]]] = {
    "AR101": (
        (connector_has_subnets("subnet-private-1", "subnet-private-2"),),
        (connector_has_subnets("subnet-private-1", "subnet-private-2"), add_subnet(private_subnet(5))),
    ),
    "AR105": (
        (set_subnet("subnet-private-1", free_addresses=7),),
        (set_subnet("subnet-private-1", free_addresses=6),),
    ),
    "AR204": (
        (set_group("sg-app", ingress=(HTTPS_IN,)),),
        (set_group("sg-app", ingress=(HTTPS_IN, HTTPS_IN)), add_interface("eni-1", "sg-app", app_runner=True)),
    ),
}


@pytest.mark.parametrize("rule_id", SAME_FAULT)
def test_what_changes_beside_a_fault_does_not_make_another_fault_of_it(rule_id: str) -> None:
    (rule,) = (rule for rule in RULES if rule.id == rule_id)
    first, second = (
        answer(rule, Case(name="fail: x", changes=changes, expect=PASS).snapshot(healthy()))
        for changes in SAME_FAULT[rule_id]
    )
    assert first.messages != second.messages
    assert first.faults == second.faults != ()


def test_rules_that_say_what_changes_beside_a_fault_are_tested_for_it() -> None:
    assert {rule.id for rule in RULES if rule.fault is not str} == set(SAME_FAULT)


def _reversed(snapshot: Snapshot) -> Snapshot:
    """The same network, told in the opposite order: tables, their routes and all other lists."""
    lists: dict[FactName, Any] = {
        fact: tuple(reversed(rows)) for fact in FACTS if isinstance(rows := fact_of(snapshot, fact), tuple)
    }
    tables: tuple[RouteTable, ...] = lists.get("route_tables", ())
    if tables:
        lists["route_tables"] = tuple(replace(table, routes=tuple(reversed(table.routes))) for table in tables)
    tags = fact_of(snapshot, "tags")
    return with_facts(snapshot, lists | ({"tags": dict(reversed(tags.items()))} if isinstance(tags, dict) else {}))
