"""Cases of the rules: one data file a rule, named as the rule, with a tuple CASES.

A case is a small change to the healthy snapshot (`_healthy.py`) and the whole answer that its rule must give.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from apprunner_guardrails.engine import Rule, evaluate
from apprunner_guardrails.facts import BoundGroup, Connector, Network, Unread, unread_network
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.rules import RULES, TARGET_GROUP_RULES
from apprunner_guardrails.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What a rule is given: of connectors the connector and its network, of target groups the group."""

    connector: Connector
    network: Network
    group: BoundGroup
    settings: Settings


type AnyRule = Rule[Connector] | Rule[BoundGroup]

ALL_RULES: tuple[AnyRule, ...] = (*RULES, *TARGET_GROUP_RULES)
RESOURCE = "arn:of:it"
NO_NETWORK = unread_network("", "", Unread(call="", code="a target group has no network of its own"))


type Change = Callable[[Snapshot], Snapshot]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a rule must say; the rest of its finding stands on the rule."""

    status: Status
    messages: tuple[str, ...] = ()
    unread: str = ""
    command: str = ""


PASS = Answer(status=Status.PASS)


def fail(*messages: str, command: str, unread: str = "") -> Answer:
    """`messages` in the order that the finding has them: sorted."""
    return Answer(status=Status.FAIL, messages=messages, unread=unread, command=command)


def unknown(unread: str) -> Answer:
    return Answer(status=Status.UNKNOWN, unread=unread)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """`name` begins with the verdict: pass, fail or unknown."""

    name: str
    changes: tuple[Change, ...] = ()
    expect: Answer

    def snapshot(self, healthy: Snapshot) -> Snapshot:
        changed = healthy
        for change in self.changes:
            changed = change(changed)
        return changed


def answer(rule: AnyRule, snapshot: Snapshot) -> Finding:
    """What the rule says of the snapshot's connector, or of its target group."""
    for of_groups in TARGET_GROUP_RULES:
        if of_groups is rule:
            return evaluate((of_groups,), RESOURCE, snapshot.group, NO_NETWORK, snapshot.settings)[0]
    (of_connectors,) = (one for one in RULES if one is rule)
    return evaluate((of_connectors,), RESOURCE, snapshot.connector, snapshot.network, snapshot.settings)[0]


def data_files() -> tuple[str, ...]:
    """The names of the data files, sorted: each should be a rule's."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py")))


def cases_of(rule_name: str) -> tuple[Case, ...]:
    cases: tuple[Case, ...] = import_module(f"{__name__}.{rule_name}").CASES
    return cases
