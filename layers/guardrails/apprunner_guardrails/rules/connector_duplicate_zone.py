from collections import defaultdict
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, Subnet, connector_subnets
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, listed, replace_connector
from apprunner_guardrails.settings import Settings


def _by_zone(connector: Connector, network: Network) -> dict[str, list[Subnet]]:
    zones: dict[str, list[Subnet]] = defaultdict(list)
    for subnet in connector_subnets(connector, network):
        zones[subnet.zone_id].append(subnet)
    return zones


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for zone_id, subnets in _by_zone(connector, network).items():
        if len(subnets) > 1:
            yield f"{len(subnets)} subnets are in {zone_id}: {listed(subnet.id for subnet in subnets)}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    roomiest = (max(subnets, key=lambda s: s.free_addresses) for subnets in _by_zone(connector, network).values())
    return replace_connector(connector, (subnet.id for subnet in roomiest), connector.security_group_ids)


RULE = Rule(
    id="AR103",
    name="connector_duplicate_zone",
    title="VPC connector has several subnets in one Availability Zone",
    severity=Severity.LOW,
    risk="A second subnet in a zone makes another network interface and adds no resilience;"
    " it can hide that another zone is missing.",
    remediation="Replace the connector by one with a single subnet in each zone.",
    reference=CONNECTOR_GUIDE,
    needs=("subnets",),
    check=check,
    command=command,
)
