"""Every call that is watched for private paths, as CloudTrail records it: of the path in tests/private_path.py.

What the calls ask for, and what AWS answers as far as it matters, is here; how that is written into a record is the
emulator's, where the published forms are.
"""

from collections.abc import Mapping
from functools import cache
from typing import cast

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from emulator.cloudtrail.shapes import EC2_XML_NAMESPACE, request_parameters, response_elements
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS
from tests.private_path import HTTP_API, INGRESS, LINK, LISTENER, REST_API, SECOND_LINK, SUBNETS
from tests.samples import ACCOUNT, REGION, SERVICE, VPC, Event

type Members = Mapping[str, object]

INTERFACE = "eni-0d1e2f3a4b5c60718"  # of App Runner's
SOURCES = {"apigatewayv2": "apigateway", "elbv2": "elasticloadbalancing"}  # where CloudTrail has another name
EXEMPT = "apprunner-guardrails:exempt:AR504"


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operation(service: str, name: str) -> OperationModel:
    return _model(service).operation_model(name)


def call(service: str, name: str, asked: Members, told: Members | None = None, *, number: int = 1) -> Event:
    """The event of a call, as bob made it. `told` is the answer, of EC2 as its record has it; None where it is empty.

    Calls of different numbers are different calls, in order of time."""
    model = operation(service, name)
    answer = told if service == "ec2" or told is None else response_elements(model, told, b"", "")
    source = SOURCES.get(service, service)
    return {
        "version": "0",
        "id": "66666666-6666-4666-8666-666666666666",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source}",
        "account": ACCOUNT,
        "time": f"2026-11-21T09:00:{number:02}Z",
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {"type": "IAMUser", "accountId": ACCOUNT, "userName": "bob"},
            "eventTime": f"2026-11-21T09:00:{number:02}Z",
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": REGION,
            "userAgent": "aws-cli/2.31.0",
            "requestParameters": request_parameters(model, asked),
            "responseElements": answer,
            "eventID": f"path-{number:02}",
            "readOnly": False,
        },
    }


_PLACE = {"VpcId": VPC, "VpcEndpointId": ENDPOINT}
_INGRESS = {"VpcIngressConnection": {"VpcIngressConnectionArn": INGRESS, "ServiceArn": SERVICE, "Status": "AVAILABLE"}}
_GROUP: Members = {"TargetGroupArn": ORDERS}
_BALANCER: Members = {"LoadBalancerArn": BALANCER}
_FORWARD = [{"Type": "forward", "TargetGroupArn": ORDERS}]
_LISTENERS: Members = {"Listeners": [{"ListenerArn": LISTENER, "LoadBalancerArn": BALANCER, "Port": 443}]}
_METHOD: Members = {"restApiId": REST_API, "resourceId": "res1", "httpMethod": "ANY"}
_RESOURCE: Members = {"restApiId": REST_API, "resourceId": "res1"}
_STAGE: Members = {"restApiId": REST_API, "stageName": "live"}
_PATCH = [{"op": "replace", "path": "/tracingEnabled", "value": "true"}]
_HTTP_STAGE: Members = {"ApiId": HTTP_API, "StageName": "$default"}
_HTTP_INTEGRATION: Members = {"ApiId": HTTP_API, "IntegrationId": "i1"}
_HTTP_ROUTE: Members = {"ApiId": HTTP_API, "RouteId": "r1"}
_ALONE: Members = {"Name": "shop", "ProtocolType": "HTTP"}

INGRESS_NAMES = (INGRESS, SERVICE)
# Each watched call: what is asked, what is answered, and the names that its record has.
WATCHED: Mapping[tuple[str, str], tuple[Members, Members | None, tuple[str, ...]]] = {
    ("apprunner", "CreateVpcIngressConnection"): (
        {"ServiceArn": SERVICE, "VpcIngressConnectionName": "shop", "IngressVpcConfiguration": _PLACE},
        _INGRESS,
        (*INGRESS_NAMES, ENDPOINT),
    ),
    ("apprunner", "UpdateVpcIngressConnection"): (
        {"VpcIngressConnectionArn": INGRESS, "IngressVpcConfiguration": _PLACE},
        _INGRESS,
        (*INGRESS_NAMES, ENDPOINT),
    ),
    ("apprunner", "DeleteVpcIngressConnection"): ({"VpcIngressConnectionArn": INGRESS}, _INGRESS, INGRESS_NAMES),
    ("ec2", "CreateVpcEndpoint"): (
        {"VpcId": VPC, "ServiceName": f"com.amazonaws.{REGION}.apprunner.requests", "VpcEndpointType": "Interface"},
        {"CreateVpcEndpointResponse": {"xmlns": EC2_XML_NAMESPACE, "vpcEndpoint": {"vpcEndpointId": ENDPOINT}}},
        (ENDPOINT,),
    ),
    ("ec2", "ModifyVpcEndpoint"): (
        {"VpcEndpointId": ENDPOINT, "AddSecurityGroupIds": ["sg-endpoint"]},
        {"ModifyVpcEndpointResponse": {"xmlns": EC2_XML_NAMESPACE, "return": True}},
        (ENDPOINT,),
    ),
    ("ec2", "DeleteVpcEndpoints"): (
        {"VpcEndpointIds": [ENDPOINT, "vpce-00000000000000009"]},
        {"DeleteVpcEndpointsResponse": {"xmlns": EC2_XML_NAMESPACE, "unsuccessful": ""}},
        (ENDPOINT, "vpce-00000000000000009"),
    ),
    ("ec2", "AssociateAddress"): (
        {"AllocationId": "eipalloc-1", "NetworkInterfaceId": INTERFACE},
        {"requestId": "x", "_return": True, "associationId": "eipassoc-1"},
        (INTERFACE,),
    ),
    ("elbv2", "ModifyTargetGroup"): (
        {**_GROUP, "HealthCheckProtocol": "HTTPS"},
        {"TargetGroups": [{**_GROUP, "LoadBalancerArns": [BALANCER]}]},
        (ORDERS,),
    ),
    ("elbv2", "ModifyTargetGroupAttributes"): (
        {**_GROUP, "Attributes": [{"Key": "preserve_client_ip.enabled", "Value": "true"}]},
        {"Attributes": [{"Key": "preserve_client_ip.enabled", "Value": "true"}]},
        (ORDERS,),
    ),
    ("elbv2", "DeleteTargetGroup"): (_GROUP, None, (ORDERS,)),
    ("elbv2", "CreateLoadBalancer"): (
        {"Name": "orders", "Type": "network", "Subnets": list(SUBNETS)},
        {"LoadBalancers": [{**_BALANCER, "VpcId": VPC}]},
        (BALANCER,),
    ),
    ("elbv2", "DeleteLoadBalancer"): (_BALANCER, None, (BALANCER,)),
    ("elbv2", "ModifyLoadBalancerAttributes"): (
        {**_BALANCER, "Attributes": [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]},
        {"Attributes": [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]},
        (BALANCER,),
    ),
    ("elbv2", "SetSecurityGroups"): (
        {**_BALANCER, "SecurityGroups": ["sg-balancer"]},
        {"SecurityGroupIds": ["sg-balancer"]},
        (BALANCER,),
    ),
    ("elbv2", "SetSubnets"): ({**_BALANCER, "Subnets": list(SUBNETS)}, {"AvailabilityZones": []}, (BALANCER,)),
    ("elbv2", "CreateListener"): (
        {**_BALANCER, "Protocol": "TCP", "Port": 443, "DefaultActions": _FORWARD},
        _LISTENERS,
        (BALANCER, ORDERS),
    ),
    ("elbv2", "ModifyListener"): (
        {"ListenerArn": LISTENER, "DefaultActions": _FORWARD},
        _LISTENERS,
        (BALANCER, ORDERS),
    ),
    ("elbv2", "DeleteListener"): ({"ListenerArn": LISTENER}, None, (BALANCER,)),
    ("apigateway", "CreateDeployment"): (_STAGE, {"id": "dep123"}, (REST_API,)),
    ("apigateway", "CreateRestApi"): ({"name": "shop"}, {"id": REST_API, "name": "shop"}, (REST_API,)),
    ("apigateway", "ImportRestApi"): ({"body": b"{}"}, {"id": REST_API, "name": "shop"}, (REST_API,)),
    ("apigateway", "PutRestApi"): ({"restApiId": REST_API, "body": b"{}"}, {"id": REST_API}, (REST_API,)),
    ("apigateway", "UpdateRestApi"): (
        {"restApiId": REST_API, "patchOperations": _PATCH},
        {"id": REST_API},
        (REST_API,),
    ),
    ("apigateway", "DeleteRestApi"): ({"restApiId": REST_API}, None, (REST_API,)),
    ("apigateway", "CreateResource"): (
        {"restApiId": REST_API, "parentId": "root", "pathPart": "{proxy+}"},
        {"id": "res1"},
        (REST_API,),
    ),
    ("apigateway", "UpdateResource"): (_RESOURCE, {"id": "res1"}, (REST_API,)),
    ("apigateway", "DeleteResource"): (_RESOURCE, None, (REST_API,)),
    ("apigateway", "PutMethod"): ({**_METHOD, "authorizationType": "NONE"}, {"httpMethod": "ANY"}, (REST_API,)),
    ("apigateway", "UpdateMethod"): ({**_METHOD, "patchOperations": _PATCH}, {"httpMethod": "ANY"}, (REST_API,)),
    ("apigateway", "DeleteMethod"): (_METHOD, None, (REST_API,)),
    ("apigateway", "PutIntegration"): (
        {**_METHOD, "type": "HTTP_PROXY", "uri": "https://x.test/", "connectionId": LINK},
        {"type": "HTTP_PROXY", "connectionId": LINK},
        (REST_API,),
    ),
    ("apigateway", "UpdateIntegration"): (_METHOD, {"type": "HTTP_PROXY"}, (REST_API,)),
    ("apigateway", "DeleteIntegration"): (_METHOD, None, (REST_API,)),
    ("apigateway", "CreateStage"): ({**_STAGE, "deploymentId": "dep123"}, {"stageName": "live"}, (REST_API,)),
    ("apigateway", "UpdateStage"): ({**_STAGE, "patchOperations": _PATCH}, {"stageName": "live"}, (REST_API,)),
    ("apigateway", "DeleteStage"): (_STAGE, None, (REST_API,)),
    ("apigateway", "CreateVpcLink"): (
        {"name": "shop", "targetArns": [BALANCER]},
        {"id": LINK, "status": "PENDING"},
        (LINK, BALANCER),
    ),
    ("apigateway", "UpdateVpcLink"): ({"vpcLinkId": LINK, "patchOperations": _PATCH}, {"id": LINK}, (LINK,)),
    ("apigateway", "DeleteVpcLink"): ({"vpcLinkId": LINK}, None, (LINK,)),
    ("apigatewayv2", "CreateApi"): (_ALONE, {**_ALONE, "ApiId": HTTP_API}, (HTTP_API,)),
    ("apigatewayv2", "ImportApi"): ({"Body": "{}"}, {"ApiId": HTTP_API}, (HTTP_API,)),
    ("apigatewayv2", "ReimportApi"): ({"ApiId": HTTP_API, "Body": "{}"}, {"ApiId": HTTP_API}, (HTTP_API,)),
    ("apigatewayv2", "UpdateApi"): ({"ApiId": HTTP_API, "Name": "shop"}, {"ApiId": HTTP_API}, (HTTP_API,)),
    ("apigatewayv2", "DeleteApi"): ({"ApiId": HTTP_API}, None, (HTTP_API,)),
    ("apigatewayv2", "CreateDeployment"): ({"ApiId": HTTP_API}, {"DeploymentId": "dep123"}, (HTTP_API,)),
    ("apigatewayv2", "CreateIntegration"): (
        {"ApiId": HTTP_API, "IntegrationType": "HTTP_PROXY", "IntegrationUri": LISTENER, "ConnectionId": SECOND_LINK},
        {"IntegrationId": "i1"},
        (HTTP_API,),
    ),
    ("apigatewayv2", "UpdateIntegration"): (_HTTP_INTEGRATION, {"IntegrationId": "i1"}, (HTTP_API,)),
    ("apigatewayv2", "DeleteIntegration"): (_HTTP_INTEGRATION, None, (HTTP_API,)),
    ("apigatewayv2", "CreateRoute"): ({"ApiId": HTTP_API, "RouteKey": "$default"}, {"RouteId": "r1"}, (HTTP_API,)),
    ("apigatewayv2", "UpdateRoute"): (_HTTP_ROUTE, {"RouteId": "r1"}, (HTTP_API,)),
    ("apigatewayv2", "DeleteRoute"): (_HTTP_ROUTE, None, (HTTP_API,)),
    ("apigatewayv2", "CreateStage"): ({**_HTTP_STAGE, "AutoDeploy": True}, {"StageName": "$default"}, (HTTP_API,)),
    ("apigatewayv2", "UpdateStage"): ({**_HTTP_STAGE, "AutoDeploy": True}, {"StageName": "$default"}, (HTTP_API,)),
    ("apigatewayv2", "DeleteStage"): (_HTTP_STAGE, None, (HTTP_API,)),
    ("apigatewayv2", "DeleteAccessLogSettings"): (_HTTP_STAGE, None, (HTTP_API,)),
    ("apigatewayv2", "CreateVpcLink"): (
        {"Name": "shop", "SubnetIds": list(SUBNETS)},
        {"VpcLinkId": SECOND_LINK, "VpcLinkStatus": "PENDING"},
        (SECOND_LINK,),
    ),
    ("apigatewayv2", "UpdateVpcLink"): (
        {"VpcLinkId": SECOND_LINK, "Name": "shop"},
        {"VpcLinkId": SECOND_LINK},
        (SECOND_LINK,),
    ),
    ("apigatewayv2", "DeleteVpcLink"): ({"VpcLinkId": SECOND_LINK}, None, (SECOND_LINK,)),
}


def watched(service: str, name: str, *, number: int = 1) -> Event:
    asked, told, _ = WATCHED[service, name]
    return call(service, name, asked, told, number=number)


REST_ARN = f"arn:aws:apigateway:{REGION}::/restapis/{REST_API}"
HTTP_ARN = f"arn:aws:apigateway:{REGION}::/apis/{HTTP_API}"


def tagging(service: str, resource: str, key: str = EXEMPT, *, taken_off: bool = False, number: int = 1) -> Event:
    """The event of a call that puts a tag on what a path leads through, or takes it off; `resource` as it names it."""
    tags = [{"Key": key, "Value": "2026-12-31 @net ticket 7"}]
    keys = [key]
    by_service: Mapping[str, tuple[str, Members, str, Members]] = {
        "apprunner": (
            *("TagResource", {"ResourceArn": resource, "Tags": tags}),
            *("UntagResource", {"ResourceArn": resource, "TagKeys": keys}),
        ),
        "ec2": (
            *("CreateTags", {"Resources": [resource], "Tags": tags}),
            *("DeleteTags", {"Resources": [resource], "Tags": [{"Key": key}]}),
        ),
        "elbv2": (
            *("AddTags", {"ResourceArns": [resource], "Tags": tags}),
            *("RemoveTags", {"ResourceArns": [resource], "TagKeys": keys}),
        ),
        "apigateway": (
            *("TagResource", {"resourceArn": resource, "tags": {key: "2026-12-31 @net ticket 7"}}),
            *("UntagResource", {"resourceArn": resource, "tagKeys": keys}),
        ),
        "apigatewayv2": (
            *("TagResource", {"ResourceArn": resource, "Tags": {key: "2026-12-31 @net ticket 7"}}),
            *("UntagResource", {"ResourceArn": resource, "TagKeys": keys}),
        ),
    }
    put, asked_to_put, take, asked_to_take = by_service[service]
    name, asked = (take, asked_to_take) if taken_off else (put, asked_to_put)
    told = cast(Members, {"requestId": "x", "_return": True}) if service == "ec2" else None
    return call(service, name, asked, told, number=number)
