from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, PathGroup, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import listed, target_group
from apprunner_guardrails.rules._path import NLB_GUIDE, replace_target_group
from apprunner_guardrails.settings import Settings

_CAN_BE_OFF = ("TCP", "TLS")  # of other protocols it is always on


def check(group: PathGroup, network: Network, settings: Settings) -> Iterator[str]:
    if bool(group.endpoint_ids) and known(group.preserves_client_ip):
        yield (
            f"target group {group.group.name} preserves client IP addresses: the network interfaces of"
            f" {listed(group.endpoint_ids)} lose all traffic by that"
        )


def command(group: PathGroup, network: Network, settings: Settings) -> str:
    if group.group.protocol not in _CAN_BE_OFF:
        return replace_target_group(group.group, group.endpoint_ids)
    attributes = "--attributes Key=preserve_client_ip.enabled,Value=false"
    return f"aws elbv2 modify-target-group-attributes {target_group(group.group)} {attributes}"


RULE = Rule(
    id="AR507",
    name="target_group_preserves_client_ip",
    title="Target group preserves client IP addresses before an endpoint",
    severity=Severity.CRITICAL,
    risk="AWS documents that with it a load balancer loses communication with the network interfaces of endpoints:"
    " the private service is down for all who come through it.",
    remediation="Switch client IP preservation off. A target group of another protocol than TCP or TLS cannot: replace"
    " it by one of TCP.",
    reference=f"{NLB_GUIDE}edit-target-group-attributes.html",
    needs=("target_groups", "target_group_attributes"),
    check=check,
    command=command,
)
