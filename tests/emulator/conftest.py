"""An emulated AWS, a VPC in it, and the calls of App Runner that every test needs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import boto3
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_apprunner import AppRunnerClient
from mypy_boto3_apprunner.type_defs import NetworkConfigurationTypeDef
from mypy_boto3_ec2 import EC2Client

from emulator import Emulator, emulate
from emulator.apprunner.models import AppRunnerBackend, apprunner_backends

OPERATION_SECONDS = 120


@pytest.fixture
def aws() -> Iterator[Emulator]:
    with emulate() as aws:
        yield aws


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Clients made once serve every emulated AWS: to make one takes longer than most tests."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@pytest.fixture(scope="session")
def ec2_client(session: boto3.Session) -> EC2Client:
    return session.client("ec2")


@pytest.fixture(scope="session")
def apprunner_client(session: boto3.Session) -> AppRunnerClient:
    return session.client("apprunner")


@pytest.fixture
def ec2(aws: Emulator, ec2_client: EC2Client) -> EC2Client:
    return ec2_client


@pytest.fixture
def apprunner(aws: Emulator, apprunner_client: AppRunnerClient) -> AppRunnerClient:
    return apprunner_client


@dataclass(frozen=True, kw_only=True)
class Network:
    vpc: str
    private: list[str]
    """Subnets in use1-az1, use1-az2 and use1-az4, by the VPC's main table."""
    main_table: str
    """It leads nowhere."""
    public: str
    """A subnet in use1-az6 whose own table leads to the internet gateway."""
    public_table: str
    internet_gateway: str
    group: str
    other_group: str


def a_network(ec2: EC2Client) -> Network:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    *private, public = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZoneId=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(("use1-az1", "use1-az2", "use1-az4", "use1-az6"))
    )
    ec2.associate_route_table(RouteTableId=table, SubnetId=public)
    (main,) = (
        table["RouteTableId"]
        for table in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        if any(association["Main"] for association in table["Associations"])
    )
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("one", "two")
    ]
    return Network(
        vpc=vpc,
        private=private,
        main_table=main,
        public=public,
        public_table=table,
        internet_gateway=gateway,
        group=groups[0],
        other_group=groups[1],
    )


@dataclass(kw_only=True)
class Cloud:
    """An emulated AWS, a VPC in it (made when a test first asks for it), and calls of App Runner that tests need."""

    aws: Emulator
    ec2: EC2Client
    apprunner: AppRunnerClient

    @cached_property
    def network(self) -> Network:
        return a_network(self.ec2)

    @property
    def backend(self) -> AppRunnerBackend:
        return apprunner_backends["123456789012"]["us-east-1"]

    def wait(self, seconds: float = OPERATION_SECONDS) -> None:
        self.aws.clock.advance(seconds)

    def connector(self, name: str = "orders", subnets: Sequence[str] = (), groups: Sequence[str] = ()) -> str:
        """The ARN of a new connector, by default in the private subnets and with the first group."""
        made = self.apprunner.create_vpc_connector(
            VpcConnectorName=name,
            Subnets=subnets or self.network.private,
            SecurityGroups=groups or [self.network.group],
        )
        return made["VpcConnector"]["VpcConnectorArn"]

    def service(
        self, name: str = "orders", connector: str | None = None, *, public: bool = True, wait: bool = True
    ) -> str:
        """The ARN of a new service that runs, or has failed to."""
        network: NetworkConfigurationTypeDef = {"IngressConfiguration": {"IsPubliclyAccessible": public}}
        if connector:
            network["EgressConfiguration"] = {"EgressType": "VPC", "VpcConnectorArn": connector}
        made = self.apprunner.create_service(
            ServiceName=name,
            SourceConfiguration={
                "ImageRepository": {
                    "ImageIdentifier": "public.ecr.aws/aws-containers/hello-app-runner:latest",
                    "ImageRepositoryType": "ECR_PUBLIC",
                }
            },
            NetworkConfiguration=network,
        )
        if wait:
            self.wait()
        return made["Service"]["ServiceArn"]

    def status(self, service: str) -> str:
        return self.apprunner.describe_service(ServiceArn=service)["Service"]["Status"]

    def last_operation(self, service: str) -> tuple[str, str]:
        operation = self.apprunner.list_operations(ServiceArn=service)["OperationSummaryList"][0]
        return operation["Type"], operation["Status"]

    def refusal(self, call: Callable[[], object]) -> tuple[str, str]:
        """The code and the message of the error that the call gets."""
        with pytest.raises(ClientError) as caught:
            call()
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture
def cloud(aws: Emulator, ec2: EC2Client, apprunner: AppRunnerClient) -> Cloud:
    return Cloud(aws=aws, ec2=ec2, apprunner=apprunner)
