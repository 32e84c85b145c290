from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import instead_of_target_group, targets
from tests.cases._healthy import unread
from tests.cases._healthy_path import ENDPOINT_ID, set_path_group, set_the_group

_OTHER = "vpce-0f9e8d7c6b5a43210"
_OFF = targets("modify-target-group-attributes") + " --attributes Key=preserve_client_ip.enabled,Value=false"


def _message(endpoints: str = ENDPOINT_ID) -> str:
    return (
        f"target group orders preserves client IP addresses: the network interfaces of {endpoints} lose all traffic by"
        " that"
    )


CASES = (
    Case(name="pass: it is off", expect=PASS),
    Case(
        name="fail: it is on",
        changes=(set_path_group(preserves_client_ip=True),),
        expect=fail(_message(), command=_OFF),
    ),
    Case(
        name="fail: it is on, though no target is registered yet",
        changes=(set_path_group(preserves_client_ip=True, targets=()),),
        expect=fail(_message(), command=_OFF),
    ),
    Case(
        name="fail: it is on before two endpoints, of a group that ends in TLS",
        changes=(
            set_path_group(preserves_client_ip=True, endpoint_ids=(_OTHER, ENDPOINT_ID)),
            set_the_group(protocol="TLS"),
        ),
        expect=fail(_message(f"{ENDPOINT_ID}, {_OTHER}"), command=_OFF),
    ),
    Case(
        name="fail: it is on and cannot be off, for the group takes UDP too",
        changes=(set_path_group(preserves_client_ip=True), set_the_group(protocol="TCP_UDP")),
        expect=fail(
            _message(), command=instead_of_target_group(f"Key=apprunner-guardrails:endpoint,Value={ENDPOINT_ID}")
        ),
    ),
    Case(
        name="fail: it is on, and the targets cannot be read",
        changes=(set_path_group(preserves_client_ip=True), unread("target_health")),
        expect=fail(_message(), command=_OFF),
    ),
    Case(
        name="pass: it is on, and no endpoint is behind the group",
        changes=(set_path_group(preserves_client_ip=True, endpoint_ids=()),),
        expect=PASS,
    ),
    Case(
        name="pass: the attributes cannot be read, and no endpoint is behind the group",
        changes=(set_path_group(endpoint_ids=()), unread("target_group_attributes")),
        expect=PASS,
    ),
    Case(
        name="unknown: the attributes cannot be read",
        changes=(unread("target_group_attributes"),),
        expect=unknown("elasticloadbalancing:DescribeTargetGroupAttributes failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the target group cannot be read",
        changes=(unread("target_groups"),),
        expect=unknown("elasticloadbalancing:DescribeTargetGroups failed (UnauthorizedOperation)"),
    ),
)
