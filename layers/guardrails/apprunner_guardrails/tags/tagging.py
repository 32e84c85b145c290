"""What somebody created → its ownership tags: read what it has, plan what is missing, put that."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field

from apprunner_guardrails.aws import apprunner, ec2, elbv2
from apprunner_guardrails.aws import tags as tags_of
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.events import Ignored
from apprunner_guardrails.facts import GONE, Unread, is_gone, is_over
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import ENDPOINT_SERVICES, Created, Kind
from apprunner_guardrails.tags.plan import MOST, plan, wanted
from apprunner_guardrails.targets.binding import TAG
from apprunner_guardrails.times import seconds

# "Not found" tells what was deleted as little as what is not there yet: so late after the call, what is not there is
# gone. App Runner goes on to describe what was deleted, for how long is not documented.
SETTLED_SECONDS = 900
# A load balancer has listeners, and a target group its binding, some while after it was made, if ever.
WAIT_SECONDS = 3600
_SHORTEST_SECONDS, _LONGEST_SECONDS = 60, 900  # SQS delays a message no longer than that
_SKEW_SECONDS = 60  # that the clocks of AWS's services and of this one may differ by

_INVALID_STATE = "InvalidStateException"  # App Runner's answer where a resource is in no state for what is asked
_ABSENT = frozenset({GONE, ec2.NO_ENDPOINT, elbv2.NO_GROUP, elbv2.NO_BALANCER})


class Retry(Exception):
    """What was made cannot be tagged yet: it is not there, or App Runner is busy with it. It is to be tried again."""


class NotTagged(Exception):
    """AWS refused a call; the text says which and why. It is to be tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """The tags that something lacks, or why it gets none.

    `come_back`: so many seconds later it may be on a bound path; 0 for never.
    """

    created: Created
    tags: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    come_back: int = 0


def look(created: Created, reads: Reads, settings: Settings, now: int) -> Planned:
    """What it lacks. `now` is in seconds since 1970. Raises Retry and NotTagged.

    Nothing is asked if the call that made it gave it everything; else its tags are, and what it leads to only if it
    lacks some.
    """
    tags = wanted(created, settings)
    if not plan(tags, created.given):
        return Planned(created=created, why=_why_none(tags, created.given, "the call that made it gave it every tag"))
    has = _tags(created, reads)
    if isinstance(has, Unread):
        return _without_answer(created, has, reads, now)
    if isinstance(has, Ignored):
        return Planned(created=created, why=has.why)
    existing = {*has, *created.given}
    missing = plan(tags, existing)
    if not missing:
        return Planned(created=created, why=_why_none(tags, existing, "it has every tag"))
    on_path = _is_on_path(created, has, reads)
    if isinstance(on_path, Unread):
        raise NotTagged(f"whether {created.arn} is on a bound path cannot be told: {on_path}")
    if on_path:
        return Planned(created=created, tags=missing)
    return Planned(
        created=created, why="it is on no path that is bound to an endpoint", come_back=_back_after(_age(created, now))
    )


def _why_none(tags: Mapping[str, str], existing: Collection[str], otherwise: str) -> str:
    if not tags:
        return "no tag is asked for"
    return otherwise if len(existing) < MOST else f"it has {len(existing)} tags, and AWS takes no more than {MOST}"


def put(planned: Planned, client: Clients, reads: Reads, now: int) -> Planned:
    """Put the tags, if there are any; what came of it. Raises Retry and NotTagged."""
    created = planned.created
    refused = _add(created.kind)(client, _name(created), planned.tags) if planned.tags else None
    return planned if refused is None else _without_answer(created, refused, reads, now)


# --- Reading ---------------------------------------------------------------------------------------------------------


def _tags(created: Created, reads: Reads) -> Mapping[str, str] | Unread | Ignored:
    """The tags that it has, or why it is to have none of ours."""
    match created.kind:
        case Kind.APP_RUNNER:
            return apprunner.describe_tags(reads, created.arn)()
        case Kind.ENDPOINT:
            return _tags_of_endpoint(_name(created), reads)
        case Kind.TARGET_GROUP | Kind.LOAD_BALANCER:
            return elbv2.tags_of(reads, [created.arn], _ABSENT_IN_BALANCING[created.kind])()[created.arn]


_ABSENT_IN_BALANCING = {Kind.TARGET_GROUP: elbv2.NO_GROUP, Kind.LOAD_BALANCER: elbv2.NO_BALANCER}


def _tags_of_endpoint(name: str, reads: Reads) -> Mapping[str, str] | Unread | Ignored:
    found = ec2.endpoint_by_id(reads, name)()
    if isinstance(found, Unread):
        return found
    endpoint = found.get(name)
    if endpoint is None:
        return Unread(call="ec2:DescribeVpcEndpoints", code=ec2.NO_ENDPOINT)
    if endpoint.state in ("deleting", "deleted"):
        return Ignored(why=f"it is {endpoint.state}")
    if endpoint.managed:
        return Ignored(why="it belongs to the AWS service that made it")
    if not endpoint.service.endswith(ENDPOINT_SERVICES):
        return Ignored(why=f"it is an endpoint of {endpoint.service}, not of App Runner")
    return endpoint.tags


def _is_on_path(created: Created, tags: Mapping[str, str], reads: Reads) -> bool | Unread:
    """Whether a target group is bound to endpoints, or a load balancer leads to one that is; the others always are."""
    if created.kind is Kind.TARGET_GROUP:
        return TAG in tags
    if created.kind is not Kind.LOAD_BALANCER:
        return True
    groups = elbv2.groups_of(reads, created.arn)()
    if isinstance(groups, Unread):
        return groups
    of_groups = elbv2.tags_of(reads, [one.arn for one in groups])().values()
    if any(not isinstance(one, Unread) and TAG in one for one in of_groups):
        return True
    return next((one for one in of_groups if isinstance(one, Unread) and one.code != elbv2.NO_GROUP), False)


def _without_answer(created: Created, refused: Unread, reads: Reads, now: int) -> Planned:
    """What follows from a refusal: it is gone, or it is to be tried again, which is raised."""
    if created.kind is Kind.APP_RUNNER and refused.code in (GONE, _INVALID_STATE):
        described = _describe(created.arn)(reads, created.arn)()
        if isinstance(described, Unread) and not is_gone(described):
            raise NotTagged(f"{created.arn} was not tagged: {refused}, {described}")
        if not is_gone(described):
            if is_over(described):
                return Planned(created=created, why="it was deleted")
            raise Retry(f"{created.arn} cannot be tagged yet: {refused}")
        return _gone_or_early(created, refused, now)
    if refused.code not in _ABSENT and not refused.code.endswith(".NotFound"):  # EC2's code for CreateTags is not told
        raise NotTagged(f"{created.arn} was not tagged: {refused}")
    return _gone_or_early(created, refused, now)


def _gone_or_early(created: Created, refused: Unread, now: int) -> Planned:
    age = _age(created, now)
    if age is not None and age > SETTLED_SECONDS:
        return Planned(created=created, why="it no longer exists")
    raise Retry(f"{created.arn} is not there yet: {refused}")


def _describe(arn: str) -> Callable[[Reads, str], Callable[[], object]]:
    if ":vpcconnector/" in arn:
        return apprunner.describe_connector
    return apprunner.describe_service if ":service/" in arn else apprunner.describe_ingress_connection


def _age(created: Created, now: int) -> int | None:
    """Seconds since it was made; None where the record does not tell, or tells a time that is yet to come."""
    made = seconds(created.time)
    return None if made is None or made - now > _SKEW_SECONDS else max(0, now - made)


def _back_after(age: int | None) -> int:
    """Seconds until the next look, each time twice as late; 0 if it has been waited for long enough, or if nobody could
    tell when that is."""
    return 0 if age is None or age > WAIT_SECONDS else min(_LONGEST_SECONDS, max(_SHORTEST_SECONDS, age))


# --- Acting ----------------------------------------------------------------------------------------------------------


def _add(kind: Kind) -> Callable[[Clients, str, Mapping[str, str]], Unread | None]:
    match kind:
        case Kind.APP_RUNNER:
            return tags_of.add_to_apprunner
        case Kind.ENDPOINT:
            return tags_of.add_to_endpoint
        case Kind.TARGET_GROUP | Kind.LOAD_BALANCER:
            return tags_of.add_to_balancing


def _name(created: Created) -> str:
    """What its service knows it by."""
    return created.arn.rpartition("/")[2] if created.kind is Kind.ENDPOINT else created.arn
