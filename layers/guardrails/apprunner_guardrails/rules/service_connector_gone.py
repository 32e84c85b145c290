from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, Service, is_gone, is_over, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import replace
from apprunner_guardrails.rules._common import set_network
from apprunner_guardrails.settings import Settings


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    found = service.connector
    if is_gone(found):
        said = "App Runner does not know it"
    elif found is not None and is_over(known(found)):
        said = f"it is {known(found).status}"
    else:
        return
    yield f"the VPC connector that it uses is no longer there: {service.connector_arn} ({said})"


def command(service: Service, network: Network, settings: Settings) -> str:
    return set_network(replace(service, connector_arn="VPC_CONNECTOR_ARN"))


RULE = Rule(
    id="AR409",
    name="service_connector_gone",
    title="Service uses a VPC connector that is no longer there",
    severity=Severity.HIGH,
    risk="App Runner can make no new network interface with it: deployments and updates may fail, and new instances may"
    " have no way into the VPC.",
    remediation="Give the service an active VPC connector: one that is there, or a new one with the old one's subnets"
    " and security groups.",
    reference="https://docs.aws.amazon.com/apprunner/latest/api/API_VpcConnector.html",
    needs=("services", "connectors"),
    check=check,
    fault=lambda message: message.partition(" (")[0],
    command=command,
)
