"""What AWS's models and JSON schemas say of a value."""

from collections.abc import Mapping
from functools import cache

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types


def faults(value: object, schema: object) -> list[str]:
    """Where a value is not as a JSON schema wants it."""
    return [f"{error.json_path}: {error.message[:500]}" for error in Draft202012Validator(schema).iter_errors(value)]


def is_schema(schema: object) -> bool:
    Draft202012Validator.check_schema(schema)
    return True


def refused(service: str, operation: str, request: Mapping[str, object]) -> str:
    """Why the SDK would not even send a request; empty where it would."""
    report: str = ParamValidator().validate(request, _input(service, operation)).generate_report()
    return report


@cache
def _input(service: str, operation: str) -> Shape:
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    return shape
