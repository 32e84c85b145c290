"""What those who run the stack have of it: alarms, a dashboard, keys, traces, and docs/operations.md, their runbook."""

import json
import operator
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import botocore.session
import pytest
from botocore import xform_name
from samtranslator.yaml_helper import yaml_parse

from apprunner_guardrails import observe
from apprunner_guardrails.targets.triggers import parse
from replay.template import TEMPLATE, load
from tests.template.iam import ACCOUNT, REGION, Context, Deployed, Request, permits

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs/operations.md").read_text()
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
STACK = load()
PLAIN = Deployed(stack=STACK)
EVERYTHING = Deployed(
    stack=STACK,
    parameters={
        "ChatNotifications": "true",
        "OpsEmail": "ops@example.com",
        "OrganizationId": "o-a1b2c3d4e5",
        "MemberExternalId": "guardrails",
        "KeyArn": KEY,
    },
)
HOUR = 3600


# --- the template as CloudFormation hands it on --------------------------------------------------------------------


def filled(value: Any, deployed: Deployed) -> Any:
    """The value where this is deployed; a resource has its logical id for a name, and an alarm for an ARN too."""
    if isinstance(value, list):
        return [one for member in value if (one := filled(member, deployed)) is not None]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (computed := COMPUTED.get(next(iter(value)))):
        return computed(next(iter(value.values())), deployed)
    members = {name: filled(one, deployed) for name, one in value.items()}
    return {name: one for name, one in members.items() if one is not None}


def _ref(name: str, deployed: Deployed) -> Any:
    is_named = name in STACK.resources and STACK.resources[name]["Type"] != "AWS::SNS::Topic"
    return name if is_named else deployed.resolved({"Ref": name})


def _attribute(path: Sequence[str], deployed: Deployed) -> Any:
    name, attribute = path
    known = {("AWS::CloudWatch::Alarm", "Arn"), ("AWS::SNS::Topic", "TopicName"), ("AWS::SQS::Queue", "QueueName")}
    is_named = (STACK.resources[name]["Type"], attribute) in known
    return name if is_named else deployed.resolved({"Fn::GetAtt": [name, attribute]})


def _if(branches: Sequence[Any], deployed: Deployed) -> Any:
    condition, then, otherwise = branches
    return filled(then if deployed.is_met(condition) else otherwise, deployed)


def _sub(told: Any, deployed: Deployed) -> str:
    text, names = told if isinstance(told, list) else (told, {})

    def of(found: re.Match[str]) -> str:
        name, _, attribute = found[1].partition(".")
        known = names.get(name, {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name})
        return str(filled(known, deployed))

    return re.sub(r"\$\{([^}]+)\}", of, text)


COMPUTED: Mapping[str, Callable[[Any, Deployed], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _attribute,
    "Fn::If": _if,
    "Fn::Sub": _sub,
    "Fn::Join": lambda told, deployed: told[0].join(filled(told[1], deployed)),
    "Fn::Select": lambda told, deployed: filled(told[1], deployed)[told[0]],
    "Fn::Split": lambda told, deployed: filled(told[1], deployed).split(told[0]),
}


def made(kind: str, deployed: Deployed) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type that is made where this is deployed, by logical id."""
    return {name: filled(one, deployed) for name, one in STACK.of_type(kind).items() if deployed.exists(name)}


# --- alarms --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What an alarm looks at: a metric, of what, which statistic over how many seconds."""

    metric: str
    of: tuple[tuple[str, str], ...]
    statistic: str
    period: int


def watched(alarm: Mapping[str, Any]) -> list[Watched]:
    if "Metrics" not in alarm:
        return [_watched(alarm, alarm["Statistic"], alarm["Period"])]
    total, *parts = alarm["Metrics"]
    assert total == {"Id": "all", "Label": total["Label"], "Expression": "SUM(FILL(METRICS(), 0))"}
    assert [one["ReturnData"] for one in parts] == [False] * len(parts)
    assert len({one["Id"] for one in parts}) == len(parts)
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]*", one["Id"]) for one in parts)
    stats = (one["MetricStat"] for one in parts)
    return [_watched(one["Metric"], one["Stat"], one["Period"]) for one in stats]


def _watched(metric: Mapping[str, Any], statistic: str, period: int) -> Watched:
    dimensions = tuple((one["Name"], one["Value"]) for one in metric["Dimensions"])
    name = f"{metric['Namespace']} {metric['MetricName']}"
    return Watched(metric=name, of=dimensions, statistic=statistic, period=period)


def alarms(deployed: Deployed) -> dict[str, dict[str, Any]]:
    return made("AWS::CloudWatch::Alarm", deployed)


ALARMS = alarms(EVERYTHING)
FUNCTIONS = sorted(STACK.functions)
MAPPINGS = STACK.of_type("AWS::Lambda::EventSourceMapping")
WORKING = {one["EventSourceArn"]["Fn::GetAtt"][0]: one["FunctionName"]["Ref"] for one in MAPPINGS.values()}
DEAD = sorted(name for name in STACK.of_type("AWS::SQS::Queue") if name not in WORKING)
RULES = STACK.of_type("AWS::Events::Rule")
INVOKES = STACK.of_type("AWS::Lambda::EventInvokeConfig")


def base(name: str) -> str:
    """ValidateNetworkFunction, and its queue of dead letters: ValidateNetwork."""
    return re.sub("(Function|DeadLetterQueue)$", "", name)


def dead_letters_of(rule: str) -> str:
    (target,) = RULES[rule]["Targets"]
    return str(target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0])


def of_rule(rule: str, deployed: Deployed) -> tuple[tuple[str, str], ...]:
    bus = filled(RULES[rule].get("EventBusName", ""), deployed)
    return (*((("EventBusName", bus),) if bus else ()), ("RuleName", rule))


def is_one_at_a_time(function: str) -> bool:
    return "ReservedConcurrentExecutions" in STACK.resources[function]["Properties"]


def expected(deployed: Deployed) -> dict[tuple[str, tuple[tuple[str, str], ...]], str]:
    """Which alarm looks at what, for all that the stack is made of."""

    def function(name: str) -> tuple[tuple[str, str], ...]:
        return (("FunctionName", name),)

    def queue(name: str) -> tuple[tuple[str, str], ...]:
        return (("QueueName", name),)

    topics = [one for one in ("AlertTopic", "ChatTopic") if deployed.exists(one)]
    timetable = (("RuleName", "SyncTargetsFunctionTimetable"),)
    return {
        **{("AWS/Lambda Errors", function(one)): f"{base(one)}Errors" for one in FUNCTIONS},
        **{
            (f"AWS/Lambda {'AsyncEventAge' if is_one_at_a_time(one) else 'Throttles'}", function(one)): (
                f"{base(one)}Throttles"
            )
            for one in FUNCTIONS
        },
        **{("AWS/SQS ApproximateNumberOfMessagesVisible", queue(one)): f"{base(one)}DeadLetters" for one in DEAD},
        **{
            ("AWS/Lambda DestinationDeliveryFailures", function(one["FunctionName"]["Ref"])): (
                f"{base(one['FunctionName']['Ref'])}Lost"
            )
            for one in INVOKES.values()
        },
        **{
            ("AWS/Events InvocationsFailedToBeSentToDlq", of_rule(one, deployed)): f"{base(dead_letters_of(one))}Lost"
            for one in RULES
            if deployed.exists(one)
        },
        **{
            ("AWS/SQS ApproximateAgeOfOldestMessage", queue(one)): f"{one}Age"
            for one in WORKING
            if deployed.exists(one)
        },
        ("AppRunnerGuardrails Audits", (("service", "apprunner-guardrails"),)): "AuditNotRun",
        ("AWS/Events Invocations", timetable): "SyncNotRun",
        **{("AWS/SNS NumberOfNotificationsFailed", (("TopicName", one),)): "AlertsNotDelivered" for one in topics},
    }


@pytest.mark.parametrize("deployed", [EVERYTHING, PLAIN], ids=["everything", "defaults"])
def test_every_function_queue_rule_and_topic_has_its_alarm_and_no_alarm_looks_at_anything_else(
    deployed: Deployed,
) -> None:
    looked_at = {(one.metric, one.of): name for name, alarm in alarms(deployed).items() for one in watched(alarm)}
    assert looked_at == expected(deployed)


def test_there_are_no_more_alarms_than_somebody_can_bear() -> None:
    assert len(alarms(PLAIN)) <= len(ALARMS) <= 24


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_the_ops_topic_when_it_begins_and_when_it_is_over(name: str) -> None:
    alarm = ALARMS[name]
    topic = [EVERYTHING.arn("OpsTopic")]
    actions = {key: value for key, value in alarm.items() if key.endswith("Actions")}
    assert actions == {"AlarmActions": topic, "OKActions": topic}
    assert "Unit" not in alarm  # another one than the metric's would mean no data for ever


# Why: docs/operations.md and the comments in template.yaml.
MISSING = {
    "AWS/Lambda Errors": "notBreaching",
    "AWS/Lambda Throttles": "notBreaching",
    "AWS/Lambda AsyncEventAge": "notBreaching",
    "AWS/Lambda DestinationDeliveryFailures": "notBreaching",
    "AWS/Events InvocationsFailedToBeSentToDlq": "notBreaching",
    "AWS/SNS NumberOfNotificationsFailed": "notBreaching",
    "AWS/SQS ApproximateNumberOfMessagesVisible": "ignore",
    "AWS/SQS ApproximateAgeOfOldestMessage": "notBreaching",
    "AppRunnerGuardrails Audits": "breaching",
    "AWS/Events Invocations": "breaching",
}
STATISTICS = {
    "AWS/Lambda AsyncEventAge": "Maximum",
    "AWS/SQS ApproximateNumberOfMessagesVisible": "Maximum",
    "AWS/SQS ApproximateAgeOfOldestMessage": "Maximum",
}


@pytest.mark.parametrize("name", ALARMS)
def test_what_no_data_means_is_decided_for_each_metric(name: str) -> None:
    alarm = ALARMS[name]
    looked_at = watched(alarm)
    assert {MISSING[one.metric] for one in looked_at} == {alarm["TreatMissingData"]}
    assert [one.statistic for one in looked_at] == [STATISTICS.get(one.metric, "Sum") for one in looked_at]


@pytest.mark.parametrize("name", ALARMS)
def test_cloudwatch_takes_the_alarm(name: str) -> None:
    """API_PutMetricAlarm: how far an alarm looks back, and how many metrics it computes with."""
    alarm = ALARMS[name]
    looked_at = watched(alarm)
    (period,) = {one.period for one in looked_at}
    periods = int(alarm["EvaluationPeriods"])
    assert period % 60 == 0
    assert period * periods <= (7 * 24 * HOUR if period >= HOUR else 24 * HOUR)
    assert 1 <= int(alarm.get("DatapointsToAlarm", periods)) <= periods
    assert len(looked_at) < 10
    assert len(alarm["AlarmDescription"]) <= 1024


@pytest.mark.parametrize("parameter", ["AuditAlarmHours", "SyncAlarmHours"])
def test_the_longest_wait_for_a_run_is_as_far_as_an_alarm_looks_back(parameter: str) -> None:
    (alarm,) = (
        one
        for one in STACK.of_type("AWS::CloudWatch::Alarm").values()
        if one["EvaluationPeriods"] == {"Ref": parameter}
    )
    assert alarm["DatapointsToAlarm"] == {"Ref": parameter}
    assert alarm["Period"] * STACK.parameters[parameter]["MaxValue"] == 7 * 24 * HOUR


def test_an_alarm_for_a_run_that_is_too_rare_for_it_can_be_left_out() -> None:
    without = Deployed(stack=STACK, parameters={"AuditAlarmHours": "0", "SyncAlarmHours": "0"})
    assert alarms(PLAIN).keys() - alarms(without).keys() == {"AuditNotRun", "SyncNotRun"}
    body = dashboard(without)
    assert "NotRun" not in json.dumps(body)


# --- when an alarm rings -------------------------------------------------------------------------------------------

COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}

type Said = Literal["ALARM", "OK", "as it was"]


def state(name: str, points: Sequence[float | None]) -> Said:
    """The alarm's state after these data points, a period each, the last of them the latest; None is no data.

    docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    alarm = ALARMS[name]
    periods = int(alarm["EvaluationPeriods"])
    recent = [*([None] * periods), *points][-periods:]
    rings = COMPARED[alarm["ComparisonOperator"]]
    known = [rings(one, alarm["Threshold"]) for one in recent if one is not None]
    if not known and alarm["TreatMissingData"] == "ignore":
        return "as it was"
    missing = [alarm["TreatMissingData"] == "breaching"] * (periods - len(known))
    enough = int(alarm.get("DatapointsToAlarm", periods))
    return "ALARM" if sum([*known, *missing]) >= enough else "OK"


ERRORS = [f"{base(one)}Errors" for one in FUNCTIONS]
THROTTLES = [f"{base(one)}Throttles" for one in FUNCTIONS if not is_one_at_a_time(one)]
LOST = [f"{base(one)}Lost" for one in DEAD]


@pytest.mark.parametrize("name", ERRORS)
def test_one_event_that_fails_until_it_is_given_up_is_told_of_by_the_dead_letters_alone(name: str) -> None:
    """Lambda tries three times within minutes, which may be in two periods."""
    tries = [3] if ALARMS[name]["Period"] == HOUR else [2, 1]
    assert state(name, tries) == "OK"
    assert state(name, [1] * int(ALARMS[name]["DatapointsToAlarm"])) == "ALARM"


@pytest.mark.parametrize("name", [*ERRORS, *THROTTLES, *LOST, "SyncTargetsThrottles", "AlertsNotDelivered"])
def test_a_function_that_is_not_invoked_is_well(name: str) -> None:
    assert state(name, []) == state(name, [0] * 12) == "OK"


@pytest.mark.parametrize("name", THROTTLES)
def test_a_burst_that_is_throttled_is_no_alarm_and_what_lasts_is(name: str) -> None:
    assert state(name, [40, 3]) == "OK"
    assert state(name, [40, 3, 0, 0, 1]) == "ALARM"


def test_a_sync_that_waits_for_its_turn_is_no_alarm_until_it_waits_for_long_again_and_again() -> None:
    minute = 60_000
    assert state("SyncTargetsThrottles", [5 * minute] * 12) == "OK"
    assert state("SyncTargetsThrottles", [20 * minute, 3 * minute, 20 * minute]) == "OK"
    assert state("SyncTargetsThrottles", [20 * minute, 3 * minute, 20 * minute, 16 * minute]) == "ALARM"
    (kept,) = (one["MaximumEventAgeInSeconds"] for one in INVOKES.values() if one["FunctionName"]["Ref"] == SYNC)
    assert ALARMS["SyncTargetsThrottles"]["Threshold"] < kept * 1000  # else it is given up before


SYNC = "SyncTargetsFunction"


@pytest.mark.parametrize("name", [f"{base(one)}DeadLetters" for one in DEAD])
def test_one_dead_letter_is_enough_and_stays_one_while_nobody_touches_the_queue(name: str) -> None:
    assert state(name, [1]) == "ALARM"
    assert state(name, [1, None]) == "as it was"
    assert state(name, [1, 0]) == "OK"


def test_looking_at_dead_letters_does_not_end_the_alarm() -> None:
    hidden = 600  # seconds, by make redrive at most
    assert all(ALARMS[f"{base(one)}DeadLetters"]["Period"] > hidden for one in DEAD)


@pytest.mark.parametrize("name", [*LOST, "AlertsNotDelivered"])
def test_what_is_lost_once_is_an_alarm_for_an_hour_and_not_one_each_time(name: str) -> None:
    assert state(name, [1]) == state(name, [1, *[0] * 11]) == state(name, [1, 0, 1, 0]) == "ALARM"
    assert state(name, [1, *[0] * 12]) == "OK"
    assert ALARMS[name]["EvaluationPeriods"] * watched(ALARMS[name])[0].period == HOUR


@pytest.mark.parametrize("name", ["AuditNotRun", "SyncNotRun"])
def test_what_is_not_run_sends_no_data_and_that_is_the_alarm(name: str) -> None:
    hours = int(ALARMS[name]["EvaluationPeriods"])
    assert state(name, [1, *[None] * hours]) == "ALARM"
    assert state(name, [*[None] * (hours - 1), 1]) == "OK"


def seconds(rate: str) -> int:
    number, unit = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rate).groups()  # type: ignore[union-attr]  # else it fails
    return int(number) * {"minute": 60, "hour": HOUR, "day": 24 * HOUR}[unit]


def test_no_period_is_shorter_than_the_schedule_of_what_it_looks_at() -> None:
    for function in STACK.functions.values():
        for schedule in function.schedules.values():
            assert ALARMS[f"{base(function.logical_id)}Errors"]["Period"] >= seconds(schedule)


def test_a_run_that_is_tried_again_for_as_long_as_it_may_be_is_not_yet_one_that_was_not_run() -> None:
    """Between two audits: the schedule, and in the worst case the hour for which one is tried."""
    for name, function in {"AuditNotRun": "AuditRegionFunction", "SyncNotRun": SYNC}.items():
        (schedule,) = STACK.functions[function].schedules.values()
        (rule,) = STACK.functions[function].schedules
        (target,) = RULES[rule]["Targets"]
        late = target["RetryPolicy"]["MaximumEventAgeInSeconds"]
        assert ALARMS[name]["Period"] >= seconds(schedule)
        assert ALARMS[name]["Period"] * int(ALARMS[name]["EvaluationPeriods"]) > seconds(schedule) + late


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_alarm_on_errors_looks_back_for_longer_than_a_run_lasts(function: str) -> None:
    """Lambda dates an error by the start of the invocation, and sends it at the end."""
    alarm = ALARMS[f"{base(function)}Errors"]
    timeout = STACK.resources[function]["Properties"]["Timeout"]
    assert alarm["Period"] * (alarm["EvaluationPeriods"] - alarm["DatapointsToAlarm"]) > timeout


def test_a_message_may_get_as_old_as_its_queue_lets_it_without_an_alarm_and_not_much_older() -> None:
    def returns(queue: str, times: int) -> int:
        """How old a message may be when it is done with, if it comes back so many times."""
        function = STACK.functions[WORKING[queue]]
        timeout = STACK.resources[function.logical_id]["Properties"]["Timeout"]
        properties = STACK.resources[queue]["Properties"]
        return int(times * properties["VisibilityTimeout"] + timeout + function.queues[queue].window_seconds)

    tries = STACK.resources["TagQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    whole_organization = 6 * HOUR  # docs/scale.md
    normal = {
        "DriftQueue": returns("DriftQueue", 1),
        "MemberQueue": returns("MemberQueue", 1),
        "SyncQueue": returns("SyncQueue", 2),  # throttled twice
        "TagQueue": returns("TagQueue", tries) + 15 * 60,  # the longest that SQS delays one
        "MemberAuditQueue": whole_organization + returns("MemberAuditQueue", 1) - 15 * 60,
    }
    assert normal.keys() == WORKING.keys()
    for queue, age in normal.items():
        threshold = ALARMS[f"{queue}Age"]["Threshold"]
        assert age <= threshold <= age + 900, queue
        assert threshold < STACK.resources[queue]["Properties"]["MessageRetentionPeriod"]


# --- who may publish an alarm, and with which key ------------------------------------------------------------------

ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:guardrails-AuditNotRun-1A2B3C"
OF_ACCOUNT: Context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": ALARM}
OTHERS: Context = {
    "aws:SourceAccount": "210987654321",
    "aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:210987654321:alarm:x",
}
CLOUDWATCH, EVENTS, LOGS = (("Service", f"{one}.amazonaws.com") for one in ("cloudwatch", "events", f"logs.{REGION}"))
SOMEBODY = ("AWS", f"arn:aws:iam::{ACCOUNT}:role/Developer")
STRANGER = ("AWS", "arn:aws:iam::210987654321:role/Developer")


@pytest.mark.parametrize(
    ("principal", "action", "context", "permitted"),
    [
        (CLOUDWATCH, "sns:Publish", OF_ACCOUNT, True),
        (CLOUDWATCH, "sns:Publish", OTHERS, False),
        (CLOUDWATCH, "sns:Publish", {"aws:SourceArn": ALARM}, False),
        (CLOUDWATCH, "sns:Publish", {**OF_ACCOUNT, "aws:SourceArn": EVERYTHING.arn("DriftRule")}, False),
        (CLOUDWATCH, "sns:Subscribe", OF_ACCOUNT, False),
        (EVENTS, "sns:Publish", OF_ACCOUNT, False),
        (STRANGER, "sns:Publish", {}, False),
        (STRANGER, "sns:Subscribe", {}, False),
    ],
    ids=str,
)
def test_the_ops_topic_takes_alarms_of_this_account_and_nothing_else(
    principal: tuple[str, str], action: str, context: Context, permitted: bool
) -> None:
    """Whom IAM lets publish in this account may still: a topic's policy adds to that."""
    (policy,) = made("AWS::SNS::TopicPolicy", EVERYTHING).values()
    topic = EVERYTHING.arn("OpsTopic")
    assert policy["Topics"] == [topic]
    request = Request(action=action, resource=topic, context=context, principal=principal)
    assert permits(policy["PolicyDocument"]["Statement"], request) is permitted


@pytest.mark.parametrize(
    ("principal", "action", "context", "permitted"),
    [
        (CLOUDWATCH, "kms:GenerateDataKey", OF_ACCOUNT, True),
        (CLOUDWATCH, "kms:Decrypt", OF_ACCOUNT, True),
        (CLOUDWATCH, "kms:Encrypt", OF_ACCOUNT, False),
        (CLOUDWATCH, "kms:Decrypt", OTHERS, False),
        (CLOUDWATCH, "kms:Decrypt", {}, False),
        (EVENTS, "kms:GenerateDataKey", OF_ACCOUNT, False),
        *((SOMEBODY, f"kms:{one}", {}, False) for one in ("Decrypt", "GenerateDataKey", "Encrypt", "CreateGrant")),
        *((SOMEBODY, f"kms:{one}", {}, True) for one in ("PutKeyPolicy", "DescribeKey", "ScheduleKeyDeletion")),
        (STRANGER, "kms:PutKeyPolicy", {}, False),
    ],
    ids=str,
)
def test_the_key_of_the_ops_topic_is_used_by_its_alarms_and_administered_by_its_account(
    principal: tuple[str, str], action: str, context: Context, permitted: bool
) -> None:
    policy = filled(STACK.resources["OpsKey"]["Properties"]["KeyPolicy"], PLAIN)
    request = Request(action=action, resource=PLAIN.arn("OpsKey"), context=context, principal=principal)
    assert permits(policy["Statement"], request) is permitted


def test_the_key_of_the_ops_topic_is_there_where_no_other_is_and_gets_new_material() -> None:
    assert list(made("AWS::KMS::Key", PLAIN)) == ["OpsKey"]
    assert list(made("AWS::KMS::Key", EVERYTHING)) == []
    properties = made("AWS::KMS::Key", PLAIN)["OpsKey"]
    assert (properties["EnableKeyRotation"], properties["PendingWindowInDays"]) == (True, 7)


# --- encryption ----------------------------------------------------------------------------------------------------

# By type of resource: what of it says how it is encrypted.
KEEPING = {
    "AWS::DynamoDB::Table": ("SSESpecification",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId", "SqsManagedSseEnabled"),
}
# These keep nothing of what goes through them, or no more than the template says.
NOT_KEEPING = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::EventBus",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


def encryption(deployed: Deployed) -> dict[str, dict[str, Any]]:
    return {
        name: {one: properties[one] for one in keys if one in properties}
        for kind, keys in KEEPING.items()
        for name, properties in made(kind, deployed).items()
    }


def test_of_every_type_it_is_known_whether_it_keeps_something() -> None:
    assert {one["Type"] for one in STACK.resources.values()} == KEEPING.keys() | NOT_KEEPING


def test_whatever_keeps_something_is_encrypted_with_the_key_that_is_given() -> None:
    with_key = {
        "AWS::DynamoDB::Table": {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}},
        "AWS::Logs::LogGroup": {"KmsKeyId": KEY},
        "AWS::SNS::Topic": {"KmsMasterKeyId": KEY},
        "AWS::SQS::Queue": {"KmsMasterKeyId": KEY},
    }
    assert encryption(EVERYTHING) == {
        name: with_key[one["Type"]] for name, one in STACK.resources.items() if one["Type"] in KEEPING
    }


def test_without_a_key_of_the_users_nothing_is_kept_plainly() -> None:
    """CloudWatch Logs encrypts by itself."""
    assert encryption(PLAIN) == {
        "FindingsTable": {"SSESpecification": {"SSEEnabled": True}},
        **{name: {} for name in made("AWS::Logs::LogGroup", PLAIN)},
        "AlertTopic": {"KmsMasterKeyId": "alias/aws/sns"},
        "OpsTopic": {"KmsMasterKeyId": "OpsKey"},
        **{name: {"SqsManagedSseEnabled": True} for name in made("AWS::SQS::Queue", PLAIN)},
    }


BY_SERVICE = {"dynamodb", "sns", "sqs"}


def services_of(function: str) -> set[str]:
    """The services that keep something under the key and that the function's role may ask."""
    actions = {
        action
        for one in PLAIN.statements(role_of(function))
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    return {one.partition(":")[0] for one in actions} & BY_SERVICE


def role_of(function: str) -> str:
    return str(STACK.resources[function]["Properties"]["Role"]["Fn::GetAtt"][0])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_uses_the_key_through_the_services_that_it_uses_and_for_nothing_else(function: str) -> None:
    statements = EVERYTHING.statements(role_of(function))
    services = {one: f"{one}.{REGION}.amazonaws.com" for one in sorted(BY_SERVICE | {"logs", "s3"})}
    services["elsewhere"] = "sqs.eu-west-1.amazonaws.com"
    other = KEY.replace("0123", "3210", 1)

    def permitted(action: str, resource: str, context: Context) -> bool:
        return permits(statements, Request(action=action, resource=resource, context=context))

    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        by = {name for name, one in services.items() if permitted(action, KEY, {"kms:ViaService": one})}
        assert by == services_of(function)
        assert not permitted(action, KEY, {})
        assert not permitted(action, other, {"kms:ViaService": services["sqs"]})
    for action in ("kms:Encrypt", "kms:CreateGrant", "kms:ReEncryptFrom", "kms:PutKeyPolicy"):
        assert not permitted(action, KEY, {"kms:ViaService": services["sqs"]})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_without_a_key_of_the_users_no_role_has_anything_to_do_with_keys(function: str) -> None:
    assert "kms:" not in json.dumps(PLAIN.statements(role_of(function)))


def blocks(language: str) -> list[str]:
    return [
        body
        for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)
        if kind == language
    ]


@cache
def documented_policy() -> list[dict[str, Any]]:
    (text,) = blocks("json")
    for word, value in {"ACCOUNT": ACCOUNT, "REGION": REGION, "STACK": "guardrails"}.items():
        text = text.replace(word, value)
    return list(json.loads(text)["Statement"])


def named(queue: str) -> str:
    """The ARN of a queue as CloudFormation names it in the stack "guardrails"."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:guardrails-{queue}-Zx1yW2vU3tS4"


QUEUES_OF_RULES = sorted(
    {
        arn["Fn::GetAtt"][0]
        for rule in RULES.values()
        for target in rule["Targets"]
        for arn in (target["Arn"], target["DeadLetterConfig"]["Arn"])
        if STACK.resources[arn["Fn::GetAtt"][0]]["Type"] == "AWS::SQS::Queue"
    }
)
BY_QUEUE, BY_GROUP = "kms:EncryptionContext:aws:sqs:arn", "kms:EncryptionContext:aws:logs:arn"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
GROUPS = [one["LogGroupName"] for one in made("AWS::Logs::LogGroup", EVERYTHING).values()]
USED: list[tuple[tuple[str, str], str, Context]] = [
    *((CLOUDWATCH, action, OF_ACCOUNT) for action in ("Decrypt", "GenerateDataKey")),
    *((EVENTS, one, {BY_QUEUE: named(queue)}) for queue in QUEUES_OF_RULES for one in ("Decrypt", "GenerateDataKey")),
    *(
        (LOGS, action, {BY_GROUP: f"{GROUP}{name}"})
        for name in GROUPS
        for action in ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")
    ),
    # Which IAM has to allow as well: it does, for the roles above.
    *(
        (("AWS", EVERYTHING.arn(role_of(one))), action, {"kms:ViaService": f"sqs.{REGION}.amazonaws.com"})
        for one in FUNCTIONS
        for action in ("Decrypt", "GenerateDataKey")
    ),
]


def to_key(principal: tuple[str, str], action: str, context: Context) -> bool:
    request = Request(action=f"kms:{action}", resource=KEY, context=context, principal=principal)
    return permits(documented_policy(), request)


@pytest.mark.parametrize(("principal", "action", "context"), USED, ids=str)
def test_the_documented_key_policy_lets_in_whoever_uses_the_key(
    principal: tuple[str, str], action: str, context: Context
) -> None:
    assert to_key(principal, action, context)


@pytest.mark.parametrize(
    ("principal", "action", "context"),
    [
        (CLOUDWATCH, "Decrypt", OTHERS),
        (CLOUDWATCH, "Encrypt", OF_ACCOUNT),
        (EVENTS, "Decrypt", {}),
        (EVENTS, "Decrypt", OF_ACCOUNT),
        (EVENTS, "Decrypt", {BY_QUEUE: f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"}),
        (EVENTS, "GenerateDataKey", {BY_QUEUE: named("DriftQueue").replace(ACCOUNT, "210987654321")}),
        (LOGS, "Decrypt", {BY_GROUP: f"{GROUP}/aws/lambda/orders"}),
        (LOGS, "Decrypt", {}),
        (("Service", "logs.eu-west-1.amazonaws.com"), "Decrypt", {BY_GROUP: f"{GROUP}{GROUPS[0]}"}),
        (("Service", "sns.amazonaws.com"), "Decrypt", {}),
        (STRANGER, "Decrypt", {}),
    ],
    ids=str,
)
def test_the_documented_key_policy_lets_in_nobody_else(
    principal: tuple[str, str], action: str, context: Context
) -> None:
    assert not to_key(principal, action, context)


def test_the_documented_key_policy_has_no_statement_that_nothing_needs() -> None:
    whole = documented_policy()
    needed = []
    for left_out in whole:
        rest = [one for one in whole if one is not left_out]
        needed.append(
            any(
                not permits(rest, Request(action=f"kms:{one[1]}", resource=KEY, context=one[2], principal=one[0]))
                for one in USED
            )
        )
    assert needed == [True] * 4


# --- nothing lost, traces, logs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_cannot_deliver_is_tried_again_for_a_time_and_kept_then(rule: str) -> None:
    (target,) = RULES[rule]["Targets"]
    policy = target["RetryPolicy"]
    assert 1 <= policy["MaximumRetryAttempts"] <= 185
    assert 60 <= policy["MaximumEventAgeInSeconds"] <= 86_400
    assert dead_letters_of(rule) in DEAD
    assert base(dead_letters_of(rule)) == base(invoked_by(target["Arn"]["Fn::GetAtt"][0]))


def invoked_by(target: str) -> str:
    return str(WORKING.get(target, target))


def test_what_is_invoked_by_a_rule_is_given_up_after_a_time_and_kept_then() -> None:
    """EventBridge hands events to Lambda's own queue, where they count as delivered."""
    directly = {target["Arn"]["Fn::GetAtt"][0] for rule in RULES.values() for target in rule["Targets"]}
    kept = {
        one["FunctionName"]["Ref"]: (
            one["MaximumRetryAttempts"],
            one["MaximumEventAgeInSeconds"],
            one["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0],
        )
        for one in INVOKES.values()
    }
    assert kept == {
        "ValidateNetworkFunction": (2, 21_600, "ValidateNetworkDeadLetterQueue"),
        "AuditRegionFunction": (2, 3600, "AuditRegionDeadLetterQueue"),
        "SyncTargetsFunction": (2, 3600, "SyncTargetsDeadLetterQueue"),
    }
    assert directly - WORKING.keys() == kept.keys()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_traced_and_may_send_its_traces(function: str) -> None:
    assert STACK.resources[function]["Properties"]["TracingConfig"] == {"Mode": "Active"}
    statements = PLAIN.statements(role_of(function))
    for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords"):
        assert permits(statements, Request(action=action, resource="*"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_is_told_to_log_what_it_is_given(function: str) -> None:
    """Powertools would log events for the first, and the SDK what it sends and gets at the level DEBUG."""
    variables = STACK.functions[function].variables
    assert {"POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_DEV", "POWERTOOLS_DEBUG"} & variables.keys() == set()
    assert STACK.parameters["LogLevel"]["Default"] == "INFO"
    assert STACK.resources[function]["Properties"]["LoggingConfig"]["ApplicationLogLevel"] == {"Ref": "LogLevel"}


# --- the dashboard -------------------------------------------------------------------------------------------------


def dashboard(deployed: Deployed) -> list[dict[str, Any]]:
    (properties,) = made("AWS::CloudWatch::Dashboard", deployed).values()
    return list(json.loads(properties["DashboardBody"])["widgets"])


def shown(deployed: Deployed) -> list[tuple[str, ...]]:
    return [
        tuple(metric)
        for one in dashboard(deployed)
        if one["type"] == "metric"
        for metric in one["properties"]["metrics"]
        if isinstance(metric[0], str)
    ]


def test_the_dashboard_shows_every_metric_of_the_guardrails_once_and_no_other_of_theirs() -> None:
    variables = STACK.functions[SYNC].variables
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == observe.NAMESPACE
    ours = [one for one in shown(PLAIN) if one[0] == observe.NAMESPACE]
    assert sorted(ours) == sorted(
        (observe.NAMESPACE, name, "service", str(variables["POWERTOOLS_SERVICE_NAME"])) for name in observe.METRICS
    )


@pytest.mark.parametrize("deployed", [EVERYTHING, PLAIN], ids=["everything", "defaults"])
def test_the_dashboard_shows_every_function_queue_and_alarm(deployed: Deployed) -> None:
    metrics = shown(deployed)
    of_lambda = {(metric, name) for space, metric, _, name in metrics if space == "AWS/Lambda"}
    for metric in ("Invocations", "Errors", "Throttles", "Duration"):
        assert {name for one, name in of_lambda if one == metric} == set(FUNCTIONS)
    assert {name for metric, name in of_lambda if metric == "DestinationDeliveryFailures"} == {
        one["FunctionName"]["Ref"] for one in INVOKES.values()
    }
    depth, age = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"
    working = {one for one in WORKING if deployed.exists(one)}
    of_sqs = [(metric, name) for space, metric, _, name in metrics if space == "AWS/SQS"]
    assert sorted(of_sqs) == sorted([*((depth, one) for one in (*DEAD, *working)), *((age, one) for one in working)])
    (listed,) = (one["properties"]["alarms"] for one in dashboard(deployed) if one["type"] == "alarm")
    assert sorted(listed) == sorted(alarms(deployed))


def test_the_dashboard_begins_with_where_to_read_what_to_do() -> None:
    first = dashboard(PLAIN)[0]
    assert (first["type"], first["x"], first["y"]) == ("text", 0, 0)
    assert "docs/operations.md" in first["properties"]["markdown"]


def test_nothing_on_the_dashboard_lies_on_something_else() -> None:
    places = [(one["x"], one["y"], one["x"] + one["width"], one["y"] + one["height"]) for one in dashboard(PLAIN)]
    assert all(0 <= left < right <= 24 for left, _, right, _ in places)
    for one, other in combinations(places, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_the_dashboard_is_of_this_stack_and_region_and_found_by_an_output() -> None:
    (properties,) = made("AWS::CloudWatch::Dashboard", PLAIN).values()
    assert properties["DashboardName"] == f"guardrails-{REGION}"
    assert {one["properties"].get("region", REGION) for one in dashboard(PLAIN)} == {REGION}
    outputs = yaml_parse(TEMPLATE.read_text())["Outputs"]  # type: ignore[no-untyped-call]  # not annotated by SAM
    assert filled(outputs["DashboardUrl"]["Value"], PLAIN) == (
        f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#dashboards/dashboard/Dashboard"
    )


# --- the runbook ---------------------------------------------------------------------------------------------------


def sections() -> dict[str, str]:
    """The runbook's text by the name of each alarm."""
    _, *parts = re.split(r"^### (.+)$", RUNBOOK.partition("\n## Alarms\n")[2].partition("\n## ")[0], flags=re.MULTILINE)
    return {name: text for names, text in zip(parts[::2], parts[1::2], strict=True) for name in names.split(", ")}


def test_every_alarm_has_its_section_in_the_runbook_and_every_section_its_alarm() -> None:
    assert sections().keys() == ALARMS.keys()


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_where_to_read_on_and_the_runbook_what_it_means_where_to_look_and_what_to_do(name: str) -> None:
    assert ALARMS[name]["AlarmDescription"].endswith(f" What to do: {name} in docs/operations.md.")
    parts = ("**means:**", "**look here", "**mend")
    assert [one for one in parts if one not in sections()[name].lower()] == []


def commands() -> Iterator[list[str]]:
    for block in blocks("console"):
        for line in block.replace("\\\n", "").splitlines():
            yield shlex.split(line)


# What the command line has beside the operations of the API, and its options.
OF_THE_COMMAND_LINE = {("logs", "tail"): {"since", "filter-pattern", "follow", "format"}}
RENAMED = {"notification-endpoint": "endpoint"}
COMMON = {"query", "output", "region", "cli-binary-format"}


@pytest.mark.parametrize("words", [one for one in commands() if one[0] == "aws"], ids=" ".join)
def test_a_command_of_the_runbook_names_an_operation_and_parameters_that_the_api_has(words: list[str]) -> None:
    _, service, name, *rest = words
    given = {word.removeprefix("--") for word in rest if word.startswith("--")} - COMMON
    if (service, name) in OF_THE_COMMAND_LINE:
        assert given <= OF_THE_COMMAND_LINE[service, name]
        return
    model = botocore.session.get_session().get_service_model(service)
    operation = next(model.operation_model(one) for one in model.operation_names if xform_name(one, "-") == name)
    assert operation.input_shape
    members = {xform_name(member, "-"): member for member in operation.input_shape.members}
    given = {RENAMED.get(one, one) for one in given}
    assert given - members.keys() == set()
    assert {xform_name(one, "-") for one in operation.input_shape.required_members} - given == set()


def test_commands_of_the_runbook_are_those_of_known_programs() -> None:
    """The twin of the tests above and below, which would hold for none."""
    programs = {one[0] for one in commands()}
    assert programs == {"aws", "git", "make", "sam"}


MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("words", [one for one in commands() if one[0] == "make"], ids=" ".join)
def test_a_target_of_make_that_the_runbook_names_is_there_and_takes_what_it_is_given(words: list[str]) -> None:
    _, target, *given = words
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    assert [one for one in given if f"$({one.partition('=')[0]})" not in recipe[1]] == []


def test_a_deployment_of_the_runbook_is_one_that_the_template_takes() -> None:
    overrides = [one for words in commands() if words[:2] == ["sam", "deploy"] for one in words[3:]]
    assert [one.partition("=")[0] for one in overrides] == ["KeyArn"]
    assert re.fullmatch(STACK.parameters["KeyArn"]["AllowedPattern"], overrides[0].partition("=")[2])


def test_the_runs_by_hand_are_asked_for_as_the_timetables_do() -> None:
    payloads = [json.loads(one[one.index("--payload") + 1]) for one in commands() if "--payload" in one]
    assert len(payloads) == 2
    for payload in payloads:
        asked = parse(payload, "")
        assert getattr(asked, "everything", False) is True
        assert payload["detail-type"] == "Scheduled Event"


def test_the_runbook_says_how_often_a_message_is_tried_and_for_how_long_it_is_kept() -> None:
    tries = {
        name: one["RedrivePolicy"]["maxReceiveCount"]
        for name, one in STACK.of_type("AWS::SQS::Queue").items()
        if "RedrivePolicy" in one
    }
    assert tries == {"DriftQueue": 5, "MemberQueue": 5, "MemberAuditQueue": 5, "SyncQueue": 20, "TagQueue": 15}
    assert "5 times from `DriftQueue`, `MemberQueue` and `MemberAuditQueue`, 20 from `SyncQueue`, 15 from" in RUNBOOK
    assert {STACK.resources[one]["Properties"]["MessageRetentionPeriod"] for one in DEAD} == {14 * 24 * HOUR}
    queues = re.findall(r"^\| `(\w+DeadLetterQueue)` \|", RUNBOOK, re.MULTILINE)
    assert sorted(queues) == DEAD


def test_the_runbook_says_of_every_metric_what_it_counts() -> None:
    told = RUNBOOK.partition("| metric | counts |\n| --- | --- |\n")[2].partition("\n\n")[0]
    assert told.splitlines() == [f"| `{name}` | {what} |" for name, what in observe.METRICS.items()]


def test_the_runbook_names_the_log_groups_that_there_are() -> None:
    groups = {name.replace("guardrails-", "apprunner-guardrails-") for name in GROUPS}
    assert set(re.findall(r"/aws/lambda/apprunner-guardrails-[A-Za-z]+", RUNBOOK)) == groups
