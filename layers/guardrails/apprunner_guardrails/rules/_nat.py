"""The NAT gateways that carry subnets' internet-bound traffic, for the two rules that judge them."""

from collections.abc import Callable, Iterator, Mapping

from apprunner_guardrails.facts import (
    Connector,
    NatGateway,
    Network,
    NotKnown,
    RouteTable,
    Subnet,
    Unread,
    known,
    subnets_indexed,
    told,
)
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once
from apprunner_guardrails.routes import Lists, WayOut, carrying, effective_table, is_public
from apprunner_guardrails.rules._common import each, each_subnet


@dataclass(frozen=True, kw_only=True, slots=True)
class NatWay:
    """A connector's subnet leaves by `way` of its `table` through `nat`: None where EC2 does not know it."""

    subnet: Subnet
    table: RouteTable
    way: WayOut
    nat: NatGateway | None


def each_nat_way[T](connector: Connector, network: Network, answers_of: Callable[[NatWay], Iterator[T]]) -> Iterator[T]:
    def of_subnet(subnet: Subnet) -> Iterator[T]:
        table = effective_table(subnet, network)
        return each(_nat_ways(subnet, table, network.prefix_lists, network.nat_gateways), answers_of)

    return each_subnet(connector, network, of_subnet)


@once
def _nat_ways(
    subnet: Subnet, table: RouteTable, lists: Lists, gateways: tuple[NatGateway, ...] | Unread
) -> tuple[NatWay, ...]:
    """Blackhole routes are AR108's concern alone."""
    through = [one for one in carrying(table, lists, 4) if one.target.startswith("nat-") and not one.blackhole]
    return tuple(
        NatWay(subnet=subnet, table=table, way=way, nat=_gateways_by_id(known(gateways)).get(way.target))
        for way in through
    )


@once
def _gateways_by_id(gateways: tuple[NatGateway, ...]) -> Mapping[str, NatGateway]:
    return {nat.id: nat for nat in gateways}


def home_of(nat: NatGateway, network: Network) -> Subnet:
    """The subnet that a (zonal) NAT gateway sits in."""
    home = subnets_indexed(known(network.subnets)).get(nat.subnet_id)
    if home is not None:
        return home
    raise NotKnown(f"the subnet {nat.subnet_id} of {nat.id} cannot be seen from this account")


def usable_nat_gateway_in(zone_id: str, network: Network) -> str:
    """The id of a public NAT gateway of the zone that leads to the internet; empty if none is seen."""

    def usable(nat: NatGateway) -> Iterator[str]:
        if nat.state == "available" and nat.connectivity == "public" and nat.subnet_id:
            home = home_of(nat, network)
            if home.zone_id == zone_id and is_public(effective_table(home, network), network):
                yield nat.id

    return min(told(each(known(network.nat_gateways), usable))[0], default="")
