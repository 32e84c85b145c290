"""Network Load Balancers as AWS has them. Application Load Balancers stay as moto 5.2.5 has them.

| about            | moto                                      | after install()                                       |
|------------------|-------------------------------------------|-------------------------------------------------------|
| interfaces       | none                                      | one in each subnet, described as "ELB net/NAME/ID";   |
|                  |                                           | they follow the subnets and the security groups       |
| ARN, names       | an Application Load Balancer's, and the   | loadbalancer/net/, net-…elb.REGION.amazonaws.com, the |
|                  | time of this machine                      | emulated time; a name that is taken is refused        |
| Scheme           | none unless given                         | internet-facing unless given                          |
| security groups  | set at any time                           | only on one that was made with some; if it has some,  |
|                  |                                           | EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic  |
| SetSubnets       | two zones at least                        | one is enough; an address can be chosen               |
| attributes       | those of any load balancer                | NETWORK_ATTRIBUTES                                    |
| listeners        | each has a security policy; none is       | those that end TLS; any protocol                      |
|                  | modified to TLS                           |                                                       |

Not reproduced: the public addresses of an internet-facing one, deletion protection, an endpoint service in the way of
DeleteLoadBalancer.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.subnets import Subnet
from moto.elbv2.exceptions import (
    DuplicateLoadBalancerName,
    InvalidConfigurationRequest,
    LoadBalancerNotFoundError,
    ValidationError,
)
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer
from moto.elbv2.responses import ELBV2Response

from emulator import ids, routes
from emulator.clock import CLOCK
from emulator.routes import Method, override, override_property
from emulator.tags import check_elbv2

INTERFACE_TYPE = "network_load_balancer"
ENFORCE = "enforce_security_group_inbound_rules_on_private_link_traffic"
"""moto's answers are made of attributes with such names."""

NETWORK_ATTRIBUTES = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
    "zonal_shift.config.enabled": "false",
}
ENDS_TLS = frozenset({"HTTPS", "TLS"})
DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"

type SubnetMapping = Mapping[str, str]
"""SubnetId, and perhaps the PrivateIPv4Address that the load balancer is to have there."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One of a load balancer's Availability Zones, as moto's answers read it."""

    subnet_id: str
    zone_name: str
    load_balancer_addresses: list[dict[str, str]] = field(default_factory=list)


def _is_network(balancer: FakeLoadBalancer) -> bool:
    return balancer.type == "network"


def _found(backend: ELBv2Backend, arn: str) -> FakeLoadBalancer:
    balancer = backend.load_balancers.get(arn)
    if balancer is None:
        raise LoadBalancerNotFoundError
    return balancer


# --- Create and delete ----------------------------------------------------------------------------------------------


def _create(
    moto: Method, backend: ELBv2Backend, *, subnet_mappings: Sequence[SubnetMapping] | None = None, **request: Any
) -> FakeLoadBalancer:
    if any(each.name == request["name"] for each in backend.load_balancers.values()):
        raise DuplicateLoadBalancerName
    check_elbv2(request.get("tags"))
    scheme = request.pop("scheme", None) or "internet-facing"
    balancer: FakeLoadBalancer = moto(backend, subnet_mappings=subnet_mappings, scheme=scheme, **request)
    if _is_network(balancer):
        _make_network(backend, balancer, subnet_mappings or ())
    backend.tagging_service.tag_resource(balancer.arn, request.get("tags"))
    return balancer


def _make_network(backend: ELBv2Backend, balancer: FakeLoadBalancer, mappings: Sequence[SubnetMapping]) -> None:
    del backend.load_balancers[balancer.arn]
    balancer.arn = balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
    backend.load_balancers[balancer.arn] = balancer
    *_, balancer_id = balancer.arn.split("/")
    balancer.dns_name = f"{balancer.name}-{balancer_id}.elb.{backend.region_name}.amazonaws.com"
    balancer.attrs = dict(NETWORK_ATTRIBUTES)
    vars(balancer).update(created_time=CLOCK.now(), chosen={}, interfaces={})
    # What has no groups shows none: the member is left out.
    vars(balancer).update({"security_groups": balancer.security_groups or None})
    if balancer.security_groups:
        vars(balancer)[ENFORCE] = "on"
    _place(backend, balancer, balancer.subnets, mappings)


def _delete(moto: Method, backend: ELBv2Backend, arn: str) -> None:
    balancer = backend.load_balancers.get(arn)
    if balancer is not None:
        for subnet_id in tuple(_interfaces(balancer)):
            _leave(backend, balancer, subnet_id)
    moto(backend, arn)


# --- Interfaces -----------------------------------------------------------------------------------------------------


def _interfaces(balancer: FakeLoadBalancer) -> dict[str, str]:
    """The ids of its interfaces by subnet; an Application Load Balancer has none here."""
    interfaces: dict[str, str] = vars(balancer).get("interfaces", {})
    return interfaces


def _place(
    backend: ELBv2Backend, balancer: FakeLoadBalancer, subnets: Sequence[Subnet], mappings: Sequence[SubnetMapping]
) -> None:
    """Be in these subnets and in no other. Where it is already, its interface and address stay."""
    chosen = {each["SubnetId"]: each["PrivateIPv4Address"] for each in mappings if each.get("PrivateIPv4Address")}
    wanted = {subnet.id for subnet in subnets}
    for subnet_id in _interfaces(balancer).keys() - wanted:
        _leave(backend, balancer, subnet_id)
    joined = [subnet for subnet in subnets if subnet.id not in _interfaces(balancer)]
    vars(balancer)["chosen"].update({subnet.id: chosen[subnet.id] for subnet in joined if subnet.id in chosen})
    for subnet in joined:
        _interfaces(balancer)[subnet.id] = _interface(backend, balancer, subnet, chosen.get(subnet.id)).id
    balancer.subnets = list(subnets)
    _follow_groups(backend, balancer)


def _interface(
    backend: ELBv2Backend, balancer: FakeLoadBalancer, subnet: Subnet, address: str | None
) -> NetworkInterface:
    ec2 = backend.ec2_backend
    path = balancer.arn.partition(":loadbalancer/")[2]
    with ids.aside(f"{balancer.arn} {subnet.id}"):  # callers' ids are not to depend on what AWS makes
        interface: NetworkInterface = ec2.create_network_interface(
            subnet, routes.free_address(ec2, subnet, address), group_ids=list(balancer.security_groups or ())
        )
        routes.held_by_aws(interface, kind=INTERFACE_TYPE, description=f"ELB {path}", checks_source=False)
    interface.requester_id = "amazon-elb"
    return interface


def _leave(backend: ELBv2Backend, balancer: FakeLoadBalancer, subnet_id: str) -> None:
    backend.ec2_backend.enis.pop(_interfaces(balancer).pop(subnet_id), None)
    vars(balancer)["chosen"].pop(subnet_id, None)


def _follow_groups(backend: ELBv2Backend, balancer: FakeLoadBalancer) -> None:
    ec2 = backend.ec2_backend
    groups = [group for one in balancer.security_groups or () if (group := ec2.get_security_group_from_id(one))]
    for interface_id in _interfaces(balancer).values():
        if interface_id in ec2.enis:
            ec2.enis[interface_id]._group_set = groups


def _zones(moto: Method, balancer: FakeLoadBalancer) -> Any:
    if not _is_network(balancer):
        return moto(balancer)
    chosen: Mapping[str, str] = vars(balancer)["chosen"]
    return [
        Zone(
            subnet_id=subnet.id,
            zone_name=subnet.availability_zone,
            load_balancer_addresses=[{"PrivateIPv4Address": chosen[subnet.id]}] if subnet.id in chosen else [],
        )
        for subnet in balancer.subnets
    ]


# --- Subnets, security groups, listeners ----------------------------------------------------------------------------


def _set_subnets(
    moto: Method,
    backend: ELBv2Backend,
    arn: str,
    subnets: Sequence[str] = (),
    subnet_mappings: Sequence[SubnetMapping] = (),
) -> Any:
    balancer = _found(backend, arn)
    if not _is_network(balancer):
        return moto(backend, arn, subnets, subnet_mappings)
    zones: dict[str, str] = {}
    wanted: list[Subnet] = []
    for subnet_id in [*subnets, *(each["SubnetId"] for each in subnet_mappings)]:
        subnet: Subnet = backend._get_subnet(zones, subnet_id)
        zones[subnet.availability_zone] = subnet.id
        wanted.append(subnet)
    _place(backend, balancer, wanted, subnet_mappings)
    return balancer.availability_zones


def _set_groups(moto: Method, backend: ELBv2Backend, arn: str, sec_groups: Sequence[str]) -> None:
    balancer = _found(backend, arn)
    if _is_network(balancer) and not balancer.security_groups:
        raise InvalidConfigurationRequest(
            f"Security groups cannot be set on the load balancer '{arn}', which was created without any"
        )
    moto(backend, arn, sec_groups)
    _follow_groups(backend, balancer)


def _answer_set_groups(_moto: Method, response: ELBV2Response) -> ActionResult:
    get, backend = response._get_param, response.elbv2_backend
    arn, enforced = get("LoadBalancerArn"), get(_member(ENFORCE))
    if enforced not in (None, "on", "off"):
        raise ValidationError(f"Value '{enforced}' failed to satisfy constraint: Member must be one of [on, off]")
    backend.set_security_groups(arn, get("SecurityGroups", []))
    balancer = backend.load_balancers[arn]
    if enforced and _is_network(balancer):
        vars(balancer)[ENFORCE] = enforced
    return ActionResult(
        {"SecurityGroupIds": balancer.security_groups, _member(ENFORCE): vars(balancer).get(ENFORCE)},
    )


def _member(attribute: str) -> str:
    return "".join(word.capitalize() for word in attribute.split("_"))


def _create_listener(moto: Method, backend: ELBv2Backend, **request: Any) -> FakeListener:
    check_elbv2(request.get("tags"))
    return _tidied(moto(backend, **request))


def _modify_listener(
    moto: Method, backend: ELBv2Backend, arn: str, protocol: str | None = None, **request: Any
) -> FakeListener:
    """moto modifies listeners of HTTP, HTTPS and TCP; those that end TLS need a certificate as those of HTTPS do."""
    [before] = backend.describe_listeners(None, [arn])
    wanted = (protocol or before.protocol).upper()
    checked = "HTTPS" if wanted in ENDS_TLS else "TCP"
    listener: FakeListener = moto(backend, arn=arn, protocol=checked, **request)
    listener.protocol = wanted
    return _tidied(listener)


def _tidied(listener: FakeListener) -> FakeListener:
    """What is of TLS goes with it."""
    if listener.protocol not in ENDS_TLS:
        vars(listener).update(ssl_policy=None, certificate=None, certificates=[], alpn_policy=None)
    else:
        listener.ssl_policy = vars(listener)["ssl_policy"] or DEFAULT_POLICY
    return listener


METHODS: tuple[tuple[type, str, Method], ...] = (
    (ELBV2Response, "set_security_groups", _answer_set_groups),
    (ELBv2Backend, "create_listener", _create_listener),
    (ELBv2Backend, "create_load_balancer", _create),
    (ELBv2Backend, "delete_load_balancer", _delete),
    (ELBv2Backend, "modify_listener", _modify_listener),
    (ELBv2Backend, "set_security_groups", _set_groups),
    (ELBv2Backend, "set_subnets", _set_subnets),
)


@functools.cache
def install() -> None:
    """Change moto's classes, once. Before that of targets, which follows what listeners and subnets have become."""
    for owner, name, ours in METHODS:
        override(owner, name, ours)
    override_property(FakeLoadBalancer, "availability_zones", _zones)
