"""A tag's value and the endpoints that it names, and the targets that they make."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.facts import EndpointInterface, InterfaceEndpoint, TargetGroup, Unread, Wanted
from apprunner_guardrails.targets.binding import (
    TAG,
    Gone,
    Malformed,
    Resolved,
    Seen,
    elsewhere,
    endpoint_ids,
    interfaces_of,
    resolve,
)

A, B = "us-east-1a", "us-east-1b"
ONE, TWO = "vpce-0a1b2c3d4e5f60718", "vpce-0f9e8d7c6b5a43210"
TAKES = "it takes ids of interface endpoints such as vpce-0a1b2c3d4e5f60718, separated by spaces"
SERVICE = "com.amazonaws.us-east-1.apprunner.requests"

GROUP = TargetGroup(
    arn="arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/orders/0123456789abcdef",
    name="orders",
    vpc_id="vpc-1",
    port=443,
    target_type="ip",
    ipv6=False,
    load_balancer_arns=(),
)
IPV6_GROUP = replace(GROUP, ipv6=True)
FIRST = InterfaceEndpoint(
    id=ONE,
    vpc_id="vpc-1",
    service=SERVICE,
    state="available",
    private_dns=False,
    subnet_ids=("subnet-a", "subnet-b"),
    interface_ids=("eni-1a", "eni-1b"),
)
SECOND = replace(FIRST, id=TWO, interface_ids=("eni-2a", "eni-2b"))


def interface(name: str, zone: str, ipv4: str, *ipv6: str) -> EndpointInterface:
    return EndpointInterface(id=name, vpc_id="vpc-1", zone=zone, ipv4=ipv4, ipv6=ipv6)


INTERFACES: dict[str, EndpointInterface | Unread] = {
    one.id: one
    for one in (
        interface("eni-1a", A, "10.0.1.10"),
        interface("eni-1b", B, "10.0.2.10"),
        interface("eni-2a", A, "10.0.1.20"),
        interface("eni-2b", B, "10.0.2.20"),
    )
}
DUAL_STACK: dict[str, EndpointInterface | Unread] = {
    "eni-1a": interface("eni-1a", A, "10.0.1.10", "2600:1f18::a", "2600:1f18::aa"),
    "eni-1b": interface("eni-1b", B, "10.0.2.10", "2600:1f18::b"),
}
ONE_A, ONE_B = Wanted(address="10.0.1.10", port=443, zone=A), Wanted(address="10.0.2.10", port=443, zone=B)
TWO_A, TWO_B = Wanted(address="10.0.1.20", port=443, zone=A), Wanted(address="10.0.2.20", port=443, zone=B)
DENIED = Unread(call="ec2:DescribeVpcEndpoints", code="UnauthorizedOperation")
NO_INTERFACE = Unread(call="ec2:DescribeNetworkInterfaces", code="InvalidNetworkInterfaceID.NotFound")


def resolved(
    *endpoints: InterfaceEndpoint, group: TargetGroup = GROUP, gone: Iterable[str] = (), **changed: Any
) -> Resolved | Unread:
    """What those endpoints come to, each with `changed` fields, beside others that are `gone`."""
    seen: dict[str, Seen | Unread] = dict.fromkeys(gone, Gone())
    seen |= {one.id: replace(one, **changed) for one in endpoints}
    return resolve(group, seen, INTERFACES)


# --- The tag ---------------------------------------------------------------------------------------------------------

VALUES = {
    "one": (ONE, (ONE,)),
    "several, which are sorted": (f"{TWO} {ONE}", (ONE, TWO)),
    "more space than needed": (f"  {ONE} \t {TWO}\n", (ONE, TWO)),
    "one twice": (f"{ONE} {TWO} {ONE}", (ONE, TWO)),
    "an id of eight digits": ("vpce-0a1b2c3d", ("vpce-0a1b2c3d",)),
}


@pytest.mark.parametrize(("value", "ids"), VALUES.values(), ids=VALUES)
def test_a_tag_names_endpoints(value: str, ids: tuple[str, ...]) -> None:
    assert endpoint_ids(value) == ids


@pytest.mark.parametrize("value", ["", " ", " \t\n"])
def test_a_tag_without_a_value_names_none(value: str) -> None:
    with pytest.raises(Malformed) as malformed:
        endpoint_ids(value)
    assert str(malformed.value) == f"tag {TAG} is empty; {TAKES}"


MALFORMED = {
    "commas instead of spaces": (f"{ONE},{TWO}", f"'{ONE},{TWO}'"),
    "a comma beside the space": (f"{ONE}, {TWO}", f"'{ONE},'"),
    "upper case": (ONE.upper(), f"'{ONE.upper()}'"),
    "digits in upper case": ("vpce-0A1B2C3D4E5F60718", "'vpce-0A1B2C3D4E5F60718'"),
    "an endpoint service": ("vpce-svc-0a1b2c3d4e5f60718", "'vpce-svc-0a1b2c3d4e5f60718'"),
    "another thing's id": ("eni-0a1b2c3d4e5f60718", "'eni-0a1b2c3d4e5f60718'"),
    "an ARN": (f"arn:aws:ec2:us-east-1:1:vpc-endpoint/{ONE}", f"'arn:aws:ec2:us-east-1:1:vpc-endpoint/{ONE}'"),
    "a DNS name": (f"{ONE}-a.vpce.amazonaws.com", f"'{ONE}-a.vpce.amazonaws.com'"),
    "too short": ("vpce-0a1b2c3", "'vpce-0a1b2c3'"),
    "too long": (f"vpce-{'0' * 33}", f"'vpce-{'0' * 33}'"),
    "no digits that count": ("vpce-0a1b2c3d4e5f6071g", "'vpce-0a1b2c3d4e5f6071g'"),
    "two that are odd and one that is not, which is not blamed": (f"x {ONE} - x", "'-', 'x'"),
}


@pytest.mark.parametrize(("value", "named"), MALFORMED.values(), ids=MALFORMED)
def test_a_tag_that_names_anything_else_is_malformed_and_says_what(value: str, named: str) -> None:
    with pytest.raises(Malformed) as malformed:
        endpoint_ids(value)
    assert str(malformed.value) == f"tag {TAG} = {value!r} names {named}; {TAKES}"


# --- What is wanted --------------------------------------------------------------------------------------------------


def test_the_addresses_of_an_endpoint_are_wanted_on_the_groups_port() -> None:
    assert resolved(FIRST) == Resolved(wanted=(ONE_A, ONE_B))


def test_a_group_of_another_port_wants_that_port() -> None:
    there = replace(GROUP, port=8443)
    assert resolved(FIRST, group=there) == Resolved(wanted=(replace(ONE_A, port=8443), replace(ONE_B, port=8443)))


def test_while_an_endpoint_is_replaced_the_addresses_of_both_are_wanted() -> None:
    assert resolved(SECOND, FIRST) == Resolved(wanted=(ONE_A, TWO_A, ONE_B, TWO_B))


def test_an_interface_that_outlives_its_subnet_by_a_moment_is_wanted_with_the_others() -> None:
    assert resolved(FIRST, subnet_ids=("subnet-a",)) == Resolved(wanted=(ONE_A, ONE_B))


def test_a_group_of_ipv4_wants_no_ipv6_address_of_a_dual_stack_endpoint() -> None:
    assert resolve(GROUP, {ONE: FIRST}, DUAL_STACK) == Resolved(wanted=(ONE_A, ONE_B))


def test_a_group_of_ipv6_wants_one_ipv6_address_of_each_interface() -> None:
    assert resolve(IPV6_GROUP, {ONE: FIRST}, DUAL_STACK) == Resolved(
        wanted=(replace(ONE_A, address="2600:1f18::a"), replace(ONE_B, address="2600:1f18::b"))
    )


def test_an_interface_without_an_address_of_the_groups_kind_is_not_told_in_full() -> None:
    half = {**DUAL_STACK, "eni-1b": interface("eni-1b", B, "10.0.2.10")}
    why = lacks(ONE, "IPv6", "eni-1b")
    assert resolve(IPV6_GROUP, {ONE: FIRST}, half) == Resolved(broken=(why,), refused=True, transient=True)
    bare = {**INTERFACES, "eni-1b": interface("eni-1b", B, "")}
    why = lacks(ONE, "IPv4", "eni-1b")
    assert resolve(GROUP, {ONE: FIRST}, bare) == Resolved(broken=(why,), refused=True, transient=True)


def lacks(endpoint: str, kind: str, interfaces: str) -> str:
    return (
        f"{endpoint} has no {kind} address in {interfaces}, and target group orders takes {kind} targets only: give the"
        " endpoint the address type dualstack, or bind a group of the endpoint's own type"
    )


def test_an_address_outside_of_the_groups_vpc_is_wanted_for_all_zones() -> None:
    assert resolved(FIRST, vpc_id="vpc-2") == Resolved(
        wanted=(replace(ONE_A, outside=True), replace(ONE_B, outside=True))
    )


def test_each_endpoint_is_inside_or_outside_for_itself() -> None:
    assert resolved(FIRST, replace(SECOND, vpc_id="vpc-2")) == Resolved(
        wanted=(ONE_A, replace(TWO_A, outside=True), ONE_B, replace(TWO_B, outside=True))
    )


# --- Endpoints that are gone -----------------------------------------------------------------------------------------


def test_where_one_endpoint_of_two_is_deleted_the_other_is_wanted_and_the_tag_is_broken() -> None:
    assert resolved(SECOND, gone=[ONE]) == Resolved(wanted=(TWO_A, TWO_B), broken=(f"{ONE} does not exist",))


def test_where_all_endpoints_are_deleted_nothing_is_changed() -> None:
    expected = Resolved(
        broken=(f"{ONE} does not exist", f"{TWO} does not exist"), refused=True, transient=False, deleted=True
    )
    assert resolved(gone=[TWO, ONE]) == expected


def test_where_one_endpoint_is_deleted_and_the_other_is_not_ready_both_are_told() -> None:
    assert resolved(SECOND, gone=[ONE], state="pending") == Resolved(
        broken=(f"{ONE} does not exist", f"{TWO} is pending"), refused=True, transient=True
    )


# --- Endpoints that make no targets ----------------------------------------------------------------------------------


def test_an_endpoint_that_is_being_made_refuses_until_it_is_there() -> None:
    assert resolved(FIRST, state="pending") == Resolved(broken=(f"{ONE} is pending",), refused=True, transient=True)


@pytest.mark.parametrize("state", ["pendingacceptance", "deleting", "deleted", "rejected", "failed", "expired"])
def test_an_endpoint_in_another_state_refuses_and_does_not_mend_itself(state: str) -> None:
    assert resolved(FIRST, state=state) == Resolved(broken=(f"{ONE} is {state}",), refused=True)


def test_an_endpoint_without_a_state_refuses() -> None:
    assert resolved(FIRST, state="") == Resolved(broken=(f"{ONE} is in no state that AWS tells",), refused=True)


def test_an_endpoint_with_fewer_interfaces_than_subnets_is_on_its_way() -> None:
    assert resolved(FIRST, interface_ids=("eni-1a",)) == Resolved(
        broken=(f"{ONE} is in 2 subnets and has 1 network interfaces so far",), refused=True, transient=True
    )


@pytest.mark.parametrize("subnets", [(), ("subnet-a", "subnet-b")])
def test_an_available_endpoint_without_interfaces_refuses_and_does_not_mend_itself(subnets: tuple[str, ...]) -> None:
    assert resolved(FIRST, interface_ids=(), subnet_ids=subnets) == Resolved(
        broken=(f"{ONE} has no network interface",), refused=True
    )


@pytest.mark.parametrize("service", ["com.amazonaws.us-east-1.apprunner", "com.amazonaws.us-east-1.s3", ""])
@pytest.mark.parametrize(
    "changed",
    [{}, {"state": "pending"}, {"interface_ids": ("eni-1a",)}],
    ids=["ready", "being made", "of another subnet soon"],
)
def test_an_endpoint_of_another_service_refuses_and_does_not_mend_itself(service: str, changed: dict[str, Any]) -> None:
    why = f"{ONE} is an endpoint of {service}, not of App Runner's private services (….apprunner.requests)"
    assert resolved(FIRST, service=service, **changed) == Resolved(broken=(why,), refused=True)


def test_one_bad_endpoint_of_two_refuses_them_both() -> None:
    assert resolved(FIRST, replace(SECOND, state="rejected")) == Resolved(broken=(f"{TWO} is rejected",), refused=True)


def test_refusing_passes_by_itself_only_where_everything_that_is_wrong_does() -> None:
    pending = replace(FIRST, state="pending")
    assert resolved(pending, replace(SECOND, state="failed")) == Resolved(
        broken=(f"{ONE} is pending", f"{TWO} is failed"), refused=True
    )
    assert resolved(pending, replace(SECOND, state="pending")) == Resolved(
        broken=(f"{ONE} is pending", f"{TWO} is pending"), refused=True, transient=True
    )


def test_an_endpoint_without_addresses_of_the_groups_kind_refuses() -> None:
    why = lacks(ONE, "IPv6", "eni-1a, eni-1b")
    assert resolved(FIRST, group=IPV6_GROUP) == Resolved(broken=(why,), refused=True)


def test_one_of_two_endpoints_without_addresses_of_the_groups_kind_refuses_them_both() -> None:
    only_ipv6 = {
        **INTERFACES,
        "eni-2a": interface("eni-2a", A, "", "2600:1f18::a"),
        "eni-2b": interface("eni-2b", B, "", "2600:1f18::b"),
    }
    why = lacks(TWO, "IPv4", "eni-2a, eni-2b")
    missing = "vpce-0123456789abcdef0"
    seen: dict[str, Seen | Unread] = {ONE: FIRST, TWO: SECOND, missing: Gone()}
    assert resolve(GROUP, seen, only_ipv6) == Resolved(broken=(f"{missing} does not exist", why), refused=True)


@pytest.mark.parametrize("kind", ["instance", "alb", "lambda"])
def test_a_group_of_another_kind_of_targets_refuses(kind: str) -> None:
    why = f"target group orders has targets of type {kind}, which cannot be changed: bind a group of type ip"
    assert resolved(FIRST, group=replace(GROUP, target_type=kind)) == Resolved(broken=(why,), refused=True)
    assert resolved(gone=[ONE], group=replace(GROUP, target_type=kind)) == Resolved(broken=(why,), refused=True)


# --- What could not be read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [SECOND, Gone(), replace(SECOND, state="pending")])
@pytest.mark.parametrize("group", [GROUP, replace(GROUP, target_type="instance")])
def test_an_endpoint_that_could_not_be_read_leaves_all_unknown(other: Seen, group: TargetGroup) -> None:
    assert resolve(group, {ONE: DENIED, TWO: other}, INTERFACES) == DENIED
    assert resolve(group, {TWO: other, ONE: DENIED}, INTERFACES) == DENIED


def test_an_interface_that_could_not_be_read_leaves_all_unknown() -> None:
    for name in ("eni-1a", "eni-2b"):
        interfaces = {**INTERFACES, name: NO_INTERFACE}
        assert resolve(GROUP, {ONE: FIRST, TWO: SECOND}, interfaces) == NO_INTERFACE


def test_an_interface_that_nobody_needs_may_be_unread() -> None:
    assert resolve(GROUP, {ONE: FIRST}, {**INTERFACES, "eni-2a": NO_INTERFACE}) == Resolved(wanted=(ONE_A, ONE_B))


# --- Interfaces and VPCs ---------------------------------------------------------------------------------------------


def test_the_interfaces_are_those_of_the_endpoints_that_were_told_of() -> None:
    shared = replace(SECOND, interface_ids=("eni-2b", "eni-1a"))
    assert interfaces_of([Gone(), shared, DENIED, None, FIRST]) == ("eni-1a", "eni-1b", "eni-2b")
    assert interfaces_of([Gone(), DENIED]) == ()


def test_elsewhere_are_the_other_vpcs_of_the_endpoints() -> None:
    far = [replace(SECOND, vpc_id=vpc) for vpc in ("vpc-3", "vpc-2", "vpc-3")]
    assert elsewhere(GROUP, [FIRST, *far, Gone(), DENIED, None]) == ("vpc-2", "vpc-3")


def test_an_endpoint_in_the_groups_vpc_or_in_none_that_is_told_is_nowhere_else() -> None:
    assert elsewhere(GROUP, [FIRST, replace(SECOND, vpc_id="")]) == ()
