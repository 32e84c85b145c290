"""The NAT gateways that carry a subnet's internet-bound traffic, for the two rules that judge them."""

from collections.abc import Iterator

from apprunner_guardrails.facts import NatGateway, Network, Subnet, known
from apprunner_guardrails.routes import effective_table, ways_out


def nat_gateways_of(subnet: Subnet, network: Network) -> Iterator[tuple[str, NatGateway | None]]:
    """Id and gateway of each; None where EC2 knows it no more. Blackhole routes are AR108's concern alone."""
    for way in ways_out(effective_table(subnet, network), network, 4):
        if way.target.startswith("nat-") and not way.blackhole:
            found = (nat for nat in known(network.nat_gateways) if nat.id == way.target)
            yield way.target, next(found, None)


def subnet_of(nat: NatGateway, network: Network) -> Subnet | None:
    return next((subnet for subnet in known(network.subnets) if subnet.id == nat.subnet_id), None)
