import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, SecurityGroup, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, listed
from apprunner_guardrails.settings import Settings

EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})


def _open_peers(group: SecurityGroup) -> set[str]:
    return {peer for rule in group.egress if rule.protocol == "-1" for peer in rule.peers} & EVERYWHERE


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for group in known(network.security_groups):
        peers = _open_peers(group)
        if peers:
            yield f"{group.id} allows all protocols and ports to {listed(peers)}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    region = shlex.quote(network.region)
    ranges = {"0.0.0.0/0": "IpRanges='[{CidrIp=0.0.0.0/0}]'", "::/0": "Ipv6Ranges='[{CidrIpv6=::/0}]'"}
    lines = []
    for group in sorted(known(network.security_groups), key=lambda group: group.id):
        for peer in sorted(_open_peers(group)):
            ec2 = f"--region {region} --group-id {shlex.quote(group.id)} --ip-permissions"
            lines.append(
                f"aws ec2 authorize-security-group-egress {ec2} IpProtocol=tcp,FromPort=443,ToPort=443,{ranges[peer]}"
            )
            lines.append(f"aws ec2 revoke-security-group-egress {ec2} IpProtocol=-1,{ranges[peer]}")
    return "\n".join(lines)


RULE = Rule(
    id="AR203",
    name="connector_open_egress",
    title="VPC connector's security group lets everything out",
    severity=Severity.LOW,
    risk="This is AWS's default. A service that is taken over can send anything anywhere.",
    remediation="Replace the open rule by rules for what the service calls, such as TCP 443.",
    reference=CONNECTOR_GUIDE,
    needs=("security_groups",),
    check=check,
    command=command,
)
