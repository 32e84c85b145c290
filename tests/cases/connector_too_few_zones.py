from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import (
    OTHER_ACCOUNT,
    PUBLIC_RANGES,
    add_route,
    add_subnet,
    associate,
    connector_has_subnets,
    disassociate,
    hide_route_tables,
    prefix_list_has,
    prefix_list_is_unread,
    private_subnet,
    region_has_zones,
    set_subnet,
    settings_have,
    subnets_are_gone,
    unread,
    vpc_is_unknown,
    zone,
)

_TWO_ZONES = connector_has_subnets("subnet-private-1", "subnet-private-2")
_TWO_OF_THREE = (
    "the subnets cover 2 of 3 required Availability Zones (use1-az1, use1-az2);"
    " missing: 1 of use1-az4, use1-az5, use1-az6; private subnets that would fill them: "
)
_FIND_ONE = "first find or make a private subnet in 1 of use1-az4, use1-az5, use1-az6"

CASES = (
    Case(name="pass: three zones", expect=PASS),
    Case(
        name="fail: two zones of the three that are required",
        changes=(_TWO_ZONES,),
        expect=fail(
            f"{_TWO_OF_THREE}subnet-private-4 (use1-az4)",
            command=new_connector("subnet-private-1 subnet-private-2 subnet-private-4"),
        ),
    ),
    Case(
        name="fail: of a zone's private subnets the roomiest is offered",
        changes=(
            _TWO_ZONES,
            set_subnet("subnet-private-4", free_addresses=20),
            add_subnet(private_subnet(5, zone_id="use1-az4", free_addresses=90)),
            add_subnet(private_subnet(6, free_addresses=10)),
        ),
        expect=fail(
            f"{_TWO_OF_THREE}subnet-private-5 (use1-az4), subnet-private-6 (use1-az6)",
            command=new_connector("subnet-private-1 subnet-private-2 subnet-private-5 subnet-private-6"),
        ),
    ),
    Case(
        name="fail: public and IPv6-only subnets are not offered",
        changes=(
            _TWO_ZONES,
            associate("subnet-private-4", "rtb-public"),
            add_subnet(private_subnet(5, cidr="", ipv6_native=True)),
        ),
        expect=fail(
            f"{_TWO_OF_THREE}none in vpc-1",
            command=new_connector("MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2", note=_FIND_ONE),
        ),
    ),
    Case(
        name="fail: three subnets in two zones",
        changes=(set_subnet("subnet-private-4", zone_id="use1-az1"),),
        expect=fail(
            f"{_TWO_OF_THREE}none in vpc-1",
            command=new_connector(
                "MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2 subnet-private-4",
                note=_FIND_ONE,
            ),
        ),
    ),
    Case(
        name="pass: two zones of a Region that has two",
        changes=(_TWO_ZONES, region_has_zones(zone(1), zone(2))),
        expect=PASS,
    ),
    Case(
        name="fail: one zone of a Region that has two",
        changes=(connector_has_subnets("subnet-private-1"), region_has_zones(zone(1), zone(2))),
        expect=fail(
            "the subnets cover 1 of 2 required Availability Zones (use1-az1); missing: 1 of use1-az2;"
            " private subnets that would fill them: subnet-private-2 (use1-az2)",
            command=new_connector("subnet-private-1 subnet-private-2"),
        ),
    ),
    Case(
        name="pass: the third zone is closed to the account",
        changes=(_TWO_ZONES, region_has_zones(zone(1), zone(2), zone(4, available=False))),
        expect=PASS,
    ),
    Case(
        name="pass: the third zone is listed as unsupported",
        changes=(_TWO_ZONES, region_has_zones(zone(1), zone(2), zone(3))),
        expect=PASS,
    ),
    Case(
        name="fail: the third zone is unsupported only elsewhere",
        changes=(
            _TWO_ZONES,
            region_has_zones(zone(1), zone(2), zone(3)),
            settings_have(unsupported_zone_ids=("use1-az5",)),
        ),
        expect=fail(
            "the subnets cover 2 of 3 required Availability Zones (use1-az1, use1-az2); missing: 1 of use1-az3;"
            " private subnets that would fill them: none in vpc-1",
            command=new_connector(
                "MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2",
                note="first find or make a private subnet in 1 of use1-az3",
            ),
        ),
    ),
    Case(
        name="fail: local and wavelength zones make no zone usable",
        changes=(_TWO_ZONES,),  # the healthy Region has one of each
        expect=fail(
            f"{_TWO_OF_THREE}subnet-private-4 (use1-az4)",
            command=new_connector("subnet-private-1 subnet-private-2 subnet-private-4"),
        ),
    ),
    Case(
        name="pass: two zones where two are required",
        changes=(_TWO_ZONES, settings_have(min_connector_zones=2)),
        expect=PASS,
    ),
    Case(
        name="fail: three zones where four are required",
        changes=(settings_have(min_connector_zones=4),),
        expect=fail(
            "the subnets cover 3 of 4 required Availability Zones (use1-az1, use1-az2, use1-az4);"
            " missing: 1 of use1-az5, use1-az6; private subnets that would fill them: none in vpc-1",
            command=new_connector(
                "MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2 subnet-private-4",
                note="first find or make a private subnet in 1 of use1-az5, use1-az6",
            ),
        ),
    ),
    Case(
        name="fail: a subnet that is gone covers no zone",
        changes=(subnets_are_gone("subnet-private-4"),),
        expect=fail(
            f"{_TWO_OF_THREE}none in vpc-1",
            command=new_connector("MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2", note=_FIND_ONE),
        ),
    ),
    Case(
        name="fail: all subnets are gone",
        changes=(vpc_is_unknown(),),
        expect=fail(
            "the subnets cover 0 of 3 required Availability Zones (none); missing: 3 of use1-az1, use1-az2, use1-az4,"
            " use1-az5, use1-az6; private subnets that would fill them: none in its VPC",
            command=new_connector(
                "MORE_PRIVATE_SUBNET_IDS",
                note="first find or make a private subnet in 3 of use1-az1, use1-az2, use1-az4, use1-az5, use1-az6",
            ),
        ),
    ),
    Case(
        name="fail: which subnets are private cannot be told",
        changes=(_TWO_ZONES, unread("route_tables")),
        expect=fail(
            f"{_TWO_OF_THREE}not known",
            unread="ec2:DescribeRouteTables failed (UnauthorizedOperation)",
            command=new_connector("MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2", note=_FIND_ONE),
        ),
    ),
    Case(
        name="fail: a private subnet of the zone is found although another one cannot be told",
        changes=(
            _TWO_ZONES,
            disassociate("subnet-private-4"),
            hide_route_tables("rtb-main"),
            add_subnet(private_subnet(5, zone_id="use1-az4", free_addresses=9)),
            associate("subnet-private-5", "rtb-private-4"),
        ),
        expect=fail(
            f"{_TWO_OF_THREE}subnet-private-5 (use1-az4)",
            command=new_connector("subnet-private-1 subnet-private-2 subnet-private-5"),
        ),
    ),
    Case(
        name="fail: the only candidate is shared and its routes cannot be seen",
        changes=(
            _TWO_ZONES,
            set_subnet("subnet-private-4", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-4", "rtb-main"),
        ),
        expect=fail(
            f"{_TWO_OF_THREE}not known",
            unread="no route table of subnet-private-4 (shared by account 444455556666) can be seen from this account",
            command=new_connector("MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2", note=_FIND_ONE),
        ),
    ),
    Case(
        name="fail: the only candidate has a prefix list that cannot be read",
        changes=(_TWO_ZONES, add_route("rtb-private-4", "pl-1", "igw-1"), prefix_list_is_unread("pl-1")),
        expect=fail(
            f"{_TWO_OF_THREE}not known",
            unread="ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)",
            command=new_connector("MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2", note=_FIND_ONE),
        ),
    ),
    Case(
        name="fail: the only candidate is public by a prefix list",
        changes=(_TWO_ZONES, add_route("rtb-private-4", "pl-1", "igw-1"), prefix_list_has("pl-1", *PUBLIC_RANGES)),
        expect=fail(
            f"{_TWO_OF_THREE}none in vpc-1",
            command=new_connector("MORE_PRIVATE_SUBNET_IDS subnet-private-1 subnet-private-2", note=_FIND_ONE),
        ),
    ),
    Case(
        name="unknown: the Region's zones cannot be read",
        changes=(unread("zones"),),
        expect=unknown("ec2:DescribeAvailabilityZones failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
