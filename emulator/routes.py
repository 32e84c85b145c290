"""What moto 5.2.5 answers otherwise than AWS about the network of a VPC, and what it answers after `install()`.

Measured call by call; what is not in this table moto answers as AWS does, and is left alone.

| about              | moto                                           | after install()                               |
|--------------------|------------------------------------------------|-----------------------------------------------|
| routes             | always `active`                                | `blackhole` while the target is gone          |
| CreateRoute        | an unknown target makes a route to nowhere     | the target's own NotFound error               |
| AssociateRouteTable| an associated subnet silently stays as it is   | Resource.AlreadyAssociated                    |
| DeleteRouteTable   | deletes a VPC's main table                     | DependencyViolation                           |
| virtual private    | Enable and DisableVgwRoutePropagation are      | shown in PropagatingVgws; no route comes of   |
| gateways           | lacking                                        | it, for want of VPN connections               |
| NAT gateways       | available for ever, not in their subnet's range| pending, available or failed, deleting, gone  |
| filters            | several values against a list: all of them     | any of them, as documented                    |
| ids                | the error may name an id that is known         | names the unknown one; an id twice is one id  |
| MaxResults         | ignored                                        | pages                                         |
| subnets            | the first of a zone id is public by default;   | only default subnets are; zones of the Region |
|                    | zones of any Region; IPv6 state garbled; free  | only; none free in an IPv6-only subnet; a     |
|                    | IPv6 addresses counted; associations outlive it| deleted one takes its associations along      |
| network ACLs       | a new one is empty, none has IPv6 entries      | the last entries deny, of IPv4 and IPv6       |
| default VPC        | no internet gateway                            | one, with the default route                   |
| default group      | no inbound rule                                | allows itself                                 |
| Availability Zones | no opt-in status, no local zones               | both, and ModifyAvailabilityZoneGroup         |
| prefix lists       | an unknown one has no entries                  | InvalidPrefixListID.NotFound                  |
| network interfaces | may get the router's or a taken address; all   | a free address of the subnet; AWS's own are   |
|                    | can be deleted; no zone id; some filters       | in use and cannot be deleted; a zone id; the  |
|                    | are lacking                                    | filters INTERFACE_FILTERS                     |
| peering            | filters and unknown ids are ignored            | as documented                                 |
| transit gateways'  | unknown ids are ignored                        | NotFound                                      |
| attachments        |                                                |                                               |

Not reproduced: DependencyViolation for subnets and groups that interfaces use, or for addresses in use when an internet
gateway is detached; quotas.
"""

from __future__ import annotations

import base64
import copy
import fnmatch
import functools
import inspect
import ipaddress
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2 import utils
from moto.ec2.exceptions import (
    DependencyViolationError,
    EC2ClientError,
    InvalidAvailabilityZoneError,
    InvalidNetworkAclIdError,
    InvalidSecurityGroupNotFoundError,
    InvalidSubnetIdError,
    InvalidTransitGatewayID,
    RouteAlreadyExistsError,
)
from moto.ec2.models import EC2Backend, nat_gateways
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.managed_prefixes import ManagedPrefixList, ManagedPrefixListBackend
from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.network_acls import NetworkAcl, NetworkAclBackend, NetworkAclEntry
from moto.ec2.models.route_tables import Route, RouteBackend, RouteTable
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend
from moto.ec2.models.subnets import Subnet, SubnetBackend
from moto.ec2.models.transit_gateway_attachments import TransitGatewayAttachmentBackend
from moto.ec2.models.vpc_peering_connections import VPCPeeringConnection
from moto.ec2.models.vpcs import VPC, VPCBackend
from moto.ec2.models.vpn_gateway import VpnGateway
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces
from moto.ec2.responses.internet_gateways import InternetGateways
from moto.ec2.responses.nat_gateways import NatGateways
from moto.ec2.responses.network_acls import NetworkACLs
from moto.ec2.responses.route_tables import RouteTables
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.subnets import Subnets
from moto.ec2.responses.transit_gateway_attachments import TransitGatewayAttachment
from moto.ec2.responses.virtual_private_gateways import VirtualPrivateGateways
from moto.ec2.responses.vpc_peering_connections import VPCPeeringConnections
from moto.ec2.responses.vpcs import VPCs
from moto.moto_api._internal import mock_random

from emulator.clock import CLOCK

NAT_GATEWAY_DELETING_SECONDS = 30
NAT_GATEWAY_KEPT_SECONDS = 3600
"""How long a deleted or failed NAT gateway is still described: "about an hour"."""

MAX_PAGE = 1000

type Method = Callable[..., Any]


def override(owner: Any, name: str, ours: Method) -> None:
    """Let `owner.name(it, ...)` call `ours(moto, it, **arguments)`. `moto` is what stood there before; the arguments
    come by moto's names for them, so that `ours` names only those that it looks at."""
    moto = getattr(owner, name)
    names = tuple(inspect.signature(moto).parameters)[1:]

    @functools.wraps(moto)
    def method(it: Any, *args: Any, **kwargs: Any) -> Any:
        return ours(moto, it, **dict(zip(names, args, strict=False)), **kwargs)

    setattr(owner, name, method)


def override_property(owner: type, name: str, ours: Method) -> None:
    """Make `owner.name` the property `ours(moto, it)`, where `moto(it)` is what the property gave before."""
    moto = vars(owner)[name].fget
    setattr(owner, name, property(functools.partial(ours, moto)))


# --- Answers in general: pages, filters, ids ------------------------------------------------------------------------

PAGES = (
    (ElasticNetworkInterfaces, "describe_network_interfaces", "NetworkInterfaces"),
    (InternetGateways, "describe_internet_gateways", "InternetGateways"),
    (NatGateways, "describe_nat_gateways", "NatGateways"),
    (NetworkACLs, "describe_network_acls", "NetworkAcls"),
    (RouteTables, "describe_route_tables", "RouteTables"),
    (SecurityGroups, "describe_security_group_rules", "SecurityGroupRules"),
    (SecurityGroups, "describe_security_groups", "SecurityGroups"),
    (Subnets, "describe_subnets", "Subnets"),
    (TransitGatewayAttachment, "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"),
    (VPCPeeringConnections, "describe_vpc_peering_connections", "VpcPeeringConnections"),
    (VPCs, "describe_managed_prefix_lists", "PrefixLists"),
    (VPCs, "describe_vpc_endpoints", "VpcEndpoints"),
    (VPCs, "describe_vpcs", "Vpcs"),
    (VPCs, "get_managed_prefix_list_entries", "Entries"),
)
"""The calls that are answered in pages: moto's class and method, and the list in the answer."""


def _page(key: str, moto: Method, response: EC2BaseResponse) -> ActionResult:
    limit, token = response._get_int_param("MaxResults", None), response._get_param("NextToken")
    if limit and response._get_param("NetworkInterfaceIds"):
        raise EC2ClientError(
            "InvalidParameterCombination", "The parameters networkInterfaceIds and maxResults cannot be used together"
        )
    answer: ActionResult = moto(response)
    if not limit and token is None:
        return answer
    result: dict[str, Any] = dict(cast(Mapping[str, Any], answer.result))
    everything = list(result[key])
    start = _offset(token, key)
    end = start + min(limit or MAX_PAGE, MAX_PAGE)
    result[key] = everything[start:end]
    if end < len(everything):
        result["NextToken"] = _token(end, key)
    return ActionResult(result)


def _token(offset: int, key: str) -> str:
    return base64.urlsafe_b64encode(f"{key}:{offset}".encode()).decode()


def _offset(token: str | None, key: str) -> int:
    if token is None:
        return 0
    try:
        kind, _, offset = base64.urlsafe_b64decode(token).decode().partition(":")
        if kind == key:
            return int(offset)
    except ValueError:
        pass
    raise EC2ClientError("InvalidPaginationToken", f"The pagination token '{token}' is invalid")


def _filter_matches(moto: Method, item: Any, _filter: str, filter_value: Any) -> bool:
    value = item.get_filter_value(_filter)
    if filter_value is None or isinstance(value, str) or not isinstance(value, Iterable):
        return bool(moto(item, _filter, filter_value))
    # moto itself asks with a bare string, and for the association of no subnet with None.
    patterns = [filter_value] if isinstance(filter_value, str) else [one for one in filter_value if one is not None]
    return any(fnmatch.fnmatchcase(str(element), pattern) for element in value for pattern in patterns)


def _describe_subnets(
    moto: Method, backend: EC2Backend, subnet_ids: Iterable[str] | None = None, **request: Any
) -> list[Subnet]:
    known = {subnet_id for subnets in tuple(backend.subnets.values()) for subnet_id in tuple(subnets)}
    answer: list[Subnet] = moto(backend, _known_ids(subnet_ids, known, InvalidSubnetIdError), **request)
    return answer


def _describe_security_groups(
    moto: Method, backend: EC2Backend, group_ids: Iterable[str] | None = None, **request: Any
) -> list[SecurityGroup]:
    known = {group_id for groups in tuple(backend.groups.values()) for group_id in tuple(groups)}
    answer: list[SecurityGroup] = moto(
        backend, _known_ids(group_ids, known, InvalidSecurityGroupNotFoundError), **request
    )
    return answer


def _describe_network_acls(
    moto: Method, backend: EC2Backend, network_acl_ids: Iterable[str] | None = None, **request: Any
) -> list[NetworkAcl]:
    answer: list[NetworkAcl] = moto(
        backend, _known_ids(network_acl_ids, backend.network_acls, InvalidNetworkAclIdError), **request
    )
    return answer


def _known_ids(ids: Iterable[str] | None, known: Iterable[str], error: Callable[[str], Exception]) -> list[str]:
    asked = list(dict.fromkeys(ids or ()))
    for one in asked:
        if one not in known:
            raise error(one)
    return asked


# --- Network interfaces ---------------------------------------------------------------------------------------------

RESERVED_AT_START, RESERVED_AT_END = 4, 1
"""Addresses of every IPv4 subnet that are AWS's: the network, the router, DNS, one more; and the last one."""

HELD_BY_AWS = frozenset({"fargate", "nat_gateway", "network_load_balancer", "vpc_endpoint"})


def free_address(backend: EC2Backend, subnet: Subnet, wanted: str | None = None) -> str:
    """An IPv4 address of the subnet that no interface has: `wanted`, or any."""
    network = subnet.cidr
    usable = range(RESERVED_AT_START, network.num_addresses - RESERVED_AT_END)
    taken = {
        ipaddress.ip_address(address["PrivateIpAddress"])
        for interface in tuple(backend.enis.values())
        if interface.subnet.id == subnet.id
        for address in interface.private_ip_addresses
    }
    if wanted is not None:
        address = ipaddress.ip_address(wanted)
        if address not in network or int(address) - int(network.network_address) not in usable:
            raise EC2ClientError("InvalidParameterValue", f"Address {wanted} does not fall within the subnet's range")
        if address in taken:
            raise EC2ClientError("InvalidIPAddress.InUse", f"Address {wanted} is in use.")
        return wanted
    start = mock_random.randrange(len(usable))
    for offset in itertools.chain(usable[start:], usable[:start]):
        address = network.network_address + offset
        if address not in taken:
            return str(address)
    raise EC2ClientError(
        "InsufficientFreeAddressesInSubnet",
        "The specified subnet does not have enough free addresses to satisfy the request.",
    )


def held_by_aws(interface: NetworkInterface, *, kind: str, description: str, checks_source: bool = True) -> None:
    """Make this the interface of an AWS service, as recorded answers show one: attached to no instance, in use."""
    interface.interface_type = kind
    interface.description = description
    interface.requester_managed = True
    interface.requester_id = interface.owner_id
    interface.source_dest_check = checks_source
    interface.status = "in-use"
    interface.device_index = 1
    interface.attachment_id = f"ela-attach-{mock_random.get_random_hex(17)}"


def _attachment(moto: Method, interface: NetworkInterface) -> Any:
    if interface.instance is not None or interface.attachment_id is None:
        return moto(interface)
    return {
        "AttachmentId": interface.attachment_id,
        "DeleteOnTermination": False,
        "DeviceIndex": interface.device_index,
        "InstanceOwnerId": "amazon-aws",
        "Status": "attached",
    }


def _create_network_interface(
    moto: Method, backend: EC2Backend, subnet: Subnet | str, private_ip_address: Any = None, **request: Any
) -> NetworkInterface:
    home = backend.get_subnet(subnet) if isinstance(subnet, str) else subnet
    if not (private_ip_address or request.get("private_ip_addresses") or home.ipv6_native):
        private_ip_address = free_address(backend, home)
    interface: NetworkInterface = moto(backend, home, private_ip_address, **request)
    if home.ipv6_native:
        interface.private_ip_address, interface.private_ip_addresses = None, []
    return interface


INTERFACE_FILTERS: Mapping[str, Callable[[NetworkInterface], Any]] = {
    "association.public-ip": lambda interface: interface.public_ip,
    "availability-zone-id": lambda interface: interface.subnet.availability_zone_id,
    "interface-type": lambda interface: interface.interface_type,
    "requester-id": lambda interface: interface.requester_id,
    "requester-managed": lambda interface: str(bool(interface.requester_managed)).lower(),
    "status": lambda interface: interface.status,
}
"""Those of DescribeNetworkInterfaces that moto lacks."""


def _interface_filter_value(moto: Method, interface: NetworkInterface, filter_name: str, **request: Any) -> Any:
    read = INTERFACE_FILTERS.get(filter_name)
    return read(interface) if read else moto(interface, filter_name, **request)


def _tags(_moto: Method, resource: Any) -> list[dict[str, str]]:
    """moto looks through the tags of everything, for every resource that it describes."""
    tags: Mapping[str, str] = resource.ec2_backend.tags.get(resource.id, {})
    return [{"resource_id": resource.id, "key": key, "value": value} for key, value in tags.items()]


def _delete_network_interface(moto: Method, backend: EC2Backend, eni_id: str) -> None:
    interface = backend.enis.get(eni_id)
    if interface is not None and interface.interface_type in HELD_BY_AWS:
        raise EC2ClientError("InvalidParameterValue", f"Network interface '{eni_id}' is currently in use.")
    moto(backend, eni_id)


# --- Routes and route tables ----------------------------------------------------------------------------------------


def _route_state(_moto: Method, route: Route) -> str:
    backend, vpc_id = route.route_table.ec2_backend, route.route_table.vpc_id
    targets: tuple[tuple[Any, Callable[[Any], bool]], ...] = (
        (route.nat_gateway, lambda nat: nat.state in {"pending", "available"}),
        (route.gateway, lambda gateway: _gateway_is_there(backend, vpc_id, gateway)),
        (route.egress_only_igw, lambda gateway: gateway.id in backend.egress_only_internet_gateways),
        (route.vpc_pcx, lambda peering: peering._status.code in {"active", "pending-acceptance"}),
        (route.transit_gateway, lambda gateway: _transit_gateway_is_there(backend, vpc_id, gateway.id)),
        (route.interface, lambda interface: interface.id in backend.enis),
        (route.instance, lambda instance: instance.state != "terminated"),
        (route.vpc_endpoint_id, lambda endpoint_id: endpoint_id in backend.vpc_end_points),
    )
    reached = all(is_there(target) for target, is_there in targets if target is not None)
    return "active" if reached else "blackhole"


def _gateway_is_there(backend: EC2Backend, vpc_id: str, gateway: Any) -> bool:
    if isinstance(gateway, InternetGateway):
        vpc: VPC | None = gateway.vpc
        return vpc is not None and vpc.id == vpc_id  # a deleted one was detached before
    if isinstance(gateway, VpnGateway):
        attachment = gateway.attachments.get(vpc_id)
        return attachment is not None and attachment.state == "attached"
    return gateway.id in backend.vpc_end_points


def _transit_gateway_is_there(backend: EC2Backend, vpc_id: str, gateway_id: str) -> bool:
    """Whether it is attached. moto forgets deleted attachments, and lets a route point to a gateway that was never
    attached: only an attachment that was there and went makes a blackhole."""
    if gateway_id not in backend.transit_gateways:
        return False
    attached = any(
        (attachment.transit_gateway_id, attachment.resource_id) == (gateway_id, vpc_id)
        for attachment in backend.transit_gateway_attachments.values()
    )
    return attached or (gateway_id, vpc_id) not in _detached(backend)


def _detached(backend: EC2Backend) -> set[tuple[str, str]]:
    detached: set[tuple[str, str]] = vars(backend).setdefault("detached_transit_gateways", set())
    return detached


def _delete_transit_gateway_vpc_attachment(moto: Method, backend: EC2Backend, **request: Any) -> Any:
    attachment = moto(backend, **request)
    _detached(backend).add((attachment.transit_gateway_id, attachment.resource_id))
    return attachment


def _describe_transit_gateway_vpc_attachments(
    moto: Method, backend: EC2Backend, transit_gateways_attachment_ids: Iterable[str] | None = None, **request: Any
) -> Any:
    known = {one.id for one in backend.transit_gateway_attachments.values() if one.resource_type == "vpc"}
    ids = _known_ids(transit_gateways_attachment_ids, known, _no_transit_gateway_attachment)
    attachments: list[Any] = moto(backend, ids, **request)
    return [one for one in attachments if one.id in known]


def _no_transit_gateway_attachment(attachment_id: str) -> EC2ClientError:
    code = "InvalidTransitGatewayAttachmentID.NotFound"
    return EC2ClientError(code, f"Transit Gateway Attachment {attachment_id} was deleted or does not exist.")


# --- Peering --------------------------------------------------------------------------------------------------------


def _describe_vpc_peering_connections(_moto: Method, response: VPCPeeringConnections) -> ActionResult:
    backend = response.ec2_backend
    ids = _known_ids(response._get_param("VpcPeeringConnectionIds", []), backend.vpc_pcxs, _no_peering)
    found = backend.describe_vpc_peering_connections(vpc_peering_ids=ids)
    return ActionResult({"VpcPeeringConnections": utils.generic_filter(response._filters_from_querystring(), found)})


def _no_peering(connection_id: str) -> EC2ClientError:
    code = "InvalidVpcPeeringConnectionID.NotFound"
    return EC2ClientError(code, f"The vpcPeeringConnection ID '{connection_id}' does not exist")


def _peering_filter_value(connection: Any, name: str, method_name: str | None = None) -> Any:
    side, _, member = name.partition("-vpc-info.")
    infos = {"accepter": connection.accepter_vpc_info, "requester": connection.requester_vpc_info}
    members = {"cidr-block": "CidrBlock", "owner-id": "OwnerId", "vpc-id": "VpcId"}
    status = {"status-code": "Code", "status-message": "Message"}
    if side in infos and member in members:
        return infos[side][members[member]]
    if name in status:
        return connection.status[status[name]]
    return TaggedEC2Resource.get_filter_value(connection, name, method_name)


def _create_route(moto: Method, backend: EC2Backend, route_table_id: str, **request: Any) -> Route:
    _check_target(backend, request)
    destination = request.get("destination_ipv6_cidr_block") or request.get("destination_prefix_list_id")
    for route in backend.get_route_table(route_table_id).routes:
        if destination and destination in {route.destination_ipv6_cidr_block, route.destination_prefix_list_id}:
            raise RouteAlreadyExistsError(destination)
    created: Route = moto(backend, route_table_id, **request)
    return created


def _replace_route(moto: Method, backend: EC2Backend, **request: Any) -> Route:
    _check_target(backend, request)
    replaced: Route = moto(backend, **request)
    return replaced


def _check_target(backend: EC2Backend, request: Mapping[str, Any]) -> None:
    if nat_gateway_id := request.get("nat_gateway_id"):
        gateway = backend.nat_gateways.get(nat_gateway_id)
        if gateway is None or gateway.state not in {"pending", "available"}:
            raise EC2ClientError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat_gateway_id}' does not exist")
    if (gateway_id := str(request.get("gateway_id"))).startswith("nat-"):
        raise EC2ClientError("InvalidGatewayID.NotFound", f"The gateway ID '{gateway_id}' does not exist")
    transit_gateway_id = request.get("transit_gateway_id")
    if transit_gateway_id and transit_gateway_id not in backend.transit_gateways:
        raise InvalidTransitGatewayID(transit_gateway_id)
    if prefix_list_id := request.get("destination_prefix_list_id"):
        _prefix_list(backend, prefix_list_id)


def _associate_route_table(
    moto: Method, backend: EC2Backend, route_table_id: str, subnet_id: str | None = None, **request: Any
) -> str:
    backend.get_route_table(route_table_id)
    for table in backend.route_tables.values():
        if table.id != route_table_id and subnet_id is not None and subnet_id in table._associations.values():
            raise EC2ClientError(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {route_table_id} conflicts with an existing association",
            )
    association_id: str = moto(backend, route_table_id, subnet_id=subnet_id, **request)
    return association_id


def _enable_vgw_route_propagation(response: EC2BaseResponse) -> ActionResult:
    """The gateway is shown; there is no VPN connection whose routes it would propagate."""
    table, gateway = _propagation(response)
    if not any(each.vpc_id == table.vpc_id and each.state == "attached" for each in gateway.vpc_attachments):
        raise EC2ClientError("Gateway.NotAttached", f"resource {gateway.id} is not attached to {table.vpc_id}")
    others = [each for each in table.propagating_vgws if each["GatewayId"] != gateway.id]
    table.propagating_vgws = (*others, {"GatewayId": gateway.id})
    return EmptyResult()


def _disable_vgw_route_propagation(response: EC2BaseResponse) -> ActionResult:
    table, gateway = _propagation(response)
    table.propagating_vgws = tuple(each for each in table.propagating_vgws if each["GatewayId"] != gateway.id)
    return EmptyResult()


def _propagation(response: EC2BaseResponse) -> tuple[Any, VpnGateway]:
    backend, get = response.ec2_backend, response._get_param
    return backend.get_route_table(get("RouteTableId")), backend.get_vpn_gateway(get("GatewayId"))


def _delete_route_table(moto: Method, response: EC2BaseResponse) -> ActionResult:
    # Not in the backend: DeleteVpc deletes the main table there.
    table = response.ec2_backend.get_route_table(response._get_param("RouteTableId"))
    if table.main_association_id is not None:
        raise DependencyViolationError(f"The routeTable '{table.id}' has dependencies and cannot be deleted.")
    answer: ActionResult = moto(response)
    return answer


# --- NAT gateways ---------------------------------------------------------------------------------------------------


def _create_nat_gateway(
    moto: Method, backend: EC2Backend, connectivity_type: str | None = None, **request: Any
) -> NatGateway:
    gateway: NatGateway = moto(backend, connectivity_type=connectivity_type or "public", **request)
    description = f"Interface for NAT Gateway {gateway.id}"
    held_by_aws(gateway._eni, kind="nat_gateway", description=description, checks_source=False)
    gateway._eni._group_set = []
    gateway._created_at = CLOCK.now()
    gateway.state = "pending"
    CLOCK.schedule(CLOCK.pending_seconds, functools.partial(_finish_creation, gateway))
    return gateway


def _finish_creation(gateway: NatGateway) -> None:
    if gateway.state != "pending":
        return
    backend = gateway.ec2_backend
    attached = any(igw.vpc is not None and igw.vpc.id == gateway.vpc_id for igw in backend.internet_gateways.values())
    if attached or gateway.connectivity_type == "private":
        gateway.state = "available"
        return
    gateway.state = "failed"
    vars(gateway).update(
        failure_code="Gateway.NotAttached",
        failure_message=f"Network {gateway.vpc_id} has no Internet gateway attached",
    )
    _release(gateway)


def _delete_nat_gateway(_moto: Method, backend: EC2Backend, nat_gateway_id: str) -> NatGateway:
    gateway = _nat_gateway(backend, nat_gateway_id)
    if gateway.state not in {"deleting", "deleted"}:
        gateway.state = "deleting"
        vars(gateway).update(delete_time=CLOCK.now())
        CLOCK.schedule(NAT_GATEWAY_DELETING_SECONDS, functools.partial(_finish_deletion, gateway))
    return gateway


def _finish_deletion(gateway: NatGateway) -> None:
    gateway.state = "deleted"
    _release(gateway)


def _release(gateway: NatGateway) -> None:
    """Give back the interface and the Elastic IP address; forget the gateway when its hour is over."""
    backend = gateway.ec2_backend
    for address in tuple(backend.addresses):
        if address.eni is gateway._eni:
            backend.disassociate_address(address=address.public_ip)
    backend.enis.pop(gateway._eni.id, None)
    CLOCK.schedule(NAT_GATEWAY_KEPT_SECONDS, functools.partial(_forget, backend.nat_gateways, gateway))


def _forget(gateways: dict[str, NatGateway], gateway: NatGateway) -> None:
    # A reset may since have made another gateway of the same id.
    if gateways.get(gateway.id) is gateway:
        del gateways[gateway.id]


def _nat_gateway(backend: EC2Backend, nat_gateway_id: str) -> NatGateway:
    gateway = backend.nat_gateways.get(nat_gateway_id)
    if gateway is None:
        raise EC2ClientError("NatGatewayNotFound", f"NAT gateway {nat_gateway_id} was not found")
    return gateway


def _describe_nat_gateways(
    _moto: Method, backend: EC2Backend, filters: Any, nat_gateway_ids: list[str] | None
) -> list[NatGateway]:
    ids = dict.fromkeys(nat_gateway_ids or backend.nat_gateways)
    return utils.generic_filter(filters, [_nat_gateway(backend, nat_gateway_id) for nat_gateway_id in ids])


# --- Subnets and zones ----------------------------------------------------------------------------------------------

EDGE_ZONES = (
    # Region, zone name, zone id, type, group, network border group
    ("us-east-1", "us-east-1-bos-1a", "use1-bos1-az1", "local-zone", "us-east-1-bos-1", "us-east-1-bos-1"),
    (
        "us-east-1",
        "us-east-1-wl1-bos-wlz-1",
        "use1-wl1-bos-wlz1",
        "wavelength-zone",
        "us-east-1-wl1",
        "us-east-1-wl1-bos-wlz-1",
    ),
    ("us-west-2", "us-west-2-lax-1a", "usw2-lax1-az1", "local-zone", "us-west-2-lax-1", "us-west-2-lax-1"),
)
"""A few of the zones that an account does not see before it opts in."""


def _describe_zones(zones: dict[str, list[Zone]]) -> None:
    """Give moto's zones the attributes that it leaves out, and add the edge zones."""
    for region, regular in zones.items():
        for zone in regular:
            vars(zone).update(
                group_name=f"{region}-zg-1", network_border_group=region, opt_in_status="opt-in-not-required"
            )
    for region, name, zone_id, zone_type, group, border in EDGE_ZONES:
        edge = Zone(name=name, region_name=region, zone_id=zone_id, zone_type=zone_type)
        vars(edge).update(group_name=group, network_border_group=border, opt_in_status="not-opted-in")
        zones[region].append(edge)


def _describe_availability_zones(
    moto: Method, backend: EC2Backend, filters: Any = None, *, all_zones: bool = False, **request: Any
) -> list[Zone]:
    answer = []
    for zone in moto(backend, filters, **request):
        seen = copy.copy(zone)
        if seen.group_name in _opted_in(backend):
            seen.opt_in_status = "opted-in"
        if (all_zones or seen.opt_in_status != "not-opted-in") and all(
            value in (filters or {}).get(name, [value])
            for name, value in (("group-name", seen.group_name), ("opt-in-status", seen.opt_in_status))
        ):
            answer.append(seen)
    return answer


def _opted_in(backend: EC2Backend) -> set[str]:
    groups: set[str] = vars(backend).setdefault("opted_in_zone_groups", set())
    return groups


def _answer_availability_zones(_moto: Method, response: EC2BaseResponse) -> ActionResult:
    response.error_on_dryrun()
    zones = response.ec2_backend.describe_availability_zones(
        response._filters_from_querystring(),
        zone_names=response._get_param("ZoneNames", []),
        zone_ids=response._get_param("ZoneIds", []),
        all_zones=response._get_bool_param("AllAvailabilityZones", False),
    )
    return ActionResult({"AvailabilityZones": zones})


def _modify_availability_zone_group(response: EC2BaseResponse) -> ActionResult:
    group, status = response._get_param("GroupName"), response._get_param("OptInStatus")
    edge = {zone[4] for zone in EDGE_ZONES if zone[0] == response.region}
    if group not in edge or status not in {"opted-in", "not-opted-in"}:
        raise EC2ClientError("InvalidParameterValue", f"The zone group '{group}' cannot be set to '{status}'")
    opted_in = _opted_in(response.ec2_backend)
    (opted_in.add if status == "opted-in" else opted_in.discard)(group)
    return ActionResult({"Return": True})


def _create_subnet(
    moto: Method,
    backend: EC2Backend,
    vpc_id: str,
    availability_zone: str | None = None,
    availability_zone_id: str | None = None,
    **request: Any,
) -> Subnet:
    zone = _zone_name(backend, availability_zone, availability_zone_id)
    subnet: Subnet = moto(backend, vpc_id, availability_zone=zone, **request)
    if not backend.get_vpc(vpc_id).is_default:
        subnet.default_for_az = subnet.map_public_ip_on_launch = False
    return subnet


def _zone_name(backend: EC2Backend, name: str | None, zone_id: str | None) -> str | None:
    zones = backend.describe_availability_zones()
    if name is None and zone_id is None:
        return zones[0].name if zones else None
    for zone in zones:
        if name == zone.name or (name is None and zone_id == zone.zone_id):
            return zone.name
    if name is not None:
        raise InvalidAvailabilityZoneError(name, ", ".join(zone.name for zone in zones))
    ids = ", ".join(zone.zone_id for zone in zones)
    raise EC2ClientError(
        "InvalidParameterValue",
        f"Value ({zone_id}) for parameter availabilityZoneId is invalid. Valid Availability Zone IDs: {ids}.",
    )


def _delete_subnet(moto: Method, backend: EC2Backend, subnet_id: str) -> Subnet:
    subnet: Subnet = moto(backend, subnet_id)
    for table in backend.route_tables.values():
        table._associations = {key: target for key, target in table._associations.items() if target != subnet_id}
    for acl in backend.network_acls.values():
        acl._associations = {key: one for key, one in acl._associations.items() if one.subnet_id != subnet_id}
    return subnet


def _available_ip_address_count(moto: Method, subnet: Subnet) -> int:
    return 0 if subnet.ipv6_native else int(moto(subnet))


def _ipv6_cidr_block_association_set(moto: Method, subnet: Subnet) -> list[dict[str, Any]]:
    return [{**block, "ipv6CidrBlockState": block["ipv6CidrBlockState"]["state"]} for block in moto(subnet)]


# --- VPCs, network ACLs, groups, prefix lists -----------------------------------------------------------------------

FIRST_RULE_IPV6, LAST_RULE, LAST_RULE_IPV6 = 101, 32767, 32768


def _create_default_vpc(moto: Method, backend: EC2Backend) -> VPC:
    vpc: VPC = moto(backend)
    gateway = backend.create_internet_gateway()
    backend.attach_internet_gateway(gateway.id, vpc.id)
    for table in backend.route_tables.values():
        if table.vpc_id == vpc.id:
            backend.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
    return vpc


def _create_vpc(moto: Method, backend: EC2Backend, **request: Any) -> VPC:
    vpc: VPC = moto(backend, **request)
    everything: dict[str, Any] = {"ip_protocol": "-1", "from_port": None, "to_port": None, "ip_ranges": []}
    if group := backend.get_default_security_group(vpc.id):
        itself = [{"GroupId": group.id}]
        backend.authorize_security_group_ingress(group.id, **everything, source_groups=itself, vpc_id=vpc.id)
    return vpc


def _associate_vpc_cidr_block(moto: Method, backend: EC2Backend, vpc_id: str, **request: Any) -> Any:
    association = moto(backend, vpc_id, **request)
    for acl in backend.network_acls.values():
        if acl.vpc_id == vpc_id:
            _add_missing_entries(backend, acl)
    return association


def _create_network_acl(moto: Method, backend: EC2Backend, **request: Any) -> NetworkAcl:
    acl: NetworkAcl = moto(backend, **request)
    _add_missing_entries(backend, acl)
    return acl


def _add_missing_entries(backend: EC2Backend, acl: NetworkAcl) -> None:
    """The entries that nobody writes: the last ones deny, and the first ones of a default ACL allow. (The first one of
    IPv4 is moto's.)"""
    rules: list[tuple[int, str, dict[str, str | None]]] = [(LAST_RULE, "deny", {"cidr_block": "0.0.0.0/0"})]
    if backend.get_vpc(acl.vpc_id).get_cidr_block_association_set(ipv6=True):
        ipv6 = {"cidr_block": None, "ipv6_cidr_block": "::/0"}
        rules += [(LAST_RULE_IPV6, "deny", ipv6), *([(FIRST_RULE_IPV6, "allow", ipv6)] if acl.default else [])]
    nothing = dict.fromkeys(("icmp_code", "icmp_type", "port_range_from", "port_range_to", "ipv6_cidr_block"))
    present = {(entry.rule_number, entry.egress) for entry in acl.network_acl_entries}
    for (number, action, blocks), egress in itertools.product(rules, (True, False)):
        if (number, egress) not in present:
            entry: dict[str, Any] = {"rule_number": number, "rule_action": action, "egress": egress, "protocol": "-1"}
            backend.create_network_acl_entry(acl.id, **{**nothing, **entry, **blocks})


def _acl_entries(_moto: Method, acl: NetworkAcl) -> list[NetworkAclEntry]:
    return sorted(acl.network_acl_entries, key=lambda entry: (not entry.egress, int(entry.rule_number)))


def _prefix_list(backend: EC2Backend, prefix_list_id: str) -> ManagedPrefixList:
    prefix_list = backend.managed_prefix_lists.get(prefix_list_id)
    if prefix_list is None:
        raise EC2ClientError("InvalidPrefixListID.NotFound", f"The prefix list ID '{prefix_list_id}' does not exist")
    return prefix_list


def _get_managed_prefix_list_entries(_moto: Method, backend: EC2Backend, prefix_list_id: str) -> ManagedPrefixList:
    return _prefix_list(backend, prefix_list_id)


def _describe_managed_prefix_lists(
    moto: Method, backend: EC2Backend, prefix_list_ids: Iterable[str] | None = None, **request: Any
) -> list[ManagedPrefixList]:
    for prefix_list_id in prefix_list_ids or ():
        _prefix_list(backend, prefix_list_id)
    lists: list[ManagedPrefixList] = moto(backend, prefix_list_ids, **request)
    return lists


METHODS: tuple[tuple[type, str, Method], ...] = (
    (AvailabilityZonesAndRegions, "describe_availability_zones", _answer_availability_zones),
    (ManagedPrefixListBackend, "describe_managed_prefix_lists", _describe_managed_prefix_lists),
    (ManagedPrefixListBackend, "get_managed_prefix_list_entries", _get_managed_prefix_list_entries),
    (NatGatewayBackend, "create_nat_gateway", _create_nat_gateway),
    (NatGatewayBackend, "delete_nat_gateway", _delete_nat_gateway),
    (NatGatewayBackend, "describe_nat_gateways", _describe_nat_gateways),
    (NetworkAclBackend, "create_network_acl", _create_network_acl),
    (NetworkAclBackend, "describe_network_acls", _describe_network_acls),
    (NetworkInterface, "get_filter_value", _interface_filter_value),
    (NetworkInterfaceBackend, "create_network_interface", _create_network_interface),
    (NetworkInterfaceBackend, "delete_network_interface", _delete_network_interface),
    (RegionsAndZonesBackend, "describe_availability_zones", _describe_availability_zones),
    (RouteBackend, "associate_route_table", _associate_route_table),
    (RouteBackend, "create_route", _create_route),
    (RouteBackend, "replace_route", _replace_route),
    (RouteTables, "delete_route_table", _delete_route_table),
    (SecurityGroupBackend, "describe_security_groups", _describe_security_groups),
    (SubnetBackend, "create_subnet", _create_subnet),
    (SubnetBackend, "delete_subnet", _delete_subnet),
    (SubnetBackend, "describe_subnets", _describe_subnets),
    (TaggedEC2Resource, "get_tags", _tags),
    (TransitGatewayAttachmentBackend, "delete_transit_gateway_vpc_attachment", _delete_transit_gateway_vpc_attachment),
    (
        TransitGatewayAttachmentBackend,
        "describe_transit_gateway_vpc_attachments",
        _describe_transit_gateway_vpc_attachments,
    ),
    (VPCBackend, "associate_vpc_cidr_block", _associate_vpc_cidr_block),
    (VPCBackend, "create_default_vpc", _create_default_vpc),
    (VPCBackend, "create_vpc", _create_vpc),
    (VPCPeeringConnections, "describe_vpc_peering_connections", _describe_vpc_peering_connections),
)
PROPERTIES: tuple[tuple[type, str, Method], ...] = (
    (NetworkAcl, "entries", _acl_entries),
    (NetworkInterface, "attachment", _attachment),
    (Route, "state", _route_state),
    (Subnet, "available_ip_address_count", _available_ip_address_count),
    (Subnet, "ipv6_cidr_block_association_set", _ipv6_cidr_block_association_set),
)
ATTRIBUTES: tuple[tuple[type, str, Any], ...] = (
    (AvailabilityZonesAndRegions, "modify_availability_zone_group", _modify_availability_zone_group),
    (NatGateway, "nat_gateway_id", property(lambda gateway: gateway.id)),
    (NetworkInterface, "availability_zone_id", property(lambda interface: interface.subnet.availability_zone_id)),
    (RouteTable, "propagating_vgws", ()),
    (VirtualPrivateGateways, "disable_vgw_route_propagation", _disable_vgw_route_propagation),
    (VirtualPrivateGateways, "enable_vgw_route_propagation", _enable_vgw_route_propagation),
    (VPCPeeringConnection, "get_filter_value", _peering_filter_value),
)


@functools.cache
def install() -> None:
    """Change moto's classes, once. Holds for every account and Region, in process and in the server."""
    override(utils, "is_filter_matching", _filter_matches)
    # moto gives a NAT gateway an address anywhere in 10/8; without one, its interface picks one of the subnet.
    vars(nat_gateways).update(random_private_ip=lambda: None)
    _describe_zones(RegionsAndZonesBackend.zones)
    for owner, name, ours in METHODS:
        override(owner, name, ours)
    for owner, name, ours in PROPERTIES:
        override_property(owner, name, ours)
    for owner, name, value in ATTRIBUTES:
        setattr(owner, name, value)
    for owner, name, key in PAGES:
        override(owner, name, functools.partial(_page, key))
