"""The function as Lambda runs it: an event or a batch in, the tags that were put or an error out."""

import io
import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from apprunner_guardrails.events import BadEvent
from apprunner_guardrails.settings import BadSettings
from apprunner_guardrails.tags.tagging import NotTagged, Retry
from apprunner_guardrails.targets.binding import TAG
from tests.aws import FAULTS, Fault, Parameters, answered, refused
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS
from tests.creations import (
    ENDPOINT_ARN,
    ENVIRONMENT,
    MADE,
    MADE_AT,
    OF_APP_RUNNER,
    QUEUE,
    TAGS,
    changed,
    creation,
    delivered,
    have,
    put,
    rows,
    tags_in,
)
from tests.samples import CONNECTOR, REGION, SERVICE, Event, Rows, finished_update
from tests.samples import tagged as tagged_by_somebody
from tests.unit.functions.conftest import counted, lines

ELB = "elasticloadbalancing"
GONE = refused("ResourceNotFoundException")
OFF_PATH = "it is on no path that is bound to an endpoint"
CREATED = creation("CreateVpcConnector")


def message(number: int, body: object) -> Event:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": f"message-{number}", "eventSource": "aws:sqs", "body": text}


def batch(*bodies: object) -> Event:
    return {"Records": [message(number, body) for number, body in enumerate(bodies)]}


def failed(*numbers: int) -> list[Mapping[str, str]]:
    return [{"itemIdentifier": f"message-{number}"} for number in numbers]


def unbound() -> Rows:
    return {**rows(), "Tags": []}


# Results -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_what_somebody_creates_is_tagged_and_the_result_says_how(name: str) -> None:
    there = rows()
    before = tags_in(there, MADE[name][0])
    first = delivered(creation(name), there)
    assert (first.result, first.writes) == ({"tagged": {MADE[name][0]: TAGS}}, [put(name, TAGS)])
    assert tags_in(there, MADE[name][0]) == before | TAGS
    assert json.loads(json.dumps(first.result)) == first.result


@pytest.mark.parametrize("name", MADE)
def test_the_same_event_again_and_again_changes_nothing(name: str) -> None:
    there = rows()
    delivered(creation(name), there)
    after = tags_in(there, MADE[name][0])
    for _ in range(2):
        again = delivered(creation(name), there)
        assert (again.result, again.writes, again.sent) == ({"tagged": {}, "ignored": "it has every tag"}, [], [])
    assert tags_in(there, MADE[name][0]) == after


@pytest.mark.parametrize("name", MADE)
def test_tags_that_somebody_changes_or_takes_off_between_stay_as_they_are_or_come_once_more(name: str) -> None:
    there, (made, *_) = rows(), MADE[name]
    delivered(creation(name), have(there, made, {"created-by": "mine"}))
    assert tags_in(there, made).items() >= {**TAGS, "created-by": "mine"}.items()
    there = have(rows(), made, {"created-by": "mine"})
    again = delivered(creation(name), there)
    missing = {key: TAGS[key] for key in ("created-at", "created-with")}
    assert (again.result, again.writes) == ({"tagged": {made: missing}}, [put(name, missing)])


@pytest.mark.parametrize("name", MADE)
def test_tags_of_the_call_itself_are_not_overwritten_though_aws_does_not_show_them_yet(name: str) -> None:
    some = delivered(creation(name, {"created-by": "platform"}), rows())
    missing = {key: TAGS[key] for key in ("created-at", "created-with")}
    assert (some.result, some.writes) == ({"tagged": {MADE[name][0]: missing}}, [put(name, missing)])
    every = delivered(creation(name, dict.fromkeys(TAGS, "mine")), rows())
    assert (every.result, every.aws.calls) == (
        {"tagged": {}, "ignored": "the call that made it gave it every tag"},
        [],
    )


def test_what_is_tagged_is_as_the_settings_say() -> None:
    chosen = {
        "CREATED_BY_TAG": "owner",
        "CREATED_AT_TAG": "",
        "CREATED_WITH_TAG": "made with",
        "DEFAULT_TAGS": '{"team": "platform"}',
    }
    found = delivered(CREATED, rows(), environment={**ENVIRONMENT, **chosen})
    assert found.result == {"tagged": {CONNECTOR: {"owner": "bob", "made with": "CLI", "team": "platform"}}}


def deleted() -> Rows:
    there = rows()
    for member, status in (
        ("VpcConnectors", "INACTIVE"),
        ("Services", "DELETED"),
        ("VpcIngressConnections", "DELETED"),
    ):
        there[member][0]["Status"] = status
    there["VpcEndpoints"][0]["State"] = "deleting"
    return {**there, "TargetGroups": [], "LoadBalancers": []}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((name, "it was deleted") for name in OF_APP_RUNNER),
        ("CreateVpcEndpoint", "it is deleting"),
        ("CreateTargetGroup", "it no longer exists"),
        ("CreateLoadBalancer", "it no longer exists"),
    ],
)
def test_what_is_gone_is_left(name: str, why: str) -> None:
    found = delivered(creation(name), deleted(), {"apprunner:ListTagsForResource": GONE}, now=MADE_AT + 901)
    assert (found.result, found.writes, found.sent) == ({"tagged": {}, "ignored": why}, [], [])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"RequesterManaged": True}, "it belongs to the AWS service that made it"),
        (
            {"ServiceName": f"com.amazonaws.{REGION}.s3"},
            f"it is an endpoint of com.amazonaws.{REGION}.s3, not of App Runner",
        ),
    ],
    ids=["of an AWS service", "of another service"],
)
def test_an_endpoint_that_is_not_the_users_for_app_runner_is_left(changes: Mapping[str, object], why: str) -> None:
    there = rows()
    there["VpcEndpoints"][0].update(changes)
    event = creation("CreateVpcEndpoint", service_name="HIDDEN_DUE_TO_SECURITY_REASONS")
    found = delivered(event, there)
    assert (found.result, found.writes) == ({"tagged": {}, "ignored": why}, [])


NOTHING: Mapping[str, tuple[object, str]] = {
    "nothing": (None, "not an EventBridge event: it is a NoneType, not an object"),
    "an empty object": ({}, "not a call: missing of missing"),
    "another event": (
        finished_update(),
        "not a call: 'AppRunner Service Operation Status Change' of 'aws.apprunner'",
    ),
    "tags that somebody puts, or the function itself": (
        tagged_by_somebody(SERVICE),
        "the call 'TagResource' of 'apprunner.amazonaws.com' makes nothing that is tagged",
    ),
    "a failed call": (
        changed(CREATED, errorCode="AccessDenied", responseElements=None),
        "the call CreateVpcConnector failed with 'AccessDenied': nothing was changed",
    ),
    "an empty record": (
        changed(CREATED, responseElements={"omitted": True}),
        "responseElements of the CreateVpcConnector record was omitted or redacted: it names nothing to tag",
    ),
}


@pytest.mark.parametrize(("event", "why"), NOTHING.values(), ids=NOTHING)
def test_an_event_that_makes_nothing_is_ignored_with_a_reason(event: object, why: str, logged: io.StringIO) -> None:
    """Also without settings: they are of no concern then. No call is made."""
    found = delivered(event, {}, environment={"TAG_QUEUE_URL": "nonsense"})
    assert (found.result, found.aws.calls) == ({"tagged": {}, "ignored": why}, [])
    assert [(line["message"], line["why"]) for line in lines(logged)] == [("ignored", why)]


def test_an_endpoint_of_another_service_costs_nothing() -> None:
    found = delivered(creation("CreateVpcEndpoint", service_name=f"com.amazonaws.{REGION}.s3"), rows())
    assert (found.result["tagged"], found.aws.calls) == ({}, [])
    assert f"com.amazonaws.{REGION}.s3" in found.result["ignored"]


# Failures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("place", [1, 2], ids=["read", "write"])
@pytest.mark.parametrize("name", MADE)
def test_what_aws_refuses_is_raised_and_done_by_the_next_delivery(name: str, place: int, fault: Fault) -> None:
    there, (made, *_), action = rows(), MADE[name], MADE[name][place]
    before = tags_in(there, made)
    refusal = delivered(creation(name), there, {action: fault})
    assert isinstance(refusal.raised, NotTagged)
    assert str(refusal.raised) == f"{made} was not tagged: {action} failed ({fault.code})"
    assert tags_in(there, made) == before
    assert delivered(creation(name), there).result == {"tagged": {made: TAGS}}


@pytest.mark.parametrize("name", OF_APP_RUNNER)
def test_what_is_not_there_at_all_is_raised_and_tagged_once_it_is(name: str) -> None:
    nothing: Rows = {**rows(), "VpcConnectors": [], "Services": [], "VpcIngressConnections": []}
    early = delivered(creation(name), nothing, {"apprunner:ListTagsForResource": GONE})
    assert (type(early.raised), early.writes) == (Retry, [])
    assert delivered(creation(name), rows()).result == {"tagged": {MADE[name][0]: TAGS}}


def test_an_endpoint_that_is_not_there_is_raised_while_it_is_young() -> None:
    nothing: Rows = {**rows(), "VpcEndpoints": []}
    assert isinstance(delivered(creation("CreateVpcEndpoint"), nothing, now=MADE_AT + 900).raised, Retry)
    late = delivered(creation("CreateVpcEndpoint"), nothing, now=MADE_AT + 901)
    assert late.result == {"tagged": {}, "ignored": "it no longer exists"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("CreateService", "InvalidRequestException"),
        ("CreateVpcEndpoint", "TagLimitExceeded"),
        ("CreateTargetGroup", "TooManyTags"),
    ],
)
def test_where_others_were_faster_with_their_tags_the_next_delivery_adds_what_there_is_room_for(
    name: str, code: str
) -> None:
    there, (made, _, action) = rows(), MADE[name]
    late = delivered(creation(name), there, {action: refused(code)})
    assert isinstance(late.raised, NotTagged)
    have(there, made, {f"key-{number:02}": "" for number in range(49 - len(tags_in(there, made)))})
    assert delivered(creation(name), there).result == {"tagged": {made: {"created-by": "bob"}}}
    assert len(tags_in(there, made)) == 50


def test_a_record_that_does_not_name_what_it_made_is_raised() -> None:
    odd = changed(CREATED, responseElements={"vpcConnector": {"vpcConnectorArn": "arn:aws:s3:::bucket"}})
    found = delivered(odd, rows())
    assert (type(found.raised), found.aws.calls) == (BadEvent, [])
    assert "detail.responseElements.vpcConnector.vpcConnectorArn of CreateVpcConnector" in str(found.raised)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CREATED_BY_TAG", "aws:created-by"),
        ("CREATED_AT_TAG", "apprunner-guardrails:endpoint"),
        ("DEFAULT_TAGS", '["team"]'),
        ("EMAILS_IN_TAGS", "perhaps"),
        ("TAG_QUEUE_URL", "the queue"),
        ("ALERT_TOPIC_ARN", ""),
    ],
)
def test_a_setting_that_cannot_be_used_is_raised_by_its_name_and_nothing_is_done(name: str, value: str) -> None:
    for event in (CREATED, batch(CREATED, CREATED)):
        found = delivered(event, rows(), environment={**ENVIRONMENT, name: value})
        assert (type(found.raised), found.aws.calls) == (BadSettings, [])
        assert str(found.raised).startswith(f"environment variable {name}")


# Coming back ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["CreateTargetGroup", "CreateLoadBalancer"])
def test_what_is_not_bound_comes_back_and_is_tagged_once_it_is(name: str) -> None:
    there = unbound()
    early = delivered(creation(name), there)
    assert (early.result, early.writes) == ({"tagged": {}, "ignored": OFF_PATH}, [])
    (sent,) = early.sent
    assert (sent["QueueUrl"], sent["DelaySeconds"]) == (QUEUE, 60)
    assert json.loads(sent["MessageBody"]) == creation(name)
    have(there, ORDERS, {TAG: ENDPOINT})
    late = delivered(batch(sent["MessageBody"]), there, now=MADE_AT + 65)
    assert (late.result, late.sent) == ({"tagged": {MADE[name][0]: TAGS}, "batchItemFailures": []}, [])


@pytest.mark.parametrize("name", ["CreateTargetGroup", "CreateLoadBalancer"])
def test_what_is_never_bound_comes_back_ever_later_and_is_left_after_an_hour(name: str) -> None:
    there, now, event = unbound(), MADE_AT + 5, creation(name)
    delays: list[int] = []
    while True:
        found = delivered(event, there, now=now)
        assert (found.result["tagged"], found.result["ignored"], found.writes) == ({}, OFF_PATH, [])
        if not found.sent:
            break
        (sent,) = found.sent
        delays.append(sent["DelaySeconds"])
        now, event = now + delays[-1], batch(sent["MessageBody"])
    assert delays == [60, 65, 130, 260, 520, 900, 900, 900]
    assert all(before <= after for before, after in pairwise(delays))
    assert 3600 < now - MADE_AT < 3600 + 900
    assert tags_in(there, MADE[name][0]) == {}


def test_a_load_balancer_that_is_deleted_while_it_is_waited_for_does_not_come_back() -> None:
    gone: Rows = {**unbound(), "LoadBalancers": []}
    found = delivered(creation("CreateLoadBalancer"), gone, now=MADE_AT + 1040)
    assert (found.result, found.sent) == ({"tagged": {}, "ignored": "it no longer exists"}, [])


def test_without_a_queue_nothing_comes_back() -> None:
    for environment in (
        {**ENVIRONMENT, "TAG_QUEUE_URL": ""},
        {k: ENVIRONMENT[k] for k in ENVIRONMENT if k != "TAG_QUEUE_URL"},
    ):
        found = delivered(creation("CreateTargetGroup"), unbound(), environment=environment)
        assert (found.result, found.sent) == ({"tagged": {}, "ignored": OFF_PATH}, [])


@pytest.mark.parametrize("fault", [refused("AccessDenied", 403), FAULTS["no answer"]], ids=["denied", "no answer"])
def test_a_queue_that_takes_nothing_is_raised(fault: Fault) -> None:
    found = delivered(creation("CreateTargetGroup"), unbound(), {"sqs:SendMessage": fault})
    assert isinstance(found.raised, NotTagged)
    assert str(found.raised).startswith(f"{ORDERS} cannot be come back to: {QUEUE}: ")


def test_a_record_that_tells_no_time_does_not_come_back_for_ever() -> None:
    timeless = {**changed(creation("CreateTargetGroup"), eventTime=None), "time": ""}
    found = delivered(timeless, unbound())
    assert (found.result, found.sent) == ({"tagged": {}, "ignored": OFF_PATH}, [])


def test_the_event_comes_back_whole_whatever_is_in_it() -> None:
    event = changed(creation("CreateTargetGroup"), userAgent="日本 <&\"'>\ud800")
    (sent,) = delivered(event, unbound()).sent
    assert json.loads(sent["MessageBody"]) == event


# Batches -------------------------------------------------------------------------------------------------------------


def test_a_batch_tags_all_that_it_tells_of() -> None:
    found = delivered(batch(*map(creation, MADE)), rows())
    assert found.result == {"tagged": {made: TAGS for made, *_ in MADE.values()}, "batchItemFailures": []}
    assert found.writes == [put(name, TAGS) for name in MADE]


def test_the_same_event_twice_in_a_batch_is_written_once() -> None:
    found = delivered(batch(CREATED, CREATED), rows())
    assert found.result == {"tagged": {CONNECTOR: TAGS}, "batchItemFailures": []}
    assert found.writes == [put("CreateVpcConnector", TAGS)]


def naming(made: str) -> Any:
    def names(asked: Parameters) -> bool:
        return bool(asked["ResourceArn"] == made)

    return names


def test_what_cannot_be_tagged_yet_goes_back_by_itself_and_the_others_are_done(logged: io.StringIO) -> None:
    there = {**rows(), "VpcConnectors": []}
    gone = {"apprunner:ListTagsForResource": refused("ResourceNotFoundException", when=naming(CONNECTOR))}
    events = [CREATED, creation("CreateService"), creation("CreateVpcEndpoint")]
    found = delivered(batch(*events), there, gone)
    assert found.result == {"tagged": {SERVICE: TAGS, ENDPOINT_ARN: TAGS}, "batchItemFailures": failed(0)}
    why = f"{CONNECTOR} is not there yet: apprunner:ListTagsForResource failed (ResourceNotFoundException)"
    assert [(one["level"], one["message_id"], one["why"]) for one in lines(logged) if one["message"] == "put off"] == [
        ("WARNING", "message-0", why)
    ]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_aws_refuses_goes_back_by_itself_and_the_others_are_done(fault: Fault) -> None:
    refusing = {"ec2:CreateTags": fault}
    found = delivered(batch(CREATED, creation("CreateVpcEndpoint"), creation("CreateService")), rows(), refusing)
    assert found.result == {"tagged": {CONNECTOR: TAGS, SERVICE: TAGS}, "batchItemFailures": failed(1)}


def test_what_cannot_be_understood_goes_back_by_itself_and_the_others_are_done(logged: io.StringIO) -> None:
    odd = changed(CREATED, responseElements={"vpcConnector": {}})
    found = delivered(batch("no JSON", CREATED, odd, finished_update()), rows())
    assert found.result == {"tagged": {CONNECTOR: TAGS}, "batchItemFailures": failed(0, 2)}
    field = "detail.responseElements.vpcConnector.vpcConnectorArn of CreateVpcConnector"
    assert [(one["message_id"], one["why"]) for one in lines(logged) if one["message"] == "not understood"] == [
        ("message-0", "Expecting value: line 1 column 1 (char 0)"),
        ("message-2", f"{field} should name the App Runner resource that it made, and is missing"),
    ]


def test_a_batch_that_comes_again_for_one_of_it_changes_that_one_only() -> None:
    there = rows()
    events = batch(CREATED, creation("CreateVpcEndpoint"))
    first = delivered(events, there, {"ec2:CreateTags": FAULTS["throttled"]})
    again = delivered(events, there)
    assert first.result == {"tagged": {CONNECTOR: TAGS}, "batchItemFailures": failed(1)}
    assert again.result == {"tagged": {ENDPOINT_ARN: TAGS}, "batchItemFailures": []}
    assert again.writes == [put("CreateVpcEndpoint", TAGS)]


def test_a_batch_that_makes_nothing_says_why_each_reason_once() -> None:
    failing, other = (NOTHING[name] for name in ("a failed call", "another event"))
    found = delivered(batch(failing[0], other[0], failing[0]), rows())
    assert found.result == {"tagged": {}, "ignored": f"{failing[1]}; {other[1]}", "batchItemFailures": []}


def test_a_batch_of_which_nothing_is_done_says_so_by_its_failures() -> None:
    found = delivered(batch("no JSON"), rows())
    assert found.result == {"tagged": {}, "batchItemFailures": failed(0)}


@pytest.mark.parametrize("records", [[], None, {}], ids=["empty", "no list", "an object"])
def test_an_empty_batch_has_nothing_to_tag_nor_to_ask_of_the_settings(records: object) -> None:
    found = delivered({"Records": records}, rows(), environment={})
    assert (found.result, found.aws.calls) == ({"tagged": {}, "batchItemFailures": []}, [])


@pytest.mark.parametrize("record", [None, "message", {}, {"body": {}}, {"Sns": {}}], ids=repr)
def test_a_batch_that_is_none_of_sqs_is_raised_before_anything_is_done(record: object) -> None:
    found = delivered({"Records": [message(0, CREATED), record]}, rows())
    assert (type(found.raised), found.aws.calls) == (BadEvent, [])


# Crashes -------------------------------------------------------------------------------------------------------------


def crash(_: Parameters) -> dict[str, Any]:
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", MADE)
def test_a_crash_before_the_tags_are_put_is_made_good_by_the_same_event(name: str) -> None:
    there, (made, _, action) = rows(), MADE[name]
    before = tags_in(there, made)
    with pytest.raises(KeyboardInterrupt):
        delivered(creation(name), there, {action: answered(crash)})
    assert tags_in(there, made) == before
    assert delivered(creation(name), there).result == {"tagged": {made: TAGS}}
    assert tags_in(there, made) == before | TAGS


# Logs ----------------------------------------------------------------------------------------------------------------

SECRETS = ("bob", "mara.lind", "Zaphod", "a user agent of theirs", "eni-a", TAGS["created-at"])


@pytest.mark.parametrize("fault", [None, FAULTS["denied"]], ids=["tagged", "denied"])
@pytest.mark.parametrize("name", MADE)
def test_logs_name_the_resource_and_the_keys_and_no_value_nor_payload(
    name: str, fault: Fault | None, logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    made, _, action = MADE[name]
    event = changed(creation(name, {"contact": "Zaphod"}), userAgent="a user agent of theirs")
    there = have(rows(), made, {"boss": "mara.lind"})
    found = delivered(batch(event), there, {action: fault} if fault else {})
    assert found.result["batchItemFailures"] == (failed(0) if fault else [])
    said = logged.getvalue() + capsys.readouterr().out
    assert [secret for secret in SECRETS if secret in said] == []
    if fault is None:
        (line,) = (one for one in lines(logged) if one["message"] == "tagged")
        assert (line["resource"], line["keys"], line["correlation_id"]) == (made, list(TAGS), "path-01")


def test_what_is_tagged_and_what_asks_for_nothing_is_counted_once_for_a_batch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    delivered(batch(CREATED, CREATED, creation("CreateService"), finished_update(), "no JSON"), rows())
    assert counted(capsys) == {"Events": 4, "Ignored": 1, "ResourcesTagged": 2}


def test_what_is_not_tagged_says_why_in_the_log(logged: io.StringIO) -> None:
    delivered(creation("CreateLoadBalancer"), unbound())
    assert [(one["message"], one["resource"], one["keys"], one["why"]) for one in lines(logged)] == [
        ("not tagged", BALANCER, [], OFF_PATH)
    ]
