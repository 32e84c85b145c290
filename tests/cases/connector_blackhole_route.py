from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines, nat_route
from tests.cases._healthy import (
    IPV6,
    OTHER_ACCOUNT,
    PUBLIC_RANGES,
    add_route,
    associate,
    disassociate,
    hide_route_tables,
    prefix_list_has,
    prefix_list_is_unread,
    remove_route,
    set_subnet,
    unread,
    vpc_is_unknown,
)

_NO_DEFAULT_ROUTE = remove_route("rtb-private-1", "0.0.0.0/0")


def _lost(destination: str, target: str = "nat-9", table: str = "rtb-private-1") -> Change:
    return add_route(table, destination, target, blackhole=True)


def _fault(destinations: str, target: str = "nat-9") -> str:
    return (
        f"subnet-private-1 (use1-az1) leaves through a blackhole:"
        f" rtb-private-1 sends {destinations} to {target}, which is gone"
    )


CASES = (
    Case(name="pass: every route leads somewhere", expect=PASS),
    Case(
        name="fail: the NAT gateway of the default route is gone",
        changes=(_NO_DEFAULT_ROUTE, _lost("0.0.0.0/0")),
        expect=fail(_fault("0.0.0.0/0"), command=nat_route("replace-route", "rtb-private-1")),
    ),
    Case(
        name="fail: a detached internet gateway",
        changes=(_NO_DEFAULT_ROUTE, _lost("0.0.0.0/0", "igw-1")),
        expect=fail(_fault("0.0.0.0/0", "igw-1"), command=nat_route("replace-route", "rtb-private-1")),
    ),
    Case(
        name="fail: two subnets share the table whose default route is a blackhole",
        changes=(_NO_DEFAULT_ROUTE, _lost("0.0.0.0/0"), associate("subnet-private-2", "rtb-private-1")),
        expect=fail(
            _fault("0.0.0.0/0"),
            _fault("0.0.0.0/0").replace("subnet-private-1 (use1-az1)", "subnet-private-2 (use1-az2)"),
            command=nat_route("replace-route", "rtb-private-1"),
        ),
    ),
    Case(
        name="fail: the main table's default route is a blackhole",
        changes=(disassociate("subnet-private-1"), _lost("0.0.0.0/0", table="rtb-main")),
        expect=fail(
            _fault("0.0.0.0/0").replace("rtb-private-1", "rtb-main"),
            command=nat_route("replace-route", "rtb-main"),
        ),
    ),
    Case(
        name="fail: halves are blackholes before a live default route",
        changes=(_lost("0.0.0.0/1"), _lost("128.0.0.0/1")),
        expect=fail(
            _fault("0.0.0.0/1, 128.0.0.0/1"),
            command=lines(
                nat_route("replace-route", "rtb-private-1", destination="0.0.0.0/1"),
                nat_route("replace-route", "rtb-private-1", destination="128.0.0.0/1"),
            ),
        ),
    ),
    Case(
        name="pass: a dead default route is shadowed by live halves",
        changes=(
            _NO_DEFAULT_ROUTE,
            _lost("0.0.0.0/0"),
            add_route("rtb-private-1", "0.0.0.0/1", "nat-1"),
            add_route("rtb-private-1", "128.0.0.0/1", "nat-1"),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a peering connection that is gone carries no egress",
        changes=(_lost("172.31.0.0/16", "pcx-1"),),
        expect=PASS,
    ),
    Case(
        name="fail: a list of all public ranges leads into a blackhole",
        changes=(_lost("pl-1"), prefix_list_has("pl-1", *PUBLIC_RANGES)),
        expect=fail(_fault("pl-1"), command=nat_route("replace-route", "rtb-private-1", destination="pl-1")),
    ),
    Case(
        name="fail: the egress-only gateway of a dual-stack subnet is gone",
        changes=(set_subnet("subnet-private-1", ipv6_cidrs=(IPV6,)), _lost("::/0", "eigw-1")),
        expect=fail(
            _fault("::/0", "eigw-1"),
            command="aws ec2 replace-route --region us-east-1 --route-table-id rtb-private-1"
            " --destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id EGRESS_ONLY_GATEWAY_ID",
        ),
    ),
    Case(
        name="pass: an IPv4 subnet sends nothing by an IPv6 route",
        changes=(_lost("::/0", "eigw-1"),),
        expect=PASS,
    ),
    Case(
        name="pass: no route at all is another rule's concern",
        changes=(_NO_DEFAULT_ROUTE,),
        expect=PASS,
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="fail: one subnet leads into a blackhole, and a shared one's routes cannot be seen",
        changes=(
            _NO_DEFAULT_ROUTE,
            _lost("0.0.0.0/0"),
            set_subnet("subnet-private-2", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-2", "rtb-main"),
        ),
        expect=fail(
            _fault("0.0.0.0/0"),
            unread="no route table of subnet-private-2 (shared by account 444455556666) can be seen from this account",
            command=nat_route("replace-route", "rtb-private-1"),
        ),
    ),
    Case(
        name="unknown: a prefix list cannot be read",
        changes=(_lost("pl-1"), prefix_list_is_unread("pl-1")),
        expect=unknown("ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)"),
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
