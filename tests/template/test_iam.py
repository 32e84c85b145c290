"""tests/template/iam.py itself: IAM's documented behaviour, and that what it does not know is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from replay.template import load
from tests.template.iam import ACCOUNT, Context, Deployed, Request, Statement, Unsupported, permits

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
ORDERS = f"arn:aws:sns:us-east-1:{ACCOUNT}:orders"
OTHER = "210987654321"


def allow(action: str = "sqs:SendMessage", resource: str = QUEUE, **others: object) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **others}


def asked(action: str = "sqs:SendMessage", resource: str = QUEUE, context: Context | None = None) -> Request:
    return Request(action=action, resource=resource, context=context or {})


def holds(operator: str, key: str, wanted: object, context: Context) -> bool:
    return permits([allow(Condition={operator: {key: wanted}})], asked(context=context))


# --- effects, actions, resources ---------------------------------------------------------------------------------


def test_nothing_is_allowed_that_no_statement_allows() -> None:
    assert permits([], asked()) is False
    assert permits([allow()], asked()) is True
    assert permits([allow(action="sqs:ReceiveMessage")], asked()) is False
    assert permits([allow(resource=f"{QUEUE}2")], asked()) is False


def test_a_denial_wins_over_whatever_allows() -> None:
    denied = {**allow(), "Effect": "Deny"}
    assert permits([allow(), denied], asked()) is False
    assert permits([denied, allow()], asked()) is False
    assert permits([allow(), {**denied, "Action": "sqs:DeleteMessage"}], asked()) is True


@pytest.mark.parametrize(
    ("pattern", "action", "fits"),
    [
        ("sqs:SendMessage", "SQS:sendmessage", True),
        ("SQS:sendmessage", "sqs:SendMessage", True),
        ("sqs:Send*", "sqs:SendMessageBatch", True),
        ("sqs:SendMessage?", "sqs:SendMessage", False),
        ("sqs:*", "sns:Publish", False),
        ("*", "sns:Publish", True),
        ("sqs:Send.essage", "sqs:SendMessage", False),
        ("sqs:Send[M]essage", "sqs:SendMessage", False),
    ],
)
def test_an_actions_name_has_no_case_but_wildcards(pattern: str, action: str, fits: bool) -> None:
    assert permits([allow(action=pattern)], asked(action=action)) is fits


@pytest.mark.parametrize(
    ("pattern", "arn", "fits"),
    [
        ("*", QUEUE, True),
        (QUEUE, QUEUE.replace("orders", "Orders"), False),
        (f"arn:aws:sqs:us-east-1:{ACCOUNT}:*", QUEUE, True),
        (f"arn:aws:sqs:*:{ACCOUNT}:orders", QUEUE, True),
        (f"arn:aws:sqs:us-*:{ACCOUNT}:orders", QUEUE, True),
        (f"arn:aws:sqs:us-east-?:{ACCOUNT}:orders", QUEUE, True),
        (f"arn:aws:sqs:us-east-1?:{ACCOUNT}:orders", QUEUE, False),
        # An asterisk at the end of a segment may go beyond it, one within a segment stays there.
        ("arn:aws:logs:us-east-1:1:log-group:a:*", "arn:aws:logs:us-east-1:1:log-group:a:log-stream:x:y", True),
        ("arn:aws:logs:us-east-1:1:log-group:a:*", "arn:aws:logs:us-east-1:1:log-group:ab:log-stream:x", False),
        ("arn:aws:logs:us-east-1:1:log-group:a:*", "arn:aws:logs:us-east-1:1:log-group:a", False),
        ("arn:aws:sqs:*:orders:x", "arn:aws:sqs:us-east-1:1:orders:x", True),
        ("arn:aws:sqs:us-*-1:1:orders", "arn:aws:sqs:us-east:9:x-1:1:orders", False),
        ("arn:aws:sqs:us-east-1:1:?rders", "arn:aws:sqs:us-east-1:1:orders", True),
        ("arn:aws:sqs:us-east-1:1?orders", "arn:aws:sqs:us-east-1:1:orders", None),
        # It does not stop at a slash.
        ("arn:aws:x:us-east-1:1:targetgroup/*/*", "arn:aws:x:us-east-1:1:targetgroup/a/b/c", True),
        ("arn:aws:x:us-east-1:1:targetgroup/*/*", "arn:aws:x:us-east-1:1:targetgroup/a", False),
        ("arn:aws:x:us-east-1:1:loadbalancer/net/*/*", "arn:aws:x:us-east-1:1:loadbalancer/app/a/b", False),
    ],
)
def test_a_resource_has_case_and_wildcards_within_its_segments(pattern: str, arn: str, fits: bool | None) -> None:
    if fits is None:
        with pytest.raises(Unsupported, match="which is no whole ARN"):
            permits([allow(resource=pattern)], asked(resource=arn))
    else:
        assert permits([allow(resource=pattern)], asked(resource=arn)) is fits


def test_one_of_several_actions_and_resources_is_enough() -> None:
    statement = {**allow(), "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"], "Resource": [f"{QUEUE}2", QUEUE]}
    assert permits([statement], asked()) is True
    assert permits([statement], asked(resource=f"{QUEUE}3")) is False


# --- conditions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "fits"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "*", "a", False),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["b", "a"], "a", False),
        ("StringLike", "a*", "abc", True),
        ("StringLike", "a?", "abc", False),
        ("StringLike", "A*", "abc", False),
        ("StringNotLike", "a*", "abc", False),
        ("StringNotLike", ["x*", "a*"], "abc", False),
        ("StringNotLike", ["x*", "y*"], "abc", True),
        ("Bool", "true", "True", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("ArnEquals", ORDERS, ORDERS, True),
        ("ArnEquals", ORDERS.replace(ACCOUNT, "*"), ORDERS, True),
        ("ArnLike", "arn:aws:sns:*:*:orders", ORDERS, True),
        ("ArnLike", "arn:aws:sns:*:orders", ORDERS, False),  # part by part
        ("ArnLike", "arn:aws:sqs:*:*:*", ORDERS, False),
        ("ArnLike", "arn:aws:events:*:*:rule/*", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/a/b:c", True),
        ("ArnLike", "*", "orders", True),
        ("ArnLike", ORDERS, "orders", False),
    ],
)
def test_an_operator_compares_one_value(operator: str, wanted: object, value: str, fits: bool) -> None:
    assert holds(operator, "aws:key", wanted, {"aws:key": value}) is fits


@pytest.mark.parametrize(
    ("operator", "fits"),
    [
        *((one, False) for one in ("StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool")),
        *((one, True) for one in ("StringNotEquals", "StringNotLike")),
        *((f"ForAllValues:{one}", True) for one in ("StringEquals", "StringLike", "StringNotLike", "ArnLike")),
        *((f"ForAnyValue:{one}", False) for one in ("StringEquals", "StringLike", "StringNotLike", "ArnLike")),
    ],
)
def test_what_a_key_that_is_missing_means_is_the_operators_to_say(operator: str, fits: bool) -> None:
    assert holds(operator, "aws:key", "a", {"aws:other": "a"}) is fits


TEAM, OWN = ("team", "owner"), ("team", "ours:x")


@pytest.mark.parametrize(
    ("operator", "wanted", "values", "fits"),
    [
        ("ForAllValues:StringEquals", ["team", "owner", "x"], TEAM, True),
        ("ForAllValues:StringEquals", ["team"], TEAM, False),
        ("ForAllValues:StringEquals", ["team"], (), True),
        ("ForAllValues:StringEquals", ["team"], "", True),
        ("ForAllValues:StringLike", ["t*", "o*"], TEAM, True),
        ("ForAllValues:StringNotLike", "ours:*", TEAM, True),
        ("ForAllValues:StringNotLike", "ours:*", OWN, False),
        ("ForAllValues:StringNotLike", ["x", "ours:*"], OWN, False),
        ("ForAnyValue:StringEquals", ["team"], TEAM, True),
        ("ForAnyValue:StringEquals", ["x"], TEAM, False),
        ("ForAnyValue:StringEquals", ["x"], (), False),
        ("ForAnyValue:StringNotLike", "ours:*", OWN, True),
        ("ForAnyValue:StringNotLike", ["ours:*", "team"], OWN, False),
    ],
)
def test_a_key_of_several_values_is_asked_for_all_or_for_any(
    operator: str, wanted: object, values: str | tuple[str, ...], fits: bool
) -> None:
    assert holds(operator, "aws:TagKeys", wanted, {"aws:TagKeys": values}) is fits


@pytest.mark.parametrize(
    ("wanted", "context", "fits"),
    [
        ("true", {}, True),
        ("true", {"aws:key": "a"}, False),
        ("false", {}, False),
        ("false", {"aws:key": "a"}, True),
        ("false", {"aws:key": ("a", "b")}, True),
        ("false", {"aws:key": ()}, False),
        (False, {"aws:key": "a"}, True),
    ],
)
def test_null_asks_whether_a_key_is_there(wanted: object, context: Context, fits: bool) -> None:
    assert holds("Null", "aws:key", wanted, context) is fits


def test_the_name_of_a_key_has_no_case_and_that_of_a_tag_in_it_has_none_either() -> None:
    assert holds("StringEquals", "AWS:sourceaccount", ACCOUNT, {"aws:SourceAccount": ACCOUNT}) is True
    assert holds("Null", "aws:ResourceTag/team", "false", {"aws:ResourceTag/TEAM": "a"}) is True


def test_all_operators_and_all_keys_of_a_statement_have_to_hold() -> None:
    both = allow(Condition={"StringEquals": {"aws:a": "1", "aws:b": "2"}, "Null": {"aws:c": "true"}})
    contexts: list[tuple[Context, bool]] = [
        ({"aws:a": "1", "aws:b": "2"}, True),
        ({"aws:a": "1", "aws:b": "1"}, False),
        ({"aws:a": "1"}, False),
        ({"aws:a": "1", "aws:b": "2", "aws:c": "3"}, False),
    ]
    assert [permits([both], asked(context=one)) for one, _ in contexts] == [fits for _, fits in contexts]


# --- principals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principal", "asking", "fits"),
    [
        ({"Service": "lambda.amazonaws.com"}, ("Service", "lambda.amazonaws.com"), True),
        ({"Service": ["a.amazonaws.com", "lambda.amazonaws.com"]}, ("Service", "lambda.amazonaws.com"), True),
        ({"Service": "lambda.amazonaws.com"}, ("Service", "ec2.amazonaws.com"), False),
        ({"Service": "lambda.amazonaws.com"}, ("AWS", f"arn:aws:iam::{ACCOUNT}:role/x"), False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, ("AWS", f"arn:aws:iam::{ACCOUNT}:role/x"), True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, ("AWS", f"arn:aws:iam::{ACCOUNT}:role/y"), False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ("AWS", f"arn:aws:iam::{ACCOUNT}:role/y"), True),
        ({"AWS": ACCOUNT}, ("AWS", f"arn:aws:iam::{ACCOUNT}:role/y"), True),
        ({"AWS": ACCOUNT}, ("AWS", f"arn:aws:iam::{OTHER}:role/y"), False),
        ({"AWS": "*"}, ("AWS", f"arn:aws:iam::{OTHER}:role/y"), True),
        ("*", ("Service", "ec2.amazonaws.com"), True),
    ],
)
def test_a_policy_of_a_resource_names_who_may(principal: object, asking: tuple[str, str], fits: bool) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    assert permits([statement], Request(action="sts:AssumeRole", resource="", principal=asking)) is fits


# --- what it does not know -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (allow(NotAction="x"), "NotAction"),
        (allow(NotResource="x"), "NotResource"),
        ({**allow(), "Effect": "Permit"}, "Permit"),
        (allow(resource="arn:aws:sqs"), "no whole ARN"),
        (allow(resource=f"{QUEUE}-${{aws:username}}"), "policy variable"),
        (allow(Principal="*"), "no principal"),
        ({"Effect": "Allow", "Action": "sqs:SendMessage"}, "no principal"),
        *(
            (allow(Condition={operator: {"aws:key": "1"}}), "operator")
            for operator in ("NumericEquals", "StringEqualsIfExists", "ForSomeValues:StringEquals", "IpAddress", "null")
        ),
        (allow(Condition={"Null": {"aws:key": "yes"}}), "Null"),
        (allow(Condition={"StringEquals": {"aws:key": 1}}), "value 1"),
        (allow(Condition={"StringEquals": {"aws:key": "${aws:username}"}}), "policy variable"),
        (allow(Condition={"StringEquals": {"aws:TagKeys": "team"}}), "several values"),
    ],
    ids=str,
)
def test_what_is_not_known_is_told_even_where_something_else_does_not_fit(statement: Statement, named: str) -> None:
    for action in ("sqs:SendMessage", "sns:Publish"):
        with pytest.raises(Unsupported, match=named):
            permits([statement], asked(action=action, context={"aws:key": "1", "aws:TagKeys": ("team",)}))


@pytest.mark.parametrize(
    "principal", [{"Federated": "x"}, "arn:aws:iam::123456789012:root", {"AWS": "1", "Other": "x"}]
)
def test_a_kind_of_principal_that_is_not_known_is_told(principal: object) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    with pytest.raises(Unsupported, match="principal"):
        permits([statement], Request(action="sts:AssumeRole", resource="", principal=("Service", "x")))


# --- templates -----------------------------------------------------------------------------------------------------

TEMPLATE = """
Parameters:
  Chat: {Type: String, Default: "false"}
  Key: {Type: String, Default: ""}
Conditions:
  HasChat: !Equals [!Ref Chat, "true"]
  HasKey: !Not [!Equals [!Ref Key, ""]]
  HasBoth: !And [!Condition HasChat, !Condition HasKey]
  HasEither: !Or [!Condition HasChat, !Condition HasKey]
Resources:
  Orders: {Type: AWS::SQS::Queue}
  Named: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${AWS::StackName}-named"}}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: members}}
  Rule: {Type: AWS::Events::Rule, Properties: {EventBusName: !Ref Bus, EventPattern: {source: [x]}, Targets: []}}
  Both: {Type: AWS::SQS::Queue, Condition: HasBoth}
  Either: {Type: AWS::SQS::Queue, Condition: HasEither}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: Send
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: sqs:SendMessage
                Resource: [!GetAtt Orders.Arn, !If [HasKey, !GetAtt Named.Arn, !Ref AWS::NoValue]]
              - !If
                - HasChat
                - Effect: Allow
                  Action: x:Y
                  Resource: !Sub arn:${AWS::Partition}:x:${AWS::Region}:${Named.Arn}:${Chat}
                - !Ref AWS::NoValue
        - !If
          - HasBoth
          - PolicyName: More
            PolicyDocument: {Statement: [{Effect: Allow, Action: "x:Z", Resource: !GetAtt Rule.Arn}]}
          - !Ref AWS::NoValue
"""


def deployed(tmp_path: Path, text: str = TEMPLATE, **parameters: str) -> Deployed:
    (tmp_path / "template.yaml").write_text(text)
    return Deployed(stack=load(tmp_path / "template.yaml"), parameters=parameters)


def granted(stack: Deployed) -> Mapping[str, object]:
    return {one["Action"]: one["Resource"] for one in stack.statements("Role")}


def test_a_template_is_filled_in_as_its_parameters_say(tmp_path: Path) -> None:
    named = f"arn:aws:sqs:us-east-1:{ACCOUNT}:guardrails-named"
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:Orders"
    chat = {"x:Y": f"arn:aws:x:us-east-1:{named}:true"}
    rule = {"x:Z": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/members/Rule"}
    assert granted(deployed(tmp_path)) == {"sqs:SendMessage": [queue]}
    assert granted(deployed(tmp_path, Chat="true")) == {"sqs:SendMessage": [queue], **chat}
    assert granted(deployed(tmp_path, Key="k")) == {"sqs:SendMessage": [queue, named]}
    assert granted(deployed(tmp_path, Chat="true", Key="k")) == {"sqs:SendMessage": [queue, named], **chat, **rule}


def test_a_resource_exists_where_its_condition_holds(tmp_path: Path) -> None:
    def existing(**parameters: str) -> list[bool]:
        return [deployed(tmp_path, **parameters).exists(one) for one in ("Orders", "Either", "Both")]

    assert existing() == [True, False, False]
    assert existing(Chat="true") == [True, True, False]
    assert existing(Chat="true", Key="k") == [True, True, True]


def test_who_may_use_a_role_is_read_too(tmp_path: Path) -> None:
    assert deployed(tmp_path).trust("Role") == [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]


@pytest.mark.parametrize(
    ("replaced", "by", "named"),
    [
        ("!GetAtt Orders.Arn", "!GetAtt Orders.QueueName", "Fn::GetAtt"),
        ("!GetAtt Orders.Arn", "!Ref Orders", "Ref of Orders, AWS::SQS::Queue"),
        ("!GetAtt Orders.Arn", "!Select [0, [a]]", "Fn::Select"),
        ("AWS::SQS::Queue}", "AWS::S3::Bucket}", "the ARN of Orders, AWS::S3::Bucket"),
        ('!Equals [!Ref Key, ""]', "!Contains [a, !Ref Key]", "Fn::Contains"),
        ("      Policies:", "      ManagedPolicyArns: [x]\n      Policies:", "ManagedPolicyArns"),
    ],
)
def test_what_a_template_says_in_a_way_that_is_not_known_is_told(
    replaced: str, by: str, named: str, tmp_path: Path
) -> None:
    assert replaced in TEMPLATE
    with pytest.raises(Unsupported, match=named):
        deployed(tmp_path, TEMPLATE.replace(replaced, by, 1), Key="k").statements("Role")
