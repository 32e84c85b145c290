"""What connectors depend on, as EC2 shows it, and what it costs to look."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from apprunner_guardrails.aws import apprunner, ec2
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.destinations import Asked, read_destinations
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.facts import Connector, Network, SecurityGroup, Unread
from apprunner_guardrails.findings import Status
from apprunner_guardrails.reach import REACHES, Destination, DestinationInterface
from apprunner_guardrails.rules import connector_destination_blocked
from tests.aws import FAULTS, Aws, Fault, Parameters, answered
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    GROUP,
    OTHER_CONNECTOR,
    SETTINGS,
    VPC,
    Row,
    Rows,
    connector,
    find,
    group,
    healthy,
    https,
    list_route,
)

INTERFACES, GROUPS = "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"
SUBNETS, ACLS, LISTS = "ec2:DescribeSubnets", "ec2:DescribeNetworkAcls", "ec2:GetManagedPrefixListEntries"
ORIGIN = "declared on service shop"
PUBLIC = "subnet-public-a"  # of the connector's VPC, and not the connector's: the database is there
PEERED = "subnet-peered"


def admits(*peers: str, port: int = 5432) -> Row:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "UserIdGroupPairs": [{"GroupId": one} for one in peers if one.startswith("sg-")],
        "PrefixListIds": [{"PrefixListId": one} for one in peers if one.startswith("pl-")],
    }


def interface(name: str, address: str, *groups: str, subnet: str = PUBLIC, tag: str = "", ipv6: str = "") -> Row:
    return {
        "NetworkInterfaceId": name,
        "VpcId": VPC,
        "SubnetId": subnet,
        "PrivateIpAddress": address,
        "Ipv6Addresses": [{"Ipv6Address": ipv6}] if ipv6 else [],
        "Groups": [{"GroupId": one, "GroupName": one} for one in groups],
        "TagSet": [{"Key": tag, "Value": "x"}] if tag else [],
    }


def acl(acl_id: str, *subnets: str) -> Row:
    return {
        **healthy()["NetworkAcls"][0],
        "NetworkAclId": acl_id,
        "Associations": [{"SubnetId": one} for one in subnets],
    }


def world() -> Rows:
    """The healthy rows with a database in a public subnet, and another one in a VPC that is peered."""
    rows = healthy()
    rows["SecurityGroups"] += [
        group("sg-db", "db", ingress=[admits(GROUP)]),
        {**group("sg-there", "there", ingress=[https("10.0.0.0/8")]), "VpcId": "vpc-9"},
        {**group("sg-beside", "beside"), "VpcId": "vpc-9"},
    ]
    rows["NetworkInterfaces"] = [
        interface("eni-db", "10.0.10.5", "sg-db", ipv6="2600:1f18::5"),
        interface("eni-there", "10.9.0.5", "sg-there", "sg-beside", subnet=PEERED),
    ]
    rows["Subnets"].append({**find(rows, "Subnets", PUBLIC), "SubnetId": PEERED, "VpcId": "vpc-9"})
    rows["NetworkAcls"] += [acl("acl-db", PUBLIC), acl("acl-there", PEERED)]
    for table in rows["RouteTables"]:
        table["Routes"].append({"DestinationCidrBlock": "10.9.0.0/16", "VpcPeeringConnectionId": "pcx-1"})
    return rows


def asked(reads: Reads, tags: Mapping[str, Mapping[str, str] | Unread], row: Row, *, with_groups: bool = True) -> Asked:
    """As the caller comes: the network is read, with all groups of the VPC."""
    one: Connector = apprunner.connector(row)  # type: ignore[arg-type]  # a row of ListVpcConnectors
    network = ec2.read_network(reads, one, ACCOUNT, SETTINGS)
    if with_groups:
        inside = ec2.where(("vpc-id", (VPC,)))
        rows = ec2.rows_of("SecurityGroups", ec2.security_group)
        network = replace(network, vpc_groups=reads.ask("ec2", "DescribeSecurityGroups", rows, Filters=inside)())
    return Asked(connector=one, network=network, tags=tags)


class Reading:
    """What was found for the connector, the network that it was found for, and the calls that it took."""

    def __init__(
        self,
        rows: Rows,
        value: str,
        *,
        tags: Mapping[str, Mapping[str, str] | Unread] | None = None,
        faults: Mapping[str, Fault] | None = None,
        with_groups: bool = True,
    ) -> None:
        on = {"connector shop-web": {}, "service shop": {REACHES: value} if value else {}} if tags is None else tags
        with Aws(rows) as before:
            self.asked = asked(Reads(client), on, rows["VpcConnectors"][0], with_groups=with_groups)
        assert before.calls
        with Aws(rows, faults) as aws:
            self.found = read_destinations(Reads(client), {CONNECTOR: self.asked})[CONNECTOR]
        self.aws = aws

    @property
    def calls(self) -> list[str]:
        return sorted(one.action for one in self.aws.calls)

    @property
    def destination(self) -> Destination:
        assert isinstance(self.found, tuple)
        (one,) = self.found
        return one

    @property
    def network(self) -> Network:
        return replace(self.asked.network, destinations=self.found)

    def status(self) -> Status:
        rule = connector_destination_blocked.RULE
        (finding,) = evaluate((rule,), CONNECTOR, self.asked.connector, self.network, SETTINGS)
        return finding.status


def security_group(rows: Rows, group_id: str) -> SecurityGroup:
    return ec2.security_group(find(rows, "SecurityGroups", group_id))  # type: ignore[arg-type]  # a row of EC2's


def names(found: Iterable[DestinationInterface] | Unread) -> list[str]:
    assert not isinstance(found, Unread)
    return [one.id for one in found]


# What it costs -------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_where_nothing_is_declared() -> None:
    reading = Reading(world(), "")
    assert (reading.found, reading.calls) == ((), [])


@pytest.mark.parametrize("value", ["db:5432", " ", "203.0.113.0/24:443"], ids=["malformed", "empty", "elsewhere"])
def test_nothing_is_asked_where_nothing_is_to_be_seen(value: str) -> None:
    reading = Reading(world(), value)
    assert (reading.destination.origin, reading.calls) == (ORIGIN, [])


def test_nothing_is_asked_where_tags_were_not_read() -> None:
    denied = Unread(call="apprunner:ListTagsForResource", code="AccessDenied")
    reading = Reading(world(), "", tags={"connector shop-web": {REACHES: "sg-db:5432"}, "service shop": denied})
    assert (reading.found, reading.calls) == (denied, [])


def test_a_group_of_the_vpc_costs_its_interfaces_and_their_acl() -> None:
    reading = Reading(world(), "sg-db:5432")
    assert reading.aws.rounds == [[INTERFACES], [ACLS]]
    assert reading.aws.sent(INTERFACES) == [
        {"Filters": [{"Name": "group-id", "Values": ["sg-db"]}], "IncludeManagedResources": True}
    ]


def test_all_groups_are_asked_for_at_once() -> None:
    reading = Reading(world(), "sg-db:5432 sg-there:443 sg-beside:443 sg-db:6432 10.0.0.0/16:443 oops")
    assert list(map(sorted, reading.aws.rounds)) == [sorted([INTERFACES, GROUPS]), sorted([SUBNETS, ACLS])]
    assert reading.aws.sent(INTERFACES)[0]["Filters"][0]["Values"] == ["sg-beside", "sg-db", "sg-there"]
    assert reading.aws.sent(GROUPS)[0]["Filters"][0]["Values"] == ["sg-beside", "sg-there"]


def test_where_the_interfaces_are_in_the_connectors_subnets_no_acl_is_asked_for() -> None:
    rows = world()
    rows["NetworkInterfaces"][0]["SubnetId"] = "subnet-private-a"
    assert Reading(rows, "sg-db:5432").calls == [INTERFACES]


def test_two_connectors_ask_together() -> None:
    rows = world()
    other = connector(OTHER_CONNECTOR, Subnets=["subnet-private-b"])
    with Aws(rows):
        first = asked(Reads(client), {"service shop": {REACHES: "sg-db:5432"}}, rows["VpcConnectors"][0])
        second = asked(Reads(client), {"service api": {REACHES: "sg-there:443"}}, other)
    with Aws(rows) as aws:
        found = read_destinations(
            Reads(client), {CONNECTOR: first, OTHER_CONNECTOR: second, "none": replace(first, tags={})}
        )
    assert list(map(sorted, aws.rounds)) == [sorted([INTERFACES, GROUPS]), sorted([GROUPS, SUBNETS, ACLS])]
    told = {
        arn: [(one.peer, names(one.interfaces)) for one in of_it]
        for arn, of_it in found.items()
        if isinstance(of_it, tuple)
    }
    assert told == {
        CONNECTOR: [("sg-db", ["eni-db"])],
        OTHER_CONNECTOR: [("sg-there", ["eni-there"])],
        "none": [],
    }


# What is found -------------------------------------------------------------------------------------------------------


def test_a_group_comes_with_its_interfaces_their_groups_and_the_acl_around_them() -> None:
    rows = world()
    reading = Reading(rows, "sg-db:5432")
    database = security_group(rows, "sg-db")
    there = ec2.subnet(find(rows, "Subnets", PUBLIC))  # type: ignore[arg-type]  # a row of EC2's
    assert reading.found == (
        Destination(
            peer="sg-db",
            ports=(5432,),
            origin=ORIGIN,
            group=database,
            interfaces=(
                DestinationInterface(
                    id="eni-db", addresses=("10.0.10.5", "2600:1f18::5"), subnet=there, groups=(database,)
                ),
            ),
            acls=(ec2.network_acl(find(rows, "NetworkAcls", "acl-db")),),  # type: ignore[arg-type]  # likewise
        ),
    )


def test_the_rule_judges_what_was_read() -> None:
    rows = world()
    assert Reading(rows, "sg-db:5432").status() is Status.FAIL
    find(rows, "SecurityGroups", GROUP)["IpPermissionsEgress"] = [admits("sg-db")]
    assert Reading(rows, "sg-db:5432").status() is Status.PASS


def test_a_peered_vpcs_subnet_and_groups_are_read() -> None:
    rows = world()
    one = Reading(rows, "sg-there:443").destination
    assert not isinstance(one.interfaces, Unread)
    assert one.group == security_group(rows, "sg-there")
    assert [(it.id, it.subnet.id, [g.id for g in it.groups]) for it in one.interfaces] == [
        ("eni-there", PEERED, ["sg-beside", "sg-there"])
    ]
    assert one.acls == (ec2.network_acl(find(rows, "NetworkAcls", "acl-there")),)  # type: ignore[arg-type]  # a row of EC2's


def test_without_the_vpcs_groups_those_that_are_declared_are_read() -> None:
    rows = world()
    reading = Reading(rows, "sg-db:5432", with_groups=False)
    assert reading.aws.rounds == [[INTERFACES, GROUPS], [ACLS]]
    assert reading.destination.group == security_group(rows, "sg-db")


def test_interfaces_that_app_runner_made_are_left_out_for_nothing_answers_there() -> None:
    rows = world()
    rows["NetworkInterfaces"] += [
        interface("eni-app", "10.0.0.9", "sg-db", tag="AWSAppRunnerManaged", subnet="subnet-elsewhere"),
        interface("eni-cache", "10.0.10.6", "sg-db", tag="team"),
    ]
    reading = Reading(rows, "sg-db:5432")
    assert names(reading.destination.interfaces) == ["eni-cache", "eni-db"]
    assert reading.aws.rounds == [[INTERFACES], [ACLS]]
    assert reading.aws.sent(ACLS)[0]["Filters"][0]["Values"] == [PUBLIC]


def test_a_group_that_nothing_carries_is_there_all_the_same() -> None:
    rows = world()
    rows["NetworkInterfaces"] = []
    reading = Reading(rows, "sg-db:5432")
    assert (reading.destination.group, reading.destination.interfaces) == (security_group(rows, "sg-db"), ())
    assert reading.calls == [INTERFACES]


def test_a_group_that_is_gone_is_none() -> None:
    reading = Reading(world(), "sg-gone:5432")
    assert (reading.destination.group, reading.destination.interfaces) == (None, ())
    assert reading.status() is Status.UNKNOWN


def test_of_a_cidr_within_the_vpc_the_acls_of_its_subnets_are_read() -> None:
    rows = world()
    reading = Reading(rows, "10.0.10.0/28:443 10.0.0.0/30:443")
    assert reading.aws.sent(ACLS) == [{"Filters": [{"Name": "association.subnet-id", "Values": [PUBLIC]}]}]
    assert reading.calls == [ACLS]
    assert isinstance(reading.found, tuple)
    expected = ec2.network_acl(find(rows, "NetworkAcls", "acl-db"))  # type: ignore[arg-type]  # a row of EC2's
    assert [(one.peer, one.acls) for one in reading.found] == [("10.0.0.0/30", ()), ("10.0.10.0/28", (expected,))]
    assert reading.status() is Status.PASS


def test_prefix_lists_of_rules_and_routes_are_read_and_none_twice() -> None:
    rows = world()
    lists = {"pl-out": "10.0.0.0/8", "pl-in": "10.0.0.0/8", "pl-s3": "52.216.0.0/15", "pl-known": "192.168.0.0/16"}
    rows["PrefixLists"] = [{"PrefixListId": name, "Cidrs": [cidr]} for name, cidr in lists.items()]
    find(rows, "SecurityGroups", GROUP)["IpPermissionsEgress"] += [admits("pl-out"), admits("pl-never", port=9)]
    find(rows, "SecurityGroups", "sg-db")["IpPermissions"] = [admits("pl-in")]
    find(rows, "RouteTables", "rtb-private-a")["Routes"] += [
        list_route("pl-s3", GatewayId="vpce-s3"),
        list_route("pl-known", TransitGatewayId="tgw-1"),
    ]
    reading = Reading(rows, "sg-db:5432")
    assert reading.destination.prefix_lists == {"pl-in": ("10.0.0.0/8",), "pl-out": ("10.0.0.0/8",)}
    assert [one["PrefixListId"] for one in reading.aws.sent(LISTS)] == ["pl-in", "pl-out"]
    assert reading.status() is Status.PASS
    reading = Reading(rows, "52.216.0.0/15:443")
    assert reading.destination.prefix_lists == {"pl-s3": ("52.216.0.0/15",)}
    assert reading.asked.network.prefix_lists == {"pl-known": ("192.168.0.0/16",)}


@pytest.mark.parametrize(("value", "reads"), [("sg-db:5432", False), ("sg-there:443", True), ("10.9.0.0/24:443", True)])
def test_the_lists_that_nat_gateways_go_on_by_are_read_for_what_is_not_of_the_vpc(value: str, reads: bool) -> None:
    """Without them a gateway endpoint's list in the public subnets' table might lead to any other VPC."""
    rows = world()
    rows["PrefixLists"] = [{"PrefixListId": "pl-s3", "Cidrs": ["52.216.0.0/15"]}]
    rows["SecurityGroups"][0]["IpPermissionsEgress"] = [https("0.0.0.0/0")]
    for table in rows["RouteTables"]:
        table["Routes"] = [one for one in table["Routes"] if "VpcPeeringConnectionId" not in one]
    homes = {one["SubnetId"] for one in rows["NatGateways"]}
    (public,) = (one for one in rows["RouteTables"] if homes & {it.get("SubnetId") for it in one["Associations"]})
    public["Routes"].append(list_route("pl-s3", GatewayId="vpce-s3"))
    reading = Reading(rows, value)
    assert reading.destination.prefix_lists == ({"pl-s3": ("52.216.0.0/15",)} if reads else {})
    assert reading.status() is Status.FAIL


# What cannot be read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [INTERFACES, GROUPS, SUBNETS, ACLS])
def test_what_may_not_be_read_is_told_as_that_and_judged_as_unknown(action: str) -> None:
    rows = world()
    rows["SecurityGroups"][0]["IpPermissionsEgress"] = [https("0.0.0.0/0")]
    assert Reading(rows, "sg-there:443").status() is Status.PASS
    reading = Reading(rows, "sg-there:443", faults={action: FAULTS["denied"]})
    why = Unread(call=action, code="UnauthorizedOperation")
    one = reading.destination
    assert {INTERFACES: one.interfaces, GROUPS: one.group, SUBNETS: one.interfaces, ACLS: one.acls}[action] == why
    assert reading.status() is Status.UNKNOWN


def test_a_list_that_may_not_be_read_is_told_as_that() -> None:
    rows = world()
    find(rows, "SecurityGroups", "sg-db")["IpPermissions"] = [admits("pl-in")]
    rows["SecurityGroups"][0]["IpPermissionsEgress"].append(admits("sg-db"))
    reading = Reading(rows, "sg-db:5432", faults={LISTS: FAULTS["denied"]})
    assert reading.destination.prefix_lists == {"pl-in": Unread(call=LISTS, code="UnauthorizedOperation")}
    assert reading.status() is Status.UNKNOWN


def test_what_another_account_keeps_to_itself_is_not_known() -> None:
    rows = world()
    rows["NetworkInterfaces"][0]["Groups"].append({"GroupId": "sg-theirs", "GroupName": "x"})
    reading = Reading(rows, "sg-db:5432")
    assert reading.destination.interfaces == Unread(call=GROUPS, code="sg-theirs is not in the answer")


def test_where_the_connectors_own_acls_were_not_read_none_is_asked_for() -> None:
    rows = world()
    with Aws(rows, {ACLS: FAULTS["denied"]}):
        one = asked(Reads(client), {"service shop": {REACHES: "sg-db:5432"}}, rows["VpcConnectors"][0])
    with Aws(rows) as aws:
        read_destinations(Reads(client), {CONNECTOR: one})
    assert aws.actions == [INTERFACES]


# AWS Copilot ---------------------------------------------------------------------------------------------------------

SHOP = {"copilot-application": "shop", "copilot-environment": "test", "copilot-service": "api"}
LOGICAL = "aws:cloudformation:logical-id"


def copilot(group_id: str, tags: Mapping[str, str], *ingress: Row, description: str = "", vpc: str = VPC) -> Row:
    held = {"copilot-application": "shop", "copilot-environment": "test", **tags}
    return {
        **group(group_id, group_id, ingress=list(ingress)),
        "VpcId": vpc,
        "Description": description,
        "Tags": [{"Key": key, "Value": value} for key, value in held.items() if value],
    }


def copilot_world(*groups: Row) -> tuple[Rows, Mapping[str, Fault]]:
    """Rows with the groups, and how EC2 answers when it is asked for tags."""
    rows = world()
    rows["SecurityGroups"] += groups

    def names_tags(parameters: Parameters) -> bool:
        return any(one["Name"].startswith("tag:") for one in parameters["Filters"])

    by_tag = answered(lambda _: {"SecurityGroups": list(groups)})
    return rows, {GROUPS: replace(by_tag, when=names_tags)}


def copilot_found(*groups: Row, tags: Mapping[str, Mapping[str, str]] | None = None) -> Reading:
    rows, faults = copilot_world(*groups)
    return Reading(
        rows, "", tags={"connector shop-web": {}, "service api": SHOP} if tags is None else tags, faults=faults
    )


DATABASE = copilot("sg-aurora", {LOGICAL: "ordersDBClusterSecurityGroup"})


def test_copilots_database_of_the_same_environment_is_found_without_a_tag() -> None:
    reading = copilot_found(DATABASE)
    one = reading.destination
    assert (one.peer, one.ports, one.origin) == (
        "sg-aurora",
        (3306, 5432),
        "a database that AWS Copilot made in 'shop', environment 'test'",
    )
    assert reading.aws.rounds == [[GROUPS], [INTERFACES]]
    assert reading.aws.sent(GROUPS) == [
        {
            "Filters": [
                {"Name": "vpc-id", "Values": [VPC]},
                {"Name": "tag:copilot-application", "Values": ["shop"]},
                {"Name": "tag:copilot-environment", "Values": ["test"]},
            ]
        }
    ]
    assert reading.status() is Status.FAIL


@pytest.mark.parametrize(
    ("database", "found"),
    [
        (DATABASE, True),
        (copilot("sg-aurora", {LOGICAL: "ServiceSecurityGroup"}, admits(GROUP)), False),
        (copilot("sg-aurora", {}, description="The Security Group for the database cluster."), True),
        (copilot("sg-aurora", {}, description="The Security Group for the Aurora Serverless v2 cluster."), True),
        (copilot("sg-aurora", {}, admits(GROUP), description="a cache"), False),
        (copilot("sg-aurora", {LOGICAL: "DBClusterSecurityGroup", "copilot-service": "api"}), True),
        (copilot("sg-aurora", {LOGICAL: "DBClusterSecurityGroup", "copilot-service": "web"}), False),
        (copilot("sg-aurora", {LOGICAL: "DBClusterSecurityGroup", "copilot-environment": "prod"}), False),
        (copilot("sg-aurora", {LOGICAL: "DBClusterSecurityGroup", "copilot-application": "blog"}), False),
        (copilot("sg-aurora", {LOGICAL: "DBClusterSecurityGroup"}, vpc="vpc-9"), False),
    ],
    ids=[
        *("the environment's", "a workload's group", "by description", "by the other description", "another group"),
        *("this service's", "another service's", "another environment's", "another application's", "another VPC's"),
    ],
)
def test_a_database_group_is_told_from_others_of_copilots(database: Row, found: bool) -> None:
    reading = copilot_found(database)
    assert isinstance(reading.found, tuple)
    assert [one.peer for one in reading.found] == ["sg-aurora"] * found


@pytest.mark.parametrize(
    ("ingress", "ports"),
    [
        ((admits(GROUP, port=5432),), (5432,)),
        ((admits("sg-x", port=3306), admits("sg-x", port=22)), (3306,)),
        ((admits("sg-x", port=3306), admits("sg-x", port=5432)), (3306, 5432)),
        (({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},), (3306, 5432)),
        ((), (3306, 5432)),
    ],
    ids=["PostgreSQL", "MySQL", "both", "everything", "nothing"],
)
def test_a_databases_port_is_told_by_its_rules_or_not_at_all(ingress: tuple[Row, ...], ports: tuple[int, ...]) -> None:
    database = copilot("sg-aurora", {LOGICAL: "ordersDBClusterSecurityGroup"}, *ingress)
    assert copilot_found(database).destination.ports == ports


def test_copilots_tags_on_the_connector_count_too() -> None:
    assert copilot_found(DATABASE, tags={"connector shop-web": SHOP}).destination.peer == "sg-aurora"


@pytest.mark.parametrize(
    "tags",
    [{}, {"copilot-application": "shop"}, {"copilot-environment": "test"}, {**SHOP, "copilot-environment": ""}],
    ids=["none", "no environment", "no application", "an empty one"],
)
def test_without_both_of_copilots_tags_nothing_is_asked(tags: Mapping[str, str]) -> None:
    reading = copilot_found(DATABASE, tags={"service api": tags})
    assert (reading.found, reading.calls) == ((), [])


def test_what_is_declared_overrules_what_copilot_made() -> None:
    reading = copilot_found(DATABASE, tags={"connector shop-web": {REACHES: "sg-db:5432"}, "service api": SHOP})
    assert reading.destination.peer == "sg-db"
    assert reading.calls == [ACLS, INTERFACES]


def test_where_the_vpc_is_not_known_no_database_is_looked_for() -> None:
    rows, faults = copilot_world(DATABASE)
    with Aws(rows):
        one = asked(Reads(client), {"service api": SHOP}, rows["VpcConnectors"][0])
    with Aws(rows, faults) as aws:
        found = read_destinations(Reads(client), {CONNECTOR: replace(one, network=replace(one.network, vpc_id=""))})
    assert (found, aws.actions) == ({CONNECTOR: ()}, [])


def test_databases_that_may_not_be_looked_for_are_not_known() -> None:
    reading = Reading(world(), "", tags={"service api": SHOP}, faults={GROUPS: FAULTS["denied"]})
    assert reading.found == Unread(call=GROUPS, code="UnauthorizedOperation")
    assert reading.status() is Status.UNKNOWN
