"""App Runner: connectors and services."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.facts import Connector, Service, Unread

if TYPE_CHECKING:
    from mypy_boto3_apprunner.type_defs import ServiceTypeDef, VpcConnectorTypeDef

    from apprunner_guardrails.aws.reads import Page


def describe_connector(reads: Reads, arn: str) -> Pending[Connector]:
    """A deleted connector is told too, as INACTIVE, until App Runner forgets it."""
    return reads.ask("apprunner", "DescribeVpcConnector", _described_connector, VpcConnectorArn=arn)


def list_connectors(reads: Reads) -> Pending[tuple[Connector, ...]]:
    """The active connectors of the Region, whole: 100 a page."""
    return reads.ask("apprunner", "ListVpcConnectors", _listed_connectors, MaxResults=100)


def describe_service(reads: Reads, arn: str) -> Pending[Service]:
    return reads.ask("apprunner", "DescribeService", _described_service, ServiceArn=arn)


def is_gone(fact: object) -> bool:
    """Whether a read failed because the resource is not there (any more), which App Runner says by this code."""
    return isinstance(fact, Unread) and fact.code == "ResourceNotFoundException"


def connector(row: "VpcConnectorTypeDef") -> Connector:
    """A connector from DescribeVpcConnector or ListVpcConnectors. Ids sorted; an omitted group list is empty."""
    return Connector(
        arn=row["VpcConnectorArn"],
        name=row["VpcConnectorName"],
        status=row.get("Status", "ACTIVE"),
        subnet_ids=tuple(sorted(set(row.get("Subnets", ())))),
        security_group_ids=tuple(sorted(set(row.get("SecurityGroups", ())))),
    )


def service(row: "ServiceTypeDef") -> Service:
    """A service from DescribeService. The connector counts only with EgressType VPC."""
    egress = row.get("NetworkConfiguration", {}).get("EgressConfiguration", {})
    return Service(
        arn=row["ServiceArn"],
        name=row["ServiceName"],
        status=row["Status"],
        connector_arn=egress.get("VpcConnectorArn", "") if egress.get("EgressType") == "VPC" else "",
    )


def _described_connector(pages: "Sequence[Page]") -> Connector:
    return connector(pages[0]["VpcConnector"])


def _listed_connectors(pages: "Sequence[Page]") -> tuple[Connector, ...]:
    return tuple(connector(row) for page in pages for row in page.get("VpcConnectors", ()))


def _described_service(pages: "Sequence[Page]") -> Service:
    return service(pages[0]["Service"])
