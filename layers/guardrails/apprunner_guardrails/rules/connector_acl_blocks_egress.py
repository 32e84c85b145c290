import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import AclEntry, Connector, Network, NetworkAcl, NotKnown, Subnet, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.routes import COVERS, effective_table, leads_out
from apprunner_guardrails.rules._common import each_subnet
from apprunner_guardrails.settings import Settings

HTTPS = (443, 443)

# The client ports of Linux. AWS documents none for App Runner; its guide to ACLs names 1024-65535 for all clients, but
# an ACL that opens only the range that Linux uses lets the answers through.
EPHEMERAL = (32768, 60999)

EVERYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    share: float  # of the IPv4 addresses that are let through on the worst port
    stopped_by: AclEntry | None  # the deny entry that takes most of the others; None is the final "*"


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    acls = {subnet_id: acl for acl in known(network.network_acls) for subnet_id in acl.subnet_ids}

    def blocked(subnet: Subnet) -> Iterator[str]:
        acl = acls.get(subnet.id)
        if acl is None:
            raise NotKnown(f"the network ACL of {subnet.id} cannot be seen from this account")
        for egress, ports, what in (
            (True, HTTPS, "outbound TCP 443"),
            (False, EPHEMERAL, f"the answers to outbound calls (inbound TCP {EPHEMERAL[0]}-{EPHEMERAL[1]})"),
        ):
            verdict = _judge(acl, egress, ports)
            if verdict.share == 0 or (verdict.share < COVERS and leads_out(effective_table(subnet, network), network)):
                yield f"{subnet.id} ({subnet.zone_id}): {acl.id} stops {what} by {_shown(verdict.stopped_by)}"

    return each_subnet(connector, network, blocked)


def _judge(acl: NetworkAcl, egress: bool, ports: tuple[int, int]) -> _Verdict:
    """The worst verdict over the range's ports; ports between two entries' bounds are judged alike, so one is tried."""
    entries = sorted(
        (entry for entry in acl.entries if entry.egress == egress and entry.protocol in ("-1", "6")),
        key=lambda entry: entry.number,
    )
    bounds = {ports[0], *(entry.from_port or 0 for entry in entries), *((entry.to_port or 0) + 1 for entry in entries)}
    tried = sorted(port for port in bounds if ports[0] <= port <= ports[1])
    return min((_judge_port(entries, port) for port in tried), key=lambda verdict: verdict.share)


def _judge_port(entries: Iterable[AclEntry], port: int) -> _Verdict:
    """First match wins, address by address: each entry takes its part of what no entry before it took."""
    left, allowed = [EVERYWHERE], 0
    worst, stopped_by = 0, None
    for entry in entries:
        if ":" in entry.cidr or not _on_port(entry, port):
            continue
        left, taken = _take(left, IPv4Network(entry.cidr, strict=False))
        if entry.allow:
            allowed += taken
        elif taken > worst:
            worst, stopped_by = taken, entry
    if sum(block.num_addresses for block in left) > worst:
        stopped_by = None
    return _Verdict(share=allowed / EVERYWHERE.num_addresses, stopped_by=stopped_by)


def _on_port(entry: AclEntry, port: int) -> bool:
    return entry.from_port is None or entry.to_port is None or entry.from_port <= port <= entry.to_port


def _take(left: list[IPv4Network], cidr: IPv4Network) -> tuple[list[IPv4Network], int]:
    kept: list[IPv4Network] = []
    taken = 0
    for block in left:
        if block.subnet_of(cidr):
            taken += block.num_addresses
        elif cidr.subnet_of(block):
            taken += cidr.num_addresses
            kept.extend(block.address_exclude(cidr))
        else:
            kept.append(block)
    return kept, taken


def _shown(entry: AclEntry | None) -> str:
    if entry is None or entry.number == 32767:  # noqa: PLR2004 - AWS's number of the final "*" entry
        return "its final deny: no entry allows it"
    return f"entry {entry.number}, which denies {entry.cidr}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    create = f"aws ec2 create-network-acl-entry --region {shlex.quote(network.region)} --network-acl-id NETWORK_ACL_ID"
    rule = "--protocol tcp --rule-action allow --cidr-block 0.0.0.0/0"
    return (
        f"{create} --egress --rule-number LOWER_THAN_THE_DENY {rule} --port-range From=443,To=443\n"
        f"{create} --ingress --rule-number LOWER_THAN_THE_DENY {rule} --port-range From=1024,To=65535"
    )


RULE = Rule(
    id="AR112",
    name="connector_acl_blocks_egress",
    title="Network ACL stops the VPC connector's traffic",
    severity=Severity.HIGH,
    risk="Network ACLs keep no state: without outbound 443, or without the way back on ephemeral ports,"
    " calls leave the service and never return.",
    remediation="Allow outbound TCP 443 and inbound TCP 1024-65535 in the subnet's network ACL, above what denies them.",
    reference="https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html",
    needs=("subnets", "network_acls", "route_tables", "prefix_lists"),
    check=check,
    command=command,
)
