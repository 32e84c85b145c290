import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, ManagedInterface, Network, is_over, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, listed
from apprunner_guardrails.settings import Settings


def _has_groups(connector: Connector, interface: ManagedInterface) -> bool:
    """Of one that names no group, App Runner makes interfaces with the default group, whose id it does not tell."""
    return not connector.security_group_ids or set(connector.security_group_ids) == set(interface.group_ids)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Active:
    count: int
    by_subnet: Mapping[str, Sequence[Connector]]


@once
def _active(connectors: tuple[Connector, ...]) -> _Active:
    active = [one for one in connectors if not is_over(one)]
    by_subnet: dict[str, list[Connector]] = defaultdict(list)
    for one in active:
        for subnet_id in set(one.subnet_ids):
            by_subnet[subnet_id].append(one)
    return _Active(count=len(active), by_subnet=by_subnet)


def check(interface: ManagedInterface, network: Network, settings: Settings) -> Iterator[str]:
    active = _active(known(interface.connectors))
    in_subnet = active.by_subnet.get(interface.subnet_id, ())
    if not any(_has_groups(one, interface) for one in in_subnet):
        yield (
            f"no active VPC connector has the subnet {interface.subnet_id} with the security groups"
            f" {listed(interface.group_ids)}; none of these can be deleted while {interface.id} is there"
            f" (active connectors: {active.count}, in that subnet: {len(in_subnet)})"
        )


def command(interface: ManagedInterface, network: Network, settings: Settings) -> str:
    return (
        "# App Runner deletes it, in its own time: look whether it is still there, and never delete it by hand\n"
        f"aws ec2 describe-network-interfaces --region {shlex.quote(interface.region)}"
        f" --network-interface-ids {shlex.quote(interface.id)}"
    )


RULE = Rule(
    id="AR304",
    name="connector_orphan_interface",
    title="Network interface of App Runner fits no VPC connector",
    severity=Severity.LOW,
    risk="It outlives the connector that it was made for. While it is there, its subnet, its security groups and their"
    " VPC cannot be deleted: such a deletion hangs, or fails with DependencyViolation.",
    remediation="Wait until App Runner has deleted it, and delete the subnet and the groups after that. It is App"
    " Runner's own: never detach or delete it by hand. Where it stays for days, open a support case.",
    reference=CONNECTOR_GUIDE,
    reports=(
        "https://github.com/hashicorp/terraform-provider-aws/issues/12394",
        "https://github.com/hashicorp/terraform-provider-aws/issues/16165",
    ),
    needs=("managed_interfaces", "connectors"),
    check=check,
    fault=lambda message: message.partition(" (")[0],
    command=command,
)
