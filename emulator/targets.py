"""Target groups of type `ip`, as a Network Load Balancer has them.

moto 5.2.5 knows a target by its address only, calls it healthy at once, lets it vanish when it is deregistered, and
refuses to deregister what it does not know. After `install()` a target (address and port; without a port it is the
group's) goes through

    RegisterTargets ─────> unused            Target.NotInUse: no listener forwards to the group, or the load balancer
                             │               has no subnet in the target's zone
                           initial           Elb.RegistrationInProgress, for INITIAL_SECONDS
                             │
                           healthy           or what `set_health` says
                             │
                           unhealthy         Target.FailedHealthChecks, once its address belongs to no network
                             │               interface any more and the group's checks have noticed; healthy again
                             │               when an interface has the address again
    DeregisterTargets ───> draining          Target.DeregistrationInProgress, for deregistration_delay.timeout_seconds;
                             │               registered again meanwhile, it starts anew
                           gone

This is computed from the clock whenever somebody asks: nothing is scheduled. An address that no interface of the
account ever had (on-premises, or a test's) becomes healthy too. What refuses one target refuses the call:

    ValidationError   an address not of the group's address type; a public one; one of the VPC's subnets with another
                      zone than its own (`all` is another one); any other address without AvailabilityZone
    TooManyTargets    more than the group's quota (not counting those that drain: what AWS does is not documented)

Around it: LoadBalancerArns follows the listeners, and groups of a network load balancer have its attributes. Groups and
load balancers are described in pages, and tags of what is not there are refused. Targets of groups of type instance,
alb and lambda stay as moto has them.

Not reproduced: active connections, quotas per zone and per load balancer, cross-zone load balancing; that checks
need several successes to find a target healthy again.
"""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.elbv2.exceptions import (
    ELBClientError,
    TargetGroupNotFoundError,
    ValidationError,
)
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer, FakeTargetGroup, elbv2_backends
from moto.elbv2.responses import ELBV2Response

from emulator import balancers as load_balancers
from emulator.clock import CLOCK
from emulator.routes import Method, override
from emulator.tags import check_elbv2

INITIAL_SECONDS = 180
TARGETS_PER_GROUP = 1000
"""The quota of a group, unless `set_quota` says otherwise."""

PRIVATE_RANGES = tuple(
    ipaddress.ip_network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)
EVERY_ZONE = "all"

type Description = Mapping[str, Any]
"""A target as a caller names it: Id, and perhaps Port and AvailabilityZone."""


@dataclass(frozen=True, kw_only=True)
class Health:
    state: str
    reason: str | None = None
    description: str | None = None


DRAINING = Health(
    state="draining", reason="Target.DeregistrationInProgress", description="Target deregistration is in progress"
)
GROUP_NOT_IN_USE = Health(
    state="unused",
    reason="Target.NotInUse",
    description="Target group is not configured to receive traffic from the load balancer",
)
ZONE_NOT_ENABLED = Health(
    state="unused",
    reason="Target.NotInUse",
    description="Target is in an Availability Zone that is not enabled for the load balancer",
)
INITIAL = Health(state="initial", reason="Elb.RegistrationInProgress", description="Target registration is in progress")
HEALTHY = Health(state="healthy")
UNHEALTHY = Health(state="unhealthy", reason="Target.FailedHealthChecks", description="Health checks failed")
NOT_REGISTERED = Health(
    state="unused", reason="Target.NotRegistered", description="Target is not registered to the target group"
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """One registration; its address and port are its key."""

    zone: str
    """The name of its subnet's zone, or what the caller gave: a zone's name or `all`."""
    used_since: datetime | None = None
    """Since when a load balancer sends it traffic or checks its health; None while none does."""
    gone_at: datetime | None = None
    """When it will have drained; None while it is registered."""
    reported: Health | None = None
    """What `set_health` says that the health checks find."""


type Key = tuple[str, int]


def set_health(target_group_arn: str, target: str, state: str, *, reason: str | None = None) -> None:
    """Let the health checks find this of a registered target ("10.0.1.5:443"), until it is registered anew. Shown
    unless the target is unused or draining; the state `healthy` also ends `initial`."""
    group = _group(target_group_arn)
    key = _parsed(target)
    found = _targets(group).get(key)
    if found is None or found.gone_at is not None:
        raise ValueError(f"{target} is not registered in {target_group_arn}")
    _targets(group)[key] = replace(found, reported=Health(state=state, reason=reason))


def set_quota(target_group_arn: str, targets: int) -> None:
    """How many targets the group may have."""
    vars(_group(target_group_arn)).update(quota=targets)


def _group(target_group_arn: str) -> FakeTargetGroup:
    _, _, _, region, account, _ = target_group_arn.split(":", 5)
    return _known(elbv2_backends[account][region], target_group_arn)


def _known(backend: ELBv2Backend, target_group_arn: str) -> FakeTargetGroup:
    group = backend.target_groups.get(target_group_arn)
    if group is None:
        raise TargetGroupNotFoundError
    return group


def _parsed(target: str) -> Key:
    address, _, port = target.rpartition(":")
    return address, int(port)


def _targets(group: FakeTargetGroup) -> dict[Key, Target]:
    """The group's targets, those that drain included, those that have drained left out."""
    now = CLOCK.now()
    targets: dict[Key, Target] = vars(group).setdefault("ip_targets", {})
    for key in [key for key, target in targets.items() if target.gone_at is not None and target.gone_at <= now]:
        targets.pop(key, None)  # another thread may have been faster
    return targets


def _key(group: FakeTargetGroup, target: Description) -> Key:
    return str(target["Id"]), int(target.get("Port") or group.port)


# --- Register and deregister ----------------------------------------------------------------------------------------


def _register(moto: Method, group: FakeTargetGroup, targets: Sequence[Description]) -> None:
    if group.target_type != "ip":
        moto(group, targets)
        return
    present = _targets(group)
    wanted = {_key(group, target): Target(zone=_zone(group, target)) for target in targets}
    registered = {key for key, target in present.items() if target.gone_at is None}
    quota = vars(group).get("quota", TARGETS_PER_GROUP)
    if len(registered | wanted.keys()) > quota:
        raise ELBClientError("TooManyTargets", f"You cannot have more than {quota} targets per target group")
    for key, target in wanted.items():
        if key not in registered:
            present.pop(key, None)
            present[key] = target
    _follow_listeners(elbv2_backends[group.account_id][group.region_name])


def _zone(group: FakeTargetGroup, target: Description) -> str:
    """The zone of a target that may be registered."""
    address, asked = _address(group, target["Id"]), target.get("AvailabilityZone")
    for subnet in group.ec2_backend.describe_subnets(filters={"vpc-id": [group.vpc_id]}):
        if not any(address in block for block in _blocks(subnet)):
            continue
        if asked not in {None, subnet.availability_zone}:
            raise ValidationError(
                f"The IP address '{address}' is within the VPC, and cannot have its Availability Zone overridden"
                f" to '{asked}' from '{subnet.availability_zone}'"
            )
        return subnet.availability_zone
    if isinstance(address, ipaddress.IPv4Address) and not any(address in block for block in PRIVATE_RANGES):
        raise ValidationError(f"The IP address '{address}' is not of a range that a target may have")
    zones = [zone.name for zone in group.ec2_backend.describe_availability_zones()]
    if asked is None:
        raise ValidationError(
            f"The Availability Zone is required for IP address '{address}' because it is not in the VPC"
        )
    if asked not in {*zones, EVERY_ZONE}:
        raise ValidationError(
            "You must specify a valid Availability Zone or select 'all' for all enabled Availability zones,"
            f" since the IP address '{address}' is outside the VPC"
        )
    return str(asked)


def _address(group: FakeTargetGroup, address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        if group.ip_address_type == "ipv6":
            return ipaddress.IPv6Address(address)
        return ipaddress.IPv4Address(address)
    except ValueError:
        kind = "IPv6" if group.ip_address_type == "ipv6" else "IPv4"
        raise ValidationError(f"The IP address '{address}' is not a valid {kind} address") from None


def _blocks(subnet: Any) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    if subnet.cidr_block:
        yield ipaddress.ip_network(subnet.cidr_block)
    for block in subnet.ipv6_cidr_block_association_set:
        yield ipaddress.ip_network(block["ipv6CidrBlock"])


def _deregister(moto: Method, group: FakeTargetGroup, targets: Sequence[Description]) -> None:
    if group.target_type != "ip":
        moto(group, targets)
        return
    present = _targets(group)
    delay = timedelta(seconds=int(str(group.attributes["deregistration_delay.timeout_seconds"])))
    for key in (_key(group, target) for target in targets):
        target = present.get(key)
        if target is not None and target.gone_at is None:
            present[key] = replace(target, gone_at=CLOCK.now() + delay)


# --- Health ---------------------------------------------------------------------------------------------------------


def _describe_target_health(
    moto: Method, backend: ELBv2Backend, target_group_arn: str, targets: Sequence[Description]
) -> Any:
    group = _known(backend, target_group_arn)
    if group.target_type != "ip":
        return moto(backend, target_group_arn, targets)
    present = _targets(group)
    keys = [_key(group, target) for target in targets] if targets else list(present)
    in_use = bool(group.load_balancer_arns)
    return [_answer(group, key, present.get(key), in_use=in_use) for key in keys]


def _answer(group: FakeTargetGroup, key: Key, target: Target | None, *, in_use: bool) -> dict[str, Any]:
    address, port = key
    health = NOT_REGISTERED if target is None else _health(group, address, target, in_use=in_use)
    checked = port if group.health_check_port == "traffic-port" else group.health_check_port
    return {
        "Target": {"Id": address, "Port": port, "AvailabilityZone": target.zone if target else None},
        "HealthCheckPort": str(checked),
        "TargetHealth": {"State": health.state, "Reason": health.reason, "Description": health.description},
    }


def _health(group: FakeTargetGroup, address: str, target: Target, *, in_use: bool) -> Health:
    if target.gone_at is not None:
        return DRAINING
    if target.used_since is None:
        return ZONE_NOT_ENABLED if in_use else GROUP_NOT_IN_USE
    if target.reported is not None:
        return target.reported
    now, healthy_at = CLOCK.now(), target.used_since + timedelta(seconds=INITIAL_SECONDS)
    unheld_since = _unheld_since(group, address)
    if unheld_since is None:
        return INITIAL if now < healthy_at else HEALTHY
    if now >= max(target.used_since, unheld_since) + _noticed_after(group):
        return UNHEALTHY
    return HEALTHY if healthy_at <= unheld_since else INITIAL


def _noticed_after(group: FakeTargetGroup) -> timedelta:
    """How long the group's checks take to find that nothing answers."""
    return timedelta(seconds=int(group.health_check_interval_seconds) * int(group.unhealthy_threshold_count))


# --- Addresses that network interfaces had ---------------------------------------------------------------------------


class _Interfaces(dict[str, NetworkInterface]):
    """The network interfaces of an account in a Region. Whoever takes one away pops it."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go: dict[str, dict[str, datetime]] = {}
        """Address → VPC → when an interface last gave it up."""

    def pop(self, interface_id: str, *default: Any) -> Any:
        interface = self.get(interface_id)
        if interface is not None:
            self.give_up(interface, _addresses(interface))
        return super().pop(interface_id, *default)

    def give_up(self, interface: NetworkInterface, addresses: Iterable[str]) -> None:
        for address in addresses:
            self.let_go.setdefault(address, {})[interface.vpc_id] = CLOCK.now()


def _addresses(interface: NetworkInterface) -> set[str]:
    addresses = {each["PrivateIpAddress"] for each in interface.private_ip_addresses}
    return {str(each) for each in (*addresses, interface.private_ip_address, *interface.ipv6_addresses) if each}


def _unheld_since(group: FakeTargetGroup, address: str) -> datetime | None:
    """Since when no network interface has the address; None if one has, or none ever had. In the group's own VPC only
    its interfaces count, and outside of it those of every other."""
    interfaces = group.ec2_backend.enis
    let_go = interfaces.let_go.get(address) if isinstance(interfaces, _Interfaces) else None
    if not let_go:
        return None
    inside = _is_inside(group.ec2_backend, group.vpc_id, address)
    given_up = [at for vpc_id, at in let_go.items() if not inside or vpc_id == group.vpc_id]
    held = any(
        (not inside or interface.vpc_id == group.vpc_id) and address in _addresses(interface)
        for interface in tuple(interfaces.values())
    )
    return max(given_up, default=None) if not held else None


def _is_inside(backend: EC2Backend, vpc_id: str, address: str) -> bool:
    found = ipaddress.ip_address(address)
    return any(
        found in block for subnet in backend.describe_subnets(filters={"vpc-id": [vpc_id]}) for block in _blocks(subnet)
    )


def _keep_interfaces(moto: Method, backend: NetworkInterfaceBackend) -> None:
    moto(backend)
    backend.enis = _Interfaces()


def _unassign(moto: Method, backend: NetworkInterfaceBackend, eni_id: str, **request: Any) -> Any:
    interface = backend.get_network_interface(eni_id)
    before = _addresses(interface)
    answer = moto(backend, eni_id, **request)
    if isinstance(backend.enis, _Interfaces):
        backend.enis.give_up(interface, before - _addresses(interface))
    return answer


# --- Listeners, load balancers, groups ------------------------------------------------------------------------------


def _follow_listeners(backend: ELBv2Backend) -> None:
    """Note for every group which load balancers use it now, and for every target since when."""
    for group in backend.target_groups.values():
        balancers = [balancer for balancer in backend.load_balancers.values() if _uses(backend, balancer, group.arn)]
        group.load_balancer_arns = [balancer.arn for balancer in balancers]
        zones = {subnet.availability_zone for balancer in balancers for subnet in balancer.subnets}
        targets = _targets(group)
        for key, target in targets.items():
            used = target.zone in zones or (target.zone == EVERY_ZONE and bool(balancers))
            if used != (target.used_since is not None):
                targets[key] = replace(target, used_since=CLOCK.now() if used else None)


def _uses(backend: ELBv2Backend, balancer: FakeLoadBalancer, target_group_arn: str) -> bool:
    return any(
        target_group_arn in backend._get_target_group_arns_from(action_data=action.data)
        for listener in balancer.listeners.values()
        for rule in listener.rules.values()
        for action in rule.actions
    )


def _then_follow_listeners(moto: Method, backend: ELBv2Backend, **request: Any) -> Any:
    answer = moto(backend, **request)
    _follow_listeners(backend)
    return answer


NETWORK_PROTOCOLS = frozenset({"TCP", "TLS", "UDP", "TCP_UDP"})
NETWORK_ATTRIBUTES = {
    "deregistration_delay.connection_termination.enabled": "false",
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "preserve_client_ip.enabled": "false",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
KEEPS_CLIENT_ADDRESS = {"preserve_client_ip.enabled": "true"}
"""The default of instance targets, and of UDP."""


def _create_target_group(moto: Method, backend: ELBv2Backend, name: str, **request: Any) -> FakeTargetGroup:
    check_elbv2(request.get("tags"))
    group: FakeTargetGroup = moto(backend, name, **request)
    if group.protocol in NETWORK_PROTOCOLS:
        keeps = group.target_type != "ip" or "UDP" in group.protocol
        vars(group).update(attributes={**NETWORK_ATTRIBUTES, **(KEEPS_CLIENT_ADDRESS if keeps else {})})
    return group


# --- Pages and tags -------------------------------------------------------------------------------------------------

PAGE = 400
DESCRIBED_TAGS = 20
"""Resources whose tags one call describes."""


def _describe_target_groups(_moto: Method, response: ELBV2Response) -> ActionResult:
    get, backend = response._get_param, response.elbv2_backend
    groups = backend.describe_target_groups(get("LoadBalancerArn"), get("TargetGroupArns", []), get("Names", []))
    return _page(response, "TargetGroups", groups)


def _describe_load_balancers(_moto: Method, response: ELBV2Response) -> ActionResult:
    get, backend = response._get_param, response.elbv2_backend
    for arn in get("LoadBalancerArns", []):
        backend._get_resource_by_arn(arn)
    balancers = backend.describe_load_balancers(get("LoadBalancerArns", []), get("Names", []))
    return _page(response, "LoadBalancers", balancers)


def _page(response: ELBV2Response, key: str, found: Iterable[Any]) -> ActionResult:
    """In the order of ARNs; the marker is the last ARN of a page."""
    size, marker = response._get_int_param("PageSize", PAGE), response._get_param("Marker")
    if not 1 <= size <= PAGE:
        raise ValidationError(f"Value '{size}' at 'pageSize' failed to satisfy constraint: 1 to {PAGE}")
    last = _last_arn(marker) if marker else ""
    rest = sorted((each for each in found if each.arn > last), key=lambda each: str(each.arn))
    more = {"NextMarker": base64.urlsafe_b64encode(rest[size - 1].arn.encode()).decode()} if len(rest) > size else {}
    return ActionResult({key: rest[:size], **more})


def _last_arn(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise ValidationError(f"Invalid marker '{marker}'") from None


def _add_tags(_moto: Method, backend: ELBv2Backend, resource_arns: Sequence[str], tags: Any) -> None:
    """The request has a list of resources; AWS takes one (reported in aws/aws-sdk-go-v2#2715)."""
    if len(resource_arns) != 1:
        raise ValidationError("Only one resource can be tagged at a time")
    [arn] = resource_arns
    backend._get_resource_by_arn(arn)
    check_elbv2(tags, backend.tagging_service.get_tag_dict_for_resource(arn))
    backend.tagging_service.tag_resource(arn, tags)


def _describe_tags(moto: Method, backend: ELBv2Backend, resource_arns: Sequence[str]) -> Any:
    if len(resource_arns) > DESCRIBED_TAGS:
        raise ValidationError(f"Cannot describe the tags of more than {DESCRIBED_TAGS} resources")
    for arn in resource_arns:
        backend._get_resource_by_arn(arn)
    return moto(backend, resource_arns)


METHODS: tuple[tuple[type, str, Method], ...] = (
    (ELBV2Response, "describe_load_balancers", _describe_load_balancers),
    (ELBV2Response, "describe_target_groups", _describe_target_groups),
    (ELBv2Backend, "add_tags", _add_tags),
    (ELBv2Backend, "create_listener", _then_follow_listeners),
    (ELBv2Backend, "create_rule", _then_follow_listeners),
    (ELBv2Backend, "create_target_group", _create_target_group),
    (ELBv2Backend, "delete_listener", _then_follow_listeners),
    (ELBv2Backend, "delete_load_balancer", _then_follow_listeners),
    (ELBv2Backend, "delete_rule", _then_follow_listeners),
    (ELBv2Backend, "describe_tags", _describe_tags),
    (ELBv2Backend, "describe_target_health", _describe_target_health),
    (ELBv2Backend, "modify_listener", _then_follow_listeners),
    (ELBv2Backend, "modify_rule", _then_follow_listeners),
    (ELBv2Backend, "set_subnets", _then_follow_listeners),
    (FakeTargetGroup, "deregister", _deregister),
    (FakeTargetGroup, "register", _register),
    (NetworkInterfaceBackend, "__init__", _keep_interfaces),
    (NetworkInterfaceBackend, "unassign_ipv6_addresses", _unassign),
    (NetworkInterfaceBackend, "unassign_private_ip_addresses", _unassign),
)


@functools.cache
def install() -> None:
    """Change moto's classes, once: after load balancers are, whose listeners and subnets are followed here. Holds for
    every account and Region, in process and in the server."""
    load_balancers.install()
    for owner, name, ours in METHODS:
        override(owner, name, ours)
