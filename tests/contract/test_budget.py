"""What an event costs up to its published alert: at most 14 calls, in at most 4 rounds one after the other.

A round is all that is sent before an answer is waited for; tests/aws.py counts them. Publishing is the last round.

                                        a failing connector     with all that costs calls
    trigger                             calls  rounds           calls  rounds
    CreateVpcConnector                    10     3                12     3
    CreateService                         11     4                13     4
    UpdateService                         11     4                13     4
    ResumeService                         11     4                13     4
    a finished update                     11     4                13     4

"All that costs calls" is required endpoints (one call) and a security group with inbound rules (one call). Each prefix
list that can send internet-bound traffic somewhere costs one call more, and all of them together one round more:
CreateVpcConnector stays within 4 rounds, the events of services take 5. Which lists there are is known only from the
route tables, and the VPC of those only from the connector, and the connector only from the service.
"""

import threading
from collections.abc import Mapping, Sequence

import pytest

from apprunner_guardrails.aws.reads import Reads
from tests.aws import validated
from tests.samples import (
    CONNECTOR,
    NEEDS_ENDPOINTS,
    SETTINGS,
    Event,
    Rows,
    busy,
    connector,
    created_connector,
    find,
    finished_update,
    public,
    service_call,
)

EVENTS: Mapping[str, Event] = {
    "CreateVpcConnector": created_connector(),
    "CreateService": service_call("CreateService"),
    "UpdateService": service_call("UpdateService"),
    "ResumeService": service_call("ResumeService"),
    "a finished update": finished_update(),
}


def without_lists() -> Rows:
    rows = busy()
    find(rows, "RouteTables", "rtb-private-a")["Routes"].pop()
    return rows


def ungrouped() -> Rows:
    """No group named: the VPC's default group counts, which has inbound rules since AWS made it."""
    rows = without_lists()
    rows["VpcConnectors"][0] = connector(CONNECTOR, SecurityGroups=[])
    return rows


FAILING: Mapping[str, tuple[int, int]] = {
    "CreateVpcConnector": (10, 3),
    "CreateService": (11, 4),
    "UpdateService": (11, 4),
    "ResumeService": (11, 4),
    "a finished update": (11, 4),
}
EVERYTHING: Mapping[str, tuple[int, int]] = {
    "CreateVpcConnector": (12, 3),
    "CreateService": (13, 4),
    "UpdateService": (13, 4),
    "ResumeService": (13, 4),
    "a finished update": (13, 4),
}
A_PREFIX_LIST: Mapping[str, tuple[int, int]] = {
    "CreateVpcConnector": (13, 4),
    "CreateService": (14, 5),
    "UpdateService": (14, 5),
    "ResumeService": (14, 5),
    "a finished update": (14, 5),
}


def cost(event: Event, rows: Rows) -> tuple[int, int]:
    """Calls and rounds up to the alert, which there has to be."""
    outcome = validated(event, rows, settings=NEEDS_ENDPOINTS if rows["VpcEndpoints"] else SETTINGS)
    *_, last = outcome.aws.rounds
    assert last == ["sns:Publish"]
    return len(outcome.aws.calls), len(outcome.aws.rounds)


@pytest.mark.parametrize("trigger", EVENTS)
def test_a_failing_connector_costs(trigger: str) -> None:
    assert cost(EVENTS[trigger], public()) == FAILING[trigger]


@pytest.mark.parametrize("trigger", EVENTS)
def test_a_failing_connector_with_all_that_costs_calls_costs(trigger: str) -> None:
    assert cost(EVENTS[trigger], without_lists()) == EVERYTHING[trigger]


@pytest.mark.parametrize("trigger", EVENTS)
def test_a_connector_without_groups_costs_no_more(trigger: str) -> None:
    event = created_connector(groups=()) if trigger == "CreateVpcConnector" else EVENTS[trigger]
    assert cost(event, ungrouped()) == EVERYTHING[trigger]


@pytest.mark.parametrize("trigger", EVENTS)
def test_a_prefix_list_costs_a_call_and_a_round(trigger: str) -> None:
    assert cost(EVENTS[trigger], busy()) == A_PREFIX_LIST[trigger]


def test_two_prefix_lists_cost_two_calls_in_one_round() -> None:
    rows = busy()
    second = find(rows, "RouteTables", "rtb-private-b")
    second["Routes"].append({**find(rows, "RouteTables", "rtb-private-a")["Routes"][-1]})
    second["Routes"][-1]["DestinationPrefixListId"] = "pl-office"
    rows["PrefixLists"].append({"PrefixListId": "pl-office", "Cidrs": ["192.0.2.0/24"]})
    assert cost(created_connector(), rows) == (14, 4)


def test_the_numbers_are_within_the_budget_and_those_in_the_table() -> None:
    for calls, rounds in (*FAILING.values(), *EVERYTHING.values()):
        assert calls <= 14
        assert rounds <= 4
    assert __doc__ is not None
    table = {line.strip() for line in __doc__.splitlines()}
    for trigger in EVENTS:
        (calls, rounds), (most, longest) = FAILING[trigger], EVERYTHING[trigger]
        assert f"{trigger:<37} {calls}     {rounds}                {most}     {longest}" in table


class Meeting:
    """A client whose calls come back only when as many of them as expected are at work at once."""

    def __init__(self, together: int) -> None:
        self._barrier = threading.Barrier(together, timeout=10)

    def describe_subnets(self, **_: object) -> Mapping[str, Sequence[object]]:
        self._barrier.wait()
        return {"Subnets": []}


def test_the_calls_of_a_round_are_at_work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the real thread pool: were one thread short, the last call would not come to the meeting."""
    widest = max(
        len(actions)
        for trigger in EVENTS
        for actions in validated(EVENTS[trigger], busy(), settings=NEEDS_ENDPOINTS).aws.rounds
    )
    assert widest == 7
    client = Meeting(widest)
    asking = Reads(lambda service: client)  # type: ignore[arg-type,return-value]  # has the one method that is used
    sent = [asking.ask("ec2", "DescribeSubnets", len, Filters=number) for number in range(widest)]
    assert [answer() for answer in sent] == [1] * widest
