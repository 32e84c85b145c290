from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import ENDPOINT_ID, INGRESS_ARN, SERVICE_ARN, set_ingress

_ONE = f"--region us-east-1 --vpc-ingress-connection-arn {INGRESS_ARN}"
_WHERE = f"--ingress-vpc-configuration VpcId=vpc-1,VpcEndpointId={ENDPOINT_ID}"
_UPDATE = f"aws apprunner update-vpc-ingress-connection {_ONE} {_WHERE}"
_DELETE = f"aws apprunner delete-vpc-ingress-connection {_ONE}"
_CREATE = (
    f"aws apprunner create-vpc-ingress-connection --region us-east-1 --service-arn {SERVICE_ARN}"
    f" --vpc-ingress-connection-name orders {_WHERE}"
)
_ONCE = "# once AR502 and AR503 pass, or with another endpoint:"


def _message(status: str) -> str:
    return f"ingress connection orders is {status}: it should lead from {ENDPOINT_ID} in vpc-1 to {SERVICE_ARN}"


CASES = (
    Case(name="pass: it is available", expect=PASS),
    Case(name="pass: it is still being made", changes=(set_ingress(status="PENDING_CREATION"),), expect=PASS),
    Case(name="pass: it is being updated", changes=(set_ingress(status="PENDING_UPDATE"),), expect=PASS),
    Case(name="pass: it is being deleted", changes=(set_ingress(status="PENDING_DELETION"),), expect=PASS),
    Case(
        name="fail: it could not be made",
        changes=(set_ingress(status="FAILED_CREATION"),),
        expect=fail(_message("FAILED_CREATION"), command=lines(_ONCE, _UPDATE, "# or anew:", _DELETE, _CREATE)),
    ),
    Case(
        name="fail: it could not be updated",
        changes=(set_ingress(status="FAILED_UPDATE"),),
        expect=fail(_message("FAILED_UPDATE"), command=lines(_ONCE, _UPDATE)),
    ),
    Case(
        name="fail: it could not be deleted, and from there nothing else is allowed",
        changes=(set_ingress(status="FAILED_DELETION"),),
        expect=fail(_message("FAILED_DELETION"), command=_DELETE),
    ),
    Case(
        name="fail: its endpoint cannot be read",
        changes=(set_ingress(status="FAILED_UPDATE"), unread("ingress_endpoints")),
        expect=fail(_message("FAILED_UPDATE"), command=lines(_ONCE, _UPDATE)),
    ),
    Case(
        name="unknown: ingress connections cannot be read",
        changes=(unread("ingress_connections"),),
        expect=unknown("apprunner:DescribeVpcIngressConnection failed (UnauthorizedOperation)"),
    ),
)
