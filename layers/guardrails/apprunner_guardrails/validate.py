"""From a trigger to what the rules say: read the connector and its network, decide, alert."""

from collections.abc import Callable
from dataclasses import dataclass

from apprunner_guardrails.alerts import Alert
from apprunner_guardrails.alerts.text import Message, render
from apprunner_guardrails.aws import apprunner, ec2
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.events import Ignored, Trigger
from apprunner_guardrails.facts import Connector, Network, Unread
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.rules import RULES
from apprunner_guardrails.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What one invocation found and told."""

    findings: tuple[Finding, ...]
    alerts: int

    def as_json(self) -> dict[str, object]:
        """The function's result: every rule's answer by resource; with no memory yet, each fault is opened."""
        resources: dict[str, dict[str, str]] = {}
        for finding in self.findings:
            resources.setdefault(finding.resource, {})[finding.rule] = finding.status.value
        opened = [_transition(finding) for finding in self.findings if finding.status is Status.FAIL]
        return {"resources": resources, "opened": opened, "changed": [], "resolved": [], "alerts": self.alerts}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Subject:
    """The connector to judge; under the service's ARN where it is not even known which connector that is."""

    resource: str
    connector: Connector | Unread


def validate(
    trigger: Trigger, settings: Settings, reads: Reads, publish: Callable[[Message], None]
) -> Report | Ignored:
    """Judge the connector that the trigger names or uses, and publish one alert if there is something to tell."""
    subject = _subject(trigger, reads)
    if isinstance(subject, Ignored):
        return subject
    network = _network(subject.connector, trigger, reads, settings)
    findings = evaluate(RULES, subject.resource, subject.connector, network, settings)
    alert = Alert(
        resource=subject.resource,
        resource_name=_name(subject.resource),
        resource_type="service" if ":service/" in subject.resource else "VPC connector",
        account=trigger.account,
        region=trigger.region,
        what=trigger.what,
        caller=trigger.caller,
        time=trigger.time,
        findings=findings,
    )
    to_tell = bool(alert.failed or alert.unjudged)
    if to_tell:
        publish(render(alert))
    return Report(findings=findings, alerts=int(to_tell))


def _subject(trigger: Trigger, reads: Reads) -> _Subject | Ignored:
    _ask_early(trigger, reads)
    arn = trigger.resource if trigger.resource == trigger.connector else _connector_of_service(trigger, reads)
    if isinstance(arn, Ignored):
        return arn
    if isinstance(arn, Unread):
        return _Subject(resource=trigger.resource, connector=arn)
    connector = _connector(arn, trigger, reads)
    if apprunner.is_gone(connector):
        return Ignored(why=f"the VPC connector {arn} no longer exists")
    if isinstance(connector, Connector) and connector.status != "ACTIVE":
        return Ignored(why=f"the VPC connector {arn} was deleted: it is {connector.status}")
    return _Subject(resource=arn, connector=connector)


def _ask_early(trigger: Trigger, reads: Reads) -> None:
    """Send at once what the event hints at. A wrong hint costs a call; the right one saves a round."""
    if trigger.connector:
        apprunner.describe_connector(reads, trigger.connector)
    else:
        apprunner.list_connectors(reads)
    if trigger.subnets:
        ec2.ask_near(reads, tuple(sorted(set(trigger.subnets))), tuple(sorted(set(trigger.groups))))


def _connector_of_service(trigger: Trigger, reads: Reads) -> str | Unread | Ignored:
    """The ARN of the connector that the service uses now; the event's hint only where the service cannot be read."""
    service = apprunner.describe_service(reads, trigger.resource)()
    if apprunner.is_gone(service):
        return Ignored(why=f"the service {trigger.resource} no longer exists")
    if isinstance(service, Unread):
        return trigger.connector if ":vpcconnector/" in trigger.connector else service  # it may be redacted
    if service.status == "DELETED":
        return Ignored(why=f"the service {trigger.resource} was deleted")
    return service.connector_arn or Ignored(why=f"the service {trigger.resource} uses no VPC connector")


def _connector(arn: str, trigger: Trigger, reads: Reads) -> Connector | Unread:
    """From the list, if that was asked for and has it: a call by ARN would be one round more."""
    listed: tuple[Connector, ...] | Unread = () if trigger.connector else apprunner.list_connectors(reads)()
    for connector in () if isinstance(listed, Unread) else listed:
        if connector.arn == arn:
            return connector
    return apprunner.describe_connector(reads, arn)()


def _network(connector: Connector | Unread, trigger: Trigger, reads: Reads, settings: Settings) -> Network | Unread:
    if isinstance(connector, Unread):
        return connector
    return ec2.read_network(reads, connector, trigger.account, settings)


def _name(arn: str) -> str:
    """The name in arn:…:vpcconnector/NAME/1/ID and arn:…:service/NAME/ID."""
    return arn.split("/")[1]


def _transition(finding: Finding) -> dict[str, object]:
    return {
        "resource": finding.resource,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "messages": list(finding.messages),
    }
