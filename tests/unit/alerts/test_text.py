"""An alert as people get it: whole messages, SNS's limits, and hostile content."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apprunner_guardrails.alerts import Alert, safe
from apprunner_guardrails.alerts.text import Message, render
from apprunner_guardrails.events import Caller
from apprunner_guardrails.findings import Finding, Severity, Status

SNS_LIMIT = 262_144  # bytes, of body and attributes together

PUBLIC = Finding(
    resource="arn:aws:apprunner:eu-west-1:123456789012:vpcconnector/shop-web/1/0123456789abcdef",
    rule="AR102",
    name="connector_public_subnet",
    title="VPC connector uses a public subnet",
    severity=Severity.HIGH,
    status=Status.FAIL,
    messages=("subnet-1 (euw1-az1) is public", "subnet-2 (euw1-az2) is public"),
    risk="Outbound calls time out.",
    remediation="Use private subnets.",
    command="aws apprunner create-vpc-connector\naws apprunner delete-vpc-connector",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/network-vpc.html",
)
OPEN_EGRESS = replace(
    PUBLIC,
    rule="AR203",
    name="connector_open_egress",
    title="VPC connector's security group lets everything out",
    severity=Severity.LOW,
    messages=("sg-1 allows all protocols and ports to 0.0.0.0/0",),
    risk="A service that is taken over can send anything anywhere.",
    remediation="Allow what the service calls.",
    command="",
)
NO_EGRESS = replace(PUBLIC, rule="AR202", name="connector_no_egress", title="No way out", messages=("none",))
DNS_OK = replace(PUBLIC, rule="AR111", name="connector_vpc_dns_off", status=Status.PASS, messages=(), command="")
UNREAD = replace(
    DNS_OK, status=Status.UNKNOWN, severity=Severity.MEDIUM, unread="ec2:DescribeVpcAttribute failed (Throttling)"
)
BROKEN = replace(
    DNS_OK, rule="AR112", name="connector_acl_blocks_egress", status=Status.ERROR, unread="KeyError: 'x\ny'"
)
ALERT = Alert(
    resource=PUBLIC.resource,
    resource_name="shop-web",
    resource_type="VPC connector",
    account="123456789012",
    region="eu-west-1",
    what="CreateVpcConnector",
    caller=Caller(name="role deploy alice", tool="Terraform", address="192.0.2.7"),
    time="2026-11-21T09:00:00Z",
    findings=(PUBLIC, DNS_OK),
)

HEAD = """\
Resource  arn:aws:apprunner:eu-west-1:123456789012:vpcconnector/shop-web/1/0123456789abcdef
Where     account 123456789012, Region eu-west-1
Event     CreateVpcConnector by role deploy alice with Terraform from 192.0.2.7 at 2026-11-21T09:00:00Z
Console   https://eu-west-1.console.aws.amazon.com/apprunner/home?region=eu-west-1
"""
PUBLIC_TEXT = """\
HIGH AR102 VPC connector uses a public subnet
  - subnet-1 (euw1-az1) is public
  - subnet-2 (euw1-az2) is public
  Why: Outbound calls time out.
  Fix: Use private subnets.
    aws apprunner create-vpc-connector
    aws apprunner delete-vpc-connector
  See: https://docs.aws.amazon.com/apprunner/latest/dg/network-vpc.html"""


def attributes(severity: str, status: str, *rules: str) -> dict[str, tuple[str, str]]:
    return {
        "severity": ("String", severity),
        "status": ("String", status),
        "rules": ("String.Array", json.dumps(rules)),
        "resource_type": ("String", "VPC connector"),
        "account": ("String", "123456789012"),
        "region": ("String", "eu-west-1"),
    }


def test_one_rule_that_fails() -> None:
    assert render(ALERT) == Message(
        subject="[HIGH] AR102: VPC connector shop-web in 123456789012 eu-west-1",
        body=f"VPC connector shop-web breaks 1 guardrail\n\n{HEAD}\n{PUBLIC_TEXT}",
        attributes=attributes("HIGH", "fail", "AR102"),
    )


def test_several_rules_that_fail_come_worst_first_and_what_is_not_known_last() -> None:
    assert render(replace(ALERT, findings=(OPEN_EGRESS, BROKEN, NO_EGRESS, UNREAD, PUBLIC))) == Message(
        subject="[HIGH] AR102 AR202 AR203: VPC connector shop-web in 123456789012 eu-west-1",
        body=f"""\
VPC connector shop-web breaks 3 guardrails

{HEAD}
{PUBLIC_TEXT}

HIGH AR202 No way out
  - none
  Why: Outbound calls time out.
  Fix: Use private subnets.
    aws apprunner create-vpc-connector
    aws apprunner delete-vpc-connector
  See: https://docs.aws.amazon.com/apprunner/latest/dg/network-vpc.html

LOW AR203 VPC connector's security group lets everything out
  - sg-1 allows all protocols and ports to 0.0.0.0/0
  Why: A service that is taken over can send anything anywhere.
  Fix: Allow what the service calls.
  See: https://docs.aws.amazon.com/apprunner/latest/dg/network-vpc.html

Several of these fixes replace the connector: make one new connector that satisfies them all.

Could not be judged:
- AR111 connector_vpc_dns_off: ec2:DescribeVpcAttribute failed (Throttling)
- AR112 connector_acl_blocks_egress: the rule itself broke, KeyError: 'x?y'
Let the function read what is named above (IAM), or wait for the next event if it was throttled.""",
        attributes=attributes("HIGH", "fail", "AR102", "AR202", "AR203"),
    )


def test_nothing_fails_and_something_is_not_known() -> None:
    assert render(replace(ALERT, findings=(UNREAD, replace(DNS_OK, rule="AR101")))) == Message(
        subject="[UNKNOWN] 1 guardrail not judged: VPC connector shop-web in 123456789012 eu-west-1",
        body=f"""\
1 guardrail could not be judged for VPC connector shop-web

{HEAD}
Could not be judged:
- AR111 connector_vpc_dns_off: ec2:DescribeVpcAttribute failed (Throttling)
Let the function read what is named above (IAM), or wait for the next event if it was throttled.""",
        attributes=attributes("MEDIUM", "unknown", "AR111"),
    )


def test_a_rule_that_fails_and_could_not_read_all_is_in_both_parts() -> None:
    partial = replace(PUBLIC, unread="ec2:GetManagedPrefixListEntries failed (AccessDenied)")
    assert render(replace(ALERT, findings=(partial,))) == Message(
        subject="[HIGH] AR102: VPC connector shop-web in 123456789012 eu-west-1",
        body=f"""\
VPC connector shop-web breaks 1 guardrail

{HEAD}
{PUBLIC_TEXT}

Could not be judged:
- AR102 connector_public_subnet: in part, ec2:GetManagedPrefixListEntries failed (AccessDenied)
Let the function read what is named above (IAM), or wait for the next event if it was throttled.""",
        attributes=attributes("HIGH", "fail", "AR102"),
    )


@pytest.mark.parametrize(
    ("caller", "line"),
    [
        (Caller(), "CreateVpcConnector at 2026-11-21T09:00:00Z"),
        (Caller(name="App Runner", tool="App Runner"), "CreateVpcConnector by App Runner at 2026-11-21T09:00:00Z"),
        (
            Caller(name="root of account 123456789012", tool="console", address="192.0.2.7"),
            "CreateVpcConnector by root of account 123456789012 with console from 192.0.2.7 at 2026-11-21T09:00:00Z",
        ),
    ],
    ids=["nobody is known", "App Runner itself", "root in the console"],
)
def test_who_did_it_and_how_as_far_as_it_is_known(caller: Caller, line: str) -> None:
    assert render(replace(ALERT, caller=caller)).body.splitlines()[4] == f"Event     {line}"


def test_of_many_messages_twenty_are_shown_and_the_others_counted() -> None:
    many = replace(PUBLIC, messages=tuple(f"subnet-{number:02} is public" for number in range(23)))
    lines = render(replace(ALERT, findings=(many,))).body.splitlines()
    assert [line for line in lines if line.startswith("  - ")] == [
        *(f"  - subnet-{number:02} is public" for number in range(20)),
        "  - and 3 more",
    ]


def test_twenty_messages_are_shown_without_a_count() -> None:
    twenty = replace(PUBLIC, messages=tuple(f"subnet-{number:02} is public" for number in range(20)))
    assert "more" not in render(replace(ALERT, findings=(twenty,))).body


def test_of_many_rules_the_subject_names_three_and_counts_the_others() -> None:
    findings = tuple(replace(PUBLIC, rule=f"AR1{number:02}") for number in range(18))
    message = render(replace(ALERT, findings=findings))
    assert message.subject == "[HIGH] AR100 AR101 AR102 +15: VPC connector shop-web in 123456789012 eu-west-1"
    assert json.loads(message.attributes["rules"][1]) == [finding.rule for finding in findings]


def test_a_long_subject_is_cut_visibly() -> None:
    long = replace(ALERT, resource_name="n" * 60)
    assert render(long).subject == f"[HIGH] AR102: VPC connector {'n' * 42}... in 123456789012 eu-west-1"
    assert len(render(long).subject) == 99


def test_a_name_beyond_ascii_is_in_the_body_and_not_in_the_subject() -> None:
    message = render(replace(ALERT, resource_name="büro"))
    assert message.subject == "[HIGH] AR102: VPC connector b?ro in 123456789012 eu-west-1"
    assert message.body.startswith("VPC connector büro breaks")


def test_a_body_longer_than_sns_takes_is_cut_visibly() -> None:
    findings = tuple(
        replace(PUBLIC, rule=f"AR1{number:02}", messages=("\U0001f4a5" * 5000,) * 20) for number in range(18)
    )
    message = render(replace(ALERT, findings=findings))
    assert message.body.endswith("\n[cut: the message was longer than SNS takes]")
    assert 199_000 < len(message.body.encode()) < 201_000


# What a connector's name, a tag, a caller's session name or an error text could be made to hold.
HOSTILE = (
    "\n[HIGH] AR102: VPC connector bank in 123456789012 eu-west-1",
    "x\r\nResource  arn:aws:apprunner:eu-west-1:123456789012:vpcconnector/bank/1/0",
    "x\rCould not be judged:\r- AR101",
    "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg",
    "\u202egnp.exe\u202c\u2066\u2067\u2069",
    "nul\0bell\x07escape\x1b[31mred",
    "lone \ud800 surrogate \udfff",
    "\ufeff\u200b\u00ad",
    "`$(reboot)`; rm -rf / #",
    "https://example.com/?a=1&b=2",
    " \t ",
    "A" * 100_000,
    "\U0001f600" * 25_000,
    "\n" * 5_000,
)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=60), st.text(max_size=5))
SOME_TEXT = TEXTS.filter(bool)
CALLERS = st.builds(Caller, name=TEXTS, tool=TEXTS, address=TEXTS)
FAILED = st.builds(
    lambda messages, command, unread, severity, rule: replace(
        PUBLIC, messages=tuple(messages), command=command, unread=unread, severity=severity, rule=rule
    ),
    messages=st.lists(TEXTS, min_size=1, max_size=23),
    # "\n" is what parts commands: the rules quote ids, and an id that could hold one cannot be made
    command=TEXTS.map(lambda text: text.replace("\n", "")),
    unread=TEXTS,
    severity=st.sampled_from(Severity),
    rule=st.sampled_from(("AR101", "AR102", "AR202")),
)
UNJUDGED = st.builds(
    lambda unread, status: replace(UNREAD, unread=unread, status=status),
    unread=SOME_TEXT,
    status=st.sampled_from((Status.UNKNOWN, Status.ERROR)),
)
ALERTS = st.builds(
    Alert,
    resource=TEXTS,
    resource_name=TEXTS,
    resource_type=st.sampled_from(("VPC connector", "service")),
    account=TEXTS,
    region=TEXTS,
    what=TEXTS,
    caller=CALLERS,
    time=TEXTS,
    findings=st.lists(FAILED | UNJUDGED, min_size=1, max_size=5).map(tuple),
)


def harmless(alert: Alert) -> Alert:
    """The same alert with a plain "x" for all that came from outside, where there was anything."""
    return replace(
        alert,
        resource="x",
        resource_name="x",
        account="x",
        region="x",
        what="x",
        caller=Caller(),
        time="x",
        findings=tuple(
            replace(
                one,
                messages=("x",) * len(one.messages),
                command="\n".join("x" for _ in one.command.split("\n")) if one.command else "",
                unread="x" * bool(one.unread),
            )
            for one in alert.findings
        ),
    )


def label(line: str) -> str:
    """What our renderer begins a line with: up to the first word that could come from outside."""
    if line.startswith("    "):
        return "    "
    if line.startswith(("  - and ", "  - ")):
        return "  - "
    ours = ("Resource  ", "Where     account ", "Event     ", "Console   https://", "VPC connector ", "service ")
    found = [start for start in ours if line.startswith(start)]
    if line.startswith("- "):
        return line.partition(": ")[0]
    return found[0] if found else line.partition(" for ")[0] if "could not be judged for" in line else line


@given(ALERTS)
@example(replace(ALERT, resource_name=HOSTILE[0], findings=(replace(PUBLIC, messages=HOSTILE),)))
@example(replace(ALERT, caller=Caller(name=HOSTILE[1], tool=HOSTILE[2], address=HOSTILE[3])))
@settings(max_examples=150, deadline=None)
def test_no_content_makes_or_breaks_a_line(alert: Alert) -> None:
    body = render(alert).body
    hostile, plain = body.split("\n"), render(harmless(alert)).body.split("\n")
    assert body.splitlines() == hostile  # no other line break that Python knows
    if hostile[-1] == "[cut: the message was longer than SNS takes]":
        hostile = hostile[:-2]
        plain = plain[: len(hostile)]
    assert [label(line) for line in hostile] == [label(line) for line in plain]
    assert all(line.isprintable() for line in hostile)


@given(ALERTS)
@settings(max_examples=100, deadline=None)
def test_whatever_an_alert_holds_sns_takes_it(alert: Alert) -> None:
    message = render(alert)
    assert 0 < len(message.subject) < 100
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert message.subject[0] == "["
    values = [value for _, value in message.attributes.values()]
    assert all(value and value.isascii() and value.isprintable() for value in values)
    sizes = [len(message.body.encode()), *(len(value) for value in values), *map(len, message.attributes)]
    assert sum(sizes) < SNS_LIMIT


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with spaces", "plain, with spaces"),
        ("", ""),
        ("one\ntwo", "one?two"),
        ("one\r\n\u2028two", "one?two"),
        ("\nat the ends\n", "at the ends"),
        ("\n\r", "?"),
        ("tab\there", "tab?here"),
        ("\u202eleft", "left"),
        ("\ud800", "?"),
        ("naïve 日本 \U0001f600", "naïve 日本 \U0001f600"),
    ],
)
def test_text_from_outside_is_one_printable_line(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_text_from_outside_is_cut_to_its_limit() -> None:
    assert [safe("12345", 5), safe("123456", 5), len(safe("x" * 100_000))] == ["12345", "1234…", 1000]
