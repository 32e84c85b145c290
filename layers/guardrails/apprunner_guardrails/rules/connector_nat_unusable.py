import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, NatGateway, Network, NotKnown, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.routes import WayOut, effective_table, is_internet_gateway, ways_out
from apprunner_guardrails.rules._common import set_route
from apprunner_guardrails.rules._nat import NatWay, each_nat_way, home_of, usable_nat_gateway_in
from apprunner_guardrails.settings import Settings


def _unusable(connector: Connector, network: Network, settings: Settings) -> Iterator[tuple[NatWay, str]]:
    """Ways through NAT gateways that carry nothing, and why."""

    def unusable(nat_way: NatWay) -> Iterator[tuple[NatWay, str]]:
        nat = nat_way.nat
        if nat is None:
            if nat_way.subnet.owner_id != network.account:
                owner = nat_way.subnet.owner_id
                raise NotKnown(f"{nat_way.way.target} of account {owner} cannot be seen from this account")
            yield nat_way, "which does not exist"
        elif nat.state != "available":
            yield nat_way, f"which is {nat.state}"
        elif nat.subnet_id:  # a regional NAT gateway sits in no subnet and routes by a table of its own
            for why in _misplaced(nat, network, settings):
                yield nat_way, why

    return each_nat_way(connector, network, unusable)


def _misplaced(nat: NatGateway, network: Network, settings: Settings) -> Iterator[str]:
    home = home_of(nat, network)
    table = effective_table(home, network)
    ways = ways_out(table, network, 4)
    if nat.connectivity == "private":
        if settings.require_internet_egress and not any(_passes_on(way) for way in ways):
            yield (
                f"a private NAT gateway: {table.id} of its subnet {home.id} does not pass internet-bound traffic on to"
                " another network, and an internet gateway drops what a private NAT gateway sends"
            )
    elif not any(is_internet_gateway(way) for way in ways):
        yield f"whose subnet {home.id} has no default route to an internet gateway in {table.id}"


def _passes_on(way: WayOut) -> bool:
    return not way.blackhole and not way.target.startswith(("igw-", "nat-"))


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for nat_way, why in _unusable(connector, network, settings):
        yield f"{nat_way.subnet.id} ({nat_way.subnet.zone_id}) leaves through {nat_way.way.target}, {why}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    unusable, _ = told(_unusable(connector, network, settings))
    return "\n".join(dict.fromkeys(line for nat_way, _ in unusable for line in _exchange(nat_way, network)))


def _exchange(nat_way: NatWay, network: Network) -> Iterator[str]:
    nat_gateway = usable_nat_gateway_in(nat_way.subnet.zone_id, network)
    if not nat_gateway:
        zone = nat_way.subnet.zone_id.upper().replace("-", "_")
        yield (
            f"aws ec2 create-nat-gateway --region {shlex.quote(network.region)}"
            f" --subnet-id PUBLIC_SUBNET_IN_{zone} --allocation-id ELASTIC_IP_ALLOCATION_ID"
        )
    for destination in nat_way.way.destinations:
        yield set_route(network, "replace-route", nat_way.table.id, destination, nat_gateway or "NEW_NAT_GATEWAY_ID")


RULE = Rule(
    id="AR110",
    name="connector_nat_unusable",
    title="VPC connector's NAT gateway cannot reach the internet",
    severity=Severity.HIGH,
    risk="The route exists and looks right, but the NAT gateway behind it does not carry traffic:"
    " outbound calls time out.",
    remediation="Use a public NAT gateway that is available and sits in a subnet whose default route leads to an"
    " internet gateway.",
    reference="https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html",
    needs=("subnets", "route_tables", "prefix_lists", "nat_gateways"),
    check=check,
    command=command,
)
