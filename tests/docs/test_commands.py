"""Every command in the Markdown is one that its program takes. Those to AWS are carried out too, on the emulator."""

import shlex

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from emulator import emulate
from emulator.worlds import FINDINGS_TABLE, alert_topic, findings_table, sdk_client
from tests.docs.aws_cli import NotACommand, parse, shorthand
from tests.docs.command_lines import STANDS_FOR, Command, commands, filled_in, understood

STACK = "apprunner-guardrails"
# Pages whose commands are those of the rules' findings: their ids are of a snapshot, and of no account.
OF_SNAPSHOTS = ("docs/rules.md",)
# For these moto wants Docker, or does not know them: the models alone vouch for them.
BY_MODEL_ALONE = ("lambda",)
NOT_EMPTIED = "StackSetNotEmptyException"  # moto deletes no instances by their organizational unit
NOT_SERVED = (
    "cloudformation ActivateOrganizationsAccess",
    "cloudformation ContinueUpdateRollback",
    "cloudformation DeleteStackSet",
    "cloudformation DetectStackDrift",
    "service-quotas RequestServiceQuotaIncrease",
)


@pytest.mark.parametrize("command", commands(), ids=str)
def test_a_documented_command_is_one_that_its_program_takes(command: Command) -> None:
    understood(command)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("curl http://127.0.0.1:5000/emulator/reset", "no runner knows curl"),
        ("aws sns subscrib --topic-arn a --protocol email", "sns has no operation subscrib"),
        ("aws snss subscribe --topic-arn a --protocol email", "there is no service snss"),
        ("aws sns subscribe --topic a --protocol email", "there is no option --topic"),
        ("aws sns subscribe --protocol email", 'Missing required parameter in input: "TopicArn"'),
        ("aws sns subscribe --topic-arn a --protocol", "--protocol needs a value"),
        ("aws sns subscribe --topic-arn a b --protocol sqs", "sns subscribe does not take b"),
        ("aws sns subscribe --topic-arn a --protocol sqs --attributes '{'", "--attributes is no JSON"),
        ("aws elbv2 add-tags --resource-arns a --tags Key=a,Valu=b", 'Unknown parameter in Tags[0]: "Valu"'),
        ("aws elbv2 add-tags --resource-arns a --tags a", "a key and = should be at 'a'"),
        ("aws ec2 describe-vpcs --query 'Vpc[].VpcId'", "DescribeVpcs tells no Vpc"),
        ("aws ec2 describe-vpcs --query 'Vpcs['", "--query Vpcs["),
        ("aws ec2 describe-vpcs --output yml", "--output takes"),
        ("aws ec2 create-vpc-endpoint --vpc-id v --vpc-endpoint-type interface", "interface is none of"),
        ("aws cloudformation create-stack --stack-name a --template-body file://none.yaml", "there is no file://none"),
        ("aws logs tail a b", "1 words have no option"),
        ("aws logs tail a --sinc 1h", "there is no option --sinc"),
        ("make depoly", "make has no target depoly"),
        ("make replay WRLD=copilot", "does not say that replay takes WRLD"),
        ("make replay WORLD=nowhere", "there is no world nowhere"),
        ("make replay EVENT=events/none.json", "there is no events/none.json"),
        ("make replay FORMAT=xml", "replay refuses"),
        ("make test ARGS=tests/none", "there is no tests/none"),
        ("python -m tools.none", "there is no module tools.none"),
        ("sam deplow", "No such command"),
        ("sam deploy --parameter-override A=b", "No such option"),
        ("sam deploy --parameter-overrides AlertMail=a@example.com", "has no parameter AlertMail"),
        ("sam deploy --parameter-overrides AlertEmail=nobody", "AlertEmail does not take 'nobody'"),
        ("sam deploy --parameter-overrides ReminderDays=400", "ReminderDays does not take '400'"),
        ("sam deploy --parameter-overrides 'AuditSchedule=rate(2 hours)'", "AuditSchedule does not take 'rate(2'"),
        ("sam local invoke Nobody", "template.yaml has no function Nobody"),
        ("sam local invoke AuditRegionFunction --config-env far", "samconfig.toml has nothing for --config-env far"),
        ("git pul", "git pul is not known here"),
    ],
)
def test_a_command_that_its_program_would_refuse_is_found(line: str, why: str) -> None:
    """The twin of the test above, which could not fail otherwise."""
    with pytest.raises(NotACommand) as refused:
        understood(Command(where="here", words=tuple(shlex.split(line))))
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Key=a:b/c,Value=2026-12-31 @team why not", {"Key": "a:b/c", "Value": "2026-12-31 @team why not"}),
        ("Name=vpc-id,Values=a,b,c", {"Name": "vpc-id", "Values": ["a", "b", "c"]}),
        ("A={B=1,C={D=2}},E=3", {"A": {"B": "1", "C": {"D": "2"}}, "E": "3"}),
        ("A=[{B=1},{B=2}],C=[x,y]", {"A": [{"B": "1"}, {"B": "2"}], "C": ["x", "y"]}),
        ("A='b,c=d',E=\"f g\"", {"A": "b,c=d", "E": "f g"}),
    ],
)
def test_shorthand_is_read_as_the_cli_reads_it(text: str, read: object) -> None:
    assert shorthand(text) == read


def organization() -> dict[str, str]:
    """With an account in a unit, which templates can be deployed to."""
    client = sdk_client("organizations")
    client.create_organization(FeatureSet="ALL")
    [root] = client.list_roots()["Roots"]
    unit = client.create_organizational_unit(ParentId=root["Id"], Name="unit")["OrganizationalUnit"]["Id"]
    account = client.create_account(Email="member@example.com", AccountName="member")["CreateAccountStatus"][
        "AccountId"
    ]
    client.move_account(AccountId=account, SourceParentId=root["Id"], DestinationParentId=unit)
    return {"ORGANIZATIONAL_UNIT_ID": unit, "HOME_ACCOUNT_ID": "111122223333"}


def made() -> dict[str, str]:
    """What the words in capitals stand for, made in the emulated account."""
    sns, sqs, ec2, events, cloudwatch = map(sdk_client, ("sns", "sqs", "ec2", "events", "cloudwatch"))
    topic = alert_topic(sdk_client)
    findings_table(sdk_client)
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for name in ("ValidateNetwork", "AuditRegion", "SyncTargets", "TagResources"):
        sdk_client("logs").create_log_group(logGroupName=f"/aws/lambda/{STACK}-{name}")
    events.put_rule(Name="rule", ScheduleExpression="rate(1 hour)")
    cloudwatch.put_metric_alarm(AlarmName="alarm", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1)
    query = sdk_client("logs").start_query(
        logGroupName=f"/aws/lambda/{STACK}-AuditRegion", startTime=1, endTime=2, queryString="fields @message"
    )
    sdk_client("cloudformation").create_stack(
        StackName=STACK, TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    )
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:3]
    api = sdk_client("apigateway").create_rest_api(name="api")["id"]
    return {
        **STANDS_FOR,
        **organization(),
        "FINDINGS_TABLE": FINDINGS_TABLE,
        **dict.fromkeys(("ALERT_TOPIC_ARN", "OPS_TOPIC_ARN"), topic),
        "SUBSCRIPTION_ARN": sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)["SubscriptionArn"],
        **dict.fromkeys(("QUEUE_URL", "DEAD_LETTER_QUEUE_URL"), queue),
        "QUERY_ID": query["queryId"],
        "RULE": "rule",
        "ALARM_NAME": "alarm",
        "PAGER": "pager.example.com",
        "CONNECTOR_ARN": sdk_client("apprunner").create_vpc_connector(VpcConnectorName="connector", Subnets=subnets)[
            "VpcConnector"
        ]["VpcConnectorArn"],
        "NEW_CONNECTOR_ARN": sdk_client("apprunner").create_vpc_connector(VpcConnectorName="trial", Subnets=subnets)[
            "VpcConnector"
        ]["VpcConnectorArn"],
        "SUBNET_ID": subnets[0],
        "VPC_ENDPOINT_ID": ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")["VpcEndpoint"][
            "VpcEndpointId"
        ],
        "TARGET_GROUP_ARN": sdk_client("elbv2").create_target_group(
            Name="group", Protocol="TCP", Port=443, VpcId=vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"],
        "API_ARN": f"arn:aws:apigateway:us-east-1::/restapis/{api}",
    }


# moto leaves schedules and policies of queues out of what it makes of a template, and says so.
@pytest.mark.filterwarnings("ignore:Tried to parse AWS.:UserWarning")
def test_documented_calls_of_aws_are_answered_by_the_emulator() -> None:
    asked = [
        one for one in commands() if one.words[0] == "aws" and one.whole and not one.where.startswith(OF_SNAPSHOTS)
    ]
    refused, not_served = {}, set()
    with emulate():
        values = made()
        for command in asked:
            call = parse(filled_in(command.words, values))
            if not call.operation or call.service in BY_MODEL_ALONE:
                continue
            try:
                getattr(sdk_client(call.service), xform_name(call.operation))(**call.parameters)
            except NotImplementedError:
                not_served.add(f"{call.service} {call.operation}")
            except ClientError as error:
                if error.response["Error"]["Code"] == NOT_EMPTIED:
                    not_served.add(f"{call.service} {call.operation}")
                else:
                    refused[str(command)] = str(error)
    assert refused == {}
    assert sorted(not_served) == sorted(NOT_SERVED)
    assert len(asked) > len(not_served)
