"""Exemption tags, whatever they hold: never an exception, and never an exemption without all its parts."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.exemptions import applied, exemptions
from apprunner_guardrails.findings import Exemption, Finding, Severity, Status

PREFIX = "apprunner-guardrails:exempt:"
KEY = f"{PREFIX}AR101"
FAILS = Finding(
    resource="arn:x", rule="AR101", name="", title="", severity=Severity.LOW, status=Status.FAIL, messages=("x",)
)
# Pieces that come near to what is wanted, and anything else.
PIECES = st.sampled_from(
    ["2026-12-31", "2026-02-31", "0000-01-01", "@owner", "@", "reason", " ", "\n", "\u2028", "\x00"]
)
VALUES = st.lists(PIECES | st.text(max_size=5), max_size=8).map("".join)
KEYS = st.tuples(
    st.sampled_from([PREFIX, PREFIX.upper(), PREFIX.title(), "apprunner-guardrails:", ""]),
    st.sampled_from(["AR101", "ar101", "AR901", "AR10", ""]) | st.text(max_size=8),
).map("".join)
OWNERS = st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=20).map(
    lambda name: f"@{name}"
)
REASONS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50).filter(str.strip).map(str.strip)


@given(st.dictionaries(KEYS | st.just(KEY), VALUES, max_size=6))
def test_every_tag_that_means_to_exempt_does_so_with_all_parts_or_is_malformed(tags: dict[str, str]) -> None:
    good, malformed = exemptions(tags)
    meant = sorted(key for key in tags if key.lower().startswith(PREFIX))
    assert sorted([f"{PREFIX}{one.rule}" for one in good] + [one.key for one in malformed]) == meant
    for one in good:
        assert "AR100" <= one.rule <= "AR899"
        assert date.fromisoformat(one.until).isoformat() == one.until
        assert one.owner.startswith("@")
        assert len(one.owner) > 1
        assert one.reason.strip()
        assert tags[f"{PREFIX}{one.rule}"].split()[:2] == [one.until, one.owner]
    assert all(tags[one.key] == one.value and one.why for one in malformed)


@given(st.dates(), OWNERS, REASONS, st.dates())
def test_what_has_all_parts_exempts_up_to_and_with_its_day(until: date, owner: str, reason: str, today: date) -> None:
    value = f"{until.isoformat()} {owner} {reason}"
    (finding,) = applied([FAILS], {KEY: value}, today.isoformat())
    assert finding.exemption == Exemption(rule="AR101", until=until.isoformat(), owner=owner, reason=reason)
    assert (finding.status is Status.EXEMPT) == (today <= until)
