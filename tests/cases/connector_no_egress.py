from tests.cases import PASS, Case, fail, unknown
from tests.cases._healthy import add_group, connector_names_groups, groups_are_gone, set_group, unread


def _allow_https(group_id: str) -> str:
    return (
        f"aws ec2 authorize-security-group-egress --region us-east-1 --group-id {group_id}"
        " --ip-permissions IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges='[{CidrIp=0.0.0.0/0}]'"
    )


CASES = (
    Case(name="pass: a rule lets HTTPS out", expect=PASS),
    Case(
        name="fail: the only group has no outbound rule",
        changes=(set_group("sg-app", egress=()),),
        expect=fail("no security group of the connector has an outbound rule: sg-app", command=_allow_https("sg-app")),
    ),
    Case(
        name="fail: no group of two has an outbound rule",
        changes=(
            set_group("sg-app", egress=()),
            add_group("sg-a", egress=()),
            connector_names_groups("sg-app", "sg-a"),
        ),
        expect=fail(
            "no security group of the connector has an outbound rule: sg-a, sg-app", command=_allow_https("sg-a")
        ),
    ),
    Case(
        name="pass: one group of two has an outbound rule",
        changes=(add_group("sg-a", egress=()), connector_names_groups("sg-app", "sg-a")),
        expect=PASS,
    ),
    Case(name="pass: all groups are gone", changes=(groups_are_gone("sg-app"),), expect=PASS),
    Case(
        name="unknown: the security groups cannot be read",
        changes=(unread("security_groups"),),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
)
