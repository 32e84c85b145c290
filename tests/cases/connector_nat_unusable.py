from dataclasses import replace

from apprunner_guardrails.facts import NatGateway, known
from tests.cases import PASS, Case, Change, Snapshot, fail, unknown
from tests.cases._commands import lines, nat_route
from tests.cases._healthy import (
    OTHER_ACCOUNT,
    PUBLIC_RANGES,
    VPC,
    add_route,
    disassociate,
    hide_route_tables,
    nat_gateways_are_gone,
    prefix_list_has,
    prefix_list_is_unread,
    remove_route,
    set_nat_gateway,
    set_subnet,
    settings_have,
    subnets_are_gone,
    unread,
    vpc_is_unknown,
)

_LEAVES = "subnet-private-1 (use1-az1) leaves through nat-1,"
_NEW_NAT = (
    "aws ec2 create-nat-gateway --region us-east-1 --subnet-id PUBLIC_SUBNET_IN_USE1_AZ1"
    " --allocation-id ELASTIC_IP_ALLOCATION_ID"
)
_EXCHANGE = lines(_NEW_NAT, nat_route("replace-route", "rtb-private-1", "NEW_NAT_GATEWAY_ID"))
_PRIVATE = set_nat_gateway("nat-1", connectivity="private")
_DROPPED = (
    "does not pass internet-bound traffic on to another network,"
    " and an internet gateway drops what a private NAT gateway sends"
)
_OWN_HOME = disassociate("subnet-public-1")  # the NAT gateway's subnet follows the main table


def _add_nat_gateway(nat_id: str, subnet_id: str) -> Change:
    nat = NatGateway(id=nat_id, vpc_id=VPC, subnet_id=subnet_id, state="available", connectivity="public")

    def change(snapshot: Snapshot) -> Snapshot:
        nats = (*known(snapshot.network.nat_gateways), nat)
        return replace(snapshot, network=replace(snapshot.network, nat_gateways=nats))

    return change


CASES = (
    Case(name="pass: public NAT gateways in public subnets", expect=PASS),
    Case(
        name="fail: the NAT gateway is deleted",
        changes=(set_nat_gateway("nat-1", state="deleted"),),
        expect=fail(f"{_LEAVES} which is deleted", command=_EXCHANGE),
    ),
    Case(
        name="fail: the NAT gateway failed",
        changes=(set_nat_gateway("nat-1", state="failed"),),
        expect=fail(f"{_LEAVES} which is failed", command=_EXCHANGE),
    ),
    Case(
        name="fail: a regional NAT gateway is pending",
        changes=(set_nat_gateway("nat-1", state="pending", subnet_id=""),),
        expect=fail(f"{_LEAVES} which is pending", command=_EXCHANGE),
    ),
    Case(
        name="fail: the NAT gateway does not exist",
        changes=(nat_gateways_are_gone("nat-1"),),
        expect=fail(f"{_LEAVES} which does not exist", command=_EXCHANGE),
    ),
    Case(
        name="fail: another NAT gateway of the zone can take over",
        changes=(nat_gateways_are_gone("nat-1"), _add_nat_gateway("nat-8", "subnet-public-1")),
        expect=fail(f"{_LEAVES} which does not exist", command=nat_route("replace-route", "rtb-private-1", "nat-8")),
    ),
    Case(
        name="fail: the NAT gateway sits in a private subnet",
        changes=(set_nat_gateway("nat-1", subnet_id="subnet-private-2"),),
        expect=fail(
            f"{_LEAVES} whose subnet subnet-private-2 has no default route to an internet gateway in rtb-private-2",
            command=_EXCHANGE,
        ),
    ),
    Case(
        name="fail: the NAT gateway's subnet has no association, and the main table no default route",
        changes=(_OWN_HOME,),
        expect=fail(
            f"{_LEAVES} whose subnet subnet-public-1 has no default route to an internet gateway in rtb-main",
            command=_EXCHANGE,
        ),
    ),
    Case(
        name="pass: the NAT gateway's subnet is public by the main table",
        changes=(_OWN_HOME, add_route("rtb-main", "0.0.0.0/0", "igw-1")),
        expect=PASS,
    ),
    Case(
        name="fail: the internet gateway of the NAT gateway's subnet is detached",
        changes=(_OWN_HOME, add_route("rtb-main", "0.0.0.0/0", "igw-1", blackhole=True)),
        expect=fail(
            f"{_LEAVES} whose subnet subnet-public-1 has no default route to an internet gateway in rtb-main",
            command=_EXCHANGE,
        ),
    ),
    Case(
        name="pass: a list of all public ranges leads from the NAT gateway's subnet to an internet gateway",
        changes=(
            _OWN_HOME,
            add_route("rtb-main", "pl-1", "igw-1"),
            prefix_list_has("pl-1", *PUBLIC_RANGES),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: a private NAT gateway before an internet gateway",
        changes=(_PRIVATE,),
        expect=fail(
            f"{_LEAVES} a private NAT gateway: rtb-public of its subnet subnet-public-1 {_DROPPED}", command=_EXCHANGE
        ),
    ),
    Case(
        name="pass: a private NAT gateway where the internet is not meant",
        changes=(_PRIVATE, settings_have(require_internet_egress=False)),
        expect=PASS,
    ),
    Case(
        name="fail: a private NAT gateway in a subnet without a default route",
        changes=(_PRIVATE, _OWN_HOME),
        expect=fail(
            f"{_LEAVES} a private NAT gateway: rtb-main of its subnet subnet-public-1 {_DROPPED}", command=_EXCHANGE
        ),
    ),
    Case(
        name="fail: a private NAT gateway before a transit gateway that is gone",
        changes=(_PRIVATE, _OWN_HOME, add_route("rtb-main", "0.0.0.0/0", "tgw-1", blackhole=True)),
        expect=fail(
            f"{_LEAVES} a private NAT gateway: rtb-main of its subnet subnet-public-1 {_DROPPED}", command=_EXCHANGE
        ),
    ),
    Case(
        name="pass: a private NAT gateway before a transit gateway",
        changes=(_PRIVATE, _OWN_HOME, add_route("rtb-main", "0.0.0.0/0", "tgw-1")),
        expect=PASS,
    ),
    Case(
        name="pass: a regional NAT gateway",
        changes=(set_nat_gateway("nat-1", subnet_id=""),),
        expect=PASS,
    ),
    Case(
        name="pass: a blackhole is another rule's concern",
        changes=(
            remove_route("rtb-private-1", "0.0.0.0/0"),
            add_route("rtb-private-1", "0.0.0.0/0", "nat-1", blackhole=True),
            set_nat_gateway("nat-1", state="deleted"),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: no route leads to the NAT gateway that failed",
        changes=(_add_nat_gateway("nat-8", "subnet-public-1"), set_nat_gateway("nat-8", state="failed")),
        expect=PASS,
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="fail: one NAT gateway failed, and a shared subnet's routes cannot be seen",
        changes=(
            set_nat_gateway("nat-1", state="failed"),
            set_subnet("subnet-private-2", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-2", "rtb-main"),
        ),
        expect=fail(
            f"{_LEAVES} which is failed",
            unread="no route table of subnet-private-2 (shared by account 444455556666) can be seen from this account",
            command=_EXCHANGE,
        ),
    ),
    Case(
        name="unknown: the owner of a shared subnet keeps its NAT gateway to itself",
        changes=(nat_gateways_are_gone("nat-1"), set_subnet("subnet-private-1", owner_id=OTHER_ACCOUNT)),
        expect=unknown("nat-1 of account 444455556666 cannot be seen from this account"),
    ),
    Case(
        name="unknown: the NAT gateway's subnet cannot be seen",
        changes=(subnets_are_gone("subnet-public-1"),),
        expect=unknown("the subnet subnet-public-1 of nat-1 cannot be seen from this account"),
    ),
    Case(
        name="unknown: the routes of the NAT gateway's subnet cannot be seen",
        changes=(_OWN_HOME, hide_route_tables("rtb-main")),
        expect=unknown("no route table of subnet-public-1 can be seen from this account"),
    ),
    Case(
        name="unknown: a prefix list in the table of the NAT gateway's subnet cannot be read",
        changes=(_OWN_HOME, add_route("rtb-main", "pl-1", "igw-1"), prefix_list_is_unread("pl-1")),
        expect=unknown("ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the NAT gateways cannot be read",
        changes=(unread("nat_gateways"),),
        expect=unknown("ec2:DescribeNatGateways failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the route tables cannot be read",
        changes=(unread("route_tables"),),
        expect=unknown("ec2:DescribeRouteTables failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
