from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines, nat_route
from tests.cases._healthy import (
    OTHER_ACCOUNT,
    PUBLIC_RANGES,
    add_route,
    associate,
    connector_has_subnets,
    disassociate,
    hide_route_tables,
    nat_gateways_are_gone,
    prefix_list_has,
    prefix_list_is_unread,
    remove_route,
    set_nat_gateway,
    set_subnet,
    subnets_are_gone,
    unread,
    vpc_is_unknown,
)

_NO_DEFAULT_ROUTE = remove_route("rtb-private-1", "0.0.0.0/0")
_TO_NAT_2 = add_route("rtb-private-1", "0.0.0.0/0", "nat-2")
_CROSSES = "subnet-private-1 (use1-az1) leaves through nat-2, which is in use1-az2"
_BACK_TO_NAT_1 = nat_route("replace-route", "rtb-private-1", "nat-1")

CASES = (
    Case(name="pass: every zone has its NAT gateway", expect=PASS),
    Case(
        name="fail: a subnet leaves through another zone's NAT gateway",
        changes=(_NO_DEFAULT_ROUTE, _TO_NAT_2),
        expect=fail(_CROSSES, command=_BACK_TO_NAT_1),
    ),
    Case(
        name="fail: one NAT gateway for all, in one table",
        changes=(
            associate("subnet-private-2", "rtb-private-1"),
            associate("subnet-private-4", "rtb-private-1"),
            nat_gateways_are_gone("nat-2", "nat-4"),
        ),
        expect=fail(
            "subnet-private-2 (use1-az2) leaves through nat-1, which is in use1-az1",
            "subnet-private-4 (use1-az4) leaves through nat-1, which is in use1-az1",
            command=lines(
                "# rtb-private-1 serves use1-az1, use1-az2, use1-az4: give use1-az2 a route table of its own, with",
                nat_route("create-route", "NEW_ROUTE_TABLE_ID", "NAT_GATEWAY_OF_THE_SAME_ZONE"),
                "# rtb-private-1 serves use1-az1, use1-az2, use1-az4: give use1-az4 a route table of its own, with",
                nat_route("create-route", "NEW_ROUTE_TABLE_ID", "NAT_GATEWAY_OF_THE_SAME_ZONE"),
            ),
        ),
    ),
    Case(
        name="fail: the main table leads subnets of two zones to one NAT gateway",
        changes=(
            disassociate("subnet-private-1"),
            disassociate("subnet-private-2"),
            add_route("rtb-main", "0.0.0.0/0", "nat-2"),
        ),
        expect=fail(
            _CROSSES,
            command=lines(
                "# rtb-main serves use1-az1, use1-az2: give use1-az1 a route table of its own, with",
                nat_route("create-route", "NEW_ROUTE_TABLE_ID", "nat-1"),
            ),
        ),
    ),
    Case(
        name="fail: the zone's own NAT gateways cannot be used",
        changes=(_NO_DEFAULT_ROUTE, _TO_NAT_2, set_nat_gateway("nat-1", state="failed")),
        expect=fail(_CROSSES, command=nat_route("replace-route", "rtb-private-1", "NAT_GATEWAY_OF_THE_SAME_ZONE")),
    ),
    Case(
        name="fail: the zone's own NAT gateway is private",
        changes=(_NO_DEFAULT_ROUTE, _TO_NAT_2, set_nat_gateway("nat-1", connectivity="private")),
        expect=fail(_CROSSES, command=nat_route("replace-route", "rtb-private-1", "NAT_GATEWAY_OF_THE_SAME_ZONE")),
    ),
    Case(
        name="fail: the zone's own NAT gateway leads nowhere",
        changes=(_NO_DEFAULT_ROUTE, _TO_NAT_2, disassociate("subnet-public-1")),
        expect=fail(_CROSSES, command=nat_route("replace-route", "rtb-private-1", "NAT_GATEWAY_OF_THE_SAME_ZONE")),
    ),
    Case(
        name="fail: one half of the traffic crosses",
        changes=(add_route("rtb-private-1", "0.0.0.0/1", "nat-2"),),
        expect=fail(_CROSSES, command=nat_route("replace-route", "rtb-private-1", "nat-1", "0.0.0.0/1")),
    ),
    Case(
        name="fail: a list of all public ranges crosses",
        changes=(add_route("rtb-private-1", "pl-1", "nat-2"), prefix_list_has("pl-1", *PUBLIC_RANGES)),
        expect=fail(_CROSSES, command=nat_route("replace-route", "rtb-private-1", "nat-1", "pl-1")),
    ),
    Case(
        name="pass: a few ranges cross",
        changes=(add_route("rtb-private-1", "52.0.0.0/8", "nat-2"),),
        expect=PASS,
    ),
    Case(
        name="pass: a regional NAT gateway is in every zone",
        changes=(_NO_DEFAULT_ROUTE, _TO_NAT_2, set_nat_gateway("nat-2", subnet_id="")),
        expect=PASS,
    ),
    Case(
        name="pass: a NAT gateway that does not exist is another rule's concern",
        changes=(_NO_DEFAULT_ROUTE, _TO_NAT_2, nat_gateways_are_gone("nat-2")),
        expect=PASS,
    ),
    Case(
        name="pass: a blackhole is another rule's concern",
        changes=(_NO_DEFAULT_ROUTE, add_route("rtb-private-1", "0.0.0.0/0", "nat-2", blackhole=True)),
        expect=PASS,
    ),
    Case(
        name="pass: ways out by a transit gateway need no NAT gateways to be read",
        changes=(
            _NO_DEFAULT_ROUTE,
            add_route("rtb-private-1", "0.0.0.0/0", "tgw-1"),
            connector_has_subnets("subnet-private-1"),
            unread("nat_gateways"),
        ),
        expect=PASS,
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="fail: one half crosses, and the other's NAT gateway cannot be placed",
        changes=(
            add_route("rtb-private-1", "0.0.0.0/1", "nat-2"),
            subnets_are_gone("subnet-public-1"),
        ),
        expect=fail(
            _CROSSES,
            unread="the subnet subnet-public-1 of nat-1 cannot be seen from this account",
            command=nat_route("replace-route", "rtb-private-1", "NAT_GATEWAY_OF_THE_SAME_ZONE", "0.0.0.0/1"),
        ),
    ),
    Case(
        name="unknown: the NAT gateway's subnet cannot be seen",
        changes=(subnets_are_gone("subnet-public-1"),),
        expect=unknown("the subnet subnet-public-1 of nat-1 cannot be seen from this account"),
    ),
    Case(
        name="unknown: a shared subnet, whose routes cannot be seen",
        changes=(
            set_subnet("subnet-private-2", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-2", "rtb-main"),
        ),
        expect=unknown(
            "no route table of subnet-private-2 (shared by account 444455556666) can be seen from this account"
        ),
    ),
    Case(
        name="unknown: a prefix list cannot be read",
        changes=(add_route("rtb-private-1", "pl-1", "nat-2"), prefix_list_is_unread("pl-1")),
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
