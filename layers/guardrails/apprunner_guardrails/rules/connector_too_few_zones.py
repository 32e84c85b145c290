from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, NotKnown, Zone, connector_subnets, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, listed, private_subnets_in, replace_connector
from apprunner_guardrails.settings import Settings


def _usable_zones(zones: tuple[Zone, ...], settings: Settings) -> set[str]:
    return {
        zone.id
        for zone in zones
        if zone.available and zone.kind == "availability-zone" and zone.id not in settings.unsupported_zone_ids
    }


def _zones(connector: Connector, network: Network, settings: Settings) -> tuple[set[str], set[str], int]:
    """Zone ids covered, zone ids that could be added, and how many are required."""
    usable = _usable_zones(known(network.zones), settings)
    covered = {subnet.zone_id for subnet in connector_subnets(connector, network)}
    return covered, usable - covered, min(settings.min_connector_zones, len(usable))


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    covered, missing, required = _zones(connector, network, settings)
    if len(covered) >= required:
        return
    candidates, why = told(private_subnets_in(missing, network))
    nothing = "not known" if why else f"none in {network.vpc_id or 'its VPC'}"
    filled = listed((f"{subnet.id} ({subnet.zone_id})" for subnet in candidates), nothing)
    yield (
        f"the subnets cover {len(covered)} of {required} required Availability Zones ({listed(covered)});"
        f" missing: {required - len(covered)} of {listed(missing)};"
        f" private subnets that would fill them: {filled}"
    )
    if why:
        raise NotKnown(why)


def command(connector: Connector, network: Network, settings: Settings) -> str:
    """What the VPC has is filled in; a zone that it cannot fill is left to the reader, or nothing would be mended."""
    covered, missing, required = _zones(connector, network, settings)
    added, _ = told(private_subnets_in(missing, network))
    subnets = [subnet.id for subnet in (*connector_subnets(connector, network), *added)]
    lacking = required - len(covered) - len(added)
    if lacking <= 0:
        return replace_connector(connector, subnets, connector.security_group_ids)
    unfilled = listed(missing - {subnet.zone_id for subnet in added})
    note = f"first find or make a private subnet in {lacking} of {unfilled}"
    return replace_connector(connector, (*subnets, "MORE_PRIVATE_SUBNET_IDS"), connector.security_group_ids, note)


RULE = Rule(
    id="AR101",
    name="connector_too_few_zones",
    title="VPC connector covers too few Availability Zones",
    severity=Severity.MEDIUM,
    risk="When one Availability Zone fails, the services behind the connector lose their way into the VPC.",
    remediation="Replace the connector by one with a private subnet in each of at least three zones"
    " (all of them where the Region has fewer).",
    reference=CONNECTOR_GUIDE,
    needs=("zones", "subnets", "route_tables", "prefix_lists"),
    check=check,
    fault=lambda message: message.partition("; private subnets")[0],
    command=command,
)
