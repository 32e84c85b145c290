"""What a replay tells: tables and colour where a terminal shows them, plain lines where it does not, or JSON."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from apprunner_guardrails.events import CLOUDTRAIL, caller
from replay.loop import Invocation, Step

_STYLES = {"fail": "bold red", "unknown": "bold yellow", "error": "bold magenta", "pass": "green", "exempt": "cyan"}


def heading(console: Console, name: str, summary: str) -> None:
    console.print()
    console.print(Text.assemble((name, "bold"), f"  {summary}"))


def step(console: Console, one: Step, *, whole: bool) -> None:
    """Event → function → answers → alert. `whole` prints alerts in full, else their subject."""
    for invocation in one.invocations:
        console.print(Text.assemble("  ", (_event(one.event), "cyan"), " → ", (invocation.function, "bold")))
        _invocation(console, invocation, whole=whole)


def _invocation(console: Console, invocation: Invocation, *, whole: bool) -> None:
    if invocation.error:
        _line(console, Text(f"failed, Lambda would try again: {invocation.error}", "bold red"))
    if "ignored" in invocation.result:
        _line(console, Text(f"ignored: {invocation.result['ignored']}", "dim"))
    for resource, answers in _mapping(invocation.result.get("resources")).items():
        _line(console, Text(resource, "dim"))
        _answers(console, resource, _mapping(answers), invocation)
    for alert in invocation.alerts:
        _line(console, Text.assemble(("alert  ", "bold red"), str(alert["subject"])))
        if whole:
            for line in str(alert["body"]).splitlines():
                console.print(Text("       | " + line), soft_wrap=True)
    if not invocation.alerts and not invocation.error:
        _line(console, Text("no alert", "green"))


def _answers(console: Console, resource: str, answers: Mapping[str, object], invocation: Invocation) -> None:
    opened = {
        str(one["rule"]): one for one in _records(invocation.result.get("opened")) if one.get("resource") == resource
    }
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for rule, status in answers.items():
        if status != "pass":
            found = opened.get(rule, {})
            messages = found.get("messages")
            told = messages if isinstance(messages, list) else []
            table.add_row(rule, Text(str(status), _STYLES.get(str(status), "")), "\n".join(map(str, told)))
    passed = [rule for rule, status in answers.items() if status == "pass"]
    if passed:
        table.add_row(Text(f"{len(passed)} rules"), Text("pass", _STYLES["pass"]), Text(" ".join(passed), "dim"))
    console.print(Padding(table, (0, 0, 0, 4), expand=False))


def summary(console: Console, worlds: int, steps: Sequence[Step], seconds: float) -> None:
    """One line: how much was played, and what came of it."""
    invocations = [invocation for one in steps for invocation in one.invocations]
    answers = [status for one in invocations for status in _statuses(one)]
    errors = sum(bool(one.error) for one in invocations)
    console.print()
    console.print(
        Text.assemble(
            (f"{worlds} world{'s' * (worlds != 1)}", "bold"),
            f": {len(steps)} events, {len(invocations)} invocations, {len(answers)} answers (",
            (f"{answers.count('fail')} fail", _STYLES["fail"]),
            f", {answers.count('unknown')} unknown, {answers.count('error')} error), ",
            f"{sum(len(one.alerts) for one in invocations)} alerts",
            f", {errors} failed invocations" if errors else "",
            f" in {seconds:.1f} s",
        )
    )


def as_json(one: Step) -> dict[str, object]:
    """A step for programs: the event as it was delivered, and what each function returned and published."""
    return {
        "event": one.event,
        "functions": [
            {
                "function": invocation.function,
                "result": invocation.result,
                "error": invocation.error or None,
                "alerts": list(invocation.alerts),
            }
            for invocation in one.invocations
        ],
    }


def _event(event: Mapping[str, object]) -> str:
    detail = _mapping(event.get("detail"))
    if event.get("detail-type") != CLOUDTRAIL:
        status = detail.get("operationStatus") or detail.get("currentServiceStatus") or ""
        return f"{event.get('detail-type')} {status}".strip()
    who = caller(detail)
    return f"{detail.get('eventName')} by {who.name}" + (f" with {who.tool}" if who.tool else "")


def _statuses(invocation: Invocation) -> Iterable[object]:
    for answers in _mapping(invocation.result.get("resources")).values():
        yield from _mapping(answers).values()


def _line(console: Console, text: Text) -> None:
    console.print(Text.assemble("    ", text), soft_wrap=True)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _records(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
