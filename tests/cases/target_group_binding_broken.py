from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import GROUP_ARN, binding_is_broken, binding_is_doubtful, unread

_REBIND = lines(
    "aws ec2 describe-vpc-endpoints --region us-east-1"
    " --filters Name=service-name,Values=com.amazonaws.us-east-1.apprunner.requests",
    f"aws elbv2 add-tags --region us-east-1 --resource-arns {GROUP_ARN}"
    " --tags Key=apprunner-guardrails:endpoint,Value=ENDPOINT_IDS",
    "# or end the binding: then nobody looks after the targets any more",
    f"# aws elbv2 remove-tags --region us-east-1 --resource-arns {GROUP_ARN} --tag-keys apprunner-guardrails:endpoint",
)

CASES = (
    Case(name="pass: the tag names an endpoint that is available", expect=PASS),
    Case(
        name="fail: the endpoint does not exist",
        changes=(binding_is_broken("vpce-0a1b2c3d4e5f60718 does not exist"),),
        expect=fail("vpce-0a1b2c3d4e5f60718 does not exist", command=_REBIND),
    ),
    Case(
        name="fail: two endpoints are of other services",
        changes=(
            binding_is_broken(
                "vpce-0f9e8d7c6b5a43210 is an endpoint of com.amazonaws.us-east-1.sqs",
                "vpce-0a1b2c3d4e5f60718 is an endpoint of com.amazonaws.us-east-1.apprunner",
            ),
        ),
        expect=fail(
            "vpce-0a1b2c3d4e5f60718 is an endpoint of com.amazonaws.us-east-1.apprunner",
            "vpce-0f9e8d7c6b5a43210 is an endpoint of com.amazonaws.us-east-1.sqs",
            command=_REBIND,
        ),
    ),
    Case(
        name="fail: the fault leaves no doubt about what is wanted",
        changes=(binding_is_doubtful("vpce-0f9e8d7c6b5a43210 does not exist"),),
        expect=fail("vpce-0f9e8d7c6b5a43210 does not exist", command=_REBIND),
    ),
    Case(
        name="unknown: the endpoints cannot be read",
        changes=(unread("bound_endpoints"),),
        expect=unknown("ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: which VPCs are connected cannot be read",
        changes=(unread("vpc_connections"),),
        expect=unknown("ec2:DescribeTransitGatewayVpcAttachments failed (UnauthorizedOperation)"),
    ),
)
