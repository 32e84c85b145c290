"""What people are told: one alert, and one module for each way to render it. All of it is pure."""

from dataclasses import dataclass

from apprunner_guardrails.events import Caller
from apprunner_guardrails.findings import Finding, Severity, Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """What one event brought to light about one resource: what fails, and what could not be judged."""

    resource: str
    resource_name: str
    resource_type: str  # "VPC connector"
    account: str
    region: str
    what: str  # the call or status that led here
    caller: Caller
    time: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The worst first, then by rule."""
        failed = (finding for finding in self.findings if finding.status is Status.FAIL)
        return tuple(sorted(failed, key=lambda finding: (finding.severity.rank, finding.rule)))

    @property
    def unjudged(self) -> tuple[Finding, ...]:
        """Whatever could not be read or broke, also in part, by rule."""
        return tuple(sorted((one for one in self.findings if one.unread), key=lambda finding: finding.rule))

    @property
    def severity(self) -> Severity:
        """The worst of what fails, or of what could not be judged where nothing fails."""
        return min((one.severity for one in self.failed or self.unjudged), key=lambda severity: severity.rank)


def safe(text: str, limit: int = 1000) -> str:
    """One line of printable text, cut to `limit` characters: what comes from outside cannot break or forge lines.

    Line breaks, control and direction marks and lone surrogates become "?", runs of them one; at either end they go.
    """
    if not text.isprintable():
        marked = "".join(char if char.isprintable() else "\0" for char in text)
        text = "?".join(part for part in marked.split("\0") if part) or "?"
    return text if len(text) <= limit else text[: limit - 1] + "…"
