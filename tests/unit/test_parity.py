"""The tables of docs/parity.md: AWS Config's and Security Hub's verdicts beside those of our rules, line by line.

A line says in code what AWS's page says in words, and is tried on every resource below: our rule has to answer the
same, but for those of which the line says that it does not. The page's tables are made of the lines.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from apprunner_guardrails.aws import apprunner
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.findings import Severity, Status
from apprunner_guardrails.judge import NO_NETWORK
from apprunner_guardrails.rules import by_id
from apprunner_guardrails.settings import Settings
from replay.template import load

type Row = Mapping[str, Any]  # a resource as App Runner describes it, with its tags
type Verdict = Callable[[Row], bool | None]  # is it non-compliant? None: AWS's page does not say

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"
CONFIG_PAGES = "https://docs.aws.amazon.com/config/latest/developerguide"
NOTHING = "nothing"
CONTROLS_PAGE = "https://docs.aws.amazon.com/securityhub/latest/userguide/apprunner-controls.html"

ARN = "arn:aws:apprunner:us-east-1:111122223333"
CONNECTOR = f"{ARN}:vpcconnector/orders/1/0123456789abcdef0123456789abcdef"
IN_VPC = {"EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": CONNECTOR}}
PRIVATE = {"IngressConfiguration": {"IsPubliclyAccessible": False}}
DUAL_STACK = {"IpAddressType": "DUAL_STACK"}
TAGS: Mapping[str, Mapping[str, str]] = {
    "tagged": {"cost-center": "17", "team": "orders", "stage": "live"},
    "tagged without values": {"cost-center": "", "team": ""},
    "half tagged": {"team": "orders"},
    "tagged in another case": {"Cost-Center": "17", "Team": "orders"},
    "tagged otherwise": {"stage": "live"},
    "tagged for the guardrails alone": {"apprunner-guardrails:exempt:AR101": "2026-12-31 @orders one zone will do"},
    "tagged by AWS alone": {"aws:cloudformation:stack-name": "orders"},
    "not tagged": {},
}


def _service(network: Row | None = None, **changes: object) -> Row:
    """As App Runner makes it where nothing is said, but for these changes."""
    public = {
        "EgressConfiguration": {"EgressType": "DEFAULT"},
        "IngressConfiguration": {"IsPubliclyAccessible": True},
        "IpAddressType": "IPV4",
    }
    return {
        "ServiceArn": f"{ARN}:service/orders/0123456789abcdef0123456789abcdef",
        "ServiceName": "orders",
        "Status": "RUNNING",
        "NetworkConfiguration": {**public, **(network or {})},
        "HealthCheckConfiguration": {"UnhealthyThreshold": 5},
        "ObservabilityConfiguration": {"ObservabilityEnabled": False},
        "Tags": {},
        **changes,
    }


SERVICES: Mapping[str, Row] = {
    "as App Runner makes it": _service(),
    "paused": _service(Status="PAUSED"),
    "private": _service({**IN_VPC, **PRIVATE}),
    "public in a VPC": _service(IN_VPC),
    "private with public egress": _service(PRIVATE),
    "dual stack": _service(DUAL_STACK),
    "private and dual stack": _service({**PRIVATE, **DUAL_STACK}),
    "without an address type": _service({"IpAddressType": ""}),
    "with 4 checks": _service(HealthCheckConfiguration={"UnhealthyThreshold": 4}),
    "with 6 checks": _service(HealthCheckConfiguration={"UnhealthyThreshold": 6}),
    "without a threshold": _service(HealthCheckConfiguration={}),
    "traced": _service(ObservabilityConfiguration={"ObservabilityEnabled": True}),
    "without a word on tracing": _service(ObservabilityConfiguration={}),
    **{name: _service(Tags=tags) for name, tags in TAGS.items()},
}
CONNECTORS: Mapping[str, Row] = {
    name: {"VpcConnectorArn": CONNECTOR, "VpcConnectorName": "orders", "Status": "ACTIVE", "Tags": tags}
    for name, tags in TAGS.items()
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What AWS asks for and we do.

    `bad_when` is what `bad` tries. `differs` has our answer about the resources of which it is not AWS's, and what the
    page says of that; `note` what else differs.
    """

    theirs: str
    parameter: str
    bad_when: str
    bad: Verdict
    resources: Mapping[str, Row]
    rule: str
    ours: str
    value: str
    differs: Mapping[str, Status] = field(default_factory=dict)
    note: str = NOTHING

    @property
    def cells(self) -> tuple[str, ...]:
        rule = f"[{self.rule}](rules.md#{self.rule.lower()})"
        return self.parameter, self.bad_when, rule, f"`{self.ours}={self.value}`", self.note


def _network(row: Row, part: str) -> Any:
    return row["NetworkConfiguration"][part]


def _threshold(row: Row) -> bool | None:
    threshold = row["HealthCheckConfiguration"].get("UnhealthyThreshold")
    return None if threshold is None else threshold > 5


def _address_type(required: str) -> Verdict:
    def bad(row: Row) -> bool | None:
        found = _network(row, "IpAddressType")
        return found != required if found else None

    return bad


def _observed(row: Row) -> bool | None:
    enabled: bool | None = row["ObservabilityConfiguration"].get("ObservabilityEnabled")
    return None if enabled is None else not enabled


def _lacks(*keys: str) -> Verdict:
    """The condition of all four that look at tags: none at all, but for AWS's own, or a listed one is missing."""

    def bad(row: Row) -> bool:
        tags = {key for key in row["Tags"] if not key.startswith("aws:")}
        return not tags or not tags.issuperset(keys)

    return bad


def _tags(theirs: str, resources: Mapping[str, Row], rule: str, *, keys: str, note: str = "") -> Iterator[Line]:
    """With keys, and without. `keys` is what differs of keys that can be asked for."""
    with_keys = Line(
        theirs=theirs,
        parameter="`requiredKeyTags=cost-center,team`",
        bad_when="a listed key is missing; case counts, tags that begin with `aws:` do not",
        bad=_lacks("cost-center", "team"),
        resources=resources,
        rule=rule,
        ours="RequiredTags",
        value="cost-center,team",
        note="; ".join(filter(None, (keys, note))),
    )
    yield with_keys
    yield replace(
        with_keys,
        parameter="`requiredKeyTags` left out",
        bad_when="it has no tag, but for those that begin with `aws:`",
        bad=_lacks(),
        value="*",
        note=note or NOTHING,
    )


_ANY_KEY = "here keys that begin with `aws:` can be asked for too"
CONFIG: tuple[Line, ...] = (
    Line(
        theirs="apprunner-service-in-vpc",
        parameter="none",
        bad_when="`EgressType` is `DEFAULT`",
        bad=lambda row: _network(row, "EgressConfiguration")["EgressType"] == "DEFAULT",
        resources=SERVICES,
        rule="AR401",
        ours="RequireVpcEgress",
        value="true",
    ),
    Line(
        theirs="apprunner-service-no-public-access",
        parameter="none",
        bad_when="`IsPubliclyAccessible` is true",
        bad=lambda row: bool(_network(row, "IngressConfiguration")["IsPubliclyAccessible"]),
        resources=SERVICES,
        rule="AR402",
        ours="RequirePrivateIngress",
        value="true",
        note="AWS's page has it the wrong way round: it says that the rule checks that services are not publicly"
        " accessible, and then that false is non-compliant. The first sentence is taken at its word",
    ),
    *(
        Line(
            theirs="apprunner-service-ip-address-type-check",
            parameter=f"`ipAddressType={required}`",
            bad_when="`IpAddressType` is another",
            bad=_address_type(required),
            resources=SERVICES,
            rule="AR406",
            ours="RequiredAddressType",
            value=required,
            differs={"without an address type": Status.UNKNOWN},
            note="where App Runner tells none, *unknown*; AWS's page does not say",
        )
        for required in ("IPV4", "DUAL_STACK")
    ),
    Line(
        theirs="apprunner-service-max-unhealthy-threshold",
        parameter="`maxUnhealthyThreshold=5`",
        bad_when="`UnhealthyThreshold` is above it",
        bad=_threshold,
        resources=SERVICES,
        rule="AR405",
        ours="MaxUnhealthyThreshold",
        value="5",
        differs={"without a threshold": Status.UNKNOWN},
        note="where App Runner tells none, *unknown*; AWS's page does not say",
    ),
    Line(
        theirs="apprunner-service-observability-enabled",
        parameter="none",
        bad_when="`ObservabilityEnabled` is false",
        bad=_observed,
        resources=SERVICES,
        rule="AR404",
        ours="RequireObservability",
        value="true",
        differs={"without a word on tracing": Status.FAIL},
        note="where App Runner tells nothing, *fail*: it is off unless switched on; AWS's page does not say",
    ),
    *_tags("apprunner-service-tagged", SERVICES, "AR407", keys=_ANY_KEY),
    *_tags(
        "apprunner-vpc-connector-tagged",
        CONNECTORS,
        "AR408",
        keys=_ANY_KEY,
        note="AWS's rule is not offered in Europe (London)",
    ),
)
CONTROLS: tuple[Line, ...] = (
    *_tags("AppRunner.1", SERVICES, "AR407", keys=f"AWS takes 1 to 6 keys, we any number; {_ANY_KEY}"),
    *_tags("AppRunner.2", CONNECTORS, "AR408", keys=f"AWS takes 1 to 6 keys, we any number; {_ANY_KEY}"),
)
LINES = (*CONFIG, *CONTROLS)

each_line = pytest.mark.parametrize("line", LINES, ids=[f"{one.theirs} {one.parameter}" for one in LINES])


def _config_table() -> Iterator[tuple[str, ...]]:
    yield ("AWS Config rule", "Its parameter", "Non-compliant when", "Our rule", "Our parameter", "What differs")
    for line in CONFIG:
        yield (f"[{line.theirs}]({CONFIG_PAGES}/{line.theirs}.html)", *line.cells)


def _control_table() -> Iterator[tuple[str, ...]]:
    yield ("Control", "Severity", "Its parameter", "Fails when", "Our rule", "Our parameter", "What differs")
    for line in CONTROLS:
        yield (f"[{line.theirs}]({CONTROLS_PAGE})", "Low", *line.cells)


def _written(rows: Iterator[tuple[str, ...]]) -> str:
    head, *lines = rows
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *lines))


def test_the_tables_of_the_page_are_these_lines() -> None:
    tables = re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert tables == [_written(_config_table()), _written(_control_table())]


def test_all_that_aws_has_for_app_runner_is_there() -> None:
    assert sorted({line.theirs for line in LINES}) == [
        "AppRunner.1",
        "AppRunner.2",
        "apprunner-service-in-vpc",
        "apprunner-service-ip-address-type-check",
        "apprunner-service-max-unhealthy-threshold",
        "apprunner-service-no-public-access",
        "apprunner-service-observability-enabled",
        "apprunner-service-tagged",
        "apprunner-vpc-connector-tagged",
    ]


@each_line
def test_our_rule_answers_as_aws_does_but_where_the_line_says_otherwise(line: Line) -> None:
    as_theirs = {name: _as_status(line.bad(row)) for name, row in line.resources.items() if name not in line.differs}
    expected: dict[str, Status | None] = {**as_theirs, **line.differs}
    assert _answers(line, _settings({line.ours: line.value})) == expected
    assert set(as_theirs.values()) == {Status.PASS, Status.FAIL}


@each_line
def test_a_resource_of_which_a_line_says_that_answers_differ_is_one(line: Line) -> None:
    same = [name for name, ours in line.differs.items() if _as_status(line.bad(line.resources[name])) is ours]
    assert same == []
    assert not line.differs or line.note != NOTHING


@each_line
def test_nothing_is_asked_for_until_the_parameter_is_set(line: Line) -> None:
    assert set(_answers(line, _settings({})).values()) == {Status.PASS}


@pytest.mark.parametrize("line", [one for one in LINES if _ANY_KEY in one.note], ids=lambda line: line.theirs)
def test_a_key_of_awss_own_can_be_asked_for_here(line: Line) -> None:
    answers = _answers(line, _settings({line.ours: "aws:cloudformation:stack-name"}))
    assert [name for name, status in answers.items() if status is Status.PASS] == ["tagged by AWS alone"]


def test_severities_are_those_of_the_controls() -> None:
    assert {line.rule: by_id()[line.rule].severity for line in CONTROLS} == {
        "AR407": Severity.LOW,
        "AR408": Severity.LOW,
    }


def _as_status(bad: bool | None) -> Status | None:
    return None if bad is None else Status.FAIL if bad else Status.PASS


def _answers(line: Line, settings: Settings) -> dict[str, Status]:
    return {name: _answer(line.rule, row, settings) for name, row in line.resources.items()}


def _answer(rule: str, row: Row, settings: Settings) -> Status:
    parsed: Any = apprunner.service if "ServiceArn" in row else apprunner.connector
    subject = replace(parsed(row), tags=row["Tags"])
    (finding,) = evaluate([by_id()[rule]], subject.arn, subject, NO_NETWORK, settings)
    return finding.status


def _settings(parameters: Mapping[str, str]) -> Settings:
    """As the functions have them where the stack has these parameters."""
    return Settings.from_env(
        {
            "ALERT_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:alerts",
            "FINDINGS_TABLE": "findings",
            **{_variables()[name]: value for name, value in parameters.items()},
        }
    )


@cache
def _variables() -> Mapping[str, str]:
    """The environment variable that hands on each of the template's parameters."""
    handed = load().functions["AuditRegionFunction"].variables
    return {value["Ref"]: name for name, value in handed.items() if isinstance(value, dict) and "Ref" in value}
