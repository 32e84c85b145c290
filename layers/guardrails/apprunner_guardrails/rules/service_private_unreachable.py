import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import IngressConnection, Moot, Network, Service, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import connect_ingress, listed
from apprunner_guardrails.settings import Settings

_BEING_MADE = ("PENDING_CREATION", "PENDING_UPDATE")
# A service takes connections once it is there; one that failed to be made can only be deleted.
_NOT_YET = ("OPERATION_IN_PROGRESS", "CREATE_FAILED")


def _connections(service: Service) -> tuple[IngressConnection, ...]:
    there = (one for one in known(service.ingress) if one.status != "DELETED")
    return tuple(sorted(there, key=lambda one: one.arn))


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    """Moot while what would make it reachable is being made."""
    if service.public:
        return
    connections = _connections(service)
    states = {one.status for one in connections}
    if "AVAILABLE" in states:
        return
    if service.status in _NOT_YET or not states.isdisjoint(_BEING_MADE):
        raise Moot
    there = listed((f"{one.name} is {one.status}" for one in connections), "it has none")
    yield f"it is private, and no VPC ingress connection makes it reachable: {there}"


def command(service: Service, network: Network, settings: Settings) -> str:
    """App Runner takes one connection a service, so what is there has to go first."""
    region = shlex.quote(service.region)
    return "\n".join(
        (
            *(
                f"aws apprunner delete-vpc-ingress-connection --region {region}"
                f" --vpc-ingress-connection-arn {shlex.quote(one.arn)}"
                for one in _connections(service)
            ),
            connect_ingress(service),
        )
    )


RULE = Rule(
    id="AR403",
    name="service_private_unreachable",
    title="Private service cannot be reached",
    severity=Severity.HIGH,
    risk="Nobody reaches the service: a private one answers only through a VPC ingress connection that is available,"
    " and has no host name of its own without one.",
    remediation="Make a VPC ingress connection from the service to an interface endpoint for"
    " com.amazonaws.REGION.apprunner.requests. App Runner takes one a service: delete one that failed first, or point"
    " it at another endpoint.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/network-pl-manage.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/235",),
    needs=("services", "ingress_connections"),
    check=check,
    fault=lambda message: message.partition(":")[0],
    command=command,
)
