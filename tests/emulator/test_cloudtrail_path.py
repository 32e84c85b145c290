"""The records of the calls that can break a private path: load balancers, API Gateway's both generations, addresses."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator import Emulator, emulate
from emulator.worlds import sdk_client

START = "2026-11-02T09:00:00Z"
JAVA_START = "Nov 2, 2026 9:00:00 AM"


@dataclass(kw_only=True)
class Calls:
    """Makes calls one by one, and keeps what was recorded of each: request and answer."""

    aws: Emulator
    service: str
    source: str
    seen: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def __call__(self, method: str, **request: Any) -> Any:
        self.aws.events.clear()
        answer = getattr(sdk_client(self.service), method)(**request)
        [event] = self.aws.events
        detail: Any = event["detail"]
        assert (event["source"], detail["eventSource"], detail["readOnly"], "errorCode" in detail) == (
            f"aws.{self.source}",
            f"{self.source}.amazonaws.com",
            False,
            False,
        )
        self.seen[detail["eventName"]] = detail["requestParameters"], detail["responseElements"]
        return answer


@dataclass(frozen=True, kw_only=True)
class Vpc:
    id: str
    subnets: list[str]
    groups: list[str]


@pytest.fixture
def aws() -> Iterator[Emulator]:
    with emulate() as aws:
        yield aws


@pytest.fixture
def vpc(aws: Emulator) -> Vpc:
    ec2 = sdk_client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZoneId=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(("use1-az1", "use1-az2"))
    ]
    groups = [ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in "ab"]
    return Vpc(id=vpc, subnets=subnets, groups=groups)


@pytest.fixture
def elb(aws: Emulator) -> Calls:
    return Calls(aws=aws, service="elbv2", source="elasticloadbalancing")


@pytest.fixture
def rest(aws: Emulator) -> Calls:
    return Calls(aws=aws, service="apigateway", source="apigateway")


@pytest.fixture
def http(aws: Emulator) -> Calls:
    return Calls(aws=aws, service="apigatewayv2", source="apigateway")


def test_a_load_balancer_and_its_subnets_groups_and_attributes(elb: Calls, vpc: Vpc) -> None:
    made = elb(
        "create_load_balancer",
        Name="front",
        Type="network",
        Scheme="internal",
        Subnets=vpc.subnets,
        SecurityGroups=vpc.groups[:1],
    )["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    elb("set_subnets", LoadBalancerArn=arn, Subnets=vpc.subnets[:1])
    elb(
        "set_security_groups",
        LoadBalancerArn=arn,
        SecurityGroups=vpc.groups[1:],
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off",
    )
    across = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
    elb("modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=[across])
    elb("delete_load_balancer", LoadBalancerArn=arn)
    zones = [
        {"zoneName": one["ZoneName"], "subnetId": one["SubnetId"], "loadBalancerAddresses": []}
        for one in made["AvailabilityZones"]
    ]
    attributes = elb.seen.pop("ModifyLoadBalancerAttributes")
    assert attributes[0] == {
        "loadBalancerArn": arn,
        "attributes": [{"key": "load_balancing.cross_zone.enabled", "value": "true"}],
    }
    assert {"key": "load_balancing.cross_zone.enabled", "value": "true"} in attributes[1]["attributes"]
    enforced = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    assert elb.seen == {
        "CreateLoadBalancer": (
            {
                "name": "front",
                "type": "network",
                "scheme": "internal",
                "subnets": vpc.subnets,
                "securityGroups": vpc.groups[:1],
            },
            {
                "loadBalancers": [
                    {
                        "loadBalancerArn": arn,
                        "dNSName": made["DNSName"],
                        "canonicalHostedZoneId": made["CanonicalHostedZoneId"],
                        "createdTime": JAVA_START,
                        "loadBalancerName": "front",
                        "scheme": "internal",
                        "vpcId": vpc.id,
                        "state": {"code": "provisioning"},
                        "type": "network",
                        "availabilityZones": zones,
                        "securityGroups": vpc.groups[:1],
                        "ipAddressType": "ipv4",
                        enforced: "on",
                    }
                ]
            },
        ),
        "SetSubnets": ({"loadBalancerArn": arn, "subnets": vpc.subnets[:1]}, {"availabilityZones": zones[:1]}),
        "SetSecurityGroups": (
            {"loadBalancerArn": arn, "securityGroups": vpc.groups[1:], enforced: "off"},
            {"securityGroupIds": vpc.groups[1:], enforced: "off"},
        ),
        "DeleteLoadBalancer": ({"loadBalancerArn": arn}, None),
    }


def test_a_target_group_and_a_listener(elb: Calls, vpc: Vpc) -> None:
    balancer = sdk_client("elbv2").create_load_balancer(Name="front", Type="network", Subnets=vpc.subnets)
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    made = elb("create_target_group", Name="front", Protocol="TCP", Port=443, VpcId=vpc.id, TargetType="ip")
    group = made["TargetGroups"][0]["TargetGroupArn"]
    elb("modify_target_group", TargetGroupArn=group, HealthCheckProtocol="HTTPS", HealthCheckPath="/health")
    attribute = {"Key": "preserve_client_ip.enabled", "Value": "true"}
    elb("modify_target_group_attributes", TargetGroupArn=group, Attributes=[attribute])
    forward: Any = [{"Type": "forward", "TargetGroupArn": group}]
    listener = elb("create_listener", LoadBalancerArn=arn, Protocol="TCP", Port=443, DefaultActions=forward)[
        "Listeners"
    ][0]["ListenerArn"]
    elb("modify_listener", ListenerArn=listener, Port=8443)
    elb("delete_listener", ListenerArn=listener)
    elb("delete_target_group", TargetGroupArn=group)
    [modified] = elb.seen["ModifyTargetGroup"][1]["targetGroups"]
    names = ("targetGroupArn", "healthCheckProtocol", "healthCheckPath")
    shown = {
        "listenerArn": listener,
        "loadBalancerArn": arn,
        "protocol": "TCP",
        "defaultActions": [{"type": "forward", "targetGroupArn": group}],
    }
    assert {name: modified[name] for name in names} == dict(zip(names, (group, "HTTPS", "/health"), strict=True))
    assert {name: asked for name, (asked, _) in elb.seen.items()} == {
        "CreateTargetGroup": {"name": "front", "protocol": "TCP", "port": 443, "vpcId": vpc.id, "targetType": "ip"},
        "ModifyTargetGroup": {
            "targetGroupArn": group,
            "healthCheckProtocol": "HTTPS",
            "healthCheckPath": "/health",
        },
        "ModifyTargetGroupAttributes": {
            "targetGroupArn": group,
            "attributes": [{"key": "preserve_client_ip.enabled", "value": "true"}],
        },
        "CreateListener": {
            "loadBalancerArn": arn,
            "protocol": "TCP",
            "port": 443,
            "defaultActions": [{"type": "forward", "targetGroupArn": group}],
        },
        "ModifyListener": {"listenerArn": listener, "port": 8443},
        "DeleteListener": {"listenerArn": listener},
        "DeleteTargetGroup": {"targetGroupArn": group},
    }
    assert (elb.seen["CreateListener"][1], elb.seen["ModifyListener"][1]) == (
        {"listeners": [{**shown, "port": 443}]},
        {"listeners": [{**shown, "port": 8443}]},
    )
    assert [elb.seen[name][1] for name in ("DeleteListener", "DeleteTargetGroup")] == [None, None]


def test_a_rest_api_wraps_its_input(rest: Calls, vpc: Vpc) -> None:
    balancer = sdk_client("elbv2").create_load_balancer(Name="front", Type="network", Subnets=vpc.subnets)
    target = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    link = rest("create_vpc_link", name="front", targetArns=[target])["id"]
    rest("update_vpc_link", vpcLinkId=link, patchOperations=[{"op": "replace", "path": "/name", "value": "back"}])
    made = sdk_client("apigateway").create_rest_api(name="orders")
    api, root = made["id"], made["rootResourceId"]
    resource = rest("create_resource", restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    method = {"restApiId": api, "resourceId": resource, "httpMethod": "ANY"}
    rest("put_method", **method, authorizationType="NONE")
    through = {"type": "HTTP_PROXY", "uri": "https://orders.example.com", "connectionId": link}
    rest("put_integration", **method, integrationHttpMethod="GET", connectionType="VPC_LINK", **through)
    uri = {"op": "replace", "path": "/uri", "value": "http://orders.example.com"}
    rest("update_integration", **method, patchOperations=[uri])
    key = {"op": "replace", "path": "/apiKeyRequired", "value": "true"}
    rest("update_method", **method, patchOperations=[key])
    deployment = rest("create_deployment", restApiId=api, stageName="live")["id"]
    rest("create_stage", restApiId=api, stageName="test", deploymentId=deployment)
    tracing = {"op": "replace", "path": "/tracingEnabled", "value": "true"}
    rest("update_stage", restApiId=api, stageName="live", patchOperations=[tracing])
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
    rest("tag_resource", resourceArn=arn, tags={"team": "edge"})
    rest("untag_resource", resourceArn=arn, tagKeys=["team"])
    document = json.dumps({"openapi": "3.0.1", "info": {"title": "orders", "version": "1"}, "paths": {}}).encode()
    rest("put_rest_api", restApiId=api, mode="merge", body=document)
    rest("delete_integration", **method)
    rest("delete_method", **method)
    rest("delete_vpc_link", vpcLinkId=link)
    put = rest.seen.pop("PutRestApi")[0]
    asked = {name: request for name, (request, _) in rest.seen.items()}
    assert {request.pop("template") for request in (*asked.values(), put)} == {False}
    assert {name: put[name] for name in ("restApiId", "mode")} == {"restApiId": api, "mode": "merge"}
    assert asked == {
        "CreateVpcLink": {"createVpcLinkInput": {"name": "front", "targetArns": [target]}},
        "UpdateVpcLink": {
            "vpcLinkId": link,
            "updateVpcLinkInput": {"patchOperations": [{"op": "replace", "path": "/name", "value": "back"}]},
        },
        "CreateResource": {
            "restApiId": api,
            "parentId": root,
            "createResourceInput": {"pathPart": "{proxy+}"},
        },
        "PutMethod": {**method, "putMethodInput": {"authorizationType": "NONE"}},
        "PutIntegration": {
            **method,
            "putIntegrationInput": {**through, "httpMethod": "GET", "connectionType": "VPC_LINK"},
        },
        "UpdateIntegration": {**method, "updateIntegrationInput": {"patchOperations": [uri]}},
        "UpdateMethod": {**method, "updateMethodInput": {"patchOperations": [key]}},
        "CreateDeployment": {"restApiId": api, "createDeploymentInput": {"stageName": "live"}},
        "CreateStage": {
            "restApiId": api,
            "createStageInput": {"stageName": "test", "deploymentId": deployment},
        },
        "UpdateStage": {
            "restApiId": api,
            "stageName": "live",
            "updateStageInput": {"patchOperations": [tracing]},
        },
        "TagResource": {"resourceArn": arn, "tagResourceInput": {"tags": {"team": "edge"}}},
        "UntagResource": {"resourceArn": arn, "tagKeys": ["team"]},
        "DeleteIntegration": method,
        "DeleteMethod": method,
        "DeleteVpcLink": {"vpcLinkId": link},
    }
    assert {name: rest.seen[name][1] for name in ("CreateVpcLink", "CreateDeployment", "TagResource")} == {
        "CreateVpcLink": {"id": link, "name": "front", "targetArns": [target], "status": "PENDING"},
        "CreateDeployment": {"id": deployment, "createdDate": JAVA_START},
        "TagResource": None,
    }


def test_an_import_of_a_rest_api_answers_with_its_id(rest: Calls) -> None:
    document = json.dumps({"openapi": "3.0.1", "info": {"title": "orders", "version": "1"}, "paths": {}}).encode()
    api = rest("import_rest_api", body=document, parameters={"endpointConfigurationTypes": "REGIONAL"})["id"]
    asked, answered = rest.seen["ImportRestApi"]
    assert (answered["id"], asked["parameters"]) == (api, {"endpointConfigurationTypes": "REGIONAL"})


def test_an_http_api_does_not_wrap_its_input_and_has_iso_dates(http: Calls) -> None:
    link = http("create_vpc_link", Name="front", SubnetIds=["subnet-1"])["VpcLinkId"]
    api = http("create_api", Name="orders", ProtocolType="HTTP")["ApiId"]
    asked_for = {"ConnectionType": "VPC_LINK", "ConnectionId": link, "IntegrationType": "HTTP_PROXY"}
    integration = http("create_integration", ApiId=api, **asked_for)["IntegrationId"]
    name = {"ServerNameToVerify": "orders.example.com"}
    http("update_integration", ApiId=api, IntegrationId=integration, TlsConfig=name)
    route = http("create_route", ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")["RouteId"]
    http("update_route", ApiId=api, RouteId=route, AuthorizationType="AWS_IAM")
    http("create_stage", ApiId=api, StageName="live")
    logs = {"DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:front", "Format": "$context.requestId"}
    http("update_stage", ApiId=api, StageName="live", AccessLogSettings=logs)
    deployment = http("create_deployment", ApiId=api, StageName="live")["DeploymentId"]
    arn = f"arn:aws:apigateway:us-east-1::/apis/{api}"
    http("tag_resource", ResourceArn=arn, Tags={"team": "edge"})
    http("untag_resource", ResourceArn=arn, TagKeys=["team"])
    http("delete_vpc_link", VpcLinkId=link)
    assert {name: request for name, (request, _) in http.seen.items()} == {
        "CreateVpcLink": {"name": "front", "subnetIds": ["subnet-1"]},
        "CreateApi": {"name": "orders", "protocolType": "HTTP"},
        "CreateIntegration": {
            "apiId": api,
            "connectionType": "VPC_LINK",
            "connectionId": link,
            "integrationType": "HTTP_PROXY",
        },
        "UpdateIntegration": {
            "apiId": api,
            "integrationId": integration,
            "tlsConfig": {"serverNameToVerify": "orders.example.com"},
        },
        "CreateRoute": {"apiId": api, "routeKey": "$default", "target": f"integrations/{integration}"},
        "UpdateRoute": {"apiId": api, "routeId": route, "authorizationType": "AWS_IAM"},
        "CreateStage": {"apiId": api, "stageName": "live"},
        "UpdateStage": {
            "apiId": api,
            "stageName": "live",
            "accessLogSettings": {"destinationArn": logs["DestinationArn"], "format": logs["Format"]},
        },
        "CreateDeployment": {"apiId": api, "stageName": "live"},
        "TagResource": {"resourceArn": arn, "tags": {"team": "edge"}},
        "UntagResource": {"resourceArn": arn, "tagKeys": ["team"]},
        "DeleteVpcLink": {"vpcLinkId": link},
    }
    assert {name: http.seen[name][1] for name in ("CreateDeployment", "CreateVpcLink", "DeleteVpcLink")} == {
        "CreateDeployment": {
            "autoDeployed": False,
            "createdDate": START,
            "deploymentId": deployment,
            "deploymentStatus": "DEPLOYED",
        },
        "CreateVpcLink": {
            "createdDate": START,
            "name": "front",
            "subnetIds": ["subnet-1"],
            "tags": {},
            "vpcLinkId": link,
            "vpcLinkStatus": "PENDING",
            "vpcLinkStatusMessage": "VPC link is provisioning ENIs",
            "vpcLinkVersion": "V2",
        },
        "DeleteVpcLink": None,
    }
    created = http.seen["CreateApi"][1]
    assert (created["apiId"], created["createdDate"]) == (api, START)


def test_an_address_that_is_put_on_an_interface(aws: Emulator, vpc: Vpc) -> None:
    calls = Calls(aws=aws, service="ec2", source="ec2")
    ec2 = sdk_client("ec2")
    interface = ec2.create_network_interface(SubnetId=vpc.subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = calls("associate_address", AllocationId=address, NetworkInterfaceId=interface)["AssociationId"]
    calls("disassociate_address", AssociationId=made)
    answers = {name: dict(answer) for name, (_, answer) in calls.seen.items()}
    assert all(answer.pop("requestId") for answer in answers.values())
    assert {name: (request, answers[name]) for name, (request, _) in calls.seen.items()} == {
        "AssociateAddress": (
            {"allocationId": address, "networkInterfaceId": interface},
            {"associationId": made, "_return": True},
        ),
        "DisassociateAddress": ({"associationId": made}, {"_return": True}),
    }
