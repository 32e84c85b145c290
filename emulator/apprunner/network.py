"""What App Runner does in a VPC: checks on a connector's network, its interfaces there, endpoints of private services.

Everything is read from, and put into, moto's EC2 backend of the same account and Region.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPCEndPoint
from moto.moto_api._internal import mock_random

from emulator.apprunner.exceptions import InvalidRequestException

EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})


@dataclass(frozen=True, kw_only=True, order=True)
class Placement:
    """Where services reach a VPC: services and connectors with the same subnet and group set share one interface."""

    subnet: str
    security_groups: tuple[str, ...]


def checked_network(ec2: EC2Backend, subnets: Sequence[str], groups: Sequence[str]) -> str:
    """The VPC of a new connector. Refuses what App Runner refuses when the connector is created (aws-facts 3); public
    subnets and unsupported zones are not among it: those fail the services that use the connector."""
    if not subnets:
        raise InvalidRequestException("At least one subnet is required.")
    for kind, ids in (("Subnets", subnets), ("SecurityGroups", groups)):
        if repeated := sorted({an_id for an_id in ids if ids.count(an_id) > 1}):
            raise InvalidRequestException(f"{kind} lists the same id more than once: {', '.join(repeated)}")
    found = _subnets(ec2, subnets)
    vpc_ids = sorted({subnet.vpc_id for subnet in found})
    if len(vpc_ids) > 1:
        raise InvalidRequestException(f"The subnets must belong to one VPC, these belong to {', '.join(vpc_ids)}.")
    _check_address_types(found)
    for group_id in groups:
        group = ec2.get_security_group_from_id(group_id)
        if group is None or group.vpc_id != vpc_ids[0]:
            raise InvalidRequestException(f"The security group {group_id} does not exist in {vpc_ids[0]}.")
    return vpc_ids[0]


def default_security_group(ec2: EC2Backend, vpc_id: str) -> str:
    group = ec2.get_default_security_group(vpc_id)
    if group is None:
        raise InvalidRequestException(f"{vpc_id} has no default security group.")
    return str(group.id)


def network_faults(
    ec2: EC2Backend, subnets: Sequence[str], groups: Sequence[str], unsupported_zones: Collection[str]
) -> list[str]:
    """Why a service cannot run in this network; empty if it can."""
    gone = [f"security group {each} does not exist" for each in groups if not ec2.get_security_group_from_id(each)]
    return gone + [fault for each in sorted(subnets) for fault in _subnet_faults(ec2, each, unsupported_zones)]


def connect(ec2: EC2Backend, placement: Placement) -> str | None:
    """Make a managed network interface; its id, or None if subnet, groups or a free address are lacking.

    The value of the tag, and whether the interface counts as requester-managed, are not documented."""
    # moto makes a security group that it does not know rather than refuse it.
    if not all(map(ec2.get_security_group_from_id, placement.security_groups)):
        return None
    try:
        interface: NetworkInterface = ec2.create_network_interface(
            placement.subnet,
            "",
            group_ids=list(placement.security_groups),
            description=f"AWSAppRunner ENI - {mock_random.uuid4()}",
            tags={"AWSAppRunnerManaged": "true"},
        )
    except EC2ClientError:
        return None
    interface.interface_type = "fargate"
    interface.status = "in-use"
    return str(interface.id)


def disconnect(ec2: EC2Backend, interface_id: str) -> None:
    """An address that somebody has put on the interface is free again."""
    interface: Any = ec2.enis.pop(interface_id, None)
    for address in tuple(ec2.addresses):
        if interface is not None and address.eni is interface:
            ec2.disassociate_address(association_id=address.association_id)


def endpoint_fault(ec2: EC2Backend, vpc_id: str, endpoint_id: str) -> str | None:
    """Why an interface endpoint cannot serve a private service; None if it can."""
    endpoint: VPCEndPoint | None = ec2.vpc_end_points.get(endpoint_id)
    if endpoint is None or endpoint.state.lower() in ("deleting", "deleted"):
        return f"The VPC endpoint {endpoint_id} does not exist."
    if endpoint.vpc_id != vpc_id:
        return f"The VPC endpoint {endpoint_id} is in {endpoint.vpc_id}, not in {vpc_id}."
    if not endpoint.service_name.endswith(".apprunner.requests"):
        return f"The VPC endpoint {endpoint_id} is one of {endpoint.service_name}, not of App Runner requests."
    return None


def _subnets(ec2: EC2Backend, subnet_ids: Sequence[str]) -> list[Subnet]:
    by_id = {subnet.id: subnet for subnet in ec2.describe_subnets()}
    if missing := sorted(set(subnet_ids) - set(by_id)):
        raise InvalidRequestException(f"These subnets do not exist: {', '.join(missing)}")
    return [by_id[subnet_id] for subnet_id in subnet_ids]


def _check_address_types(subnets: Sequence[Subnet]) -> None:
    if native := sorted(subnet.id for subnet in subnets if subnet.ipv6_native):
        raise InvalidRequestException(f"IPv6-only subnets are not supported: {', '.join(native)}")
    dual = sorted(subnet.id for subnet in subnets if subnet.ipv6_cidr_block_association_set)
    ipv4 = sorted({subnet.id for subnet in subnets} - set(dual))
    if dual and ipv4:
        raise InvalidRequestException(
            "The subnets must all have the same IP address type; "
            f"IPv4: {', '.join(ipv4)}; dual-stack: {', '.join(dual)}"
        )


def _subnet_faults(ec2: EC2Backend, subnet_id: str, unsupported_zones: Collection[str]) -> Iterator[str]:
    subnet = next((each for each in ec2.describe_subnets() if each.id == subnet_id), None)
    if subnet is None:
        yield f"subnet {subnet_id} does not exist"
        return
    zone = f"{subnet.availability_zone_id} ({subnet.availability_zone})"
    if subnet.availability_zone_id in unsupported_zones:
        yield f"subnet {subnet_id} is in Availability Zone {zone}, which App Runner does not support"
    table = _effective_route_table(ec2, subnet)
    if table and (gateway := _internet_gateway(table)):
        yield f"subnet {subnet_id} in Availability Zone {zone} is public: {table.id} routes to {gateway}"


def _effective_route_table(ec2: EC2Backend, subnet: Subnet) -> RouteTable | None:
    """The table associated with the subnet, else the main table of its VPC."""
    tables: list[RouteTable] = [table for table in ec2.route_tables.values() if table.vpc_id == subnet.vpc_id]
    explicit = [table for table in tables if subnet.id in table._associations.values()]
    main = [table for table in tables if table.main_association_id is not None]
    return next(iter(explicit or main), None)


def _internet_gateway(table: RouteTable) -> str | None:
    for route in table.routes:
        destinations = {route.destination_cidr_block, route.destination_ipv6_cidr_block}
        gateway = str(route.gateway_id or "")
        if gateway.startswith("igw-") and destinations & EVERYWHERE:
            return gateway
    return None
