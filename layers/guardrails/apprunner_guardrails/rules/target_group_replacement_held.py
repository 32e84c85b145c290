from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import BoundGroup, Held, Network
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import change_targets, target_group, what_should_be
from apprunner_guardrails.settings import Settings


def _overdue(group: BoundGroup) -> list[Held]:
    return [one for one in group.held if one.target.key in group.overdue]


def check(group: BoundGroup, network: Network, settings: Settings) -> Iterator[str]:
    for one in _overdue(group):
        yield f"{one.target.key} stays registered: {one.why}"
    if not group.held:  # nothing is held while it cannot be told what is wanted, or what there is
        what_should_be(group)


def command(group: BoundGroup, network: Network, settings: Settings) -> str:
    over = change_targets(group, "deregister-targets", (one.target for one in _overdue(group)))
    return "\n".join(
        (
            f"aws elbv2 describe-target-health {target_group(group)}",
            "# to let go all the same, once you accept that the zone is left without a target:",
            *(f"# {line}" for line in over),
        )
    )


RULE = Rule(
    id="AR517",
    name="target_group_replacement_held",
    title="Target group keeps targets that its endpoint no longer has",
    severity=Severity.HIGH,
    risk="A part of the requests goes to addresses that are on their way out, or gone already.",
    remediation="Find out why what is to take their place is not healthy: the endpoint's security group has to admit"
    " the NLB in each zone. Where the endpoint has left a zone for good, take the zone from the NLB, turn on cross-zone"
    " load balancing, or give the endpoint a subnet there.",
    reference="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html",
    reports=("https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3748",),
    needs=("bindings", "target_groups", "bound_endpoints", "target_health"),
    check=check,
    fault=lambda message: message.partition(": ")[0],
    command=command,
)
