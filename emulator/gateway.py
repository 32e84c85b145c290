"""Amazon API Gateway as AWS has it, REST APIs (the first generation) and HTTP APIs (the second): what moto 5.2.5
answers otherwise of what the guardrails read, and the calls that it lacks.

| about            | moto                                        | after install()                                     |
|------------------|---------------------------------------------|-----------------------------------------------------|
| REST: lists      | everything at once                          | pages by position and limit, of 25 unless asked     |
| REST: resources  | methods are always shown                    | as {} unless they are embedded                      |
| REST: methods,   | forget connectionId and integrationTarget,  | kept, with AWS's defaults; UpdateMethod and         |
| integrations     | have no defaults, cannot be patched         | UpdateIntegration                                   |
| REST: stages     | a deployment replaces a stage that is       | the stage keeps its logs, tracing and tags; dates   |
|                  | there; no dates                             |                                                     |
| REST: imports    | paths that are there come twice, every      | merged; `any` methods, authorizers, API keys,       |
|                  | method is open, connections are lost        | parameters and connections as the document has them |
| REST: tags       | those of stages only                        | those of APIs, stages and VPC links                 |
| HTTP: lists      | everything at once                          | pages                                               |
| HTTP: stages     | cannot be updated, one replaces another of  | UpdateStage, DeleteAccessLogSettings, deployments;  |
|                  | its name, no deployments, other tags        | refused; the tags of TagResource                    |
| HTTP: connection | INTERNET is not said; VPC_LINK needs nothing| it is; a connectionId                               |
| VPC links, both  | available at once, deleted at once, not     | PENDING for CLOCK.pending_seconds, then AVAILABLE,  |
|                  | patched                                     | or FAILED if the load balancer is not there;        |
|                  |                                             | DELETING; UpdateVpcLink; SETTINGS.states            |

A REST API's VPC link that an integration of a deployed API names cannot be deleted. Not reproduced: the interfaces of
an HTTP API's VPC link, and that it becomes INACTIVE when it is not used for 60 days (SETTINGS.states can say so);
ImportApi; that changes of an API have no effect before it is deployed.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from moto.apigateway import urls as rest_urls
from moto.apigateway.exceptions import BadRequestException, NotFoundException
from moto.apigateway.models import (
    APIGatewayBackend,
    Deployment,
    Integration,
    Resource,
    RestAPI,
    Stage,
    VpcLink,
)
from moto.apigateway.models import Method as ApiMethod
from moto.apigateway.responses import APIGatewayResponse
from moto.apigatewayv2 import urls as http_urls
from moto.apigatewayv2.exceptions import APIGatewayV2Error
from moto.apigatewayv2.models import Api, ApiGatewayV2Backend
from moto.apigatewayv2.models import Stage as HttpStage
from moto.apigatewayv2.models import VpcLink as HttpVpcLink
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.core.common_types import TYPE_RESPONSE
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal import mock_random

from emulator.clock import CLOCK
from emulator.routes import Method, override
from emulator.settings import SETTINGS

PAGE, MAX_PAGE = 25, 500
"""Of REST APIs; those of HTTP APIs are not documented, and taken to be the same."""

DELETING_SECONDS = 30
READY = {"REST": "Your vpc link is ready for use", "HTTP": "VPC link is ready to route traffic"}
"""As AWS's own examples show them; the messages of failures are ours."""

PROVISIONING = "VPC link is provisioning ENIs"

type Document = Mapping[str, Any]
"""A part of an OpenAPI document."""


# --- Pages ----------------------------------------------------------------------------------------------------------

REST_PAGES = ("get_authorizers", "get_deployments", "get_resources", "get_rest_apis", "get_vpc_links")
HTTP_PAGES = (
    "get_apis",
    "get_authorizers",
    "get_deployments",
    "get_integrations",
    "get_routes",
    "get_stages",
    "get_vpc_links",
)


def _rest_page(name: str, moto: Method, response: APIGatewayResponse) -> str:
    items = json.loads(moto(response))["item"]
    size = _asked(response, "limit", PAGE)
    if not 1 <= size <= MAX_PAGE:
        raise BadRequestException(f"Invalid value for 'limit'. Allowed range is [1, {MAX_PAGE}].")
    page, more = _part(items, name, _asked(response, "position", ""), size)
    return json.dumps({"item": page, **({"position": more} if more else {})})


def _http_page(name: str, moto: Method, response: ApiGatewayV2Response) -> TYPE_RESPONSE:
    status, headers, body = moto(response)
    token, size = _asked(response, "nextToken", ""), _asked(response, "maxResults", PAGE)
    page, more = _part(json.loads(body)["items"], name, token, size)
    return status, headers, json.dumps({"items": page, **({"nextToken": more} if more else {})})


def _asked[T: (str, int)](response: APIGatewayResponse | ApiGatewayV2Response, name: str, default: T) -> T:
    values = response.querystring.get(name)
    return type(default)(values[0]) if values else default


def _part(items: Sequence[Any], name: str, token: str, size: int) -> tuple[Sequence[Any], str]:
    """One page, and the token of the next one."""
    start = _offset(token, name) if token else 0
    end = start + size
    more = base64.urlsafe_b64encode(f"{name}:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], more


def _offset(token: str, name: str) -> int:
    try:
        kind, _, offset = base64.urlsafe_b64decode(token).decode().partition(":")
        if kind == name:
            return int(offset)
    except (binascii.Error, ValueError):
        pass
    raise BadRequestException("Invalid position parameter")


# --- REST APIs: resources, methods, integrations --------------------------------------------------------------------


def _new_rest_api(moto: Method, api: RestAPI, **request: Any) -> None:
    moto(api, **request)
    api.create_date = int(CLOCK.now().timestamp())


def _new_deployment(moto: Method, deployment: Deployment, **request: Any) -> None:
    moto(deployment, **request)
    deployment.created_date = int(CLOCK.now().timestamp())


def _answer_resources(_moto: Method, response: APIGatewayResponse) -> str:
    resources = response.backend.get_resources(response.uri_match["restapi_id"])
    return json.dumps({"item": [_shown(response, each) for each in resources]})


def _answer_resource(_moto: Method, response: APIGatewayResponse) -> str:
    asked = response.uri_match
    return json.dumps(_shown(response, response.backend.get_resource(asked["restapi_id"], asked["resource_id"])))


def _shown(response: APIGatewayResponse, resource: Resource) -> dict[str, Any]:
    shown = resource.to_dict()
    if "methods" not in response.querystring.get("embed", ()) and "resourceMethods" in shown:
        shown["resourceMethods"] = {name: {} for name in shown["resourceMethods"]}
    return shown


def _method(response: APIGatewayResponse) -> ApiMethod:
    asked = response.uri_match
    return response.backend.get_method(asked["restapi_id"], asked["resource_id"], asked["http_method"])


def _integration(response: APIGatewayResponse) -> Integration:
    integration = _method(response).method_integration
    if integration is None:
        raise NotFoundException("Invalid Integration identifier specified")
    return integration


def _put_integration(moto: Method, response: APIGatewayResponse) -> Any:
    if response._get_param("connectionType") == "VPC_LINK" and not response._get_param("connectionId"):
        raise BadRequestException("Connection type VPC_LINK requires a connectionId")
    status, headers, _ = moto(response)
    integration = _integration(response)
    _complete(
        integration,
        response.uri_match["resource_id"],
        connection_id=response._get_param("connectionId"),
        integration_target=response._get_param("integrationTarget"),
    )
    return status, headers, json.dumps(integration.to_json())


def _complete(
    integration: Integration,
    resource_id: str,
    *,
    connection_id: str | None = None,
    integration_target: str | None = None,
) -> None:
    """What moto forgets of a new integration, and AWS's defaults."""
    made = vars(integration)
    made.update(connection_id=connection_id, integration_target=integration_target)
    made["cache_namespace"] = integration.cache_namespace or resource_id
    made["passthrough_behaviour"] = integration.passthrough_behaviour or "WHEN_NO_MATCH"
    made["timeout_in_millis"] = int(integration.timeout_in_millis or 29000)


def _integration_as_json(moto: Method, integration: Integration) -> dict[str, Any]:
    kept = vars(integration)
    return {
        **moto(integration),
        "connectionId": kept.get("connection_id"),
        "integrationTarget": kept.get("integration_target"),
    }


def _update_integration(response: APIGatewayResponse) -> str:
    integration = _integration(response)
    _patch(integration, INTEGRATION_MEMBERS, response._get_param("patchOperations", []))
    return json.dumps(integration.to_json())


def _update_method(response: APIGatewayResponse) -> str:
    method = _method(response)
    _patch(method, METHOD_MEMBERS, response._get_param("patchOperations", []))
    return json.dumps(method.to_json())


def _update_vpc_link(response: APIGatewayResponse) -> str:
    link = response.backend.get_vpc_link(response.uri_match["vpclink_id"])
    _patch(link, VPC_LINK_MEMBERS, response._get_param("patchOperations", []))
    return json.dumps(link.to_json())


# --- Patches --------------------------------------------------------------------------------------------------------

INTEGRATION_MEMBERS = {
    "cacheKeyParameters": "cache_key_parameters",
    "cacheNamespace": "cache_namespace",
    "connectionId": "connection_id",
    "connectionType": "connection_type",
    "contentHandling": "content_handling",
    "credentials": "credentials",
    "httpMethod": "http_method",
    "integrationTarget": "integration_target",
    "passthroughBehavior": "passthrough_behaviour",
    "requestParameters": "request_parameters",
    "requestTemplates": "request_templates",
    "timeoutInMillis": "timeout_in_millis",
    "tlsConfig": "tls_config",
    "uri": "uri",
}
METHOD_MEMBERS = {
    "apiKeyRequired": "api_key_required",
    "authorizationScopes": "authorization_scopes",
    "authorizationType": "authorization_type",
    "authorizerId": "authorizer_id",
    "operationName": "operation_name",
    "requestModels": "request_models",
    "requestParameters": "request_parameters",
    "requestValidatorId": "request_validator_id",
}
VPC_LINK_MEMBERS = {"description": "description", "name": "name"}
"""What can be patched, and moto's attribute for it."""

LISTS = frozenset({"authorizationScopes", "cacheKeyParameters"})


def _patch(patched: object, members: Mapping[str, str], operations: Iterable[Mapping[str, str]]) -> None:
    """Paths are JSON pointers: /uri, /requestParameters/integration.request.path.proxy."""
    for operation in operations:
        name, *inner = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        if name not in members or operation["op"] not in ("add", "remove", "replace"):
            raise BadRequestException(
                f"Invalid patch path  '{operation['path']}' specified for op '{operation['op']}'."
                f" Must be one of: {', '.join(f'/{member}' for member in sorted(members))}"
            )
        removed, value = operation["op"] == "remove", _typed(name, operation.get("value"))
        attribute = members[name]
        before = vars(patched).get(attribute)
        if name in LISTS:
            one = inner[0] if inner else value
            after: Any = [each for each in before or () if each != one] + ([] if removed else [one])
        elif inner:
            after = {key: each for key, each in (before or {}).items() if key != inner[0]}
            after |= {} if removed else {inner[0]: _typed(inner[0], operation.get("value"))}
        else:
            after = None if removed else value
        vars(patched)[attribute] = after


def _typed(name: str, value: str | None) -> object:
    """Values of patches are texts; of these members they stand for something else."""
    if name == "timeoutInMillis":
        return int(value or 0)
    is_boolean = name in ("apiKeyRequired", "insecureSkipVerification") or name.startswith("method.request.")
    return value == "true" if is_boolean else value


# --- REST APIs: stages and tags -------------------------------------------------------------------------------------


def _new_stage(moto: Method, stage: Stage, **request: Any) -> None:
    moto(stage, **request)
    now = int(CLOCK.now().timestamp())
    vars(stage).update(created_date=now, last_updated_date=now)


def _stage_as_json(moto: Method, stage: Stage) -> dict[str, Any]:
    kept = vars(stage)
    dates = {"createdDate": kept.get("created_date"), "lastUpdatedDate": kept.get("last_updated_date")}
    return {"cacheClusterStatus": "NOT_AVAILABLE", "tracingEnabled": False, **moto(stage), **dates}


def _update_stage(moto: Method, stage: Stage, patch_operations: Any) -> Stage:
    moto(stage, patch_operations)
    return _touched(stage)


def _touched(stage: Stage) -> Stage:
    vars(stage).update(last_updated_date=int(CLOCK.now().timestamp()))
    return stage


def _create_deployment(
    moto: Method, api: RestAPI, name: str, description: str, stage_variables: Any = None
) -> Deployment:
    """A stage that is there gets the new deployment, and stays what it is."""
    before = api.stages.get(name)
    deployment: Deployment = moto(api, name, description, stage_variables)
    if before is not None:
        before.deployment_id = deployment.id
        before.variables = {**before.variables, **(stage_variables or {})}
        api.stages[name] = _touched(before)
    return deployment


def _answer_create_deployment(moto: Method, response: APIGatewayResponse) -> TYPE_RESPONSE:
    answer: TYPE_RESPONSE = moto(response)
    get = response._get_param
    stage = response.backend.get_rest_api(response.uri_match["restapi_id"]).stages.get(get("stageName"))
    if stage is not None and get("tracingEnabled") is not None:
        stage.tracing_enabled = get("tracingEnabled")
    if stage is not None and get("stageDescription"):
        stage.description = get("stageDescription")
    return answer


def _tagged(response: APIGatewayResponse) -> RestAPI | Stage | VpcLink:
    """What carries the tags of the ARN arn:aws:apigateway:REGION::/restapis/ID, …/stages/NAME or /vpclinks/ID."""
    arn = str(response.uri_match["resource_arn"])
    match arn.split(":", 5)[-1].split("/")[1:]:
        case ["restapis", api_id]:
            return response.backend.get_rest_api(api_id)
        case ["restapis", api_id, "stages", name]:
            return response.backend.get_stage(api_id, name)
        case ["vpclinks", link_id]:
            return response.backend.get_vpc_link(link_id)
    raise BadRequestException(f"Invalid ARN specified in the request: {arn}")


def _tags_of(tagged: RestAPI | Stage | VpcLink) -> dict[str, str]:
    tags: dict[str, str] = vars(tagged)["tags"] or {}
    return tags


def _get_tags(_moto: Method, response: APIGatewayResponse) -> str:
    return json.dumps({"tags": _tags_of(_tagged(response))})


def _tag_resource(_moto: Method, response: APIGatewayResponse) -> TYPE_RESPONSE:
    tagged = _tagged(response)
    vars(tagged).update(tags={**_tags_of(tagged), **response._get_param("tags", {})})
    return 204, {"status": 204}, ""


def _untag_resource(_moto: Method, response: APIGatewayResponse) -> TYPE_RESPONSE:
    tagged, removed = _tagged(response), response.querystring.get("tagKeys", ())
    vars(tagged).update(tags={key: value for key, value in _tags_of(tagged).items() if key not in removed})
    return 204, {"status": 204}, ""


# --- REST APIs: OpenAPI documents -----------------------------------------------------------------------------------

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
AUTHORIZER = "x-amazon-apigateway-authorizer"
VERBS = frozenset({"delete", "get", "head", "options", "patch", "post", "put", ANY})


def _import_rest_api(
    _moto: Method, backend: APIGatewayBackend, *, api_doc: Document, fail_on_warnings: bool
) -> RestAPI:
    info = api_doc["info"]
    api = backend.create_rest_api(name=info["title"], description=info.get("description", ""))
    return backend.put_rest_api(api.id, dict(api_doc), fail_on_warnings=fail_on_warnings)


def _put_rest_api(
    moto: Method,
    backend: APIGatewayBackend,
    *,
    function_id: str,
    api_doc: Document,
    fail_on_warnings: bool,
    mode: str = "merge",
) -> RestAPI:
    """moto checks the document and finds no path in it; a Swagger document, which it refuses, is read as well."""
    checked = {**api_doc, "paths": {}, "swagger": None, "openapi": api_doc.get("openapi", "3.0.0")}
    api: RestAPI = moto(backend, function_id, checked, fail_on_warnings, "merge" if mode == "overwrite" else mode)
    if mode == "overwrite":
        root = api.default
        root.resource_methods.clear()
        api.resources = {root.id: root}
    for path, item in sorted(api_doc.get("paths", {}).items()):
        resource = _resource_at(backend, api, path)
        for verb, described in item.items():
            if verb in VERBS:
                shared = item.get("parameters", ())
                _put_method(backend, api, resource, verb=verb, described={**api_doc, **described}, shared=shared)
    return api


def _resource_at(backend: APIGatewayBackend, api: RestAPI, path: str) -> Resource:
    resource = api.default
    for part in path.strip("/").split("/"):
        if not part:
            continue
        children = (each for each in api.resources.values() if each.parent_id == resource.id)
        there = next((each for each in children if each.path_part == part), None)
        resource = there or backend.create_resource(api.id, resource.id, part)
    return resource


def _put_method(
    backend: APIGatewayBackend,
    api: RestAPI,
    resource: Resource,
    *,
    verb: str,
    described: Document,
    shared: Sequence[Document],
) -> None:
    """`described`: the operation's part of the document, over what the document says for all of them."""
    name = "ANY" if verb == ANY else verb.upper()
    backend.put_method(
        api.id,
        resource.id,
        name,
        request_parameters=_request_parameters([*shared, *described.get("parameters", ())]),
        **_authorization(backend, api, described),
    )
    for code in described.get("responses", {}):
        backend.put_method_response(api.id, resource.id, name, code, None, None)
    integration = described.get(INTEGRATION)
    if integration:
        arguments = backend._build_integration_args({**integration, "type": integration["type"].upper()})
        made = backend.put_integration(
            api.id, resource.id, name, **{key: value for key, value in arguments.items() if value is not None}
        )
        _complete(
            made,
            resource.id,
            connection_id=integration.get("connectionId"),
            integration_target=integration.get("integrationTarget"),
        )
        for response in backend._build_integration_responses_args(integration):
            given = {key: value for key, value in response.items() if value is not None}
            backend.put_integration_response(api.id, resource.id, name, **given)


def _request_parameters(parameters: Iterable[Document]) -> dict[str, bool]:
    places = {"header": "header", "path": "path", "query": "querystring"}
    return {
        f"method.request.{places[each['in']]}.{each['name']}": bool(each.get("required", False))
        for each in parameters
        if each.get("in") in places
    }


def _authorization(backend: APIGatewayBackend, api: RestAPI, described: Document) -> dict[str, Any]:
    schemes = described.get("components", {}).get("securitySchemes") or described.get("securityDefinitions", {})
    found: dict[str, Any] = {"authorization_type": "NONE", "api_key_required": False}
    for name in _security_names(described):
        scheme = schemes.get(name, {})
        kind = str(scheme.get(AUTHORIZER, {}).get("type", ""))
        if scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
            found["authorization_type"] = "AWS_IAM"
        elif kind:
            found["authorization_type"] = "COGNITO_USER_POOLS" if kind == "cognito_user_pools" else "CUSTOM"
            found["authorizer_id"] = _authorizer(backend, api, name, kind)
        elif scheme.get("name") == "x-api-key":
            found["api_key_required"] = True
    return found


def _security_names(described: Document) -> Iterator[str]:
    for requirement in described.get("security", ()):
        yield from requirement


def _authorizer(backend: APIGatewayBackend, api: RestAPI, name: str, kind: str) -> str:
    there = next((each for each in api.authorizers.values() if each.name == name), None)
    return str((there or backend.create_authorizer(api.id, name, kind.upper())).id)


# --- HTTP APIs ------------------------------------------------------------------------------------------------------

HTTP_STAGE_MEMBERS = {
    "accessLogSettings": "access_log_settings",
    "autoDeploy": "auto_deploy",
    "clientCertificateId": "client_certificate_id",
    "defaultRouteSettings": "default_route_settings",
    "deploymentId": "deployment_id",
    "description": "description",
    "routeSettings": "route_settings",
    "stageVariables": "stage_variables",
}


class HttpStageConflict(APIGatewayV2Error):
    code = 409

    def __init__(self) -> None:
        super().__init__("ConflictException", "Stage already exists")


class HttpBadRequest(APIGatewayV2Error):
    def __init__(self, message: str) -> None:
        super().__init__("BadRequestException", message)


def _new_api(moto: Method, api: Api, **request: Any) -> None:
    moto(api, **request)
    api.created_date = CLOCK.now()
    vars(api).update(deployments=[])


def _create_http_integration(moto: Method, api: Api, **request: Any) -> Any:
    kind = request.get("connection_type") or "INTERNET"
    if kind == "VPC_LINK" and not request.get("connection_id"):
        raise HttpBadRequest("ConnectionId is required for connection type VPC_LINK")
    return moto(api, **{**request, "connection_type": kind})


def _new_http_stage(moto: Method, stage: HttpStage, api: Api, config: dict[str, Any]) -> None:
    moto(stage, api, config)
    stage.created = stage.updated = CLOCK.now()
    arn = _stage_arn(api, stage.name)
    api.backend.tag_resource(arn, config.get("tags", {}))
    vars(stage).update(
        auto_deploy=bool(stage.auto_deploy), deployment_id=config.get("deploymentId"), arn=arn, backend=api.backend
    )


def _stage_arn(api: Api, name: str) -> str:
    return f"{api.arn}/stages/{name}"


def _http_stage_as_json(moto: Method, stage: HttpStage) -> dict[str, Any]:
    kept = vars(stage)
    deployment = {"deploymentId": kept["deployment_id"]} if kept["deployment_id"] else {}
    return {**moto(stage), **deployment, "tags": kept["backend"].get_tags(kept["arn"])}


def _create_http_stage(moto: Method, api: Api, config: Mapping[str, Any]) -> HttpStage:
    if config["stageName"] in api.stages:
        raise HttpStageConflict
    stage: HttpStage = moto(api, config)
    return stage


def _http_stage(response: ApiGatewayV2Response) -> HttpStage:
    asked = response.uri_match
    return response.apigatewayv2_backend.get_stage(asked["apiId"], asked["stageName"])


def _update_http_stage(response: ApiGatewayV2Response) -> TYPE_RESPONSE:
    stage, changes = _http_stage(response), json.loads(response.body or "{}")
    for name, value in changes.items():
        vars(stage)[HTTP_STAGE_MEMBERS[name]] = value
    stage.updated = CLOCK.now()
    return 200, {}, json.dumps(stage.to_json())


def _delete_access_log_settings(response: ApiGatewayV2Response) -> TYPE_RESPONSE:
    stage = _http_stage(response)
    stage.access_log_settings, stage.updated = None, CLOCK.now()
    return 204, {"status": 204}, ""


def _create_http_deployment(response: ApiGatewayV2Response) -> TYPE_RESPONSE:
    api = response.apigatewayv2_backend.get_api(response.uri_match["apiId"])
    asked = json.loads(response.body or "{}")
    deployment = {
        "autoDeployed": False,
        "createdDate": _iso(CLOCK.now()),
        "deploymentId": mock_random.get_random_string(6, lower_case=True),
        "deploymentStatus": "DEPLOYED",
        "description": asked.get("description"),
    }
    stage = api.get_stage(asked["stageName"]) if asked.get("stageName") else None
    if stage is not None:
        vars(stage).update(deployment_id=deployment["deploymentId"], updated=CLOCK.now())
    vars(api)["deployments"].append(deployment)
    return 201, {"status": 201}, json.dumps(deployment)


def _get_http_deployments(response: ApiGatewayV2Response) -> TYPE_RESPONSE:
    api = response.apigatewayv2_backend.get_api(response.uri_match["apiId"])
    return 200, {}, json.dumps({"items": vars(api)["deployments"]})


def _get_http_authorizers(response: ApiGatewayV2Response) -> TYPE_RESPONSE:
    api = response.apigatewayv2_backend.get_api(response.uri_match["apiId"])
    return 200, {}, json.dumps({"items": [each.to_json() for each in api.authorizers.values()]})


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


# --- VPC links ------------------------------------------------------------------------------------------------------


def _new_vpc_link(moto: Method, link: VpcLink, **request: Any) -> None:
    moto(link, **request)
    link.status = "PENDING"
    vars(link).update(status_message=None)


def _create_vpc_link(moto: Method, backend: APIGatewayBackend, **request: Any) -> VpcLink:
    if len(request["target_arns"]) != 1:
        raise BadRequestException("A VPC link has exactly one target, a Network Load Balancer")
    link: VpcLink = moto(backend, **request)
    CLOCK.schedule(CLOCK.pending_seconds, functools.partial(_connect, backend, link))
    return link


def _connect(backend: APIGatewayBackend, link: VpcLink) -> None:
    if link.status != "PENDING":
        return
    known = elbv2_backends[backend.account_id][backend.region_name].load_balancers
    missing = [arn for arn in link.target_arns if arn not in known]
    link.status = "FAILED" if missing else "AVAILABLE"
    vars(link).update(status_message=f"There is no load balancer {missing[0]}" if missing else READY["REST"])


def _vpc_link_as_json(moto: Method, link: VpcLink) -> dict[str, Any]:
    status = SETTINGS.state(link.id, link.status)
    message = vars(link)["status_message"] if status == link.status else None
    return {**moto(link), "status": status, "statusMessage": message}


def _delete_vpc_link(_moto: Method, backend: APIGatewayBackend, vpc_link_id: str) -> None:
    link = backend.get_vpc_link(vpc_link_id)
    if users := sorted(_users(backend, vpc_link_id)):
        raise BadRequestException(
            f"Cannot delete vpc link. Vpc link '{vpc_link_id}', is referenced in [{', '.join(users)}] in format of"
            " [Method:Resource:Stage]."
        )
    link.status = "DELETING"
    vars(link).update(status_message=None)
    CLOCK.schedule(DELETING_SECONDS, functools.partial(backend.vpc_links.pop, vpc_link_id, None))


def _users(backend: APIGatewayBackend, link_id: str) -> Iterator[str]:
    """Where deployed APIs go through the VPC link."""
    for api in backend.apis.values():
        for resource in api.resources.values():
            for name, method in resource.resource_methods.items():
                if method.method_integration and vars(method.method_integration).get("connection_id") == link_id:
                    yield from (f"{name}:{resource.id}:{stage}" for stage in api.stages)


def _create_http_vpc_link(moto: Method, backend: ApiGatewayV2Backend, **request: Any) -> HttpVpcLink:
    link: HttpVpcLink = moto(backend, **request)
    link.created = CLOCK.now()
    vars(link).update(reached="PENDING")
    CLOCK.schedule(CLOCK.pending_seconds, functools.partial(_connect_http, link))
    return link


def _connect_http(link: HttpVpcLink) -> None:
    if vars(link)["reached"] == "PENDING":
        vars(link).update(reached="AVAILABLE")


def _http_vpc_link_as_json(moto: Method, link: HttpVpcLink) -> dict[str, Any]:
    messages = {"AVAILABLE": READY["HTTP"], "PENDING": PROVISIONING}
    status = SETTINGS.state(link.id, vars(link)["reached"])
    message = {"vpcLinkStatusMessage": messages[status]} if status in messages else {}
    return {**moto(link), "vpcLinkStatus": status, **message}


def _delete_http_vpc_link(_moto: Method, backend: ApiGatewayV2Backend, vpc_link_id: str) -> None:
    link = backend.get_vpc_link(vpc_link_id)
    vars(link).update(reached="DELETING")
    CLOCK.schedule(DELETING_SECONDS, functools.partial(backend.vpc_links.pop, vpc_link_id, None))


# --- Installation ---------------------------------------------------------------------------------------------------

METHODS: tuple[tuple[type, str, Method], ...] = (
    (APIGatewayBackend, "create_vpc_link", _create_vpc_link),
    (APIGatewayBackend, "delete_vpc_link", _delete_vpc_link),
    (APIGatewayBackend, "import_rest_api", _import_rest_api),
    (APIGatewayBackend, "put_rest_api", _put_rest_api),
    (APIGatewayResponse, "create_deployment", _answer_create_deployment),
    (APIGatewayResponse, "get_resource", _answer_resource),
    (APIGatewayResponse, "get_resources", _answer_resources),
    (APIGatewayResponse, "get_tags", _get_tags),
    (APIGatewayResponse, "put_integration", _put_integration),
    (APIGatewayResponse, "tag_resource", _tag_resource),
    (APIGatewayResponse, "untag_resource", _untag_resource),
    (Api, "__init__", _new_api),
    (Api, "create_integration", _create_http_integration),
    (Api, "create_stage", _create_http_stage),
    (ApiGatewayV2Backend, "create_vpc_link", _create_http_vpc_link),
    (ApiGatewayV2Backend, "delete_vpc_link", _delete_http_vpc_link),
    (Deployment, "__init__", _new_deployment),
    (HttpStage, "__init__", _new_http_stage),
    (HttpStage, "to_json", _http_stage_as_json),
    (HttpVpcLink, "to_json", _http_vpc_link_as_json),
    (Integration, "to_json", _integration_as_json),
    (RestAPI, "__init__", _new_rest_api),
    (RestAPI, "create_deployment", _create_deployment),
    (Stage, "__init__", _new_stage),
    (Stage, "apply_operations", _update_stage),
    (Stage, "to_json", _stage_as_json),
    (VpcLink, "__init__", _new_vpc_link),
    (VpcLink, "to_json", _vpc_link_as_json),
)
CALLS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (APIGatewayResponse, "update_integration", _update_integration),
    (APIGatewayResponse, "update_method", _update_method),
    (APIGatewayResponse, "update_vpc_link", _update_vpc_link),
    (ApiGatewayV2Response, "create_deployment", _create_http_deployment),
    (ApiGatewayV2Response, "delete_access_log_settings", _delete_access_log_settings),
    (ApiGatewayV2Response, "get_authorizers", _get_http_authorizers),
    (ApiGatewayV2Response, "get_deployments", _get_http_deployments),
    (ApiGatewayV2Response, "update_stage", _update_http_stage),
)
"""Calls that moto lacks."""

_ARN = "arn:(?P<partition>[^/]+):apigateway:(?P<region_name>[^/]+)::"
REST_PATHS = (
    f"{{0}}/tags/{_ARN}/restapis/(?P<function_id>[^/]+)$",
    f"{{0}}/tags/{_ARN}/vpclinks/(?P<vpclink_id>[^/]+)$",
)
HTTP_PATHS = (
    "{0}/v2/apis/(?P<api_id>[^/]+)/deployments$",
    "{0}/v2/apis/(?P<api_id>[^/]+)/stages/(?P<stage_name>[^/]+)/accesslogsettings$",
    "{0}/v2/tags/(?P<resource_arn_pt1>[^/]+)/apis/(?P<resource_arn_pt2>[^/]+)/stages/(?P<stage_name>[^/]+)$",
)
"""Paths that moto does not route."""


@functools.cache
def install() -> None:
    """Change moto's classes, once. Holds for every account and Region, in process and in the server."""
    for owner, name, ours in METHODS:
        override(owner, name, ours)
    for owner, name, call in CALLS:
        setattr(owner, name, call)
    for name in REST_PAGES:
        override(APIGatewayResponse, name, functools.partial(_rest_page, name))
    for name in HTTP_PAGES:
        override(ApiGatewayV2Response, name, functools.partial(_http_page, name))
    http_urls.url_paths.update(dict.fromkeys(HTTP_PATHS, ApiGatewayV2Response.dispatch))
    rest_urls.url_paths.update(dict.fromkeys(REST_PATHS, APIGatewayResponse.dispatch))
    rest_urls.url_paths.update(dict.fromkeys(HTTP_PATHS, ApiGatewayV2Response.dispatch))
