"""What several rules need: walks that survive unknowns, and the commands that mend."""

import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import batched, islice
from typing import Literal

from apprunner_guardrails.events import EXEMPTION
from apprunner_guardrails.exemptions import EXEMPTION_FORM, tag, untag
from apprunner_guardrails.facts import (
    AclEntry,
    BoundGroup,
    Connector,
    Moot,
    Network,
    NetworkAcl,
    NotKnown,
    Service,
    Subnet,
    Target,
    TargetGroup,
    Wanted,
    connector_subnets,
    known,
)
from apprunner_guardrails.once import once
from apprunner_guardrails.routes import effective_table, is_public
from apprunner_guardrails.settings import ANY_TAG, Settings
from apprunner_guardrails.targets.plan import EVERY_ZONE

CONNECTOR_GUIDE = "https://docs.aws.amazon.com/apprunner/latest/dg/network-vpc.html"
TAG_CONTROLS = "https://docs.aws.amazon.com/securityhub/latest/userguide/apprunner-controls.html"
TARGETS_IN_A_LINE = 40  # an alert leaves out a command whose line is too long


def each[S, T](subjects: Iterable[S], answers_of: Callable[[S], Iterator[T]]) -> Iterator[T]:
    """What there is to say of every subject; what one cannot tell is raised only after the others have spoken."""
    unknown: set[str] = set()
    for subject in subjects:
        try:
            yield from answers_of(subject)
        except NotKnown as why:
            unknown.add(str(why))
    if unknown:
        raise NotKnown("; ".join(sorted(unknown)))


def each_subnet[T](connector: Connector, network: Network, answers_of: Callable[[Subnet], Iterator[T]]) -> Iterator[T]:
    return each(connector_subnets(connector, network), answers_of)


def private_subnets_in(zone_ids: Iterable[str], network: Network) -> Iterator[Subnet]:
    """For each zone the private subnet of the VPC with most free addresses.

    NotKnown at the end, for the zones that show none but have a subnet whose routes cannot be told.
    """
    by_zone = _roomiest_first(known(network.subnets), network.vpc_id)

    def if_private(subnet: Subnet) -> Iterator[Subnet]:
        if not is_public(effective_table(subnet, network), network):
            yield subnet

    def roomiest(zone_id: str) -> Iterator[Subnet]:
        return islice(each(by_zone.get(zone_id, ()), if_private), 1)

    return each(sorted(set(zone_ids)), roomiest)


@once
def _roomiest_first(subnets: tuple[Subnet, ...], vpc_id: str) -> Mapping[str, tuple[Subnet, ...]]:
    """The VPC's subnets that take IPv4, by zone."""
    candidates = [one for one in subnets if one.vpc_id == vpc_id and not one.ipv6_native]
    candidates.sort(key=lambda subnet: (-subnet.free_addresses, subnet.id))
    by_zone: dict[str, list[Subnet]] = defaultdict(list)
    for one in candidates:
        by_zone[one.zone_id].append(one)
    return {zone_id: tuple(there) for zone_id, there in by_zone.items()}


def replace_connector(
    connector: Connector, subnet_ids: Iterable[str] = (), group_ids: Iterable[str] = (), note: str = ""
) -> str:
    """Commands that put a new connector in the place of this one, which cannot be changed.

    What is not known is a word in capitals for the reader to fill in.
    """
    subnets = " ".join(map(shlex.quote, sorted(subnet_ids))) or "PRIVATE_SUBNET_IDS"
    groups = " ".join(map(shlex.quote, sorted(group_ids))) or "SECURITY_GROUP_ID"
    region = f"--region {shlex.quote(connector.region)}"
    name = f"{shlex.quote(connector.name[:37])}-v2"
    create = f"--vpc-connector-name {name} --subnets {subnets} --security-groups {groups}"
    lines = (
        note and f"# {note}",
        # github.com/pulumi/pulumi-aws/issues/5364
        "# App Runner may refuse a second connector with the same security groups: give it copies of them then",
        f"aws apprunner create-vpc-connector {region} {create}",
        use_connector(connector.region, "NEW_CONNECTOR_ARN"),
        delete_connector(connector),
    )
    return "\n".join(filter(None, lines))


def by_age(connector: Connector) -> tuple[str, str]:
    """What sorts connectors from the oldest to the youngest; ISO times sort as text."""
    return connector.created, connector.arn


def use_connector(region: str, connector_arn: str) -> str:
    """The command that puts a service, which is for the reader to fill in, behind a connector."""
    egress = "{EgressType=VPC,VpcConnectorArn=" + connector_arn + "}"
    return (
        f"aws apprunner update-service --region {shlex.quote(region)} --service-arn SERVICE_ARN"
        f" --network-configuration EgressConfiguration={shlex.quote(egress)}"
    )


def delete_connector(connector: Connector) -> str:
    arn = shlex.quote(connector.arn)
    return f"aws apprunner delete-vpc-connector --region {shlex.quote(connector.region)} --vpc-connector-arn {arn}"


def update_service(service: Service, option: str, value: str) -> str:
    """The command that changes one of a service's configurations."""
    return (
        f"aws apprunner update-service --region {shlex.quote(service.region)} --service-arn {shlex.quote(service.arn)}"
        f" --{option} {shlex.quote(value)}"
    )


def set_network(service: Service) -> str:
    """The command that gives a service the network that this record has.

    All of it is said: what becomes of parts that are left out, AWS does not document.
    """
    egress = f"EgressType={service.egress.kind}"
    if service.connector_arn:
        egress += f",VpcConnectorArn={service.connector_arn}"
    public = str(service.public).lower()
    parts = (
        f"EgressConfiguration={{{egress}}}",
        f"IngressConfiguration={{IsPubliclyAccessible={public}}}",
        service.address_type and f"IpAddressType={service.address_type}",
    )
    return update_service(service, "network-configuration", ",".join(filter(None, parts)))


def connect_ingress(service: Service) -> str:
    """The command that makes a VPC ingress connection for a private service."""
    return (
        f"aws apprunner create-vpc-ingress-connection --region {shlex.quote(service.region)}"
        f" --service-arn {shlex.quote(service.arn)} --vpc-ingress-connection-name {shlex.quote(service.name)}"
        " --ingress-vpc-configuration VpcId=VPC_ID,VpcEndpointId=VPC_ENDPOINT_ID"
    )


def _missing_tags(tagged: Connector | Service, settings: Settings) -> tuple[str, ...]:
    """The keys of required tags that it lacks, or ANY_TAG; its tags are looked at only where some are required.

    Tags whose keys begin with aws: are AWS's own, and no sign that somebody cares for it.
    """
    required = settings.required_tags
    if not required:
        return ()
    tags = known(tagged.tags).keys()
    if required == (ANY_TAG,):
        return () if any(not key.startswith("aws:") for key in tags) else required
    return tuple(sorted(set(required) - tags))


def lacks_tags(tagged: Connector | Service, settings: Settings) -> Iterator[str]:
    missing = _missing_tags(tagged, settings)
    if missing == (ANY_TAG,):
        yield "it has no tags beside AWS's own, and at least one is required"
    elif missing:
        yield f"it lacks required tags: {listed(missing)}"


def put_tags(tagged: Connector | Service, settings: Settings) -> str:
    """The command that puts the missing tags on it; their values are for the reader to fill in."""
    keys = ("KEY" if key == ANY_TAG else key for key in _missing_tags(tagged, settings))
    return tag(tagged.arn, tagged.region, dict.fromkeys(keys, "VALUE"))


def tag_commands(arn: str, malformed: Iterable[str]) -> str:
    """Commands that take tags off a resource and put an exemption of the right form on it."""
    region = arn.split(":")[3]
    return f"{untag(arn, region, malformed)}\n{tag(arn, region, {f'{EXEMPTION}RULE_ID': EXEMPTION_FORM})}"


def target_group(group: BoundGroup | TargetGroup) -> str:
    """The options by which a command of elbv2 names the target group."""
    return f"--region {shlex.quote(group.region)} --target-group-arn {shlex.quote(group.arn)}"


def change_targets(
    group: BoundGroup, verb: Literal["register-targets", "deregister-targets"], targets: Iterable[Wanted | Target]
) -> Iterator[str]:
    """Commands, a line each, that register or deregister the targets."""
    for some in batched(sorted(map(_target_option, targets)), TARGETS_IN_A_LINE, strict=False):
        yield f"aws elbv2 {verb} {target_group(group)} --targets {' '.join(some)}"


def _target_option(target: Wanted | Target) -> str:
    everywhere = target.outside if isinstance(target, Wanted) else target.zone == EVERY_ZONE
    zone = f",AvailabilityZone={EVERY_ZONE}" if everywhere else ""
    return shlex.quote(f"Id={target.address},Port={target.port}{zone}")


def set_route(
    network: Network,
    verb: Literal["create-route", "replace-route"],
    table_id: str,
    destination: str,
    nat_gateway: str = "NAT_GATEWAY_ID",
) -> str:
    """The command that sends a destination to a NAT gateway or, where it is IPv6, to an egress-only gateway."""
    option, target = "--destination-cidr-block", f"--nat-gateway-id {shlex.quote(nat_gateway)}"
    if destination.startswith("pl-"):
        option = "--destination-prefix-list-id"
    elif ":" in destination:
        option, target = "--destination-ipv6-cidr-block", "--egress-only-internet-gateway-id EGRESS_ONLY_GATEWAY_ID"
    return (
        f"aws ec2 {verb} --region {shlex.quote(network.region)} --route-table-id {shlex.quote(table_id)}"
        f" {option} {shlex.quote(destination)} {target}"
    )


def free_number(acl: NetworkAcl, *, egress: bool, before: int) -> int:
    """The highest number of the ACL that is free and comes before another; 0 where none is."""
    taken = {entry.number for entry in acl.entries if entry.egress == egress}
    return next((number for number in range(before - 1, 0, -1) if number not in taken), 0)


def allow_in_acl(network: Network, acl: NetworkAcl, entry: AclEntry) -> str:
    """The command that adds an entry for TCP to an ACL."""
    option = "--ipv6-cidr-block" if ":" in entry.cidr else "--cidr-block"
    return (
        f"aws ec2 create-network-acl-entry --region {shlex.quote(network.region)}"
        f" --network-acl-id {shlex.quote(acl.id)} {'--egress' if entry.egress else '--ingress'}"
        f" --rule-number {entry.number or 'RULE_NUMBER'} --protocol tcp --rule-action allow"
        f" {option} {shlex.quote(entry.cidr)} --port-range From={entry.from_port},To={entry.to_port}"
    )


def what_should_be(group: BoundGroup) -> None:
    """Moot where a group has targets, and a broken binding (AR516) does not tell which of them are wanted."""
    wanted, registered = known(group.wanted), known(group.registered)
    if registered and not wanted:
        raise Moot


def listed(items: Iterable[str], nothing: str = "none") -> str:
    """Sorted, comma-separated, or a word for nothing."""
    return ", ".join(sorted(items)) or nothing
