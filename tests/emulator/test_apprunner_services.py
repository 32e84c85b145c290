import re
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from mypy_boto3_apprunner.type_defs import NetworkConfigurationTypeDef

from emulator.clock import EPOCH

if TYPE_CHECKING:
    from tests.emulator.conftest import Cloud

ACCOUNT, REGION = "123456789012", "us-east-1"
ARN = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/orders/"
UNKNOWN = f"{ARN}{'0' * 32}"


def egress(connector_arn: str | None) -> NetworkConfigurationTypeDef:
    if connector_arn is None:
        return {"EgressConfiguration": {"EgressType": "DEFAULT"}}
    return {"EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": connector_arn}}


class TestCreation:
    def test_a_service_is_described_with_the_defaults_of_the_api_model(self, cloud: "Cloud") -> None:
        source: Any = {
            "ImageRepository": {
                "ImageIdentifier": "public.ecr.aws/aws-containers/hello-app-runner:latest",
                "ImageRepositoryType": "ECR_PUBLIC",
            }
        }
        answer = cloud.apprunner.create_service(ServiceName="orders", SourceConfiguration=source)
        service = answer["Service"]
        assert re.fullmatch(rf"{ARN}[0-9a-f]{{32}}", service["ServiceArn"])
        assert re.fullmatch(rf"[a-z0-9]{{10}}\.{REGION}\.awsapprunner\.com", service["ServiceUrl"])
        scaling = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:autoscalingconfiguration/DefaultConfiguration/1/{'0' * 31}1"
        expected = {
            "ServiceName": "orders",
            "ServiceId": service["ServiceArn"].split("/")[-1],
            "ServiceArn": service["ServiceArn"],
            "ServiceUrl": service["ServiceUrl"],
            "CreatedAt": EPOCH,
            "UpdatedAt": EPOCH,
            "Status": "OPERATION_IN_PROGRESS",
            "SourceConfiguration": {**source, "AutoDeploymentsEnabled": False},
            "InstanceConfiguration": {"Cpu": "1024", "Memory": "2048"},
            "HealthCheckConfiguration": {
                "Protocol": "TCP",
                "Path": "/",
                "Interval": 5,
                "Timeout": 2,
                "HealthyThreshold": 1,
                "UnhealthyThreshold": 5,
            },
            "AutoScalingConfigurationSummary": {
                "AutoScalingConfigurationArn": scaling,
                "AutoScalingConfigurationName": "DefaultConfiguration",
                "AutoScalingConfigurationRevision": 1,
            },
            "NetworkConfiguration": {
                "EgressConfiguration": {"EgressType": "DEFAULT"},
                "IngressConfiguration": {"IsPubliclyAccessible": True},
                "IpAddressType": "IPV4",
            },
            "ObservabilityConfiguration": {"ObservabilityEnabled": False},
        }
        assert service == expected
        cloud.wait()
        described = cloud.apprunner.describe_service(ServiceArn=service["ServiceArn"])["Service"]
        assert described == {**expected, "Status": "RUNNING", "UpdatedAt": EPOCH + timedelta(seconds=120)}
        operations = cloud.apprunner.list_operations(ServiceArn=service["ServiceArn"])["OperationSummaryList"]
        assert operations == [
            {
                "Id": answer["OperationId"],
                "Type": "CREATE_SERVICE",
                "Status": "SUCCEEDED",
                "TargetArn": service["ServiceArn"],
                "StartedAt": EPOCH,
                "EndedAt": EPOCH + timedelta(seconds=120),
                "UpdatedAt": EPOCH + timedelta(seconds=120),
            }
        ]

    def test_it_takes_120_emulated_seconds(self, cloud: "Cloud") -> None:
        arn = cloud.service(wait=False)
        cloud.wait(119)
        assert (cloud.status(arn), cloud.last_operation(arn)) == (
            "OPERATION_IN_PROGRESS",
            ("CREATE_SERVICE", "IN_PROGRESS"),
        )
        cloud.wait(1)
        assert (cloud.status(arn), cloud.last_operation(arn)) == (
            "RUNNING",
            ("CREATE_SERVICE", "SUCCEEDED"),
        )

    def test_a_private_service_has_no_url_of_its_own(self, cloud: "Cloud") -> None:
        arn = cloud.service(public=False)
        assert "ServiceUrl" not in cloud.apprunner.describe_service(ServiceArn=arn)["Service"]
        cloud.apprunner.update_service(
            ServiceArn=arn, NetworkConfiguration={"IngressConfiguration": {"IsPubliclyAccessible": True}}
        )
        cloud.wait()
        assert cloud.apprunner.describe_service(ServiceArn=arn)["Service"]["ServiceUrl"]

    def test_a_name_is_free_again_when_its_service_is_deleted(self, cloud: "Cloud") -> None:
        arn = cloud.service("orders")
        cloud.apprunner.delete_service(ServiceArn=arn)
        assert cloud.refusal(lambda: cloud.service("orders")) == (
            "InvalidRequestException",
            "Service with the provided name already exists: orders",
        )
        cloud.wait()
        assert cloud.service("orders") != arn

    def test_a_service_that_failed_still_counts_towards_the_quota(self, cloud: "Cloud") -> None:
        cloud.aws.settings.quotas["services"] = 2
        failed = cloud.service("failed", cloud.connector(subnets=[cloud.network.public]))
        cloud.service("running")
        assert cloud.status(failed) == "CREATE_FAILED"
        assert cloud.refusal(lambda: cloud.service("one-too-many")) == (
            "ServiceQuotaExceededException",
            "The quota of services is reached: 2 of 2.",
        )

    def test_the_quota_is_30(self, cloud: "Cloud") -> None:
        assert cloud.aws.settings.quotas["services"] == 30

    @pytest.mark.parametrize(
        ("network", "message"),
        [
            ({"EgressType": "VPC"}, "EgressType VPC needs a VpcConnectorArn."),
            (
                {"EgressType": "DEFAULT", "VpcConnectorArn": UNKNOWN},
                "VpcConnectorArn is only valid when EgressType is VPC.",
            ),
            ({"VpcConnectorArn": UNKNOWN}, "VpcConnectorArn is only valid when EgressType is VPC."),
            (
                {"EgressType": "VPC", "VpcConnectorArn": UNKNOWN},
                f"The VPC connector {UNKNOWN} does not exist or is not ACTIVE.",
            ),
        ],
    )
    def test_an_egress_configuration_that_does_not_fit_is_refused(
        self, cloud: "Cloud", network: Any, message: str
    ) -> None:
        arn = cloud.service()
        update = partial(
            cloud.apprunner.update_service, ServiceArn=arn, NetworkConfiguration={"EgressConfiguration": network}
        )
        assert cloud.refusal(update) == ("InvalidRequestException", message)
        assert cloud.status(arn) == "RUNNING"

    @pytest.mark.parametrize("source", [{}, {"ImageRepository": None}])
    def test_a_source_is_needed(self, cloud: "Cloud", source: Any) -> None:
        source = {kind: given for kind, given in source.items() if given}
        assert cloud.refusal(
            lambda: cloud.apprunner.create_service(ServiceName="orders", SourceConfiguration=source)
        ) == (
            "InvalidRequestException",
            "SourceConfiguration needs either CodeRepository or ImageRepository.",
        )


class TestSubnetsThatDoNotWork:
    """What the documentation says of public subnets and of zones: creation fails, an update is rolled back."""

    def test_a_creation_in_a_public_subnet_fails(self, cloud: "Cloud") -> None:
        arn = cloud.service(connector=cloud.connector(subnets=[*cloud.network.private, cloud.network.public]))
        assert (cloud.status(arn), cloud.last_operation(arn)) == (
            "CREATE_FAILED",
            ("CREATE_SERVICE", "FAILED"),
        )

    def test_the_event_names_subnets_zones_and_gateway(self, cloud: "Cloud") -> None:
        made = cloud.ec2.create_subnet(VpcId=cloud.network.vpc, CidrBlock="10.0.9.0/24", AvailabilityZoneId="use1-az3")
        unsupported = made["Subnet"]["SubnetId"]
        zones = {
            each["SubnetId"]: f"{each['AvailabilityZoneId']} ({each['AvailabilityZone']})"
            for each in cloud.ec2.describe_subnets(SubnetIds=[unsupported, cloud.network.public])["Subnets"]
        }
        cloud.service(connector=cloud.connector(subnets=[unsupported, cloud.network.public, cloud.network.private[0]]))
        public = cloud.network.public
        reasons = {
            unsupported: f"subnet {unsupported} is in Availability Zone {zones[unsupported]}, "
            "which App Runner does not support",
            public: f"subnet {public} in Availability Zone {zones[public]} is public: "
            f"{cloud.network.public_table} routes to {cloud.network.internet_gateway}",
        }
        failures = [
            event["detail"]
            for event in cloud.aws.events
            if event["detail"].get("operationStatus") == "CreateServiceFailed"  # type: ignore[attr-defined]  # JSON
        ]
        assert failures == [
            {
                "operationStatus": "CreateServiceFailed",
                "serviceName": "orders",
                "serviceId": failures[0]["serviceId"],  # type: ignore[index]  # JSON
                "message": f"Service creation failed: {reasons[min(reasons)]}; {reasons[max(reasons)]}.",
                "severity": "ERROR",
            }
        ]

    def test_a_subnet_without_an_association_goes_by_the_main_table_of_its_vpc(self, cloud: "Cloud") -> None:
        arn = cloud.connector()
        runs = cloud.service("before", arn)
        cloud.ec2.create_route(
            RouteTableId=cloud.network.main_table,
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=cloud.network.internet_gateway,
        )
        fails = cloud.service("after", arn)
        assert (cloud.status(runs), cloud.status(fails)) == ("RUNNING", "CREATE_FAILED")

    def test_an_explicit_association_beats_a_public_main_table(self, cloud: "Cloud") -> None:
        network = cloud.network
        cloud.ec2.create_route(
            RouteTableId=network.main_table, DestinationIpv6CidrBlock="::/0", GatewayId=network.internet_gateway
        )
        private = cloud.ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
        cloud.ec2.associate_route_table(RouteTableId=private, SubnetId=network.private[0])
        runs = cloud.service("private", cloud.connector("private", network.private[:1]))
        fails = cloud.service("public", cloud.connector("public", network.private[1:2], [network.other_group]))
        assert (cloud.status(runs), cloud.status(fails)) == ("RUNNING", "CREATE_FAILED")

    def test_the_unsupported_zones_are_a_setting(self, cloud: "Cloud") -> None:
        cloud.backend.unsupported_zone_ids = {"use1-az4"}
        assert cloud.status(cloud.service(connector=cloud.connector())) == "CREATE_FAILED"

    def test_an_update_is_rolled_back(self, cloud: "Cloud") -> None:
        good = cloud.connector("works")
        bad = cloud.connector("fails", [cloud.network.public], [cloud.network.other_group])
        arn = cloud.service(connector=good)
        before = cloud.apprunner.describe_service(ServiceArn=arn)["Service"]
        cloud.apprunner.update_service(
            ServiceArn=arn, NetworkConfiguration=egress(bad), InstanceConfiguration={"Memory": "4096"}
        )
        during = cloud.apprunner.describe_service(ServiceArn=arn)["Service"]
        assert during["NetworkConfiguration"]["EgressConfiguration"]["VpcConnectorArn"] == bad
        assert during["InstanceConfiguration"] == {"Cpu": "1024", "Memory": "4096"}
        cloud.wait()
        after = cloud.apprunner.describe_service(ServiceArn=arn)["Service"]
        assert after == {**before, "UpdatedAt": EPOCH + timedelta(seconds=240)}
        assert cloud.last_operation(arn) == ("UPDATE_SERVICE", "ROLLBACK_SUCCEEDED")

    def test_a_service_that_failed_can_be_updated_to_run(self, cloud: "Cloud") -> None:
        arn = cloud.service(connector=cloud.connector(subnets=[cloud.network.public]))
        cloud.apprunner.update_service(ServiceArn=arn, NetworkConfiguration=egress(None))
        cloud.wait()
        assert (cloud.status(arn), cloud.last_operation(arn)) == ("RUNNING", ("UPDATE_SERVICE", "SUCCEEDED"))

    def test_a_service_cannot_resume_when_its_subnets_have_become_public(self, cloud: "Cloud") -> None:
        arn = cloud.service(connector=cloud.connector())
        cloud.apprunner.pause_service(ServiceArn=arn)
        cloud.wait()
        cloud.ec2.associate_route_table(RouteTableId=cloud.network.public_table, SubnetId=cloud.network.private[0])
        cloud.apprunner.resume_service(ServiceArn=arn)
        cloud.wait()
        assert (cloud.status(arn), cloud.last_operation(arn)) == ("PAUSED", ("RESUME_SERVICE", "FAILED"))

    @pytest.mark.parametrize("what", ["subnet", "group"])
    def test_a_creation_fails_when_subnet_or_group_are_gone(self, cloud: "Cloud", what: str) -> None:
        connector_arn = cloud.connector()
        if what == "subnet":
            cloud.ec2.delete_subnet(SubnetId=cloud.network.private[0])
        else:
            cloud.ec2.delete_security_group(GroupId=cloud.network.group)
        assert cloud.status(cloud.service(connector=connector_arn)) == "CREATE_FAILED"
        groups = cloud.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [cloud.network.vpc]}])[
            "SecurityGroups"
        ]
        assert (cloud.network.group in {group["GroupId"] for group in groups}) == (what == "subnet")

    def test_a_creation_fails_in_a_subnet_without_a_free_address(self, cloud: "Cloud") -> None:
        small = cloud.ec2.create_subnet(VpcId=cloud.network.vpc, CidrBlock="10.0.20.0/28")["Subnet"]["SubnetId"]
        for _ in range(11):
            cloud.ec2.create_network_interface(SubnetId=small)
        arn = cloud.service(connector=cloud.connector(subnets=[small]))
        assert cloud.status(arn) == "CREATE_FAILED"


class TestStates:
    @pytest.mark.parametrize(
        ("call", "operation", "result"),
        [
            ("pause_service", "PAUSE_SERVICE", "PAUSED"),
            ("start_deployment", "START_DEPLOYMENT", "RUNNING"),
            ("update_service", "UPDATE_SERVICE", "RUNNING"),
            ("delete_service", "DELETE_SERVICE", "DELETED"),
        ],
    )
    def test_a_running_service(self, cloud: "Cloud", call: str, operation: str, result: str) -> None:
        arn = cloud.service()
        getattr(cloud.apprunner, call)(ServiceArn=arn)
        assert (cloud.status(arn), cloud.last_operation(arn)) == (
            "OPERATION_IN_PROGRESS",
            (operation, "IN_PROGRESS"),
        )
        cloud.wait()
        assert (cloud.status(arn), cloud.last_operation(arn)) == (result, (operation, "SUCCEEDED"))

    @pytest.mark.parametrize(
        ("call", "result"), [("resume_service", "RUNNING"), ("update_service", "PAUSED"), ("delete_service", "DELETED")]
    )
    def test_a_paused_service(self, cloud: "Cloud", call: str, result: str) -> None:
        arn = cloud.service()
        cloud.apprunner.pause_service(ServiceArn=arn)
        cloud.wait()
        getattr(cloud.apprunner, call)(ServiceArn=arn)
        cloud.wait()
        assert cloud.status(arn) == result

    @pytest.mark.parametrize(
        ("call", "code"),
        [
            ("update_service", "InvalidStateException"),
            ("pause_service", "InvalidStateException"),
            ("resume_service", "InvalidStateException"),
            ("delete_service", "InvalidStateException"),
            ("start_deployment", "InvalidRequestException"),
        ],
    )
    def test_nothing_else_begins_while_an_operation_is_in_progress(self, cloud: "Cloud", call: str, code: str) -> None:
        arn = cloud.service(wait=False)
        given, message = cloud.refusal(lambda: getattr(cloud.apprunner, call)(ServiceArn=arn))
        assert (given, message.split("; ")[0]) == (code, f"The service {arn} is in OPERATION_IN_PROGRESS")
        assert len(cloud.apprunner.list_operations(ServiceArn=arn)["OperationSummaryList"]) == 1

    def test_a_deleted_service_is_described_and_not_listed(self, cloud: "Cloud") -> None:
        arn = cloud.service()
        cloud.apprunner.delete_service(ServiceArn=arn)
        assert [each["ServiceArn"] for each in cloud.apprunner.list_services()["ServiceSummaryList"]] == [arn]
        cloud.wait()
        assert cloud.apprunner.list_services()["ServiceSummaryList"] == []
        described = cloud.apprunner.describe_service(ServiceArn=arn)["Service"]
        assert (described["Status"], described["DeletedAt"]) == ("DELETED", EPOCH + timedelta(seconds=240))

    def test_operations_are_listed_the_last_one_first(self, cloud: "Cloud") -> None:
        arn = cloud.service()
        for call in (cloud.apprunner.pause_service, cloud.apprunner.resume_service):
            call(ServiceArn=arn)
            cloud.wait()
        listed = cloud.apprunner.list_operations(ServiceArn=arn)["OperationSummaryList"]
        assert [each["Type"] for each in listed] == ["RESUME_SERVICE", "PAUSE_SERVICE", "CREATE_SERVICE"]


class TestUpdate:
    def test_what_the_request_leaves_out_stays(self, cloud: "Cloud") -> None:
        arn = cloud.service(connector=cloud.connector())
        before = cloud.apprunner.describe_service(ServiceArn=arn)["Service"]
        cloud.apprunner.update_service(
            ServiceArn=arn, NetworkConfiguration={"IngressConfiguration": {"IsPubliclyAccessible": False}}
        )
        cloud.wait()
        after = cloud.apprunner.describe_service(ServiceArn=arn)["Service"]
        assert after["NetworkConfiguration"] == {
            **before["NetworkConfiguration"],
            "IngressConfiguration": {"IsPubliclyAccessible": False},
        }
        assert after["SourceConfiguration"] == before["SourceConfiguration"]

    def test_an_update_may_succeed_and_leave_the_network_as_it_was(self, cloud: "Cloud") -> None:
        arn = cloud.service("orders-front", cloud.connector())
        other = cloud.service("billing", cloud.connector("billing"))
        before = cloud.apprunner.describe_service(ServiceArn=arn)["Service"]["NetworkConfiguration"]
        cloud.aws.settings.updates_without_effect = ("orders-*",)
        for each in (arn, other):
            cloud.apprunner.update_service(
                ServiceArn=each,
                NetworkConfiguration={"EgressConfiguration": {"EgressType": "DEFAULT"}},
                InstanceConfiguration={"Cpu": "2048"},
            )
        cloud.wait()
        after, changed = (cloud.apprunner.describe_service(ServiceArn=each)["Service"] for each in (arn, other))
        assert cloud.last_operation(arn) == ("UPDATE_SERVICE", "SUCCEEDED")
        assert (after["NetworkConfiguration"], after["InstanceConfiguration"]["Cpu"]) == (before, "2048")
        assert changed["NetworkConfiguration"]["EgressConfiguration"] == {"EgressType": "DEFAULT"}

    def test_a_service_cannot_switch_from_image_to_code(self, cloud: "Cloud") -> None:
        arn = cloud.service()
        source: Any = {
            "CodeRepository": {
                "RepositoryUrl": "https://github.com/example/orders",
                "SourceCodeVersion": {"Type": "BRANCH", "Value": "main"},
            }
        }
        assert cloud.refusal(lambda: cloud.apprunner.update_service(ServiceArn=arn, SourceConfiguration=source)) == (
            "InvalidRequestException",
            "A service cannot switch between code and image sources.",
        )


class TestEvents:
    """App Runner's own events on EventBridge: their fields in lower camel case, as they are today."""

    def test_an_update_tells_its_start_and_its_end(self, cloud: "Cloud") -> None:
        arn = cloud.service()
        cloud.aws.events.clear()
        cloud.apprunner.update_service(ServiceArn=arn)
        cloud.wait()
        own = [event for event in cloud.aws.events if event["detail-type"] != "AWS API Call via CloudTrail"]
        name = {"serviceName": "orders", "serviceId": arn.split("/")[-1]}
        assert [event["detail"] for event in own] == [
            {
                "previousServiceStatus": "RUNNING",
                "currentServiceStatus": "OPERATION_IN_PROGRESS",
                **name,
                "message": "Service status is set to OPERATION_IN_PROGRESS.",
                "severity": "INFO",
            },
            {"operationStatus": "UpdateServiceStarted", **name, "message": "", "severity": "INFO"},
            {
                "operationStatus": "UpdateServiceCompletedSuccessfully",
                **name,
                "message": "Service update completed successfully.",
                "severity": "INFO",
            },
            {
                "previousServiceStatus": "OPERATION_IN_PROGRESS",
                "currentServiceStatus": "RUNNING",
                **name,
                "message": "Service status is set to RUNNING.",
                "severity": "INFO",
            },
        ]
        assert own[2] == {
            "version": "0",
            "id": own[2]["id"],
            "detail-type": "AppRunner Service Operation Status Change",
            "source": "aws.apprunner",
            "account": ACCOUNT,
            "time": "2026-11-02T09:04:00Z",
            "region": REGION,
            "resources": [arn],
            "detail": own[2]["detail"],
        }
        assert {event["detail-type"] for event in own} == {
            "AppRunner Service Operation Status Change",
            "AppRunner Service Status Change",
        }

    @pytest.mark.parametrize(
        ("call", "event"),
        [
            ("pause_service", "PauseService"),
            ("start_deployment", "Deployment"),
            ("delete_service", "DeleteService"),
        ],
    )
    def test_the_others_are_named_for_their_operation(self, cloud: "Cloud", call: str, event: str) -> None:
        arn = cloud.service()
        cloud.aws.events.clear()
        getattr(cloud.apprunner, call)(ServiceArn=arn)
        cloud.wait()
        details: list[Any] = [event["detail"] for event in cloud.aws.events]
        told = [detail["operationStatus"] for detail in details if "operationStatus" in detail]
        assert told == [f"{event}Started", f"{event}CompletedSuccessfully"]

    def test_a_listener_may_ask_app_runner_from_another_thread(self, cloud: "Cloud") -> None:
        """The guardrails read with a pool of threads, while the call that woke them is being answered."""
        seen: list[str] = []

        def listener(event: dict[str, object]) -> None:
            arns = event["resources"]
            assert isinstance(arns, list)
            for arn in arns:
                thread = Thread(target=lambda arn=arn: seen.append(cloud.status(arn)))
                thread.start()
                thread.join(timeout=5)

        cloud.aws.subscribe(listener)
        cloud.service()
        assert seen == ["OPERATION_IN_PROGRESS", "RUNNING", "RUNNING"]


def test_an_operation_of_before_a_reset_changes_nothing(cloud: "Cloud") -> None:
    cloud.service("orders", wait=False)
    cloud.backend.reset()
    cloud.aws.events.clear()
    cloud.wait()
    assert cloud.aws.events == []
    assert cloud.apprunner.list_services()["ServiceSummaryList"] == []
