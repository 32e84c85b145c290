"""The audit of everything but connectors alone: services, App Runner's interfaces, and private paths; and what it
shares with target sync and with events."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apprunner_guardrails.alerts.kinds import resource_name
from apprunner_guardrails.asked_egress import RULE as ASKED
from apprunner_guardrails.audit import RESERVE_SECONDS, NotAudited, OutOfTime
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Pace
from apprunner_guardrails.paths.pending import RULE as PENDING_LINKS
from apprunner_guardrails.scheduled import audit_region
from apprunner_guardrails.targets.binding import TAG
from tests.aws import FAULTS, NOW, Aws, Fault, Outcome, Parameters, audited, refused, synced, validated
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS, SCHEDULE, endpoint, target_group
from tests.private_path import (
    DOMAIN,
    HTTP_API,
    INGRESS,
    LINK,
    REST_API,
    balancer_interface,
    http_integration,
    ingress,
    load_balancer,
    private_path,
    private_service,
    resource,
    with_http_api,
)
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    GROUP,
    OTHER_CONNECTOR,
    REGION,
    SERVICE,
    SETTINGS,
    VPC,
    Row,
    Rows,
    created_connector,
    exempt,
    find,
    healthy,
    service,
    service_call,
    tag,
)

HOUR, DAY = 3600, 86_400
QUIET = replace(SETTINGS, digest_hour=None)  # no digest, whatever the hour
INTERFACE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/eni-app"
ENDPOINT_ARN = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{ENDPOINT}"
REST, HTTP = (f"arn:aws:apigateway:{REGION}::/{kind}" for kind in (f"restapis/{REST_API}", f"apis/{HTTP_API}"))
DENIED = refused("AccessDeniedException")


def whole() -> Rows:
    """Two APIs before a private service that has a connector, one of whose interfaces is there: no rule fails."""
    rows = with_http_api(private_path())
    rows["Services"] = [through_connector(private_service())]
    rows["NetworkInterfaces"].append(app_runners())
    return rows


def through_connector(row: Row, arn: str = CONNECTOR) -> Row:
    egress = {"EgressType": "VPC", "VpcConnectorArn": arn}
    return {**row, "NetworkConfiguration": {**row["NetworkConfiguration"], "EgressConfiguration": egress}}


def app_runners(**changes: object) -> Row:
    return {
        "NetworkInterfaceId": "eni-app",
        "OwnerId": ACCOUNT,
        "VpcId": VPC,
        "SubnetId": "subnet-private-a",
        "Groups": [{"GroupId": GROUP, "GroupName": "egress"}],
        "TagSet": [{"Key": "AWSAppRunnerManaged", "Value": "true"}],
        **changes,
    }


def again(rows: Rows, hours: float = 1, faults: Mapping[str, Fault] | None = None) -> Outcome:
    return audited(rows, settings=QUIET, faults=faults, now=NOW + int(hours * HOUR))


def failing(rows: Rows, faults: Mapping[str, Fault], hours: float = 1) -> tuple[str, list[str]]:
    """How an audit fails, and what it told for all that."""
    now = NOW + int(hours * HOUR)
    with Aws(rows, faults) as aws, pytest.raises(NotAudited) as raised:
        audit_region(iso(now), client, QUIET, lambda: now, lambda: 900, pace=lambda _: lambda: None)
    return str(raised.value), aws.told


def iso(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat()


def states(rows: Rows, *others: str) -> dict[str, str]:
    """The state of each finding, by rule, but for those of some resources; of what is only remembered there is none."""
    items = (item for item in rows["Items"] if item["rule"]["S"].startswith("AR"))
    return {item["rule"]["S"]: item["state"]["S"] for item in items if item["resource"]["S"] not in others}


# --- All of it --------------------------------------------------------------------------------------------------------

EVERY_ARN = (CONNECTOR, SERVICE, INTERFACE, INGRESS, ENDPOINT_ARN, ORDERS, BALANCER, REST, HTTP)
OF_APIS = [f"AR60{number}" for number in range(1, 8)]


def test_every_kind_of_resource_gets_its_answers_in_one_audit() -> None:
    outcome = again(whole())
    assert outcome.resources == set(EVERY_ARN)
    answers = {arn: outcome.of(arn) for arn in EVERY_ARN}
    assert {answer for of_one in answers.values() for answer in of_one.values()} == {"pass"}
    assert {arn: sorted(answers[arn]) for arn in EVERY_ARN if arn != CONNECTOR} == {
        SERVICE: [*(f"AR40{number}" for number in (1, 2, 3, 4, 5, 6, 7, 9)), "AR410", "AR901"],
        INTERFACE: ["AR304", "AR305", "AR901"],
        INGRESS: ["AR501", "AR502", "AR503", "AR901"],
        ENDPOINT_ARN: ["AR504", "AR505", "AR506", "AR901"],
        ORDERS: ["AR507", "AR508", "AR509", "AR901"],
        BALANCER: ["AR512", "AR513", "AR514", "AR515", "AR901"],
        REST: [*OF_APIS, "AR901"],
        HTTP: [*OF_APIS, "AR901"],
    }
    assert {"AR205", "AR301", "AR302", "AR303", "AR306", "AR408"} <= answers[CONNECTOR].keys()
    assert (outcome.aws.told, outcome.aws.acted) == ([], [])


def test_a_private_path_costs_so_many_calls() -> None:
    """Beside those of a Region without one: they are in test_audit.py."""
    path = Counter(again(whole()).aws.actions)
    path.subtract(again(healthy()).aws.actions)
    assert {action: count for action, count in path.items() if count} == {
        "apigateway:GetResources": 1,
        "apigateway:GetRestApis": 1,
        "apigateway:GetStages": 1,
        "apigateway:GetVpcLinks": 1,
        "apigatewayv2:GetApis": 1,
        "apigatewayv2:GetIntegrations": 1,
        "apigatewayv2:GetRoutes": 1,
        "apigatewayv2:GetStages": 1,
        "apigatewayv2:GetVpcLinks": 1,
        "apprunner:DescribeCustomDomains": 1,
        "apprunner:DescribeVpcIngressConnection": 1,
        "apprunner:ListTagsForResource": 1,  # of the ingress connection
        "ec2:DescribeNetworkInterfaces": 2,  # the endpoint's, and the load balancer's
        "ec2:DescribeSecurityGroups": 1,
        "ec2:DescribeSubnets": 1,
        "elasticloadbalancing:DescribeListeners": 1,
        "elasticloadbalancing:DescribeLoadBalancerAttributes": 1,
        "elasticloadbalancing:DescribeLoadBalancers": 1,
        "elasticloadbalancing:DescribeTags": 2,
        "elasticloadbalancing:DescribeTargetGroupAttributes": 1,
        "elasticloadbalancing:DescribeTargetGroups": 1,
        "elasticloadbalancing:DescribeTargetHealth": 1,
    }


def public_interface(rows: Rows) -> None:
    find(rows, "NetworkInterfaces", "eni-app")["Association"] = {"PublicIp": "203.0.113.7"}


def no_routes(rows: Rows) -> None:
    find(rows, "SecurityGroups", GROUP)["IpPermissionsEgress"] = []


def change(member: str, value: str, **changes: object) -> Callable[[Rows], None]:
    def make(rows: Rows) -> None:
        find(rows, member, value).update(changes)

    return make


def http_uri(rows: Rows) -> None:
    rows["RestResources"] = [resource(uri=f"http://{DOMAIN}/{{proxy}}")]


def wrong_host(rows: Rows) -> None:
    rows["HttpIntegrations"] = [http_integration(TlsConfig={"ServerNameToVerify": "other.example.com"})]


# A fault of each kind of resource: what makes it, whose it is, and the rule.
FAULTY: Mapping[str, tuple[Callable[[Rows], None], str, str]] = {
    "connector": (no_routes, CONNECTOR, "AR202"),
    "interface": (public_interface, INTERFACE, "AR305"),
    "ingress connection": (change("VpcIngressConnections", INGRESS, Status="FAILED_UPDATE"), INGRESS, "AR501"),
    "endpoint": (change("VpcEndpoints", ENDPOINT, PolicyDocument='{"Statement": []}'), ENDPOINT_ARN, "AR506"),
    "target group": (change("TargetGroups", ORDERS, HealthCheckProtocol="HTTPS"), ORDERS, "AR509"),
    "load balancer": (change("LoadBalancers", BALANCER, Scheme="internet-facing"), BALANCER, "AR513"),
    "REST API": (http_uri, REST, "AR602"),
    "HTTP API": (wrong_host, HTTP, "AR601"),
}


def fault_of(kind: str) -> Rows:
    rows = whole()
    FAULTY[kind][0](rows)
    return rows


@pytest.mark.parametrize("kind", FAULTY)
def test_a_fault_of_any_kind_of_resource_is_told_once_and_ends_when_it_is_mended(kind: str) -> None:
    _, arn, rule = FAULTY[kind]
    rows = fault_of(kind)
    first = again(rows, 0)
    assert rule in first.rules("fail", arn)
    assert [one for one in first.aws.told if f" {rule} opened" in one]
    assert again(rows).aws.told == []
    mended = again({**whole(), "Items": rows["Items"]}, 2)
    assert sorted(mended.aws.told) == sorted(one.replace("opened", "resolved") for one in first.aws.told)


def owners(outcome: Outcome) -> set[tuple[str, str, str]]:
    """Rule, transition and owner of what machines heard."""
    entries = (entry for asked in outcome.aws.sent("events:PutEvents") for entry in asked["Entries"])
    details = [json.loads(entry["Detail"]) for entry in entries]
    return {(one["finding"]["rule"], one["transition"], one["finding"]["owner"]) for one in details}


@pytest.mark.parametrize("kind", FAULTY)
def test_the_owner_of_any_kind_of_resource_is_told_of_its_faults_and_that_they_are_over(kind: str) -> None:
    make, arn, rule = FAULTY[kind]
    rows, mended = whole(), whole()
    make(rows)
    for one in (rows, mended):
        put_tag(one, arn, "created-by", "mara.lind")
    outcome = again(rows, 0)
    assert (rule, "opened", "mara.lind") in owners(outcome)
    assert {owner for told, _, owner in owners(outcome) if told in outcome.rules("fail", arn)} == {"mara.lind"}
    assert (rule, "resolved", "mara.lind") in owners(again({**mended, "Items": rows["Items"]}))


@pytest.mark.parametrize("arn", EVERY_ARN)
def test_an_exemption_that_exempts_nothing_is_told_of_every_kind(arn: str) -> None:
    rows, mended = whole(), whole()
    malformed = exempt(arn, "AR101", "for ever")
    put_tag(rows, arn, malformed["Key"], malformed["Value"])
    assert {one: outcome for one, outcome in again(rows, 0).failing.items() if outcome} == {arn: {"AR901"}}
    assert states(rows) == {"AR901": "open"}
    assert again({**mended, "Items": rows["Items"]}).aws.told == [f"{name_of(rows)} AR901 resolved"]


def put_tag(rows: Rows, arn: str, key: str, value: str) -> None:
    """Where AWS tells of tags of such a resource."""
    ec2 = {INTERFACE: ("NetworkInterfaces", "eni-app", "TagSet"), ENDPOINT_ARN: ("VpcEndpoints", ENDPOINT, "Tags")}
    if arn in ec2:
        member, name, tags = ec2[arn]
        find(rows, member, name)[tags].append({"Key": key, "Value": value})
    elif arn == REST:
        find(rows, "RestApis", REST_API)["tags"] = {key: value}
    elif arn == HTTP:
        find(rows, "HttpApis", HTTP_API)["Tags"] = {key: value}
    else:
        rows["Tags"].append(tag(arn, key, value))


def name_of(rows: Rows) -> str:
    """Of the one resource that something is recorded of, as events have it."""
    (arn,) = {str(item["resource"]["S"]) for item in rows["Items"]}
    return resource_name(arn)


# --- What is gone -----------------------------------------------------------------------------------------------------

ON_PATH = ("ingress connection", "endpoint", "target group", "load balancer", "REST API", "HTTP API")


def all_faulty() -> Rows:
    """Something fails on everything of the path; all of it is told."""
    rows = whole()
    for kind in ON_PATH:
        FAULTY[kind][0](rows)
    outcome = again(rows, 0)
    told = {(FAULTY[kind][1], FAULTY[kind][2]) for kind in ON_PATH}
    assert told <= {(arn, rule) for arn, rules in outcome.failing.items() for rule in rules}
    return rows


def test_the_owner_of_a_target_group_hears_that_it_is_on_no_path_any_more() -> None:
    """Its tags are read anyway, as somebody may have bound it again."""
    rows = all_faulty()
    rows |= {"VpcEndpoints": [], "VpcIngressConnections": [], "Services": [service(CONNECTOR)]}
    rows["Tags"] = [tag(ORDERS, "created-by", "mara.lind")]
    told = owners(again(rows))
    assert ("AR509", "resolved", "mara.lind") in told
    assert {owner for rule, _, owner in told if rule in ("AR501", "AR506", "AR513")} == {""}


def torn_down(rows: Rows) -> Rows:
    """The path is no more: the service is public, and nothing else of it is left."""
    gone = ("VpcIngressConnections", "VpcEndpoints", "TargetGroups", "Targets", "LoadBalancers", "Listeners", "Tags")
    rest = ("RestApis", "RestResources", "RestStages", "RestVpcLinks")
    http = ("HttpApis", "HttpIntegrations", "HttpRoutes", "HttpStages", "HttpVpcLinks")
    return {**rows, **{member: list[Row]() for member in (*gone, *rest, *http)}, "Services": [service(CONNECTOR)]}


def test_what_is_on_no_path_any_more_has_no_findings() -> None:
    rows = all_faulty()
    outcome = again(torn_down(rows))
    assert set(states(rows).values()) == {"resolved"}
    assert {one for one in outcome.resources if not outcome.of(one)} == {FAULTY[kind][1] for kind in ON_PATH}
    assert again(torn_down(rows), 2).aws.told == []


def test_what_is_there_and_on_no_path_any_more_has_no_findings() -> None:
    """The endpoint is gone, and the target group is unbound: the load balancer and the APIs lead elsewhere by now."""
    rows = all_faulty()
    rows |= {"VpcEndpoints": [], "VpcIngressConnections": [], "Tags": [], "Services": [service(CONNECTOR)]}
    outcome = again(rows)
    assert {one for one in outcome.resources if not outcome.of(one)} == {FAULTY[kind][1] for kind in ON_PATH}
    assert set(states(rows).values()) == {"resolved"}


LISTS_OF_PATHS = (
    "apigateway:GetVpcLinks",
    "apprunner:ListVpcIngressConnections",
    "ec2:DescribeVpcEndpoints",
)


@pytest.mark.parametrize("action", LISTS_OF_PATHS)
@pytest.mark.parametrize("fault", [DENIED, FAULTS["no answer"]], ids=["denied", "no answer"])
def test_a_list_that_fails_ends_nothing_of_a_path(action: str, fault: Fault) -> None:
    """All of it but the endpoint was torn down, but who knows. The ingress connection is asked for by name."""
    rows = all_faulty()
    before = states(rows, SERVICE)
    why, _ = failing({**torn_down(rows), "VpcEndpoints": rows["VpcEndpoints"]}, {action: fault})
    assert why == f"a part of {ACCOUNT} {REGION} was not audited: {action} failed ({fault.code})"
    assert states(rows, SERVICE) == before | {"AR501": "resolved"}


def test_an_ingress_connection_that_cannot_be_read_ends_nothing() -> None:
    rows = all_faulty()
    before = states(rows, SERVICE)
    left = {**torn_down(rows), "VpcIngressConnections": rows["VpcIngressConnections"]}
    outcome = again(left, faults={"apprunner:DescribeVpcIngressConnection": DENIED})
    assert states(rows, SERVICE) == before | {"AR902": "open"}
    assert outcome.aws.told == ["shop AR403 resolved", "shop AR902 opened"]


def test_an_ingress_connection_that_the_list_lacks_is_asked_for_by_name() -> None:
    """As long as it is there, what it names may be on a path, which nobody else leads to."""
    rows = all_faulty()
    before = states(rows, SERVICE)
    lagging = {**torn_down(rows), "NewVpcIngressConnections": rows["VpcIngressConnections"]}
    outcome = again(lagging)
    assert (outcome.aws.told, states(rows, SERVICE)) == (["shop AR403 resolved"], before)
    assert len(outcome.aws.sent("apprunner:DescribeVpcIngressConnection")) == 1


@pytest.mark.parametrize("kept", [[], [ingress(Status="DELETED")]], ids=["forgotten", "told as deleted"])
def test_an_ingress_connection_that_was_deleted_is_over_though_others_cannot_be_listed(kept: list[Row]) -> None:
    rows = fault_of("ingress connection")
    again(rows, 0)
    rows |= {"VpcIngressConnections": kept, "Services": [service(CONNECTOR)]}
    _, told = failing(rows, {"apigateway:GetVpcLinks": DENIED})
    assert "shop AR501 resolved" in told


def test_an_orphan_interface_is_told_and_ends_when_it_is_gone() -> None:
    rows = healthy()
    rows["NetworkInterfaces"] = [app_runners(SubnetId="subnet-public-a")]
    assert again(rows, 0).aws.told == ["eni-app AR304 opened"]
    rows["NetworkInterfaces"] = []
    why, told = failing(rows, {"ec2:DescribeNetworkInterfaces": FAULTS["denied"]})
    assert (
        why
        == f"a part of {ACCOUNT} {REGION} was not audited: ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"
    )
    assert (told, states(rows)) == ([], {"AR304": "open"})
    assert again(rows, 2).aws.told == ["eni-app AR304 resolved"]


# --- What a connector and its services are to each other --------------------------------------------------------------


def test_a_connector_that_is_not_listed_and_is_used_costs_one_call() -> None:
    rows = healthy()
    rows["Services"] = [service(OTHER_CONNECTOR, ServiceArn=f"{SERVICE[:-1]}{number}") for number in range(3)]
    rows["Services"].append(service(CONNECTOR))
    outcome = again(rows)
    assert outcome.aws.sent("apprunner:DescribeVpcConnector") == [{"VpcConnectorArn": OTHER_CONNECTOR}]
    assert outcome.aws.told == ["shop AR409 opened"] * 3


UNLISTED: Mapping[str, tuple[str, dict[str, str]]] = {
    "connectors": ("apprunner:ListVpcConnectors", {"AR301": "open", "AR304": "open", "AR409": "open"}),
    "services": ("apprunner:ListServices", {"AR301": "open", "AR304": "resolved", "AR409": "open"}),
}


@pytest.mark.parametrize(("action", "left"), UNLISTED.values(), ids=UNLISTED)
def test_a_list_that_fails_is_said_once_and_not_of_each_resource(action: str, left: dict[str, str]) -> None:
    """The rules that need it are not asked, and what is open of them stays as it is."""
    rows = whole()
    rows["NetworkInterfaces"][-1] = app_runners(SubnetId="subnet-public-a")
    rows["Services"] = [through_connector(private_service(), OTHER_CONNECTOR)]
    told = ["eni-app AR304 opened", "shop AR409 opened", "shop-web AR301 opened"]
    assert sorted(again(rows, 0).aws.told) == told
    mended = {**whole(), "Items": rows["Items"]}
    why, _ = failing(mended, {action: DENIED})
    assert (why, states(rows)) == (
        f"a part of {ACCOUNT} {REGION} was not audited: {action} failed (AccessDeniedException)",
        left,
    )
    again(mended, 2)
    assert set(states(rows).values()) == {"resolved"}


# --- What is private and how it is reached ----------------------------------------------------------------------------


def alone() -> Rows:
    """A private service without an ingress connection: AR403. An NLB leads to the endpoint all the same."""
    return {**whole(), "VpcIngressConnections": []}


def test_a_private_service_without_ingress_is_told_whatever_of_api_gateway_is_unread() -> None:
    _, told = failing(alone(), {"apigateway:GetVpcLinks": DENIED, "apigatewayv2:GetVpcLinks": DENIED})
    assert "shop AR403 opened" in told


@pytest.mark.parametrize("others", [[], [ingress(Status="FAILED_CREATION")]], ids=["none", "one that failed"])
def test_an_ingress_connection_that_was_not_read_may_be_the_services(others: list[Row]) -> None:
    unread = f"{INGRESS[:-1]}6"
    rows = {**whole(), "VpcIngressConnections": [*others, ingress(VpcIngressConnectionArn=unread)]}
    denied = replace(DENIED, when=lambda asked: asked["VpcIngressConnectionArn"] == unread)
    outcome = again(rows, faults={"apprunner:DescribeVpcIngressConnection": denied})
    assert outcome.of(SERVICE)["AR403"] == "unknown"


def test_a_private_service_that_cannot_be_read_says_so_itself_and_ends_nothing_of_its_path() -> None:
    """Its custom domains are not known: an API may lead to it by one of them."""
    rows = fault_of("REST API")
    again(rows, 0)
    rows["RestResources"] = []
    outcome = again(rows, faults={"apprunner:DescribeService": DENIED})
    assert outcome.aws.told == [f"{HTTP_API} AR902 opened", "shop AR902 opened", "shop-web AR902 opened"]
    assert states(rows)["AR602"] == "open"


# --- API Gateway ------------------------------------------------------------------------------------------------------

GATEWAY = {"apigateway:GetVpcLinks": DENIED, "apigatewayv2:GetVpcLinks": DENIED}


def test_an_audit_that_api_gateway_is_denied_to_judges_everything_else_and_says_so_once() -> None:
    rows = fault_of("load balancer")
    find(rows, "TargetGroups", ORDERS)["HealthCheckProtocol"] = "HTTPS"
    seven = NOW - NOW % DAY + 7 * HOUR
    with Aws(rows, GATEWAY) as aws, pytest.raises(NotAudited) as raised:
        audit_region(iso(seven), client, SETTINGS, lambda: seven, lambda: 900, pace=lambda _: lambda: None)
    calls = [f"{one}:GetVpcLinks failed (AccessDeniedException)" for one in ("apigateway", "apigatewayv2")]
    assert str(raised.value) == f"a part of {ACCOUNT} {REGION} was not audited: {'; '.join(calls)}"
    assert {"orders AR513 opened", "orders AR509 opened"} <= set(aws.told)
    (digest,) = (one["Message"] for one in aws.published if one["Subject"].startswith("[DIGEST]"))
    assert [line for line in digest.splitlines() if line.startswith("- call")] == [f"- call {one}" for one in calls]
    assert failing(rows, GATEWAY)[1] == []


def test_an_api_whose_integrations_cannot_be_read_is_not_judged_and_others_are() -> None:
    outcome = again(fault_of("HTTP API"), faults={"apigateway:GetResources": DENIED})
    assert set(outcome.of(REST).values()) == {"unknown", "pass"}
    assert outcome.rules("fail", HTTP) == {"AR601"}
    assert outcome.aws.told == [f"{HTTP_API} AR601 opened", f"{REST_API} AR902 opened"]


def test_an_item_that_cannot_be_read_leaves_its_api_alone_loudly() -> None:
    rows = fault_of("REST API")
    again(rows, 0)
    (item,) = rows["Items"]
    item["state"] = {"S": "dormant"}
    FAULTY["HTTP API"][0](rows)
    why, told = failing(rows, {})
    assert (
        why == f"a part of {ACCOUNT} {REGION} was not audited: {REST} AR602: ValueError 'dormant' is not a valid State"
    )
    assert told == [f"{HTTP_API} AR601 opened"]


# A VPC link that stays pending: nothing but what is remembered tells for how long.


def pending(rows: Rows) -> Rows:
    find(rows, "RestVpcLinks", LINK)["status"] = "PENDING"
    return rows


def minutes(rows: Rows, count: float, faults: Mapping[str, Fault] | None = None) -> Outcome:
    return audited(rows, settings=QUIET, faults=faults, now=NOW + int(count * 60))


def test_a_vpc_link_is_told_when_it_has_been_pending_too_long_and_ends_when_it_is_available() -> None:
    rows = pending(whole())
    wait = QUIET.vpc_link_wait_minutes
    told = [(after, one) for after in (0, wait / 2, wait - 1, wait, 60) for one in minutes(rows, after).aws.told]
    assert told == [(wait, f"{REST_API} AR604 opened")]
    assert remembered(rows, PENDING_LINKS) == [f"{LINK} {NOW}"]
    find(rows, "RestVpcLinks", LINK)["status"] = "AVAILABLE"
    assert minutes(rows, 100).aws.told == [f"{REST_API} AR604 resolved"]
    assert remembered(rows, PENDING_LINKS) == []
    assert minutes(pending(rows), 101).aws.told == []  # it is another wait
    assert remembered(rows, PENDING_LINKS) == [f"{LINK} {NOW + 101 * 60}"]


def remembered(rows: Rows, rule: str) -> list[str]:
    (item,) = (item for item in rows["Items"] if item["rule"]["S"] == rule)
    return [one["S"] for one in item["messages"]["L"]]


@pytest.mark.parametrize("action", ["apigateway:GetResources", "apigateway:GetVpcLinks"])
def test_a_read_that_fails_makes_no_wait_begin_anew(action: str) -> None:
    rows = pending(whole())
    minutes(rows, 0)
    with Aws(rows, {action: FAULTS["no answer"]}) as aws:
        try:
            audit_region(iso(NOW), client, QUIET, lambda: NOW + 600, lambda: 900, pace=lambda _: lambda: None)
        except NotAudited:
            assert action == "apigateway:GetVpcLinks"
    assert "AR604" not in " ".join(aws.told)
    assert f"{REST_API} AR604 opened" in minutes(rows, QUIET.vpc_link_wait_minutes).aws.told


# How fast it asks.


class Clock:
    """What sleeps moves it, and nothing else does."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def pace(self, per_second: float) -> Callable[[], None]:
        return Pace(per_second, now=lambda: self.now, sleep=self.sleep)


def many_apis(count: int) -> Rows:
    """So many REST APIs, of which one leads to the service."""
    rows = whole()
    rows["RestApis"] += [{"id": f"api{number:07}", "name": "other"} for number in range(count - 1)]
    return rows


def test_api_gateway_is_asked_no_faster_than_it_bears() -> None:
    clock, at = Clock(), list[float]()

    def note(asked: Parameters) -> bool:
        at.append(clock.now)
        return False  # it is answered

    noted = {"apigateway:GetResources": replace(DENIED, when=note)}
    with Aws(many_apis(20), noted) as aws:
        audit_region(iso(NOW), client, QUIET, lambda: NOW, lambda: 900, pace=clock.pace)
    assert len(at) == 20
    assert all(later - first >= 2 for first, later in zip(at, at[5:], strict=False))  # 5 in 2 seconds
    assert clock.now >= sum(one.startswith("apigateway") for one in aws.actions) / 10  # 10 in a second


def test_an_audit_that_waits_for_api_gateway_for_too_long_stops_in_time() -> None:
    clock = Clock()
    with Aws(many_apis(300)) as aws, pytest.raises(OutOfTime) as raised:
        audit_region(iso(NOW), client, QUIET, lambda: NOW, lambda: 60 - clock.now, pace=clock.pace)
    assert str(raised.value) == (
        f"the audit of {REGION} ran out of time: the APIs were not all read; nothing was told of the rest"
    )
    assert 60 - RESERVE_SECONDS <= clock.now <= 60 - RESERVE_SECONDS + 1
    assert (aws.acted, aws.actions.count("apigateway:GetResources") < 300) == ([], True)


# --- Updates that did not show ----------------------------------------------------------------------------------------


def asked_for_vpc() -> Rows:
    """A service that was to go through the connector, and does not yet."""
    rows = {**healthy(), "Services": [service("", Status="OPERATION_IN_PROGRESS")]}
    rows["Services"].append(service(CONNECTOR, ServiceArn=f"{SERVICE[:-4]}4444"))
    update = service_call("UpdateService")
    update["detail"]["requestParameters"]["networkConfiguration"] = {
        "egressConfiguration": {"egressType": "VPC", "vpcConnectorArn": CONNECTOR}
    }
    validated(update, rows, settings=QUIET)
    assert remembered(rows, ASKED) == ["VPC", CONNECTOR]
    return rows


def test_an_update_that_does_not_show_when_it_is_over_is_told_by_the_audit() -> None:
    rows = asked_for_vpc()
    assert again(rows, 0.2).aws.told == []  # it is under way
    rows["Services"][0] = service("")
    assert again(rows, 1).aws.told == ["shop AR410 opened"]
    assert remembered(rows, ASKED) == ["VPC", CONNECTOR]
    rows["Services"][0] = service(CONNECTOR)
    assert again(rows, 2).aws.told == ["shop AR410 resolved"]
    assert remembered(rows, ASKED) == []


def test_an_update_that_was_taken_back_is_no_fault_and_is_forgotten() -> None:
    rows = asked_for_vpc()
    rows["Services"][0] = service("")
    failed = {"Id": "1" * 36, "Type": "UPDATE_SERVICE", "Status": "ROLLBACK_SUCCEEDED", "TargetArn": SERVICE}
    rows["Operations"] = [{"ServiceArn": SERVICE, **failed}]
    assert (again(rows).aws.told, remembered(rows, ASKED)) == ([], [])


def test_what_an_update_asked_for_is_remembered_as_long_as_it_does_not_show() -> None:
    """What is over is forgotten after a while, so it is written anew from day to day."""
    rows = asked_for_vpc()
    rows["Services"][0] = service("")
    again(rows)
    for day in (30, 60, 90, 120):
        again(rows, day * 24)
        (item,) = (item for item in rows["Items"] if item["rule"]["S"] == ASKED)
        assert int(item["last_seen"]["N"]) == NOW + day * DAY
    assert states(rows) == {"AR410": "open"}


# --- Tags, whose index lags behind ------------------------------------------------------------------------------------

TAGGED = replace(QUIET, required_tags=("team",))


@pytest.mark.parametrize(("arn", "rule"), [(CONNECTOR, "AR408"), (SERVICE, "AR407")], ids=["connector", "service"])
def test_an_index_that_lags_neither_finds_a_tag_missing_nor_says_that_it_is_there(arn: str, rule: str) -> None:
    tagged = [tag(one, "team", "shop") for one in (CONNECTOR, SERVICE)]
    without = [one for one in tagged if one["ResourceArn"] != arn]
    rows = {**healthy(), "Tags": tagged, "IndexedTags": without}
    assert audited(rows, settings=TAGGED).aws.told == []
    rows |= {"Tags": without, "IndexedTags": without}
    (told,) = audited(rows, settings=TAGGED, now=NOW + HOUR).aws.told
    assert told.endswith(f" {rule} opened")
    assert audited({**rows, "IndexedTags": tagged}, settings=TAGGED, now=NOW + 2 * HOUR).aws.told == []
    later = audited(rows, settings=TAGGED, now=NOW + 3 * HOUR).aws
    assert (later.told, later.sent("apprunner:ListTagsForResource")) == ([], [])


# --- Beside target sync, and beside events ----------------------------------------------------------------------------


def drifted() -> Rows:
    """The target group has a target that is no endpoint's, which may not be taken away, and a wrong health check."""
    rows = fault_of("target group")
    del rows["Targets"][1]
    return rows


def run_sync(rows: Rows, hours: float, faults: Mapping[str, Fault] | None = None) -> list[str]:
    outcome = synced(rows, SCHEDULE, settings=REPORTING, faults=faults, now=NOW + int(hours * HOUR))
    assert outcome.raised is None, outcome.raised
    return outcome.aws.told


REPORTING = replace(QUIET, sync_policy=type(QUIET.sync_policy).REPORT_ONLY)


def test_the_sync_and_the_audit_leave_each_others_findings_of_a_target_group_alone() -> None:
    rows = drifted()
    assert run_sync(rows, 0) == ["orders AR510 opened"]
    assert sorted(again(rows, 0.1).aws.told) == ["orders AR509 opened", "orders AR512 opened"]
    assert run_sync(rows, 1) == []
    assert again(rows, 1.1).aws.told == []
    assert states(rows) == {"AR509": "open", "AR510": "open", "AR512": "open"}


def test_a_group_that_is_unbound_has_no_findings_of_the_syncs_and_still_those_of_its_path() -> None:
    rows = drifted()
    rows["Tags"].append(exempt(ORDERS, "AR101", "for ever"))
    run_sync(rows, 0)
    again(rows, 0)
    assert states(rows) == {"AR509": "open", "AR510": "open", "AR512": "open", "AR901": "open"}
    rows["Tags"] = [one for one in rows["Tags"] if one["Key"] != TAG]
    assert run_sync(rows, 1) == ["orders AR510 resolved"]
    assert again(rows, 1).aws.told == []
    rows["Tags"] = []
    assert run_sync(rows, 2) == []
    assert again(rows, 2).aws.told == ["orders AR901 resolved"]


def test_a_malformed_exemption_of_a_bound_group_on_no_path_is_the_syncs_to_end() -> None:
    """A binding that cannot be understood puts no group on a path. The two would take turns at it for ever."""
    rows = whole() | {"Targets": [], "RestVpcLinks": [], "HttpVpcLinks": []}
    rows["Tags"] = [tag(ORDERS, TAG, "nothing"), exempt(ORDERS, "AR101", "for ever")]
    assert run_sync(rows, 0) == ["orders AR511 opened", "orders AR516 opened", "orders AR901 opened"]
    assert again(rows, 0.1).aws.told == []
    rows["Tags"] = []
    assert run_sync(rows, 1) == ["orders AR511 resolved", "orders AR516 resolved"]
    assert again(rows, 1).aws.told == ["orders AR901 resolved"]


def test_what_the_sync_could_not_judge_is_not_ended_by_the_audit_and_the_other_way_round() -> None:
    rows = whole()
    attributes = {"elasticloadbalancing:DescribeTargetGroupAttributes": FAULTS["denied"]}
    assert again(rows, 0, attributes).aws.told == ["orders AR902 opened"]
    assert run_sync(rows, 0.1) == []
    assert states(rows) == {"AR902": "open"}
    assert again(rows, 1).aws.told == ["orders AR902 resolved"]
    health = {"elasticloadbalancing:DescribeTargetHealth": FAULTS["denied"]}
    assert run_sync(rows, 30, health) == ["orders AR902 reopened"]
    assert again(rows, 30.1).aws.told == []
    assert run_sync(rows, 31) == ["orders AR902 resolved"]


def test_what_the_audit_could_not_judge_is_not_ended_by_an_event() -> None:
    rows = healthy()
    other = f"{SERVICE[:-4]}4444"
    rows["Services"] = [service("", ServiceArn=other)]
    denied = {"apprunner:DescribeService": DENIED}
    assert again(rows, 0, denied).aws.told == ["shop AR902 opened", "shop-web AR902 opened"]
    assert validated(created_connector(), rows, settings=QUIET, now=NOW + 60).aws.told == []
    assert again(rows, 1).aws.told == ["shop AR902 resolved", "shop-web AR301 opened", "shop-web AR902 resolved"]


# --- Two of everything ------------------------------------------------------------------------------------------------


def test_paths_share_what_they_can() -> None:
    """So many private services behind one endpoint each: what is asked for each of them, and for all."""

    def calls(count: int) -> Counter[str]:
        return Counter(again(paths(count)).aws.actions)

    assert {action: number for action, number in (calls(12) - calls(11)).items() if number} == {
        "apprunner:DescribeCustomDomains": 1,
        "apprunner:DescribeService": 1,
        "apprunner:DescribeVpcIngressConnection": 1,
        "apprunner:ListTagsForResource": 1,
        "elasticloadbalancing:DescribeListeners": 1,
        "elasticloadbalancing:DescribeLoadBalancerAttributes": 1,
        "elasticloadbalancing:DescribeTargetGroupAttributes": 1,
        "elasticloadbalancing:DescribeTargetHealth": 1,
    }


def paths(count: int) -> Rows:
    """So many private services, each with an ingress connection, an endpoint, a bound group and an NLB of its own."""
    rows = whole()
    for number in range(1, count):
        arn, name = f"{SERVICE[:-4]}{number:04}", f"vpce-{number:017x}"
        balancer = BALANCER.replace("0123456789abcdef", f"{number:016x}")
        addresses = {"a": f"10.0.1.{number + 100}", "b": f"10.0.2.{number + 100}"}
        rows["Services"].append({**through_connector(private_service()), "ServiceArn": arn})
        rows["VpcIngressConnections"].append(
            ingress(
                VpcIngressConnectionArn=f"{INGRESS[:-4]}{number:04}",
                ServiceArn=arn,
                IngressVpcConfiguration={"VpcId": VPC, "VpcEndpointId": name},
            )
        )
        ends = [f"eni-{number}-{zone}" for zone in addresses]
        rows["VpcEndpoints"].append(endpoint(name, *ends, SubnetIds=["subnet-private-a", "subnet-private-b"]))
        rows["VpcEndpoints"][-1]["Groups"] = find(rows, "VpcEndpoints", ENDPOINT)["Groups"]
        for zone, address in addresses.items():
            one = {**find(rows, "NetworkInterfaces", f"eni-{zone}"), "PrivateIpAddress": address}
            rows["NetworkInterfaces"].append({**one, "NetworkInterfaceId": f"eni-{number}-{zone}"})
            rows["NetworkInterfaces"].append(
                balancer_interface(
                    f"eni-lb-{number}-{zone}", f"subnet-private-{zone}", f"10.0.{address[5]}.{number + 30}", balancer
                )
            )
        group = target_group(f"group-{number:03}", LoadBalancerArns=[balancer])
        rows["TargetGroups"].append(group)
        rows["Tags"].append(tag(group["TargetGroupArn"], TAG, name))
        rows["LoadBalancers"].append(load_balancer(LoadBalancerArn=balancer, LoadBalancerName=f"nlb-{number}"))
    return rows
