import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from emulator.clock import EPOCH

if TYPE_CHECKING:
    from tests.emulator.conftest import Cloud

ACCOUNT, REGION = "123456789012", "us-east-1"
REQUESTS = f"com.amazonaws.{REGION}.apprunner.requests"


@pytest.fixture
def service(cloud: "Cloud") -> str:
    """A private service that runs."""
    return cloud.service(public=False)


@pytest.fixture
def endpoint(cloud: "Cloud") -> str:
    return make_endpoint(cloud)


def make_endpoint(cloud: "Cloud", service_name: str = REQUESTS) -> str:
    made = cloud.ec2.create_vpc_endpoint(
        VpcId=cloud.network.vpc,
        ServiceName=service_name,
        VpcEndpointType="Interface",
        SubnetIds=cloud.network.private[:2],
        SecurityGroupIds=[cloud.network.group],
        PrivateDnsEnabled=False,
    )
    return made["VpcEndpoint"]["VpcEndpointId"]


def connect(cloud: "Cloud", service: str, endpoint: str, *, name: str = "orders", vpc: str = "") -> str:
    made = cloud.apprunner.create_vpc_ingress_connection(
        VpcIngressConnectionName=name,
        ServiceArn=service,
        IngressVpcConfiguration={"VpcId": vpc or cloud.network.vpc, "VpcEndpointId": endpoint},
    )
    return made["VpcIngressConnection"]["VpcIngressConnectionArn"]


def status(cloud: "Cloud", arn: str) -> str:
    described = cloud.apprunner.describe_vpc_ingress_connection(VpcIngressConnectionArn=arn)
    return described["VpcIngressConnection"]["Status"]


def test_a_connection_is_pending_then_available(cloud: "Cloud", service: str, endpoint: str) -> None:
    created = cloud.apprunner.create_vpc_ingress_connection(
        VpcIngressConnectionName="orders",
        ServiceArn=service,
        IngressVpcConfiguration={"VpcId": cloud.network.vpc, "VpcEndpointId": endpoint},
    )["VpcIngressConnection"]
    arn, domain = created["VpcIngressConnectionArn"], created["DomainName"]
    assert re.fullmatch(rf"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcingressconnection/orders/[0-9a-f]{{32}}", arn)
    assert re.fullmatch(rf"[a-z0-9]{{10}}\.{REGION}\.awsapprunner\.com", domain)
    assert created == {
        "VpcIngressConnectionArn": arn,
        "VpcIngressConnectionName": "orders",
        "ServiceArn": service,
        "Status": "PENDING_CREATION",
        "AccountId": ACCOUNT,
        "DomainName": domain,
        "IngressVpcConfiguration": {"VpcId": cloud.network.vpc, "VpcEndpointId": endpoint},
        "CreatedAt": EPOCH + timedelta(seconds=120),
    }
    cloud.wait()
    described = cloud.apprunner.describe_vpc_ingress_connection(VpcIngressConnectionArn=arn)["VpcIngressConnection"]
    assert described == {**created, "Status": "AVAILABLE"}


class TestEndpointsThatDoNotFit:
    def test_one_of_the_control_plane(self, cloud: "Cloud", service: str) -> None:
        arn = connect(cloud, service, make_endpoint(cloud, f"com.amazonaws.{REGION}.apprunner"))
        cloud.wait()
        assert status(cloud, arn) == "FAILED_CREATION"

    def test_one_that_does_not_exist(self, cloud: "Cloud", service: str) -> None:
        arn = connect(cloud, service, "vpce-00000000000000000")
        cloud.wait()
        assert status(cloud, arn) == "FAILED_CREATION"

    def test_one_in_another_vpc(self, cloud: "Cloud", service: str, endpoint: str) -> None:
        other = cloud.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        arn = connect(cloud, service, endpoint, vpc=other)
        cloud.wait()
        assert status(cloud, arn) == "FAILED_CREATION"

    def test_one_that_is_deleted_meanwhile(self, cloud: "Cloud", service: str, endpoint: str) -> None:
        arn = connect(cloud, service, endpoint)
        cloud.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
        cloud.wait()
        assert status(cloud, arn) == "FAILED_CREATION"

    def test_an_update_mends_what_failed(self, cloud: "Cloud", service: str, endpoint: str) -> None:
        arn = connect(cloud, service, "vpce-00000000000000000")
        cloud.wait()
        updated = cloud.apprunner.update_vpc_ingress_connection(
            VpcIngressConnectionArn=arn,
            IngressVpcConfiguration={"VpcId": cloud.network.vpc, "VpcEndpointId": endpoint},
        )["VpcIngressConnection"]
        assert (updated["Status"], updated["IngressVpcConfiguration"]["VpcEndpointId"]) == ("PENDING_UPDATE", endpoint)
        cloud.wait()
        assert status(cloud, arn) == "AVAILABLE"

    def test_an_update_can_fail(self, cloud: "Cloud", service: str, endpoint: str) -> None:
        arn = connect(cloud, service, endpoint)
        cloud.wait()
        cloud.apprunner.update_vpc_ingress_connection(
            VpcIngressConnectionArn=arn,
            IngressVpcConfiguration={"VpcId": cloud.network.vpc, "VpcEndpointId": "vpce-00000000000000000"},
        )
        cloud.wait()
        assert status(cloud, arn) == "FAILED_UPDATE"


class TestRefusals:
    def test_a_service_has_one_connection(self, cloud: "Cloud", service: str, endpoint: str) -> None:
        arn = connect(cloud, service, endpoint)
        cloud.wait()
        assert cloud.refusal(lambda: connect(cloud, service, endpoint, name="second")) == (
            "ServiceQuotaExceededException",
            "The quota of VPC ingress connections of a service is reached: 1 of 1.",
        )
        cloud.apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=arn)
        cloud.wait()
        assert connect(cloud, service, endpoint, name="second")

    def test_a_name_is_taken_by_one_connection(self, cloud: "Cloud", service: str, endpoint: str) -> None:
        connect(cloud, service, endpoint)
        other = cloud.service("other", public=False)
        assert cloud.refusal(lambda: connect(cloud, other, endpoint)) == (
            "InvalidRequestException",
            "A VPC ingress connection with the provided name already exists: orders",
        )

    def test_vpc_and_endpoint_are_both_needed(self, cloud: "Cloud", service: str, endpoint: str) -> None:
        assert cloud.refusal(
            lambda: cloud.apprunner.create_vpc_ingress_connection(
                VpcIngressConnectionName="orders",
                ServiceArn=service,
                IngressVpcConfiguration={"VpcEndpointId": endpoint},
            )
        ) == ("InvalidRequestException", "IngressVpcConfiguration needs VpcId and VpcEndpointId.")

    def test_a_service_in_progress_cannot_be_connected(self, cloud: "Cloud", endpoint: str) -> None:
        pending = cloud.service(public=False, wait=False)
        code, _ = cloud.refusal(lambda: connect(cloud, pending, endpoint))
        assert code == "InvalidStateException"

    def test_a_pending_connection_is_neither_updated_nor_deleted(
        self, cloud: "Cloud", service: str, endpoint: str
    ) -> None:
        arn = connect(cloud, service, endpoint)
        state = f"The VPC ingress connection {arn} is in PENDING_CREATION; it can be"
        assert cloud.refusal(
            lambda: cloud.apprunner.update_vpc_ingress_connection(
                VpcIngressConnectionArn=arn,
                IngressVpcConfiguration={"VpcId": cloud.network.vpc, "VpcEndpointId": endpoint},
            )
        ) == ("InvalidStateException", f"{state} updated in AVAILABLE or FAILED_CREATION or FAILED_UPDATE.")
        assert cloud.refusal(lambda: cloud.apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=arn)) == (
            "InvalidStateException",
            f"{state} deleted in AVAILABLE or FAILED_CREATION or FAILED_DELETION or FAILED_UPDATE.",
        )


class TestDeletion:
    def test_a_deleted_connection_is_described_and_not_listed(
        self, cloud: "Cloud", service: str, endpoint: str
    ) -> None:
        arn = connect(cloud, service, endpoint)
        cloud.wait()
        deleted = cloud.apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=arn)["VpcIngressConnection"]
        assert deleted["Status"] == "PENDING_DELETION"
        cloud.wait()
        described = cloud.apprunner.describe_vpc_ingress_connection(VpcIngressConnectionArn=arn)
        assert described["VpcIngressConnection"] == {
            **deleted,
            "Status": "DELETED",
            "DeletedAt": EPOCH + timedelta(seconds=360),
        }
        assert cloud.apprunner.list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"] == []

    def test_a_service_with_an_available_connection_cannot_be_deleted(
        self, cloud: "Cloud", service: str, endpoint: str
    ) -> None:
        arn = connect(cloud, service, endpoint)
        cloud.wait()
        code, message = cloud.refusal(lambda: cloud.apprunner.delete_service(ServiceArn=service))
        assert code == "InvalidStateException"
        assert message == (
            "You cannot delete a Service while it has VpcIngressConnections with a status of AVAILABLE. "
            f"Service Arn: {service} VpcIngressConnection Arn: {arn}"
        )
        cloud.apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=arn)
        cloud.apprunner.delete_service(ServiceArn=service)

    def test_a_connection_is_not_made_for_a_service_that_goes_meanwhile(
        self, cloud: "Cloud", service: str, endpoint: str
    ) -> None:
        arn = connect(cloud, service, endpoint)
        cloud.backend.operation_seconds = 60
        cloud.apprunner.delete_service(ServiceArn=service)
        cloud.wait()
        assert (cloud.status(service), status(cloud, arn)) == ("DELETED", "FAILED_CREATION")


def test_a_connection_is_in_the_state_that_it_is_said_to_be_in(cloud: "Cloud", service: str, endpoint: str) -> None:
    arn = connect(cloud, service, endpoint)
    cloud.wait()
    cloud.aws.settings.states[arn] = "FAILED_DELETION"
    assert status(cloud, arn) == "FAILED_DELETION"
    code, _ = cloud.refusal(
        lambda: cloud.apprunner.update_vpc_ingress_connection(
            VpcIngressConnectionArn=arn,
            IngressVpcConfiguration={"VpcId": cloud.network.vpc, "VpcEndpointId": endpoint},
        )
    )
    assert code == "InvalidStateException"
    cloud.aws.settings.states.clear()
    assert status(cloud, arn) == "AVAILABLE"


def test_the_list_is_filtered_by_service_and_by_endpoint(cloud: "Cloud", service: str, endpoint: str) -> None:
    other_service, other_endpoint = cloud.service("other", public=False), make_endpoint(cloud)
    first = connect(cloud, service, endpoint)
    second = connect(cloud, other_service, other_endpoint, name="other")

    def listed(**wanted: str) -> list[tuple[str, str]]:
        found = cloud.apprunner.list_vpc_ingress_connections(Filter=wanted)["VpcIngressConnectionSummaryList"]  # type: ignore[arg-type]  # a TypedDict
        return [(each["VpcIngressConnectionArn"], each["ServiceArn"]) for each in found]

    both = sorted([(first, service), (second, other_service)])
    assert listed() == both
    assert listed(ServiceArn=service) == [(first, service)]
    assert listed(VpcEndpointId=other_endpoint) == [(second, other_service)]
    assert listed(ServiceArn=service, VpcEndpointId=other_endpoint) == []
