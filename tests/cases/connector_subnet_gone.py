from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import subnets_are_gone, unread, vpc_is_unknown

CASES = (
    Case(name="pass: every subnet exists", expect=PASS),
    Case(
        name="fail: one subnet is gone",
        changes=(subnets_are_gone("subnet-private-2"),),
        expect=fail(
            "subnet-private-2 no longer exists",
            command=new_connector("subnet-private-1 subnet-private-4"),
        ),
    ),
    Case(
        name="fail: all subnets are gone",
        changes=(vpc_is_unknown(),),
        expect=fail(
            "subnet-private-1 no longer exists",
            "subnet-private-2 no longer exists",
            "subnet-private-4 no longer exists",
            command=new_connector("PRIVATE_SUBNET_IDS"),
        ),
    ),
    Case(
        name="pass: a subnet that the connector does not use is gone",
        changes=(subnets_are_gone("subnet-public-1"),),
        expect=PASS,
    ),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
