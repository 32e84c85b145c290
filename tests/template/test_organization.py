"""organization.yaml beside template.yaml: a member sends what is watched at home, and lets it read, nothing else."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from apprunner_guardrails import drift
from apprunner_guardrails.events import CALLS, EXPLAINED, FAILED, FINISHED, TAGGING
from apprunner_guardrails.paths import triggers as paths
from replay.template import Pattern, load, matches
from tests.template.asked import actions_asked_for
from tests.template.iam import ACCOUNT, REGION, Deployed, Request, listed, permits

ROOT = Path(__file__).parents[2]
ORGANIZATION, EXTERNAL_ID = "o-a1b2c3d4e5", "guardrails-of-example"
HOME_ACCOUNT, OTHER_REGION = "111122223333", "eu-west-1"
HOME, MEMBER = load(), load(ROOT / "organization.yaml")
ROLE = "apprunner-guardrails-member"
SHARED = {"OrganizationId": ORGANIZATION, "MemberExternalId": EXTERNAL_ID}
GUARDED = ("ValidateNetworkFunction", "AuditRegionFunction")
# What a function does where it is deployed, wherever it looks.
AT_HOME = re.compile(r"(dynamodb|events|securityhub|sns|sqs|sts):.+")

WATCHING = {
    name: pattern
    for patterns in (
        HOME.functions["ValidateNetworkFunction"].patterns,
        HOME.functions["ValidateNetworkFunction"].queues["DriftQueue"].patterns,
    )
    for name, pattern in patterns.items()
}
SENDING: Mapping[str, Pattern] = {
    name: rule["EventPattern"] for name, rule in MEMBER.of_type("AWS::Events::Rule").items()
}
TAKING = {
    name: pattern
    for one in HOME.functions.values()
    for queue in one.queues.values()
    for name, pattern in queue.member_patterns.items()
}


def member(**parameters: str) -> Deployed:
    """organization.yaml as it is deployed to the account and Region of tests.template.iam."""
    given = {
        "HomeAccountId": HOME_ACCOUNT,
        "HomeRegion": REGION,
        "HomeStackName": "guardrails",
        **SHARED,
        **parameters,
    }
    return Deployed(stack=MEMBER, parameters=given)


# --- which events are sent -----------------------------------------------------------------------------------------


def of(patterns: Mapping[str, Pattern], event: Mapping[str, object]) -> list[str]:
    return [name for name, pattern in patterns.items() if matches(pattern, event)]


SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("*.json"))}
AUDITS = [name for name, event in SAMPLES.items() if event["detail-type"] == "Audit Due"]


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in AUDITS])
def test_a_sample_event_is_sent_once_if_the_deployment_would_watch_it_at_home_and_else_not(name: str) -> None:
    assert len(of(SENDING, SAMPLES[name])) == (1 if of(WATCHING, SAMPLES[name]) else 0)


OTHER_CALLS = (
    *(("apprunner", one) for one in ("PauseService", "StartDeployment", "CreateAutoScalingConfiguration")),
    *(("ec2", one) for one in ("RunInstances", "CreateSubnet", "DeleteVpcEndpointServiceConfigurations")),
    *(("elasticloadbalancing", one) for one in ("RegisterTargets", "DeregisterTargets", "CreateTargetGroup")),
    *(("apigateway", one) for one in ("CreateDeployment", "PutIntegration", "ImportApi")),
    ("ecs", "CreateService"),
)
WATCHED_CALLS = (
    *((source.removesuffix(".amazonaws.com"), name) for source, name in (*CALLS, *EXPLAINED)),
    *(("apprunner", name) for name in TAGGING),
    *(("ec2", name) for name in drift.CALLS),
    *((source.removesuffix(".amazonaws.com"), name) for source, name in (*paths.CALLS, *paths.TAGGING)),
)
STATUSES = tuple(
    f"{verb}{end}"
    for verb in ("CreateService", "UpdateService", "DeleteService", "PauseService", "ResumeService", "Deployment")
    for end in ("Started", "CompletedSuccessfully", "Failed")
)


def requests() -> Iterator[Mapping[str, object]]:
    """Requests that differ in what a pattern may look at."""
    yield {}
    for key in ("apprunner-guardrails:exempt:AR101", "AppRunner-Guardrails:x", "team"):
        yield {"tagSet": {"items": [{"key": "Name"}, {"key": key}]}}
        yield {"tags": [{"key": key}], "resourceArns": ["arn"]}
        yield {"tagKeys": [key]}
        for kind in ("service", "vpcconnector", "vpcingressconnection", "autoscalingconfiguration"):
            arn = f"arn:aws:apprunner:eu-west-1:210987654321:{kind}/orders/1/0123"
            yield {"resourceArn": arn, "tags": [{"key": key}], "tagKeys": [key]}
    for service in ("apprunner", "apprunner.requests", "s3", "apprunnerx"):
        yield {"CreateVpcEndpointRequest": {"ServiceName": f"com.amazonaws.eu-west-1.{service}"}}


def generated() -> Iterator[dict[str, object]]:
    calls = sorted({*WATCHED_CALLS, *OTHER_CALLS})
    for (source, name), request, error in product(calls, requests(), ({}, {"errorCode": "AccessDeniedException"})):
        detail = {"eventSource": f"{source}.amazonaws.com", "eventName": name, "requestParameters": request, **error}
        yield {"source": f"aws.{source}", "detail-type": "AWS API Call via CloudTrail", "detail": detail}
    for status, kind in product(STATUSES, ("Operation ", "")):
        told = f"AppRunner Service {kind}Status Change"
        yield {"source": "aws.apprunner", "detail-type": told, "detail": {"operationStatus": status}}
    yield {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {"state": "running"}}


def test_a_member_sends_exactly_what_is_watched_at_home_and_nothing_twice() -> None:
    """Nobody in a member has the role whose own tags are not listened to."""
    sent = 0
    for event in generated():
        watched, rules = of(WATCHING, event), of(SENDING, event)
        assert len(rules) == (1 if watched else 0), (event, watched, rules)
        if rules:
            sent += 1
            assert of(TAKING, event) == ["MemberEventsRule"]
    assert sent > len(WATCHED_CALLS)
    assert {*FINISHED, *FAILED} <= {*STATUSES}


def test_each_rule_is_of_a_source_of_its_own() -> None:
    assert {name: pattern["source"] for name, pattern in SENDING.items()} == {
        "AppRunnerRule": ["aws.apprunner"],
        "NetworkRule": ["aws.ec2"],
        "LoadBalancingRule": ["aws.elasticloadbalancing"],
        "ApiGatewayRule": ["aws.apigateway"],
        "AuditDueRule": ["apprunner-guardrails.member"],
    }


@pytest.mark.parametrize("pattern", SENDING.values(), ids=SENDING)
def test_a_pattern_is_shorter_than_eventbridge_admits(pattern: Pattern) -> None:
    assert len(json.dumps(pattern)) <= 2048


def test_an_audit_is_asked_for_by_an_event_that_goes_all_the_way() -> None:
    (schedule,) = MEMBER.of_type("AWS::Scheduler::Schedule").values()
    asked = schedule["Target"]["EventBridgeParameters"]
    assert AUDITS
    for event in (SAMPLES[name] for name in AUDITS):
        assert (event["source"], event["detail-type"]) == (asked["Source"], asked["DetailType"])
        assert (of(SENDING, event), of(TAKING, event)) == (["AuditDueRule"], ["MemberAuditsRule"])
        assert of(WATCHING, event) == []
    own_bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    assert member().resolved(schedule["Target"]["Arn"]) == own_bus
    assert json.loads(member().resolved(schedule["Target"]["Input"])) == {"account": ACCOUNT, "region": REGION}
    putting = member().statements("ScheduleRole")
    source = {"events:source": (asked["Source"],)}
    assert permits(putting, Request(action="events:PutEvents", resource=own_bus, context=source))
    other = {"events:source": ("apprunner-guardrails",)}
    assert not permits(putting, Request(action="events:PutEvents", resource=own_bus, context=other))


def test_audits_are_spread_over_an_hour_and_not_due_more_often_and_at_least_once_a_day() -> None:
    (schedule,) = MEMBER.of_type("AWS::Scheduler::Schedule").values()
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}
    assert schedule["ScheduleExpression"] == {"Ref": "AuditSchedule"}
    too_rare = ["rate(25 hours)", "rate(2 days)"]
    often = [
        "rate(59 minutes)",
        "rate(1 minute)",
        "rate(0 hours)",
        "1 hour",
        "rate(6 hours) ",
        "at(2026-11-21T00:00:00)",
    ]
    right = ["rate(1 hour)", "rate(1 hours)", "rate(6 hours)", "rate(24 hours)", "rate(1 day)", "cron(15 6,18 ? * * *)"]
    pattern = MEMBER.parameters["AuditSchedule"]["AllowedPattern"]
    assert [one for one in too_rare + often + right if re.fullmatch(pattern, one)] == right


def test_events_go_to_the_bus_of_the_deployment_with_the_role_for_it_and_are_not_lost() -> None:
    deployed = member(HomeAccountId=ACCOUNT, HomeRegion=REGION)
    bus = Deployed(stack=HOME, parameters=SHARED).arn("OrganizationBus")
    failed = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    for name, rule in MEMBER.of_type("AWS::Events::Rule").items():
        (target,) = deployed.resolved(rule["Targets"])
        assert target == {
            "Id": "Home",
            "Arn": bus,
            "RoleArn": deployed.arn("ForwardRole"),
            "RetryPolicy": failed | ({"MaximumEventAgeInSeconds": 3600} if name == "AuditDueRule" else {}),
            "DeadLetterConfig": {"Arn": deployed.arn("DeadLetterQueue")},
        }
    sending = deployed.statements("ForwardRole")
    assert permits(sending, Request(action="events:PutEvents", resource=bus))
    assert not permits(sending, Request(action="events:PutEvents", resource=bus.replace("-members", "-others")))
    assert not permits(sending, Request(action="events:PutRule", resource=bus))


def test_what_cannot_be_sent_is_kept_for_whom_it_came_from() -> None:
    deployed = member()
    (policy,) = MEMBER.of_type("AWS::SQS::QueuePolicy").values()
    statements = deployed.resolved(policy["PolicyDocument"]["Statement"])
    queue, service = deployed.arn("DeadLetterQueue"), ("Service", "events.amazonaws.com")

    def may_send(rule: str) -> bool:
        asked = Request(action="sqs:SendMessage", resource=queue, context={"aws:SourceArn": rule}, principal=service)
        return permits(statements, asked)

    assert all(may_send(deployed.arn(rule)) for rule in SENDING)
    assert not may_send(f"arn:aws:events:{REGION}:{ACCOUNT}:rule/another")
    assert permits(deployed.statements("ScheduleRole"), Request(action="sqs:SendMessage", resource=queue))
    assert MEMBER.of_type("AWS::SQS::Queue")["DeadLetterQueue"]["SqsManagedSseEnabled"] is True


# --- where what is made ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("home_account", "home_region", "role", "sends"),
    [
        (HOME_ACCOUNT, REGION, True, True),
        (HOME_ACCOUNT, OTHER_REGION, False, True),
        (ACCOUNT, OTHER_REGION, False, True),
        (ACCOUNT, REGION, True, False),  # the deployment's own: it sees to that by itself
    ],
    ids=["a member", "a member's other Region", "home's other Region", "home"],
)
def test_the_role_is_made_once_an_account_and_the_rest_wherever_the_deployment_is_not(
    home_account: str, home_region: str, *, role: bool, sends: bool
) -> None:
    deployed = member(HomeAccountId=home_account, HomeRegion=home_region)
    made = {name: deployed.exists(name) for name in MEMBER.resources}
    assert made == {name: role if name == "MemberRole" else sends for name in MEMBER.resources}


def test_it_is_plain_cloudformation_that_a_stack_set_takes() -> None:
    text = (ROOT / "organization.yaml").read_text()
    assert "Transform" not in text
    assert len(text.encode()) <= 51_200
    # CloudFormation takes no aliases.
    assert re.findall(r"^\s*(?:- )?[&*][a-z]", text, re.MULTILINE) == []
    assert {one["Type"] for one in MEMBER.resources.values()} == {
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
    }


def test_both_templates_are_given_the_same() -> None:
    same = ("AllowedPattern", "Default", "MaxLength")
    home, there = HOME.parameters, MEMBER.parameters
    assert {one: home["MemberRoleName"].get(one) for one in same} == {
        one: there["MemberRoleName"].get(one) for one in same
    }
    for name, value in SHARED.items():
        assert home[name]["AllowedPattern"] == f"^({there[name]['AllowedPattern'][1:-1]})?$"  # at home it may be empty
        assert re.fullmatch(there[name]["AllowedPattern"], value)
        assert not re.fullmatch(there[name]["AllowedPattern"], "")


def test_every_parameter_is_explained_grouped_and_bounded() -> None:
    interface = MEMBER.metadata["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(MEMBER.parameters) == sorted(interface["ParameterLabels"])
    for name, one in MEMBER.parameters.items():
        assert one["Description"]
        assert one["AllowedPattern"]
        assert name in one["ConstraintDescription"]


@pytest.mark.parametrize(
    ("parameter", "junk"),
    [
        ("HomeAccountId", ["", "12345678901", "1234567890123", "1234-5678-9012"]),
        ("HomeRegion", ["", "us-east", "us-east-1a", "useast1", "*"]),
        ("HomeStackName", ["", "1st", "a_b", "guard*", "-guard"]),
    ],
)
def test_junk_is_refused(parameter: str, junk: list[str]) -> None:
    assert [one for one in junk if re.fullmatch(MEMBER.parameters[parameter]["AllowedPattern"], one)] == []


def test_an_organization_without_external_id_is_refused() -> None:
    """CloudFormation does it, before anything is made."""
    template = yaml_parse((ROOT / "template.yaml").read_text())  # type: ignore[no-untyped-call]  # not annotated by SAM
    rule = template["Rules"]["OrganizationHasExternalId"]
    (assertion,) = rule["Assertions"]
    assert (rule["RuleCondition"], assertion["Assert"]) == (
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "OrganizationId"}, ""]}]},
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "MemberExternalId"}, ""]}]},
    )
    assert "MemberExternalId" in assertion["AssertDescription"]


# --- the role that is assumed --------------------------------------------------------------------------------------

FUNCTION_ROLE = f"arn:aws:iam::{HOME_ACCOUNT}:role/guardrails-ValidateNetworkRole-1A2B3C4D5E6F7"
RIGHT = {"aws:PrincipalArn": FUNCTION_ROLE, "aws:PrincipalOrgID": ORGANIZATION, "sts:ExternalId": EXTERNAL_ID}


def may_assume(principal: str, context: Mapping[str, str]) -> bool:
    asked = Request(
        action="sts:AssumeRole", resource=member().arn("MemberRole"), context=context, principal=("AWS", principal)
    )
    return permits(member().trust("MemberRole"), asked)


@pytest.mark.parametrize("function", GUARDED)
def test_the_functions_that_judge_may_use_the_role(function: str) -> None:
    role = HOME.functions[function].role
    principal = f"arn:aws:iam::{HOME_ACCOUNT}:role/guardrails-{role}-1A2B3C4D5E6F7"
    assert may_assume(principal, {**RIGHT, "aws:PrincipalArn": principal})


@pytest.mark.parametrize("role", sorted({one.role for name, one in HOME.functions.items() if name not in GUARDED}))
def test_the_functions_that_change_something_may_not(role: str) -> None:
    principal = f"arn:aws:iam::{HOME_ACCOUNT}:role/guardrails-{role}-1A2B3C4D5E6F7"
    assert not may_assume(principal, {**RIGHT, "aws:PrincipalArn": principal})


@pytest.mark.parametrize(
    ("principal", "said"),
    [
        (FUNCTION_ROLE, {"sts:ExternalId": "another"}),
        (FUNCTION_ROLE, {"sts:ExternalId": None}),
        (FUNCTION_ROLE, {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}),
        (FUNCTION_ROLE, {"aws:PrincipalOrgID": None}),
        *(
            (arn, {"aws:PrincipalArn": arn})
            for arn in (
                f"arn:aws:iam::{HOME_ACCOUNT}:user/ana",
                f"arn:aws:iam::{HOME_ACCOUNT}:root",
                f"arn:aws:iam::{HOME_ACCOUNT}:role/Admin",
                f"arn:aws:iam::{HOME_ACCOUNT}:role/guardrails2-ValidateNetworkRole-1A2B3C4D5E6F7",
                f"arn:aws:iam::{HOME_ACCOUNT}:role/other/guardrails-ValidateNetworkRole-1A2B3C4D5E6F7",
                f"arn:aws:iam::{ACCOUNT}:role/guardrails-ValidateNetworkRole-1A2B3C4D5E6F7",
                "arn:aws:iam::999988887777:role/guardrails-ValidateNetworkRole-1A2B3C4D5E6F7",
            )
        ),
    ],
    ids=str,
)
def test_the_role_cannot_be_used_from_elsewhere(principal: str, said: Mapping[str, str | None]) -> None:
    context = {name: value for name, value in {**RIGHT, **said}.items() if value is not None}
    assert not may_assume(principal, context)


def test_the_roles_of_the_longest_stack_are_named_as_the_trust_policy_has_it() -> None:
    """CloudFormation adds a hyphen and up to 13 letters and digits; a role's name has 64 at most."""
    longest = MEMBER.parameters["HomeStackName"]["MaxLength"]
    for function in GUARDED:
        assert longest + len(f"-{HOME.functions[function].role}-") + 13 <= 64


def test_a_session_ends_within_the_hour() -> None:
    assert MEMBER.resources["MemberRole"]["Properties"]["MaxSessionDuration"] == 3600


def actions(statements: list[Mapping[str, Any]]) -> set[str]:
    return {action for one in statements for action in listed(one["Action"])}


def test_the_role_may_read_what_the_code_asks_a_member_for_and_no_more() -> None:
    asked = {one for name in GUARDED for one in actions_asked_for(HOME.functions[name].code / "app.py")}
    assert actions(member().statements("MemberRole")) == {one for one in asked if not AT_HOME.fullmatch(one)}


def test_the_role_changes_nothing() -> None:
    reads = re.compile(r"(apprunner|ec2|elasticloadbalancing|servicequotas|tag):(Describe|List|Get)[A-Za-z]+")
    statements = member().statements("MemberRole")
    assert {one["Effect"] for one in statements} == {"Allow"}
    assert {one for one in actions(statements) if not reads.fullmatch(one)} == {"apigateway:GET"}
    assert "ManagedPolicyArns" not in MEMBER.resources["MemberRole"]["Properties"]


def test_the_role_reads_the_same_as_the_functions_do_at_home_in_every_region() -> None:
    def scopes(statements: list[Mapping[str, Any]]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for one in statements:
            for action in listed(one["Action"]):
                found.setdefault(action, set()).update(listed(one["Resource"]))
        return found

    home = Deployed(stack=HOME, parameters=SHARED)
    at_home = scopes([one for name in GUARDED for one in home.statements(HOME.functions[name].role)])
    there = scopes(member().statements("MemberRole"))
    assert there == {action: {re.sub(f":{REGION}:", ":*:", one) for one in at_home[action]} for action in there}


@pytest.mark.parametrize("function", GUARDED)
def test_a_function_assumes_that_role_in_its_organization_and_none_without_one(function: str) -> None:
    role = HOME.functions[function].role
    there = f"arn:aws:iam::{HOME_ACCOUNT}:role/{ROLE}"

    def may(resource: str, organization: str, **parameters: str) -> bool:
        context = {"aws:ResourceOrgID": organization}
        statements = Deployed(stack=HOME, parameters=parameters).statements(role)
        return permits(statements, Request(action="sts:AssumeRole", resource=resource, context=context))

    assert may(there, ORGANIZATION, **SHARED)
    assert not may(there, "o-zzzzzzzzzz", **SHARED)
    assert not may(f"arn:aws:iam::{HOME_ACCOUNT}:role/Admin", ORGANIZATION, **SHARED)
    assert not may(f"{there}2", ORGANIZATION, **SHARED)
    assert not may(there, ORGANIZATION)


# --- the bus that it all arrives at --------------------------------------------------------------------------------


def test_nothing_of_an_organization_is_there_without_one() -> None:
    needs_one = {name for name, one in HOME.resources.items() if one.get("Condition") == "HasOrganization"}
    assert needs_one >= {
        *("OrganizationBus", "OrganizationBusPolicy"),
        *("MemberEventsRule", "MemberQueue", "MemberQueuePolicy", "ValidateNetworkFunctionMembers"),
        *("MemberAuditsRule", "MemberAuditQueue", "MemberAuditQueuePolicy", "AuditRegionFunctionMembers"),
    }
    for deployed, there in (
        (Deployed(stack=HOME), False),
        (Deployed(stack=HOME, parameters=SHARED), True),
    ):
        assert {deployed.exists(name) for name in needs_one} == {there}


def test_accounts_of_the_organization_put_events_of_what_is_watched_and_nobody_else_does() -> None:
    home = Deployed(stack=HOME, parameters=SHARED)
    (policy,) = HOME.of_type("AWS::Events::EventBusPolicy").values()
    statements = [home.resolved(policy["Statement"])]
    bus = home.arn("OrganizationBus")

    def may(action: str, organization: str, *sources: str, resource: str = bus) -> bool:
        asked = Request(
            action=action,
            resource=resource,
            context={"aws:PrincipalOrgID": organization, "events:source": sources},
            principal=("AWS", "arn:aws:iam::210987654321:role/StackSet-guardrails-ForwardRole-1A2B3C4D5E6F7"),
        )
        return permits(statements, asked)

    every = [source for pattern in SENDING.values() for source in listed(pattern["source"])]
    assert all(may("events:PutEvents", ORGANIZATION, source) for source in every)
    assert may("events:PutEvents", ORGANIZATION)  # a delivery may have no source to compare
    assert not may("events:PutEvents", "o-zzzzzzzzzz", *every)
    assert not may("events:PutEvents", ORGANIZATION, "aws.ecs")
    assert not may("events:PutEvents", ORGANIZATION, every[0], "custom")
    assert not may("events:PutRule", ORGANIZATION, *every)
    default = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    assert not may("events:PutEvents", ORGANIZATION, *every, resource=default)


def test_a_member_is_guarded_by_the_functions_that_only_read_and_tell() -> None:
    """Targets and tags are changed in the deployment's own account alone."""
    told = {name for name, one in HOME.functions.items() if "MEMBER_ROLE_NAME" in one.variables}
    assert told == {*GUARDED}
    for name in GUARDED:
        refs = {"AlertTopic": "", "ChatTopic": "", "FindingsTable": ""}
        one = HOME.functions[name]
        assert one.environment({}, refs)["MEMBER_ROLE_NAME"] == ""
        given = one.environment({**SHARED, "MemberRoleName": "other"}, refs)
        assert (given["MEMBER_ROLE_NAME"], given["MEMBER_EXTERNAL_ID"]) == ("other", EXTERNAL_ID)
