"""From a change of a private path to what the rules say of all that is on it: read the paths, decide, tell."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from apprunner_guardrails.aws import apprunner, ec2, elbv2, findings_table
from apprunner_guardrails.aws.findings_table import Stored
from apprunner_guardrails.aws.paths import read_paths
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.events import Ignored
from apprunner_guardrails.facts import (
    Connector,
    FactName,
    IngressConnection,
    ManagedInterface,
    Paths,
    Service,
    Unread,
    is_over,
)
from apprunner_guardrails.judge import (
    Answers,
    Terms,
    judge_ingress,
    judge_path_group,
    judge_service,
    judged,
    owner,
    with_tags_where_they_matter,
)
from apprunner_guardrails.ledger import Record, State, Transition
from apprunner_guardrails.light import replace
from apprunner_guardrails.members import place_of
from apprunner_guardrails.once import judging, once
from apprunner_guardrails.paths.pending import aged
from apprunner_guardrails.paths.triggers import PathChange, arns, concerned
from apprunner_guardrails.rules import INTERFACE_RULES, exemption_malformed
from apprunner_guardrails.rules.private_paths import API_RULES, BALANCER_RULES, ENDPOINT_RULES, OF_SYNC
from apprunner_guardrails.services import ask_beside
from apprunner_guardrails.targets.binding import TAG
from apprunner_guardrails.validate import Judged, of_changes

type Notes = Mapping[str, tuple[Transition, ...]]

_INTERFACE = "eni-"


def read(
    reads: Reads,
    recorded: Callable[[str], tuple[Record, ...]],
    now: int,
    *,
    account: str,
    region: str,
    services: Mapping[str, Service | Unread] | None = None,
) -> tuple[Paths, Notes]:
    """The Region's private paths, and what to write of them, by ARN. `recorded` gives a resource's records, `services`
    are those described already."""
    paths = read_paths(reads, account=account, region=region, services=services)
    apis, notes = aged(paths.apis, recorded, now)
    return replace(paths, apis=apis), notes


def judge_paths(paths: Paths, terms: Terms, reads: Reads) -> Iterator[tuple[str, Answers]]:
    """The rules' answers about everything on the paths, by ARN. Tags of ingress connections cost a call each: what
    they exempt, and that it is malformed, would not end otherwise."""
    asked = {arn: apprunner.describe_tags(reads, arn) for arn in _described(paths)}
    for arn, connection in paths.ingress.items():
        yield arn, judge_ingress(arn, connection, asked[arn]() if arn in asked else None, terms)
    for endpoint in paths.endpoints:
        yield endpoint.arn, judged(ENDPOINT_RULES, endpoint.arn, endpoint, endpoint.tags, terms)
    for group in paths.groups:
        yield group.arn, judge_path_group(group, terms)
    for balancer in paths.balancers:
        yield balancer.arn, judged(BALANCER_RULES, balancer.arn, balancer, balancer.tags, terms)
    for api in paths.apis:
        yield api.arn, judged(API_RULES, api.arn, api, api.tags, terms)


def _described(paths: Paths) -> Mapping[str, IngressConnection]:
    return {arn: one for arn, one in paths.ingress.items() if isinstance(one, IngressConnection)}


def judge_interfaces(
    interfaces: Iterable[ManagedInterface],
    connectors: tuple[Connector, ...] | Unread,
    terms: Terms,
    *,
    account: str,
    region: str,
    unasked: Collection[FactName] = (),
) -> Iterator[tuple[str, Answers]]:
    """The rules' answers about interfaces of App Runner's, by ARN."""
    for one in interfaces:
        whole = replace(one, account=account, region=region, connectors=connectors)
        yield whole.arn, judged(INTERFACE_RULES, whole.arn, whole, whole.tags, terms, unasked=unasked)


def ended(arns: Iterable[str], paths: Paths, terms: Terms, reads: Reads) -> Iterator[tuple[str, Answers]]:
    """The end of what is on none of the paths, where that is sure: nothing of them was unread.

    The list of ingress connections lags behind. One that is not in it is asked for by name; as long as it is there,
    what it leads to may be on a path.
    """
    off = tuple(arns)
    asked = {arn: apprunner.describe_ingress_connection(reads, arn) for arn in off if ":vpcingressconnection/" in arn}
    gone = {arn for arn, pending in asked.items() if is_over(pending())}
    if not _is_whole(paths) or gone != asked.keys():
        yield from ((arn, Answers(findings=())) for arn in gone)
        return
    groups = [arn for arn in off if ":targetgroup/" in arn]
    yield from ((arn, Answers(findings=())) for arn in off if arn not in groups)
    yield from _ended_groups(groups, terms, reads)


def _is_whole(paths: Paths) -> bool:
    """Whether what is not on the paths is surely not on them."""
    return not paths.unlisted and not any(isinstance(one, Unread) for one in paths.ingress.values())


def _ended_groups(arns: Sequence[str], terms: Terms, reads: Reads) -> Iterator[tuple[str, Answers]]:
    """The end of target groups on no path, but for what the sync alone judges: of those that are bound all the same
    exemptions too. Without groups whose tags could not be read."""
    for arn, tags in elbv2.tags_of(reads, arns)().items():
        if not isinstance(tags, Unread):
            left = OF_SYNC | {exemption_malformed.ID} if TAG in tags else OF_SYNC
            yield arn, Answers(findings=(), left=left, owner=owner(tags, terms.settings))
        elif tags.code == elbv2.NO_GROUP:
            yield arn, Answers(findings=(), left=OF_SYNC)


@judging()
def judge_path_changes(changes: Sequence[PathChange], terms: Terms, reads: Reads) -> tuple[Judged, ...] | Ignored:
    """Judge what is on the paths that calls concern, each resource once whatever the number of calls.

    Raises LedgerUnavailable.
    """
    place = place_of(changes[0].account, changes[0].region, terms.settings)
    stored = findings_table.all_recorded(reads, terms.settings.findings_table, place.key)()
    changes = tuple(dict.fromkeys(changes))  # an event may come twice
    interfaces = _interfaces(changes, terms, reads)
    paths, notes = _paths(changes, stored, terms, reads)
    concerning: dict[str, list[PathChange]] = defaultdict(list)
    for change in changes:
        for arn in _touched(change, paths, stored):
            concerning[arn].append(change)
    answers = dict(judge_paths(_part(paths, concerning), terms, reads))
    answers |= _of_services([arn for arn in concerning if ":service/" in arn], paths, terms, reads)
    off = [arn for arn in concerning if arn not in answers and ":network-interface/" not in arn]
    answers |= ended(off, paths, terms, reads)
    for arn, one in interfaces.items():
        if one.findings or arn in concerning:
            answers[arn] = one
            concerning[arn] = [change for change in changes if arn.rpartition("/")[2] in change.names]
    found = [
        Judged(evaluation=of_changes(arn, concerning[arn], answers[arn], notes.get(arn, ())), recorded=stored.of(arn))
        for arn in sorted(answers)
    ]
    what = " and ".join(sorted({one.what for one in changes}))
    return tuple(found) or Ignored(why=f"no private path of App Runner leads through what {what} changed")


def _paths(changes: Sequence[PathChange], stored: Stored, terms: Terms, reads: Reads) -> tuple[Paths, Notes]:
    """None where nothing but network interfaces is named: no rule of a path looks at what is done to those."""
    if all(name.startswith(_INTERFACE) for change in changes for name in change.names):
        return Paths(), {}
    return read(reads, stored.readable, terms.now, account=changes[0].account, region=changes[0].region)


def _touched(change: PathChange, paths: Paths, stored: Stored) -> Iterator[str]:
    """What is on a path that the change concerns, the services behind it, and what it names and has findings."""
    part = concerned(change.names, paths)
    yield from arns(part)
    named = {one for one in change.names if ":service/" in one}
    yield from named | {one.service_arn for one in part.ingress.values() if isinstance(one, IngressConnection)}
    there = arns(paths)
    for record in stored.records:
        is_named = record.resource in change.names or record.resource.rpartition("/")[2] in change.names
        if is_named and record.resource not in there and (record.state is not State.RESOLVED or record.owed):
            yield record.resource


def _part(paths: Paths, concerning: Iterable[str]) -> Paths:
    wanted = set(concerning)
    return replace(
        paths,
        ingress={arn: one for arn, one in paths.ingress.items() if arn in wanted},
        endpoints=tuple(one for one in paths.endpoints if one.arn in wanted),
        groups=tuple(one for one in paths.groups if one.arn in wanted),
        balancers=tuple(one for one in paths.balancers if one.arn in wanted),
        apis=tuple(one for one in paths.apis if one.arn in wanted),
    )


def _of_services(service_arns: Sequence[str], paths: Paths, terms: Terms, reads: Reads) -> Mapping[str, Answers]:
    """How services are reached, and whatever DescribeService tells of them besides."""
    asked = {arn: apprunner.describe_service(reads, arn) for arn in service_arns}
    return {
        arn: answers for arn, pending in asked.items() for answers in _of_service(arn, pending(), paths, terms, reads)
    }


def _of_service(arn: str, service: Service | Unread, paths: Paths, terms: Terms, reads: Reads) -> Iterator[Answers]:
    if is_over(service):
        yield Answers(findings=())
        return
    whole = service
    if isinstance(service, Service):
        whole = ask_beside(reads, service, None, None, ingress=ingress_of(arn, paths, reads))()
    yield with_tags_where_they_matter(
        lambda tags: judge_service(arn, whole, tags, terms, unasked=("connectors", "operations")),
        partial(apprunner.describe_tags, reads, arn),
        always=bool(terms.settings.required_tags),
    )


def ingress_of(service_arn: str, paths: Paths, reads: Reads) -> tuple[IngressConnection, ...] | Unread:
    """A service's ingress connections. Where none that is available is known, one that was not read may be its."""
    mine = _by_service(paths).get(service_arn, ())
    if any(one.status == "AVAILABLE" for one in mine):
        return mine
    return _unread_connection(paths, reads) or mine


@once
def _by_service(paths: Paths) -> Mapping[str, tuple[IngressConnection, ...]]:
    found: dict[str, list[IngressConnection]] = defaultdict(list)
    for one in _described(paths).values():
        found[one.service_arn].append(one)
    return {service_arn: tuple(mine) for service_arn, mine in found.items()}


@once
def _unread_connection(paths: Paths, reads: Reads) -> Unread | None:
    """Why there may be ingress connections beside those that were described."""
    listed = apprunner.list_all_ingress_connections(reads)()  # the paths were read by it: no call
    return next((one for one in (listed, *paths.ingress.values()) if isinstance(one, Unread)), None)


def _interfaces(changes: Sequence[PathChange], terms: Terms, reads: Reads) -> Mapping[str, Answers]:
    """The network interfaces that changes name, as App Runner's, or as gone. Nothing where they could not be listed:
    the audit complains."""
    account, region = changes[0].account, changes[0].region
    named = {name for change in changes for name in change.names if name.startswith(_INTERFACE)}
    if not named:
        return {}
    listed, connectors = ec2.managed_interfaces(reads), apprunner.list_connectors(reads)
    found = listed()
    if isinstance(found, Unread):
        return {}
    there = [one for one in found if one.id in named]
    gone = {f"arn:aws:ec2:{region}:{account}:network-interface/{name}": Answers(findings=()) for name in named}
    return gone | dict(judge_interfaces(there, connectors(), terms, account=account, region=region))
