"""Events: their schemas, docs/events.md, and PutEvents' limits."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import Alert, Explanation
from apprunner_guardrails.alerts.event import Entry, batches, entry, explanation_entry, size
from apprunner_guardrails.alerts.kinds import KINDS
from apprunner_guardrails.ledger import Channel, Kind, State
from replay.template import Pattern, matches
from tests.unit.alerts.examples import ALERTS, EVENT_ID, EXPLANATION, OPENED, OWNER, PUBLIC, UNEXPLAINED
from tests.unit.alerts.hostile import ALERTS as HOSTILE_ALERTS
from tests.unit.alerts.hostile import EXPLANATIONS, texts
from tests.unit.alerts.shapes import faults, is_schema, refused

type Json = dict[str, Any]

DOCS = Path(__file__).parents[3] / "docs"
LIMIT = 262_144  # bytes, of an entry and of a call


def strict(schema: object) -> object:
    """The schema with no room for fields that it does not name: consumers may ignore what they do not know, we not."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return {name: strict(one) for name, one in schema.items()} | closed


def schema(name: str) -> Json:
    found: Json = json.loads((DOCS / "schemas" / f"{name}-1.json").read_text())
    return found


SCHEMAS = {
    "Guardrail Finding Transition": schema("finding-transition"),
    "Guardrail Failed Call": schema("failed-call"),
}
STRICT = {kind: strict(one) for kind, one in SCHEMAS.items()}


def as_event(one: Entry) -> Json:
    """The part of the event that an entry decides."""
    return {
        "source": one["Source"],
        "detail-type": one["DetailType"],
        "resources": one["Resources"],
        "detail": json.loads(one["Detail"]),
    }


def machines(alert: Alert) -> Alert:
    """As it goes to EventBridge: machines are not reminded."""
    return replace(alert, transitions=tuple(one for one in alert.transitions if one.kind is not Kind.REMINDED))


def eventbridge_takes(one: Entry) -> None:
    assert refused("events", "PutEvents", {"Entries": [one]}) == ""
    assert faults(as_event(one), STRICT[one["DetailType"]]) == []
    assert size(one) < LIMIT


ENTRIES = [entry(alert, one) for alert in ALERTS.values() for one in alert.on(Channel.EVENTS).transitions] + [
    explanation_entry(one) for one in (EXPLANATION, UNEXPLAINED)
]


@pytest.mark.parametrize("one", ENTRIES)
def test_every_entry_is_of_its_schema(one: Entry) -> None:
    eventbridge_takes(one)


@given(HOSTILE_ALERTS.map(machines))
@settings(max_examples=150, deadline=None)
def test_whatever_a_transition_holds_eventbridge_takes_it(alert: Alert) -> None:
    for transition in alert.transitions:
        one = entry(replace(alert, resource="arn:aws:apprunner:x"), transition)
        eventbridge_takes(one)
        assert all(text.replace("\n", "").isprintable() for text in texts(json.loads(one["Detail"])))


@given(EXPLANATIONS)
@settings(max_examples=100, deadline=None)
def test_whatever_a_failed_call_holds_eventbridge_takes_it(explanation: Explanation) -> None:
    eventbridge_takes(explanation_entry(explanation))


def test_a_call_that_names_no_arn_has_no_resources() -> None:
    named = replace(EXPLANATION, failed=replace(EXPLANATION.failed, resource="vpc-1"))
    assert explanation_entry(named)["Resources"] == []
    assert explanation_entry(EXPLANATION)["Resources"] == [EXPLANATION.failed.resource]


@pytest.mark.parametrize("text", ["\U0001f4a5" * 1000, '"' * 1000, "x" * 1000], ids=["four bytes", "escaped", "plain"])
def test_messages_are_cut_and_counted_never_refused(text: str) -> None:
    transition = OPENED.transitions[0]
    many = replace(PUBLIC, messages=(text,) * 3000, command=f"{text}\n" * 3000, unread=text)
    before = replace(transition.record, messages=(text,) * 20)
    one = entry(OPENED, replace(transition, finding=many, before=before))
    finding = json.loads(one["Detail"])["finding"]
    eventbridge_takes(one)
    assert len(finding["messages"]) + finding["messages_left_out"] == 3000
    assert len(finding["messages"]) > 20
    assert finding["command"] == ""


@pytest.mark.parametrize(("text", "kept"), [("x" * 1001, "x" * 999 + "…"), ("ü" * 1001, "ü" * 998 + "…")])
def test_a_text_from_outside_is_cut_as_documented(text: str, kept: str) -> None:
    transition = OPENED.transitions[0]
    told = replace(transition, finding=replace(PUBLIC, messages=(text,)), record=replace(transition.record, who=text))
    finding = json.loads(entry(replace(OPENED, resource_name=text), told)["Detail"])["finding"]
    assert (finding["messages"], finding["opened_by"], finding["resource_name"]) == ([kept], kept, kept)


@pytest.mark.parametrize(
    ("owner", "told"), [(OWNER, OWNER), ("", ""), ("jörg\n", "jörg"), ("ü" * 1001, "ü" * 998 + "…")]
)
def test_a_finding_has_the_owner_of_its_resource(owner: str, told: str) -> None:
    one = entry(replace(OPENED, owner=owner), OPENED.transitions[0])
    assert json.loads(one["Detail"])["finding"]["owner"] == told


def test_an_event_from_before_there_were_owners_is_of_the_schema() -> None:
    event = as_event(entry(OPENED, OPENED.transitions[0]))
    del event["detail"]["finding"]["owner"]
    assert faults(event, SCHEMAS[event["detail-type"]]) == []


@pytest.mark.parametrize("one", [entry(OPENED, OPENED.transitions[0]), explanation_entry(EXPLANATION)])
def test_an_event_names_what_led_to_it_and_the_version_and_need_not(one: Entry) -> None:
    """Events of versions before 1.0.0 did not."""
    event = as_event(one)
    ids = {"Guardrail Finding Transition": EVENT_ID, "Guardrail Failed Call": EXPLANATION.failed.id}
    assert event["detail"]["event"].pop("id") == ids[one["DetailType"]]
    assert event["detail"].pop("guardrails_version") == __version__
    assert faults(event, SCHEMAS[event["detail-type"]]) == []


@given(st.lists(st.integers(0, 240_000), max_size=40))
@settings(deadline=None)
def test_batches_are_all_entries_in_order_within_a_calls_limits(sizes: list[int]) -> None:
    entries = [
        Entry(Source="s", DetailType="d", Resources=[str(number)], Detail="x" * length)
        for number, length in enumerate(sizes)
    ]
    calls = list(batches(entries))
    assert [one for call in calls for one in call] == entries
    assert all(0 < len(call) <= 10 for call in calls)
    assert all(sum(map(size, call)) < LIMIT for call in calls)
    for call, following in pairwise(calls):  # no call more than needed
        assert len(call) == 10 or sum(map(size, (*call, following[0]))) > 250_000


def test_eleven_small_entries_are_two_calls() -> None:
    assert [len(call) for call in batches([ENTRIES[0]] * 11)] == [10, 1]


def test_an_entry_is_measured_in_bytes_of_all_its_parts() -> None:
    assert size(Entry(Source="s", DetailType="dé", Resources=["a", "bü"], Detail="{}")) == 1 + 3 + 1 + 3 + 2


def documented() -> tuple[Pattern, Json]:
    pattern, event = re.findall(r"```json\n(.*?)```", (DOCS / "events.md").read_text(), flags=re.DOTALL)
    return json.loads(pattern), json.loads(event)


def test_the_documented_event_is_one_that_the_code_makes() -> None:
    (transition,) = ALERTS["changed"].on(Channel.EVENTS).transitions
    made = as_event(entry(ALERTS["changed"], transition))
    event = documented()[1]
    event["detail"]["guardrails_version"] = __version__  # it need not be the last
    assert {name: event[name] for name in made} == made
    assert set(event) - set(made) == {"version", "id", "account", "time", "region"}  # EventBridge's own
    assert faults(event, SCHEMAS[event["detail-type"]]) == []


@pytest.mark.parametrize(
    ("name", "admitted"),
    [("changed", True), ("opened", True), ("exemption-expired", True), ("resolved", False), ("not-judged", False)],
)
def test_the_documented_rule_admits_what_it_says(name: str, admitted: bool) -> None:
    (transition,) = ALERTS[name].on(Channel.EVENTS).transitions
    assert matches(documented()[0], as_event(entry(ALERTS[name], transition))) is admitted


def test_the_schema_knows_the_ledgers_own_words() -> None:
    detail = SCHEMAS["Guardrail Finding Transition"]["properties"]["detail"]["properties"]
    assert set(detail["transition"]["enum"]) == {one.value for one in Kind} - {Kind.SEEN, Kind.REMINDED}
    assert set(detail["finding"]["properties"]["state"]["enum"]) == {one.value for one in State}
    assert set(detail["finding"]["properties"]["resource_type"]["enum"]) == {kind.word for kind in KINDS.values()}


def test_the_schemas_are_schemas_and_refuse_another_version() -> None:
    for kind, one in SCHEMAS.items():
        assert is_schema(one)
        event = next(as_event(made) for made in ENTRIES if made["DetailType"] == kind)
        event["detail"]["version"] = "2"
        assert faults(event, one) == ["$.detail.version: '1' was expected"]
