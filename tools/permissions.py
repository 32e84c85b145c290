"""docs/permissions.md: what each role of template.yaml and organization.yaml may do, and on what."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from replay.template import TEMPLATE, Stack, load
from tests.template.iam import ACCOUNT, REGION, Deployed, is_read, listed

HEAD = """\
<!-- Written by `make docs` from the roles of template.yaml and organization.yaml. -->

# Permissions

Every action that each role may use; [security.md](security.md) has the same in plain words. Names like `FindingsTable`
are resources of the stack. The rest is in the stack's account and Region, unless it says where. What roles of
template.yaml read of EC2 they read in the stack's Region only.
"""

HOME = {"HomeAccountId": "HOME-ACCOUNT", "HomeRegion": "HOME-REGION", "HomeStackName": "STACK"}
# By template: values for what has no default, and the parameters with which roles may do more.
GIVEN = {
    "template.yaml": {},
    "organization.yaml": {**HOME, "OrganizationId": "OrganizationId", "MemberExternalId": "x"},
}
ON_DEMAND = {
    "ChatNotifications": "true",
    "SecurityHubImport": "true",
    "KeyArn": "arn:aws:kms:::KeyArn",
    "OrganizationId": "OrganizationId",
}
SAID: Mapping[str, Mapping[str, str] | str] = {
    "Null": {"false": "`{key}` is there", "true": "`{key}` is not there"},
    "StringEquals": "`{key}` is {values}",
    "ForAllValues:StringEquals": "each `{key}` is {values}",
    "ForAllValues:StringNotLike": "no `{key}` is like {values}",
}


def page() -> Iterator[str]:
    """The page's lines."""
    yield from HEAD.splitlines()
    for name, given in GIVEN.items():
        stack = load(TEMPLATE.parent / name)
        yield from ("", f"## {name}")
        for role, properties in stack.of_type("AWS::IAM::Role").items():
            yield from ("", f"### {role}", "", f"{properties['Description']}.", "")
            yield from _table(stack, role, given)


def _table(stack: Stack, role: str, given: Mapping[str, str]) -> Iterator[str]:
    always = Deployed(stack=stack, parameters=given)
    rows = [(one, "") for one in always.statements(role)]
    for name in (one for one in ON_DEMAND if one in stack.parameters and one not in given):
        known = [_text(one) for one, _ in rows]
        more = Deployed(stack=stack, parameters={**given, name: ON_DEMAND[name]})
        rows += [(one, f"only with `{name}`") for one in more.statements(role) if _text(one) not in known]
    names = {arn: f"`{name}`" for name, arn in always.arns().items()}
    changes, reads = list[str](), dict[str, list[str]]()
    for statement, demand in rows:
        actions, on = (
            listed(statement["Action"]),
            ", ".join(_where(one, names) for one in listed(statement["Resource"])),
        )
        if changing := [one for one in actions if not is_read(one)]:
            conditions = [*_conditions(statement.get("Condition", {})), *([demand] if demand else [])]
            changes.append(f"| {_code(changing)} | {on} | {', and '.join(conditions)} |")
        for one in filter(is_read, actions):
            reads.setdefault(on, []).append(one)
    if changes:
        yield from ("| changes | on | if |", "| --- | --- | --- |", *changes)
    if changes and reads:
        yield ""
    if reads:
        yield from ("| reads | on |", "| --- | --- |")
        yield from (f"| {_code(sorted(set(actions)))} | {on} |" for on, actions in reads.items())


def _text(statement: Mapping[str, Any]) -> str:
    return json.dumps(statement, sort_keys=True)


def _where(arn: str, names: Mapping[str, str]) -> str:
    if arn in names:
        return names[arn]
    if arn == "*":
        return "everything"
    service, region, account, rest = arn.split(":", 5)[2:]
    if rest == "KeyArn":
        return "the key of `KeyArn`"
    places = [
        f"{what} {place}" for what, place in (("account", account), ("Region", region)) if place.startswith("HOME-")
    ]
    places += [f"any {what}" for what, place in (("account", account), ("Region", region)) if place == "*"]
    return f"`{service} {rest.replace(ACCOUNT, 'ACCOUNT')}`" + (f" in {' and '.join(places)}" if places else "")


def _conditions(conditions: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            said = SAID[operator]
            form = said if isinstance(said, str) else said[wanted]
            values = " or ".join(f"`{one.replace(REGION, 'REGION')}`" for one in listed(wanted))
            yield form.format(key=key, values=values)


def _code(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
