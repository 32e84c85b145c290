"""Elastic Load Balancing: target groups and their targets. The only calls of ours that change anything of a user's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.clients import FAILURES, Clients
from apprunner_guardrails.aws.reads import Pending, Reads, action, each_of, unread
from apprunner_guardrails.facts import Target, TargetGroup, Unread, Wanted

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import TargetGroupTypeDef, TargetHealthDescriptionTypeDef

    from apprunner_guardrails.aws.reads import Page

NO_GROUP = "TargetGroupNotFound"  # AWS's answer where a group is not there (any more), or one of those asked for
NAMED = 20  # resources that DescribeTags takes by name in one call; more groups are asked for in as many calls
LISTED = 100  # groups from which on listing all of the Region takes no more calls than naming them
PAGE = 400  # groups a page, the most that AWS gives
CHUNK = 200  # targets in one call; AWS documents no maximum
CROSS_ZONE = "load_balancing.cross_zone.enabled"
OF_BALANCER = "use_load_balancer_configuration"
QUOTAS = frozenset({"TooManyTargets", "TooManyRegistrationsForTargetId"})


def tags_of(reads: Reads, arns: Iterable[str]) -> Callable[[], Mapping[str, Mapping[str, str] | Unread]]:
    """The tags of each target group, by ARN, as they are now; Unread with NO_GROUP where there is no such group."""

    def ask(some: tuple[str, ...]) -> Pending[Mapping[str, Mapping[str, str]]]:
        return reads.ask("elbv2", "DescribeTags", _tags, ResourceArns=list(some))

    return each_of(tuple(arns), ask, call=action("elbv2", "DescribeTags"), most=NAMED, gone=NO_GROUP)


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
    said = reads.ask("elbv2", "DescribeTargetGroupAttributes", _attributes, TargetGroupArn=group.arn)()
    if isinstance(said, Unread):
        return said
    value = said.get(CROSS_ZONE)  # left out of a short answer: nothing that was left to the load balancer
    if value != OF_BALANCER:
        return value == "true"
    asked = [
        reads.ask("elbv2", "DescribeLoadBalancerAttributes", _attributes, LoadBalancerArn=arn)
        for arn in group.load_balancer_arns
    ]
    balancers = [one() for one in asked]
    untold = next((one for one in balancers if isinstance(one, Unread)), None)
    if untold is not None:
        return untold
    return bool(balancers) and all(isinstance(one, Mapping) and one.get(CROSS_ZONE) == "true" for one in balancers)


def chunks[T](targets: Sequence[T]) -> Iterable[tuple[T, ...]]:
    """As many targets together as go into one call."""
    return batched(targets, CHUNK, strict=False)


def register(client: Clients, arn: str, targets: Sequence[Wanted]) -> Unread | None:
    """Register a chunk of targets, always with their port; what went wrong, if something did."""
    described = [
        {"Id": one.address, "Port": one.port, **({"AvailabilityZone": "all"} if one.outside else {})} for one in targets
    ]
    return _tried(
        "RegisterTargets",
        lambda: client("elbv2").register_targets(  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
            TargetGroupArn=arn, Targets=described
        ),
    )


def deregister(client: Clients, arn: str, targets: Sequence[Target]) -> Unread | None:
    """Deregister a chunk of targets, always with their port: without one AWS may say yes and do nothing."""
    described = [{"Id": one.address, "Port": one.port} for one in targets]
    return _tried(
        "DeregisterTargets",
        lambda: client("elbv2").deregister_targets(  # type: ignore[attr-defined]  # as above
            TargetGroupArn=arn, Targets=described
        ),
    )


def _tried(operation: str, call: Callable[[], object]) -> Unread | None:
    try:
        call()
    except FAILURES as error:
        return unread("elbv2", operation, error)
    return None


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
