from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import (
    add_subnet,
    connector_has_subnets,
    private_subnet,
    set_subnet,
    subnets_are_gone,
    unread,
    vpc_is_unknown,
)

CASES = (
    Case(name="pass: a subnet a zone", expect=PASS),
    Case(
        name="fail: two subnets in a zone, of which the roomier stays",
        changes=(set_subnet("subnet-private-4", zone_id="use1-az1", free_addresses=201),),
        expect=fail(
            "2 subnets are in use1-az1: subnet-private-1, subnet-private-4",
            command=new_connector("subnet-private-2 subnet-private-4"),
        ),
    ),
    Case(
        name="fail: two zones with several subnets, of equal room",
        changes=(
            add_subnet(private_subnet(5, zone_id="use1-az2")),
            add_subnet(private_subnet(6, zone_id="use1-az1")),
            add_subnet(private_subnet(7, zone_id="use1-az1")),
            connector_has_subnets(
                *("subnet-private-7", "subnet-private-6", "subnet-private-5", "subnet-private-2", "subnet-private-1")
            ),
        ),
        expect=fail(
            "2 subnets are in use1-az2: subnet-private-2, subnet-private-5",
            "3 subnets are in use1-az1: subnet-private-1, subnet-private-6, subnet-private-7",
            command=new_connector("subnet-private-1 subnet-private-2"),
        ),
    ),
    Case(
        name="pass: the VPC has other subnets in the zone",
        changes=(add_subnet(private_subnet(5, zone_id="use1-az1")),),
        expect=PASS,
    ),
    Case(
        name="pass: the zone's second subnet is gone",
        changes=(
            set_subnet("subnet-private-4", zone_id="use1-az1"),
            subnets_are_gone("subnet-private-4"),
        ),
        expect=PASS,
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
