"""An emulated AWS in which several people have made things for App Runner, and a machine to run the back-fill on."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from apprunner_guardrails.aws.clients import client as sdk
from backfill.command_line import Machine, main
from emulator import Emulator, emulate
from emulator.worlds import WORLDS, make
from emulator.worlds.parts import sdk_client
from tests.samples import ACCOUNT, REGION

PATH = "private-path"
WRITES = {"tag_resource", "create_tags", "add_tags"}
LOOKUP = "lookup_events"


@dataclass
class Calls:
    """Stands before the SDK's clients: keeps what is asked when, and interrupts the program at a call."""

    aws: Emulator
    made: list[tuple[str, str, float]] = field(default_factory=list)  # service, method, seconds
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    interrupt_at: int = -1
    has_arrived: bool = False  # whether the call that is interrupted has come to AWS
    failure: BaseException = field(default_factory=KeyboardInterrupt)

    def client(self, service: str) -> Any:
        return Interrupted(self, service)

    def of(self, *methods: str) -> list[str]:
        return [method for _, method, _ in self.made if method in methods]


class Interrupted:
    def __init__(self, calls: Calls, service: str) -> None:
        self._calls, self._service, self._client = calls, service, sdk(service)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._counted(name, found) if callable(found) else found

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(**parameters: Any) -> Any:
            calls = self._calls
            stops = len(calls.made) == calls.interrupt_at
            calls.made.append((self._service, name, calls.aws.clock.now().timestamp()))
            calls.asked.append(parameters)
            if stops and not calls.has_arrived:
                raise calls.failure
            answer = call(**parameters)
            if stops:
                raise calls.failure
            return answer

        return counted


@dataclass
class Place:
    aws: Emulator
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / f"{ACCOUNT}-{REGION}.jsonl"

    def calls(
        self, interrupt_at: int = -1, *, has_arrived: bool = False, failure: BaseException | None = None
    ) -> Calls:
        return Calls(
            self.aws, interrupt_at=interrupt_at, has_arrived=has_arrived, failure=failure or KeyboardInterrupt()
        )

    def machine(self, calls: Calls) -> Machine:
        """Time is the emulated one: whoever sleeps moves it."""
        return Machine(
            client=calls.client,
            now=self.aws.clock.now,
            seconds=lambda: self.aws.clock.now().timestamp(),
            sleep=self.aws.clock.advance,
            folder=self.folder,
        )

    def run(self, *arguments: str, calls: Calls | None = None) -> int:
        return main(list(arguments), self.machine(calls or self.calls()))

    def tags(self) -> dict[str, dict[str, str]]:
        """Of everything that can have some, by ARN or id."""
        apprunner, ec2, elbv2 = sdk("apprunner"), sdk("ec2"), sdk("elbv2")
        tags = {arn: _listed(apprunner.list_tags_for_resource(ResourceArn=arn)["Tags"]) for arn in _arns(apprunner)}  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
        for kind in ("vpc_endpoint", "network_interface", "vpc", "subnet", "security_group"):
            found = getattr(ec2, f"describe_{kind}s")()
            rows = next(value for name, value in found.items() if name.endswith("s") and isinstance(value, list))
            name = "".join(part.capitalize() for part in kind.split("_")) + "Id"
            name = {"SecurityGroupId": "GroupId"}.get(name, name)
            tags |= {row[name]: _listed(row.get("Tags", row.get("TagSet", []))) for row in rows}
        balanced = [row["TargetGroupArn"] for row in elbv2.describe_target_groups()["TargetGroups"]]  # type: ignore[attr-defined]  # as above
        balanced += [row["LoadBalancerArn"] for row in elbv2.describe_load_balancers()["LoadBalancers"]]  # type: ignore[attr-defined]  # as above
        for arn in balanced:
            described = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]  # type: ignore[attr-defined]  # as above
            tags[arn] = _listed(described[0]["Tags"])
        return tags


def _listed(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _arns(apprunner: Any) -> list[str]:
    return [
        *(row["VpcConnectorArn"] for row in apprunner.list_vpc_connectors()["VpcConnectors"]),
        *(row["ServiceArn"] for row in apprunner.list_services()["ServiceSummaryList"]),
        *(
            row["VpcIngressConnectionArn"]
            for row in apprunner.list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"]
        ),
    ]


def a_connector(name: str, **more: Any) -> str:
    """The ARN of a new connector in the subnets of the one that the world has."""
    apprunner = sdk_client("apprunner")
    there = apprunner.list_vpc_connectors()["VpcConnectors"][0]
    made = apprunner.create_vpc_connector(
        VpcConnectorName=name, Subnets=there["Subnets"], SecurityGroups=there["SecurityGroups"], **more
    )
    arn: str = made["VpcConnector"]["VpcConnectorArn"]
    return arn


def fail(times: int) -> None:
    """Calls of CreateVpcConnector that App Runner refuses."""
    for _ in range(times):
        with suppress(ClientError):
            sdk_client("apprunner").create_vpc_connector(VpcConnectorName="none", Subnets=["subnet-0"])


def populate(aws: Emulator) -> None:
    """The whole private path, made by one, connectors by others, and what is to be left alone."""
    make(WORLDS[PATH], sdk_client)
    aws.clock.advance(60)
    with aws.caller("sso"):
        a_connector("by-dana", Tags=[{"Key": "created-by", "Value": "somebody else"}])
    with aws.caller("terraform"):
        a_connector("by-terraform")
    vpc = sdk_client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    made = sdk_client("elbv2").create_target_group(Name="unbound", Protocol="TCP", Port=443, VpcId=vpc, TargetType="ip")
    assert made["TargetGroups"]
    with aws.caller("console"):
        gone = a_connector("gone")
    sdk_client("apprunner").delete_vpc_connector(VpcConnectorArn=gone)
    aws.clock.advance(3600)


def _untag(one: str, keys: list[str]) -> None:
    if ":apprunner:" in one:
        sdk_client("apprunner").untag_resource(ResourceArn=one, TagKeys=keys)
    elif ":elasticloadbalancing:" in one:
        sdk_client("elbv2").remove_tags(ResourceArns=[one], TagKeys=keys)
    else:
        sdk_client("ec2").delete_tags(Resources=[one], Tags=[{"Key": key} for key in keys])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where nothing was made yet."""
    with emulate() as aws:
        yield Place(aws=aws, folder=tmp_path / ".backfill")


@pytest.fixture(scope="module")
def populated() -> Iterator[tuple[Emulator, dict[str, dict[str, str]]]]:
    """Made once for a module, with its tags: it takes longer than the tests."""
    with emulate() as aws:
        populate(aws)
        yield aws, Place(aws=aws, folder=Path()).tags()


@pytest.fixture
def lived_in(populated: tuple[Emulator, dict[str, dict[str, str]]], tmp_path: Path) -> Iterator[Place]:
    """Tags and settings are put back; nothing else may be changed in it, and what is made there is never forgotten."""
    aws, before = populated
    place = Place(aws=aws, folder=tmp_path / ".backfill")
    yield place
    aws.settings.reset()
    for one, tags in place.tags().items():
        if added := sorted(tags.keys() - before[one].keys()):
            _untag(one, added)
    assert place.tags() == before


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs it for programs; what it has told."""

    def run(place: Place, *arguments: str, calls: Calls | None = None, ends: int = 0) -> Any:
        assert place.run(*arguments, "--format", "json", calls=calls) == ends
        return json.loads(capsys.readouterr().out)

    return run
