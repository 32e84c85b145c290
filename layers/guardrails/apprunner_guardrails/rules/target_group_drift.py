import re
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import BoundGroup, Network, Target, Wanted, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.rules._common import change_targets, listed, target_group, what_should_be
from apprunner_guardrails.settings import Policy, Settings
from apprunner_guardrails.targets.plan import HEALTHY


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drift:
    """Wanted and not registered; registered and neither wanted nor held; wanted, there and not healthy in time."""

    missing: tuple[Wanted, ...] = ()
    surplus: tuple[Target, ...] = ()
    unwell: tuple[Target, ...] = ()


def _drift(group: BoundGroup) -> _Drift:
    wanted, registered = known(group.wanted), known(group.registered)
    if not wanted and known(group.broken):
        what_should_be(group)
        return _Drift()  # AR516 tells
    there = {one.key for one in registered} | (set(group.settling) - group.overdue)
    keys = {one.key for one in wanted}
    due = keys | {one.target.key for one in group.held}
    one_is_healthy = any(one.state == HEALTHY for one in registered)  # else AR511 tells
    unwell = (one for one in registered if one.key in keys & group.overdue and one.state != HEALTHY and one_is_healthy)
    return _Drift(
        missing=tuple(one for one in wanted if one.key not in there),
        surplus=tuple(one for one in registered if one.key not in due),
        unwell=tuple(unwell),
    )


def check(group: BoundGroup, network: Network, settings: Settings) -> Iterator[str]:
    found, endpoints = _drift(group), listed(group.endpoint_ids)
    wanted, registered = len(known(group.wanted)), len(known(group.registered))
    policy = f"; policy {settings.sync_policy} keeps the function from"
    refused = f"; {group.failed}" if group.failed else ""
    if found.missing:
        kept = f"{policy} registering them" if settings.sync_policy is Policy.REPORT_ONLY else refused
        named = listed(f"{one.key} ({one.zone})" for one in found.missing)
        yield f"wanted for {endpoints} and not registered ({len(found.missing)} of {wanted}): {named}{kept}"
    if found.surplus:
        kept = refused if settings.sync_policy is Policy.SYNC else f"{policy} deregistering them"
        named = listed(one.key for one in found.surplus)
        yield f"registered and not wanted ({len(found.surplus)} of {registered}): {named}{kept}"
    if found.unwell:
        named = listed(one.key for one in found.unwell)
        why = listed({f"{one.state} {one.reason}".rstrip() for one in found.unwell})
        yield f"wanted for {endpoints} and still not healthy ({len(found.unwell)} of {wanted}): {named}; {why}"


def command(group: BoundGroup, network: Network, settings: Settings) -> str:
    found = _drift(group)
    full = group.failed.endswith("(TooManyTargets)")
    return "\n".join(
        (
            *(["# at the quota of targets: let it be raised, or make room, first"] if found.missing and full else ()),
            *change_targets(group, "register-targets", found.missing),
            *(["# once these are healthy:"] if found.missing and found.surplus else ()),
            *change_targets(group, "deregister-targets", found.surplus),
            *([f"aws elbv2 describe-target-health {target_group(group)}"] if found.unwell else ()),
        )
    )


RULE = Rule(
    id="AR510",
    name="target_group_drift",
    title="Target group is not in step with its endpoint",
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
