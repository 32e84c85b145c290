"""A world of three accounts and two Regions: two of the accounts are members of a third one's guardrails, and one of
them lets nobody in at first."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import boto3

from emulator.clock import CLOCK
from emulator.cloudtrail import Event, calling_as, envelope
from emulator.roles import ACCESS_ROLE
from emulator.worlds.parts import (
    EXEMPT,
    REGION,
    ZONES,
    Client,
    Member,
    World,
    connector,
    connector_arn,
    group_named,
    subnets_beside,
    tag_roles,
    vpc,
)

if TYPE_CHECKING:
    from mypy_boto3_apprunner import AppRunnerClient

ORGANIZATION = "organization"
HOME, OPEN, CLOSED = "123456789012", "210987654321", "345678901234"
OTHER_REGION = "eu-west-1"
ROLE, EXTERNAL_ID = "apprunner-guardrails-member", "guardrails-of-example"
ZONES_OF: Mapping[str, Sequence[str]] = {REGION: ZONES, OTHER_REGION: ("euw1-az1", "euw1-az2", "euw1-az3")}
MEMBERS = tuple(Member(account=account, region=region) for account in (OPEN, CLOSED) for region in ZONES_OF)
# What organization.yaml says of who may use the role, without what an emulated account does not know of itself.
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
    ],
}


def client_in(member: Member, client: Client) -> Client:
    """The SDK's clients in another account and Region, by the role that Organizations makes in every account."""
    role = f"arn:aws:iam::{member.account}:role/{ACCESS_ROLE}"
    given = client("sts").assume_role(RoleArn=role, RoleSessionName=ORGANIZATION)["Credentials"]
    session = boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=member.region,
    )
    make: Callable[..., Any] = session.client

    @cache
    def client_of(service: str) -> Any:
        at = str(client(service).meta.endpoint_url)
        return make(service, endpoint_url=None if at.endswith(".amazonaws.com") else at)

    return client_of


def audit_due(member: Member) -> Event:
    """What organization.yaml has a schedule put, and sends on: the next audit of the member is due now."""
    return envelope(
        source="apprunner-guardrails.member",
        detail_type="Audit Due",
        region=member.region,
        account=member.account,
        resources=[],
        detail={"account": member.account, "region": member.region},
        event_id=str(uuid5(NAMESPACE_OID, f"{member.account} {member.region} {CLOCK.now():%Y-%m-%dT%H:%M:%SZ}")),
    )


def _build_organization(client: Client) -> None:
    """A VPC as it should be in all of these places, and the role in the account that lets the guardrails in."""
    for where in (client, *(client_in(member, client) for member in MEMBERS)):
        region = str(where("ec2").meta.region_name)
        tag_roles(where, vpc(where, name=ORGANIZATION, zones=ZONES_OF[region]))
    _make_role(OPEN, client)


def _make_role(account: str, client: Client) -> None:
    iam = client_in(Member(account=account, region=REGION), client)("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))


def _happen_organization(client: Client) -> None:
    """One connector in each: in two zones at home, in public subnets, in one zone in another Region; and two where
    nobody may look."""
    in_open, in_open_elsewhere, *in_closed = (client_in(member, client) for member in MEMBERS)
    with calling_as("cloudformation"):
        _connector(client, "private", zones=2)
        _connector(in_open, "public")
    with calling_as("terraform"):
        _connector(in_open_elsewhere, "private", zones=1)
    with calling_as("console"):
        for where in in_closed:
            _connector(where, "private", zones=1)


def _connector(where: Client, role: str, zones: int = 3) -> str:
    own = f"{ORGANIZATION}-connector"
    subnets = subnets_beside(where, own, role)[:zones]
    return connector(where, ORGANIZATION, subnets, [group_named(where, own)])


def _later_organization(client: Client) -> None:
    """The other account lets the guardrails in too, and accepts what is wrong in one Region; in the first one the
    connector in one zone goes."""
    _make_role(CLOSED, client)
    _, in_open_elsewhere, in_closed, _ = (client_in(member, client) for member in MEMBERS)
    with calling_as("cli"):
        apprunner: AppRunnerClient = in_closed("apprunner")
        apprunner.tag_resource(
            ResourceArn=connector_arn(in_closed, ORGANIZATION),
            Tags=[{"Key": f"{EXEMPT}AR101", "Value": "2026-12-31 @network one zone will do until the move"}],
        )
    with calling_as("terraform"):
        apprunner = in_open_elsewhere("apprunner")
        apprunner.delete_vpc_connector(VpcConnectorArn=connector_arn(in_open_elsewhere, ORGANIZATION))


ORGANIZATIONS: Sequence[World] = (
    World(
        name=ORGANIZATION,
        summary="three accounts, two Regions, connectors wrong in each; one of the accounts lets nobody in at first",
        seed=127,
        build=_build_organization,
        happen=_happen_organization,
        later=_later_organization,
        parameters={"OrganizationId": "o-a1b2c3d4e5", "MemberExternalId": EXTERNAL_ID},
        members=MEMBERS,
    ),
)
