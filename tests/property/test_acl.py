"""AR112 against a plain model that looks at one packet at a time."""

import itertools
from ipaddress import IPv4Address, ip_network
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.facts import AclEntry
from apprunner_guardrails.rules import connector_acl_blocks_egress
from tests.cases._healthy import add_acl, connector_has_subnets, healthy, remove_route
from tests.property.strategies import IPV4_CIDRS, IPV6_CIDRS, weighted

DIRECTIONS = {
    "outbound TCP 443": (True, 443, 443),
    "the answers to outbound calls (inbound TCP 32768-60999)": (False, 32768, 60999),
}
PORTS = (0, 80, 442, 443, 444, 1024, 32767, 32768, 32769, 40000, 50000, 60998, 60999, 61000, 65535)

port_ranges = st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS)).map(sorted)
entries = st.builds(
    lambda number, egress, allow, protocol, cidr, ports: AclEntry(
        number=number,
        egress=egress,
        allow=allow,
        protocol=protocol,
        cidr=cidr,
        from_port=None if protocol == "-1" or ports is None else ports[0],
        to_port=None if protocol == "-1" or ports is None else ports[1],
    ),
    st.integers(1, 32766),
    st.booleans(),
    st.sampled_from((True, True, False)),
    st.sampled_from(("6", "6", "-1", "17")),
    weighted((3, st.just("0.0.0.0/0")), (6, IPV4_CIDRS), (1, IPV6_CIDRS)),
    st.none() | port_ranges,
)
acls = st.lists(entries, max_size=10, unique_by=lambda entry: (entry.egress, entry.number))


def _lets_through(rows: list[AclEntry], address: int, port: int) -> bool:
    """The first entry by number that matches a TCP packet decides; none is a no."""
    for entry in sorted(rows, key=lambda entry: entry.number):
        on_port = entry.from_port is None or entry.to_port is None or entry.from_port <= port <= entry.to_port
        if entry.protocol in ("-1", "6") and on_port and IPv4Address(address) in ip_network(entry.cidr):
            return entry.allow
    return False


def _by_port(rows: list[AclEntry], direction: tuple[bool, int, int]) -> dict[int, float]:
    """The part of IPv4 that is let through, on every port where that can change."""
    egress, first, last = direction
    rows = [entry for entry in rows if entry.egress == egress]
    blocks = [ip_network(entry.cidr) for entry in rows if ":" not in entry.cidr]
    bounds = {0, 2**32}
    bounds |= {int(b.network_address) for b in blocks} | {int(b.broadcast_address) + 1 for b in blocks}
    ranges = list(itertools.pairwise(sorted(bounds)))
    ports = {first} | {port + step for port in PORTS for step in (0, 1) if first <= port + step <= last}
    return {
        port: sum(end - start for start, end in ranges if _lets_through(rows, start, port)) / 2**32 for port in ports
    }


def _expected(rows: list[AclEntry], leads_out: bool) -> list[str]:
    """The messages up to the reason."""
    said = []
    for what, direction in DIRECTIONS.items():
        share, port = min((share, port) for port, share in _by_port(rows, direction).items())
        if share == 0 or (share < 3 / 4 and leads_out):
            at = "" if direction[1] == direction[2] else f" at port {port}"
            part = "" if share == 0 else f" for {floor((1 - share) * 1000) / 10} % of IPv4 addresses"
            said.append(f"subnet-private-1 (use1-az1): acl-2 stops {what}{at}{part}: ")
    return said


@given(rows=acls, leads_out=st.booleans())
def test_an_acl_is_judged_as_packet_by_packet(rows: list[AclEntry], leads_out: bool) -> None:
    snapshot = add_acl("acl-2", "subnet-private-1", *rows)(connector_has_subnets("subnet-private-1")(healthy()))
    if not leads_out:
        snapshot = remove_route("rtb-private-1", "0.0.0.0/0")(snapshot)
    messages = list(connector_acl_blocks_egress.check(snapshot.connector, snapshot.network, snapshot.settings))
    expected = _expected(rows, leads_out)
    assert len(messages) == len(expected)
    assert [m for m, start in zip(messages, expected, strict=True) if not m.startswith(start)] == []


@given(rows=acls)
def test_the_command_lets_more_through_on_the_port_that_the_message_names(rows: list[AclEntry]) -> None:
    snapshot = add_acl("acl-2", "subnet-private-1", *rows)(connector_has_subnets("subnet-private-1")(healthy()))
    judged = (snapshot.connector, snapshot.network, snapshot.settings)
    messages = sorted(connector_acl_blocks_egress.check(*judged))
    commands = connector_acl_blocks_egress.command(*judged).splitlines()
    assert len(commands) == len(messages)
    for what, direction in DIRECTIONS.items():
        option = "--egress" if direction[0] else "--ingress"
        added = [_entry_of(line) for line in commands if f" {option} " in line and "RULE_NUMBER" not in line]
        before, after = _by_port(rows, direction), _by_port(rows + added, direction)
        assert not {(one.egress, one.number) for one in added} & {(one.egress, one.number) for one in rows}
        assert [port for port in before if after[port] < before[port]] == []
        if added:
            worst = min((share, port) for port, share in before.items())[1]
            assert after[worst] > before[worst], what


def _entry_of(line: str) -> AclEntry:
    """The entry that a command makes."""
    words = line.split()
    first, last = (int(part.split("=")[1]) for part in words[-1].split(","))
    return AclEntry(
        number=int(words[words.index("--rule-number") + 1]),
        egress="--egress" in words,
        allow=True,
        protocol="6",
        cidr="0.0.0.0/0",
        from_port=first,
        to_port=last,
    )
