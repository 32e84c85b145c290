"""What rules of APIs share: how integrations are read, and the commands of both kinds of APIs.

Where stage variables make a difference, an integration is there once for each stage, which `where` names.
"""

import re
import shlex
from collections.abc import Iterable, Iterator

from apprunner_guardrails.facts import Api, Integration, NotKnown, Stage, Unread, if_read, known
from apprunner_guardrails.light import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """https://HOST:443/PATH, or part of it: what is not there is empty."""

    scheme: str
    host: str
    port: str
    rest: str


def address(uri: str) -> Address:
    scheme, found, after = uri.partition("://")
    if not found:
        scheme, after = "", uri
    end = next((place for place, char in enumerate(after) if char in "/?#"), len(after))
    host, _, port = after[:end].partition(":")
    return Address(scheme=scheme.lower(), host=host, port=port, rest=after[end:])


def integrations(api: Api) -> list[Integration]:
    """Those of private paths, by method and path."""
    return sorted(known(api.integrations), key=lambda one: one.where)


def stages(api: Api) -> list[Stage]:
    return sorted(known(api.stages), key=lambda stage: stage.name)


def ports_to_endpoints(integration: Integration) -> list[int]:
    """Those of its load balancer's ports that lead to endpoints of App Runner, as far as is known."""
    known_ones = {} if isinstance(integration.endpoints, Unread) else integration.endpoints or {}
    return sorted(port for port, ids in known_ones.items() if if_read(ids))


def not_told(api: Api, text: str, what: str) -> NotKnown:
    """Why a text with an expression in it cannot be judged. The variables of stages are filled in where stages have
    them: what is left was not read, or is on no stage."""
    if "stageVariables." not in text:
        return NotKnown(f"{what}: only a request tells what that is")
    known(api.stages)
    return NotKnown(f"{what}: no stage says what that is")


# Commands ------------------------------------------------------------------------------------------------------------


def of_api(api: Api) -> str:
    """The options by which a command names the API."""
    option = "--rest-api-id" if api.kind == "REST" else "--api-id"
    return f"--region {shlex.quote(api.region)} {option} {shlex.quote(api.id)}"


def change_method(verb: str, api: Api, integration: Integration, *patches: str) -> str:
    """The command that changes a method of a REST API (update-method), or its integration (update-integration)."""
    method = shlex.quote(integration.where.partition(" ")[0])
    resource = shlex.quote(integration.id) if integration.id else "RESOURCE_ID"
    return (
        f"aws apigateway {verb} {of_api(api)} --resource-id {resource} --http-method {method}"
        f" --patch-operations {' '.join(patches)}"
    )


def change_http(api: Api, integration: Integration, options: str) -> str:
    """The command that changes an integration of an HTTP API."""
    found = shlex.quote(integration.id) if integration.id else "INTEGRATION_ID"
    return f"aws apigatewayv2 update-integration {of_api(api)} --integration-id {found} {options}"


def change_uri(api: Api, integration: Integration, host: str) -> Iterator[str]:
    """Commands, a line each, that have an integration of a REST API ask for a host by HTTPS, at a port that leads to
    an endpoint: its own if it does, else 443 where there is no other."""
    said, found = address(integration.uri), [str(port) for port in ports_to_endpoints(integration)]
    port = said.port if said.port in found else "PORT" if len(found) > 1 else found[0] if found else "443"
    if port == "PORT":
        yield f"# PORT: one of {', '.join(found)}"
    uri = f"https://{host}{'' if port == '443' else f':{port}'}{said.rest}"
    yield change_method("update-integration", api, integration, patch("/uri", uri))


def change_stage(api: Api, stage: str, options: str) -> str:
    service = "apigateway" if api.kind == "REST" else "apigatewayv2"
    return f"aws {service} update-stage {of_api(api)} --stage-name {shlex.quote(stage)} {options}"


def deployed(api: Api, changes: Iterable[str]) -> str:
    """The commands, each once, and what brings changes of methods and integrations to a stage."""
    stage, when = f"{of_api(api)} --stage-name STAGE_NAME", "serves it once it is deployed there:"
    lines = (f"# a stage {when}", f"aws apigateway create-deployment {stage}")
    if api.kind == "HTTP":
        lines = (
            f"# a stage that does not deploy by itself {when}",
            f"aws apigatewayv2 create-deployment {stage}",
        )
    return "\n".join((*dict.fromkeys(changes), *lines))


def patch(path: str, value: str, op: str = "replace") -> str:
    """A patch operation in the AWS CLI's shorthand, in which braces, commas and quotes stand in double quotes."""
    if not re.fullmatch(r"[\w.:/$-]+", value):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        value = f'"{escaped}"'
    return shlex.quote(f"op={op},path={path},value={value}")
