from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines, to_another_endpoint
from tests.cases._healthy import unread
from tests.cases._healthy_path import ENDPOINT_ID, INGRESS_ARN, SERVICE_ARN, set_ingress, set_the_endpoint

_CONTROL = "com.amazonaws.us-east-1.apprunner"
_REQUESTS = f"{_CONTROL}.requests"
_MIX_UP = (
    f"endpoint {ENDPOINT_ID} is for {_CONTROL} (App Runner's control plane): private services are asked by {_REQUESTS}"
    " alone"
)
_UPDATE = (
    f"aws apprunner update-vpc-ingress-connection --region us-east-1 --vpc-ingress-connection-arn {INGRESS_ARN}"
    " --ingress-vpc-configuration VpcId=vpc-1,VpcEndpointId=VPC_ENDPOINT_ID"
)
_ANOTHER = to_another_endpoint("subnet-private-1 subnet-private-2 subnet-private-4", "sg-endpoint")

CASES = (
    Case(name="pass: the endpoint is for private services", expect=PASS),
    Case(
        name="fail: the endpoint is the control plane's",
        changes=(set_the_endpoint(service=_CONTROL),),
        expect=fail(_MIX_UP, command=lines(_ANOTHER, _UPDATE)),
    ),
    Case(
        name="fail: the endpoint is for private services of another Region",
        changes=(set_the_endpoint(service="com.amazonaws.eu-west-1.apprunner.requests"),),
        expect=fail(
            f"endpoint {ENDPOINT_ID} is for com.amazonaws.eu-west-1.apprunner.requests: private services are asked by"
            f" {_REQUESTS} alone",
            command=lines(_ANOTHER, _UPDATE),
        ),
    ),
    Case(
        name="fail: the endpoint is for a service of a name that ends alike, and in another VPC",
        changes=(set_the_endpoint(service="com.amazonaws.vpce.us-east-1.my-apprunner.requests", vpc_id="vpc-2"),),
        expect=fail(
            f"endpoint {ENDPOINT_ID} is for com.amazonaws.vpce.us-east-1.my-apprunner.requests: private services are"
            f" asked by {_REQUESTS} alone",
            command=lines(to_another_endpoint("PRIVATE_SUBNET_IDS", "SECURITY_GROUP_ID"), _UPDATE),
        ),
    ),
    Case(
        name="fail: the ingress connection is still being made",
        changes=(set_the_endpoint(service=_CONTROL), set_ingress(status="PENDING_CREATION")),
        expect=fail(_MIX_UP, command=lines(_ANOTHER, "# once it is no longer PENDING_CREATION:", _UPDATE)),
    ),
    Case(
        name="fail: the ingress connection could not be deleted, so it cannot be updated",
        changes=(set_the_endpoint(service=_CONTROL), set_ingress(status="FAILED_DELETION")),
        expect=fail(
            _MIX_UP,
            command=lines(
                _ANOTHER,
                "# from FAILED_DELETION it can only be deleted; another one has another domain name",
                "aws apprunner delete-vpc-ingress-connection --region us-east-1"
                f" --vpc-ingress-connection-arn {INGRESS_ARN}",
                f"aws apprunner create-vpc-ingress-connection --region us-east-1 --service-arn {SERVICE_ARN}"
                " --vpc-ingress-connection-name orders"
                " --ingress-vpc-configuration VpcId=vpc-1,VpcEndpointId=VPC_ENDPOINT_ID",
            ),
        ),
    ),
    Case(name="pass: the endpoint is gone, which AR503 tells", changes=(set_ingress(endpoint=None),), expect=PASS),
    Case(
        name="unknown: the ingress connection is being deleted",
        changes=(set_the_endpoint(service=_CONTROL), set_ingress(status="PENDING_DELETION")),
        expect=unknown(""),
    ),
    Case(
        name="unknown: the ingress connection is deleted",
        changes=(set_ingress(status="DELETED"),),
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
