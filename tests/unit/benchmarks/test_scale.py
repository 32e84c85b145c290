"""What an audit and a sync of a made-up Region ask for, and that their work grows with it and not faster."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import pytest

from apprunner_guardrails import routes
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.facts import Connector, Network
from apprunner_guardrails.judge import Terms, judge_connector
from apprunner_guardrails.members import Place
from apprunner_guardrails.once import judging
from apprunner_guardrails.respond import Report
from apprunner_guardrails.scheduled import audit_region
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.sync import Synced, sync
from apprunner_guardrails.targets.triggers import SCHEDULED, Asked
from benchmarks import scale
from benchmarks.large import IN_A_VPC, Answers, Region
from benchmarks.standin import StandIn, serving

NOW = 1_795_244_400
SETTINGS = Settings(
    alert_topic_arn="arn:aws:sns:us-east-1:123456789012:alerts",
    findings_table="findings",
    sync_queue_url="https://sqs.test/sync",
)
TERMS = Terms(settings=SETTINGS, now=NOW)


def audited(connectors: int) -> tuple[Report, Counter[str]]:
    stand_in = StandIn(answers=Answers(region=Region(connectors=connectors)), delay=0)
    with serving(stand_in, None):
        report = audit_region(
            "2026-11-21T07:00:00Z",
            cache(partial(scale._client, stand_in.url)),
            SETTINGS,
            lambda: NOW,
            lambda: 900.0,
            place=Place(account="123456789012", region="us-east-1", home=True),
        )
    return report, Counter(call.action for call in stand_in.calls)


def synced(groups: int) -> tuple[Synced, Counter[str]]:
    stand_in = StandIn(answers=Answers(region=Region(bound_groups=groups)), delay=0)
    asked = Asked(id="", what=SCHEDULED, time="2026-11-21T07:00:00Z", caller=Caller(), everything=True)
    with serving(stand_in, None):
        done = sync(
            asked,
            cache(partial(scale._client, stand_in.url)),
            SETTINGS,
            lambda: NOW,
            seconds_left=lambda: 900.0,
            known={},
            pace=lambda _: lambda: None,
        )
    return done, Counter(call.action for call in stand_in.calls)


def test_an_audit_asks_for_each_service_and_for_pages_of_all_else() -> None:
    report, calls = audited(2 * IN_A_VPC)
    failing = [one.finding.resource for one in report.told]
    assert len(report.evaluations) == 2 * IN_A_VPC * 5  # a connector, its service and its three interfaces
    assert (len(failing), len(set(failing))) == (20, 10)  # every tenth connector
    reads = {action: count for action, count in calls.items() if not action.startswith(("dynamodb", "events", "sns"))}
    assert reads == {
        "apprunner:ListVpcConnectors": 1,  # 100 a page
        "apprunner:ListServices": 5,  # 20 a page
        "apprunner:DescribeService": 100,
        "apprunner:ListVpcIngressConnections": 1,
        "tagging:GetResources": 2,
        "servicequotas:GetServiceQuota": 1,
        "ec2:DescribeAvailabilityZones": 1,
        "ec2:DescribeSubnets": 1,  # of the Region, as there are more than a filter takes
        "ec2:DescribeRouteTables": 1,
        "ec2:DescribeNatGateways": 1,
        "ec2:DescribeNetworkAcls": 1,
        "ec2:DescribeSecurityGroups": 2,  # those that connectors name, and all of their VPCs
        "ec2:DescribeNetworkInterfaces": 2,  # App Runner's, and who carries default groups, which have inbound rules
        "ec2:DescribeVpcAttribute": 4,  # two of each VPC
        "ec2:DescribeVpcEndpoints": 1,
    }


def test_a_sync_asks_for_each_groups_targets_and_for_many_of_all_else() -> None:
    done, calls = synced(120)
    assert [one.refused or one.registered or one.deregistered for one in done.outcomes] == [()] * 120
    assert calls == {
        "tagging:GetResources": 2,  # 100 a page
        "elasticloadbalancing:DescribeTargetGroups": 1,  # all of the Region
        "elasticloadbalancing:DescribeTargetHealth": 120,
        "ec2:DescribeVpcEndpoints": 1,  # 200 in a call
        "ec2:DescribeNetworkInterfaces": 2,  # 360 of them, 200 in a call
        "dynamodb:Scan": 1,
    }


@cache
def networks(connectors: int) -> Sequence[tuple[Connector, Network]]:
    return scale._networks(connectors)


def judge(connectors: int, change: Callable[[Any], Any] = lambda some: some) -> None:
    with judging():
        for connector, network in change(networks(connectors)):
            judge_connector(connector.arn, connector, network, {}, TERMS)


def steps(work: Callable[[], object]) -> int:
    """How many functions of Python's and of C's the work calls."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("change", [lambda some: some, scale._mixed], ids=["as they are", "many fail"])
def test_twice_as_many_connectors_are_twice_the_work_for_the_rules(change: Callable[[Any], Any]) -> None:
    """A rule that looked through all connectors, services or subnets for each would show here."""
    judge(IN_A_VPC, change)
    judge(2 * IN_A_VPC, change)  # what is read and parsed once in a process is no part of it
    few, many = (steps(partial(judge, size, change)) for size in (IN_A_VPC, 2 * IN_A_VPC))
    assert many / few == pytest.approx(2, abs=0.1)


def test_each_table_is_weighed_once_a_family_for_all_the_connectors_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    weighed: Counter[tuple[str, int]] = Counter()
    weigh = routes._won

    def counted(table: Any, lists: Any, family: Any) -> Any:
        weighed[table.id, family] += 1
        return weigh(table, lists, family)

    monkeypatch.setattr(routes, "_won", counted)
    judge(2 * IN_A_VPC)
    assert set(weighed.values()) == {1}
    assert len({table for table, _ in weighed}) == 8  # of each VPC those of three zones and the public one


def test_connectors_of_one_vpc_share_what_was_read_of_it() -> None:
    of_vpc = [network for _, network in networks(2 * IN_A_VPC)][:IN_A_VPC]
    for fact in ("zones", "subnets", "route_tables", "prefix_lists", "nat_gateways", "network_acls", "vpc_groups"):
        assert len({id(getattr(network, fact)) for network in of_vpc}) == 1, fact
