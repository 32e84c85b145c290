"""tools/house_rules: each rule finds what it is for, in a template that is sound but for that, and cfn-lint has it."""

import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.decode.cfn_yaml import loads
from cfnlint.template.template import Template

from tools.house_rules.rules import RULES

ROOT = Path(__file__).parents[2]

SOUND = """
Parameters:
  KeyArn:
    Type: String
    Default: ""
    Description: A key, or none.
    AllowedPattern: ^(arn:aws:kms:.+)?$
    ConstraintDescription: "KeyArn must be the ARN of a key, or empty."
  Days:
    Type: Number
    MinValue: 1
    MaxValue: 9
    Description: Days.
    ConstraintDescription: "Days must be from 1 to 9."
  Vpc:
    Type: AWS::EC2::VPC::Id
    Description: The VPC.
Conditions:
  HasKey: !Not [!Equals [!Ref KeyArn, ""]]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      KmsMasterKeyId: !If [HasKey, !Ref KeyArn, alias/aws/sns]
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Delete
    UpdateReplacePolicy: Retain
    Properties:
      SSESpecification: !If [HasKey, {SSEEnabled: true, SSEType: KMS}, {SSEEnabled: true}]
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      MessageRetentionPeriod: 345600
      SqsManagedSseEnabled: !If [HasKey, !Ref AWS::NoValue, true]
      KmsMasterKeyId: !If [HasKey, !Ref KeyArn, !Ref AWS::NoValue]
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
  Dead:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties: {MessageRetentionPeriod: 1209600, SqsManagedSseEnabled: true}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Dead]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Dead.Arn
            Condition: {ArnEquals: {aws:SourceArn: !GetAtt Rule.Arn}}
  Logs:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties: {RetentionInDays: !Ref Days}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: Work
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [ec2:DescribeVpcs, xray:PutTraceSegments], Resource: "*"}
              - Effect: Allow
                Action: sns:Publish
                Resource: [!Ref Topic, !If [HasKey, !Ref KeyArn, !Ref AWS::NoValue]]
              - !If [HasKey, {Effect: Allow, Action: kms:Decrypt, Resource: !Ref KeyArn}, !Ref AWS::NoValue]
              - Effect: Allow
                Action: logs:PutLogEvents
                Resource: !Sub arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:orders:*
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Description: Works
      Role: !GetAtt Role.Arn
      Timeout: 3
      MemorySize: 128
      LoggingConfig: {LogGroup: !Ref Logs, LogFormat: JSON}
      TracingConfig: {Mode: Active}
  Invoke:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref Function
      MaximumRetryAttempts: 2
      MaximumEventAgeInSeconds: 3600
      DestinationConfig: {OnFailure: {Destination: !GetAtt Dead.Arn}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Function
      EventSourceArn: !GetAtt Queue.Arn
      FunctionResponseTypes: [ReportBatchItemFailures]
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Targets:
        - Id: Function
          Arn: !GetAtt Function.Arn
          RetryPolicy: {MaximumRetryAttempts: 5, MaximumEventAgeInSeconds: 60}
          DeadLetterConfig: {Arn: !GetAtt Dead.Arn}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: Something failed.
      AlarmActions: [!Ref Topic]
      OKActions: [!Ref Topic]
      TreatMissingData: notBreaching
Outputs:
  TopicArn:
    Description: The topic
    Value: !Ref Topic
"""


def found(text: str) -> list[tuple[str, str]]:
    template = Template(None, loads(text), regions=["us-east-1"])  # type: ignore[no-untyped-call]  # not annotated
    return [(rule.id, match.message) for rule in (one() for one in RULES) for match in rule.match(template)]


def test_a_sound_template_has_no_findings() -> None:
    assert found(SOUND) == []


NO_KEY = "is not encrypted, or not whatever the conditions"
BROKEN = [
    (
        "      KmsMasterKeyId: !If [HasKey, !Ref KeyArn, alias/aws/sns]",
        "      TopicName: a",
        "E9001",
        f"Topic {NO_KEY}",
    ),
    ("!Ref KeyArn, alias/aws/sns]", "!Ref KeyArn, !Ref AWS::NoValue]", "E9001", f"Topic {NO_KEY}"),
    ("[HasKey, !Ref AWS::NoValue, true]", "[HasKey, true, !Ref AWS::NoValue]", "E9001", f"Queue {NO_KEY}"),
    ("SqsManagedSseEnabled: true}", "SqsManagedSseEnabled: false}", "E9001", f"Dead {NO_KEY}"),
    ("{SSEEnabled: true}]", "{SSEEnabled: false}]", "E9001", f"Table {NO_KEY}"),
    ("      MessageRetentionPeriod: 345600\n", "", "E9002", "Queue has no MessageRetentionPeriod"),
    ("{RetentionInDays: !Ref Days}", "{LogGroupName: orders}", "E9002", "Logs has no RetentionInDays"),
    ("    UpdateReplacePolicy: Retain\n", "", "E9003", "Table has no UpdateReplacePolicy"),
    (
        "AWS::Logs::LogGroup\n    DeletionPolicy: Delete\n",
        "AWS::Logs::LogGroup\n",
        "E9003",
        "Logs has no DeletionPolicy",
    ),
    (
        "{MaximumRetryAttempts: 5, MaximumEventAgeInSeconds: 60}",
        "{MaximumRetryAttempts: 5}",
        "E9004",
        "Rule: a target has no retry policy of both attempts and age",
    ),
    (
        "          DeadLetterConfig: {Arn: !GetAtt Dead.Arn}\n",
        "",
        "E9004",
        "Rule: a target has no dead-letter queue",
    ),
    (
        "      FunctionResponseTypes: [ReportBatchItemFailures]\n",
        "",
        "E9005",
        "Mapping has no ReportBatchItemFailures",
    ),
    (
        "      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}\n",
        "",
        "E9005",
        "Queue invokes a function and has no RedrivePolicy",
    ),
    *(
        (line, "", "E9006", "Function has no destination on failure, or no bounds for attempts and age")
        for line in (
            "      MaximumRetryAttempts: 2\n",
            "      MaximumEventAgeInSeconds: 3600\n",
            "      DestinationConfig: {OnFailure: {Destination: !GetAtt Dead.Arn}}\n",
        )
    ),
    ("      Role: !GetAtt Role.Arn\n", "", "E9007", "Function has no role of this template"),
    ("Role: !GetAtt Role.Arn\n", "Role: !Ref KeyArn\n", "E9007", "Function has no role of this template"),
    ("LogGroup: !Ref Logs, ", "", "E9007", "Function has no log group of this template"),
    ("LogFormat: JSON", "LogFormat: Text", "E9007", "Function does not log JSON"),
    ("Mode: Active", "Mode: PassThrough", "E9007", "Function is not traced"),
    ("      Timeout: 3\n", "", "E9007", "Function has no Timeout"),
    ("      MemorySize: 128\n", "", "E9007", "Function has no MemorySize"),
    ("      Description: Works\n", "", "E9007", "Function has no Description"),
    ("Action: sns:Publish", "Action: sns:*", "E9008", "action sns:* is not spelled out"),
    ("Action: sns:Publish", 'Action: "*"', "E9008", "action * is not spelled out"),
    ("ec2:DescribeVpcs, xray", "ec2:Describe*, xray", "E9008", "action ec2:Describe* is not spelled out"),
    (
        "Action: kms:Decrypt,",
        "NotAction: kms:Decrypt,",
        "E9008",
        "NotAction permits what nobody thought of",
    ),
    (
        "Resource: [!Ref Topic,",
        "NotResource: [!Ref Topic,",
        "E9008",
        "NotResource permits what nobody thought of",
    ),
    (
        "      Policies:\n",
        "      ManagedPolicyArns: [!Sub 'arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess']\n      Policies:\n",
        "E9008",
        "Role has a managed policy that is not of a service role: "
        + str({"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"}),
    ),
    (
        "ec2:DescribeVpcs, xray:PutTraceSegments",
        "ec2:CreateVpc, sns:Publish, xray:PutTraceSegments",
        "E9009",
        "ec2:CreateVpc, sns:Publish: the resource is whatever there is",
    ),
    (
        "[!Ref Topic, !If [HasKey, !Ref KeyArn,",
        '[!Ref Topic, !If [HasKey, "*",',
        "E9009",
        "sns:Publish: the resource is whatever there is",
    ),
    (
        "Resource: [!Ref Topic,",
        "Resource: [!Sub 'arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*',",
        "E9009",
        "sns:Publish: the resource is whatever there is",
    ),
    (
        "            Condition: {ArnEquals: {aws:SourceArn: !GetAtt Rule.Arn}}\n",
        "",
        "E9010",
        "events.amazonaws.com is let in wherever it comes from",
    ),
    ("Principal: {Service: lambda.amazonaws.com}", 'Principal: "*"', "E9010", "* is let in wherever it comes from"),
    (
        "Principal: {Service: lambda.amazonaws.com}",
        'Principal: {AWS: ["*"]}',
        "E9010",
        "* is let in wherever it comes from",
    ),
    ("      AlarmActions: [!Ref Topic]\n", "", "E9011", "Alarm has no AlarmActions"),
    ("      AlarmActions: [!Ref Topic]\n", "      AlarmActions: []\n", "E9011", "Alarm has no AlarmActions"),
    ("      OKActions: [!Ref Topic]\n", "", "E9011", "Alarm has no OKActions"),
    ("      TreatMissingData: notBreaching\n", "", "E9011", "Alarm has no TreatMissingData"),
    ("      AlarmDescription: Something failed.\n", "", "E9011", "Alarm has no AlarmDescription"),
    ("      OKActions:", "      ActionsEnabled: false\n      OKActions:", "E9011", "Alarm is switched off"),
    ("    Description: The VPC.\n", "", "E9012", "Vpc has no Description"),
    ("    Description: Days.\n", "", "E9012", "Days has no Description"),
    *(
        (old, new, "E9012", f"{name} takes anything: give it AllowedValues, ^AllowedPattern$ or MinValue and MaxValue")
        for name, old, new in (
            ("Days", "    MaxValue: 9\n", ""),
            ("KeyArn", "    AllowedPattern: ^(arn:aws:kms:.+)?$\n", ""),
            ("KeyArn", "^(arn:aws:kms:.+)?$", "^(arn:aws:kms:.+)?"),
        )
    ),
    *(
        (old, new, "E9012", f'the ConstraintDescription of {name} does not begin with "{name} must"')
        for name, old, new in (
            ("Days", '    ConstraintDescription: "Days must be from 1 to 9."\n', ""),
            ("KeyArn", '"KeyArn must be', '"It must be'),
        )
    ),
    ("    Description: The topic\n", "", "E9013", "TopicArn has no Description"),
    (
        "log-group:orders:*",
        "log-group:123456789012:*",
        "E9014",
        "Role has the account 123456789012 written into it",
    ),
    ("${AWS::AccountId}", "123456789012", "E9014", "Role has the account 123456789012 written into it"),
    ("${AWS::Region}", "eu-west-1", "E9014", "Role has the region eu-west-1 written into it"),
    ("arn:${AWS::Partition}:", "arn:aws:", "E9014", "Role has the partition arn:aws: written into it"),
    (
        "      Timeout: 3\n",
        "      Timeout: 3\n      Environment: {Variables: {A: us-gov-west-1}}\n",
        "E9014",
        "Function has the region us-gov-west-1 written into it",
    ),
]


@pytest.mark.parametrize(("old", "new", "rule", "message"), BROKEN)
def test_what_breaks_a_rule_is_found_and_nothing_else(old: str, new: str, rule: str, message: str) -> None:
    assert SOUND.count(old) == 1
    assert found(SOUND.replace(old, new)) == [(rule, message)]


SECOND = """
  Second:
    Type: AWS::Lambda::Function
    Properties:
      Description: Works too
      Role: !GetAtt Role.Arn
      Timeout: 3
      MemorySize: 128
      LoggingConfig: {LogGroup: !Ref Logs, LogFormat: JSON}
      TracingConfig: {Mode: Active}
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      Target: {Arn: !GetAtt Second.Arn, RetryPolicy: {MaximumEventAgeInSeconds: 60}}
Outputs:
"""


def test_what_two_functions_share_and_what_a_schedule_loses_is_found() -> None:
    assert found(SOUND.replace("\nOutputs:\n", SECOND)) == [
        ("E9004", "Schedule: a target has no retry policy of both attempts and age"),
        ("E9004", "Schedule: a target has no dead-letter queue"),
        ("E9007", "Second shares Role with Function"),
        ("E9007", "Second shares Logs with Function"),
    ]


def test_every_rule_has_an_id_of_its_own_and_is_broken_here() -> None:
    ids = [one.id for one in RULES]
    assert ids == [f"E{9001 + number}" for number in range(len(ids))]
    assert {rule for _, _, rule, _ in BROKEN} == {*ids}
    assert [one.id for one in RULES if not (one.shortdesc and one.description)] == []


@pytest.mark.parametrize("program", [["cfn-lint", "--"], ["sam", "validate", "--lint", "--region", "us-east-1", "-t"]])
def test_cfn_lint_and_sam_have_the_rules(program: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "template.yaml"
    broken.write_text("""
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties: {SqsManagedSseEnabled: true}
""")
    name, *arguments = program
    command = [str(Path(sys.executable).with_name(name)), *arguments, str(broken)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "E9002" in done.stdout
    assert "Queue has no MessageRetentionPeriod" in done.stdout
