import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, NotKnown, SecurityGroup, connector_subnets, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once
from apprunner_guardrails.reach import blocks_named, blocks_of, overlap, unread_list
from apprunner_guardrails.routes import Cidr, families
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, listed
from apprunner_guardrails.settings import Settings

_LOOKED_AT = " (groups looked at: "


def _callers(connector: Connector, network: Network) -> tuple[frozenset[str], tuple[Cidr, ...]]:
    """Whom destinations may admit: the connector's groups, and the blocks of its subnets."""
    groups = frozenset(group.id for group in known(network.security_groups))
    subnets = connector_subnets(connector, network)
    blocks = (block for subnet in subnets for family in families(subnet) for block in blocks_of(subnet, family))
    return groups, tuple(blocks)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Admitted:
    """Whom the inbound rules of groups admit, on whatever port: the groups' ids by the peer that they name, a group or
    an address; and the prefix lists that each group names, sorted."""

    by_group: Mapping[str, frozenset[str]]
    by_address: Mapping[str, frozenset[str]]
    lists: Sequence[tuple[str, Sequence[str]]]


@once
def _admitted(groups: tuple[SecurityGroup, ...]) -> _Admitted:
    named: dict[str, set[str]] = defaultdict(set)
    lists: list[tuple[str, Sequence[str]]] = []
    for group in groups:
        peers = {peer for rule in group.ingress for peer in rule.peers}
        for peer in peers:
            named[peer].add(group.id)
        lists.append((group.id, sorted(peer for peer in peers if peer.startswith("pl-"))))
    held = {peer: frozenset(ids) for peer, ids in named.items()}
    return _Admitted(
        by_group={peer: ids for peer, ids in held.items() if peer.startswith("sg-")},
        by_address={peer: ids for peer, ids in held.items() if not peer.startswith("sg-")},
        lists=[(group_id, some) for group_id, some in lists if some],
    )


def _is_admitted(own: frozenset[str], blocks: tuple[Cidr, ...], network: Network) -> bool:
    """Whether some group admits something of the connector.

    A group of the connector's own counts only by a rule that names one of them: so members of one group talk to each
    other. What it admits by address is as a rule meant for callers of the service, and of no effect (AR204).
    """
    admitted = _admitted(known(network.vpc_groups))
    return not own.isdisjoint(admitted.by_group) or any(
        not groups <= own and _overlap(peer, blocks, network) for peer, groups in admitted.by_address.items()
    )


def _untold(own: frozenset[str], network: Network) -> Iterator[str]:
    """Of each group that may admit it all the same, which prefix lists were not read."""
    for group_id, lists in _admitted(known(network.vpc_groups)).lists:
        if group_id not in own:
            yield "; ".join(why for one in lists if (why := unread_list(one, network)))


def _overlap(peer: str, blocks: tuple[Cidr, ...], network: Network) -> bool:
    return any(overlap(one, block) for block in blocks for one in blocks_named(peer, network, block.version))


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    own, blocks = _callers(connector, network)
    if _is_admitted(own, blocks, network):
        return
    if whys := set(_untold(own, network)) - {""}:
        raise NotKnown("; ".join(sorted(whys)))
    callers = listed([*own, *map(str, blocks)])
    count = len(known(network.vpc_groups))
    yield f"no security group of {network.vpc_id} has an inbound rule that admits any of {callers}{_LOOKED_AT}{count})"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    group = min((group.id for group in known(network.security_groups)), default="SECURITY_GROUP_ID")
    return (
        f"aws ec2 authorize-security-group-ingress --region {shlex.quote(network.region)}"
        " --group-id DESTINATION_SECURITY_GROUP_ID --ip-permissions"
        f" IpProtocol=tcp,FromPort=PORT,ToPort=PORT,UserIdGroupPairs='[{{GroupId={shlex.quote(group)}}}]'"
    )


RULE = Rule(
    id="AR205",
    name="connector_unreachable_destinations",
    title="Nothing in the VPC admits the VPC connector",
    severity=Severity.LOW,
    risk="Databases, caches and other services of the VPC drop what the service sends them: its calls time out."
    " Where the connector only leads to the internet, nothing is lost.",
    remediation="Add an inbound rule to the security group of what the service calls, from the connector's security"
    " group and on the port that is called.",
    reference=CONNECTOR_GUIDE,
    reports=(
        "https://github.com/aws/copilot-cli/issues/3504",
        "https://github.com/aws/copilot-cli/issues/5397",
        "https://github.com/aws/copilot-cli/issues/5814",
    ),
    needs=("subnets", "security_groups", "vpc_groups", "prefix_lists"),
    check=check,
    fault=lambda message: message.partition(_LOOKED_AT)[0],
    command=command,
)
