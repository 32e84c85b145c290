import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Listener, Network, PathBalancer, PathGroup, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import listed
from apprunner_guardrails.rules._path import NLB_GUIDE, TO_NEW_GROUP, listeners_of_path
from apprunner_guardrails.settings import Settings


def _ending(balancer: PathBalancer) -> Iterator[tuple[Listener, list[PathGroup]]]:
    for listener in listeners_of_path(balancer):
        if listener.protocol == "TLS":
            yield listener, [one for one in known(balancer.target_groups) if one.arn in listener.target_group_arns]


def check(balancer: PathBalancer, network: Network, settings: Settings) -> Iterator[str]:
    for listener, groups in _ending(balancer):
        yield (
            f"load balancer {balancer.balancer.name} ends TLS at its listener on port {listener.port}, before target"
            f" group {listed(one.group.name for one in groups)}: the client's server name does not get to the endpoint"
        )


def command(balancer: PathBalancer, network: Network, settings: Settings) -> str:
    region = shlex.quote(balancer.balancer.region)
    lines: list[str] = []
    for listener, groups in _ending(balancer):
        other = any(one.group.protocol != "TCP" for one in groups)
        lines += ["# a TCP listener leads to a target group of TCP alone (AR508)"] * other
        action = f" {TO_NEW_GROUP}" if other else ""
        lines.append(
            f"aws elbv2 modify-listener --region {region} --listener-arn {shlex.quote(listener.arn)}"
            f" --protocol TCP{action}"
        )
    return "\n".join(lines)


RULE = Rule(
    id="AR515",
    name="load_balancer_tls_listener",
    title="Load balancer ends TLS on the way to a private service",
    severity=Severity.MEDIUM,
    risk="App Runner finds the service by the server name of the TLS handshake. What the load balancer sends on, if"
    " it speaks TLS again at all, is a handshake of its own: requests may find no service.",
    remediation="Make the listener TCP: it passes TLS through to the endpoint, which has the service's certificate.",
    reference=f"{NLB_GUIDE}load-balancer-listeners.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/193",),
    needs=("load_balancers", "listeners", "target_groups"),
    check=check,
    command=command,
)
