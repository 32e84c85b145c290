"""Writes the generated pages of docs/: rules.md from the rules and their cases, and what the modules beside this write.

python -m tools.docs [--check]
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from apprunner_guardrails.findings import Status
from tests.cases import ALL_RULES, KINDS, AnyRule, Case, cases_of
from tools import configuration, flow, permissions

FOLDER = Path(__file__).parent.parent / "docs"

HEAD = """\
<!-- Written by `make docs` from the rules of apprunner_guardrails/rules and their cases in tests/cases. -->

# Rules

| answer | meaning |
| --- | --- |
| pass | looked at, and fine |
| fail | a fault, with the subnet, route or group that has it, the fix, and the command |
| exempt | a fault that its [owner has accepted](alerts.md#exemptions) until a day |
| unknown | something could not be read (denied, throttled, shared from another account); the alert names the call |
| error | the rule itself broke; the others still answer |

A failed read never becomes a verdict, and never ends a finding. Events are hints: whatever they say, the resource and
its network are read again. Ids are never given to another rule. Words in capitals in a command are for you to fill in.
"""


def rules_page() -> Iterator[str]:
    """The page's lines."""
    yield from HEAD.splitlines()
    yield from ("", "| Id | Rule | Severity | Fails when |", "| --- | --- | --- | --- |")
    rules = list({rule.id: rule for rule in ALL_RULES}.values())
    for rule in rules:
        yield f"| [{rule.id}](#{rule.id.lower()}) | `{rule.name}` | {rule.severity} | {rule.title} |"
    for rule in rules:
        yield from _section(rule)


def _section(rule: AnyRule) -> Iterator[str]:
    example = next(case for case in cases_of(rule.name) if case.expect.status is Status.FAIL)
    yield from ("", f"## {rule.id}", "", f"**{rule.title}** · `{rule.name}` · {rule.severity}", "")
    yield from (f"*Risk:* {rule.risk}", "", f"*What to do:* {rule.remediation}", "")
    yield from (f"*Example:* {_said(example)}", "", "```text", *example.expect.messages, "```", "")
    yield from ("```sh", *example.expect.command.splitlines(), "```", "")
    same = [one for rules in KINDS.values() for one in rules if one.id == rule.id]
    yield f"- Reads: {_code(list(dict.fromkeys(need for one in same for need in one.needs)))}"
    yield f"- Permissions: {_code(sorted({action for one in same for action in one.permissions}))}"
    yield f"- AWS says: <{rule.reference}>"
    if rule.reports:
        yield f"- Users report: {', '.join(f'<{url}>' for url in rule.reports)}"
    yield ""
    yield from _cases(rule)


def _cases(rule: AnyRule) -> Iterator[str]:
    """What the rule is tested on, folded away: the fine print of what it does and does not say."""
    yield from ("<details>", "<summary>Its cases</summary>", "")
    for status in (Status.FAIL, Status.PASS, Status.UNKNOWN):
        for case in cases_of(rule.name):
            if case.expect.status is status:
                yield f"- {status}: {_said(case)}"
    yield from ("", "</details>")


def _said(case: Case) -> str:
    return case.name.partition(": ")[2]


def _code(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "rules.md": rules_page,
    "configuration.md": configuration.page,
    "permissions.md": permissions.page,
    "flow.svg": flow.picture,
}


def main(arguments: Sequence[str], folder: Path = FOLDER) -> int:
    """Write the pages, or with --check only say which are not what they should be. The exit status."""
    status = 0
    for name, lines in PAGES.items():
        new, page = "\n".join(lines()) + "\n", folder / name
        if page.exists() and page.read_text(encoding="utf-8") == new:
            continue
        if "--check" in arguments:
            print(f"docs/{name} is out of date: run `make docs` and commit what it writes.")
            status = 1
        else:
            folder.mkdir(exist_ok=True)
            page.write_text(new, encoding="utf-8")
            print(f"wrote docs/{name}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
