"""What template.yaml deploys, for running it on this machine: functions, their environment, their event patterns.

The template goes through SAM's own translator, so that what is read here is what CloudFormation gets.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.events.models import EventPattern
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from moto.events.utils import EventMessageType

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
MEMBER_TEMPLATE = Path(__file__).parent.parent / "organization.yaml"

type Pattern = Mapping[str, object]


class BadTemplate(ValueError):
    """The template holds something that cannot be run here; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue whose messages a function is given in batches, and the pattern of each rule that sends events to it.

    Lambda waits up to `window_seconds` for `batch_size` of them, and then invokes the function once. `patterns` are
    those of rules on the account's default bus, `member_patterns` of rules on a bus of the stack's own, to which other
    accounts and Regions send.
    """

    logical_id: str
    patterns: Mapping[str, Pattern]
    batch_size: int
    window_seconds: int
    member_patterns: Mapping[str, Pattern] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Function:
    """A Lambda function: where its handler is, its environment as written, and what invokes it.

    That is rules with a pattern (`patterns`), rules with a schedule (`schedules`: its expression) and queues, each by
    logical id. `role` is the logical id of the role that it runs as, and here that role's name. `defaults` are those of
    the template's parameters, `conditions` the template's own, `names` what a !Ref of a table gives here.
    """

    logical_id: str
    code: Path
    handler: str
    role: str
    variables: Mapping[str, object]
    defaults: Mapping[str, str]
    patterns: Mapping[str, Pattern]
    schedules: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, Queue] = field(default_factory=dict)
    conditions: Mapping[str, object] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def environment(self, parameters: Mapping[str, str], refs: Mapping[str, str]) -> dict[str, str]:
        """The function's environment variables under `parameters` (others have their defaults).

        `refs` says what a !Ref of a resource gives, by logical id; a table has its logical id for a name unless it says
        otherwise. Raises BadTemplate for what neither explains.
        """
        if unknown := sorted(parameters.keys() - self.defaults.keys()):
            raise BadTemplate(f"the template has no parameter {', '.join(unknown)}")
        known = {**self.names, **self.defaults, **parameters, **refs}
        return {name: self._value(name, value, known) for name, value in self.variables.items()}

    def _value(self, name: str, value: object, known: Mapping[str, str]) -> str:
        match value:
            case {"Fn::If": [str(condition), then, otherwise]} if condition in self.conditions:
                chosen = then if self._holds(name, self.conditions[condition], known) else otherwise
                return self._value(name, chosen, known)
            case _:
                return self._text(name, value, known)

    def _holds(self, name: str, condition: object, known: Mapping[str, str]) -> bool:
        match condition:
            case {"Fn::Equals": [left, right]}:
                return self._text(name, left, known) == self._text(name, right, known)
            case {"Fn::Not": [negated]}:
                return not self._holds(name, negated, known)
        raise BadTemplate(f"{self.logical_id}: {name} depends on a condition that is not understood: {condition!r}")

    def _text(self, name: str, value: object, known: Mapping[str, str]) -> str:
        match value:
            case str():
                return value
            case {"Ref": str(target), **others} if target in known and not others:
                return known[target]
        raise BadTemplate(f"{self.logical_id}: {name} should be a text or a !Ref of something known, and is {value!r}")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The template after the SAM transform. All but `functions` are CloudFormation's own maps."""

    parameters: Mapping[str, Mapping[str, Any]]
    resources: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, Any]
    functions: Mapping[str, Function]
    conditions: Mapping[str, object] = field(default_factory=dict)

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
    translator.metrics.publish()  # to nobody; else it complains when it is thrown away
    resources, parameters = stack["Resources"], stack.get("Parameters", {})
    defaults = {name: str(one["Default"]) for name, one in parameters.items() if "Default" in one}
    tables = [name for name, one in resources.items() if one["Type"] == "AWS::DynamoDB::Table"]
    functions = {
        name: Function(
            logical_id=name,
            code=path.parent / code[name],
            handler=one["Properties"]["Handler"],
            role=one["Properties"]["Role"]["Fn::GetAtt"][0],
            variables=one["Properties"].get("Environment", {}).get("Variables", {}),
            defaults=defaults,
            patterns=_patterns(resources, name),
            schedules=_schedules(resources, name, defaults),
            queues=_queues(resources, name),
            conditions=stack.get("Conditions", {}),
            names={table: table for table in tables},
        )
        for name, one in resources.items()
        if one["Type"] == "AWS::Lambda::Function"
    }
    return Stack(
        parameters=parameters,
        resources=resources,
        metadata=template.get("Metadata", {}),
        functions=functions,
        conditions=stack.get("Conditions", {}),
    )


@cache
def sent_by_members() -> Mapping[str, Pattern]:
    """The pattern of each rule by which other accounts and Regions send events to the guardrails."""
    return {name: rule["EventPattern"] for name, rule in load(MEMBER_TEMPLATE).of_type("AWS::Events::Rule").items()}


def matches(pattern: Pattern, event: Mapping[str, object]) -> bool:
    """Whether EventBridge's pattern admits the event."""
    matcher = EventPattern.load(json.dumps(pattern))
    return any(matcher.matches_event(cast("EventMessageType", one)) for one in _views([pattern], event))


def _views(patterns: Sequence[Pattern], event: object) -> Iterator[object]:
    """The event with each list of objects that the patterns look into put as one of them, every one in turn.

    moto looks into no list of objects. EventBridge does, and what is asked of one list has to hold for the same object
    of it (github.com/aws/event-ruler, array-consistent matching).
    """
    if patterns and isinstance(event, list):
        yield from (view for one in event or [{}] for view in _views(patterns, one))
    elif patterns and isinstance(event, Mapping):
        levels = list(_branches(patterns))
        choices = [[(name, view) for view in _views(_within(levels, name), value)] for name, value in event.items()]
        yield from (dict(chosen) for chosen in product(*choices))
    else:
        yield event


def _branches(patterns: Iterable[Pattern]) -> Iterator[Pattern]:
    """The patterns and the branches of their $or, which ask of the same object."""
    for pattern in patterns:
        yield pattern
        yield from _branches(cast("Sequence[Pattern]", pattern.get("$or", ())))


def _within(patterns: Iterable[Pattern], name: str) -> list[Pattern]:
    asked = (pattern.get(name) for pattern in patterns)
    return [one for one in asked if isinstance(one, Mapping)]


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


def _patterns(resources: Mapping[str, Any], target: str, *, own_bus: bool = False) -> dict[str, Pattern]:
    """The pattern of each rule that has the function or queue for a target, on the default bus or on one of the stack's
    own."""
    return {
        name: _resolved(name, rule["EventPattern"], resources)
        for name, rule in _rules(resources, target)
        if "EventPattern" in rule and ("EventBusName" in rule) is own_bus
    }


def _resolved(rule: str, value: Any, resources: Mapping[str, Any]) -> Any:
    """The pattern with the ARN of a role in place of each !GetAtt of one. Raises BadTemplate for any other function."""
    match value:
        case {"Fn::GetAtt": [str(role), "Arn"]} if resources.get(role, {}).get("Type") == "AWS::IAM::Role":
            return role_arn(role)
        case {**members}:
            if unknown := [name for name in members if name == "Ref" or str(name).startswith("Fn::")]:
                raise BadTemplate(f"{rule}: {unknown[0]} in a pattern is understood of a role's Arn only: {value!r}")
            return {name: _resolved(rule, member, resources) for name, member in members.items()}
        case [*items]:
            return [_resolved(rule, one, resources) for one in items]
        case _:
            return value


def role_arn(logical_id: str) -> str:
    """The ARN of a role of the stack, which has its logical id for a name here."""
    return f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/{logical_id}"


def _schedules(resources: Mapping[str, Any], target: str, defaults: Mapping[str, str]) -> dict[str, str]:
    schedules = {name: rule.get("ScheduleExpression") for name, rule in _rules(resources, target)}
    return {
        name: defaults[when["Ref"]] if isinstance(when, Mapping) else when for name, when in schedules.items() if when
    }


def _rules(resources: Mapping[str, Any], target: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, one in resources.items():
        if one["Type"] == "AWS::Events::Rule":
            rule = one["Properties"]
            if any(each["Arn"] == {"Fn::GetAtt": [target, "Arn"]} for each in rule["Targets"]):
                yield name, rule


def _queues(resources: Mapping[str, Any], function: str) -> dict[str, Queue]:
    mappings = (
        one["Properties"]
        for one in resources.values()
        if one["Type"] == "AWS::Lambda::EventSourceMapping" and one["Properties"]["FunctionName"] == {"Ref": function}
    )
    sources = {mapping["EventSourceArn"]["Fn::GetAtt"][0]: mapping for mapping in mappings}
    return {
        name: Queue(
            logical_id=name,
            patterns=_patterns(resources, name),
            batch_size=mapping.get("BatchSize", 10),
            window_seconds=mapping.get("MaximumBatchingWindowInSeconds", 0),
            member_patterns=_patterns(resources, name, own_bus=True),
        )
        for name, mapping in sources.items()
    }
