"""What a message of a dead-letter queue is, and where it belongs: pure."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.letters import Destination, Kind, Letter, Understood, place, understand
from tests.samples import ACCOUNT, REGION

FUNCTION = Destination(kind="function", logical_id="ValidateNetworkFunction", address="guardrails-Validate-1A")
QUEUE = Destination(kind="queue", logical_id="DriftQueue", address=f"https://sqs/{ACCOUNT}/guardrails-Drift-1A")
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:guardrails-Validate-1A"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:guardrails-Drift-1A"
PLACES = {
    ("lambda", REGION, ACCOUNT, "guardrails-Validate-1A"): FUNCTION,
    ("sqs", REGION, ACCOUNT, "guardrails-Drift-1A"): QUEUE,
}
SENT, HOUR = 1_800_000_000, 3600
DROP = "look at it in the console of SQS, and drop it (DELETE=id) if nobody misses it"
EVENT = {
    "id": "an-event",
    "detail-type": "AWS API Call via CloudTrail",
    "source": "aws.ec2",
    "detail": {"eventSource": "ec2.amazonaws.com", "eventName": "ReplaceRoute", "eventID": "a-call"},
}
BODY = json.dumps(EVENT)
WHAT = "ReplaceRoute of ec2.amazonaws.com"


def letter(body: object = BODY, *, source: str = "", **attributes: str) -> Letter:
    text = body if isinstance(body, str) else json.dumps(body)
    return Letter(id="a-message", body=text, sent=SENT, attributes=attributes, source=source)


def failed(**differs: Any) -> dict[str, Any]:
    """Lambda's record."""
    context = {"functionArn": f"{FUNCTION_ARN}:$LATEST", "condition": "RetriesExhausted", "approximateInvokeCount": 3}
    answer = {"errorType": "BadSettings", "errorMessage": "ALERT_TOPIC_ARN is missing"}
    return {"requestContext": context, "requestPayload": EVENT, "responsePayload": answer} | differs


def understood(one: Letter, now: int = SENT) -> Understood:
    return understand(one, PLACES, now)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        (
            {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "no policy", "RETRY_ATTEMPTS": "0"},
            "NO_PERMISSIONS: no policy (0 retries)",
        ),
        (
            {
                "ERROR_CODE": "THROTTLING",
                "EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds",
                "RETRY_ATTEMPTS": "12",
            },
            "THROTTLING (MaximumEventAgeInSeconds, 12 retries)",
        ),
        ({}, "EventBridge does not say why"),
    ],
    ids=["denied", "too-old", "nothing"],
)
@pytest.mark.parametrize(
    ("arn", "to"), [(FUNCTION_ARN, FUNCTION), (QUEUE_ARN, QUEUE)], ids=["to-a-function", "to-a-queue"]
)
def test_what_a_rule_could_not_deliver_goes_to_its_target(
    attributes: Mapping[str, str], reason: str, arn: str, to: Destination
) -> None:
    said = understood(letter(RULE_ARN="arn:of:a:rule", TARGET_ARN=arn, **attributes))
    assert (said.kind, said.what, said.id, said.reason) == (Kind.UNDELIVERED, WHAT, "a-call", reason)
    assert (said.to, said.payload, said.advice) == (to, BODY, "")


@pytest.mark.parametrize(
    ("differs", "reason"),
    [
        ({}, "BadSettings: ALERT_TOPIC_ARN is missing (RetriesExhausted, 3 tries)"),
        (
            {"responsePayload": {"errorMessage": "Task timed out"}},
            "Task timed out (RetriesExhausted, 3 tries)",
        ),
        (
            {"requestContext": {"functionArn": FUNCTION_ARN, "condition": "EventAgeExceeded"}, "responsePayload": None},
            "the function's answer is not in the record (EventAgeExceeded)",
        ),
    ],
    ids=["raised", "timed-out", "never-run"],
)
def test_what_a_function_failed_at_is_what_it_is_invoked_with_again(differs: dict[str, Any], reason: str) -> None:
    said = understood(letter(failed(**differs)))
    assert (said.kind, said.what, said.id, said.reason) == (Kind.FAILED, WHAT, "a-call", reason)
    assert (said.to, json.loads(said.payload), said.advice) == (FUNCTION, EVENT, "")


def test_what_a_queue_gave_up_on_goes_back_there_whatever_attributes_it_has() -> None:
    said = understood(letter(source=QUEUE_ARN, TARGET_ARN=FUNCTION_ARN, RULE_ARN="arn:of:a:rule"))
    assert said == Understood(
        kind=Kind.GIVEN_UP,
        what=WHAT,
        id="a-call",
        reason="guardrails-Drift-1A gave it out as often as it may; the function's log says why, by message_id",
        to=QUEUE,
        payload=BODY,
        same=said.same,
    )


@pytest.mark.parametrize(
    ("body", "what", "name"),
    [
        ({"id": "e", "detail-type": "Scheduled Event", "source": "aws.events"}, "Scheduled Event of aws.events", "e"),
        (
            {"id": "e", "source": "aws.apprunner", "detail": {"operationStatus": "UpdateServiceFailed"}},
            "UpdateServiceFailed of aws.apprunner",
            "e",
        ),
        ({"apprunner-guardrails": "come back", "target_groups": ["arn:1", "arn:2"]}, "come back: arn:1, arn:2", ""),
        (
            {"RequestType": "Create", "LogicalResourceId": "Targets", "RequestId": "r", "ResponseURL": "secret"},
            "Create of Targets of CloudFormation",
            "r",
        ),
        (
            {
                "apprunner-guardrails": "custom resource",
                "since": 1,
                "request": {"RequestType": "Update", "LogicalResourceId": "Targets", "RequestId": "r"},
            },
            "Update of Targets of CloudFormation",
            "r",
        ),
        ({}, "an event without a name of an unknown source", ""),
    ],
    ids=["schedule", "operation", "come-back", "request", "request-again", "empty"],
)
def test_what_it_is_about_is_told_of_every_kind_of_event(body: object, what: str, name: str) -> None:
    said = understood(letter(body, source=QUEUE_ARN), SENT + HOUR)
    assert (said.what, said.id, said.to) == (what, name, QUEUE)


@pytest.mark.parametrize(
    "body", [{"RequestType": "Create"}, {"apprunner-guardrails": "x", "request": {"RequestType": 1}}]
)
def test_a_request_that_cloudformation_no_longer_waits_for_stays(body: object) -> None:
    said = understood(letter(body, source=QUEUE_ARN), SENT + HOUR + 1)
    assert (said.to, said.payload) == (None, "")
    assert said.advice == (
        "CloudFormation waits for an answer for an hour and has given up since: update that stack again, and drop this"
        " (DELETE=id)"
    )


@pytest.mark.parametrize(
    ("one", "kind", "advice"),
    [
        (
            letter("{"),
            Kind.UNKNOWN,
            "it is neither an event that could not be delivered, nor Lambda's record, nor from a working queue",
        ),
        (
            letter(EVENT),
            Kind.UNKNOWN,
            "it is neither an event that could not be delivered, nor Lambda's record, nor from a working queue",
        ),
        (
            letter("[" * 100_000, source=QUEUE_ARN),
            Kind.GIVEN_UP,
            "what should be an event is no JSON object, and would come back",
        ),
        (
            letter("[1]", TARGET_ARN=QUEUE_ARN),
            Kind.UNDELIVERED,
            "what should be an event is no JSON object, and would come back",
        ),
        (
            letter(failed(requestPayload=None)),
            Kind.FAILED,
            "Lambda's record is without the event, as when both are too long together; the next audit looks at all",
        ),
        (
            letter(failed(requestPayload="text")),
            Kind.FAILED,
            "what should be an event is no JSON object, and would come back",
        ),
        (
            letter(TARGET_ARN=f"arn:aws:sqs:{REGION}:999999999999:guardrails-Drift-1A"),
            Kind.UNDELIVERED,
            f"arn:aws:sqs:{REGION}:999999999999:guardrails-Drift-1A is no queue or function of the stack",
        ),
        (
            letter(source=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:guardrails-Drift-1A"),
            Kind.GIVEN_UP,
            f"arn:aws:sqs:eu-west-1:{ACCOUNT}:guardrails-Drift-1A is no queue or function of the stack",
        ),
        (
            letter(TARGET_ARN="nonsense"),
            Kind.UNDELIVERED,
            "nonsense is no queue or function of the stack",
        ),
    ],
    ids=["no-json", "nobody-says", "endless", "list", "left-out", "text", "other-account", "other-region", "no-arn"],
)
def test_what_is_not_understood_or_belongs_elsewhere_stays_with_what_to_do(
    one: Letter, kind: Kind, advice: str
) -> None:
    said = understood(one)
    assert (said.kind, said.advice, said.to, said.payload) == (kind, f"{advice}: {DROP}", None, "")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (
            {"detail-type": "Scheduled Event", "id": "1", "time": "a"},
            {"detail-type": "Scheduled Event", "id": "2"},
            True,
        ),
        (
            {"detail-type": "Scheduled Event", "resources": ["one"]},
            {"detail-type": "Scheduled Event", "resources": ["two"]},
            False,
        ),
        ({"detail-type": "Audit Due", "id": "1", "region": "x"}, {"detail-type": "Audit Due", "region": "x"}, True),
        ({"detail-type": "Audit Due", "region": "x"}, {"detail-type": "Audit Due", "region": "y"}, False),
        ({"apprunner-guardrails": "come back", "a": 1}, {"a": 1, "apprunner-guardrails": "come back"}, True),
        ({"id": "1", "detail-type": "x"}, {"id": "2", "detail-type": "x"}, False),
    ],
    ids=["schedule", "other-schedule", "member", "other-member", "order", "two-calls"],
)
def test_letters_ask_for_the_same_where_nothing_is_lost_by_one_of_them(
    one: object, other: object, is_same: bool
) -> None:
    said = [understood(letter(body, source=QUEUE_ARN)).same for body in (one, other)]
    assert all(said)
    assert (said[0] == said[1]) is is_same
    elsewhere = understood(letter(one, TARGET_ARN=FUNCTION_ARN))
    assert elsewhere.same != said[0]


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        (f"{FUNCTION_ARN}:$LATEST", ("lambda", REGION, ACCOUNT, "guardrails-Validate-1A")),
        (f"arn:aws-cn:sqs:{REGION}:{ACCOUNT}:queue", ("sqs", REGION, ACCOUNT, "queue")),
        ("arn:aws:sqs", ("", "", "", "")),
        ("", ("", "", "", "")),
    ],
)
def test_a_place_is_read_from_its_arn(arn: str, found: tuple[str, str, str, str]) -> None:
    assert place(arn) == found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "requestContext",
                    "functionArn",
                    "requestPayload",
                    "apprunner-guardrails",
                    "request",
                    "RequestType",
                    "detail",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    body=json_values.map(json.dumps) | st.text(),
    attributes=st.dictionaries(st.sampled_from(["TARGET_ARN", "ERROR_CODE"]), st.sampled_from([QUEUE_ARN, "", "x:y"])),
    source=st.sampled_from(["", QUEUE_ARN, "arn:aws:sqs:::"]),
)
def test_whatever_a_message_holds_it_goes_to_a_place_of_the_stack_or_stays_with_advice(
    body: str, attributes: dict[str, str], source: str
) -> None:
    said = understood(Letter(id="1", body=body, sent=SENT, attributes=attributes, source=source))
    if said.to is None:
        assert (bool(said.advice), said.payload, said.same) == (True, "", "")
    else:
        assert said.to in PLACES.values()
        assert isinstance(json.loads(said.payload), dict)
