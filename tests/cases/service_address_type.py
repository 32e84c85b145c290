from tests.cases import PASS, Answer, Case, fail, unknown
from tests.cases._commands import THROUGH_ORDERS, set_network
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import set_service


def _other(found: str, required: str, public: str = "false") -> Answer:
    return fail(
        f"its IpAddressType is {found}, and {required} is required",
        command=set_network(
            f"{THROUGH_ORDERS},IngressConfiguration={{IsPubliclyAccessible={public}}},IpAddressType={required}"
        ),
    )


CASES = (
    Case(name="pass: either is allowed", changes=(set_service(address_type="DUAL_STACK"),), expect=PASS),
    Case(name="pass: either is allowed, told or not", changes=(set_service(address_type=""),), expect=PASS),
    Case(name="pass: IPv4, as required", changes=(settings_have(required_address_type="IPV4"),), expect=PASS),
    Case(
        name="pass: dual stack, as required",
        changes=(settings_have(required_address_type="DUAL_STACK"), set_service(address_type="DUAL_STACK")),
        expect=PASS,
    ),
    Case(
        name="fail: IPv4 where dual stack is required",
        changes=(settings_have(required_address_type="DUAL_STACK"),),
        expect=_other("IPV4", "DUAL_STACK"),
    ),
    Case(
        name="fail: dual stack where IPv4 is required",
        changes=(settings_have(required_address_type="IPV4"), set_service(address_type="DUAL_STACK", public=True)),
        expect=_other("DUAL_STACK", "IPV4", "true"),
    ),
    Case(
        name="unknown: App Runner does not tell the type",
        changes=(settings_have(required_address_type="IPV4"), set_service(address_type="")),
        expect=unknown("DescribeService does not say which IpAddressType the service has"),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(settings_have(required_address_type="IPV4"), unread("services")),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
