from dataclasses import replace

from apprunner_guardrails.facts import PathGroup, Target, Unread
from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import target, unread
from tests.cases._healthy_path import GROUP, GROUP_ARN, set_balancer

_DENIED = Unread(call="elasticloadbalancing:DescribeTargetHealth", code="UnauthorizedOperation")
_BILLING_ARN = GROUP_ARN.replace("/orders/", "/billing/")
_ONE, _TWO, _FOUR = (
    target("10.0.1.10", "us-east-1d"),
    target("10.0.2.10", "us-east-1b"),
    target("10.0.4.10", "us-east-1a"),
)


def _has(*targets: Target, crosses: bool | Unread | None = None, name: str = "orders") -> PathGroup:
    arn = GROUP_ARN.replace("/orders/", f"/{name}/")
    return replace(GROUP, group=replace(GROUP.group, arn=arn, name=name), targets=targets, crosses_zones=crosses)


def _groups(*groups: PathGroup) -> Change:
    return set_balancer(target_groups=groups)


def _message(zones: str, group: str = "orders") -> str:
    return (
        f"target group {group} has no target in {zones}, where load balancer orders has a node, and cross-zone load"
        " balancing is off"
    )


def _cross(*arns: str) -> str:
    return lines(
        "# give the endpoint a subnet in each of the zones and register its address, or let traffic cross zones:",
        *(
            f"aws elbv2 modify-target-group-attributes --region us-east-1 --target-group-arn {arn}"
            " --attributes Key=load_balancing.cross_zone.enabled,Value=true"
            for arn in arns
        ),
    )


CASES = (
    Case(name="pass: a target in every zone", expect=PASS),
    Case(
        name="fail: a zone without a target",
        changes=(_groups(_has(_ONE, _FOUR)),),
        expect=fail(_message("us-east-1b"), command=_cross(GROUP_ARN)),
    ),
    Case(
        name="fail: one target for three zones, twice registered",
        changes=(_groups(_has(_TWO, replace(_TWO, port=8443))),),
        expect=fail(_message("us-east-1a, us-east-1d"), command=_cross(GROUP_ARN)),
    ),
    Case(
        name="fail: the zone's only target is draining",
        changes=(_groups(_has(_ONE, replace(_TWO, state="draining"), _FOUR)),),
        expect=fail(_message("us-east-1b"), command=_cross(GROUP_ARN)),
    ),
    Case(
        name="fail: all targets are in a zone that the load balancer is not in",
        changes=(_groups(_has(target("10.0.6.10", "us-east-1e", "unused", "Target.NotInUse"))),),
        expect=fail(_message("us-east-1a, us-east-1b, us-east-1d"), command=_cross(GROUP_ARN)),
    ),
    Case(
        name="fail: the group says itself that traffic does not cross zones, whatever its load balancer says",
        changes=(_groups(_has(_ONE, _FOUR, crosses=False)), set_balancer(crosses_zones=True)),
        expect=fail(_message("us-east-1b"), command=_cross(GROUP_ARN)),
    ),
    Case(
        name="fail: the load balancer's attributes cannot be read, and the group says it itself",
        changes=(_groups(_has(_ONE, _FOUR, crosses=False)), unread("load_balancer_attributes")),
        expect=fail(_message("us-east-1b"), command=_cross(GROUP_ARN)),
    ),
    Case(
        name="pass: the group says itself that traffic crosses zones",
        changes=(_groups(_has(_ONE, crosses=True)),),
        expect=PASS,
    ),
    Case(
        name="pass: the load balancer says that traffic crosses zones",
        changes=(_groups(_has(_ONE)), set_balancer(crosses_zones=True)),
        expect=PASS,
    ),
    Case(
        name="pass: targets that are not healthy",
        changes=(
            _groups(
                _has(
                    replace(_ONE, state="unhealthy"),
                    replace(_TWO, state="unhealthy.draining"),
                    replace(_FOUR, state="initial"),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a target outside of the VPC serves all zones",
        changes=(_groups(_has(target("10.1.0.7", "all"))),),
        expect=PASS,
    ),
    Case(
        name="pass: AWS does not say which zone a target is in",
        changes=(_groups(_has(_ONE, target("10.0.2.10", ""))),),
        expect=PASS,
    ),
    Case(
        name="pass: whether traffic crosses zones cannot be read, and need not",
        changes=(unread("load_balancer_attributes", "target_group_attributes"),),
        expect=PASS,
    ),
    Case(
        name="fail: two target groups, each with a zone of its own left out",
        changes=(_groups(_has(_ONE, _FOUR), _has(_TWO, _FOUR, name="billing")),),
        expect=fail(_message("us-east-1d", "billing"), _message("us-east-1b"), command=_cross(_BILLING_ARN, GROUP_ARN)),
    ),
    Case(
        name="fail: one group leaves a zone out, another has no target, of a third they cannot be read",
        changes=(
            _groups(
                _has(_ONE, _FOUR),
                _has(name="billing"),
                replace(_has(name="third"), targets=_DENIED),
            ),
        ),
        expect=fail(
            _message("us-east-1b"),
            command=_cross(GROUP_ARN),
            unread="elasticloadbalancing:DescribeTargetHealth failed (UnauthorizedOperation)",
        ),
    ),
    Case(
        name="unknown: the group has no target at all, which AR511 tells",
        changes=(_groups(_has()),),
        expect=unknown(""),
    ),
    Case(
        name="unknown: all of the group's targets are draining, and another group is well",
        changes=(_groups(_has(replace(_ONE, state="draining")), replace(GROUP)),),
        expect=unknown(""),
    ),
    Case(
        name="unknown: targets cannot be read",
        changes=(unread("target_health"),),
        expect=unknown("elasticloadbalancing:DescribeTargetHealth failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: a zone has no target, and whether traffic crosses zones cannot be read of the group",
        changes=(_groups(_has(_ONE)), unread("target_group_attributes")),
        expect=unknown("elasticloadbalancing:DescribeTargetGroupAttributes failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: a zone has no target, and whether traffic crosses zones cannot be read of the load balancer",
        changes=(_groups(_has(_ONE)), unread("load_balancer_attributes")),
        expect=unknown("elasticloadbalancing:DescribeLoadBalancerAttributes failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: target groups cannot be read",
        changes=(unread("target_groups"),),
        expect=unknown("elasticloadbalancing:DescribeTargetGroups failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the load balancer cannot be read",
        changes=(unread("load_balancers"),),
        expect=unknown("elasticloadbalancing:DescribeLoadBalancers failed (UnauthorizedOperation)"),
    ),
)
