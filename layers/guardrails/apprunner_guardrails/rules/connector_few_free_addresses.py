from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, connector_subnets
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, replace_connector
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for subnet in connector_subnets(connector, network):
        if subnet.free_addresses < settings.min_free_addresses and not subnet.ipv6_native:
            yield (
                f"{subnet.id} ({subnet.zone_id}, {subnet.cidr}) has {subnet.free_addresses} free addresses;"
                f" {settings.min_free_addresses} are required"
            )


def command(connector: Connector, network: Network, settings: Settings) -> str:
    """The subnets that have room stay."""
    subnets = connector_subnets(connector, network)
    roomy = [subnet.id for subnet in subnets if subnet.free_addresses >= settings.min_free_addresses]
    return replace_connector(connector, roomy, connector.security_group_ids, "add a larger subnet in each short zone")


RULE = Rule(
    id="AR105",
    name="connector_few_free_addresses",
    title="VPC connector's subnet is running out of addresses",
    severity=Severity.MEDIUM,
    risk="App Runner needs an address in each subnet for every combination of subnet and security groups;"
    " without one a service cannot be created or updated.",
    remediation="Free addresses in the subnet, let services share one connector (and so its interfaces),"
    " or replace the connector by one on larger subnets.",
    reference=CONNECTOR_GUIDE,
    needs=("subnets",),
    check=check,
    fault=lambda message: message.partition(" has ")[0],
    command=command,
)
