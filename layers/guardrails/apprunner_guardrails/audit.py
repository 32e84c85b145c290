"""The whole Region at once: the same rules and the same ledger as an event's, with reads shared between resources."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from apprunner_guardrails.aws import apprunner, region, tags
from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.events import Caller
from apprunner_guardrails.facts import Connector, Network, Service, Unread, if_read, is_over
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.ledger import Record, State
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tell import Evaluation
from apprunner_guardrails.validate import judge_connector, judge_service

MALFORMED = "AR901"
RESERVE_SECONDS = 30.0  # what telling takes at worst: nothing is begun that would leave less

type Tags = Mapping[str, str] | Unread


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
    tags: Mapping[str, Mapping[str, str]] | Unread

    @property
    def unlisted(self) -> tuple[Unread, ...]:
        return tuple(part for part in (self.connectors, self.services) if isinstance(part, Unread))


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """When and where an audit runs. `today` is 2026-11-21, in UTC; `seconds_left` tells until the function is ended."""

    account: str
    region: str
    time: str
    today: str
    seconds_left: Callable[[], float]

    def check_time(self, done: str) -> None:
        """Raises OutOfTime rather than let Lambda end the function in the middle of something."""
        if self.seconds_left() < RESERVE_SECONDS:
            raise OutOfTime(f"the audit of {self.region} ran out of time: {done}; nothing was told of the rest")


def read_region(audit: Audit, settings: Settings, reads: Reads) -> Region:
    """Everything that the audit looks at: lists, services, tags, and the networks of all connectors."""
    asked_connectors, asked_services, asked_tags = (
        apprunner.list_connectors(reads),
        apprunner.list_services(reads),
        tags.tags_of_all(reads),
    )
    connectors = asked_connectors()
    known = if_read(connectors)
    structure = region.read_structure(reads, known)
    services = _services(asked_services(), audit, reads)
    networks = region.read_networks(reads, structure, known, audit.account, settings)
    audit.check_time(f"{len(known)} connectors were read")
    return Region(connectors=connectors, services=services, networks=networks, tags=asked_tags())


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


def judge_region(
    audit: Audit, settings: Settings, reads: Reads, found: Region, recorded: Mapping[str, tuple[Record, ...]]
) -> tuple[Evaluation, ...]:
    """What the rules say of every resource, and the end of those that are gone; by ARN."""
    judged = [
        *_judged_connectors(audit, settings, reads, found, recorded),
        *_judged_services(audit, settings, reads, found, recorded),
        *(_evaluation(audit, arn, ()) for arn in _confirmed_gone(reads, found, recorded)),
    ]
    return tuple(sorted(judged, key=lambda one: one.resource))


def _judged_connectors(
    audit: Audit, settings: Settings, reads: Reads, found: Region, recorded: Mapping[str, tuple[Record, ...]]
) -> Iterable[Evaluation]:
    for one in if_read(found.connectors):

        def judged(tags: Tags, one: Connector = one) -> tuple[Finding, ...]:
            return judge_connector(one.arn, one, found.networks[one.arn], tags, settings=settings, today=audit.today)

        yield _evaluation(audit, one.arn, _with_sure_tags(judged, one.arn, found, reads, recorded))
        audit.check_time("the connectors were read, not all were judged")


def _judged_services(
    audit: Audit, settings: Settings, reads: Reads, found: Region, recorded: Mapping[str, tuple[Record, ...]]
) -> Iterable[Evaluation]:
    for arn, service in () if isinstance(found.services, Unread) else found.services.items():
        if is_over(service):
            continue

        def judged(tags: Tags, arn: str = arn, service: Service | Unread = service) -> tuple[Finding, ...]:
            return judge_service(arn, service, tags, settings, audit.today)

        yield _evaluation(audit, arn, _with_sure_tags(judged, arn, found, reads, recorded))
        audit.check_time("the services were read, not all were judged")


def _with_sure_tags(
    judged: Callable[[Tags], tuple[Finding, ...]],
    arn: str,
    found: Region,
    reads: Reads,
    recorded: Mapping[str, tuple[Record, ...]],
) -> tuple[Finding, ...]:
    """The answers by the index of tags; by the resource's own tags where the index, which lags, would change things."""
    by_index = judged(found.tags if isinstance(found.tags, Unread) else found.tags.get(arn, {}))
    states = {one.rule: one.state for one in recorded.get(arn, ())}
    if isinstance(found.tags, Unread) or not any(_hangs_on_tags(one, states.get(one.rule)) for one in by_index):
        return by_index
    return judged(apprunner.describe_tags(reads, arn)())


def _hangs_on_tags(finding: Finding, state: State | None) -> bool:
    if finding.rule == MALFORMED:
        return (finding.status is Status.FAIL) != (state is State.OPEN)
    if finding.status is Status.EXEMPT:
        return state is State.OPEN
    ended = state is State.EXEMPT or finding.exemption is not None
    return finding.status is Status.FAIL and state is not State.OPEN and ended


def _confirmed_gone(reads: Reads, found: Region, recorded: Mapping[str, tuple[Record, ...]]) -> Iterable[str]:
    """What has findings, is in no list, and is not there when it is asked for by name: lists lag behind."""
    alive = [
        arn for arn, records in recorded.items() if any(one.state is not State.RESOLVED or one.owed for one in records)
    ]
    listed = {one.arn for one in if_read(found.connectors)}
    for arn in alive:
        described: Pending[Connector] | Pending[Service]
        if ":vpcconnector/" in arn and not isinstance(found.connectors, Unread) and arn not in listed:
            described = apprunner.describe_connector(reads, arn)
        elif ":service/" in arn and not isinstance(found.services, Unread):
            described = apprunner.describe_service(reads, arn)
        else:
            continue
        if is_over(described()):
            yield arn


def _evaluation(audit: Audit, arn: str, findings: tuple[Finding, ...]) -> Evaluation:
    return Evaluation(
        resource=arn,
        account=audit.account,
        region=audit.region,
        what="Scheduled audit",
        caller=Caller(),
        time=audit.time,
        findings=findings,
    )
