import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, NotKnown, SecurityGroup, connector_subnets, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.reach import blocks_named, blocks_of, unread_list
from apprunner_guardrails.routes import Cidr, families
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, each, listed
from apprunner_guardrails.settings import Settings

_LOOKED_AT = " (groups looked at: "


def _callers(connector: Connector, network: Network) -> tuple[frozenset[str], tuple[Cidr, ...]]:
    """Whom destinations may admit: the connector's groups, and the blocks of its subnets."""
    groups = frozenset(group.id for group in known(network.security_groups))
    subnets = connector_subnets(connector, network)
    blocks = (block for subnet in subnets for family in families(subnet) for block in blocks_of(subnet, family))
    return groups, tuple(blocks)


def _admitting(connector: Connector, network: Network) -> Iterator[SecurityGroup]:
    """The groups that admit something of the connector, on whatever port.

    A group of the connector's own counts only by a rule that names one of them: so members of one group talk to each
    other. What it admits by address is as a rule meant for callers of the service, and of no effect (AR204).
    """
    own, blocks = _callers(connector, network)

    def admitting(group: SecurityGroup) -> Iterator[SecurityGroup]:
        peers = {peer for rule in group.ingress for peer in rule.peers}
        if peers & own:
            yield group
        elif group.id not in own:
            yield from by_address(group, sorted(peer for peer in peers if not peer.startswith("sg-")))

    def by_address(group: SecurityGroup, peers: list[str]) -> Iterator[SecurityGroup]:
        if any(_overlap(peer, blocks, network) for peer in peers):
            yield group
        elif unread := [why for peer in peers if (why := unread_list(peer, network))]:
            raise NotKnown("; ".join(unread))

    return each(known(network.vpc_groups), admitting)


def _overlap(peer: str, blocks: tuple[Cidr, ...], network: Network) -> bool:
    return any(one.overlaps(block) for block in blocks for one in blocks_named(peer, network, block.version))


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    admitting, why = told(_admitting(connector, network))
    if admitting:
        return
    if why:
        raise NotKnown(why)
    own, blocks = _callers(connector, network)
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
