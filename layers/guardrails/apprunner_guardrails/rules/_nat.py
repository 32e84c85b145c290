"""The NAT gateways that carry subnets' internet-bound traffic, for the two rules that judge them."""

from collections.abc import Callable, Iterator

from apprunner_guardrails.facts import Connector, NatGateway, Network, NotKnown, RouteTable, Subnet, known, told
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.routes import WayOut, effective_table, is_public, ways_out
from apprunner_guardrails.rules._common import each, each_subnet


@dataclass(frozen=True, kw_only=True, slots=True)
class NatWay:
    """A connector's subnet leaves by `way` of its `table` through `nat`: None where EC2 does not know it."""

    subnet: Subnet
    table: RouteTable
    way: WayOut
    nat: NatGateway | None


def each_nat_way[T](connector: Connector, network: Network, answers_of: Callable[[NatWay], Iterator[T]]) -> Iterator[T]:
    return each_subnet(connector, network, lambda subnet: each(_nat_ways(subnet, network), answers_of))


def _nat_ways(subnet: Subnet, network: Network) -> Iterator[NatWay]:
    """Blackhole routes are AR108's concern alone."""
    table = effective_table(subnet, network)
    for way in ways_out(table, network, 4):
        if way.target.startswith("nat-") and not way.blackhole:
            found = (nat for nat in known(network.nat_gateways) if nat.id == way.target)
            yield NatWay(subnet=subnet, table=table, way=way, nat=next(found, None))


def home_of(nat: NatGateway, network: Network) -> Subnet:
    """The subnet that a (zonal) NAT gateway sits in."""
    for subnet in known(network.subnets):
        if subnet.id == nat.subnet_id:
            return subnet
    raise NotKnown(f"the subnet {nat.subnet_id} of {nat.id} cannot be seen from this account")


def usable_nat_gateway_in(zone_id: str, network: Network) -> str:
    """The id of a public NAT gateway of the zone that leads to the internet; empty if none is seen."""

    def usable(nat: NatGateway) -> Iterator[str]:
        if nat.state == "available" and nat.connectivity == "public" and nat.subnet_id:
            home = home_of(nat, network)
            if home.zone_id == zone_id and is_public(effective_table(home, network), network):
                yield nat.id

    return min(told(each(known(network.nat_gateways), usable))[0], default="")
