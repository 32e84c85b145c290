"""What was read of a Region's private paths → who leads to whom. Pure.

    API → VPC link → NLB → target group → endpoint ← ingress connection ← service

Each link of the chain names the next by an id, except for the targets of a group, which are the addresses of an
endpoint's network interfaces. What could not be read stays Unread wherever something hangs on it: a part is never given
out as the whole.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from urllib.parse import urlsplit

from apprunner_guardrails.facts import (
    NOT_ASKED,
    Api,
    EndpointInterface,
    IngressConnection,
    Integration,
    InterfaceEndpoint,
    Listener,
    LoadBalancer,
    PathBalancer,
    PathEndpoint,
    PathGroup,
    Paths,
    SecurityGroup,
    Service,
    Stage,
    Subnet,
    Target,
    TargetGroup,
    Unread,
    VpcLink,
    if_read,
)
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.targets.binding import TAG, Malformed, endpoint_ids
from apprunner_guardrails.targets.plan import DRAINING

NETWORK = ":loadbalancer/net/"  # in the ARN of a Network Load Balancer
_NO_NLB = frozenset({"HTTP", "HTTPS", "GENEVE", ""})  # protocols of groups that no NLB forwards to
_NO_TCP = frozenset({"UDP", "QUIC"})  # protocols of listeners that no API comes to
_EVERY_ZONE = "all"  # of a target outside of its group's VPC
_LISTENER = re.compile(r"([^$]*):(?:listener|loadbalancer)/(net|app)/([^/$]+)/([^/$]+)(?:/[^/$]+)?")
_IN_TEXT = re.compile(r"\$\{stageVariables\.(\w+)\}")
_AS_VALUE = re.compile(r"\$?stageVariables\.(\w+)")
_PORTS = {"https": 443, "http": 80}
_HOST_HEADERS = ("integration.request.header.host", "overwrite:header.host")

type Tags = Mapping[str, str]


# Target groups -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Ends:
    """The endpoints that paths may lead to: by id, None where there is none, and their network interfaces.

    `listed` is Unread if those of App Runner's private services could not be listed: then there may be more.
    """

    listed: tuple[InterfaceEndpoint, ...] | Unread
    endpoints: Mapping[str, InterfaceEndpoint | Unread | None] = field(default_factory=dict)
    interfaces: Mapping[str, EndpointInterface | Unread] = field(default_factory=dict)

    @property
    def doubt(self) -> Unread | None:
        """Why there may be addresses of endpoints that are not known."""
        return first_unread((self.listed, *self.endpoints.values(), *self.interfaces.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """The target groups on private paths, by ARN. Where not even the groups could be listed, `listed` is Unread.

    `undecided`, by ARN too, are those that may be on a path, and why that is not known; `doubts` the same by the load
    balancers that lead to them.
    """

    listed: tuple[TargetGroup, ...] | Unread
    found: tuple[PathGroup, ...] = ()
    undecided: Mapping[str, Unread] = field(default_factory=dict)
    doubts: Mapping[str, Unread] = field(default_factory=dict)

    @property
    def balancer_arns(self) -> tuple[str, ...]:
        """The NLBs that lead to the groups that were found, sorted."""
        return tuple(sorted({arn for one in self.found for arn in network_balancers(one.group)}))

    def doubt(self, balancer_arn: str) -> Unread | None:
        """Why it is not known which groups of a load balancer are on a path."""
        return self.listed if isinstance(self.listed, Unread) else self.doubts.get(balancer_arn)

    @property
    def doubt_of_balancers(self) -> Unread | None:
        """Why there may be load balancers on paths that are not known."""
        return first_unread((self.listed, *self.doubts.values()))


def first_unread(facts: Iterable[object]) -> Unread | None:
    return next((one for one in facts if isinstance(one, Unread)), None)


def network_balancers(group: TargetGroup) -> tuple[str, ...]:
    return tuple(arn for arn in group.load_balancer_arns if NETWORK in arn)


def candidates(groups: Iterable[TargetGroup]) -> tuple[TargetGroup, ...]:
    """The groups that an NLB may lead to: those of its protocols that no load balancer of another kind has."""
    return tuple(
        one for one in groups if one.protocol not in _NO_NLB and (not one.load_balancer_arns or network_balancers(one))
    )


def shows_targets(group: TargetGroup) -> bool:
    """Whether the group's targets alone can put it on a path: addresses that an NLB leads to."""
    return group.target_type == "ip" and bool(network_balancers(group))


def bound_to(tags: Tags | Unread | None) -> tuple[str, ...]:
    """The endpoints that a group's binding names; none where it has none, or one that cannot be understood (AR511)."""
    if tags is None or isinstance(tags, Unread) or TAG not in tags:
        return ()
    try:
        return endpoint_ids(tags[TAG])
    except Malformed:
        return ()


def path_groups(
    listed: tuple[TargetGroup, ...] | Unread,
    tags: Mapping[str, Tags | Unread],
    targets: Mapping[str, tuple[Target, ...] | Unread],
    ends: Ends,
    gone: frozenset[str],
) -> Groups:
    """Which groups are on a path: bound to an endpoint, or with an endpoint's address among their targets.

    `tags` and `targets` are of the candidates, by ARN; targets only where they matter. `gone` are the error codes by
    which AWS says that a group is no more.
    """
    found: list[PathGroup] = []
    undecided: dict[str, Unread] = {}
    doubts: dict[str, Unread] = {}
    of_ends = ends.doubt
    for group in candidates(if_read(listed)):
        its_tags, its_targets = tags[group.arn], targets.get(group.arn, ())
        if any(isinstance(one, Unread) and one.code in gone for one in (its_tags, its_targets)):
            continue
        ids = {*bound_to(its_tags), *_ends_among(group, if_read(its_targets), ends)}
        why = first_unread((its_tags, its_targets)) or (of_ends if its_targets else None)
        if ids:
            found.append(_path_group(group, tuple(sorted(ids)), its_targets, its_tags))
        elif why is not None:
            undecided[group.arn] = why
            doubts |= {arn: why for arn in network_balancers(group) if arn not in doubts}
    return Groups(
        listed=listed,
        found=tuple(sorted(found, key=lambda one: one.arn)),
        undecided=undecided,
        doubts=doubts,
    )


def _path_group(
    group: TargetGroup, ids: tuple[str, ...], targets: tuple[Target, ...] | Unread, tags: Tags | Unread
) -> PathGroup:
    return PathGroup(
        group=group,
        endpoint_ids=ids,
        targets=targets,
        preserves_client_ip=NOT_ASKED,
        crosses_zones=NOT_ASKED,
        tags=tags,
    )


def _ends_among(group: TargetGroup, targets: Iterable[Target], ends: Ends) -> Iterable[str]:
    """The endpoints that have the address of one of the targets that do not drain.

    VPCs may have the same addresses: one of another VPC than the group's is meant only where the target is registered
    as one from outside.
    """
    zones: dict[str, set[str]] = {}
    for one in targets:
        if one.state != DRAINING:
            zones.setdefault(one.address, set()).add(one.zone)
    for endpoint in ends.endpoints.values():
        if not isinstance(endpoint, InterfaceEndpoint):
            continue
        for address in _addresses(endpoint, ends.interfaces):
            if address in zones and (endpoint.vpc_id == group.vpc_id or _EVERY_ZONE in zones[address]):
                yield endpoint.id


def _addresses(endpoint: InterfaceEndpoint, interfaces: Mapping[str, EndpointInterface | Unread]) -> Iterable[str]:
    for name in endpoint.interface_ids:
        one = interfaces.get(name)
        if isinstance(one, EndpointInterface):
            yield from filter(None, (one.ipv4, *one.ipv6))


# Load balancers and endpoints ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """What was read of load balancers, by their ARNs, and of what these and endpoints have, by id.

    `addresses` are those of a balancer's interfaces, by subnet. `prefix_lists` are the entries of all that
    inbound rules of the groups name.
    """

    balancers: Mapping[str, LoadBalancer | Unread] = field(default_factory=dict)
    crosses_zones: Mapping[str, bool | Unread] = field(default_factory=dict)
    listeners: Mapping[str, tuple[Listener, ...] | Unread] = field(default_factory=dict)
    tags: Mapping[str, Tags | Unread] = field(default_factory=dict)
    addresses: Mapping[str, Mapping[str, tuple[str, ...]] | Unread] = field(default_factory=dict)
    subnets: Mapping[str, Subnet | Unread] = field(default_factory=dict)
    groups: Mapping[str, SecurityGroup] | Unread = field(default_factory=dict)
    prefix_lists: Mapping[str, tuple[str, ...] | Unread] = field(default_factory=dict)


def path_balancers(groups: Groups, details: Details, links: tuple[VpcLink, ...] | Unread) -> tuple[PathBalancer, ...]:
    """The load balancers that could be described, by ARN. `links` are those of the first generation."""
    return tuple(
        _path_balancer(one, groups, details, links)
        for _, one in sorted(details.balancers.items())
        if isinstance(one, LoadBalancer)
    )


def _path_balancer(
    one: LoadBalancer, groups: Groups, details: Details, links: tuple[VpcLink, ...] | Unread
) -> PathBalancer:
    mine = tuple(group for group in groups.found if one.arn in group.group.load_balancer_arns)
    zones = {zone.name: details.subnets[zone.subnet_id] for zone in one.zones}
    return PathBalancer(
        balancer=one,
        zone_ids=first_unread(zones.values())
        or {name: subnet.zone_id for name, subnet in zones.items() if isinstance(subnet, Subnet)},
        groups=_security_groups(one.group_ids, details),
        addresses=_addresses_of(one, details.addresses[one.arn]),
        crosses_zones=details.crosses_zones[one.arn],
        listeners=details.listeners[one.arn],
        target_groups=groups.doubt(one.arn) or mine,
        links=links if isinstance(links, Unread) else tuple(link for link in links if one.arn in link.target_arns),
        tags=details.tags[one.arn],
        prefix_lists=_prefix_lists(one.group_ids, details),
    )


def _addresses_of(balancer: LoadBalancer, told: Mapping[str, tuple[str, ...]] | Unread) -> tuple[str, ...] | Unread:
    """Of all its interfaces: it has one in each of its subnets, or not all were told."""
    if isinstance(told, Unread):
        return told
    missing = next((zone.subnet_id for zone in balancer.zones if zone.subnet_id not in told), "")
    if missing:
        why = f"no interface of load balancer {balancer.name} in {missing} is in the answer"
        return Unread(call="ec2:DescribeNetworkInterfaces", code=why)
    return tuple(sorted({address for addresses in told.values() for address in addresses}))


def _security_groups(ids: tuple[str, ...], details: Details) -> tuple[SecurityGroup, ...] | Unread:
    """Those that this account can see."""
    if not ids:
        return ()
    if isinstance(details.groups, Unread):
        return details.groups
    return tuple(details.groups[one] for one in ids if one in details.groups)


def lists_named(groups: Iterable[SecurityGroup]) -> tuple[str, ...]:
    """The prefix lists that inbound rules of the groups name, sorted."""
    peers = {peer for group in groups for rule in group.ingress for peer in rule.peers}
    return tuple(sorted(peer for peer in peers if peer.startswith("pl-")))


def _prefix_lists(group_ids: tuple[str, ...], details: Details) -> Mapping[str, tuple[str, ...] | Unread]:
    return {name: details.prefix_lists[name] for name in lists_named(if_read(_security_groups(group_ids, details)))}


def _zone_ids(endpoint: InterfaceEndpoint, details: Details) -> tuple[str, ...] | Unread:
    found = [details.subnets[one] for one in endpoint.subnet_ids]
    return first_unread(found) or tuple(sorted({one.zone_id for one in found if isinstance(one, Subnet)}))


def _balancers_before(
    endpoint: InterfaceEndpoint, groups: Groups, details: Details, balancers: Mapping[str, PathBalancer]
) -> tuple[PathBalancer, ...] | Unread:
    if groups.doubt_of_balancers is not None:
        return groups.doubt_of_balancers
    mine = (one.group for one in groups.found if endpoint.id in one.endpoint_ids)
    arns = sorted({arn for one in mine for arn in network_balancers(one)})
    unread = first_unread(details.balancers.get(arn) for arn in arns)
    return unread or tuple(balancers[arn] for arn in arns if arn in balancers)


# Names ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """Ingress connections, and the host names by which their services are asked for.

    `ingress` is by ARN, `listed` Unread where they could not be listed; `services` and `domains` (custom ones that are
    active) are by the service's ARN.
    """

    listed: tuple[str, ...] | Unread
    ingress: Mapping[str, IngressConnection | Unread] = field(default_factory=dict)
    services: Mapping[str, Service | Unread] = field(default_factory=dict)
    domains: Mapping[str, tuple[str, ...] | Unread] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[str]:
        """Every name of a private service that could be read."""
        connections = (one for one in self.ingress.values() if isinstance(one, IngressConnection))
        services = (one for one in self.services.values() if isinstance(one, Service) and not one.public)
        custom = (name for names in self.domains.values() for name in if_read(names))
        return frozenset(filter(None, (*(one.domain for one in connections), *(one.url for one in services), *custom)))

    def behind(self, ids: frozenset[str]) -> tuple[str, ...] | Unread:
        """The names of the services that are connected to these endpoints, sorted."""
        unread = first_unread((self.listed, *self.ingress.values()))
        if unread is not None:
            return unread
        connections = [
            one for one in self.ingress.values() if isinstance(one, IngressConnection) and one.endpoint_id in ids
        ]
        arns = [one.service_arn for one in connections]
        facts = [known.get(arn) for arn in arns for known in (self.services, self.domains)]
        urls = (one.url for one in facts if isinstance(one, Service))
        custom = (name for one in facts if isinstance(one, tuple) for name in one)
        names = {*(one.domain for one in connections), *urls, *custom} - {""}
        return first_unread(facts) or tuple(sorted(names))


def answers_to(host: str, names: Iterable[str]) -> bool:
    """Whether a host is one of the names; *.example.com is one label in front of example.com."""
    asked = host.lower()
    return bool(asked) and any(
        asked == name.lower() or (name.startswith("*.") and asked.partition(".")[2] == name[2:].lower())
        for name in names
    )


def with_endpoints(
    ingress: Mapping[str, IngressConnection | Unread], endpoints: Mapping[str, InterfaceEndpoint | Unread | None]
) -> Mapping[str, IngressConnection | Unread]:
    """The same connections, each with the endpoint that it names."""
    return {
        arn: one if isinstance(one, Unread) else replace(one, endpoint=endpoints.get(one.endpoint_id))
        for arn, one in sorted(ingress.items())
    }


# APIs ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """The Region's VPC links, of the first and of the second generation. An id does not tell its link's generation."""

    first: tuple[VpcLink, ...] | Unread
    second: tuple[VpcLink, ...] | Unread


type _Endpoints = Mapping[int, tuple[str, ...] | Unread]  # ids, by the port of the listener that leads to them


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ways:
    """All that an integration is joined with: links by id, the NLBs on paths with their listeners, and every name of a
    private service."""

    groups: Groups
    listeners: Mapping[str, tuple[Listener, ...] | Unread]
    names: Names
    links: Mapping[str, VpcLink]
    unread_links: Unread | None
    balancers: tuple[str, ...]
    known: frozenset[str]

    def link(self, link_id: str) -> VpcLink | Unread | None:
        """None where there is none of that id."""
        return self.links.get(link_id) or self.unread_links

    def on_path(self, balancer_arn: str) -> bool | Unread:
        """Whether a load balancer is on a path."""
        return balancer_arn in self.balancers or self.groups.doubt(balancer_arn) or False

    def endpoints(self, balancer_arn: str) -> _Endpoints | Unread | None:
        """Those that a load balancer's listeners lead to; None where it is on no path."""
        on_path = self.on_path(balancer_arn)
        if on_path is not True:
            return on_path or None
        listeners = self.listeners[balancer_arn]
        if isinstance(listeners, Unread):
            return listeners
        return {one.port: self._behind(one) for one in listeners if one.protocol not in _NO_TCP}

    def _behind(self, listener: Listener) -> tuple[str, ...] | Unread:
        arns = listener.target_group_arns
        ids = {name for one in self.groups.found if one.arn in arns for name in one.endpoint_ids}
        return first_unread(self.groups.undecided.get(arn) for arn in arns) or tuple(sorted(ids))

    def hosts(self, endpoints: _Endpoints | Unread | None, port: int | None) -> tuple[str, ...] | Unread:
        """The names that services answer to behind a port, or behind all where nothing is known to listen there."""
        if isinstance(endpoints, Unread):
            return endpoints
        if not endpoints:
            return ()
        meant = [endpoints[port]] if port is not None and port in endpoints else list(endpoints.values())
        ids = frozenset(name for some in meant for name in if_read(some))
        return first_unread(meant) or self.names.behind(ids)


def path_apis(
    apis: Iterable[Api],
    groups: Groups,
    listeners: Mapping[str, tuple[Listener, ...] | Unread],
    names: Names,
    links: Links,
) -> tuple[Api, ...]:
    """Those APIs that lead to private services, with the integrations that do; also those of which that is not known.

    An integration does if its VPC link leads to a load balancer on a path, unless to a listener that leads elsewhere,
    or if it asks for a private service by name. `listeners` are by the ARNs of the load balancers on paths.
    """
    ways = _Ways(
        groups=groups,
        listeners=listeners,
        names=names,
        links={one.id: one for one in (*if_read(links.first), *if_read(links.second))},
        unread_links=first_unread((links.first, links.second)),
        balancers=groups.balancer_arns,
        known=names.known,
    )
    found = (_path_api(one, ways) for one in apis)
    return tuple(sorted((one for one in found if one.integrations != ()), key=lambda one: one.arn))


def may_lead(api: Api, known: frozenset[str]) -> bool:
    """Whether an API can lead to a private service, before its stages are known: it uses a VPC link, asks for a service
    by one of the `known` names, or by a name that its stages tell."""
    return isinstance(api.integrations, Unread) or any(
        one.link_id or "stageVariables." in one.uri or any(answers_to(host, known) for host in hosts_asked(one))
        for one in api.integrations
    )


def _path_api(api: Api, ways: _Ways) -> Api:
    if isinstance(api.integrations, Unread):
        return replace(api, path_balancers=ways.groups.doubt_of_balancers or ways.balancers)
    joined = (_joined(one, api.stages, ways) for raw in api.integrations for one in per_stage(raw, api.stages))
    kept = tuple(one for one in joined if _is_on_path(one, ways))
    asked = sorted({one.balancer_arn for one in kept if isinstance(one.balancer_arn, str) and one.balancer_arn})
    doubt = first_unread((ways.groups.listed, *(ways.on_path(arn) for arn in asked)))
    return replace(api, integrations=kept, path_balancers=doubt or ways.balancers)


def per_stage(integration: Integration, stages: tuple[Stage, ...] | Unread) -> tuple[Integration, ...]:
    """The integration with each stage's variables in place of their names: one for each stage where they differ.

    A variable that a stage lacks stays as it is. What a canary release overrides is not looked at.
    """
    told = if_read(stages)
    made = [_with_variables(integration, one.variables) for one in told]
    if not any(one != integration for one in made):
        return (integration,)
    if all(one == made[0] for one in made):
        return (made[0],)
    return tuple(replace(one, where=f"{one.where} (stage {stage.name})") for one, stage in zip(made, told, strict=True))


def _with_variables(integration: Integration, variables: Mapping[str, str]) -> Integration:
    def filled(text: str) -> str:
        return _IN_TEXT.sub(lambda found: variables.get(found[1], found[0]), text)

    return replace(
        integration,
        uri=filled(integration.uri),
        link_id=filled(integration.link_id),
        target_arn=filled(integration.target_arn),
        server_name=filled(integration.server_name),
        mapped={key: _mapped(key, filled(value), variables) for key, value in integration.mapped.items()},
    )


def _mapped(key: str, value: str, variables: Mapping[str, str]) -> str:
    """A mapping's value; a stage variable that is the whole of it becomes a constant, which REST APIs quote."""
    named = _AS_VALUE.fullmatch(value)
    if named is None or named[1] not in variables:
        return value
    constant = variables[named[1]]
    return f"'{constant}'" if key.startswith("integration.") else constant


def _joined(one: Integration, stages: tuple[Stage, ...] | Unread, ways: _Ways) -> Integration:
    if not one.link_id:
        return one
    link = ways.link(one.link_id)
    if isinstance(stages, Unread) and "stageVariables." in one.link_id + one.target_arn:
        link = stages
    linked = replace(one, link=link)
    balancer = _behind(linked, ways)
    if isinstance(balancer, Unread):
        return replace(linked, balancer_arn=balancer, endpoints=balancer, hosts=balancer)
    endpoints, port = ways.endpoints(balancer), _port(linked, if_read(ways.listeners.get(balancer)))
    hosts = ways.hosts(endpoints, port)
    return replace(linked, balancer_arn=balancer, endpoints=endpoints, port=port, hosts=hosts)


def _behind(one: Integration, ways: _Ways) -> str | Unread:
    """The load balancer that an integration leads to, by its link of the first generation or by its own target."""
    if isinstance(one.link, VpcLink) and one.link.generation == 1:
        arns = one.link.target_arns
        return next((arn for arn in arns if ways.on_path(arn) is True), next(iter(arns), ""))
    return balancer_of(one.target_arn) or (one.link if isinstance(one.link, Unread) else "")


def listener_named(one: Integration) -> str:
    """The ARN of the listener that an integration names; empty where the port that it asks for picks the listener
    (docs.aws.amazon.com/apigateway/latest/developerguide/set-up-nlb-for-vpclink-using-console.html)."""
    by_link = isinstance(one.link, VpcLink) and one.link.generation == 1
    return one.target_arn if ":listener/" in one.target_arn and not by_link else ""


def _port(one: Integration, listeners: Iterable[Listener]) -> int | None:
    named = listener_named(one)
    if not named:
        return port_asked(one.uri)
    return next((listener.port for listener in listeners if listener.arn == named), None)


def port_asked(uri: str) -> int | None:
    """The port that a URI asks for, its scheme's where it says none; None where there is none to be told."""
    try:
        parts = urlsplit(uri)
        said = parts.port
    except ValueError:
        return None
    if said is None and "$" not in parts.netloc:  # a stage variable may hold host and port
        return _PORTS.get(parts.scheme)
    return said


def balancer_of(arn: str) -> str:
    """The ARN of the load balancer that a listener's ARN, or its own, is of; empty for anything else.

    arn:…:listener/net/NAME/ID/LISTENER → arn:…:loadbalancer/net/NAME/ID
    """
    found = _LISTENER.fullmatch(arn)
    return f"{found[1]}:loadbalancer/{found[2]}/{found[3]}/{found[4]}" if found else ""


def _is_on_path(one: Integration, ways: _Ways) -> bool:
    """Unless it certainly is not."""
    if isinstance(one.balancer_arn, Unread):
        return True
    if one.balancer_arn and ways.on_path(one.balancer_arn) and ends_of(one) != ():
        return True
    return any(answers_to(host, ways.known) for host in hosts_asked(one))


def ends_of(one: Integration) -> tuple[str, ...] | Unread | None:
    """The endpoints that the integration's requests come to, by id; None where it comes to no listener, or to one that
    is not known."""
    if one.endpoints is None or isinstance(one.endpoints, Unread):
        return one.endpoints
    return None if one.port is None else one.endpoints.get(one.port)


def hosts_asked(one: Integration) -> tuple[str, ...]:
    """Every host name by which an integration asks: its URI's, the one in TLS, and what overwrites the Host header."""
    headers = (value.strip("'") for key, value in sorted(one.mapped.items()) if key.lower() in _HOST_HEADERS)
    return tuple(dict.fromkeys(filter(None, (_host(one.uri), one.server_name, *headers))))


def _host(uri: str) -> str:
    """Empty where it has none, as an ARN."""
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


# The whole -----------------------------------------------------------------------------------------------------------


def join(
    *,
    ends: Ends,
    groups: Groups,
    details: Details,
    names: Names,
    links: Links,
    apis: Iterable[Api],
    account: str,
    region: str,
) -> Paths:
    """All of it, but for what could not be listed."""
    balancers = path_balancers(groups, details, links.first)
    by_arn = {one.arn: one for one in balancers}
    return Paths(
        ingress=with_endpoints(names.ingress, ends.endpoints),
        endpoints=tuple(
            PathEndpoint(
                endpoint=one,
                account=account,
                region=region,
                zone_ids=_zone_ids(one, details),
                groups=_security_groups(one.group_ids, details),
                balancers=_balancers_before(one, groups, details, by_arn),
                prefix_lists=_prefix_lists(one.group_ids, details),
            )
            for _, one in sorted(ends.endpoints.items())
            if isinstance(one, InterfaceEndpoint)
        ),
        groups=groups.found,
        balancers=balancers,
        apis=path_apis(apis, groups, details.listeners, names, links),
        domains=names.domains,
    )
