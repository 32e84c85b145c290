"""Exemptions: tags on a resource by which its owner accepts that a rule fails, until a day. Pure.

    apprunner-guardrails:exempt:AR101 = 2026-12-31 @owner reason

All three parts are required. What is not of this form exempts nothing, and is a fault of its own (AR901).
"""

import json
import re
import shlex
from calendar import monthrange
from collections.abc import Iterable, Mapping

from apprunner_guardrails.events import EXEMPTION
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.findings import Exemption, Finding, Status
from apprunner_guardrails.light import dataclass, replace

_VALUE = re.compile(r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})\s+(@\S+)\s+(\S.*?)\s*", re.DOTALL)
EXEMPTION_FORM = "YYYY-MM-DD @OWNER REASON"  # a value to fill in
_RULE = re.compile(r"AR[1-8][0-9]{2}")  # the guardrails' own (AR9xx) cannot be exempted


@dataclass(frozen=True, kw_only=True, slots=True)
class Malformed:
    """A tag that means to exempt and does not, and why."""

    key: str
    value: str
    why: str


def exemptions(tags: Mapping[str, str]) -> tuple[tuple[Exemption, ...], tuple[Malformed, ...]]:
    """The exemptions that the tags hold, past ones too, and the tags that only mean to be one; by key."""
    found: list[Exemption] = []
    malformed: list[Malformed] = []
    for key, value in sorted(tags.items()):
        if key.lower().startswith(EXEMPTION):
            one = _exemption(key, value)
            if isinstance(one, Exemption):
                found.append(one)
            else:
                malformed.append(Malformed(key=key, value=value, why=one))
    return tuple(found), tuple(malformed)


def applied(findings: Iterable[Finding], tags: Mapping[str, str] | Unread, today: str) -> tuple[Finding, ...]:
    """The findings with what exemptions make of those that fail. `today` is 2026-11-21, in UTC; the day counts.

    One that has run out stays on the finding, which fails, so that it can be told. Where the tags could not be read
    a failure stands, marked: a finding that was exempt is not opened again for that.
    """
    if isinstance(tags, Unread):
        return tuple(replace(one, tags_unread=True) if one.status is Status.FAIL else one for one in findings)
    by_rule = {one.rule: one for one in exemptions(tags)[0]}
    if not by_rule:
        return tuple(findings)
    return tuple(_applied(one, by_rule.get(one.rule), today) for one in findings)


def tag(arn: str, region: str, tags: Mapping[str, str]) -> str:
    """The command of the resource's own service that puts tags on it."""
    listed = " ".join(shlex.quote(f"Key={key},Value={value}") for key, value in sorted(tags.items()))
    match _service(arn):
        case "ec2":
            return f"aws ec2 create-tags {_place(region, 'resources', _id(arn))} --tags {listed}"
        case "elasticloadbalancing":
            return f"aws elbv2 add-tags {_place(region, 'resource-arns', arn)} --tags {listed}"
        case "apigateway":
            mapped = shlex.quote(json.dumps(dict(tags), ensure_ascii=False, sort_keys=True))
            return f"aws apigateway tag-resource {_place(region, 'resource-arn', arn)} --tags {mapped}"
        case _:
            return f"aws apprunner tag-resource {_place(region, 'resource-arn', arn)} --tags {listed}"


def untag(arn: str, region: str, keys: Iterable[str]) -> str:
    """The command of the resource's own service that takes tags off it."""
    taken_off = sorted(keys)
    named = " ".join(map(shlex.quote, taken_off))
    match _service(arn):
        case "ec2":
            listed = " ".join(shlex.quote(f"Key={key}") for key in taken_off)
            return f"aws ec2 delete-tags {_place(region, 'resources', _id(arn))} --tags {listed}"
        case "elasticloadbalancing":
            return f"aws elbv2 remove-tags {_place(region, 'resource-arns', arn)} --tag-keys {named}"
        case "apigateway":
            return f"aws apigateway untag-resource {_place(region, 'resource-arn', arn)} --tag-keys {named}"
        case _:
            return f"aws apprunner untag-resource {_place(region, 'resource-arn', arn)} --tag-keys {named}"


def _service(arn: str) -> str:
    return next(iter(arn.split(":")[2:3]), "")


def _id(arn: str) -> str:
    """EC2 tags by id: eni-… of arn:…:network-interface/eni-…"""
    return arn.rpartition("/")[2]


def _place(region: str, option: str, resource: str) -> str:
    return f"--region {shlex.quote(region)} --{option} {shlex.quote(resource)}"


def _applied(finding: Finding, exemption: Exemption | None, today: str) -> Finding:
    if finding.status is not Status.FAIL or exemption is None:
        return finding
    status = Status.EXEMPT if today <= exemption.until else Status.FAIL  # ISO dates sort as text
    return replace(finding, status=status, exemption=exemption)


def _exemption(key: str, value: str) -> Exemption | str:
    rule = key[len(EXEMPTION) :]
    if not key.startswith(EXEMPTION):
        return f"the key should begin with {EXEMPTION}, in lower case"
    if not _RULE.fullmatch(rule):
        return f"{rule!r} is not the id of a rule that can be exempted, such as AR101"
    parts = _VALUE.fullmatch(value)
    if parts is None:
        return "the value should be a date, an owner and a reason, such as 2026-12-31 @owner reason"
    until, owner, reason = parts.groups()
    if not _is_day(*map(int, until.split("-"))):
        return f"{until} is not a day of the calendar"
    return Exemption(rule=rule, until=until, owner=owner, reason=reason)


def _is_day(year: int, month: int, day: int) -> bool:
    """By hand: `datetime` also tells the hour, and is kept out of what is pure."""
    return year > 0 and month in range(1, 13) and 1 <= day <= monthrange(year, month)[1]
