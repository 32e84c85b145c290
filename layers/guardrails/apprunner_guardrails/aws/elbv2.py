"""Elastic Load Balancing: load balancers, target groups and their targets. Targets and tags are all that we change of a
user's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.reads import Pending, Reads, action, each_of
from apprunner_guardrails.aws.writes import tried
from apprunner_guardrails.facts import BalancerZone, Listener, LoadBalancer, Target, TargetGroup, Unread, Wanted

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import (
        ListenerTypeDef,
        LoadBalancerTypeDef,
        TargetGroupTypeDef,
        TargetHealthDescriptionTypeDef,
    )

    from apprunner_guardrails.aws.reads import Page

NO_GROUP = "TargetGroupNotFound"  # AWS's answer where a group is not there (any more), or one of those asked for
NO_BALANCER = "LoadBalancerNotFound"  # the same of a load balancer
NAMED = 20  # resources that DescribeTags takes by name in one call; more groups are asked for in as many calls
LISTED = 100  # groups from which on listing all of the Region takes no more calls than naming them
PAGE = 400  # groups a page, the most that AWS gives
CHUNK = 200  # targets in one call; AWS documents no maximum
CROSS_ZONE = "load_balancing.cross_zone.enabled"
OF_BALANCER = "use_load_balancer_configuration"
CLIENT_IP = "preserve_client_ip.enabled"
QUOTAS = frozenset({"TooManyTargets", "TooManyRegistrationsForTargetId"})


def tags_of(
    reads: Reads, arns: Iterable[str], gone: str = NO_GROUP
) -> Callable[[], Mapping[str, Mapping[str, str] | Unread]]:
    """The tags of each target group (or load balancer, with NO_BALANCER), by ARN, as they are now; Unread with the code
    `gone` where there is none of that ARN."""

    def ask(some: tuple[str, ...]) -> Pending[Mapping[str, Mapping[str, str]]]:
        return reads.ask("elbv2", "DescribeTags", _tags, ResourceArns=list(some))

    return each_of(tuple(arns), ask, call=action("elbv2", "DescribeTags"), most=NAMED, gone=gone)


def all_target_groups(reads: Reads) -> Pending[tuple[TargetGroup, ...]]:
    """Every target group of the Region, by ARN."""
    return reads.ask("elbv2", "DescribeTargetGroups", _every_group, PageSize=PAGE)


def groups_of(reads: Reads, balancer_arn: str) -> Pending[tuple[TargetGroup, ...]]:
    """The target groups that a load balancer's listeners lead to, by ARN. AWS does not document whether it answers with
    an empty list where there are none, or with NO_GROUP, as moto does: both are none here."""
    asked = reads.ask("elbv2", "DescribeTargetGroups", _every_group, LoadBalancerArn=balancer_arn, PageSize=PAGE)

    def wait() -> tuple[TargetGroup, ...] | Unread:
        told = asked()
        return () if isinstance(told, Unread) and told.code == NO_GROUP else told

    return wait


def target_groups(reads: Reads, arns: Iterable[str]) -> Callable[[], Mapping[str, TargetGroup | Unread]]:
    """Each target group, by ARN; Unread with NO_GROUP where there is no such group."""
    wanted = tuple(arns)
    if len(wanted) <= LISTED:
        return _named_groups(reads, wanted)
    listed = reads.ask("elbv2", "DescribeTargetGroups", _groups, PageSize=PAGE)

    def wait() -> Mapping[str, TargetGroup | Unread]:
        found = listed()
        if isinstance(found, Unread):
            return dict.fromkeys(wanted, found)
        left = [arn for arn in wanted if arn not in found]  # the list may lag behind
        named = _named_groups(reads, left)()
        return {arn: found.get(arn) or named[arn] for arn in wanted}

    return wait


def _named_groups(reads: Reads, arns: Sequence[str]) -> Callable[[], Mapping[str, TargetGroup | Unread]]:
    def ask(some: tuple[str, ...]) -> Pending[Mapping[str, TargetGroup]]:
        return reads.ask("elbv2", "DescribeTargetGroups", _groups, TargetGroupArns=list(some))

    return each_of(arns, ask, call=action("elbv2", "DescribeTargetGroups"), most=NAMED, gone=NO_GROUP)


def target_health(reads: Reads, arn: str) -> Pending[tuple[Target, ...]]:
    """A group's targets by address and port, those that drain included."""
    return reads.ask("elbv2", "DescribeTargetHealth", _targets, TargetGroupArn=arn)


def crosses_zones(reads: Reads, group: TargetGroup) -> bool | Unread:
    """Whether each zone's load balancer node sends traffic to the targets of all zones; a call, or one more for each
    load balancer where the group leaves it to that."""
    said = group_attributes(reads, group.arn)()
    if isinstance(said, Unread):
        return said
    own = own_word_on_zones(said)
    if own is not None:
        return own
    asked = [balancer_crosses_zones(reads, arn) for arn in group.load_balancer_arns]
    balancers = [one() for one in asked]
    untold = next((one for one in balancers if isinstance(one, Unread)), None)
    if untold is not None:
        return untold
    return bool(balancers) and all(balancers)


def group_attributes(reads: Reads, arn: str) -> Pending[Mapping[str, str]]:
    return reads.ask("elbv2", "DescribeTargetGroupAttributes", _attributes, TargetGroupArn=arn)


def own_word_on_zones(attributes: Mapping[str, str]) -> bool | None:
    """Whether traffic crosses zones by a target group's own attribute; None where it leaves that to its load balancer.
    Left out of a short answer, nothing was left to that."""
    said = attributes.get(CROSS_ZONE)
    return None if said == OF_BALANCER else said == "true"


def preserves_client_ip(group: TargetGroup, attributes: Mapping[str, str]) -> bool:
    """Left out of the answer, it is what AWS makes it: off for groups of addresses that take TCP or TLS
    (docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html)."""
    if CLIENT_IP in attributes:
        return attributes[CLIENT_IP] == "true"
    return group.target_type != "ip" or group.protocol not in ("TCP", "TLS")


def balancer_crosses_zones(reads: Reads, arn: str) -> Pending[bool]:
    """Whether a load balancer's nodes send traffic to all zones, where target groups leave it to the balancer."""
    return reads.ask("elbv2", "DescribeLoadBalancerAttributes", _crosses_zones, LoadBalancerArn=arn)


def load_balancers(reads: Reads, arns: Iterable[str]) -> Callable[[], Mapping[str, LoadBalancer | Unread]]:
    """Each Network Load Balancer, by ARN; Unread with NO_BALANCER where there is none."""

    def ask(some: tuple[str, ...]) -> Pending[Mapping[str, LoadBalancer]]:
        return reads.ask("elbv2", "DescribeLoadBalancers", _balancers, LoadBalancerArns=list(some))

    return each_of(tuple(arns), ask, call=action("elbv2", "DescribeLoadBalancers"), most=NAMED, gone=NO_BALANCER)


def listeners(reads: Reads, balancer_arn: str) -> Pending[tuple[Listener, ...]]:
    """A load balancer's listeners by port, whole."""
    return reads.ask("elbv2", "DescribeListeners", _listeners, LoadBalancerArn=balancer_arn, PageSize=PAGE)


def chunks[T](targets: Sequence[T]) -> Iterable[tuple[T, ...]]:
    """As many targets together as go into one call."""
    return batched(targets, CHUNK, strict=False)


def register(client: Clients, arn: str, targets: Sequence[Wanted]) -> Unread | None:
    """Register a chunk of targets, always with their port; what went wrong, if something did."""
    described = [
        {"Id": one.address, "Port": one.port, **({"AvailabilityZone": "all"} if one.outside else {})} for one in targets
    ]
    return tried(
        "elbv2",
        "RegisterTargets",
        lambda: client("elbv2").register_targets(  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
            TargetGroupArn=arn, Targets=described
        ),
    )


def deregister(client: Clients, arn: str, targets: Sequence[Target]) -> Unread | None:
    """Deregister a chunk of targets, always with their port: without one AWS may say yes and do nothing."""
    described = [{"Id": one.address, "Port": one.port} for one in targets]
    return tried(
        "elbv2",
        "DeregisterTargets",
        lambda: client("elbv2").deregister_targets(  # type: ignore[attr-defined]  # as above
            TargetGroupArn=arn, Targets=described
        ),
    )


def target_group(row: "TargetGroupTypeDef") -> TargetGroup:
    """Groups from before there were kinds of targets are of instances; those of Lambda functions have no port."""
    return TargetGroup(
        arn=row["TargetGroupArn"],
        name=row["TargetGroupName"],
        vpc_id=row.get("VpcId", ""),
        port=row.get("Port", 0),
        target_type=row.get("TargetType", "instance"),
        ipv6=row.get("IpAddressType", "ipv4") == "ipv6",
        load_balancer_arns=tuple(sorted(row.get("LoadBalancerArns", ()))),
        protocol=row.get("Protocol", ""),
        health_check_protocol=row.get("HealthCheckProtocol", ""),
    )


def target(row: "TargetHealthDescriptionTypeDef") -> Target:
    named, health = row["Target"], row.get("TargetHealth", {})
    return Target(
        address=named["Id"],
        port=named.get("Port", 0),
        zone=named.get("AvailabilityZone") or "",
        state=health.get("State", "unavailable"),
        reason=health.get("Reason") or "",
    )


def load_balancer(row: "LoadBalancerTypeDef") -> LoadBalancer:
    """Whether its groups guard PrivateLink traffic is told only where that was set, or it has groups."""
    zones = (BalancerZone(name=one["ZoneName"], subnet_id=one["SubnetId"]) for one in row.get("AvailabilityZones", ()))
    return LoadBalancer(
        arn=row["LoadBalancerArn"],
        name=row["LoadBalancerName"],
        vpc_id=row.get("VpcId", ""),
        internal=row.get("Scheme") == "internal",
        dns_name=row.get("DNSName", ""),
        zones=tuple(sorted(zones, key=lambda zone: zone.name)),
        group_ids=tuple(sorted(row.get("SecurityGroups", ()))),
        guards_private_link=row.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") != "off",
    )


def listener(row: "ListenerTypeDef") -> Listener:
    """A default action names one target group, or several with weights; those of weight 0 get no traffic."""
    found: set[str] = set()
    for one in row.get("DefaultActions", ()):
        weighted = one.get("ForwardConfig", {}).get("TargetGroups", ())
        found |= {each["TargetGroupArn"] for each in weighted if "TargetGroupArn" in each and each.get("Weight") != 0}
        if not weighted and "TargetGroupArn" in one:
            found.add(one["TargetGroupArn"])
    return Listener(
        arn=row["ListenerArn"],
        protocol=row.get("Protocol", ""),
        port=row.get("Port", 0),
        target_group_arns=tuple(sorted(found)),
    )


def _every_group(pages: "Sequence[Page]") -> tuple[TargetGroup, ...]:
    return tuple(group for _, group in sorted(_groups(pages).items()))


def _balancers(pages: "Sequence[Page]") -> Mapping[str, LoadBalancer]:
    return {row["LoadBalancerArn"]: load_balancer(row) for page in pages for row in page["LoadBalancers"]}


def _listeners(pages: "Sequence[Page]") -> tuple[Listener, ...]:
    rows = (listener(row) for page in pages for row in page["Listeners"])
    return tuple(sorted(rows, key=lambda one: (one.port, one.arn)))


def _crosses_zones(pages: "Sequence[Page]") -> bool:
    return _attributes(pages).get(CROSS_ZONE) == "true"


def _groups(pages: "Sequence[Page]") -> Mapping[str, TargetGroup]:
    return {row["TargetGroupArn"]: target_group(row) for page in pages for row in page["TargetGroups"]}


def _targets(pages: "Sequence[Page]") -> tuple[Target, ...]:
    rows = (target(row) for page in pages for row in page["TargetHealthDescriptions"])
    return tuple(sorted(rows, key=lambda one: (one.address, one.port)))


def _tags(pages: "Sequence[Page]") -> Mapping[str, Mapping[str, str]]:
    return {
        row["ResourceArn"]: {tag["Key"]: tag.get("Value", "") for tag in row.get("Tags", ())}
        for page in pages
        for row in page["TagDescriptions"]
    }


def _attributes(pages: "Sequence[Page]") -> Mapping[str, str]:
    return {row["Key"]: row.get("Value", "") for page in pages for row in page["Attributes"]}
