"""Each named world shows what it is there to show, and is the same wherever it is built; a Region is as asked for."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest

from emulator import Emulator
from emulator.worlds import OPERATION_SECONDS, REGION, WORLDS, build, happen, make, region, sdk_client
from replay.loop import Step, play_world
from replay.template import load


def told(steps: list[Step]) -> str:
    return json.dumps([[step.event, [vars(one) for one in step.invocations]] for step in steps])


@dataclass(frozen=True, kw_only=True)
class Path:
    """The private path as it stands: its endpoint's addresses by zone, its one target group and what the API asks."""

    group: str
    endpoint: str
    addresses: Mapping[str, str]

    def health(self) -> dict[str, str]:
        """By address, of targets on port 443."""
        answer = _client("elbv2").describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        assert {one["Target"]["Port"] for one in answer} <= {443}
        return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in answer}


def path() -> Path:
    ec2, elbv2 = _client("ec2"), _client("elbv2")
    [group] = elbv2.describe_target_groups()["TargetGroups"]
    [tags] = elbv2.describe_tags(ResourceArns=[group["TargetGroupArn"]])["TagDescriptions"]
    [binding] = tags["Tags"]
    assert (binding["Key"], group["TargetType"], group["Port"]) == ("apprunner-guardrails:endpoint", "ip", 443)
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-endpoint-id", "Values": [binding["Value"]]}])
    ids = [one for endpoint in found["VpcEndpoints"] for one in endpoint["NetworkInterfaceIds"]]
    interfaces = ec2.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"] if ids else []
    return Path(
        group=group["TargetGroupArn"],
        endpoint=binding["Value"],
        addresses={one["AvailabilityZoneId"]: one["PrivateIpAddress"] for one in interfaces},
    )


def test_the_private_path_leads_from_the_api_to_the_service(aws: Emulator) -> None:
    build(WORLDS["private-path"], _client)
    gateway, elbv2, apprunner = _client("apigateway"), _client("elbv2"), _client("apprunner")
    here = path()
    assert (sorted(here.addresses), here.health()) == (
        ["use1-az1", "use1-az2"],
        dict.fromkeys(here.addresses.values(), "healthy"),
    )
    [api] = gateway.get_rest_apis()["items"]
    [proxy] = [one for one in gateway.get_resources(restApiId=api["id"])["items"] if one["path"] == "/{proxy+}"]
    integration = gateway.get_integration(restApiId=api["id"], resourceId=proxy["id"], httpMethod="ANY")
    [link] = gateway.get_vpc_links()["items"]
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    [listener] = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    [ingress] = apprunner.list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"]
    connection = apprunner.describe_vpc_ingress_connection(VpcIngressConnectionArn=ingress["VpcIngressConnectionArn"])[
        "VpcIngressConnection"
    ]
    service = apprunner.describe_service(ServiceArn=connection["ServiceArn"])["Service"]
    assert (integration["type"], integration["connectionType"], integration["connectionId"]) == (
        "HTTP_PROXY",
        "VPC_LINK",
        link["id"],
    )
    assert integration["uri"] == f"https://{connection['DomainName']}/{{proxy}}"
    assert integration["requestParameters"] == {"integration.request.path.proxy": "method.request.path.proxy"}
    assert link["targetArns"] == [balancer["LoadBalancerArn"]]
    assert (balancer["Scheme"], listener["Protocol"], listener["Port"]) == ("internal", "TCP", 443)
    assert [action["TargetGroupArn"] for action in listener["DefaultActions"]] == [here.group]
    assert connection["Status"] == "AVAILABLE"
    assert connection["IngressVpcConfiguration"]["VpcEndpointId"] == here.endpoint
    assert service["NetworkConfiguration"]["EgressConfiguration"]["EgressType"] == "VPC"
    assert service["NetworkConfiguration"]["IngressConfiguration"] == {"IsPubliclyAccessible": False}


def test_its_endpoint_gets_a_zone_and_another_address_in_one(aws: Emulator) -> None:
    build(WORLDS["private-path"], _client)
    before = path()
    happen(WORLDS["private-path"], _client)
    after = path()
    assert after.addresses.keys() - before.addresses.keys() == {"use1-az4"}
    [moved] = [zone for zone, address in before.addresses.items() if after.addresses[zone] != address]
    aws.clock.advance(OPERATION_SECONDS)
    assert after.health() == {
        address: "unhealthy" if zone == moved else "healthy" for zone, address in before.addresses.items()
    }


def synced(name: str) -> list[tuple[str, dict[str, Any]]]:
    """What each run did with the target group of the world, by moment, of what was delivered first."""
    return [
        (step.moment, group)
        for step in play_world(WORLDS[name], load())
        if not step.is_repeated
        for one in step.invocations
        for group in one.result.get("target_groups", {}).values()
    ]


def test_the_guardrails_follow_it_and_drop_the_old_address_once_the_new_one_is_healthy() -> None:
    """Two calls wake them, then they come back by themselves every minute; later somebody takes a target away."""
    runs = synced("private-path")
    first, *waiting, last = [group for moment, group in runs if moment == "happens"]
    [old], new = first["held"], first["registered"]
    assert len(new) == 2
    assert first == {"registered": new, "deregistered": [], "held": [old], "refused": None}
    assert waiting == [{"registered": [], "deregistered": [], "held": [old], "refused": None}] * 3
    assert last == {"registered": [], "deregistered": [old], "held": [], "refused": None}
    again, *silent = [group for moment, group in runs if moment == "later"]
    nothing: dict[str, Any] = {"registered": [], "deregistered": [], "held": [], "refused": None}
    assert again["registered"][0] in new
    assert again == {**nothing, "registered": again["registered"][:1]}
    assert silent == [nothing] * 3
    assert [group for moment, group in runs if moment == "audit"] == [nothing]


def test_two_worlds_in_one_region_leave_each_other_alone(aws: Emulator) -> None:
    client = cache(sdk_client)
    for world in ("private-path", "endpoint-gone"):
        make(WORLDS[world], client)
    left = client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    assert [(one["State"], len(one["SubnetIds"])) for one in left if "requests" in one["ServiceName"]] == [
        ("available", 3)
    ]


def test_nothing_is_deregistered_where_the_endpoint_is_gone_and_it_is_told() -> None:
    steps = [step for step in play_world(WORLDS["endpoint-gone"], load()) if not step.is_repeated]
    runs = [group for _, group in synced("endpoint-gone")]
    assert [(one["registered"], one["deregistered"], one["held"]) for one in runs] == [([], [], [])] * 2
    assert all("does not exist: refusing to change target group endpoint-gone" in one["refused"] for one in runs)
    subjects = [alert["subject"] for step in steps for one in step.invocations for alert in one.alerts]
    assert subjects[0] == "[CRITICAL] AR511 AR516: target group endpoint-gone in 123456789012 us-east-1"


def test_what_people_and_tools_create_has_its_tags_and_keeps_those_that_it_was_given() -> None:
    """Load balancer and target group are no part of a path at first. Nothing is missing a week later."""
    steps, tags = [], {}
    audits: list[dict[str, Any]] = []

    def at_end(_: object) -> None:
        tags.update(tags_by_name())

    for step in play_world(WORLDS["ownership"], load(), at_end):
        steps.append(step)
        audits += [one.result["resources"] for one in step.invocations if one.function == "AuditRegionFunction"]
    path = {"created-at": "2026-11-02T09:09:00Z", "created-with": "CLI", "team": "platform"}
    assert tags == {
        "vpcconnector/ownership": {
            "created-by": "AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789/dana.ortiz",
            "created-at": "2026-11-02T09:03:00Z",
            "created-with": "console",
            "team": "platform",
        },
        "service/ownership-orders": {
            "team": "orders",
            "created-by": "terraform",
            "created-at": "2026-11-02T09:03:00Z",
            "created-with": "Terraform",
        },
        "service/ownership-reports": {
            "created-by": "reports-stack",
            "team": "reports",
            "created-at": "2026-11-02T09:06:00Z",
            "created-with": "CloudFormation",
        },
        "vpcingressconnection/ownership": {**path, "created-by": "operations"},
        "endpoint": {**path, "Name": "ownership", "created-by": "operations", "created-at": "2026-11-02T09:06:00Z"},
        "targetgroup/ownership": {
            **path,
            "created-by": "NetworkEngineer/jonas.weber",
            "apprunner-guardrails:endpoint": tags["targetgroup/ownership"]["apprunner-guardrails:endpoint"],
        },
        "loadbalancer/ownership": {**path, "created-by": "NetworkEngineer/jonas.weber"},
    }
    alerts = [alert["subject"] for step in steps for one in step.invocations for alert in one.alerts]
    assert alerts == ["[DIGEST] nothing open: App Runner in 123456789012 us-east-1"]
    assert {
        arn.split(":")[5].partition("/")[0]: (answers.get("AR407"), answers.get("AR408"))
        for arn, answers in audits[0].items()
        if ":vpcconnector/" in arn or ":service/" in arn
    } == {"vpcconnector": (None, "pass"), "service": ("pass", None)}


def tags_by_name() -> dict[str, dict[str, str]]:
    """The tags of all that there is of App Runner and of the way to it."""
    ec2, elbv2, apprunner = _client("ec2"), _client("elbv2"), _client("apprunner")
    of_apprunner = [
        *(one["VpcConnectorArn"] for one in apprunner.list_vpc_connectors()["VpcConnectors"]),
        *(one["ServiceArn"] for one in apprunner.list_services()["ServiceSummaryList"]),
        *(
            one["VpcIngressConnectionArn"]
            for one in apprunner.list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"]
        ),
    ]
    found = {
        "/".join(arn.split(":")[5].split("/")[:2]): apprunner.list_tags_for_resource(ResourceArn=arn)["Tags"]
        for arn in of_apprunner
    }
    [endpoint] = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    [group] = elbv2.describe_target_groups()["TargetGroups"]
    described = elbv2.describe_tags(ResourceArns=[balancer["LoadBalancerArn"], group["TargetGroupArn"]])
    of_balancer, of_group = (one["Tags"] for one in described["TagDescriptions"])
    found |= {"endpoint": endpoint["Tags"], "loadbalancer/ownership": of_balancer, "targetgroup/ownership": of_group}
    return {name: {tag["Key"]: tag["Value"] for tag in tags} for name, tags in found.items()}


def test_an_organization_is_guarded_from_one_account_and_one_that_lets_nobody_in_keeps_nothing_from_the_rest() -> None:
    steps = [step for step in play_world(WORLDS["organization"], load()) if not step.is_repeated]
    assert [one.error for step in steps for one in step.invocations if one.error] == []
    subjects = [(step.moment, alert["subject"]) for step in steps for one in step.invocations for alert in one.alerts]
    connector = "VPC connector organization in"
    assert [subject for moment, subject in subjects if moment == "happens"] == [
        f"[MEDIUM] AR101 too few zones: {connector} 123456789012 us-east-1",
        f"[HIGH] AR102 public subnet: {connector} 210987654321 us-east-1",
        f"[MEDIUM] AR101 too few zones: {connector} 210987654321 eu-west-1",
        "[HIGH] AR904 member not readable: member role apprunner-guardrails-member in 345678901234 us-east-1",
    ]
    [told] = (
        step for step in steps if step.moment == "happens" and step.queues == ["MemberQueue"] and step.invocations
    )
    answers = told.invocations[0].result["resources"]
    assert {arn.split(":")[4]: set(rules.values()) for arn, rules in answers.items() if ":vpcconnector/" in arn} == {
        "210987654321": {"fail", "pass"},
        "345678901234": {"unknown"},
    }
    assert ("later", f"[RESOLVED] AR101 too few zones: {connector} 210987654321 eu-west-1") in subjects
    assert [subject for moment, subject in subjects if moment == "audit" and "345678901234" in str(subject)] == [
        "[RESOLVED] AR904 member not readable: member role apprunner-guardrails... in 345678901234 us-east-1",
        f"[LOW] AR301 unused: {connector} 345678901234 us-east-1",
        f"[MEDIUM] AR101 AR301: {connector} 345678901234 eu-west-1",
    ]


@pytest.mark.parametrize("name", ["nat-gone", "organization", "ownership", "private-path"])
def test_a_world_has_the_same_ids_and_answers_every_time(name: str) -> None:
    first, second = (told(list(play_world(WORLDS[name], load()))) for _ in range(2))
    assert first == second


def test_a_region_has_the_size_that_was_asked_for(aws: Emulator) -> None:
    """13 connectors are more than the quota; in each VPC ten of them share a security group."""
    made = region(_client, connectors=13, services=31, vpcs=2)
    apprunner, ec2 = _client("apprunner"), _client("ec2")
    connectors = {one["VpcConnectorArn"]: one for one in apprunner.list_vpc_connectors()["VpcConnectors"]}
    assert (set(made.connectors), len(made.services), len(made.subnets)) == (set(connectors), 31, 13 * 4)
    zones = {one["SubnetId"]: one["AvailabilityZoneId"] for one in ec2.describe_subnets()["Subnets"]}
    shapes = [
        (len(one["Subnets"]), len({zones[each] for each in one["Subnets"]}))
        for one in map(connectors.__getitem__, made.connectors)
    ]
    assert shapes == [(3, 3), (4, 4)] * 4 + [(3, 3), (1, 1), (3, 3), (4, 4), (3, 3)]
    services = [apprunner.describe_service(ServiceArn=arn)["Service"] for arn in made.services]
    assert {one["Status"] for one in services} == {"RUNNING"}
    egress = Counter(one["NetworkConfiguration"]["EgressConfiguration"]["EgressType"] for one in services)
    assert egress == {"VPC": 26, "DEFAULT": 5}
    assert len({one["VpcId"] for one in ec2.describe_nat_gateways()["NatGateways"]}) == 2
    assert aws.settings.quotas == {"services": 31, "connectors": 13, "connections": 10, "configurations": 10}


@cache
def _client(service: str) -> Any:
    make: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing").client
    return make(service, region_name=REGION)
