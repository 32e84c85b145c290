"""What people are told: one alert, and one module for each way to render it. All of it is pure."""

from apprunner_guardrails.callers import Caller
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.findings import NOT_JUDGED, Finding, Severity
from apprunner_guardrails.ledger import Channel, Kind, Transition
from apprunner_guardrails.light import dataclass, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """What one evaluation has to tell about one resource.

    `transitions` are told now; `unjudged` (rules that could not answer) and `standing` (what fails still and was told
    before) are there for the reader to see the whole.
    """

    resource: str  # ARN
    resource_name: str
    resource_type: str  # the word of its kind, of those in alerts/kinds.py
    account: str
    region: str
    event_id: str  # of what led here; empty where it has none
    owner: str = ""  # whom a tag of the resource names; empty where that is not known
    what: str  # the call, status or schedule that led here
    caller: Caller
    time: str
    transitions: tuple[Transition, ...]
    unjudged: tuple[Finding, ...] = ()
    standing: tuple[Finding, ...] = ()

    def on(self, channel: Channel) -> "Alert":
        """The part of it that goes to a channel."""
        return replace(self, transitions=tuple(one for one in self.transitions if channel in one.channels))

    def told(self, *kinds: Kind) -> tuple[Transition, ...]:
        """The transitions of some kinds, the worst first, then by rule; AR902 is told as `unjudged`."""
        told = (one for one in self.transitions if one.kind in kinds and one.finding.rule != NOT_JUDGED)
        return tuple(sorted(told, key=lambda one: (one.finding.severity.rank, one.finding.rule)))

    @property
    def severity(self) -> Severity:
        """The worst of what is told."""
        return min((one.finding.severity for one in self.transitions), key=lambda severity: severity.rank)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A call or an operation that failed, in plain words, with what the account shows about the reason."""

    failed: FailedCall
    title: str  # one line: "VPC connector orders cannot be deleted while services use it"
    severity: Severity
    what: str  # what happened, a sentence or two
    causes: tuple[str, ...]  # likely ones, read from the account, the likeliest first; empty where none was found
    commands: str  # to paste, filled in; words in capitals are for the reader; may be empty
    reference: str  # a page of AWS's documentation, or a report by users
    cause: str  # the kind of cause and what it is about: the same caller hears of the same one once an hour
    unread: tuple[str, ...] = ()  # reads that failed on the way ("apprunner:ListServices failed (AccessDenied)")


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def safe(text: str, limit: int = 1000) -> str:
    """One line of printable text, cut to `limit` characters: what comes from outside cannot break or forge lines.

    Line breaks, control and direction marks and lone surrogates become "?", runs of them one; at either end they go.
    """
    if not text.isprintable():
        marked = "".join(char if char.isprintable() else "\0" for char in text)
        text = "?".join(part for part in marked.split("\0") if part) or "?"
    return text if len(text) <= limit else text[: limit - 1] + "…"
