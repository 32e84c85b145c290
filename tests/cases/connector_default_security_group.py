from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import add_group, connector_names_groups, groups_are_gone, set_group, unread, vpc_is_unknown

_ALL = "subnet-private-1 subnet-private-2 subnet-private-4"

CASES = (
    Case(name="pass: a group of its own", expect=PASS),
    Case(
        name="fail: no security group was named",
        changes=(connector_names_groups(), groups_are_gone("sg-app"), add_group("sg-default")),
        expect=fail(
            "no security group was named, so App Runner uses the default group of vpc-1",
            command=new_connector(_ALL, groups="SECURITY_GROUP_ID"),
        ),
    ),
    Case(
        name="fail: no security group was named, and the VPC is not known",
        changes=(connector_names_groups(), vpc_is_unknown(), unread("security_groups")),
        expect=fail(
            "no security group was named, so App Runner uses the default group of its VPC",
            command=new_connector(_ALL, groups="SECURITY_GROUP_ID"),
        ),
    ),
    Case(
        name="fail: the default group is named among others",
        changes=(add_group("sg-default"), connector_names_groups("sg-app", "sg-default")),
        expect=fail("sg-default is the default security group of vpc-1", command=new_connector(_ALL)),
    ),
    Case(
        name="fail: the default group alone is named",
        changes=(set_group("sg-app", name="default"),),
        expect=fail(
            "sg-app is the default security group of vpc-1",
            command=new_connector(_ALL, groups="SECURITY_GROUP_ID"),
        ),
    ),
    Case(
        name="pass: a group whose name only begins so",
        changes=(set_group("sg-app", name="default-orders"),),
        expect=PASS,
    ),
    Case(name="pass: the group is gone", changes=(groups_are_gone("sg-app"),), expect=PASS),
    Case(
        name="unknown: the security groups cannot be read",
        changes=(unread("security_groups"),),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
)
