"""A private path as AWS tells of it, whole and healthy: tests change one thing of these rows.

REST API shop → VPC link a1link → NLB orders → target group orders → ENDPOINT ← ingress connection ← service shop

The endpoint and the NLB are in us-east-1a and us-east-1b. `with_http_api` adds the same by an HTTP API and a VPC link
of the second generation. `two_paths` adds another path, of the service billing, with which it has nothing in common;
in `one_balancer_for_two` billing is behind another listener of the same NLB.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from tests.bound_groups import BALANCER, ENDPOINT, ORDERS, arn, endpoint, in_step, interface
from tests.samples import ACCOUNT, REGION, SERVICE, VPC, Row, Rows, group, healthy, https, service

INGRESS = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcingressconnection/shop/55555555555555555555555555555555"
DOMAIN = f"psbqam834h.{REGION}.awsapprunner.com"
SERVICE_URL = f"q7k2m9xyzt.{REGION}.awsapprunner.com"
LISTENER = f"{BALANCER.replace(':loadbalancer/', ':listener/')}/f2f7dc8efc522ab2"
OTHER_LISTENER = LISTENER.replace("f2f7dc8efc522ab2", "0a1b2c3d4e5f6071")
LINK, SECOND_LINK = "a1link", "b2link"
REST_API, HTTP_API = "a1b2c3d4e5", "f6g7h8i9j0"
SUBNETS = ("subnet-private-a", "subnet-private-b")


def private_path() -> Rows:
    rows = {**healthy(), **in_step()}
    rows["VpcEndpoints"] = [
        endpoint(
            ENDPOINT,
            "eni-a",
            "eni-b",
            SubnetIds=list(SUBNETS),
            Groups=[{"GroupId": "sg-endpoint", "GroupName": "endpoint"}],
            Tags=[{"Key": "team", "Value": "shop"}],
        )
    ]
    rows["NetworkInterfaces"] = [
        {**interface("eni-a", "10.0.1.5"), "SubnetId": SUBNETS[0], "Groups": []},
        {**interface("eni-b", "10.0.2.5"), "SubnetId": SUBNETS[1], "Groups": []},
        balancer_interface("eni-lb-a", SUBNETS[0], "10.0.1.20"),
        balancer_interface("eni-lb-b", SUBNETS[1], "10.0.2.20"),
    ]
    rows["SecurityGroups"] += [
        group("sg-endpoint", "endpoint", ingress=[https("10.0.0.0/16")]),
        group("sg-balancer", "balancer", ingress=[https("0.0.0.0/0")]),
    ]
    rows["VpcIngressConnections"] = [ingress()]
    rows["Services"] = [private_service()]
    rows["LoadBalancers"] = [load_balancer()]
    rows["Listeners"] = [
        {
            "ListenerArn": LISTENER,
            "LoadBalancerArn": BALANCER,
            "Port": 443,
            "Protocol": "TCP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": ORDERS}],
        }
    ]
    rows["RestVpcLinks"] = [{"id": LINK, "name": "shop", "targetArns": [BALANCER], "status": "AVAILABLE"}]
    rows["RestApis"] = [{"id": REST_API, "name": "shop", "tags": {"team": "shop"}}]
    rows["RestResources"] = [resource()]
    rows["RestStages"] = [rest_stage("live")]
    return rows


def with_http_api(rows: Rows) -> Rows:
    """The rows, with the same service behind an HTTP API too."""
    rows["HttpVpcLinks"] = [
        {
            "VpcLinkId": SECOND_LINK,
            "Name": "shop",
            "SubnetIds": list(SUBNETS),
            "SecurityGroupIds": ["sg-link"],
            "VpcLinkStatus": "AVAILABLE",
        }
    ]
    rows["HttpApis"] = [http_api()]
    rows["HttpIntegrations"] = [http_integration()]
    rows["HttpRoutes"] = [{"ApiId": HTTP_API, "RouteId": "r1", "RouteKey": "$default", "Target": "integrations/i1"}]
    rows["HttpStages"] = [{"ApiId": HTTP_API, "StageName": "$default"}]
    return rows


# The rows that the other path has of its own, and what is called otherwise in them.
_LISTS = (
    *("Services", "VpcIngressConnections", "VpcEndpoints", "NetworkInterfaces", "TargetGroups", "Targets", "Tags"),
    *("Attributes", "LoadBalancers", "Listeners", "RestVpcLinks", "RestApis", "RestResources", "RestStages"),
)
_OTHER = {
    ORDERS: arn("billing"),
    SERVICE_URL: f"billing.{REGION}.awsapprunner.com",
    DOMAIN: f"billing-ingress.{REGION}.awsapprunner.com",
    ENDPOINT: "vpce-0f9e8d7c6b5a43210",
    INGRESS: INGRESS.replace("/shop/", "/billing/"),
    SERVICE: SERVICE.replace("/shop/", "/billing/"),
    REST_API: "z9y8x7w6v5",
    LINK: "z1link",
    '"eni-': '"eni-other-',
    "net/orders/": "net/billing/",
    '"10.0.': '"10.0.9',
    '"res1"': '"res2"',
}


def other(text: str) -> str:
    """A name of the first path, or anything with names, as the other path has it."""
    for name, another in _OTHER.items():
        text = text.replace(name, another)
    return text


def renamed(rows: Mapping[str, list[Row]], rename: Callable[[str], str]) -> Rows:
    """The rows with other names in them, as `rename` makes them of their JSON."""

    def with_times(row: Row) -> Row:
        return {
            **row,
            **{name: datetime.fromisoformat(row[name]) for name in ("CreatedAt", "UpdatedAt") if name in row},
        }

    another: Rows = json.loads(rename(json.dumps(rows, default=datetime.isoformat)), object_hook=with_times)
    return another


def two_paths() -> Rows:
    one = private_path()
    another = renamed({name: one[name] for name in _LISTS}, other)
    return {**one, **{name: one[name] + another[name] for name in _LISTS}}


def one_balancer_for_two() -> Rows:
    """Both services behind the NLB of the first: port 443 leads to that one's endpoint, 8443 to billing's."""
    rows, one = two_paths(), private_path()
    for name in ("LoadBalancers", "Listeners", "RestVpcLinks", "RestApis", "RestResources", "RestStages"):
        rows[name] = one[name]
    (billing,) = (row for row in rows["TargetGroups"] if row["TargetGroupArn"] == arn("billing"))
    billing["LoadBalancerArns"] = [BALANCER]
    rows["Listeners"] += [
        {
            **rows["Listeners"][0],
            "ListenerArn": OTHER_LISTENER,
            "Port": 8443,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": arn("billing")}],
        }
    ]
    return rows


def ingress(**changes: object) -> Row:
    return {
        "VpcIngressConnectionArn": INGRESS,
        "VpcIngressConnectionName": "shop",
        "ServiceArn": SERVICE,
        "Status": "AVAILABLE",
        "AccountId": ACCOUNT,
        "DomainName": DOMAIN,
        "IngressVpcConfiguration": {"VpcId": VPC, "VpcEndpointId": ENDPOINT},
        **changes,
    }


def private_service(**changes: object) -> Row:
    network = {
        "EgressConfiguration": {"EgressType": "DEFAULT"},
        "IngressConfiguration": {"IsPubliclyAccessible": False},
    }
    return service("", NetworkConfiguration=network, ServiceUrl=SERVICE_URL, **changes)


def load_balancer(**changes: object) -> Row:
    return {
        "LoadBalancerArn": BALANCER,
        "LoadBalancerName": "orders",
        "DNSName": f"orders-0123456789abcdef.elb.{REGION}.amazonaws.com",
        "Scheme": "internal",
        "Type": "network",
        "VpcId": VPC,
        "AvailabilityZones": [
            {"ZoneName": f"{REGION}{letter}", "SubnetId": subnet} for letter, subnet in zip("ab", SUBNETS, strict=True)
        ],
        "SecurityGroups": ["sg-balancer"],
        **changes,
    }


def balancer_interface(name: str, subnet: str, address: str, balancer: str = BALANCER) -> Row:
    return {
        "NetworkInterfaceId": name,
        "InterfaceType": "network_load_balancer",
        "Description": f"ELB {balancer.partition(':loadbalancer/')[2]}",
        "VpcId": VPC,
        "SubnetId": subnet,
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address}],
        "Groups": [],
    }


def resource(uri: str = f"https://{DOMAIN}/{{proxy}}", link: str = LINK, **integration: object) -> Row:
    """The resource {proxy+} of the REST API, whose method ANY leads through the link."""
    made = {
        "type": "HTTP_PROXY",
        "httpMethod": "ANY",
        "uri": uri,
        "connectionType": "VPC_LINK",
        "connectionId": link,
        "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
        **integration,
    }
    method = {
        "httpMethod": "ANY",
        "authorizationType": "AWS_IAM",
        "apiKeyRequired": False,
        "requestParameters": {"method.request.path.proxy": True},
        "methodIntegration": made,
    }
    return {"restApiId": REST_API, "id": "res1", "path": "/{proxy+}", "resourceMethods": {"ANY": method}}


def rest_stage(name: str, **variables: str) -> Row:
    return {"restApiId": REST_API, "stageName": name, "tracingEnabled": True, "variables": variables}


def http_api(api: str = HTTP_API, protocol: str = "HTTP") -> Row:
    selected = "$request.method $request.path"
    return {"ApiId": api, "Name": "shop", "ProtocolType": protocol, "RouteSelectionExpression": selected}


def http_integration(uri: str = LISTENER, **changes: object) -> Row:
    return {
        "ApiId": HTTP_API,
        "IntegrationId": "i1",
        "IntegrationType": "HTTP_PROXY",
        "IntegrationUri": uri,
        "ConnectionType": "VPC_LINK",
        "ConnectionId": SECOND_LINK,
        "RequestParameters": {"overwrite:header.Host": DOMAIN},
        "TlsConfig": {"ServerNameToVerify": DOMAIN},
        **changes,
    }
