"""The tags that are missing on what somebody created. Pure.

What AWS takes is the least that App Runner, EC2 and Elastic Load Balancing have in common, as their API models and
guides have it: 50 tags, keys of 127 characters and values of 255, of letters, digits, spaces and _ . : / = + - @, none
of which begins with aws: or begins or ends with a space. What is invisible is left out, other characters are replaced
by "-", what is too long is cut. AWS's own tags (aws:…) count here, though not for AWS.
"""

import unicodedata
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from apprunner_guardrails.callers import Who
from apprunner_guardrails.events import TAGS
from apprunner_guardrails.settings import KEY_LENGTH, Settings
from apprunner_guardrails.tags.people import person

if TYPE_CHECKING:
    from apprunner_guardrails.tags.created import Created

MOST = 50
VALUE_LENGTH = 255
_AWS = "aws:"  # in any letters
NOT_OURS = (_AWS, TAGS)  # beginnings of keys that AWS keeps for itself, and of those that tell the guardrails something

# The tools that tags tell in other words than alerts do.
_TOOLS = {"AWS CLI": "CLI", "SDK for Python": "SDK"}


def wanted(created: "Created", settings: Settings) -> Mapping[str, str]:
    """The tags that something should have, the most important first. One without a name is switched off.

    Of two with the same key the more important counts, and a default where nothing is known: created-by of nobody knows
    whom may so be the team.
    """
    told = (
        (settings.created_by_tag, person(created.by, emails=settings.emails_in_tags)),
        (settings.created_at_tag, created.time),
        (settings.created_with_tag, _TOOLS.get(created.tool, created.tool)),
    )
    tags: dict[str, str] = {}
    for key, value in (*((key, value) for key, value in told if value), *sorted(settings.default_tags.items())):
        if key:
            tags.setdefault(key, value)
    return tags


def owner(by: Who, settings: Settings) -> str:
    """Whom the tag that says who made something will name; empty where nothing tells."""
    key = settings.created_by_tag
    said = person(by, emails=settings.emails_in_tags) or settings.default_tags.get(key, "")
    return plan({key: said}, ()).get(cleaned(key, KEY_LENGTH), "")


def keys(settings: Settings) -> frozenset[str]:
    """The keys that everything has that is made from now on, as far as that can be told beforehand."""
    names = (settings.created_by_tag, settings.created_at_tag, settings.created_with_tag, *settings.default_tags)
    return frozenset(plan(dict.fromkeys(names, ""), ()))


def plan(tags: Mapping[str, str], existing: Collection[str]) -> dict[str, str]:
    """Which of the tags are to be added, in order, to a resource with these keys: none that is there, none too many."""
    added: dict[str, str] = {}
    for asked, value in tags.items():
        key = cleaned(asked, KEY_LENGTH)
        is_there = asked in existing or key in existing  # EC2 and App Runner take a key as it was asked for
        if key and not is_there and not key.casefold().startswith(NOT_OURS):
            added.setdefault(key, _value(value))
    room = max(0, MOST - len(existing))
    return dict(list(added.items())[:room])


def _value(said: str) -> str:
    """Load balancers take no value that begins as AWS's own keys do, and there is a role named aws:ec2-instance."""
    value = cleaned(said, VALUE_LENGTH)
    return value.replace(":", "-", 1) if value.casefold().startswith(_AWS) else value


def cleaned(said: str, length: int) -> str:
    """A key or a value in characters that every service takes, and no longer than that."""
    visible = "".join(one for one in said if unicodedata.category(one) != "Cf")
    composed = unicodedata.normalize("NFC", visible)
    return _cut("".join(map(_character, composed)).strip(), length).strip()


def _character(one: str) -> str:
    kind = unicodedata.category(one)[0]
    if kind == "Z" or one.isspace():
        return " "
    return one if kind in "LN" or one in "_.:/=+-@" else "-"


def _cut(said: str, length: int) -> str:
    """AWS does not say what it counts; this is no more in characters nor in units of UTF-16."""
    return said.encode("utf-16-le")[: 2 * length].decode("utf-16-le", "ignore")
