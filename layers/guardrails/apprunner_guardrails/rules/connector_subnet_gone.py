from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, connector_subnets
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, replace_connector
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    found = {subnet.id for subnet in connector_subnets(connector, network)}
    for subnet_id in connector.subnet_ids:
        if subnet_id not in found:
            yield f"{subnet_id} no longer exists"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    found = (subnet.id for subnet in connector_subnets(connector, network))
    return replace_connector(connector, found, connector.security_group_ids)


RULE = Rule(
    id="AR113",
    name="connector_subnet_gone",
    title="VPC connector names a subnet that no longer exists",
    severity=Severity.HIGH,
    risk="App Runner can make no network interface there: the zone is lost, and updates of the service fail.",
    remediation="Replace the connector by one on subnets that exist.",
    reference=CONNECTOR_GUIDE,
    needs=("subnets",),
    check=check,
    command=command,
)
