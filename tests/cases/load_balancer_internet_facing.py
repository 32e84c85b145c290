from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import another_target_group, lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import set_the_balancer

_MESSAGE = (
    "load balancer orders (orders-50dc6c495c0c9188.elb.us-east-1.amazonaws.com) is internet-facing and leads to private"
    " services"
)


def _anew(groups: str) -> str:
    return lines(
        "# the scheme stays as it was made, and a target group has one load balancer: make both anew",
        "aws elbv2 create-load-balancer --region us-east-1 --name orders-v2 --type network --scheme internal"
        f" --subnets PRIVATE_SUBNET_IDS{groups}",
        another_target_group("Key=apprunner-guardrails:endpoint,Value=VPC_ENDPOINT_ID"),
        "aws elbv2 create-listener --region us-east-1 --load-balancer-arn NEW_LOAD_BALANCER_ARN --protocol TCP"
        " --port 443 --default-actions Type=forward,TargetGroupArn=NEW_TARGET_GROUP_ARN",
        "# then lead its clients there: the VPC link of a REST API cannot be changed, only replaced",
    )


CASES = (
    Case(name="pass: the load balancer is internal", expect=PASS),
    Case(
        name="fail: the load balancer is internet-facing",
        changes=(set_the_balancer(internal=False, group_ids=("sg-b", "sg-a")),),
        expect=fail(_MESSAGE, command=_anew(" --security-groups sg-a sg-b")),
    ),
    Case(
        name="fail: it has no security group either",
        changes=(set_the_balancer(internal=False, group_ids=()),),
        expect=fail(_MESSAGE, command=_anew("")),
    ),
    Case(
        name="fail: nothing else of it can be read",
        changes=(
            set_the_balancer(internal=False),
            unread("listeners", "path_groups", "target_groups", "target_health", "vpc_links"),
        ),
        expect=fail(_MESSAGE, command=_anew(" --security-groups sg-balancer")),
    ),
    Case(
        name="unknown: the load balancer cannot be read",
        changes=(unread("load_balancers"),),
        expect=unknown("elasticloadbalancing:DescribeLoadBalancers failed (UnauthorizedOperation)"),
    ),
)
