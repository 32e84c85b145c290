from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, Service
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import replace
from apprunner_guardrails.rules._common import set_network
from apprunner_guardrails.settings import Settings


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    if settings.require_vpc_egress and not service.connector_arn:
        yield "its outbound traffic goes to the public internet (EgressType DEFAULT), and a VPC connector is required"


def command(service: Service, network: Network, settings: Settings) -> str:
    return set_network(replace(service, connector_arn="VPC_CONNECTOR_ARN"))


RULE = Rule(
    id="AR401",
    name="service_public_egress",
    title="Service's outbound traffic does not go through a VPC",
    severity=Severity.MEDIUM,
    risk="What the service sends passes no route table, security group, firewall or flow log of yours, and leaves from"
    " addresses that are not yours.",
    remediation="Give the service a VPC connector. What it calls on the internet then needs a NAT gateway, or VPC"
    " endpoints where these are AWS's.",
    reference="https://docs.aws.amazon.com/config/latest/developerguide/apprunner-service-in-vpc.html",
    needs=("services",),
    check=check,
    command=command,
)
