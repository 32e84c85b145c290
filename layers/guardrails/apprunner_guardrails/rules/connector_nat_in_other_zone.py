import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, NotKnown, Subnet
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import each_subnet
from apprunner_guardrails.rules._nat import nat_gateways_of, subnet_of
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    def crosses(subnet: Subnet) -> Iterator[str]:
        for nat_id, nat in nat_gateways_of(subnet, network):
            if nat is None or not nat.subnet_id:
                continue  # a missing one is AR110's concern; a regional one is in every zone
            home = subnet_of(nat, network)
            if home is None:
                raise NotKnown(f"the subnet {nat.subnet_id} of {nat_id} cannot be seen")
            if home.zone_id != subnet.zone_id:
                yield f"{subnet.id} ({subnet.zone_id}) leaves through {nat_id}, which is in {home.zone_id}"

    return each_subnet(connector, network, crosses)


def command(connector: Connector, network: Network, settings: Settings) -> str:
    return (
        f"aws ec2 replace-route --region {shlex.quote(network.region)} --route-table-id ROUTE_TABLE_ID"
        " --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT_GATEWAY_OF_THE_SAME_ZONE"
    )


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
