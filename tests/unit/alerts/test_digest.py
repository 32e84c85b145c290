"""What the daily digest is made of. Whole messages are in snapshots/."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apprunner_guardrails.alerts import chat
from apprunner_guardrails.alerts.digest import Digest, PathLine, digest, render
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.ledger import Record, State
from tests.unit.alerts.examples import DIGEST, NOW, QUIET, RECORDS, WEEK_AGO
from tests.unit.alerts.hostile import RECORDS as HOSTILE_RECORDS


def made(*records: Record, now: int = NOW, unread: Sequence[str] = ()) -> Digest:
    return digest(records, account="1", region="r", event_id="e", now=now, connectors=1, services=0, unread=unread)


def test_what_could_not_be_listed_is_not_counted_as_none() -> None:
    missing = digest((), account="1", region="r", event_id="e", now=NOW, connectors=1, services=None)
    assert "Checked   1 VPC connector, services not listed" in render(missing).body.splitlines()
    assert "Checked: 1 VPC connector, services not listed" in chat.render_digest(missing).body


def exempt_until(day: str) -> Record:
    return replace(WEEK_AGO[0], state=State.EXEMPT, exempt_until=day, exempt_by="@a")


def test_what_is_open_comes_worst_first_and_what_is_not_judged_apart() -> None:
    assert [(one.severity.value, one.rule) for one in DIGEST.open] == [
        ("HIGH", "AR102"),
        ("HIGH", "AR202"),
        ("LOW", "AR203"),
    ]
    assert DIGEST.by_severity == {Severity.HIGH: 2, Severity.LOW: 1}
    assert [one.rule for one in DIGEST.not_judged] == ["AR902"]


@pytest.mark.parametrize(
    ("until", "in_force", "named"),
    [
        ("2026-11-20", 0, 0),  # yesterday
        ("2026-11-21", 1, 1),
        ("2026-11-28", 1, 1),
        ("2026-11-29", 1, 0),
        ("2027-01-01", 1, 0),
    ],
)
def test_an_exemption_is_named_in_its_last_week(until: str, in_force: int, named: int) -> None:
    one = made(exempt_until(until))
    assert (one.exempt, len(one.expiring)) == (in_force, named)
    assert one.open == ()


def test_a_week_ends_in_another_month_and_year() -> None:
    december_28 = NOW + 37 * 86_400
    assert len(made(exempt_until("2027-01-04"), now=december_28).expiring) == 1
    assert made(exempt_until("2027-01-05"), now=december_28).expiring == ()


def test_exemptions_come_by_the_day_on_which_they_expire() -> None:
    days = ("2026-11-25", "2026-11-22", "2026-11-24")
    assert [one.exempt_until for one in made(*map(exempt_until, days)).expiring] == sorted(days)


def test_a_digest_says_so_when_it_could_not_see_everything() -> None:
    assert render(QUIET).subject == "[DIGEST] nothing open: App Runner in 123456789012 eu-west-1"
    for blind in (made(unread=("a failed (b)", "a failed (b)")), made(RECORDS[-1])):
        assert render(blind).subject == "[DIGEST] nothing open, not all could be read: App Runner in 1 r"
    assert made(unread=("b", "a", "b")).unread == ("a", "b")


def test_a_subject_of_all_severities_still_says_where() -> None:
    severities = [severity for severity in Severity for _ in range(12)]
    records = [replace(WEEK_AGO[0], resource=f"arn:{place}", severity=one) for place, one in enumerate(severities)]
    everything = replace(made(*records, RECORDS[-1]), account="123456789012", region="ap-southeast-1")
    assert (
        render(everything).subject
        == "[DIGEST] 12 CRITICAL, 12 HIGH, 12 MEDIUM, 12 LOW, 12 ...: App Runner in 123456789012 ap-southeast-1"
    )


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (0, ""),
        (1, ": fault 00"),
        (2, ": fault 00 (and 1 more)"),
        (19, ": fault 00 (and 18 more)"),
        (20, ": fault 00 (and at least 19 more)"),  # as many as a record keeps
    ],
)
def test_of_the_faults_of_a_finding_the_first_is_shown_and_the_others_counted(faults: int, said: str) -> None:
    one = replace(WEEK_AGO[0], resource="arn:x", messages=tuple(f"fault {number:02}" for number in range(faults)))
    assert render(made(one)).body.splitlines()[-3] == f"- HIGH AR102 since 2026-11-13, arn:x{said}"


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((), "Exempt    0 findings"),
        (("2026-11-22",), "Exempt    1 finding, 1 for no more than 7 days"),
        (("2026-12-22", "2026-12-23"), "Exempt    2 findings"),
    ],
)
def test_exemptions_are_counted(days: Sequence[str], said: str) -> None:
    assert said in render(made(*map(exempt_until, days))).body.splitlines()


def test_of_very_many_findings_the_worst_are_listed_and_the_others_counted() -> None:
    low = [replace(WEEK_AGO[1], resource=f"arn:{number:04}", severity=Severity.LOW) for number in range(500)]
    lines = render(made(*low, WEEK_AGO[0])).body.splitlines()
    listed = [line for line in lines if line.startswith("- ")]
    assert listed[0].startswith("- HIGH AR102 since 2026-11-13, ")
    assert (len(listed), listed[-1]) == (201, "- and 301 more")


def paths(*sound: bool) -> tuple[PathLine, ...]:
    return tuple(PathLine(line=f"service-{number}  …", sound=one) for number, one in enumerate(sound))


def test_every_path_is_in_the_mail_and_in_chat_those_that_somebody_should_look_at() -> None:
    one = replace(QUIET, paths=paths(False, False, True))
    mail, told = render(one).body.splitlines(), chat.render_digest(one).body
    assert mail[mail.index("Paths:") : -2] == ["Paths:", "- service-0  …", "- service-1  …", "- service-2  …"]
    assert [f"path: service-{number}" in told for number in range(3)] == [True, True, False]


def test_without_services_there_are_no_paths() -> None:
    assert "Paths:" not in render(QUIET).body
    assert "path: " not in chat.render_digest(replace(QUIET, paths=paths(True, True))).body


def test_of_very_many_paths_the_first_are_listed_and_the_others_counted() -> None:
    one = replace(QUIET, paths=paths(*[False] * 500))
    mail = render(one).body.splitlines()[:-2]
    assert (mail[-2], mail[-1], len(mail) - mail.index("Paths:")) == ("- service-199  …", "- and 300 more", 202)
    assert "- and 495 more" in chat.render_digest(one).body


def test_a_line_of_a_path_is_cut_and_stays_one() -> None:
    one = replace(QUIET, paths=(PathLine(line="a\nb" * 1000, sound=False),))
    [line] = [line for line in render(one).body.splitlines() if line.startswith("- ")]
    assert (line[:6], len(line)) == ("- a?ba", 1002)


@given(st.lists(HOSTILE_RECORDS, max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_record_that_stands_is_told_once_whatever_their_order(records: list[Record]) -> None:
    forward, backward = made(*records), made(*records[::-1])
    standing = [one for one in records if one.state is State.OPEN]
    assert sorted(map(id, (*forward.open, *forward.not_judged))) == sorted(map(id, standing))
    assert sum(forward.by_severity.values()) == len(forward.open)
    assert render(forward).subject == render(backward).subject
