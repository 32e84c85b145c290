"""Logs and metrics: what is on each line and beside each number, and what counts for one."""

import ast
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from apprunner_guardrails import __version__, observe
from apprunner_guardrails.events import Odd
from apprunner_guardrails.findings import NOT_JUDGED, Finding, Severity
from apprunner_guardrails.ledger import Channel, Kind, Transition, plan_once, remembered, settled, untold
from tests.unit.alerts.examples import (
    NO_EGRESS,
    NOW,
    OPEN_EGRESS,
    PUBLIC,
    WEEK_AGO,
    exempt,
    follows,
    passed,
    recorded,
    terms,
)
from tests.unit.functions.conftest import counted, emitted, lines

ROOT = Path(__file__).parents[2]
CONTEXT = SimpleNamespace(function_name="guardrails-ValidateNetwork", aws_request_id="request-1")


def counting(*transitions: Transition, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    with observe.invocation(None):
        assert observe.claimed(transitions) == transitions
    return counted(capsys)


# Metrics -------------------------------------------------------------------------------------------------------------


def _names() -> Iterator[str]:
    """Whatever the code counts, by name."""
    for path in (*(ROOT / "layers/guardrails/apprunner_guardrails").rglob("*.py"), *ROOT.glob("functions/*/app.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("count", "observe.count"):
                yield from (one.arg for one in call.keywords if one.arg)
    yield from observe.OPENED.values()


def test_the_table_has_every_metric_that_is_counted_and_no_other() -> None:
    assert set(_names()) == set(observe.METRICS)


def test_each_severity_has_a_metric_of_its_own() -> None:
    assert set(observe.OPENED) == set(Severity)
    for severity, name in observe.OPENED.items():
        assert observe.METRICS[name] == f"findings of severity {severity} that opened, also anew"


def test_what_an_invocation_counts_goes_out_once_with_the_version_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with observe.invocation(CONTEXT), observe.about("event-1"):
        observe.count(Events=1)
        observe.count(Evaluations=2, Alerts=0)
        observe.count(Evaluations=3)
        assert emitted(capsys) == []
    (one,) = emitted(capsys)
    del one["_aws"]
    assert one == {
        "service": "apprunner-guardrails",
        "version": __version__,
        "function_name": "guardrails-ValidateNetwork",
        "function_request_id": "request-1",
        "correlation_id": "event-1",
        "Events": [1.0],
        "Evaluations": [5.0],
    }


def test_the_only_dimension_is_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    """An upgrade, or another function, would otherwise be another metric, of which no alarm knows."""
    with observe.invocation(CONTEXT):
        observe.count(Events=1)
    (one,) = emitted(capsys)
    assert [described["Dimensions"] for described in one["_aws"]["CloudWatchMetrics"]] == [[["service"]]]


def test_what_was_counted_goes_out_though_the_invocation_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(KeyError), observe.invocation(None):
        observe.count(Events=1)
        raise KeyError
    assert counted(capsys) == {"Events": 1}


def test_where_nothing_was_counted_nothing_goes_out(capsys: pytest.CaptureFixture[str]) -> None:
    with observe.invocation(CONTEXT):
        observe.count(Alerts=0)
    assert emitted(capsys) == []


def test_what_comes_to_its_end_between_invocations_counts_for_none(capsys: pytest.CaptureFixture[str]) -> None:
    observe.count(ReadsFailed=1)
    with observe.invocation(CONTEXT):
        observe.count(Events=1)
    assert counted(capsys) == {"Events": 1}


def test_what_threads_count_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    with observe.invocation(CONTEXT), ThreadPoolExecutor(8) as pool:
        for _ in range(2000):
            pool.submit(observe.count, ReadsFailed=1)
    assert counted(capsys) == {"ReadsFailed": 2000}


def test_an_invocation_about_several_events_names_none_beside_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    with observe.invocation(CONTEXT):
        for event in ("event-1", "event-2"):
            with observe.about(event):
                observe.count(Events=1)
    (one,) = emitted(capsys)
    assert ("correlation_id" in one, one["Events"]) == (False, [2.0])


# What counts as opened and as over -----------------------------------------------------------------------------------


def test_what_opens_counts_by_its_severity_and_what_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    critical = replace(NO_EGRESS, severity=Severity.CRITICAL)
    opening = follows(NOW, critical, passed(PUBLIC), OPEN_EGRESS, recorded=WEEK_AGO[:1])
    assert [one.kind for one in opening] == [Kind.OPENED, Kind.RESOLVED, Kind.OPENED]
    assert counting(*opening, capsys=capsys) == {"FindingsCritical": 1, "FindingsLow": 1, "Resolved": 1}


def test_what_opens_anew_counts_again(capsys: pytest.CaptureFixture[str]) -> None:
    over = recorded(NOW - 60, passed(PUBLIC), before=WEEK_AGO[:1])
    accepted = recorded(NOW - 60, exempt(OPEN_EGRESS))
    anew = follows(NOW, PUBLIC, OPEN_EGRESS, recorded=(*over, *accepted))
    assert [one.kind for one in anew] == [Kind.REOPENED, Kind.REOPENED]
    assert counting(*anew, capsys=capsys) == {"FindingsHigh": 1, "FindingsLow": 1}


@pytest.mark.parametrize("answer", [PUBLIC, replace(PUBLIC, messages=("another",))], ids=["the same", "changed"])
def test_what_is_told_again_since_it_did_not_get_everywhere_was_counted_before(
    answer: Finding, capsys: pytest.CaptureFixture[str]
) -> None:
    (first,) = follows(NOW, PUBLIC)
    owed = settled(first, [Channel.TEXT], NOW)
    again = follows(NOW + 60, answer, recorded=(owed,))
    assert [one.kind for one in again] == [Kind.OPENED]
    assert (counting(first, capsys=capsys), counting(*again, capsys=capsys)) == ({"FindingsHigh": 1}, {})


def test_an_end_that_is_told_again_was_counted_before(capsys: pytest.CaptureFixture[str]) -> None:
    (first,) = follows(NOW, passed(PUBLIC), recorded=WEEK_AGO[:1])
    again = follows(NOW + 60, passed(PUBLIC), recorded=(settled(first, [Channel.TEXT], NOW),))
    assert [one.kind for one in again] == [Kind.RESOLVED]
    assert (counting(first, capsys=capsys), counting(*again, capsys=capsys)) == ({"Resolved": 1}, {})


def test_what_changes_is_exempted_or_reminded_of_has_not_opened(capsys: pytest.CaptureFixture[str]) -> None:
    changed = follows(NOW, replace(PUBLIC, messages=("another",)), exempt(OPEN_EGRESS), recorded=WEEK_AGO)
    reminded = follows(NOW + 30 * 86_400, PUBLIC, recorded=WEEK_AGO[:1])
    kinds = [one.kind for one in (*changed, *reminded)]
    assert kinds == [Kind.CHANGED, Kind.EXEMPTED, Kind.REMINDED]
    assert counting(*changed, *reminded, capsys=capsys) == {}


def test_what_is_no_finding_of_a_rule_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """A failed call that was explained; what nobody could judge, which NotJudged counts; what is remembered."""
    explained = plan_once(replace(PUBLIC, resource="x"), ("failed-call/00ff", "AR903-00ff"), (), terms())
    unknown = follows(NOW, replace(PUBLIC, rule=NOT_JUDGED))
    note = untold(remembered(PUBLIC.resource, "waiting", (), None, first_seen=NOW, last_seen=NOW), None)
    assert explained is not None
    assert counting(explained, *unknown, note, capsys=capsys) == {}


# Logs ----------------------------------------------------------------------------------------------------------------


def test_each_line_has_the_version_the_request_and_the_event(logged: io.StringIO) -> None:
    with observe.invocation(CONTEXT):
        with observe.about("event-1"):
            observe.ignored(["of no concern"])
        observe.logger().info("between")
    observe.logger().info("after")
    keys = ("message", "service", "version", "function_request_id", "correlation_id")
    always = ("apprunner-guardrails", __version__)
    assert [tuple(line.get(key) for key in keys) for line in lines(logged)] == [
        ("ignored", *always, "request-1", "event-1"),
        ("between", *always, "request-1", None),
        ("after", *always, None, None),
    ]


def test_events_that_ask_for_nothing_are_one_line_and_each_counts(
    logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    with observe.invocation(CONTEXT):
        observe.ignored(["no call", "only a read", "no call"])
        observe.ignored([])
        observe.ignored([f"why {number}" for number in range(100)])
    assert [line["why"] for line in lines(logged)] == [
        "no call; only a read",
        "; ".join(f"why {number}" for number in range(20)),
    ]
    assert counted(capsys) == {"Ignored": 103}


@pytest.mark.parametrize(
    ("event", "batch", "told"),
    [
        ("b", ["a", "b", "c"], ("b", ["b", "a", "c"])),
        ("", ["a", "", "c", "a"], (None, ["a", "c"])),
        ("", ["a"], ("a", None)),
        ("a", ["a"], ("a", None)),
        ("a", [], ("a", None)),
        ("", [], (None, None)),
    ],
    ids=repr,
)
def test_of_a_batch_each_line_has_all_ids_and_that_of_the_newest(
    event: str, batch: list[str], told: object, logged: io.StringIO
) -> None:
    with observe.about(event, batch):
        observe.logger().info("x")
    (line,) = lines(logged)
    assert (line.get("correlation_id"), line.get("event_ids")) == told


def test_what_is_raised_is_logged_by_its_type_with_the_event_and_by_lambda_with_its_text(logged: io.StringIO) -> None:
    with pytest.raises(KeyError), observe.about("event-1"):
        raise KeyError("x9-secret-x9")
    (line,) = lines(logged)
    assert (line["level"], line["message"], line["error"]) == ("ERROR", "failed", "KeyError")
    assert line["correlation_id"] == "event-1"
    assert "x9-secret-x9" not in logged.getvalue()


def test_messages_that_are_not_understood_have_their_events_id(logged: io.StringIO) -> None:
    observe.not_understood({"message-1": Odd(why="no JSON"), "message-2": Odd(why="no account", id="event-2")})
    assert [(line["message_id"], line["why"], line.get("correlation_id")) for line in lines(logged)] == [
        ("message-1", "no JSON", None),
        ("message-2", "no account", "event-2"),
    ]


def test_messages_that_failed_together_are_named_each_and_their_error_once(logged: io.StringIO) -> None:
    broken, denied = KeyError("x"), ValueError("y")
    observe.failed({"message-1": broken, "message-2": broken, "message-3": denied})
    assert [(line["message_id"], line["why"], "exception" in line) for line in lines(logged)] == [
        ("message-1", "KeyError: 'x'", True),
        ("message-2", "KeyError: 'x'", False),
        ("message-3", "ValueError: y", True),
    ]


def test_members_that_cannot_be_read_are_named_and_counted(
    logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    with observe.invocation(CONTEXT):
        observe.members_unread({"210987654321": "sts:AssumeRole failed (AccessDenied)", "111122223333": "no"})
    assert [(line["member"], line["why"]) for line in lines(logged)] == [
        ("111122223333", "no"),
        ("210987654321", "sts:AssumeRole failed (AccessDenied)"),
    ]
    assert counted(capsys) == {"MembersUnread": 2}


def test_nobody_asks_powertools_to_log_events() -> None:
    """It would, of handlers that it decorates, where POWERTOOLS_LOGGER_LOG_EVENT is set or log_event is given."""
    texts = [path.read_text() for path in (ROOT / "template.yaml", *ROOT.glob("functions/*/app.py"))]
    assert not any(word in text for text in texts for word in ("LOG_EVENT", "log_event", "inject_lambda_context"))
