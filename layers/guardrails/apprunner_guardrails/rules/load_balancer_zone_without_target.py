from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Moot, Network, NotKnown, PathBalancer, PathGroup, Target, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import each, listed, target_group
from apprunner_guardrails.rules._path import NLB_GUIDE
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.plan import EVERY_ZONE

_ANY = {EVERY_ZONE, ""}  # where AWS does not say, it may be any


def _registered(group: PathGroup) -> list[Target]:
    return [one for one in known(group.targets) if one.state != "draining"]


def _bare(balancer: PathBalancer) -> Iterator[tuple[PathGroup, tuple[str, ...]]]:
    """The target groups that leave zones of the load balancer without a target, and those zones by name: that is how
    load balancers call them, and in one account a name means one zone."""

    def bare(group: PathGroup) -> Iterator[tuple[PathGroup, tuple[str, ...]]]:
        served = {one.zone for one in _registered(group)}
        zones = {zone.name for zone in balancer.balancer.zones} - served
        if not zones or not served or served & _ANY:
            return
        own = group.crosses_zones
        if not known(balancer.crosses_zones if own is None else own):
            yield group, tuple(sorted(zones))

    return each(sorted(known(balancer.target_groups), key=lambda one: one.arn), bare)


def check(balancer: PathBalancer, network: Network, settings: Settings) -> Iterator[str]:
    found, why = told(_bare(balancer))
    for group, zones in found:
        yield (
            f"target group {group.group.name} has no target in {listed(zones)}, where load balancer"
            f" {balancer.balancer.name} has a node, and cross-zone load balancing is off"
        )
    if why:
        raise NotKnown(why)
    if not found and not all(map(_registered, known(balancer.target_groups))):
        raise Moot  # AR511 tells that a target group has no target at all


def command(balancer: PathBalancer, network: Network, settings: Settings) -> str:
    cross = "--attributes Key=load_balancing.cross_zone.enabled,Value=true"
    found, _ = told(_bare(balancer))
    return "\n".join(
        (
            "# give the endpoint a subnet in each of the zones and register its address, or let traffic cross zones:",
            *(f"aws elbv2 modify-target-group-attributes {target_group(group.group)} {cross}" for group, _ in found),
        )
    )


RULE = Rule(
    id="AR512",
    name="load_balancer_zone_without_target",
    title="Load balancer has a zone without a target",
    severity=Severity.HIGH,
    risk="With cross-zone load balancing off, a node of the load balancer sends requests to targets of its own zone"
    " alone: what arrives in a zone without one is lost.",
    remediation="Have an endpoint subnet, and so a target, in every zone of the load balancer, or switch cross-zone"
    " load balancing on.",
    reference=f"{NLB_GUIDE}load-balancer-target-groups.html",
    needs=(
        "load_balancers",
        "target_groups",
        "target_health",
        "target_group_attributes",
        "load_balancer_attributes",
    ),
    check=check,
    command=command,
)
