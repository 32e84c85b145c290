"""Which calls a plan makes, in which order and with what, and what is said of those that AWS refuses."""

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.elbv2 import CHUNK
from apprunner_guardrails.facts import Held, Target, Unread, Wanted
from apprunner_guardrails.targets.apply import Applied, Applier
from apprunner_guardrails.targets.plan import Plan

if TYPE_CHECKING:
    from botocore.model import OperationModel

type Row = dict[str, Any]
type Call = tuple[str, list[Row]]

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/orders/0123456789abcdef"
A = "us-east-1a"
REGISTER, DEREGISTER = "RegisterTargets", "DeregisterTargets"
TOO_MANY = Unread(call="elasticloadbalancing:RegisterTargets", code="TooManyTargets")
THROTTLED = Unread(call="elasticloadbalancing:DeregisterTargets", code="Throttling")


def coming(number: int, *, port: int = 443, outside: bool = False) -> Wanted:
    return Wanted(address=f"10.0.{number // 250}.{number % 250}", port=port, zone=A, outside=outside)


def leaving(number: int, *, port: int = 443) -> Target:
    return Target(address=f"10.1.{number // 250}.{number % 250}", port=port, zone=A, state="healthy")


def rows(targets: Sequence[Wanted] | Sequence[Target]) -> list[Row]:
    return [{"Id": one.address, "Port": one.port} for one in targets]


class Group:
    """The function's own client, whose calls end here: botocore has checked them against the API's model by then.

    `log` has every call and every wait for the pace, in order; the call of `refuses` by its number is answered with
    that code, or raises.
    """

    def __init__(self) -> None:
        self.log: list[Call | str] = []
        self.refuses: dict[int, str | Exception] = {}
        self.applier = Applier(client=client, pace=lambda: self.log.append("pace"))

    @property
    def calls(self) -> list[Call]:
        return [one for one in self.log if not isinstance(one, str)]

    def remember(self, params: Row, context: Row, **_: object) -> None:
        context["as_asked"] = dict(params)

    def answer(self, model: "OperationModel", context: Row, **_: object) -> tuple[object, Row]:
        assert context["as_asked"]["TargetGroupArn"] == GROUP
        self.log.append((model.name, context["as_asked"]["Targets"]))
        why = self.refuses.get(len(self.calls))
        if isinstance(why, Exception):
            raise why
        return SimpleNamespace(status_code=400 if why else 200), {"Error": {"Code": why, "Message": ""}} if why else {}


@pytest.fixture
def group() -> Iterator[Group]:
    made = Group()
    events = client("elbv2").meta.events
    hooks: dict[str, Callable[..., Any]] = {"before-parameter-build": made.remember, "before-call": made.answer}
    for event, hook in hooks.items():
        events.register_first(event, hook)
    yield made
    for event, hook in hooks.items():
        events.unregister(event, hook)


NEW, OLD = (coming(1), coming(2)), (leaving(1), leaving(2))


def test_what_is_wanted_is_registered_before_anything_is_deregistered(group: Group) -> None:
    applied = group.applier.apply(GROUP, Plan(register=NEW, deregister=OLD))
    assert applied == Applied(registered=NEW, deregistered=OLD)
    assert group.log == ["pace", (REGISTER, rows(NEW)), "pace", (DEREGISTER, rows(OLD))]


def test_a_plan_that_only_registers_makes_one_call(group: Group) -> None:
    assert group.applier.apply(GROUP, Plan(register=NEW)) == Applied(registered=NEW)
    assert group.log == ["pace", (REGISTER, rows(NEW))]


def test_a_plan_that_only_deregisters_makes_one_call(group: Group) -> None:
    assert group.applier.apply(GROUP, Plan(deregister=OLD)) == Applied(deregistered=OLD)
    assert group.log == ["pace", (DEREGISTER, rows(OLD))]


def test_what_is_held_makes_no_call(group: Group) -> None:
    assert group.applier.apply(GROUP, Plan(hold=(Held(target=leaving(1), why="not yet"),))) == Applied()
    assert group.log == []


def test_every_target_is_named_with_its_own_port(group: Group) -> None:
    plan = Plan(register=(coming(1), coming(1, port=8443)), deregister=(leaving(1, port=8443), leaving(2)))
    assert group.applier.apply(GROUP, plan) == Applied(registered=plan.register, deregistered=plan.deregister)
    assert group.calls == [
        (REGISTER, [{"Id": "10.0.0.1", "Port": 443}, {"Id": "10.0.0.1", "Port": 8443}]),
        (DEREGISTER, [{"Id": "10.1.0.1", "Port": 8443}, {"Id": "10.1.0.2", "Port": 443}]),
    ]


def test_only_an_address_outside_of_the_vpc_is_registered_for_all_zones(group: Group) -> None:
    group.applier.apply(GROUP, Plan(register=(coming(1), coming(2, outside=True))))
    assert group.calls == [
        (REGISTER, [{"Id": "10.0.0.1", "Port": 443}, {"Id": "10.0.0.2", "Port": 443, "AvailabilityZone": "all"}])
    ]


def test_more_targets_than_go_into_one_call_go_into_several_and_all_are_registered_first(group: Group) -> None:
    new, old = tuple(map(coming, range(401))), tuple(map(leaving, range(200)))
    assert group.applier.apply(GROUP, Plan(register=new, deregister=old)) == Applied(registered=new, deregistered=old)
    assert CHUNK == 200
    assert group.log == [
        *("pace", (REGISTER, rows(new[:200]))),
        *("pace", (REGISTER, rows(new[200:400]))),
        *("pace", (REGISTER, rows(new[400:]))),
        *("pace", (DEREGISTER, rows(old))),
    ]


def test_nothing_is_deregistered_where_registering_failed(group: Group) -> None:
    group.refuses = {1: "TooManyTargets"}
    assert group.applier.apply(GROUP, Plan(register=NEW, deregister=OLD)) == Applied(failed=TOO_MANY)
    assert group.log == ["pace", (REGISTER, rows(NEW))]


def test_nothing_is_deregistered_where_a_part_could_not_be_registered(group: Group) -> None:
    group.refuses = {2: "TooManyTargets"}
    new = tuple(map(coming, range(500)))
    assert group.applier.apply(GROUP, Plan(register=new, deregister=OLD)) == Applied(
        registered=new[:200], failed=TOO_MANY
    )
    assert group.calls == [(REGISTER, rows(new[:200])), (REGISTER, rows(new[200:400]))]


def test_nothing_is_deregistered_where_nobody_knows_whether_registering_took_effect(group: Group) -> None:
    group.refuses = {1: ReadTimeoutError(endpoint_url="https://elasticloadbalancing.test")}
    assert group.applier.apply(GROUP, Plan(register=NEW, deregister=OLD)) == Applied(
        failed=Unread(call="elasticloadbalancing:RegisterTargets", code="ReadTimeoutError")
    )
    assert group.calls == [(REGISTER, rows(NEW))]


def test_what_was_registered_is_told_where_deregistering_failed(group: Group) -> None:
    group.refuses = {2: "Throttling"}
    applied = group.applier.apply(GROUP, Plan(register=NEW, deregister=OLD))
    assert applied == Applied(registered=NEW, failed=THROTTLED)


def test_what_was_deregistered_before_a_call_failed_is_told(group: Group) -> None:
    group.refuses = {2: "Throttling"}
    old = tuple(map(leaving, range(401)))
    assert group.applier.apply(GROUP, Plan(deregister=old)) == Applied(deregistered=old[:200], failed=THROTTLED)
    assert group.calls == [(DEREGISTER, rows(old[:200])), (DEREGISTER, rows(old[200:400]))]


def test_an_exchange_makes_room_first(group: Group) -> None:
    applied = group.applier.exchange(GROUP, leaving(1, port=8443), coming(1, outside=True))
    assert applied == Applied(registered=(coming(1, outside=True),), deregistered=(leaving(1, port=8443),))
    assert group.log == [
        *("pace", (DEREGISTER, [{"Id": "10.1.0.1", "Port": 8443}])),
        *("pace", (REGISTER, [{"Id": "10.0.0.1", "Port": 443, "AvailabilityZone": "all"}])),
    ]


def test_an_exchange_that_makes_no_room_registers_nothing(group: Group) -> None:
    group.refuses = {1: "Throttling"}
    assert group.applier.exchange(GROUP, leaving(1), coming(1)) == Applied(failed=THROTTLED)
    assert group.calls == [(DEREGISTER, rows([leaving(1)]))]


def test_an_exchange_of_which_half_was_done_says_which(group: Group) -> None:
    group.refuses = {2: "TooManyTargets"}
    assert group.applier.exchange(GROUP, leaving(1), coming(1)) == Applied(deregistered=(leaving(1),), failed=TOO_MANY)
    assert group.calls == [(DEREGISTER, rows([leaving(1)])), (REGISTER, rows([coming(1)]))]
