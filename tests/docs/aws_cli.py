"""A line for the AWS CLI → the call that it makes, by botocore's models; what the CLI would refuse is refused.

The CLI itself is not needed for that. What it has beyond the models is in the tables here, as far as we use it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
import jmespath  # type: ignore[import-untyped]  # it ships no types
from botocore import xform_name
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]  # it ships no types

from tests.docs.pages import ROOT

SESSION = botocore.session.get_session()
GLOBAL = {"region": 1, "endpoint-url": 1, "profile": 1, "output": 1, "query": 1, "no-cli-pager": 0, "no-paginate": 0}
PAGING = {"max-items": 1, "page-size": 1, "starting-token": 1}
SUBSTITUTED = "$()"  # what stands for the output of another command
OUTPUTS = ("json", "text", "table", "yaml", "yaml-stream")
# What the CLI names otherwise than the model, or adds.
RENAMED: Mapping[tuple[str, str], Mapping[str, str]] = {("sns", "subscribe"): {"notification-endpoint": "Endpoint"}}
ADDED = {("lambda", "invoke"): {"cli-binary-format": 1}}
POSITIONAL = {("lambda", "invoke"): 1}
# Commands of the CLI's own, which have no model: their options, and how many words come without one.
OWN: Mapping[tuple[str, str], tuple[int, Mapping[str, int]]] = {
    ("logs", "tail"): (1, {"since": 1, "filter-pattern": 1, "format": 1, "follow": 0, "log-stream-name-prefix": 1}),
}


class NotACommand(ValueError):
    """The CLI would refuse the line; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """`operation` as the API has it, or empty for a command of the CLI's own."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


def parse(words: Sequence[str], *, whole: bool = True) -> Call:
    """The call of `aws …`; of a part of a command (`whole` is False) only what is there counts. Raises NotACommand."""
    before, rest = _split(words[1:], dict(GLOBAL), stop_at_word=True)
    if len(rest) < 2:
        raise NotACommand("a command names a service and an operation")
    service, name, *others = rest
    if (service, name) in OWN:
        count, known = OWN[service, name]
        _own(others, {**GLOBAL, **known}, count)
        return Call(service=service, operation="", parameters={})
    operation = _operation(service, name)
    members = _members(operation, service, name)
    options = {**GLOBAL, **ADDED.get((service, name), {}), **(PAGING if _pages(service, operation.name) else {})}
    flags = {f"{no}{one}": 0 for one, (_, shape) in members.items() if _is_switch(shape) for no in ("", "no-")}
    counts = {one: -1 if shape.type_name == "list" else 1 for one, (_, shape) in members.items()}
    given, loose = _split(others, {**counts, **flags, **options})
    if len(loose) != POSITIONAL.get((service, name), 0):
        raise NotACommand(f"{service} {name} does not take {' '.join(loose) or 'so few words'}")
    _check_global({**before, **given}, operation)
    parameters: dict[str, Any] = {}
    for one, values in given.items():
        if one in flags:
            member, shape = members[one if one in members else one.removeprefix("no-")]
            parameters[member] = one in members if shape.type_name == "boolean" else {"Value": one in members}
        elif one in members:
            member, shape = members[one]
            parameters[member] = _read(one, values, shape)
    if whole and operation.input_shape:
        report = ParamValidator().validate(parameters, operation.input_shape)
        if report.has_errors():
            raise NotACommand(report.generate_report())
    return Call(service=service, operation=operation.name, parameters=parameters)


def _split(
    words: Sequence[str], options: Mapping[str, int], *, stop_at_word: bool = False
) -> tuple[dict[str, list[str]], list[str]]:
    """Options with their values, and the words that belong to none. -1 values are as many as follow."""
    given, loose, rest = dict[str, list[str]](), list[str](), list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            loose.append(word)
            if stop_at_word:
                return given, [*loose, *rest]
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        if name not in options:
            raise NotACommand(f"there is no option --{name}")
        count = options[name]
        values = [value] if equals else []
        while rest and not rest[0].startswith("--") and (count < 0 or len(values) < count):
            values.append(rest.pop(0))
        if (count > 0 and len(values) != count) or (count < 0 and not values):
            raise NotACommand(f"--{name} needs a value")
        if name in given:
            raise NotACommand(f"--{name} is given twice")
        given[name] = values
    return given, loose


def _own(words: Sequence[str], options: Mapping[str, int], count: int) -> None:
    _, loose = _split(words, options)
    if len(loose) != count:
        raise NotACommand(f"{count} words have no option, not {len(loose)}: {' '.join(loose)}")


@cache
def _operation(service: str, name: str) -> OperationModel:
    try:
        model = SESSION.get_service_model(service)
    except UnknownServiceError as error:
        raise NotACommand(f"there is no service {service}") from error
    named = [one for one in model.operation_names if xform_name(one, "-") == name]
    if not named:
        raise NotACommand(f"{service} has no operation {name}")
    return model.operation_model(named[0])


def _pages(service: str, operation: str) -> bool:
    try:
        SESSION.get_paginator_model(service).get_paginator(operation)
    except (DataNotFoundError, ValueError):
        return False
    return True


def _members(operation: OperationModel, service: str, name: str) -> dict[str, tuple[str, Shape]]:
    """By option: the member's name and shape."""
    shapes: Mapping[str, Shape] = operation.input_shape.members if operation.input_shape else {}
    renamed = {member: option for option, member in RENAMED.get((service, name), {}).items()}
    return {renamed.get(member, xform_name(member, "-")): (member, shape) for member, shape in shapes.items()}


def _check_global(given: Mapping[str, Sequence[str]], operation: OperationModel) -> None:
    for output in given.get("output", ()):
        if output not in OUTPUTS:
            raise NotACommand(f"--output takes {', '.join(OUTPUTS)}, not {output}")
    for query in given.get("query", ()):
        try:
            jmespath.compile(query)
        except JMESPathError as error:
            raise NotACommand(f"--query {query}: {error}") from error
        first = re.match(r"\w+", query)
        told = operation.output_shape.members if operation.output_shape else {}
        if first and first[0] not in told:
            raise NotACommand(f"--query {query}: {operation.name} tells no {first[0]}")


def _is_switch(shape: Shape) -> bool:
    """What is on or off takes no value; EC2 wraps it up."""
    return shape.type_name == "boolean" or shape.name == "AttributeBooleanValue"


def _read(option: str, words: Sequence[str], shape: Any) -> object:
    """Values of an option as the API takes them."""
    several = shape.type_name == "list"
    words = [_content(option, word) for word in words]
    if words[0] == SUBSTITUTED:
        return [] if several else {} if shape.type_name in ("structure", "map") else words[0]
    if len(words) > 1 and not several:
        raise NotACommand(f"--{option} takes one value, not {' '.join(words)}")
    if words[0].lstrip()[:1] in ("[", "{") and shape.type_name in ("list", "structure", "map"):
        try:
            read = [json.loads(one) for one in words]
            return _typed(read if several and isinstance(read[0], dict) else read[0], shape)
        except ValueError as error:
            raise NotACommand(f"--{option} is no JSON: {error}") from error
    if shape.type_name in ("structure", "map"):
        return _typed(shorthand(words[0]), shape)
    if several and shape.member.type_name in ("structure", "map"):
        return [_typed(shorthand(word), shape.member) for word in words]
    return _typed(list(words) if several else words[0], shape)


def _content(option: str, word: str) -> str:
    """The CLI takes what is in a file, by its path from where it is started."""
    if not word.startswith("file://"):
        return word
    file = ROOT / word.removeprefix("file://")
    if not file.is_file():
        raise NotACommand(f"--{option}: there is no {word}")
    return file.read_text(encoding="utf-8")


def _typed(value: Any, shape: Any) -> object:
    """Texts as the shape has them: numbers, lists of one."""
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            return {key: _typed(one, shape.members[key]) if key in shape.members else one for key, one in value.items()}
        case "map" if isinstance(value, Mapping):
            return {key: _typed(one, shape.value) for key, one in value.items()}
        case "list":
            return [_typed(one, shape.member) for one in (value if isinstance(value, list) else [value])]
    return _scalar(value, shape) if isinstance(value, str) else value


def _scalar(text: str, shape: Any) -> object:
    kind = shape.type_name
    if kind == "string" and shape.enum and text not in shape.enum:
        raise NotACommand(f"{text} is none of {', '.join(shape.enum)}")
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind in ("integer", "long", "float", "double") and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text) if "." in text else int(text)
    return text


# Shorthand: Key=value,List=a,b,Nested={Key=value},Several=[a,b] ----------------------------------------------------

_BARE = re.compile(r"[^,\[\]{}'\"=]*")
_KEY = re.compile(r"([A-Za-z0-9_.#/:-]+)=")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")


def shorthand(text: str) -> dict[str, Any]:
    """What the CLI reads in text such as Name=vpc-id,Values=a,b."""
    found, end = _pairs(text, 0)
    if end != len(text):
        raise NotACommand(f"{text[end:]!r} in {text!r} is not understood")
    return found


def _pairs(text: str, at: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while True:
        key = _KEY.match(text, at)
        if key is None:
            raise NotACommand(f"a key and = should be at {text[at:]!r}")
        values, at = _values(text, key.end())
        found[key[1]] = values[0] if len(values) == 1 else values
        if text[at : at + 1] != ",":
            return found, at
        at += 1


def _values(text: str, at: int) -> tuple[list[Any], int]:
    """One, or all up to the next key."""
    one, at = _one(text, at)
    values = [one]
    while text[at : at + 1] == "," and not _KEY.match(text, at + 1):
        one, at = _one(text, at + 1)
        values.append(one)
    return values, at


def _one(text: str, at: int) -> tuple[Any, int]:
    match text[at : at + 1]:
        case "{":
            found, at = _pairs(text, at + 1)
            return found, _past("}", text, at)
        case "[":
            values, at = _values(text, at + 1)
            return values, _past("]", text, at)
        case "'" | '"':
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                raise NotACommand(f"a quotation mark is open: {text[at:]!r}")
            return quoted[1] or quoted[2] or "", quoted.end()
    bare = _BARE.match(text, at)
    assert bare
    return bare[0], bare.end()


def _past(sign: str, text: str, at: int) -> int:
    if text[at : at + 1] != sign:
        raise NotACommand(f"{sign} should be at {text[at:]!r}")
    return at + 1
