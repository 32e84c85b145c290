from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Integration, Network, NotKnown, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._api import (
    address,
    change_http,
    change_method,
    deployed,
    integrations,
    not_told,
    patch,
)
from apprunner_guardrails.rules._common import each
from apprunner_guardrails.settings import Settings

PORTS = ("", "443")


def _wrong(api: Api, integration: Integration) -> Iterator[str]:
    if api.kind == "HTTP":
        if not integration.server_name:
            yield f"{integration.where} sends plain HTTP: it has no TLS configuration with a server name to verify"
        return
    if not integration.uri:
        raise NotKnown(f"{integration.where} has no uri")
    said = address(integration.uri)
    varies = "$" in (said.port or said.host)  # a stage variable may hold host and port, but never the scheme
    faults = [
        *(["sends plain HTTP"] if said.scheme != "https" else ()),
        *([f"asks for port {said.port}"] if said.port not in PORTS and not varies else ()),
    ]
    if faults:
        yield f"{integration.where} {' and '.join(faults)}: its uri is {integration.uri}"
    if varies:
        raise not_told(api, integration.uri, f"{integration.where} asks for {said.port or said.host}")


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    yield from each(integrations(api), lambda one: _wrong(api, one))


def command(api: Api, network: Network, settings: Settings) -> str:
    return deployed(api, (_mend(api, one) for one in integrations(api) if told(_wrong(api, one))[0]))


def _mend(api: Api, integration: Integration) -> str:
    if api.kind == "HTTP":
        return change_http(api, integration, "--tls-config ServerNameToVerify=HOST")
    said = address(integration.uri)
    return change_method("update-integration", api, integration, patch("/uri", f"https://{said.host}{said.rest}"))


RULE = Rule(
    id="AR602",
    name="api_integration_not_https",
    title="API does not call the private service by HTTPS at port 443",
    severity=Severity.HIGH,
    risk="App Runner's endpoint speaks TLS at port 443 and nothing else: what arrives otherwise is dropped.",
    remediation="Let the uri of a REST API's integration begin with https and name no other port; nor may the stage"
    " variable that the uri takes its host from. Give an HTTP API's integration a TLS configuration with the server"
    " name to verify.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/private-integration.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/193",),
    needs=("apis", "stages"),
    check=check,
    command=command,
)
