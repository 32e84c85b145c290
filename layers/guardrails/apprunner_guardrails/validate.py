"""From a trigger to what the rules say: read the connector and its network, decide, tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from apprunner_guardrails.aws import apprunner, ec2, findings_table, region
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.drift import Change, concerned, folded
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.events import TAGGING, Ignored, Trigger
from apprunner_guardrails.exemptions import applied
from apprunner_guardrails.facts import Connector, Network, Service, Unread, if_read, is_gone, is_over, unread_network
from apprunner_guardrails.findings import Finding
from apprunner_guardrails.ledger import Record, State
from apprunner_guardrails.rules import RULES, SERVICE_RULES, chosen
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tell import Evaluation

NO_NETWORK = Unread(call="", code="a service has no network of its own")


class NotRead(Exception):
    """Something could not be read that everything else depends on; the invocation is to be tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What a trigger led to: the rules' answers about a resource, and what is recorded of it."""

    evaluation: Evaluation
    recorded: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Subject:
    """The connector to judge; under the service's ARN where it is not even known which connector that is."""

    resource: str
    connector: Connector | Unread


@dataclass(frozen=True, kw_only=True, slots=True)
class _Gone:
    """A resource that is no longer there: what is recorded of it is over."""

    resource: str
    why: str


def judge(trigger: Trigger, settings: Settings, reads: Reads, today: str) -> Judged | Ignored:
    """Judge the connector that the trigger names or uses; a service itself where the trigger is about its tags.

    `today` is 2026-11-21, in UTC: exemptions run out by the day. Raises LedgerUnavailable.
    """
    if ":service/" in trigger.resource and trigger.what in TAGGING:
        return _judge_service(trigger, settings, reads, today)
    subject = _subject(trigger, reads, settings)
    if isinstance(subject, Ignored):
        return subject
    recorded = findings_table.recorded(reads, settings.findings_table, subject.resource)
    if isinstance(subject, _Gone):
        return _over(subject, trigger, recorded())
    tags = apprunner.describe_tags(reads, subject.resource)
    network = _network(subject.connector, trigger, reads, settings)
    findings = judge_connector(subject.resource, subject.connector, network, tags(), settings=settings, today=today)
    return Judged(evaluation=_evaluation(trigger, subject.resource, findings), recorded=recorded())


def judge_connector(
    resource: str,
    connector: Connector | Unread,
    network: Network | Unread,
    tags: Mapping[str, str] | Unread,
    *,
    settings: Settings,
    today: str,
) -> tuple[Finding, ...]:
    """Every rule's answer about a connector, with what exemptions make of it."""
    tagged = connector if isinstance(connector, Unread) else replace(connector, tags=tags)
    return applied(evaluate(chosen(RULES, settings), resource, tagged, network, settings), tags, today)


def judge_service(
    resource: str, service: Service | Unread, tags: Mapping[str, str] | Unread, settings: Settings, today: str
) -> tuple[Finding, ...]:
    """Every rule's answer about a service, with what exemptions make of it."""
    tagged = service if isinstance(service, Unread) else replace(service, tags=tags)
    nothing = unread_network("", "", NO_NETWORK)
    return applied(evaluate(chosen(SERVICE_RULES, settings), resource, tagged, nothing, settings), tags, today)


def judge_changes(
    changes: Sequence[Change], settings: Settings, reads: Reads, today: str
) -> tuple[Judged, ...] | Ignored:
    """Judge the connectors that EC2 calls concern, each once whatever the number of calls, in one batch of reads.

    Raises NotRead where it cannot be told which those are, and LedgerUnavailable.
    """
    asked = findings_table.all_recorded(reads, settings.findings_table)
    connectors = apprunner.list_connectors(reads)()
    if isinstance(connectors, Unread):
        raise NotRead(f"which VPC connectors {_named(changes)} concerns cannot be told: {connectors}")
    stored = asked()  # before any network is read: who looks later and tells first is not contradicted
    structure = region.read_structure(reads, connectors)
    changed = concerned(changes, connectors, structure)
    if not changed:
        return Ignored(why=f"no VPC connector depends on what {_named(changes)} changed")
    affected = [one for one in connectors if one.arn in changed]
    tags = {one.arn: apprunner.describe_tags(reads, one.arn) for one in affected}
    networks = region.read_networks(reads, structure, affected, changes[0].account, settings)
    judged: list[Judged] = []
    for one in affected:
        findings = judge_connector(one.arn, one, networks[one.arn], tags[one.arn](), settings=settings, today=today)
        evaluation = _of_changes(one.arn, changed[one.arn], findings)
        judged.append(Judged(evaluation=evaluation, recorded=stored.of(one.arn)))
    return tuple(judged)


def _named(changes: Sequence[Change]) -> str:
    return changes[0].what if len(changes) == 1 else f"a batch of {len(changes)} changes"


def _of_changes(arn: str, changes: tuple[Change, ...], findings: tuple[Finding, ...]) -> Evaluation:
    one = folded(changes)
    return Evaluation(
        resource=arn,
        account=changes[0].account,
        region=changes[0].region,
        what=one.what,
        caller=one.caller,
        time=one.time,
        findings=findings,
    )


def _judge_service(trigger: Trigger, settings: Settings, reads: Reads, today: str) -> Judged | Ignored:
    described = apprunner.describe_service(reads, trigger.resource)
    tags = apprunner.describe_tags(reads, trigger.resource)
    recorded = findings_table.recorded(reads, settings.findings_table, trigger.resource)
    service = described()
    if is_over(service):
        gone = _Gone(resource=trigger.resource, why=f"the service {trigger.resource} no longer exists")
        return _over(gone, trigger, recorded())
    findings = judge_service(trigger.resource, service, tags(), settings, today)
    return Judged(evaluation=_evaluation(trigger, trigger.resource, findings), recorded=recorded())


def _over(gone: _Gone, trigger: Trigger, recorded: tuple[Record, ...]) -> Judged | Ignored:
    if all(one.state is State.RESOLVED and not one.owed for one in recorded):
        return Ignored(why=gone.why)
    return Judged(evaluation=_evaluation(trigger, gone.resource, ()), recorded=recorded)


def _evaluation(trigger: Trigger, resource: str, findings: tuple[Finding, ...]) -> Evaluation:
    return Evaluation(
        resource=resource,
        account=trigger.account,
        region=trigger.region,
        what=trigger.what,
        caller=trigger.caller,
        time=trigger.time,
        findings=findings,
    )


def _subject(trigger: Trigger, reads: Reads, settings: Settings) -> _Subject | _Gone | Ignored:
    _ask_early(trigger, reads, settings)
    arn = trigger.resource if trigger.resource == trigger.connector else _connector_of_service(trigger, reads)
    if isinstance(arn, _Gone | Ignored):
        return arn
    if isinstance(arn, Unread):
        return _Subject(resource=trigger.resource, connector=arn)
    connector = _connector(arn, trigger, reads)
    if is_gone(connector):
        return _Gone(resource=arn, why=f"the VPC connector {arn} no longer exists")
    if isinstance(connector, Connector) and is_over(connector):
        return _Gone(resource=arn, why=f"the VPC connector {arn} was deleted: it is {connector.status}")
    return _Subject(resource=arn, connector=connector)


def _ask_early(trigger: Trigger, reads: Reads, settings: Settings) -> None:
    """Send at once what the event hints at. A wrong hint costs calls; the right one saves a round."""
    if trigger.connector:
        apprunner.describe_connector(reads, trigger.connector)
        apprunner.describe_tags(reads, trigger.connector)
        findings_table.recorded(reads, settings.findings_table, trigger.connector)
    else:
        apprunner.list_connectors(reads)
    if trigger.subnets:
        ec2.ask_near(reads, tuple(sorted(set(trigger.subnets))), tuple(sorted(set(trigger.groups))))


def _connector_of_service(trigger: Trigger, reads: Reads) -> str | Unread | _Gone | Ignored:
    """The ARN of the connector that the service uses now; the event's hint only where the service cannot be read."""
    service = apprunner.describe_service(reads, trigger.resource)()
    if is_gone(service):
        return _Gone(resource=trigger.resource, why=f"the service {trigger.resource} no longer exists")
    if isinstance(service, Unread):
        return trigger.connector if ":vpcconnector/" in trigger.connector else service  # it may be redacted
    if is_over(service):
        return _Gone(resource=trigger.resource, why=f"the service {trigger.resource} was deleted")
    return service.connector_arn or Ignored(why=f"the service {trigger.resource} uses no VPC connector")


def _connector(arn: str, trigger: Trigger, reads: Reads) -> Connector | Unread:
    """From the list, if that was asked for and has it: a call by ARN would be one round more."""
    for connector in () if trigger.connector else if_read(apprunner.list_connectors(reads)()):
        if connector.arn == arn:
            return connector
    return apprunner.describe_connector(reads, arn)()


def _network(connector: Connector | Unread, trigger: Trigger, reads: Reads, settings: Settings) -> Network | Unread:
    if isinstance(connector, Unread):
        return connector
    return ec2.read_network(reads, connector, trigger.account, settings)
