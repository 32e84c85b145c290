"""The life of endpoints and target groups, with calls that fail in every way, and what sync promises meanwhile.

Users change endpoints, tags and targets; each change may become an event, which comes at once, late, twice, after a
later one, or never. Every run of sync meets faults of its own. The promises are judged against what `FakeAws` has, at
the moment of each call that changes something and before it does: not by anything that the code under test believes.
Nothing else changes during a run: what users do between a read and the call that follows from it, no sync can see.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from apprunner_guardrails.aws import reads
from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.facts import TargetGroup
from apprunner_guardrails.settings import Policy, Settings
from apprunner_guardrails.targets import sync
from apprunner_guardrails.targets.sync import NotSynced
from apprunner_guardrails.targets.triggers import Asked, folded, parse
from apprunner_guardrails.targets.waiting import BACK_SECONDS
from apprunner_guardrails.validate import NotRead
from tests.aws import LockStep
from tests.fake_aws import (
    EVERY_ZONE,
    REGION,
    TAG,
    ZONES,
    Call,
    FakeAws,
    Fault,
    Kind,
    key,
)
from tests.property.strategies import weighted

REST_SECONDS = 900  # after which the index has every tag, and every address has been checked
MOST = 5  # endpoints, and groups
QUOTA_RUNS = 12  # more than there are targets to exchange
VPCS = ("vpc-0", "vpc-1", "vpc-2")  # the second is peered with the first, the third is not


class Promise(StrEnum):
    HEALTHY_WANTED = "a healthy wanted target is never deregistered"
    LAST_HEALTHY = "the last healthy target is never deregistered"
    ONLY_BOUND = "nothing without the tag is touched"
    WHOLE_READS = "no failed or partial read leads to a deregistration"
    ORDER = "register comes before deregister"
    HOLD = "a healthy target stays until each zone that it serves has a healthy wanted one"
    ONLY_WANTED = "only what is wanted is registered, and only what is not is deregistered"
    POLICY = "a policy that forbids a change is kept"
    REACHED = "with faults over, two runs reach the wanted set"
    QUIET = "a third run changes nothing"


class Broken(AssertionError):
    """A promise that was not kept."""

    def __init__(self, promise: Promise, how: str) -> None:
        super().__init__(f"{promise}: {how}")
        self.promise = promise


@dataclass(kw_only=True)
class Witness:
    """Sees each call that changes something just before it does, and judges it by what is true."""

    aws: FakeAws
    terms: Settings
    broken: list[Broken] = field(default_factory=list)
    _run: int = 0  # the first call of this run
    _before: Mapping[str, frozenset[str]] = field(default_factory=dict)  # what each group had when the run began

    def begins(self) -> None:
        self._run = len(self.aws.calls)
        self._before = {arn: frozenset(self.aws.registered(arn)) for arn in self.aws.groups}

    def __call__(self, call: Call) -> None:
        if call.operation not in ("DeregisterTargets", "RegisterTargets"):
            return
        arn = call.parameters["TargetGroupArn"]
        named = [key(one["Id"], one["Port"]) for one in call.parameters["Targets"]]
        if TAG not in self.aws.groups[arn].tags:
            self._breaks(Promise.ONLY_BOUND, call)
        if self.terms.sync_policy is Policy.REPORT_ONLY:
            self._breaks(Promise.POLICY, call)
        if call.operation == "RegisterTargets":
            self._registers(call, arn, set(named))
        else:
            self._deregisters(call, arn, set(named) & self.aws.registered(arn).keys())

    def _breaks(self, promise: Promise, call: Call) -> None:
        arn, told = call.parameters["TargetGroupArn"], [(one.operation, one.error, one.lost) for one in self._calls()]
        targets, wanted, there = call.parameters["Targets"], self.aws.wanted(arn), self.aws.states(arn)
        how = f"{call.operation} {targets}\n  wanted {wanted}\n  has {there}\n  run {told}"
        self.broken.append(Broken(promise, how))

    def _calls(self) -> Sequence[Call]:
        return self.aws.calls[self._run :]

    def _registers(self, call: Call, arn: str, coming: set[str]) -> None:
        if not coming <= (self.aws.wanted(arn) or {}).keys():
            self._breaks(Promise.ONLY_WANTED, call)
        left = any(one.operation == "DeregisterTargets" and one.mentions(arn) for one in self._calls())
        if left and not self.is_full(arn):
            self._breaks(Promise.ORDER, call)

    def _deregisters(self, call: Call, arn: str, going: set[str]) -> None:
        states, wanted = self._registered(arn), self.aws.wanted(arn)
        healthy = {one for one, state in states.items() if state == "healthy"}
        if self.terms.sync_policy is not Policy.SYNC:
            self._breaks(Promise.POLICY, call)
        if going & healthy & (wanted or {}).keys():
            self._breaks(Promise.HEALTHY_WANTED, call)
        if healthy and not healthy - going:
            self._breaks(Promise.LAST_HEALTHY, call)
        if self._in_doubt(arn):
            self._breaks(Promise.WHOLE_READS, call)
        if wanted is None and not (self.terms.drain_deleted_endpoints and self.is_deleted(arn)):
            self._breaks(Promise.ONLY_WANTED, call)
        if wanted and going & wanted.keys():
            self._breaks(Promise.ONLY_WANTED, call)
        if wanted and wanted.keys() - states.keys() and not (self.is_full(arn) and len(going) <= 1):
            self._breaks(Promise.ORDER, call)
        if any(not self._is_covered(arn, one, healthy - going) for one in going & healthy):
            self._breaks(Promise.HOLD, call)

    def _registered(self, arn: str) -> Mapping[str, str]:
        there = self.aws.registered(arn)
        return {one: state for one, state in self.aws.states(arn).items() if one in there}

    def is_full(self, arn: str) -> bool:
        """There was no room to register what was missing, when the run began."""
        both = self._before[arn] | (self.aws.wanted(arn) or {}).keys()
        return len(both) > self.aws.groups[arn].quota

    def is_deleted(self, arn: str) -> bool:
        bound = self.aws.bound(arn)
        return bool(bound) and not any(map(self.aws.state, bound))

    def _is_covered(self, arn: str, target: str, staying: Iterable[str]) -> bool:
        """Whether those that stay, and are healthy, serve every zone that the target serves. They have to be wanted
        ones, but where the group is full."""
        wanted, registered = self.aws.wanted(arn) or {}, self.aws.registered(arn)
        others = {registered[one].zone for one in staying if one in wanted or self.is_full(arn)}
        if self.aws.is_cross_zone(arn) or EVERY_ZONE in others:
            return bool(others)
        return set(self._zones_served(arn, target)) <= others

    def _zones_served(self, arn: str, target: str) -> Iterable[str]:
        """One for all zones has to be followed in those that are wanted: nobody asks in which the load balancer is."""
        zone = self.aws.registered(arn)[target].zone
        return {zone} if zone != EVERY_ZONE else set((self.aws.wanted(arn) or {}).values()) - {EVERY_ZONE}

    def _in_doubt(self, arn: str) -> bool:
        """Whether something that the group's targets follow from was asked for in this run, and not told: the last
        answer about it failed, or left it out. That the group's targets are not all told of is no such thing, for AWS
        has no way to say so: what it may lead to is judged by what is true."""
        bound = self.aws.bound(arn)
        there = [self.aws.endpoints[name] for name in bound if self.aws.state(name)]
        inner = [one.id for endpoint in there for one in endpoint.interfaces.values()]
        told: dict[tuple[str, str], bool] = {}
        for call in self._calls():
            about = {
                "DescribeVpcEndpoints": bound,
                "DescribeNetworkInterfaces": inner,
                "DescribeTags": [arn],
                "DescribeTargetGroups": [arn],
                "DescribeTargetHealth": [arn],
            }.get(call.operation, [])
            failed = call.error not in ("", "InvalidVpcEndpointId.NotFound")
            listing = call.operation == "DescribeTargetGroups" and "TargetGroupArns" not in call.parameters
            for one in about:
                if call.mentions(one) or one in call.lost or (listing and failed):
                    told[call.operation, one] = not failed and one not in call.lost
        return not all(told.values())


# The machine ------------------------------------------------------------------------------------------------------

READS = (
    "DescribeNetworkInterfaces",
    "DescribeTags",
    "DescribeTargetGroupAttributes",
    "DescribeTargetGroups",
    "DescribeTargetHealth",
    "DescribeVpcEndpoints",
    "DescribeVpcPeeringConnections",
    "GetResources",
)
WHICH = st.integers(0, 11)
CROSSES = st.sampled_from(["use_load_balancer_configuration", "false", "true"])
ANY_ZONE = st.sampled_from(ZONES)
SOME_ZONES = st.sampled_from([ZONES[:1], ZONES[:2], ZONES[:2], ZONES[1:], ZONES])
MOST_ZONES = weighted((3, st.just(ZONES)), (1, SOME_ZONES))
SECONDS = st.sampled_from([0, 20, 30, BACK_SECONDS, BACK_SECONDS, 180, 210, 300, 900, 900])


@dataclass(frozen=True, kw_only=True)
class Mishap:
    """A fault, about one of what there will be."""

    kind: Kind
    operation: str
    which: int | None
    after: int
    times: int


MISHAPS = st.builds(
    Mishap,
    kind=weighted((1, st.sampled_from(Kind)), (1, st.sampled_from([Kind.EMPTY, Kind.CUT]))),
    operation=weighted(
        (3, st.sampled_from(["DescribeNetworkInterfaces", "DescribeTargetHealth", "DescribeVpcEndpoints"])),
        (3, st.sampled_from(READS)),
        (2, st.sampled_from(["DeregisterTargets", "RegisterTargets", ""])),
    ),
    which=st.none() | st.integers(0, 4),
    after=st.sampled_from([0, 0, 0, 1]),
    times=st.sampled_from([1, 1, 2, 9]),
)
TROUBLE = weighted((2, st.just(())), (2, st.tuples(MISHAPS)), (1, st.lists(MISHAPS, min_size=2, max_size=4).map(tuple)))
type Trouble = Sequence[Mishap]


@dataclass(frozen=True, kw_only=True)
class Then:
    """What follows a change: after so long its event comes, or the schedule's."""

    seconds: int
    scheduled: bool
    trouble: Trouble


THEN = weighted(
    (1, st.none()),
    (3, st.builds(Then, seconds=SECONDS, scheduled=st.sampled_from([False, False, True]), trouble=TROUBLE)),
)
# What a tag may say: which endpoints, or something that names none.
TAGS = weighted(
    (5, st.tuples(WHICH)),
    (3, st.tuples(WHICH, WHICH)),
    (1, st.none()),
    (1, st.sampled_from(["", "vpce-1, vpce-2", "eni-00000000000000001", "vpce-00000000000000999"])),
)

type Tag = tuple[int, ...] | str | None


def asked(*, endpoints: tuple[str, ...] = (), target_groups: tuple[str, ...] = ()) -> Asked:
    return Asked(
        id="",
        what="",
        time="",
        caller=Caller(),
        endpoints=endpoints,
        target_groups=target_groups,
        everything=not endpoints and not target_groups,
    )


LATE = (NotSynced, NotRead, LedgerUnavailable)  # what a run may raise when calls fail, after all else is done


class Life(RuleBasedStateMachine):
    promises = frozenset(Promise)
    aws_type: type[FakeAws] = FakeAws

    def __init__(self) -> None:
        super().__init__()
        self.aws = self.aws_type()
        self.terms = Settings(alert_topic_arn="", findings_table="findings", sync_queue_url="https://queue.test/sync")
        self.events: list[Asked] = []
        self.known: dict[str, TargetGroup] = {}
        self.witness = Witness(aws=self.aws, terms=self.terms)
        self.delay = 0
        self.failed = False

    @initialize(
        policy=weighted(
            (5, st.just(Policy.SYNC)), (1, st.just(Policy.REGISTER_ONLY)), (1, st.just(Policy.REPORT_ONLY))
        ),
        drains=st.booleans(),
        page_size=st.sampled_from([1, 2, 1000, 1000]),
        crosses=st.tuples(CROSSES, CROSSES, st.booleans()),
        delay=st.sampled_from([300, 3600]),
        quota=st.sampled_from([1000, 1000, 2, 3]),
        endpoint_zones=SOME_ZONES,
        balancer_zones=MOST_ZONES,
    )
    def begin(
        self,
        *,
        policy: Policy,
        drains: bool,
        page_size: int,
        crosses: tuple[str, str, bool],
        delay: int,
        quota: int,
        endpoint_zones: tuple[str, ...],
        balancer_zones: tuple[str, ...],
    ) -> None:
        """Two endpoints; a group that follows the first, one that follows nothing, and one that has a small quota."""
        self.aws.page_size = page_size
        self.aws.peerings.append(VPCS[:2])
        self.terms = replace(self.terms, sync_policy=policy, drain_deleted_endpoints=drains)
        self.witness.terms = self.terms
        self.aws.watchers.append(self.witness)
        first, second = (self.aws.create_endpoint(zones=zones, pending_seconds=0) for zones in (endpoint_zones, ZONES))
        of_bound, of_full, of_balancer = crosses
        balancer = self.aws.create_load_balancer(balancer_zones, cross_zone=of_balancer)
        self.delay = delay
        bound = self.aws.create_group(balancer, first, delay=delay)
        full = self.aws.create_group(balancer, f"{first} {second}", quota=quota, delay=delay)
        loose = self.aws.create_group(balancer, delay=delay)
        self.aws.groups[bound].cross_zone, self.aws.groups[full].cross_zone = of_bound, of_full
        for arn, endpoint in ((bound, first), (loose, first), (full, second)):
            for interface in self.aws.endpoints[endpoint].interfaces.values():
                if len(self.aws.registered(arn)) < quota:
                    self.aws.put_target(arn, interface.ipv4)
        self.aws.advance(REST_SECONDS)

    # What users do

    @rule(
        vpc=weighted((6, st.just(VPCS[0])), (1, st.sampled_from(VPCS[1:]))),
        zones=SOME_ZONES,
        service=weighted((6, st.just("apprunner.requests")), (1, st.just("ecr.api"))),
        ip_type=st.sampled_from(["ipv4", "ipv4", "dualstack"]),
        which=WHICH,
        both=st.booleans(),
        then=THEN,
    )
    @precondition(lambda self: len(self._endpoints()) < MOST)
    def create_endpoint(
        self,
        *,
        vpc: str,
        zones: tuple[str, ...],
        service: str,
        ip_type: str,
        which: int,
        both: bool,
        then: Then | None,
    ) -> None:
        """A new endpoint, and perhaps a group that is to follow it from now on: beside what it follows, or instead."""
        made = self.aws.create_endpoint(vpc, zones, service=f"com.amazonaws.{REGION}.{service}", ip_type=ip_type)
        arn = self._group(which)
        if TAG in self.aws.groups[arn].tags:
            self.aws.bind(arn, f"{self.aws.groups[arn].tags[TAG]} {made}" if both else made)
            self._tell(None, target_groups=(arn,))
        self._tell(then, endpoints=(made,))

    @rule(
        which=WHICH,
        zone=ANY_ZONE,
        change=st.sampled_from(["a new interface"] * 4 + ["no interface"] * 3 + ["deleted"]),
        then=THEN,
    )
    @precondition(lambda self: self._endpoints())
    def change_endpoint(self, which: int, zone: str, change: str, then: Then | None) -> None:
        endpoint = self._endpoint(which)
        if change == "a new interface":
            self.aws.add_subnet(endpoint, zone)
        elif change == "no interface":
            self.aws.remove_subnet(endpoint, zone)
        else:
            self.aws.delete_endpoint(endpoint)
        self._tell(then, endpoints=(endpoint,))

    @rule(which=WHICH, tag=TAGS, then=THEN)
    def bind(self, which: int, tag: Tag, then: Then | None) -> None:
        self.aws.bind(self._group(which), self._value(tag))
        self._tell(then, target_groups=(self._group(which),))

    @rule(
        tag=TAGS,
        kind=st.sampled_from(["plain", "plain", "other port", "ipv6", "no balancer", "instances", "gone"]),
        then=THEN,
    )
    def create_or_delete_group(self, tag: Tag, kind: str, then: Then | None) -> None:
        if len(self._groups()) == MOST or (kind == "gone" and len(self._groups()) > 1):
            self.aws.delete_group(self._groups()[-1])
            return
        made = self.aws.create_group(
            None if kind == "no balancer" else next(iter(self.aws.load_balancers)),
            self._value(tag),
            port=8443 if kind == "other port" else 443,
            ipv6=kind == "ipv6",
            delay=self.delay,
            kind="instance" if kind == "instances" else "ip",
        )
        self._tell(then, target_groups=(made,))

    @rule(which=WHICH, place=WHICH, host=st.integers(4, 9), port=st.sampled_from([443, 443, 443, 444]), then=THEN)
    def register_by_hand(self, *, which: int, place: int, host: int, port: int, then: Then | None) -> None:
        """An address that may be one of an endpoint's, have been one, or become one; or one of no subnet. Half of
        those that are nobody's answer all the same."""
        group = self.aws.groups[self._group(which)]
        network = ("10.0.0", "10.0.1", "10.0.2", "10.1.0", "192.168.0")[place % 5]
        address = f"fd00:0:0:{place % 3}::{host:x}" if group.ipv6 else f"{network}.{host}"
        if len(self.aws.registered(group.arn)) < group.quota and group.kind == "ip":
            self.aws.put_target(group.arn, address, port)
            self.aws.hear(address, answers=place % 2 == 0)
            self._tell(then, target_groups=(group.arn,))

    @rule(which=WHICH, place=WHICH, change=st.sampled_from(["deregistered", "ill", "well", "well"]), then=THEN)
    def change_target(self, which: int, place: int, change: str, then: Then | None) -> None:
        arn = self._group(which)
        targets = sorted(self.aws.registered(arn))
        if not targets:
            return
        target = targets[place % len(targets)]
        if change == "deregistered":
            self.aws.take_target(arn, target)
        else:
            self.aws.hear(target.rpartition(":")[0], answers=change == "well")
        self._tell(then, target_groups=(arn,))

    @rule(
        which=WHICH,
        says=CROSSES,
        crosses=st.booleans(),
        zones=MOST_ZONES,
        then=THEN,
    )
    def change_balancing(
        self, *, which: int, says: str, crosses: bool, zones: tuple[str, ...], then: Then | None
    ) -> None:
        balancer = next(iter(self.aws.load_balancers.values()))
        self.aws.groups[self._group(which)].cross_zone = says
        balancer.cross_zone, balancer.zones = crosses, zones
        self._tell(then, target_groups=(self._group(which),))

    # What comes of it

    @rule(seconds=SECONDS, trouble=TROUBLE, cold=st.booleans())
    def schedule(self, seconds: int, trouble: Trouble, cold: bool) -> None:
        if cold:
            self.known.clear()
        self.aws.advance(seconds)
        self._sync(asked(), trouble)

    @rule(order=st.lists(WHICH, min_size=1, max_size=4), again=st.booleans(), seconds=SECONDS, trouble=TROUBLE)
    @precondition(lambda self: self.events)
    def deliver(self, order: list[int], again: bool, seconds: int, trouble: Trouble) -> None:
        """A batch of events, in any order, some perhaps twice; and perhaps they all come again later."""
        batch = [self.events[one % len(self.events)] for one in order]
        if not again:
            self.events = [one for one in self.events if one not in batch]
        self.aws.advance(seconds)
        self._sync(folded(batch), trouble)

    @rule(which=WHICH, seconds=SECONDS)
    @precondition(lambda self: self.events)
    def lose(self, which: int, seconds: int) -> None:
        self.aws.advance(seconds)
        self.events.pop(which % len(self.events))

    @rule(which=WHICH, seconds=SECONDS, trouble=TROUBLE)
    @precondition(lambda self: self.aws.messages)
    def come_back(self, which: int, seconds: int, trouble: Trouble) -> None:
        """One of the messages that runs have sent to their own queue, also one that came before."""
        self.aws.advance(seconds)
        message = parse(json.loads(self.aws.messages[-1 - which % len(self.aws.messages)].body), "")
        assert isinstance(message, Asked)
        self._sync(message, trouble)

    # How it ends

    def teardown(self) -> None:
        if self.aws.groups and not self.failed:
            self._come_to_rest()

    def _come_to_rest(self) -> None:
        self.aws.advance(REST_SECONDS)
        self.witness.begins()
        full = any(self.witness.is_full(arn) for arn in self._groups())
        self.aws.advance(self.delay if full else 0)  # at the quota, nothing goes while anything drains
        before = {arn: frozenset(self.aws.registered(arn)) for arn in self._groups()}
        for number in range(QUOTA_RUNS):
            done = len(self._changes())
            if number >= 2 and not full:
                break
            self._sync(asked(), ())
            self.aws.advance(max(REST_SECONDS, self.delay) if full else REST_SECONDS)
            full = full and len(self._changes()) > done
        for arn in self._groups():
            self._is_reached(arn, before[arn])
        done = len(self._changes())
        self._sync(asked(), ())
        if self._changes()[done:]:
            self.witness.broken.append(Broken(Promise.QUIET, f"{self._changes()[done:]}"))
        self._judge()

    def _is_reached(self, arn: str, before: frozenset[str]) -> None:
        """Held is only what has to be; nothing changes where what is wanted is not known, or where a policy says so."""
        wanted, there = self.aws.wanted(arn), frozenset(self.aws.registered(arn))
        if wanted is None or TAG not in self.aws.groups[arn].tags or self.terms.sync_policy is Policy.REPORT_ONLY:
            drains = self.terms.drain_deleted_endpoints and self.terms.sync_policy is Policy.SYNC
            over = drains and TAG in self.aws.groups[arn].tags and self.witness.is_deleted(arn)
            right = there == {one for one in before if not over or self.aws.states(arn).get(one) == "healthy"}
        elif self.terms.sync_policy is Policy.REGISTER_ONLY:
            right = there == before | wanted.keys() or self.witness.is_full(arn)
        else:
            stale = there - wanted.keys()
            right = all(self._has_to_stay(arn, one) for one in stale) and (
                wanted.keys() <= there or self.witness.is_full(arn)
            )
        if not right:
            how = f"wanted {wanted}\n  has {self.aws.states(arn)}\n  before {sorted(before)}\n  {self.aws.groups[arn]}"
            self.witness.broken.append(Broken(Promise.REACHED, how))

    def _has_to_stay(self, arn: str, target: str) -> bool:
        """A stale target stays while no wanted one is healthy; while one of its zones waits for a wanted one to get
        healthy; and where it alone serves a zone that no wanted one is in. At the quota, also while a wanted one that
        is registered is not healthy yet, and where nothing else in its zone is."""
        wanted, states, there = self.aws.wanted(arn) or {}, self.aws.states(arn), self.aws.registered(arn)
        fit = {zone for one, zone in wanted.items() if states.get(one) == "healthy"}
        zone, state = there[target].zone, states[target]
        if state == "unused":
            return False
        if self.witness.is_full(arn) and state == "healthy":
            others = [one for one in there if one != target and states[one] == "healthy"]
            alone = not any(self.aws.is_cross_zone(arn) or there[one].zone in (zone, EVERY_ZONE) for one in others)
            if alone or any(states[one] != "healthy" for one in wanted if one in there):
                return True
        if not fit:
            return True
        if self.aws.is_cross_zone(arn) or EVERY_ZONE in fit:
            return False
        served = [zone] if zone != EVERY_ZONE else sorted(set(wanted.values()))
        return any(one not in fit and (one in wanted.values() or state != "unhealthy") for one in served)

    # Running

    def _sync(self, what: Asked, trouble: Trouble) -> None:
        """What sync does for an event, but for what it tells of it."""
        self.aws.wrong(*(self._fault(one) for one in trouble))
        self.witness.begins()
        steps = LockStep(reads._THREADS)
        with (
            patch.object(reads, "_pool", lambda: steps),
            patch.object(sync, "tell"),
            patch.object(sync, "observe"),
            suppress(*(LATE if trouble else ())),
        ):
            sync.sync(
                what,
                self.aws.client,
                self.terms,
                lambda: int(self.aws.now),
                seconds_left=lambda: 900,
                known=self.known,
                pace=lambda _: lambda: None,
            )
        self.aws.wrong()
        self._judge()

    def _judge(self) -> None:
        for one in self.witness.broken:
            if one.promise in self.promises:
                self.failed = True
                raise one
        self.witness.broken.clear()

    def _fault(self, mishap: Mishap) -> Fault:
        inner = [one.id for end in self.aws.endpoints.values() for one in end.interfaces.values()]
        of_ec2 = {"DescribeNetworkInterfaces": inner, "DescribeVpcEndpoints": self._endpoints()}
        ids = of_ec2.get(mishap.operation) or list(self.aws.groups)
        about = "" if mishap.which is None else ids[mishap.which % len(ids)]
        return Fault(kind=mishap.kind, operation=mishap.operation, about=about, after=mishap.after, times=mishap.times)

    def _tell(self, then: Then | None, *, endpoints: tuple[str, ...] = (), target_groups: tuple[str, ...] = ()) -> None:
        """There is an event now, which comes as said; if nothing is said, some time or never."""
        self.events.append(asked(endpoints=endpoints, target_groups=target_groups))
        if then:
            self.aws.advance(then.seconds)
            self._sync(asked() if then.scheduled else self.events.pop(), then.trouble)

    def _changes(self) -> list[Call]:
        """Where there is no room, it may be asked for: AWS refuses, and nothing has changed."""
        return [call for call in self.aws.calls if call.mutates and call.error != "TooManyTargets"]

    def _value(self, tag: Tag) -> str | None:
        everything = list(self.aws.endpoints)
        return " ".join(everything[one % len(everything)] for one in tag) if isinstance(tag, tuple) else tag

    def _endpoints(self) -> list[str]:
        return [one for one, made in self.aws.endpoints.items() if made.gone_at is None]

    def _endpoint(self, which: int) -> str:
        there = self._endpoints()
        return there[which % len(there)]

    def _groups(self) -> list[str]:
        return [arn for arn, group in self.aws.groups.items() if group.gone_at is None]

    def _group(self, which: int) -> str:
        there = self._groups()
        return there[which % len(there)]
