from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from apprunner_guardrails.engine import Rule, evaluate
from apprunner_guardrails.facts import Connector, Moot, Network, NotKnown, Unread
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.rules import RULES
from apprunner_guardrails.settings import Settings
from tests.cases._healthy import healthy, unread

ARN = "arn:of:it"
DENIED = Unread(call="apprunner:DescribeVpcConnector", code="AccessDeniedException")

type Says = Callable[[], Iterator[str]]


def rule(says: Says, *, rule_id: str = "AR999", command: Callable[[], str] = lambda: "mend it") -> Rule[Connector]:
    return Rule(
        id=rule_id,
        name="a_rule",
        title="Title",
        severity=Severity.LOW,
        risk="Risk.",
        remediation="Remedy.",
        reference="https://docs.aws.amazon.com/x",
        needs=(),
        check=lambda connector, network, settings: says(),
        command=lambda connector, network, settings: command(),
    )


def finding(status: Status, *messages: str, unread: str = "", command: str = "", rule_id: str = "AR999") -> Finding:
    return Finding(
        resource=ARN,
        rule=rule_id,
        name="a_rule",
        title="Title",
        severity=Severity.LOW,
        status=status,
        messages=messages,
        faults=messages,
        unread=unread,
        risk="Risk.",
        remediation="Remedy.",
        command=command,
        reference="https://docs.aws.amazon.com/x",
    )


def answers(*rules: Rule[Connector]) -> tuple[Finding, ...]:
    snapshot = healthy()
    return evaluate(rules, ARN, snapshot.connector, snapshot.network, snapshot.settings)


def nothing() -> Iterator[str]:
    return iter(())


def two_faults() -> Iterator[str]:
    yield "b is wrong"
    yield "a is wrong"


def two_faults_and_then(error: Exception) -> Says:
    def says() -> Iterator[str]:
        yield from two_faults()
        raise error

    return says


def raises(error: Exception) -> Callable[[], str]:
    def command() -> str:
        raise error

    return command


def test_a_rule_that_says_nothing_passes() -> None:
    assert answers(rule(nothing)) == (finding(Status.PASS),)


def test_faults_are_sorted_and_come_with_the_command() -> None:
    assert answers(rule(two_faults)) == (finding(Status.FAIL, "a is wrong", "b is wrong", command="mend it"),)


def test_what_may_change_while_the_fault_stays_the_same_is_cut_from_faults_alone() -> None:
    def says() -> Iterator[str]:
        yield "subnet-b has 2 free addresses"
        yield "subnet-a has 3 free addresses"

    told = finding(Status.FAIL, "subnet-a has 3 free addresses", "subnet-b has 2 free addresses", command="mend it")
    asked = replace(rule(says), fault=lambda message: message.partition(" has ")[0])
    assert answers(asked) == (replace(told, faults=("subnet-a", "subnet-b")),)


def test_a_rule_that_only_meets_the_unknown_cannot_tell() -> None:
    def says() -> Iterator[str]:
        yield from ()
        raise NotKnown("why")

    assert answers(rule(says)) == (finding(Status.UNKNOWN, unread="why"),)


def test_a_rule_that_has_nothing_to_judge_does_not_complain_of_a_read() -> None:
    def says() -> Iterator[str]:
        yield from ()
        raise Moot

    assert answers(rule(says)) == (finding(Status.UNKNOWN),)


def test_a_check_that_meets_the_unknown_before_it_is_a_generator_cannot_tell_either() -> None:
    def says() -> Iterator[str]:
        raise NotKnown("why")

    assert answers(rule(says)) == (finding(Status.UNKNOWN, unread="why"),)


def test_a_fault_found_before_the_unknown_is_still_a_fault() -> None:
    assert answers(rule(two_faults_and_then(NotKnown("why")))) == (
        finding(Status.FAIL, "a is wrong", "b is wrong", unread="why", command="mend it"),
    )


def test_a_fault_whose_mending_cannot_be_told_is_still_a_fault() -> None:
    assert answers(rule(two_faults, command=raises(NotKnown("why")))) == (
        finding(Status.FAIL, "a is wrong", "b is wrong"),
    )


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), RecursionError("x"), AssertionError("x")])
def test_a_broken_rule_gives_no_verdict(error: Exception) -> None:
    broken = f"{type(error).__name__}: {error}"
    assert answers(rule(two_faults_and_then(error))) == (finding(Status.ERROR, unread=broken),)


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError("x")])
def test_a_broken_command_leaves_the_faults_as_they_are(error: Exception) -> None:
    assert answers(rule(two_faults, command=raises(error))) == (
        finding(Status.FAIL, "a is wrong", "b is wrong", unread=f"{type(error).__name__}: {error}"),
    )


def test_a_broken_rule_does_not_stop_the_others_and_the_order_is_the_rules() -> None:
    assert answers(
        rule(two_faults, rule_id="AR902"),
        rule(two_faults_and_then(KeyError("x")), rule_id="AR901"),
        rule(nothing, rule_id="AR903"),
    ) == (
        finding(Status.FAIL, "a is wrong", "b is wrong", command="mend it", rule_id="AR902"),
        finding(Status.ERROR, unread="KeyError: 'x'", rule_id="AR901"),
        finding(Status.PASS, rule_id="AR903"),
    )


def test_a_rule_is_given_the_connector_the_network_and_the_settings() -> None:
    snapshot = healthy()
    given: list[tuple[Connector, Network, Settings]] = []

    def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
        given.append((connector, network, settings))
        yield "x"

    def command(connector: Connector, network: Network, settings: Settings) -> str:
        given.append((connector, network, settings))
        return ""

    asked = replace(rule(nothing), check=check, command=command)
    evaluate((asked,), ARN, snapshot.connector, snapshot.network, snapshot.settings)
    assert given == [(snapshot.connector, snapshot.network, snapshot.settings)] * 2


def test_no_rule_can_tell_anything_of_a_connector_that_cannot_be_read() -> None:
    snapshot = healthy()
    findings = evaluate(RULES, ARN, DENIED, snapshot.network, snapshot.settings)
    assert [(one.rule, one.status, one.unread) for one in findings] == [
        (one.id, Status.UNKNOWN, "apprunner:DescribeVpcConnector failed (AccessDeniedException)") for one in RULES
    ]


def test_no_rule_can_tell_anything_of_a_network_that_cannot_be_read() -> None:
    snapshot = healthy()
    findings = evaluate(RULES, ARN, snapshot.connector, DENIED, snapshot.settings)
    assert {(one.status, one.unread) for one in findings} == {
        (Status.UNKNOWN, "apprunner:DescribeVpcConnector failed (AccessDeniedException)")
    }


def test_one_denied_read_leaves_the_other_rules_their_answers() -> None:
    snapshot = unread("nat_gateways")(healthy())
    findings = evaluate(RULES, ARN, snapshot.connector, snapshot.network, snapshot.settings)
    unjudged = {one.rule: one.unread for one in findings if one.status is not Status.PASS}
    assert unjudged == dict.fromkeys(("AR109", "AR110"), "ec2:DescribeNatGateways failed (UnauthorizedOperation)")
