"""The kinds of resources that findings are about, as their ARNs tell them."""

from collections.abc import Mapping

from apprunner_guardrails.light import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceKind:
    """`console` is the console that shows it, `name_at` the part of its ARN, between slashes, that people know it by.

    `over` says why one that was judged is not any more. `security_hub` is its type in the AWS Security Finding Format,
    which is known to have none of App Runner's own, of target groups and of endpoints.
    """

    word: str
    console: str = "apprunner"
    name_at: int = 1
    over: str = "gone"
    security_hub: str = "Other"


_OFF_THE_PATH = "gone or no longer on a private path"
CONNECTOR = ResourceKind(word="VPC connector")
# By what only their ARNs hold: docs.aws.amazon.com/service-authorization/latest/reference/ has their forms by service.
KINDS: Mapping[str, ResourceKind] = {
    ":vpcconnector/": CONNECTOR,
    ":network-interface/": ResourceKind(word="network interface", console="ec2", security_hub="AwsEc2NetworkInterface"),
    ":service/": ResourceKind(word="service"),
    ":vpcingressconnection/": ResourceKind(word="VPC ingress connection"),
    ":vpc-endpoint/": ResourceKind(word="VPC endpoint", console="vpc", over=_OFF_THE_PATH),
    ":targetgroup/": ResourceKind(
        word="target group", console="ec2", over="gone, or no longer bound or on a private path"
    ),
    ":loadbalancer/": ResourceKind(
        word="load balancer", console="ec2", name_at=2, over=_OFF_THE_PATH, security_hub="AwsElbv2LoadBalancer"
    ),
    ":/restapis/": ResourceKind(
        word="API", console="apigateway", name_at=2, over=_OFF_THE_PATH, security_hub="AwsApiGatewayRestApi"
    ),
    ":role/": ResourceKind(word="member role", console="iam", security_hub="AwsIamRole"),
    ":/apis/": ResourceKind(
        word="API", console="apigateway", name_at=2, over=_OFF_THE_PATH, security_hub="AwsApiGatewayV2Api"
    ),
}


def kind_of(arn: str) -> ResourceKind:
    """A VPC connector where it cannot be told: text from outside has no kind."""
    return next((kind for part, kind in KINDS.items() if part in arn), CONNECTOR)


def resource_name(arn: str) -> str:
    """The name, or the id of what has no name in its ARN; the whole ARN where that has no such part."""
    return dict(enumerate(arn.split("/"))).get(kind_of(arn).name_at, arn)
