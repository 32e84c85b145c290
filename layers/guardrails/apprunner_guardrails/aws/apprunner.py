"""App Runner: connectors, services and what makes private ones reachable."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.facts import Connector, IngressConnection, Service, Unread, is_over

if TYPE_CHECKING:
    from mypy_boto3_apprunner.type_defs import (
        CustomDomainTypeDef,
        ServiceTypeDef,
        VpcConnectorTypeDef,
        VpcIngressConnectionTypeDef,
    )

    from apprunner_guardrails.aws.reads import Page

# Of an operation that did not bring about what was asked for: App Runner takes back what it cannot finish.
_TAKEN_BACK = frozenset({"FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED", "ROLLBACK_SUCCEEDED"})
_OPERATIONS = 20  # a page, the most that App Runner gives


def describe_connector(reads: Reads, arn: str) -> Pending[Connector]:
    """A deleted connector is told too, as INACTIVE, until App Runner forgets it."""
    return reads.ask("apprunner", "DescribeVpcConnector", _described_connector, VpcConnectorArn=arn)


def list_connectors(reads: Reads) -> Pending[tuple[Connector, ...]]:
    """The active connectors of the Region, whole: 100 a page. AWS does not say that deleted ones are left out."""
    return reads.ask("apprunner", "ListVpcConnectors", _listed_connectors, MaxResults=100)


def describe_service(reads: Reads, arn: str) -> Pending[Service]:
    return reads.ask("apprunner", "DescribeService", _described_service, ServiceArn=arn)


def list_services(reads: Reads) -> Pending[tuple[str, ...]]:
    """The ARNs of the Region's services, whole and sorted: 20 a page, the most that App Runner gives."""
    return reads.ask("apprunner", "ListServices", _listed_services, MaxResults=20)


def describe_tags(reads: Reads, arn: str) -> Pending[Mapping[str, str]]:
    return reads.ask("apprunner", "ListTagsForResource", _listed_tags, ResourceArn=arn)


def connector(row: "VpcConnectorTypeDef") -> Connector:
    """A connector from DescribeVpcConnector or ListVpcConnectors. Ids sorted; an omitted group list is empty."""
    return Connector(
        arn=row["VpcConnectorArn"],
        name=row["VpcConnectorName"],
        status=row.get("Status", "ACTIVE"),
        subnet_ids=tuple(sorted(set(row.get("Subnets", ())))),
        security_group_ids=tuple(sorted(set(row.get("SecurityGroups", ())))),
        created=_created(row),
    )


def service(row: "ServiceTypeDef") -> Service:
    """A service from DescribeService. The connector counts only with EgressType VPC."""
    network = row.get("NetworkConfiguration", {})
    egress = network.get("EgressConfiguration", {})
    return Service(
        arn=row["ServiceArn"],
        name=row["ServiceName"],
        status=row["Status"],
        connector_arn=egress.get("VpcConnectorArn", "") if egress.get("EgressType") == "VPC" else "",
        public=network.get("IngressConfiguration", {}).get("IsPubliclyAccessible", True),
        url=row.get("ServiceUrl", ""),
        address_type=network.get("IpAddressType", ""),
        observable=row.get("ObservabilityConfiguration", {}).get("ObservabilityEnabled", False),
        unhealthy_threshold=row.get("HealthCheckConfiguration", {}).get("UnhealthyThreshold"),
        created=_created(row),
    )


def _created(row: "VpcConnectorTypeDef | ServiceTypeDef") -> str:
    return row["CreatedAt"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if "CreatedAt" in row else ""


def _described_connector(pages: "Sequence[Page]") -> Connector:
    return connector(pages[0]["VpcConnector"])


def _listed_connectors(pages: "Sequence[Page]") -> tuple[Connector, ...]:
    listed = (connector(row) for page in pages for row in page.get("VpcConnectors", ()))
    return tuple(one for one in listed if not is_over(one))


def _listed_services(pages: "Sequence[Page]") -> tuple[str, ...]:
    return tuple(sorted(row["ServiceArn"] for page in pages for row in page.get("ServiceSummaryList", ())))


def _listed_tags(pages: "Sequence[Page]") -> Mapping[str, str]:
    return {row["Key"]: row.get("Value", "") for page in pages for row in page.get("Tags", ())}


def _described_service(pages: "Sequence[Page]") -> Service:
    return service(pages[0]["Service"])


def list_ingress_connections(reads: Reads, service_arn: str) -> Pending[tuple[str, ...]]:
    """The ARNs of a service's VPC ingress connections, sorted; App Runner lists no more of them than that."""
    wanted = {"ServiceArn": service_arn}
    return reads.ask("apprunner", "ListVpcIngressConnections", _listed_ingress_connections, Filter=wanted)


def list_all_ingress_connections(reads: Reads) -> Pending[tuple[str, ...]]:
    """The ARNs of the Region's VPC ingress connections, whole and sorted: 100 a page, as many as App Runner gives."""
    return reads.ask("apprunner", "ListVpcIngressConnections", _listed_ingress_connections, MaxResults=100)


def describe_ingress_connection(reads: Reads, arn: str) -> Pending[IngressConnection]:
    return reads.ask(
        "apprunner", "DescribeVpcIngressConnection", _described_ingress_connection, VpcIngressConnectionArn=arn
    )


def ingress_connection(row: "VpcIngressConnectionTypeDef") -> IngressConnection:
    place = row.get("IngressVpcConfiguration", {})
    return IngressConnection(
        arn=row["VpcIngressConnectionArn"],
        name=row.get("VpcIngressConnectionName", ""),
        service_arn=row.get("ServiceArn", ""),
        status=row.get("Status", ""),
        vpc_id=place.get("VpcId", ""),
        endpoint_id=place.get("VpcEndpointId", ""),
        domain=row.get("DomainName", ""),
    )


def _listed_ingress_connections(pages: "Sequence[Page]") -> tuple[str, ...]:
    rows = (row for page in pages for row in page.get("VpcIngressConnectionSummaryList", ()))
    return tuple(sorted(row["VpcIngressConnectionArn"] for row in rows))


def _described_ingress_connection(pages: "Sequence[Page]") -> IngressConnection:
    return ingress_connection(pages[0]["VpcIngressConnection"])


def custom_domains(reads: Reads, service_arn: str) -> Pending[tuple[str, ...]]:
    """The service's custom domain names that are active, sorted. Without a size App Runner tells all of them at once,
    with one no more than 5."""
    return reads.ask("apprunner", "DescribeCustomDomains", _active_domains, ServiceArn=service_arn)


def names_of_domain(row: "CustomDomainTypeDef") -> tuple[str, ...]:
    """By which a service is asked for: none while the domain is not active. A wildcard (*.example.com) is told as it
    is."""
    if row["Status"] != "ACTIVE":
        return ()
    name = row["DomainName"]
    return (name, f"www.{name}") if row["EnableWWWSubdomain"] and not name.startswith("*.") else (name,)


def last_update_failed(reads: Reads, service_arn: str) -> Pending[bool]:
    """Whether App Runner has taken back the service's last update, or is about to; Unread if that update is not among
    the last operations. Operations are told newest first
    (docs.aws.amazon.com/apprunner/latest/api/API_ListOperations.html)."""
    asked = reads.ask("apprunner", "ListOperations", _last_update, ServiceArn=service_arn, MaxResults=_OPERATIONS)

    def wait() -> bool | Unread:
        told = asked()
        if isinstance(told, Unread):
            return told
        if told is None:
            return Unread(call="apprunner:ListOperations", code=f"no update among the last {_OPERATIONS} operations")
        return told in _TAKEN_BACK

    return wait


def _active_domains(pages: "Sequence[Page]") -> tuple[str, ...]:
    return tuple(sorted({name for page in pages for row in page["CustomDomains"] for name in names_of_domain(row)}))


def _last_update(pages: "Sequence[Page]") -> str | None:
    """The status of the last update; empty if the service never had one, None if older operations may."""
    rows = pages[0].get("OperationSummaryList", ())
    unsaid = None if pages[0].get("NextToken") else ""
    return next((row.get("Status", "") for row in rows if row.get("Type") == "UPDATE_SERVICE"), unsaid)
