from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import IngressConnection, Network
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._path import create_ingress, delete_ingress, update_ingress
from apprunner_guardrails.settings import Settings

_FAILED = ("FAILED_CREATION", "FAILED_UPDATE", "FAILED_DELETION")


def check(ingress: IngressConnection, network: Network, settings: Settings) -> Iterator[str]:
    if ingress.status in _FAILED:
        yield (
            f"ingress connection {ingress.name} is {ingress.status}: it should lead from {ingress.endpoint_id}"
            f" in {ingress.vpc_id} to {ingress.service_arn}"
        )


def command(ingress: IngressConnection, network: Network, settings: Settings) -> str:
    """What App Runner does from that status: from FAILED_DELETION it only deletes."""
    if ingress.status == "FAILED_DELETION":
        return delete_ingress(ingress)
    where = ingress.vpc_id, ingress.endpoint_id
    lines = ["# once AR502 and AR503 pass, or with another endpoint:", *update_ingress(ingress, *where)]
    if ingress.status == "FAILED_CREATION":
        lines += ["# or anew:", delete_ingress(ingress), create_ingress(ingress, *where)]
    return "\n".join(lines)


RULE = Rule(
    id="AR501",
    name="ingress_connection_failed",
    title="VPC ingress connection has failed",
    severity=Severity.HIGH,
    risk="A private service is reached through its ingress connection alone: while that fails, nobody reaches it, or"
    " what was changed does not hold.",
    remediation="Mend the endpoint that it names, then update the ingress connection. One that failed to be deleted can"
    " only be deleted again.",
    reference="https://docs.aws.amazon.com/apprunner/latest/api/API_VpcIngressConnection.html",
    needs=("ingress_connections",),
    check=check,
    command=command,
)
