from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, NotKnown, PathBalancer, PathEndpoint, if_read, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.rules._common import each, listed
from apprunner_guardrails.rules._path import (
    HTTPS,
    NLB_GUIDE,
    admit,
    admitted,
    all_told,
    blocks_of,
    is_everywhere,
    not_among,
    what_carries_requests,
)
from apprunner_guardrails.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refusal:
    """A load balancer that is not let in, and those of its addresses that are not.

    `by_group`: it is by its security group, which does not count for what PrivateLink brings.
    """

    balancer: PathBalancer
    addresses: tuple[str, ...]
    by_group: bool


def _refusals(endpoint: PathEndpoint) -> Iterator[_Refusal]:
    """What endpoints see of a load balancer (see the reference), its targets' client IP preservation being off:

    load balancer                        clients          PrivateLink, so VPC links   health checks
    has groups, they guard PrivateLink   its group        its group                   its group
    has groups, they do not              its group        its addresses alone         its group
    has none                             its addresses    its addresses               its addresses

    An address that is let in is so whatever group it comes with.
    """

    def refusal(balancer: PathBalancer) -> Iterator[_Refusal]:
        nlb, groups = balancer.balancer, known(endpoint.groups)
        peers = admitted(groups, HTTPS)
        blocks = blocks_of(peers, endpoint.prefix_lists)
        by_group = not peers.isdisjoint(nlb.group_ids)
        if is_everywhere(blocks) or (by_group and (nlb.guards_private_link or balancer.links == ())):
            return
        addresses = known(balancer.addresses)
        if not addresses:
            raise NotKnown(f"no address of load balancer {nlb.name} is known")
        refused = not_among(blocks, addresses)
        if refused:
            all_told(peers, endpoint.prefix_lists, endpoint.endpoint.group_ids, groups)
            if by_group:
                known(balancer.links)
            yield _Refusal(balancer=balancer, addresses=refused, by_group=by_group)

    what_carries_requests(endpoint)
    return each(sorted(known(endpoint.balancers), key=lambda one: one.arn), refusal)


def check(endpoint: PathEndpoint, network: Network, settings: Settings) -> Iterator[str]:
    by = f"the inbound rules of {listed(endpoint.endpoint.group_ids)}"
    for refusal in _refusals(endpoint):
        nlb, addresses = refusal.balancer.balancer, listed(refusal.addresses)
        groups, sender = f"its security group ({listed(nlb.group_ids)})", f"load balancer {nlb.name}"
        if refusal.by_group:
            links = listed(link.name for link in known(refusal.balancer.links))
            sender = f"VPC link {links} through {sender}"
            why = (
                f"{by} let in {groups}, but not {addresses}, by which alone PrivateLink traffic comes that it lets pass"
            )
        elif nlb.group_ids:
            why = f"{by} let in neither {groups} nor {addresses}"
        else:
            why = f"{by} do not let in {addresses}, and it has no security group"
        yield f"endpoint {endpoint.endpoint.id} does not admit TCP {HTTPS} from {sender}: {why}"


def command(endpoint: PathEndpoint, network: Network, settings: Settings) -> str:
    refusals, _ = told(_refusals(endpoint))
    own = min(endpoint.endpoint.group_ids, default="SECURITY_GROUP_ID")
    return "\n".join(admit(endpoint.region, own, HTTPS, _peers(refusal)) for refusal in refusals)


def _peers(refusal: _Refusal) -> Iterator[str]:
    nlb = refusal.balancer.balancer
    if nlb.group_ids and not refusal.by_group:
        yield min(nlb.group_ids)
    if not nlb.group_ids or (not nlb.guards_private_link and if_read(refusal.balancer.links)):
        yield from refusal.addresses


RULE = Rule(
    id="AR505",
    name="endpoint_blocks_load_balancer",
    title="Endpoint's security groups do not admit the load balancer",
    severity=Severity.HIGH,
    risk="Requests through the load balancer time out, and where its health checks are stopped too, every target is"
    " unhealthy.",
    remediation="Let the endpoint's security group admit TCP 443 from the load balancer's security group; from its"
    " addresses where it has none, or where its groups leave PrivateLink traffic alone and a VPC link leads to it.",
    reference=f"{NLB_GUIDE}target-group-register-targets.html",
    needs=(
        "ingress_endpoints",
        "path_groups",
        "prefix_lists",
        "load_balancers",
        "load_balancer_addresses",
        "vpc_links",
    ),
    check=check,
    fault=lambda message: message.partition(": ")[0],
    command=command,
)
