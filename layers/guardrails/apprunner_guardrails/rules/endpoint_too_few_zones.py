import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, PathBalancer, PathEndpoint, Unread, if_read, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import each, listed
from apprunner_guardrails.rules._path import PRIVATE_GUIDE, what_carries_requests
from apprunner_guardrails.settings import Settings

_REQUIRED = 2  # docs.aws.amazon.com/apprunner/latest/dg/network-pl.html; for a connector three are recommended


def _missing(endpoint: PathEndpoint, balancer: PathBalancer) -> set[str]:
    """The load balancer's zones that the endpoint is not in."""
    return set(known(balancer.zone_ids).values()) - set(known(endpoint.zone_ids))


def check(endpoint: PathEndpoint, network: Network, settings: Settings) -> Iterator[str]:
    what_carries_requests(endpoint)
    covered, name = set(known(endpoint.zone_ids)), endpoint.endpoint.id
    if len(covered) < _REQUIRED:
        yield f"endpoint {name} is in {len(covered)} of at least {_REQUIRED} Availability Zones ({listed(covered)})"

    def beside(balancer: PathBalancer) -> Iterator[str]:
        missing = _missing(endpoint, balancer)
        if missing:
            crosses = balancer.crosses_zones
            setting = "not known" if isinstance(crosses, Unread) else "on" if crosses else "off"
            yield (
                f"endpoint {name} is not in {listed(missing)}, where load balancer {balancer.balancer.name} has a node;"
                f" cross-zone load balancing of the load balancer: {setting}"
            )
            known(crosses)

    yield from each(known(endpoint.balancers), beside)


def command(endpoint: PathEndpoint, network: Network, settings: Settings) -> str:
    """What is known is filled in: the load balancers' own subnets, in their order one for each zone, as endpoints have
    it."""

    def nodes(balancer: PathBalancer) -> Iterator[tuple[str, str]]:
        inside = balancer.balancer.vpc_id == endpoint.endpoint.vpc_id
        subnets = {zone.name: zone.subnet_id for zone in balancer.balancer.zones if inside}
        missing = _missing(endpoint, balancer)
        for name, zone_id in known(balancer.zone_ids).items():
            if zone_id in missing:
                yield zone_id, subnets.get(name, "")

    chosen: dict[str, str] = {}
    for zone_id, subnet_id in sorted(told(each(if_read(endpoint.balancers), nodes))[0]):
        chosen[zone_id] = chosen.get(zone_id) or subnet_id
    words = [one or f"SUBNET_ID_IN_{zone_id.upper().replace('-', '_')}" for zone_id, one in chosen.items()]
    if len(chosen.keys() | set(known(endpoint.zone_ids))) < _REQUIRED:
        words.append("SUBNET_ID_IN_ANOTHER_ZONE")
    return (
        f"aws ec2 modify-vpc-endpoint --region {shlex.quote(endpoint.region)}"
        f" --vpc-endpoint-id {shlex.quote(endpoint.endpoint.id)} --add-subnet-ids {' '.join(map(shlex.quote, words))}"
    )


RULE = Rule(
    id="AR504",
    name="endpoint_too_few_zones",
    title="Private service's endpoint is in too few Availability Zones",
    severity=Severity.MEDIUM,
    risk="When the endpoint's only zone fails, the private service is out of reach. In a zone without the endpoint the"
    " load balancer's node has no target of its own.",
    remediation="Give the endpoint a subnet in at least two zones, and in every zone of the load balancer before it."
    " Target sync registers the new addresses.",
    reference=PRIVATE_GUIDE,
    needs=("ingress_endpoints", "path_subnets", "load_balancers", "load_balancer_attributes"),
    check=check,
    fault=lambda message: message.partition("; ")[0],
    command=command,
)
