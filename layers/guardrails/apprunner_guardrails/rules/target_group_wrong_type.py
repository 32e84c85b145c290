from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, PathGroup
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._path import HTTPS, NLB_GUIDE, replace_target_group
from apprunner_guardrails.settings import Settings


def check(group: PathGroup, network: Network, settings: Settings) -> Iterator[str]:
    """TLS is wrong too: the load balancer then speaks TLS of its own, and AWS does not say for which host name."""
    made, which = group.group, f"target group {group.group.name}"
    if made.target_type != "ip":
        yield f"{which} is of type {made.target_type}: an endpoint's addresses need type ip"
    if made.target_type == "lambda":  # it has neither protocol nor port
        return
    if made.protocol != "TCP":
        yield f"{which} has protocol {made.protocol}: what is for an endpoint has to get there untouched, by TCP"
    if made.port != HTTPS:
        yield f"{which} has port {made.port}: endpoints listen on {HTTPS}"


def command(group: PathGroup, network: Network, settings: Settings) -> str:
    return replace_target_group(group.group, group.endpoint_ids)


RULE = Rule(
    id="AR508",
    name="target_group_wrong_type",
    title="Target group is not as an endpoint needs it",
    severity=Severity.HIGH,
    risk="App Runner finds the service by the TLS handshake's server name and the request's host. What does not get to"
    " port 443 of the endpoint as the client sent it finds none.",
    remediation="Replace the target group by one of type ip, protocol TCP and port 443: none of the three can be"
    " changed.",
    reference=f"{NLB_GUIDE}load-balancer-target-groups.html",
    needs=("target_groups",),
    check=check,
    command=command,
)
