"""What keeping targets in step costs and loses: our sync beside two published habits, over the same histories.

A history is drawn once from its seed. Each of them lives through it with an AWS of its own (tests/fake_aws.py), in
steps of STEP_SECONDS: users change endpoints, tags and targets, calls fail for a while, events come or are lost, the
schedule comes every SCHEDULE_STEPS. A fleet is many groups, all in step already.
"""

import json
import random
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError

from apprunner_guardrails.aws import reads
from apprunner_guardrails.aws.reads import Pace
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.facts import TargetGroup
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets import sync
from apprunner_guardrails.targets.triggers import SCHEDULED, Asked, parse
from apprunner_guardrails.validate import NotRead
from benchmarks.habits import Client, deregister_first, empty_means_remove
from benchmarks.measure import spread
from tests.aws import LockStep
from tests.fake_aws import ZONES, FakeAws, Fault, Kind

HISTORIES = 20
STEPS, STEP_SECONDS = 960, 30  # eight hours
SCHEDULE_STEPS = 10
FLEETS = (1, 20, 100, 500)
_BETWEEN_CHANGES = (20, 120)  # steps: from ten minutes to an hour
_LOST = 0.1  # of the events
_TROUBLED = 0.5  # of the changes: calls fail from then on
_TROUBLE = (5, 40)  # for so many steps
_FAILING = (
    "DescribeNetworkInterfaces",
    "DescribeTargetHealth",
    "DescribeVpcEndpoints",
    "DeregisterTargets",
    "RegisterTargets",
)
_ENDPOINTS = 50  # of a VPC: AWS's quota, before it is raised
_THREADS = 10  # of ours, in reads
KINDS = (Kind.THROTTLED, Kind.BROKEN, Kind.TIMED_OUT, Kind.DENIED, Kind.EMPTY, Kind.CUT)


@dataclass(kw_only=True)
class Step:
    """What happens in a step. A change is a method of FakeAws and its arguments, an event names an endpoint."""

    changes: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    fault: Fault | None = None


@dataclass(frozen=True, kw_only=True)
class Lived:
    """What came of all histories. `lost`: the steps without a healthy target; `changes`: calls that changed targets.
    Calls and seconds are those of each run, were a call to take `delay`; none where nothing is called."""

    name: str
    steps: int
    lost: int
    changes: int
    calls: Sequence[float]
    seconds: Sequence[float]

    @property
    def lost_share(self) -> float:
        return self.lost / self.steps

    def as_json(self) -> Mapping[str, object]:
        runs = {"calls": self.calls, "seconds": self.seconds} if self.calls else {}
        return {
            "name": self.name,
            "steps": self.steps,
            "lost": self.lost,
            "changes": self.changes,
            "runs": len(self.calls),
            **{name: asdict(spread(ran)) for name, ran in runs.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """One run over so many groups that are in step, and have been seen before. `busiest`: the most calls of ours in a
    second."""

    groups: int
    calls: int
    seconds: float
    busiest: int
    habit_calls: int
    habit_seconds: float

    @property
    def ratio(self) -> float:
        """Our time by the habit's."""
        return self.seconds / self.habit_seconds


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What came of histories, of the same ones when they are calm, and of fleets."""

    lived: Sequence[Lived]
    calm: Sequence[Lived]
    fleets: Sequence[Fleet]

    def as_json(self) -> Mapping[str, object]:
        return {
            "histories": [one.as_json() for one in self.lived],
            "calm histories": [one.as_json() for one in self.calm],
            "fleets": [{**asdict(one), "ratio": one.ratio} for one in self.fleets],
        }


# Histories --------------------------------------------------------------------------------------------------------


def history(seed: int, *, calm: bool = False) -> Sequence[Step]:
    """Eight hours of a group and its endpoints, the same for the same seed. A calm one has the same changes, but no
    call fails, and no event is lost."""
    chance = random.Random(seed)  # nosec B311  # noqa: S311 - to be repeatable, not secret
    steps = [Step() for _ in range(STEPS)]
    aws, group = _begun()
    now = chance.randint(*_BETWEEN_CHANGES)
    while now + _LONGEST < STEPS:
        last = 0
        for last, change, arguments, named in chance.choice(_HAPPENINGS)(aws, group, chance):
            getattr(aws, change)(*arguments)
            steps[now + last].changes.append((change, arguments))
            is_lost = chance.random() < _LOST
            if named and (calm or not is_lost):
                steps[now + last + 1].events.append(named)
        if chance.random() < _TROUBLED:
            fault = Fault(kind=chance.choice(KINDS), operation=chance.choice(_FAILING), times=9)
            for step in steps[now : now + chance.randint(*_TROUBLE)]:
                step.fault = None if calm else fault
        now += last + chance.randint(*_BETWEEN_CHANGES)
    return steps


def _begun() -> tuple[FakeAws, str]:
    """A group in step with an endpoint of two zones, at rest."""
    aws = FakeAws()
    endpoint = aws.create_endpoint(pending_seconds=0)
    group = aws.create_group(aws.create_load_balancer(), endpoint)
    for interface in aws.endpoints[endpoint].interfaces.values():
        aws.put_target(group, interface.ipv4)
    aws.advance(3600)
    return aws, group


# How many steps later, which change, and what its event names, if there is one.
type _Change = tuple[int, str, tuple[Any, ...], str]

_LONGEST = 80  # steps from the first change of a happening to its last


def _another_interface(aws: FakeAws, group: str, chance: random.Random) -> Iterator[_Change]:
    """In one more subnet, or in place of the one that is there, as when its address is changed."""
    (endpoint,) = aws.bound(group)
    yield 0, "add_subnet", (endpoint, chance.choice(ZONES)), endpoint


def _one_subnet_less(aws: FakeAws, group: str, chance: random.Random) -> Iterator[_Change]:
    (endpoint,) = aws.bound(group)
    zones = sorted(aws.endpoints[endpoint].interfaces)
    if len(zones) > 1:
        yield 0, "remove_subnet", (endpoint, chance.choice(zones)), endpoint


def _replaced(aws: FakeAws, group: str, _chance: random.Random) -> Iterator[_Change]:
    """As CloudFormation does it: make the new one, refer to it, delete the old one."""
    (old,) = aws.bound(group)
    yield 0, "create_endpoint", (), ""
    new = next(reversed(aws.endpoints))
    yield 4, "bind", (group, new), group
    yield 5, "delete_endpoint", (old,), old


def _replaced_side_by_side(aws: FakeAws, group: str, _chance: random.Random) -> Iterator[_Change]:
    """Both in the tag, until the targets of the new one are healthy for long."""
    (old,) = aws.bound(group)
    yield 0, "create_endpoint", (), ""
    new = next(reversed(aws.endpoints))
    yield 4, "bind", (group, f"{old} {new}"), group
    yield 40, "bind", (group, new), group
    yield _LONGEST - 1, "delete_endpoint", (old,), old


def _swapped(aws: FakeAws, group: str, _chance: random.Random) -> Iterator[_Change]:
    """One for the other in the tag, while the old one is still there for long."""
    (old,) = aws.bound(group)
    yield 0, "create_endpoint", (), ""
    new = next(reversed(aws.endpoints))
    yield 4, "bind", (group, new), group
    yield _LONGEST - 1, "delete_endpoint", (old,), old


def _by_hand(aws: FakeAws, group: str, chance: random.Random) -> Iterator[_Change]:
    """Somebody takes an address of the endpoint's away, and registers one that is nobody's."""
    (endpoint,) = aws.bound(group)
    interface = chance.choice(list(aws.endpoints[endpoint].interfaces.values()))
    yield 0, "take_target", (group, f"{interface.ipv4}:443"), group
    yield 0, "put_target", (group, "10.0.0.200"), group


_HAPPENINGS: Sequence[Callable[[FakeAws, str, random.Random], Iterator[_Change]]] = (
    _another_interface,
    _another_interface,
    _one_subnet_less,
    _replaced,
    _replaced_side_by_side,
    _swapped,
    _by_hand,
)


# Programs ---------------------------------------------------------------------------------------------------------


type Program = Callable[[FakeAws, Client], Callable[[Asked], None]]  # an AWS and its clients → what runs for an event


def _ours(aws: FakeAws, client: Client, pace: Callable[[float], Callable[[], None]] = Pace) -> Callable[[Asked], None]:
    known: dict[str, TargetGroup] = {}

    def run(asked: Asked) -> None:
        with patch.object(sync, "observe"), suppress(sync.NotSynced, NotRead):
            sync.sync(
                asked,
                client,
                _SETTINGS,
                lambda: int(aws.now),
                seconds_left=lambda: _SECONDS_LEFT,
                known=known,
                pace=pace,
            )

    return run


def _habit(habit: Callable[[Client, str, Sequence[str]], None]) -> Program:
    """A habit knows its groups and their endpoints without asking."""

    def program(aws: FakeAws, client: Client) -> Callable[[Asked], None]:
        def run(_asked: Asked) -> None:
            for group in aws.groups:
                with suppress(BotoCoreError, ClientError):
                    habit(client, group, aws.bound(group))

        return run

    return program


def _at_once(_: float) -> Callable[[], None]:
    """The pace where the clock stands still."""
    return lambda: None


OURS, FIRST, EMPTY, BEST = "guardrails", "deregister first", "empty means remove", "at best"
PROGRAMS: Mapping[str, Program] = {
    OURS: partial(_ours, pace=_at_once),
    FIRST: _habit(deregister_first),
    EMPTY: _habit(empty_means_remove),
}
_SETTINGS = Settings(
    alert_topic_arn="arn:aws:sns:us-east-1:123456789012:alerts",
    findings_table="findings",
    sync_queue_url="https://queue.test/sync",
)
_SECONDS_LEFT = 900
_EVERYTHING = Asked(id="", what=SCHEDULED, time="", caller=Caller(), everything=True)


class _Pool(LockStep):
    """Knows whether a call is one of those that were sent to it."""

    at_work = False

    def advance(self) -> None:
        self.at_work = True
        super().advance()
        self.at_work = False


class _Rounds:
    """Counts the calls of a run in rounds: those that are sent before somebody waits take as long as the longest."""

    def __init__(self, aws: FakeAws) -> None:
        self.pool = _Pool(_THREADS)
        self._aws = aws
        self._works: Counter[tuple[int, int]] = Counter()

    def client(self, service: str) -> object:
        return _before(self._aws, service, self._note)

    def as_pool(self) -> LockStep:
        return self.pool

    def begin(self) -> None:
        self._works.clear()

    @property
    def calls(self) -> int:
        return self._works.total()

    @property
    def longest(self) -> int:
        """How many calls were waited for one after the other."""
        rounds: Counter[int] = Counter()
        for (number, _), calls in self._works.items():
            rounds[number] = max(rounds[number], calls)
        return rounds.total()

    def _note(self) -> None:
        if not self.pool.at_work:
            self.pool.begin()
        self._works[self.pool.round, self.pool.work] += 1


def _before(aws: FakeAws, service: str, happens: Callable[[], None]) -> object:
    """The client of a service; something happens before each of its calls."""

    def method(call: Callable[..., object]) -> Callable[..., object]:
        def called(**parameters: object) -> object:
            happens()
            return call(**parameters)

        return called

    return SimpleNamespace(**{name: method(call) for name, call in vars(aws.client(service)).items()})


# Measuring --------------------------------------------------------------------------------------------------------


def kept(*, delay: float, say: Callable[[str], None]) -> Kept:
    """Live through all histories, then look at fleets. `delay` is how long a call takes, in seconds; `say` is told what
    goes on."""
    say(f"living through {HISTORIES} histories")
    results = [_of_all([history(seed, calm=calm) for seed in range(HISTORIES)], delay=delay) for calm in (False, True)]
    fleets = []
    for groups in FLEETS:
        say(f"looking at {groups} target groups in step")
        fleets.append(fleet(groups, delay=delay))
    return Kept(lived=results[0], calm=results[1], fleets=fleets)


def _of_all(histories: Sequence[Sequence[Step]], *, delay: float) -> Sequence[Lived]:
    return [*(lived(name, histories, delay=delay) for name in PROGRAMS), at_best(histories)]


def lived(name: str, histories: Sequence[Sequence[Step]], *, delay: float) -> Lived:
    steps = lost = changes = 0
    calls: list[float] = []
    seconds: list[float] = []
    for one in histories:
        aws, group = _begun()
        rounds = _Rounds(aws)
        run = PROGRAMS[name](aws, rounds.client)
        for asked in _lived_through(one, aws):
            if asked is None:
                steps += 1
                lost += "healthy" not in aws.states(group).values()
                continue
            rounds.begin()
            with patch.object(reads, "_pool", rounds.as_pool):
                run(asked)
            if rounds.calls:
                calls.append(rounds.calls)
                seconds.append(rounds.longest * delay)
        changes += sum(call.mutates and not call.error for call in aws.calls)
    return Lived(name=name, steps=steps, lost=lost, changes=changes, calls=calls, seconds=seconds)


def at_best(histories: Sequence[Sequence[Step]]) -> Lived:
    """What no sync can beat: an address is registered as soon as the group's endpoint has it, and leaves when dead."""
    steps = lost = 0
    for one in histories:
        aws, group = _begun()
        for asked in _lived_through(one, aws, every=1):
            if asked is None:
                steps += 1
                lost += "healthy" not in aws.states(group).values()
                continue
            for target in [target for target, state in aws.states(group).items() if state == "unhealthy"]:
                aws.take_target(group, target)
            for endpoint in aws.bound(group):
                for interface in aws.endpoints[endpoint].interfaces.values():
                    aws.put_target(group, interface.ipv4)
    return Lived(name=BEST, steps=steps, lost=lost, changes=0, calls=(), seconds=())


def _lived_through(steps: Sequence[Step], aws: FakeAws, every: int = SCHEDULE_STEPS) -> Iterator[Asked | None]:
    """Let the history happen: what asks for a run, when it does; None at the end of each step."""
    for number, step in enumerate(steps):
        for change, arguments in step.changes:
            getattr(aws, change)(*arguments)
        aws.wrong(*filter(None, [step.fault]))
        yield from _asked(aws, step)
        if number % every == 0:
            yield _EVERYTHING
        aws.advance(STEP_SECONDS)
        yield None


def _asked(aws: FakeAws, step: Step) -> Iterator[Asked]:
    """Events, and messages that are due."""
    for name in step.events:
        if name.startswith("vpce-"):
            yield Asked(id="", what="", time="", caller=Caller(), endpoints=(name,))
        else:
            yield Asked(id="", what="", time="", caller=Caller(), target_groups=(name,))
    for message in [one for one in aws.messages if one.due <= aws.now]:
        aws.messages.remove(message)
        asked = parse(json.loads(message.body), "")
        if isinstance(asked, Asked):
            yield asked


def fleet(groups: int, *, delay: float) -> Fleet:
    """A run of ours is on the clock, for it keeps to a pace; the habit makes one call after the other."""
    aws = FakeAws()
    balancer = aws.create_load_balancer()
    for number in range(groups):
        vpc = f"vpc-{number // _ENDPOINTS}"
        endpoint = aws.create_endpoint(vpc, pending_seconds=0)
        group = aws.create_group(balancer, endpoint, vpc=vpc)
        for interface in aws.endpoints[endpoint].interfaces.values():
            aws.put_target(group, interface.ipv4)
    aws.advance(3600)
    asked: list[float] = []
    on_the_clock = threading.Event()

    def happens() -> None:
        if on_the_clock.is_set():
            asked.append(time.monotonic())
            time.sleep(delay)

    def client(service: str) -> object:
        return _before(aws, service, happens)

    def pace(rate: float) -> Callable[[], None]:
        return Pace(rate) if on_the_clock.is_set() else _at_once(rate)

    run = _ours(aws, client, pace)
    run(_EVERYTHING)
    on_the_clock.set()
    began = time.monotonic()
    run(_EVERYTHING)
    seconds = time.monotonic() - began
    before = len(aws.calls)
    PROGRAMS[FIRST](aws, aws.client)(_EVERYTHING)
    habit_calls = len(aws.calls) - before
    return Fleet(
        groups=groups,
        calls=len(asked),
        seconds=seconds,
        busiest=busiest(sorted(asked)),
        habit_calls=habit_calls,
        habit_seconds=habit_calls * delay,
    )


def busiest(times: Sequence[float]) -> int:
    """The most of them within a second."""
    return max(bisect_left(times, one + 1) - place for place, one in enumerate(times))
