from dataclasses import replace

from tests.cases import PASS, Answer, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import CONNECTOR, OTHER_CONNECTOR, set_interface


def _orphan(subnet: str, groups: str, active: int, there: int) -> Answer:
    return fail(
        f"no active VPC connector has the subnet {subnet} with the security groups {groups};"
        " none of these can be deleted while eni-managed-1 is there"
        f" (active connectors: {active}, in that subnet: {there})",
        command=lines(
            "# App Runner deletes it, in its own time: look whether it is still there, and never delete it by hand",
            "aws ec2 describe-network-interfaces --region us-east-1 --network-interface-ids eni-managed-1",
        ),
    )


CASES = (
    Case(name="pass: a connector has its subnet and its group", expect=PASS),
    Case(
        name="fail: connectors have its subnet, with other groups",
        changes=(set_interface(group_ids=("sg-old",)),),
        expect=_orphan("subnet-private-1", "sg-old", 2, 2),
    ),
    Case(
        name="fail: connectors have its groups, in other subnets",
        changes=(set_interface(subnet_id="subnet-private-9"),),
        expect=_orphan("subnet-private-9", "sg-app", 2, 0),
    ),
    Case(
        name="fail: one connector has its subnet and another its groups",
        changes=(
            set_interface(
                connectors=(replace(CONNECTOR, subnet_ids=("subnet-private-2",)), OTHER_CONNECTOR),
            ),
        ),
        expect=_orphan("subnet-private-1", "sg-app", 2, 1),
    ),
    Case(
        name="fail: there is no connector any more",
        changes=(set_interface(connectors=()),),
        expect=_orphan("subnet-private-1", "sg-app", 0, 0),
    ),
    Case(
        name="fail: its connector is deleted, and told still",
        changes=(set_interface(connectors=(replace(CONNECTOR, status="INACTIVE"), OTHER_CONNECTOR)),),
        expect=_orphan("subnet-private-1", "sg-app", 1, 1),
    ),
    Case(
        name="fail: a connector has only some of its groups",
        changes=(set_interface(group_ids=("sg-z", "sg-app")),),
        expect=_orphan("subnet-private-1", "sg-app, sg-z", 2, 2),
    ),
    Case(
        name="fail: it has only some of a connector's groups",
        changes=(set_interface(connectors=(replace(CONNECTOR, security_group_ids=("sg-app", "sg-b")),)),),
        expect=_orphan("subnet-private-1", "sg-app", 1, 1),
    ),
    Case(
        name="pass: the groups of its connector are told in another order",
        changes=(
            set_interface(
                group_ids=("sg-a", "sg-b"), connectors=(replace(CONNECTOR, security_group_ids=("sg-b", "sg-a")),)
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a connector in its subnet names no group, so it may be the VPC's default group",
        changes=(set_interface(group_ids=("sg-default",), connectors=(replace(CONNECTOR, security_group_ids=()),)),),
        expect=PASS,
    ),
    Case(
        name="fail: a connector elsewhere names no group",
        changes=(
            set_interface(
                group_ids=("sg-default",),
                connectors=(replace(CONNECTOR, subnet_ids=("subnet-private-2",), security_group_ids=()),),
            ),
        ),
        expect=_orphan("subnet-private-1", "sg-default", 1, 0),
    ),
    Case(
        name="unknown: the connectors cannot be listed",
        changes=(unread("connectors"),),
        expect=unknown("apprunner:DescribeVpcConnector failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the interface cannot be read",
        changes=(unread("managed_interfaces"),),
        expect=unknown("ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"),
    ),
)
