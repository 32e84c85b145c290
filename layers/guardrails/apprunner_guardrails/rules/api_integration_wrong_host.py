import json
import re
import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Integration, Network, NotKnown, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.paths.joined import answers_to
from apprunner_guardrails.rules._api import (
    address,
    change_http,
    change_method,
    change_uri,
    deployed,
    integrations,
    not_told,
)
from apprunner_guardrails.rules._common import each, listed
from apprunner_guardrails.settings import Settings

URI, HEADER, NAME = "in its uri", "in its Host header", "as the server name that it verifies"
MAPPED_HOST = "integration.request.header.host"  # compared in lower case


def _mapped(integration: Integration, name: str) -> str:
    """What a parameter is mapped to; names of headers have no case. Empty where it is not mapped."""
    return next((value for key, value in sorted(integration.mapped.items()) if key.lower() == name), "")


def _asked(api: Api, integration: Integration) -> Iterator[tuple[str, str]]:
    """Where the integration says what it asks for, and what it says; an expression has a $ or a brace."""
    if api.kind == "HTTP":
        if integration.server_name:  # else nothing is encrypted, and AR602 tells
            yield NAME, integration.server_name
        if overwritten := _mapped(integration, "overwrite:header.host"):
            yield HEADER, overwritten
        return
    yield URI, integration.uri
    if mapped := _mapped(integration, MAPPED_HOST):
        constant = re.fullmatch("'(.*)'", mapped)
        yield HEADER, constant[1] if constant else f"{{{mapped}}}"


def _wrong(api: Api, integration: Integration) -> Iterator[tuple[str, str]]:
    """Where, and for which host, it asks that is no service's."""
    hosts = known(integration.hosts)

    def of(asked: tuple[str, str]) -> Iterator[tuple[str, str]]:
        where, text = asked
        host = address(text).host
        if not host:
            raise NotKnown(f"{integration.where} names no host {where}")
        if re.search(r"[${]", host):
            raise not_told(api, host, f"{integration.where} asks for {host} {where}")
        if not answers_to(host, hosts):
            yield where, host

    if hosts:  # else no ingress connection is behind it: AR403 and AR503 tell
        yield from each(_asked(api, integration), of)


def _mappings(api: Api, integration: Integration) -> Iterator[str]:
    """What is wrong with the Host of an HTTP API's integration, whatever it is mapped to."""
    if api.kind == "HTTP" and known(integration.hosts):
        if _mapped(integration, "append:header.host"):
            yield "appends to the Host header that API Gateway sends"
        elif not _mapped(integration, "overwrite:header.host"):
            yield "leaves the Host header to API Gateway"


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    def of(integration: Integration) -> Iterator[str]:
        names = f"services behind it answer to {listed(known(integration.hosts))}"
        for fault in _mappings(api, integration):
            yield f"{integration.where} {fault}; {names}"
        for where, host in _wrong(api, integration):
            own = host.lower().endswith((f".elb.{api.region}.amazonaws.com", ".elb.amazonaws.com"))
            note = ", which is the load balancer's own name" if own else ""
            yield f"{integration.where} asks for {host} {where}{note}; {names}"

    yield from each(integrations(api), of)


def command(api: Api, network: Network, settings: Settings) -> str:
    return deployed(api, (line for one in integrations(api) for line in _mend(api, one)))


def _mend(api: Api, integration: Integration) -> Iterator[str]:
    wrong, mappings = (told(faults(api, integration))[0] for faults in (_wrong, _mappings))
    if not wrong and not mappings:
        return
    names = known(integration.hosts)
    host = names[0] if len(names) == 1 and not names[0].startswith("*") else "HOST"
    if host == "HOST":
        yield f"# HOST: one of {listed(names)}"
    if api.kind == "HTTP":
        mapped = json.dumps({"overwrite:header.Host": host})
        options = f"--tls-config {shlex.quote(f'ServerNameToVerify={host}')} --request-parameters {shlex.quote(mapped)}"
        yield change_http(api, integration, options)
        if _mapped(integration, "append:header.host"):
            yield "# and take append:header.Host out of its parameter mapping"
        return
    places = [where for where, *_ in wrong]
    if HEADER in places:
        key = next(key for key in sorted(integration.mapped) if key.lower() == MAPPED_HOST)
        removed = shlex.quote(f"op=remove,path=/requestParameters/{key}")
        yield change_method("update-integration", api, integration, removed)
    if URI in places:
        yield from change_uri(api, integration, host)


RULE = Rule(
    id="AR601",
    name="api_integration_wrong_host",
    title="API asks for a host that no private service answers to",
    severity=Severity.HIGH,
    risk="App Runner finds the service by the Host header, and by the server name in TLS. With another name, such as"
    " the load balancer's, it answers 404 or does not answer at all.",
    remediation="Name the VPC ingress connection's domain, or an active custom domain of the service: in the uri of a"
    " REST API's integration, or in the stage variable that the uri takes it from; in an HTTP API's integration as the"
    " server name to verify, and as Host by the mapping overwrite:header.Host. It has to be a name of a service behind"
    " the very listener that the integration comes to. Behind an Application Load Balancer nothing is looked into.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/request-route-404-troubleshoot.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/193",),
    needs=("apis", "ingress_connections", "custom_domains", "vpc_links", "target_groups", "listeners", "stages"),
    check=check,
    fault=lambda message: message.partition("; ")[0],
    command=command,
)
