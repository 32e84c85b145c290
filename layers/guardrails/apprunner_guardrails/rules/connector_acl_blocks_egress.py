from collections.abc import Iterable, Iterator
from math import floor

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import AclEntry, Connector, Network, NetworkAcl, Subnet, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once
from apprunner_guardrails.reach import ANSWERS, FINAL, FOR_ALL_CLIENTS, acl_of, on_port, tcp_entries
from apprunner_guardrails.routes import COVERS, INTERNET, Cidr, Family, effective_table, families, leads_out, ways_out
from apprunner_guardrails.rules._common import allow_in_acl, each_subnet, free_number
from apprunner_guardrails.settings import Settings

type _Range = tuple[int, int]  # the first and the last address, as numbers

_EVERYWHERE: dict[Family, str] = {4: "0.0.0.0/0", 6: "::/0"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Direction:
    egress: bool
    first: int
    last: int
    opened: tuple[int, int]  # the ports that AWS advises to open
    what: str


_DIRECTIONS = (
    _Direction(egress=True, first=443, last=443, opened=(443, 443), what="outbound TCP 443"),
    _Direction(
        egress=False,
        first=ANSWERS[0],
        last=ANSWERS[1],
        opened=FOR_ALL_CLIENTS,
        what=f"the answers to outbound calls (inbound TCP {ANSWERS[0]}-{ANSWERS[1]})",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    """How much a network ACL lets through on the worst port of a direction."""

    port: int
    share: float  # of the internet's addresses of the family
    stopped_by: AclEntry | None  # the deny entry that takes most of the others; None is the final one


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stop:
    subnet: Subnet
    acl: NetworkAcl
    family: Family
    direction: _Direction
    verdict: _Verdict


def _stops(connector: Connector, network: Network) -> Iterator[_Stop]:
    def stops(subnet: Subnet) -> Iterator[_Stop]:
        acl = acl_of(subnet, network)
        for family in families(subnet):
            for direction in _DIRECTIONS:
                verdict = _judge(acl, family, direction)
                if verdict.share < COVERS and _is_used(family, verdict, subnet, network):
                    yield _Stop(subnet=subnet, acl=acl, family=family, direction=direction, verdict=verdict)

    return each_subnet(connector, network, stops)


def _is_used(family: Family, verdict: _Verdict, subnet: Subnet, network: Network) -> bool:
    """Whether what is stopped would have gone somewhere: out, or for IPv4, when all of it is stopped, into the VPC."""
    if family == 6:  # noqa: PLR2004 - IPv6
        return bool(ways_out(effective_table(subnet, network), network, family))
    return verdict.share == 0 or leads_out(effective_table(subnet, network), network)


@once
def _judge(acl: NetworkAcl, family: Family, direction: _Direction) -> _Verdict:
    """The worst verdict over the range's ports; ports between two entries' bounds are judged alike, so one is tried."""
    entries = tcp_entries(acl, family, egress=direction.egress)
    bounds = {direction.first}
    for entry, _ in entries:
        bounds |= {entry.from_port or 0, (entry.to_port or 0) + 1}
    tried = sorted(port for port in bounds if direction.first <= port <= direction.last)
    return min((_judge_port(entries, family, port) for port in tried), key=lambda verdict: verdict.share)


def _judge_port(entries: Iterable[tuple[AclEntry, Cidr]], family: Family, port: int) -> _Verdict:
    """First match wins, address by address: each entry takes its part of what no entry before it took."""
    left, allowed = [_range(INTERNET[family])], 0
    worst, stopped_by = 0, None
    for entry, cidr in entries:
        if not on_port(entry, port):
            continue
        left, taken = _take(left, *_range(cidr))
        if entry.allow:
            allowed += taken
        elif taken > worst:
            worst, stopped_by = taken, entry
    if sum(high - low + 1 for low, high in left) > worst:
        stopped_by = None
    return _Verdict(port=port, share=allowed / INTERNET[family].num_addresses, stopped_by=stopped_by)


def _range(cidr: Cidr) -> _Range:
    return int(cidr.network_address), int(cidr.broadcast_address)


def _take(left: list[_Range], first: int, last: int) -> tuple[list[_Range], int]:
    """What of `left` is outside the range, and how many addresses are inside."""
    kept: list[_Range] = []
    taken = 0
    for low, high in left:
        if high < first or last < low:
            kept.append((low, high))
            continue
        taken += min(high, last) - max(low, first) + 1
        kept += [(low, first - 1)] * (low < first) + [(last + 1, high)] * (last < high)
    return kept, taken


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    for stop in _stops(connector, network):
        verdict, direction = stop.verdict, stop.direction
        port = "" if direction.first == direction.last else f" at port {verdict.port}"
        part = "" if stop.family == 4 else " over IPv6"  # noqa: PLR2004 - IPv4
        if verdict.share > 0:
            part = f" for {floor((1 - verdict.share) * 1000) / 10} % of IPv{stop.family} addresses"
        entry = verdict.stopped_by
        if entry is None or entry.number == FINAL:
            reason = "no entry allows it, so the final one denies it"
        else:
            reason = f"entry {entry.number} denies {entry.cidr}"
        yield f"{stop.subnet.id} ({stop.subnet.zone_id}): {stop.acl.id} stops {direction.what}{port}{part}: {reason}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    stops, _ = told(_stops(connector, network))
    return "\n".join(dict.fromkeys(_allow(stop, network) for stop in stops))


def _allow(stop: _Stop, network: Network) -> str:
    direction, entry = stop.direction, stop.verdict.stopped_by
    number = free_number(stop.acl, egress=direction.egress, before=entry.number if entry else FINAL)
    first, last = direction.opened
    allowed = AclEntry(
        number=number,
        egress=direction.egress,
        allow=True,
        protocol="6",
        cidr=_EVERYWHERE[stop.family],
        from_port=first,
        to_port=last,
    )
    return allow_in_acl(network, stop.acl, allowed)


RULE = Rule(
    id="AR112",
    name="connector_acl_blocks_egress",
    title="Network ACL stops the VPC connector's traffic",
    severity=Severity.HIGH,
    risk="Network ACLs keep no state: without outbound 443, or without the way back on ephemeral ports,"
    " calls leave the service and never return.",
    remediation="Allow outbound TCP 443 and inbound TCP 1024-65535 in the subnet's network ACL,"
    " before what denies them.",
    reference="https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html",
    needs=("subnets", "network_acls", "route_tables", "prefix_lists"),
    check=check,
    command=command,
)
