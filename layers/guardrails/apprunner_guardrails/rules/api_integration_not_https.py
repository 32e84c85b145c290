from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Integration, Network, NotKnown, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.paths.joined import listener_named
from apprunner_guardrails.rules._api import (
    Address,
    address,
    change_http,
    change_uri,
    deployed,
    integrations,
    not_told,
    ports_to_endpoints,
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
    if said.scheme != "https":
        yield f"{integration.where} sends plain HTTP: its uri is {integration.uri}"
    if not listener_named(integration):  # else AR604 tells where it leads
        yield from _wrong_port(api, integration, said)


def _wrong_port(api: Api, integration: Integration, said: Address) -> Iterator[str]:
    """What is wrong with the port, which picks a listener of the load balancer behind the link."""
    asks = f"{integration.where} asks for"
    if "$" in (said.port or said.host):  # a stage variable may hold host and port, but never the scheme
        raise not_told(api, integration.uri, f"{asks} {said.port or said.host}")
    if not said.port and said.scheme != "https":
        return  # the scheme is at fault, and with it the port changes
    if not integration.link_id and said.port not in PORTS:
        yield f"{asks} port {said.port}: its uri is {integration.uri}"
    endpoints, port = known(integration.endpoints), integration.port
    if endpoints is None:
        return
    if port is None:
        raise NotKnown(f"{asks} port {said.port}, which is no number")
    balancer = f"load balancer {known(integration.balancer_arn).split('/')[-2]}"
    if port not in endpoints:
        has = ", ".join(map(str, sorted(endpoints))) or "none"
        yield f"{asks} port {port}: {balancer} has no listener on port {port}; ports that it listens on: {has}"
    elif not known(endpoints[port]):
        right = ", ".join(map(str, ports_to_endpoints(integration))) or "none"
        nothing = "leads to no target group with an endpoint of App Runner"
        yield f"{asks} port {port}: from there {balancer} {nothing}; ports that lead to one: {right}"


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    yield from each(integrations(api), lambda one: _wrong(api, one))


def command(api: Api, network: Network, settings: Settings) -> str:
    return deployed(api, (line for one in integrations(api) if told(_wrong(api, one))[0] for line in _mend(api, one)))


def _mend(api: Api, integration: Integration) -> Iterator[str]:
    if api.kind == "HTTP":
        yield change_http(api, integration, "--tls-config ServerNameToVerify=HOST")
    else:
        yield from change_uri(api, integration, address(integration.uri).host)


RULE = Rule(
    id="AR602",
    name="api_integration_not_https",
    title="API does not call the private service by HTTPS at a port that leads there",
    severity=Severity.HIGH,
    risk="App Runner's endpoint speaks TLS and nothing else: what arrives otherwise is dropped, and what comes to"
    " another port of the load balancer does not arrive at all.",
    remediation="Let the uri of a REST API's integration begin with https. Its port, 443 where it names none, picks the"
    " load balancer's listener: it has to be one that leads to App Runner's endpoint, also where the uri takes host and"
    " port from a stage variable. Give an HTTP API's integration a TLS configuration with the server name to verify.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/private-integration.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/193",),
    needs=("apis", "vpc_links", "target_groups", "listeners", "stages"),
    check=check,
    fault=lambda message: message.partition("; ")[0],
    command=command,
)
