from apprunner_guardrails.facts import Wanted
from apprunner_guardrails.settings import Policy
from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines, targets
from tests.cases._healthy import (
    binding_is_broken,
    binding_is_doubtful,
    held,
    no_longer_wanted,
    not_registered,
    nothing_is_registered,
    nothing_is_wanted,
    overdue,
    refused_by_aws,
    register,
    set_target,
    set_targets,
    settings_have,
    settling,
    target,
    unread,
    want,
)

_STALE = target("10.0.9.9", "us-east-1b", "unhealthy", "Target.FailedHealthChecks")
_OUTSIDE = Wanted(address="10.1.0.7", port=443, zone="us-east-1c", outside=True)
_REGISTER_2 = targets("register-targets", "Id=10.0.2.10,Port=443")
_DEREGISTER = targets("deregister-targets", "Id=10.0.9.9,Port=443")
_MISSING_2 = "wanted for vpce-0a1b2c3d4e5f60718 and not registered (1 of 3): 10.0.2.10:443 (us-east-1b)"
_SURPLUS = "registered and not wanted (1 of 4): 10.0.9.9:443"

CASES = (
    Case(name="pass: what is registered is what is wanted", expect=PASS),
    Case(
        name="fail: an address is not registered, and one is that the endpoint no longer has",
        changes=(not_registered("10.0.2.10"), register(_STALE)),
        expect=fail(
            "registered and not wanted (1 of 3): 10.0.9.9:443",
            _MISSING_2,
            command=lines(_REGISTER_2, "# once these are healthy:", _DEREGISTER),
        ),
    ),
    Case(
        name="fail: nothing is registered, and one address is outside of the VPC",
        changes=(nothing_is_registered(), want(_OUTSIDE)),
        expect=fail(
            "wanted for vpce-0a1b2c3d4e5f60718 and not registered (4 of 4): 10.0.1.10:443 (us-east-1d),"
            " 10.0.2.10:443 (us-east-1b), 10.0.4.10:443 (us-east-1a), 10.1.0.7:443 (us-east-1c)",
            command=targets(
                "register-targets",
                "Id=10.0.1.10,Port=443",
                "Id=10.0.2.10,Port=443",
                "Id=10.0.4.10,Port=443",
                "Id=10.1.0.7,Port=443,AvailabilityZone=all",
            ),
        ),
    ),
    Case(
        name="fail: the endpoint has left a zone, and both of an outside endpoint's addresses are still there",
        changes=(
            no_longer_wanted("10.0.4.10"),
            register(target("10.1.0.8", "all"), target("10.1.0.7", "all")),
        ),
        expect=fail(
            "registered and not wanted (3 of 5): 10.0.4.10:443, 10.1.0.7:443, 10.1.0.8:443",
            command=targets(
                "deregister-targets",
                "Id=10.0.4.10,Port=443",
                "Id=10.1.0.7,Port=443,AvailabilityZone=all",
                "Id=10.1.0.8,Port=443,AvailabilityZone=all",
            ),
        ),
    ),
    Case(
        name="fail: an address is registered on another port",
        changes=(not_registered("10.0.2.10"), register(target("10.0.2.10", "us-east-1b", port=8443))),
        expect=fail(
            "registered and not wanted (1 of 3): 10.0.2.10:8443",
            _MISSING_2,
            command=lines(
                _REGISTER_2,
                "# once these are healthy:",
                targets("deregister-targets", "Id=10.0.2.10,Port=8443"),
            ),
        ),
    ),
    Case(
        name="fail: more targets than one command has room for",
        changes=(register(*(target(f"10.0.8.{number}", "us-east-1b") for number in range(10, 51))),),
        expect=fail(
            "registered and not wanted (41 of 44): " + ", ".join(f"10.0.8.{number}:443" for number in range(10, 51)),
            command=lines(
                targets("deregister-targets", *(f"Id=10.0.8.{number},Port=443" for number in range(10, 50))),
                targets("deregister-targets", "Id=10.0.8.50,Port=443"),
            ),
        ),
    ),
    Case(
        name="fail: policy register-only keeps the function from deregistering",
        changes=(not_registered("10.0.2.10"), register(_STALE), settings_have(sync_policy=Policy.REGISTER_ONLY)),
        expect=fail(
            "registered and not wanted (1 of 3): 10.0.9.9:443;"
            " policy register-only keeps the function from deregistering them",
            _MISSING_2,
            command=lines(_REGISTER_2, "# once these are healthy:", _DEREGISTER),
        ),
    ),
    Case(
        name="fail: policy report-only keeps the function from both",
        changes=(not_registered("10.0.2.10"), register(_STALE), settings_have(sync_policy=Policy.REPORT_ONLY)),
        expect=fail(
            "registered and not wanted (1 of 3): 10.0.9.9:443;"
            " policy report-only keeps the function from deregistering them",
            f"{_MISSING_2}; policy report-only keeps the function from registering them",
            command=lines(_REGISTER_2, "# once these are healthy:", _DEREGISTER),
        ),
    ),
    Case(
        name="pass: what was registered does not show among the targets yet",
        changes=(not_registered("10.0.2.10"), settling("10.0.2.10:443")),
        expect=PASS,
    ),
    Case(
        name="fail: AWS refuses what the quota of targets has no room for",
        changes=(
            not_registered("10.0.2.10"),
            refused_by_aws("elasticloadbalancing:RegisterTargets failed (TooManyTargets)"),
        ),
        expect=fail(
            f"{_MISSING_2}; elasticloadbalancing:RegisterTargets failed (TooManyTargets)",
            command=lines("# at the quota of targets: let it be raised, or make room, first", _REGISTER_2),
        ),
    ),
    Case(
        name="fail: AWS refuses to let a target go",
        changes=(
            register(_STALE),
            refused_by_aws("elasticloadbalancing:DeregisterTargets failed (AccessDenied)"),
        ),
        expect=fail(f"{_SURPLUS}; elasticloadbalancing:DeregisterTargets failed (AccessDenied)", command=_DEREGISTER),
    ),
    Case(
        name="pass: a target is not healthy yet, and others are",
        changes=(set_target("10.0.2.10", state="unhealthy", reason="Target.FailedHealthChecks"),),
        expect=PASS,
    ),
    Case(
        name="fail: a target is not healthy in time, and others are",
        changes=(set_target("10.0.2.10", state="unhealthy", reason="Target.FailedHealthChecks"), overdue()),
        expect=fail(
            "wanted for vpce-0a1b2c3d4e5f60718 and still not healthy (1 of 3): 10.0.2.10:443;"
            " unhealthy Target.FailedHealthChecks",
            command=targets("describe-target-health"),
        ),
    ),
    Case(
        name="pass: no target is healthy in time, which is told as that",
        changes=(set_targets(state="unhealthy", reason="Target.FailedHealthChecks"), overdue()),
        expect=PASS,
    ),
    Case(
        name="fail: what was registered still does not show when the wait is over",
        changes=(not_registered("10.0.2.10"), settling("10.0.2.10:443"), overdue()),
        expect=fail(_MISSING_2, command=_REGISTER_2),
    ),
    Case(
        name="fail: another address than the missing one was registered just now",
        changes=(not_registered("10.0.2.10"), settling("10.0.1.10:443")),
        expect=fail(_MISSING_2, command=_REGISTER_2),
    ),
    Case(
        name="pass: what is no longer wanted is held, however long",
        changes=(held(_STALE, "no wanted target in us-east-1b is healthy yet"), overdue()),
        expect=PASS,
    ),
    Case(
        name="fail: of two that are not wanted one is held",
        changes=(
            held(target("10.0.9.8", "us-east-1b"), "no wanted target in us-east-1b is healthy yet"),
            register(_STALE),
        ),
        expect=fail("registered and not wanted (1 of 5): 10.0.9.9:443", command=_DEREGISTER),
    ),
    Case(
        name="fail: the endpoint is deleted and its targets are left",
        changes=(nothing_is_wanted(), not_registered("10.0.1.10", "10.0.2.10")),
        expect=fail(
            "registered and not wanted (1 of 1): 10.0.4.10:443",
            command=targets("deregister-targets", "Id=10.0.4.10,Port=443"),
        ),
    ),
    Case(
        name="pass: the binding is broken, and the group has no targets",
        changes=(binding_is_broken("vpce-0a1b2c3d4e5f60718 is rejected"), nothing_is_registered()),
        expect=PASS,
    ),
    Case(
        name="unknown: the binding is broken, so that nothing is known to be wanted",
        changes=(binding_is_broken("vpce-0a1b2c3d4e5f60718 is rejected"), register(_STALE)),
        expect=unknown(""),
    ),
    Case(
        name="fail: the binding has a fault that leaves no doubt about what is wanted",
        changes=(binding_is_doubtful("vpce-0f9e8d7c6b5a43210 does not exist"), register(_STALE)),
        expect=fail(_SURPLUS, command=_DEREGISTER),
    ),
    Case(
        name="unknown: the targets cannot be read",
        changes=(unread("target_health"),),
        expect=unknown("elasticloadbalancing:DescribeTargetHealth failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the endpoint cannot be read",
        changes=(unread("bound_endpoints"),),
        expect=unknown("ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: nothing is wanted, and whether the binding holds cannot be read",
        changes=(nothing_is_wanted(), unread("vpc_connections")),
        expect=unknown("ec2:DescribeTransitGatewayVpcAttachments failed (UnauthorizedOperation)"),
    ),
)
