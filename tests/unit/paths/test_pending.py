"""Since when VPC links are pending: first seen, seen again, over, and where a read failed in between."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.facts import Api, Integration, Unread, VpcLink
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.ledger import Kind, Record, State, Transition
from apprunner_guardrails.paths.pending import RULE, aged
from tests.cases._healthy_path import API, INTEGRATION, LINK

NOW = 1_795_000_000
DENIED = Unread(call="apigateway:GetVpcLinks", code="AccessDeniedException")


def link(name: str = "a1link", status: str = "PENDING", **fields: Any) -> VpcLink:
    return replace(LINK, id=name, status=status, **fields)


def through(*links: VpcLink | Unread | None) -> Api:
    """An API with an integration through each of them."""
    return replace(API, integrations=tuple(_integration(one) for one in links))


def _integration(one: VpcLink | Unread | None) -> Integration:
    return replace(INTEGRATION, link=one, link_id=one.id if isinstance(one, VpcLink) else "unknown")


def record(*messages: str, first: int = NOW - 600, version: int = 1) -> Record:
    return Record(
        resource=API.arn,
        rule=RULE,
        state=State.RESOLVED,
        severity=Severity.INFO,
        messages=messages,
        faults=(),
        first_seen=first,
        last_seen=first,
        version=version,
    )


def looked(api: Api, *recorded: Record) -> tuple[Api, Transition | None]:
    """The API as it is judged, and what is to be written of it."""
    (found,), notes = aged([api], {API.arn: recorded}.__getitem__, NOW)
    (note,) = notes.get(API.arn, (None,))
    assert set(notes) <= {API.arn}
    return found, note


def minutes(api: Api) -> list[int | None]:
    assert not isinstance(api.integrations, Unread)
    return [one.link.pending_minutes if isinstance(one.link, VpcLink) else None for one in api.integrations]


def test_a_link_that_is_seen_pending_for_the_first_time_is_noted_and_nobody_is_told() -> None:
    found, note = looked(through(link()))
    assert minutes(found) == [0]
    assert note is not None
    assert note.record == replace(record(f"a1link {NOW}"), first_seen=NOW, last_seen=NOW)
    assert (note.kind, note.before, note.channels) == (Kind.SEEN, None, ())
    assert note.record.owed is None


def test_a_link_that_is_still_pending_has_its_age_and_nothing_is_written() -> None:
    found, note = looked(through(link()), record(f"a1link {NOW - 1019}"))
    assert (minutes(found), note) == ([16], None)


@pytest.mark.parametrize("status", ["AVAILABLE", "FAILED", "DELETING"])
def test_a_link_that_is_pending_no_more_is_forgotten(status: str) -> None:
    before = record(f"a1link {NOW - 1019}", version=4)
    found, note = looked(through(link(status=status)), before)
    assert minutes(found) == [None]
    assert note is not None
    assert (note.record.messages, note.record.version, note.before) == ((), 5, before)


def test_a_link_that_is_gone_is_forgotten() -> None:
    _, note = looked(through(None), record(f"a1link {NOW - 1019}"))
    assert note is not None
    assert note.record.messages == ()


def test_a_link_that_was_never_pending_is_none_of_our_business() -> None:
    api = through(link(status="AVAILABLE"), None)
    assert looked(api) == (api, None)


def test_each_link_has_an_age_of_its_own() -> None:
    known = record(f"a1link {NOW - 600}", f"c3link {NOW - 60}")
    found, note = looked(through(link(), link("b2link"), link("a1link")), known)
    assert minutes(found) == [10, 0, 10]
    assert note is not None
    assert note.record.messages == (f"a1link {NOW - 600}", f"b2link {NOW}")
    assert note.record.first_seen == NOW - 600


def test_of_a_link_that_says_when_it_was_made_the_greater_age_counts() -> None:
    known = record(f"a1link {NOW - 600}")
    assert minutes(looked(through(link(pending_minutes=25)), known)[0]) == [25]
    assert minutes(looked(through(link(pending_minutes=5)), known)[0]) == [10]


NOT_READ: Mapping[str, Api] = {
    "the links": through(DENIED),
    "the links of one generation": through(link(), DENIED),
    "the integrations": replace(API, integrations=DENIED),
}


@pytest.mark.parametrize("api", NOT_READ.values(), ids=NOT_READ)
def test_a_read_that_fails_lets_no_wait_begin_anew(api: Api) -> None:
    found, note = looked(api, record(f"a1link {NOW - 600}"))
    assert note is None
    assert (found.integrations == DENIED) is (api.integrations == DENIED)


@pytest.mark.parametrize("api", NOT_READ.values(), ids=NOT_READ)
def test_where_nothing_was_known_a_read_that_fails_notes_nothing_of_what_it_hides(api: Api) -> None:
    _, note = looked(api)
    assert note is None or note.record.messages == (f"a1link {NOW}",)


def test_other_records_of_the_api_are_no_notes() -> None:
    _, note = looked(through(link()), replace(record(), rule="AR604"))
    assert note is not None
    assert (note.record.version, note.before) == (1, None)
