from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Egress, Moot, Network, Service, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import replace
from apprunner_guardrails.rules._common import set_network
from apprunner_guardrails.settings import Settings


def _not_applied(service: Service) -> Egress | None:
    """What was asked for and is not there, of an update that did not fail: a rollback is told elsewhere."""
    asked = service.asked
    if asked is None or asked == service.egress or known(service.update_failed):
        return None
    return asked


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    if service.asked is not None and service.busy:
        raise Moot  # the next update may be about to change it
    asked = _not_applied(service)
    if asked is not None:
        yield f"its last update asked for egress {asked} and did not fail, but its egress is {service.egress}"


def command(service: Service, network: Network, settings: Settings) -> str:
    asked = _not_applied(service)
    return "" if asked is None else set_network(replace(service, connector_arn=asked.connector_arn))


RULE = Rule(
    id="AR410",
    name="service_egress_not_applied",
    title="Service's egress is not what its last update asked for",
    severity=Severity.HIGH,
    risk="Whoever changed it believes that outbound traffic takes the new way, and it takes the old one: past the VPC"
    " that it was to go through, or into one that it was to leave.",
    remediation="Ask for it again by the API, and look at what DescribeService shows once the operation is over: users"
    " report that the console did not change it. Where it stays, open a support case.",
    reference="https://docs.aws.amazon.com/apprunner/latest/api/API_UpdateService.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/168",),
    needs=("services", "operations"),
    check=check,
    command=command,
)
