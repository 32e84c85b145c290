"""The whole program against the queues of a stack: what it shows, sends, leaves and drops, and what goes wrong."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import TokenRetrievalError
from moto.sqs.models import sqs_backends

from apprunner_guardrails.aws.clients import client as sdk
from apprunner_guardrails.aws.reads import action
from emulator.worlds import sdk_client
from redrive import queues
from tests.redrive.conftest import redrive
from tests.redrive.deployed import NAME, Deployed, deployed, record
from tests.samples import ACCOUNT, REGION

DEAD, SYNC_DEAD = "ValidateNetworkDeadLetterQueue", "SyncTargetsDeadLetterQueue"
FUNCTION, SYNC = "ValidateNetworkFunction", "SyncTargetsFunction"
CALLS_FOR_FOUR = 19  # of a run that sends four messages back
FOUR = {"AuditRegion", "SyncTargets", "TagResources", "ValidateNetwork"}


def event(name: str, **more: object) -> dict[str, object]:
    detail = {"eventSource": "ec2.amazonaws.com", "eventName": "ReplaceRoute", "eventID": name}
    return {
        "id": f"e-{name}",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "detail": detail,
        **more,
    }


def schedule(name: str) -> dict[str, object]:
    return {"id": name, "time": name, "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


def gone_wrong(place: Deployed, number: int = 1) -> list[str]:
    """So many events that a rule could not deliver to the queue of the function; their messages' ids."""
    return [place.not_delivered(DEAD, event(f"{each:03}"), "DriftQueue") for each in range(number)]


def arrived(place: Deployed, queue: str = "DriftQueue") -> list[Any]:
    """What the working queue has, by event."""
    found = []
    while some := sdk_client("sqs").receive_message(QueueUrl=place.urls[queue], MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(one["Body"])["detail"]["eventID"] for one in some]
    return sorted(found)


@dataclass
class Calls:
    """Stands before the SDK's clients: keeps what is asked, and ends the program at a call, before it or after it."""

    at: int = -1
    has_arrived: bool = False
    failure: BaseException = field(default_factory=KeyboardInterrupt)
    made: list[tuple[str, str]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return Watched(self, service)


class Watched:
    def __init__(self, calls: Calls, service: str) -> None:
        self._calls, self._service, self._client = calls, service, sdk(service)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(**parameters: object) -> object:
            calls = self._calls
            stops = len(calls.made) == calls.at
            calls.made.append((self._service, name))
            if stops and not calls.has_arrived:
                raise calls.failure
            answer = found(**parameters)
            if stops:
                raise calls.failure
            return answer

        return call


def answers(said: Mapping[str, Any]) -> dict[str, str]:
    return {one["id"]: one["answer"] for one in said["messages"]}


@pytest.fixture(scope="module")
def stack() -> Iterator[Deployed]:
    """Made once: it takes longer than the tests."""
    with deployed("public-subnets") as made:
        yield made


@pytest.fixture
def place(stack: Deployed) -> Deployed:
    """With empty queues."""
    for queue in sqs_backends[ACCOUNT][REGION].queues.values():  # SQS itself purges a queue once a minute
        queue._messages.clear()
        queue.pending_messages.clear()
    stack.asked, stack.answers = [], []
    return stack


# --- What is looked at, and what is sent ----------------------------------------------------------------------------


def test_without_apply_everything_is_shown_and_stays_to_be_seen(place: Deployed, told: Callable[..., Any]) -> None:
    ids = gone_wrong(place, 23)
    for _ in range(2):
        said = told(place)
        assert answers(said) == dict.fromkeys(ids, "would send")
        assert {name: one["messages"] for name, one in said["queues"].items()} == {
            **dict.fromkeys(FOUR, 0),
            "ValidateNetwork": 23,
        }
        assert (said["looked_at_all"], said["not_reached"], said["still_hidden"]) == (True, 0, 0)
    assert place.depths() == {DEAD: 23}


def test_more_than_a_page_is_sent_back_each_once(place: Deployed, told: Callable[..., Any]) -> None:
    ids = gone_wrong(place, 23)
    assert answers(told(place, "--apply", "1")) == dict.fromkeys(ids, "sent back")
    place.aws.clock.advance(600)  # what is only hidden comes back
    assert place.depths() == {"DriftQueue": 23}
    assert arrived(place) == [f"{each:03}" for each in range(23)]


def test_no_more_than_max_are_dealt_with(place: Deployed, told: Callable[..., Any]) -> None:
    ids = gone_wrong(place, 23)
    said = told(place, "--apply", "--max", "12")
    assert (set(answers(said).values()), len(said["messages"]), said["looked_at_all"]) == ({"sent back"}, 12, False)
    assert place.depths() == {DEAD: 11, "DriftQueue": 12}
    rest = told(place, "--apply", "--max", "12")
    assert answers(said) | answers(rest) == dict.fromkeys(ids, "sent back")
    assert rest["looked_at_all"] is True


def test_one_queue_alone_is_dealt_with(place: Deployed, told: Callable[..., Any]) -> None:
    gone_wrong(place)
    other = place.put(SYNC_DEAD, json.dumps(record(place.arns[SYNC], event("x"), "NotSynced: no")))
    assert answers(told(place, "--queue", "SyncTargets", "--apply")) == {other: "sent back"}
    assert (place.depths(), [name for name, _ in place.asked]) == ({DEAD: 1}, [SYNC])


def test_what_asks_for_the_same_is_sent_once_and_all_of_it_goes(place: Deployed, told: Callable[..., Any]) -> None:
    """A day without the function: its timetable's events, and messages to come back to the same."""
    ids = []
    for minute in range(12):
        ids.append(
            place.put(SYNC_DEAD, json.dumps(record(place.arns[SYNC], schedule(f"{minute:02}"), "NotSynced: no")))
        )
        place.aws.clock.advance(60)
    looked = told(place)
    assert {one["once_with"] for one in looked["messages"]} == {None, ids[-1]}
    said = told(place, "--apply")
    assert answers(said) == dict.fromkeys(ids, "sent back")
    assert [one["id"] for one in said["messages"] if one["once_with"] is None] == [ids[-1]], "the newest does for all"
    assert place.asked == [(SYNC, schedule("11"))]
    assert place.depths() == {}


def test_what_stays_keeps_nothing_else_waiting_and_ends_with_a_status(
    place: Deployed, told: Callable[..., Any]
) -> None:
    odd = place.put(DEAD, "no event of anybody's")
    [sent] = gone_wrong(place)
    said = told(place, "--apply", ends=1)
    assert answers(said) == {odd: "stays", sent: "sent back"}
    assert {one["id"]: one["body"] for one in said["messages"]} == {odd: "no event of anybody's", sent: None}
    assert place.depths() == {DEAD: 1, "DriftQueue": 1}
    assert redrive(place) == 0, "to look at it is no failure"


def test_nothing_is_sent_to_what_is_not_of_the_stack(place: Deployed, told: Callable[..., Any]) -> None:
    elsewhere = str(sdk_client("sqs").create_queue(QueueName="elsewhere")["QueueUrl"])
    kept = place.not_delivered(DEAD, event("x"), "arn:aws:sqs:us-east-1:123456789012:elsewhere")
    assert answers(told(place, "--apply", ends=1)) == {kept: "stays"}
    assert "Messages" not in sdk_client("sqs").receive_message(QueueUrl=elsewhere)


def test_a_dead_letter_queue_is_no_place_to_send_to(place: Deployed, told: Callable[..., Any]) -> None:
    kept = place.not_delivered(DEAD, event("x"), SYNC_DEAD)
    assert answers(told(place, "--apply", ends=1)) == {kept: "stays"}
    assert place.depths() == {DEAD: 1}


def test_what_the_secret_of_a_request_is_is_not_told(place: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    request = {
        "RequestType": "Create",
        "LogicalResourceId": "Targets",
        "RequestId": "r",
        "ResponseURL": "https://secret",
    }
    place.put(SYNC_DEAD, json.dumps(record(place.arns[SYNC], request, "NotAnswered: no")))
    for arguments in ((), ("--format", "json"), ("--apply",)):
        assert redrive(place, *arguments) == 0
        said = capsys.readouterr()
        assert "Create of Targets of CloudFormation" in said.out
        assert "secret" not in said.out + said.err


def test_what_comes_while_it_runs_is_for_the_next_run(place: Deployed, told: Callable[..., Any]) -> None:
    """As where Lambda has no execution left for a function: what it is asked to do fails at once."""
    place.put(DEAD, json.dumps(record(place.arns[FUNCTION], event("x"), "LedgerUnavailable: no")))
    fails = Calls()

    class AtOnce(list[Any]):
        def append(self, asked: Any) -> None:
            place.put(DEAD, json.dumps(record(place.arns[asked[0]], asked[1], "LedgerUnavailable: no", 0)))

    place.asked = AtOnce()
    said = told(place, "--apply", client=fails.client)
    assert [one["answer"] for one in said["messages"]] == ["sent back"]
    assert fails.made.count(("lambda", "invoke")) == 1
    assert place.depths() == {DEAD: 1}


# --- What is dropped ------------------------------------------------------------------------------------------------


def test_a_message_is_dropped_by_its_id_alone_and_nothing_else_is_touched(
    place: Deployed, told: Callable[..., Any]
) -> None:
    poison, *others = gone_wrong(place, 14)
    odd = place.put(SYNC_DEAD, "?")
    assert answers(told(place, "--delete", f"{poison},{odd}")) == {poison: "would drop", odd: "would drop"}
    assert place.depths() == {DEAD: 14, SYNC_DEAD: 1}
    assert answers(told(place, "--delete", f"{poison} {odd}", "--apply")) == {poison: "dropped", odd: "dropped"}
    assert place.depths() == {DEAD: 13}
    assert answers(told(place)) == dict.fromkeys(others, "would send")


def test_of_several_that_ask_for_the_same_only_the_named_one_is_dropped(
    place: Deployed, told: Callable[..., Any]
) -> None:
    first, second = (place.not_delivered(DEAD, event("same"), "DriftQueue") for _ in range(2))
    assert answers(told(place, "--delete", first, "--apply")) == {first: "dropped"}
    assert answers(told(place)) == {second: "would send"}


@pytest.mark.parametrize("apply", [(), ("--apply",)])
def test_a_message_that_is_not_there_is_told(
    place: Deployed, capsys: pytest.CaptureFixture[str], apply: tuple[str, ...]
) -> None:
    gone_wrong(place, 2)
    assert redrive(place, "--delete", "nowhere", *apply) == 1
    assert "  not found     message nowhere\n" in capsys.readouterr().out
    assert place.depths() == {DEAD: 2}


# --- What goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_arrived", [False, True], ids=["lost", "arrived"])
@pytest.mark.parametrize("point", range(CALLS_FOR_FOUR))
def test_wherever_it_is_interrupted_nothing_is_lost(
    place: Deployed, capsys: pytest.CaptureFixture[str], point: int, has_arrived: bool
) -> None:
    gone_wrong(place, 4)
    calls = Calls(at=point, has_arrived=has_arrived)
    assert redrive(place, "--apply", client=calls.client) == 130
    place.aws.clock.advance(600)
    assert redrive(place, "--apply") == 0
    found = arrived(place)
    assert set(found) == {f"{each:03}" for each in range(4)}
    assert len(found) <= 4 + 1, "at most what was under way comes twice"
    assert (place.depth(DEAD), "Traceback" in capsys.readouterr().err) == (0, False)


def test_those_are_all_the_calls_that_it_makes(place: Deployed) -> None:
    gone_wrong(place, 4)
    calls = Calls()
    assert redrive(place, "--apply", client=calls.client) == 0
    assert calls.made == [
        ("sts", "get_caller_identity"),
        ("cloudformation", "list_stack_resources"),
        *[("sqs", "get_queue_attributes")] * 4,
        *[("sqs", "receive_message")] * 5,
        *[("sqs", "send_message"), ("sqs", "delete_message")] * 4,
    ]
    assert len(calls.made) == CALLS_FOR_FOUR


def test_interrupted_it_says_so_and_lets_everybody_see_the_rest_at_once(
    place: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    gone_wrong(place, 4)
    calls = Calls(at=CALLS_FOR_FOUR - 6)
    assert redrive(place, "--apply", client=calls.client) == 130
    assert calls.made[-2:] == [("sqs", "send_message"), ("sqs", "change_message_visibility_batch")]
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "4 messages in 4 queues: 1 sent back, 3 not reached",
        "interrupted: nothing is lost; run it again to continue",
    ]
    assert place.depths() == {DEAD: 3, "DriftQueue": 1}


def test_interrupted_once_more_it_says_how_long_they_are_hidden(
    place: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    gone_wrong(place, 4)
    calls = Calls(at=CALLS_FOR_FOUR - 8)
    assert redrive(place, client=calls.client) == 0
    assert calls.made[-1] == ("sqs", "change_message_visibility_batch")
    assert capsys.readouterr().out.splitlines()[-1] == "4 messages cannot be seen for up to 10 minutes more"
    place.aws.clock.advance(599)
    assert place.depths() == {}
    place.aws.clock.advance(1)
    assert place.depths() == {DEAD: 4}


@pytest.mark.parametrize(
    ("answer", "hidden"),
    [
        ({"Failed": [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]}, 1),
        ({"Failed": [{"Id": "0", "SenderFault": True, "Code": "InvalidParameterValue"}]}, 0),
        ({"Successful": [{"Id": "0"}]}, 0),
    ],
    ids=["failed", "not-hidden", "released"],
)
def test_what_sqs_does_not_release_is_told(
    place: Deployed, told: Callable[..., Any], answer: object, hidden: int
) -> None:
    gone_wrong(place)

    def client(service: str) -> Any:
        made = sdk(service)
        if service == "sqs":
            return NoRelease(made, answer)
        return made

    assert told(place, client=client)["still_hidden"] == hidden


class NoRelease:
    """SQS, with an answer of its own where messages are to be shown again."""

    def __init__(self, client: Any, answer: object) -> None:
        self._client, self._answer = client, answer

    def __getattr__(self, name: str) -> Any:
        if name == "change_message_visibility_batch":
            return lambda **_: self._answer
        return getattr(self._client, name)


def test_what_is_refused_stays_and_the_rest_goes_on(place: Deployed, told: Callable[..., Any]) -> None:
    ids = gone_wrong(place, 5)
    sent = place.put(DEAD, json.dumps(record(place.arns[FUNCTION], event("x"), "LedgerUnavailable: no")))
    calls = Calls()
    with place.aws.deny("sqs:SendMessage"):
        said = told(place, "--apply", ends=1, client=calls.client)
    assert answers(said) == {**dict.fromkeys(ids, "failed"), sent: "sent back"}
    lacks = "these credentials lack the permission sqs:SendMessage"
    assert [one["why"] for one in said["messages"] if one["id"] in ids] == [
        *[lacks] * 3,
        *["it was not tried, as 3 calls in a row for DriftQueue had failed"] * 2,
    ]
    assert calls.made.count(("sqs", "send_message")) == 3
    assert (place.depths(), len(place.asked)) == ({DEAD: 5}, 1)


def test_a_function_that_may_not_be_invoked_is_named_as_iam_does(place: Deployed, told: Callable[..., Any]) -> None:
    place.put(DEAD, json.dumps(record(place.arns[FUNCTION], event("x"), "LedgerUnavailable: no")))
    with place.aws.deny("lambda:InvokeFunction", "lambda:Invoke"):
        [one] = told(place, "--apply", ends=1)["messages"]
    assert one["why"] == "these credentials lack the permission lambda:InvokeFunction"
    assert (place.depths(), place.asked) == ({DEAD: 1}, [])


def test_what_was_sent_and_cannot_be_deleted_is_told(place: Deployed, told: Callable[..., Any]) -> None:
    [name] = gone_wrong(place)
    with place.aws.deny("sqs:DeleteMessage"):
        said = told(place, "--apply", ends=1)
        assert answers(told(place, "--delete", name, "--apply", ends=1)) == {name: "failed"}
    [one] = said["messages"]
    assert one["why"] == (
        "it was sent, but is still in the queue, and the next run sends it once more: these credentials lack the"
        " permission sqs:DeleteMessage"
    )
    assert place.depths() == {DEAD: 1, "DriftQueue": 1}


def test_credentials_that_end_on_the_way_lose_nothing(place: Deployed, told: Callable[..., Any]) -> None:
    gone_wrong(place, 4)
    calls = Calls(at=CALLS_FOR_FOUR - 6, failure=TokenRetrievalError(provider="sso", error_msg="over"))
    said = told(place, "--apply", ends=1, client=calls.client)
    assert sorted(answers(said).values()) == ["failed", "sent back", "sent back", "sent back"]
    assert {one["why"] for one in said["messages"]} == {None, "the credentials have expired: sign in, and run it again"}
    assert place.depths() == {DEAD: 1, "DriftQueue": 3}


def test_what_may_be_seen_by_others_again_is_not_begun_with(
    place: Deployed, told: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    gone_wrong(place, 4)
    slow = Calls()
    send = queues.send

    def late(*arguments: Any) -> None:
        send(*arguments)
        place.aws.clock.advance(271)

    with patch.object(queues, "send", late):
        assert redrive(place, "--apply", client=slow.client) == 2
    out, err = capsys.readouterr()
    assert out.splitlines()[-2] == "4 messages in 4 queues: 2 sent back, 2 not reached"
    assert err == "redrive: letters are hidden for 10 minutes, which are over\n"
    assert place.depths() == {DEAD: 2, "DriftQueue": 2}


@pytest.mark.parametrize("asked", ["cloudformation:ListStackResources", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])
def test_a_permission_that_lacks_is_named(place: Deployed, capsys: pytest.CaptureFixture[str], asked: str) -> None:
    gone_wrong(place)
    with place.aws.deny(asked):
        assert redrive(place, "--apply") == 2
    assert capsys.readouterr().err == f"redrive: these credentials lack the permission {asked}\n"
    assert place.depths() == {DEAD: 1}


def test_what_is_asked_of_aws_is_among_the_permissions_that_help_names(
    place: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    gone_wrong(place)
    place.put(DEAD, "?")
    place.put(DEAD, json.dumps(record(place.arns[FUNCTION], event("x"), "LedgerUnavailable: no")))
    calls = Calls()
    redrive(place, "--apply", client=calls.client)
    asked = {action(service, method.title().replace("_", "")) for service, method in calls.made}
    asked.remove("sts:GetCallerIdentity")  # which needs none
    iam = {"lambda:Invoke": "lambda:InvokeFunction", "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility"}
    capsys.readouterr()
    with pytest.raises(SystemExit):
        redrive(place, "--help")
    named = set(re.findall(r"[a-z0-9]+:[A-Z][A-Za-z]+", capsys.readouterr().out))
    assert named - {"kms:Decrypt", "kms:GenerateDataKey"} == {iam.get(one, one) for one in asked}


def test_a_stack_that_is_not_there_is_said(place: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    assert redrive(place, "--stack", "nowhere") == 2
    assert capsys.readouterr().err == (
        "redrive: there is no stack nowhere in this account and Region: name the one that sam deploy has made"
        " (STACK=name)\n"
    )


def test_another_stack_is_said(place: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    sdk_client("cloudformation").create_stack(StackName="other", TemplateBody=json.dumps(body))
    assert redrive(place, "--stack", "other") == 2
    assert capsys.readouterr().err == "redrive: the stack other has no dead-letter queue: it is another stack\n"


def test_a_queue_that_is_not_there_is_said_with_those_that_are(
    place: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert redrive(place, "--queue", "Drift") == 2
    assert capsys.readouterr().err == (
        f"redrive: the stack {NAME} has no dead-letter queue Drift; there are AuditRegion, SyncTargets, TagResources,"
        " ValidateNetwork\n"
    )
    assert redrive(place, "--queue", DEAD) == 0, "by its logical id it may be called too"


def test_every_page_of_a_stacks_resources_is_read(place: Deployed, told: Callable[..., Any]) -> None:
    """moto has one page for all."""
    gone_wrong(place)

    def paged(service: str) -> Any:
        made = sdk(service)
        return Pages(made) if service == "cloudformation" else made

    assert len(told(place, client=paged)["messages"]) == 1


class Pages:
    """CloudFormation, with one resource a page."""

    def __init__(self, client: Any) -> None:
        self._client, self.meta = client, client.meta

    def list_stack_resources(self, StackName: str, NextToken: str = "0") -> dict[str, object]:  # noqa: N803  # AWS's names
        rows = self._client.list_stack_resources(StackName=StackName)["StackResourceSummaries"]
        at = int(NextToken)
        more = {"NextToken": str(at + 1)} if at + 1 < len(rows) else {}
        return {"StackResourceSummaries": rows[at : at + 1], **more}
