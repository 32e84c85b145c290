"""From an event to what the rules answer: what fails on the way, what is gone by now, and what the event had wrong."""

from collections.abc import Callable, Mapping

import pytest

from apprunner_guardrails.facts import READ_WITH
from apprunner_guardrails.rules import RULES
from apprunner_guardrails.tell import NotPublished
from tests.aws import FAULTS, Fault, Outcome, refused, validated
from tests.samples import (
    CONNECTOR,
    GROUP,
    NEEDS_ENDPOINTS,
    OTHER_CONNECTOR,
    SERVICE,
    TOPIC,
    Event,
    Rows,
    busy,
    connector,
    created_connector,
    find,
    finished_update,
    healthy,
    public,
    service,
    service_call,
)

ALL = {rule.id for rule in RULES}
ABOUT_SUBNETS = {rule.id for rule in RULES if "subnets" in rule.needs}
ABOUT_GROUPS = {rule.id for rule in RULES if "security_groups" in rule.needs}

# What each failed read leaves unanswered about the busy connector, where AR102, AR111 and AR204 fail.
UNKNOWN: Mapping[str, set[str]] = {
    "apprunner:DescribeVpcConnector": ALL,
    "ec2:DescribeAvailabilityZones": {"AR101"},
    "ec2:DescribeNatGateways": {"AR109", "AR110"},
    "ec2:DescribeNetworkAcls": {"AR112"},
    "ec2:DescribeNetworkInterfaces": {"AR204"},
    "ec2:DescribeRouteTables": {"AR102", "AR107", "AR108", "AR109", "AR110"},
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


def test_the_busy_connector_has_answers_of_both_kinds(unhindered: Outcome) -> None:
    failed = {"AR102", "AR111", "AR204"}
    assert unhindered.statuses == {rule: "fail" if rule in failed else "pass" for rule in sorted(ALL)}


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
    assert outcome.statuses == expected
    assert outcome.resources == {CONNECTOR}


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
    assert outcome.rules("unknown") == ALL - {"AR901"}
    assert outcome.rules("pass") == {"AR901"}
    assert "18 guardrails could not be judged for VPC connector shop-web" in outcome.alert


def test_a_service_that_cannot_be_read_is_judged_by_the_event(unhindered: Outcome) -> None:
    outcome = judged(service_call("UpdateService"), {"apprunner:DescribeService": FAULTS["denied"]})
    assert (outcome.resources, outcome.statuses) == ({CONNECTOR}, unhindered.statuses)


def test_a_service_that_cannot_be_read_and_whose_event_names_no_connector_is_not_judged() -> None:
    outcome = judged(finished_update(), {"apprunner:DescribeService": refused("AccessDeniedException")})
    assert (outcome.resources, outcome.rules("unknown")) == ({SERVICE}, ALL)
    assert outcome.alert.splitlines()[0] == "19 guardrails could not be judged for service shop"
    assert "apprunner:DescribeService failed (AccessDeniedException)" in outcome.alert


def test_a_redacted_connector_is_no_connector() -> None:
    hidden = service_call("UpdateService", connector_arn="HIDDEN_DUE_TO_SECURITY_REASONS")
    invalid = refused("InvalidRequestException")
    faults = {"apprunner:DescribeService": FAULTS["denied"], "apprunner:DescribeVpcConnector": invalid}
    outcome = judged(hidden, faults)
    assert (outcome.resources, outcome.rules("unknown")) == ({SERVICE}, ALL)


def test_a_list_of_connectors_that_cannot_be_read_is_made_up_for(unhindered: Outcome) -> None:
    outcome = judged(finished_update(), {"apprunner:ListVpcConnectors": FAULTS["throttled"]})
    assert (outcome.resources, outcome.statuses) == ({CONNECTOR}, unhindered.statuses)
    assert "could not be judged" not in outcome.alert


def test_a_connector_that_the_list_does_not_have_yet_is_asked_for(unhindered: Outcome) -> None:
    """Lists lag behind; a connector that was made a moment ago is known by its ARN."""
    outcome = judged(
        finished_update(), rows={**busy(), "VpcConnectors": [], "NewVpcConnectors": [connector(CONNECTOR)]}
    )
    assert (outcome.resources, outcome.statuses) == ({CONNECTOR}, unhindered.statuses)
    assert outcome.aws.rounds[:2] == [
        ["apprunner:DescribeService", "apprunner:ListVpcConnectors"],
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
    "a service without a connector": (
        service_call("CreateService", connector_arn=""),
        {**healthy(), "Services": [service("")]},
        f"the service {SERVICE} uses no VPC connector",
    ),
    "a service that has left its connector since": (
        service_call("UpdateService"),
        {**healthy(), "Services": [service("")]},
        f"the service {SERVICE} uses no VPC connector",
    ),
    "a service whose connector is gone": (
        finished_update(),
        {**healthy(), "VpcConnectors": [INACTIVE]},
        f"the VPC connector {CONNECTOR} was deleted: it is INACTIVE",
    ),
}


@pytest.mark.parametrize(("event", "rows", "why"), NOTHING_TO_JUDGE.values(), ids=NOTHING_TO_JUDGE)
def test_what_is_not_there_any_more_is_left_alone_with_a_reason(event: Event, rows: Rows, why: str) -> None:
    outcome = validated(event, rows)
    assert (outcome.ignored, outcome.aws.published) == (why, [])


def test_a_service_is_judged_by_the_connector_that_it_has_now() -> None:
    rows = healthy()
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR, Subnets=["subnet-public-a"]))
    rows["Services"] = [service(OTHER_CONNECTOR)]
    outcome = validated(service_call("UpdateService", connector_arn=CONNECTOR), rows)
    assert (outcome.resources, outcome.rules("fail")) == ({OTHER_CONNECTOR}, {"AR101", "AR102"})


def test_a_service_is_judged_by_its_connector_though_that_of_the_event_is_gone() -> None:
    rows = {**healthy(), "VpcConnectors": [connector(OTHER_CONNECTOR)], "Services": [service(OTHER_CONNECTOR)]}
    outcome = validated(service_call("UpdateService", connector_arn=CONNECTOR), rows)
    assert (outcome.resources, outcome.rules("pass")) == ({OTHER_CONNECTOR}, ALL)


@pytest.mark.parametrize(
    "event",
    [created_connector(subnets=("subnet-public-a", "subnet-public-b")), created_connector(groups=("sg-default",))],
    ids=["other subnets", "another group"],
)
def test_a_connector_is_judged_by_what_aws_has_now(event: Event) -> None:
    assert validated(event, healthy()).rules("pass") == ALL


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
        "resources": {CONNECTOR: {rule: "fail" if rule in ("AR102", "AR202") else "pass" for rule in sorted(ALL)}},
        "opened": [
            {"resource": CONNECTOR, "rule": "AR102", "severity": "HIGH", "messages": public_subnets},
            {"resource": CONNECTOR, "rule": "AR202", "severity": "HIGH", "messages": [no_egress]},
        ],
        "changed": [],
        "resolved": [],
        "alerts": 1,
    }
