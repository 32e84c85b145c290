"""What template.yaml would deploy: contracts, permissions, failure paths, parameters, event patterns."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.events import CALLS, FINISHED_UPDATES
from apprunner_guardrails.facts import READ_WITH
from apprunner_guardrails.settings import BadSettings, Settings
from replay.template import Pattern, load, matches

ROOT = Path(__file__).parents[2]
STACK = load()
TOPIC = "arn:aws:sns:us-east-1:123456789012:AlertTopic"
RUNTIME_VARIABLES = {
    "AWS_ENDPOINT_URL",
    "POWERTOOLS_LOG_LEVEL",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_SERVICE_NAME",
}


def lambdas() -> dict[str, Mapping[str, Any]]:
    return STACK.of_type("AWS::Lambda::Function")


def role_of(function: str) -> str:
    return str(lambdas()[function]["Role"]["Fn::GetAtt"][0])


def statements(role: str) -> Iterator[Mapping[str, Any]]:
    for policy in STACK.resources[role]["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def actions(statement: Mapping[str, Any]) -> list[str]:
    action = statement["Action"]
    return action if isinstance(action, list) else [action]


# --- contracts ---------------------------------------------------------------------------------------------------


def test_the_names_that_others_rely_on_are_there() -> None:
    types = {name: one["Type"] for name, one in STACK.resources.items()}
    expected = {"ValidateNetworkFunction": "AWS::Lambda::Function", "AlertTopic": "AWS::SNS::Topic"}
    assert expected.items() <= types.items()


def test_sam_local_gives_every_function_the_topic_of_the_emulated_account() -> None:
    given_by_sam = json.loads((ROOT / "replay/sam-local-env.json").read_text())["Parameters"]
    assert given_by_sam == {"ALERT_TOPIC_ARN": TOPIC}
    for one in STACK.functions.values():
        assert given_by_sam.keys() <= one.variables.keys()  # SAM sets only what the template declares


def test_sam_local_is_configured_with_parameters_and_files_that_exist() -> None:
    local = tomllib.loads((ROOT / "samconfig.toml").read_text())["local"]["local_invoke"]["parameters"]
    override, _, value = local["parameter_overrides"].partition("=")
    assert re.fullmatch(STACK.parameters[override]["AllowedPattern"], value)
    assert (ROOT / local["env_vars"]).is_file()


# --- permissions -------------------------------------------------------------------------------------------------


def test_every_function_has_a_role_of_its_own_without_managed_policies() -> None:
    roles = STACK.of_type("AWS::IAM::Role")
    used = [role_of(one) for one in lambdas()]
    assert sorted(used) == sorted(roles)
    assert [name for name, one in roles.items() if "ManagedPolicyArns" in one] == []


def test_what_changes_something_is_allowed_on_resources_of_the_stack_only() -> None:
    reading = re.compile(r"[a-z0-9]+:(Describe|List|Get)[A-Za-z]+")
    for role in STACK.of_type("AWS::IAM::Role"):
        for statement in statements(role):
            assert statement["Effect"] == "Allow"
            assert [one for one in actions(statement) if "*" in one] == []
            if [one for one in actions(statement) if not reading.fullmatch(one)]:
                assert list(statement["Resource"]) in (["Ref"], ["Fn::GetAtt"])


def test_a_function_may_do_what_its_code_asks_for_and_no_more() -> None:
    allowed = {one for each in statements(role_of("ValidateNetworkFunction")) for one in actions(each)}
    asked = actions_asked_for()
    assert set().union(*READ_WITH.values()) <= asked  # what the rules are said to need is what is read for them
    assert allowed == asked | {"logs:CreateLogStream", "logs:PutLogEvents", "sns:Publish", "sqs:SendMessage"}


def actions_asked_for() -> set[str]:
    """The IAM action of every `reads.ask("service", "Call", …)` in the code."""
    asked = set()
    for path in (ROOT / "layers/guardrails/apprunner_guardrails/aws").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="ask"),
                    args=[ast.Constant(value=str(service)), ast.Constant(value=str(call)), *_],
                ):
                    asked.add(f"{service}:{call}")
    return asked


def test_alerts_may_be_published_to_the_alert_topic_only() -> None:
    for role in STACK.of_type("AWS::IAM::Role"):
        topics = [one["Resource"] for one in statements(role) if "sns:Publish" in actions(one)]
        assert topics == [{"Ref": "AlertTopic"}]


def test_alerts_and_failures_are_encrypted_at_rest() -> None:
    assert {name: one.get("KmsMasterKeyId") for name, one in STACK.of_type("AWS::SNS::Topic").items()} == {
        "AlertTopic": "alias/aws/sns"
    }
    for queue in STACK.of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True


# --- failure paths and logs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", STACK.functions)
def test_what_a_function_fails_at_ends_in_its_queue(function: str) -> None:
    (config,) = (
        one
        for one in STACK.of_type("AWS::Lambda::EventInvokeConfig").values()
        if one["FunctionName"]["Ref"] == function
    )
    queue = config["DestinationConfig"]["OnFailure"]["Destination"]
    assert STACK.resources[queue["Fn::GetAtt"][0]]["Type"] == "AWS::SQS::Queue"
    assert [one["Resource"] for one in statements(role_of(function)) if "sqs:SendMessage" in actions(one)] == [queue]


def test_what_a_rule_cannot_deliver_ends_in_a_queue_that_takes_it_from_that_rule_alone() -> None:
    senders = {
        json.dumps(statement["Resource"]): statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        for policy in STACK.of_type("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
    }
    for name, rule in STACK.of_type("AWS::Events::Rule").items():
        (target,) = rule["Targets"]
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
        assert senders[json.dumps(target["DeadLetterConfig"]["Arn"])] == {"Fn::GetAtt": [name, "Arn"]}


@pytest.mark.parametrize("function", STACK.functions)
def test_a_function_logs_to_a_group_of_its_own_that_forgets(function: str) -> None:
    logging = lambdas()[function]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    group = logging["LogGroup"]["Ref"]
    assert STACK.of_type("AWS::Logs::LogGroup")[group]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    writing = [one["Resource"] for one in statements(role_of(function)) if "logs:PutLogEvents" in actions(one)]
    assert writing == [{"Fn::GetAtt": [group, "Arn"]}]


# --- parameters and settings -------------------------------------------------------------------------------------


def test_every_parameter_is_explained_grouped_and_bounded() -> None:
    interface = STACK.metadata["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(STACK.parameters)
    assert sorted(interface["ParameterLabels"]) == sorted(STACK.parameters)
    for name, one in STACK.parameters.items():
        assert one["Description"]
        assert name in one["ConstraintDescription"]  # CloudFormation shows it in place of the pattern
        assert one.keys() & {"AllowedPattern", "AllowedValues"} or {"MinValue", "MaxValue"} <= one.keys()
        assert "Default" in one


def admits(parameter: str, value: str) -> bool:
    """Whether CloudFormation would take the value."""
    rule = STACK.parameters[parameter]
    if "AllowedValues" in rule:
        return value in map(str, rule["AllowedValues"])
    if "AllowedPattern" in rule:
        return re.fullmatch(rule["AllowedPattern"], value) is not None
    return re.fullmatch(r"-?[0-9]+", value) is not None and rule["MinValue"] <= int(value) <= rule["MaxValue"]


JUNK = {
    "AlertEmail": ["nobody", "a@b", "a@b.c d@e.f", "@b.c", "a b@c.d", " "],
    "MinConnectorZones": ["0", "7", "three", ""],
    "UnsupportedZoneIds": ["us-east-1a", "use1-az3,", "use1-az3;use1-az4", "use1-az", " ", "none"],
    "MinFreeAddresses": ["-1", "65537", "eight", ""],
    "RequireInternetEgress": ["yes", "True", "1", ""],
    "RequiredEndpointServices": ["S3", "s3,", "s3 sts", "-s3", "com.amazonaws.eu-west-1.s3;sts"],
    "Architecture": ["arm", "x86", ""],
    "LogLevel": ["info", "WARN", "ERROR", ""],
    "LogRetentionDays": ["0", "2", "forever"],
    "AwsEndpointUrl": ["localhost:5000", "ftp://host", "http://", "http://host:port", "http://host/path", "http://a b"],
}


@pytest.mark.parametrize("parameter", STACK.parameters)
def test_a_parameter_admits_its_default_and_refuses_junk(parameter: str) -> None:
    assert admits(parameter, str(STACK.parameters[parameter]["Default"]))
    assert [one for one in JUNK[parameter] if admits(parameter, one)] == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("AlertEmail", "ops+alerts@example.co.uk"),
        ("UnsupportedZoneIds", "use1-az3, apne1-az3 ,usw2-lax1-az1"),
        ("RequiredEndpointServices", "secretsmanager,com.amazonaws.eu-west-1.ecr.api, s3"),
        ("AwsEndpointUrl", "http://host.docker.internal:5000"),
    ],
)
def test_a_parameter_admits_what_people_have(parameter: str, value: str) -> None:
    assert admits(parameter, value)


class Asked(dict[str, str]):
    """An environment that remembers which variables were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize("function", STACK.functions)
def test_a_function_is_given_the_variables_that_settings_read(function: str) -> None:
    environment = Asked(STACK.functions[function].environment({}, {"AlertTopic": TOPIC}))
    Settings.from_env(environment)
    assert environment.names == environment.keys() - RUNTIME_VARIABLES


def test_the_defaults_of_template_and_settings_agree() -> None:
    environment = STACK.functions["ValidateNetworkFunction"].environment({}, {"AlertTopic": TOPIC})
    assert asdict(Settings.from_env(environment)) == asdict(Settings(alert_topic_arn=TOPIC))


@pytest.mark.parametrize("parameter", ["UnsupportedZoneIds", "RequiredEndpointServices"])
@given(data=st.data())
def test_settings_can_use_every_text_that_the_template_admits(parameter: str, data: st.DataObject) -> None:
    value = data.draw(
        st.from_regex(re.compile(STACK.parameters[parameter]["AllowedPattern"], re.ASCII), fullmatch=True)
    )
    function = STACK.functions["ValidateNetworkFunction"]
    Settings.from_env(function.environment({parameter: value}, {"AlertTopic": TOPIC}))


@pytest.mark.parametrize("parameter", ["MinConnectorZones", "MinFreeAddresses", "RequireInternetEgress"])
def test_settings_and_template_draw_the_same_line(parameter: str) -> None:
    rule = STACK.parameters[parameter]
    edges = rule.get("AllowedValues") or [rule["MinValue"], rule["MaxValue"]]
    function = STACK.functions["ValidateNetworkFunction"]
    for edge in edges:
        Settings.from_env(function.environment({parameter: str(edge)}, {"AlertTopic": TOPIC}))
    beyond = [rule["MinValue"] - 1, rule["MaxValue"] + 1] if "MinValue" in rule else ["perhaps"]
    for one in beyond:
        with pytest.raises(BadSettings):
            Settings.from_env(function.environment({parameter: str(one)}, {"AlertTopic": TOPIC}))


# --- event patterns ----------------------------------------------------------------------------------------------

PATTERNS = {rule: pattern for one in STACK.functions.values() for rule, pattern in one.patterns.items()}
CHANGE = "ValidateNetworkFunctionNetworkChange"


def call(name: str, **detail: object) -> dict[str, object]:
    return {
        "source": "aws.apprunner",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {"eventSource": "apprunner.amazonaws.com", "eventName": name, **detail},
    }


def operation(status: str) -> dict[str, object]:
    return {
        "source": "aws.apprunner",
        "detail-type": "AppRunner Service Operation Status Change",
        "detail": {"operationStatus": status, "serviceName": "web"},
    }


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_is_shorter_than_eventbridge_admits(pattern: Pattern) -> None:
    assert len(json.dumps(pattern, separators=(",", ":"))) <= 2048


def test_one_rule_watches_what_the_handler_knows() -> None:
    assert list(STACK.functions["ValidateNetworkFunction"].patterns) == [CHANGE]
    assert PATTERNS[CHANGE] == {
        "source": ["aws.apprunner"],
        "detail-type": ["AWS API Call via CloudTrail", "AppRunner Service Operation Status Change"],
        "detail": {
            "$or": [
                {"eventSource": ["apprunner.amazonaws.com"], "eventName": [name for _, name in CALLS]},
                {"operationStatus": list(FINISHED_UPDATES)},
            ]
        },
    }


@pytest.mark.parametrize(
    "event",
    [
        call("CreateVpcConnector"),
        call("CreateService", readOnly=False),
        call("UpdateService"),
        call("ResumeService"),
        call("UpdateService", errorCode="InvalidRequestException"),
        operation("UpdateServiceCompletedSuccessfully"),
        operation("UpdateServiceFailed"),
    ],
    ids=str,
)
def test_a_change_of_the_network_reaches_the_function(event: dict[str, object]) -> None:
    assert matches(PATTERNS[CHANGE], event)


@pytest.mark.parametrize(
    "event",
    [
        call("DeleteVpcConnector"),
        call("DescribeVpcConnector"),
        call("TagResource"),
        {**call("CreateVpcConnector"), "source": "aws.ec2"},
        {**call("CreateVpcConnector"), "detail-type": "AWS Service Event via CloudTrail"},
        call("CreateService", eventSource="ecs.amazonaws.com"),
        operation("UpdateServiceStarted"),
        operation("CreateServiceCompletedSuccessfully"),
        {**operation("UpdateServiceFailed"), "detail-type": "AppRunner Service Status Change"},
        {"source": "aws.apprunner", "detail-type": "AWS API Call via CloudTrail"},
        {},
    ],
    ids=str,
)
def test_other_events_do_not_reach_the_function(event: dict[str, object]) -> None:
    assert not matches(PATTERNS[CHANGE], event)
