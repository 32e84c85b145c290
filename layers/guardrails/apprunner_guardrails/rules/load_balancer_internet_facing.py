import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, PathBalancer
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._path import HTTPS, NLB_GUIDE, TO_NEW_GROUP, new_target_group, replacement
from apprunner_guardrails.settings import Settings


def check(balancer: PathBalancer, network: Network, settings: Settings) -> Iterator[str]:
    nlb = balancer.balancer
    if not nlb.internal:
        yield f"load balancer {nlb.name} ({nlb.dns_name}) is internet-facing and leads to private services"


def command(balancer: PathBalancer, network: Network, settings: Settings) -> str:
    nlb, region = balancer.balancer, shlex.quote(balancer.balancer.region)
    groups = f" --security-groups {' '.join(map(shlex.quote, sorted(nlb.group_ids)))}" if nlb.group_ids else ""
    return (
        "# the scheme stays as it was made, and a target group has one load balancer: make both anew\n"
        f"aws elbv2 create-load-balancer --region {region} --name {replacement(nlb.name)} --type network"
        f" --scheme internal --subnets PRIVATE_SUBNET_IDS{groups}\n"
        f"{new_target_group(nlb.region, nlb.name, nlb.vpc_id, ())}\n"
        f"aws elbv2 create-listener --region {region} --load-balancer-arn NEW_LOAD_BALANCER_ARN --protocol TCP"
        f" --port {HTTPS} {TO_NEW_GROUP}\n"
        "# then lead its clients there: the VPC link of a REST API cannot be changed, only replaced"
    )


RULE = Rule(
    id="AR513",
    name="load_balancer_internet_facing",
    title="Private path's load balancer is internet-facing",
    severity=Severity.HIGH,
    risk="Whoever knows a private service's host name gets to it from the internet, past API Gateway and whatever"
    " guards it there.",
    remediation="Replace the load balancer by an internal one.",
    reference=f"{NLB_GUIDE}create-network-load-balancer.html",
    needs=("load_balancers",),
    check=check,
    command=command,
)
