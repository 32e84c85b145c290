from dataclasses import replace

from apprunner_guardrails.facts import Listener
from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import GROUP, GROUP_ARN, set_balancer

_OTHER_ARN = GROUP_ARN.replace("/orders/", "/others/")
_TLS_GROUP = replace(
    GROUP, group=replace(GROUP.group, arn=GROUP_ARN.replace("/orders/", "/billing/"), name="billing", protocol="TLS")
)


def _arn(port: int) -> str:
    return f"arn:aws:elasticloadbalancing:us-east-1:111122223333:listener/net/orders/50dc6c495c0c9188/{port}"


def _listener(port: int, protocol: str, *group_arns: str) -> Listener:
    return Listener(arn=_arn(port), protocol=protocol, port=port, target_group_arns=group_arns)


def _listeners(*listeners: Listener) -> Change:
    return set_balancer(listeners=listeners)


def _message(port: int = 443, groups: str = "orders") -> str:
    return (
        f"load balancer orders ends TLS at its listener on port {port}, before target group {groups}: the client's"
        " server name does not get to the endpoint"
    )


def _to_tcp(port: int = 443) -> str:
    return f"aws elbv2 modify-listener --region us-east-1 --listener-arn {_arn(port)} --protocol TCP"


_OTHER_GROUP = (
    "# a TCP listener leads to a target group of TCP alone (AR508)",
    " --default-actions Type=forward,TargetGroupArn=NEW_TARGET_GROUP_ARN",
)

CASES = (
    Case(name="pass: the listener passes TLS through", expect=PASS),
    Case(
        name="fail: the listener ends TLS",
        changes=(_listeners(_listener(443, "TLS", GROUP_ARN)),),
        expect=fail(_message(), command=_to_tcp()),
    ),
    Case(
        name="fail: one of two listeners ends TLS",
        changes=(_listeners(_listener(8443, "TLS", GROUP_ARN), _listener(443, "TCP", GROUP_ARN)),),
        expect=fail(_message(8443), command=_to_tcp(8443)),
    ),
    Case(
        name="fail: two listeners end TLS, one before two groups, of which one speaks TLS again, and one of others",
        changes=(
            set_balancer(target_groups=(GROUP, _TLS_GROUP)),
            _listeners(_listener(8443, "TLS", GROUP_ARN), _listener(443, "TLS", GROUP_ARN, _TLS_GROUP.arn, _OTHER_ARN)),
        ),
        expect=fail(
            _message(443, "billing, orders"),
            _message(8443),
            command=lines(_OTHER_GROUP[0], _to_tcp() + _OTHER_GROUP[1], _to_tcp(8443)),
        ),
    ),
    Case(
        name="pass: a listener ends TLS on the way to something else",
        changes=(_listeners(_listener(443, "TCP", GROUP_ARN), _listener(8443, "TLS", _OTHER_ARN)),),
        expect=PASS,
    ),
    Case(
        name="pass: listeners of other protocols",
        changes=(_listeners(_listener(443, "TCP_UDP", GROUP_ARN), _listener(53, "UDP", GROUP_ARN)),),
        expect=PASS,
    ),
    Case(name="pass: no listener", changes=(_listeners(),), expect=PASS),
    Case(
        name="unknown: listeners cannot be read",
        changes=(unread("listeners"),),
        expect=unknown("elasticloadbalancing:DescribeListeners failed (UnauthorizedOperation)"),
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
