from apprunner_guardrails.facts import Route, RouteTable
from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import (
    IPV6,
    LOCAL,
    OTHER_ACCOUNT,
    PUBLIC_RANGES,
    add_route,
    add_route_table,
    add_subnet,
    associate,
    connector_has_subnets,
    connector_is_named,
    connector_names_groups,
    disassociate,
    hide_route_tables,
    prefix_list_has,
    prefix_list_is_unread,
    private_subnet,
    remove_route,
    set_subnet,
    unread,
    vpc_is_unknown,
)

_MAIN_IS_PUBLIC = add_route("rtb-main", "0.0.0.0/0", "igw-1")
_NO_DEFAULT_ROUTE = remove_route("rtb-private-1", "0.0.0.0/0")
_NO_OTHER_IN_ZONE_1 = new_connector("subnet-private-2 subnet-private-4")


def _public(destinations: str, gateway: str = "igw-1") -> str:
    return f"subnet-private-1 (use1-az1) is public: its route table rtb-private-1 sends {destinations} to {gateway}"


CASES = (
    Case(name="pass: the default route leads to a NAT gateway", expect=PASS),
    Case(
        name="fail: the connector is on public subnets",
        changes=(connector_has_subnets("subnet-public-1", "subnet-public-2", "subnet-public-4"),),
        expect=fail(
            "subnet-public-1 (use1-az1) is public: its route table rtb-public sends 0.0.0.0/0 to igw-1",
            "subnet-public-2 (use1-az2) is public: its route table rtb-public sends 0.0.0.0/0 to igw-1",
            "subnet-public-4 (use1-az4) is public: its route table rtb-public sends 0.0.0.0/0 to igw-1",
            command=new_connector("subnet-private-1 subnet-private-2 subnet-private-4"),
        ),
    ),
    Case(
        name="fail: one subnet of three is public",
        changes=(associate("subnet-private-1", "rtb-public"),),
        expect=fail(
            "subnet-private-1 (use1-az1) is public: its route table rtb-public sends 0.0.0.0/0 to igw-1",
            command=_NO_OTHER_IN_ZONE_1,
        ),
    ),
    Case(
        name="fail: a subnet of its own zone is offered for the public one",
        changes=(
            associate("subnet-private-1", "rtb-public"),
            add_subnet(private_subnet(5, zone_id="use1-az1")),
            add_subnet(private_subnet(6)),
        ),
        expect=fail(
            "subnet-private-1 (use1-az1) is public: its route table rtb-public sends 0.0.0.0/0 to igw-1",
            command=new_connector("subnet-private-2 subnet-private-4 subnet-private-5"),
        ),
    ),
    Case(
        name="fail: main table routes to an internet gateway",
        changes=(disassociate("subnet-private-1"), _MAIN_IS_PUBLIC),
        expect=fail(
            "subnet-private-1 (use1-az1) is public: its main route table rtb-main sends 0.0.0.0/0 to igw-1",
            command=_NO_OTHER_IN_ZONE_1,
        ),
    ),
    Case(
        name="fail: a subnet that names the main table is public by its route table",
        changes=(associate("subnet-private-1", "rtb-main"), _MAIN_IS_PUBLIC),
        expect=fail(
            "subnet-private-1 (use1-az1) is public: its route table rtb-main sends 0.0.0.0/0 to igw-1",
            command=_NO_OTHER_IN_ZONE_1,
        ),
    ),
    Case(
        name="pass: main table routes to an internet gateway but every subnet has its own table",
        changes=(_MAIN_IS_PUBLIC,),
        expect=PASS,
    ),
    Case(
        name="pass: no association, and the main table is private",
        changes=(disassociate("subnet-private-1"),),
        expect=PASS,
    ),
    Case(
        name="pass: the main table of another VPC routes to an internet gateway",
        changes=(
            disassociate("subnet-private-1"),
            add_route_table(
                RouteTable(
                    id="rtb-other",
                    vpc_id="vpc-2",
                    main=True,
                    subnet_ids=(),
                    routes=(Route(destination="0.0.0.0/0", target="igw-2"),),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: halves go to an internet gateway",
        changes=(
            add_route("rtb-private-1", "0.0.0.0/1", "igw-1"),
            add_route("rtb-private-1", "128.0.0.0/1", "igw-1"),
        ),
        expect=fail(_public("0.0.0.0/1, 128.0.0.0/1"), command=_NO_OTHER_IN_ZONE_1),
    ),
    Case(
        name="fail: one half goes to an internet gateway",
        changes=(add_route("rtb-private-1", "128.0.0.0/1", "igw-1"),),
        expect=fail(_public("128.0.0.0/1"), command=_NO_OTHER_IN_ZONE_1),
    ),
    Case(
        name="fail: quarters go to an internet gateway",
        changes=(
            _NO_DEFAULT_ROUTE,
            add_route("rtb-private-1", "0.0.0.0/2", "igw-1"),
            add_route("rtb-private-1", "64.0.0.0/2", "igw-1"),
            add_route("rtb-private-1", "128.0.0.0/2", "igw-1"),
            add_route("rtb-private-1", "192.0.0.0/2", "igw-1"),
        ),
        expect=fail(_public("0.0.0.0/2, 128.0.0.0/2, 192.0.0.0/2, 64.0.0.0/2"), command=_NO_OTHER_IN_ZONE_1),
    ),
    Case(
        name="fail: one quarter goes to an internet gateway, although the VPC lies in it",
        changes=(add_route("rtb-private-1", "0.0.0.0/2", "igw-1"),),
        expect=fail(_public("0.0.0.0/2"), command=_NO_OTHER_IN_ZONE_1),
    ),
    Case(
        name="pass: one vendor's range goes to an internet gateway",
        changes=(add_route("rtb-private-1", "52.0.0.0/8", "igw-1"),),
        expect=PASS,
    ),
    Case(
        name="pass: the default route to an internet gateway is shadowed by halves to a NAT gateway",
        changes=(
            _NO_DEFAULT_ROUTE,
            add_route("rtb-private-1", "0.0.0.0/0", "igw-1"),
            add_route("rtb-private-1", "0.0.0.0/1", "nat-1"),
            add_route("rtb-private-1", "128.0.0.0/1", "nat-1"),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: a list of all public ranges goes to an internet gateway",
        changes=(add_route("rtb-private-1", "pl-1", "igw-1"), prefix_list_has("pl-1", *PUBLIC_RANGES)),
        expect=fail(_public("pl-1"), command=_NO_OTHER_IN_ZONE_1),
    ),
    Case(
        name="pass: a list of all public ranges goes to a NAT gateway, and only what it leaves to an internet gateway",
        changes=(
            _NO_DEFAULT_ROUTE,
            add_route("rtb-private-1", "0.0.0.0/0", "igw-1"),
            add_route("rtb-private-1", "pl-1", "nat-1"),
            prefix_list_has("pl-1", *PUBLIC_RANGES),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a short list goes to an internet gateway",
        changes=(add_route("rtb-private-1", "pl-1", "igw-1"), prefix_list_has("pl-1", "52.0.0.0/10", "3.0.0.0/9")),
        expect=PASS,
    ),
    Case(
        name="pass: the list of a gateway endpoint needs no reading",
        changes=(add_route("rtb-private-1", "pl-63a5400a", "vpce-1"),),
        expect=PASS,
    ),
    Case(
        name="fail: IPv6's default route goes to an internet gateway",
        changes=(add_route("rtb-private-1", "::/0", "igw-1"),),
        expect=fail(_public("::/0"), command=_NO_OTHER_IN_ZONE_1),
    ),
    Case(
        name="fail: IPv6's public block goes to an internet gateway",
        changes=(add_route("rtb-private-1", "2000::/3", "igw-1"),),
        expect=fail(_public("2000::/3"), command=_NO_OTHER_IN_ZONE_1),
    ),
    Case(
        name="pass: IPv6's public block leaves the internet gateway nothing of its default route",
        changes=(add_route("rtb-private-1", "::/0", "igw-1"), add_route("rtb-private-1", "2000::/3", "eigw-1")),
        expect=PASS,
    ),
    Case(
        name="pass: IPv6 leaves through an egress-only gateway",
        changes=(set_subnet("subnet-private-1", ipv6_cidrs=(IPV6,)), add_route("rtb-private-1", "::/0", "eigw-1")),
        expect=PASS,
    ),
    Case(
        name="fail: both families go to internet gateways",
        changes=(
            _NO_DEFAULT_ROUTE,
            add_route("rtb-private-1", "0.0.0.0/0", "igw-1"),
            add_route("rtb-private-1", "::/0", "igw-1"),
        ),
        expect=fail(_public("0.0.0.0/0"), _public("::/0"), command=_NO_OTHER_IN_ZONE_1),
    ),
    Case(
        name="pass: a detached internet gateway is a blackhole",
        changes=(_NO_DEFAULT_ROUTE, add_route("rtb-private-1", "0.0.0.0/0", "igw-1", blackhole=True)),
        expect=PASS,
    ),
    Case(
        name="pass: the default route leads to a transit gateway",
        changes=(_NO_DEFAULT_ROUTE, add_route("rtb-private-1", "0.0.0.0/0", "tgw-1")),
        expect=PASS,
    ),
    Case(
        name="pass: the default route leads to a Gateway Load Balancer endpoint",
        changes=(_NO_DEFAULT_ROUTE, add_route("rtb-private-1", "0.0.0.0/0", "vpce-1")),
        expect=PASS,
    ),
    Case(
        name="pass: a static default route beats the propagated one",
        changes=(
            _NO_DEFAULT_ROUTE,
            add_route("rtb-private-1", "0.0.0.0/0", "vgw-1", propagated=True),
            add_route("rtb-private-1", "0.0.0.0/0", "nat-1"),
        ),
        expect=PASS,
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="fail: no group was named, and the name leaves no room for a suffix",
        changes=(
            associate("subnet-private-1", "rtb-public"),
            connector_names_groups(),
            connector_is_named("a" * 40),
        ),
        expect=fail(
            "subnet-private-1 (use1-az1) is public: its route table rtb-public sends 0.0.0.0/0 to igw-1",
            command=new_connector("subnet-private-2 subnet-private-4", groups="SECURITY_GROUP_ID").replace(
                "orders-v2", "a" * 37 + "-v2"
            ),
        ),
    ),
    Case(
        name="fail: one subnet is public, and a shared one's routes cannot be seen",
        changes=(
            associate("subnet-private-1", "rtb-public"),
            set_subnet("subnet-private-2", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-2", "rtb-main"),
        ),
        expect=fail(
            "subnet-private-1 (use1-az1) is public: its route table rtb-public sends 0.0.0.0/0 to igw-1",
            unread="no route table of subnet-private-2 (shared by account 444455556666) can be seen from this account",
            command=new_connector("subnet-private-2 subnet-private-4"),
        ),
    ),
    Case(
        name="unknown: shared subnets, whose routes cannot be seen",
        changes=(
            set_subnet("subnet-private-1", owner_id=OTHER_ACCOUNT),
            set_subnet("subnet-private-2", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-1", "rtb-private-2", "rtb-main"),
        ),
        expect=unknown(
            "no route table of subnet-private-1 (shared by account 444455556666) can be seen from this account;"
            " no route table of subnet-private-2 (shared by account 444455556666) can be seen from this account"
        ),
    ),
    Case(
        name="unknown: a prefix list cannot be read",
        changes=(add_route("rtb-private-1", "pl-1", "igw-1"), prefix_list_is_unread("pl-1")),
        expect=unknown("ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: a prefix list was not read",
        changes=(add_route("rtb-private-1", "pl-1", "igw-1"),),
        expect=unknown("the entries of prefix list pl-1 in rtb-private-1 were not read"),
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
    Case(
        name="fail: the only table in sight is a subnet's own",
        changes=(
            add_route_table(
                RouteTable(
                    id="rtb-own",
                    vpc_id="vpc-1",
                    main=False,
                    subnet_ids=("subnet-private-1",),
                    routes=(LOCAL, Route(destination="0.0.0.0/0", target="igw-1")),
                )
            ),
            hide_route_tables("rtb-main", "rtb-private-1"),
        ),
        expect=fail(
            "subnet-private-1 (use1-az1) is public: its route table rtb-own sends 0.0.0.0/0 to igw-1",
            command=_NO_OTHER_IN_ZONE_1,
        ),
    ),
)
