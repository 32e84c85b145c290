import re
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Integration, Network
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._api import address, change_method, deployed, integrations, patch
from apprunner_guardrails.settings import Settings


def _greedy(integration: Integration) -> str:
    """The name of the parameter that holds the rest of the path: proxy of /{proxy+}."""
    found = re.search(r"\{([^{}+]+)\+\}", integration.where)
    return found[1] if found else ""


def _of_method(name: str) -> str:
    return f"method.request.path.{name}"


def _of_uri(integration: Integration, name: str) -> str:
    """The uri's parameter that the method's is mapped to: it may have another name. The same where none is."""
    prefix = "integration.request.path."
    filled = (key for key, value in sorted(integration.mapped.items()) if value == _of_method(name))
    return next((key.removeprefix(prefix) for key in filled if key.startswith(prefix)), name)


def _missing(integration: Integration) -> Iterator[str]:
    name = _greedy(integration)
    placed = _of_uri(integration, name)
    if not name or (integration.kind != "HTTP_PROXY" and f"{{{placed}}}" not in integration.uri):
        return
    if _of_method(name) not in integration.declared:
        yield f"the method does not declare {_of_method(name)}"
    mapped = integration.mapped.get(f"integration.request.path.{placed}")
    if mapped != _of_method(name):
        instead = f" but to {mapped}" if mapped else ""
        yield f"integration.request.path.{placed} is not mapped to {_of_method(name)}{instead}"
    if f"{{{placed}}}" not in integration.uri:
        yield f"its uri {integration.uri} has no {{{placed}}}"


def _faulty(api: Api) -> list[Integration]:
    return [one for one in integrations(api) if api.kind == "REST" and any(_missing(one))]


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    for integration in _faulty(api):
        yield f"{integration.where} loses the path: {', and '.join(_missing(integration))}"


def command(api: Api, network: Network, settings: Settings) -> str:
    return deployed(api, (line for one in _faulty(api) for line in _mend(api, one)))


def _mend(api: Api, integration: Integration) -> Iterator[str]:
    name = _greedy(integration)
    placed = _of_uri(integration, name)
    if _of_method(name) not in integration.declared:
        declared = patch(f"/requestParameters/{_of_method(name)}", "true", op="add")
        yield change_method("update-method", api, integration, declared)
    mapping = f"integration.request.path.{placed}"
    patches = []
    if integration.mapped.get(mapping) != _of_method(name):
        patches.append(patch(f"/requestParameters/{mapping}", _of_method(name), op="add"))
    if f"{{{placed}}}" not in integration.uri:
        path, query, rest = address(integration.uri).rest.partition("?")
        before = integration.uri.removesuffix(f"{path}{query}{rest}")
        patches.append(patch("/uri", f"{before}{path.rstrip('/')}/{{{placed}}}{query}{rest}"))
    if patches:
        yield change_method("update-integration", api, integration, *patches)


RULE = Rule(
    id="AR603",
    name="api_proxy_path_not_mapped",
    title="API does not pass the path on to the private service",
    severity=Severity.HIGH,
    risk="Whatever path is asked for, the service gets another: it answers 404, or all requests reach its root.",
    remediation="Three things belong together: the method declares the resource's greedy path parameter"
    " (method.request.path.proxy), the integration maps integration.request.path.proxy to it, and the uri ends in"
    " /{proxy}. HTTP APIs need none of it.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/setup-http-integrations.html",
    needs=("apis",),
    check=check,
    command=command,
)
