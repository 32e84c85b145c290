from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import targets
from tests.cases._healthy import unread
from tests.cases._healthy_path import set_the_group

_TCP = targets("modify-target-group") + " --health-check-protocol TCP --health-check-port traffic-port"


def _message(protocol: str) -> str:
    return (
        f"target group orders checks health by {protocol}: the check's host is an address of the load balancer, by"
        " which App Runner finds no service"
    )


CASES = (
    Case(name="pass: health is checked by TCP", expect=PASS),
    Case(
        name="fail: health is checked by HTTPS",
        changes=(set_the_group(health_check_protocol="HTTPS"),),
        expect=fail(_message("HTTPS"), command=_TCP),
    ),
    Case(
        name="fail: health is checked by HTTP, of a group that takes TLS",
        changes=(set_the_group(health_check_protocol="HTTP", protocol="TLS"),),
        expect=fail(_message("HTTP"), command=_TCP),
    ),
    Case(name="pass: AWS does not say how", changes=(set_the_group(health_check_protocol=""),), expect=PASS),
    Case(
        name="unknown: the target group cannot be read",
        changes=(unread("target_groups"),),
        expect=unknown("elasticloadbalancing:DescribeTargetGroups failed (UnauthorizedOperation)"),
    ),
)
