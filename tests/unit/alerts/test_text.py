"""Alerts as people get them by e-mail: subjects, attributes and limits. Whole messages are in snapshots/text."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from moto.sns.utils import FilterPolicyMatcher

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import Alert, digest, safe
from apprunner_guardrails.alerts.text import (
    CUT,
    Message,
    console_link,
    cut_lines,
    render,
    render_explanation,
    render_many,
)
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.ledger import Channel, Kind
from apprunner_guardrails.tell import not_judged
from tests.cases import _healthy_path as path
from tests.cases._healthy import GROUP_ARN
from tests.unit.alerts.examples import (
    ALERTS,
    CONNECTOR,
    DIGEST,
    EVENT_ID,
    EXEMPTED_WEEK_AGO,
    EXPLANATION,
    MANY,
    MORE_PUBLIC,
    NO_EGRESS,
    NOW,
    OPENED,
    OWNER,
    PUBLIC,
    SERVICE_ALERT,
    WEEK_AGO,
    alert,
    follows,
    passed,
    recorded,
)

MESSAGES = {
    **{name: render(one) for name, one in ALERTS.items()},
    "many": render_many(MANY),
    "explanation": render_explanation(EXPLANATION),
    "digest": digest.render(DIGEST),
}
SUBJECTS = {
    "opened": "[HIGH] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "opened-several": "[HIGH] AR102 AR202 AR203: VPC connector shop-web in 123456789012 eu-west-1",
    "reopened": "[HIGH] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "reopened-exemption-gone": "[HIGH] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "exemption-expired": "[HIGH] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "changed": "[HIGH] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "changed-severity": "[CRITICAL] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "reminded": "[REMINDER] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "resolved": "[RESOLVED] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "exempted": "[EXEMPT] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1",
    "not-judged": "[UNKNOWN] 2 guardrails not judged: VPC connector shop-web in 123456789012 eu-west-1",
    "all-at-once": "[HIGH] AR101 too few zones: VPC connector shop-web in 123456789012 eu-west-1",
    "target-group-opened": "[CRITICAL] AR511 AR510 AR517: target group orders in 111122223333 us-east-1",
    "target-group-one": "[HIGH] AR510 drift: target group orders in 111122223333 us-east-1",
    "target-group-over": "[RESOLVED] AR510 drift: target group orders in 111122223333 us-east-1",
    "target-group-unbound": "[RESOLVED] AR510 drift: target group orders in 111122223333 us-east-1",
    "api-opened": "[HIGH] AR601 AR604: API a1b2c3d4e5 in 111122223333 us-east-1",
    "api-gone": "[RESOLVED] AR601 integration wrong host: API a1b2c3d4e5 in 111122223333 us-east-1",
    "network-interface-opened": (
        "[LOW] AR901 exemption malformed: network interface eni-managed-1 in 111122223333 us-east-1"
    ),
    "ingress-connection-opened": (
        "[LOW] AR901 exemption malformed: VPC ingress connection orders in 111122223333 us-east-1"
    ),
    "endpoint-opened": "[LOW] AR901 exemption malformed: VPC endpoint vpce-0a1b2c3d4e5f60718 in 111122223333 us-east-1",
    "load-balancer-opened": "[LOW] AR901 exemption malformed: load balancer orders in 111122223333 us-east-1",
}


def opened(*findings: Finding) -> Alert:
    return alert(*follows(NOW, *findings))


@pytest.mark.parametrize("name", ALERTS)
def test_a_subject_is_about_the_most_urgent_of_what_happened(name: str) -> None:
    assert render(ALERTS[name]).subject == SUBJECTS[name]


def test_attributes_tell_all_that_happened_and_the_worst_severity_of_it() -> None:
    worse = replace(passed(PUBLIC), severity=Severity.CRITICAL)
    told = alert(*follows(NOW, worse, replace(PUBLIC, rule="AR103", severity=Severity.LOW), recorded=WEEK_AGO))
    assert render(told).subject.startswith("[LOW] AR103 public subnet: ")
    assert render(told).attributes == {
        "severity": ("String", "HIGH"),
        "status": ("String", "fail"),
        "transition": ("String.Array", '["opened", "resolved"]'),
        "rules": ("String.Array", '["AR102", "AR103"]'),
        "resource_type": ("String", "VPC connector"),
        "event_id": ("String", EVENT_ID),
        "account": ("String", "123456789012"),
        "region": ("String", "eu-west-1"),
    }


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_every_message_names_its_event_and_in_its_last_line_the_version(message: Message) -> None:
    kind, event_id = message.attributes["event_id"]
    lines = message.body.splitlines()
    assert (kind, lines[-2:]) == ("String", ["", f"App Runner guardrails {__version__}"])
    assert f"Event id  {event_id}" in lines


def test_no_message_has_more_attributes_than_a_queue_takes_by_raw_delivery() -> None:
    """docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html: with more than ten it is dropped."""
    assert max(len(message.attributes) for message in MESSAGES.values()) == 9


def test_a_message_about_several_events_names_each_once_and_of_very_many_some() -> None:
    several = [replace(one, event_id=str(number % 2)) for number, one in enumerate(MANY)]
    assert render_many(several).attributes["event_id"] == ("String.Array", '["0", "1"]')
    assert [line for line in render_many(several).body.splitlines() if line.startswith("Event id")][1:] == [
        f"Event id  {number % 2}" for number in range(len(MANY))
    ]
    many = [replace(OPENED, resource=str(number), event_id=f"{number:04}") for number in range(100)]
    assert len(json.loads(render_many(many).attributes["event_id"][1])) == 20


def test_what_no_event_led_to_names_none() -> None:
    message = render(replace(OPENED, event_id=""))
    assert "event_id" not in message.attributes
    assert "Event id" not in message.body


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


OWNED = replace(OPENED, owner=OWNER)


def test_the_owner_stands_below_the_resource_and_is_an_attribute() -> None:
    message = render(OWNED)
    assert message.body.splitlines()[2:4] == [f"Resource  {CONNECTOR}", f"Owner     {OWNER} (by its tag)"]
    assert message.attributes["owner"] == ("String", OWNER)


def test_of_an_owner_who_is_not_known_nothing_is_said() -> None:
    message = render(OPENED)
    assert [line for line in message.body.splitlines() if line.startswith("Owner")] == []
    assert render(OWNED).attributes.keys() - message.attributes.keys() == {"owner"}


def test_an_owner_beyond_ascii_is_whole_in_the_body() -> None:
    message = render(replace(OPENED, owner="jörg.weiß"))
    assert message.body.splitlines()[3] == "Owner     jörg.weiß (by its tag)"
    assert message.attributes["owner"] == ("String", "j?rg.wei?")


def test_as_long_a_value_as_a_tag_can_have_is_told_whole() -> None:
    message = render(replace(OPENED, owner="x" * 256))
    assert message.body.splitlines()[3] == f"Owner     {'x' * 256} (by its tag)"
    assert message.attributes["owner"] == ("String", "x" * 256)


def owned_by(*owners: str) -> list[Alert]:
    return [
        replace(OPENED, resource=f"{CONNECTOR}{number}", resource_name=f"shop-{number}", owner=owner)
        for number, owner in enumerate(owners)
    ]


def test_each_of_several_resources_is_told_with_its_owner() -> None:
    message = render_many(owned_by(OWNER, "", "mara.lind", OWNER))
    lines = message.body.splitlines()
    assert [line.partition(": ")[2] for line in lines if line.startswith("- [")] == [
        f"VPC connector shop-0, owner {OWNER}",
        "VPC connector shop-1",
        "VPC connector shop-2, owner mara.lind",
        f"VPC connector shop-3, owner {OWNER}",
    ]
    assert [line for line in lines if line.startswith("Owner")] == [
        f"Owner     {owner} (by its tag)" for owner in (OWNER, "mara.lind", OWNER)
    ]


@pytest.mark.parametrize(
    ("owners", "attribute"),
    [
        (("b", "a", "", "b"), ("String.Array", '["a", "b"]')),
        (("b", "", "b"), ("String", "b")),
        (("ä", "ö"), ("String", "?")),
        (("", ""), None),
    ],
    ids=["several", "one", "the same in ASCII", "nobody"],
)
def test_owners_of_several_resources_are_named_once_each(
    owners: Sequence[str], attribute: tuple[str, str] | None
) -> None:
    assert render_many(owned_by(*owners)).attributes.get("owner") == attribute


@pytest.mark.parametrize("char", ["x", '"', "\U0001f4a5"], ids=["plain", "escaped", "four bytes"])
def test_of_very_many_owners_those_of_the_worst_are_named(char: str) -> None:
    many = owned_by(*(f"{char * 251}{number:05}" for number in range(2000)))
    worst = replace(ALERTS["changed-severity"], owner="worst")
    message = render_many([*many, worst])
    named = json.loads(message.attributes["owner"][1])
    assert "worst" in named
    assert 70 < len(named) < 160
    assert len(message.attributes["owner"][1]) < 40_500
    assert len(message.body.encode()) < 201_000


def gets(policy: dict[str, Any], message: Message) -> bool:
    """Whether a subscription with this filter policy gets the message."""
    attributes = {name: {"Type": kind, "Value": value} for name, (kind, value) in message.attributes.items()}
    return bool(FilterPolicyMatcher(policy, None).matches(attributes, message.body))


def test_the_documented_filters_part_what_has_an_owner_from_what_has_none() -> None:
    page = Path(__file__).parents[3] / "docs" / "alerts.md"
    theirs, rest = (json.loads(one) for one in re.findall(r"```json\n(.*?)```", page.read_text(), flags=re.DOTALL))
    told = {
        "of the role": render(OWNED),
        "of the user": render(replace(OPENED, owner="mara.lind")),
        "of another": render(replace(OPENED, owner="finance")),
        "of several": render_many(owned_by("finance", "mara.lind", "")),
        "of nobody": render(OPENED),
        "failed call": render_explanation(EXPLANATION),
    }
    assert [name for name, one in told.items() if gets(theirs, one)] == ["of the role", "of the user", "of several"]
    assert [name for name, one in told.items() if gets(rest, one)] == ["of nobody", "failed call"]


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
    assert render(alert(*again)).body.splitlines()[8:12] == [
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
    assert render(long).subject == f"[HIGH] AR102 public subnet: VPC connector {'n' * 28}... in 123456789012 eu-west-1"
    assert len(render(long).subject) == 99


def test_a_name_beyond_ascii_is_in_the_body_and_not_in_the_subject() -> None:
    message = render(replace(OPENED, resource_name="büro"))
    assert message.subject == "[HIGH] AR102 public subnet: VPC connector b?ro in 123456789012 eu-west-1"
    assert message.body.startswith("VPC connector büro breaks")


def test_a_body_longer_than_sns_takes_is_cut_visibly() -> None:
    findings = tuple(
        replace(PUBLIC, rule=f"AR1{number:02}", messages=("\U0001f4a5" * 5000,) * 20) for number in range(18)
    )
    message = render(opened(*findings))
    assert message.body.endswith(f"\n{CUT}\n\nApp Runner guardrails {__version__}")
    assert {len(line) for line in message.body.splitlines() if "\U0001f4a5" in line} == {len("  - ") + 1000}  # whole
    assert 195_000 < len(message.body.encode()) < 200_100


def test_lines_are_cut_whole_and_only_where_they_do_not_fit() -> None:
    lines = ("aws one", "aws two ü")
    assert cut_lines(lines, 18) == "aws one\naws two ü"
    assert cut_lines(lines, 17) == f"aws one\n{CUT}"


def test_a_command_that_is_too_long_is_left_out_whole() -> None:
    told = opened(replace(PUBLIC, command=f"aws {'x' * 3996}\naws {'x' * 3997}\naws y"))
    lines = render(told).body.splitlines()
    assert lines[lines.index("  Fix: Use private subnets.") + 1 :][:3] == [
        f"    aws {'x' * 3996}",
        "    # a command that is too long for a message",
        "    aws y",
    ]


def acceptance(told: Alert) -> list[str]:
    lines = render(told).body.splitlines()
    places = [place for place, line in enumerate(lines) if line.startswith("To accept ")]
    return [line for place in places for line in lines[place : place + 2]]


def test_how_to_accept_a_finding_is_a_command_filled_in() -> None:
    command = f"    aws apprunner tag-resource --region eu-west-1 --resource-arn {CONNECTOR} --tags 'Key="
    command += "apprunner-guardrails:exempt:{},Value=YYYY-MM-DD @OWNER REASON'"
    assert acceptance(OPENED) == ["To accept it until a day instead:", command.format("AR102")]
    assert acceptance(opened(PUBLIC, NO_EGRESS)) == [
        "To accept one of them until a day instead:",
        command.format("RULE_ID"),
    ]


@pytest.mark.parametrize("name", ["resolved", "exempted", "not-judged"])
def test_where_nothing_fails_there_is_nothing_to_accept(name: str) -> None:
    assert acceptance(ALERTS[name]) == []


def test_the_guardrails_own_findings_cannot_be_accepted() -> None:
    assert acceptance(SERVICE_ALERT) == []


@pytest.mark.parametrize("outside", ["'; reboot; '", "$(reboot)", "a b", "\nreboot"])
def test_nothing_breaks_out_of_the_command_to_accept(outside: str) -> None:
    command = acceptance(replace(OPENED, resource=outside, region=outside))[1]
    assert shlex.split(command)[4:7:2] == [safe(outside)] * 2


def test_the_end_of_what_nobody_judges_any_more_does_not_pass_for_a_fix() -> None:
    """The resource is gone, or the rule is switched off: there is a finding without a rule's texts."""
    gone = replace(passed(PUBLIC), remediation="", reference="", risk="")
    lines = render(alert(*follows(NOW, gone, recorded=WEEK_AGO[:1]))).body.splitlines()
    said = "  Not judged any more: the resource is gone, or the guardrail is switched off"
    assert lines[lines.index("RESOLVED AR102 VPC connector uses a public subnet") + 2] == said
    assert said not in render(ALERTS["resolved"]).body.splitlines()


def test_an_exemption_that_is_told_again_without_its_reason_says_where_that_is() -> None:
    """The record does not keep it, and the rule cannot answer just now."""
    owed = replace(EXEMPTED_WEEK_AGO[0], owed=Kind.EXEMPTED, owed_to=(Channel.TEXT,))
    again = follows(NOW, replace(PUBLIC, status=Status.UNKNOWN, messages=(), unread="x failed"), recorded=(owed,))
    lines = render(alert(*again)).body.splitlines()
    assert "  Exempt: until the end of 2026-11-20 (UTC), by @net-team" in lines
    assert "  Reason: see the tag on the resource" in lines


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
    assert listed[0] == "- [CRITICAL] AR102 public subnet: VPC connector shop-web"
    assert f"- and {3001 - len(listed)} resources more" in lines
    assert lines[-3] == f"[cut: the details of {3001 - shown} resources would not fit]"
    assert min(len(listed), shown) > 100


def test_one_resource_of_many_does_not_take_the_room_of_the_others() -> None:
    huge = tuple(replace(PUBLIC, rule=f"AR1{number:02}", messages=("x" * 900,) * 20) for number in range(30))
    lines = render_many([opened(*huge), *MANY]).body.splitlines()
    assert CUT in lines
    assert "service shop breaks 1 guardrail" in lines
    assert not lines[-3].startswith("[cut")


def test_a_call_that_names_no_resource_is_told_without_one() -> None:
    nameless = replace(EXPLANATION, failed=replace(EXPLANATION.failed, resource=""))
    assert render_explanation(nameless).body.splitlines()[2:6] == [
        "Where     account 123456789012, Region eu-west-1",
        "Event     DeleteVpcConnector by role deploy alice with Terraform from 192.0.2.7 at 2026-11-21T09:00:00Z",
        "Event id  11111111-2222-3333-4444-555555555555",
        "Console   https://eu-west-1.console.aws.amazon.com/apprunner/home?region=eu-west-1",
    ]


def test_a_resource_is_found_in_the_console_of_its_service() -> None:
    base = "https://eu-west-1.console.aws.amazon.com"
    assert console_link("eu-west-1", GROUP_ARN) == f"{base}/ec2/home?region=eu-west-1"
    assert console_link("eu-west-1", path.ENDPOINT.arn) == f"{base}/vpc/home?region=eu-west-1"
    assert console_link("eu-west-1", path.API.arn) == f"{base}/apigateway/home?region=eu-west-1"
    assert console_link("eu-west-1", CONNECTOR) == f"{base}/apprunner/home?region=eu-west-1"
    assert console_link("x/#", GROUP_ARN) == "https://console.aws.amazon.com/ec2/home"


def test_a_resource_is_exempt_by_a_tag_that_its_own_service_puts_on() -> None:
    lines = render(ALERTS["target-group-one"]).body.splitlines()
    assert lines[-3].split(" --tags")[0] == (f"    aws elbv2 add-tags --region us-east-1 --resource-arns {GROUP_ARN}")
    assert render(OPENED).body.splitlines()[-3].startswith("    aws apprunner tag-resource --region eu-west-1 ")
    line = "    aws apigateway tag-resource --region us-east-1 --resource-arn " + path.API.arn
    tags = """'{"apprunner-guardrails:exempt:RULE_ID": "YYYY-MM-DD @OWNER REASON"}'"""
    assert render(ALERTS["api-opened"]).body.splitlines()[-3] == f"{line} --tags {tags}"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("connector_nat_unusable", "NAT unusable"),
        ("service_public_egress", "public egress"),
        ("ingress_connection_failed", "failed"),
        ("ingress_wrong_endpoint_service", "wrong endpoint service"),
        ("target_group_preserves_client_ip", "preserves client IP"),
        ("target_group_http_health_check", "HTTP health check"),
        ("load_balancer_tls_listener", "TLS listener"),
        ("api_integration_not_https", "integration not HTTPS"),
        ("api_vpc_link_unusable", "VPC link unusable"),
    ],
)
def test_a_subject_has_a_rules_name_in_words(name: str, words: str) -> None:
    assert render(opened(replace(PUBLIC, name=name))).subject.startswith(f"[HIGH] AR102 {words}: ")


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
