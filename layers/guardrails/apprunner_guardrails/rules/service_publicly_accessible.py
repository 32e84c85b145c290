from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, Service
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import replace
from apprunner_guardrails.rules._common import connect_ingress, set_network
from apprunner_guardrails.settings import Settings


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    if settings.require_private_ingress and service.public:
        yield "it can be reached from the internet (IsPubliclyAccessible true), and private ingress is required"


def command(service: Service, network: Network, settings: Settings) -> str:
    return "\n".join(
        (
            "# from here on nobody reaches it until its VPC ingress connection is available",
            set_network(replace(service, public=False)),
            "# once that update is over",
            connect_ingress(service),
        )
    )


RULE = Rule(
    id="AR402",
    name="service_publicly_accessible",
    title="Service can be reached from the internet",
    severity=Severity.MEDIUM,
    risk="Whoever knows its URL can call it. The security groups of its VPC connector do not help: outbound traffic is"
    " all that they see.",
    remediation="Make the service private, with a VPC ingress connection to an interface endpoint for"
    " com.amazonaws.REGION.apprunner.requests, by which its clients reach it.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/network-pl.html",
    reports=(
        "https://github.com/aws/apprunner-roadmap/issues/113",
        "https://github.com/aws/apprunner-roadmap/issues/281",
    ),
    needs=("services",),
    check=check,
    command=command,
)
