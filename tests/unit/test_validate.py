"""From an event to what the rules answer: what fails on the way, what is gone by now, and what the event had wrong."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apprunner_guardrails.facts import READ_WITH
from apprunner_guardrails.judge import TAGGED_WITHIN_SECONDS
from apprunner_guardrails.rules import RULES, SERVICE_RULES
from apprunner_guardrails.settings import ANY_TAG, Settings
from apprunner_guardrails.tell import NotPublished
from tests.aws import FAULTS, NOW, Fault, Outcome, answered, audited, refused, validated
from tests.private_path import INGRESS, private_path
from tests.samples import (
    CONNECTOR,
    GROUP,
    NEEDS_ENDPOINTS,
    OTHER_CONNECTOR,
    SERVICE,
    SETTINGS,
    TOPIC,
    Event,
    Row,
    Rows,
    busy,
    connector,
    created_connector,
    exempt,
    find,
    finished_update,
    healthy,
    public,
    replaced_route,
    service,
    service_call,
    tag,
    tagged,
)

OF_SERVICES = {rule.id for rule in SERVICE_RULES}
# Of a connector that was just made all but AR205 and AR301 are asked; of the one that a service uses, less.
ASKED = {rule.id for rule in RULES} - {"AR205", "AR301"}
ASKED_WITH_SERVICES = ASKED - {"AR302", "AR303", "AR306"}
NOTHING_DECLARED = {"AR306"}  # which therefore needs nothing but tags
ABOUT_SUBNETS = {rule.id for rule in RULES if "subnets" in rule.needs} & ASKED - NOTHING_DECLARED
# AR101 looks at them for its command alone, AR112 where an ACL blocks something: here neither has to.
ROUTES_NOT_USED = {"AR101", "AR112"}
ABOUT_ROUTES = {rule.id for rule in RULES if "route_tables" in rule.needs} & ASKED - NOTHING_DECLARED - ROUTES_NOT_USED
ABOUT_GROUPS = {rule.id for rule in RULES if "security_groups" in rule.needs} & ASKED - NOTHING_DECLARED

# What each failed read leaves unanswered about the busy connector, where AR102, AR111 and AR204 fail.
UNKNOWN: Mapping[str, set[str]] = {
    "apprunner:ListTagsForResource": {"AR306", "AR901"},
    "apprunner:ListVpcConnectors": {"AR302", "AR303"},
    "ec2:DescribeAvailabilityZones": {"AR101"},
    "ec2:DescribeNatGateways": {"AR109", "AR110"},
    "ec2:DescribeNetworkAcls": {"AR112"},
    "ec2:DescribeNetworkInterfaces": {"AR204"},
    "ec2:DescribeRouteTables": ABOUT_ROUTES,
    "ec2:DescribeSecurityGroups": ABOUT_GROUPS,
    "ec2:DescribeSubnets": ABOUT_SUBNETS,
    "ec2:DescribeVpcAttribute": {"AR111"},
    "ec2:DescribeVpcEndpoints": {"AR107"},
    # AR102 fails by another subnet than the one that the list concerns.
    "ec2:GetManagedPrefixListEntries": {"AR107", "AR108", "AR109", "AR110"},
}
EVENTS: Mapping[str, Callable[[], Event]] = {
    "CreateVpcConnector": created_connector,
    "CreateService": lambda: service_call("CreateService"),
    "a finished update": finished_update,
}


def judged(event: Event, faults: Mapping[str, Fault] | None = None, rows: Rows | None = None) -> Outcome:
    return validated(event, busy() if rows is None else rows, settings=NEEDS_ENDPOINTS, faults=faults)


@pytest.fixture(scope="module")
def unhindered() -> Outcome:
    return judged(created_connector())


def with_services(statuses: Mapping[str, str]) -> dict[str, str]:
    """Of the answers about a connector those that events of a service that uses it have too."""
    return {rule: answer for rule, answer in statuses.items() if rule in ASKED_WITH_SERVICES}


def passing(rules: Collection[str]) -> dict[str, str]:
    return dict.fromkeys(rules, "pass")


def test_the_busy_connector_has_answers_of_both_kinds(unhindered: Outcome) -> None:
    failed = {"AR102", "AR111", "AR204"}
    assert unhindered.statuses == {rule: "fail" if rule in failed else "pass" for rule in sorted(ASKED)}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("action", UNKNOWN)
def test_a_failed_read_leaves_unanswered_what_needs_it_and_nothing_else(
    action: str, fault: Fault, unhindered: Outcome
) -> None:
    outcome = judged(created_connector(), {action: fault})
    expected = {rule: "unknown" if rule in UNKNOWN[action] else was for rule, was in unhindered.statuses.items()}
    assert outcome.statuses == expected
    assert f"{action} failed ({fault.code})" in outcome.alert


@pytest.mark.parametrize("action", [action for action in UNKNOWN if action.startswith("ec2:")])
def test_only_rules_that_say_so_are_touched_by_a_failed_read(action: str) -> None:
    facts = {fact for fact, actions in READ_WITH.items() if action in actions}
    assert UNKNOWN[action] <= {rule.id for rule in RULES if facts & set(rule.needs)}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
@pytest.mark.parametrize("action", [action for action in UNKNOWN if action.startswith("ec2:")])
def test_a_failed_read_does_the_same_whatever_the_event(
    action: str, event: Callable[[], Event], unhindered: Outcome
) -> None:
    outcome = judged(event(), {action: FAULTS["denied"]})
    expected = {rule: "unknown" if rule in UNKNOWN[action] else was for rule, was in unhindered.statuses.items()}
    if event is EVENTS["CreateVpcConnector"]:
        assert outcome.statuses == expected
    else:
        assert outcome.of(CONNECTOR) == with_services(expected)
        assert outcome.of(SERVICE) == passing(OF_SERVICES - {"AR407", "AR901"})


def test_a_connector_that_cannot_be_read_is_unknown_to_every_rule_that_an_event_asks() -> None:
    both = ("apprunner:DescribeVpcConnector", "apprunner:ListVpcConnectors")
    outcome = judged(created_connector(), dict.fromkeys(both, FAULTS["denied"]))
    assert outcome.statuses == dict.fromkeys(ASKED_WITH_SERVICES, "unknown")
    assert "apprunner:DescribeVpcConnector failed (UnauthorizedOperation)" in outcome.alert


def test_a_new_connector_that_the_list_does_not_have_yet_is_asked_for_by_name() -> None:
    behind = answered(lambda _: {"VpcConnectors": []})
    outcome = validated(created_connector(), healthy(), faults={"apprunner:ListVpcConnectors": behind})
    assert outcome.rules("fail") == set()
    assert "apprunner:DescribeVpcConnector" in outcome.aws.actions


def test_a_rule_that_fails_by_one_part_says_what_it_could_not_read_of_another() -> None:
    outcome = judged(created_connector(), {"ec2:GetManagedPrefixListEntries": FAULTS["denied"]})
    assert outcome.statuses["AR102"] == "fail"
    assert (
        "- AR102 connector_public_subnet: in part, ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)"
        in outcome.alert.splitlines()
    )


def test_one_of_two_attributes_that_cannot_be_read_leaves_the_other() -> None:
    support = refused("UnauthorizedOperation", 403, when=lambda asked: asked["Attribute"] == "enableDnsSupport")
    hostnames = refused("UnauthorizedOperation", 403, when=lambda asked: asked["Attribute"] == "enableDnsHostnames")
    assert judged(created_connector(), {"ec2:DescribeVpcAttribute": support}).statuses["AR111"] == "fail"
    assert judged(created_connector(), {"ec2:DescribeVpcAttribute": hostnames}).statuses["AR111"] == "unknown"


def test_without_the_acls_and_groups_the_subnets_tell_the_vpc(unhindered: Outcome) -> None:
    denied = FAULTS["denied"]
    outcome = judged(created_connector(), {"ec2:DescribeNetworkAcls": denied, "ec2:DescribeSecurityGroups": denied})
    unread = UNKNOWN["ec2:DescribeNetworkAcls"] | UNKNOWN["ec2:DescribeSecurityGroups"]
    assert outcome.statuses == {rule: "unknown" if rule in unread else was for rule, was in unhindered.statuses.items()}


def test_when_all_of_ec2_is_denied_nothing_is_a_verdict_but_one_alert_says_so() -> None:
    outcome = judged(created_connector(), {action: FAULTS["denied"] for action in UNKNOWN if "ec2" in action})
    known = {"AR302", "AR303", "AR306", "AR408", "AR901"}
    assert outcome.rules("unknown") == ASKED - known
    assert outcome.rules("pass") == known
    assert f"{len(ASKED - known)} guardrails could not be judged for VPC connector shop-web" in outcome.alert


def test_a_service_that_cannot_be_read_is_unknown_and_its_connector_is_judged_by_the_event(unhindered: Outcome) -> None:
    outcome = judged(service_call("UpdateService"), {"apprunner:DescribeService": FAULTS["denied"]})
    assert outcome.resources == {CONNECTOR, SERVICE}
    assert outcome.of(CONNECTOR) == with_services(unhindered.statuses)
    assert outcome.of(SERVICE) == dict.fromkeys(OF_SERVICES, "unknown")


def test_a_service_that_cannot_be_read_and_whose_event_names_no_connector_is_alone_unknown() -> None:
    outcome = judged(finished_update(), {"apprunner:DescribeService": refused("AccessDeniedException")})
    assert (outcome.resources, outcome.rules("unknown")) == ({SERVICE}, OF_SERVICES)
    assert outcome.alert.splitlines()[0] == "10 guardrails could not be judged for service shop"
    assert "apprunner:DescribeService failed (AccessDeniedException)" in outcome.alert


def test_a_redacted_connector_is_no_connector() -> None:
    hidden = service_call("UpdateService", connector_arn="HIDDEN_DUE_TO_SECURITY_REASONS")
    invalid = refused("InvalidRequestException")
    faults = {"apprunner:DescribeService": FAULTS["denied"], "apprunner:DescribeVpcConnector": invalid}
    outcome = judged(hidden, faults)
    assert (outcome.resources, outcome.rules("unknown")) == ({SERVICE}, OF_SERVICES)


def test_a_connector_that_cannot_be_read_is_unknown_and_so_is_whether_its_service_has_one() -> None:
    outcome = judged(service_call("CreateService"), {"apprunner:DescribeVpcConnector": FAULTS["denied"]})
    assert outcome.of(CONNECTOR) == dict.fromkeys(ASKED_WITH_SERVICES, "unknown")
    assert outcome.rules("unknown", SERVICE) == {"AR409"}


def test_a_list_of_connectors_that_cannot_be_read_is_made_up_for(unhindered: Outcome) -> None:
    outcome = judged(finished_update(), {"apprunner:ListVpcConnectors": FAULTS["throttled"]})
    assert outcome.of(CONNECTOR) == with_services(unhindered.statuses)
    assert outcome.of(SERVICE) == passing(OF_SERVICES - {"AR407", "AR901"})
    assert "could not be judged" not in outcome.alert


def test_a_connector_that_the_list_does_not_have_yet_is_asked_for(unhindered: Outcome) -> None:
    """Lists lag behind; a connector that was made a moment ago is known by its ARN."""
    outcome = judged(
        finished_update(), rows={**busy(), "VpcConnectors": [], "NewVpcConnectors": [connector(CONNECTOR)]}
    )
    assert outcome.of(CONNECTOR) == with_services(unhindered.statuses)
    assert outcome.aws.rounds[:2] == [
        ["apprunner:DescribeService", "apprunner:ListVpcConnectors", "dynamodb:Scan"],
        ["apprunner:DescribeVpcConnector"],
    ]


PUBLISHING = {
    **FAULTS,
    "missing topic": refused("NotFound", 404),
    "denied topic": refused("AuthorizationError", 403),
    "bad parameter": refused("InvalidParameter", 400),
    "key of the topic denied": refused("KMSAccessDenied", 400),
}


@pytest.mark.parametrize("fault", PUBLISHING.values(), ids=PUBLISHING)
def test_an_alert_that_cannot_be_published_fails_the_invocation(fault: Fault) -> None:
    with pytest.raises(NotPublished) as raised:
        judged(created_connector(), {"sns:Publish": fault}, public())
    assert str(raised.value).startswith(f"AR102 of {CONNECTOR} did not reach text: {TOPIC}: ")


def test_a_healthy_connector_needs_no_topic() -> None:
    gone = refused("NotFound", 404)
    assert judged(created_connector(), {"sns:Publish": gone}, healthy()).rules("fail") == set()


INACTIVE = connector(CONNECTOR, Status="INACTIVE")
NOTHING_TO_JUDGE: Mapping[str, tuple[Event, Rows, str]] = {
    "a connector that App Runner has forgotten": (
        created_connector(),
        {**healthy(), "VpcConnectors": []},
        f"the VPC connector {CONNECTOR} no longer exists",
    ),
    "a connector that was deleted": (
        created_connector(),
        {**healthy(), "VpcConnectors": [INACTIVE]},
        f"the VPC connector {CONNECTOR} was deleted: it is INACTIVE",
    ),
    "a service that is gone": (
        service_call("CreateService"),
        {**healthy(), "Services": []},
        f"the service {SERVICE} no longer exists",
    ),
    "a service that is gone, by an event without a connector": (
        finished_update(),
        {**healthy(), "Services": []},
        f"the service {SERVICE} no longer exists",
    ),
    "a service that was deleted and is still remembered": (
        finished_update(),
        {**healthy(), "Services": [service(CONNECTOR, Status="DELETED")]},
        f"the service {SERVICE} was deleted",
    ),
}


@pytest.mark.parametrize(("event", "rows", "why"), NOTHING_TO_JUDGE.values(), ids=NOTHING_TO_JUDGE)
def test_what_is_not_there_any_more_is_left_alone_with_a_reason(event: Event, rows: Rows, why: str) -> None:
    outcome = validated(event, rows)
    assert (outcome.ignored, outcome.aws.published) == (why, [])


@pytest.mark.parametrize(
    "event",
    [service_call("CreateService", connector_arn=""), service_call("UpdateService"), finished_update()],
    ids=["it never had one", "it has left it since", "nobody says"],
)
def test_a_service_without_a_connector_is_judged_alone(event: Event) -> None:
    outcome = validated(event, {**healthy(), "Services": [service("")]})
    assert (outcome.resources, outcome.aws.acted) == ({SERVICE}, [])
    assert outcome.statuses == passing(OF_SERVICES - {"AR407", "AR901"})


@pytest.mark.parametrize(
    "rows",
    [{"VpcConnectors": [INACTIVE]}, {"VpcConnectors": []}],
    ids=["told as inactive", "forgotten"],
)
@pytest.mark.parametrize("event", [service_call("CreateService"), finished_update()], ids=["named", "not named"])
def test_a_service_whose_connector_is_gone_says_so(event: Event, rows: Rows) -> None:
    outcome = validated(event, {**healthy(), **rows})
    assert outcome.failing == {SERVICE: {"AR409"}}
    assert "DescribeSubnets" not in " ".join(outcome.aws.actions)


def test_a_service_whose_connector_is_gone_ends_what_is_open_of_the_connector() -> None:
    rows = public()
    validated(created_connector(), rows)
    outcome = validated(finished_update(), {**rows, "VpcConnectors": [INACTIVE]}, now=NOW + 60)
    assert (outcome.failing[SERVICE], outcome.of(CONNECTOR)) == ({"AR409"}, {})
    report = outcome.report.as_json()
    assert [(one["resource"], one["rule"]) for one in report["resolved"]] == [(CONNECTOR, "AR102")]


def test_a_service_is_judged_by_the_connector_that_it_has_now() -> None:
    rows = healthy()
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR, Subnets=["subnet-public-a"]))
    rows["Services"] = [service(OTHER_CONNECTOR)]
    outcome = validated(service_call("UpdateService", connector_arn=CONNECTOR), rows)
    assert outcome.failing == {OTHER_CONNECTOR: {"AR101", "AR102"}, SERVICE: set()}


def test_a_service_is_judged_by_its_connector_though_that_of_the_event_is_gone() -> None:
    rows = {**healthy(), "VpcConnectors": [connector(OTHER_CONNECTOR)], "Services": [service(OTHER_CONNECTOR)]}
    outcome = validated(service_call("UpdateService", connector_arn=CONNECTOR), rows)
    assert outcome.failing == {OTHER_CONNECTOR: set(), SERVICE: set()}


@pytest.mark.parametrize(
    "event",
    [created_connector(subnets=("subnet-public-a", "subnet-public-b")), created_connector(groups=("sg-default",))],
    ids=["other subnets", "another group"],
)
def test_a_connector_is_judged_by_what_aws_has_now(event: Event) -> None:
    assert validated(event, healthy()).rules("pass") == ASKED


# A new connector beside the others.


def fleet(count: int) -> Rows:
    """The healthy rows with so many connectors, each in a subnet of its own."""
    rows = healthy()
    for number in range(1, count):
        arn = OTHER_CONNECTOR.replace("/shop-api/", f"/other-{number}/")
        rows["VpcConnectors"].append(connector(arn, Subnets=[f"subnet-{number}"]))
    return rows


def test_a_new_connector_that_another_could_do_for_is_told_of() -> None:
    rows = healthy()
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR))
    assert validated(created_connector(), rows).rules("fail") == {"AR302"}
    assert "AR302" not in validated(finished_update(), rows).of(CONNECTOR)


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not listed yet"])
def test_a_new_connector_counts_though_the_list_lags_behind(listed: bool) -> None:
    """With it there are eight of ten."""
    rows = fleet(8)
    if not listed:
        made, *others = rows["VpcConnectors"]
        rows |= {"VpcConnectors": others, "NewVpcConnectors": [made]}
    outcome = validated(created_connector(), rows)
    assert outcome.rules("fail") == {"AR303"}
    assert "8 of 10" in outcome.alert


def test_the_quota_is_asked_for_only_where_it_may_be_near() -> None:
    raised = {"ServiceQuotas": [{"ServiceCode": "apprunner", "QuotaCode": "L-F7ADEB8C", "Value": 20.0}]}
    assert "servicequotas:GetServiceQuota" not in validated(created_connector(), fleet(7)).aws.actions
    outcome = validated(created_connector(), {**fleet(8), **raised})
    assert (outcome.rules("fail"), outcome.aws.actions.count("servicequotas:GetServiceQuota")) == (set(), 1)


# What services declare that they depend on: read where a tag was changed, and of a connector that was just made.

REACHES = "apprunner-guardrails:reaches"


@pytest.mark.parametrize("resource", [CONNECTOR, SERVICE], ids=["of the connector", "of a service"])
def test_a_declaration_is_judged_as_soon_as_it_is_made(resource: str) -> None:
    """The group lets nothing out to the port that is named."""
    event = tagged(resource)
    event["detail"]["requestParameters"]["tags"] = [{"key": REACHES, "value": "10.0.99.0/24:5432"}]
    rows = {**healthy(), "Tags": [tag(resource, REACHES, "10.0.99.0/24:5432")], "IndexedTags": []}
    outcome = validated(event, rows)
    assert outcome.failing == {CONNECTOR: {"AR306"}, **({SERVICE: set()} if resource == SERVICE else {})}
    other = validated(tagged(resource), rows)
    assert CONNECTOR not in other.resources or "AR306" not in other.of(CONNECTOR)


def test_a_declaration_that_cannot_be_read_ends_nothing() -> None:
    """The index of tags lags behind, and the service's own tags are denied: nobody knows what it depends on now."""
    event = tagged(SERVICE)
    event["detail"]["requestParameters"]["tags"] = [{"key": REACHES, "value": "10.0.99.0/24:5432"}]
    denied = refused("AccessDeniedException", when=lambda asked: asked["ResourceArn"] == SERVICE)
    outcome = validated(event, healthy(), faults={"apprunner:ListTagsForResource": denied})
    assert outcome.of(CONNECTOR)["AR306"] == "unknown"


# Services.


def private(ingress_status: str = "AVAILABLE") -> Rows:
    path = private_path()
    rows = {**path, "Services": [through_connector(path["Services"][0])]}
    find(rows, "VpcIngressConnections", INGRESS)["Status"] = ingress_status
    return rows


def through_connector(row: Row) -> Row:
    egress = {"EgressType": "VPC", "VpcConnectorArn": CONNECTOR}
    return {**row, "NetworkConfiguration": {**row["NetworkConfiguration"], "EgressConfiguration": egress}}


def test_a_private_service_that_nothing_leads_to_is_told_of() -> None:
    assert validated(finished_update(), private()).failing == {SERVICE: set(), CONNECTOR: set()}
    assert validated(finished_update(), private("FAILED_CREATION")).failing == {SERVICE: {"AR403"}, CONNECTOR: set()}


def test_a_service_is_exempted_by_its_tags() -> None:
    rows = private("FAILED_CREATION")
    rows["Tags"].append(exempt(SERVICE, "AR403"))
    outcome = validated(finished_update(), rows)
    assert (outcome.rules("exempt", SERVICE), outcome.report.alerts) == ({"AR403"}, 0)


def test_what_policies_ask_of_services_is_judged_by_their_own_events() -> None:
    strict = replace(SETTINGS, require_private_ingress=True, require_observability=True, required_tags=("team",))
    outcome = validated(service_call("CreateService"), healthy(), settings=strict)
    assert outcome.failing == {SERVICE: {"AR402", "AR404", "AR407"}, CONNECTOR: {"AR408"}}
    no_egress = replace(SETTINGS, require_vpc_egress=True)
    assert validated(finished_update(), {**healthy(), "Services": [service("")]}, settings=no_egress).failing == {
        SERVICE: {"AR401"}
    }


def test_tags_that_no_rule_looks_at_are_not_read() -> None:
    event = tagged(CONNECTOR)
    event["detail"]["requestParameters"]["tags"] = [{"key": "team", "value": "shop"}]
    idle = validated(event, healthy())
    assert (idle.ignored, idle.aws.calls) == ("the call TagResource names no tag that any rule looks at", [])
    required = validated(event, healthy(), settings=replace(SETTINGS, required_tags=("team",)))
    assert required.failing == {CONNECTOR: {"AR408"}}


# What somebody just made, which is being tagged. The rows have no tags.
CREATIONS: Mapping[str, Callable[[], Event]] = {name: EVENTS[name] for name in ("CreateVpcConnector", "CreateService")}
CONCERNING: Mapping[str, Callable[[], Event]] = {
    **EVENTS,
    "UpdateService": lambda: service_call("UpdateService"),
    "TagResource of the connector": lambda: tagged(CONNECTOR),
    "TagResource of the service": lambda: tagged(SERVICE),
    "a change of the network": replaced_route,
}
NO_NAMES = {"created_by_tag": "", "created_at_tag": "", "created_with_tag": ""}
OF_TAGS = {CONNECTOR: "AR408", SERVICE: "AR407"}


def requiring(*keys: str, **changes: object) -> Settings:
    """These tags are required, and all that is made gets a team beside the tags that everything gets."""
    given: Mapping[str, object] = {"default_tags": {"team": "platform"}, **changes}
    return replace(SETTINGS, required_tags=keys, **given)  # type: ignore[arg-type]  # members of the settings


def made(*, ago: int = 60, connector_ago: int | None = None) -> Rows:
    """The healthy rows, where the service was made so many seconds ago, and the connector then or at another time."""
    rows, ages = healthy(), {"Services": ago, "VpcConnectors": ago if connector_ago is None else connector_ago}
    for member, age in ages.items():
        rows[member][0]["CreatedAt"] = datetime.fromtimestamp(NOW - age, UTC)
    return rows


def lacking(outcome: Outcome) -> set[str]:
    """What is said to be lacking, of whatever resource."""
    opened = outcome.report.as_json()["opened"]
    assert isinstance(opened, list)
    return {message for one in opened if one["rule"] in ("AR407", "AR408") for message in one["messages"]}


def told(outcome: Outcome) -> list[object]:
    said = outcome.report.as_json()
    return [said[name] for name in ("opened", "changed", "resolved")]


def left_of_tags(outcome: Outcome) -> dict[str, bool]:
    """Whether the rule about tags that must be there was left, by resource. One that was left has no answer."""
    left = {one.resource: OF_TAGS[one.resource] in one.left for one in outcome.report.evaluations}
    assert {one for one in left if OF_TAGS[one] not in outcome.of(one)} == {
        one for one, is_left in left.items() if is_left
    }
    return left


@pytest.mark.parametrize(
    "settings",
    [
        requiring("created-by"),
        requiring("created-with", "team"),
        requiring(ANY_TAG),
        requiring(ANY_TAG, **NO_NAMES),
        requiring("owner", created_by_tag="owner"),
    ],
    ids=["created-by", "created-with and team", "any", "any with none but the team", "owner by another name"],
)
@pytest.mark.parametrize("event", CONCERNING.values(), ids=CONCERNING)
def test_what_was_just_made_lacks_no_tag_that_it_is_being_given(event: Callable[[], Event], settings: Settings) -> None:
    outcome = validated(event(), made(), settings=settings)
    assert left_of_tags(outcome) == dict.fromkeys(outcome.resources, True)
    assert outcome.failing == {resource: set() for resource in outcome.resources}


@pytest.mark.parametrize("event", CONCERNING.values(), ids=CONCERNING)
def test_what_was_just_made_lacks_the_tags_that_nobody_is_giving_it(event: Callable[[], Event]) -> None:
    outcome = validated(event(), made(), settings=requiring("created-by", "cost-center", "team"))
    assert lacking(outcome) == {"it lacks required tags: cost-center"}
    assert set(left_of_tags(outcome).values()) == {False}


@pytest.mark.parametrize("required", ["created-by", ANY_TAG])
@pytest.mark.parametrize("event", CREATIONS.values(), ids=CREATIONS)
def test_where_nothing_is_tagged_what_was_just_made_lacks_its_tags_at_once(
    event: Callable[[], Event], required: str
) -> None:
    settings = requiring(required, default_tags={}, **NO_NAMES)
    failing = validated(event(), made(), settings=settings).failing
    assert failing == {resource: {OF_TAGS[resource]} for resource in failing}


@pytest.mark.parametrize("event", CONCERNING.values(), ids=CONCERNING)
def test_that_tags_are_on_their_way_does_not_end_what_was_found(event: Callable[[], Event]) -> None:
    """An exemption or a tag that somebody took away, say: whatever was recorded of it stands."""
    before, rows, settings = healthy(), made(), requiring("created-by")
    audited(before, settings=settings)
    rows["Items"] = before["Items"]
    assert {one["rule"]["S"] for one in rows["Items"]} >= {"AR407", "AR408"}
    assert told(validated(event(), rows, settings=settings)) == [[], [], []]
    again = audited(rows, settings=settings)
    assert (told(again), again.report.alerts) == ([[], [], []], 0)


@pytest.mark.parametrize("event", CREATIONS.values(), ids=CREATIONS)
def test_the_event_of_a_creation_that_comes_once_more_days_later_ends_nothing(event: Callable[[], Event]) -> None:
    rows, settings = made(ago=3 * 86_400), requiring("created-by")
    assert audited(rows, settings=settings).failing == {CONNECTOR: {"AR408"}, SERVICE: {"AR407"}}
    assert told(validated(event(), rows, settings=settings)) == [[], [], []]


def test_a_new_service_does_not_make_the_connector_new_that_it_uses() -> None:
    rows, settings = made(connector_ago=86_400), requiring("created-by")
    first = validated(service_call("CreateService"), rows, settings=settings)
    assert (first.failing, left_of_tags(first)) == (
        {CONNECTOR: {"AR408"}, SERVICE: set()},
        {CONNECTOR: False, SERVICE: True},
    )
    again = validated(service_call("CreateService"), rows, settings=settings, now=NOW + 60)
    assert (again.rules("fail", CONNECTOR), told(again)) == ({"AR408"}, [[], [], []])


def test_what_was_just_made_and_has_its_tags_is_said_to_have_them() -> None:
    rows = made()
    rows["Tags"] = [tag(arn, "created-by", "alice") for arn in (CONNECTOR, SERVICE)]
    outcome = validated(service_call("UpdateService"), rows, settings=requiring("created-by"))
    assert {arn: outcome.of(arn)[rule] for arn, rule in OF_TAGS.items()} == {CONNECTOR: "pass", SERVICE: "pass"}


def test_tags_that_cannot_be_read_are_not_known_however_new_it_is() -> None:
    denied = {"apprunner:ListTagsForResource": FAULTS["denied"]}
    outcome = validated(created_connector(), made(), settings=requiring("created-by"), faults=denied)
    assert outcome.statuses["AR408"] == "unknown"


@pytest.mark.parametrize("event", CREATIONS.values(), ids=CREATIONS)
def test_tags_that_are_on_their_way_cost_no_call(event: Callable[[], Event]) -> None:
    calls = validated(event(), made()).aws.actions
    assert validated(event(), made(), settings=requiring("created-by")).aws.actions == calls


def test_a_connector_that_app_runner_tells_no_time_of_is_as_old_as_the_event_that_made_it() -> None:
    event, settings = created_connector(), requiring("created-by")
    made_at = int(datetime.fromisoformat(event["detail"]["eventTime"]).timestamp())
    in_time = validated(event, healthy(), settings=settings, now=made_at + TAGGED_WITHIN_SECONDS - 1)
    late = validated(event, healthy(), settings=settings, now=made_at + TAGGED_WITHIN_SECONDS)
    assert [one.failing for one in (in_time, late)] == [{CONNECTOR: set()}, {CONNECTOR: {"AR408"}}]
    assert left_of_tags(in_time) == {CONNECTOR: True}
    for other in (service_call("UpdateService", time=event["detail"]["eventTime"]), replaced_route()):
        assert validated(other, healthy(), settings=settings, now=made_at).rules("fail", CONNECTOR) == {"AR408"}


@pytest.mark.parametrize("required", ["created-by", "team", ANY_TAG])
def test_of_what_was_made_before_all_look_whether_the_tags_are_there(required: str) -> None:
    settings = requiring(required)
    lacks = {CONNECTOR: {"AR408"}, SERVICE: {"AR407"}}
    untagged = tagged(CONNECTOR)
    untagged["detail"] |= {"eventName": "UntagResource"}
    untagged["detail"]["requestParameters"] = {"resourceArn": CONNECTOR, "tagKeys": [required]}

    def old() -> Rows:
        return made(ago=TAGGED_WITHIN_SECONDS)

    assert validated(finished_update(), old(), settings=settings).failing == lacks
    assert validated(service_call("UpdateService"), old(), settings=settings).failing == lacks
    assert validated(untagged, old(), settings=settings).failing == {CONNECTOR: {"AR408"}}
    assert validated(replaced_route(), old(), settings=settings).failing == {CONNECTOR: {"AR408"}}
    assert audited(old(), settings=settings).failing == lacks


def test_an_event_with_nothing_but_the_connector_is_judged_alike() -> None:
    event = created_connector(subnets=(), groups=())
    assert validated(event, busy(), settings=NEEDS_ENDPOINTS).statuses == judged(created_connector()).statuses


def test_a_report_is_what_the_contract_says() -> None:
    rows = public()
    find(rows, "SecurityGroups", GROUP)["IpPermissionsEgress"] = []
    report = validated(created_connector(), rows).answer
    no_egress = f"no security group of the connector has an outbound rule: {GROUP}"
    public_subnets = [
        f"subnet-private-{letter} (use1-az{number}) is public: its route table rtb-private-{letter} sends 0.0.0.0/0 to"
        " igw-1"
        for letter, number in (("a", 1), ("b", 2), ("c", 4))
    ]
    assert report.as_json() == {  # type: ignore[union-attr]  # not ignored
        "resources": {CONNECTOR: {rule: "fail" if rule in ("AR102", "AR202") else "pass" for rule in sorted(ASKED)}},
        "opened": [
            {"resource": CONNECTOR, "rule": "AR102", "severity": "HIGH", "messages": public_subnets},
            {"resource": CONNECTOR, "rule": "AR202", "severity": "HIGH", "messages": [no_egress]},
        ],
        "changed": [],
        "resolved": [],
        "alerts": 1,
    }
