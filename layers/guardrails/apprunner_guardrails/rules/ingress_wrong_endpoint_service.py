from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import IngressConnection, Network, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._path import (
    PRIVATE_GUIDE,
    lead_to_another_endpoint,
    requests_service,
    what_is_to_stay,
)
from apprunner_guardrails.settings import Settings


def check(ingress: IngressConnection, network: Network, settings: Settings) -> Iterator[str]:
    what_is_to_stay(ingress)
    endpoint, needed = known(ingress.endpoint), requests_service(ingress.region)
    if endpoint is None or endpoint.service == needed:  # AR503 tells that there is none
        return
    control = " (App Runner's control plane)" if endpoint.service == needed.removesuffix(".requests") else ""
    yield f"endpoint {endpoint.id} is for {endpoint.service}{control}: private services are asked by {needed} alone"


def command(ingress: IngressConnection, network: Network, settings: Settings) -> str:
    return "\n".join(lead_to_another_endpoint(ingress))


RULE = Rule(
    id="AR502",
    name="ingress_wrong_endpoint_service",
    title="VPC ingress connection names an endpoint of another service",
    severity=Severity.HIGH,
    risk="Behind such an endpoint no private service answers: requests get through the VPC and end there.",
    remediation="Lead the ingress connection to an interface endpoint for com.amazonaws.REGION.apprunner.requests."
    " The one without .requests is for App Runner's own API.",
    reference=PRIVATE_GUIDE,
    needs=("ingress_connections", "ingress_endpoints"),
    check=check,
    command=command,
)
