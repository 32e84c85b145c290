"""An alert as an SNS message: for people who read e-mail, with attributes for subscriptions that filter.

Limits: subject under 100 characters, ASCII and without line breaks; message at most 262,144 bytes
(docs.aws.amazon.com/sns/latest/api/API_Publish.html).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from apprunner_guardrails.alerts import Alert, safe
from apprunner_guardrails.findings import Finding, Status

SUBJECT_LIMIT = 99
BODY_LIMIT = 200_000  # bytes; attributes count too, and some transports add to it
MESSAGES_SHOWN = 20
REPLACES = "create-vpc-connector"  # in a command: it makes a new connector
RULES_IN_SUBJECT = 3  # more would push out of the subject what it is about


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What SNS publishes. `attributes` maps a name to its SNS data type and value."""

    subject: str
    body: str
    attributes: Mapping[str, tuple[str, str]]


def render(alert: Alert) -> Message:
    return Message(subject=_subject(alert), body=_cut("\n".join(_body(alert))), attributes=_attributes(alert))


def _subject(alert: Alert) -> str:
    rules = [finding.rule for finding in alert.failed]
    more = f" +{len(rules) - RULES_IN_SUBJECT}" if len(rules) > RULES_IN_SUBJECT else ""
    failed = f"[{alert.severity}] {' '.join(rules[:RULES_IN_SUBJECT])}{more}"
    what = failed if rules else f"[UNKNOWN] {_guardrails(len(alert.unjudged))} not judged"
    head, tail = f"{what}: {alert.resource_type} ", _ascii(f" in {alert.account} {alert.region}")
    return _short(head + _short(_ascii(alert.resource_name), SUBJECT_LIMIT - len(head + tail)) + tail, SUBJECT_LIMIT)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(limit, 3) - 3] + "..."


def _body(alert: Alert) -> Iterator[str]:
    yield _headline(alert)
    yield ""
    yield f"Resource  {safe(alert.resource)}"
    yield f"Where     account {safe(alert.account)}, Region {safe(alert.region)}"
    yield f"Event     {_event(alert)}"
    yield f"Console   {console_link(alert)}"
    for finding in alert.failed:
        yield ""
        yield from _failure(finding)
    if sum(REPLACES in finding.command for finding in alert.failed) > 1:
        yield ""
        yield "Several of these fixes replace the connector: make one new connector that satisfies them all."
    if alert.unjudged:
        yield ""
        yield "Could not be judged:"
        for finding in alert.unjudged:
            how = {Status.FAIL: "in part, ", Status.ERROR: "the rule itself broke, "}.get(finding.status, "")
            yield f"- {finding.rule} {finding.name}: {how}{safe(finding.unread)}"
        yield "Let the function read what is named above (IAM), or wait for the next event if it was throttled."


def _headline(alert: Alert) -> str:
    subject = f"{alert.resource_type} {safe(alert.resource_name)}"
    if not alert.failed:
        return f"{_guardrails(len(alert.unjudged))} could not be judged for {subject}"
    return f"{subject} breaks {_guardrails(len(alert.failed))}"


def _guardrails(count: int) -> str:
    return f"{count} guardrail{'s' * (count != 1)}"


def _event(alert: Alert) -> str:
    parts = [safe(alert.what)]
    if alert.caller.name:
        parts.append(f"by {safe(alert.caller.name, 200)}")
    if alert.caller.tool and alert.caller.tool != alert.caller.name:
        parts.append(f"with {safe(alert.caller.tool, 100)}")
    if alert.caller.address:
        parts.append(f"from {safe(alert.caller.address, 100)}")
    return f"{' '.join(parts)} at {safe(alert.time, 40)}"


def _failure(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity} {finding.rule} {finding.title}"
    for message in finding.messages[:MESSAGES_SHOWN]:
        yield f"  - {safe(message)}"
    if len(finding.messages) > MESSAGES_SHOWN:
        yield f"  - and {len(finding.messages) - MESSAGES_SHOWN} more"
    yield f"  Why: {finding.risk}"
    yield f"  Fix: {finding.remediation}"
    for command in finding.command.split("\n") if finding.command else ():
        yield f"    {safe(command, 4000)}"
    yield f"  See: {finding.reference}"


def console_link(alert: Alert) -> str:
    """App Runner's console in the resource's Region; AWS documents no deeper link."""
    region = safe(alert.region)
    return f"https://{region}.console.aws.amazon.com/apprunner/home?region={region}"


def _attributes(alert: Alert) -> dict[str, tuple[str, str]]:
    rules = [finding.rule for finding in alert.failed or alert.unjudged]
    return {
        "severity": ("String", alert.severity.value),
        "status": ("String", (Status.FAIL if alert.failed else Status.UNKNOWN).value),
        "rules": ("String.Array", json.dumps(rules)),
        "resource_type": ("String", alert.resource_type),
        "account": ("String", _ascii(alert.account) or "?"),  # SNS refuses empty values, and drops some of Unicode
        "region": ("String", _ascii(alert.region) or "?"),
    }


def _ascii(text: str) -> str:
    return safe(text).encode("ascii", "replace").decode("ascii")


def _cut(body: str) -> str:
    raw = body.encode("utf-8", "replace")
    if len(raw) <= BODY_LIMIT:
        return body
    return raw[:BODY_LIMIT].decode("utf-8", "ignore") + "\n[cut: the message was longer than SNS takes]"
