"""Each function in the Lambda runtime: built by SAM, run in its container, against the emulated AWS over HTTP.

What it answers, publishes and tags there has to be what the same code answers, publishes and tags in this process.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from emulator import emulate
from emulator.worlds import WORLDS, make, sdk_client
from replay.loop import Invocation, Loop
from replay.template import load

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).parents[2]
SAM = Path(sys.executable).parent / "sam"
TOPIC = "arn:aws:sns:us-east-1:123456789012:AlertTopic"
STACK = load()
SECONDS = 180  # the first run builds the container image


@dataclass(frozen=True, kw_only=True)
class Case:
    """An event, the world that it comes to, and what comes of it there: a rule that fails and is told, or targets, or
    the tags of the one connector."""

    event: Mapping[str, object]
    world: str
    fails: str = ""
    registers: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


CREATED = json.loads((ROOT / "events/apprunner-CreateVpcConnector-public-subnets.json").read_text())
CASES = {
    "ValidateNetworkFunction": Case(
        event=CREATED,
        world="public-subnets",
        fails="AR102",
    ),
    "AuditRegionFunction": Case(
        event={
            "version": "0",
            "id": "8d5dd59c-5d1e-4a3c-9c5f-0c1f2a9d7b11",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "123456789012",
            "time": "2026-11-02T09:00:00Z",
            "region": "us-east-1",
            "resources": ["arn:aws:events:us-east-1:123456789012:rule/Timetable"],
            "detail": {},
        },
        world="public-subnets",
        fails="AR102",
    ),
    # What was at the address that is replaced is held until those are healthy: come back to, and not told yet.
    "SyncTargetsFunction": Case(
        event=json.loads((ROOT / "events/ec2-ModifyVpcEndpoint-private-path.json").read_text()),
        world="private-path",
        registers=("10.0.100.77:443", "10.0.102.85:443"),
    ),
    "TagResourcesFunction": Case(
        event={
            "Records": [
                {
                    "messageId": "3f0e6b0c-6d1a-4a55-9d0e-2c54b7a3e901",
                    "body": json.dumps(CREATED),
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:TagQueue",
                }
            ]
        },
        world="public-subnets",
        tags={
            "created-by": "PlatformDeploy/jonas.weber",
            "created-at": "2026-11-02T09:06:00Z",
            "created-with": "CloudFormation",
        },
    ),
}


def environment() -> dict[str, str]:
    """Ours, without the AWS set-up of whoever runs this."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    false = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    return {**own, **false, "SAM_CLI_TELEMETRY": "0"}


def sam(*arguments: str) -> str:
    """What a command of SAM prints; its messages and the function's logs only if it fails."""
    command = [str(SAM), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"sam {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def docker() -> None:
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:  # noqa: S607 - from PATH, as SAM takes it
        pytest.skip("no Docker engine answers; SAM needs one for its containers")


@pytest.fixture(scope="module")
def built(docker: None) -> None:
    sam("build")


@contextmanager
def emulator(world: str) -> Iterator[int]:
    """`make emulator HOST=0.0.0.0 WORLD=…` on a free port; the port."""
    command = [sys.executable, "-m", "emulator", "--host", "0.0.0.0", "--port", "0", "--world", world]  # noqa: S104 - containers do not reach the loopback
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            ready = server.stdout.readline()
            assert f"with the worlds {world}" in ready
            yield int(ready.split(",")[0].rpartition(":")[2])
        finally:
            server.terminate()


def connected(port: int) -> Callable[[str], Any]:
    """Clients of the emulated AWS at a port of this machine."""
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    make: Any = session.client  # its type hangs on a literal
    return lambda service: make(service, endpoint_url=f"http://127.0.0.1:{port}")


def tags_in(client: Callable[[str], Any], answer: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """The tags, by ARN, of what an answer says was tagged: App Runner's own resources."""
    return {
        arn: {tag["Key"]: tag["Value"] for tag in client("apprunner").list_tags_for_resource(ResourceArn=arn)["Tags"]}
        for arn in answer.get("tagged", {})
    }


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """A queue in the emulated AWS that is subscribed to the stack's topic."""

    sqs: "SQSClient"
    url: str

    @classmethod
    def open(cls, port: int) -> "Inbox":
        client = connected(port)
        sqs = client("sqs")
        url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
        return cls(sqs=sqs, url=url)

    def alerts(self) -> list[Mapping[str, object]]:
        received = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        return [_alert(json.loads(one["Body"])) for one in received]


def _alert(notification: Mapping[str, Any]) -> Mapping[str, object]:
    attributes = {name: one["Value"] for name, one in notification.get("MessageAttributes", {}).items()}
    return {"subject": notification["Subject"], "body": notification["Message"], "attributes": attributes}


def here(function: str, case: Case) -> tuple[Invocation, Mapping[str, Mapping[str, str]]]:
    """What the function answers, publishes and tags in this process, in the world as the server makes it."""
    client = cache(sdk_client)
    with emulate() as aws:
        make(WORLDS[case.world], client)
        invocation = Loop(STACK, aws, client)._invoke(STACK.functions[function], case.event)
        return invocation, tags_in(client, invocation.result)


@pytest.mark.parametrize("function", STACK.functions)
def test_a_function_does_in_the_lambda_runtime_what_it_does_here(built: None, function: str, tmp_path: Path) -> None:
    case = CASES[function]
    event = tmp_path / "event.json"
    event.write_text(json.dumps(case.event))
    expected, tags = here(function, case)

    with emulator(case.world) as port:
        inbox = Inbox.open(port)
        address = f"AwsEndpointUrl=http://host.docker.internal:{port}"
        printed = sam(
            "local", "invoke", function, "-e", str(event), "--config-env", "local", "--parameter-overrides", address
        )
        alerts = inbox.alerts()
        answer = json.loads(printed)
        tagged = tags_in(connected(port), answer)

    assert answer == expected.result
    assert alerts == expected.alerts
    failing = {rule for rules in answer.get("resources", {}).values() for rule in rules if rules[rule] == "fail"}
    assert not case.fails or case.fails in failing
    assert [case.fails in str(alert["body"]) for alert in alerts] == ([True] if case.fails else [])
    registered = [target for one in answer.get("target_groups", {}).values() for target in one["registered"]]
    assert registered == [*case.registers]
    assert [*tagged.values()] == [*tags.values()] == ([case.tags] if case.tags else [])
