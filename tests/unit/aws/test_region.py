"""The networks of many connectors at once: what they are, and what all of them cost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from apprunner_guardrails.aws import apprunner, ec2, region
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.ec2 import FILTER_VALUES
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import NOT_ASKED, Network, Unread, if_read, known
from apprunner_guardrails.settings import Settings
from tests.aws import FAULTS, Aws
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    GROUP,
    NEEDS_ENDPOINTS,
    OTHER_CONNECTOR,
    SETTINGS,
    VPC,
    Rows,
    busy,
    connector,
    find,
    group,
    healthy,
    public,
)

OTHER_VPC = "vpc-2"


def networks(rows: Rows, settings: Settings = SETTINGS, **faults: str) -> Mapping[str, Network]:
    with Aws(rows, {f"ec2:{call}": FAULTS[fault] for call, fault in faults.items()}):
        return read(settings)


def read(settings: Settings = SETTINGS) -> Mapping[str, Network]:
    reads = Reads(client)
    connectors = known(apprunner.list_connectors(reads)())
    return region.read_networks(reads, region.read_structure(reads, connectors), connectors, ACCOUNT, settings)


def two_vpcs() -> Rows:
    """The other connector is in a VPC of its own, with a group that the first does not know."""
    rows = healthy()
    subnet = {**rows["Subnets"][0], "SubnetId": "subnet-other", "VpcId": OTHER_VPC}
    rows["Subnets"].append(subnet)
    rows["RouteTables"].append({**find(rows, "RouteTables", "rtb-main"), "RouteTableId": "rtb-2", "VpcId": OTHER_VPC})
    rows["VpcAttributes"].append({**rows["VpcAttributes"][0], "VpcId": OTHER_VPC})
    rows["SecurityGroups"].append({**group("sg-other", "other"), "VpcId": OTHER_VPC})
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR, Subnets=["subnet-other"], SecurityGroups=["sg-other"]))
    return rows


@pytest.mark.parametrize("rows", [healthy(), public(), busy()], ids=["healthy", "public", "busy"])
def test_a_connector_has_the_same_network_as_when_it_is_read_alone(rows: Rows) -> None:
    """But for the groups of its VPC, which are not read for the sake of one event."""
    with Aws(rows):
        together = read(NEEDS_ENDPOINTS)
        for one in known(apprunner.list_connectors(Reads(client))()):
            alone = ec2.read_network(Reads(client), one, ACCOUNT, NEEDS_ENDPOINTS)
            whole = together[one.arn]
            shared = replace(whole, vpc_groups=NOT_ASKED, network_acls=alone.network_acls)
            assert shared == alone
            assert set(known(alone.network_acls)) <= set(known(whole.network_acls))


def test_the_groups_of_its_vpc_are_all_of_it_and_of_no_other() -> None:
    found = networks(two_vpcs())
    assert {arn: [one.id for one in known(network.vpc_groups)] for arn, network in found.items()} == {
        CONNECTOR: [GROUP, "sg-default", "sg-database"],
        OTHER_CONNECTOR: ["sg-other"],
    }


def test_groups_that_cannot_be_read_are_unread_and_the_rest_is_there() -> None:
    denied = Unread(call="ec2:DescribeSecurityGroups", code=FAULTS["denied"].code)
    (found,) = networks(healthy(), DescribeSecurityGroups="denied").values()
    assert (found.vpc_groups, found.security_groups, found.group_interfaces) == (denied, denied, denied)
    assert (found.vpc_id, len(if_read(found.subnets)), found.dns_support) == (VPC, 6, True)


def test_the_content_of_lists_that_groups_admit_from_is_read_once() -> None:
    rows = two_vpcs()
    admitted = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    for name in ("sg-other", "sg-default"):
        find(rows, "SecurityGroups", name)["IpPermissions"] = [admitted]
    rows["PrefixLists"] = [{"PrefixListId": "pl-1", "Cidrs": ["198.51.100.0/24"]}]
    with Aws(rows) as aws:
        found = read()
    lists = {"pl-1": ("198.51.100.0/24",)}
    assert {arn: one.prefix_lists for arn, one in found.items()} == {CONNECTOR: lists, OTHER_CONNECTOR: lists}
    assert aws.sent("ec2:GetManagedPrefixListEntries") == [{"PrefixListId": "pl-1"}]


def test_more_vpcs_than_one_filter_takes_cost_a_call_more_of_each() -> None:
    """And two for the DNS attributes of each."""

    def calls(count: int) -> Counter[str]:
        rows = healthy()
        rows["Subnets"] = [
            {**rows["Subnets"][0], "SubnetId": f"subnet-{one}", "VpcId": f"vpc-{one}"} for one in range(count)
        ]
        rows["VpcAttributes"] = [{**rows["VpcAttributes"][0], "VpcId": f"vpc-{one}"} for one in range(count)]
        rows["VpcConnectors"] = [
            connector(OTHER_CONNECTOR[:-3] + f"{one:03}", Subnets=[f"subnet-{one}"]) for one in range(count)
        ]
        with Aws(rows) as aws:
            read()
        return Counter(aws.actions)

    assert dict(calls(FILTER_VALUES + 1) - calls(FILTER_VALUES)) == {
        "ec2:DescribeNatGateways": 1,
        "ec2:DescribeNetworkAcls": 1,
        "ec2:DescribeRouteTables": 1,
        "ec2:DescribeSecurityGroups": 1,
        "ec2:DescribeVpcAttribute": 2,
        "apprunner:ListVpcConnectors": 1,
    }
