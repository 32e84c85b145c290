import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Endpoint, Network, RouteTable, Subnet, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.routes import effective_table, leads_out
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, each_subnet, listed
from apprunner_guardrails.settings import Settings


def _service_names(network: Network, settings: Settings) -> tuple[str, ...]:
    """Short names (secretsmanager) in full: com.amazonaws.<region>.secretsmanager."""
    return tuple(
        name if name.startswith(("com.", "aws.")) else f"com.amazonaws.{network.region}.{name}"
        for name in settings.required_endpoint_services
    )


def _serves(endpoint: Endpoint, table: RouteTable) -> bool:
    return endpoint.state == "available" and (endpoint.kind != "Gateway" or table.id in endpoint.route_table_ids)


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    wanted = _service_names(network, settings)

    def isolated(subnet: Subnet) -> Iterator[str]:
        table = effective_table(subnet, network)
        if leads_out(table, network):
            return
        where = f"{subnet.id} ({subnet.zone_id}) has no default route in {table.id}"
        if wanted:
            served = {endpoint.service for endpoint in known(network.endpoints) if _serves(endpoint, table)}
            missing = set(wanted) - served
            if missing:
                yield f"{where}, and no available VPC endpoint reaches {listed(missing)} from it"
        elif settings.require_internet_egress:
            yield f"{where}: nothing outside the VPC can be reached from it"

    return each_subnet(connector, network, isolated)


def command(connector: Connector, network: Network, settings: Settings) -> str:
    region = shlex.quote(network.region)
    route = (
        f"aws ec2 create-route --region {region} --route-table-id ROUTE_TABLE_ID"
        " --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT_GATEWAY_ID"
    )
    endpoints = [
        f"aws ec2 create-vpc-endpoint --region {region} --vpc-id {shlex.quote(network.vpc_id)}"
        f" --vpc-endpoint-type Interface --service-name {shlex.quote(name)}"
        f" --subnet-ids {' '.join(map(shlex.quote, connector.subnet_ids))} --private-dns-enabled"
        for name in _service_names(network, settings)
    ]
    return "\n".join([route, *(["# or, without a way to the internet:", *endpoints] if endpoints else [])])


RULE = Rule(
    id="AR107",
    name="connector_no_way_out",
    title="VPC connector's subnet has no way out",
    severity=Severity.HIGH,
    risk="All outbound traffic of the service goes through the connector: calls to the internet and to AWS time out.",
    remediation="Route 0.0.0.0/0 to a NAT gateway of the same zone (or to a transit gateway that leads out),"
    " or make VPC endpoints for what the service calls and list them in RequiredEndpointServices."
    " Set RequireInternetEgress to false where connectors are isolated on purpose.",
    reference=CONNECTOR_GUIDE,
    reports=(
        "https://github.com/aws/apprunner-roadmap/issues/109",
        "https://github.com/aws/apprunner-roadmap/issues/192",
    ),
    needs=("subnets", "route_tables", "prefix_lists", "endpoints"),
    check=check,
    command=command,
)
