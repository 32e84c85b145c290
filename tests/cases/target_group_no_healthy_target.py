from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines, targets
from tests.cases._healthy import (
    leads_nowhere,
    not_registered,
    nothing_is_registered,
    nothing_is_wanted,
    overdue,
    preparing,
    register,
    set_target,
    set_targets,
    settling,
    target,
    unread,
)

_FAILED = "Target.FailedHealthChecks"
_ALL_UNHEALTHY = set_targets(state="unhealthy", reason=_FAILED)
_NONE_OF_3 = (
    f"no registered target is healthy (3 registered): 10.0.1.10:443 is unhealthy ({_FAILED}),"
    f" 10.0.2.10:443 is unhealthy ({_FAILED}), 10.0.4.10:443 is unhealthy ({_FAILED})"
)
_EMPTY = "no target is registered: an NLB fails open then, and every request is lost"
_REGISTER_ALL = targets("register-targets", "Id=10.0.1.10,Port=443", "Id=10.0.2.10,Port=443", "Id=10.0.4.10,Port=443")
_LOOK = targets("describe-target-health")


def _mend(*ports: int) -> str:
    return lines(
        _LOOK,
        *(
            "aws ec2 authorize-security-group-ingress --region us-east-1 --group-id ENDPOINT_SECURITY_GROUP_ID"
            f" --ip-permissions 'IpProtocol=tcp,FromPort={port},ToPort={port},"
            "UserIdGroupPairs=[{GroupId=NLB_SECURITY_GROUP_ID}]'"
            for port in ports
        ),
        f"{targets('modify-target-group')} --health-check-protocol TCP --health-check-port traffic-port",
        f"{targets('modify-target-group-attributes')} --attributes Key=preserve_client_ip.enabled,Value=false",
    )


CASES = (
    Case(name="pass: all targets are healthy", expect=PASS),
    Case(
        name="fail: all targets are unhealthy",
        changes=(_ALL_UNHEALTHY,),
        expect=fail(_NONE_OF_3, command=_mend(443)),
    ),
    Case(
        name="pass: one target of three is healthy",
        changes=(_ALL_UNHEALTHY, set_target("10.0.2.10", state="healthy", reason="")),
        expect=PASS,
    ),
    Case(
        name="pass: the only healthy target is not wanted any more",
        changes=(_ALL_UNHEALTHY, register(target("10.0.9.9", "us-east-1b"))),
        expect=PASS,
    ),
    Case(
        name="fail: states and ports of all kinds, none of them healthy",
        changes=(
            set_target("10.0.1.10", state="unhealthy.draining", reason=_FAILED),
            set_target("10.0.2.10", state="unused", reason="Target.IpUnusable"),
            set_target("10.0.4.10", state="unhealthy", reason=""),
            register(target("10.0.9.9", "us-east-1b", "unhealthy", "Target.Timeout", port=8443)),
        ),
        expect=fail(
            f"no registered target is healthy (4 registered): 10.0.1.10:443 is unhealthy.draining ({_FAILED}),"
            " 10.0.2.10:443 is unused (Target.IpUnusable), 10.0.4.10:443 is unhealthy,"
            " 10.0.9.9:8443 is unhealthy (Target.Timeout)",
            command=_mend(443, 8443),
        ),
    ),
    Case(
        name="unknown: a target is checked for the first time",
        changes=(_ALL_UNHEALTHY, set_target("10.0.2.10", state="initial", reason="Elb.InitialHealthChecking")),
        expect=unknown(""),
    ),
    Case(
        name="fail: a target is checked for the first time, for longer than it may",
        changes=(
            not_registered("10.0.1.10", "10.0.4.10"),
            set_target("10.0.2.10", state="initial", reason="Elb.InitialHealthChecking"),
            overdue(),
        ),
        expect=fail(
            "no registered target is healthy (1 registered): 10.0.2.10:443 is initial (Elb.InitialHealthChecking)",
            command=_mend(443),
        ),
    ),
    Case(
        name="unknown: a target that was registered just now is not healthy yet",
        changes=(_ALL_UNHEALTHY, settling("10.0.2.10:443")),
        expect=unknown(""),
    ),
    Case(
        name="fail: a target that was registered is not healthy when the wait is over",
        changes=(_ALL_UNHEALTHY, settling("10.0.2.10:443"), overdue()),
        expect=fail(_NONE_OF_3, command=_mend(443)),
    ),
    Case(
        name="fail: no target is registered",
        changes=(nothing_is_registered(),),
        expect=fail(_EMPTY, command=lines(_REGISTER_ALL, _LOOK)),
    ),
    Case(
        name="pass: no target is registered, and no load balancer uses the group",
        changes=(nothing_is_registered(), leads_nowhere()),
        expect=PASS,
    ),
    Case(
        name="fail: no target is registered, and which should be cannot be read",
        changes=(nothing_is_registered(), unread("target_groups")),
        expect=fail(_EMPTY, command=_LOOK),
    ),
    Case(
        name="unknown: no target shows yet of those that were registered just now",
        changes=(nothing_is_registered(), settling("10.0.2.10:443")),
        expect=unknown(""),
    ),
    Case(
        name="unknown: the endpoint is still being made, and the group is empty",
        changes=(nothing_is_wanted(), nothing_is_registered(), preparing()),
        expect=unknown(""),
    ),
    Case(
        name="fail: the endpoint is still being made, and no registered target is healthy",
        changes=(preparing(), _ALL_UNHEALTHY),
        expect=fail(_NONE_OF_3, command=_mend(443)),
    ),
    Case(
        name="fail: no target shows when the wait is over",
        changes=(nothing_is_registered(), settling("10.0.2.10:443"), overdue()),
        expect=fail(_EMPTY, command=lines(_REGISTER_ALL, _LOOK)),
    ),
    Case(
        name="pass: no listener uses the target group",
        changes=(set_targets(state="unused", reason="Target.NotInUse"),),
        expect=PASS,
    ),
    Case(
        name="fail: one target's zone is not enabled, and the others are unhealthy",
        changes=(_ALL_UNHEALTHY, set_target("10.0.2.10", state="unused", reason="Target.NotInUse")),
        expect=fail(
            _NONE_OF_3.replace(f"10.0.2.10:443 is unhealthy ({_FAILED})", "10.0.2.10:443 is unused (Target.NotInUse)"),
            command=_mend(443),
        ),
    ),
    Case(
        name="unknown: the load balancer does not tell the health of a target",
        changes=(_ALL_UNHEALTHY, set_target("10.0.2.10", state="unavailable", reason="Elb.InternalError")),
        expect=unknown("the load balancer cannot tell: 10.0.2.10:443 is unavailable (Elb.InternalError)"),
    ),
    Case(
        name="pass: the health of one target is not told, and another is healthy",
        changes=(set_target("10.0.2.10", state="unavailable", reason="Elb.InternalError"),),
        expect=PASS,
    ),
    Case(
        name="unknown: the targets cannot be read",
        changes=(unread("target_health"),),
        expect=unknown("elasticloadbalancing:DescribeTargetHealth failed (UnauthorizedOperation)"),
    ),
)
