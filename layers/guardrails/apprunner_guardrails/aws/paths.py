"""The private paths of a Region: from the APIs that lead to private services to these services.

A Region without any takes two calls. Reading goes in rounds, each of all that can be asked by what is known:

    1  ingress connections and endpoints, listed
    2  each ingress connection, target groups, VPC links, the endpoints' interfaces
    3  each service, endpoints that only an ingress connection names, the groups' tags and targets, APIs
    4  custom domains, each API's integrations; attributes of groups; load balancers and what they have
    5  subnets and security groups of endpoints and load balancers
    6  the prefix lists that inbound rules of these groups name; stages of the APIs that may lead to a service
"""

from collections.abc import Callable, Iterable, Mapping

from apprunner_guardrails.aws import apigateway, apprunner, ec2, elbv2
from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.facts import (
    Api,
    IngressConnection,
    InterfaceEndpoint,
    LoadBalancer,
    Paths,
    Service,
    Stage,
    TargetGroup,
    Unread,
    if_read,
    is_over,
)
from apprunner_guardrails.light import replace
from apprunner_guardrails.paths.joined import (
    Details,
    Ends,
    Groups,
    Links,
    Names,
    bound_to,
    candidates,
    join,
    lists_named,
    may_lead,
    path_groups,
    shows_targets,
)
from apprunner_guardrails.targets.binding import SERVICE, interfaces_of

type Ingress = Mapping[str, IngressConnection | Unread]
type Services = Mapping[str, Service | Unread]


def read_paths(
    reads: Reads, *, account: str, region: str, services: Mapping[str, Service | Unread] | None = None
) -> Paths:
    """The private paths of the Region, joined. `services` are those that were described already, by ARN.

    What fails is Unread in its place; where that is a list, or hides whether something is on a path at all, it is in
    `unlisted` too. Ingress connections that are deleted are left out.
    """
    asked_arns = apprunner.list_all_ingress_connections(reads)
    asked_ends = ec2.find_interface_endpoints(reads, "service-name", f"com.amazonaws.{region}{SERVICE}")
    arns, listed = asked_arns(), asked_ends()
    if not if_read(arns) and not if_read(listed):
        return Paths(unlisted=_unread((arns, listed)))
    described = {arn: apprunner.describe_ingress_connection(reads, arn) for arn in if_read(arns)}
    asked_groups = elbv2.all_target_groups(reads)
    first, second = apigateway.first_links(reads), apigateway.second_links(reads)
    interfaces = ec2.endpoint_interfaces(reads, interfaces_of(if_read(listed)))
    ingress = {arn: one for arn, one in _all(described).items() if not is_over(one)}

    asked_services = _ask_services(reads, ingress, services or {})
    looked_up = _look_up(reads, listed, ingress)
    looked_at = _look_at(reads, asked_groups())
    links = Links(first=first(), second=second())
    asked_apis = _ask_apis(reads, links, region)

    found = {arn: one for arn, one in _all(asked_services).items() if not is_over(one)}
    domains = {arn: _ask_domains(reads, arn, one) for arn, one in found.items()}
    apis = [pending() for pending in asked_apis]
    with_integrations = [_with_integrations(reads, one) for some in apis for one in if_read(some)]
    endpoints = looked_up()
    more = ec2.endpoint_interfaces(reads, sorted({*interfaces_of(endpoints.values())} - interfaces().keys()))
    ends = Ends(listed=listed, endpoints=endpoints, interfaces={**interfaces(), **more()})
    groups, details = _read_details(reads, ends, looked_at(ends))
    asked_lists = _ask_lists(reads, details)
    names = Names(listed=arns, ingress=ingress, services={**_private(services or {}), **found}, domains=_all(domains))
    known = names.known
    leading = _with_stages(reads, (api for api in (pending() for pending in with_integrations) if may_lead(api, known)))
    paths = join(
        ends=ends,
        groups=groups,
        details=replace(details, prefix_lists=_all(asked_lists)),
        names=names,
        links=links,
        apis=leading,
        account=account,
        region=region,
    )
    lists = (arns, listed, groups.listed, links.first, links.second, *apis, *names.domains.values())
    hidden = (*endpoints.values(), *groups.undecided.values(), *details.balancers.values())
    return replace(paths, unlisted=_unread((*lists, *hidden)))


def _all[T](asked: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    return {name: pending() for name, pending in asked.items()}


def _unread(facts: Iterable[object]) -> tuple[Unread, ...]:
    """Each failure once, in order."""
    return tuple(dict.fromkeys(one for one in facts if isinstance(one, Unread)))


def _is_there(one: LoadBalancer | Unread) -> bool:
    return not isinstance(one, Unread) or one.code != elbv2.NO_BALANCER


def _private(services: Services) -> Services:
    return {arn: one for arn, one in services.items() if isinstance(one, Service) and not one.public}


# Services and endpoints ----------------------------------------------------------------------------------------------


def _told[T](fact: T | Unread) -> Pending[T]:
    return lambda: fact


def _ask_services(reads: Reads, ingress: Ingress, known: Services) -> Mapping[str, Pending[Service]]:
    """The services that ingress connections name."""
    arns = sorted({one.service_arn for one in ingress.values() if isinstance(one, IngressConnection)})
    return {arn: _told(known[arn]) if arn in known else apprunner.describe_service(reads, arn) for arn in arns}


def _ask_domains(reads: Reads, arn: str, service: Service | Unread) -> Pending[tuple[str, ...]]:
    """The active custom domains of a private service; a public one is not asked for by them on a private path."""
    if isinstance(service, Unread):
        return _told(service)
    return _told(()) if service.public else apprunner.custom_domains(reads, arn)


type Endpoints = Mapping[str, InterfaceEndpoint | Unread | None]


def _look_up(reads: Reads, listed: tuple[InterfaceEndpoint, ...] | Unread, ingress: Ingress) -> Callable[[], Endpoints]:
    """The endpoints that were listed and those that ingress connections name, by id; None where two reads tell that
    there is none."""
    known = {one.id: one for one in if_read(listed)}
    named = {one.endpoint_id for one in ingress.values() if isinstance(one, IngressConnection)} - {""}
    asked = ec2.endpoints_of(reads, sorted(named - known.keys()))

    def wait() -> Endpoints:
        told = asked()
        missing = {name: ec2.endpoint_by_id(reads, name) for name, one in told.items() if one is None}
        return {**known, **told, **{name: _confirmed(name, pending()) for name, pending in missing.items()}}

    return wait


def _confirmed(name: str, answer: Mapping[str, InterfaceEndpoint] | Unread) -> InterfaceEndpoint | Unread | None:
    if isinstance(answer, Unread):
        return None if answer.code == ec2.NO_ENDPOINT else answer
    return answer.get(name) or Unread(call="ec2:DescribeVpcEndpoints", code=f"{name} is not in the answer")


# Target groups and load balancers ------------------------------------------------------------------------------------


def _look_at(reads: Reads, listed: tuple[TargetGroup, ...] | Unread) -> Callable[[Ends], Groups]:
    """Which groups are on a path, as soon as it is known where paths end."""
    some = candidates(if_read(listed))
    asked = elbv2.tags_of(reads, [one.arn for one in some])
    shown = {one.arn: elbv2.target_health(reads, one.arn) for one in some if shows_targets(one)}

    def wait(ends: Ends) -> Groups:
        tags = asked()
        bound = [one.arn for one in some if one.arn not in shown and bound_to(tags[one.arn])]
        targets = {**shown, **{arn: elbv2.target_health(reads, arn) for arn in bound}}
        return path_groups(listed, tags, _all(targets), ends, frozenset({elbv2.NO_GROUP}))

    return wait


def _read_details(reads: Reads, ends: Ends, groups: Groups) -> tuple[Groups, Details]:
    """The groups with their attributes; the load balancers that lead to them, and what these and endpoints have."""
    arns = groups.balancer_arns
    balancers = elbv2.load_balancers(reads, arns)
    crosses = {arn: elbv2.balancer_crosses_zones(reads, arn) for arn in arns}
    listeners = {arn: elbv2.listeners(reads, arn) for arn in arns}
    tags = elbv2.tags_of(reads, arns, elbv2.NO_BALANCER)
    addresses = ec2.balancer_addresses(reads, arns)
    attributes = {one.arn: elbv2.group_attributes(reads, one.arn) for one in groups.found}
    told = {arn: one for arn, one in balancers().items() if _is_there(one)}
    endpoints = [one for one in ends.endpoints.values() if isinstance(one, InterfaceEndpoint)]
    there = [one for one in told.values() if isinstance(one, LoadBalancer)]
    subnets = {one for end in endpoints for one in end.subnet_ids} | {
        zone.subnet_id for one in there for zone in one.zones
    }
    its_groups = {one for end in endpoints for one in end.group_ids} | {name for one in there for name in one.group_ids}
    asked_subnets = ec2.subnets_by_id(reads, sorted(subnets))
    asked_groups = ec2.find_security_groups(reads, sorted(its_groups))
    details = Details(
        balancers=told,
        crosses_zones=_all(crosses),
        listeners=_all(listeners),
        tags=tags(),
        addresses=addresses(),
        subnets=asked_subnets(),
        groups=asked_groups(),
    )
    return _with_attributes(groups, _all(attributes)), details


def _ask_lists(reads: Reads, details: Details) -> Mapping[str, Pending[tuple[str, ...]]]:
    groups = {} if isinstance(details.groups, Unread) else details.groups
    return {name: ec2.read_prefix_list(reads, name) for name in lists_named(groups.values())}


def _with_attributes(groups: Groups, attributes: Mapping[str, Mapping[str, str] | Unread]) -> Groups:
    found = []
    for one in groups.found:
        said = attributes[one.arn]
        if isinstance(said, Unread):
            found.append(replace(one, preserves_client_ip=said, crosses_zones=said))
        else:
            own = elbv2.own_word_on_zones(said)
            preserves = elbv2.preserves_client_ip(one.group, said)
            found.append(replace(one, preserves_client_ip=preserves, crosses_zones=own))
    return replace(groups, found=tuple(found))


# APIs ----------------------------------------------------------------------------------------------------------------


def _ask_apis(reads: Reads, links: Links, region: str) -> tuple[Pending[tuple[Api, ...]], ...]:
    """The lists of APIs that may use a link: HTTP APIs take those of the second generation only, REST APIs both."""
    first, second = if_read(links.first), if_read(links.second)
    return (
        apigateway.rest_apis(reads, region) if first or second else _told(()),
        apigateway.http_apis(reads, region) if second else _told(()),
    )


def _with_integrations(reads: Reads, api: Api) -> Callable[[], Api]:
    ask = apigateway.rest_integrations if api.kind == "REST" else apigateway.http_integrations
    asked = ask(reads, api.id)
    return lambda: replace(api, integrations=asked())


def _with_stages(reads: Reads, apis: Iterable[Api]) -> list[Api]:
    asked = [(one, _ask_stages(reads, one)) for one in apis]
    return [replace(one, stages=pending()) for one, pending in asked]


def _ask_stages(reads: Reads, api: Api) -> Callable[[], tuple[Stage, ...] | Unread]:
    if isinstance(api.integrations, Unread):
        return _told(api.integrations)  # whether it leads to a service is not known: nothing more is asked for it
    return (apigateway.rest_stages if api.kind == "REST" else apigateway.http_stages)(reads, api.id)
