"""What a rule answers about a resource, and how bad that is."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The four answers of a rule. A failed read is UNKNOWN and a broken rule is ERROR: neither is a verdict."""

    PASS = "pass"  # noqa: S105 - an answer, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"


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
class Finding:
    """One rule's answer about one resource, with all that a person needs to act on it.

    `messages` has one sentence a fault (empty unless the rule fails). `unread` says what could not be read or what
    broke: always for UNKNOWN and ERROR, and for FAIL where a part of the resource could not be judged.
    """

    resource: str
    rule: str
    name: str
    title: str
    severity: Severity
    status: Status
    messages: tuple[str, ...] = ()
    unread: str = ""
    risk: str = ""
    remediation: str = ""
    command: str = ""
    reference: str = ""
