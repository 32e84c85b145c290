from apprunner_guardrails.facts import GroupRule
from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import (
    ALL_OUT,
    HTTPS_OUT,
    add_group,
    connector_names_groups,
    groups_are_gone,
    set_group,
    unread,
)

_IPV4, _IPV6 = "IpRanges='[{CidrIp=0.0.0.0/0}]'", "Ipv6Ranges='[{CidrIpv6=::/0}]'"


def _narrow(group_id: str, ranges: str) -> str:
    where = f"--region us-east-1 --group-id {group_id} --ip-permissions"
    return lines(
        f"aws ec2 authorize-security-group-egress {where} IpProtocol=tcp,FromPort=443,ToPort=443,{ranges}",
        f"aws ec2 revoke-security-group-egress {where} IpProtocol=-1,{ranges}",
    )


CASES = (
    Case(name="pass: HTTPS alone may go everywhere", expect=PASS),
    Case(
        name="fail: AWS's default rule lets everything out",
        changes=(set_group("sg-app", egress=(ALL_OUT,)),),
        expect=fail("sg-app allows all protocols and ports to 0.0.0.0/0", command=_narrow("sg-app", _IPV4)),
    ),
    Case(
        name="fail: everything may go out by IPv6",
        changes=(set_group("sg-app", egress=(HTTPS_OUT, GroupRule(protocol="-1", peers=("::/0",)))),),
        expect=fail("sg-app allows all protocols and ports to ::/0", command=_narrow("sg-app", _IPV6)),
    ),
    Case(
        name="fail: both families in one rule, and another open group",
        changes=(
            set_group("sg-app", egress=(GroupRule(protocol="-1", peers=("0.0.0.0/0", "10.0.0.0/8", "::/0")),)),
            add_group("sg-b", egress=(ALL_OUT,)),
            connector_names_groups("sg-app", "sg-b"),
        ),
        expect=fail(
            "sg-app allows all protocols and ports to 0.0.0.0/0, ::/0",
            "sg-b allows all protocols and ports to 0.0.0.0/0",
            command=lines(_narrow("sg-app", _IPV4), _narrow("sg-app", _IPV6), _narrow("sg-b", _IPV4)),
        ),
    ),
    Case(
        name="fail: everything may go to each half of IPv4",
        changes=(
            set_group(
                "sg-app",
                egress=tuple(GroupRule(protocol="-1", peers=(half,)) for half in ("128.0.0.0/1", "0.0.0.0/1")),
            ),
        ),
        expect=fail(
            "sg-app allows all protocols and ports to 0.0.0.0/1, 128.0.0.0/1",
            command=lines(
                _narrow("sg-app", _IPV4.replace("0.0.0.0/0", "0.0.0.0/1")),
                _narrow("sg-app", _IPV4.replace("0.0.0.0/0", "128.0.0.0/1")),
            ),
        ),
    ),
    Case(
        name="pass: everything may go to one half of each family",
        changes=(set_group("sg-app", egress=(GroupRule(protocol="-1", peers=("0.0.0.0/1", "8000::/1")),)),),
        expect=PASS,
    ),
    Case(
        name="pass: everything may go to the VPC, to a list and to a group",
        changes=(set_group("sg-app", egress=(GroupRule(protocol="-1", peers=("10.0.0.0/16", "pl-1", "sg-db")),)),),
        expect=PASS,
    ),
    Case(
        name="pass: all of TCP may go everywhere",
        changes=(
            set_group("sg-app", egress=(GroupRule(protocol="tcp", peers=("0.0.0.0/0",), from_port=0, to_port=65535),)),
        ),
        expect=PASS,
    ),
    Case(name="pass: all groups are gone", changes=(groups_are_gone("sg-app"),), expect=PASS),
    Case(
        name="unknown: the security groups cannot be read",
        changes=(unread("security_groups"),),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
)
