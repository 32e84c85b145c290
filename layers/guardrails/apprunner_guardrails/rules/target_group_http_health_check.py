from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, PathGroup
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import target_group
from apprunner_guardrails.rules._path import NLB_GUIDE
from apprunner_guardrails.settings import Settings


def check(group: PathGroup, network: Network, settings: Settings) -> Iterator[str]:
    protocol = group.group.health_check_protocol
    if protocol in ("HTTP", "HTTPS"):
        yield (
            f"target group {group.group.name} checks health by {protocol}: the check's host is an address of the load"
            " balancer, by which App Runner finds no service"
        )


def command(group: PathGroup, network: Network, settings: Settings) -> str:
    return (
        f"aws elbv2 modify-target-group {target_group(group.group)} --health-check-protocol TCP"
        " --health-check-port traffic-port"
    )


RULE = Rule(
    id="AR509",
    name="target_group_http_health_check",
    title="Target group checks an endpoint's health by HTTP",
    severity=Severity.HIGH,
    risk="The check names no service, so App Runner answers 404, or not at all: every target is unhealthy, the load"
    " balancer leaves none of them out any more, and no replacement is ever ready.",
    remediation="Check health by TCP on the traffic port.",
    reference=f"{NLB_GUIDE}target-group-health-checks.html",
    needs=("target_groups",),
    check=check,
    command=command,
)
