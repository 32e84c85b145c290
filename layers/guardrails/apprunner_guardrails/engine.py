"""Rules over a snapshot: one finding a rule, whatever happens to the others."""

from collections.abc import Callable, Iterable, Iterator

from apprunner_guardrails.facts import READ_WITH, FactName, Moot, Network, NotKnown, Unread
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.settings import Settings

type Check[S] = Callable[[S, Network, Settings], Iterator[str]]
type Command[S] = Callable[[S, Network, Settings], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule[S]:
    """A rule: what it is, why it matters, how to mend it, and its pure check.

    `check` yields one sentence a fault and raises NotKnown for what the snapshot cannot tell. `needs` names the facts
    it may look at (tested: nothing else is). `command` makes the shell commands that mend it, filled in for the
    resource at hand. `reference` is AWS's page; `reports` are places where users told of the trouble. `fault` cuts from
    a message what may change while the fault stays the same, such as a count of free addresses.
    """

    id: str
    name: str
    title: str
    severity: Severity
    risk: str
    remediation: str
    reference: str
    needs: tuple[FactName, ...]
    check: Check[S]
    command: Command[S]
    reports: tuple[str, ...] = ()
    fault: Callable[[str], str] = str

    @property
    def permissions(self) -> tuple[str, ...]:
        """The IAM actions behind the facts that this rule needs."""
        return tuple(sorted({action for need in self.needs for action in READ_WITH[need]}))


def evaluate[S](
    rules: Iterable[Rule[S]], resource: str, subject: S | Unread, network: Network | Unread, settings: Settings
) -> tuple[Finding, ...]:
    """Every rule's answer about `resource`, a connector or a service, in the order of the rules."""
    if isinstance(subject, Unread) or isinstance(network, Unread):
        why = str(subject if isinstance(subject, Unread) else network)
        return tuple(_finding(rule, resource, Status.UNKNOWN, unread=why) for rule in rules)
    return tuple([_answer(rule, resource, subject, network, settings) for rule in rules])


def _answer[S](rule: Rule[S], resource: str, subject: S, network: Network, settings: Settings) -> Finding:
    messages: tuple[str, ...] = ()
    status, unread, command = Status.ERROR, "", ""
    try:
        messages, unread = _faults(rule, subject, network, settings)
        status = Status.FAIL if messages else Status.UNKNOWN if unread else Status.PASS
        if messages:
            command = _command(rule, subject, network, settings)
    except Moot:
        status = Status.UNKNOWN  # and nothing that could not be read
    except Exception as broken:  # noqa: BLE001 - the one guard: a broken rule must not silence the others
        unread = f"{type(broken).__name__}: {broken}"  # faults that were found stand, though the command broke
    return _finding(rule, resource, status, messages=messages, unread=unread, command=command)


def _finding[S](
    rule: Rule[S],
    resource: str,
    status: Status,
    *,
    messages: tuple[str, ...] = (),
    unread: str = "",
    command: str = "",
) -> Finding:
    return Finding(
        resource=resource,
        rule=rule.id,
        name=rule.name,
        title=rule.title,
        severity=rule.severity,
        status=status,
        messages=tuple(sorted(messages)) if messages else (),
        faults=tuple(sorted(map(rule.fault, messages))) if messages else (),
        unread=unread,
        risk=rule.risk,
        remediation=rule.remediation,
        command=command,
        reference=rule.reference,
        exemption=None,
        tags_unread=False,
    )


def _faults[S](rule: Rule[S], subject: S, network: Network, settings: Settings) -> tuple[tuple[str, ...], str]:
    """What the rule finds, and why that may not be all."""
    found: list[str] = []
    try:
        for message in rule.check(subject, network, settings):
            found.append(message)  # noqa: PERF402 - list() would lose them all where NotKnown comes up
    except NotKnown as why:
        return tuple(found), str(why)
    return tuple(found), ""


def _command[S](rule: Rule[S], subject: S, network: Network, settings: Settings) -> str:
    """Nothing where the way to mend it cannot be told: the fault stands all the same."""
    try:
        return rule.command(subject, network, settings)
    except NotKnown:
        return ""
