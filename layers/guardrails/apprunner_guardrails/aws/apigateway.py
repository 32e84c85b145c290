"""API Gateway: VPC links of both generations, and the REST and HTTP APIs whose requests may go through them.

What is read of an API is its working copy, as it was last edited: a stage without automatic deployment serves what was
deployed to it (docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.facts import NOT_ASKED, Api, Integration, Stage, Unread, VpcLink

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import (
        ResourceTypeDef,
        RestApiTypeDef,
        StageTypeDef,
    )
    from mypy_boto3_apigateway.type_defs import VpcLinkTypeDef as RestLinkTypeDef

    from apprunner_guardrails.aws.reads import Page

# The quotas of an account in a Region are 10 calls a second, of both generations together, and 5 of GetResources in 2
# seconds (docs.aws.amazon.com/apigateway/latest/developerguide/limits.html). A call that has waited its turn among all
# may come later for want of one of its own, beside whose turn it then is: both paces together stay below the quota.
CALLS_PER_SECOND, RESOURCES_PER_SECOND = 7.0, 2.0
PAGE = 500  # the most that the first generation gives; the second documents no maximum, and is not asked for one


def paces(pace: Callable[[float], Callable[[], None]]) -> Mapping[str, Callable[[], None]]:
    """What calls of API Gateway wait for, as `Reads` takes it; `pace` makes it of how many there may be a second."""
    every, resources = pace(CALLS_PER_SECOND), pace(RESOURCES_PER_SECOND)

    def both() -> None:
        every()
        resources()  # the last to wait for is what is kept to exactly

    return {"apigateway": every, "apigatewayv2": every, "apigateway:GetResources": both}


def _texts(said: Mapping[str, str] | None) -> Mapping[str, str]:
    """A map of text, as its model has it: AWS was seen to tell null in one."""
    return {name: text or "" for name, text in (said or {}).items()}


# VPC links -----------------------------------------------------------------------------------------------------------


def first_links(reads: Reads) -> Pending[tuple[VpcLink, ...]]:
    """The Region's VPC links of the first generation, by id."""
    return reads.ask("apigateway", "GetVpcLinks", _first_links, limit=PAGE)


def second_links(reads: Reads) -> Pending[tuple[VpcLink, ...]]:
    """The Region's VPC links of the second generation, by id."""
    return reads.ask("apigatewayv2", "GetVpcLinks", _second_links)


def first_link(row: "RestLinkTypeDef") -> VpcLink:
    return VpcLink(
        id=row["id"],
        name=row.get("name", ""),
        generation=1,
        status=row.get("status", ""),
        why=row.get("statusMessage", ""),
        target_arns=tuple(sorted(row.get("targetArns", ()))),
    )


def second_link(row: "Page") -> VpcLink:
    return VpcLink(
        id=row["VpcLinkId"],
        name=row["Name"],
        generation=2,
        status=row.get("VpcLinkStatus", ""),
        why=row.get("VpcLinkStatusMessage", ""),
        subnet_ids=tuple(sorted(row["SubnetIds"])),
        group_ids=tuple(sorted(row["SecurityGroupIds"])),
    )


def _first_links(pages: "Sequence[Page]") -> tuple[VpcLink, ...]:
    return _by_id(first_link(row) for page in pages for row in page.get("items", ()))


def _second_links(pages: "Sequence[Page]") -> tuple[VpcLink, ...]:
    return _by_id(second_link(row) for page in pages for row in page.get("Items", ()))


def _by_id[T: (VpcLink, Api)](rows: Iterator[T]) -> tuple[T, ...]:
    return tuple(sorted(rows, key=lambda one: one.id))


# REST APIs -----------------------------------------------------------------------------------------------------------


def rest_apis(reads: Reads, region: str) -> Pending[tuple[Api, ...]]:
    """The Region's REST APIs by id, without their integrations and stages."""

    def apis(pages: "Sequence[Page]") -> tuple[Api, ...]:
        return _by_id(rest_api(row, region) for page in pages for row in page.get("items", ()))

    return reads.ask("apigateway", "GetRestApis", apis, limit=PAGE)


def rest_integrations(reads: Reads, api_id: str) -> Pending[tuple[Integration, ...]]:
    """The integrations of all methods, by path and method; stage variables stand in them by name."""
    return reads.ask("apigateway", "GetResources", _rest_integrations, restApiId=api_id, embed=["methods"], limit=PAGE)


def rest_stages(reads: Reads, api_id: str) -> Pending[tuple[Stage, ...]]:
    """Whole: AWS has no pages of them."""
    return reads.ask("apigateway", "GetStages", _rest_stages, restApiId=api_id)


def rest_api(row: "RestApiTypeDef", region: str) -> Api:
    return Api(
        id=row["id"],
        name=row.get("name", ""),
        kind="REST",
        region=region,
        integrations=NOT_ASKED,
        stages=NOT_ASKED,
        tags=_texts(row.get("tags")),
    )


def rest_methods(row: "ResourceTypeDef") -> Iterator[Integration]:
    """Of a resource: its methods that have an integration."""
    for name, method in sorted(row.get("resourceMethods", {}).items()):
        made = method.get("methodIntegration")
        if made:
            linked = made.get("connectionType") == "VPC_LINK"
            yield Integration(
                where=f"{name} {row['path']}",
                id=row["id"],
                kind=made.get("type", ""),
                uri=made.get("uri", ""),
                link_id=made.get("connectionId", "") if linked else "",
                target_arn=made.get("integrationTarget", ""),
                declared={name: bool(one) for name, one in method.get("requestParameters", {}).items()},
                mapped=_texts(made.get("requestParameters")),
                authorization=method.get("authorizationType", "NONE"),
                api_key=method.get("apiKeyRequired", False),
            )


def rest_stage(row: "StageTypeDef") -> Stage:
    return Stage(
        name=row["stageName"],
        logged=bool(row.get("accessLogSettings", {}).get("destinationArn")),
        traced=row.get("tracingEnabled", False),
        variables=_texts(row.get("variables")),
    )


def _rest_integrations(pages: "Sequence[Page]") -> tuple[Integration, ...]:
    rows = sorted((row for page in pages for row in page.get("items", ())), key=lambda row: str(row["path"]))
    return tuple(one for row in rows for one in rest_methods(row))


def _rest_stages(pages: "Sequence[Page]") -> tuple[Stage, ...]:
    return tuple(sorted((rest_stage(row) for row in pages[0].get("item", ())), key=lambda stage: stage.name))


# HTTP APIs -----------------------------------------------------------------------------------------------------------


def http_apis(reads: Reads, region: str) -> Pending[tuple[Api, ...]]:
    """The Region's HTTP APIs by id, without their integrations and stages; WebSocket APIs have no such links."""

    def apis(pages: "Sequence[Page]") -> tuple[Api, ...]:
        rows = (row for page in pages for row in page.get("Items", ()))
        return _by_id(http_api(row, region) for row in rows if row["ProtocolType"] == "HTTP")

    return reads.ask("apigatewayv2", "GetApis", apis)


def http_integrations(reads: Reads, api_id: str) -> Pending[tuple[Integration, ...]]:
    """The integration of each route, by its key; what no route leads to is left out."""
    asked = reads.ask("apigatewayv2", "GetIntegrations", _rows_by_id, ApiId=api_id)
    routes = reads.ask("apigatewayv2", "GetRoutes", _items, ApiId=api_id)

    def wait() -> tuple[Integration, ...] | Unread:
        made, led = asked(), routes()
        if isinstance(made, Unread) or isinstance(led, Unread):
            return made if isinstance(made, Unread) else led if isinstance(led, Unread) else ()
        found = (
            http_route(route, made[name])
            for route in led
            if (name := str(route.get("Target", "")).removeprefix("integrations/")) in made
        )
        return tuple(sorted(found, key=lambda one: one.where))

    return wait


def http_stages(reads: Reads, api_id: str) -> Pending[tuple[Stage, ...]]:
    return reads.ask("apigatewayv2", "GetStages", _http_stages, ApiId=api_id)


def http_api(row: "Page", region: str) -> Api:
    return Api(
        id=row["ApiId"],
        name=row["Name"],
        kind="HTTP",
        region=region,
        integrations=NOT_ASKED,
        stages=NOT_ASKED,
        tags=_texts(row.get("Tags")),
    )


def http_route(route: "Page", made: "Page") -> Integration:
    """A route, with its integration. Where that goes through a VPC link, its URI is the ARN of what is behind."""
    linked = made.get("ConnectionType") == "VPC_LINK"
    uri = made.get("IntegrationUri", "")
    return Integration(
        where=route["RouteKey"],
        id=made["IntegrationId"],
        kind=made.get("IntegrationType", ""),
        uri=uri,
        link_id=made.get("ConnectionId", "") if linked else "",
        target_arn=uri if linked else "",
        server_name=made.get("TlsConfig", {}).get("ServerNameToVerify", ""),
        mapped=_texts(made.get("RequestParameters")),
        authorization=route.get("AuthorizationType", "NONE"),
    )


def http_stage(row: "Page") -> Stage:
    return Stage(
        name=row["StageName"],
        logged=bool(row.get("AccessLogSettings", {}).get("DestinationArn")),
        traced=None,
        variables=_texts(row.get("StageVariables")),
    )


def _items(pages: "Sequence[Page]") -> "Sequence[Page]":
    return [row for page in pages for row in page.get("Items", ())]


def _rows_by_id(pages: "Sequence[Page]") -> "Mapping[str, Page]":
    return {row["IntegrationId"]: row for row in _items(pages)}


def _http_stages(pages: "Sequence[Page]") -> tuple[Stage, ...]:
    return tuple(sorted((http_stage(row) for row in _items(pages)), key=lambda stage: stage.name))
