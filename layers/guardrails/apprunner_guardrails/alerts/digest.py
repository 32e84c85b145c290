"""The daily digest: what is open, what is exempt and until when, and what nobody could see. Pure."""

import json
from collections.abc import Iterable, Iterator

from apprunner_guardrails.alerts import counted, safe
from apprunner_guardrails.alerts.text import Message, console_link, event_ids, fitted, signed, where
from apprunner_guardrails.findings import NOT_JUDGED, Severity
from apprunner_guardrails.ledger import MESSAGES_KEPT, Record, State
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.times import DAY_SECONDS, utc

NOTICE_DAYS = 7  # an exemption that expires so soon is named
LISTED = 200  # lines of one list


@dataclass(frozen=True, kw_only=True, slots=True)
class PathLine:
    """A service's path in a line, with the states of its hops. `sound`: nothing on it fails, is missing or unknown."""

    line: str
    sound: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """The state of an account's Region at one time. `open` is sorted by severity, `expiring` by day, `paths` as the
    path report has them: what has trouble first."""

    account: str
    region: str
    event_id: str  # of the schedule's
    time: str  # 2026-11-21T07:00:00Z
    connectors: int | None  # checked; None where they could not be listed
    services: int | None
    open: tuple[Record, ...]
    expiring: tuple[Record, ...]  # exemptions in force that expire within NOTICE_DAYS
    exempt: int  # exemptions in force, those that expire soon too
    not_judged: tuple[Record, ...]  # resources of which some rule could not answer
    unread: tuple[str, ...]  # reads that failed ("ec2:DescribeSubnets failed (AccessDenied)")
    silent: tuple[str, ...] = ()  # members that were not audited lately
    paths: tuple[PathLine, ...] = ()

    @property
    def by_severity(self) -> dict[Severity, int]:
        """How many are open, the worst first; only severities that there are."""
        found = [record.severity for record in self.open]
        return {severity: found.count(severity) for severity in Severity if severity in found}


def digest(
    records: Iterable[Record],
    *,
    account: str,
    region: str,
    event_id: str,
    now: int,
    connectors: int | None,
    services: int | None,
    unread: Iterable[str] = (),
    silent: Iterable[str] = (),
    paths: Iterable[PathLine] = (),
) -> Digest:
    """What is recorded, told as a whole. `now` is in seconds since 1970."""
    known = sorted(records, key=lambda one: (one.severity.rank, one.rule, one.resource))
    standing = [one for one in known if one.state is State.OPEN]
    today, soon = (utc(now + days * DAY_SECONDS)[:10] for days in (0, NOTICE_DAYS))
    exempt = [one for one in known if one.state is State.EXEMPT and one.exempt_until >= today]  # ISO: sorts as text
    return Digest(
        account=account,
        region=region,
        event_id=event_id,
        time=utc(now),
        connectors=connectors,
        services=services,
        open=tuple(one for one in standing if one.rule != NOT_JUDGED),
        expiring=tuple(sorted((one for one in exempt if one.exempt_until <= soon), key=lambda one: one.exempt_until)),
        exempt=len(exempt),
        not_judged=tuple(one for one in standing if one.rule == NOT_JUDGED),
        unread=tuple(sorted(set(unread))),
        silent=tuple(sorted(silent)),
        paths=tuple(paths),
    )


def render(digest: Digest) -> Message:
    """The digest as text."""
    return Message(subject=subject(digest), body=signed(_body(digest)), attributes=attributes(digest))


def subject(digest: Digest) -> str:
    return fitted("[DIGEST] ", f"{summary(digest)}{blind(digest)}", f": App Runner in {digest.account} {digest.region}")


def blind(digest: Digest) -> str:
    return ", not all could be read" if digest.not_judged or digest.unread or digest.silent else ""


def attributes(digest: Digest) -> dict[str, tuple[str, str]]:
    worst = next(iter(digest.by_severity), Severity.INFO)
    return {
        "severity": ("String", worst.value),
        "status": ("String", "digest"),
        "transition": ("String.Array", json.dumps(["digest"])),
        **event_ids((digest.event_id,)),
        **where(digest.account, digest.region),
    }


def summary(digest: Digest) -> str:
    """ "2 HIGH, 1 LOW open"."""
    counts = [f"{count} {severity}" for severity, count in digest.by_severity.items()]
    return f"{', '.join(counts) or 'nothing'} open"


def lines_of_open(digest: Digest) -> Iterator[str]:
    for one in digest.open:
        more = f" (and {_at_least(one)}{len(one.messages) - 1} more)" if len(one.messages) > 1 else ""
        said = f": {safe(one.messages[0], 300)}{more}" if one.messages else ""
        member = f" in {safe(one.place)}" if one.place else ""  # which ARNs of APIs do not tell
        yield f"{one.severity} {one.rule} since {utc(one.first_seen)[:10]}, {safe(one.resource, 300)}{member}{said}"


def _at_least(record: Record) -> str:
    return "at least " if len(record.messages) >= MESSAGES_KEPT else ""  # the record had no room for others


def checked(digest: Digest) -> str:
    """ "100 VPC connectors, services not listed"."""
    kinds = ((digest.connectors, "VPC connector"), (digest.services, "service"))
    return ", ".join(f"{kind}s not listed" if count is None else counted(count, kind) for count, kind in kinds)


def exempted(digest: Digest) -> str:
    """ "2 findings, 1 for no more than 7 days"."""
    soon = f", {len(digest.expiring)} for no more than {NOTICE_DAYS} days" if digest.expiring else ""
    return f"{counted(digest.exempt, 'finding')}{soon}"


def lines_of_expiring(digest: Digest) -> Iterator[str]:
    for one in digest.expiring:
        by = safe(one.exempt_by, 200)
        yield f"{one.rule} until the end of {safe(one.exempt_until, 10)} (UTC), by {by}, {safe(one.resource, 300)}"


def lines_of_blind_spots(digest: Digest) -> Iterator[str]:
    """What failed to be read, and what could not be judged without it."""
    yield from (f"call {safe(one)}" for one in digest.unread)
    yield from (f"member {safe(one)}" for one in digest.silent)
    for one in digest.not_judged:
        yield f"resource {safe(one.resource, 300)}: {safe('; '.join(one.messages))}"


def lines_of_paths(digest: Digest) -> Iterator[str]:
    yield from (safe(one.line) for one in digest.paths)


def lines_of_broken_paths(digest: Digest) -> Iterator[str]:
    """Those that somebody should look at."""
    yield from (safe(one.line) for one in digest.paths if not one.sound)


def _body(digest: Digest) -> Iterator[str]:
    yield f"App Runner guardrails: {summary(digest)}"
    yield ""
    yield f"Where     account {safe(digest.account)}, Region {safe(digest.region)}"
    yield f"Time      {safe(digest.time, 40)}"
    if digest.event_id:
        yield f"Event id  {safe(digest.event_id)}"
    yield f"Checked   {checked(digest)}"
    yield f"Exempt    {exempted(digest)}"
    yield f"Console   {console_link(digest.region)}"
    yield from _section("Open:", lines_of_open(digest))
    yield from _section(f"Exemptions that expire within {NOTICE_DAYS} days:", lines_of_expiring(digest))
    yield from _section("Could not be read or judged:", lines_of_blind_spots(digest))
    yield from _section("Paths:", lines_of_paths(digest))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    listed = list(lines)
    if not listed:
        return
    yield ""
    yield title
    yield from (f"- {line}" for line in listed[:LISTED])
    if len(listed) > LISTED:
        yield f"- and {len(listed) - LISTED} more"
