import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Endpoint, Network, RouteTable, Subnet, connector_subnets, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.routes import effective_table, leads_out
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, each_subnet, listed, set_route
from apprunner_guardrails.settings import Settings


def _service_names(network: Network, settings: Settings) -> frozenset[str]:
    """Short names (secretsmanager) in full: com.amazonaws.<region>.secretsmanager."""
    return frozenset(
        name if name.startswith(("com.", "aws.")) else f"com.amazonaws.{network.region}.{name}"
        for name in settings.required_endpoint_services
    )


def _serves(endpoint: Endpoint, table: RouteTable) -> bool:
    return endpoint.state == "available" and (endpoint.kind != "Gateway" or table.id in endpoint.route_table_ids)


def _isolated(
    connector: Connector, network: Network, settings: Settings
) -> Iterator[tuple[Subnet, RouteTable, frozenset[str]]]:
    """Subnets without a way out, their tables, and the required endpoint services that they cannot reach."""
    wanted = _service_names(network, settings)

    def isolated(subnet: Subnet) -> Iterator[tuple[Subnet, RouteTable, frozenset[str]]]:
        table = effective_table(subnet, network)
        if leads_out(table, network):
            return
        if wanted:
            missing = wanted - {endpoint.service for endpoint in known(network.endpoints) if _serves(endpoint, table)}
            if missing:
                yield subnet, table, missing
        elif settings.require_internet_egress:
            yield subnet, table, frozenset()

    return each_subnet(connector, network, isolated)


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for subnet, table, missing in _isolated(connector, network, settings):
        where = f"{subnet.id} ({subnet.zone_id}) has no default route for IPv4 in {table.id}"
        if missing:
            yield f"{where}, and no available VPC endpoint reaches {listed(missing)} from it"
        else:
            yield where


def command(connector: Connector, network: Network, settings: Settings) -> str:
    isolated, _ = told(_isolated(connector, network, settings))
    tables = sorted({table.id for _, table, _ in isolated})
    missing = sorted({name for _, _, names in isolated for name in names})
    lines = [set_route(network, "create-route", table, "0.0.0.0/0") for table in tables]
    if missing:
        lines.append("# or, without a way to the internet:")
    return "\n".join([*lines, *(_reach(name, tables, connector, network) for name in missing)])


def _reach(service: str, tables: list[str], connector: Connector, network: Network) -> str:
    region = f"--region {shlex.quote(network.region)}"
    route_tables = " ".join(map(shlex.quote, tables))
    for endpoint in sorted(known(network.endpoints), key=lambda endpoint: (endpoint.state, endpoint.id)):
        if endpoint.service == service and endpoint.state.startswith("pending"):
            return f"# {endpoint.id} for {service} is {endpoint.state}"
        if endpoint.service == service and endpoint.kind == "Gateway" and endpoint.state == "available":
            return (
                f"aws ec2 modify-vpc-endpoint {region} --vpc-endpoint-id {shlex.quote(endpoint.id)}"
                f" --add-route-table-ids {route_tables}"
            )
    name = shlex.quote(service)
    create = f"aws ec2 create-vpc-endpoint {region} --vpc-id {shlex.quote(network.vpc_id)} --service-name {name}"
    if service.endswith((".s3", ".dynamodb")):
        return f"{create} --vpc-endpoint-type Gateway --route-table-ids {route_tables}"
    one_a_zone = {subnet.zone_id: shlex.quote(subnet.id) for subnet in connector_subnets(connector, network)}
    return f"{create} --vpc-endpoint-type Interface --subnet-ids {' '.join(one_a_zone.values())} --private-dns-enabled"


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
