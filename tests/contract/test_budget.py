"""What an event costs: at most 16 calls, and at most 5 rounds up to the published alert. Not every event keeps to it.

A round is all that is sent before an answer is waited for; tests/aws.py counts them. What was told is settled after
the alert, in a round of its own; both channels that are always there (SNS, EventBridge) are told at once.

                                     nothing new    a failing connector    with all that costs calls
    trigger                          calls          calls  alert in        calls  alert in
    CreateVpcConnector                11             15     4               17     4
    CreateService                     12             16     5               18     5
    UpdateService                     12             16     5               18     5
    ResumeService                     12             16     5               18     5
    a finished update                 12             16     5               18     5

Of these, one reads what is recorded and two write it: before the alert and after it. Where there is nothing new, none
writes. "All that costs calls" is required endpoints (one call) and a security group with inbound rules (one call); with
both, the events of services are two calls over. Each of these is one call more, whatever the event:

    chat                             in the round of the alert
    Security Hub                     in the round of the alert
    a prefix list that can send internet-bound traffic somewhere; all of them together are a round of their own

With a prefix list the alert of CreateVpcConnector is in round 5, those of services in round 6: which lists there are is
known only from the route tables, and the VPC of those only from the connector, and the connector only from the service.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.settings import Settings
from tests.aws import WRITES, validated
from tests.samples import (
    CHAT_TOPIC,
    CONNECTOR,
    GROUP,
    NEEDS_ENDPOINTS,
    SETTINGS,
    Event,
    Rows,
    busy,
    connector,
    created_connector,
    find,
    finished_update,
    healthy,
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


NOTHING_NEW: Mapping[str, int] = {
    "CreateVpcConnector": 11,
    "CreateService": 12,
    "UpdateService": 12,
    "ResumeService": 12,
    "a finished update": 12,
}
# Calls, and the round of the alert.
FAILING: Mapping[str, tuple[int, int]] = {
    "CreateVpcConnector": (15, 4),
    "CreateService": (16, 5),
    "UpdateService": (16, 5),
    "ResumeService": (16, 5),
    "a finished update": (16, 5),
}
EVERYTHING: Mapping[str, tuple[int, int]] = {
    "CreateVpcConnector": (17, 4),
    "CreateService": (18, 5),
    "UpdateService": (18, 5),
    "ResumeService": (18, 5),
    "a finished update": (18, 5),
}
TELLING = ["events:PutEvents", "sns:Publish"]


def cost(event: Event, rows: Rows, settings: Settings = SETTINGS, telling: Sequence[str] = TELLING) -> tuple[int, int]:
    """Calls, and the round of the alert, which there has to be: claimed in the round before it, settled in the next."""
    if rows["VpcEndpoints"]:
        settings = replace(settings, required_endpoint_services=NEEDS_ENDPOINTS.required_endpoint_services)
    aws = validated(event, rows, settings=settings).aws
    *_, claimed, told, settled = aws.rounds
    assert (claimed, told, settled) == ([WRITES], telling, [WRITES])
    assert [action for action in aws.actions if action.startswith("dynamodb")] == ["dynamodb:Query", WRITES, WRITES]
    return len(aws.calls), len(aws.rounds) - 1


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
    calls, alert_in = EVERYTHING[trigger]
    assert cost(EVENTS[trigger], busy()) == (calls + 1, alert_in + 1)


def test_two_prefix_lists_cost_two_calls_in_one_round() -> None:
    rows = busy()
    second = find(rows, "RouteTables", "rtb-private-b")
    second["Routes"].append({**find(rows, "RouteTables", "rtb-private-a")["Routes"][-1]})
    second["Routes"][-1]["DestinationPrefixListId"] = "pl-office"
    rows["PrefixLists"].append({"PrefixListId": "pl-office", "Cidrs": ["192.0.2.0/24"]})
    assert cost(created_connector(), rows) == (19, 5)


@pytest.mark.parametrize("trigger", EVENTS)
def test_each_other_channel_costs_a_call_and_no_round(trigger: str) -> None:
    calls, alert_in = FAILING[trigger]
    chat, hub = replace(SETTINGS, chat_topic_arn=CHAT_TOPIC), replace(SETTINGS, security_hub=True)
    assert cost(EVENTS[trigger], public(), chat, [*TELLING, "sns:PublishBatch"]) == (calls + 1, alert_in)
    hubs = ["events:PutEvents", "securityhub:BatchImportFindings", "sns:Publish"]
    assert cost(EVENTS[trigger], public(), hub, hubs) == (calls + 1, alert_in)


@pytest.mark.parametrize("trigger", EVENTS)
def test_many_findings_of_a_connector_cost_no_more_than_one(trigger: str) -> None:
    """PutEvents and chat take ten a call, a transaction a hundred."""
    rows = public()
    find(rows, "SecurityGroups", GROUP)["IpPermissionsEgress"] = []
    for subnet in rows["Subnets"]:
        subnet["AvailableIpAddressCount"] = 0
    outcome = validated(EVENTS[trigger], rows)
    assert len(outcome.rules("fail")) == 3
    assert len(outcome.aws.calls) == FAILING[trigger][0]


@pytest.mark.parametrize("trigger", EVENTS)
def test_an_event_with_nothing_to_say_reads_the_ledger_once_and_writes_nothing(trigger: str) -> None:
    aws = validated(EVENTS[trigger], healthy()).aws
    assert [action for action in aws.actions if action.startswith("dynamodb")] == ["dynamodb:Query"]
    assert (len(aws.calls), aws.acted) == (NOTHING_NEW[trigger], [])


@pytest.mark.parametrize("trigger", EVENTS)
def test_what_was_told_already_costs_as_little_as_nothing_to_say(trigger: str) -> None:
    rows = public()
    first, second = validated(EVENTS[trigger], rows), validated(EVENTS[trigger], rows)
    assert (first.rules("fail"), second.rules("fail")) == ({"AR102"}, {"AR102"})
    assert [action for action in second.aws.actions if action.startswith("dynamodb")] == ["dynamodb:Query"]
    assert (len(second.aws.calls), second.aws.acted) == (NOTHING_NEW[trigger], [])


def test_the_numbers_are_within_the_budget_where_the_table_says_so_and_those_in_the_table() -> None:
    for calls, alert_in in FAILING.values():
        assert calls <= 16
        assert alert_in <= 5
    assert [trigger for trigger, (calls, _) in EVERYTHING.items() if calls > 16] == list(EVENTS)
    assert __doc__ is not None
    table = {line.strip() for line in __doc__.splitlines()}
    for trigger in EVENTS:
        (calls, alert_in), (most, longest) = FAILING[trigger], EVERYTHING[trigger]
        numbers = f"{NOTHING_NEW[trigger]}             {calls}     {alert_in}               {most}     {longest}"
        assert f"{trigger:<33} {numbers}" in table


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
