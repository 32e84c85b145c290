from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, Service
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import update_service
from apprunner_guardrails.settings import Settings


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    if settings.require_observability and not service.observable:
        yield "its requests are not traced (ObservabilityEnabled is not true), and observability is required"


def command(service: Service, network: Network, settings: Settings) -> str:
    return update_service(
        service,
        "observability-configuration",
        "ObservabilityEnabled=true,ObservabilityConfigurationArn=OBSERVABILITY_CONFIGURATION_ARN",
    )


RULE = Rule(
    id="AR404",
    name="service_not_observable",
    title="Service is not traced",
    severity=Severity.MEDIUM,
    risk="When requests are slow or fail, nothing tells where between client, service and what it calls they do.",
    remediation="Instrument the application with OpenTelemetry, let its instance role write to X-Ray, and give the"
    " service an observability configuration.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/manage-configure-observability.html",
    needs=("services",),
    check=check,
    command=command,
)
