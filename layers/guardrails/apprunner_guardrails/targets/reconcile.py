"""Bringing target groups into step with the endpoints that they are bound to: read → plan → apply → read again.

For any number of groups at once, in the same few rounds. What cannot be read of one group stops that group alone, and a
group of which anything cannot be read is left as it is.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import field

from apprunner_guardrails.aws import ec2, elbv2
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.parsed_reads import ParsedReads
from apprunner_guardrails.aws.reads import Reads, together
from apprunner_guardrails.facts import (
    EndpointInterface,
    Held,
    InterfaceEndpoint,
    Target,
    TargetGroup,
    Unread,
    Wanted,
    if_read,
)
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.settings import Policy, Settings
from apprunner_guardrails.targets import plan as plans
from apprunner_guardrails.targets.apply import Applied, Applier
from apprunner_guardrails.targets.binding import (
    TAG,
    Gone,
    Malformed,
    Resolved,
    Seen,
    elsewhere,
    endpoint_ids,
    interfaces_of,
    resolve,
)
from apprunner_guardrails.targets.plan import HEALTHY, Plan, UnsafePlan, is_unused, present
from apprunner_guardrails.targets.waiting import BINDING

RESERVE_SECONDS = 45.0  # what reading again and telling take at worst: no change is begun that would leave less
_AGAIN = "it is tried again at the next event and by the schedule"


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What the work needs of the world. `read_pace` and `change_pace` are waited for before each call that reads and
    that changes; `known` remembers groups between runs: nothing that is kept of one changes while it exists."""

    client: Clients
    settings: Settings
    read_pace: Callable[[], None]
    change_pace: Callable[[], None]
    seconds_left: Callable[[], float]
    known: MutableMapping[str, TargetGroup]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What was done with one target group, and how it is now.

    `refused` says why nothing was done, where that is so; `transient`: that will pass by itself. `postponed`: nothing
    is wrong with the group, which is left for the next run to deal with, and to judge. `in_use`: a load balancer leads
    to it, as far as is known. `failed`: a change that AWS refused.
    """

    arn: str
    name: str
    tags: Mapping[str, str]
    endpoint_ids: tuple[str, ...]
    resolved: Resolved | Unread
    after: tuple[Target, ...] | Unread
    registered: tuple[str, ...] = ()
    deregistered: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()
    refused: str = ""
    transient: bool = False
    postponed: bool = False
    in_use: bool = True
    failed: Unread | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        return () if isinstance(self.resolved, Unread) else tuple(one.key for one in self.resolved.wanted)

    @property
    def missing(self) -> tuple[str, ...]:
        """Wanted targets that are not registered after the run."""
        there = present(if_read(self.after))
        return tuple(key for key in self.wanted if key not in there)

    @property
    def settling(self) -> tuple[str, ...]:
        """Wanted targets that are on their way to be healthy."""
        there = present(if_read(self.after))
        return tuple(
            key for key in self.wanted if (there[key].state == "initial" if key in there else key in self.registered)
        )

    @property
    def waiting(self) -> tuple[str, ...]:
        """What it is worth looking again in a minute for: targets that are held, wanted ones that are not healthy, and
        whatever will pass by itself."""
        there = present(if_read(self.after))
        unwell = {key for key in self.wanted if key in there and there[key].state != HEALTHY}
        idle = {key for key in unwell if is_unused(there[key])}
        held = {one.target.key for one in self.held if not one.by_policy}
        passing = {BINDING} if self.transient else set()
        return tuple(sorted({*self.settling, *(unwell - idle), *held, *passing}))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """A group on its way through a run: what was read of it, what is planned, what was done."""

    arn: str
    tags: Mapping[str, str]
    ids: tuple[str, ...] | Malformed  # of the endpoints
    group: TargetGroup | Unread
    targets: tuple[Target, ...] | Unread
    confirmed: Mapping[str, str] | Unread | None = None  # its tags once more, from the group itself
    resolved: Resolved | Unread = field(default_factory=Resolved)
    plan: Plan = field(default_factory=Plan)
    refused: str = ""
    transient: bool = False
    postponed: bool = False
    cross_zone: bool = False
    applied: Applied = field(default_factory=Applied)

    @property
    def name(self) -> str:
        return self.arn.split("/")[1]

    @property
    def is_quiet(self) -> bool:
        return not self.refused and self.plan.is_empty and not self.plan.hold


def reconcile(
    bound: Mapping[str, Mapping[str, str]], means: Means, reads: Reads
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """Bring every group of `bound` (its tags by ARN) into step. Also the ARNs of those that do not exist any more.

    `reads` may have asked for the tags already: what a change goes by is asked of the group, and not of the index.
    """
    works, world = _read(bound, means, reads)
    works = [_planned(one, world, means.settings) for one in works]
    works = [_planned(one, world, means.settings) for one in _with_news(works, means, reads)]
    gone = tuple(one.arn for one in works if _is_no_group(one.group) or _is_no_group(one.targets))
    works = _applied([one for one in works if one.arn not in gone], means)
    return tuple(_outcome(one, after) for one, after in _read_again(works, means)), gone


# --- Read ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _World:
    """The endpoints that tags name, their interfaces, and whether traffic can pass between two VPCs."""

    endpoints: Mapping[str, Seen | Unread]
    interfaces: Mapping[str, EndpointInterface | Unread]
    connected: Callable[[str, str], bool | Unread]


def _read(bound: Mapping[str, Mapping[str, str]], means: Means, reads: Reads) -> tuple[list[_Work], _World]:
    ids = {arn: _ids(bound[arn].get(TAG, "")) for arn in sorted(bound)}
    named = sorted({one for found in ids.values() if not isinstance(found, Malformed) for one in found})
    listed = ec2.endpoints_of(reads, named)
    described = elbv2.target_groups(reads, [arn for arn in ids if arn not in means.known])
    health = {arn: elbv2.target_health(reads, arn) for arn in ids}
    endpoints = _confirmed(reads, listed())
    interfaces = ec2.endpoint_interfaces(reads, interfaces_of(endpoints.values()))
    groups = {**described(), **{arn: means.known[arn] for arn in ids if arn in means.known}}
    works = [_Work(arn=arn, tags=bound[arn], ids=ids[arn], group=groups[arn], targets=health[arn]()) for arn in ids]
    world = _World(
        endpoints=endpoints,
        interfaces=interfaces(),
        connected=lambda one, other: ec2.are_connected(reads, *sorted((one, other)))(),
    )
    return works, world


def _ids(value: str) -> tuple[str, ...] | Malformed:
    try:
        return endpoint_ids(value)
    except Malformed as odd:
        return odd


def _confirmed(reads: Reads, listed: Mapping[str, InterfaceEndpoint | Unread | None]) -> Mapping[str, Seen | Unread]:
    """Those that the list left out, or calls deleted, are asked for by id: only EC2's answer to that settles it."""
    doubted = {name: ec2.endpoint_by_id(reads, name) for name, one in listed.items() if one is None or _is_over(one)}
    seen: dict[str, Seen | Unread] = {name: one for name, one in listed.items() if one is not None}
    return seen | {name: _second(name, answer()) for name, answer in doubted.items()}


def _second(name: str, answer: Mapping[str, InterfaceEndpoint] | Unread) -> Seen | Unread:
    if isinstance(answer, Unread):
        return Gone() if answer.code == ec2.NO_ENDPOINT else answer
    found = answer.get(name)
    if found is None:
        return Unread(call="ec2:DescribeVpcEndpoints", code=f"{name} is not in the answer")
    return Gone() if _is_over(found) else found


def _is_over(endpoint: InterfaceEndpoint | Unread) -> bool:
    return isinstance(endpoint, InterfaceEndpoint) and endpoint.state == "deleted"


def _is_no_group(fact: object) -> bool:
    return isinstance(fact, Unread) and fact.code == elbv2.NO_GROUP


def _with_news(works: Sequence[_Work], means: Means, reads: Reads) -> list[_Work]:
    """Where there is something to do: what came from an index or from memory, as it is now, and whether traffic crosses
    zones where that decides what is held."""
    active = [one.arn for one in works if not one.is_quiet]
    asked_tags = elbv2.tags_of(reads, active)
    asked_groups = elbv2.target_groups(reads, [arn for arn in active if arn in means.known])
    tags, groups = asked_tags(), asked_groups()
    read = [
        replace(one, group=groups.get(one.arn, one.group), confirmed=tags[one.arn]) if one.arn in tags else one
        for one in works
    ]
    means.known.update({one.arn: one.group for one in read if isinstance(one.group, TargetGroup)})
    return [replace(one, cross_zone=_crosses(one, reads)) for one in read]


def _crosses(work: _Work, reads: Reads) -> bool:
    """Only a load balancer that says so crosses zones: what cannot be read does not."""
    if not work.plan.hold or isinstance(work.group, Unread):
        return False
    return elbv2.crosses_zones(reads, work.group) is True


# --- Decide ----------------------------------------------------------------------------------------------------------


def _planned(work: _Work, world: _World, settings: Settings) -> _Work:
    """What is to be done with the group, or why nothing is."""
    resolved = _resolved(work, world)
    found = replace(work, resolved=resolved, plan=Plan(), refused="", transient=False, postponed=False)
    if isinstance(work.confirmed, Mapping) and work.confirmed.get(TAG) != work.tags.get(TAG):
        why = f"the tag {TAG} of target group {work.name} has just changed: it is left as it is; {_AGAIN}"
        return replace(found, refused=why, transient=True, postponed=True)
    if isinstance(resolved, Unread):
        return _left(found, resolved)
    if isinstance(work.targets, Unread):
        return _left(found, work.targets)
    if isinstance(work.confirmed, Unread):
        return replace(_left(found, work.confirmed), resolved=work.confirmed)  # the tag may be another by now
    return _decided(found, resolved, work.targets, settings)


def _decided(work: _Work, resolved: Resolved, targets: tuple[Target, ...], settings: Settings) -> _Work:
    """What is planned where everything could be read."""
    drained = resolved.deleted and settings.drain_deleted_endpoints
    if resolved.refused and not drained:
        have = len(present(targets))
        why = f"{'; '.join(resolved.broken)}: refusing to change target group {work.name} ({have} registered); {_AGAIN}"
        return replace(work, refused=why, transient=resolved.transient)
    try:
        plan = plans.drain(targets) if drained else plans.plan(resolved.wanted, targets, cross_zone=work.cross_zone)
    except UnsafePlan as unsafe:
        return replace(work, refused=f"{unsafe} {work.name}; {_AGAIN}")
    return replace(work, plan=plans.POLICIES[settings.sync_policy](plan))


def _left(work: _Work, unread: Unread) -> _Work:
    return replace(work, refused=f"{unread}: {work.name} is left as it is; {_AGAIN}", transient=True)


def _resolved(work: _Work, world: _World) -> Resolved | Unread:
    if isinstance(work.ids, Malformed):
        return Resolved(broken=(str(work.ids),), refused=True)
    if isinstance(work.group, Unread):
        return work.group
    endpoints = {name: world.endpoints[name] for name in work.ids}
    resolved = resolve(work.group, endpoints, world.interfaces)
    if isinstance(resolved, Unread) or resolved.refused:
        return resolved
    apart: list[str] = []
    for vpc in elsewhere(work.group, endpoints.values()):
        connected = world.connected(work.group.vpc_id, vpc)
        if isinstance(connected, Unread):
            return replace(resolved, unsure=connected)
        if not connected:
            names = ", ".join(sorted(_in_vpc(vpc, endpoints)))
            apart.append(
                f"{names} is in {vpc}, which is neither peered with {work.group.vpc_id}, the VPC of target group"
                f" {work.name}, nor attached to a transit gateway of it"
            )
    return replace(resolved, broken=(*resolved.broken, *apart))


def _in_vpc(vpc_id: str, endpoints: Mapping[str, Seen | Unread]) -> Iterable[str]:
    return (name for name, one in endpoints.items() if isinstance(one, InterfaceEndpoint) and one.vpc_id == vpc_id)


# --- Act -------------------------------------------------------------------------------------------------------------


def _applied(works: Sequence[_Work], means: Means) -> list[_Work]:
    """Do what is planned, several groups at once; those that no time is left for are for the next run."""
    applier = Applier(client=means.client, pace=means.change_pace)

    def apply(work: _Work) -> _Work:
        if means.seconds_left() < RESERVE_SECONDS:
            return replace(
                work, refused=f"no time was left for target group {work.name}; {_AGAIN}", transient=True, postponed=True
            )
        applied = applier.apply(work.arn, work.plan)
        if applied.failed and applied.failed.code in elbv2.QUOTAS and means.settings.sync_policy is Policy.SYNC:
            applied = _at_quota(work, applied.failed, applier, means)
        return replace(work, applied=applied)

    todo = [one for one in works if not one.plan.is_empty]
    done = dict(zip((one.arn for one in todo), together([_later(apply, one) for one in todo]), strict=True))
    return [done.get(one.arn, one) for one in works]


def _later(apply: Callable[[_Work], _Work], work: _Work) -> Callable[[], _Work]:
    return lambda: apply(work)


def _at_quota(work: _Work, failed: Unread, applier: Applier, means: Means) -> Applied:
    """As many as there is room for, then one for one. What fails for another reason than the quota ends it."""
    wanted = work.resolved.wanted if isinstance(work.resolved, Resolved) else ()
    targets = if_read(work.targets)
    done = Applied()
    if len(work.plan.register) > 1:
        for one in work.plan.register:
            step = applier.apply(work.arn, Plan(register=(one,)))
            if step.failed and step.failed.code not in elbv2.QUOTAS:
                return replace(done, failed=step.failed)
            if step.failed:
                break
            done = replace(done, registered=(*done.registered, one))
    targets = (*targets, *(_coming(one) for one in done.registered))
    while pair := plans.exchange(wanted, targets, cross_zone=work.cross_zone):
        if means.seconds_left() < RESERVE_SECONDS:
            break
        leaving, coming = pair
        step = applier.exchange(work.arn, leaving, coming)
        done = replace(
            done,
            registered=(*done.registered, *step.registered),
            deregistered=(*done.deregistered, *step.deregistered),
        )
        if step.failed:
            failed = step.failed
            break
        targets = (*(one for one in targets if one.key != leaving.key), _coming(coming))
    left = set(work.plan.register) - set(done.registered)
    return replace(done, failed=failed if left else None)


def _coming(wanted: Wanted) -> Target:
    zone = plans.EVERY_ZONE if wanted.outside else wanted.zone
    return Target(address=wanted.address, port=wanted.port, zone=zone, state="initial")


# --- Read again ------------------------------------------------------------------------------------------------------


def _read_again(works: Sequence[_Work], means: Means) -> Iterable[tuple[_Work, tuple[Target, ...] | Unread]]:
    """What the targets of each group are after the run: AWS says yes to some calls that change nothing."""
    reads = ParsedReads(means.client, means.read_pace)
    touched = {one.arn: elbv2.target_health(reads, one.arn) for one in works if one.applied != Applied()}
    return ((one, touched[one.arn]() if one.arn in touched else one.targets) for one in works)


def _outcome(work: _Work, after: tuple[Target, ...] | Unread) -> Outcome:
    return Outcome(
        arn=work.arn,
        name=work.name,
        tags=work.tags,
        endpoint_ids=() if isinstance(work.ids, Malformed) else work.ids,
        resolved=work.resolved,
        after=after,
        registered=tuple(one.key for one in work.applied.registered),
        deregistered=tuple(one.key for one in work.applied.deregistered),
        held=tuple(one for one in work.plan.hold if one.target not in work.applied.deregistered),
        refused=work.refused,
        transient=work.transient or isinstance(after, Unread),
        postponed=work.postponed,
        in_use=isinstance(work.group, Unread) or bool(work.group.load_balancer_arns),
        failed=work.applied.failed,
    )
