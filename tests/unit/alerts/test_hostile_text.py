"""Hostile content in e-mail: no line that is not ours, and whatever it is, SNS takes it."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apprunner_guardrails.alerts import Alert, Explanation, digest
from apprunner_guardrails.alerts._common import TOLD_BY
from apprunner_guardrails.alerts.digest import Digest
from apprunner_guardrails.alerts.kinds import KINDS
from apprunner_guardrails.alerts.text import CUT, Message, render, render_explanation, render_many
from tests.unit.alerts.examples import ALERTS, DIGEST, EXPLANATION, MANY
from tests.unit.alerts.hostile import ALERTS as HOSTILE_ALERTS
from tests.unit.alerts.hostile import DIGESTS, EXPLANATIONS, TEXTS_OF_ATTACK, harmless
from tests.unit.alerts.shapes import refused

SNS_LIMIT = 262_144  # bytes, of body and attributes together
OURS = (
    *("Resource  ", "Owner     ", "Where     account ", "Event     ", "Event id  ", "Console   https://"),
    *("Time      ", "Exempt    "),
    *(*sorted({f"{kind.word} " for kind in KINDS.values()}), "Failed: ", "What happened: "),
    *("  Reopened: ", "  Exemption expired: "),
    *("  Changed: ", "  Still open: ", "  Over: ", "  Not judged any more: ", "  Exempt: ", "  Reason: "),
    *("  - over: ", "  - new: ", "  - no longer: ", "  - and ", "  - "),
)


def label(line: str) -> str:
    """What our renderer begins a line with: up to the first word that could come from outside."""
    if line.startswith("    "):
        return "    "
    if line.startswith("- AR"):
        return line.partition(": ")[0]
    found = [start for start in OURS if line.startswith(start)]
    if found:
        return "  - " if found[0].startswith("  - ") else found[0]
    return line.partition(" for ")[0] if "could not be judged for" in line else line


@given(HOSTILE_ALERTS)
@settings(max_examples=150, deadline=None)
def test_no_content_makes_or_breaks_a_line(alert: Alert) -> None:
    body = render(alert).body
    hostile, plain = body.split("\n"), render(harmless(alert)).body.split("\n")
    assert body.splitlines() == hostile  # no other line break that Python knows
    if CUT in hostile:
        hostile = hostile[: hostile.index(CUT)]
        plain = plain[: len(hostile)]
    assert _labels(hostile) == _labels(plain)
    assert all(line.isprintable() for line in hostile)


def _labels(lines: list[str]) -> list[str]:
    """Without the texts of recorded reads that failed, which are list items, and of which some may be the same."""
    return [label(line) for line in lines if not line.startswith(("  - ", "- "))]


@pytest.mark.parametrize("owner", [*TEXTS_OF_ATTACK, "\n- [HIGH] AR102: service bank"], ids=repr)
def test_no_owner_makes_or_breaks_a_line_of_a_message_about_several(owner: str) -> None:
    hostile, plain = (render_many([replace(one, owner=said) for one in MANY]).body.split("\n") for said in (owner, "x"))
    assert [label(line)[:10] for line in hostile] == [label(line)[:10] for line in plain]
    assert all(line.isprintable() for line in hostile)


@given(EXPLANATIONS)
@settings(max_examples=100, deadline=None)
def test_no_failed_call_makes_a_line_that_is_not_ours(explanation: Explanation) -> None:
    lines = render_explanation(explanation).body.split("\n")
    fixed = {
        *("", "Likely cause, as the account shows it:", "Nothing that explains it was found in the account."),
        "Nothing that explains it was found in the account, as far as it could be read.",
        *("To fix it:", "Could not be read:", f"See: {explanation.reference}", TOLD_BY, CUT),
    }
    assert [line for line in lines if line not in fixed and not line.startswith((*OURS, "    ", "- "))] == []
    assert all(line.isprintable() for line in lines)


@given(DIGESTS)
@settings(max_examples=100, deadline=None)
def test_no_digest_has_a_line_that_is_not_ours(one: Digest) -> None:
    lines = digest.render(one).body.split("\n")
    ours = ("", "Open:", "Exemptions that expire within 7 days:", "Could not be read or judged:", "Paths:")
    odd = [line for line in lines if line not in ours and not line.startswith((*OURS, "- "))]
    assert odd == [f"App Runner guardrails: {digest.summary(one)}", "Checked   1 VPC connector, 2 services", TOLD_BY]
    assert all(line.isprintable() for line in lines)


def sns_takes(message: Message) -> None:
    assert 0 < len(message.subject) < 100
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert message.subject[0] == "["
    values = [value for _, value in message.attributes.values()]
    assert all(value and value.isascii() and value.isprintable() for value in values)
    assert len(values) <= 10
    sizes = [len(message.body.encode()), *(len(value) for value in values), *map(len, message.attributes)]
    assert sum(sizes) < SNS_LIMIT
    attributes = {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in message.attributes.items()}
    request = {"Subject": message.subject, "Message": message.body, "MessageAttributes": attributes}
    assert refused("sns", "Publish", request) == ""


MESSAGES = st.one_of(
    HOSTILE_ALERTS.map(render),
    st.lists(HOSTILE_ALERTS, min_size=2, max_size=4).map(render_many),
    EXPLANATIONS.map(render_explanation),
    DIGESTS.map(digest.render),
)


@given(MESSAGES)
@example(render(ALERTS["all-at-once"]))
@example(render_many(MANY))
@example(render_explanation(EXPLANATION))
@example(digest.render(DIGEST))
@settings(max_examples=250, deadline=None)
def test_whatever_is_told_sns_takes_it(message: Message) -> None:
    sns_takes(message)


def test_a_subject_that_sns_would_refuse_is_noticed() -> None:
    with pytest.raises(AssertionError):
        sns_takes(Message(subject="[HIGH] a\nb", body="x", attributes={}))
