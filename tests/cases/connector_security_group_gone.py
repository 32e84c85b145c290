from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import add_group, connector_names_groups, groups_are_gone, unread

_ALL = "subnet-private-1 subnet-private-2 subnet-private-4"

CASES = (
    Case(name="pass: the group exists", expect=PASS),
    Case(
        name="fail: one group of two is gone",
        changes=(connector_names_groups("sg-gone", "sg-app"),),
        expect=fail("sg-gone no longer exists", command=new_connector(_ALL)),
    ),
    Case(
        name="fail: all groups are gone",
        changes=(connector_names_groups("sg-b", "sg-a"), groups_are_gone("sg-app")),
        expect=fail(
            "sg-a no longer exists",
            "sg-b no longer exists",
            command=new_connector(_ALL, groups="SECURITY_GROUP_ID"),
        ),
    ),
    Case(
        name="pass: no group was named, and the default group is there",
        changes=(connector_names_groups(), groups_are_gone("sg-app"), add_group("sg-default")),
        expect=PASS,
    ),
    Case(
        name="unknown: the security groups cannot be read",
        changes=(unread("security_groups"),),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
)
