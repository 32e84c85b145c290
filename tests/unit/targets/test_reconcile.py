"""Read, plan, apply and read again, on answers of AWS: what is done with each group, what is refused, and why."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Held, Target, TargetGroup, Unread, Wanted, if_read
from apprunner_guardrails.settings import Policy, Settings
from apprunner_guardrails.targets.binding import TAG, Resolved
from apprunner_guardrails.targets.reconcile import RESERVE_SECONDS, Means, Outcome, reconcile
from tests.aws import CHANGING, FAULTS, Aws, Fault, Parameters, answered, pretended, refused
from tests.bound_groups import (
    BALANCER,
    ENDPOINT,
    ORDERS,
    OTHER_ENDPOINT,
    arn,
    endpoint,
    health,
    in_step,
    interface,
    many,
    moved,
    readdressed,
    states,
    target_group,
    targets,
)
from tests.samples import SETTINGS, VPC, Rows, tag

ELB = "elasticloadbalancing"
AGAIN = "it is tried again at the next event and by the schedule"
DRAINS = replace(SETTINGS, drain_deleted_endpoints=True)
TAGGED = {TAG: ENDPOINT}

A = Wanted(address="10.0.1.5", port=443, zone="us-east-1a")
B = Wanted(address="10.0.2.5", port=443, zone="us-east-1b")
NEW_B = Wanted(address="10.0.2.6", port=443, zone="us-east-1b")


def target(key: str, state: str = "healthy", reason: str = "") -> Target:
    (row,) = targets(key)
    told = row["Target"]
    return Target(address=told["Id"], port=told["Port"], zone=told["AvailabilityZone"], state=state, reason=reason)


@dataclass(frozen=True, kw_only=True)
class Run:
    outcomes: Mapping[str, Outcome]
    gone: tuple[str, ...]
    aws: Aws

    @property
    def changes(self) -> list[tuple[str, str]]:
        """RegisterTargets or DeregisterTargets, and a target, in the order of the calls; all groups."""
        return [
            (one.action.partition(":")[2], f"{named['Id']}:{named['Port']}")
            for one in self.aws.calls
            if one.action in CHANGING
            for named in one.parameters["Targets"]
        ]

    @property
    def orders(self) -> Outcome:
        return self.outcomes[ORDERS]


def run(
    rows: Rows,
    *,
    settings: Settings = SETTINGS,
    faults: Mapping[str, Fault] | None = None,
    tags: Mapping[str, str] | None = None,
    known: dict[str, TargetGroup] | None = None,
    seconds_left: Callable[[], float] = lambda: math.inf,
    paces: tuple[Callable[[], None], Callable[[], None]] = (lambda: None, lambda: None),
) -> Run:
    """Bring all groups of the rows into step; `tags` are those that the index has of each, as far as it differs."""
    bound: dict[str, dict[str, str]] = {}
    for row in rows["Tags"]:
        bound.setdefault(row["ResourceArn"], {})[row["Key"]] = row["Value"]
    if tags is not None:
        bound = {one: dict(tags) for one in bound}
    with Aws(rows, faults) as aws:
        means = Means(
            client=client,
            settings=settings,
            read_pace=paces[0],
            change_pace=paces[1],
            seconds_left=seconds_left,
            known={} if known is None else known,
        )
        outcomes, gone = reconcile(bound, means, Reads(client, paces[0]))
    return Run(outcomes={one.arn: one for one in outcomes}, gone=gone, aws=aws)


def bound_to(rows: Rows, value: str) -> Rows:
    rows["Tags"] = [tag(ORDERS, TAG, value)]
    return rows


def about(**named: object) -> Callable[[Parameters], bool]:
    """Calls with these parameters."""
    return lambda asked: all(asked.get(key) == value for key, value in named.items())


def of_group(group: str = ORDERS) -> Callable[[Parameters], bool]:
    return about(TargetGroupArn=group)


# Steps ---------------------------------------------------------------------------------------------------------------


def test_a_group_in_step_is_left_as_it_is() -> None:
    done = run(in_step())
    assert done.changes == []
    assert done.orders == Outcome(
        arn=ORDERS,
        name="orders",
        tags=TAGGED,
        endpoint_ids=(ENDPOINT,),
        resolved=Resolved(wanted=(A, B)),
        after=(target("10.0.1.5:443"), target("10.0.2.5:443")),
    )
    assert (done.orders.missing, done.orders.settling, done.orders.waiting) == ((), (), ())


def test_an_empty_group_gets_all_targets_and_they_settle() -> None:
    done = run({**in_step(), "Targets": []})
    assert done.changes == [("RegisterTargets", "10.0.1.5:443"), ("RegisterTargets", "10.0.2.5:443")]
    assert done.orders.registered == done.orders.settling == ("10.0.1.5:443", "10.0.2.5:443")
    assert [one.state for one in if_read(done.orders.after)] == ["initial"] * 2
    assert done.orders.waiting == ("10.0.1.5:443", "10.0.2.5:443")


def test_a_new_address_is_registered_and_the_old_one_held_until_it_is_healthy() -> None:
    rows = readdressed(in_step())
    first = run(rows).orders
    held = Held(target=target("10.0.2.5:443"), why="no wanted target in us-east-1b is healthy yet")
    assert (first.registered, first.deregistered, first.held) == (("10.0.2.6:443",), (), (held,))
    still = run(rows).orders
    assert (still.registered, still.deregistered, still.held, still.waiting) == (
        (),
        (),
        (held,),
        ("10.0.2.5:443", "10.0.2.6:443"),
    )
    health(rows, "10.0.2.6:443", "healthy")
    last = run(rows)
    assert last.changes == [("DeregisterTargets", "10.0.2.5:443")]
    assert (last.orders.registered, last.orders.deregistered, last.orders.held) == ((), ("10.0.2.5:443",), ())
    assert states(rows) == {"10.0.1.5:443": "healthy", "10.0.2.5:443": "draining", "10.0.2.6:443": "healthy"}
    assert (run(rows).changes, run(rows).orders.waiting) == ([], ())


def test_what_is_missing_is_registered_before_anything_is_deregistered() -> None:
    rows = readdressed(in_step())
    rows["Targets"] += targets("10.0.1.9:443")
    assert run(rows).changes == [("RegisterTargets", "10.0.2.6:443"), ("DeregisterTargets", "10.0.1.9:443")]


def test_a_draining_target_that_is_wanted_again_is_registered() -> None:
    rows = in_step()
    health(rows, "10.0.2.5:443", "draining")
    assert run(rows).changes == [("RegisterTargets", "10.0.2.5:443")]


def test_the_last_target_of_a_zone_is_held_though_its_endpoint_has_left_the_zone() -> None:
    rows = moved(in_step())
    run(rows)
    health(rows, "10.0.3.5:443", "healthy")
    done = run(rows)
    why = "no wanted target is in us-east-1b, which would be left without one"
    assert (done.changes, done.orders.held) == ([], (Held(target=target("10.0.2.5:443"), why=why),))


@pytest.mark.parametrize("whose", [ORDERS, BALANCER], ids=["the group says so", "its load balancer says so"])
def test_where_traffic_crosses_zones_a_healthy_target_anywhere_lets_the_old_one_go(whose: str) -> None:
    rows = moved(in_step())
    for row in rows["Attributes"]:
        row["Value"] = "true" if row["Arn"] == whose else row["Value"]
    assert run(rows).changes == [("RegisterTargets", "10.0.3.5:443"), ("DeregisterTargets", "10.0.2.5:443")]


@pytest.mark.parametrize("operation", ["DescribeTargetGroupAttributes", "DescribeLoadBalancerAttributes"])
def test_where_it_cannot_be_read_whether_traffic_crosses_zones_it_does_not(operation: str) -> None:
    rows = moved(in_step())
    rows["Attributes"][1]["Value"] = "true"
    done = run(rows, faults={f"{ELB}:{operation}": FAULTS["denied"]})
    assert done.changes == [("RegisterTargets", "10.0.3.5:443")]


def test_an_endpoint_of_another_port_than_443_is_registered_on_the_groups_port() -> None:
    rows = {**in_step(), "TargetGroups": [target_group(Port=8443)]}
    assert run(rows).changes == [("RegisterTargets", "10.0.1.5:8443"), ("RegisterTargets", "10.0.2.5:8443")]
    assert run(rows).orders.held == tuple(
        Held(target=target(key), why="none of 2 wanted targets is healthy yet")
        for key in ("10.0.1.5:443", "10.0.2.5:443")
    )


def dual_stack(rows: Rows) -> Rows:
    rows["NetworkInterfaces"] = [
        interface("eni-a", "10.0.1.5", "fd00:1::5"),
        interface("eni-b", "10.0.2.5", "fd00:2::5"),
    ]
    return rows


def test_a_group_of_ipv4_gets_ipv4_addresses_only() -> None:
    assert run(dual_stack(in_step())).changes == []


def test_a_group_of_ipv6_gets_ipv6_addresses_only() -> None:
    rows = {**dual_stack(in_step()), "TargetGroups": [target_group(IpAddressType="ipv6")], "Targets": []}
    assert run(rows).changes == [("RegisterTargets", "fd00:1::5:443"), ("RegisterTargets", "fd00:2::5:443")]


# Refused -------------------------------------------------------------------------------------------------------------


def of_ipv6_without_addresses(rows: Rows) -> None:
    rows["TargetGroups"] = [target_group(IpAddressType="ipv6")]


def of_instances(rows: Rows) -> None:
    rows["TargetGroups"] = [target_group(TargetType="instance")]


def with_endpoint(**changes: object) -> Callable[[Rows], None]:
    return lambda rows: rows.update(VpcEndpoints=[endpoint(ENDPOINT, "eni-a", "eni-b", **changes)])


def with_another_that_is_pending(rows: Rows) -> None:
    rows["Tags"] = [tag(ORDERS, TAG, f"{ENDPOINT} {OTHER_ENDPOINT}")]
    rows["VpcEndpoints"].append(endpoint(OTHER_ENDPOINT, "eni-c", State="pending"))


def tagged_with(value: str) -> Callable[[Rows], None]:
    return lambda rows: rows.update(Tags=[tag(ORDERS, TAG, value)])


TAKES = "it takes ids of interface endpoints such as vpce-0a1b2c3d4e5f60718, separated by spaces"
NOT_OURS = "not of App Runner's private services (….apprunner.requests)"
REFUSED: Mapping[str, tuple[Callable[[Rows], None], str, bool]] = {
    "a tag that names no endpoint": (
        tagged_with("vpce-1, orders"),
        f"tag {TAG} = 'vpce-1, orders' names 'orders', 'vpce-1,'; {TAKES}",
        False,
    ),
    "an empty tag": (
        tagged_with(""),
        f"tag {TAG} is empty; {TAKES}",
        False,
    ),
    "a group of instances": (
        of_instances,
        "target group orders has targets of type instance, which cannot be changed: bind a group of type ip",
        False,
    ),
    "a group of IPv6 addresses, of which the endpoint has none": (
        of_ipv6_without_addresses,
        (
            f"{ENDPOINT} has no IPv6 address in eni-a, eni-b, and target group orders takes IPv6 targets only: give the"
            " endpoint the address type dualstack, or bind a group of the endpoint's own type"
        ),
        False,
    ),
    "an endpoint of another service": (
        with_endpoint(ServiceName="com.amazonaws.us-east-1.ssm"),
        f"{ENDPOINT} is an endpoint of com.amazonaws.us-east-1.ssm, {NOT_OURS}",
        False,
    ),
    "an endpoint that is being made": (with_endpoint(State="pending"), f"{ENDPOINT} is pending", True),
    "an endpoint that is being deleted": (with_endpoint(State="deleting"), f"{ENDPOINT} is deleting", False),
    "an endpoint without interfaces": (
        with_endpoint(NetworkInterfaceIds=[]),
        f"{ENDPOINT} has no network interface",
        False,
    ),
    "an endpoint that gets an interface just now": (
        with_endpoint(SubnetIds=["subnet-1", "subnet-2", "subnet-3"]),
        f"{ENDPOINT} is in 3 subnets and has 2 network interfaces so far",
        True,
    ),
    "two endpoints, of which one is not there yet": (
        with_another_that_is_pending,
        f"{OTHER_ENDPOINT} is pending",
        True,
    ),
}


@pytest.mark.parametrize("settings", [SETTINGS, DRAINS], ids=["as it is by default", "where groups are drained"])
@pytest.mark.parametrize(("change", "why", "transient"), REFUSED.values(), ids=REFUSED)
def test_a_group_is_refused_where_it_cannot_be_said_what_it_should_have(
    change: Callable[[Rows], None], why: str, transient: bool, settings: Settings
) -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", "10.0.9.9:443", state="unhealthy")}
    change(rows)
    done = run(rows, settings=settings)
    assert done.changes == []
    assert done.orders.refused == f"{why}: refusing to change target group orders (2 registered); {AGAIN}"
    assert (done.orders.transient, done.orders.postponed) == (transient, False)
    assert done.orders.waiting == (("binding",) if transient else ())


# A read that fails, or is partial, of anything that a group's targets follow from.
UNREAD: Mapping[str, tuple[str, Fault, str]] = {
    "endpoints, denied": ("ec2:DescribeVpcEndpoints", FAULTS["denied"], "UnauthorizedOperation"),
    "endpoints, no answer": ("ec2:DescribeVpcEndpoints", FAULTS["no answer"], "ReadTimeoutError"),
    "interfaces, denied": ("ec2:DescribeNetworkInterfaces", FAULTS["denied"], "UnauthorizedOperation"),
    "interfaces, one is gone": (
        "ec2:DescribeNetworkInterfaces",
        refused("InvalidNetworkInterfaceID.NotFound", when=lambda asked: "eni-d" in asked["NetworkInterfaceIds"]),
        "InvalidNetworkInterfaceID.NotFound",
    ),
    "interfaces, one is left out": (
        "ec2:DescribeNetworkInterfaces",
        answered(lambda _: {"NetworkInterfaces": [interface("eni-a", "10.0.1.5")]}),
        "eni-d is not in the answer",
    ),
    "interfaces, none is told": (
        "ec2:DescribeNetworkInterfaces",
        answered(lambda _: {"NetworkInterfaces": []}),
        "eni-a is not in the answer",
    ),
    "the group": (f"{ELB}:DescribeTargetGroups", refused("AccessDenied", 403), "AccessDenied"),
    "the group, left out": (
        f"{ELB}:DescribeTargetGroups",
        answered(lambda _: {"TargetGroups": []}),
        f"{ORDERS} is not in the answer",
    ),
    "targets": (f"{ELB}:DescribeTargetHealth", refused("Throttling"), "Throttling"),
}


@pytest.mark.parametrize(("action", "fault", "code"), UNREAD.values(), ids=UNREAD)
def test_a_failed_or_partial_read_changes_nothing_and_is_tried_again_soon(action: str, fault: Fault, code: str) -> None:
    rows = readdressed({**in_step(), "Targets": targets("10.0.1.5:443", "10.0.1.9:443")})
    done = run(rows, faults={action: fault})
    assert done.changes == []
    assert done.orders.refused == f"{action} failed ({code}): orders is left as it is; {AGAIN}"
    assert (done.orders.transient, done.orders.postponed) == (True, False)
    assert run(rows).changes == [("RegisterTargets", "10.0.2.6:443"), ("DeregisterTargets", "10.0.1.9:443")]


# What the tag says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [OTHER_ENDPOINT, f"{ENDPOINT} {OTHER_ENDPOINT}", None], ids=["another", "more", "none"])
def test_a_tag_that_the_index_does_not_know_yet_keeps_the_group_from_being_changed(own: str | None) -> None:
    rows = readdressed(in_step())
    rows["Tags"] = [tag(ORDERS, "Name", "orders"), *([tag(ORDERS, TAG, own)] if own else [])]
    done = run(rows, tags=TAGGED)
    assert done.changes == []
    why = f"the tag {TAG} of target group orders has just changed: it is left as it is; {AGAIN}"
    assert (done.orders.refused, done.orders.transient, done.orders.postponed) == (why, True, True)


def test_tags_that_cannot_be_read_keep_the_group_from_being_changed() -> None:
    action = f"{ELB}:DescribeTags"
    done = run(readdressed(in_step()), faults={action: refused("AccessDenied", 403)})
    assert done.changes == []
    assert done.orders.refused == f"{action} failed (AccessDenied): orders is left as it is; {AGAIN}"
    assert (done.orders.transient, done.orders.postponed) == (True, False)
    assert done.orders.resolved == Unread(call=action, code="AccessDenied")


def test_where_nothing_is_to_be_done_the_tags_are_not_asked_for() -> None:
    assert f"{ELB}:DescribeTags" not in run(in_step()).aws.actions


def test_the_targets_of_all_endpoints_that_the_tag_names_are_wanted() -> None:
    rows = bound_to(in_step(), f"{OTHER_ENDPOINT} {ENDPOINT}")
    rows["VpcEndpoints"].append(endpoint(OTHER_ENDPOINT, "eni-c", "eni-d"))
    rows["NetworkInterfaces"] += [interface("eni-c", "10.0.1.6"), interface("eni-d", "10.0.2.6")]
    assert run(rows).changes == [("RegisterTargets", "10.0.1.6:443"), ("RegisterTargets", "10.0.2.6:443")]
    health(rows, "10.0.1.6:443", "healthy")
    health(rows, "10.0.2.6:443", "healthy")
    assert run(bound_to(rows, OTHER_ENDPOINT)).changes == [
        ("DeregisterTargets", "10.0.1.5:443"),
        ("DeregisterTargets", "10.0.2.5:443"),
    ]


# Endpoints that are gone, or seem to be ------------------------------------------------------------------------------


def without_endpoint(rows: Rows) -> Rows:
    rows["VpcEndpoints"] = []
    return rows


def test_an_endpoint_that_is_not_in_the_list_and_there_by_its_id_is_there() -> None:
    rows = readdressed(in_step())
    rows["HiddenVpcEndpoints"], rows["VpcEndpoints"] = rows["VpcEndpoints"], []
    assert run(rows, settings=DRAINS).changes == [("RegisterTargets", "10.0.2.6:443")]


@pytest.mark.parametrize("settings", [SETTINGS, DRAINS], ids=["as it is by default", "where groups are drained"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (answered(lambda _: {"VpcEndpoints": []}), f"{ENDPOINT} is not in the answer"),
        (refused("UnauthorizedOperation", 403), "UnauthorizedOperation"),
        (FAULTS["no answer"], "ReadTimeoutError"),
        (refused("InvalidVpcEndpointId.Malformed"), "InvalidVpcEndpointId.Malformed"),
    ],
    ids=["an empty answer", "denied", "no answer", "another refusal"],
)
def test_only_ec2_saying_that_there_is_no_such_endpoint_says_that_there_is_none(
    fault: Fault, code: str, settings: Settings
) -> None:
    by_id = replace(fault, when=lambda asked: "VpcEndpointIds" in asked)
    rows = without_endpoint({**in_step(), "Targets": targets("10.0.1.5:443", state="unhealthy")})
    done = run(rows, settings=settings, faults={"ec2:DescribeVpcEndpoints": by_id})
    assert done.changes == []
    assert done.orders.refused == f"ec2:DescribeVpcEndpoints failed ({code}): orders is left as it is; {AGAIN}"
    assert run(rows, settings=DRAINS).changes == [("DeregisterTargets", "10.0.1.5:443")]


GONE = f"{ENDPOINT} does not exist: refusing to change target group orders (2 registered); {AGAIN}"


def test_a_group_whose_endpoint_is_gone_keeps_its_targets() -> None:
    done = run(without_endpoint(in_step()))
    assert (done.changes, done.orders.refused, done.orders.transient) == ([], GONE, False)
    assert done.orders.resolved == Resolved(broken=(f"{ENDPOINT} does not exist",), refused=True, deleted=True)


def test_where_groups_are_drained_those_targets_go_that_no_longer_answer() -> None:
    rows = without_endpoint(in_step())
    health(rows, "10.0.1.5:443", "unhealthy")
    done = run(rows, settings=DRAINS)
    assert (done.changes, done.orders.refused) == ([("DeregisterTargets", "10.0.1.5:443")], "")
    held = Held(target=target("10.0.2.5:443"), why="its endpoint is deleted, and it still answers")
    assert (done.orders.held, done.orders.waiting) == ((held,), (held.target.key,))


@pytest.mark.parametrize("state", ["deleted", "Deleted"])
def test_an_endpoint_that_both_answers_call_deleted_is_gone(state: str) -> None:
    rows = in_step()
    with_endpoint(State=state)(rows)
    done = run(rows)
    assert (done.changes, done.orders.refused) == ([], GONE)
    assert [one for one in done.aws.sent("ec2:DescribeVpcEndpoints") if "VpcEndpointIds" in one] == [
        {"VpcEndpointIds": [ENDPOINT]}
    ]


def test_an_endpoint_that_is_deleted_in_the_list_and_available_by_its_id_is_available() -> None:
    rows = in_step()
    with_endpoint(State="deleted")(rows)
    there = answered(lambda _: {"VpcEndpoints": [endpoint(ENDPOINT, "eni-a", "eni-b")]})
    by_id = replace(there, when=lambda asked: "VpcEndpointIds" in asked)
    done = run(rows, settings=DRAINS, faults={"ec2:DescribeVpcEndpoints": by_id})
    assert (done.changes, done.orders.refused) == ([], "")


def test_one_endpoint_of_two_that_is_gone_is_broken_and_the_other_still_followed() -> None:
    rows = bound_to(readdressed(in_step()), f"{ENDPOINT} {OTHER_ENDPOINT}")
    done = run(rows)
    assert done.changes == [("RegisterTargets", "10.0.2.6:443")]
    assert done.orders.resolved == Resolved(wanted=(A, NEW_B), broken=(f"{OTHER_ENDPOINT} does not exist",))


# Other VPCs ----------------------------------------------------------------------------------------------------------


def outside(**connections: Any) -> Rows:
    """The group is in vpc-0, its endpoint in vpc-1."""
    return {**in_step(), "TargetGroups": [target_group(VpcId="vpc-0")], "Targets": [], **connections}


def peering(requester: str, accepter: str, state: str = "active") -> dict[str, Any]:
    return {
        "VpcPeeringConnectionId": "pcx-1",
        "RequesterVpcInfo": {"VpcId": requester},
        "AccepterVpcInfo": {"VpcId": accepter},
        "Status": {"Code": state},
    }


def attachment(gateway: str, vpc: str, state: str = "available") -> dict[str, Any]:
    return {"TransitGatewayId": gateway, "VpcId": vpc, "State": state}


APART = (
    f"{ENDPOINT} is in {VPC}, which is neither peered with vpc-0, the VPC of target group orders, nor attached to a"
    " transit gateway of it"
)
CONNECTIONS: Mapping[str, tuple[dict[str, Any], bool]] = {
    "nothing": ({}, False),
    "a peering": ({"VpcPeeringConnections": [peering("vpc-0", VPC)]}, True),
    "a peering that the other VPC asked for": ({"VpcPeeringConnections": [peering(VPC, "vpc-0")]}, True),
    "a peering that was not accepted": (
        {"VpcPeeringConnections": [peering("vpc-0", VPC, "pending-acceptance")]},
        False,
    ),
    "a peering with a third VPC": ({"VpcPeeringConnections": [peering("vpc-0", "vpc-2")]}, False),
    "a transit gateway": (
        {"TransitGatewayVpcAttachments": [attachment("tgw-1", "vpc-0"), attachment("tgw-1", VPC)]},
        True,
    ),
    "a transit gateway each": (
        {"TransitGatewayVpcAttachments": [attachment("tgw-1", "vpc-0"), attachment("tgw-2", VPC)]},
        False,
    ),
    "one of several transit gateways": (
        {
            "TransitGatewayVpcAttachments": [
                *(attachment(f"tgw-{number}", "vpc-0") for number in (1, 2)),
                *(attachment(f"tgw-{number}", VPC) for number in (3, 2)),
            ]
        },
        True,
    ),
    "a transit gateway that it is leaving": (
        {"TransitGatewayVpcAttachments": [attachment("tgw-1", "vpc-0"), attachment("tgw-1", VPC, "deleting")]},
        False,
    ),
}


@pytest.mark.parametrize(("connections", "connected"), CONNECTIONS.values(), ids=CONNECTIONS)
def test_addresses_of_another_vpc_are_registered_for_all_zones_and_broken_where_nothing_leads_there(
    connections: dict[str, Any], connected: bool
) -> None:
    done = run(outside(**connections))
    assert done.aws.sent(f"{ELB}:RegisterTargets") == [
        {
            "TargetGroupArn": ORDERS,
            "Targets": [
                {"Id": address, "Port": 443, "AvailabilityZone": "all"} for address in ("10.0.1.5", "10.0.2.5")
            ],
        }
    ]
    assert done.orders.refused == ""
    assert done.orders.resolved == Resolved(
        wanted=(replace(A, outside=True), replace(B, outside=True)), broken=() if connected else (APART,)
    )


@pytest.mark.parametrize("action", ["ec2:DescribeVpcPeeringConnections", "ec2:DescribeTransitGatewayVpcAttachments"])
def test_where_it_cannot_be_read_what_leads_there_it_is_not_said_and_the_targets_are_registered(action: str) -> None:
    done = run(outside(), faults={action: FAULTS["denied"]})
    assert [name for name, _ in done.changes] == ["RegisterTargets"] * 2
    unread = Unread(call=action, code="UnauthorizedOperation")
    assert done.orders.resolved == Resolved(wanted=(replace(A, outside=True), replace(B, outside=True)), unsure=unread)


def test_one_connection_that_is_known_is_enough() -> None:
    rows = outside(VpcPeeringConnections=[peering("vpc-0", VPC)])
    done = run(rows, faults={"ec2:DescribeTransitGatewayVpcAttachments": FAULTS["denied"]})
    assert done.orders.resolved == Resolved(wanted=(replace(A, outside=True), replace(B, outside=True)))


def test_a_healthy_address_of_another_vpc_serves_every_zone() -> None:
    rows = outside(VpcPeeringConnections=[peering("vpc-0", VPC)])
    rows["Targets"] = [*targets("10.0.1.5:443", "10.0.2.5:443"), *targets("10.0.3.9:443")]
    assert run(rows).changes == [("DeregisterTargets", "10.0.3.9:443")]


# Policies ------------------------------------------------------------------------------------------------------------


def replaced() -> Rows:
    """10.0.2.6 is missing, 10.0.1.9 is stale and would go at once."""
    rows = readdressed(in_step())
    return {**rows, "Targets": targets("10.0.1.5:443", "10.0.1.9:443")}


STALE = target("10.0.1.9:443")


@pytest.mark.parametrize(
    ("policy", "changes", "held"),
    [
        (Policy.SYNC, [("RegisterTargets", "10.0.2.6:443"), ("DeregisterTargets", "10.0.1.9:443")], ()),
        (
            Policy.REGISTER_ONLY,
            [("RegisterTargets", "10.0.2.6:443")],
            (Held(target=STALE, why="the policy is register-only", by_policy=True),),
        ),
        (Policy.REPORT_ONLY, [], (Held(target=STALE, why="the policy is report-only", by_policy=True),)),
    ],
)
def test_a_policy_says_what_of_a_plan_is_done(
    policy: Policy, changes: list[tuple[str, str]], held: tuple[Held, ...]
) -> None:
    done = run(replaced(), settings=replace(SETTINGS, sync_policy=policy))
    assert (done.changes, done.orders.held, done.orders.refused) == (changes, held, "")


@pytest.mark.parametrize("policy", [Policy.REGISTER_ONLY, Policy.REPORT_ONLY])
def test_a_group_is_not_drained_by_a_policy_that_deregisters_nothing(policy: Policy) -> None:
    rows = without_endpoint({**in_step(), "Targets": targets("10.0.1.5:443", state="unhealthy")})
    assert run(rows, settings=replace(DRAINS, sync_policy=policy)).changes == []


def test_nobody_comes_back_for_what_a_policy_keeps() -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", "10.0.1.9:443", "10.0.2.5:443")}
    assert run(rows, settings=replace(SETTINGS, sync_policy=Policy.REPORT_ONLY)).orders.waiting == ()


# Several groups ------------------------------------------------------------------------------------------------------


def three() -> Rows:
    """Three groups, of which each misses its second target."""
    rows = many(3)
    rows["Targets"] = [row for row in rows["Targets"] if row["Target"]["Id"].split(".")[2] == "1"]
    return rows


FIRST, SECOND, THIRD = (arn(f"group-{number:03}") for number in range(3))
ADDED = {FIRST: ("10.0.2.4:443",), SECOND: ("10.0.2.5:443",), THIRD: ("10.0.2.6:443",)}


def registered(done: Run) -> dict[str, tuple[str, ...]]:
    return {one: outcome.registered for one, outcome in done.outcomes.items() if outcome.registered}


def test_several_groups_are_brought_into_step_in_the_rounds_of_one() -> None:
    done, alone = run(three()), run({**in_step(), "Targets": targets("10.0.1.5:443")})
    assert (registered(done), done.gone) == (ADDED, ())
    assert len(done.aws.rounds) == len(alone.aws.rounds)


def test_a_group_that_does_not_exist_is_told_of_and_no_other_suffers() -> None:
    rows = three()
    rows["TargetGroups"].pop(1)
    done = run(rows)
    assert (registered(done), done.gone) == ({FIRST: ADDED[FIRST], THIRD: ADDED[THIRD]}, (SECOND,))


def test_a_group_that_is_remembered_and_does_not_exist_any_more_is_told_of() -> None:
    rows, known = three(), dict[str, TargetGroup]()
    run(rows, known=known)
    rows["TargetGroups"].pop(1)
    done = run(rows, known=known)
    assert (set(done.outcomes), done.gone) == ({FIRST, THIRD}, (SECOND,))


def test_a_group_that_vanishes_between_two_reads_is_told_of() -> None:
    fault = refused("TargetGroupNotFound", when=of_group(SECOND))
    done = run(three(), faults={f"{ELB}:DescribeTargetHealth": fault})
    assert (registered(done), done.gone) == ({FIRST: ADDED[FIRST], THIRD: ADDED[THIRD]}, (SECOND,))


def test_a_group_that_cannot_be_read_is_left_as_it_is_and_no_other_suffers() -> None:
    fault = refused("AccessDenied", 403, when=of_group(SECOND))
    done = run(three(), faults={f"{ELB}:DescribeTargetHealth": fault})
    assert registered(done) == {FIRST: ADDED[FIRST], THIRD: ADDED[THIRD]}
    why = f"{ELB}:DescribeTargetHealth failed (AccessDenied): group-001 is left as it is; {AGAIN}"
    assert done.outcomes[SECOND].refused == why


def test_a_group_that_may_not_be_changed_is_left_as_it_is_and_no_other_suffers() -> None:
    fault = refused("AccessDenied", 403, when=of_group(SECOND))
    done = run(three(), faults={f"{ELB}:RegisterTargets": fault})
    assert registered(done) == {FIRST: ADDED[FIRST], THIRD: ADDED[THIRD]}
    assert done.outcomes[SECOND].failed == Unread(call=f"{ELB}:RegisterTargets", code="AccessDenied")


def test_a_group_with_an_endpoint_that_is_gone_is_refused_and_no_other_suffers() -> None:
    rows = three()
    rows["VpcEndpoints"].pop(1)
    assert registered(run(rows)) == {FIRST: ADDED[FIRST], THIRD: ADDED[THIRD]}


def test_an_interface_that_is_gone_refuses_its_own_group_only() -> None:
    rows = three()
    rows["NetworkInterfaces"] = [one for one in rows["NetworkInterfaces"] if one["PrivateIpAddress"] != "10.0.2.5"]
    done = run(rows)
    assert registered(done) == {FIRST: ADDED[FIRST], THIRD: ADDED[THIRD]}
    assert "InvalidNetworkInterfaceID.NotFound" in done.outcomes[SECOND].refused


# Changes that AWS refuses, or says yes to ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [(refused("AccessDenied", 403), "AccessDenied"), (FAULTS["no answer"], "ReadTimeoutError")],
    ids=["denied", "no answer"],
)
def test_where_registering_fails_nothing_is_deregistered(fault: Fault, code: str) -> None:
    done = run(replaced(), faults={f"{ELB}:RegisterTargets": fault})
    assert f"{ELB}:DeregisterTargets" not in done.aws.actions
    assert (done.orders.registered, done.orders.deregistered) == ((), ())
    assert done.orders.failed == Unread(call=f"{ELB}:RegisterTargets", code=code)
    assert done.orders.missing == ("10.0.2.6:443",)


def test_a_call_that_took_effect_and_had_no_answer_is_seen_to_have_done_so() -> None:
    rows = replaced()

    def takes_effect(asked: Parameters) -> bool:
        rows["Targets"] += targets("10.0.2.6:443", state="initial")
        return True

    fault = replace(FAULTS["no answer"], when=takes_effect)
    done = run(rows, faults={f"{ELB}:RegisterTargets": fault})
    assert (done.orders.missing, done.orders.settling, done.orders.waiting) == (
        (),
        ("10.0.2.6:443",),
        ("10.0.2.6:443",),
    )


def test_where_deregistering_fails_what_was_registered_stays() -> None:
    done = run(replaced(), faults={f"{ELB}:DeregisterTargets": refused("AccessDenied", 403)})
    assert (done.orders.registered, done.orders.deregistered) == (("10.0.2.6:443",), ())
    assert done.orders.failed == Unread(call=f"{ELB}:DeregisterTargets", code="AccessDenied")


def test_a_group_is_read_again_after_it_was_changed_as_aws_may_say_yes_and_do_nothing() -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", "10.0.1.9:443", "10.0.2.5:443")}
    done = run(rows, faults={f"{ELB}:DeregisterTargets": pretended("DeregisterTargets")})
    assert done.orders.deregistered == ("10.0.1.9:443",)
    assert done.orders.after == (target("10.0.1.5:443"), STALE, target("10.0.2.5:443"))


def test_a_group_that_cannot_be_read_again_is_not_known_to_be_in_step() -> None:
    asked = iter([False, True])
    fault = refused("Throttling", when=lambda _: next(asked))
    done = run({**in_step(), "Targets": []}, faults={f"{ELB}:DescribeTargetHealth": fault})
    assert done.orders.after == Unread(call=f"{ELB}:DescribeTargetHealth", code="Throttling")
    assert done.orders.registered == ("10.0.1.5:443", "10.0.2.5:443")


def falling(*seconds: float) -> Callable[[], float]:
    left: Iterator[float] = iter(seconds)
    return lambda: next(left)


# The quota -----------------------------------------------------------------------------------------------------------


def at_quota(quota: int, *present: str) -> Rows:
    """Wanted: 10.0.1.5 and 10.0.2.6."""
    rows = readdressed(in_step())
    return {**rows, "Targets": targets(*present), "Quotas": [{"TargetGroupArn": ORDERS, "Targets": quota}]}


FULL = Unread(call=f"{ELB}:RegisterTargets", code="TooManyTargets")


def test_at_the_quota_a_target_that_serves_nobody_makes_room() -> None:
    rows = at_quota(2, "10.0.1.5:443", "10.0.2.5:443")
    health(rows, "10.0.2.5:443", "unhealthy")
    done = run(rows)
    assert done.changes == [
        ("RegisterTargets", "10.0.2.6:443"),
        ("DeregisterTargets", "10.0.2.5:443"),
        ("RegisterTargets", "10.0.2.6:443"),
    ]
    assert (done.orders.registered, done.orders.deregistered) == (("10.0.2.6:443",), ("10.0.2.5:443",))
    assert done.orders.failed is None


def test_at_the_quota_one_that_serves_makes_room_where_another_serves_its_zone() -> None:
    rows = at_quota(3, "10.0.1.5:443", "10.0.2.5:443", "10.0.2.9:443")
    done = run(rows)
    assert (done.orders.registered, done.orders.deregistered) == (("10.0.2.6:443",), ("10.0.2.5:443",))
    assert states(rows) == {
        "10.0.1.5:443": "healthy",
        "10.0.2.5:443": "draining",
        "10.0.2.9:443": "healthy",
        "10.0.2.6:443": "initial",
    }


def test_at_the_quota_the_last_of_a_zone_does_not_make_room() -> None:
    done = run(at_quota(2, "10.0.1.5:443", "10.0.2.5:443"))
    assert (done.changes, done.orders.failed) == ([("RegisterTargets", "10.0.2.6:443")], FULL)
    assert (done.orders.registered, done.orders.deregistered) == ((), ())


def test_what_there_is_room_for_is_registered_before_anything_makes_room() -> None:
    rows = at_quota(2, "10.0.3.9:443")
    health(rows, "10.0.3.9:443", "unhealthy")
    done = run(rows)
    assert done.changes == [
        ("RegisterTargets", "10.0.1.5:443"),  # both
        ("RegisterTargets", "10.0.2.6:443"),
        ("RegisterTargets", "10.0.1.5:443"),  # one
        ("RegisterTargets", "10.0.2.6:443"),  # for which there is no room
        ("DeregisterTargets", "10.0.3.9:443"),
        ("RegisterTargets", "10.0.2.6:443"),
    ]
    assert (done.orders.registered, done.orders.deregistered) == (("10.0.1.5:443", "10.0.2.6:443"), ("10.0.3.9:443",))
    assert done.orders.failed is None


def test_nothing_makes_room_where_registering_fails_for_another_reason_than_the_quota() -> None:
    rows = at_quota(1, "10.0.3.9:443")
    health(rows, "10.0.3.9:443", "unhealthy")
    throttled = refused("Throttling", when=lambda asked: len(asked["Targets"]) == 1)
    done = run(rows, faults={f"{ELB}:RegisterTargets": throttled})
    assert {action for action, _ in done.changes} == {"RegisterTargets"}
    assert (done.orders.registered, done.orders.deregistered) == ((), ())
    assert done.orders.failed == Unread(call=f"{ELB}:RegisterTargets", code="Throttling")


def test_no_exchange_is_begun_that_leaves_no_time_to_read_again_and_tell() -> None:
    rows = at_quota(2, "10.0.1.5:443", "10.0.2.5:443")
    health(rows, "10.0.2.5:443", "unhealthy")
    done = run(rows, seconds_left=falling(RESERVE_SECONDS, RESERVE_SECONDS - 0.1))
    assert (done.changes, done.orders.failed) == ([("RegisterTargets", "10.0.2.6:443")], FULL)


def test_an_exchange_whose_second_half_fails_is_told_and_goes_on_no_further() -> None:
    rows = at_quota(2, "10.0.3.8:443", "10.0.3.9:443")
    health(rows, "10.0.3.8:443", "unhealthy")
    health(rows, "10.0.3.9:443", "unhealthy")
    gone: list[str] = []

    def after_one_left(asked: Parameters) -> bool:
        gone[:] = [key for key, state in states(rows).items() if state == "draining"]
        return bool(gone)

    done = run(rows, faults={f"{ELB}:RegisterTargets": refused("AccessDenied", 403, when=after_one_left)})
    assert (done.orders.registered, done.orders.deregistered) == ((), ("10.0.3.8:443",))
    assert done.orders.failed == Unread(call=f"{ELB}:RegisterTargets", code="AccessDenied")
    assert states(rows) == {"10.0.3.8:443": "draining", "10.0.3.9:443": "unhealthy"}


def test_an_exchange_whose_first_half_fails_registers_nothing() -> None:
    rows = at_quota(2, "10.0.1.5:443", "10.0.2.5:443")
    health(rows, "10.0.2.5:443", "unhealthy")
    done = run(rows, faults={f"{ELB}:DeregisterTargets": refused("AccessDenied", 403)})
    assert done.changes == [("RegisterTargets", "10.0.2.6:443"), ("DeregisterTargets", "10.0.2.5:443")]
    assert done.orders.failed == Unread(call=f"{ELB}:DeregisterTargets", code="AccessDenied")


def test_at_the_quota_a_policy_that_deregisters_nothing_makes_no_room() -> None:
    rows = at_quota(2, "10.0.1.5:443", "10.0.2.5:443")
    health(rows, "10.0.2.5:443", "unhealthy")
    done = run(rows, settings=replace(SETTINGS, sync_policy=Policy.REGISTER_ONLY))
    assert (done.changes, done.orders.failed) == ([("RegisterTargets", "10.0.2.6:443")], FULL)


# Time, pace and memory -----------------------------------------------------------------------------------------------


def test_no_change_is_begun_that_leaves_no_time_to_read_again_and_tell() -> None:
    left = falling(RESERVE_SECONDS, RESERVE_SECONDS, RESERVE_SECONDS - 0.1)
    done = run(three(), seconds_left=left)
    assert registered(done) == {FIRST: ADDED[FIRST], SECOND: ADDED[SECOND]}
    late = done.outcomes[THIRD]
    assert late.refused == f"no time was left for target group group-002; {AGAIN}"
    assert (late.transient, late.postponed, "binding" in late.waiting) == (True, True, True)


def test_every_read_and_every_change_waits_for_its_own_pace() -> None:
    waited: list[str] = []
    done = run(three(), paces=(lambda: waited.append("read"), lambda: waited.append("change")))
    changes = [action for action in done.aws.actions if action in CHANGING]
    assert (waited.count("change"), waited.count("read")) == (3, len(done.aws.actions) - 3)
    assert len(changes) == 3


def test_a_group_is_remembered_and_asked_for_again_before_it_is_changed() -> None:
    rows, known = in_step(), dict[str, TargetGroup]()
    run(rows, known=known)
    rows["TargetGroups"][0]["LoadBalancerArns"] = []
    assert run(rows, known=known).aws.sent(f"{ELB}:DescribeTargetGroups") == []
    assert known[ORDERS].load_balancer_arns == (BALANCER,)
    done = run(moved(rows), known=known)
    assert done.aws.sent(f"{ELB}:DescribeTargetGroups") == [{"TargetGroupArns": [ORDERS]}]
    assert known[ORDERS].load_balancer_arns == ()
    assert done.aws.sent(f"{ELB}:DescribeLoadBalancerAttributes") == []


def test_a_group_that_was_remembered_and_cannot_be_read_now_is_left_as_it_is() -> None:
    rows, known = in_step(), dict[str, TargetGroup]()
    run(rows, known=known)
    done = run(readdressed(rows), known=known, faults={f"{ELB}:DescribeTargetGroups": refused("Throttling")})
    assert done.changes == []
    assert done.orders.refused == f"{ELB}:DescribeTargetGroups failed (Throttling): orders is left as it is; {AGAIN}"


def test_no_group_is_no_call() -> None:
    done = run({"Tags": []})
    assert (done.outcomes, done.gone, done.aws.calls) == ({}, (), [])
