from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, Subnet, connector_subnets
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, listed, replace_connector
from apprunner_guardrails.settings import Settings


def _is_dual_stack(subnet: Subnet) -> bool:
    return bool(subnet.ipv6_cidrs) and not subnet.ipv6_native


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    subnets = connector_subnets(connector, network)
    for subnet in subnets:
        if subnet.ipv6_native:
            yield f"{subnet.id} ({subnet.zone_id}) is IPv6-only: App Runner takes IPv4 and dual-stack subnets"
    dual = [subnet.id for subnet in subnets if _is_dual_stack(subnet)]
    ipv4 = [subnet.id for subnet in subnets if not subnet.ipv6_cidrs and not subnet.ipv6_native]
    if dual and ipv4:
        yield f"IPv4 and dual-stack subnets are mixed: IPv4 only {listed(ipv4)}; dual-stack {listed(dual)}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    """Keep the larger camp; dual-stack on a draw, as it can do what IPv4 can."""
    subnets = [subnet for subnet in connector_subnets(connector, network) if not subnet.ipv6_native]
    dual = [subnet.id for subnet in subnets if _is_dual_stack(subnet)]
    ipv4 = [subnet.id for subnet in subnets if not _is_dual_stack(subnet)]
    kept = dual if len(dual) >= len(ipv4) else ipv4
    return replace_connector(connector, kept, connector.security_group_ids, "add subnets of the same address type")


RULE = Rule(
    id="AR106",
    name="connector_mixed_address_types",
    title="VPC connector mixes subnet address types",
    severity=Severity.HIGH,
    risk="App Runner takes subnets that are all IPv4 or all dual-stack, and no IPv6-only ones:"
    " services cannot be created on a mixture.",
    remediation="Replace the connector by one whose subnets are all IPv4 or all dual-stack,"
    " or give the others an IPv6 block too.",
    reference=CONNECTOR_GUIDE,
    needs=("subnets",),
    check=check,
    command=command,
)
