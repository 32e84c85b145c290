"""EC2: what is asked for by id, many at a time, and whose interface is whose."""

import pytest

from apprunner_guardrails.aws import ec2
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Unread
from tests.aws import Aws, Parameters, refused
from tests.bound_groups import BALANCER, ENDPOINT, endpoint
from tests.private_path import SUBNETS, balancer_interface, private_path
from tests.samples import GROUP, healthy

MANY = [f"id-{number:03}" for number in range(ec2.FILTER_VALUES + 1)]


def test_subnets_that_an_answer_leaves_out_are_unread() -> None:
    with Aws(healthy()):
        told = ec2.subnets_by_id(Reads(client), [SUBNETS[0], "subnet-lost"])()
    assert {name: one if isinstance(one, Unread) else one.zone_id for name, one in told.items()} == {
        SUBNETS[0]: "use1-az1",
        "subnet-lost": Unread(call="ec2:DescribeSubnets", code="subnet-lost is not in the answer"),
    }


def test_security_groups_that_an_answer_leaves_out_are_somebody_elses() -> None:
    with Aws(healthy()):
        told = ec2.find_security_groups(Reads(client), [GROUP, "sg-lost"])()
    assert not isinstance(told, Unread)
    assert {name: one.name for name, one in told.items()} == {GROUP: "egress"}


def test_security_groups_are_unread_where_a_part_of_them_is() -> None:
    def second(asked: Parameters) -> bool:
        return bool(asked["Filters"][0]["Values"] == MANY[-1:])

    why = Unread(call="ec2:DescribeSecurityGroups", code="RequestLimitExceeded")
    with Aws(healthy(), {why.call: refused(why.code, 503, second)}):
        assert ec2.find_security_groups(Reads(client), MANY)() == why


@pytest.mark.parametrize("action", ["DescribeSubnets", "DescribeSecurityGroups"])
def test_as_many_ids_go_into_a_call_as_a_filter_takes(action: str) -> None:
    with Aws(healthy()) as aws:
        ask = ec2.subnets_by_id if action == "DescribeSubnets" else ec2.find_security_groups
        ask(Reads(client), MANY)()
    assert [len(one["Filters"][0]["Values"]) for one in aws.sent(f"ec2:{action}")] == [200, 1]


def test_nothing_is_asked_where_there_are_no_ids() -> None:
    with Aws(healthy()) as aws:
        reads = Reads(client)
        assert (ec2.subnets_by_id(reads, [])(), ec2.find_security_groups(reads, [])()) == ({}, {})
        assert ec2.balancer_addresses(reads, [])() == {}
    assert aws.calls == []


def test_the_addresses_of_load_balancers_are_found_by_the_end_of_their_arns() -> None:
    other, lost = f"{BALANCER}0", f"{BALANCER}1"
    rows = private_path()
    rows["NetworkInterfaces"].append(balancer_interface("eni-x", SUBNETS[0], "10.0.1.99", other))
    with Aws(rows) as aws:
        told = ec2.balancer_addresses(Reads(client), [BALANCER, other, lost])()
    assert told == {
        BALANCER: {SUBNETS[0]: ("10.0.1.20",), SUBNETS[1]: ("10.0.2.20",)},
        other: {SUBNETS[0]: ("10.0.1.99",)},
        lost: Unread(call="ec2:DescribeNetworkInterfaces", code=f"{lost} is not in the answer"),
    }
    names = [f"ELB net/orders/0123456789abcdef{end}" for end in ("", "0", "1")]
    assert aws.sent("ec2:DescribeNetworkInterfaces") == [
        {"Filters": [{"Name": "description", "Values": names}], "IncludeManagedResources": True}
    ]


@pytest.mark.parametrize(
    ("changes", "managed"), [({}, False), ({"RequesterManaged": False}, False), ({"RequesterManaged": True}, True)]
)
def test_an_endpoint_is_managed_if_the_service_that_made_it_says_so(changes: dict[str, bool], managed: bool) -> None:
    with Aws({"VpcEndpoints": [endpoint(ENDPOINT, **changes)]}):
        told = ec2.endpoint_by_id(Reads(client), ENDPOINT)()
    assert not isinstance(told, Unread)
    assert {name: one.managed for name, one in told.items()} == {ENDPOINT: managed}
