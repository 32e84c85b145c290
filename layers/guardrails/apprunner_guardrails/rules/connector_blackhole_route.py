import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, Subnet
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.routes import Family, effective_table, ways_out
from apprunner_guardrails.rules._common import each_subnet, listed
from apprunner_guardrails.settings import Settings


def _families(subnet: Subnet) -> tuple[Family, ...]:
    return (4, 6) if subnet.ipv6_cidrs else (4,)


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    def blackholes(subnet: Subnet) -> Iterator[str]:
        table = effective_table(subnet, network)
        for way in (way for family in _families(subnet) for way in ways_out(table, network, family)):
            if way.blackhole:
                yield (
                    f"{subnet.id} ({subnet.zone_id}) leaves through a blackhole: {table.id} sends"
                    f" {listed(way.destinations)} to {way.target}, which is gone"
                )

    return each_subnet(connector, network, blackholes)


def command(connector: Connector, network: Network, settings: Settings) -> str:
    return (
        f"aws ec2 replace-route --region {shlex.quote(network.region)} --route-table-id ROUTE_TABLE_ID"
        " --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT_GATEWAY_ID"
    )


RULE = Rule(
    id="AR108",
    name="connector_blackhole_route",
    title="VPC connector's way out is a blackhole",
    severity=Severity.HIGH,
    risk="The target of the route no longer exists: everything that the service sends out is dropped.",
    remediation="Point the route to a NAT gateway (or other target) that exists.",
    reference="https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html",
    needs=("subnets", "route_tables", "prefix_lists"),
    check=check,
    command=command,
)
