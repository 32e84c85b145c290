"""Where a deployment looks, and what it says of a member that lets nobody in."""

from dataclasses import replace

import pytest

from apprunner_guardrails.facts import Unread
from apprunner_guardrails.findings import Severity, Status
from apprunner_guardrails.members import Place, home_of, is_elsewhere, place_of, readable, role_arn, unreadable
from apprunner_guardrails.settings import Settings
from tests.samples import ACCOUNT, REGION, SETTINGS

OTHER = "210987654321"
GUARDING = replace(SETTINGS, member_role_name="apprunner-guardrails-member", member_external_id="x-1")
MEMBER = Place(account=OTHER, region="eu-west-1", home=False)


@pytest.mark.parametrize(
    ("settings", "account", "region", "home", "key"),
    [
        (GUARDING, ACCOUNT, REGION, True, ""),
        (GUARDING, OTHER, REGION, False, f"{OTHER}/{REGION}"),
        (GUARDING, ACCOUNT, "eu-west-1", False, f"{ACCOUNT}/eu-west-1"),
        (SETTINGS, OTHER, "eu-west-1", True, ""),  # everything is taken for the account's own
    ],
    ids=["home", "another account", "another Region of the account", "no organization"],
)
def test_what_is_not_at_home_is_a_members_where_there_are_members(
    settings: Settings, account: str, region: str, home: bool, key: str
) -> None:
    place = place_of(account, region, settings)
    assert (place.home, place.key) == (home, key)


def test_home_is_where_the_alert_topic_is() -> None:
    assert home_of(GUARDING) == Place(account=ACCOUNT, region=REGION)


@pytest.mark.parametrize(
    ("arn", "elsewhere"),
    [
        (f"arn:aws:apprunner:eu-west-1:{OTHER}:service/shop/1", False),
        (f"arn:aws:apprunner:eu-west-1:{ACCOUNT}:service/shop/1", True),
        (f"arn:aws:apprunner:us-east-1:{OTHER}:service/shop/1", True),
        ("arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5", False),  # which names no account
        ("arn:aws:apigateway:us-east-1::/restapis/a1b2c3d4e5", True),
        ("", False),
        ("vpce-0123456789abcdef0", False),  # an id is looked up in the member
        ("arn:aws", False),
    ],
)
def test_a_member_tells_of_its_own_resources_only(arn: str, elsewhere: bool) -> None:
    assert is_elsewhere(arn, MEMBER) is elsewhere
    assert not is_elsewhere(arn, replace(MEMBER, home=True))


def test_the_role_is_in_the_partition_of_the_deployment() -> None:
    china = replace(GUARDING, alert_topic_arn=GUARDING.alert_topic_arn.replace("arn:aws:", "arn:aws-cn:"))
    assert role_arn(OTHER, GUARDING) == f"arn:aws:iam::{OTHER}:role/apprunner-guardrails-member"
    assert role_arn(OTHER, china) == f"arn:aws-cn:iam::{OTHER}:role/apprunner-guardrails-member"


def test_a_member_that_lets_nobody_in_is_a_finding_on_its_role_that_ends_when_it_does() -> None:
    why = Unread(call="sts:AssumeRole", code="AccessDenied")
    opened, over = unreadable(OTHER, GUARDING, why), readable(OTHER, GUARDING)
    role = f"arn:aws:iam::{OTHER}:role/apprunner-guardrails-member"
    said = f"the role {role} cannot be assumed: sts:AssumeRole failed (AccessDenied)"
    assert (opened.resource, opened.rule, opened.status, opened.severity) == (role, "AR904", Status.FAIL, Severity.HIGH)
    assert opened.messages == opened.faults == (said,)
    assert all((opened.risk, opened.remediation, opened.command, opened.reference))
    assert (over.resource, over.rule, over.status, over.messages) == (role, "AR904", Status.PASS, ())
