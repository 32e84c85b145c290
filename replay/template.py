"""What template.yaml deploys, for running it on this machine: functions, their environment, their event patterns.

The template goes through SAM's own translator, so that what is read here is what CloudFormation gets.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
from moto.events.models import EventPattern
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from moto.events.utils import EventMessageType

TEMPLATE = Path(__file__).parent.parent / "template.yaml"

type Pattern = Mapping[str, object]


class BadTemplate(ValueError):
    """The template holds something that cannot be run here; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A Lambda function: where its handler is, its environment as written, the pattern of each rule that invokes it.

    `defaults` are those of the template's parameters.
    """

    logical_id: str
    code: Path
    handler: str
    variables: Mapping[str, object]
    defaults: Mapping[str, str]
    patterns: Mapping[str, Pattern]

    def environment(self, parameters: Mapping[str, str], refs: Mapping[str, str]) -> dict[str, str]:
        """The function's environment variables under `parameters` (others have their defaults).

        `refs` says what a !Ref of a resource gives, by logical id. Raises BadTemplate for what neither explains.
        """
        if unknown := sorted(parameters.keys() - self.defaults.keys()):
            raise BadTemplate(f"the template has no parameter {', '.join(unknown)}")
        known = {**self.defaults, **parameters, **refs}
        return {name: self._value(name, value, known) for name, value in self.variables.items()}

    def _value(self, name: str, value: object, known: Mapping[str, str]) -> str:
        match value:
            case str():
                return value
            case {"Ref": str(target), **others} if target in known and not others:
                return known[target]
        raise BadTemplate(f"{self.logical_id}: {name} should be a text or a !Ref of something known, and is {value!r}")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The template after the SAM transform. `resources`, `parameters` and `metadata` are CloudFormation's own maps."""

    parameters: Mapping[str, Mapping[str, Any]]
    resources: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, Any]
    functions: Mapping[str, Function]

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The properties of every resource of a type, by logical id."""
        return {name: one.get("Properties", {}) for name, one in self.resources.items() if one["Type"] == kind}


def load(path: Path = TEMPLATE) -> Stack:
    """The stack that a template file describes."""
    template: dict[str, Any] = yaml_parse(path.read_text())  # type: ignore[no-untyped-call]  # not annotated by SAM
    code = _take_code(template["Resources"])
    # The Region is the translator's to know; nothing is asked of it.
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    stack = translator.translate(template, parameter_values={})
    parameters = stack.get("Parameters", {})
    defaults = {name: str(one["Default"]) for name, one in parameters.items() if "Default" in one}
    functions = {
        name: Function(
            logical_id=name,
            code=path.parent / code[name],
            handler=one["Properties"]["Handler"],
            variables=one["Properties"].get("Environment", {}).get("Variables", {}),
            defaults=defaults,
            patterns=_patterns(stack["Resources"], name),
        )
        for name, one in stack["Resources"].items()
        if one["Type"] == "AWS::Lambda::Function"
    }
    return Stack(
        parameters=parameters,
        resources=stack["Resources"],
        metadata=template.get("Metadata", {}),
        functions=functions,
    )


def matches(pattern: Pattern, event: Mapping[str, object]) -> bool:
    """Whether EventBridge's pattern admits the event. moto cannot match objects in a list: no pattern may try."""
    return EventPattern.load(json.dumps(pattern)).matches_event(cast("EventMessageType", event))


def _take_code(resources: dict[str, Any]) -> dict[str, str]:
    """The local folder of each function and layer; SAM translates only uploaded code, so an address takes its place."""
    folders = {}
    for name, one in resources.items():
        properties = one.get("Properties", {})
        for key in ("CodeUri", "ContentUri"):
            if key in properties:
                folders[name] = properties[key]
                properties[key] = {"Bucket": "local", "Key": name}
    return folders


def _patterns(resources: Mapping[str, Any], function: str) -> dict[str, Pattern]:
    target = {"Fn::GetAtt": [function, "Arn"]}
    rules = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Events::Rule"}
    return {
        name: rule["EventPattern"]
        for name, rule in rules.items()
        if "EventPattern" in rule and any(one["Arn"] == target for one in rule["Targets"])
    }
