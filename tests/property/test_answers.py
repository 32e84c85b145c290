"""What a rule answers without some facts must hold whatever those facts are."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.facts import FactName
from apprunner_guardrails.findings import Finding, Status
from tests.cases import ALL_RULES, Snapshot, answer, cases_of
from tests.cases._healthy import fact_of, healthy, unread, with_facts

FACTS: tuple[FactName, ...] = get_args(FactName.__value__)
SNAPSHOTS = tuple(case.snapshot(healthy()) for rule in ALL_RULES for case in cases_of(rule.name))

snapshots = st.sampled_from(SNAPSHOTS)
some_facts = st.sets(st.sampled_from(FACTS), min_size=1)


def _answers(snapshot: Snapshot) -> tuple[Finding, ...]:
    return tuple(answer(rule, snapshot) for rule in ALL_RULES)


def _with_facts_of(other: Snapshot, facts: set[FactName], snapshot: Snapshot) -> Snapshot:
    return with_facts(snapshot, {fact: fact_of(other, fact) for fact in facts})


def _faults(finding: Finding) -> set[str]:
    """AR101 adds candidates for the fix to its fault, and AR504 a setting beside it, and each says so where it cannot
    tell."""
    return set(finding.faults)


def _assumes(finding: Finding) -> bool:
    """AR303 takes the documented quota in the place of one that it cannot read, and says so."""
    return finding.rule == "AR303" and any("default" in one for one in finding.messages)


@given(snapshot=snapshots, facts=some_facts, other=snapshots)
def test_an_answer_without_a_fact_holds_whatever_the_fact_is(
    snapshot: Snapshot, facts: set[FactName], other: Snapshot
) -> None:
    without = _answers(unread(*sorted(facts))(snapshot))
    for blind, seeing in zip(without, _answers(_with_facts_of(other, facts, snapshot)), strict=True):
        if blind.status is Status.PASS:
            assert seeing.status is Status.PASS, blind.rule
        if blind.status is Status.FAIL and not _assumes(blind):
            assert seeing.status is Status.FAIL, blind.rule
            assert _faults(blind) <= _faults(seeing)


@given(snapshot=snapshots, facts=some_facts)
def test_an_unread_fact_makes_no_rule_break_and_leaves_no_fault_without_a_reason(
    snapshot: Snapshot, facts: set[FactName]
) -> None:
    for seeing, blind in zip(_answers(snapshot), _answers(unread(*sorted(facts))(snapshot)), strict=True):
        assert blind.status is not Status.ERROR, blind.unread
        assert bool(blind.messages) == (blind.status is Status.FAIL)
        moot = blind.status is seeing.status is Status.UNKNOWN
        differs = _faults(blind) != _faults(seeing) and not _assumes(blind)
        if (blind.status is Status.UNKNOWN and not moot) or differs:
            assert blind.unread != ""


@given(snapshot=snapshots, other=snapshots, facts=some_facts)
def test_no_mixture_of_facts_breaks_a_rule(snapshot: Snapshot, other: Snapshot, facts: set[FactName]) -> None:
    for finding in _answers(_with_facts_of(other, facts, snapshot)):
        assert finding.status is not Status.ERROR, finding.unread
        assert finding.messages == tuple(sorted(finding.messages))
        assert bool(finding.command) <= (finding.status is Status.FAIL)
