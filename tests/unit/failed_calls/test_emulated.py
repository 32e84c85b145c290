"""Calls that the emulated AWS refuses, and operations that fail there: their events, explained."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from apprunner_guardrails.alerts import Explanation
from apprunner_guardrails.aws import clients
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.events import FailedCall, parse
from apprunner_guardrails.failed_calls.read import explain
from apprunner_guardrails.findings import Severity
from emulator import Emulator, emulate
from emulator.settings import SETTINGS as EMULATED
from emulator.worlds import OPERATION_SECONDS, Vpc, connector, service, vpc
from tests.samples import SETTINGS

SOURCE = {"ImageRepository": {"ImageIdentifier": "public.ecr.aws/x/y:latest", "ImageRepositoryType": "ECR_PUBLIC"}}
REQUESTS = "com.amazonaws.us-east-1.apprunner.requests"


def client(service_name: str) -> Any:
    return boto3.client(service_name)  # type: ignore[call-overload]  # the name is not a literal


@dataclass(frozen=True)
class World:
    aws: Emulator
    vpc: Vpc
    connector: str
    service: str

    @property
    def private(self) -> list[str]:
        return list(self.vpc.private.values())

    def wait(self) -> None:
        self.aws.clock.advance(OPERATION_SECONDS)

    def refused(self, call: Callable[..., object], **request: object) -> Explanation:
        """What is told of the event of a call that AWS refuses."""
        with pytest.raises(ClientError):
            call(**request)
        return self.last()

    def last(self) -> Explanation:
        """What is told of the last event that is about a failure."""
        asked = (parse(json.loads(json.dumps(event))) for event in reversed(self.aws.events))
        failed = next(one for one in asked if isinstance(one, FailedCall))
        return explain(failed, SETTINGS, Reads(clients.client))

    def egress(self, arn: str) -> dict[str, object]:
        return {"EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": arn}}

    def endpoint(self, name: str = REQUESTS) -> str:
        made = client("ec2").create_vpc_endpoint(
            VpcId=self.vpc.id, VpcEndpointType="Interface", ServiceName=name, SubnetIds=self.private
        )
        self.wait()
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def ingress(self, endpoint: str) -> dict[str, object]:
        return {
            "ServiceArn": self.service,
            "VpcIngressConnectionName": "front",
            "IngressVpcConfiguration": {"VpcId": self.vpc.id, "VpcEndpointId": endpoint},
        }


@pytest.fixture
def world() -> Iterator[World]:
    with emulate() as aws:
        made = vpc(client)
        arn = connector(client, "orders", list(made.private.values()), [made.group])
        shop = service(client, "shop", arn)
        aws.clock.advance(OPERATION_SECONDS)
        yield World(aws, made, arn, shop)


def test_a_connector_in_use_is_told_with_its_users(world: World) -> None:
    told = world.refused(client("apprunner").delete_vpc_connector, VpcConnectorArn=world.connector)
    assert told.causes == (f"service shop uses it (RUNNING): {world.service}",)
    assert told.cause == f"connector-in-use {world.connector}"
    assert told.severity is Severity.MEDIUM


def test_the_commands_that_are_told_let_the_connector_be_deleted(world: World) -> None:
    app_runner = client("apprunner")
    told = world.refused(app_runner.delete_vpc_connector, VpcConnectorArn=world.connector)
    first = next(line for line in told.commands.splitlines() if not line.startswith("#"))
    assert f"--service-arn {world.service} " in first
    assert first.endswith("'EgressConfiguration={EgressType=DEFAULT}'")
    app_runner.update_service(
        ServiceArn=world.service, NetworkConfiguration={"EgressConfiguration": {"EgressType": "DEFAULT"}}
    )
    told = world.refused(app_runner.delete_vpc_connector, VpcConnectorArn=world.connector)
    assert told.causes[-1].startswith("service shop has an operation in progress")
    world.wait()
    app_runner.delete_vpc_connector(VpcConnectorArn=world.connector)


def test_a_connector_that_names_what_is_taken_is_told_with_who_has_it(world: World) -> None:
    create = client("apprunner").create_vpc_connector
    request = {"Subnets": world.private, "SecurityGroups": [world.vpc.group]}
    assert (
        world.refused(create, VpcConnectorName="orders", **request).cause == f"connector-name-taken {world.connector}"
    )
    EMULATED.refuse_same_groups = True
    assert world.refused(create, VpcConnectorName="others", **request).cause == (
        f"connector-groups-taken {world.connector}"
    )


def test_a_connector_over_the_quota_is_told_with_the_default_where_service_quotas_does_not_tell(world: World) -> None:
    spare = connector(client, "spare", world.private, [])
    EMULATED.quotas["connectors"] = 2
    told = world.refused(
        client("apprunner").create_vpc_connector, VpcConnectorName="third", Subnets=world.private, SecurityGroups=[]
    )
    assert told.cause == "connector-quota us-east-1"
    assert told.causes[0].startswith("2 VPC connectors are active of ")
    assert told.causes[1:] == (f"no service uses spare ({spare})",)


def test_a_connector_on_subnets_that_are_gone_and_public_is_told_with_those(world: World) -> None:
    public = next(iter(world.vpc.public.values()))
    told = world.refused(
        client("apprunner").create_vpc_connector,
        VpcConnectorName="others",
        Subnets=[public, "subnet-0123456789abcdef0"],
        SecurityGroups=[world.vpc.group],
    )
    assert told.cause == "connector-unsuitable AR113 AR102 others"
    private = world.vpc.private[next(iter(world.vpc.public))]
    assert told.commands == (
        "aws apprunner create-vpc-connector --region us-east-1 --vpc-connector-name others"
        f" --subnets {private} --security-groups {world.vpc.group}"
    )


def test_an_update_that_was_rolled_back_is_told_with_the_connector_that_it_was_to_have(world: World) -> None:
    public = connector(client, "public", list(world.vpc.public.values()), [world.vpc.group])
    client("apprunner").update_service(ServiceArn=world.service, NetworkConfiguration=world.egress(public))
    world.wait()
    told = world.last()
    assert (told.severity, told.title) == (Severity.HIGH, "Service shop could not be updated")
    assert told.cause == f"operation-failed UpdateServiceFailed AR102 {world.service}"
    assert public in told.causes[0]


def test_a_busy_service_is_told_to_wait_for(world: World) -> None:
    app_runner = client("apprunner")
    app_runner.pause_service(ServiceArn=world.service)
    told = world.refused(app_runner.update_service, ServiceArn=world.service)
    assert told.causes[0].startswith("an operation of the service is in progress")


def test_a_service_with_an_ingress_connection_is_told_with_the_order_to_delete_in(world: World) -> None:
    app_runner = client("apprunner")
    private = {"IngressConfiguration": {"IsPubliclyAccessible": False}}
    app_runner.update_service(ServiceArn=world.service, NetworkConfiguration=private)
    made = app_runner.create_vpc_ingress_connection(**world.ingress(world.endpoint()))
    arn = made["VpcIngressConnection"]["VpcIngressConnectionArn"]
    pending = world.refused(app_runner.delete_vpc_ingress_connection, VpcIngressConnectionArn=arn)
    assert pending.causes == ("VPC ingress connection front is PENDING_CREATION: wait until that is over",)
    world.wait()
    told = world.refused(app_runner.delete_service, ServiceArn=world.service)
    assert told.causes == (f"VPC ingress connection front is AVAILABLE: {arn}",)
    second = world.refused(
        app_runner.create_vpc_ingress_connection,
        **{**world.ingress("vpce-0123456789abcdef0"), "VpcIngressConnectionName": "back"},
    )
    assert second.cause == f"ingress-exists {world.service}"
    app_runner.delete_vpc_ingress_connection(VpcIngressConnectionArn=arn)
    world.wait()
    app_runner.delete_service(ServiceArn=world.service)


def test_an_endpoint_in_a_zone_without_the_service_is_told_with_the_subnet_and_not_with_another_endpoint(
    world: World,
) -> None:
    world.endpoint()
    request = {"VpcId": world.vpc.id, "VpcEndpointType": "Interface", "ServiceName": REQUESTS}
    create = client("ec2").create_vpc_endpoint
    taken = world.refused(create, **request, SubnetIds=world.private)
    zone = next(iter(world.vpc.private))
    EMULATED.endpoint_unsupported_zone_ids = (zone,)
    told = world.refused(create, **request, SubnetIds=world.private)
    refused = world.vpc.private[zone]
    assert told.causes[0].startswith(f"{refused} is in {zone}; {REQUESTS} is offered in ")
    assert told.causes[-1].endswith("EC2's answer does not speak of it, but it would stand in the way too")
    assert refused not in told.commands
    assert told.cause != taken.cause


def test_a_second_endpoint_with_the_same_private_name_is_told_with_the_first(world: World) -> None:
    first = world.endpoint()
    with suppress(ClientError):
        world.endpoint()
    told = world.last()
    assert [cause.partition(" has the private DNS name")[0] for cause in told.causes] == [first]
    assert told.commands.endswith("--no-private-dns-enabled")
    assert told.unread == ()
