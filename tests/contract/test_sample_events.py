"""The files in events/: generated, realistic, and routed by the template's patterns as intended."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apprunner_guardrails.drift import Change, parse_change
from apprunner_guardrails.events import CALLS, CLOUDTRAIL, FailedCall, Ignored, Trigger, parse
from apprunner_guardrails.paths.triggers import PathChange, parse_path_change
from apprunner_guardrails.tags.created import Created
from apprunner_guardrails.tags.created import parse as parse_for_tags
from apprunner_guardrails.targets.triggers import Asked as ForSync
from apprunner_guardrails.targets.triggers import parse as parse_for_sync
from replay.template import Pattern, load, matches
from tools import events as generator

EVERY_FILE = {path.name: json.loads(path.read_text()) for path in sorted(generator.FOLDER.glob("*.json"))}
FILES = {name: event for name, event in EVERY_FILE.items() if (event["account"], event["region"]) == generator.HOME}
MEMBERS = {name: event for name, event in EVERY_FILE.items() if name not in FILES}

# What ValidateNetworkFunction is invoked with at once.
INVOKED = {
    "apprunner-CreateService-copilot.json",
    "apprunner-CreateService-healthy.json",
    "apprunner-CreateService-isolated.json",
    "apprunner-CreateService-omitted.json",
    "apprunner-CreateService-ownership.json",
    "apprunner-CreateService-policies.json",
    "apprunner-CreateVpcConnector-copilot.json",
    "apprunner-CreateVpcConnector-exempted.json",
    "apprunner-CreateVpcConnector-fleet.json",
    "apprunner-CreateVpcConnector-gone.json",
    "apprunner-CreateVpcConnector-healthy-failed.json",
    "apprunner-CreateVpcConnector-healthy.json",
    "apprunner-CreateVpcConnector-main-table.json",
    "apprunner-CreateVpcConnector-mended.json",
    "apprunner-CreateVpcConnector-one-zone.json",
    "apprunner-CreateVpcConnector-organization.json",
    "apprunner-CreateVpcConnector-ownership.json",
    "apprunner-CreateVpcConnector-policies.json",
    "apprunner-CreateVpcConnector-public-subnets.json",
    "apprunner-DeleteVpcConnector-connector-in-use-failed.json",
    "apprunner-DeleteVpcConnector-fleet.json",
    "apprunner-DeleteVpcConnector-gone.json",
    "apprunner-ResumeService-nat-gone.json",
    "apprunner-ResumeService-service-broken.json",
    "apprunner-TagResource-database-blocked.json",
    "apprunner-TagResource-exempted.json",
    "apprunner-TagResource-policies.json",
    "apprunner-UpdateService-ingress-broken.json",
    "apprunner-UpdateService-mixed-address-types.json",
    "apprunner-UpdateService-policies.json",
    "apprunner-UpdateService-public-subnets.json",
    "apprunner-UpdateService-service-broken.json",
    "apprunner-UpdateServiceCompletedSuccessfully-ingress-broken.json",
    "apprunner-UpdateServiceCompletedSuccessfully-mixed-address-types.json",
    "apprunner-UpdateServiceCompletedSuccessfully-policies.json",
    "apprunner-UpdateServiceCompletedSuccessfully-service-broken.json",
    "apprunner-UpdateServiceFailed-public-subnets.json",
}

# What waits in its queue first: changes of a connector's network …
DRIFT = {
    "ec2-AuthorizeSecurityGroupEgress-database-blocked.json",
    "ec2-AuthorizeSecurityGroupIngress-database-blocked.json",
    "ec2-CreateNetworkAclEntry-network-wrong.json",
    "ec2-CreateRoute-healthy.json",
    "ec2-DeleteNatGateway-nat-gone.json",
    "ec2-DeleteNetworkAclEntry-network-wrong.json",
    "ec2-DeleteSecurityGroup-network-wrong.json",
    "ec2-DeleteSubnet-network-wrong.json",
    "ec2-ModifyVpcAttribute-network-wrong.json",
    "ec2-ReplaceRoute-mended.json",
}

# … and of private paths.
PATHS = {
    "apigateway-CreateDeployment-api-wrong.json",
    "apigateway-CreateResource-api-wrong.json",
    "apigateway-CreateRestApi-api-wrong.json",
    "apigateway-CreateRoute-api-wrong.json",
    "apigateway-CreateVpcLink-api-wrong.json",
    "apigateway-PutIntegration-api-wrong.json",
    "apigateway-PutMethod-api-wrong.json",
    "apigateway-UpdateIntegration-api-wrong.json",
    "apigateway-UpdateMethod-api-wrong.json",
    "apigateway-UpdateStage-api-wrong.json",
    "apprunner-CreateVpcIngressConnection-private-path.json",
    "apprunner-DeleteVpcIngressConnection-ingress-broken.json",
    "apprunner-TagResource-endpoint-wrong.json",
    "apprunner-UpdateVpcIngressConnection-ingress-broken.json",
    "ec2-AssociateAddress-fleet.json",
    "ec2-CreateTags-balancer-wrong.json",
    "ec2-CreateVpcEndpoint-private-path.json",
    "ec2-DeleteVpcEndpoints-endpoint-gone.json",
    "ec2-ModifyVpcEndpoint-private-path.json",
    "elasticloadbalancing-AddTags-endpoint-gone.json",
    "elasticloadbalancing-CreateListener-balancer-wrong.json",
    "elasticloadbalancing-CreateLoadBalancer-ownership.json",
    "elasticloadbalancing-DeleteListener-balancer-wrong.json",
    "elasticloadbalancing-DeleteTargetGroup-group-wrong.json",
    "elasticloadbalancing-ModifyLoadBalancerAttributes-balancer-wrong.json",
    "elasticloadbalancing-ModifyTargetGroup-group-wrong.json",
    "elasticloadbalancing-ModifyTargetGroupAttributes-group-wrong.json",
    "elasticloadbalancing-SetSecurityGroups-balancer-wrong.json",
}

# What SyncTargetsFunction is invoked with at once, and what waits in its queue.
SYNCED = {
    "apprunner-CreateVpcIngressConnection-private-path.json",
    "apprunner-DeleteVpcIngressConnection-ingress-broken.json",
    "apprunner-UpdateVpcIngressConnection-ingress-broken.json",
    "ec2-CreateVpcEndpoint-private-path.json",
    "ec2-DeleteVpcEndpoints-endpoint-gone.json",
    "ec2-ModifyVpcEndpoint-private-path.json",
    "elasticloadbalancing-AddTags-endpoint-gone.json",
    "elasticloadbalancing-CreateTargetGroup-private-path.json",
}
SYNCED_LATER = {
    "elasticloadbalancing-DeregisterTargets-private-path.json",
    "elasticloadbalancing-RegisterTargets-private-path.json",
}

# What waits in the queue of TagResourcesFunction.
CREATED = {
    *(one for one in INVOKED if re.match("apprunner-Create(VpcConnector|Service)-", one) and "-failed" not in one),
    "apprunner-CreateVpcIngressConnection-private-path.json",
    "ec2-CreateVpcEndpoint-private-path.json",
    "elasticloadbalancing-CreateLoadBalancer-ownership.json",
    "elasticloadbalancing-CreateTargetGroup-private-path.json",
}
"""Everything else in events/ matches no rule."""

# What the function explains.
EXPLAINED = {
    "apprunner-CreateVpcConnector-healthy-failed.json",
    "apprunner-DeleteVpcConnector-connector-in-use-failed.json",
    "apprunner-UpdateServiceFailed-public-subnets.json",
}

# What the function leaves alone, and why.
LEFT_ALONE = {
    "apprunner-CreateService-omitted.json": "requestParameters of the CreateService record was omitted or redacted:"
    " it names nothing to check",
}
UNTAGGED = {
    "apprunner-CreateService-omitted.json": "responseElements of the CreateService record was omitted or redacted:"
    " it names nothing to tag",
}


def detail(name: str) -> dict[str, Any]:
    found: dict[str, Any] = FILES[name]["detail"]
    return found


def test_the_files_are_what_the_emulator_emits(capsys: pytest.CaptureFixture[str]) -> None:
    assert (generator.main(["--check"]), capsys.readouterr().err) == (0, "")


def test_a_changed_and_a_foreign_file_are_called_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {"a.json": {"x": 1}, "b.json": {"x": 2}}
    monkeypatch.setattr(generator, "samples", lambda: wanted)
    monkeypatch.setattr(generator, "FOLDER", tmp_path)
    generator.main([])
    assert generator.main(["--check"]) == 0
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "c.json").write_text("{}")
    assert generator.main(["--check"]) == 1
    assert capsys.readouterr().err == "stale: events/a.json, events/c.json; `make docs` writes them anew\n"
    generator.main([])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_the_rules_of_the_template_admit_what_is_watched_and_nothing_else() -> None:
    functions = load().functions
    validate, sync, tag = (functions[f"{name}Function"] for name in ("ValidateNetwork", "SyncTargets", "TagResources"))
    assert admitted(validate.patterns) == INVOKED
    assert admitted(validate.queues["DriftQueue"].patterns) == DRIFT | PATHS
    assert admitted(sync.patterns) == SYNCED
    assert admitted(sync.queues["SyncQueue"].patterns) == SYNCED_LATER
    assert admitted(tag.queues["TagQueue"].patterns) == CREATED


def admitted(patterns: Mapping[str, Pattern]) -> set[str]:
    return {name for name, event in FILES.items() if any(matches(pattern, event) for pattern in patterns.values())}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_routed_is_understood_and_another_is_ignored(name: str) -> None:
    event = FILES[name]
    asked, change, path_change = parse(event), parse_change(event), parse_path_change(event)
    to_sync = parse_for_sync(event, "SyncTargetsFunction")
    assert isinstance(change, Change if name in DRIFT else Ignored)
    assert isinstance(path_change, PathChange if name in PATHS else Ignored)
    assert isinstance(to_sync, ForSync if name in SYNCED | SYNCED_LATER else Ignored)
    if name in INVOKED - LEFT_ALONE.keys():
        assert isinstance(asked, FailedCall if name in EXPLAINED else Trigger)
    else:
        assert isinstance(asked, Ignored)
        assert asked.why == LEFT_ALONE.get(name, asked.why)


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_says_was_created_is_tagged(name: str) -> None:
    found = parse_for_tags(FILES[name])
    if name in CREATED - UNTAGGED.keys():
        assert isinstance(found, Created)
        assert found.arn.startswith(f"arn:aws:{name.partition('-')[0]}:us-east-1:123456789012:")
        assert (found.what, found.time) == (name.split("-")[1], detail(name)["eventTime"])
    else:
        assert isinstance(found, Ignored)
        assert found.why == UNTAGGED.get(name, found.why)


def test_what_a_member_sends_is_taken_by_one_rule_and_understood() -> None:
    queues = [queue for one in load().functions.values() for queue in one.queues.values()]
    taken = {
        name: [rule for queue in queues for rule, pattern in queue.member_patterns.items() if matches(pattern, event)]
        for name, event in MEMBERS.items()
    }
    audits = [name for name, event in MEMBERS.items() if event["source"] == generator.MEMBER]
    assert audits == ["member-AuditDue-210987654321-us-east-1-organization.json"]
    assert taken == {name: ["MemberAuditsRule" if name in audits else "MemberEventsRule"] for name in MEMBERS}
    for name in MEMBERS.keys() - audits:
        asked = parse(MEMBERS[name])
        assert isinstance(asked, Trigger)
        assert f"-{asked.account}-{asked.region}-" in name
        assert f":{asked.region}:{asked.account}:" in asked.resource


@pytest.mark.parametrize("watched", [*(call for _, call in CALLS), "UpdateServiceCompletedSuccessfully"])
def test_every_watched_call_and_status_has_a_file(watched: str) -> None:
    assert [name for name in INVOKED if name.startswith(f"apprunner-{watched}-")]


def test_every_source_of_changes_of_a_path_has_a_file() -> None:
    assert {name.partition("-")[0] for name in PATHS} == {"apigateway", "apprunner", "ec2", "elasticloadbalancing"}


def test_calls_are_made_by_every_kind_of_caller() -> None:
    callers = {}
    for name in INVOKED:
        asked = parse(FILES[name])
        if not isinstance(asked, Ignored) and "userIdentity" in FILES[name]["detail"]:
            callers[name.removeprefix("apprunner-").removesuffix(".json")] = (asked.caller.name, asked.caller.tool)
    assert callers == {
        "CreateService-copilot": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "CreateService-healthy": ("role NetworkEngineer jonas.weber", "AWS CLI"),
        "CreateService-isolated": (
            "role AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789 dana.ortiz@example.com",
            "console",
        ),
        "CreateService-ownership": ("role terraform terraform-apply", "Terraform"),
        "CreateService-policies": ("mara.lind", "console"),
        "CreateVpcConnector-copilot": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "CreateVpcConnector-exempted": ("role terraform terraform-apply", "Terraform"),
        "CreateVpcConnector-fleet": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "CreateVpcConnector-gone": ("mara.lind", "console"),
        "CreateVpcConnector-healthy-failed": ("role NetworkEngineer jonas.weber", "AWS CLI"),
        "CreateVpcConnector-healthy": ("role NetworkEngineer jonas.weber", "AWS CLI"),
        "CreateVpcConnector-main-table": ("mara.lind", "console"),
        "CreateVpcConnector-mended": ("role terraform terraform-apply", "Terraform"),
        "CreateVpcConnector-one-zone": ("root of account 123456789012", "console"),
        "CreateVpcConnector-organization": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "CreateVpcConnector-ownership": (
            "role AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789 dana.ortiz@example.com",
            "console",
        ),
        "CreateVpcConnector-policies": ("mara.lind", "console"),
        "CreateVpcConnector-public-subnets": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "DeleteVpcConnector-connector-in-use-failed": ("role NetworkEngineer jonas.weber", "AWS CLI"),
        "DeleteVpcConnector-fleet": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "DeleteVpcConnector-gone": ("mara.lind", "console"),
        "ResumeService-nat-gone": ("operations", "AWS CLI"),
        "ResumeService-service-broken": ("mara.lind", "console"),
        "TagResource-database-blocked": ("role terraform terraform-apply", "Terraform"),
        "TagResource-exempted": (
            "role AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789 dana.ortiz@example.com",
            "console",
        ),
        "TagResource-policies": (
            "role AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789 dana.ortiz@example.com",
            "console",
        ),
        "UpdateService-ingress-broken": ("role terraform terraform-apply", "Terraform"),
        "UpdateService-mixed-address-types": ("role terraform terraform-apply", "Terraform"),
        "UpdateService-policies": (
            "role AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789 dana.ortiz@example.com",
            "console",
        ),
        "UpdateService-public-subnets": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "UpdateService-service-broken": ("mara.lind", "console"),
    }


def test_what_is_sensitive_is_redacted_in_request_and_response() -> None:
    record = detail("apprunner-CreateService-healthy.json")
    for source in (record["requestParameters"], record["responseElements"]["service"]):
        image = source["sourceConfiguration"]["imageRepository"]["imageConfiguration"]
        assert image == {"runtimeEnvironmentVariables": "HIDDEN_DUE_TO_SECURITY_REASONS", "port": "8000"}
    assert "not-for-the-trail" not in json.dumps(FILES)


def test_one_update_changes_egress_ingress_and_size_at_once() -> None:
    request = detail("apprunner-UpdateService-mixed-address-types.json")["requestParameters"]
    assert sorted(request) == ["instanceConfiguration", "networkConfiguration", "serviceArn"]
    assert request["networkConfiguration"]["egressConfiguration"]["egressType"] == "VPC"
    assert request["networkConfiguration"]["ingressConfiguration"] == {"isPubliclyAccessible": False}


def test_a_failed_call_has_its_error_at_the_top_and_no_response() -> None:
    record = detail("apprunner-CreateVpcConnector-healthy-failed.json")
    assert record["errorCode"] == "InvalidRequestException"
    assert record["responseElements"] is None


ENVELOPE = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
RECORD = {
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "requestParameters",
    "responseElements",
    "requestID",
    "eventID",
    "readOnly",
    "eventType",
    "managementEvent",
    "recipientAccountId",
    "eventCategory",
}
SOMETIMES = {"errorCode", "errorMessage", "tlsDetails", "sessionCredentialFromConsole", "apiVersion"}


@pytest.mark.parametrize("name", EVERY_FILE)
def test_a_file_has_the_keys_that_aws_documents(name: str) -> None:
    event = EVERY_FILE[name]
    assert set(event) == ENVELOPE
    if event["source"] == generator.MEMBER:
        assert event["resources"] == []
        assert event["detail"] == {member: event[member] for member in ("account", "region")}
    elif event["detail-type"] == CLOUDTRAIL:
        assert event["resources"] == []
        assert RECORD <= set(event["detail"]) <= RECORD | SOMETIMES
        assert event["detail"]["readOnly"] is False
    else:
        assert len(event["resources"]) == 1
        kind = "operationStatus" if "operationStatus" in event["detail"] else "currentServiceStatus"
        assert {kind, "serviceName", "serviceId", "message", "severity"} <= set(event["detail"])
