"""The stack, deployed: built and deployed by SAM, woken by EventBridge, updated and deleted, all on this machine.

It is played once. Each test looks at a part of what came of it.
"""

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.worlds import WORLDS
from local_stack import deployment
from local_stack.deployment import Inbox
from local_stack.servers import Aws, environment, running

ROOT = Path(__file__).parents[2]
SECONDS = 120  # until something that has to come is given up; it takes a few where nothing else runs
ORGANIZATION = {"OrganizationId": "o-a1b2c3d4e5", "MemberExternalId": "guardrails-of-example"}

type Json = Mapping[str, Any]
type Item = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """What was seen. `told` is all that AlertTopic sent, in order: after the event, its second delivery and the update.

    `evaluated` is what the function logged of each evaluation; `there` is the account's inventory before the stack was
    there, while it was, and when it was deleted.
    """

    connector: str
    subnets: Sequence[str]
    told: Sequence[Sequence[Json]]
    evaluated: Sequence[Json]
    tags: Mapping[str, str]
    poison: Json
    dead: Json
    alarm: Json
    ledger: tuple[list[Item], list[Item]]
    bus_policy: Json
    there: tuple[Mapping[str, list[str]], Mapping[str, list[str]], Mapping[str, list[str]]]


def eventually[T](look: Callable[[], T | None]) -> T:
    ends = time.monotonic() + SECONDS
    while (seen := look()) is None:
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.2)
    return seen


def received(inbox: Inbox) -> Json:
    notification = inbox.next(SECONDS)
    assert notification is not None, inbox.aws.log.read_text()
    return notification


def rest(inbox: Inbox) -> list[Json]:
    return [*iter(lambda: inbox.next(0), None)]


def evaluations(aws: Aws, wanted: int) -> list[Json]:
    """What the function logged of its first so many evaluations, in order."""
    group = f"/aws/lambda/{deployment.STACK}-ValidateNetwork"

    def look() -> list[Json] | None:
        pages = aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [one["message"] for page in pages for one in page["events"] if one["message"].startswith("{")]
        seen = [one for one in map(json.loads, lines) if one.get("message") == "evaluated"]
        return sorted(seen, key=lambda one: str(one["timestamp"])) if len(seen) >= wanted else None

    return eventually(look)


def items(aws: Aws, table: str) -> list[Item]:
    return sorted(aws.client("dynamodb").scan(TableName=table)["Items"], key=str)


@pytest.fixture(scope="module")
def played() -> Played:
    deployment.build()
    with running() as aws:
        before = deployment.inventory(aws)
        outputs = deployment.deploy(aws, {})
        alerts = deployment.open_inbox(aws, outputs["AlertTopicArn"], "alerts")
        alarms = deployment.open_inbox(aws, outputs["OpsTopicArn"], "alarms")

        aws.build("public-subnets")
        (created,) = (one for one in aws.happened(0) if one["detail"].get("eventName") == "CreateVpcConnector")
        connector = created["detail"]["responseElements"]["vpcConnector"]
        deployment.put(aws, [created])
        told = [[received(alerts)]]
        deployment.put(aws, [created])
        evaluated = evaluations(aws, 2)
        told.append(rest(alerts))

        def tags() -> Mapping[str, str] | None:
            arn = connector["vpcConnectorArn"]
            listed = aws.guarded_client("apprunner").list_tags_for_resource(ResourceArn=arn)["Tags"]
            return {one["Key"]: one["Value"] for one in listed} or None

        tagged = eventually(tags)

        poison = {**created, "detail": {**created["detail"], "responseElements": {"vpcConnector": {}}}}
        deployment.put(aws, [poison])
        dead = received(Inbox(aws=aws, url=outputs["ValidateNetworkDeadLetterQueueUrl"], subscription=""))

        cloudwatch = aws.client("cloudwatch")
        name = next(one for one in deployment.inventory(aws)["alarms"] if "ValidateNetworkDeadLetters" in one)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a message came")
        alarm = received(alarms)

        ledger = items(aws, outputs["FindingsTableName"])
        updated = deployment.update(aws, {"RuleOverrides": '{"AR102": "off"}', **ORGANIZATION})
        kept = items(aws, updated["FindingsTableName"])
        bus = updated["OrganizationBusArn"].rpartition("/")[2]
        policy = json.loads(aws.client("events").describe_event_bus(Name=bus)["Policy"])
        deployment.put(aws, [created])
        told.append([received(alerts), *rest(alerts)])

        while_there = deployment.inventory(aws)
        alerts.close()
        alarms.close()
        deployment.delete(aws)
        return Played(
            connector=connector["vpcConnectorArn"],
            subnets=connector["subnets"],
            told=told,
            evaluated=evaluated,
            tags=tagged,
            poison=poison,
            dead=dead,
            alarm=alarm,
            ledger=(ledger, kept),
            bus_policy=policy,
            there=(before, while_there, deployment.inventory(aws)),
        )


def test_a_call_becomes_an_alert_that_names_the_rule_and_the_subnets(played: Played) -> None:
    ((alert,), _, _) = played.told
    named = re.findall(r"^  - (subnet-[0-9a-f]+) \(use1-az[1-6]\) is public: ", alert["Message"], re.MULTILINE)
    assert alert["Subject"] == "[HIGH] AR102 public subnet: VPC connector public-subnets in 123456789012 us-east-1"
    assert played.connector in alert["Message"]
    assert named == sorted(played.subnets)


def test_a_second_delivery_is_evaluated_and_tells_nothing_new(played: Played) -> None:
    _, again, _ = played.told
    assert again == []
    assert [(one["alerts"], one["transitions"]) for one in played.evaluated] == [(1, {"opened": 1}), (0, {})]


def test_what_was_created_is_tagged_with_who_made_it(played: Played) -> None:
    assert {key: played.tags[key] for key in ("created-by", "created-with")} == {
        "created-by": "PlatformDeploy/jonas.weber",
        "created-with": "CloudFormation",
    }


def test_what_the_function_cannot_read_ends_in_its_dead_letter_queue_with_the_reason(played: Played) -> None:
    assert played.dead["requestContext"]["condition"] == "RetriesExhausted"
    assert played.dead["requestPayload"]["detail"] == played.poison["detail"]
    assert "detail.responseElements.vpcConnector.vpcConnectorArn" in played.dead["responsePayload"]["errorMessage"]


def test_an_alarm_goes_to_the_topic_of_those_who_operate_it(played: Played) -> None:
    told = json.loads(played.alarm["Message"])
    assert (told["NewStateValue"], told["NewStateReason"]) == ("ALARM", "a message came")
    assert "docs/operations.md" in told["AlarmDescription"]


def test_an_update_keeps_the_ledger(played: Played) -> None:
    before, after = played.ledger
    assert [(one["resource"]["S"], one["rule"]["S"]) for one in before] == [(played.connector, "AR102")]
    assert after == before


def test_what_is_told_follows_a_changed_parameter(played: Played) -> None:
    _, _, (told,) = played.told
    assert told["Subject"] == "[RESOLVED] AR102 public subnet: VPC connector public-subnets in 123456789012 us-east-1"


def test_an_update_can_let_an_organization_in(played: Played) -> None:
    (statement,) = played.bus_policy["Statement"]
    condition = statement["Condition"]["StringEquals"]
    assert (statement["Action"], condition) == ("events:PutEvents", {"aws:PrincipalOrgID": "o-a1b2c3d4e5"})


def test_nothing_is_left_behind_of_a_deleted_stack(played: Played) -> None:
    before, during, after = played.there
    assert after == before
    same = {kind for kind, names in during.items() if names == before[kind]}
    assert same <= {"key aliases"}  # else it is not seen where anything is left


@contextmanager
def deploy_local(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`make deploy-local` on free ports, until the end of the block."""
    path = f"{ROOT / 'layers/guardrails'}:{ROOT}"
    command = [sys.executable, "-m", "local_stack", "--port", "0", "--aws-port", "0", *arguments]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment(), "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as program:
        too_late = threading.Timer(3 * SECONDS, program.kill)  # which ends what it prints, too
        too_late.start()
        try:
            yield program
        finally:
            too_late.cancel()
            program.terminate()  # which is as good as Ctrl-C


def until(program: subprocess.Popen[str], wanted: str) -> str:
    """What the program prints until a line with the wanted text, with that line."""
    assert program.stdout
    printed = ""
    for line in program.stdout:
        printed += line
        if wanted in line:
            return printed
    raise AssertionError(f"{wanted!r} was not printed:\n{printed}")


def test_make_deploy_local_shows_alerts_until_it_is_interrupted_and_leaves_nothing_behind() -> None:
    with deploy_local() as program:
        printed = until(program, "--parameter-overrides")
        assert "  | HIGH AR102 VPC connector uses a public subnet\n" in printed
        to_try = dict(re.findall(r"^  (curl|AWS_ENDPOINT_URL=\S+ \S*sam) (.*)$", printed, re.MULTILINE))
        (curl, asked), (sam, deploys) = to_try.items()
        assert (curl, "sam" in sam) == ("curl", True)

        address = asked.removeprefix("-X POST ")
        assert address.rpartition("/")[2] in WORLDS
        with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=SECONDS):  # noqa: S310  # our own server
            until(program, "  | HIGH AR108 VPC connector's way out is a blackhole")

        endpoint = sam.partition(" ")[0].partition("=")[2]
        done = subprocess.run(
            [ROOT / sam.rpartition(" ")[2], *deploys.split()],
            cwd=ROOT,
            env={**environment(), "AWS_ENDPOINT_URL": endpoint},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert "Successfully created/updated stack" in done.stdout, done.stdout + done.stderr

        program.send_signal(signal.SIGINT)
        assert "\nNothing is left behind.\n" in until(program, "left behind")
        assert program.wait(SECONDS) == 0
