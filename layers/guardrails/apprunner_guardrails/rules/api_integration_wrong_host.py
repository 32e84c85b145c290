import json
import re
import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Integration, Network, NotKnown, known, told
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
from apprunner_guardrails.rules._common import each, listed
from apprunner_guardrails.settings import Settings

URI, HEADER, NAME = "in its uri", "in its Host header", "as the server name that it verifies"
MAPPED_HOST = "integration.request.header.host"  # compared in lower case


def _mapped(integration: Integration, name: str) -> str:
    """What a parameter is mapped to; names of headers have no case. Empty where it is not mapped."""
    return next((value for key, value in sorted(integration.mapped.items()) if key.lower() == name), "")


def _asked(api: Api, integration: Integration) -> Iterator[tuple[str, str]]:
    """Where the integration says what it asks for, and what it says: with stage variables as they are in a uri."""
    if api.kind == "HTTP":
        if integration.server_name:  # else nothing is encrypted, and AR602 tells
            yield NAME, integration.server_name
        if overwritten := _mapped(integration, "overwrite:header.host"):
            yield HEADER, overwritten
        return
    yield URI, integration.uri
    if mapped := _mapped(integration, MAPPED_HOST):
        if static := re.fullmatch("'(.*)'", mapped):
            yield HEADER, static[1]
        elif mapped.startswith("stageVariables."):
            yield HEADER, f"${{{mapped}}}"
        else:
            yield HEADER, f"{{{mapped}}}"


def _wrong(api: Api, integration: Integration) -> Iterator[tuple[str, str, str]]:
    """Where, on which stage, and for which host it asks that is no service's."""
    hosts = {host.lower() for host in known(integration.hosts)}

    def of(asked: tuple[str, str]) -> Iterator[tuple[str, str, str]]:
        where, text = asked
        for said, stage in on_stages(text, api):
            host = address(said).host
            if not host:
                raise NotKnown(f"{integration.where} names no host {where}")
            if re.search(r"[${]", host):
                raise NotKnown(f"{integration.where} asks for {text} {where}: only a request tells what that is")
            wild = f"*.{host.lower().partition('.')[2]}"  # a custom domain may be one
            if hosts.isdisjoint((host.lower(), wild)):
                yield where, stage, host

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
        for where, stage, host in _wrong(api, integration):
            own = host.lower().endswith((f".elb.{api.region}.amazonaws.com", ".elb.amazonaws.com"))
            note = ", which is the load balancer's own name" if own else ""
            yield f"{integration.where} asks for {host} {where}{on(stage)}{note}; {names}"

    yield from each(integrations(api), of)


def command(api: Api, network: Network, settings: Settings) -> str:
    mended: list[str] = []
    for integration in integrations(api):
        wrong, _ = told(_wrong(api, integration))
        mappings, _ = told(_mappings(api, integration))
        if wrong or mappings:
            mended += _mend(api, integration, wrong)
    deployed = deploy(api) if any(" update-integration " in line for line in mended) else ()
    return "\n".join((*dict.fromkeys(mended), *deployed))


def _mend(api: Api, integration: Integration, wrong: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    names = known(integration.hosts)
    host = names[0] if len(names) == 1 else "HOST"
    if host == "HOST":
        yield f"# HOST: one of {listed(names)}"
    if api.kind == "HTTP":
        mapped = json.dumps({"overwrite:header.Host": host})
        options = f"--tls-config {shlex.quote(f'ServerNameToVerify={host}')} --request-parameters {shlex.quote(mapped)}"
        yield change_http(api, integration, options)
        if _mapped(integration, "append:header.host"):
            yield "# and take append:header.Host out of its parameter mapping"
        return
    if any(where == HEADER for where, _, _ in wrong):
        key = next(key for key in sorted(integration.mapped) if key.lower() == MAPPED_HOST)
        removed = shlex.quote(f"op=remove,path=/requestParameters/{key}")
        yield change_method("update-integration", api, integration, removed)
    uris = [stage for where, stage, _ in wrong if where == URI]
    said = address(integration.uri)
    if uris and (varies := only_variable(said.host)):
        yield from (set_variable(api, stage, varies, host) for stage in uris)
    elif uris:
        yield change_method("update-integration", api, integration, patch("/uri", f"https://{host}{said.rest}"))


RULE = Rule(
    id="AR601",
    name="api_integration_wrong_host",
    title="API asks for a host that no private service answers to",
    severity=Severity.HIGH,
    risk="App Runner finds the service by the Host header, and by the server name in TLS. With another name, such as"
    " the load balancer's, it answers 404 or does not answer at all.",
    remediation="Name the VPC ingress connection's domain, or an active custom domain of the service: in the uri of a"
    " REST API's integration; in an HTTP API's integration as the server name to verify, and as Host by the mapping"
    " overwrite:header.Host.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/request-route-404-troubleshoot.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/193",),
    needs=("apis", "ingress_connections", "custom_domains", "stages"),
    check=check,
    fault=lambda message: message.partition("; ")[0],
    command=command,
)
