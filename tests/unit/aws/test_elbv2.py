"""Target groups: what their answers are made of, whether traffic crosses zones, and what becomes of changes."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError, ParamValidationError

from apprunner_guardrails.aws import elbv2
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Target, Unread, Wanted
from tests.aws import FAULTS, Aws, Fault, Parameters, answered, refused
from tests.bound_groups import BALANCER, ORDERS, arn, in_step, many, target_group, targets
from tests.private_path import load_balancer, private_path
from tests.samples import Row, Rows

ACTION = "elasticloadbalancing"
OTHER_BALANCER = BALANCER.replace("orders", "other")
LOST = arn("lost")
NO_LOST = Unread(call=f"{ACTION}:DescribeTags", code=elbv2.NO_GROUP)


def test_tags_are_those_of_each_group_and_a_group_without_any_has_none() -> None:
    rows = in_step()
    rows["TargetGroups"].append(target_group("bare"))
    with Aws(rows):
        told = elbv2.tags_of(Reads(client), [ORDERS, arn("bare"), LOST])()
    assert told == {ORDERS: {rows["Tags"][0]["Key"]: rows["Tags"][0]["Value"]}, arn("bare"): {}, LOST: NO_LOST}


def test_tags_told_as_an_empty_list_are_none_too() -> None:
    class Empty:
        def describe_tags(self, **_: object) -> Row:
            return {"TagDescriptions": [{"ResourceArn": ORDERS, "Tags": []}]}

    reads = Reads(lambda _: Empty())  # type: ignore[arg-type,return-value]  # a client as far as it is used
    assert elbv2.tags_of(reads, [ORDERS])() == {ORDERS: {}}


@pytest.mark.parametrize("count", [3, 101], ids=["named", "listed"])
def test_a_group_that_is_gone_is_told_apart_and_no_other_suffers(count: int) -> None:
    rows = many(count)
    wanted = [row["TargetGroupArn"] for row in rows["TargetGroups"]]
    rows["TargetGroups"].remove(next(row for row in rows["TargetGroups"] if row["TargetGroupArn"] == wanted[1]))
    with Aws(rows):
        told = elbv2.target_groups(Reads(client), wanted)()
    gone = Unread(call=f"{ACTION}:DescribeTargetGroups", code=elbv2.NO_GROUP)
    assert told == {
        one: gone if one == wanted[1] else elbv2.target_group(target_group(f"group-{number:03}"))  # type: ignore[arg-type]  # a row of DescribeTargetGroups
        for number, one in enumerate(wanted)
    }


def test_a_list_that_fails_tells_of_no_group() -> None:
    rows = many(101)
    with Aws(rows, {f"{ACTION}:DescribeTargetGroups": FAULTS["denied"]}):
        told = elbv2.target_groups(Reads(client), [row["TargetGroupArn"] for row in rows["TargetGroups"]])()
    denied = Unread(call=f"{ACTION}:DescribeTargetGroups", code="UnauthorizedOperation")
    assert (len(told), set(told.values())) == (101, {denied})


def test_targets_are_sorted_by_address_and_port() -> None:
    rows = {**in_step(), "Targets": targets("10.0.2.5:443", "10.0.1.5:8443", "10.0.1.5:443")}
    with Aws(rows):
        told = elbv2.target_health(Reads(client), ORDERS)()
    assert told == (
        Target(address="10.0.1.5", port=443, zone="us-east-1a", state="healthy"),
        Target(address="10.0.1.5", port=8443, zone="us-east-1a", state="healthy"),
        Target(address="10.0.2.5", port=443, zone="us-east-1b", state="healthy"),
    )


# Cross-zone load balancing -------------------------------------------------------------------------------------------


def attributes(group: str, *balancers: str) -> list[Row]:
    arns = [ORDERS, BALANCER, OTHER_BALANCER]
    return [
        {"Arn": one, "Key": elbv2.CROSS_ZONE, "Value": value}
        for one, value in zip(arns, (group, *balancers), strict=False)
        if value
    ]


def crosses(rows: Rows, balancers: list[str], faults: Mapping[str, Fault] | None = None) -> bool | Unread:
    group = elbv2.target_group(target_group(LoadBalancerArns=balancers))  # type: ignore[arg-type]  # as above
    with Aws(rows, faults):
        return elbv2.crosses_zones(Reads(client), group)


@pytest.mark.parametrize(
    ("said", "balancers", "expected"),
    [
        (("true",), [BALANCER], True),
        (("false", "true"), [BALANCER], False),
        ((elbv2.OF_BALANCER, "true"), [BALANCER], True),
        ((elbv2.OF_BALANCER, "false"), [BALANCER], False),
        ((elbv2.OF_BALANCER, ""), [BALANCER], False),
        ((elbv2.OF_BALANCER, "true", "true"), [BALANCER, OTHER_BALANCER], True),
        ((elbv2.OF_BALANCER, "true", "false"), [BALANCER, OTHER_BALANCER], False),
        ((elbv2.OF_BALANCER,), [], False),
        (("", "true"), [BALANCER], False),
    ],
    ids=[
        "the group says so",
        "the group says no, whatever its balancer",
        "its balancer says so",
        "its balancer says no",
        "its balancer says nothing",
        "both balancers say so",
        "one of two says no",
        "no balancer uses it",
        "the group's own word is missing from the answer",
    ],
)
def test_traffic_crosses_zones_where(said: tuple[str, ...], balancers: list[str], expected: bool) -> None:
    assert crosses({"Attributes": attributes(*said)}, balancers) is expected


@pytest.mark.parametrize("operation", ["DescribeTargetGroupAttributes", "DescribeLoadBalancerAttributes"])
def test_whether_traffic_crosses_zones_is_not_known_where_a_read_fails(operation: str) -> None:
    rows = {"Attributes": attributes(elbv2.OF_BALANCER, "true")}
    faults = {f"{ACTION}:{operation}": refused("AccessDenied", 403)}
    assert crosses(rows, [BALANCER], faults) == Unread(call=f"{ACTION}:{operation}", code="AccessDenied")


def test_one_balancer_that_cannot_be_read_leaves_it_unknown() -> None:
    def is_other(asked: Parameters) -> bool:
        return bool(asked["LoadBalancerArn"] == OTHER_BALANCER)

    rows = {"Attributes": attributes(elbv2.OF_BALANCER, "true", "true")}
    faults = {f"{ACTION}:DescribeLoadBalancerAttributes": refused("Throttling", when=is_other)}
    told = crosses(rows, [BALANCER, OTHER_BALANCER], faults)
    assert told == Unread(call=f"{ACTION}:DescribeLoadBalancerAttributes", code="Throttling")


# Changes -------------------------------------------------------------------------------------------------------------

INSIDE = Wanted(address="10.0.1.5", port=8443, zone="us-east-1a")
OUTSIDE = Wanted(address="10.9.1.5", port=443, zone="us-east-1a", outside=True)
STALE = Target(address="10.0.1.9", port=444, zone="us-east-1a", state="healthy")

CHANGES: Mapping[str, tuple[str, Callable[[], Unread | None], list[Row]]] = {
    "register": (
        f"{ACTION}:RegisterTargets",
        lambda: elbv2.register(client, ORDERS, [INSIDE, OUTSIDE]),
        [{"Id": "10.0.1.5", "Port": 8443}, {"Id": "10.9.1.5", "Port": 443, "AvailabilityZone": "all"}],
    ),
    "deregister": (
        f"{ACTION}:DeregisterTargets",
        lambda: elbv2.deregister(client, ORDERS, [STALE]),
        [{"Id": "10.0.1.9", "Port": 444}],
    ),
}


@pytest.mark.parametrize(("action", "change", "described"), CHANGES.values(), ids=CHANGES)
def test_targets_are_named_by_address_and_port_and_those_outside_of_the_vpc_for_all_zones(
    action: str, change: Callable[[], Unread | None], described: list[Row]
) -> None:
    with Aws(in_step()) as aws:
        assert change() is None
    assert [(one.action, one.parameters) for one in aws.calls] == [
        (action, {"TargetGroupArn": ORDERS, "Targets": described})
    ]


@pytest.mark.parametrize(("action", "change", "described"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refused("TooManyTargets"), "TooManyTargets"),
        (refused("AccessDenied", 403), "AccessDenied"),
        (FAULTS["broken"], "InternalError"),
        (FAULTS["no answer"], "ReadTimeoutError"),
        (FAULTS["no connection"], "ConnectTimeoutError"),
        (FAULTS["no address"], "EndpointConnectionError"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_change_that_fails_says_so(
    fault: Fault, code: str, action: str, change: Callable[[], Unread | None], described: list[Row]
) -> None:
    with Aws(in_step(), {action: fault}):
        assert change() == Unread(call=action, code=code)


@pytest.mark.parametrize("error", [NoCredentialsError(), ParamValidationError(report="too odd")], ids=repr)
def test_a_change_that_cannot_even_be_sent_says_so(error: Exception) -> None:
    class Refusing:
        def register_targets(self, **_: Any) -> None:
            raise error

    told = elbv2.register(lambda _: Refusing(), ORDERS, [INSIDE])  # type: ignore[arg-type,return-value]  # as above
    assert told == Unread(call=f"{ACTION}:RegisterTargets", code=type(error).__name__)


def test_a_change_that_aws_fails_at_is_tried_three_times() -> None:
    action = f"{ACTION}:RegisterTargets"
    with Aws(in_step(), {action: FAULTS["broken"]}) as aws:
        elbv2.register(client, ORDERS, [INSIDE])
    assert aws.tries == [action] * 3


def test_chunks_have_two_hundred_targets() -> None:
    assert [len(one) for one in elbv2.chunks(range(401))] == [200, 200, 1]
    assert [*elbv2.chunks(())] == []


def test_a_group_that_is_gone_is_told_by_the_code_whatever_is_asked_of_it() -> None:
    with Aws(in_step()):
        told = elbv2.target_health(Reads(client), LOST)()
    assert told == Unread(call=f"{ACTION}:DescribeTargetHealth", code=elbv2.NO_GROUP)


def test_an_answer_of_another_shape_is_unread() -> None:
    odd = answered(lambda _: {"TargetHealthDescriptions": [{"HealthCheckPort": "443"}]})
    with Aws(in_step(), {f"{ACTION}:DescribeTargetHealth": odd}):
        told = elbv2.target_health(Reads(client), ORDERS)()
    assert told == Unread(call=f"{ACTION}:DescribeTargetHealth", code="answer not understood: KeyError 'Target'")


# Load balancers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "group", "preserves"),
    [
        ("true", {}, True),
        ("false", {"Protocol": "UDP"}, False),
        ("", {}, False),
        ("", {"Protocol": "TLS"}, False),
        ("", {"Protocol": "TCP_UDP"}, True),
        ("", {"TargetType": "instance"}, True),
    ],
    ids=["on", "off", "addresses by TCP", "addresses by TLS", "addresses by UDP too", "instances"],
)
def test_client_addresses_are_preserved_as_the_group_says_or_as_aws_makes_it(
    told: str, group: dict[str, str], preserves: bool
) -> None:
    one = elbv2.target_group(target_group(**group))  # type: ignore[arg-type]  # as above
    assert elbv2.preserves_client_ip(one, {elbv2.CLIENT_IP: told} if told else {}) is preserves


def test_a_load_balancer_that_is_gone_is_told_apart_and_no_other_suffers() -> None:
    gone = Unread(call=f"{ACTION}:DescribeLoadBalancers", code=elbv2.NO_BALANCER)
    row: Any = load_balancer()
    with Aws(private_path()):
        told = elbv2.load_balancers(Reads(client), [BALANCER, OTHER_BALANCER])()
    assert told == {BALANCER: elbv2.load_balancer(row), OTHER_BALANCER: gone}


def test_the_groups_of_a_load_balancer_are_those_that_its_listeners_lead_to() -> None:
    rows = private_path()
    rows["LoadBalancers"].append(load_balancer(LoadBalancerArn=OTHER_BALANCER))
    there = [target_group("b"), target_group("a", LoadBalancerArns=[OTHER_BALANCER, BALANCER])]
    rows["TargetGroups"] = [*there, target_group("c", LoadBalancerArns=[]), target_group("d", LoadBalancerArns=["x"])]
    with Aws(rows, pages={f"{ACTION}:DescribeTargetGroups": 1}) as aws:
        told = elbv2.groups_of(Reads(client), BALANCER)()
        other = elbv2.groups_of(Reads(client), OTHER_BALANCER)()
        gone = elbv2.groups_of(Reads(client), BALANCER.replace("orders", "gone"))()
    assert not isinstance(told, Unread)
    assert not isinstance(other, Unread)
    assert ([one.name for one in told], [one.name for one in other]) == (["a", "b"], ["a"])
    assert gone == Unread(call=f"{ACTION}:DescribeTargetGroups", code=elbv2.NO_BALANCER)
    asked = {"LoadBalancerArn": BALANCER, "PageSize": 400}
    assert aws.sent(f"{ACTION}:DescribeTargetGroups")[:2] == [asked, {**asked, "Marker": "1"}]


def test_a_load_balancer_that_leads_to_no_group_has_none_however_aws_says_so() -> None:
    none, action = {**private_path(), "TargetGroups": []}, f"{ACTION}:DescribeTargetGroups"
    for faults in ({}, {action: refused("TargetGroupNotFound")}):
        with Aws(none, faults):
            assert elbv2.groups_of(Reads(client), BALANCER)() == ()
    with Aws(none, {action: refused("AccessDenied", 403)}):
        assert elbv2.groups_of(Reads(client), BALANCER)() == Unread(call=action, code="AccessDenied")


def test_load_balancers_have_tags_too() -> None:
    rows = private_path()
    rows["Tags"].append({"ResourceArn": BALANCER, "Key": "team", "Value": "shop"})
    gone = Unread(call=f"{ACTION}:DescribeTags", code=elbv2.NO_BALANCER)
    with Aws(rows):
        told = elbv2.tags_of(Reads(client), [BALANCER, OTHER_BALANCER], elbv2.NO_BALANCER)()
    assert told == {BALANCER: {"team": "shop"}, OTHER_BALANCER: gone}


def test_every_group_of_the_region_is_told_by_its_arn() -> None:
    rows = many(3)
    rows["TargetGroups"].reverse()
    with Aws(rows, pages={f"{ACTION}:DescribeTargetGroups": 2}):
        told = elbv2.all_target_groups(Reads(client))()
    assert not isinstance(told, Unread)
    assert [one.arn for one in told] == sorted(row["TargetGroupArn"] for row in rows["TargetGroups"])
