"""The files in events/: generated, realistic, and routed by the template's patterns as intended."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apprunner_guardrails.drift import Change, parse_change
from apprunner_guardrails.events import CALLS, CLOUDTRAIL, FailedCall, Ignored, Trigger, parse
from replay.template import Pattern, load, matches
from tools import events as generator

FILES = {path.name: json.loads(path.read_text()) for path in sorted(generator.FOLDER.glob("*.json"))}

# What the function is invoked with. Everything else in events/ but DRIFT must not match.
INVOKED = {
    "apprunner-CreateService-copilot.json",
    "apprunner-CreateService-healthy.json",
    "apprunner-CreateService-isolated.json",
    "apprunner-CreateService-omitted.json",
    "apprunner-CreateVpcConnector-copilot.json",
    "apprunner-CreateVpcConnector-exempted.json",
    "apprunner-CreateVpcConnector-gone.json",
    "apprunner-CreateVpcConnector-healthy-failed.json",
    "apprunner-CreateVpcConnector-healthy.json",
    "apprunner-CreateVpcConnector-main-table.json",
    "apprunner-CreateVpcConnector-mended.json",
    "apprunner-CreateVpcConnector-one-zone.json",
    "apprunner-CreateVpcConnector-public-subnets.json",
    "apprunner-DeleteVpcConnector-connector-in-use-failed.json",
    "apprunner-DeleteVpcConnector-gone.json",
    "apprunner-ResumeService-nat-gone.json",
    "apprunner-TagResource-exempted.json",
    "apprunner-UpdateService-mixed-address-types.json",
    "apprunner-UpdateService-public-subnets.json",
    "apprunner-UpdateServiceCompletedSuccessfully-mixed-address-types.json",
    "apprunner-UpdateServiceFailed-public-subnets.json",
}

# What waits in the queue of EC2 calls first.
DRIFT = {
    "ec2-CreateRoute-healthy.json",
    "ec2-DeleteNatGateway-nat-gone.json",
    "ec2-ReplaceRoute-mended.json",
}

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


def test_the_rule_of_the_template_admits_what_is_watched_and_nothing_else() -> None:
    function = load().functions["ValidateNetworkFunction"]
    assert admitted(function.patterns) == INVOKED
    assert admitted(function.queues["DriftQueue"].patterns) == DRIFT


def admitted(patterns: Mapping[str, Pattern]) -> set[str]:
    return {name for name, event in FILES.items() if any(matches(pattern, event) for pattern in patterns.values())}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_routed_is_understood_and_another_is_ignored(name: str) -> None:
    asked, change = parse(FILES[name]), parse_change(FILES[name])
    assert isinstance(change, Change if name in DRIFT else Ignored)
    if name in INVOKED - LEFT_ALONE.keys():
        assert isinstance(asked, FailedCall if name in EXPLAINED else Trigger)
    else:
        assert isinstance(asked, Ignored)
        assert asked.why == LEFT_ALONE.get(name, asked.why)


@pytest.mark.parametrize("watched", [*(call for _, call in CALLS), "UpdateServiceCompletedSuccessfully"])
def test_every_watched_call_and_status_has_a_file(watched: str) -> None:
    assert [name for name in INVOKED if name.startswith(f"apprunner-{watched}-")]


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
        "CreateVpcConnector-copilot": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "CreateVpcConnector-exempted": ("role terraform terraform-apply", "Terraform"),
        "CreateVpcConnector-gone": ("mara.lind", "console"),
        "CreateVpcConnector-healthy-failed": ("role NetworkEngineer jonas.weber", "AWS CLI"),
        "CreateVpcConnector-healthy": ("role NetworkEngineer jonas.weber", "AWS CLI"),
        "CreateVpcConnector-main-table": ("mara.lind", "console"),
        "CreateVpcConnector-mended": ("role terraform terraform-apply", "Terraform"),
        "CreateVpcConnector-one-zone": ("root of account 123456789012", "console"),
        "CreateVpcConnector-public-subnets": ("role PlatformDeploy jonas.weber", "CloudFormation"),
        "DeleteVpcConnector-connector-in-use-failed": ("role NetworkEngineer jonas.weber", "AWS CLI"),
        "DeleteVpcConnector-gone": ("mara.lind", "console"),
        "ResumeService-nat-gone": ("operations", "AWS CLI"),
        "TagResource-exempted": (
            "role AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789 dana.ortiz@example.com",
            "console",
        ),
        "UpdateService-mixed-address-types": ("role terraform terraform-apply", "Terraform"),
        "UpdateService-public-subnets": ("role PlatformDeploy jonas.weber", "CloudFormation"),
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


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_keys_that_aws_documents(name: str) -> None:
    event = FILES[name]
    assert set(event) == ENVELOPE
    if event["detail-type"] == CLOUDTRAIL:
        assert event["resources"] == []
        assert RECORD <= set(event["detail"]) <= RECORD | SOMETIMES
        assert event["detail"]["readOnly"] is False
    else:
        assert len(event["resources"]) == 1
        kind = "operationStatus" if "operationStatus" in event["detail"] else "currentServiceStatus"
        assert {kind, "serviceName", "serviceId", "message", "severity"} <= set(event["detail"])
