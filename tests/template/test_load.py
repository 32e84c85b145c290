"""replay.template.load, on the template itself and on small ones."""

from pathlib import Path

import pytest

from replay.template import BadTemplate, Function, load

ROOT = Path(__file__).parents[2]
SMALL = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Limit: {Type: Number, Default: 3}
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
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
"""


def small(tmp_path: Path, value: str) -> Function:
    path = tmp_path / "template.yaml"
    path.write_text(SMALL.replace("VALUE", value))
    return load(path).functions["SomeFunction"]


def test_a_function_has_its_code_its_handler_its_environment_and_its_patterns(tmp_path: Path) -> None:
    assert small(tmp_path, "!Ref Topic") == Function(
        logical_id="SomeFunction",
        code=tmp_path / "functions/some",
        handler="app.handler",
        variables={"LIMIT": {"Ref": "Limit"}, "NAME": "fixed", "TOPIC": {"Ref": "Topic"}},
        defaults={"Limit": "3"},
        patterns={"SomeFunctionFirst": {"source": ["one"]}, "SomeFunctionSecond": {"source": ["two"]}},
    )


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
        "ValidateNetworkFunction": "functions/validate_network"
    }
    for one in functions.values():
        module, _, name = one.handler.rpartition(".")
        assert f"def {name}(" in (one.code / f"{module}.py").read_text()
