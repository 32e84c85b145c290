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
writes. With events of a service, the service is judged too. "All that costs calls" is required endpoints (one call) and
a security group with inbound rules (one call); with both, the events of services are two calls over. Each of these is
more, whatever else there is; it is a round more only where that is said:

    chat                             a call, in the round of the alert
    Security Hub                     a call, in the round of the alert
    another resource that fails      a call for its mail
    prefix lists                     a call each that can send internet-bound traffic somewhere, and a round for all
    a private service                a call, and one for each of its ingress connections
    tags that a service must have    a call
    a service that breaks a rule     a call for its exemptions, and a round
    egress that an update asks for   a call to remember it, and one to forget it; none where something is told anyway
    egress that does not show        a call, to look for the update among the operations
    eight connectors or more         for CreateVpcConnector a call for the quota, and a round
    a list that lags behind          for CreateVpcConnector a call for the connector itself, and a round
    over 1 MB of findings            with events of a service a call for each further megabyte, and a round

With a prefix list the alert of CreateVpcConnector is in round 5, those of services in round 6: which lists there are is
known only from the route tables, and the VPC of those only from the connector, and the connector only from the service.

A change of a private path reads all that there are in the Region, once for a batch of up to a thousand changes:

    private paths                    calls  rounds
    none                               3     2
    one, with a REST API              24     8
    one, with an HTTP API besides     28     8
    two, and that HTTP API            37     8
    only an interface is named         3     2

A sync of N bound groups that are in step costs at most N + N/20 + 6 calls, one group at most 5. Warm is every run of a
process but its first, which learns what groups there are. One call of each is the ledger's.

    bound groups    warm    cold    at most
    1                5       6       7.05
    2                6       7       8.10
    20              24      25      27.00
    21              25      27      28.05
    100            104     109     111.00
    101            107     108     112.05
    160            166     167     174.00
    500            514     516     531.00

Each group has an endpoint of its own here, in two zones. What is to be changed costs more: per group its tags, whether
traffic crosses zones, the change, and a look at what came of it. Reads are sent at 45 a second at most and changes at
2.8, so that 500 groups take less than 15 seconds where a call takes 20 ms. What the SDK sends again waits for its turn
like everything else.

What somebody creates costs as many rounds as calls. Once it has its tags, the same event again costs one read, and none
at all where the call that made it gave it every tag.

    created                                       first    again    with every tag given
    an App Runner resource                          2        1        0
    a VPC endpoint                                  2        1        0
    a bound target group                            2        1        0
    a load balancer of a bound target group         4        1        0
    a target group that is not bound                2        2        0
    a load balancer of none that is bound           4        4        0

What is not bound is looked at nine times within an hour: each time a call of it is its message to come back. Every
twenty target groups of a load balancer are one call more.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from apprunner_guardrails.aws import clients, reads
from apprunner_guardrails.aws.reads import Pace, Reads
from apprunner_guardrails.facts import TargetGroup
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.sync import CHANGES, CHANGES_PER_SECOND, READS_PER_SECOND, sync
from tests.aws import (
    CHANGING,
    NOW,
    SERVICES,
    WRITES,
    Aws,
    Fault,
    batch_validated,
    pretended,
    refused,
    synced,
    validated,
)
from tests.bound_groups import ENDPOINT, ORDERS, SCHEDULE, in_step, many, readdressed
from tests.bound_groups import asked as asking_for
from tests.creations import MADE, MADE_AT, TAGS, Delivered, creation, delivered
from tests.creations import rows as just_made
from tests.path_events import watched
from tests.private_path import INGRESS, private_path, two_paths, with_http_api
from tests.samples import (
    CHAT_TOPIC,
    CONNECTOR,
    GROUP,
    NEEDS_ENDPOINTS,
    SERVICE,
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
    service,
    service_call,
    tag,
)

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel

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


def of_table(aws: Aws) -> list[str]:
    """The calls of DynamoDB's, in order."""
    return [action for action in aws.actions if action.startswith("dynamodb")]


def reading(trigger: str) -> str:
    """How an event's trigger reads what is recorded: of a connector, or of everything."""
    return "dynamodb:Query" if trigger == "CreateVpcConnector" else "dynamodb:Scan"


def cost(event: Event, rows: Rows, settings: Settings = SETTINGS, telling: Sequence[str] = TELLING) -> tuple[int, int]:
    """Calls, and the round of the alert, which there has to be: claimed in the round before it, settled in the next."""
    if rows["VpcEndpoints"]:
        settings = replace(settings, required_endpoint_services=NEEDS_ENDPOINTS.required_endpoint_services)
    aws = validated(event, rows, settings=settings).aws
    *_, claimed, told, settled = aws.rounds
    assert (claimed, told, settled) == ([WRITES], telling, [WRITES])
    assert of_table(aws) == [reading(event["detail"].get("eventName", "")), WRITES, WRITES]
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
    assert len(outcome.rules("fail", CONNECTOR)) == 3
    assert len(outcome.aws.calls) == FAILING[trigger][0]


@pytest.mark.parametrize("trigger", EVENTS)
def test_an_event_with_nothing_to_say_reads_the_ledger_once_and_writes_nothing(trigger: str) -> None:
    aws = validated(EVENTS[trigger], healthy()).aws
    assert of_table(aws) == [reading(trigger)]
    assert (len(aws.calls), aws.acted) == (NOTHING_NEW[trigger], [])


@pytest.mark.parametrize("trigger", EVENTS)
def test_what_was_told_already_costs_as_little_as_nothing_to_say(trigger: str) -> None:
    rows = public()
    first, second = validated(EVENTS[trigger], rows), validated(EVENTS[trigger], rows)
    assert (first.rules("fail", CONNECTOR), second.rules("fail", CONNECTOR)) == ({"AR102"}, {"AR102"})
    assert of_table(second.aws) == [reading(trigger)]
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


# What else costs calls: an event of a service beside the same without it.

OF_SERVICES = [trigger for trigger in EVENTS if trigger != "CreateVpcConnector"]


def private(status: str = "AVAILABLE") -> Rows:
    """A private service that leaves by the connector; one way leads to it. No endpoints are required."""
    rows = {**private_path(), "VpcEndpoints": []}
    network = rows["Services"][0]["NetworkConfiguration"]
    rows["Services"][0]["NetworkConfiguration"] = {**network, **healthy()["Services"][0]["NetworkConfiguration"]}
    find(rows, "VpcIngressConnections", INGRESS)["Status"] = status
    return rows


def size(event: Event, rows: Rows, settings: Settings = SETTINGS) -> tuple[int, int]:
    """Calls and rounds."""
    aws = validated(event, rows, settings=settings).aws
    return len(aws.calls), len(aws.rounds)


@pytest.mark.parametrize("trigger", OF_SERVICES)
def test_a_private_service_costs_two_calls_and_no_round(trigger: str) -> None:
    assert size(EVENTS[trigger], healthy()) == (NOTHING_NEW[trigger], 3)
    assert size(EVENTS[trigger], private()) == (NOTHING_NEW[trigger] + 2, 3)
    rows = private()
    rows["RouteTables"] = public()["RouteTables"]
    calls, alert_in = FAILING[trigger]
    assert cost(EVENTS[trigger], rows) == (calls + 2, alert_in)


@pytest.mark.parametrize("trigger", OF_SERVICES)
def test_tags_that_a_service_must_have_cost_a_call_and_no_round(trigger: str) -> None:
    required = replace(SETTINGS, required_tags=("team",))
    rows = public()
    rows["Tags"] = [tag(arn, "team", "shop") for arn in (CONNECTOR, SERVICE)]
    calls, alert_in = FAILING[trigger]
    assert cost(EVENTS[trigger], rows, required) == (calls + 1, alert_in)


@pytest.mark.parametrize("trigger", OF_SERVICES)
def test_a_service_that_breaks_a_rule_costs_its_tags_and_a_mail(trigger: str) -> None:
    rows = private("FAILED_CREATION")
    rows["RouteTables"] = public()["RouteTables"]
    calls, alert_in = FAILING[trigger]
    assert cost(EVENTS[trigger], rows, telling=[*TELLING, "sns:Publish"]) == (calls + 2 + 2, alert_in + 1)


def test_what_an_update_asks_for_costs_a_call_to_remember_and_one_to_forget() -> None:
    update = service_call("UpdateService", asks=CONNECTOR)
    busy_service = service(CONNECTOR, Status="OPERATION_IN_PROGRESS")
    rows = {**healthy(), "Services": [busy_service]}
    assert size(update, rows) == (NOTHING_NEW["UpdateService"] + 1, 4)
    rows["Services"] = [service(CONNECTOR)]
    assert size(finished_update(), rows) == (NOTHING_NEW["a finished update"] + 1, 4)
    assert size(finished_update(), rows) == (NOTHING_NEW["a finished update"], 3)
    assert cost(update, {**public(), "Services": [busy_service]}) == FAILING["UpdateService"]


def test_egress_that_does_not_show_costs_a_look_at_the_operations() -> None:
    update = {"ServiceArn": SERVICE, "Id": "7" * 36, "Type": "UPDATE_SERVICE", "Status": "FAILED"}
    rows = {**healthy(), "Operations": [update]}
    calls, rounds = NOTHING_NEW["UpdateService"], 3
    assert size(service_call("UpdateService", asks=""), rows) == (calls + 1 + 1, rounds + 1)  # and it is remembered
    assert size(service_call("UpdateService", asks=""), rows) == (calls, rounds)  # that it is over


def test_many_connectors_cost_the_quota_and_a_round() -> None:
    rows = healthy()
    for number in range(7):
        arn = CONNECTOR.replace("/shop-web/", f"/other-{number}/")
        rows["VpcConnectors"].append(connector(arn, Subnets=[f"subnet-{number}"]))
    rows["ServiceQuotas"] = [{"ServiceCode": "apprunner", "QuotaCode": "L-F7ADEB8C", "Value": 20.0}]
    assert size(created_connector(), healthy()) == (NOTHING_NEW["CreateVpcConnector"], 2)
    assert size(created_connector(), rows) == (NOTHING_NEW["CreateVpcConnector"] + 1, 3)


def test_a_second_page_of_findings_costs_a_call() -> None:
    rows = public()
    validated(created_connector(), rows)
    rows["Items"] = [{**rows["Items"][0], "rule": {"S": f"AR90{number}"}} for number in range(3)]
    pages = {"dynamodb:Scan": 1}
    one = validated(finished_update(), {**healthy(), "Items": rows["Items"]})
    more = validated(finished_update(), {**healthy(), "Items": rows["Items"]}, pages=pages)
    assert of_table(more.aws).count("dynamodb:Scan") == of_table(one.aws).count("dynamodb:Scan") + 2


PATHS: Mapping[str, tuple[Rows, Event, tuple[int, int]]] = {
    "none": (healthy(), watched("elbv2", "ModifyListener"), (3, 2)),
    "one, with a REST API": (private_path(), watched("elbv2", "ModifyListener"), (24, 8)),
    "one, with an HTTP API besides": (with_http_api(private_path()), watched("elbv2", "ModifyListener"), (28, 8)),
    "two, and that HTTP API": (with_http_api(two_paths()), watched("elbv2", "ModifyListener"), (37, 8)),
    "only an interface is named": (private_path(), watched("ec2", "AssociateAddress"), (3, 2)),
}


@pytest.mark.parametrize(("rows", "event", "expected"), PATHS.values(), ids=PATHS)
def test_a_change_of_a_private_path_costs(rows: Rows, event: Event, expected: tuple[int, int]) -> None:
    assert size(event, rows) == expected


@pytest.mark.parametrize(("rows", "event", "expected"), PATHS.values(), ids=PATHS)
def test_a_thousand_changes_of_private_paths_cost_no_more_than_one(
    rows: Rows, event: Event, expected: tuple[int, int]
) -> None:
    detail = event["detail"]
    events = [{**event, "detail": {**detail, "eventID": f"{number}"}} for number in range(1000)]
    assert len(batch_validated(events, rows).aws.calls) == expected[0]


def test_what_changes_of_private_paths_cost_is_in_the_table() -> None:
    assert __doc__ is not None
    table = {" ".join(line.split()) for line in __doc__.splitlines()}
    for name, (*_, (calls, rounds)) in PATHS.items():
        assert f"{name} {calls} {rounds}" in table


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


# Target sync ----------------------------------------------------------------------------------------------------------

IN_STEP: Mapping[int, tuple[int, int]] = {  # bound groups: calls warm and cold
    1: (5, 6),
    2: (6, 7),
    20: (24, 25),
    21: (25, 27),
    100: (104, 109),
    101: (107, 108),
    160: (166, 167),
    500: (514, 516),
}


def most(groups: int) -> float:
    return groups + groups / 20 + 6


def runs(rows: Rows) -> tuple[int, int]:
    """The calls of a second and of a first run in a process; nothing is to be done in either."""
    known: dict[str, TargetGroup] = {}
    cold, warm = (synced(rows, SCHEDULE, known=known) for _ in range(2))
    assert (cold.changes, warm.changes, cold.aws.acted, warm.aws.acted) == ([], [], [], [])
    assert {one["refused"] for one in (*cold.groups.values(), *warm.groups.values())} == {None}
    return len(warm.aws.calls), len(cold.aws.calls)


@pytest.mark.parametrize("groups", IN_STEP)
def test_groups_in_step_cost(groups: int) -> None:
    assert runs(many(groups)) == IN_STEP[groups]


def test_groups_in_step_cost_no_more_than_they_may_and_what_the_table_says() -> None:
    assert IN_STEP[1][0] <= 5
    assert __doc__ is not None
    table = {" ".join(line.split()) for line in __doc__.splitlines()}
    for groups, (warm, cold) in IN_STEP.items():
        assert warm <= cold <= most(groups)
        assert f"{groups} {warm} {cold} {most(groups):.2f}" in table


@pytest.mark.parametrize("groups", [1, 41, 67, 81, 100])
def test_groups_with_endpoints_in_three_zones_cost_no_more_than_they_may(groups: int) -> None:
    """Where another call begins: twenty groups by name, two hundred interfaces."""
    warm, cold = runs(many(groups, "123"))
    assert warm <= cold <= most(groups)


def test_one_group_in_step_costs_five_calls_whatever_led_to_it() -> None:
    for event in (SCHEDULE, asking_for([ORDERS]), asking_for(endpoints=[ENDPOINT])):
        known: dict[str, TargetGroup] = {}
        rows = in_step()
        synced(rows, event, known=known)
        aws = synced(rows, event, known=known).aws
        assert (len(aws.calls), len(aws.rounds)) == (5, 3)


def test_a_change_of_one_group_costs() -> None:
    """The tags, the group, cross-zone twice, the change, the look at it, and that it waits: seven more."""
    known: dict[str, TargetGroup] = {}
    rows = in_step()
    synced(rows, SCHEDULE, known=known)
    assert len(synced(readdressed(rows), SCHEDULE, known=known).aws.calls) == 5 + 7


# Ownership tags -------------------------------------------------------------------------------------------------------


def unbound() -> Rows:
    return {**just_made(), "Tags": []}


# The call, AWS then, and what the event costs: for the first time, again, and where the call gave every tag.
CREATIONS: Mapping[str, tuple[tuple[str, ...], Callable[[], Rows], tuple[int, int, int]]] = {
    "an App Runner resource": (
        ("CreateVpcConnector", "CreateService", "CreateVpcIngressConnection"),
        just_made,
        (2, 1, 0),
    ),
    "a VPC endpoint": (("CreateVpcEndpoint",), just_made, (2, 1, 0)),
    "a bound target group": (("CreateTargetGroup",), just_made, (2, 1, 0)),
    "a load balancer of a bound target group": (("CreateLoadBalancer",), just_made, (4, 1, 0)),
    "a target group that is not bound": (("CreateTargetGroup",), unbound, (2, 2, 0)),
    "a load balancer of none that is bound": (("CreateLoadBalancer",), unbound, (4, 4, 0)),
}


def tagging(name: str, rows: Rows, given: Mapping[str, str] | None = None) -> int:
    aws = delivered(creation(name, given), rows).aws
    assert len(aws.rounds) == len(aws.calls)
    return len(aws.calls)


@pytest.mark.parametrize(("names", "there", "expected"), CREATIONS.values(), ids=CREATIONS)
def test_what_somebody_creates_costs(
    names: Sequence[str], there: Callable[[], Rows], expected: tuple[int, int, int]
) -> None:
    for name in names:
        rows = there()
        first, again, third = (tagging(name, rows) for _ in range(3))
        assert (first, again, tagging(name, there(), TAGS)) == expected
        assert third == again


def test_every_call_that_makes_something_has_its_cost() -> None:
    assert {name for names, *_ in CREATIONS.values() for name in names} == set(MADE)


def test_what_comes_back_within_the_hour_costs_nine_looks_and_eight_messages() -> None:
    now, looks = MADE_AT + 5, list[Delivered]()
    while not looks or looks[-1].sent:
        looks.append(delivered(creation("CreateTargetGroup"), unbound(), now=now))
        now += sum(one["DelaySeconds"] for one in looks[-1].sent)
    assert [len(one.aws.calls) for one in looks] == [2] * 8 + [1]


def test_what_creations_cost_is_in_the_table() -> None:
    assert __doc__ is not None
    table = {" ".join(line.split()) for line in __doc__.splitlines()}
    for name, (_, _, (first, again, given)) in CREATIONS.items():
        assert f"{name} {first} {again} {given}" in table


# How long it takes, and how fast it asks: in simulated time -----------------------------------------------------------

CALL_SECONDS = 0.02


@dataclass
class Timeline:
    """Stands in for the thread pool, and has the time: each call takes CALL_SECONDS, threads work side by side, and
    who waits for a work is as late as it. What is sent begins when a thread is free."""

    at: float = 0.0  # now, for whoever is at work
    calls: list[tuple[float, str]] = field(default_factory=list)  # when each was sent
    tries: list[tuple[float, str]] = field(default_factory=list)  # of those with a fault, when each was sent
    round: int = 0  # as LockStep has them
    work: int = 0
    _free: list[float] = field(default_factory=lambda: [0.0] * reads._THREADS)

    def begin(self) -> None:
        """A call that is waited for at once."""

    def submit(self, work: Callable[..., object], *arguments: object) -> Future[object]:
        sent, thread = self.at, self._free.index(min(self._free))
        self.at = max(sent, self._free[thread])
        value = work(*arguments)
        ended = self._free[thread] = self.at
        self.at = sent
        return _Ended(self, ended, value)

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def call(self, model: "OperationModel", **_: object) -> None:
        self.calls.append((self.at, model.name))
        self.at += CALL_SECONDS

    def send(self, event_name: str, **_: object) -> None:
        self.tries.append((self.at, event_name.rpartition(".")[2]))


class _Ended(Future[object]):
    def __init__(self, timeline: Timeline, ended: float, value: object) -> None:
        super().__init__()
        self._timeline, self._ended = timeline, ended
        self.set_result(value)

    def result(self, timeout: float | None = None) -> object:
        self._timeline.at = max(self._timeline.at, self._ended)
        return super().result(timeout)


def test_what_changes_targets_is_known_as_such() -> None:
    assert {f"elasticloadbalancing:{operation}" for operation in CHANGES} == set(CHANGING)


def simulated(
    rows: Rows,
    known: dict[str, TargetGroup],
    pace: Callable[[float], Callable[[], None]] | None = None,
    settings: Settings = SETTINGS,
    faults: Mapping[str, Fault] | None = None,
) -> Timeline:
    timeline = Timeline()
    hooks: Mapping[str, Callable[..., None]] = {"before-parameter-build": timeline.call, "before-send": timeline.send}
    with Aws(rows, faults), patch.object(reads, "_pool", lambda: timeline), ExitStack() as hooked:
        hooked.enter_context(patch("botocore.endpoint.time", SimpleNamespace(sleep=timeline.sleep)))
        for service in SERVICES:
            events = clients.client(service).meta.events
            for event, hook in hooks.items():
                events.register_first(event, hook)
                hooked.callback(events.unregister, event, hook)
        sync(
            SCHEDULE,
            clients.client,
            settings,
            lambda: NOW,
            seconds_left=lambda: 900 - timeline.at,
            known=known,
            pace=pace or partial(Pace, now=lambda: timeline.at, sleep=timeline.sleep),
        )
    return timeline


def in_any_second(times: Sequence[float]) -> int:
    """The most calls that a second has, wherever it begins."""
    return max((sum(begin <= one < begin + 1 for one in times) for begin in times), default=0)


def reads_of(timeline: Timeline) -> list[float]:
    return [at for at, name in timeline.calls if name not in CHANGES]


def changing(timeline: Timeline) -> list[float]:
    return [at for at, name in timeline.calls if name in CHANGES]


def test_five_hundred_groups_take_less_than_fifteen_seconds_at_fewer_than_fifty_reads_in_any_second() -> None:
    known: dict[str, TargetGroup] = {}
    rows = many(500)
    for expected in (IN_STEP[500][1], IN_STEP[500][0]):
        timeline = simulated(rows, known)
        assert len(timeline.calls) == expected
        assert timeline.at < 15
        assert in_any_second(reads_of(timeline)) < 50


def test_without_a_pace_more_would_be_sent_in_a_second_than_aws_takes() -> None:
    timeline = simulated(many(200), {}, pace=lambda _: lambda: None)
    assert in_any_second(reads_of(timeline)) > 50


def behind(groups: int) -> Rows:
    """Each group misses a target, and has one too many that may go at once."""
    rows = many(groups)
    for row in rows["Targets"]:
        target = row["Target"]
        if target["Id"].split(".")[2] == "2":
            target.update(Id=target["Id"].replace(".2.", ".1.2"), AvailabilityZone="us-east-1a")
    return rows


def test_changes_of_many_groups_are_sent_at_fewer_than_four_in_any_second() -> None:
    rows = behind(12)
    timeline = simulated(rows, {})
    assert len(changing(timeline)) == 24
    assert in_any_second(changing(timeline)) == 3
    assert in_any_second(reads_of(timeline)) < 50
    assert 24 / timeline.at > 2  # and not far slower than that
    assert simulated(rows, {}).at < timeline.at


def test_without_a_pace_changes_would_come_all_at_once() -> None:
    assert in_any_second(changing(simulated(behind(12), {}, pace=lambda _: lambda: None))) > 4


# What is sent again ---------------------------------------------------------------------------------------------------


@pytest.fixture
def new_clients() -> Iterator[None]:
    """Clients whose retries nobody has used up: botocore grants a client only so many."""
    clients._clients.cache_clear()
    yield
    clients._clients.cache_clear()


def third_time_lucky(operation: str) -> Mapping[str, Fault]:
    """Each call is throttled twice; then it is answered, by a success that tells nothing."""
    turns = cycle([refused("Throttling"), refused("Throttling"), pretended(operation)])

    def respond(service: str) -> "AWSResponse":
        return next(turns).respond(service)

    return {f"elasticloadbalancing:{operation}": Fault(code="", respond=respond)}


def throttled_changes() -> Mapping[str, Fault]:
    return {**third_time_lucky("RegisterTargets"), **third_time_lucky("DeregisterTargets")}


def changing_again(timeline: Timeline) -> list[float]:
    assert Counter(name for _, name in timeline.tries) == {"RegisterTargets": 60, "DeregisterTargets": 60}
    return sorted(at for at, _ in timeline.tries)


@pytest.mark.usefixtures("new_clients")
def test_throttled_changes_of_many_groups_are_sent_again_at_fewer_than_four_in_any_second() -> None:
    assert in_any_second(changing_again(simulated(behind(20), {}, faults=throttled_changes()))) < 4


@pytest.mark.usefixtures("new_clients")
def test_if_only_first_tries_were_paced_throttled_changes_would_come_too_fast() -> None:
    with patch("apprunner_guardrails.targets.sync.with_paced_retries", lambda made, _: made):
        assert in_any_second(changing_again(simulated(behind(20), {}, faults=throttled_changes()))) > 4


@pytest.mark.usefixtures("new_clients")
def test_what_is_sent_again_waits_at_the_pace_of_its_kind() -> None:
    def waits(faults: Mapping[str, Fault]) -> Counter[float]:
        waited: list[float] = []
        simulated(behind(1), {}, pace=lambda per_second: lambda: waited.append(per_second), faults=faults)
        return Counter(waited)

    assert waits(throttled_changes()) - waits({}) == {CHANGES_PER_SECOND: 4}  # of two calls
    health = "elasticloadbalancing:DescribeTargetHealth"
    denied, throttled = waits({health: refused("AccessDenied", 403)}), waits({health: refused("Throttling")})
    assert throttled - denied == {READS_PER_SECOND: 2}
