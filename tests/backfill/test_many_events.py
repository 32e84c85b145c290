"""Many events, and none at all: what is read of CloudTrail, and how fast."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest

from backfill.history import CALLS
from emulator.cloudtrail import history
from emulator.worlds import WORLDS, make
from emulator.worlds.parts import sdk_client
from tests.backfill.conftest import LOOKUP, Place, fail

FAILED = "the call CreateVpcConnector failed with 'InvalidRequestException': nothing was changed"


@pytest.fixture
def busy(place: Place) -> Place:
    """A connector, a service, and more than two pages of events of one second."""
    make(WORLDS["healthy"], sdk_client)
    fail(110)
    return place


def test_every_page_is_read_at_two_lookups_a_second(busy: Place, told: Callable[..., Any]) -> None:
    busy.aws.settings.lookups_per_second = 2
    calls = busy.calls()
    said = told(busy, calls=calls)
    assert said["read"] == {"calls": list(CALLS), "pages": 8, "events": 113}
    assert said["ignored"] == {FAILED: 111}
    assert sorted(one["call"] for one in said["resources"]) == ["CreateService", "CreateVpcConnector"]
    at = [moment for _, method, moment in calls.made if method == LOOKUP]
    assert len(at) == 8
    assert all(later - earlier >= 0.49 for earlier, later in pairwise(at))


def test_lookups_that_are_throttled_are_made_again_at_the_pace(busy: Place, told: Callable[..., Any]) -> None:
    """Others look up too: one lookup in four seconds is left. What the SDK sends again waits for its turn as well."""
    busy.aws.settings.lookups_per_second = 0.25
    tries: list[float] = []
    throttle = history._throttle

    def counted(lookups: Any) -> None:
        tries.append(busy.aws.clock.now().timestamp())
        throttle(lookups)

    calls = busy.calls()
    with patch.object(history, "_throttle", counted), patch("botocore.endpoint.time", sleep=lambda _: None):
        assert told(busy, calls=calls)["read"] == {"calls": list(CALLS), "pages": 8, "events": 113}
    assert len(tries) > len(calls.of(LOOKUP)) > 8
    assert all(later - earlier >= 0.49 for earlier, later in pairwise(tries))


def test_interrupted_between_pages_no_event_is_told_twice(busy: Place, told: Callable[..., Any]) -> None:
    at = 1 + CALLS.index("CreateVpcConnector") + 2
    assert told(busy, calls=busy.calls(at), ends=130)["read"]["events"] == 101
    calls = busy.calls()
    said = told(busy, calls=calls)
    assert (said["read"]["events"], said["ignored"]) == (113, {FAILED: 111})
    asked = [one for one in calls.asked if "LookupAttributes" in one]
    assert [one["LookupAttributes"][0]["AttributeValue"] for one in asked] == ["CreateVpcConnector"] * 3 + list(
        CALLS[4:]
    )


def test_nothing_is_found_where_nothing_was_made(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.run() == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "backfill  123456789012 us-east-1",
        "  tags: created-at, created-by, created-with; the template's defaults (STACK=name takes a stack's own)",
        "0 resources in 0 events, 6 pages, 6 of 6 calls",
    ]
    assert err == "  read 0 events, 6 pages, 6 of 6 calls\n"
    assert not place.file.exists()


def test_a_service_of_ecs_is_none_of_ours(place: Place, told: Callable[..., Any]) -> None:
    ecs = sdk_client("ecs")
    ecs.create_cluster(clusterName="orders")
    ecs.register_task_definition(
        family="orders", containerDefinitions=[{"name": "orders", "image": "orders", "memory": 64}]
    )
    ecs.create_service(cluster="orders", serviceName="orders", taskDefinition="orders", desiredCount=0)
    said = told(place)
    assert (said["resources"], said["ignored"]) == (
        [],
        {"the call 'CreateService' of 'ecs.amazonaws.com' makes nothing that is tagged": 1},
    )


def test_a_record_that_cannot_be_read_is_named_and_the_rest_goes_on(busy: Place, told: Callable[..., Any]) -> None:
    whole, cut = history._row, iter(["{"])

    def row(record: Any) -> dict[str, object]:
        told = whole(record)
        return {**told, "CloudTrailEvent": next(cut, told["CloudTrailEvent"])}

    with patch.object(history, "_row", row):
        said = told(busy)
    [(event, why)] = said["not_read"].items()
    assert why.startswith("CloudTrailEvent is no JSON: ")
    assert event not in [one["event"] for one in said["resources"]]
    assert said["read"]["events"] == 113
