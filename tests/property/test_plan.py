"""What no plan may do to a target group, whatever is wanted, registered and healthy in whichever zones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hypothesis import assume, given
from hypothesis import strategies as st

from apprunner_guardrails.facts import Target, Wanted
from apprunner_guardrails.settings import Policy
from apprunner_guardrails.targets.plan import POLICIES, Plan, drain, exchange, plan
from tests.property.strategies import weighted

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
ANYWHERE = ("all", "")  # the zone of a target that every zone may count on
STATES = ("healthy", "initial", "unhealthy", "unhealthy.draining", "unused", "draining", "unavailable")
ADDRESSES = (*(f"10.0.0.{last}" for last in range(1, 9)), "2600:1f18::1", "2600:1f18::2")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A target group, and what it should have."""

    wanted: tuple[Wanted, ...]
    registered: tuple[Target, ...]
    cross_zone: bool

    @property
    def present(self) -> dict[str, Target]:
        return {one.key: one for one in self.registered if one.state != "draining"}

    @property
    def keys(self) -> set[str]:
        return {one.key for one in self.wanted}

    def plan(self) -> Plan:
        return plan(self.wanted, self.registered, cross_zone=self.cross_zone)

    def exchange(self) -> tuple[Target, Wanted] | None:
        return exchange(self.wanted, self.registered, cross_zone=self.cross_zone)

    def after(self, done: Plan) -> "Scene":
        """The same group once the plan is carried out, what was registered is healthy and what left has drained."""
        left = {one.key for one in done.deregister}
        came = tuple(target(one, "healthy") for one in done.register)
        stayed = (one for one in self.present.values() if one.key not in left)
        return replace(self, registered=(*stayed, *came))

    def healthy(self) -> "Scene":
        """The same group once every wanted target that it has is healthy."""
        settled = (replace(one, state="healthy") if one.key in self.keys else one for one in self.present.values())
        return replace(self, registered=tuple(settled))


def target(wanted: Wanted, state: str) -> Target:
    """A wanted target, as AWS tells of it once it is registered."""
    zone = "all" if wanted.outside else wanted.zone
    return Target(address=wanted.address, port=wanted.port, zone=zone, state=state)


def is_unused(one: Target) -> bool:
    return one.state == "unused" and one.reason == "Target.NotInUse"


def serves_nobody(one: Target) -> bool:
    return one.state in ("unhealthy", "unhealthy.draining")


def zones_served(one: Target, wanted: Iterable[Wanted]) -> set[str]:
    return {each.zone for each in wanted} if one.zone in ANYWHERE else {one.zone}


def zones_of(wanted: Iterable[Wanted]) -> set[str]:
    """The zones that those targets serve."""
    found = tuple(wanted)
    return {zone for zone in ZONES for one in found if one.outside or one.zone == zone}


any_states = weighted((4, st.just("healthy")), (2, st.just("initial")), (3, st.sampled_from(STATES)))
wanteds = st.builds(
    Wanted,
    address=st.sampled_from(ADDRESSES),
    port=st.just(443),
    zone=st.sampled_from(ZONES),
    outside=weighted((4, st.just(False)), (1, st.just(True))),
)
strangers = st.builds(
    Target,
    address=st.sampled_from(ADDRESSES),
    port=weighted((3, st.just(443)), (1, st.just(8443))),
    zone=weighted((6, st.sampled_from(ZONES)), (1, st.sampled_from(ANYWHERE))),
    state=st.just("healthy"),
    reason=weighted((2, st.just("")), (1, st.just("Target.NotInUse"))),
)


@st.composite
def scenes(draw: st.DrawFn, *, calm: bool = False) -> Scene:
    """Most groups have some of what they should have, and some of what they should not. In a calm one most of that is
    healthy, as it is where the quota is all that keeps something from being registered."""
    states = weighted((9, st.just("healthy")), (1, st.sampled_from(STATES))) if calm else any_states
    fewest = 2 if calm else 0
    wanted = draw(st.lists(wanteds, min_size=1, max_size=5, unique_by=lambda one: one.key))
    here = draw(st.lists(st.sampled_from(wanted), max_size=len(wanted) - 1 if calm else 5, unique=True))
    registered = [target(one, draw(states)) for one in here]
    taken = {one.key for one in wanted}
    others = draw(st.lists(strangers, min_size=fewest, max_size=6, unique_by=lambda one: one.key))
    registered += [replace(one, state=draw(states)) for one in others if one.key not in taken]
    return Scene(wanted=tuple(wanted), registered=tuple(registered), cross_zone=draw(st.booleans()))


@given(scenes())
def test_a_wanted_target_is_never_deregistered_or_held(scene: Scene) -> None:
    done = scene.plan()
    assert not {one.key for one in done.deregister} & scene.keys
    assert not {one.target.key for one in done.hold} & scene.keys


@given(scenes())
def test_nothing_that_may_serve_is_deregistered_unless_a_wanted_target_is_healthy(scene: Scene) -> None:
    if not all(is_unused(one) for one in scene.plan().deregister):
        assert any(one.key in scene.keys and one.state == "healthy" for one in scene.registered)


@given(scenes())
def test_no_zone_loses_a_target_that_may_serve_before_it_has_a_healthy_wanted_one(scene: Scene) -> None:
    healthy = {one.key for one in scene.registered if one.state == "healthy"}
    covered = zones_of(one for one in scene.wanted if one.key in healthy)
    for one in scene.plan().deregister:
        if not scene.cross_zone and not serves_nobody(one) and not is_unused(one):
            assert zones_served(one, scene.wanted) <= covered


@given(scenes())
def test_a_target_is_held_only_where_its_leaving_could_be_felt(scene: Scene) -> None:
    healthy = {one.key for one in scene.registered if one.state == "healthy"}
    serving = [one for one in scene.wanted if one.key in healthy]
    for one in (each.target for each in scene.plan().hold):
        assert not is_unused(one)
        if scene.cross_zone:
            assert not serving
        else:
            assert not serving or not zones_served(one, scene.wanted) <= zones_of(serving)


@given(scenes())
def test_what_was_there_and_what_comes_is_what_is_wanted_and_what_goes_or_is_held(scene: Scene) -> None:
    done = scene.plan()
    registered, there = [one.key for one in done.register], list(scene.present)
    leaving, held = [one.key for one in done.deregister], [one.target.key for one in done.hold]
    assert sorted(registered + there) == sorted([*scene.keys, *leaving, *held])  # and none of them twice


@given(scenes())
def test_what_a_plan_says_of_a_target_is_what_aws_said(scene: Scene) -> None:
    done = scene.plan()
    assert set(done.register) <= set(scene.wanted)
    assert {*done.deregister, *(one.target for one in done.hold)} <= set(scene.registered)


@given(scenes())
def test_two_plans_reach_what_is_wanted_and_the_third_is_empty(scene: Scene) -> None:
    """What may serve a zone that has no wanted target is all that stays with it, and only without cross-zone."""
    first = scene.after(scene.plan()).healthy()
    second = first.after(first.plan())
    stranded = {
        one.key
        for key, one in scene.present.items()
        if key not in scene.keys
        and not (scene.cross_zone or is_unused(one) or serves_nobody(one))
        and not zones_served(one, scene.wanted) <= zones_of(scene.wanted)
    }
    assert second.present.keys() == scene.keys | stranded
    third = second.plan()
    assert third.is_empty
    assert {one.target.key for one in third.hold} == stranded


@given(st.data())
def test_the_order_in_which_aws_tells_does_not_matter(data: st.DataObject) -> None:
    scene = data.draw(scenes())
    wanted, registered = data.draw(st.permutations(scene.wanted)), data.draw(st.permutations(scene.registered))
    shuffled = Scene(wanted=tuple(wanted), registered=tuple(registered), cross_zone=scene.cross_zone)
    done = shuffled.plan()
    assert done == scene.plan()
    for keys in (
        [one.key for one in done.register],
        [one.key for one in done.deregister],
        [one.target.key for one in done.hold],
    ):
        assert keys == sorted(keys)
    assert drain(registered) == drain(scene.registered)
    assert shuffled.exchange() == scene.exchange()


# --- Policies --------------------------------------------------------------------------------------------------------


def _keys_of_stale(done: Plan) -> Sequence[str]:
    return sorted([*(one.key for one in done.deregister), *(one.target.key for one in done.hold)])


@given(scenes(), st.sampled_from(Policy))
def test_a_policy_only_takes_from_what_is_done_and_holds_what_it_keeps(scene: Scene, policy: Policy) -> None:
    whole = scene.plan()
    done = POLICIES[policy](whole)
    assert set(done.register) <= set(whole.register)
    assert set(done.deregister) <= set(whole.deregister)
    assert set(done.hold) >= set(whole.hold)
    assert _keys_of_stale(done) == _keys_of_stale(whole)
    assert {one.target for one in done.hold if one.by_policy} == set(whole.deregister) - set(done.deregister)


@given(scenes())
def test_each_policy_does_what_its_name_says(scene: Scene) -> None:
    whole = scene.plan()
    register_only = POLICIES[Policy.REGISTER_ONLY](whole)
    assert POLICIES[Policy.SYNC](whole) == whole
    assert (register_only.register, register_only.deregister) == (whole.register, ())
    assert POLICIES[Policy.REPORT_ONLY](whole).is_empty


# --- At the quota, and when all is over ------------------------------------------------------------------------------


@given(scenes(calm=True))
def test_an_exchange_is_of_a_target_that_nobody_wants_for_one_that_is_missing(scene: Scene) -> None:
    pair = scene.exchange()
    assume(pair is not None)
    assert pair is not None
    leaving, coming = pair
    assert scene.present[leaving.key] == leaving
    assert leaving.key not in scene.keys
    assert coming in scene.wanted
    assert coming.key not in scene.present


@given(scenes(calm=True))
def test_an_exchange_never_leaves_a_zone_without_the_healthy_target_that_it_had(scene: Scene) -> None:
    pair = scene.exchange()
    assume(pair is not None and pair[0].state == "healthy")
    assert pair is not None
    others = [one for one in scene.registered if one.state == "healthy" and one.key != pair[0].key]
    assert [one for one in others if scene.cross_zone or one.zone in (pair[0].zone, "all")]


@given(scenes(calm=True))
def test_exchanges_one_after_the_other_never_cost_more_than_one_healthy_target(scene: Scene) -> None:
    """Until what came is healthy, however often it is asked."""
    before = sum(one.state == "healthy" for one in scene.registered)
    for _ in range(len(scene.registered)):
        pair = scene.exchange()
        if pair is None:
            break
        stayed = (one for one in scene.registered if one.key != pair[0].key)
        scene = replace(scene, registered=(*stayed, target(pair[1], "initial")))
    assert sum(one.state == "healthy" for one in scene.registered) >= before - 1


@given(scenes())
def test_what_still_answers_is_not_drained(scene: Scene) -> None:
    done = drain(scene.registered)
    assert all(is_unused(one) or serves_nobody(one) for one in done.deregister)
    assert _keys_of_stale(done) == sorted(scene.present)
