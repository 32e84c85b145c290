from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, NotKnown, Subnet, connector_subnets, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.routes import effective_table, is_internet_gateway, is_public, ways_out
from apprunner_guardrails.rules._common import (
    CONNECTOR_GUIDE,
    each_subnet,
    listed,
    private_subnets_in,
    replace_connector,
)
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    def public(subnet: Subnet) -> Iterator[str]:
        table = effective_table(subnet, network)
        kind = "main route table" if table.main and subnet.id not in table.subnet_ids else "route table"
        for way in (way for family in (4, 6) for way in ways_out(table, network, family)):
            if is_internet_gateway(way):
                yield (
                    f"{subnet.id} ({subnet.zone_id}) is public: its {kind} {table.id} sends"
                    f" {listed(way.destinations)} to {way.target}"
                )

    return each_subnet(connector, network, public)


def command(connector: Connector, network: Network, settings: Settings) -> str:
    """The private subnets stay, and each zone of a public one gets the private subnet that it has, if any."""
    subnets = connector_subnets(connector, network)
    private = [subnet for subnet in subnets if not _known_public(subnet, network)]
    open_zones = {subnet.zone_id for subnet in subnets} - {subnet.zone_id for subnet in private}
    chosen = [*private, *told(private_subnets_in(open_zones, network))[0]]
    return replace_connector(connector, (subnet.id for subnet in chosen), connector.security_group_ids)


def _known_public(subnet: Subnet, network: Network) -> bool:
    try:
        return is_public(effective_table(subnet, network), network)
    except NotKnown:
        return False


RULE = Rule(
    id="AR102",
    name="connector_public_subnet",
    title="VPC connector uses a public subnet",
    severity=Severity.HIGH,
    risk="App Runner's network interfaces have private addresses only, so an internet gateway drops what they send:"
    " outbound calls time out, and services fail to create or roll back.",
    remediation="Replace the connector by one on private subnets, whose default route leads to a NAT gateway.",
    reference=CONNECTOR_GUIDE,
    reports=(
        "https://github.com/aws/apprunner-roadmap/issues/192",
        "https://github.com/aws/copilot-cli/issues/3282",
    ),
    needs=("subnets", "route_tables", "prefix_lists"),
    check=check,
    command=command,
)
