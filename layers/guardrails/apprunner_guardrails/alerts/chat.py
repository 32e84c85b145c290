"""Alerts for Amazon Q Developer in chat applications: its schema for custom notifications, as SNS messages.

One message a transition. All about one finding lands in one thread: its `threadId` is made of the resource and the
rule. Limits (docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html) are kept in bytes, as the page does not
say what it counts.

Text is in the chat client's own markdown, and clients escape in different ways: what one takes for an escape another
shows. So nothing is escaped. In all that is not a fixed URL of ours, characters that make markup or mentions become
their full-width twins, which look alike and mean nothing; "://" loses its colon and a host name its dots in the same
manner, so that no client makes a link of it. Addresses (192.0.2.0/24) and names_with_underscores stay as they are. Ids,
owners and commands stand in code, where a client reads only the four characters that could end it or that Slack reads
even there. `:name:` may show as an emoji: ARNs and IPv6 addresses need their colons.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import Alert, Explanation, safe, text
from apprunner_guardrails.alerts import digest as digests
from apprunner_guardrails.alerts._common import (
    BY_TAG,
    FAILING,
    cause_id,
    cut,
    finding_id,
    identity,
    led_here,
    mark,
    marked,
    story,
)
from apprunner_guardrails.alerts.text import Message
from apprunner_guardrails.events import EXEMPTION
from apprunner_guardrails.findings import NOT_JUDGED
from apprunner_guardrails.ledger import Kind, Transition
from apprunner_guardrails.light import replace

TITLE_LIMIT, DESCRIPTION_LIMIT, STEP_LIMIT, KEYWORD_LIMIT = 250, 8000, 350, 75  # bytes
LINES_SHOWN, LINE_LIMIT = 12, 350
CONTEXT_LIMIT = 500

_CODE_TWINS = {ord(char): ord(char) + 0xFEE0 for char in "<>&`"}
_TWINS = {ord(char): ord(char) + 0xFEE0 for char in "<>&`*~[]@|#\\"}
_LOOSE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_HOST_DOT = re.compile(r"(?<=[^\s.])[.\u3002\uff0e\uff61](?=[^\W\d_]{2})")


def render(alert: Alert, transition: Transition) -> Message:
    """One transition of an alert."""
    finding, alone = transition.finding, replace(alert, transitions=(transition,))
    failing = transition.kind in (*FAILING, Kind.REMINDED)
    return _message(
        title=f"{mark(transition)} {finding.rule} {finding.title}: {alert.resource_type} {alert.resource_name}",
        lines=[
            f"Resource: {alert.resource_type} {cut(plain(alert.resource_name), 200)} {code(alert.resource)}",
            *((f"Owner: {code(alert.owner)} {BY_TAG}",) if alert.owner else ()),
            *_placed(alert.account, alert.region, alert.resource),
            f"Event: {plain(led_here(alert.what, alert.caller, alert.time))}",
            *map(plain, story(transition)),
            *_bullets(text.unjudged(alone) if failing and finding.rule == NOT_JUDGED else marked(transition)),
            *((f"Why: {plain(finding.risk)}",) if failing and finding.risk else ()),
        ],
        commands=finding.command if failing else "",
        steps=_steps(transition) if failing else (),
        keywords=(finding.severity, finding.rule, transition.kind, alert.resource_type, alert.region),
        thread=finding_id(finding),
        resource=alert.resource,
        context={
            "account": alert.account,
            "region": alert.region,
            "resource": alert.resource,
            "rule": finding.rule,
            "severity": finding.severity,
            "transition": transition.kind,
            "event_id": alert.event_id,
            **({"owner": alert.owner} if alert.owner else {}),
        },
        sns=(text.subject(alone), text.attributes((alone,))),
    )


def render_explanation(explanation: Explanation) -> Message:
    """A call or an operation that failed; what the same caller does again in vain lands in the same thread."""
    failed, mail = explanation.failed, text.render_explanation(explanation)
    return _message(
        title=f"{explanation.severity} {explanation.title}",
        lines=[
            f"Event: {plain(led_here(failed.what, failed.caller, failed.time))}",
            *_placed(failed.account, failed.region, failed.resource),
            *((f"Resource: {code(failed.resource)}",) if failed.resource else ()),
            f"What happened: {plain(explanation.what)}",
            *(("Likely cause, as the account shows it:",) if explanation.causes else ()),
            *_bullets(explanation.causes),
            *(f"Could not be read: {plain(one)}" for one in explanation.unread[:LINES_SHOWN]),
        ],
        commands=explanation.commands,
        steps=(f"See {explanation.reference}",),
        keywords=(explanation.severity, failed.what, "failed call", failed.region),
        thread=cause_id(explanation),
        resource=failed.resource,
        context={
            "account": failed.account,
            "region": failed.region,
            "resource": failed.resource,
            "call": failed.what,
            "severity": explanation.severity,
            "event_id": failed.id,
        },
        sns=(mail.subject, mail.attributes),
    )


def render_digest(digest: digests.Digest) -> Message:
    """The daily digest, in a thread of its day: in yesterday's nobody would see it."""
    said = f"{digests.summary(digest)}{digests.blind(digest)}"
    return _message(
        title=f"DIGEST {said}: App Runner in {digest.account} {digest.region}",
        lines=[
            f"Checked: {digests.checked(digest)}",
            f"Exempt: {digests.exempted(digest)}",
            *_bullets((f"open: {one}" for one in digests.lines_of_open(digest)), 10),
            *_bullets((f"exemption: {one}" for one in digests.lines_of_expiring(digest)), 5),
            *_bullets((f"not read or judged: {one}" for one in digests.lines_of_blind_spots(digest)), 5),
            *_bullets((f"path: {one}" for one in digests.lines_of_broken_paths(digest)), 5),
        ],
        keywords=("digest", digest.region),
        thread=identity("digest", digest.account, digest.region, digest.time[:10]),
        context={"account": digest.account, "region": digest.region, "event_id": digest.event_id},
        sns=(digests.subject(digest), digests.attributes(digest)),
    )


def plain(text_from_outside: str) -> str:
    """The text on one line, as a chat client shows it with no markup, mention or link."""
    said = safe(text_from_outside).translate(_TWINS)
    said = _LOOSE_UNDERSCORE.sub("\uff3f", said).replace("://", "\uff1a//")
    return _HOST_DOT.sub("\u00b7", said)


def code(text_from_outside: str) -> str:
    """The text on one line as code: what stands in it is shown as it is."""
    return f"`{cut(safe(text_from_outside).translate(_CODE_TWINS).replace('://', '\uff1a//'), LINE_LIMIT) or '?'}`"


def _message(
    *,
    title: str,
    lines: Sequence[str],
    keywords: Iterable[str],
    thread: str,
    context: Mapping[str, str],
    sns: tuple[str, text.Attributes],
    commands: str = "",
    steps: Iterable[str] = (),
    resource: str = "",
) -> Message:
    description = cut("\n".join(cut(line, 2 * LINE_LIMIT) for line in lines), DESCRIPTION_LIMIT)
    content: dict[str, object] = {
        "textType": "client-markdown",
        "title": cut(plain(title), TITLE_LIMIT),
        "description": description + _block(commands, DESCRIPTION_LIMIT - len(description.encode())),
        "keywords": [cut(plain(word), KEYWORD_LIMIT) for word in keywords if word],
    }
    if next_steps := [cut(step, STEP_LIMIT) for step in steps]:
        content["nextSteps"] = next_steps
    metadata: dict[str, object] = {
        "threadId": thread,
        "summary": content["title"],
        "additionalContext": {
            name: cut(plain(value), CONTEXT_LIMIT)
            for name, value in {**context, "version": __version__}.items()
            if value or name != "event_id"
        },
    }
    if resource:
        metadata["relatedResources"] = [cut(plain(resource), CONTEXT_LIMIT)]
    body = {"version": "1.0", "source": "custom", "content": content, "metadata": metadata}
    return Message(subject=sns[0], body=json.dumps(body, ensure_ascii=False), attributes=sns[1])


def _placed(account: str, region: str, resource: str) -> Iterator[str]:
    yield f"Where: account {plain(account)}, Region {plain(region)}, {text.console_link(region, resource)}"


def _bullets(messages: Iterable[str], most: int = LINES_SHOWN) -> Iterator[str]:
    told = list(messages)
    yield from (f"- {cut(plain(message), LINE_LIMIT)}" for message in told[:most])
    if len(told) > most:
        yield f"- and {len(told) - most} more"


def _block(commands: str, room: int) -> str:
    """The commands as a block of code: whole, or not at all. A character that is not safe there could not be copied."""
    if not commands:
        return ""
    shown = "\n".join(safe(line, DESCRIPTION_LIMIT) for line in commands.split("\n"))  # what is cut has no room below
    block = f"\nTo fix it:\n```\n{shown}\n```"
    if len(block.encode()) <= room and not re.search("[<>&`]", shown):
        return block
    said = "\nTo fix it: the commands are in the alert by e-mail."
    return said if len(said) <= room else ""


def _steps(transition: Transition) -> Iterator[str]:
    finding = transition.finding
    if finding.rule == NOT_JUDGED:
        yield text.READ_HINT
        return
    if finding.remediation:
        yield plain(finding.remediation)
    if text.can_be_exempted(finding.rule):
        yield f"To accept it until a day: tag `{EXEMPTION}{finding.rule}` = `YYYY-MM-DD @OWNER REASON`"
    if finding.reference:
        yield f"See {finding.reference}"
