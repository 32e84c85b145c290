import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, NetworkInterface, SecurityGroup, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.once import once
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE
from apprunner_guardrails.settings import Settings


def _useless(network: Network) -> Iterator[tuple[SecurityGroup, int]]:
    """Groups with inbound rules that only App Runner's interfaces carry, and how many of those there are."""
    for group in sorted(known(network.security_groups), key=lambda group: group.id):
        if group.ingress:
            carriers = _by_group(known(network.group_interfaces)).get(group.id, ())
            if all(carrier.app_runner for carrier in carriers):
                yield group, len(carriers)


@once
def _by_group(interfaces: tuple[NetworkInterface, ...]) -> Mapping[str, Sequence[NetworkInterface]]:
    by_group: dict[str, list[NetworkInterface]] = defaultdict(list)
    for one in interfaces:
        for group_id in set(one.group_ids):
            by_group[group_id].append(one)
    return by_group


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for group, carriers in _useless(network):
        yield (
            f"{group.id} has inbound rules ({len(group.ingress)}) that have no effect:"
            f" nothing but App Runner uses it (network interfaces: {carriers})"
        )


def command(connector: Connector, network: Network, settings: Settings) -> str:
    region = shlex.quote(network.region)
    return "\n".join(
        f"aws ec2 revoke-security-group-ingress --region {region} --group-id {shlex.quote(group.id)}"
        f' --ip-permissions "$(aws ec2 describe-security-groups --region {region} --group-ids {shlex.quote(group.id)}'
        " --query 'SecurityGroups[0].IpPermissions' --output json)\""
        for group, _ in _useless(network)
    )


RULE = Rule(
    id="AR204",
    name="connector_inbound_rules",
    title="VPC connector's security group has inbound rules",
    severity=Severity.LOW,
    risk="A connector carries outbound traffic only. Inbound rules look like protection and are none:"
    " who may call the service is decided by its ingress settings.",
    remediation="Remove the inbound rules. To limit who reaches the service, make it private behind an endpoint,"
    " or put a web ACL before it.",
    reference=CONNECTOR_GUIDE,
    reports=("https://github.com/aws/apprunner-roadmap/issues/113",),
    needs=("security_groups", "group_interfaces"),
    check=check,
    fault=lambda message: message.partition(" has ")[0],
    command=command,
)
