"""From understood events to what was told: judge or explain, then tell."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from apprunner_guardrails import observe
from apprunner_guardrails.aws import apigateway, findings_table
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.members import clients_at
from apprunner_guardrails.aws.reads import Pace, Reads, together
from apprunner_guardrails.drift import Change
from apprunner_guardrails.events import FailedCall, Ignored, Trigger
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.judge import BESIDE_EVENTS, Answers, Terms, judge_connector, judge_service
from apprunner_guardrails.ledger import Busy, Channel, Transition, failed_call, plan_once
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.members import Place, is_elsewhere, place_of, unreadable
from apprunner_guardrails.outlets import Outlets
from apprunner_guardrails.paths.triggers import PathChange
from apprunner_guardrails.rules import check_overrides
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tell import Evaluation, Means, NotPublished, Result, as_json, tell, tell_once, who
from apprunner_guardrails.validate import Judged, evaluation_of, judge, judge_changes

# An operation that failed leaves a service whose network is worth a look, whatever the reason.
_JUDGED_TOO = ("CreateServiceFailed", "UpdateServiceFailed")

type Asked = Trigger | FailedCall | Change | PathChange
type Now = Callable[[], int]  # seconds since 1970
type MakePace = Callable[[float], Callable[[], None]]  # of how many calls a second there may be


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What one invocation judged and told. `alerts` counts the messages that were published to the alert topic."""

    evaluations: tuple[Evaluation, ...]
    told: tuple[Transition, ...]
    alerts: int

    def as_json(self) -> Result:
        return as_json(self.evaluations, self.told, self.alerts)


def respond(
    asked: Sequence[Asked], client: Clients, settings: Settings, now: Now, *, pace: MakePace = Pace
) -> Report | Ignored:
    """Judge what events are about, explain calls that failed, and tell what is new.

    All of `asked` is of one account and Region. Of a member that lets nobody in it is told that it does
    not, once, and of what the events name the answers are unknown.

    `pace` makes what calls of API Gateway wait for, which bears fewer a second than other services, whoever makes them.
    Raises BadSettings, LedgerUnavailable, NotRead, NotAssumed, NotPublished and Busy: then it is to be tried again, and
    what was told already is not told again.
    """
    check_overrides(settings)
    place = place_of(asked[0].account, asked[0].region, settings)
    asked = [own for own in (_own(one, place) for one in asked) if own]
    if not asked:
        return Ignored(why=f"what the events name is not in {place.account} {place.region}, which tells of it")
    outlets = Outlets(client, settings)
    clients = clients_at(place, client, settings)
    if isinstance(clients, Unread):
        observe.members_unread({place.account: str(clients)})
        means = means_of_telling(client, settings, outlets, now, place.account)
        return _of_unread_member(asked, clients, Terms(settings=settings, now=now()), means, outlets)
    reads = Reads(clients, paces=apigateway.paces(pace))
    means = means_of_telling(client, settings, outlets, now, place.key)
    judged, ignored = _judged(asked, Terms(settings=settings, now=now()), reads)
    observe.judged(one.evaluation for one in judged)
    late: list[Exception] = []
    told: tuple[Transition, ...] = ()
    if judged:
        with held(late):
            told = tell(
                [one.evaluation for one in judged], {one.evaluation.resource: one.recorded for one in judged}, means
            )
    failed = [one for one in asked if isinstance(one, FailedCall)]
    for call in failed:
        with held(late):
            _tell_why(call, settings, reads, outlets, means)
    raise_first(late)
    if not judged and not failed:
        return Ignored(why="; ".join(dict.fromkeys(one.why for one in ignored)))
    return Report(evaluations=tuple(one.evaluation for one in judged), told=told, alerts=outlets.messages)


def _own(asked: Asked, place: Place) -> Asked | None:
    """What an event asks for, without what it names of other places."""
    match asked:
        case Trigger() | FailedCall() if is_elsewhere(asked.resource, place):
            return None
        case Trigger() if is_elsewhere(asked.connector, place):
            return replace(asked, connector="")
        case PathChange():
            return replace(asked, names=tuple(one for one in asked.names if not is_elsewhere(one, place)))
    return asked


def _of_unread_member(asked: Sequence[Asked], why: Unread, terms: Terms, means: Means, outlets: Outlets) -> Report:
    """Of what the events name nothing is known; that the account lets nobody in is told once for all that is in it."""
    unknown = [_unknown(one, why, terms) for one in asked if isinstance(one, Trigger)]
    finding = unreadable(asked[-1].account, terms.settings, why)
    member = evaluation_of(asked[-1], finding.resource, Answers(findings=(finding,)))
    observe.judged(unknown)
    told = tell([member], {member.resource: means.recorded(member.resource)}, means)
    return Report(evaluations=(member, *unknown), told=told, alerts=outlets.messages)


def _unknown(trigger: Trigger, why: Unread, terms: Terms) -> Evaluation:
    if ":service/" in trigger.resource:
        answers = judge_service(trigger.resource, why, {}, terms)
    else:
        answers = judge_connector(trigger.resource, why, why, {}, terms, unasked=BESIDE_EVENTS)
    return evaluation_of(trigger, trigger.resource, answers)


def _judged(asked: Sequence[Asked], terms: Terms, reads: Reads) -> tuple[tuple[Judged, ...], tuple[Ignored, ...]]:
    """Each resource once, however many events are about it."""
    batches: list[tuple[Judged, ...] | Ignored] = []
    changes = [one for one in asked if isinstance(one, Change)]
    if changes:
        batches.append(judge_changes(changes, terms, reads))
    path_changes = [one for one in asked if isinstance(one, PathChange)]
    if path_changes:
        from apprunner_guardrails.private_paths import judge_path_changes  # noqa: PLC0415  # as above

        batches.append(judge_path_changes(path_changes, terms, reads))
    for one in asked:
        if isinstance(one, Trigger):
            batches.append(judge(one, terms, reads))
        elif isinstance(one, FailedCall) and one.what in _JUDGED_TOO:
            batches.append(judge(_trigger(one), terms, reads))
    found = [judged for batch in batches if not isinstance(batch, Ignored) for judged in batch]
    by_resource = {one.evaluation.resource: one for one in found}
    return tuple(by_resource.values()), tuple(one for one in batches if isinstance(one, Ignored))


def _trigger(failed: FailedCall) -> Trigger:
    return Trigger(
        id=failed.id,
        what=failed.what,
        resource=failed.resource,
        account=failed.account,
        region=failed.region,
        time=failed.time,
        caller=failed.caller,
    )


def _tell_why(failed: FailedCall, settings: Settings, reads: Reads, outlets: Outlets, means: Means) -> None:
    """Explain a failed call, once an hour to the same caller for the same cause."""
    from apprunner_guardrails.failed_calls.read import explain  # noqa: PLC0415  # a fifth of our code: few events need it

    explanation = explain(failed, settings, reads)
    place = place_of(failed.account, failed.region, settings)
    key = failed_call(failed.caller.name, failed.what, explanation.cause, place.key)
    explained = Finding(
        resource=key[0],
        rule=key[1],
        name="failed_call",
        title=explanation.title,
        severity=explanation.severity,
        status=Status.FAIL,
        messages=(explanation.what,),
    )
    recorded = findings_table.recorded(reads, settings.findings_table, key[0])()
    transition = plan_once(explained, key, recorded, means.terms(who(failed.caller)))
    if transition is not None:
        tell_once(transition, outlets.of_explanation(explanation), means)


@contextmanager
def held(late: list[Exception]) -> Iterator[None]:
    """What was not told fails the invocation, when everything else is done: it keeps nothing else waiting."""
    try:
        yield
    except (NotPublished, Busy) as error:
        late.append(error)


def raise_first(late: Sequence[Exception]) -> None:
    """The first of them, with what all of them say."""
    if len(late) > 1:
        raise type(late[0])("; ".join(map(str, late))) from late[0]
    if late:
        raise late[0]


def means_of_telling(client: Clients, settings: Settings, outlets: Outlets, now: Now, place: str = "") -> Means:
    """The findings table and the channels of these settings, for what is of a place (`members.Place.key`).

    Security Hub takes findings from the account that they are about only, where a member's role may write nothing.
    """
    table, channels = settings.findings_table, outlets.of_alerts()
    return Means(
        recorded=lambda resource: findings_table.recorded(Reads(client), table, resource)(),
        claim=lambda transitions: observe.claimed(findings_table.claim(client, table, transitions, place)),
        settle=lambda records: findings_table.settle(client, table, records, place),
        send={one: send for one, send in channels.items() if not place or one is not Channel.SECURITY_HUB},
        together=together,
        now=now,
        reminder_seconds=settings.reminder_days * 86_400,
    )
