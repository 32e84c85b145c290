"""VPC connectors that could not be made or deleted, and what is wrong with a connector's network."""

from collections.abc import Iterable, Iterator

from apprunner_guardrails.alerts import Explanation, counted
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.facts import (
    CONNECTOR_QUOTA,
    Connector,
    Network,
    NotKnown,
    Service,
    Subnet,
    Unread,
    connector_subnets,
    if_read,
    is_gone,
    is_over,
    told,
)
from apprunner_guardrails.failed_calls import _tell as tell
from apprunner_guardrails.failed_calls.asked import (
    ALREADY,
    Refusal,
    connector_arn,
    connector_asked,
    other_region,
    refusal,
    says,
)
from apprunner_guardrails.failed_calls.seen import Seen
from apprunner_guardrails.light import replace
from apprunner_guardrails.records import text
from apprunner_guardrails.routes import effective_table, is_public
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, private_subnets_in

DEFAULT_QUOTA = 10  # docs.aws.amazon.com/general/latest/gr/apprunner.html

UNSUPPORTED_ZONE = "AR104"
SUBNETS, GROUP = "PRIVATE_SUBNET_IDS", "SECURITY_GROUP_ID"  # for the reader to fill in
_RETRY = "https://github.com/aws/apprunner-roadmap/issues/161"


def causes_found(seen: Seen) -> Iterator[str]:
    """What the rules find wrong with the connector that was seen, in the order in which they were asked."""
    for finding in seen.failing:
        for message in finding.messages:
            yield f"{finding.rule} {finding.title}: {message}"


def create(failed: FailedCall, seen: Seen) -> Explanation:
    name, asked = text(failed.request.get("vpcConnectorName")), connector_asked(failed)
    if refusal(failed) is Refusal.QUOTA:
        return _quota(failed, seen, name)
    taken = taken_name(name, seen)
    if taken and says(failed, ALREADY):
        return _name_taken(failed, seen, taken)
    found = _fault_of(asked, failed, seen) if asked else None
    besides = tuple(_there_now(name, asked, seen))
    return found or tell.explained(
        failed,
        seen,
        title=f"VPC connector {tell.shown(name)} could not be created",
        what=f"App Runner refused it. {tell.nothing_found(seen, besides=bool(besides))} A connector needs a name and a"
        " set of security groups that no other one has, and private subnets of one VPC and one address type in zones"
        " that App Runner supports.",
        causes=besides,
        cause=("connector-refused", failed.code, name),
        commands=(tell.cli(failed, "apprunner list-vpc-connectors"),),
        reference=CONNECTOR_GUIDE,
    )


def _fault_of(asked: Connector, failed: FailedCall, seen: Seen) -> Explanation | None:
    """That two connectors have the same groups was reported as a reason, but not always: it is one only where the
    message says so."""
    same, apart = same_groups(asked, seen), tuple(_in_other_vpcs(asked, seen))
    if same and says(failed, ALREADY):
        return _groups_taken(failed, seen, asked, same)
    if apart:
        return _several_vpcs(failed, seen, asked, apart)
    if seen.network and seen.failing:
        return _unsuitable(failed, seen, asked, seen.network)
    return None


def _there_now(name: str, asked: Connector | None, seen: Seen) -> Iterator[str]:
    """Connectors that another attempt would meet, where App Runner's answer does not speak of them."""
    taken, same = taken_name(name, seen), same_groups(asked, seen) if asked else None
    if taken:
        yield tell.made_since(taken.arn)
    if same and same != taken:
        yield (
            f"{same.arn} has the same security groups, which App Runner may refuse; its answer does not speak of that"
        )


def taken_name(name: str, seen: Seen) -> Connector | None:
    return next((one for one in _active(seen) if name and one.name == name), None)


def same_groups(asked: Connector, seen: Seen) -> Connector | None:
    """The connector that has the same security groups already. Where one names none, its VPC's default group counts."""
    wanted = _groups(asked, seen.network)
    return next((one for one in _active(seen) if wanted and _groups(one, seen.network) == wanted), None)


def _groups(connector: Connector, network: Network | None) -> tuple[str, ...]:
    """Nothing where it cannot be told: the default group is known for one VPC at most."""
    if connector.security_group_ids or network is None or isinstance(network.subnets, Unread):
        return connector.security_group_ids
    here = {subnet.id for subnet in network.subnets if subnet.vpc_id == network.vpc_id}
    groups = if_read(network.security_groups)
    default = (group.id for group in groups if group.name == "default" and group.vpc_id == network.vpc_id)
    return tuple(default) if here & set(connector.subnet_ids) else ()


def _active(seen: Seen) -> tuple[Connector, ...]:
    return tuple(sorted((one for one in if_read(seen.connectors) if not is_over(one)), key=lambda one: one.arn))


def _name_taken(failed: FailedCall, seen: Seen, taken: Connector) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"VPC connector {tell.shown(taken.name)} exists already",
        what="App Runner keeps one revision of a connector's name, and a connector cannot be changed: a new one needs"
        " a new name.",
        causes=(f"{taken.arn} has that name: {_placed(taken)}",),
        commands=(
            "# under another name; then point the services at it, and delete the old one",
            "# App Runner may refuse it if its security groups are those of another connector: give it copies then",
            _create_command(failed, _free_name(taken.name, seen), connector_asked(failed)),
            *_switch_commands(failed, taken),
        ),
        cause=("connector-name-taken", taken.arn),
        reference=CONNECTOR_GUIDE,
    )


def _free_name(name: str, seen: Seen) -> str:
    return f"{name[:37]}-v2" if taken_name(name, seen) else name


def _groups_taken(failed: FailedCall, seen: Seen, asked: Connector, same: Connector) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"VPC connector {tell.shown(asked.name)} has the security groups of connector {tell.shown(same.name)}",
        what="App Runner may refuse a second connector with a set of security groups that another one has.",
        causes=(f"{same.arn} has the same security groups: {_placed(same)}",),
        commands=(
            "# either use the connector that is there",
            _use(failed, "SERVICE_ARN", same.arn),
            "# or give the new one a group of its own, with the same outbound rules",
            tell.cli(
                failed,
                "ec2 create-security-group",
                group_name="NEW_GROUP_NAME",
                description="NEW_GROUP_DESCRIPTION",
                vpc_id=tell.word(seen.network.vpc_id if seen.network else "", "VPC_ID"),
            ),
            _create_command(failed, asked.name, asked, groups="NEW_GROUP_ID"),
        ),
        cause=("connector-groups-taken", same.arn),
        reference="https://github.com/pulumi/pulumi-aws/issues/5364",
    )


def _placed(connector: Connector) -> str:
    groups = ", ".join(connector.security_group_ids) or "the VPC's default group"
    return f"subnets {', '.join(connector.subnet_ids)}; security groups {groups}"


def _quota(failed: FailedCall, seen: Seen, name: str) -> Explanation:
    active, read = _active(seen), isinstance(seen.quota, int)
    quota = seen.quota if isinstance(seen.quota, int) else DEFAULT_QUOTA
    unused, complete = _unused(seen, active)
    causes = []
    if isinstance(seen.connectors, tuple):
        source = "" if read else " (the default: the account's own quota could not be read)"
        causes.append(f"{_active_connectors(len(active))} of {quota} in {failed.region}{source}")
    causes += [f"no service uses {one.name} ({one.arn})" for one in unused]
    if active and complete and not unused:
        causes.append("every one of them is used by a service")
    return tell.explained(
        failed,
        seen,
        title=f"VPC connector {tell.shown(name)} is over the quota of connectors",
        what="The account has as many VPC connectors in this Region as it may.",
        causes=causes,
        commands=(
            *("# delete those that no service uses" for _ in unused[:1]),
            *(_delete(failed, one.arn) for one in unused),
            "# or ask for more" if unused else "# ask for more",
            tell.more_of(failed, CONNECTOR_QUOTA, str(max(quota, len(active)) * 2) if read else "NUMBER"),
        ),
        cause=("connector-quota", failed.region),
        reference=tell.QUOTAS,
    )


def _active_connectors(count: int) -> str:
    return f"{counted(count, 'VPC connector')} {'is' if count == 1 else 'are'} active"


def _unused(seen: Seen, active: tuple[Connector, ...]) -> tuple[tuple[Connector, ...], bool]:
    """The connectors that no service uses, and whether that could be told: one service unread, and it could be its."""
    if not _all_described(seen):
        return (), False
    used = {one.connector_arn for one in _described(seen)}
    return tuple(one for one in active if one.arn not in used), True


def _all_described(seen: Seen) -> bool:
    services = seen.services
    return isinstance(services, tuple) and all(isinstance(one, Service) or is_gone(one) for one in services)


def _described(seen: Seen) -> list[Service]:
    """The services that are there, as far as they could be read."""
    there = (one for one in if_read(seen.services) if isinstance(one, Service) and not is_over(one))
    return sorted(there, key=lambda one: one.arn)


def _in_other_vpcs(asked: Connector, seen: Seen) -> Iterator[str]:
    """Subnets that are not all of one VPC, and groups that are not of the subnets' VPC."""
    subnets = if_read(seen.subnets)
    vpc_ids = sorted({one.vpc_id for one in subnets})
    if not vpc_ids:
        return
    if len(vpc_ids) > 1:
        for vpc_id in vpc_ids:
            yield f"of {vpc_id}: {', '.join(sorted(one.id for one in subnets if one.vpc_id == vpc_id))}"
    elif seen.network is not None and not isinstance(seen.network.security_groups, Unread):
        for group in sorted(seen.network.security_groups, key=lambda one: one.id):
            if group.id in asked.security_group_ids and group.vpc_id != vpc_ids[0]:
                yield f"{group.id} is of {group.vpc_id}, the subnets are of {vpc_ids[0]}"


def _several_vpcs(failed: FailedCall, seen: Seen, asked: Connector, causes: Iterable[str]) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"VPC connector {tell.shown(asked.name)} was asked for in several VPCs",
        what="A connector's subnets and security groups are of one VPC.",
        causes=(*causes, *_there_now(asked.name, asked, seen)),
        commands=(_create_command(failed, _free_name(asked.name, seen), asked, subnets=SUBNETS, groups=GROUP),),
        cause=("connector-several-vpcs", asked.name),
        reference=CONNECTOR_GUIDE,
    )


def _unsuitable(failed: FailedCall, seen: Seen, asked: Connector, network: Network) -> Explanation:
    groups: Iterable[str] = asked.security_group_ids
    if not isinstance(network.security_groups, Unread):
        groups = {one.id for one in network.security_groups} & set(groups)
    return tell.explained(
        failed,
        seen,
        title=f"VPC connector {tell.shown(asked.name)} was refused, and breaks"
        f" {counted(len(seen.failing), 'guardrail')}",
        what="App Runner refused it. The likely causes are what the guardrails find wrong with its subnets and"
        " security groups.",
        causes=(*causes_found(seen), *_there_now(asked.name, asked, seen)),
        commands=(
            _create_command(
                failed,
                _free_name(asked.name, seen),
                asked,
                subnets=_better_subnets(asked, network, seen),
                groups=_words(groups) or GROUP,
            ),
        ),
        cause=("connector-unsuitable", *seen.broken_rules, asked.name),
        reference=CONNECTOR_GUIDE,
    )


def _better_subnets(asked: Connector, network: Network, seen: Seen) -> str:
    """The asked subnets that can stay, a private one for each zone that loses its own, all of one address type."""
    try:
        wanted = connector_subnets(asked, network)
    except NotKnown:
        return SUBNETS
    messages = [message for one in seen.failing if one.rule == UNSUPPORTED_ZONE for message in one.messages]
    unsupported = {message.partition(" ")[0] for message in messages}
    supported = [one for one in wanted if one.id not in unsupported]
    kept = [one for one in supported if not one.ipv6_native and not _public(one, network)]
    lost = {one.zone_id for one in supported} - {one.zone_id for one in kept}
    candidates = [*kept, *told(private_subnets_in(lost, network))[0]]
    dual = [one.id for one in candidates if one.ipv6_cidrs]
    ipv4 = [one.id for one in candidates if not one.ipv6_cidrs]
    return _words(dual if len(dual) >= len(ipv4) else ipv4) or SUBNETS


def _public(subnet: Subnet, network: Network) -> bool:
    try:
        return is_public(effective_table(subnet, network), network)
    except NotKnown:
        return False


def _create_command(
    failed: FailedCall, name: str, asked: Connector | None, *, subnets: str = "", groups: str = ""
) -> str:
    """Where `subnets` and `groups` are empty, those that were asked for."""
    asked_subnets, asked_groups = (_words(asked.subnet_ids), _words(asked.security_group_ids)) if asked else ("", "")
    return tell.cli(
        failed,
        "apprunner create-vpc-connector",
        vpc_connector_name=tell.word(name, "NAME"),
        subnets=subnets or asked_subnets or SUBNETS,
        security_groups=groups or asked_groups or GROUP,
    )


def _words(ids: Iterable[str]) -> str:
    return " ".join(tell.word(one, "ID") for one in sorted(ids))


def _switch_commands(failed: FailedCall, old: Connector) -> tuple[str, ...]:
    return (_use(failed, "SERVICE_ARN", ""), _delete(failed, old.arn))


def _use(failed: FailedCall, service: str, connector: str) -> str:
    """Let a service use a connector; with no service or connector, words for the reader to fill in."""
    egress = _egress(f"EgressType=VPC,VpcConnectorArn={connector or 'NEW_CONNECTOR_ARN'}")
    return tell.cli(failed, "apprunner update-service", service_arn=service, network_configuration=egress)


def _leave(failed: FailedCall, service: Service) -> str:
    arn, egress = tell.word(service.arn, "SERVICE_ARN"), _egress("EgressType=DEFAULT")
    return tell.cli(failed, "apprunner update-service", service_arn=arn, network_configuration=egress)


def _egress(setting: str) -> str:
    return tell.word(f"EgressConfiguration={{{setting}}}", "NETWORK_CONFIGURATION")


def _delete(failed: FailedCall, arn: str) -> str:
    return tell.cli(failed, "apprunner delete-vpc-connector", vpc_connector_arn=tell.word(arn, "VPC_CONNECTOR_ARN"))


def delete(failed: FailedCall, seen: Seen) -> Explanation:
    arn = connector_arn(failed)
    if refusal(failed) is Refusal.GONE or other_region(failed, arn):
        return _delete_gone(failed, seen, arn)
    users = [one for one in _described(seen) if arn and one.connector_arn == arn]
    if users:
        return _in_use(failed, seen, arn, users)
    if is_over(seen.connector):
        return _delete_gone(failed, seen, arn)
    return _delete_refused(failed, seen, arn)


def _in_use(failed: FailedCall, seen: Seen, arn: str, users: list[Service]) -> Explanation:
    name = tell.shown(tell.name_of(arn))
    return tell.explained(
        failed,
        seen,
        title=f"VPC connector {name} cannot be deleted while services use it",
        what="App Runner deletes a connector only when no service uses it, and does not say which do.",
        causes=(f"service {one.name} uses it ({_state(one)}): {one.arn}" for one in users),
        commands=(
            "# take each service off it (out of the VPC: it loses what it reaches there) …",
            *(_leave(failed, one) for one in users),
            "# … or give it another connector",
            *(_use(failed, tell.word(one.arn, "SERVICE_ARN"), "OTHER_CONNECTOR_ARN") for one in users),
            "# then, when the updates are over",
            _delete(failed, arn),
        ),
        cause=("connector-in-use", arn),
        reference=CONNECTOR_GUIDE,
    )


def _state(service: Service) -> str:
    waits = "; wait until that is over" if service.busy else ""
    return f"{service.status}{waits}"


def _delete_refused(failed: FailedCall, seen: Seen, arn: str) -> Explanation:
    described, read_all = _described(seen), bool(arn) and _all_described(seen)
    busy = [one for one in described if one.busy]
    causes = []
    if read_all:
        causes.append(
            f"none of the services in the Region uses it now ({len(described)} looked at). App Runner may refuse for"
            " a while after the last one was deleted or switched, as users report: try again later"
        )
    causes += [f"service {one.name} has an operation in progress, which may hold it still: {one.arn}" for one in busy]
    return tell.explained(
        failed,
        seen,
        title=f"VPC connector {tell.shown(tell.name_of(arn))} could not be deleted",
        what="App Runner deletes a connector only when no service uses it.",
        causes=causes,
        commands=(_delete(failed, arn),),
        cause=("connector-not-deleted", arn or failed.code),
        reference=_RETRY if read_all else CONNECTOR_GUIDE,
    )


def _delete_gone(failed: FailedCall, seen: Seen, arn: str) -> Explanation:
    causes, region = [], other_region(failed, arn)
    if region:
        causes.append(f"the ARN is of Region {region}, and the call went to {failed.region}")
    elif is_gone(seen.connector):
        causes.append("there is no such connector: it was deleted a while ago, or never was")
    elif isinstance(seen.connector, Connector):
        since = "" if refusal(failed) is Refusal.GONE else ", perhaps since the call"
        active = seen.connector.status == "ACTIVE"
        causes.append(f"it is {seen.connector.status}" + ("" if active else f": deleted{since}"))
    return tell.explained(
        failed,
        seen,
        title=f"VPC connector {tell.shown(tell.name_of(arn))} is not there to be deleted",
        what="App Runner does not know it, or no longer.",
        causes=causes,
        commands=(
            _delete(replace(failed, region=region), arn)
            if region
            else tell.cli(failed, "apprunner list-vpc-connectors"),
        ),
        cause=("connector-gone", arn or failed.code),
        reference=f"{tell.API}/API_DeleteVpcConnector.html",
    )
