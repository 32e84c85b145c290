"""Alerts as SNS messages: for people who read e-mail, with attributes for subscriptions that filter.

Limits: subject under 100 characters, ASCII and without line breaks; message at most 262,144 bytes
(docs.aws.amazon.com/sns/latest/api/API_Publish.html). Whatever the outside can influence is put on one line, behind
words of our own.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from apprunner_guardrails.alerts import Alert, Explanation, counted, safe
from apprunner_guardrails.alerts._common import BY_TAG, FAILING, TOLD_BY, led_here, mark, marked, story
from apprunner_guardrails.alerts.kinds import kind_of
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.events import EXEMPTION, FailedCall
from apprunner_guardrails.exemptions import EXEMPTION_FORM, tag
from apprunner_guardrails.findings import NOT_JUDGED, Status
from apprunner_guardrails.ledger import OWNER_LENGTH, Kind, Transition
from apprunner_guardrails.light import dataclass

SUBJECT_LIMIT = 99
BODY_LIMIT = 200_000  # bytes; attributes count too, and some transports add to it
OVERVIEW_LIMIT = 60_000  # bytes of BODY_LIMIT: a line for each of many resources
OWNERS_LIMIT = 40_000  # bytes of the attributes, which count with the body
EVENTS_NAMED = 20  # in an attribute; the body has the id of each resource's
DETAIL_LIMIT = 20_000  # bytes that one of many resources may take
MESSAGES_SHOWN = 20
ACRONYMS = frozenset({"acl", "api", "dns", "http", "https", "ip", "nat", "tls", "vpc"})
# What rules' names begin with where it says what they are about, the longer before the shorter.
ABOUT = ("connector_", "service_", "ingress_connection_", "ingress_", "target_group_", "load_balancer_", "api_")
RULES_IN_SUBJECT = 3  # more would push out of the subject what it is about
COMMAND_LIMIT = 4000  # characters of a line: no rule comes near it
CUT = "[cut: there is more than one message holds]"
READ_HINT = (
    "What could not be judged has neither passed nor failed. Access denied: allow the function's role the call that is"
    " named. Throttled: it is read again at the next event or audit. A rule that broke needs a fix of its own."
)
# What an alert tells, and its status. The first that it has is what its subject is about.
_GROUPS = (
    (FAILING, Status.FAIL),
    ((Kind.REMINDED,), Status.FAIL),
    ((Kind.RESOLVED,), Status.PASS),
    ((Kind.EXEMPTED,), Status.EXEMPT),
)

type Attributes = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What SNS publishes. `attributes` maps a name to its SNS data type and value."""

    subject: str
    body: str
    attributes: Attributes


def render(alert: Alert) -> Message:
    """All that one evaluation has to tell about one resource: it has at least one transition."""
    return Message(subject=subject(alert), body=signed(_body(alert)), attributes=attributes((alert,)))


def render_many(alerts: Sequence[Alert]) -> Message:
    """One message for an audit that has something to tell of several resources of a Region, the worst first."""
    ranked = sorted(alerts, key=_urgency)
    if len(ranked) == 1:
        return render(ranked[0])
    words = f"{_mark_and_rules(ranked)}: {counted(len(ranked), 'resource')}"
    return Message(
        subject=short(f"{words}{place(ranked[0])}", SUBJECT_LIMIT),
        body=signed(_many(ranked)),
        attributes=attributes(ranked),
    )


def render_explanation(explanation: Explanation) -> Message:
    """Why a call or an operation failed, and what mends it."""
    failed = explanation.failed
    head = f"[{explanation.severity}] {ascii_line(failed.what, 40)}: "
    return Message(
        subject=fitted(head, explanation.title, place(failed)),
        body=signed(_explained(explanation)),
        attributes={
            "severity": ("String", explanation.severity.value),
            "status": ("String", "failed call"),
            "transition": ("String.Array", json.dumps(["failed call"])),
            "call": ("String", ascii_line(failed.what) or "?"),
            **event_ids((failed.id,)),
            **where(failed.account, failed.region),
        },
    )


def subject(alert: Alert) -> str:
    return fitted(f"{_mark_and_rules((alert,))}: {alert.resource_type} ", alert.resource_name, place(alert))


def attributes(alerts: Sequence[Alert]) -> Attributes:
    """What subscriptions filter on. The severity is the worst of all that is told: who hears of an opening by its
    severity hears of its end too, whatever else is told with it."""
    told = [one for alert in alerts for one in alert.transitions]
    rules = {one.finding.rule for one in told} - {NOT_JUDGED} or {
        one.rule for alert in alerts for one in alert.unjudged
    }
    owners = _owners(alerts)
    return {
        "severity": ("String", min((alert.severity for alert in alerts), key=lambda one: one.rank).value),
        "status": ("String", next((status for kinds, status in _GROUPS if _told(alerts, kinds)), Status.UNKNOWN).value),
        "transition": ("String.Array", json.dumps(sorted({one.kind.value for one in told}))),
        "rules": ("String.Array", json.dumps(sorted(rules or {NOT_JUDGED}))),
        "resource_type": _one_or_several({alert.resource_type for alert in alerts}),
        **({"owner": _one_or_several(owners)} if owners else {}),
        **event_ids(alert.event_id for alert in alerts),
        **where(alerts[0].account, alerts[0].region),
    }


def _owners(alerts: Sequence[Alert]) -> Sequence[str]:
    """Whose the resources are, as far as that is known: of very many those of the first."""
    names = list(dict.fromkeys(ascii_line(alert.owner, OWNER_LENGTH) for alert in alerts if alert.owner))
    return names[: len(_fitting([json.dumps(name) for name in names], OWNERS_LIMIT))]


def _one_or_several(values: Iterable[str]) -> tuple[str, str]:
    found = sorted(values)
    return ("String", found[0]) if len(found) == 1 else ("String.Array", json.dumps(found))


def where(account: str, region: str) -> Attributes:
    return {  # SNS refuses empty values, and drops some of Unicode
        "account": ("String", ascii_line(account) or "?"),
        "region": ("String", ascii_line(region) or "?"),
    }


def event_ids(ids: Iterable[str]) -> Attributes:
    """The events that led to a message: of an audit's there is one, of a burst of changes perhaps several."""
    known = [ascii_line(one) for one in dict.fromkeys(ids) if one][:EVENTS_NAMED]
    return {"event_id": _one_or_several(known)} if known else {}


def place(of: Alert | FailedCall) -> str:
    return f" in {of.account} {of.region}"


def short(text: str, limit: int = SUBJECT_LIMIT) -> str:
    """The text in ASCII, in at most `limit` characters."""
    text = ascii_line(text)
    return text if len(text) <= limit else text[: max(limit, 3) - 3] + "..."


def ascii_line(text: str, limit: int = 1000) -> str:
    return safe(text, limit).encode("ascii", "replace").decode("ascii")


def console_link(region: str, resource: str = "") -> str:
    """The console in a Region that shows a resource of that kind. AWS documents no deeper links."""
    console = kind_of(resource).console
    if not re.fullmatch(r"[a-z0-9-]{1,40}", region):
        return f"https://console.aws.amazon.com/{console}/home"  # whatever that is, it does not choose the host
    return f"https://{region}.console.aws.amazon.com/{console}/home?region={region}"


def cut_lines(lines: Iterable[str], limit: int = BODY_LIMIT) -> str:
    """The lines in at most about `limit` bytes: whole ones, as half a command is worse than none."""
    raw = "\n".join(lines).encode("utf-8", "replace")
    if len(raw) <= limit:
        return raw.decode()
    return f"{raw[:limit].rpartition(b'\n')[0].decode()}\n{CUT}"


def signed(lines: Iterable[str]) -> str:
    """The lines as the body of a message, with the version that tells it below."""
    return f"{cut_lines(lines)}\n\n{TOLD_BY}"


def unjudged(alert: Alert) -> Iterator[str]:
    """What could not be judged, a line a rule: as the rules said it, else as it is recorded."""
    for finding in alert.unjudged:
        how = {Status.FAIL: "in part, ", Status.ERROR: "the rule itself broke, "}.get(finding.status, "")
        yield f"{finding.rule} {finding.name}: {how}{safe(finding.unread)}"
    for one in () if alert.unjudged else alert.transitions:
        if one.finding.rule == NOT_JUDGED and one.kind is not Kind.RESOLVED:
            yield from map(safe, one.finding.messages)


def _told(alerts: Sequence[Alert], kinds: Iterable[Kind]) -> list[Transition]:
    found = (one for alert in alerts for one in alert.told(*kinds))
    return sorted(found, key=lambda one: (one.finding.severity.rank, one.finding.rule))


def _over(alert: Alert) -> tuple[Transition, ...]:
    """What is over, AR902 too."""
    judged = (one for one in alert.transitions if one.kind is Kind.RESOLVED and one.finding.rule == NOT_JUDGED)
    return (*alert.told(Kind.RESOLVED), *judged)


def _urgency(alert: Alert) -> tuple[int, int, str]:
    """Sorts the most urgent alert first."""
    for group, (kinds, _) in enumerate(_GROUPS):
        if told := alert.told(*kinds):
            return group, told[0].finding.severity.rank, alert.resource
    return len(_GROUPS), 0, alert.resource


def _mark_and_rules(alerts: Sequence[Alert]) -> str:
    """The beginning of a subject: "[HIGH] AR102 public subnet", "[HIGH] AR102 AR107 AR203 +2"."""
    for kinds, _ in _GROUPS:
        if told := _told(alerts, kinds):
            rules = list(dict.fromkeys(one.finding.rule for one in told))
            if len(rules) == 1:
                return f"[{mark(told[0])}] {rules[0]} {_words(told[0].finding.name)}".rstrip()
            more = f" +{len(rules) - RULES_IN_SUBJECT}" if len(rules) > RULES_IN_SUBJECT else ""
            return f"[{mark(told[0])}] {' '.join(rules[:RULES_IN_SUBJECT])}{more}"
    missing = sum(len(list(unjudged(alert))) for alert in alerts)
    return f"[UNKNOWN] {_guardrails(missing)} not judged" if missing else f"[RESOLVED] {NOT_JUDGED}"


def _words(name: str) -> str:
    """A rule's name for people: connector_nat_unusable is "NAT unusable"; what it is about is said anyway."""
    about = next((one for one in ABOUT if name.startswith(one)), "")
    words = name.removeprefix(about).split("_")
    return " ".join(word.upper() if word in ACRONYMS else word for word in words)


def fitted(head: str, middle: str, tail: str) -> str:
    """A subject in which what is in the middle is cut first: it comes from outside, and its end says least."""
    return short(head + short(middle, SUBJECT_LIMIT - len(head + tail)) + tail)


def _guardrails(count: int) -> str:
    return counted(count, "guardrail")


def _many(ranked: Sequence[Alert]) -> Iterator[str]:
    first = ranked[0]
    yield f"{counted(len(ranked), 'resource')} of account {safe(first.account)}, Region {safe(first.region)}"
    yield ""
    yield from _led_here(first.what, first.caller, first.time, first.event_id)
    yield f"Console   {console_link(first.region, first.resource)}"
    yield ""
    listed = _fitting([_overview(one) for one in ranked], OVERVIEW_LIMIT)
    yield from listed
    if len(listed) < len(ranked):
        yield f"- and {counted(len(ranked) - len(listed), 'resource')} more"
    details = [cut_lines(("", "=" * 72, *_body(one)), DETAIL_LIMIT) for one in ranked]
    shown = _fitting(details, BODY_LIMIT - OVERVIEW_LIMIT)
    yield from shown
    if len(shown) < len(ranked):
        yield ""
        yield f"[cut: the details of {counted(len(ranked) - len(shown), 'resource')} would not fit]"


def _overview(alert: Alert) -> str:
    owner = f", owner {safe(alert.owner, OWNER_LENGTH)}" if alert.owner else ""
    return f"- {_mark_and_rules((alert,))}: {alert.resource_type} {safe(alert.resource_name, 100)}{owner}"


def _fitting(texts: Sequence[str], limit: int) -> Sequence[str]:
    """The first of the texts, as many as have room in so many bytes."""
    room = limit
    for number, text in enumerate(texts):
        room -= len(text.encode("utf-8", "replace")) + 1
        if room < 0:
            return texts[:number]
    return texts


def _body(alert: Alert) -> Iterator[str]:
    failing = (*alert.told(*FAILING), *alert.told(Kind.REMINDED))
    missing = list(unjudged(alert))
    yield _headline(alert, len(missing))
    yield ""
    event = _led_here(alert.what, alert.caller, alert.time, alert.event_id)
    yield from _head(alert.resource, alert.account, alert.region, event, owner=alert.owner)
    for transition in failing:
        yield ""
        yield from _failure(transition)
    if sum(one.finding.replaces_connector for one in failing) > 1:
        yield ""
        yield "Several of these fixes replace the connector: make one new connector that satisfies them all."
    yield from _acceptance(alert, [one.finding.rule for one in failing])
    for transition in (*_over(alert), *alert.told(Kind.EXEMPTED)):
        yield ""
        yield from _no_more(transition)
    if alert.standing:
        yield ""
        yield "Still open:"
        yield from (f"- {one.severity} {one.rule} {one.title}" for one in alert.standing)
    if missing:
        yield ""
        yield "Could not be judged:"
        yield from (f"- {line}" for line in missing)
        yield READ_HINT


def _headline(alert: Alert, missing: int) -> str:
    about = f"{alert.resource_type} {safe(alert.resource_name)}"
    clauses = [
        f"{verb} {_guardrails(count)}"
        for verb, count in (
            ("breaks", len(alert.told(*FAILING))),
            ("still breaks", len(alert.told(Kind.REMINDED))),
            ("no longer breaks", len(alert.told(Kind.RESOLVED))),
            ("is exempt from", len(alert.told(Kind.EXEMPTED))),
        )
        if count
    ]
    if not clauses:
        return f"{_guardrails(missing)} could not be judged for {about}" if missing else f"{about} can be judged again"
    return f"{about} {', '.join(clauses)}"


def _led_here(what: str, caller: Caller, time: str, event_id: str) -> Iterator[str]:
    yield f"Event     {led_here(what, caller, time)}"
    if event_id:
        yield f"Event id  {safe(event_id)}"


def _head(resource: str, account: str, region: str, event: Iterable[str], *, owner: str = "") -> Iterator[str]:
    if resource:
        yield f"Resource  {safe(resource)}"
    if owner:
        yield f"Owner     {safe(owner, OWNER_LENGTH)} {BY_TAG}"
    yield f"Where     account {safe(account)}, Region {safe(region)}"
    yield from event
    yield f"Console   {console_link(region, resource)}"


def _failure(transition: Transition) -> Iterator[str]:
    finding = transition.finding
    yield f"{finding.severity} {finding.rule} {finding.title}"
    yield from (f"  {safe(line)}" for line in story(transition))
    yield from _listed(list(marked(transition)))
    yield f"  Why: {finding.risk}"
    yield f"  Fix: {finding.remediation}"
    yield from _commands(finding.command)
    yield f"  See: {finding.reference}"


def _acceptance(alert: Alert, failing: Sequence[str]) -> Iterator[str]:
    """How to exempt what fails. Ids of the guardrails' own (AR9xx) cannot be exempted."""
    rules = [rule for rule in failing if can_be_exempted(rule)]
    if rules:
        key = f"{EXEMPTION}{rules[0] if len(rules) == 1 else 'RULE_ID'}"
        yield ""
        yield "To accept it until a day instead:" if len(rules) == 1 else "To accept one of them until a day instead:"
        yield f"    {tag(safe(alert.resource), safe(alert.region), {key: EXEMPTION_FORM})}"


def can_be_exempted(rule: str) -> bool:
    return not rule.startswith("AR9")


def _no_more(transition: Transition) -> Iterator[str]:
    """What is over or exempt."""
    finding = transition.finding
    yield f"{mark(transition)} {finding.rule} {finding.title}"
    yield from (f"  {safe(line)}" for line in story(transition))
    yield from _listed(list(marked(transition)))


def _listed(messages: Sequence[str]) -> Iterator[str]:
    for message in messages[:MESSAGES_SHOWN]:
        yield f"  - {safe(message)}"
    if len(messages) > MESSAGES_SHOWN:
        yield f"  - and {len(messages) - MESSAGES_SHOWN} more"


def _commands(commands: str) -> Iterator[str]:
    """Each whole, or not at all."""
    for command in commands.split("\n") if commands else ():
        said = safe(command, len(command))
        yield f"    {said if len(said) <= COMMAND_LIMIT else '# a command that is too long for a message'}"


def _explained(explanation: Explanation) -> Iterator[str]:
    failed = explanation.failed
    yield f"Failed: {safe(explanation.title)}"
    yield ""
    event = _led_here(failed.what, failed.caller, failed.time, failed.id)
    yield from _head(failed.resource, failed.account, failed.region, event)
    yield ""
    yield f"What happened: {safe(explanation.what, 4000)}"
    yield ""
    if explanation.causes:
        yield "Likely cause, as the account shows it:"
        yield from _listed(explanation.causes)
    else:
        missing = ", as far as it could be read" if explanation.unread else ""
        yield f"Nothing that explains it was found in the account{missing}."
    if explanation.commands:
        yield ""
        yield "To fix it:"
        yield from _commands(explanation.commands)
    if explanation.unread:
        yield ""
        yield "Could not be read:"
        yield from (f"- {safe(one)}" for one in explanation.unread)
    yield ""
    yield f"See: {explanation.reference}"
