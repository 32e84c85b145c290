"""Calls that AWS refuses or denies: the answer, and the record that says so."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.emulator.conftest import Cloud, Network

REQUESTS = "com.amazonaws.us-east-1.apprunner.requests"
USER = "arn:aws:iam::123456789012:user/operations"


def record(cloud: "Cloud", call: Callable[[], object]) -> dict[str, Any]:
    """What is recorded of a call that fails."""
    assert cloud.network.vpc  # it is made when it is first asked for
    cloud.aws.events.clear()
    with pytest.raises(ClientError):
        call()
    [event] = cloud.aws.events
    detail: Any = event["detail"]
    names = ("eventName", "errorCode", "errorMessage", "requestParameters", "responseElements")
    return {name: detail[name] for name in names}


def endpoint(cloud: "Cloud", *subnets: str, **differs: Any) -> str:
    made = cloud.ec2.create_vpc_endpoint(
        VpcId=cloud.network.vpc,
        ServiceName=REQUESTS,
        VpcEndpointType="Interface",
        SubnetIds=subnets,
        SecurityGroupIds=[cloud.network.group],
        **differs,
    )
    return made["VpcEndpoint"]["VpcEndpointId"]


class TestConnectors:
    def request(self, network: "Network", name: str = "orders") -> dict[str, Any]:
        return {"VpcConnectorName": name, "Subnets": network.private, "SecurityGroups": [network.group]}

    def test_the_groups_of_another_one(self, cloud: "Cloud") -> None:
        cloud.aws.settings.refuse_same_groups = True
        cloud.connector("orders")
        request = self.request(cloud.network, "payments")
        assert record(cloud, lambda: cloud.apprunner.create_vpc_connector(**request)) == {
            "eventName": "CreateVpcConnector",
            "errorCode": "InvalidRequestException",
            "errorMessage": "The security groups combination provided in the request already exists on existing vpc"
            " connector",
            "requestParameters": {
                "vpcConnectorName": "payments",
                "subnets": cloud.network.private,
                "securityGroups": [cloud.network.group],
            },
            "responseElements": None,
        }

    def test_the_quota(self, cloud: "Cloud") -> None:
        cloud.aws.settings.quotas["connectors"] = 1
        cloud.connector("orders")
        request = self.request(cloud.network, "payments")
        refused = record(cloud, lambda: cloud.apprunner.create_vpc_connector(**request))
        assert (refused["errorCode"], refused["errorMessage"], refused["responseElements"]) == (
            "ServiceQuotaExceededException",
            "The quota of VPC connectors is reached: 1 of 1.",
            None,
        )

    def test_one_that_two_services_use(self, cloud: "Cloud") -> None:
        arn = cloud.connector()
        cloud.service("orders", arn)
        cloud.service("payments", arn)
        assert record(cloud, lambda: cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn)) == {
            "eventName": "DeleteVpcConnector",
            "errorCode": "InvalidRequestException",
            "errorMessage": f"Provided VPC connector arn is being used by other services. ARN: {arn}",
            "requestParameters": {"vpcConnectorArn": arn},
            "responseElements": None,
        }


class TestServices:
    def test_one_with_an_available_ingress_connection(self, cloud: "Cloud") -> None:
        arn = cloud.service(public=False)
        made = cloud.apprunner.create_vpc_ingress_connection(
            ServiceArn=arn,
            VpcIngressConnectionName="orders",
            IngressVpcConfiguration={
                "VpcId": cloud.network.vpc,
                "VpcEndpointId": endpoint(cloud, cloud.network.private[0]),
            },
        )
        cloud.wait()
        ingress = made["VpcIngressConnection"]["VpcIngressConnectionArn"]
        assert record(cloud, lambda: cloud.apprunner.delete_service(ServiceArn=arn)) == {
            "eventName": "DeleteService",
            "errorCode": "InvalidStateException",
            "errorMessage": "You cannot delete a Service while it has VpcIngressConnections with a status of AVAILABLE."
            f" Service Arn: {arn} VpcIngressConnection Arn: {ingress}",
            "requestParameters": {"serviceArn": arn},
            "responseElements": None,
        }

    def test_an_operation_that_fails_for_a_zone_names_subnet_and_zone(self, cloud: "Cloud") -> None:
        cloud.backend.unsupported_zone_ids = {"use1-az4"}
        subnet, zone = cloud.network.private[2], "Availability Zone use1-az4 (us-east-1d)"
        cloud.service(connector=cloud.connector())
        ended: Any = next(
            event["detail"]
            for event in cloud.aws.events
            if event["detail-type"] == "AppRunner Service Operation Status Change"
            and "Started" not in str(event["detail"])
        )
        assert (ended["operationStatus"], ended["severity"], ended["message"]) == (
            "CreateServiceFailed",
            "ERROR",
            f"Service creation failed: subnet {subnet} is in {zone}, which App Runner does not support.",
        )

    @pytest.mark.parametrize(
        ("operation", "request_members"),
        [
            ("create_service", {"ServiceName": "orders", "SourceConfiguration": {}}),
            ("update_service", {"ServiceArn": "SERVICE", "SourceConfiguration": {}}),
            (
                "create_vpc_ingress_connection",
                {"ServiceArn": "SERVICE", "VpcIngressConnectionName": "orders", "IngressVpcConfiguration": {}},
            ),
            ("delete_vpc_ingress_connection", {"VpcIngressConnectionArn": "SERVICE"}),
        ],
    )
    def test_every_other_call_that_is_explained_is_recorded_when_it_is_refused(
        self, cloud: "Cloud", operation: str, request_members: Mapping[str, Any]
    ) -> None:
        arn = cloud.service()
        request = {name: arn if value == "SERVICE" else value for name, value in request_members.items()}
        refused = record(cloud, lambda: getattr(cloud.apprunner, operation)(**request))
        assert refused["eventName"] == "".join(map(str.capitalize, operation.split("_")))
        assert (bool(refused["errorCode"]), bool(refused["errorMessage"]), refused["responseElements"]) == (
            True,
            True,
            None,
        )


class TestEndpoints:
    def message(self, cloud: "Cloud", *subnets: str) -> tuple[str, str, str]:
        refused = record(cloud, lambda: endpoint(cloud, *subnets))
        assert refused["responseElements"] is None
        request = refused["requestParameters"]["CreateVpcEndpointRequest"]
        assert (request["VpcId"], request["ServiceName"]) == (cloud.network.vpc, REQUESTS)
        return refused["eventName"], refused["errorCode"], refused["errorMessage"]

    def test_private_dns_of_another_one(self, cloud: "Cloud") -> None:
        endpoint(cloud, cloud.network.private[0])
        domain = f"requests.apprunner.us-east-1.amazonaws.com in the VPC {cloud.network.vpc}"
        assert self.message(cloud, cloud.network.private[1]) == (
            "CreateVpcEndpoint",
            "Client.InvalidParameter",
            f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {domain}",
        )

    def test_a_zone_that_the_service_lacks(self, cloud: "Cloud") -> None:
        cloud.aws.settings.endpoint_unsupported_zone_ids = ("use1-az1",)
        subnet = cloud.network.private[0]
        assert self.message(cloud, subnet) == (
            "CreateVpcEndpoint",
            "Client.InvalidParameter",
            f"The VPC endpoint service {REQUESTS} does not support the availability zone of the subnet: {subnet}.",
        )

    def test_an_unknown_subnet(self, cloud: "Cloud") -> None:
        assert self.message(cloud, "subnet-0123456789abcdef0") == (
            "CreateVpcEndpoint",
            "Client.InvalidSubnetID.NotFound",
            "The subnet ID 'subnet-0123456789abcdef0' does not exist",
        )


class TestDenials:
    def message(self, action: str) -> str:
        return (
            f"User: {USER} is not authorized to perform: {action} on resource: *"
            f" because no identity-based policy allows the {action} action"
        )

    def test_a_denied_call_changes_nothing_and_is_recorded(self, cloud: "Cloud") -> None:
        request = {"VpcConnectorName": "orders", "Subnets": cloud.network.private}
        with cloud.aws.deny("apprunner:CreateVpcConnector"):
            refused = record(cloud, lambda: cloud.apprunner.create_vpc_connector(**request))  # type: ignore[arg-type]  # as they are
            assert cloud.apprunner.list_vpc_connectors()["VpcConnectors"] == []
        assert refused == {
            "eventName": "CreateVpcConnector",
            "errorCode": "AccessDenied",
            "errorMessage": self.message("apprunner:CreateVpcConnector"),
            "requestParameters": {"vpcConnectorName": "orders", "subnets": cloud.network.private},
            "responseElements": None,
        }
        cloud.connector("orders")

    def test_the_code_in_the_record_can_be_chosen(self, cloud: "Cloud") -> None:
        with cloud.aws.deny("apprunner:*", recorded_as="AccessDeniedException"):
            refused = record(cloud, lambda: cloud.apprunner.delete_vpc_connector(VpcConnectorArn="arn"))
        assert (refused["errorCode"], cloud.aws.settings.denied_as) == ("AccessDeniedException", "AccessDenied")

    def test_ec2_has_a_code_of_its_own(self, cloud: "Cloud") -> None:
        with cloud.aws.deny("ec2:CreateVpcEndpoint"):
            refused = record(cloud, lambda: endpoint(cloud, cloud.network.private[0]))
        assert (refused["errorCode"], refused["errorMessage"], refused["responseElements"]) == (
            "Client.UnauthorizedOperation",
            self.message("ec2:CreateVpcEndpoint"),
            None,
        )

    @pytest.mark.parametrize(
        ("service", "method", "action", "answered"),
        [
            ("apprunner", "list_services", "apprunner:ListServices", ("AccessDeniedException", 400)),
            ("cloudwatch", "list_metrics", "cloudwatch:ListMetrics", ("AccessDeniedException", 403)),
            ("dynamodb", "list_tables", "dynamodb:ListTables", ("AccessDeniedException", 400)),
            ("ec2", "describe_subnets", "ec2:DescribeSubnets", ("UnauthorizedOperation", 403)),
            ("elbv2", "describe_rules", "elasticloadbalancing:DescribeRules", ("AccessDenied", 403)),
            ("events", "list_rules", "events:ListRules", ("AccessDeniedException", 400)),
            ("resourcegroupstaggingapi", "get_resources", "tag:GetResources", ("AccessDeniedException", 400)),
            ("securityhub", "get_findings", "securityhub:GetFindings", ("AccessDeniedException", 403)),
            ("sns", "list_topics", "sns:ListTopics", ("AuthorizationError", 403)),
        ],
    )
    def test_reads_are_denied_in_the_form_of_each_service_and_not_recorded(
        self, cloud: "Cloud", service: str, method: str, action: str, answered: tuple[str, int]
    ) -> None:
        make: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test").client
        client = make(service, region_name="us-east-1")
        prefix, _, name = action.partition(":")
        with cloud.aws.deny(f"{prefix}:{name[:4]}*"), pytest.raises(ClientError) as denied:
            getattr(client, method)()
        answer = denied.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == answered
        assert (answer["Error"]["Message"], cloud.aws.events) == (self.message(action), [])

    @pytest.mark.parametrize(
        ("denied", "answered"),
        [
            ("apigateway:GET", {"GetRestApis": False, "GetVpcLinks": False, "GetApis": False, "CreateRestApi": True}),
            (
                "apigateway:GetVpcLinks",
                {"GetRestApis": True, "GetVpcLinks": False, "GetApis": True, "CreateRestApi": True},
            ),
            ("apigateway:POST", {"GetRestApis": True, "GetVpcLinks": True, "GetApis": True, "CreateRestApi": False}),
        ],
    )
    def test_the_actions_of_api_gateway_are_methods(
        self, cloud: "Cloud", denied: str, answered: Mapping[str, bool]
    ) -> None:
        rest, http = boto3.client("apigateway", "us-east-1"), boto3.client("apigatewayv2", "us-east-1")
        calls: Mapping[str, Callable[[], object]] = {
            "GetRestApis": rest.get_rest_apis,
            "GetVpcLinks": rest.get_vpc_links,
            "GetApis": http.get_apis,
            "CreateRestApi": lambda: rest.create_rest_api(name="orders"),
        }
        refused = {}
        with cloud.aws.deny(denied):
            for name, call in calls.items():
                try:
                    call()
                except ClientError as error:
                    answer = error.response
                    refused[name] = answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
        assert refused == {name: ("AccessDeniedException", 403) for name, allowed in answered.items() if not allowed}

    def test_the_caller_is_named(self, cloud: "Cloud") -> None:
        with cloud.aws.deny("apprunner:ListServices"), cloud.aws.caller("ci-role"):
            _, message = cloud.refusal(cloud.apprunner.list_services)
        assert message.startswith("User: arn:aws:sts::123456789012:assumed-role/deploy-pipeline/ci-run-48213 is not ")
