from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import add_subnet, private_subnet, set_subnet, settings_have, unread, vpc_is_unknown

_UNVERIFIED = "which UnsupportedZoneIds lists (unverified: AWS publishes no list of zones that connectors can use)"

CASES = (
    Case(name="pass: no zone that is listed", expect=PASS),
    Case(
        name="fail: a subnet in the zone that is listed by default",
        changes=(set_subnet("subnet-private-4", zone_id="use1-az3"),),
        expect=fail(
            f"subnet-private-4 is in use1-az3, {_UNVERIFIED}",
            command=new_connector("subnet-private-1 subnet-private-2"),
        ),
    ),
    Case(
        name="fail: every subnet in a zone that is listed",
        changes=(settings_have(unsupported_zone_ids=("use1-az1", "use1-az2", "use1-az4")),),
        expect=fail(
            f"subnet-private-1 is in use1-az1, {_UNVERIFIED}",
            f"subnet-private-2 is in use1-az2, {_UNVERIFIED}",
            f"subnet-private-4 is in use1-az4, {_UNVERIFIED}",
            command=new_connector("PRIVATE_SUBNET_IDS"),
        ),
    ),
    Case(
        name="pass: no zone is listed",
        changes=(set_subnet("subnet-private-4", zone_id="use1-az3"), settings_have(unsupported_zone_ids=())),
        expect=PASS,
    ),
    Case(
        name="pass: the VPC has a subnet there, the connector none",
        changes=(add_subnet(private_subnet(3)),),
        expect=PASS,
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
