"""The life of a finding: what the rules answer now, and what is recorded → what people are to be told. Pure.

    recorded ↓      answer →  pass          fail, same faults   fail, others   exempt
    nothing                   -             opened              opened         exempted (machines only)
    resolved                  -             reopened            reopened       exempted (machines only)
    open                      resolved      - or reminded       changed        exempted
    exempt                    resolved (m)  exemption expired, where its tag says so; else reopened
                                                                               -

Unknown and error change nothing. What was told to nobody, or not on every channel, is *owed*: it is told again.
A transition is claimed (`until`, for LEASE_SECONDS), published, then settled. Times are seconds since 1970, UTC.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from apprunner_guardrails.findings import EXPLAINED, NOT_JUDGED, Exemption, Finding, Severity, Status
from apprunner_guardrails.light import dataclass, replace

LEASE_SECONDS = 45  # longer than telling on every channel takes, shorter than Lambda's first wait before a retry (60 s)
KEPT_SECONDS = 90 * 86_400  # how long a finding that is over stays on record
SEEN_SECONDS = 86_400  # `last_seen` is kept to the day: writing it at every evaluation would double the writes
ONCE_KEPT_SECONDS = 7 * 86_400  # how long it is remembered when a call was explained or a digest was told
MESSAGES_KEPT = 20
# What a tool puts into the name of each session: a time, the id of a build or of an instance.
_MADE_UP = re.compile(r"(?=[a-f-]*[0-9])[0-9a-f-]{6,}", re.IGNORECASE)
MESSAGE_LENGTH = 1000
OWNER_LENGTH = 256  # what a tag's value can have


type Key = tuple[str, str]  # resource and rule


class Channel(StrEnum):
    TEXT = "text"  # SNS, for e-mail
    CHAT = "chat"  # SNS, for Amazon Q Developer in chat applications
    EVENTS = "events"  # EventBridge
    SECURITY_HUB = "securityhub"


MACHINES = frozenset({Channel.EVENTS, Channel.SECURITY_HUB})


class State(StrEnum):
    OPEN = "open"
    EXEMPT = "exempt"
    RESOLVED = "resolved"


class Kind(StrEnum):
    """What happened to a finding."""

    OPENED = "opened"
    REOPENED = "reopened"
    EXPIRED = "exemption expired"
    CHANGED = "changed"
    RESOLVED = "resolved"
    EXEMPTED = "exempted"
    REMINDED = "reminded"
    SEEN = "seen"  # nothing to tell: what is recorded is brought up to date


OPENING = frozenset({Kind.OPENED, Kind.REOPENED, Kind.EXPIRED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What is recorded of one finding: one item of the findings table.

    `owed` is the transition that led to `state` as long as `owed_to` (its channels) have not all had it. It is being
    told by somebody until `leased_until`, and after that is anybody's to tell. `version` counts the writes.
    """

    resource: str
    rule: str
    state: State
    severity: Severity
    messages: tuple[str, ...]
    faults: tuple[str, ...]  # hashes
    first_seen: int  # when it opened, for the last time
    last_seen: int  # to the day
    last_alerted: int = 0  # when people last heard of it; machines do not count
    who: str = ""  # whose call opened it
    exempt_until: str = ""  # 2026-12-31
    exempt_by: str = ""
    owner: str = ""  # whose the resource is, as far as it was known when this was written
    place: str = ""  # the member's account and Region (members.Place.key); empty at home
    owed: Kind | None = None
    owed_to: tuple[Channel, ...] = ()
    leased_until: int = 0
    version: int = 1

    @property
    def fingerprint(self) -> str:
        return _hash("\n".join((self.severity.value, *self.faults)))

    @property
    def expires(self) -> int:
        """When DynamoDB may forget it; 0 for never: only what is over, and was told."""
        if not is_finding(self):
            return self.last_seen + ONCE_KEPT_SECONDS
        return self.last_seen + KEPT_SECONDS if self.state is State.RESOLVED and not self.owed else 0


def is_finding(record: Record) -> bool:
    """Whether it is about a resource's finding, and not what `plan_once` remembers."""
    return record.resource.startswith("arn:")


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """One thing to tell: `finding` as it is now (for what is over, with the messages that it had), on `channels`.

    `record` is what is to be recorded; `before` what was. No channel: there is nobody to tell, it is only written.
    """

    kind: Kind
    finding: Finding
    record: Record
    before: Record | None
    channels: tuple[Channel, ...]

    @property
    def key(self) -> Key:
        return self.finding.resource, self.finding.rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What holds for one evaluation: the time, whose call led to it, where to tell, and when to remind (0: never).

    `owner` is whose the resource is. It is written with whatever is written, and is no reason to; where it is not known
    now, what was recorded stays.
    """

    now: int
    who: str
    channels: tuple[Channel, ...]
    reminder_seconds: int
    owner: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to tell and write. `busy` are the rules that somebody else is just telling, and that have changed since:
    whoever asks has to come back when the lease is over."""

    transitions: tuple[Transition, ...]
    busy: tuple[str, ...] = ()


class Busy(Exception):
    """Findings that another evaluation is just telling are no longer as it tells them: this is to be tried again."""


def plan(answers: Iterable[Finding], recorded: Iterable[Record], terms: Terms) -> Plan:
    """What follows for one resource, in the order of the answers: one answer and at most one record a rule."""
    by_rule = {record.rule: record for record in recorded}
    found: list[Transition] = []
    busy: list[str] = []
    for answer in answers:
        record = by_rule.get(answer.rule)
        kind = _kind(answer, record, terms)
        if record is not None and record.owed and record.leased_until > terms.now:
            if kind not in (None, Kind.REMINDED):
                busy.append(answer.rule)
            continue
        transition = _transition(kind, answer, record, terms)
        if transition is not None:
            found.append(transition)
    return Plan(transitions=tuple(found), busy=tuple(busy))


def failed_call(caller: str, call: str, cause: str, place: str = "") -> tuple[str, str]:
    """Under which `resource` and `rule` it is recorded that a failed call was explained to those who listen.

    Sessions of one role that a tool named by the time or by an id are one caller. `place` is a member's: callers of two
    accounts are two, whatever their names.
    """
    made_by = _MADE_UP.sub("#", caller) + (f"\n{place}" if place else "")
    return f"failed-call/{_hash(made_by)}", f"{EXPLAINED}-{_hash(f'{call}\n{cause}')}"


def plan_once(
    explained: Finding,
    key: tuple[str, str],
    recorded: Iterable[Record],
    terms: Terms,
    *,
    every_seconds: int = 3600,
    at: int | None = None,
) -> Transition | None:
    """What to tell of a failed call: nothing where it was told within `every_seconds`, or is just being told.

    The time runs from when somebody set out to tell it, or from `at`; until it is over it is told again where it is
    owed. A lease is by the clock, whatever `at` is.
    `key` is that of `failed_call`, `recorded` what is recorded of its resource, `explained` the explanation as a
    finding (EXPLAINED, of whatever resource, failing), which is none of Security Hub's. The transition is claimed and
    settled as those of `plan` are.
    """
    record = next((one for one in recorded if one.rule == key[1]), None)
    if record is not None and record.owed and record.leased_until > terms.now:
        return None
    at = terms.now if at is None else at
    if record is not None and abs(at - record.last_seen) < every_seconds:
        return _tell_again(explained, record, terms) if record.owed else None
    channels = tuple(one for one in terms.channels if one is not Channel.SECURITY_HUB)
    told = Record(
        resource=key[0],
        rule=key[1],
        state=State.RESOLVED,  # a call that failed is over
        severity=explained.severity,
        messages=_kept(explained.messages),
        faults=(),
        first_seen=at,
        last_seen=at,
        last_alerted=record.last_alerted if record else 0,
        who=terms.who[:MESSAGE_LENGTH],
        owed=Kind.OPENED if channels else None,
        owed_to=channels,
        leased_until=terms.now + LEASE_SECONDS if channels else 0,
        version=record.version + 1 if record else 1,
    )
    return Transition(kind=Kind.OPENED, finding=explained, record=told, before=record, channels=channels)


def remembered(
    resource: str,
    rule: str,
    messages: tuple[str, ...],
    before: Record | None,
    *,
    first_seen: int,
    last_seen: int,
    who: str = "",
    leased_until: int = 0,
) -> Record:
    """What is kept beside a resource's findings, in the place of a rule: as something that is over and that nobody is
    told of. `before` is what was kept there."""
    return Record(
        resource=resource,
        rule=rule,
        state=State.RESOLVED,
        severity=Severity.INFO,
        messages=messages,
        faults=(),
        first_seen=first_seen,
        last_seen=last_seen,
        who=who,
        leased_until=leased_until,
        version=before.version + 1 if before else 1,
    )


def untold(record: Record, before: Record | None) -> Transition:
    """What is remembered, to be written with what is told."""
    nothing = Finding(
        resource=record.resource, rule=record.rule, name="", title="", severity=record.severity, status=Status.PASS
    )
    return Transition(kind=Kind.SEEN, finding=nothing, record=record, before=before, channels=())


def settled(transition: Transition, delivered: Iterable[Channel], now: int) -> Record:
    """What to record once the transition was told on some channels: the others are owed, and anybody may tell them."""
    record, reached = transition.record, set(delivered)
    left = tuple(channel for channel in record.owed_to if channel not in reached)
    people = reached & set(record.owed_to) - MACHINES
    return replace(
        record,
        owed=record.owed if left else None,
        owed_to=left,
        leased_until=0,
        last_alerted=now if people else record.last_alerted,
        version=record.version + 1,
    )


def _kind(answer: Finding, record: Record | None, terms: Terms) -> Kind | None:
    """What has happened to the finding since it was recorded."""
    state = None if record is None or 0 < record.expires <= terms.now else record.state
    match answer.status, state:
        case Status.PASS, State.OPEN | State.EXEMPT:
            return Kind.RESOLVED
        case Status.FAIL, None | State.RESOLVED:
            return Kind.REOPENED if state else Kind.OPENED
        case Status.FAIL, State.EXEMPT if not answer.tags_unread:
            return Kind.EXPIRED if answer.exemption else Kind.REOPENED
        case Status.FAIL, State.OPEN:
            return _still_open(answer, record, terms) if record else None
        case Status.EXEMPT, None | State.RESOLVED | State.OPEN:
            return Kind.EXEMPTED
    return None


def _still_open(answer: Finding, record: Record, terms: Terms) -> Kind | None:
    faults = set(_hashes(answer))
    # Where a part could not be judged, what is not said any more is not known to be over.
    same = faults <= set(record.faults) if answer.unread else faults == set(record.faults)
    severity = _severity(answer, record)
    if not same or severity is not record.severity:
        return Kind.CHANGED
    reminded = severity in (Severity.CRITICAL, Severity.HIGH) and terms.reminder_seconds > 0
    return Kind.REMINDED if reminded and terms.now - record.last_alerted >= terms.reminder_seconds else None


def _transition(kind: Kind | None, answer: Finding, record: Record | None, terms: Terms) -> Transition | None:
    if record is not None and record.owed and kind in (None, Kind.REMINDED):
        return _tell_again(answer, record, terms)
    if record is not None and record.owed in OPENING and kind is Kind.CHANGED:
        kind = record.owed  # perhaps nobody knows of it yet
    if kind is None:
        return _seen(answer, record, terms)
    return _new(kind, answer, record, terms)


def _new(kind: Kind, answer: Finding, record: Record | None, terms: Terms) -> Transition:
    channels = _channels(kind, record, terms)
    opening = record is None or record.state is State.RESOLVED or (record.state is State.EXEMPT and kind in OPENING)
    told = _shown(kind, answer, record)
    return Transition(
        kind=kind,
        finding=told,
        record=Record(
            resource=answer.resource,
            rule=answer.rule,
            state=_STATES.get(kind, State.OPEN),
            severity=told.severity,
            messages=_kept(told.messages),
            faults=_merged_faults(answer, record),
            first_seen=terms.now if opening or record is None else record.first_seen,
            last_seen=terms.now,
            last_alerted=record.last_alerted if record else 0,
            who=terms.who[:MESSAGE_LENGTH] if opening or record is None else record.who,
            exempt_until=answer.exemption.until if kind is Kind.EXEMPTED and answer.exemption else "",
            exempt_by=answer.exemption.owner if kind is Kind.EXEMPTED and answer.exemption else "",
            owner=_owner(record, terms),
            owed=kind if channels else None,
            owed_to=channels,
            leased_until=terms.now + LEASE_SECONDS if channels else 0,
            version=record.version + 1 if record else 1,
        ),
        before=record,
        channels=channels,
    )


def _owner(record: Record | None, terms: Terms) -> str:
    return terms.owner[:OWNER_LENGTH] or (record.owner if record else "")


_STATES: Mapping[Kind, State] = {Kind.RESOLVED: State.RESOLVED, Kind.EXEMPTED: State.EXEMPT}


def _channels(kind: Kind, record: Record | None, terms: Terms) -> tuple[Channel, ...]:
    """People hear neither of what was exempt before they heard of it, nor of its end; machines need no reminder.

    Who is still owed the transition before may know of an earlier one only, and hears of it.
    """
    unheard = record is None or record.state is not State.OPEN
    if kind in (Kind.EXEMPTED, Kind.RESOLVED) and unheard:
        owed = record.owed_to if record else ()
        return tuple(one for one in terms.channels if one in MACHINES or one in owed)
    if record is not None and record.rule == NOT_JUDGED and _just_said(kind, record, terms):
        return tuple(one for one in terms.channels if one in MACHINES)
    if kind is Kind.REMINDED:
        return tuple(one for one in terms.channels if one not in MACHINES)
    return terms.channels


def _just_said(kind: Kind, record: Record, terms: Terms) -> bool:
    """That AWS throttles now and then is said once a day; that it no longer does, to nobody."""
    return kind is Kind.RESOLVED or (kind is Kind.REOPENED and terms.now - record.last_alerted < SEEN_SECONDS)


def _tell_again(answer: Finding, record: Record, terms: Terms) -> Transition:
    """The same transition once more, where it is still owed; a channel that is switched off by now is owed nothing."""
    channels = tuple(one for one in record.owed_to if one in terms.channels)
    kind = record.owed or Kind.SEEN
    return Transition(
        kind=kind,
        finding=_shown(kind, answer, record),
        record=replace(
            record,
            owner=_owner(record, terms),
            owed=kind if channels else None,
            owed_to=channels,
            leased_until=terms.now + LEASE_SECONDS if channels else 0,
            version=record.version + 1,
        ),
        before=record,
        channels=channels,
    )


def _seen(answer: Finding, record: Record | None, terms: Terms) -> Transition | None:
    """Nothing to tell. Once a day, and when an exemption was moved, what stands is written down as it is now."""
    if record is None or answer.status not in (Status.FAIL, Status.EXEMPT):
        return None
    until = answer.exemption.until if answer.status is Status.EXEMPT and answer.exemption else record.exempt_until
    if terms.now - record.last_seen < SEEN_SECONDS and until == record.exempt_until:
        return None
    by = answer.exemption.owner if answer.status is Status.EXEMPT and answer.exemption else record.exempt_by
    seen = replace(
        record,
        last_seen=terms.now,
        exempt_until=until,
        exempt_by=by,
        owner=_owner(record, terms),
        version=record.version + 1,
    )
    return Transition(kind=Kind.SEEN, finding=answer, record=seen, before=record, channels=())


def _shown(kind: Kind, answer: Finding, record: Record | None) -> Finding:
    """The finding as it is told: what is over, or cannot be judged again just now, with the messages on record."""
    if record is None or (answer.status in (Status.FAIL, Status.EXEMPT) and not answer.unread):
        return answer
    if record.state is State.RESOLVED and kind is not Kind.RESOLVED:
        return answer  # what was over is no part of it
    return replace(
        answer,
        status=_STATUSES.get(kind, Status.FAIL),
        messages=record.messages if kind is Kind.RESOLVED else tuple(sorted({*record.messages, *answer.messages})),
        severity=_severity(answer, record),
        exemption=answer.exemption or (_exemption(record) if kind is Kind.EXEMPTED else None),
    )


def _severity(answer: Finding, record: Record) -> Severity:
    """AR902 is as bad as the worst of its rules, and a list of them that may be short makes it no better."""
    if not answer.messages:
        return record.severity
    return min(answer.severity, record.severity, key=_rank) if answer.rule == NOT_JUDGED else answer.severity


def _rank(severity: Severity) -> int:
    return severity.rank


_STATUSES: Mapping[Kind, Status] = {Kind.RESOLVED: Status.PASS, Kind.EXEMPTED: Status.EXEMPT}


def _exemption(record: Record) -> Exemption:
    return Exemption(rule=record.rule, until=record.exempt_until, owner=record.exempt_by, reason="")


def _merged_faults(answer: Finding, record: Record | None) -> tuple[str, ...]:
    if record is None or (answer.status is not Status.PASS and (not answer.unread or record.state is State.RESOLVED)):
        return _hashes(answer)
    return tuple(sorted({*record.faults, *_hashes(answer)}))


def _kept(messages: tuple[str, ...]) -> tuple[str, ...]:
    """As many as an item has room for; the faults are all there, as hashes."""
    return tuple(message[:MESSAGE_LENGTH] for message in messages[:MESSAGES_KEPT])


def _hashes(answer: Finding) -> tuple[str, ...]:
    return tuple(sorted({_hash(fault) for fault in answer.faults or answer.messages}))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
