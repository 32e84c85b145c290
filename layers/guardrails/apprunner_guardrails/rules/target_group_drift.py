import re
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import BoundGroup, Network, Target, Wanted, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import change_targets, listed, what_should_be
from apprunner_guardrails.settings import Policy, Settings


def _drift(group: BoundGroup) -> tuple[list[Wanted], list[Target]]:
    """What is wanted and not registered, and what is registered and neither wanted nor held."""
    wanted, registered = known(group.wanted), known(group.registered)
    if not wanted and known(group.broken):
        what_should_be(group)
        return [], []  # AR516 tells
    there = {one.key for one in registered} | (set() if group.overdue else set(group.settling))
    due = {one.key for one in wanted} | {one.target.key for one in group.held}
    return [one for one in wanted if one.key not in there], [one for one in registered if one.key not in due]


def check(group: BoundGroup, network: Network, settings: Settings) -> Iterator[str]:
    missing, surplus = _drift(group)
    policy = f"; policy {settings.sync_policy} keeps the function from"
    if missing:
        kept = f"{policy} registering them" if settings.sync_policy is Policy.REPORT_ONLY else ""
        named = listed(f"{one.key} ({one.zone})" for one in missing)
        count = f"{len(missing)} of {len(known(group.wanted))}"
        yield f"wanted for {listed(group.endpoint_ids)} and not registered ({count}): {named}{kept}"
    if surplus:
        kept = "" if settings.sync_policy is Policy.SYNC else f"{policy} deregistering them"
        named = listed(one.key for one in surplus)
        yield f"registered and not wanted ({len(surplus)} of {len(known(group.registered))}): {named}{kept}"


def command(group: BoundGroup, network: Network, settings: Settings) -> str:
    missing, surplus = _drift(group)
    first = ["# once these are healthy:"] if missing and surplus else []
    return "\n".join(
        (
            *change_targets(group, "register-targets", missing),
            *first,
            *change_targets(group, "deregister-targets", surplus),
        )
    )


RULE = Rule(
    id="AR510",
    name="target_group_drift",
    title="Target group's targets are not the addresses of its endpoint",
    severity=Severity.HIGH,
    risk="Requests go to addresses that nobody answers at, or the zone of an address that is missing gets none.",
    remediation="The function tries again at every event and by its schedule; its log says what kept it. Where its"
    " policy does, choose policy sync, or run the commands: register first, and deregister once what was registered is"
    " healthy.",
    reference="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html",
    reports=(
        "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/109",
        "https://github.com/aws/aws-cdk/issues/7739",
    ),
    needs=("bindings", "target_groups", "bound_endpoints", "vpc_connections", "target_health"),
    check=check,
    fault=lambda message: re.sub(r" \(\d+ of \d+\)|;.*", "", message),
    command=command,
)
