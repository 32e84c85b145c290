"""What the roles of the templates can change and what they cannot, request by request, as IAM would decide.

Each action that changes something has rows here: requests that its role needs, and requests that it must never get
through with. What is needed is tried in other accounts and Regions too, and on everything else that the stack makes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from apprunner_guardrails.events import TAGS
from apprunner_guardrails.targets import binding
from replay.template import load
from tests.template.iam import (
    ACCOUNT,
    OF_NO_RESOURCE,
    REGION,
    Context,
    Deployed,
    Request,
    Statement,
    is_read,
    listed,
    permits,
)

ROOT = Path(__file__).parents[2]
ORGANIZATION, OTHER_ACCOUNT, OTHER_REGION = "o-a1b2c3d4e5", "210987654321", "eu-west-1"
MEMBER, MEMBER_ROLE = "345678901234", "apprunner-guardrails-member"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
# The settings that permit most; the defaults permit least.
EVERYTHING = {
    "AlertEmail": "alerts@example.com",
    "OpsEmail": "ops@example.com",
    "ChatNotifications": "true",
    "SecurityHubImport": "true",
    "OrganizationId": ORGANIZATION,
    "MemberExternalId": "guardrails-of-example",
    "KeyArn": KEY,
}
STACK = Deployed(stack=load(), parameters=EVERYTHING)
PLAIN = Deployed(stack=load())
# organization.yaml in another account than the guardrails', and in the Region that makes the role.
HOME = "456789012345"
MEMBERSHIP = Deployed(
    stack=load(ROOT / "organization.yaml"),
    parameters={
        "HomeAccountId": HOME,
        "HomeRegion": REGION,
        "HomeStackName": "guardrails",
        "OrganizationId": ORGANIZATION,
        "MemberExternalId": "guardrails-of-example",
    },
)
DEPLOYED = (STACK, MEMBERSHIP)
ROLES = {role: one for one in DEPLOYED for role in sorted(one.stack.of_type("AWS::IAM::Role"))}

type Row = tuple[str, Context]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Requests that an action has to get through with, and some that it must not: a resource's ARN with a context."""

    needed: tuple[Row, ...]
    refused: tuple[Row, ...]


def arn(service: str, resource: str, account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def own(*names: str, of: Deployed = STACK) -> Reach:
    """Resources of the stack, whole names and no more."""
    arns = [of.arn(name) for name in names]
    near = [
        near for one in arns for near in (f"{one}2", one[:-1], f"{one}/x", f"{one}:x", one.rpartition(":")[0] + ":*")
    ]
    return Reach(needed=tuple((one, {}) for one in arns), refused=tuple((one, {}) for one in near))


def log_group(name: str) -> Reach:
    group = STACK.arn(name).removesuffix(":*")
    stream = "log-stream:2026/11/22/[$LATEST]0123456789abcdef"
    others = (f"{group}2", group[:-1], arn("logs", "log-group:/aws/lambda/orders"))
    return Reach(needed=((f"{group}:{stream}", {}),), refused=tuple((f"{one}:{stream}", {}) for one in others))


# --- what tells and remembers ------------------------------------------------------------------------------------

BUS = arn("events", "event-bus/default")
FINDINGS, AUDIT_DUE = "apprunner-guardrails", "apprunner-guardrails.member"


def events(source: str) -> Reach:
    """The account's own bus, for events of one source."""
    others = ({FINDINGS, AUDIT_DUE} - {source}).union(("aws.apprunner", "orders", source.title(), f"{source}2", ""))
    return Reach(
        needed=((BUS, {"events:source": (source,)}), (BUS, {"events:source": (source, source)})),
        refused=(
            (BUS, {}),
            (BUS, {"events:source": ()}),
            *((BUS, {"events:source": (*more, one)}) for one in sorted(others) for more in ((), (source,))),
            *((arn("events", f"event-bus/{one}"), {"events:source": (source,)}) for one in ("orders", "default2", "")),
        ),
    )


HUB = f"product/{ACCOUNT}/default"
SECURITY_HUB = Reach(
    needed=((arn("securityhub", HUB), {}),),
    refused=tuple(
        (one, {})
        for one in (
            arn("securityhub", "product/aws/guardduty", account=""),
            arn("securityhub", "product/aws/securityhub", account=""),
            arn("securityhub", f"product/{OTHER_ACCOUNT}/default"),
            arn("securityhub", f"product/{ACCOUNT}/orders"),
            arn("securityhub", "hub/default"),
        )
    ),
)
TELLING = {
    "dynamodb:PutItem": own("FindingsTable"),
    "sns:Publish": own("AlertTopic", "ChatTopic"),
    "events:PutEvents": events(FINDINGS),
    "securityhub:BatchImportFindings": SECURITY_HUB,
}


def key(*services: str) -> Reach:
    """The customer's key, for what these services keep under it and in no other way."""
    through = [{"kms:ViaService": f"{one}.{REGION}.amazonaws.com"} for one in services]
    others = sorted(
        {"dynamodb", "ebs", "ec2", "lambda", "logs", "rds", "s3", "secretsmanager", "sns", "sqs"} - {*services}
    )
    return Reach(
        needed=tuple((KEY, one) for one in through),
        refused=(
            (KEY, {}),
            *((KEY, {"kms:ViaService": f"{one}.{REGION}.amazonaws.com"}) for one in others),
            *((KEY, {"kms:ViaService": f"{one}.{OTHER_REGION}.amazonaws.com"}) for one in services),
            *((f"{KEY[:-1]}0", one) for one in through),
            *((arn("kms", "alias/orders"), one) for one in through),
        ),
    )


KEPT = dict.fromkeys(("kms:Decrypt", "kms:GenerateDataKey"), key("dynamodb", "sns", "sqs"))

# --- what changes something of a user's --------------------------------------------------------------------------

GROUP = arn("elasticloadbalancing", "targetgroup/orders/73e2d6bc24d8a067")
BOUND: Context = {f"aws:ResourceTag/{binding.TAG}": "vpce-0123456789abcdef0"}
TARGETS = Reach(
    needed=((GROUP, BOUND), (GROUP, {f"aws:ResourceTag/{binding.TAG}": "vpce-1 vpce-2", "aws:ResourceTag/team": "a"})),
    refused=(
        (GROUP, {}),
        (GROUP, {"aws:ResourceTag/team": "orders"}),
        (GROUP, {f"aws:ResourceTag/{binding.TAG}2": "vpce-0123456789abcdef0"}),
        (GROUP, {f"aws:ResourceTag/{TAGS}exempt:AR510": "known"}),
        (GROUP, {f"aws:RequestTag/{binding.TAG}": "vpce-0123456789abcdef0"}),
        (GROUP, {"aws:TagKeys": (binding.TAG,)}),
        (arn("elasticloadbalancing", "loadbalancer/net/orders/73e2d6bc24d8a067"), BOUND),
        (arn("elasticloadbalancing", "loadbalancer/orders"), BOUND),
        (arn("elasticloadbalancing", "listener/net/orders/73e2d6bc24d8a067/0123456789abcdef"), BOUND),
    ),
)

OWNERSHIP: Context = {"aws:TagKeys": ("created-by", "created-at", "cost center")}
ID = "0123456789abcdef0123456789abcdef"
TAGGED = (
    arn("apprunner", f"service/shop/{ID}"),
    arn("apprunner", f"vpcconnector/orders/1/{ID}"),
    arn("apprunner", f"vpcingressconnection/orders/{ID}"),
    arn("ec2", "vpc-endpoint/vpce-0123456789abcdef0"),
    GROUP,
    arn("elasticloadbalancing", "loadbalancer/net/orders/73e2d6bc24d8a067"),
)
UNTAGGED = (
    arn("apprunner", f"autoscalingconfiguration/a/1/{ID}"),
    arn("apprunner", f"observabilityconfiguration/a/1/{ID}"),
    arn("apprunner", f"connection/github/{ID}"),
    arn("ec2", "vpc-endpoint-service/vpce-svc-0123456789abcdef0"),
    arn("ec2", "network-interface/eni-0123456789abcdef0"),
    arn("ec2", "subnet/subnet-0123456789abcdef0"),
    arn("ec2", "instance/i-0123456789abcdef0"),
    arn("ec2", "security-group/sg-0123456789abcdef0"),
    arn("elasticloadbalancing", "loadbalancer/app/web/73e2d6bc24d8a067"),
    arn("elasticloadbalancing", "loadbalancer/gwy/wall/73e2d6bc24d8a067"),
    arn("elasticloadbalancing", "loadbalancer/classic"),
    arn("elasticloadbalancing", "listener/net/orders/73e2d6bc24d8a067/0123456789abcdef"),
)
# Keys that bind, exempt or tell the guardrails anything else. IAM takes the key of a resource's tag whatever its case.
TELLING_KEYS = (
    binding.TAG,
    f"{TAGS}exempt:AR101",
    TAGS,
    binding.TAG.upper(),
    binding.TAG.title(),
    f"aPPRUNNER-guardrails:{binding.TAG.partition(':')[2]}",
)


def tags(service: str) -> Reach:
    """Ownership tags on what the service has that they are put on; the services share one statement."""
    ours = tuple((one, OWNERSHIP) for one in TAGGED if one.split(":")[2] == service)
    others = tuple((one, OWNERSHIP) for one in UNTAGGED if one.split(":")[2] == service)
    telling = tuple(
        (one, {"aws:TagKeys": keys})
        for one, _ in ours
        for key in TELLING_KEYS
        for keys in ((key,), ("created-by", key))
    )
    none: tuple[Row, ...] = tuple((one, context) for one, _ in ours for context in ({}, {"aws:TagKeys": ()}))
    return Reach(needed=ours, refused=(*others, *telling, *none))


# --- other accounts ----------------------------------------------------------------------------------------------

IN_ORGANIZATION: Context = {"aws:ResourceOrgID": ORGANIZATION}


def role(name: str, account: str = MEMBER) -> str:
    return arn("iam", f"role/{name}", account=account, region="")


MEMBERS = Reach(
    needed=((role(MEMBER_ROLE), IN_ORGANIZATION), (role(MEMBER_ROLE, ACCOUNT), IN_ORGANIZATION)),
    refused=(
        (role(MEMBER_ROLE), {}),
        (role(MEMBER_ROLE), {"aws:ResourceOrgID": "o-z9y8x7w6v5"}),
        (role(MEMBER_ROLE), {"aws:PrincipalOrgID": ORGANIZATION}),
        *((role(one), IN_ORGANIZATION) for one in ("Administrator", f"{MEMBER_ROLE}2", f"x/{MEMBER_ROLE}", "*")),
        *((role(one, ACCOUNT), IN_ORGANIZATION) for one in ROLES),
        (arn("iam", f"user/{MEMBER_ROLE}", account=MEMBER, region=""), IN_ORGANIZATION),
    ),
)
# Whose events they are EventBridge says; the home's bus knows which it takes.
HOME_BUS = arn("events", "event-bus/guardrails-members", HOME)
FORWARDING = Reach(
    needed=((HOME_BUS, {}), (HOME_BUS, {"events:source": ("aws.apprunner",)})),
    refused=(
        *((arn("events", f"event-bus/{one}", HOME), {}) for one in ("default", "guardrails-members2", "orders")),
        (BUS, {}),
        (HOME_BUS.replace(HOME, ACCOUNT), {}),
        (HOME_BUS.replace(HOME, OTHER_ACCOUNT), {}),
        (HOME_BUS.replace(REGION, OTHER_REGION), {}),
    ),
)
TAKING = ("sqs:ReceiveMessage", "sqs:DeleteMessage")
LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")

# By role and action.
ROWS: Mapping[tuple[str, str], Reach] = {
    (role, action): reach
    for role, reaches in {
        "ValidateNetworkRole": {
            **TELLING,
            **dict.fromkeys(TAKING, own("DriftQueue", "MemberQueue")),
            "sqs:SendMessage": own("ValidateNetworkDeadLetterQueue"),
            **dict.fromkeys(LOGGING, log_group("ValidateNetworkLogGroup")),
            "sts:AssumeRole": MEMBERS,
            **KEPT,
        },
        "AuditRegionRole": {
            **TELLING,
            **dict.fromkeys(TAKING, own("MemberAuditQueue")),
            "sqs:SendMessage": own("AuditRegionDeadLetterQueue"),
            **dict.fromkeys(LOGGING, log_group("AuditRegionLogGroup")),
            "sts:AssumeRole": MEMBERS,
            **KEPT,
        },
        "SyncTargetsRole": {
            **TELLING,
            "elasticloadbalancing:RegisterTargets": TARGETS,
            "elasticloadbalancing:DeregisterTargets": TARGETS,
            **dict.fromkeys(TAKING, own("SyncQueue")),
            "sqs:SendMessage": own("SyncQueue", "SyncTargetsDeadLetterQueue"),
            **dict.fromkeys(LOGGING, log_group("SyncTargetsLogGroup")),
            **KEPT,
        },
        "TagResourcesRole": {
            "apprunner:TagResource": tags("apprunner"),
            "ec2:CreateTags": tags("ec2"),
            "elasticloadbalancing:AddTags": tags("elasticloadbalancing"),
            **dict.fromkeys((*TAKING, "sqs:SendMessage"), own("TagQueue")),
            **dict.fromkeys(LOGGING, log_group("TagResourcesLogGroup")),
            **dict.fromkeys(KEPT, key("sqs")),
        },
        "ForwardRole": {"events:PutEvents": FORWARDING},
        "ScheduleRole": {
            "events:PutEvents": events(AUDIT_DUE),
            "sqs:SendMessage": own("DeadLetterQueue", of=MEMBERSHIP),
        },
    }.items()
    for action, reach in reaches.items()
}


def changes(role: str, *, plain: bool = False) -> set[str]:
    """The actions of a role that change something."""
    actions = {action for one in allowed(role, plain=plain) for action in listed(one["Action"])}
    return {one for one in actions if not is_read(one)}


def may(role: str, action: str, row: Row, *, plain: bool = False) -> bool:
    return permits(allowed(role, plain=plain), Request(action=action, resource=row[0], context=row[1]))


@cache
def allowed(role: str, *, plain: bool = False) -> list[Statement]:
    return (PLAIN if plain and ROLES[role] is STACK else ROLES[role]).statements(role)


def test_everything_is_switched_on() -> None:
    for one, unmet in ((STACK, ["HasNoKey"]), (MEMBERSHIP, [])):
        assert one.parameters.keys() <= one.stack.parameters.keys()
        assert [name for name in one.stack.conditions if not one.is_met(name)] == unmet


def test_every_action_that_changes_something_has_rows_and_no_other() -> None:
    found = {(role, action) for role in ROLES for action in changes(role)}
    assert {one for one in found if one[1] not in OF_NO_RESOURCE} == ROWS.keys()
    assert {(role, action) for role in ROLES for action in changes(role, plain=True)} <= found


def test_the_role_in_other_accounts_changes_nothing() -> None:
    assert changes("MemberRole") == set()


@pytest.mark.parametrize("role", ROLES)
def test_an_action_is_written_out_and_changes_no_unnamed_resource(role: str) -> None:
    for one in allowed(role):
        actions = listed(one["Action"])
        assert [action for action in actions if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action)] == []
        if "*" in listed(one["Resource"]):
            assert {action for action in actions if not is_read(action)} <= OF_NO_RESOURCE.keys()


BY_ACTION = pytest.mark.parametrize(("role", "action"), ROWS, ids=str)


@BY_ACTION
def test_a_role_gets_through_with_what_it_needs(role: str, action: str) -> None:
    assert [row for row in ROWS[role, action].needed if not may(role, action, row)] == []


@BY_ACTION
def test_a_role_does_not_get_through_with_anything_else(role: str, action: str) -> None:
    for plain in (False, True):
        assert [row for row in ROWS[role, action].refused if may(role, action, row, plain=plain)] == []


def test_every_action_is_tried_where_it_must_not_get_through() -> None:
    assert [key for key, reach in ROWS.items() if not reach.needed or len(reach.refused) < 3] == []


def elsewhere(resource: str) -> Iterator[str]:
    """The same resource in another account, another Region, another partition."""
    arn, partition, service, region, account, rest = resource.split(":", 5)
    for others in (
        *((partition, region, OTHER_ACCOUNT), (partition, OTHER_REGION, account), ("aws-cn", region, account)),
        *((partition, region, ""), (partition, "", account)),
    ):
        moved = ":".join((arn, others[0], service, *others[1:], rest))
        if moved != resource:
            yield moved


# Other accounts are what these are for: the rows have what is refused there.
ABROAD = [key for key in ROWS if key[1] == "sts:AssumeRole" or key[0] == "ForwardRole"]


@pytest.mark.parametrize(("role", "action"), [one for one in ROWS if one not in ABROAD], ids=str)
def test_nothing_is_reached_outside_of_the_account_and_the_region(role: str, action: str) -> None:
    tried = [(one, context) for resource, context in ROWS[role, action].needed for one in elsewhere(resource)]
    assert len(tried) > 2
    assert [row for row in tried if may(role, action, row)] == []


@BY_ACTION
def test_of_what_the_stack_makes_an_action_reaches_what_it_needs_only(role: str, action: str) -> None:
    needed = ROWS[role, action].needed
    made = [one.replace(":*", needed[0][0][needed[0][0].find(":log-stream:") :]) for one in ROLES[role].arns().values()]
    contexts = [context for _, context in needed]
    reached = {one for one in made for context in contexts if may(role, action, (one, context))}
    assert reached == {one for one, _ in needed} & {*made}


def test_no_tag_that_the_guardrails_put_opens_a_target_group_to_them() -> None:
    """IAM compares the keys that are put with their case, and then takes the key that a group has without."""
    letters = [i for i, one in enumerate(binding.TAG) if one.isalpha()]
    cases = [binding.TAG, binding.TAG.upper(), binding.TAG.swapcase(), binding.TAG.title(), binding.TAG.capitalize()]
    cases += [f"{binding.TAG[:i]}{binding.TAG[i].upper()}{binding.TAG[i + 1 :]}" for i in letters]
    for key in cases:
        opened = may(
            "SyncTargetsRole", "elasticloadbalancing:RegisterTargets", (GROUP, {f"aws:ResourceTag/{key}": "x"})
        )
        put = may("TagResourcesRole", "elasticloadbalancing:AddTags", (GROUP, {"aws:TagKeys": (key,)}))
        assert (key, opened, put) == (key, True, False)


# --- who may use the roles, and who may send something in -----------------------------------------------------------

LAMBDA = ("Service", "lambda.amazonaws.com")
EVENTBRIDGE = ("Service", "events.amazonaws.com")
STRANGERS = (
    ("AWS", f"arn:aws:iam::{OTHER_ACCOUNT}:root"),
    ("AWS", f"arn:aws:iam::{OTHER_ACCOUNT}:role/Administrator"),
    ("AWS", f"arn:aws:iam::{ACCOUNT}:role/Administrator"),
    ("AWS", f"arn:aws:iam::{ACCOUNT}:user/somebody"),
    *(
        ("Service", f"{one}.amazonaws.com")
        for one in ("apigateway", "cloudformation", "ec2", "s3", "sns", "sqs", "ssm")
    ),
)


def assumes(role: str, principal: tuple[str, str], context: Context, action: str = "sts:AssumeRole") -> bool:
    request = Request(action=action, resource=ROLES[role].arn(role), principal=principal, context=context)
    return permits(ROLES[role].trust(role), request)


def from_source(source: str, account: str = ACCOUNT) -> Context:
    return {"aws:SourceAccount": account, "aws:SourceArn": source}


@pytest.mark.parametrize("role", STACK.stack.of_type("AWS::IAM::Role"))
def test_a_role_is_lambdas_to_use_and_nobody_elses(role: str) -> None:
    assert assumes(role, LAMBDA, {})
    assert [one for one in (*STRANGERS, EVENTBRIDGE) if assumes(role, one, {})] == []
    assert not assumes(role, LAMBDA, {}, "sts:TagSession")


@pytest.mark.parametrize(
    ("role", "service", "source", "other"),
    [
        ("ForwardRole", "events", arn("events", "rule/guardrails-AppRunnerRule"), arn("events", "event-bus/default")),
        ("ScheduleRole", "scheduler", arn("scheduler", "schedule-group/default"), arn("scheduler", "schedule-group/x")),
    ],
)
def test_a_role_that_sends_events_is_its_services_to_use_in_the_name_of_the_account(
    role: str, service: str, source: str, other: str
) -> None:
    principal = ("Service", f"{service}.amazonaws.com")
    assert assumes(role, principal, from_source(source))
    foreign = [from_source(one) for one in (*elsewhere(source), other)]
    refused: list[Context] = [{}, {"aws:SourceArn": source}, from_source(source, OTHER_ACCOUNT), *foreign]
    assert [one for one in refused if assumes(role, principal, one)] == []
    assert [one for one in (*STRANGERS, LAMBDA) if assumes(role, one, from_source(source))] == []


def test_the_role_in_other_accounts_is_for_two_functions_at_home_and_nobody_else() -> None:
    def of_home(name: str, account: str = HOME) -> tuple[tuple[str, str], Context]:
        arn = f"arn:aws:iam::{account}:role/{name}"
        with_id: Context = {
            "aws:PrincipalArn": arn,
            "aws:PrincipalOrgID": ORGANIZATION,
            "sts:ExternalId": "guardrails-of-example",
        }
        return ("AWS", arn), with_id

    for one in ("guardrails-ValidateNetworkRole-1A2B3C", "guardrails-AuditRegionRole-1A2B3C"):
        principal, context = of_home(one)
        assert assumes("MemberRole", principal, context)
        assert not assumes("MemberRole", principal, context, "sts:TagSession")
        for key, others in {
            "aws:PrincipalOrgID": ("o-z9y8x7w6v5",),
            "sts:ExternalId": ("", "guardrails", "guardrails-of-example2", "Guardrails-of-example", "*"),
            "aws:PrincipalArn": (principal[1].replace(HOME, OTHER_ACCOUNT), f"arn:aws:iam::{HOME}:role/Administrator"),
        }.items():
            without = {name: value for name, value in context.items() if name != key}
            wrong = [without, *({**context, key: other} for other in others)]
            assert [one for one in wrong if assumes("MemberRole", principal, one)] == []
        assert [one for one in (*STRANGERS, LAMBDA, EVENTBRIDGE) if assumes("MemberRole", one, context)] == []
    for one in ("guardrails-SyncTargetsRole-1A2B3C", "guardrails-TagResourcesRole-1A2B3C", "Administrator"):
        assert not assumes("MemberRole", *of_home(one))
    assert not assumes("MemberRole", *of_home("guardrails-AuditRegionRole-1A2B3C", OTHER_ACCOUNT))


def test_every_role_says_who_may_use_it() -> None:
    tried = {*STACK.stack.of_type("AWS::IAM::Role"), "ForwardRole", "ScheduleRole", "MemberRole"}
    assert ROLES.keys() == tried


def doors(deployed: Deployed) -> Iterator[tuple[str, tuple[Deployed, str, list[Statement]]]]:
    """What lets others in: by the policy's logical id the ARN of what it is of, and its statements."""
    for name, one in deployed.stack.resources.items():
        given = one.get("Properties", {})
        match one["Type"]:
            case "AWS::SQS::QueuePolicy":
                (of,), document = given["Queues"], given["PolicyDocument"]
            case "AWS::SNS::TopicPolicy":
                (of,), document = given["Topics"], given["PolicyDocument"]
            case "AWS::Events::EventBusPolicy":
                of, document = given["EventBusName"], {"Statement": [given["Statement"]]}
            case "AWS::KMS::Key":
                of, document = {"Ref": name}, given["KeyPolicy"]
            case _:
                continue
        yield name, (deployed, deployed.arn(of["Ref"]), deployed.resolved(document)["Statement"])


DOORS = {name: door for one in DEPLOYED for name, door in doors(one)}
MEMBER_EVENTS = (
    "aws.apprunner",
    "aws.ec2",
    "aws.elasticloadbalancing",
    "aws.apigateway",
    "apprunner-guardrails.member",
)


def test_every_policy_of_a_resource_is_tried() -> None:
    others = {"AWS::IAM::Role", "AWS::Lambda::Permission", "RedrivePolicy"}
    policies = {
        name
        for deployed in DEPLOYED
        for name, one in deployed.stack.resources.items()
        for key in {one["Type"], *one.get("Properties", {})} - others
        if re.search("(Policy|Permission)$", key) and one["Type"] not in others
    }
    assert policies == DOORS.keys()
    assert {name for name in DOORS if "Queue" not in name} == {"OpsTopicPolicy", "OrganizationBusPolicy", "OpsKey"}


@pytest.mark.parametrize("door", [name for name in DOORS if "Queue" in name])
def test_a_queue_takes_what_a_rule_of_ours_sends_and_nothing_else(door: str) -> None:
    deployed, queue, statements = DOORS[door]

    def sends(context: Context, principal: tuple[str, str] = EVENTBRIDGE, action: str = "sqs:SendMessage") -> bool:
        return permits(statements, Request(action=action, resource=queue, principal=principal, context=context))

    rules = [deployed.arn(name) for name in deployed.stack.of_type("AWS::Events::Rule")]
    senders = [one for one in rules if sends({"aws:SourceArn": one})]
    assert senders != []
    for one in senders:
        assert [context for context in ({}, {"aws:SourceAccount": ACCOUNT}) if sends(context)] == []
        assert [other for other in (*elsewhere(one), f"{one}2") if sends({"aws:SourceArn": other})] == []
        assert [who for who in (*STRANGERS, LAMBDA) if sends({"aws:SourceArn": one}, principal=who)] == []
        others = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:SetQueueAttributes")
        assert [action for action in others if sends({"aws:SourceArn": one}, action=action)] == []


def test_the_organizations_bus_takes_events_of_the_organization_and_none_that_could_pass_for_findings() -> None:
    _, bus, statements = DOORS["OrganizationBusPolicy"]

    def puts(context: Context, action: str = "events:PutEvents") -> bool:
        stranger = ("AWS", f"arn:aws:iam::{MEMBER}:role/forwards")
        return permits(statements, Request(action=action, resource=bus, principal=stranger, context=context))

    ours: Context = {"aws:PrincipalOrgID": ORGANIZATION}
    assert [one for one in MEMBER_EVENTS if not puts({**ours, "events:source": (one,)})] == []
    refused: list[Context] = [
        {},
        {"events:source": MEMBER_EVENTS},
        {"aws:PrincipalOrgID": "o-z9y8x7w6v5", "events:source": MEMBER_EVENTS},
        {**ours, "events:source": ("apprunner-guardrails",)},
        {**ours, "events:source": (*MEMBER_EVENTS, "orders")},
    ]
    assert [one for one in refused if puts(one)] == []
    others = ("events:PutRule", "events:PutTargets", "events:DeleteEventBus", "events:PutPermission")
    assert [one for one in others if puts({**ours, "events:source": MEMBER_EVENTS}, action=one)] == []


ALARMS = ("Service", "cloudwatch.amazonaws.com")
ALARM: Context = {
    "aws:SourceAccount": ACCOUNT,
    "aws:SourceArn": arn("cloudwatch", "alarm:guardrails-ValidateNetworkErrors"),
}


def test_alarms_of_the_account_are_told_and_nothing_else_is_published_to_the_topic_of_operations() -> None:
    _, topic, statements = DOORS["OpsTopicPolicy"]

    def publishes(context: Context, principal: tuple[str, str] = ALARMS, action: str = "sns:Publish") -> bool:
        return permits(statements, Request(action=action, resource=topic, principal=principal, context=context))

    assert publishes(ALARM)
    others: list[Context] = [
        {},
        {"aws:SourceAccount": ACCOUNT},
        {**ALARM, "aws:SourceAccount": OTHER_ACCOUNT},
        *({**ALARM, "aws:SourceArn": one} for one in elsewhere(str(ALARM["aws:SourceArn"]))),
        {**ALARM, "aws:SourceArn": arn("cloudwatch", "insight-rule/orders")},
    ]
    assert [one for one in others if publishes(one)] == []
    assert [who for who in (*STRANGERS, LAMBDA, EVENTBRIDGE) if publishes(ALARM, who)] == []
    changing = ("sns:Subscribe", "sns:SetTopicAttributes", "sns:DeleteTopic", "sns:AddPermission")
    assert [one for one in changing if publishes(ALARM, action=one)] == []


def test_the_key_of_alarms_is_administered_by_the_account_and_used_by_alarms_only() -> None:
    _, key, statements = DOORS["OpsKey"]
    using = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:CreateGrant")

    def can(action: str, principal: tuple[str, str], context: Context) -> bool:
        return permits(statements, Request(action=action, resource=key, principal=principal, context=context))

    assert [one for one in using if can(one, ALARMS, ALARM)] == ["kms:Decrypt", "kms:GenerateDataKey"]
    foreign = {**ALARM, "aws:SourceAccount": OTHER_ACCOUNT}
    assert [one for one in using if can(one, ALARMS, foreign) or can(one, ALARMS, {})] == []
    assert [(who, one) for who in (*STRANGERS, LAMBDA, EVENTBRIDGE) for one in using if can(one, who, ALARM)] == []
    administrator, stranger = (("AWS", f"arn:aws:iam::{one}:role/Administrator") for one in (ACCOUNT, OTHER_ACCOUNT))
    assert can("kms:PutKeyPolicy", administrator, {})
    assert not can("kms:PutKeyPolicy", stranger, {})
    assert not can("kms:PutKeyPolicy", ALARMS, ALARM)


def test_a_function_is_invoked_by_rules_of_the_stack_only() -> None:
    rules = STACK.stack.of_type("AWS::Events::Rule")
    permissions = STACK.stack.of_type("AWS::Lambda::Permission")
    for one in permissions.values():
        assert one.keys() == {"Action", "FunctionName", "Principal", "SourceArn"}
        assert (one["Action"], one["Principal"]) == ("lambda:InvokeFunction", "events.amazonaws.com")
        rule, attribute = one["SourceArn"]["Fn::GetAtt"]
        assert attribute == "Arn"
        targets = [target["Arn"]["Fn::GetAtt"][0] for target in rules[rule]["Targets"]]
        assert targets == [one["FunctionName"]["Ref"]]
