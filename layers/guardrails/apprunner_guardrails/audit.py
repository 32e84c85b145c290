"""The whole Region at once: the same rules and the same ledger as an event's, with reads shared between resources."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from apprunner_guardrails import private_paths
from apprunner_guardrails.asked_egress import note, remembered
from apprunner_guardrails.aws import apprunner, ec2, quotas, region, tags
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.facts import (
    Connector,
    FactName,
    Fleet,
    ManagedInterface,
    Network,
    Paths,
    Service,
    Unread,
    if_read,
    is_over,
)
from apprunner_guardrails.judge import Answers, Tags, Terms, judge_connector, judge_service, with_sure_tags
from apprunner_guardrails.ledger import Record, State, Transition
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.paths.report import Report, report, standing
from apprunner_guardrails.private_paths import ended, ingress_of, judge_interfaces, judge_paths
from apprunner_guardrails.services import ask_beside, declarations, is_applied, with_destinations
from apprunner_guardrails.tell import Evaluation

RESERVE_SECONDS = 30.0  # what telling takes at worst: nothing is begun that would leave less


class OutOfTime(Exception):
    """The audit cannot be finished in this invocation. What was told stands; a retry goes on from there."""


class NotAudited(Exception):
    """A part of the Region could not be listed, so it was not audited; the rest was, and was told."""


type Recorded = Mapping[str, tuple[Record, ...]]  # by resource
type Services = Mapping[str, Service | Unread]


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """What there is to audit. A list that failed is Unread; services are described one by one, each may be."""

    connectors: tuple[Connector, ...] | Unread
    services: Services | Unread
    networks: Mapping[str, Network]
    interfaces: tuple[ManagedInterface, ...] | Unread
    paths: Paths
    notes: Mapping[str, tuple[Transition, ...]]  # to be written with what is told, by ARN
    tags: Mapping[str, Mapping[str, str]] | Unread

    @property
    def unlisted(self) -> tuple[Unread, ...]:
        """What failed so that not all was audited, each once. A service that could not be described says so itself."""
        said = () if isinstance(self.services, Unread) else self.services.values()
        lists = (self.connectors, self.services, self.interfaces, *self.paths.unlisted)
        return tuple(dict.fromkeys(one for one in lists if isinstance(one, Unread) and one not in said))

    @property
    def unasked(self) -> tuple[FactName, ...]:
        """What rules are not asked that need one of these lists: the audit says once that it failed, and not of each
        resource."""
        connectors: tuple[FactName, ...] = ("connectors",) if isinstance(self.connectors, Unread) else ()
        services: tuple[FactName, ...] = ("services", "destinations") if isinstance(self.services, Unread) else ()
        return connectors + services

    def tags_of(self, arn: str) -> Tags:
        return _indexed(self.tags, arn)


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """When, where and by what an audit runs, and its event's id; `seconds_left` tells until the function is ended."""

    account: str
    region: str
    event_id: str
    time: str
    terms: Terms
    seconds_left: Callable[[], float]

    def check_time(self, done: str) -> None:
        """Raises OutOfTime rather than let Lambda end the function in the middle of something."""
        if self.seconds_left() < RESERVE_SECONDS:
            raise OutOfTime(f"the audit of {self.region} ran out of time: {done}; nothing was told of the rest")

    def within_time(self, pace: Callable[[], None]) -> Callable[[], None]:
        """What API Gateway's calls wait for, which may be many: not begun where too little time is left."""

        def checked() -> None:
            self.check_time("the APIs were not all read")
            pace()

        return checked


def read_region(audit: Audit, reads: Reads, recorded: Callable[[], Recorded]) -> Region:
    """Everything that the audit looks at: lists, services, tags, the networks of all connectors, private paths.

    `recorded` gives what is recorded, where updates that have not finished are remembered. It may raise
    LedgerUnavailable.
    """
    asked_services, asked_tags = apprunner.list_services(reads), tags.tags_of_all(reads)
    asked_interfaces = ec2.managed_interfaces(reads)
    connectors = apprunner.list_connectors(reads)()
    quota = quotas.quota_if_near(reads, len(if_read(connectors)))
    structure = region.read_structure(reads, if_read(connectors))
    services = _services(asked_services(), audit, reads)
    fleet = Fleet(connectors=connectors, services=services, quota=quota(), read_at=audit.time)
    networks = region.read_networks(reads, structure, if_read(connectors), audit.account, audit.terms.settings)
    audit.check_time(f"{len(networks)} connectors were read")
    paths, notes = private_paths.read(
        reads,
        lambda arn: recorded().get(arn, ()),
        audit.terms.now,
        account=audit.account,
        region=audit.region,
        services=None if isinstance(services, Unread) else services,
    )
    audit.check_time("the private paths were read")
    index = asked_tags()
    return Region(
        connectors=connectors,
        services=services if isinstance(services, Unread) else _beside(services, connectors, paths, reads, recorded()),
        networks=_within(fleet, networks, index, reads),
        interfaces=asked_interfaces(),
        paths=paths,
        notes=notes,
        tags=index,
    )


def _indexed(index: Mapping[str, Mapping[str, str]] | Unread, arn: str) -> Tags:
    return index if isinstance(index, Unread) else index.get(arn, {})


def _within(
    fleet: Fleet, networks: Mapping[str, Network], index: Mapping[str, Mapping[str, str]] | Unread, reads: Reads
) -> Mapping[str, Network]:
    """The networks with the fleet, and with what the services of each connector depend on."""
    connectors = if_read(fleet.connectors)
    declared = {one.arn: declarations(one, _indexed(index, one.arn), fleet.services, index) for one in connectors}
    whole = with_destinations(reads, networks, connectors, declared)
    return {arn: replace(network, fleet=fleet) for arn, network in whole.items()}


def _services(arns: tuple[str, ...] | Unread, audit: Audit, reads: Reads) -> Services | Unread:
    """Each service costs a call: the list tells neither status nor network."""
    if isinstance(arns, Unread):
        return arns
    asked = {arn: apprunner.describe_service(reads, arn) for arn in arns}
    services: dict[str, Service | Unread] = {}
    for arn, pending in asked.items():
        services[arn] = pending()
        audit.check_time(f"{len(services)} of {len(asked)} services were read")
    return services


def _beside(
    services: Services, connectors: tuple[Connector, ...] | Unread, paths: Paths, reads: Reads, recorded: Recorded
) -> Services:
    """The services with what is known of them beside; most of it was read already."""
    used = _used(services, connectors, reads)
    whole: dict[str, Callable[[], Service]] = {}
    for arn, one in services.items():
        if isinstance(one, Service):
            connector, asked = used.get(one.connector_arn), remembered(recorded.get(arn, ()))
            whole[arn] = ask_beside(reads, one, connector, asked, ingress=ingress_of(arn, paths, reads))
    return {**services, **{arn: pending() for arn, pending in whole.items()}}


def _used(
    services: Services, connectors: tuple[Connector, ...] | Unread, reads: Reads
) -> Mapping[str, Connector | Unread]:
    """The connectors that services use, by ARN. One that is not listed is asked for by name, if there is a list."""
    named = sorted({one.connector_arn for one in services.values() if isinstance(one, Service)} - {""})
    if isinstance(connectors, Unread):
        return dict.fromkeys(named, connectors)
    listed = {one.arn: one for one in connectors}
    asked = {arn: apprunner.describe_connector(reads, arn) for arn in named if arn not in listed}
    return {**listed, **{arn: pending() for arn, pending in asked.items()}}


def judge_region(audit: Audit, reads: Reads, found: Region, recorded: Recorded) -> tuple[Evaluation, ...]:
    """What the rules say of every resource, and the end of those that are gone; by ARN."""
    answers = dict(_judged_connectors(audit, reads, found, recorded))
    answers |= _judged_services(audit, reads, found, recorded)
    answers |= judge_interfaces(
        if_read(found.interfaces),
        found.connectors,
        audit.terms,
        account=audit.account,
        region=audit.region,
        unasked=found.unasked,
    )
    answers |= judge_paths(found.paths, audit.terms, reads)
    audit.check_time("the private paths were judged, not what is gone")
    answers |= _over(audit, reads, found, [arn for arn in _alive(recorded) if arn not in answers])
    notes = {**found.notes, **_remembering(audit, found, recorded)}
    return tuple(evaluation(audit, arn, one, notes.get(arn, ())) for arn, one in sorted(answers.items()))


def _judged_connectors(audit: Audit, reads: Reads, found: Region, recorded: Recorded) -> Iterable[tuple[str, Answers]]:
    for one in if_read(found.connectors):
        judge = partial(
            judge_connector, one.arn, one, found.networks[one.arn], terms=audit.terms, unasked=found.unasked
        )
        yield one.arn, _with_sure_tags(judge, one.arn, reads, found, recorded)
        audit.check_time("the connectors were read, not all were judged")


def _judged_services(audit: Audit, reads: Reads, found: Region, recorded: Recorded) -> Iterable[tuple[str, Answers]]:
    for arn, one in () if isinstance(found.services, Unread) else found.services.items():
        if not is_over(one):
            judge = partial(judge_service, arn, one, terms=audit.terms, unasked=found.unasked)
            yield arn, _with_sure_tags(judge, arn, reads, found, recorded)
            audit.check_time("the services were read, not all were judged")


def _with_sure_tags(
    judge: Callable[[Tags], Answers], arn: str, reads: Reads, found: Region, recorded: Recorded
) -> Answers:
    return with_sure_tags(
        judge, found.tags_of(arn), partial(apprunner.describe_tags, reads, arn), recorded.get(arn, ())
    )


def _remembering(audit: Audit, found: Region, recorded: Recorded) -> Mapping[str, tuple[Transition, ...]]:
    """What to write of what updates asked for: until it shows it is to be remembered, and then no longer."""
    notes: dict[str, tuple[Transition, ...]] = {}
    for arn, one in () if isinstance(found.services, Unread) else found.services.items():
        records = recorded.get(arn, ())
        asked = remembered(records)
        if isinstance(one, Service):
            notes[arn] = note(arn, None if is_applied(one, asked) else asked, records, audit.terms.now)
    return notes


def _alive(recorded: Recorded) -> Iterable[str]:
    """What has findings that are not over, or that somebody has to be told of."""
    return (
        arn for arn, records in recorded.items() if any(one.state is not State.RESOLVED or one.owed for one in records)
    )


def _over(audit: Audit, reads: Reads, found: Region, unseen: Collection[str]) -> Mapping[str, Answers]:
    """The end of what was not seen now, as far as that is sure.

    Lists lag behind: a connector or service is over that is in no list and not there when it is asked for by name.
    """
    connectors, services, interfaces = (
        [arn for arn in unseen if kind in arn] for kind in (":vpcconnector/", ":service/", ":network-interface/")
    )
    asked: dict[str, Callable[[], object]] = {}
    if not isinstance(found.connectors, Unread):
        asked |= {arn: apprunner.describe_connector(reads, arn) for arn in connectors}
    if not isinstance(found.services, Unread):
        asked |= {arn: apprunner.describe_service(reads, arn) for arn in services}
    gone = [arn for arn, pending in asked.items() if is_over(pending())]
    if not isinstance(found.interfaces, Unread):
        gone += interfaces
    others = {*connectors, *services, *interfaces}
    off_paths = [arn for arn in unseen if arn not in others]
    return {**dict.fromkeys(gone, Answers(findings=())), **dict(ended(off_paths, found.paths, audit.terms, reads))}


def evaluation(audit: Audit, arn: str, answers: Answers, notes: tuple[Transition, ...] = ()) -> Evaluation:
    """What the audit says of a resource."""
    return Evaluation(
        resource=arn,
        account=audit.account,
        region=audit.region,
        event_id=audit.event_id,
        what="Scheduled audit",
        caller=Caller(),
        time=audit.time,
        findings=answers.findings,
        left=answers.left,
        owner=answers.owner,
        notes=notes,
    )


def path_report(
    audit: Audit, found: Region, judged: Iterable[Evaluation], recorded: Mapping[str, tuple[Record, ...]]
) -> Report:
    """A chain for every service, from its clients to its destinations, with what the rules say of each hop."""
    return report(
        {} if isinstance(found.services, Unread) else found.services,
        {one.arn: one for one in if_read(found.connectors)},
        found.networks,
        found.paths,
        {one.resource: (*one.findings, *standing(recorded.get(one.resource, ()), one.left)) for one in judged},
        account=audit.account,
        region=audit.region,
        time=audit.time,
    )
