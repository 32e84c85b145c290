from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines, to_another_endpoint
from tests.cases._healthy import unread
from tests.cases._healthy_path import ENDPOINT_ID, INGRESS_ARN, set_ingress, set_the_endpoint

_LOOK = f"aws ec2 describe-vpc-endpoints --region us-east-1 --vpc-endpoint-ids {ENDPOINT_ID}"
_SUBNETS, _GROUPS = "subnet-private-1 subnet-private-2 subnet-private-4", "sg-endpoint"


def _update(vpc_id: str = "vpc-1", endpoint_id: str = "VPC_ENDPOINT_ID") -> str:
    return (
        f"aws apprunner update-vpc-ingress-connection --region us-east-1 --vpc-ingress-connection-arn {INGRESS_ARN}"
        f" --ingress-vpc-configuration VpcId={vpc_id},VpcEndpointId={endpoint_id}"
    )


def _is(state: str) -> str:
    return f"endpoint {ENDPOINT_ID} is not available: it is {state}"


_ELSEWHERE = f"endpoint {ENDPOINT_ID} is in vpc-2, not in vpc-1 as the ingress connection says"

CASES = (
    Case(name="pass: the endpoint is available, in the VPC that is said", expect=PASS),
    Case(
        name="fail: there is no such endpoint",
        changes=(set_ingress(endpoint=None),),
        expect=fail(
            f"endpoint {ENDPOINT_ID} is not available: it does not exist",
            command=lines(to_another_endpoint("PRIVATE_SUBNET_IDS", "SECURITY_GROUP_ID"), _update()),
        ),
    ),
    Case(
        name="fail: there is no such endpoint, and the ingress connection is still being made",
        changes=(set_ingress(endpoint=None, status="PENDING_CREATION"),),
        expect=fail(
            f"endpoint {ENDPOINT_ID} is not available: it does not exist",
            command=lines(
                to_another_endpoint("PRIVATE_SUBNET_IDS", "SECURITY_GROUP_ID"),
                "# once it is no longer PENDING_CREATION:",
                _update(),
            ),
        ),
    ),
    Case(
        name="fail: the endpoint is in another VPC",
        changes=(set_the_endpoint(vpc_id="vpc-2"),),
        expect=fail(_ELSEWHERE, command=_update("vpc-2", ENDPOINT_ID)),
    ),
    *(
        Case(
            name=f"fail: the endpoint is {state} and will not come back",
            changes=(set_the_endpoint(state=state),),
            expect=fail(_is(state), command=lines(to_another_endpoint(_SUBNETS, _GROUPS), _update())),
        )
        for state in ("deleted", "deleting", "expired", "failed", "rejected")
    ),
    *(
        Case(
            name=f"fail: the endpoint is {state} though the ingress connection is available",
            changes=(set_the_endpoint(state=state),),
            expect=fail(_is(state), command=_LOOK),
        )
        for state in ("partial", "pending", "pendingacceptance")
    ),
    Case(
        name="fail: the endpoint is pending though the ingress connection has failed",
        changes=(set_the_endpoint(state="pending"), set_ingress(status="FAILED_CREATION")),
        expect=fail(_is("pending"), command=_LOOK),
    ),
    Case(
        name="fail: the endpoint is pending, and in another VPC",
        changes=(set_the_endpoint(state="pending", vpc_id="vpc-2"),),
        expect=fail(_ELSEWHERE, _is("pending"), command=lines(_LOOK, _update("vpc-2", ENDPOINT_ID))),
    ),
    Case(
        name="fail: all is still being made, and the endpoint in another VPC",
        changes=(set_the_endpoint(state="pending", vpc_id="vpc-2"), set_ingress(status="PENDING_CREATION")),
        expect=fail(
            _ELSEWHERE,
            command=lines(_LOOK, "# once it is no longer PENDING_CREATION:", _update("vpc-2", ENDPOINT_ID)),
        ),
    ),
    Case(
        name="fail: the endpoint is being deleted while the ingress connection is updated",
        changes=(set_the_endpoint(state="deleting"), set_ingress(status="PENDING_UPDATE")),
        expect=fail(
            _is("deleting"),
            command=lines(to_another_endpoint(_SUBNETS, _GROUPS), "# once it is no longer PENDING_UPDATE:", _update()),
        ),
    ),
    *(
        Case(
            name=f"unknown: the endpoint is {state} and so is the ingress connection",
            changes=(set_the_endpoint(state=state), set_ingress(status="PENDING_CREATION")),
            expect=unknown(""),
        )
        for state in ("pending", "pendingacceptance")
    ),
    Case(
        name="unknown: the ingress connection is being deleted, and the endpoint is gone",
        changes=(set_ingress(endpoint=None, status="PENDING_DELETION"),),
        expect=unknown(""),
    ),
    Case(
        name="unknown: the endpoint cannot be read",
        changes=(unread("ingress_endpoints"),),
        expect=unknown("ec2:DescribeVpcEndpoints failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the ingress connection cannot be read",
        changes=(unread("ingress_connections"),),
        expect=unknown("apprunner:DescribeVpcIngressConnection failed (UnauthorizedOperation)"),
    ),
)
