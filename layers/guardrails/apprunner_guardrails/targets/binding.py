"""A target group's tag, and the endpoints that it names → the targets that the group should have. Pure.

    apprunner-guardrails:endpoint = vpce-0a1b2c3d4e5f60718 vpce-0f9e8d7c6b5a43210

One id, or several separated by spaces: while an endpoint is replaced by another, the group has the targets of both.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from apprunner_guardrails.facts import EndpointInterface, InterfaceEndpoint, TargetGroup, Unread, Wanted
from apprunner_guardrails.light import dataclass

TAG = "apprunner-guardrails:endpoint"
SERVICE = ".apprunner.requests"  # how the name of App Runner's endpoint service for private services ends

_ENDPOINT = re.compile(r"vpce-[0-9a-f]{8,32}")


class Malformed(ValueError):
    """The tag's value names no endpoints; the text says why, and what it takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """An endpoint that does not exist (any more): two reads have said so."""


type Seen = InterfaceEndpoint | Gone


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """What a binding comes to.

    `broken` says what is wrong with it; where `refused`, what is wanted is not known and nothing may be changed.
    `transient`: it will pass by itself. `deleted`: every endpoint of the tag is gone, so that nothing is wanted.
    `unsure`: whether more is broken could not be read; what is wanted is known all the same.
    """

    wanted: tuple[Wanted, ...] = ()
    broken: tuple[str, ...] = ()
    refused: bool = False
    transient: bool = False
    deleted: bool = False
    unsure: Unread | None = None


def endpoint_ids(value: str) -> tuple[str, ...]:
    """The ids in a tag's value, sorted. Raises Malformed: nothing is guessed at."""
    ids = value.split()
    odd = sorted({one for one in ids if not _ENDPOINT.fullmatch(one)})
    takes = "it takes ids of interface endpoints such as vpce-0a1b2c3d4e5f60718, separated by spaces"
    if not ids:
        raise Malformed(f"tag {TAG} is empty; {takes}")
    if odd:
        raise Malformed(f"tag {TAG} = {value!r} names {', '.join(map(repr, odd))}; {takes}")
    return tuple(sorted(set(ids)))


def interfaces_of(endpoints: Iterable[object]) -> tuple[str, ...]:
    """The ids of the network interfaces of those endpoints that were told of, sorted."""
    return tuple(sorted({one for end in endpoints if isinstance(end, InterfaceEndpoint) for one in end.interface_ids}))


def resolve(
    group: TargetGroup, endpoints: Mapping[str, Seen | Unread], interfaces: Mapping[str, EndpointInterface | Unread]
) -> Resolved | Unread:
    """What the group should have, by the endpoints that its tag names and their interfaces.

    Unread where one of them could not be read: a part of the targets is not the whole.
    """
    unread = next((one for one in endpoints.values() if isinstance(one, Unread)), None)
    if unread is not None:
        return unread
    if group.target_type != "ip":
        kind = (
            f"target group {group.name} has targets of type {group.target_type}, which cannot be changed: bind a group"
            " of type ip"
        )
        return Resolved(broken=(kind,), refused=True)
    gone = tuple(f"{name} does not exist" for name, one in sorted(endpoints.items()) if isinstance(one, Gone))
    there = [one for _, one in sorted(endpoints.items()) if isinstance(one, InterfaceEndpoint)]
    if not there:
        return Resolved(broken=gone, refused=True, deleted=True)
    faults = [(one, fault) for one in there if (fault := _fault(one))]
    if faults:
        transient = all(_is_on_its_way(one) for one, _ in faults)
        return Resolved(broken=(*gone, *(fault for _, fault in faults)), refused=True, transient=transient)
    found = [interfaces[name] for one in there for name in one.interface_ids]
    missing = next((one for one in found if isinstance(one, Unread)), None)
    if missing is not None:
        return missing
    return _resolved(group, there, interfaces, gone)


def _resolved(
    group: TargetGroup,
    endpoints: Sequence[InterfaceEndpoint],
    interfaces: Mapping[str, EndpointInterface | Unread],
    gone: tuple[str, ...],
) -> Resolved:
    kind = "IPv6" if group.ipv6 else "IPv4"
    wanted: dict[str, Wanted] = {}
    bare: list[str] = []
    partly = True
    for one in endpoints:
        told = [found for name in one.interface_ids if isinstance(found := interfaces[name], EndpointInterface)]
        for found in told:
            address = _address(found, ipv6=group.ipv6)
            target = Wanted(address=address, port=group.port, zone=found.zone, outside=one.vpc_id != group.vpc_id)
            wanted |= {target.key: target} if address else {}
        # All of an endpoint's interfaces have the same kinds of addresses: one that lacks one is not told in full.
        if not all(_address(found, ipv6=group.ipv6) for found in told):
            without = ", ".join(sorted(found.id for found in told if not _address(found, ipv6=group.ipv6)))
            bare.append(
                f"{one.id} has no {kind} address in {without}, and target group {group.name} takes {kind} targets only:"
                " give the endpoint the address type dualstack, or bind a group of the endpoint's own type"
            )
            partly = partly and any(_address(found, ipv6=group.ipv6) for found in told)
    if bare:
        return Resolved(broken=(*gone, *bare), refused=True, transient=partly)
    return Resolved(wanted=tuple(sorted(wanted.values(), key=lambda target: target.key)), broken=gone)


def _address(interface: EndpointInterface, *, ipv6: bool) -> str:
    return next(iter(interface.ipv6), "") if ipv6 else interface.ipv4


def _fault(endpoint: InterfaceEndpoint) -> str:
    """What keeps the endpoint's addresses from being known for good; empty if nothing does."""
    if not endpoint.service.endswith(SERVICE):
        return f"{endpoint.id} is an endpoint of {endpoint.service}, not of App Runner's private services (…{SERVICE})"
    if endpoint.state != "available":
        return f"{endpoint.id} is {endpoint.state or 'in no state that AWS tells'}"
    if not endpoint.interface_ids:
        return f"{endpoint.id} has no network interface"
    have, should = len(endpoint.interface_ids), len(endpoint.subnet_ids)
    return f"{endpoint.id} is in {should} subnets and has {have} network interfaces so far" if have < should else ""


def _is_on_its_way(endpoint: InterfaceEndpoint) -> bool:
    """Being made, or given an interface in another subnet: it has one in each."""
    if not endpoint.service.endswith(SERVICE):
        return False
    if endpoint.state == "available":
        return 0 < len(endpoint.interface_ids) < len(endpoint.subnet_ids)
    return endpoint.state == "pending"


def elsewhere(group: TargetGroup, endpoints: Iterable[object]) -> tuple[str, ...]:
    """The other VPCs that the group's endpoints are in, sorted: traffic has to get there."""
    vpcs = {one.vpc_id for one in endpoints if isinstance(one, InterfaceEndpoint)}
    return tuple(sorted(vpcs - {group.vpc_id, ""}))
