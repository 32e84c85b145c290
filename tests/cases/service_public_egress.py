from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import set_network
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import set_service

_REQUIRED = settings_have(require_vpc_egress=True)
_PUBLIC = "its outbound traffic goes to the public internet (EgressType DEFAULT), and a VPC connector is required"
_THROUGH = "EgressConfiguration={EgressType=VPC,VpcConnectorArn=VPC_CONNECTOR_ARN}"

CASES = (
    Case(name="pass: public egress, and nothing is required", changes=(set_service(connector_arn=""),), expect=PASS),
    Case(name="pass: through a VPC connector, as required", changes=(_REQUIRED,), expect=PASS),
    Case(
        name="fail: public egress where a VPC connector is required",
        changes=(_REQUIRED, set_service(connector_arn="", connector=None)),
        expect=fail(
            _PUBLIC,
            command=set_network(f"{_THROUGH},IngressConfiguration={{IsPubliclyAccessible=false}},IpAddressType=IPV4"),
        ),
    ),
    Case(
        name="fail: the command leaves a public service public, and its address type alone where that is not told",
        changes=(_REQUIRED, set_service(connector_arn="", connector=None, public=True, address_type="")),
        expect=fail(_PUBLIC, command=set_network(f"{_THROUGH},IngressConfiguration={{IsPubliclyAccessible=true}}")),
    ),
    Case(
        name="fail: a paused service too",
        changes=(_REQUIRED, set_service(connector_arn="", connector=None, status="PAUSED")),
        expect=fail(
            _PUBLIC,
            command=set_network(f"{_THROUGH},IngressConfiguration={{IsPubliclyAccessible=false}},IpAddressType=IPV4"),
        ),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(_REQUIRED, unread("services")),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
