"""`make replay` as a person or a program uses it."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pytest
from rich.console import Console

from apprunner_guardrails.aws import sns
from apprunner_guardrails.targets.triggers import MARK
from emulator.worlds import WORLDS
from replay import show
from replay.__main__ import main, world_of
from replay.loop import Invocation, Step
from tests.unit.alerts.shapes import faults

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
    step, _, _, ours, again, _ = world["events"]
    event = json.loads(Path(PUBLIC).read_text())
    assert (step["event"], step["moment"], step["delivery"], step["queues"]) == (event, "event", 1, ["TagQueue"])
    [function] = step["functions"]
    arn = event["detail"]["responseElements"]["vpcConnector"]["vpcConnectorArn"]
    assert (function["function"], function["error"]) == ("ValidateNetworkFunction", None)
    assert function["result"]["resources"][arn]["AR102"] == "fail"
    assert function["transitions"] == [{"resource": arn, "rule": "AR102", "transition": "opened"}]
    [alert] = function["alerts"]
    assert alert["subject"] == "[HIGH] AR102 public subnet: VPC connector public-subnets in 123456789012 us-east-1"
    assert alert["attributes"] == {
        "severity": "HIGH",
        "status": "fail",
        "transition": '["opened"]',
        "rules": '["AR102"]',
        "resource_type": "VPC connector",
        "owner": "PlatformDeploy/jonas.weber",
        "event_id": event["detail"]["eventID"],
        "account": "123456789012",
        "region": "us-east-1",
    }
    [chat] = function["chat"]
    assert chat["metadata"]["additionalContext"]["resource"] == arn
    assert (ours["event"]["detail-type"], ours["functions"]) == ("Guardrail Finding Transition", [])
    assert ours["event"]["detail"]["finding"]["id"] == chat["metadata"]["threadId"]
    assert (again["event"], again["delivery"]) == (event, 2)
    [silent] = again["functions"]
    assert silent["result"] == {**function["result"], "opened": [], "alerts": 0}
    assert (silent["alerts"], silent["chat"], silent["transitions"]) == ([], [], [])


def test_a_program_reads_what_was_tagged_and_that_the_tags_wake_no_function(capsys: pytest.CaptureFixture[str]) -> None:
    [world] = played(capsys, "--event", PUBLIC)["worlds"]
    event = json.loads(Path(PUBLIC).read_text())
    arn = event["detail"]["responseElements"]["vpcConnector"]["vpcConnectorArn"]
    _, batch, call, _, _, again = world["events"]
    assert [json.loads(record["body"]) for record in batch["event"]["Records"]] == [event]
    tags = {
        "created-by": "PlatformDeploy/jonas.weber",
        "created-at": "2026-11-02T09:06:00Z",
        "created-with": "CloudFormation",
    }
    nothing: Mapping[str, object] = {"transitions": [], "alerts": [], "chat": [], "error": None}
    first, second = (
        {"tagged": {arn: tags}, "batchItemFailures": []},
        {"tagged": {}, "ignored": "it has every tag", "batchItemFailures": []},
    )
    assert [(one["functions"], one["queues"], one["delivery"]) for one in (batch, again)] == [
        ([{"function": "TagResourcesFunction", "result": result, **nothing}], ["TagQueue"], delivery)
        for result, delivery in ((first, 1), (second, 2))
    ]
    asked = call["event"]["detail"]["requestParameters"]
    assert asked == {"resourceArn": arn, "tags": [{"key": key, "value": value} for key, value in tags.items()]}
    assert (call["functions"], call["queues"]) == ([], [])


def lines(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main([*arguments]) == 0
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def in_order(found: list[str], *told: str) -> None:
    places = [next(place for place, line in enumerate(found) if line.startswith(one)) for one in told]
    assert places == sorted(places)


def test_a_person_reads_event_function_answers_and_the_whole_alert(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(capsys, "--event", PUBLIC)
    in_order(
        found,
        "  CreateVpcConnector by role PlatformDeploy jonas.weber with CloudFormation → ValidateNetworkFunction",
        "    AR102     fail  opened  subnet-",
        "    alert  [HIGH] AR102 public subnet: VPC connector public-subnets in 123456789012 us-east-1",
        "       | VPC connector public-subnets breaks 1 guardrail",
        "  CreateVpcConnector by role PlatformDeploy jonas.weber with CloudFormation → TagQueue → TagResourcesFunction",
        "    created-by    PlatformDeploy/jonas.weber",
        "    created-at    2026-11-02T09:06:00Z",
        "    created-with  CloudFormation",
        "  TagResource by role TagResourcesRole TagResourcesFunction with SDK for Python → no function",
        "  Guardrail Finding Transition → no function",
        "  the same 2 once more: no new alert, no new tag",
    )
    assert "no alert" not in " ".join(found)
    totals = found[-2].partition(" in ")[0]
    assert re.sub(r"\d+ answers", "N answers", totals) == (
        "1 world: 3 events, 2 invocations, N answers (1 fail, 0 exempt, 0 unknown, 0 error), 1 alert, 3 tags put"
    )
    assert found[-1] == "all of it once more: 2 invocations, 0 alerts, 0 tags put"


def test_a_person_reads_what_became_of_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    in_order(
        lines(capsys, "--world", "mended"),
        "mended  ",
        "  CreateVpcConnector by ",
        "    AR102     fail  opened  subnet-",
        "  the same 2 once more: no new alert, no new tag",
        "  later: ReplaceRoute by ",
        "    AR102     pass  resolved  over: subnet-",
        "    alert  [RESOLVED] AR102 public subnet: VPC connector mended in 123456789012 us-east-1",
        "       |   Over: it was open since 2026-11-02T09:03:00Z, for 3 minutes",
        "  the same once more: no new alert",
        "  a week later: Scheduled Event 2026-11-10T07:00:00Z → AuditRegionFunction",
        "    AR301     fail  opened  no service uses it",
        "    alert  [DIGEST] 1 LOW open: App Runner in 123456789012 us-east-1",
    )


def test_a_person_reads_why_a_call_failed(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(EVENTS / "apprunner-DeleteVpcConnector-connector-in-use-failed.json")
    in_order(
        lines(capsys, "--event", path),
        "  DeleteVpcConnector (failed) by role NetworkEngineer jonas.weber with AWS CLI → ValidateNetworkFunction",
        "    explained  App Runner deletes a connector only when no service uses it, and does not say which do.",
        "      - service connector-in-use-orders uses it (RUNNING)",
        "    alert  [MEDIUM] DeleteVpcConnector: VPC connector connector-in-use",
    )


def test_an_event_of_ec2_reaches_the_function_through_its_queue(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(EVENTS / "ec2-DeleteNatGateway-nat-gone.json")
    in_order(
        lines(capsys, "--event", path),
        "nat-gone  ",
        "  DeleteNatGateway by operations with AWS CLI → DriftQueue → ValidateNetworkFunction",
        "    AR108     fail  opened  subnet-",
        "  the same once more: no new alert",
    )


def test_a_batch_from_the_queue_can_be_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change = (EVENTS / "ec2-DeleteNatGateway-nat-gone.json").read_text()
    bodies = [change, change, "{"]
    records = [{"eventSource": "aws:sqs", "messageId": str(one), "body": body} for one, body in enumerate(bodies)]
    path = tmp_path / "batch-nat-gone.json"
    path.write_text(json.dumps({"Records": records}))
    in_order(
        lines(capsys, "--event", str(path)),
        "nat-gone  ",
        "  3 events (2 DeleteNatGateway, 1 ?) → ValidateNetworkFunction",
        "    not understood, back to the queue: 1 of the batch",
        "    AR108     fail  opened  subnet-",
    )


def test_a_scheduled_event_is_an_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "schedule.json"
    event = {
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "time": "2026-11-03T07:00:00Z",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/stack-AuditRegionFunctionTimetable-1ABC"],
    }
    path.write_text(json.dumps(event))
    in_order(
        lines(capsys, "--event", str(path), "--world", "one-zone"),
        "  Scheduled Event 2026-11-03T07:00:00Z → AuditRegionFunction",
        "    AR101     fail  opened  the subnets cover 1 of 3",
        "    AR301     fail  opened  no service uses it",
        "    alert  [MEDIUM] AR101 AR301: VPC connector one-zone in 123456789012 us-east-1",
        "    alert  [DIGEST] 1 MEDIUM, 1 LOW open: App Runner in 123456789012 us-east-1",
        "  the same once more: no new alert",
    )


@pytest.mark.parametrize("world", ["copilot", "isolated", "main-table", "nat-gone", "one-zone"])
def test_a_sample_event_is_replayed_in_the_world_that_it_names(world: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(path for path in sorted(EVENTS.glob(f"apprunner-*-{world}.json")) if "Pause" not in path.name)
    [told] = played(capsys, "--event", str(path))["worlds"]
    [function] = told["events"][0]["functions"]
    [connector] = [arn for arn in function["result"]["resources"] if ":service/" not in arn]
    assert told["world"] == world
    assert f":vpcconnector/{world}/" in connector


SAMPLES = sorted(path for path in EVENTS.glob("*.json") if path.stem != "apprunner-CreateService-omitted")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_event_names_its_world_or_its_file_does(path: Path) -> None:
    found = world_of(None, path.name, json.loads(path.read_text()))
    case = path.stem.removesuffix("-failed")
    longest = max((name for name in WORLDS if case.endswith(f"-{name}")), key=len)
    assert found is WORLDS[longest]


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ("apigateway-CreateDeployment-api-wrong", "    AR603   fail     opened  ANY /{proxy+} loses the path: "),
        ("ec2-AssociateAddress-fleet", "    AR305    fail  opened  eni-"),
        ("elasticloadbalancing-DeleteListener-balancer-wrong", "    AR515   pass  resolved  over: load balancer"),
    ],
)
def test_a_change_of_a_path_reaches_the_function_through_its_queue(
    sample: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last one is made when the world's findings have been told."""
    found = lines(capsys, "--event", str(EVENTS / f"{sample}.json"))
    _, call, world = sample.split("-", 2)
    in_order(found, f"{world}  ", f"  {call} by ", told, "  the same once more: no new alert")
    assert next(line for line in found if line.startswith(f"  {call} by ")).endswith(
        " → DriftQueue → ValidateNetworkFunction"
    )


def test_a_world_is_played_with_its_own_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    in_order(
        lines(capsys, "--event", str(EVENTS / "apprunner-CreateService-policies.json")),
        "policies  ",
        "  deployed with RequireVpcEgress=true, RequirePrivateIngress=true, ",
        "    AR401    fail  opened  its outbound traffic goes to the public internet",
    )


def test_a_person_reads_what_was_done_with_targets(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(capsys, "--world", "private-path")
    in_order(
        found,
        "private-path  ",
        "  ModifyVpcEndpoint by role terraform terraform-apply with Terraform → SyncTargetsFunction",
        "    arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/private-path/",
        "      registered    10.0.100.77:443, 10.0.102.",
        "      held          10.0.100.",
        "  come back → SyncQueue → SyncTargetsFunction",
        "      deregistered  10.0.100.",
        "  later: DeregisterTargets by mara.lind with console → SyncQueue → SyncTargetsFunction",
        "  later: come back → SyncQueue → SyncTargetsFunction",
        "    1 target group: nothing to do",
        "  a week later: Scheduled Event 2026-11-10T07:00:00Z → SyncTargetsFunction",
    )
    assert ", 1 alert, 3 targets registered, 1 target deregistered in " in found[-2]


def shown(step: Step, *, whole: bool = False) -> list[str]:
    console = Console(file=StringIO(), width=1000, highlight=False)
    show.steps(console, [step], whole=whole)
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


SERVICE = "arn:aws:apprunner:us-east-1:123456789012:service/orders/8e5aa04e0f4c86d71873db8f152fb1b1"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/orders/d4ea07a1cc45ac78"
TAGS = {"created-by": "mara.lind", "created-with": "CLI"}
BATCH = {"Records": [{"body": json.dumps({"detail": {"eventName": name}})} for name in ("CreateService", "Other")]}


def of_tags(result: Mapping[str, object], delivery: Literal[1, 2] = 1) -> Step:
    done = Invocation(function="TagResourcesFunction", result={"batchItemFailures": [], **result})
    return Step(event=BATCH, invocations=[done], queues=["TagQueue"], delivery=delivery)


def test_in_an_overview_tags_are_a_line_for_each_resource() -> None:
    heading = "  2 events (1 CreateService, 1 Other) → TagQueue → TagResourcesFunction"
    both = {SERVICE: TAGS, BALANCER: {"team": "platform"}}
    assert shown(of_tags({"tagged": both})) == [
        heading,
        "    tagged  service/orders  created-by=mara.lind, created-with=CLI",
        "    tagged  loadbalancer/net/orders  team=platform",
    ]
    assert shown(of_tags({"tagged": both}), whole=True) == [
        heading,
        f"    {SERVICE}",
        "    created-by    mara.lind",
        "    created-with  CLI",
        f"    {BALANCER}",
        "    team  platform",
    ]
    assert shown(of_tags({"tagged": {}, "ignored": "it has every tag"})) == [heading, "    ignored: it has every tag"]


def test_what_could_not_be_tagged_is_to_be_tried_again_and_not_misunderstood() -> None:
    late = {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert shown(of_tags({"tagged": {}, **late}))[1:] == ["    to be tried again, back to the queue: 1 of the batch"]
    odd = Step(event=BATCH, invocations=[Invocation(function="ValidateNetworkFunction", result=late)])
    assert shown(odd)[1:] == ["    not understood, back to the queue: 1 of the batch", "    no alert"]


def test_what_a_function_comes_back_to_is_told_from_what_happens_then() -> None:
    event = json.loads((EVENTS / "elasticloadbalancing-CreateLoadBalancer-ownership.json").read_text())
    happened = "CreateLoadBalancer by role NetworkEngineer jonas.weber with AWS CLI"
    found = [
        shown(replace(of_tags({"tagged": {}}), event={"Records": records}, come_back=True))[0]
        for records in ([{"body": json.dumps(event)}], BATCH["Records"], [{"body": json.dumps({MARK: "come back"})}])
    ]
    end = " → TagQueue → TagResourcesFunction"
    assert found == [
        f"  come back to {happened}{end}",
        f"  come back to 2 events (1 CreateService, 1 Other){end}",
        f"  come back{end}",
    ]


def test_tags_that_are_put_by_a_second_delivery_are_shown() -> None:
    """They should not be; the twin is quiet."""
    again = "  2 events (1 CreateService, 1 Other) → TagQueue → TagResourcesFunction"
    put = "    tagged  service/orders  created-by=mara.lind, created-with=CLI"
    assert shown(of_tags({"tagged": {SERVICE: TAGS}}, delivery=2)) == [again, put]
    assert shown(of_tags({"tagged": {}}, delivery=2)) == ["  the same once more: no new alert, no new tag"]


def test_an_event_that_wakes_no_function_is_named_only_where_the_whole_is_shown() -> None:
    event = json.loads((EVENTS / "apprunner-TagResource-policies.json").read_text())
    silent, waiting = (Step(event=event, invocations=[], queues=queues) for queues in ([], ["DriftQueue"]))
    assert (shown(silent), shown(waiting, whole=True)) == ([], [])
    who = "role AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789 dana.ortiz@example.com with console"
    assert shown(silent, whole=True) == [f"  TagResource by {who} → no function"]


def test_a_person_reads_whose_things_are_and_what_is_come_back_to(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(capsys, "--world", "ownership")
    in_order(
        found,
        "ownership  ",
        '  deployed with RequiredTags=created-by,team, DefaultTags={"team": "platform"}',
        "  2 events (1 CreateVpcConnector, 1 CreateService) → TagQueue → TagResourcesFunction",
        "    created-by    AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789/dana.ortiz",
        "    created-by    terraform",
        "  the same 3 once more: no new alert, no new tag",
        "  later: come back to 2 events (1 CreateLoadBalancer, 1 CreateTargetGroup) → TagQueue → TagResourcesFunction",
        "    ignored: it is on no path that is bound to an endpoint",
        "  later: AddTags by role NetworkEngineer jonas.weber with AWS CLI → SyncTargetsFunction",
        "  later: AddTags by role TagResourcesRole TagResourcesFunction with SDK for Python → no function",
    )
    assert ", 1 alert, 3 targets registered, 25 tags put in " in found[-2]
    assert found[-1].endswith(" invocations, 0 alerts, 0 tags put")


def test_a_person_reads_the_paths_of_a_private_service_after_its_alerts(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(capsys, "--world", "private-path")
    heading = next(place for place, line in enumerate(found) if line.startswith("  private-path-orders: "))
    kinds = [line[15:35].strip() for line in found[heading + 1 :] if line[4:13].strip() and " ways " not in line]
    assert kinds[:9] == [
        *("client", "API", "VPC link", "load balancer", "target group", "endpoint", "ingress connection"),
        *("service", "connector"),
    ]
    assert heading > max(place for place, line in enumerate(found) if line.startswith("    alert  "))
    assert [line.strip() for line in found if " of 3 ways out" in line] == [
        *("1 of 3 ways out", "2 of 3 ways out", "3 of 3 ways out")
    ]


def test_a_program_reads_the_paths_of_every_world(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads((EVENTS.parent / "docs/schemas/path-report-1.json").read_text())
    [told] = played(capsys, "--event", PUBLIC)["worlds"]
    assert faults(told["paths"], schema) == []
    [chain] = told["paths"]["chains"]
    assert chain["service"]["name"] == "public-subnets-orders"
    kinds = [[chain["hops"][place]["kind"] for place in way] for way in chain["ways_in"]]
    assert kinds == [["client", "service"]]


def test_the_paths_of_a_world_are_printed_where_it_was_asked_for_or_has_a_private_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    heading = "  public-subnets-orders: "
    assert not [line for line in lines(capsys, "--event", PUBLIC) if line.startswith(heading)]
    named = lines(capsys, "--event", PUBLIC, "--world", "public-subnets")
    assert [line for line in named if line.startswith(heading)]


def test_diagrams_are_written_into_a_folder_that_is_made_for_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made" / "diagrams"
    found = lines(capsys, "--event", PUBLIC, "--report", str(folder))
    page, picture = (folder / f"public-subnets-paths{end}" for end in (".md", ".svg"))
    assert [line.strip() for line in found if "wrote" in line] == [f"wrote {page}", f"wrote {picture}"]
    assert "## public-subnets-orders\n\n```mermaid\nflowchart LR\n" in page.read_text()
    assert picture.read_text().startswith('<svg xmlns="http://www.w3.org/2000/svg"')


def test_diagrams_that_cannot_be_written_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--event", PUBLIC, "--report", str(tmp_path / "file")]) == 2
    assert "public-subnets-paths.md cannot be written: File exists" in capsys.readouterr().err


def test_a_person_reads_why_targets_were_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    in_order(
        lines(capsys, "--world", "endpoint-gone"),
        "  DeleteVpcEndpoints by mara.lind with console → SyncTargetsFunction",
        "      refused       vpce-",
        "    AR511    opened  no registered target is healthy (3 registered): ",
        "    AR516    opened  vpce-",
        "    alert  [CRITICAL] AR511 AR516: target group endpoint-gone in 123456789012 us-east-1",
        "  the same 2 once more: no new alert",
    )


def test_an_event_of_a_target_group_is_replayed_in_the_world_that_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = next(EVENTS.glob("elasticloadbalancing-DeregisterTargets-*.json"))
    path = tmp_path / "event.json"
    path.write_text(sample.read_text())
    [told] = played(capsys, "--event", str(path))["worlds"]
    call, batch, *_ = told["events"]
    assert (told["world"], call["queues"], call["functions"]) == ("private-path", ["SyncQueue"], [])
    [function] = batch["functions"]
    [(arn, group)] = function["result"]["target_groups"].items()
    assert ":targetgroup/private-path/" in arn
    target = json.loads(path.read_text())["detail"]["requestParameters"]["targets"][0]
    assert group == {
        "registered": [f"{target['id']}:{target['port']}"],
        "deregistered": [],
        "held": [],
        "refused": None,
    }


@contextmanager
def stack(path: Path, kind: str = "Create", status: int = 200) -> Iterator[list[Any]]:
    """A request of CloudFormation at the path, and what it is answered at a URL on this machine."""
    answers: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            pass

    group = json.loads((EVENTS / "elasticloadbalancing-RegisterTargets-private-path.json").read_text())
    endpoint = json.loads((EVENTS / "ec2-ModifyVpcEndpoint-private-path.json").read_text())
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        request = {
            "RequestType": kind,
            "ResponseURL": f"http://127.0.0.1:{server.server_port}/answer",
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/orders/5b918d10",
            "RequestId": "request-1",
            "ResourceType": "Custom::EndpointTargets",
            "LogicalResourceId": "EndpointTargets",
            "ResourceProperties": {
                "TargetGroupArn": group["detail"]["requestParameters"]["targetGroupArn"],
                "EndpointIds": [endpoint["detail"]["requestParameters"]["ModifyVpcEndpointRequest"]["VpcEndpointId"]],
            },
        }
        path.write_text(json.dumps(request))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield answers
        server.shutdown()


def test_a_request_of_cloudformation_is_answered_at_its_own_url(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "request.json"
    with stack(path) as answers:
        [told] = played(capsys, "--event", str(path))["worlds"]
    first, *_ = told["events"]
    [function] = first["functions"]
    [(arn, group)] = function["result"]["target_groups"].items()
    assert (told["world"], function["function"], first["queues"]) == ("private-path", "SyncTargetsFunction", [])
    assert ":targetgroup/private-path/" in arn
    targets = answers[0]["Data"]["Targets"].split()
    assert set(group["registered"]) < set(targets)
    assert [(one["Status"], one["PhysicalResourceId"], one["Data"]) for one in answers] == [
        ("SUCCESS", arn, {"Targets": " ".join(targets)})
    ] * 2  # as it is delivered once more


def test_a_person_reads_what_a_request_of_cloudformation_led_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "request.json"
    with stack(path):
        in_order(
            lines(capsys, "--event", str(path)),
            "private-path  ",
            "  Create of Custom::EndpointTargets by CloudFormation → SyncTargetsFunction",
            "      registered    10.0.",
            "  come back → SyncQueue → SyncTargetsFunction",
        )


def test_a_request_of_cloudformation_that_cannot_be_answered_is_tried_for_an_hour_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "request.json"
    with stack(path, "Delete", status=503) as answers:
        assert main(["--event", str(path)]) == 1
    assert len(answers) > 60
    in_order(
        [line.rstrip() for line in capsys.readouterr().out.splitlines()],
        "  Delete of Custom::EndpointTargets by CloudFormation → SyncTargetsFunction",
        "    ignored: CloudFormation was not answered: HTTP 503, HTTP 503, HTTP 503. It comes back.",
        "  custom resource → SyncQueue → SyncTargetsFunction",
        "    failed, Lambda would try again: NotAnswered: CloudFormation was not answered: HTTP 503, ",
    )


def test_an_event_that_names_no_world_says_which_it_is_played_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Calls of EC2 name no connector, and this file no world."""
    path = tmp_path / "event.json"
    path.write_text((EVENTS / "ec2-ReplaceRoute-mended.json").read_text())
    said = "  the event names no world; WORLD=name plays it in another one than this"
    assert lines(capsys, "--event", str(path))[1:3] == [f"healthy  {WORLDS['healthy'].summary}", said]
    assert said not in lines(capsys, "--event", str(path), "--world", "mended")


@pytest.mark.parametrize(("output", "seen"), [("text", "CreateVpcConnector"), ("json", "")])
def test_who_reads_no_further_sees_no_error(output: str, seen: str) -> None:
    command = [sys.executable, "-m", "replay", "--world", "mended", "--format", output]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as replayed:
        assert replayed.stdout
        assert replayed.stderr
        assert not seen or any(seen in line for line in replayed.stdout)
        replayed.stdout.close()
        assert replayed.stderr.read() == ""
    assert replayed.returncode == 1


def test_an_event_that_no_rule_matches_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--event", str(EVENTS / "apprunner-PauseService-nat-gone.json")]) == 0
    assert "no rule of template.yaml matches this event" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", ["--event", "no/such.json"], "the event file no/such.json cannot be read: No such file or directory"),
        ("{", ["--event", "FILE"], "is not JSON: "),
        ("[]", ["--event", "FILE"], "should hold one event, or one batch of SQS, as an object"),
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
    monkeypatch.setattr(sns, "publish", lambda *_: "the topic is gone")
    assert main(["--event", PUBLIC]) == 1
    told = capsys.readouterr().out
    assert told.count("failed, Lambda would try again: NotPublished: AR102 of ") == 2
    assert told.count(" did not reach text: the topic is gone") == 2


def test_a_retry_tells_only_where_it_is_still_owed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sns, "publish", lambda *_: "the topic is gone")
    assert main(["--event", PUBLIC, "--format", "json"]) == 1
    [world] = json.loads(capsys.readouterr().out)["worlds"]
    functions = [one for step in world["events"] for one in step["functions"] if one["error"]]
    assert [(len(one["chat"]), one["error"].partition(":")[0]) for one in functions] == [
        (1, "NotPublished"),
        (0, "NotPublished"),
    ]


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
