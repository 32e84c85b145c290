import shlex
from collections.abc import Iterable, Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import BoundGroup, Moot, Network, NotKnown, Target, if_read, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import change_targets, listed, target_group
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.plan import HEALTHY, is_unused


def _may_yet_be_healthy(group: BoundGroup, registered: tuple[Target, ...]) -> bool:
    begun = {*group.settling, *(one.key for one in registered if one.state == "initial")}
    return bool(begun - group.overdue) or (group.preparing and not registered)


def _gets_no_traffic(group: BoundGroup, registered: tuple[Target, ...]) -> bool:
    """No listener uses the group: then nobody waits for an answer either."""
    return all(map(is_unused, registered)) if registered else not group.in_use


def check(group: BoundGroup, network: Network, settings: Settings) -> Iterator[str]:
    registered = known(group.registered)
    if any(one.state == HEALTHY for one in registered):
        return
    if _gets_no_traffic(group, registered):
        return
    if _may_yet_be_healthy(group, registered):
        raise Moot  # neither a fault yet nor the end of one
    if not registered:
        yield "no target is registered: an NLB fails open then, and every request is lost"
        return
    if untold := [one for one in registered if one.state == "unavailable"]:
        raise NotKnown(f"the load balancer cannot tell: {_told(untold)}")
    yield f"no registered target is healthy ({len(registered)} registered): {_told(registered)}"


def _told(targets: Iterable[Target]) -> str:
    return listed(f"{one.key} is {one.state}{one.reason and f' ({one.reason})'}" for one in targets)


def command(group: BoundGroup, network: Network, settings: Settings) -> str:
    registered, which = known(group.registered), target_group(group)
    look = f"aws elbv2 describe-target-health {which}"
    if not registered:
        return "\n".join((*change_targets(group, "register-targets", if_read(group.wanted)), look))
    modify = f"aws elbv2 modify-target-group {which} --health-check-protocol TCP --health-check-port traffic-port"
    attributes = "--attributes Key=preserve_client_ip.enabled,Value=false"
    return "\n".join(
        (
            look,
            *(_admit(group, port) for port in sorted({one.port for one in registered})),
            modify,
            f"aws elbv2 modify-target-group-attributes {which} {attributes}",
        )
    )


def _admit(group: BoundGroup, port: int) -> str:
    return (
        f"aws ec2 authorize-security-group-ingress --region {shlex.quote(group.region)}"
        " --group-id ENDPOINT_SECURITY_GROUP_ID --ip-permissions"
        f" 'IpProtocol=tcp,FromPort={port},ToPort={port},UserIdGroupPairs=[{{GroupId=NLB_SECURITY_GROUP_ID}}]'"
    )


RULE = Rule(
    id="AR511",
    name="target_group_no_healthy_target",
    title="Target group has no healthy target",
    severity=Severity.CRITICAL,
    risk="An NLB without a healthy target fails open: its names go on resolving, and requests end nowhere."
    " The private service is down for all who come through it.",
    remediation="Let the endpoint's security group admit the NLB on the targets' port. Check health by TCP on the"
    " traffic port: a check by HTTP(S) does not name the service's host. Turn client IP preservation off: with it an"
    " endpoint's network interfaces lose all traffic.",
    reference="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html",
    reports=("https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1834",),
    needs=("target_health", "bindings", "target_groups", "bound_endpoints"),
    check=check,
    fault=lambda message: message.partition(":")[0].partition(" (")[0],
    command=command,
)
