"""From understood events to what was told: judge or explain, then tell. One function for each kind of invocation."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from apprunner_guardrails.alerts.digest import Digest, digest
from apprunner_guardrails.audit import Audit, NotAudited, judge_region, path_report, read_region
from apprunner_guardrails.aws import apigateway, findings_table
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.reads import Pace, Reads, together
from apprunner_guardrails.drift import Change
from apprunner_guardrails.events import BadEvent, FailedCall, Ignored, Trigger
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.failed_calls.read import explain
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.judge import Terms
from apprunner_guardrails.ledger import Busy, Record, Transition, failed_call, plan_once
from apprunner_guardrails.outlets import Outlets
from apprunner_guardrails.paths.render import digest_lines
from apprunner_guardrails.paths.triggers import PathChange
from apprunner_guardrails.private_paths import judge_path_changes
from apprunner_guardrails.records import shown
from apprunner_guardrails.rules import check_overrides
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tell import Evaluation, Means, NotPublished, Result, as_json, tell, tell_once, who
from apprunner_guardrails.validate import Judged, judge, judge_changes

HOUR = 3600  # seconds
DIGEST = ("digest", "daily")  # where it is recorded when the last digest was told

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

    `pace` makes what calls of API Gateway wait for, which bears fewer a second than other services, whoever makes them.
    Raises BadSettings, LedgerUnavailable, NotRead, NotPublished and Busy: then it is to be tried again, and what was
    told already is not told again.
    """
    check_overrides(settings)
    reads, outlets = Reads(client, paces=apigateway.paces(pace)), Outlets(client, settings)
    means = means_of_telling(client, settings, outlets, now)
    judged, ignored = _judged(asked, Terms(settings=settings, now=now()), reads)
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


def _judged(asked: Sequence[Asked], terms: Terms, reads: Reads) -> tuple[tuple[Judged, ...], tuple[Ignored, ...]]:
    """Each resource once, however many events are about it."""
    batches: list[tuple[Judged, ...] | Ignored] = []
    changes = [one for one in asked if isinstance(one, Change)]
    if changes:
        batches.append(judge_changes(changes, terms, reads))
    path_changes = [one for one in asked if isinstance(one, PathChange)]
    if path_changes:
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
    explanation = explain(failed, settings, reads)
    key = failed_call(failed.caller.name, failed.what, explanation.cause)
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


def audit_region(
    time: str,
    client: Clients,
    settings: Settings,
    now: Now,
    seconds_left: Callable[[], float],
    *,
    pace: MakePace = Pace,
) -> Report:
    """Judge the whole Region, tell what is new, and once a day what stands. `time` is the schedule's, in ISO form.

    `pace` is as for `respond`. Raises as that does; OutOfTime rather than stop half-way; NotAudited after everything
    else is done, where a part of the Region could not be listed.
    """
    check_overrides(settings)
    at = _seconds(time)
    outlets = Outlets(client, settings)
    means = means_of_telling(client, settings, outlets, now)
    *_, region, account, _ = settings.alert_topic_arn.split(":")  # the stack's own
    terms = Terms(settings=settings, now=now())
    audit = Audit(account=account, region=region, time=time, terms=terms, seconds_left=seconds_left)
    reads = Reads(client, paces=apigateway.paces(lambda per_second: audit.within_time(pace(per_second))))
    stored = cache(findings_table.all_recorded(reads, settings.findings_table))
    recorded = cache(lambda: _by_resource(stored().records))
    digests = findings_table.recorded(reads, settings.findings_table, DIGEST[0])
    found = read_region(audit, reads, recorded)
    broken = {one.resource for one in stored().unreadable}
    judged = [one for one in judge_region(audit, reads, found, recorded()) if one.resource not in broken]
    audit.check_time("everything was judged")
    late: list[Exception] = []
    told: tuple[Transition, ...] = ()
    with held(late):
        told = tell(judged, {one.resource: recorded().get(one.resource, ()) for one in judged}, means)
    unread = [*map(str, found.unlisted), *(f"{one.resource} {one.rule}: {one.why}" for one in stored().unreadable)]
    if settings.digest_hour is not None:
        afresh = findings_table.all_recorded(Reads(client), settings.findings_table) if late else None
        summary = digest(
            afresh().records if afresh else _as_told(stored().records, told),
            account=account,
            region=region,
            now=at,
            connectors=None if isinstance(found.connectors, Unread) else len(found.connectors),
            services=None if isinstance(found.services, Unread) else len(found.services),
            unread=unread,
            paths=digest_lines(path_report(audit, found, judged, recorded())),
        )
        with held(late):
            _tell_digest(summary, digests(), outlets, means, at=at, hour=settings.digest_hour)
    if unread:
        late.append(NotAudited(f"a part of {region} was not audited: {'; '.join(unread)}"))
    raise_first(late)
    return Report(evaluations=tuple(judged), told=told, alerts=outlets.messages)


def _tell_digest(
    summary: Digest, recorded: Sequence[Record], outlets: Outlets, means: Means, *, at: int, hour: int
) -> None:
    """Tell the digest once a day, by the first audit at the hour or after it; times are the schedule's.

    The very first one is told at its hour only; an audit at another hour begins the count.
    """
    sends = outlets.of_digest(summary)
    due = at - _since(hour, at)  # when the last one should have been told
    starting = not recorded and _since(hour, at) >= HOUR
    terms = replace(means.terms(""), channels=() if starting else tuple(one for one in means.send if one in sends))
    told = Finding(
        resource=DIGEST[0],
        rule=DIGEST[1],
        name="digest",
        title="Daily digest",
        severity=Severity.INFO,
        status=Status.FAIL,
    )
    transition = plan_once(told, DIGEST, recorded, terms, every_seconds=at - due + 1, at=at)
    if transition is not None:
        tell_once(transition, sends, means)


def _since(hour: int, at: int) -> int:
    """Seconds from the last full `hour` of a day (UTC) until `at`."""
    return (at - hour * HOUR) % 86_400


def _seconds(time: str) -> int:
    """2026-11-21T07:00:00Z as seconds since 1970. Raises BadEvent."""
    try:
        return int(datetime.fromisoformat(time).timestamp())
    except ValueError as error:
        raise BadEvent(f"the event's time should be such as 2026-11-21T07:00:00Z, and is {shown(time)}") from error


def _by_resource(records: Sequence[Record]) -> dict[str, tuple[Record, ...]]:
    found: dict[str, tuple[Record, ...]] = {}
    for one in records:
        found[one.resource] = (*found.get(one.resource, ()), one)
    return found


def _as_told(records: Sequence[Record], transitions: Sequence[Transition]) -> tuple[Record, ...]:
    """What is recorded now, with what this audit has written."""
    now = {(one.resource, one.rule): one for one in (*records, *(one.record for one in transitions))}
    return tuple(now.values())


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


def means_of_telling(client: Clients, settings: Settings, outlets: Outlets, now: Now) -> Means:
    """The findings table and the channels of these settings."""
    table = settings.findings_table
    return Means(
        recorded=lambda resource: findings_table.recorded(Reads(client), table, resource)(),
        claim=lambda transitions: findings_table.claim(client, table, transitions),
        settle=lambda records: findings_table.settle(client, table, records),
        send=outlets.of_alerts(),
        together=together,
        now=now,
        reminder_seconds=settings.reminder_days * 86_400,
    )


def day(now: int) -> str:
    """2026-11-21, in UTC."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()
