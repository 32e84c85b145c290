"""What a run tells: the queues, then what is alike on one line (or one row of a table), or JSON; and how far it is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from apprunner_guardrails.alerts import counted, safe
from apprunner_guardrails.times import utc
from programs.show import bar, line
from redrive.letters import Kind
from redrive.queues import HIDDEN_SECONDS
from redrive.run import INTERRUPTED, Answer, Outcome, Run, Tell

_STYLES = {
    Answer.WOULD_SEND: "bold cyan",
    Answer.SENT: "bold green",
    Answer.WOULD_DROP: "bold cyan",
    Answer.DROPPED: "bold green",
    Answer.STAYS: "bold yellow",
    Answer.FAILED: "bold red",
}
_COUNTED = {
    Answer.WOULD_SEND: "would be sent back",
    Answer.SENT: "sent back",
    Answer.WOULD_DROP: "would be dropped",
    Answer.DROPPED: "dropped",
    Answer.STAYS: "to be looked at",
    Answer.FAILED: "failed",
}
_GONE = (Answer.WOULD_DROP, Answer.DROPPED)
_NAMED = 3  # ids on a line
_BODY = 2000  # characters of what is not understood
_SOON_SECONDS = 86_400
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Alike:
    """What is told together: letters of a queue that are there for the same reason and get the same answer."""

    queue: str
    answer: Answer
    what: str
    reason: str  # why it is in the queue
    then: str  # where it goes, or why it does not


def results(console: Console, run: Run) -> None:
    """Each queue, what is in it, what became of that or would, and what comes next."""
    for name, said in _queues(run).items():
        line(console, f"{name:<16}", "", said)
    groups = _groups(run.outcomes)
    if console.is_terminal and groups:
        console.print(_table(groups, run.now))
        for row, outcomes in enumerate(groups.values(), 1):
            line(console, f"#{row}", "dim", _ids(outcomes))
    for alike, outcomes in () if console.is_terminal else groups.items():
        line(console, alike.answer, _STYLES[alike.answer], _said(alike, outcomes, run.now))
    for one in run.not_found:
        line(console, "not found", "bold red", f"message {one}")
    console.print(_summary(run), soft_wrap=True)
    for said in _next(run):
        console.print(Text(said), soft_wrap=True)


def _queues(run: Run) -> dict[str, str]:
    """{"ValidateNetwork": "3 messages, the oldest 2 hours old"}"""
    said = {}
    for name, depth in run.depths.items():
        parts = [counted(depth.waiting, "message") if depth.waiting else "empty"]
        parts += [f"{depth.hidden} hidden, as somebody is looking at them"] if depth.hidden else []
        sent = [one.held.letter.sent for one in run.outcomes if one.held.queue.name == name]
        if sent:
            age = run.now - min(sent)
            left = depth.kept_seconds - age
            parts += [f"the oldest {_ago(age)} old"]
            parts += [f"which SQS deletes in {_ago(left)}"] if left < _SOON_SECONDS else []
        said[name] = ", ".join(parts)
    return said


def _groups(outcomes: Sequence[Outcome]) -> dict[_Alike, list[Outcome]]:
    groups: dict[_Alike, list[Outcome]] = {}
    for one in outcomes:
        said = one.said
        alike = _Alike(
            queue=one.held.queue.name,
            answer=one.answer,
            what=said.what or "a message",
            reason=": ".join(filter(None, (said.kind, said.reason))),
            then=one.why or (f"to {said.to.logical_id}" if said.to and one.answer not in _GONE else ""),
        )
        groups.setdefault(alike, []).append(one)
    return groups


def _said(alike: _Alike, outcomes: Sequence[Outcome], now: int) -> str:
    number = f"{len(outcomes)} x " if len(outcomes) > 1 else ""
    parts = (
        f"{alike.queue}: {number}{alike.what}",
        f"{_oldest(outcomes, now)} old",
        alike.reason,
        _then(alike, outcomes),
        _ids(outcomes),
    )
    return "; ".join(filter(None, parts))


def _table(groups: Mapping[_Alike, Sequence[Outcome]], now: int) -> Table:
    """Ids are too long for it, and are below it by the number of the row."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("#", "", "queue", "number", "oldest", "event", "why it is there", "then"):
        table.add_column(name, overflow="fold")
    for row, (alike, outcomes) in enumerate(groups.items(), 1):
        number, age = str(len(outcomes)), _oldest(outcomes, now)
        cells = (alike.queue, number, age, alike.what, alike.reason, _then(alike, outcomes))
        table.add_row(str(row), Text(alike.answer, _STYLES[alike.answer]), *(Text(safe(one)) for one in cells))
    return table


def _oldest(outcomes: Sequence[Outcome], now: int) -> str:
    return _ago(now - min(one.held.letter.sent for one in outcomes))


def _ids(outcomes: Sequence[Outcome]) -> str:
    events = _named("event", [one.said.id for one in outcomes if one.said.id])
    return "; ".join(filter(None, (events, _named("message", [one.held.letter.id for one in outcomes]))))


def _then(alike: _Alike, outcomes: Sequence[Outcome]) -> str:
    is_once = any(one.once_with for one in outcomes) and not outcomes[0].why
    return f"{alike.then}, once for all that ask for the same" if is_once else alike.then


def _named(thing: str, ids: Sequence[str]) -> str:
    """ "events 1, 2, 3 and 9 more"."""
    if not ids:
        return ""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{thing}{'s' * (len(ids) > 1)} {', '.join(ids[:_NAMED])}{more}"


def _summary(run: Run) -> Text:
    found = counted(len(run.outcomes) + run.not_reached, "message")
    where = f"{counted(len(run.depths), 'queue')}"
    answers = Counter(one.answer for one in run.outcomes)
    parts = [f"{answers[one]} {said}" for one, said in _COUNTED.items() if answers[one]]
    parts += [f"{run.not_reached} not reached"] if run.not_reached else []
    said = f": {', '.join(parts)}" if parts else ""
    return Text.assemble((found, "bold"), f" in {where}{said}")


def _next(run: Run) -> Iterator[str]:
    if run.stopped:
        why = "" if run.stopped == INTERRUPTED else f" ({run.stopped})"
        yield f"{'interrupted' if not why else 'stopped'}{why}: nothing is lost; run it again to continue"
    elif not run.is_whole and not run.target.delete:
        yield f"there may be more: no more than {counted(run.target.most, 'message')} a run (MAX)"
    if run.of(Answer.WOULD_SEND):
        yield "nothing was changed: mend the cause first, then APPLY=1 sends them back"
    if run.of(Answer.WOULD_DROP):
        yield "nothing was changed: APPLY=1 drops them, for good"
    if run.still_hidden:
        yield f"{counted(run.still_hidden, 'message')} cannot be seen for up to {HIDDEN_SECONDS // 60} minutes more"


def _ago(seconds: int) -> str:
    """ "3 hours", in the largest unit that there is one of."""
    for length, unit in _UNITS:
        if seconds >= length:
            return counted(seconds // length, unit)
    return "less than a minute"


def as_json(run: Run) -> dict[str, object]:
    """A run for programs. What a message holds is left out where it is understood: events name people, and where
    CloudFormation is answered is a secret."""
    return {
        "account": run.target.account,
        "region": run.target.region,
        "stack": run.target.stack,
        "apply": run.target.apply,
        "stopped": run.stopped or None,
        "queues": {name: {"messages": one.waiting, "hidden": one.hidden} for name, one in run.depths.items()},
        "looked_at_all": run.is_whole,
        "not_reached": run.not_reached,
        "not_found": list(run.not_found),
        "still_hidden": run.still_hidden,
        "messages": [
            {
                "id": one.held.letter.id,
                "queue": one.held.queue.name,
                "sent": utc(one.held.letter.sent),
                "kind": str(one.said.kind),
                "event": one.said.id or None,
                "what": one.said.what or None,
                "reason": one.said.reason or None,
                "answer": str(one.answer),
                "to": one.said.to.logical_id if one.said.to else None,
                "once_with": one.once_with or None,
                "why": one.why or None,
                "body": one.held.letter.body[:_BODY] if one.said.kind is Kind.UNKNOWN else None,
            }
            for one in run.outcomes
        ],
    }


@contextmanager
def progression(console: Console) -> Iterator[Tell]:
    shown = bar(console)
    task = shown.add_task("", total=None)

    def tell(done: int, messages: int) -> None:
        said = f"dealt with {done} of {messages} messages" if done else f"looked at {counted(messages, 'message')}"
        shown.update(task, description=said, completed=done, total=messages if done else None)

    with shown:
        yield tell
