"""What template.yaml would deploy: contracts, permissions, failure paths, parameters, event patterns."""

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apprunner_guardrails import drift
from apprunner_guardrails.aws.findings_table import PLACES
from apprunner_guardrails.events import CALLS, EXPLAINED, FAILED, FINISHED, TAGGING, TAGS
from apprunner_guardrails.facts import READ_WITH
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.paths import triggers as paths
from apprunner_guardrails.rules import INGRESS_RULES, INTERFACE_RULES, RULES, SERVICE_RULES
from apprunner_guardrails.rules.private_paths import (
    API_RULES,
    BALANCER_RULES,
    ENDPOINT_RULES,
    PATH_GROUP_RULES,
    TARGET_GROUP_RULES,
)
from apprunner_guardrails.settings import BadSettings, Settings
from apprunner_guardrails.tags import created
from apprunner_guardrails.targets import binding, triggers
from replay.template import Pattern, load, matches, role_arn
from tests.template.asked import actions_asked_for

ROOT = Path(__file__).parents[2]
STACK = load()
TOPIC = "arn:aws:sns:us-east-1:123456789012:AlertTopic"
CHAT = "arn:aws:sns:us-east-1:123456789012:ChatTopic"
SYNC_QUEUE, TAG_QUEUE = (f"https://sqs.us-east-1.amazonaws.com/123456789012/{one}" for one in ("SyncQueue", "TagQueue"))
REFS = {"AlertTopic": TOPIC, "SyncQueue": SYNC_QUEUE, "TagQueue": TAG_QUEUE}
# What only one function is given.
OWN_VARIABLES = {
    "ValidateNetworkFunction": {"MEMBER_ROLE_NAME", "MEMBER_EXTERNAL_ID"},
    "AuditRegionFunction": {"MEMBER_ROLE_NAME", "MEMBER_EXTERNAL_ID"},
    "SyncTargetsFunction": {"SYNC_POLICY", "SYNC_QUEUE_URL", "SYNC_WAIT_MINUTES", "DRAIN_DELETED_ENDPOINTS"},
    "TagResourcesFunction": {"TAG_QUEUE_URL"},
}
OWN_QUEUES = {"SyncTargetsFunction": "SYNC_QUEUE_URL", "TagResourcesFunction": "TAG_QUEUE_URL"}
RUNTIME_VARIABLES = {
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_APIGATEWAYV2",
    "AWS_ENDPOINT_URL_API_GATEWAY",
    "AWS_ENDPOINT_URL_APPRUNNER",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2",
    "AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API",
    "AWS_ENDPOINT_URL_SERVICE_QUOTAS",
    "AWS_ENDPOINT_URL_STS",
    "POWERTOOLS_LOG_LEVEL",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_SERVICE_NAME",
}


def lambdas() -> dict[str, Mapping[str, Any]]:
    return STACK.of_type("AWS::Lambda::Function")


def role_of(function: str) -> str:
    return str(lambdas()[function]["Role"]["Fn::GetAtt"][0])


ON_DEMAND = frozenset({"HasChat", "HasSecurityHub", "HasOrganization"})


def statements(role: str, conditions: Collection[str] = ON_DEMAND) -> Iterator[Mapping[str, Any]]:
    """The role's statements where these conditions of the template hold."""
    for policy in chosen(STACK.resources[role]["Properties"]["Policies"], conditions):
        yield from chosen(policy["PolicyDocument"]["Statement"], conditions)


def chosen(value: Any, conditions: Collection[str]) -> Any:
    """The value with the branch of each Fn::If that counts, and without what AWS::NoValue stands for."""
    match value:
        case {"Fn::If": [condition, then, otherwise]}:
            return chosen(then if condition in conditions else otherwise, conditions)
        case dict():
            return {name: chosen(one, conditions) for name, one in value.items()}
        case list():
            kept = [chosen(one, conditions) for one in value]
            return [one for one in kept if one != {"Ref": "AWS::NoValue"}]
    return value


def actions(statement: Mapping[str, Any]) -> list[str]:
    action = statement["Action"]
    return action if isinstance(action, list) else [action]


# --- contracts ---------------------------------------------------------------------------------------------------


def test_the_names_that_others_rely_on_are_there() -> None:
    types = {name: one["Type"] for name, one in STACK.resources.items()}
    expected = {
        "ValidateNetworkFunction": "AWS::Lambda::Function",
        "AuditRegionFunction": "AWS::Lambda::Function",
        "SyncTargetsFunction": "AWS::Lambda::Function",
        "TagResourcesFunction": "AWS::Lambda::Function",
        "AlertTopic": "AWS::SNS::Topic",
        "FindingsTable": "AWS::DynamoDB::Table",
    }
    assert expected.items() <= types.items()


def test_sam_local_gives_every_function_what_only_a_deployment_knows() -> None:
    given_by_sam = json.loads((ROOT / "replay/sam-local-env.json").read_text())["Parameters"]
    queues = "http://host.docker.internal:5000/123456789012"
    own = {"SYNC_QUEUE_URL": f"{queues}/SyncQueue", "TAG_QUEUE_URL": f"{queues}/TagQueue", "MEMBER_ROLE_NAME": ""}
    common = {"ALERT_TOPIC_ARN": TOPIC, "CHAT_TOPIC_ARN": "", "FINDINGS_TABLE": "FindingsTable"}
    assert given_by_sam == {**common, **own}
    for function, one in STACK.functions.items():
        parameters = [{"Ref": name} for name in STACK.parameters]
        told = {name for name, value in one.variables.items() if isinstance(value, str) or value in parameters}
        assert one.variables.keys() - told == {*common, *(own.keys() & OWN_VARIABLES[function])}


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


EXPLICIT = re.compile(r"[a-z0-9]+:[A-Za-z]+")
READING = re.compile(r"(apprunner|ec2|elasticloadbalancing|servicequotas|tag):(Describe|List|Get)[A-Za-z]+")
HUB = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:product/${AWS::AccountId}/default"


def arn(resource: str) -> object:
    return {"Fn::GetAtt": [resource, "Arn"]}


TARGET_GROUPS = "arn:${AWS::Partition}:elasticloadbalancing:${AWS::Region}:${AWS::AccountId}:targetgroup/*/*"
TAGGED = [
    *(
        {"Fn::Sub": f"arn:${{AWS::Partition}}:apprunner:${{AWS::Region}}:${{AWS::AccountId}}:{kind}/*"}
        for kind in ("service", "vpcconnector", "vpcingressconnection")
    ),
    {"Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc-endpoint/*"},
    {"Fn::Sub": TARGET_GROUPS},
    {"Fn::Sub": TARGET_GROUPS.replace("targetgroup/*/*", "loadbalancer/net/*/*")},
]
API_GATEWAY = [
    {"Fn::Sub": f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/{path}"}
    for path in (
        *("restapis", "restapis/*/resources", "restapis/*/stages"),
        *("apis", "apis/*/integrations", "apis/*/routes", "apis/*/stages", "vpclinks"),
    )
]
TELLING: Mapping[str, object] = {
    "dynamodb:Query": arn("FindingsTable"),
    "dynamodb:Scan": arn("FindingsTable"),
    "dynamodb:PutItem": arn("FindingsTable"),
    "sns:Publish": [{"Ref": "AlertTopic"}, {"Ref": "ChatTopic"}],
    "events:PutEvents": {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"},
    "securityhub:BatchImportFindings": {"Fn::Sub": HUB},
}
TRACING: Mapping[str, object] = {"xray:PutTraceSegments": "*", "xray:PutTelemetryRecords": "*"}
MEMBER_ROLES = {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/${MemberRoleName}"}
# Of members what is recorded is read by the index.
READS_BY_PLACE: Mapping[str, object] = {
    "dynamodb:Query": [arn("FindingsTable"), {"Fn::Sub": "${FindingsTable.Arn}/index/places"}]
}
SCOPES: Mapping[str, Mapping[str, object]] = {
    "ValidateNetworkFunction": {
        "apigateway:GET": API_GATEWAY,
        **TELLING,
        **READS_BY_PLACE,
        "sts:AssumeRole": MEMBER_ROLES,
        "sqs:ReceiveMessage": [arn("DriftQueue"), arn("MemberQueue")],
        "sqs:DeleteMessage": [arn("DriftQueue"), arn("MemberQueue")],
        "sqs:GetQueueAttributes": [arn("DriftQueue"), arn("MemberQueue")],
        "sqs:SendMessage": arn("ValidateNetworkDeadLetterQueue"),
        "logs:CreateLogStream": arn("ValidateNetworkLogGroup"),
        "logs:PutLogEvents": arn("ValidateNetworkLogGroup"),
        **TRACING,
    },
    "AuditRegionFunction": {
        "apigateway:GET": API_GATEWAY,
        **TELLING,
        **READS_BY_PLACE,
        "sts:AssumeRole": MEMBER_ROLES,
        "sqs:ReceiveMessage": arn("MemberAuditQueue"),
        "sqs:DeleteMessage": arn("MemberAuditQueue"),
        "sqs:GetQueueAttributes": arn("MemberAuditQueue"),
        "sqs:SendMessage": arn("AuditRegionDeadLetterQueue"),
        "logs:CreateLogStream": arn("AuditRegionLogGroup"),
        "logs:PutLogEvents": arn("AuditRegionLogGroup"),
        **TRACING,
    },
    "SyncTargetsFunction": {
        **TELLING,
        "elasticloadbalancing:RegisterTargets": {"Fn::Sub": TARGET_GROUPS},
        "elasticloadbalancing:DeregisterTargets": {"Fn::Sub": TARGET_GROUPS},
        "sqs:ReceiveMessage": arn("SyncQueue"),
        "sqs:DeleteMessage": arn("SyncQueue"),
        "sqs:GetQueueAttributes": arn("SyncQueue"),
        "sqs:SendMessage": [arn("SyncQueue"), arn("SyncTargetsDeadLetterQueue")],
        "logs:CreateLogStream": arn("SyncTargetsLogGroup"),
        "logs:PutLogEvents": arn("SyncTargetsLogGroup"),
        **TRACING,
    },
    "TagResourcesFunction": {
        "apprunner:TagResource": TAGGED,
        "ec2:CreateTags": TAGGED,
        "elasticloadbalancing:AddTags": TAGGED,
        "sqs:SendMessage": arn("TagQueue"),
        "sqs:ReceiveMessage": arn("TagQueue"),
        "sqs:DeleteMessage": arn("TagQueue"),
        "sqs:GetQueueAttributes": arn("TagQueue"),
        "logs:CreateLogStream": arn("TagResourcesLogGroup"),
        "logs:PutLogEvents": arn("TagResourcesLogGroup"),
        **TRACING,
    },
}
TELLING_FUNCTIONS = [function for function, scopes in SCOPES.items() if TELLING.keys() <= scopes.keys()]


def changing(service: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The role and the statement of whatever permits more than to read something of a service."""
    return [
        (role, one)
        for role in STACK.of_type("AWS::IAM::Role")
        for one in statements(role)
        if any(one.startswith(f"{service}:") and not READING.fullmatch(one) for one in actions(one))
    ]


@pytest.mark.parametrize("function", STACK.functions)
def test_what_is_no_read_of_the_account_is_allowed_where_it_has_to_be_only(function: str) -> None:
    allowed = list(statements(role_of(function)))
    assert {one["Effect"] for one in allowed} == {"Allow"}
    assert [one for each in allowed for one in actions(each) if not EXPLICIT.fullmatch(one)] == []
    others: dict[str, list[object]] = {}
    for one in allowed:
        for action in actions(one):
            if not READING.fullmatch(action):
                others.setdefault(action, []).extend(listed(one["Resource"]))
    assert others == {action: listed(scope) for action, scope in SCOPES[function].items()}


def test_targets_are_changed_in_target_groups_that_carry_the_tag_and_in_no_others() -> None:
    tagged_only = {"Null": {f"aws:ResourceTag/{binding.TAG}": "false"}}
    targets = ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"]
    (sync, registering), (tagging, adding) = changing("elasticloadbalancing")
    assert (sync, registering["Action"], registering["Condition"]) == ("SyncTargetsRole", targets, tagged_only)
    assert (tagging, actions(adding)) == ("TagResourcesRole", TAG_CALLS)


TAG_CALLS = ["apprunner:TagResource", "ec2:CreateTags", "elasticloadbalancing:AddTags"]


@pytest.mark.parametrize("service", ["apprunner", "ec2"])
def test_nothing_else_of_a_users_is_changed_than_ownership_tags_are_added(service: str) -> None:
    assert [(role, actions(one)) for role, one in changing(service)] == [("TagResourcesRole", TAG_CALLS)]


def test_a_tag_that_tells_the_guardrails_something_is_put_by_people_only() -> None:
    (adding,) = (one for _, one in changing("ec2"))
    words = "-".join(f"{{}}{'?' * (len(word) - 1)}" for word in TAGS.removesuffix(":").split("-"))
    assert adding["Condition"] == {
        # Of TAGS in any case; tests/template/test_break_out.py tries them. It holds of a call without keys too.
        "ForAllValues:StringNotLike": {"aws:TagKeys": [f"{words.format(a, g)}:*" for a in "aA" for g in "gG"]},
        "Null": {"aws:TagKeys": "false"},
    }


@pytest.mark.parametrize("function", STACK.functions)
def test_ec2_is_read_in_the_region_of_the_stack_only(function: str) -> None:
    (reading,) = (one for one in statements(role_of(function)) if "ec2:DescribeVpcEndpoints" in actions(one))
    assert reading["Condition"] == {"StringEquals": {"ec2:Region": {"Ref": "AWS::Region"}}}


def test_every_function_that_judges_tells_and_the_one_that_tags_does_not() -> None:
    assert sorted(TELLING_FUNCTIONS) == sorted(JUDGED_BY)


@pytest.mark.parametrize("function", TELLING_FUNCTIONS)
def test_events_are_put_under_the_name_of_the_guardrails_only(function: str) -> None:
    (putting,) = (one for one in statements(role_of(function)) if "events:PutEvents" in actions(one))
    assert putting["Condition"] == {
        "ForAllValues:StringEquals": {"events:source": "apprunner-guardrails"},  # a call puts several
        "Null": {"events:source": "false"},
    }


@pytest.mark.parametrize("function", TELLING_FUNCTIONS)
def test_chat_and_security_hub_are_permitted_where_they_are_on(function: str) -> None:
    def permitted(*conditions: str) -> tuple[object, bool]:
        allowed = list(statements(role_of(function), conditions))
        (topics,) = (one["Resource"] for one in allowed if "sns:Publish" in actions(one))
        return topics, "securityhub:BatchImportFindings" in {one for each in allowed for one in actions(each)}

    alerts, chat = {"Ref": "AlertTopic"}, {"Ref": "ChatTopic"}
    assert permitted() == ([alerts], False)
    assert permitted("HasChat") == ([alerts, chat], False)
    assert permitted("HasSecurityHub") == ([alerts], True)
    assert permitted(*ON_DEMAND) == ([alerts, chat], True)


def test_a_condition_is_a_parameter_that_is_true_or_given() -> None:
    for one in STACK.functions.values():
        assert {name: one.conditions[name] for name in ON_DEMAND} == {
            "HasChat": {"Fn::Equals": [{"Ref": "ChatNotifications"}, "true"]},
            "HasSecurityHub": {"Fn::Equals": [{"Ref": "SecurityHubImport"}, "true"]},
            "HasOrganization": {"Fn::Not": [{"Fn::Equals": [{"Ref": "OrganizationId"}, ""]}]},
        }


@pytest.mark.parametrize("function", STACK.functions)
def test_a_function_may_do_what_its_code_asks_for_and_no_more(function: str) -> None:
    deployed = STACK.functions[function]
    asked = actions_asked_for(deployed.code / "app.py")
    # What no code of ours calls, by what the template has that needs it.
    needed = {
        "a log group": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "Tracing": {*TRACING},
        "KeyArn": {"kms:Decrypt", "kms:GenerateDataKey"},
        "a destination on failure": {"sqs:SendMessage"} if on_failure(function) else set(),
        "queues": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} if deployed.queues else set(),
    }
    allowed = {one for each in statements(role_of(function), {*ON_DEMAND, "HasKey"}) for one in actions(each)}
    assert allowed == asked.union(*needed.values())


OF_ALL_BUT_SYNC = [
    need
    for rules in (
        *(RULES, INTERFACE_RULES, SERVICE_RULES, INGRESS_RULES),
        *(ENDPOINT_RULES, PATH_GROUP_RULES, BALANCER_RULES, API_RULES),
    )
    for rule in rules
    for need in rule.needs
]
JUDGED_BY = {
    "ValidateNetworkFunction": OF_ALL_BUT_SYNC,
    "AuditRegionFunction": OF_ALL_BUT_SYNC,
    "SyncTargetsFunction": [need for rule in TARGET_GROUP_RULES for need in rule.needs],
}


def test_what_the_rules_are_said_to_read_is_read_for_them_by_every_function_that_has_them_answer() -> None:
    asked = {name: actions_asked_for(one.code / "app.py") for name, one in STACK.functions.items()}
    assert set().union(*READ_WITH.values()) <= set().union(*asked.values())
    for function, facts in JUDGED_BY.items():
        unread = [one for one in facts if not asked[function] & set(READ_WITH[one])]  # one of several is enough
        assert (function, unread) == (function, [])


def test_every_way_of_asking_aws_is_seen_and_nothing_that_is_not_reached(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("""
from apprunner_guardrails.aws import apprunner, findings_table
from apprunner_guardrails.aws.clients import client as connect
from apprunner_guardrails.aws.region import read_structure

def handler(event, context):
    return helper(event), TABLE["x"]

def helper(event):
    sns = connect("sns")
    sns.publish(TopicArn="x")
    return apprunner.list_services(event)

TABLE = {"x": findings_table.claim}

def unused(event):
    return connect("events").put_events(), read_structure(event, ())
""")
    asked = {"apprunner:ListServices", "dynamodb:PutItem", "sns:Publish"}
    assert actions_asked_for(tmp_path / "app.py") == asked
    (tmp_path / "other").mkdir()
    reached = (tmp_path / "app.py").read_text().replace("return helper(event)", "return unused(event), helper(event)")
    (tmp_path / "other/app.py").write_text(reached)
    assert actions_asked_for(tmp_path / "other/app.py") == asked | {
        "events:PutEvents",
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
    }


# --- what is kept ------------------------------------------------------------------------------------------------


def test_alerts_failures_and_changes_are_encrypted_at_rest() -> None:
    """With a key of the user's own: tests/template/test_operations.py."""
    topics = chosen(STACK.of_type("AWS::SNS::Topic"), ON_DEMAND)
    assert {name: one.get("KmsMasterKeyId") for name, one in topics.items()} == {
        "AlertTopic": "alias/aws/sns",
        "ChatTopic": "alias/aws/sns",
        "OpsTopic": {"Ref": "OpsKey"},
    }
    for queue in chosen(STACK.of_type("AWS::SQS::Queue"), ON_DEMAND).values():
        assert queue["SqsManagedSseEnabled"] is True


def test_nobody_outside_of_the_account_has_a_part_in_a_topic() -> None:
    """The policy that SNS gives a topic is the account's own; that of OpsTopic: tests/template/test_operations.py."""
    assert [one["Topics"] for one in STACK.of_type("AWS::SNS::TopicPolicy").values()] == [[{"Ref": "OpsTopic"}]]


def test_findings_are_kept_by_resource_and_rule_encrypted_recoverable_and_forgotten_in_time() -> None:
    table = STACK.resources["FindingsTable"]
    assert chosen(table["Properties"], ON_DEMAND) == {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "resource", "AttributeType": "S"},
            {"AttributeName": "rule", "AttributeType": "S"},
            {"AttributeName": "place", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "resource", "KeyType": "HASH"},
            {"AttributeName": "rule", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": PLACES,
                "KeySchema": [{"AttributeName": "place", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    assert {"DeletionPolicy", "UpdateReplacePolicy"} <= table.keys()


def test_the_topic_for_chat_is_made_and_told_to_the_functions_on_demand() -> None:
    assert STACK.resources["ChatTopic"]["Condition"] == "HasChat"
    refs = {**REFS, "ChatTopic": CHAT}
    for one in STACK.functions.values():
        assert one.environment({}, refs)["CHAT_TOPIC_ARN"] == ""
        assert one.environment({"ChatNotifications": "true"}, refs)["CHAT_TOPIC_ARN"] == CHAT


# --- failure paths and logs --------------------------------------------------------------------------------------


def on_failure(function: str) -> list[dict[str, list[str]]]:
    """Where what a function was invoked with by an event ends if it fails time and again."""
    return [
        one["DestinationConfig"]["OnFailure"]["Destination"]
        for one in STACK.of_type("AWS::Lambda::EventInvokeConfig").values()
        if one["FunctionName"]["Ref"] == function
    ]


@pytest.mark.parametrize("function", [name for name, one in STACK.functions.items() if one.patterns or one.schedules])
def test_what_a_function_fails_at_ends_in_its_queue(function: str) -> None:
    (queue,) = on_failure(function)
    assert STACK.resources[queue["Fn::GetAtt"][0]]["Type"] == "AWS::SQS::Queue"
    sending = [one["Resource"] for one in statements(role_of(function)) if "sqs:SendMessage" in actions(one)]
    own = [arn(name) for name in STACK.functions[function].queues]
    assert [one for one in sending if one not in own] == [queue]


def test_what_only_a_queue_invokes_leaves_failures_to_that_queue() -> None:
    tagging = STACK.functions["TagResourcesFunction"]
    assert (tagging.patterns, tagging.schedules, on_failure("TagResourcesFunction")) == ({}, {}, [])
    redrive = STACK.resources["TagQueue"]["Properties"]["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": arn("TagResourcesDeadLetterQueue"), "maxReceiveCount": 15}


def allowed_senders() -> dict[str, list[object]]:
    """The rules that may send to each queue, by the queue's ARN."""
    return {
        json.dumps(statement["Resource"]): listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
        for policy in STACK.of_type("AWS::SQS::QueuePolicy").values()
        for statement in chosen(policy["PolicyDocument"]["Statement"], ON_DEMAND)
    }


def listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def test_a_queue_takes_events_from_the_rules_that_send_there_and_from_nobody_else() -> None:
    senders: dict[str, list[object]] = {}
    for name, rule in STACK.of_type("AWS::Events::Rule").items():
        (target,) = rule["Targets"]
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
        failed = target["DeadLetterConfig"]["Arn"]
        assert failed["Fn::GetAtt"][0].endswith("DeadLetterQueue")
        for queue in [failed, target["Arn"]]:
            if STACK.resources[queue["Fn::GetAtt"][0]]["Type"] == "AWS::SQS::Queue":
                senders.setdefault(json.dumps(queue), []).append({"Fn::GetAtt": [name, "Arn"]})
    allowed = allowed_senders()
    assert {queue: sorted(rules, key=str) for queue, rules in allowed.items()} == {
        queue: sorted(rules, key=str) for queue, rules in senders.items()
    }
    for policy in STACK.of_type("AWS::SQS::QueuePolicy").values():
        (queue,) = policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]:
            assert (statement["Effect"], statement["Principal"], statement["Action"], statement["Resource"]) == (
                "Allow",
                {"Service": "events.amazonaws.com"},
                "sqs:SendMessage",
                {"Fn::GetAtt": [queue["Ref"], "Arn"]},
            )


@pytest.mark.parametrize("function", STACK.functions)
def test_a_queue_gives_a_function_the_time_that_lambda_asks_for_and_lets_go_of_what_fails(function: str) -> None:
    for one in STACK.functions[function].queues.values():
        queue = STACK.resources[one.logical_id]["Properties"]
        assert queue["VisibilityTimeout"] >= 6 * lambdas()[function]["Timeout"] + one.window_seconds
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
        dead = STACK.resources[queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]["Properties"]
        assert dead["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]
        tries = queue["RedrivePolicy"]["maxReceiveCount"]
        assert (
            tries * queue["VisibilityTimeout"] < queue["MessageRetentionPeriod"]
        )  # else it is gone before it is let go


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
        fits = len(value) <= rule.get("MaxLength", 4096)  # which is the most that CloudFormation takes
        return fits and re.fullmatch(rule["AllowedPattern"], value) is not None
    return re.fullmatch(r"-?[0-9]+", value) is not None and rule["MinValue"] <= int(value) <= rule["MaxValue"]


TRUTHS = (
    *("RequireVpcEgress", "RequirePrivateIngress", "RequireObservability"),
    *("RequireApiAccessLogs", "RequireApiTracing", "RequireApiAuthorization"),
)
OWN_TAGS = ("CreatedByTag", "CreatedAtTag", "CreatedWithTag")
JUNK = {
    "OrganizationId": ["a1b2c3d4e5", "o-short", "o-A1B2C3D4E5", "r-a1b2c3d4e5", f"o-{'a' * 33}", "o-a1b2c3d4e5 ", " "],
    "MemberRoleName": ["", "guard*", "team/guard", "guard role", "r" * 65, "arn:aws:iam::123456789012:role/guard"],
    "MemberExternalId": ["x", "two words", "a;b", "*", "x" * 129],
    "AlertEmail": ["nobody", "a@b", "a@b.c d@e.f", "@b.c", "a b@c.d", " "],
    "ChatNotifications": ["yes", "True", ""],
    "SecurityHubImport": ["yes", "True", ""],
    "ReminderDays": ["-1", "366", "week", ""],
    "DigestHour": ["24", "-1", "7:00", "07", "Off", ""],
    "RuleOverrides": [
        "AR101",
        "[]",
        '{"AR101": off}',
        '{"AR101": "none"}',
        '{"AR1": "off"}',
        '{"AR101": "off",}',
        '{"AR101": "off" "AR102": "off"}',
        '{"AR101": "off"} {}',
    ],
    "AuditSchedule": [
        "1 hour",
        "rate(1 hours)",
        "rate(2 hour)",
        "rate(0 hours)",
        "rate(4 minutes)",
        "rate(1 minute)",
        "rate(1 hour) ",
        "cron(0 * * * *)",
        "cron(0 * * * ? * *)",
        "at(2026-11-21T00:00:00)",
        "",
    ],
    "SyncPolicy": ["off", "Sync", "register_only", ""],
    "SyncSchedule": [
        "5 minutes",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(30 seconds)",
        "rate(5 minutes) ",
        "cron(* * * * *)",
        "at(2026-11-21T00:00:00)",
        "",
    ],
    "SyncWaitMinutes": ["0", "1441", "ever", ""],
    "DrainDeletedEndpoints": ["yes", "True", ""],
    "MinConnectorZones": ["0", "7", "three", ""],
    "UnsupportedZoneIds": ["us-east-1a", "use1-az3,", "use1-az3;use1-az4", "use1-az", " ", "none"],
    "MinFreeAddresses": ["-1", "65537", "eight", ""],
    "RequireInternetEgress": ["yes", "True", "1", ""],
    "RequiredEndpointServices": ["S3", "s3,", "s3 sts", "-s3", "com.amazonaws.eu-west-1.s3;sts"],
    **{one: ["yes", "True", ""] for one in TRUTHS},
    "MaxUnhealthyThreshold": ["-1", "21", "few", ""],
    "RequiredAddressType": ["IPV6", "ipv4", "any"],
    "RequiredTags": ["team,", ",team", "team;owner", "*,team", "**", "t" * 129],
    "VpcLinkWaitMinutes": ["0", "1441", "ever", ""],
    **{
        one: [
            *(" ", " owner", "owner ", "owner,team", "owner's", "o*", "o\nwner", "Eigentümer", "t" * 128),
            *("aws:owner", "AWS:owner", "Aws:", "apprunner-guardrails:owner", "AppRunner-Guardrails:", "{}"),
        ]
        for one in OWN_TAGS
    },
    "DefaultTags": [
        *("team=platform", "[]", '"team"', "{team: platform}", "{} {}", "null", "{"),
        *('{"team"}', '{"team": platform}', '{"team": 1}', '{"team": null}', '{"team": ["platform"]}', '{"a": {}}'),
        *('{"team": "a",}', '{,"team": "a"}', '{"a": "b" "c": "d"}', '{"team": "a\\"b"}', '{"team": "a\nb"}'),
        *('{"": "a"}', '{" ": "a"}', '{"team ": "a"}', '{" team": "a"}', '{"o*": "a"}'),
        *(
            '{"aws:team": "a"}',
            '{"apprunner-guardrails:exempt:AR101": "a"}',
            '{"a": "b", "APPRUNNER-Guardrails:x": ""}',
        ),
        f'{{"team": "{"a" * 1020}"}}',
    ],
    "EmailsInTags": ["yes", "True", ""],
    "OpsEmail": ["nobody", "a@b", "a@b.c d@e.f", "@b.c", "a b@c.d", " "],
    **{one: ["-1", "169", "3h", ""] for one in ("AuditAlarmHours", "SyncAlarmHours")},
    "KeyArn": [
        *("alias/guardrails", "0a1b2c3d-0123-4567-89ab-0123456789ab", " ", "*"),
        "arn:aws:kms:eu-west-1:123456789012:alias/guardrails",
        "arn:aws:kms:eu-west-1:123456789012:key/guardrails",
        "arn:aws:kms:eu-west-1:12345678901:key/0a1b2c3d-0123-4567-89ab-0123456789ab",
        "arn:aws:sns:eu-west-1:123456789012:key/0a1b2c3d-0123-4567-89ab-0123456789ab",
    ],
    "Architecture": ["arm", "x86", ""],
    "LogLevel": ["info", "WARN", "ERROR", ""],
    "LogRetentionDays": ["0", "2", "forever"],
    **{
        one: ["localhost:5000", "ftp://host", "http://", "http://host:port", "http://host/path", "http://a b"]
        for one in ("AwsEndpointUrl", "GuardedEndpointUrl")
    },
}


@pytest.mark.parametrize("parameter", STACK.parameters)
def test_a_parameter_admits_its_default_and_refuses_junk(parameter: str) -> None:
    assert admits(parameter, str(STACK.parameters[parameter]["Default"]))
    assert [one for one in JUNK[parameter] if admits(parameter, one)] == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("AlertEmail", "ops+alerts@example.co.uk"),
        ("ChatNotifications", "true"),
        ("SecurityHubImport", "true"),
        ("ReminderDays", "0"),
        ("DigestHour", "0"),
        ("DigestHour", "23"),
        ("DigestHour", "off"),
        ("RuleOverrides", ""),
        ("RuleOverrides", '{"AR101": "off", "AR203":"HIGH" , "AR901": "INFO"}'),
        ("AuditSchedule", "rate(5 minutes)"),
        ("AuditSchedule", "rate(1 day)"),
        ("AuditSchedule", "rate(12 hours)"),
        ("AuditSchedule", "cron(15 6,18 ? * MON-FRI *)"),
        ("AuditSchedule", "cron(0/30 * * * ? *)"),
        ("SyncPolicy", "register-only"),
        ("SyncPolicy", "report-only"),
        ("SyncSchedule", "rate(1 minute)"),
        ("SyncSchedule", "rate(2 minutes)"),
        ("SyncSchedule", "rate(1 hour)"),
        ("SyncSchedule", "cron(0/10 6-22 ? * MON-FRI *)"),
        ("DrainDeletedEndpoints", "true"),
        ("MaxUnhealthyThreshold", "20"),
        ("RequiredAddressType", "DUAL_STACK"),
        ("RequiredTags", "*"),
        ("RequiredTags", "team,cost center,app:owner"),
        *(
            (one, value)
            for one in OWN_TAGS
            for value in ("", "o", "Owner", "cost center", "app:owner/1+@=._-", "t" * 127)
        ),
        ("CreatedByTag", "aws"),
        ("CreatedByTag", "apprunner-guardrails"),
        ("DefaultTags", ""),
        ("DefaultTags", '{"team": "platform"}'),
        ("DefaultTags", ' {"team":"Straße 1, Tokyo 東京", "cost center" : "" ,"aws":"aws:x"} '),
        ("EmailsInTags", "true"),
        ("OpsEmail", "ops+alarms@example.co.uk"),
        *((one, hours) for one in ("AuditAlarmHours", "SyncAlarmHours") for hours in ("0", "26", "168")),
        ("KeyArn", "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0123-4567-89ab-0123456789ab"),
        ("KeyArn", "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-0a1b2c3d0123456789ab0123456789ab"),
        ("OrganizationId", ""),
        ("OrganizationId", "o-a1b2c3d4e5"),
        ("OrganizationId", f"o-{'a1' * 16}"),
        ("MemberRoleName", "Guard_rails+=,.@-2"),
        ("MemberExternalId", ""),
        ("MemberExternalId", "7f3b0f0e-guardrails+=,.@:/_"),
        ("UnsupportedZoneIds", "use1-az3, apne1-az3 ,usw2-lax1-az1"),
        ("RequiredEndpointServices", "secretsmanager,com.amazonaws.eu-west-1.ecr.api, s3"),
        ("AwsEndpointUrl", "http://host.docker.internal:5000"),
        ("GuardedEndpointUrl", "http://127.0.0.1:5000"),
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
    environment = Asked(STACK.functions[function].environment({}, REFS))
    Settings.from_env(environment)
    others = set().union(*OWN_VARIABLES.values()) - OWN_VARIABLES[function]
    assert environment.names - others == environment.keys() - RUNTIME_VARIABLES


@pytest.mark.parametrize("function", STACK.functions)
def test_the_defaults_of_template_and_settings_agree(function: str) -> None:
    environment = STACK.functions[function].environment({}, REFS)
    queues = {one: environment.get(variable, "") for one, variable in OWN_QUEUES.items()}
    defaults = Settings(
        alert_topic_arn=TOPIC,
        findings_table="FindingsTable",
        sync_queue_url=queues["SyncTargetsFunction"],
        tag_queue_url=queues["TagResourcesFunction"],
    )
    assert asdict(Settings.from_env(environment)) == asdict(defaults)


def test_a_function_is_given_its_own_queue() -> None:
    given_to = {
        function: {name: one.environment({}, REFS)[name] for name in OWN_QUEUES.values() if name in one.variables}
        for function, one in STACK.functions.items()
    }
    assert given_to == {
        "ValidateNetworkFunction": {},
        "AuditRegionFunction": {},
        "SyncTargetsFunction": {"SYNC_QUEUE_URL": SYNC_QUEUE},
        "TagResourcesFunction": {"TAG_QUEUE_URL": TAG_QUEUE},
    }


@pytest.mark.parametrize("parameter", [name for name, one in STACK.parameters.items() if "MaxLength" in one])
def test_the_longest_value_of_a_parameter_leaves_room_for_the_other_variables(parameter: str) -> None:
    """Lambda admits 4 KB of them in all (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
    longest = {parameter: "x" * STACK.parameters[parameter]["MaxLength"]}
    arns = dict.fromkeys((*REFS, "ChatTopic"), "x" * 160)
    for function in STACK.functions.values():
        given_to = function.environment(longest, arns)
        assert sum(len(name) + len(value) for name, value in given_to.items()) <= 4096


@pytest.mark.parametrize(
    "parameter",
    [
        *("UnsupportedZoneIds", "RequiredEndpointServices", "RequiredTags", "DigestHour", "RuleOverrides"),
        *("CreatedByTag", "DefaultTags"),
    ],
)
@given(data=st.data())
def test_settings_can_use_every_text_that_the_template_admits(parameter: str, data: st.DataObject) -> None:
    value = data.draw(
        st.from_regex(re.compile(STACK.parameters[parameter]["AllowedPattern"], re.ASCII), fullmatch=True)
    )
    assume(len(value) <= STACK.parameters[parameter].get("MaxLength", 4096))
    assume(not names_one_twice(value))  # which no pattern can tell
    function = STACK.functions["ValidateNetworkFunction"]
    Settings.from_env(function.environment({parameter: value}, REFS))


def names_one_twice(value: str) -> bool:
    """Whether a text that may be a JSON object has the same name in it more than once."""
    pairs = json.loads(value, object_pairs_hook=tuple) if value.lstrip().startswith("{") else ()
    return len(dict(pairs)) < len(pairs)


PARTS = (
    "owner",
    "aws:",
    "Aws:",
    "aws",
    "apprunner-guardrails:",
    "APPRUNNER-guardrails:",
    " ",
    "'",
    ",",
    "_/+@=.",
    "x" * 64,
)


@given(st.lists(st.sampled_from(PARTS), max_size=4).map("".join))
def test_settings_and_template_admit_the_same_keys_of_ownership_tags(key: str) -> None:
    function = STACK.functions["TagResourcesFunction"]
    assume(key == key.strip())  # of which settings take the middle
    for parameter in OWN_TAGS:
        try:
            Settings.from_env(function.environment({parameter: key}, REFS))
        except BadSettings:
            assert not admits(parameter, key)
        else:
            assert admits(parameter, key)


def test_every_severity_can_be_chosen_for_a_rule() -> None:
    for severity in [*Severity, "off"]:
        assert admits("RuleOverrides", f'{{"AR101": "{severity}"}}')


@pytest.mark.parametrize(
    "parameter",
    [
        *("MinConnectorZones", "MinFreeAddresses", "RequireInternetEgress", "ReminderDays", "SecurityHubImport"),
        *("SyncPolicy", "SyncWaitMinutes", "DrainDeletedEndpoints", "EmailsInTags"),
        *(*TRUTHS, "MaxUnhealthyThreshold", "RequiredAddressType", "VpcLinkWaitMinutes"),
    ],
)
def test_settings_and_template_draw_the_same_line(parameter: str) -> None:
    rule = STACK.parameters[parameter]
    edges = rule.get("AllowedValues") or [rule["MinValue"], rule["MaxValue"]]
    function = next(one for one in STACK.functions.values() if {"Ref": parameter} in one.variables.values())
    for edge in edges:
        Settings.from_env(function.environment({parameter: str(edge)}, REFS))
    beyond = [rule["MinValue"] - 1, rule["MaxValue"] + 1] if "MinValue" in rule else ["perhaps"]
    for one in beyond:
        with pytest.raises(BadSettings):
            Settings.from_env(function.environment({parameter: str(one)}, REFS))


# --- what invokes a function -------------------------------------------------------------------------------------


def test_the_audit_has_its_timetable_and_what_members_ask_for_and_nothing_else() -> None:
    audit = STACK.functions["AuditRegionFunction"]
    assert (audit.patterns, list(audit.queues)) == ({}, ["MemberAuditQueue"])
    assert audit.schedules == {"AuditRegionFunctionTimetable": "rate(1 hour)"}
    rule = STACK.resources["AuditRegionFunctionTimetable"]["Properties"]
    assert rule["ScheduleExpression"] == {"Ref": "AuditSchedule"}


def test_changes_of_the_network_come_in_batches_to_few_at_a_time() -> None:
    queue = STACK.functions["ValidateNetworkFunction"].queues["DriftQueue"]
    assert (queue.batch_size, queue.window_seconds, list(queue.patterns)) == (1000, 30, ["DriftRule", "PathRule"])


def test_changed_targets_and_what_is_come_back_to_come_in_batches() -> None:
    queue = STACK.functions["SyncTargetsFunction"].queues["SyncQueue"]
    assert (queue.batch_size, queue.window_seconds, list(queue.patterns)) == (100, 10, ["TargetChangesRule"])


def test_what_is_created_and_what_is_come_back_to_comes_soon_and_a_few_at_a_time() -> None:
    queue = STACK.functions["TagResourcesFunction"].queues["TagQueue"]
    assert (queue.batch_size, queue.window_seconds, list(queue.patterns)) == (5, 0, ["CreationRule"])


def test_a_queue_invokes_few_at_a_time_and_takes_back_what_failed_of_a_batch() -> None:
    mappings = STACK.of_type("AWS::Lambda::EventSourceMapping")
    assert {name: one["ScalingConfig"]["MaximumConcurrency"] for name, one in mappings.items()} == {
        "AuditRegionFunctionMembers": 10,
        "SyncTargetsFunctionWaiting": 2,  # Lambda takes no less
        "TagResourcesFunctionWaiting": 2,
        "ValidateNetworkFunctionDrift": 2,
        "ValidateNetworkFunctionMembers": 5,
    }
    for mapping in mappings.values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]  # which is how the handlers answer


def test_what_members_send_comes_from_a_bus_of_its_own() -> None:
    queues = {name: queue for one in STACK.functions.values() for name, queue in one.queues.items()}
    assert {name: list(one.member_patterns) for name, one in queues.items() if one.member_patterns} == {
        "MemberAuditQueue": ["MemberAuditsRule"],
        "MemberQueue": ["MemberEventsRule"],
    }
    assert (queues["MemberQueue"].batch_size, queues["MemberQueue"].window_seconds) == (100, 30)
    assert (queues["MemberAuditQueue"].batch_size, queues["MemberAuditQueue"].window_seconds) == (1, 0)


def test_one_sync_runs_at_a_time_and_may_come_back_to_itself() -> None:
    kept = {"ReservedConcurrentExecutions", "RecursiveLoop"}
    assert {name: {key: one[key] for key in kept & one.keys()} for name, one in lambdas().items()} == {
        "ValidateNetworkFunction": {},
        "AuditRegionFunction": {},
        "SyncTargetsFunction": {"ReservedConcurrentExecutions": 1, "RecursiveLoop": "Allow"},
        "TagResourcesFunction": {},  # it comes back to something fewer times than Lambda lets a loop go round
    }


def test_the_sync_is_not_told_of_its_own_calls() -> None:
    assert role_of("SyncTargetsFunction") == "SyncTargetsRole"
    detail = STACK.resources["TargetChangesRule"]["Properties"]["EventPattern"]["detail"]
    issuers = [one["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] for one in detail["$or"]]
    assert issuers == [[{"anything-but": arn("SyncTargetsRole")}], [{"exists": False}]]


def test_the_sync_has_a_timetable_whose_late_runs_are_left_to_the_next() -> None:
    assert STACK.functions["SyncTargetsFunction"].schedules == {"SyncTargetsFunctionTimetable": "rate(5 minutes)"}
    rule = STACK.resources["SyncTargetsFunctionTimetable"]["Properties"]
    assert rule["ScheduleExpression"] == {"Ref": "SyncSchedule"}
    (target,) = rule["Targets"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 300


PATTERNS = {
    rule: pattern
    for one in STACK.functions.values()
    for patterns in (one.patterns, *(queue.patterns for queue in one.queues.values()))
    for rule, pattern in patterns.items()
}
CHANGE, ENDPOINT, DRIFT, PATH = (
    "ValidateNetworkFunctionNetworkChange",
    "ValidateNetworkFunctionEndpointFailure",
    "DriftRule",
    "PathRule",
)
ADDRESSES, INGRESS, GROUPS, TARGETS = (
    "SyncTargetsFunctionEndpointChange",
    "SyncTargetsFunctionIngressChange",
    "SyncTargetsFunctionTargetGroupChange",
    "TargetChangesRule",
)
SYNC_RULES = (ADDRESSES, INGRESS, GROUPS, TARGETS)
CREATION = "CreationRule"
APPRUNNER = "apprunner.amazonaws.com"
CONNECTOR = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/orders/1/0123456789abcdef0123456789abcdef"
SHOP = "arn:aws:apprunner:us-east-1:123456789012:service/shop/0123456789abcdef0123456789abcdef"
ELB = "elasticloadbalancing.amazonaws.com"
OURS = [{"prefix": {"equals-ignore-case": "apprunner-guardrails:"}}]
OWN_ROLE = role_arn("SyncTargetsRole")
TAGGING_ROLE = role_arn("TagResourcesRole")
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/orders/73e2d6bc24d8a067"


def call(name: str, source: str = "apprunner", /, **detail: object) -> dict[str, object]:
    return {
        "source": f"aws.{source}",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {"eventSource": f"{source}.amazonaws.com", "eventName": name, **detail},
    }


def operation(status: str) -> dict[str, object]:
    return {
        "source": "aws.apprunner",
        "detail-type": "AppRunner Service Operation Status Change",
        "detail": {"operationStatus": status, "serviceName": "web"},
    }


def tagged(*keys: str, **detail: object) -> dict[str, object]:
    tags = [{"key": key, "value": "x"} for key in keys]
    return call("TagResource", requestParameters={"resourceArn": CONNECTOR, "tags": tags}, **detail)


def untagged(*keys: str) -> dict[str, object]:
    return call("UntagResource", requestParameters={"resourceArn": SHOP, "tagKeys": list(keys)})


def ingress_tagged(*keys: str) -> dict[str, object]:
    arn = "arn:aws:apprunner:us-east-1:123456789012:vpcingressconnection/orders/0123456789abcdef0123456789abcdef"
    tags = [{"key": key, "value": "x"} for key in keys]
    return call("TagResource", requestParameters={"resourceArn": arn, "tags": tags})


def ec2_tagged(*keys: str) -> dict[str, object]:
    tags = {"items": [{"key": key, "value": "x"} for key in keys]}
    request = {"resourcesSet": {"items": [{"resourceId": "vpce-1"}]}, "tagSet": tags}
    return call("CreateTags", "ec2", requestParameters=request)


def endpoint(service: str, **detail: object) -> dict[str, object]:
    request = {"CreateVpcEndpointRequest": {"VpcId": "vpc-1", "ServiceName": service}}
    return call("CreateVpcEndpoint", "ec2", requestParameters=request, **detail)


def modified(**change: object) -> dict[str, object]:
    request = {"ModifyVpcEndpointRequest": {"VpcEndpointId": "vpce-1", **change}}
    answer = {"ModifyVpcEndpointResponse": {"return": True}}
    return call("ModifyVpcEndpoint", "ec2", requestParameters=request, responseElements=answer)


def deleted(*endpoint_ids: str, **detail: object) -> dict[str, object]:
    items = [{"tag": number, "content": one} for number, one in enumerate(endpoint_ids, 1)]
    request = {"DeleteVpcEndpointsRequest": {"VpcEndpointId": items if len(items) > 1 else items[0]}}
    return call("DeleteVpcEndpoints", "ec2", requestParameters=request, **detail)


def group_call(name: str, /, **request: object) -> dict[str, object]:
    return call(name, "elasticloadbalancing", apiVersion="2015-12-01", requestParameters=request)


def group_call_failed(name: str, code: str) -> dict[str, object]:
    return call(name, "elasticloadbalancing", requestParameters={"name": "orders", "type": "network"}, errorCode=code)


def group_tagged(*keys: str) -> dict[str, object]:
    return group_call("AddTags", resourceArns=[GROUP], tags=[{"key": key, "value": "vpce-1"} for key in keys])


def group_untagged(*keys: str) -> dict[str, object]:
    return group_call("RemoveTags", resourceArns=[GROUP], tagKeys=list(keys))


def targets_changed(name: str, identity: Mapping[str, object], **detail: object) -> dict[str, object]:
    request = {"targetGroupArn": GROUP, "targets": [{"id": "10.0.1.5", "port": 443}]}
    return call(name, "elasticloadbalancing", requestParameters=request, userIdentity=identity, **detail)


def role(arn: str) -> dict[str, object]:
    issuer = {"type": "Role", "principalId": "AROA", "arn": arn, "accountId": "123456789012", "userName": "r"}
    session = {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}}
    return {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/r/s", "sessionContext": session}


USER = {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/ana", "userName": "ana"}
USER_AT_CONSOLE = {**USER, "sessionContext": {"sessionIssuer": {}, "attributes": {"mfaAuthenticated": "true"}}}
SERVICE = {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}
FAILURE = {"errorCode": "InvalidRequestException"}


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_is_shorter_than_eventbridge_admits(pattern: Pattern) -> None:
    longest = f"arn:aws-us-gov:iam::123456789012:role/{'r' * 64}"
    assert len(re.sub(r"arn:aws:iam:[^\"]+", longest, json.dumps(pattern))) <= 2048


def test_a_rule_has_no_more_targets_than_eventbridge_admits() -> None:
    for rule in STACK.of_type("AWS::Events::Rule").values():
        assert 1 <= len(rule["Targets"]) <= 5


def by_others_than(role: str) -> list[Pattern]:
    """A field that is not there is not "anything but" something."""
    return [
        {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [one]}}}}
        for one in ({"anything-but": role}, {"exists": False})
    ]


def path_calls(source: str) -> list[str]:
    return [name for of, name in paths.CALLS if of == source]


def test_the_rules_watch_what_the_code_knows() -> None:
    cloudtrail, operations = "AWS API Call via CloudTrail", "AppRunner Service Operation Status Change"
    explained = [name for source, name in EXPLAINED if source == APPRUNNER and (source, name) not in CALLS]
    went_through = [{"exists": False}]
    of_app_runner = {"ServiceName": [{"suffix": ".apprunner"}, {"suffix": ".apprunner.requests"}]}
    others_of_paths = sorted(one for one in path_calls(drift.SOURCE) if one != "CreateVpcEndpoint")
    watched = {
        CHANGE: {
            "source": ["aws.apprunner"],
            "detail-type": [cloudtrail, operations],
            "detail": {
                "$or": [
                    {"eventSource": [APPRUNNER], "eventName": [name for _, name in CALLS]},
                    {"eventSource": [APPRUNNER], "eventName": explained, "errorCode": [{"exists": True}]},
                    {
                        "eventSource": [APPRUNNER],
                        "eventName": [*TAGGING],
                        "errorCode": went_through,
                        "requestParameters": {
                            "resourceArn": [{"wildcard": "*:vpcconnector/*"}, {"wildcard": "*:service/*"}]
                        },
                        "$or": by_others_than(TAGGING_ROLE),
                    },
                    {"operationStatus": [*FINISHED, *FAILED]},
                ]
            },
        },
        ENDPOINT: {
            "source": ["aws.ec2"],
            "detail-type": [cloudtrail],
            "detail": {
                "eventSource": ["ec2.amazonaws.com"],
                "eventName": [name for source, name in EXPLAINED if source == "ec2.amazonaws.com"],
                "errorCode": [{"exists": True}],
                "requestParameters": {"CreateVpcEndpointRequest": of_app_runner},
            },
        },
        DRIFT: {
            "source": ["aws.ec2"],
            "detail-type": [cloudtrail],
            "detail": {
                "eventSource": [drift.SOURCE],
                "errorCode": went_through,
                "$or": [
                    {
                        "eventName": [name for source, name in paths.TAGGING if source == drift.SOURCE],
                        "requestParameters": {"tagSet": {"items": {"key": OURS}}},
                    },
                    {
                        "eventName": ["CreateVpcEndpoint"],
                        "requestParameters": {"CreateVpcEndpointRequest": of_app_runner},
                    },
                    {"eventName": [*others_of_paths, *drift.CALLS]},
                ],
            },
        },
        PATH: {
            "source": ["aws.apprunner", "aws.elasticloadbalancing", "aws.apigateway"],
            "detail-type": [cloudtrail],
            "detail": {
                "errorCode": went_through,
                "$or": [
                    {"eventSource": [APPRUNNER], "eventName": path_calls(APPRUNNER)},
                    {
                        "eventSource": [APPRUNNER],
                        "eventName": [name for source, name in paths.TAGGING if source == APPRUNNER],
                        "requestParameters": {"resourceArn": [{"wildcard": "*:vpcingressconnection/*"}]},
                        "$or": by_others_than(TAGGING_ROLE),
                    },
                    {"eventSource": [ELB], "eventName": path_calls(ELB)},
                    {"eventSource": [ELB], "eventName": ["AddTags"], "requestParameters": {"tags": {"key": OURS}}},
                    {"eventSource": [ELB], "eventName": ["RemoveTags"], "requestParameters": {"tagKeys": OURS}},
                    {"eventSource": ["apigateway.amazonaws.com"]},
                ],
            },
        },
    }
    assert {name: pattern for name, pattern in PATTERNS.items() if name not in (*SYNC_RULES, CREATION)} == watched


def test_the_rules_of_the_sync_watch_what_its_code_knows() -> None:
    def calls(source: str) -> list[str]:
        return [name for of, name in triggers.CALLS if of == f"{source}.amazonaws.com"]

    def of(source: str, **detail: object) -> dict[str, object]:
        went_through = {"eventSource": [f"{source}.amazonaws.com"], "errorCode": [{"exists": False}]}
        envelope = {"source": [f"aws.{source}"], "detail-type": ["AWS API Call via CloudTrail"]}
        return {**envelope, "detail": {**went_through, **detail}}

    create, *others = calls("ec2")
    of_app_runner = {"CreateVpcEndpointRequest": {"ServiceName": [{"suffix": binding.SERVICE}]}}
    made, tag, untag, *changed = calls("elasticloadbalancing")
    either = [
        {"eventName": [made]},
        {"eventName": [tag], "requestParameters": {"tags": {"key": OURS}}},
        {"eventName": [untag], "requestParameters": {"tagKeys": OURS}},
    ]
    assert {name: PATTERNS[name] for name in SYNC_RULES} == {
        ADDRESSES: of(
            "ec2", **{"$or": [{"eventName": others}, {"eventName": [create], "requestParameters": of_app_runner}]}
        ),
        INGRESS: of("apprunner", eventName=calls("apprunner")),
        GROUPS: of("elasticloadbalancing", **{"$or": either}),
        TARGETS: of("elasticloadbalancing", eventName=changed, **{"$or": by_others_than(OWN_ROLE)}),
    }


def test_the_rule_of_what_is_created_watches_what_its_code_knows() -> None:
    def calls(source: str) -> list[str]:
        return [name for of, name in created.CALLS if of == source]

    assert [*calls("ec2.amazonaws.com"), *calls(ELB)] == [
        "CreateVpcEndpoint",
        "CreateTargetGroup",
        "CreateLoadBalancer",
    ]
    services = [{"suffix": one} for one in created.ENDPOINT_SERVICES]
    assert PATTERNS[CREATION] == {
        "source": ["aws.apprunner", "aws.ec2", "aws.elasticloadbalancing"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "errorCode": [{"exists": False}],
            "$or": [
                {"eventSource": [APPRUNNER], "eventName": calls(APPRUNNER)},
                {
                    "eventSource": ["ec2.amazonaws.com"],
                    "eventName": ["CreateVpcEndpoint"],
                    "requestParameters": {"CreateVpcEndpointRequest": {"ServiceName": services}},
                },
                {"eventSource": [ELB], "eventName": ["CreateTargetGroup"]},
                {"eventSource": [ELB], "eventName": ["CreateLoadBalancer"], "requestParameters": {"type": ["network"]}},
            ],
        },
    }


ADMITTED: list[tuple[str | tuple[str, ...], dict[str, object]]] = [
    ((CHANGE, CREATION), call("CreateVpcConnector")),
    (CHANGE, call("DeleteVpcConnector")),
    ((CHANGE, CREATION), call("CreateService", readOnly=False)),
    (CHANGE, call("CreateService", **FAILURE)),
    (CHANGE, call("CreateVpcConnector", **FAILURE)),
    (CHANGE, call("UpdateService")),
    (CHANGE, call("ResumeService")),
    (CHANGE, call("UpdateService", **FAILURE)),
    (CHANGE, call("DeleteVpcConnector", **FAILURE)),
    (CHANGE, call("DeleteService", **FAILURE)),
    (CHANGE, call("CreateVpcIngressConnection", **FAILURE)),
    (CHANGE, call("DeleteVpcIngressConnection", **FAILURE)),
    (CHANGE, tagged("team", "apprunner-guardrails:exempt:AR101")),
    (CHANGE, tagged("AppRunner-Guardrails:Exempt:AR101")),  # malformed, and to be told so
    (CHANGE, untagged("apprunner-guardrails:exempt:AR101", "team")),
    (CHANGE, untagged("team")),  # RequiredTags may ask for it
    (CHANGE, tagged("team")),
    (CHANGE, tagged("created-by", userIdentity=USER)),
    (CHANGE, tagged("created-by", userIdentity=role(OWN_ROLE))),
    (CHANGE, tagged("created-by", userIdentity=role(f"{TAGGING_ROLE}2"))),
    (CHANGE, tagged("created-by", userIdentity=SERVICE)),
    (PATH, ingress_tagged("apprunner-guardrails:exempt:AR501")),
    # The wrong one, which may be meant for a private path.
    ((DRIFT, CREATION), endpoint("com.amazonaws.us-east-1.apprunner")),
    (DRIFT, call("AssociateAddress", "ec2", requestParameters={"networkInterfaceId": "eni-1"})),
    (DRIFT, ec2_tagged("apprunner-guardrails:exempt:AR504")),
    (PATH, group_call("ModifyTargetGroupAttributes", targetGroupArn=GROUP)),
    (PATH, group_call("CreateListener", loadBalancerArn=GROUP)),
    (PATH, call("CreateDeployment", "apigateway", requestParameters={"restApiId": "a1b2c3d4e5"})),
    (CHANGE, operation("UpdateServiceCompletedSuccessfully")),
    (CHANGE, operation("DeleteServiceCompletedSuccessfully")),
    (CHANGE, operation("UpdateServiceFailed")),
    (CHANGE, operation("DeploymentFailed")),
    (ENDPOINT, endpoint("com.amazonaws.us-east-1.apprunner.requests", **FAILURE)),
    (ENDPOINT, endpoint("com.amazonaws.us-east-1.apprunner", **FAILURE)),
    (ENDPOINT, endpoint("com.amazonaws.us-east-1.apprunner.requests", errorCode="Client.DryRunOperation")),
    ((DRIFT, ADDRESSES, CREATION), endpoint("com.amazonaws.us-east-1.apprunner.requests")),
    ((DRIFT, ADDRESSES), modified(AddSubnetId={"tag": 1, "content": "subnet-a"})),
    ((DRIFT, ADDRESSES), modified(SubnetConfiguration={"tag": 1, "SubnetId": "subnet-a", "Ipv4": "10.0.1.9"})),
    ((DRIFT, ADDRESSES), deleted("vpce-1")),
    ((DRIFT, ADDRESSES), deleted("vpce-1", "vpce-2")),
    ((PATH, INGRESS, CREATION), call("CreateVpcIngressConnection")),
    ((PATH, INGRESS), call("UpdateVpcIngressConnection")),
    ((PATH, INGRESS), call("DeleteVpcIngressConnection")),
    ((GROUPS, CREATION), group_call("CreateTargetGroup", name="orders", targetType="ip")),
    ((PATH, CREATION), group_call("CreateLoadBalancer", name="orders", type="network")),
    (PATH, group_call("CreateLoadBalancer", name="web", type="application")),
    (PATH, group_call("CreateLoadBalancer", name="web")),  # an Application Load Balancer too
    (PATH, group_call("CreateLoadBalancer", loadBalancerName="classic", listeners=[])),
    ((PATH, GROUPS), group_tagged("team", "apprunner-guardrails:endpoint")),
    ((PATH, GROUPS), group_tagged("apprunner-guardrails:exempt:AR510")),
    ((PATH, GROUPS), group_tagged("AppRunner-Guardrails:Endpoint")),  # malformed, and to be told so
    ((PATH, GROUPS), group_untagged("apprunner-guardrails:endpoint", "team")),
    (TARGETS, targets_changed("RegisterTargets", role("arn:aws:iam::123456789012:role/Deployer"))),
    (TARGETS, targets_changed("DeregisterTargets", role(f"{OWN_ROLE}2"))),
    (TARGETS, targets_changed("DeregisterTargets", USER)),
    (TARGETS, targets_changed("RegisterTargets", USER_AT_CONSOLE)),
    (TARGETS, targets_changed("RegisterTargets", SERVICE)),
    (TARGETS, targets_changed("RegisterTargets", {"type": "Root", "accountId": "123456789012"})),
    (DRIFT, call("DeleteRoute", "ec2")),
    (DRIFT, call("ModifyVpcAttribute", "ec2", requestParameters={"vpcId": "vpc-1"})),
]


@pytest.mark.parametrize(("rule", "event"), ADMITTED, ids=str)
def test_what_concerns_the_guardrails_is_taken_up_by_one_rule_of_each_function(
    rule: str | tuple[str, ...], event: dict[str, object]
) -> None:
    rules = (rule,) if isinstance(rule, str) else rule
    assert tuple(name for name, pattern in PATTERNS.items() if matches(pattern, event)) == rules


@pytest.mark.parametrize(
    "event",
    [
        call("DescribeVpcConnector"),
        call("DeleteService"),
        call("UpdateVpcIngressConnection", **FAILURE),
        call("PauseService", **FAILURE),
        call("TagResource"),
        call("TagResource", requestParameters={"resourceArn": "arn", "tags": []}),
        tagged("apprunner-guardrails:exempt:AR101", **FAILURE),
        {**call("CreateVpcConnector"), "source": "aws.ecs"},
        call("CreateAutoScalingConfiguration"),
        call("DescribeVpcEndpoints", "ec2"),
        endpoint("com.amazonaws.us-east-1.apprunnerx"),
        endpoint("com.amazonaws.us-east-1.ecr.dkr"),
        group_call("CreateRule", listenerArn=GROUP),
        tagged("created-by", userIdentity=role(TAGGING_ROLE)),
        ec2_tagged("created-by"),
        group_tagged("created-by"),
        {**call("CreateVpcConnector"), "detail-type": "AWS Service Event via CloudTrail"},
        call("CreateService", eventSource="ecs.amazonaws.com"),
        operation("UpdateServiceStarted"),
        operation("CreateServiceCompletedSuccessfully"),
        {**operation("UpdateServiceFailed"), "detail-type": "AppRunner Service Status Change"},
        endpoint("com.amazonaws.us-east-1.s3", **FAILURE),
        group_call_failed("CreateTargetGroup", "DuplicateTargetGroupNameException"),
        group_call_failed("CreateLoadBalancer", "InvalidSubnetException"),
        endpoint("com.amazonaws.us-east-1.s3"),
        call("CreateVpcEndpoint", "ec2", **FAILURE),
        ec2_tagged("team"),
        call("CreateDeployment", "apigateway", **FAILURE),
        group_call("ModifyRule", ruleArn=GROUP),
        deleted("vpce-1", **FAILURE),
        call("ModifyVpcEndpointServiceConfiguration", "ec2"),
        group_tagged("team"),
        group_tagged(),
        group_untagged("endpoint"),
        group_call("DescribeTargetHealth", targetGroupArn=GROUP),
        {**group_tagged("apprunner-guardrails:endpoint"), "source": "aws.ec2"},
        targets_changed("RegisterTargets", role(OWN_ROLE)),
        targets_changed("DeregisterTargets", role(OWN_ROLE)),
        targets_changed("RegisterTargets", USER, errorCode="TargetGroupNotFoundException"),
        targets_changed("DeregisterTargets", role("arn:aws:iam::123456789012:role/Deployer"), **FAILURE),
        targets_changed("RegisterInstancesWithLoadBalancer", USER),
        call("DeleteRoute", "ec2", **FAILURE),
        call("CreateTags", "ec2"),
        {**call("DeleteRoute", "ec2"), "source": "custom"},
        {"source": "aws.apprunner", "detail-type": "AWS API Call via CloudTrail"},
        {},
    ],
    ids=str,
)
def test_other_events_reach_no_function(event: dict[str, object]) -> None:
    assert [name for name, pattern in PATTERNS.items() if matches(pattern, event)] == []
