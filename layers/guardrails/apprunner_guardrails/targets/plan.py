"""What a target group should have and what it has → what to register, to deregister and to hold. Pure.

    wanted   registered                       →
    yes      no, or draining                  register
    yes      yes                              -
    no       yes, and AWS sends it nothing    deregister
    no       yes                              deregister when each zone that it serves has a healthy wanted target (with
                                              cross-zone load balancing: when any zone has); until then hold
    nothing  anything                         UnsafePlan

A target that is not healthy, in a zone that has no wanted target to wait for, serves nobody there: one healthy wanted
target anywhere will do. Everything is sorted, as text, by address and port.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from apprunner_guardrails.facts import Held, Target, Wanted
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.settings import Policy

DRAINING, HEALTHY = "draining", "healthy"
EVERY_ZONE = "all"
_NOT_SERVING = frozenset({"unhealthy", "unhealthy.draining"})


class UnsafePlan(Exception):
    """Doing this might lose traffic, so nothing is done; the text has the numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be done with a group's targets, in this order: register, then deregister."""

    register: tuple[Wanted, ...] = ()
    deregister: tuple[Target, ...] = ()
    hold: tuple[Held, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.register and not self.deregister


def plan(wanted: Sequence[Wanted], registered: Iterable[Target], *, cross_zone: bool = False) -> Plan:
    """What brings the group to the wanted targets without losing traffic. Raises UnsafePlan where nothing is wanted."""
    there = present(registered)
    if not wanted:
        raise UnsafePlan(f"0 targets wanted, {len(there)} registered: refusing to empty the target group")
    serving = tuple(one for one in wanted if one.key in there and there[one.key].state == HEALTHY)
    deregister: list[Target] = []
    hold: list[Held] = []
    for target in stale(wanted, there):
        why = _why_to_hold(target, wanted, serving, cross_zone=cross_zone)
        if why:
            hold.append(Held(target=target, why=why))
        else:
            deregister.append(target)
    return Plan(register=missing(wanted, there), deregister=tuple(deregister), hold=tuple(hold))


def drain(registered: Iterable[Target]) -> Plan:
    """What empties a group whose endpoints are all deleted: a target that still answers stays."""
    there = present(registered)
    found = [there[key] for key in sorted(there)]
    over = tuple(one for one in found if is_unused(one) or one.state in _NOT_SERVING)
    why = "its endpoint is deleted, and it still answers"
    return Plan(deregister=over, hold=tuple(Held(target=one, why=why) for one in found if one not in over))


def exchange(
    wanted: Sequence[Wanted], registered: Iterable[Target], *, cross_zone: bool = False
) -> tuple[Target, Wanted] | None:
    """At the quota, where nothing more can be registered: the target that makes room, and the wanted one that gets it.

    First those go that serve nobody. One that may serve goes only while nothing drains and all wanted targets that are
    registered are healthy, so that one exchange is over before the next begins, and only where another healthy target
    stays in its zone. None where nothing can go.
    """
    all_of_them = tuple(registered)
    there = present(all_of_them)
    todo = missing(wanted, there)
    old = stale(wanted, there)
    if not todo or not old:
        return None
    idle = [one for one in old if is_unused(one) or one.state in _NOT_SERVING]
    settled = len(there) == len(all_of_them) and all(
        there[one.key].state == HEALTHY for one in wanted if one.key in there
    )
    busy = [one for one in old if settled and _is_spare(one, there.values(), cross_zone=cross_zone)]
    leaving = next(iter((*idle, *busy)), None)
    if leaving is None:
        return None
    return leaving, next((one for one in todo if one.zone == leaving.zone), todo[0])


def present(registered: Iterable[Target]) -> Mapping[str, Target]:
    """The targets by address and port, without those that are on their way out."""
    return {one.key: one for one in registered if one.state != DRAINING}


def missing(wanted: Iterable[Wanted], there: Mapping[str, Target]) -> tuple[Wanted, ...]:
    return tuple(sorted((one for one in wanted if one.key not in there), key=lambda one: one.key))


def stale(wanted: Iterable[Wanted], there: Mapping[str, Target]) -> tuple[Target, ...]:
    keys = {one.key for one in wanted}
    return tuple(there[key] for key in sorted(there) if key not in keys)


def is_unused(target: Target) -> bool:
    """AWS itself says that it sends the target nothing: no listener uses the group, or its zone is not enabled."""
    return (target.state, target.reason) == ("unused", "Target.NotInUse")


def _why_to_hold(target: Target, wanted: Sequence[Wanted], serving: Sequence[Wanted], *, cross_zone: bool) -> str:
    if is_unused(target):
        return ""
    if not serving:
        return f"none of {len(wanted)} wanted targets is healthy yet"
    if cross_zone:
        return ""
    for zone in _zones_served(target, wanted):
        if any(_serves(one, zone) for one in serving):
            continue
        if any(_serves(one, zone) for one in wanted):
            return f"no wanted target in {zone} is healthy yet"
        if target.state not in _NOT_SERVING:
            return f"no wanted target is in {zone}, which would be left without one"
    return ""


def _zones_served(target: Target, wanted: Iterable[Wanted]) -> tuple[str, ...]:
    """The zones that may count on the target: all, where it was registered for all or AWS does not say."""
    if target.zone not in ("", EVERY_ZONE):
        return (target.zone,)
    return tuple(sorted({one.zone for one in wanted}))


def _serves(wanted: Wanted, zone: str) -> bool:
    return wanted.outside or wanted.zone == zone


def _is_spare(target: Target, there: Iterable[Target], *, cross_zone: bool) -> bool:
    others = [one for one in there if one.state == HEALTHY and one.key != target.key]
    return any(cross_zone or one.zone in (target.zone, EVERY_ZONE) for one in others)


# --- Policies: functions from plan to plan ---------------------------------------------------------------------------


def _sync(plan: Plan) -> Plan:
    return plan


def _register_only(plan: Plan) -> Plan:
    kept = (Held(target=one, why=f"the policy is {Policy.REGISTER_ONLY}", by_policy=True) for one in plan.deregister)
    return replace(plan, deregister=(), hold=_sorted((*plan.hold, *kept)))


def _report_only(plan: Plan) -> Plan:
    kept = (Held(target=one, why=f"the policy is {Policy.REPORT_ONLY}", by_policy=True) for one in plan.deregister)
    return Plan(hold=_sorted((*plan.hold, *kept)))


def _sorted(held: Iterable[Held]) -> tuple[Held, ...]:
    return tuple(sorted(held, key=lambda one: one.target.key))


POLICIES: Mapping[Policy, Callable[[Plan], Plan]] = {
    Policy.SYNC: _sync,
    Policy.REGISTER_ONLY: _register_only,
    Policy.REPORT_ONLY: _report_only,
}
