"""What holds for every operation: the model's limits, pages, tags, and the configurations that services refer to."""

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore import xform_name
from moto.core.utils import get_service_model

from emulator.apprunner.responses import AppRunnerResponse

if TYPE_CHECKING:
    from tests.emulator.conftest import Cloud

ACCOUNT, REGION = "123456789012", "us-east-1"
IMAGE: Any = {
    "ImageRepository": {"ImageIdentifier": "public.ecr.aws/example/orders:1", "ImageRepositoryType": "ECR_PUBLIC"}
}


def arn(kind: str, *path: str) -> str:
    return "/".join((f"arn:aws:apprunner:{REGION}:{ACCOUNT}:{kind}", *path))


UNKNOWN = arn("service", "unknown", "0" * 32)


def send(operation: str, body: str) -> tuple[int, dict[str, Any]]:
    """A request as it is, past the checks of an SDK: the HTTP status and the answer."""
    answer = requests.post(
        f"https://apprunner.{REGION}.amazonaws.com/",
        data=body,
        headers={"X-Amz-Target": f"AppRunner.{operation}", "Content-Type": "application/x-amz-json-1.0"},
        timeout=5,
    )
    return answer.status_code, answer.json()


def invalid(message: str) -> tuple[int, dict[str, str]]:
    return 400, {"__type": "AppRunner#InvalidRequestException", "Message": message}


class TestValidation:
    @pytest.mark.parametrize(
        ("request_members", "fault"),
        [
            (
                {"VpcConnectorName": "orders"},
                "Value null at 'subnets' failed to satisfy constraint: Member must not be null",
            ),
            (
                {"VpcConnectorName": "orders", "Subnets": "subnet-1"},
                "Value at 'subnets' failed to satisfy constraint: Member must be a list",
            ),
            (
                {"VpcConnectorName": "orders", "Subnets": ["subnet-1", 2]},
                "Value at 'subnets.2.member' failed to satisfy constraint: Member must be a string",
            ),
            (
                {"VpcConnectorName": "-orders", "Subnets": []},
                (
                    "Value '-orders' at 'vpcConnectorName' failed to satisfy constraint: "
                    "Member must satisfy regular expression pattern: [A-Za-z0-9][A-Za-z0-9\\-_]{3,39}"
                ),
            ),
            (
                {"VpcConnectorName": "orders", "Subnets": [], "Tags": [{"Key": "aws:team", "Value": "x"}]},
                (
                    "Value 'aws:team' at 'tags.1.member.key' failed to satisfy constraint: "
                    "Member must satisfy regular expression pattern: ^(?!aws:).+"
                ),
            ),
            (
                {"VpcConnectorName": "orders", "Subnets": [], "Tags": [{"Key": "team", "Value": "x" * 257}]},
                (
                    f"Value '{'x' * 257}' at 'tags.1.member.value' failed to satisfy constraint: "
                    "Member must have length less than or equal to 256"
                ),
            ),
        ],
        ids=lambda value: value[:60] if isinstance(value, str) else "",
    )
    def test_one_member_that_the_model_forbids(self, cloud: "Cloud", request_members: Any, fault: str) -> None:
        answer = send("CreateVpcConnector", json.dumps(request_members))
        assert answer == invalid(f"1 validation error detected: {fault}")

    def test_every_fault_is_named(self, cloud: "Cloud") -> None:
        members = {
            "ServiceName": "orders",
            "SourceConfiguration": IMAGE,
            "HealthCheckConfiguration": {"Protocol": "UDP", "Interval": 21, "Timeout": True},
            "NetworkConfiguration": {"IngressConfiguration": {"IsPubliclyAccessible": "yes"}},
        }
        faults = {
            "Value 'UDP' at 'healthCheckConfiguration.protocol'": "Member must satisfy enum value set: [TCP, HTTP]",
            "Value '21' at 'healthCheckConfiguration.interval'": "Member must have value less than or equal to 20",
            "Value at 'healthCheckConfiguration.timeout'": "Member must be an integer",
            "Value at 'networkConfiguration.ingressConfiguration.isPubliclyAccessible'": "Member must be a boolean",
        }
        told = "; ".join(f"{where} failed to satisfy constraint: {fault}" for where, fault in faults.items())
        assert send("CreateService", json.dumps(members)) == invalid(f"4 validation errors detected: {told}")

    def test_a_message_is_no_longer_than_the_model_allows(self, cloud: "Cloud") -> None:
        _, answer = send("UntagResource", json.dumps({"ResourceArn": UNKNOWN, "TagKeys": [""] * 20}))
        assert len(answer["Message"]) == 600

    def test_a_sensitive_value_is_not_repeated(self, cloud: "Cloud") -> None:
        image = {**IMAGE["ImageRepository"], "ImageConfiguration": {"StartCommand": "run\nTOP SECRET"}}
        members = {"ServiceName": "orders", "SourceConfiguration": {"ImageRepository": image}}
        assert send("CreateService", json.dumps(members)) == invalid(
            "1 validation error detected: "
            "Value at 'sourceConfiguration.imageRepository.imageConfiguration.startCommand' "
            "failed to satisfy constraint: Member must satisfy regular expression pattern: [^\\x0a\\x0d]+"
        )

    def test_an_unknown_member_and_a_null_are_ignored(self, cloud: "Cloud") -> None:
        members = {"VpcConnectorName": "orders", "Subnets": cloud.network.private, "SecurityGroups": None, "New": 1}
        status, answer = send("CreateVpcConnector", json.dumps(members))
        assert (status, answer["VpcConnector"]["Status"]) == (200, "ACTIVE")

    @pytest.mark.parametrize("body", ["{", "subnets"])
    def test_a_request_that_is_not_json(self, cloud: "Cloud", body: str) -> None:
        status, answer = send("CreateVpcConnector", body)
        assert (status, answer["__type"]) == (400, "AppRunner#InvalidRequestException")
        assert answer["Message"].startswith("The request is not JSON: ")

    @pytest.mark.parametrize("body", ["[]", "1", "null"])
    def test_a_request_that_is_not_an_object(self, cloud: "Cloud", body: str) -> None:
        assert send("CreateVpcConnector", body) == invalid(
            "1 validation error detected: Value at 'request' failed to satisfy constraint: Member must be a structure"
        )

    def test_an_operation_that_the_model_does_not_have(self, cloud: "Cloud") -> None:
        answer = send("UpdateVpcConnector", "{}")
        assert answer == (400, {"__type": "com.amazon.coral.service#UnknownOperationException"})

    def test_a_tag_value_may_break_lines(self, cloud: "Cloud") -> None:
        """Not documented either way: whoever reads tags has to be safe from it."""
        made = cloud.apprunner.create_vpc_connector(
            VpcConnectorName="orders", Subnets=cloud.network.private, Tags=[{"Key": "team", "Value": "a\nb"}]
        )["VpcConnector"]["VpcConnectorArn"]
        tags = cloud.apprunner.list_tags_for_resource(ResourceArn=made)["Tags"]
        assert tags == [{"Key": "team", "Value": "a\nb"}]


def about_one_resource() -> dict[str, str]:
    """The operations that need nothing but an ARN, and the member for it."""
    model = get_service_model("apprunner")
    shapes = {name: model.operation_model(name).input_shape for name in model.operation_names}
    needs = {name: shape.required_members for name, shape in shapes.items() if shape}
    return {name: members[0] for name, members in needs.items() if len(members) == 1 and members[0].endswith("Arn")}


@pytest.mark.parametrize(("operation", "member"), about_one_resource().items())
def test_an_unknown_resource_gets_an_error_that_the_operation_has(cloud: "Cloud", operation: str, member: str) -> None:
    call: Callable[..., object] = getattr(cloud.apprunner, xform_name(operation))
    code, message = cloud.refusal(partial(call, **{member: UNKNOWN}))
    assert code == "ResourceNotFoundException"
    assert code in {shape.name for shape in get_service_model("apprunner").operation_model(operation).error_shapes}
    assert UNKNOWN in message


def test_every_operation_of_the_model_is_served() -> None:
    assert len(about_one_resource()) == 20
    missing = {
        name
        for name in get_service_model("apprunner").operation_names
        if not callable(getattr(AppRunnerResponse, xform_name(name), None))
    }
    assert missing == set()


class TestPages:
    @pytest.fixture
    def connectors(self, cloud: "Cloud") -> list[str]:
        return sorted(cloud.connector(f"connector-{number}") for number in range(5))

    def test_they_follow_one_another_without_gap_or_repetition(self, cloud: "Cloud", connectors: list[str]) -> None:
        pages: list[list[str]] = []
        token: dict[str, str] = {}
        while not pages or token:
            page = cloud.apprunner.list_vpc_connectors(MaxResults=2, **token)
            pages.append([each["VpcConnectorArn"] for each in page["VpcConnectors"]])
            token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
        assert [len(page) for page in pages] == [2, 2, 1]
        assert [each for page in pages for each in page] == connectors

    def test_without_max_results_all_come_at_once(self, cloud: "Cloud", connectors: list[str]) -> None:
        page = cloud.apprunner.list_vpc_connectors()
        assert ([each["VpcConnectorArn"] for each in page["VpcConnectors"]], "NextToken" in page) == (connectors, False)

    def test_a_setting_makes_pages_without_max_results(self, cloud: "Cloud", connectors: list[str]) -> None:
        cloud.backend.page_size = 4
        page = cloud.apprunner.list_vpc_connectors()
        rest = cloud.apprunner.list_vpc_connectors(NextToken=page["NextToken"])
        assert (len(page["VpcConnectors"]), len(rest["VpcConnectors"])) == (4, 1)

    def test_a_deletion_between_two_pages_hides_none_of_the_others(self, cloud: "Cloud", connectors: list[str]) -> None:
        first = cloud.apprunner.list_vpc_connectors(MaxResults=2)
        cloud.apprunner.delete_vpc_connector(VpcConnectorArn=connectors[1])
        second = cloud.apprunner.list_vpc_connectors(MaxResults=2, NextToken=first["NextToken"])
        assert [each["VpcConnectorArn"] for each in second["VpcConnectors"]] == connectors[2:4]

    @pytest.mark.parametrize("token", ["nonsense", "bm9uc2Vuc2U=", "W10=", "ö"])
    def test_a_token_of_ones_own_is_refused(self, cloud: "Cloud", connectors: list[str], token: str) -> None:
        refusal = cloud.refusal(lambda: cloud.apprunner.list_vpc_connectors(NextToken=token))
        assert refusal == ("InvalidRequestException", "The NextToken is not valid.")

    def test_a_token_is_good_only_for_the_same_request(self, cloud: "Cloud", connectors: list[str]) -> None:
        token = cloud.apprunner.list_vpc_connectors(MaxResults=2)["NextToken"]
        for call in (
            partial(cloud.apprunner.list_vpc_connectors, MaxResults=3, NextToken=token),
            partial(cloud.apprunner.list_services, MaxResults=2, NextToken=token),
        ):
            assert cloud.refusal(call) == (
                "InvalidRequestException",
                "The NextToken belongs to a request with other parameters.",
            )

    @pytest.mark.parametrize(
        ("call", "members", "most"),
        [
            ("list_services", {}, 20),
            ("list_operations", {"ServiceArn": UNKNOWN}, 20),
            ("list_vpc_connectors", {}, 100),
            ("list_vpc_ingress_connections", {}, 100),
            ("list_connections", {}, 100),
            ("list_auto_scaling_configurations", {}, 100),
            ("list_observability_configurations", {}, 100),
            ("describe_custom_domains", {"ServiceArn": UNKNOWN}, 5),
        ],
    )
    def test_max_results_has_the_limit_of_the_model(
        self, cloud: "Cloud", call: str, members: dict[str, str], most: int
    ) -> None:
        refusal = cloud.refusal(lambda: getattr(cloud.apprunner, call)(MaxResults=most + 1, **members))
        assert refusal == (
            "InvalidRequestException",
            (
                f"1 validation error detected: Value '{most + 1}' at 'maxResults' failed to satisfy constraint: "
                f"Member must have value less than or equal to {most}"
            ),
        )

    def test_operations_and_services_have_pages_too(self, cloud: "Cloud") -> None:
        service = cloud.service("orders")
        other = cloud.service("payments")
        cloud.apprunner.pause_service(ServiceArn=service)
        first = cloud.apprunner.list_operations(ServiceArn=service, MaxResults=1)
        rest = cloud.apprunner.list_operations(ServiceArn=service, MaxResults=1, NextToken=first["NextToken"])
        types = [each["Type"] for page in (first, rest) for each in page["OperationSummaryList"]]
        assert types == ["PAUSE_SERVICE", "CREATE_SERVICE"]
        one = cloud.apprunner.list_services(MaxResults=1)
        two = cloud.apprunner.list_services(MaxResults=1, NextToken=one["NextToken"])
        listed = [each["ServiceArn"] for page in (one, two) for each in page["ServiceSummaryList"]]
        assert listed == sorted([service, other])


class TestTags:
    @pytest.mark.parametrize("kind", ["connector", "service"])
    def test_they_are_set_changed_and_removed(self, cloud: "Cloud", kind: str) -> None:
        resource = cloud.connector() if kind == "connector" else cloud.service()
        cloud.apprunner.tag_resource(
            ResourceArn=resource, Tags=[{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": ""}]
        )
        cloud.apprunner.tag_resource(ResourceArn=resource, Tags=[{"Key": "team", "Value": "web"}])
        assert cloud.apprunner.list_tags_for_resource(ResourceArn=resource)["Tags"] == [
            {"Key": "team", "Value": "web"},
            {"Key": "stage", "Value": ""},
        ]
        cloud.apprunner.untag_resource(ResourceArn=resource, TagKeys=["team", "never-there"])
        tags = cloud.apprunner.list_tags_for_resource(ResourceArn=resource)["Tags"]
        assert tags == [{"Key": "stage", "Value": ""}]

    def test_a_deleted_resource_has_none(self, cloud: "Cloud") -> None:
        connector = cloud.connector()
        cloud.apprunner.delete_vpc_connector(VpcConnectorArn=connector)
        code, _ = cloud.refusal(lambda: cloud.apprunner.list_tags_for_resource(ResourceArn=connector))
        assert code == "ResourceNotFoundException"

    def test_a_tag_without_a_key_is_refused(self, cloud: "Cloud") -> None:
        connector = cloud.connector()
        refusal = cloud.refusal(lambda: cloud.apprunner.tag_resource(ResourceArn=connector, Tags=[{"Value": "shop"}]))
        assert refusal == ("InvalidRequestException", "A tag needs a Key.")

    def test_a_setting_refuses_them_while_an_operation_is_in_progress(self, cloud: "Cloud") -> None:
        service = cloud.service(wait=False)
        tag = partial(cloud.apprunner.tag_resource, ResourceArn=service, Tags=[{"Key": "team", "Value": "shop"}])
        tag()
        cloud.aws.settings.refuses_tags_during_operation = True
        assert cloud.refusal(tag)[0] == "InvalidStateException"
        cloud.wait()
        tag()


class TestAutoScalingConfigurations:
    def test_the_account_has_a_default(self, cloud: "Cloud") -> None:
        (default,) = cloud.apprunner.list_auto_scaling_configurations()["AutoScalingConfigurationSummaryList"]
        name = default["AutoScalingConfigurationName"]
        assert (name, default["IsDefault"], default["HasAssociatedService"]) == ("DefaultConfiguration", True, False)

    def test_a_name_gets_revisions_and_a_service_the_latest(self, cloud: "Cloud") -> None:
        made = [
            cloud.apprunner.create_auto_scaling_configuration(AutoScalingConfigurationName="busy", MaxSize=size)
            for size in (5, 10)
        ]
        first, second = (each["AutoScalingConfiguration"]["AutoScalingConfigurationArn"] for each in made)
        partial_arn = arn("autoscalingconfiguration", "busy")
        described = cloud.apprunner.describe_auto_scaling_configuration(AutoScalingConfigurationArn=partial_arn)
        assert described["AutoScalingConfiguration"]["AutoScalingConfigurationArn"] == second
        assert described["AutoScalingConfiguration"]["MaxSize"] == 10
        listed = cloud.apprunner.list_auto_scaling_configurations(AutoScalingConfigurationName="busy")
        assert [each["AutoScalingConfigurationRevision"] for each in listed["AutoScalingConfigurationSummaryList"]] == [
            2
        ]
        service = cloud.apprunner.create_service(
            ServiceName="orders", SourceConfiguration=IMAGE, AutoScalingConfigurationArn=partial_arn
        )["Service"]
        assert service["AutoScalingConfigurationSummary"] == {
            "AutoScalingConfigurationArn": second,
            "AutoScalingConfigurationName": "busy",
            "AutoScalingConfigurationRevision": 2,
        }
        users = cloud.apprunner.list_services_for_auto_scaling_configuration(AutoScalingConfigurationArn=second)
        assert users["ServiceArnList"] == [service["ServiceArn"]]
        assert cloud.refusal(
            lambda: cloud.apprunner.delete_auto_scaling_configuration(AutoScalingConfigurationArn=second)
        ) == ("InvalidRequestException", f"The AutoScalingConfiguration {second} is the default or in use.")
        cloud.apprunner.delete_auto_scaling_configuration(AutoScalingConfigurationArn=first)
        gone = cloud.apprunner.describe_auto_scaling_configuration(AutoScalingConfigurationArn=first)
        assert gone["AutoScalingConfiguration"]["Status"] == "INACTIVE"

    def test_another_one_becomes_the_default(self, cloud: "Cloud") -> None:
        made = cloud.apprunner.create_auto_scaling_configuration(AutoScalingConfigurationName="busy")
        busy = made["AutoScalingConfiguration"]["AutoScalingConfigurationArn"]
        cloud.apprunner.update_default_auto_scaling_configuration(AutoScalingConfigurationArn=busy)
        service = cloud.apprunner.describe_service(ServiceArn=cloud.service())["Service"]
        assert service["AutoScalingConfigurationSummary"]["AutoScalingConfigurationArn"] == busy

    def test_all_revisions_of_a_name_go_at_once(self, cloud: "Cloud") -> None:
        for _ in range(2):
            cloud.apprunner.create_auto_scaling_configuration(AutoScalingConfigurationName="busy")
        cloud.apprunner.delete_auto_scaling_configuration(
            AutoScalingConfigurationArn=arn("autoscalingconfiguration", "busy"), DeleteAllRevisions=True
        )
        listed = cloud.apprunner.list_auto_scaling_configurations(LatestOnly=False)
        names = [each["AutoScalingConfigurationName"] for each in listed["AutoScalingConfigurationSummaryList"]]
        assert names == ["DefaultConfiguration"]


class TestObservabilityConfigurations:
    def test_a_service_refers_to_a_revision(self, cloud: "Cloud") -> None:
        made = cloud.apprunner.create_observability_configuration(
            ObservabilityConfigurationName="tracing", TraceConfiguration={"Vendor": "AWSXRAY"}
        )["ObservabilityConfiguration"]
        service = cloud.apprunner.create_service(
            ServiceName="orders",
            SourceConfiguration=IMAGE,
            ObservabilityConfiguration={
                "ObservabilityEnabled": True,
                "ObservabilityConfigurationArn": arn("observabilityconfiguration", "tracing"),
            },
        )["Service"]
        assert service["ObservabilityConfiguration"] == {
            "ObservabilityEnabled": True,
            "ObservabilityConfigurationArn": made["ObservabilityConfigurationArn"],
        }
        assert (made["TraceConfiguration"], made["Latest"]) == ({"Vendor": "AWSXRAY"}, True)
        delete = partial(
            cloud.apprunner.delete_observability_configuration,
            ObservabilityConfigurationArn=made["ObservabilityConfigurationArn"],
        )
        assert cloud.refusal(delete)[0] == "InvalidRequestException"

    def test_the_default_name_is_reserved(self, cloud: "Cloud") -> None:
        create = partial(
            cloud.apprunner.create_observability_configuration, ObservabilityConfigurationName="DefaultConfiguration"
        )
        assert cloud.refusal(create) == ("InvalidRequestException", "The name DefaultConfiguration is reserved.")


def test_a_connection_waits_for_its_handshake_and_is_deleted_when_no_service_uses_it(cloud: "Cloud") -> None:
    made = cloud.apprunner.create_connection(ConnectionName="github", ProviderType="GITHUB")["Connection"]
    assert made["Status"] == "PENDING_HANDSHAKE"
    assert [each["ConnectionName"] for each in cloud.apprunner.list_connections()["ConnectionSummaryList"]] == [
        "github"
    ]
    service = cloud.apprunner.create_service(
        ServiceName="orders",
        SourceConfiguration={
            "CodeRepository": {
                "RepositoryUrl": "https://github.com/example/orders",
                "SourceCodeVersion": {"Type": "BRANCH", "Value": "main"},
            },
            "AuthenticationConfiguration": {"ConnectionArn": made["ConnectionArn"]},
        },
    )["Service"]
    assert service["SourceConfiguration"]["AutoDeploymentsEnabled"] is True
    delete = partial(cloud.apprunner.delete_connection, ConnectionArn=made["ConnectionArn"])
    refusal = f"The connection {made['ConnectionArn']} is used by {service['ServiceArn']}."
    assert cloud.refusal(delete) == ("InvalidRequestException", refusal)
    cloud.wait()
    cloud.apprunner.delete_service(ServiceArn=service["ServiceArn"])
    cloud.wait()
    assert delete()["Connection"]["Status"] == "DELETED"


def test_a_custom_domain_waits_for_its_records(cloud: "Cloud") -> None:
    service = cloud.service()
    url = cloud.apprunner.describe_service(ServiceArn=service)["Service"]["ServiceUrl"]
    made = cloud.apprunner.associate_custom_domain(ServiceArn=service, DomainName="example.com")
    assert (made["DNSTarget"], made["CustomDomain"]["Status"]) == (url, "CREATING")
    cloud.wait()
    (domain,) = cloud.apprunner.describe_custom_domains(ServiceArn=service)["CustomDomains"]
    assert domain["Status"] == "PENDING_CERTIFICATE_DNS_VALIDATION"
    assert [record["Status"] for record in domain["CertificateValidationRecords"]] == ["PENDING_VALIDATION"] * 2
    cloud.aws.settings.states[f"{service}/example.com"] = "ACTIVE"
    (active,) = cloud.apprunner.describe_custom_domains(ServiceArn=service)["CustomDomains"]
    assert active["Status"] == "ACTIVE"
    assert [record["Status"] for record in active["CertificateValidationRecords"]] == ["SUCCESS"] * 2
    cloud.aws.settings.states.clear()
    gone = cloud.apprunner.disassociate_custom_domain(ServiceArn=service, DomainName="example.com")
    assert gone["CustomDomain"]["Status"] == "DELETING"
    assert cloud.apprunner.describe_custom_domains(ServiceArn=service)["CustomDomains"] == []
