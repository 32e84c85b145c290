"""What the rules of the private path need: who is let in, and the commands that mend."""

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

from apprunner_guardrails.facts import (
    IngressConnection,
    Listener,
    LoadBalancer,
    Moot,
    NotKnown,
    PathBalancer,
    PathEndpoint,
    SecurityGroup,
    TargetGroup,
    Unread,
    if_read,
    known,
)
from apprunner_guardrails.reach import peers_on
from apprunner_guardrails.targets.binding import TAG

PRIVATE_GUIDE = "https://docs.aws.amazon.com/apprunner/latest/dg/network-pl.html"
NLB_GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/"
HTTPS = 443
TO_NEW_GROUP = "--default-actions Type=forward,TargetGroupArn=NEW_TARGET_GROUP_ARN"
REPLACED = frozenset({"deleting", "deleted", "failed", "rejected", "expired"})  # such an endpoint never serves again

_EVERYWHERE = IPv4Network("0.0.0.0/0")
_LEAVING = frozenset({"PENDING_DELETION", "DELETED"})
_TAKES_TCP = frozenset({"TCP", "TLS", "TCP_UDP", "TCP_QUIC"})

type Lists = Mapping[str, tuple[str, ...] | Unread]  # the entries of prefix lists, by id


def requests_service(region: str) -> str:
    """The endpoint service by which private services are asked; without its last part it is App Runner's own API."""
    return f"com.amazonaws.{region}.apprunner.requests"


def what_is_to_stay(ingress: IngressConnection) -> None:
    """Moot where an ingress connection is on its way out."""
    if ingress.status in _LEAVING:
        raise Moot


def what_carries_requests(endpoint: PathEndpoint) -> None:
    """Moot where an endpoint is another service's (AR502), or no more to be had (AR503): those tell."""
    if endpoint.endpoint.service != requests_service(endpoint.region) or endpoint.endpoint.state in REPLACED:
        raise Moot


def listeners_of_path(balancer: PathBalancer) -> tuple[Listener, ...]:
    """The load balancer's TCP listeners that lead to target groups of private paths, by port."""
    groups = {group.arn for group in known(balancer.target_groups)}
    found = (
        listener
        for listener in known(balancer.listeners)
        if listener.protocol in _TAKES_TCP and not groups.isdisjoint(listener.target_group_arns)
    )
    return tuple(sorted(found, key=lambda listener: (listener.port, listener.arn)))


# Who is let in: CIDRs, groups and prefix lists that inbound rules name ------------------------------------------------


def admitted(groups: Iterable[SecurityGroup], port: int) -> frozenset[str]:
    """Whom the groups together let in by TCP on the port."""
    return frozenset(peers_on((rule for group in groups for rule in group.ingress), port))


def blocks_of(peers: Iterable[str], lists: Lists) -> frozenset[IPv4Network]:
    """The IPv4 blocks that the peers are or, being prefix lists that were read, hold."""
    cidrs = (cidr for peer in peers for cidr in (if_read(lists.get(peer)) if peer.startswith("pl-") else (peer,)))
    return frozenset(IPv4Network(cidr, strict=False) for cidr in cidrs if "/" in cidr and ":" not in cidr)


def is_everywhere(blocks: Iterable[IPv4Network]) -> bool:
    """Whether the blocks together are all of IPv4."""
    return list(collapse_addresses(blocks)) == [_EVERYWHERE]


def not_among(blocks: Collection[IPv4Network], addresses: Iterable[str]) -> tuple[str, ...]:
    """Of these addresses the IPv4 ones that no block holds, sorted: by IPv6 load balancers ask no endpoint."""
    ipv4 = (IPv4Address(address) for address in addresses if ":" not in address)
    return tuple(str(one) for one in sorted(ipv4) if not any(one in block for block in blocks))


def all_told(peers: Iterable[str], lists: Lists, group_ids: Iterable[str], groups: Iterable[SecurityGroup]) -> None:
    """NotKnown where somebody else than the peers may be let in: by a prefix list that was not read, or by a group that
    is not in sight."""
    named = {peer: lists.get(peer) for peer in peers if peer.startswith("pl-")}
    unread = (
        f"the entries of prefix list {name} were not read{f': {entries}' if entries else ''}"
        for name, entries in named.items()
        if not isinstance(entries, tuple)
    )
    hidden = set(group_ids) - {group.id for group in groups}
    why = sorted((*unread, *(f"{group_id} cannot be seen from this account" for group_id in hidden)))
    if why:
        raise NotKnown("; ".join(why))


# Commands -------------------------------------------------------------------------------------------------------------


def admit(region: str, group_id: str, port: int, peers: Iterable[str]) -> str:
    """The command that lets groups and IPv4 addresses in by TCP."""
    chosen = sorted(peers)
    groups = ",".join(f"{{GroupId={peer}}}" for peer in chosen if peer.startswith("sg-"))
    ranges = ",".join(f"{{CidrIp={peer}/32}}" for peer in chosen if not peer.startswith("sg-"))
    permission = ",".join(
        (
            f"IpProtocol=tcp,FromPort={port},ToPort={port}",
            *([f"UserIdGroupPairs=[{groups}]"] if groups else ()),
            *([f"IpRanges=[{ranges}]"] if ranges else ()),
        )
    )
    return (
        f"aws ec2 authorize-security-group-ingress --region {shlex.quote(region)} --group-id {shlex.quote(group_id)}"
        f" --ip-permissions {shlex.quote(permission)}"
    )


def update_ingress(ingress: IngressConnection, vpc_id: str, endpoint_id: str) -> Iterator[str]:
    """Commands, a line each, that lead an ingress connection to an endpoint, as far as its status lets them: App Runner
    updates it when it is AVAILABLE or FAILED, but from FAILED_DELETION it only deletes it."""
    if ingress.status == "FAILED_DELETION":
        yield "# from FAILED_DELETION it can only be deleted; another one has another domain name"
        yield delete_ingress(ingress)
        yield create_ingress(ingress, vpc_id, endpoint_id)
        return
    if ingress.status.startswith("PENDING_"):
        yield f"# once it is no longer {ingress.status}:"
    yield (
        f"aws apprunner update-vpc-ingress-connection {_ingress(ingress)}"
        f" --ingress-vpc-configuration {_where(vpc_id, endpoint_id)}"
    )


def delete_ingress(ingress: IngressConnection) -> str:
    return f"aws apprunner delete-vpc-ingress-connection {_ingress(ingress)}"


def create_ingress(ingress: IngressConnection, vpc_id: str, endpoint_id: str) -> str:
    return (
        f"aws apprunner create-vpc-ingress-connection --region {shlex.quote(ingress.region)}"
        f" --service-arn {shlex.quote(ingress.service_arn)} --vpc-ingress-connection-name {shlex.quote(ingress.name)}"
        f" --ingress-vpc-configuration {_where(vpc_id, endpoint_id)}"
    )


def _ingress(ingress: IngressConnection) -> str:
    return f"--region {shlex.quote(ingress.region)} --vpc-ingress-connection-arn {shlex.quote(ingress.arn)}"


def _where(vpc_id: str, endpoint_id: str) -> str:
    return shlex.quote(f"VpcId={vpc_id},VpcEndpointId={endpoint_id}")


def lead_to_another_endpoint(ingress: IngressConnection) -> Iterator[str]:
    """Commands, a line each, that find or make an endpoint for private services in the ingress connection's VPC, as
    like as can be to the one that it names, and lead it there."""
    named = known(ingress.endpoint)
    region, vpc_id = shlex.quote(ingress.region), shlex.quote(ingress.vpc_id)
    service = requests_service(ingress.region)
    alike = named if named and named.vpc_id == ingress.vpc_id else None
    subnets = " ".join(map(shlex.quote, sorted(alike.subnet_ids))) if alike else ""
    groups = " ".join(map(shlex.quote, sorted(alike.group_ids))) if alike else ""
    yield "# use the endpoint for private services that the VPC has; where it has none, make one:"
    yield (
        f"aws ec2 describe-vpc-endpoints --region {region}"
        f" --filters {shlex.quote(f'Name=vpc-id,Values={ingress.vpc_id}')} Name=service-name,Values={service}"
    )
    yield (
        f"aws ec2 create-vpc-endpoint --region {region} --vpc-endpoint-type Interface --vpc-id {vpc_id}"
        f" --service-name {service} --subnet-ids {subnets or 'PRIVATE_SUBNET_IDS'}"
        f" --security-group-ids {groups or 'SECURITY_GROUP_ID'}"
    )
    yield from update_ingress(ingress, ingress.vpc_id, "VPC_ENDPOINT_ID")


def new_target_group(region: str, name: str, vpc_id: str, endpoint_ids: Iterable[str]) -> str:
    """The command that makes a target group as an endpoint needs it. By the tag target sync fills it."""
    tag = f"Key={TAG},Value={' '.join(sorted(endpoint_ids)) or 'VPC_ENDPOINT_ID'}"
    return (
        f"aws elbv2 create-target-group --region {shlex.quote(region)} --name {replacement(name)}"
        f" --protocol TCP --port {HTTPS} --target-type ip --vpc-id {shlex.quote(vpc_id or 'VPC_ID')}"
        f" --health-check-protocol TCP --tags {shlex.quote(tag)}"
    )


def replace_target_group(group: TargetGroup, endpoint_ids: Iterable[str]) -> str:
    """Commands that put a new target group in the place of one whose type, protocol or port is wrong: those stay as
    they were made."""
    return (
        "# target sync fills the new group by its tag; its targets are checked once a listener leads to it\n"
        f"{new_target_group(group.region, group.name, group.vpc_id, endpoint_ids)}\n"
        f"aws elbv2 modify-listener --region {shlex.quote(group.region)} --listener-arn LISTENER_ARN --protocol TCP"
        f" {TO_NEW_GROUP}"
    )


def replacement(name: str) -> str:
    """A name for what takes the place of a load balancer or target group: at most 32 characters."""
    return f"{shlex.quote(name[:29])}-v2"


def load_balancer(balancer: LoadBalancer) -> str:
    """The options by which a command of elbv2 names the load balancer."""
    return f"--region {shlex.quote(balancer.region)} --load-balancer-arn {shlex.quote(balancer.arn)}"
