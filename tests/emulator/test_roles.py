"""Several accounts: roles are assumed where they let in, and what is done with their credentials is done there."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from emulator import Emulator
from emulator.roles import ACCESS_ROLE
from emulator.worlds import Member, sdk_client
from emulator.worlds.organization import client_in

HOME, MEMBER, OTHER = "123456789012", "210987654321", "345678901234"
ROLE = f"arn:aws:iam::{MEMBER}:role/guard"
EXTERNAL_ID = "guardrails-of-example"
IN_MEMBER = Member(account=MEMBER, region="us-east-1")
ASKS_EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}


def make_role(principal: object, *, effect: str = "Allow", condition: Mapping[str, Any] | None = None) -> None:
    statement = {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition or {}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client_in(IN_MEMBER, sdk_client)("iam").create_role(RoleName="guard", AssumeRolePolicyDocument=trust)


def assumed(arn: str = ROLE, *, sts: Any = None, **said: str) -> Mapping[str, Any]:
    asked = (sts or sdk_client("sts")).assume_role(RoleArn=arn, RoleSessionName="probe", **said)
    given: Mapping[str, Any] = asked["Credentials"]
    return given


def client_with(given: Mapping[str, Any], service: str, region: str = "us-east-1") -> Any:
    session = boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=region,
    )
    make: Any = session.client
    return make(service)


@pytest.mark.parametrize(
    ("principal", "condition", "said"),
    [
        ({"AWS": f"arn:aws:iam::{HOME}:root"}, ASKS_EXTERNAL_ID, {"ExternalId": EXTERNAL_ID}),
        ({"AWS": f"arn:aws:iam::{HOME}:root"}, None, {}),
        ({"AWS": f"arn:aws:iam::{HOME}:root"}, None, {"ExternalId": EXTERNAL_ID}),
        ({"AWS": HOME}, None, {}),
        ({"AWS": [f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{HOME}:role/guardrails"]}, None, {}),
        ("*", {"StringEquals": {"sts:ExternalId": ["another", EXTERNAL_ID]}}, {"ExternalId": EXTERNAL_ID}),
    ],
    ids=str,
)
def test_a_role_lets_in_whom_it_trusts(
    aws: Emulator, principal: object, condition: Mapping[str, Any] | None, said: dict[str, str]
) -> None:
    make_role(principal, condition=condition)
    who = client_with(assumed(**said), "sts").get_caller_identity()
    assert (who["Account"], who["Arn"]) == (MEMBER, f"arn:aws:sts::{MEMBER}:assumed-role/guard/probe")


@pytest.mark.parametrize(
    ("principal", "effect", "condition", "said"),
    [
        ({"AWS": f"arn:aws:iam::{HOME}:root"}, "Allow", ASKS_EXTERNAL_ID, {}),
        ({"AWS": f"arn:aws:iam::{HOME}:root"}, "Allow", ASKS_EXTERNAL_ID, {"ExternalId": "another"}),
        ({"AWS": f"arn:aws:iam::{OTHER}:root"}, "Allow", None, {}),
        ({"Service": "lambda.amazonaws.com"}, "Allow", None, {}),
        ({"AWS": f"arn:aws:iam::{HOME}:root"}, "Deny", None, {}),
    ],
    ids=str,
)
def test_a_role_lets_in_nobody_else(
    aws: Emulator, principal: object, effect: str, condition: Mapping[str, Any] | None, said: dict[str, str]
) -> None:
    make_role(principal, effect=effect, condition=condition)
    assert_denied(lambda: assumed(**said), ROLE)


@pytest.mark.parametrize("arn", [ROLE, f"arn:aws:iam::{OTHER}:role/guard", f"arn:aws:iam::{HOME}:role/guard"])
def test_a_role_that_is_not_there_lets_in_nobody(aws: Emulator, arn: str) -> None:
    if arn != ROLE:
        make_role("*")
    assert_denied(lambda: assumed(arn), arn)


def assert_denied(call: Any, arn: str) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"] == {
        "Type": "Sender",
        "Code": "AccessDenied",
        "Message": f"User: arn:aws:iam::{HOME}:user/operations is not authorized to perform: sts:AssumeRole on"
        f" resource: {arn}",
    }
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_role_that_organizations_makes_lets_in_the_default_account_only(aws: Emulator) -> None:
    role = f"arn:aws:iam::{MEMBER}:role/{ACCESS_ROLE}"
    assert client_with(assumed(role), "sts").get_caller_identity()["Account"] == MEMBER
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(role.replace(MEMBER, OTHER), sts=client_with(assumed(role), "sts"))


# moto leaves schedules and policies of queues out of what it makes of a template, and says so.
@pytest.mark.filterwarnings("ignore:Tried to parse AWS.:UserWarning")
def test_the_role_of_organization_yaml_lets_in_the_account_that_it_was_deployed_for_with_the_external_id(
    aws: Emulator,
) -> None:
    given = {
        "HomeAccountId": HOME,
        "HomeRegion": "us-east-1",
        "HomeStackName": "guardrails",
        "OrganizationId": "o-a1b2c3d4e5",
        "MemberExternalId": EXTERNAL_ID,
    }
    for region in ("eu-west-1", "us-east-1"):
        client_in(Member(account=MEMBER, region=region), sdk_client)("cloudformation").create_stack(
            StackName="guardrails-member",
            TemplateBody=(Path(__file__).parents[2] / "organization.yaml").read_text(),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    role = f"arn:aws:iam::{MEMBER}:role/apprunner-guardrails-member"
    assert client_with(assumed(role, ExternalId=EXTERNAL_ID), "sts").get_caller_identity()["Account"] == MEMBER
    assert_denied(lambda: assumed(role), role)
    for region in ("eu-west-1", "us-east-1"):
        events = client_in(Member(account=MEMBER, region=region), sdk_client)("events")
        targets = {
            target["Arn"]
            for rule in events.list_rules()["Rules"]
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        }
        assert targets == {f"arn:aws:events:us-east-1:{HOME}:event-bus/guardrails-members"}


def test_accounts_and_regions_have_what_was_made_in_them_and_their_events_say_so(aws: Emulator) -> None:
    places = [
        Member(account=account, region=region) for account in (MEMBER, OTHER) for region in ("us-east-1", "eu-west-1")
    ]
    made = {}
    for place in places:
        apprunner = client_in(place, sdk_client)("apprunner")
        made[place] = apprunner.create_connection(ConnectionName="github", ProviderType="GITHUB")["Connection"]
    assert [(event["account"], event["region"]) for event in aws.events] == [
        (one.account, one.region) for one in places
    ]
    for place, connection in made.items():
        assert f":apprunner:{place.region}:{place.account}:" in connection["ConnectionArn"]
        listed = client_in(place, sdk_client)("apprunner").list_connections()["ConnectionSummaryList"]
        assert [one["ConnectionArn"] for one in listed] == [connection["ConnectionArn"]]
    assert sdk_client("apprunner").list_connections()["ConnectionSummaryList"] == []


def test_credentials_expire_by_the_emulated_clock(aws: Emulator) -> None:
    make_role({"AWS": HOME})
    aws.clock.advance(30 * 24 * 3600)
    given = sdk_client("sts").assume_role(RoleArn=ROLE, RoleSessionName="probe", DurationSeconds=900)
    assert given["Credentials"]["Expiration"] == aws.clock.now() + timedelta(seconds=900)


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("apprunner", "list_services", "UnrecognizedClientException"),
        ("apigateway", "get_rest_apis", "UnrecognizedClientException"),
    ],
)
def test_credentials_of_an_aws_that_was_reset_are_refused(
    aws: Emulator, service: str, operation: str, code: str
) -> None:
    """Else they would be the default account's: what is read there would be taken for another account's."""
    make_role({"AWS": HOME})
    given = assumed()
    getattr(client_with(given, service), operation)()
    aws.reset()
    with pytest.raises(ClientError, match=code):
        getattr(client_with(given, service), operation)()


# Of the Regions that have App Runner. docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones
ZONE_IDS = {
    "ap-northeast-1": ("apne1", (1, 2, 4)),
    "ap-south-1": ("aps1", (1, 2, 3)),
    "ap-southeast-1": ("apse1", (1, 2, 3)),
    "ap-southeast-2": ("apse2", (1, 2, 3)),
    "eu-central-1": ("euc1", (1, 2, 3)),
    "eu-west-1": ("euw1", (1, 2, 3)),
    "eu-west-2": ("euw2", (1, 2, 3)),
    "eu-west-3": ("euw3", (1, 2, 3)),
    "us-east-1": ("use1", (1, 2, 3, 4, 5, 6)),
    "us-east-2": ("use2", (1, 2, 3)),
    "us-west-2": ("usw2", (1, 2, 3, 4)),
}


@pytest.mark.parametrize("region", ZONE_IDS)
def test_a_region_has_the_zones_that_aws_has_there(aws: Emulator, region: str) -> None:
    ec2 = client_in(Member(account=MEMBER, region=region), sdk_client)("ec2")
    prefix, numbers = ZONE_IDS[region]
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert {one["RegionName"] for one in zones} == {region}
    assert sorted(one["ZoneId"] for one in zones) == [f"{prefix}-az{number}" for number in numbers]
