"""The function on the emulated AWS: a whole private path, what is wrong with it, and what is left when it is gone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator import Emulator, emulate
from emulator.worlds import ALERT_TOPIC, FINDINGS_TABLE, OPERATION_SECONDS, WORLDS, make
from emulator.worlds import sdk_client as client
from functions.audit_region.app import SCHEDULED, handler
from functions.sync_targets import app as sync
from tests.samples import ACCOUNT, REGION

PATH = "private-path"
EVENT = {"id": "1", "detail-type": SCHEDULED, "source": "aws.events", "time": "2026-11-21T08:00:00Z"}
KINDS = {
    "restapis": ["AR601", "AR602", "AR603", "AR604", "AR605", "AR606", "AR607", "AR901"],
    "service": [*(f"AR40{number}" for number in (1, 2, 3, 4, 5, 6, 7, 9)), "AR410", "AR901"],
    "vpcingressconnection": ["AR501", "AR502", "AR503", "AR901"],
    "network-interface": ["AR304", "AR305", "AR901"],
    "vpc-endpoint": ["AR504", "AR505", "AR506", "AR901"],
    "loadbalancer": ["AR512", "AR513", "AR514", "AR515", "AR901"],
    "targetgroup": ["AR507", "AR508", "AR509", "AR901"],
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The endpoint has just got a subnet in a third zone, and the target group lacks its address there."""
    with emulate() as made:
        make(WORLDS[PATH], client)
        monkeypatch.setenv("ALERT_TOPIC_ARN", f"arn:aws:sns:{REGION}:{ACCOUNT}:{ALERT_TOPIC}")
        monkeypatch.setenv("FINDINGS_TABLE", FINDINGS_TABLE)
        yield made


def audit() -> Any:
    return json.loads(json.dumps(handler(EVENT, None)))


def kind(arn: str) -> str:
    """targetgroup, of arn:…:targetgroup/NAME/ID and as well restapis, of arn:…::/restapis/ID"""
    return arn.split(":", 5)[5].lstrip("/").split("/")[0]


def found(result: Any) -> list[str]:
    """What was told: the kind of the resource, the rule, and what became of it."""
    told = [(one["resource"], one["rule"], what) for what in ("opened", "resolved") for one in result[what]]
    return sorted(f"{kind(arn)} {rule} {what}" for arn, rule, what in told)


def test_all_of_a_private_path_is_judged_and_what_the_sync_has_not_done_yet_is_told(aws: Emulator) -> None:
    first = audit()
    assert {kind(arn): sorted(answers) for arn, answers in first["resources"].items() if "vpcconnector" not in arn} == (
        KINDS
    )
    assert found(first) == ["loadbalancer AR512 opened"]
    sync.handler(EVENT, None)
    assert found(audit()) == ["loadbalancer AR512 resolved"]
    assert [answers for answers in audit()["resources"].values() if set(answers.values()) != {"pass"}] == []


def test_what_somebody_does_to_a_path_is_told_and_ends_with_the_path(aws: Emulator) -> None:
    sync.handler(EVENT, None)
    elbv2, gateway, ec2 = client("elbv2"), client("apigateway"), client("ec2")
    (group,) = (one["TargetGroupArn"] for one in elbv2.describe_target_groups()["TargetGroups"])
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "preserve_client_ip.enabled", "Value": "true"}]
    )
    (api,) = (one["id"] for one in gateway.get_rest_apis()["items"])
    (proxy,) = (one["id"] for one in gateway.get_resources(restApiId=api)["items"] if one["path"] == "/{proxy+}")
    gateway.update_integration(
        restApiId=api,
        resourceId=proxy,
        httpMethod="ANY",
        patchOperations=[{"op": "replace", "path": "/uri", "value": "https://orders.example.com/{proxy}"}],
    )
    assert found(audit()) == ["restapis AR601 opened", "targetgroup AR507 opened"]

    apprunner = client("apprunner")
    (ingress,) = apprunner.list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"]
    apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=ingress["VpcIngressConnectionArn"])
    aws.clock.advance(OPERATION_SECONDS)
    (endpoint,) = (
        one["VpcEndpointId"]
        for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]
        if one["ServiceName"].endswith(".apprunner.requests")
    )
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    aws.clock.advance(OPERATION_SECONDS)
    last = audit()
    assert {kind(arn) for arn, answers in last["resources"].items() if not answers} == {"restapis", "targetgroup"}
    assert found(last) == ["restapis AR601 resolved", "service AR403 opened", "targetgroup AR507 resolved"]


def test_what_is_no_schedule_is_ignored() -> None:
    assert handler({"detail-type": "EC2 Instance State-change Notification"}, None) == {
        "ignored": "the audit takes events of the kind 'Scheduled Event' or 'Audit Due'; this one's is"
        " 'EC2 Instance State-change Notification'"
    }
