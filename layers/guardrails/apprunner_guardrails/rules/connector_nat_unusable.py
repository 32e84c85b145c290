import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, NatGateway, Network, NotKnown, Subnet
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.routes import WayOut, effective_table, is_internet_gateway, ways_out
from apprunner_guardrails.rules._common import each_subnet
from apprunner_guardrails.rules._nat import nat_gateways_of, subnet_of
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    def unusable(subnet: Subnet) -> Iterator[str]:
        for nat_id, nat in nat_gateways_of(subnet, network):
            where = f"{subnet.id} ({subnet.zone_id}) leaves through {nat_id}"
            if nat is None:
                yield f"{where}, which does not exist"
            elif nat.state != "available":
                yield f"{where}, which is {nat.state}"
            elif nat.subnet_id:  # a regional NAT gateway sits in no subnet and routes by a table of its own
                yield from _misplaced(nat, where, network)

    return each_subnet(connector, network, unusable)


def _misplaced(nat: NatGateway, where: str, network: Network) -> Iterator[str]:
    home = subnet_of(nat, network)
    if home is None:
        raise NotKnown(f"the subnet {nat.subnet_id} of {nat.id} cannot be seen")
    table = effective_table(home, network)
    ways = ways_out(table, network, 4)
    if nat.connectivity == "private":
        if not any(_passes_on(way) for way in ways):
            yield (
                f"{where}, a private NAT gateway: {table.id} of its subnet {home.id} does not pass internet-bound"
                " traffic on to another network, and an internet gateway drops what a private NAT gateway sends"
            )
    elif not any(is_internet_gateway(way) for way in ways):
        yield f"{where}, whose subnet {home.id} has no default route to an internet gateway in {table.id}"


def _passes_on(way: WayOut) -> bool:
    return not way.blackhole and not way.target.startswith(("igw-", "nat-"))


def command(connector: Connector, network: Network, settings: Settings) -> str:
    region = shlex.quote(network.region)
    return (
        f"aws ec2 create-nat-gateway --region {region} --subnet-id PUBLIC_SUBNET_OF_THE_SAME_ZONE"
        " --allocation-id ELASTIC_IP_ALLOCATION_ID\n"
        f"aws ec2 replace-route --region {region} --route-table-id ROUTE_TABLE_ID"
        " --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NEW_NAT_GATEWAY_ID"
    )


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
