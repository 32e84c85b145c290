"""Chat messages: the schema with its limits, threads, and no markup, mention or link from outside."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import Alert
from apprunner_guardrails.alerts.chat import code, plain, render, render_digest, render_explanation
from apprunner_guardrails.alerts.text import Message
from apprunner_guardrails.ledger import Kind
from tests.unit.alerts.examples import (
    ALERTS,
    DIGEST,
    EVENT_ID,
    EXPLANATION,
    OPENED,
    OWNER,
    QUIET,
    SAME_RULE,
    SERVICE_ALERT,
    UNEXPLAINED,
)
from tests.unit.alerts.hostile import ALERTS as HOSTILE_ALERTS
from tests.unit.alerts.hostile import DIGESTS, EXPLANATIONS, TEXTS
from tests.unit.alerts.shapes import faults
from tests.unit.alerts.test_hostile_text import sns_takes

# The schema of custom notifications, docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "required": ["version", "source", "content"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "1.0"},
        "source": {"const": "custom"},
        "id": TEXT,
        "content": {
            "type": "object",
            "required": ["description"],
            "additionalProperties": False,
            "properties": {
                "textType": {"enum": ["client-markdown"]},
                "title": {"type": "string", "minLength": 1, "maxLength": 250},
                "description": {"type": "string", "minLength": 1, "maxLength": 8000},
                "nextSteps": {"type": "array", "minItems": 1, "items": {"type": "string", "maxLength": 350}},
                "keywords": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 75}},
            },
        },
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "threadId": TEXT,
                "summary": TEXT,
                "eventType": TEXT,
                "relatedResources": {"type": "array", "items": TEXT},
                "additionalContext": {"type": "object", "additionalProperties": TEXT},
                "enableCustomActions": {"type": "boolean"},
            },
        },
    },
}


def chat_takes(message: Message) -> None:
    """Limits are kept in bytes, which a schema does not count."""
    body = json.loads(message.body)
    assert faults(body, SCHEMA) == []
    told = body["content"]
    assert len(told["title"].encode()) <= 250
    assert len(told["description"].encode()) <= 8000
    assert all(len(step.encode()) <= 350 for step in told.get("nextSteps", ()))
    assert all(len(word.encode()) <= 75 for word in told["keywords"])
    sns_takes(message)


def content(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.body)["content"]
    return found


def thread(message: Message) -> str:
    found: str = json.loads(message.body)["metadata"]["threadId"]
    return found


def first(alert: Alert) -> Message:
    return render(alert, alert.transitions[0])


def all_of(alert: Alert) -> list[Message]:
    return [render(alert, one) for one in alert.transitions]


def shown(message: Message) -> Iterator[str]:
    """All that a client may show, without what is ours: links of fixed form, the step with our tag, and code."""
    body = json.loads(message.body)
    content, metadata = body["content"], body["metadata"]
    for text in (content["title"], content["description"], *content.get("nextSteps", ()), *content["keywords"]):
        without = re.sub(r"```\n.*?\n```|`[^`\n]*`", "", text, flags=re.DOTALL)
        without = re.sub(r"https://(?:[a-z0-9-]+\.console|console)\.aws\.amazon\.com/\S*", "", without)
        yield re.sub(r"^See https://docs\.aws\.amazon\.com/\S*$", "", without)
    yield from (metadata["summary"], *metadata["additionalContext"].values(), *metadata.get("relatedResources", ()))


MESSAGES = st.one_of(HOSTILE_ALERTS.map(first), EXPLANATIONS.map(render_explanation), DIGESTS.map(render_digest))
MARKUP = re.compile(r"[<>&*`~\[\]@|#\\]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
LINK = re.compile(r"://|[^\s.]\.[^\W\d_]{2}")


@given(MESSAGES)
@example(render_explanation(EXPLANATION))
@example(render_explanation(UNEXPLAINED))
@example(render_digest(DIGEST))
@example(render_digest(QUIET))
@example(first(ALERTS["changed"]))
@settings(max_examples=300, deadline=None)
def test_whatever_is_told_is_a_custom_notification_without_markup_from_outside(message: Message) -> None:
    chat_takes(message)
    for text in shown(message):
        assert MARKUP.findall(text) == []
        assert LINK.findall(text) == []
        assert all(line.isprintable() for line in text.split("\n"))


@given(MESSAGES)
@settings(max_examples=200, deadline=None)
def test_lines_are_ours_and_code_ends_where_it_should(message: Message) -> None:
    description = content(message)["description"]
    head, *blocks = description.split("\n```\n")
    starts = (
        *("Resource: ", "Owner: `", "Where: account ", "Event: ", "What happened: ", "Likely cause", "Why: ", "- "),
        *("Could not be read: ", "Checked: ", "Exempt: ", "Reason: ", "Over: ", "Still open: ", "Changed: "),
        *("Reopened: ", "Exemption expired: ", "Not judged any more: ", "To fix it:"),
    )
    lines = head.split("\n")
    assert [line for line in lines[:-1] if not line.startswith(starts)] == []
    assert lines[-1].startswith(starts) or lines[-1].endswith("…")  # cut, perhaps within our words
    assert all(line.count("`") in (0, 2) for line in lines)
    assert len(blocks) <= 1
    for block in blocks:
        assert block.endswith("\n```")
        assert not re.search("[<>&`]", block.removesuffix("\n```"))


@pytest.mark.parametrize("name", ALERTS)
def test_every_message_is_a_custom_notification(name: str) -> None:
    for message in all_of(ALERTS[name]):
        chat_takes(message)


def test_what_becomes_of_a_finding_lands_in_the_thread_that_opened_it() -> None:
    names = ("opened", "changed", "reminded", "exempted", "exemption-expired", "reopened", "resolved")
    told = [one for name in names for one in all_of(ALERTS[name]) if "AR102" in content(one)["keywords"]]
    assert len(told) == len(names)
    assert len({thread(one) for one in told}) == 1


def test_other_findings_other_resources_and_other_callers_have_threads_of_their_own() -> None:
    other = replace(EXPLANATION, cause="another")
    stranger = replace(
        EXPLANATION, failed=replace(EXPLANATION.failed, caller=replace(EXPLANATION.failed.caller, name="x"))
    )
    again = replace(EXPLANATION, failed=replace(EXPLANATION.failed, id="2", time="2026-11-21T10:00:00Z"))
    threads = [
        *map(thread, all_of(ALERTS["opened-several"])),
        *(thread(first(one)) for one in (SAME_RULE, SERVICE_ALERT, ALERTS["not-judged"])),
        *(thread(render_explanation(one)) for one in (EXPLANATION, other, stranger)),
        *(thread(render_digest(one)) for one in (DIGEST, replace(DIGEST, time="2026-11-22T09:00:00Z"))),
    ]
    assert len(set(threads)) == len(threads)
    assert thread(render_explanation(again)) == thread(render_explanation(EXPLANATION))


@pytest.mark.parametrize(
    ("message", "event_id"),
    [
        (first(OPENED), EVENT_ID),
        (first(replace(OPENED, event_id="")), None),
        (render_explanation(EXPLANATION), EXPLANATION.failed.id),
        (render_digest(DIGEST), EVENT_ID),
        (render_digest(QUIET), None),
    ],
    ids=["alert", "alert without an event", "explanation", "digest", "digest without an event"],
)
def test_the_event_and_the_version_are_in_the_context_and_not_in_the_text(
    message: Message, event_id: str | None
) -> None:
    body = json.loads(message.body)
    context = body["metadata"]["additionalContext"]
    assert (context.get("event_id"), context["version"]) == (event_id, __version__)
    assert message.attributes.get("event_id") == (event_id and ("String", event_id))
    assert not any(one in json.dumps(body["content"]) for one in (EVENT_ID, EXPLANATION.failed.id, __version__))


def test_the_owner_is_named_below_the_resource() -> None:
    owned = first(replace(OPENED, owner=OWNER))
    lines, before = (content(one)["description"].split("\n") for one in (owned, first(OPENED)))
    assert lines == [before[0], f"Owner: `{OWNER}` (by its tag)", *before[1:]]
    context = json.loads(owned.body)["metadata"]["additionalContext"]
    assert context == {**json.loads(first(OPENED).body)["metadata"]["additionalContext"], "owner": plain(OWNER)}
    assert owned.attributes["owner"] == ("String", OWNER)


@pytest.mark.parametrize(
    ("owner", "line"),
    [
        ("<!channel>", "Owner: `\uff1c!channel\uff1e` (by its tag)"),
        ("x`\n@here", "Owner: `x\uff40?@here` (by its tag)"),
        ("\U0001f4a5" * 256, f"Owner: `{'\U0001f4a5' * 86}…` (by its tag)"),
    ],
)
def test_whatever_an_owner_is_called_mentions_nobody(owner: str, line: str) -> None:
    message = first(replace(OPENED, owner=owner))
    chat_takes(message)
    assert content(message)["description"].split("\n")[1] == line


def test_attributes_and_subject_are_those_of_the_one_transition() -> None:
    told = {one.attributes["transition"][1]: one for one in all_of(ALERTS["all-at-once"])}
    resolved = told['["resolved"]']
    assert resolved.subject == "[RESOLVED] AR102 public subnet: VPC connector shop-web in 123456789012 eu-west-1"
    assert resolved.attributes["rules"] == ("String.Array", '["AR102"]')


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        ("subnet-1 (euw1-az1) has 10.0.0.0/24, 2001:db8::/56", "subnet-1 (euw1-az1) has 10.0.0.0/24, 2001:db8::/56"),
        ("arn:aws:apprunner:eu-west-1:1:service/my_app/1", "arn:aws:apprunner:eu-west-1:1:service/my_app/1"),
        ("<!channel> & <https://x.io|y>", "{<}!channel{>} {&} {<}https{:}//x·io{|}y{>}"),
        ("*b* _i_ ~s~ `c` [t](u)", "{*}b{*} {_}i{_} {~}s{~} {`}c{`} {[}t{]}(u)"),
        ("@here #general bob@example.com", "{@}here {#}general bob{@}example·com"),
        ("www.example.com evil\uff0ecom", "www·example·com evil·com"),
        ("a__b", "a{_}{_}b"),
        ("one\n> two", "one?{>} two"),
        ("v1.2, e.g. this. That", "v1.2, e.g. this. That"),
    ],
)
def test_outside_text_keeps_its_look_and_loses_its_meaning(outside: str, inside: str) -> None:
    twins = re.sub(r"{(.)}", lambda found: chr(ord(found[1]) + 0xFEE0), inside)
    assert plain(outside) == twins


@given(TEXTS)
@settings(deadline=None)
def test_code_cannot_be_left(text: str) -> None:
    shown = code(text)
    assert shown[0] == shown[-1] == "`"
    assert not re.search(r"[<>&`\n]|://", shown[1:-1])
    assert shown[1:-1]


def test_commands_that_chat_would_change_are_left_to_the_e_mail() -> None:
    told = OPENED.transitions[0]
    odd = [replace(told, finding=replace(told.finding, command=f"aws x --name 'a{char}b'")) for char in "<>&`"]
    many = replace(told, finding=replace(told.finding, command="aws x\n" * 2000))
    long = replace(told, finding=replace(told.finding, command="aws " + "x" * 9000))
    for one in (*odd, many, long):
        description = content(render(OPENED, one))["description"]
        assert description.endswith("\nTo fix it: the commands are in the alert by e-mail.")


def test_a_long_command_is_shown_whole() -> None:
    told = OPENED.transitions[0]
    command = "aws " + "x" * 6000
    one = render(OPENED, replace(told, finding=replace(told.finding, command=command)))
    assert content(one)["description"].endswith(f"\nTo fix it:\n```\n{command}\n```")


def test_a_rule_that_broke_is_no_read_that_failed() -> None:
    lines = content(first(ALERTS["not-judged"]))["description"].split("\n")
    assert [line for line in lines if line.startswith("- ")] == [
        "- AR111 connector_vpc_dns_off: ec2:DescribeVpcAttribute failed (Throttling)",
        "- AR112 connector_acl_blocks_egress: the rule itself broke, KeyError: 'x?y'",
    ]


def test_the_title_of_a_digest_says_so_when_it_could_not_see_everything() -> None:
    assert content(render_digest(DIGEST))["title"] == (
        "DIGEST 2 HIGH, 1 LOW open, not all could be read: App Runner in 123456789012 eu-west-1"
    )
    assert content(render_digest(QUIET))["title"] == "DIGEST nothing open: App Runner in 123456789012 eu-west-1"


def test_what_is_over_asks_for_nothing() -> None:
    for name in ("resolved", "exempted"):
        found = content(first(ALERTS[name]))
        assert "nextSteps" not in found
        assert "To fix it" not in found["description"]
    assert {one.kind for name in ("resolved", "exempted") for one in ALERTS[name].transitions} >= {
        Kind.RESOLVED,
        Kind.EXEMPTED,
    }


def test_the_guardrails_own_findings_cannot_be_exempted_and_chat_says_no_such_thing() -> None:
    own, other = content(first(SERVICE_ALERT)), content(first(OPENED))
    assert [step for step in own["nextSteps"] if "exempt:" in step] == []
    assert [step for step in other["nextSteps"] if "exempt:" in step] == [
        "To accept it until a day: tag `apprunner-guardrails:exempt:AR102` = `YYYY-MM-DD @OWNER REASON`"
    ]


def test_a_long_remedy_is_cut_to_what_a_step_may_hold() -> None:
    told = OPENED.transitions[0]
    long = render(OPENED, replace(told, finding=replace(told.finding, remediation="Mend it. " * 100)))
    chat_takes(long)
    assert content(long)["nextSteps"][0].startswith("Mend it. Mend it. ")


def test_a_description_of_too_much_is_cut() -> None:
    much = replace(EXPLANATION, causes=("x" * 900,) * 30, unread=("y" * 900,) * 30)
    told = render_explanation(much)
    chat_takes(told)
    assert content(told)["description"].endswith("y…")
