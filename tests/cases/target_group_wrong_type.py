from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import instead_of_target_group
from tests.cases._healthy import unread
from tests.cases._healthy_path import ENDPOINT_ID, set_path_group, set_the_group

_OTHER = "vpce-0f9e8d7c6b5a43210"
_TAG = "Key=apprunner-guardrails:endpoint,Value"
_ANEW = instead_of_target_group(f"{_TAG}={ENDPOINT_ID}")


def _protocol(protocol: str) -> str:
    return f"target group orders has protocol {protocol}: what is for an endpoint has to get there untouched, by TCP"


CASES = (
    Case(name="pass: type ip, protocol TCP and port 443", expect=PASS),
    Case(
        name="fail: its targets are instances",
        changes=(set_the_group(target_type="instance"),),
        expect=fail("target group orders is of type instance: an endpoint's addresses need type ip", command=_ANEW),
    ),
    Case(
        name="fail: its target is an application load balancer",
        changes=(set_the_group(target_type="alb"),),
        expect=fail("target group orders is of type alb: an endpoint's addresses need type ip", command=_ANEW),
    ),
    Case(
        name="fail: it is for a function, so it has neither protocol nor port nor VPC",
        changes=(set_the_group(target_type="lambda", protocol="", port=0, vpc_id=""),),
        expect=fail(
            "target group orders is of type lambda: an endpoint's addresses need type ip",
            command=_ANEW.replace("--vpc-id vpc-1", "--vpc-id VPC_ID"),
        ),
    ),
    *(
        Case(
            name=f"fail: it takes {protocol}",
            changes=(set_the_group(protocol=protocol),),
            expect=fail(_protocol(protocol), command=_ANEW),
        )
        for protocol in ("HTTPS", "QUIC", "TCP_UDP", "TLS", "UDP")
    ),
    Case(
        name="fail: it has another port",
        changes=(set_the_group(port=8443),),
        expect=fail("target group orders has port 8443: endpoints listen on 443", command=_ANEW),
    ),
    Case(
        name="fail: all is wrong, before two endpoints and with a name as long as can be",
        changes=(
            set_the_group(target_type="instance", protocol="HTTP", port=80, name="o" * 32),
            set_path_group(endpoint_ids=(_OTHER, ENDPOINT_ID)),
        ),
        expect=fail(
            *(
                f"target group {'o' * 32} has port 80: endpoints listen on 443",
                _protocol("HTTP").replace("orders", "o" * 32),
                f"target group {'o' * 32} is of type instance: an endpoint's addresses need type ip",
            ),
            command=instead_of_target_group(f"'{_TAG}={ENDPOINT_ID} {_OTHER}'", "o" * 29 + "-v2"),
        ),
    ),
    Case(
        name="fail: the endpoint is not known",
        changes=(set_the_group(port=80), set_path_group(endpoint_ids=())),
        expect=fail(
            "target group orders has port 80: endpoints listen on 443",
            command=instead_of_target_group(f"{_TAG}=VPC_ENDPOINT_ID"),
        ),
    ),
    Case(
        name="unknown: the target group cannot be read",
        changes=(unread("target_groups"),),
        expect=unknown("elasticloadbalancing:DescribeTargetGroups failed (UnauthorizedOperation)"),
    ),
)
