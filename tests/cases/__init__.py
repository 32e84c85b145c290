"""Cases of the rules: one data file a rule, named as the rule, with a tuple CASES.

A case is a small change to the healthy snapshot (`_healthy.py`) and the whole answer that its rule must give.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from apprunner_guardrails import rules
from apprunner_guardrails.engine import Rule, evaluate
from apprunner_guardrails.facts import (
    Api,
    BoundGroup,
    Connector,
    IngressConnection,
    ManagedInterface,
    Network,
    PathBalancer,
    PathEndpoint,
    PathGroup,
    Service,
    Unread,
    unread_network,
)
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.rules import private_paths
from apprunner_guardrails.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What a rule is given: of connectors the connector and its network, of all else just the subject."""

    connector: Connector
    network: Network
    interface: ManagedInterface | Unread
    service: Service | Unread
    ingress: IngressConnection | Unread
    endpoint: PathEndpoint | Unread
    group: BoundGroup
    path_group: PathGroup | Unread
    balancer: PathBalancer | Unread
    api: Api | Unread
    settings: Settings


# What of a snapshot each kind of rules judges.
KINDS: Mapping[str, tuple[Rule[Any], ...]] = {
    "connector": rules.RULES,
    "interface": rules.INTERFACE_RULES,
    "service": rules.SERVICE_RULES,
    "ingress": rules.INGRESS_RULES,
    "endpoint": private_paths.ENDPOINT_RULES,
    "group": private_paths.TARGET_GROUP_RULES,
    "path_group": private_paths.PATH_GROUP_RULES,
    "balancer": private_paths.BALANCER_RULES,
    "api": private_paths.API_RULES,
}

type AnyRule = Rule[Any]

EXEMPTIONS = "exemption_malformed"  # the one rule that is made for each kind of resource
ALL_RULES: tuple[AnyRule, ...] = tuple(
    sorted(
        (
            rule
            for kind, of_kind in KINDS.items()
            for rule in of_kind
            if rule.name != EXEMPTIONS or kind in ("connector", "group")
        ),
        key=lambda rule: rule.id,
    )
)
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
    """What the rule says of the part of the snapshot that it judges."""
    kind = next(kind for kind, of_kind in KINDS.items() if any(one is rule for one in of_kind))
    network = snapshot.network if kind == "connector" else NO_NETWORK
    return evaluate((rule,), RESOURCE, getattr(snapshot, kind), network, snapshot.settings)[0]


def data_files() -> tuple[str, ...]:
    """The names of the data files, sorted: each should be a rule's."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py")))


def cases_of(rule_name: str) -> tuple[Case, ...]:
    cases: tuple[Case, ...] = import_module(f"{__name__}.{rule_name}").CASES
    return cases
