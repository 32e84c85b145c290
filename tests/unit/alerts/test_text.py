"""Alerts as people get them by e-mail: subjects, attributes and limits. Whole messages are in snapshots/text."""

import json
from dataclasses import replace

import pytest

from apprunner_guardrails.alerts import Alert, safe
from apprunner_guardrails.alerts.text import console_link, render, render_explanation, render_many
from apprunner_guardrails.events import Caller
from apprunner_guardrails.findings import Finding, Severity
from apprunner_guardrails.ledger import Channel
from apprunner_guardrails.tell import not_judged
from tests.unit.alerts.examples import (
    ALERTS,
    EXPLANATION,
    MANY,
    MORE_PUBLIC,
    NOW,
    OPENED,
    PUBLIC,
    WEEK_AGO,
    alert,
    follows,
    passed,
    recorded,
)

SUBJECTS = {
    "opened": "[HIGH] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "opened-several": "[HIGH] AR102 AR202 AR203: VPC connector shop-web in 123456789012 eu-west-1",
    "reopened": "[HIGH] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "reopened-exemption-gone": "[HIGH] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "exemption-expired": "[HIGH] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "changed": "[HIGH] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "changed-severity": "[CRITICAL] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "reminded": "[REMINDER] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "resolved": "[RESOLVED] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "exempted": "[EXEMPT] AR102: VPC connector shop-web in 123456789012 eu-west-1",
    "not-judged": "[UNKNOWN] 2 guardrails not judged: VPC connector shop-web in 123456789012 eu-west-1",
    "all-at-once": "[HIGH] AR101: VPC connector shop-web in 123456789012 eu-west-1",
}


def opened(*findings: Finding) -> Alert:
    return alert(*follows(NOW, *findings))


@pytest.mark.parametrize("name", ALERTS)
def test_a_subject_is_about_the_most_urgent_of_what_happened(name: str) -> None:
    assert render(ALERTS[name]).subject == SUBJECTS[name]


def test_attributes_tell_all_that_happened_and_the_worst_severity_of_it() -> None:
    worse = replace(passed(PUBLIC), severity=Severity.CRITICAL)
    told = alert(*follows(NOW, worse, replace(PUBLIC, rule="AR103", severity=Severity.LOW), recorded=WEEK_AGO))
    assert render(told).subject.startswith("[LOW] AR103: ")
    assert render(told).attributes == {
        "severity": ("String", "HIGH"),
        "status": ("String", "fail"),
        "transition": ("String.Array", '["opened", "resolved"]'),
        "rules": ("String.Array", '["AR102", "AR103"]'),
        "resource_type": ("String", "VPC connector"),
        "account": ("String", "123456789012"),
        "region": ("String", "eu-west-1"),
    }


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
    assert render(replace(OPENED, caller=caller)).body.splitlines()[4] == f"Event     {line}"


def test_of_many_messages_twenty_are_shown_and_the_others_counted() -> None:
    many = replace(PUBLIC, messages=tuple(f"subnet-{number:02} is public" for number in range(23)))
    lines = render(opened(many)).body.splitlines()
    assert [line for line in lines if line.startswith("  - ")] == [
        *(f"  - subnet-{number:02} is public" for number in range(20)),
        "  - and 3 more",
    ]


def test_twenty_messages_are_shown_without_a_count() -> None:
    twenty = replace(PUBLIC, messages=tuple(f"subnet-{number:02} is public" for number in range(20)))
    assert "more" not in render(opened(twenty)).body


def test_of_many_rules_the_subject_names_three_and_counts_the_others() -> None:
    findings = tuple(replace(PUBLIC, rule=f"AR1{number:02}") for number in range(18))
    message = render(opened(*findings))
    assert message.subject == "[HIGH] AR100 AR101 AR102 +15: VPC connector shop-web in 123456789012 eu-west-1"
    assert json.loads(message.attributes["rules"][1]) == [finding.rule for finding in findings]


def test_a_change_of_more_than_the_record_keeps_marks_nothing_as_new() -> None:
    many = replace(PUBLIC, messages=tuple(f"subnet-{number:02} is public" for number in range(23)))
    before = recorded(NOW - 60, many)
    fewer = replace(many, messages=many.messages[3:])
    twin = replace(PUBLIC, messages=PUBLIC.messages[:1])
    assert "new:" not in render(alert(*follows(NOW, fewer, recorded=before))).body
    assert "  - new: subnet-2" in render(alert(*follows(NOW, PUBLIC, recorded=recorded(NOW - 60, twin)))).body


def test_a_message_longer_than_the_record_keeps_is_not_new() -> None:
    long = replace(PUBLIC, messages=("subnet-1 " + "x" * 1500,))
    more = replace(long, messages=(*long.messages, "subnet-2 is public"))
    body = render(alert(*follows(NOW, more, recorded=recorded(NOW - 60, long)))).body
    assert [line[:18] for line in body.splitlines() if line.startswith("  - ")] == [
        "  - subnet-1 xxxxx",
        "  - new: subnet-2 ",
    ]


def test_what_is_still_owed_is_told_as_well_as_it_is_still_known() -> None:
    """The record has changed already when a change is told again: what is new cannot be told any more."""
    first = follows(NOW, MORE_PUBLIC, recorded=WEEK_AGO[:1])[0]
    owed = replace(first.record, leased_until=0, owed_to=(Channel.TEXT,))
    again = follows(NOW + 60, MORE_PUBLIC, recorded=(owed,))
    assert render(alert(*again)).body.splitlines()[7:11] == [
        "HIGH AR102 VPC connector uses a public subnet",
        "  Changed: open since 2026-11-13T09:00:00Z, for 8 days, opened by alice with Terraform",
        "  - subnet-2 (euw1-az2) is public",
        "  - subnet-3 (euw1-az3) is public",
    ]


def test_what_was_not_judged_is_told_from_the_record_where_all_is_judged_again() -> None:
    told = replace(ALERTS["not-judged"], unjudged=())
    assert render(told).subject == SUBJECTS["not-judged"]
    assert "- AR112 connector_acl_blocks_egress: KeyError: 'x?y'" in render(told).body.splitlines()


def test_that_all_can_be_judged_again_is_no_unknown() -> None:
    before = recorded(NOW - 60, not_judged(PUBLIC.resource, (replace(PUBLIC, unread="x failed"),)))
    again = alert(*follows(NOW, not_judged(PUBLIC.resource, ()), recorded=before))
    message = render(again)
    assert message.subject == "[RESOLVED] AR902: VPC connector shop-web in 123456789012 eu-west-1"
    assert message.body.splitlines()[0] == "VPC connector shop-web can be judged again"


def test_a_long_subject_is_cut_visibly() -> None:
    long = replace(OPENED, resource_name="n" * 60)
    assert render(long).subject == f"[HIGH] AR102: VPC connector {'n' * 42}... in 123456789012 eu-west-1"
    assert len(render(long).subject) == 99


def test_a_name_beyond_ascii_is_in_the_body_and_not_in_the_subject() -> None:
    message = render(replace(OPENED, resource_name="büro"))
    assert message.subject == "[HIGH] AR102: VPC connector b?ro in 123456789012 eu-west-1"
    assert message.body.startswith("VPC connector büro breaks")


def test_a_body_longer_than_sns_takes_is_cut_visibly() -> None:
    findings = tuple(
        replace(PUBLIC, rule=f"AR1{number:02}", messages=("\U0001f4a5" * 5000,) * 20) for number in range(18)
    )
    message = render(opened(*findings))
    assert message.body.endswith("\n[cut: the message was longer than SNS takes]")
    assert 199_000 < len(message.body.encode()) < 201_000


def test_one_resource_of_an_audit_is_told_as_by_an_event() -> None:
    assert render_many([OPENED]) == render(OPENED)


def test_the_order_of_resources_does_not_matter() -> None:
    assert render_many(MANY[::-1]) == render_many(MANY)


def test_of_very_many_resources_all_are_counted_and_the_worst_shown() -> None:
    name = "n" * 40
    many = [replace(OPENED, resource=f"arn:{number:04}", resource_name=f"{name}{number:04}") for number in range(3000)]
    message = render_many([*many, ALERTS["changed-severity"]])
    lines = message.body.splitlines()
    assert len(message.body.encode()) < 201_000
    listed = [line for line in lines if line.startswith("- [")]
    shown = sum(line.startswith("=====") for line in lines)
    assert lines[0] == "3001 resources of account 123456789012, Region eu-west-1"
    assert listed[0] == "- [CRITICAL] AR102: VPC connector shop-web"
    assert f"- and {3001 - len(listed)} resources more" in lines
    assert lines[-1] == f"[cut: the details of {3001 - shown} resources would not fit]"
    assert min(len(listed), shown) > 100


def test_one_resource_of_many_does_not_take_the_room_of_the_others() -> None:
    huge = tuple(replace(PUBLIC, rule=f"AR1{number:02}", messages=("x" * 900,) * 20) for number in range(30))
    lines = render_many([opened(*huge), *MANY]).body.splitlines()
    assert "[cut: the message was longer than SNS takes]" in lines
    assert "service shop breaks 1 guardrail" in lines
    assert not lines[-1].startswith("[cut")


def test_a_call_that_names_no_resource_is_told_without_one() -> None:
    nameless = replace(EXPLANATION, failed=replace(EXPLANATION.failed, resource=""))
    assert render_explanation(nameless).body.splitlines()[2:5] == [
        "Where     account 123456789012, Region eu-west-1",
        "Event     DeleteVpcConnector by role deploy alice with Terraform from 192.0.2.7 at 2026-11-21T09:00:00Z",
        "Console   https://eu-west-1.console.aws.amazon.com/apprunner/home?region=eu-west-1",
    ]


@pytest.mark.parametrize("region", ["example.com/#", "a" * 41, "", "eu-west-1\n", "EU"])
def test_what_is_no_region_does_not_choose_where_the_console_link_leads(region: str) -> None:
    assert console_link(region) == "https://console.aws.amazon.com/apprunner/home"


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
