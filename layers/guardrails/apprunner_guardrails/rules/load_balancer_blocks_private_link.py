import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, PathBalancer, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import each, listed
from apprunner_guardrails.rules._path import (
    admitted,
    all_told,
    blocks_of,
    is_everywhere,
    listeners_of_path,
    load_balancer,
)
from apprunner_guardrails.settings import Settings


def _closed(balancer: PathBalancer) -> Iterator[tuple[int, frozenset[str]]]:
    """The ports on which not everybody is let in, and who is.

    What a VPC link brings has the address of a client in API Gateway's own network: it carries none of our groups, and
    AWS says not to rely on CIDRs of API Gateway (see the reference). So only a rule for all of IPv4 is sure to match.
    """

    def closed(port: int) -> Iterator[tuple[int, frozenset[str]]]:
        groups = known(balancer.groups)
        peers = admitted(groups, port)
        if not is_everywhere(blocks_of(peers, balancer.prefix_lists)):
            all_told(peers, balancer.prefix_lists, balancer.balancer.group_ids, groups)
            yield port, peers

    if not balancer.balancer.group_ids or not balancer.balancer.guards_private_link or balancer.links == ():
        return iter(())
    return each(sorted({listener.port for listener in listeners_of_path(balancer)}), closed)


def check(balancer: PathBalancer, network: Network, settings: Settings) -> Iterator[str]:
    nlb = balancer.balancer
    for port, peers in _closed(balancer):
        links = listed(link.name for link in known(balancer.links))
        yield (
            f"load balancer {nlb.name} applies its inbound rules to PrivateLink traffic, and they do not let in TCP"
            f" {port} from wherever VPC link {links} sends; {listed(nlb.group_ids)} let in {listed(peers, 'nobody')}"
        )


def command(balancer: PathBalancer, network: Network, settings: Settings) -> str:
    groups = " ".join(map(shlex.quote, sorted(balancer.balancer.group_ids)))
    return (
        "# endpoints then have to admit the load balancer's addresses: its group no longer counts for this (AR505)\n"
        f"aws elbv2 set-security-groups {load_balancer(balancer.balancer)} --security-groups {groups}"
        " --enforce-security-group-inbound-rules-on-private-link-traffic off"
    )


RULE = Rule(
    id="AR514",
    name="load_balancer_blocks_private_link",
    title="Load balancer's security groups stop what a VPC link sends",
    severity=Severity.HIGH,
    risk="A REST API's VPC link comes by PrivateLink, from addresses that AWS does not document. A rule for a group"
    " never matches them, one for a CIDR does by chance: requests time out, now or some day.",
    remediation="Switch the evaluation of inbound rules for PrivateLink traffic off, as AWS's guide does, or admit the"
    " listener's port from 0.0.0.0/0.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-nlb-for-vpclink-using-console.html",
    needs=("load_balancers", "path_groups", "prefix_lists", "listeners", "target_groups", "vpc_links"),
    check=check,
    fault=lambda message: message.partition("; ")[0],
    command=command,
)
