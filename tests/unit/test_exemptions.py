"""Exemption tags: which exempt, until when, and what is wrong with those that do not."""

import shlex
from dataclasses import replace

import pytest

from apprunner_guardrails.exemptions import Malformed, applied, exemptions, tag, untag
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.findings import Exemption, Finding, Severity, Status

KEY = "apprunner-guardrails:exempt:AR101"
FAILS = Finding(
    resource="arn:x",
    rule="AR101",
    name="connector_too_few_zones",
    title="Too few zones",
    severity=Severity.HIGH,
    status=Status.FAIL,
    messages=("one zone only",),
)
NO_PARTS = "the value should be a date, an owner and a reason, such as 2026-12-31 @owner reason"

VALUES = {
    "as documented": ("2026-12-31 @owner reason", ("2026-12-31", "@owner", "reason")),
    "a reason of several words": (
        "2026-12-31 @a.b_c-d/e+f=g it: is a demo",
        ("2026-12-31", "@a.b_c-d/e+f=g", "it: is a demo"),
    ),
    "much space": ("  2026-12-31   @owner \t a  reason  ", ("2026-12-31", "@owner", "a  reason")),
    "an address": ("2026-12-31 @shop@example.com x", ("2026-12-31", "@shop@example.com", "x")),
    "29 February of a leap year": ("2028-02-29 @owner x", ("2028-02-29", "@owner", "x")),
    "29 February of 2000": ("2000-02-29 @owner x", ("2000-02-29", "@owner", "x")),
    "the last day there is": ("9999-12-31 @owner x", ("9999-12-31", "@owner", "x")),
    "the first day there is": ("0001-01-01 @owner x", ("0001-01-01", "@owner", "x")),
    "another script": ("2026-12-31 @日本 理由", ("2026-12-31", "@日本", "理由")),
    "lines in the reason": ("2026-12-31 @owner a\r\nb", ("2026-12-31", "@owner", "a\r\nb")),
}


@pytest.mark.parametrize(("value", "parts"), VALUES.values(), ids=VALUES)
def test_a_date_an_owner_and_a_reason_exempt(value: str, parts: tuple[str, str, str]) -> None:
    until, owner, reason = parts
    expected = Exemption(rule="AR101", until=until, owner=owner, reason=reason)
    assert exemptions({KEY: value}) == ((expected,), ())


MALFORMED_VALUES = {
    "nothing": ("", NO_PARTS),
    "space": ("   ", NO_PARTS),
    "no date": ("@owner reason", NO_PARTS),
    "no owner": ("2026-12-31 reason", NO_PARTS),
    "an owner without a name": ("2026-12-31 @ reason", NO_PARTS),
    "no reason": ("2026-12-31 @owner", NO_PARTS),
    "an empty reason": ("2026-12-31 @owner   ", NO_PARTS),
    "parts in another order": ("@owner 2026-12-31 reason", NO_PARTS),
    "no space between": ("2026-12-31@owner reason", NO_PARTS),
    "another way to write a date": ("31.12.2026 @owner reason", NO_PARTS),
    "a date of one digit": ("2026-1-1 @owner reason", NO_PARTS),
    "a date with a time": ("2026-12-31T00:00:00Z @owner reason", NO_PARTS),
    "a date of five digits": ("12026-12-31 @owner reason", NO_PARTS),
    "digits of another script": ("\u0662\u0660\u0662\u0666-12-31 @owner reason", NO_PARTS),
    "another kind of dash": ("2026\u201012\u201031 @owner reason", NO_PARTS),
    "31 February": ("2026-02-31 @owner reason", "2026-02-31 is not a day of the calendar"),
    "29 February of another year": ("2027-02-29 @owner reason", "2027-02-29 is not a day of the calendar"),
    "29 February of 2100": ("2100-02-29 @owner reason", "2100-02-29 is not a day of the calendar"),
    "31 April": ("2026-04-31 @owner reason", "2026-04-31 is not a day of the calendar"),
    "month 0": ("2026-00-10 @owner reason", "2026-00-10 is not a day of the calendar"),
    "month 13": ("2026-13-10 @owner reason", "2026-13-10 is not a day of the calendar"),
    "day 0": ("2026-12-00 @owner reason", "2026-12-00 is not a day of the calendar"),
    "year 0": ("0000-01-01 @owner reason", "0000-01-01 is not a day of the calendar"),
    "for ever": ("never @owner reason", NO_PARTS),
    "a line break before the date": ("x\n2026-12-31 @owner reason", NO_PARTS),
    "what no text has": ("2026-12-31 \x00@owner reason", NO_PARTS),
}


@pytest.mark.parametrize(("value", "why"), MALFORMED_VALUES.values(), ids=MALFORMED_VALUES)
def test_a_value_that_lacks_something_exempts_nothing_and_says_why(value: str, why: str) -> None:
    assert exemptions({KEY: value}) == ((), (Malformed(key=KEY, value=value, why=why),))


def not_a_rule(rule: str) -> str:
    return f"{rule!r} is not the id of a rule that can be exempted, such as AR101"


LOWER = "the key should begin with apprunner-guardrails:exempt:, in lower case"
MALFORMED_KEYS = {
    "no rule": ("apprunner-guardrails:exempt:", not_a_rule("")),
    "every rule": ("apprunner-guardrails:exempt:*", not_a_rule("*")),
    "a rule's name": ("apprunner-guardrails:exempt:connector_public_subnet", not_a_rule("connector_public_subnet")),
    "a rule in lower case": ("apprunner-guardrails:exempt:ar101", not_a_rule("ar101")),
    "two digits": ("apprunner-guardrails:exempt:AR10", not_a_rule("AR10")),
    "four digits": ("apprunner-guardrails:exempt:AR1010", not_a_rule("AR1010")),
    "the exemptions themselves": ("apprunner-guardrails:exempt:AR901", not_a_rule("AR901")),
    "what could not be judged": ("apprunner-guardrails:exempt:AR902", not_a_rule("AR902")),
    "a group that there is not": ("apprunner-guardrails:exempt:AR001", not_a_rule("AR001")),
    "two rules": ("apprunner-guardrails:exempt:AR101 AR102", not_a_rule("AR101 AR102")),
    "space after it": ("apprunner-guardrails:exempt:AR101 ", not_a_rule("AR101 ")),
    "a line after it": ("apprunner-guardrails:exempt:AR101\n", not_a_rule("AR101\n")),
    "digits of another script": (
        "apprunner-guardrails:exempt:AR\u0661\u0660\u0661",
        not_a_rule("AR\u0661\u0660\u0661"),
    ),
    "capitals": ("Apprunner-Guardrails:Exempt:AR101", LOWER),
    "capitals only": ("APPRUNNER-GUARDRAILS:EXEMPT:AR101", LOWER),
}


@pytest.mark.parametrize(("key", "why"), MALFORMED_KEYS.values(), ids=MALFORMED_KEYS)
def test_a_key_that_means_to_exempt_and_does_not_says_why(key: str, why: str) -> None:
    value = "2026-12-31 @owner reason"
    assert exemptions({key: value}) == ((), (Malformed(key=key, value=value, why=why),))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "exempt:AR101",
        "apprunner-guardrails:exempt",
        "apprunner-guardrails:exemption:AR101",
        " apprunner-guardrails:exempt:AR101",
        "aws:cloudformation:stack-name",
    ],
)
def test_other_tags_are_none_of_our_business(key: str) -> None:
    assert exemptions({key: "2026-12-31 @owner reason"}) == ((), ())


def test_tags_are_told_apart_and_given_by_key() -> None:
    good = Exemption(rule="AR101", until="2026-12-31", owner="@a", reason="x")
    tags = {
        "apprunner-guardrails:exempt:AR203": "2026-06-30 @b y",
        "apprunner-guardrails:exempt:AR102": "soon",
        "Name": "shop",
        KEY: "2026-12-31 @a x",
        "apprunner-guardrails:exempt:AR101 ": "2026-12-31 @a x",
    }
    assert exemptions(tags) == (
        (good, Exemption(rule="AR203", until="2026-06-30", owner="@b", reason="y")),
        (
            Malformed(key=f"{KEY} ", value="2026-12-31 @a x", why=not_a_rule("AR101 ")),
            Malformed(key="apprunner-guardrails:exempt:AR102", value="soon", why=NO_PARTS),
        ),
    )
    assert exemptions(dict(reversed(tags.items()))) == exemptions(tags)


@pytest.mark.parametrize(
    ("today", "status"),
    [("2026-12-30", Status.EXEMPT), ("2026-12-31", Status.EXEMPT), ("2027-01-01", Status.FAIL)],
    ids=["before", "the last day", "after"],
)
def test_an_exemption_holds_until_the_end_of_its_day_and_stays_on_the_finding(today: str, status: Status) -> None:
    exemption = Exemption(rule="AR101", until="2026-12-31", owner="@owner", reason="x")
    expected = replace(FAILS, status=status, exemption=exemption)
    assert applied([FAILS], {KEY: "2026-12-31 @owner x"}, today) == (expected,)


@pytest.mark.parametrize("status", [Status.PASS, Status.UNKNOWN, Status.ERROR])
def test_only_what_fails_is_exempt(status: Status) -> None:
    finding = replace(FAILS, status=status)
    assert applied([finding], {KEY: "2026-12-31 @owner x"}, "2026-06-01") == (finding,)


def test_a_rule_is_exempt_by_its_own_tag_only() -> None:
    other = replace(FAILS, rule="AR102")
    first, second = applied([FAILS, other], {KEY: "2026-12-31 @owner x"}, "2026-06-01")
    assert (first.status, second) == (Status.EXEMPT, other)


def test_a_malformed_tag_exempts_nothing() -> None:
    assert applied([FAILS], {KEY: "2026-12-31 owner x"}, "2026-06-01") == (FAILS,)
    assert applied([FAILS], {}, "2026-06-01") == (FAILS,)


def test_where_tags_cannot_be_read_what_fails_says_so() -> None:
    passes = replace(FAILS, status=Status.PASS)
    unread = Unread(call="apprunner:ListTagsForResource", code="AccessDeniedException")
    assert applied([FAILS, passes], unread, "2026-06-01") == (replace(FAILS, tags_unread=True), passes)


_ELB = "arn:aws:elasticloadbalancing:us-east-1:111122223333"
_ENI = "arn:aws:ec2:us-east-1:111122223333:network-interface/eni-1"
_API = "arn:aws:apigateway:us-east-1::/restapis/a1b2c3d4e5"
_INGRESS = "arn:aws:apprunner:us-east-1:111122223333:vpcingressconnection/orders/0a1b"
_BOTH = "Key=team,Value=orders 'Key=why,Value=two words'"
_MAP = """'{"team": "orders", "why": "two words"}'"""
_KEYS = "--tag-keys 'a b' team"
TAGGING = {
    "App Runner": (
        _INGRESS,
        f"aws apprunner tag-resource --region us-east-1 --resource-arn {_INGRESS} --tags {_BOTH}",
        f"aws apprunner untag-resource --region us-east-1 --resource-arn {_INGRESS} {_KEYS}",
    ),
    "a target group": (
        f"{_ELB}:targetgroup/orders/6d0e",
        f"aws elbv2 add-tags --region us-east-1 --resource-arns {_ELB}:targetgroup/orders/6d0e --tags {_BOTH}",
        f"aws elbv2 remove-tags --region us-east-1 --resource-arns {_ELB}:targetgroup/orders/6d0e {_KEYS}",
    ),
    "a load balancer": (
        f"{_ELB}:loadbalancer/net/orders/50dc",
        f"aws elbv2 add-tags --region us-east-1 --resource-arns {_ELB}:loadbalancer/net/orders/50dc --tags {_BOTH}",
        f"aws elbv2 remove-tags --region us-east-1 --resource-arns {_ELB}:loadbalancer/net/orders/50dc {_KEYS}",
    ),
    "EC2, by id": (
        _ENI,
        f"aws ec2 create-tags --region us-east-1 --resources eni-1 --tags {_BOTH}",
        "aws ec2 delete-tags --region us-east-1 --resources eni-1 --tags 'Key=a b' Key=team",
    ),
    "API Gateway, with a map": (
        _API,
        f"aws apigateway tag-resource --region us-east-1 --resource-arn {_API} --tags {_MAP}",
        f"aws apigateway untag-resource --region us-east-1 --resource-arn {_API} {_KEYS}",
    ),
    "no ARN": (
        "x",
        f"aws apprunner tag-resource --region us-east-1 --resource-arn x --tags {_BOTH}",
        f"aws apprunner untag-resource --region us-east-1 --resource-arn x {_KEYS}",
    ),
}


@pytest.mark.parametrize(("arn", "put_on", "taken_off"), TAGGING.values(), ids=TAGGING)
def test_a_resource_is_tagged_by_its_own_service(arn: str, put_on: str, taken_off: str) -> None:
    assert tag(arn, "us-east-1", {"why": "two words", "team": "orders"}) == put_on
    assert untag(arn, "us-east-1", iter(("team", "a b"))) == taken_off


@pytest.mark.parametrize("arn", [arn for arn, _, _ in TAGGING.values()], ids=TAGGING)
def test_a_tag_or_a_resource_cannot_break_out_of_a_command(arn: str) -> None:
    evil = "'; rm -rf ~ \n#\"$(x)`y`"
    for line in (tag(arn + evil, evil, {evil: evil}), untag(arn + evil, evil, [evil])):
        words = shlex.split(line)
        assert len(words) == len(["aws", "service", "verb", "--region", "", "--resource", "", "--tags", ""])
        assert (words[:4], words[4]) == (line.split()[:4], evil)
