"""One run, whole or stopped on the way: read what was not read yet, then look at each resource."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import Created
from backfill.history import CALLS, Lookup, Page, oldest, pages
from backfill.journal import Journal
from backfill.settle import SETTLED, Answer, Outcome
from programs.aws import Unusable

INTERRUPTED = "interrupted"

type Settle = Callable[[Created], Outcome]
type Tell = Callable[[Sequence[Page], Sequence[Outcome], int], None]  # how far it is: of how many resources


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Whose resources get which tags."""

    account: str
    region: str
    stack: str  # that the settings are of; empty for the template's defaults
    settings: Settings
    apply: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What came of it."""

    target: Target
    pages: Sequence[Page]
    outcomes: Sequence[Outcome]
    not_reached: int  # resources
    stopped: str  # why it did not come to its end; empty if it did
    progress_file: str  # where the next run continues; empty if nothing is left to do

    def of(self, *answers: Answer) -> list[Outcome]:
        return [one for one in self.outcomes if one.answer in answers]


def run(target: Target, journal: Journal, look_up: Lookup, settle: Settle, tell: Tell) -> Run:
    """Whatever stops it, what was done until then is told."""
    outcomes: list[Outcome] = []
    todo: list[Created] = []
    stopped = ""
    try:
        for page in _read(target, journal, look_up):
            journal.add(page)
            tell(journal.pages, (), 0)
        todo = oldest(journal.pages)
        for one in todo:
            outcomes.append(_settled(one, target, journal, settle))
            tell(journal.pages, outcomes, len(todo))
    except KeyboardInterrupt:
        stopped = INTERRUPTED
    except Unusable as error:
        stopped = str(error)
    is_over = not stopped and all(one.answer in SETTLED for one in outcomes)
    return Run(
        target=target,
        pages=tuple(journal.pages),
        outcomes=tuple(outcomes),
        not_reached=len(todo) - len(outcomes),
        stopped=stopped,
        progress_file="" if is_over else str(journal.path),
    )


def _read(target: Target, journal: Journal, look_up: Lookup) -> Iterator[Page]:
    for call in CALLS:
        if not journal.has_all(call):
            yield from pages(call, journal.of(call), look_up, target.account, target.region)


def _settled(one: Created, target: Target, journal: Journal, settle: Settle) -> Outcome:
    if target.apply and journal.is_done(one.arn, target.settings):
        return Outcome(created=one, answer=Answer.BEFORE)
    outcome = settle(one)
    if outcome.answer is Answer.TAGGED:  # what was left may have been bound by the next run: that looks again
        journal.done(one.arn, target.settings)
    return outcome
