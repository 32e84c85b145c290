from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, replace_connector
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    found = {group.id for group in known(network.security_groups)}
    for group_id in connector.security_group_ids:
        if group_id not in found:
            yield f"{group_id} no longer exists"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    found = (group.id for group in known(network.security_groups) if group.id in connector.security_group_ids)
    return replace_connector(connector, connector.subnet_ids, found)


RULE = Rule(
    id="AR206",
    name="connector_security_group_gone",
    title="VPC connector names a security group that no longer exists",
    severity=Severity.HIGH,
    risk="App Runner can make no new network interface with it: the next update of a service fails.",
    remediation="Replace the connector by one with security groups that exist.",
    reference=CONNECTOR_GUIDE,
    needs=("security_groups",),
    check=check,
    command=command,
)
