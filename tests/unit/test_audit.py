"""The audit of a Region: what it costs, what it finds, and what it does where it cannot see or has no time left."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apprunner_guardrails.audit import RESERVE_SECONDS, NotAudited, OutOfTime
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.events import BadEvent
from apprunner_guardrails.facts import CONNECTOR_QUOTA
from apprunner_guardrails.ledger import LEASE_SECONDS
from apprunner_guardrails.outlets import SEPARATE
from apprunner_guardrails.respond import respond
from apprunner_guardrails.scheduled import audit_region
from apprunner_guardrails.settings import BadSettings
from apprunner_guardrails.tell import NotPublished
from tests.aws import FAULTS, NOW, Aws, Fault, Parameters, answered, asked_of, audited, refused, validated
from tests.samples import (
    ACCOUNT,
    CHAT_TOPIC,
    CONNECTOR,
    EVERYWHERE,
    GROUP,
    OTHER_CONNECTOR,
    REGION,
    SERVICE,
    SETTINGS,
    Row,
    Rows,
    connector,
    created_connector,
    exempt,
    find,
    healthy,
    public,
    service,
    service_call,
    tag,
)

HOUR, DAY = 3600, 86_400
WHILE = 5400  # what was made less than so long ago is being tagged
QUIET = replace(SETTINGS, digest_hour=None)  # no digest, whatever the hour


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def subjects(aws: Aws) -> list[str]:
    return [one["Subject"] for one in aws.published]


OTHER_SERVICE = f"{SERVICE[:-4]}4444"
OTHER_GROUP = "sg-other"


def with_other(rows: Rows, **changes: object) -> Rows:
    """The rows, with another connector that has a group of its own, and a service that uses it."""
    rows["SecurityGroups"].append({**find(rows, "SecurityGroups", GROUP), "GroupId": OTHER_GROUP})
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR, **{"SecurityGroups": [OTHER_GROUP], **changes}))
    rows["Services"].append(service(OTHER_CONNECTOR, ServiceArn=OTHER_SERVICE))
    return rows


# A whole Region.


def region(*, connectors: int = 100, services: int = 300, subnets: int = 400, vpcs: int = 3) -> Rows:
    """Connectors in three zones each of one of the VPCs, every other one without groups; services on them or none."""
    rows = healthy()
    (main,) = (row for row in rows["RouteTables"] if row["RouteTableId"] == "rtb-main")
    zones = [(row["ZoneId"], row["ZoneName"]) for row in rows["AvailabilityZones"]]
    for member in ("VpcConnectors", "Services", "Subnets", "RouteTables", "NatGateways", "NetworkAcls"):
        rows[member] = []
    rows["SecurityGroups"], rows["VpcAttributes"] = [], []
    rows["ServiceQuotas"] = [{"QuotaCode": CONNECTOR_QUOTA, "Value": connectors * 2.0}]
    for number in range(vpcs):
        vpc = f"vpc-{number}"
        rows["VpcAttributes"].append({"VpcId": vpc, "EnableDnsSupport": True, "EnableDnsHostnames": True})
        rows["RouteTables"].append({**main, "RouteTableId": f"rtb-main-{number}", "VpcId": vpc})
        for kind in ("app", "default"):
            group = dict(find(healthy(), "SecurityGroups", GROUP))
            rows["SecurityGroups"].append(group | {"GroupId": f"sg-{kind}-{number}", "GroupName": kind, "VpcId": vpc})
        database = {**find(healthy(), "SecurityGroups", "sg-database"), "GroupId": f"sg-database-{number}"}
        rows["SecurityGroups"].append({**database, "VpcId": vpc})
        rows["NetworkAcls"].append({**find(healthy(), "NetworkAcls", "acl-1"), "NetworkAclId": f"acl-{number}"})
        rows["NetworkAcls"][-1] |= {"VpcId": vpc, "Associations": []}
    for number in range(subnets):
        vpc, (zone_id, zone) = f"vpc-{number % vpcs}", zones[number // vpcs % len(zones)]
        rows["Subnets"].append(
            {
                **healthy()["Subnets"][0],
                "SubnetId": f"subnet-{number}",
                "VpcId": vpc,
                "AvailabilityZone": zone,
                "AvailabilityZoneId": zone_id,
            }
        )
        (acl,) = (row for row in rows["NetworkAcls"] if row["VpcId"] == vpc)
        acl["Associations"].append({"SubnetId": f"subnet-{number}", "NetworkAclId": acl["NetworkAclId"]})
    in_vpc = [[row["SubnetId"] for row in rows["Subnets"] if row["VpcId"] == f"vpc-{number}"] for number in range(vpcs)]
    for number in range(connectors):
        there = in_vpc[number % vpcs]
        first = number // vpcs * 3 % (len(there) - 2)
        groups = [f"sg-app-{number % vpcs}"] if number % 2 else []
        rows["VpcConnectors"].append(
            connector(connector_arn(number), Subnets=there[first : first + 3], SecurityGroups=groups)
        )
    for number in range(services):
        used = connector_arn(number % connectors) if number % 3 else ""
        rows["Services"].append(service(used, ServiceArn=service_arn(number), ServiceName=f"service-{number:03}"))
    return rows


def connector_arn(number: int) -> str:
    return f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/connector-{number:03}/1/{number:032}"


def service_arn(number: int) -> str:
    return f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/service-{number:03}/{number:032}"


def test_a_region_of_a_hundred_connectors_and_three_hundred_services_is_read_in_few_calls() -> None:
    rows = region()
    assert [len(rows[one]) for one in ("VpcConnectors", "Services", "Subnets", "VpcAttributes")] == [100, 300, 400, 3]
    outcome = audited(rows, settings=QUIET)
    calls = Counter(outcome.aws.actions)
    assert calls.pop("apprunner:DescribeService") == 300
    reads = {action: count for action, count in calls.items() if action not in outcome.aws.acted}
    assert reads == {
        "apprunner:ListServices": 15,
        "apprunner:ListVpcConnectors": 1,
        "apprunner:ListVpcIngressConnections": 1,
        "dynamodb:Query": 1,
        "dynamodb:Scan": 1,
        "ec2:DescribeAvailabilityZones": 1,
        "ec2:DescribeNatGateways": 1,
        "ec2:DescribeNetworkAcls": 1,
        "ec2:DescribeNetworkInterfaces": 1,  # those that App Runner made
        "ec2:DescribeRouteTables": 1,
        "ec2:DescribeSecurityGroups": 3,  # those that connectors name, the default groups, and all of the VPCs
        "ec2:DescribeSubnets": 1,  # of the whole Region, as the connectors' own are too many for one filter
        "ec2:DescribeVpcAttribute": 6,
        "ec2:DescribeVpcEndpoints": 1,  # those of App Runner's private services: there is none
        "servicequotas:GetServiceQuota": 1,  # there are more connectors than its default is near to
        "tagging:GetResources": 1,
    }
    assert sum(reads.values()) <= 40
    assert outcome.aws.seconds(0.02) < 5
    assert len(outcome.report.evaluations) == 400


@pytest.mark.parametrize("kind", ["all fail", "all pass"])
def test_telling_of_a_region_stays_within_the_budget_too(kind: str) -> None:
    """The first audit has most to tell: every connector without groups or a way out. Each later one has nothing new."""
    rows = region()
    if kind == "all pass":
        audited(rows, settings=QUIET)
    outcome = audited(rows, settings=QUIET)
    calls = Counter(outcome.aws.actions)
    told = len(outcome.aws.told)
    assert told == (0 if kind == "all pass" else 150)
    assert sum(calls.values()) - calls["apprunner:DescribeService"] <= 45 + -(-told // 10)
    assert outcome.aws.seconds(0.02) < 5


def test_every_connector_and_service_is_judged_as_by_an_event() -> None:
    rows = with_other(public(), Subnets=["subnet-public-a"])
    rows["Tags"] = [exempt(CONNECTOR, "AR101", "for ever"), exempt(SERVICE, "AR101", "for ever")]
    outcome = audited({**rows, "Items": []}, settings=QUIET)
    assert outcome.resources == {CONNECTOR, OTHER_CONNECTOR, SERVICE, OTHER_SERVICE}
    findings = {one.resource: {each.rule: each for each in one.findings} for one in outcome.report.evaluations}
    for event in (created_connector(), service_call("UpdateService")):
        for one in validated(event, {**rows, "Items": []}).report.evaluations:
            by_event = {each.rule: each for each in one.findings}
            beside = findings[one.resource].keys() - by_event.keys()
            assert beside == BESIDE[event["detail"]["eventName"], one.resource]
            assert {rule: findings[one.resource][rule] for rule in by_event} == by_event
    assert outcome.of(CONNECTOR)["AR901"] == outcome.of(SERVICE)["AR901"] == "fail"


# What an audit alone asks, and no event: it would cost calls. Of tags an audit has an index.
BESIDE: Mapping[tuple[str, str], set[str]] = {
    ("CreateVpcConnector", CONNECTOR): {"AR205", "AR301"},
    ("UpdateService", CONNECTOR): {"AR205", "AR301", "AR302", "AR303", "AR306"},
    ("UpdateService", SERVICE): {"AR407", "AR901"},
}


def test_what_an_event_told_is_no_news_to_the_audit_and_the_other_way_round() -> None:
    rows = public()
    validated(created_connector(), rows)
    assert audited(rows, settings=QUIET, now=NOW + HOUR).aws.told == []
    rows = public()
    assert audited(rows, settings=QUIET).aws.told == ["shop-web AR102 opened"]
    assert validated(created_connector(), rows, now=NOW + 1).aws.told == []


def public_connectors(count: int) -> Rows:
    """Connectors on public subnets, each with a group of its own and used by a service."""
    rows = public()
    egress = find(rows, "SecurityGroups", GROUP)
    rows["SecurityGroups"] += [{**egress, "GroupId": f"sg-{number}"} for number in range(count)]
    rows["VpcConnectors"] = [connector(connector_arn(one), SecurityGroups=[f"sg-{one}"]) for one in range(count)]
    rows["Services"] = [service(connector_arn(one), ServiceArn=service_arn(one)) for one in range(count)]
    return rows


def test_few_resources_have_a_message_each_and_many_have_one_together() -> None:
    few = audited(public_connectors(SEPARATE), settings=QUIET)
    assert (len(subjects(few.aws)), few.report.alerts) == (SEPARATE, SEPARATE)
    many = audited(public_connectors(SEPARATE + 1), settings=QUIET)
    assert subjects(many.aws) == [f"[HIGH] AR102 public subnet: {SEPARATE + 1} resources in {ACCOUNT} {REGION}"]
    assert many.report.alerts == 1
    assert len(many.aws.told) == SEPARATE + 1


# What is gone.


def with_open_findings() -> Rows:
    """AR102 of the connector, AR901 of the service."""
    rows = {**public(), "Tags": [exempt(SERVICE, "AR101", "for ever")]}
    assert audited(rows, settings=QUIET).aws.told == ["shop AR901 opened", "shop-web AR102 opened"]
    return rows


GONE: Mapping[str, tuple[Rows, list[str]]] = {
    "a connector that is forgotten": ({"VpcConnectors": []}, ["shop AR409 opened", "shop-web AR102 resolved"]),
    "a connector that was deleted": (
        {"VpcConnectors": [connector(CONNECTOR, Status="INACTIVE")]},
        ["shop AR409 opened", "shop-web AR102 resolved"],
    ),
    "a service that is forgotten": ({"Services": []}, ["shop AR901 resolved", "shop-web AR301 opened"]),
    "a service that was deleted": (
        {"Services": [service(CONNECTOR, Status="DELETED")]},
        ["shop AR901 resolved", "shop-web AR301 opened"],
    ),
}


@pytest.mark.parametrize(("changed", "told"), GONE.values(), ids=GONE)
def test_what_is_gone_has_no_findings_any_more(changed: Rows, told: list[str]) -> None:
    rows = with_open_findings()
    outcome = audited({**rows, **changed}, settings=QUIET, now=NOW + HOUR)
    assert outcome.aws.told == told
    assert audited({**rows, **changed}, settings=QUIET, now=NOW + 2 * HOUR).aws.told == []


def test_a_deleted_connector_that_is_still_listed_is_gone() -> None:
    """The list is of what is active as far as it was seen; what it does with the others AWS does not say."""
    deleted = {"VpcConnectors": [connector(CONNECTOR, Status="INACTIVE")]}
    rows = {**with_open_findings(), **deleted}
    faults = {"apprunner:ListVpcConnectors": answered(lambda asked: deleted)}
    outcome = audited(rows, settings=QUIET, faults=faults, now=NOW + HOUR)
    told = ["shop AR409 opened", "shop-web AR102 resolved"]
    assert (outcome.aws.told, outcome.report.as_json()["resources"][CONNECTOR]) == (told, {})


def test_a_list_that_lags_behind_ends_nothing() -> None:
    """What is not in the list is asked for by name before it counts as gone."""
    rows = with_open_findings()
    outcome = audited(
        {**rows, "VpcConnectors": [], "NewVpcConnectors": [connector(CONNECTOR)]}, settings=QUIET, now=NOW + HOUR
    )
    assert (outcome.aws.told, CONNECTOR in outcome.resources) == ([], False)
    assert len(outcome.aws.sent("apprunner:DescribeVpcConnector")) == 1


@pytest.mark.parametrize(
    ("action", "listed", "told"),
    [
        ("apprunner:DescribeVpcConnector", {"VpcConnectors": []}, ["shop AR902 opened"]),
        ("apprunner:DescribeService", {"Services": [service(CONNECTOR, ServiceArn=OTHER_SERVICE)]}, []),
        ("apprunner:DescribeService", {}, ["shop AR902 opened", "shop-web AR902 opened"]),
    ],
    ids=["connector", "service", "service that is listed"],
)
@pytest.mark.parametrize("fault", [refused("AccessDeniedException"), FAULTS["no answer"]], ids=["denied", "no answer"])
def test_what_cannot_be_asked_for_by_name_is_not_gone(action: str, listed: Rows, told: list[str], fault: Fault) -> None:
    rows = with_open_findings()
    named = replace(fault, when=lambda asked: OTHER_SERVICE not in asked.values())
    outcome = audited({**rows, **listed}, settings=QUIET, faults={action: named}, now=NOW + HOUR)
    assert outcome.aws.told == told
    assert {item["state"]["S"] for item in rows["Items"]} == {"open"}


def test_nobody_is_asked_for_by_name_where_there_is_no_list() -> None:
    """It would be a call for each that has findings, and the audit fails all the same."""
    rows = {**with_open_findings(), "VpcConnectors": []}
    with Aws(rows, {"apprunner:ListVpcConnectors": FAULTS["denied"]}) as aws, pytest.raises(NotAudited):
        audit(aws, NOW + HOUR)
    assert (aws.sent("apprunner:DescribeVpcConnector"), aws.told) == ([], [])


def test_what_ended_long_ago_is_not_asked_for_any_more() -> None:
    rows = {**with_open_findings(), "VpcConnectors": [], "Services": []}
    audited(rows, settings=QUIET, now=NOW + HOUR)
    again = audited(rows, settings=QUIET, now=NOW + 2 * HOUR)
    assert again.aws.sent("apprunner:DescribeVpcConnector") == []


# What cannot be read.

LISTS: Mapping[str, tuple[str, list[str]]] = {
    "connectors": ("apprunner:ListVpcConnectors", [SERVICE]),
    "services": ("apprunner:ListServices", [CONNECTOR]),
}


@pytest.mark.parametrize(("action", "judged"), LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("fault", [refused("AccessDeniedException"), FAULTS["no answer"]], ids=["denied", "no answer"])
def test_a_list_that_fails_ends_nothing_and_fails_the_audit_after_the_rest_was_told(
    action: str, judged: list[str], fault: Fault
) -> None:
    rows = {**public(), "Tags": [exempt(SERVICE, "AR101", "for ever")]}
    with pytest.raises(NotAudited) as raised:
        audited(rows, settings=QUIET, faults={action: fault})
    assert str(raised.value) == f"a part of {ACCOUNT} {REGION} was not audited: {action} failed ({fault.code})"
    assert sorted({item["resource"]["S"] for item in rows["Items"]}) == judged
    audited(rows, settings=QUIET, now=NOW + HOUR)
    with pytest.raises(NotAudited):
        audited(rows, settings=QUIET, faults={action: fault}, now=NOW + 2 * HOUR)
    assert {item["state"]["S"] for item in rows["Items"]} == {"open"}


def test_a_list_of_which_a_page_fails_is_no_list() -> None:
    rows = region(connectors=3, services=50, subnets=9)
    second = refused("ThrottlingException", when=lambda asked: asked.get("NextToken") == "40")
    with Aws(rows, {"apprunner:ListServices": second}) as aws, pytest.raises(NotAudited, match="ListServices"):
        audit(aws)
    assert aws.sent("apprunner:DescribeService") == []


def audit(aws: Aws, now: int = NOW, seconds_left: Callable[[], float] = lambda: 900.0) -> None:
    time = datetime.fromtimestamp(now, UTC).isoformat()
    audit_region(time, client, QUIET, lambda: now, seconds_left)


def test_a_service_that_cannot_be_read_is_not_judged_and_the_others_are() -> None:
    rows = healthy()
    rows["Services"].append(service("", ServiceArn=OTHER_SERVICE))
    denied = refused("AccessDeniedException", when=lambda asked: asked["ServiceArn"] == OTHER_SERVICE)
    outcome = audited(rows, settings=QUIET, faults={"apprunner:DescribeService": denied})
    assert {one: set(outcome.of(one).values()) for one in sorted(outcome.resources)} == {
        SERVICE: {"pass"},
        OTHER_SERVICE: {"unknown"},
        CONNECTOR: {"pass"},
    }
    assert outcome.of(OTHER_SERVICE).keys() == outcome.of(SERVICE).keys()
    assert outcome.aws.told == ["shop AR902 opened"]


def test_a_service_that_went_while_it_was_audited_is_left_out() -> None:
    rows = healthy()
    rows["Services"].append(service("", ServiceArn=OTHER_SERVICE))
    went = refused("ResourceNotFoundException", when=lambda asked: asked["ServiceArn"] == OTHER_SERVICE)
    outcome = audited(rows, settings=QUIET, faults={"apprunner:DescribeService": went})
    assert (outcome.resources, outcome.aws.told) == ({CONNECTOR, SERVICE}, [])


# And what becomes of AR205, which no event asks.
EC2_READS = {
    "ec2:DescribeAvailabilityZones": "pass",
    "ec2:DescribeNatGateways": "pass",
    "ec2:DescribeNetworkAcls": "pass",
    "ec2:DescribeRouteTables": "pass",
    "ec2:DescribeSecurityGroups": "unknown",
    "ec2:DescribeSubnets": "unknown",
    "ec2:DescribeVpcAttribute": "pass",
}


@pytest.mark.parametrize(("action", "unreachable"), EC2_READS.items(), ids=EC2_READS)
def test_a_fact_that_cannot_be_read_leaves_the_same_rules_unanswered_as_in_an_event(
    action: str, unreachable: str
) -> None:
    denied = {action: FAULTS["denied"]}
    by_event = validated(created_connector(), healthy(), faults=denied).statuses
    assert "unknown" in by_event.values()
    if action == "ec2:DescribeSubnets":
        by_event["AR111"] = "unknown"  # an event learns the VPC from the network ACLs then
    beside = {"AR205": unreachable, "AR301": "pass"}
    assert audited(healthy(), settings=QUIET, faults=denied).of(CONNECTOR) == by_event | beside


def test_an_item_that_cannot_be_read_leaves_its_resource_alone_loudly() -> None:
    rows = with_open_findings()
    (item,) = (one for one in rows["Items"] if one["rule"]["S"] == "AR102")
    item["state"] = {"S": "dormant"}
    find(rows, "SecurityGroups", GROUP)["IpPermissionsEgress"] = []
    with_other(rows)
    with Aws(rows) as aws, pytest.raises(NotAudited) as raised:
        audit(aws, NOW + HOUR)
    assert str(raised.value) == (
        f"a part of {ACCOUNT} {REGION} was not audited: {CONNECTOR} AR102: ValueError 'dormant' is not a valid State"
    )
    assert aws.told == ["shop-api AR102 opened", "shop-api AR202 opened"]


def test_a_table_that_cannot_be_read_tells_nothing() -> None:
    with Aws(public(), {"dynamodb:Scan": refused("AccessDeniedException")}) as aws, pytest.raises(LedgerUnavailable):
        audit(aws)
    assert aws.acted == []


# Time that runs out.


def running_out(after: int) -> Callable[[], float]:
    """So much time at the first looks at the clock, and too little from then on."""
    looks = iter(range(10_000))
    return lambda: RESERVE_SECONDS if next(looks) < after else RESERVE_SECONDS - 0.1


@pytest.mark.parametrize(
    ("after", "done"),
    [
        (0, "1 of 2 services were read"),
        (1, "2 of 2 services were read"),
        (2, "1 connectors were read"),
        (3, "the private paths were read"),
        (4, "the connectors were read, not all were judged"),
        (5, "the services were read, not all were judged"),
        (6, "the services were read, not all were judged"),
        (7, "the private paths were judged, not what is gone"),
        (8, "everything was judged"),
    ],
)
def test_an_audit_that_runs_out_of_time_says_how_far_it_came_and_tells_nothing(after: int, done: str) -> None:
    rows = public()
    rows["Services"].append(service("", ServiceArn=OTHER_SERVICE))
    with Aws(rows) as aws, pytest.raises(OutOfTime) as raised:
        audit(aws, seconds_left=running_out(after))
    assert str(raised.value) == f"the audit of {REGION} ran out of time: {done}; nothing was told of the rest"
    assert aws.acted == []


def test_an_audit_that_has_just_enough_time_is_done() -> None:
    rows = public()
    rows["Services"].append(service("", ServiceArn=OTHER_SERVICE))
    with Aws(rows) as aws:
        audit(aws, seconds_left=running_out(9))
    assert aws.told == ["shop-web AR102 opened"]


# The index of tags, which lags behind.


def test_tags_of_all_resources_cost_a_call_and_none_a_resource() -> None:
    rows = {**public(), "Tags": [tag(CONNECTOR, "Name", "x")]}
    assert audited(rows, settings=QUIET).aws.sent("apprunner:ListTagsForResource") == []


def test_what_was_just_made_is_told_of_when_it_has_no_tags_an_hour_and_a_half_later() -> None:
    """It is being tagged: until then it lacks none of the tags that it is being given, and has none of them."""
    rows, settings = healthy(), replace(QUIET, required_tags=("created-by", "team"), default_tags={"team": "net"})
    find(rows, "VpcConnectors", CONNECTOR)["CreatedAt"] = find(rows, "Services", SERVICE)["CreatedAt"] = at(NOW)
    soon, just, late = (audited(rows, settings=settings, now=NOW + after) for after in (0, WHILE - 1, WHILE))
    for outcome in (soon, just):
        assert outcome.failing == {CONNECTOR: set(), SERVICE: set()}
        assert {one.resource: one.left for one in outcome.report.evaluations} == {
            CONNECTOR: {"AR408"},
            SERVICE: {"AR407"},
        }
        assert "apprunner:ListTagsForResource" not in outcome.aws.actions
    assert late.failing == {CONNECTOR: {"AR408"}, SERVICE: {"AR407"}}
    assert {str(one["messages"]) for one in late.report.as_json()["opened"]} == {
        "['it lacks required tags: created-by, team']"
    }


def test_what_was_just_made_lacks_tags_of_other_keys_at_once() -> None:
    rows, settings = healthy(), replace(QUIET, required_tags=("created-by", "cost-center"))
    find(rows, "VpcConnectors", CONNECTOR)["CreatedAt"] = find(rows, "Services", SERVICE)["CreatedAt"] = at(NOW)
    assert audited(rows, settings=settings).failing == {CONNECTOR: {"AR408"}, SERVICE: {"AR407"}}


def test_a_connector_that_app_runner_tells_no_time_of_is_not_new() -> None:
    assert "CreatedAt" not in healthy()["VpcConnectors"][0]
    settings = replace(QUIET, required_tags=("created-by",))
    assert audited(healthy(), settings=settings).failing == {CONNECTOR: {"AR408"}, SERVICE: {"AR407"}}


def test_an_index_that_lags_opens_no_exempt_finding_again() -> None:
    rows = {**public(), "Tags": [exempt(CONNECTOR, "AR102")]}
    validated(created_connector(), rows)
    outcome = audited({**rows, "IndexedTags": []}, settings=QUIET, now=NOW + HOUR)
    assert (outcome.aws.told, outcome.report.as_json()["resources"][CONNECTOR]["AR102"]) == ([], "exempt")


def test_an_index_that_lags_exempts_nothing_any_more() -> None:
    rows = public()
    validated(created_connector(), rows)
    outcome = audited({**rows, "IndexedTags": [exempt(CONNECTOR, "AR102")]}, settings=QUIET, now=NOW + HOUR)
    assert (outcome.aws.told, outcome.report.as_json()["resources"][CONNECTOR]["AR102"]) == ([], "fail")


@pytest.mark.parametrize("lagging", [[exempt(CONNECTOR, "AR101", "for ever")], []], ids=["still there", "not yet"])
def test_an_index_that_lags_neither_finds_a_malformed_exemption_nor_ends_it(lagging: list[Row]) -> None:
    mended = [] if lagging else [exempt(CONNECTOR, "AR101", "for ever")]
    rows = {**healthy(), "Tags": mended}
    validated(created_connector(), rows)
    outcome = audited({**rows, "IndexedTags": lagging}, settings=QUIET, now=NOW + HOUR)
    assert outcome.aws.told == []


def test_an_exemption_that_both_know_of_ends_and_expires_at_the_audit() -> None:
    rows = public()
    validated(created_connector(), rows)
    rows["Tags"] = [exempt(CONNECTOR, "AR102", "2026-11-20 @net ticket 7")]
    assert audited(rows, settings=QUIET, now=NOW + HOUR).aws.told == ["shop-web AR102 exempted"]
    last_day = NOW - NOW % DAY + 2 * DAY
    assert audited(rows, settings=QUIET, now=last_day + DAY - 1).aws.told == []
    assert audited(rows, settings=QUIET, now=last_day + DAY).aws.told == ["shop-web AR102 exemption expired"]
    later = audited(rows, settings=QUIET, now=last_day + DAY + HOUR).aws
    assert (later.told, later.sent("apprunner:ListTagsForResource")) == ([], [])  # nothing hangs on the tags now


def test_an_index_that_cannot_be_read_opens_no_exempt_finding_again() -> None:
    rows = {**public(), "Tags": [exempt(CONNECTOR, "AR102")]}
    validated(created_connector(), rows)
    denied = {"tagging:GetResources": refused("AccessDeniedException")}
    outcome = audited(rows, settings=QUIET, faults=denied, now=NOW + HOUR)
    assert outcome.aws.told == ["shop AR902 opened", "shop-web AR902 opened"]


# What fails while it is told.


def test_a_channel_that_is_down_is_owed_by_the_audit_and_the_next_one_pays() -> None:
    rows = public()
    with pytest.raises(NotPublished, match=f"^AR102 of {CONNECTOR} did not reach text: "):
        audited(rows, settings=QUIET, faults={"sns:Publish": refused("NotFound", 404)})
    paid = audited(rows, settings=QUIET, now=NOW + HOUR)
    assert (len(subjects(paid.aws)), paid.aws.told) == (1, [])


def test_one_message_for_many_that_fails_is_owed_for_all_of_them() -> None:
    rows = public_connectors(SEPARATE + 2)
    with pytest.raises(NotPublished, match=r" and 2 more did not reach text: "):
        audited(rows, settings=QUIET, faults={"sns:Publish": refused("NotFound", 404)})
    assert {str(one["owed_to"]) for one in rows["Items"]} == {"{'L': [{'S': 'text'}]}"}
    assert len(subjects(audited(rows, settings=QUIET, now=NOW + 60).aws)) == 1


def interrupted(asked: Parameters) -> Row:
    raise KeyboardInterrupt


def test_an_audit_that_is_ended_while_it_tells_is_made_up_for_by_the_next() -> None:
    rows = public()
    with pytest.raises(KeyboardInterrupt):
        audited(rows, settings=QUIET, faults={"sns:Publish": answered(interrupted)})
    assert audited(rows, settings=QUIET, now=NOW + LEASE_SECONDS).aws.told == ["shop-web AR102 opened"]


def test_what_was_told_while_the_audit_was_looking_is_not_told_otherwise() -> None:
    """An event finds the routes mended, and tells so, after the audit has read them: what the audit saw is old."""
    rows = public()
    validated(created_connector(), rows)
    first: list[bool] = []

    def overtaken(asked: Parameters) -> Row:
        if not first:
            first.append(True)
            rows.update({**healthy(), "Items": rows["Items"]})
            respond([asked_of(created_connector())], client, QUIET, lambda: NOW + HOUR)
        return {}  # as the rows are then

    outcome = audited(rows, settings=QUIET, faults={"ec2:DescribeVpcAttribute": answered(overtaken)}, now=NOW + HOUR)
    assert outcome.report.as_json()["resources"][CONNECTOR]["AR102"] == "fail"
    assert outcome.aws.told == ["shop-web AR102 resolved"]


# The digest.

SEVEN = NOW - NOW % DAY + 7 * HOUR  # of the day of NOW, which is later


def digests(aws: Aws) -> list[str]:
    return [one for one in subjects(aws) if one.startswith("[DIGEST]")]


def test_the_digest_is_told_at_its_hour_and_once_a_day() -> None:
    rows, told = public(), []
    for hour in range(-2, 50):
        told += [hour for _ in digests(audited(rows, now=SEVEN + hour * HOUR).aws)]
    assert told == [0, 24, 48]


def test_the_digest_says_what_stands_to_people_alone() -> None:
    rows = with_other(public())
    rows["Tags"] = [exempt(OTHER_CONNECTOR, "AR102", "2026-11-21 @net ticket 7")]
    outcome = audited(rows, settings=EVERYWHERE, now=SEVEN)
    (subject,) = digests(outcome.aws)
    assert subject == f"[DIGEST] 1 HIGH open: App Runner in {ACCOUNT} {REGION}"
    body = outcome.aws.published[-1]["Message"].splitlines()
    assert "Checked   2 VPC connectors, 2 services" in body
    assert "Exempt    1 finding, 1 for no more than 7 days" in body
    assert [line for line in body if line.startswith("- AR102 until the end of 2026-11-21 (UTC), by @net, ")]
    assert [line for line in body if line.startswith("- HIGH AR102 since 2026-11-18, ")]
    chats = [one for asked in outcome.aws.sent("sns:PublishBatch") for one in asked["PublishBatchRequestEntries"]]
    assert [one["Subject"] for one in chats if one["Subject"].startswith("[DIGEST]")] == [subject]
    assert outcome.aws.told == ["shop-api AR102 exempted", "shop-web AR102 opened"]
    assert outcome.report.alerts == 2


def test_a_digest_of_nothing_is_told_too() -> None:
    """That all is well, and that somebody is looking."""
    assert digests(audited(healthy(), now=SEVEN).aws) == [f"[DIGEST] nothing open: App Runner in {ACCOUNT} {REGION}"]


def test_a_digest_whose_hour_was_missed_is_told_by_the_next_audit() -> None:
    rows = healthy()
    audited(rows, now=SEVEN)
    assert digests(audited(rows, now=SEVEN + 23 * HOUR).aws) == []
    assert len(digests(audited(rows, now=SEVEN + 27 * HOUR).aws)) == 1
    assert digests(audited(rows, now=SEVEN + 28 * HOUR).aws) == []
    assert len(digests(audited(rows, now=SEVEN + 48 * HOUR).aws)) == 1


@pytest.mark.parametrize("minutes", [1, 20, 59])
def test_a_schedule_that_is_not_on_the_hour_tells_a_digest_a_day_too(minutes: int) -> None:
    rows, told = healthy(), []
    for hour in range(-2, 50):
        told += [hour for _ in digests(audited(rows, now=SEVEN + hour * HOUR + minutes * 60).aws)]
    assert told == [0, 24, 48]


def test_no_digest_is_told_where_none_is_wanted() -> None:
    outcome = audited(healthy(), settings=QUIET, now=SEVEN)
    assert outcome.aws.acted == []


def test_a_digest_that_did_not_get_through_is_owed_by_the_retry_alone() -> None:
    rows = public()
    audited(rows, now=SEVEN - HOUR)
    with pytest.raises(NotPublished, match=r"^daily of digest did not reach text: "):
        audited(rows, now=SEVEN, faults={"sns:Publish": refused("NotFound", 404)})
    assert len(digests(audited(rows, now=SEVEN).aws)) == 1
    assert digests(audited(rows, now=SEVEN + HOUR).aws) == []


def test_a_digest_that_is_ended_while_it_is_told_is_told_by_the_retry() -> None:
    """Lambda gives it the same event again, with the time of the schedule."""
    rows = healthy()
    audited(rows, now=SEVEN - HOUR)
    with pytest.raises(KeyboardInterrupt):
        audited(rows, now=SEVEN, faults={"sns:Publish": answered(interrupted)})
    for seconds, told in ((LEASE_SECONDS - 1, 0), (LEASE_SECONDS, 1), (LEASE_SECONDS + 60, 0)):
        assert len(digests(tried_again(rows, seconds))) == told
    assert digests(audited(rows, now=SEVEN + HOUR).aws) == []


def tried_again(rows: Rows, seconds: int) -> Aws:
    """The audit of seven once more, so many seconds later."""
    with Aws(rows) as aws:
        audit_region(
            datetime.fromtimestamp(SEVEN, UTC).isoformat(), client, SETTINGS, lambda: SEVEN + seconds, lambda: 9e9
        )
    return aws


def test_a_channel_that_is_down_keeps_no_digest_waiting() -> None:
    rows, settings = public(), replace(SETTINGS, chat_topic_arn=CHAT_TOPIC)
    faults = {"sns:PublishBatch": refused("NotFound", 404), "apprunner:ListServices": FAULTS["denied"]}
    with Aws(rows, faults) as aws, pytest.raises(NotPublished) as raised:
        audit_region(datetime.fromtimestamp(SEVEN, UTC).isoformat(), client, settings, lambda: SEVEN, lambda: 900)
    assert digests(aws) == [f"[DIGEST] 1 HIGH open, not all could be read: App Runner in {ACCOUNT} {REGION}"]
    for one in (
        f"AR102 of {CONNECTOR} did not",
        "; daily of digest did not",
        f"; a part of {ACCOUNT} {REGION} was not audited",
    ):
        assert one in str(raised.value)


def test_a_digest_says_what_could_not_be_read() -> None:
    denied = refused("AccessDeniedException")
    with Aws(healthy(), {"apprunner:ListServices": denied}) as aws, pytest.raises(NotAudited):
        audit_region(datetime.fromtimestamp(SEVEN, UTC).isoformat(), client, SETTINGS, lambda: SEVEN, lambda: 900)
    assert digests(aws) == [f"[DIGEST] nothing open, not all could be read: App Runner in {ACCOUNT} {REGION}"]
    assert "- call apprunner:ListServices failed (AccessDeniedException)" in aws.published[-1]["Message"]


# What it is called with.


@pytest.mark.parametrize("time", ["", "now", "21.11.2026"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    with Aws(public()) as aws, pytest.raises(BadEvent, match=r"^the event's time should be such as 2026-11-21T07:"):
        audit_region(time, client, SETTINGS, lambda: NOW, lambda: 900)
    assert aws.calls == []


def test_an_override_of_no_rule_is_refused_before_anything_is_asked() -> None:
    with Aws(healthy()) as aws, pytest.raises(BadSettings, match="AR199 is no rule"):
        audit_region("", client, replace(QUIET, rule_overrides={"AR199": None}), lambda: NOW, lambda: 900)
    assert aws.calls == []
