"""API Gateway answers as AWS does: REST APIs, HTTP APIs, and the VPC links of both."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from emulator import Emulator, emulate
from emulator.server import Application, listen, serving

REGION = "us-east-1"
NLB = f"arn:aws:elasticloadbalancing:{REGION}:123456789012:loadbalancer/net/front/0123456789abcdef"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LOG_GROUP = f"arn:aws:logs:{REGION}:123456789012:log-group:front"


@cache
def _client(service: str) -> Any:
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing").client(
        service,  # type: ignore[call-overload]  # any service
        region_name=REGION,
    )


@dataclass(frozen=True, kw_only=True)
class World:
    """An emulated AWS, in this process or served, and a load balancer in it."""

    aws: Emulator
    client: Callable[[str], Any]

    @property
    def rest(self) -> Any:
        return self.client("apigateway")

    @property
    def http(self) -> Any:
        return self.client("apigatewayv2")

    def balancer(self) -> str:
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        made = self.client("elbv2").create_load_balancer(
            Name="front", Type="network", Scheme="internal", Subnets=[subnet]
        )
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def rest_link(self) -> str:
        return str(self.rest.create_vpc_link(name="front", targetArns=[self.balancer()])["id"])

    def proxy(self, **integration: Any) -> "Proxy":
        """A REST API whose every path goes on to https://orders.example.com, which is not deployed."""
        api = self.rest.create_rest_api(name="orders")
        resource = self.rest.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="{proxy+}")
        made = Proxy(rest=self.rest, api=api["id"], resource=resource["id"])
        self.rest.put_method(**made.method, authorizationType="NONE")
        self.rest.put_integration(
            **made.method,
            **{
                "type": "HTTP_PROXY",
                "integrationHttpMethod": "ANY",
                "uri": "https://orders.example.com/{proxy}",
                **integration,
            },
        )
        return made


@dataclass(frozen=True, kw_only=True)
class Proxy:
    rest: Any
    api: str
    resource: str

    @property
    def method(self) -> dict[str, str]:
        return {"restApiId": self.api, "resourceId": self.resource, "httpMethod": "ANY"}

    def integration(self) -> dict[str, Any]:
        return plain(self.rest.get_integration(**self.method))

    def stage(self) -> dict[str, Any]:
        return plain(self.rest.get_stage(restApiId=self.api, stageName="live"))


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def world() -> Iterator[World]:
    with emulate() as aws:
        yield World(aws=aws, client=_client)


@pytest.fixture(params=["in-process", "served"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[World]:
    with emulate() as aws:
        if request.param == "in-process":
            yield World(aws=aws, client=_client)
            return
        session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)
        with listen("127.0.0.1", 0) as listener, serving(Application(aws), listener):
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield World(aws=aws, client=lambda service: session.client(service, endpoint_url=url))  # type: ignore[call-overload]  # any service


class TestVpcLinks:
    def test_that_of_a_rest_api_is_pending_and_then_available(self, world: World) -> None:
        balancer = world.balancer()
        made = plain(world.rest.create_vpc_link(name="front", targetArns=[balancer], tags={"team": "edge"}))
        link = {"id": made["id"], "name": "front", "targetArns": [balancer], "tags": {"team": "edge"}}
        assert made == {**link, "status": "PENDING"}
        world.aws.clock.advance(29)
        assert world.rest.get_vpc_links()["items"] == [{**link, "status": "PENDING"}]
        world.aws.clock.advance(1)
        ready = {**link, "status": "AVAILABLE", "statusMessage": "Your vpc link is ready for use"}
        assert world.rest.get_vpc_links()["items"] == [ready]
        assert plain(world.rest.get_vpc_link(vpcLinkId=made["id"])) == ready

    def test_that_of_a_load_balancer_that_is_not_there_fails(self, world: World) -> None:
        link = world.rest.create_vpc_link(name="front", targetArns=[NLB])["id"]
        world.aws.clock.advance(30)
        assert plain(world.rest.get_vpc_link(vpcLinkId=link)) == {
            "id": link,
            "name": "front",
            "targetArns": [NLB],
            "status": "FAILED",
            "statusMessage": f"There is no load balancer {NLB}",
        }

    def test_it_has_one_target(self, world: World) -> None:
        code, _ = refusal(lambda: world.rest.create_vpc_link(name="front", targetArns=[NLB, f"{NLB}0"]))
        assert (code, world.rest.get_vpc_links()["items"]) == ("BadRequestException", [])

    def test_its_name_can_be_changed_and_its_target_cannot(self, world: World) -> None:
        link = world.rest_link()

        def change(path: str) -> Any:
            operation = {"op": "replace", "path": path, "value": "back"}
            return world.rest.update_vpc_link(vpcLinkId=link, patchOperations=[operation])

        assert change("/name")["name"] == "back"
        assert change("/description")["description"] == "back"
        assert refusal(lambda: change("/targetArns"))[0] == "BadRequestException"

    def test_one_that_a_deployed_api_goes_through_cannot_be_deleted(self, world: World) -> None:
        link = world.rest_link()
        made = world.proxy(connectionType="VPC_LINK", connectionId=link)
        world.rest.create_deployment(restApiId=made.api, stageName="live")
        code, message = refusal(lambda: world.rest.delete_vpc_link(vpcLinkId=link))
        assert (code, f"[ANY:{made.resource}:live]" in message) == ("BadRequestException", True)
        world.rest.delete_stage(restApiId=made.api, stageName="live")
        world.rest.delete_vpc_link(vpcLinkId=link)
        assert world.rest.get_vpc_link(vpcLinkId=link)["status"] == "DELETING"
        world.aws.clock.advance(30)
        assert refusal(lambda: world.rest.get_vpc_link(vpcLinkId=link))[0] == "NotFoundException"

    def test_one_of_either_kind_that_is_deleted_while_it_is_pending_does_not_become_available(
        self, world: World
    ) -> None:
        rest, http = world.rest_link(), world.http.create_vpc_link(Name="front", SubnetIds=[])["VpcLinkId"]
        world.aws.clock.advance(15)
        world.rest.delete_vpc_link(vpcLinkId=rest)
        world.http.delete_vpc_link(VpcLinkId=http)
        world.aws.clock.advance(20)
        assert world.rest.get_vpc_link(vpcLinkId=rest)["status"] == "DELETING"
        assert world.http.get_vpc_link(VpcLinkId=http)["VpcLinkStatus"] == "DELETING"

    def test_that_of_http_apis_is_pending_and_then_available_and_is_deleted(self, world: World) -> None:
        made = plain(world.http.create_vpc_link(Name="front", SubnetIds=["subnet-1"], Tags={"team": "edge"}))
        link = {
            "CreatedDate": START,
            "Name": "front",
            "SubnetIds": ["subnet-1"],
            "Tags": {"team": "edge"},
            "VpcLinkId": made["VpcLinkId"],
            "VpcLinkVersion": "V2",
        }

        def found() -> list[dict[str, Any]]:
            items: list[dict[str, Any]] = world.http.get_vpc_links()["Items"]
            return items

        pending = {"VpcLinkStatus": "PENDING", "VpcLinkStatusMessage": "VPC link is provisioning ENIs"}
        assert made == {**link, **pending}
        world.aws.clock.advance(30)
        ready = {"VpcLinkStatus": "AVAILABLE", "VpcLinkStatusMessage": "VPC link is ready to route traffic"}
        assert found() == [{**link, **ready}]
        world.http.delete_vpc_link(VpcLinkId=made["VpcLinkId"])
        assert found() == [{**link, "VpcLinkStatus": "DELETING"}]
        world.aws.clock.advance(30)
        assert found() == []

    @pytest.mark.parametrize("state", ["FAILED", "INACTIVE"])
    def test_one_of_either_kind_is_in_the_state_that_it_is_said_to_be_in(self, world: World, state: str) -> None:
        links = [world.rest_link(), world.http.create_vpc_link(Name="front", SubnetIds=[])["VpcLinkId"]]
        world.aws.clock.advance(30)
        world.aws.settings.states = dict.fromkeys(links, state)
        [rest], [http] = world.rest.get_vpc_links()["items"], world.http.get_vpc_links()["Items"]
        assert (rest["status"], http["VpcLinkStatus"]) == (state, state)
        assert "statusMessage" not in rest
        assert "VpcLinkStatusMessage" not in http
        world.aws.settings.states = {}
        [rest], [http] = world.rest.get_vpc_links()["items"], world.http.get_vpc_links()["Items"]
        assert (rest["status"], http["VpcLinkStatus"]) == ("AVAILABLE", "AVAILABLE")


class TestRestApis:
    def test_an_integration_has_its_connection_and_the_defaults(self, world: World) -> None:
        through = {"connectionType": "VPC_LINK", "connectionId": "link01", "integrationTarget": NLB}
        made = world.proxy(**through)
        assert made.integration() == {
            "type": "HTTP_PROXY",
            "httpMethod": "ANY",
            "uri": "https://orders.example.com/{proxy}",
            **through,
            "passthroughBehavior": "WHEN_NO_MATCH",
            "timeoutInMillis": 29000,
            "cacheNamespace": made.resource,
            "cacheKeyParameters": [],
        }

    def test_an_integration_that_is_put_anew_forgets_its_connection(self, world: World) -> None:
        made = world.proxy(connectionType="VPC_LINK", connectionId="link01")
        world.rest.put_integration(
            **made.method, type="HTTP_PROXY", integrationHttpMethod="ANY", uri="https://orders.example.com"
        )
        assert "connectionId" not in made.integration()

    def test_a_private_integration_needs_a_vpc_link(self, world: World) -> None:
        assert refusal(lambda: world.proxy(connectionType="VPC_LINK"))[0] == "BadRequestException"

    def test_an_integration_is_patched_member_by_member(self, world: World) -> None:
        made = world.proxy(requestParameters={"integration.request.header.X-A": "'a'"})
        before = made.integration()
        world.rest.update_integration(
            **made.method,
            patchOperations=[
                {"op": "replace", "path": "/uri", "value": "http://orders.example.com:8080/{proxy}"},
                {"op": "replace", "path": "/connectionType", "value": "VPC_LINK"},
                {"op": "replace", "path": "/connectionId", "value": "link02"},
                {"op": "replace", "path": "/timeoutInMillis", "value": "5000"},
                {"op": "replace", "path": "/tlsConfig/insecureSkipVerification", "value": "true"},
                {
                    "op": "add",
                    "path": "/requestParameters/integration.request.path.proxy",
                    "value": "method.request.path.proxy",
                },
                {"op": "remove", "path": "/requestParameters/integration.request.header.X-A"},
                {"op": "add", "path": "/requestTemplates/application~1json", "value": "{}"},
                {"op": "add", "path": "/cacheKeyParameters/method.request.path.proxy"},
            ],
        )
        assert made.integration() == {
            **before,
            "uri": "http://orders.example.com:8080/{proxy}",
            "connectionType": "VPC_LINK",
            "connectionId": "link02",
            "timeoutInMillis": 5000,
            "tlsConfig": {"insecureSkipVerification": True},
            "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
            "requestTemplates": {"application/json": "{}"},
            "cacheKeyParameters": ["method.request.path.proxy"],
        }

    def test_a_method_is_patched_member_by_member(self, world: World) -> None:
        made = world.proxy()
        before = plain(world.rest.get_method(**made.method))

        def patched(*operations: dict[str, str]) -> dict[str, Any]:
            return plain(world.rest.update_method(**made.method, patchOperations=list(operations)))

        after = {
            **before,
            "authorizationType": "COGNITO_USER_POOLS",
            "authorizerId": "pool01",
            "authorizationScopes": ["orders/read"],
            "apiKeyRequired": True,
            "requestParameters": {"method.request.path.proxy": True},
        }
        assert (
            patched(
                {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
                {"op": "replace", "path": "/authorizerId", "value": "pool01"},
                {"op": "add", "path": "/authorizationScopes", "value": "orders/read"},
                {"op": "replace", "path": "/apiKeyRequired", "value": "true"},
                {"op": "add", "path": "/requestParameters/method.request.path.proxy", "value": "true"},
            )
            == after
        )
        scopes = {"op": "remove", "path": "/authorizationScopes", "value": "orders/read"}
        assert patched(scopes, {"op": "replace", "path": "/apiKeyRequired", "value": "false"}) == {
            **after,
            "authorizationScopes": [],
            "apiKeyRequired": False,
        }

    def test_a_path_that_cannot_be_patched_is_refused(self, world: World) -> None:
        made = world.proxy()
        for operation in ({"op": "replace", "path": "/colour"}, {"op": "move", "path": "/uri"}):
            code, _ = refusal(partial(world.rest.update_integration, **made.method, patchOperations=[operation]))
            assert code == "BadRequestException"

    def test_methods_are_shown_when_they_are_embedded(self, world: World) -> None:
        made = world.proxy()

        def methods(**embed: Any) -> Any:
            items = world.rest.get_resources(restApiId=made.api, **embed)["items"]
            [one] = [each for each in items if each["id"] == made.resource]
            found = world.rest.get_resource(restApiId=made.api, resourceId=made.resource, **embed)
            assert found["resourceMethods"] == one["resourceMethods"]
            return one["resourceMethods"]

        assert methods() == {"ANY": {}}
        assert methods(embed=["methods"]) == {"ANY": plain(world.rest.get_method(**made.method))}

    @pytest.mark.parametrize("limit", [None, 7])
    def test_resources_come_in_pages(self, world: World, limit: int | None) -> None:
        api = world.rest.create_rest_api(name="orders")
        parts = [f"part-{number:02}" for number in range(30)]
        for part in parts:
            world.rest.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart=part)
        asked = {"restApiId": api["id"], **({"limit": limit} if limit else {})}
        pages = [world.rest.get_resources(**asked)]
        while "position" in pages[-1]:
            pages.append(world.rest.get_resources(**asked, position=pages[-1]["position"]))
        assert [len(page["items"]) for page in pages] == ([7, 7, 7, 7, 3] if limit else [25, 6])
        assert [one["path"] for page in pages for one in page["items"]] == ["/", *(f"/{part}" for part in parts)]

    def test_apis_and_vpc_links_come_in_pages_too(self, world: World) -> None:
        for number in range(26):
            world.rest.create_rest_api(name=f"api-{number}")
            world.rest.create_vpc_link(name=f"link-{number}", targetArns=[NLB])
        for call in (world.rest.get_rest_apis, world.rest.get_vpc_links):
            first = call()
            second = call(position=first["position"])
            assert (len(first["items"]), len(second["items"]), "position" in second) == (25, 1, False)

    @pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 501}, {"position": "x"}, {"position": "Z2V0OjU="}])
    def test_a_page_that_there_cannot_be_is_refused(self, world: World, asked: dict[str, Any]) -> None:
        assert refusal(lambda: world.rest.get_rest_apis(**asked))[0] == "BadRequestException"

    def test_a_stage_keeps_what_it_is_when_it_is_deployed_to_again(self, world: World) -> None:
        made = world.proxy()
        first = world.rest.create_deployment(restApiId=made.api, stageName="live", variables={"a": "1"})
        assert made.stage() == {
            "deploymentId": first["id"],
            "stageName": "live",
            "description": "",
            "cacheClusterEnabled": False,
            "cacheClusterStatus": "NOT_AVAILABLE",
            "methodSettings": {},
            "variables": {"a": "1"},
            "tracingEnabled": False,
            "createdDate": START,
            "lastUpdatedDate": START,
        }
        world.rest.update_stage(
            restApiId=made.api,
            stageName="live",
            patchOperations=[
                {"op": "replace", "path": "/tracingEnabled", "value": "true"},
                {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": LOG_GROUP},
                {"op": "replace", "path": "/accessLogSettings/format", "value": "$context.requestId"},
            ],
        )
        world.aws.clock.advance(60)
        before = made.stage()
        second = world.rest.create_deployment(restApiId=made.api, stageName="live", variables={"b": "2"})
        assert before["accessLogSettings"] == {"destinationArn": LOG_GROUP, "format": "$context.requestId"}
        assert before["tracingEnabled"] is True
        assert made.stage() == {
            **before,
            "deploymentId": second["id"],
            "variables": {"a": "1", "b": "2"},
            "lastUpdatedDate": world.aws.clock.now(),
        }

    def test_a_deployment_may_trace_and_describe_its_stage(self, world: World) -> None:
        made = world.proxy()
        world.rest.create_deployment(
            restApiId=made.api, stageName="live", tracingEnabled=True, stageDescription="for all"
        )
        assert (made.stage()["tracingEnabled"], made.stage()["description"]) == (True, "for all")

    def test_apis_stages_and_vpc_links_are_tagged(self, anywhere: World) -> None:
        made, link = anywhere.proxy(), anywhere.rest_link()
        anywhere.rest.create_deployment(restApiId=made.api, stageName="live")
        for path in (f"restapis/{made.api}", f"restapis/{made.api}/stages/live", f"vpclinks/{link}"):
            arn = f"arn:aws:apigateway:{REGION}::/{path}"
            anywhere.rest.tag_resource(resourceArn=arn, tags={"team": "edge", "stage": "test"})
            anywhere.rest.untag_resource(resourceArn=arn, tagKeys=["stage"])
            assert anywhere.rest.get_tags(resourceArn=arn)["tags"] == {"team": "edge"}
        tags = (
            anywhere.rest.get_rest_api(restApiId=made.api)["tags"],
            anywhere.rest.get_stage(restApiId=made.api, stageName="live")["tags"],
            anywhere.rest.get_vpc_link(vpcLinkId=link)["tags"],
        )
        assert tags == ({"team": "edge"},) * 3

    def test_tags_of_what_is_not_there_are_refused(self, world: World) -> None:
        codes = {
            path: refusal(partial(world.rest.get_tags, resourceArn=f"arn:aws:apigateway:{REGION}::/{path}"))[0]
            for path in ("restapis/x", "restapis/x/stages/live", "vpclinks/x", "apikeys/x")
        }
        assert codes == {
            "restapis/x": "NotFoundException",
            "restapis/x/stages/live": "NotFoundException",
            "vpclinks/x": "NotFoundException",
            "apikeys/x": "BadRequestException",
        }


DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "orders", "version": "1"},
    "components": {
        "securitySchemes": {
            "signed": {"type": "apiKey", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
            "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            "lambda": {"type": "apiKey", "x-amazon-apigateway-authorizer": {"type": "token"}},
            "pool": {"type": "apiKey", "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools"}},
        }
    },
    "paths": {
        "/v1/{proxy+}": {
            "parameters": [{"name": "proxy", "in": "path", "required": True}],
            "x-amazon-apigateway-any-method": {
                "security": [{"signed": []}, {"key": []}],
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "ANY",
                    "uri": "https://orders.example.com/{proxy}",
                    "connectionType": "VPC_LINK",
                    "connectionId": "link01",
                    "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
                },
            },
        },
        "/v1/admin": {"get": {"security": [{"lambda": []}]}, "post": {"security": [{"pool": []}]}, "put": {}},
    },
}


class TestOpenApiDocuments:
    def methods(self, world: World, api: str) -> dict[tuple[str, str], dict[str, Any]]:
        items = world.rest.get_resources(restApiId=api, embed=["methods"])["items"]
        return {(one["path"], name): method for one in items for name, method in one.get("resourceMethods", {}).items()}

    def test_an_import_has_the_methods_of_the_document(self, world: World) -> None:
        api = world.rest.import_rest_api(body=json.dumps(DOCUMENT).encode())
        methods = self.methods(world, api["id"])
        proxy = methods["/v1/{proxy+}", "ANY"]
        authorizers = {one["name"]: one["id"] for one in world.rest.get_authorizers(restApiId=api["id"])["items"]}
        assert (api["name"], sorted(methods)) == (
            "orders",
            [("/v1/admin", "GET"), ("/v1/admin", "POST"), ("/v1/admin", "PUT"), ("/v1/{proxy+}", "ANY")],
        )
        integration = proxy.pop("methodIntegration")
        assert proxy == {
            "httpMethod": "ANY",
            "authorizationType": "AWS_IAM",
            "apiKeyRequired": True,
            "requestParameters": {"method.request.path.proxy": True},
            "methodResponses": {},
        }
        assert {name: integration[name] for name in ("type", "uri", "connectionType", "connectionId")} == {
            "type": "HTTP_PROXY",
            "uri": "https://orders.example.com/{proxy}",
            "connectionType": "VPC_LINK",
            "connectionId": "link01",
        }
        assert integration["requestParameters"] == {"integration.request.path.proxy": "method.request.path.proxy"}
        assert {
            name: (methods["/v1/admin", name]["authorizationType"], methods["/v1/admin", name].get("authorizerId"))
            for name in ("GET", "POST", "PUT")
        } == {
            "GET": ("CUSTOM", authorizers["lambda"]),
            "POST": ("COGNITO_USER_POOLS", authorizers["pool"]),
            "PUT": ("NONE", None),
        }

    def test_merging_a_document_changes_what_is_there_and_adds_the_rest(self, world: World) -> None:
        made = world.proxy()
        paths = {"/{proxy+}": {"get": {"security": [{"signed": []}]}}, "/health": {"get": {}}}
        world.rest.put_rest_api(
            restApiId=made.api, mode="merge", body=json.dumps({**DOCUMENT, "paths": paths}).encode()
        )
        methods = self.methods(world, made.api)
        assert {each: method["authorizationType"] for each, method in methods.items()} == {
            ("/health", "GET"): "NONE",
            ("/{proxy+}", "ANY"): "NONE",
            ("/{proxy+}", "GET"): "AWS_IAM",
        }

    def test_overwriting_with_a_document_leaves_nothing_else(self, world: World) -> None:
        made = world.proxy()
        swagger = {"swagger": "2.0", "info": {"title": "orders", "version": "2"}, "paths": {"/health": {"get": {}}}}
        world.rest.put_rest_api(restApiId=made.api, mode="overwrite", body=json.dumps(swagger).encode())
        assert list(self.methods(world, made.api)) == [("/health", "GET")]


class TestHttpApis:
    def test_an_integration_keeps_its_tls_name_and_its_host(self, world: World) -> None:
        api = world.http.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]
        wanted = {
            "ConnectionId": "link01",
            "ConnectionType": "VPC_LINK",
            "IntegrationMethod": "ANY",
            "IntegrationType": "HTTP_PROXY",
            "IntegrationUri": NLB.replace(":loadbalancer/", ":listener/") + "/0123456789abcdef",
            "PayloadFormatVersion": "1.0",
            "RequestParameters": {"overwrite:header.Host": "orders.example.com"},
            "TlsConfig": {"ServerNameToVerify": "orders.example.com"},
        }
        made = plain(world.http.create_integration(ApiId=api, **wanted))
        assert made == {**wanted, "IntegrationId": made["IntegrationId"], "TimeoutInMillis": 30000}
        other = {"ServerNameToVerify": "other.example.com"}
        world.http.update_integration(ApiId=api, IntegrationId=made["IntegrationId"], TlsConfig=other)
        assert world.http.get_integrations(ApiId=api)["Items"] == [{**made, "TlsConfig": other}]

    def test_an_integration_is_over_the_internet_unless_it_says_otherwise(self, world: World) -> None:
        api = world.http.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]
        asked = {"ApiId": api, "IntegrationType": "HTTP_PROXY", "PayloadFormatVersion": "1.0"}
        assert world.http.create_integration(**asked)["ConnectionType"] == "INTERNET"
        code, _ = refusal(lambda: world.http.create_integration(**asked, ConnectionType="VPC_LINK"))
        assert code == "BadRequestException"

    def test_a_stage_is_updated_deployed_to_and_loses_its_logs(self, anywhere: World) -> None:
        http = anywhere.http
        api = http.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]
        http.create_stage(ApiId=api, StageName="$default")
        logs = {"DestinationArn": LOG_GROUP, "Format": "$context.requestId"}
        updated = plain(http.update_stage(ApiId=api, StageName="$default", AutoDeploy=True, AccessLogSettings=logs))
        assert updated == {
            "AccessLogSettings": logs,
            "AutoDeploy": True,
            "CreatedDate": START,
            "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
            "LastUpdatedDate": START,
            "RouteSettings": {},
            "StageName": "$default",
            "StageVariables": {},
            "Tags": {},
        }
        anywhere.aws.clock.advance(60)
        deployment = plain(http.create_deployment(ApiId=api, StageName="$default", Description="first"))
        assert http.get_deployments(ApiId=api)["Items"] == [deployment]
        assert deployment == {
            "AutoDeployed": False,
            "CreatedDate": anywhere.aws.clock.now(),
            "DeploymentId": deployment["DeploymentId"],
            "DeploymentStatus": "DEPLOYED",
            "Description": "first",
        }
        http.delete_access_log_settings(ApiId=api, StageName="$default")
        del updated["AccessLogSettings"]
        assert http.get_stages(ApiId=api)["Items"] == [
            {**updated, "DeploymentId": deployment["DeploymentId"], "LastUpdatedDate": anywhere.aws.clock.now()}
        ]

    def test_a_stage_of_a_name_that_is_taken_is_refused(self, world: World) -> None:
        api = world.http.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]
        world.http.create_stage(ApiId=api, StageName="live", Tags={"team": "edge"})
        assert refusal(lambda: world.http.create_stage(ApiId=api, StageName="live"))[0] == "ConflictException"
        assert world.http.get_stage(ApiId=api, StageName="live")["Tags"] == {"team": "edge"}

    def test_apis_stages_and_vpc_links_are_tagged(self, anywhere: World) -> None:
        http = anywhere.http
        api = http.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]
        http.create_stage(ApiId=api, StageName="live")
        link = http.create_vpc_link(Name="front", SubnetIds=[])["VpcLinkId"]
        for path in (f"apis/{api}", f"apis/{api}/stages/live", f"vpclinks/{link}"):
            arn = f"arn:aws:apigateway:{REGION}::/{path}"
            http.tag_resource(ResourceArn=arn, Tags={"team": "edge", "stage": "test"})
            http.untag_resource(ResourceArn=arn, TagKeys=["stage"])
            assert http.get_tags(ResourceArn=arn)["Tags"] == {"team": "edge"}
        tags = (
            http.get_api(ApiId=api)["Tags"],
            http.get_stage(ApiId=api, StageName="live")["Tags"],
            http.get_vpc_link(VpcLinkId=link)["Tags"],
        )
        assert tags == ({"team": "edge"},) * 3

    def test_everything_comes_in_pages(self, world: World) -> None:
        http = world.http
        api = http.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]
        for number in range(26):
            http.create_api(Name=f"api-{number}", ProtocolType="HTTP")
            http.create_vpc_link(Name=f"link-{number}", SubnetIds=[])
            http.create_integration(ApiId=api, IntegrationType="HTTP_PROXY")
            http.create_route(ApiId=api, RouteKey=f"GET /{number}")
            http.create_stage(ApiId=api, StageName=f"stage-{number}")
            http.create_deployment(ApiId=api)
            http.create_authorizer(ApiId=api, AuthorizerType="JWT", IdentitySource=[], Name=f"authorizer-{number}")
        of_api = (
            http.get_authorizers,
            http.get_deployments,
            http.get_integrations,
            http.get_routes,
            http.get_stages,
        )
        for call, asked, left in (
            (http.get_apis, {}, 2),
            (http.get_vpc_links, {}, 1),
            *((call, {"ApiId": api}, 1) for call in of_api),
        ):
            first = call(**asked)
            second = call(**asked, NextToken=first["NextToken"])
            assert (len(first["Items"]), len(second["Items"]), "NextToken" in second) == (25, left, False)
        assert [one["StageName"] for one in http.get_stages(ApiId=api, MaxResults="2")["Items"]] == [
            "stage-0",
            "stage-1",
        ]
