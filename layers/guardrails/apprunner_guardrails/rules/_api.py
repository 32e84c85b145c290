"""What rules of APIs share: what an integration is on each stage, and the commands of both kinds of APIs."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from apprunner_guardrails.facts import Api, Integration, NotKnown, Stage, known
from apprunner_guardrails.rules._common import each

_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}|\$stageVariables\.(\w+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """https://HOST:443/PATH, or part of it: what is not there is empty."""

    scheme: str
    host: str
    port: str
    rest: str

    @property
    def varies(self) -> bool:
        """Whether stage variables are in it, before its path."""
        return _VARIABLE.search(f"{self.host} {self.port}") is not None


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


def only_variable(text: str) -> str:
    """The name of the stage variable that is all of the text; empty where it is not one."""
    found = _VARIABLE.fullmatch(text)
    return (found[1] or found[2]) if found else ""


def variables(text: str) -> set[str]:
    """The names of the stage variables in a text."""
    return {braced or bare for braced, bare in _VARIABLE.findall(text)}


def on_stages(text: str, api: Api) -> Iterator[tuple[str, str]]:
    """What a text with stage variables is on each stage, and the stage's name; itself and no name where it has none.

    NotKnown where there is no stage, and at the end for stages that lack a variable.
    """
    names = variables(text)
    if not names:
        yield text, ""
        return

    def of(stage: Stage) -> Iterator[tuple[str, str]]:
        missing = names - stage.variables.keys()
        if missing:
            raise NotKnown(f"stage {stage.name} has no variable {', '.join(sorted(missing))}")
        yield _VARIABLE.sub(lambda found: stage.variables[found[1] or found[2]], text), stage.name

    if not stages(api):
        raise NotKnown(f"no stage says what {text} is")
    yield from each(stages(api), of)


def on(stage: str) -> str:
    return f" on stage {stage}" if stage else ""


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


def change_stage(api: Api, stage: str, options: str) -> str:
    service = "apigateway" if api.kind == "REST" else "apigatewayv2"
    return f"aws {service} update-stage {of_api(api)} --stage-name {shlex.quote(stage)} {options}"


def deploy(api: Api) -> tuple[str, ...]:
    """What brings a change of methods or integrations to a stage."""
    if api.kind == "REST":
        return (
            "# a stage serves it once it is deployed there:",
            f"aws apigateway create-deployment {of_api(api)} --stage-name STAGE_NAME",
        )
    return (
        "# a stage that does not deploy by itself serves it once it is deployed there:",
        f"aws apigatewayv2 create-deployment {of_api(api)} --stage-name STAGE_NAME",
    )


def set_variable(api: Api, stage: str, name: str, value: str) -> str:
    """The command that gives a stage variable of a REST API another value; it takes effect without a deployment."""
    return change_stage(api, stage, f"--patch-operations {patch(f'/variables/{name}', value)}")


def patch(path: str, value: str, op: str = "replace") -> str:
    """A patch operation in the AWS CLI's shorthand, in which braces, commas and quotes stand in double quotes."""
    if not re.fullmatch(r"[\w.:/$-]+", value):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        value = f'"{escaped}"'
    return shlex.quote(f"op={op},path={path},value={value}")
