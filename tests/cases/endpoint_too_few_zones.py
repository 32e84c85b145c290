from dataclasses import replace

from apprunner_guardrails.facts import BalancerZone, Unread
from tests.cases import PASS, Case, fail, unknown
from tests.cases._healthy import unread
from tests.cases._healthy_path import (
    BALANCER,
    ENDPOINT_ID,
    set_balancer_before_endpoint,
    set_endpoint,
    set_the_endpoint,
)

_ADD = f"aws ec2 modify-vpc-endpoint --region us-east-1 --vpc-endpoint-id {ENDPOINT_ID} --add-subnet-ids"
_DENIED = Unread(call="elasticloadbalancing:DescribeLoadBalancerAttributes", code="UnauthorizedOperation")


def _few(zones: str, count: int = 1) -> str:
    return f"endpoint {ENDPOINT_ID} is in {count} of at least 2 Availability Zones ({zones})"


def _not_in(zones: str, setting: str = "off", balancer: str = "orders") -> str:
    return (
        f"endpoint {ENDPOINT_ID} is not in {zones}, where load balancer {balancer} has a node;"
        f" cross-zone load balancing of the load balancer: {setting}"
    )


_BILLING = replace(
    BALANCER,
    balancer=replace(
        BALANCER.balancer,
        arn=BALANCER.balancer.arn.replace("/orders/", "/billing/"),
        name="billing",
        vpc_id="vpc-2",
        zones=(BalancerZone(name="us-east-1e", subnet_id="subnet-of-vpc-2"),),
    ),
    zone_ids={"us-east-1e": "use1-az6"},
    crosses_zones=True,
)
_BESIDE = replace(
    BALANCER,
    balancer=replace(
        BALANCER.balancer,
        arn=BALANCER.balancer.arn.replace("/orders/", "/beside/"),
        name="beside",
        zones=(BalancerZone(name="us-east-1a", subnet_id="subnet-beside-4"),),
    ),
    zone_ids={"us-east-1a": "use1-az4"},
)

CASES = (
    Case(name="pass: the endpoint is in the load balancer's zones", expect=PASS),
    Case(
        name="pass: two zones, and no load balancer before it",
        changes=(set_endpoint(zone_ids=("use1-az1", "use1-az2"), balancers=()),),
        expect=PASS,
    ),
    Case(
        name="pass: the endpoint is in more zones than the load balancer",
        changes=(set_endpoint(zone_ids=("use1-az1", "use1-az2", "use1-az4", "use1-az6")),),
        expect=PASS,
    ),
    Case(
        name="pass: the load balancer tells zones by other names than another account would",
        changes=(
            set_balancer_before_endpoint(
                zone_ids={"us-east-1a": "use1-az1", "us-east-1b": "use1-az4", "us-east-1d": "use1-az2"}
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: two subnets in one zone, and no load balancer before it",
        changes=(set_endpoint(zone_ids=("use1-az1", "use1-az1"), balancers=()),),
        expect=fail(_few("use1-az1"), command=f"{_ADD} SUBNET_ID_IN_ANOTHER_ZONE"),
    ),
    Case(
        name="fail: no subnet at all",
        changes=(set_endpoint(zone_ids=(), balancers=()),),
        expect=fail(_few("none", 0), command=f"{_ADD} SUBNET_ID_IN_ANOTHER_ZONE"),
    ),
    Case(
        name="fail: the load balancer has a node in a zone that the endpoint is not in",
        changes=(set_endpoint(zone_ids=("use1-az1", "use1-az2")),),
        expect=fail(_not_in("use1-az4"), command=f"{_ADD} subnet-private-4"),
    ),
    Case(
        name="fail: the same, though traffic may cross zones",
        changes=(set_endpoint(zone_ids=("use1-az1", "use1-az2")), set_balancer_before_endpoint(crosses_zones=True)),
        expect=fail(_not_in("use1-az4", "on"), command=f"{_ADD} subnet-private-4"),
    ),
    Case(
        name="fail: the same, and whether traffic may cross zones cannot be read",
        changes=(set_endpoint(zone_ids=("use1-az1", "use1-az2")), unread("load_balancer_attributes")),
        expect=fail(
            _not_in("use1-az4", "not known"),
            command=f"{_ADD} subnet-private-4",
            unread="elasticloadbalancing:DescribeLoadBalancerAttributes failed (UnauthorizedOperation)",
        ),
    ),
    Case(
        name="fail: one zone before a load balancer with three",
        changes=(set_endpoint(zone_ids=("use1-az2",)),),
        expect=fail(
            _few("use1-az2"), _not_in("use1-az1, use1-az4"), command=f"{_ADD} subnet-private-1 subnet-private-4"
        ),
    ),
    Case(
        name="fail: three load balancers, one in another VPC, two with a subnet in the same zone",
        changes=(set_endpoint(zone_ids=("use1-az1", "use1-az2"), balancers=(BALANCER, _BILLING, _BESIDE)),),
        expect=fail(
            _not_in("use1-az4", balancer="beside"),
            _not_in("use1-az4"),
            _not_in("use1-az6", "on", "billing"),
            command=f"{_ADD} subnet-beside-4 SUBNET_ID_IN_USE1_AZ6",
        ),
    ),
    Case(
        name="fail: one of two load balancers cannot tell whether traffic may cross zones, the other its zones",
        changes=(
            set_endpoint(
                zone_ids=("use1-az1", "use1-az2"),
                balancers=(
                    replace(BALANCER, crosses_zones=_DENIED),
                    replace(_BILLING, zone_ids=Unread(call="ec2:DescribeSubnets", code="Throttling")),
                ),
            ),
        ),
        expect=fail(
            _not_in("use1-az4", "not known"),
            command=f"{_ADD} subnet-private-4",
            unread="ec2:DescribeSubnets failed (Throttling);"
            " elasticloadbalancing:DescribeLoadBalancerAttributes failed (UnauthorizedOperation)",
        ),
    ),
    Case(
        name="fail: one zone, and load balancers cannot be read",
        changes=(
            set_endpoint(
                zone_ids=("use1-az2",),
                balancers=Unread(call="elasticloadbalancing:DescribeLoadBalancers", code="Throttling"),
            ),
        ),
        expect=fail(
            _few("use1-az2"),
            command=f"{_ADD} SUBNET_ID_IN_ANOTHER_ZONE",
            unread="elasticloadbalancing:DescribeLoadBalancers failed (Throttling)",
        ),
    ),
    Case(
        name="pass: whether traffic may cross zones cannot be read, and need not",
        changes=(unread("load_balancer_attributes"),),
        expect=PASS,
    ),
    Case(
        name="unknown: the endpoint is the control plane's, which AR502 tells",
        changes=(set_endpoint(zone_ids=("use1-az1",)), set_the_endpoint(service="com.amazonaws.us-east-1.apprunner")),
        expect=unknown(""),
    ),
    Case(
        name="unknown: the endpoint is being deleted",
        changes=(set_endpoint(zone_ids=()), set_the_endpoint(state="deleting")),
        expect=unknown(""),
    ),
    Case(
        name="unknown: load balancers cannot be read",
        changes=(unread("load_balancers"),),
        expect=unknown("elasticloadbalancing:DescribeLoadBalancers failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: subnets cannot be read",
        changes=(unread("path_subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the endpoint cannot be read",
        changes=(unread("ingress_endpoints"),),
        expect=unknown("ec2:DescribeVpcEndpoints failed (UnauthorizedOperation)"),
    ),
)
