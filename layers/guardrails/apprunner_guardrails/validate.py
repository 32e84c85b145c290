"""From a trigger to what the rules say: read what it concerns, decide, tell."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from apprunner_guardrails import asked_egress
from apprunner_guardrails.asked_egress import Asked
from apprunner_guardrails.aws import apprunner, ec2, findings_table, quotas, region
from apprunner_guardrails.aws import tags as index
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.drift import Change, concerned, folded
from apprunner_guardrails.events import TAGGING, FailedCall, Ignored, Trigger, concerns_rules
from apprunner_guardrails.facts import (
    NOT_ASKED,
    Connector,
    FactName,
    Fleet,
    Service,
    Unread,
    if_read,
    is_over,
)
from apprunner_guardrails.judge import (
    BESIDE_CHANGES,
    BESIDE_EVENTS,
    BESIDE_NEW_CONNECTORS,
    Answers,
    Tags,
    Terms,
    judge_connector,
    judge_service,
    required_at_once,
    with_tags_where_they_matter,
)
from apprunner_guardrails.ledger import Record, State, Transition
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.members import place_of
from apprunner_guardrails.once import judging
from apprunner_guardrails.paths.triggers import PathChange
from apprunner_guardrails.reach import REACHES
from apprunner_guardrails.services import ask_beside, ask_declaring, declarations, is_applied, with_destinations
from apprunner_guardrails.tags.plan import owner
from apprunner_guardrails.tell import Evaluation

CREATING = ("CreateVpcConnector", "CreateService")  # calls that make what may have to have tags


class NotRead(Exception):
    """Something could not be read that everything else depends on; the invocation is to be tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What a trigger led to: the rules' answers about a resource, and what is recorded of it."""

    evaluation: Evaluation
    recorded: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Gone:
    """A resource that is no longer there: what is recorded of it is over."""

    resource: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Event:
    """What happened, by what it is judged, and what asks AWS."""

    trigger: Trigger
    terms: Terms
    reads: Reads

    @property
    def table(self) -> str:
        return self.terms.settings.findings_table

    @property
    def declares(self) -> bool:
        """Whether it changes what a connector's services are said to depend on."""
        return REACHES in self.trigger.tag_keys

    @property
    def is_of_tags(self) -> bool:
        """Whether it is about tags that no rule of a service's connector looks at."""
        return self.trigger.what in TAGGING and not self.declares

    @property
    def needs_tags(self) -> bool:
        """Whether a service's tags are asked for though no rule fails that they may exempt."""
        settings, what = self.terms.settings, self.trigger.what
        required = required_at_once(settings) if what in CREATING else settings.required_tags
        return bool(required) or what in TAGGING


@judging()
def judge(trigger: Trigger, terms: Terms, reads: Reads) -> tuple[Judged, ...] | Ignored:
    """Judge the connector or the service that the trigger names, and with a service the connector that it uses.

    Raises LedgerUnavailable.
    """
    if not concerns_rules(trigger, terms.settings.required_tags):
        return Ignored(why=f"the call {trigger.what} names no tag that any rule looks at")
    event = _Event(trigger=trigger, terms=terms, reads=reads)
    judged = _of_service(event) if ":service/" in trigger.resource else (_of_connector(event),)
    ignored = [one for one in judged if isinstance(one, Ignored)]
    found = tuple(one for one in judged if isinstance(one, Judged))
    return found or Ignored(why="; ".join(one.why for one in ignored))


# --- A connector's own events -----------------------------------------------------------------------------------------


def _of_connector(event: _Event) -> Judged | Ignored:
    trigger, reads = event.trigger, event.reads
    is_new = trigger.what == "CreateVpcConnector"
    fleet = _ask_fleet(event) if is_new else None  # with the ACLs' this answer is waited for first
    _ask_about(trigger.resource, event, listed=is_new)
    recorded = findings_table.recorded(reads, event.table, trigger.resource)
    connector = _connector(trigger.resource, event, listed=is_new)
    if is_over(connector):
        return _over(_gone(trigger.resource, connector), event, recorded())
    return _judged_connector(trigger.resource, connector, event, recorded, fleet=fleet)


def _ask_about(arn: str, event: _Event, *, listed: bool = False) -> None:
    """Send at once what the event hints at. A wrong hint costs calls; the right one saves a round.

    `listed`: the connector is looked for in the list of all, which tells as much."""
    trigger, reads = event.trigger, event.reads
    if not listed:
        apprunner.describe_connector(reads, arn)
    if trigger.subnets:
        ec2.ask_near(reads, tuple(sorted(set(trigger.subnets))), tuple(sorted(set(trigger.groups))))
    apprunner.describe_tags(reads, arn)


def _ask_fleet(event: _Event) -> Callable[[], Fleet]:
    """The other connectors; who uses them would cost a call for each service."""
    asked = apprunner.list_connectors(event.reads)

    def wait() -> Fleet:
        connectors = asked()
        quota = quotas.quota_if_near(event.reads, len(if_read(connectors)))()
        return Fleet(connectors=connectors, services=NOT_ASKED, quota=quota, read_at=event.trigger.time)

    return wait


def _with(connector: Connector, fleet: Fleet) -> Fleet:
    """The list may lag behind a connector that was just made."""
    if isinstance(fleet.connectors, Unread) or any(one.arn == connector.arn for one in fleet.connectors):
        return fleet
    return replace(fleet, connectors=(*fleet.connectors, connector))


def _gone(arn: str, connector: Connector | Unread) -> _Gone:
    if isinstance(connector, Connector):
        return _Gone(resource=arn, why=f"the VPC connector {arn} was deleted: it is {connector.status}")
    return _Gone(resource=arn, why=f"the VPC connector {arn} no longer exists")


def _judged_connector(
    arn: str,
    connector: Connector | Unread,
    event: _Event,
    recorded: Callable[[], tuple[Record, ...]],
    *,
    fleet: Callable[[], Fleet] | None = None,
) -> Judged:
    asked_tags = apprunner.describe_tags(event.reads, arn)
    unasked: Collection[FactName] = BESIDE_EVENTS
    if isinstance(connector, Unread):
        answers = judge_connector(arn, connector, connector, asked_tags(), event.terms, unasked=unasked)
        return Judged(evaluation=_evaluation(event, arn, answers), recorded=recorded())
    network = ec2.read_network(event.reads, connector, event.trigger.account, event.terms.settings)
    tags, made = asked_tags(), ""
    declared: Mapping[str, Tags] | None = None
    if fleet is not None:
        made = event.trigger.time  # App Runner need not say
        network, unasked = replace(network, fleet=_with(connector, fleet())), BESIDE_NEW_CONNECTORS
        declared = declarations(connector, tags, {}, {})
    elif event.declares:
        unasked = BESIDE_EVENTS - {"destinations"}
        declared = _declared(connector, tags, event)
    if declared is not None:
        network = with_destinations(event.reads, {arn: network}, [connector], {arn: declared})[arn]
    answers = judge_connector(arn, connector, network, tags, event.terms, unasked=unasked, made=made)
    return Judged(evaluation=_evaluation(event, arn, answers), recorded=recorded())


def _declared(connector: Connector, tags: Tags, event: _Event) -> Mapping[str, Tags]:
    """Beside the event's own resource, whose tags are read afresh: the index of tags lags behind."""
    found, service = index.tags_of_all(event.reads)(), event.trigger.resource
    if not isinstance(found, Unread) and ":service/" in service:
        now = apprunner.describe_tags(event.reads, service)()
        found = now if isinstance(now, Unread) else {**found, service: now}
    return declarations(connector, tags, ask_declaring(event.reads, found), found)


# --- A service's events -----------------------------------------------------------------------------------------------


def _of_service(event: _Event) -> tuple[Judged | Ignored, ...]:
    """The service, and what it uses: of a connector that is gone the findings are over, and of a service too."""
    trigger, reads = event.trigger, event.reads
    stored = findings_table.all_recorded(reads, event.table, _place(trigger, event.terms))
    if trigger.connector:
        _ask_about(trigger.connector, event)
    elif not event.is_of_tags:
        apprunner.list_connectors(reads)
    if event.needs_tags:
        apprunner.describe_tags(reads, trigger.resource)
    service = apprunner.describe_service(reads, trigger.resource)()
    if is_over(service):
        gone = "was deleted" if isinstance(service, Service) else "no longer exists"
        over = _Gone(resource=trigger.resource, why=f"the service {trigger.resource} {gone}")
        return (_over(over, event, stored().of(trigger.resource)),)
    if isinstance(service, Unread):
        return _of_unread_service(service, event, stored)
    connector = _connector(service.connector_arn, event) if service.connector_arn else None
    recorded = stored().of(service.arn)
    asked = asked_egress.newest(trigger.egress, trigger.time, recorded)
    if isinstance(connector, Connector) and not is_over(connector) and not event.is_of_tags:
        ec2.ask_near(reads, connector.subnet_ids, connector.security_group_ids)
    beside = ask_beside(reads, service, connector, asked)
    of_connector = (
        () if connector is None or event.is_of_tags else (_of_its_connector(service, connector, event, stored),)
    )
    return (*of_connector, _judged_service(beside(), asked, event, recorded))


def _of_its_connector(
    service: Service, connector: Connector | Unread, event: _Event, stored: Callable[[], findings_table.Stored]
) -> Judged | Ignored:
    arn = service.connector_arn
    if is_over(connector):
        return _over(_gone(arn, connector), event, stored().of(arn))
    return _judged_connector(arn, connector, event, lambda: stored().of(arn))


def _judged_service(service: Service, asked: Asked | None, event: _Event, recorded: tuple[Record, ...]) -> Judged:
    answers = with_tags_where_they_matter(
        lambda tags: judge_service(service.arn, service, tags, event.terms),
        partial(apprunner.describe_tags, event.reads, service.arn),
        always=event.needs_tags,
    )
    keep = None if is_applied(service, asked) else asked
    notes = asked_egress.note(service.arn, keep, recorded, event.terms.now, time=asked.time if asked else "")
    return Judged(evaluation=_evaluation(event, service.arn, answers, notes), recorded=recorded)


def _of_unread_service(why: Unread, event: _Event, stored: Callable[[], findings_table.Stored]) -> tuple[Judged, ...]:
    """Nothing is known of the service but what it was asked for; of its connector there may be the event's word, unless
    that is redacted."""
    trigger = event.trigger
    service, arn, recorded = trigger.resource, trigger.connector, stored().of(trigger.resource)
    answers = judge_service(service, why, {}, event.terms)
    asked = asked_egress.newest(trigger.egress, trigger.time, recorded)
    notes = asked_egress.note(service, asked, recorded, event.terms.now)
    unread = Judged(evaluation=_evaluation(event, service, answers, notes), recorded=recorded)
    if ":vpcconnector/" not in arn or event.is_of_tags:
        return (unread,)
    connector = _connector(arn, event)
    if is_over(connector):
        return (unread,)
    return (unread, _judged_connector(arn, connector, event, lambda: stored().of(arn)))


def _connector(arn: str, event: _Event, *, listed: bool = False) -> Connector | Unread:
    """From the list, if that was asked for and has it: a call by ARN would be one more, or one round more."""
    by_name = event.trigger.connector or event.is_of_tags
    for connector in () if by_name and not listed else if_read(apprunner.list_connectors(event.reads)()):
        if connector.arn == arn:
            return connector
    return apprunner.describe_connector(event.reads, arn)()


# --- Changes of the network -------------------------------------------------------------------------------------------


@judging()
def judge_changes(changes: Sequence[Change], terms: Terms, reads: Reads) -> tuple[Judged, ...] | Ignored:
    """Judge the connectors that EC2 calls concern, each once whatever the number of calls, in one batch of reads.

    Raises NotRead where it cannot be told which those are, and LedgerUnavailable.
    """
    asked = findings_table.all_recorded(reads, terms.settings.findings_table, _place(changes[0], terms))
    asked_tags = index.tags_of_all(reads)
    connectors = apprunner.list_connectors(reads)()
    if isinstance(connectors, Unread):
        raise NotRead(f"which VPC connectors {_named(changes)} concerns cannot be told: {connectors}")
    stored = asked()  # before any network is read: who looks later and tells first is not contradicted
    structure = region.read_structure(reads, connectors)
    changed = concerned(changes, connectors, structure)
    if not changed:
        return Ignored(why=f"no VPC connector depends on what {_named(changes)} changed")
    affected = [one for one in connectors if one.arn in changed]
    asked_own = {one.arn: apprunner.describe_tags(reads, one.arn) for one in affected}
    networks = region.read_networks(reads, structure, affected, changes[0].account, terms.settings)
    own, all_tags = {arn: pending() for arn, pending in asked_own.items()}, asked_tags()
    declaring = ask_declaring(reads, all_tags)
    declared = {one.arn: declarations(one, own[one.arn], declaring, all_tags) for one in affected}
    networks = with_destinations(reads, networks, affected, declared)
    judged: list[Judged] = []
    for one in affected:
        answers = judge_connector(one.arn, one, networks[one.arn], own[one.arn], terms, unasked=BESIDE_CHANGES)
        evaluation = of_changes(one.arn, changed[one.arn], answers)
        judged.append(Judged(evaluation=evaluation, recorded=stored.of(one.arn)))
    return tuple(judged)


def _place(told: Trigger | Change, terms: Terms) -> str:
    return place_of(told.account, told.region, terms.settings).key


def _named(changes: Sequence[Change]) -> str:
    return changes[0].what if len(changes) == 1 else f"a batch of {len(changes)} changes"


def of_changes(
    arn: str, changes: Sequence[Change] | Sequence[PathChange], answers: Answers, notes: tuple[Transition, ...] = ()
) -> Evaluation:
    """What calls led to, as one evaluation of a resource that they concern."""
    one = folded(changes)
    return Evaluation(
        resource=arn,
        account=changes[0].account,
        region=changes[0].region,
        event_id=one.id,
        what=one.what,
        caller=one.caller,
        time=one.time,
        findings=answers.findings,
        left=answers.left,
        owner=answers.owner,
        notes=notes,
    )


def _over(gone: _Gone, event: _Event, recorded: tuple[Record, ...]) -> Judged | Ignored:
    if all(one.state is State.RESOLVED and not one.owed for one in recorded):
        return Ignored(why=gone.why)
    return Judged(evaluation=_evaluation(event, gone.resource, Answers(findings=())), recorded=recorded)


def _evaluation(event: _Event, resource: str, answers: Answers, notes: tuple[Transition, ...] = ()) -> Evaluation:
    owner = answers.owner or _owner_to_be(resource, event)
    return replace(evaluation_of(event.trigger, resource, answers), owner=owner, notes=notes)


def evaluation_of(told: Trigger | FailedCall | Change | PathChange, resource: str, answers: Answers) -> Evaluation:
    """What an event led to asking of a resource, with the answers."""
    return Evaluation(
        resource=resource,
        account=told.account,
        region=told.region,
        event_id=told.id,
        what=told.what,
        caller=told.caller,
        time=told.time,
        findings=answers.findings,
        left=answers.left,
        owner=answers.owner,
    )


def _owner_to_be(resource: str, event: _Event) -> str:
    """Whose something is that was just made, by the tag that it is being given at this moment; empty for all else."""
    trigger = event.trigger
    is_new = trigger.what in CREATING and resource == trigger.resource
    return owner(trigger.by, event.terms.settings) if is_new else ""
