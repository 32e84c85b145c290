"""What holds for every rule in the registry, whatever it checks."""

import re
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from apprunner_guardrails import rules
from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import GONE, READ_WITH, FactName, Unread, Wanted
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules import by_id, chosen
from apprunner_guardrails.rules.private_paths import TARGET_GROUP_RULES
from apprunner_guardrails.settings import BadSettings, Policy
from tests.cases import ALL_RULES, KINDS, PASS, AnyRule, Case, Change, Snapshot, _healthy_path, answer, cases_of
from tests.cases._healthy import (
    HTTPS_IN,
    add_interface,
    add_subnet,
    binding_is_broken,
    connector_has_subnets,
    healthy,
    held,
    not_registered,
    overdue,
    private_subnet,
    register,
    set_group,
    set_subnet,
    set_targets,
    settings_have,
    target,
    unread,
    want,
)
from tests.cases._healthy_path import (
    DATABASE_GROUP,
    fleet_has,
    set_balancer,
    set_balancer_before_endpoint,
    set_endpoint,
    set_ingress,
    set_integration,
    set_interface,
    set_service,
    set_the_endpoint,
)
from tests.cases.connector_unreachable_destinations import vpc_has_groups

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FACTS: tuple[FactName, ...] = get_args(FactName.__value__)

each_rule = pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)


def without(snapshot: Snapshot, *facts: FactName) -> Snapshot:
    return unread(*facts)(snapshot)


@pytest.mark.parametrize("rules", KINDS.values(), ids=KINDS)
def test_ids_are_unique_and_in_order(rules: tuple[Rule[Any], ...]) -> None:
    ids = [rule.id for rule in rules]
    assert ids == sorted(set(ids))
    assert [rule_id for rule_id in ids if not re.fullmatch(r"AR\d{3}", rule_id)] == []


def test_only_the_rule_about_exemptions_is_of_several_kinds_of_resources() -> None:
    ids = [rule.id for rules in KINDS.values() for rule in rules]
    assert {one for one in ids if ids.count(one) > 1} == {"AR901"}
    assert set(by_id()) == set(ids)


def test_rules_of_target_groups_are_switched_off_and_rated_by_the_settings_as_others_are() -> None:
    settings = replace(healthy().settings, rule_overrides={"AR510": None, "AR511": Severity.LOW, "AR101": None})
    assert [(rule.id, rule.severity) for rule in chosen(TARGET_GROUP_RULES, settings)] == [
        ("AR511", Severity.LOW),
        ("AR516", Severity.HIGH),
        ("AR517", Severity.HIGH),
        ("AR901", Severity.LOW),
    ]
    with pytest.raises(BadSettings, match=r"AR518 is no rule; there are .*AR511, .*AR516"):
        chosen(TARGET_GROUP_RULES, replace(settings, rule_overrides={"AR518": None}))


def test_every_module_of_the_package_is_a_rule_of_the_registry() -> None:
    lists = {"private_paths"}  # beside the package's own
    modules = {path.stem for path in Path(str(rules.__file__)).parent.glob("[!_]*.py")} - lists
    assert modules == {rule.name for rule in ALL_RULES}


@each_rule
def test_a_rule_is_named_as_its_module(rule: AnyRule) -> None:
    module = sys.modules[f"apprunner_guardrails.rules.{rule.name}"]
    assert getattr(module, "RULE", rule) is rule  # the rule about exemptions is made for each kind of resource
    assert rule.check.__module__ == rule.command.__module__ == f"apprunner_guardrails.rules.{rule.name}"


@each_rule
def test_a_rule_says_why_it_matters_and_how_to_mend_it(rule: AnyRule) -> None:
    assert rule.reference.startswith("https://docs.aws.amazon.com/")
    assert [text for text in (rule.title, rule.risk, rule.remediation) if not text] == []
    assert [url for url in rule.reports if not url.startswith("https://github.com/")] == []


def test_titles_are_unique() -> None:
    assert len({rule.title for rule in ALL_RULES}) == len({rule.id for rule in ALL_RULES})


@each_rule
def test_needs_are_facts(rule: AnyRule) -> None:
    assert set(rule.needs) <= set(FACTS)
    assert len(set(rule.needs)) == len(rule.needs)


def test_permissions_are_the_actions_behind_the_needs() -> None:
    asked = {rule_id: rule.permissions for rule_id, rule in by_id().items()}
    assert asked["AR111"] == ("ec2:DescribeVpcAttribute",)
    assert asked["AR901"] == ("apprunner:ListTagsForResource", "tag:GetResources")
    assert asked["AR511"] == (
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVpcEndpoints",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        "tag:GetResources",
    )
    assert asked["AR102"] == ("ec2:DescribeRouteTables", "ec2:DescribeSubnets", "ec2:GetManagedPrefixListEntries")


def test_every_fact_says_how_it_is_read_and_is_needed_by_a_rule() -> None:
    assert set(READ_WITH) == set(FACTS) == {need for rule in ALL_RULES for need in rule.needs}


ALL = tuple((rule, case) for rule in ALL_RULES for case in cases_of(rule.name))


@pytest.mark.parametrize(("rule", "case"), ALL, ids=[f"{rule.id} {case.name}" for rule, case in ALL])
def test_facts_that_a_rule_does_not_need_change_nothing(rule: AnyRule, case: Case) -> None:
    snapshot = case.snapshot(healthy())
    others = tuple(fact for fact in FACTS if fact not in rule.needs)
    assert answer(rule, without(snapshot, *others)) == answer(rule, snapshot)


NEEDS = tuple((rule, need) for rule in ALL_RULES for need in rule.needs)


@pytest.mark.parametrize(("rule", "need"), NEEDS, ids=[f"{rule.id} {need}" for rule, need in NEEDS])
def test_a_fact_that_a_rule_needs_matters_in_one_of_its_cases(rule: AnyRule, need: FactName) -> None:
    snapshots = (case.snapshot(healthy()) for case in cases_of(rule.name))
    changed = [one for one in snapshots if answer(rule, without(one, need)) != answer(rule, one)]
    assert changed != []


@pytest.mark.parametrize(("rule", "case"), ALL, ids=[f"{rule.id} {case.name}" for rule, case in ALL])
def test_the_order_of_what_aws_lists_changes_nothing(rule: AnyRule, case: Case) -> None:
    snapshot = case.snapshot(healthy())
    assert answer(rule, _reversed(snapshot)) == answer(rule, snapshot)


_STALE = target("10.0.9.9", "us-east-1b")
_MORE = Wanted(address="10.0.6.10", port=443, zone="us-east-1e")

# Two snapshots that differ in what a message tells beside the fault.
SAME_FAULT: Mapping[str, tuple[tuple[Change, ...], tuple[Change, ...]]] = {
    "AR205": ((vpc_has_groups(),), (vpc_has_groups(replace(DATABASE_GROUP, ingress=())),)),
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
    "AR301": (
        (fleet_has(services={}),),
        (fleet_has(services={}, read_at="2026-11-22T07:00:00Z"),),
    ),
    "AR303": ((fleet_has(quota=1),), (fleet_has(quota=2),)),
    "AR304": (
        (set_interface(group_ids=("sg-old",)),),
        (set_interface(group_ids=("sg-old",), connectors=()),),
    ),
    "AR403": (
        (set_service(ingress=()),),
        (set_service(ingress=(replace(_healthy_path.INGRESS, status="FAILED_CREATION"),)),),
    ),
    "AR409": (
        (set_service(connector=replace(_healthy_path.CONNECTOR, status="INACTIVE")),),
        (set_service(connector=Unread(call="apprunner:DescribeVpcConnector", code=GONE)),),
    ),
    "AR503": (
        (set_the_endpoint(state="deleting"),),
        (set_ingress(endpoint=None),),
    ),
    "AR504": (
        (set_endpoint(zone_ids=("use1-az1", "use1-az2")),),
        (set_endpoint(zone_ids=("use1-az1", "use1-az2")), set_balancer_before_endpoint(crosses_zones=True)),
    ),
    "AR505": (
        (set_endpoint(groups=(replace(_healthy_path.ENDPOINT_GROUP, ingress=()),)),),
        (
            set_endpoint(groups=(replace(_healthy_path.ENDPOINT_GROUP, ingress=()),)),
            set_balancer_before_endpoint(addresses=("10.0.1.20",)),
        ),
    ),
    "AR510": (
        (not_registered("10.0.2.10"), register(_STALE)),
        (
            *(not_registered("10.0.2.10"), want(_MORE), register(_STALE, target(_MORE.address, _MORE.zone))),
            settings_have(sync_policy=Policy.REPORT_ONLY),
        ),
    ),
    "AR511": (
        (set_targets(state="unhealthy", reason="Target.FailedHealthChecks"),),
        (set_targets(state="unhealthy", reason="Target.Timeout"), not_registered("10.0.2.10")),
    ),
    "AR514": (
        (set_balancer(groups=(replace(_healthy_path.BALANCER_GROUP, ingress=()),)),),
        (set_balancer(groups=(replace(_healthy_path.BALANCER_GROUP, ingress=(HTTPS_IN,)),)),),
    ),
    "AR516": (
        (binding_is_broken("vpce-0a1b2c3d4e5f60718 is deleting"),),
        (binding_is_broken("vpce-0a1b2c3d4e5f60718 does not exist"),),
    ),
    "AR517": (
        (held(_STALE, "none of 3 wanted targets is healthy yet"), overdue()),
        (held(_STALE, "no wanted target in us-east-1b is healthy yet"), overdue()),
    ),
    "AR601": (
        (set_integration(uri="https://orders.example.com/{proxy}"),),
        (set_integration(uri="https://orders.example.com/{proxy}", hosts=(_healthy_path.DOMAIN,)),),
    ),
    "AR602": (
        (set_integration(endpoints={8443: (_healthy_path.ENDPOINT_ID,)}),),
        (set_integration(endpoints={80: (), 8443: (_healthy_path.ENDPOINT_ID,)}),),
    ),
    "AR604": (
        (set_integration(link=replace(_healthy_path.LINK, status="PENDING", pending_minutes=15)),),
        (set_integration(where="ANY /", link=replace(_healthy_path.LINK, status="PENDING", pending_minutes=20)),),
    ),
}


@pytest.mark.parametrize("rule_id", SAME_FAULT)
def test_what_changes_beside_a_fault_does_not_make_another_fault_of_it(rule_id: str) -> None:
    (rule,) = (rule for rule in ALL_RULES if rule.id == rule_id)
    first, second = (
        answer(rule, Case(name="fail: x", changes=changes, expect=PASS).snapshot(healthy()))
        for changes in SAME_FAULT[rule_id]
    )
    assert first.messages != second.messages
    assert first.faults == second.faults != ()


def test_rules_that_say_what_changes_beside_a_fault_are_tested_for_it() -> None:
    assert {rule.id for rule in ALL_RULES if rule.fault is not str} == set(SAME_FAULT)


def _reversed(snapshot: Snapshot) -> Snapshot:
    """The same, told in the opposite order: tables, their routes and all other lists."""
    network = _with_lists_reversed(snapshot.network)
    network = replace(network, fleet=_with_lists_reversed(network.fleet))
    tables = network.route_tables
    if isinstance(tables, tuple):
        network = replace(network, route_tables=tuple(map(_with_lists_reversed, tables)))
    subjects = {kind: _with_lists_reversed(getattr(snapshot, kind)) for kind in KINDS}
    return replace(snapshot, network=network, **subjects)


def _with_lists_reversed[R: DataclassInstance](record: R) -> R:
    lists: dict[str, Any] = {}
    for name in (one.name for one in fields(record)):
        value = getattr(record, name)
        if isinstance(value, tuple):
            lists[name] = value[::-1]
        elif isinstance(value, dict):
            lists[name] = dict(reversed(value.items()))
    return replace(record, **lists)
