"""From answers to alerts: plan against the ledger, claim, tell on every channel, settle.

Nobody is told twice, and nothing is lost: what was claimed and not settled is anybody's to tell once the lease is over.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypedDict

from apprunner_guardrails.alerts import Alert
from apprunner_guardrails.alerts.kinds import kind_of, resource_name
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.findings import NOT_JUDGED, Finding, Severity, Status
from apprunner_guardrails.ledger import Busy, Channel, Key, Kind, Plan, Record, State, Terms, Transition, plan, settled
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.rules import by_id

NAMED = 5  # transitions in an error

type Send = Callable[[Sequence[Alert]], Mapping[Key, str]]


class NotPublished(Exception):
    """Something could not be told on some channel. It is still owed; the invocation must fail, to be tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """What the rules answer about one resource, exemptions applied, whose it is, and what led to asking them: a call or
    schedule, by the id of its event.

    What is recorded of other rules is over: of those that are switched off, and of all where the resource is gone. Of
    those whose ids are `left`, which were not asked now, it stays. `notes` are written with what is told: nobody hears
    of them.
    """

    resource: str
    account: str
    region: str
    event_id: str
    what: str
    caller: Caller
    time: str
    findings: tuple[Finding, ...]  # none: it is gone
    left: frozenset[str] = frozenset()
    owner: str = ""
    notes: tuple[Transition, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What telling needs of the world. `recorded` reads a resource's records afresh; `claim` gives back what was won;
    a channel's `send` gives back what did not get there, and why; `together` does several things at once."""

    recorded: Callable[[str], tuple[Record, ...]]
    claim: Callable[[Sequence[Transition]], Sequence[Transition]]
    settle: Callable[[Sequence[Record]], None]
    send: Mapping[Channel, Send]
    together: Callable[[Sequence[Callable[[], Mapping[Key, str]]]], Sequence[Mapping[Key, str]]]
    now: Callable[[], int]
    reminder_seconds: int

    def terms(self, who: str, owner: str = "") -> Terms:
        return Terms(
            now=self.now(), who=who, channels=tuple(self.send), reminder_seconds=self.reminder_seconds, owner=owner
        )


def tell(
    evaluations: Sequence[Evaluation], recorded: Mapping[str, tuple[Record, ...]], means: Means
) -> tuple[Transition, ...]:
    """Tell what is new, in one alert a resource; what was claimed comes back.

    Raises NotPublished and Busy after everything else is done.
    """
    by_resource = {one.resource: one for one in evaluations}
    won, busy = _claimed(by_resource, recorded, means)
    won_of: dict[str, list[Transition]] = defaultdict(list)
    for one in won:
        won_of[one.finding.resource].append(one)
    alerts = tuple(
        _alert(by_resource[resource], some, recorded[resource])
        for resource, some in sorted(won_of.items())
        if any(one.channels for one in some)
    )
    failures = _sent(alerts, means)
    owed = [one for one in won if one.channels]
    if owed:
        means.settle([settled(one, _reached(one, failures), means.now()) for one in owed])
    if any(failures.values()):
        raise NotPublished("; ".join(_failed(failures)))
    if busy:
        raise Busy(f"another evaluation is just telling of {', '.join(busy)}, and the answers have changed since")
    return tuple(won)


def tell_once(transition: Transition, sends: Mapping[Channel, Callable[[], str]], means: Means) -> None:
    """Tell something that is no finding's, if it is this invocation's to tell. Raises NotPublished.

    A channel's send gives back what went wrong, empty if nothing did.
    """
    won = means.claim((transition,))
    if won and transition.channels:
        key = transition.key
        asked = [_keyed(sends[channel], key) for channel in transition.channels]
        failures = dict(zip(transition.channels, means.together(asked), strict=True))
        means.settle([settled(transition, _reached(transition, failures), means.now())])
        if any(failures.values()):
            raise NotPublished("; ".join(_failed(failures)))


def _keyed(send: Callable[[], str], key: Key) -> Callable[[], Mapping[Key, str]]:
    def sent() -> Mapping[Key, str]:
        why = send()
        return {key: why} if why else {}

    return sent


def _claimed(
    evaluations: Mapping[str, Evaluation], recorded: Mapping[str, tuple[Record, ...]], means: Means
) -> tuple[list[Transition], list[str]]:
    """What this evaluation has to tell and write, and what others are telling that it sees differently.

    A claim that is lost was won by somebody who may have read AWS later. Where they recorded the same, all is said;
    else these answers are too old to be told.
    """
    plans = {resource: _plan(one, recorded[resource], means) for resource, one in sorted(evaluations.items())}
    busy = [f"{rule} of {resource}" for resource, one in plans.items() for rule in one.busy]
    notes = [note for resource in plans for note in evaluations[resource].notes]
    wanted = [transition for one in plans.values() for transition in one.transitions] + notes
    won = list(means.claim(wanted)) if wanted else []
    kept = {one.key for one in won}
    for resource in sorted({one.finding.resource for one in wanted if one.key not in kept}):
        records = means.recorded(resource)
        again = _plan(evaluations[resource], records, means)
        lost = [one for one in evaluations[resource].notes if one.key not in kept and not _is_noted(one, records)]
        overtaken = {one.finding.rule for one in (*again.transitions, *lost)} | set(again.busy)
        busy += [f"{rule} of {resource}" for rule in sorted(overtaken)]
    return won, busy


def _is_noted(note: Transition, records: Iterable[Record]) -> bool:
    """Whether somebody else wrote the same."""
    wanted = note.record
    return any((one.rule, one.messages, one.who) == (wanted.rule, wanted.messages, wanted.who) for one in records)


def _plan(evaluation: Evaluation, records: tuple[Record, ...], means: Means) -> Plan:
    return plan(_answers(evaluation, records), records, means.terms(who(evaluation.caller), evaluation.owner))


def _answers(evaluation: Evaluation, records: Iterable[Record]) -> tuple[Finding, ...]:
    """The rules' answers, whether all could be judged, and the end of what nobody judges any more, till all know."""
    asked = (*evaluation.findings, not_judged(evaluation.resource, evaluation.findings, evaluation.left, records))
    rules = {one.rule for one in asked} | evaluation.left
    over = tuple(
        _over(one) for one in records if one.rule not in rules and (one.state is not State.RESOLVED or one.owed)
    )
    return (*asked, *over)


def not_judged(
    resource: str, findings: Iterable[Finding], left: Collection[str] = (), records: Iterable[Record] = ()
) -> Finding:
    """The answers that are missing, as a finding of their own (AR902): that too is told once.

    What is recorded of rules that were `left` now is still missing.
    """
    told = [one for one in findings if one.unread]
    missing = {one.rule: f"{one.rule} {one.name}: {one.unread}" for one in told}
    recorded = next((one for one in records if one.rule == NOT_JUDGED and one.state is State.OPEN), None)
    carried = {one[:5]: one for one in (recorded.messages if recorded else ()) if one[:5] in left}
    severities = [one.severity for one in told] + ([recorded.severity] if recorded and carried else [])
    missing |= carried
    return Finding(
        resource=resource,
        rule=NOT_JUDGED,
        name="resource_not_judged",
        title="Some guardrails could not be judged",
        severity=min(severities, key=lambda one: one.rank, default=Severity.INFO),
        status=Status.FAIL if missing else Status.PASS,
        messages=tuple(sorted(missing.values())),
        faults=tuple(sorted(missing)),
        # Marks the list as one that may be short: a rule that answers again is no news.
        unread="some reads failed" if missing else "",
    )


def _over(record: Record) -> Finding:
    """The end of a finding whose resource is gone, or whose rule is switched off or no more."""
    rule = by_id().get(record.rule)
    return Finding(
        resource=record.resource,
        rule=record.rule,
        name=rule.name if rule else "",
        title=rule.title if rule else "A guardrail that is no longer there",
        severity=record.severity,
        status=Status.PASS,
    )


def _alert(evaluation: Evaluation, told: Sequence[Transition], records: Iterable[Record]) -> Alert:
    told_rules = {one.finding.rule for one in told if one.channels}
    was_open = {one.rule for one in records if one.state is State.OPEN}
    return Alert(
        resource=evaluation.resource,
        resource_name=resource_name(evaluation.resource),
        resource_type=kind_of(evaluation.resource).word,
        account=evaluation.account,
        region=evaluation.region,
        event_id=evaluation.event_id,
        what=evaluation.what,
        caller=evaluation.caller,
        time=evaluation.time,
        owner=_owner(told),
        transitions=tuple(one for one in told if one.channels),
        unjudged=tuple(one for one in evaluation.findings if one.unread),
        standing=tuple(
            one
            for one in evaluation.findings
            if one.status is Status.FAIL and one.rule not in told_rules and one.rule in was_open
        ),
    )


def _owner(told: Iterable[Transition]) -> str:
    """Whose it is: the evaluation's owner, else the last that was recorded. What is gone has no tags, and those of a
    service that breaks no rule are not asked for."""
    return next((one.record.owner for one in told if one.channels and one.record.owner), "")


def who(caller: Caller) -> str:
    """Whose call it was, in a line: "alice with Terraform"."""
    tool = f" with {caller.tool}" if caller.tool and caller.tool != caller.name else ""
    return f"{caller.name}{tool}".strip()


def _sent(alerts: Sequence[Alert], means: Means) -> dict[Channel, Mapping[Key, str]]:
    """What did not get there, by channel. All channels at once: one that hangs must not keep the others waiting."""
    owed = {
        channel: [one for one in (alert.on(channel) for alert in alerts) if one.transitions] for channel in means.send
    }
    channels = [channel for channel in means.send if owed[channel]]
    sends = [_send(means.send[channel], owed[channel]) for channel in channels]
    return dict(zip(channels, means.together(sends), strict=True))


def _send(send: Send, alerts: Sequence[Alert]) -> Callable[[], Mapping[Key, str]]:
    return lambda: send(alerts)


def _reached(transition: Transition, failures: Mapping[Channel, Mapping[Key, str]]) -> tuple[Channel, ...]:
    return tuple(one for one in transition.channels if transition.key not in failures.get(one, {}))


def _failed(failures: Mapping[Channel, Mapping[Key, str]]) -> Iterable[str]:
    for channel, failed in failures.items():
        if failed:
            named = [f"{rule} of {resource}" for resource, rule in sorted(failed)]
            more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
            why = "; ".join(sorted(set(failed.values())))
            yield f"{', '.join(named[:NAMED])}{more} did not reach {channel}: {why}"


class Listed(TypedDict):
    """A transition in a function's result."""

    resource: str
    rule: str
    severity: str
    messages: list[str]


class Result(TypedDict):
    """A function's result. `resources`: ARN → rule → answer; `alerts`: messages that the alert topic got."""

    resources: dict[str, dict[str, str]]
    opened: list[Listed]
    changed: list[Listed]
    resolved: list[Listed]
    alerts: int


def as_json(evaluations: Iterable[Evaluation], told: Iterable[Transition], alerts: int) -> Result:
    """The functions' result: every rule's answer by resource, and what was told now."""
    return {
        "resources": {
            one.resource: {finding.rule: finding.status.value for finding in one.findings} for one in evaluations
        },
        "opened": _listed(told, Kind.OPENED, Kind.REOPENED, Kind.EXPIRED),
        "changed": _listed(told, Kind.CHANGED),
        "resolved": _listed(told, Kind.RESOLVED),
        "alerts": alerts,
    }


def merged(results: Iterable[Result]) -> Result:
    """What several answers of one invocation say together."""
    whole = Result(resources={}, opened=[], changed=[], resolved=[], alerts=0)
    for one in results:
        whole["resources"] |= one["resources"]
        whole["opened"] += one["opened"]
        whole["changed"] += one["changed"]
        whole["resolved"] += one["resolved"]
        whole["alerts"] += one["alerts"]
    return whole


def _listed(told: Iterable[Transition], *kinds: Kind) -> list[Listed]:
    return [
        {
            "resource": one.finding.resource,
            "rule": one.finding.rule,
            "severity": one.finding.severity.value,
            "messages": list(one.finding.messages),
        }
        for one in told
        if one.kind in kinds and one.finding.rule != NOT_JUDGED
    ]
