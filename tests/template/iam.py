"""Whether IAM would allow a request: what a template's policies say once CloudFormation has filled them in.

It knows what our templates use, as AWS documents it, and refuses to guess: an element, an operator, a function or a
type of resource that it does not know is Unsupported. Sources, all in IAM's user guide (reference_policies_…):
elements_resource, elements_action, elements_condition_operators, condition-keys, evaluation-logic and
condition-single-vs-multi-valued-context-keys.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from replay.template import Stack

type Context = Mapping[str, str | tuple[str, ...]]
type Statement = Mapping[str, Any]


# Whatever is not named like this changes something: a message that is received is hidden from others.
_READING = re.compile(r"[a-z0-9-]+:(Describe|List|Get|Query$|Scan$)[A-Za-z]*|apigateway:GET")
# AWS documents no resource for these (service authorization reference, X-Ray).
OF_NO_RESOURCE = {
    "xray:PutTraceSegments": "adds a trace, and can neither read nor change another",
    "xray:PutTelemetryRecords": "says how many segments were sent",
}


def is_read(action: str) -> bool:
    """Whether the action changes nothing at all."""
    return _READING.fullmatch(action) is not None


class Unsupported(ValueError):
    """A policy or a template holds something whose meaning is not known here; the text names it."""


# --- what a request may do ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is asked of IAM. `context` holds condition keys, of several values as a tuple.

    `principal` is its kind (AWS, Service) and its ARN or name, where a policy of a resource is asked.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    principal: tuple[str, str] | None = None


def permits(statements: Sequence[Statement], request: Request) -> bool:
    """Whether these statements allow the request: one of them does, and none denies it."""
    effects = {one["Effect"] for one in statements}
    if unknown := effects - {"Allow", "Deny"}:
        raise Unsupported(f"effects {sorted(unknown)}")
    return {one["Effect"] for one in statements if _applies(one, request)} == {"Allow"}


def _applies(statement: Statement, request: Request) -> bool:
    known = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
    if unknown := sorted(statement.keys() - known):
        raise Unsupported(f"{unknown[0]} in a statement")
    if request.principal is None and ("Principal" in statement or "Resource" not in statement):
        raise Unsupported("a role's own policy has resources and no principal")
    # All of them are asked, so that what is not known is told whatever else does not fit.
    answers = [
        _one_fits(_action_fits, statement["Action"], request.action),
        _one_fits(_resource_fits, statement.get("Resource", "*"), request.resource),
        request.principal is None or _is_principal(statement["Principal"], *request.principal),
        *(
            _holds(operator, key, [_text(one) for one in listed(wanted)], request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        ),
    ]
    return all(answers)


def _one_fits(fits: Callable[[str, str], bool], patterns: Any, value: str) -> bool:
    answers = [fits(one, value) for one in listed(patterns)]
    return any(answers)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _action_fits(pattern: str, action: str) -> bool:
    """Names of actions have no case."""
    return _like(pattern.lower(), action.lower())


def _resource_fits(pattern: str, arn: str) -> bool:
    """A wildcard stays within its segment of the ARN, except for an asterisk at the end of one."""
    if pattern == "*":
        return True
    _no_variables(pattern)
    if pattern.count(":") < 5:  # arn:partition:service:region:account:resource
        raise Unsupported(f"resource {pattern}, which is no whole ARN")
    expression = re.sub(r"\\\*(?=:|$)", "\0", re.escape(pattern).replace(r"\?", "[^:]"))
    return re.fullmatch(expression.replace(r"\*", "[^:]*").replace("\0", ".*"), arn, re.DOTALL) is not None


def _is_principal(wanted: Any, kind: str, name: str) -> bool:
    if wanted == "*":
        return True
    match wanted:
        case {**kinds} if kinds.keys() <= {"AWS", "Service"}:
            return any(_is_named(kind, one, name) for one in listed(kinds.get(kind, [])))
    raise Unsupported(f"principal {wanted!r}")


def _is_named(kind: str, wanted: str, name: str) -> bool:
    if kind == "AWS" and (whole := re.fullmatch(r"(?:arn:[a-z-]+:iam::)?(\d{12})(?::root)?", wanted)):
        return name.split(":")[4] == whole[1]
    return wanted in ("*", name)


def _like(pattern: str, value: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """The six parts are compared one by one; the last may hold colons."""
    parts, others = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(others) and all(map(_like, parts, others))


def _same_truth(wanted: str, value: str) -> bool:
    return wanted.lower() == value.lower()


# Compares a value of the policy with one of the request, and whether the operator is the negation of that.
_OPERATORS: Mapping[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (str.__eq__, False),
    "StringNotEquals": (str.__eq__, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_arn_like, False),
    "ArnLike": (_arn_like, False),
    "Bool": (_same_truth, False),
}


def _holds(operator: str, key: str, wanted: Sequence[str], context: Context) -> bool:
    for one in wanted:
        _no_variables(one)
    found = {name.lower(): value for name, value in context.items()}.get(key.lower())  # names of keys have no case
    values = [found] if isinstance(found, str) else found or ()
    if operator == "Null":
        if any(one not in ("true", "false") for one in wanted):
            raise Unsupported(f"Null: {wanted}")
        return any((one == "true") is (not values) for one in wanted)
    quantifier, _, name = operator.rpartition(":")
    if name not in _OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise Unsupported(f"operator {operator}")
    compare, negated = _OPERATORS[name]
    answers = [any(compare(one, value) for one in wanted) is not negated for value in values]
    match quantifier:
        case "ForAllValues":  # which holds of nothing at all
            return all(answers) or values == [""]
        case "ForAnyValue":
            return any(answers)
        case _ if isinstance(found, tuple):
            raise Unsupported(f"{operator} for {key}, which has several values")
    return answers[0] if answers else negated


def _no_variables(text: str) -> None:
    if "${" in text:
        raise Unsupported(f"policy variable in {text}")


def _text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value
    raise Unsupported(f"value {value!r} in a condition")


# --- what a template says once it is deployed --------------------------------------------------------------------

ACCOUNT, REGION = "123456789012", "us-east-1"
_LOCAL = f"{REGION}:{ACCOUNT}"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::StackName": "guardrails",
    "AWS::URLSuffix": "amazonaws.com",
}
# A resource has its logical id for a name, unless the template names it: the property that does, and the ARN's rest.
_ARNS = {
    "AWS::DynamoDB::Table": ("TableName", f"dynamodb:{_LOCAL}:table/{{}}"),
    "AWS::Events::EventBus": ("Name", f"events:{_LOCAL}:event-bus/{{}}"),
    "AWS::Events::Rule": ("Name", f"events:{_LOCAL}:rule/{{}}"),
    "AWS::IAM::Role": ("RoleName", f"iam::{ACCOUNT}:role/{{}}"),
    "AWS::KMS::Key": ("", f"kms:{_LOCAL}:key/{{}}"),
    "AWS::Lambda::Function": ("FunctionName", f"lambda:{_LOCAL}:function:{{}}"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"logs:{_LOCAL}:log-group:{{}}:*"),
    "AWS::SNS::Topic": ("TopicName", f"sns:{_LOCAL}:{{}}"),
    "AWS::SQS::Queue": ("QueueName", f"sqs:{_LOCAL}:{{}}"),
}
_REF_IS_NAME = {
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
}


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A stack with the values of its parameters: the others have their defaults."""

    stack: Stack
    parameters: Mapping[str, str] = field(default_factory=dict)

    def statements(self, role: str) -> list[Statement]:
        """What a role of the stack may do."""
        properties = self.stack.resources[role]["Properties"]
        if unknown := properties.keys() & {"ManagedPolicyArns", "PermissionsBoundary"}:
            raise Unsupported(f"{role}: {sorted(unknown)}")
        documents = [self.resolved(one)["PolicyDocument"] for one in self.resolved(properties.get("Policies", []))]
        return [statement for one in documents for statement in one["Statement"]]

    def trust(self, role: str) -> list[Statement]:
        """Who may use the role."""
        document = self.resolved(self.stack.resources[role]["Properties"]["AssumeRolePolicyDocument"])
        return list(document["Statement"])

    def exists(self, name: str) -> bool:
        """Whether the resource is made at all."""
        condition = self.stack.resources[name].get("Condition")
        return condition is None or self.is_met(condition)

    def arn(self, name: str) -> str:
        """The ARN of a resource of the stack."""
        resource = self.stack.resources[name]
        if resource["Type"] not in _ARNS:
            raise Unsupported(f"the ARN of {name}, {resource['Type']}")
        naming, form = _ARNS[resource["Type"]]
        properties = resource.get("Properties", {})
        given = self.resolved(properties.get(naming, name))
        if resource["Type"] == "AWS::Events::Rule" and "EventBusName" in properties:
            given = f"{self.resolved(properties['EventBusName'])}/{given}"
        return f"arn:aws:{form.format(given)}"

    def arns(self) -> dict[str, str]:
        """The ARN of every resource of the stack that a policy may name, by logical id."""
        return {name: self.arn(name) for name, one in self.stack.resources.items() if one["Type"] in _ARNS}

    def resolved(self, value: Any) -> Any:
        """The value as CloudFormation hands it on."""
        match value:
            case {"Ref": str(name)}:
                return self._ref(name)
            case {"Fn::GetAtt": [str(name), "Arn"]}:
                return self.arn(name)
            case {"Fn::Sub": str(text)}:
                return self._sub(text)
            case {"Fn::If": [str(condition), then, otherwise]}:
                return self.resolved(then if self.is_met(condition) else otherwise)
            case dict() | list():
                return self._members(value)
        return value

    def _members(self, value: dict[str, Any] | list[Any]) -> dict[str, Any] | list[Any]:
        """Without what is AWS::NoValue."""
        if isinstance(value, list):
            return [one for member in value if (one := self.resolved(member)) is not None]
        if unknown := [name for name in value if name.startswith("Fn::")]:
            raise Unsupported(f"{unknown[0]} in {value}")
        return {name: one for name, member in value.items() if (one := self.resolved(member)) is not None}

    def _ref(self, name: str) -> str | None:
        if name == "AWS::NoValue":
            return None
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self.stack.parameters:
            return self.parameters.get(name, str(self.stack.parameters[name].get("Default")))
        resource = self.stack.resources[name]
        if resource["Type"] == "AWS::SNS::Topic":
            return self.arn(name)
        if resource["Type"] in _REF_IS_NAME:
            return str(self.resolved(resource.get("Properties", {}).get(_ARNS[resource["Type"]][0], name)))
        raise Unsupported(f"Ref of {name}, {resource['Type']}")

    def _sub(self, text: str) -> str:
        def filled_in(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            return str(self.resolved({"Fn::GetAtt": [name, attribute]}) if attribute else self._ref(name))

        return re.sub(r"\$\{([^!}]+)\}", filled_in, text).replace("${!", "${")

    def is_met(self, condition: object) -> bool:
        """Whether a condition of the template holds, by its name or as it is written."""
        match condition:
            case str():
                return self.is_met(self.stack.conditions[condition])
            case {"Condition": str(name)}:
                return self.is_met(name)
            case {"Fn::Equals": [left, right]}:
                return bool(self.resolved(left) == self.resolved(right))
            case {"Fn::Not": [one]}:
                return not self.is_met(one)
            case {"Fn::And": [*several]}:
                return all(self.is_met(one) for one in several)
            case {"Fn::Or": [*several]}:
                return any(self.is_met(one) for one in several)
        raise Unsupported(f"condition {condition!r}")
