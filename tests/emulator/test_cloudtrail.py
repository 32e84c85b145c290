"""The events that the emulator makes of calls, compared whole with the shapes in aws-facts 1, 4.1 and 6."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import boto3
import botocore
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.moto_api._internal import mock_random
from moto.server import ThreadedMotoServer

from emulator import cloudtrail, emulate
from emulator.clock import CLOCK

ACCOUNT = "123456789012"
REGION = "us-east-1"
AGENT = f"tests Botocore/{botocore.__version__}"
NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
TIME = "2026-11-02T09:00:00Z"
SESSION_START = "2026-11-02T08:40:00Z"

IAM_USER = {
    "type": "IAMUser",
    "principalId": "AIDAEXAMPLEUSER000001",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/operations",
    "accountId": ACCOUNT,
    "accessKeyId": "AKIAEXAMPLEUSER00001",
    "userName": "operations",
}


@cache
def client(
    service: str, *, region: str = REGION, endpoint: str | None = None, caller: str = "", account: str = ""
) -> Any:
    """A client of the SDK, made once; `caller` and `account` go into the emulator's and moto's headers."""
    made: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing").client(
        service,  # type: ignore[call-overload]  # any service
        region_name=region,
        endpoint_url=endpoint,
        config=Config(user_agent="tests"),
    )
    headers = {"x-emulator-caller": caller, "x-moto-account-id": account}

    def add_headers(request: AWSRequest, **_: object) -> None:
        for name, value in headers.items():
            if value:
                request.headers[name] = value

    made.meta.events.register("before-sign.*.*", add_headers)
    return made


@dataclass(kw_only=True)
class Aws:
    """The calls of a test and the events that they made."""

    events: list[Any]

    def client(self, service: str) -> Any:
        return client(service)

    def event(self) -> dict[str, Any]:
        """The one event since the last look."""
        event: dict[str, Any]
        (event,) = self.events
        self.events.clear()
        return event


@pytest.fixture
def aws() -> Iterator[Aws]:
    with emulate() as emulated:
        yield Aws(events=emulated.events)


@dataclass(kw_only=True)
class Vpc:
    id: str
    subnets: list[str]
    group: str
    table: str


@pytest.fixture
def vpc(aws: Aws) -> Vpc:
    ec2 = aws.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("abc")
    ]
    made = Vpc(
        id=vpc_id,
        subnets=[subnet["Subnet"]["SubnetId"] for subnet in subnets],
        group=ec2.create_security_group(GroupName="endpoint", Description="callers", VpcId=vpc_id)["GroupId"],
        table=ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"],
    )
    aws.events.clear()
    return made


def expected(event: dict[str, Any], *, source: str, name: str, region: str = REGION, **differs: Any) -> dict[str, Any]:
    """The whole event of a call by the default caller; ids that nobody can foresee are taken from `event`, once they
    are seen to be UUIDs. A field that is ... is to be absent."""
    detail = event["detail"]
    for made_up in (event["id"], detail["eventID"], detail["requestID"]):
        assert UUID(made_up).version == 4
    # Powertools, once imported, adds itself to the agent of every client in the process.
    assert "userAgent" in differs or detail["userAgent"].startswith(AGENT)
    record = {
        "eventVersion": "1.11",
        "userIdentity": IAM_USER,
        "eventTime": TIME,
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "192.0.2.44",
        "userAgent": detail["userAgent"],
        "requestID": detail["requestID"],
        "eventID": detail["eventID"],
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{source}.{region}.amazonaws.com",
        },
        **differs,
    }
    return {
        "version": "0",
        "id": event["id"],
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source}",
        "account": record["recipientAccountId"],
        "time": TIME,
        "region": region,
        "resources": [],
        "detail": {field: value for field, value in record.items() if value is not ...},
    }


class TestEndpoints:
    """The calls that are XML turned into JSON (aws-facts 4.1)."""

    def create(self, aws: Aws, vpc: Vpc, subnets: list[str], **extra: Any) -> dict[str, Any]:
        made: dict[str, Any] = aws.client("ec2").create_vpc_endpoint(
            VpcId=vpc.id,
            ServiceName=f"com.amazonaws.{REGION}.apprunner.requests",
            VpcEndpointType="Interface",
            SubnetIds=subnets,
            SecurityGroupIds=[vpc.group],
            PrivateDnsEnabled=False,
            **extra,
        )
        return made

    def test_several_subnets_are_a_list_and_one_security_group_is_an_object(self, aws: Aws, vpc: Vpc) -> None:
        tags = [{"Key": "Name", "Value": "orders"}, {"Key": "cost-center", "Value": "4711"}]
        answer = self.create(
            aws, vpc, vpc.subnets[:2], TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": tags}]
        )
        endpoint = answer["VpcEndpoint"]
        event = aws.event()
        body = event["detail"]["responseElements"]["CreateVpcEndpointResponse"]["vpcEndpoint"]
        request = {
            "VpcId": vpc.id,
            "ServiceName": f"com.amazonaws.{REGION}.apprunner.requests",
            "VpcEndpointType": "Interface",
            "SubnetId": [{"tag": 1, "content": vpc.subnets[0]}, {"tag": 2, "content": vpc.subnets[1]}],
            "SecurityGroupId": {"tag": 1, "content": vpc.group},
            "PrivateDnsEnabled": False,
            "TagSpecification": {
                "tag": 1,
                "ResourceType": "vpc-endpoint",
                "Tag": [
                    {"tag": 1, "Key": "Name", "Value": "orders"},
                    {"tag": 2, "Key": "cost-center", "Value": 4711},
                ],
            },
        }
        assert event == expected(
            event,
            source="ec2",
            name="CreateVpcEndpoint",
            requestParameters={"CreateVpcEndpointRequest": request},
            responseElements={
                "CreateVpcEndpointResponse": {
                    "xmlns": NAMESPACE,
                    "requestId": answer["ResponseMetadata"]["RequestId"],
                    "vpcEndpoint": body,
                }
            },
        )
        assert event["detail"]["requestID"] == answer["ResponseMetadata"]["RequestId"]
        assert body["vpcEndpointId"] == endpoint["VpcEndpointId"]
        assert body["ownerId"] == int(ACCOUNT)
        assert body["privateDnsEnabled"] is False
        assert body["routeTableIdSet"] == ""
        assert body["subnetIdSet"] == {"item": vpc.subnets[:2]}
        assert body["networkInterfaceIdSet"] == {"item": endpoint["NetworkInterfaceIds"]}
        assert body["tagSet"] == {
            "item": [{"key": "Name", "value": "orders"}, {"key": "cost-center", "value": 4711}],
        }

    def test_one_subnet_and_one_tag_are_objects(self, aws: Aws, vpc: Vpc) -> None:
        tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "orders"}]}]
        endpoint = self.create(aws, vpc, vpc.subnets[:1], TagSpecifications=tags)["VpcEndpoint"]
        detail = aws.event()["detail"]
        request = detail["requestParameters"]["CreateVpcEndpointRequest"]
        body = detail["responseElements"]["CreateVpcEndpointResponse"]["vpcEndpoint"]
        assert request["SubnetId"] == {"tag": 1, "content": vpc.subnets[0]}
        assert request["TagSpecification"]["Tag"] == {"tag": 1, "Key": "Name", "Value": "orders"}
        assert body["subnetIdSet"] == {"item": vpc.subnets[0]}
        assert body["networkInterfaceIdSet"] == {"item": endpoint["NetworkInterfaceIds"][0]}
        assert body["tagSet"] == {"item": {"key": "Name", "value": "orders"}}

    def test_a_modification_answers_only_true(self, aws: Aws, vpc: Vpc) -> None:
        endpoint = self.create(aws, vpc, vpc.subnets[:1])["VpcEndpoint"]["VpcEndpointId"]
        aws.events.clear()
        answer = aws.client("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=[vpc.subnets[1]])
        event = aws.event()
        assert event == expected(
            event,
            source="ec2",
            name="ModifyVpcEndpoint",
            requestParameters={
                "ModifyVpcEndpointRequest": {
                    "VpcEndpointId": endpoint,
                    "AddSubnetId": {"tag": 1, "content": vpc.subnets[1]},
                }
            },
            responseElements={
                "ModifyVpcEndpointResponse": {
                    "xmlns": NAMESPACE,
                    "requestId": answer["ResponseMetadata"]["RequestId"],
                    "return": True,
                }
            },
        )

    def test_a_deletion_that_fails_for_none_has_an_empty_string(self, aws: Aws, vpc: Vpc) -> None:
        endpoints = [self.create(aws, vpc, [subnet])["VpcEndpoint"]["VpcEndpointId"] for subnet in vpc.subnets[:2]]
        aws.events.clear()
        answer = aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=endpoints)
        event = aws.event()
        assert event == expected(
            event,
            source="ec2",
            name="DeleteVpcEndpoints",
            requestParameters={
                "DeleteVpcEndpointsRequest": {
                    "VpcEndpointId": [{"tag": 1, "content": endpoints[0]}, {"tag": 2, "content": endpoints[1]}]
                }
            },
            responseElements={
                "DeleteVpcEndpointsResponse": {
                    "xmlns": NAMESPACE,
                    "requestId": answer["ResponseMetadata"]["RequestId"],
                    "unsuccessful": "",
                }
            },
        )

    def test_a_deletion_that_fails_for_one_names_it_and_is_no_error(self, aws: Aws, vpc: Vpc) -> None:
        endpoint = self.create(aws, vpc, vpc.subnets[:1])["VpcEndpoint"]["VpcEndpointId"]
        aws.events.clear()
        gone = "vpce-0123456789abcdef0"
        answer = aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint, gone])
        detail = aws.event()["detail"]
        error = answer["Unsuccessful"][0]["Error"]
        assert "errorCode" not in detail
        assert detail["responseElements"]["DeleteVpcEndpointsResponse"]["unsuccessful"] == {
            "item": {"resourceId": gone, "error": {"code": error["Code"], "message": error["Message"]}}
        }

    def test_nat_gateways_are_younger_than_endpoints_and_look_alike(self, aws: Aws, vpc: Vpc) -> None:
        answer = aws.client("ec2").create_nat_gateway(
            SubnetId=vpc.subnets[0], ConnectivityType="private", ClientToken="once"
        )
        event = aws.event()
        body = event["detail"]["responseElements"]["CreateNatGatewayResponse"]["natGateway"]
        assert event == expected(
            event,
            source="ec2",
            name="CreateNatGateway",
            requestParameters={
                "CreateNatGatewayRequest": {
                    "SubnetId": vpc.subnets[0],
                    "ConnectivityType": "private",
                    "ClientToken": "once",
                }
            },
            responseElements={
                "CreateNatGatewayResponse": {
                    "xmlns": NAMESPACE,
                    "requestId": answer["ResponseMetadata"]["RequestId"],
                    "natGateway": body,
                }
            },
        )
        assert body["natGatewayId"] == answer["NatGateway"]["NatGatewayId"]

    def test_a_time_stays_a_text(self, aws: Aws) -> None:
        config = {
            "AllocationStrategy": "lowestPrice",
            "IamFleetRole": "role",
            "LaunchSpecifications": [{"ImageId": "ami-0", "InstanceType": "t3.nano"}],
            "TargetCapacity": 1,
            "ValidUntil": datetime(2026, 12, 1, 8, 30, tzinfo=UTC),
        }
        aws.client("ec2").request_spot_fleet(SpotFleetRequestConfig=config)
        request = aws.event()["detail"]["requestParameters"]["RequestSpotFleetRequest"]
        assert request == {
            "SpotFleetRequestConfig": {
                "AllocationStrategy": "lowestPrice",
                "IamFleetRole": "role",
                "LaunchSpecifications": {"tag": 1, "ImageId": "ami-0", "InstanceType": "t3.nano"},
                "TargetCapacity": 1,
                "ValidUntil": "2026-12-01T08:30:00.000Z",
            }
        }


class TestAppRunner:
    """First letters lowered, what is secret hidden (aws-facts 1.1 to 1.4)."""

    @pytest.fixture
    def connector(self, aws: Aws, vpc: Vpc) -> dict[str, Any]:
        made: dict[str, Any] = aws.client("apprunner").create_vpc_connector(
            VpcConnectorName="orders", Subnets=vpc.subnets, SecurityGroups=[vpc.group]
        )["VpcConnector"]
        aws.events.clear()
        return made

    def create_service(self, aws: Aws, **extra: Any) -> dict[str, Any]:
        made: dict[str, Any] = aws.client("apprunner").create_service(
            ServiceName="orders",
            SourceConfiguration={
                "ImageRepository": {
                    "ImageIdentifier": "public.ecr.aws/nginx/nginx:stable",
                    "ImageRepositoryType": "ECR_PUBLIC",
                    "ImageConfiguration": {
                        "Port": "8080",
                        "StartCommand": "serve --token abc",
                        "RuntimeEnvironmentVariables": {"TOKEN": "abc"},
                        "RuntimeEnvironmentSecrets": {"KEY": "arn:aws:ssm:us-east-1:123456789012:parameter/key"},
                    },
                },
                "AutoDeploymentsEnabled": False,
            },
            **extra,
        )
        return made

    def test_a_connector(self, aws: Aws, vpc: Vpc) -> None:
        answer = aws.client("apprunner").create_vpc_connector(
            VpcConnectorName="orders",
            Subnets=vpc.subnets,
            SecurityGroups=[vpc.group],
            Tags=[{"Key": "team", "Value": "orders"}],
        )
        event = aws.event()
        arn = answer["VpcConnector"]["VpcConnectorArn"]
        assert event == expected(
            event,
            source="apprunner",
            name="CreateVpcConnector",
            requestParameters={
                "vpcConnectorName": "orders",
                "subnets": vpc.subnets,
                "securityGroups": [vpc.group],
                "tags": [{"key": "team", "value": "orders"}],
            },
            responseElements={
                "vpcConnector": {
                    "vpcConnectorName": "orders",
                    "vpcConnectorArn": arn,
                    "vpcConnectorRevision": 1,
                    "subnets": vpc.subnets,
                    "securityGroups": [vpc.group],
                    "status": "ACTIVE",
                    "createdAt": "Nov 2, 2026 9:00:00 AM",
                }
            },
        )
        assert event["detail"]["requestID"] == answer["ResponseMetadata"]["RequestId"]

    def test_the_commands_and_the_environment_of_a_service_are_hidden(
        self, aws: Aws, connector: dict[str, Any]
    ) -> None:
        egress = {"EgressType": "VPC", "VpcConnectorArn": connector["VpcConnectorArn"]}
        answer = self.create_service(aws, NetworkConfiguration={"EgressConfiguration": egress})
        event = next(event for event in aws.events if event["detail-type"] == "AWS API Call via CloudTrail")
        source = {
            "imageRepository": {
                "imageIdentifier": "public.ecr.aws/nginx/nginx:stable",
                "imageRepositoryType": "ECR_PUBLIC",
                "imageConfiguration": {
                    "port": "8080",
                    "startCommand": "HIDDEN_DUE_TO_SECURITY_REASONS",
                    "runtimeEnvironmentVariables": "HIDDEN_DUE_TO_SECURITY_REASONS",
                    "runtimeEnvironmentSecrets": "HIDDEN_DUE_TO_SECURITY_REASONS",
                },
            },
            "autoDeploymentsEnabled": False,
        }
        scaling = answer["Service"]["AutoScalingConfigurationSummary"]
        assert event == expected(
            event,
            source="apprunner",
            name="CreateService",
            requestParameters={
                "serviceName": "orders",
                "sourceConfiguration": source,
                "networkConfiguration": {
                    "egressConfiguration": {"egressType": "VPC", "vpcConnectorArn": connector["VpcConnectorArn"]}
                },
            },
            responseElements={
                "service": {
                    "serviceName": "orders",
                    "serviceId": answer["Service"]["ServiceId"],
                    "serviceArn": answer["Service"]["ServiceArn"],
                    "serviceUrl": answer["Service"]["ServiceUrl"],
                    "createdAt": "Nov 2, 2026 9:00:00 AM",
                    "updatedAt": "Nov 2, 2026 9:00:00 AM",
                    "status": "OPERATION_IN_PROGRESS",
                    "sourceConfiguration": source,
                    "instanceConfiguration": {"cpu": "1024", "memory": "2048"},
                    "healthCheckConfiguration": {
                        "protocol": "TCP",
                        "path": "/",
                        "interval": 5,
                        "timeout": 2,
                        "healthyThreshold": 1,
                        "unhealthyThreshold": 5,
                    },
                    "autoScalingConfigurationSummary": {
                        "autoScalingConfigurationArn": scaling["AutoScalingConfigurationArn"],
                        "autoScalingConfigurationName": "DefaultConfiguration",
                        "autoScalingConfigurationRevision": 1,
                    },
                    "networkConfiguration": {
                        "egressConfiguration": {"egressType": "VPC", "vpcConnectorArn": connector["VpcConnectorArn"]},
                        "ingressConfiguration": {"isPubliclyAccessible": True},
                        "ipAddressType": "IPV4",
                    },
                    "observabilityConfiguration": {"observabilityEnabled": False},
                },
                "operationId": answer["OperationId"],
            },
        )
        assert "abc" not in json.dumps(event)

    def test_a_connector_in_use_is_not_deleted_and_the_record_says_why(
        self, aws: Aws, connector: dict[str, Any]
    ) -> None:
        egress = {"EgressType": "VPC", "VpcConnectorArn": connector["VpcConnectorArn"]}
        self.create_service(aws, NetworkConfiguration={"EgressConfiguration": egress})
        aws.events.clear()
        with pytest.raises(ClientError) as refused:
            aws.client("apprunner").delete_vpc_connector(VpcConnectorArn=connector["VpcConnectorArn"])
        event = aws.event()
        assert event == expected(
            event,
            source="apprunner",
            name="DeleteVpcConnector",
            errorCode="InvalidRequestException",
            errorMessage=refused.value.response["Error"]["Message"],
            requestParameters={"vpcConnectorArn": connector["VpcConnectorArn"]},
            responseElements=None,
        )
        assert connector["VpcConnectorArn"] in event["detail"]["errorMessage"]

    def test_a_connector_that_is_deleted(self, aws: Aws, connector: dict[str, Any]) -> None:
        CLOCK.advance(4 * 3600)
        aws.client("apprunner").delete_vpc_connector(VpcConnectorArn=connector["VpcConnectorArn"])
        shown = aws.event()["detail"]["responseElements"]["vpcConnector"]
        assert (shown["status"], shown["deletedAt"]) == ("INACTIVE", "Nov 2, 2026 1:00:00 PM")

    def test_an_ingress_connection(self, aws: Aws, vpc: Vpc) -> None:
        """Made, pointed at another endpoint and deleted: each time its endpoint can be read from the record."""
        apprunner, ec2 = aws.client("apprunner"), aws.client("ec2")
        private = {"IngressConfiguration": {"IsPubliclyAccessible": False}}
        service = self.create_service(aws, NetworkConfiguration=private)["Service"]["ServiceArn"]
        endpoints = [
            ec2.create_vpc_endpoint(
                VpcId=vpc.id,
                ServiceName=f"com.amazonaws.{REGION}.apprunner.requests",
                VpcEndpointType="Interface",
                SubnetIds=vpc.subnets[:2],
                PrivateDnsEnabled=False,
            )["VpcEndpoint"]["VpcEndpointId"]
            for _ in range(2)
        ]
        CLOCK.advance(180)
        aws.events.clear()
        answer = apprunner.create_vpc_ingress_connection(
            VpcIngressConnectionName="orders",
            ServiceArn=service,
            IngressVpcConfiguration={"VpcId": vpc.id, "VpcEndpointId": endpoints[0]},
        )["VpcIngressConnection"]
        arn, created = answer["VpcIngressConnectionArn"], aws.event()
        CLOCK.advance(180)
        elsewhere = {"VpcId": vpc.id, "VpcEndpointId": endpoints[1]}
        apprunner.update_vpc_ingress_connection(VpcIngressConnectionArn=arn, IngressVpcConfiguration=elsewhere)
        updated = aws.event()
        CLOCK.advance(180)
        apprunner.delete_vpc_ingress_connection(VpcIngressConnectionArn=arn)
        deleted = aws.event()
        connection = {
            "vpcIngressConnectionArn": arn,
            "vpcIngressConnectionName": "orders",
            "serviceArn": service,
            "status": "PENDING_CREATION",
            "accountId": ACCOUNT,
            "domainName": answer["DomainName"],
            "ingressVpcConfiguration": {"vpcId": vpc.id, "vpcEndpointId": endpoints[0]},
            "createdAt": "Nov 2, 2026 9:03:00 AM",
        }
        moved = {"ingressVpcConfiguration": {"vpcId": vpc.id, "vpcEndpointId": endpoints[1]}}
        assert [
            (one["detail"]["eventName"], one["detail"]["requestParameters"], one["detail"]["responseElements"])
            for one in (created, updated, deleted)
        ] == [
            (
                "CreateVpcIngressConnection",
                {
                    "vpcIngressConnectionName": "orders",
                    "serviceArn": service,
                    "ingressVpcConfiguration": connection["ingressVpcConfiguration"],
                },
                {"vpcIngressConnection": connection},
            ),
            (
                "UpdateVpcIngressConnection",
                {"vpcIngressConnectionArn": arn, **moved},
                {"vpcIngressConnection": {**connection, **moved, "status": "PENDING_UPDATE"}},
            ),
            (
                "DeleteVpcIngressConnection",
                {"vpcIngressConnectionArn": arn},
                {"vpcIngressConnection": {**connection, **moved, "status": "PENDING_DELETION"}},
            ),
        ]

    def test_tagging_answers_nothing(self, aws: Aws, connector: dict[str, Any]) -> None:
        arn, apprunner = connector["VpcConnectorArn"], aws.client("apprunner")
        apprunner.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "orders"}])
        tagged = aws.event()
        apprunner.untag_resource(ResourceArn=arn, TagKeys=["team"])
        untagged = aws.event()
        assert tagged == expected(
            tagged,
            source="apprunner",
            name="TagResource",
            requestParameters={"resourceArn": arn, "tags": [{"key": "team", "value": "orders"}]},
            responseElements=None,
        )
        assert untagged == expected(
            untagged,
            source="apprunner",
            name="UntagResource",
            requestParameters={"resourceArn": arn, "tagKeys": ["team"]},
            responseElements=None,
        )


class TestOlderEc2:
    """The calls whose lists are {"items": […]}."""

    def test_a_route(self, aws: Aws, vpc: Vpc) -> None:
        ec2 = aws.client("ec2")
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(VpcId=vpc.id, InternetGatewayId=gateway)
        aws.events.clear()
        answer = ec2.create_route(RouteTableId=vpc.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        event = aws.event()
        assert event == expected(
            event,
            source="ec2",
            name="CreateRoute",
            requestParameters={
                "routeTableId": vpc.table,
                "destinationCidrBlock": "0.0.0.0/0",
                "gatewayId": gateway,
            },
            responseElements={"requestId": answer["ResponseMetadata"]["RequestId"], "_return": True},
        )

    def test_a_refused_call_names_the_fault_and_has_no_answer(self, aws: Aws, vpc: Vpc) -> None:
        with pytest.raises(ClientError) as refused:
            aws.client("ec2").create_route(
                RouteTableId="rtb-0gone", DestinationCidrBlock="0.0.0.0/0", GatewayId="igw-0"
            )
        event = aws.event()
        assert event == expected(
            event,
            source="ec2",
            name="CreateRoute",
            errorCode="Client.InvalidRouteTableID.NotFound",
            errorMessage=refused.value.response["Error"]["Message"],
            requestParameters={
                "routeTableId": "rtb-0gone",
                "destinationCidrBlock": "0.0.0.0/0",
                "gatewayId": "igw-0",
            },
            responseElements=None,
        )
        assert event["detail"]["requestID"] == refused.value.response["ResponseMetadata"]["RequestId"]

    def test_tags(self, aws: Aws, vpc: Vpc) -> None:
        answer = aws.client("ec2").create_tags(
            Resources=[vpc.table, vpc.group], Tags=[{"Key": "team", "Value": "network"}]
        )
        event = aws.event()
        assert event == expected(
            event,
            source="ec2",
            name="CreateTags",
            requestParameters={
                "resourcesSet": {"items": [{"resourceId": vpc.table}, {"resourceId": vpc.group}]},
                "tagSet": {"items": [{"key": "team", "value": "network"}]},
            },
            responseElements={"requestId": answer["ResponseMetadata"]["RequestId"], "_return": True},
        )

    def test_a_security_group_rule_shows_the_sets_that_are_empty(self, aws: Aws, vpc: Vpc) -> None:
        answer = aws.client("ec2").authorize_security_group_ingress(
            GroupId=vpc.group,
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "callers"}],
                }
            ],
        )
        event = aws.event()
        assert event == expected(
            event,
            source="ec2",
            name="AuthorizeSecurityGroupIngress",
            requestParameters={
                "groupId": vpc.group,
                "ipPermissions": {
                    "items": [
                        {
                            "ipProtocol": "tcp",
                            "fromPort": 443,
                            "toPort": 443,
                            "groups": {},
                            "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16", "description": "callers"}]},
                            "ipv6Ranges": {},
                            "prefixListIds": {},
                        }
                    ]
                },
            },
            responseElements={
                "requestId": answer["ResponseMetadata"]["RequestId"],
                "_return": True,
                "securityGroupRuleSet": {
                    "items": [
                        {
                            "securityGroupRuleId": answer["SecurityGroupRules"][0]["SecurityGroupRuleId"],
                            "groupId": vpc.group,
                            "isEgress": False,
                            "ipProtocol": "tcp",
                            "fromPort": 443,
                            "toPort": 443,
                            "cidrIpv4": "10.0.0.0/16",
                            "description": "callers",
                            "tagSet": {},
                        }
                    ]
                },
            },
        )

    def test_a_network_interface(self, aws: Aws, vpc: Vpc) -> None:
        answer = aws.client("ec2").create_network_interface(
            SubnetId=vpc.subnets[0],
            Groups=[vpc.group],
            Description="a probe",
            ClientToken="once",
            TagSpecifications=[{"ResourceType": "network-interface", "Tags": [{"Key": "Name", "Value": "probe"}]}],
        )["NetworkInterface"]
        detail = aws.event()["detail"]
        assert detail["requestParameters"] == {
            "subnetId": vpc.subnets[0],
            "description": "a probe",
            "clientToken": "once",
            "groupSet": {"items": [{"groupId": vpc.group}]},
            "privateIpAddressesSet": {},
            "tagSpecificationSet": {
                "items": [{"resourceType": "network-interface", "tags": [{"key": "Name", "value": "probe"}]}]
            },
        }
        interface = detail["responseElements"]["networkInterface"]
        assert interface["networkInterfaceId"] == answer["NetworkInterfaceId"]
        assert interface["ownerId"] == ACCOUNT
        assert interface["groupSet"] == {"items": [{"groupId": vpc.group, "groupName": "endpoint"}]}
        assert "association" not in interface

    def test_names_that_differ_from_those_of_the_api(self, aws: Aws, vpc: Vpc) -> None:
        ec2 = aws.client("ec2")
        ec2.create_security_group(GroupName="probe", Description="of a test", VpcId=vpc.id)
        group = aws.event()["detail"]
        acl = ec2.create_network_acl(VpcId=vpc.id)["NetworkAcl"]["NetworkAclId"]
        aws.events.clear()
        ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=90, Protocol="-1", RuleAction="deny", Egress=True, CidrBlock="0.0.0.0/0"
        )
        entry = aws.event()["detail"]
        ec2.modify_vpc_attribute(VpcId=vpc.id, EnableDnsHostnames={"Value": True})
        attribute = aws.event()["detail"]
        assert group["requestParameters"] == {
            "groupName": "probe",
            "groupDescription": "of a test",
            "vpcId": vpc.id,
        }
        assert group["responseElements"]["_return"] is True
        assert entry["requestParameters"] == {
            "networkAclId": acl,
            "ruleNumber": 90,
            "aclProtocol": "-1",
            "ruleAction": "deny",
            "egress": True,
            "cidrBlock": "0.0.0.0/0",
            "icmpTypeCode": {},
            "portRange": {},
        }
        assert attribute["requestParameters"] == {"vpcId": vpc.id, "enableDnsHostnames": {"value": True}}

    def test_a_time_is_a_number_of_milliseconds(self, aws: Aws) -> None:
        volume = aws.client("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=8)
        shown = aws.event()["detail"]["responseElements"]["createTime"]
        assert shown == int(volume["CreateTime"].timestamp() * 1000)

    def test_a_key_is_shown_in_base64(self, aws: Aws) -> None:
        key = b"ssh-rsa not really"
        with pytest.raises(ClientError):
            aws.client("ec2").import_key_pair(KeyName="probe", PublicKeyMaterial=key)
        assert aws.event()["detail"]["requestParameters"] == {
            "keyName": "probe",
            "publicKeyMaterial": base64.b64encode(key).decode(),
        }


class TestTargets:
    @pytest.fixture
    def group(self, aws: Aws, vpc: Vpc) -> str:
        elbv2 = aws.client("elbv2")
        made = elbv2.create_target_group(Name="orders", Protocol="TCP", Port=443, VpcId=vpc.id, TargetType="ip")
        aws.events.clear()
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        return arn

    def test_an_empty_answer_is_null_and_the_version_is_shown(self, aws: Aws, group: str) -> None:
        targets = [
            {"Id": "10.0.0.5", "Port": 443},
            {"Id": "192.168.7.9", "Port": 443, "AvailabilityZone": "all"},
        ]
        aws.client("elbv2").register_targets(TargetGroupArn=group, Targets=targets)
        event = aws.event()
        assert event == expected(
            event,
            source="elasticloadbalancing",
            name="RegisterTargets",
            apiVersion="2015-12-01",
            requestParameters={
                "targetGroupArn": group,
                "targets": [
                    {"id": "10.0.0.5", "port": 443},
                    {"id": "192.168.7.9", "port": 443, "availabilityZone": "all"},
                ],
            },
            responseElements=None,
        )

    def test_a_deregistration(self, aws: Aws, group: str) -> None:
        aws.client("elbv2").deregister_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.5", "Port": 443}])
        event = aws.event()
        assert event == expected(
            event,
            source="elasticloadbalancing",
            name="DeregisterTargets",
            apiVersion="2015-12-01",
            requestParameters={"targetGroupArn": group, "targets": [{"id": "10.0.0.5", "port": 443}]},
            responseElements=None,
        )

    def test_a_new_group_is_shown_with_its_tags_and_its_arn(self, aws: Aws, vpc: Vpc) -> None:
        tags = [{"Key": "apprunner-guardrails:endpoint", "Value": "vpce-1"}]
        made = aws.client("elbv2").create_target_group(
            Name="bound", Protocol="TCP", Port=443, VpcId=vpc.id, TargetType="ip", Tags=tags
        )["TargetGroups"][0]
        event = aws.event()
        assert event == expected(
            event,
            source="elasticloadbalancing",
            name="CreateTargetGroup",
            apiVersion="2015-12-01",
            requestParameters={
                "name": "bound",
                "protocol": "TCP",
                "port": 443,
                "vpcId": vpc.id,
                "targetType": "ip",
                "tags": [{"key": "apprunner-guardrails:endpoint", "value": "vpce-1"}],
            },
            responseElements={"targetGroups": [{f"{name[0].lower()}{name[1:]}": made[name] for name in made}]},
        )

    def test_tags_put_on_a_group_and_taken_off_it(self, aws: Aws, group: str) -> None:
        elbv2 = aws.client("elbv2")
        elbv2.add_tags(ResourceArns=[group], Tags=[{"Key": "apprunner-guardrails:endpoint", "Value": "vpce-1"}])
        added = aws.event()
        elbv2.remove_tags(ResourceArns=[group], TagKeys=["apprunner-guardrails:endpoint"])
        removed = aws.event()
        assert added == expected(
            added,
            source="elasticloadbalancing",
            name="AddTags",
            apiVersion="2015-12-01",
            requestParameters={
                "resourceArns": [group],
                "tags": [{"key": "apprunner-guardrails:endpoint", "value": "vpce-1"}],
            },
            responseElements=None,
        )
        assert removed == expected(
            removed,
            source="elasticloadbalancing",
            name="RemoveTags",
            apiVersion="2015-12-01",
            requestParameters={"resourceArns": [group], "tagKeys": ["apprunner-guardrails:endpoint"]},
            responseElements=None,
        )

    def test_a_refused_registration(self, aws: Aws, group: str) -> None:
        with pytest.raises(ClientError) as refused:
            aws.client("elbv2").register_targets(TargetGroupArn=f"{group}0", Targets=[{"Id": "10.0.0.5"}])
        event = aws.event()
        assert event == expected(
            event,
            source="elasticloadbalancing",
            name="RegisterTargets",
            apiVersion="2015-12-01",
            errorCode="TargetGroupNotFound",
            errorMessage=refused.value.response["Error"]["Message"],
            requestParameters={"targetGroupArn": f"{group}0", "targets": [{"id": "10.0.0.5"}]},
            responseElements=None,
        )


def test_a_rest_service_passes_through_the_hook_too(aws: Aws) -> None:
    gateway = aws.client("apigateway")
    api = gateway.create_rest_api(name="orders")
    created = aws.event()
    root = gateway.get_resources(restApiId=api["id"])["items"][0]["id"]
    assert aws.events == []
    gateway.put_method(restApiId=api["id"], resourceId=root, httpMethod="GET", authorizationType="NONE")
    method = aws.event()
    gateway.delete_rest_api(restApiId=api["id"])
    deleted = aws.event()
    assert created["source"] == "aws.apigateway"
    assert created["detail"]["requestParameters"] == {"createRestApiInput": {"name": "orders"}, "template": False}
    assert created["detail"]["responseElements"]["id"] == api["id"]
    assert method == expected(
        method,
        source="apigateway",
        name="PutMethod",
        requestParameters={
            "restApiId": api["id"],
            "resourceId": root,
            "httpMethod": "GET",
            "putMethodInput": {"authorizationType": "NONE"},
            "template": False,
        },
        responseElements={
            "httpMethod": "GET",
            "authorizationType": "NONE",
            "apiKeyRequired": False,
            "methodResponses": {},
        },
    )
    assert deleted["detail"]["requestParameters"] == {"restApiId": api["id"], "template": False}
    assert deleted["detail"]["responseElements"] is None


READS: dict[str, Callable[[Aws], object]] = {
    "apprunner ListVpcConnectors": lambda aws: aws.client("apprunner").list_vpc_connectors(),
    "ec2 DescribeVpcs": lambda aws: aws.client("ec2").describe_vpcs(),
    "ec2 GetManagedPrefixListEntries": lambda aws: aws.client("ec2").get_managed_prefix_list_entries(
        PrefixListId=aws.client("ec2").describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]
    ),
    "elbv2 DescribeTargetGroups": lambda aws: aws.client("elbv2").describe_target_groups(),
    "apigateway GetRestApis": lambda aws: aws.client("apigateway").get_rest_apis(),
    "sns ListTopics": lambda aws: aws.client("sns").list_topics(),
    "sts GetCallerIdentity": lambda aws: aws.client("sts").get_caller_identity(),
    "sts AssumeRole": lambda aws: aws.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/OrganizationAccountAccessRole", RoleSessionName="probe"
    ),
    "dynamodb Query": lambda aws: aws.client("dynamodb").query(
        TableName="findings",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "x"}},
    ),
    "dynamodb PutItem": lambda aws: aws.client("dynamodb").put_item(TableName="findings", Item={"pk": {"S": "x"}}),
    "sns Publish": lambda aws: aws.client("sns").publish(
        TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts", Message="x"
    ),
    "sqs SendMessage": lambda aws: aws.client("sqs").send_message(
        QueueUrl=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/alerts", MessageBody="x"
    ),
    "events PutEvents": lambda aws: aws.client("events").put_events(
        Entries=[{"Source": "mine", "DetailType": "x", "Detail": "{}"}]
    ),
    "s3 PutObject": lambda aws: aws.client("s3").put_object(Bucket="artifacts", Key="x", Body=b"x"),
}


class TestWhatIsNotRecorded:
    @pytest.fixture
    def stores(self, aws: Aws) -> list[str]:
        """A table, a topic, a queue and a bucket; the names of the calls that were recorded."""
        aws.client("dynamodb").create_table(
            TableName="findings",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        aws.client("sns").create_topic(Name="alerts")
        aws.client("sqs").create_queue(QueueName="alerts")
        aws.client("s3").create_bucket(Bucket="artifacts")
        names = [event["detail"]["eventName"] for event in aws.events]
        aws.events.clear()
        return names

    def test_reads_and_data(self, aws: Aws, stores: list[str]) -> None:
        recorded = {}
        for name, call in READS.items():
            call(aws)
            recorded[name] = list(aws.events)
            aws.events.clear()
        assert recorded == {name: [] for name in READS}

    def test_making_the_same_stores_is(self, stores: list[str]) -> None:
        assert stores == ["CreateTable", "CreateTopic", "CreateQueue"]

    def test_an_event_over_256_kilobytes_is_not_delivered(self, aws: Aws) -> None:
        def event(size: int) -> dict[str, object]:
            made = cloudtrail.envelope(
                source="mine", detail_type="size", region=REGION, account=ACCOUNT, resources=[], detail={"of": ""}
            )
            return made | {"detail": {"of": "x" * (size - len(json.dumps(made)))}}

        cloudtrail.emit(event(256 * 1024))
        cloudtrail.emit(event(256 * 1024 + 1))
        assert [len(json.dumps(event)) for event in aws.events] == [256 * 1024]

    def test_a_field_over_100_kilobytes_loses_its_content(self, aws: Aws) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [], "Id": "x" * 100 * 1024})
        arn = aws.client("sns").create_topic(Name="alerts", Attributes={"Policy": policy})["TopicArn"]
        event = aws.event()
        assert event == expected(
            event,
            source="sns",
            name="CreateTopic",
            requestParameters={"omitted": True},
            responseElements={"topicArn": arn},
        )

    def test_nothing_after_the_end_of_a_subscription(self, aws: Aws) -> None:
        seen: list[dict[str, object]] = []
        unsubscribe = cloudtrail.subscribe(seen.append)
        aws.client("sns").create_topic(Name="one")
        unsubscribe()
        unsubscribe()
        aws.client("sns").create_topic(Name="two")
        assert [event["detail"]["requestParameters"] for event in aws.events] == [{"name": "one"}, {"name": "two"}]
        assert seen == aws.events[:1]

    def test_a_call_is_recorded_once_however_often_the_hook_is_installed(self, aws: Aws) -> None:
        cloudtrail.install()
        aws.client("sns").create_topic(Name="alerts")
        assert [event["detail"]["eventName"] for event in aws.events] == ["CreateTopic"]


def role(name: str, session: str, role_id: str, key: str, path: str = "") -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": f"arn:aws:iam::{ACCOUNT}:role/{path}{name}",
                "accountId": ACCOUNT,
                "userName": name,
            },
            "attributes": {"creationDate": SESSION_START, "mfaAuthenticated": "false"},
        },
    }


def in_session(identity: dict[str, Any], **more: object) -> dict[str, Any]:
    return {**identity, "sessionContext": {**identity["sessionContext"], **more}}


BROWSER = cloudtrail.IDENTITIES["console"].user_agent
CLI = cloudtrail.IDENTITIES["cli"].user_agent
SDK = cloudtrail.IDENTITIES["ci-role"].user_agent
PIPELINE = "repo:example/orders:ref:refs/heads/main"
PIPELINE_PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SSO_ROLE = "AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789"
CALLERS: dict[str, dict[str, Any]] = {
    "iam-user": {},
    "cli": {"userAgent": cloudtrail.IDENTITIES["cli"].user_agent},
    "console": {
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLECONSOLE001",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/mara.lind",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLECONSOLE01",
            "userName": "mara.lind",
            "sessionContext": {
                "sessionIssuer": {},
                "webIdFederationData": {},
                "attributes": {"creationDate": SESSION_START, "mfaAuthenticated": "true"},
            },
        },
        "sourceIPAddress": "203.0.113.24",
        "userAgent": BROWSER,
        "sessionCredentialFromConsole": "true",
    },
    "assumed-role": {
        "userIdentity": role("NetworkEngineer", "jonas.weber", "AROAEXAMPLEENGINEER01", "ASIAXAMPLEENGINEER01"),
        "sourceIPAddress": "203.0.113.77",
        "userAgent": cloudtrail.IDENTITIES["assumed-role"].user_agent,
    },
    "sso": {
        "userIdentity": role(
            SSO_ROLE,
            "dana.ortiz@example.com",
            "AROAEXAMPLESSOADMIN01",
            "ASIAXAMPLESSOADMIN01",
            "aws-reserved/sso.amazonaws.com/",
        ),
        "sourceIPAddress": "203.0.113.130",
        "userAgent": BROWSER,
        "sessionCredentialFromConsole": "true",
    },
    "ci-role": {
        "userIdentity": role("deploy-pipeline", "ci-run-48213", "AROAEXAMPLEPIPELINE01", "ASIAXAMPLEPIPELINE01"),
        "sourceIPAddress": "198.51.100.18",
        "userAgent": cloudtrail.IDENTITIES["ci-role"].user_agent,
    },
    "cloudformation": {
        "userIdentity": {
            **role("PlatformDeploy", "jonas.weber", "AROAEXAMPLEDEPLOY0001", "ASIAXAMPLEDEPLOY0001"),
            "invokedBy": "cloudformation.amazonaws.com",
        },
        "sourceIPAddress": "cloudformation.amazonaws.com",
        "userAgent": "cloudformation.amazonaws.com",
        "tlsDetails": ...,
    },
    "terraform": {
        "userIdentity": role("terraform", "terraform-apply", "AROAEXAMPLETERRAFORM1", "ASIAXAMPLETERRAFORM1"),
        "sourceIPAddress": "198.51.100.42",
        "userAgent": cloudtrail.IDENTITIES["terraform"].user_agent,
    },
    "root": {
        "userIdentity": {
            "type": "Root",
            "principalId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:root",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLEROOT00001",
            "sessionContext": {"attributes": {"creationDate": SESSION_START, "mfaAuthenticated": "true"}},
        },
        "sourceIPAddress": "192.0.2.9",
        "userAgent": BROWSER,
        "sessionCredentialFromConsole": "true",
    },
    "service": {
        "userIdentity": {"type": "AWSService", "invokedBy": "apprunner.amazonaws.com"},
        "sourceIPAddress": "apprunner.amazonaws.com",
        "userAgent": "apprunner.amazonaws.com",
        "tlsDetails": ...,
    },
    "identity-center": {
        "userIdentity": {
            "type": "IdentityCenterUser",
            "accountId": ACCOUNT,
            "onBehalfOf": {
                "userId": "94c8e4a8-20b1-7002-9f6e-example00001",
                "identityStoreArn": f"arn:aws:identitystore::{ACCOUNT}:identitystore/d-9067example",
            },
            "credentialId": "EXAMPLEcredentialIdOfTheIdentityCenterUser",
        },
        "sourceIPAddress": "203.0.113.201",
        "userAgent": BROWSER,
    },
    "guardrails": {
        "userIdentity": role("SyncTargetsRole", "SyncTargetsFunction", "AROASYNCTARGETSROLEXX", "ASIAYNCTARGETSROLEXX"),
        "sourceIPAddress": "198.51.100.120",
        "userAgent": "Boto3/1.43.106 md/Botocore#1.43.106 ua/2.1 os/linux#6.12 md/arch#x86_64 lang/python#3.13.9"
        " exec-env/AWS_Lambda_python3.13 apprunner-guardrails",
    },
    "federated-user": {
        "userIdentity": {
            "type": "FederatedUser",
            "principalId": f"{ACCOUNT}:tomas.berg",
            "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/tomas.berg",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLEFEDERATED",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "IAMUser",
                    "principalId": "AIDAEXAMPLEPORTAL0001",
                    "arn": f"arn:aws:iam::{ACCOUNT}:user/access-portal",
                    "accountId": ACCOUNT,
                    "userName": "access-portal",
                },
                "attributes": {"creationDate": SESSION_START, "mfaAuthenticated": "false"},
            },
        },
        "sourceIPAddress": "203.0.113.52",
        "userAgent": CLI,
    },
    "source-identity": {
        "userIdentity": in_session(
            role("Contractor", "session-7d41", "AROAEXAMPLECONTRACT01", "ASIAXAMPLECONTRACT01"),
            sourceIdentity="ines.falk",
        ),
        "sourceIPAddress": "203.0.113.90",
        "userAgent": CLI,
    },
    "instance-role": {
        "userIdentity": in_session(
            role("build-host", "i-0c51d7e2a94b6f380", "AROAEXAMPLEBUILDHOST1", "ASIAXAMPLEBUILDHOST1"),
            ec2RoleDelivery="2.0",
        ),
        "sourceIPAddress": "198.51.100.61",
        "userAgent": SDK,
    },
    "lambda-role": {
        "userIdentity": {
            **role("provision-orders", "provision-orders-fn", "AROAEXAMPLEPROVISION1", "ASIAXAMPLEPROVISION1"),
            "inScopeOf": {
                "issuerType": "AWS::Lambda::Function",
                "credentialsIssuedTo": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:provision-orders-fn",
            },
        },
        "sourceIPAddress": "198.51.100.121",
        "userAgent": f"{SDK} exec-env/AWS_Lambda_python3.13",
    },
    "saml-user": {
        "userIdentity": {
            "type": "SAMLUser",
            "principalId": "bm90IGEgcmVhbCBpc3N1ZXI=:ines.falk",
            "userName": "ines.falk",
            "identityProvider": "bm90IGEgcmVhbCBpc3N1ZXI=",
        },
        "sourceIPAddress": "203.0.113.91",
        "userAgent": BROWSER,
    },
    "web-identity-user": {
        "userIdentity": {
            "type": "WebIdentityUser",
            "principalId": f"{PIPELINE_PROVIDER}:sts.amazonaws.com:{PIPELINE}",
            "userName": PIPELINE,
            "identityProvider": PIPELINE_PROVIDER,
        },
        "sourceIPAddress": "198.51.100.77",
        "userAgent": SDK,
    },
    "web-identity-role": {
        "userIdentity": in_session(
            role("release", "GitHubActions", "AROAEXAMPLERELEASE001", "ASIAXAMPLERELEASE001"),
            webIdFederationData={"federatedProvider": PIPELINE_PROVIDER, "attributes": {}},
        ),
        "sourceIPAddress": "198.51.100.77",
        "userAgent": SDK,
    },
    "directory": {
        "userIdentity": {"type": "Directory", "accountId": ACCOUNT, "userName": "infrastructure@example.com"},
        "sourceIPAddress": "203.0.113.140",
        "userAgent": BROWSER,
    },
    "aws-account": {
        "userIdentity": {
            "type": "AWSAccount",
            "principalId": "AROAEXAMPLEVENDOR0001:vendor-rollout",
            "accountId": "210987654321",
        },
        "sourceIPAddress": "198.51.100.200",
        "userAgent": SDK,
    },
    "role": {
        "userIdentity": {
            "type": "Role",
            "principalId": "AROAEXAMPLEPLATFORM01",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/platform/PlatformOperator",
            "accountId": ACCOUNT,
            "userName": "PlatformOperator",
        },
        "sourceIPAddress": "203.0.113.15",
        "userAgent": CLI,
    },
    "unknown": {"userIdentity": {"type": "Unknown"}, "sourceIPAddress": "203.0.113.200", "userAgent": SDK},
    "email-user": {
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLEEMAILUSER1",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/lena.aho@example.com",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLEEMAILUSER",
            "userName": "lena.aho@example.com",
        },
        "sourceIPAddress": "203.0.113.33",
        "userAgent": CLI,
    },
}
CALLERS["root-alias"] = {
    **CALLERS["root"],
    "userIdentity": {**CALLERS["root"]["userIdentity"], "userName": "example-shop"},
}
CALLERS["console-cloudformation"] = {
    **CALLERS["cloudformation"],
    "userIdentity": {**CALLERS["console"]["userIdentity"], "invokedBy": "cloudformation.amazonaws.com"},
    "sessionCredentialFromConsole": "true",
}


class TestCallers:
    def test_there_is_a_case_for_each(self) -> None:
        assert set(CALLERS) == set(cloudtrail.IDENTITIES)

    @pytest.mark.parametrize("name", CALLERS)
    def test_each_is_seen_in_the_record(self, aws: Aws, name: str) -> None:
        with cloudtrail.calling_as(name):
            arn = aws.client("sns").create_topic(Name="alerts")["TopicArn"]
        event = aws.event()
        assert event == expected(
            event,
            source="sns",
            name="CreateTopic",
            requestParameters={"name": "alerts"},
            responseElements={"topicArn": arn},
            **CALLERS[name],
        )

    def test_the_caller_before_is_back_afterwards(self, aws: Aws) -> None:
        with cloudtrail.calling_as("root"):
            with cloudtrail.calling_as("service"):
                aws.client("sns").create_topic(Name="inner")
            aws.client("sns").create_topic(Name="outer")
        aws.client("sns").create_topic(Name="after")
        types = [event["detail"]["userIdentity"]["type"] for event in aws.events]
        assert types == ["AWSService", "Root", "IAMUser"]

    def test_whatever_thread_of_a_running_function_calls_it_is_the_function(self, aws: Aws) -> None:
        sns = aws.client("sns")
        audit = cloudtrail.lambda_function("AuditRegionFunction", "AuditRegionRole")
        with cloudtrail.running(audit), ThreadPoolExecutor(1) as threads:
            sns.create_topic(Name="own")
            threads.submit(sns.create_topic, Name="thread").result()
            with cloudtrail.calling_as("root"):
                sns.create_topic(Name="somebody-else")
        sns.create_topic(Name="after")
        callers = [event["detail"]["userIdentity"].get("arn") for event in aws.events]
        function = f"arn:aws:sts::{ACCOUNT}:assumed-role/AuditRegionRole/AuditRegionFunction"
        assert callers == [
            function,
            function,
            f"arn:aws:iam::{ACCOUNT}:root",
            f"arn:aws:iam::{ACCOUNT}:user/operations",
        ]

    def test_a_header_wins(self, aws: Aws) -> None:
        sns = client("sns", caller="terraform")
        with cloudtrail.calling_as("root"):
            sns.create_topic(Name="alerts")
        assert aws.event()["detail"]["userIdentity"] == CALLERS["terraform"]["userIdentity"]

    def test_an_unknown_one_is_refused_with_the_names_that_there_are(self, aws: Aws) -> None:
        names = (
            "assumed-role, aws-account, ci-role, cli, cloudformation, console, console-cloudformation, directory,"
            " email-user, federated-user, guardrails, iam-user, identity-center, instance-role, lambda-role, role,"
            " root, root-alias, saml-user, service, source-identity, sso, terraform, unknown, web-identity-role,"
            " web-identity-user"
        )
        with pytest.raises(ValueError, match=f"^unknown caller 'nobody': there are {names}$"):
            cloudtrail.calling_as("nobody").__enter__()

    def test_a_call_with_an_unknown_one_changes_nothing(self, aws: Aws) -> None:
        sns = client("sns", caller="nobody")
        with pytest.raises(ClientError) as refused:
            sns.create_topic(Name="alerts")
        assert refused.value.response["Error"]["Code"] == "ValidationError"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert aws.client("sns").list_topics()["Topics"] == []
        assert aws.events == []


def test_the_account_and_the_region_are_those_of_the_request(aws: Aws) -> None:
    aws.client("sns").create_topic(Name="alerts")
    other = client("sns", region="eu-west-1", account="210987654321")
    other.create_topic(Name="alerts")
    here, there = aws.events
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
    assert here == expected(
        here,
        source="sns",
        name="CreateTopic",
        requestParameters={"name": "alerts"},
        responseElements={"topicArn": topic},
    )
    assert there == expected(
        there,
        source="sns",
        name="CreateTopic",
        region="eu-west-1",
        recipientAccountId="210987654321",
        userIdentity={
            **IAM_USER,
            "arn": "arn:aws:iam::210987654321:user/operations",
            "accountId": "210987654321",
        },
        requestParameters={"name": "alerts"},
        responseElements={"topicArn": "arn:aws:sns:eu-west-1:210987654321:alerts"},
    )


def test_the_time_is_the_emulated_one(aws: Aws) -> None:
    CLOCK.advance(90)
    aws.client("sns").create_topic(Name="alerts")
    event = aws.event()
    assert (event["time"], event["detail"]["eventTime"]) == ("2026-11-02T09:01:30Z", "2026-11-02T09:01:30Z")


def test_the_same_seed_gives_the_same_events(aws: Aws) -> None:
    for _ in range(2):
        mock_random.seed(7)
        aws.client("sns").create_topic(Name="alerts")
    first, second = aws.events
    assert first == second
    aws.client("sns").create_topic(Name="alerts")
    third = aws.events[2]
    assert third != first | {"id": third["id"]}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


class TestServer:
    def test_a_call_over_http_is_recorded_with_the_address_that_it_came_from(self, aws: Aws, url: str) -> None:
        ec2 = client("ec2", region="eu-west-1", endpoint=url)
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        ec2.describe_vpcs()
        event = aws.event()
        assert event == expected(
            event,
            source="ec2",
            name="CreateVpc",
            region="eu-west-1",
            sourceIPAddress="127.0.0.1",
            requestParameters={"cidrBlock": "10.1.0.0/16"},
            responseElements=event["detail"]["responseElements"],
        )
        assert event["detail"]["responseElements"]["vpc"]["vpcId"] == vpc

    def test_the_caller_is_that_of_the_header_and_not_that_of_this_thread(self, aws: Aws, url: str) -> None:
        with cloudtrail.calling_as("root"):
            client("sns", endpoint=url).create_topic(Name="alerts")
            client("sns", endpoint=url, caller="ci-role").create_topic(Name="alerts")
        arns = [event["detail"]["userIdentity"]["arn"] for event in aws.events]
        assert arns == [IAM_USER["arn"], CALLERS["ci-role"]["userIdentity"]["arn"]]

    def test_a_request_that_cannot_be_read_is_recorded_without_parameters(self, aws: Aws, url: str) -> None:
        request = urllib.request.Request(  # noqa: S310  # our own server
            url,
            data=b'["not", "an", "object"]',
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": "AppRunner.DeleteVpcConnector",
                "Authorization": f"AWS4-HMAC-SHA256 Credential=testing/20261102/{REGION}/apprunner/aws4_request",
            },
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)  # noqa: S310  # our own server
        refused.value.close()
        detail = aws.event()["detail"]
        assert (refused.value.code, detail["requestParameters"], detail["responseElements"]) == (400, None, None)
        assert detail["eventName"] == "DeleteVpcConnector"
