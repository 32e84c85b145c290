"""What the schedule asks for: audit an account's Region, tell what is new, and at home once a day what stands."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache

from apprunner_guardrails import observe
from apprunner_guardrails.alerts.digest import digest
from apprunner_guardrails.audit import Audit, NotAudited, evaluation, judge_region, path_report, read_region
from apprunner_guardrails.aws import apigateway, findings_table
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.members import clients_at
from apprunner_guardrails.aws.parsed_reads import ParsedReads
from apprunner_guardrails.aws.reads import Pace
from apprunner_guardrails.events import BadEvent
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.judge import Answers, Terms
from apprunner_guardrails.ledger import MACHINES, Record, State, Transition, plan_once, remembered
from apprunner_guardrails.light import replace
from apprunner_guardrails.members import Place, home_of, readable, role_arn, unreadable
from apprunner_guardrails.once import judging
from apprunner_guardrails.outlets import Outlets
from apprunner_guardrails.paths.render import digest_lines
from apprunner_guardrails.records import shown
from apprunner_guardrails.respond import MakePace, Now, Report, held, means_of_telling, raise_first
from apprunner_guardrails.rules import check_overrides
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tell import Evaluation, Means, tell, tell_once
from apprunner_guardrails.times import utc

HOUR = 3600  # seconds
DIGEST = ("digest", "daily")  # where it is recorded when the last digest was told
AUDITED = "audited"  # with a member's place, where it is recorded when its last audit was finished
MEMBERS = "member/"
RECENT_SECONDS = 30 * 60  # a member's next audit is not done before: all members share ten at a time
SILENT_SECONDS = 2 * 86_400  # a member has an audit a day at least


@judging()
def audit_region(
    time: str,
    client: Clients,
    settings: Settings,
    now: Now,
    seconds_left: Callable[[], float],
    *,
    event_id: str = "",
    place: Place | None = None,
    pace: MakePace = Pace,
) -> Report:
    """Judge the whole Region, tell what is new, and at home once a day what stands everywhere. `time` is the
    schedule's, in ISO form, as its `event_id` is; `place` is a member's, else it is home.

    `pace` is as for `respond`. Raises as that does; OutOfTime rather than stop half-way; NotAudited after everything
    else is done, where a part of the Region could not be listed.
    """
    check_overrides(settings)
    at, place = _seconds(time), place or home_of(settings)
    outlets = Outlets(client, settings)
    audit = Audit(
        account=place.account,
        region=place.region,
        time=time,
        event_id=event_id,
        terms=Terms(settings=settings, now=now()),
        seconds_left=seconds_left,
    )
    clients, asked, table = clients_at(place, client, settings), ParsedReads(client), settings.findings_table
    late: list[Exception] = []
    member: tuple[Evaluation, ...] = ()
    told: tuple[Transition, ...] = ()
    if not place.home:
        # A member chooses the time of its events.
        at = min(at, audit.terms.now)
        of_role = findings_table.recorded(asked, table, role_arn(place.account, settings))
        audited = findings_table.recorded(asked, table, f"{MEMBERS}{place.key}")
        if any(audit.terms.now - one.last_seen < RECENT_SECONDS for one in audited()):
            return Report(evaluations=(), told=(), alerts=0)
        member = _of_member(audit, of_role(), clients if isinstance(clients, Unread) else None)
        means = means_of_telling(client, settings, outlets, now, place.account)
        with held(late):
            told = tell(member, {one.resource: of_role() for one in member}, means)
    if isinstance(clients, Unread):
        observe.members_unread({place.account: str(clients)})
        raise_first(late)
        return Report(evaluations=member, told=told, alerts=outlets.messages)
    stored = cache(findings_table.all_recorded(asked, table, place.key))
    recorded = cache(lambda: _by_resource(stored().records))
    means = means_of_telling(client, settings, outlets, now, place.key)
    digests = findings_table.recorded(asked, table, DIGEST[0]) if place.home else None
    reads = ParsedReads(clients, paces=apigateway.paces(lambda per_second: audit.within_time(pace(per_second))))
    found = read_region(audit, reads, recorded)
    broken = {one.resource for one in stored().unreadable}
    judged = [one for one in judge_region(audit, reads, found, recorded()) if one.resource not in broken]
    observe.judged(judged)
    audit.check_time("everything was judged")
    with held(late):
        told += tell(judged, {one.resource: recorded().get(one.resource, ()) for one in judged}, means)
    unread = [*map(str, found.unlisted), *(f"{one.resource} {one.rule}: {one.why}" for one in stored().unreadable)]
    due = _digest_due(digests(), means, settings, at=at) if digests is not None else None
    if due is not None:
        # What was just told stands as it was written; what was not, and what members have, as it is recorded.
        afresh = (
            None
            if not settings.member_role_name and not late
            else findings_table.all_recorded(ParsedReads(client), table, None)()
        )
        summary = digest(
            afresh.records if afresh else _as_told(stored().records, told),
            account=audit.account,
            region=audit.region,
            event_id=audit.event_id,
            now=at,
            connectors=None if isinstance(found.connectors, Unread) else len(found.connectors),
            services=None if isinstance(found.services, Unread) else len(found.services),
            unread=unread,
            silent=_silent(afresh.beside if afresh else (), at),
            paths=digest_lines(path_report(audit, found, judged, recorded())),
        )
        with held(late):
            tell_once(due, outlets.of_digest(summary), means)
    if unread:
        late.append(NotAudited(f"a part of {audit.account} {audit.region} was not audited: {'; '.join(unread)}"))
    raise_first(late)
    if not place.home:
        _remember_audit(place, audited(), client, table, at)
    return Report(evaluations=(*member, *judged), told=told, alerts=outlets.messages)


def _of_member(audit: Audit, recorded: Sequence[Record], why: Unread | None) -> tuple[Evaluation, ...]:
    """That a member lets nobody in, or that it does again."""
    settings = audit.terms.settings
    finding = unreadable(audit.account, settings, why) if why else readable(audit.account, settings)
    if why is None and not any(one.state is State.OPEN or one.owed for one in recorded):
        return ()
    return (evaluation(audit, finding.resource, Answers(findings=(finding,))),)


def _remember_audit(place: Place, audited: Sequence[Record], client: Clients, table: str, at: int) -> None:
    """Raises LedgerUnavailable."""
    before = next(iter(audited), None)
    since = before.first_seen if before else at
    record = remembered(f"{MEMBERS}{place.key}", AUDITED, (), before, first_seen=since, last_seen=at)
    findings_table.remember(client, table, [replace(record, place=place.key)])


def _silent(beside: Sequence[Record], at: int) -> Iterator[str]:
    """Members that were audited within a week, and not lately."""
    for one in beside:
        if one.rule == AUDITED and at - one.last_seen > SILENT_SECONDS:
            where = one.resource.removeprefix(MEMBERS).replace("/", " ")
            yield f"{where}: the last audit was finished at {utc(one.last_seen)}"


def _digest_due(recorded: Sequence[Record], means: Means, settings: Settings, *, at: int) -> Transition | None:
    """The digest is told once a day, by the first audit at its hour or after it; times are the schedule's.

    The very first one is told at its hour only; an audit at another hour begins the count.
    """
    if settings.digest_hour is None:
        return None
    since = _since(settings.digest_hour, at)  # the time when the last one should have been told
    starting = not recorded and since >= HOUR
    channels = () if starting else tuple(one for one in means.send if one not in MACHINES)
    told = Finding(
        resource=DIGEST[0],
        rule=DIGEST[1],
        name="digest",
        title="Daily digest",
        severity=Severity.INFO,
        status=Status.FAIL,
    )
    return plan_once(
        told, DIGEST, recorded, replace(means.terms(""), channels=channels), every_seconds=since + 1, at=at
    )


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
