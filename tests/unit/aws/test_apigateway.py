"""API Gateway: what is asked of both generations, how it is put together, and at what pace."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from apprunner_guardrails.aws import apigateway
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Pace, Reads
from apprunner_guardrails.facts import Integration, Unread
from tests.aws import Aws, Fault, refused
from tests.private_path import (
    DOMAIN,
    HTTP_API,
    LINK,
    LISTENER,
    REST_API,
    SECOND_LINK,
    http_api,
    http_integration,
    private_path,
    resource,
    with_http_api,
)
from tests.samples import REGION, Rows


def rows() -> Rows:
    return with_http_api(private_path())


def test_what_the_first_generation_is_asked() -> None:
    with Aws(rows()) as aws:
        reads = Reads(client)
        apigateway.first_links(reads)()
        apigateway.rest_apis(reads, REGION)()
        apigateway.rest_integrations(reads, REST_API)()
        apigateway.rest_stages(reads, REST_API)()
    assert [(one.action, one.parameters) for one in aws.calls] == [
        ("apigateway:GetVpcLinks", {"limit": 500}),
        ("apigateway:GetRestApis", {"limit": 500}),
        ("apigateway:GetResources", {"restApiId": REST_API, "embed": ["methods"], "limit": 500}),
        ("apigateway:GetStages", {"restApiId": REST_API}),
    ]


def test_what_the_second_generation_is_asked() -> None:
    with Aws(rows()) as aws:
        reads = Reads(client)
        apigateway.second_links(reads)()
        apigateway.http_apis(reads, REGION)()
        apigateway.http_integrations(reads, HTTP_API)()
        apigateway.http_stages(reads, HTTP_API)()
    assert [(one.action, one.parameters) for one in aws.calls] == [
        ("apigatewayv2:GetVpcLinks", {}),
        ("apigatewayv2:GetApis", {}),
        ("apigatewayv2:GetIntegrations", {"ApiId": HTTP_API}),
        ("apigatewayv2:GetRoutes", {"ApiId": HTTP_API}),
        ("apigatewayv2:GetStages", {"ApiId": HTTP_API}),
    ]


def test_integrations_are_sorted_by_path_and_method() -> None:
    some = rows()
    both = resource()
    both["resourceMethods"]["DELETE"] = both["resourceMethods"]["ANY"]
    some["RestResources"] = [both, {**resource(), "path": "/health"}, {"restApiId": REST_API, "id": "r", "path": "/"}]
    with Aws(some):
        told = apigateway.rest_integrations(Reads(client), REST_API)()
    assert isinstance(told, tuple)
    assert [one.where for one in told] == ["ANY /health", "ANY /{proxy+}", "DELETE /{proxy+}"]


def test_what_aws_leaves_null_in_a_map_is_empty() -> None:
    (told,) = apigateway._rest_integrations(
        [{"items": [resource(link=LINK, requestParameters={"integration.request.path.proxy": None})]}]
    )
    assert told.mapped == {"integration.request.path.proxy": ""}


def test_websocket_apis_are_left_out() -> None:
    some = rows()
    some["HttpApis"] = [http_api("socket", "WEBSOCKET"), http_api("z"), http_api("a")]
    with Aws(some):
        told = apigateway.http_apis(Reads(client), REGION)()
    assert isinstance(told, tuple)
    assert [one.id for one in told] == ["a", "z"]


def http_routes(some: Rows, faults: Mapping[str, Fault] | None = None) -> tuple[Integration, ...] | Unread:
    with Aws(some, faults):
        return apigateway.http_integrations(Reads(client), HTTP_API)()


def test_each_route_of_an_http_api_has_its_integration() -> None:
    """One integration may serve several routes; what no route leads to serves nobody."""
    some = rows()
    some["HttpIntegrations"] = [http_integration(), http_integration("https://unused.test", IntegrationId="i2")]
    some["HttpRoutes"] = [
        {"ApiId": HTTP_API, "RouteKey": "GET /b", "Target": "integrations/i1", "AuthorizationType": "JWT"},
        {"ApiId": HTTP_API, "RouteKey": "$default", "Target": "integrations/i1"},
        {"ApiId": HTTP_API, "RouteKey": "GET /gone", "Target": "integrations/i9"},
        {"ApiId": HTTP_API, "RouteKey": "GET /idle"},
    ]
    made = Integration(
        where="$default",
        id="i1",
        kind="HTTP_PROXY",
        uri=LISTENER,
        link_id=SECOND_LINK,
        target_arn=LISTENER,
        server_name=DOMAIN,
        mapped={"overwrite:header.Host": DOMAIN},
    )
    by_jwt = Integration(**{**_fields(made), "where": "GET /b", "authorization": "JWT"})
    assert http_routes(some) == (made, by_jwt)


def _fields(one: Integration) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


@pytest.mark.parametrize("operation", ["GetIntegrations", "GetRoutes"])
def test_integrations_of_an_http_api_are_unread_where_half_of_them_is(operation: str) -> None:
    action = f"apigatewayv2:{operation}"
    told = http_routes(rows(), {action: refused("TooManyRequestsException", 429)})
    assert told == Unread(call=action, code="TooManyRequestsException")


@pytest.mark.parametrize(
    ("ask", "action"),
    [
        (apigateway.first_links, "apigateway:GetVpcLinks"),
        (apigateway.second_links, "apigatewayv2:GetVpcLinks"),
    ],
)
def test_a_call_that_failed_has_the_name_that_the_sdk_has_for_it(
    ask: Callable[[Reads], Callable[[], object]], action: str
) -> None:
    with Aws(rows(), {action: refused("AccessDeniedException", 403)}):
        assert ask(Reads(client))() == Unread(call=action, code="AccessDeniedException")


# At a pace -----------------------------------------------------------------------------------------------------------


@dataclass
class Gateway:
    """Stands in for the clients of both generations, and tells when each call came in by a clock of its own: time
    passes for a thread when it sleeps."""

    start: float = 100.0
    slept: dict[int, float] = field(default_factory=dict)
    came: list[tuple[float, str]] = field(default_factory=list)

    def now(self) -> float:
        return self.start + self.slept.get(threading.get_ident(), 0.0)

    def sleep(self, seconds: float) -> None:
        self.slept[threading.get_ident()] = self.slept.get(threading.get_ident(), 0.0) + seconds

    def client(self, service: str) -> "Gateway":
        return self

    def get_resources(self, **asked: object) -> Mapping[str, Any]:
        return self._come("GetResources")

    def get_stages(self, **asked: object) -> Mapping[str, Any]:
        return self._come("GetStages")

    def get_routes(self, **asked: object) -> Mapping[str, Any]:
        return self._come("GetRoutes")

    def get_integrations(self, **asked: object) -> Mapping[str, Any]:
        return self._come("GetIntegrations")

    def _come(self, operation: str) -> Mapping[str, Any]:
        self.came.append((self.now(), operation))
        return {}

    def pace(self, per_second: float) -> Pace:
        return Pace(per_second, self.now, self.sleep)


def test_of_both_generations_never_more_than_ten_calls_come_in_a_second_nor_two_resources_in_half_a_one() -> None:
    gateway = Gateway()
    reads = Reads(gateway.client, paces=apigateway.paces(gateway.pace))  # type: ignore[arg-type]  # a client as far as it is used
    asked: list[Callable[[], object]] = []
    for number in range(12):
        asked += [apigateway.rest_integrations(reads, f"a{number}"), apigateway.http_integrations(reads, f"b{number}")]
        asked += [apigateway.rest_stages(reads, f"a{number}")]
    for one in asked:
        one()
    times = sorted(time for time, _ in gateway.came)
    resources = sorted(time for time, operation in gateway.came if operation == "GetResources")
    assert len(times) == 48
    assert min(later - time for time, later in zip(times, times[10:], strict=False)) >= 1
    assert min(later - time for time, later in pairwise(resources)) >= 1 / apigateway.RESOURCES_PER_SECOND - 1e-9


def test_the_paces_keep_to_what_aws_documents() -> None:
    together = apigateway.CALLS_PER_SECOND + apigateway.RESOURCES_PER_SECOND
    assert (together < 10, apigateway.RESOURCES_PER_SECOND < 5 / 2) == (True, True)


def test_calls_of_other_services_do_not_wait_for_api_gateway() -> None:
    waited: list[float] = []

    def pace(per_second: float) -> Callable[[], None]:
        return lambda: waited.append(per_second)

    with Aws(rows()):
        reads = Reads(client, paces=apigateway.paces(pace))
        reads.ask("ec2", "DescribeSubnets", list)()
        apigateway.rest_stages(reads, REST_API)()
        apigateway.rest_integrations(reads, REST_API)()
    every, resources = apigateway.CALLS_PER_SECOND, apigateway.RESOURCES_PER_SECOND
    assert waited == [every, every, resources]
