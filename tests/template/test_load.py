"""replay.template.load, on the template itself and on small ones."""

from pathlib import Path

import pytest

from replay.template import BadTemplate, Function, Queue, load

ROOT = Path(__file__).parents[2]
SMALL = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Limit: {Type: Number, Default: 3}
  Every: {Type: String, Default: rate(1 hour)}
Conditions:
  Some: !Equals [!Ref Limit, "3"]
  None: !Not [!Equals ["3", !Ref Limit]]
  Odd: !Or [!Equals [!Ref Limit, "3"], !Equals [!Ref Limit, "5"]]
Globals:
  Function:
    Runtime: python3.13
    Environment: {Variables: {LIMIT: !Ref Limit, NAME: fixed}}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  SomeFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/some
      Handler: app.handler
      Environment: {Variables: {TOPIC: VALUE}}
      Events:
        First: {Type: EventBridgeRule, Properties: {Pattern: {source: [one]}}}
        Second: {Type: EventBridgeRule, Properties: {Pattern: {source: [two]}}}
        Tick: {Type: Schedule, Properties: {Schedule: rate(2 days)}}
        Tock: {Type: Schedule, Properties: {Schedule: !Ref Every}}
        Burst: {Type: SQS, Properties: {Queue: !GetAtt Waiting.Arn, BatchSize: 50, MaximumBatchingWindowInSeconds: 20}}
        Single: {Type: SQS, Properties: {Queue: !GetAtt Plain.Arn}}
  Table: {Type: AWS::DynamoDB::Table}
  Waiting: {Type: AWS::SQS::Queue}
  Plain: {Type: AWS::SQS::Queue}
  Third:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [three]}
      Targets: [{Id: Waiting, Arn: !GetAtt Waiting.Arn}]
  OtherFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/other, Handler: app.handler}
"""


def small(tmp_path: Path, value: str) -> Function:
    path = tmp_path / "template.yaml"
    path.write_text(SMALL.replace("VALUE", value))
    return load(path).functions["SomeFunction"]


def test_a_function_has_its_code_its_handler_its_environment_and_what_invokes_it(tmp_path: Path) -> None:
    assert small(tmp_path, "!Ref Topic") == Function(
        logical_id="SomeFunction",
        code=tmp_path / "functions/some",
        handler="app.handler",
        role="SomeFunctionRole",
        variables={"LIMIT": {"Ref": "Limit"}, "NAME": "fixed", "TOPIC": {"Ref": "Topic"}},
        defaults={"Limit": "3", "Every": "rate(1 hour)"},
        patterns={"SomeFunctionFirst": {"source": ["one"]}, "SomeFunctionSecond": {"source": ["two"]}},
        schedules={"SomeFunctionTick": "rate(2 days)", "SomeFunctionTock": "rate(1 hour)"},
        queues={
            "Waiting": Queue(
                logical_id="Waiting", patterns={"Third": {"source": ["three"]}}, batch_size=50, window_seconds=20
            ),
            "Plain": Queue(logical_id="Plain", patterns={}, batch_size=10, window_seconds=0),
        },
        conditions={
            "Some": {"Fn::Equals": [{"Ref": "Limit"}, "3"]},
            "None": {"Fn::Not": [{"Fn::Equals": ["3", {"Ref": "Limit"}]}]},
            "Odd": {"Fn::Or": [{"Fn::Equals": [{"Ref": "Limit"}, one]} for one in ("3", "5")]},
        },
        names={"Table": "Table"},
    )


def test_what_invokes_one_function_does_not_invoke_another(tmp_path: Path) -> None:
    small(tmp_path, "x")
    other = load(tmp_path / "template.yaml").functions["OtherFunction"]
    assert (other.patterns, other.schedules, other.queues) == ({}, {}, {})


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [
        ("!If [Some, !Ref Topic, '']", "3", "arn"),
        ("!If [Some, !Ref Topic, '']", "5", ""),
        ("!If [None, !Ref Topic, fixed]", "3", "fixed"),
        ("!If [None, !If [Some, a, b], c]", "5", "b"),
    ],
)
def test_a_condition_chooses_a_value_by_the_parameters(tmp_path: Path, value: str, limit: str, expected: str) -> None:
    function = small(tmp_path, value)
    assert function.environment({"Limit": limit}, {"Topic": "arn"})["TOPIC"] == expected


def test_a_table_is_called_by_its_logical_id_unless_something_else_is_said(tmp_path: Path) -> None:
    function = small(tmp_path, "!Ref Table")
    assert function.environment({}, {})["TOPIC"] == "Table"
    assert function.environment({}, {"Table": "stack-Table-1A2B"})["TOPIC"] == "stack-Table-1A2B"


def test_a_condition_that_is_not_understood_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        BadTemplate, match=r"SomeFunction: TOPIC depends on a condition that is not understood: .*Fn::Or"
    ):
        small(tmp_path, "!If [Odd, a, b]").environment({}, {})


def test_the_environment_has_defaults_overridden_parameters_and_resources(tmp_path: Path) -> None:
    function = small(tmp_path, "!Ref Topic")
    assert function.environment({}, {"Topic": "arn"}) == {"LIMIT": "3", "NAME": "fixed", "TOPIC": "arn"}
    assert function.environment({"Limit": "5"}, {"Topic": "arn"}) == {"LIMIT": "5", "NAME": "fixed", "TOPIC": "arn"}


def test_a_parameter_that_the_template_does_not_have_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadTemplate, match="no parameter Limits"):
        small(tmp_path, "!Ref Topic").environment({"Limits": "5"}, {"Topic": "arn"})


@pytest.mark.parametrize("value", ["!Ref Other", "!If [A, b, c]", "!Sub '${Topic}'"])
def test_a_value_that_cannot_be_told_is_refused_by_name(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadTemplate, match=r"SomeFunction: TOPIC should be a text or a !Ref of something known"):
        small(tmp_path, value).environment({}, {"Topic": "arn"})


def test_every_function_of_the_stack_has_its_handler_where_the_template_says() -> None:
    functions = load().functions
    assert {name: one.code.relative_to(ROOT).as_posix() for name, one in functions.items()} == {
        "ValidateNetworkFunction": "functions/validate_network",
        "AuditRegionFunction": "functions/audit_region",
        "SyncTargetsFunction": "functions/sync_targets",
        "TagResourcesFunction": "functions/tag_resources",
    }
    for one in functions.values():
        module, _, name = one.handler.rpartition(".")
        assert f"def {name}(" in (one.code / f"{module}.py").read_text()
