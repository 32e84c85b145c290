"""From what events ask to what was done and told: find the bound groups, bring them into step, judge and tell."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cache
from itertools import batched
from typing import TypedDict

from apprunner_guardrails import observe
from apprunner_guardrails.aws import elbv2, findings_table, sqs
from apprunner_guardrails.aws import tags as index
from apprunner_guardrails.aws.clients import Clients, with_paced_retries
from apprunner_guardrails.aws.parsed_reads import ParsedReads
from apprunner_guardrails.aws.reads import Pace, Reads
from apprunner_guardrails.facts import BoundGroup, TargetGroup, Unread
from apprunner_guardrails.findings import NOT_JUDGED
from apprunner_guardrails.judge import Answers, Terms, judge_bound_group, owner
from apprunner_guardrails.ledger import Record, State
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.once import judging
from apprunner_guardrails.outlets import Outlets
from apprunner_guardrails.respond import Now, held, means_of_telling, raise_first
from apprunner_guardrails.rules import check_overrides, exemption_malformed
from apprunner_guardrails.rules.private_paths import LEFT_BY_SYNC, OF_SYNC
from apprunner_guardrails.settings import Policy, Settings
from apprunner_guardrails.targets.binding import TAG, Resolved
from apprunner_guardrails.targets.plan import DRAINING
from apprunner_guardrails.targets.reconcile import Means, Outcome, reconcile
from apprunner_guardrails.targets.triggers import Asked, message
from apprunner_guardrails.targets.waiting import BACK_SECONDS, BINDING, Wait, wait
from apprunner_guardrails.tell import Evaluation, tell
from apprunner_guardrails.validate import NotRead

# What the Kubernetes controller for load balancers keeps to: below 50 that read, below 4 that change. In no second are
# there more, wherever it begins: of 3.8 evenly a second, four would be in some.
READS_PER_SECOND, CHANGES_PER_SECOND = 45.0, 2.8
CHANGES = frozenset({"RegisterTargets", "DeregisterTargets"})
QUERIED = 2  # groups whose records are asked for one by one; for more, all are read
MESSAGE_GROUPS = 500  # in one message: an ARN has at most about 200 bytes, a message 256 KB
NO_LONGER_BOUND = Answers(findings=(), left=LEFT_BY_SYNC | {exemption_malformed.ID})


class NotSynced(Exception):
    """Changes that AWS refused, or groups that could not be looked at. The rest was done, and told; it is to be tried
    again."""


class GroupResult(TypedDict):
    """What a run did with a target group; targets as 10.0.1.5:443."""

    registered: list[str]
    deregistered: list[str]
    held: list[str]
    refused: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Synced:
    """What one invocation did, judged and told."""

    outcomes: tuple[Outcome, ...]
    gone: tuple[str, ...]  # ARNs of target groups that were asked for and do not exist
    evaluations: tuple[Evaluation, ...]
    alerts: int


@judging()
def sync(
    asked: Asked,
    client: Clients,
    settings: Settings,
    now: Now,
    *,
    seconds_left: Callable[[], float],
    known: MutableMapping[str, TargetGroup],
    pace: Callable[[float], Callable[[], None]] = Pace,
) -> Synced:
    """Bring the target groups that are asked for into step with their endpoints.

    `known` remembers groups between invocations; `pace` makes, of how many calls a second there may be, what is waited
    for before each, and before each time that the SDK sends one again. Raises, when everything else is done: NotSynced
    where AWS refused a change, and what `respond` raises. Raises NotRead where it cannot be told which groups are
    bound.
    """
    check_overrides(settings)
    read_pace, change_pace = pace(READS_PER_SECOND), pace(CHANGES_PER_SECOND)
    client = with_paced_retries(client, lambda operation: change_pace if operation in CHANGES else read_pace)
    reads, outlets = ParsedReads(client, read_pace), Outlets(client, settings)
    recorded = _recorded(asked, reads, settings.findings_table)
    late: list[Exception] = []
    bound, unbound, missing = _bound(asked, reads, recorded, late)
    means = Means(
        client=client,
        settings=settings,
        read_pace=read_pace,
        change_pace=change_pace,
        seconds_left=seconds_left,
        known=known,
    )
    outcomes, lost = reconcile(bound, means, reads)
    gone = (*missing, *lost)
    ended = sorted({*unbound, *gone})
    records = _records([*(one.arn for one in outcomes), *ended], recorded, late)
    at = now()
    waits = {one.arn: _wait(one, records[one.arn], settings, at) for one in outcomes if one.arn in records}
    _come_back(waits, asked.id, client, settings, late)
    evaluations = (
        *(
            _judged(one, asked, settings, at, waits[one.arn].overdue)
            for one in outcomes
            if one.arn in waits and (waits[one.arn].overdue or not one.postponed)
        ),
        *(
            _evaluation(asked, arn, replace(NO_LONGER_BOUND, owner=owner(unbound.get(arn, {}), settings)), at)
            for arn in ended
            if _is_alive(records.get(arn, ()))
        ),
    )
    observe.judged(evaluations)
    with held(late):
        tell(evaluations, records, means_of_telling(client, settings, outlets, now))
    late += [NotSynced(f"target group {one.name}: {one.failed}") for one in outcomes if one.failed and _is_unsaid(one)]
    synced = Synced(outcomes=outcomes, gone=gone, evaluations=evaluations, alerts=outlets.messages)
    observe.synced(synced)
    raise_first(late)
    return synced


def _records(arns: Iterable[str], recorded: "_Recorded", late: list[Exception]) -> Mapping[str, tuple[Record, ...]]:
    """What is recorded of each group. Where that cannot be read nobody can be told; the targets are in step all the
    same."""
    found: dict[str, tuple[Record, ...]] = {}
    whys: dict[str, Exception] = {}
    for arn in arns:
        try:
            found[arn] = recorded.of(arn)
        except findings_table.LedgerUnavailable as error:
            whys[str(error)] = error
    late += whys.values()
    return found


def _is_unsaid(outcome: Outcome) -> bool:
    """Trying again soon does not help against a quota, which AR510 tells of."""
    return outcome.failed is not None and outcome.failed.code not in elbv2.QUOTAS


def as_json(outcomes: Iterable[Outcome]) -> dict[str, GroupResult]:
    """The function's result: what was done, by the ARN of the target group."""
    return {
        one.arn: {
            "registered": list(one.registered),
            "deregistered": list(one.deregistered),
            "held": [held.target.key for held in one.held],
            "refused": one.refused or (str(one.failed) if one.failed else None),
        }
        for one in outcomes
    }


def outcome_of(synced: Synced, arn: str) -> Outcome:
    """What was done with a group that was asked for; an outcome without endpoints where it is not bound."""
    refused = f"target group {arn} does not exist" if arn in synced.gone else ""
    nothing = Outcome(
        arn=arn, name=arn.split("/")[1], tags={}, endpoint_ids=(), resolved=Resolved(), after=(), refused=refused
    )
    return next((one for one in synced.outcomes if one.arn == arn), nothing)


def look(
    arn: str,
    client: Clients,
    settings: Settings,
    seconds_left: Callable[[], float],
    known: MutableMapping[str, TargetGroup],
) -> Outcome | None:
    """How a target group is, by the same reads as a sync: nothing is changed, recorded or told. None if it cannot be
    told, or the group is not there."""
    reads = Reads(client)
    tags = elbv2.tags_of(reads, [arn])()[arn]
    if isinstance(tags, Unread):
        return None
    means = Means(
        client=client,
        settings=replace(settings, sync_policy=Policy.REPORT_ONLY),
        read_pace=_at_once,
        change_pace=_at_once,
        seconds_left=seconds_left,
        known=known,
    )
    outcomes, _ = reconcile({arn: tags}, means, reads)
    return next(iter(outcomes), None)


def _at_once() -> None:
    """A pace for a handful of calls."""


# --- Which groups ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recorded:
    """What is recorded: of a target group, and the target groups that something is recorded of. Both may raise
    LedgerUnavailable."""

    of: Callable[[str], tuple[Record, ...]]
    groups: Callable[[], tuple[str, ...]]


def _recorded(asked: Asked, reads: Reads, table: str) -> _Recorded:
    """Ask what is recorded before anything else is read: of few groups by name, else of all."""
    if not asked.everything and not asked.endpoints and len(asked.target_groups) <= QUERIED:
        few = {arn: findings_table.recorded(reads, table, arn) for arn in asked.target_groups}
        return _Recorded(of=lambda arn: few[arn](), groups=lambda: asked.target_groups)
    everything = cache(findings_table.all_recorded(reads, table))  # a long answer, or it is parsed for every group

    def groups() -> tuple[str, ...]:
        alive = {one.resource for one in everything().records if _is_alive((one,))}
        return tuple(sorted(arn for arn in alive if ":targetgroup/" in arn))

    return _Recorded(of=lambda arn: everything().of(arn), groups=groups)


def _is_alive(records: Iterable[Record]) -> bool:
    """Whether something of what the sync judges is open, exempt or owed."""
    return any(one.state is not State.RESOLVED or one.owed for one in records if _is_of_sync(one))


def _is_of_sync(record: Record) -> bool:
    missing = record.messages if record.rule == NOT_JUDGED else ()
    return record.rule in OF_SYNC or any(one[:5] in OF_SYNC for one in missing)


type Tags = Mapping[str, str]


def _bound(
    asked: Asked, reads: Reads, recorded: _Recorded, late: list[Exception]
) -> tuple[dict[str, Tags], dict[str, Tags], tuple[str, ...]]:
    """The bound groups that are asked for, and those that are not bound, with their tags; and those that do not exist.

    The index of tags lags behind: what an event names, and what has findings and is not in the index, is asked for its
    tags itself.
    """
    bound: dict[str, Tags] = {}
    doubted = set(asked.target_groups)
    if asked.everything or asked.endpoints:
        listed = index.tags_of_bound(reads, TAG)()
        if isinstance(listed, Unread):
            raise NotRead(f"which target groups are bound to endpoints cannot be told: {listed}")
        bound = {arn: tags for arn, tags in listed.items() if asked.everything or _names(tags, asked.endpoints)}
    if asked.everything:
        try:
            doubted |= set(recorded.groups()) - bound.keys()
        except findings_table.LedgerUnavailable as error:
            late.append(error)  # that nobody can be told is no reason to let targets go astray
    unbound: dict[str, Tags] = {}
    gone: list[str] = []
    for arn, tags in elbv2.tags_of(reads, sorted(doubted))().items():
        bound.pop(arn, None)
        if isinstance(tags, Unread) and tags.code != elbv2.NO_GROUP:
            late.append(NotSynced(f"target group {arn}: {tags}"))
        elif isinstance(tags, Unread):
            gone.append(arn)
        elif TAG not in tags:
            unbound[arn] = tags
        else:
            bound[arn] = tags
    return bound, unbound, tuple(gone)


def _names(tags: Tags, endpoints: Iterable[str]) -> bool:
    return any(one in tags.get(TAG, "") for one in endpoints)


# --- Coming back -----------------------------------------------------------------------------------------------------


def _wait(outcome: Outcome, records: Iterable[Record], settings: Settings, at: int) -> Wait:
    limit = settings.sync_wait_minutes * 60
    return wait(outcome.arn, records, outcome.waiting, now=at, limit_seconds=limit)


def _come_back(
    waits: Mapping[str, Wait], cause: str, client: Clients, settings: Settings, late: list[Exception]
) -> None:
    """Send word to our own queue, then record that it is on its way: rather a message too many than none."""
    records = {arn: one.record for arn, one in waits.items() if one.record}
    back = [arn for arn, one in sorted(waits.items()) if one.come_back]
    for some in batched(back if settings.sync_queue_url else (), MESSAGE_GROUPS, strict=False):
        why = sqs.send(client, settings.sync_queue_url, message(some, cause), BACK_SECONDS)
        if why:
            late.append(NotSynced(f"nobody comes back to {len(some)} target groups in a minute: {why}"))
            records |= {arn: replace(records[arn], leased_until=0) for arn in some}
    findings_table.remember(client, settings.findings_table, records.values())


# --- Judge -----------------------------------------------------------------------------------------------------------


def _judged(outcome: Outcome, asked: Asked, settings: Settings, at: int, overdue: frozenset[str]) -> Evaluation:
    group = bound_group(outcome, overdue)
    answers = judge_bound_group(group, outcome.tags, Terms(settings=settings, now=at))
    return _evaluation(asked, outcome.arn, answers, at)


def bound_group(outcome: Outcome, overdue: frozenset[str]) -> BoundGroup:
    """The group as rules see it. An endpoint that is being made for an empty group is no fault until that takes too
    long."""
    resolved, after = outcome.resolved, outcome.after
    broken: tuple[str, ...] | Unread = resolved if isinstance(resolved, Unread) else resolved.unsure or resolved.broken
    preparing = not isinstance(resolved, Unread) and resolved.transient and BINDING not in overdue
    if preparing and after == ():
        broken = ()
    return BoundGroup(
        arn=outcome.arn,
        name=outcome.name,
        endpoint_ids=outcome.endpoint_ids,
        broken=broken,
        wanted=resolved if isinstance(resolved, Unread) else resolved.wanted,
        registered=after if isinstance(after, Unread) else tuple(one for one in after if one.state != DRAINING),
        held=tuple(one for one in outcome.held if not one.by_policy),
        settling=outcome.settling,
        preparing=preparing,
        in_use=outcome.in_use,
        failed=str(outcome.failed or ""),
        overdue=overdue,
        tags=outcome.tags,
    )


def _evaluation(asked: Asked, arn: str, answers: Answers, at: int) -> Evaluation:
    _, _, _, region, account, _ = arn.split(":", maxsplit=5)
    return Evaluation(
        resource=arn,
        account=account,
        region=region,
        event_id=asked.id,
        what=asked.what,
        caller=asked.caller,
        time=asked.time or datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
        findings=answers.findings,
        left=answers.left,
        owner=answers.owner,
    )
