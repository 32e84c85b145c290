"""One run: look at what is in the queues, then send it back, or drop what is named, and leave the rest as it was.

All that a run deals with is looked at before anything is sent. So what comes back at once, because its cause is not
mended, is for the next run, and no run goes on for ever.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from apprunner_guardrails.aws.clients import Clients
from programs.aws import Refused, Unusable
from redrive import queues
from redrive.letters import Destination, Understood, understand
from redrive.queues import HIDDEN_SECONDS, Depth, Held, Queue, Stack

INTERRUPTED = "interrupted"
_CALL_SECONDS = 60  # what is hidden for less than that is not begun with
_ENOUGH = 3
_STILL_THERE = "it was sent, but is still in the queue, and the next run sends it once more"

type Tell = Callable[[int, int], None]  # how many letters are dealt with, of how many; none while it looks
type _Letter = tuple[Held, Understood]


class Answer(StrEnum):
    WOULD_SEND = "would send"
    SENT = "sent back"
    WOULD_DROP = "would drop"
    DROPPED = "dropped"
    STAYS = "stays"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What is to be done with which letters. `delete`: the ids of those that are dropped; then nothing is sent."""

    account: str
    region: str
    stack: str
    apply: bool
    most: int
    delete: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """`once_with`: the id of another letter that asks for the same, and is sent for both. `why` it stays or failed."""

    held: Held
    said: Understood
    answer: Answer
    once_with: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What came of it. `not_reached`: letters that were looked at, and for which there was no time."""

    target: Target
    depths: Mapping[str, Depth]  # before, by the queue's name
    is_whole: bool  # whether everything was looked at
    outcomes: Sequence[Outcome]
    not_reached: int
    not_found: Sequence[str]  # ids that were to be dropped
    still_hidden: int
    stopped: str  # why it did not come to its end; empty if it did
    now: int  # seconds since 1970

    def of(self, *answers: Answer) -> list[Outcome]:
        return [one for one in self.outcomes if one.answer in answers]


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """`seconds` is a clock that only runs on, `wait_seconds` how long SQS may look for messages."""

    client: Clients
    now: int
    seconds: Callable[[], float]
    wait_seconds: int
    tell: Tell


@dataclass(kw_only=True, slots=True)
class _State:
    depths: dict[str, Depth] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)  # by the message's id
    is_whole: bool = True
    todo: list[_Letter] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    failed: Counter[Destination] = field(default_factory=Counter)  # calls in a row


def run(target: Target, stack: Stack, means: Means) -> Run:
    """Whatever stops it, what was done until then is told, and what is left can be seen by everybody again."""
    state = _State()
    stopped = ""
    try:
        _look(target, stack.queues, means, state)
        said = [(one, understand(one.letter, stack.places, means.now)) for one in state.held.values()]
        state.todo = [one for one in said if not target.delete or one[0].letter.id in target.delete]
        stopped = _deal(target, means, state)
    except KeyboardInterrupt:
        stopped = INTERRUPTED
    except Unusable as error:
        stopped = str(error)
    still_hidden = _release(means.client, [one for name, one in state.held.items() if name not in state.deleted])
    return Run(
        target=target,
        depths=state.depths,
        is_whole=state.is_whole and not stopped,
        outcomes=tuple(sorted(state.outcomes, key=lambda one: (one.held.queue.name, one.held.letter.sent))),
        not_reached=len(state.todo) - len(state.outcomes),
        not_found=sorted(target.delete - state.held.keys()),
        still_hidden=still_hidden,
        stopped=stopped,
        now=means.now,
    )


def _look(target: Target, dead: Sequence[Queue], means: Means, state: _State) -> None:
    for queue in dead:
        state.depths[queue.name] = queues.depth(means.client, queue)
    for queue in dead:
        for some in _pages(target, queue, means, state):
            state.held |= {one.letter.id: one for one in some}  # of one that came twice the last handle counts
            means.tell(0, len(state.held))
            if target.delete and target.delete <= state.held.keys():
                return


def _pages(target: Target, queue: Queue, means: Means, state: _State) -> Iterator[list[Held]]:
    """Until the queue gives nothing new: what has been hidden for long enough comes again."""
    while (room := target.most - len(state.held)) > 0:
        some = queues.receive(means.client, queue, room, means.wait_seconds, means.seconds())
        is_new = any(one.letter.id not in state.held for one in some)
        yield some
        if not is_new:
            return
    state.is_whole = False


def _deal(target: Target, means: Means, state: _State) -> str:
    """Why it stopped, if it did."""
    for group in _groups(state.todo, target):
        first = group[0][0]
        if means.seconds() > first.hidden_until - _CALL_SECONDS:
            return f"letters are hidden for {HIDDEN_SECONDS // 60} minutes, which are over"
        for outcome in _settled(group, target, means, state):
            state.outcomes.append(outcome)
            means.tell(len(state.outcomes), len(state.todo))
    return ""


def _groups(todo: Collection[_Letter], target: Target) -> list[list[_Letter]]:
    """What asks for the same together, the newest first; what is dropped or stays, each by itself."""
    groups: dict[str, list[_Letter]] = {}
    for held, said in sorted(todo, key=lambda one: one[0].letter.sent, reverse=True):
        key = said.same if said.to and not target.delete else held.letter.id
        groups.setdefault(key, []).append((held, said))
    return sorted(groups.values(), key=lambda group: group[-1][0].letter.sent)


def _settled(group: Sequence[_Letter], target: Target, means: Means, state: _State) -> Iterator[Outcome]:
    (held, said), *others = group
    if target.delete:
        outcome = Outcome(held=held, said=said, answer=Answer.DROPPED if target.apply else Answer.WOULD_DROP)
        yield _deleted(outcome, means, state, "it could not be dropped") if target.apply else outcome
    elif said.to is None:
        yield Outcome(held=held, said=said, answer=Answer.STAYS, why=said.advice)
    else:
        first = _sent(Outcome(held=held, said=said, answer=Answer.WOULD_SEND), said.to, target, means, state)
        yield first
        for other, asks in others:
            outcome = Outcome(held=other, said=asks, answer=first.answer, once_with=first.held.letter.id, why=first.why)
            yield _deleted(outcome, means, state, _STILL_THERE) if first.answer is Answer.SENT else outcome


def _sent(outcome: Outcome, to: Destination, target: Target, means: Means, state: _State) -> Outcome:
    if not target.apply:
        return outcome
    if state.failed[to] >= _ENOUGH:
        why = f"it was not tried, as {_ENOUGH} calls in a row for {to.logical_id} had failed"
        return replace(outcome, answer=Answer.FAILED, why=why)
    try:
        queues.send(means.client, to, outcome.said.payload)
    except Refused as error:
        state.failed[to] += 1
        return replace(outcome, answer=Answer.FAILED, why=str(error))
    state.failed[to] = 0
    return _deleted(replace(outcome, answer=Answer.SENT), means, state, _STILL_THERE)


def _deleted(outcome: Outcome, means: Means, state: _State, otherwise: str) -> Outcome:
    try:
        queues.delete(means.client, outcome.held)
    except Refused as error:
        return replace(outcome, answer=Answer.FAILED, why=f"{otherwise}: {error}")
    state.deleted.add(outcome.held.letter.id)
    return outcome


def _release(client: Clients, held: Sequence[Held]) -> int:
    """How many letters stay hidden until they come back by themselves. Interrupted once more it does not go on."""
    try:
        return queues.release(client, held)
    except KeyboardInterrupt:
        return len(held)
