from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, NotKnown, Service
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import update_service
from apprunner_guardrails.settings import Settings


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    most = settings.max_unhealthy_threshold
    if not most:
        return
    if service.unhealthy_threshold is None:
        raise NotKnown("DescribeService does not say after how many failed health checks the service is unhealthy")
    if service.unhealthy_threshold > most:
        yield (
            f"an instance counts as unhealthy after {service.unhealthy_threshold} failed health checks in a row;"
            f" at most {most} are allowed"
        )


def command(service: Service, network: Network, settings: Settings) -> str:
    return (
        "# name the other settings of the health check too: AWS does not say what becomes of those left out\n"
        + update_service(
            service, "health-check-configuration", f"UnhealthyThreshold={settings.max_unhealthy_threshold}"
        )
    )


RULE = Rule(
    id="AR405",
    name="service_unhealthy_threshold",
    title="Service puts up with too many failed health checks",
    severity=Severity.MEDIUM,
    risk="An instance that answers no more gets requests for as long as these checks take.",
    remediation="Lower the unhealthy threshold of the service's health check. Where healthy instances fail a check now"
    " and then, raise its timeout instead.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/manage-configure-healthcheck.html",
    needs=("services",),
    check=check,
    command=command,
)
