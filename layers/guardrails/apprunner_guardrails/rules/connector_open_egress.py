import shlex
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, SecurityGroup, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.once import once
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, listed
from apprunner_guardrails.settings import Settings


@once
def _open_peers(group: SecurityGroup) -> frozenset[str]:
    """The CIDRs that together are everywhere, such as 0.0.0.0/0 or its halves; a prefix list's entries are not read."""
    peers = {peer for rule in group.egress if rule.protocol == "-1" for peer in rule.peers if "/" in peer}
    ipv6 = {peer for peer in peers if ":" in peer}
    ipv4 = peers - ipv6
    found: set[str] = set()
    if list(collapse_addresses(IPv4Network(peer, strict=False) for peer in ipv4)) == [IPv4Network("0.0.0.0/0")]:
        found |= {"0.0.0.0/0"} & ipv4 or ipv4
    if list(collapse_addresses(IPv6Network(peer, strict=False) for peer in ipv6)) == [IPv6Network("::/0")]:
        found |= {"::/0"} & ipv6 or ipv6
    return frozenset(found)


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for group in known(network.security_groups):
        peers = _open_peers(group)
        if peers:
            yield f"{group.id} allows all protocols and ports to {listed(peers)}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    region = shlex.quote(network.region)
    lines = []
    for group in sorted(known(network.security_groups), key=lambda group: group.id):
        for peer in sorted(_open_peers(group)):
            ec2 = f"--region {region} --group-id {shlex.quote(group.id)} --ip-permissions"
            to = f"Ipv6Ranges='[{{CidrIpv6={peer}}}]'" if ":" in peer else f"IpRanges='[{{CidrIp={peer}}}]'"
            lines.append(f"aws ec2 authorize-security-group-egress {ec2} IpProtocol=tcp,FromPort=443,ToPort=443,{to}")
            lines.append(f"aws ec2 revoke-security-group-egress {ec2} IpProtocol=-1,{to}")
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
