from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import (
    add_subnet,
    private_subnet,
    set_subnet,
    settings_have,
    subnets_are_gone,
    unread,
    vpc_is_unknown,
)

_NOTE = "add a larger subnet in each short zone"

CASES = (
    Case(name="pass: room everywhere", expect=PASS),
    Case(
        name="pass: just enough addresses",
        changes=(set_subnet("subnet-private-1", free_addresses=8),),
        expect=PASS,
    ),
    Case(
        name="fail: one address too few",
        changes=(set_subnet("subnet-private-1", free_addresses=7),),
        expect=fail(
            "subnet-private-1 (use1-az1, 10.0.1.0/24) has 7 free addresses; 8 are required",
            command=new_connector("subnet-private-2 subnet-private-4", note=_NOTE),
        ),
    ),
    Case(
        name="fail: all subnets are short",
        changes=(
            set_subnet("subnet-private-1", free_addresses=0),
            set_subnet("subnet-private-2", free_addresses=3),
            set_subnet("subnet-private-4", free_addresses=99),
            settings_have(min_free_addresses=100),
        ),
        expect=fail(
            "subnet-private-1 (use1-az1, 10.0.1.0/24) has 0 free addresses; 100 are required",
            "subnet-private-2 (use1-az2, 10.0.2.0/24) has 3 free addresses; 100 are required",
            "subnet-private-4 (use1-az4, 10.0.4.0/24) has 99 free addresses; 100 are required",
            command=new_connector("PRIVATE_SUBNET_IDS", note=_NOTE),
        ),
    ),
    Case(
        name="pass: no address is required",
        changes=(set_subnet("subnet-private-1", free_addresses=0), settings_have(min_free_addresses=0)),
        expect=PASS,
    ),
    Case(
        name="pass: an IPv6-only subnet has no IPv4 addresses to run out of",
        changes=(set_subnet("subnet-private-1", free_addresses=0, cidr="", ipv6_native=True),),
        expect=PASS,
    ),
    Case(
        name="pass: a full subnet that the connector does not use",
        changes=(add_subnet(private_subnet(5, free_addresses=0)),),
        expect=PASS,
    ),
    Case(
        name="pass: the full subnet is gone",
        changes=(set_subnet("subnet-private-1", free_addresses=0), subnets_are_gone("subnet-private-1")),
        expect=PASS,
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
