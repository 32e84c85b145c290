"""The life of findings under evaluations that overlap, crash, fail on some channels and lose races, at any times.

First against a table in memory, then, on fewer examples, against the emulator's DynamoDB. An evaluation goes through

    begin (reads what is recorded) → look (reads AWS) → claim → publish → settle

one step at a time, with the others' steps, changes of the world and the clock in between, and may end after each.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Literal

import boto3
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apprunner_guardrails.aws import findings_table
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.findings import EXPLAINED, NOT_JUDGED, Exemption, Finding, Severity, Status
from apprunner_guardrails.ledger import (
    LEASE_SECONDS,
    MACHINES,
    Channel,
    Kind,
    Plan,
    Record,
    State,
    Terms,
    Transition,
    failed_call,
    plan,
    plan_once,
    settled,
)
from emulator import Emulator, emulate, worlds

SHOP = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/shop/1/0123456789abcdef0123456789abcdef"
TABLE = "findings"
START = 1_800_000_000
DAY = 86_400
LAMBDA_SECONDS = 900  # no evaluation lives longer
RULES: Mapping[str, Severity] = {"AR102": Severity.HIGH, "AR203": Severity.LOW, NOT_JUDGED: Severity.MEDIUM}

type Truth = Literal["pass", "exempt", "run out"] | frozenset[str]
type Blur = Literal["", "unknown", "error", "in part", "tags unread"]

FAULTS = st.frozensets(st.sampled_from("abc"), min_size=1)
TRUTHS: st.SearchStrategy[Truth] = st.one_of(st.just("pass"), FAULTS, st.sampled_from(["exempt", "run out"]))
BLURS: st.SearchStrategy[Blur] = st.sampled_from(["", "", "", "unknown", "error", "in part", "tags unread"])
CHANNELS = st.sampled_from([tuple(Channel), (Channel.TEXT,), (Channel.TEXT, Channel.CHAT, Channel.EVENTS)])
CLEAR: Sequence[Blur] = ("", "", "")
UNREACHED = st.sampled_from([(), (), (), *((one,) for one in Channel), tuple(MACHINES), tuple(Channel)])
SECONDS = st.sampled_from([-7, 0, 1, LEASE_SECONDS - 1, LEASE_SECONDS, 3600, DAY, 8 * DAY])
WHICH = st.integers(0, 3)
OWNERS = st.sampled_from(["", "mara", "jonas"])


def answer(rule_id: str, truth: Truth, blur: Blur) -> Finding:
    """What a rule answers where things are so, and how well that can be seen."""
    finding = Finding(resource=SHOP, rule=rule_id, name="", title="", severity=RULES[rule_id], status=Status.PASS)
    if blur in ("unknown", "error"):
        return replace(finding, status=Status(blur), unread="a read failed")
    if truth == "pass":
        return finding
    faults = tuple(sorted(truth)) if isinstance(truth, frozenset) else ("a",)
    fails = replace(finding, status=Status.FAIL, messages=faults, faults=faults)
    if blur == "in part":
        fails = replace(fails, messages=faults[:1], faults=faults[:1], unread="a read failed")
    if blur == "tags unread":
        return replace(fails, tags_unread=True)
    if isinstance(truth, frozenset):
        return fails
    exemption = Exemption(rule=rule_id, until="2026-12-31", owner="@owner", reason="x")
    return replace(fails, status=Status.EXEMPT if truth == "exempt" else Status.FAIL, exemption=exemption)


# The tables ------------------------------------------------------------------------------------------------------


class InMemory:
    """What DynamoDB promises: a write holds if the version is the one that was read, and nobody sees half of it."""

    def __init__(self) -> None:
        self.items: dict[str, Record] = {}

    def read(self) -> tuple[Record, ...]:
        return tuple(self.items.values())

    def claim(self, transitions: Iterable[Transition]) -> tuple[Transition, ...]:
        return tuple(one for one in transitions if self._put(one.record, one.before.version if one.before else 0))

    def settle(self, records: Iterable[Record]) -> None:
        for record in records:
            self._put(record, record.version - 1)

    def forget(self, rule_id: str) -> None:
        del self.items[rule_id]

    def close(self) -> None:
        pass

    def _put(self, record: Record, before: int) -> bool:
        now = self.items.get(record.rule)
        if (now.version if now else 0) != before:
            return False
        self.items[record.rule] = record
        return True


class InDynamoDB:
    def __init__(self) -> None:
        self._aws: AbstractContextManager[Emulator] = emulate()
        self._aws.__enter__()
        self._dynamodb = boto3.client("dynamodb")
        worlds.findings_table(worlds.sdk_client, TABLE)

    def read(self) -> tuple[Record, ...]:
        return findings_table.recorded(Reads(client), TABLE, SHOP)()

    def claim(self, transitions: Iterable[Transition]) -> tuple[Transition, ...]:
        return findings_table.claim(client, TABLE, transitions)

    def settle(self, records: Iterable[Record]) -> None:
        findings_table.settle(client, TABLE, records)

    def forget(self, rule_id: str) -> None:
        self._dynamodb.delete_item(TableName=TABLE, Key={"resource": {"S": SHOP}, "rule": {"S": rule_id}})

    def close(self) -> None:
        self._aws.__exit__(None, None, None)


# What was told ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing to tell, however often it is told: told again it is the same."""

    number: int  # in the order of the claims
    state: State
    faults: tuple[str, ...]
    severity: Severity

    def says(self, record: Record) -> bool:
        return (self.state, self.faults, self.severity) == (record.state, record.faults, record.severity)


@dataclass
class Listener:
    """One channel, and what it heard of one rule."""

    heard: list[Told] = field(default_factory=list)

    @property
    def knows(self) -> Told | None:
        """The last of what happened; one that lagged behind may have told an older thing after it."""
        return max(self.heard, key=lambda told: told.number, default=None)


@dataclass
class Evaluation:
    records: tuple[Record, ...]
    answers: tuple[Finding, ...] = ()
    owner: str = ""  # empty also where tags are not read
    won: tuple[Transition, ...] = ()
    claimed: int = 0
    telling: list[Told] = field(default_factory=list)  # what each of them tells
    reached: list[tuple[Channel, ...]] = field(default_factory=list)  # and where each got to
    stage: Literal["looking", "claiming", "publishing", "settling", "over"] = "looking"


def told_again(transition: Transition) -> bool:
    """Whether nothing but the lease, the version and the owner is new."""
    before, record = transition.before, transition.record
    return (
        before is not None
        and before.owed is not None
        and before
        == replace(
            record,
            owner=before.owner,
            owed=before.owed,
            owed_to=before.owed_to,
            leased_until=before.leased_until,
            version=before.version,
        )
    )


def nobodys(transition: Transition) -> Transition:
    """The same without whose it is."""
    record, before = replace(transition.record, owner=""), transition.before
    return replace(transition, record=record, before=replace(before, owner="") if before else None)


class Life(RuleBasedStateMachine):
    """Findings of one resource, in a table in memory."""

    table_type: Callable[[], InMemory | InDynamoDB] = InMemory

    def __init__(self) -> None:
        super().__init__()
        self.table = self.table_type()
        self.now = START
        self.put_back = 0  # seconds that the clock lost
        self.channels: tuple[Channel, ...] = ()
        self.truth: dict[str, Truth] = dict.fromkeys(RULES, "pass")
        self.owner = ""
        self.evaluations: list[Evaluation] = []
        self.versions: dict[str, int] = {}
        self.told: dict[str, Told] = {}  # by rule: what the record's last transition had to tell
        self.numbers = 0
        self.disturbed: set[int] = set()  # what may be told more than once, because somebody crashed or was too slow
        self.listeners: dict[tuple[Channel, str], Listener] = {}

    def teardown(self) -> None:
        try:
            if self.listeners:
                self._comes_to_rest()
        finally:
            self.table.close()

    @initialize(channels=CHANNELS)
    def somebody_listens(self, channels: tuple[Channel, ...]) -> None:
        self.channels = channels
        self.listeners = {(channel, rule_id): Listener() for channel in channels for rule_id in RULES}

    # The world

    @rule(rule_id=st.sampled_from(sorted(RULES)), truth=TRUTHS)
    def the_world_changes(self, rule_id: str, truth: Truth) -> None:
        exemptible = rule_id != NOT_JUDGED or truth not in ("exempt", "run out")
        self.truth[rule_id] = truth if exemptible else "pass"

    @rule(owner=OWNERS)
    def somebody_else_owns_it(self, owner: str) -> None:
        self.owner = owner

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.put_back = self.put_back - min(seconds, 0) if seconds <= 0 else 0
        if seconds >= LAMBDA_SECONDS:
            for evaluation in self._under_way():
                self._crash(evaluation)

    @rule(channel=st.sampled_from([Channel.CHAT, *MACHINES]))
    def a_channel_is_switched_off(self, channel: Channel) -> None:
        self.channels = tuple(one for one in self.channels if one is not channel)

    @rule()
    def dynamodb_forgets(self) -> None:
        self.time_passes(91 * DAY)
        for record in self.table.read():
            if 0 < record.expires <= self.now:
                assert (record.state, record.owed) == (State.RESOLVED, None)
                self.table.forget(record.rule)
                del self.versions[record.rule]

    # Evaluations

    @rule()
    def an_evaluation_begins(self) -> None:
        self.evaluations.append(Evaluation(records=self.table.read()))

    @precondition(lambda self: self._under_way())
    @rule(which=WHICH, blurs=st.lists(BLURS, min_size=3, max_size=3), unreached=UNREACHED)
    def an_evaluation_takes_a_step(self, which: int, blurs: Sequence[Blur], unreached: Collection[Channel]) -> None:
        self._step(self._one(which), blurs, unreached)

    @precondition(lambda self: self._under_way())
    @rule(which=WHICH)
    def an_evaluation_crashes(self, which: int) -> None:
        self._crash(self._one(which))

    @rule(rule_id=st.sampled_from(sorted(RULES)), truth=TRUTHS, unreached=UNREACHED)
    def the_world_changes_and_somebody_looks(self, rule_id: str, truth: Truth, unreached: Collection[Channel]) -> None:
        self.the_world_changes(rule_id, truth)
        self._run(Evaluation(records=self.table.read()), CLEAR, unreached)

    @rule(blurs=st.lists(BLURS, min_size=3, max_size=3), unreached=UNREACHED)
    def an_evaluation_runs_alone(self, blurs: Sequence[Blur], unreached: Collection[Channel]) -> None:
        self._run(Evaluation(records=self.table.read()), blurs, unreached)

    def _run(self, evaluation: Evaluation, blurs: Sequence[Blur], unreached: Collection[Channel]) -> None:
        while evaluation.stage != "over":
            self._step(evaluation, blurs, unreached)

    def _under_way(self) -> list[Evaluation]:
        return [one for one in self.evaluations if one.stage != "over"]

    def _one(self, which: int) -> Evaluation:
        under_way = self._under_way()
        return under_way[which % len(under_way)]

    def _step(self, evaluation: Evaluation, blurs: Sequence[Blur], unreached: Collection[Channel]) -> None:
        match evaluation.stage:
            case "looking":
                seen = zip(self.truth.items(), blurs, strict=True)
                evaluation.answers = tuple(answer(rule_id, truth, blur) for (rule_id, truth), blur in seen)
                evaluation.owner = "" if "tags unread" in blurs else self.owner
                evaluation.stage = "claiming"
            case "claiming":
                self._claim(evaluation)
                evaluation.stage = "publishing" if evaluation.won else "over"
            case "publishing":
                self._publish(evaluation, unreached)
                evaluation.stage = "settling"
            case _:
                self._settle(evaluation)
                evaluation.stage = "over"

    def _claim(self, evaluation: Evaluation) -> None:
        terms = Terms(now=self.now, who="bob", channels=self.channels, reminder_seconds=7 * DAY, owner=evaluation.owner)
        planned = plan(evaluation.answers, evaluation.records, terms)
        self._is_the_same_whoever_owns_it(planned, evaluation, terms)
        wanted = planned.transitions
        won = self.table.claim(wanted)
        assert [one for one in wanted if one in won] == list(won)
        for one in won:
            self._follows(one, evaluation)
            self._grows(one.record)
            if one.kind is not Kind.SEEN:
                self._take(one)
        evaluation.won = tuple(one for one in won if one.channels)
        evaluation.claimed = self.now
        evaluation.telling = [self.told[one.record.rule] for one in evaluation.won]

    def _is_the_same_whoever_owns_it(self, planned: Plan, evaluation: Evaluation, terms: Terms) -> None:
        """An owner is neither told nor written for its own sake, and stays until another is known."""
        records = [replace(one, owner="") for one in evaluation.records]
        without = plan(evaluation.answers, records, replace(terms, owner=""))
        assert replace(planned, transitions=tuple(map(nobodys, planned.transitions))) == without
        for one in planned.transitions:
            assert one.record.owner == (terms.owner or (one.before.owner if one.before else ""))

    def _follows(self, transition: Transition, evaluation: Evaluation) -> None:
        """A state is left for what a rule said, and for nothing that could not be read."""
        record, before = transition.record, transition.before
        if told_again(transition) or transition.kind in (Kind.SEEN, Kind.REMINDED):
            assert before is not None
            assert record.state is before.state
            return
        (said,) = (one for one in evaluation.answers if one.rule == record.rule)
        assert (said.status, record.state) in {
            (Status.PASS, State.RESOLVED),
            (Status.FAIL, State.OPEN),
            (Status.EXEMPT, State.EXEMPT),
        }
        assert not (said.tags_unread and before and before.state is State.EXEMPT)

    def _grows(self, record: Record) -> None:
        assert record.version == self.versions.get(record.rule, 0) + 1
        self.versions[record.rule] = record.version

    def _take(self, transition: Transition) -> None:
        """Number what is to be told. Who takes over from somebody that has not settled tells the same thing again."""
        record = transition.record
        if not told_again(transition):
            self.numbers += 1
            self.told[record.rule] = Told(
                number=self.numbers, state=record.state, faults=record.faults, severity=record.severity
            )
        told = self.told[record.rule]
        for other in self._under_way():
            if told in other.telling:
                assert self.now - other.claimed >= 45, "taken over from somebody that is just telling it"
                self.disturbed.add(told.number)

    def _publish(self, evaluation: Evaluation, unreached: Collection[Channel]) -> None:
        for one, told in zip(evaluation.won, evaluation.telling, strict=True):
            reached = tuple(channel for channel in one.channels if channel not in unreached)
            for channel in reached:
                heard = self.listeners[channel, one.record.rule].heard
                assert told not in heard or told.number in self.disturbed, f"{channel} is told twice: {told}"
                heard.append(told)
            evaluation.reached.append(reached)

    def _settle(self, evaluation: Evaluation) -> None:
        records = [
            settled(one, reached, self.now) for one, reached in zip(evaluation.won, evaluation.reached, strict=True)
        ]
        self.table.settle(records)
        there = {one.rule: one for one in self.table.read()}
        for record in records:
            overtaken = self.versions.get(record.rule) != record.version - 1
            assert (there.get(record.rule) != record) == overtaken
            if not overtaken:
                self._grows(record)

    def _crash(self, evaluation: Evaluation) -> None:
        self.disturbed |= {told.number for told in evaluation.telling}
        evaluation.stage = "over"

    # What always holds

    @invariant()
    def what_is_not_owed_is_known(self) -> None:
        for record in self.table.read():
            assert bool(record.owed) == bool(record.owed_to)
            assert record.owed or not record.leased_until
            assert record.leased_until <= self.now + LEASE_SECONDS + self.put_back
            for channel in self.channels:
                if channel not in record.owed_to:
                    self._knows(channel, record)

    def _knows(self, channel: Channel, record: Record) -> None:
        """Machines know what is recorded; people whether it is open, and how. AR902 is for machines to know."""
        known = self.listeners[channel, record.rule].knows
        if channel in MACHINES or (record.state is State.OPEN and record.rule != NOT_JUDGED):
            assert known is not None, f"{channel} never heard of {record}"
            assert known.says(record), f"{channel} knows {known}, and it is {record}"
        elif record.rule != NOT_JUDGED:
            assert known is None or known.state is not State.OPEN, f"{channel} believes that it is open: {record}"

    def _comes_to_rest(self) -> None:
        """However it went: one evaluation that nothing disturbs tells all, records what is so, and it is quiet."""
        for evaluation in self._under_way():
            self._crash(evaluation)
        self.now = max(self.now, *(one.leased_until for one in self.table.read()), START)
        self._run(Evaluation(records=self.table.read()), CLEAR, ())
        self.what_is_not_owed_is_known()
        there = {one.rule: one for one in self.table.read()}
        assert [one for one in there.values() if one.owed or one.owed_to or one.leased_until] == []
        for rule_id, truth in self.truth.items():
            assert self._recorded(there.get(rule_id)) == _true(truth)
        self._run(Evaluation(records=self.table.read()), CLEAR, ())  # may remind of what was owed to machines only
        self.owner = "somebody else"
        last = Evaluation(records=self.table.read())
        self._run(last, CLEAR, ())
        assert last.won == ()

    def _recorded(self, record: Record | None) -> tuple[State, tuple[str, ...]]:
        if record is None or record.state is State.RESOLVED:
            return State.RESOLVED, ()
        return record.state, record.messages if record.state is State.OPEN else ()


def _true(truth: Truth) -> tuple[State, tuple[str, ...]]:
    if isinstance(truth, frozenset):
        return State.OPEN, tuple(sorted(truth))
    return {"pass": (State.RESOLVED, ()), "exempt": (State.EXEMPT, ()), "run out": (State.OPEN, ("a",))}[truth]


class LifeInDynamoDB(Life):
    """The same, in the emulator's DynamoDB."""

    table_type = InDynamoDB


TestFindings = Life.TestCase
TestFindings.settings = settings(stateful_step_count=60)
TestFindingsInDynamoDB = LifeInDynamoDB.TestCase
TestFindingsInDynamoDB.settings = settings(stateful_step_count=40, max_examples=settings().max_examples // 20)


# Failed calls ----------------------------------------------------------------------------------------------------

EXPLANATION = Finding(
    resource="", rule=EXPLAINED, name="", title="", severity=Severity.HIGH, status=Status.FAIL, messages=("x",)
)
ATTEMPTS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 30, LEASE_SECONDS, 600, 1800, 3600]),
        st.sampled_from(["told", "told", "told", "crashed before", "crashed after"]),
        st.sampled_from([(), (), (Channel.TEXT,), (Channel.EVENTS,), (Channel.TEXT, Channel.EVENTS)]),
    ),
    max_size=25,
)


@given(ATTEMPTS)
def test_an_explanation_is_told_once_an_hour_and_never_lost(
    attempts: list[tuple[int, str, tuple[Channel, ...]]],
) -> None:
    """The same call fails again and again. Each hour that somebody sets out to tell it in is an hour of its own."""
    key, channels = failed_call("alice", "DeleteVpcConnector", "in use"), (Channel.TEXT, Channel.EVENTS)
    table = InMemory()
    now = hour = START
    heard: set[tuple[Channel, int]] = set()
    crashed = False
    for seconds, end, unreached in attempts:
        now += seconds
        terms = Terms(now=now, who="alice", channels=(*channels, Channel.SECURITY_HUB), reminder_seconds=0)
        transition = plan_once(EXPLANATION, key, table.read(), terms)
        if transition is None:
            (record,) = table.read()
            assert now - hour < 3600 or record.leased_until > now
            assert record.leased_until > now or heard >= {(channel, hour) for channel in channels}
            continue
        assert table.claim([transition]) == (transition,)
        assert transition.before is None or transition.before.leased_until <= now
        if not told_again(transition):
            assert transition.before is None or now - hour >= 3600
            hour, crashed = now, False
        reached = tuple(channel for channel in transition.channels if channel not in unreached)
        if end != "crashed before":
            assert crashed or heard.isdisjoint((channel, hour) for channel in reached)
            heard |= {(channel, hour) for channel in reached}
        if end == "told":
            table.settle([settled(transition, reached, now)])
        crashed |= end == "crashed after"
