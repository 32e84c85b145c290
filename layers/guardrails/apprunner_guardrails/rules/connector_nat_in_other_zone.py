from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, RouteTable, Subnet, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.once import once
from apprunner_guardrails.routes import table_of
from apprunner_guardrails.rules._common import listed, set_route
from apprunner_guardrails.rules._nat import NatWay, each_nat_way, home_of, usable_nat_gateway_in
from apprunner_guardrails.settings import Settings


def _crossings(connector: Connector, network: Network) -> Iterator[tuple[NatWay, Subnet]]:
    """Ways through a NAT gateway of another zone, with the subnet that this one sits in.

    A gateway that is not there is AR110's concern; a regional one is in every zone.
    """

    def crossing(nat_way: NatWay) -> Iterator[tuple[NatWay, Subnet]]:
        if nat_way.nat and nat_way.nat.subnet_id:
            home = home_of(nat_way.nat, network)
            if home.zone_id != nat_way.subnet.zone_id:
                yield nat_way, home

    return each_nat_way(connector, network, crossing)


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for nat_way, home in _crossings(connector, network):
        subnet = nat_way.subnet
        yield f"{subnet.id} ({subnet.zone_id}) leaves through {nat_way.way.target}, which is in {home.zone_id}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    crossings, _ = told(_crossings(connector, network))
    return "\n".join(dict.fromkeys("\n".join(_bring_home(nat_way, network)) for nat_way, _ in crossings))


def _bring_home(nat_way: NatWay, network: Network) -> Iterator[str]:
    zone_id = nat_way.subnet.zone_id
    nat_gateway = usable_nat_gateway_in(zone_id, network) or "NAT_GATEWAY_OF_THE_SAME_ZONE"
    zones = _zones_of(nat_way.table, network)
    if zones == {zone_id}:
        for destination in nat_way.way.destinations:
            yield set_route(network, "replace-route", nat_way.table.id, destination, nat_gateway)
    else:
        yield f"# {nat_way.table.id} serves {listed(zones)}: give {zone_id} a route table of its own, with"
        for destination in nat_way.way.destinations:
            yield set_route(network, "create-route", "NEW_ROUTE_TABLE_ID", destination, nat_gateway)


def _zones_of(table: RouteTable, network: Network) -> AbstractSet[str]:
    return _zones_by_table(known(network.subnets), known(network.route_tables)).get(table.id, frozenset())


@once
def _zones_by_table(subnets: tuple[Subnet, ...], tables: tuple[RouteTable, ...]) -> Mapping[str, AbstractSet[str]]:
    by_table: dict[str, set[str]] = defaultdict(set)
    for subnet in subnets:
        table = table_of(subnet, tables)
        if table is not None:
            by_table[table.id].add(subnet.zone_id)
    return by_table


RULE = Rule(
    id="AR109",
    name="connector_nat_in_other_zone",
    title="VPC connector leaves through a NAT gateway of another zone",
    severity=Severity.MEDIUM,
    risk="When the NAT gateway's zone fails, subnets of healthy zones lose their way out too;"
    " and traffic between zones is charged.",
    remediation="Give each zone a NAT gateway of its own and a route table that leads to it.",
    reference="https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html",
    needs=("subnets", "route_tables", "prefix_lists", "nat_gateways"),
    check=check,
    command=command,
)
