from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, connector_subnets
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, replace_connector
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for subnet in connector_subnets(connector, network):
        if subnet.zone_id in settings.unsupported_zone_ids:
            yield (
                f"{subnet.id} is in {subnet.zone_id}, which UnsupportedZoneIds lists"
                " (unverified: AWS publishes no list of zones that connectors can use)"
            )


def command(connector: Connector, network: Network, settings: Settings) -> str:
    subnets = connector_subnets(connector, network)
    kept = (subnet.id for subnet in subnets if subnet.zone_id not in settings.unsupported_zone_ids)
    return replace_connector(connector, kept, connector.security_group_ids)


RULE = Rule(
    id="AR104",
    name="connector_unsupported_zone",
    title="VPC connector uses a zone that App Runner may not support",
    severity=Severity.LOW,
    risk="Some Availability Zones cannot host App Runner's interfaces: creating or updating a service then fails.",
    remediation="Replace the connector by one without that zone, or take the zone out of UnsupportedZoneIds"
    " when your services run there.",
    reference=CONNECTOR_GUIDE,
    needs=("subnets",),
    check=check,
    command=command,
)
