"""The loop between a call and an alert: routing, batches, second deliveries, and what comes of our own acts."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient

from apprunner_guardrails.alerts import event as machines
from apprunner_guardrails.judge import TAGGED_WITHIN_SECONDS
from emulator import Emulator, cloudtrail, emulate
from emulator.cloudtrail.identities import user_identity
from emulator.worlds import OPERATION_SECONDS, WORLDS, build, happen, later, sdk_client
from replay.loop import Endless, Event, Invocation, Loop, Step, play_event, play_event_twice, play_world
from replay.template import BadTemplate, Function, Queue, Stack, load, role_arn

EVENTS = Path(__file__).parents[2] / "events"
OURS = {"source": [machines.SOURCE]}

stack = cache(load)


@cache
def played(world: str) -> Sequence[Step]:
    return tuple(play_world(WORLDS[world], stack()))


def subjects(steps: Sequence[Step], moment: str, delivery: int = 1) -> list[str]:
    these = [step for step in steps if (step.moment, step.delivery) == (moment, delivery)]
    return [str(alert["subject"]) for step in these for one in step.invocations for alert in one.alerts]


def sample(name: str) -> Mapping[str, Any]:
    event: Mapping[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@pytest.mark.parametrize("world", ["public-subnets", "connector-in-use", "mended", "gone"])
def test_what_is_delivered_a_second_time_is_answered_and_tells_nobody(world: str) -> None:
    steps = played(world)
    first = [one for step in steps if step.delivery == 1 for one in step.invocations]
    again = [one for step in steps if step.delivery == 2 for one in step.invocations]
    assert [one.function for one in again] == [one.function for one in first]
    assert [one.alerts for one in first if one.alerts]  # there was something to tell, the first time
    assert [(one.error, *one.alerts, *one.chat, *one.put) for one in again] == [("",)] * len(first)


def test_a_fault_that_is_mended_is_resolved_by_the_drift_that_mends_it() -> None:
    steps = played("mended")
    assert subjects(steps, "happens") == ["[HIGH] AR102 public subnet: VPC connector mended in 123456789012 us-east-1"]
    assert subjects(steps, "later") == [
        "[RESOLVED] AR102 public subnet: VPC connector mended in 123456789012 us-east-1"
    ]
    call, batch = [step for step in steps if step.moment == "later" and step.delivery == 1 and step.queues]
    assert (call.event["detail"]["eventName"], call.invocations) == ("ReplaceRoute", [])
    [invocation] = batch.invocations
    assert invocation.function == "ValidateNetworkFunction"
    assert [one["rule"] for one in invocation.result["resolved"]] == ["AR102"]
    assert invocation.result["batchItemFailures"] == []


def test_the_findings_of_a_connector_that_is_deleted_are_over() -> None:
    steps = played("gone")
    assert subjects(steps, "happens") == ["[MEDIUM] AR101 too few zones: VPC connector gone in 123456789012 us-east-1"]
    assert subjects(steps, "later") == ["[RESOLVED] AR101 too few zones: VPC connector gone in 123456789012 us-east-1"]
    assert subjects(steps, "audit") == ["[DIGEST] nothing open: App Runner in 123456789012 us-east-1"]


def test_a_deletion_that_failed_is_explained_with_the_services_that_stand_in_its_way() -> None:
    happened = [step for step in played("connector-in-use") if step.moment == "happens"]
    [alert] = [alert for step in happened for one in step.invocations for alert in one.alerts]
    assert "Failed: VPC connector connector-in-use cannot be deleted while services use it" in str(alert["body"])
    for service in ("connector-in-use-orders", "connector-in-use-reports"):
        assert f"  - service {service} uses it (RUNNING): arn:aws:apprunner:us-east-1:" in str(alert["body"])


def test_an_audit_a_week_later_reminds_of_what_is_high_and_sends_the_digest() -> None:
    assert subjects(played("isolated"), "audit") == [
        "[REMINDER] AR107 no way out: VPC connector isolated in 123456789012 us-east-1",
        "[DIGEST] 1 HIGH open: App Runner in 123456789012 us-east-1",
    ]
    assert subjects(played("isolated"), "audit", delivery=2) == []


def test_what_an_audit_finds_and_what_it_reminds_of_is_one_alert_a_resource() -> None:
    [alert, _] = [
        alert
        for step in played("public-subnets")
        if (step.moment, step.delivery) == ("audit", 1)
        for one in step.invocations
        for alert in one.alerts
    ]
    assert alert["subject"] == "[LOW] AR301 unused: VPC connector public-subnets in 123456789012 us-east-1"
    attributes = alert["attributes"]
    assert isinstance(attributes, dict)
    assert (attributes["severity"], attributes["rules"]) == ("HIGH", '["AR102", "AR301"]')


def test_an_exemption_is_told_to_machines_only() -> None:
    first = next(one for step in played("exempted") for one in step.invocations)
    told = {one["detail"]["finding"]["rule"]: one["detail"]["transition"] for one in first.put}
    assert told == {"AR203": "exempted", "AR901": "opened"}
    assert [alert["subject"] for alert in first.alerts] == [
        "[LOW] AR901 exemption malformed: VPC connector exempted in 123456789012 us-east-1"
    ]
    assert len(first.chat) == 1


@pytest.mark.parametrize("world", ["public-subnets", "mended", "exempted", "gone"])
def test_no_rule_of_the_template_takes_up_what_our_own_functions_do(world: str) -> None:
    ours = [step for step in played(world) if step.event.get("source") == machines.SOURCE]
    assert ours
    assert [(step.invocations, step.queues) for step in ours] == [([], [])] * len(ours)


def test_a_pattern_that_takes_up_our_own_events_shows() -> None:
    """The twin of the test above: such a rule would wake the function with what it has told itself."""
    woken = stack_with(replace(validate(), patterns={**validate().patterns, "Ours": OURS}))
    steps = list(
        play_event_twice(sample("apprunner-CreateVpcConnector-public-subnets"), WORLDS["public-subnets"], woken)
    )
    [ours] = [step for step in steps if step.event.get("source") == machines.SOURCE and step.delivery == 1]
    assert [one.result for one in ours.invocations] == [{"ignored": "the source 'apprunner-guardrails' is not watched"}]


def test_functions_that_wake_themselves_without_end_are_stopped_and_named(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import boto3\n"
        "def handler(event, context):\n"
        "    entry = {'Source': 'apprunner-guardrails', 'DetailType': 'Again', 'Detail': '{}'}\n"
        "    boto3.client('events').put_events(Entries=[entry])\n"
        "    return {}\n"
    )
    echo = replace(validate(), code=tmp_path, patterns={"Ours": OURS})
    with emulate() as aws, pytest.raises(Endless, match=r"after 10 rounds .* Again from apprunner-guardrails"):
        list(Loop(stack_with(echo), aws, sdk_client).deliver({"source": machines.SOURCE, "detail-type": "Again"}))


def test_a_burst_of_changes_is_one_batch_and_one_invocation() -> None:
    event = sample("ec2-ReplaceRoute-mended")
    with emulate() as aws:
        loop = Loop(stack(), aws, sdk_client)
        burst = [{**event, "id": str(number)} for number in range(200)]
        aws.events.extend(dict(one) for one in burst)
        steps = list(loop.settle())
    *calls, batch = steps
    assert [(step.event, step.invocations, step.queues) for step in calls] == [
        (one, [], ["DriftQueue"]) for one in burst
    ]
    assert [json.loads(record["body"]) for record in batch.event["Records"]] == burst
    assert [one.result.get("ignored") for one in batch.invocations] == [
        "no VPC connector depends on what a batch of 200 changes changed"
    ]


def test_more_than_a_batch_holds_makes_several() -> None:
    drift = replace(validate().queues["DriftQueue"], batch_size=3)
    few = stack_with(replace(validate(), queues={"DriftQueue": drift}))
    event = sample("ec2-ReplaceRoute-mended")
    with emulate() as aws:
        loop = Loop(few, aws, sdk_client)
        aws.events.extend({**event, "id": str(number)} for number in range(7))
        batches = [step.event["Records"] for step in loop.settle() if step.invocations]
    assert [len(records) for records in batches] == [3, 3, 1]


def test_a_later_event_finds_the_world_as_it_was_then() -> None:
    """The finding was told when the connector was made; its deletion resolves it."""
    step = play_event(sample("apprunner-DeleteVpcConnector-gone"), WORLDS["gone"], stack())
    [invocation] = step.invocations
    assert [one["rule"] for one in invocation.result["resolved"]] == ["AR101"]


def test_a_scheduled_event_and_a_batch_reach_the_function_that_they_name() -> None:
    audit, validation = (
        replace(stack().functions[name]) for name in ("AuditRegionFunction", "ValidateNetworkFunction")
    )
    other = replace(audit, logical_id="OtherFunction", schedules={"OtherFunctionTimetable": "rate(1 hour)"})
    both = replace(stack(), functions={one.logical_id: one for one in (audit, validation, other)})
    scheduled = {
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "time": "2026-11-02T10:00:00Z",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/stack-AuditRegionFunctionTimetable-1ABC"],
    }
    assert [one.function for one in play_event(scheduled, WORLDS["gone"], both).invocations] == ["AuditRegionFunction"]
    queue = "arn:aws:sqs:us-east-1:123456789012:stack-DriftQueue-1ABC"
    batch = {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": queue, "messageId": "1", "body": "{"}]}
    [returned] = play_event(batch, WORLDS["gone"], both).invocations
    assert (returned.function, returned.result["batchItemFailures"]) == (
        "ValidateNetworkFunction",
        [{"itemIdentifier": "1"}],
    )


@pytest.mark.parametrize("functions", [["SyncTargetsFunction"], []])
def test_a_request_of_cloudformation_reaches_the_function_that_comes_back_to_its_own_queue(
    functions: list[str],
) -> None:
    request = {"RequestType": "Delete", "ResponseURL": "file:///dev/null"}
    others = {name: one for name, one in stack().functions.items() if functions or name != "SyncTargetsFunction"}
    step = play_event(request, WORLDS["healthy"], replace(stack(), functions=others))
    assert [one.function for one in step.invocations] == functions
    assert len(others) >= 2


# A function that says in its result how it was run, takes part in AWS, and sends itself what it is asked to.
ECHO = """
import boto3, json, os, time
from concurrent.futures import ThreadPoolExecutor

def handler(event, context):
    bodies = [json.loads(one["body"]) for one in event["Records"]] if "Records" in event else [event["detail"]]
    for body in bodies:
        for delay in body.get("delays", ()):
            then = {"after": delay, "delays": body.get("then", [])}
            boto3.client("sqs").send_message(
                QueueUrl=os.environ["OWN_QUEUE"], MessageBody=json.dumps(then), DelaySeconds=delay
            )
    with ThreadPoolExecutor(1) as threads:
        threads.submit(boto3.client("sns").create_topic, Name="made-by-the-function").result()
    return {"bodies": bodies, "at": int(time.time()), "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"]}
"""


def echo(folder: Path, **differs: object) -> Stack:
    """A stack of that function alone, which takes from the queue that its environment names."""
    (folder / "app.py").write_text(ECHO)
    queue = Queue(logical_id="SyncQueue", patterns={"Calls": {"source": ["aws.sns"]}}, batch_size=10, window_seconds=0)
    patterns = {"Asked": {"source": ["test"]}}
    function = Function(
        logical_id="EchoFunction",
        code=folder,
        handler="app.handler",
        role="EchoRole",
        variables={"OWN_QUEUE": {"Ref": "SyncQueue"}},
        defaults={"ChatNotifications": "false"},
        patterns=patterns,
        queues={"SyncQueue": replace(queue, **differs)},  # type: ignore[arg-type]  # members of a queue
    )
    return stack_with(function)


def asked(**detail: object) -> Mapping[str, object]:
    return {"source": "test", "detail-type": "Test", "id": "1", "detail": detail}


def runs(steps: Iterable[Step], aws: Emulator) -> list[tuple[int, list[object]]]:
    """When the function ran, in seconds of emulated time, and with what."""
    start = aws.clock.now().timestamp()
    results = [one.result for step in steps for one in step.invocations]
    return [(int(result["at"] - start), result["bodies"]) for result in results]


NO_CALLS: Mapping[str, object] = {"patterns": {}}


def test_what_a_function_sends_to_its_own_queue_comes_back_at_its_time(tmp_path: Path) -> None:
    with emulate() as aws:
        loop = Loop(echo(tmp_path, **NO_CALLS), aws, sdk_client)
        found = runs(loop.deliver(asked(delays=[60, 0, 90, 90], then=[30])), aws)
    assert found == [
        (0, [{"delays": [60, 0, 90, 90], "then": [30]}]),
        (0, [{"after": 0, "delays": [30]}]),
        (30, [{"after": 30, "delays": []}]),
        (60, [{"after": 60, "delays": [30]}]),
        (90, [{"after": 90, "delays": [30]}, {"after": 90, "delays": [30]}, {"after": 30, "delays": []}]),
        (120, [{"after": 30, "delays": []}] * 2),
    ]


def test_no_time_passes_where_nothing_is_put_off(tmp_path: Path) -> None:
    with emulate() as aws:
        before = aws.clock.now()
        list(Loop(echo(tmp_path, **NO_CALLS), aws, sdk_client).deliver(asked(delays=[0])))
        assert aws.clock.now() == before


@pytest.mark.parametrize(
    ("delay", "said"),
    [
        (60, "after 120 minutes functions still put something off"),
        (0, "after 10 rounds there are still events: messages to their own queue"),
    ],
)
def test_a_function_that_sends_itself_the_same_for_ever_is_stopped(tmp_path: Path, delay: int, said: str) -> None:
    again = echo(tmp_path, **NO_CALLS)
    (tmp_path / "app.py").write_text(
        "import boto3, os\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').send_message(\n"
        f"        QueueUrl=os.environ['OWN_QUEUE'], MessageBody='{{}}', DelaySeconds={delay}\n"
        "    )\n"
        "    return {}\n"
    )
    with emulate() as aws, pytest.raises(Endless, match=f"^{said}$"):
        list(Loop(again, aws, sdk_client).deliver(asked()))


def test_calls_of_a_function_are_made_by_its_role_whatever_thread_makes_them(tmp_path: Path) -> None:
    with emulate() as aws:
        loop = Loop(echo(tmp_path, **NO_CALLS), aws, sdk_client)
        first, call = loop.deliver(asked())
    assert [one.result["name"] for one in first.invocations] == ["EchoFunction"]
    who = call.event["detail"]["userIdentity"]
    assert call.event["detail"]["eventName"] == "CreateTopic"
    assert who["arn"] == "arn:aws:sts::123456789012:assumed-role/EchoRole/EchoFunction"
    assert who["sessionContext"]["sessionIssuer"]["arn"] == role_arn("EchoRole")


@pytest.mark.parametrize("excluded", ["EchoRole", "OtherRole"])
def test_a_rule_that_leaves_out_its_own_role_does_not_wake_a_function_with_its_own_calls(
    tmp_path: Path, excluded: str
) -> None:
    """The pattern of the template, and its twin, which leaves out somebody else."""
    issuer = {"anything-but": role_arn(excluded)}
    by_others = [
        {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [one]}}}} for one in (issuer, {"exists": False})
    ]
    calls = {"Calls": {"source": ["aws.sns"], "detail": {"$or": by_others}}}
    with emulate() as aws:
        loop = Loop(echo(tmp_path, patterns=calls), aws, sdk_client)
        steps = loop.deliver(asked())
        next(steps)
        assert next(steps).queues == ([] if excluded == "EchoRole" else ["SyncQueue"])


def test_a_call_of_somebody_else_does_wake_it(tmp_path: Path) -> None:
    [rule] = stack().functions["SyncTargetsFunction"].queues["SyncQueue"].patterns.values()
    calls = echo(tmp_path, patterns={"Calls": rule})
    sync = cloudtrail.IDENTITIES["guardrails"].user_identity
    assert '"arn:aws:iam::123456789012:role/SyncTargetsRole"' in json.dumps(rule)
    event = sample("elasticloadbalancing-DeregisterTargets-private-path")
    with emulate() as aws:
        loop = Loop(calls, aws, sdk_client)
        theirs = next(loop.deliver(event))
        filled = json.loads(json.dumps(sync).replace("{account}", "123456789012"))
        ours = next(loop.deliver({**event, "detail": {**event["detail"], "userIdentity": filled}}))
    assert (theirs.queues, ours.queues) == (["SyncQueue"], [])


# What TagResourcesFunction does -------------------------------------------------------------------------------------

OWNERSHIP = WORLDS["ownership"]
TAGGER = "TagResourcesFunction"


def is_of_the_tagger(step: Step) -> bool:
    """Whether it is the event of a call that TagResourcesFunction made."""
    who = step.event.get("detail", {}).get("userIdentity", {})
    issuer = who.get("sessionContext", {}).get("sessionIssuer", {})
    return bool(issuer.get("arn") == role_arn("TagResourcesRole"))


@contextmanager
def noted_calls() -> Iterator[list[str]]:
    """The calls of AWS that are made inside, without those of the queues: "elbv2:DescribeTags"."""
    made: list[str] = []
    call: Any = vars(BaseClient)["_make_api_call"]

    def noted(client: BaseClient, operation: str, parameters: object) -> object:
        service = client.meta.service_model.service_name
        if service != "sqs":
            made.append(f"{service}:{operation}")
        return call(client, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", noted):
        yield made


@pytest.mark.parametrize("required", ["*", "created-by"])
def test_tags_that_the_guardrails_put_wake_no_function_and_wait_in_no_queue(required: str) -> None:
    """They put them in every way there is; the loop ends by itself, or play_world would raise Endless."""
    world = replace(OWNERSHIP, parameters={**OWNERSHIP.parameters, "RequiredTags": required})
    put = [step for step in play_world(world, stack()) if is_of_the_tagger(step)]
    assert [(step.invocations, step.queues, step.delivery) for step in put] == [([], [], 1)] * len(put)
    assert Counter(step.event["detail"]["eventName"] for step in put) == {
        "TagResource": 4,
        "CreateTags": 1,
        "AddTags": 2,
    }


@pytest.mark.parametrize("required", ["*", "created-by"])
@pytest.mark.parametrize("person", ["console", "sso"])
def test_the_same_tags_put_by_a_person_are_judged(person: str, required: str) -> None:
    """The twin of the test above. Calls of an IAM user have no role that issued their session."""
    who = user_identity(cloudtrail.IDENTITIES[person], account="123456789012", session_start="2026-11-02T09:00:00Z")
    judged: dict[str, str] = {}
    client = cache(sdk_client)
    with emulate() as aws:
        build(OWNERSHIP, client)
        loop = Loop(stack(), aws, client, {"RequiredTags": required})
        happen(OWNERSHIP, client)
        for event in [step.event for step in loop.settle() if is_of_the_tagger(step)]:
            [invocation] = next(loop.deliver({**event, "detail": {**event["detail"], "userIdentity": who}})).invocations
            assert (invocation.function, invocation.error) == ("ValidateNetworkFunction", "")
            [(arn, answers)] = invocation.result["resources"].items()
            judged[arn.split(":")[5].partition("/")[0]] = answers.get("AR407", answers.get("AR408"))
    assert judged == {"vpcconnector": "pass", "service": "pass"}


def test_what_has_every_tag_costs_one_read_when_its_event_comes_once_more() -> None:
    client = cache(sdk_client)
    with emulate() as aws:
        build(OWNERSHIP, client)
        loop = Loop(stack(), aws, client, OWNERSHIP.parameters)
        happen(OWNERSHIP, client)
        steps = [*loop.settle(), *loop.wait(OPERATION_SECONDS)]
        later(OWNERSHIP, client)
        steps += loop.until_over()
        again = [
            (step.event["detail"]["eventName"], *told_again(step.event, loop))
            for step in steps
            if "TagQueue" in step.queues and "Records" not in step.event
        ]
    nothing = {"tagged": {}, "ignored": "it has every tag", "batchItemFailures": []}
    assert again == [
        (call, [read], nothing)
        for call, read in (
            ("CreateVpcConnector", "apprunner:ListTagsForResource"),
            ("CreateService", "apprunner:ListTagsForResource"),
            ("CreateService", "apprunner:ListTagsForResource"),
            ("CreateVpcEndpoint", "ec2:DescribeVpcEndpoints"),
            ("CreateVpcIngressConnection", "apprunner:ListTagsForResource"),
            ("CreateLoadBalancer", "elbv2:DescribeTags"),
            ("CreateTargetGroup", "elbv2:DescribeTags"),
        )
    ]


def told_again(event: Event, loop: Loop) -> tuple[list[str], object]:
    """The calls that TagResourcesFunction makes when it gets the event from its queue, and what it returns."""
    batch = {"Records": [{"messageId": "1", "body": json.dumps(event)}]}
    with noted_calls() as calls:
        [step] = loop.again([Step(event=batch, invocations=[Invocation(function=TAGGER)])])
    return calls, step.invocations[0].result


def test_what_was_just_made_is_taken_for_tagged_as_long_as_its_queue_tries() -> None:
    queue = load().resources["TagQueue"]["Properties"]
    tried_for = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert tried_for == TAGGED_WITHIN_SECONDS


def test_what_a_function_has_put_off_is_told_from_what_it_is_given() -> None:
    sample_event = sample("elasticloadbalancing-CreateLoadBalancer-ownership")
    steps = [one for one in play_event_twice(sample_event, OWNERSHIP, stack()) if one.invocations]
    of_tags = [one for one in steps if one.invocations[0].function == TAGGER and one.delivery == 1]
    assert [one.come_back for one in of_tags] == [False, True, True, True]
    assert [bool(one.invocations[0].result["tagged"]) for one in of_tags] == [False, False, False, True]
    assert {one.come_back for one in steps if one not in of_tags and "Records" not in one.event} == {False}


def test_only_the_arn_of_a_role_is_understood_in_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Role: {Type: AWS::IAM::Role}
  Topic: {Type: AWS::SNS::Topic}
  SomeFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: some
      Handler: app.handler
      Events:
        Calls: {Type: EventBridgeRule, Properties: {Pattern: {detail: {arn: [anything-but: VALUE]}}}}
"""
    path.write_text(text.replace("VALUE", "!GetAtt Role.Arn"))
    assert load(path).functions["SomeFunction"].patterns == {
        "SomeFunctionCalls": {"detail": {"arn": [{"anything-but": "arn:aws:iam::123456789012:role/Role"}]}}
    }
    for value in ("!GetAtt Topic.TopicName", "!Ref Role", "!Sub x"):
        path.write_text(text.replace("VALUE", value))
        with pytest.raises(BadTemplate, match="in a pattern is understood of a role's Arn only"):
            load(path)


def validate() -> Function:
    return stack().functions["ValidateNetworkFunction"]


def stack_with(function: Function) -> Stack:
    return replace(stack(), functions={function.logical_id: function})
