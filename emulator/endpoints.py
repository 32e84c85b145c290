"""VPC endpoints as AWS makes them: an interface endpoint has one network interface in each of its subnets.

What moto 5.2.5 does instead: the interfaces have addresses anywhere in 10/8, ModifyVpcEndpoint makes and removes none,
a deleted endpoint stays for ever, and a gateway endpoint's routes follow neither ModifyVpcEndpoint nor an omitted type.
CreateTags takes endpoints that are not there; here it says InvalidVpcEndpointId.NotFound.

    CreateVpcEndpoint   Interface: an interface per subnet (default group when none is given), `pending` for
                        CLOCK.pending_seconds, then `available`. Gateway: `available`, and each of its route tables
                        gets a route to the service's prefix list.
    ModifyVpcEndpoint   Subnets leave, then join, with their interfaces; an address designated in a subnet that has an
                        interface replaces that interface by a new one; groups, policy, private DNS, address type.
    DeleteVpcEndpoints  Interfaces and routes go at once; an interface endpoint is `deleting` for DELETING_SECONDS,
                        then unknown. Unknown ids come back in Unsuccessful.

Not reproduced: that private DNS needs both DNS attributes of the VPC; that a service may not exist; subnets and groups
of another VPC; endpoint connections that await acceptance.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidSecurityGroupNotFoundError, InvalidVpcEndPointIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.vpcs import VPCs
from moto.ec2.utils import add_tag_specification
from moto.moto_api._internal import mock_random

from emulator import routes
from emulator.clock import CLOCK
from emulator.routes import Method
from emulator.settings import SETTINGS
from emulator.tags import check_ec2

type Configuration = Mapping[str, str]
"""SubnetId, and the Ipv4 or Ipv6 address that the endpoint is to have there."""

DELETING_SECONDS = 30

NO_POLICIES = frozenset({"apprunner.requests"})
"""Endpoint services that take no endpoint policy."""

DEFAULT_POLICY = json.dumps(VPCEndPoint.DEFAULT_POLICY)


# --- Create ---------------------------------------------------------------------------------------------------------


def _answer_create(_moto: Method, response: EC2BaseResponse) -> ActionResult:
    get = response._get_param
    kind = str(get("VpcEndpointType", "Gateway"))
    endpoint = response.ec2_backend.create_vpc_endpoint(
        vpc_id=get("VpcId"),
        service_name=get("ServiceName"),
        endpoint_type=kind,
        policy_document=get("PolicyDocument"),
        route_table_ids=get("RouteTableIds", []),
        subnet_ids=get("SubnetIds", []),
        client_token=get("ClientToken"),
        security_group_ids=get("SecurityGroupIds", []),
        tags=add_tag_specification(get("TagSpecifications", [])),
        private_dns_enabled=response._get_bool_param("PrivateDnsEnabled", kind == "Interface"),
        ip_address_type=get("IpAddressType", "ipv4"),
        subnet_configurations=get("SubnetConfigurations", []),
    )
    return ActionResult({"VpcEndpoint": endpoint})


def _create(
    moto: Method,
    backend: EC2Backend,
    *,
    endpoint_type: str | None = None,
    subnet_ids: Sequence[str] | None = None,
    ip_address_type: str = "ipv4",
    subnet_configurations: Sequence[Configuration] = (),
    **request: Any,
) -> VPCEndPoint:
    kind = endpoint_type or "Gateway"
    check_ec2(request.get("tags") or {})
    if kind != "Interface":
        endpoint: VPCEndPoint = moto(backend, endpoint_type=kind, subnet_ids=subnet_ids, **request)
        vars(endpoint).update(ip_address_type="ipv4", dns_options={"DnsRecordIpType": "service-defined"})
        endpoint.private_dns_enabled = False
        endpoint.creation_timestamp = CLOCK.now()
        return endpoint
    designated = _by_subnet(subnet_configurations)
    subnets = [backend.get_subnet(subnet_id) for subnet_id in dict.fromkeys([*(subnet_ids or ()), *designated])]
    _check_supported(request["service_name"], subnets)
    _check_zones(subnets)
    _check_private_dns(backend, request["vpc_id"], request["service_name"], request.get("private_dns_enabled"))
    request["security_group_ids"] = _groups(backend, request["vpc_id"], request.get("security_group_ids"))
    addresses = {subnet.id: _address(backend, subnet, designated.get(subnet.id, {})) for subnet in subnets}
    endpoint = moto(backend, endpoint_type=kind, subnet_ids=[], **request)
    vars(endpoint).update(
        ip_address_type=ip_address_type,
        dns_options={"DnsRecordIpType": ip_address_type},
        dns_suffix=mock_random.get_random_hex(8),
        dns_zone_id=mock_random.get_random_hex(13).upper(),
    )
    endpoint.creation_timestamp = CLOCK.now()
    endpoint.state = "pending"
    CLOCK.schedule(CLOCK.pending_seconds, functools.partial(_become_available, endpoint))
    for subnet in subnets:
        _join(endpoint, subnet, addresses[subnet.id], designated.get(subnet.id, {}))
    endpoint.dns_entries = _dns_entries(endpoint)
    return endpoint


def _become_available(endpoint: VPCEndPoint) -> None:
    if endpoint.state == "pending":
        endpoint.state = "available"


def _by_subnet(configurations: Iterable[Configuration]) -> dict[str, Configuration]:
    return {configuration["SubnetId"]: configuration for configuration in configurations}


def _groups(backend: EC2Backend, vpc_id: str, wanted: Sequence[str] | None) -> list[str]:
    for group_id in wanted or ():
        if backend.get_security_group_from_id(group_id) is None:
            raise InvalidSecurityGroupNotFoundError(group_id)
    default = backend.get_default_security_group(vpc_id)
    return list(wanted or ([default.id] if default else []))


def _check_zones(subnets: Iterable[Subnet]) -> None:
    zones: set[str] = set()
    for subnet in subnets:
        if subnet.availability_zone_id in zones:
            raise EC2ClientError(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet.id}. VPC endpoint subnets"
                " should be in different availability zones supported by the VPC endpoint service.",
            )
        zones.add(subnet.availability_zone_id)


def _check_supported(service_name: str, subnets: Iterable[Subnet]) -> None:
    """Message as reported in terraform-aws-modules/terraform-aws-vpc#785."""
    for subnet in subnets:
        if subnet.availability_zone_id in _lacking(service_name):
            raise EC2ClientError(
                "InvalidParameter",
                f"The VPC endpoint service {service_name} does not support the availability zone of the subnet:"
                f" {subnet.id}.",
            )


def _lacking(service_name: str) -> tuple[str, ...]:
    """The ids of the zones that the endpoint service is not in."""
    return SETTINGS.endpoint_unsupported_zone_ids if ".apprunner" in service_name else ()


def _check_private_dns(
    backend: EC2Backend, vpc_id: str, service_name: str, wanted: object, but: VPCEndPoint | None = None
) -> None:
    for other in tuple(backend.vpc_end_points.values()):
        same = (other.vpc_id, other.service_name) == (vpc_id, service_name) and other is not but
        if wanted and same and other.private_dns_enabled and other.state != "deleting":
            raise EC2ClientError(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for"
                f" {_dns_domain(service_name, backend.region_name)} in the VPC {vpc_id}",
            )


# --- Interfaces -----------------------------------------------------------------------------------------------------


def _address(backend: EC2Backend, subnet: Subnet, designated: Configuration) -> str | None:
    """The IPv4 address of the endpoint's interface in the subnet; found out before anything is changed."""
    return None if subnet.ipv6_native else routes.free_address(backend, subnet, designated.get("Ipv4"))


def _join(endpoint: VPCEndPoint, subnet: Subnet, address: str | None, designated: Configuration) -> None:
    """Make the endpoint's interface in the subnet, in place of the one that is there."""
    backend = endpoint.ec2_backend
    interface = backend.create_network_interface(subnet, address, group_ids=list(endpoint.security_group_ids))
    routes.held_by_aws(interface, kind="vpc_endpoint", description=f"VPC Endpoint Interface {endpoint.id}")
    _set_ipv6(endpoint, interface, designated.get("Ipv6"))
    _leave(endpoint, subnet.id)
    endpoint.network_interface_ids.append(interface.id)
    endpoint.subnet_ids = [*(endpoint.subnet_ids or ()), subnet.id]


def _leave(endpoint: VPCEndPoint, subnet_id: str) -> None:
    interface = _interfaces(endpoint).get(subnet_id)
    if interface is not None:
        endpoint.network_interface_ids = [one for one in endpoint.network_interface_ids if one != interface.id]
        endpoint.ec2_backend.enis.pop(interface.id)
    endpoint.subnet_ids = [one for one in endpoint.subnet_ids or () if one != subnet_id]


def _interfaces(endpoint: VPCEndPoint) -> dict[str, NetworkInterface]:
    """The endpoint's interfaces by their subnet's id."""
    there = endpoint.ec2_backend.enis
    interfaces = [there[one] for one in endpoint.network_interface_ids if one in there]
    return {interface.subnet.id: interface for interface in interfaces}


def _set_ipv6(endpoint: VPCEndPoint, interface: NetworkInterface, wanted: str | None = None) -> None:
    """Give the interface the IPv6 address that the endpoint's address type asks for, where the subnet has IPv6."""
    if vars(endpoint)["ip_address_type"] == "ipv4":
        endpoint.ec2_backend.unassign_ipv6_addresses(interface.id, list(interface.ipv6_addresses))
    elif not interface.ipv6_addresses and interface.subnet.ipv6_cidr_block_association_set:
        addresses, count = ([wanted], 0) if wanted else ([], 1)
        endpoint.ec2_backend.assign_ipv6_addresses(interface.id, addresses, count)


# --- Modify ---------------------------------------------------------------------------------------------------------


def _answer_modify(_moto: Method, response: EC2BaseResponse) -> ActionResult:
    get = response._get_param
    response.ec2_backend.modify_vpc_endpoint(
        get("VpcEndpointId"),
        policy_doc=DEFAULT_POLICY if response._get_bool_param("ResetPolicy", False) else get("PolicyDocument"),
        add_subnets=get("AddSubnetIds", []),
        remove_subnets=get("RemoveSubnetIds", []),
        add_route_tables=get("AddRouteTableIds", []),
        remove_route_tables=get("RemoveRouteTableIds", []),
        add_security_groups=get("AddSecurityGroupIds", []),
        remove_security_groups=get("RemoveSecurityGroupIds", []),
        private_dns_enabled=response._get_bool_param("PrivateDnsEnabled", None),
        ip_address_type=get("IpAddressType"),
        subnet_configurations=get("SubnetConfigurations", []),
    )
    return ActionResult({"Return": True})


def _modify(
    moto: Method,
    backend: EC2Backend,
    vpc_id: str,
    *,
    private_dns_enabled: bool | None = None,
    ip_address_type: str | None = None,
    subnet_configurations: Sequence[Configuration] = (),
    **request: Any,
) -> None:
    endpoint = _modifiable(backend, endpoint_id=vpc_id)  # moto's name for it
    _check_private_dns(backend, endpoint.vpc_id, endpoint.service_name, private_dns_enabled, endpoint)
    _groups(backend, endpoint.vpc_id, request["add_security_groups"])
    add, remove = request.pop("add_subnets"), request.pop("remove_subnets")
    designated = _by_subnet(subnet_configurations)
    staying = [subnet_id for subnet_id in endpoint.subnet_ids or () if subnet_id not in remove]
    wanted = [backend.get_subnet(subnet_id) for subnet_id in dict.fromkeys([*staying, *add, *designated])]
    _check_supported(endpoint.service_name, wanted)
    _check_zones(wanted)
    joining = {
        subnet: _address(backend, subnet, designated.get(subnet.id, {}))
        for subnet in wanted
        if _is_new_there(endpoint, subnet, designated.get(subnet.id, {}))
    }
    _move_routes(backend, endpoint, request["remove_route_tables"], request["add_route_tables"])
    moto(backend, vpc_id, add_subnets=[], remove_subnets=[], **request)
    if private_dns_enabled is not None:
        endpoint.private_dns_enabled = private_dns_enabled
    if endpoint.vpc_endpoint_type != "Interface":
        return
    if ip_address_type is not None:
        vars(endpoint).update(ip_address_type=ip_address_type, dns_options={"DnsRecordIpType": ip_address_type})
    for subnet_id in remove:
        _leave(endpoint, subnet_id)
    for subnet, address in joining.items():
        _join(endpoint, subnet, address, designated.get(subnet.id, {}))
    groups = [group for one in endpoint.security_group_ids if (group := backend.get_security_group_from_id(one))]
    for interface in _interfaces(endpoint).values():
        interface._group_set = groups
        _set_ipv6(endpoint, interface)
    endpoint.dns_entries = _dns_entries(endpoint)


def _modifiable(backend: EC2Backend, endpoint_id: str) -> VPCEndPoint:
    endpoint = backend.vpc_end_points.get(endpoint_id)
    if endpoint is None:
        raise InvalidVpcEndPointIdError(endpoint_id)
    if endpoint.state == "deleting":
        raise EC2ClientError("IncorrectState", f"The VPC endpoint {endpoint_id} is being deleted")
    return endpoint


def _is_new_there(endpoint: VPCEndPoint, subnet: Subnet, designated: Configuration) -> bool:
    """Whether the endpoint gets a new interface in the subnet: it has none, or one of another address."""
    here = _interfaces(endpoint).get(subnet.id)
    return (
        here is None
        or designated.get("Ipv4", here.private_ip_address) != here.private_ip_address
        or ("Ipv6" in designated and designated["Ipv6"] not in here.ipv6_addresses)
    )


def _move_routes(backend: EC2Backend, endpoint: VPCEndPoint, remove: Iterable[str], add: Iterable[str]) -> None:
    """Take a gateway endpoint's route out of some route tables, and put it into others."""
    prefix_list_id = endpoint.destination_prefix_list_id
    if prefix_list_id is None:
        return
    for table_id in remove:
        table = backend.route_tables.get(table_id)
        if table and any(route.gateway_id == endpoint.id for route in table.routes):
            backend.delete_route(table_id, prefix_list_id)
    for table_id in add:
        if table_id not in endpoint.route_table_ids:
            backend.create_route(table_id, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list_id)


# --- Delete and describe --------------------------------------------------------------------------------------------


def _answer_delete(_moto: Method, response: EC2BaseResponse) -> ActionResult:
    backend, asked = response.ec2_backend, response._get_param("VpcEndpointIds", [])
    unknown = {one: InvalidVpcEndPointIdError(one) for one in asked if one not in backend.vpc_end_points}
    backend.delete_vpc_endpoints([one for one in asked if one not in unknown])
    return ActionResult(
        {
            "Unsuccessful": [
                {"ResourceId": one, "Error": {"Code": error.code, "Message": error.message}}
                for one, error in unknown.items()
            ]
        }
    )


def _delete(_moto: Method, backend: EC2Backend, vpce_ids: Iterable[str] | None = None) -> None:
    for endpoint_id in vpce_ids or ():
        endpoint = backend.vpc_end_points.get(endpoint_id)
        if endpoint is None or endpoint.state == "deleting":
            continue
        endpoint.state = "deleting"
        _move_routes(backend, endpoint, endpoint.route_table_ids, ())
        for subnet_id in tuple(endpoint.subnet_ids or ()):
            _leave(endpoint, subnet_id)
        forget = functools.partial(_forget, backend.vpc_end_points, endpoint)
        if endpoint.vpc_endpoint_type == "Interface":
            CLOCK.schedule(DELETING_SECONDS, forget)
        else:
            forget()


def _forget(endpoints: dict[str, VPCEndPoint], endpoint: VPCEndPoint) -> None:
    # A reset may since have made another endpoint of the same id.
    if endpoints.get(endpoint.id) is endpoint:
        del endpoints[endpoint.id]


def _describe(
    moto: Method, backend: EC2Backend, vpc_end_point_ids: Iterable[str] | None, **request: Any
) -> list[VPCEndPoint]:
    endpoints: list[VPCEndPoint] = moto(backend, list(dict.fromkeys(vpc_end_point_ids or ())), **request)
    return endpoints


def _check_there(moto: Method, backend: EC2Backend, resource_ids: Iterable[str]) -> Any:
    """What CreateTags asks before it tags; moto asks for no endpoints."""
    for resource_id in resource_ids:
        if resource_id.startswith("vpce-") and resource_id not in backend.vpc_end_points:
            raise InvalidVpcEndPointIdError(resource_id)
    return moto(backend, resource_ids)


def _dns_entries(endpoint: VPCEndPoint) -> list[dict[str, str]]:
    """One name for the endpoint, and one for each of its zones."""
    domain = _dns_domain(endpoint.service_name, endpoint.ec2_backend.region_name).removesuffix(".amazonaws.com")
    name = f"{endpoint.id}-{vars(endpoint)['dns_suffix']}"
    zones = [interface.availability_zone for interface in _interfaces(endpoint).values()]
    names = [f"{name}.{domain}", *(f"{name}-{zone}.{domain}" for zone in zones)]
    return [{"DnsName": f"{one}.vpce.amazonaws.com", "HostedZoneId": vars(endpoint)["dns_zone_id"]} for one in names]


def _dns_domain(service_name: str, region: str) -> str:
    """com.amazonaws.<region>.ecr.api is reached at api.ecr.<region>.amazonaws.com."""
    labels = service_name.removeprefix(f"com.amazonaws.{region}.").split(".")
    return ".".join([*reversed(labels), region, "amazonaws.com"])


def _describe_services(moto: Method, backend: EC2Backend, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = moto(backend, **request)
    zones = {
        zone.name: zone.zone_id
        for zone in backend.describe_availability_zones()
        if zone.zone_type == "availability-zone"
    }
    return {**answer, "servicesDetails": [_service(service, zones) for service in answer["servicesDetails"]]}


def _service(service: Mapping[str, Any], zones: Mapping[str, str]) -> dict[str, Any]:
    corrected = dict(service)
    supported = {name for name, zone_id in zones.items() if zone_id not in _lacking(str(service["ServiceName"]))}
    corrected["AvailabilityZones"] = [zone for zone in service.get("AvailabilityZones", ()) if zone in supported]
    if str(service["ServiceName"]).split(".", 3)[-1] in NO_POLICIES:
        corrected["VpcEndpointPolicySupported"] = False
    return corrected


METHODS: tuple[tuple[type, str, Method], ...] = (
    (EC2Backend, "do_resources_exist", _check_there),
    (VPCBackend, "create_vpc_endpoint", _create),
    (VPCBackend, "delete_vpc_endpoints", _delete),
    (VPCBackend, "describe_vpc_endpoint_services", _describe_services),
    (VPCBackend, "describe_vpc_endpoints", _describe),
    (VPCBackend, "modify_vpc_endpoint", _modify),
    (VPCs, "create_vpc_endpoint", _answer_create),
    (VPCs, "delete_vpc_endpoints", _answer_delete),
    (VPCs, "modify_vpc_endpoint", _answer_modify),
)
ATTRIBUTES: tuple[tuple[str, Any], ...] = (
    ("requester_managed", False),
    ("service_region", property(lambda endpoint: endpoint.ec2_backend.region_name)),
    ("vpc_endpoint_id", property(lambda endpoint: endpoint.id)),
)


@functools.cache
def install() -> None:
    """Change moto's classes, once. Holds for every account and Region, in process and in the server."""
    routes.install()
    for owner, name, ours in METHODS:
        routes.override(owner, name, ours)
    for name, value in ATTRIBUTES:
        setattr(VPCEndPoint, name, value)
