"""What a replay tells: tables and colour where a terminal shows them, plain lines where it does not, or JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from apprunner_guardrails.alerts import counted
from apprunner_guardrails.alerts.event import FAILED_CALL, TRANSITION
from apprunner_guardrails.callers import caller
from apprunner_guardrails.events import CLOUDTRAIL
from apprunner_guardrails.paths.render import lines
from apprunner_guardrails.paths.report import Report, State
from apprunner_guardrails.targets.triggers import MARK
from replay.loop import SCHEDULED, Invocation, Step

_STYLES = {"fail": "bold red", "unknown": "bold yellow", "error": "bold magenta", "pass": "green", "exempt": "cyan"}
_ALERTS = {"fail": "bold red", "failed call": "bold magenta", "unknown": "bold yellow", "pass": "bold green"}
_HOPS = {
    State.FAILS: "bold red",
    State.ABSENT: "bold red",
    State.UNKNOWN: "bold yellow",
    State.EXEMPT: "cyan",
    State.OK: "green",
}
_TARGETS = {"registered": "green", "deregistered": "bold yellow", "held": "yellow"}
_LATER = {"later": "later: ", "audit": "a week later: "}
_DONE = ("registered", "deregistered")
_NAMES_SHOWN = 3
_CAUSES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of a finding, as some channel was told: "opened", "reminded" …"""

    resource: str
    rule: str
    transition: str
    messages: Sequence[str]


def heading(console: Console, name: str, summary: str, parameters: Mapping[str, str]) -> None:
    """What a world is, and the stack's parameters that it is about."""
    console.print()
    console.print(Text.assemble((name, "bold"), f"  {summary}"))
    if parameters:
        given = ", ".join(f"{parameter}={value}" for parameter, value in parameters.items())
        console.print(Text(f"  deployed with {given}", "dim"), soft_wrap=True)


def steps(console: Console, these: Sequence[Step], *, whole: bool) -> None:
    """What one moment led to, all delivered for the first time or all once more. `whole` prints alerts and tags in
    full, and names events that wake no function."""
    invoked = [one for one in these if one.invocations]
    done = [invocation for one in invoked for invocation in one.invocations]
    if invoked and invoked[0].is_repeated and not any(one.alerts or one.error or _tags(one) for one in done):
        if whole or invoked[0].moment != "audit":
            what = "the same once more" if len(invoked) == 1 else f"the same {len(invoked)} once more"
            nothing = "no new alert, no new tag" if any(map(_is_of_tags, done)) else "no new alert"
            console.print(Text.assemble(f"  {what}: ", (nothing, "green")))
        return
    for one in these:
        when = (_LATER.get(one.moment, ""), "dim")
        for invocation in one.invocations:
            console.print(Text.assemble("  ", when, (_event(one), "cyan"), " → ", (invocation.function, "bold")))
            _invocation(console, invocation, whole=whole)
        if whole and not one.invocations and not one.queues:
            console.print(Text.assemble("  ", when, (f"{_event(one)} → no function", "dim")))


def _invocation(console: Console, invocation: Invocation, *, whole: bool) -> None:
    if invocation.error:
        _line(console, Text(f"failed, Lambda would try again: {invocation.error}", "bold red"))
    if "ignored" in invocation.result:
        _line(console, Text(f"ignored: {invocation.result['ignored']}", "dim"))
    if returned := _records(invocation.result.get("batchItemFailures")):
        why, style = ("to be tried again", "bold yellow") if _is_of_tags(invocation) else ("not understood", "bold red")
        _line(console, Text(f"{why}, back to the queue: {len(returned)} of the batch", style))
    _tagged(console, invocation, whole=whole)
    _resources(console, invocation, whole=whole)
    _target_groups(console, invocation)
    for call in _explained(invocation):
        _explanation(console, call, whole=whole)
    for alert in invocation.alerts:
        _alert(console, alert, whole=whole)
    if not invocation.alerts and not invocation.error and not _is_of_tags(invocation):
        _line(console, Text("no new alert" if "fail" in _statuses(invocation) else "no alert", "green"))


def _is_of_tags(invocation: Invocation) -> bool:
    """Whether it is of the function that tags, and never alerts."""
    return "tagged" in invocation.result


def _tags(invocation: Invocation) -> Mapping[str, Mapping[str, object]]:
    """The tags that were put, by ARN."""
    return {arn: _mapping(tags) for arn, tags in _mapping(invocation.result.get("tagged")).items()}


def _number_of_tags(invocation: Invocation) -> int:
    return sum(map(len, _tags(invocation).values()))


def _tagged(console: Console, invocation: Invocation, *, whole: bool) -> None:
    """The tags that each resource got: as a table, or in a line."""
    for arn, tags in _tags(invocation).items():
        if not whole:
            told = ", ".join(f"{key}={value}" for key, value in tags.items())
            _line(console, Text.assemble(("tagged  ", "green"), f"{_in_its_region(arn)}  ", (told, "dim")))
            continue
        _line(console, Text(arn, "dim"))
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for key, value in tags.items():
            table.add_row(Text(key, "green"), Text(str(value)))
        console.print(Padding(table, (0, 0, 0, 4), expand=False))


def _in_its_region(arn: str) -> str:
    """Kind and name: "service/orders" of …:service/orders/8e5aa04e0f4c86d7, "loadbalancer/net/orders" of
    …:loadbalancer/net/orders/d4ea07a1cc45ac78."""
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    parts = name.split("/")
    return "/".join((kind, *parts[: 2 if kind == "loadbalancer" else 1]))


def _explanation(console: Console, call: Mapping[str, object], *, whole: bool) -> None:
    _line(console, Text.assemble("explained  ", str(call.get("what"))))
    causes = _texts(call.get("causes"))
    shown = causes if whole else causes[:_CAUSES_SHOWN]
    for cause in shown:
        _line(console, Text(f"  - {cause}"))
    if len(shown) < len(causes):
        _line(console, Text(f"  - and {len(causes) - len(shown)} more", "dim"))


def _alert(console: Console, alert: Mapping[str, object], *, whole: bool) -> None:
    status = str(_mapping(alert.get("attributes")).get("status"))
    _line(console, Text.assemble(("alert  ", _ALERTS.get(status, "bold cyan")), str(alert["subject"])))
    if whole:
        for line in str(alert["body"]).splitlines():
            console.print(Text("       | " + line), soft_wrap=True)


def _target_groups(console: Console, invocation: Invocation) -> None:
    """What was done with each target group, and what became of its findings; of many of which nothing can be said only
    how many they are."""
    if "target_groups" not in invocation.result:
        return
    groups = _mapping(invocation.result["target_groups"])
    changes = _changes(invocation)
    shown = {arn: _synced(_mapping(one)) for arn, one in groups.items()}
    silent = [arn for arn, done in shown.items() if not done and not any(one.resource == arn for one in changes)]
    for arn in dict.fromkeys((*shown, *(one.resource for one in changes))):
        if arn in silent:
            continue
        _line(console, Text(arn, "dim"))
        for line in shown.get(arn, ()):
            console.print(Text.assemble("      ", line), soft_wrap=True)
        _answers(console, {}, [one for one in changes if one.resource == arn], whole=False)
    if silent or not groups:
        _line(console, Text(f"{counted(len(silent), 'target group')}: nothing to do", "dim"))


def _synced(group: Mapping[str, object]) -> list[Text]:
    """ "registered    10.0.1.5:443, 10.0.2.5:443" """
    lines = [
        Text.assemble((f"{name:<14}", style), ", ".join(targets))
        for name, style in _TARGETS.items()
        if (targets := _texts(group.get(name)))
    ]
    if refused := group.get("refused"):
        lines.append(Text.assemble((f"{'refused':<14}", "bold red"), str(refused)))
    return lines


def _resources(console: Console, invocation: Invocation, *, whole: bool) -> None:
    """The answers about each resource: as a table where something became of it, else in a line; of many resources none
    of which is news only how many they are."""
    changes = _changes(invocation)
    answers_of = _mapping(invocation.result.get("resources"))
    changed = {one.resource for one in changes}
    # Of a target group that the sync looks after on its own, the audit answers nothing.
    resources = {one: answers for one, answers in answers_of.items() if answers or one in changed}
    if len(resources) > 1 and not changes:
        _line(console, Text(f"{len(resources)} resources: nothing new", "dim"))
        return
    for resource, answers in resources.items():
        of_it = [one for one in changes if one.resource == resource]
        if whole or any(one.messages for one in of_it):
            _line(console, Text(resource, "dim"))
            _answers(console, _mapping(answers), of_it, whole=whole)
        elif of_it or len(resources) == 1:
            _line(console, _in_short(_mapping(answers), of_it))


def _in_short(answers: Mapping[str, object], changes: Sequence[Change]) -> Text:
    """ "AR101 fail as told, 18 rules pass"."""
    passed = sum(status == "pass" for status in answers.values())
    by_rule = {one.rule: one for one in changes}
    parts = [
        f"{rule} {status} {_known(str(status), by_rule.get(rule))}".strip()
        for rule, status in answers.items()
        if status != "pass"
    ]
    return Text(", ".join([*parts, f"{counted(passed, 'rule')} pass"]), "dim")


def _known(status: str, change: Change | None) -> str:
    """What became of the finding, or that people have been told of it."""
    return change.transition if change else "as told" if status == "fail" else ""


def _answers(console: Console, answers: Mapping[str, object], changes: Sequence[Change], *, whole: bool) -> None:
    by_rule = {one.rule: one for one in changes}
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for rule in sorted(answers.keys() | by_rule.keys()):
        status, change = str(answers.get(rule, "")), by_rule.get(rule)
        if change or status != "pass":
            messages = "\n".join(_messages(change))
            table.add_row(rule, Text(status, _STYLES.get(status, "")), _known(status, change), messages)
    passed = [rule for rule, status in answers.items() if status == "pass" and rule not in by_rule]
    if passed:
        named = Text(" ".join(passed) if whole else "", "dim")
        table.add_row(counted(len(passed), "rule"), Text("pass", _STYLES["pass"]), "", named)
    console.print(Padding(table, (0, 0, 0, 4), expand=False))


def _messages(change: Change | None) -> list[str]:
    over = "over: " if change and change.transition == "resolved" else ""
    return [over + message for message in change.messages] if change else []


def paths(console: Console, report: Report) -> None:
    """The path report, each hop's state in its colour."""
    for line in lines(report):
        pieces = ((piece, _HOPS[state]) if state else piece for piece, state in line)
        console.print(Text.assemble("  ", *pieces), soft_wrap=True)


def summary(console: Console, worlds: int, played: Sequence[Step], seconds: float) -> None:
    """How much was played and what came of it; and what came of it the second time."""
    first = [one for one in played if not one.is_repeated]
    invocations = [invocation for one in first for invocation in one.invocations]
    again = [invocation for one in played if one.is_repeated for invocation in one.invocations]
    answers = [status for one in invocations for status in _statuses(one)]
    targets = {
        name: sum(len(_texts(group.get(name))) for one in invocations for group in _groups(one)) for name in _DONE
    }
    tags = sum(map(_number_of_tags, invocations))
    errors = sum(bool(one.error) for one in (*invocations, *again))
    console.print()
    console.print(
        Text.assemble(
            (counted(worlds, "world"), "bold"),
            f": {counted(sum('Records' not in one.event for one in first), 'event')}",
            f", {counted(len(invocations), 'invocation')}, {counted(len(answers), 'answer')} (",
            (f"{answers.count('fail')} fail", _STYLES["fail"]),
            f", {answers.count('exempt')} exempt, {answers.count('unknown')} unknown",
            f", {answers.count('error')} error), {counted(sum(len(one.alerts) for one in invocations), 'alert')}",
            "".join(f", {counted(number, 'target')} {name}" for name, number in targets.items() if number),
            f", {counted(tags, 'tag')} put" if tags else "",
            f", {counted(errors, 'failed invocation')}" if errors else "",
            f" in {seconds:.1f} s",
        )
    )
    if again:
        told = sum(len(one.alerts) for one in again)
        put = f", {counted(sum(map(_number_of_tags, again)), 'tag')} put" if any(map(_is_of_tags, again)) else ""
        console.print(f"all of it once more: {counted(len(again), 'invocation')}, {counted(told, 'alert')}{put}")


def as_json(one: Step) -> dict[str, object]:
    """A step for programs: the event as it was delivered, and what each function returned and told.

    `transitions` are what became of findings, `alerts` and `chat` the messages to people. What machines are told comes
    as events of its own.
    """
    return {
        "moment": one.moment,
        "delivery": one.delivery,
        "event": one.event,
        "queues": list(one.queues),
        "functions": [
            {
                "function": invocation.function,
                "result": invocation.result,
                "error": invocation.error or None,
                "transitions": [
                    {"resource": each.resource, "rule": each.rule, "transition": each.transition}
                    for each in _changes(invocation)
                ],
                "alerts": list(invocation.alerts),
                "chat": list(invocation.chat),
            }
            for invocation in one.invocations
        ],
    }


def _changes(invocation: Invocation) -> list[Change]:
    """By resource and rule. Machines are told all but reminders, and chat all but what is for machines only."""
    found = [*_told_to_machines(invocation), *_told_in_chat(invocation)]
    by_finding = {(one.resource, one.rule): one for one in reversed(found)}
    return [by_finding[key] for key in sorted(by_finding)]


def _told_to_machines(invocation: Invocation) -> Iterator[Change]:
    for event in invocation.put:
        if event.get("detail-type") == TRANSITION:
            detail = _mapping(event.get("detail"))
            finding = _mapping(detail.get("finding"))
            yield Change(
                resource=str(finding.get("resource")),
                rule=str(finding.get("rule")),
                transition=str(detail.get("transition")),
                messages=_texts(finding.get("messages")),
            )


def _told_in_chat(invocation: Invocation) -> Iterator[Change]:
    for message in invocation.chat:
        context = _mapping(_mapping(message.get("metadata")).get("additionalContext"))
        if "rule" in context:
            yield Change(
                resource=str(context["resource"]),
                rule=str(context["rule"]),
                transition=str(context["transition"]),
                messages=(),
            )


def _explained(invocation: Invocation) -> Iterator[Mapping[str, object]]:
    return (_mapping(one.get("detail")) for one in invocation.put if one.get("detail-type") == FAILED_CALL)


def _event(one: Step) -> str:
    """Who did what; for a batch what is in it, and from which queue it is."""
    if "Records" not in one.event:
        return _happened(one.event)
    events = [_inside(record) for record in _records(one.event["Records"])]
    if len(events) == 1:
        what = _happened(events[0])
    else:
        names = Counter(_named(event) for event in events)
        listed = ", ".join(f"{count} {name}" for name, count in names.most_common(_NAMES_SHOWN))
        what = f"{len(events)} events ({listed}{' …' if len(names) > _NAMES_SHOWN else ''})"
    if one.come_back and not any(map(_own_message, events)):  # what a function tells itself says so already
        what = f"come back to {what}"
    return " → ".join((what, *one.queues))


def _named(event: Mapping[str, object]) -> str:
    return _own_message(event) or str(_mapping(event.get("detail")).get("eventName", "?"))


def _own_message(event: Mapping[str, object]) -> str:
    """What a function tells itself by its queue: "come back"."""
    return str(event.get(MARK, ""))


def _inside(record: Mapping[str, object]) -> Mapping[str, object]:
    try:
        return _mapping(json.loads(str(record.get("body"))))
    except ValueError:
        return {}


def _happened(event: Mapping[str, object]) -> str:
    detail = _mapping(event.get("detail"))
    if said := _own_message(event):
        return said
    if "RequestType" in event:
        return f"{event['RequestType']} of {event.get('ResourceType')} by CloudFormation"
    if event.get("detail-type") == SCHEDULED:
        return f"{SCHEDULED} {event.get('time')}"
    if event.get("detail-type") != CLOUDTRAIL:
        status = detail.get("operationStatus") or detail.get("currentServiceStatus") or ""
        return f"{event.get('detail-type')} {status}".strip()
    who = caller(detail)
    failed = " (failed)" if detail.get("errorCode") else ""
    return f"{detail.get('eventName')}{failed} by {who.name}" + (f" with {who.tool}" if who.tool else "")


def _statuses(invocation: Invocation) -> Iterable[object]:
    for answers in _mapping(invocation.result.get("resources")).values():
        yield from _mapping(answers).values()


def _groups(invocation: Invocation) -> Iterable[Mapping[str, object]]:
    return map(_mapping, _mapping(invocation.result.get("target_groups")).values())


def _line(console: Console, text: Text) -> None:
    console.print(Text.assemble("    ", text), soft_wrap=True)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _records(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
