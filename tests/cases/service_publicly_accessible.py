from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import CONNECT_INGRESS, THROUGH_ORDERS, lines, set_network
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import set_service

_REQUIRED = settings_have(require_private_ingress=True)

CASES = (
    Case(name="pass: public, and nothing is required", changes=(set_service(public=True),), expect=PASS),
    Case(name="pass: private, as required", changes=(_REQUIRED,), expect=PASS),
    Case(
        name="pass: private without an ingress connection, which is another rule's",
        changes=(_REQUIRED, set_service(ingress=())),
        expect=PASS,
    ),
    Case(
        name="fail: public where private ingress is required",
        changes=(_REQUIRED, set_service(public=True)),
        expect=fail(
            "it can be reached from the internet (IsPubliclyAccessible true), and private ingress is required",
            command=lines(
                "# from here on nobody reaches it until its VPC ingress connection is available",
                set_network(f"{THROUGH_ORDERS},IngressConfiguration={{IsPubliclyAccessible=false}},IpAddressType=IPV4"),
                "# once that update is over",
                CONNECT_INGRESS,
            ),
        ),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(_REQUIRED, unread("services")),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
