"""From a change of a private path to what is told: which resources are judged, what ends, what failed reads hide."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.events import Ignored
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.respond import respond
from tests.aws import (
    FAULTS,
    NOW,
    WRITES,
    Aws,
    Fault,
    Outcome,
    answered,
    asked_of,
    audited,
    batch_validated,
    refused,
    validated,
)
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS
from tests.path_events import HTTP_ARN, INTERFACE, REST_ARN, WATCHED, call, tagging, watched
from tests.private_path import (
    DOMAIN,
    INGRESS,
    LINK,
    REST_API,
    other,
    two_paths,
    with_http_api,
)
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    GROUP,
    REGION,
    SERVICE,
    SETTINGS,
    VPC,
    Event,
    Row,
    Rows,
    exempt,
    find,
    healthy,
    public,
    replaced_route,
    tag,
)

LATER = NOW + 60
NO_DIGEST = replace(SETTINGS, digest_hour=None)
ENDPOINT_ARN = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{ENDPOINT}"
INTERFACE_ARN = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/{INTERFACE}"
ON_PATH = frozenset({SERVICE, INGRESS, ENDPOINT_ARN, ORDERS, BALANCER, REST_ARN, HTTP_ARN})
WIDE = replace(SETTINGS, require_api_access_logs=True, require_api_tracing=True, require_api_authorization=True)

OTHER_PATH = frozenset(other(one) for one in (SERVICE, INGRESS, ENDPOINT_ARN, ORDERS, BALANCER, REST_ARN))


def rows() -> Rows:
    """Two private paths and an interface of App Runner's: no rule fails. The first has an HTTP API too."""
    both = two_paths()
    both["NetworkInterfaces"].append(app_runners())
    return with_http_api(both)


def app_runners(**changes: object) -> Row:
    return {
        "NetworkInterfaceId": INTERFACE,
        "OwnerId": ACCOUNT,
        "VpcId": VPC,
        "SubnetId": "subnet-private-a",
        "Groups": [{"GroupId": GROUP, "GroupName": "egress"}],
        "TagSet": [{"Key": "AWSAppRunnerManaged", "Value": "true"}],
        **changes,
    }


def items(held: Rows, resource: str = "") -> dict[str, str]:
    """The state of each finding that is recorded, of all resources or of one."""
    found = (one for one in held.get("Items", ()) if resource in ("", one["resource"]["S"]))
    return {one["rule"]["S"]: one["state"]["S"] for one in found if one["rule"]["S"].startswith("AR")}


def without(held: Rows, member: str, *names: str) -> Rows:
    """The rows without those that are named."""
    return {**held, member: [row for row in held[member] if not set(names) & set(map(str, row.values()))]}


# Which resources are judged.


@pytest.mark.parametrize(("service", "name"), [one for one in WATCHED if one[1] != "AssociateAddress"])
def test_every_watched_call_has_the_path_that_it_names_judged_and_no_other(service: str, name: str) -> None:
    outcome = validated(watched(service, name), rows())
    assert outcome.failing == {resource: set() for resource in ON_PATH}
    assert {status for one in ON_PATH for status in outcome.of(one).values()} == {"pass"}
    assert (outcome.aws.acted, [one.what for one in outcome.report.evaluations]) == ([], [name] * len(ON_PATH))


TAGGED: Mapping[str, tuple[str, str]] = {
    "an ingress connection": ("apprunner", INGRESS),
    "an endpoint": ("ec2", ENDPOINT),
    "a target group": ("elbv2", ORDERS),
    "a load balancer": ("elbv2", BALANCER),
    "a stage": ("apigateway", f"{REST_ARN}/stages/live"),
    "an HTTP API": ("apigatewayv2", HTTP_ARN),
}


@pytest.mark.parametrize(("service", "resource"), TAGGED.values(), ids=TAGGED)
def test_a_tag_has_the_path_that_it_is_on_judged_and_no_other(service: str, resource: str) -> None:
    for taken_off in (False, True):
        assert validated(tagging(service, resource, taken_off=taken_off), rows()).resources == ON_PATH


def test_the_other_path_is_judged_by_its_own_changes() -> None:
    event = call("elbv2", "ModifyTargetGroup", {"TargetGroupArn": other(ORDERS), "Port": 443})
    assert validated(event, rows()).resources == OTHER_PATH


def test_an_address_has_the_interface_judged_that_got_it_and_no_path() -> None:
    outcome = validated(watched("ec2", "AssociateAddress"), rows())
    assert outcome.failing == {INTERFACE_ARN: set()}
    assert outcome.aws.actions == ["dynamodb:Scan", "ec2:DescribeNetworkInterfaces", "apprunner:ListVpcConnectors"]


ELSEWHERE: Mapping[str, Event] = {
    "another endpoint": call("ec2", "ModifyVpcEndpoint", {"VpcEndpointId": "vpce-1"}),
    "another interface": call("ec2", "AssociateAddress", {"NetworkInterfaceId": "eni-1"}),
    "another NLB": call("elbv2", "DeleteLoadBalancer", {"LoadBalancerArn": BALANCER.replace("orders", "other")}),
    "another API": call("apigateway", "DeleteRestApi", {"restApiId": "a9a9a9a9a9"}),
    "another link": call("apigatewayv2", "DeleteVpcLink", {"VpcLinkId": "b9b9b9"}),
}


@pytest.mark.parametrize("event", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_change_of_something_else_asks_for_nothing(event: Event) -> None:
    outcome = validated(event, rows())
    name = event["detail"]["eventName"]
    assert outcome.ignored == f"no private path of App Runner leads through what {name} changed"
    assert outcome.aws.acted == []


def test_where_there_is_no_private_path_a_change_costs_three_calls() -> None:
    outcome = validated(watched("elbv2", "ModifyListener"), healthy())
    assert outcome.ignored == "no private path of App Runner leads through what ModifyListener changed"
    assert outcome.aws.rounds == [
        ["dynamodb:Scan"],
        ["apprunner:ListVpcIngressConnections", "ec2:DescribeVpcEndpoints"],
    ]


# What is told.


def preserving(held: Rows) -> Rows:
    """AR507: the target group keeps clients' addresses."""
    row = {"Arn": ORDERS, "Key": "preserve_client_ip.enabled", "Value": "true"}
    return {**held, "Attributes": [*held["Attributes"], row]}


PRESERVES = watched("elbv2", "ModifyTargetGroupAttributes")


def test_a_fault_is_told_with_who_made_it_and_its_end_too() -> None:
    held = {**preserving(rows()), "Items": []}
    outcome = validated(PRESERVES, held)
    assert outcome.aws.told == ["orders AR507 opened"]
    assert outcome.aws.published[0]["Subject"].startswith("[CRITICAL] AR507 ")
    assert "ModifyTargetGroupAttributes by bob with AWS CLI" in outcome.alert
    assert [one["resource"] for one in outcome.report.as_json()["opened"]] == [ORDERS]
    assert validated(PRESERVES, held, now=LATER).aws.acted == []
    over = validated(PRESERVES, {**rows(), "Items": held["Items"]}, now=LATER)
    assert over.aws.told == ["orders AR507 resolved"]


def test_an_event_and_the_audit_tell_of_the_same_things_once() -> None:
    held = {**preserving(rows()), "Items": []}
    validated(PRESERVES, held)
    assert audited(held, settings=NO_DIGEST, now=LATER).aws.told == ["shop-web AR301 opened"]
    assert validated(PRESERVES, held, now=LATER + 60).aws.acted == []


def test_faults_all_along_the_path_are_an_alert_for_each_resource() -> None:
    held = preserving(rows())
    find(held, "RestResources", "res1")["resourceMethods"]["ANY"]["methodIntegration"]["uri"] = "http://shop.test/x"
    find(held, "LoadBalancers", BALANCER)["Scheme"] = "internet-facing"
    find(held, "SecurityGroups", "sg-endpoint")["IpPermissions"] = []
    find(held, "VpcIngressConnections", INGRESS)["Status"] = "FAILED_UPDATE"
    outcome = validated(watched("apigateway", "PutIntegration"), held)
    assert outcome.failing == {
        SERVICE: {"AR403"},
        INGRESS: {"AR501"},
        ENDPOINT_ARN: {"AR505"},
        ORDERS: {"AR507"},
        BALANCER: {"AR513"},
        REST_ARN: {"AR601", "AR602", "AR603"},
        HTTP_ARN: set(),
    }
    assert outcome.report.alerts == 1  # of more than five resources there is one for all


def test_what_policies_ask_of_an_api_is_judged_where_they_do() -> None:
    find(held := rows(), "RestStages", REST_API)["tracingEnabled"] = False
    assert validated(watched("apigateway", "UpdateStage"), held).failing[REST_ARN] == set()
    asked = validated(watched("apigateway", "UpdateStage"), held, settings=WIDE)
    assert asked.failing[REST_ARN] == {"AR605", "AR606"}


def test_an_exemption_on_a_resource_of_the_path_exempts() -> None:
    held = {**preserving(rows()), "Items": []}
    validated(PRESERVES, held)
    held["Tags"] = [*held["Tags"], exempt(ORDERS, "AR507")]
    outcome = validated(tagging("elbv2", ORDERS), held, now=LATER)
    assert (outcome.rules("exempt", ORDERS), outcome.aws.told) == ({"AR507"}, ["orders AR507 exempted"])


@pytest.mark.parametrize("resource", [INGRESS, SERVICE], ids=["the ingress connection", "the service"])
def test_exemptions_that_cost_a_call_are_read_where_a_rule_fails(resource: str) -> None:
    held = {**rows(), "Items": []}
    find(held, "VpcIngressConnections", INGRESS)["Status"] = "FAILED_UPDATE"
    held["Tags"] += [exempt(INGRESS, "AR501"), exempt(SERVICE, "AR403")]
    outcome = validated(watched("apprunner", "UpdateVpcIngressConnection"), held)
    assert outcome.rules("exempt", resource) == {INGRESS: {"AR501"}, SERVICE: {"AR403"}}[resource]
    assert outcome.report.alerts == 0


def test_tags_that_services_must_have_are_looked_for() -> None:
    required = replace(SETTINGS, required_tags=("team",))
    outcome = validated(watched("apprunner", "CreateVpcIngressConnection"), rows(), settings=required)
    assert outcome.failing[SERVICE] == {"AR407"}
    without_policy = validated(watched("apprunner", "CreateVpcIngressConnection"), rows())
    assert "AR407" not in without_policy.of(SERVICE)


def test_a_rule_that_is_switched_off_or_of_another_severity_is_so_here_too() -> None:
    held = {**preserving(rows()), "Items": []}
    low = replace(SETTINGS, rule_overrides={"AR507": Severity.LOW})
    assert validated(PRESERVES, held, settings=low).aws.published[0]["Subject"].startswith("[LOW] AR507 ")
    off = replace(SETTINGS, rule_overrides={"AR507": None})
    assert validated(PRESERVES, held, settings=off, now=LATER).aws.told == ["orders AR507 resolved"]


def test_what_only_others_judge_of_a_resource_stays_as_it_is() -> None:
    """AR301 and AR410 are the audit's and those of the service's own events, AR510 to AR518 target sync's."""
    held = {**rows(), "Items": [item(SERVICE, "AR410"), item(ORDERS, "AR510"), item(ORDERS, "AR511")]}
    assert validated(PRESERVES, held).aws.acted == []
    assert items(held) == {"AR410": "open", "AR510": "open", "AR511": "open"}


def item(resource: str, rule: str, state: str = "open") -> Row:
    """What is recorded of a finding that was told."""
    texts: Mapping[str, str] = {"resource": resource, "rule": rule, "state": state, "severity": "HIGH", "who": "bob"}
    return {
        **{name: {"S": text} for name, text in texts.items()},
        **{name: {"S": ""} for name in ("exempt_until", "exempt_by", "owed")},
        **{name: {"L": []} for name in ("messages", "faults", "owed_to")},
        **{name: {"N": str(NOW)} for name in ("first_seen", "last_seen", "last_alerted")},
        **{name: {"N": number} for name, number in (("leased_until", "0"), ("version", "2"))},
    }


# VPC links that are pending.


def test_how_long_a_link_has_been_pending_is_told_though_api_gateway_does_not_say() -> None:
    held = {**rows(), "Items": []}
    find(held, "RestVpcLinks", LINK)["status"] = "PENDING"
    event = watched("apigateway", "CreateVpcLink")
    begun = validated(event, held)
    assert (begun.failing[REST_ARN], begun.aws.acted) == (set(), [WRITES])
    assert validated(event, held, now=NOW + 60).aws.acted == []
    late = validated(event, held, now=NOW + 16 * 60)
    assert (late.failing[REST_ARN], late.aws.told) == ({"AR604"}, [f"{REST_API} AR604 opened"])
    find(held, "RestVpcLinks", LINK)["status"] = "AVAILABLE"
    over = validated(event, held, now=NOW + 17 * 60)
    assert (over.aws.told, over.aws.acted.count(WRITES)) == ([f"{REST_API} AR604 resolved"], 2)


# What is gone.


def ending(held: Rows) -> Rows:
    """An open finding of everything that can be deleted."""
    named = ((INGRESS, "AR501"), (ENDPOINT_ARN, "AR506"), (ORDERS, "AR507"), (BALANCER, "AR513"), (REST_ARN, "AR602"))
    return {**held, "Items": [item(*one) for one in named]}


DELETED: Mapping[str, tuple[tuple[str, str], tuple[tuple[str, str], ...], str, str]] = {
    "an ingress connection": (
        ("apprunner", "DeleteVpcIngressConnection"),
        (("VpcIngressConnections", INGRESS),),
        INGRESS,
        "AR501",
    ),
    "an endpoint": (
        ("ec2", "DeleteVpcEndpoints"),
        (("VpcEndpoints", ENDPOINT), ("VpcIngressConnections", INGRESS)),
        ENDPOINT_ARN,
        "AR506",
    ),
    "a target group": (("elbv2", "DeleteTargetGroup"), (("TargetGroups", ORDERS),), ORDERS, "AR507"),
    "a load balancer": (("elbv2", "DeleteLoadBalancer"), (("LoadBalancers", BALANCER),), BALANCER, "AR513"),
    "an API": (("apigateway", "DeleteRestApi"), (("RestApis", REST_API),), REST_ARN, "AR602"),
}


def deleted(*gone: tuple[str, str]) -> Rows:
    held = ending(rows())
    for member, name in gone:
        held = without(held, member, name)
        if member == "LoadBalancers":
            find(held, "TargetGroups", ORDERS)["LoadBalancerArns"] = []
    return held


@pytest.mark.parametrize(("event", "gone", "resource", "rule"), DELETED.values(), ids=DELETED)
def test_what_is_gone_ends(event: tuple[str, str], gone: Sequence[tuple[str, str]], resource: str, rule: str) -> None:
    held = deleted(*gone)
    outcome = validated(watched(*event), held)
    assert (outcome.of(resource), items(held, resource)) == ({}, {rule: "resolved"})


# The lists by which it is known what is on a path, and what is read to know it.
HIDING = (
    *("apprunner:ListVpcIngressConnections", "ec2:DescribeVpcEndpoints", "elasticloadbalancing:DescribeTargetGroups"),
    *("apigateway:GetVpcLinks", "apigatewayv2:GetVpcLinks", "apigateway:GetRestApis", "apigatewayv2:GetApis"),
)


@pytest.mark.parametrize("action", HIDING)
@pytest.mark.parametrize(("event", "gone", "resource", "rule"), DELETED.values(), ids=DELETED)
def test_what_a_list_that_failed_may_hide_does_not_end(
    event: tuple[str, str], gone: Sequence[tuple[str, str]], resource: str, rule: str, action: str
) -> None:
    """Only what App Runner itself says is gone is that."""
    held = deleted(*gone)
    outcome = validated_anyway(watched(*event), held, action)
    assert items(held, resource) == {rule: "resolved" if resource == INGRESS else "open"}, outcome.aws.told


def validated_anyway(event: Event, held: Rows, action: str) -> Outcome:
    return validated(event, held, faults={action: FAULTS["denied"]})


def test_a_service_without_its_ingress_connection_says_so_at_once() -> None:
    held = deleted(("VpcIngressConnections", INGRESS))
    outcome = validated(watched("apprunner", "DeleteVpcIngressConnection"), held)
    assert outcome.failing[SERVICE] == {"AR403"}
    assert {"shop AR403 opened", "shop AR501 resolved"} <= set(outcome.aws.told)
    held = {**rows(), "Items": held["Items"]}
    made = validated(watched("apprunner", "CreateVpcIngressConnection"), held, now=LATER)
    assert "shop AR403 resolved" in made.aws.told


def test_an_ingress_connection_that_is_not_listed_yet_does_not_end() -> None:
    """Lists lag behind."""
    held = ending(rows())
    held["NewVpcIngressConnections"] = [find(held, "VpcIngressConnections", INGRESS)]
    held = without(held, "VpcIngressConnections", INGRESS)
    validated(watched("apprunner", "UpdateVpcIngressConnection"), held)
    assert items(held, INGRESS) == {"AR501": "open"}


@pytest.mark.parametrize("services", [[], "DELETED"], ids=["forgotten", "still remembered"])
def test_a_service_that_is_gone_ends_too(services: object) -> None:
    held = {**rows(), "Items": [item(SERVICE, "AR403")]}
    find(held, "Services", SERVICE)["Status"] = "DELETED"
    if services == []:
        held = without(held, "Services", SERVICE)
    validated(watched("apprunner", "UpdateVpcIngressConnection"), held)
    assert items(held, SERVICE) == {"AR403": "resolved"}


def owners(outcome: Outcome) -> dict[tuple[str, str], str]:
    """The owner that machines heard of, by rule and transition."""
    entries = (entry for asked in outcome.aws.sent("events:PutEvents") for entry in asked["Entries"])
    details = [json.loads(entry["Detail"]) for entry in entries]
    return {(one["finding"]["rule"], one["transition"]): one["finding"]["owner"] for one in details}


def test_a_change_of_a_path_tells_the_owner_of_what_it_breaks() -> None:
    """Of the ingress connection and of the service tags are read where they matter, of the others always."""
    held = preserving(with_address(rows()))
    find(held, "VpcIngressConnections", INGRESS)["Status"] = "FAILED_UPDATE"
    people = {ORDERS: "mara.lind", INGRESS: "jonas.weber", SERVICE: "dana.ortiz"}
    unnamed = validated(PRESERVES, {**held, "Items": []})
    held["Tags"] = [*held["Tags"], *(tag(arn, "created-by", owner) for arn, owner in people.items())]
    outcome = validated(PRESERVES, {**held, "Items": []})
    assert owners(outcome) == {
        ("AR507", "opened"): "mara.lind",
        ("AR501", "opened"): "jonas.weber",
        ("AR403", "opened"): "dana.ortiz",
    }
    assert (unnamed.aws.rounds, set(owners(unnamed).values())) == (outcome.aws.rounds, {""})


def test_the_owner_of_a_group_that_is_on_no_path_any_more_hears_that_it_is_over() -> None:
    held = without(rows(), "VpcEndpoints", ENDPOINT)
    held = {**without(held, "VpcIngressConnections", INGRESS), "Items": [item(ORDERS, "AR507")]}
    held["Tags"] = [*held["Tags"], tag(ORDERS, "created-by", "mara.lind")]
    outcome = validated(PRESERVES, held)
    assert owners(outcome) == {("AR507", "resolved"): "mara.lind"}


def test_a_group_that_is_on_no_path_any_more_is_left_to_target_sync() -> None:
    held = {**rows(), "Items": [item(ORDERS, "AR507"), item(ORDERS, "AR510")]}
    validated(watched("elbv2", "DeleteTargetGroup"), without(held, "TargetGroups", ORDERS))
    assert items(held, ORDERS) == {"AR507": "resolved", "AR510": "open"}


# Addresses on App Runner's interfaces.

ATTACHED = watched("ec2", "AssociateAddress")
WITH_ADDRESS = {"Association": {"PublicIp": "198.51.100.7", "AllocationId": "eipalloc-1"}}


def with_address(held: Rows) -> Rows:
    find(held, "NetworkInterfaces", INTERFACE).update(WITH_ADDRESS)
    return held


def test_an_address_that_somebody_attaches_is_told() -> None:
    held = {**with_address(rows()), "Items": []}
    outcome = validated(ATTACHED, held)
    assert (outcome.failing, outcome.aws.told) == ({INTERFACE_ARN: {"AR305"}}, [f"{INTERFACE} AR305 opened"])
    assert validated(ATTACHED, held, now=LATER).aws.acted == []


def test_interfaces_that_cannot_be_listed_end_nothing() -> None:
    held = {**rows(), "Items": [item(INTERFACE_ARN, "AR305")]}
    for event in (ATTACHED, tagging("ec2", INTERFACE)):
        outcome = validated(event, held, faults={"ec2:DescribeNetworkInterfaces": FAULTS["denied"]})
        assert (outcome.aws.acted, items(held)) == ([], {"AR305": "open"})


def test_an_interface_that_is_gone_ends() -> None:
    held = without({**rows(), "Items": [item(INTERFACE_ARN, "AR305")]}, "NetworkInterfaces", INTERFACE)
    outcome = validated(ATTACHED, held)
    assert (outcome.statuses, items(held)) == ({}, {"AR305": "resolved"})


def test_an_interface_is_exempted_by_its_tag_and_named_by_one_call() -> None:
    held = {**with_address(rows()), "Items": []}
    validated(ATTACHED, held)
    key = "apprunner-guardrails:exempt:AR305"
    find(held, "NetworkInterfaces", INTERFACE)["TagSet"].append({"Key": key, "Value": "2026-12-31 @net ticket 7"})
    outcome = validated(tagging("ec2", INTERFACE, key), held, now=LATER)
    assert outcome.aws.told == [f"{INTERFACE} AR305 exempted"]
    assert [one.what for one in outcome.report.evaluations] == ["CreateTags"]


# What fails on the way.

READ = (
    "apigateway:GetResources",
    "apigateway:GetRestApis",
    "apigateway:GetStages",
    "apigateway:GetVpcLinks",
    "apigatewayv2:GetApis",
    "apigatewayv2:GetIntegrations",
    "apigatewayv2:GetRoutes",
    "apigatewayv2:GetStages",
    "apigatewayv2:GetVpcLinks",
    "apprunner:DescribeCustomDomains",
    "apprunner:DescribeService",
    "apprunner:DescribeVpcIngressConnection",
    "apprunner:ListTagsForResource",
    "apprunner:ListVpcConnectors",
    "apprunner:ListVpcIngressConnections",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)


def broken() -> Rows:
    """Something fails of each resource of the first path."""
    held = preserving(rows())
    find(held, "RestResources", "res1")["resourceMethods"]["ANY"]["methodIntegration"]["uri"] = f"http://{DOMAIN}/"
    find(held, "LoadBalancers", BALANCER)["Scheme"] = "internet-facing"
    find(held, "SecurityGroups", "sg-endpoint")["IpPermissions"] = []
    find(held, "VpcIngressConnections", INGRESS)["Status"] = "FAILED_UPDATE"
    find(held, "HttpIntegrations", "i1")["TlsConfig"] = {}
    return held


def test_changes_of_paths_and_of_interfaces_read_all_of_these() -> None:
    outcomes = [validated(event, rows()) for event in (watched("elbv2", "ModifyListener"), ATTACHED)]
    assert {action for one in outcomes for action in one.aws.actions} - {"dynamodb:Scan"} == set(READ)


def answers(held: Rows, faults: Mapping[str, Fault] | None = None) -> dict[tuple[str, str], str]:
    """Each answer, by resource and rule; none where nothing is known to be on the path."""
    outcome = validated(watched("elbv2", "ModifyListener"), held, faults=faults)
    if isinstance(outcome.answer, Ignored):
        return {}
    return {(one, rule): status for one in outcome.resources for rule, status in outcome.of(one).items()}


@pytest.fixture(scope="module")
def unhindered() -> Mapping[str, Mapping[tuple[str, str], str]]:
    return {"healthy": answers(rows()), "broken": answers(broken())}


@pytest.mark.parametrize("action", READ)
@pytest.mark.parametrize("world", ["healthy", "broken"])
def test_a_failed_read_is_no_verdict_and_leaves_the_rest(
    world: str, action: str, unhindered: Mapping[str, Mapping[tuple[str, str], str]]
) -> None:
    """Neither is what fails taken for mended nor what is as it should be for broken."""
    found = answers(rows() if world == "healthy" else broken(), {action: FAULTS["denied"]})
    others = {key: status for key, status in found.items() if status != unhindered[world].get(key)}
    assert set(others.values()) <= {"unknown"}, others


# What is not known to be on the path of a load balancer, by what was denied.
HIDDEN: Mapping[str, set[str]] = {
    **{f"apigateway:Get{what}": {REST_ARN} for what in ("Resources", "RestApis", "VpcLinks")},
    **{f"apigatewayv2:Get{what}": {HTTP_ARN} for what in ("Apis", "Integrations", "Routes", "VpcLinks")},
    "apprunner:DescribeVpcIngressConnection": {INGRESS, SERVICE},
    "apprunner:ListVpcIngressConnections": {INGRESS, SERVICE},
    "ec2:DescribeVpcEndpoints": {ENDPOINT_ARN},
    "elasticloadbalancing:DescribeLoadBalancers": {BALANCER},
    "elasticloadbalancing:DescribeTargetGroups": {BALANCER, ORDERS, ENDPOINT_ARN, INGRESS, SERVICE},
}


@pytest.mark.parametrize("action", READ)
def test_a_failed_read_hides_what_it_tells_of_and_no_more(action: str) -> None:
    there = {resource for resource, _ in answers(rows(), {action: FAULTS["denied"]})}
    assert there == ON_PATH - HIDDEN.get(action, set())


@pytest.mark.parametrize("action", READ)
def test_a_failed_read_ends_nothing_that_is_open(action: str) -> None:
    held = {**broken(), "Items": []}
    event = watched("elbv2", "ModifyListener")
    opened = set(validated(event, held).aws.told)
    assert len(opened) == 8
    outcome = validated(event, held, faults={action: FAULTS["denied"]}, now=LATER)
    assert {one for one in outcome.aws.told if not one.endswith("AR902 opened")} == set()
    assert set(items(held).values()) == {"open"}


def test_a_read_that_fails_is_told_once() -> None:
    held = {**rows(), "Items": []}
    denied = {"elasticloadbalancing:DescribeTargetGroupAttributes": FAULTS["denied"]}
    assert validated(PRESERVES, held, faults=denied).aws.told == ["orders AR902 opened"]
    assert validated(PRESERVES, held, faults=denied, now=LATER).aws.acted == []
    assert validated(PRESERVES, held, now=LATER + 60).aws.told == ["orders AR902 resolved"]


def test_without_the_table_nothing_is_read() -> None:
    denied = {"dynamodb:Scan": refused("AccessDeniedException")}
    with Aws(rows(), denied) as aws, pytest.raises(LedgerUnavailable):
        respond([asked_of(PRESERVES)], client, SETTINGS, lambda: NOW)
    assert aws.actions == ["dynamodb:Scan"]


# Several at once.


def test_several_changes_of_a_path_are_one_alert_that_says_how_many() -> None:
    held = {**preserving(rows()), "Items": []}
    events = [
        watched("elbv2", "ModifyListener", number=1),
        watched("elbv2", "ModifyTargetGroupAttributes", number=2),
        watched("apigateway", "CreateDeployment", number=3),
    ]
    outcome = batch_validated(events, held)
    assert outcome.aws.told == ["orders AR507 opened"]
    said = "3 changes (CreateDeployment, ModifyListener, ModifyTargetGroupAttributes) by bob with AWS CLI"
    assert said in outcome.alert
    assert {one.time for one in outcome.report.evaluations} == {"2026-11-21T09:00:03Z"}
    assert batch_validated(events, held, now=LATER).aws.acted == []


def test_a_change_that_is_told_of_twice_is_one() -> None:
    outcome = batch_validated([PRESERVES, PRESERVES], preserving(rows()))
    assert {one.what for one in outcome.report.evaluations} == {"ModifyTargetGroupAttributes"}
    again = batch_validated([ATTACHED, ATTACHED], with_address(rows()))
    assert {one.what for one in again.report.evaluations} == {"AssociateAddress"}


def test_each_resource_has_the_changes_that_concern_it() -> None:
    elsewhere = call("elbv2", "ModifyTargetGroup", {"TargetGroupArn": other(ORDERS), "Port": 443}, number=2)
    outcome = batch_validated([watched("elbv2", "ModifyListener"), elsewhere, ATTACHED], rows())
    what = {one.resource: one.what for one in outcome.report.evaluations}
    assert what == {
        **dict.fromkeys(ON_PATH, "ModifyListener"),
        **dict.fromkeys(OTHER_PATH, "ModifyTargetGroup"),
        INTERFACE_ARN: "AssociateAddress",
    }


def test_a_batch_of_many_changes_reads_everything_once() -> None:
    one = validated(watched("elbv2", "ModifyListener"), rows())
    events = [watched(*name, number=number) for number, name in enumerate(WATCHED) if name[1] != "AssociateAddress"]
    assert sorted(batch_validated(events, rows()).aws.actions) == sorted(one.aws.actions)


def test_changes_of_paths_and_of_networks_are_told_together() -> None:
    held = {**preserving(rows()), "Items": []}
    held["RouteTables"] = public()["RouteTables"]
    outcome = batch_validated([replaced_route(), PRESERVES], held)
    assert outcome.aws.told == ["shop-web AR102 opened", "orders AR507 opened"]
    assert outcome.resources == {CONNECTOR, *ON_PATH}
    assert outcome.aws.actions.count("dynamodb:Scan") == 1


def test_two_evaluations_of_paths_at_once_tell_once() -> None:
    held = {**preserving(rows()), "Items": []}
    first: list[Any] = []

    def rival(asked: Mapping[str, Any]) -> Row:
        if not first:
            first.append(None)
            validated(PRESERVES, held)
        return {}

    loser = validated(PRESERVES, held, faults={WRITES: answered(rival)})
    assert loser.report.as_json()["opened"] == []
    assert items(held) == {"AR507": "open"}
