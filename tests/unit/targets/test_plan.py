"""What becomes of a group's targets, row by row of the planner's table, and what policies make of that."""

from collections.abc import Mapping

import pytest

from apprunner_guardrails.facts import Held, Target, Wanted
from apprunner_guardrails.settings import Policy
from apprunner_guardrails.targets.plan import POLICIES, Plan, UnsafePlan, drain, exchange, plan

A, B, C = "us-east-1a", "us-east-1b", "us-east-1c"
NONE_OF_TWO = "none of 2 wanted targets is healthy yet"
NOT_IN_A = "no wanted target in us-east-1a is healthy yet"
NOT_IN_B = "no wanted target in us-east-1b is healthy yet"
NONE_IN_C = "no wanted target is in us-east-1c, which would be left without one"
STILL_ANSWERS = "its endpoint is deleted, and it still answers"
NOT_HEALTHY = ("initial", "unhealthy", "unhealthy.draining", "unused", "draining", "unavailable")
SERVING_NOBODY = ("unhealthy", "unhealthy.draining")
MAYBE_SERVING = ("initial", "healthy", "unused", "unavailable")


def wanted(address: str, zone: str = A, *, port: int = 443, outside: bool = False) -> Wanted:
    return Wanted(address=address, port=port, zone=zone, outside=outside)


def target(address: str, state: str = "healthy", zone: str = A, *, port: int = 443, reason: str = "") -> Target:
    return Target(address=address, port=port, zone=zone, state=state, reason=reason)


def held(one: Target, why: str, *, by_policy: bool = False) -> Held:
    return Held(target=one, why=why, by_policy=by_policy)


IN_A, IN_B = wanted("10.0.1.10", A), wanted("10.0.2.10", B)
BOTH = (IN_A, IN_B)
OLD_A, OLD_B, OLD_C = target("10.0.1.99", zone=A), target("10.0.2.99", zone=B), target("10.0.3.99", zone=C)


def a(state: str = "healthy") -> Target:
    """The wanted target of the first zone, as it is registered."""
    return target("10.0.1.10", state, A)


def b(state: str = "healthy") -> Target:
    return target("10.0.2.10", state, B)


# --- Wanted ----------------------------------------------------------------------------------------------------------


def test_wanted_targets_that_are_missing_are_registered() -> None:
    assert plan(BOTH, [b()]) == Plan(register=(IN_A,))


def test_an_empty_group_gets_all_wanted_targets() -> None:
    assert plan(BOTH, []) == Plan(register=BOTH)


def test_what_is_registered_is_as_it_is_wanted() -> None:
    outside = wanted("10.9.1.10", B, port=8443, outside=True)
    assert plan([outside], []) == Plan(register=(outside,))


def test_wanted_targets_that_are_registered_are_left_alone() -> None:
    nothing = plan(BOTH, [a(), b()])
    assert nothing == Plan()
    assert nothing.is_empty


def test_the_same_targets_are_no_nothing_to_do_where_one_is_wanted_no_more() -> None:
    assert plan([IN_B], [target("10.0.1.10", zone=B), b()]) == Plan(deregister=(target("10.0.1.10", zone=B),))


def test_a_draining_target_that_is_wanted_again_is_registered() -> None:
    assert plan(BOTH, [a("draining"), b()]) == Plan(register=(IN_A,))


@pytest.mark.parametrize("state", sorted({*NOT_HEALTHY, "healthy"} - {"draining"}))
def test_a_wanted_target_that_is_registered_stays_in_any_state(state: str) -> None:
    assert plan(BOTH, [a(state), b(state)]) == Plan()


def test_a_wanted_target_that_aws_sends_nothing_stays() -> None:
    assert plan([IN_A], [target("10.0.1.10", "unused", A, reason="Target.NotInUse")]) == Plan()


def test_a_draining_target_that_is_not_wanted_is_left_to_drain() -> None:
    assert plan(BOTH, [a(), b(), target("10.0.1.99", "draining", A)]) == Plan()


# --- Not wanted, and held --------------------------------------------------------------------------------------------


def test_all_are_held_while_no_wanted_target_is_registered() -> None:
    assert plan(BOTH, [OLD_B, OLD_A]) == Plan(register=BOTH, hold=(held(OLD_A, NONE_OF_TWO), held(OLD_B, NONE_OF_TWO)))


@pytest.mark.parametrize("state", sorted(set(NOT_HEALTHY) - {"draining"}))
def test_all_are_held_while_wanted_targets_are_registered_and_none_is_healthy(state: str) -> None:
    expected = Plan(hold=(held(OLD_A, NONE_OF_TWO), held(OLD_B, NONE_OF_TWO)))
    assert plan(BOTH, [a(state), b(state), OLD_A, OLD_B]) == expected
    assert plan(BOTH, [a(state), b(state), OLD_A, OLD_B], cross_zone=True) == expected


@pytest.mark.parametrize("state", SERVING_NOBODY)
def test_an_unhealthy_target_is_held_too_while_no_wanted_one_is_healthy(state: str) -> None:
    old = target("10.0.1.99", state, A)
    assert plan(BOTH, [a("initial"), old]) == Plan(register=(IN_B,), hold=(held(old, NONE_OF_TWO),))


def test_a_target_is_held_while_its_own_zone_has_no_healthy_wanted_one_though_another_has() -> None:
    assert plan(BOTH, [a("initial"), b(), OLD_A]) == Plan(hold=(held(OLD_A, NOT_IN_A),))


def test_a_target_is_held_while_the_wanted_one_of_its_zone_is_not_even_registered() -> None:
    assert plan(BOTH, [b(), OLD_A]) == Plan(register=(IN_A,), hold=(held(OLD_A, NOT_IN_A),))


def test_a_draining_target_is_nobody_to_wait_for_though_it_is_wanted() -> None:
    assert plan(BOTH, [a("draining"), b(), OLD_A]) == Plan(register=(IN_A,), hold=(held(OLD_A, NOT_IN_A),))


@pytest.mark.parametrize("state", SERVING_NOBODY)
def test_an_unhealthy_target_is_held_in_a_zone_with_a_wanted_one_to_wait_for(state: str) -> None:
    old = target("10.0.1.99", state, A)
    assert plan(BOTH, [a("initial"), b(), old]) == Plan(hold=(held(old, NOT_IN_A),))


@pytest.mark.parametrize("state", MAYBE_SERVING)
def test_a_target_that_may_serve_is_held_in_a_zone_without_any_wanted_one(state: str) -> None:
    old = target("10.0.3.99", state, C)
    assert plan(BOTH, [a(), b(), old]) == Plan(hold=(held(old, NONE_IN_C),))


@pytest.mark.parametrize("zone", ["all", ""])
def test_a_target_of_all_or_unknown_zones_is_held_until_every_wanted_zone_has_a_healthy_one(zone: str) -> None:
    old = target("10.0.9.99", zone=zone)
    assert plan(BOTH, [a("initial"), b("initial"), old]) == Plan(hold=(held(old, NONE_OF_TWO),))
    assert plan(BOTH, [a(), b("initial"), old]) == Plan(hold=(held(old, NOT_IN_B),))
    assert plan(BOTH, [a("initial"), b(), old]) == Plan(hold=(held(old, NOT_IN_A),))
    assert plan(BOTH, [a(), b(), old]) == Plan(deregister=(old,))


# --- Not wanted, and let go ------------------------------------------------------------------------------------------


def test_a_target_goes_once_its_zone_has_a_healthy_wanted_one() -> None:
    assert plan(BOTH, [a(), b("initial"), OLD_A]) == Plan(deregister=(OLD_A,))


def test_one_healthy_wanted_target_of_several_in_the_zone_is_enough() -> None:
    several = (IN_A, wanted("10.0.1.11", A))
    assert plan(several, [a(), OLD_A]) == Plan(register=(wanted("10.0.1.11", A),), deregister=(OLD_A,))


def test_some_are_let_go_while_others_are_held() -> None:
    old = (OLD_C, OLD_B, OLD_A)
    assert plan(BOTH, [*old, a(), b("initial")]) == Plan(
        deregister=(OLD_A,), hold=(held(OLD_B, NOT_IN_B), held(OLD_C, NONE_IN_C))
    )


def test_where_traffic_crosses_zones_any_healthy_wanted_target_will_do() -> None:
    everywhere = target("10.0.9.99", zone="all")
    registered = [a("initial"), b(), OLD_A, OLD_C, everywhere]
    assert plan(BOTH, registered, cross_zone=True) == Plan(deregister=(OLD_A, OLD_C, everywhere))
    assert plan(BOTH, registered) == Plan(
        hold=(held(OLD_A, NOT_IN_A), held(OLD_C, NONE_IN_C), held(everywhere, NOT_IN_A))
    )


@pytest.mark.parametrize("state", SERVING_NOBODY)
def test_an_unhealthy_target_in_a_zone_without_a_wanted_one_goes_once_any_wanted_one_is_healthy(state: str) -> None:
    old = target("10.0.3.99", state, C)
    assert plan(BOTH, [a("initial"), b(), old]) == Plan(deregister=(old,))
    assert plan(BOTH, [a("initial"), b("initial"), old]) == Plan(hold=(held(old, NONE_OF_TWO),))


def test_a_target_that_aws_sends_nothing_goes_at_once() -> None:
    old = target("10.0.1.99", "unused", A, reason="Target.NotInUse")
    assert plan(BOTH, [old]) == Plan(register=BOTH, deregister=(old,))


@pytest.mark.parametrize("reason", ["", "Target.NotRegistered", "Target.InvalidState", "Target.IpUnusable"])
def test_a_target_that_is_unused_for_another_reason_is_held(reason: str) -> None:
    old = target("10.0.1.99", "unused", A, reason=reason)
    assert plan(BOTH, [old]) == Plan(register=BOTH, hold=(held(old, NONE_OF_TWO),))


def test_a_reason_without_the_state_that_it_explains_does_not_let_a_target_go() -> None:
    old = target("10.0.1.99", "healthy", A, reason="Target.NotInUse")
    assert plan(BOTH, [old]) == Plan(register=BOTH, hold=(held(old, NONE_OF_TWO),))


@pytest.mark.parametrize("zone", [A, C, "all", ""])
def test_a_healthy_wanted_target_outside_of_the_vpc_serves_every_zone(zone: str) -> None:
    outside, old = wanted("10.9.1.10", B, outside=True), target("10.0.1.99", zone=zone)
    assert plan([outside], [target("10.9.1.10", zone="all"), old]) == Plan(deregister=(old,))


def test_an_address_outside_of_the_vpc_that_is_not_healthy_yet_is_waited_for_in_every_zone() -> None:
    outside = wanted("10.9.1.10", B, outside=True)
    registered = [target("10.9.1.10", "initial", "all"), a(), OLD_C]
    assert plan([outside, IN_A], registered) == Plan(
        hold=(held(OLD_C, "no wanted target in us-east-1c is healthy yet"),)
    )


# --- Which target is which -------------------------------------------------------------------------------------------


def test_the_same_address_on_another_port_is_another_target() -> None:
    other = target("10.0.1.10", zone=A, port=8443)
    assert plan([IN_A], [other]) == Plan(
        register=(IN_A,), hold=(held(other, "none of 1 wanted targets is healthy yet"),)
    )
    assert plan([IN_A], [a(), other]) == Plan(deregister=(other,))


def test_ipv6_targets_are_told_apart_by_address_and_port() -> None:
    one, other = wanted("2600:1f18::a", A), wanted("2600:1f18::b", B)
    old = target("2600:1f18::a:443", zone=A)  # whose text begins like the first one's address and port
    assert plan([one, other], [target("2600:1f18::a", zone=A), old]) == Plan(register=(other,), deregister=(old,))
    assert (one.key, old.key) == ("2600:1f18::a:443", "2600:1f18::a:443:443")


def test_whatever_the_order_everything_is_sorted_by_address_and_port() -> None:
    more = tuple(wanted(f"10.0.1.{last}", A, port=port) for last in (12, 11) for port in (8443, 443))
    old = [target(f"10.0.1.9{last}", zone=A) for last in (3, 1)]
    stranded = [target(f"10.0.3.9{last}", zone=C) for last in (2, 1)]
    assert plan((*more, IN_A), [*stranded, *old, a()]) == Plan(
        register=tuple(reversed(more)),
        deregister=tuple(reversed(old)),
        hold=tuple(held(one, NONE_IN_C) for one in reversed(stranded)),
    )


# --- Nothing wanted --------------------------------------------------------------------------------------------------

EMPTYING = {
    "nothing registered": ([], 0),
    "healthy targets": ([OLD_A, OLD_B], 2),
    "draining ones do not count": ([OLD_A, target("10.0.2.99", "draining", B)], 1),
    "targets that AWS sends nothing": ([target("10.0.1.99", "unused", A, reason="Target.NotInUse")], 1),
}


@pytest.mark.parametrize(("registered", "count"), EMPTYING.values(), ids=EMPTYING)
def test_a_group_is_never_emptied_because_nothing_is_wanted(registered: list[Target], count: int) -> None:
    with pytest.raises(UnsafePlan) as unsafe:
        plan([], registered, cross_zone=True)
    assert str(unsafe.value) == f"0 targets wanted, {count} registered: refusing to empty the target group"


def test_a_group_whose_endpoints_are_deleted_keeps_the_targets_that_still_answer() -> None:
    unhealthy = [target(f"10.0.1.{last}", state, A) for last, state in enumerate(SERVING_NOBODY)]
    answering = [target(f"10.0.2.{last}", state, B) for last, state in enumerate(MAYBE_SERVING)]
    unused = target("10.0.3.1", "unused", C, reason="Target.NotInUse")
    draining = target("10.0.3.2", "draining", C)
    assert drain([draining, unused, *reversed(answering), *reversed(unhealthy)]) == Plan(
        deregister=(*unhealthy, unused), hold=tuple(held(one, STILL_ANSWERS) for one in answering)
    )


def test_an_empty_group_has_nothing_to_drain() -> None:
    assert drain([target("10.0.3.2", "draining", C)]) == Plan()


# --- At the quota ----------------------------------------------------------------------------------------------------

NEW_A, NEW_B = wanted("10.0.1.20", A), wanted("10.0.2.20", B)
SPARE_A, SPARE_B = target("10.0.1.98", zone=A), target("10.0.2.98", zone=B)
IDLE_B = target("10.0.2.97", "unhealthy", B)
UNUSED_A = target("10.0.1.97", "unused", A, reason="Target.NotInUse")


def test_nothing_is_exchanged_where_nothing_is_missing_or_nothing_is_stale() -> None:
    assert exchange([IN_A], [a(), OLD_A]) is None
    assert exchange([IN_A, NEW_A], [a()]) is None
    assert exchange([IN_A, NEW_A], [a(), OLD_A]) == (OLD_A, NEW_A)


@pytest.mark.parametrize("idle", [IDLE_B, UNUSED_A, target("10.0.2.97", "unhealthy.draining", B)])
def test_a_target_that_serves_nobody_is_exchanged_first(idle: Target) -> None:
    new = NEW_A if idle.zone == A else NEW_B
    assert exchange([NEW_A, NEW_B], [OLD_A, SPARE_A, OLD_B, SPARE_B, idle]) == (idle, new)


def test_a_target_that_serves_nobody_is_exchanged_whatever_else_is_going_on() -> None:
    registered = [a("initial"), target("10.0.3.1", "draining", C), OLD_A, UNUSED_A]
    assert exchange([IN_A, NEW_A], registered) == (UNUSED_A, NEW_A)


def test_a_serving_target_is_exchanged_where_another_healthy_one_stays_in_its_zone() -> None:
    assert exchange([NEW_A, NEW_B], [OLD_A, OLD_B, SPARE_B]) == (SPARE_B, NEW_B)


def test_the_last_healthy_target_of_a_zone_is_not_exchanged() -> None:
    assert exchange([NEW_A, NEW_B], [OLD_A, OLD_B]) is None


def test_the_last_healthy_target_of_all_is_never_exchanged() -> None:
    others = [target("10.0.1.98", "initial", A), target("10.0.1.97", "unavailable", A)]
    assert exchange([NEW_A], [target("10.0.1.96", zone=A)], cross_zone=True) is None
    assert exchange([NEW_A], [OLD_A, *others]) == (others[1], NEW_A)
    first = target("10.0.1.11", zone=A)  # which would be the first to go, had it a healthy one beside it
    assert exchange([NEW_A], [first, *others]) == (others[1], NEW_A)
    assert exchange([NEW_A], [OLD_A]) is None


def test_where_traffic_crosses_zones_a_healthy_target_of_another_zone_is_enough() -> None:
    assert exchange([NEW_B], [OLD_A, OLD_B]) is None
    assert exchange([NEW_B], [OLD_A, OLD_B], cross_zone=True) == (OLD_A, NEW_B)


def test_a_healthy_target_of_every_zone_lets_one_of_any_zone_go() -> None:
    everywhere = target("10.9.1.10", zone="all")
    assert exchange([NEW_A], [OLD_A, everywhere]) == (OLD_A, NEW_A)


@pytest.mark.parametrize("state", sorted(set(NOT_HEALTHY) - {"draining"}))
def test_no_serving_target_is_exchanged_while_a_wanted_one_is_not_healthy(state: str) -> None:
    assert exchange([IN_A, NEW_A], [a(state), OLD_A, SPARE_A]) is None
    assert exchange([IN_A, NEW_A], [a(), OLD_A, SPARE_A]) == (SPARE_A, NEW_A)


def test_no_serving_target_is_exchanged_while_anything_drains() -> None:
    draining = target("10.0.2.1", "draining", B)
    assert exchange([IN_A, NEW_A], [a(), OLD_A, SPARE_A, draining]) is None


def test_the_one_that_comes_is_of_the_same_zone_where_one_is_missing_there() -> None:
    assert exchange([NEW_A, NEW_B], [IDLE_B]) == (IDLE_B, NEW_B)
    assert exchange([NEW_A, NEW_B], [target("10.0.3.97", "unhealthy", C)]) == (
        target("10.0.3.97", "unhealthy", C),
        NEW_A,
    )


# --- Policies --------------------------------------------------------------------------------------------------------

WHOLE = Plan(register=(IN_A, IN_B), deregister=(OLD_A, OLD_C), hold=(held(OLD_B, NOT_IN_B),))
POLICED: Mapping[Policy, Plan] = {
    Policy.SYNC: WHOLE,
    Policy.REGISTER_ONLY: Plan(
        register=(IN_A, IN_B),
        hold=(
            held(OLD_A, "the policy is register-only", by_policy=True),
            held(OLD_B, NOT_IN_B),
            held(OLD_C, "the policy is register-only", by_policy=True),
        ),
    ),
    Policy.REPORT_ONLY: Plan(
        hold=(
            held(OLD_A, "the policy is report-only", by_policy=True),
            held(OLD_B, NOT_IN_B),
            held(OLD_C, "the policy is report-only", by_policy=True),
        )
    ),
}


@pytest.mark.parametrize("policy", Policy)
def test_a_policy_makes_a_plan_of_a_plan(policy: Policy) -> None:
    assert POLICIES[policy](WHOLE) == POLICED[policy]


@pytest.mark.parametrize("policy", Policy)
def test_a_policy_makes_nothing_of_nothing(policy: Policy) -> None:
    assert POLICIES[policy](Plan()) == Plan()


def test_a_plan_that_only_holds_is_empty() -> None:
    assert Plan(hold=(held(OLD_A, NOT_IN_A),)).is_empty
    assert not Plan(register=(IN_A,)).is_empty
    assert not Plan(deregister=(OLD_A,)).is_empty
