"""Every case of every data file in tests/cases, and the data files against the registry."""

from collections import Counter
from dataclasses import replace

import pytest

from apprunner_guardrails.engine import Rule, evaluate
from apprunner_guardrails.facts import BoundGroup, Service, Unread, unread_network
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.rules import RULES, SERVICE_RULES, exemption_malformed
from apprunner_guardrails.rules.private_paths import TARGET_GROUP_RULES
from tests.cases import ALL_RULES, RESOURCE, Answer, AnyRule, Case, answer, cases_of, data_files
from tests.cases._healthy import GROUP_ARN, healthy

# The rule about exemptions is in it once: as it is made for connectors.
WITH_A_FILE: tuple[AnyRule, ...] = tuple(rule for rule in ALL_RULES if rule is not TARGET_GROUP_RULES[-1])
ALL = tuple((rule, case) for rule in WITH_A_FILE for case in cases_of(rule.name))


def _finding(rule: AnyRule | Rule[Service], answer: Answer, resource: str) -> Finding:
    return Finding(
        resource=resource,
        rule=rule.id,
        name=rule.name,
        title=rule.title,
        severity=rule.severity,
        status=answer.status,
        messages=answer.messages,
        faults=tuple(sorted(map(rule.fault, answer.messages))),
        unread=answer.unread,
        risk=rule.risk,
        remediation=rule.remediation,
        command=answer.command,
        reference=rule.reference,
    )


@pytest.mark.parametrize(("rule", "case"), ALL, ids=[f"{rule.id} {case.name}" for rule, case in ALL])
def test_a_case_has_the_whole_answer_that_it_states(rule: AnyRule, case: Case) -> None:
    assert answer(rule, case.snapshot(healthy())) == _finding(rule, case.expect, RESOURCE)


def test_the_healthy_snapshot_passes_every_rule() -> None:
    said = [answer(rule, healthy()) for rule in ALL_RULES]
    assert [(one.rule, one.status) for one in said] == [(rule.id, Status.PASS) for rule in ALL_RULES]


def test_every_rule_has_a_data_file_and_every_data_file_a_rule() -> None:
    assert set(data_files()) == {rule.name for rule in ALL_RULES}


@pytest.mark.parametrize("rule", WITH_A_FILE, ids=lambda rule: rule.id)
def test_a_rule_has_cases_that_pass_that_fail_and_that_cannot_tell(rule: AnyRule) -> None:
    verdicts = {case.expect.status for case in cases_of(rule.name)}
    assert verdicts == {Status.PASS, Status.FAIL, Status.UNKNOWN}


@pytest.mark.parametrize("rule", WITH_A_FILE, ids=lambda rule: rule.id)
def test_a_case_carries_its_verdict_in_a_name_of_its_own(rule: AnyRule) -> None:
    cases = cases_of(rule.name)
    assert [case.name.partition(": ")[0] for case in cases] == [case.expect.status.value for case in cases]
    assert Counter(case.name for case in cases).most_common(1)[0][1] == 1


EXEMPTIONS = cases_of("exemption_malformed")


@pytest.mark.parametrize("case", EXEMPTIONS, ids=[case.name for case in EXEMPTIONS])
def test_the_tags_of_a_service_are_judged_as_those_of_a_connector(case: Case) -> None:
    """The cases of connectors, with the service's ARN in the commands."""
    rule: Rule[Service] = exemption_malformed.rule("VPC connector", [one.id for one in RULES])
    snapshot = case.snapshot(healthy())
    arn = snapshot.connector.arn.replace(":vpcconnector/", ":service/")
    shop = Service(arn=arn, name="shop", status="RUNNING", connector_arn="", tags=snapshot.connector.tags)
    nothing = unread_network("", "", Unread(call="", code="a service has no network of its own"))
    command = case.expect.command.replace(snapshot.connector.arn, arn)
    expected = _finding(rule, replace(case.expect, command=command), arn)
    assert evaluate([rule], arn, shop, nothing, snapshot.settings) == (expected,)


@pytest.mark.parametrize("case", EXEMPTIONS, ids=[case.name for case in EXEMPTIONS])
def test_the_tags_of_a_target_group_are_judged_as_those_of_a_connector(case: Case) -> None:
    """The cases of connectors, with the commands of Elastic Load Balancing."""
    rule: Rule[BoundGroup] = exemption_malformed.rule("VPC connector", [one.id for one in RULES])
    snapshot = case.snapshot(healthy())
    group = replace(snapshot.group, tags=snapshot.connector.tags)
    command = case.expect.command.replace("--resource-arn " + snapshot.connector.arn, "--resource-arns " + GROUP_ARN)
    for app_runner, elbv2 in (("untag-resource", "remove-tags"), ("tag-resource", "add-tags")):
        command = command.replace(f"aws apprunner {app_runner}", f"aws elbv2 {elbv2}")
    nothing = unread_network("", "", Unread(call="", code="a target group has no network of its own"))
    expected = _finding(rule, replace(case.expect, command=command), GROUP_ARN)
    assert evaluate([rule], GROUP_ARN, group, nothing, snapshot.settings) == (expected,)


def test_a_target_group_can_be_exempt_from_its_own_rules_and_from_no_others() -> None:
    exempt = "apprunner-guardrails:exempt:"
    ids = ("AR101", "AR510", "AR511", "AR516", "AR517")
    group = replace(healthy().group, tags={f"{exempt}{one}": "2026-12-31 @net x" for one in ids})
    said = answer(TARGET_GROUP_RULES[-1], replace(healthy(), group=group))
    why = "no rule of that id judges a target group"
    assert (said.rule, said.messages) == (
        "AR901",
        (f"tag '{exempt}AR101' = '2026-12-31 @net x' exempts nothing: {why}",),
    )


def test_an_exemption_from_a_rule_of_connectors_is_none_on_a_service() -> None:
    key = "apprunner-guardrails:exempt:AR101"
    shop = Service(arn="arn:x:y:z", name="shop", status="RUNNING", connector_arn="", tags={key: "2026-12-31 @net x"})
    nothing = unread_network("", "", Unread(call="", code="a service has no network of its own"))
    said = evaluate(SERVICE_RULES, shop.arn, shop, nothing, healthy().settings)[-1]
    why = "no rule of that id judges a service"
    assert (said.rule, said.messages) == ("AR901", (f"tag '{key}' = '2026-12-31 @net x' exempts nothing: {why}",))
