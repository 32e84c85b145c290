"""Requests checked against botocore's model of App Runner, as the service does before it looks at anything.

botocore's own ParamValidator runs in the client and knows types, required members and minimum lengths; a caller that is
not botocore, or has validation off, gets the rest only from the service: patterns, maxima, enums.

Whether `.` in a pattern matches a line break is not documented. Here it does, so that hostile values reach those who
read them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from emulator.apprunner.exceptions import InvalidRequestException

_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
}


def validate(params: object, shape: StructureShape) -> None:
    """Raise InvalidRequestException that names every member that the model forbids."""
    faults = list(_faults(params, shape, ""))
    if faults:
        errors = "error" if len(faults) == 1 else "errors"
        raise InvalidRequestException(f"{len(faults)} validation {errors} detected: {'; '.join(faults)}")


def _faults(value: object, shape: Shape, path: str) -> Iterator[str]:
    if not _has_type(value, shape.type_name):
        article = "an" if shape.type_name == "integer" else "a"
        yield f"Value at '{path or 'request'}' failed to satisfy constraint: Member must be {article} {shape.type_name}"
    elif isinstance(shape, StructureShape) and isinstance(value, dict):
        yield from _structure_faults(value, shape, path)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, member in enumerate(value, start=1):
            yield from _faults(member, shape.member, f"{path}.{number}.member")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, member in value.items():
            yield from _faults(key, shape.key, f"{path}.key")
            yield from _faults(member, shape.value, f"{path}.value")
    elif isinstance(value, str):
        yield from (_said(value, shape, path, constraint) for constraint in _string_constraints(value, shape))
    elif isinstance(value, int):
        yield from (_said(value, shape, path, constraint) for constraint in _number_constraints(value, shape))


def _structure_faults(value: dict[str, object], shape: StructureShape, path: str) -> Iterator[str]:
    """Members that the model does not have are ignored, and null counts as absent: so do AWS's JSON protocols."""
    for name, member in shape.members.items():
        where = f"{path}.{_camel(name)}" if path else _camel(name)
        given = value.get(name)
        if given is not None:
            yield from _faults(given, member, where)
        elif name in shape.required_members:
            yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"


def _string_constraints(value: str, shape: Shape) -> Iterator[str]:
    limits = shape.metadata
    if len(value) < limits.get("min", 0):
        yield f"Member must have length greater than or equal to {limits['min']}"
    if "max" in limits and len(value) > limits["max"]:
        yield f"Member must have length less than or equal to {limits['max']}"
    if "pattern" in limits and not _compiled(limits["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _number_constraints(value: int, shape: Shape) -> Iterator[str]:
    limits = shape.metadata
    if "min" in limits and value < limits["min"]:
        yield f"Member must have value greater than or equal to {limits['min']}"
    if "max" in limits and value > limits["max"]:
        yield f"Member must have value less than or equal to {limits['max']}"


def _said(value: object, shape: Shape, path: str, constraint: str) -> str:
    """A sensitive value is not repeated."""
    quoted = "Value" if shape.metadata.get("sensitive") else f"Value '{value}'"
    return f"{quoted} at '{path}' failed to satisfy constraint: {constraint}"


def _has_type(value: object, type_name: str) -> bool:
    if type_name == "integer" and isinstance(value, bool):
        return False
    return isinstance(value, _PYTHON_TYPES[type_name])


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)
