"""House rules for templates, as rules of cfn-lint: what a platform team asks of a stack beyond its being valid.

cfn-lint loads the files of this folder by themselves (append_rules in .cfnlintrc.yaml), so this one imports nothing of
ours. It sees a template after the SAM transform. E9xxx are ids that cfn-lint leaves to others.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cfnlint.rules._rule import CloudFormationLintRule, RuleMatch
from cfnlint.template.template import Template

type Path = list[str | int]
type Node = tuple[Path, Any]


class HouseRule(CloudFormationLintRule):
    """What the rules below have in common. Each says what it finds at which path, as cfn-lint has it."""

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [RuleMatch(path, message) for path, message in self.found(cfn)]

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:  # noqa: ARG002 - each rule's own
        yield from ()


# --- reading a template ------------------------------------------------------------------------------------------


def of_type(cfn: Template, *kinds: str) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """Each resource of these types: its logical id, the path of its properties, the resource."""
    for name, one in cfn.template.get("Resources", {}).items():
        if one.get("Type") in kinds:
            yield name, ["Resources", name, "Properties"], one


def scenarios(cfn: Template, properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The properties as the template's conditions may leave them."""
    # cfn-lint leaves out what comes out empty, which the member of no name prevents.
    for one in cfn.get_object_without_conditions({"": "", **properties}):  # type: ignore[no-untyped-call]  # not annotated
        yield one["Object"]


def within(value: Any, path: Path) -> Iterator[Node]:
    """The value and all that is in it."""
    yield path, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from within(one, [*path, name])
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from within(one, [*path, index])


def chosen(value: Any) -> Iterator[Any]:
    """What the value may be, whichever way its Fn::If go; None for AWS::NoValue."""
    match value:
        case {"Fn::If": [_, then, otherwise]}:
            yield from (*chosen(then), *chosen(otherwise))
        case {"Ref": "AWS::NoValue"}:
            yield None
        case _:
            yield value


def listed(value: Any) -> list[Any]:
    """The members of what may be one thing or a list of them, whichever way its Fn::If go."""
    return [
        one for member in (value if isinstance(value, list) else [value]) for one in chosen(member) if one is not None
    ]


def named(value: Any) -> str | None:
    """The logical id that a value refers to."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::GetAtt": str(attribute)}:
            return attribute.partition(".")[0]
    return None


def statements(cfn: Template, *kinds: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Each statement of a policy in resources of these types (of all without any)."""
    for name, one in cfn.template.get("Resources", {}).items():
        if not kinds or one.get("Type") in kinds:
            for path, node in within(one.get("Properties", {}), ["Resources", name, "Properties"]):
                if isinstance(node, dict) and "Effect" in node and {"Action", "NotAction"} & node.keys():
                    yield path, node


# --- what is kept ------------------------------------------------------------------------------------------------


class EncryptedAtRest(HouseRule):
    id = "E9001"
    shortdesc = "Queues, topics and tables are encrypted with a key"
    description = "Whatever the parameters: by KMS, or a queue by SQS itself."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        for name, path, one in of_type(cfn, "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::DynamoDB::Table"):
            if not all(self._encrypts(each) for each in scenarios(cfn, one.get("Properties", {}))):
                yield path[:2], f"{name} is not encrypted, or not whatever the conditions"

    @staticmethod
    def _encrypts(properties: Mapping[str, Any]) -> bool:
        by_service = (properties.get("SqsManagedSseEnabled"), properties.get("SSESpecification", {}).get("SSEEnabled"))
        return bool(properties.get("KmsMasterKeyId")) or True in by_service


class RetentionStated(HouseRule):
    id = "E9002"
    shortdesc = "Queues and log groups say how long they keep things"
    description = "MessageRetentionPeriod, RetentionInDays: neither four days nor for ever by accident."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        periods = {"AWS::SQS::Queue": "MessageRetentionPeriod", "AWS::Logs::LogGroup": "RetentionInDays"}
        for name, path, one in of_type(cfn, *periods):
            if not one.get("Properties", {}).get(periods[one["Type"]]):
                yield path[:2], f"{name} has no {periods[one['Type']]}"


class DeletionStated(HouseRule):
    id = "E9003"
    shortdesc = "What keeps something says what becomes of it"
    description = "DeletionPolicy and UpdateReplacePolicy of queues, tables, log groups and keys."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        kinds = ("AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::KMS::Key", "AWS::S3::Bucket")
        for name, path, one in of_type(cfn, *kinds):
            for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
                if policy not in one:
                    yield path[:2], f"{name} has no {policy}"


# --- nothing lost ------------------------------------------------------------------------------------------------


class TargetsKeepEvents(HouseRule):
    id = "E9004"
    shortdesc = "Targets of rules and schedules have a retry policy and a dead-letter queue"
    description = "With both bounds of the retry policy: how often and for how long."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        targets = [
            *((path, "Targets", one) for _, path, one in of_type(cfn, "AWS::Events::Rule")),
            *((path, "Target", one) for _, path, one in of_type(cfn, "AWS::Scheduler::Schedule")),
        ]
        for path, key, one in targets:
            for each in listed(one.get("Properties", {}).get(key, [])):
                bounds = each.get("RetryPolicy", {}).keys()
                if not {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"} <= bounds:
                    yield [*path, key], f"{path[1]}: a target has no retry policy of both attempts and age"
                if "Arn" not in each.get("DeadLetterConfig", {}):
                    yield [*path, key], f"{path[1]}: a target has no dead-letter queue"


class QueuesLetGo(HouseRule):
    id = "E9005"
    shortdesc = "A queue that invokes a function lets go of what fails, and of that only"
    description = "RedrivePolicy of the queue, ReportBatchItemFailures of the mapping."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        queues = {name: one for name, _, one in of_type(cfn, "AWS::SQS::Queue")}
        for name, path, one in of_type(cfn, "AWS::Lambda::EventSourceMapping"):
            mapping = one["Properties"]
            if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
                yield path, f"{name} has no ReportBatchItemFailures"
            source = named(mapping.get("EventSourceArn"))
            if source in queues and "RedrivePolicy" not in queues[source].get("Properties", {}):
                yield ["Resources", str(source)], f"{source} invokes a function and has no RedrivePolicy"


class FailuresKept(HouseRule):
    id = "E9006"
    shortdesc = "What a function is invoked with by an event does not vanish when it fails"
    description = "A destination on failure, attempts and an age, for every function that is the target of a rule."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        kept = {
            named(one["Properties"].get("FunctionName"))
            for _, _, one in of_type(cfn, "AWS::Lambda::EventInvokeConfig")
            if {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"} <= one["Properties"].keys()
            and "Destination" in one["Properties"].get("DestinationConfig", {}).get("OnFailure", {})
        }
        invoked = {
            named(each.get("Arn"))
            for _, _, one in of_type(cfn, "AWS::Events::Rule")
            for each in listed(one.get("Properties", {}).get("Targets", []))
        }
        for name, path, _ in of_type(cfn, "AWS::Lambda::Function"):
            if name in invoked - kept:
                yield path[:2], f"{name} has no destination on failure, or no bounds for attempts and age"


class FunctionsOfTheirOwn(HouseRule):
    id = "E9007"
    shortdesc = "A function has a role and a log group of its own, JSON logs, traces and bounds"
    description = "Role, LoggingConfig, TracingConfig, Timeout, MemorySize and a description."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        owners: dict[str, str] = {}
        for name, path, one in of_type(cfn, "AWS::Lambda::Function"):
            function = one["Properties"]
            logging = function.get("LoggingConfig", {})
            of = {"role": (function.get("Role"), "AWS::IAM::Role")}
            of["log group"] = (logging.get("LogGroup"), "AWS::Logs::LogGroup")
            for what, (value, kind) in of.items():
                own = named(value)
                if own is None or cfn.template["Resources"].get(own, {}).get("Type") != kind:
                    yield path, f"{name} has no {what} of this template"
                elif own in owners:
                    yield path, f"{name} shares {own} with {owners[own]}"
                else:
                    owners[own] = name
            if logging.get("LogFormat") != "JSON":
                yield path, f"{name} does not log JSON"
            if function.get("TracingConfig", {}).get("Mode") != "Active":
                yield path, f"{name} is not traced"
            for bound in ("Timeout", "MemorySize", "Description"):
                if bound not in function:
                    yield path, f"{name} has no {bound}"


# --- permissions -------------------------------------------------------------------------------------------------

READS = re.compile(r"[a-z0-9-]+:(BatchGet|Describe|Get|List|Query|Scan|Search|Select)[A-Za-z*]*|apigateway:GET")
# AWS documents no resource for these.
OF_NO_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


class ActionsSpelledOut(HouseRule):
    id = "E9008"
    shortdesc = "Policies of roles name every action, and nothing by what it is not"
    description = (
        "No wildcard in an action, no NotAction, no NotResource, no managed policy that somebody else changes."
    )

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        for path, one in statements(cfn, "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for action in listed(one.get("Action", [])):
                if not isinstance(action, str) or not re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action):
                    yield path, f"action {action} is not spelled out"
            for key in ("NotAction", "NotResource", "NotPrincipal"):
                if key in one:
                    yield path, f"{key} permits what nobody thought of"
        for name, path, one in of_type(cfn, "AWS::IAM::Role"):
            for arn in listed(one.get("Properties", {}).get("ManagedPolicyArns", [])):
                if not re.search(r"\baws:policy/service-role/", str(arn)):
                    yield path, f"{name} has a managed policy that is not of a service role: {arn}"


class ResourcesSpelledOut(HouseRule):
    id = "E9009"
    shortdesc = "An action that changes something names what it may change"
    description = (
        "No Resource of * (nor of an account's all) but for actions that only read, or for which AWS knows none."
    )

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        for path, one in statements(cfn, "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            changing = sorted(
                action
                for action in listed(one.get("Action", []))
                if isinstance(action, str) and not READS.fullmatch(action) and action not in OF_NO_RESOURCE
            )
            if changing and any(self._is_everything(each) for each in listed(one.get("Resource", []))):
                yield path, f"{', '.join(changing)}: the resource is whatever there is"

    @staticmethod
    def _is_everything(resource: Any) -> bool:
        text = resource.get("Fn::Sub") if isinstance(resource, dict) else resource
        return isinstance(text, str) and text.rpartition(":")[2] == "*" and ":log-group:" not in text


class NoStrangers(HouseRule):
    id = "E9010"
    shortdesc = "Whoever is let in is named, or asked where it comes from"
    description = "Principal * and AWS services need a condition on the organization, the account or the source."

    # Lambda documents no such condition for the roles of functions; it is iam:PassRole that guards them.
    WITHOUT = ("lambda.amazonaws.com", "build.apprunner.amazonaws.com")
    SOURCES = ("aws:SourceArn", "aws:SourceAccount", "aws:PrincipalOrgID", "aws:SourceOrgID")

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        for path, one in statements(cfn):
            conditions = {key for keys in one.get("Condition", {}).values() for key in keys}
            if one["Effect"] == "Allow" and not conditions & {*self.SOURCES}:
                for stranger in self._strangers(one.get("Principal", {})):
                    yield path, f"{stranger} is let in wherever it comes from"

    def _strangers(self, principal: Any) -> Iterator[str]:
        if not isinstance(principal, Mapping):
            yield str(principal)
            return
        yield from (str(one) for one in listed(principal.get("AWS", [])) if one == "*")
        yield from (str(one) for one in listed(principal.get("Service", [])) if one not in self.WITHOUT)


# --- alarms, parameters, outputs ---------------------------------------------------------------------------------


class AlarmsTellSomebody(HouseRule):
    id = "E9011"
    shortdesc = "An alarm tells somebody, says what it means, and treats missing data on purpose"
    description = "AlarmActions, OKActions, AlarmDescription, TreatMissingData; not switched off."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        for name, path, one in of_type(cfn, "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
            alarm = one["Properties"]
            wanted = ["AlarmActions", "OKActions", "AlarmDescription"]
            wanted += ["TreatMissingData"] if one["Type"] == "AWS::CloudWatch::Alarm" else []
            for key in wanted:
                if not alarm.get(key):
                    yield path, f"{name} has no {key}"
            if alarm.get("ActionsEnabled", True) is not True:
                yield path, f"{name} is switched off"


class ParametersBounded(HouseRule):
    id = "E9012"
    shortdesc = "A parameter is explained and takes no nonsense"
    description = (
        "Description; a whole pattern, values or both bounds; a ConstraintDescription that names the parameter."
    )

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        for name, one in cfn.template.get("Parameters", {}).items():
            path: Path = ["Parameters", name]
            if not one.get("Description"):
                yield path, f"{name} has no Description"
            if "AWS::" in one["Type"]:  # which CloudFormation looks up
                continue
            bounded = "AllowedValues" in one or {"MinValue", "MaxValue"} <= one.keys()
            if not bounded and not re.fullmatch(r"\^.*\$", one.get("AllowedPattern", "")):
                yield path, f"{name} takes anything: give it AllowedValues, ^AllowedPattern$ or MinValue and MaxValue"
            if not one.get("ConstraintDescription", "").startswith(f"{name} must "):
                yield path, f'the ConstraintDescription of {name} does not begin with "{name} must"'


class OutputsDescribed(HouseRule):
    id = "E9013"
    shortdesc = "An output says what it is for"
    description = "Description of every output."

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        for name, one in cfn.template.get("Outputs", {}).items():
            if not one.get("Description"):
                yield ["Outputs", name], f"{name} has no Description"


class Portable(HouseRule):
    id = "E9014"
    shortdesc = "No account, Region or partition is written into a resource"
    description = "AWS::AccountId, AWS::Region and AWS::Partition, or a parameter."

    HARD_CODED = re.compile(
        r"(?P<partition>arn:aws[a-z-]*:)|(?<![\w-])(?P<account>\d{12})(?![\w-])"
        r"|(?<![\w-])(?P<region>(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov|-iso[a-z]?)?-[a-z]+-\d)(?![\w-])"
    )

    def found(self, cfn: Template) -> Iterator[tuple[Path, str]]:
        for name, one in cfn.template.get("Resources", {}).items():
            for path, node in within(one.get("Properties", {}), ["Resources", name, "Properties"]):
                hit = self.HARD_CODED.search(node) if isinstance(node, str) else None
                if hit and hit.lastgroup:
                    yield path, f"{name} has the {hit.lastgroup} {hit[0]} written into it"


RULES: Sequence[type[HouseRule]] = HouseRule.__subclasses__()
