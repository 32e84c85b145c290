"""`make replay` as a person or a program uses it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from apprunner_guardrails.aws import sns
from replay.__main__ import main

EVENTS = Path(__file__).parent.parent.parent / "events"
PUBLIC = str(EVENTS / "apprunner-CreateVpcConnector-public-subnets.json")


def played(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_one_event_goes_to_the_function_whose_rule_matches_and_ends_in_an_alert(
    capsys: pytest.CaptureFixture[str],
) -> None:
    [world] = played(capsys, "--event", PUBLIC)["worlds"]
    assert world["world"] == "public-subnets"
    [step] = world["events"]
    assert step["event"] == json.loads(Path(PUBLIC).read_text())
    [function] = step["functions"]
    arn = step["event"]["detail"]["responseElements"]["vpcConnector"]["vpcConnectorArn"]
    assert (function["function"], function["error"]) == ("ValidateNetworkFunction", None)
    assert function["result"]["resources"][arn]["AR102"] == "fail"
    [alert] = function["alerts"]
    assert alert["subject"] == "[HIGH] AR102: VPC connector public-subnets in 123456789012 us-east-1"
    assert alert["attributes"] == {
        "severity": "HIGH",
        "status": "fail",
        "rules": '["AR102"]',
        "resource_type": "VPC connector",
        "account": "123456789012",
        "region": "us-east-1",
    }


def test_a_person_reads_event_function_answers_and_the_whole_alert(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--event", PUBLIC]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    told = (
        "  CreateVpcConnector by role PlatformDeploy jonas.weber with CloudFormation → ValidateNetworkFunction",
        "    alert  [HIGH] AR102: VPC connector public-subnets in 123456789012 us-east-1",
        "       | VPC connector public-subnets breaks 1 guardrail",
    )
    places = [lines.index(line) for line in told]
    assert places == sorted(places)
    assert lines[-1].startswith("1 world: 1 events, 1 invocations, 18 answers (1 fail, 0 unknown, 0 error), 1 alerts")


@pytest.mark.parametrize("world", ["copilot", "isolated", "main-table", "nat-gone", "one-zone"])
def test_a_sample_event_is_replayed_in_the_world_that_it_names(world: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(path for path in sorted(EVENTS.glob(f"apprunner-*-{world}.json")) if "Pause" not in path.name)
    [told] = played(capsys, "--event", str(path))["worlds"]
    [function] = told["events"][0]["functions"]
    [connector] = function["result"]["resources"]
    assert told["world"] == world
    assert f":vpcconnector/{world}/" in connector


def test_an_event_that_no_rule_matches_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--event", str(EVENTS / "apprunner-PauseService-nat-gone.json")]) == 0
    assert "no rule of template.yaml matches this event" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", ["--event", "no/such.json"], "the event file no/such.json cannot be read: No such file or directory"),
        ("{", ["--event", "FILE"], "is not JSON: "),
        ("[]", ["--event", "FILE"], "should hold one EventBridge event, an object"),
        ("", ["--world", "perfect"], "there is no world 'perfect'; there are healthy, public-subnets,"),
    ],
)
def test_what_cannot_be_played_is_named(
    text: str, arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "event.json").write_text(text)
    given = [argument.replace("FILE", str(tmp_path / "event.json")) for argument in arguments]
    assert main(given) == 2
    assert said in capsys.readouterr().err


def test_a_function_that_fails_makes_the_replay_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost(*_: object) -> None:
        raise sns.NotPublished("the topic is gone")

    monkeypatch.setattr(sns, "publish", lost)
    assert main(["--event", PUBLIC]) == 1
    assert "failed, Lambda would try again: NotPublished: the topic is gone" in capsys.readouterr().out


def test_no_setting_of_the_caller_leads_to_a_real_account(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert played(capsys, "--event", PUBLIC)["worlds"][0]["events"][0]["functions"][0]["error"] is None


def test_the_environment_is_left_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    before = dict(os.environ)
    played(capsys, "--event", PUBLIC)
    assert dict(os.environ) == before
