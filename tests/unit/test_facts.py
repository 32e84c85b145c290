from collections.abc import Iterator
from dataclasses import replace

import pytest

from apprunner_guardrails.facts import Connector, NotKnown, Unread, connector_subnets, known, told
from tests.cases._healthy import connector_has_subnets, healthy, private_subnet, unread

DENIED = Unread(call="ec2:DescribeSubnets", code="UnauthorizedOperation")


def test_an_unread_fact_says_which_call_failed_and_how() -> None:
    assert str(DENIED) == "ec2:DescribeSubnets failed (UnauthorizedOperation)"


@pytest.mark.parametrize("fact", [(), ("a",), "", False, None])
def test_a_fact_that_was_read_is_known_even_when_it_is_empty(fact: object) -> None:
    assert known(fact) is fact


def test_an_unread_fact_is_not_known() -> None:
    with pytest.raises(NotKnown, match=r"^ec2:DescribeSubnets failed \(UnauthorizedOperation\)$"):
        known(DENIED)


def _two_and_then(error: Exception | None) -> Iterator[int]:
    yield 1
    yield 2
    if error:
        raise error


def test_all_is_told_where_nothing_is_unknown() -> None:
    assert told(_two_and_then(None)) == ((1, 2), "")


def test_what_comes_before_the_unknown_is_told() -> None:
    assert told(_two_and_then(NotKnown("why"))) == ((1, 2), "why")


def test_other_errors_are_not_taken_for_unknowns() -> None:
    with pytest.raises(KeyError):
        told(_two_and_then(KeyError("x")))


def test_the_region_of_a_connector_is_its_arn_s() -> None:
    connector = Connector(
        arn="arn:aws-cn:apprunner:ap-south-1:111122223333:vpcconnector/a/1/b",
        name="a",
        status="ACTIVE",
        subnet_ids=(),
        security_group_ids=(),
    )
    assert connector.region == "ap-south-1"


def test_the_subnets_of_a_connector_are_those_that_exist_by_zone_and_id() -> None:
    snapshot = healthy()
    extra = private_subnet(9, zone_id="use1-az1")
    network = replace(snapshot.network, subnets=(extra, *reversed(known(snapshot.network.subnets))))
    connector = replace(
        snapshot.connector,
        subnet_ids=("subnet-private-4", "subnet-private-9", "subnet-gone", "subnet-private-2", "subnet-private-1"),
    )
    assert [subnet.id for subnet in connector_subnets(connector, network)] == [
        "subnet-private-1",
        "subnet-private-9",
        "subnet-private-2",
        "subnet-private-4",
    ]


def test_the_subnets_of_a_connector_are_not_known_where_subnets_are_not() -> None:
    snapshot = unread("subnets")(connector_has_subnets("subnet-private-1")(healthy()))
    with pytest.raises(NotKnown):
        connector_subnets(snapshot.connector, snapshot.network)
