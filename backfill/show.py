"""What a run tells: a table where a terminal shows it, a line each where it does not, or JSON; and how far it is."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from apprunner_guardrails.alerts import counted, safe
from apprunner_guardrails.tags.people import person
from apprunner_guardrails.tags.plan import keys
from backfill.history import CALLS, Page
from backfill.journal import Journal
from backfill.run import INTERRUPTED, Run, Target
from backfill.settle import Answer, Outcome
from programs.show import bar, line, note
from programs.show import heading as programs_heading

_STYLES = {
    Answer.WOULD_TAG: "bold cyan",
    Answer.TAGGED: "bold green",
    Answer.LATER: "bold yellow",
    Answer.FAILED: "bold red",
}
_COUNTED = {
    Answer.WOULD_TAG: "would be tagged",
    Answer.TAGGED: "tagged",
    Answer.LEFT: "left",
    Answer.LATER: "left for now",
    Answer.FAILED: "failed",
    Answer.BEFORE: "tagged before",
}
_REASONS_SHOWN = 12
_LINE_EVERY_SECONDS = 5


def heading(console: Console, target: Target, endpoint: str) -> None:
    """Whose resources get which tags, and where these come from."""
    programs_heading(console, "backfill", target.account, target.region, endpoint)
    tags = ", ".join(map(safe, sorted(keys(target.settings)))) or "none"
    of = f"of the stack {target.stack}" if target.stack else "the template's defaults (STACK=name takes a stack's own)"
    note(console, f"tags: {tags}; {of}")


def beginning(console: Console, journal: Journal, anew: str) -> None:
    """What was read before, if anything was, or why that is of no use."""
    read = sum(map(journal.has_all, CALLS))
    begun = f"{journal.begun:%Y-%m-%d %H:%M} UTC"
    if anew:
        note(console, f"begins anew, as {journal.path} cannot be continued: {anew}")
    elif read == len(CALLS):
        note(
            console, f"CloudTrail was read at {begun} and is not read again; FRESH=1 reads what was made since then too"
        )
    elif journal.pages:
        note(
            console, f"continues what was begun at {begun}: {read} of {len(CALLS)} calls are read; FRESH=1 starts anew"
        )


def results(console: Console, run: Run) -> None:
    """Each resource that gets tags, or could not; how many others were left, and why; what comes next."""
    tagged = run.of(Answer.WOULD_TAG, Answer.TAGGED)
    if console.is_terminal and tagged:
        console.print(_table(run, tagged))
    for one in () if console.is_terminal else tagged:
        said = f"{one.created.arn}  {'  '.join(_tags(one))}  ({_who(run, one)}, {one.created.time})"
        line(console, one.answer, _STYLES[one.answer], said)
    for one in run.of(Answer.LATER, Answer.FAILED):
        line(console, one.answer, _STYLES[one.answer], one.why)
    _counted(console, "left", "resource", Counter(one.why for one in run.of(Answer.LEFT)))
    _counted(console, "ignored", "event", _ignored(run.pages))
    for name, why in _not_read(run.pages).items():
        line(console, "not read", "bold red", f"event {name}: {why}")
    console.print(_summary(run), soft_wrap=True)
    if said := _next(run):
        console.print(Text(said), soft_wrap=True)


def _table(run: Run, tagged: Sequence[Outcome]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=_STYLES[tagged[0].answer])
    for name in (tagged[0].answer, "tags", "who", "when"):
        table.add_column(name, overflow="fold")
    for one in tagged:
        table.add_row(*map(Text, (one.created.arn, "\n".join(_tags(one)), _who(run, one), one.created.time)))
    return table


def _counted(console: Console, what: str, thing: str, reasons: Mapping[str, int]) -> None:
    """ "left          12 resources: it has every tag"; of many reasons the most frequent ones."""
    ranked = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    for why, number in ranked[:_REASONS_SHOWN]:
        line(console, what, "dim", f"{counted(number, thing)}: {why}")
    if others := ranked[_REASONS_SHOWN:]:
        rest = counted(sum(number for _, number in others), thing)
        line(console, what, "dim", f"{rest}: for {counted(len(others), 'further reason')}")


def _summary(run: Run) -> Text:
    found = counted(len(run.outcomes) + run.not_reached, "resource")
    answers = Counter(one.answer for one in run.outcomes)
    parts = [f"{answers[one]} {said}" for one, said in _COUNTED.items() if answers[one]]
    parts += [f"{run.not_reached} not reached"] if run.not_reached else []
    said = f": {', '.join(parts)}" if parts else ""
    return Text.assemble((found, "bold"), f" in {_read(run.pages)}{said}")


def _read(pages: Sequence[Page]) -> str:
    events, calls = sum(len(page.ids) for page in pages), sum(page.is_last for page in pages)
    return f"{counted(events, 'event')}, {counted(len(pages), 'page')}, {calls} of {len(CALLS)} calls"


def _next(run: Run) -> str:
    if not run.progress_file:
        return ""
    kept = f"what was read is used for a day, and {run.progress_file} may be deleted"
    if run.stopped:
        return f"{'interrupted' if run.stopped == INTERRUPTED else 'stopped'}: run it again to continue; {kept}"
    if run.of(Answer.WOULD_TAG):
        return f"nothing was changed: APPLY=1 puts these tags; {kept}"
    if run.of(Answer.LATER, Answer.FAILED):
        return f"APPLY=1 tries again what could not be tagged; {kept}"
    return ""


def as_json(run: Run) -> dict[str, object]:
    """A run for programs. `tags` are those that were put, or would be."""
    return {
        "account": run.target.account,
        "region": run.target.region,
        "stack": run.target.stack or None,
        "apply": run.target.apply,
        "stopped": run.stopped or None,
        "progress_file": run.progress_file or None,
        "read": {
            "calls": sorted(page.call for page in run.pages if page.is_last),
            "pages": len(run.pages),
            "events": sum(len(page.ids) for page in run.pages),
        },
        "ignored": dict(sorted(_ignored(run.pages).items())),
        "not_read": _not_read(run.pages),
        "not_reached": run.not_reached,
        "resources": [
            {
                "arn": one.created.arn,
                "call": one.created.what,
                "event": one.created.id,
                "who": _who(run, one),
                "when": one.created.time,
                "answer": str(one.answer),
                "tags": dict(one.tags),
                "why": one.why or None,
            }
            for one in run.outcomes
        ],
    }


def _tags(one: Outcome) -> list[str]:
    return [f"{key}={value}" for key, value in one.tags.items()]


def _who(run: Run, one: Outcome) -> str:
    return safe(person(one.created.by, emails=run.target.settings.emails_in_tags)) or "nobody that the record names"


def _ignored(pages: Sequence[Page]) -> Counter[str]:
    return sum((Counter(page.ignored) for page in pages), Counter())


def _not_read(pages: Sequence[Page]) -> dict[str, str]:
    return {name: why for page in pages for name, why in page.odd.items()}


class Progression:
    """How far a run is: a bar on a terminal, elsewhere a line now and then."""

    def __init__(self, console: Console, bar: Progress, task: TaskID, seconds: Callable[[], float]) -> None:
        self._console, self._bar, self._task, self._seconds = console, bar, task, seconds
        self._told_at = seconds()

    def __call__(self, pages: Sequence[Page], outcomes: Sequence[Outcome], resources: int) -> None:
        done, total = len(outcomes), resources
        said = f"looked at {done} of {counted(resources, 'resource')}"
        if not resources:
            done, total = sum(page.is_last for page in pages), len(CALLS)
            said = f"read {_read(pages)}"
        self._bar.update(self._task, description=said, completed=done, total=total)
        if not self._console.is_terminal and (done == total or self._seconds() - self._told_at >= _LINE_EVERY_SECONDS):
            self._told_at = self._seconds()
            note(self._console, said)


@contextmanager
def progression(console: Console, seconds: Callable[[], float]) -> Iterator[Progression]:
    shown = bar(console)
    with shown:
        yield Progression(console, shown, shown.add_task("", total=len(CALLS)), seconds)
