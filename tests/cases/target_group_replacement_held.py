from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines, targets
from tests.cases._healthy import binding_is_broken, held, overdue, target, unread

_WHY = "no wanted target in us-east-1b is healthy yet"
_ONE = held(target("10.0.9.9", "us-east-1b"), _WHY)
_TWO = held(target("10.1.0.7", "all"), "none of 3 wanted targets is healthy yet")
_NOTE = "# to let go all the same, once you accept that the zone is left without a target:"

CASES = (
    Case(name="pass: nothing is held", expect=PASS),
    Case(name="pass: nothing is held, and something else takes long", changes=(overdue(),), expect=PASS),
    Case(name="pass: a target is held, not yet for long", changes=(_ONE,), expect=PASS),
    Case(
        name="fail: a target is held for longer than it may",
        changes=(_ONE, overdue()),
        expect=fail(
            f"10.0.9.9:443 stays registered: {_WHY}",
            command=lines(
                targets("describe-target-health"),
                _NOTE,
                f"# {targets('deregister-targets', 'Id=10.0.9.9,Port=443')}",
            ),
        ),
    ),
    Case(
        name="fail: two targets are held, one of them outside of the VPC",
        changes=(_TWO, _ONE, overdue()),
        expect=fail(
            f"10.0.9.9:443 stays registered: {_WHY}",
            "10.1.0.7:443 stays registered: none of 3 wanted targets is healthy yet",
            command=lines(
                targets("describe-target-health"),
                _NOTE,
                "# "
                + targets("deregister-targets", "Id=10.0.9.9,Port=443", "Id=10.1.0.7,Port=443,AvailabilityZone=all"),
            ),
        ),
    ),
    Case(
        name="unknown: the binding is broken",
        changes=(binding_is_broken("vpce-0a1b2c3d4e5f60718 is deleting"),),
        expect=unknown(""),
    ),
    Case(
        name="unknown: the targets cannot be read",
        changes=(unread("target_health"),),
        expect=unknown("elasticloadbalancing:DescribeTargetHealth failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the endpoints cannot be read, and so not what takes whose place",
        changes=(unread("bound_endpoints"),),
        expect=unknown("ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"),
    ),
)
