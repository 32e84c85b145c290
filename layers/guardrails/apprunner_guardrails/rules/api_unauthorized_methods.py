from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Integration, Network
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._api import change_method, deployed, integrations, of_api, patch
from apprunner_guardrails.settings import Settings


def _open(api: Api) -> list[Integration]:
    """Without OPTIONS: what browsers ask before a request cannot carry what would authorize it."""
    return [
        one
        for one in integrations(api)
        if one.authorization == "NONE" and not one.api_key and one.where.partition(" ")[0] != "OPTIONS"
    ]


def _names(api: Api) -> list[str]:
    """Their methods and paths, whatever they lead to on each stage."""
    return sorted({one.where.partition(" (stage ")[0] for one in _open(api)})


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    if settings.require_api_authorization:
        yield from (f"{name} asks for neither an authorizer nor IAM nor an API key" for name in _names(api))


def command(api: Api, network: Network, settings: Settings) -> str:
    if api.kind == "REST":
        patches = patch("/authorizationType", "AWS_IAM")
        changes = [change_method("update-method", api, one, patches) for one in _open(api)]
    else:
        route = f"aws apigatewayv2 update-route {of_api(api)} --route-id ROUTE_ID --authorization-type AWS_IAM"
        changes = [*(f"# ROUTE_ID: of {name}" for name in _names(api)), route]
    return deployed(api, changes)


RULE = Rule(
    id="AR607",
    name="api_unauthorized_methods",
    title="API lets anyone through to the private service",
    severity=Severity.MEDIUM,
    risk="Whoever reaches the API reaches the service: that it is private protects it no more.",
    remediation="Have the method or route authorized by IAM, an authorizer or, in a REST API, an API key. Resource"
    " policies and mutual TLS are not looked at; OPTIONS, which browsers ask beforehand without credentials, is left"
    " out.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html",
    needs=("apis",),
    check=check,
    command=command,
)
