"""What a rule answers about a resource, and how bad that is."""

from enum import StrEnum

from apprunner_guardrails.light import dataclass

NOT_JUDGED = "AR902"  # stands for the rules that could not answer for a resource; no rule of its own
EXPLAINED = "AR903"  # stands for a failed call that was explained; no rule of its own
MEMBER_UNREAD = "AR904"  # stands for all that cannot be seen of a member account; no rule of its own


class Status(StrEnum):
    """The four answers of a rule, and what an exemption makes of a failure.

    A failed read is UNKNOWN and a broken rule is ERROR: neither is a verdict.
    """

    PASS = "pass"  # noqa: S105 - an answer, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    EXEMPT = "exempt"  # it fails, and the resource's owner has said until when that is accepted


class Severity(StrEnum):
    """How bad a failing rule is; `rank` is 0 for the worst."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFO = "INFO"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exemption:
    """An owner's word, on a tag of the resource, that a rule may fail until the end of a day (UTC)."""

    rule: str
    until: str  # 2026-12-31
    owner: str  # with the leading @
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One rule's answer about one resource, with all that a person needs to act on it.

    `messages` has one sentence a fault (empty unless the rule fails). `unread` says what could not be read or what
    broke: always for ERROR, for UNKNOWN unless the rule is moot, and for FAIL where a part could not be judged.

    `faults` has what each message says less what changes while the fault stays the same (a count of free addresses):
    two answers with the same faults are the same finding. `exemption` is the one that applies, or that has run out;
    with `tags_unread` there may be one that could not be read.
    """

    resource: str
    rule: str
    name: str
    title: str
    severity: Severity
    status: Status
    messages: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    unread: str = ""
    risk: str = ""
    remediation: str = ""
    command: str = ""
    reference: str = ""
    exemption: Exemption | None = None
    tags_unread: bool = False

    @property
    def replaces_connector(self) -> bool:
        """Whether its command makes a new connector: of several such commands one is enough."""
        return "create-vpc-connector" in self.command
