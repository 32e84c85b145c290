from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, RouteTable, Subnet, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.routes import WayOut, effective_table, families, ways_out
from apprunner_guardrails.rules._common import each_subnet, listed, set_route
from apprunner_guardrails.settings import Settings


def _blackholes(connector: Connector, network: Network) -> Iterator[tuple[Subnet, RouteTable, WayOut]]:
    def blackholes(subnet: Subnet) -> Iterator[tuple[Subnet, RouteTable, WayOut]]:
        table = effective_table(subnet, network)
        for way in (way for family in families(subnet) for way in ways_out(table, network, family)):
            if way.blackhole:
                yield subnet, table, way

    return each_subnet(connector, network, blackholes)


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for subnet, table, way in _blackholes(connector, network):
        yield (
            f"{subnet.id} ({subnet.zone_id}) leaves through a blackhole: {table.id} sends"
            f" {listed(way.destinations)} to {way.target}, which is gone"
        )


def command(connector: Connector, network: Network, settings: Settings) -> str:
    lost, _ = told(_blackholes(connector, network))
    routes = {(table.id, destination) for _, table, way in lost for destination in way.destinations}
    return "\n".join(set_route(network, "replace-route", *route) for route in sorted(routes))


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
