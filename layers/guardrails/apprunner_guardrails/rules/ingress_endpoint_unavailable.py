import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import IngressConnection, Moot, Network, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._path import REPLACED, lead_to_another_endpoint, update_ingress, what_is_to_stay
from apprunner_guardrails.settings import Settings

_AVAILABLE = "available"
_ON_ITS_WAY = ("pending", "pendingacceptance")


def check(ingress: IngressConnection, network: Network, settings: Settings) -> Iterator[str]:
    what_is_to_stay(ingress)
    endpoint = known(ingress.endpoint)
    if endpoint is None:
        yield f"endpoint {ingress.endpoint_id} is not available: it does not exist"
        return
    elsewhere = endpoint.vpc_id != ingress.vpc_id
    if elsewhere:
        yield f"endpoint {endpoint.id} is in {endpoint.vpc_id}, not in {ingress.vpc_id} as the ingress connection says"
    if endpoint.state in _ON_ITS_WAY and ingress.status.startswith("PENDING_"):
        if not elsewhere:
            raise Moot  # both are still being made
    elif endpoint.state != _AVAILABLE:
        yield f"endpoint {endpoint.id} is not available: it is {endpoint.state}"


def command(ingress: IngressConnection, network: Network, settings: Settings) -> str:
    endpoint = known(ingress.endpoint)
    if endpoint is None or endpoint.state in REPLACED:
        return "\n".join(lead_to_another_endpoint(ingress))
    look = (
        f"aws ec2 describe-vpc-endpoints --region {shlex.quote(ingress.region)}"
        f" --vpc-endpoint-ids {shlex.quote(endpoint.id)}"
    )
    elsewhere = endpoint.vpc_id != ingress.vpc_id
    return "\n".join(
        (
            *([look] if endpoint.state != _AVAILABLE else ()),
            *(update_ingress(ingress, endpoint.vpc_id, endpoint.id) if elsewhere else ()),
        )
    )


RULE = Rule(
    id="AR503",
    name="ingress_endpoint_unavailable",
    title="VPC ingress connection's endpoint is not available",
    severity=Severity.HIGH,
    risk="The endpoint is the only way to the private service: without it every request is lost.",
    remediation="Lead the ingress connection to an available interface endpoint for private services, and to the VPC"
    " that the endpoint is in.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/network-pl-manage.html",
    needs=("ingress_connections", "ingress_endpoints"),
    check=check,
    fault=lambda message: message.partition(":")[0],
    command=command,
)
