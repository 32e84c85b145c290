"""Writes what follows from the code, or checks that it does: docs/rules.md from the rules, docs/settings.md from the
template's parameters.

    python -m tools.generate [--check]
"""

import argparse
import difflib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.rules import RULES
from replay.template import load

ROOT = Path(__file__).parent.parent
NOTE = "<!-- Written by `make docs`; edit {source} instead. -->"


def rules_page() -> Iterator[str]:
    yield NOTE.format(source="the rules in layers/guardrails/apprunner_guardrails/rules")
    yield from ("", "# Rules", "", "| Id | Rule | Severity | Fails when |", "| --- | --- | --- | --- |")
    for rule in RULES:
        yield f"| [{rule.id}](#{rule.id.lower()}) | `{rule.name}` | {rule.severity} | {_cell(rule.title)} |"
    for rule in RULES:
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield from ("", f"## {rule.id}", "", f"**{rule.title}** (`{rule.name}`, {rule.severity})", "")
    yield from (rule.risk, "", f"*What to do:* {rule.remediation}", "")
    yield f"- AWS says: <{rule.reference}>"
    if rule.reports:
        yield f"- Users tell: {', '.join(f'<{one}>' for one in rule.reports)}"
    yield f"- Permissions: {', '.join(f'`{one}`' for one in rule.permissions) or 'none of its own'}"


def settings_page() -> Iterator[str]:
    yield NOTE.format(source="the parameters in template.yaml")
    yield from ("", "# Settings", "", "Parameters of the stack: `sam deploy --parameter-overrides Name=value`.", "")
    yield from ("| Parameter | Default | Takes | Meaning |", "| --- | --- | --- | --- |")
    for name, one in load().parameters.items():
        default = f"`{one['Default']}`" if str(one["Default"]) else "empty"
        yield f"| `{name}` | {default} | {_cell(_takes(name, one))} | {_cell(one['Description'])} |"


def _takes(name: str, parameter: Mapping[str, str]) -> str:
    """What CloudFormation says when it refuses a value, without the words around it."""
    return parameter["ConstraintDescription"].removeprefix(f"{name} must be ").removesuffix(".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


PAGES: Mapping[str, Callable[[], Iterator[str]]] = {"docs/rules.md": rules_page, "docs/settings.md": settings_page}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description="Write the generated files.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file is not what it should be")
    check = parser.parse_args().check
    stale = False
    for name, page in PAGES.items():
        path = ROOT / name
        new = "\n".join(page()) + "\n"
        old = path.read_text() if path.exists() else ""
        if new == old:
            continue
        stale = True
        if check:
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, "make docs"))
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(new)
            print(f"wrote {name}")
    if check and stale:
        print("Generated files are out of date: run `make docs` and commit what it writes.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
