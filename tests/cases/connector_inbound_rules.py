from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import (
    HTTPS_IN,
    add_group,
    add_interface,
    connector_names_groups,
    groups_are_gone,
    set_group,
    unread,
)

_INBOUND = set_group("sg-app", ingress=(HTTPS_IN,))


def _no_effect(group_id: str, rules: int, interfaces: int) -> str:
    return (
        f"{group_id} has inbound rules ({rules}) that have no effect:"
        f" nothing but App Runner uses it (network interfaces: {interfaces})"
    )


def _revoke(group_id: str) -> str:
    return (
        f"aws ec2 revoke-security-group-ingress --region us-east-1 --group-id {group_id} --ip-permissions"
        f' "$(aws ec2 describe-security-groups --region us-east-1 --group-ids {group_id}'
        " --query 'SecurityGroups[0].IpPermissions' --output json)\""
    )


CASES = (
    Case(name="pass: no inbound rules", expect=PASS),
    Case(
        name="fail: inbound rules on a group that App Runner alone uses",
        changes=(
            _INBOUND,
            add_interface("eni-1", "sg-app", app_runner=True),
            add_interface("eni-2", "sg-app", app_runner=True),
        ),
        expect=fail(_no_effect("sg-app", 1, 2), command=_revoke("sg-app")),
    ),
    Case(
        name="fail: inbound rules on a group that nothing uses yet",
        changes=(set_group("sg-app", ingress=(HTTPS_IN, HTTPS_IN)),),
        expect=fail(_no_effect("sg-app", 2, 0), command=_revoke("sg-app")),
    ),
    Case(
        name="pass: something else uses the group too",
        changes=(
            _INBOUND,
            add_interface("eni-1", "sg-app", app_runner=True),
            add_interface("eni-2", "sg-app", app_runner=False),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: something else uses another group",
        changes=(
            _INBOUND,
            add_group("sg-b", ingress=(HTTPS_IN,)),
            connector_names_groups("sg-app", "sg-b"),
            add_interface("eni-1", "sg-b", app_runner=False),
            add_interface("eni-2", "sg-app", "sg-b", app_runner=True),
        ),
        expect=fail(_no_effect("sg-app", 1, 1), command=_revoke("sg-app")),
    ),
    Case(
        name="fail: two groups with inbound rules",
        changes=(
            _INBOUND,
            add_group("sg-b", ingress=(HTTPS_IN,)),
            connector_names_groups("sg-app", "sg-b"),
            add_interface("eni-1", "sg-app", "sg-b", app_runner=True),
        ),
        expect=fail(
            _no_effect("sg-app", 1, 1),
            _no_effect("sg-b", 1, 1),
            command=lines(_revoke("sg-app"), _revoke("sg-b")),
        ),
    ),
    Case(name="pass: all groups are gone", changes=(groups_are_gone("sg-app"),), expect=PASS),
    Case(
        name="pass: without inbound rules the interfaces need not be read",
        changes=(unread("group_interfaces"),),
        expect=PASS,
    ),
    Case(
        name="unknown: who uses the group cannot be read",
        changes=(_INBOUND, unread("group_interfaces")),
        expect=unknown("ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the security groups cannot be read",
        changes=(unread("security_groups"),),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
)
