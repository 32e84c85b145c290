from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Integration, Network, NotKnown, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._api import (
    address,
    change_http,
    change_method,
    deploy,
    integrations,
    on,
    on_stages,
    only_variable,
    patch,
    set_variable,
)
from apprunner_guardrails.rules._common import each
from apprunner_guardrails.settings import Settings

PORTS = ("", "443")


def _wrong(api: Api, integration: Integration) -> Iterator[tuple[str, str]]:
    """What is wrong, and the stage whose variables make it so; none where the integration itself does."""
    if api.kind == "HTTP":
        if not integration.server_name:
            yield "sends plain HTTP: it has no TLS configuration with a server name to verify", ""
        return
    if not integration.uri:
        raise NotKnown(f"{integration.where} has no uri")
    said = address(integration.uri)  # stage variables may be in all of it but the scheme
    faults = [*(["sends plain HTTP"] if said.scheme != "https" else ())]
    if said.port not in PORTS and not said.varies:
        faults.append(f"asks for port {said.port}")
    if faults:
        yield f"{' and '.join(faults)}: its uri is {integration.uri}", ""
    for uri, stage in on_stages(integration.uri, api) if said.varies else ():
        port = address(uri).port
        if port not in PORTS:
            yield f"asks for port {port}{on(stage)}: its uri is {uri}", stage


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    def of(integration: Integration) -> Iterator[str]:
        yield from (f"{integration.where} {fault}" for fault, _ in _wrong(api, integration))

    yield from each(integrations(api), of)


def command(api: Api, network: Network, settings: Settings) -> str:
    faults = [(one, stage) for one in integrations(api) for _, stage in told(_wrong(api, one))[0]]
    deployed = deploy(api) if any(not stage for _, stage in faults) else ()
    return "\n".join((*dict.fromkeys(_mend(api, one, stage) for one, stage in faults), *deployed))


def _mend(api: Api, integration: Integration, stage: str) -> str:
    if api.kind == "HTTP":
        return change_http(api, integration, "--tls-config ServerNameToVerify=HOST")
    said = address(integration.uri)
    if stage and (port := only_variable(said.port)):
        return set_variable(api, stage, port, "443")
    if stage and (host := only_variable(said.host)):
        return set_variable(api, stage, host, "HOST")
    return change_method("update-integration", api, integration, patch("/uri", f"https://{said.host}{said.rest}"))


RULE = Rule(
    id="AR602",
    name="api_integration_not_https",
    title="API does not call the private service by HTTPS at port 443",
    severity=Severity.HIGH,
    risk="App Runner's endpoint speaks TLS at port 443 and nothing else: what arrives otherwise is dropped.",
    remediation="Let the uri of a REST API's integration begin with https and name no other port; give an HTTP API's"
    " integration a TLS configuration with the server name to verify. Where a stage variable holds the port, take it"
    " out of there.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/private-integration.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/193",),
    needs=("apis", "stages"),
    check=check,
    command=command,
)
