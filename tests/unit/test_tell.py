"""Whose a resource is, from its tags to what is told on every channel: by events, the audit and target sync.

What is told at all, and once, is in test_respond.py.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.alerts.kinds import resource_name
from apprunner_guardrails.settings import Policy, Settings
from apprunner_guardrails.tags.created import Created, parse
from apprunner_guardrails.tags.plan import plan, wanted
from tests.aws import FAULTS, NOW, Aws, Outcome, audited, synced, validated
from tests.bound_groups import ORDERS, SCHEDULE, in_step
from tests.samples import (
    CONNECTOR,
    EVERYWHERE,
    SERVICE,
    SETTINGS,
    Event,
    Row,
    Rows,
    created_connector,
    deleted_connector,
    finished_update,
    public,
    replaced_route,
    service,
    service_call,
    tag,
)

OWNER, OTHER = "NetworkEngineer/jonas.weber", "mara.lind"
LATER = NOW + 60
STRICT = replace(SETTINGS, require_observability=True, digest_hour=None)  # the service breaks AR404 by it


def owned(rows: Rows, owners: Mapping[str, str]) -> Rows:
    """The rows with nothing recorded yet; `owners` has whom the tags of resources name."""
    kept = [row for row in rows.get("Tags", ()) if row["Key"] != "created-by"]
    return {**rows, "Tags": kept + [tag(arn, "created-by", owner) for arn, owner in owners.items()], "Items": []}


BOTH = {CONNECTOR: OWNER, SERVICE: OTHER}


def findings(aws: Aws) -> list[Row]:
    details = [json.loads(one["Detail"]) for asked in aws.sent("events:PutEvents") for one in asked["Entries"]]
    return [{**one["finding"], "transition": one["transition"]} for one in details]


def owners(aws: Aws) -> dict[str, str]:
    """By the name of each resource that machines heard of."""
    return {str(one["resource_name"]): str(one["owner"]) for one in findings(aws)}


def mails(aws: Aws) -> dict[str, str]:
    """The owner by whom subscriptions filter, of every message; empty where there is none."""
    return {
        one["Subject"].partition(": ")[2].partition(" in ")[0]: one["MessageAttributes"]
        .get("owner", {})
        .get("StringValue", "")
        for one in aws.published
    }


CONNECTOR_MAIL, SERVICE_MAIL = "VPC connector shop-web", "service shop"
EVENTS: Mapping[str, tuple[Event, dict[str, str]]] = {
    "of the connector": (created_connector(), {CONNECTOR_MAIL: OWNER}),
    "of the network": (replaced_route(), {CONNECTOR_MAIL: OWNER}),
    "of the service": (service_call("UpdateService"), {CONNECTOR_MAIL: OWNER, SERVICE_MAIL: OTHER}),
    "of App Runner's own": (finished_update(), {CONNECTOR_MAIL: OWNER, SERVICE_MAIL: OTHER}),
}


@pytest.mark.parametrize(("event", "named"), EVENTS.values(), ids=EVENTS)
def test_an_event_tells_each_owner_of_their_own_whoever_made_the_call(event: Event, named: dict[str, str]) -> None:
    outcome = validated(event, owned(public(), BOTH), settings=STRICT)
    assert mails(outcome.aws) == named
    assert owners(outcome.aws) == {mail.rpartition(" ")[2]: owner for mail, owner in named.items()}
    for one in outcome.aws.published:
        assert f"Owner     {one['MessageAttributes']['owner']['StringValue']} (by its tag)" in one["Message"]


def test_an_audit_tells_each_owner_of_their_own() -> None:
    outcome = audited(owned(public(), BOTH), settings=STRICT)
    assert mails(outcome.aws) == {CONNECTOR_MAIL: OWNER, SERVICE_MAIL: OTHER}


def test_every_channel_names_the_owner() -> None:
    outcome = validated(created_connector(), owned(public(), BOTH), settings=EVERYWHERE)
    (chat,) = (one for asked in outcome.aws.sent("sns:PublishBatch") for one in asked["PublishBatchRequestEntries"])
    (hub,) = (one for asked in outcome.aws.sent("securityhub:BatchImportFindings") for one in asked["Findings"])
    assert f"Owner: `{OWNER}` " in json.loads(chat["Message"])["content"]["description"]
    assert chat["MessageAttributes"]["owner"] == {"DataType": "String", "StringValue": OWNER}
    assert hub["ProductFields"]["apprunner-guardrails/owner"] == OWNER
    assert (owners(outcome.aws), mails(outcome.aws)) == ({"shop-web": OWNER}, {CONNECTOR_MAIL: OWNER})


def by(event: Event) -> Callable[[Rows, Settings], Outcome]:
    return lambda rows, settings: validated(event, rows, settings=settings)


ASKING: Mapping[str, Callable[[Rows, Settings], Outcome]] = {
    **{name: by(event) for name, (event, _) in EVENTS.items()},
    "of what was just made": by(service_call("CreateService")),
    "of the schedule": lambda rows, settings: audited(rows, settings=settings),
}
NAMELESS = replace(STRICT, created_by_tag="")


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_an_owner_costs_no_call_and_changes_nothing_that_is_told(
    ask: Callable[[Rows, Settings], Outcome],
) -> None:
    named, unnamed = (ask(owned(public(), BOTH), settings).aws for settings in (STRICT, NAMELESS))
    assert (named.rounds, named.told) == (unnamed.rounds, unnamed.told)
    assert OWNER in mails(named).values()
    assert {*owners(unnamed).values(), *mails(unnamed).values()} == {""}


def test_an_owner_that_changes_is_no_news() -> None:
    rows = owned(public(), BOTH)
    validated(created_connector(), rows)
    rows["Tags"] = owned(rows, {CONNECTOR: OTHER})["Tags"]
    assert validated(created_connector(), rows, now=LATER).aws.acted == []
    mended = {**public(), **{name: rows[name] for name in ("Tags", "Items")}}
    for table in mended["RouteTables"]:
        if table["RouteTableId"].startswith("rtb-private"):
            table["Routes"].pop()  # no longer public, and without a way out
    assert mails(validated(created_connector(), mended, now=LATER).aws) == {CONNECTOR_MAIL: OTHER}


@pytest.mark.parametrize("settings", [{"created_by_tag": ""}, {"created_by_tag": "team"}], ids=["off", "another tag"])
def test_only_the_tag_of_the_settings_names_an_owner(settings: dict[str, Any]) -> None:
    outcome = validated(replaced_route(), owned(public(), BOTH), settings=replace(SETTINGS, **settings))
    assert (owners(outcome.aws), mails(outcome.aws)) == ({"shop-web": ""}, {CONNECTOR_MAIL: ""})


def test_tags_that_cannot_be_read_name_nobody_and_that_is_told_as_ever() -> None:
    denied = {"apprunner:ListTagsForResource": FAULTS["denied"]}
    outcomes = [
        validated(replaced_route(), owned(public(), BOTH), settings=one, faults=denied)
        for one in (SETTINGS, replace(SETTINGS, created_by_tag=""))
    ]
    assert [owners(one.aws) for one in outcomes] == [{"shop-web": ""}] * 2
    assert [one.aws.published for one in outcomes] == [outcomes[1].aws.published] * 2
    assert [one.aws.told for one in outcomes] == [["shop-web AR102 opened", "shop-web AR902 opened"]] * 2


def test_an_index_of_tags_that_cannot_be_read_names_nobody() -> None:
    denied = {"tagging:GetResources": FAULTS["denied"]}
    outcome = audited(owned(public(), BOTH), settings=STRICT, faults=denied)
    assert set(owners(outcome.aws).values()) == {""}


# What was just made is being tagged at this moment: its owner is whom the tag will name.


def role_session(role: str, session: str) -> Row:
    issuer = {"type": "Role", "userName": role}
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::123456789012:assumed-role/{role}/{session}",
        "sessionContext": {"sessionIssuer": issuer},
    }


JONAS = role_session("NetworkEngineer", "jonas.weber@example.com")
TO_BE: Mapping[str, tuple[Row, dict[str, Any], str]] = {
    "a user": ({"type": "IAMUser", "userName": OTHER}, {}, OTHER),
    "an address, shortened": (JONAS, {}, OWNER),
    "an address": (JONAS, {"emails_in_tags": True}, f"{OWNER}@example.com"),
    "another tag": (JONAS, {"created_by_tag": "owner"}, OWNER),
    "no such tag": (JONAS, {"created_by_tag": ""}, ""),
    "characters that tags do not take": ({"type": "WebIdentityUser", "userName": "a,b\u200b\tc"}, {}, "a-b c"),
    "a beginning that tags do not take": (
        role_session("aws:ec2-instance", "i-0123456789abcdef0"),
        {},
        "aws-ec2-instance",
    ),
    "longer than tags are": ({"type": "SAMLUser", "userName": "x" * 300}, {}, "x" * 255),
    "nobody that is known": ({}, {}, ""),
    "nobody that is known, by default a team": ({}, {"default_tags": {"created-by": "platform"}}, "platform"),
}
CREATIONS: Mapping[str, tuple[Event, str]] = {
    "CreateVpcConnector": (created_connector(), CONNECTOR_MAIL),
    "CreateService": (service_call("CreateService"), SERVICE_MAIL),
}


def made_by(identity: Row, event: Event) -> Event:
    return {**event, "detail": {**event["detail"], "userIdentity": identity}}


@pytest.mark.parametrize(("event", "mail"), CREATIONS.values(), ids=CREATIONS)
@pytest.mark.parametrize(("identity", "changes", "owner"), TO_BE.values(), ids=TO_BE)
def test_what_was_just_made_is_theirs_whom_its_tag_will_name(
    identity: Row, changes: dict[str, Any], owner: str, event: Event, mail: str
) -> None:
    made, settings = made_by(identity, event), replace(STRICT, **changes)
    created = parse(made)
    assert isinstance(created, Created)
    assert plan(wanted(created, settings), ()).get(settings.created_by_tag, "") == owner
    told = mails(validated(made, owned(public(), {}), settings=settings).aws)
    assert told == {CONNECTOR_MAIL: "", mail: owner}


def test_a_tag_that_is_there_already_comes_before_the_one_that_is_being_put() -> None:
    outcome = validated(service_call("CreateService"), owned(public(), {SERVICE: OTHER}), settings=STRICT)
    assert mails(outcome.aws) == {CONNECTOR_MAIL: "", SERVICE_MAIL: OTHER}


def test_what_was_just_made_is_somebodys_though_its_tags_cannot_be_read() -> None:
    denied = {"apprunner:ListTagsForResource": FAULTS["denied"]}
    outcome = validated(created_connector(), owned(public(), {}), faults=denied)
    assert (owners(outcome.aws), mails(outcome.aws)) == ({"shop-web": "alice"}, {CONNECTOR_MAIL: "alice"})


@pytest.mark.parametrize("call", ["UpdateService", "ResumeService"])
def test_who_changes_something_does_not_own_it(call: str) -> None:
    outcome = validated(service_call(call), owned(public(), {}), settings=STRICT)
    assert mails(outcome.aws) == {CONNECTOR_MAIL: "", SERVICE_MAIL: ""}
    assert f"Event     {call} by alice with AWS CLI" in outcome.aws.published[0]["Message"]
    assert "Owner" not in outcome.aws.published[0]["Message"]


# What has no tags any more, or none that are read: its owner is on record.


def forgetful(rows: Rows) -> Rows:
    """The rows as an older version recorded them."""
    return {**rows, "Items": [{name: one[name] for name in one if name != "owner"} for one in rows["Items"]]}


def test_what_is_gone_is_theirs_who_are_on_record() -> None:
    rows = owned(public(), BOTH)
    validated(created_connector(), rows)
    gone = {**rows, "VpcConnectors": [], "Services": [], "Tags": []}
    again, forgotten = {**gone, "Items": [dict(one) for one in rows["Items"]]}, forgetful(gone)
    by_event, by_audit = validated(deleted_connector(), gone, now=LATER), audited(again, now=LATER)
    unrecorded = validated(deleted_connector(), forgotten, now=LATER)
    for outcome, owner in ((by_event, OWNER), (by_audit, OWNER), (unrecorded, "")):
        assert (outcome.aws.told, owners(outcome.aws)) == (["shop-web AR102 resolved"], {"shop-web": owner})


def test_that_all_is_well_with_a_service_again_names_the_owner_though_an_event_does_not_ask_for_its_tags() -> None:
    rows = owned(public(), BOTH)
    validated(finished_update(), rows, settings=STRICT)
    items = {"Items": [dict(one) for one in rows["Items"]]}
    mended = {**rows, "Services": [service(CONNECTOR, ObservabilityConfiguration={"ObservabilityEnabled": True})]}
    by_event = validated(finished_update(), mended, settings=STRICT, now=LATER)
    by_audit = audited({**mended, **items}, settings=STRICT, now=LATER)
    assert by_event.aws.sent("apprunner:ListTagsForResource") == [{"ResourceArn": CONNECTOR}]
    for outcome in (by_event, by_audit):
        assert outcome.aws.told == ["shop AR404 resolved"]
        assert owners(outcome.aws) == {"shop": OTHER}


def test_an_owner_who_comes_to_be_known_is_recorded_within_a_day_and_told_to_nobody() -> None:
    rows = owned(public(), {})
    validated(replaced_route(), rows)
    rows["Tags"] = owned(rows, BOTH)["Tags"]
    assert validated(replaced_route(), rows, now=LATER).aws.acted == []
    assert validated(replaced_route(), rows, now=LATER + 86_400).aws.acted == ["dynamodb:TransactWriteItems"]
    gone = validated(deleted_connector(), {**rows, "VpcConnectors": [], "Tags": []}, now=LATER + 90_000)
    assert owners(gone.aws) == {"shop-web": OWNER}


# Target sync, which has the tags of the groups that it deals with.

REPORTS = replace(SETTINGS, sync_policy=Policy.REPORT_ONLY)


def drifting() -> Rows:
    """AR510: one of two targets is missing, and nothing is changed."""
    rows = owned(in_step(), {ORDERS: OWNER})
    return {**rows, "Targets": rows["Targets"][:1]}


def test_a_sync_tells_the_owner_of_a_target_group() -> None:
    outcome = synced(drifting(), SCHEDULE, settings=REPORTS)
    assert owners(outcome.aws) == {resource_name(ORDERS): OWNER}
    assert mails(outcome.aws) == {"target group orders": OWNER}


def test_the_owner_of_a_group_that_is_no_longer_bound_hears_that_it_is_over() -> None:
    rows = drifting()
    synced(rows, SCHEDULE, settings=REPORTS)
    rows["Tags"] = [tag(ORDERS, "created-by", OWNER)]
    outcome = synced(rows, SCHEDULE, settings=REPORTS, now=LATER)
    assert [(one["rule"], one["transition"], one["owner"]) for one in findings(outcome.aws)] == [
        ("AR510", "resolved", OWNER)
    ]


def test_a_group_that_is_gone_is_theirs_who_are_on_record() -> None:
    rows = drifting()
    synced(rows, SCHEDULE, settings=REPORTS)
    gone = {**rows, "Tags": [], "TargetGroups": []}
    outcome = synced(gone, SCHEDULE, settings=REPORTS, now=LATER)
    assert [(one["transition"], one["owner"]) for one in findings(outcome.aws)] == [("resolved", OWNER)]
