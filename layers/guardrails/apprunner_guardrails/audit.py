"""The whole Region at once: the same rules and the same ledger as an event's, with reads shared between resources."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from apprunner_guardrails import private_paths
from apprunner_guardrails.asked_egress import note, remembered
from apprunner_guardrails.aws import apprunner, ec2, quotas, region, tags
from apprunner_guardrails.aws.findings_table import Stored
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.events import Caller
from apprunner_guardrails.facts import (
    Connector,
    Fleet,
    ManagedInterface,
    Network,
    Paths,
    Service,
    Unread,
    if_read,
    is_over,
)
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.judge import Answers, Tags, Terms, judge_connector, judge_service, judged
from apprunner_guardrails.ledger import Record, State, Transition
from apprunner_guardrails.private_paths import ingress_of, is_whole, judge_paths, off_paths
from apprunner_guardrails.rules import INTERFACE_RULES, exemption_malformed
from apprunner_guardrails.services import ask_beside, declarations, is_applied, with_destinations
from apprunner_guardrails.tell import Evaluation

RESERVE_SECONDS = 30.0  # what telling takes at worst: nothing is begun that would leave less


class OutOfTime(Exception):
    """The audit cannot be finished in this invocation. What was told stands; a retry goes on from there."""


class NotAudited(Exception):
    """A part of the Region could not be listed, so it was not audited; the rest was, and was told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """What there is to audit. A list that failed is Unread; services are described one by one, each may be."""

    connectors: tuple[Connector, ...] | Unread
    services: Mapping[str, Service | Unread] | Unread
    networks: Mapping[str, Network]
    interfaces: tuple[ManagedInterface, ...] | Unread
    paths: Paths
    notes: Mapping[str, tuple[Transition, ...]]  # to be written with what is told, by ARN
    tags: Mapping[str, Mapping[str, str]] | Unread

    @property
    def unlisted(self) -> tuple[Unread, ...]:
        parts = (self.connectors, self.services, self.interfaces)
        return (*(part for part in parts if isinstance(part, Unread)), *self.paths.unlisted)


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """When, where and by what an audit runs; `seconds_left` tells until the function is ended."""

    account: str
    region: str
    time: str
    terms: Terms
    seconds_left: Callable[[], float]

    def check_time(self, done: str) -> None:
        """Raises OutOfTime rather than let Lambda end the function in the middle of something."""
        if self.seconds_left() < RESERVE_SECONDS:
            raise OutOfTime(f"the audit of {self.region} ran out of time: {done}; nothing was told of the rest")


def read_region(audit: Audit, reads: Reads, stored: Callable[[], Stored]) -> Region:
    """Everything that the audit looks at: lists, services, tags, the networks of all connectors, private paths.

    `stored` gives what is recorded, where updates that have not finished are remembered. Raises LedgerUnavailable.
    """
    asked_connectors, asked_services, asked_tags, asked_interfaces = (
        apprunner.list_connectors(reads),
        apprunner.list_services(reads),
        tags.tags_of_all(reads),
        ec2.managed_interfaces(reads),
    )
    connectors = asked_connectors()
    known = if_read(connectors)
    quota = quotas.quota_if_near(reads, len(known))
    structure = region.read_structure(reads, known)
    services = _services(asked_services(), audit, reads)
    networks = region.read_networks(reads, structure, known, audit.account, audit.terms.settings)
    audit.check_time(f"{len(known)} connectors were read")
    interfaces = asked_interfaces()
    described = None if isinstance(services, Unread) else services
    paths, notes = private_paths.read(
        reads, stored(), audit.terms.now, account=audit.account, region=audit.region, services=described
    )
    audit.check_time("the private paths were read")
    all_tags = asked_tags()
    declared = {
        one.arn: declarations(
            one, all_tags if isinstance(all_tags, Unread) else all_tags.get(one.arn, {}), services, all_tags
        )
        for one in known
    }
    networks = with_destinations(reads, networks, known, declared)
    fleet = Fleet(connectors=connectors, services=services, quota=quota(), read_at=audit.time)
    return Region(
        connectors=connectors,
        services=services if isinstance(services, Unread) else _beside(services, connectors, paths, reads, stored()),
        networks={arn: replace(network, fleet=fleet) for arn, network in networks.items()},
        interfaces=interfaces
        if isinstance(interfaces, Unread)
        else tuple(
            replace(one, account=audit.account, region=audit.region, connectors=connectors) for one in interfaces
        ),
        paths=paths,
        notes=notes,
        tags=all_tags,
    )


def _services(arns: tuple[str, ...] | Unread, audit: Audit, reads: Reads) -> Mapping[str, Service | Unread] | Unread:
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
    services: Mapping[str, Service | Unread],
    connectors: tuple[Connector, ...] | Unread,
    paths: Paths,
    reads: Reads,
    stored: Stored,
) -> Mapping[str, Service | Unread]:
    """The services with what is known of them beside; most of it was read already."""
    by_arn = {one.arn: one for one in if_read(connectors)}
    whole: dict[str, Callable[[], Service] | Unread] = {}
    for arn, one in services.items():
        if isinstance(one, Unread):
            whole[arn] = one
            continue
        used = by_arn.get(one.connector_arn) or (
            apprunner.describe_connector(reads, one.connector_arn)() if one.connector_arn else None
        )
        asked = remembered(record for record in stored.records if record.resource == arn)
        whole[arn] = ask_beside(reads, one, used, asked, ingress=ingress_of(arn, paths))
    return {arn: one if isinstance(one, Unread) else one() for arn, one in whole.items()}


def judge_region(
    audit: Audit, reads: Reads, found: Region, recorded: Mapping[str, tuple[Record, ...]]
) -> tuple[Evaluation, ...]:
    """What the rules say of every resource, and the end of those that are gone; by ARN."""
    judged = [
        *_judged_connectors(audit, reads, found, recorded),
        *_judged_services(audit, reads, found, recorded),
        *_judged_interfaces(audit, found),
        *(
            _evaluation(audit, arn, answers, found.notes.get(arn, ()))
            for arn, answers in judge_paths(found.paths, audit.terms, reads)
        ),
    ]
    there = {one.resource for one in judged}
    gone = [_evaluation(audit, arn, answers) for arn, answers in _over(reads, found, recorded, there)]
    return tuple(sorted((*judged, *gone), key=lambda one: one.resource))


def _judged_connectors(
    audit: Audit, reads: Reads, found: Region, recorded: Mapping[str, tuple[Record, ...]]
) -> Iterable[Evaluation]:
    for one in if_read(found.connectors):

        def judged(tags: Tags, one: Connector = one) -> Answers:
            return judge_connector(one.arn, one, found.networks[one.arn], tags, audit.terms)

        yield _evaluation(audit, one.arn, _with_sure_tags(judged, one.arn, found, reads, recorded))
        audit.check_time("the connectors were read, not all were judged")


def _judged_services(
    audit: Audit, reads: Reads, found: Region, recorded: Mapping[str, tuple[Record, ...]]
) -> Iterable[Evaluation]:
    for arn, service in () if isinstance(found.services, Unread) else found.services.items():
        if is_over(service):
            continue

        def judged(tags: Tags, arn: str = arn, service: Service | Unread = service) -> Answers:
            return judge_service(arn, service, tags, audit.terms)

        answers = _with_sure_tags(judged, arn, found, reads, recorded)
        yield _evaluation(audit, arn, answers, _forgotten(service, recorded.get(arn, ()), audit))
        audit.check_time("the services were read, not all were judged")


def _forgotten(service: Service | Unread, records: tuple[Record, ...], audit: Audit) -> tuple[Transition, ...]:
    """What an update asked for and what shows by now need not be remembered any longer."""
    if isinstance(service, Unread) or not is_applied(service, remembered(records)):
        return ()
    return note(service.arn, None, records, audit.terms.now)


def _judged_interfaces(audit: Audit, found: Region) -> Iterable[Evaluation]:
    for one in if_read(found.interfaces):
        yield _evaluation(audit, one.arn, judged(INTERFACE_RULES, one.arn, one, one.tags, audit.terms))


def _with_sure_tags(
    judged: Callable[[Tags], Answers],
    arn: str,
    found: Region,
    reads: Reads,
    recorded: Mapping[str, tuple[Record, ...]],
) -> Answers:
    """The answers by the index of tags; by the resource's own tags where the index, which lags, would change things."""
    by_index = judged(found.tags if isinstance(found.tags, Unread) else found.tags.get(arn, {}))
    states = {one.rule: one.state for one in recorded.get(arn, ())}
    if isinstance(found.tags, Unread) or not any(
        _hangs_on_tags(one, states.get(one.rule)) for one in by_index.findings
    ):
        return by_index
    return judged(apprunner.describe_tags(reads, arn)())


def _hangs_on_tags(finding: Finding, state: State | None) -> bool:
    if finding.rule == exemption_malformed.ID:
        return (finding.status is Status.FAIL) != (state is State.OPEN)
    if finding.status is Status.EXEMPT:
        return state is State.OPEN
    ended = state is State.EXEMPT or finding.exemption is not None
    return finding.status is Status.FAIL and state is not State.OPEN and ended


def _over(
    reads: Reads, found: Region, recorded: Mapping[str, tuple[Record, ...]], there: Collection[str]
) -> Iterable[tuple[str, Answers]]:
    """What has findings and was not judged now. Lists lag behind: of connectors and services, what is in no list and
    not there when it is asked for by name. Of the rest, what is on no private path any more, if nothing was unread."""
    for arn, records in recorded.items():
        if arn in there or all(one.state is State.RESOLVED and not one.owed for one in records):
            continue
        if ":vpcconnector/" in arn:
            over = not isinstance(found.connectors, Unread) and is_over(apprunner.describe_connector(reads, arn)())
        elif ":service/" in arn:
            over = not isinstance(found.services, Unread) and is_over(apprunner.describe_service(reads, arn)())
        elif ":network-interface/" in arn:
            over = not isinstance(found.interfaces, Unread)
        else:
            over = is_whole(found.paths)
        if over:
            yield arn, off_paths(arn)


def _evaluation(audit: Audit, arn: str, answers: Answers, notes: tuple[Transition, ...] = ()) -> Evaluation:
    return Evaluation(
        resource=arn,
        account=audit.account,
        region=audit.region,
        what="Scheduled audit",
        caller=Caller(),
        time=audit.time,
        findings=answers.findings,
        left=answers.left,
        notes=notes,
    )
