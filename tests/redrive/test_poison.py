"""Events that the guardrails could not deal with: into a dead-letter queue, and back once the cause is mended."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from emulator.worlds import WORLDS, later, sdk_client
from tests.redrive.conftest import redrive
from tests.redrive.deployed import Deployed, deployed, happened

DEAD = "ValidateNetworkDeadLetterQueue"
FUNCTION = "ValidateNetworkFunction"
ALERT = "[HIGH] AR102 public subnet: VPC connector {0} in 123456789012 us-east-1"
RESOLVED = "[RESOLVED] AR102 public subnet: VPC connector {0} in 123456789012 us-east-1"
PUBLIC = "public-subnets"


@contextmanager
def no_ledger(place: Deployed) -> Iterator[None]:
    """The table cannot be read: LedgerUnavailable."""
    with place.aws.deny("dynamodb:Query"):
        yield


@contextmanager
def bad_settings(place: Deployed) -> Iterator[None]:
    """A parameter that the function cannot follow: BadSettings."""
    place.loop._parameters["MinConnectorZones"] = "many"
    yield
    del place.loop._parameters["MinConnectorZones"]


def test_an_event_that_is_dealt_with_leaves_nothing_in_any_queue(place: Deployed) -> None:
    """The twin of all below."""
    place.happens(*happened(place, PUBLIC))
    assert (place.subjects, place.depths(), place.alarms()) == ([ALERT.format(PUBLIC)], {}, [])


@pytest.mark.parametrize(
    ("cause", "error", "alarms"),
    [
        (no_ledger, "LedgerUnavailable", ["ValidateNetworkDeadLetters"]),
        (bad_settings, "BadSettings", ["ValidateNetworkDeadLetters", "TagResourcesDeadLetters"]),
    ],
    ids=["ledger", "settings"],
)
def test_an_event_that_the_function_fails_at_comes_back_and_is_told_once(
    place: Deployed,
    told: Callable[..., Any],
    cause: Callable[[Deployed], AbstractContextManager[None]],
    error: str,
    alarms: list[str],
) -> None:
    [event, *_] = happened(place, PUBLIC)
    with cause(place):
        place.happens(event)
        failed = [one.error.partition(":")[0] for one in place.answers if one.function == FUNCTION]
        assert (failed, place.subjects) == ([error] * 3, [])
        assert (place.depth(DEAD), place.alarms()) == (1, alarms)
        [message] = told(place, "--queue", "ValidateNetwork")["messages"]
        reason = message.pop("reason")
        assert (reason.startswith(f"{error}: "), reason.endswith(" (RetriesExhausted, 3 tries)")) == (True, True)
        assert message == {
            "id": message["id"],
            "queue": "ValidateNetwork",
            "sent": "2026-11-02T09:09:00Z",
            "kind": "function failed",
            "event": event["detail"]["eventID"],
            "what": "CreateVpcConnector of apprunner.amazonaws.com",
            "answer": "would send",
            "to": FUNCTION,
            "once_with": None,
            "why": None,
            "body": None,
        }
        assert (place.depth(DEAD), place.alarms()) == (1, alarms), "whoever looks changes nothing"

    sent = told(place, "--apply")["messages"]
    assert {one["answer"] for one in sent} == {"sent back"}
    assert message["id"] in {one["id"] for one in sent}
    place.work()
    assert (place.subjects, place.depths(), place.alarms()) == ([ALERT.format(PUBLIC)], {}, [])

    assert told(place, "--apply")["messages"] == []
    place.happens(event)
    assert (place.subjects, place.depths()) == ([ALERT.format(PUBLIC)], {}), "nothing is told twice"


def test_a_change_that_a_queue_gave_up_on_comes_back_and_is_told_once(told: Callable[..., Any]) -> None:
    with deployed("mended") as place:
        place.happens(*happened(place, "mended"))
        assert place.subjects == [ALERT.format("mended")]
        before = len(place.aws.events)
        later(WORLDS["mended"], sdk_client)
        mended = place.aws.events[before:]
        with bad_settings(place):
            place.happens(*mended)
            assert (place.depths()[DEAD], place.alarms()) == (len(mended), ["ValidateNetworkDeadLetters"])
            found = told(place)["messages"]
            assert {(one["kind"], one["what"], one["to"]) for one in found} == {
                ("queue gave up", "ReplaceRoute of ec2.amazonaws.com", "DriftQueue")
            }
        told(place, "--apply")
        assert place.depths() == {"DriftQueue": len(mended)}
        place.work()
        assert place.subjects == [ALERT.format("mended"), RESOLVED.format("mended")]
        assert (place.depths(), place.alarms()) == ({}, [])


@pytest.mark.parametrize(
    ("target", "depths"), [(FUNCTION, {}), ("DriftQueue", {"DriftQueue": 1})], ids=["function", "queue"]
)
def test_an_event_that_a_rule_could_not_deliver_comes_to_its_target(
    place: Deployed, told: Callable[..., Any], target: str, depths: dict[str, int]
) -> None:
    event = happened(place, PUBLIC)[0]
    place.not_delivered(DEAD, event, target)
    [sent] = told(place, "--apply")["messages"]
    assert (sent["kind"], sent["to"], sent["reason"]) == (
        "not delivered",
        target,
        "NO_PERMISSIONS: not authorized (0 retries)",
    )
    assert place.depths() == depths
    place.work()
    assert (place.subjects, place.depths()) == ([ALERT.format(PUBLIC)], {})


def test_while_the_cause_is_not_mended_each_run_sends_it_once(place: Deployed, told: Callable[..., Any]) -> None:
    with no_ledger(place):
        place.happens(happened(place, PUBLIC)[0])
        for _ in range(2):
            assert [one["answer"] for one in told(place, "--apply")["messages"]] == ["sent back"]
            place.work()
            assert place.alarms() == ["ValidateNetworkDeadLetters"]
    assert sum(bool(one.error) for one in place.answers) == 3 * 3


def test_an_event_that_no_version_understands_is_dropped_by_its_id(place: Deployed, told: Callable[..., Any]) -> None:
    """A watched call whose record has another form than any before: BadEvent."""
    [event, *_] = happened(place, PUBLIC)
    connector = event["detail"]["responseElements"]["vpcConnector"]
    connector["vpcConnectorArn"] = [connector["vpcConnectorArn"]]
    place.happens(event)
    messages = {one["queue"]: one for one in told(place)["messages"]}
    assert messages["ValidateNetwork"]["reason"].startswith(
        "BadEvent: detail.responseElements.vpcConnector.vpcConnectorArn of CreateVpcConnector should be the ARN"
    )
    assert redrive(place, "--apply", "--delete", messages["ValidateNetwork"]["id"]) == 0
    assert (DEAD in place.depths(), "ValidateNetworkDeadLetters" in place.alarms()) == (False, False)
